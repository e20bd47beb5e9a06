//===- ExpandMathSingle.cpp - exp2, exp and sin of f32 in f32 -------------===//
//
// exp2 needs no more than f32 has: its reduction is exact, and the polynomial's last
// term is 1. A vector has twice as many f32 as f64, and the conversions go too. The
// error is below 0.92 ULP for every argument, and 1.14 without fma; that of exp is below
// 0.98 and 1.22.
//
// sin is for targets where f64 is slow: RDNA3 has 1/32 of the rate there. What a
// rounding loses is carried along in a second f32; the products that must be exact are
// fused with the subtraction behind them. The error is below 0.94 ULP for every
// argument.
//
// All 2^32 arguments were compared with f64.
//
//===----------------------------------------------------------------------===//

#include "ExpandMath.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cmath>
#include <iterator>

using namespace mlir;
using namespace mlir::tiny;
using FPredicate = arith::CmpFPredicate;

/// Adding it to an f32 below 2^22 rounds that to an integer, which then stands in the low bits.
static constexpr float kRoundSingle = 0x1.8p23f;

//===----------------------------------------------------------------------===//
// exp2 and exp
//===----------------------------------------------------------------------===//

/// (exp(r) - 1) / r for |r| <= ln(2)/2, printed by utils/fit_functions.py: 2^-27.6 off where it
/// counts. The series of Taylor would need one term more.
static constexpr double kExpM1[] = {1.0000000107765001,  0.5000000013463886,
                                    0.1666650521114506,  0.041666464944505696,
                                    0.00836915395971191, 0.0013933647862928863};

/// Adding it rounds to an integer n; the low nine bits of the sum are then n + 254, which two
/// biased exponents add up to.
static constexpr float kRoundExponent = kRoundSingle + 254;

/// exp(r / unit), where |r| is at most ln(2)/2 units.
static Value smallExp(Elementwise &e, Value r, double unit) {
  Value power = e.real32(
      static_cast<float>(kExpM1[std::size(kExpM1) - 1] * std::pow(unit, std::size(kExpM1))));
  for (size_t k = std::size(kExpM1) - 1; k > 0; --k)
    power = e.mulAdd(power, r, e.real32(static_cast<float>(kExpM1[k - 1] * std::pow(unit, k))));
  return e.mulAdd(power, r, e.real32(1));
}

/// 2^n * power, where `sum` is n + kRoundExponent. 2^n is two factors: one f32 would not reach the
/// denormals, nor 2^128, which may still be multiplied by less than 1.
static Value scaled(Elementwise &e, Value power, Value sum) {
  // What is above the nine bits is shifted out.
  Value both = e.bits(sum), half = e.shrU(both, 1);
  for (Value exponent : {half, e.sub(both, half)})
    power = e.mulf(power, e.bitcast(e.shl(exponent, 23), e.f32()));
  return power;
}

/// `x` within bounds beyond which the result is 0 or infinity. A NaN is kept.
static Value clamp(Elementwise &e, Value x, float least, float most) {
  x = e.select(e.compare(FPredicate::OGT, x, e.real32(most)), e.real32(most), x);
  return e.select(e.compare(FPredicate::OLT, x, e.real32(least)), e.real32(least), x);
}

namespace {
/// Instructions of AVX-512 for f32, on vectors of 4, 8 or 16. What they do with infinities and NaN
/// is in the tables of special cases of Intel's manual, at VREDUCEPS and VSCALEFPS.
class Avx512 {
public:
  Avx512(Elementwise &e, Value x) : e(e), lanes(cast<VectorType>(x.getType()).getNumElements()) {}

  static bool has(Value x, NativeMath native) {
    auto type = dyn_cast<VectorType>(x.getType());
    return native.scaling && type && llvm::is_contained({4, 8, 16}, type.getNumElements());
  }

