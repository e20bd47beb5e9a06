//===- CompositesNorm.cpp - softmax and normalisations --------------------===//
//
// Reductions that feed elementwise work along the same dims. All compute in f32 or wider, and shift
// or centre first, so that nothing overflows or cancels.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/Composites.h"

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// e^x for x <= 0 that goes into a sum with an e^0. The rounding of x * log2(e) costs |x| * 2^-24
/// of the power, which exp would save with another fifteen ops; but |x| * e^x <= 1/e, so that what
/// is lost is below half an ULP of 1, and so of the sum. (f64 likewise.)
static Value powerOfSum(Composer &c, Value x) { return c.exp2(c.mul(x, 1.442695040888963407360)); }

Value Composer::softmax(Value x, int64_t dim) {
  if (!floats(x, "softmax"))
    return {};
  return inF32(x, [&](Value x) {
    Value powers = powerOfSum(*this, sub(x, reduceMax(x, dim, /*keepDims=*/true)));
    return div(powers, reduceSum(powers, dim, /*keepDims=*/true));
  });
}

Value Composer::logSoftmax(Value x, int64_t dim) {
  if (!floats(x, "logSoftmax"))
    return {};
  return inF32(x, [&](Value x) {
    Value shifted = sub(x, reduceMax(x, dim, /*keepDims=*/true));
    return sub(shifted, log(reduceSum(powerOfSum(*this, shifted), dim, /*keepDims=*/true)));
  });
}

//===----------------------------------------------------------------------===//
// Normalisations
//===----------------------------------------------------------------------===//

static SmallVector<int64_t> dimsFrom(int64_t first, int64_t rank) {
  return llvm::to_vector(llvm::seq<int64_t>(first, rank));
}

/// 1 / sqrt(x + epsilon)
static Value inverseRoot(Composer &c, Value x, double epsilon) {
  return c.recip(c.sqrt(c.add(x, epsilon)));
}

/// To mean 0 and variance 1 over `dims`.
static Value standardize(Composer &c, Value x, ArrayRef<int64_t> dims, double epsilon) {
  Value centred = c.sub(x, c.reduceMean(x, dims, /*keepDims=*/true));
  Value variance = c.reduceMean(c.square(centred), dims, /*keepDims=*/true);
  return c.mul(centred, inverseRoot(c, variance, epsilon));
}

/// x * scale + bias, either of which may be null; neither may be larger than x.
static Value affine(Composer &c, Value x, Value scale, Value bias) {
  Type type = c.elementOf(x);
  if (x && scale)
    x = c.mul(x, c.broadcastTo(c.cast(scale, type), c.shapeOf(x)));
  if (x && bias)
    x = c.add(x, c.broadcastTo(c.cast(bias, type), c.shapeOf(x)));
  return x;
}

/// A value per channel [C] as [C, 1, …], which broadcasts to x [N, C, spatial…]; null stays null.
/// False after a report if it is not one.
static bool alongChannels(Composer &c, Value x, Value &perChannel, StringRef what) {
  if (!perChannel)
    return true;
  int64_t channels = c.shapeOf(x)[1];
  if (c.shapeOf(perChannel) != ArrayRef<int64_t>(channels)) {
    c.fail(what + " takes one value for each of the " + Twine(channels) + " channels");
    return false;
  }
  SmallVector<int64_t> shape(c.rankOf(x) - 1, 1);
  shape[0] = channels;
  perChannel = c.reshape(perChannel, shape);
  return true;
}

static bool hasChannels(Composer &c, Value x, StringRef what) {
  if (c.rankOf(x) >= 2)
    return true;
  c.fail(what + " takes [N, C, spatial…], not a tensor of rank " + Twine(c.rankOf(x)));
  return false;
}

Value Composer::layerNorm(Value x, int64_t firstDim, Value scale, Value bias, double epsilon) {
  std::optional<int64_t> first = floats(x, "layerNorm") ? dimOf(firstDim, rankOf(x)) : std::nullopt;
  if (!first)
    return {};
  return inF32(x, [&](Value x) {
    return affine(*this, standardize(*this, x, dimsFrom(*first, rankOf(x)), epsilon), scale, bias);
  });
}

