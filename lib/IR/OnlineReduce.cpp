//===- OnlineReduce.cpp - sums relative to a maximum, tiled and split -----===//
//
// What tiny.online_reduce needs beyond its ODS: the verifier, and the two interfaces
// that let a tiling divide it, in order (each tile goes on from the results of the one
// before) or side by side (partial results are merged in the end).
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/TinyDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Verification and access
//===----------------------------------------------------------------------===//

MutableOperandRange OnlineReduceOp::getDpsInitsMutable() { return getInitsMutable(); }

SmallVector<int64_t> OnlineReduceOp::getLoopExtents() {
  SmallVector<int64_t> extents(getNumLoops(), 1);
  for (auto [number, operand] : llvm::enumerate(getOperands()))
    for (auto [dim, expr] : llvm::enumerate(getMap(number).getResults()))
      extents[cast<AffineDimExpr>(expr).getPosition()] =
          cast<RankedTensorType>(operand.getType()).getDimSize(dim);
  return extents;
}

/// Checks the types that a region takes and yields; null stands for any.
static LogicalResult verifyRegion(OnlineReduceOp op, Region &region, StringRef name,
                                  ArrayRef<Type> arguments, ArrayRef<Type> yielded) {
  Operation *terminator = region.front().getTerminator();
  if (!isa<YieldOp>(terminator))
    return op.emitOpError() << name << " must end with tiny.yield";
  auto verify = [&](TypeRange types, ArrayRef<Type> wanted, StringRef what) -> LogicalResult {
    if (types.size() != wanted.size())
      return op.emitOpError() << name << " " << what << " " << types.size() << " values, not "
                              << wanted.size();
    for (auto [type, expected] : llvm::zip(types, wanted))
      if (expected && type != expected)
        return op.emitOpError() << name << " " << what << " " << type << " where " << expected
                                << " belongs";
    return success();
  };
  if (failed(verify(region.front().getArgumentTypes(), arguments, "takes")))
    return failure();
  return verify(terminator->getOperandTypes(), yielded, "yields");
}

LogicalResult OnlineReduceOp::verify() {
  if (getInputs().empty() || getInits().size() < 2)
    return emitOpError() << "needs a score, a pivot and a sum at least";
  if (getMaps().size() != getNumOperands())
    return emitOpError() << "has " << getNumOperands() << " operands, but " << getMaps().size()
                         << " maps";
  unsigned numLoops = getNumLoops();
  if (getNumReductions() > numLoops)
    return emitOpError() << "has " << numLoops << " loops, of which " << getNumReductions()
                         << " cannot reduce";
  SmallVector<int64_t> extents(numLoops, -1);
  for (auto [number, operand] : llvm::enumerate(getOperands())) {
    AffineMap map = getMap(number);
    auto type = cast<RankedTensorType>(operand.getType());
    if (!map.isProjectedPermutation() || map.getNumDims() != numLoops ||
        map.getNumResults() != static_cast<unsigned>(type.getRank()))
      return emitOpError() << "has the map " << AffineMapAttr::get(map) << " for operand " << number
                           << ", which is no projected permutation of " << numLoops << " loops to "
                           << type.getRank() << " dims";
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      int64_t &extent = extents[cast<AffineDimExpr>(expr).getPosition()];
      if (extent >= 0 && extent != type.getDimSize(dim))
        return emitOpError() << "has operand " << number << " of " << type.getDimSize(dim)
                             << " elements along a loop of " << extent;
      extent = type.getDimSize(dim);
    }
  }
  if (llvm::is_contained(extents, -1))
    return emitOpError() << "has a loop that no operand gives an extent";

  Type accumulator = getElementTypeOrSelf(getInits().front());
  if (!isa<FloatType>(accumulator))
    return emitOpError() << "combines " << accumulator << ", but floats only";
  for (auto [number, init] : llvm::enumerate(getInits())) {
    if (getElementTypeOrSelf(init) != accumulator)
      return emitOpError() << "has inits of different element types";
    for (unsigned loop = getFirstReduction(); loop < numLoops; ++loop)
      if (getInitMap(number).isFunctionOfDim(loop))
        return emitOpError() << "has a reducing loop in the map of init " << number;
  }
  // A weight is one number for all sums at a point: their loops include those of the pivot.
  AffineMap score = getMap(0), pivot = getInitMap(0);
  for (unsigned loop = 0; loop < getFirstReduction(); ++loop)
    if (score.isFunctionOfDim(loop) != pivot.isFunctionOfDim(loop))
      return emitOpError() << "has a score and a pivot of different loops";
  for (unsigned number = 1; number < getInits().size(); ++number)
    for (unsigned loop = 0; loop < getFirstReduction(); ++loop)
      if (pivot.isFunctionOfDim(loop) && !getInitMap(number).isFunctionOfDim(loop))
        return emitOpError() << "has a sum that is not over the loops of the pivot";

  Type scoreType = getElementTypeOrSelf(getInputs().front());
  if (!isa<FloatType>(scoreType))
    return emitOpError() << "has a score of " << scoreType << ", but floats only";
  if (failed(verifyRegion(*this, getWeight(), "weight", {scoreType, accumulator}, {Type()})))
    return failure();
  SmallVector<Type> elements = {getWeight().front().getTerminator()->getOperand(0).getType()};
  for (Value input : getInputs().drop_front())
    elements.push_back(getElementTypeOrSelf(input));
  SmallVector<Type> terms(getInits().size() - 1, accumulator);
  if (failed(verifyRegion(*this, getCombine(), "combine", elements, terms)))
    return failure();
  for (unsigned number = 1; number < getInits().size(); ++number)
    for (BlockArgument argument : getTermArguments(number))
      for (unsigned loop = 0; loop < getFirstReduction(); ++loop)
        if (getMap(argument.getArgNumber()).isFunctionOfDim(loop) &&
            !getInitMap(number).isFunctionOfDim(loop))
          return emitOpError() << "has a term of sum " << number << " with input "
                               << argument.getArgNumber()
                               << ", which has a loop that the sum lacks";
  return verifyRegion(*this, getRescale(), "rescale", {accumulator, accumulator}, {accumulator});
}

