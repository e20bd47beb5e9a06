//===- VectorizeLoops.cpp - one loop nest of vectors per kernel -----------===//
//
// Upstream's linalg vectoriser refuses strided and convolution maps and works on one op
// at a time; here reduction and epilogue are one nest, whose accumulators live in
// registers. The nest is emitted from the outside in: every loop is cut into a main part
// in steps of its register tile and one smaller rest, both static, and at the bottom a
// register tile is a set of instances of the scalar body (BodyEmitter).
//
//===----------------------------------------------------------------------===//

#include "BodyEmitter.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_VECTORIZELOOPSPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

namespace {

/// One step of a loop inside of a register tile: where it starts, and how many lanes it has.
struct Piece {
  int64_t delta, lanes;
};

/// A part of a loop: `trips` times a register tile of `pieces`, from `start` on.
struct LoopPart {
  int64_t start, trips, step;
  SmallVector<Piece> pieces;
};

/// Emits the nest of one workgroup.
class NestEmitter {
public:
  NestEmitter(OpBuilder &builder, EmissionContext &context, TilingAttr tiling);
  void emit() { emitParallel(0); }

private:
  SmallVector<LoopPart> segmentsOf(unsigned loop) const;
  void emitParallel(unsigned depth);
  void emitTile();
  void emitTileBody(bool guardsHold);
  SmallVector<Value> emitReduction(unsigned depth, bool guardsHold, ArrayRef<Value> accumulators);
  SmallVector<Value> emitStep(bool guardsHold, ArrayRef<Value> accumulators);
  SmallVector<Instance> instances(bool parallel) const;
  Value allGuardsHold(bool &never);
  Value reduceLanes(ArrayRef<Value> accumulators);
  Value combine(Value lhs, Value rhs);

  OpBuilder &builder;
  Location loc;
  EmissionContext &context;
  const KernelNest &nest;
  TilingAttr tiling;
  SmallVector<Value> bases;               ///< Per loop; null stands for 0.
  SmallVector<SmallVector<Piece>> pieces; ///< Per loop: the current register tile.
  SmallVector<int64_t>
      lanesOfSlot; ///< Accumulators per element, when a reduction is the vector loop.
};

} // namespace

NestEmitter::NestEmitter(OpBuilder &builder, EmissionContext &context, TilingAttr tiling)
    : builder(builder), loc(context.nest.loc()), context(context), nest(context.nest),
      tiling(tiling), bases(nest.numLoops()), pieces(nest.numLoops()) {
  lanesOfSlot = {1};
  if (context.vectorDim >= 0 && !nest.isParallel(context.vectorDim)) {
    lanesOfSlot.clear();
    for (const LoopPart &segment : segmentsOf(context.vectorDim))
      for (auto [slot, piece] : llvm::enumerate(segment.pieces))
        if (slot >= lanesOfSlot.size() || lanesOfSlot[slot] != piece.lanes)
          lanesOfSlot.push_back(piece.lanes);
    if (lanesOfSlot.empty())
      lanesOfSlot = {1};
  }
}

/// Main part and rest of a loop. The rest of the vector loop is one tile of whole vectors and one
/// shorter vector.
SmallVector<LoopPart> NestEmitter::segmentsOf(unsigned loop) const {
  int64_t width = static_cast<int64_t>(loop) == context.vectorDim ? tiling.getVectorWidth() : 1;
  int64_t size = nest.sizes[loop], step = tiling.getUnroll()[loop] * width;
  auto tile = [&](int64_t extent) {
    SmallVector<Piece> result;
    for (int64_t delta = 0; delta < extent; delta += width)
      result.push_back({delta, std::min(width, extent - delta)});
    return result;
  };
  SmallVector<LoopPart> segments;
  if (int64_t trips = size / step)
    segments.push_back({0, trips, step, tile(step)});
  if (int64_t rest = size % step)
    segments.push_back({size - rest, 1, rest, tile(rest)});
  return segments;
}

static Value indexConstant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

//===----------------------------------------------------------------------===//
// Parallel loops
//===----------------------------------------------------------------------===//

