//===- FormWorkgroups.cpp - tile a kernel into its workgroups -------------===//
//
// Every op of a group of nests is copied into one loop, with each operand replaced by
// the slice that the workgroup needs of it. Upstream's tile-and-fuse starts from one
// consumer and clones a producer for each of its users; here the nests are in order and
// the tile of every one is known, so that a local is computed once and handed on.
//
//===----------------------------------------------------------------------===//

#include "GroupTile.h"

#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_FORMWORKGROUPSPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

namespace {
/// A part of a tensor.
struct Slice {
  SmallVector<OpFoldResult> offsets, sizes, strides;
};

/// A nest whose result leaves the kernel.
struct Result {
  linalg::GenericOp epilogue;
  Value destination; ///< The argument, or a run of its elements under the shape of the nest.
  tensor::ExtractSliceOp part; ///< The part of it that the nest writes; null for all.
};

/// Rewrites one group of nests into a loop over its workgroups.
class GroupTiler {
public:
  GroupTiler(const KernelNests &kernel, const NestGroup &group, ArrayRef<NestTiling> tilings)
      : kernel(kernel), group(group), tilings(tilings), builder(nestAt(0).loc().getContext()) {}

  LogicalResult tile();
  /// The last op of each nest of the group, as it is now.
  SmallVector<Operation *> epilogues;

private:
  const KernelNest &nestAt(unsigned member) const { return kernel.nests[group.nests[member]]; }
  LogicalResult checkGrid() const;
  void findResults();
  scf::ForallOp createLoop();
  void setOffsets(unsigned member, scf::ForallOp loop);
  Slice sliceOf(AffineMap map, ArrayRef<int64_t> shape) const;
  Slice within(tensor::ExtractSliceOp part, const Slice &own);
  Value viewOf(Value whole);
  Value tiled(Value whole, AffineMap map);
  Value emit(linalg::LinalgOp op, ValueRange inits);
  void enterLoop(scf::ForOp whole);
  void leaveLoop();
  void eraseWhole();

  const KernelNests &kernel;
  const NestGroup &group;
  ArrayRef<NestTiling> tilings;
  OpBuilder builder;
  SmallVector<unsigned> divided; ///< The shared loops that the grid divides: positions in `shared`.
  SmallVector<Result> results;
  IRMapping tiles; ///< What a nest of the group computes, to the workgroup's part of it.
  scf::ForOp wholeLoop, ownLoop; ///< Over blocks, around the current nest: as it was, and the copy.
  /// Of the current nest's loops.
  SmallVector<OpFoldResult> offsets, sizes;
};
} // namespace

/// The grid divides shared loops only, the same way in each nest.
LogicalResult GroupTiler::checkGrid() const {
  for (unsigned member = 0; member < group.nests.size(); ++member) {
    const KernelNest &nest = nestAt(member);
    Attribute tiling = tilings[group.nests[member]].attribute;
    ArrayRef<int64_t> grid = tilings[group.nests[member]].grid;
    linalg::GenericOp op = nest.epilogue;
    if (grid.size() != nest.numParallel)
      return op.emitOpError() << "has " << nest.numParallel << " parallel loops, but " << tiling
                              << " divides " << grid.size();
    for (unsigned loop = 0; loop < nest.numParallel; ++loop) {
      int64_t size = nest.sizes[loop], part = grid[loop];
      if (part < 1 || size % part != 0)
        return op.emitOpError() << "has a loop of size " << size << ", which " << part << " in "
                                << tiling << " does not divide";
      auto shared = llvm::find_if(group.shared, [&](auto &loops) { return loops[member] == loop; });
      if (size > part && shared == group.shared.end())
        return op.emitOpError() << "has loop " << loop << " divided by " << tiling
                                << ", which other nests that use its results do not have";
      if (shared != group.shared.end() && part != tilings[group.nests[0]].grid[shared->front()])
        return op.emitOpError() << "has a loop that " << tiling
                                << " divides otherwise than in another nest";
    }
  }
  return success();
}

void GroupTiler::findResults() {
  for (unsigned member = 0; member < group.nests.size(); ++member) {
    linalg::GenericOp epilogue = nestAt(member).epilogue;
    Value init = destinationOf(epilogue)->get();
    auto part = init.getDefiningOp<tensor::ExtractSliceOp>();
    Value destination = part ? part.getSource() : init;
    if (init.getDefiningOp<tensor::ExpandShapeOp>()) {
      results.push_back({epilogue, init, {}});
      continue;
    }
    auto argument = dyn_cast<BlockArgument>(destination);
    if (argument && isa<func::FuncOp>(argument.getOwner()->getParentOp()))
      results.push_back({epilogue, destination, part});
  }
}

