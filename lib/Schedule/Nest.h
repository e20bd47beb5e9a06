//===- Nest.h - one loop nest before it is written down ---------*- C++ -*-===//
//
// A nest computes one value that exists in memory, or one box of it: its loops, the
// reduction that it takes in, and the scalar programs of both. Kernels are made of
// nests (Kernel.h).
//
//===----------------------------------------------------------------------===//

#ifndef TINY_SCHEDULE_NEST_H
#define TINY_SCHEDULE_NEST_H

#include "IterationDomain.h"
#include "Tiny/IR/TinyDialect.h"

#include <string>

namespace mlir::tiny {

/// The elements of a value with `offsets[d] <= index along d < offsets[d] + sizes[d]`, where it is
/// seen under `shape`.
struct Box {
  SmallVector<int64_t> shape, offsets, sizes;

  static Box whole(ArrayRef<int64_t> shape);
};

struct Nest {
  Value result;             // the root that it computes, or a part of
  Box box;                  // which part
  bool isPart = false;      // that is less than all of it
  ReduceOp reduction;       // that it takes in, if any
  ReduceOp foldedReduction; // the same, where nothing is left to combine
  /// A nest that keeps all values of the accumulator, with the term at each position or before it:
  /// its one loop that reduces runs along the result, too.
  enum class Scan { none, inclusive, exclusive } scans = Scan::none;
  IterationDomain domain;
  KernelGraph body;     // of the reduction, or of the result where there is none
  KernelGraph epilogue; // of the result, where there is a reduction
  /// The values that `result` is a part of, from the smallest to the one that has a buffer.
  SmallVector<Value, 1> wholes;
  AffineExpr store; // the element of `buffer()`, in row-major order, that a point computes
  /// The value whose buffer `buffer()` takes over, with all elements that no nest computes anew.
  Value updates;

  RankedTensorType resultType() const { return cast<RankedTensorType>(result.getType()); }
  ArrayRef<int64_t> extents() const { return domain.extents; }
  /// The loops that do not reduce.
  ArrayRef<int64_t> parallelExtents() const { return extents().take_front(domain.numParallel); }
  /// The loops; data dims, which `domain` ends with, are none.
  unsigned numLoops() const { return domain.numLoops(); }
  int64_t numPoints() const;          // of the parallel loops
  int64_t numReductionPoints() const; // of the other ones, at each of these
  int64_t numOperations() const;      // of all points, weighted as `operationCost`
  /// The value whose buffer it writes.
  Value buffer() const { return wholes.empty() ? result : wholes.back(); }
  /// All values that have elements that it computes.
  SmallVector<Value, 2> written() const;
  bool writesPart() const { return isPart || !wholes.empty() || updates; }
  /// Whether data decides where it writes.
  bool storesAtData() const { return updates && !domain.dataNodes.empty(); }
  bool isScan() const { return scans != Scan::none; }

  void forEachRead(llvm::function_ref<void(const Node &)> visit) const;
  /// Whether it computes nothing but which element to move where.
  bool movesOnly() const;
  /// The one read that an element is moved by, where the nest does nothing but move elements.
  const Node *soleCopiedRead() const;

  /// Splits loop `loop` in extent/inner by inner.
  void split(unsigned loop, int64_t inner);
  /// Makes loop `loop` a data dim, at the number that node `node` of the body computes.
  void replaceByData(unsigned loop, int node);
  /// Dim i becomes `exprs[i]`, over the dims of the domain as it is now.
  void replaceDims(ArrayRef<AffineExpr> exprs);
  void normalise();
  /// Orders the parallel loops as the elements lie that they write.
  void orderByStore();

  /// What the nest does, without its shape: `conv3x3_add_relu`.
  std::string name() const;
};

/// The number of the element at `index`, in row-major order.
AffineExpr rowMajorIndex(ArrayRef<AffineExpr> index, ArrayRef<int64_t> shape, MLIRContext *context);
/// The index of element number `number` in row-major order; not simplified.
SmallVector<AffineExpr> delinearised(AffineExpr number, ArrayRef<int64_t> shape);

/// How the points of `box` see `root`.
View viewOf(Value root, const Box &box);
/// The nest that computes `box` of `root`, with the reduction that it can take in.
/// `traced` is what traceKernel gives for it, where that is known.
Nest formNest(Value root, const Box &box, const Materialisation &materialisation,
              const KernelGraph *traced = nullptr);

/// A read of elements that are row-major over some of the loops, from element 0 to the last one:
/// these loops, outermost first.
std::optional<SmallVector<unsigned>> rowMajorLoops(const Nest &nest, const Node &read);

/// The loop that node `node` of the body counts: it is the index of that loop, and as a number of
/// its type another one at each place. Nothing if it is something else.
std::optional<unsigned> comparedLoop(const Nest &nest, int node);

/// A box of a buffer that is seen under `shape`.
struct Slice {
  SmallVector<int64_t> shape, offsets, sizes;
  SmallVector<int> dims;  // per dim, the dim of the nest that is its index, or -1
  bool isReverse = false; // the loop of a scan runs from the last index to the first
  bool isRun = false;     // the only dim is that of the elements, which the loops go along in order
};
/// The shape under which the elements that `nest` writes are a box of its buffer, whose dims are
/// the parallel loops in order, with data dims and the loop of a scan between them and perhaps one
/// of size 1 behind them; or a run of elements. Nothing if they are neither.
std::optional<Slice> sliceOf(const Nest &nest);

/// `nest`, whose results combine the terms at all positions up to their own, or from there on, as
/// one pass over the positions (Scan.cpp).
std::optional<Nest> asScan(const Nest &nest);

/// `name` for a shape: `1x64x56x56`, or `scalar`.
std::string shapeName(ArrayRef<int64_t> shape);

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_NEST_H
