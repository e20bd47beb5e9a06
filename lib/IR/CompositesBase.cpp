//===- CompositesBase.cpp - constants and the ops themselves --------------===//
//
// The layer that all composites stand on: it checks what the verifier would check, so that a wrong
// operand is an error at the front end's location and never an invalid op; it broadcasts; and it
// leaves out the movements that move nothing, which keeps what the composites build canonical.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/Composites.h"

#include "llvm/ADT/SmallBitVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

static std::string str(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

static std::string str(ArrayRef<int64_t> list) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << '[';
  llvm::interleaveComma(list, os);
  os << ']';
  return text;
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

static APFloat toFloat(const std::variant<APFloat, APSInt> &number,
                       const llvm::fltSemantics &semantics) {
  if (const APFloat *value = std::get_if<APFloat>(&number)) {
    APFloat converted = *value;
    bool losesInfo;
    converted.convert(semantics, APFloat::rmNearestTiesToEven, &losesInfo);
    return converted;
  }
  const APSInt &integer = std::get<APSInt>(number);
  APFloat converted(semantics);
  converted.convertFromAPInt(integer, integer.isSigned(), APFloat::rmNearestTiesToEven);
  return converted;
}

static APInt toInteger(const std::variant<APFloat, APSInt> &number, IntegerType type) {
  unsigned width = type.getWidth();
  const APFloat *real = std::get_if<APFloat>(&number);
  if (width == 1)
    return APInt(1, real ? !real->isZero() : !std::get<APSInt>(number).isZero());
  if (!real)
    return std::get<APSInt>(number).extOrTrunc(width);
  APSInt converted(width, type.isUnsigned()); // saturates; NaN gives 0
  bool exact;
  real->convertToInteger(converted, APFloat::rmTowardZero, &exact);
  return converted;
}

TypedAttr Scalar::attribute(Type elementType) const {
  if (auto floatType = dyn_cast<FloatType>(elementType))
    return FloatAttr::get(elementType, toFloat(number, floatType.getFloatSemantics()));
  return IntegerAttr::get(elementType, toInteger(number, cast<IntegerType>(elementType)));
}

//===----------------------------------------------------------------------===//
// Facts and checks
//===----------------------------------------------------------------------===//

RankedTensorType Composer::typeOf(Value x) const {
  return x ? mlir::cast<RankedTensorType>(x.getType()) : RankedTensorType::get({}, b.getF32Type());
}

Value Composer::fail(const Twine &message) const {
  emitError(loc) << message;
  return {};
}

std::optional<int64_t> Composer::dimOf(int64_t dim, int64_t rank) const {
  if (dim >= -rank && dim < rank)
    return dim < 0 ? dim + rank : dim;
  if (rank == 0)
    fail("dim " + Twine(dim) + " does not exist in a tensor of rank 0");
  else
    fail("dim " + Twine(dim) + " does not exist in a tensor of rank " + Twine(rank) +
         "; dims are " + Twine(-rank) + " to " + Twine(rank - 1));
  return std::nullopt;
}

std::optional<SmallVector<int64_t>> Composer::dimsOf(ArrayRef<int64_t> dims, int64_t rank) const {
  SmallVector<int64_t> result;
  llvm::SmallBitVector seen(rank);
  for (int64_t dim : dims) {
    std::optional<int64_t> known = dimOf(dim, rank);
    if (!known)
      return std::nullopt;
    if (seen.test(*known)) {
      fail("dim " + Twine(dim) + " is listed twice in " + str(dims));
      return std::nullopt;
    }
    seen.set(*known);
    result.push_back(*known);
  }
  return result;
}

std::optional<SmallVector<int64_t>> Composer::broadcastShapes(ArrayRef<int64_t> lhs,
                                                              ArrayRef<int64_t> rhs) const {
  ArrayRef<int64_t> longer = lhs.size() >= rhs.size() ? lhs : rhs;
  ArrayRef<int64_t> shorter = lhs.size() >= rhs.size() ? rhs : lhs;
  SmallVector<int64_t> shape(longer);
  size_t shift = longer.size() - shorter.size();
  for (auto [index, size] : llvm::enumerate(shorter)) {
    int64_t &common = shape[shift + index];
    if (common != size && common != 1 && size != 1) {
      fail("shapes " + str(lhs) + " and " + str(rhs) + " do not broadcast: size " + Twine(common) +
           " meets " + Twine(size) + "; aligned at the last dim, sizes must be equal or 1");
      return std::nullopt;
    }
    common = common == 1 ? size : common;
  }
  return shape;
}

TypedAttr Composer::splatOf(Value x) const {
  auto constant = x ? x.getDefiningOp<ConstantOp>() : ConstantOp();
  auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : DenseElementsAttr();
  if (!dense || dense.getNumElements() == 0 || !dense.isSplat())
    return {};
  return mlir::cast<TypedAttr>(dense.getSplatValue<Attribute>());
}

RankedTensorType Composer::checkedType(ArrayRef<int64_t> shape, Type elementType) {
  // In bytes, so that no later byte count overflows; empty dims do not shorten the check, because
  // shapes with the empty dim left out occur on the way.
  int64_t bytes = 8;
  for (int64_t size : shape)
    if (size < 0 || llvm::MulOverflow(bytes, std::max<int64_t>(size, 1), bytes)) {
      fail("a tensor of shape " + str(shape) + " has more bytes than fit 64 bits");
      return {};
    }
  return RankedTensorType::get(shape, elementType);
}

bool Composer::floats(Value x, StringRef what) const {
  if (!x || isFloat(x))
    return static_cast<bool>(x);
  fail(what + " takes float elements, not " + str(elementOf(x)) + "; cast first");
  return false;
}

Value Composer::inF32(Value x, llvm::function_ref<Value(Value)> compute) {
  Type type = elementOf(x);
  return type.isF16() || type.isBF16() ? cast(compute(cast(x, b.getF32Type())), type) : compute(x);
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Value Composer::constant(ElementsAttr value) { return ConstantOp::create(b, loc, value); }

static Value splatConstant(Composer &c, TypedAttr value, RankedTensorType type) {
  ArrayRef<Attribute> elements(value);
  return c.constant(
      DenseElementsAttr::get(type, type.getNumElements() == 0 ? ArrayRef<Attribute>() : elements));
}

Value Composer::splat(const Scalar &value, RankedTensorType type) {
  return splatConstant(*this, value.attribute(type.getElementType()), type);
}

Value Composer::scalarLike(Value like, const Scalar &value) {
  return like ? splat(value, typeOf(like)) : Value();
}

Value Composer::vector(ArrayRef<int64_t> values, Type elementType) {
  SmallVector<Attribute> elements;
  for (int64_t value : values)
    elements.push_back(Scalar(value).attribute(elementType));
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())}, elementType);
  return constant(DenseElementsAttr::get(type, elements));
}

