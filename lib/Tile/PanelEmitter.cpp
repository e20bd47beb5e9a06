//===- PanelEmitter.cpp - strips, panels and the loop of products ---------===//
//
// A strip of rows stays in the first level of the cache while all panels of the workgroup
// pass by, from the second one. Sums that wait for further blocks of the depth are kept
// by register tile, so that they come and go in whole vectors. Tiles at the edges multiply
// like all others and only store less: rows and columns that do not exist repeat the last
// one that does.
//
//===----------------------------------------------------------------------===//

#include "PanelEmitter.h"

#include "NestEmitter.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

static constexpr auto noWrap = arith::IntegerOverflowFlags::nsw;
static constexpr int64_t lineBytes = 64;
/// Steps, of one product or two, that are summed up one after the other. What roundings cost grows
/// with their number; the sums of runs are as exact as those of a library, which blocks likewise,
/// for 1 % of the time.
static constexpr int64_t runLength = 128;
/// A depth up to this is one run.
static constexpr int64_t longestRun = runLength * 3 / 2;

Value PanelEmitter::index(int64_t value) { return indexConstant(builder, loc, value); }

Value PanelEmitter::add(Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return builder.createOrFold<arith::AddIOp>(loc, lhs, rhs, noWrap);
}

Value PanelEmitter::mul(Value lhs, int64_t rhs) {
  return rhs == 1 ? lhs : builder.createOrFold<arith::MulIOp>(loc, lhs, index(rhs), noWrap);
}

/// The next `elements` of `memory`, or nothing where there are none.
Value PanelEmitter::takeMemory(Value memory, int64_t elements, Type element, int64_t &offset) {
  if (elements == 0)
    return {};
  Value view = memref::ViewOp::create(builder, loc, MemRefType::get({elements}, element), memory,
                                      index(offset), /*sizes=*/ValueRange());
  offset += llvm::alignTo(elements * plan.elementBytes(), lineBytes);
  return view;
}