  /// power * 2^n for an integer n, rounded once; 0 or infinity for an infinite n.
  Value scale(Value power, Value n) {
    SmallVector<Value> operands = {power, n, e.real32(0), mask()};
    if (lanes == 16)
      operands.push_back(e.scalar(32, currentRounding));
    return e.call(name("scalef"), e.f32(), operands);
  }
  /// x less the nearest integer; 0 for an infinite x.
  Value fraction(Value x) {
    SmallVector<Value> operands = {x, e.scalar(32, toNearest), e.real32(0), mask()};
    if (lanes == 16)
      operands.push_back(e.scalar(32, currentRounding));
    return e.call(name("reduce"), e.f32(), operands);
  }

private:
  static constexpr int64_t toNearest = 8, currentRounding = 4;
  Value mask() { return e.scalar(lanes == 16 ? 16 : 8, -1); }
  std::string name(const char *instruction) const {
    return "llvm.x86.avx512.mask." + std::string(instruction) + ".ps." + std::to_string(32 * lanes);
  }
  Elementwise &e;
  int64_t lanes;
};
} // namespace

/// 2^x = 2^n * 2^r with n the nearest integer.
Value mlir::tiny::expandExp2Single(Elementwise &e, Value x, NativeMath native) {
  if (Avx512::has(x, native)) {
    Avx512 avx(e, x);
    Value power = smallExp(e, avx.fraction(x), kLn2);
    return avx.scale(power, e.roundEven(x));
  }
  x = clamp(e, x, -151, 128);
  Value sum = e.addf(x, e.real32(kRoundExponent));
  Value r = e.subf(x, e.subf(sum, e.real32(kRoundExponent)));
  return scaled(e, smallExp(e, r, kLn2), sum);
}

/// exp(x) = 2^n * exp(r), r = x - n * ln 2. The first part of ln 2 has 15 bits, so that its product
/// with n is exact, and so is the difference.
Value mlir::tiny::expandExpSingle(Elementwise &e, Value x, NativeMath native) {
  constexpr float high = 0x1.62e4p-1f, low = static_cast<float>(kLn2 - high);
  constexpr float log2e = static_cast<float>(1 / kLn2);
  x = clamp(e, x, -104, 89);
  bool scales = Avx512::has(x, native);
  Value sum, n;
  if (scales) {
    n = e.roundEven(e.mulf(x, e.real32(log2e)));
  } else {
    sum = e.mulAdd(x, e.real32(log2e), e.real32(kRoundExponent));
    n = e.subf(sum, e.real32(kRoundExponent));
  }
  Value r = e.mulAdd(n, e.real32(-low), e.mulAdd(n, e.real32(-high), x));
  Value power = smallExp(e, r, 1);
  return scales ? Avx512(e, x).scale(power, n) : scaled(e, power, sum);
}

//===----------------------------------------------------------------------===//
// sin
//===----------------------------------------------------------------------===//

/// pi/2 as a sum of three f32.
static constexpr float kHalfPi[] = {0x1.921fb6p+0f, -0x1.777a5cp-25f, -0x1.ee59dap-50f};
static constexpr float kTwoOverPi = 0x1.45f306p-1f;

/// Below this, the quotient by pi/2 times the first part of pi/2 can be subtracted exactly: both
/// are multiples of 2^-24, and so is the difference, which is below 1.
static constexpr float kLargeArgument = 0x1p17f;

/// The bits of 2/pi behind 32 zeros.
static constexpr uint32_t kTwoOverPiWords[] = {0x00000000, 0xa2f9836e, 0x4e441529, 0xfc2757d1,
                                               0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};

namespace {
/// quotient * pi/2 + high + low, where low is at most half a place of high.
struct Reduced {
  Value quotient; ///< i32, modulo 4
  Value high, low;
};

/// Arithmetic on f32 whose roundings matter.
struct Single {
  OpBuilder &b;
  Location loc;
  Elementwise &e;

