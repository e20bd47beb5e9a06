//===- Evaluator.h - elements of a value at a batch of indices --*- C++ -*-===//
//
// The interpreter is lazy: asked for some elements of a value, it asks the
// operands for the elements that those need. So a movement op only rewrites
// indices, and a product that feeds a sum is never stored, though it may have more
// elements than memory. It works on batches of a few hundred elements, so that
// walking the program costs little per element.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_REFERENCE_EVALUATOR_H
#define TINY_LIB_REFERENCE_EVALUATOR_H

#include "Bounds.h"
#include "Scalar.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/Allocator.h"

namespace mlir::tiny::reference {

/// One index of each element of a batch: all the same (`lanes` is null), or one each.
struct Column {
  int64_t uniform = 0;
  const int64_t *lanes = nullptr;
  int64_t operator[](int64_t lane) const { return lanes ? lanes[lane] : uniform; }
};

/// Where `size` elements lie: one column per dimension.
struct Batch {
  int64_t size = 0;
  SmallVector<Column, 6> columns;
  bool isUniform() const {
    return llvm::all_of(columns, [](const Column &column) { return !column.lanes; });
  }
};

/// The elements of a batch. `bounds` is null unless they are asked for.
struct Lanes {
  Word *words = nullptr;
  Bound *bounds = nullptr;
};

/// A tensor in memory. A splat has one element for all.
struct Stored {
  ElementType type;
  SmallVector<int64_t, 6> strides; // in elements
  const void *data = nullptr;
  bool isSplat = false;
  tinyrt::Tensor tensor;                      // holds the memory, where the interpreter made it
  std::shared_ptr<std::vector<Bound>> bounds; // null: each element is exact
};
using Store = llvm::DenseMap<Value, Stored>;

/// The sums whose constant factor may move into their terms, the factors, and the adds that add a
/// constant to them (Bounds only).
using ScaledSums = llvm::DenseSet<Operation *>;
ScaledSums findScaledSums(ArrayRef<Operation *> ops);

/// Evaluates batches; one per thread. What it returns lives until `reset`.
class Evaluator {
public:
  Evaluator(const Store &store, bool withBounds, const ScaledSums &scaled)
      : store(store), withBounds(withBounds), scaled(scaled) {}

  /// The elements of `value`, read from memory where it is stored.
  Lanes evaluate(Value value, const Batch &at);
  /// The same, but computed by its op.
  Lanes compute(Value value, const Batch &at);

  /// In a sum, a product may also appear unrounded: which `mul` feeds it (Bounds only).
  void setContracted(Operation *mul) { contracted = mul; }
  Operation *getContracted() const { return contracted; }

  bool isScaledSum(Operation *op) const { return scaled.contains(op); }

  Lanes allocate(int64_t count);
  int64_t *allocateColumn(int64_t count) { return arena.Allocate<int64_t>(count); }
  void reset() { arena.Reset(); }
  bool hasBounds() const { return withBounds; }

private:
  Lanes read(const Stored &tensor, const Batch &at);

  const Store &store;
  bool withBounds;
  const ScaledSums &scaled;
  Operation *contracted = nullptr;
  llvm::BumpPtrAllocatorImpl<llvm::MallocAllocator, 1 << 20, 1 << 20> arena;
};

/// One function per kind of op; all are given their op and where its result is wanted.
Lanes computeElementwise(Evaluator &evaluator, Operation *op, const Batch &at);
Lanes computeMovement(Evaluator &evaluator, Operation *op, const Batch &at);

/// Elements [begin, end) of a reduce, in row-major order; `bounds` may be null.
void computeReduce(Evaluator &evaluator, ReduceOp op, int64_t begin, int64_t end,
                   int64_t lanesPerBatch, Word *words, Bound *bounds);

/// A column of the given length from a function of the lane; uniform where it can be.
template <typename Function>
Column makeColumn(Evaluator &evaluator, int64_t size, Function indexOfLane) {
  int64_t *lanes = evaluator.allocateColumn(size);
  bool isUniform = true;
  for (int64_t k = 0; k < size; ++k) {
    lanes[k] = indexOfLane(k);
    isUniform &= lanes[k] == lanes[0];
  }
  return isUniform ? Column{size ? lanes[0] : 0, nullptr} : Column{0, lanes};
}

} // namespace mlir::tiny::reference

#endif // TINY_LIB_REFERENCE_EVALUATOR_H
