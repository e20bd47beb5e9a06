//===- VerifyTiledRDNA3.cpp - what Codegen expects of a GPU's kernel ------===//
//
// The contract between Tile and Codegen for RDNA3. Private memory is refused and
// not lowered: it would be scratch, in the card's memory, and a kernel that needs
// it has been tiled wrongly.
//
//===----------------------------------------------------------------------===//

#include "TiledKernel.h"

#include "Tiny/Codegen/Passes.h"
#include "Tiny/IR/KernelAttributes.h"

#include "mlir/Dialect/AMDGPU/IR/AMDGPUDialect.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_VERIFYTILEDRDNA3PASS
#include "Tiny/Codegen/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

static bool isAllowed(Operation *op) {
  if (isa<memref::CopyOp>(op)) // whose copy, of which lane?
    return false;
  if (auto id = dyn_cast<gpu::ThreadIdOp>(op))
    return id.getDimension() == gpu::Dimension::x;
  return isAllowedInTiledKernel(op) ||
         isa<gpu::BarrierOp, gpu::ShuffleOp, LLVM::CallIntrinsicOp, LLVM::InlineAsmOp>(op) ||
         isa<amdgpu::AMDGPUDialect, ROCDL::ROCDLDialect>(op->getDialect());
}

namespace {
struct VerifyTiledRDNA3Pass : tiny::impl::VerifyTiledRDNA3PassBase<VerifyTiledRDNA3Pass> {
  using VerifyTiledRDNA3PassBase::VerifyTiledRDNA3PassBase;

  LogicalResult verifyAttributes(func::FuncOp kernel) {
    auto lanes = kernel->getAttrOfType<IntegerAttr>(kBlockAttrName);
    if (!lanes)
      return kernel.emitOpError("has no '") << kBlockAttrName << "', the lanes of a workgroup";
    if (lanes.getInt() < waveSize || lanes.getInt() > maxLanes || lanes.getInt() % waveSize != 0)
      return kernel.emitOpError("has ")
             << lanes.getInt() << " lanes in a workgroup; it must be a multiple of "
             << waveSize.getValue() << " up to " << maxLanes.getValue();
    auto mode = kernel->getAttrOfType<StringAttr>(kModeAttrName);
    if (kernel->hasAttr(kModeAttrName) && (!mode || (mode != "cu" && mode != "wgp")))
      return kernel.emitOpError("has the mode ")
             << kernel->getAttr(kModeAttrName) << "; there are \"cu\" and \"wgp\"";
    auto waves = kernel->getAttrOfType<IntegerAttr>(kWavesAttrName);
    if (kernel->hasAttr(kWavesAttrName) && (!waves || waves.getInt() < 1 || waves.getInt() > 16))
      return kernel.emitOpError("shall leave room for ")
             << kernel->getAttr(kWavesAttrName) << " waves per SIMD; a SIMD has 1 to 16";
    return success();
  }

  LogicalResult verifyLocals(func::FuncOp kernel) {
    int64_t bytes = 0;
    WalkResult walk = kernel.walk([&](memref::AllocaOp op) -> WalkResult {
      if (!gpu::GPUDialect::isWorkgroupMemoryAddressSpace(op.getType().getMemorySpace()))
        return op.emitOpError("is private memory, which RDNA3 kernels have none of; that of a "
                              "workgroup is in #gpu.address_space<workgroup>");
      if (op->getParentOp() != kernel)
        return op.emitOpError("is not at the top of its kernel, where memory of a workgroup is");
      FailureOr<int64_t> size = staticBytes(op);
      if (failed(size))
        return failure();
      bytes += *size;
      return success();
    });
    if (walk.wasInterrupted())
      return failure();
    if (bytes > maxLocalBytes)
      return kernel.emitOpError("has ") << bytes << " bytes of local memory; a workgroup has "
                                        << maxLocalBytes.getValue() << " at most";
    return success();
  }

  void runOnOperation() override {
    markAllAnalysesPreserved();
    constexpr StringLiteral allowed =
        "scf, vector, arith, math, memref, affine.apply, ub, gpu.thread_id x, gpu.barrier, "
        "gpu.shuffle, amdgpu, rocdl, LLVM intrinsics and inline assembly, without allocations on "
        "the heap and copies of memory";
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttr("tiny.kernel") &&
          (failed(verifyTiledSignature(function)) || failed(verifyAttributes(function)) ||
           failed(verifyTiledOps(function, isAllowed, allowed)) || failed(verifyLocals(function))))
        return signalPassFailure();
    if (failed(verifyTiledLaunches(getOperation())))
      signalPassFailure();
  }
};
} // namespace
