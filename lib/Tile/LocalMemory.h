//===- LocalMemory.h - the memory that a workgroup has for itself -*- C++ -*-===//

#ifndef TINY_LIB_TILE_LOCALMEMORY_H
#define TINY_LIB_TILE_LOCALMEMORY_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tiny {

/// Holds the locals of `function` to `maxBytes`. Where all of them one behind the other are more,
/// those of workgroup loops that stand side by side, which no workgroup has at once, get the same
/// place. An error if even so it is not enough.
LogicalResult fitLocals(func::FuncOp function, int64_t maxBytes);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_LOCALMEMORY_H
