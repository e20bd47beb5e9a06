//===- LowerToROCDL.cpp - kernels to the llvm and rocdl dialects ----------===//
//
// Upstream's pass for this direction calls a device library for functions that LLVM
// has instructions for, and takes gpu.module. So this is a pass of our own around
// upstream's patterns: all of them at once, because address spaces and the width of
// an index are decided by the one type converter that they share.
//
//===----------------------------------------------------------------------===//

#include "BufferAddress.h"
#include "SimplifyVectors.h"

#include "Tiny/Codegen/Passes.h"
#include "Tiny/IR/KernelAttributes.h"
#include "Tiny/IR/TinyDialect.h"

#include "mlir/Conversion/AMDGPUToROCDL/AMDGPUToROCDL.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/GPUToROCDL/GPUToROCDLPass.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_LOWERTOROCDLPASS
#include "Tiny/Codegen/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// `type` in the global address space if it says nothing of one.
static Type inGlobalSpace(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref || memref.getMemorySpace())
    return type;
  auto space = gpu::AddressSpaceAttr::get(type.getContext(), gpu::AddressSpace::Global);
  return MemRefType::get(memref.getShape(), memref.getElementType(), memref.getLayout(), space);
}

/// Puts every buffer of `kernel` that has no address space into the global one.
static void placeBuffers(func::FuncOp kernel) {
  kernel.walk([](Operation *op) {
    for (Value result : op->getResults())
      result.setType(inGlobalSpace(result.getType()));
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Value argument : block.getArguments())
          argument.setType(inGlobalSpace(argument.getType()));
  });
  auto arguments = llvm::map_to_vector(kernel.getArgumentTypes(), inGlobalSpace);
  kernel.setType(FunctionType::get(kernel.getContext(), arguments, {}));
}

/// Memory of a workgroup has an address before the kernel runs: it is a global without a value.
static void makeLocalsGlobal(func::FuncOp kernel) {
  IRRewriter rewriter(kernel.getContext());
  unsigned number = 0;
  kernel.walk([&](memref::AllocaOp op) {
    std::string name = (kernel.getName() + "_local_" + Twine(number++)).str();
    rewriter.setInsertionPoint(kernel);
    memref::GlobalOp::create(rewriter, op.getLoc(), name, rewriter.getStringAttr("private"),
                             op.getType(), rewriter.getUnitAttr(), /*constant=*/false,
                             op.getAlignmentAttr());
    rewriter.setInsertionPoint(op);
    rewriter.replaceOpWithNewOp<memref::GetGlobalOp>(op, op.getType(), name);
  });
}