  Value fma(Value x, Value y, Value z) { return math::FmaOp::create(b, loc, x, y, z); }
  Value fma(Value x, float y, Value z) { return fma(x, e.real32(y), z); }
  Value neg(Value x) { return arith::NegFOp::create(b, loc, x); }
  Value mul(Value x, float y) { return e.mulf(x, e.real32(y)); }
  Value polynomial(Value x, ArrayRef<float> coefficients) {
    Value result = e.real32(coefficients.back());
    for (float coefficient : llvm::reverse(coefficients.drop_back()))
      result = fma(result, x, e.real32(coefficient));
    return result;
  }
};
} // namespace

/// Cody and Waite's reduction.
static Reduced reduceSmall(Single s, Value magnitude) {
  Elementwise &e = s.e;
  Value sum = s.fma(magnitude, kTwoOverPi, e.real32(kRoundSingle));
  Value k = e.subf(sum, e.real32(kRoundSingle));
  Value first = s.fma(s.neg(k), kHalfPi[0], magnitude); // exact
  // first - k * kHalfPi[1], and what that loses.
  Value product = s.mul(k, kHalfPi[1]);
  Value productError = s.fma(k, kHalfPi[1], s.neg(product));
  Value rest = e.subf(first, product);
  Value part = e.subf(rest, first);
  Value error = e.subf(e.subf(first, e.subf(rest, part)), e.addf(product, part));
  Value low = s.fma(s.neg(k), kHalfPi[2], e.subf(error, productError));
  Value high = e.addf(rest, low);
  return {e.bits(sum), high, e.addf(e.subf(rest, high), low)};
}

/// Word `number` of 2/pi from the one on that `row` counts.
static Value wordOf(Elementwise &e, Value row, unsigned number) {
  Value word = e.constant(32, kTwoOverPiWords[number]);
  for (unsigned i = 1; i < 5; ++i)
    word = e.select(e.compare(arith::CmpIPredicate::uge, row, i),
                    e.constant(32, kTwoOverPiWords[number + i]), word);
  return word;
}

/// Payne and Hanek's reduction: x = m * 2^E, and of 2^E * 2/pi only 96 bits matter, those from
/// weight 2 on, since multiples of 4 do not, and their product with m below 2^-70 does not either.
static Reduced reduceLarge(Single s, Value bits) {
  Elementwise &e = s.e;
  Value m = e.zext(e.ori(e.andi(bits, 0x7fffff), 0x800000), 64);
  // Bit 0 has weight 2^31, and E is the biased exponent less 150. That of infinity is cut: any
  // number will do.
  Value first = e.sub(e.shrU(bits, 23), 150 - 30);
  Value row = e.shrU(first, 5), shift = e.andi(first, 31);
  SmallVector<Value> window;
  Value word = wordOf(e, row, 0);
  for (unsigned i = 1; i < 4; ++i) {
    Value next = wordOf(e, row, i);
    Value pair = e.ori(e.shl(e.zext(word, 64), 32), e.zext(next, 64));
    window.push_back(e.zext(e.trunc(e.shrU(e.shl(pair, e.zext(shift, 64)), 32), 32), 64));
    word = next;
  }
  // In units of pi/2, with the point behind two bits.
  Value product = e.add(e.shl(e.mul(m, window[0]), 32),
                        e.add(e.mul(m, window[1]), e.shrU(e.mul(m, window[2]), 32)));
  Value quotient = e.trunc(e.shrU(e.add(product, 1ull << 61), 62), 32);
  Value fraction = e.shl(product, 2); // of 64 bits, signed
  Value sign = e.shrS(fraction, 63);
  // It is 0 only for arguments that are not finite.
  Value magnitude = e.ori(e.sub(e.xori(fraction, sign), sign), 1);
  Value zeros = math::CountLeadingZerosOp::create(s.b, s.loc, magnitude);
  Value normal = e.shl(magnitude, zeros);
  Value scale = e.bitcast(e.shl(e.sub(e.constant(32, 127), e.trunc(zeros, 32)), 23), e.f32());
  Value upper = e.uitofp(e.trunc(e.shrU(normal, 40), 32), e.f32()); // exact
  Value lower = e.uitofp(e.trunc(e.shrU(normal, 8), 32), e.f32());
  upper = e.mulf(s.mul(upper, 0x1p-24f), scale);
  lower = e.mulf(s.mul(lower, 0x1p-56f), scale);

  Value high = s.mul(upper, kHalfPi[0]);
  Value low = s.fma(upper, kHalfPi[0], s.neg(high));
  low = s.fma(lower, kHalfPi[0], s.fma(upper, kHalfPi[1], low));
  Value signBit = e.andi(e.trunc(sign, 32), 0x80000000);
  auto withSign = [&](Value x) { return e.bitcast(e.xori(e.bits(x), signBit), e.f32()); };
  return {quotient, withSign(high), withSign(low)};
}

