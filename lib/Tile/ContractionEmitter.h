//===- ContractionEmitter.h - the kernel of one contraction -----*- C++ -*-===//
//
// One workgroup's tile: the steps along the depth, the products of a step, and the
// epilogue on the sums.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_CONTRACTIONEMITTER_H
#define TINY_LIB_TILE_CONTRACTIONEMITTER_H

#include "ContractionStager.h"

namespace mlir::tiny {

class ContractionEmitter {
public:
  /// `lane` is that of the workgroup, `batch`, `rowTile` and `columnTile` say which tile it has.
  /// `lds` are words of LDS, as many as the plan asks for.
  ContractionEmitter(OpBuilder &builder, const EmissionContext &context,
                     const ContractionPlan &plan, Value lane, Value batch, Value rowTile,
                     Value columnTile, Value lds);
  void emit();

  /// Emits all tiles of a nest that shares its workgroup with others, one after the other. The
  /// words of `lds` may be in use until all lanes have been at a barrier.
  static void emitTiles(OpBuilder &builder, const EmissionContext &context,
                        const ContractionPlan &plan, Value lane, Value lds);

private:
  SmallVector<Value> emitSteps();
  SmallVector<Value> emitStep(DepthStep step, unsigned phase, ArrayRef<Value> sums,
                              int64_t stepsLeft);
  SmallVector<Value> multiply(ArrayRef<Value> sums, unsigned phase, bool inLoop);
  SmallVector<Value> multiplyMatrices(ArrayRef<Value> sums, int64_t rows, int64_t columns);
  SmallVector<Value> multiplyElements(ArrayRef<Value> sums, int64_t rows, int64_t columns);
  Value fragment(const SidePlan &side, Value base, int64_t word);
  SmallVector<Value> elements(const SidePlan &side, Value base, int64_t word, int64_t count,
                              int64_t lanes);
  Value loadWords(Value base, int64_t word);

  void emitEpilogue(SmallVector<Value> sums);
  void finish(ArrayRef<Value> sums, bool isWhole);

  Value index(int64_t value);
  Value linear(Value base, int64_t multiple, Value offset = {});

  OpBuilder &builder;
  Location loc;
  const EmissionContext &context;
  const KernelNest &nest;
  const ContractionPlan &plan;
  Value lds, rowStart, columnStart;
  LoopPlace batch;
  std::optional<ContractionStager> rows, columns;
  ContractionStager::Loaded loadedRows, loadedColumns; ///< On their way to LDS.
  Value rowWord, columnWord; ///< Where this lane reads the first of its rows and columns in LDS.
  Value ownRow, ownColumn;   ///< The first row and column of the tile that this lane has sums of.
};

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_CONTRACTIONEMITTER_H