OnlineReduceOp OnlineReduceOp::cloneWith(OpBuilder &builder, ValueRange inputs, ValueRange inits,
                                         ArrayRef<AffineMap> maps, int64_t numReductions) {
  auto copy = OnlineReduceOp::create(builder, getLoc(), inits.getTypes(), inputs, inits,
                                     builder.getAffineMapArrayAttr(maps), numReductions);
  for (auto [from, to] : llvm::zip(getRegions(), copy->getRegions())) {
    IRMapping mapping;
    from->cloneInto(&to, mapping);
  }
  return copy;
}

SmallVector<Value> OnlineReduceOp::inlineRegion(OpBuilder &builder, Region &region,
                                                ValueRange arguments) {
  IRMapping mapping;
  mapping.map(region.front().getArguments(), arguments);
  for (Operation &op : region.front().without_terminator())
    builder.clone(op, mapping);
  return llvm::map_to_vector(region.front().getTerminator()->getOperands(),
                             [&](Value value) { return mapping.lookupOrDefault(value); });
}

/// The ops of `combine` that the term of sum `number` depends on.
static llvm::SetVector<Operation *> sliceOfTerm(OnlineReduceOp op, unsigned number) {
  Block &combine = op.getCombine().front();
  llvm::SetVector<Operation *> slice;
  SmallVector<Value> open = {combine.getTerminator()->getOperand(number - 1)};
  while (!open.empty()) {
    Operation *defining = open.pop_back_val().getDefiningOp();
    if (defining && defining->getBlock() == &combine && slice.insert(defining))
      llvm::append_range(open, defining->getOperands());
  }
  return slice;
}

SmallVector<BlockArgument> OnlineReduceOp::getTermArguments(unsigned number) {
  llvm::SetVector<Operation *> slice = sliceOfTerm(*this, number);
  Value term = getCombine().front().getTerminator()->getOperand(number - 1);
  SmallVector<BlockArgument> used;
  for (BlockArgument argument : getCombine().getArguments())
    if (term == argument ||
        llvm::any_of(argument.getUsers(), [&](Operation *user) { return slice.contains(user); }))
      used.push_back(argument);
  return used;
}

Value OnlineReduceOp::inlineTerm(OpBuilder &builder, unsigned number, ValueRange arguments) {
  llvm::SetVector<Operation *> slice = sliceOfTerm(*this, number);
  IRMapping mapping;
  for (auto [argument, value] : llvm::zip(getTermArguments(number), arguments))
    mapping.map(argument, value);
  for (Operation &inner : getCombine().front())
    if (slice.contains(&inner))
      builder.clone(inner, mapping);
  return mapping.lookup(getCombine().front().getTerminator()->getOperand(number - 1));
}

