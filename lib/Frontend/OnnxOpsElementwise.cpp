//===- OnnxOpsElementwise.cpp - arithmetic, comparisons, activations ------===//
//
// Mostly one builder per operator. Operator sets before 7 broadcast only when
// told to, and could align the second operand with dims in the middle.
//
//===----------------------------------------------------------------------===//

#include "OnnxNode.h"

#include <cfloat>

using namespace mlir;
using namespace mlir::tiny;

/// An attribute of the first operator sets that told which operands could be overwritten.
static void ignoreConsumedInputs(OnnxNode &n) {
  if (n.opset < 6)
    n.ignoreAttr("consumed_inputs");
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// The second operand, shaped so that NumPy's broadcasting does what the operator set asks for.
static Value secondOperand(OnnxNode &n) {
  ignoreConsumedInputs(n);
  if (n.opset >= 7)
    return n[1];
  bool broadcast = n.boolAttr("broadcast", false);
  int64_t suffix = n.rank(0) - n.rank(1), axis = n.intAttr("axis", suffix);
  if (axis < 0)
    axis += n.rank(0);
  if (!broadcast && n.shape(0) != n.shape(1))
    n.fail("its operands " + llvm::to_string(n.type(0)) + " and " + llvm::to_string(n.type(1)) +
           " differ in shape, which needs the attribute 'broadcast'");
  if (n.failed())
    return {};
  if (axis < 0 || axis > suffix) {
    n.attrFail("axis", "is " + Twine(axis) + ", but a rank " + Twine(n.rank(1)) +
                           " operand cannot start there");
    return {};
  }
  SmallVector<int64_t> shape(n.shape(1));
  shape.append(suffix - axis, 1);
  return n.c.reshape(n[1], shape);
}

using Binary = Value (Composer::*)(const Operand &, const Operand &);

template <Binary build> static LogicalResult importArithmetic(OnnxNode &n) {
  n.expectSameType();
  n.expectNumber(0, "A");
  Value second = secondOperand(n);
  return n.failed() ? failure() : n.result((n.c.*build)(n[0], second));
}

template <Binary build> static LogicalResult importComparison(OnnxNode &n) {
  n.expectSameType();
  Value second = secondOperand(n);
  return n.failed() ? failure() : n.result((n.c.*build)(n[0], second));
}

template <Value (Composer::*build)(Value, Value)> static LogicalResult importLogical(OnnxNode &n) {
  for (size_t i = 0; i < 2; ++i)
    if (!n.elementType(i).isInteger(1))
      return n.fail("operand " + Twine(i) + " is a " + llvm::to_string(n.type(i)) +
                    ", expected booleans");
  Value second = secondOperand(n);
  if (n.failed())
    return failure();
  auto [x, y] = n.c.broadcast(n[0], second);
  return n.result((n.c.*build)(x, y));
}

/// Max, Min and Sum of any number of tensors. Before operator set 8 they have one shape.
template <Binary build> static Value fold(OnnxNode &n) {
  ignoreConsumedInputs(n);
  n.expectSameType();
  n.expectNumber(0, "data_0");
  if (n.failed())
    return {};
  Value result = n[0];
  for (size_t i = 1; i < n.size(); ++i) {
    if (n.opset < 8 && n.shape(i) != n.shape(0)) {
      n.fail("its operands " + llvm::to_string(n.type(0)) + " and " + llvm::to_string(n.type(i)) +
             " differ in shape");
      return {};
    }
    result = (n.c.*build)(result, n[i]);
  }
  return result;
}

template <Binary build> static LogicalResult importVariadic(OnnxNode &n) {
  return n.result(fold<build>(n));
}

static LogicalResult importMean(OnnxNode &n) {
  n.expectFloat(0, "data_0");
  Value sum = fold<&Composer::add>(n);
  return n.failed() ? failure() : n.result(n.c.div(sum, static_cast<int64_t>(n.size())));
}

//===----------------------------------------------------------------------===//
// Unary
//===----------------------------------------------------------------------===//

template <Value (Composer::*build)(Value)> static LogicalResult importFloatUnary(OnnxNode &n) {
  ignoreConsumedInputs(n);
  n.expectFloat(0, "X");
  return n.failed() ? failure() : n.result((n.c.*build)(n[0]));
}

template <Value (Composer::*build)(Value)> static LogicalResult importNumberUnary(OnnxNode &n) {
  ignoreConsumedInputs(n);
  n.expectNumber(0, "X");
  return n.failed() ? failure() : n.result((n.c.*build)(n[0]));
}

static LogicalResult importNot(OnnxNode &n) {
  if (!n.elementType(0).isInteger(1))
    return n.fail("its operand is a " + llvm::to_string(n.type(0)) + ", expected booleans");
  return n.result(n.c.logicalNot(n[0]));
}

static LogicalResult importIsInf(OnnxNode &n) {
  bool negative = n.boolAttr("detect_negative", true);
  bool positive = n.boolAttr("detect_positive", true);
  n.expectFloat(0, "X");
  return n.failed() ? failure() : n.result(n.c.isInf(n[0], positive, negative));
}

/// Activations with one parameter.
template <Value (Composer::*build)(Value, double), int defaultPercent>
static LogicalResult importAlpha(OnnxNode &n) {
  ignoreConsumedInputs(n);
  double alpha = n.floatAttr("alpha", defaultPercent / 100.0);
  n.expectFloat(0, "X");
  return n.failed() ? failure() : n.result((n.c.*build)(n[0], alpha));
}

static LogicalResult importLeakyRelu(OnnxNode &n) {
  ignoreConsumedInputs(n);
  double alpha = n.floatAttr("alpha", 0.01f);
  n.expectFloat(0, "X");
  return n.failed() ? failure() : n.result(n.c.leakyRelu(n[0], alpha));
}

static LogicalResult importHardSigmoid(OnnxNode &n) {
  ignoreConsumedInputs(n);
  double alpha = n.floatAttr("alpha", 0.2f), beta = n.floatAttr("beta", 0.5);
  n.expectFloat(0, "X");
  return n.failed() ? failure() : n.result(n.c.hardSigmoid(n[0], alpha, beta));
}

static LogicalResult importSelu(OnnxNode &n) {
  ignoreConsumedInputs(n);
  // The defaults were rounded otherwise before operator set 6.
  double alpha = n.floatAttr("alpha", n.opset < 6 ? 1.6732f : 1.67326319217681884765625);
  double gamma = n.floatAttr("gamma", n.opset < 6 ? 1.0507f : 1.05070102214813232421875);
  n.expectFloat(0, "X");
  return n.failed() ? failure() : n.result(n.c.selu(n[0], alpha, gamma));
}

static LogicalResult importGelu(OnnxNode &n) {
  std::string form = n.stringAttr("approximate", "none");
  if (form != "none" && form != "tanh")
    return n.attrFail("approximate", "is '" + form + "', expected none or tanh");
  n.expectFloat(0, "X");
  if (n.failed())
    return failure();
  return n.result(n.c.gelu(n[0], form == "tanh" ? GeluForm::tanh : GeluForm::erf));
}

static LogicalResult importThresholdedRelu(OnnxNode &n) {
  double alpha = n.floatAttr("alpha", 1);
  n.expectFloat(0, "X");
  return n.failed() ? failure() : n.result(n.c.where(n.c.gt(n[0], alpha), n[0], 0.0));
}

static LogicalResult importShrink(OnnxNode &n) {
  double lambda = n.floatAttr("lambd", 0.5), bias = n.floatAttr("bias", 0);
  n.expectNumber(0, "input");
  if (n.failed())
    return failure();
  Value high = n.c.where(n.c.gt(n[0], lambda), n.c.sub(n[0], bias), 0);
  return n.result(n.c.where(n.c.lt(n[0], -lambda), n.c.add(n[0], bias), high));
}

//===----------------------------------------------------------------------===//
// The rest
//===----------------------------------------------------------------------===//

static LogicalResult importPRelu(OnnxNode &n) {
  ignoreConsumedInputs(n);
  n.expectSameType();
  n.expectFloat(0, "X");
  if (n.failed())
    return failure();
  Value slope = n[1];
  // One slope per channel was the only form once, without the trailing dims.
  if (n.opset < 7 && n.rank(1) == 1 && n.rank(0) > 1) {
    SmallVector<int64_t> shape(n.rank(0) - 1, 1);
    shape[0] = n.shape(1)[0];
    slope = n.c.reshape(slope, shape);
  }
  slope = n.c.broadcastTo(slope, n.shape(0));
  return slope ? n.result(n.c.leakyRelu(n[0], slope)) : failure();
}

static LogicalResult importPow(OnnxNode &n) {
  n.expectNumber(0, "X");
  n.expectNumber(1, "Y");
  Value exponent = secondOperand(n);
  if (n.failed())
    return failure();
  // The powers that models use for squares and cubes need no transcendental function.
  if (const HostTensor *known = n.known(1); known && known->type.getNumElements() == 1) {
    double power = n.isFloat(1) ? n.floats(1, "Y")[0] : static_cast<double>(n.ints(1, "Y")[0]);
    SmallVector<int64_t> shape(std::max<int64_t>(n.rank(0), n.rank(1)) - n.rank(0), 1);
    llvm::append_range(shape, n.shape(0));
    Value x = n.c.reshape(n[0], shape);
    if (power == 1)
      return n.result(x);
    if (power == 2)
      return n.result(n.c.square(x));
    if (power == 3 && n.elementType(0).getIntOrFloatBitWidth() >= 32)
      return n.result(n.c.mul(n.c.square(x), x));
  }
  if (n.elementType(0) == n.elementType(1))
    return n.result(n.c.pow(n[0], exponent));
  // The result has the type of the base.
  Type f64 = n.b.getF64Type(), i64 = n.b.getI64Type(), type = n.elementType(0);
  if (n.isFloat(0))
    return n.result(n.c.cast(n.c.pow(n.c.cast(n[0], f64), n.c.cast(exponent, f64)), type));
  if (!n.isFloat(1))
    return n.result(n.c.cast(n.c.pow(n.c.cast(n[0], i64), n.c.cast(exponent, i64)), type));
  // The cast truncates: a power that misses an integer by its rounding error is that integer.
  Value power = n.c.pow(n.c.cast(n[0], f64), n.c.cast(exponent, f64));
  Value nearest = n.c.roundEven(power);
  Value isNear = n.c.le(n.c.abs(n.c.sub(power, nearest)), n.c.mul(n.c.abs(power), 1e-12));
  return n.result(n.c.cast(n.c.where(isNear, nearest, power), type));
}

static LogicalResult importMod(OnnxNode &n) {
  bool fmod = n.boolAttr("fmod", false);
  n.expectSameType();
  n.expectNumber(0, "A");
  if (n.failed())
    return failure();
  if (!fmod && n.isFloat(0))
    return n.attrFail("fmod", "must be 1 for " + llvm::to_string(n.elementType(0)));
  return n.result(fmod ? n.c.fmod(n[0], n[1]) : n.c.floorMod(n[0], n[1]));
}

static LogicalResult importClip(OnnxNode &n) {
  ignoreConsumedInputs(n);
  n.expectNumber(0, "input");
  std::optional<Operand> low, high;
  if (n.opset >= 11) {
    n.expectSameType();
    if (n.has(1))
      low = n.scalar(1, "min");
    if (n.has(2))
      high = n.scalar(2, "max");
  } else { // the largest floats are the defaults, so infinities are clipped too
    low = n.floatAttr("min", -FLT_MAX);
    high = n.floatAttr("max", FLT_MAX);
  }
  return n.failed() ? failure() : n.result(n.c.clip(n[0], low, high));
}

static LogicalResult importWhere(OnnxNode &n) {
  if (!n.elementType(0).isInteger(1))
    return n.fail("its 'condition' is a " + llvm::to_string(n.type(0)) + ", expected booleans");
  if (n.elementType(1) != n.elementType(2))
    return n.fail("its 'X' and 'Y' have element types " + llvm::to_string(n.elementType(1)) +
                  " and " + llvm::to_string(n.elementType(2)) + ", expected the same");
  return n.result(n.c.where(n[0], n[1], n[2]));
}

ArrayRef<OnnxRow> mlir::tiny::onnxElementwiseRows() {
  using C = Composer;
  static const OnnxRow rows[] = {
      {"Abs", 1, kLatest, 1, 1, importNumberUnary<&C::abs>},
      {"Add", 1, kLatest, 2, 2, importArithmetic<&C::add>},
      {"And", 1, kLatest, 2, 2, importLogical<&C::logicalAnd>},
      {"Ceil", 1, kLatest, 1, 1, importFloatUnary<&C::ceil>},
      {"Celu", 12, kLatest, 1, 1, importAlpha<&C::celu, 100>},
      {"Clip", 1, 10, 1, 1, importClip},
      {"Clip", 11, kLatest, 1, 3, importClip},
      {"Cos", 7, kLatest, 1, 1, importFloatUnary<&C::cos>},
      {"Div", 1, kLatest, 2, 2, importArithmetic<&C::div>},
      {"Elu", 1, kLatest, 1, 1, importAlpha<&C::elu, 100>},
      {"Equal", 1, kLatest, 2, 2, importComparison<&C::eq>},
      {"Erf", 9, kLatest, 1, 1, importFloatUnary<&C::erf>},
      {"Exp", 1, kLatest, 1, 1, importFloatUnary<&C::exp>},
      {"Floor", 1, kLatest, 1, 1, importFloatUnary<&C::floor>},
      {"Gelu", 20, kLatest, 1, 1, importGelu},
      {"Greater", 1, kLatest, 2, 2, importComparison<&C::gt>},
      {"GreaterOrEqual", 12, kLatest, 2, 2, importComparison<&C::ge>},
      {"HardSigmoid", 1, kLatest, 1, 1, importHardSigmoid},
      {"HardSwish", 14, kLatest, 1, 1, importFloatUnary<&C::hardSwish>},
      {"IsInf", 10, kLatest, 1, 1, importIsInf},
      {"IsNaN", 9, kLatest, 1, 1, importFloatUnary<&C::isNan>},
      {"LeakyRelu", 1, kLatest, 1, 1, importLeakyRelu},
      {"Less", 1, kLatest, 2, 2, importComparison<&C::lt>},
      {"LessOrEqual", 12, kLatest, 2, 2, importComparison<&C::le>},
      {"Log", 1, kLatest, 1, 1, importFloatUnary<&C::log>},
      {"Max", 1, kLatest, 1, kAny, importVariadic<&C::max>},
      {"Mean", 1, kLatest, 1, kAny, importMean},
      {"Min", 1, kLatest, 1, kAny, importVariadic<&C::min>},
      {"Mish", 18, kLatest, 1, 1, importFloatUnary<&C::mish>},
      {"Mod", 10, kLatest, 2, 2, importMod},
      {"Mul", 1, kLatest, 2, 2, importArithmetic<&C::mul>},
      {"Neg", 1, kLatest, 1, 1, importNumberUnary<&C::neg>},
      {"Not", 1, kLatest, 1, 1, importNot},
      {"Or", 1, kLatest, 2, 2, importLogical<&C::logicalOr>},
      {"PRelu", 1, kLatest, 2, 2, importPRelu},
      {"Pow", 1, kLatest, 2, 2, importPow},
      {"Reciprocal", 1, kLatest, 1, 1, importFloatUnary<&C::recip>},
      {"Relu", 1, kLatest, 1, 1, importNumberUnary<&C::relu>},
      {"Round", 11, kLatest, 1, 1, importFloatUnary<&C::roundEven>},
      {"Selu", 1, kLatest, 1, 1, importSelu},
      {"Shrink", 9, kLatest, 1, 1, importShrink},
      {"Sigmoid", 1, kLatest, 1, 1, importFloatUnary<&C::sigmoid>},
      {"Sign", 9, kLatest, 1, 1, importNumberUnary<&C::sign>},
      {"Sin", 7, kLatest, 1, 1, importFloatUnary<&C::sin>},
      {"Softplus", 1, kLatest, 1, 1, importFloatUnary<&C::softplus>},
      {"Softsign", 1, kLatest, 1, 1, importFloatUnary<&C::softsign>},
      {"Sqrt", 1, kLatest, 1, 1, importFloatUnary<&C::sqrt>},
      {"Sub", 1, kLatest, 2, 2, importArithmetic<&C::sub>},
      {"Sum", 1, kLatest, 1, kAny, importVariadic<&C::add>},
      {"Tan", 7, kLatest, 1, 1, importFloatUnary<&C::tan>},
      {"Tanh", 1, kLatest, 1, 1, importFloatUnary<&C::tanh>},
      {"ThresholdedRelu", 10, kLatest, 1, 1, importThresholdedRelu},
      {"Where", 9, kLatest, 3, 3, importWhere},
      {"Xor", 1, kLatest, 2, 2, importLogical<&C::logicalXor>},
  };
  return rows;
}
