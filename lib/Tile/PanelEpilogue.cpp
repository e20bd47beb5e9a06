//===- PanelEpilogue.cpp - what becomes of the sums of a tile -------------===//
//
// Whole tiles go through the epilogue in vectors. Those at the edges wait in memory, from
// where the rows and columns that exist are taken: as vectors, under masks, or one by one.
// Sums of a matrix unit wait there in any case.
//
//===----------------------------------------------------------------------===//

#include "PanelEmitter.h"

#include "NestEmitter.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::tiny;

/// Where an element of the result is.
LoopPlace PanelEmitter::placeOf(Value row, Value column, int64_t rowOffset, int64_t columnOffset) {
  LoopPlace place = batch;
  const ContractionSide &rows = plan.what.rows, &columns = plan.what.columns;
  if (!rows.loops.empty())
    placeInLoops(builder, loc, nest, rows.loops, row, rowOffset, /*run=*/INT64_MAX, place);
  if (oneColumnLoop) {
    place.bases[columns.loops.back()] = column;
    place.deltas[columns.loops.back()] = columnOffset;
  } else {
    if (columnOffset)
      column = add(column, index(columnOffset));
    placeInLoops(builder, loc, nest, columns.loops, column, 0, 1, place);
  }
  return place;
}

/// The epilogue of one sum, and its store: of the lanes that `mask` allows, if it is not null.
void PanelEmitter::storeSum(Value sum, Value row, Value column, int64_t rowOffset,
                            int64_t columnOffset, int64_t numLanes, Value mask) {
  LoopPlace place = placeOf(row, column, rowOffset, columnOffset);
  Instance at{place.deltas, numLanes};
  EmissionContext own = context;
  own.laneMask = mask;
  BodyEmitter body(builder, own, place.bases, /*guardsHold=*/false);
  body.set(nest.accumulated(), at, sum);
  body.store(body.emit(nest.stored(), at), at);
}

/// Whether the epilogue of fewer columns than a vector has may be one of a whole vector of which
/// only these are loaded and stored: no operation of it minds what the other lanes hold.
bool PanelEmitter::mayMaskEnds() const {
  auto hasMasks = [&](const Access &access) {
    return !access.computed && access.type.getIntOrFloatBitWidth() >= context.maskedBits;
  };
  if (!context.maskedBits || !oneColumnLoop || !hasMasks(nest.store) ||
      nest.store.strideAlong(context.vectorDim) != 1)
    return false;
  for (const auto &[value, access] : nest.accesses)
    if (!nest.inReduction(value) && !hasMasks(access))
      return false;
  for (Operation &op : linalg::GenericOp(nest.epilogue).getBody()->without_terminator())
    if (!isa<ReadOp>(op) && !isSpeculatable(&op))
      return false;
  return true;
}

