//===- CompositesWindow.cpp - convolution and pooling ---------------------===//
//
// A sliding window is a view: a chain of movement ops that composes to
//   input index = position * stride + tap * dilation
// with no mod and no division left once the ranges are known. A convolution multiplies windows and
// weights, both expanded to the whole iteration space, and sums once; a pooling only reduces. The
// windows never exist in memory.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/Composites.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

/// The list with dims `dim` … `dim + count - 1` replaced by `entries`.
static SmallVector<int64_t> replaced(ArrayRef<int64_t> list, int64_t dim, int64_t count,
                                     ArrayRef<int64_t> entries) {
  SmallVector<int64_t> result(list.take_front(dim));
  llvm::append_range(result, entries);
  llvm::append_range(result, list.drop_front(dim + count));
  return result;
}

Value Composer::slidingWindow(Value x, int64_t dim, int64_t taps, int64_t stride,
                              int64_t dilation) {
  std::optional<int64_t> at = x ? dimOf(dim, rankOf(x)) : std::nullopt;
  if (!at)
    return {};
  if (taps < 1 || stride < 1 || dilation < 1)
    return fail("a window needs at least one tap and positive steps, not " + Twine(taps) +
                " taps, stride " + Twine(stride) + ", dilation " + Twine(dilation));
  dim = *at;
  SmallVector<int64_t> shape(shapeOf(x));
  int64_t size = shape[dim], extent;
  if (llvm::MulOverflow(taps - 1, dilation, extent) || extent >= size)
    return fail("a window of " + Twine(taps) + " taps with dilation " + Twine(dilation) +
                " does not fit a dim of size " + Twine(size) + ", padding included");
  extent += 1;
  int64_t positions = (size - extent) / stride + 1;

  // The movements act on one dim (or the two it is split into) and leave the others alone.
  auto cut = [&](Value x, ArrayRef<int64_t> sizes) {
    SmallVector<int64_t> none(rankOf(x), 0);
    return shrink(x, none, replaced(shapeOf(x), dim, sizes.size(), sizes));
  };
  auto step = [&](Value x, ArrayRef<int64_t> steps) {
    SmallVector<int64_t> ones(rankOf(x), 1);
    return this->stride(x, replaced(ones, dim, steps.size(), steps));
  };

  if (taps == 1) {
    x = step(cut(x, (positions - 1) * stride + 1), stride);
    return reshape(x, replaced(shape, dim, 1, {positions, 1}));
  }

  // Windows that do not overlap are blocks. What the last block lacks is padded, and never read.
  if (positions == 1 || extent <= stride) {
    int64_t block = positions == 1 ? extent : stride, whole;
    if (llvm::MulOverflow(positions, block, whole))
      return fail("a stride of " + Twine(stride) + " is too large");
    SmallVector<int64_t> none(shape.size(), 0);
    x = pad(x, none, replaced(none, dim, 1, std::max<int64_t>(whole - size, 0)));
    x = reshape(cut(x, whole), replaced(shape, dim, 1, {positions, block}));
    return step(cut(x, {positions, extent}), {1, dilation});
  }

  // Otherwise repeat the dim, end to end, and cut it into rows that are `dilation` longer than it:
  // each row starts `dilation` later in its copy than the row before, so row and column are tap and
  // first element. Element (tap, i) is number tap * (size + dilation) + i of the copies, which
  // modulo `size` is i + tap * dilation, and that is below `size` for all that is kept.
  int64_t row = size + dilation, length;
  if (llvm::MulOverflow(taps, row, length))
    return fail("a window of " + Twine(taps) + " taps over " + Twine(size) +
                " elements is too large");
  int64_t copies = llvm::divideCeil(length, size);
  x = expand(reshape(x, replaced(shape, dim, 1, {1, size})),
             replaced(shape, dim, 1, {copies, size}));
  x = reshape(x, replaced(shape, dim, 1, copies * size));
  x = reshape(cut(x, length), replaced(shape, dim, 1, {taps, row}));
  x = step(cut(x, {taps, (positions - 1) * stride + 1}), {1, stride});
  return transpose(x, dim, dim + 1);
}

