//===- KernelTiming.h - what a kernel would take on a GPU -------*- C++ -*-===//
//
// Tuning compares tilings by time. Where there is a card, its clock says it; where there
// is the simulator, which has no clock, this does, from what the simulator has counted.
// A better model of time takes this one's place: nobody else knows how it is done.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_COMPILER_KERNELTIMING_H
#define TINY_COMPILER_KERNELTIMING_H

#include "Tiny/Runtime/HsaDevice.h"
#include "Tiny/Target.h"

#include <optional>

namespace mlir::tiny {

/// What one launch of a kernel has done, all of its waves together.
struct LaunchCounts {
  double workgroups = 0, waves = 0;
  double wavesPerSIMD = 0; ///< that registers and LDS leave room for
  bool wgpMode = false;    ///< a workgroup is on both compute units of a pair
  // Instructions of a wave.
  double vector = 0, transcendental = 0, matrix = 0;
  double scalar = 0; ///< with branches and barriers
  double scalarLoads = 0, ldsAccesses = 0, memoryAccesses = 0;
  double waits = 0; ///< for any of these
  double ldsBytes = 0, bankConflictCycles = 0;
  double memoryLines = 0; ///< of a cache, each time that an access touches one

  /// What `counters` say of `kernel`, of which they have seen `launches`; nothing if they know no
  /// such kernel.
  static std::optional<LaunchCounts> get(const std::vector<tinyrt::KernelCounter> &counters,
                                         const tinyrt::KernelMetadata &kernel, unsigned launches);
};

/// Seconds of such a launch, alone on `target`. No more than a means to compare: memory answers
/// after a fixed time, nothing misses the second cache, and a launch costs nothing by itself.
double estimateSeconds(const LaunchCounts &counts, const Target &target);

} // namespace mlir::tiny

#endif // TINY_COMPILER_KERNELTIMING_H
