//===- PanelPacker.h - bring a factor into panels ---------------*- C++ -*-===//
//
// Copies a block of one factor, computed on the way if need be, into the order in which
// it is multiplied. Whatever lies between the factor and memory (transposition, strides,
// windows of a convolution with their padding, conversions) ends here.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_PANELPACKER_H
#define TINY_LIB_TILE_PANELPACKER_H

#include "BodyEmitter.h"
#include "ContractionStager.h"
#include "PanelPlan.h"

namespace mlir::tiny {

/// A block of the depth. `start` is null for 0.
struct DepthBlock {
  Value start, count;
};

class PanelPacker {
public:
  /// `isRows` says which factor; `batch` is the place in the loops that move both.
  PanelPacker(OpBuilder &builder, const EmissionContext &context, const PanelPlan &plan,
              bool isRows, const LoopPlace &batch, Value buffer);

  /// Packs the units from `first` on, `count` rows or columns of which exist, as panels
  /// [columns / width][depth][width]; one strip of rows that is contiguous along the depth stays as
  /// it is, [rows][depth]. What of a unit does not exist repeats the last one that does.
  void pack(DepthBlock block, Value first, Value count);

private:
  using DepthBody = llvm::function_ref<void(Value local, const LoopPlace &place)>;
  void forDepth(DepthBlock block, const LoopPlace &place, DepthBody body,
                bool unrollGuards = false);
  void packSide(DepthBlock block, Value first, Value count);
  void packWhole(DepthBlock block, Value first, Value panels);
  void packUnit(DepthBlock block, Value first, Value unit);
  void packPieces(DepthBlock block, Value first, Value unit);
  void packElements(DepthBlock block, Value first, Value unit);
  void packRows(DepthBlock block, Value first);
  void packTransposed(DepthBlock block, Value first, Value units);
  void placeDepth(Value step, LoopPlace &place);
  Value load(const LoopPlace &place, int64_t vectorDim, int64_t numLanes, bool guardsHold,
             Value mask = {});
  Value loadDot(const LoopPlace &place, int64_t vectorDim, int64_t numLanes, bool guardsHold,
                Value mask = {});
  Value toPart(Value factor);
  Value constantLike(Value value, int64_t number);
  Value loadAt(const LoopPlace &place, int64_t vectorDim, int64_t numLanes, bool guardsHold,
               Value mask = {});
  void forVectors(DepthBlock block, llvm::function_ref<void(Value, bool)> body);
  Value guardsHold(const LoopPlace &place, bool &never);
  LoopPlace placeSide(Value linear, bool asOne);
  Value unitsFor(Value count);
  Value lastOf(Value linear);
  Value placeIn(Value unit, Value local, int64_t element = 0);
  void store(Value value, Value place);

  Value index(int64_t value);
  Value add(Value lhs, Value rhs);
  Value mul(Value lhs, int64_t rhs);

  OpBuilder &builder;
  Location loc;
  const EmissionContext &context;
  const KernelNest &nest;
  const PanelPlan &plan;
  const ContractionSide &side;
  LoopPlace batch;
  Value buffer;
  bool isRows;
  int64_t unitWidth; ///< Elements of one unit: a vector of columns, or the rows of a strip.
  int64_t width;     ///< Of a panel.
};

/// scf.for over [0, count) by `step`, with `body` inside; nothing where the count is the constant
/// 0.
void emitLoop(OpBuilder &builder, Location loc, Value count, int64_t step,
              llvm::function_ref<void(Value)> body);
/// The lesser of two numbers that are not negative.
Value emitMin(OpBuilder &builder, Location loc, Value lhs, Value rhs);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_PANELPACKER_H
