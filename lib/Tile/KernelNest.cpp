//===- KernelNest.cpp - read the loops and accesses of one nest -----------===//

#include "KernelNest.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

std::optional<int64_t> Access::strideAlong(unsigned loop) const {
  if (computedLoops >> loop & 1)
    return std::nullopt;
  return LinearIndex(flat).strideAlong(loop);
}

uint64_t KernelNest::loopsOf(AffineExpr expr) const {
  uint64_t result = 0;
  expr.walk([&](AffineExpr e) {
    if (auto dim = dyn_cast<AffineDimExpr>(e))
      result |= uint64_t(1) << dim.getPosition();
    else if (auto symbol = dyn_cast<AffineSymbolExpr>(e))
      result |= symbols[symbol.getPosition()].loops;
  });
  return result;
}

/// The values that a loop from `low` to `high` takes.
static std::optional<Interval> rangeOfLoop(std::optional<int64_t> low, std::optional<int64_t> high,
                                           std::optional<int64_t> step) {
  if (!low || !high || !step || *high <= *low)
    return std::nullopt;
  return Interval{*low, *low + (*high - 1 - *low) / *step * *step};
}

/// The values that the number of a workgroup or of a block takes; a value that nothing is known of
/// is an error for the caller, so that no bound rests on a guess.
static std::optional<Interval> rangeOfOuter(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument)
    return std::nullopt;
  Operation *parent = argument.getOwner()->getParentOp();
  if (auto loop = dyn_cast<scf::ForOp>(parent)) {
    if (argument != loop.getInductionVar())
      return std::nullopt;
    return rangeOfLoop(getConstantIntValue(loop.getLowerBound()),
                       getConstantIntValue(loop.getUpperBound()),
                       getConstantIntValue(loop.getStep()));
  }
  auto forall = dyn_cast<scf::ForallOp>(parent);
  if (!forall || argument.getArgNumber() >= forall.getRank())
    return std::nullopt;
  unsigned loop = argument.getArgNumber();
  return rangeOfLoop(getConstantIntValue(forall.getMixedLowerBound()[loop]),
                     getConstantIntValue(forall.getMixedUpperBound()[loop]),
                     getConstantIntValue(forall.getMixedStep()[loop]));
}

/// `index` as an expression of the loops and of values from outside of the nest.
FailureOr<AffineExpr> KernelNest::indexExpr(Value index) {
  MLIRContext *context = epilogue.getContext();
  IntegerAttr constant;
  if (matchPattern(index, m_Constant(&constant)))
    return getAffineConstantExpr(constant.getInt(), context);
  if (auto loop = index.getDefiningOp<linalg::IndexOp>())
    return getAffineDimExpr(loop.getDim(), context);
  if (auto apply = index.getDefiningOp<affine::AffineApplyOp>()) {
    SmallVector<AffineExpr> operands;
    for (Value operand : apply.getOperands()) {
      FailureOr<AffineExpr> expr = indexExpr(operand);
      if (failed(expr))
        return failure();
      operands.push_back(*expr);
    }
    AffineMap map = apply.getAffineMap();
    ArrayRef<AffineExpr> all(operands);
    return map.getResult(0).replaceDimsAndSymbols(all.take_front(map.getNumDims()),
                                                  all.drop_front(map.getNumDims()));
  }
  for (auto [number, known] : llvm::enumerate(symbols))
    if (known.value == index && !known.computed)
      return getAffineSymbolExpr(number, context);
  std::optional<Interval> range = rangeOfOuter(index);
  if (!range)
    return epilogue.emitOpError() << "uses an index that is neither a loop nor a workgroup: "
                                  << index;
  symbols.push_back({index});
  space.symbols.push_back(*range);
  return getAffineSymbolExpr(symbols.size() - 1, context);
}

/// Whether the body computes `index` from data.
static bool isComputed(Value index) {
  Operation *op = index.getDefiningOp();
  return op && isa<linalg::GenericOp>(op->getParentOp()) &&
         !isa<linalg::IndexOp, affine::AffineApplyOp>(op) && !matchPattern(op, m_Constant());
}

