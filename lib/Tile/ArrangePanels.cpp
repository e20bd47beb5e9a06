//===- ArrangePanels.cpp - constants in the panels of a CPU ---------------===//
//
// Columns of a contraction are multiplied in panels (PanelPlan.h). Where they are a
// constant, they lie in memory that way already: no run packs them, a workgroup keeps
// nothing of them on its stack, and memory is read in one run. Such a factor is no operand
// any more but a read whose index has a division by the width.
//
//===----------------------------------------------------------------------===//

#include "ArrangeConstants.h"
#include "PanelPlan.h"

#include "Tiny/Tile/Passes.h"
#include "Tiny/Tile/Tilings.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_ARRANGEPANELSPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

/// `operand`, the columns of `what`, as panels [columns / width][depth][width], or
/// [columns / width][depth / dot][width][dot] where `dot` steps of the loop `dotLoop` are one
/// element; loops that move both factors and outer ones of the columns stay outside. Nothing where
/// it is in that order.
static std::optional<ConstantWish> inPanels(const KernelNest &nest, const ContractionNest &what,
                                            const PanelForm &form, OpOperand &operand) {
  linalg::GenericOp op = nest.reduction;
  AffineMap map = op.getMatchingIndexingMap(&operand);
  ConstantWish wish{{}, &operand, {}};
  // Dims of the value, and which of them each loop moves.
  unsigned last = what.columns.loops.back();
  auto partOf = [&](int64_t loop) {
    return loop == last ? form.width : loop == form.dotLoop ? form.dot : 1;
  };
  SmallVector<int64_t> &shape = wish.layout.shape, &order = wish.layout.order;
  llvm::SmallDenseMap<unsigned, int64_t> dimOf;
  for (auto [expr, size] :
       llvm::zip(map.getResults(), cast<RankedTensorType>(operand.get().getType()).getShape())) {
    unsigned loop = cast<AffineDimExpr>(expr).getPosition();
    dimOf[loop] = shape.size();
    int64_t part = partOf(loop);
    shape.push_back(size / part);
    if (part > 1)
      shape.push_back(part);
  }
  auto add = [&](unsigned loop) {
    auto found = dimOf.find(loop);
    if (found == dimOf.end())
      return;
    order.push_back(found->second);
    AffineExpr expr = getAffineDimExpr(loop, op.getContext());
    wish.index.push_back(expr.floorDiv(partOf(loop)));
  };
  auto addPart = [&](unsigned loop) {
    order.push_back(dimOf[loop] + 1);
    wish.index.push_back(getAffineDimExpr(loop, op.getContext()) % partOf(loop));
  };
  for (unsigned loop = 0; loop < nest.numParallel; ++loop)
    if (loop != last)
      add(loop);
  add(last);
  for (unsigned loop : what.depth)
    add(loop);
  addPart(last);
  if (form.dot > 1)
    addPart(form.dotLoop);
  return llvm::is_sorted(order) ? std::nullopt : std::optional(std::move(wish));
}

/// Whether the other operands of `op` say how many steps each loop has.
static bool othersHaveAllLoops(linalg::GenericOp op, const OpOperand &operand) {
  llvm::SmallBitVector known(op.getNumLoops());
  for (OpOperand &other : op->getOpOperands())
    if (&other != &operand)
      for (AffineExpr expr : op.getMatchingIndexingMap(&other).getResults())
        if (auto dim = dyn_cast<AffineDimExpr>(expr))
          known.set(dim.getPosition());
  return known.all();
}

/// What `function` wants of its arguments, if they are constants.
static void collectWishes(func::FuncOp function, const SelectTilingCPUPassOptions &options,
                          ConstantWishes &wishes) {
  FailureOr<KernelNests> kernel = KernelNests::get(function);
  if (failed(kernel))
    return; // whoever tiles it says why
  for (const NestGroup &group : kernel->groups()) {
    const KernelNest &nest = kernel->nests[group.nests.front()];
    std::optional<ContractionNest> what = ContractionNest::getForCPU(nest);
    if (group.nests.size() != 1 || !what)
      continue;
    linalg::GenericOp op = nest.reduction;
    auto factor = dyn_cast<BlockArgument>(storedFactor(what->columns.factor));
    if (!factor || factor.getOwner() != op.getBody() ||
        factor.getArgNumber() >= op.getNumDpsInputs())
      continue;
    OpOperand &operand = *op.getDpsInputOperand(factor.getArgNumber());
    AffineMap map = op.getMatchingIndexingMap(&operand);
    std::optional<unsigned> argument = loneArgument(function, operand);
    // A dim of one step may have no loop.
    if (!argument || !factor.hasOneUse() || !othersHaveAllLoops(op, operand) ||
        !map.isProjectedPermutation() || !map.isFunctionOfDim(what->columns.loops.back()))
      continue;
    std::optional<PanelForm> form = arrangedForm(nest, options);
    if (!form)
      continue;
    if (std::optional<ConstantWish> wish = inPanels(nest, *what, *form, operand))
      wishes.insert({{function.getSymNameAttr(), *argument}, std::move(*wish)});
  }
}

/// Makes the operand a read in the body.
static void readInPanels(const ConstantWish &wish) {
  auto op = cast<linalg::GenericOp>(wish.operand->getOwner());
  unsigned number = wish.operand->getOperandNumber();
  OpBuilder builder = OpBuilder::atBlockBegin(op.getBody());
  Location loc = op.getLoc();
  SmallVector<Value> indices;
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
    indices.push_back(linalg::IndexOp::create(builder, loc, loop));
  BlockArgument factor = op.getBody()->getArgument(number);
  Value read = ReadOp::create(builder, loc, factor.getType(), wish.operand->get(), indices,
                              AffineMap::get(indices.size(), 0, wish.index, op.getContext()),
                              AffineMap::get(indices.size(), 0, {}, op.getContext()),
                              ArrayRef<int64_t>(), ArrayRef<int64_t>(), builder.getArrayAttr({}));
  factor.replaceAllUsesWith(read);
  op.getBody()->eraseArgument(number);
  SmallVector<Attribute> maps(op.getIndexingMaps().begin(), op.getIndexingMaps().end());
  maps.erase(maps.begin() + number);
  op.setIndexingMapsAttr(builder.getArrayAttr(maps));
  op.getInputsMutable().erase(number);
}

namespace {
struct ArrangePanelsPass : tiny::impl::ArrangePanelsPassBase<ArrangePanelsPass> {
  using ArrangePanelsPassBase::ArrangePanelsPassBase;

  void runOnOperation() override {
    SelectTilingCPUPassOptions options;
    options.vectorBits = vectorBits;
    options.numVectorRegisters = numVectorRegisters;
    options.l1Bytes = l1Bytes;
    options.l2Bytes = l2Bytes;
    options.maxLocalBytes = maxLocalBytes;
    options.pairInstructions = pairInstructions;
    options.byteProducts = byteProducts;
    options.halvesVectors = halvesVectors;
    options.bf16Products = bf16Products;
    options.matrixUnit = matrixUnit;
    auto collect = [&](func::FuncOp function, ConstantWishes &wishes) {
      collectWishes(function, options, wishes);
    };
    if (!arrangeConstants(getOperation(), collect, readInPanels))
      markAllAnalysesPreserved();
  }
};
} // namespace
