//===- CrossLane.h - sums that lanes of a workgroup share -------*- C++ -*-===//
//
// Each lane comes with the sum of what it has seen, and each leaves with that of all
// lanes that share it: by DPP inside of a wave, where no data leaves the registers, and
// then through LDS.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_CROSSLANE_H
#define TINY_LIB_TILE_CROSSLANE_H

#include "mlir/IR/Builders.h"

namespace mlir::tiny {

/// Which lanes share: those whose numbers in the workgroup differ by `stride` times anything below
/// `count`, both powers of two.
struct SharingLanes {
  int64_t count, stride;
  int64_t waveSize, workgroup; ///< Lanes of a wave, of the workgroup.
  Value lane;                  ///< The number of this one in the workgroup.

  bool crossWaves() const { return count * stride > waveSize; }
};

/// `values` of all lanes, combined by `combine`, which has the form of a reduction's op. The code
/// must be reached by the whole workgroup at once, `again` if more than once. Memory for what waves
/// exchange is allocated at `locals`.
SmallVector<Value> combineAcrossLanes(OpBuilder &builder, Location loc, Operation *combine,
                                      ArrayRef<Value> values, const SharingLanes &lanes, bool again,
                                      OpBuilder &locals);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_CROSSLANE_H
