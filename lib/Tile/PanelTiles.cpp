//===- PanelTiles.cpp - products in the tiles of a matrix unit ------------===//
//
// AMX has eight registers of 16 rows of 64 bytes. One instruction multiplies 16 rows of 16
// dots by 16 steps of 16 columns of dots, and adds to 16 x 16 sums. Panels have the order
// of its second factor, and rows that are contiguous along the depth that of the first.
// Four tiles of sums, two of rows and two of columns are all registers: each tile that is
// loaded is multiplied twice.
//
// A block of the depth is one chain of sums, not several runs: the unit adds up the 16
// products of either half of a pair on their own first, so that what is added to a sum
// one after the other is a 32nd of the depth. Up to a depth of 4096 that is no more than
// a run of vectors has.
//
// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, TDPBF16PS and
// TDPBSSD; cycles are those of the Optimization Reference Manual, section on AMX.
//
//===----------------------------------------------------------------------===//

#include "PanelEmitter.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

/// Tiles of sums along each side, at most.
static constexpr int64_t maxTiles = 2;
/// Cycles from one instruction to the next, and until a sum can be added to again.
static constexpr double productCycles = 16, loadCycles = 8, productLatency = 52;

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

bool mlir::tiny::mayBeTiles(const KernelNest &nest, const ContractionNest &what, int64_t dot,
                            int64_t lanes) {
  if (lanes != tileSize)
    return false;
  return dot == 2 ? !what.isInteger && nest.reduced.getType().isF32()
                  : dot == 4 && ByteFactors::get(what, /*tiles=*/true).has_value();
}

bool mlir::tiny::tilesMayLoadRows(const KernelNest &nest, const PanelPlan &plan) {
  // There are no zeros behind the end of a row, and no tile is part of a strip.
  return plan.depthSteps % tileSize == 0 && plan.what.rows.extent >= plan.registerRows &&
         strideAlong(nest, *accessOf(nest, plan.what.rows), plan.what.rows.loops);
}

bool mlir::tiny::fitsTiles(const KernelNest &nest, const PanelPlan &plan) {
  if (plan.registerRows % tileSize != 0 || plan.registerRows > maxTiles * tileSize ||
      plan.vectors > maxTiles || plan.depthBlock % tileSize != 0)
    return false;
  if (plan.rows == PanelWalk::inPlace ? !tilesMayLoadRows(nest, plan)
                                      : plan.rows != PanelWalk::alongDepth)
    return false;
  return plan.packsColumns() ||
         (plan.columns == PanelWalk::inPanels && plan.depthSteps % tileSize == 0);
}