PanelEmitter::PanelEmitter(OpBuilder &builder, const EmissionContext &context,
                           const PanelPlan &plan, Value memory, Value batchNumber, Value rowTile,
                           Value columnTile)
    : builder(builder), loc(context.nest.loc()), context(context), nest(context.nest), plan(plan) {
  batch.bases.resize(nest.numLoops());
  batch.deltas.resize(nest.numLoops());
  if (plan.what.batchExtent > 1)
    placeInLoops(builder, loc, nest, plan.what.batch, batchNumber, 0, 1, batch);
  auto extentFrom = [&](Value first, int64_t extent, int64_t tile) -> Value {
    if (extent % tile == 0)
      return index(tile);
    return emitMin(builder, loc, index(tile),
                   builder.createOrFold<arith::SubIOp>(loc, index(extent), first));
  };
  firstRow = mul(rowTile, plan.rowTile);
  firstColumn = mul(columnTile, plan.columnTile);
  numRows = extentFrom(firstRow, plan.what.rows.extent, plan.rowTile);
  numColumns = extentFrom(firstColumn, plan.what.columns.extent, plan.columnTile);
  int64_t offset = 0;
  columnMemory = takeMemory(memory, plan.columnElements(), plan.packed, offset);
  stripMemory = takeMemory(memory, plan.stripElements(), plan.packed, offset);
  sumMemory = takeMemory(memory, plan.sumElements(), plan.element, offset);
  edgeMemory = takeMemory(memory, plan.edgeElements(), plan.element, offset);
  if (!stripMemory && plan.what.rows.extent >= plan.registerRows)
    rowStride = strideAlong(nest, *accessOf(nest, plan.what.rows), plan.what.rows.loops);
  oneColumnLoop = columnsAreOneLoop(nest, plan.what);
  vectorColumns = oneColumnLoop || nest.sizes[plan.what.columns.loops.back()] % plan.lanes == 0;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void PanelEmitter::emit() {
  int64_t depth = plan.depthSteps;
  if (!plan.splitsDepth())
    return emitBlock({Value(), index(depth)});
  auto loop = scf::ForOp::create(builder, loc, index(0), index(depth), index(plan.depthBlock));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  Value start = loop.getInductionVar(), count = index(plan.depthBlock);
  if (depth % plan.depthBlock != 0)
    count = emitMin(builder, loc, count, arith::SubIOp::create(builder, loc, index(depth), start));
  emitBlock({start, count});
}

void PanelEmitter::emitBlock(DepthBlock block) {
  if (columnMemory)
    PanelPacker(builder, context, plan, /*isRows=*/false, batch, columnMemory)
        .pack(block, firstColumn, numColumns);
  int64_t rows = plan.registerRows, width = plan.panelWidth();
  if (columnMemory && plan.tiles)
    fillDepth(
        block, columnMemory,
        builder.createOrFold<arith::DivUIOp>(loc, add(numColumns, index(width - 1)), index(width)),
        width);
  emitLoop(builder, loc, numRows, rows, [&](Value stripRow) {
    Tile tile;
    tile.row = add(firstRow, stripRow);
    tile.strip = builder.createOrFold<arith::DivUIOp>(loc, stripRow, index(rows));
    bool mayEnd = plan.what.rows.extent % rows != 0;
    if (mayEnd && rowStride) { // the last strip of rows in place begins earlier
      Value row = emitMin(builder, loc, tile.row, index(plan.what.rows.extent - rows));
      tile.firstRow = builder.createOrFold<arith::SubIOp>(loc, tile.row, row);
      tile.row = row;
    } else if (mayEnd) {
      tile.rows =
          emitMin(builder, loc, index(rows),
                  builder.createOrFold<arith::SubIOp>(loc, index(plan.what.rows.extent), tile.row));
    }
    if (stripMemory)
      PanelPacker(builder, context, plan, /*isRows=*/true, batch, stripMemory)
          .pack(block, tile.row, Value());
    if (stripMemory && plan.tiles)
      fillDepth(block, stripMemory, index(rows), /*width=*/1);
    if (!stripMemory)
      placeRows(block, tile);
    if (plan.bytes.columnOffset)
      addUpRows(block);
    auto emitPanel = [&](Value panelColumn, int64_t vectors, bool mayEnd) {
      tile.panel = builder.createOrFold<arith::DivUIOp>(loc, panelColumn, index(width));
      tile.column = add(firstColumn, panelColumn);
      tile.vectors = vectors;
      tile.columns = tile.firstColumn = Value();
      if (mayEnd) {
        tile.columns =
            builder.createOrFold<arith::SubIOp>(loc, index(plan.what.columns.extent), tile.column);
        tile.columns = emitMin(builder, loc, index(vectors * plan.lanes), tile.columns);
        tile.firstColumn = index(0);
        if (!columnMemory) { // the last tile of columns in place begins earlier
          Value column =
              emitMin(builder, loc, tile.column, index(plan.what.columns.extent - width));
          tile.firstColumn = builder.createOrFold<arith::SubIOp>(loc, tile.column, column);
          tile.column = column;
        }
      }
      emitTile(block, tile);
    };
    int64_t last = plan.lastVectors();
    if (last == plan.vectors) {
      emitLoop(builder, loc, numColumns, width, [&](Value panelColumn) {
        emitPanel(panelColumn, plan.vectors, plan.what.columns.extent % width != 0);
      });
      return;
    }
    // The last panel is narrower: nothing is multiplied for columns that do not exist.
    Value rest = builder.createOrFold<arith::RemUIOp>(loc, numColumns, index(width));
    Value whole = builder.createOrFold<arith::SubIOp>(loc, numColumns, rest);
    emitLoop(builder, loc, whole, width,
             [&](Value panelColumn) { emitPanel(panelColumn, plan.vectors, /*mayEnd=*/false); });
    emitLoop(builder, loc, rest, width, [&](Value) { emitPanel(whole, last, /*mayEnd=*/true); });
  });
}

/// Where the rows of a strip start that are read in place. Rows of one stride are one address and
/// constants: as many addresses as there are rows would not fit the registers beside the sums.
void PanelEmitter::placeRows(DepthBlock block, const Tile &tile) {
  const Access &access = *accessOf(nest, plan.what.rows);
  auto placeOf = [&](Value number) {
    LoopPlace place = batch;
    if (!plan.what.rows.loops.empty())
      placeInLoops(builder, loc, nest, plan.what.rows.loops, number, 0, 1, place);
    Value at = IndexEmitter(builder, loc, context, place.bases)
                   .scalar(access.flat, Instance{place.deltas, 1});
    return block.start ? add(at, mul(block.start, plan.dot)) : at;
  };
  rowPlaces.assign(1, placeOf(tile.row));
  for (int64_t row = 1; row < plan.registerRows; ++row) {
    if (rowStride) {
      rowPlaces.push_back(add(rowPlaces.front(), index(row * *rowStride)));
      continue;
    }
    Value number = add(tile.row, index(row));
    if (tile.rows)
      number = emitMin(builder, loc, number, index(plan.what.rows.extent - 1));
    rowPlaces.push_back(placeOf(number));
  }
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Where sum number `number` of the tile waits.
Value PanelEmitter::sumPlace(const Tile &tile, int64_t number) {
  int64_t size = plan.registerRows * plan.panelWidth();
  Value panel = add(mul(tile.strip, plan.columnTile / plan.panelWidth()), tile.panel);
  return add(mul(panel, size), index(number * plan.lanes));
}

SmallVector<Value> PanelEmitter::firstSums(DepthBlock block, const Tile &tile) {
  auto type = VectorType::get({plan.lanes}, plan.element);
  Value zero = vector::BroadcastOp::create(builder, loc, type, nest.identity);
  if (int64_t offsets = plan.bytes.rowOffset * plan.bytes.columnOffset)
    zero = arith::AddIOp::create(builder, loc, zero, splat(offsets * plan.what.depthExtent));
  int64_t count = plan.registerRows * tile.vectors;
  if (!plan.splitsDepth())
    return SmallVector<Value>(count, zero);
  Value isFirst =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, block.start, index(0));
  auto branch = scf::IfOp::create(builder, loc, SmallVector<Type>(count, type), isFirst,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(builder, loc, SmallVector<Value>(count, zero));
  builder.setInsertionPointToStart(branch.elseBlock());
  SmallVector<Value> loaded;
  for (int64_t number = 0; number < count; ++number)
    loaded.push_back(
        vector::LoadOp::create(builder, loc, type, sumMemory, ValueRange{sumPlace(tile, number)}));
  scf::YieldOp::create(builder, loc, loaded);
  return SmallVector<Value>(branch.getResults());
}

/// What multiplies vectors of pairs of bf16 and adds the two products of each to a sum.
static StringRef bf16Intrinsic(int64_t lanes) {
  return lanes == 4   ? "llvm.x86.avx512bf16.dpbf16ps.128"
         : lanes == 8 ? "llvm.x86.avx512bf16.dpbf16ps.256"
                      : "llvm.x86.avx512bf16.dpbf16ps.512";
}

/// What multiplies vectors of four bytes, those of the first one without a sign, and adds the four
/// products of each to a sum.
static StringRef byteIntrinsic(int64_t lanes) {
  return lanes == 4   ? "llvm.x86.avx512.vpdpbusd.128"
         : lanes == 8 ? "llvm.x86.avx512.vpdpbusd.256"
                      : "llvm.x86.avx512.vpdpbusd.512";
}

/// What multiplies vectors of pairs of i16 and adds up the two products of each.
static StringRef pairIntrinsic(int64_t lanes) {
  return lanes == 4   ? "llvm.x86.sse2.pmadd.wd"
         : lanes == 8 ? "llvm.x86.avx2.pmadd.wd"
                      : "llvm.x86.avx512.pmaddw.d.512";
}

/// `sum` plus a vector of products.
Value PanelEmitter::multiplyAdd(Value factor, Value column, Value sum) {
  if (plan.hasDots()) {
    Type number = builder.getIntegerType(32 / plan.dot);
    auto parts = VectorType::get({plan.dot * plan.lanes},
                                 plan.isBF16() ? Type(builder.getBF16Type()) : number);
    auto inParts = [&](Value value) -> Value {
      return vector::BitCastOp::create(builder, loc, parts, value);
    };
    auto call = [&](StringRef name, ValueRange operands) -> Value {
      return LLVM::CallIntrinsicOp::create(builder, loc, sum.getType(), builder.getStringAttr(name),
                                           operands)
          .getResults();
    };
    if (plan.isBF16())
      return call(bf16Intrinsic(plan.lanes), {sum, inParts(factor), inParts(column)});
    if (plan.dot == 4) {
      if (!plan.bytes.unsignedRows)
        std::swap(factor, column);
      return call(byteIntrinsic(plan.lanes), {sum, inParts(factor), inParts(column)});
    }
    Value products = call(pairIntrinsic(plan.lanes), {inParts(factor), inParts(column)});
    return arith::AddIOp::create(builder, loc, sum, products);
  }
  if (context.hasFma)
    return vector::FMAOp::create(builder, loc, factor, column, sum);
  Value product = arith::MulFOp::create(builder, loc, factor, column);
  return arith::AddFOp::create(builder, loc, sum, product);
}

/// Puts the sums of a tile where it is stored from, or waits within a block of the depth.
void PanelEmitter::storeTile(ArrayRef<Value> sums) {
  for (auto [number, sum] : llvm::enumerate(sums))
    vector::StoreOp::create(builder, loc, sum, edgeMemory, ValueRange{index(number * plan.lanes)});
}

/// `count` elements of panels from `place` on: as such, or as the numbers that they consist of.
Value PanelEmitter::loadPacked(Value buffer, Value place, int64_t count) {
  auto type = VectorType::get({count}, plan.packed);
  Type stored = cast<MemRefType>(buffer.getType()).getElementType();
  if (stored == plan.packed)
    return vector::LoadOp::create(builder, loc, type, buffer, ValueRange{place});
  Value numbers = vector::LoadOp::create(builder, loc, VectorType::get({count * plan.dot}, stored),
                                         buffer, ValueRange{place});
  return vector::BitCastOp::create(builder, loc, type, numbers);
}

/// What row `row` of the strip has at `step`, in all lanes.
Value PanelEmitter::loadRow(int64_t row, Value step) {
  Value place, scalar;
  if (!stripMemory)
    place = add(rowPlaces[row], mul(step, plan.dot));
  else if (plan.rows == PanelWalk::alongDepth)
    place = add(index(row * plan.depthBlock), step);
  else
    place = add(mul(step, plan.registerRows), index(row));
  auto type = VectorType::get({plan.lanes}, plan.packed);
  Value buffer =
      stripMemory ? stripMemory : context.flat.lookup(accessOf(nest, plan.what.rows)->source);
  if (cast<MemRefType>(buffer.getType()).getElementType() == plan.packed)
    scalar = memref::LoadOp::create(builder, loc, buffer, place);
  else
    scalar = vector::ExtractOp::create(builder, loc, loadPacked(buffer, place, 1), 0);
  return vector::BroadcastOp::create(builder, loc, type, scalar);
}

/// A factor of 1 for each byte.
Value PanelEmitter::ones() {
  auto type = VectorType::get({plan.lanes}, plan.packed);
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, APInt(32, 0x01010101)));
}

