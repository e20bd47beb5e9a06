//===- LaneTilings.h - the tilings for a GPU's lanes to search --*- C++ -*-===//
//
// As Tilings.h for a CPU: the choice of tiny-tile-select-tiling-rdna3, with other ranks
// and other workgroups.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TILE_LANETILINGS_H
#define TINY_TILE_LANETILINGS_H

#include "Tiny/Target.h"
#include "Tiny/Tile/Tilings.h"

namespace mlir::tiny {

/// What tiny-tile-select-tiling-rdna3 would set on `kernel`, but for the nests that `ranks` says
/// something else of; a contraction is one through LDS. `lanes` are those of a workgroup, 0 for as
/// many as are cheapest. Failure, not always with a diagnostic, if there is no such tiling.
FailureOr<ArrayAttr> selectTilingsRDNA3(func::FuncOp kernel, const Target &target,
                                        ArrayRef<TilingRank> ranks = {}, int64_t lanes = 0);

} // namespace mlir::tiny

#endif // TINY_TILE_LANETILINGS_H
