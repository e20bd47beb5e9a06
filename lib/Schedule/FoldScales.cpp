//===- FoldScales.cpp - constant factors into the weights of a sum --------===//
//
//     reduce_add(x * w) * s              ->  reduce_add(x * (w * s))
//     (reduce_add(x * w) + b) * s + t    ->  reduce_add(x * (w * s)) + (b * s + t)
//
// where w, b, s and t are constants and s changes only along dims along which w does
// too: a batch normalisation behind a convolution costs nothing then. A division
// by s divides the weights, which is no multiplication by 1 / s either way.
// Movement ops may stand between all of these: s is followed through them as a
// layout (ConstantTensor.h), so neither the spelling of the normalisation nor the
// groups of the convolution matter.
//
// Why this is allowed although elementwise ops are exact: the terms of a sum may be
// combined in any order, so its error is within a multiple of the sum of their
// magnitudes. A factor that moves into the terms adds one rounding to each, and
// what is added to a sum is one more term of it. The interpreter's bounds (lib/
// Reference) know of this freedom. It ends where the sum is rounded to another
// type, so a cast stops the search. Nothing is done either where a product is not
// a finite, normal number: there the error of the weights has no bound.
//
//===----------------------------------------------------------------------===//

#include "ConstantTensor.h"
#include "Tiny/Schedule/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

namespace mlir::tiny {
#define GEN_PASS_DEF_FOLDSCALESPASS
#include "Tiny/Schedule/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

/// A constant under movement ops and casts; none for any other value. tiny-schedule-fold-constants
/// leaves no more than a few of them.
static ConstantTensor constantOf(Value value) {
  constexpr int kMaxDepth = 8;
  SmallVector<Operation *, kMaxDepth> path;
  Operation *op = value.getDefiningOp();
  while (op && (isMovement(op) || isa<CastOp>(op)) && path.size() < kMaxDepth) {
    path.push_back(op);
    op = op->getOperand(0).getDefiningOp();
  }
  auto source = dyn_cast_or_null<ConstantOp>(op);
  if (!source || cast<RankedTensorType>(value.getType()).getNumElements() == 0 ||
      source.getType().getNumElements() == 0)
    return {};
  ConstantTensor result = readConstant(source);
  for (Operation *step : llvm::reverse(path))
    if (result.data)
      result = evaluate(step, result);
  return result;
}

/// Of a commutative op: the constant operand and the number of the other one.
static std::pair<ConstantTensor, unsigned> splitConstant(Operation *op) {
  for (unsigned side : {1, 0})
    if (ConstantTensor constant = constantOf(op->getOperand(side)); constant.data)
      return {constant, 1 - side};
  return {{}, 0};
}

//===----------------------------------------------------------------------===//
// Following a constant against the direction of movement
//===----------------------------------------------------------------------===//

/// `outer` is the layout of something that is combined with the result of `movement`, element by
/// element. The layout of the same buffer with which it is combined with the operand, where it
/// does not matter which way round: every element of the operand must meet one element only.
static std::optional<Layout> pullBack(Operation *movement, const Layout &outer) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(movement->getOperand(0).getType()).getShape();
  if (isa<ReshapeOp>(movement))
    return outer.reshaped(shape);
  Layout inner = outer;
  inner.shape = llvm::to_vector(shape);
  if (auto permute = dyn_cast<PermuteOp>(movement)) {
    for (auto [i, dim] : llvm::enumerate(permute.getPermutation()))
      inner.strides[dim] = outer.strides[i];
    return inner;
  }
  // What changes a dim otherwise must find the same element all along it.
  auto stride = dyn_cast<StrideOp>(movement);
  if (!stride && !isa<ExpandOp, ShrinkOp>(movement))
    return std::nullopt;
  for (int64_t dim = 0, rank = shape.size(); dim < rank; ++dim)
    if (outer.strides[dim] &&
        (shape[dim] != outer.shape[dim] || (stride && stride.getSteps()[dim] != 1)))
      return std::nullopt;
  return inner;
}

/// The same for the input of a reduction: every element of a sum meets the factor of the sum.
static Layout pullBack(ReduceOp reduce, const Layout &outer) {
  Layout inner = Layout::splat(reduce.getInput().getType().getShape());
  inner.offset = outer.offset;
  for (int64_t dim = 0, kept = 0, rank = inner.shape.size(); dim < rank; ++dim)
    if (!llvm::is_contained(reduce.getDims(), dim))
      inner.strides[dim] = outer.strides[kept++];
  return inner;
}

