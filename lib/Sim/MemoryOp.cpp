//===- MemoryOp.cpp - loads, stores and atomics at resolved addresses -------===//
//
// Plain accesses are memcpy: any alignment, no aliasing rules, and what the card would do with two
// work-items that write the same dword. Atomics are the host's, so that workgroups on several
// threads, and the host itself, see them as such.
//
//===----------------------------------------------------------------------===//

#include "MemoryOp.h"
#include "llvm/ADT/StringSwitch.h"
#include <cmath>

using namespace llvm;

namespace tinysim {

static bool parseWidth(StringRef name, MemoryOp &op) {
  op.high = name.consume_back("_D16_HI");
  op.half = op.high || name.consume_back("_D16");
  op.signExtend = name == "SBYTE" || name == "SSHORT" || name == "I8" || name == "I16";
  op.bytes = StringSwitch<uint8_t>(name)
                 .Cases({"UBYTE", "SBYTE", "BYTE", "U8", "I8", "B8"}, 1)
                 .Cases({"USHORT", "SSHORT", "SHORT", "U16", "I16", "B16"}, 2)
                 .Cases({"DWORD", "B32"}, 4)
                 .Cases({"DWORDX2", "B64"}, 8)
                 .Cases({"DWORDX3", "B96"}, 12)
                 .Cases({"DWORDX4", "B128"}, 16)
                 .Default(0);
  return op.bytes != 0;
}

bool parseMemoryOp(StringRef name, MemoryOp &op) {
  if (name.consume_front("LOAD_") || name.consume_front("STORE_") || name.consume_front("READ_") ||
      name.consume_front("WRITE_"))
    return parseWidth(name, op);
  if (!name.consume_front("ATOMIC_"))
    return false;
  op.bytes = name.consume_back("_X2") ? 8 : 4;
  name.consume_back("_F32");
  op.atomic = StringSwitch<AtomicOp>(name)
                  .Case("SWAP", AtomicOp::swap)
                  .Case("CMPSWAP", AtomicOp::compareSwap)
                  .Case("ADD", AtomicOp::add)
                  .Case("SUB", AtomicOp::subtract)
                  .Case("CSUB", AtomicOp::clampedSubtract)
                  .Case("SMIN", AtomicOp::signedMin)
                  .Case("UMIN", AtomicOp::unsignedMin)
                  .Case("SMAX", AtomicOp::signedMax)
                  .Case("UMAX", AtomicOp::unsignedMax)
                  .Case("AND", AtomicOp::bitAnd)
                  .Case("OR", AtomicOp::bitOr)
                  .Case("XOR", AtomicOp::bitXor)
                  .Case("INC", AtomicOp::increment)
                  .Case("DEC", AtomicOp::decrement)
                  .Case("FMIN", AtomicOp::floatMin)
                  .Case("FMAX", AtomicOp::floatMax)
                  .Case("FCMPSWAP", AtomicOp::floatCompareSwap)
                  .Default(AtomicOp::none);
  return op.atomic != AtomicOp::none;
}

template <typename T> static T readValue(uint64_t pointer) {
  T value;
  std::memcpy(&value, reinterpret_cast<const void *>(pointer), sizeof(T));
  return value;
}

template <unsigned N>
static void loadWords(Wave &wave, unsigned dwords, const uint64_t *pointers, uint64_t exec,
                      unsigned dst) {
  for (unsigned word = 0; word < dwords; ++word) {
    uint32_t *to = wave.vgpr<N>(dst + word);
    if (exec == allLanes<N>)
      for (unsigned lane = 0; lane < N; ++lane)
        to[lane] = readValue<uint32_t>(pointers[lane] + 4 * word);
    else
      forEachLane<N>(
          exec, [&](unsigned lane) { to[lane] = readValue<uint32_t>(pointers[lane] + 4 * word); });
  }
}

void performLoad(Wave &wave, const MemoryOp &op, const uint64_t *pointers, uint64_t exec,
                 unsigned dst) {
  if (op.bytes >= 4) {
    if (wave.waveSize == 32)
      loadWords<32>(wave, op.dwords(), pointers, exec, dst);
    else
      loadWords<64>(wave, op.dwords(), pointers, exec, dst);
    return;
  }
  uint32_t *to = wave.vgprOfAnySize(dst);
  forEachLane<64>(exec, [&](unsigned lane) {
    uint32_t value;
    if (op.bytes == 1)
      value = op.signExtend ? static_cast<uint32_t>(int32_t(readValue<int8_t>(pointers[lane])))
                            : readValue<uint8_t>(pointers[lane]);
    else
      value = op.signExtend ? static_cast<uint32_t>(int32_t(readValue<int16_t>(pointers[lane])))
                            : readValue<uint16_t>(pointers[lane]);
    if (op.high)
      value = (to[lane] & 0xffff) | value << 16;
    else if (op.half)
      value = (to[lane] & 0xffff0000u) | (value & 0xffff);
    to[lane] = value;
  });
}

void performStore(Wave &wave, const MemoryOp &op, const uint64_t *pointers, uint64_t exec,
                  unsigned data) {
  // Lane by lane, words in order: where lanes store to one place, the highest lane stays.
  const uint32_t *from = wave.vgprOfAnySize(data);
  const unsigned waveSize = wave.waveSize;
  forEachLane<64>(exec, [&](unsigned lane) {
    auto *to = reinterpret_cast<uint8_t *>(pointers[lane]);
    if (op.bytes >= 4) {
      for (unsigned word = 0; word < op.dwords(); ++word)
        std::memcpy(to + 4 * word, from + word * waveSize + lane, 4);
      return;
    }
    uint32_t value = op.high ? from[lane] >> 16 : from[lane];
    std::memcpy(to, &value, op.bytes); // the host is little-endian, as the card is
  });
}

template <typename T> static T bitsAs(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}
template <typename T> static uint64_t bitsOf(T value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}

template <typename T> static uint64_t applyFloat(AtomicOp op, T old, T data, T second) {
  switch (op) {
  case AtomicOp::floatAdd:
    return bitsOf<T>(old + data);
  // A NaN in memory or as operand loses against a number, as in minNum and maxNum.
  case AtomicOp::floatMin:
    return bitsOf<T>(std::isnan(old) ? data : std::isnan(data) ? old : data < old ? data : old);
  case AtomicOp::floatMax:
    return bitsOf<T>(std::isnan(old) ? data : std::isnan(data) ? old : data > old ? data : old);
  default: // floatCompareSwap
    return bitsOf<T>(old == second ? data : old);
  }
}

template <typename T, typename S>
static uint64_t applyInteger(AtomicOp op, T old, T data, T second) {
  switch (op) {
  case AtomicOp::swap:
    return data;
  case AtomicOp::compareSwap:
    return old == second ? data : old;
  case AtomicOp::add:
    return static_cast<T>(old + data);
  case AtomicOp::subtract:
    return static_cast<T>(old - data);
  case AtomicOp::reverseSubtract:
    return static_cast<T>(data - old);
  case AtomicOp::clampedSubtract:
    return old < data ? 0 : static_cast<T>(old - data);
  case AtomicOp::signedMin:
    return static_cast<S>(data) < static_cast<S>(old) ? data : old;
  case AtomicOp::unsignedMin:
    return data < old ? data : old;
  case AtomicOp::signedMax:
    return static_cast<S>(data) > static_cast<S>(old) ? data : old;
  case AtomicOp::unsignedMax:
    return data > old ? data : old;
  case AtomicOp::bitAnd:
    return old & data;
  case AtomicOp::bitOr:
    return old | data;
  case AtomicOp::bitXor:
    return old ^ data;
  case AtomicOp::increment:
    return old >= data ? 0 : static_cast<T>(old + 1);
  case AtomicOp::decrement:
    return old == 0 || old > data ? data : static_cast<T>(old - 1);
  case AtomicOp::wrap:
    return old >= data ? static_cast<T>(old - data) : static_cast<T>(old + second);
  case AtomicOp::maskOr:
    return (old & ~data) | second;
  default:
    return old;
  }
}

uint64_t applyAtomic(AtomicOp op, bool wide, uint64_t old, uint64_t data, uint64_t second) {
  if (op >= AtomicOp::floatAdd)
    return wide ? applyFloat<double>(op, bitsAs<double>(old), bitsAs<double>(data),
                                     bitsAs<double>(second))
                : applyFloat<float>(op, bitsAs<float>(old), bitsAs<float>(data),
                                    bitsAs<float>(second));
  return wide ? applyInteger<uint64_t, int64_t>(op, old, data, second)
              : applyInteger<uint32_t, int32_t>(op, static_cast<uint32_t>(old),
                                                static_cast<uint32_t>(data),
                                                static_cast<uint32_t>(second));
}

template <typename T>
static T atomicAt(uint64_t pointer, AtomicOp op, uint64_t data, uint64_t second) {
  auto *place = reinterpret_cast<T *>(pointer);
  T old = __atomic_load_n(place, __ATOMIC_RELAXED);
  T now;
  do
    now = static_cast<T>(applyAtomic(op, sizeof(T) == 8, old, data, second));
  while (!__atomic_compare_exchange_n(place, &old, now, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
  return old;
}

void performAtomic(Wave &wave, const MemoryOp &op, const uint64_t *pointers, uint64_t exec,
                   unsigned data, unsigned compare, const Operand *result) {
  const bool wide = op.bytes == 8;
  auto word = [&](unsigned vgpr, unsigned lane) -> uint64_t {
    uint64_t value = wave.vgprOfAnySize(vgpr)[lane];
    if (wide)
      value |= uint64_t(wave.vgprOfAnySize(vgpr + 1)[lane]) << 32;
    return value;
  };
  forEachLane<64>(exec, [&](unsigned lane) {
    uint64_t value = word(data, lane), second = word(compare, lane);
    uint64_t old = wide ? atomicAt<uint64_t>(pointers[lane], op.atomic, value, second)
                        : atomicAt<uint32_t>(pointers[lane], op.atomic, value, second);
    if (!result)
      return;
    wave.vgprOfAnySize(result->index)[lane] = static_cast<uint32_t>(old);
    if (wide)
      wave.vgprOfAnySize(result->index + 1)[lane] = static_cast<uint32_t>(old >> 32);
  });
}

} // namespace tinysim
