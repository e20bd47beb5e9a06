//===- OnnxOpsContraction.cpp - matmul, convolution, pooling --------------===//
//
// The window attributes (kernel_shape, strides, dilations, pads, auto_pad) are
// read in one place, for convolutions and pooling alike.
//
//===----------------------------------------------------------------------===//

#include "OnnxNode.h"

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

static LogicalResult importMatMul(OnnxNode &n) {
  n.expectSameType();
  n.expectNumber(0, "A");
  n.expectRank(0, "A", 1, kAny);
  n.expectRank(1, "B", 1, kAny);
  return n.failed() ? failure() : n.result(n.c.matmul(n[0], n[1]));
}

/// Operand `i`, `name`, of 8 bits, in i32 and minus operand `zero`, which has one number, or one
/// for each slice along `axis`.
static Value withoutZeroPoint(OnnxNode &n, size_t i, StringRef name, size_t zero, int64_t axis) {
  if (!n.elementType(i).isInteger(8)) {
    n.fail("its '" + name.str() + "' is a " + llvm::to_string(n.type(i)) +
           ", expected 8-bit integers");
    return {};
  }
  Type i32 = n.b.getI32Type();
  Value wide = n.c.cast(n[i], i32);
  if (!n.has(zero))
    return wide;
  if (n.elementType(zero) != n.elementType(i)) {
    n.fail("its '" + name.str() + "' and the zero point of it have element types " +
           llvm::to_string(n.elementType(i)) + " and " + llvm::to_string(n.elementType(zero)) +
           ", expected the same");
    return {};
  }
  Value point = n.c.cast(n[zero], i32);
  SmallVector<int64_t> shape(n.shape(zero));
  if (shape.size() == 1 && shape[0] == 1)
    shape.clear();
  if (shape.size() == 1) { // along `axis`, where the others are 1
    shape.assign(n.rank(i), 1);
    shape[axis] = n.shape(zero)[0];
  }
  Value points = n.c.broadcastTo(n.c.reshape(point, shape), n.shape(i));
  return points ? n.c.sub(wide, points) : Value();
}

static LogicalResult importMatMulInteger(OnnxNode &n) {
  n.expectRank(0, "A", 1, kAny);
  n.expectRank(1, "B", 1, kAny);
  if (n.failed())
    return failure();
  Value a = withoutZeroPoint(n, 0, "A", 2, std::max<int64_t>(n.rank(0) - 2, 0));
  Value b = a ? withoutZeroPoint(n, 1, "B", 3, n.rank(1) - 1) : Value();
  return b ? n.result(n.c.matmul(a, b)) : failure();
}

