//===- ScalarMemory.cpp - SMEM ----------------------------------------------===//
//
// Loads into SGPRs, from a 64-bit base or through a buffer resource, whose range they obey: what is
// outside reads 0. Hardware ignores the two low bits of an address; here they are an error.
//
//===----------------------------------------------------------------------===//

#include "HandlerTable.h"
#include "Workgroup.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace tinysim {

/// Notes the hidden arguments among what was read that nobody filled.
static void noteHidden(Wave &wave, uint64_t address, unsigned dwords) {
  for (const Launch::Unfilled &argument : wave.workgroup->launch.unfilled) {
    if (address + 4 * dwords <= argument.address || argument.address + argument.bytes <= address)
      continue;
    uint64_t value = 0;
    std::memcpy(&value, reinterpret_cast<const void *>(argument.address),
                std::min<uint32_t>(argument.bytes, 8));
    if (value != 0 || !wave.checker)
      continue;
    for (unsigned n = 0; n < dwords; ++n)
      if (address + 4 * n + 4 > argument.address &&
          address + 4 * n < argument.address + argument.bytes)
        wave.checker->setLoadedHidden(n, argument.kind);
  }
}

/// Reads `count` dwords that must be in memory.
static bool readDwords(Wave &wave, uint64_t address, uint32_t *to, unsigned count) {
  Workgroup &group = *wave.workgroup;
  if (address & 3) {
    if (group.launch.enabled(Check::alignment)) {
      wave.fault(Fault::Kind::misaligned,
                 "reads 0x" + utohexstr(address, true) + ", which is not a multiple of 4");
      return false;
    }
    address &= ~uint64_t(3);
  }
  if (!group.worker->memory.allowed(address, 4 * count, Access::read)) {
    MemoryView::Problem problem = group.worker->memory.explain(address, 4 * count, Access::read);
    wave.fault(problem.afterFree ? Fault::Kind::useAfterFree : Fault::Kind::outOfBounds,
               problem.text);
    return false;
  }
  if (group.launch.counting)
    group.counters().scalarLoadBytes += 4 * count;
  if (group.launch.observer) {
    group.worker->addresses[0] = address;
    group.worker->accessBytes = 4 * count;
  }
  if (!group.launch.unfilled.empty())
    noteHidden(wave, address, count);
  std::memcpy(to, reinterpret_cast<const void *>(address), 4 * size_t(count));
  return true;
}

/// The instruction's offset: an immediate, a register, or both.
static uint64_t offsetOf(const Wave &wave, const Instruction &i) {
  uint64_t offset = static_cast<uint64_t>(int64_t(i.offset));
  return i.srcs > 1 ? offset + wave.read32(i.src[1]) : offset;
}

static void load(Wave &wave, const Instruction &i) {
  uint32_t values[16];
  unsigned count = i.dst[0].dwords;
  if (readDwords(wave, wave.read64(i.src[0]) + offsetOf(wave, i), values, count))
    std::memcpy(wave.scalars + i.dst[0].index, values, 4 * size_t(count));
}

static void loadBuffer(Wave &wave, const Instruction &i) {
  uint32_t values[16] = {};
  unsigned count = i.dst[0].dwords;
  const uint32_t *resource = wave.scalars + i.src[0].index;
  uint64_t base = resource[0] | uint64_t(resource[1] & 0xffff) << 32;
  uint32_t stride = resource[1] >> 16 & 0x3fff;
  uint64_t range = stride ? uint64_t(stride) * resource[2] : resource[2];
  uint64_t offset = offsetOf(wave, i);
  // The dwords inside the range; they are the first ones.
  unsigned inside = 0;
  while (inside < count && offset + 4 * (uint64_t(inside) + 1) <= range)
    ++inside;
  if (inside == 0 || readDwords(wave, base + offset, values, inside))
    std::memcpy(wave.scalars + i.dst[0].index, values, 4 * size_t(count));
}

void registerScalarMemory(HandlerTable &table) {
  for (const char *width : {"B32", "B64", "B128", "B256", "B512"})
    for (const char *form : {"_IMM", "_SGPR", "_SGPR_IMM"}) {
      table.addHandler((Twine("S_LOAD_") + width + form).str(), load);
      table.addHandler((Twine("S_BUFFER_LOAD_") + width + form).str(), loadBuffer);
    }
  // Caches do not exist, and probes of addresses do nothing.
  auto nothing = [](Wave &, const Instruction &) {};
  for (const char *name :
       {"S_DCACHE_INV", "S_GL1_INV", "S_ATC_PROBE_IMM", "S_ATC_PROBE_SGPR", "S_ATC_PROBE_SGPR_IMM",
        "S_ATC_PROBE_BUFFER_IMM", "S_ATC_PROBE_BUFFER_SGPR", "S_ATC_PROBE_BUFFER_SGPR_IMM"})
    table.addHandler(name, nothing);
}

} // namespace tinysim
