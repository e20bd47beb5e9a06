//===- ContractionNest.cpp - recognise a sum of products ------------------===//
//
// Recognition asks which loops move which factor, and nothing else. A cast of a factor
// to the type of the sum is seen through where the unit that multiplies does the same:
// products of f16, bf16 and i8 are exact in f32 and i32.
//
//===----------------------------------------------------------------------===//

#include "ContractionNest.h"

using namespace mlir;
using namespace mlir::tiny;

namespace {
/// A factor before it is widened to the type of the sum.
struct Narrow {
  Value value;
  Factor factor;
  bool isUnsigned = false;
};
} // namespace

static std::optional<Narrow> narrow(Value value) {
  if (auto cast = value.getDefiningOp<arith::ExtFOp>()) {
    Type type = cast.getIn().getType();
    if (type.isF16())
      return Narrow{cast.getIn(), Factor::f16};
    if (type.isBF16())
      return Narrow{cast.getIn(), Factor::bf16};
  }
  if (auto cast = value.getDefiningOp<arith::ExtSIOp>())
    if (cast.getIn().getType().isInteger(8))
      return Narrow{cast.getIn(), Factor::i8};
  if (auto cast = value.getDefiningOp<arith::ExtUIOp>())
    if (cast.getIn().getType().isInteger(8))
      return Narrow{cast.getIn(), Factor::i8, true};
  return std::nullopt;
}

/// Collects the loads that `value` is computed from. Fails where one could not be staged: at an
/// index that data decides, of a type that no load has, or too far for an offset of 31 bits.
static LogicalResult collectLoads(const KernelNest &nest, Value value, SmallVector<Value> &loads) {
  if (!nest.inReduction(value))
    return success(); // a constant
  auto found = nest.accesses.find(value);
  if (found != nest.accesses.end()) {
    const Access &access = found->second;
    unsigned bits = access.type.isIntOrFloat() ? access.type.getIntOrFloatBitWidth() : 0;
    if (access.computed || access.elements == 0 || (bits != 8 && bits != 16 && bits != 32) ||
        access.elements > INT32_MAX / (bits / 8))
      return failure();
    if (!llvm::is_contained(loads, value))
      loads.push_back(value);
    return success();
  }
  Operation *op = value.getDefiningOp();
  if (!op || nest.indices.contains(value) || !OpTrait::hasElementwiseMappableTraits(op))
    return failure();
  for (Value operand : op->getOperands())
    if (failed(collectLoads(nest, operand, loads)))
      return failure();
  return success();
}

std::optional<ContractionNest> ContractionNest::get(const KernelNest &nest) {
  if (!nest.reduction || nest.isScan() ||
      llvm::any_of(nest.symbols, [](const IndexSymbol &symbol) { return symbol.computed; }))
    return std::nullopt;
  Operation *product = nest.reduced.getDefiningOp();
  if (!product || !product->hasOneUse() || !nest.inReduction(nest.reduced))
    return std::nullopt;
  bool floats = isa<arith::AddFOp>(nest.combine) && isa<arith::MulFOp>(product);
  bool integers = isa<arith::AddIOp>(nest.combine) && isa<arith::MulIOp>(product);
  Type type = nest.reduced.getType();
  if (!(floats && type.isF32()) && !(integers && type.isInteger(32)))
    return std::nullopt;

  ContractionNest result;
  std::optional<Narrow> lhs = narrow(product->getOperand(0)), rhs = narrow(product->getOperand(1));
  if (lhs && rhs && lhs->factor == rhs->factor && integers == (lhs->factor == Factor::i8)) {
    result.factor = lhs->factor;
    result.rows = {lhs->value, {}, 1, lhs->isUnsigned, {}, {}};
    result.columns = {rhs->value, {}, 1, rhs->isUnsigned, {}, {}};
  } else if (floats) {
    result.factor = Factor::f32;
    result.rows.factor = product->getOperand(0);
    result.columns.factor = product->getOperand(1);
  } else {
    return std::nullopt;
  }
  for (ContractionSide *side : {&result.rows, &result.columns})
    if (failed(collectLoads(nest, side->factor, side->loads)) || side->loads.empty())
      return std::nullopt;

  if (!result.sortLoops(nest, /*oneStepIsBatch=*/false) || result.rows.loops.empty() ||
      result.columns.loops.empty())
    return std::nullopt;
  unsigned innermost = result.rows.loops.back();
  if (nest.sizes[innermost] > 1 && nest.store.strideAlong(innermost) == 1)
    std::swap(result.rows, result.columns);
  return result;
}