Value OnlineReduceOp::finitePivot(OpBuilder &builder, Value pivot) {
  auto type = cast<FloatType>(pivot.getType());
  auto scoreType = cast<FloatType>(getElementTypeOrSelf(getInputs().front()));
  APFloat lowest = APFloat::getLargest(scoreType.getFloatSemantics(), /*Negative=*/true);
  bool exact;
  lowest.convert(type.getFloatSemantics(), APFloat::rmTowardZero, &exact);
  Value bound = arith::ConstantOp::create(builder, getLoc(), builder.getFloatAttr(type, lowest));
  return arith::MaximumFOp::create(builder, getLoc(), pivot, bound);
}

//===----------------------------------------------------------------------===//
// TilingInterface
//===----------------------------------------------------------------------===//

SmallVector<utils::IteratorType> OnlineReduceOp::getLoopIteratorTypes() {
  SmallVector<utils::IteratorType> types(getFirstReduction(), utils::IteratorType::parallel);
  types.resize(getNumLoops(), utils::IteratorType::reduction);
  return types;
}

SmallVector<Range> OnlineReduceOp::getIterationDomain(OpBuilder &builder) {
  return llvm::map_to_vector(getLoopExtents(), [&](int64_t extent) {
    return Range{builder.getIndexAttr(0), builder.getIndexAttr(extent), builder.getIndexAttr(1)};
  });
}

/// What `map` takes a tile of the loops to.
static void tileOf(AffineMap map, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
                   SmallVectorImpl<OpFoldResult> &ownOffsets,
                   SmallVectorImpl<OpFoldResult> &ownSizes) {
  for (AffineExpr expr : map.getResults()) {
    unsigned loop = cast<AffineDimExpr>(expr).getPosition();
    ownOffsets.push_back(offsets[loop]);
    ownSizes.push_back(sizes[loop]);
  }
}

/// The part of `whole` that a tile of the loops accesses; `slices` collects the op.
static Value sliceOf(OpBuilder &builder, Value whole, AffineMap map, ArrayRef<OpFoldResult> offsets,
                     ArrayRef<OpFoldResult> sizes, SmallVectorImpl<Operation *> &slices) {
  SmallVector<OpFoldResult> ownOffsets, ownSizes;
  tileOf(map, offsets, sizes, ownOffsets, ownSizes);
  auto type = cast<RankedTensorType>(whole.getType());
  if (getAsIndexOpFoldResult(builder.getContext(), type.getShape()) == ownSizes)
    return whole;
  SmallVector<OpFoldResult> strides(ownOffsets.size(), builder.getIndexAttr(1));
  auto slice =
      tensor::ExtractSliceOp::create(builder, whole.getLoc(), whole, ownOffsets, ownSizes, strides);
  slices.push_back(slice);
  return slice;
}

FailureOr<TilingResult> OnlineReduceOp::getTiledImplementation(OpBuilder &builder,
                                                               ArrayRef<OpFoldResult> offsets,
                                                               ArrayRef<OpFoldResult> sizes) {
  // A result that lacks a loop would take in all of its terms once for each tile of it.
  for (auto [loop, extent] : llvm::enumerate(getLoopExtents()))
    if (loop < getFirstReduction() && getConstantIntValue(sizes[loop]) != extent)
      for (unsigned number = 0; number < getInits().size(); ++number)
        if (!getInitMap(number).isFunctionOfDim(loop))
          return emitOpError() << "cannot be tiled along loop " << loop << ", which result "
                               << number << " does not have";
  SmallVector<Value> operands;
  SmallVector<Operation *> slices;
  SmallVector<AffineMap> maps;
  for (auto [number, operand] : llvm::enumerate(getOperands())) {
    maps.push_back(getMap(number));
    operands.push_back(sliceOf(builder, operand, maps.back(), offsets, sizes, slices));
  }
  ArrayRef<Value> all(operands);
  size_t numInputs = getInputs().size();
  OnlineReduceOp tile = cloneWith(builder, all.take_front(numInputs), all.drop_front(numInputs),
                                  maps, getNumReductions());
  return TilingResult{{tile}, SmallVector<Value>(tile.getResults()), slices};
}

