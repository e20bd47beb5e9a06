//===- TinyFolders.cpp - folders of the tiny ops --------------------------===//
//
// Three kinds: an op that changes nothing is its operand, a movement of a movement
// is one movement, and an elementwise op on constants is a constant. A rule holds
// for every value of the type, NaN and -0 included: x + 0 is not x for a float
// (-0 + 0 is +0), x + -0 is.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/TinyDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/APSInt.h"
#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tiny;

/// Larger constants that are not splats are left to run time: folding them would only move data
/// from one place to another and keep both in memory.
static constexpr int64_t kMaxFoldedElements = 1024;

//===----------------------------------------------------------------------===//
// Constants, element by element
//===----------------------------------------------------------------------===//

/// An element as APFloat or APInt, with its type.
using Element = TypedAttr;

static APFloat floatOf(Element element) { return cast<FloatAttr>(element).getValue(); }
static APInt integerOf(Element element) { return cast<IntegerAttr>(element).getValue(); }
static bool isUnsigned(Type type) { return type.isUnsignedInteger() || type.isInteger(1); }

static Element makeInteger(Type type, const APInt &value) { return IntegerAttr::get(type, value); }
static Element makeFloat(Type type, APFloat value) {
  bool losesInformation;
  value.convert(cast<FloatType>(type).getFloatSemantics(), APFloat::rmNearestTiesToEven,
                &losesInformation);
  return FloatAttr::get(type, value);
}

/// The operands' elements are calculated one by one; a splat of all operands is calculated once.
static OpFoldResult foldElementwise(ArrayRef<Attribute> operands, Type resultType,
                                    llvm::function_ref<Element(ArrayRef<Element>)> calculate) {
  auto type = cast<RankedTensorType>(resultType);
  SmallVector<DenseElementsAttr> constants;
  bool allSplat = true;
  for (Attribute operand : operands) {
    auto constant = dyn_cast_or_null<DenseElementsAttr>(operand);
    if (!constant)
      return {};
    constants.push_back(constant);
    allSplat &= constant.isSplat();
  }
  if (type.getNumElements() == 0 || (!allSplat && type.getNumElements() > kMaxFoldedElements))
    return {};
  SmallVector<Attribute> results;
  int64_t count = allSplat ? 1 : type.getNumElements();
  SmallVector<SmallVector<Attribute>> columns;
  for (DenseElementsAttr constant : constants)
    columns.push_back(constant.isSplat()
                          ? SmallVector<Attribute>(count, constant.getSplatValue<Attribute>())
                          : llvm::to_vector(constant.getValues<Attribute>()));
  SmallVector<Element> elements(constants.size());
  for (int64_t i = 0; i < count; ++i) {
    for (auto [column, element] : llvm::zip(columns, elements))
      element = cast<TypedAttr>(column[i]);
    Element result = calculate(elements);
    if (!result)
      return {};
    results.push_back(result);
  }
  return DenseElementsAttr::get(type, results);
}

static Type elementOf(Type type) { return cast<RankedTensorType>(type).getElementType(); }

/// f32 and narrower are calculated in double and rounded once; f64 by the C library, within its
/// error of less than 1 ULP.
static OpFoldResult foldUnary(ArrayRef<Attribute> operands, Type type, double (*function)(double)) {
  Type element = elementOf(type);
  return foldElementwise(operands, type, [&](ArrayRef<Element> x) {
    APFloat value = floatOf(x[0]);
    bool losesInformation;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInformation);
    return makeFloat(element, APFloat(function(value.convertToDouble())));
  });
}

OpFoldResult Exp2Op::fold(FoldAdaptor adaptor) {
  return foldUnary(adaptor.getOperands(), getType(), [](double x) { return std::exp2(x); });
}
OpFoldResult Log2Op::fold(FoldAdaptor adaptor) {
  return foldUnary(adaptor.getOperands(), getType(), [](double x) { return std::log2(x); });
}
OpFoldResult SinOp::fold(FoldAdaptor adaptor) {
  return foldUnary(adaptor.getOperands(), getType(), [](double x) { return std::sin(x); });
}
OpFoldResult SqrtOp::fold(FoldAdaptor adaptor) {
  return foldUnary(adaptor.getOperands(), getType(), [](double x) { return std::sqrt(x); });
}

