//===- LowerToAffine.cpp - kernels as affine loops ------------------------===//
//
// The exit of a kernel that always works: plain loops whose bounds, accesses and guards
// are affine, so that upstream's affine analyses can read them. The loops are written
// from the tensor form at once. Upstream bufferises first and takes op by op then, which
// puts every accumulator into memory, in the shape of the result; the form of a kernel
// says where each value lives, so that an accumulator is a value that a loop carries and
// a local has the part of one iteration of the loops that its nests share.
//
//===----------------------------------------------------------------------===//

#include "KernelNest.h"

#include "Tiny/IR/OnlineReduce.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/IntegerSet.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/Passes.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_LOWERTOAFFINEPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

namespace {
/// Where the elements of a tensor are: `index` takes its dims to an index of the buffer. A local of
/// one element is that element, without a buffer.
struct Place {
  Value buffer, element;
  SmallVector<AffineExpr> index;
};

/// Rewrites one kernel.
class AffineLowering {
public:
  AffineLowering(func::FuncOp function, const KernelNests &kernel)
      : function(function), kernel(kernel), builder(function.getContext()) {}

  void lower();

private:
  // Loops. One of size 1 is none: its index is 0.
  void emitGroup(const NestGroup &group);
  void emitNest(const KernelNest &nest, const SmallVector<bool> &isShared);
  void openParallel(Location loc, ArrayRef<int64_t> sizes, SmallVectorImpl<AffineExpr> &indices);
  AffineExpr addLoop(Value variable, int64_t size);
  Value emitReduction(const KernelNest &nest, const Place &place);
  void emitStore(const KernelNest &nest, Value result, const Place &place);

  // Values.
  Value emitBody(linalg::GenericOp op, Value accumulated, BlockArgument argument);
  Value emitIndex(AffineExpr expr);
  Place placeOf(Value tensor) const;
  Place createPlace(const KernelNest &nest, const SmallVector<bool> &isShared);
  SmallVector<AffineExpr> resolved(ArrayRef<AffineExpr> exprs, ArrayRef<AffineExpr> dims) const;
  Value load(Location loc, const Place &place, ArrayRef<AffineExpr> dims);

  // Reads.
  FailureOr<AffineExpr> indexExpr(Value index);
  Value emitRead(ReadOp read);
  Value emitRead(ReadOp read, ArrayRef<AffineExpr> guards, unsigned next,
                 ArrayRef<AffineExpr> source);
  Value loadAt(Location loc, const Place &place, ArrayRef<AffineExpr> index);
  SmallVector<Value> expand(Location loc, ArrayRef<AffineExpr> exprs);

  func::FuncOp function;
  const KernelNests &kernel;
  OpBuilder builder;
  llvm::DenseMap<Value, Place> places; ///< By argument, or by result of a nest.
  IRMapping scalars;                   ///< Of the kernel, outside of its nests.

  // Where the builder stands: the loops around it are the dims of `space`, indices that a body
  // computes its symbols.
  IndexSpace space;
  SmallVector<Value> variables, computed;
  SmallVector<AffineExpr> loops; ///< The index of each of the current nest's loops.
  IRMapping values;              ///< Of the bodies.
};
} // namespace

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

AffineExpr AffineLowering::addLoop(Value variable, int64_t size) {
  variables.push_back(variable);
  space.dims.push_back({0, std::max<int64_t>(size, 1) - 1});
  return builder.getAffineDimExpr(variables.size() - 1);
}

