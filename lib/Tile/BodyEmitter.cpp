//===- BodyEmitter.cpp - scalar bodies on vectors, and their accesses -----===//

#include "BodyEmitter.h"
#include "NestPrice.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

bool BodyEmitter::isVector(Value value, const Instance &at) {
  return at.lanes > 1 && (context.nest.loops.lookup(value) >> context.vectorDim & 1);
}

/// Instances that give the same key share the emitted value.
BodyEmitter::Key BodyEmitter::keyOf(Value value, const Instance &at) {
  uint64_t set = context.nest.loops.lookup(value);
  SmallVector<int64_t> place;
  for (auto [loop, delta] : llvm::enumerate(at.deltas))
    if (set >> loop & 1)
      place.push_back(delta);
  place.push_back(isVector(value, at) ? at.lanes : 1);
  return {value.getAsOpaquePointer(), place};
}

void BodyEmitter::set(Value value, const Instance &at, Value known) {
  emitted[keyOf(value, at)] = known;
}

Value BodyEmitter::emit(Value value, const Instance &at) {
  Key key = keyOf(value, at);
  auto known = emitted.find(key);
  if (known != emitted.end())
    return known->second;
  Value result;
  Operation *op = value.getDefiningOp();
  auto access = context.nest.accesses.find(value);
  if (access != context.nest.accesses.end()) {
    result = load(access->second, at);
  } else if (AffineExpr expr = context.nest.indices.lookup(value)) {
    result = isVector(value, at) ? Value() : index.scalar(expr, at);
    if (isVector(value, at)) {
      result = index.lanes(expr, at);
      auto type = VectorType::get({at.lanes}, builder.getIndexType());
      if (result.getType() != type)
        result = arith::IndexCastOp::create(builder, loc, type, result);
    }
  } else if (!op || !isa<linalg::GenericOp>(op->getParentOp())) {
    result = value; // defined outside of the kernel's loops
  } else {
    result = emitOp(op, at, isVector(value, at) ? at.lanes : 1);
  }
  emitted[key] = result;
  return result;
}