/// Puts every loop where it belongs; with `oneStepIsBatch`, those of one step are in nobody's way:
/// what a workgroup has of a loop may move a factor or not, depending on who looks. Fails if there
/// is one without steps, or nothing to sum over.
bool ContractionNest::sortLoops(const KernelNest &nest, bool oneStepIsBatch) {
  uint64_t inRows = nest.loops.lookup(rows.factor), inColumns = nest.loops.lookup(columns.factor);
  for (unsigned loop = 0; loop < nest.numLoops(); ++loop) {
    int64_t size = nest.sizes[loop];
    if (size == 0)
      return false;
    // A loop of one step moves nothing: whether a map still has it depends on who simplified it.
    bool movesRows = size > 1 && (inRows >> loop & 1),
         movesColumns = size > 1 && (inColumns >> loop & 1);
    if (!nest.isParallel(loop)) {
      depth.push_back(loop);
      depthExtent *= size;
    } else if ((movesRows && movesColumns) || (oneStepIsBatch && size == 1)) {
      batch.push_back(loop);
      batchExtent *= size;
    } else {
      ContractionSide &side = movesColumns ? columns : rows;
      side.loops.push_back(loop);
      side.extent *= size;
    }
  }
  return !depth.empty();
}

/// As collectLoads, for a CPU: any type and any distance.
static LogicalResult collectAnyLoads(const KernelNest &nest, Value value,
                                     SmallVector<Value> &loads) {
  if (!nest.inReduction(value) || nest.indices.contains(value))
    return success();
  auto found = nest.accesses.find(value);
  if (found != nest.accesses.end()) {
    if (found->second.computed || found->second.elements == 0)
      return failure();
    if (!llvm::is_contained(loads, value))
      loads.push_back(value);
    return success();
  }
  Operation *op = value.getDefiningOp();
  if (!op)
    return failure();
  for (Value operand : op->getOperands())
    if (failed(collectAnyLoads(nest, operand, loads)))
      return failure();
  return success();
}

std::optional<ContractionNest> ContractionNest::getForCPU(const KernelNest &nest, int64_t apart) {
  if (!nest.reduction || nest.isScan() || !nest.store.guards.empty() ||
      !nest.inReduction(nest.reduced))
    return std::nullopt;
  // The number of a workgroup or of a block is the same for all of the nest; an index that the body
  // computes is not.
  if (llvm::any_of(nest.symbols, [](const IndexSymbol &symbol) { return symbol.computed; }))
    return std::nullopt;
  Type type = nest.reduced.getType();
  Operation *product = nest.reduced.getDefiningOp();
  if (!product || !product->hasOneUse())
    return std::nullopt;
  bool floats = isa<arith::AddFOp>(nest.combine) && isa<arith::MulFOp>(product);
  bool integers = isa<arith::AddIOp>(nest.combine) && isa<arith::MulIOp>(product);
  if (!(floats && (type.isF32() || type.isF64())) && !(integers && type.isInteger(32)))
    return std::nullopt;
  ContractionNest result;
  result.factor = Factor::f32;
  result.rows.factor = product->getOperand(0);
  result.columns.factor = product->getOperand(1);
  result.isInteger = integers;
  for (ContractionSide *side : {&result.rows, &result.columns}) {
    if (!integers)
      continue;
    side->range = rangeOfInteger(nest, side->factor);
    if (!fitsBits(side->range, 16))
      return std::nullopt;
  }
  for (ContractionSide *side : {&result.rows, &result.columns})
    if (failed(collectAnyLoads(nest, side->factor, side->loads)) || side->loads.empty())
      return std::nullopt;
  if (!result.sortLoops(nest, /*oneStepIsBatch=*/true))
    return std::nullopt;
  bool swapped =
      result.columns.loops.empty() ||
      (!result.rows.loops.empty() && nest.store.strideAlong(result.rows.loops.back()) == 1);
  if (swapped)
    std::swap(result.rows, result.columns);
  SmallVector<unsigned> &columns = result.columns.loops;
  if (apart >= static_cast<int64_t>(columns.size()))
    return std::nullopt;
  for (unsigned loop : ArrayRef(columns).take_front(apart)) {
    result.batch.push_back(loop);
    result.batchExtent *= nest.sizes[loop];
    result.columns.extent /= nest.sizes[loop];
  }
  columns.erase(columns.begin(), columns.begin() + apart);
  return result;
}
