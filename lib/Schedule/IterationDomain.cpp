//===- IterationDomain.cpp - the loops of a nest --------------------------===//
//
// A buffer is dense, so an index is a flat number, and the shape in which the
// program wrote a value down does not matter: what matters is which loops make all
// indices of a nest linear. A pixel shuffle reads `h floordiv 3` and `h mod 3`:
// with h split in two loops it is linear. A pointwise convolution reads rows and
// columns as one run: merged, its vectors are as long as the image.
//
//===----------------------------------------------------------------------===//

#include "IterationDomain.h"

using namespace mlir;
using namespace mlir::tiny;

namespace {
/// One change of loops: what the old dims are in terms of the new ones.
struct Change {
  SmallVector<int64_t> extents;
  unsigned numParallel;
  SmallVector<AffineExpr> oldDims;
};
} // namespace

static AffineExpr rewritten(AffineExpr expr, const Change &change) {
  return simplify(expr.replaceDims(change.oldDims), change.extents);
}

static void apply(IterationDomain &domain, IterationDomain::Exprs exprs, const Change &change) {
  exprs([&](AffineExpr &expr) { expr = rewritten(expr, change); });
  domain.extents = change.extents;
  domain.numParallel = change.numParallel;
}

/// Loops that run once are no loops.
static Change dropUnitDims(const IterationDomain &domain, MLIRContext *context) {
  Change change{{}, 0, {}};
  for (auto [dim, extent] : llvm::enumerate(domain.extents)) {
    if (extent == 1 && dim < domain.numLoops()) {
      change.oldDims.push_back(getAffineConstantExpr(0, context));
      continue;
    }
    change.oldDims.push_back(getAffineDimExpr(change.extents.size(), context));
    change.extents.push_back(extent);
    change.numParallel += dim < domain.numParallel;
  }
  return change;
}

/// Splits dim `dim` into extent/inner by inner.
static Change splitOf(const IterationDomain &domain, unsigned dim, int64_t inner,
                      MLIRContext *context) {
  Change change{{}, domain.numParallel + (dim < domain.numParallel), {}};
  for (auto [index, extent] : llvm::enumerate(domain.extents)) {
    AffineExpr self = getAffineDimExpr(change.extents.size(), context);
    if (index != dim) {
      change.oldDims.push_back(self);
      change.extents.push_back(extent);
      continue;
    }
    change.oldDims.push_back(self * inner + getAffineDimExpr(change.extents.size() + 1, context));
    change.extents.push_back(extent / inner);
    change.extents.push_back(inner);
  }
  return change;
}

/// Merges dims `dim` and `dim + 1`.
static Change mergeOf(const IterationDomain &domain, unsigned dim, MLIRContext *context) {
  Change change{{}, domain.numParallel - (dim < domain.numParallel), {}};
  for (unsigned index = 0; index < domain.extents.size(); ++index) {
    AffineExpr self = getAffineDimExpr(change.extents.size(), context);
    if (index != dim) {
      change.oldDims.push_back(self);
      change.extents.push_back(domain.extents[index]);
      continue;
    }
    int64_t inner = domain.extents[index + 1];
    change.oldDims.push_back(self.floorDiv(inner));
    change.oldDims.push_back(self % inner);
    change.extents.push_back(domain.extents[index] * inner);
    ++index;
  }
  return change;
}

/// A dim and a divisor by which some index divides it, such that a split removes the division.
static std::optional<std::pair<unsigned, int64_t>> findDivision(const IterationDomain &domain,
                                                                IterationDomain::Exprs exprs) {
  std::optional<std::pair<unsigned, int64_t>> found;
  exprs([&](AffineExpr &expr) {
    expr.walk([&](AffineExpr part) {
      if (found ||
          (part.getKind() != AffineExprKind::Mod && part.getKind() != AffineExprKind::FloorDiv))
        return;
      auto division = cast<AffineBinaryOpExpr>(part);
      int64_t divisor = cast<AffineConstantExpr>(division.getRHS()).getValue();
      auto dim = dyn_cast<AffineDimExpr>(division.getLHS());
      if (dim && dim.getPosition() < domain.numLoops() &&
          domain.extents[dim.getPosition()] % divisor == 0 &&
          divisor < domain.extents[dim.getPosition()])
        found = {dim.getPosition(), divisor};
    });
  });
  return found;
}

/// A merge is worth it where no index gets a division from it: every one of them then treats the
/// two dims as one.
static bool keepsDivisions(const Change &change, IterationDomain::Exprs exprs) {
  bool keeps = true;
  exprs([&](AffineExpr &expr) {
    if (keeps && countDivisions(rewritten(expr, change)) > countDivisions(expr))
      keeps = false;
  });
  return keeps;
}

void IterationDomain::normalise(Exprs exprs, MLIRContext *context) {
  apply(*this, exprs, dropUnitDims(*this, context));
  // Each split leaves a smaller divisor to be found in that dim, so this ends.
  while (auto division = findDivision(*this, exprs))
    split(exprs, division->first, division->second, context);
  for (unsigned dim = 0; dim + 1 < numLoops();) {
    bool sameKind = dim + 1 != numParallel;
    Change merged = mergeOf(*this, dim, context);
    if (sameKind && keepsDivisions(merged, exprs))
      apply(*this, exprs, merged);
    else
      ++dim;
  }
}

void IterationDomain::split(Exprs exprs, unsigned dim, int64_t inner, MLIRContext *context) {
  apply(*this, exprs, splitOf(*this, dim, inner, context));
}

void IterationDomain::replaceByData(Exprs exprs, unsigned dim, int node, MLIRContext *context) {
  Change change{{}, numParallel - (dim < numParallel), {}};
  for (auto [index, extent] : llvm::enumerate(extents)) {
    if (index == dim) {
      change.oldDims.push_back(getAffineDimExpr(extents.size() - 1, context));
      continue;
    }
    change.oldDims.push_back(getAffineDimExpr(change.extents.size(), context));
    change.extents.push_back(extent);
  }
  change.extents.push_back(extents[dim]);
  apply(*this, exprs, change);
  dataNodes.push_back(node);
}

void IterationDomain::permute(Exprs exprs, ArrayRef<unsigned> order, MLIRContext *context) {
  Change change{extents, numParallel, {}};
  for (unsigned dim = 0; dim < extents.size(); ++dim)
    change.oldDims.push_back(getAffineDimExpr(dim, context));
  for (auto [to, from] : llvm::enumerate(order)) {
    change.extents[to] = extents[from];
    change.oldDims[from] = getAffineDimExpr(to, context);
  }
  apply(*this, exprs, change);
}
