//===- SimplifyVectors.h - vector ops that LLVM knows -----------*- C++ -*-===//

#ifndef TINY_LIB_CODEGEN_SIMPLIFYVECTORS_H
#define TINY_LIB_CODEGEN_SIMPLIFYVECTORS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tiny {

/// Replaces vector ops that have no counterpart in LLVM by some that have.
void simplifyVectors(func::FuncOp kernel);

} // namespace mlir::tiny

#endif // TINY_LIB_CODEGEN_SIMPLIFYVECTORS_H
