//===- Resolve.cpp - the checks of memory accesses --------------------------===//
//
// Bounds are checked always: they keep the kernel inside its own memory, in the process that hosts
// the simulator. The rest is as the options say.
//
//===----------------------------------------------------------------------===//

#include "MemoryOp.h"
#include "Workgroup.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include <algorithm>

using namespace llvm;

namespace tinysim {

/// What an address must be a multiple of. The card runs in unaligned mode under HSA, where plain
/// accesses of any alignment work, slowly; atomics must be aligned.
static unsigned alignmentOf(const MemoryOp &op) {
  if (op.atomic != AtomicOp::none)
    return op.bytes;
  return std::min<unsigned>(op.bytes, 4);
}

static bool checkAlignment(Wave &wave, const MemoryOp &op, const uint64_t *addresses,
                           uint64_t exec) {
  bool atomic = op.atomic != AtomicOp::none;
  if (!atomic && !wave.workgroup->launch.enabled(Check::alignment))
    return true;
  uint64_t all = 0;
  forEachLane<64>(exec, [&](unsigned lane) { all |= addresses[lane]; });
  uint64_t mask = alignmentOf(op) - 1;
  if (!(all & mask))
    return true;
  for (uint64_t rest = exec; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctzll(rest);
    if (!(addresses[lane] & mask))
      continue;
    wave.fault(Fault::Kind::misaligned,
               "accesses " + std::to_string(op.bytes) + " bytes at 0x" +
                   utohexstr(addresses[lane], true) + ", which is not a multiple of " +
                   std::to_string(mask + 1),
               static_cast<int>(lane));
    return false;
  }
  return true;
}

/// 128-byte lines that the lanes touch.
static unsigned countLines(const uint64_t *addresses, uint64_t exec, unsigned bytes) {
  constexpr unsigned lineShift = 7;
  SmallVector<uint64_t, 128> lines;
  forEachLane<64>(exec, [&](unsigned lane) {
    lines.push_back(addresses[lane] >> lineShift);
    lines.push_back((addresses[lane] + bytes - 1) >> lineShift);
  });
  std::sort(lines.begin(), lines.end());
  return static_cast<unsigned>(std::unique(lines.begin(), lines.end()) - lines.begin());
}

static bool resolveGlobal(Wave &wave, const Instruction &i, const MemoryOp &op,
                          const uint64_t *addresses, uint64_t exec) {
  Workgroup &group = *wave.workgroup;
  MemoryView &view = group.worker->memory;
  Access need = i.isAtomic ? Access::readWrite : i.isStore ? Access::write : Access::read;
  uint64_t low = ~uint64_t(0), high = 0;
  forEachLane<64>(exec, [&](unsigned lane) {
    low = std::min(low, addresses[lane]);
    high = std::max(high, addresses[lane]);
  });
  // Mostly all lanes are in one allocation.
  if (high - low > (uint64_t(1) << 62) || !view.allowed(low, high - low + op.bytes, need)) {
    for (uint64_t rest = exec; rest; rest &= rest - 1) {
      unsigned lane = __builtin_ctzll(rest);
      if (view.allowed(addresses[lane], op.bytes, need))
        continue;
      MemoryView::Problem problem = view.explain(addresses[lane], op.bytes, need);
      wave.fault(problem.afterFree ? Fault::Kind::useAfterFree : Fault::Kind::outOfBounds,
                 problem.text, static_cast<int>(lane));
      return false;
    }
  }
  for (const Launch::Unfilled &argument : group.launch.unfilled) {
    if (!i.isLoad || high + op.bytes <= argument.address ||
        argument.address + argument.bytes <= low)
      continue;
    uint64_t value = 0;
    std::memcpy(&value, reinterpret_cast<const void *>(argument.address),
                std::min<uint32_t>(argument.bytes, 8));
    if (value != 0)
      continue;
    wave.fault(Fault::Kind::hiddenArgument,
               std::string("reads the kernel's ") + argument.kind + ": nobody gave it a value");
    return false;
  }
  if (group.launch.counting) {
    uint64_t bytes = uint64_t(__builtin_popcountll(exec)) * op.bytes;
    if (i.isLoad)
      group.counters().globalLoadBytes += bytes;
    if (i.isStore)
      group.counters().globalStoreBytes += bytes;
    group.counters().globalTransactions += countLines(addresses, exec, op.bytes);
  }
  return true;
}

/// Cycles beyond the first that 64 banks of 4 bytes need: distinct dwords on the busiest bank.
static unsigned bankConflicts(const uint64_t *offsets, uint64_t exec, unsigned bytes) {
  constexpr unsigned banks = 64;
  SmallVector<uint32_t, 128> words;
  forEachLane<64>(exec, [&](unsigned lane) {
    for (uint64_t at = offsets[lane] / 4; at <= (offsets[lane] + bytes - 1) / 4; ++at)
      words.push_back(static_cast<uint32_t>(at));
  });
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  unsigned perBank[banks] = {}, most = 1;
  for (uint32_t word : words)
    most = std::max(most, ++perBank[word % banks]);
  // A wide access takes several cycles in any case.
  unsigned atLeast = (static_cast<unsigned>(words.size()) + banks - 1) / banks;
  return most - std::max(1u, atLeast);
}

static bool reportLds(Wave &wave, const LdsShadow::Verdict &verdict, const Launch &launch,
                      uint64_t offset, const Instruction &i, unsigned lane) {
  std::string place = "LDS offset 0x" + utohexstr(offset, true);
  if (verdict.race && launch.enabled(Check::races)) {
    std::string who = verdict.otherWave + 1 == 0x1ff ? "several waves"
                                                     : "wave " + std::to_string(verdict.otherWave);
    wave.fault(Fault::Kind::race,
               (i.isStore ? "writes " : "reads ") + place + ", which " + who +
                   (verdict.otherWrote ? " wrote" : " read") + " since the last barrier",
               static_cast<int>(lane));
    return false;
  }
  if (verdict.unwritten && launch.enabled(Check::uninitialised)) {
    wave.fault(Fault::Kind::uninitialised, "reads " + place + ", which was never written",
               static_cast<int>(lane));
    return false;
  }
  return true;
}

static bool resolveLds(Wave &wave, const Instruction &i, const MemoryOp &op, uint64_t *offsets,
                       uint64_t exec) {
  Workgroup &group = *wave.workgroup;
  const Launch &launch = group.launch;
  for (uint64_t rest = exec; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctzll(rest);
    if (offsets[lane] + op.bytes <= launch.ldsBytes)
      continue;
    wave.fault(Fault::Kind::outOfBounds,
               "accesses " + std::to_string(op.bytes) + " bytes at LDS offset 0x" +
                   utohexstr(offsets[lane], true) + "; the workgroup has " +
                   std::to_string(launch.ldsBytes),
               static_cast<int>(lane));
    return false;
  }
  if (launch.counting) {
    uint64_t bytes = uint64_t(__builtin_popcountll(exec)) * op.bytes;
    if (i.isLoad)
      group.counters().ldsLoadBytes += bytes;
    if (i.isStore)
      group.counters().ldsStoreBytes += bytes;
    group.counters().ldsBankConflicts += bankConflicts(offsets, exec, op.bytes);
  }
  if (group.shadowsLds) {
    LdsShadow::Use use = i.isAtomic  ? LdsShadow::Use::atomic
                         : i.isStore ? LdsShadow::Use::store
                                     : LdsShadow::Use::load;
    for (uint64_t rest = exec; rest; rest &= rest - 1) {
      unsigned lane = __builtin_ctzll(rest);
      LdsShadow::Verdict verdict = group.ldsShadow.access(static_cast<uint32_t>(offsets[lane]),
                                                          op.bytes, wave.indexInWorkgroup, use);
      if ((verdict.race || verdict.unwritten) &&
          !reportLds(wave, verdict, launch, offsets[lane], i, lane))
        return false;
    }
  }
  auto base = reinterpret_cast<uint64_t>(group.lds.data());
  forEachLane<64>(exec, [&](unsigned lane) { offsets[lane] += base; });
  return true;
}

/// Scratch remembers whether what was stored had ever been written: a register that is saved and
/// restored is no more and no less written than before.
static void shadowScratch(Wave &wave, const Instruction &i, const MemoryOp &op,
                          const uint64_t *pointers, uint64_t exec, unsigned data) {
  Workgroup &group = *wave.workgroup;
  for (uint64_t rest = exec; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctzll(rest);
    auto *bytes = reinterpret_cast<const uint8_t *>(pointers[lane]);
    for (unsigned n = 0; n < op.bytes; ++n) {
      uint8_t &shadow = group.scratchShadow(bytes + n);
      if (i.isStore)
        shadow = i.isAtomic || wave.checker->writtenLanes(data + n / 4) >> lane & 1;
      else if (!shadow)
        wave.checker->setLoadedUnwritten(n / 4, uint64_t(1) << lane);
    }
  }
}

static bool resolveScratch(Wave &wave, const Instruction &i, const MemoryOp &op, uint64_t *offsets,
                           uint64_t exec, unsigned data) {
  Workgroup &group = *wave.workgroup;
  for (uint64_t rest = exec; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctzll(rest);
    if (offsets[lane] <= wave.scratchBytes && op.bytes <= wave.scratchBytes - offsets[lane]) {
      offsets[lane] +=
          reinterpret_cast<uint64_t>(wave.scratch) + uint64_t(lane) * wave.scratchStride;
      continue;
    }
    wave.fault(Fault::Kind::outOfBounds,
               "accesses " + std::to_string(op.bytes) + " bytes at scratch offset 0x" +
                   utohexstr(offsets[lane], true) + "; a work-item has " +
                   std::to_string(wave.scratchBytes),
               static_cast<int>(lane));
    return false;
  }
  if (group.launch.counting) {
    uint64_t bytes = uint64_t(__builtin_popcountll(exec)) * op.bytes;
    if (i.isLoad)
      group.counters().scratchLoadBytes += bytes;
    if (i.isStore)
      group.counters().scratchStoreBytes += bytes;
  }
  if (group.shadowsScratch && wave.checker)
    shadowScratch(wave, i, op, offsets, exec, data);
  return true;
}

bool resolve(Wave &wave, const Instruction &i, Space space, const MemoryOp &op, uint64_t *addresses,
             uint64_t exec, unsigned data) {
  if (!exec)
    return true;
  Workgroup &group = *wave.workgroup;
  if (group.launch.observer) {
    std::copy(addresses, addresses + wave.waveSize, group.worker->addresses);
    group.worker->accessBytes = op.bytes;
  }
  if (group.launch.counting && i.isAtomic)
    group.counters().atomics += static_cast<uint64_t>(__builtin_popcountll(exec));
  if (!checkAlignment(wave, op, addresses, exec))
    return false;
  switch (space) {
  case Space::global:
    return resolveGlobal(wave, i, op, addresses, exec);
  case Space::lds:
    return resolveLds(wave, i, op, addresses, exec);
  case Space::scratch:
    return resolveScratch(wave, i, op, addresses, exec, data);
  }
  return false;
}

} // namespace tinysim
