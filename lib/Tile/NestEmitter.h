//===- NestEmitter.h - the register tile of a nest --------------*- C++ -*-===//
//
// What is the same for a loop over the tiles of a nest and for a lane that has one of
// them: the copies of the body in a register tile, the reduction loops around them with
// the accumulators that they carry, the epilogue, and the guards.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_NESTEMITTER_H
#define TINY_LIB_TILE_NESTEMITTER_H

#include "BodyEmitter.h"

#include "mlir/Pass/PassManager.h"

namespace mlir::tiny {

/// One step of a loop inside of a register tile: where it starts, and how many lanes it has.
struct Piece {
  int64_t delta, lanes;
};

/// A part of a loop: `trips` times a register tile of `pieces`, from `start` on. In a reduction
/// that lanes share, lane number i is at `laneStep` times i from there, and only the first
/// `laneLimit` lanes take part, if that is not 0.
struct LoopPart {
  int64_t start, trips, step;
  SmallVector<Piece> pieces;
  int64_t laneStep = 0, laneLimit = 0;
};

/// A reduction loop that several lanes share, and which of them this one is.
struct SharedReduction {
  int64_t loop = -1, lanes = 1;
  Value lane;
};

/// Emits the register tiles of one nest.
class NestEmitter {
public:
  NestEmitter(OpBuilder &builder, EmissionContext &context, const NestTiling &tiling,
              SharedReduction shared = {});

  /// Main part and rest of a loop. The rest of the vector loop is one tile of whole vectors and one
  /// shorter vector.
  SmallVector<LoopPart> partsOf(unsigned loop) const;
  /// Where the register tile stands in a parallel loop, and what it has along it. A null `base` is
  /// 0.
  void place(unsigned loop, Value base, ArrayRef<Piece> tile);
  /// All of the tile at the place of each parallel loop: twice, with guards and without, where it
  /// depends on the place whether they hold.
  void emitTile();

  // The two halves of it, for a nest that is no scan.
  /// The reduction loops: one value for each of `elements`.
  SmallVector<Value> reduce(bool guardsHold);
  /// Epilogue and stores.
  void finish(bool guardsHold, ArrayRef<Value> reduced);
  /// The copies of the body in the tile, without reduction loops.
  SmallVector<Instance> elements() const { return instances(/*parallel=*/true); }

private:
  SmallVector<Value> emitReduction(unsigned depth, bool guardsHold, ArrayRef<Value> accumulators);
  SmallVector<Value> emitPart(unsigned depth, const LoopPart &part, bool guardsHold,
                              ArrayRef<Value> accumulators);
  SmallVector<Value> emitStep(bool guardsHold, ArrayRef<Value> accumulators);
  SmallVector<Instance> instances(bool parallel) const;
  Value allGuardsHold(bool &never);
  Value reduceLanes(ArrayRef<Value> accumulators);
  Value laneBase(const LoopPart &part, Value base);

  OpBuilder &builder;
  Location loc;
  EmissionContext &context;
  const KernelNest &nest;
  NestTiling tiling;
  SharedReduction shared;
  SmallVector<Value> bases;               ///< Per loop; null stands for 0.
  SmallVector<SmallVector<Piece>> pieces; ///< Per loop: the current register tile.
  SmallVector<int64_t>
      lanesOfSlot; ///< Accumulators per element, when a reduction is the vector loop.
};

/// What the emitter relies on, to be checked before anything is emitted.
LogicalResult checkTiling(const KernelNest &nest, const NestTiling &tiling);

/// `combine` of a reduction, on values of any shape.
Value emitCombination(OpBuilder &builder, Operation *combine, Value lhs, Value rhs);

Value indexConstant(OpBuilder &builder, Location loc, int64_t value);

/// Every buffer of `function`, argument or local, to its rank-1 view.
llvm::DenseMap<Value, Value> flattenBuffers(func::FuncOp function);

/// Erases the linalg ops. What only they used, accumulators and windows, is left without a use, and
/// the canonicaliser takes it.
void eraseNest(KernelNest &nest);

/// What tidies a kernel whose loops have been emitted.
void addCleanup(OpPassManager &pm);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_NESTEMITTER_H