/// A symbol for an index of `read` that the body computes, with the range of the guard that bounds
/// it. An earlier guard may not depend on it: that would have to be tested on any number at all.
FailureOr<AffineExpr> KernelNest::computedIndex(ReadOp read, unsigned position) {
  for (auto [number, expr] : llvm::enumerate(read.getGuard().getResults())) {
    if (!expr.isFunctionOfDim(position))
      continue;
    if (!isa<AffineDimExpr>(expr))
      break;
    Value index = read.getIndices()[position];
    int64_t low = read.getLows()[number], high = read.getHighs()[number];
    symbols.push_back({index, true, loops.lookup(index)});
    space.symbols.push_back({low, std::max(high - 1, low)});
    return getAffineSymbolExpr(symbols.size() - 1, read.getContext());
  }
  return read.emitOpError() << "has index " << position
                            << ", which is computed from data: a guard on it alone must come first";
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

/// What a loop carries lies where it did before the loop.
static Value beforeLoops(Value value) {
  while (true) {
    scf::ForOp loop = value.getDefiningOp<scf::ForOp>();
    OpOperand *init = nullptr;
    if (loop) {
      init = loop.getTiedLoopInit(cast<OpResult>(value));
    } else if (auto argument = dyn_cast<BlockArgument>(value)) {
      loop = dyn_cast_or_null<scf::ForOp>(argument.getOwner()->getParentOp());
      init = loop ? loop.getTiedLoopInit(argument) : nullptr;
    }
    if (!init)
      return value;
    value = init->get();
  }
}

/// The access of `source` at `indices`, followed through slices to the kernel's argument or to a
/// local.
FailureOr<Access> KernelNest::access(Value source, SmallVector<AffineExpr> indices) {
  while (Operation *op = (source = beforeLoops(source)).getDefiningOp()) {
    if (isa<memref::AllocOp, memref::AllocaOp>(op))
      break;
    // The result of a nest lies where its destination does.
    if (auto nest = dyn_cast<linalg::GenericOp>(op)) {
      Value init = destinationOf(nest)->get();
      if (init.getDefiningOp<tensor::EmptyOp>())
        break;
      source = init;
      continue;
    }
    if (isa<memref::ExpandShapeOp, tensor::ExpandShapeOp>(op)) { // a run of elements
      AffineExpr flat = getAffineConstantExpr(0, op->getContext());
      for (auto [size, index] : llvm::zip(cast<ShapedType>(source.getType()).getShape(), indices))
        flat = flat * size + index;
      indices = {flat};
      source = op->getOperand(0);
      continue;
    }
    auto slice = dyn_cast<OffsetSizeAndStrideOpInterface>(op);
    if (!slice || !isa<memref::SubViewOp, tensor::ExtractSliceOp>(op))
      return op->emitOpError() << "is accessed by a kernel, but is neither a local nor a slice of "
                                  "one of its arguments";
    llvm::SmallBitVector dropped = isa<memref::SubViewOp>(op)
                                       ? cast<memref::SubViewOp>(op).getDroppedDims()
                                       : cast<tensor::ExtractSliceOp>(op).getDroppedDims();
    SmallVector<AffineExpr> outer;
    unsigned inner = 0;
    for (auto [dim, offset] : llvm::enumerate(slice.getMixedOffsets())) {
      std::optional<int64_t> stride = getConstantIntValue(slice.getMixedStrides()[dim]);
      if (!stride)
        return op->emitOpError() << "has a stride that is not constant";
      AffineExpr expr = getAffineConstantExpr(0, op->getContext());
      if (!dropped.test(dim))
        expr = indices[inner++] * *stride;
      if (std::optional<int64_t> constant = getConstantIntValue(offset)) {
        outer.push_back(expr + *constant);
        continue;
      }
      FailureOr<AffineExpr> offsetExpr = indexExpr(cast<Value>(offset));
      if (failed(offsetExpr))
        return failure();
      outer.push_back(expr + *offsetExpr);
    }
    indices = std::move(outer);
    source = op->getOperand(0);
  }
  auto type = cast<ShapedType>(source.getType());
  AffineExpr flat = getAffineConstantExpr(0, source.getContext());
  int64_t stride = 1;
  for (auto [size, index] : llvm::reverse(llvm::zip(type.getShape(), indices))) {
    flat = flat + index * stride;
    stride *= size;
  }
  Access result;
  result.source = source;
  result.elements = type.getNumElements();
  result.flat = space.simplify(flat);
  result.type = type.getElementType();
  result.loops = loopsOf(result.flat);
  return result;
}

/// Records what the operands of `op` access, but for an accumulator's.
LogicalResult KernelNest::addOperands(linalg::GenericOp op) {
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (isScan() && argument == accumulator())
      loops[argument] = (uint64_t(1) << numLoops()) - 1;
    if (argument.use_empty() || (op == reduction && op.isDpsInit(&operand)))
      continue;
    if (argument == accumulated()) {
      loops[argument] = (uint64_t(1) << numParallel) - 1;
      continue;
    }
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!map.isProjectedPermutation())
      return op.emitOpError() << "has an operand with the map " << AffineMapAttr::get(map)
                              << ", which is no projected permutation";
    FailureOr<Access> found = access(operand.get(), llvm::to_vector(map.getResults()));
    if (failed(found))
      return failure();
    loops[argument] = found->loops;
    accesses.insert({argument, *found});
  }
  return success();
}