/// Fills in the defaults; false after a report if a list does not fit.
static bool complete(const Composer &c, Window &window, size_t spatial) {
  struct Entry {
    SmallVector<int64_t> &list;
    const char *name;
    int64_t least;
  };
  for (Entry entry : {Entry{window.strides, "strides", 1}, Entry{window.dilations, "dilations", 1},
                      Entry{window.padLow, "padding", 0}, Entry{window.padHigh, "padding", 0}}) {
    if (entry.list.empty())
      entry.list.assign(spatial, entry.least);
    if (entry.list.size() != spatial) {
      c.fail(Twine(entry.list.size()) + " " + entry.name + " given for " + Twine(spatial) +
             " spatial dims");
      return false;
    }
    for (int64_t value : entry.list)
      if (value < entry.least) {
        c.fail(Twine(entry.name) + " must be at least " + Twine(entry.least) + ", not " +
               Twine(value));
        return false;
      }
  }
  return true;
}

/// Pads x [N, C, spatial…] and slides over its spatial dims: [N, C, positions…, taps…].
static Value windowsOf(Composer &c, Value x, ArrayRef<int64_t> taps, const Window &window,
                       const Scalar &padding) {
  SmallVector<int64_t> low(2, 0), high(2, 0), order = {0, 1};
  llvm::append_range(low, window.padLow);
  llvm::append_range(high, window.padHigh);
  x = c.pad(x, low, high, padding);
  for (int64_t i = taps.size() - 1; i >= 0; --i) // from the end: positions of dims before stay
    x = c.slidingWindow(x, 2 + i, taps[i], window.strides[i], window.dilations[i]);
  for (int64_t part : {0, 1})
    for (size_t i = 0; i < taps.size(); ++i)
      order.push_back(2 + 2 * i + part);
  return c.permute(x, order);
}

