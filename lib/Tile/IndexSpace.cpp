//===- IndexSpace.cpp - affine arithmetic with ranges ---------------------===//

#include "IndexSpace.h"

#include "mlir/IR/AffineExprVisitor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

Interval IndexSpace::rangeOf(AffineExpr expr) const {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return {constant.getValue(), constant.getValue()};
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Interval lhs = rangeOf(binary.getLHS()), rhs = rangeOf(binary.getRHS());
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return {lhs.min + rhs.min, lhs.max + rhs.max};
  case AffineExprKind::Mul: {
    auto corners = {lhs.min * rhs.min, lhs.min * rhs.max, lhs.max * rhs.min, lhs.max * rhs.max};
    return {std::min(corners), std::max(corners)};
  }
  case AffineExprKind::FloorDiv:
    return {llvm::divideFloorSigned(lhs.min, rhs.min), llvm::divideFloorSigned(lhs.max, rhs.min)};
  case AffineExprKind::CeilDiv:
    return {llvm::divideCeilSigned(lhs.min, rhs.min), llvm::divideCeilSigned(lhs.max, rhs.min)};
  case AffineExprKind::Mod:
    if (llvm::divideFloorSigned(lhs.min, rhs.min) == llvm::divideFloorSigned(lhs.max, rhs.min))
      return {llvm::mod(lhs.min, rhs.min), llvm::mod(lhs.max, rhs.min)};
    return {0, rhs.min - 1};
  default:
    llvm_unreachable("leaves were handled above");
  }
}

AffineExpr IndexSpace::simplify(AffineExpr expr) const {
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr)) {
    AffineExpr lhs = simplify(binary.getLHS()), rhs = simplify(binary.getRHS());
    AffineExpr rebuilt = getAffineBinaryOpExpr(expr.getKind(), lhs, rhs);
    auto divisor = dyn_cast<AffineConstantExpr>(rhs);
    if (divisor &&
        (expr.getKind() == AffineExprKind::Mod || expr.getKind() == AffineExprKind::FloorDiv)) {
      Interval range = rangeOf(lhs);
      int64_t quotient = llvm::divideFloorSigned(range.min, divisor.getValue());
      if (quotient == llvm::divideFloorSigned(range.max, divisor.getValue()))
        rebuilt = expr.getKind() == AffineExprKind::Mod
                      ? lhs - quotient * divisor.getValue()
                      : getAffineConstantExpr(quotient, expr.getContext());
    }
    expr = rebuilt;
  }
  return simplifyAffineExpr(expr, dims.size(), symbols.size());
}

/// Adds `scale` times `expr` to `form`, distributing over sums.
static void accumulate(LinearIndex &form, AffineExpr expr, int64_t scale) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    form.constant += scale * constant.getValue();
    return;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (binary && expr.getKind() == AffineExprKind::Add) {
    accumulate(form, binary.getLHS(), scale);
    accumulate(form, binary.getRHS(), scale);
    return;
  }
  if (binary && expr.getKind() == AffineExprKind::Mul) {
    auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS());
    auto factorLeft = dyn_cast<AffineConstantExpr>(binary.getLHS());
    if (factor || factorLeft) {
      accumulate(form, factor ? binary.getLHS() : binary.getRHS(),
                 scale * (factor ? factor : factorLeft).getValue());
      return;
    }
  }
  for (auto &[term, coefficient] : form.terms) {
    if (term == expr) {
      coefficient += scale;
      return;
    }
  }
  form.terms.emplace_back(expr, scale);
}

LinearIndex::LinearIndex(AffineExpr expr) {
  accumulate(*this, expr, 1);
  llvm::erase_if(terms, [](auto &term) { return term.second == 0; });
}

std::optional<int64_t> LinearIndex::strideAlong(unsigned dim) const {
  int64_t stride = 0;
  for (auto [term, coefficient] : terms) {
    if (auto dimExpr = dyn_cast<AffineDimExpr>(term)) {
      if (dimExpr.getPosition() == dim)
        stride = coefficient;
    } else if (term.isFunctionOfDim(dim)) {
      return std::nullopt;
    }
  }
  return stride;
}
