//===- FormIntegerSums.cpp - multiply quantised factors as integers -------===//
//
//     reduce_add(((x - p) * a) * ((w - q) * b))
//         ->  (reduce_add(x * (w - q)) - p * reduce_add(w - q)) * (a * b)
//
// where x are integers of 8 or 16 bits in f32 clothes, w, the points p and q and the
// scales a and b are constants, and no scale changes along the sum. What is summed are
// integers then, exactly, and read as they lie in memory. The term with p is a constant;
// a pad with zeros becomes one with p.
//
// Why this is allowed: it is what tiny-schedule-fold-scales does, the other way round. A
// factor of all terms moves out of the sum, which spares each a few roundings. The bounds of
// the interpreter have it (lib/Reference/ScaledSums.cpp). The integers do not wrap, and the
// scales are neither so large nor so small that their product matters.
//
//===----------------------------------------------------------------------===//

#include "ConstantTensor.h"
#include "Tiny/Schedule/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <cmath>

namespace mlir::tiny {
#define GEN_PASS_DEF_FORMINTEGERSUMSPASS
#include "Tiny/Schedule/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

/// Magnitudes that a scale has: products of two of them and a sum stay normal numbers.
static constexpr double smallestScale = 0x1p-40, largestScale = 0x1p40;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

namespace {
/// A factor of a product of floats: `moved(cast(cast(narrow) + offset) * scale)`.
struct Quantised {
  SmallVector<Operation *> moved; ///< From the scaling to the product.
  Value narrow;                   ///< Integers of 8 or 16 bits.
  bool isConstant = false;
  int64_t offset = 0;   ///< What is added to each.
  int64_t largest = 0;  ///< The largest magnitude of the sum.
  ConstantTensor scale; ///< Of the shape that the product has.
  uint64_t dims = 0;    ///< Along which the factor changes, as bits.
};

struct FormIntegerSumsPass : public tiny::impl::FormIntegerSumsPassBase<FormIntegerSumsPass> {
  using Base::Base;
  void runOnOperation() override;

private:
  ConstantTensor constantOf(Value value);
  std::optional<Quantised> match(Value factor);
  bool matchIntegers(Value integers, Quantised &result);
  Value emit(OpBuilder &builder, const Quantised &factor);
  Value scaleOf(OpBuilder &builder, const Quantised &factor, ReduceOp sum);
  bool form(ReduceOp sum);

