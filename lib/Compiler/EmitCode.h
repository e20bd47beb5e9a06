//===- EmitCode.h - from the llvm dialect to bytes --------------*- C++ -*-===//

#ifndef TINY_LIB_COMPILER_EMITCODE_H
#define TINY_LIB_COMPILER_EMITCODE_H

#include "Tiny/Compiler/CPU.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

namespace llvm {
class Module;
}

namespace mlir::tiny {

/// Functions of the C library that a CPU's kernels may call: LLVM makes them of loops.
struct LibraryFunction {
  llvm::StringLiteral name;
  void *address;
};
llvm::ArrayRef<LibraryFunction> libraryFunctions();

enum class CodeKind { llvm, assembly, object };

/// Optimises `part`, a module of the llvm dialect, for `cpu` and appends its code to `code`. What
/// `extend` adds to the module is compiled with it.
/// Several threads may do so with different parts at once. An object that calls anything but
/// libraryFunctions() is an error.
LogicalResult emitCode(ModuleOp part, const CPU &cpu, CodeKind kind,
                       llvm::SmallVectorImpl<char> &code,
                       llvm::function_ref<llvm::Error(llvm::Module &)> extend = nullptr);

/// As above, for a row of Target.h that is a GPU. Its kernels call nothing.
LogicalResult emitCode(ModuleOp part, const Target &gpu, CodeKind kind,
                       llvm::SmallVectorImpl<char> &code);

} // namespace mlir::tiny

#endif // TINY_LIB_COMPILER_EMITCODE_H