Value BodyEmitter::widen(Value value, int64_t lanes) {
  if (lanes == 1 || isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(builder, loc, VectorType::get({lanes}, value.getType()),
                                     value);
}

Value BodyEmitter::emitOp(Operation *op, const Instance &at, int64_t lanes) {
  IRMapping mapping;
  for (Value operand : op->getOperands())
    mapping.map(operand, widen(emit(operand, at), lanes));
  Operation *clone = builder.clone(*op, mapping);
  Value result = clone->getResult(0);
  if (lanes > 1)
    result.setType(VectorType::get({lanes}, result.getType()));
  return result;
}

Value BodyEmitter::accumulate(Value accumulator, const Instance &at) {
  int64_t lanes = 1;
  if (auto type = dyn_cast<VectorType>(accumulator.getType()))
    lanes = type.getNumElements();
  const KernelNest &nest = context.nest;
  if (context.hasFma && isMultiplyAdd(nest)) {
    auto product = nest.reduced.getDefiningOp<arith::MulFOp>();
    Value lhs = widen(emit(product.getLhs(), at), lanes);
    Value rhs = widen(emit(product.getRhs(), at), lanes);
    if (lanes > 1)
      return vector::FMAOp::create(builder, loc, lhs, rhs, accumulator);
    return math::FmaOp::create(builder, loc, lhs, rhs, accumulator);
  }
  IRMapping mapping;
  Value value = widen(emit(nest.reduced, at), lanes);
  for (Value operand : nest.combine->getOperands())
    mapping.map(operand, operand == nest.reduced ? value : accumulator);
  Operation *clone = builder.clone(*nest.combine, mapping);
  clone->getResult(0).setType(accumulator.getType());
  return clone->getResult(0);
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

Value BodyEmitter::constant(TypedAttr value) {
  return arith::ConstantOp::create(builder, loc, value);
}

Value BodyEmitter::load(const Access &access, const Instance &at) {
  bool moves = context.vectorDim >= 0 && access.dependsOn(context.vectorDim) && at.lanes > 1;
  if (access.computed || (!access.guards.empty() && (!guardsHold || access.elements == 0)) ||
      (moves && context.laneMask))
    return loadGuarded(access, at);
  Value flat = context.flat.lookup(access.source);
  if (moves && access.flat.isFunctionOfDim(context.vectorDim))
    return loadLanes(access, at);
  Value loaded = memref::LoadOp::create(builder, loc, flat, index.scalar(access.flat, at));
  return moves ? widen(loaded, at.lanes) : loaded;
}

/// A vector from an access that the vector loop moves, where no guard can fail. All lanes are in
/// bounds, and so is whatever lies between the first and the last.
Value BodyEmitter::loadLanes(const Access &access, const Instance &at) {
  Value flat = context.flat.lookup(access.source);
  auto type = VectorType::get({at.lanes}, access.type);
  std::optional<int64_t> stride = access.strideAlong(context.vectorDim);
  auto loadAt = [&](int64_t offset) -> Value {
    return loadVector(builder, loc, type, flat, index.scalar(access.flat, at, offset),
                      context.simt);
  };
  if (stride == 1)
    return loadAt(0);

  if (stride && std::abs(*stride) <= maxShuffledStride)
    return loadSpan(at.lanes, *stride, loadAt);

  if (Value loaded = stride ? loadTransposed(access, at) : Value())
    return loaded;
  if (stride) {
    SmallVector<Value> elements;
    for (int64_t lane = 0; lane < at.lanes; ++lane)
      elements.push_back(memref::LoadOp::create(builder, loc, flat,
                                                index.scalar(access.flat, at, lane * *stride)));
    return vector::FromElementsOp::create(builder, loc, type, elements);
  }
  Value places = index.lanes(access.flat, at);
  SmallVector<Value> elements;
  for (int64_t lane = 0; lane < at.lanes; ++lane) {
    Value place = vector::ExtractOp::create(builder, loc, places, lane);
    if (!place.getType().isIndex())
      place = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), place);
    elements.push_back(memref::LoadOp::create(builder, loc, flat, place));
  }
  return vector::FromElementsOp::create(builder, loc, type, elements);
}

/// The same where the access is contiguous along another loop, and the register tile has as many
/// steps of that as there are lanes: a square of loads along that loop is transposed, and the
/// other steps find their vectors. Null where it has not.
Value BodyEmitter::loadTransposed(const Access &access, const Instance &at) {
  if (context.simt || context.extents.empty() || !llvm::isPowerOf2_64(at.lanes))
    return {};
  for (unsigned loop = 0; loop < context.nest.numParallel; ++loop) {
    int64_t delta = at.deltas[loop], place = delta % at.lanes;
    if (static_cast<int64_t>(loop) == context.vectorDim || access.strideAlong(loop) != 1 ||
        delta - place + at.lanes > context.extents[loop])
      continue;
    Instance corner = at;
    corner.deltas[loop] = delta - place;
    Key key{const_cast<Access *>(&access), corner.deltas};
    key.second.push_back(at.lanes);
    SmallVector<Value> &block = transposed[key];
    if (block.empty()) {
      int64_t stride = *access.strideAlong(context.vectorDim);
      for (int64_t lane = 0; lane < at.lanes; ++lane)
        block.push_back(loadVector(builder, loc, VectorType::get({at.lanes}, access.type),
                                   context.flat.lookup(access.source),
                                   index.scalar(access.flat, corner, lane * stride),
                                   /*simt=*/false));
      block = transposeVectors(builder, loc, block);
    }
    return block[place];
  }
  return {};
}