/// Records the indices and the reads of `op`'s body, and which loops move each of its values.
LogicalResult KernelNest::addBody(linalg::GenericOp op) {
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (auto read = dyn_cast<ReadOp>(inner)) {
      if (failed(addRead(read)))
        return failure();
      continue;
    }
    if (isa<PlaceOp>(inner)) // of the store
      continue;
    uint64_t moving = 0;
    if (isa<linalg::IndexOp, affine::AffineApplyOp>(inner)) {
      FailureOr<AffineExpr> expr = indexExpr(inner.getResult(0));
      if (failed(expr))
        return failure();
      AffineExpr simple = space.simplify(*expr);
      indices[inner.getResult(0)] = simple;
      moving = loopsOf(simple);
    } else {
      for (Value operand : inner.getOperands())
        moving |= loops.lookup(operand);
    }
    for (Value result : inner.getResults())
      loops[result] = moving;
  }
  return success();
}

LogicalResult KernelNest::addRead(ReadOp read) {
  SmallVector<AffineExpr> indices;
  uint64_t computedLoops = 0;
  bool anyComputed = false;
  for (auto [position, index] : llvm::enumerate(read.getIndices())) {
    bool computed = isComputed(index);
    FailureOr<AffineExpr> expr = computed ? computedIndex(read, position) : indexExpr(index);
    if (failed(expr))
      return failure();
    indices.push_back(*expr);
    anyComputed |= computed;
    if (computed)
      computedLoops |= loopsOf(*expr);
  }
  auto compose = [&](AffineMap map) {
    return llvm::map_to_vector(map.getResults(),
                               [&](AffineExpr e) { return e.replaceDims(indices); });
  };
  FailureOr<Access> found = access(read.getSource(), compose(read.getMap()));
  if (failed(found))
    return failure();
  found->computed = anyComputed;
  found->computedLoops = computedLoops;
  llvm::SmallDenseSet<AffineExpr> bounded;
  for (auto [number, expr] : llvm::enumerate(compose(read.getGuard()))) {
    Guard guard;
    guard.expr = space.simplify(expr);
    guard.low = read.getLows()[number];
    guard.high = read.getHighs()[number];
    guard.pad = cast<TypedAttr>(read.getPads()[number]);
    guard.loops = loopsOf(guard.expr);
    auto symbol = dyn_cast<AffineSymbolExpr>(guard.expr);
    bool bounds = symbol && symbols[symbol.getPosition()].computed && bounded.insert(symbol).second;
    if (bounds)
      guard.computed = symbols[symbol.getPosition()].value;
    Interval range = space.rangeOf(guard.expr);
    if (!bounds && range.min >= guard.low && range.max < guard.high)
      continue;
    found->loops |= guard.loops;
    found->guards.push_back(guard);
  }
  loops[read.getResult()] = found->loops;
  accesses.insert({read.getResult(), *found});
  return success();
}

//===----------------------------------------------------------------------===//
// The nest
//===----------------------------------------------------------------------===//

