//===- ContractionPlan.h - how a contraction uses lanes and LDS -----------===//
//
// All that follows from a nest and its tiling, and is known before code is emitted: the
// walk along the depth, who loads what with which width, and where it lies in LDS. The
// choice of a tiling asks for the same plan, so that what it counts is what is emitted.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_CONTRACTIONPLAN_H
#define TINY_LIB_TILE_CONTRACTIONPLAN_H

#include "ContractionNest.h"

namespace mlir::tiny {

/// Elements of one WMMA instruction along each of its three loops.
constexpr int64_t wmmaSize = 16;
/// The widest access, in bytes, and the words of LDS that it has.
constexpr int64_t accessBytes = 16, accessWords = 4;

/// How the steps walk through the loops that reduce. Loops behind `blocked` are whole in a step,
/// `blocked` is walked in blocks, those in front of it one by one. A ragged walk takes all of them
/// as one loop, which no step divides into loops: each lane divides for itself.
struct DepthWalk {
  SmallVector<unsigned> loops; ///< Outermost first.
  SmallVector<int64_t> sizes;
  int64_t step = 1;     ///< Elements that a step has.
  unsigned blocked = 0; ///< Position in `loops`.
  int64_t block = 1;    ///< Of `blocked`.
  bool ragged = false;
  int64_t numSteps = 1;

  DepthWalk(const KernelNest &nest, ArrayRef<unsigned> loops, int64_t step);
  /// Whether every step is the one before it moved along `blocked`.
  bool isLinear() const { return blocked == 0 && !ragged; }
  /// Whether a step may reach beyond the end of the loops.
  bool isPartial() const;
  /// Whether only the last step does.
  bool endsPartial() const { return isLinear() && isPartial(); }
};

/// How one factor gets to LDS. Lanes move units of `unitDepth` by `unitSide` elements, each loaded
/// along the depth or along the side, whatever is contiguous in memory. In LDS, the depth is
/// contiguous for WMMA, which takes 16 elements along it, and the side for multiply-adds.
struct SidePlan {
  int64_t tile = 1;       ///< Elements along rows or columns of a workgroup.
  bool alongDepth = true; ///< The direction of the loads.
  int64_t width = 1;      ///< Elements of a load.
  int64_t unitDepth = 1, unitSide = 1;
  int64_t period = 1; ///< Steps that are loaded at once.
  int64_t units = 1;  ///< In a period, of all lanes.
  int64_t stride =
      1; ///< Words from a row (for multiply-adds: from a step of the depth) to the next.
  int64_t slotWords = 1; ///< Words of one step.
  int64_t buffers = 2;   ///< Of a period: one to read, and one for the next steps.

  int64_t numSlots() const { return buffers * period; }
  int64_t unitsPerLane(int64_t lanes) const { return (units + lanes - 1) / lanes; }
  int64_t loadsPerUnit() const { return unitDepth * unitSide / width; }
};

struct ContractionPlan {
  ContractionNest what;
  DepthWalk depth;
  SidePlan rows, columns;
  bool wmma = false;
  int64_t waves[2] = {1, 1}; ///< Along rows and columns.
  int64_t lanes[2] = {1, 1}; ///< Of the workgroup along rows and columns; for multiply-adds.
  int64_t numLanes = 1;

  /// The plan that `tiling` stands for, or nothing if it does not fit `nest`. A nest alone has a
  /// workgroup per tile, the grid of its tiling. In a workgroup that other nests have as well, it
  /// is one tile after the other, and `unroll` says what a wave has of each.
  static std::optional<ContractionPlan> get(const KernelNest &nest, GPUTilingAttr tiling,
                                            int64_t waveSize, bool inWorkgroup = false);

  /// Tiles along batch, rows and columns.
  SmallVector<int64_t, 3> numTiles() const;
  /// The loop of `nest` that stores of a lane may be vectors along, or -1: the innermost one of the
  /// columns, where runs of a lane never cross its end.
  int64_t storeLoop(const KernelNest &nest) const;
  int64_t ldsWords() const {
    return rows.numSlots() * rows.slotWords + columns.numSlots() * columns.slotWords;
  }
  /// Steps after which the slots in LDS are the same again.
  int64_t unrolledSteps() const { return std::max(rows.numSlots(), columns.numSlots()); }
  /// Elements of the tile of one wave (WMMA) or of one lane.
  int64_t ownRows() const { return rows.tile / (wmma ? waves[0] : lanes[0]); }
  int64_t ownColumns() const { return columns.tile / (wmma ? waves[1] : lanes[1]); }
  /// How many elements of the depth a lane loads from LDS ahead of its multiply-adds: what takes
  /// about as long as LDS does.
  int64_t elementsAhead() const {
    return std::clamp<int64_t>(64 / (ownRows() * ownColumns()), 1, 4);
  }
};

/// The most elements, up to `most`, that one load of `access` may have along `loop`.
int64_t loadWidth(const KernelNest &nest, const Access &access, unsigned loop, int64_t most);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_CONTRACTIONPLAN_H