/// `lanes` elements that are `stride` apart: whole vectors over the span, the last one moved back
/// so that it ends with the last lane, and shuffles. `loadAt` loads the vector that begins so many
/// elements behind the first lane's.
Value BodyEmitter::loadSpan(int64_t lanes, int64_t stride,
                            llvm::function_ref<Value(int64_t)> loadAt) {
  int64_t step = std::abs(stride), span = (lanes - 1) * step + 1, first = stride < 0 ? 1 - span : 0;
  int64_t last = span - lanes;
  auto placeOf = [&](int64_t lane) { return stride < 0 ? (lanes - 1 - lane) * step : lane * step; };
  Value result = loadAt(first);
  bool inPlace = false; // whether the lanes found so far are where they belong
  for (int64_t covered = lanes; covered < span || !inPlace;) {
    int64_t start = std::min(covered, last);
    Value piece = covered < span ? loadAt(first + start) : result;
    SmallVector<int64_t> mask(lanes, -1);
    for (int64_t lane = 0; lane < lanes; ++lane) {
      if (placeOf(lane) < covered)
        mask[lane] = inPlace ? lane : placeOf(lane);
      else if (placeOf(lane) < start + lanes)
        mask[lane] = placeOf(lane) - start + lanes;
    }
    result = vector::ShuffleOp::create(builder, loc, result, piece, mask);
    inPlace = true;
    covered = std::max(covered, start + lanes);
  }
  return result;
}

/// Whether `low <= number < high`, where `number` lies in `range`. Null if it always does.
Value BodyEmitter::isWithin(Value number, int64_t low, int64_t high, Interval range) {
  auto compare = [&](arith::CmpIPredicate predicate, int64_t bound) -> Value {
    // A bound outside of the range must not be cut to the width of the lanes.
    TypedAttr attribute = IntegerAttr::get(getElementTypeOrSelf(number.getType()), bound);
    if (auto type = dyn_cast<VectorType>(number.getType()))
      attribute = DenseElementsAttr::get(type, Attribute(attribute));
    return arith::CmpIOp::create(builder, loc, predicate, number, constant(attribute));
  };
  Value result;
  if (range.min < low)
    result = compare(arith::CmpIPredicate::sge,
                     std::min(low, range.max == INT64_MAX ? range.max : range.max + 1));
  if (range.max >= high) {
    Value below = compare(arith::CmpIPredicate::slt, std::max(high, range.min));
    result = result ? arith::AndIOp::create(builder, loc, result, below) : below;
  }
  return result;
}

static constexpr Interval anyIndex = {INT64_MIN, INT64_MAX};

/// Whether `guard` holds, for the first lane or for each of them. Null if it always does.
Value BodyEmitter::holds(const Guard &guard, const Instance &at, bool asLanes) {
  if (guard.computed)
    return isWithin(emit(guard.computed, at), guard.low, guard.high, anyIndex);
  Value number = asLanes ? index.lanes(guard.expr, at) : index.scalar(guard.expr, at);
  return isWithin(number, guard.low, guard.high, context.nest.space.rangeOf(guard.expr));
}

/// The index that `symbol` stands for where it is within its bounds, and else the nearer bound.
Value BodyEmitter::emitSymbol(unsigned symbol, const Instance &at) {
  Interval bounds = context.nest.space.symbols[symbol];
  Value number = emit(context.nest.symbols[symbol].value, at);
  int64_t lanes = 1;
  if (auto type = dyn_cast<VectorType>(number.getType()))
    lanes = type.getNumElements();
  Value low = widen(constant(builder.getIndexAttr(bounds.min)), lanes);
  Value high = widen(constant(builder.getIndexAttr(bounds.max)), lanes);
  Value least = arith::MaxSIOp::create(builder, loc, number, low);
  return arith::MinSIOp::create(builder, loc, least, high);
}

/// The elements of a vector one by one, each from its place or, where `mask` forbids that, the
/// first element of the source.
Value BodyEmitter::loadChosen(const Access &access, const Instance &at, Value mask,
                              std::optional<int64_t> stride) {
  Value flat = context.flat.lookup(access.source), zero = constant(builder.getIndexAttr(0));
  Value places = stride ? Value() : index.lanes(access.flat, at);
  SmallVector<Value> elements;
  for (int64_t lane = 0; lane < at.lanes; ++lane) {
    Value place = places ? vector::ExtractOp::create(builder, loc, places, lane).getResult()
                         : index.scalar(access.flat, at, lane * *stride);
    if (!place.getType().isIndex())
      place = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), place);
    Value own = vector::ExtractOp::create(builder, loc, mask, lane);
    place = arith::SelectOp::create(builder, loc, own, place, zero);
    elements.push_back(memref::LoadOp::create(builder, loc, flat, place));
  }
  return vector::FromElementsOp::create(builder, loc, VectorType::get({at.lanes}, access.type),
                                        elements);
}

