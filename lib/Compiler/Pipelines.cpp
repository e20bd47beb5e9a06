//===- Pipelines.cpp - every pipeline of the compiler, in order -----------===//

#include "Tiny/Compiler/Pipelines.h"

#include "Tiny/Codegen/Passes.h"
#include "Tiny/Compiler/GPU.h"
#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Schedule/Passes.h"
#include "Tiny/Schedule/Report.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Dialect/Vector/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::tiny;

/// Of f16 and bf16 weights that a CPU keeps in f32: what the last cache of a small one holds.
static constexpr int64_t mostWideBytes = 16 << 20;

void CPUPipelineOptions::setTarget(const Target &target) {
  vectorBits = target.vectorBits;
  numVectorRegisters = target.numVectorRegisters;
  l1Bytes = target.caches.l1Bytes;
  l2Bytes = target.caches.l2Bytes;
  l3Bytes = target.caches.l3Bytes;
  nativeFMA = target.hasFMA;
  nativeF16 = target.hasF16Conversion;
  nativeScaling = target.hasFloatScaling;
  maskedBits = target.maskedBits;
  pairInstructions = target.pairInstructions;
  byteProducts = target.hasByteProducts;
  halvesVectors = target.halvesVectors;
  matrixUnit = target.hasMatrixUnit;
}

void RDNA3PipelineOptions::setTarget(const Target &target) {
  chip = target.name == "gfx1102"   ? RDNA3Chip::gfx1102
         : target.name == "gfx1101" ? RDNA3Chip::gfx1101
                                    : RDNA3Chip::gfx1100;
}

const Target &RDNA3PipelineOptions::target() const {
  static constexpr StringLiteral names[] = {"gfx1100", "gfx1101", "gfx1102"};
  return *findTarget(names[static_cast<size_t>(chip.getValue())]);
}

void mlir::tiny::buildSchedulePipeline(OpPassManager &pm, const std::string &entry, bool verify,
                                       const Target *gpu, NarrowProducts products) {
  // Movement of movement, constants, equal expressions: what is gone now needs no kernel.
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());

  // Before scales and weights become one: products of quantised factors are of integers.
  if (products.integers)
    pm.addPass(createFormIntegerSumsPass({entry}));

  // What depends on weights only is computed here, once, and not in every run.
  FoldConstantsPassOptions fold;
  fold.entry = entry;
  if (!gpu)
    fold.wideLimit = mostWideBytes;
  pm.addPass(createFoldConstantsPass(fold));
  // Now that weights and factors are constants: a factor of a sum becomes part of its weights.
  pm.addPass(createFoldScalesPass({entry}));

  // Matrix units multiply narrow types, and so may a CPU.
  if (gpu || products.bf16)
    pm.addPass(createSinkCastsPass({entry}));

  FormKernelsPassOptions kernels;
  kernels.entry = entry;
  if (gpu) {
    // Half of the memory of a workgroup: so that a unit has two of them at the same time.
    kernels.localBytes = gpu->units.ldsBytes / 2;
    kernels.parallelUnits = gpu->units.count;
    if (gpu->hasMatrixUnit)
      kernels.matrixRows = 64;
  }
  pm.addPass(createFormKernelsPass(kernels));
  // Before anything is spent on a kernel: equal ones are tiled, lowered and compiled once.
  pm.addPass(createShareKernelsPass());
  PlanMemoryPassOptions memory;
  memory.entry = entry;
  pm.addPass(createPlanMemoryPass(memory));
  if (verify)
    pm.addPass(createVerifyScheduledPass({entry}));
}

void mlir::tiny::buildNestsPipelineCPU(OpPassManager &pm, const CPUPipelineOptions &options) {
  DecomposeOnlineReductionsPassOptions online;
  online.blockBytes = options.l2Bytes / 8;
  pm.addNestedPass<func::FuncOp>(createDecomposeOnlineReductionsPass(online));
}

/// What both the choice of tilings and the order of constants go by.
template <typename PassOptions> static PassOptions panelOptions(const CPUPipelineOptions &options) {
  PassOptions result;
  result.vectorBits = options.vectorBits;
  result.numVectorRegisters = options.numVectorRegisters;
  result.l1Bytes = options.l1Bytes;
  result.l2Bytes = options.l2Bytes;
  result.maxLocalBytes = options.maxStackBytes;
  result.pairInstructions = options.pairInstructions;
  result.byteProducts = options.byteProducts;
  result.halvesVectors = options.halvesVectors;
  result.bf16Products = options.bf16Products;
  result.matrixUnit = options.matrixUnit;
  return result;
}

