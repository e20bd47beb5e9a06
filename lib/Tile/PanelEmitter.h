//===- PanelEmitter.h - the loops around a register tile --------*- C++ -*-===//
//
// Emits the workgroups of a contraction in panels: blocks of the depth, strips of rows,
// panels of columns, and in the middle the one loop in which all the time is spent. That
// of a matrix unit is in PanelTiles.cpp, and what becomes of the sums in PanelEpilogue.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_PANELEMITTER_H
#define TINY_LIB_TILE_PANELEMITTER_H

#include "PanelPacker.h"

namespace mlir::tiny {

class PanelEmitter {
public:
  /// `memory` is what a workgroup keeps, as bytes. The three numbers are those of the workgroup.
  PanelEmitter(OpBuilder &builder, const EmissionContext &context, const PanelPlan &plan,
               Value memory, Value batchNumber, Value rowTile, Value columnTile);
  void emit();

private:
  /// A register tile: its first row and column, and how many of each exist. Rows before `firstRow`
  /// and columns before `firstColumn` belong to the tile before. The last one may have fewer
  /// vectors.
  struct Tile {
    Value strip, panel;
    Value row, column, rows, columns, firstRow, firstColumn;
    int64_t vectors;
  };
  Value takeMemory(Value memory, int64_t elements, Type element, int64_t &offset);
  void emitBlock(DepthBlock block);
  void placeRows(DepthBlock block, const Tile &tile);
  void emitTile(DepthBlock block, const Tile &tile);
  SmallVector<Value> firstSums(DepthBlock block, const Tile &tile);
  SmallVector<Value> multiply(DepthBlock block, const Tile &tile);
  /// Where the columns of a tile begin, at the first step of a block, and what a step adds.
  struct ColumnPlace {
    Value buffer, base;
    int64_t step;
  };
  ColumnPlace placeColumns(DepthBlock block, const Tile &tile);
  void multiplyInTiles(DepthBlock block, const Tile &tile);
  void fillDepth(DepthBlock block, Value buffer, Value units, int64_t width);
  Value multiplyAdd(Value factor, Value column, Value sum);
  Value loadPacked(Value buffer, Value place, int64_t count);
  Value loadRow(int64_t row, Value step);
  void addUpRows(DepthBlock block);
  SmallVector<Value> withoutOffsets(ArrayRef<Value> sums, size_t count);
  Value ones();
  Value splat(int64_t number);
  void storeTile(ArrayRef<Value> sums);
  Value sumPlace(const Tile &tile, int64_t number);
  void finish(const Tile &tile, ArrayRef<Value> sums);
  void finishRows(const Tile &tile);
  Value waiting();
  Value waitingPlace(const Tile &tile, Value row, Value column);
  void finishEdge(const Tile &tile, ArrayRef<Value> sums);
  void storeSum(Value sum, Value row, Value column, int64_t rowOffset, int64_t columnOffset,
                int64_t numLanes, Value mask = {});
  bool mayMaskEnds() const;
  LoopPlace placeOf(Value row, Value column, int64_t rowOffset, int64_t columnOffset);

  Value index(int64_t value);
  Value add(Value lhs, Value rhs);
  Value mul(Value lhs, int64_t rhs);

  OpBuilder &builder;
  Location loc;
  const EmissionContext &context;
  const KernelNest &nest;
  const PanelPlan &plan;
  LoopPlace batch;
  Value firstRow, firstColumn, numRows, numColumns; ///< Of the workgroup.
  Value columnMemory, stripMemory, sumMemory, edgeMemory;
  bool oneColumnLoop, vectorColumns;
  std::optional<int64_t> rowStride; ///< In place: between two rows of a strip, where it is one.
  SmallVector<Value> rowPlaces;     ///< In place: where each row of the strip starts, at depth 0.
  SmallVector<Value> rowSums;       ///< What the offset of the columns adds to those of each row.
};

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_PANELEMITTER_H