LogicalResult OnlineReduceOp::getResultTilePosition(OpBuilder &builder, unsigned resultNumber,
                                                    ArrayRef<OpFoldResult> offsets,
                                                    ArrayRef<OpFoldResult> sizes,
                                                    SmallVector<OpFoldResult> &resultOffsets,
                                                    SmallVector<OpFoldResult> &resultSizes) {
  tileOf(getInitMap(resultNumber), offsets, sizes, resultOffsets, resultSizes);
  return success();
}

//===----------------------------------------------------------------------===//
// PartialReductionOpInterface
//===----------------------------------------------------------------------===//

/// Partial results have one dim for each of the `reductions`, behind their own.
static bool splitsAll(OnlineReduceOp op, const SetVector<unsigned> &reductions) {
  return reductions.size() == static_cast<size_t>(op.getNumReductions()) && !reductions.empty() &&
         llvm::all_of(reductions, [&](unsigned loop) { return loop >= op.getFirstReduction(); }) &&
         llvm::is_sorted(reductions);
}

static AffineMap withReductions(OnlineReduceOp op, AffineMap map) {
  for (unsigned loop = op.getFirstReduction(); loop < op.getNumLoops(); ++loop)
    map = map.insertResult(getAffineDimExpr(loop, op.getContext()), map.getNumResults());
  return map;
}

FailureOr<SmallVector<Value>>
OnlineReduceOp::generateInitialTensorForPartialReduction(OpBuilder &builder, Location loc,
                                                         ArrayRef<OpFoldResult> tileSizes,
                                                         const SetVector<unsigned> &reductionDims) {
  if (!splitsAll(*this, reductionDims))
    return emitOpError() << "is split along all of its reducing loops or none";
  SmallVector<Value> initial;
  for (auto [number, init] : llvm::enumerate(getInits())) {
    SmallVector<OpFoldResult> shape = tensor::getMixedSizes(builder, loc, init);
    for (unsigned loop : reductionDims)
      shape.push_back(tileSizes[loop]);
    auto type = cast<FloatType>(getElementTypeOrSelf(init));
    APFloat identity = number == 0 ? APFloat::getInf(type.getFloatSemantics(), /*Negative=*/true)
                                   : APFloat::getZero(type.getFloatSemantics());
    Value value = arith::ConstantOp::create(builder, loc, builder.getFloatAttr(type, identity));
    Value empty = tensor::EmptyOp::create(builder, loc, shape, type);
    initial.push_back(linalg::FillOp::create(builder, loc, value, empty).getResult(0));
  }
  return initial;
}

FailureOr<TilingResult> OnlineReduceOp::tileToPartialReduction(
    OpBuilder &builder, Location loc, ReductionTilingStrategy strategy, ValueRange init,
    ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
    const SetVector<unsigned> &reductionDims, ArrayRef<OpFoldResult> splitReductionIvs) {
  if (!splitsAll(*this, reductionDims))
    return emitOpError() << "is split along all of its reducing loops or none";
  bool inOrder = strategy == ReductionTilingStrategy::PartialReductionOuterReduction;
  SmallVector<Value> inputs, inits;
  SmallVector<AffineMap> maps;
  SmallVector<Operation *> slices;
  for (auto [number, input] : llvm::enumerate(getInputs())) {
    maps.push_back(getMap(number));
    inputs.push_back(sliceOf(builder, input, maps.back(), offsets, sizes, slices));
  }
  for (auto [number, partial] : llvm::enumerate(init)) {
    SmallVector<OpFoldResult> partOffsets, partSizes;
    if (failed(getPartialResultTilePosition(builder, number, strategy, offsets, sizes,
                                            reductionDims, splitReductionIvs, partOffsets,
                                            partSizes)))
      return failure();
    SmallVector<OpFoldResult> strides(partOffsets.size(), builder.getIndexAttr(1));
    // In order, every index of a tile has a partial result of its own; side by side, every tile.
    SmallVector<int64_t> shape;
    for (OpFoldResult size :
         ArrayRef(partSizes).drop_back(inOrder ? 0 : static_cast<size_t>(getNumReductions())))
      shape.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
    auto type = RankedTensorType::get(shape, getElementTypeOrSelf(partial));
    auto slice = tensor::ExtractSliceOp::create(builder, loc, type, partial, partOffsets, partSizes,
                                                strides);
    slices.push_back(slice);
    inits.push_back(slice);
    AffineMap map = getInitMap(number);
    maps.push_back(inOrder ? withReductions(*this, map) : map);
  }
  OnlineReduceOp tile = cloneWith(builder, inputs, inits, maps, inOrder ? 0 : getNumReductions());
  return TilingResult{{tile}, SmallVector<Value>(tile.getResults()), slices};
}