SelectTilingCPUPassOptions mlir::tiny::selectTilingOptions(const CPUPipelineOptions &options) {
  return panelOptions<SelectTilingCPUPassOptions>(options);
}

void mlir::tiny::buildArrangePipelineCPU(OpPassManager &pm, const CPUPipelineOptions &options) {
  pm.addPass(createArrangePanelsPass(panelOptions<ArrangePanelsPassOptions>(options)));
}

void mlir::tiny::buildTilePipelineCPU(OpPassManager &pm, const CPUPipelineOptions &options) {
  // Before anything else looks at the kernels: it changes how they read constants.
  buildArrangePipelineCPU(pm, options);
  // Everything is nests from here on.
  buildNestsPipelineCPU(pm, options);
  // A choice, and nothing but a choice: a table or a search may make it instead.
  pm.addNestedPass<func::FuncOp>(createSelectTilingCPUPass(selectTilingOptions(options)));
  // Cut into workgroups while the kernel is still functional: slices are exact.
  pm.addNestedPass<func::FuncOp>(createFormWorkgroupsPass());
  // Addresses exist from here on, and the loops are emitted on them.
  pm.addNestedPass<func::FuncOp>(createBufferizeKernelsPass());
  // Sums of products that are worth it go through panels; then all nests that are left.
  pm.addNestedPass<func::FuncOp>(createContractCPUPass({options.nativeFMA, options.maskedBits}));
  pm.addNestedPass<func::FuncOp>(
      createVectorizeLoopsPass({options.nativeFMA, options.maskedBits, options.l3Bytes}));
  // Last, because it needs the launches too, and all functions at once.
  pm.addPass(createMapGridPass());
}

void mlir::tiny::buildTilePipelineAffine(OpPassManager &pm, const CPUPipelineOptions &options) {
  // No tiling, and no buffers that another pass makes: one step.
  pm.addNestedPass<func::FuncOp>(createLowerToAffinePass());
}

void mlir::tiny::buildSequentialPipeline(OpPassManager &pm, const CPUPipelineOptions &options) {
  // A workgroup is one thread. Its parallel loops run in order then, and share the locals of an
  // iteration, which would else be allocated in each anew: a stack shrinks at the end only.
  pm.addNestedPass<func::FuncOp>(createLowerAffinePass());
  pm.addNestedPass<func::FuncOp>(createParallelForToNestedForsPass());
  pm.addNestedPass<func::FuncOp>(bufferization::createBufferLoopHoistingPass());
  pm.addPass(createMapGridPass());
}

void mlir::tiny::buildCodegenPipelineCPU(OpPassManager &pm, const CPUPipelineOptions &options) {
  if (options.verify)
    pm.addPass(createVerifyTiledPass({options.maxStackBytes}));

  // What only the launches know, before the host function goes. From then on a module is what one
  // thread works on.
  pm.addPass(createAnnotateAliasesPass());
  pm.addPass(createPartitionKernelsPass({options.parts}));
  OpPassManager &part = pm.nest<ModuleOp>();

  // Vectors as LLVM has them: of rank 1.
  part.addNestedPass<func::FuncOp>(vector::createLowerVectorMultiReductionPass(
      vector::VectorMultiReductionLowering::InnerReduction));
  part.addNestedPass<func::FuncOp>(
      createConvertVectorToSCFPass(VectorTransferToSCFOptions().enableFullUnroll()));

  // Arithmetic that LLVM would get wrong or leave to a library. Conversions come last, since the
  // functions before them may make some.
  part.addNestedPass<func::FuncOp>(createExpandReductionsPass());
  part.addPass(
      createExpandMathPass({options.nativeFMA, /*nativeF32=*/false, options.nativeScaling}));
  part.addNestedPass<func::FuncOp>(createExpandConversionsPass({options.nativeF16}));

  // Addresses as arithmetic; subviews become such arithmetic first. Tidied before control flow
  // turns into blocks, where values of equal expressions are harder to see.
  part.addPass(memref::createExpandStridedMetadataPass());
  part.addPass(createLowerAffinePass());
  part.addPass(createCanonicalizerPass());
  part.addPass(createCSEPass());
  part.addPass(createSCFToControlFlowPass());

  part.addPass(createLowerToLLVMPass());
  part.addPass(createCanonicalizerPass()); // folds the descriptors that are left inside functions
  part.addPass(createEmitEntryPointsPass());
  if (options.verify)
    part.addPass(createVerifyLoweredPass());
}

