//===- KernelGraph.h - the scalar program of a kernel -----------*- C++ -*-===//
//
// What one iteration point of a kernel computes, as a list of nodes: reads
// through views, indices, constants and elementwise ops. Made by tracing a value
// back to the buffers that exist in memory; no IR is made until the iteration
// domain is settled.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_SCHEDULE_KERNELGRAPH_H
#define TINY_SCHEDULE_KERNELGRAPH_H

#include "Materialisation.h"
#include "Tiny/Schedule/View.h"

namespace mlir::tiny {

struct Node {
  enum Kind {
    Read,        // an element of the buffer `value`, at flat index `index`, under `constraints`
    Accumulator, // the result of the reduction that this graph is the epilogue of
    Index,       // `index` as a number of type `type`
    Constant,    // `constant`
    Compute,     // `op` on `operands`
    Guarded,     // operands[0] where `constraints` hold, else the pad of the first that does not
  } kind;
  Type type; // the tiny element type
  Value value;
  Operation *op = nullptr;
  TypedAttr constant;
  AffineExpr index;
  SmallVector<Constraint, 1> constraints;
  SmallVector<int, 2> operands;
  Location loc;
};

struct KernelGraph {
  SmallVector<Node> nodes; // operands before users
  int root = -1;

  /// Every affine expression of the graph, to be rewritten when the domain changes.
  void forEachExpr(llvm::function_ref<void(AffineExpr &)> visit);
};

/// The scalar program that computes the element of `value` that `view` (of `value`) reads. Stops
/// at the roots of `materialisation`, but for `value` itself.
KernelGraph traceKernel(Value value, const View &view, const Materialisation &materialisation,
                        bool throughRoot);

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_KERNELGRAPH_H
