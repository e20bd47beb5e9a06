//===- LaneFast.h - the arithmetic of one lane that vectorises -----------------===//
//
// The same operations as LaneMath.h for the usual case, rounding to nearest, on the host's own
// floating point: short functions without branches, which a loop over 32 lanes turns into vector
// code. An operation that may meet a NaN says so in `special`, and the caller repeats the block
// with the exact form: which payload survives must not depend on the order a compiler chose.
//
// Transcendental functions are evaluated in double and rounded once, well inside the errors that
// the ISA document grants (1 ULP in f32); that our last bit is the hardware's is not claimed.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_SIM_LANEFAST_H
#define TINY_SIM_LANEFAST_H

#include "LaneMath.h"

/// A function of one lane: always part of the loop that calls it.
#define LANE [[gnu::always_inline]] static inline

namespace tinysim {

LANE float asFloat(uint32_t x) { return __builtin_bit_cast(float, x); }
LANE double asDouble(uint64_t x) { return __builtin_bit_cast(double, x); }
LANE uint32_t bitsOf(float x) { return __builtin_bit_cast(uint32_t, x); }
LANE uint64_t bitsOf(double x) { return __builtin_bit_cast(uint64_t, x); }

LANE uint32_t nanFlag(float x) { return x != x; }
LANE uint32_t nanFlag(double x) { return x != x; }
LANE uint32_t nanFlag16(uint32_t x) { return (x & 0x7fff) > 0x7c00; }

//===-- Half precision -------------------------------------------------------===//

/// Exact. NaNs keep payload and signalling bit.
LANE float widen(uint32_t half) {
  uint32_t magnitude = (half & 0x7fff) << 13;
  // 2^112 moves the exponent's bias, and makes denormals normal on the way.
  uint32_t scaledBits = bitsOf(asFloat(magnitude) * asFloat(0x77800000));
  uint32_t special = magnitude | 0x7f800000;
  return asFloat(((half & 0x8000) << 16) | (magnitude >= 0x0f800000 ? special : scaledBits));
}
/// To nearest even. A NaN becomes quiet and keeps the top of its payload.
LANE uint32_t narrow(float value) {
  uint32_t bits = bitsOf(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  uint32_t normal = (magnitude + 0xfff + (magnitude >> 13 & 1) - 0x38000000) >> 13;
  // In f32, 0.5 has the last place of f16's denormals: the addition rounds there.
  uint32_t denormal = bitsOf(asFloat(magnitude) + 0.5f) - 0x3f000000;
  uint32_t special = magnitude > 0x7f800000 ? 0x7e00 | (magnitude >> 13 & 0x3ff) : 0x7c00;
  uint32_t finite = magnitude < 0x38800000 ? denormal : normal;
  return sign | (magnitude >= 0x47800000 ? special : finite);
}
/// To f32 rounding to odd, so that a second rounding, to a narrower format, is as if it were the
/// only one.
LANE float toOdd(double value) {
  float nearest = static_cast<float>(value);
  double back = nearest;
  uint32_t bits = bitsOf(nearest);
  uint32_t away = __builtin_fabs(back) > __builtin_fabs(value);
  return asFloat(back == value || value != value ? bits : (bits - away) | 1);
}
LANE uint32_t narrowDouble(double value) { return narrow(toOdd(value)); }

LANE float widenBf16(uint32_t x) { return asFloat(x << 16); }
LANE uint32_t narrowBf16(float value) {
  uint32_t bits = bitsOf(value);
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return value != value ? (bits >> 16) | 0x40 : rounded;
}

//===-- Add, multiply, fused multiply-add ------------------------------------===//

LANE uint32_t add32(uint32_t &special, uint32_t a, uint32_t b) {
  float r = asFloat(a) + asFloat(b);
  special |= nanFlag(r);
  return bitsOf(r);
}
LANE uint32_t sub32(uint32_t &special, uint32_t a, uint32_t b) {
  float r = asFloat(a) - asFloat(b);
  special |= nanFlag(r);
  return bitsOf(r);
}
LANE uint32_t mul32(uint32_t &special, uint32_t a, uint32_t b) {
  float r = asFloat(a) * asFloat(b);
  special |= nanFlag(r);
  return bitsOf(r);
}
LANE uint32_t fma32(uint32_t &special, uint32_t a, uint32_t b, uint32_t c) {
  float r = __builtin_fmaf(asFloat(a), asFloat(b), asFloat(c));
  special |= nanFlag(r);
  return bitsOf(r);
}
/// Zero times anything is zero, as DX9 had it.
LANE uint32_t mulZero32(uint32_t &special, uint32_t a, uint32_t b) {
  uint32_t r = mul32(special, a, b);
  bool zero = asFloat(a) == 0 || asFloat(b) == 0;
  return zero ? 0 : r;
}
LANE uint32_t fmaZero32(uint32_t &special, uint32_t a, uint32_t b, uint32_t c) {
  uint32_t r = fma32(special, a, b, c);
  bool zero = asFloat(a) == 0 || asFloat(b) == 0;
  return zero ? c : r;
}

LANE uint64_t add64(uint32_t &special, uint64_t a, uint64_t b) {
  double r = asDouble(a) + asDouble(b);
  special |= nanFlag(r);
  return bitsOf(r);
}
LANE uint64_t mul64(uint32_t &special, uint64_t a, uint64_t b) {
  double r = asDouble(a) * asDouble(b);
  special |= nanFlag(r);
  return bitsOf(r);
}
LANE uint64_t fma64(uint32_t &special, uint64_t a, uint64_t b, uint64_t c) {
  double r = __builtin_fma(asDouble(a), asDouble(b), asDouble(c));
  special |= nanFlag(r);
  return bitsOf(r);
}

// f32 has more than twice the digits of f16 and two: rounding a sum or product there first does not
// change the result.
LANE uint32_t add16(uint32_t &special, uint32_t a, uint32_t b) {
  float r = widen(a) + widen(b);
  special |= nanFlag(r);
  return narrow(r);
}
LANE uint32_t sub16(uint32_t &special, uint32_t a, uint32_t b) {
  float r = widen(a) - widen(b);
  special |= nanFlag(r);
  return narrow(r);
}
LANE uint32_t mul16(uint32_t &special, uint32_t a, uint32_t b) {
  float r = widen(a) * widen(b);
  special |= nanFlag(r);
  return narrow(r);
}
/// The product is exact in f32. The sum is made exact by the error of its rounding, which then goes
/// to odd, so that the rounding to f16 is the only one.
LANE uint32_t fma16(uint32_t &special, uint32_t a, uint32_t b, uint32_t c) {
  float product = widen(a) * widen(b), addend = widen(c);
  float sum = product + addend, part = sum - product;
  float error = (product - (sum - part)) + (addend - part);
  special |= nanFlag(sum);
  uint32_t bits = bitsOf(sum), inexact = error < 0 || error > 0;
  uint32_t away = inexact && (bitsOf(error) ^ bits) >> 31;
  return narrow(asFloat(inexact ? (bits - away) | 1 : bits));
}

//===-- Minimum and maximum --------------------------------------------------===//

/// Orders floats as integers, -0 below +0. Not for NaNs.
LANE int32_t order32(uint32_t x) {
  int32_t s = static_cast<int32_t>(x);
  return s ^ static_cast<int32_t>(static_cast<uint32_t>(s >> 31) >> 1);
}
LANE int32_t order16(uint32_t x) { return order32(x << 16); }
LANE int64_t order64(uint64_t x) {
  int64_t s = static_cast<int64_t>(x);
  return s ^ static_cast<int64_t>(static_cast<uint64_t>(s >> 63) >> 1);
}
LANE uint32_t min32(uint32_t &special, uint32_t a, uint32_t b) {
  special |= nanFlag(asFloat(a)) | nanFlag(asFloat(b));
  return order32(a) < order32(b) ? a : b;
}
LANE uint32_t max32(uint32_t &special, uint32_t a, uint32_t b) {
  special |= nanFlag(asFloat(a)) | nanFlag(asFloat(b));
  return order32(a) > order32(b) ? a : b;
}
LANE uint32_t min16(uint32_t &special, uint32_t a, uint32_t b) {
  special |= nanFlag16(a) | nanFlag16(b);
  return order16(a) < order16(b) ? a : b;
}
LANE uint32_t max16(uint32_t &special, uint32_t a, uint32_t b) {
  special |= nanFlag16(a) | nanFlag16(b);
  return order16(a) > order16(b) ? a : b;
}
LANE uint64_t min64(uint32_t &special, uint64_t a, uint64_t b) {
  special |= nanFlag(asDouble(a)) | nanFlag(asDouble(b));
  return order64(a) < order64(b) ? a : b;
}
LANE uint64_t max64(uint32_t &special, uint64_t a, uint64_t b) {
  special |= nanFlag(asDouble(a)) | nanFlag(asDouble(b));
  return order64(a) > order64(b) ? a : b;
}

//===-- Transcendental, in double --------------------------------------------===//

LANE double invalidDouble() { return asDouble(F64::invalid); }

/// 2^x: the nearest integer goes to the exponent, the rest through the Taylor series of 2^f, whose
/// first term left out is below 2^-52 for |f| <= 1/2.
LANE double exp2OfDouble(double x) {
  x = x > 1100 ? 1100 : x;
  x = x < -1100 ? -1100 : x;
  const double magic = 0x1.8p52;
  // Two halves of the exponent, for results near both ends of double.
  double whole = (x + magic) - magic, f = x - whole;
  double first = (whole * 0.5 + magic) - magic, second = whole - first;
  double p = 0x1.c3bd650fc2986p-36; // (ln 2)^12 / 12!
  p = p * f + 0x1.e8cac7351bb25p-32;
  p = p * f + 0x1.e4cf5158b8ecap-28;
  p = p * f + 0x1.b5253d395e7c4p-24;
  p = p * f + 0x1.62c0223a5c824p-20;
  p = p * f + 0x1.ffcbfc588b0c7p-17;
  p = p * f + 0x1.430912f86c787p-13;
  p = p * f + 0x1.5d87fe78a6731p-10;
  p = p * f + 0x1.3b2ab6fba4e77p-7;
  p = p * f + 0x1.c6b08d704a0cp-5;
  p = p * f + 0x1.ebfbdff82c58fp-3;
  p = p * f + 0x1.62e42fefa39efp-1;
  p = p * f + 1.0;
  auto power = [](double n) __attribute__((always_inline)) {
    return asDouble((bitsOf(n + 0x1.8p52) + 1023) << 52);
  };
  return p * power(first) * power(second);
}

/// log2 by the series of atanh((m - 1) / (m + 1)) for m in [sqrt 1/2, sqrt 2).
LANE double log2OfDouble(double x) {
  uint64_t bits = bitsOf(x);
  uint64_t up = (bits & F64::fraction) > 0x6a09e667f3bcdull; // beyond sqrt 2
  double exponent = asDouble(((bits >> 52) + up) | 0x4330000000000000ull) - (0x1p52 + 1023);
  double m = asDouble((bits & F64::fraction) | (F64::one - (up << 52)));
  double s = (m - 1) / (m + 1), z = s * s;
  double p = 1.0 / 23;
  for (int k = 21; k > 0; k -= 2)
    p = p * z + 1.0 / k;
  double r = exponent + s * p * 0x1.71547652b82fep1; // 2 / ln 2
  r = x == __builtin_inf() || x != x ? x : r;
  r = x == 0 ? -__builtin_inf() : r;
  return x < 0 ? invalidDouble() : r;
}

/// sin(2 pi r) for |r| <= 1/4.
LANE double sineOfQuarter(double r) {
  double y = r * 0x1.921fb54442d18p2, z = y * y;
  double p = 1.0 / 51090942171709440000.0;
  p = p * z - 1.0 / 121645100408832000.0;
  p = p * z + 1.0 / 355687428096000.0;
  p = p * z - 1.0 / 1307674368000.0;
  p = p * z + 1.0 / 6227020800.0;
  p = p * z - 1.0 / 39916800.0;
  p = p * z + 1.0 / 362880.0;
  p = p * z - 1.0 / 5040.0;
  p = p * z + 1.0 / 120.0;
  p = p * z - 1.0 / 6.0;
  return y * (1 + z * p);
}
/// What is left of x without its nearest integer, with the sign of x where that is zero.
LANE double turn(double x) {
  double r = x - ((x + 0x1.8p52) - 0x1.8p52);
  return __builtin_fabs(x) >= 0x1p24 ? 0.0 : r;
}
LANE double sinOfTurns(double x) {
  double r = turn(x);
  double folded = __builtin_copysign(0.5, r) - r;
  double y = sineOfQuarter(__builtin_fabs(r) > 0.25 ? folded : r);
  y = x != x ? x : y;
  return __builtin_fabs(x) == __builtin_inf() ? invalidDouble() : y;
}
LANE double cosOfTurns(double x) {
  double y = sineOfQuarter(0.25 - __builtin_fabs(turn(x)));
  y = x != x ? x : y;
  return __builtin_fabs(x) == __builtin_inf() ? invalidDouble() : y;
}
LANE double sqrtOfDouble(double x) { return x < 0 ? invalidDouble() : __builtin_sqrt(x); }
LANE double rcpOfDouble(double x) { return 1.0 / x; }
LANE double rsqOfDouble(double x) { return 1.0 / sqrtOfDouble(x); }

} // namespace tinysim

#endif // TINY_SIM_LANEFAST_H