Value Composer::rmsNorm(Value x, int64_t firstDim, Value scale, double epsilon) {
  std::optional<int64_t> first = floats(x, "rmsNorm") ? dimOf(firstDim, rankOf(x)) : std::nullopt;
  if (!first)
    return {};
  return inF32(x, [&](Value x) {
    Value power = reduceMean(square(x), dimsFrom(*first, rankOf(x)), /*keepDims=*/true);
    return affine(*this, mul(x, inverseRoot(*this, power, epsilon)), scale, {});
  });
}

Value Composer::batchNorm(Value x, Value scale, Value bias, Value mean, Value variance,
                          double epsilon) {
  if (!floats(x, "batchNorm") || !scale || !bias || !mean || !variance ||
      !hasChannels(*this, x, "batchNorm"))
    return {};
  for (Value *perChannel : {&scale, &bias, &mean, &variance})
    if (!alongChannels(*this, x, *perChannel, "batchNorm"))
      return {};
  return inF32(x, [&](Value x) {
    Type type = elementOf(x);
    Value factor = div(cast(scale, type), sqrt(add(cast(variance, type), epsilon)));
    Value offset = sub(cast(bias, type), mul(cast(mean, type), factor));
    return affine(*this, x, factor, offset);
  });
}

Value Composer::instanceNorm(Value x, Value scale, Value bias, double epsilon) {
  if (!floats(x, "instanceNorm") || !hasChannels(*this, x, "instanceNorm") ||
      !alongChannels(*this, x, scale, "instanceNorm") ||
      !alongChannels(*this, x, bias, "instanceNorm"))
    return {};
  return inF32(x, [&](Value x) {
    return affine(*this, standardize(*this, x, dimsFrom(2, rankOf(x)), epsilon), scale, bias);
  });
}

Value Composer::groupNorm(Value x, int64_t groups, Value scale, Value bias, double epsilon) {
  if (!floats(x, "groupNorm") || !hasChannels(*this, x, "groupNorm") ||
      !alongChannels(*this, x, scale, "groupNorm") || !alongChannels(*this, x, bias, "groupNorm"))
    return {};
  int64_t channels = shapeOf(x)[1];
  if (groups < 1 || channels % groups)
    return fail(Twine(channels) + " channels do not form " + Twine(groups) + " equal groups");
  return inF32(x, [&](Value x) {
    SmallVector<int64_t> shape(shapeOf(x)), grouped = {shape[0], groups, channels / groups};
    llvm::append_range(grouped, ArrayRef<int64_t>(shape).drop_front(2));
    Value split = reshape(x, grouped);
    Value normal = standardize(*this, split, dimsFrom(2, grouped.size()), epsilon);
    return affine(*this, reshape(normal, shape), scale, bias);
  });
}

Value Composer::localResponseNorm(Value x, int64_t size, double alpha, double beta, double bias) {
  if (!floats(x, "localResponseNorm") || !hasChannels(*this, x, "localResponseNorm"))
    return {};
  if (size < 1)
    return fail("localResponseNorm takes a size of at least 1, not " + Twine(size));
  return inF32(x, [&](Value x) {
    SmallVector<int64_t> low(rankOf(x), 0), high(low);
    low[1] = (size - 1) / 2;
    high[1] = size - 1 - low[1];
    Value squares = slidingWindow(pad(square(x), low, high), 1, size, 1, 1);
    Value sum = reduceSum(squares, 2);
    return div(x, pow(add(mul(sum, alpha / static_cast<double>(size)), bias), beta));
  });
}

Value Composer::lpNormalize(Value x, int64_t dim, int64_t p) {
  if (!floats(x, "lpNormalize"))
    return {};
  if (p != 1 && p != 2)
    return fail("lpNormalize takes p 1 or 2, not " + Twine(p));
  return inF32(x, [&](Value x) {
    Value norm = p == 1 ? reduceL1(x, dim, true) : reduceL2(x, dim, true);
    return div(x, where(eq(norm, 0), 1, norm));
  });
}