/// Whether 32 bits hold every index of `kernel`, and what is compared with one. Numbers from data
/// may be any: they are tested as indices, which must not cut them.
static bool fitsIn32Bits(func::FuncOp kernel) {
  auto isShort = [](Type type) {
    auto memref = dyn_cast<MemRefType>(type);
    return !memref || memref.getNumElements() <=
                          INT32_MAX / std::max<int64_t>(memref.getElementTypeBitWidth() / 8, 1);
  };
  WalkResult walk = kernel.walk([&](Operation *op) {
    bool fits = llvm::all_of(op->getResultTypes(), isShort);
    auto width = [&] { return getElementTypeOrSelf(op->getOperand(0)).getIntOrFloatBitWidth(); };
    if (isa<arith::IndexCastOp>(op) && getElementTypeOrSelf(op->getResult(0)).isIndex())
      fits &= width() <= 32;
    else if (isa<arith::IndexCastUIOp>(op) && getElementTypeOrSelf(op->getResult(0)).isIndex())
      fits &= width() < 32;
    else if (auto id = dyn_cast<gpu::BlockIdOp>(op))
      fits &= id.getUpperBound() && id.getUpperBound()->getSExtValue() <= INT32_MAX;
    return fits ? WalkResult::advance() : WalkResult::interrupt();
  });
  return !walk.wasInterrupted() && llvm::all_of(kernel.getArgumentTypes(), isShort);
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// What LLVM has to know of `kernel`, from what Tile says of it.
static void annotateKernel(LLVM::LLVMFuncOp kernel) {
  Builder b(kernel.getContext());
  auto lanes = static_cast<int32_t>(kernel->getAttrOfType<IntegerAttr>(kBlockAttrName).getInt());
  std::string range = std::to_string(lanes) + "," + std::to_string(lanes);
  kernel->setAttr("rocdl.kernel", b.getUnitAttr());
  kernel->setAttr("rocdl.flat_work_group_size", b.getStringAttr(range));
  kernel->setAttr("rocdl.reqd_work_group_size", b.getDenseI32ArrayAttr({lanes, 1, 1}));
  kernel->setAttr("rocdl.uniform_work_group_size", b.getBoolAttr(true));
  if (auto waves = kernel->getAttrOfType<IntegerAttr>(kWavesAttrName))
    kernel->setAttr("rocdl.waves_per_eu", b.getI32IntegerAttr(waves.getInt()));
  auto mode = kernel->getAttrOfType<StringAttr>(kModeAttrName);
  if (mode && mode == "cu")
    kernel.setTargetFeaturesAttr(
        LLVM::TargetFeaturesAttr::get(kernel.getContext(), ArrayRef<StringRef>{"+cumode"}));
  SmallVector<Attribute> denormals;
  for (StringRef name : {"denormal-fp-math", "denormal-fp-math-f32"})
    denormals.push_back(b.getStrArrayAttr({name, "ieee,ieee"}));
  kernel.setPassthroughAttr(b.getArrayAttr(denormals));
  kernel.setVisibility_(LLVM::Visibility::Protected);
  for (StringRef name : {"tiny.kernel", kBlockAttrName.data(), kModeAttrName.data(),
                         kWavesAttrName.data(), kRegisterHalvingsAttrName.data()})
    kernel->removeAttr(name);
}

namespace {
struct LowerToROCDLPass : tiny::impl::LowerToROCDLPassBase<LowerToROCDLPass> {
  using LowerToROCDLPassBase::LowerToROCDLPassBase;

  LogicalResult convert(ArrayRef<Operation *> ops, unsigned indexBits, amdgpu::Chipset chipset) {
    LowerToLLVMOptions options(&getContext());
    options.useBarePtrCallConv = true;
    options.overrideIndexBitwidth(indexBits);
    LLVMTypeConverter converter(&getContext(), options);
    amdgpu::populateCommonGPUTypeAndAttributeConversions(converter);

    RewritePatternSet patterns(&getContext());
    populateBufferAccessPatterns(converter, patterns, /*benefit=*/10);
    // Before those of the next line, which call a device library.
    populateMathToLLVMConversionPatterns(converter, patterns, /*approximateLog1p=*/false,
                                         /*benefit=*/10);
    populateGpuToROCDLConversionPatterns(converter, patterns, gpu::amd::Runtime::Unknown, chipset);
    populateAMDGPUToROCDLConversionPatterns(converter, patterns, chipset);
    populateVectorToLLVMConversionPatterns(converter, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    populateFuncToLLVMConversionPatterns(converter, patterns);
    ub::populateUBToLLVMConversionPatterns(converter, patterns);

    LLVMConversionTarget target(getContext());
    target.addLegalDialect<ROCDL::ROCDLDialect>();
    return applyFullConversion(ops, target, std::move(patterns));
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<amdgpu::Chipset> chipset = amdgpu::Chipset::parse(chip);
    if (failed(chipset)) {
      module.emitError("'") << chip.getValue() << "' is no chip of AMD";
      return signalPassFailure();
    }
    for (auto kernel : module.getOps<func::FuncOp>()) {
      makeLocalsGlobal(kernel);
      placeBuffers(kernel);
      simplifyVectors(kernel);
    }
    SmallVector<Operation *> shortOnes, longOnes;
    for (auto global : module.getOps<memref::GlobalOp>()) {
      global.setType(cast<MemRefType>(inGlobalSpace(global.getType())));
      shortOnes.push_back(global);
    }
    for (auto kernel : module.getOps<func::FuncOp>())
      (fitsIn32Bits(kernel) ? shortOnes : longOnes).push_back(kernel);
    if (failed(convert(shortOnes, 32, *chipset)) || failed(convert(longOnes, 64, *chipset)))
      return signalPassFailure();
    for (auto function : module.getOps<LLVM::LLVMFuncOp>())
      if (function->hasAttr("tiny.kernel"))
        annotateKernel(function);
  }
};
} // namespace