//===----------------------------------------------------------------------===//
// Numbers that may be moved
//===----------------------------------------------------------------------===//

/// What matters of the magnitudes of a f32 or f64 tensor.
namespace {
struct Magnitudes {
  double smallest = HUGE_VAL, largest = 0; // but for zeros
  int64_t zeros = 0;
  bool areFinite = true;

  explicit Magnitudes(const ConstantTensor &tensor) {
    const ConstantTensor packed = tensor.layout.isPacked() ? tensor : pack(tensor);
    auto scan = [&](const auto *data) {
      for (int64_t k = 0, count = packed.layout.numStored(); k < count; ++k) {
        double magnitude = std::fabs(static_cast<double>(data[k]));
        areFinite &= std::isfinite(magnitude);
        zeros += magnitude == 0;
        smallest = magnitude != 0 ? std::min(smallest, magnitude) : smallest;
        largest = std::max(largest, magnitude);
      }
    };
    if (packed.elementType.isF64())
      scan(reinterpret_cast<const double *>(packed.data.get()));
    else
      scan(reinterpret_cast<const float *>(packed.data.get()));
  }
};
} // namespace

/// Whether `scaled` may stand for `original` times (or divided by) `factor` inside of a sum.
/// Factors outside of the range would let terms overflow or vanish where the sum does neither; the
/// bounds of the interpreter have it too. Products are finite, and lose no digits by being too
/// small unless they are nothing next to the largest (what training leaves of a weight that is not
/// needed). None vanishes: an infinity times 0 would be a NaN.
static bool isTame(const ConstantTensor &original, const Magnitudes &factor, bool isDivisor,
                   const ConstantTensor &scaled) {
  double least = std::ldexp(1.0, isDivisor ? -40 : -80),
         most = std::ldexp(1.0, isDivisor ? 80 : 40);
  bool isInRange =
      factor.smallest == HUGE_VAL || (factor.smallest >= least && factor.largest <= most);
  if (!factor.areFinite || !isInRange || (isDivisor && factor.zeros))
    return false;
  Magnitudes before(original), after(scaled);
  double normal = std::ldexp(1.0, scaled.elementType.isF64() ? -1022 : -126);
  bool vanishes =
      factor.zeros ? before.smallest * factor.smallest < normal : after.zeros != before.zeros;
  return after.areFinite && !vanishes &&
         (after.largest == 0 || after.largest >= normal * std::ldexp(1.0, 60));
}

//===----------------------------------------------------------------------===//
// The fold
//===----------------------------------------------------------------------===//

namespace {
/// A constant operand that changes with the fold.
struct Change {
  Operation *op;
  unsigned operand;
  ConstantTensor before, value;
};

struct FoldScalesPass : public tiny::impl::FoldScalesPassBase<FoldScalesPass> {
  using Base::Base;
  void runOnOperation() override;

private:
  bool foldFactor(Operation *scaling);
  void mergeSummands(Operation *outer);
  void apply(ArrayRef<Change> changes);

  int64_t numBlobs = 0;
};
} // namespace

/// The product, or nothing if it has more elements than its larger factor.
static ConstantTensor combine(Operation *op, const ConstantTensor &a, const ConstantTensor &b) {
  ConstantTensor result = evaluate(op, {a, b});
  if (result.layout.numStored() > std::max(a.layout.numStored(), b.layout.numStored()))
    return {};
  return result;
}

void FoldScalesPass::apply(ArrayRef<Change> changes) {
  for (const Change &change : changes) {
    OpBuilder b(change.op);
    change.op->setOperand(change.operand, materialize(b, change.op->getLoc(), change.value,
                                                      "scaled_" + Twine(numBlobs++)));
  }
}

