//===- VerifyLowered.cpp - what Codegen promises --------------------------===//
//
// The translation to LLVM IR takes the llvm dialect only, and the runtime finds
// kernels by name and calls all of them with one signature.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Codegen/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
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

/// A GPU's function is a kernel, whose arguments are addresses of buffers, and calls none: a call
/// would need a stack.
static LogicalResult verifyKernel(LLVM::LLVMFuncOp function) {
  constexpr unsigned globalSpace = 1;
  auto isBuffer = [](Type type) {
    auto pointer = dyn_cast<LLVM::LLVMPointerType>(type);
    return pointer && pointer.getAddressSpace() == globalSpace;
  };
  if (function.isExternal())
    return function.emitOpError("is called, and kernels of a GPU call nothing; an expansion is "
                                "missing in Codegen");
  if (!function->hasAttr("rocdl.kernel") || !llvm::all_of(function.getArgumentTypes(), isBuffer))
    return function.emitOpError("is no kernel of global buffers, but has the type ")
           << function.getFunctionType();
  return success();
}

namespace {
struct VerifyLoweredPass : tiny::impl::VerifyLoweredPassBase<VerifyLoweredPass> {
  using VerifyLoweredPassBase::VerifyLoweredPassBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    WalkResult walk = getOperation().walk([&](Operation *op) {
      if (isa<ModuleOp>(op))
        return WalkResult::advance();
      if (!isa<LLVM::LLVMDialect>(op->getDialect()) &&
          !(gpu && isa<ROCDL::ROCDLDialect>(op->getDialect()))) {
        op->emitOpError("is left after lowering to the llvm dialect");
        return WalkResult::interrupt();
      }
      auto function = dyn_cast<LLVM::LLVMFuncOp>(op);
      if (!function)
        return WalkResult::advance();
      return WalkResult(gpu ? verifyKernel(function) : verifyFunction(function));
    });
    if (walk.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