/// The meaning of tiny.cast on one element.
static Element castElement(Element value, Type to) {
  Type from = value.getType();
  if (auto target = dyn_cast<FloatType>(to)) {
    if (isa<FloatAttr>(value))
      return makeFloat(to, floatOf(value));
    APFloat result(target.getFloatSemantics());
    result.convertFromAPInt(integerOf(value), !isUnsigned(from), APFloat::rmNearestTiesToEven);
    return FloatAttr::get(to, result);
  }
  unsigned width = to.getIntOrFloatBitWidth();
  if (isa<FloatAttr>(value)) {
    APFloat number = floatOf(value);
    if (to.isInteger(1))
      return makeInteger(to, APInt(1, !number.isZero()));
    APSInt result(width, /*isUnsigned=*/to.isUnsignedInteger());
    bool isExact;
    // Saturates, and makes 0 of NaN.
    number.convertToInteger(result, APFloat::rmTowardZero, &isExact);
    return makeInteger(to, result);
  }
  APInt number = integerOf(value);
  if (to.isInteger(1))
    return makeInteger(to, APInt(1, !number.isZero()));
  return makeInteger(to, isUnsigned(from) ? number.zextOrTrunc(width) : number.sextOrTrunc(width));
}

/// Every value of `from` is a value of `to`.
static bool isExactIn(Type from, Type to) {
  auto fromFloat = dyn_cast<FloatType>(from), toFloat = dyn_cast<FloatType>(to);
  if (fromFloat && toFloat)
    return APFloat::isRepresentableBy(fromFloat.getFloatSemantics(), toFloat.getFloatSemantics());
  if (fromFloat || from.isInteger(1) || to.isInteger(1))
    return false;
  unsigned bits = from.getIntOrFloatBitWidth();
  if (toFloat)
    return bits <= APFloat::semanticsPrecision(toFloat.getFloatSemantics());
  return bits <= to.getIntOrFloatBitWidth() &&
         (isUnsigned(from) == isUnsigned(to) ||
          (isUnsigned(from) && bits < to.getIntOrFloatBitWidth()));
}

OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType())
    return getInput();
  // There and back again through a type that holds every value.
  if (auto inner = getInput().getDefiningOp<CastOp>())
    if (inner.getInput().getType() == getType() &&
        isExactIn(elementOf(getType()), elementOf(inner.getType())))
      return inner.getInput();
  Type to = elementOf(getType());
  return foldElementwise(adaptor.getOperands(), getType(),
                         [&](ArrayRef<Element> x) { return castElement(x[0], to); });
}

static bool isSplatOf(Attribute constant, Element value) {
  auto elements = dyn_cast_or_null<DenseElementsAttr>(constant);
  return elements && elements.isSplat() && elements.getType().getNumElements() != 0 &&
         elements.getSplatValue<Attribute>() == value;
}

static Element one(Type type) { return reduceIdentity(ReduceKind::mul, type); }
static Element zero(Type type) {
  if (isa<FloatType>(type))
    return reduceIdentity(ReduceKind::add, type);
  return makeInteger(type, APInt::getZero(type.getIntOrFloatBitWidth()));
}
/// What leaves every value as it is when added: -0 for floats.
static Element additiveIdentity(Type type) {
  auto floatType = dyn_cast<FloatType>(type);
  if (!floatType)
    return zero(type);
  return FloatAttr::get(type, APFloat::getZero(floatType.getFloatSemantics(), /*Negative=*/true));
}

OpFoldResult AddOp::fold(FoldAdaptor adaptor) {
  Type element = elementOf(getType());
  if (isSplatOf(adaptor.getRhs(), additiveIdentity(element)))
    return getLhs();
  if (isSplatOf(adaptor.getLhs(), additiveIdentity(element)))
    return getRhs();
  return foldElementwise(adaptor.getOperands(), getType(), [&](ArrayRef<Element> x) {
    if (isa<FloatType>(element))
      return makeFloat(element, floatOf(x[0]) + floatOf(x[1]));
    return makeInteger(element, integerOf(x[0]) + integerOf(x[1]));
  });
}

