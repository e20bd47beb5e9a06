//===- LaneMath.h - the floating point of one lane, bit by bit -----------------===//
//
// Exact arithmetic on bit patterns for the four formats of gfx1100, with the rounding of MODE as a
// parameter. It serves where the host's own arithmetic will not do: rounding other than to nearest,
// the payloads of NaNs, scaled results that must be rounded once.
//
// Everything is static on purpose. Files that include this are compiled for several instruction
// sets of the host, and a shared inline function would let the linker choose one of them for all.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_SIM_LANEMATH_H
#define TINY_SIM_LANEMATH_H

#include <cstdint>

namespace tinysim {

/// MODE.round as the hardware numbers it.
enum class Rounding : uint8_t { nearest = 0, up = 1, down = 2, zero = 3 };

/// What MODE says about one width of floats. Denormals are flushed by whoever loads and stores the
/// lanes, not by the arithmetic.
struct FloatMode {
  Rounding round = Rounding::nearest;
  bool keepInputDenormals = true;
  bool keepOutputDenormals = true;
};

/// MODE as the vector ALU needs it. f16 and f64 share one setting.
struct LaneMode {
  FloatMode f32, f16f64;
  bool ieee = true;
  bool dx10Clamp = true;
};

using Bits = uint64_t;

/// A binary interchange format: its field widths give everything else.
template <unsigned exponentBits, unsigned mantissaBits> struct FloatFormat {
  static constexpr unsigned width = 1 + exponentBits + mantissaBits;
  static constexpr unsigned mantissa = mantissaBits;
  static constexpr int maxExponent = (1 << exponentBits) - 1;
  static constexpr int bias = maxExponent >> 1;
  static constexpr Bits sign = Bits(1) << (width - 1);
  static constexpr Bits infinity = Bits(maxExponent) << mantissaBits;
  static constexpr Bits magnitude = sign - 1;
  static constexpr Bits fraction = (Bits(1) << mantissaBits) - 1;
  static constexpr Bits quiet = Bits(1) << (mantissaBits - 1);
  static constexpr Bits largest = infinity - 1;
  static constexpr Bits one = Bits(bias) << mantissaBits;
  /// The NaN of an invalid operation is negative, as the examples of the ISA document print it
  /// (V_LOG_F32 of -1 is 0xffc00000).
  static constexpr Bits invalid = sign | infinity | quiet;
};
using F16 = FloatFormat<5, 10>;
using BF16 = FloatFormat<8, 7>;
using F32 = FloatFormat<8, 23>;
using F64 = FloatFormat<11, 52>;

template <class F> static inline bool isNaN(Bits x) { return (x & F::magnitude) > F::infinity; }
template <class F> static inline bool isInfinite(Bits x) {
  return (x & F::magnitude) == F::infinity;
}
template <class F> static inline bool isZero(Bits x) { return (x & F::magnitude) == 0; }
template <class F> static inline bool isNegative(Bits x) { return (x & F::sign) != 0; }
template <class F> static inline bool isDenormal(Bits x) {
  return (x & F::infinity) == 0 && (x & F::fraction) != 0;
}
template <class F> static inline bool isSignalling(Bits x) {
  return isNaN<F>(x) && (x & F::quiet) == 0;
}
template <class F> static inline Bits quieted(Bits x) { return isNaN<F>(x) ? x | F::quiet : x; }
/// The exponent field.
template <class F> static inline int exponentOf(Bits x) {
  return int((x & F::infinity) >> F::mantissa);
}

/// A finite number other than zero is significand * 2^exponent.
struct Unpacked {
  bool negative;
  int exponent;
  uint64_t significand;
};
template <class F> static inline Unpacked unpack(Bits x) {
  int field = exponentOf<F>(x);
  uint64_t fraction = x & F::fraction;
  return {isNegative<F>(x), (field ? field : 1) - F::bias - int(F::mantissa),
          field ? fraction | (F::fraction + 1) : fraction};
}

using Wide = unsigned __int128;

static inline int leadingZeros(Wide x) {
  uint64_t high = uint64_t(x >> 64);
  return high ? __builtin_clzll(high) : 64 + __builtin_clzll(uint64_t(x));
}
/// Shifts right; what falls out makes the last bit sticky.
static inline Wide shiftRightSticky(Wide x, int by) {
  if (by <= 0)
    return x;
  if (by >= 128)
    return x != 0;
  return (x >> by) | ((x & ((Wide(1) << by) - 1)) != 0);
}

template <class F> static inline Bits overflowed(bool negative, Rounding round) {
  bool toInfinity = round == Rounding::nearest || (round == Rounding::up && !negative) ||
                    (round == Rounding::down && negative);
  return (negative ? F::sign : 0) | (toInfinity ? F::infinity : F::largest);
}
template <class F> static inline Bits underflowed(bool negative, Rounding round) {
  bool away = (round == Rounding::up && !negative) || (round == Rounding::down && negative);
  return (negative ? F::sign : 0) | Bits(away);
}

/// Rounds significand * 2^exponent once. The significand is not zero.
template <class F>
static inline Bits roundTo(bool negative, int exponent, Wide significand, Rounding round) {
  int lead = leadingZeros(significand);
  significand <<= lead;
  int field = exponent + 127 - lead + F::bias;
  int drop = 127 - int(F::mantissa) + (field < 1 ? 1 - field : 0);
  if (drop > 127)
    return drop > 128 || round != Rounding::nearest || significand == Wide(1) << 127
               ? underflowed<F>(negative, round)
               : (negative ? F::sign : 0) | 1;
  Bits kept = Bits(significand >> drop);
  Wide rest = significand & ((Wide(1) << drop) - 1), half = Wide(1) << (drop - 1);
  bool increment = round == Rounding::nearest ? rest > half || (rest == half && (kept & 1))
                   : round == Rounding::up    ? rest != 0 && !negative
                   : round == Rounding::down  ? rest != 0 && negative
                                              : false;
  if (field >= F::maxExponent)
    return overflowed<F>(negative, round);
  // A carry out of the mantissa raises the exponent by itself.
  Bits magnitude = (Bits(field > 1 ? field - 1 : 0) << F::mantissa) + kept + increment;
  if (magnitude >= F::infinity)
    return overflowed<F>(negative, round);
  return (negative ? F::sign : 0) | magnitude;
}

/// The first NaN of the operands, quieted: the payload does not depend on how the host commutes.
template <class F> static inline Bits firstNaN(Bits a, Bits b, Bits c = 0) {
  return (isNaN<F>(a) ? a : isNaN<F>(b) ? b : c) | F::quiet;
}

/// (a * b + c) * 2^scale, rounded once.
template <class F>
static inline Bits exactFma(Bits a, Bits b, Bits c, Rounding round, int scale = 0) {
  if (isNaN<F>(a) || isNaN<F>(b) || isNaN<F>(c))
    return firstNaN<F>(a, b, c);
  bool negative = isNegative<F>(a) != isNegative<F>(b);
  if (isInfinite<F>(a) || isInfinite<F>(b)) {
    if (isZero<F>(a) || isZero<F>(b) || (isInfinite<F>(c) && isNegative<F>(c) != negative))
      return F::invalid;
    return (negative ? F::sign : 0) | F::infinity;
  }
  if (isInfinite<F>(c))
    return c;
  bool productIsZero = isZero<F>(a) || isZero<F>(b);
  if (productIsZero && isZero<F>(c)) {
    bool sign = negative == isNegative<F>(c) ? negative : round == Rounding::down;
    return sign ? F::sign : 0;
  }
  Unpacked x = unpack<F>(a), y = unpack<F>(b), z = unpack<F>(c);
  if (productIsZero)
    return roundTo<F>(z.negative, z.exponent + scale, z.significand, round);
  Wide product = Wide(x.significand) * y.significand;
  int exponent = x.exponent + y.exponent;
  if (isZero<F>(c))
    return roundTo<F>(negative, exponent + scale, product, round);
  // Both are normalised to bit 125, which leaves a carry bit and, below the 106 bits of the longest
  // product, more than the three bits that a right shift needs for its sticky end.
  int lead = leadingZeros(product) - 2, leadC = leadingZeros(Wide(z.significand)) - 2;
  product <<= lead;
  exponent -= lead;
  Wide addend = Wide(z.significand) << leadC;
  int exponentC = z.exponent - leadC;
  int common = exponent > exponentC ? exponent : exponentC;
  product = shiftRightSticky(product, common - exponent);
  addend = shiftRightSticky(addend, common - exponentC);
  if (negative == z.negative)
    return roundTo<F>(negative, common + scale, product + addend, round);
  if (product == addend)
    return round == Rounding::down ? F::sign : 0;
  return product > addend ? roundTo<F>(negative, common + scale, product - addend, round)
                          : roundTo<F>(z.negative, common + scale, addend - product, round);
}
template <class F> static inline Bits exactAdd(Bits a, Bits b, Rounding round) {
  if (isNaN<F>(a) || isNaN<F>(b))
    return firstNaN<F>(a, b);
  return exactFma<F>(a, F::one, b, round);
}
template <class F> static inline Bits exactMul(Bits a, Bits b, Rounding round) {
  if (isNaN<F>(a) || isNaN<F>(b))
    return firstNaN<F>(a, b);
  // The zero takes the product's sign, so that it never changes the sign of a result.
  return exactFma<F>(a, b, (a ^ b) & F::sign, round);
}
/// Negation that leaves a NaN alone: subtraction quiets its operand, it does not negate it.
template <class F> static inline Bits exactSub(Bits a, Bits b, Rounding round) {
  return exactAdd<F>(a, isNaN<F>(b) ? b : b ^ F::sign, round);
}

template <class To, class From> static inline Bits convert(Bits x, Rounding round) {
  Bits sign = isNegative<From>(x) ? To::sign : 0;
  if (isNaN<From>(x)) {
    Bits payload = x & From::fraction;
    payload = To::mantissa >= From::mantissa ? payload << ((To::mantissa - From::mantissa) & 63)
                                             : payload >> ((From::mantissa - To::mantissa) & 63);
    return sign | To::infinity | To::quiet | payload;
  }
  if (isInfinite<From>(x))
    return sign | To::infinity;
  if (isZero<From>(x))
    return sign;
  Unpacked u = unpack<From>(x);
  return roundTo<To>(u.negative, u.exponent, u.significand, round);
}
template <class F> static inline Bits fromInteger(int64_t value, Rounding round) {
  if (value == 0)
    return 0;
  return roundTo<F>(value < 0, 0, value < 0 ? 0 - uint64_t(value) : uint64_t(value), round);
}
/// Truncates, saturates to [low, high]; a NaN is 0.
template <class F> static inline int64_t toInteger(Bits x, int64_t low, int64_t high) {
  if (isNaN<F>(x) || isZero<F>(x))
    return 0;
  bool negative = isNegative<F>(x);
  if (isInfinite<F>(x))
    return negative ? low : high;
  Unpacked u = unpack<F>(x);
  if (u.exponent + int(F::mantissa) > 40)
    return negative ? low : high;
  int64_t value = u.exponent >= 0    ? int64_t(u.significand << u.exponent)
                  : u.exponent > -64 ? int64_t(u.significand >> -u.exponent)
                                     : 0;
  value = negative ? -value : value;
  return value < low ? low : value > high ? high : value;
}

/// x * 2^by, rounded once.
template <class F> static inline Bits scaled(Bits x, int by, Rounding round) {
  if (isNaN<F>(x))
    return quieted<F>(x);
  if (isInfinite<F>(x) || isZero<F>(x))
    return x;
  Unpacked u = unpack<F>(x);
  by = by > 5000 ? 5000 : by < -5000 ? -5000 : by;
  return roundTo<F>(u.negative, u.exponent + by, u.significand, round);
}

/// A total order in which -0 is below +0, as minimum and maximum have it. Not for NaNs.
template <class F> static inline bool isLess(Bits a, Bits b) {
  bool na = isNegative<F>(a), nb = isNegative<F>(b);
  if (na != nb)
    return na;
  return na ? (a & F::magnitude) > (b & F::magnitude) : (a & F::magnitude) < (b & F::magnitude);
}
template <class F> static inline Bits exactMinMax(Bits a, Bits b, bool maximum, bool ieee) {
  if (ieee && isSignalling<F>(a))
    return a | F::quiet;
  if (ieee && isSignalling<F>(b))
    return b | F::quiet;
  if (isNaN<F>(b))
    return a;
  if (isNaN<F>(a))
    return b;
  return (maximum ? isLess<F>(b, a) : isLess<F>(a, b)) ? a : b;
}

} // namespace tinysim

#endif // TINY_SIM_LANEMATH_H
