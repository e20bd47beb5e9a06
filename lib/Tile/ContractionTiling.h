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

/// The best tiling of `nest`, alone in its workgroups, as a contraction on `target`, or nothing if
/// it is none. With `lanes`, a workgroup has as many. Whether it is worth the way through LDS, the
/// caller knows: what the nest takes where lanes share nothing is for it to say.
std::optional<ContractionChoice> chooseContraction(const KernelNest &nest, const Target &target,
                                                   std::optional<int64_t> lanes = std::nullopt);

/// The same, if that is less work than lanes have that share nothing.
std::optional<ContractionChoice> contractionOf(const KernelNest &nest, const Target &target);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_CONTRACTIONTILING_H
