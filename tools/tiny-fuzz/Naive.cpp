//===- Naive.cpp - a second reading of the semantics ----------------------===//
//
// Checks the interpreter itself: its batches, its lazy evaluation and its own
// conversions. Here every value is stored and every element is an APFloat or an
// APInt. Only the functions of the C library are the same.
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
    const llvm::fltSemantics &semantics = cast<FloatType>(to).getFloatSemantics();
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

template <typename Function> static Element apply(const Element &x, Type type, Function function) {
  const llvm::fltSemantics &semantics = cast<FloatType>(type).getFloatSemantics();
  if (!type.isF64())
    return makeFloat(converted(APFloat(function(asDouble(x.f))), semantics));
  return makeFloat(APFloat(static_cast<double>(function(static_cast<long double>(asDouble(x.f))))));
}

static Element sqrtOf(const Element &x, Type type) {
  if (type.isF64())
    return makeFloat(APFloat(std::sqrt(asDouble(x.f))));
  float root = std::sqrt(static_cast<float>(asDouble(x.f)));
  return makeFloat(converted(APFloat(root), cast<FloatType>(type).getFloatSemantics()));
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

static Element identityOf(ReduceKind kind, Type type, Type accumulator) {
  Element identity = constantElement(reduceIdentity(kind, type));
  return isFloat(type) ? cast(identity, type, accumulator) : identity;
}

static std::vector<Element> reduce(ReduceOp op, const Array &input) {
  Type type = input.type.getElementType();
  Type accumulator = isFloat(type) ? Float64Type::get(op.getContext()) : type;
  std::vector<Element> totals(op.getType().getNumElements(),
                              identityOf(op.getKind(), type, accumulator));
  for (int64_t k = 0, count = input.elements.size(); k < count; ++k) {
    Index kept;
    for (auto [dim, digit] : llvm::enumerate(indexOf(k, input.type.getShape())))
      if (!llvm::is_contained(op.getDims(), static_cast<int64_t>(dim)))
        kept.push_back(digit);
    Element &total = totals[positionOf(kept, op.getType().getShape())];
    Element element =
        isFloat(type) ? cast(input.elements[k], type, accumulator) : input.elements[k];
    switch (op.getKind()) {
    case ReduceKind::add:
      total = add(total, element, accumulator);
      break;
    case ReduceKind::mul:
      total = mul(total, element, accumulator);
      break;
    case ReduceKind::max:
      total = max(total, element, accumulator);
      break;
    }
  }
  if (isFloat(type))
    for (Element &total : totals)
      total = cast(total, accumulator, type);
  return totals;
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

static std::vector<Element> compute(Operation *op, ArrayRef<const Array *> inputs) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (auto reduceOp = dyn_cast<ReduceOp>(op))
    return reduce(reduceOp, *inputs[0]);
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
            .Case([&](Exp2Op) { return apply(in(k), from, [](auto x) { return std::exp2(x); }); })
            .Case([&](Log2Op) { return apply(in(k), from, [](auto x) { return std::log2(x); }); })
            .Case([&](SinOp) { return apply(in(k), from, [](auto x) { return std::sin(x); }); })
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

FailureOr<std::vector<tinyrt::Tensor>> tinyfuzz::runNaive(ModuleOp module,
                                                          ArrayRef<tinyrt::Tensor> inputs) {
  auto function = *module.getOps<func::FuncOp>().begin();
  llvm::DenseMap<Value, std::unique_ptr<Array>> values;
  for (auto [argument, input] : llvm::zip(function.getArguments(), inputs))
    values[argument] =
        std::make_unique<Array>(fromTensor(cast<RankedTensorType>(argument.getType()), input));
  std::vector<tinyrt::Tensor> outputs;
  for (Operation &op : function.getBody().front()) {
    SmallVector<const Array *> operands;
    for (Value operand : op.getOperands())
      operands.push_back(values[operand].get());
    if (isa<func::ReturnOp>(op)) {
      for (const Array *operand : operands)
        outputs.push_back(toTensor(*operand));
      break;
    }
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    values[op.getResult(0)] = std::make_unique<Array>(Array{type, compute(&op, operands)});
  }
  return outputs;
}
