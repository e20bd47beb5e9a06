//===- FoldOperations.cpp - constants and dead ops, in linear time --------===//

#include "Tiny/IR/FoldOperations.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/FoldUtils.h"

using namespace mlir;

void mlir::tiny::foldOperations(Operation *root) {
  OperationFolder folder(root->getContext());
  // Before the ops of its regions: bounds of loops are known then, and constants are moved to the
  // top, where the walk does not come by again.
  SmallVector<Operation *> order;
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op != root && op->getNumRegions() == 0)
      order.push_back(op);
  });
  SmallVector<Operation *> left;
  for (Operation *op : order) {
    bool inPlace = false;
    if (failed(folder.tryToFold(op, &inPlace)) || inPlace)
      left.push_back(op);
  }
  for (Operation *op : llvm::reverse(left))
    if (isOpTriviallyDead(op))
      op->erase();
}