/// One parallel loop over `sizes`; the builder moves into it, and `indices` become its indices.
void AffineLowering::openParallel(Location loc, ArrayRef<int64_t> sizes,
                                  SmallVectorImpl<AffineExpr> &indices) {
  SmallVector<int64_t> ranges;
  llvm::copy_if(sizes, std::back_inserter(ranges), [](int64_t size) { return size != 1; });
  affine::AffineParallelOp loop;
  if (!ranges.empty()) {
    loop = affine::AffineParallelOp::create(builder, loc, TypeRange(),
                                            ArrayRef<arith::AtomicRMWKind>(), ranges);
    builder.setInsertionPointToStart(loop.getBody());
  }
  unsigned next = 0;
  for (int64_t size : sizes)
    indices.push_back(size == 1 ? builder.getAffineConstantExpr(0)
                                : addLoop(loop.getIVs()[next++], size));
}

void AffineLowering::emitGroup(const NestGroup &group) {
  OpBuilder::InsertionGuard guard(builder);
  const KernelNest &first = kernel.nests[group.nests.front()];
  auto sizes = llvm::map_to_vector(group.shared, [&](auto &own) { return first.sizes[own[0]]; });
  SmallVector<AffineExpr> shared;
  openParallel(first.loc(), sizes, shared);
  for (auto [member, number] : llvm::enumerate(group.nests)) {
    const KernelNest &nest = kernel.nests[number];
    SmallVector<bool> isShared(nest.numLoops(), false);
    loops.assign(nest.numLoops(), AffineExpr());
    for (auto [own, index] : llvm::zip(group.shared, shared)) {
      isShared[own[member]] = true;
      loops[own[member]] = index;
    }
    emitNest(nest, isShared);
  }
  variables.clear();
  space.dims.clear();
}

void AffineLowering::emitNest(const KernelNest &nest, const SmallVector<bool> &isShared) {
  OpBuilder::InsertionGuard guard(builder);
  size_t outerLoops = variables.size();
  linalg::GenericOp epilogue = nest.epilogue;
  Place place = createPlace(nest, isShared);

  SmallVector<int64_t> sizes;
  for (unsigned loop = 0; loop < nest.numParallel; ++loop)
    if (!isShared[loop])
      sizes.push_back(nest.sizes[loop]);
  SmallVector<AffineExpr> inner;
  openParallel(nest.loc(), sizes, inner);
  for (unsigned loop = 0, next = 0; loop < nest.numParallel; ++loop)
    if (!isShared[loop])
      loops[loop] = inner[next++];

  values = scalars;
  Value accumulated = nest.reduction ? emitReduction(nest, place) : Value();
  Value result = nest.isScan() ? Value() : emitBody(epilogue, accumulated, nest.accumulated());
  if (nest.isScan()) {
    // has stored on its way
  } else if (place.buffer) {
    emitStore(nest, result, place);
  } else {
    place.element = result;
  }
  places[epilogue.getResults().back()] = place;
  variables.resize(outerLoops);
  space.dims.resize(outerLoops);
}

/// Stores what `nest` has computed. At an index that the body computes it happens only where that
/// is within bounds, and is no affine access.
void AffineLowering::emitStore(const KernelNest &nest, Value result, const Place &place) {
  linalg::GenericOp epilogue = nest.epilogue;
  OpBuilder::InsertionGuard guard(builder);
  OpOperand *out = destinationOf(epilogue);
  SmallVector<AffineExpr> dims = resolved(epilogue.getMatchingIndexingMap(out).getResults(), loops);
  ArrayRef<int64_t> shape = cast<ShapedType>(out->get().getType()).getShape();
  for (PlaceOp at : epilogue.getBody()->getOps<PlaceOp>()) {
    int64_t size = shape[at.getDim()];
    if (FailureOr<AffineExpr> known = indexExpr(at.getIndex()); succeeded(known)) {
      AffineExpr simple = space.simplify(*known);
      Interval range = space.rangeOf(simple);
      if (range.min >= 0 && range.max < size) {
        dims[at.getDim()] = simple;
        continue;
      }
    }
    Value number = values.lookupOrDefault(at.getIndex());
    auto compare = [&](arith::CmpIPredicate predicate, int64_t bound) -> Value {
      Value constant = arith::ConstantIndexOp::create(builder, nest.loc(), bound);
      return arith::CmpIOp::create(builder, nest.loc(), predicate, number, constant);
    };
    Value holds = arith::AndIOp::create(builder, nest.loc(), compare(arith::CmpIPredicate::sge, 0),
                                        compare(arith::CmpIPredicate::slt, size));
    auto branch = scf::IfOp::create(builder, nest.loc(), holds, /*withElseRegion=*/false);
    builder.setInsertionPointToStart(branch.thenBlock());
    dims[at.getDim()] = builder.getAffineSymbolExpr(computed.size());
    computed.push_back(number);
    space.symbols.push_back({0, std::max<int64_t>(size, 1) - 1});
  }
  SmallVector<AffineExpr> index = resolved(place.index, dims);
  if (!computed.empty()) {
    memref::StoreOp::create(builder, nest.loc(), result, place.buffer, expand(nest.loc(), index));
    computed.clear();
    space.symbols.clear();
    return;
  }
  AffineMap map = AffineMap::get(variables.size(), 0, index, builder.getContext());
  SmallVector<Value> operands(variables);
  affine::canonicalizeMapAndOperands(&map, &operands);
  affine::AffineStoreOp::create(builder, nest.loc(), result, place.buffer, map, operands);
}

