//===- PanelPacker.cpp - copy loops of a factor ---------------------------===//
//
// A unit is what one vector of a panel holds for one step of the depth. Where the factor
// is one loop without guards, the depth is outside, so that memory is read in long runs;
// else a unit is placed once for all steps, and takes the first of three ways that is
// right for it: vectors without guards, vectors with guards, single elements.
//
//===----------------------------------------------------------------------===//

#include "PanelPacker.h"

#include "NestEmitter.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::tiny;

static constexpr auto noWrap = arith::IntegerOverflowFlags::nsw;
/// Steps with masks of their own, all of which are kept: a 3 x 3 window.
static constexpr int64_t maxUnrolled = 9;

void mlir::tiny::emitLoop(OpBuilder &builder, Location loc, Value count, int64_t step,
                          llvm::function_ref<void(Value)> body) {
  APInt constant;
  bool isConstant = matchPattern(count, m_ConstantInt(&constant));
  if (isConstant && constant.isZero())
    return;
  Value zero = indexConstant(builder, loc, 0);
  if (isConstant && constant.getSExtValue() <= step)
    return body(zero);
  auto loop = scf::ForOp::create(builder, loc, zero, count, indexConstant(builder, loc, step));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

Value mlir::tiny::emitMin(OpBuilder &builder, Location loc, Value lhs, Value rhs) {
  return builder.createOrFold<arith::MinSIOp>(loc, lhs, rhs);
}

PanelPacker::PanelPacker(OpBuilder &builder, const EmissionContext &context, const PanelPlan &plan,
                         bool isRows, const LoopPlace &batch, Value buffer)
    : builder(builder), loc(context.nest.loc()), context(context), nest(context.nest), plan(plan),
      side(isRows ? plan.what.rows : plan.what.columns), batch(batch), buffer(buffer),
      isRows(isRows), unitWidth(isRows ? plan.registerRows : plan.lanes),
      width(isRows ? plan.registerRows : plan.panelWidth()) {}

//===----------------------------------------------------------------------===//
// Small things
//===----------------------------------------------------------------------===//

Value PanelPacker::index(int64_t value) { return indexConstant(builder, loc, value); }

Value PanelPacker::add(Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return builder.createOrFold<arith::AddIOp>(loc, lhs, rhs, noWrap);
}

Value PanelPacker::mul(Value lhs, int64_t rhs) {
  return rhs == 1 ? lhs : builder.createOrFold<arith::MulIOp>(loc, lhs, index(rhs), noWrap);
}

/// Where row or column `linear` is. With `asOne`, all of it is in the innermost loop.
LoopPlace PanelPacker::placeSide(Value linear, bool asOne) {
  LoopPlace place = batch;
  if (side.loops.empty())
    return place;
  if (asOne) {
    for (unsigned loop : side.loops)
      place.bases[loop] = Value();
    place.bases[side.loops.back()] = linear;
    return place;
  }
  placeInLoops(builder, loc, nest, side.loops, linear, 0, 1, place);
  return place;
}

/// Units that hold `count` columns.
Value PanelPacker::unitsFor(Value count) {
  if (side.extent % unitWidth != 0)
    count = builder.createOrFold<arith::AddIOp>(loc, count, index(unitWidth - 1), noWrap);
  return builder.createOrFold<arith::DivUIOp>(loc, count, index(unitWidth));
}

/// `linear`, or the last row or column if it lies behind that.
Value PanelPacker::lastOf(Value linear) {
  return emitMin(builder, loc, linear, index(side.extent - 1));
}

/// Whether `loop` moves a guard of the factor.
static bool guardsMove(const KernelNest &nest, const ContractionSide &side, unsigned loop) {
  return llvm::any_of(side.loads, [&](Value load) {
    return llvm::any_of(nest.accesses.find(load)->second.guards,
                        [&](const Guard &guard) { return guard.loops >> loop & 1; });
  });
}

/// The body for every step of `block`. With `unrollGuards`, short inner loops that move guards are
/// unrolled: then masks are made once for all steps of the outer one.
void PanelPacker::forDepth(DepthBlock block, const LoopPlace &place, DepthBody body,
                           bool unrollGuards) {
  ArrayRef<unsigned> loops = plan.what.depth;
  int64_t inner = 1;
  for (unsigned loop : loops.drop_front())
    inner *= plan.steps(nest, loop);
  bool oneLoop = loadsAreLinear(nest, side, loops);
  if (plan.hasDots() && loops.size() > 1) // none is of two rounds of a loop
    oneLoop &= plan.dotLoop == loops.back() && nest.sizes[loops.back()] % plan.dot == 0;
  if (oneLoop || (plan.splitsDepth() && plan.depthBlock % inner != 0)) {
    emitLoop(builder, loc, block.count, 1, [&](Value local) {
      LoopPlace own = place;
      Value linear = add(block.start, local);
      if (oneLoop)
        own.bases[loops.back()] = linear;
      else
        placeDepth(linear, own);
      body(local, own);
    });
    return;
  }
  // A block is whole rounds of the inner loops: no divisions.
  auto divide = [&](Value value) -> Value {
    return value ? builder.createOrFold<arith::DivUIOp>(loc, value, index(inner)) : value;
  };
  Value outerStart = divide(block.start);
  SmallVector<int64_t> strides(loops.size(), 1); // in steps of the depth
  for (size_t depth = loops.size() - 1; depth-- > 0;)
    strides[depth] = strides[depth + 1] * plan.steps(nest, loops[depth + 1]);
  size_t firstUnrolled = loops.size();
  for (int64_t copies = 1; unrollGuards && firstUnrolled > 1; --firstUnrolled) {
    unsigned loop = loops[firstUnrolled - 1];
    copies *= plan.steps(nest, loop);
    if (copies > maxUnrolled || !guardsMove(nest, side, loop))
      break;
  }
  auto descend = [&](auto &&self, size_t depth, Value linear, LoopPlace own) -> void {
    if (depth == loops.size())
      return body(linear, own);
    unsigned loop = loops[depth];
    int64_t steps = plan.steps(nest, loop);
    auto step = [&](Value local) {
      LoopPlace here = own;
      here.bases[loop] = depth == 0 ? add(outerStart, local) : local;
      self(self, depth + 1, add(linear, mul(local, strides[depth])), here);
    };
    if (depth < firstUnrolled)
      return emitLoop(builder, loc, depth == 0 ? divide(block.count) : index(steps), 1, step);
    for (int64_t number = 0; number < steps; ++number)
      step(index(number));
  };
  descend(descend, 0, Value(), place);
}

/// Puts `step` of the packed depth into the loops of `place`.
void PanelPacker::placeDepth(Value step, LoopPlace &place) {
  for (unsigned loop : llvm::reverse(plan.what.depth)) {
    place.deltas[loop] = 0;
    place.bases[loop] = step;
    if (loop == plan.what.depth.front())
      return;
    Value size = index(plan.steps(nest, loop));
    place.bases[loop] = arith::RemUIOp::create(builder, loc, step, size);
    step = arith::DivUIOp::create(builder, loc, step, size);
  }
}

/// What a panel holds of the factor at a place, `numLanes` of it along `vectorDim`. Only lanes that
/// `mask` allows are loaded; null allows all.
Value PanelPacker::load(const LoopPlace &place, int64_t vectorDim, int64_t numLanes,
                        bool guardsHold, Value mask) {
  return plan.hasDots() ? loadDot(place, vectorDim, numLanes, guardsHold, mask)
                        : loadAt(place, vectorDim, numLanes, guardsHold, mask);
}

static Type typeLike(Value value, Type element) {
  auto vector = dyn_cast<VectorType>(value.getType());
  return vector ? Type(vector.clone(element)) : element;
}

/// `factor` as one of the integers that a dot consists of: its byte or its 16 bits, or the bits of
/// the bf16 that is nearest.
Value PanelPacker::toPart(Value factor) {
  Type type = typeLike(factor, builder.getIntegerType(32 / plan.dot));
  if (isa<FloatType>(getElementTypeOrSelf(factor))) {
    Value rounded =
        builder.createOrFold<arith::TruncFOp>(loc, typeLike(factor, builder.getBF16Type()), factor);
    return arith::BitcastOp::create(builder, loc, type, rounded);
  }
  if (int64_t offset = isRows ? plan.bytes.rowOffset : plan.bytes.columnOffset)
    factor = arith::SubIOp::create(builder, loc, factor, constantLike(factor, offset));
  return arith::TruncIOp::create(builder, loc, type, factor);
}

/// `number` in the type of `value`, an integer or a vector of them.
Value PanelPacker::constantLike(Value value, int64_t number) {
  TypedAttr attribute = builder.getIntegerAttr(getElementTypeOrSelf(value), number);
  if (auto type = dyn_cast<VectorType>(value.getType()))
    attribute = DenseElementsAttr::get(type, Attribute(attribute));
  return arith::ConstantOp::create(builder, loc, attribute);
}

/// The same as dots, which `place` counts along their loop.
Value PanelPacker::loadDot(const LoopPlace &place, int64_t vectorDim, int64_t numLanes,
                           bool guardsHold, Value mask) {
  int64_t loop = plan.dotLoop, size = nest.sizes[loop];
  LoopPlace at = place;
  if (Value dot = place.bases[loop])
    at.bases[loop] = mul(dot, plan.dot);
  if (vectorDim == loop) { // neighbours in memory, and in a vector of parts
    Value parts = toPart(loadAt(at, vectorDim, plan.dot * numLanes, guardsHold, mask));
    return vector::BitCastOp::create(builder, loc,
                                     VectorType::get({numLanes}, builder.getI32Type()), parts);
  }
  Value result, first = at.bases[loop];
  int64_t firstDelta = at.deltas[loop];
  for (int64_t number = 0; number < plan.dot; ++number) {
    at.deltas[loop] = firstDelta + number;
    Value exists;
    if (number > 0 && size % plan.dot != 0) { // behind the last step: that one, to be replaced by 0
      Value step = add(first, index(number));
      exists =
          builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, step, index(size));
      at.bases[loop] = emitMin(builder, loc, step, index(size - 1));
      at.deltas[loop] = 0;
    }
    Value part = toPart(loadAt(at, vectorDim, numLanes, guardsHold, mask));
    part = arith::ExtUIOp::create(builder, loc, typeLike(part, builder.getI32Type()), part);
    if (exists)
      part = arith::SelectOp::create(builder, loc, exists, part, constantLike(part, 0));
    if (!result) {
      result = part;
      continue;
    }
    part = arith::ShLIOp::create(builder, loc, part, constantLike(part, number * (32 / plan.dot)));
    result = arith::OrIOp::create(builder, loc, result, part);
  }
  return result;
}

