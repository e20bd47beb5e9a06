//===- VerifyScheduled.cpp - the contract of the Schedule stage -----------===//

#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Schedule/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_VERIFYSCHEDULEDPASS
#include "Tiny/Schedule/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

namespace {
struct VerifyScheduledPass : public tiny::impl::VerifyScheduledPassBase<VerifyScheduledPass> {
  using Base::Base;
  void runOnOperation() override;
};
} // namespace

/// The slot lies inside its segment and holds the whole value.
static LogicalResult checkSlot(Operation *op, Value value, int64_t constantsBytes,
                               int64_t workspaceBytes) {
  SlotAttr slot = slotOf(value);
  if (!slot)
    return op->emitOpError() << "has a value without a slot; run tiny-schedule-plan-memory";
  int64_t bytes = storageBytes(cast<RankedTensorType>(value.getType()));
  if (slot.getBytes() != bytes)
    return op->emitOpError() << "has a slot of " << slot.getBytes() << " bytes for " << bytes;
  int64_t size = bytes;
  if (slot.getSegment() == Segment::constants)
    size = constantsBytes;
  else if (slot.getSegment() == Segment::workspace)
    size = workspaceBytes;
  if (slot.getOffset() < 0 || slot.getOffset() + bytes > size)
    return op->emitOpError() << "has " << slot << ", outside its segment of " << size << " bytes";
  return success();
}

static LogicalResult checkHost(func::FuncOp function) {
  auto size = [&](StringRef name) {
    auto attr = function->getAttrOfType<IntegerAttr>(name);
    return attr ? attr.getInt() : 0;
  };
  int64_t constantsBytes = size("tiny.constants_bytes");
  int64_t workspaceBytes = size("tiny.workspace_bytes");
  for (Operation &op : function.getBody().front()) {
    if (!isa<ConstantOp, LaunchOp, ExpectEqOp, ExpectCloseOp, func::ReturnOp>(op))
      return op.emitOpError() << "is left in the host function after scheduling";
    for (Value value : op.getResults())
      if (failed(checkSlot(&op, value, constantsBytes, workspaceBytes)))
        return failure();
  }
  return success();
}

/// A place is one of a dim that the destination's map says nothing of.
static WalkResult checkPlace(PlaceOp place) {
  auto op = dyn_cast<linalg::LinalgOp>(place->getParentOp());
  AffineMap map;
  if (op)
    map = op.getMatchingIndexingMap(op.getDpsInitOperand(op.getNumDpsInits() - 1));
  if (map && place.getDim() < map.getNumResults() &&
      map.getResult(place.getDim()) == getAffineConstantExpr(0, place.getContext()))
    return WalkResult::advance();
  place.emitOpError() << "is for dim " << place.getDim()
                      << ", which is no dim of the destination that its map has a 0 for";
  return WalkResult::interrupt();
}

static LogicalResult checkKernel(func::FuncOp kernel) {
  WalkResult result = kernel.walk([](Operation *op) {
    if (auto place = dyn_cast<PlaceOp>(op))
      return checkPlace(place);
    if (isa<TinyDialect>(op->getDialect()) && !isa<OnlineReduceOp, ReadOp, YieldOp>(op)) {
      op->emitOpError() << "is left in a kernel after scheduling";
      return WalkResult::interrupt();
    }
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    if (!linalgOp)
      return WalkResult::advance();
    for (AffineMap map : linalgOp.getIndexingMapsArray()) {
      // Along dims with a place the map has zeros.
      if (!linalgOp.getBlock()->getOps<PlaceOp>().empty()) {
        auto indices = llvm::to_vector(llvm::make_filter_range(
            map.getResults(), [](AffineExpr expr) { return !isa<AffineConstantExpr>(expr); }));
        map = AffineMap::get(map.getNumDims(), 0, indices, map.getContext());
      }
      if (map.isProjectedPermutation())
        continue;
      op->emitOpError() << "has the map " << AffineMapAttr::get(map)
                        << ", which is not a projected permutation; read it in the body instead";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

void VerifyScheduledPass::runOnOperation() {
  for (auto function : getOperation().getOps<func::FuncOp>()) {
    LogicalResult result = success();
    if (function.getName() == entry)
      result = checkHost(function);
    else if (function->hasAttr("tiny.kernel"))
      result = checkKernel(function);
    if (failed(result))
      return signalPassFailure();
  }
}