void NestEmitter::emitParallel(unsigned depth) {
  if (depth == nest.numParallel)
    return emitTile();
  unsigned loop = context.order[depth];
  for (const LoopPart &segment : segmentsOf(loop)) {
    pieces[loop] = segment.pieces;
    OpBuilder::InsertionGuard guard(builder);
    if (segment.trips == 1) {
      bases[loop] = segment.start ? indexConstant(builder, loc, segment.start) : Value();
    } else {
      auto forOp = scf::ForOp::create(
          builder, loc, indexConstant(builder, loc, segment.start),
          indexConstant(builder, loc, segment.start + segment.trips * segment.step),
          indexConstant(builder, loc, segment.step));
      bases[loop] = forOp.getInductionVar();
      builder.setInsertionPointToStart(forOp.getBody());
    }
    emitParallel(depth + 1);
  }
}

/// All copies of the body in a register tile: of its parallel loops or of its reduction loops.
SmallVector<Instance> NestEmitter::instances(bool parallel) const {
  SmallVector<Instance> result{{SmallVector<int64_t>(nest.numLoops(), 0), 1}};
  for (int64_t loop : context.order) {
    if (nest.isParallel(loop) != parallel)
      continue;
    SmallVector<Instance> next;
    for (const Instance &instance : result) {
      for (const Piece &piece : pieces[loop]) {
        next.push_back(instance);
        next.back().deltas[loop] = piece.delta;
        if (loop == context.vectorDim)
          next.back().lanes = piece.lanes;
      }
    }
    result = std::move(next);
  }
  return result;
}

static bool movesWithLoop(AffineExpr expr, unsigned numLoops) {
  return llvm::any_of(llvm::seq(numLoops),
                      [&](unsigned loop) { return expr.isFunctionOfDim(loop); });
}

/// A condition under which no guard fails anywhere in the register tile and in the whole range of
/// the reductions; null if there is nothing to test. `never` says that it cannot hold.
Value NestEmitter::allGuardsHold(bool &never) {
  unsigned loops = nest.numLoops();
  MLIRContext *mlirContext = builder.getContext();
  // What each loop adds to its base, and where the base itself can be.
  SmallVector<int64_t> extents(nest.sizes);
  IndexSpace baseSpace = nest.space;
  SmallVector<AffineExpr> baseExprs;
  for (unsigned loop = 0; loop < loops; ++loop) {
    baseExprs.push_back(getAffineConstantExpr(0, mlirContext));
    if (!nest.isParallel(loop))
      continue;
    extents[loop] = pieces[loop].back().delta + pieces[loop].back().lanes;
    APInt constant;
    if (bases[loop] && matchPattern(bases[loop], m_ConstantInt(&constant))) {
      baseExprs.back() = getAffineConstantExpr(constant.getSExtValue(), mlirContext);
    } else if (bases[loop]) {
      baseExprs.back() = getAffineDimExpr(loop, mlirContext);
      baseSpace.dims[loop] = {0, nest.sizes[loop] - extents[loop]};
    }
  }
  Instance origin{SmallVector<int64_t>(loops, 0), 1};
  IndexEmitter index(builder, loc, context, bases);
  Value all;
  auto require = [&](AffineExpr extreme, arith::CmpIPredicate predicate, int64_t bound) {
    extreme = extreme.replaceDims(baseExprs);
    Interval range = baseSpace.rangeOf(extreme);
    bool isLow = predicate == arith::CmpIPredicate::sge;
    if (isLow ? range.min >= bound : range.max < bound)
      return;
    if (isLow ? range.max < bound : range.min >= bound) {
      never = true;
      return;
    }
    Value condition = arith::CmpIOp::create(builder, loc, predicate, index.scalar(extreme, origin),
                                            indexConstant(builder, loc, bound));
    all = all ? arith::AndIOp::create(builder, loc, all, condition) : condition;
  };
  for (const auto &entry : nest.accesses) {
    if (entry.second.computed)
      continue; // tested always
    for (const Guard &guard : entry.second.guards) {
      LinearIndex form(guard.expr);
      AffineExpr least = guard.expr, most = guard.expr;
      for (auto [term, coefficient] : form.terms) {
        auto dim = dyn_cast<AffineDimExpr>(term);
        if (!dim && movesWithLoop(term, loops)) {
          never = true; // a mod or division: each element is tested
          return {};
        }
        if (!dim)
          continue;
        int64_t reach = coefficient * (extents[dim.getPosition()] - 1);
        (reach < 0 ? least : most) = (reach < 0 ? least : most) + reach;
      }
      require(least, arith::CmpIPredicate::sge, guard.low);
      require(most, arith::CmpIPredicate::slt, guard.high);
      if (never)
        return {};
    }
  }
  return all;
}

