//===- CompositesIndex.cpp - gathering and resampling ---------------------===//
//
// Where an element comes from is data, or a table known at compile time. There is no address that
// depends on data: a gather compares every position with the index, selects and sums. Schedule
// knows that form and loads the one element instead.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/Composites.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

/// Indices into a dim of `size` as i32, i64 or ui64, counted from the start; null after a report.
/// The type holds every index and every position, so that no index out of range becomes another.
static Value wrapIndices(Composer &c, Value indices, int64_t size) {
  auto type = indices ? dyn_cast<IntegerType>(c.elementOf(indices)) : IntegerType();
  if (!type || type.getWidth() == 1)
    return indices ? c.fail("indices must be integers") : Value();
  if (type.isUnsignedInteger(64))
    return indices;
  bool isWide = type.getWidth() == 64 || type.isUnsignedInteger(32) || !llvm::isInt<32>(size);
  indices = c.cast(indices, isWide ? c.b.getI64Type() : c.b.getI32Type());
  if (type.isUnsigned())
    return indices;
  return c.where(c.lt(indices, 0), c.add(indices, size), indices);
}

/// The constant indices, if there are some, and all lie in range; counted from the start.
static std::optional<SmallVector<int64_t>> constantIndices(Value indices, int64_t size) {
  auto constant = indices.getDefiningOp<ConstantOp>();
  auto dense =
      constant ? dyn_cast<DenseIntElementsAttr>(constant.getValue()) : DenseIntElementsAttr();
  if (!dense || dense.getNumElements() == 0)
    return std::nullopt;
  bool isUnsigned = dense.getElementType().isUnsignedInteger();
  SmallVector<int64_t> result;
  for (const APInt &value : dense.getValues<APInt>()) {
    int64_t index = isUnsigned ? static_cast<int64_t>(value.getZExtValue()) : value.getSExtValue();
    index = index < 0 && !isUnsigned ? index + size : index;
    if (index < 0 || index >= size)
      return std::nullopt;
    result.push_back(index);
  }
  return result;
}

/// x sliced along `dim`, if the indices are evenly spaced; null without a report if not.
static Value gatherBySlice(Composer &c, Value x, ArrayRef<int64_t> indices, int64_t dim) {
  int64_t first = indices.front(), step = indices.size() > 1 ? indices[1] - first : 1;
  for (size_t i = 1; i < indices.size(); ++i)
    if (indices[i] - indices[i - 1] != step)
      return {};
  SmallVector<int64_t> sizes(c.shapeOf(x)), offsets(sizes.size(), 0), steps(sizes.size(), 1);
  offsets[dim] = std::min(first, indices.back());
  if (step == 0) { // one element, repeated
    sizes[dim] = 1;
    return c.repeatElements(c.shrink(x, offsets, sizes), dim, indices.size());
  }
  sizes[dim] = std::abs(indices.back() - first) + 1;
  steps[dim] = step;
  return c.stride(c.shrink(x, offsets, sizes), steps);
}

Value Composer::gather(Value x, Value indices, int64_t dim) {
  std::optional<int64_t> along = x && indices ? dimOf(dim, rankOf(x)) : std::nullopt;
  if (!along)
    return {};
  ArrayRef<int64_t> outer = shapeOf(x).take_front(*along),
                    inner = shapeOf(x).drop_front(*along + 1);
  SmallVector<int64_t> chosen(shapeOf(indices)), result(outer);
  int64_t size = shapeOf(x)[*along];
  llvm::append_range(result, chosen);
  llvm::append_range(result, inner);
  if (isa<IntegerType>(elementOf(indices)) && !elementOf(indices).isInteger(1))
    if (std::optional<SmallVector<int64_t>> known = constantIndices(indices, size))
      if (Value sliced = gatherBySlice(*this, x, *known, *along))
        return reshape(sliced, result);

  // The iteration space: [outer…, indices…, position, inner…].
  SmallVector<int64_t> space(outer), source(outer), index(outer.size(), 1);
  llvm::append_range(space, chosen);
  source.append(chosen.size(), 1);
  llvm::append_range(index, chosen);
  int64_t position = space.size();
  space.push_back(size), source.push_back(size), index.push_back(1);
  llvm::append_range(space, inner);
  llvm::append_range(source, inner);
  index.append(inner.size(), 1);
  Value wrapped = wrapIndices(*this, indices, size);
  if (!wrapped)
    return {};
  Value isChosen =
      eq(iota(space, position, elementOf(wrapped)), broadcastTo(reshape(wrapped, index), space));
  return reduceSum(where(isChosen, broadcastTo(reshape(x, source), space), 0), position);
}

