//===- Tilings.h - the tilings that a search may choose from ----*- C++ -*-===//
//
// The passes that choose a tiling take the cheapest one by their cost model. A search
// that measures wants the next ones, too, and other sizes of workgroups: it asks for
// the same choice with other ranks and other options.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TILE_TILINGS_H
#define TINY_TILE_TILINGS_H

#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tiny {

/// The attribute of a kernel with the list of its tilings, one for each nest.
constexpr StringLiteral tilingAttrName = "tiny.tiling";
/// The entry of a tiling in panels that is for a matrix unit.
constexpr StringLiteral matrixTilesAttrName = "tiles";

/// Which tiling of a nest is meant, of those of one form in the order of their prices.
struct TilingRank {
  /// `contraction` is for sums of products that share loops with no other nest, in panels; `plain`
  /// is the nest as it stands.
  enum Form { cheapest, contraction, plain };
  Form form = cheapest;
  unsigned rank = 0; ///< Cheaper ones that are passed over.
};

/// What tiny-tile-select-tiling-cpu would set on `kernel`, a kernel on tensors without online
/// reductions, but for the nests that `ranks` says something else of (a nest without an entry has
/// the cheapest). Failure without a diagnostic if there is no such tiling.
FailureOr<ArrayAttr> selectTilingsCPU(func::FuncOp kernel,
                                      const SelectTilingCPUPassOptions &options,
                                      ArrayRef<TilingRank> ranks = {});

/// `tilings` of `kernel` with one size changed in a way that has no rank: half or twice the rows,
/// columns or depth of panels.
SmallVector<ArrayAttr> neighbourTilingsCPU(func::FuncOp kernel,
                                           const SelectTilingCPUPassOptions &options,
                                           ArrayAttr tilings);

} // namespace mlir::tiny

#endif // TINY_TILE_TILINGS_H
