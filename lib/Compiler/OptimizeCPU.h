//===- OptimizeCPU.h - LLVM's passes for kernels on a CPU -------*- C++ -*-===//

#ifndef TINY_LIB_COMPILER_OPTIMIZECPU_H
#define TINY_LIB_COMPILER_OPTIMIZECPU_H

#include "llvm/IR/OptBisect.h"
#include "llvm/IR/PassManager.h"

namespace mlir::tiny {

/// The passes that optimise one kernel.
llvm::FunctionPassManager passesForCPU();

/// Keeps passes of the code generator for x86 from running that kernels have no use for. It has to
/// outlive the context that has it.
class CodegenGate : public llvm::OptPassGate {
public:
  bool shouldRunPass(llvm::StringRef pass, llvm::StringRef where) const override;
  bool isEnabled() const override { return true; }
};

} // namespace mlir::tiny

#endif // TINY_LIB_COMPILER_OPTIMIZECPU_H