static SmallVector<int64_t> range(int64_t first, int64_t end) {
  return llvm::to_vector(llvm::seq<int64_t>(first, end));
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

Value Composer::convolution(Value x, Value weights, Value bias, const Window &given, int64_t groups,
                            Type resultType) {
  if (!x || !weights)
    return {};
  int64_t rank = rankOf(x), spatial = rank - 2;
  Window window = given;
  if (rank < 2 || rankOf(weights) != rank)
    return fail(
        "convolution takes an input [N, C, spatial…] and weights of the same rank, not rank " +
        Twine(rank) + " and " + Twine(rankOf(weights)));
  if (!complete(*this, window, spatial))
    return {};
  Type left = elementOf(x), right = elementOf(weights);
  bool bothIntegers = isa<IntegerType>(left) && isa<IntegerType>(right);
  if (left.isInteger(1) || right.isInteger(1) || (left != right && !bothIntegers))
    return fail("convolution takes two tensors of numbers of one element type (or both integers)");
  int64_t batch = shapeOf(x)[0], channels = shapeOf(x)[1], features = shapeOf(weights)[0];
  if (groups < 1 || channels % groups || features % groups ||
      shapeOf(weights)[1] != channels / groups)
    return fail("convolution of " + Twine(channels) + " channels in " + Twine(groups) +
                " groups does not fit weights for " + Twine(features) + " features of " +
                Twine(shapeOf(weights)[1]) + " channels each");
  if (bias && shapeOf(bias) != ArrayRef<int64_t>(features))
    return fail("convolution takes one bias for each of the " + Twine(features) + " features");

  resultType = resultType ? resultType : left;
  Type accumulator = commonAccumulator(left, right, resultType);
  SmallVector<int64_t> taps(shapeOf(weights).drop_front(2));
  Value windows = windowsOf(*this, cast(x, accumulator), taps, window, 0);
  if (!windows)
    return {};
  SmallVector<int64_t> positions(shapeOf(windows).slice(2, spatial));

  // The iteration space: [N, (groups,) features, positions…, channels, taps…]. Without groups that
  // dim is left out, so that an ordinary convolution looks like one.
  SmallVector<int64_t> head = {batch}, tail = {channels / groups}, order = {0};
  llvm::append_range(tail, taps);
  int64_t first = groups == 1 ? 1 : 2; // where features stand
  if (groups != 1) {
    head.push_back(groups);
    order.push_back(1);
    windows = reshape(windows, replaced(shapeOf(windows), 1, 1, {groups, channels / groups}));
  }
  llvm::append_range(order, range(first + 1, first + 1 + spatial));
  order.push_back(first); // channels go behind the positions
  llvm::append_range(order, range(first + 1 + spatial, rankOf(windows)));
  windows = permute(windows, order);

  SmallVector<int64_t> space(head), windowShape(head), weightShape(head);
  space.push_back(features / groups);
  windowShape.push_back(1);
  weightShape[0] = 1;
  weightShape.push_back(features / groups);
  llvm::append_range(space, positions);
  llvm::append_range(windowShape, positions);
  weightShape.append(spatial, 1);
  for (SmallVector<int64_t> *shape : {&space, &windowShape, &weightShape})
    llvm::append_range(*shape, tail);
  Value product = mul(expand(reshape(windows, windowShape), space),
                      expand(reshape(cast(weights, accumulator), weightShape), space));
  Value sum = reduceSum(product, range(space.size() - 1 - spatial, space.size()));

  SmallVector<int64_t> shape = {batch, features};
  llvm::append_range(shape, positions);
  sum = reshape(sum, shape);
  if (bias) {
    SmallVector<int64_t> column(spatial + 1, 1);
    column[0] = features;
    sum = add(sum, reshape(cast(bias, accumulator), column));
  }
  return cast(sum, resultType);
}

/// Puts step - 1 zeros between neighbours of each spatial dim of x [N, C, spatial…].
static Value insertZeros(Composer &c, Value x, ArrayRef<int64_t> steps) {
  SmallVector<int64_t> spread(c.shapeOf(x).take_front(2)), merged(spread), kept(spread);
  SmallVector<int64_t> high(2, 0);
  for (auto [size, step] : llvm::zip(c.shapeOf(x).drop_front(2), steps)) {
    int64_t whole;
    if (llvm::MulOverflow(size, step, whole))
      return c.fail("a stride of " + Twine(step) + " is too large");
    spread.append({size, 1});
    high.append({0, step - 1});
    merged.push_back(whole);
    kept.push_back(whole - step + 1);
  }
  SmallVector<int64_t> none(high.size(), 0);
  x = c.reshape(c.pad(c.reshape(x, spread), none, high), merged);
  none.resize(kept.size());
  return c.shrink(x, none, kept);
}

/// More phases than this are not worth a convolution each.
static constexpr int64_t kMaxPhases = 64;

/// The part of a transposed convolution that the phases of one dim have in common: output o = step
/// * q + r gets tap k of input i where o + padLow = step * i + k * dilation. So the outputs of one
/// remainder r are a dense convolution, with the taps that its o + padLow meets.
struct PhasedDim {
  int64_t size, taps, step, dilation, padLow, output;

  int64_t steps() const { return llvm::divideCeilSigned(output, step); } // q runs over these
};

/// The taps k = first, first + step, … that meet the outputs of remainder `phase`, and how far the
/// input lies before that of q = 0.
struct Phase {
  int64_t first, taps, ahead;
};

static Phase phaseOf(const PhasedDim &dim, int64_t phase) {
  int64_t place = phase + dim.padLow, first = place % dim.step;
  return {first, first < dim.taps ? llvm::divideCeilSigned(dim.taps - first, dim.step) : 0,
          place / dim.step};
}

/// The outputs of one remainder per dim: [N, M, steps…]. `turned` are the weights as those of a
/// convolution, but with their taps in the order of the transposed one.
static Value convolvePhase(Composer &c, Value x, Value turned, Value bias, ArrayRef<PhasedDim> dims,
                           ArrayRef<int64_t> phases, int64_t groups) {
  SmallVector<int64_t> low(2, 0), high(2, 0), first(2, 0), steps(2, 1), flipped, shape;
  SmallVector<int64_t> all(c.shapeOf(turned)), result = {c.shapeOf(x)[0], c.shapeOf(turned)[0]};
  bool empty = false;
  Window dense;
  for (auto [number, dim] : llvm::enumerate(dims)) {
    Phase phase = phaseOf(dim, phases[number]);
    empty |= phase.taps == 0;
    first.push_back(phase.first);
    steps.push_back(dim.step);
    flipped.push_back(2 + number);
    all[2 + number] -= phase.first;
    low.push_back((phase.taps - 1) * dim.dilation - phase.ahead);
    high.push_back(dim.steps() + phase.ahead - dim.size);
    dense.dilations.push_back(dim.dilation);
    result.push_back(dim.steps());
  }
  if (empty) { // no tap meets these outputs
    Value zero = c.splat(0, RankedTensorType::get(result, c.elementOf(x)));
    SmallVector<int64_t> column(dims.size() + 1, 1);
    column[0] = result[1];
    return bias ? c.add(zero, c.reshape(bias, column)) : zero;
  }
  Value taps = c.flip(c.stride(c.shrink(turned, first, all), steps), flipped);
  return c.convolution(c.padWith(x, low, high), taps, bias, dense, groups);
}

/// [N, M, steps…] per remainder, in row-major order of the remainders, to [N, M, outputs…]. Every
/// element is chosen by its position alone, so that each convolution can write in its place.
static Value interleavePhases(Composer &c, ArrayRef<Value> phases, ArrayRef<PhasedDim> dims) {
  SmallVector<int64_t> one(c.shapeOf(phases.front()).take_front(2)), whole(one), merged(one),
      cut(one);
  for (const PhasedDim &dim : dims) {
    one.append({dim.steps(), 1});
    whole.append({dim.steps(), dim.step});
    merged.push_back(dim.steps() * dim.step);
    cut.push_back(dim.output);
  }
  SmallVector<int64_t> low(whole.size(), 0), high(whole.size(), 0);
  auto select = [&](auto &&self, ArrayRef<Value> rest, size_t dim) -> Value {
    if (dim == dims.size())
      return c.pad(c.reshape(rest.front(), one), low, high);
    int64_t place = 3 + 2 * dim, step = dims[dim].step, each = rest.size() / step;
    Value position = step > 1 ? c.iota(whole, place, c.b.getI32Type()) : Value(), result;
    for (int64_t phase = 0; phase < step; ++phase) {
      low[place] = phase;
      high[place] = step - 1 - phase;
      Value chosen = self(self, rest.slice(phase * each, each), dim + 1);
      result = result ? c.where(c.lt(position, phase), result, chosen) : chosen;
    }
    return result;
  };
  SmallVector<int64_t> none(merged.size(), 0);
  return c.shrink(c.reshape(select(select, phases, 0), merged), none, cut);
}

// With a stride, one dense convolution for each remainder of the output's position: the zeros that
// a stride puts between the inputs are never multiplied.
Value Composer::transposedConvolution(Value x, Value weights, Value bias, const Window &given,
                                      int64_t groups, ArrayRef<int64_t> outputPadding) {
  if (!x || !weights)
    return {};
  int64_t rank = rankOf(x), spatial = rank - 2;
  Window window = given;
  if (rank < 2 || rankOf(weights) != rank)
    return fail("transposed convolution takes an input [N, C, spatial…] and weights of the same "
                "rank, not rank " +
                Twine(rank) + " and " + Twine(rankOf(weights)));
  if (!complete(*this, window, spatial))
    return {};
  int64_t channels = shapeOf(x)[1], perGroup = shapeOf(weights)[1];
  if (groups < 1 || channels % groups || shapeOf(weights)[0] != channels)
    return fail("transposed convolution of " + Twine(channels) + " channels in " + Twine(groups) +
                " groups does not fit weights for " + Twine(shapeOf(weights)[0]) + " channels");
  if (!outputPadding.empty() && static_cast<int64_t>(outputPadding.size()) != spatial)
    return fail(Twine(outputPadding.size()) + " output paddings given for " + Twine(spatial) +
                " spatial dims");
  ArrayRef<int64_t> taps = shapeOf(weights).drop_front(2);
  SmallVector<int64_t> low(2, 0), high(2, 0), flipped;
  SmallVector<PhasedDim> dims;
  int64_t numPhases = 1;
  bool splits = true;
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t reach, extra = outputPadding.empty() ? 0 : outputPadding[i];
    if (shapeOf(x)[2 + i] == 0 || taps[i] == 0 || extra < 0 ||
        llvm::MulOverflow(taps[i] - 1, window.dilations[i], reach))
      return fail("transposed convolution of spatial dim " + Twine(i) + " with size " +
                  Twine(shapeOf(x)[2 + i]) + ", " + Twine(taps[i]) + " taps, dilation " +
                  Twine(window.dilations[i]) + " and output padding " + Twine(extra) +
                  " is not possible");
    low.push_back(reach - window.padLow[i]);
    int64_t top;
    if (llvm::AddOverflow(reach - window.padHigh[i], extra, top))
      return fail("an output padding of " + Twine(extra) + " is too large");
    high.push_back(top);
    flipped.push_back(2 + i);
    int64_t spread; // of the input: where the last element and what it reaches lie
    if (llvm::MulOverflow(shapeOf(x)[2 + i] - 1, window.strides[i], spread))
      return fail("a stride of " + Twine(window.strides[i]) + " is too large");
    dims.push_back({shapeOf(x)[2 + i], taps[i], window.strides[i], window.dilations[i],
                    window.padLow[i], spread + 1 + low.back() + top - reach});
    splits &= dims.back().output > 0 && (window.strides[i] == 1 || window.dilations[i] == 1);
    splits &=
        !llvm::MulOverflow(numPhases, window.strides[i], numPhases) && numPhases <= kMaxPhases;
  }

  SmallVector<int64_t> grouped = {groups, channels / groups, perGroup},
                       perFeature = {groups * perGroup, channels / groups};
  llvm::append_range(grouped, taps);
  llvm::append_range(perFeature, taps);
  Value turned = reshape(transpose(reshape(weights, grouped), 1, 2), perFeature);
  if (splits && numPhases > 1) {
    SmallVector<Value> outputs;
    for (int64_t number = 0; number < numPhases; ++number) {
      SmallVector<int64_t> phases(spatial);
      for (int64_t rest = number, i = spatial; i-- > 0; rest /= dims[i].step)
        phases[i] = rest % dims[i].step;
      outputs.push_back(convolvePhase(*this, x, turned, bias, dims, phases, groups));
    }
    if (llvm::is_contained(outputs, Value()))
      return {};
    return interleavePhases(*this, outputs, dims);
  }
  Window dense;
  dense.dilations = window.dilations;
  return convolution(padWith(insertZeros(*this, x, window.strides), low, high),
                     flip(turned, flipped), bias, dense, groups);
}

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

