//===- NestEmitter.cpp - register tiles, reductions and epilogues ---------===//

#include "NestEmitter.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace mlir::tiny;

NestEmitter::NestEmitter(OpBuilder &builder, EmissionContext &context, const NestTiling &tiling,
                         SharedReduction shared)
    : builder(builder), loc(context.nest.loc()), context(context), nest(context.nest),
      tiling(tiling), shared(shared), bases(nest.numLoops()), pieces(nest.numLoops()) {
  lanesOfSlot = {1};
  if (context.vectorDim >= 0 && !nest.isParallel(context.vectorDim)) {
    lanesOfSlot.clear();
    for (const LoopPart &part : partsOf(context.vectorDim))
      for (auto [slot, piece] : llvm::enumerate(part.pieces))
        if (slot >= lanesOfSlot.size() || lanesOfSlot[slot] != piece.lanes)
          lanesOfSlot.push_back(piece.lanes);
    if (lanesOfSlot.empty())
      lanesOfSlot = {1};
  }
}

/// Main part and rest of a loop that lanes share. A step of it is a vector of each lane; the rest
/// is as many of those as are left, one of the first lanes, and one element of as many as there
/// are.
static SmallVector<LoopPart> sharedPartsOf(int64_t size, int64_t lanes, int64_t width,
                                           int64_t unroll) {
  int64_t span = lanes * width, step = span * unroll, start = 0;
  auto tile = [&](int64_t vectors) {
    SmallVector<Piece> result;
    for (int64_t vector = 0; vector < vectors; ++vector)
      result.push_back({vector * span, width});
    return result;
  };
  SmallVector<LoopPart> parts;
  if (int64_t trips = size / step)
    parts.push_back({0, trips, step, tile(unroll), width});
  start = size / step * step;
  if (int64_t spans = (size - start) / span) {
    parts.push_back({start, 1, spans * span, tile(spans), width});
    start += spans * span;
  }
  if (int64_t vectors = (size - start) / width) {
    parts.push_back({start, 1, vectors * width, tile(1), width, vectors});
    start += vectors * width;
  }
  // A vector may have more elements than there are lanes.
  for (; start < size; start += lanes) {
    int64_t left = std::min(size - start, lanes);
    parts.push_back({start, 1, left, {{0, 1}}, 1, left < lanes ? left : 0});
  }
  return parts;
}

SmallVector<LoopPart> NestEmitter::partsOf(unsigned loop) const {
  int64_t width = static_cast<int64_t>(loop) == context.vectorDim ? tiling.vectorWidth : 1;
  int64_t size = nest.sizes[loop], unroll = tiling.unroll[loop];
  if (static_cast<int64_t>(loop) == shared.loop)
    return sharedPartsOf(size, shared.lanes, width, unroll);
  int64_t step = unroll * width;
  // For a GPU, LLVM loads an aligned vector of seven elements as one of eight, which may run over
  // the end of a buffer. A reduction has one more accumulator, of one lane, for all that is left.
  auto piece = [&](int64_t lanes) -> int64_t {
    if (!context.simt || lanes == width)
      return lanes;
    return nest.isParallel(loop) ? llvm::bit_floor(static_cast<uint64_t>(lanes)) : 1;
  };
  auto tile = [&](int64_t extent) {
    SmallVector<Piece> result;
    for (int64_t delta = 0; delta < extent; delta += result.back().lanes)
      result.push_back({delta, piece(std::min(width, extent - delta))});
    return result;
  };
  SmallVector<LoopPart> parts;
  if (int64_t trips = size / step)
    parts.push_back({0, trips, step, tile(step)});
  if (int64_t rest = size % step)
    parts.push_back({size - rest, 1, rest, tile(rest)});
  return parts;
}

Value mlir::tiny::indexConstant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

void NestEmitter::place(unsigned loop, Value base, ArrayRef<Piece> tile) {
  bases[loop] = base;
  pieces[loop].assign(tile.begin(), tile.end());
}