void NestEmitter::emitTile() {
  bool never = false;
  Value fast = allGuardsHold(never);
  if (never || !fast)
    return emitTileBody(/*guardsHold=*/!never);
  auto branch = scf::IfOp::create(builder, loc, fast, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  emitTileBody(/*guardsHold=*/true);
  builder.setInsertionPointToStart(branch.elseBlock());
  emitTileBody(/*guardsHold=*/false);
}

/// One register tile: its reduction, the epilogue on the accumulators, the stores.
void NestEmitter::emitTileBody(bool guardsHold) {
  SmallVector<Instance> elements = instances(/*parallel=*/true);
  SmallVector<Value> accumulators;
  if (nest.reduction) {
    BodyEmitter body(builder, context, bases, guardsHold);
    for (const Instance &element : elements)
      for (int64_t lanes : lanesOfSlot)
        accumulators.push_back(body.widen(nest.identity, std::max(lanes, element.lanes)));
    accumulators = emitReduction(nest.numParallel, guardsHold, accumulators);
  }
  if (nest.isScan())
    return; // has stored on its way
  // The epilogue has no reduction loop: they stand at 0.
  BodyEmitter body(builder, context, bases, guardsHold);
  for (auto [number, element] : llvm::enumerate(elements)) {
    if (nest.reduction) {
      size_t slots = lanesOfSlot.size();
      ArrayRef<Value> own = ArrayRef(accumulators).slice(number * slots, slots);
      body.set(nest.accumulated(), element, reduceLanes(own));
    }
    body.store(body.emit(nest.stored(), element), element);
  }
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// The reduction loops from `depth` on, with the accumulators carried through them.
SmallVector<Value> NestEmitter::emitReduction(unsigned depth, bool guardsHold,
                                              ArrayRef<Value> accumulators) {
  if (depth == nest.numLoops())
    return emitStep(guardsHold, accumulators);
  unsigned loop = context.order[depth];
  SmallVector<Value> current(accumulators);
  for (const LoopPart &segment : segmentsOf(loop)) {
    pieces[loop] = segment.pieces;
    if (segment.trips == 1) {
      bases[loop] = segment.start ? indexConstant(builder, loc, segment.start) : Value();
      current = emitReduction(depth + 1, guardsHold, current);
      continue;
    }
    auto forOp = scf::ForOp::create(
        builder, loc, indexConstant(builder, loc, segment.start),
        indexConstant(builder, loc, segment.start + segment.trips * segment.step),
        indexConstant(builder, loc, segment.step), current);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(forOp.getBody());
    bases[loop] = forOp.getInductionVar();
    SmallVector<Value> inner(forOp.getRegionIterArgs().begin(), forOp.getRegionIterArgs().end());
    inner = emitReduction(depth + 1, guardsHold, inner);
    scf::YieldOp::create(builder, loc, inner);
    current.assign(forOp.getResults().begin(), forOp.getResults().end());
  }
  bases[loop] = Value(); // the epilogue and later tiles do not know this loop
  return current;
}

/// The body of the innermost reduction loop, for all elements of the register tile.
SmallVector<Value> NestEmitter::emitStep(bool guardsHold, ArrayRef<Value> accumulators) {
  SmallVector<Value> current(accumulators);
  SmallVector<Instance> elements = instances(/*parallel=*/true);
  BodyEmitter body(builder, context, bases, guardsHold);
  size_t slots = lanesOfSlot.size();
  bool reducesLanes = context.vectorDim >= 0 && !nest.isParallel(context.vectorDim);
  SmallVector<int64_t> vectorDeltas;
  if (reducesLanes)
    for (const Piece &piece : pieces[context.vectorDim])
      vectorDeltas.push_back(piece.delta);
  for (const Instance &step : instances(/*parallel=*/false)) {
    // Whole vectors take the accumulators in turn, the shorter one at the end has its own.
    size_t slot = 0;
    if (reducesLanes) {
      slot = llvm::find(vectorDeltas, step.deltas[context.vectorDim]) - vectorDeltas.begin();
      if (slot >= slots || lanesOfSlot[slot] != step.lanes)
        slot = slots - 1;
    }
    for (auto [number, element] : llvm::enumerate(elements)) {
      Instance at = element;
      at.lanes = std::max(element.lanes, step.lanes);
      for (unsigned loop = nest.numParallel; loop < nest.numLoops(); ++loop)
        at.deltas[loop] = step.deltas[loop];
      Value &accumulator = current[number * slots + slot];
      Value before = accumulator;
      accumulator = body.accumulate(accumulator, at);
      if (nest.isScan()) {
        body.set(nest.accumulator(), at, before);
        body.set(nest.combine->getResult(0), at, accumulator);
        body.store(body.emit(nest.stored(), at), at);
      }
    }
  }
  return current;
}

Value NestEmitter::combine(Value lhs, Value rhs) {
  Operation *clone = builder.clone(*nest.combine);
  clone->setOperands({lhs, rhs});
  clone->getResult(0).setType(lhs.getType());
  return clone->getResult(0);
}

static vector::CombiningKind kindOf(Operation *combine) {
  return llvm::TypeSwitch<Operation *, vector::CombiningKind>(combine)
      .Case<arith::AddFOp, arith::AddIOp>([](auto) { return vector::CombiningKind::ADD; })
      .Case<arith::MulFOp, arith::MulIOp>([](auto) { return vector::CombiningKind::MUL; })
      .Case([](arith::MaximumFOp) { return vector::CombiningKind::MAXIMUMF; })
      .Case([](arith::MaxSIOp) { return vector::CombiningKind::MAXSI; })
      .Case([](arith::MaxUIOp) { return vector::CombiningKind::MAXUI; })
      .Case([](arith::XOrIOp) { return vector::CombiningKind::XOR; })
      .Case([](arith::AndIOp) { return vector::CombiningKind::AND; })
      .Case([](arith::OrIOp) { return vector::CombiningKind::OR; });
}

/// The accumulators of one element, as the one value that the epilogue knows.
Value NestEmitter::reduceLanes(ArrayRef<Value> accumulators) {
  if (context.vectorDim < 0 || nest.isParallel(context.vectorDim))
    return accumulators.front();
  // Vectors of one length first; a reduction may be reassociated, so that the rest is a tree too.
  SmallVector<Value> byLength;
  for (Value accumulator : accumulators) {
    if (!byLength.empty() && byLength.back().getType() == accumulator.getType())
      byLength.back() = combine(byLength.back(), accumulator);
    else
      byLength.push_back(accumulator);
  }
  Value result;
  for (Value value : byLength) {
    if (isa<VectorType>(value.getType()))
      value = vector::ReductionOp::create(builder, loc, kindOf(nest.combine), value,
                                          arith::FastMathFlags::reassoc);
    result = result ? combine(result, value) : value;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// What the emitter relies on, checked before anything is emitted.
static LogicalResult check(const KernelNest &nest, TilingAttr tiling) {
  linalg::GenericOp op = nest.epilogue;
  int64_t loops = nest.numLoops();
  SmallVector<int64_t> sorted(tiling.getOrder());
  llvm::sort(sorted);
  if (static_cast<int64_t>(tiling.getUnroll().size()) != loops ||
      !llvm::equal(sorted, llvm::seq<int64_t>(loops)) || tiling.getVectorDim() >= loops ||
      tiling.getVectorWidth() < 1 ||
      llvm::any_of(tiling.getUnroll(), [](int64_t factor) { return factor < 1; }))
    return op.emitOpError() << "has " << loops << " loops, which " << tiling << " does not fit";
  for (auto [position, loop] : llvm::enumerate(tiling.getOrder()))
    if (nest.isParallel(loop) != (position < nest.numParallel))
      return op.emitOpError() << "has reduction loops outside of parallel ones in " << tiling;
  if (nest.isScan() && tiling.getVectorDim() == nest.numParallel)
    return op.emitOpError() << "is a scan, whose steps " << tiling << " takes at once";
  for (linalg::GenericOp generic : {nest.reduction, nest.epilogue}) {
    if (!generic)
      continue;
    for (Operation &inner : generic.getBody()->without_terminator())
      if (!isa<ReadOp, PlaceOp, linalg::IndexOp, affine::AffineApplyOp, arith::ConstantOp>(inner) &&
          (!OpTrait::hasElementwiseMappableTraits(&inner) || inner.getNumResults() != 1))
        return inner.emitOpError() << "is not an elementwise op, as a kernel's body must have";
  }
  return success();
}

namespace {
struct VectorizeLoopsPass : tiny::impl::VectorizeLoopsPassBase<VectorizeLoopsPass> {
  using VectorizeLoopsPassBase::VectorizeLoopsPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(kernelAttrName))
      return;
    FailureOr<KernelNests> kernel = KernelNests::get(function);
    if (failed(kernel))
      return signalPassFailure();
    FailureOr<SmallVector<TilingAttr>> tilings = kernel->tilings(function);
    if (failed(tilings))
      return signalPassFailure();
    for (auto [nest, tiling] : llvm::zip(kernel->nests, *tilings))
      if (failed(check(nest, tiling)))
        return signalPassFailure();

    llvm::DenseMap<Value, Value> flat = flatten(function);
    for (auto [nest, tiling] : llvm::zip(kernel->nests, *tilings)) {
      EmissionContext context{nest, tiling.getVectorDim(), SmallVector<int64_t>(tiling.getOrder()),
                              hasFma, flat};
      OpBuilder builder(nest.epilogue);
      NestEmitter(builder, context, tiling).emit();
    }
    for (KernelNest &nest : kernel->nests)
      eraseNest(nest);

    OpPassManager cleanup(func::FuncOp::getOperationName());
    cleanup.addPass(createCanonicalizerPass());
    cleanup.addPass(createCSEPass());
    cleanup.addPass(createLoopInvariantCodeMotionPass());
    cleanup.addPass(createCanonicalizerPass());
    cleanup.addPass(createCSEPass());
    if (failed(runPipeline(cleanup, function)))
      return signalPassFailure();
  }

  /// Every buffer, argument or local, to its rank-1 view.
  static llvm::DenseMap<Value, Value> flatten(func::FuncOp function) {
    llvm::DenseMap<Value, Value> flat;
    OpBuilder builder(function.getContext());
    auto add = [&](Value buffer) {
      auto type = cast<MemRefType>(buffer.getType());
      auto flatType = MemRefType::get({type.getNumElements()}, type.getElementType());
      flat[buffer] = memref::ReinterpretCastOp::create(
          builder, buffer.getLoc(), flatType, buffer, /*offset=*/0,
          ArrayRef<int64_t>{type.getNumElements()}, ArrayRef<int64_t>{1});
    };
    builder.setInsertionPointToStart(&function.getBody().front());
    for (BlockArgument argument : function.getArguments())
      if (isa<MemRefType>(argument.getType()))
        add(argument);
    function.walk([&](memref::AllocaOp alloca) {
      builder.setInsertionPointAfter(alloca);
      add(alloca);
    });
    return flat;
  }

  /// Erases the linalg ops. What only they used, accumulators and windows, is left without a use,
  /// and the canonicaliser takes it.
  static void eraseNest(KernelNest &nest) {
    bool isScan = nest.isScan();
    nest.epilogue->erase();
    if (!nest.fill)
      return;
    if (!isScan)
      nest.reduction->erase();
    nest.fill->erase();
  }
};
} // namespace