int64_t Composer::ceilModeExtra(int64_t size, int64_t taps, int64_t stride, int64_t dilation,
                                int64_t padLow, int64_t padHigh) {
  int64_t reach, padded, free;
  // What overflows, or fits no window or just one, is not for rounding to repair.
  if (llvm::MulOverflow(taps - 1, dilation, reach) || llvm::AddOverflow(size, padLow, padded) ||
      llvm::AddOverflow(padded, padHigh, padded) || llvm::SubOverflow(padded - 1, reach, free) ||
      free <= 0)
    return 0;
  int64_t positions = llvm::divideCeil(free, stride) + 1;
  if ((positions - 1) * stride >= size + padLow) // it would start in the high padding
    --positions;
  return std::max<int64_t>((positions - 1) * stride - free, 0);
}

/// Checks and completes a pooling's window, whose padHigh grows by what `ceilMode` needs.
static bool completePool(Composer &c, Value x, ArrayRef<int64_t> taps, Window &window,
                         bool ceilMode) {
  if (!x)
    return false;
  if (c.rankOf(x) != static_cast<int64_t>(taps.size()) + 2) {
    c.fail("pooling over " + Twine(taps.size()) + " dims does not fit a tensor of rank " +
           Twine(c.rankOf(x)) + "; it takes [N, C, spatial…]");
    return false;
  }
  if (!complete(c, window, taps.size()))
    return false;
  for (size_t i = 0; ceilMode && i < taps.size(); ++i) {
    int64_t extra =
        Composer::ceilModeExtra(c.shapeOf(x)[2 + i], taps[i], window.strides[i],
                                window.dilations[i], window.padLow[i], window.padHigh[i]);
    if (llvm::AddOverflow(window.padHigh[i], extra, window.padHigh[i])) {
      c.fail("a stride of " + Twine(window.strides[i]) + " is too large");
      return false;
    }
  }
  return true;
}

