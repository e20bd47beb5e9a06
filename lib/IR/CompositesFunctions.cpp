//===- CompositesFunctions.cpp - exp, pow, erf, activations ---------------===//
//
// Transcendental functions over exp2, log2, sin and sqrt. Each is good to a few ULP over its whole
// domain, special values as C's, using only ops that round the same on every target: there is no
// fused multiply-add to lean on, so products that must be exact are kept short instead.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/Composites.h"
#include "Tiny/IR/Exponential.h"

using namespace mlir;
using namespace mlir::tiny;

static constexpr double kLn2 = 0.693147180559945309417;
static constexpr double kLog2E = 1.442695040888963407360;

// Polynomials, lowest coefficient first, printed by utils/fit_functions.py.
static const double kTanhF32[] = {-0.33333328944134255, 0.13332769736976327, -0.05385090957851358,
                                  0.020997178999074752, -0.006096714165908197};
static const double kTanhF64[] = {
    -0.3333333333333333,    0.13333333333333042,   -0.05396825396789699,   0.021869488519008305,
    -0.008863235103240878,  0.0035921217511549622, -0.0014557754120478055, 0.0005896606577757043,
    -0.0002375906496055562, 9.257116129556769e-05, -3.12011014257974e-05,  6.485163482793113e-06};
static const double kErfF32[] = {0.12837916584835093,   -0.37612626666720334, 0.11283594715160218,
                                 -0.026854212010626412, 0.005189087423433974, -0.000801686428716587,
                                 7.875875062685488e-05};
static const double kErfF64[] = {
    0.1283791670955126,      -0.3761263890318375,     0.11283791670954879,
    -0.026866170645076792,   0.0052239776248180145,   -0.000854832698083379,
    0.0001205533111164271,   -1.4925595266831182e-05, 1.6461000484121368e-06,
    -1.6350312701054695e-07, 1.4659775274047436e-08,  -1.1372848856791674e-09,
    5.957176147748911e-11};
static const double kErfcF32[] = {
    -2.668416692338485,    -3.8072256132559916,     -1.2163430296220352,
    -0.05998111443940372,  0.014539203666677289,    -0.0029637298025187104,
    0.0004620080344067389, -4.7552427964597464e-05, 2.361910227018601e-06};
static const double kErfcF64[] = {
    -2.6684166967816,        -3.8072253458535217,     -1.2163466576891784,
    -0.05995998999600775,    0.014475749800807566,    -0.0028535089703840702,
    0.000342381055260079,    3.791382782139364e-05,   -3.917830871060675e-05,
    1.3842668308572488e-05,  -2.9332295321525838e-06, 1.5910850997926945e-07,
    1.8156368437123455e-07,  -1.0119577426714521e-07, 3.400549450858314e-08,
    -8.612237886952066e-09,  1.7302693515738348e-09,  -2.7853779951805105e-10,
    3.563943306393274e-11,   -3.5486893317965274e-12, 2.6515267485869824e-13,
    -1.3981828572828105e-14, 4.636750284376329e-16,   -7.268550218656629e-18};

