//===- FormWorkgroups.cpp - tile a kernel into its workgroups -------------===//
//
// Upstream tiles the epilogue and fuses the reduction and its initialisation into the
// loop; only the sizes are ours.
//
//===----------------------------------------------------------------------===//

#include "KernelNest.h"

#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_FORMWORKGROUPSPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

namespace {
struct FormWorkgroupsPass : tiny::impl::FormWorkgroupsPassBase<FormWorkgroupsPass> {
  using FormWorkgroupsPassBase::FormWorkgroupsPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    auto tiling = function->getAttrOfType<TilingAttr>(tilingAttrName);
    if (!function->hasAttr(kernelAttrName) || !tiling)
      return;
    FailureOr<KernelNest> nest = KernelNest::get(function);
    if (failed(nest))
      return signalPassFailure();
    if (failed(tile(nest->epilogue, nest->sizes, tiling)))
      return signalPassFailure();

    // Slices of an empty tensor are empty tensors: the accumulator's tile.
    RewritePatternSet patterns(&getContext());
    tensor::populateFoldTensorEmptyPatterns(patterns);
    affine::AffineApplyOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(function, std::move(patterns))))
      return signalPassFailure();
  }

  LogicalResult tile(linalg::GenericOp root, ArrayRef<int64_t> sizes, TilingAttr tiling) {
    ArrayRef<int64_t> grid = tiling.getGrid();
    if (grid.size() != root.getNumLoops())
      return root.emitOpError() << "has " << root.getNumLoops() << " parallel loops, but " << tiling
                                << " divides " << grid.size();
    SmallVector<OpFoldResult> tileSizes;
    bool divided = false;
    for (auto [size, part] : llvm::zip(sizes, grid)) {
      if (part < 1 || size % part != 0)
        return root.emitOpError() << "has a loop of size " << size << ", which " << part << " in "
                                  << tiling << " does not divide";
      divided |= size > part;
      tileSizes.push_back(IntegerAttr::get(IndexType::get(&getContext()), size > part ? part : 0));
    }
    if (!divided)
      return success();

    IRRewriter rewriter(&getContext());
    rewriter.setInsertionPoint(root);
    scf::SCFTileAndFuseOptions options;
    options.tilingOptions.setTileSizes(tileSizes);
    options.tilingOptions.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
    FailureOr<scf::SCFTileAndFuseResult> result = scf::tileConsumerAndFuseProducersUsingSCF(
        rewriter, cast<TilingInterface>(root.getOperation()), options);
    if (failed(result))
      return root.emitOpError() << "could not be tiled by " << tiling;
    for (auto [from, to] : result->replacements)
      rewriter.replaceAllUsesWith(from, to);
    // The untiled ops have no use left.
    SmallVector<Operation *> dead{root};
    while (!dead.empty()) {
      Operation *op = dead.pop_back_val();
      if (!op->use_empty())
        continue;
      SmallVector<Value> operands(op->getOperands());
      rewriter.eraseOp(op);
      for (Value operand : operands)
        if (Operation *defining = operand.getDefiningOp())
          if (defining->use_empty() && !llvm::is_contained(dead, defining))
            dead.push_back(defining);
    }
    return success();
  }
};
} // namespace