Value Composer::maxPool(Value x, ArrayRef<int64_t> taps, const Window &given, bool ceilMode) {
  Window window = given;
  if (!completePool(*this, x, taps, window, ceilMode))
    return {};
  TypedAttr least = reduceIdentity(ReduceKind::max, elementOf(x));
  auto real = dyn_cast<FloatAttr>(least);
  Scalar padding =
      real ? Scalar(real.getValue()) : Scalar(APSInt(mlir::cast<IntegerAttr>(least).getValue()));
  Value windows = windowsOf(*this, x, taps, window, padding);
  return reduceMax(windows, range(rankOf(x), rankOf(x) + taps.size()));
}

Value Composer::averagePool(Value x, ArrayRef<int64_t> taps, const Window &given, bool ceilMode,
                            bool countPadding) {
  Window window = given;
  if (!completePool(*this, x, taps, window, ceilMode))
    return {};
  if (elementOf(x).isInteger(1))
    return fail("averagePool takes numbers, not i1");
  Type type = elementOf(x), accumulator = accumulatorOf(type);
  Value windows = windowsOf(*this, cast(x, accumulator), taps, window, 0);
  if (!windows)
    return {};
  Value sum = reduceSum(windows, range(rankOf(x), rankOf(x) + taps.size()));

  // How many taps count is known now: one number where it is the same for all positions, and one
  // vector per dim where it is not. Small integers, so that their product is exact.
  int64_t uniform = 1;
  Value varying;
  for (size_t i = 0; i < taps.size(); ++i) {
    int64_t first = countPadding ? 0 : window.padLow[i];
    int64_t end = window.padLow[i] + shapeOf(x)[2 + i];
    if (countPadding && !given.padHigh.empty())
      end += given.padHigh[i];
    SmallVector<double> counts(shapeOf(sum)[2 + i], 0);
    for (auto [position, count] : llvm::enumerate(counts)) {
      int64_t start = position * window.strides[i], dilation = window.dilations[i];
      int64_t below = llvm::divideCeilSigned(first - start, dilation); // taps that fall short
      int64_t within = llvm::divideCeilSigned(end - start, dilation);
      count = std::max<int64_t>(std::min(within, taps[i]) - std::max<int64_t>(below, 0), 0);
    }
    if (llvm::all_equal(counts)) {
      uniform *= static_cast<int64_t>(counts.front());
      continue;
    }
    SmallVector<int64_t> shape(taps.size() - i, 1);
    shape[0] = counts.size();
    Value vector = table(counts, shape, accumulator);
    varying = varying ? mul(varying, vector) : vector;
  }
  if (varying)
    return cast(div(sum, uniform == 1 ? varying : mul(varying, uniform)), type);
  return cast(div(sum, uniform), type);
}

