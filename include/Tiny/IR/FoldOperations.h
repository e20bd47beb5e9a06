//===- FoldOperations.h - constants and dead ops, in linear time -*- C++ -*-===//

#ifndef TINY_IR_FOLDOPERATIONS_H
#define TINY_IR_FOLDOPERATIONS_H

#include "mlir/IR/Operation.h"

namespace mlir::tiny {

/// Folds every op inside of `root` once, operands before users, and erases what is unused then.
///
/// It is for code that was just emitted, before the canonicaliser: that one takes up all loops
/// around an op again whenever the op changes, and walks through them to see whether they are dead.
/// With thousands of ops to fold in a loop that is nearly all of its time.
void foldOperations(Operation *root);

} // namespace mlir::tiny

#endif // TINY_IR_FOLDOPERATIONS_H