Value PanelPacker::loadAt(const LoopPlace &place, int64_t vectorDim, int64_t numLanes,
                          bool guardsHold, Value mask) {
  EmissionContext own = context;
  own.vectorDim = vectorDim;
  own.laneMask = mask;
  BodyEmitter body(builder, own, place.bases, guardsHold);
  return body.widen(body.emit(side.factor, Instance{place.deltas, numLanes}), numLanes);
}

/// Where element number `element` of a unit is in the buffer.
Value PanelPacker::placeIn(Value unit, Value local, int64_t element) {
  Value result = mul(local, width);
  if (unit && plan.vectors > 1 && !isRows) {
    Value panel = builder.createOrFold<arith::DivUIOp>(loc, unit, index(plan.vectors));
    Value within = builder.createOrFold<arith::RemUIOp>(loc, unit, index(plan.vectors));
    result = add(add(mul(panel, plan.depthBlock * width), mul(within, unitWidth)), result);
  } else if (unit) {
    result = add(mul(unit, plan.depthBlock * width), result);
  }
  return element ? add(result, index(element)) : result;
}

void PanelPacker::store(Value value, Value place) {
  if (isa<VectorType>(value.getType()))
    vector::StoreOp::create(builder, loc, value, buffer, ValueRange{place});
  else
    memref::StoreOp::create(builder, loc, value, buffer, ValueRange{place});
}