Value Composer::lpPool(Value x, ArrayRef<int64_t> taps, const Window &given, bool ceilMode,
                       double p) {
  Window window = given;
  if (!completePool(*this, x, taps, window, ceilMode) || !floats(x, "lpPool"))
    return {};
  return inF32(x, [&](Value x) {
    Value powers = pow(abs(x), p);
    Value windows = windowsOf(*this, powers, taps, window, 0);
    return pow(reduceSum(windows, range(rankOf(x), rankOf(x) + taps.size())), 1.0 / p);
  });
}

/// The spatial dims of [N, C, spatial…], or nothing after a report.
static std::optional<SmallVector<int64_t>> spatialDims(Composer &c, Value x) {
  if (!x)
    return std::nullopt;
  if (c.rankOf(x) >= 2)
    return range(2, c.rankOf(x));
  c.fail("global pooling takes [N, C, spatial…], not a tensor of rank " + Twine(c.rankOf(x)));
  return std::nullopt;
}

Value Composer::globalMaxPool(Value x) {
  std::optional<SmallVector<int64_t>> dims = spatialDims(*this, x);
  return dims ? reduceMax(x, *dims, /*keepDims=*/true) : Value();
}

Value Composer::globalAveragePool(Value x) {
  std::optional<SmallVector<int64_t>> dims = spatialDims(*this, x);
  return dims ? reduceMean(x, *dims, /*keepDims=*/true) : Value();
}

Value Composer::globalLpPool(Value x, double p) {
  std::optional<SmallVector<int64_t>> dims = spatialDims(*this, x);
  if (!dims || !floats(x, "globalLpPool"))
    return {};
  return inF32(x, [&](Value x) {
    return pow(reduceSum(pow(abs(x), p), *dims, /*keepDims=*/true), 1.0 / p);
  });
}
