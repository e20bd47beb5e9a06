//===- DecomposeOnlineReductions.cpp - online sums as nests, by blocks ----===//

#include "KernelNest.h"
#include "Tiny/IR/OnlineReduce.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_DECOMPOSEONLINEREDUCTIONSPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

namespace {
struct DecomposeOnlineReductionsPass
    : tiny::impl::DecomposeOnlineReductionsPassBase<DecomposeOnlineReductionsPass> {
  using DecomposeOnlineReductionsPassBase::DecomposeOnlineReductionsPassBase;

  void runOnOperation() override {
    if (getOperation()->hasAttr(kernelAttrName) &&
        failed(decomposeOnlineReductions(getOperation(), blockBytes)))
      signalPassFailure();
  }
};
} // namespace
