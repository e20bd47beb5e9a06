//===- ContractionStager.cpp - load a factor's tile, store it to LDS ------===//
//
// Loads go through buffer resources: what lies outside of the tile, of the depth or of
// a guard is read at an offset beyond the buffer's end, which gives 0 and takes no
// branch. An offset is the sum of what differs between lanes, which is computed once, and
// of what a step adds, which is a scalar of the instruction.
//
//===----------------------------------------------------------------------===//

#include "ContractionStager.h"

#include "mlir/Dialect/AMDGPU/IR/AMDGPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

static constexpr auto noWrap = arith::IntegerOverflowFlags::nsw;

/// Offsets up to here are part of a load instruction.
static constexpr int64_t maxInstructionOffset = 2048;

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

Value ContractionStager::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value ContractionStager::add(Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return arith::AddIOp::create(builder, loc, lhs, rhs, noWrap);
}

Value ContractionStager::add(Value lhs, int64_t rhs) { return rhs ? add(lhs, index(rhs)) : lhs; }

Value ContractionStager::mul(Value lhs, int64_t rhs) {
  return rhs == 1 ? lhs : arith::MulIOp::create(builder, loc, lhs, index(rhs), noWrap);
}

Value ContractionStager::less(Value lhs, int64_t bound) {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, lhs, index(bound));
}

Value ContractionStager::both(Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return arith::AndIOp::create(builder, loc, lhs, rhs);
}

