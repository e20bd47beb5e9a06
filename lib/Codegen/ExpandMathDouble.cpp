//===- ExpandMathDouble.cpp - exp2, log2 and sin of f64 -------------------===//
//
// The same reductions as in f32, with no wider type to round from: so what the
// reduction loses is carried along in a second number, up to the last addition.
// The error is below 1.5 ULP, in sin below 3. Denormals and overflow do need care here: a power of
// two is applied in two halves, so that only the last multiplication can round.
//
// There is nothing of a target in it, and no call of a library: the same code
// is emitted for vectors on a CPU, for one lane of a GPU, and ahead of time.
//
//===----------------------------------------------------------------------===//

#include "ExpandMath.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <array>
#include <cmath>
#include <utility>

using namespace mlir;
using namespace mlir::tiny;
using FPredicate = arith::CmpFPredicate;
using IPredicate = arith::CmpIPredicate;

//===----------------------------------------------------------------------===//
// exp2
//===----------------------------------------------------------------------===//

/// 2^x = 2^n * 2^r with n the nearest integer, |r| <= 1/2. The power is up to 2^1100 either way,
/// and half of n fits the exponent.
Value mlir::tiny::expandExp2Double(Elementwise &e, Value x) {
  // These keep a NaN.
  x = e.select(e.compare(FPredicate::OGT, x, e.real64(1100)), e.real64(1100), x);
  x = e.select(e.compare(FPredicate::OLT, x, e.real64(-1100)), e.real64(-1100), x);
  Value round = e.real64(kRound);
  Value n = e.subf(e.addf(x, round), round);
  Value r = e.subf(x, n);
  std::array<double, 14> coefficients = {1}; // ln(2)^k / k!: the next term is below 2^-57
  for (unsigned k = 1; k < coefficients.size(); ++k)
    coefficients[k] = coefficients[k - 1] * kLn2 / k;
  Value half = e.addf(e.mulf(n, e.real64(0.5)), round);
  Value rest = e.addf(e.subf(n, e.subf(half, round)), round);
  // The first product is exact, since it is near to the root of the result.
  Value scaled = e.mulf(e.polynomial64(r, coefficients), powerOfTwo(e, half));
  return e.mulf(scaled, powerOfTwo(e, rest));
}

//===----------------------------------------------------------------------===//
// log2
//===----------------------------------------------------------------------===//

/// 1/ln(2) as a number of 21 bits and the rest.
static constexpr double kInvLn2High = 0x1.71547p+0;
static constexpr double kInvLn2Low = 0x1.94ae0bf85ddf4p-22;

/// x = 2^k * (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)). With s = f / (2 + f),
///   ln(1 + f) = 2 atanh(s) = f - f^2/2 + s * (f^2/2 + R),  R = 2/3 s^2 + 2/5 s^4 + …
/// where the first terms, which are the large ones, are exact or nearly so. The sum is kept as
/// `high`, of 21 bits, and `low`, so that the product with 1/ln(2) loses nothing either.
Value mlir::tiny::expandLog2Double(Elementwise &e, Value x) {
  constexpr uint64_t sqrtHalfBits = 0x3fe6a09e667f3bcd;
  Value isDenormal = e.compare(FPredicate::OLT, x, e.real64(0x1p-1022));
  Value normal = e.select(isDenormal, e.mulf(x, e.real64(0x1p54)), x);
  Value bits = e.bits(normal);
  Value exponent = e.shrS(e.sub(bits, sqrtHalfBits), 52);
  Value m = e.bitcast(e.sub(bits, e.shl(exponent, 52)), e.f64());
  // To f64 without the i64 conversion, which only AVX-512 has for vectors.
  Value k = e.subf(e.bitcast(e.add(exponent, e.bits(e.real64(kRound))), e.f64()), e.real64(kRound));
  k = e.subf(k, e.select(isDenormal, e.real64(54), e.real64(0)));

  Value f = e.subf(m, e.real64(1));
  Value s = e.divf(f, e.addf(f, e.real64(2))); // |s| < 0.172
  Value z = e.mulf(s, s);
  std::array<double, 10> coefficients; // R / z: the next term is below 2^-60 * f
  for (unsigned i = 0; i < coefficients.size(); ++i)
    coefficients[i] = 2.0 / (2 * i + 3);
  Value halfSquare = e.mulf(e.mulf(f, f), e.real64(0.5));
  Value high = e.bitcast(e.andi(e.bits(e.subf(f, halfSquare)), 0xffffffff00000000), e.f64());
  Value low = e.subf(e.subf(f, high), halfSquare);
  Value tail = e.mulf(z, e.polynomial64(z, coefficients));
  low = e.addf(low, e.mulf(s, e.addf(halfSquare, tail)));

  Value product = e.mulf(high, e.real64(kInvLn2High)); // exact
  Value error =
      e.addf(e.mulf(e.addf(low, high), e.real64(kInvLn2Low)), e.mulf(low, e.real64(kInvLn2High)));
  // k is 0 or larger than the product: this sum is exact in two parts.
  Value sum = e.addf(k, product);
  error = e.addf(error, e.addf(e.subf(k, sum), product));
  Value result = e.addf(sum, error);

  Value zero = e.real64(0), infinity = e.real64(INFINITY);
  result = e.select(e.compare(FPredicate::OLT, x, infinity), result, x); // infinity and NaN
  result = e.select(e.compare(FPredicate::OLT, x, zero), e.real64(NAN), result);
  return e.select(e.compare(FPredicate::OEQ, x, zero), e.real64(-INFINITY), result);
}

