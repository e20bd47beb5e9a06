//===- CompositesResample.cpp - resizing ----------------------------------===//
//
// Where an element comes from is a table known at compile time. Whole factors are movement, or a
// window with the same weights everywhere; the rest is a gather or a small matrix.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/Composites.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

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
