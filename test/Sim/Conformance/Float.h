//===- Float.h - exact arithmetic for expected values ------------*- C++ -*-===//
//
// Half precision through __float128, in which sums and products of halves are exact,
// rounded once; single and double precision by the host's own operations and libm.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TEST_SIM_FLOAT_H
#define TINY_TEST_SIM_FLOAT_H

#include <cmath>
#include <cstdint>
#include <cstring>

namespace simtest {

template <typename To, typename From> inline To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}
inline float asF(uint32_t bits) { return bitCast<float>(bits); }
inline double asD(uint64_t bits) { return bitCast<double>(bits); }
inline uint32_t bitsOf(float f) { return bitCast<uint32_t>(f); }
inline uint64_t bitsOf(double d) { return bitCast<uint64_t>(d); }

/// The modes of MODE.FP_ROUND.
enum Rounding { nearest = 0, up = 1, down = 2, zero = 3 };

/// Rounds an exact value to a binary format with `mantissa` stored bits and an exponent of
/// `exponent` bits; the result's bits.
inline uint32_t narrow(__float128 x, unsigned mantissa, unsigned exponent, Rounding mode) {
  auto bits = bitCast<unsigned __int128>(x);
  bool negative = bits >> 127;
  int e = int(bits >> 112 & 0x7fff);
  uint32_t sign = uint32_t(negative) << (mantissa + exponent);
  uint32_t inf = ((1u << exponent) - 1) << mantissa;
  if (e == 0x7fff)
    return sign | inf | (bits << 16 ? 1u << (mantissa - 1) : 0);
  if (x == 0)
    return sign;
  int bias = (1 << (exponent - 1)) - 1, emin = 1 - bias;
  int ex = e - 16383 < emin ? emin : e - 16383;
  __float128 magnitude = negative ? -x : x;
  // magnitude / 2^(ex - mantissa), by exact multiplications
  int shift = mantissa - ex;
  __float128 y = magnitude;
  for (; shift > 60; shift -= 60)
    y *= __float128(1ull << 60);
  for (; shift < -60; shift += 60)
    y /= __float128(1ull << 60);
  y = shift >= 0 ? y * __float128(1ull << shift) : y / __float128(1ull << -shift);
  auto integer = static_cast<uint64_t>(y);
  __float128 rest = y - __float128(integer);
  bool grow = false;
  switch (mode) {
  case nearest:
    grow = rest > 0.5 || (rest == 0.5 && (integer & 1));
    break;
  case up:
    grow = rest > 0 && !negative;
    break;
  case down:
    grow = rest > 0 && negative;
    break;
  case zero:
    break;
  }
  integer += grow;
  uint64_t hidden = 1ull << mantissa;
  if (integer >= 2 * hidden) {
    integer >>= 1;
    ++ex;
  }
  if (ex > bias) {
    bool toInf = mode == nearest || (mode == up && !negative) || (mode == down && negative);
    return sign | (toInf ? inf : inf - 1);
  }
  if (integer < hidden)
    return sign | uint32_t(integer);
  return sign | uint32_t(ex + bias) << mantissa | uint32_t(integer - hidden);
}

inline double asH(uint32_t bits) { // the value of a half
  bits &= 0xffff;
  int e = bits >> 10 & 31, m = bits & 1023;
  double v = e == 31 ? (m ? NAN : INFINITY) : e ? ldexp(1024 + m, e - 25) : ldexp(m, -24);
  return bits >> 15 ? -v : v;
}
inline uint32_t halfOf(__float128 x, Rounding mode = nearest) { return narrow(x, 10, 5, mode); }
inline uint32_t halfOf(double x, Rounding mode = nearest) {
  return narrow(static_cast<__float128>(x), 10, 5, mode);
}
inline float asB(uint32_t bits) { return asF(bits << 16); } // the value of a bfloat16

inline bool isNanH(uint32_t h) { return (h & 0x7fff) > 0x7c00; }
inline bool isSignallingF(uint32_t f) { return (f & 0x7fffffff) > 0x7f800000 && !(f & 0x400000); }

} // namespace simtest

#endif // TINY_TEST_SIM_FLOAT_H