//===----------------------------------------------------------------------===//
// sin
//===----------------------------------------------------------------------===//

/// pi/2 in pieces of 33 bits, so that each product with an integer below 2^20 is exact, and the
/// rest.
static constexpr double kHalfPi[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69,
                                     0x1.b839a252049c1p-104};
/// pi/2 in two pieces of 53 bits.
static constexpr double kHalfPiHigh = 0x1.921fb54442d18p+0;
static constexpr double kHalfPiLow = 0x1.1a62633145c07p-54;
static constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;

/// Below this the quotient by pi/2 fits the products above.
static constexpr double kLargeArgument = 0x1p20;

/// The bits of 2/pi behind 64 zeros. The last row of four words is that of infinity.
static constexpr uint64_t kTwoOverPiBits[] = {
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
    0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
    0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
    0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab};

namespace {
/// What is left of an argument.
struct Reduced {
  Value quotient; ///< by pi/2, an i64 of which the low two bits count
  Value rest;     ///< in about [-pi/4, pi/4], within 2 ULP
};
} // namespace

/// x + y as a sum and its rounding error.
static std::pair<Value, Value> exactSum(Elementwise &e, Value x, Value y) {
  Value sum = e.addf(x, y);
  Value of = e.subf(sum, x);
  return {sum, e.addf(e.subf(x, e.subf(sum, of)), e.subf(y, of))};
}

/// Three pieces are subtracted without an error that is lost, so that what is left of an argument
/// near to a multiple of pi/2 is right to the last place.
static Reduced reduceSmall(Elementwise &e, Value magnitude) {
  Value sum = e.addf(e.mulf(magnitude, e.real64(kTwoOverPi)), e.real64(kRound));
  Value minus = e.subf(e.real64(kRound), sum);
  Value rest = e.addf(magnitude, e.mulf(minus, e.real64(kHalfPi[0]))); // exact
  auto [second, secondError] = exactSum(e, rest, e.mulf(minus, e.real64(kHalfPi[1])));
  auto [third, thirdError] = exactSum(e, second, e.mulf(minus, e.real64(kHalfPi[2])));
  Value error = e.addf(e.addf(secondError, thirdError), e.mulf(minus, e.real64(kHalfPi[3])));
  return {e.bits(sum), e.addf(third, error)};
}