Value Composer::table(ArrayRef<double> values, ArrayRef<int64_t> shape, Type elementType) {
  RankedTensorType type = checkedType(shape, elementType);
  if (!type)
    return {};
  if (type.getNumElements() != static_cast<int64_t>(values.size()))
    return fail("a table of shape " + str(shape) + " takes " + Twine(type.getNumElements()) +
                " numbers, not " + Twine(values.size()));
  if (elementType.isF64())
    return constant(DenseElementsAttr::get(type, values));
  if (elementType.isF32()) { // large tables are f32, and an attribute per element is not small
    SmallVector<float> narrow(llvm::map_range(values, [](double x) -> float { return x; }));
    return constant(DenseElementsAttr::get(type, ArrayRef<float>(narrow)));
  }
  SmallVector<Attribute> elements;
  for (double value : values)
    elements.push_back(Scalar(value).attribute(elementType));
  return constant(DenseElementsAttr::get(type, elements));
}

Value Composer::iota(ArrayRef<int64_t> shape, int64_t dim, Type elementType) {
  std::optional<int64_t> along = dimOf(dim, shape.size());
  RankedTensorType type = along ? checkedType(shape, elementType) : RankedTensorType();
  return type ? Value(IotaOp::create(b, loc, type, b.getI64IntegerAttr(*along))) : Value();
}

//===----------------------------------------------------------------------===//
// Compute
//===----------------------------------------------------------------------===//

Value Composer::exp2(Value x) {
  return floats(x, "exp2") ? Value(Exp2Op::create(b, loc, x)) : Value();
}
Value Composer::log2(Value x) {
  return floats(x, "log2") ? Value(Log2Op::create(b, loc, x)) : Value();
}
Value Composer::sin(Value x) {
  return floats(x, "sin") ? Value(SinOp::create(b, loc, x)) : Value();
}
Value Composer::sqrt(Value x) {
  return floats(x, "sqrt") ? Value(SqrtOp::create(b, loc, x)) : Value();
}

Value Composer::cast(Value x, Type elementType) {
  if (!x || elementOf(x) == elementType)
    return x;
  return CastOp::create(b, loc, typeOf(x).clone(elementType), x);
}

bool Composer::unify(const Operand &x, const Operand &y, StringRef what, Value &lhs, Value &rhs) {
  lhs = x.tensor, rhs = y.tensor;
  if (x.scalar && y.scalar) {
    fail(what + " of two numbers; at least one operand must be a tensor");
    return false;
  }
  // A number takes the other's type; a null that is no number was reported where it arose.
  if (x.scalar && rhs)
    lhs = scalarLike(rhs, *x.scalar);
  if (y.scalar && lhs)
    rhs = scalarLike(lhs, *y.scalar);
  if (!lhs || !rhs)
    return false;
  if (elementOf(lhs) != elementOf(rhs)) {
    fail(what + " of " + str(lhs.getType()) + " and " + str(rhs.getType()) +
         "; both operands must have the same element type, cast one of them");
    return false;
  }
  std::tie(lhs, rhs) = broadcast(lhs, rhs);
  return lhs && rhs;
}