OpFoldResult MulOp::fold(FoldAdaptor adaptor) {
  Type element = elementOf(getType());
  if (isSplatOf(adaptor.getRhs(), one(element)))
    return getLhs();
  if (isSplatOf(adaptor.getLhs(), one(element)))
    return getRhs();
  if (!isa<FloatType>(element)) // 0 * NaN is NaN
    for (Attribute operand : {adaptor.getLhs(), adaptor.getRhs()})
      if (isSplatOf(operand, zero(element)))
        return operand;
  return foldElementwise(adaptor.getOperands(), getType(), [&](ArrayRef<Element> x) {
    if (isa<FloatType>(element))
      return makeFloat(element, floatOf(x[0]) * floatOf(x[1]));
    return makeInteger(element, integerOf(x[0]) * integerOf(x[1]));
  });
}

OpFoldResult DivOp::fold(FoldAdaptor adaptor) {
  Type element = elementOf(getType());
  if (isSplatOf(adaptor.getRhs(), one(element)))
    return getLhs();
  return foldElementwise(adaptor.getOperands(), getType(), [&](ArrayRef<Element> x) -> Element {
    if (isa<FloatType>(element))
      return makeFloat(element, floatOf(x[0]) / floatOf(x[1]));
    APInt lhs = integerOf(x[0]), rhs = integerOf(x[1]);
    if (rhs.isZero())
      return makeInteger(element, rhs);
    if (element.isUnsignedInteger())
      return makeInteger(element, lhs.udiv(rhs));
    return makeInteger(element, rhs.isAllOnes() ? -lhs : lhs.sdiv(rhs));
  });
}

OpFoldResult MaxOp::fold(FoldAdaptor adaptor) {
  Type element = elementOf(getType());
  if (getLhs() == getRhs())
    return getLhs();
  Element least = reduceIdentity(ReduceKind::max, element);
  if (isSplatOf(adaptor.getRhs(), least))
    return getLhs();
  if (isSplatOf(adaptor.getLhs(), least))
    return getRhs();
  return foldElementwise(adaptor.getOperands(), getType(), [&](ArrayRef<Element> x) {
    if (isa<FloatType>(element))
      return makeFloat(element, maximum(floatOf(x[0]), floatOf(x[1])));
    APInt lhs = integerOf(x[0]), rhs = integerOf(x[1]);
    bool less = isUnsigned(element) ? lhs.ult(rhs) : lhs.slt(rhs);
    return makeInteger(element, less ? rhs : lhs);
  });
}

static bool holds(CmpPredicate predicate, APFloat::cmpResult order) {
  switch (predicate) {
  case CmpPredicate::lt:
    return order == APFloat::cmpLessThan;
  case CmpPredicate::le:
    return order == APFloat::cmpLessThan || order == APFloat::cmpEqual;
  case CmpPredicate::eq:
    return order == APFloat::cmpEqual;
  case CmpPredicate::ne:
    return order != APFloat::cmpEqual; // true for NaN
  }
  llvm_unreachable("every predicate returns");
}

OpFoldResult CmpOp::fold(FoldAdaptor adaptor) {
  Type element = elementOf(getLhs().getType());
  Type boolean = IntegerType::get(getContext(), 1);
  return foldElementwise(adaptor.getOperands(), getType(), [&](ArrayRef<Element> x) {
    APFloat::cmpResult order;
    if (isa<FloatType>(element)) {
      order = floatOf(x[0]).compare(floatOf(x[1]));
    } else {
      APInt lhs = integerOf(x[0]), rhs = integerOf(x[1]);
      bool less = isUnsigned(element) ? lhs.ult(rhs) : lhs.slt(rhs);
      order =
          less ? APFloat::cmpLessThan : (lhs == rhs ? APFloat::cmpEqual : APFloat::cmpGreaterThan);
    }
    return makeInteger(boolean, APInt(1, holds(getPredicate(), order)));
  });
}

OpFoldResult WhereOp::fold(FoldAdaptor adaptor) {
  if (getOnTrue() == getOnFalse())
    return getOnTrue();
  Type boolean = IntegerType::get(getContext(), 1);
  if (isSplatOf(adaptor.getCondition(), one(boolean)))
    return getOnTrue();
  if (isSplatOf(adaptor.getCondition(), zero(boolean)))
    return getOnFalse();
  return foldElementwise(adaptor.getOperands(), getType(), [](ArrayRef<Element> x) {
    return integerOf(x[0]).isZero() ? x[2] : x[1];
  });
}

