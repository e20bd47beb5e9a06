//===- Targets.h - what is compared with the interpreter --------*- C++ -*-===//

#ifndef TINY_FUZZ_TARGETS_H
#define TINY_FUZZ_TARGETS_H

#include "Tiny/Runtime/Tensor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <vector>

namespace tinyfuzz {

/// Runs the only function of `module`. Fails with a diagnostic.
using Runner = llvm::function_ref<mlir::FailureOr<std::vector<tinyrt::Tensor>>(
    mlir::ModuleOp module, llvm::ArrayRef<tinyrt::Tensor> inputs)>;

/// Element by element, every value stored, in LLVM's software arithmetic: slow, and as different
/// from the interpreter as two readings of the same text can be.
mlir::FailureOr<std::vector<tinyrt::Tensor>> runNaive(mlir::ModuleOp module,
                                                      llvm::ArrayRef<tinyrt::Tensor> inputs);

} // namespace tinyfuzz

#endif // TINY_FUZZ_TARGETS_H
