//===- Grouping.h - which nests are launched together -----------*- C++ -*-===//

#ifndef TINY_SCHEDULE_GROUPING_H
#define TINY_SCHEDULE_GROUPING_H

#include "Kernel.h"

namespace mlir::tiny {

/// What grouping weighs against one another. Only the ratios matter, and they are round figures for
/// both kinds of targets.
struct GroupingCosts {
  int64_t localBytes = 64 << 10;   // that a workgroup may keep for itself at one point
  int64_t onlineExtent = 64;       // what an online reduction needs of its loop at a time
  int64_t parallelUnits = 16;      // workgroups that keep the machine busy
  int64_t matrixRows = 1;          // that are multiplied at a time where factors are narrow
  double launchNs = 2000;          // to launch a kernel
  double operationsPerNs = 8;      // of one workgroup
  double memoryBytesPerNs = 20;    // to and from buffers
  double cacheBytesPerNs = 100;    // what one workgroup reads again
  int64_t cacheBytes = 2 << 20;    // and finds there, if it is not more than this
  int64_t rowOperations = 1 << 20; // that one workgroup may do at a time for the sake of one launch
  unsigned maxNests = 16;          // of a kernel
  bool remarks = false;            // whether anybody wants to know why nests were not merged
};

/// Groups `nests`, which are in program order, into kernels, in an order in which they can be
/// launched. `escapes` says which values the host function needs.
std::vector<Kernel> groupNests(std::vector<Nest> nests, const llvm::DenseSet<Value> &escapes,
                               const GroupingCosts &costs);

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_GROUPING_H
