//===- MapGrid.cpp - the workgroup loops become the kernel's grid ---------===//
//
// One call of a kernel is one workgroup, on every target (the kernel ABI). Grid
// dimensions are fixed to three, so further loops are folded into the last one. Loops
// side by side share the numbers of one dimension: one after the other would leave
// threads without work at the end of each.
//
//===----------------------------------------------------------------------===//

#include "KernelNest.h"

#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_MAPGRIDPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

/// Workgroups along x, y and z.
using Grid = std::array<int64_t, 3>;

namespace {
/// One loop of an scf.forall.
struct Loop {
  int64_t low, step, count;
};
} // namespace

static FailureOr<SmallVector<Loop>> loopsOf(scf::ForallOp forall) {
  SmallVector<Loop> loops;
  for (auto [low, high, step] :
       llvm::zip(forall.getMixedLowerBound(), forall.getMixedUpperBound(), forall.getMixedStep())) {
    std::optional<int64_t> first = getConstantIntValue(low), end = getConstantIntValue(high),
                           by = getConstantIntValue(step);
    if (!first || !end || !by)
      return forall.emitOpError() << "has a bound that is not constant";
    loops.push_back({*first, *by, llvm::divideCeilSigned(*end - *first, *by)});
  }
  return loops;
}

/// Moves the body of `forall` to `builder`, the variable of each loop computed from that one of
/// `ids` that `axisOf` says, and gives the workgroups along each. Erases `forall`.
static Grid dissolve(OpBuilder &builder, scf::ForallOp forall, ArrayRef<Loop> loops, ValueRange ids,
                     llvm::function_ref<size_t(size_t)> axisOf) {
  Grid grid = {1, 1, 1}; // of the loops so far
  for (size_t loop = loops.size(); loop-- > 0;) {
    auto [low, step, count] = loops[loop];
    size_t axis = axisOf(loop);
    AffineExpr id = builder.getAffineDimExpr(0).floorDiv(grid[axis]);
    if (loop > 0 && axisOf(loop - 1) == axis) // the outermost one needs no remainder
      id = id % count;
    Value index = affine::AffineApplyOp::create(builder, forall.getLoc(),
                                                AffineMap::get(1, 0, id * step + low), ids[axis]);
    forall.getInductionVar(loop).replaceAllUsesWith(index);
    grid[axis] *= count;
  }
  Block *body = forall.getBody();
  body->getTerminator()->erase();
  builder.getBlock()->getOperations().splice(builder.getInsertionPoint(), body->getOperations());
  forall.erase();
  return grid;
}

/// An scf.if at `builder` for the workgroups [start, start + count) of x; sets `number` to which of
/// them it is.
static scf::IfOp onlyFor(OpBuilder &builder, Location loc, Value x, int64_t start, int64_t count,
                         Value &number) {
  number = affine::AffineApplyOp::create(
      builder, loc, AffineMap::get(1, 0, builder.getAffineDimExpr(0) - start), x);
  Value end = arith::ConstantIndexOp::create(builder, loc, count);
  // Unsigned, so that the workgroups in front of the first one are out as well.
  Value inside = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, number, end);
  return scf::IfOp::create(builder, loc, inside, /*withElseRegion=*/false);
}

/// The ops of `body` that belong to no loop and that no loop needs: groups of one workgroup.
static SmallVector<Operation *> opsOutside(Block &body, ArrayRef<scf::ForallOp> foralls) {
  llvm::SetVector<Operation *> needed;
  auto need = [&](Value value) {
    Operation *op = value.getDefiningOp();
    if (op && op->getBlock() == &body)
      needed.insert(op);
  };
  for (scf::ForallOp forall : foralls) {
    llvm::SetVector<Value> above;
    getUsedValuesDefinedAbove(forall->getRegions(), above);
    llvm::for_each(above, need);
  }
  for (size_t i = 0; i < needed.size(); ++i)
    llvm::for_each(needed[i]->getOperands(), need);
  SmallVector<Operation *> outside;
  for (Operation &op : body.without_terminator())
    if (!isa<scf::ForallOp, memref::AllocaOp>(op) && !needed.contains(&op))
      outside.push_back(&op);
  return outside;
}

static bool allPure(ArrayRef<Operation *> ops) {
  return llvm::all_of(ops, [](Operation *op) { return isPure(op); });
}

/// Several groups: x counts through the workgroups of one after those of another.
static FailureOr<Grid> sideBySide(Block &body, ArrayRef<scf::ForallOp> foralls, Value x) {
  SmallVector<Operation *> outside = opsOutside(body, foralls);
  OpBuilder builder(x.getContext());
  int64_t total = 0;
  Value number;
  for (scf::ForallOp forall : foralls) {
    FailureOr<SmallVector<Loop>> loops = loopsOf(forall);
    if (failed(loops))
      return failure();
    int64_t count = 1;
    for (const Loop &loop : *loops)
      count *= loop.count;
    builder.setInsertionPoint(forall);
    scf::IfOp branch = onlyFor(builder, forall.getLoc(), x, total, count, number);
    builder.setInsertionPointToStart(branch.thenBlock());
    dissolve(builder, forall, *loops, number, [](size_t) { return 0; });
    total += count;
  }
  if (!allPure(outside)) {
    builder.setInsertionPoint(body.getTerminator());
    scf::IfOp branch = onlyFor(builder, outside.front()->getLoc(), x, total, 1, number);
    for (Operation *op : outside)
      op->moveBefore(branch.thenBlock()->getTerminator());
    total += 1;
  }
  // In a branch, an alloca would move the stack pointer when it is reached.
  body.getParentOp()->walk([&](memref::AllocaOp alloca) {
    if (alloca->getBlock() != &body)
      alloca->moveBefore(&body.front());
  });
  return Grid{total, 1, 1};
}

namespace {
struct MapGridPass : tiny::impl::MapGridPassBase<MapGridPass> {
  using MapGridPassBase::MapGridPassBase;

  void runOnOperation() override {
    llvm::StringMap<Grid> grids;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (!function->hasAttr(kernelAttrName))
        continue;
      FailureOr<Grid> grid = mapKernel(function);
      if (failed(grid))
        return signalPassFailure();
      grids[function.getName()] = *grid;
    }
    getOperation().walk([&](LaunchOp launch) {
      auto grid = grids.find(launch.getKernel());
      if (grid != grids.end())
        launch.setGrid(ArrayRef<int64_t>(grid->second));
    });
  }

  FailureOr<Grid> mapKernel(func::FuncOp function) {
    Block &body = function.getBody().front();
    SmallVector<scf::ForallOp> foralls(body.getOps<scf::ForallOp>());
    SmallVector<Value> ids;
    Type index = IndexType::get(&getContext());
    for (int axis = 0; axis < 3; ++axis)
      ids.push_back(body.addArgument(index, function.getLoc()));
    function.setType(
        FunctionType::get(&getContext(), body.getArgumentTypes(), function.getResultTypes()));
    if (foralls.empty())
      return Grid{1, 1, 1};
    if (foralls.size() > 1 || !allPure(opsOutside(body, foralls)))
      return sideBySide(body, foralls, ids[0]);
    OpBuilder builder(foralls.front());
    FailureOr<SmallVector<Loop>> loops = loopsOf(foralls.front());
    if (failed(loops))
      return failure();
    return dissolve(builder, foralls.front(), *loops, ids,
                    [&](size_t loop) { return std::min<size_t>(loops->size() - 1 - loop, 2); });
  }
};
} // namespace