/// The reduction's loops, around the accumulator that they carry. A scan stores to `place` in each
/// step.
Value AffineLowering::emitReduction(const KernelNest &nest, const Place &place) {
  Value accumulator = values.lookupOrDefault(nest.identity);
  Operation *outermost = nullptr;
  for (unsigned loop = nest.numParallel; loop < nest.numLoops(); ++loop) {
    loops[loop] = builder.getAffineConstantExpr(0);
    if (nest.sizes[loop] == 1)
      continue;
    auto next = affine::AffineForOp::create(builder, nest.loc(), 0, nest.sizes[loop], 1,
                                            ValueRange(accumulator));
    outermost = outermost ? outermost : next;
    loops[loop] = addLoop(next.getInductionVar(), nest.sizes[loop]);
    accumulator = next.getRegionIterArgs()[0];
    builder.setInsertionPointToStart(next.getBody());
  }
  linalg::GenericOp reduction = nest.reduction;
  accumulator = emitBody(reduction, accumulator, nest.accumulator());
  if (nest.isScan())
    emitStore(nest, values.lookupOrDefault(nest.stored()), place);
  while (outermost) {
    Operation *innermost = builder.getInsertionBlock()->getParentOp();
    affine::AffineYieldOp::create(builder, nest.loc(), accumulator);
    accumulator = innermost->getResult(0);
    builder.setInsertionPointAfter(innermost);
    variables.pop_back();
    space.dims.pop_back();
    if (innermost == outermost)
      break;
  }
  return accumulator;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Copies the body of `op`, in which `argument` is `accumulated`; gives what it yields.
Value AffineLowering::emitBody(linalg::GenericOp op, Value accumulated, BlockArgument argument) {
  if (argument)
    values.map(argument, accumulated);
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument element = op.getMatchingBlockArgument(&operand);
    if (element == argument || element.use_empty())
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    SmallVector<AffineExpr> dims = resolved(map.getResults(), loops);
    values.map(element, load(op.getLoc(), placeOf(operand.get()), dims));
  }
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (auto read = dyn_cast<ReadOp>(inner))
      values.map(read.getResult(), emitRead(read));
    else if (auto index = dyn_cast<linalg::IndexOp>(inner))
      values.map(index.getResult(), emitIndex(loops[index.getDim()]));
    else if (!isa<PlaceOp>(inner)) // looked at by emitStore
      builder.clone(inner, values);
  }
  return values.lookupOrDefault(op.getBody()->getTerminator()->getOperand(0));
}

/// The value of a loop's index.
Value AffineLowering::emitIndex(AffineExpr expr) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return variables[dim.getPosition()];
  return arith::ConstantIndexOp::create(builder, function.getLoc(),
                                        cast<AffineConstantExpr>(expr).getValue());
}