Value Composer::gatherElements(Value x, Value indices, int64_t dim) {
  std::optional<int64_t> along = x && indices ? dimOf(dim, rankOf(x)) : std::nullopt;
  if (!along)
    return {};
  if (rankOf(indices) != rankOf(x))
    return fail("gatherElements takes indices of the tensor's rank " + Twine(rankOf(x)) + ", not " +
                Twine(rankOf(indices)));
  SmallVector<int64_t> kept(shapeOf(indices)), none(kept.size(), 0);
  int64_t size = shapeOf(x)[*along];
  kept[*along] = size;
  x = shrink(x, none, kept);
  Value wrapped = x ? wrapIndices(*this, indices, size) : Value();
  if (!wrapped)
    return {};
  // The iteration space: the result's dims, and the position right behind `dim`.
  SmallVector<int64_t> space(shapeOf(indices)), source(kept), index(space);
  space.insert(space.begin() + *along + 1, size);
  source.insert(source.begin() + *along, 1);
  index.insert(index.begin() + *along + 1, 1);
  Value isChosen =
      eq(iota(space, *along + 1, elementOf(wrapped)), expand(reshape(wrapped, index), space));
  return reduceSum(where(isChosen, expand(reshape(x, source), space), 0), *along + 1);
}

Value Composer::oneHot(Value indices, int64_t depth, int64_t dim, Value on, Value off) {
  std::optional<int64_t> along = indices ? dimOf(dim, rankOf(indices) + 1) : std::nullopt;
  if (!along || !on || !off)
    return {};
  if (depth < 0)
    return fail("oneHot takes a depth of at least 0, not " + Twine(depth));
  Value wrapped = wrapIndices(*this, indices, depth);
  if (!wrapped)
    return {};
  SmallVector<int64_t> space(shapeOf(indices)), index(space);
  space.insert(space.begin() + *along, depth);
  index.insert(index.begin() + *along, 1);
  Value isHot = eq(iota(space, *along, elementOf(wrapped)), expand(reshape(wrapped, index), space));
  return where(isHot, on, off);
}

//===----------------------------------------------------------------------===//
// Resampling
//===----------------------------------------------------------------------===//

/// No table that is computed here may be larger: a quarter of a GiB in f32.
static constexpr int64_t kMostEntries = int64_t(1) << 26;

/// Where output element `o` samples its input.
static double coordinateOf(int64_t o, int64_t inputSize, int64_t size, double scale,
                           ResizeCoordinates coordinates) {
  double position = static_cast<double>(o);
  switch (coordinates) {
  case ResizeCoordinates::pytorchHalfPixel:
    if (size == 1)
      return 0;
    [[fallthrough]];
  case ResizeCoordinates::halfPixel:
    return (position + 0.5) / scale - 0.5;
  case ResizeCoordinates::asymmetric:
    return position / scale;
  case ResizeCoordinates::alignCorners:
    return size == 1 ? 0 : position * static_cast<double>(inputSize - 1) / (size - 1);
  }
}

static double roundNearest(double coordinate, NearestRounding rounding) {
  switch (rounding) {
  case NearestRounding::preferFloor:
    return std::ceil(coordinate - 0.5);
  case NearestRounding::preferCeil:
    return std::floor(coordinate + 0.5);
  case NearestRounding::floor:
    return std::floor(coordinate);
  case NearestRounding::ceil:
    return std::ceil(coordinate);
  }
}

/// `dim` normalised, if it can be resized to `size`; else a report.
static std::optional<int64_t> resizedDim(Composer &c, Value x, int64_t dim, int64_t size,
                                         double scale) {
  std::optional<int64_t> along = x ? c.dimOf(dim, c.rankOf(x)) : std::nullopt;
  if (!along)
    return std::nullopt;
  if (size >= 0 && size <= kMostEntries && scale > 0 && std::isfinite(scale) &&
      (size == 0 || c.shapeOf(x)[*along] != 0))
    return along;
  c.fail("cannot resize dim " + Twine(*along) + " from " + Twine(c.shapeOf(x)[*along]) + " to " +
         Twine(size) + " elements by a scale of " + Twine(std::to_string(scale)));
  return std::nullopt;
}

