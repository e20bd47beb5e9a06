//===- ConstantLayout.h - the order of a constant in memory -----*- C++ -*-===//
//
// Weights are in the order of the model, which is seldom the one that the engine of a
// target reads fastest. A `tiny.constant` with a layout lies in memory in another order
// than in its value. The value stays as it is: weights of many gigabytes are permuted
// when they are copied to the constants segment, and never twice in memory for it.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_IR_CONSTANTLAYOUT_H
#define TINY_IR_CONSTANTLAYOUT_H

#include "Tiny/IR/TinyDialect.h"

#include <optional>

namespace mlir::tiny {

/// `tiny.layout = {order = array<i64: 1, 0>, shape = array<i64: 64, 128>}` on a constant.
struct ConstantLayout {
  SmallVector<int64_t> shape; ///< What the elements of the value, in row-major order, are seen as.
  SmallVector<int64_t> order; ///< Its dims as they lie in memory, outermost first.

  bool operator==(const ConstantLayout &other) const {
    return shape == other.shape && order == other.order;
  }
};

/// The layout of `constant`, or nothing where it lies in memory as in its value. Reports one that
/// does not fit.
FailureOr<std::optional<ConstantLayout>> layoutOf(ConstantOp constant);
void setLayout(ConstantOp constant, const ConstantLayout &layout);

/// Copies elements of `elementBytes` bytes each, 1, 2, 4 or 8, in the order of `layout`.
void copyInLayout(const ConstantLayout &layout, int64_t elementBytes, const char *from, char *to);

} // namespace mlir::tiny

#endif // TINY_IR_CONSTANTLAYOUT_H