bool KernelNest::inReduction(Value value) const {
  return reduction && value.getParentBlock() == &reduction->getRegion(0).front();
}

Value KernelNest::stored() const {
  return linalg::GenericOp(epilogue).getBody()->getTerminator()->getOperands().back();
}

BlockArgument KernelNest::accumulator() const {
  return linalg::GenericOp(reduction).getRegionOutputArgs().front();
}

BlockArgument KernelNest::accumulated() const {
  if (!reduction || isScan())
    return {};
  linalg::GenericOp op = epilogue, producer = reduction;
  Value result = op.hasPureTensorSemantics() ? producer.getResult(0) : producer.getDpsInits()[0];
  for (OpOperand *input : op.getDpsInputOperands())
    if (input->get() == result)
      return op.getMatchingBlockArgument(input);
  return {};
}

/// Puts back a combination that a folder took out, because its value is the same at every point:
/// a neutral one leaves the accumulator as it is, an absorbing one makes a constant of it.
static void restoreCombination(linalg::GenericOp reduction) {
  auto yield = cast<linalg::YieldOp>(reduction.getBody()->getTerminator());
  Value accumulator = reduction.getRegionOutputArgs()[0], yielded = yield.getOperand(0);
  Location loc = yield.getLoc();
  OpBuilder b(yield);
  Type type = accumulator.getType();
  if (yielded == accumulator) {
    Value combination;
    if (auto floatType = dyn_cast<FloatType>(type)) {
      APFloat least = APFloat::getInf(floatType.getFloatSemantics(), /*Negative=*/true);
      Value neutral = arith::ConstantOp::create(b, loc, b.getFloatAttr(type, least));
      combination = arith::MaximumFOp::create(b, loc, accumulator, neutral);
    } else {
      Value neutral = arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, 0));
      combination = arith::OrIOp::create(b, loc, accumulator, neutral);
    }
    yield.setOperand(0, combination);
    return;
  }
  APInt constant;
  if (!matchPattern(yielded, m_ConstantInt(&constant)))
    return;
  Value combination;
  if (constant.isZero())
    combination = arith::MulIOp::create(b, loc, accumulator, yielded);
  else if (constant.isMaxSignedValue())
    combination = arith::MaxSIOp::create(b, loc, accumulator, yielded);
  else
    combination = arith::OrIOp::create(b, loc, accumulator, yielded);
  yield.setOperand(0, combination);
}

/// Takes the reduction's body apart into `combine(accumulator, reduced)`.
LogicalResult KernelNest::findReduction() {
  restoreCombination(reduction);
  BlockArgument accumulator = reduction.getRegionOutputArgs()[0];
  combine =
      cast<linalg::YieldOp>(reduction.getBody()->getTerminator()).getOperand(0).getDefiningOp();
  if (!combine ||
      !isa<arith::AddFOp, arith::MulFOp, arith::MaximumFOp, arith::AddIOp, arith::MulIOp,
           arith::MaxSIOp, arith::MaxUIOp, arith::XOrIOp, arith::AndIOp, arith::OrIOp>(combine) ||
      !llvm::is_contained(combine->getOperands(), Value(accumulator)) ||
      (!isScan() && !accumulator.hasOneUse()))
    return reduction.emitOpError()
           << "must yield one combining arith op of its accumulator and a value";
  reduced = combine->getOperand(combine->getOperand(0) == accumulator ? 1 : 0);

  identity = fill.getInputs()[0];
  return success();
}

