//===- AnnotateAliases.cpp - say which buffers never overlap --------------===//
//
// LLVM has to assume that a store may change what the next load reads. The
// launches know better: every buffer is a range of bytes in a segment. And where
// they do overlap, the place of a result has just been read: it is in the cache.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Codegen/Passes.h"
#include "Tiny/IR/TinyDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_ANNOTATEALIASESPASS
#include "Tiny/Codegen/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

static bool overlap(SlotAttr a, SlotAttr b) {
  return a.getSegment() == b.getSegment() && a.getIndex() == b.getIndex() &&
         a.getOffset() < b.getOffset() + b.getBytes() &&
         b.getOffset() < a.getOffset() + a.getBytes();
}

/// Adds to `aliased` the buffers of `launch` that share bytes with another one, if either of the
/// two is a result.
static LogicalResult collectAliases(LaunchOp launch, llvm::BitVector &aliased) {
  SmallVector<SlotAttr> slots;
  for (ValueRange values : {ValueRange(launch.getInputs()), ValueRange(launch.getOutputs())})
    for (Value value : values) {
      slots.push_back(slotOf(value));
      if (!slots.back())
        return launch.emitOpError("buffer ") << slots.size() - 1 << " has no slot; run "
                                             << "tiny-schedule-plan-memory first";
    }
  aliased.resize(slots.size());
  for (size_t result = launch.getInputs().size(); result < slots.size(); ++result)
    for (size_t other = 0; other < result; ++other)
      if (overlap(slots[result], slots[other]))
        aliased.set(result), aliased.set(other);
  return success();
}

/// Stores to buffers that are read at the same place have no reason to go past the cache: a line
/// that is in it would have to leave first.
static void keepInCache(func::FuncOp kernel, const llvm::BitVector &aliased) {
  kernel.walk([&](vector::StoreOp store) {
    Value buffer = store.getBase();
    while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
      buffer = view.getViewSource();
    auto argument = dyn_cast<BlockArgument>(buffer);
    if (argument && argument.getOwner() == &kernel.getBody().front() &&
        argument.getArgNumber() < aliased.size() && aliased[argument.getArgNumber()])
      store.setNontemporal(false);
  });
}

namespace {
struct AnnotateAliasesPass : tiny::impl::AnnotateAliasesPassBase<AnnotateAliasesPass> {
  void runOnOperation() override {
    llvm::MapVector<StringAttr, llvm::BitVector> kernels;
    WalkResult walk = getOperation().walk([&](LaunchOp launch) {
      return WalkResult(collectAliases(launch, kernels[launch.getKernelAttr().getAttr()]));
    });
    if (walk.wasInterrupted())
      return signalPassFailure();
    for (auto &[name, aliased] : kernels) {
      auto kernel = getOperation().lookupSymbol<func::FuncOp>(name);
      if (!kernel)
        continue;
      for (unsigned i = 0; i < aliased.size(); ++i)
        if (!aliased[i] && isa<MemRefType>(kernel.getArgumentTypes()[i]))
          kernel.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(),
                            UnitAttr::get(&getContext()));
      if (aliased.any() && !kernel.isExternal())
        keepInCache(kernel, aliased);
    }
  }
};
} // namespace