/// Where `scaling`, a mul or a div, is by a constant: moves that into the weights of a sum and
/// erases `scaling`. False, with nothing changed, if it does not scale such a sum.
bool FoldScalesPass::foldFactor(Operation *scaling) {
  ConstantTensor factor;
  unsigned side = 0;
  if (isa<DivOp>(scaling))
    factor = constantOf(scaling->getOperand(1));
  else
    std::tie(factor, side) = splitConstant(scaling);
  if (!factor)
    return false;

  // Down to the sum, and further down to the product with weights.
  SmallVector<Change, 2> changes;
  ReduceOp sum;
  Value at = scaling->getOperand(side);
  while (true) {
    Operation *op = at.getDefiningOp();
    if (!op || !at.hasOneUse())
      return false;
    if (isMovement(op)) {
      std::optional<Layout> layout = pullBack(op, factor.layout);
      if (!layout)
        return false;
      factor.layout = *layout;
      at = op->getOperand(0);
    } else if (auto reduce = dyn_cast<ReduceOp>(op);
               reduce && !sum && reduce.getKind() == ReduceKind::add) {
      sum = reduce;
      factor.layout = pullBack(reduce, factor.layout);
      at = reduce.getInput();
    } else if (isa<AddOp>(op) && !sum) {
      auto [summand, other] = splitConstant(op);
      ConstantTensor scaled = summand.data ? combine(scaling, summand, factor) : ConstantTensor();
      if (!scaled)
        return false;
      changes.push_back({op, 1 - other, summand, scaled});
      at = op->getOperand(other);
    } else if (isa<MulOp>(op) && sum) {
      auto [weights, other] = splitConstant(op);
      if (!weights)
        return false;
      ConstantTensor scaled = evaluate(scaling, {weights, factor});
      if (scaled.layout.numStored() > weights.layout.numStored())
        return false;
      changes.push_back({op, 1 - other, weights, scaled});
      break;
    } else {
      return false;
    }
  }
  Magnitudes magnitudes(factor);
  bool isTameThroughout = llvm::all_of(changes, [&](const Change &change) {
    return isTame(change.before, magnitudes, isa<DivOp>(scaling), change.value);
  });
  if (!isTameThroughout) {
    remark::missed(scaling->getLoc(),
                   remark::RemarkOpts::name("FoldScales").category("tiny-schedule"))
        << remark::reason("the factor is not folded into the weights of {0}: some of them would "
                          "not be finite, normal numbers",
                          sum->getLoc());
    return false;
  }
  apply(changes);
  Value scaled = scaling->getOperand(side);
  scaling->getResult(0).replaceAllUsesWith(scaled);
  scaling->erase(); // it would count as a use

  // From the sum outwards: the summands that were scaled, and one that comes after it.
  SmallVector<Operation *> summands;
  for (const Change &change : llvm::reverse(changes))
    if (isa<AddOp>(change.op))
      summands.push_back(change.op);
  if (!summands.empty() && scaled.hasOneUse())
    summands.push_back(*scaled.user_begin());
  for (Operation *outer : summands)
    mergeSummands(outer);
  return true;
}

/// Where `outer` adds a constant t to a sum + b, behind movement or not: one addition of b + t.
void FoldScalesPass::mergeSummands(Operation *outer) {
  if (!isa<AddOp>(outer))
    return;
  auto [summand, side] = splitConstant(outer);
  if (!summand)
    return;
  Value rest = outer->getOperand(side), at = rest;
  while (Operation *op = at.getDefiningOp()) {
    if (!at.hasOneUse())
      return;
    if (isa<AddOp>(op)) {
      auto [inner, other] = splitConstant(op);
      ConstantTensor merged = inner.data ? combine(outer, inner, summand) : ConstantTensor();
      if (!merged || !Magnitudes(merged).areFinite)
        return;
      apply(Change{op, 1 - other, inner, merged});
      outer->getResult(0).replaceAllUsesWith(rest);
      outer->erase();
      return;
    }
    std::optional<Layout> layout =
        isMovement(op) ? pullBack(op, summand.layout) : std::optional<Layout>();
    if (!layout)
      return;
    summand.layout = *layout;
    at = op->getOperand(0);
  }
}

void FoldScalesPass::runOnOperation() {
  auto function = getOperation().lookupSymbol<func::FuncOp>(entry);
  // Whether there is an entry of the right form is for tiny-schedule-form-kernels to say.
  if (!function || function.isExternal() || !llvm::hasSingleElement(function.getBody()))
    return;
  Block &block = function.getBody().front();
  SmallVector<Operation *> factors; // inner ones first
  for (Operation &op : block) {
    if (!isa<MulOp, DivOp>(op))
      continue;
    Type type = cast<RankedTensorType>(op.getResult(0).getType()).getElementType();
    if (type.isF32() || type.isF64())
      factors.push_back(&op);
  }
  int64_t folded = llvm::count_if(factors, [&](Operation *op) { return foldFactor(op); });
  if (!folded)
    return;
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (op.use_empty() && isMemoryEffectFree(&op) && !op.hasTrait<OpTrait::IsTerminator>())
      op.erase();
}
