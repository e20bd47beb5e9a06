//===- Buffers.cpp - MUBUF without formats ----------------------------------===//
//
// Accesses through a buffer resource: four SGPRs with a base, a stride, a number of records and the
// rule for what is out of range. An access out of the resource's range is defined (loads give 0,
// stores do nothing); one inside the range but outside of memory is the same error as anywhere.
//
//===----------------------------------------------------------------------===//

#include "BufferFormat.h"
#include "BufferResource.h"
#include "HandlerTable.h"
#include "MemoryOp.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace tinysim {

namespace {
struct BufferAccess {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const uint64_t exec = wave.exec<N>();
    if (!exec)
      return;
    const MemoryOp op = MemoryOp::unpack(i.tag & 0xfffff);
    const bool hasIndex = i.tag >> 20 & 1, hasOffset = i.tag >> 21 & 1, status = i.tag >> 22 & 1;
    // Sources: data of stores and atomics, the VGPRs of the address, the resource, the offset.
    unsigned next = i.isStore ? 1 : 0;
    const unsigned data = i.isStore ? i.src[0].index : 0;
    const unsigned vector = i.src[next].index;
    if (hasIndex || hasOffset)
      ++next;
    const BufferResource resource(wave.scalars + i.src[next].index);
    const uint32_t scalarOffset = wave.read32(i.src[next + 1]);

    // Each dword is in range or not for itself.
    const unsigned dwords = op.dwords();
    const unsigned step = i.isAtomic ? op.bytes : std::min<unsigned>(op.bytes, 4);
    alignas(64) uint64_t addresses[4][N];
    uint64_t inside[4] = {};
    forEachLane<N>(exec, [&](unsigned lane) {
      uint64_t index = hasIndex ? wave.vgpr<N>(vector)[lane] : 0;
      uint64_t offset = hasOffset ? wave.vgpr<N>(vector + hasIndex)[lane] : 0;
      if (resource.addThreadId)
        index += lane;
      offset += static_cast<uint32_t>(i.offset);
      for (unsigned word = 0; word < (i.isAtomic ? 1 : dwords); ++word) {
        addresses[word][lane] =
            resource.base + scalarOffset + resource.offsetOf(index, offset + 4 * word);
        if (resource.inside(index, offset + 4 * word, scalarOffset, step))
          inside[word] |= uint64_t(1) << lane;
      }
    });
    MemoryOp part = op;
    part.bytes = static_cast<uint8_t>(step);
    for (unsigned word = 0; word < (i.isAtomic ? 1 : dwords); ++word) {
      if (!i.isStore)
        clearOutside(wave, op, i.dst[0].index + word, exec & ~inside[word]);
      else if (i.isAtomic && i.dsts)
        for (unsigned n = 0; n < op.bytes / 4u; ++n)
          clearOutside(wave, op, i.dst[0].index + n, exec & ~inside[word]);
      if (!inside[word])
        continue;
      if (!resolve(wave, i, Space::global, part, addresses[word], inside[word], 0))
        return;
      if (i.isAtomic)
        performAtomic(wave, op, addresses[word], inside[word], data, data + op.bytes / 4,
                      i.dsts ? &i.dst[0] : nullptr);
      else if (i.isStore)
        performStore(wave, part, addresses[word], inside[word], data + word);
      else
        performLoad(wave, part, addresses[word], inside[word], i.dst[0].index + word);
    }
    if (status) // TFE: every page is resident, or the access was an error
      forEachLane<N>(exec, [&](unsigned lane) { wave.vgpr<N>(i.dst[0].index + dwords)[lane] = 0; });
  }

  /// What loads out of range give.
  static void clearOutside(Wave &wave, const MemoryOp &op, unsigned vgpr, uint64_t lanes) {
    uint32_t keep = op.half ? (op.high ? 0xffffu : 0xffff0000u) : 0;
    forEachLane<64>(lanes, [&](unsigned lane) { wave.vgprOfAnySize(vgpr)[lane] &= keep; });
  }
};
} // namespace

static Handler select(Instruction &i, unsigned waveSize) {
  StringRef name = StringRef(i.name).drop_front(StringRef("BUFFER_").size());
  name.consume_back("_RTN");
  bool index = false, offset = false;
  if (name.consume_back("_BOTHEN"))
    index = offset = true;
  else if (name.consume_back("_IDXEN"))
    index = true;
  else if (name.consume_back("_OFFEN"))
    offset = true;
  else if (!name.consume_back("_OFFSET"))
    return nullptr;
  // LLVM has names for stores with TFE, which the card does not know.
  bool status = name.starts_with("LOAD_") && name.consume_back("_TFE");
  bool floatAdd = name == "ATOMIC_ADD_F32";
  MemoryOp op;
  if (!parseMemoryOp(name, op))
    return nullptr;
  if (floatAdd)
    op.atomic = AtomicOp::floatAdd;
  // A returning atomic's data is the destination; LLVM lists it as a tied source, which is read.
  i.tag = op.pack() | index << 20 | offset << 21 | status << 22;
  return handlerOf<BufferAccess>(waveSize);
}

void registerBuffers(HandlerTable &table) {
  static const char *const plain[] = {
      "LOAD_UBYTE",        "LOAD_SBYTE",        "LOAD_USHORT",    "LOAD_SSHORT",
      "LOAD_DWORD",        "LOAD_DWORDX2",      "LOAD_DWORDX3",   "LOAD_DWORDX4",
      "LOAD_UBYTE_D16",    "LOAD_UBYTE_D16_HI", "LOAD_SBYTE_D16", "LOAD_SBYTE_D16_HI",
      "LOAD_SHORT_D16",    "LOAD_SHORT_D16_HI", "STORE_BYTE",     "STORE_SHORT",
      "STORE_DWORD",       "STORE_DWORDX2",     "STORE_DWORDX3",  "STORE_DWORDX4",
      "STORE_BYTE_D16_HI", "STORE_SHORT_D16_HI"};
  static const char *const atomics[] = {
      "SWAP",   "CMPSWAP", "ADD",     "SUB",     "SMIN",    "UMIN",    "SMAX",       "UMAX",
      "AND",    "OR",      "XOR",     "INC",     "DEC",     "SWAP_X2", "CMPSWAP_X2", "ADD_X2",
      "SUB_X2", "SMIN_X2", "UMIN_X2", "SMAX_X2", "UMAX_X2", "AND_X2",  "OR_X2",      "XOR_X2",
      "INC_X2", "DEC_X2",  "CSUB",    "ADD_F32", "FMIN",    "FMAX",    "FCMPSWAP"};
  for (const char *form : {"_OFFSET", "_OFFEN", "_IDXEN", "_BOTHEN"}) {
    for (const char *name : plain) {
      table.addSelector((Twine("BUFFER_") + name + form).str(), select);
      if (StringRef(name).starts_with("LOAD_"))
        table.addSelector((Twine("BUFFER_") + name + "_TFE" + form).str(), select);
    }
    for (const char *name : atomics)
      for (const char *returns : {"", "_RTN"})
        table.addSelector((Twine("BUFFER_ATOMIC_") + name + form + returns).str(), select);
  }
  // Caches do not exist.
  for (const char *name : {"BUFFER_GL0_INV", "BUFFER_GL1_INV"})
    table.addHandler(name, [](Wave &, const Instruction &) {});
}

} // namespace tinysim