//===----------------------------------------------------------------------===//
// Vectors along rows or columns
//===----------------------------------------------------------------------===//

void PanelPacker::pack(DepthBlock block, Value first, Value count) {
  PanelWalk walk = isRows ? plan.rows : plan.columns;
  if (walk == PanelWalk::alongDepth && isRows)
    return packRows(block, first);
  if (walk == PanelWalk::alongSide)
    return packSide(block, first, count);
  packTransposed(block, first, unitsFor(count));
}

void PanelPacker::packSide(DepthBlock block, Value first, Value count) {
  if (isRows) { // one strip
    packUnit(block, first, Value());
    return;
  }
  Value used = unitsFor(count);
  auto forUnits = [&](Value from, Value to, llvm::function_ref<void(Value)> body) {
    auto loop = scf::ForOp::create(builder, loc, from, to, index(1));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar());
  };
  Value packed = index(0);
  if (loadsAreLinear(nest, side, side.loops) && !isGuarded(nest, side)) {
    Value panels = builder.createOrFold<arith::DivUIOp>(loc, count, index(width));
    packWhole(block, first, panels);
    packed = mul(panels, plan.vectors);
  }
  if (packed != used)
    forUnits(packed, used,
             [&](Value unit) { packUnit(block, add(first, mul(unit, unitWidth)), unit); });
}

