//===- OnnxOpsShape.cpp - constants, shapes and casts ---------------------===//
//
// The operators that start a program or ask about it. All shapes are static, so
// Shape and Size are constants, and whatever is computed from them folds.
//
//===----------------------------------------------------------------------===//

#include "OnnxNode.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tiny;

static LogicalResult importConstant(OnnxNode &n) {
  static constexpr StringLiteral forms[] = {"value", "value_int", "value_ints", "value_float",
                                            "value_floats"};
  if (n.hasAttr("sparse_value") || n.hasAttr("value_string") || n.hasAttr("value_strings"))
    return n.fail("a sparse or string constant is not supported");
  size_t given = llvm::count_if(forms, [&](StringRef form) { return n.hasAttr(form); });
  if (given != 1)
    return n.fail("has " + Twine(given) + " attributes with a value, expected one");
  if (const onnx::TensorProto *tensor = n.tensorAttr("value")) {
    ElementsAttr elements = n.tensor(*tensor);
    if (n.failed())
      return failure();
    return n.result(n.c.constant(elements));
  }
  if (n.hasAttr("value_int"))
    return n.result(n.constant({n.intAttr("value_int", 0)}, {}));
  if (n.hasAttr("value_ints")) {
    SmallVector<int64_t> values = n.intsAttr("value_ints");
    return n.result(n.constant(values, {static_cast<int64_t>(values.size())}));
  }
  Type f32 = n.b.getF32Type();
  if (n.hasAttr("value_float"))
    return n.result(n.splat(n.floatAttr("value_float", 0), {}, f32));
  SmallVector<float> values;
  for (double value : n.floatsAttr("value_floats"))
    values.push_back(value);
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())}, f32);
  if (n.failed())
    return failure();
  return n.result(
      n.c.constant(cast<ElementsAttr>(DenseElementsAttr::get(type, ArrayRef<float>(values)))));
}

static LogicalResult importShape(OnnxNode &n) {
  int64_t rank = n.rank(0), start = 0, end = rank;
  if (n.opset >= 15) {
    start = n.intAttr("start", 0);
    end = n.intAttr("end", rank);
    auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
    start = clamp(start);
    end = std::max(clamp(end), start);
  }
  return n.result(n.constant(n.shape(0).slice(start, end - start), {end - start}));
}

static LogicalResult importSize(OnnxNode &n) {
  return n.result(n.constant({n.type(0).getNumElements()}, {}));
}

static LogicalResult importConstantOfShape(OnnxNode &n) {
  n.expectRank(0, "input", 1);
  SmallVector<int64_t> shape = n.ints(0, "input");
  Type elementType = n.b.getF32Type();
  const onnx::TensorProto *tensor = n.tensorAttr("value");
  ElementsAttr value = tensor ? n.tensor(*tensor) : ElementsAttr();
  if (n.failed())
    return failure();
  if (value) {
    if (value.getNumElements() != 1)
      return n.attrFail("value", "has " + Twine(value.getNumElements()) + " elements, expected 1");
    elementType = value.getShapedType().getElementType();
  }
  n.tensorType(shape, elementType);
  if (n.failed())
    return failure();
  if (!value)
    return n.result(n.splat(0, shape, elementType));
  return n.result(n.c.broadcastTo(n.c.reshape(n.c.constant(value), {}), shape));
}

static LogicalResult importRange(OnnxNode &n) {
  n.expectSameType();
  static constexpr StringLiteral names[] = {"start", "limit", "delta"};
  for (size_t i = 0; i < 3; ++i)
    n.expectRank(i, names[i], 0);
  if (n.failed())
    return failure();
  Type elementType = n.elementType(0);
  double count;
  bool startsAtZero, isByOne;
  if (n.isFloat(0)) {
    SmallVector<double> values;
    for (size_t i = 0; i < 3; ++i)
      llvm::append_range(values, n.floats(i, names[i]));
    if (n.failed())
      return failure();
    count = std::ceil((values[1] - values[0]) / values[2]);
    startsAtZero = values[0] == 0, isByOne = values[2] == 1;
  } else {
    SmallVector<int64_t> values;
    for (size_t i = 0; i < 3; ++i)
      llvm::append_range(values, n.ints(i, names[i]));
    if (n.failed())
      return failure();
    count =
        values[2] == 0 ? NAN : std::ceil((static_cast<double>(values[1]) - values[0]) / values[2]);
    startsAtZero = values[0] == 0, isByOne = values[2] == 1;
  }
  if (!(std::abs(count) < 0x1p48))
    return n.fail("counts without end: its 'delta' is zero or too small");
  SmallVector<int64_t> shape = {std::max<int64_t>(static_cast<int64_t>(count), 0)};
  Value range = n.c.iota(shape, 0, elementType);
  if (!isByOne)
    range = n.c.mul(range, n[2]);
  return n.result(startsAtZero ? range : n.c.add(range, n[0]));
}

static LogicalResult importCast(OnnxNode &n) {
  int64_t to = n.intAttr("to", 0);
  if (!n.hasAttr("to"))
    return n.attrFail("to", "is missing");
  if (n.opset >= 19)
    n.intAttr("saturate", 1); // for the 8-bit floats only, which are refused
  Type type = n.elementTypeAttr("to", to);
  if (n.failed())
    return failure();
  return n.result(n.c.cast(n[0], type));
}

static LogicalResult importCastLike(OnnxNode &n) {
  if (n.opset >= 19)
    n.intAttr("saturate", 1);
  return n.result(n.c.cast(n[0], n.elementType(1)));
}

static LogicalResult importEyeLike(OnnxNode &n) {
  int64_t k = n.intAttr("k", 0);
  n.expectRank(0, "input", 2);
  Type type = n.elementType(0);
  if (n.hasAttr("dtype"))
    type = n.elementTypeAttr("dtype", n.intAttr("dtype", 0));
  if (n.failed())
    return failure();
  Type i64 = n.b.getI64Type();
  Value row = n.c.iota(n.shape(0), 0, i64), column = n.c.iota(n.shape(0), 1, i64);
  return n.result(n.c.cast(n.c.eq(n.c.sub(column, row), k), type));
}

ArrayRef<OnnxRow> mlir::tiny::onnxShapeRows() {
  static const OnnxRow rows[] = {
      {"Cast", 6, kLatest, 1, 1, importCast},
      {"CastLike", 15, kLatest, 2, 2, importCastLike},
      {"Constant", 1, kLatest, 0, 0, importConstant},
      {"ConstantOfShape", 9, kLatest, 1, 1, importConstantOfShape},
      {"EyeLike", 9, kLatest, 1, 1, importEyeLike},
      {"Range", 11, kLatest, 3, 3, importRange},
      {"Shape", 1, kLatest, 1, 1, importShape},
      {"Size", 1, kLatest, 1, 1, importSize},
  };
  return rows;
}
