//===- ShrinkLocals.cpp - fit what nests hand on into less memory ---------===//
//
// Which value of a chain of elementwise ops a nest keeps is decided by what is cheap to
// compute; what it takes in LDS matters once there is a workgroup. So it is changed
// here, on nests: the narrow end of a widening is kept, and a local that nobody reads
// any more is written over by the nest that read it last.
//
//===----------------------------------------------------------------------===//

#include "KernelNest.h"

#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_SHRINKLOCALSPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

/// Whether `op` is the last op of a nest, or all of it, with no scan in it.
static bool isElementwise(linalg::GenericOp op) {
  return op && op.getNumDpsInits() == 1 && op.getNumReductionLoops() == 0 &&
         op.hasPureTensorSemantics();
}

/// The memory that `op` has for itself; null where it writes something else.
static tensor::EmptyOp ownMemory(linalg::GenericOp op) {
  auto empty = destinationOf(op)->get().getDefiningOp<tensor::EmptyOp>();
  bool reads = !op.getRegionOutputArgs().front().use_empty();
  return empty && empty->hasOneUse() && !reads ? empty : tensor::EmptyOp();
}

//===----------------------------------------------------------------------===//
// Narrow locals
//===----------------------------------------------------------------------===//

static void keepNarrow(linalg::GenericOp nest) {
  tensor::EmptyOp memory = isElementwise(nest) ? ownMemory(nest) : tensor::EmptyOp();
  if (!memory)
    return;
  OpOperand &stored = nest.getBody()->getTerminator()->getOpOperand(0);
  Operation *widening = stored.get().getDefiningOp();
  if (!isa_and_nonnull<arith::ExtFOp, arith::ExtSIOp, arith::ExtUIOp>(widening))
    return;
  Value narrow = widening->getOperand(0), result = nest.getResult(0);
  Type type = narrow.getType();
  if (type.getIntOrFloatBitWidth() < 8 || narrow.getParentBlock() != nest.getBody())
    return;
  for (OpOperand &use : result.getUses()) {
    auto reader = dyn_cast<linalg::GenericOp>(use.getOwner());
    if (!reader || !reader.isDpsInput(&use))
      return;
  }

  for (OpOperand &use : result.getUses()) {
    auto reader = cast<linalg::GenericOp>(use.getOwner());
    BlockArgument read = reader.getMatchingBlockArgument(&use);
    OpBuilder builder = OpBuilder::atBlockBegin(reader.getBody());
    IRMapping operand;
    operand.map(narrow, read);
    Operation *widened = builder.clone(*widening, operand);
    read.replaceAllUsesExcept(widened->getResult(0), widened);
    read.setType(type);
  }
  auto narrowed = cast<RankedTensorType>(result.getType()).clone(type);
  memory.getResult().setType(narrowed);
  nest.getRegionOutputArgs().front().setType(type);
  result.setType(narrowed);
  stored.set(narrow);
  if (widening->use_empty())
    widening->erase();
}

//===----------------------------------------------------------------------===//
// Locals in place of others
//===----------------------------------------------------------------------===//

/// Whether `value` is what an elementwise nest writes to memory of this kernel.
static bool isLocal(Value value) {
  while (auto writer = value.getDefiningOp<linalg::GenericOp>()) {
    if (!isElementwise(writer))
      return false;
    value = destinationOf(writer)->get();
  }
  return value.getDefiningOp<tensor::EmptyOp>();
}

/// Whether `op` is the epilogue of a reduction: other lanes still sum while it writes.
static bool hasReduction(linalg::GenericOp op) {
  return llvm::any_of(op.getDpsInputs(), [](Value input) {
    auto writer = input.getDefiningOp<linalg::GenericOp>();
    return writer && writer.getNumReductionLoops() > 0;
  });
}

/// Whether `nest` reads `local` last, and only where it writes.
static bool readsLast(linalg::GenericOp nest, Value local) {
  for (OpOperand &use : local.getUses()) {
    Operation *user = use.getOwner();
    if (user == nest) {
      if (!nest.getMatchingIndexingMap(&use).isIdentity())
        return false;
      continue;
    }
    Operation *inBlock = nest->getBlock()->findAncestorOpInBlock(*user);
    if (!inBlock || !inBlock->isBeforeInBlock(nest))
      return false;
  }
  return true;
}

static void writeInPlace(linalg::GenericOp nest) {
  tensor::EmptyOp memory = isElementwise(nest) ? ownMemory(nest) : tensor::EmptyOp();
  if (!memory || hasReduction(nest) ||
      !nest.getMatchingIndexingMap(destinationOf(nest)).isIdentity())
    return;
  for (OpOperand *input : nest.getDpsInputOperands()) {
    Value local = input->get();
    Operation *writer = local.getDefiningOp();
    if (local.getType() != memory.getType() || !writer || writer->getBlock() != nest->getBlock() ||
        !isLocal(local) || !readsLast(nest, local))
      continue;
    // A copy of it is there already.
    if (nest.getBody()->getTerminator()->getOperand(0) == nest.getMatchingBlockArgument(input)) {
      nest.getResult(0).replaceAllUsesWith(local);
      nest.erase();
    } else {
      destinationOf(nest)->set(local);
    }
    memory.erase();
    return;
  }
}

namespace {
struct ShrinkLocalsPass : tiny::impl::ShrinkLocalsPassBase<ShrinkLocalsPass> {
  using ShrinkLocalsPassBase::ShrinkLocalsPassBase;

  void runOnOperation() override {
    if (!getOperation()->hasAttr(kernelAttrName))
      return;
    SmallVector<linalg::GenericOp> ops;
    getOperation().walk([&](linalg::GenericOp op) { ops.push_back(op); });
    llvm::for_each(ops, keepNarrow);
    llvm::for_each(ops, writeInPlace);
  }
};
} // namespace