/// `exprs` of `dims`, as expressions of the loops.
SmallVector<AffineExpr> AffineLowering::resolved(ArrayRef<AffineExpr> exprs,
                                                 ArrayRef<AffineExpr> dims) const {
  return llvm::map_to_vector(
      exprs, [&](AffineExpr expr) { return space.simplify(expr.replaceDims(dims)); });
}

Place AffineLowering::placeOf(Value tensor) const {
  auto known = places.find(tensor);
  if (known != places.end())
    return known->second;
  // What else a nest accesses is a slice of an argument: KernelNest has seen to that.
  if (auto expand = tensor.getDefiningOp<tensor::ExpandShapeOp>()) { // a run of elements
    Place place = placeOf(expand.getSrc());
    AffineExpr flat = getAffineConstantExpr(0, tensor.getContext());
    for (auto [dim, size] : llvm::enumerate(expand.getResultType().getShape()))
      flat = flat * size + getAffineDimExpr(dim, tensor.getContext());
    for (AffineExpr &expr : place.index)
      expr = expr.replaceDims(flat);
    return place;
  }
  auto slice = cast<tensor::ExtractSliceOp>(tensor.getDefiningOp());
  Place place = placeOf(slice.getSource());
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  SmallVector<AffineExpr> dims;
  unsigned inner = 0;
  for (auto [dim, offset] : llvm::enumerate(slice.getStaticOffsets())) {
    AffineExpr expr = getAffineConstantExpr(offset, tensor.getContext());
    if (!dropped.test(dim))
      expr = expr + getAffineDimExpr(inner++, tensor.getContext()) * slice.getStaticStrides()[dim];
    dims.push_back(expr);
  }
  for (AffineExpr &expr : place.index)
    expr = expr.replaceDims(dims);
  return place;
}

/// Where `nest` writes. A local has the dims of the loops that are not around the builder yet.
Place AffineLowering::createPlace(const KernelNest &nest, const SmallVector<bool> &isShared) {
  linalg::GenericOp epilogue = nest.epilogue;
  Value init = destinationOf(epilogue)->get();
  if (!init.getDefiningOp<tensor::EmptyOp>())
    return placeOf(init);
  Place place;
  SmallVector<int64_t> shape;
  for (unsigned loop = 0; loop < nest.numParallel; ++loop) {
    if (isShared[loop] || nest.sizes[loop] == 1)
      continue;
    shape.push_back(nest.sizes[loop]);
    place.index.push_back(builder.getAffineDimExpr(loop));
  }
  if (shape.empty())
    return place;
  auto type = MemRefType::get(shape, cast<ShapedType>(init.getType()).getElementType());
  place.buffer = memref::AllocaOp::create(builder, nest.loc(), type);
  return place;
}

/// The element at `dims` of a tensor.
Value AffineLowering::load(Location loc, const Place &place, ArrayRef<AffineExpr> dims) {
  return place.element ? place.element : loadAt(loc, place, resolved(place.index, dims));
}

//===----------------------------------------------------------------------===//
// Reads
//===----------------------------------------------------------------------===//