/// What the offset of the columns adds to the sums of each row of a strip in `block`.
void PanelEmitter::addUpRows(DepthBlock block) {
  auto loop = scf::ForOp::create(builder, loc, index(0), block.count, index(1),
                                 SmallVector<Value>(plan.registerRows, splat(0)));
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> sums;
    for (auto [row, sum] : llvm::enumerate(loop.getRegionIterArgs()))
      sums.push_back(multiplyAdd(loadRow(row, loop.getInductionVar()), ones(), sum));
    scf::YieldOp::create(builder, loc, sums);
  }
  Value offset = splat(plan.bytes.columnOffset);
  rowSums.clear();
  for (Value sum : loop.getResults())
    rowSums.push_back(arith::MulIOp::create(builder, loc, sum, offset));
}

/// `number`, modulo 2^32 as sums are, in all lanes of a vector of these.
Value PanelEmitter::splat(int64_t number) {
  auto type = VectorType::get({plan.lanes}, plan.element);
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, static_cast<int32_t>(number)));
}

/// The first `count` of `sums`, with what the offsets of rows and columns add: behind them are the
/// sums of the columns, if those of the rows have an offset.
SmallVector<Value> PanelEmitter::withoutOffsets(ArrayRef<Value> sums, size_t count) {
  SmallVector<Value> result(sums.take_front(count));
  size_t vectors = count / plan.registerRows;
  auto addTo = [&](Value &sum, Value other) {
    sum = arith::AddIOp::create(builder, loc, sum, other);
  };
  for (size_t vector = 0; count + vector < sums.size(); ++vector) {
    Value column =
        arith::MulIOp::create(builder, loc, sums[count + vector], splat(plan.bytes.rowOffset));
    for (size_t row = 0; row < static_cast<size_t>(plan.registerRows); ++row)
      addTo(result[row * vectors + vector], column);
  }
  if (plan.bytes.columnOffset)
    for (auto [number, sum] : llvm::enumerate(result))
      addTo(sum, rowSums[number / vectors]);
  return result;
}

