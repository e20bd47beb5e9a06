//===- VerifyTiled.cpp - what Codegen expects of a kernel -----------------===//
//
// The contract between Tile and Codegen, checked where it is relied on: an op
// that slips through would fail later, in terms of LLVM types.
//
//===----------------------------------------------------------------------===//

#include "TiledKernel.h"

#include "Tiny/Codegen/Passes.h"

#include "mlir/Dialect/AMX/AMXDialect.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_VERIFYTILEDPASS
#include "Tiny/Codegen/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

static LogicalResult verifyStack(func::FuncOp kernel, int64_t maxStackBytes) {
  int64_t stackBytes = 0;
  WalkResult walk = kernel.walk([&](memref::AllocaOp op) -> WalkResult {
    FailureOr<int64_t> bytes = staticBytes(op);
    if (succeeded(bytes))
      stackBytes += *bytes;
    return LogicalResult(bytes);
  });
  if (walk.wasInterrupted())
    return failure();
  if (stackBytes > maxStackBytes)
    return kernel.emitOpError("allocates ")
           << stackBytes << " bytes on the stack; at most " << maxStackBytes << " are allowed";
  return success();
}

namespace {
struct VerifyTiledPass : tiny::impl::VerifyTiledPassBase<VerifyTiledPass> {
  using VerifyTiledPassBase::VerifyTiledPassBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    constexpr StringLiteral allowed = "scf, vector, arith, math, memref, amx, affine.apply, "
                                      "ub, llvm.call_intrinsic and llvm.fence, without "
                                      "allocations on the heap";
    auto isAllowed = [](Operation *op) {
      return isAllowedInTiledKernel(op) || isa<amx::AMXDialect>(op->getDialect());
    };
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttr("tiny.kernel") &&
          (failed(verifyTiledSignature(function)) ||
           failed(verifyTiledOps(function, isAllowed, allowed)) ||
           failed(verifyStack(function, maxStackBytes))))
        return signalPassFailure();
    if (failed(verifyTiledLaunches(getOperation())))
      signalPassFailure();
  }
};
} // namespace
