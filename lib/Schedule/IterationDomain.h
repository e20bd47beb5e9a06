//===- IterationDomain.h - the loops of a nest ------------------*- C++ -*-===//

#ifndef TINY_SCHEDULE_ITERATIONDOMAIN_H
#define TINY_SCHEDULE_ITERATIONDOMAIN_H

#include "KernelGraph.h"

namespace mlir::tiny {

/// The dims of a nest's expressions: parallel loops first, then reductions, then data dims. A data
/// dim is no loop: its place is a number that the nest computes (node `dataNodes[i]` of the body
/// graph), and whoever uses it to read is guarded by its extent.
struct IterationDomain {
  SmallVector<int64_t> extents;
  unsigned numParallel = 0;
  SmallVector<int> dataNodes;

  using Exprs = llvm::function_ref<void(llvm::function_ref<void(AffineExpr &)>)>;

  unsigned numLoops() const { return extents.size() - dataNodes.size(); }

  /// The fewest loops that need no division: dims are split where an index divides them, and
  /// neighbours are merged where every index treats them as one. Row-major order of the parallel
  /// dims stays as it is. `exprs` visits every expression over the dims, which is rewritten.
  void normalise(Exprs exprs, MLIRContext *context);
  /// Splits loop `dim` into extent/inner by inner.
  void split(Exprs exprs, unsigned dim, int64_t inner, MLIRContext *context);
  /// Makes loop `order[i]` loop i; only parallel loops move.
  void permute(Exprs exprs, ArrayRef<unsigned> order, MLIRContext *context);
  /// Makes loop `dim` the last dim: the data dim whose place is node `node`.
  void replaceByData(Exprs exprs, unsigned dim, int node, MLIRContext *context);
};

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_ITERATIONDOMAIN_H
