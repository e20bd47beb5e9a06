//===- AnnotateAliases.cpp - say which buffers never overlap --------------===//
//
// LLVM has to assume that a store may change what the next load reads. The
// launches know better: every buffer is a range of bytes in a segment.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Codegen/Passes.h"
#include "Tiny/IR/TinyDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
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
    }
  }
};
} // namespace
