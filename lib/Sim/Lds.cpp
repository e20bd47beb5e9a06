//===- Lds.cpp - DS ---------------------------------------------------------===//
//
// LDS accesses are the memory operations of MemoryOp.h at LDS offsets; the permutes and swizzles
// use the LDS crossbar and touch no memory. GDS and GWS are not there: no compiler emits them.
//
//===----------------------------------------------------------------------===//

#include "HandlerTable.h"
#include "MemoryOp.h"
#include "Workgroup.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;

namespace tinysim {

/// Offsets of the lanes: VGPR plus an immediate, in 32 bits.
template <unsigned N>
TINYSIM_INLINE void ldsOffsets(const Wave &wave, const Operand &vgpr, uint32_t immediate,
                               uint64_t (&offsets)[N]) {
  const uint32_t *base = wave.vgpr<N>(vgpr.index);
  for (unsigned lane = 0; lane < N; ++lane)
    offsets[lane] = base[lane] + immediate;
}

static void performAt(Wave &wave, const Instruction &i, const MemoryOp &op, uint64_t *offsets,
                      uint64_t exec, unsigned data, unsigned second, unsigned dst) {
  if (!resolve(wave, i, Space::lds, op, offsets, exec, data))
    return;
  Operand result;
  result.index = static_cast<uint16_t>(dst);
  if (i.isAtomic)
    performAtomic(wave, op, offsets, exec, data, second, i.dsts ? &result : nullptr);
  else if (i.isStore)
    performStore(wave, op, offsets, exec, data);
  else
    performLoad(wave, op, offsets, exec, dst);
}

namespace {
/// One address.
struct Single {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const uint64_t exec = wave.exec<N>();
    if (!exec)
      return;
    alignas(64) uint64_t offsets[N];
    ldsOffsets<N>(wave, i.src[0], static_cast<uint32_t>(i.offset), offsets);
    performAt(wave, i, MemoryOp::unpack(i.tag), offsets, exec, i.srcs > 1 ? i.src[1].index : 0,
              i.srcs > 2 ? i.src[2].index : 0, i.dst[0].index);
  }
};

/// Two addresses from one VGPR, offsets in units of the element (or of 64 elements).
template <unsigned Scale> struct Double {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const uint64_t exec = wave.exec<N>();
    if (!exec)
      return;
    const MemoryOp op = MemoryOp::unpack(i.tag);
    // The address may be among the registers that the first half loads into.
    alignas(64) uint64_t offsets[2][N];
    ldsOffsets<N>(wave, i.src[0], static_cast<uint32_t>(i.offset) * op.bytes * Scale, offsets[0]);
    ldsOffsets<N>(wave, i.src[0], static_cast<uint32_t>(i.offset1) * op.bytes * Scale, offsets[1]);
    for (unsigned n = 0; n < 2 && wave.state == WaveState::running; ++n)
      performAt(wave, i, op, offsets[n], exec, i.srcs > 1 + n ? i.src[1 + n].index : 0, 0,
                i.dst[0].index + n * op.dwords());
  }
};

/// Conditional exchange of the two dwords at an address, which its low three bits are cut from:
/// each dword of data whose bit 31 is set goes to memory without that bit.
struct ConditionalExchange {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const uint64_t exec = wave.exec<N>();
    if (!exec)
      return;
    alignas(64) uint64_t offsets[N];
    ldsOffsets<N>(wave, i.src[0], static_cast<uint32_t>(i.offset), offsets);
    for (uint64_t &offset : offsets)
      offset &= ~uint64_t(7);
    if (!resolve(wave, i, Space::lds, MemoryOp::unpack(i.tag), offsets, exec, 0))
      return;
    forEachLane<N>(exec, [&](unsigned lane) {
      uint32_t data[2], old[2];
      auto *memory = reinterpret_cast<void *>(offsets[lane]);
      std::memcpy(old, memory, sizeof(old));
      for (unsigned n = 0; n < 2; ++n) {
        uint32_t word = wave.vgpr<N>(i.src[1].index + n)[lane];
        data[n] = word >> 31 ? word & 0x7fffffff : old[n];
      }
      std::memcpy(memory, data, sizeof(data));
      // The other sources of this lane have been read: the destination may overlap them.
      for (unsigned n = 0; n < 2; ++n)
        wave.vgpr<N>(i.dst[0].index + n)[lane] = old[n];
    });
  }
};