/// Whole panels of one loop, without guards.
void PanelPacker::packWhole(DepthBlock block, Value first, Value panels) {
  forDepth(block, batch, [&](Value local, const LoopPlace &depth) {
    emitLoop(builder, loc, panels, 1, [&](Value panel) {
      LoopPlace place = depth;
      for (unsigned loop : side.loops)
        place.bases[loop] = Value();
      place.bases[side.loops.back()] = add(first, mul(panel, width));
      Value to = add(mul(panel, plan.depthBlock * width), mul(local, width));
      for (int64_t vector = 0; vector < plan.vectors; ++vector) {
        place.deltas[side.loops.back()] = vector * unitWidth;
        store(load(place, side.loops.back(), unitWidth, true),
              vector ? add(to, index(vector * unitWidth)) : to);
      }
    });
  });
}

/// A condition under which no guard of the unit at `place` fails at any step of the depth; null if
/// there is nothing to test. `never` says that it cannot hold.
Value PanelPacker::guardsHold(const LoopPlace &place, bool &never) {
  IndexEmitter emitter(builder, loc, context, place.bases);
  Instance origin{place.deltas, 1};
  Value all;
  auto require = [&](AffineExpr expr, arith::CmpIPredicate predicate, int64_t bound) {
    Value condition =
        arith::CmpIOp::create(builder, loc, predicate, emitter.scalar(expr, origin), index(bound));
    all = all ? arith::AndIOp::create(builder, loc, all, condition) : condition;
  };
  for (Value load : side.loads) {
    for (const Guard &guard : nest.accesses.find(load)->second.guards) {
      AffineExpr least = guard.expr, most = guard.expr;
      for (auto [term, coefficient] : LinearIndex(guard.expr).terms) {
        auto dim = dyn_cast<AffineDimExpr>(term);
        if (!dim) {
          never |= nest.loopsOf(term) != 0;
          continue;
        }
        unsigned loop = dim.getPosition();
        int64_t extent = 1;
        if (!nest.isParallel(loop))
          extent = nest.sizes[loop]; // from 0 on: no place has been chosen
        else if (!side.loops.empty() && loop == side.loops.back())
          extent = unitWidth;
        int64_t reach = coefficient * (extent - 1);
        (reach < 0 ? least : most) = (reach < 0 ? least : most) + reach;
      }
      if (never)
        return {};
      require(least, arith::CmpIPredicate::sge, guard.low);
      require(most, arith::CmpIPredicate::slt, guard.high);
    }
  }
  return all;
}