void mlir::tiny::buildArrangePipelineRDNA3(OpPassManager &pm, const RDNA3PipelineOptions &options) {
  pm.addPass(createArrangeConstantsPass({std::string(options.target().name)}));
}

void mlir::tiny::buildNestsPipelineRDNA3(OpPassManager &pm, const RDNA3PipelineOptions &options) {
  // A block of a row is a vector of each lane of a workgroup.
  DecomposeOnlineReductionsPassOptions online;
  online.blockBytes = options.target().units.ldsBytes / 64;
  pm.addNestedPass<func::FuncOp>(createDecomposeOnlineReductionsPass(online));
  // Before any choice, which depends on how many locals fit.
  pm.addNestedPass<func::FuncOp>(createShrinkLocalsPass());
}

void mlir::tiny::buildTilePipelineRDNA3(OpPassManager &pm, const RDNA3PipelineOptions &options) {
  const Target &target = options.target();
  // Before anything else looks at the kernels: it changes how they read constants.
  buildArrangePipelineRDNA3(pm, options);
  // Everything is nests from here on.
  buildNestsPipelineRDNA3(pm, options);
  // A choice, and nothing but a choice: a table or a search may make it instead.
  pm.addNestedPass<func::FuncOp>(createSelectTilingRDNA3Pass({std::string(target.name)}));
  // Nests that locals connect get their workgroups while the kernel is still functional.
  pm.addNestedPass<func::FuncOp>(createFormWorkgroupsPass());
  // Addresses exist from here on. What a workgroup keeps is in LDS.
  pm.addNestedPass<func::FuncOp>(createBufferizeKernelsPass({"workgroup"}));
  // Sums of products that are worth it go through LDS.
  ContractRDNA3PassOptions contract;
  contract.waveSize = target.units.waveSize;
  contract.maxLocalBytes = target.units.ldsBytes;
  pm.addNestedPass<func::FuncOp>(createContractRDNA3Pass(contract));
  // All loops that are left become the lanes', and those of nests alone the workgroups' too.
  DistributeLoopsPassOptions distribute;
  distribute.hasFma = target.hasFMA;
  distribute.waveSize = target.units.waveSize;
  distribute.maxLocalBytes = target.units.ldsBytes;
  pm.addNestedPass<func::FuncOp>(createDistributeLoopsPass(distribute));
  // Last, because it needs the launches too, and all functions at once.
  pm.addPass(createMapGridPass());
}

void mlir::tiny::buildCodegenPipelineRDNA3(OpPassManager &pm, const RDNA3PipelineOptions &options) {
  const Target &target = options.target();
  if (options.verify) {
    VerifyTiledRDNA3PassOptions tiled;
    tiled.maxLocalBytes = target.units.ldsBytes;
    tiled.waveSize = target.units.waveSize;
    pm.addPass(createVerifyTiledRDNA3Pass(tiled));
  }

  // What only the launches know, before the host function goes. From then on a module is what one
  // thread works on.
  pm.addPass(createAnnotateAliasesPass());
  pm.addPass(createBindGridPass());
  pm.addPass(createPartitionKernelsPass({options.parts}));
  OpPassManager &part = pm.nest<ModuleOp>();

  // Vectors as LLVM has them, and arithmetic that it would get wrong, as for a CPU.
  part.addNestedPass<func::FuncOp>(vector::createLowerVectorMultiReductionPass(
      vector::VectorMultiReductionLowering::InnerReduction));
  part.addNestedPass<func::FuncOp>(
      createConvertVectorToSCFPass(VectorTransferToSCFOptions().enableFullUnroll()));
  part.addNestedPass<func::FuncOp>(createExpandReductionsPass());
  part.addPass(createExpandMathPass({target.hasFMA, /*nativeF32=*/true}));
  part.addNestedPass<func::FuncOp>(createExpandConversionsPass({target.hasF16Conversion}));

  // Addresses as arithmetic, tidied before control flow turns into blocks.
  part.addPass(memref::createExpandStridedMetadataPass());
  part.addPass(createLowerAffinePass());
  part.addPass(createCanonicalizerPass());
  part.addPass(createCSEPass());
  part.addPass(createSCFToControlFlowPass());

  part.addPass(createLowerToROCDLPass({std::string(target.name)}));
  part.addPass(createCanonicalizerPass()); // folds the descriptors that are left inside functions
  part.addPass(createCSEPass());
  if (options.verify)
    part.addPass(createVerifyLoweredPass({/*gpu=*/true}));
}

