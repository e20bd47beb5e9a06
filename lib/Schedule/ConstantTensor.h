//===- ConstantTensor.h - tensors whose elements are known ------*- C++ -*-===//
//
// A constant at compile time is a buffer and a layout: one step per dimension. So
// movement costs nothing here either: permute, expand, shrink, stride and most
// reshapes give another layout of the same buffer. A dimension along which nothing
// changes has the step 0 and takes no memory, however long it is, and what is
// computed from such tensors is as small as they are.
//
// Nothing of this is shared with the reference interpreter, which judges it.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SCHEDULE_CONSTANTTENSOR_H
#define TINY_LIB_SCHEDULE_CONSTANTTENSOR_H

#include "Tiny/IR/TinyDialect.h"
#include "mlir/IR/Builders.h"

#include <memory>
#include <optional>

namespace mlir::tiny {

/// Element [i0, i1, …] lies at offset + i0 * strides[0] + i1 * strides[1] + …, in elements. Sizes
/// are at least 1; a dim of size 1 has the stride 0.
struct Layout {
  SmallVector<int64_t> shape, strides;
  int64_t offset = 0;

  /// A layout that stores exactly the dims with a stride in `like`, and the longest steps of `like`
  /// remain the longest: what is computed from packed weights is packed in the same order.
  static Layout packed(const Layout &like);
  static Layout rowMajor(ArrayRef<int64_t> shape);
  /// The same element everywhere.
  static Layout splat(ArrayRef<int64_t> shape);

  /// How many elements a buffer of this layout holds: dims without a stride count once.
  int64_t numStored() const;
  /// The dims from the longest step to the shortest; those without a step come first.
  SmallVector<int64_t> memoryOrder() const;
  /// Each element of a buffer of numStored() elements is found exactly once.
  bool isPacked() const;
  /// The result of a movement op as a layout of its operand's buffer, where there is one (there is
  /// none for a pad, nor for some reshapes).
  std::optional<Layout> through(Operation *movement) const;
  std::optional<Layout> reshaped(ArrayRef<int64_t> newShape) const;
};

struct ConstantTensor {
  Type elementType;
  Layout layout;
  std::shared_ptr<const char> data; // elements as in memory: i1 is a byte

  bool operator!() const { return !data; }
};

/// The layout that the result of `op` has when its operands have these, and whether the result is
/// another view of the buffer of operand 0.
struct ResultLayout {
  Layout layout;
  bool isView;
};
ResultLayout resultLayout(Operation *op, ArrayRef<const Layout *> operands);

/// What evaluating `op` costs, in units of about one element of an addition.
int64_t evaluationWork(Operation *op, const Layout &result, ArrayRef<const Layout *> operands);

/// Bytes of the buffer of `layout`.
int64_t bytesOf(const Layout &layout, Type elementType);

/// The value of a constant. None if its resource is absent or has another size.
ConstantTensor readConstant(ConstantOp op);

/// The result of a tiny op (any but the test ops and a constant) on operands that have elements.
ConstantTensor evaluate(Operation *op, ArrayRef<ConstantTensor> operands);

/// The same elements, each stored once, in a buffer of their own.
ConstantTensor pack(const ConstantTensor &value);

/// A constant of what `value` stores, and the permute and the expand that make `value` of it.
/// Elements that are all equal become a splat; `name` is for a blob.
Value materialize(OpBuilder &b, Location loc, const ConstantTensor &value, const Twine &name);

} // namespace mlir::tiny

#endif // TINY_LIB_SCHEDULE_CONSTANTTENSOR_H