TypedAttr mlir::tiny::reduceSplat(ReduceKind kind, TypedAttr value, int64_t count) {
  Type type = value.getType();
  if (kind == ReduceKind::max)
    return value;
  if (isa<FloatType>(type)) {
    APFloat number = floatOf(value);
    bool losesInformation;
    number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInformation);
    double base = number.convertToDouble();
    return makeFloat(type, APFloat(kind == ReduceKind::add ? base * count : std::pow(base, count)));
  }
  APInt base = integerOf(value);
  unsigned width = base.getBitWidth();
  if (kind == ReduceKind::add)
    return makeInteger(type, base * APInt(64, count).zextOrTrunc(width));
  APInt product(width, 1);
  for (; count; count >>= 1, base *= base)
    if (count & 1)
      product *= base;
  return makeInteger(type, product);
}

OpFoldResult ReduceOp::fold(FoldAdaptor adaptor) {
  if (getDims().empty())
    return getInput();
  auto constant = dyn_cast_or_null<DenseElementsAttr>(adaptor.getInput());
  int64_t elements = getInput().getType().getNumElements();
  if (!constant || !constant.isSplat() || elements == 0)
    return {};
  int64_t count = elements / getType().getNumElements();
  return DenseElementsAttr::get(
      getType(), Attribute(reduceSplat(getKind(), constant.getSplatValue<TypedAttr>(), count)));
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

/// Every element of a splat is the same, wherever it is.
static OpFoldResult foldSplatMovement(Attribute input, Type resultType) {
  auto constant = dyn_cast_or_null<DenseElementsAttr>(input);
  if (!constant || !constant.isSplat() || constant.getType().getNumElements() == 0)
    return {};
  return DenseElementsAttr::get(cast<RankedTensorType>(resultType),
                                constant.getSplatValue<Attribute>());
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType())
    return getInput();
  if (auto inner = getInput().getDefiningOp<ReshapeOp>()) {
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  if (auto constant = dyn_cast_or_null<DenseElementsAttr>(adaptor.getInput()))
    return constant.reshape(getType());
  return {};
}

OpFoldResult PermuteOp::fold(FoldAdaptor adaptor) {
  if (llvm::equal(getPermutation(), llvm::seq<int64_t>(0, getPermutation().size())))
    return getInput();
  if (auto inner = getInput().getDefiningOp<PermuteOp>()) {
    SmallVector<int64_t> composed;
    for (int64_t dim : getPermutation())
      composed.push_back(inner.getPermutation()[dim]);
    setPermutation(composed);
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  return foldSplatMovement(adaptor.getInput(), getType());
}

OpFoldResult ExpandOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType())
    return getInput();
  if (auto inner = getInput().getDefiningOp<ExpandOp>()) {
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  return foldSplatMovement(adaptor.getInput(), getType());
}

static SmallVector<int64_t> sums(ArrayRef<int64_t> lhs, ArrayRef<int64_t> rhs) {
  SmallVector<int64_t> result;
  for (auto [x, y] : llvm::zip(lhs, rhs))
    result.push_back(x + y);
  return result;
}

OpFoldResult PadOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType())
    return getInput();
  auto inner = getInput().getDefiningOp<PadOp>();
  if (inner && inner.getValue() == getValue()) {
    setLow(sums(getLow(), inner.getLow()));
    setHigh(sums(getHigh(), inner.getHigh()));
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  if (isSplatOf(adaptor.getInput(), getValue()))
    return foldSplatMovement(adaptor.getInput(), getType());
  return {};
}

OpFoldResult ShrinkOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType())
    return getInput();
  if (auto inner = getInput().getDefiningOp<ShrinkOp>()) {
    setOffsets(sums(getOffsets(), inner.getOffsets()));
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  return foldSplatMovement(adaptor.getInput(), getType());
}

OpFoldResult StrideOp::fold(FoldAdaptor adaptor) {
  if (llvm::all_of(getSteps(), [](int64_t step) { return step == 1; }))
    return getInput();
  if (auto inner = getInput().getDefiningOp<StrideOp>()) {
    // A positive step after any step keeps the inner one's end; a reversal does too only where
    // the inner one kept every element.
    SmallVector<int64_t> composed;
    for (auto [outer, step] : llvm::zip(getSteps(), inner.getSteps())) {
      int64_t product;
      if ((outer < 0 && std::abs(step) != 1) || llvm::MulOverflow(outer, step, product))
        return foldSplatMovement(adaptor.getInput(), getType());
      composed.push_back(product);
    }
    setSteps(composed);
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  return foldSplatMovement(adaptor.getInput(), getType());
}