/// `index` as an expression of the loops, or failure if the body computes it from data.
FailureOr<AffineExpr> AffineLowering::indexExpr(Value index) {
  IntegerAttr constant;
  if (matchPattern(index, m_Constant(&constant)))
    return builder.getAffineConstantExpr(constant.getInt());
  if (auto loop = index.getDefiningOp<linalg::IndexOp>())
    return loops[loop.getDim()];
  auto apply = index.getDefiningOp<affine::AffineApplyOp>();
  if (!apply)
    return failure();
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

Value AffineLowering::emitRead(ReadOp read) {
  SmallVector<AffineExpr> dims;
  for (auto [position, index] : llvm::enumerate(read.getIndices())) {
    FailureOr<AffineExpr> expr = indexExpr(index);
    if (failed(expr)) {
      // Known where the guard on it holds, and nothing is computed from it elsewhere.
      expr = builder.getAffineSymbolExpr(computed.size());
      computed.push_back(values.lookup(index));
      unsigned bound =
          llvm::find(read.getGuard().getResults(), builder.getAffineDimExpr(position)) -
          read.getGuard().getResults().begin();
      int64_t low = read.getLows()[bound];
      space.symbols.push_back({low, std::max(read.getHighs()[bound] - 1, low)});
    }
    dims.push_back(*expr);
  }
  SmallVector<AffineExpr> guards = resolved(read.getGuard().getResults(), dims);
  Value result = emitRead(read, guards, 0, resolved(read.getMap().getResults(), dims));
  computed.clear();
  space.symbols.clear();
  return result;
}

/// `low <= expr < high` as constraints of an integer set, without what the ranges settle.
static void addConstraints(AffineExpr expr, int64_t low, int64_t high, const IndexSpace &space,
                           SmallVectorImpl<AffineExpr> &constraints, SmallVectorImpl<bool> &equal) {
  Interval range = space.rangeOf(expr);
  if (low + 1 == high && range.min <= low && low <= range.max && range.min != range.max) {
    constraints.push_back(expr - low);
    equal.push_back(true);
    return;
  }
  if (range.min < low) {
    constraints.push_back(expr - low);
    equal.push_back(false);
  }
  if (range.max >= high) {
    constraints.push_back(high - 1 - expr);
    equal.push_back(false);
  }
}

/// The read behind its guards from number `next` on: the first one that fails decides, so that each
/// is tested within those before it. Those with one pad value are one test.
Value AffineLowering::emitRead(ReadOp read, ArrayRef<AffineExpr> guards, unsigned next,
                               ArrayRef<AffineExpr> source) {
  Location loc = read.getLoc();
  if (next == guards.size())
    return loadAt(loc, placeOf(read.getSource()), source);
  auto isComputed = [&](AffineExpr expr) {
    for (unsigned symbol = 0; symbol < computed.size(); ++symbol)
      if (expr.isFunctionOfSymbol(symbol))
        return true;
    return false;
  };
  auto pad = cast<TypedAttr>(read.getPads()[next]);
  auto emitElse = [&] { return arith::ConstantOp::create(builder, loc, pad); };
  OpBuilder::InsertionGuard insertion(builder);

  if (isComputed(guards[next])) {
    Value number = expand(loc, guards[next]).front();
    auto compare = [&](arith::CmpIPredicate predicate, int64_t bound) -> Value {
      Value constant = arith::ConstantIndexOp::create(builder, loc, bound);
      return arith::CmpIOp::create(builder, loc, predicate, number, constant);
    };
    Value holds = arith::AndIOp::create(builder, loc,
                                        compare(arith::CmpIPredicate::sge, read.getLows()[next]),
                                        compare(arith::CmpIPredicate::slt, read.getHighs()[next]));
    auto choice = scf::IfOp::create(builder, loc, TypeRange(read.getType()), holds,
                                    /*withElseRegion=*/true);
    builder.setInsertionPointToStart(choice.thenBlock());
    scf::YieldOp::create(builder, loc, emitRead(read, guards, next + 1, source));
    builder.setInsertionPointToStart(choice.elseBlock());
    scf::YieldOp::create(builder, loc, ValueRange(emitElse()));
    return choice.getResult(0);
  }

  SmallVector<AffineExpr> constraints;
  SmallVector<bool> equal;
  for (; next < guards.size() && read.getPads()[next] == pad && !isComputed(guards[next]); ++next)
    addConstraints(guards[next], read.getLows()[next], read.getHighs()[next], space, constraints,
                   equal);
  if (constraints.empty())
    return emitRead(read, guards, next, source);
  IntegerSet set = IntegerSet::get(variables.size(), 0, constraints, equal);
  SmallVector<Value> operands(variables);
  affine::canonicalizeSetAndOperands(&set, &operands);
  auto choice = affine::AffineIfOp::create(builder, loc, TypeRange(read.getType()), set, operands,
                                           /*withElseRegion=*/true);
  builder.setInsertionPointToStart(choice.getThenBlock());
  affine::AffineYieldOp::create(builder, loc, emitRead(read, guards, next, source));
  builder.setInsertionPointToStart(choice.getElseBlock());
  affine::AffineYieldOp::create(builder, loc, ValueRange(emitElse()));
  return choice.getResult(0);
}

/// The element at `index` of a buffer. What the body computes is no affine index.
Value AffineLowering::loadAt(Location loc, const Place &place, ArrayRef<AffineExpr> index) {
  bool isAffine = llvm::none_of(index, [&](AffineExpr expr) {
    bool hasSymbol = false;
    expr.walk([&](AffineExpr part) { hasSymbol |= isa<AffineSymbolExpr>(part); });
    return hasSymbol;
  });
  if (!isAffine)
    return memref::LoadOp::create(builder, loc, place.buffer, expand(loc, index));
  AffineMap map = AffineMap::get(variables.size(), 0, index, builder.getContext());
  SmallVector<Value> operands(variables);
  affine::canonicalizeMapAndOperands(&map, &operands);
  return affine::AffineLoadOp::create(builder, loc, place.buffer, map, operands);
}

/// Expressions of loops and computed indices as arithmetic.
SmallVector<Value> AffineLowering::expand(Location loc, ArrayRef<AffineExpr> exprs) {
  return llvm::map_to_vector(exprs, [&](AffineExpr expr) {
    return affine::expandAffineExpr(builder, loc, expr, variables, computed);
  });
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

void AffineLowering::lower() {
  // The new body stands before the old one, which goes when nothing is read from it any more.
  Block &old = function.getBody().front();
  Block *body = builder.createBlock(&old);
  SmallVector<Type> types;
  for (BlockArgument argument : old.getArguments()) {
    auto tensor = cast<RankedTensorType>(argument.getType());
    types.push_back(MemRefType::get(tensor.getShape(), tensor.getElementType()));
    Place place;
    place.buffer = body->addArgument(types.back(), argument.getLoc());
    for (int64_t dim = 0; dim < tensor.getRank(); ++dim)
      place.index.push_back(builder.getAffineDimExpr(dim));
    places[argument] = place;
  }
  // An identity may be computed from a constant.
  for (Operation &op : old)
    if (isa<arith::ArithDialect>(op.getDialect()))
      builder.clone(op, scalars);
  for (const NestGroup &group : kernel.groups())
    emitGroup(group);
  func::ReturnOp::create(builder, old.getTerminator()->getLoc());
  old.dropAllDefinedValueUses();
  old.erase();
  function.setType(builder.getFunctionType(types, {}));
  function->removeAttr(tilingAttrName); // there are no tiles
}

namespace {
struct LowerToAffinePass : tiny::impl::LowerToAffinePassBase<LowerToAffinePass> {
  using LowerToAffinePassBase::LowerToAffinePassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(kernelAttrName))
      return;
    if (failed(decomposeOnlineReductions(function, /*blockBytes=*/0)))
      return signalPassFailure();
    FailureOr<KernelNests> kernel = KernelNests::get(function);
    if (failed(kernel))
      return signalPassFailure();
    AffineLowering(function, *kernel).lower();
    // Only here, since equal values of the host function have buffers of their own: an element that
    // a body reads twice, constants that every guard has.
    OpPassManager cleanup(func::FuncOp::getOperationName());
    cleanup.addPass(createCanonicalizerPass());
    cleanup.addPass(createCSEPass());
    if (failed(runPipeline(cleanup, function)))
      signalPassFailure();
  }
};
} // namespace
