//===- DecomposeOnlineReductions.h - online sums as nests -------*- C++ -*-===//

#ifndef TINY_LIB_TILE_DECOMPOSEONLINEREDUCTIONS_H
#define TINY_LIB_TILE_DECOMPOSEONLINEREDUCTIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tiny {

/// Replaces every tiny.online_reduce of `function` by nests, in a loop over blocks of the reducing
/// loop whose inputs take about `blockBytes`; 0 for one block. Reports what it cannot divide.
LogicalResult decomposeOnlineReductions(func::FuncOp function, int64_t blockBytes);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_DECOMPOSEONLINEREDUCTIONS_H