/// The unit that begins at row or column `first`.
void PanelPacker::packUnit(DepthBlock block, Value first, Value unit) {
  if (side.loops.empty() || unitWidth == 1)
    return packElements(block, first, unit);
  unsigned vectorDim = side.loops.back();
  bool oneLoop = loadsAreLinear(nest, side, side.loops);
  LoopPlace place = placeSide(first, oneLoop);
  // Whether all of the unit is there, in one run of the innermost loop.
  Value whole;
  auto require = [&](Value at, int64_t size) {
    Value fits =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle, at, index(size - unitWidth));
    whole = whole ? arith::AndIOp::create(builder, loc, whole, fits) : fits;
  };
  if (side.extent % unitWidth != 0)
    require(first, side.extent);
  if (!oneLoop && nest.sizes[vectorDim] % unitWidth != 0)
    require(place.bases[vectorDim], nest.sizes[vectorDim]);
  auto vectors = [&](bool guardsHold) {
    auto body = [&](Value local, const LoopPlace &at) {
      store(load(at, vectorDim, unitWidth, guardsHold), placeIn(unit, local));
    };
    forDepth(block, place, body, /*unrollGuards=*/!guardsHold);
  };
  auto either = [&](Value condition, llvm::function_ref<void()> yes,
                    llvm::function_ref<void()> no) {
    if (!condition)
      return yes();
    auto branch = scf::IfOp::create(builder, loc, condition, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    yes();
    builder.setInsertionPointToStart(branch.elseBlock());
    no();
  };
  // Columns of one loop without guards: the last vector ends with the last column, and its lanes
  // move to where they belong.
  auto lastVector = [&] {
    int64_t before = unitWidth - side.extent % unitWidth;
    SmallVector<int64_t> lanes;
    for (int64_t lane = 0; lane < unitWidth; ++lane)
      lanes.push_back(std::min(lane + before, unitWidth - 1));
    forDepth(block, placeSide(index(side.extent - unitWidth), /*asOne=*/true),
             [&](Value local, const LoopPlace &at) {
               Value vector = load(at, vectorDim, unitWidth, true);
               store(vector::ShuffleOp::create(builder, loc, vector, vector, lanes),
                     placeIn(unit, local));
             });
  };
  bool hasLastVector = oneLoop && !isRows && !isGuarded(nest, side) && side.extent >= unitWidth;
  // No vector is whole where the loop is shorter; this is for the code to be shorter, too.
  bool mayBeWhole = oneLoop || nest.sizes[vectorDim] >= unitWidth;
  auto parts = [&] {
    if (hasLastVector)
      lastVector();
    else if (mayPackPieces(nest, side, unitWidth, context.maskedBits))
      packPieces(block, first, unit);
    else
      packElements(block, first, unit);
  };
  if (!mayBeWhole)
    return parts();
  either(
      whole,
      [&] {
        bool never = false;
        Value hold = guardsHold(place, never);
        if (never)
          return vectors(false);
        either(hold, [&] { vectors(true); }, [&] { vectors(false); });
      },
      parts);
}

/// A unit that is in several rounds of the innermost loop, or reaches behind the last one: a vector
/// from each round, of whose lanes it has some.
void PanelPacker::packPieces(DepthBlock block, Value first, Value unit) {
  unsigned vectorDim = side.loops.back();
  bool oneLoop = loadsAreLinear(nest, side, side.loops);
  int64_t size = oneLoop ? side.extent : nest.sizes[vectorDim], rounds = side.extent / size;
  LoopPlace start = placeSide(first, oneLoop);
  Value within = start.bases[vectorDim];
  auto laneType = VectorType::get({unitWidth}, builder.getI32Type());
  auto broadcast = [&](Value value) -> Value {
    value = arith::IndexCastOp::create(builder, loc, builder.getI32Type(), value);
    return vector::BroadcastOp::create(builder, loc, laneType, value);
  };
  auto numbers = llvm::to_vector(llvm::seq<int32_t>(0, unitWidth));
  Value lanes = arith::ConstantOp::create(builder, loc, builder.getI32VectorAttr(numbers));
  auto loops = ArrayRef(side.loops).drop_back();
  Value round;
  if (!oneLoop && !loops.empty())
    round = builder.createOrFold<arith::DivUIOp>(loc, first, index(size));
  SmallVector<LoopPlace> places;
  SmallVector<Value> masks;
  for (int64_t piece = 0; piece < numPieces(nest, side, unitWidth); ++piece) {
    LoopPlace place = start;
    place.bases[vectorDim] =
        builder.createOrFold<arith::SubIOp>(loc, within, index(piece * size), noWrap);
    if (piece) // of the last round, where there are no more
      placeInLoops(builder, loc, nest, loops,
                   emitMin(builder, loc, add(round, index(piece)), index(rounds - 1)), 0, 1, place);
    // At lane i, it is at `within - piece * size + i`.
    Value position = arith::AddIOp::create(builder, loc, lanes, broadcast(place.bases[vectorDim]));
    Value mask = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, position,
                                       broadcast(index(size)));
    places.push_back(place);
    masks.push_back(mask);
  }
  // Only the place in the depth is to change.
  auto body = [&](Value local, const LoopPlace &at) {
    Value all;
    for (auto [place, mask] : llvm::zip_equal(places, masks)) {
      LoopPlace here = place;
      for (unsigned loop : plan.what.depth)
        here.bases[loop] = at.bases[loop];
      Value own = load(here, vectorDim, unitWidth, /*guardsHold=*/false, mask);
      all = all ? arith::SelectOp::create(builder, loc, mask, own, all).getResult() : own;
    }
    store(all, placeIn(unit, local));
  };
  forDepth(block, start, body, /*unrollGuards=*/true);
}