LogicalResult OnlineReduceOp::getPartialResultTilePosition(
    OpBuilder &builder, unsigned resultNumber, ReductionTilingStrategy strategy,
    ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
    const SetVector<unsigned> &reductionDims, ArrayRef<OpFoldResult> splitReductionIvs,
    SmallVector<OpFoldResult> &resultOffsets, SmallVector<OpFoldResult> &resultSizes) {
  tileOf(getInitMap(resultNumber), offsets, sizes, resultOffsets, resultSizes);
  bool inOrder = strategy == ReductionTilingStrategy::PartialReductionOuterReduction;
  for (auto [number, loop] : llvm::enumerate(reductionDims)) {
    resultOffsets.push_back(inOrder ? OpFoldResult(builder.getIndexAttr(0))
                                    : splitReductionIvs[number]);
    resultSizes.push_back(inOrder ? sizes[loop] : OpFoldResult(builder.getIndexAttr(1)));
  }
  return success();
}

FailureOr<MergeResult> OnlineReduceOp::mergeReductions(OpBuilder &builder, Location loc,
                                                       ValueRange partialReduce,
                                                       const SetVector<unsigned> &reductionDims) {
  if (!splitsAll(*this, reductionDims))
    return emitOpError() << "is split along all of its reducing loops or none";
  MergeResult merged;
  SmallVector<utils::IteratorType> reducing = getLoopIteratorTypes();
  SmallVector<utils::IteratorType> parallel(getFirstReduction(), utils::IteratorType::parallel);
  auto add = [&](ValueRange inputs, Value init, ArrayRef<AffineMap> maps, bool reduces,
                 llvm::function_ref<Value(OpBuilder &, ValueRange)> body) {
    // Loops that no map has would have no extent.
    SmallVector<AffineMap> compressed;
    llvm::SmallBitVector unused(getNumLoops(), true);
    for (AffineMap map : maps)
      for (AffineExpr expr : map.getResults())
        unused.reset(cast<AffineDimExpr>(expr).getPosition());
    for (AffineMap map : maps)
      compressed.push_back(projectDims(map, unused, /*compressDimsFlag=*/true));
    SmallVector<utils::IteratorType> iterators;
    for (auto [loop, type] : llvm::enumerate(reduces ? reducing : parallel))
      if (!unused.test(loop))
        iterators.push_back(type);
    auto generic =
        linalg::GenericOp::create(builder, loc, init.getType(), inputs, init, compressed, iterators,
                                  [&](OpBuilder &b, Location nested, ValueRange arguments) {
                                    linalg::YieldOp::create(b, nested, body(b, arguments));
                                  });
    merged.mergeOps.push_back(generic);
    return generic.getResult(0);
  };
  AffineMap pivotMap = getInitMap(0), partialPivotMap = withReductions(*this, pivotMap);
  Value pivot = add(partialReduce[0], getInits()[0], {partialPivotMap, pivotMap}, true,
                    [&](OpBuilder &b, ValueRange v) -> Value {
                      return arith::MaximumFOp::create(b, loc, v[1], v[0]);
                    });
  merged.replacements.push_back(pivot);
  auto factor = [&](OpBuilder &b, Value older, Value newer) {
    return inlineRegion(b, getRescale(), {finitePivot(b, older), finitePivot(b, newer)})[0];
  };
  for (unsigned number = 1; number < getInits().size(); ++number) {
    AffineMap map = getInitMap(number);
    Value scaled = add({getInits()[0], pivot}, getInits()[number], {pivotMap, pivotMap, map}, false,
                       [&](OpBuilder &b, ValueRange v) -> Value {
                         return arith::MulFOp::create(b, loc, v[2], factor(b, v[0], v[1]));
                       });
    Value sum = add({partialReduce[number], partialReduce[0], pivot}, scaled,
                    {withReductions(*this, map), partialPivotMap, pivotMap, map}, true,
                    [&](OpBuilder &b, ValueRange v) -> Value {
                      Value part = arith::MulFOp::create(b, loc, v[0], factor(b, v[1], v[2]));
                      return arith::AddFOp::create(b, loc, v[3], part);
                    });
    merged.replacements.push_back(sum);
  }
  return merged;
}