/// The loop over the workgroups, behind everything that the nests use.
scf::ForallOp GroupTiler::createLoop() {
  SmallVector<OpFoldResult> lows, highs, steps;
  for (unsigned position : divided) {
    unsigned loop = group.shared[position].front();
    lows.push_back(builder.getIndexAttr(0));
    highs.push_back(builder.getIndexAttr(nestAt(0).sizes[loop]));
    steps.push_back(builder.getIndexAttr(tilings[group.nests[0]].grid[loop]));
  }
  Operation *last = nestAt(group.nests.size() - 1).epilogue;
  while (!isa<func::FuncOp>(last->getParentOp()))
    last = last->getParentOp();
  builder.setInsertionPoint(last);
  auto destinations =
      llvm::map_to_vector(results, [](const Result &result) { return result.destination; });
  return scf::ForallOp::create(builder, last->getLoc(), lows, highs, steps, destinations,
                               /*mapping=*/std::nullopt);
}

void GroupTiler::setOffsets(unsigned member, scf::ForallOp loop) {
  const KernelNest &nest = nestAt(member);
  offsets.assign(nest.numLoops(), builder.getIndexAttr(0));
  sizes = getAsIndexOpFoldResult(builder.getContext(), nest.sizes);
  for (auto [position, variable] : llvm::zip(divided, loop.getInductionVars())) {
    unsigned own = group.shared[position][member];
    offsets[own] = variable;
    sizes[own] = builder.getIndexAttr(tilings[group.nests[member]].grid[own]);
  }
}

/// What the workgroup's loops access of an operand of `shape` with the map `map`: all of a dim
/// along which the body decides.
Slice GroupTiler::sliceOf(AffineMap map, ArrayRef<int64_t> shape) const {
  Slice slice;
  Builder b(map.getContext());
  for (auto [expr, size] : llvm::zip_equal(map.getResults(), shape)) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    slice.offsets.push_back(loop ? offsets[loop.getPosition()] : b.getIndexAttr(0));
    slice.sizes.push_back(loop ? sizes[loop.getPosition()] : b.getIndexAttr(size));
  }
  slice.strides.assign(map.getNumResults(), b.getIndexAttr(1));
  return slice;
}

/// The slice `own` of `part` as one of what `part` is a slice of.
Slice GroupTiler::within(tensor::ExtractSliceOp part, const Slice &own) {
  AffineExpr base = builder.getAffineSymbolExpr(0), stride = builder.getAffineSymbolExpr(1),
             inner = builder.getAffineDimExpr(0);
  llvm::SmallBitVector dropped = part.getDroppedDims();
  Slice slice{part.getMixedOffsets(), part.getMixedSizes(), part.getMixedStrides()};
  unsigned number = 0; // of the dims that `part` keeps
  for (unsigned dim = 0; dim < slice.offsets.size(); ++dim) {
    if (dropped.test(dim))
      continue;
    slice.offsets[dim] = affine::makeComposedFoldedAffineApply(
        builder, part.getLoc(), inner * stride + base,
        {own.offsets[number], slice.offsets[dim], slice.strides[dim]});
    slice.sizes[dim] = own.sizes[number++];
  }
  return slice;
}

/// A constant of a loop over blocks, or a slice that it takes of an argument, in its copy.
Value GroupTiler::viewOf(Value whole) {
  Operation *op = whole.getDefiningOp();
  if (!wholeLoop || !op || op->getBlock() != wholeLoop.getBody() ||
      !isa<tensor::ExtractSliceOp, affine::AffineApplyOp, arith::ConstantOp>(op))
    return tiles.lookupOrDefault(whole);
  IRMapping operands;
  for (Value operand : op->getOperands())
    operands.map(operand, viewOf(operand));
  return builder.clone(*op, operands)->getResult(0);
}

/// The workgroup's part of an operand.
Value GroupTiler::tiled(Value whole, AffineMap map) {
  if (Value known = tiles.lookupOrNull(whole))
    return known;
  whole = viewOf(whole);
  auto type = dyn_cast<RankedTensorType>(whole.getType());
  if (!type)
    return whole;
  Slice slice = sliceOf(map, type.getShape());
  if (whole.getDefiningOp<tensor::EmptyOp>())
    return tensor::EmptyOp::create(builder, whole.getLoc(), slice.sizes, type.getElementType());
  if (getAsIndexOpFoldResult(builder.getContext(), type.getShape()) == slice.sizes)
    return whole;
  return tensor::ExtractSliceOp::create(builder, whole.getLoc(), whole, slice.offsets, slice.sizes,
                                        slice.strides);
}

