//===- ScalarMath.h - integer functions of the scalar unit ------*- C++ -*-===//
//
// Pure functions without undefined behaviour: shift counts are the caller's to mask.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_SCALARMATH_H
#define TINY_LIB_SIM_SCALARMATH_H

#include "Instruction.h"

namespace tinysim {

inline uint32_t addCarry(uint32_t a, uint32_t b, bool carryIn, bool &carryOut) {
  uint64_t sum = uint64_t(a) + b + carryIn;
  carryOut = sum >> 32;
  return static_cast<uint32_t>(sum);
}
inline uint32_t subtractBorrow(uint32_t a, uint32_t b, bool borrowIn, bool &borrowOut) {
  uint64_t difference = uint64_t(a) - b - borrowIn;
  borrowOut = difference >> 63;
  return static_cast<uint32_t>(difference);
}
/// Signed addition; the flag says that it overflowed.
inline uint32_t addOverflow(uint32_t a, uint32_t b, bool &overflow) {
  uint32_t r = a + b;
  overflow = (~(a ^ b) & (a ^ r)) >> 31;
  return r;
}
template <unsigned Shift> uint32_t shiftAdd(uint32_t a, uint32_t b, bool &carry) {
  uint64_t sum = (uint64_t(a) << Shift) + b;
  carry = sum >> 32 != 0;
  return static_cast<uint32_t>(sum);
}

/// `width` bits from `offset`; a width of 64 or more is everything above the offset.
inline uint64_t extractBits(uint64_t value, unsigned offset, unsigned width) {
  uint64_t field = value >> offset;
  return width >= 64 ? field : field & ((uint64_t(1) << width) - 1);
}
/// The same, with the sign of the field's topmost bit, of a value of `bits` bits.
inline int64_t extractSigned(uint64_t value, unsigned offset, unsigned width, unsigned bits) {
  if (width == 0)
    return 0;
  if (bits == 32)
    value = static_cast<uint64_t>(int64_t(static_cast<int32_t>(value)));
  auto field = static_cast<int64_t>(value) >> offset;
  if (width >= bits)
    return field;
  auto top = static_cast<uint64_t>(field) << (64 - width);
  return static_cast<int64_t>(top) >> (64 - width);
}

inline uint32_t reverseBits32(uint32_t a) { return __builtin_bitreverse32(a); }

/// Each group of four bits to all ones where any is set.
inline uint64_t wholeQuads(uint64_t a) {
  uint64_t any = (a | a >> 1 | a >> 2 | a >> 3) & 0x1111111111111111u;
  return any * 15;
}
/// One bit per group of four.
inline uint64_t quadMask(uint64_t a) {
  uint64_t result = 0;
  for (unsigned quad = 0; quad < 16; ++quad)
    result |= uint64_t((a >> (4 * quad) & 15) != 0) << quad;
  return result;
}

inline uint32_t signedImmediate(const Instruction &i) {
  return static_cast<uint32_t>(int32_t(static_cast<int16_t>(i.immediate)));
}

} // namespace tinysim

#endif // TINY_LIB_SIM_SCALARMATH_H
