//===- OnnxOpsQuantization.cpp - between floats and scaled integers -------===//
//
// Literal: a quantise rounds and saturates, a dequantise subtracts and scales.
// Whether a pair around a convolution becomes integer arithmetic is for Schedule.
//
//===----------------------------------------------------------------------===//

#include "OnnxNode.h"

using namespace mlir;
using namespace mlir::tiny;

/// One scale or zero point per slice along `axis`, shaped to broadcast against operand 0.
static Value alongAxis(OnnxNode &n, size_t i, StringRef what, int64_t axis) {
  if (n.rank(i) == 0 || (n.rank(i) == 1 && n.shape(i)[0] == 1))
    return n.c.reshape(n[i], {});
  SmallVector<int64_t> shape(n.rank(0), 1);
  if (n.rank(i) == 1 && n.opset >= 13) {
    axis = n.axis(axis, n.rank(0));
    if (n.failed())
      return {};
    shape[axis] = n.shape(i)[0];
    if (shape[axis] == n.shape(0)[axis])
      return n.c.reshape(n[i], shape);
  }
  n.fail("its '" + what + "' is a " + llvm::to_string(n.type(i)) +
         (n.opset >= 13 ? ", expected one element, or one for each slice along the axis"
                        : ", expected one element"));
  return {};
}

static int64_t readAxis(OnnxNode &n) {
  int64_t axis = n.opset >= 13 ? n.intAttr("axis", 1) : 0;
  if (n.opset >= 21 && n.intAttr("block_size", 0))
    n.attrFail("block_size", "is not 0: scales per block are not supported");
  return axis;
}

static LogicalResult importQuantizeLinear(OnnxNode &n) {
  int64_t axis = readAxis(n);
  Type type = n.b.getIntegerType(8, /*isSigned=*/false);
  if (n.has(2))
    type = n.elementType(2);
  if (n.opset >= 21)
    if (int64_t asked = n.intAttr("output_dtype", 0)) {
      type = n.elementTypeAttr("output_dtype", asked);
      if (!n.failed() && n.has(2) && type != n.elementType(2))
        return n.attrFail("output_dtype", "differs from the type of 'y_zero_point'");
    }
  if (n.opset >= 23 && n.intAttr("precision", 0) != 0)
    return n.attrFail("precision", "is not supported");
  if (n.opset >= 19)
    n.intAttr("saturate", 1); // for the 8-bit floats only, which are refused
  if (n.failed())
    return failure();
  if (!isa<IntegerType>(type) || type.getIntOrFloatBitWidth() < 8 ||
      type.getIntOrFloatBitWidth() > 16)
    return n.fail("cannot quantise to " + llvm::to_string(type));
  if (isa<IntegerType>(n.elementType(0)) && !n.elementType(0).isInteger(32))
    return n.fail("its 'x' is a " + llvm::to_string(n.type(0)) + ", expected floats or int32");
  n.expectFloat(1, "y_scale");
  Value scale = alongAxis(n, 1, "y_scale", axis);
  Value zero = n.has(2) ? alongAxis(n, 2, "y_zero_point", axis) : Value();
  if (n.failed())
    return failure();
  // The cast saturates to the type's range, so nothing has to be clipped.
  Type f32 = n.b.getF32Type();
  Value rounded = n.c.roundEven(n.c.div(n.c.cast(n[0], f32), n.c.cast(scale, f32)));
  if (zero)
    rounded = n.c.add(rounded, n.c.cast(zero, f32));
  return n.result(n.c.cast(rounded, type));
}

static LogicalResult importDequantizeLinear(OnnxNode &n) {
  int64_t axis = readAxis(n);
  n.expectFloat(1, "x_scale");
  if (n.opset >= 23)
    if (int64_t asked = n.intAttr("output_dtype", 0))
      if (n.elementTypeAttr("output_dtype", asked) != n.elementType(1))
        return n.attrFail("output_dtype", "differs from the type of 'x_scale'");
  n.expectNumber(0, "x");
  if (n.isFloat(0) || n.elementType(0).getIntOrFloatBitWidth() > 32)
    return n.fail("its 'x' is a " + llvm::to_string(n.type(0)) + ", expected integers to 32 bits");
  if (n.has(2) && n.elementType(2) != n.elementType(0))
    return n.fail("its 'x' and 'x_zero_point' have element types " +
                  llvm::to_string(n.elementType(0)) + " and " + llvm::to_string(n.elementType(2)) +
                  ", expected the same");
  if (n.failed())
    return failure();
  Value scale = alongAxis(n, 1, "x_scale", axis);
  Value zero = n.has(2) ? alongAxis(n, 2, "x_zero_point", axis) : Value();
  if (n.failed())
    return failure();
  // 8- and 16-bit differences are exact in i32, and in f32 after it.
  Type f32 = n.b.getF32Type(), type = n.elementType(1);
  Value difference = n.c.cast(n[0], n.b.getI32Type());
  if (zero)
    difference = n.c.sub(difference, n.c.cast(zero, n.b.getI32Type()));
  Type compute = type.isF64() ? type : f32;
  return n.result(n.c.cast(n.c.mul(n.c.cast(difference, compute), n.c.cast(scale, compute)), type));
}

ArrayRef<OnnxRow> mlir::tiny::onnxQuantizationRows() {
  static const OnnxRow rows[] = {
      {"DequantizeLinear", 10, kLatest, 2, 3, importDequantizeLinear},
      {"QuantizeLinear", 10, kLatest, 2, 3, importQuantizeLinear},
  };
  return rows;
}