/// The workgroup's part of `op`, which writes `inits`; the last of its results.
Value GroupTiler::emit(linalg::LinalgOp op, ValueRange inits) {
  SmallVector<Value> operands;
  for (OpOperand *input : op.getDpsInputOperands())
    operands.push_back(tiled(input->get(), op.getMatchingIndexingMap(input)));
  llvm::append_range(operands, inits);
  Operation *copy = clone(builder, op, inits.getTypes(), operands);
  if (wholeLoop)
    copy->walk([&](Operation *inner) {
      inner->replaceUsesOfWith(wholeLoop.getInductionVar(), ownLoop.getInductionVar());
    });
  linalg::offsetIndices(builder, cast<linalg::LinalgOp>(copy), offsets);
  tiles.map(op->getResults(), copy->getResults());
  return copy->getResults().back();
}

/// Opens the copy of a loop over blocks; what it carries is local.
void GroupTiler::enterLoop(scf::ForOp whole) {
  auto inits =
      llvm::map_to_vector(whole.getInitArgs(), [&](Value init) { return tiles.lookup(init); });
  wholeLoop = whole;
  ownLoop = scf::ForOp::create(builder, whole.getLoc(), whole.getLowerBound(),
                               whole.getUpperBound(), whole.getStep(), inits);
  tiles.map(whole.getInductionVar(), ownLoop.getInductionVar());
  tiles.map(whole.getRegionIterArgs(), ownLoop.getRegionIterArgs());
  builder.setInsertionPointToStart(ownLoop.getBody());
}

void GroupTiler::leaveLoop() {
  auto yielded = llvm::map_to_vector(wholeLoop.getYieldedValues(),
                                     [&](Value value) { return tiles.lookup(value); });
  scf::YieldOp::create(builder, ownLoop.getLoc(), yielded);
  tiles.map(wholeLoop.getResults(), ownLoop.getResults());
  builder.setInsertionPointAfter(ownLoop);
  wholeLoop = ownLoop = {};
}

LogicalResult GroupTiler::tile() {
  // On a GPU, the loops of a nest alone are given to lanes and workgroups at once; those of panels
  // become workgroups with them.
  const NestTiling &first = tilings[group.nests[0]];
  if (group.nests.size() > 1 || !(first.gpu || first.panels)) {
    if (failed(checkGrid()))
      return failure();
    ArrayRef<int64_t> grid = tilings[group.nests[0]].grid;
    for (auto [position, loops] : llvm::enumerate(group.shared))
      if (grid[loops.front()] < nestAt(0).sizes[loops.front()])
        divided.push_back(position);
  }
  if (divided.empty()) {
    for (unsigned number : group.nests)
      epilogues.push_back(kernel.nests[number].epilogue);
    return success();
  }
  findResults();
  scf::ForallOp loop = createLoop();

  SmallVector<Value> parts;
  SmallVector<Slice> places;
  builder.setInsertionPoint(loop.getTerminator());
  for (unsigned member = 0; member < group.nests.size(); ++member) {
    const KernelNest &nest = nestAt(member);
    linalg::GenericOp last = nest.epilogue;
    auto around = dyn_cast<scf::ForOp>(last->getParentOp());
    if (wholeLoop && around != wholeLoop)
      leaveLoop();
    if (around && around != wholeLoop)
      enterLoop(around);
    setOffsets(member, loop);
    SmallVector<Value> inits; // of the last op
    if (nest.reduction) {
      linalg::LinalgOp fill = nest.fill, reduction = nest.reduction;
      OpOperand *init = fill.getDpsInitOperand(0);
      inits = {emit(fill, tiled(init->get(), fill.getMatchingIndexingMap(init)))};
      if (!nest.isScan()) {
        emit(reduction, inits);
        inits.clear();
      }
    }
    linalg::GenericOp epilogue = nest.epilogue;
    OpOperand *destination = destinationOf(epilogue);
    AffineMap map = epilogue.getMatchingIndexingMap(destination);
    auto result = llvm::find_if(results, [&](auto &r) { return r.epilogue == nest.epilogue; });
    if (result == results.end()) {
      inits.push_back(tiled(destination->get(), map));
      epilogues.push_back(emit(epilogue, inits).getDefiningOp());
      continue;
    }
    auto whole = cast<RankedTensorType>(destination->get().getType());
    Slice own = sliceOf(map, whole.getShape());
    Slice place = result->part ? within(result->part, own) : own;
    Value target = loop.getRegionIterArgs()[result - results.begin()];
    auto type = RankedTensorType::get(
        llvm::map_to_vector(own.sizes,
                            [](OpFoldResult size) { return *getConstantIntValue(size); }),
        getElementTypeOrSelf(target));
    inits.push_back(tensor::ExtractSliceOp::create(builder, epilogue.getLoc(), type, target,
                                                   place.offsets, place.sizes, place.strides));
    parts.push_back(emit(epilogue, inits));
    epilogues.push_back(parts.back().getDefiningOp());
    places.push_back(place);
  }
  if (wholeLoop)
    leaveLoop();
  builder.setInsertionPointToEnd(loop.getTerminator().getBody());
  for (auto [part, place, target] : llvm::zip(parts, places, loop.getRegionIterArgs()))
    tensor::ParallelInsertSliceOp::create(builder, part.getLoc(), part, target, place.offsets,
                                          place.sizes, place.strides);
  for (auto [result, whole] : llvm::zip(results, loop.getResults())) {
    Value replaced = result.epilogue.getResults().back();
    for (Operation *user : replaced.getUsers())
      if (auto insert = dyn_cast<tensor::InsertSliceOp>(user))
        replaced = insert.getResult();
    replaced.replaceAllUsesWith(whole);
  }
  eraseWhole();
  return success();
}