Value Composer::add(const Operand &x, const Operand &y) {
  Value lhs, rhs;
  return unify(x, y, "add", lhs, rhs) ? Value(AddOp::create(b, loc, lhs, rhs)) : Value();
}
Value Composer::mul(const Operand &x, const Operand &y) {
  Value lhs, rhs;
  return unify(x, y, "mul", lhs, rhs) ? Value(MulOp::create(b, loc, lhs, rhs)) : Value();
}
Value Composer::max(const Operand &x, const Operand &y) {
  Value lhs, rhs;
  return unify(x, y, "max", lhs, rhs) ? Value(MaxOp::create(b, loc, lhs, rhs)) : Value();
}
Value Composer::div(const Operand &x, const Operand &y) {
  Value lhs, rhs;
  if (!unify(x, y, "div", lhs, rhs))
    return {};
  if (elementOf(lhs).isInteger(1))
    return fail("div takes numbers, not i1");
  return DivOp::create(b, loc, lhs, rhs);
}
Value Composer::cmp(CmpPredicate predicate, const Operand &x, const Operand &y) {
  Value lhs, rhs;
  return unify(x, y, "cmp", lhs, rhs) ? Value(CmpOp::create(b, loc, predicate, lhs, rhs)) : Value();
}

Value Composer::where(Value condition, const Operand &onTrue, const Operand &onFalse) {
  Value lhs, rhs;
  if (!condition || !unify(onTrue, onFalse, "where", lhs, rhs))
    return {};
  if (!elementOf(condition).isInteger(1))
    return fail("where takes an i1 condition, not " + str(elementOf(condition)));
  std::optional<SmallVector<int64_t>> shape = broadcastShapes(shapeOf(condition), shapeOf(lhs));
  if (!shape)
    return {};
  condition = broadcastTo(condition, *shape);
  lhs = broadcastTo(lhs, *shape), rhs = broadcastTo(rhs, *shape);
  return condition && lhs && rhs ? Value(WhereOp::create(b, loc, condition, lhs, rhs)) : Value();
}