Value Composer::resizeNearest(Value x, int64_t dim, int64_t size, double scale,
                              ResizeCoordinates coordinates, NearestRounding rounding) {
  std::optional<int64_t> along = resizedDim(*this, x, dim, size, scale);
  if (!along)
    return {};
  int64_t inputSize = shapeOf(x)[*along];
  SmallVector<int64_t> indices;
  for (int64_t o = 0; o < size; ++o) {
    double nearest = roundNearest(coordinateOf(o, inputSize, size, scale, coordinates), rounding);
    indices.push_back(std::clamp(nearest, 0.0, static_cast<double>(inputSize - 1)));
  }
  // Each element a whole number of times: movement.
  if (size > 0 && size % inputSize == 0) {
    int64_t count = size / inputSize;
    if (llvm::all_of(llvm::enumerate(indices), [&](auto entry) {
          return entry.value() == static_cast<int64_t>(entry.index()) / count;
        }))
      return repeatElements(x, *along, count);
  }
  return gather(x, vector(indices, b.getI64Type()), *along);
}

Value Composer::resizeLinear(Value x, int64_t dim, int64_t size, double scale,
                             ResizeCoordinates coordinates) {
  std::optional<int64_t> along = resizedDim(*this, x, dim, size, scale);
  if (!along || !floats(x, "resizeLinear"))
    return {};
  int64_t inputSize = shapeOf(x)[*along], last = inputSize - 1;

  // By a whole number, every element has the same `scale` successors: each a sum of three
  // neighbours with the same weights everywhere, once the borders are repeated.
  bool isPeriodic = coordinates != ResizeCoordinates::alignCorners && size > 1 &&
                    scale == std::nearbyint(scale) &&
                    static_cast<double>(inputSize) * scale == static_cast<double>(size);
  if (isPeriodic) {
    int64_t phases = size / inputSize;
    SmallVector<double> weights(phases * 3, 0.0);
    for (int64_t phase = 0; phase < phases; ++phase) {
      double coordinate = coordinateOf(phase, inputSize, size, scale, coordinates);
      double below = std::floor(coordinate); // -1 or 0, the element's left neighbour or itself
      double fraction = coordinate - below;
      weights[phase * 3 + static_cast<int64_t>(below) + 1] += 1 - fraction;
      weights[phase * 3 + static_cast<int64_t>(below) + 2] += fraction;
    }
    return inF32(x, [&](Value x) {
      SmallVector<int64_t> border(rankOf(x), 0), table(rankOf(x) + 2, 1), shape(shapeOf(x));
      border[*along] = 1;
      Value windows = slidingWindow(padWith(x, border, border, PadMode::edge), *along, 3, 1, 1);
      SmallVector<int64_t> split(shapeOf(windows));
      split.insert(split.begin() + *along + 1, 1); // [element, phase, neighbour]
      table[*along + 1] = phases, table[*along + 2] = 3;
      Value phased = mul(reshape(windows, split), this->table(weights, table, elementOf(x)));
      shape[*along] = size;
      return reshape(reduceSum(phased, *along + 2), shape);
    });
  }

  int64_t entries;
  if (llvm::MulOverflow(size, inputSize, entries) || entries > kMostEntries)
    return fail("resizing " + Twine(inputSize) + " to " + Twine(size) +
                " elements needs a table of more than " + Twine(kMostEntries) + " weights");
  SmallVector<double> weights(entries, 0.0);
  for (int64_t o = 0; o < size; ++o) {
    double coordinate = std::clamp(coordinateOf(o, inputSize, size, scale, coordinates), 0.0,
                                   static_cast<double>(last));
    int64_t below = static_cast<int64_t>(coordinate);
    double fraction = coordinate - static_cast<double>(below);
    weights[o * inputSize + below] += 1 - fraction;
    weights[o * inputSize + std::min(below + 1, last)] += fraction;
  }
  return resample(x, *along, size, weights);
}

Value Composer::resample(Value x, int64_t dim, int64_t size, ArrayRef<double> weights) {
  std::optional<int64_t> along = resizedDim(*this, x, dim, size, 1);
  if (!along || !floats(x, "resample"))
    return {};
  return inF32(x, [&](Value x) {
    Value matrix = table(weights, {size, shapeOf(x)[*along]}, elementOf(x));
    return transpose(matmul(transpose(x, *along, -1), transpose(matrix)), *along, -1);
  });
}
