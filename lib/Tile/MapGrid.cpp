//===- MapGrid.cpp - the workgroup loop becomes the kernel's grid ---------===//
//
// One call of a kernel is one workgroup, on every target (the kernel ABI). Grid
// dimensions are fixed to three, so further loops are folded into the last one.
//
//===----------------------------------------------------------------------===//

#include "KernelNest.h"

#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_MAPGRIDPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

/// Workgroups along x, y and z.
using Grid = std::array<int64_t, 3>;

/// Moves the body of `forall` in front of it, its induction variables computed from x, y and z.
static FailureOr<Grid> dissolve(scf::ForallOp forall, ValueRange ids) {
  OpBuilder builder(forall);
  Location loc = forall.getLoc();
  Grid grid = {1, 1, 1};
  int64_t shared = 1; // workgroups of the loops that z holds already
  int64_t rank = forall.getRank();
  for (int64_t loop = rank - 1; loop >= 0; --loop) {
    std::optional<int64_t> low = getConstantIntValue(forall.getMixedLowerBound()[loop]);
    std::optional<int64_t> high = getConstantIntValue(forall.getMixedUpperBound()[loop]);
    std::optional<int64_t> step = getConstantIntValue(forall.getMixedStep()[loop]);
    if (!low || !high || !step)
      return forall.emitOpError() << "has a bound that is not constant";
    int64_t count = llvm::divideCeilSigned(*high - *low, *step);
    int64_t axis = std::min<int64_t>(rank - 1 - loop, 2);
    AffineExpr id = builder.getAffineDimExpr(0);
    if (axis == 2)
      id = id.floorDiv(shared) % count;
    if (loop == 0 && axis == 2)
      id = builder.getAffineDimExpr(0).floorDiv(shared); // the last one needs no remainder
    Value index = affine::AffineApplyOp::create(builder, loc,
                                                AffineMap::get(1, 0, id * *step + *low), ids[axis]);
    forall.getInductionVar(loop).replaceAllUsesWith(index);
    grid[axis] *= count;
    if (axis == 2)
      shared *= count;
  }
  Block *body = forall.getBody();
  body->getTerminator()->erase();
  forall->getBlock()->getOperations().splice(forall->getIterator(), body->getOperations());
  forall.erase();
  return grid;
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
    SmallVector<scf::ForallOp> foralls;
    function.walk([&](scf::ForallOp forall) { foralls.push_back(forall); });
    if (foralls.size() > 1)
      return function.emitOpError()
             << "has " << foralls.size() << " scf.forall loops; the grid is one of them";
    SmallVector<Value> ids;
    Type index = IndexType::get(&getContext());
    Block &body = function.getBody().front();
    for (int axis = 0; axis < 3; ++axis)
      ids.push_back(body.addArgument(index, function.getLoc()));
    function.setType(
        FunctionType::get(&getContext(), body.getArgumentTypes(), function.getResultTypes()));
    if (foralls.empty())
      return Grid{1, 1, 1};
    return dissolve(foralls.front(), ids);
  }
};
} // namespace
