//===- SinkCasts.cpp - pad factors in their narrow type -------------------===//
//
//     pad(cast(x)) * w  ->  cast(pad(x)) * w
//
// What lies under a pad is a buffer of its own (Materialisation.cpp): a convolution of
// f16 would read a copy of its input in f32. Whoever multiplies narrow types wants them
// from memory as they are, so a cast to a wider type moves behind the pad, where it is part
// of the load. The elements are the same: the value of the pad is one of the narrow type.
//
//===----------------------------------------------------------------------===//

#include "Materialisation.h"
#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Schedule/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/APSInt.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_SINKCASTSPASS
#include "Tiny/Schedule/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

/// `value` in the type `to`, if a cast makes the same number of it again; otherwise null.
static TypedAttr narrowed(TypedAttr value, Type to) {
  if (auto real = dyn_cast<FloatAttr>(value)) {
    APFloat number = real.getValue();
    if (auto type = dyn_cast<FloatType>(to)) {
      bool loses = false;
      number.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven, &loses);
      return loses || number.isNaN() ? TypedAttr() : FloatAttr::get(type, number);
    }
    APSInt integer(to.getIntOrFloatBitWidth(), to.isUnsignedInteger());
    bool exact = false;
    if (number.convertToInteger(integer, APFloat::rmTowardZero, &exact) != APFloat::opOK ||
        !exact || number.isNegZero())
      return {};
    return IntegerAttr::get(to, integer);
  }
  APSInt integer(cast<IntegerAttr>(value).getValue(), value.getType().isUnsignedInteger());
  APSInt result = integer.extOrTrunc(to.getIntOrFloatBitWidth());
  result.setIsUnsigned(to.isUnsignedInteger());
  return APSInt::isSameValue(integer, result) ? IntegerAttr::get(to, result) : TypedAttr();
}

/// Whether everything that reads `value`, moved or not, multiplies it.
static bool isFactor(Value value) {
  return llvm::all_of(value.getUsers(), [](Operation *user) {
    return isa<MulOp>(user) || (isMovement(user) && isFactor(user->getResult(0)));
  });
}

static void sinkBehind(PadOp pad) {
  SmallVector<Operation *> moved = {pad}; // from the pad to the cast
  Operation *op = pad.getInput().getDefiningOp();
  for (; op && isMovement(op) && !isa<PadOp>(op); op = op->getOperand(0).getDefiningOp())
    moved.push_back(op);
  auto wide = dyn_cast_or_null<CastOp>(op);
  if (!wide || !isWidening(wide) || !isFactor(pad))
    return;
  Type element = wide.getInput().getType().getElementType();
  TypedAttr value = element.isInteger(1) ? TypedAttr() : narrowed(pad.getValue(), element);
  if (!value)
    return;
  OpBuilder builder(pad);
  Value narrow = wide.getInput();
  for (Operation *step : llvm::reverse(moved)) {
    Operation *copy = builder.clone(*step);
    copy->setOperand(0, narrow);
    narrow = copy->getResult(0);
    narrow.setType(cast<RankedTensorType>(narrow.getType()).clone(element));
    if (auto narrowPad = dyn_cast<PadOp>(copy))
      narrowPad.setValueAttr(value);
  }
  pad.replaceAllUsesWith(CastOp::create(builder, wide.getLoc(), pad.getType(), narrow).getResult());
  for (Operation *step : moved)
    if (step->use_empty())
      step->erase();
}

namespace {
struct SinkCastsPass : public tiny::impl::SinkCastsPassBase<SinkCastsPass> {
  using SinkCastsPassBase::SinkCastsPassBase;

  void runOnOperation() override {
    auto function = getOperation().lookupSymbol<func::FuncOp>(entry);
    if (!function || function.isExternal())
      return; // forming kernels reports it
    SmallVector<PadOp> pads;
    function.walk([&](PadOp pad) { pads.push_back(pad); });
    for (PadOp pad : pads) // in order: the cast of an inner pad may move on
      sinkBehind(pad);
  }
};
} // namespace
