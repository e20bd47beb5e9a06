//===- TiledKernel.h - what all targets ask of a tiled kernel ---*- C++ -*-===//

#ifndef TINY_LIB_CODEGEN_TILEDKERNEL_H
#define TINY_LIB_CODEGEN_TILEDKERNEL_H

#include "Tiny/IR/TinyDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::tiny {

/// Static memrefs of identity layout, then three indices; no result.
LogicalResult verifyTiledSignature(func::FuncOp kernel);

/// The ops that a tiled kernel may hold on every target.
bool isAllowedInTiledKernel(Operation *op);

/// An error at the first op of `kernel` that `isAllowed` refuses. `allowed` says what it does not.
LogicalResult verifyTiledOps(func::FuncOp kernel, llvm::function_ref<bool(Operation *)> isAllowed,
                             StringRef allowed);

/// The bytes of `alloca`, or an error if they are not static.
FailureOr<int64_t> staticBytes(memref::AllocaOp alloca);

/// Every launch has a grid of three sizes of at least 1.
LogicalResult verifyTiledLaunches(ModuleOp module);

} // namespace mlir::tiny

#endif // TINY_LIB_CODEGEN_TILEDKERNEL_H