/// The same, one row or column after the other.
void PanelPacker::packElements(DepthBlock block, Value first, Value unit) {
  emitLoop(builder, loc, index(unitWidth), 1, [&](Value element) {
    LoopPlace place = placeSide(lastOf(add(first, element)), /*asOne=*/false);
    forDepth(block, place, [&](Value local, const LoopPlace &at) {
      store(load(at, -1, 1, false), add(placeIn(unit, local), element));
    });
  });
}

//===----------------------------------------------------------------------===//
// Vectors along the depth
//===----------------------------------------------------------------------===//

/// `body` with whole vectors of the block, and then with what is left of it. Part of a dot is in
/// no vector.
void PanelPacker::forVectors(DepthBlock block, llvm::function_ref<void(Value, bool)> body) {
  int64_t innermost = plan.what.depth.back();
  bool endsInPart = plan.dotLoop == innermost && nest.sizes[innermost] % plan.dot != 0;
  bool mayEnd = endsInPart || plan.depthSteps % plan.lanes != 0;
  Value whole = block.count;
  if (endsInPart) {
    Value left = index(plan.depthSteps - 1);
    if (block.start)
      left = builder.createOrFold<arith::SubIOp>(loc, left, block.start);
    whole = emitMin(builder, loc, whole, left);
  }
  if (mayEnd) {
    Value rest = builder.createOrFold<arith::RemUIOp>(loc, whole, index(plan.lanes));
    whole = builder.createOrFold<arith::SubIOp>(loc, whole, rest);
  }
  emitLoop(builder, loc, whole, plan.lanes, [&](Value local) { body(local, true); });
  if (!mayEnd)
    return;
  auto loop = scf::ForOp::create(builder, loc, whole, block.count, index(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar(), false);
}

/// A strip of rows in their own order, [rows][depth].
void PanelPacker::packRows(DepthBlock block, Value first) {
  unsigned vectorDim = plan.what.depth.back();
  emitLoop(builder, loc, index(plan.registerRows), 1, [&](Value row) {
    LoopPlace place = placeSide(lastOf(add(first, row)), /*asOne=*/false);
    forVectors(block, [&](Value local, bool isVector) {
      LoopPlace at = place;
      placeDepth(add(block.start, local), at);
      Value value = isVector ? load(at, vectorDim, plan.lanes, false) : load(at, -1, 1, false);
      store(value, add(mul(row, plan.depthBlock), local));
    });
  });
}

/// Panels of columns that are contiguous along the depth.
void PanelPacker::packTransposed(DepthBlock block, Value first, Value units) {
  unsigned vectorDim = plan.what.depth.back();
  emitLoop(builder, loc, units, 1, [&](Value unit) {
    Value start = add(first, mul(unit, unitWidth));
    SmallVector<LoopPlace> places;
    for (int64_t column = 0; column < unitWidth; ++column)
      places.push_back(placeSide(lastOf(add(start, index(column))), /*asOne=*/false));
    forVectors(block, [&](Value local, bool isVector) {
      SmallVector<Value> loaded;
      for (const LoopPlace &place : places) {
        LoopPlace at = place;
        placeDepth(add(block.start, local), at);
        loaded.push_back(isVector ? load(at, vectorDim, plan.lanes, false)
                                  : load(at, -1, 1, false));
      }
      if (!isVector) {
        for (auto [column, value] : llvm::enumerate(loaded))
          store(value, placeIn(unit, local, column));
        return;
      }
      for (auto [step, value] : llvm::enumerate(transposeVectors(builder, loc, loaded)))
        store(value, placeIn(unit, add(local, index(step))));
    });
  });
}
