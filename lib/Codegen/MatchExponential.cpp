//===- MatchExponential.cpp - find exp around an exp2 ---------------------===//
//
// A program has no op for exp: Composer::exp makes it of exp2, and of a dozen ops around
// it that keep the bits of an argument that is not rounded. Together they are worth one
// function, which needs half of them and is nearer to exp. Steps and constants are those
// of the composition; whatever differs in one of them is left as it is.
//
//===----------------------------------------------------------------------===//

#include "ExpandMath.h"
#include "MatchArithmetic.h"
#include "Tiny/IR/Exponential.h"

using namespace mlir;
using namespace mlir::tiny;

/// x, if `value` is `most < x ? most : x`, and else null.
static Value belowConstant(Value value, double most) {
  auto choice = value ? value.getDefiningOp<arith::SelectOp>() : arith::SelectOp();
  auto compare = choice ? choice.getCondition().getDefiningOp<arith::CmpFOp>() : arith::CmpFOp();
  if (!compare || !isConstant(choice.getTrueValue(), most))
    return {};
  Value x = choice.getFalseValue(), low = compare.getLhs(), high = compare.getRhs();
  if (compare.getPredicate() == arith::CmpFPredicate::OGT)
    std::swap(low, high);
  else if (compare.getPredicate() != arith::CmpFPredicate::OLT)
    return {};
  return isConstant(low, most) && high == x ? x : Value();
}

/// Whether `r` is what the product with 1 / ln 2 has lost: (x - s * high) - s * low.
static bool isRemainder(Value r, Value x, Value s, const ExpConstants &known) {
  auto outer = r.getDefiningOp<arith::AddFOp>();
  if (!outer)
    return false;
  for (auto [first, second] :
       {std::pair(outer.getLhs(), outer.getRhs()), std::pair(outer.getRhs(), outer.getLhs())})
    if (besideConstant<arith::MulFOp>(second, -known.low) == s &&
        besideConstant<arith::MulFOp>(beside<arith::AddFOp>(first, x), -known.high) == s)
      return true;
  return false;
}

std::optional<Exponential> mlir::tiny::matchExponential(math::Exp2Op power) {
  ExpConstants known = expConstants(/*isF64=*/false);
  if (!getElementTypeOrSelf(power.getType()).isF32())
    return std::nullopt;
  // s = the clamped product, rounded to a grid.
  Value s = power.getOperand();
  Value sum = besideConstant<arith::AddFOp>(s, -known.rounder);
  Value product = belowConstant(besideConstant<arith::AddFOp>(sum, known.rounder), known.most);
  Value clamped = besideConstant<arith::MulFOp>(product, known.log2e);
  Value x = besideConstant<arith::MaximumFOp>(clamped, known.least);
  if (!x)
    return std::nullopt;
  // power + power * (r * (r / 2 + 1)), the one use of the power.
  for (Operation *user : power->getUsers()) {
    if (!isa<arith::AddFOp>(user))
      continue;
    Value correction = beside<arith::AddFOp>(user->getResult(0), power);
    auto factor = beside<arith::MulFOp>(correction, power);
    auto series = factor ? factor.getDefiningOp<arith::MulFOp>() : arith::MulFOp();
    if (!series)
      continue;
    for (auto [r, rest] :
         {std::pair(series.getLhs(), series.getRhs()), std::pair(series.getRhs(), series.getLhs())})
      if (besideConstant<arith::MulFOp>(besideConstant<arith::AddFOp>(rest, 1), 0.5) == r &&
          isRemainder(r, clamped, s, known))
        return Exponential{x, user};
  }
  return std::nullopt;
}