//===----------------------------------------------------------------------===//
// One register tile
//===----------------------------------------------------------------------===//

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
  auto emit = [&](bool guardsHold) {
    SmallVector<Value> reduced;
    if (nest.reduction)
      reduced = reduce(guardsHold);
    if (!nest.isScan()) // which has stored on its way
      finish(guardsHold, reduced);
  };
  bool never = false;
  Value fast = allGuardsHold(never);
  if (never || !fast)
    return emit(/*guardsHold=*/!never);
  auto branch = scf::IfOp::create(builder, loc, fast, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  emit(/*guardsHold=*/true);
  builder.setInsertionPointToStart(branch.elseBlock());
  emit(/*guardsHold=*/false);
}

SmallVector<Value> NestEmitter::reduce(bool guardsHold) {
  SmallVector<Instance> elements = this->elements();
  context.extents.clear(); // nothing is transposed in the loops of a reduction
  BodyEmitter body(builder, context, bases, guardsHold);
  SmallVector<Value> accumulators;
  for (const Instance &element : elements)
    for (int64_t lanes : lanesOfSlot)
      accumulators.push_back(body.widen(nest.identity, std::max(lanes, element.lanes)));
  accumulators = emitReduction(nest.numParallel, guardsHold, accumulators);
  size_t slots = lanesOfSlot.size();
  SmallVector<Value> reduced;
  if (!nest.isScan())
    for (size_t number = 0; number < elements.size(); ++number)
      reduced.push_back(reduceLanes(ArrayRef(accumulators).slice(number * slots, slots)));
  return reduced;
}

