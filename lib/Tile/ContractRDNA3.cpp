//===- ContractRDNA3.cpp - sums of products through LDS -------------------===//
//
// A product of two tiles reads each element of one as often as the other one has rows
// or columns. So a workgroup brings both to LDS once, and its waves to registers from
// there: by 16 elements along the depth for WMMA, by one for multiply-adds, which the
// backend pairs. What decides is in the tiling; here it is carried out.
//
//===----------------------------------------------------------------------===//

#include "ContractionEmitter.h"
#include "NestEmitter.h"
#include "Tiny/IR/KernelAttributes.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/AMDGPU/IR/AMDGPUDialect.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_CONTRACTRDNA3PASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

namespace {
struct ContractRDNA3Pass : tiny::impl::ContractRDNA3PassBase<ContractRDNA3Pass> {
  using ContractRDNA3PassBase::ContractRDNA3PassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(kernelAttrName))
      return;
    FailureOr<KernelNests> kernel = KernelNests::get(function);
    if (failed(kernel))
      return signalPassFailure();
    FailureOr<SmallVector<NestTiling>> tilings = kernel->tilings(function);
    if (failed(tilings))
      return signalPassFailure();

    std::vector<std::pair<KernelNest *, ContractionPlan>> contractions;
    SmallVector<Attribute> others;
    int64_t words = 0, lanes = 0;
    if (auto known = function->getAttrOfType<IntegerAttr>(kBlockAttrName))
      lanes = known.getInt();
    auto mode = WorkgroupMode::cu;
    // Those that share a workgroup with other nests have their turn among them.
    for (auto [nest, tiling, alone] : llvm::zip(kernel->nests, *tilings, kernel->alone())) {
      if (!tiling.gpu || tiling.gpu.getContract() == Contraction::none || !alone) {
        others.push_back(tiling.attribute);
        continue;
      }
      std::optional<ContractionPlan> plan = ContractionPlan::get(nest, tiling.gpu, waveSize);
      if (!plan) {
        nest.reduction.emitOpError() << "is no contraction that " << tiling.attribute << " fits";
        return signalPassFailure();
      }
      words = std::max(words, plan->ldsWords());
      lanes = std::max(lanes, plan->numLanes);
      mode = std::max(mode, tiling.gpu.getMode());
      contractions.push_back({&nest, std::move(*plan)});
    }
    if (contractions.empty())
      return;
    if (words * 4 > maxLocalBytes) {
      function.emitOpError() << "needs " << words * 4
                             << " bytes of LDS for its contractions; there "
                             << "are " << maxLocalBytes.getValue();
      return signalPassFailure();
    }

    llvm::DenseMap<Value, Value> flat = flattenBuffers(function);
    // Contractions side by side are different workgroups: they use the same words.
    OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
    auto space = gpu::AddressSpaceAttr::get(&getContext(), gpu::AddressSpace::Workgroup);
    auto type = MemRefType::get({words}, builder.getI32Type(), MemRefLayoutAttrInterface(), space);
    Value lds = memref::AllocaOp::create(builder, function.getLoc(), type,
                                         builder.getI64IntegerAttr(accessBytes));
    Value lane = gpu::ThreadIdOp::create(builder, function.getLoc(), gpu::Dimension::x);
    for (auto &[nest, plan] : contractions)
      emit(*nest, plan, lanes, lane, lds, flat);
    for (auto &[nest, plan] : contractions)
      eraseNest(*nest);
    function->setAttr(tilingAttrName, ArrayAttr::get(&getContext(), others));
    function->setAttr(kBlockAttrName, builder.getI64IntegerAttr(lanes));
    function->setAttr(kModeAttrName, builder.getStringAttr(stringifyWorkgroupMode(mode)));

    OpPassManager cleanup(func::FuncOp::getOperationName());
    addCleanup(cleanup);
    if (failed(runPipeline(cleanup, function)))
      return signalPassFailure();
  }

  /// One workgroup per batch, rows and columns of a tile. What `block` lanes it has too many wait
  /// at no barrier: they have ended.
  void emit(const KernelNest &nest, const ContractionPlan &plan, int64_t block, Value lane,
            Value lds, const llvm::DenseMap<Value, Value> &flat) {
    OpBuilder builder(nest.epilogue);
    SmallVector<OpFoldResult> counts;
    for (int64_t count : plan.numTiles())
      counts.push_back(builder.getIndexAttr(count));
    auto forall =
        scf::ForallOp::create(builder, nest.loc(), counts, ValueRange(), /*mapping=*/std::nullopt);
    builder.setInsertionPointToStart(forall.getBody());
    if (block > plan.numLanes) {
      Value takesPart = arith::CmpIOp::create(builder, nest.loc(), arith::CmpIPredicate::ult, lane,
                                              indexConstant(builder, nest.loc(), plan.numLanes));
      auto branch = scf::IfOp::create(builder, nest.loc(), takesPart, /*withElseRegion=*/false);
      builder.setInsertionPointToStart(branch.thenBlock());
    }
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(nest.numLoops()));
    EmissionContext context{nest,         plan.storeLoop(nest), order, /*hasFma=*/true, flat,
                            /*simt=*/true};
    ContractionEmitter(builder, context, plan, lane, forall.getInductionVar(0),
                       forall.getInductionVar(1), forall.getInductionVar(2), lds)
        .emit();
  }
};
} // namespace
