//===- LanePrice.h - what a nest costs on the lanes of a GPU ----*- C++ -*-===//
//
// What DistributeLoops would emit is counted for one wave: its instructions, and the
// lines of memory that each access of its lanes touches, from the access maps. So lanes
// along the rows of a matrix or along its columns need no rule, nor does a reduction
// that is so long that lanes should share it.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_LANEPRICE_H
#define TINY_LIB_TILE_LANEPRICE_H

#include "NestPrice.h"

#include "Tiny/Target.h"

#include <vector>

namespace mlir::tiny {

/// A tiling for a GPU in the making: the tile of a lane, and the reduction that lanes share.
struct LaneCandidate {
  Candidate tile;
  int64_t sharedLoop = -1, sharing = 1;

  bool operator==(const LaneCandidate &other) const {
    return tile.vectorDim == other.tile.vectorDim && tile.width == other.tile.width &&
           tile.unroll == other.tile.unroll && sharedLoop == other.sharedLoop &&
           sharing == other.sharing;
  }
};

/// Of one tile of each lane of a wave, in cycles.
struct LanePrice {
  double issue = 0;   ///< That the SIMD is busy.
  double latency = 0; ///< Until the wave is done, if it has the SIMD for itself.
};

/// LDS that the exchange of one nest may take beside the locals.
constexpr int64_t maxExchangeBytes = 4096;

/// Lanes of a workgroup where there is work for all.
constexpr int64_t usualLanes = 256;

class LanePricer {
public:
  LanePricer(const KernelNest &nest, const Target &target);

  /// In a workgroup of `block` lanes.
  LanePrice price(const LaneCandidate &candidate, int64_t block) const;
  /// Register tiles of the nest.
  int64_t tiles(const LaneCandidate &candidate) const;
  /// Whether a lane has as many registers as accumulators and loads need.
  bool fitsRegisters(const LaneCandidate &candidate) const;
  /// Bytes of LDS through which the waves of a workgroup of `block` lanes combine their parts of a
  /// reduction (CrossLane): a value per wave, place in it that shares nothing, and accumulator.
  int64_t exchangeBytes(const LaneCandidate &candidate, int64_t block) const;
  /// The most elements along `loop` that one access may have: 16 bytes of the widest type that is
  /// contiguous along it; 1 if none is.
  int64_t widthAlong(unsigned loop) const;

private:
  struct Facts {
    SmallVector<std::optional<int64_t>> strides;
    uint64_t loops;
    int64_t bytes; ///< Of an element.
    bool guarded, inReduction, local;

    bool movesWith(int64_t loop) const { return loop >= 0 && (loops >> loop & 1); }
  };
  Facts factsOf(const Access &access, bool inReduction) const;
  double accessCost(const Facts &access, const LaneCandidate &candidate, int64_t block) const;
  int64_t stepOf(unsigned loop, const LaneCandidate &candidate) const;

  const KernelNest &nest;
  const Target &target;
  SmallVector<Facts> accesses;
  Facts store;
  double reductionOps = 0, epilogueOps = 0;
};

/// The cheapest candidate for `nest` in workgroups of `block` lanes. `workgroups` execute all of it
/// each; 0 if they share its tiles.
LaneCandidate chooseLanes(const KernelNest &nest, const Target &target, int64_t block,
                          int64_t workgroups);

/// What chooseLanes tries, each once, the cheapest first.
std::vector<LaneCandidate> rankLanes(const KernelNest &nest, const Target &target, int64_t block,
                                     int64_t workgroups);

/// Cycles of `candidate` on the whole chip. In workgroups of their own, in addition to what other
/// nests of the same workgroup take.
double timeOf(const LanePricer &pricer, const LaneCandidate &candidate, const Target &target,
              int64_t block, int64_t workgroups);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_LANEPRICE_H
