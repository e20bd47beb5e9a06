//===- Naive.cpp - a second reading of the semantics ----------------------===//
//
// Checks the interpreter itself: its batches, its lazy evaluation and its own
// conversions. Here every value is stored and every element is an APFloat or an
// APInt. Only the functions of the C library are the same.
//
// With liberties it checks the interpreter's bounds instead: it does all that a
// target may do to the last bits. Functions are off by a bit, sums are contracted
// with products and taken in another order, in the narrowest accumulator.
//
//===----------------------------------------------------------------------===//

#include "Targets.h"
#include "Tiny/IR/TinyDialect.h"
#include "llvm/ADT/APSInt.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mlir::tiny;
using namespace tinyfuzz;

namespace {
/// One or the other, by the element type.
struct Element {
  APFloat f{0.0};
  APInt i;
};
struct Array {
  RankedTensorType type;
  std::vector<Element> elements;
};
using Index = SmallVector<int64_t>;
} // namespace

static constexpr auto nearest = APFloat::rmNearestTiesToEven;

static bool isFloat(Type type) { return isa<FloatType>(type); }
static bool isSigned(Type type) { return !type.isUnsignedInteger() && !type.isInteger(1); }

static const llvm::fltSemantics &semanticsOf(Type type) {
  return cast<FloatType>(type).getFloatSemantics();
}

static Element makeFloat(APFloat value) {
  Element element;
  element.f = std::move(value);
  return element;
}
static Element makeInteger(APInt value) {
  Element element;
  element.i = std::move(value);
  return element;
}