/// The sine of quotient * pi/2 + high + low. Taylor series up to |high| = 0.8.
static Value sineOf(Single s, Reduced x) {
  Elementwise &e = s.e;
  Value square = e.mulf(x.high, x.high);
  Value sine = s.polynomial(square, {-1 / 6.0f, 1 / 120.0f, -1 / 5040.0f, 1 / 362880.0f});
  sine = e.addf(x.high, s.fma(e.mulf(x.high, square), sine, x.low));

  Value cosine = s.polynomial(square, {1 / 24.0f, -1 / 720.0f, 1 / 40320.0f, -1 / 3628800.0f});
  Value half = s.mul(square, 0.5f), one = e.real32(1);
  Value head = e.subf(one, half);
  Value tail = e.subf(e.subf(one, head), half); // what head lost
  tail = e.subf(s.fma(e.mulf(square, square), cosine, tail), e.mulf(x.high, x.low));
  cosine = e.addf(head, tail);

  Value isOdd = e.compare(arith::CmpIPredicate::ne, e.andi(x.quotient, 1), 0);
  Value sign = e.shl(e.andi(x.quotient, 2), 30);
  return e.bitcast(e.xori(e.bits(e.select(isOdd, cosine, sine)), sign), e.f32());
}

/// sin(-x) = -sin(x), so -0 comes out right. Large arguments are rare: their reduction runs only
/// when there is one in the vector.
Value mlir::tiny::expandSinSingle(OpBuilder &b, Elementwise &e, Location loc, Value x) {
  Value magnitude = e.absf(x);
  Value isLarge = e.compare(FPredicate::OGE, magnitude, e.real32(kLargeArgument));
  Reduced small = reduceSmall({b, loc, e}, magnitude);
  auto choice = scf::IfOp::create(
      b, loc, anyOf(b, loc, isLarge),
      [&](OpBuilder &b, Location loc) {
        Elementwise inner(b, loc, x.getType(), /*nativeFMA=*/true);
        Reduced large = reduceLarge({b, loc, inner}, inner.bits(magnitude));
        scf::YieldOp::create(b, loc,
                             ValueRange{inner.select(isLarge, large.quotient, small.quotient),
                                        inner.select(isLarge, large.high, small.high),
                                        inner.select(isLarge, large.low, small.low)});
      },
      [&](OpBuilder &b, Location loc) {
        scf::YieldOp::create(b, loc, ValueRange{small.quotient, small.high, small.low});
      });
  Value sine = sineOf({b, loc, e}, {choice.getResult(0), choice.getResult(1), choice.getResult(2)});
  sine = e.bitcast(e.xori(e.bits(sine), e.andi(e.bits(x), 0x80000000)), e.f32());
  Value isFinite = e.compare(FPredicate::OLT, magnitude, e.real32(INFINITY));
  return e.select(isFinite, sine, e.real32(NAN));
}
