//===- ContractCPU.cpp - sums of products through panels ------------------===//
//
// What decides is in the tiling; here it is carried out. Each nest becomes a loop over
// its workgroups, which use the same bytes of the stack, since no two of them are ever in
// one call.
//
//===----------------------------------------------------------------------===//

#include "NestEmitter.h"
#include "PanelEmitter.h"
#include "Tiny/IR/FoldOperations.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_CONTRACTCPUPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

/// Of what a workgroup keeps: a line of the cache.
static constexpr int64_t alignment = 64;

/// Loops without register tiles or vectors.
static TilingAttr asItStands(const KernelNest &nest) {
  ArrayRef<int64_t> sizes = nest.sizes;
  SmallVector<int64_t> unroll(sizes.size(), 1);
  return TilingAttr::get(nest.loc().getContext(), sizes.take_front(nest.numParallel),
                         /*vectorDim=*/-1, /*vectorWidth=*/1, unroll,
                         llvm::to_vector(llvm::seq<int64_t>(sizes.size())));
}

namespace {
struct ContractCPUPass : tiny::impl::ContractCPUPassBase<ContractCPUPass> {
  using ContractCPUPassBase::ContractCPUPassBase;

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

    std::vector<std::pair<KernelNest *, PanelPlan>> contractions;
    SmallVector<Attribute> others;
    int64_t bytes = 0;
    for (auto [nest, tiling] : llvm::zip(kernel->nests, *tilings)) {
      if (!tiling.panels) {
        others.push_back(tiling.attribute);
        continue;
      }
      if (!ContractionNest::getForCPU(nest)) {
        // Bufferisation tidied up, and a factor turned out to be a constant.
        others.push_back(asItStands(nest));
        continue;
      }
      std::optional<PanelTiling> panels = PanelTiling::get(tiling.panels);
      std::optional<PanelPlan> plan;
      if (panels)
        plan = PanelPlan::get(nest, *panels);
      if (!plan || nest.reduction->getParentOp() != function) {
        nest.epilogue.emitOpError() << "is no contraction that " << tiling.attribute << " fits";
        return signalPassFailure();
      }
      bytes = std::max(bytes, plan->localBytes());
      contractions.push_back({&nest, std::move(*plan)});
    }
    function->setAttr(tilingAttrName, ArrayAttr::get(&getContext(), others));
    if (contractions.empty())
      return;

    llvm::DenseMap<Value, Value> flat = flattenBuffers(function);
    OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
    Value memory = memref::AllocaOp::create(builder, function.getLoc(),
                                            MemRefType::get({bytes}, builder.getI8Type()),
                                            builder.getI64IntegerAttr(alignment));
    for (auto &[nest, plan] : contractions)
      emit(*nest, plan, memory, flat);
    for (auto &[nest, plan] : contractions)
      eraseNest(*nest);

    foldOperations(function);
    OpPassManager cleanup(func::FuncOp::getOperationName());
    addCleanup(cleanup);
    if (failed(runPipeline(cleanup, function)))
      return signalPassFailure();
  }

  /// One workgroup per batch, rows and columns of a tile.
  void emit(const KernelNest &nest, const PanelPlan &plan, Value memory,
            const llvm::DenseMap<Value, Value> &flat) {
    OpBuilder builder(nest.epilogue);
    SmallVector<OpFoldResult> counts;
    for (int64_t count :
         {plan.what.batchExtent, llvm::divideCeilSigned(plan.what.rows.extent, plan.rowTile),
          llvm::divideCeilSigned(plan.what.columns.extent, plan.columnTile)})
      counts.push_back(builder.getIndexAttr(count));
    auto forall =
        scf::ForallOp::create(builder, nest.loc(), counts, ValueRange(), /*mapping=*/std::nullopt);
    builder.setInsertionPointToStart(forall.getBody());
    EmissionContext context{nest,
                            static_cast<int64_t>(plan.what.columns.loops.back()),
                            llvm::to_vector(llvm::seq<int64_t>(nest.numLoops())),
                            hasFma,
                            flat,
                            /*simt=*/false,
                            maskedBits};
    PanelEmitter(builder, context, plan, memory, forall.getInductionVar(0),
                 forall.getInductionVar(1), forall.getInductionVar(2))
        .emit();
  }
};
} // namespace
