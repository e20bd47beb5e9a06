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
    Scaled,      // `op`, mul or div, on an accumulator or another such node; rounded at the end
    Index,       // `index` as a number of type `type`
    Constant,    // `constant`
    Compute,     // `op` on `operands`
    AddedToZero, // 0 + operands[0], as a sum of one element and zeros is: never -0
    Guarded,     // operands[0] where `constraints` hold, else the pad of the first that does not
  } kind;
  Type type;   // the tiny element type
  Value value; // that the node computes or reads an element of
  Operation *op = nullptr;
  TypedAttr constant;
  AffineExpr index;
  SmallVector<Constraint, 1> constraints;
  SmallVector<int, 2> operands;
  Location loc;
  int64_t elements = 0; // of the buffer that a Read reads: more than `value` has where it is a part
};

struct KernelGraph {
  SmallVector<Node> nodes; // operands before users
  int root = -1;

  bool empty() const { return nodes.empty(); }
  /// Every affine expression of the graph, to be rewritten when the domain changes.
  void forEachExpr(llvm::function_ref<void(AffineExpr &)> visit);
  /// Appends the part of `other` that its node `node` depends on; returns where it ended up. Nodes
  /// that `moved` knows are there already.
  int append(const KernelGraph &other, int node, llvm::DenseMap<int, int> &moved);
  /// Whether node `node` depends on loop `dim`.
  bool dependsOn(int node, unsigned dim) const;
};

/// The scalar program that computes the element of `value` that `view` (of `value`) reads. Stops
/// at the roots of `materialisation`, but for `value` itself.
KernelGraph traceKernel(Value value, const View &view, const Materialisation &materialisation,
                        bool throughRoot);

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_KERNELGRAPH_H
