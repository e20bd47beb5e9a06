//===- OnlineReduce.h - online reductions as nests --------------*- C++ -*-===//

#ifndef TINY_IR_ONLINEREDUCE_H
#define TINY_IR_ONLINEREDUCE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tiny {

/// Replaces every tiny.online_reduce of `function` by linalg ops, in a loop over blocks of the
/// reducing loop whose inputs take about `blockBytes` for one point of the pivot; 0 for one block.
/// What computes an input of a block only is moved into the loop. Reports what it cannot divide.
LogicalResult decomposeOnlineReductions(func::FuncOp function, int64_t blockBytes);

} // namespace mlir::tiny

#endif // TINY_IR_ONLINEREDUCE_H
