//===- Targets.h - what is compared with the interpreter --------*- C++ -*-===//

#ifndef TINY_FUZZ_TARGETS_H
#define TINY_FUZZ_TARGETS_H

#include "Tiny/Runtime/Tensor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <vector>

namespace tinyfuzz {

/// Element by element, every value stored, in LLVM's software arithmetic: slow, and as different
/// from the interpreter as two readings of the same text can be. `takesLiberties` with the last
/// bits wherever the semantics leave them to the target.
std::vector<tinyrt::Tensor> runNaive(mlir::ModuleOp module, llvm::ArrayRef<tinyrt::Tensor> inputs,
                                     bool takesLiberties);

/// Compiled for `target` and run, results and workspace poisoned first. Fails with a diagnostic.
mlir::FailureOr<std::vector<tinyrt::Tensor>>
runCompiled(mlir::ModuleOp module, llvm::ArrayRef<tinyrt::Tensor> inputs, llvm::StringRef target);

} // namespace tinyfuzz

#endif // TINY_FUZZ_TARGETS_H