double mlir::tiny::tileStepCost(int64_t rows, int64_t vectors) {
  double rowTiles = double(rows) / tileSize;
  return std::max({rowTiles * vectors * productCycles, (rowTiles + vectors) * loadCycles,
                   productLatency}) /
         tileSize;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

/// Zeros behind the last step of `block`, up to a whole tile: in both factors, since a NaN that is
/// left there from before would not become 0 by one of them. `buffer` has a panel of `width` for
/// each of `units`.
void PanelEmitter::fillDepth(DepthBlock block, Value buffer, Value units, int64_t width) {
  if (plan.depthSteps % tileSize == 0)
    return; // and so are all blocks
  Type type = width == 1 ? plan.packed : VectorType::get({plan.lanes}, plan.packed);
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  Value end = mul(builder.createOrFold<arith::DivUIOp>(loc, add(block.count, index(tileSize - 1)),
                                                       index(tileSize)),
                  tileSize);
  auto steps = scf::ForOp::create(builder, loc, block.count, end, index(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(steps.getBody());
  Value inPanel = mul(steps.getInductionVar(), width);
  emitLoop(builder, loc, units, 1, [&](Value unit) {
    Value place = add(mul(unit, plan.depthBlock * width), inPanel);
    if (width == 1) {
      memref::StoreOp::create(builder, loc, zero, buffer, place);
      return;
    }
    for (int64_t lane = 0; lane < width; lane += plan.lanes)
      vector::StoreOp::create(builder, loc, zero, buffer, ValueRange{add(place, index(lane))});
  });
}

/// Adds the products of `block` to the sums of a tile where they wait.
void PanelEmitter::multiplyInTiles(DepthBlock block, const Tile &tile) {
  int64_t rowTiles = plan.registerRows / tileSize, width = tile.vectors * plan.lanes;
  Type part = plan.isBF16() ? Type(builder.getBF16Type()) : builder.getI8Type();
  auto factorType = amx::TileType::get({tileSize, tileSize * plan.dot}, part);
  auto sumType = amx::TileType::get({tileSize, tileSize}, plan.element);
  SmallVector<Type> sumTypes(rowTiles * tile.vectors, sumType);
  auto load = [&](Type type, Value buffer, Value place, int64_t stride) -> Value {
    return amx::TileLoadOp::create(builder, loc, type, buffer, ValueRange{place}, index(stride));
  };
  // Of sum number `number`.
  auto sumAt = [&](size_t number) {
    return waitingPlace(tile, index(static_cast<int64_t>(number) / tile.vectors * tileSize),
                        index(static_cast<int64_t>(number) % tile.vectors * plan.lanes));
  };
  auto zeros = [&] {
    SmallVector<Value> sums;
    for (Type type : sumTypes)
      sums.push_back(amx::TileZeroOp::create(builder, loc, type));
    return sums;
  };

  SmallVector<Value> sums;
  if (plan.splitsDepth()) {
    Value isFirst =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, block.start, index(0));
    auto branch = scf::IfOp::create(builder, loc, sumTypes, isFirst, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(builder, loc, zeros());
    builder.setInsertionPointToStart(branch.elseBlock());
    SmallVector<Value> before;
    for (size_t number = 0; number < sumTypes.size(); ++number)
      before.push_back(load(sumType, waiting(), sumAt(number), width));
    scf::YieldOp::create(builder, loc, before);
    sums = branch.getResults();
  } else {
    sums = zeros();
  }

  ColumnPlace columnPlace = placeColumns(block, tile);
  int64_t columnNumbers = columnMemory ? 1 : plan.dot; // in an element of the buffer
  Value rowBuffer =
      stripMemory ? stripMemory : context.flat.lookup(accessOf(nest, plan.what.rows)->source);
  auto loop = scf::ForOp::create(builder, loc, index(0), block.count, index(tileSize), sums);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value step = loop.getInductionVar(), first = add(columnPlace.base, mul(step, columnPlace.step));
    SmallVector<Value> columns, results;
    for (int64_t vector = 0; vector < tile.vectors; ++vector)
      columns.push_back(load(factorType, columnPlace.buffer,
                             add(first, index(vector * plan.lanes * columnNumbers)),
                             columnPlace.step));
    for (int64_t row = 0; row < rowTiles; ++row) {
      Value factor = stripMemory
                         ? load(factorType, rowBuffer,
                                add(index(row * tileSize * plan.depthBlock), step), plan.depthBlock)
                         : load(factorType, rowBuffer,
                                add(rowPlaces[row * tileSize], mul(step, plan.dot)), *rowStride);
      for (Value column : columns) {
        Value sum = loop.getRegionIterArgs()[results.size()];
        if (plan.isBF16())
          results.push_back(amx::TileMulFOp::create(builder, loc, sumType, factor, column, sum));
        else
          results.push_back(amx::TileMulIOp::create(builder, loc, sumType, factor, column, sum,
                                                    plan.bytes.unsignedRows,
                                                    plan.bytes.unsignedColumns));
      }
    }
    scf::YieldOp::create(builder, loc, results);
  }
  for (auto [number, sum] : llvm::enumerate(loop.getResults()))
    amx::TileStoreOp::create(builder, loc, waiting(), ValueRange{sumAt(number)}, sum, index(width));
}
