//===- OnlineReduceBlocks.cpp - online sums as linalg ops, by blocks ------===//
//
// The step of an online reduction for a block of its reducing loop is a handful of
// ordinary nests: the block's maximum, its weights, the factor by which what is there
// shrinks, and the sums. So who tiles or counts needs to know of nothing but nests in
// a loop, and contractions among them get the same tiles as anywhere else. What only a
// block needs (the scores of attention) is computed for a block, too.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/OnlineReduce.h"

#include "Tiny/IR/TinyDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/TilingInterface.h"

using namespace mlir;
using namespace mlir::tiny;

using Body = llvm::function_ref<Value(OpBuilder &, Location, ValueRange)>;

namespace {
/// Writes the nests of one step.
class StepWriter {
public:
  StepWriter(OpBuilder &builder, OnlineReduceOp op)
      : builder(builder), op(op), accumulator(getElementTypeOrSelf(op.getInits().front())),
        pivotMap(op.getInitMap(0)) {}

  SmallVector<Value> write();

private:
  Value emptyFor(AffineMap map, Type element);
  Value elementwise(ValueRange inputs, ArrayRef<AffineMap> maps, Value out, AffineMap map,
                    Body body);
  Value reduce(TypedAttr identity, ValueRange inputs, ArrayRef<AffineMap> maps, AffineMap map,
               Body body);
  Value generic(ValueRange inputs, ArrayRef<AffineMap> maps, Value out, AffineMap map, bool reduces,
                Body body);
  Value sum(unsigned number, Value weights, Value factor);
  TypedAttr constant(const APFloat &value) { return builder.getFloatAttr(accumulator, value); }

  OpBuilder &builder;
  OnlineReduceOp op;
  Type accumulator;
  AffineMap pivotMap;
};
} // namespace

Value StepWriter::emptyFor(AffineMap map, Type element) {
  SmallVector<int64_t> extents = op.getLoopExtents(), shape;
  for (AffineExpr expr : map.getResults())
    shape.push_back(extents[cast<AffineDimExpr>(expr).getPosition()]);
  return tensor::EmptyOp::create(builder, op.getLoc(), shape, element);
}

/// A linalg.generic over the loops that its maps have, in the order of `map`, which is that of the
/// result; what is left reduces. So its result has the identity map over the parallel loops.
Value StepWriter::generic(ValueRange inputs, ArrayRef<AffineMap> maps, Value out, AffineMap map,
                          bool reduces, Body body) {
  unsigned numLoops = op.getNumLoops(), numParallel = map.getNumResults();
  SmallVector<AffineExpr> place(numLoops);
  unsigned next = 0;
  for (AffineExpr expr : map.getResults())
    place[cast<AffineDimExpr>(expr).getPosition()] = builder.getAffineDimExpr(next++);
  for (unsigned loop = op.getFirstReduction(); reduces && loop < numLoops; ++loop)
    place[loop] = builder.getAffineDimExpr(next++);
  for (AffineExpr &expr : place)
    if (!expr)
      expr = builder.getAffineConstantExpr(0); // not in any of the maps
  SmallVector<AffineMap> own;
  for (AffineMap each : maps)
    own.push_back(each.replaceDimsAndSymbols(place, {}, next, 0));
  own.push_back(map.replaceDimsAndSymbols(place, {}, next, 0));
  SmallVector<utils::IteratorType> iterators(numParallel, utils::IteratorType::parallel);
  iterators.resize(next, utils::IteratorType::reduction);
  auto generic =
      linalg::GenericOp::create(builder, op.getLoc(), out.getType(), inputs, out, own, iterators,
                                [&](OpBuilder &b, Location loc, ValueRange arguments) {
                                  linalg::YieldOp::create(b, loc, body(b, loc, arguments));
                                });
  return generic.getResult(0);
}

Value StepWriter::elementwise(ValueRange inputs, ArrayRef<AffineMap> maps, Value out, AffineMap map,
                              Body body) {
  return generic(inputs, maps, out, map, /*reduces=*/false, body);
}

/// `body` combines its last argument, the accumulator, with the others.
Value StepWriter::reduce(TypedAttr identity, ValueRange inputs, ArrayRef<AffineMap> maps,
                         AffineMap map, Body body) {
  Value start = arith::ConstantOp::create(builder, op.getLoc(), identity);
  Value filled =
      linalg::FillOp::create(builder, op.getLoc(), start, emptyFor(map, identity.getType()))
          .getResult(0);
  return generic(inputs, maps, filled, map, /*reduces=*/true, body);
}