/// M0 has the base, the lane's number the rest.
struct AddThreadId {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const uint64_t exec = wave.exec<N>();
    alignas(64) uint64_t offsets[N];
    uint64_t base = (wave.scalars[scalarM0] & 0xffff) + static_cast<uint32_t>(i.offset);
    for (unsigned lane = 0; lane < N; ++lane)
      offsets[lane] = base + 4 * lane;
    performAt(wave, i, MemoryOp::unpack(i.tag), offsets, exec, i.isStore ? i.src[0].index : 0, 0,
              i.dst[0].index);
  }
};

/// Append and consume: one counter at an offset from M0, by the number of active lanes.
template <bool Append> struct CountLanes {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const uint64_t exec = wave.exec<N>();
    if (!exec)
      return;
    uint64_t offsets[N];
    offsets[0] = (wave.scalars[scalarM0] & 0xffff) + static_cast<uint32_t>(i.offset);
    MemoryOp op;
    op.atomic = Append ? AtomicOp::add : AtomicOp::subtract;
    if (!resolve(wave, i, Space::lds, op, offsets, 1, 0))
      return;
    uint32_t old;
    std::memcpy(&old, reinterpret_cast<const void *>(offsets[0]), 4);
    auto count = static_cast<uint32_t>(__builtin_popcountll(exec));
    uint32_t now = Append ? old + count : old - count;
    std::memcpy(reinterpret_cast<void *>(offsets[0]), &now, 4);
    uint32_t result[N];
    for (unsigned lane = 0; lane < N; ++lane)
      result[lane] = old;
    store<N>(wave, i.dst[0], result);
  }
};

/// Every lane fetches from the lane its address names. In wave64 the halves are apart: the crossbar
/// is 32 lanes wide (Mesa's ACO and LLVM work around it with V_PERMLANE64).
struct BackwardPermute {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const uint64_t exec = wave.exec<N>();
    const uint32_t *address = wave.vgpr<N>(i.src[0].index);
    const uint32_t *data = wave.vgpr<N>(i.src[1].index);
    uint32_t result[N];
    for (unsigned lane = 0; lane < N; ++lane) {
      unsigned from = ((address[lane] + static_cast<uint32_t>(i.offset)) / 4 % 32) | (lane & 32);
      result[lane] = exec >> from & 1 ? data[from] : 0;
    }
    storeLanes<N>(wave, i.dst[0].index, result, exec);
  }
};

/// Every lane sends to the lane its address names; of several, the highest wins.
struct ForwardPermute {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const uint64_t exec = wave.exec<N>();
    const uint32_t *address = wave.vgpr<N>(i.src[0].index);
    const uint32_t *data = wave.vgpr<N>(i.src[1].index);
    uint32_t result[N] = {};
    forEachLane<N>(exec, [&](unsigned lane) {
      unsigned to = ((address[lane] + static_cast<uint32_t>(i.offset)) / 4 % 32) | (lane & 32);
      result[to] = data[lane];
    });
    storeLanes<N>(wave, i.dst[0].index, result, exec);
  }
};

