//===- VerifyTiled.cpp - what Codegen expects of a kernel -----------------===//
//
// The contract between Tile and Codegen, checked where it is relied on: an op
// that slips through would fail later, in terms of LLVM types.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Codegen/Passes.h"
#include "Tiny/IR/TinyDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_VERIFYTILEDPASS
#include "Tiny/Codegen/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

static LogicalResult verifySignature(func::FuncOp kernel) {
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

static bool isAllowed(Operation *op) {
  if (isa<func::ReturnOp, affine::AffineApplyOp>(op))
    return true;
  if (isa<memref::AllocOp, memref::DeallocOp>(op))
    return false;
  return isa<arith::ArithDialect, math::MathDialect, memref::MemRefDialect, scf::SCFDialect,
             ub::UBDialect, vector::VectorDialect>(op->getDialect());
}

static LogicalResult verifyBody(func::FuncOp kernel, int64_t maxStackBytes) {
  int64_t stackBytes = 0;
  WalkResult walk = kernel.getBody().walk([&](Operation *op) {
    if (!isAllowed(op)) {
      op->emitOpError("is left in a tiled kernel; Codegen lowers scf, vector, arith, math, memref, "
                      "affine.apply and ub, without allocations on the heap");
      return WalkResult::interrupt();
    }
    auto alloca = dyn_cast<memref::AllocaOp>(op);
    if (!alloca)
      return WalkResult::advance();
    MemRefType type = alloca.getType();
    if (!type.hasStaticShape() || !type.getElementType().isIntOrIndexOrFloat()) {
      op->emitOpError("has no static size");
      return WalkResult::interrupt();
    }
    unsigned bits = type.getElementType().isIndex() ? 64 : type.getElementTypeBitWidth();
    stackBytes += type.getNumElements() * ((bits + 7) / 8);
    return WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return failure();
  if (stackBytes > maxStackBytes)
    return kernel.emitOpError("allocates ")
           << stackBytes << " bytes on the stack; at most " << maxStackBytes << " are allowed";
  return success();
}

static LogicalResult verifyLaunch(LaunchOp launch) {
  std::optional<ArrayRef<int64_t>> grid = launch.getGrid();
  auto isSize = [](int64_t size) { return size >= 1 && llvm::isUInt<32>(size); };
  if (!grid || grid->size() != 3 || !llvm::all_of(*grid, isSize))
    return launch.emitOpError("needs a grid of three sizes of at least 1");
  return success();
}

namespace {
struct VerifyTiledPass : tiny::impl::VerifyTiledPassBase<VerifyTiledPass> {
  using VerifyTiledPassBase::VerifyTiledPassBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (!function->hasAttr("tiny.kernel"))
        continue;
      if (failed(verifySignature(function)) || failed(verifyBody(function, maxStackBytes)))
        return signalPassFailure();
    }
    WalkResult walk =
        getOperation().walk([](LaunchOp launch) { return WalkResult(verifyLaunch(launch)); });
    if (walk.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
