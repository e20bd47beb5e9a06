//===- SharedLoops.h - which loops nests have in common ---------*- C++ -*-===//

#ifndef TINY_SCHEDULE_SHAREDLOOPS_H
#define TINY_SCHEDULE_SHAREDLOOPS_H

#include "Nest.h"

namespace mlir::tiny {

/// A value that one nest of a group computes and another one reads.
struct Link {
  unsigned writer, reader;
  const Node *read;
};

/// The loops that all nests of a group have in common, and what follows from them.
struct SharedLoops {
  int64_t points = 1;
  /// Per nest, the shared loops as bits.
  SmallVector<uint64_t> loops;
};

/// The values that pass between `nests`, which are in program order.
SmallVector<Link> linksOf(ArrayRef<Nest> nests);

/// Splits loops until writer and readers see every value that passes between `nests` under one
/// shape. False where a value is not read in whole loops, or no such shape exists.
bool alignLoops(MutableArrayRef<Nest> nests);

/// The loops that `nests`, whose loops are aligned, share.
SharedLoops findSharedLoops(ArrayRef<Nest> nests);

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_SHAREDLOOPS_H