struct Swizzle {
  /// The lane that `lane` reads from.
  static unsigned source(unsigned lane, uint32_t mode) {
    unsigned half = lane & 32;
    lane &= 31;
    if (mode >= 0xe000) { // FFT: bit-reversed order within groups
      unsigned mask = mode & 31;
      unsigned reversed = __builtin_bitreverse32(lane) >> 27;
      return ((reversed >> __builtin_popcount(mask)) | (lane & mask)) | half;
    }
    if (mode >= 0xc000) { // rotation within groups
      unsigned mask = mode & 31, by = mode >> 5 & 31;
      if (mode >> 10 & 1)
        by = 32 - by;
      return ((lane & mask) | ((lane + by) & ~mask & 31)) | half;
    }
    if (mode & 0x8000) // four lanes, each of which names one of them
      return ((lane & ~3u) | (mode >> (2 * (lane & 3)) & 3)) | half;
    unsigned andMask = mode & 31, orMask = mode >> 5 & 31, xorMask = mode >> 10 & 31;
    return ((((lane & andMask) | orMask) ^ xorMask) & 31) | half;
  }

  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const uint64_t exec = wave.exec<N>();
    const uint32_t *data = wave.vgpr<N>(i.src[0].index);
    uint32_t result[N];
    for (unsigned lane = 0; lane < N; ++lane) {
      unsigned from = source(lane, static_cast<uint32_t>(i.offset) & 0xffff);
      result[lane] = exec >> from & 1 ? data[from] : 0;
    }
    storeLanes<N>(wave, i.dst[0].index, result, exec);
  }
};
} // namespace

static AtomicOp atomicOf(StringRef name, char type) {
  bool isSigned = type == 'I', isFloat = type == 'F';
  return StringSwitch<AtomicOp>(name)
      .Case("ADD", isFloat ? AtomicOp::floatAdd : AtomicOp::add)
      .Case("SUB", AtomicOp::subtract)
      .Case("RSUB", AtomicOp::reverseSubtract)
      .Case("INC", AtomicOp::increment)
      .Case("DEC", AtomicOp::decrement)
      .Case("MIN", isFloat    ? AtomicOp::floatMin
                   : isSigned ? AtomicOp::signedMin
                              : AtomicOp::unsignedMin)
      .Case("MAX", isFloat    ? AtomicOp::floatMax
                   : isSigned ? AtomicOp::signedMax
                              : AtomicOp::unsignedMax)
      .Case("AND", AtomicOp::bitAnd)
      .Case("OR", AtomicOp::bitOr)
      .Case("XOR", AtomicOp::bitXor)
      .Case("MSKOR", AtomicOp::maskOr)
      .Case("WRAP", AtomicOp::wrap)
      .Cases({"WRXCHG", "WRXCHG2", "WRXCHG2ST64"}, AtomicOp::swap)
      .Case("CMPSTORE", isFloat ? AtomicOp::floatCompareSwap : AtomicOp::compareSwap)
      .Default(AtomicOp::none);
}

/// DS_<operation>[_RTN]_<type><bits>.
static Handler selectAtomic(Instruction &i, unsigned waveSize) {
  if (i.memoryBits & bitGds)
    return nullptr;
  StringRef name = StringRef(i.name).drop_front(3);
  StringRef type = name.rsplit('_').second;
  StringRef operation = name.drop_back(type.size() + 1);
  operation.consume_back("_RTN");
  MemoryOp op;
  op.bytes = type.ends_with("64") ? 8 : 4;
  op.atomic = atomicOf(operation, type.front());
  i.isAtomic = i.isStore = true;
  i.tag = op.pack();
  if (operation.ends_with("2ST64"))
    return handlerOf<Double<64>>(waveSize);
  if (operation.ends_with("2"))
    return handlerOf<Double<1>>(waveSize);
  return handlerOf<Single>(waveSize);
}

static Handler selectConditionalExchange(Instruction &i, unsigned waveSize) {
  if (i.memoryBits & bitGds)
    return nullptr;
  MemoryOp op;
  op.bytes = 8;
  op.atomic = AtomicOp::swap;
  i.isAtomic = i.isStore = true;
  i.tag = op.pack();
  return handlerOf<ConditionalExchange>(waveSize);
}