static LogicalResult importGemm(OnnxNode &n) {
  double alpha = n.floatAttr("alpha", 1), beta = n.floatAttr("beta", 1);
  bool transposeA = n.boolAttr("transA", false), transposeB = n.boolAttr("transB", false);
  if (n.opset < 7)
    n.boolAttr("broadcast", false); // the shapes say it
  n.expectSameType();
  n.expectNumber(0, "A");
  n.expectRank(0, "A", 2);
  n.expectRank(1, "B", 2);
  n.expectRank(2, "C", 0, 2);
  if (n.failed())
    return failure();
  Value c = n[2];
  if (c) { // broadcasts to the product, never the other way
    c = n.c.broadcastTo(c, {n.shape(0)[transposeA ? 1 : 0], n.shape(1)[transposeB ? 0 : 1]});
    if (!c)
      return failure();
  }
  return n.result(n.c.gemm(n[0], n[1], c, alpha, beta, transposeA, transposeB));
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

namespace {
struct WindowAttrs {
  SmallVector<int64_t> taps;
  Window window;
  /// auto_pad, as far as it is left to the caller: "SAME_UPPER", "SAME_LOWER" or "".
  std::string same;
};
} // namespace

/// One entry per spatial dim, each at least `least`; all 1 (or 0, by `least`) when left out.
static SmallVector<int64_t> spatialAttr(OnnxNode &n, StringRef name, size_t count, int64_t least) {
  SmallVector<int64_t> values = n.intsAttr(name, SmallVector<int64_t>(count, least));
  if (values.size() != count)
    n.attrFail(name, "is " + str(values) + ", expected " + Twine(count) + " numbers");
  else if (llvm::any_of(values, [&](int64_t v) { return v < least || v > (int64_t(1) << 32); }))
    n.attrFail(name, "is " + str(values) + ", expected numbers from " + Twine(least) + " on");
  return values;
}

/// Elements that a window spans.
static int64_t extent(int64_t taps, int64_t dilation) { return (taps - 1) * dilation + 1; }

/// `taps` is the size of the weights, empty for pooling, where kernel_shape has to say it.
static WindowAttrs windowAttrs(OnnxNode &n, ArrayRef<int64_t> taps, bool hasDilations = true) {
  WindowAttrs w;
  size_t count = n.rank(0) - 2;
  if (taps.empty() && !n.hasAttr("kernel_shape") && count) {
    n.attrFail("kernel_shape", "is missing");
    return w;
  }
  w.taps = n.hasAttr("kernel_shape") ? spatialAttr(n, "kernel_shape", count, 1)
                                     : SmallVector<int64_t>(taps);
  if (!n.failed() && !taps.empty() && ArrayRef<int64_t>(w.taps) != taps)
    n.attrFail("kernel_shape", "is " + str(w.taps) + ", but the weights have " + str(taps));
  w.window.strides = spatialAttr(n, "strides", count, 1);
  w.window.dilations =
      hasDilations ? spatialAttr(n, "dilations", count, 1) : SmallVector<int64_t>(count, 1);
  SmallVector<int64_t> pads = spatialAttr(n, "pads", 2 * count, 0);
  std::string automatic = n.stringAttr("auto_pad", "NOTSET");
  if (n.failed())
    return w;
  bool isSame = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  if (!isSame && automatic != "NOTSET" && automatic != "VALID" && !automatic.empty()) {
    n.attrFail("auto_pad",
               "is '" + automatic + "', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
    return w;
  }
  if ((isSame || automatic == "VALID") && llvm::any_of(pads, [](int64_t pad) { return pad; })) {
    n.attrFail("pads", "is " + str(pads) + " beside auto_pad " + automatic + ", expected one");
    return w;
  }
  w.window.padLow.assign(pads.begin(), pads.begin() + count);
  w.window.padHigh.assign(pads.begin() + count, pads.end());
  if (isSame)
    w.same = automatic;
  return w;
}

/// Splits a total of padding: SAME_UPPER puts the odd one at the end.
static void splitPadding(WindowAttrs &w, size_t dim, int64_t total, bool upper) {
  int64_t half = total / 2, rest = total - half;
  w.window.padLow[dim] = upper ? half : rest;
  w.window.padHigh[dim] = upper ? rest : half;
}

/// SAME: as many positions as ceil(size / stride).
static void padSame(OnnxNode &n, WindowAttrs &w) {
  if (w.same.empty() || n.failed())
    return;
  for (auto [dim, size] : llvm::enumerate(n.shape(0).drop_front(2))) {
    int64_t stride = w.window.strides[dim];
    int64_t span = extent(w.taps[dim], w.window.dilations[dim]);
    int64_t total = size ? (llvm::divideCeil(size, stride) - 1) * stride + span - size : 0;
    splitPadding(w, dim, std::max<int64_t>(total, 0), w.same == "SAME_UPPER");
  }
}

static void expectSpatial(OnnxNode &n) { n.expectRank(0, "X", 3, kAny); }

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

static void checkConvOperands(OnnxNode &n) {
  expectSpatial(n);
  n.expectFloat(0, "X");
  n.expectSameType();
  n.expectRank(1, "W", n.rank(0));
  n.expectRank(2, "B", 1);
}

static LogicalResult importConv(OnnxNode &n) {
  checkConvOperands(n);
  int64_t groups = n.intAttr("group", 1);
  if (n.failed())
    return failure();
  WindowAttrs w = windowAttrs(n, n.shape(1).drop_front(2));
  padSame(n, w);
  return n.failed() ? failure() : n.result(n.c.convolution(n[0], n[1], n[2], w.window, groups));
}

static LogicalResult importConvInteger(OnnxNode &n) {
  expectSpatial(n);
  n.expectRank(1, "W", n.rank(0));
  int64_t groups = n.intAttr("group", 1);
  if (n.failed())
    return failure();
  WindowAttrs w = windowAttrs(n, n.shape(1).drop_front(2));
  padSame(n, w);
  if (n.failed())
    return failure();
  Value x = withoutZeroPoint(n, 0, "X", 2, 1);
  Value weights = x ? withoutZeroPoint(n, 1, "W", 3, 0) : Value();
  // Padding is behind the zero point: it adds nothing.
  return weights ? n.result(n.c.convolution(x, weights, Value(), w.window, groups)) : failure();
}

static LogicalResult importConvTranspose(OnnxNode &n) {
  checkConvOperands(n);
  int64_t groups = n.intAttr("group", 1);
  if (n.failed())
    return failure();
  WindowAttrs w = windowAttrs(n, n.shape(1).drop_front(2));
  size_t count = n.rank(0) - 2;
  SmallVector<int64_t> extra = spatialAttr(n, "output_padding", count, 0);
  SmallVector<int64_t> sizes = spatialAttr(n, "output_shape", count, 0);
  if (n.failed())
    return failure();
  // A wanted size decides the padding; it is size * stride for SAME.
  if (n.hasAttr("output_shape") || !w.same.empty()) {
    for (size_t dim = 0; dim < count; ++dim) {
      int64_t stride = w.window.strides[dim], size = n.shape(0)[dim + 2];
      int64_t wanted = n.hasAttr("output_shape") ? sizes[dim] : size * stride;
      int64_t total =
          stride * (size - 1) + extra[dim] + extent(w.taps[dim], w.window.dilations[dim]) - wanted;
      if (total < 0) { // more than the windows reach: the rest is padding of the result
        extra[dim] -= total;
        total = 0;
      }
      splitPadding(w, dim, total, w.same == "SAME_UPPER");
    }
  }
  return n.result(n.c.transposedConvolution(n[0], n[1], n[2], w.window, groups, extra));
}

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

static LogicalResult importMaxPool(OnnxNode &n) {
  expectSpatial(n);
  if (n.failed())
    return failure();
  bool ceil = n.opset >= 10 && n.boolAttr("ceil_mode", false);
  if (n.opset >= 8)
    n.boolAttr("storage_order", false); // of the indices, which are not supported
  WindowAttrs w = windowAttrs(n, {}, /*hasDilations=*/n.opset >= 10);
  padSame(n, w);
  return n.failed() ? failure() : n.result(n.c.maxPool(n[0], w.taps, w.window, ceil));
}

static LogicalResult importAveragePool(OnnxNode &n) {
  expectSpatial(n);
  n.expectFloat(0, "X");
  if (n.failed())
    return failure();
  bool ceil = n.opset >= 10 && n.boolAttr("ceil_mode", false);
  bool countPadding = n.opset >= 7 && n.boolAttr("count_include_pad", false);
  WindowAttrs w = windowAttrs(n, {}, /*hasDilations=*/n.opset >= 19);
  padSame(n, w);
  if (n.failed())
    return failure();
  return n.result(n.c.averagePool(n[0], w.taps, w.window, ceil, countPadding));
}

static LogicalResult importLpPool(OnnxNode &n) {
  expectSpatial(n);
  n.expectFloat(0, "X");
  if (n.failed())
    return failure();
  int64_t p = n.intAttr("p", 2);
  bool ceil = n.opset >= 18 && n.boolAttr("ceil_mode", false);
  WindowAttrs w = windowAttrs(n, {}, /*hasDilations=*/n.opset >= 18);
  padSame(n, w);
  if (p < 1)
    return n.attrFail("p", "is " + Twine(p) + ", expected 1 or more");
  return n.failed() ? failure() : n.result(n.c.lpPool(n[0], w.taps, w.window, ceil, p));
}

template <Value (Composer::*build)(Value)> static LogicalResult importGlobalPool(OnnxNode &n) {
  expectSpatial(n);
  n.expectFloat(0, "X");
  return n.failed() ? failure() : n.result((n.c.*build)(n[0]));
}

static LogicalResult importGlobalLpPool(OnnxNode &n) {
  int64_t p = n.intAttr("p", 2);
  expectSpatial(n);
  n.expectFloat(0, "X");
  if (p < 1)
    return n.attrFail("p", "is " + Twine(p) + ", expected 1 or more");
  return n.failed() ? failure() : n.result(n.c.globalLpPool(n[0], p));
}

ArrayRef<OnnxRow> mlir::tiny::onnxContractionRows() {
  using C = Composer;
  static const OnnxRow rows[] = {
      {"AveragePool", 1, kLatest, 1, 1, importAveragePool},
      {"Conv", 1, kLatest, 2, 3, importConv},
      {"ConvInteger", 10, kLatest, 2, 4, importConvInteger},
      {"ConvTranspose", 1, kLatest, 2, 3, importConvTranspose},
      {"Gemm", 1, 10, 3, 3, importGemm},
      {"Gemm", 11, kLatest, 2, 3, importGemm},
      {"GlobalAveragePool", 1, kLatest, 1, 1, importGlobalPool<&C::globalAveragePool>},
      {"GlobalLpPool", 2, kLatest, 1, 1, importGlobalLpPool},
      {"GlobalMaxPool", 1, kLatest, 1, 1, importGlobalPool<&C::globalMaxPool>},
      {"LpPool", 2, kLatest, 1, 1, importLpPool},
      {"MatMul", 1, kLatest, 2, 2, importMatMul},
      {"MatMulInteger", 10, kLatest, 2, 4, importMatMulInteger},
      {"MaxPool", 1, kLatest, 1, 1, importMaxPool},
  };
  return rows;
}