void PanelEmitter::finish(const Tile &tile, ArrayRef<Value> sums) {
  Value whole;
  auto require = [&](arith::CmpIPredicate predicate, Value value, int64_t bound) {
    Value holds = arith::CmpIOp::create(builder, loc, predicate, value, index(bound));
    whole = whole ? arith::AndIOp::create(builder, loc, whole, holds) : holds;
  };
  if (tile.rows)
    require(arith::CmpIPredicate::eq, tile.rows, plan.registerRows);
  if (tile.firstRow)
    require(arith::CmpIPredicate::eq, tile.firstRow, 0);
  if (tile.columns)
    require(arith::CmpIPredicate::eq, tile.columns, tile.vectors * plan.lanes);
  if (!vectorColumns)
    return finishEdge(tile, sums);
  auto inRegisters = [&] {
    if (plan.tiles)
      return finishRows(tile);
    for (auto [number, sum] : llvm::enumerate(sums))
      storeSum(sum, tile.row, tile.column, number / tile.vectors,
               number % tile.vectors * plan.lanes, plan.lanes);
  };
  if (!whole)
    return inRegisters();
  auto branch = scf::IfOp::create(builder, loc, whole, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  inRegisters();
  builder.setInsertionPointToStart(branch.elseBlock());
  finishEdge(tile, sums);
}

/// All rows of a tile whose sums wait, one after the other: they are more than there are registers.
void PanelEmitter::finishRows(const Tile &tile) {
  auto loop = scf::ForOp::create(builder, loc, index(0), index(plan.registerRows), index(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  Value row = loop.getInductionVar(), place = waitingPlace(tile, row, index(0));
  for (int64_t vector = 0; vector < tile.vectors; ++vector) {
    Value sum =
        vector::LoadOp::create(builder, loc, VectorType::get({plan.lanes}, plan.element), waiting(),
                               ValueRange{add(place, index(vector * plan.lanes))});
    storeSum(sum, add(tile.row, row), tile.column, 0, vector * plan.lanes, plan.lanes);
  }
}

/// Where the sums of a tile are that is not in registers any more.
Value PanelEmitter::waiting() { return edgeMemory ? edgeMemory : sumMemory; }

Value PanelEmitter::waitingPlace(const Tile &tile, Value row, Value column) {
  Value place = add(mul(row, tile.vectors * plan.lanes), column);
  return edgeMemory ? place : add(sumPlace(tile, 0), place);
}

/// The same for a tile some of whose rows or columns do not exist, or are stored already.
void PanelEmitter::finishEdge(const Tile &tile, ArrayRef<Value> sums) {
  int64_t width = tile.vectors * plan.lanes;
  if (!plan.tiles)
    storeTile(sums);
  // Columns up to here are whole vectors.
  Value end = tile.firstColumn, last = tile.columns ? tile.columns : index(width);
  if (!end)
    end = index(0);
  if (tile.columns && !columnMemory)
    last = add(tile.columns, tile.firstColumn);
  Value first = end;
  bool masks = mayMaskEnds();
  if (vectorColumns && !masks) {
    Value vectors = builder.createOrFold<arith::DivUIOp>(
        loc, builder.createOrFold<arith::SubIOp>(loc, last, first), index(plan.lanes));
    end = add(first, mul(vectors, plan.lanes));
    if (!oneColumnLoop && !columnMemory)
      end = first; // a vector from there may run over the end of a loop
  }
  Value lastRow = tile.rows ? tile.rows : index(plan.registerRows);
  auto rowLoop =
      scf::ForOp::create(builder, loc, tile.firstRow ? tile.firstRow : index(0), lastRow, index(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(rowLoop.getBody());
  Value row = rowLoop.getInductionVar();
  auto forColumns = [&](Value from, Value to, int64_t step) {
    auto loop = scf::ForOp::create(builder, loc, from, to, index(step));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value column = loop.getInductionVar(), place = waitingPlace(tile, row, column);
    Value sum;
    auto type = VectorType::get({plan.lanes}, plan.element);
    if (masks) {
      Value count = builder.createOrFold<arith::SubIOp>(loc, to, column);
      Value mask = vector::CreateMaskOp::create(
          builder, loc, VectorType::get({plan.lanes}, builder.getI1Type()), ValueRange{count});
      Value zero = vector::BroadcastOp::create(builder, loc, type, nest.identity);
      sum = vector::MaskedLoadOp::create(builder, loc, type, waiting(), ValueRange{place}, mask,
                                         zero);
      return storeSum(sum, add(tile.row, row), add(tile.column, column), 0, 0, step, mask);
    }
    if (step == 1)
      sum = memref::LoadOp::create(builder, loc, waiting(), place);
    else
      sum = vector::LoadOp::create(builder, loc, VectorType::get({step}, plan.element), waiting(),
                                   ValueRange{place});
    storeSum(sum, add(tile.row, row), add(tile.column, column), 0, 0, step);
  };
  if (masks)
    return forColumns(first, last, plan.lanes);
  if (end != first)
    forColumns(first, end, plan.lanes);
  forColumns(end, last, 1);
}
