//===- VerifyLowered.cpp - what Codegen promises --------------------------===//
//
// The translation to LLVM IR takes the llvm dialect only, and the runtime finds
// kernels by name and calls all of them with one signature.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Codegen/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_VERIFYLOWEREDPASS
#include "Tiny/Codegen/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

/// A definition that others can see has the signature of an entry point.
static LogicalResult verifyFunction(LLVM::LLVMFuncOp function) {
  if (function.isExternal() || function.getLinkage() != LLVM::Linkage::External)
    return success();
  MLIRContext *context = function.getContext();
  auto i32 = IntegerType::get(context, 32);
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context),
                                          {LLVM::LLVMPointerType::get(context), i32, i32, i32});
  if (function.getFunctionType() != type)
    return function.emitOpError("is visible, but has the type ")
           << function.getFunctionType() << "; the entry point of a kernel has " << type;
  return success();
}

namespace {
struct VerifyLoweredPass : tiny::impl::VerifyLoweredPassBase<VerifyLoweredPass> {
  void runOnOperation() override {
    markAllAnalysesPreserved();
    WalkResult walk = getOperation().walk([](Operation *op) {
      if (isa<ModuleOp>(op))
        return WalkResult::advance();
      if (!isa<LLVM::LLVMDialect>(op->getDialect())) {
        op->emitOpError("is left after lowering to the llvm dialect");
        return WalkResult::interrupt();
      }
      auto function = dyn_cast<LLVM::LLVMFuncOp>(op);
      return WalkResult(function ? verifyFunction(function) : success());
    });
    if (walk.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