/// Payne and Hanek's reduction in integers: of 2^E * 2/pi modulo 4, 192 bits are enough, and x is
/// an integer of 53 bits times 2^E. `bits` are those of |x|, at least 2^20.
static Reduced reduceLarge(OpBuilder &b, Elementwise &e, Location loc, Value bits, Value table) {
  Value mantissa = e.ori(e.andi(bits, 0xfffffffffffff), 0x10000000000000);
  // The bit of weight 2^1 in the product, counted in the table. Lanes that do not come here for
  // themselves take any.
  Value first = e.sub(e.shrU(bits, 52), 1013);
  uint64_t end = (std::size(kTwoOverPiBits) - 3) * 64;
  Value inTable = e.compare(IPredicate::ult, first, end);
  first = e.select(inTable, first, e.constant(64, 0));
  Value row = e.shrU(first, 6), shift = e.andi(first, 63);
  Value back = e.sub(e.constant(64, 63), shift);
  std::array<Value, 4> words;
  for (unsigned i = 0; i < words.size(); ++i)
    words[i] = lookUp(b, e, loc, table, row, i);
  std::array<Value, 3> window;
  for (unsigned i = 0; i < window.size(); ++i) // by 1 and `back`: a shift by 64 is none
    window[i] = e.ori(e.shl(words[i], shift), e.shrU(e.shrU(words[i + 1], 1), back));

  // mantissa * window modulo 2^192, without the lowest word of it.
  auto [low1, high1] = e.mulExtended(mantissa, window[1]);
  auto [low2, high2] = e.mulExtended(mantissa, window[2]);
  (void)low2;
  Value lower = e.add(low1, high2);
  Value carry = e.zext(e.compare(IPredicate::ult, lower, low1), 64);
  Value upper = e.add(e.add(e.mul(mantissa, window[0]), high1), carry);

  // Two bits are the quotient, rounded by the next one; the others a signed fraction.
  Value quotient = e.add(e.shrU(upper, 62), e.andi(e.shrU(upper, 61), 1));
  Value fraction = e.ori(e.shl(upper, 2), e.shrU(lower, 62));
  Value below = e.shl(lower, 2);
  // In words of 32 bits, which an f64 holds exactly.
  auto piece = [&](Value word, double scale) {
    return e.mulf(e.sitofp(word, e.f64()), e.real64(scale));
  };
  Value first32 = piece(e.shrS(fraction, 32), 0x1p-32);
  Value second32 = piece(e.andi(fraction, 0xffffffff), 0x1p-64);
  Value high = e.addf(first32, second32);
  Value low = e.addf(e.subf(first32, high), second32); // the first is 0 or larger: this is exact
  low = e.addf(
      low, e.addf(piece(e.shrU(below, 32), 0x1p-96), piece(e.andi(below, 0xffffffff), 0x1p-128)));
  Value rest = e.addf(e.mulf(low, e.real64(kHalfPiHigh)), e.mulf(high, e.real64(kHalfPiLow)));
  return {quotient, e.addf(e.mulf(high, e.real64(kHalfPiHigh)), rest)};
}

/// The sine of quotient * pi/2 + rest.
static Value sineOf(Elementwise &e, Reduced x) {
  std::array<double, 9> sine; // terms in rest^2 behind the first; the next are below 2^-63
  std::array<double, 9> cosine;
  sine[0] = -1.0 / 6, cosine[0] = -1.0 / 2;
  for (unsigned k = 1; k < sine.size(); ++k) {
    sine[k] = -sine[k - 1] / ((2 * k + 2) * (2 * k + 3));
    cosine[k] = -cosine[k - 1] / ((2 * k + 1) * (2 * k + 2));
  }
  Value square = e.mulf(x.rest, x.rest);
  // The first term is added last: only then is its rounding that of the result.
  Value sin = e.mulAdd(e.mulf(x.rest, square), e.polynomial64(square, sine), x.rest);
  Value cos = e.mulAdd(square, e.polynomial64(square, cosine), e.real64(1));
  Value isOdd = e.compare(IPredicate::ne, e.andi(x.quotient, 1), 0);
  Value sign = e.shl(e.andi(x.quotient, 2), 62);
  return e.bitcast(e.xori(e.bits(e.select(isOdd, cos, sin)), sign), e.f64());
}

/// sin(-x) = -sin(x), so -0 comes out right. As in f32, large arguments are reduced only if there
/// is one in the vector.
Value mlir::tiny::expandSinDouble(OpBuilder &b, Elementwise &e, Location loc, Value x,
                                  ModuleOp module) {
  Value magnitude = e.absf(x);
  Value isLarge = e.compare(FPredicate::OGE, magnitude, e.real64(kLargeArgument));
  Reduced small = reduceSmall(e, magnitude);
  auto choice = scf::IfOp::create(
      b, loc, anyOf(b, loc, isLarge),
      [&](OpBuilder &b, Location loc) {
        auto size = static_cast<int64_t>(std::size(kTwoOverPiBits));
        auto words = DenseElementsAttr::get(RankedTensorType::get({size}, b.getI64Type()),
                                            ArrayRef<uint64_t>(kTwoOverPiBits));
        Value table = constantTable(b, loc, module, "tiny_two_over_pi_bits", words);
        Elementwise inner(b, loc, x.getType());
        Reduced large = reduceLarge(b, inner, loc, inner.bits(magnitude), table);
        scf::YieldOp::create(b, loc,
                             ValueRange{inner.select(isLarge, large.quotient, small.quotient),
                                        inner.select(isLarge, large.rest, small.rest)});
      },
      [&](OpBuilder &b, Location loc) {
        scf::YieldOp::create(b, loc, ValueRange{small.quotient, small.rest});
      });
  Value sine = sineOf(e, {choice.getResult(0), choice.getResult(1)});
  Value sign = e.andi(e.bits(x), 0x8000000000000000);
  sine = e.bitcast(e.xori(e.bits(sine), sign), e.f64());
  Value isFinite = e.compare(FPredicate::OLT, magnitude, e.real64(INFINITY));
  return e.select(isFinite, sine, e.real64(NAN));
}
