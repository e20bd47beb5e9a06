//===- ContractionTiling.h - the tiling of a contraction on a GPU ---------===//
//
// Which nests are worth the way through LDS, and with which tile.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_CONTRACTIONTILING_H
#define TINY_LIB_TILE_CONTRACTIONTILING_H

#include "ContractionPlan.h"

#include "Tiny/Target.h"

#include <vector>

namespace mlir::tiny {

/// A way to compute a contraction.
struct ContractionChoice {
  GPUTilingAttr tiling;
  double cycles; ///< That the nest takes, alone on the chip.
  int64_t lanes; ///< Of a workgroup.
};

/// The tilings of `nest` as a contraction, the cheapest first; none if it is none. With `lanes`, of
/// workgroups of as many.
std::vector<ContractionChoice> contractionChoices(const KernelNest &nest, const Target &target,
                                                  std::optional<int64_t> lanes = std::nullopt);
/// A way to compute a contraction in a workgroup that other nests have as well, and what the
/// workgroup takes for it: cycles of one of its waves, and until it is done.
struct SharedContraction {
  GPUTilingAttr tiling;
  double issue, latency;
  int64_t ldsBytes; ///< For factors on their way.
};

/// The best tiling of `nest`, all of which one workgroup of `lanes` lanes computes, beside others
/// that leave it `ldsBytes`. `workgroups` do so. Nothing if it is no contraction of a matrix unit.
std::optional<SharedContraction> chooseSharedContraction(const KernelNest &nest,
                                                         const Target &target, int64_t lanes,
                                                         int64_t ldsBytes, int64_t workgroups);

/// The best tiling of `nest`, alone in its workgroups, as a contraction on `target`, or nothing if
/// it is none. With `lanes`, a workgroup has as many. Whether it is worth the way through LDS, the
/// caller knows: what the nest takes where lanes share nothing is for it to say.
std::optional<ContractionChoice> chooseContraction(const KernelNest &nest, const Target &target,
                                                   std::optional<int64_t> lanes = std::nullopt);

/// The same, if that is less work than lanes have that share nothing.
std::optional<ContractionChoice> contractionOf(const KernelNest &nest, const Target &target);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_CONTRACTIONTILING_H
