//===- OnnxOpsResize.cpp - Resize and its forerunner Upsample -------------===//
//
// The sizes must be known at import. Each dim is resampled by itself.
//
//===----------------------------------------------------------------------===//

#include "OnnxNode.h"
#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tiny;

/// One scale and one size per axis. Without `rounding` the nearest element is the one of the first
/// operator sets: the next one where a dim shrinks, the one before where it grows.
static LogicalResult resize(OnnxNode &n, ArrayRef<int64_t> axes, ArrayRef<double> scales,
                            ArrayRef<int64_t> sizes, StringRef mode, ResizeCoordinates coordinates,
                            std::optional<NearestRounding> rounding) {
  bool linear = mode == "linear" || mode == "bilinear" || mode == "trilinear";
  if (!linear && mode != "nearest")
    return n.attrFail("mode", "is '" + mode + "', expected nearest or linear");
  if (linear)
    n.expectFloat(0, "X");
  SmallVector<int64_t> shape(n.shape(0));
  for (auto [axis, size] : llvm::zip_equal(axes, sizes))
    shape[axis] = size;
  n.tensorType(shape, n.elementType(0));
  if (n.failed())
    return failure();
  Value value = n[0];
  for (auto [axis, scale, size] : llvm::zip_equal(axes, scales, sizes)) {
    if (size == n.shape(0)[axis] && scale == 1)
      continue;
    NearestRounding first = scale < 1 ? NearestRounding::ceil : NearestRounding::floor;
    value =
        linear ? n.c.resizeLinear(value, axis, size, scale, coordinates)
               : n.c.resizeNearest(value, axis, size, scale, coordinates, rounding.value_or(first));
  }
  return n.result(value);
}

/// floor(size * scale) for each axis; the scales must be positive.
static SmallVector<int64_t> sizesOf(OnnxNode &n, ArrayRef<int64_t> axes, ArrayRef<double> scales) {
  if (scales.size() != axes.size()) {
    n.fail("its 'scales' has " + Twine(scales.size()) + " numbers, expected " + Twine(axes.size()));
    return {};
  }
  SmallVector<int64_t> sizes;
  for (auto [axis, scale] : llvm::zip_equal(axes, scales)) {
    double size = std::floor(n.shape(0)[axis] * scale);
    if (!(scale > 0) || !(size < 0x1p48)) {
      n.fail("a scale is " + Twine(std::to_string(scale)) + ", expected a small positive number");
      return {};
    }
    sizes.push_back(static_cast<int64_t>(size));
  }
  return sizes;
}

static SmallVector<int64_t> allAxes(OnnxNode &n) {
  return llvm::to_vector(llvm::seq<int64_t>(0, n.rank(0)));
}

/// Upsample, and the first Resize, which only added scales below 1.
static LogicalResult importUpsample(OnnxNode &n) {
  std::string mode = n.stringAttr("mode", "nearest");
  SmallVector<double> scales = n.opset < 9 ? n.floatsAttr("scales") : n.floats(1, "scales");
  if (n.failed())
    return failure();
  SmallVector<int64_t> axes = allAxes(n), sizes = sizesOf(n, axes, scales);
  if (n.failed())
    return failure();
  return resize(n, axes, scales, sizes, mode, ResizeCoordinates::asymmetric, std::nullopt);
}

static LogicalResult importResize(OnnxNode &n) {
  std::string mode = n.stringAttr("mode", "nearest");
  std::string where = n.stringAttr("coordinate_transformation_mode", "half_pixel");
  std::string nearest = n.stringAttr("nearest_mode", "round_prefer_floor");
  n.floatAttr("cubic_coeff_a", -0.75);   // for mode cubic, which is refused
  n.floatAttr("extrapolation_value", 0); // for tf_crop_and_resize, which is refused
  n.boolAttr("exclude_outside", false);  // for mode cubic
  if (n.opset >= 18 && n.boolAttr("antialias", false))
    return n.attrFail("antialias", "is not supported");
  std::string policy =
      n.opset >= 18 ? n.stringAttr("keep_aspect_ratio_policy", "stretch") : "stretch";
  auto coordinates = llvm::StringSwitch<std::optional<ResizeCoordinates>>(where)
                         .Case("half_pixel", ResizeCoordinates::halfPixel)
                         .Case("pytorch_half_pixel", ResizeCoordinates::pytorchHalfPixel)
                         .Case("asymmetric", ResizeCoordinates::asymmetric)
                         .Case("align_corners", ResizeCoordinates::alignCorners)
                         .Default(std::nullopt);
  if (!coordinates)
    return n.attrFail(
        "coordinate_transformation_mode",
        "is '" + where + "', expected half_pixel, pytorch_half_pixel, asymmetric or align_corners");
  auto rounding = llvm::StringSwitch<std::optional<NearestRounding>>(nearest)
                      .Case("round_prefer_floor", NearestRounding::preferFloor)
                      .Case("round_prefer_ceil", NearestRounding::preferCeil)
                      .Case("floor", NearestRounding::floor)
                      .Case("ceil", NearestRounding::ceil)
                      .Default(std::nullopt);
  if (!rounding)
    return n.attrFail("nearest_mode", "is '" + nearest +
                                          "', expected round_prefer_floor, round_prefer_ceil, "
                                          "floor or ceil");
  SmallVector<int64_t> axes = allAxes(n);
  if (n.opset >= 18 && n.hasAttr("axes"))
    axes = n.axes(n.intsAttr("axes"), n.rank(0));
  if (n.failed())
    return failure();
  // An empty tensor stands for an operand that is left out.
  bool hasScales = n.has(2) && n.type(2).getNumElements() > 0;
  if (hasScales == n.has(3))
    return n.fail("needs either 'scales' or 'sizes'");
  SmallVector<double> scales;
  SmallVector<int64_t> sizes;
  if (hasScales) {
    scales = n.floats(2, "scales");
    if (!n.failed())
      sizes = sizesOf(n, axes, scales);
  } else {
    if (policy != "stretch")
      return n.attrFail("keep_aspect_ratio_policy", "is '" + policy + "', expected stretch");
    sizes = n.ints(3, "sizes");
    if (!n.failed() && sizes.size() != axes.size())
      return n.fail("its 'sizes' has " + Twine(sizes.size()) + " numbers, expected " +
                    Twine(axes.size()));
    for (auto [axis, size] : llvm::zip(axes, sizes)) {
      if (n.shape(0)[axis] == 0 || size < 0)
        return n.fail("cannot resize dimension " + Twine(axis) + " of size " +
                      Twine(n.shape(0)[axis]) + " to " + Twine(size));
      scales.push_back(static_cast<double>(size) / n.shape(0)[axis]);
    }
  }
  return n.failed() ? failure() : resize(n, axes, scales, sizes, mode, *coordinates, *rounding);
}

ArrayRef<OnnxRow> mlir::tiny::onnxResizeRows() {
  static const OnnxRow rows[] = {
      {"Resize", 10, 10, 2, 2, importUpsample},
      {"Resize", 11, kLatest, 1, 4, importResize},
      {"Upsample", 7, 8, 1, 1, importUpsample},
      {"Upsample", 9, 9, 2, 2, importUpsample},
  };
  return rows;
}
