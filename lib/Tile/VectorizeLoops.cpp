//===- VectorizeLoops.cpp - one loop nest of vectors per kernel -----------===//
//
// Upstream's linalg vectoriser refuses strided and convolution maps and works on one op
// at a time; here reduction and epilogue are one nest, whose accumulators live in
// registers. The nest is emitted from the outside in: every loop is cut into a main part
// in steps of its register tile and one smaller rest, both static, and at the bottom a
// register tile is a set of instances of the scalar body (NestEmitter, BodyEmitter).
//
//===----------------------------------------------------------------------===//

#include "NestEmitter.h"
#include "Tiny/IR/FoldOperations.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_VECTORIZELOOPSPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

/// The parallel loops from `depth` on, around the register tiles.
static void emitLoops(OpBuilder &builder, NestEmitter &nest, const EmissionContext &context,
                      unsigned depth) {
  if (depth == context.nest.numParallel)
    return nest.emitTile();
  unsigned loop = context.order[depth];
  Location loc = context.nest.loc();
  for (const LoopPart &part : nest.partsOf(loop)) {
    OpBuilder::InsertionGuard guard(builder);
    Value base;
    if (part.trips > 1) {
      auto forOp =
          scf::ForOp::create(builder, loc, indexConstant(builder, loc, part.start),
                             indexConstant(builder, loc, part.start + part.trips * part.step),
                             indexConstant(builder, loc, part.step));
      base = forOp.getInductionVar();
      builder.setInsertionPointToStart(forOp.getBody());
    } else if (part.start) {
      base = indexConstant(builder, loc, part.start);
    }
    nest.place(loop, base, part.pieces);
    emitLoops(builder, nest, context, depth + 1);
  }
}

/// Whether the result of `nest` is better written past the caches: it does not fit them, so that
/// whoever reads it finds nothing there anyway, and a line that is written as a whole need not be
/// read first. A line is whole if its vectors are stored one behind the other.
static bool streamsResult(const KernelNests &kernel, const KernelNest &nest,
                          const NestTiling &tiling, int64_t cacheBytes) {
  const Access &store = nest.store;
  if (cacheBytes == 0 || !isa<BlockArgument>(store.source) ||
      store.elements * (store.type.getIntOrFloatBitWidth() / 8) <= cacheBytes)
    return false;
  int64_t vector = tiling.vectorDim;
  if (nest.isScan() || vector < 0 || tiling.order[nest.numParallel - 1] != vector ||
      store.strideAlong(vector) != 1)
    return false;
  // What a workgroup reads again should be near.
  return llvm::none_of(kernel.nests, [&](const KernelNest &other) {
    return llvm::any_of(other.accesses,
                        [&](const auto &read) { return read.second.source == store.source; });
  });
}

namespace {
struct VectorizeLoopsPass : tiny::impl::VectorizeLoopsPassBase<VectorizeLoopsPass> {
  using VectorizeLoopsPassBase::VectorizeLoopsPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(kernelAttrName))
      return;
    auto list = function->getAttrOfType<ArrayAttr>(tilingAttrName);
    if (list && list.empty())
      return; // another pass has emitted all nests
    FailureOr<KernelNests> kernel = KernelNests::get(function);
    if (failed(kernel))
      return signalPassFailure();
    FailureOr<SmallVector<NestTiling>> tilings = kernel->tilings(function);
    if (failed(tilings))
      return signalPassFailure();
    for (auto [nest, tiling] : llvm::zip(kernel->nests, *tilings))
      if (failed(checkTiling(nest, tiling)))
        return signalPassFailure();

    llvm::DenseMap<Value, Value> flat = flattenBuffers(function);
    for (auto [nest, tiling] : llvm::zip(kernel->nests, *tilings)) {
      EmissionContext context{nest,
                              tiling.vectorDim,
                              SmallVector<int64_t>(tiling.order),
                              hasFma,
                              flat,
                              /*simt=*/false,
                              maskedBits,
                              streamsResult(*kernel, nest, tiling, cacheBytes)};
      OpBuilder builder(nest.epilogue);
      NestEmitter emitter(builder, context, tiling);
      emitLoops(builder, emitter, context, 0);
    }
    for (KernelNest &nest : kernel->nests)
      eraseNest(nest);

    foldOperations(function);
    OpPassManager cleanup(func::FuncOp::getOperationName());
    addCleanup(cleanup);
    if (failed(runPipeline(cleanup, function)))
      return signalPassFailure();
  }
};
} // namespace