/// Horner's rule.
static Value polynomial(Composer &c, Value x, ArrayRef<double> coefficients) {
  Value sum = c.scalarLike(x, coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    sum = c.add(c.mul(sum, x), coefficient);
  return sum;
}

//===----------------------------------------------------------------------===//
// Exponentials and logarithms
//===----------------------------------------------------------------------===//

// exp2(x * log2 e) alone loses as many bits as the integer part of its argument has, because the
// product is rounded. So let s be that product on a grid of 2^-8 (f32) or 2^-20 (f64); then
//   exp(x) = exp2(s) * exp(r),  r = x - s * ln 2,
// and r is small enough for exp(r) = 1 + r + r²/2. s has at most 16 (33) bits, and the high part of
// ln 2 is cut to 8 (22), so that s * high and x - s * high are exact. Clamps keep the special
// values: below `least` exp is 0, and s stays below where exp2 overflows, so that what overflows is
// the final sum, correctly.
ExpConstants mlir::tiny::expConstants(bool isF64) {
  int gridBits = isF64 ? 20 : 8, lnBits = isF64 ? 22 : 8;
  double grid = std::ldexp(1.0, -gridBits);
  ExpConstants result;
  result.log2e = kLog2E;
  result.rounder = std::ldexp(1.5, (isF64 ? 52 : 23) - gridBits); // its ULP is the grid
  result.high = std::ldexp(std::nearbyint(std::ldexp(kLn2, lnBits)), -lnBits);
  result.low = (kLn2 - result.high) + 2.319046813846299558e-17; // what kLn2 itself lacks
  result.least = isF64 ? -746 : -104;
  result.most = (isF64 ? 1024 : 128) - grid;
  return result;
}

static Value expNative(Composer &c, Value x) {
  ExpConstants with = expConstants(c.elementOf(x).isF64());
  x = c.max(x, with.least);
  Value product = c.mul(x, with.log2e);
  Value s = c.sub(c.add(c.min(product, with.most), with.rounder), with.rounder);
  Value r = c.add(c.add(x, c.mul(s, -with.high)), c.mul(s, -with.low));
  Value power = c.exp2(s);
  return c.add(power, c.mul(power, c.mul(r, c.add(c.mul(r, 0.5), 1))));
}

Value Composer::exp(Value x) {
  if (!floats(x, "exp"))
    return {};
  return inF32(x, [&](Value x) { return expNative(*this, x); });
}

Value Composer::log(Value x) {
  if (!floats(x, "log"))
    return {};
  return inF32(x, [&](Value x) { return mul(log2(x), kLn2); });
}

// In the two below, u carries a rounding error that is large beside x; but it enters numerator and
// denominator alike, and their quotient hardly depends on u (Kahan).
Value Composer::expm1(Value x) {
  if (!floats(x, "expm1"))
    return {};
  return inF32(x, [&](Value x) {
    Value u = exp(x), difference = sub(u, 1);
    Value corrected = where(eq(u, 1), x, div(mul(difference, x), log(u)));
    return where(lt(abs(x), 0.5), corrected, difference);
  });
}

Value Composer::log1p(Value x) {
  if (!floats(x, "log1p"))
    return {};
  return inF32(x, [&](Value x) {
    Value u = add(x, 1), logarithm = log(u);
    Value corrected = where(eq(u, 1), x, mul(logarithm, div(x, sub(u, 1))));
    return where(lt(abs(x), 1), corrected, logarithm);
  });
}

//===----------------------------------------------------------------------===//
// Powers
//===----------------------------------------------------------------------===//

static Value isIntegral(Composer &c, Value x) { return c.eq(c.roundEven(x), x); }

/// pow of floats in the type they have. `constant` is the exponent if it is known.
static Value powNative(Composer &c, Value x, Value y, std::optional<double> constant) {
  Value magnitude = c.abs(x);
  Value result = c.exp2(c.mul(y, c.log2(magnitude)));
  // 1^±inf is 1, but infinity times log2(1) is not 0.
  result = c.where(c.logicalAnd(c.eq(magnitude, 1), c.eq(y, y)), 1, result);

  // A negative base: odd exponents keep the sign, which a zero has too; others than integers give
  // NaN unless the base is infinite.
  bool isInteger = constant && std::nearbyint(*constant) == *constant;
  bool isOdd = isInteger && std::fabs(std::fmod(*constant, 2.0)) == 1.0;
  if (!constant || isOdd) {
    Value negative = c.logicalOr(c.lt(x, 0), c.logicalAnd(c.eq(x, 0), c.lt(c.recip(x), 0)));
    if (!constant) {
      Value odd = c.logicalAnd(isIntegral(c, y), c.logicalNot(isIntegral(c, c.mul(y, 0.5))));
      negative = c.logicalAnd(negative, odd);
    }
    result = c.where(negative, c.neg(result), result);
  }
  if (!isInteger) {
    Value undefined = c.logicalAnd(c.lt(x, 0), c.logicalNot(c.isInf(x)));
    if (!constant)
      undefined = c.logicalAnd(undefined, c.ne(c.roundEven(y), y));
    result = c.where(undefined, Scalar(std::nan("")), result);
  }
  Value one = c.eq(x, 1); // and anything to the power of 0, even a NaN
  return c.where(constant ? one : c.logicalOr(one, c.eq(y, 0)), 1, result);
}

/// pow of integers by squaring, modulo 2^width.
static Value powInteger(Composer &c, Value x, Value y) {
  auto type = mlir::cast<IntegerType>(c.elementOf(x));
  Value result = c.scalarLike(x, 1), power = x, exponent = y, odd;
  for (unsigned bit = 0, bits = type.getWidth() - !type.isUnsigned(); bit < bits; ++bit) {
    Value half = c.div(exponent, 2);
    Value isSet = c.ne(exponent, c.mul(half, 2));
    odd = bit == 0 ? isSet : odd;
    result = c.where(isSet, c.mul(result, power), result);
    power = c.mul(power, power);
    exponent = half;
  }
  if (type.isUnsigned())
    return result;
  Value inverse =
      c.where(c.eq(x, -1), c.where(odd, -1, c.scalarLike(x, 1)), c.cast(c.eq(x, 1), type));
  return c.where(c.lt(y, 0), inverse, result);
}

/// The short ways that some exponents have, with the same special values; null for others.
static Value powConstant(Composer &c, Value x, std::optional<double> exponent) {
  if (exponent == 0.0)
    return c.scalarLike(x, 1);
  if (exponent == 1.0)
    return x;
  if (exponent == 2.0)
    return c.square(x);
  if (exponent == 3.0) { // two roundings: in f32 for the halves; integers do not care
    Value wide = c.cast(x, c.accumulatorOf(c.elementOf(x)));
    return c.cast(c.mul(c.square(wide), wide), c.elementOf(x));
  }
  if (!isa<FloatType>(c.elementOf(x)))
    return {};
  if (exponent == -1.0)
    return c.recip(x);
  if (exponent == 0.5) // the root of -0 is -0, but its power is +0, and that of -inf is inf
    return c.where(c.isInf(x), std::numeric_limits<double>::infinity(), c.sqrt(c.add(x, 0)));
  return {};
}

Value Composer::pow(const Operand &x, const Operand &y) {
  Value base, exponent;
  if (!unify(x, y, "pow", base, exponent))
    return {};
  if (elementOf(base).isInteger(1))
    return fail("pow takes numbers, not i1");

  std::optional<double> constant;
  if (auto value = dyn_cast_if_present<FloatAttr>(splatOf(exponent)))
    constant = value.getValueAsDouble();
  else if (auto value = dyn_cast_if_present<IntegerAttr>(splatOf(exponent)))
    constant = APSInt(value.getValue(), elementOf(base).isUnsignedInteger()).roundToDouble();
  if (Value direct = powConstant(*this, base, constant)) {
    if (y.scalar && exponent.use_empty()) // a constant of ours
      exponent.getDefiningOp()->erase();
    return direct;
  }
  if (!isFloat(base))
    return powInteger(*this, base, exponent);

  // One type wider, so that the error of the product, which exp2 magnifies, is rounded away.
  Type type = elementOf(base),
       wide = type.isF32() || type.isF64() ? b.getF64Type() : b.getF32Type();
  return cast(powNative(*this, cast(base, wide), cast(exponent, wide), constant), type);
}

//===----------------------------------------------------------------------===//
// Trigonometry, sigmoids, erf
//===----------------------------------------------------------------------===//

// Not sin(x + pi/2): for large x that sum is rounded by more than the period.
Value Composer::cos(Value x) {
  if (!floats(x, "cos"))
    return {};
  return inF32(x, [&](Value x) { return sub(1, mul(square(sin(mul(x, 0.5))), 2)); });
}

Value Composer::tan(Value x) {
  if (!floats(x, "tan"))
    return {};
  return inF32(x, [&](Value x) { return div(sin(x), cos(x)); });
}

Value Composer::tanh(Value x) {
  if (!floats(x, "tanh"))
    return {};
  return inF32(x, [&](Value x) {
    Value magnitude = abs(x), z = square(x);
    ArrayRef<double> table = elementOf(x).isF64() ? ArrayRef<double>(kTanhF64) : kTanhF32;
    Value near = mul(x, add(mul(z, polynomial(*this, z, table)), 1)); // a product keeps -0
    // exp may overflow to infinity: 2 / inf is the 0 that is wanted.
    Value far = sub(1, div(2, add(exp(mul(magnitude, 2)), 1)));
    return where(lt(magnitude, 0.625), near, where(lt(x, 0), neg(far), far));
  });
}

Value Composer::sigmoid(Value x) {
  if (!floats(x, "sigmoid"))
    return {};
  return inF32(x, [&](Value x) { return recip(add(exp(neg(x)), 1)); });
}

Value Composer::erf(Value x) {
  if (!floats(x, "erf"))
    return {};
  return inF32(x, [&](Value x) {
    bool isF64 = elementOf(x).isF64();
    Value near = polynomial(*this, square(x), isF64 ? ArrayRef<double>(kErfF64) : kErfF32);
    near = add(x, mul(x, near));
    // From here on 1 - erfc is 1.
    Value magnitude = min(abs(x), isF64 ? 6 : 4);
    Value far = sub(1, exp2(polynomial(*this, sub(magnitude, 1),
                                       isF64 ? ArrayRef<double>(kErfcF64) : kErfcF32)));
    return where(lt(magnitude, 1), near, where(lt(x, 0), neg(far), far));
  });
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

Value Composer::relu(Value x) { return max(x, 0); }

Value Composer::leakyRelu(Value x, const Operand &slope) {
  return where(lt(x, 0), mul(x, slope), x);
}

Value Composer::gelu(Value x, GeluForm form) {
  if (!floats(x, "gelu"))
    return {};
  return inF32(x, [&](Value x) {
    if (form == GeluForm::erf)
      return mul(mul(x, 0.5), add(erf(mul(x, 0.70710678118654752440)), 1));
    // (1 + tanh(u)) / 2 is sigmoid(2u), without the cancellation.
    Value u = mul(add(x, mul(mul(square(x), x), 0.044715)), 0.79788456080286535588);
    return mul(x, sigmoid(mul(u, 2)));
  });
}

Value Composer::silu(Value x) {
  if (!floats(x, "silu"))
    return {};
  return inF32(x, [&](Value x) { return mul(x, sigmoid(x)); });
}

Value Composer::softplus(Value x) {
  if (!floats(x, "softplus"))
    return {};
  return inF32(x, [&](Value x) { return add(max(x, 0), log1p(exp(neg(abs(x))))); });
}

Value Composer::softsign(Value x) {
  if (!floats(x, "softsign"))
    return {};
  return inF32(x, [&](Value x) { return div(x, add(abs(x), 1)); });
}

Value Composer::mish(Value x) {
  if (!floats(x, "mish"))
    return {};
  return inF32(x, [&](Value x) { return mul(x, tanh(softplus(x))); });
}

Value Composer::elu(Value x, double alpha) {
  if (!floats(x, "elu"))
    return {};
  return inF32(x, [&](Value x) { return where(lt(x, 0), mul(expm1(x), alpha), x); });
}

Value Composer::celu(Value x, double alpha) {
  if (!floats(x, "celu"))
    return {};
  return inF32(x, [&](Value x) { return where(lt(x, 0), mul(expm1(div(x, alpha)), alpha), x); });
}

Value Composer::selu(Value x, double alpha, double gamma) {
  if (!floats(x, "selu"))
    return {};
  return inF32(x, [&](Value x) { return mul(elu(x, alpha), gamma); });
}

Value Composer::hardSigmoid(Value x, double alpha, double beta) {
  if (!floats(x, "hardSigmoid"))
    return {};
  return inF32(x, [&](Value x) { return clip(add(mul(x, alpha), beta), 0, 1); });
}

Value Composer::hardSwish(Value x) {
  if (!floats(x, "hardSwish"))
    return {};
  return inF32(x, [&](Value x) { return mul(x, hardSigmoid(x, 1.0 / 6.0, 0.5)); });
}
