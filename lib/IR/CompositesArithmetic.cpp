//===- CompositesArithmetic.cpp - arithmetic, comparison, rounding --------===//
//
// What is exact: every function here gives the same bits on every target, and the bits that IEEE
// 754 or C give, down to the sign of zero. There is no op that looks at a sign bit, so zeros are
// sorted out with comparisons.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/Composites.h"

using namespace mlir;
using namespace mlir::tiny;

static bool isBool(Type type) { return type.isInteger(1); }
static bool isUnsigned(Type type) { return type.isUnsignedInteger() || isBool(type); }

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value Composer::neg(Value x) {
  if (!x || isBool(elementOf(x))) // modulo 2, -x is x
    return x;
  if (auto value = dyn_cast_if_present<FloatAttr>(splatOf(x)))
    return scalarLike(x, llvm::neg(value.getValue()));
  if (auto value = dyn_cast_if_present<IntegerAttr>(splatOf(x)))
    return scalarLike(x, APSInt(-value.getValue(), isUnsigned(elementOf(x))));
  return mul(x, -1);
}

// x + -1 * y rounds once: the product is exact.
Value Composer::sub(const Operand &x, const Operand &y) {
  Value lhs, rhs;
  if (!unify(x, y, "sub", lhs, rhs))
    return {};
  Value negated = neg(rhs);
  if (y.scalar && rhs.use_empty()) // a constant of ours, replaced by its negation
    rhs.getDefiningOp()->erase();
  return add(lhs, negated);
}

Value Composer::min(const Operand &x, const Operand &y) {
  Value lhs, rhs;
  if (!unify(x, y, "min", lhs, rhs))
    return {};
  if (isBool(elementOf(lhs)))
    return mul(lhs, rhs);
  if (!isFloat(lhs))
    return where(lt(rhs, lhs), rhs, lhs);
  // Against a number that is neither NaN nor zero the order of zeros cannot matter, and a
  // comparison lets a NaN in the other operand through.
  for (auto [number, other] : {std::pair(lhs, rhs), std::pair(rhs, lhs)})
    if (auto value = dyn_cast_if_present<FloatAttr>(splatOf(number)))
      if (!value.getValue().isNaN() && !value.getValue().isZero())
        return where(lt(number, other), number, other);
  return neg(max(neg(lhs), neg(rhs)));
}

Value Composer::recip(Value x) { return div(1, x); }

// The larger of x and -x; of two zeros that is +0.
Value Composer::abs(Value x) { return !x || isUnsigned(elementOf(x)) ? x : max(x, neg(x)); }

Value Composer::sign(Value x) {
  if (!x || isBool(elementOf(x)))
    return x;
  if (isUnsigned(elementOf(x)))
    return cast(cast(x, b.getI1Type()), elementOf(x));
  // What is neither positive nor negative is a zero or a NaN; adding +0 takes the sign off a zero.
  Value neither = isFloat(x) ? add(x, 0) : x;
  return where(gt(x, 0), 1, where(lt(x, 0), -1, neither));
}

Value Composer::square(Value x) { return mul(x, x); }

Value Composer::clip(Value x, std::optional<Operand> low, std::optional<Operand> high) {
  Value result = low ? max(x, *low) : x;
  return high ? min(result, *high) : result;
}

//===----------------------------------------------------------------------===//
// Comparison and logic
//===----------------------------------------------------------------------===//

Value Composer::lt(const Operand &x, const Operand &y) { return cmp(CmpPredicate::lt, x, y); }
Value Composer::le(const Operand &x, const Operand &y) { return cmp(CmpPredicate::le, x, y); }
Value Composer::eq(const Operand &x, const Operand &y) { return cmp(CmpPredicate::eq, x, y); }
Value Composer::ne(const Operand &x, const Operand &y) { return cmp(CmpPredicate::ne, x, y); }
Value Composer::gt(const Operand &x, const Operand &y) { return cmp(CmpPredicate::lt, y, x); }
Value Composer::ge(const Operand &x, const Operand &y) { return cmp(CmpPredicate::le, y, x); }

Value Composer::isNan(Value x) { return ne(x, x); }

Value Composer::isInf(Value x, bool positive, bool negative) {
  if (!x)
    return {};
  auto type = dyn_cast<FloatType>(elementOf(x));
  if (!type || (!positive && !negative))
    return splat(0, typeOf(x).clone(b.getI1Type()));
  APFloat infinity = APFloat::getInf(type.getFloatSemantics());
  if (!negative)
    return eq(x, Scalar(infinity));
  if (!positive)
    return eq(x, Scalar(llvm::neg(infinity)));
  return eq(abs(x), Scalar(infinity));
}

Value Composer::logicalNot(Value x) {
  if (x && !isBool(elementOf(x)))
    return fail("logicalNot takes i1; compare with 0 first");
  return add(x, 1);
}

static bool checkLogic(const Composer &c, Value x, Value y) {
  if (!x || !y)
    return false;
  if (isBool(c.elementOf(x)) && isBool(c.elementOf(y)))
    return true;
  c.fail("a logical operation takes i1; compare with 0 first");
  return false;
}

