//===- KernelWriter.h - a kernel as a function of linalg ops ----*- C++ -*-===//

#ifndef TINY_SCHEDULE_KERNELWRITER_H
#define TINY_SCHEDULE_KERNELWRITER_H

#include "Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace mlir::tiny {

/// Writes one kernel. Collects the buffers that it reads, in the order of its arguments.
class KernelWriter {
public:
  KernelWriter(OpBuilder &b, const Kernel &kernel) : b(b), kernel(kernel) {}

  func::FuncOp write(StringRef name);
  ArrayRef<Value> inputs() const { return inputValues; }

private:
  /// Every (buffer, shape) that the kernel sees becomes one argument.
  unsigned argumentFor(const Node &read, ArrayRef<int64_t> shape);
  void collectArguments(const Nest &nest, const KernelGraph &graph);
  Value writeNest(const Nest &nest, Value out);
  void writeOnline();
  bool isWritten(unsigned number) const;
  void forEachGraph(llvm::function_ref<void(const Nest &, const KernelGraph &)> visit) const;
  void writeRegion(Region &region, const KernelGraph &graph, TypeRange arguments,
                   llvm::function_ref<Value(OpBuilder &, const Node &, ValueRange)> read,
                   llvm::function_ref<Value(OpBuilder &, Value)> yield);
  Value writeGeneric(const Nest &nest, const KernelGraph &graph, unsigned numDims,
                     Value accumulator, ValueRange outs, int scanned = -1);
  Value emitNode(OpBuilder &body, const Node &node, ArrayRef<Value> values, ValueRange indices,
                 unsigned numLoops);
  Value sourceOf(const Node &read);

  OpBuilder &b;
  const Kernel &kernel;
  func::FuncOp function;
  SmallVector<Value> inputValues;
  SmallVector<RankedTensorType> inputTypes;
  llvm::DenseMap<const Node *, unsigned> arguments;
  llvm::DenseMap<Value, Value> written;     // what earlier nests computed
  llvm::DenseMap<Value, Value> accumulated; // by result of a nest: what its reduction computed
};

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_KERNELWRITER_H
