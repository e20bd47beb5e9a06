//===- Scan.cpp - reductions over all that comes before -------------------===//
//
// A cumulative sum is a sum for each position over the positions up to it, and so as
// much work as the square of their number. The accumulator that has reached one
// position is the result there and what the next one starts from: one pass does it.
// What tells is which terms a result is made of, whatever selects them: a comparison
// of two positions, or a window that begins where the padding ends.
//
//===----------------------------------------------------------------------===//

#include "Nest.h"

using namespace mlir;
using namespace mlir::tiny;

namespace {
/// Result i is made of the terms at positions p <= i, or p >= i; those at i are left out of an
/// exclusive one. Position p is `term`, of dim p, in the loops of the body.
struct Triangle {
  unsigned result; // the parallel loop
  int64_t size;    // of both loops
  bool isReverse, isExclusive;
  int value;         // the node of a term
  bool isWindow;     // a read, whose index is that of the window
  int64_t shift = 0; // of the window: at step k of result i it is at i + k + shift
};
} // namespace

static bool isIdentity(const Nest &nest, const Node &node) {
  ReduceOp reduction = nest.reduction;
  return node.kind == Node::Constant &&
         node.constant == reduceIdentity(reduction.getKind(), node.type);
}

/// `where(term <= result, value, identity)`, in any spelling.
static std::optional<Triangle> findComparison(const Nest &nest) {
  const KernelGraph &body = nest.body;
  const Node &root = body.nodes[body.root];
  if (root.kind != Node::Compute || !isa<WhereOp>(root.op))
    return std::nullopt;
  const Node &condition = body.nodes[root.operands[0]];
  auto cmp = condition.kind == Node::Compute ? dyn_cast<CmpOp>(condition.op) : CmpOp();
  if (!cmp || (cmp.getPredicate() != CmpPredicate::lt && cmp.getPredicate() != CmpPredicate::le))
    return std::nullopt;
  bool isNegated = isIdentity(nest, body.nodes[root.operands[1]]);
  if (!isIdentity(nest, body.nodes[root.operands[isNegated ? 1 : 2]]))
    return std::nullopt;
  std::optional<unsigned> lhs = comparedLoop(nest, condition.operands[0]);
  std::optional<unsigned> rhs = comparedLoop(nest, condition.operands[1]);
  unsigned term = nest.domain.numParallel;
  if (!lhs || !rhs || (*lhs == term) == (*rhs == term))
    return std::nullopt;
  Triangle triangle;
  triangle.result = *lhs == term ? *rhs : *lhs;
  triangle.size = nest.extents()[term];
  // term < result; or its negation, result <= term.
  triangle.isReverse = (*lhs == term) == isNegated;
  triangle.isExclusive = (cmp.getPredicate() == CmpPredicate::lt) != isNegated;
  triangle.value = root.operands[isNegated ? 2 : 1];
  triangle.isWindow = false;
  if (nest.extents()[triangle.result] != triangle.size ||
      body.dependsOn(triangle.value, triangle.result))
    return std::nullopt;
  return triangle;
}

/// A window as long as the padding before it, or behind it, that slides by one.
static std::optional<Triangle> findWindow(const Nest &nest) {
  const KernelGraph &body = nest.body;
  const Node &read = body.nodes[body.root];
  unsigned term = nest.domain.numParallel;
  if (read.kind != Node::Read || read.constraints.size() != 1 ||
      read.constraints[0].pad != reduceIdentity(ReduceOp(nest.reduction).getKind(), read.type))
    return std::nullopt;
  const Constraint &constraint = read.constraints[0];
  LinearForm position(constraint.expr), index(read.index);
  if (position.terms.size() != 2)
    return std::nullopt;
  Triangle triangle;
  triangle.value = body.root;
  triangle.isWindow = true;
  triangle.size = constraint.high - constraint.low;
  triangle.shift = position.constant - constraint.low;
  bool hasTerm = false;
  for (auto &[atom, scale] : position.terms) {
    auto dim = dyn_cast<AffineDimExpr>(atom);
    if (!dim || scale != 1 || dim.getPosition() > term)
      return std::nullopt;
    if (dim.getPosition() == term)
      hasTerm = true;
    else
      triangle.result = dim.getPosition();
  }
  // The element is that of the position, whichever result it is for.
  auto scaleOf = [&](unsigned loop) {
    int64_t scale = 0;
    for (auto &[atom, factor] : index.terms)
      if (atom == getAffineDimExpr(loop, read.index.getContext()))
        scale = factor;
      else if (!isa<AffineDimExpr>(atom) && atom.isFunctionOfDim(loop))
        return int64_t(0);
    return scale;
  };
  int64_t window = nest.extents()[term], last = triangle.size - 1;
  if (!hasTerm || nest.extents()[triangle.result] != triangle.size || scaleOf(term) == 0 ||
      scaleOf(term) != scaleOf(triangle.result))
    return std::nullopt;
  // From i + shift to i + shift + window - 1.
  int64_t end = triangle.shift + window - 1;
  if (last + triangle.shift <= 0 && (end == 0 || end == -1)) {
    triangle.isReverse = false;
    triangle.isExclusive = end == -1;
  } else if (end >= last && (triangle.shift == 0 || triangle.shift == 1)) {
    triangle.isReverse = true;
    triangle.isExclusive = triangle.shift == 1;
  } else {
    return std::nullopt;
  }
  return triangle;
}

std::optional<Nest> mlir::tiny::asScan(const Nest &nest) {
  if (!nest.reduction || !nest.domain.dataNodes.empty() ||
      nest.numLoops() != nest.domain.numParallel + 1)
    return std::nullopt;
  std::optional<Triangle> triangle = findComparison(nest);
  if (!triangle)
    triangle = findWindow(nest);
  if (!triangle || triangle->size < 2)
    return std::nullopt;
  MLIRContext *context = nest.result.getContext();
  Nest scan = nest;
  scan.scans = triangle->isExclusive ? Nest::Scan::exclusive : Nest::Scan::inclusive;
  llvm::DenseMap<int, int> moved;
  KernelGraph body;
  body.root = body.append(nest.body, triangle->value, moved);
  scan.body = std::move(body);
  // Both loops become one, which comes last.
  unsigned result = triangle->result, loop = nest.domain.numParallel - 1;
  AffineExpr step = getAffineDimExpr(loop, context);
  AffineExpr position = triangle->isReverse ? triangle->size - 1 - step : step;
  SmallVector<AffineExpr> oldDims;
  for (unsigned dim = 0; dim < nest.domain.numParallel; ++dim)
    oldDims.push_back(dim == result ? position : getAffineDimExpr(dim - (dim > result), context));
  oldDims.push_back(position);
  if (triangle->isWindow) {
    Node &read = scan.body.nodes[scan.body.root];
    read.constraints.clear();
    SmallVector<AffineExpr> atPosition;
    for (unsigned dim = 0; dim <= nest.domain.numParallel; ++dim)
      atPosition.push_back(getAffineDimExpr(dim, context));
    atPosition[result] = getAffineConstantExpr(0, context);
    atPosition[nest.domain.numParallel] = atPosition[nest.domain.numParallel] - triangle->shift;
    read.index = read.index.replaceDims(atPosition);
  }
  scan.domain.extents.erase(scan.domain.extents.begin() + result);
  scan.domain.extents[loop] = triangle->size;
  --scan.domain.numParallel;
  scan.replaceDims(oldDims);
  scan.normalise();
  if (scan.numLoops() != scan.domain.numParallel + 1 || !sliceOf(scan))
    return std::nullopt;
  return scan;
}
