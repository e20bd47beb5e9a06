//===- MatchRounding.cpp - find the rounding to integers ------------------===//
//
// A program has no op for it: Composer::roundEven adds and subtracts the number from which
// on all are integers, of the magnitude, and puts the sign back. That is ten instructions
// where most targets have one, and every quantised tensor is rounded so. Both have the same
// result for every argument: NaN, infinities and zeros of either sign stay as they are.
//
//===----------------------------------------------------------------------===//

#include "ExpandMath.h"
#include "MatchArithmetic.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tiny;

/// x, if `value` is -x, and else null.
static Value negated(Value value) {
  if (auto op = value ? value.getDefiningOp<arith::NegFOp>() : arith::NegFOp())
    return op.getOperand();
  return besideConstant<arith::MulFOp>(value, -1);
}

/// x, if `value` is |x|, and else null.
static Value absolute(Value value) {
  if (auto op = value ? value.getDefiningOp<math::AbsFOp>() : math::AbsFOp())
    return op.getOperand();
  auto larger = value ? value.getDefiningOp<arith::MaximumFOp>() : arith::MaximumFOp();
  if (!larger)
    return {};
  if (negated(larger.getRhs()) == larger.getLhs())
    return larger.getLhs();
  return negated(larger.getLhs()) == larger.getRhs() ? larger.getRhs() : Value();
}

/// Whether `value` is x < number, or with `mirrored`, number < x.
static bool isBelow(Value value, Value x, double number, bool mirrored = false) {
  auto compare = value.getDefiningOp<arith::CmpFOp>();
  if (!compare)
    return false;
  Value low = compare.getLhs(), high = compare.getRhs();
  if (compare.getPredicate() == arith::CmpFPredicate::OGT)
    std::swap(low, high);
  else if (compare.getPredicate() != arith::CmpFPredicate::OLT)
    return false;
  if (mirrored)
    std::swap(low, high);
  return low == x && isConstant(high, number);
}

/// The magnitude, if `value` is it rounded, and else null.
static Value roundedMagnitude(Value value) {
  auto choice = value ? value.getDefiningOp<arith::SelectOp>() : arith::SelectOp();
  if (!choice)
    return {};
  Value magnitude = choice.getFalseValue();
  double threshold = std::ldexp(1, getElementTypeOrSelf(value).isF32() ? 23 : 52);
  Value sum = besideConstant<arith::AddFOp>(choice.getTrueValue(), -threshold);
  if (besideConstant<arith::AddFOp>(sum, threshold) != magnitude ||
      !isBelow(choice.getCondition(), magnitude, threshold))
    return {};
  return magnitude;
}

Value mlir::tiny::matchRoundEven(arith::SelectOp outer) {
  Type type = getElementTypeOrSelf(outer.getType());
  // x < 0 ? -rounded : (0 < x ? rounded : x)
  auto inner = outer.getFalseValue().getDefiningOp<arith::SelectOp>();
  if (!inner || !(type.isF32() || type.isF64()))
    return {};
  Value x = inner.getFalseValue(), rounded = inner.getTrueValue();
  if (negated(outer.getTrueValue()) != rounded || !isBelow(outer.getCondition(), x, 0) ||
      !isBelow(inner.getCondition(), x, 0, /*mirrored=*/true))
    return {};
  return absolute(roundedMagnitude(rounded)) == x ? x : Value();
}
