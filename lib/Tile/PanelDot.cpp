//===- PanelDot.cpp - several narrow numbers as one element of a panel ----===//
//
// Instructions that multiply vectors of pairs or of quadruples and add up what they get
// take consecutive steps of the depth from 32 bits. That they may, which loop is walked
// so, and whether a factor lies in memory that way already is decided here.
//
//===----------------------------------------------------------------------===//

#include "PanelPlan.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

/// Sums of dots that an instruction of x86 has: those of SSE2, AVX2 and AVX-512.
static constexpr int64_t dotLanes[] = {4, 8, 16};
static constexpr int64_t dotBits = 32;

std::optional<ByteFactors> ByteFactors::get(const ContractionNest &what, bool tiles) {
  // What the range of a byte has to be moved by to hold `range`.
  auto offset = [](Interval range, bool isUnsigned) -> std::optional<int64_t> {
    int64_t least = isUnsigned ? 0 : INT8_MIN;
    if (range.min >= least && range.max <= least + UINT8_MAX)
      return 0;
    if (range.max - range.min > UINT8_MAX)
      return std::nullopt;
    return range.min - least;
  };
  std::optional<ByteFactors> best;
  // An offset of the rows costs most: the columns are added up for it in the loop of the products.
  auto cost = [](const ByteFactors &bytes) {
    return 3 * (bytes.rowOffset != 0) + 2 * (bytes.columnOffset != 0);
  };
  for (bool unsignedRows : {true, false})
    for (bool unsignedColumns : {false, true}) {
      std::optional<int64_t> row = offset(what.rows.range, unsignedRows),
                             column = offset(what.columns.range, unsignedColumns);
      if (!what.isInteger || !row || !column || (unsignedRows == unsignedColumns && !tiles))
        continue;
      ByteFactors bytes{unsignedRows, unsignedColumns, *row, *column};
      if (!best || cost(bytes) < cost(*best))
        best = bytes;
    }
  if (tiles && best && cost(*best) != 0)
    return std::nullopt;
  return best;
}

bool mlir::tiny::mayBeDots(const KernelNest &nest, const ContractionNest &what, int64_t dot,
                           int64_t lanes) {
  if (dot == 1)
    return !what.isInteger;
  if (!llvm::is_contained(dotLanes, lanes))
    return false;
  return dot == 2 ? what.isInteger || nest.reduced.getType().isF32()
                  : dot == 4 && ByteFactors::get(what).has_value();
}

unsigned mlir::tiny::dotLoopOf(const KernelNest &nest, const ContractionNest &what, int64_t dot) {
  auto loss = [&](unsigned loop) {
    return double(llvm::divideCeil(nest.sizes[loop], dot)) / nest.sizes[loop];
  };
  unsigned best = what.depth.back();
  for (unsigned loop : llvm::reverse(what.depth))
    if (loss(loop) < loss(best))
      best = loop;
  return best;
}

/// `factor` before it is widened.
static Value narrowOf(Value factor) {
  Operation *op = factor.getDefiningOp();
  return isa_and_nonnull<arith::ExtFOp, arith::ExtSIOp, arith::ExtUIOp>(op) ? op->getOperand(0)
                                                                            : factor;
}

Value mlir::tiny::storedFactor(Value factor) {
  Value narrow = narrowOf(factor);
  auto bits = narrow.getDefiningOp<arith::BitcastOp>(); // memory has no bf16
  return bits ? bits.getIn() : narrow;
}

const Access *mlir::tiny::accessOf(const KernelNest &nest, const ContractionSide &side) {
  auto found = nest.accesses.find(storedFactor(side.factor));
  return found == nest.accesses.end() ? nullptr : &found->second;
}

bool mlir::tiny::isStoredAsMultiplied(const KernelNest &nest, const PanelPlan &plan,
                                      const ContractionSide &side) {
  const Access *access = accessOf(nest, side);
  if (!access || access->computed || !access->guards.empty())
    return false;
  if (!plan.hasDots())
    return access->type == side.factor.getType();
  if (plan.isBF16())
    return narrowOf(side.factor).getType().isBF16();
  bool isRows = side.factor == plan.what.rows.factor;
  // A byte is what its factor is modulo 2^8.
  return access->type.isInteger(dotBits / plan.dot) &&
         (plan.dot == 2 || (isRows ? plan.bytes.rowOffset : plan.bytes.columnOffset) == 0);
}

std::optional<int64_t> mlir::tiny::strideAlongDepth(const KernelNest &nest, const PanelPlan &plan,
                                                    const Access &access) {
  if (!plan.hasDots())
    return strideAlong(nest, access, plan.what.depth);
  ArrayRef<unsigned> loops = plan.what.depth;
  // Along the loop of the dots: what the numbers of one are apart, and what a whole one adds.
  int64_t within = 0, across = 0;
  for (auto [term, coefficient] : LinearIndex(access.flat).terms) {
    if (!term.isFunctionOfDim(plan.dotLoop))
      continue;
    auto binary = dyn_cast<AffineBinaryOpExpr>(term);
    if (isa<AffineDimExpr>(term)) {
      within += coefficient;
      across += coefficient * plan.dot;
      continue;
    }
    auto divisor = binary ? dyn_cast<AffineConstantExpr>(binary.getRHS()) : AffineConstantExpr();
    if (!divisor || divisor.getValue() != plan.dot || !isa<AffineDimExpr>(binary.getLHS()))
      return std::nullopt;
    if (term.getKind() == AffineExprKind::Mod)
      within += coefficient;
    else if (term.getKind() == AffineExprKind::FloorDiv)
      across += coefficient;
    else
      return std::nullopt;
  }
  if (within != 1 || nest.sizes[plan.dotLoop] % plan.dot != 0)
    return std::nullopt;
  std::optional<int64_t> stride;
  int64_t expected = 0;
  for (unsigned loop : llvm::reverse(loops)) {
    std::optional<int64_t> own = loop == plan.dotLoop ? across : access.strideAlong(loop);
    if (!own || (stride && *own != expected))
      return std::nullopt;
    if (!stride)
      stride = own;
    expected = *own * plan.steps(nest, loop);
  }
  return stride;
}

bool mlir::tiny::mayStay(const KernelNest &nest, const PanelPlan &plan, const ContractionSide &side,
                         bool alongDepth) {
  if (!isStoredAsMultiplied(nest, plan, side))
    return false;
  const Access &access = *accessOf(nest, side);
  std::optional<int64_t> deep = strideAlongDepth(nest, plan, access);
  if (alongDepth)
    return deep == plan.dot;
  // Vectors of columns in place have one number each.
  return deep && !plan.hasDots() && strideAlong(nest, access, side.loops) == 1;
}
