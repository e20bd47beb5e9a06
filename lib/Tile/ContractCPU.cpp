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
#include "Tiny/IR/KernelAttributes.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
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

    struct Contraction {
      KernelNest *nest;
      PanelPlan plan;
      bool isInGroup;
    };
    std::vector<Contraction> contractions;
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
      bool isInGroup = panels && !panels->grid.empty();
      if (!plan || (!isInGroup && nest.reduction->getParentOp() != function)) {
        nest.epilogue.emitOpError() << "is no contraction that " << tiling.attribute << " fits";
        return signalPassFailure();
      }
      bytes = std::max(bytes, plan->localBytes());
      contractions.push_back({&nest, std::move(*plan), isInGroup});
    }
    function->setAttr(tilingAttrName, ArrayAttr::get(&getContext(), others));
    if (contractions.empty())
      return;
    if (llvm::any_of(contractions, [](const Contraction &c) { return c.plan.isBF16(); }))
      function->setAttr(kBF16ProductsAttrName, UnitAttr::get(&getContext()));

    llvm::DenseMap<Value, Value> flat = flattenBuffers(function);
    OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
    Value memory = memref::AllocaOp::create(builder, function.getLoc(),
                                            MemRefType::get({bytes}, builder.getI8Type()),
                                            builder.getI64IntegerAttr(alignment));
    for (auto &[nest, plan, isInGroup] : contractions)
      emit(*nest, plan, isInGroup, memory, flat);
    for (Contraction &contraction : contractions)
      eraseNest(*contraction.nest);

    foldOperations(function);
    OpPassManager cleanup(func::FuncOp::getOperationName());
    addCleanup(cleanup);
    if (failed(runPipeline(cleanup, function)))
      return signalPassFailure();
  }

  /// One workgroup per batch, rows and columns of a tile; or loops in a workgroup.
  void emit(const KernelNest &nest, const PanelPlan &plan, bool isInGroup, Value memory,
            const llvm::DenseMap<Value, Value> &flat) {
    OpBuilder builder(nest.epilogue);
    EmissionContext context{nest,
                            static_cast<int64_t>(plan.what.columns.loops.back()),
                            llvm::to_vector(llvm::seq<int64_t>(nest.numLoops())),
                            hasFma,
                            flat,
                            /*simt=*/false,
                            maskedBits};
    std::array<int64_t, 3> counts = {
        plan.what.batchExtent, llvm::divideCeilSigned(plan.what.rows.extent, plan.rowTile),
        llvm::divideCeilSigned(plan.what.columns.extent, plan.columnTile)};
    auto emitTile = [&](ValueRange tile) {
      PanelEmitter(builder, context, plan, memory, tile[0], tile[1], tile[2]).emit();
    };
    if (isInGroup) {
      auto descend = [&](auto &&self, SmallVector<Value> tile) -> void {
        if (tile.size() == counts.size())
          return emitTile(tile);
        Value count = indexConstant(builder, nest.loc(), counts[tile.size()]);
        emitLoop(builder, nest.loc(), count, 1, [&](Value number) {
          SmallVector<Value> further(tile);
          further.push_back(number);
          self(self, further);
        });
      };
      return descend(descend, {});
    }
    auto forall =
        scf::ForallOp::create(builder, nest.loc(), getAsIndexOpFoldResult(&getContext(), counts),
                              ValueRange(), /*mapping=*/std::nullopt);
    builder.setInsertionPointToStart(forall.getBody());
    emitTile(forall.getInductionVars());
  }
};
} // namespace