  llvm::DenseMap<Value, ConstantTensor> known;
  int64_t numBlobs = 0;
};
} // namespace

/// What `value` is, where it depends on constants only.
ConstantTensor FormIntegerSumsPass::constantOf(Value value) {
  if (auto found = known.find(value); found != known.end())
    return found->second;
  ConstantTensor result;
  Operation *op = value.getDefiningOp();
  if (auto constant = dyn_cast_or_null<ConstantOp>(op)) {
    if (typeOf(value).getNumElements() > 0)
      result = readConstant(constant);
  } else if (op && (isElementwise(op) || isMovement(op)) && typeOf(value).getNumElements() > 0) {
    SmallVector<ConstantTensor> operands;
    for (Value operand : op->getOperands()) {
      operands.push_back(constantOf(operand));
      if (!operands.back())
        return known[value] = {};
    }
    result = evaluate(op, operands);
  }
  return known[value] = result;
}

/// All numbers that `tensor`, of i32 or f32, stores.
template <typename T> static SmallVector<T> numbersOf(const ConstantTensor &tensor) {
  const ConstantTensor packed = tensor.layout.isPacked() ? tensor : pack(tensor);
  const T *data = reinterpret_cast<const T *>(packed.data.get());
  return SmallVector<T>(data, data + packed.layout.numStored());
}

/// `integers`, an i32 tensor, as narrow ones plus a number.
bool FormIntegerSumsPass::matchIntegers(Value integers, Quantised &result) {
  if (ConstantTensor weights = constantOf(integers); weights.data) {
    for (int32_t number : numbersOf<int32_t>(weights))
      result.largest = std::max<int64_t>(result.largest, std::abs(int64_t(number)));
    if (result.largest > INT16_MAX)
      return false;
    result.narrow = integers; // to be made narrow where the product is
    result.isConstant = true;
    return true;
  }
  if (auto shifted = integers.getDefiningOp<AddOp>()) {
    ConstantTensor offset = constantOf(shifted.getRhs());
    if (!offset || offset.layout.numStored() != 1)
      return false;
    result.offset = numbersOf<int32_t>(offset).front();
    integers = shifted.getLhs();
  }
  auto cast = integers.getDefiningOp<CastOp>();
  auto type =
      cast ? dyn_cast<IntegerType>(typeOf(cast.getInput()).getElementType()) : IntegerType();
  if (!type || (type.getWidth() != 8 && type.getWidth() != 16))
    return false;
  bool isUnsigned = type.isUnsigned();
  int64_t low = isUnsigned ? 0 : -(int64_t(1) << (type.getWidth() - 1)),
          high = low + (int64_t(1) << type.getWidth()) - 1;
  // 16 bits hold it as a signed number, and a pad can have the number that stands for 0.
  if (high > INT16_MAX || -result.offset < low || -result.offset > high)
    return false;
  result.narrow = cast.getInput();
  result.largest = std::max(std::abs(low + result.offset), std::abs(high + result.offset));
  return true;
}

std::optional<Quantised> FormIntegerSumsPass::match(Value factor) {
  Quantised result;
  Value at = factor;
  for (Operation *op = at.getDefiningOp(); op && isMovement(op); op = at.getDefiningOp()) {
    result.moved.push_back(op);
    at = op->getOperand(0);
  }
  std::reverse(result.moved.begin(), result.moved.end());
  auto scaling = at.getDefiningOp<MulOp>();
  if (!scaling)
    return std::nullopt;
  auto cast = scaling.getLhs().getDefiningOp<CastOp>();
  if (!cast || !typeOf(cast.getInput()).getElementType().isInteger(32))
    return std::nullopt;
  result.scale = constantOf(scaling.getRhs());
  if (!result.scale || !matchIntegers(cast.getInput(), result))
    return std::nullopt;
  for (float scale : numbersOf<float>(result.scale))
    if (!(std::fabs(scale) >= smallestScale && std::fabs(scale) <= largestScale))
      return std::nullopt;
  // The scale goes where the factor goes.
  Layout dims = Layout::rowMajor(typeOf(at).getShape());
  for (Operation *op : result.moved) {
    ArrayRef<int64_t> shape = typeOf(op->getResult(0)).getShape();
    Layout &layout = result.scale.layout;
    if (auto pad = dyn_cast<PadOp>(op)) {
      auto value = dyn_cast<FloatAttr>(pad.getValue());
      if (layout.numStored() != 1 || !value || !value.getValue().isPosZero())
        return std::nullopt;
      layout.shape = llvm::to_vector(shape);
      layout.strides.assign(shape.size(), 0);
    } else if (std::optional<Layout> next = layout.through(op)) {
      layout = *next;
    } else {
      return std::nullopt;
    }
    std::optional<Layout> next = isa<PadOp>(op) ? std::nullopt : dims.through(op);
    dims = next ? *next : Layout::rowMajor(shape);
  }
  for (auto [dim, stride] : llvm::enumerate(dims.strides))
    result.dims |= uint64_t(stride != 0) << dim;
  return result;
}

/// The integers of `factor` where the product is, without the offset.
Value FormIntegerSumsPass::emit(OpBuilder &builder, const Quantised &factor) {
  Value value = factor.narrow;
  Location loc = value.getLoc();
  auto i32 = builder.getI32Type();
  if (typeOf(value).getElementType() == i32) {
    Type narrow = builder.getIntegerType(factor.largest <= INT8_MAX ? 8 : 16);
    value = CastOp::create(builder, loc, typeOf(value).clone(narrow), value);
  }
  Type element = typeOf(value).getElementType();
  for (Operation *step : factor.moved) {
    Operation *copy = builder.clone(*step);
    copy->setOperand(0, value);
    value = copy->getResult(0);
    value.setType(typeOf(value).clone(element));
    if (auto pad = dyn_cast<PadOp>(copy))
      pad.setValueAttr(builder.getIntegerAttr(element, -factor.offset));
  }
  return CastOp::create(builder, loc, typeOf(value).clone(i32), value);
}

/// The scale of `factor` as what `sum` is multiplied with.
Value FormIntegerSumsPass::scaleOf(OpBuilder &builder, const Quantised &factor, ReduceOp sum) {
  ConstantTensor scale = factor.scale;
  Layout layout = scale.layout;
  scale.layout.shape.clear();
  scale.layout.strides.clear();
  for (auto [dim, size] : llvm::enumerate(layout.shape))
    if (!llvm::is_contained(sum.getDims(), static_cast<int64_t>(dim))) {
      scale.layout.shape.push_back(size);
      scale.layout.strides.push_back(layout.strides[dim]);
    }
  return materialize(builder, sum.getLoc(), pack(scale), "scale_" + Twine(numBlobs++));
}

/// Makes `sum` one of integers, if it is one of products of quantised factors.
bool FormIntegerSumsPass::form(ReduceOp sum) {
  auto product = sum.getInput().getDefiningOp<MulOp>();
  auto type = cast<RankedTensorType>(sum.getType());
  if (sum.getKind() != ReduceKind::add || !type.getElementType().isF32() || !product ||
      !product->hasOneUse() || type.getNumElements() == 0)
    return false;
  std::optional<Quantised> lhs = match(product.getLhs());
  std::optional<Quantised> rhs = lhs ? match(product.getRhs()) : std::nullopt;
  // The sum of the other factor, which an offset is multiplied with, is computed here.
  if (!rhs || (lhs->offset && !rhs->isConstant) || (rhs->offset && !lhs->isConstant))
    return false;
  // No scale changes along the sum, whose terms fit 32 bits, and as panels take them.
  ArrayRef<int64_t> shape = typeOf(product).getShape();
  double terms = 1, lhsUses = 1, rhsUses = 1;
  for (auto [dim, size] : llvm::enumerate(shape)) {
    bool reduced = llvm::is_contained(sum.getDims(), static_cast<int64_t>(dim));
    if (reduced) {
      terms *= size;
      if (lhs->scale.layout.strides[dim] || rhs->scale.layout.strides[dim])
        return false;
    } else {
      lhsUses *= lhs->dims >> dim & 1 ? 1 : size;
      rhsUses *= rhs->dims >> dim & 1 ? 1 : size;
    }
  }
  if (terms * lhs->largest * rhs->largest > INT32_MAX || lhsUses < minUses || rhsUses < minUses)
    return false;

  OpBuilder builder(sum);
  Location loc = sum.getLoc();
  auto i32 = builder.getI32Type();
  Value left = emit(builder, *lhs), right = emit(builder, *rhs);
  auto sumOf = [&](Value value) -> Value {
    return ReduceOp::create(builder, loc, type.clone(i32), sum.getKind(), value, sum.getDims());
  };
  Value integers = sumOf(MulOp::create(builder, loc, left, right));
  if (int64_t offset = lhs->offset ? lhs->offset : rhs->offset) {
    auto all = DenseElementsAttr::get(type.clone(i32), static_cast<int32_t>(offset));
    Value times = ConstantOp::create(builder, loc, all);
    Value others = sumOf(lhs->offset ? right : left);
    integers = AddOp::create(builder, loc, integers, MulOp::create(builder, loc, others, times));
  }
  Value scale = scaleOf(builder, *lhs, sum);
  scale = MulOp::create(builder, loc, scale, scaleOf(builder, *rhs, sum));
  Value scaled = MulOp::create(builder, loc, CastOp::create(builder, loc, type, integers), scale);
  sum.replaceAllUsesWith(scaled);
  return true;
}

void FormIntegerSumsPass::runOnOperation() {
  auto function = getOperation().lookupSymbol<func::FuncOp>(entry);
  // Whether there is an entry of the right form is for tiny-schedule-form-kernels to say.
  if (!function || function.isExternal() || !llvm::hasSingleElement(function.getBody()))
    return;
  Block &block = function.getBody().front();
  SmallVector<ReduceOp> sums(block.getOps<ReduceOp>());
  int64_t formed = 0;
  for (ReduceOp sum : sums) {
    formed += form(sum);
    known.clear(); // the weights of one sum are in memory at a time
  }
  if (!formed)
    return;
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (op.use_empty() && isMemoryEffectFree(&op) && !op.hasTrait<OpTrait::IsTerminator>())
      op.erase();
}
