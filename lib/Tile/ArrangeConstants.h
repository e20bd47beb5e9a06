//===- ArrangeConstants.h - who wants a constant in which order -*- C++ -*-===//
//
// What is the same for all targets that have constants in an order of their own: a kernel
// may be launched with several constants, and a constant be read by several kernels, so
// that it is changed only where all of them agree.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_ARRANGECONSTANTS_H
#define TINY_LIB_TILE_ARRANGECONSTANTS_H

#include "Tiny/IR/ConstantLayout.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::tiny {

/// The order that a kernel wants an argument in, the operand that reads it, and what index of the
/// argument, in the loops of the operand's nest, the kernel reads then.
struct ConstantWish {
  ConstantLayout layout;
  OpOperand *operand;
  SmallVector<AffineExpr> index;
};

/// By kernel and number of the argument.
using ConstantWishes = llvm::MapVector<std::pair<StringAttr, unsigned>, ConstantWish>;

/// The argument of `function` that `operand` reads and nothing else does.
std::optional<unsigned> loneArgument(func::FuncOp function, const OpOperand &operand);

/// Lets constants lie as all of their readers wish, which `collect` asks the kernels without
/// tilings for, and gives the kernels' arguments the type that this makes. `reread` changes how an
/// operand is read. False if nothing has changed.
bool arrangeConstants(ModuleOp module,
                      llvm::function_ref<void(func::FuncOp, ConstantWishes &)> collect,
                      llvm::function_ref<void(const ConstantWish &)> reread);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_ARRANGECONSTANTS_H