namespace {
/// Schedules a program, unless that is done: a report is asked for at any stage.
struct ScheduleOncePass : public PassWrapper<ScheduleOncePass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ScheduleOncePass)
  ScheduleOncePass(StringRef entry, const Target *gpu) : entry(entry), gpu(gpu) {}

  StringRef getName() const override { return "ScheduleOnce"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    OpPassManager pipeline(ModuleOp::getOperationName());
    build(pipeline);
    pipeline.getDependentDialects(registry);
  }
  void runOnOperation() override {
    auto function = getOperation().lookupSymbol<func::FuncOp>(entry);
    if (function && !function.isExternal() && !function.getBody().getOps<LaunchOp>().empty() &&
        function->hasAttr("tiny.workspace_bytes"))
      return;
    OpPassManager pipeline(ModuleOp::getOperationName());
    build(pipeline);
    if (failed(runPipeline(pipeline, getOperation())))
      signalPassFailure();
  }
  void build(OpPassManager &pipeline) const {
    buildSchedulePipeline(pipeline, entry, /*verify=*/true, gpu);
  }
  std::string entry;
  const Target *gpu; // null for CPUs
};
} // namespace

void mlir::tiny::buildReportPipeline(OpPassManager &pm, StringRef entry, StringRef format,
                                     StringRef target, raw_ostream &os) {
  pm.addPass(std::make_unique<ScheduleOncePass>(entry, findGPU(target)));
  pm.addPass(createReportPass(entry, format, target, os));
}

void mlir::tiny::registerTinyPipelines() {
  PassPipelineRegistration<CPUPipelineOptions>(
      "tiny-schedule", "Turn a program into kernels and a list of launches",
      [](OpPassManager &pm, const CPUPipelineOptions &options) {
        buildSchedulePipeline(pm, options.entry, options.verify, /*gpu=*/nullptr,
                              options.products());
      });
  PassPipelineRegistration<CPUPipelineOptions>(
      "tiny-tile-cpu", "Turn kernels on tensors into loops on vectors", buildTilePipelineCPU);
  PassPipelineRegistration<CPUPipelineOptions>(
      "tiny-to-affine",
      "Turn a program into kernels of affine loops (affine.parallel, affine.for, affine.if) and a "
      "list of launches",
      [](OpPassManager &pm, const CPUPipelineOptions &options) {
        buildSchedulePipeline(pm, options.entry, options.verify, /*gpu=*/nullptr,
                              options.products());
        buildTilePipelineAffine(pm, options);
      });
  PassPipelineRegistration<CPUPipelineOptions>(
      "tiny-tile-sequential",
      "Make kernels of affine loops what tiny-codegen-cpu takes: one workgroup each",
      buildSequentialPipeline);
  PassPipelineRegistration<CPUPipelineOptions>(
      "tiny-codegen-cpu", "Lower tiled kernels to the llvm dialect", buildCodegenPipelineCPU);
  PassPipelineRegistration<CPUPipelineOptions>(
      "tiny-cpu", "Compile a program to the llvm dialect, for a CPU",
      [](OpPassManager &pm, const CPUPipelineOptions &options) {
        buildSchedulePipeline(pm, options.entry, options.verify, /*gpu=*/nullptr,
                              options.products());
        buildTilePipelineCPU(pm, options);
        buildCodegenPipelineCPU(pm, options);
      });
  PassPipelineRegistration<RDNA3PipelineOptions>(
      "tiny-tile-rdna3", "Turn kernels on tensors into what each lane of a GPU does",
      buildTilePipelineRDNA3);
  PassPipelineRegistration<RDNA3PipelineOptions>(
      "tiny-codegen-rdna3", "Lower tiled kernels to the llvm and rocdl dialects",
      buildCodegenPipelineRDNA3);
  PassPipelineRegistration<RDNA3PipelineOptions>(
      "tiny-rdna3", "Compile a program to the llvm and rocdl dialects, for an RDNA3 GPU",
      [](OpPassManager &pm, const RDNA3PipelineOptions &options) {
        buildSchedulePipeline(pm, options.entry, options.verify, &options.target());
        buildTilePipelineRDNA3(pm, options);
        buildCodegenPipelineRDNA3(pm, options);
      });
}