/// `init * factor` plus the terms of sum `number`, in the place of the init.
Value StepWriter::sum(unsigned number, Value weights, Value factor) {
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (BlockArgument argument : op.getTermArguments(number)) {
    unsigned place = argument.getArgNumber();
    inputs.push_back(place == 0 ? weights : op.getInputs()[place]);
    maps.push_back(op.getMap(place));
  }
  AffineMap map = op.getInitMap(number);
  Value init = op.getInits()[number];
  APFloat zero = APFloat::getZero(cast<FloatType>(accumulator).getFloatSemantics());
  Value terms = reduce(constant(zero), inputs, maps, map,
                       [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                         Value term = op.inlineTerm(b, number, arguments.drop_back());
                         return arith::AddFOp::create(b, loc, arguments.back(), term);
                       });
  return elementwise({terms, init, factor}, {map, map, pivotMap}, init, map,
                     [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                       Value kept = arith::MulFOp::create(b, loc, v[1], v[2]);
                       return arith::AddFOp::create(b, loc, v[0], kept);
                     });
}

/// The results of the step, each in the place of its init.
SmallVector<Value> StepWriter::write() {
  Value score = op.getInputs().front(), older = op.getInits().front();
  AffineMap scoreMap = op.getMap(0);
  const llvm::fltSemantics &semantics = cast<FloatType>(accumulator).getFloatSemantics();
  Value largest = reduce(constant(APFloat::getInf(semantics, /*Negative=*/true)), score, scoreMap,
                         pivotMap, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                           Value wide = v[0];
                           if (wide.getType() != accumulator)
                             wide = arith::ExtFOp::create(b, loc, accumulator, wide);
                           return arith::MaximumFOp::create(b, loc, v[1], wide);
                         });
  Value newer = elementwise({largest, older}, {pivotMap, pivotMap}, emptyFor(pivotMap, accumulator),
                            pivotMap, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                              return arith::MaximumFOp::create(b, loc, v[0], v[1]);
                            });
  Type weightType = op.getWeight().front().getTerminator()->getOperand(0).getType();
  Value weights = elementwise({score, newer}, {scoreMap, pivotMap}, emptyFor(scoreMap, weightType),
                              scoreMap, [&](OpBuilder &b, Location, ValueRange v) {
                                return OnlineReduceOp::inlineRegion(
                                    b, op.getWeight(), {v[0], op.finitePivot(b, v[1])})[0];
                              });
  Value factor =
      elementwise({older, newer}, {pivotMap, pivotMap}, emptyFor(pivotMap, accumulator), pivotMap,
                  [&](OpBuilder &b, Location, ValueRange v) {
                    return OnlineReduceOp::inlineRegion(
                        b, op.getRescale(), {op.finitePivot(b, v[0]), op.finitePivot(b, v[1])})[0];
                  });
  SmallVector<Value> results = {Value()};
  for (unsigned number = 1; number < op.getInits().size(); ++number)
    results.push_back(sum(number, weights, factor));
  results[0] = elementwise(newer, pivotMap, older, pivotMap,
                           [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  return results;
}

/// Replaces the slices of locals by what computes them, in front of their users: what only a block
/// needs is computed for that block.
static LogicalResult fuseProducers(OpBuilder &builder, SmallVector<Operation *> slices) {
  while (!slices.empty()) {
    auto slice = dyn_cast<tensor::ExtractSliceOp>(slices.pop_back_val());
    if (!slice)
      continue;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(slice);
    Value source = slice.getSource();
    if (slice.getType() == source.getType()) {
      slice.replaceAllUsesWith(source);
      slice.erase();
    } else if (source.getDefiningOp<tensor::EmptyOp>()) {
      Value empty = tensor::EmptyOp::create(builder, slice.getLoc(), slice.getMixedSizes(),
                                            slice.getType().getElementType());
      slice.replaceAllUsesWith(empty);
      slice.erase();
    } else if (auto producer = source.getDefiningOp<linalg::LinalgOp>()) {
      FailureOr<TilingResult> part =
          cast<TilingInterface>(producer.getOperation())
              .generateResultTileValue(builder, cast<OpResult>(source).getResultNumber(),
                                       slice.getMixedOffsets(), slice.getMixedSizes());
      if (failed(part))
        return producer->emitOpError() << "cannot be computed in blocks";
      slice.replaceAllUsesWith(part->tiledValues[0]);
      slice.erase();
      llvm::append_range(slices, part->generatedSlices);
    }
  }
  return success();
}

/// The step of `op` for `size` indices of its reducing loop, from `offset` on.
static FailureOr<SmallVector<Value>> emitBlock(OpBuilder &builder, OnlineReduceOp op,
                                               ValueRange inits, OpFoldResult offset,
                                               int64_t size) {
  unsigned loop = op.getFirstReduction();
  SmallVector<OpFoldResult> offsets(op.getNumLoops(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> sizes =
      getAsIndexOpFoldResult(builder.getContext(), op.getLoopExtents());
  offsets[loop] = offset;
  sizes[loop] = builder.getIndexAttr(size);
  auto maps = llvm::map_to_vector(op.getMaps().getAsValueRange<AffineMapAttr>(),
                                  [](AffineMap map) { return map; });
  OnlineReduceOp fromInits =
      op.cloneWith(builder, op.getInputs(), inits, maps, op.getNumReductions());
  FailureOr<TilingResult> tile = fromInits.getTiledImplementation(builder, offsets, sizes);
  if (failed(tile))
    return failure();
  auto block = cast<OnlineReduceOp>(tile->tiledOps.front());
  fromInits.erase();
  if (failed(fuseProducers(builder, tile->generatedSlices)))
    return failure();
  builder.setInsertionPoint(block);
  SmallVector<Value> results = StepWriter(builder, block).write();
  builder.setInsertionPointAfter(block);
  block.erase();
  return results;
}

/// Indices of the reducing loop for which the inputs take about `bytes`, in blocks of about the
/// same size.
static int64_t blockOf(OnlineReduceOp op, int64_t bytes) {
  SmallVector<int64_t> extents = op.getLoopExtents();
  unsigned loop = op.getFirstReduction();
  int64_t extent = std::max<int64_t>(extents[loop], 1);
  if (bytes == 0)
    return extent;
  // Only the innermost loop of each input is counted beside this one: outer ones are divided.
  int64_t perIndex = 0;
  bool hasOther = false;
  for (auto [number, input] : llvm::enumerate(op.getInputs())) {
    int64_t elements = 1;
    for (AffineExpr expr : op.getMap(number).getResults()) {
      unsigned other = cast<AffineDimExpr>(expr).getPosition();
      if (op.getInitMap(0).isFunctionOfDim(other) || other == loop)
        continue;
      elements *= extents[other];
      hasOther = true;
    }
    perIndex += elements * getElementTypeOrSelf(input).getIntOrFloatBitWidth() / 8;
  }
  // Sums along other loops too are products of matrices: of a few indices, there would be little to
  // multiply between two barriers.
  int64_t least = hasOther ? 64 : 1;
  int64_t blocks = llvm::divideCeil(extent, std::max<int64_t>(bytes / perIndex, least));
  // Whole cache lines of scores, whatever the vectors.
  int64_t block = llvm::alignTo(llvm::divideCeil(extent, blocks), 16);
  return std::min(block, extent);
}

static LogicalResult decompose(OnlineReduceOp op, int64_t blockBytes) {
  if (op.getNumReductions() != 1)
    return op.emitOpError() << "reduces " << op.getNumReductions() << " loops, not one";
  OpBuilder builder(op);
  Location loc = op.getLoc();
  int64_t extent = op.getLoopExtents()[op.getFirstReduction()];
  int64_t block = blockOf(op, blockBytes), whole = extent / block * block;
  SmallVector<Value> results(op.getInits());
  if (whole > block) {
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value end = arith::ConstantIndexOp::create(builder, loc, whole);
    Value step = arith::ConstantIndexOp::create(builder, loc, block);
    auto loop = scf::ForOp::create(builder, loc, zero, end, step, results);
    builder.setInsertionPointToStart(loop.getBody());
    FailureOr<SmallVector<Value>> inLoop =
        emitBlock(builder, op, loop.getRegionIterArgs(), loop.getInductionVar(), block);
    if (failed(inLoop))
      return failure();
    scf::YieldOp::create(builder, loc, *inLoop);
    results = loop.getResults();
    builder.setInsertionPointAfter(loop);
  } else if (whole == block) {
    FailureOr<SmallVector<Value>> only =
        emitBlock(builder, op, results, builder.getIndexAttr(0), block);
    if (failed(only))
      return failure();
    results = *only;
  }
  if (whole < extent) {
    FailureOr<SmallVector<Value>> rest =
        emitBlock(builder, op, results, builder.getIndexAttr(whole), extent - whole);
    if (failed(rest))
      return failure();
    results = *rest;
  }
  op.replaceAllUsesWith(results);
  op.erase();
  return success();
}

LogicalResult mlir::tiny::decomposeOnlineReductions(func::FuncOp function, int64_t blockBytes) {
  SmallVector<OnlineReduceOp> ops;
  function.walk([&](OnlineReduceOp op) { ops.push_back(op); });
  for (OnlineReduceOp op : ops)
    if (failed(decompose(op, blockBytes)))
      return failure();
  if (ops.empty())
    return success();
  // The nests that were computed for blocks are not needed whole any more.
  function.walk<WalkOrder::PostOrder, mlir::ReverseIterator>([&](Operation *op) {
    if (isOpTriviallyDead(op))
      op->erase();
  });
  return success();
}
