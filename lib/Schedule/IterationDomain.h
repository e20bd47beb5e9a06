//===- IterationDomain.h - the loops of a kernel ----------------*- C++ -*-===//

#ifndef TINY_SCHEDULE_ITERATIONDOMAIN_H
#define TINY_SCHEDULE_ITERATIONDOMAIN_H

#include "KernelGraph.h"

namespace mlir::tiny {

/// The loops of a kernel: parallel ones first, then reductions. `graphs` are all the graphs whose
/// expressions are over these dims, and are rewritten with them.
struct IterationDomain {
  SmallVector<int64_t> extents;
  unsigned numParallel = 0;

  /// The fewest loops that need no division: dims are split where an index divides them, and
  /// neighbours are merged where every index treats them as one. Row-major order of the parallel
  /// dims stays as it is.
  void normalise(ArrayRef<KernelGraph *> graphs, MLIRContext *context);
};

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_ITERATIONDOMAIN_H
