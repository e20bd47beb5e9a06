//===- ContractionStager.h - a factor's way to LDS --------------*- C++ -*-===//
//
// Loads the tile of one factor for a step from memory, and stores it to LDS. The two
// are apart, so that the loads of the next step are under way while this one is
// multiplied.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_CONTRACTIONSTAGER_H
#define TINY_LIB_TILE_CONTRACTIONSTAGER_H

#include "BodyEmitter.h"
#include "ContractionPlan.h"

namespace mlir::tiny {

/// A step along the depth: `base + offset`. No base is 0.
struct DepthStep {
  Value base;
  int64_t offset = 0;
};

/// Where a linear index lies in loops: `bases + deltas`, by number of the loop.
struct LoopPlace {
  SmallVector<Value> bases;
  SmallVector<int64_t> deltas;
};

/// `linear + offset`, which is within the product of the loops' sizes or of no use, in the given
/// loops. Indices with offsets below `run`, a power of two that divides `linear`, share divisions
/// where they stay in one run of the innermost loop.
void placeInLoops(OpBuilder &builder, Location loc, const KernelNest &nest,
                  ArrayRef<unsigned> loops, Value linear, int64_t offset, int64_t run,
                  LoopPlace &place);

/// One factor of a contraction.
class ContractionStager {
public:
  /// Emits what does not change from step to step. `start` is the tile's first row or column,
  /// `batch` the place in the loops that move both factors.
  ContractionStager(OpBuilder &builder, const EmissionContext &context, const ContractionPlan &plan,
                    bool isRows, Value lane, Value start, const LoopPlace &batch, Value lds,
                    int64_t firstWord);

  /// What one lane has loaded, by unit: the values of the loads, and whether they are within the
  /// depth (null: all of them).
  struct Loaded {
    SmallVector<SmallVector<llvm::DenseMap<Value, Value>>> units;
    SmallVector<SmallVector<Value>> withinDepth;
  };
  /// Loads `period` steps from `step` on; some may lie beyond the depth if `mayEnd`.
  Loaded load(DepthStep step, bool mayEnd);
  /// Stores what `load` gave from the slot of the first of its steps on.
  void store(const Loaded &loaded, int64_t slot);

private:
  /// One load: its place in the unit, and where it reads.
  struct Point {
    LoopPlace lane, depth; ///< What differs between lanes, and what the step adds for all.
    Value inside;          ///< Whether the tile has it; null if it always does.
    Value withinDepth;     ///< Likewise for the depth.
  };
  Point pointOf(int64_t unit, int64_t alongDepth, int64_t alongSide, DepthStep step, bool mayEnd);
  void placeDepth(Point &point, Value local, int64_t offset, DepthStep step, bool mayEnd);
  Value loadAt(const Access &access, const Point &point, DepthStep step);
  Value loadFromBuffer(Type type, Value flat, Value place, Value scalar,
                       ArrayRef<Value> conditions);
  Value loadFromLocal(Type type, Value flat, Value place, Value inside, Value happens);
  bool splits(const Access &access) const;
  Value evaluate(Value value, const llvm::DenseMap<Value, Value> &loads, int64_t lanes);
  SmallVector<SmallVector<Value>> wordsOf(const Loaded &loaded, int64_t unit);
  Value permute(Value low, Value high, uint32_t bytes);
  SmallVector<Value> gather(ArrayRef<SmallVector<Value>> loads, int64_t position);
  SmallVector<Value> pack(SmallVector<Value> parts, int64_t bytes);
  void storeUnit(const Loaded &loaded, int64_t unit, int64_t slot);

  Value index(int64_t value);
  Value add(Value lhs, Value rhs);
  Value add(Value lhs, int64_t rhs);
  Value mul(Value lhs, int64_t rhs);
  Value less(Value lhs, int64_t bound);
  Value both(Value lhs, Value rhs);

  OpBuilder &builder;
  Location loc;
  const EmissionContext &context;
  const KernelNest &nest;
  const ContractionPlan &plan;
  const ContractionSide &what;
  const SidePlan &side;
  LoopPlace batch;
  Value start, lds;
  int64_t firstWord;
  /// By unit of a lane: its first element in the tile, along depth and side, and whether there is
  /// one (null: there is).
  SmallVector<Value> unitDepth, unitSide, unitExists;
};

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_CONTRACTIONSTAGER_H