/// The epilogue has no reduction loop: they stand at 0.
void NestEmitter::finish(bool guardsHold, ArrayRef<Value> reduced) {
  context.extents.assign(nest.numLoops(), 1);
  for (unsigned loop = 0; loop < nest.numParallel; ++loop)
    if (static_cast<int64_t>(loop) != context.vectorDim)
      context.extents[loop] = pieces[loop].size();
  BodyEmitter body(builder, context, bases, guardsHold);
  for (auto [number, element] : llvm::enumerate(elements())) {
    if (nest.reduction)
      body.set(nest.accumulated(), element, reduced[number]);
    body.store(body.emit(nest.stored(), element), element);
  }
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// `base` of this lane in `part`; null for 0.
Value NestEmitter::laneBase(const LoopPart &part, Value base) {
  if (!part.laneStep)
    return base;
  Value own = shared.lane;
  if (part.laneStep != 1)
    own = arith::MulIOp::create(builder, loc, own, indexConstant(builder, loc, part.laneStep),
                                arith::IntegerOverflowFlags::nsw);
  if (!base)
    return own;
  return arith::AddIOp::create(builder, loc, base, own, arith::IntegerOverflowFlags::nsw);
}

/// The reduction loops from `depth` on, with the accumulators carried through them.
SmallVector<Value> NestEmitter::emitReduction(unsigned depth, bool guardsHold,
                                              ArrayRef<Value> accumulators) {
  if (depth == nest.numLoops())
    return emitStep(guardsHold, accumulators);
  unsigned loop = context.order[depth];
  SmallVector<Value> current(accumulators);
  for (const LoopPart &part : partsOf(loop)) {
    pieces[loop] = part.pieces;
    if (!part.laneLimit) {
      current = emitPart(depth, part, guardsHold, current);
      continue;
    }
    Value takesPart = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, shared.lane,
                                            indexConstant(builder, loc, part.laneLimit));
    auto branch = scf::IfOp::create(builder, loc, ValueRange(current).getTypes(), takesPart,
                                    /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(builder, loc, current);
    builder.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(builder, loc, emitPart(depth, part, guardsHold, current));
    current.assign(branch.getResults().begin(), branch.getResults().end());
  }
  bases[loop] = Value(); // the epilogue and later tiles do not know this loop
  return current;
}

/// One part of the loop at `depth`, and all loops inside of it.
SmallVector<Value> NestEmitter::emitPart(unsigned depth, const LoopPart &part, bool guardsHold,
                                         ArrayRef<Value> accumulators) {
  unsigned loop = context.order[depth];
  if (part.trips == 1) {
    bases[loop] = laneBase(part, part.start ? indexConstant(builder, loc, part.start) : Value());
    return emitReduction(depth + 1, guardsHold, accumulators);
  }
  auto forOp = scf::ForOp::create(builder, loc, indexConstant(builder, loc, part.start),
                                  indexConstant(builder, loc, part.start + part.trips * part.step),
                                  indexConstant(builder, loc, part.step), accumulators);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(forOp.getBody());
  bases[loop] = laneBase(part, forOp.getInductionVar());
  SmallVector<Value> inner(forOp.getRegionIterArgs().begin(), forOp.getRegionIterArgs().end());
  inner = emitReduction(depth + 1, guardsHold, inner);
  scf::YieldOp::create(builder, loc, inner);
  return SmallVector<Value>(forOp.getResults().begin(), forOp.getResults().end());
}

/// The body of the innermost reduction loop, for all elements of the register tile.
SmallVector<Value> NestEmitter::emitStep(bool guardsHold, ArrayRef<Value> accumulators) {
  SmallVector<Value> current(accumulators);
  SmallVector<Instance> elements = instances(/*parallel=*/true);
  // The loop of the most copies is outside, so that what moves with it is in a register one at a
  // time: that is what the price counts on (Pricer::fitsRegisters).
  unsigned longest = 0;
  for (unsigned loop = 1; loop < nest.numParallel; ++loop)
    if (pieces[loop].size() > pieces[longest].size())
      longest = loop;
  auto order = llvm::to_vector(llvm::seq<size_t>(elements.size()));
  if (nest.numParallel > 0)
    llvm::sort(order, [&](size_t one, size_t other) {
      return std::pair(elements[one].deltas[longest], one) <
             std::pair(elements[other].deltas[longest], other);
    });
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
    for (size_t number : order) {
      Instance at = elements[number];
      at.lanes = std::max(at.lanes, step.lanes);
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

Value mlir::tiny::emitCombination(OpBuilder &builder, Operation *combine, Value lhs, Value rhs) {
  Operation *clone = builder.clone(*combine);
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
      byLength.back() = emitCombination(builder, nest.combine, byLength.back(), accumulator);
    else
      byLength.push_back(accumulator);
  }
  Value result;
  for (Value value : byLength) {
    if (isa<VectorType>(value.getType()))
      value = vector::ReductionOp::create(builder, loc, kindOf(nest.combine), value,
                                          arith::FastMathFlags::reassoc);
    result = result ? emitCombination(builder, nest.combine, result, value) : value;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Around the nests
//===----------------------------------------------------------------------===//

LogicalResult mlir::tiny::checkTiling(const KernelNest &nest, const NestTiling &tiling) {
  linalg::GenericOp op = nest.epilogue;
  int64_t loops = nest.numLoops();
  SmallVector<int64_t> sorted(tiling.order);
  llvm::sort(sorted);
  if (static_cast<int64_t>(tiling.unroll.size()) != loops ||
      !llvm::equal(sorted, llvm::seq<int64_t>(loops)) || tiling.vectorDim >= loops ||
      tiling.vectorWidth < 1 ||
      llvm::any_of(tiling.unroll, [](int64_t factor) { return factor < 1; }))
    return op.emitOpError() << "has " << loops << " loops, which " << tiling.attribute
                            << " does not fit";
  for (auto [position, loop] : llvm::enumerate(tiling.order))
    if (nest.isParallel(loop) != (position < nest.numParallel))
      return op.emitOpError() << "has reduction loops outside of parallel ones in "
                              << tiling.attribute;
  if (nest.isScan() && tiling.vectorDim == nest.numParallel)
    return op.emitOpError() << "is a scan, whose steps " << tiling.attribute << " takes at once";
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

llvm::DenseMap<Value, Value> mlir::tiny::flattenBuffers(func::FuncOp function) {
  llvm::DenseMap<Value, Value> flat;
  OpBuilder builder(function.getContext());
  auto add = [&](Value buffer) {
    auto type = cast<MemRefType>(buffer.getType());
    auto flatType = MemRefType::get({type.getNumElements()}, type.getElementType(),
                                    MemRefLayoutAttrInterface(), type.getMemorySpace());
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

void mlir::tiny::eraseNest(KernelNest &nest) {
  bool isScan = nest.isScan();
  nest.epilogue->erase();
  if (!nest.fill)
    return;
  if (!isScan)
    nest.reduction->erase();
  nest.fill->erase();
}

void mlir::tiny::addCleanup(OpPassManager &pm) {
  pm.addPass(createCSEPass()); // first: what is there twice is canonicalised once
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addPass(createCSEPass());
}