/// The lanes that `mask` allows, and else `pads`, on a target that has masks for such elements.
Value BodyEmitter::loadMasked(const Access &access, const Instance &at, Value mask, Value pads,
                              std::optional<int64_t> stride) {
  Value flat = context.flat.lookup(access.source);
  auto type = cast<VectorType>(pads.getType());
  if (stride == 1)
    return vector::MaskedLoadOp::create(builder, loc, type, flat,
                                        ValueRange{index.scalar(access.flat, at)}, mask, pads);
  if (!stride || *stride == 0 || std::abs(*stride) > maxShuffledStride)
    return vector::GatherOp::create(builder, loc, type, flat,
                                    ValueRange{constant(builder.getIndexAttr(0))},
                                    index.lanes(access.flat, at), mask, pads);
  // Loads and a shuffle cost a fraction of a gather. What lies between the lanes is not loaded.
  auto none = constant(cast<TypedAttr>(builder.getZeroAttr(mask.getType())));
  Value spanned = loadSpan(at.lanes, *stride, [&](int64_t offset) -> Value {
    SmallVector<int64_t> lanes;
    for (int64_t place = offset; place < offset + at.lanes; ++place) {
      int64_t lane = place / *stride;
      bool isLane = place % *stride == 0 && lane >= 0 && lane < at.lanes;
      lanes.push_back(isLane ? lane : at.lanes);
    }
    Value pieceMask = vector::ShuffleOp::create(builder, loc, mask, none, lanes);
    return vector::MaskedLoadOp::create(builder, loc, type, flat,
                                        ValueRange{index.scalar(access.flat, at, offset)},
                                        pieceMask, pads);
  });
  return arith::SelectOp::create(builder, loc, mask, spanned, pads);
}

/// An access with guards or a mask: a masked lane, or a scalar whose guard fails, is never loaded.
Value BodyEmitter::loadGuarded(const Access &access, const Instance &at) {
  bool moves = at.lanes > 1 && access.dependsOn(context.vectorDim);
  int64_t lanes = moves ? at.lanes : 1;
  auto pad = [&](const Guard &guard) { return widen(constant(guard.pad), lanes); };

  // The conditions, and the one under which the access happens.
  SmallVector<Value> conditions;
  Value uniform, mask = moves ? context.laneMask : Value();
  for (const Guard &guard : access.guards) {
    bool asLanes = moves && (guard.loops >> context.vectorDim & 1);
    Value condition = holds(guard, at, asLanes);
    conditions.push_back(condition);
    Value &all = asLanes ? mask : uniform;
    all = all ? arith::AndIOp::create(builder, loc, all, condition) : condition;
  }
  Value flat = context.flat.lookup(access.source), result;
  if (access.guards.empty())
    result = widen(constant(builder.getZeroAttr(access.type)), lanes);
  else
    result = pad(access.guards.back());
  std::optional<int64_t> stride = moves ? access.strideAlong(context.vectorDim) : std::nullopt;
  // Where all lanes share the condition, an access that it forbids goes to the first elements.
  bool shareCondition = !moves || (!mask && stride == 1 && access.elements >= lanes);
  bool masks = context.maskedBits && access.type.getIntOrFloatBitWidth() >= context.maskedBits;
  if (access.elements == 0) {
    // Nothing can be loaded: some guard fails everywhere.
  } else if (shareCondition) {
    Value zero = constant(builder.getIndexAttr(0));
    Value place =
        arith::SelectOp::create(builder, loc, uniform, index.scalar(access.flat, at), zero);
    if (moves)
      result =
          loadVector(builder, loc, cast<VectorType>(result.getType()), flat, place, context.simt);
    else
      result = memref::LoadOp::create(builder, loc, flat, place);
  } else {
    if (uniform)
      mask = mask ? arith::AndIOp::create(builder, loc, mask, widen(uniform, lanes))
                  : widen(uniform, lanes);
    if (masks)
      result = loadMasked(access, at, mask, result, stride);
    else
      result = loadChosen(access, at, mask, stride);
  }

  // The first guard that fails wins, so it is selected last.
  bool samePads = llvm::all_of(
      access.guards, [&](const Guard &guard) { return guard.pad == access.guards.front().pad; });
  if (samePads && (access.elements == 0 || (!shareCondition && masks)))
    return result; // what was left out has the pad already
  if (samePads)
    return arith::SelectOp::create(builder, loc, shareCondition ? uniform : mask, result,
                                   pad(access.guards.front()));
  for (auto [guard, condition] : llvm::reverse(llvm::zip(access.guards, conditions)))
    result = arith::SelectOp::create(builder, loc, widen(condition, lanes), result, pad(guard));
  return result;
}