Value Composer::logicalAnd(Value x, Value y) {
  return checkLogic(*this, x, y) ? mul(x, y) : Value();
}
Value Composer::logicalOr(Value x, Value y) {
  return checkLogic(*this, x, y) ? max(x, y) : Value();
}
Value Composer::logicalXor(Value x, Value y) {
  return checkLogic(*this, x, y) ? add(x, y) : Value();
}

//===----------------------------------------------------------------------===//
// Rounding to integers
//===----------------------------------------------------------------------===//

/// 2^(p-1) for a float type of p bits: from here on every number is an integer, and adding it to a
/// smaller number rounds that to an integer, to nearest even.
static APFloat integerThreshold(Type type) {
  const llvm::fltSemantics &semantics = cast<FloatType>(type).getFloatSemantics();
  return scalbn(APFloat::getOne(semantics), APFloat::semanticsPrecision(semantics) - 1,
                APFloat::rmNearestTiesToEven);
}

/// |x| rounded to nearest even.
static Value roundMagnitude(Composer &c, Value magnitude) {
  Scalar threshold(integerThreshold(c.elementOf(magnitude)));
  Value rounded = c.sub(c.add(magnitude, threshold), threshold);
  return c.where(c.lt(magnitude, threshold), rounded, magnitude); // NaN and large numbers: as is
}

/// A magnitude with the sign of x; x itself where that is a zero or NaN.
static Value withSignOf(Composer &c, Value magnitude, Value x) {
  return c.where(c.lt(x, 0), c.neg(magnitude), c.where(c.gt(x, 0), magnitude, x));
}

// The comparisons of halves must see the numbers themselves, so f16 and bf16 go through f32, where
// all of this is exact.
Value Composer::roundEven(Value x) {
  if (!x || !isFloat(x))
    return x;
  return inF32(x, [&](Value x) { return withSignOf(*this, roundMagnitude(*this, abs(x)), x); });
}

Value Composer::floor(Value x) {
  if (!x || !isFloat(x))
    return x;
  return inF32(x, [&](Value x) {
    Value rounded = roundEven(x);
    return where(lt(x, rounded), sub(rounded, 1), rounded);
  });
}

Value Composer::ceil(Value x) {
  if (!x || !isFloat(x))
    return x;
  return inF32(x, [&](Value x) { return neg(floor(neg(x))); }); // so that ceil(-0.5) is -0
}

Value Composer::trunc(Value x) {
  if (!x || !isFloat(x))
    return x;
  return inF32(x, [&](Value x) {
    Value magnitude = abs(x), rounded = roundMagnitude(*this, magnitude);
    return withSignOf(*this, where(lt(magnitude, rounded), sub(rounded, 1), rounded), x);
  });
}

//===----------------------------------------------------------------------===//
// Remainders
//===----------------------------------------------------------------------===//

/// fmod of two magnitudes with y <= x, as long division. A step takes off q * unit, where unit is
/// y * 2^shift; it is exact as long as q needs no more than `digits` bits.
static Value longDivision(Composer &c, Value x, Value y, int64_t range, int64_t digits) {
  for (int64_t shift = (range - 1) / digits * digits; shift >= 0; shift -= digits) {
    Value unit = c.mul(y, std::ldexp(1.0, shift));
    x = c.sub(x, c.mul(c.trunc(c.div(x, unit)), unit));
  }
  return x;
}

Value Composer::fmod(const Operand &x, const Operand &y) {
  Value lhs, rhs;
  if (!unify(x, y, "fmod", lhs, rhs))
    return {};
  if (!isFloat(lhs))
    return sub(lhs, mul(div(lhs, rhs), rhs));
  Type type = elementOf(lhs);
  // In f64 a quotient q of two p-bit numbers is exact in its integer part up to 2^(52 - p), and so
  // is q * y. `range` is the exponent of the largest quotient of the type.
  unsigned precision = APFloat::semanticsPrecision(mlir::cast<FloatType>(type).getFloatSemantics());
  int64_t digits = 52 - precision, range = type.isF16() ? 40 : type.isBF16() ? 262 : 277;
  Value magnitudeX = abs(lhs), magnitudeY = abs(rhs), rest;
  if (type.isF64()) {
    rest = longDivision(*this, magnitudeX, magnitudeY, 1, 1);
  } else {
    Type wide = b.getF64Type();
    rest = cast(longDivision(*this, cast(magnitudeX, wide), cast(magnitudeY, wide), range, digits),
                type);
  }
  Value isSmall = lt(magnitudeX, magnitudeY); // also a finite number and infinity
  return where(isSmall, lhs, where(lt(lhs, 0), neg(rest), rest));
}

Value Composer::floorMod(const Operand &x, const Operand &y) {
  Value lhs, rhs;
  if (!unify(x, y, "floorMod", lhs, rhs))
    return {};
  Value rest = fmod(lhs, rhs);
  if (isUnsigned(elementOf(lhs)))
    return rest;
  Value otherSign = logicalXor(lt(rest, 0), lt(rhs, 0));
  return where(logicalAnd(ne(rest, 0), otherSign), add(rest, rhs), rest);
}
