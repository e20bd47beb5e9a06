//===- KernelWriter.h - a kernel as a function of linalg ops ----*- C++ -*-===//

#ifndef TINY_SCHEDULE_KERNELWRITER_H
#define TINY_SCHEDULE_KERNELWRITER_H

#include "Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace mlir::tiny {

/// The shape and the map under which an access is an operand of a linalg op.
struct OperandForm {
  SmallVector<int64_t> shape;
  AffineMap map;
};

/// Writes one kernel. Collects the buffers that it reads, in the order of its arguments.
class KernelWriter {
public:
  KernelWriter(OpBuilder &b, const Kernel &kernel) : b(b), kernel(kernel) {}

  func::FuncOp write(StringRef name);
  ArrayRef<Value> inputs() const { return inputValues; }

private:
  /// Every (buffer, shape) that the kernel sees becomes one argument.
  unsigned argumentFor(Value buffer, ArrayRef<int64_t> shape);
  void collectArguments(const KernelGraph &graph, unsigned numDims);
  Value writeGeneric(const KernelGraph &graph, unsigned numDims, Value accumulator, Value out);
  Value emitNode(OpBuilder &body, const Node &node, ArrayRef<Value> values, ValueRange indices);

  std::optional<OperandForm> operandForm(const Node &node, unsigned numDims) const;

  OpBuilder &b;
  const Kernel &kernel;
  func::FuncOp function;
  SmallVector<Value> inputValues;
  SmallVector<RankedTensorType> inputTypes;
  llvm::DenseMap<const Node *, unsigned> arguments;
};

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_KERNELWRITER_H