/// Erases the nests outside of the loop, which nothing but one another uses any more.
void GroupTiler::eraseWhole() {
  auto erase = [](Operation *op) {
    // The whole that a slice was put back into is the loop's result now.
    for (Operation *user : llvm::make_early_inc_range(op->getUsers()))
      if (isa<tensor::InsertSliceOp>(user))
        user->erase();
    SmallVector<Value> operands(op->getOperands());
    op->erase();
    // An operand that occurs twice is looked at once: it may be gone the second time.
    for (Value operand : llvm::SmallSetVector<Value, 4>(operands.begin(), operands.end())) {
      Operation *defining = operand.getDefiningOp();
      if (defining && defining->use_empty() &&
          isa<tensor::EmptyOp, tensor::ExtractSliceOp>(defining))
        defining->erase();
    }
  };
  for (unsigned member = group.nests.size(); member-- > 0;) {
    const KernelNest &nest = nestAt(member);
    linalg::GenericOp epilogue = nest.epilogue, reduction = nest.reduction;
    linalg::FillOp fill = nest.fill;
    if (auto around = dyn_cast<scf::ForOp>(epilogue->getParentOp())) {
      // All of its nests are of this group.
      while (member > 0 && linalg::GenericOp(nestAt(member - 1).epilogue)->getParentOp() == around)
        --member;
      erase(around);
      continue;
    }
    bool isScan = nest.isScan();
    erase(epilogue);
    if (reduction && !isScan)
      erase(reduction);
    if (reduction)
      erase(fill);
  }
}

namespace {
struct FormWorkgroupsPass : tiny::impl::FormWorkgroupsPassBase<FormWorkgroupsPass> {
  using FormWorkgroupsPassBase::FormWorkgroupsPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(kernelAttrName) || !function->hasAttr(tilingAttrName))
      return;
    FailureOr<KernelNests> kernel = KernelNests::get(function);
    if (failed(kernel))
      return signalPassFailure();
    FailureOr<SmallVector<NestTiling>> tilings = kernel->tilings(function);
    if (failed(tilings))
      return signalPassFailure();
    // What a tiling of a CPU was chosen for, whoever has chosen it.
    if (llvm::none_of(*tilings, [](const NestTiling &tiling) { return bool(tiling.gpu); }) &&
        reuseLocals(*kernel))
      kernel = KernelNests::get(function);
    if (failed(kernel))
      return signalPassFailure();
    llvm::DenseMap<Operation *, Attribute> tilingOf;
    for (const NestGroup &group : kernel->groups()) {
      GroupTiler tiler(*kernel, group, *tilings);
      if (failed(tiler.tile()))
        return signalPassFailure();
      for (auto [epilogue, number] : llvm::zip(tiler.epilogues, group.nests))
        tilingOf[epilogue] = (*tilings)[number].attribute;
    }
    // Nests of different groups may have stood in between each other, and do not any more.
    SmallVector<Attribute> inOrder;
    function.walk([&](linalg::GenericOp op) {
      if (Attribute tiling = tilingOf.lookup(op))
        inOrder.push_back(tiling);
    });
    function->setAttr(tilingAttrName, ArrayAttr::get(&getContext(), inOrder));
  }
};
} // namespace