void mlir::tiny::placeInLoops(OpBuilder &builder, Location loc, const KernelNest &nest,
                              ArrayRef<unsigned> loops, Value linear, int64_t offset, int64_t run,
                              LoopPlace &place) {
  auto constant = [&](int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  int64_t delta = 0;
  if (loops.size() == 1 || nest.sizes[loops.back()] % run == 0)
    delta = offset; // within a run
  else if (offset)
    linear = arith::AddIOp::create(builder, loc, linear, constant(offset), noWrap);
  for (unsigned position = loops.size(); position-- > 0;) {
    unsigned loop = loops[position];
    place.deltas[loop] = delta;
    delta = 0;
    if (position == 0) {
      place.bases[loop] = linear;
      return;
    }
    Value size = constant(nest.sizes[loop]);
    place.bases[loop] = arith::RemUIOp::create(builder, loc, linear, size);
    linear = arith::DivUIOp::create(builder, loc, linear, size);
  }
}

//===----------------------------------------------------------------------===//
// Where a lane's loads are
//===----------------------------------------------------------------------===//

ContractionStager::ContractionStager(OpBuilder &builder, const EmissionContext &context,
                                     const ContractionPlan &plan, bool isRows, Value lane,
                                     Value start, const LoopPlace &batch, Value lds,
                                     int64_t firstWord)
    : builder(builder), loc(context.nest.loc()), context(context), nest(context.nest), plan(plan),
      what(isRows ? plan.what.rows : plan.what.columns), side(isRows ? plan.rows : plan.columns),
      batch(batch), start(start), lds(lds), firstWord(firstWord) {
  // Neighbours go along the direction that is contiguous in memory.
  int64_t alongDepth = side.period * plan.depth.step / side.unitDepth,
          alongSide = side.tile / side.unitSide, inner = side.alongDepth ? alongDepth : alongSide;
  for (int64_t unit = 0; unit < side.unitsPerLane(plan.numLanes); ++unit) {
    int64_t first = unit * plan.numLanes;
    Value number = lane, outer;
    if (plan.numLanes % inner != 0) {
      number = add(lane, first);
      outer = arith::DivUIOp::create(builder, loc, number, index(inner));
    } else { // all units of a lane are at one place of the inner direction
      outer = add(arith::DivUIOp::create(builder, loc, lane, index(inner)), first / inner);
    }
    Value within = arith::RemUIOp::create(builder, loc, number, index(inner));
    unitDepth.push_back(mul(side.alongDepth ? within : outer, side.unitDepth));
    unitSide.push_back(mul(side.alongDepth ? outer : within, side.unitSide));
    bool mayLack = first + plan.numLanes > side.units;
    unitExists.push_back(mayLack ? less(add(lane, first), side.units) : Value());
  }
}

/// Adds the place along the depth of the element `local + offset` of `step`.
void ContractionStager::placeDepth(Point &point, Value local, int64_t offset, DepthStep step,
                                   bool mayEnd) {
  const DepthWalk &walk = plan.depth;
  Location loc = this->loc;
  if (walk.ragged) {
    Value linear = add(mul(add(step.base ? step.base : index(0), step.offset), walk.step), local);
    placeInLoops(builder, loc, nest, walk.loops, linear, offset, side.unitDepth, point.lane);
    if (walk.isPartial())
      point.withinDepth = less(add(linear, offset), plan.what.depthExtent);
    return;
  }
  // The loops that are whole in a step, and the block of one.
  SmallVector<unsigned> inner(llvm::drop_begin(walk.loops, walk.blocked));
  placeInLoops(builder, loc, nest, inner, local, offset, side.unitDepth, point.lane);
  unsigned blocked = walk.loops[walk.blocked];
  if (walk.isLinear()) {
    if (step.base)
      point.depth.bases[blocked] = mul(step.base, walk.block);
    point.depth.deltas[blocked] = step.offset * walk.block;
  } else {
    Value number = add(step.base ? step.base : index(0), step.offset);
    int64_t blocks = llvm::divideCeil(walk.sizes[walk.blocked], walk.block);
    point.depth.bases[blocked] =
        mul(arith::RemUIOp::create(builder, loc, number, index(blocks)), walk.block);
    number = arith::DivUIOp::create(builder, loc, number, index(blocks));
    SmallVector<unsigned> outer(ArrayRef(walk.loops).take_front(walk.blocked));
    placeInLoops(builder, loc, nest, outer, number, 0, 1, point.depth);
  }
  // Steps that are loaded together may be more than there are.
  bool ends = walk.isPartial() || walk.numSteps % side.period != 0;
  if (ends && (mayEnd || !walk.isLinear()))
    point.withinDepth = less(add(add(point.lane.bases[blocked], point.depth.bases[blocked]),
                                 point.lane.deltas[blocked] + point.depth.deltas[blocked]),
                             nest.sizes[blocked]);
}

/// The place of one load of a unit.
ContractionStager::Point ContractionStager::pointOf(int64_t unit, int64_t alongDepth,
                                                    int64_t alongSide, DepthStep step,
                                                    bool mayEnd) {
  Point point;
  point.lane = batch;
  point.depth.bases.resize(nest.numLoops());
  point.depth.deltas.resize(nest.numLoops());
  Value linear = add(start, unitSide[unit]);
  placeInLoops(builder, loc, nest, what.loops, linear, alongSide, side.unitSide, point.lane);
  if (what.extent % side.tile != 0)
    point.inside = less(add(linear, alongSide), what.extent);
  point.inside = both(point.inside, unitExists[unit]);
  placeDepth(point, unitDepth[unit], alongDepth, step, mayEnd);
  return point;
}

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

/// Whether what a step adds to the index is a sum of its own that is never negative, and so is what
/// is left: the hardware adds the two without a sign.
bool ContractionStager::splits(const Access &access) const {
  if (plan.depth.ragged)
    return false;
  IndexSpace space = nest.space;
  for (unsigned loop : plan.depth.loops) {
    std::optional<int64_t> stride = access.strideAlong(loop);
    if (!stride || *stride < 0)
      return false;
    space.dims[loop] = {0, 0};
  }
  return space.rangeOf(access.flat).min >= 0;
}

/// Whether what an access gives where a guard fails is what a buffer gives beyond its end.
static bool padsWithZero(const Access &access) {
  return llvm::all_of(access.guards, [](const Guard &guard) {
    if (auto number = dyn_cast<FloatAttr>(guard.pad))
      return number.getValue().isPosZero();
    return cast<IntegerAttr>(guard.pad).getValue().isZero();
  });
}

/// From a buffer: beyond its end where a condition (null: none) does not hold.
Value ContractionStager::loadFromBuffer(Type type, Value flat, Value place, Value scalar,
                                        ArrayRef<Value> conditions) {
  auto i32 = [&](Value value) {
    return arith::IndexCastOp::create(builder, loc, builder.getI32Type(), value);
  };
  // In bytes, the first offset that no buffer has. Where the tile ends is one selection for all
  // steps, so that the last one, which has another, keeps no other offsets.
  Value offset = i32(place), beyond;
  int64_t bytes = getElementTypeOrSelf(type).getIntOrFloatBitWidth() / 8;
  for (Value condition : conditions) {
    if (!condition)
      continue;
    if (!beyond)
      beyond = arith::ConstantOp::create(
          builder, loc,
          builder.getI32IntegerAttr(static_cast<int32_t>((int64_t(1) << 31) / bytes)));
    offset = arith::SelectOp::create(builder, loc, condition, offset, beyond);
  }
  return amdgpu::RawBufferLoadOp::create(
      builder, loc, type, flat, ValueRange{offset}, /*boundsCheck=*/true,
      /*indexOffset=*/IntegerAttr(), scalar ? Value(i32(scalar)) : Value());
}

/// From a local, which has no end to read beyond: 0 where `happens` does not hold, and anything
/// outside of the tile.
Value ContractionStager::loadFromLocal(Type type, Value flat, Value place, Value inside,
                                       Value happens) {
  if (Value both = this->both(inside, happens))
    place = arith::SelectOp::create(builder, loc, both, place, index(0));
  Value loaded;
  if (auto vector = dyn_cast<VectorType>(type))
    loaded = loadVector(builder, loc, vector, flat, place, /*simt=*/true);
  else
    loaded = memref::LoadOp::create(builder, loc, flat, place);
  if (!happens)
    return loaded;
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  return arith::SelectOp::create(builder, loc, happens, loaded, zero);
}

/// Issues the load of `access` at `point`: as many elements as loads of this side have, or one that
/// stands for them. Where a guard fails, the value is its pad.
Value ContractionStager::loadAt(const Access &access, const Point &point, DepthStep step) {
  const int64_t bytes = access.type.getIntOrFloatBitWidth() / 8;
  Instance at{point.lane.deltas}, atDepth{point.depth.deltas}, atBoth{point.lane.deltas};
  SmallVector<Value> sums(nest.numLoops());
  for (unsigned loop = 0; loop < nest.numLoops(); ++loop) {
    sums[loop] = add(point.lane.bases[loop], point.depth.bases[loop]);
    atBoth.deltas[loop] += point.depth.deltas[loop];
  }
  IndexEmitter ofLane(builder, loc, context, point.lane.bases);
  IndexEmitter ofStep(builder, loc, context, point.depth.bases);
  IndexEmitter whole(builder, loc, context, sums);

  Value place, scalar;
  if (splits(access)) {
    AffineExpr along = builder.getAffineConstantExpr(0);
    int64_t constant = 0;
    for (unsigned loop : plan.depth.loops) {
      int64_t stride = *access.strideAlong(loop);
      along = along + builder.getAffineDimExpr(loop) * stride;
      constant += stride * point.depth.deltas[loop];
    }
    // What the steps of one unrolled iteration differ by fits the instruction, or is a scalar too.
    bool small = constant * bytes <= maxInstructionOffset;
    scalar = ofStep.scalar(along, atDepth, small ? -constant : 0);
    place = ofLane.scalar(access.flat, at, small ? constant : 0);
  } else {
    place = whole.scalar(access.flat, atBoth);
  }

  Value happens = point.withinDepth;
  SmallVector<std::pair<Value, TypedAttr>> pads;
  for (const Guard &guard : access.guards) {
    Value number = whole.scalar(guard.expr, atBoth, -guard.low);
    Value holds = less(number, guard.high - guard.low);
    happens = both(happens, holds);
    pads.push_back({holds, guard.pad});
  }
  unsigned along = side.alongDepth ? plan.depth.loops.back() : what.loops.back();
  bool isVector = side.width > 1 && access.dependsOn(along);
  Type type = isVector ? Type(VectorType::get({side.width}, access.type)) : access.type;
  Value flat = context.flat.lookup(access.source), loaded;
  if (isa<BlockArgument>(access.source))
    loaded = loadFromBuffer(type, flat, place, scalar, {point.inside, happens});
  else
    loaded = loadFromLocal(type, flat, whole.scalar(access.flat, atBoth), point.inside, happens);
  if (padsWithZero(access))
    return loaded;
  for (auto [holds, pad] : llvm::reverse(pads)) {
    Value other = arith::ConstantOp::create(builder, loc, pad);
    if (isVector)
      other = vector::BroadcastOp::create(builder, loc, type, other);
    loaded = arith::SelectOp::create(builder, loc, holds, loaded, other);
  }
  return loaded;
}

ContractionStager::Loaded ContractionStager::load(DepthStep step, bool mayEnd) {
  Loaded result;
  int64_t stepDepth = side.alongDepth ? side.width : 1, stepSide = side.alongDepth ? 1 : side.width;
  for (int64_t unit = 0; unit < side.unitsPerLane(plan.numLanes); ++unit) {
    SmallVector<llvm::DenseMap<Value, Value>> values;
    SmallVector<Value> within;
    for (int64_t depth = 0; depth < side.unitDepth; depth += stepDepth) {
      for (int64_t across = 0; across < side.unitSide; across += stepSide) {
        Point point = pointOf(unit, depth, across, step, mayEnd);
        values.emplace_back();
        for (Value load : what.loads)
          values.back()[load] = loadAt(nest.accesses.find(load)->second, point, step);
        within.push_back(point.withinDepth);
      }
    }
    result.units.push_back(std::move(values));
    result.withinDepth.push_back(std::move(within));
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Stores
//===----------------------------------------------------------------------===//

/// `value` of the reduction's body from what was loaded, in `lanes` lanes.
Value ContractionStager::evaluate(Value value, const llvm::DenseMap<Value, Value> &loads,
                                  int64_t lanes) {
  Value known = loads.lookup(value);
  if (!known && !nest.inReduction(value))
    known = value;
  if (!known) {
    IRMapping mapping;
    Operation *op = value.getDefiningOp();
    for (Value operand : op->getOperands())
      mapping.map(operand, evaluate(operand, loads, lanes));
    Operation *clone = builder.clone(*op, mapping);
    known = clone->getResult(0);
    if (lanes > 1)
      known.setType(VectorType::get({lanes}, value.getType()));
    return known;
  }
  if (lanes > 1 && !isa<VectorType>(known.getType()))
    return vector::BroadcastOp::create(builder, loc, VectorType::get({lanes}, known.getType()),
                                       known);
  return known;
}

/// The factor at each load of a unit, in words; what is less than a word has zeros above it. It is
/// 0 beyond the depth.
SmallVector<SmallVector<Value>> ContractionStager::wordsOf(const Loaded &loaded, int64_t unit) {
  const int64_t bytes = plan.what.factorBytes(), width = side.width;
  // What was loaded beyond the depth is 0; what was computed from it need not be.
  Value origin = what.factor;
  while (auto cast = origin.getDefiningOp<arith::BitcastOp>())
    origin = cast.getIn();
  auto access = nest.accesses.find(origin);
  bool isLoad = access != nest.accesses.end() && padsWithZero(access->second);
  auto vectorOf = [&](int64_t lanes, Type element) -> Type {
    return lanes > 1 ? Type(VectorType::get({lanes}, element)) : element;
  };
  Type integer = vectorOf(width, builder.getIntegerType(bytes * 8)), word = builder.getI32Type();
  SmallVector<SmallVector<Value>> result;
  for (auto [loads, within] : llvm::zip(loaded.units[unit], loaded.withinDepth[unit])) {
    Value value = evaluate(what.factor, loads, width);
    if (value.getType() != integer)
      value = arith::BitcastOp::create(builder, loc, integer, value);
    if (within && !isLoad) {
      Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(integer));
      value = arith::SelectOp::create(builder, loc, within, value, zero);
    }
    SmallVector<Value> &words = result.emplace_back();
    if (width * bytes < 4) {
      if (width > 1) {
        Type whole = builder.getIntegerType(width * bytes * 8);
        value = vector::BitCastOp::create(builder, loc, VectorType::get({1}, whole), value);
        value = vector::ExtractOp::create(builder, loc, value, 0);
      }
      words.push_back(arith::ExtUIOp::create(builder, loc, word, value));
      continue;
    }
    int64_t count = width * bytes / 4;
    if (count == 1 && width == 1) {
      words.push_back(value);
      continue;
    }
    auto type = VectorType::get({count}, word);
    if (value.getType() != type)
      value = vector::BitCastOp::create(builder, loc, type, value);
    for (int64_t lane = 0; lane < count; ++lane)
      words.push_back(vector::ExtractOp::create(builder, loc, value, lane));
  }
  return result;
}

/// The word whose bytes, from the lowest one on, are those of `low` (0 to 3) and `high` (4 to 7)
/// that the digits of `bytes` name. LLVM finds the one instruction for it in some sums of shifts
/// only.
Value ContractionStager::permute(Value low, Value high, uint32_t bytes) {
  Value selector = arith::ConstantOp::create(
      builder, loc, builder.getI32IntegerAttr(static_cast<int32_t>(bytes)));
  Type word = builder.getI32Type();
  return LLVM::CallIntrinsicOp::create(builder, loc, word,
                                       builder.getStringAttr("llvm.amdgcn.perm"),
                                       ValueRange{high, low, selector})
      .getResult(0);
}

/// The words that the elements number `position` of `loads` make side by side.
SmallVector<Value> ContractionStager::gather(ArrayRef<SmallVector<Value>> loads, int64_t position) {
  const int64_t bytes = plan.what.factorBytes(), word = position * bytes / 4,
                byte = position * bytes % 4;
  SmallVector<Value> parts;
  for (ArrayRef<Value> load : loads)
    parts.push_back(load[word]);
  if (bytes == 4)
    return parts;
  auto pairUp = [&](uint32_t selector) {
    SmallVector<Value> pairs;
    for (size_t first = 0; first < parts.size(); first += 2)
      pairs.push_back(permute(parts[first], parts[first + 1], selector));
    parts = std::move(pairs);
  };
  if (bytes == 2) {
    pairUp(byte ? 0x07060302 : 0x05040100);
    return parts;
  }
  // Two bytes of each of two words first: elements next to each other share them.
  pairUp(byte < 2 ? 0x05010400 : 0x07030602);
  pairUp(byte % 2 ? 0x07060302 : 0x05040100);
  return parts;
}

/// The words that `parts` of less than a word, with zeros above them, make side by side.
SmallVector<Value> ContractionStager::pack(SmallVector<Value> parts, int64_t bytes) {
  for (; bytes < 4; bytes *= 2) {
    SmallVector<Value> pairs;
    for (size_t first = 0; first < parts.size(); first += 2)
      pairs.push_back(
          permute(parts[first], parts[first + 1], bytes == 2 ? 0x05040100 : 0x0c0c0400));
    parts = std::move(pairs);
  }
  return parts;
}

void ContractionStager::storeUnit(const Loaded &loaded, int64_t unit, int64_t slot) {
  SmallVector<SmallVector<Value>> words = wordsOf(loaded, unit);
  const int64_t bytes = plan.what.factorBytes(), first = firstWord + slot * side.slotWords;
  auto storeAll = [&](ArrayRef<Value> words, Value place, int64_t offset) {
    auto type = VectorType::get({accessWords}, builder.getI32Type());
    Value all = vector::FromElementsOp::create(builder, loc, type, words);
    vector::StoreOp::create(builder, loc, all, lds, ValueRange{add(place, offset)},
                            /*nontemporal=*/false, llvm::MaybeAlign(accessBytes));
  };
  auto joined = [&] {
    SmallVector<Value> all;
    for (ArrayRef<Value> some : words)
      llvm::append_range(all, some);
    return all;
  };
  if (!plan.wmma) {
    // The side is contiguous.
    Value place = add(mul(unitDepth[unit], side.stride), unitSide[unit]);
    if (!side.alongDepth)
      return storeAll(joined(), place, first);
    for (auto [depth, word] : llvm::enumerate(joined()))
      memref::StoreOp::create(builder, loc, word, lds,
                              ValueRange{add(place, first + depth * side.stride)});
    return;
  }
  // The depth is contiguous, step by step.
  Value along = unitDepth[unit], place = mul(unitSide[unit], side.stride);
  if (side.period > 1) {
    Value step = arith::DivUIOp::create(builder, loc, along, index(plan.depth.step));
    along = arith::RemUIOp::create(builder, loc, along, index(plan.depth.step));
    place = add(place, mul(step, side.slotWords));
  }
  place = add(place, arith::DivUIOp::create(builder, loc, mul(along, bytes), index(4)));
  if (side.alongDepth)
    return storeAll(pack(joined(), side.width * bytes), place, first);
  // The unit is transposed: each load is an element of all rows.
  for (int64_t across = 0; across < side.unitSide; ++across)
    storeAll(gather(words, across), place, first + across * side.stride);
}

void ContractionStager::store(const Loaded &loaded, int64_t slot) {
  for (auto [unit, exists] : llvm::enumerate(unitExists)) {
    if (!exists) {
      storeUnit(loaded, unit, slot);
      continue;
    }
    auto branch = scf::IfOp::create(builder, loc, exists, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    storeUnit(loaded, unit, slot);
  }
}
