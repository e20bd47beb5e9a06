//===- TensorProgram.h - evaluate linalg on tensors, in f64 -----*- C++ -*-===//
//
// What a transformation on tensors makes is compared with what it was made of, op by
// op and element by element, without a compiler in between. tiny.online_reduce is
// evaluated from its definition: the maximum first, then the sums.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_UNIT_ONLINEREDUCE_TENSORPROGRAM_H
#define TINY_UNIT_ONLINEREDUCE_TENSORPROGRAM_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <vector>

namespace mlir::tiny::testing {

struct Tensor {
  SmallVector<int64_t> shape;
  std::vector<double> elements;
};

/// The results of `function`. Ends the process with a message where it has an op in it that the
/// tests do not need.
std::vector<Tensor> evaluate(func::FuncOp function, ArrayRef<Tensor> arguments);

} // namespace mlir::tiny::testing

#endif // TINY_UNIT_ONLINEREDUCE_TENSORPROGRAM_H