static Handler selectPlain(Instruction &i, unsigned waveSize) {
  if (i.memoryBits & bitGds)
    return nullptr;
  StringRef name = StringRef(i.name).drop_front(3); // READ_…, WRITE_…, READ2ST64_…
  i.isStore = name.starts_with("WRITE");
  StringRef kind = name.split('_').first, width = name.split('_').second;
  width.consume_front("ADDTID_");
  MemoryOp op;
  if (!parseMemoryOp((i.isStore ? "WRITE_" : "READ_") + width.str(), op))
    return nullptr;
  i.tag = op.pack();
  if (name.contains("_ADDTID_"))
    return handlerOf<AddThreadId>(waveSize);
  if (kind.ends_with("2ST64"))
    return handlerOf<Double<64>>(waveSize);
  if (kind.ends_with("2"))
    return handlerOf<Double<1>>(waveSize);
  return handlerOf<Single>(waveSize);
}

template <bool Append> static Handler selectCount(Instruction &i, unsigned waveSize) {
  i.isAtomic = i.isStore = true;
  return i.memoryBits & bitGds ? nullptr : handlerOf<CountLanes<Append>>(waveSize);
}

void registerLds(HandlerTable &table) {
  auto add = [&](const Twine &name, HandlerTable::Selector selector) {
    table.addSelector(name.str(), selector);
  };
  for (const char *width : {"I8", "U8", "I16", "U16", "I8_D16", "I8_D16_HI", "U8_D16", "U8_D16_HI",
                            "U16_D16", "U16_D16_HI", "B32", "B64", "B96", "B128", "ADDTID_B32"})
    add(Twine("DS_READ_") + width, selectPlain);
  for (const char *width :
       {"B8", "B16", "B8_D16_HI", "B16_D16_HI", "B32", "B64", "B96", "B128", "ADDTID_B32"})
    add(Twine("DS_WRITE_") + width, selectPlain);
  for (const char *width : {"B32", "B64"})
    for (const char *kind : {"READ2_", "READ2ST64_", "WRITE2_", "WRITE2ST64_"})
      add(Twine("DS_") + kind + width, selectPlain);

  static const struct {
    const char *operation, *type;
  } atomics[] = {{"ADD", "U"},      {"SUB", "U"},     {"RSUB", "U"},  {"INC", "U"}, {"DEC", "U"},
                 {"MIN", "I"},      {"MAX", "I"},     {"MIN", "U"},   {"MAX", "U"}, {"AND", "B"},
                 {"OR", "B"},       {"XOR", "B"},     {"MSKOR", "B"}, {"MIN", "F"}, {"MAX", "F"},
                 {"CMPSTORE", "B"}, {"CMPSTORE", "F"}};
  for (const auto &atomic : atomics)
    for (const char *bits : {"32", "64"})
      for (const char *returns : {"_", "_RTN_"})
        add(Twine("DS_") + atomic.operation + returns + atomic.type + bits, selectAtomic);
  for (const char *name : {"DS_ADD_F32", "DS_ADD_RTN_F32", "DS_WRXCHG_RTN_B32", "DS_WRXCHG_RTN_B64",
                           "DS_WRXCHG2_RTN_B32", "DS_WRXCHG2_RTN_B64", "DS_WRXCHG2ST64_RTN_B32",
                           "DS_WRXCHG2ST64_RTN_B64", "DS_WRAP_RTN_B32"})
    add(name, selectAtomic);

  add("DS_CONDXCHG32_RTN_B64", selectConditionalExchange);
  table.add<BackwardPermute>("DS_BPERMUTE_B32");
  table.add<ForwardPermute>("DS_PERMUTE_B32");
  table.add<Swizzle>("DS_SWIZZLE_B32");
  add("DS_APPEND", selectCount<true>);
  add("DS_CONSUME", selectCount<false>);
  table.addHandler("DS_NOP", [](Wave &, const Instruction &) {});
}

} // namespace tinysim