/// Records where the nest stores: by its parallel loops in order, and along some dims where its
/// body says.
LogicalResult KernelNest::addStore() {
  OpOperand *out = destinationOf(epilogue);
  AffineMap map = epilogue.getMatchingIndexingMap(out);
  auto shape = cast<ShapedType>(out->get().getType()).getShape();
  SmallVector<AffineExpr> indices(map.getResults());
  SmallVector<Guard> guards;
  for (PlaceOp place : epilogue.getBody()->getOps<PlaceOp>()) {
    unsigned dim = place.getDim();
    if (dim >= indices.size() || !isa<AffineConstantExpr>(indices[dim]))
      return place.emitOpError() << "is for dim " << dim
                                 << ", which the map of the destination has no constant for";
    Guard guard;
    guard.high = shape[dim];
    if (isComputed(place.getIndex())) {
      guard.computed = place.getIndex();
      symbols.push_back({place.getIndex(), true, loops.lookup(place.getIndex())});
      space.symbols.push_back({0, std::max<int64_t>(guard.high, 1) - 1});
      indices[dim] = getAffineSymbolExpr(symbols.size() - 1, place.getContext());
    } else {
      FailureOr<AffineExpr> index = indexExpr(place.getIndex());
      if (failed(index))
        return failure();
      indices[dim] = *index;
    }
    guard.expr = space.simplify(indices[dim]);
    guard.loops = loopsOf(guard.expr);
    Interval range = space.rangeOf(guard.expr);
    if (guard.computed || range.min < guard.low || range.max >= guard.high)
      guards.push_back(guard);
  }
  // The loop of a scan is where it belongs among the others; or it is what decides.
  unsigned next = 0;
  for (AffineExpr expr : map.getResults())
    if (!isa<AffineConstantExpr>(expr) &&
        !(isScan() && expr == getAffineDimExpr(numParallel, expr.getContext())) &&
        expr != getAffineDimExpr(next++, expr.getContext()))
      return epilogue.emitOpError() << "must write its destination by its loops in order";
  if (next != numParallel)
    return epilogue.emitOpError() << "must write its destination by all of its loops";
  Value result = epilogue.hasPureTensorSemantics() ? epilogue.getResults().back() : out->get();
  FailureOr<Access> found = access(result, indices);
  if (failed(found))
    return failure();
  store = *found;
  for (const Guard &guard : guards) {
    store.loops |= guard.loops;
    store.computed |= bool(guard.computed);
    if (guard.computed)
      store.computedLoops |= guard.loops;
  }
  store.guards = std::move(guards);
  return success();
}

FailureOr<KernelNest> KernelNest::get(linalg::FillOp fill, linalg::GenericOp reduction,
                                      linalg::GenericOp epilogue) {
  KernelNest nest;
  nest.fill = fill;
  nest.reduction = reduction;
  nest.epilogue = epilogue;
  linalg::GenericOp root = reduction ? reduction : epilogue;
  nest.sizes = root.getStaticLoopRanges();
  nest.numParallel = epilogue.getNumParallelLoops();
  if (epilogue.getNumLoops() != nest.numParallel + nest.isScan())
    return epilogue.emitOpError() << "must have parallel loops only, but for the one of a scan";
  for (auto [loop, type] : llvm::enumerate(root.getIteratorTypesArray()))
    if ((type == utils::IteratorType::parallel) != (loop < nest.numParallel))
      return root.emitOpError() << "must have its " << nest.numParallel
                                << " parallel loops first, then its reduction loops";
  for (int64_t size : nest.sizes)
    nest.space.dims.push_back({0, std::max<int64_t>(size, 1) - 1});

  if (nest.isScan()) {
    if (failed(nest.findReduction()))
      return failure();
  } else if (reduction) {
    if (failed(nest.findReduction()))
      return failure();
    BlockArgument accumulated = nest.accumulated();
    if (!accumulated ||
        !epilogue.getMatchingIndexingMap(epilogue.getMatchingOpOperand(accumulated)).isIdentity())
      return epilogue.emitOpError() << "must read the reduction's result by an identity map";
    if (reduction.hasPureTensorSemantics() && !reduction->hasOneUse())
      return reduction.emitOpError() << "must have its epilogue as its only user";
    if (failed(nest.addOperands(reduction)) || failed(nest.addBody(reduction)))
      return failure();
  }
  if (failed(nest.addOperands(epilogue)) || failed(nest.addBody(epilogue)))
    return failure();

  if (failed(nest.addStore()))
    return failure();
  return nest;
}

bool mlir::tiny::isMultiplyAdd(const KernelNest &nest) {
  if (!nest.combine || !isa<arith::AddFOp>(nest.combine))
    return false;
  auto product = nest.reduced.getDefiningOp<arith::MulFOp>();
  return product && product->hasOneUse();
}