static APFloat converted(APFloat value, const llvm::fltSemantics &semantics) {
  bool losesInfo;
  value.convert(semantics, nearest, &losesInfo);
  return value;
}
static double asDouble(const APFloat &value) {
  return converted(value, APFloat::IEEEdouble()).convertToDouble();
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

static Element cast(const Element &value, Type from, Type to) {
  if (isFloat(to)) {
    const llvm::fltSemantics &semantics = semanticsOf(to);
    if (isFloat(from))
      return makeFloat(converted(value.f, semantics));
    APFloat result(semantics);
    result.convertFromAPInt(value.i, isSigned(from), nearest);
    return makeFloat(result);
  }
  unsigned width = to.getIntOrFloatBitWidth();
  if (to.isInteger(1))
    return makeInteger(APInt(1, isFloat(from) ? !value.f.isZero() : !value.i.isZero()));
  if (isFloat(from)) {
    APSInt result(width, /*isUnsigned=*/!isSigned(to));
    bool isExact;
    value.f.convertToInteger(result, APFloat::rmTowardZero, &isExact);
    return makeInteger(result);
  }
  return makeInteger(isSigned(from) ? value.i.sextOrTrunc(width) : value.i.zextOrTrunc(width));
}

/// What reductions and functions of `type` are computed in, at least.
static const llvm::fltSemantics &computeSemanticsOf(Type type) {
  return type.isF64() ? APFloat::IEEEdouble() : APFloat::IEEEsingle();
}

/// A function, nearly correctly rounded; with liberties, its value or a neighbour.
template <typename Function>
static Element apply(const Element &x, Type type, bool takesLiberties, Function function) {
  double argument = asDouble(x.f);
  if (!takesLiberties)
    return makeFloat(converted(
        APFloat(type.isF64() ? static_cast<double>(function(static_cast<long double>(argument)))
                             : function(argument)),
        semanticsOf(type)));
  APFloat result(function(argument));
  result = converted(result, computeSemanticsOf(type));
  uint64_t bits = x.f.bitcastToAPInt().getZExtValue() * 0x9e3779b97f4a7c15;
  if (result.isFiniteNonZero() && bits >> 62 != 0)
    result.next(/*nextDown=*/bits >> 61 & 1);
  return makeFloat(converted(result, semanticsOf(type)));
}

static Element sqrtOf(const Element &x, Type type) {
  if (type.isF64())
    return makeFloat(APFloat(std::sqrt(asDouble(x.f))));
  float root = std::sqrt(static_cast<float>(asDouble(x.f)));
  return makeFloat(converted(APFloat(root), semanticsOf(type)));
}

static Element add(Element a, const Element &b, Type type) {
  if (isFloat(type))
    a.f.add(b.f, nearest);
  else
    a.i += b.i;
  return a;
}
static Element mul(Element a, const Element &b, Type type) {
  if (isFloat(type))
    a.f.multiply(b.f, nearest);
  else
    a.i *= b.i;
  return a;
}
static Element div(Element a, const Element &b, Type type) {
  if (isFloat(type))
    a.f.divide(b.f, nearest);
  else if (b.i.isZero())
    a.i = b.i;
  else
    a.i = isSigned(type) ? a.i.sdiv(b.i) : a.i.udiv(b.i);
  return a;
}
static Element max(const Element &a, const Element &b, Type type) {
  if (isFloat(type))
    return makeFloat(llvm::maximum(a.f, b.f));
  return (isSigned(type) ? a.i.slt(b.i) : a.i.ult(b.i)) ? b : a;
}

static bool compare(CmpPredicate predicate, const Element &a, const Element &b, Type type) {
  bool isEqual, isLess;
  if (isFloat(type)) {
    APFloat::cmpResult order = a.f.compare(b.f);
    isEqual = order == APFloat::cmpEqual;
    isLess = order == APFloat::cmpLessThan;
  } else {
    isEqual = a.i == b.i;
    isLess = isSigned(type) ? a.i.slt(b.i) : a.i.ult(b.i);
  }
  switch (predicate) {
  case CmpPredicate::lt:
    return isLess;
  case CmpPredicate::le:
    return isLess || isEqual;
  case CmpPredicate::eq:
    return isEqual;
  case CmpPredicate::ne:
    return !isEqual;
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

static Index indexOf(int64_t position, ArrayRef<int64_t> shape) {
  Index index(shape.size());
  for (int64_t dim = shape.size(); dim-- > 0; position /= shape[dim])
    index[dim] = position % shape[dim];
  return index;
}
static int64_t positionOf(ArrayRef<int64_t> index, ArrayRef<int64_t> shape) {
  int64_t position = 0;
  for (auto [digit, size] : llvm::zip(index, shape))
    position = position * size + digit;
  return position;
}

static Element constantElement(Attribute value) {
  if (auto number = dyn_cast<FloatAttr>(value))
    return makeFloat(number.getValue());
  return makeInteger(cast<IntegerAttr>(value).getValue());
}

/// Element `position` of a movement op's result.
static Element moved(Operation *op, const Array &input, RankedTensorType type, int64_t position) {
  if (isa<ReshapeOp>(op))
    return input.elements[position];
  ArrayRef<int64_t> shape = input.type.getShape();
  Index at = indexOf(position, type.getShape()), from(shape.size());
  for (int64_t dim = 0, rank = shape.size(); dim < rank; ++dim) {
    if (auto permute = dyn_cast<PermuteOp>(op)) {
      from[permute.getPermutation()[dim]] = at[dim];
    } else if (isa<ExpandOp>(op)) {
      from[dim] = shape[dim] == 1 ? 0 : at[dim];
    } else if (auto shrink = dyn_cast<ShrinkOp>(op)) {
      from[dim] = at[dim] + shrink.getOffsets()[dim];
    } else if (auto stride = dyn_cast<StrideOp>(op)) {
      int64_t step = stride.getSteps()[dim];
      from[dim] = step > 0 ? at[dim] * step : shape[dim] - 1 - at[dim] * -step;
    } else {
      auto pad = cast<PadOp>(op);
      from[dim] = at[dim] - pad.getLow()[dim];
      if (from[dim] < 0 || from[dim] >= shape[dim])
        return constantElement(pad.getValue());
    }
  }
  return input.elements[positionOf(from, shape)];
}

static Element combine(ReduceKind kind, const Element &a, const Element &b, Type type) {
  switch (kind) {
  case ReduceKind::add:
    return add(a, b, type);
  case ReduceKind::mul:
    return mul(a, b, type);
  case ReduceKind::max:
    return max(a, b, type);
  }
  return a;
}

/// The elements that each element of the result combines, in row-major order.
static std::vector<std::vector<Element>> groupsOf(ReduceOp op, const Array &input) {
  std::vector<std::vector<Element>> groups(op.getType().getNumElements());
  for (int64_t k = 0, count = input.elements.size(); k < count; ++k) {
    Index kept;
    for (auto [dim, digit] : llvm::enumerate(indexOf(k, input.type.getShape())))
      if (!llvm::is_contained(op.getDims(), static_cast<int64_t>(dim)))
        kept.push_back(digit);
    groups[positionOf(kept, op.getType().getShape())].push_back(input.elements[k]);
  }
  return groups;
}

/// In order; floats in double, rounded once.
static std::vector<Element> reduce(ReduceOp op, const Array &input) {
  Type type = input.type.getElementType();
  Type accumulator = isFloat(type) ? Float64Type::get(op.getContext()) : type;
  std::vector<Element> totals;
  for (const std::vector<Element> &group : groupsOf(op, input)) {
    Element total = constantElement(reduceIdentity(op.getKind(), accumulator));
    for (const Element &element : group)
      total = combine(op.getKind(), total, cast(element, type, accumulator), accumulator);
    totals.push_back(cast(total, accumulator, type));
  }
  return totals;
}

/// By halves.
static Element reduceTree(ReduceKind kind, ArrayRef<Element> elements, Type type) {
  if (elements.empty())
    return constantElement(reduceIdentity(kind, type));
  if (elements.size() == 1)
    return elements.front();
  size_t half = elements.size() / 2;
  return combine(kind, reduceTree(kind, elements.drop_front(half), type),
                 reduceTree(kind, elements.take_front(half), type), type);
}

/// Backwards, each element added unrounded.
static Element sumContracted(ArrayRef<Element> wideElements, Type accumulator) {
  APFloat total(semanticsOf(accumulator), 0);
  for (const Element &element : llvm::reverse(wideElements)) {
    APFloat wide = converted(total, APFloat::IEEEquad());
    wide.add(element.f, nearest);
    total = converted(wide, semanticsOf(accumulator));
  }
  return makeFloat(total);
}

/// Floats in another order, in the accumulator that the semantics ask for. `wideInput` is the input
/// before its products were rounded, if it is made of products.
static std::vector<Element> reduceFreely(ReduceOp op, const Array &input, const Array *wideInput) {
  Type type = input.type.getElementType();
  if (!isFloat(type))
    return reduce(op, input);
  Type accumulator = type.isF64() ? type : Type(Float32Type::get(op.getContext()));
  std::vector<Element> totals;
  for (std::vector<Element> &group : groupsOf(op, wideInput ? *wideInput : input)) {
    if (!wideInput)
      for (Element &element : group)
        element = cast(element, type, accumulator);
    Element total = wideInput ? sumContracted(group, accumulator)
                              : reduceTree(op.getKind(), group, accumulator);
    totals.push_back(cast(total, accumulator, type));
  }
  return totals;
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

using Arrays = llvm::DenseMap<Value, std::unique_ptr<Array>>;

/// The products that feed a sum through movement ops, exact. Null if something else feeds it.
static std::unique_ptr<Array> unroundedProducts(ReduceOp op, const Arrays &values) {
  SmallVector<Operation *> moves;
  Operation *producer = op.getInput().getDefiningOp();
  for (; producer && isMovement(producer); producer = producer->getOperand(0).getDefiningOp())
    moves.push_back(producer);
  if (op.getKind() != ReduceKind::add || !isa_and_nonnull<MulOp>(producer) ||
      !isFloat(op.getType().getElementType()))
    return nullptr;
  const Array &a = *values.at(producer->getOperand(0)), &b = *values.at(producer->getOperand(1));
  auto products = std::make_unique<Array>(Array{a.type, {}});
  for (auto [x, y] : llvm::zip(a.elements, b.elements)) {
    APFloat product = converted(x.f, APFloat::IEEEquad());
    product.multiply(converted(y.f, APFloat::IEEEquad()), nearest);
    products->elements.push_back(makeFloat(product));
  }
  for (Operation *move : llvm::reverse(moves)) {
    auto type = cast<RankedTensorType>(move->getResult(0).getType());
    auto result = std::make_unique<Array>(Array{type, {}});
    for (int64_t k = 0; k < type.getNumElements(); ++k) {
      Element element = moved(move, *products, type, k);
      result->elements.push_back(makeFloat(converted(element.f, APFloat::IEEEquad())));
    }
    products = std::move(result);
  }
  return products;
}

static std::vector<Element> compute(Operation *op, const Arrays &values, bool takesLiberties) {
  SmallVector<const Array *> inputs;
  for (Value operand : op->getOperands())
    inputs.push_back(values.at(operand).get());
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (auto reduceOp = dyn_cast<ReduceOp>(op)) {
    if (!takesLiberties)
      return reduce(reduceOp, *inputs[0]);
    return reduceFreely(reduceOp, *inputs[0], unroundedProducts(reduceOp, values).get());
  }
  std::vector<Element> result;
  if (auto constant = dyn_cast<ConstantOp>(op)) {
    for (Attribute value : cast<DenseElementsAttr>(constant.getValue()).getValues<Attribute>())
      result.push_back(constantElement(value));
    return result;
  }
  Type elementType = type.getElementType();
  Type from = inputs.empty() ? elementType : inputs[0]->type.getElementType();
  auto in = [&](int64_t k, int64_t operand = 0) { return inputs[operand]->elements[k]; };
  for (int64_t k = 0; k < type.getNumElements(); ++k)
    result.push_back(
        llvm::TypeSwitch<Operation *, Element>(op)
            .Case([&](IotaOp op) {
              APInt index(64, indexOf(k, type.getShape())[op.getDim()]);
              return cast(makeInteger(index), IntegerType::get(op.getContext(), 64), elementType);
            })
            .Case([&](CastOp) { return cast(in(k), from, elementType); })
            .Case([&](Exp2Op) {
              return apply(in(k), from, takesLiberties, [](auto x) { return std::exp2(x); });
            })
            .Case([&](Log2Op) {
              return apply(in(k), from, takesLiberties, [](auto x) { return std::log2(x); });
            })
            .Case([&](SinOp) {
              return apply(in(k), from, takesLiberties, [](auto x) { return std::sin(x); });
            })
            .Case([&](SqrtOp) { return sqrtOf(in(k), from); })
            .Case([&](AddOp) { return add(in(k), in(k, 1), from); })
            .Case([&](MulOp) { return mul(in(k), in(k, 1), from); })
            .Case([&](DivOp) { return div(in(k), in(k, 1), from); })
            .Case([&](MaxOp) { return max(in(k), in(k, 1), from); })
            .Case([&](CmpOp op) {
              return makeInteger(APInt(1, compare(op.getPredicate(), in(k), in(k, 1), from)));
            })
            .Case([&](WhereOp) { return in(k).i.isZero() ? in(k, 2) : in(k, 1); })
            .Default([&](Operation *op) { return moved(op, *inputs[0], type, k); }));
  return result;
}

static Array fromTensor(RankedTensorType type, const tinyrt::Tensor &tensor) {
  Array array{type, {}};
  Type elementType = type.getElementType();
  size_t bytes = tinyrt::byteSize(tensor.type().element);
  for (int64_t k = 0; k < tensor.numElements(); ++k) {
    uint64_t bits = 0;
    std::memcpy(&bits, tensor.as<char>() + k * bytes, bytes);
    APInt value(elementType.getIntOrFloatBitWidth(), bits);
    if (auto floatType = dyn_cast<FloatType>(elementType))
      array.elements.push_back(makeFloat(APFloat(floatType.getFloatSemantics(), value)));
    else
      array.elements.push_back(makeInteger(value));
  }
  return array;
}

static tinyrt::Tensor toTensor(const Array &array) {
  std::string text;
  llvm::raw_string_ostream(text) << array.type.getElementType();
  auto element = tinyrt::ElementType::f64;
  while (text != tinyrt::name(element))
    element = static_cast<tinyrt::ElementType>(static_cast<int>(element) + 1);
  tinyrt::Tensor tensor({element, {array.type.getShape().begin(), array.type.getShape().end()}});
  size_t bytes = tinyrt::byteSize(element);
  for (auto [k, value] : llvm::enumerate(array.elements)) {
    APInt number = isFloat(array.type.getElementType()) ? value.f.bitcastToAPInt() : value.i;
    uint64_t bits = number.getZExtValue();
    std::memcpy(tensor.as<char>() + k * bytes, &bits, bytes);
  }
  return tensor;
}

std::vector<tinyrt::Tensor> tinyfuzz::runNaive(ModuleOp module, ArrayRef<tinyrt::Tensor> inputs,
                                               bool takesLiberties) {
  auto function = *module.getOps<func::FuncOp>().begin();
  Arrays values;
  for (auto [argument, input] : llvm::zip(function.getArguments(), inputs))
    values[argument] =
        std::make_unique<Array>(fromTensor(cast<RankedTensorType>(argument.getType()), input));
  std::vector<tinyrt::Tensor> outputs;
  for (Operation &op : function.getBody().front()) {
    if (isa<func::ReturnOp>(op)) {
      for (Value operand : op.getOperands())
        outputs.push_back(toTensor(*values.at(operand)));
      break;
    }
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    values[op.getResult(0)] =
        std::make_unique<Array>(Array{type, compute(&op, values, takesLiberties)});
  }
  return outputs;
}
