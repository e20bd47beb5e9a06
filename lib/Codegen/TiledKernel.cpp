//===- TiledKernel.cpp - what all targets ask of a tiled kernel -----------===//
//
// The part of the contract between Tile and Codegen that no target changes, for the
// verify pass of each.
//
//===----------------------------------------------------------------------===//

#include "TiledKernel.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::tiny;

LogicalResult mlir::tiny::verifyTiledSignature(func::FuncOp kernel) {
  ArrayRef<Type> types = kernel.getArgumentTypes();
  if (kernel.getNumResults())
    return kernel.emitOpError("a tiled kernel writes to its buffers and returns nothing");
  if (types.size() < 3 || !llvm::all_of(types.take_back(3), [](Type t) { return t.isIndex(); }))
    return kernel.emitOpError("the last three arguments of a tiled kernel are its place in the "
                              "grid, of type index");
  for (auto [i, type] : llvm::enumerate(types.drop_back(3))) {
    auto buffer = dyn_cast<MemRefType>(type);
    if (!buffer || !buffer.hasStaticShape() || !buffer.getLayout().isIdentity())
      return kernel.emitOpError("argument ")
             << i << " is " << type << "; a buffer is a static memref of identity layout";
  }
  return success();
}

bool mlir::tiny::isAllowedInTiledKernel(Operation *op) {
  if (isa<func::ReturnOp, affine::AffineApplyOp, LLVM::CallIntrinsicOp, LLVM::FenceOp>(op))
    return true;
  if (isa<memref::AllocOp, memref::DeallocOp>(op))
    return false;
  return isa<arith::ArithDialect, math::MathDialect, memref::MemRefDialect, scf::SCFDialect,
             ub::UBDialect, vector::VectorDialect>(op->getDialect());
}

LogicalResult mlir::tiny::verifyTiledOps(func::FuncOp kernel,
                                         llvm::function_ref<bool(Operation *)> isAllowed,
                                         StringRef allowed) {
  WalkResult walk = kernel.getBody().walk([&](Operation *op) -> WalkResult {
    if (isAllowed(op))
      return success();
    return op->emitOpError("is left in a tiled kernel; Codegen lowers ") << allowed;
  });
  return failure(walk.wasInterrupted());
}

FailureOr<int64_t> mlir::tiny::staticBytes(memref::AllocaOp alloca) {
  MemRefType type = alloca.getType();
  if (!type.hasStaticShape() || !type.getElementType().isIntOrIndexOrFloat())
    return alloca.emitOpError("has no static size");
  unsigned bits = type.getElementType().isIndex() ? 64 : type.getElementTypeBitWidth();
  return type.getNumElements() * ((bits + 7) / 8);
}

LogicalResult mlir::tiny::verifyTiledLaunches(ModuleOp module) {
  WalkResult walk = module.walk([](LaunchOp launch) -> WalkResult {
    std::optional<ArrayRef<int64_t>> grid = launch.getGrid();
    auto isSize = [](int64_t size) { return size >= 1 && llvm::isUInt<32>(size); };
    if (!grid || grid->size() != 3 || !llvm::all_of(*grid, isSize))
      return launch.emitOpError("needs a grid of three sizes of at least 1");
    return success();
  });
  return failure(walk.wasInterrupted());
}
