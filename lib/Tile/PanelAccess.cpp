//===- PanelAccess.cpp - how the factors of a contraction lie in memory ---===//
//
// What panels ask about the accesses of a nest: whether loops are one in memory, and
// what else it takes to make a vector of neighbours.
//
//===----------------------------------------------------------------------===//

#include "PanelPlan.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace mlir::tiny;

/// A way of the first level is as large as a page wherever addresses are looked up while they are
/// translated.
static constexpr int64_t wayBytes = 4096;

std::optional<int64_t> mlir::tiny::strideAlong(const KernelNest &nest, const Access &access,
                                               ArrayRef<unsigned> loops) {
  std::optional<int64_t> stride = 0;
  int64_t expected = 0;
  for (unsigned loop : llvm::reverse(loops)) {
    std::optional<int64_t> own = access.strideAlong(loop);
    if (!own || (loop != loops.back() && *own != expected))
      return std::nullopt;
    if (loop == loops.back())
      stride = own;
    expected = *own * nest.sizes[loop];
  }
  return stride;
}

static bool guardsMove(const Access &access, ArrayRef<unsigned> loops) {
  return llvm::any_of(access.guards, [&](const Guard &guard) {
    return guard.computed ||
           llvm::any_of(loops, [&](unsigned loop) { return guard.loops >> loop & 1; });
  });
}

bool mlir::tiny::columnsAreOneLoop(const KernelNest &nest, const ContractionNest &what) {
  ArrayRef<unsigned> loops = what.columns.loops;
  if (loops.size() == 1)
    return true;
  for (const auto &[value, access] : nest.accesses)
    if (!nest.inReduction(value) &&
        (access.computed || !strideAlong(nest, access, loops) || guardsMove(access, loops)))
      return false;
  for (const auto &[value, expr] : nest.indices)
    for (unsigned loop : loops)
      if (expr.isFunctionOfDim(loop) && !nest.inReduction(value))
        return false;
  return strideAlong(nest, nest.store, loops).has_value();
}

/// Whether a value of the reduction's body is computed from a number of one of `loops`.
static bool usesIndices(const KernelNest &nest, Value value, ArrayRef<unsigned> loops) {
  if (nest.accesses.contains(value))
    return false;
  if (AffineExpr expr = nest.indices.lookup(value))
    return llvm::any_of(loops, [&](unsigned loop) { return expr.isFunctionOfDim(loop); });
  Operation *op = value.getDefiningOp();
  return op && nest.inReduction(value) && llvm::any_of(op->getOperands(), [&](Value operand) {
           return usesIndices(nest, operand, loops);
         });
}

bool mlir::tiny::loadsAreLinear(const KernelNest &nest, const ContractionSide &side,
                                ArrayRef<unsigned> loops) {
  if (loops.size() <= 1)
    return true;
  return !usesIndices(nest, side.factor, loops) && llvm::all_of(side.loads, [&](Value load) {
    const Access &access = nest.accesses.find(load)->second;
    return strideAlong(nest, access, loops) && !guardsMove(access, loops);
  });
}

bool mlir::tiny::isGuarded(const KernelNest &nest, const ContractionSide &side) {
  return llvm::any_of(side.loads,
                      [&](Value load) { return !nest.accesses.find(load)->second.guards.empty(); });
}

int64_t mlir::tiny::numPieces(const KernelNest &nest, const ContractionSide &side, int64_t unit) {
  if (loadsAreLinear(nest, side, side.loops))
    return 1;
  int64_t size = nest.sizes[side.loops.back()], lastPlace = size - std::gcd(size, unit);
  return std::min(side.extent / size, llvm::divideCeilSigned(lastPlace + unit, size));
}

/// Whether all that `value` is computed by may be executed on numbers that nobody wants.
static bool isHarmless(const KernelNest &nest, Value value) {
  Operation *op = value.getDefiningOp();
  if (nest.accesses.contains(value) || !op || !nest.inReduction(value))
    return true;
  return !nest.indices.contains(value) && isSpeculatable(op) &&
         llvm::all_of(op->getOperands(), [&](Value operand) { return isHarmless(nest, operand); });
}

bool mlir::tiny::mayPackPieces(const KernelNest &nest, const ContractionSide &side, int64_t unit,
                               unsigned maskedBits) {
  if (!maskedBits || side.loops.empty() || numPieces(nest, side, unit) > unit / 2 ||
      !isHarmless(nest, side.factor))
    return false;
  return llvm::all_of(side.loads, [&](Value load) {
    const Access &access = nest.accesses.find(load)->second;
    std::optional<int64_t> stride = access.strideAlong(side.loops.back());
    return !access.computed && access.type.getIntOrFloatBitWidth() >= maskedBits && stride &&
           std::abs(*stride) <= maxShuffledStride;
  });
}

bool mlir::tiny::liesInPanels(const KernelNest &nest, const PanelPlan &plan) {
  const ContractionNest &what = plan.what;
  unsigned last = what.columns.loops.back();
  int64_t width = plan.panelWidth();
  if (nest.sizes[last] % width != 0 || !isStoredAsMultiplied(nest, plan, what.columns))
    return false;
  const Access &access = *accessOf(nest, what.columns);
  if (strideAlongDepth(nest, plan, access) != width * plan.dot)
    return false;
  int64_t step = 0; // within a panel
  for (auto [term, coefficient] : LinearIndex(access.flat).terms) {
    if (!term.isFunctionOfDim(last))
      continue;
    auto binary = dyn_cast<AffineBinaryOpExpr>(term);
    bool isDim = isa<AffineDimExpr>(term), isMod = binary && term.getKind() == AffineExprKind::Mod,
         isQuotient = binary && term.getKind() == AffineExprKind::FloorDiv;
    if (!isDim && !isMod && !isQuotient)
      return false;
    if (binary) {
      auto divisor = dyn_cast<AffineConstantExpr>(binary.getRHS());
      if (!isa<AffineDimExpr>(binary.getLHS()) || !divisor || divisor.getValue() % width != 0)
        return false;
    }
    step += isQuotient ? 0 : coefficient;
  }
  return step == plan.dot;
}

bool mlir::tiny::collide(const KernelNest &nest, const ContractionNest &what, int64_t rows,
                         int64_t depth, int64_t mostWays) {
  const Access &access = *accessOf(nest, what.rows);
  if (what.rows.loops.empty())
    return false;
  std::optional<int64_t> stride = access.strideAlong(what.rows.loops.back());
  int64_t bytes = access.type.getIntOrFloatBitWidth() / 8,
          stepBytes = nest.reduced.getType().getIntOrFloatBitWidth() / 8;
  if (!stride)
    return false;
  int64_t most = 0;
  for (int64_t row = 0; row < rows; ++row) {
    int64_t over = 0; // rows that have a line where this one begins
    for (int64_t other = 0; other < rows; ++other) {
      int64_t distance = ((row - other) * *stride * bytes) % wayBytes;
      over += (distance + wayBytes) % wayBytes < depth * stepBytes;
    }
    most = std::max(most, over);
  }
  return most > mostWays;
}