PanelEmitter::ColumnPlace PanelEmitter::placeColumns(DepthBlock block, const Tile &tile) {
  int64_t width = plan.panelWidth();
  if (columnMemory)
    return {columnMemory, mul(tile.panel, plan.depthBlock * width), width};
  const Access &access = *accessOf(nest, plan.what.columns);
  LoopPlace place = batch;
  if (plan.columns == PanelWalk::inPanels) {
    placeInLoops(builder, loc, nest, plan.what.columns.loops, tile.column, 0, 1, place);
  } else {
    for (unsigned loop : plan.what.columns.loops)
      place.bases[loop] = Value();
    place.bases[plan.what.columns.loops.back()] = tile.column;
  }
  int64_t step = *strideAlongDepth(nest, plan, access);
  Value base = IndexEmitter(builder, loc, context, place.bases)
                   .scalar(access.flat, Instance{place.deltas, 1});
  if (block.start)
    base = add(base, mul(block.start, step));
  return {context.flat.lookup(access.source), base, step};
}

/// The loop in which all the time is spent.
SmallVector<Value> PanelEmitter::multiply(DepthBlock block, const Tile &tile) {
  auto type = VectorType::get({plan.lanes}, plan.element);
  int64_t rows = plan.registerRows;
  ColumnPlace columnPlace = placeColumns(block, tile);
  auto emitStep = [&](Value step, ValueRange sums) {
    SmallVector<Value> columns, result;
    Value first = add(columnPlace.base, mul(step, columnPlace.step));
    int64_t numbers = columnMemory ? 1 : plan.dot; // in an element of the buffer
    for (int64_t vector = 0; vector < tile.vectors; ++vector)
      columns.push_back(loadPacked(columnPlace.buffer,
                                   add(first, index(vector * plan.lanes * numbers)), plan.lanes));
    for (int64_t row = 0; row < rows; ++row) {
      Value factor = loadRow(row, step);
      for (int64_t vector = 0; vector < tile.vectors; ++vector) {
        Value sum = sums[row * tile.vectors + vector];
        result.push_back(multiplyAdd(factor, columns[vector], sum));
      }
    }
    for (size_t vector = 0; result.size() < sums.size(); ++vector)
      result.push_back(multiplyAdd(ones(), columns[vector], sums[result.size()]));
    return result;
  };
  // The steps from `first` up to `end`, on top of `sums`.
  auto emitSteps = [&](Value first, Value end, ValueRange sums) {
    auto loop = scf::ForOp::create(builder, loc, first, end, index(1), sums);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    scf::YieldOp::create(builder, loc, emitStep(loop.getInductionVar(), loop.getRegionIterArgs()));
    return SmallVector<Value>(loop.getResults());
  };
  if (plan.what.isInteger || (!plan.splitsDepth() && plan.depthBlock <= longestRun)) {
    SmallVector<Value> sums = firstSums(block, tile); // exact in any order, or short
    size_t count = sums.size();
    if (plan.bytes.rowOffset)
      sums.append(tile.vectors, splat(0));
    sums = emitSteps(index(0), block.count, sums);
    return withoutOffsets(sums, count);
  }
  auto emitRun = [&](Value first, Value end) {
    Value zero = vector::BroadcastOp::create(builder, loc, type, nest.identity);
    return emitSteps(first, end, SmallVector<Value>(rows * tile.vectors, zero));
  };
  auto addTo = [&](ArrayRef<Value> before, MutableArrayRef<Value> sums) {
    for (auto [other, sum] : llvm::zip_equal(before, sums))
      sum = arith::AddFOp::create(builder, loc, other, sum);
  };
  if (plan.depthBlock <= longestRun) {
    SmallVector<Value> sums = emitRun(index(0), block.count);
    addTo(firstSums(block, tile), sums);
    return sums;
  }

  // What earlier runs summed up waits in memory. In registers LLVM would have to put it aside, and
  // may choose the sums of the inner loop instead, which is half as fast then.
  auto load = [&] {
    SmallVector<Value> sums;
    for (int64_t number = 0; number < rows * tile.vectors; ++number)
      sums.push_back(vector::LoadOp::create(builder, loc, type, edgeMemory,
                                            ValueRange{index(number * plan.lanes)}));
    return sums;
  };
  storeTile(firstSums(block, tile));
  auto runs = scf::ForOp::create(builder, loc, index(0), block.count, index(runLength));
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(runs.getBody());
    Value first = runs.getInductionVar(), end = add(first, index(runLength));
    SmallVector<Value> sums = emitRun(first, emitMin(builder, loc, end, block.count));
    // No instruction: it keeps LLVM from moving them into registers again.
    LLVM::FenceOp::create(builder, loc, LLVM::AtomicOrdering::seq_cst, "singlethread");
    addTo(load(), sums);
    storeTile(sums);
  }
  return load();
}

void PanelEmitter::emitTile(DepthBlock block, const Tile &tile) {
  SmallVector<Value> sums;
  if (plan.tiles)
    multiplyInTiles(block, tile);
  else
    sums = multiply(block, tile);
  if (!plan.splitsDepth())
    return finish(tile, sums);
  Value end = add(block.start, block.count);
  Value isLast =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, end, index(plan.depthSteps));
  auto branch = scf::IfOp::create(builder, loc, isLast, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  finish(tile, sums);
  builder.setInsertionPointToStart(branch.elseBlock());
  for (auto [number, sum] : llvm::enumerate(sums))
    vector::StoreOp::create(builder, loc, sum, sumMemory, ValueRange{sumPlace(tile, number)});
}