/// A store that happens where its guards hold. What the guards and the place need is emitted
/// outside of the branch, where later instances find it.
void BodyEmitter::storeGuarded(Value value, const Instance &at) {
  const Access &access = context.nest.store;
  Value flat = context.flat.lookup(access.source), uniform, mask;
  for (const Guard &guard : access.guards) {
    bool asLanes = at.lanes > 1 && (guard.loops >> context.vectorDim & 1);
    if (Value condition = holds(guard, at, asLanes)) {
      Value &all = asLanes ? mask : uniform;
      all = all ? arith::AndIOp::create(builder, loc, all, condition) : condition;
    }
  }
  auto storeIf = [&](Value condition, Value element, Value place) {
    OpBuilder::InsertionGuard insertion(builder);
    if (condition) {
      auto branch = scf::IfOp::create(builder, loc, condition, /*withElseRegion=*/false);
      builder.setInsertionPointToStart(branch.thenBlock());
    }
    if (isa<VectorType>(element.getType()))
      storeVector(builder, loc, element, flat, place, context.simt);
    else
      memref::StoreOp::create(builder, loc, element, flat, place);
  };
  if (at.lanes > 1)
    value = widen(value, at.lanes);
  bool moves = at.lanes > 1 && access.dependsOn(context.vectorDim);
  std::optional<int64_t> stride = moves ? access.strideAlong(context.vectorDim) : 1;
  if (at.lanes == 1 || (!mask && moves && stride == 1))
    return storeIf(uniform, value, index.scalar(access.flat, at));
  Value places = stride ? Value() : index.lanes(access.flat, at);
  for (int64_t lane = 0; lane < at.lanes; ++lane) {
    Value condition = uniform;
    if (mask) {
      Value own = vector::ExtractOp::create(builder, loc, mask, lane);
      condition = condition ? arith::AndIOp::create(builder, loc, condition, own) : own;
    }
    Value place = places ? vector::ExtractOp::create(builder, loc, places, lane).getResult()
                         : index.scalar(access.flat, at, lane * *stride);
    if (!place.getType().isIndex())
      place = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), place);
    storeIf(condition, vector::ExtractOp::create(builder, loc, value, lane), place);
  }
}

void BodyEmitter::store(Value value, const Instance &at) {
  const Access &access = context.nest.store;
  if (!access.guards.empty())
    return storeGuarded(value, at);
  Value flat = context.flat.lookup(access.source);
  if (at.lanes == 1) {
    memref::StoreOp::create(builder, loc, value, flat, index.scalar(access.flat, at));
    return;
  }
  value = widen(value, at.lanes);
  // The destination's map is the identity, so that it is linear.
  int64_t stride = *access.strideAlong(context.vectorDim);
  if (context.laneMask) {
    vector::MaskedStoreOp::create(builder, loc, flat, ValueRange{index.scalar(access.flat, at)},
                                  context.laneMask, value);
    return;
  }
  if (stride == 1 && context.streams)
    return streamVector(builder, loc, value, flat, index.scalar(access.flat, at));
  if (stride == 1)
    return storeVector(builder, loc, value, flat, index.scalar(access.flat, at), context.simt);
  for (int64_t lane = 0; lane < at.lanes; ++lane)
    memref::StoreOp::create(builder, loc, vector::ExtractOp::create(builder, loc, value, lane),
                            flat, index.scalar(access.flat, at, lane * stride));
}