Value Composer::reduce(ReduceKind kind, Value x, ArrayRef<int64_t> dims, bool keepDims) {
  if (!x || dims.empty())
    return x;
  std::optional<SmallVector<int64_t>> along = dimsOf(dims, rankOf(x));
  if (!along)
    return {};
  llvm::sort(*along);
  Value result = ReduceOp::create(b, loc, kind, x, *along);
  if (!keepDims)
    return result;
  SmallVector<int64_t> shape(shapeOf(x));
  for (int64_t dim : *along)
    shape[dim] = 1;
  return reshape(result, shape);
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

Value Composer::reshape(Value x, ArrayRef<int64_t> shape) {
  if (!x || shapeOf(x) == shape)
    return x;
  RankedTensorType type = checkedType(shape, elementOf(x));
  if (!type)
    return {};
  if (type.getNumElements() != typeOf(x).getNumElements())
    return fail("cannot reshape " + str(x.getType()) + " to " + str(type) + ": " +
                Twine(typeOf(x).getNumElements()) + " elements are not " +
                Twine(type.getNumElements()));
  if (TypedAttr value = splatOf(x))
    return splatConstant(*this, value, type);
  return ReshapeOp::create(b, loc, type, x);
}

Value Composer::permute(Value x, ArrayRef<int64_t> permutation) {
  if (!x)
    return {};
  std::optional<SmallVector<int64_t>> order = dimsOf(permutation, rankOf(x));
  if (!order)
    return {};
  if (static_cast<int64_t>(order->size()) != rankOf(x))
    return fail("permutation " + str(permutation) + " does not list the " + Twine(rankOf(x)) +
                " dims of " + str(x.getType()) + " once each");
  if (llvm::is_sorted(*order))
    return x;
  if (TypedAttr value = splatOf(x)) {
    SmallVector<int64_t> shape;
    for (int64_t dim : *order)
      shape.push_back(shapeOf(x)[dim]);
    return splatConstant(*this, value, typeOf(x).clone(shape));
  }
  return PermuteOp::create(b, loc, x, *order);
}

Value Composer::expand(Value x, ArrayRef<int64_t> shape) {
  if (!x || shapeOf(x) == shape)
    return x;
  RankedTensorType type = checkedType(shape, elementOf(x));
  if (!type)
    return {};
  bool fits = shape.size() == shapeOf(x).size();
  for (size_t dim = 0; fits && dim < shape.size(); ++dim)
    fits = shapeOf(x)[dim] == shape[dim] || shapeOf(x)[dim] == 1;
  if (!fits)
    return fail("cannot expand " + str(x.getType()) + " to " + str(type) +
                ": only dims of size 1 repeat");
  if (TypedAttr value = splatOf(x))
    return splatConstant(*this, value, type);
  return ExpandOp::create(b, loc, type, x);
}

Value Composer::pad(Value x, ArrayRef<int64_t> low, ArrayRef<int64_t> high, const Scalar &value) {
  if (!x)
    return {};
  size_t rank = rankOf(x);
  if (low.size() != rank || high.size() != rank)
    return fail("pads " + str(low) + " and " + str(high) + " do not fit " + str(x.getType()) +
                "; give one entry per dim");
  SmallVector<int64_t> shape(shapeOf(x));
  for (size_t dim = 0; dim < rank; ++dim)
    if (low[dim] < 0 || high[dim] < 0 || llvm::AddOverflow(shape[dim], low[dim], shape[dim]) ||
        llvm::AddOverflow(shape[dim], high[dim], shape[dim]))
      return fail("cannot pad dim " + Twine(dim) + " of " + str(x.getType()) + " by " +
                  Twine(low[dim]) + " and " + Twine(high[dim]));
  if (shapeOf(x) == ArrayRef<int64_t>(shape))
    return x;
  RankedTensorType type = checkedType(shape, elementOf(x));
  if (!type)
    return {};
  TypedAttr padding = value.attribute(elementOf(x));
  if (splatOf(x) == padding)
    return splatConstant(*this, padding, type);
  return PadOp::create(b, loc, x, low, high, padding);
}

Value Composer::shrink(Value x, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes) {
  if (!x)
    return {};
  size_t rank = rankOf(x);
  if (offsets.size() != rank || sizes.size() != rank)
    return fail("offsets " + str(offsets) + " and sizes " + str(sizes) + " do not fit " +
                str(x.getType()) + "; give one entry per dim");
  for (size_t dim = 0; dim < rank; ++dim)
    if (offsets[dim] < 0 || sizes[dim] < 0 || offsets[dim] > shapeOf(x)[dim] - sizes[dim])
      return fail("cannot take " + Twine(sizes[dim]) + " elements from " + Twine(offsets[dim]) +
                  " on in dim " + Twine(dim) + " of " + str(x.getType()));
  if (shapeOf(x) == sizes)
    return x;
  if (TypedAttr value = splatOf(x))
    return splatConstant(*this, value, typeOf(x).clone(sizes));
  return ShrinkOp::create(b, loc, x, offsets, sizes);
}

Value Composer::stride(Value x, ArrayRef<int64_t> steps) {
  if (!x)
    return {};
  if (static_cast<int64_t>(steps.size()) != rankOf(x))
    return fail("steps " + str(steps) + " do not fit " + str(x.getType()) +
                "; give one entry per dim");
  SmallVector<int64_t> kept(steps), shape;
  for (auto [step, size] : llvm::zip(kept, shapeOf(x))) {
    if (step == 0 || step == std::numeric_limits<int64_t>::min())
      return fail("a step of " + Twine(step) + " goes nowhere; use 1 to keep every element");
    step = size <= 1 ? 1 : step; // every step keeps a single element
    shape.push_back(llvm::divideCeil(static_cast<uint64_t>(size), std::abs(step)));
  }
  if (llvm::all_of(kept, [](int64_t step) { return step == 1; }))
    return x;
  if (TypedAttr value = splatOf(x))
    return splatConstant(*this, value, typeOf(x).clone(shape));
  return StrideOp::create(b, loc, x, kept);
}

Value Composer::broadcastTo(Value x, ArrayRef<int64_t> shape) {
  if (!x || shapeOf(x) == shape)
    return x;
  std::optional<SmallVector<int64_t>> common = broadcastShapes(shapeOf(x), shape);
  if (!common)
    return {};
  if (ArrayRef<int64_t>(*common) != shape)
    return fail("cannot broadcast " + str(x.getType()) + " to shape " + str(shape));
  RankedTensorType type = checkedType(shape, elementOf(x));
  if (!type)
    return {};
  if (TypedAttr value = splatOf(x)) // at once: no constant of the shape in between
    return splatConstant(*this, value, type);
  SmallVector<int64_t> aligned(shape.size() - rankOf(x), 1);
  llvm::append_range(aligned, shapeOf(x));
  return expand(reshape(x, aligned), shape);
}

std::pair<Value, Value> Composer::broadcast(Value x, Value y) {
  if (!x || !y)
    return {};
  std::optional<SmallVector<int64_t>> shape = broadcastShapes(shapeOf(x), shapeOf(y));
  if (!shape)
    return {};
  return {broadcastTo(x, *shape), broadcastTo(y, *shape)};
}
