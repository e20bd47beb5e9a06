//===- CompositesShape.cpp - joining, cutting, padding, rearranging -------===//
//
// All but concat is pure movement, or concat of pure movement. concat chooses between its pieces by
// position: each element comes from one piece unchanged, where a sum of padded pieces would turn -0
// into 0 and spread NaNs.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/Composites.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Joining and cutting
//===----------------------------------------------------------------------===//

Value Composer::concat(ArrayRef<Value> values, int64_t dim) {
  if (values.empty())
    return fail("concat takes at least one tensor");
  if (!llvm::all_of(values, [](Value value) { return static_cast<bool>(value); }))
    return {};
  std::optional<int64_t> along = dimOf(dim, rankOf(values[0]));
  if (!along)
    return {};
  SmallVector<int64_t> shape(shapeOf(values[0]));
  SmallVector<Value> pieces; // those with elements along the dim
  int64_t total = 0;
  for (Value value : values) {
    SmallVector<int64_t> other(shapeOf(value));
    if (elementOf(value) != elementOf(values[0]) || other.size() != shape.size())
      return fail("concat takes tensors of one element type and rank");
    int64_t size = other[*along];
    other[*along] = shape[*along];
    if (other != shape)
      return fail("concat along dim " + Twine(*along) + ": the other dims must have equal sizes");
    if (llvm::AddOverflow(total, size, total))
      return fail("concat is larger than 64 bits can count");
    if (size != 0)
      pieces.push_back(value);
  }
  if (pieces.empty())
    return values[0];
  if (pieces.size() == 1)
    return pieces[0];

  shape[*along] = total;
  Type index = llvm::isInt<32>(total) ? b.getI32Type() : b.getI64Type();
  Value position = iota(shape, *along, index), result;
  int64_t start = 0;
  SmallVector<int64_t> low(shape.size(), 0), high(low);
  for (Value piece : pieces) {
    low[*along] = start;
    high[*along] = total - start - shapeOf(piece)[*along];
    Value padded = pad(piece, low, high);
    result = result ? where(lt(position, start), result, padded) : padded;
    start += shapeOf(piece)[*along];
  }
  return result;
}

SmallVector<Value> Composer::split(Value x, int64_t dim, ArrayRef<int64_t> sizes) {
  SmallVector<Value> nothing(sizes.size());
  std::optional<int64_t> along = x ? dimOf(dim, rankOf(x)) : std::nullopt;
  if (!along)
    return nothing;
  int64_t rest = shapeOf(x)[*along];
  for (int64_t size : sizes) // subtracting cannot overflow: rest stays between 0 and its start
    if (size < 0 || (rest -= size) < 0)
      break;
  if (rest != 0 || llvm::any_of(sizes, [](int64_t size) { return size < 0; })) {
    fail("split: the sizes must not be negative and must add up to the " +
         Twine(shapeOf(x)[*along]) + " elements of dim " + Twine(*along));
    return nothing;
  }
  SmallVector<Value> pieces;
  SmallVector<int64_t> offsets(rankOf(x), 0), kept(shapeOf(x));
  for (int64_t size : sizes) {
    kept[*along] = size;
    pieces.push_back(shrink(x, offsets, kept));
    offsets[*along] += size;
  }
  return pieces;
}

Value Composer::slice(Value x, int64_t dim, int64_t start, int64_t end, int64_t step) {
  std::optional<int64_t> along = x ? dimOf(dim, rankOf(x)) : std::nullopt;
  if (!along)
    return {};
  if (step == 0 || step == std::numeric_limits<int64_t>::min())
    return fail("slice with a step of " + Twine(step));
  int64_t size = shapeOf(x)[*along];
  // Going up, positions are clamped to 0 … size; going down, to -1 … size - 1.
  int64_t least = step > 0 ? 0 : -1, most = step > 0 ? size : size - 1;
  auto clamp = [&](int64_t position) {
    position = position < 0 ? position + size : position;
    return std::min(std::max(position, least), most);
  };
  start = clamp(start), end = clamp(end);
  int64_t distance = step > 0 ? end - start : start - end, stepSize = std::abs(step);
  int64_t count = distance > 0 ? (distance - 1) / stepSize + 1 : 0;
  int64_t extent = count == 0 ? 0 : (count - 1) * stepSize + 1;

  SmallVector<int64_t> offsets(rankOf(x), 0), sizes(shapeOf(x)), steps(rankOf(x), 1);
  offsets[*along] = extent == 0 ? 0 : step > 0 ? start : start - extent + 1;
  sizes[*along] = extent;
  steps[*along] = step;
  return stride(shrink(x, offsets, sizes), steps);
}

Value Composer::flip(Value x, ArrayRef<int64_t> dims) {
  std::optional<SmallVector<int64_t>> along = x ? dimsOf(dims, rankOf(x)) : std::nullopt;
  if (!along)
    return {};
  SmallVector<int64_t> steps(rankOf(x), 1);
  for (int64_t dim : *along)
    steps[dim] = -1;
  return stride(x, steps);
}

//===----------------------------------------------------------------------===//
// Repeating
//===----------------------------------------------------------------------===//

/// Repeats along `dim`: the whole dim (`before`), or each of its elements.
static Value repeat(Composer &c, Value x, int64_t dim, int64_t count, bool before) {
  SmallVector<int64_t> shape(c.shapeOf(x)), split(shape), expanded, merged(shape);
  int64_t at = before ? dim : dim + 1;
  split.insert(split.begin() + at, 1);
  expanded = split;
  expanded[at] = count;
  if (llvm::MulOverflow(shape[dim], count, merged[dim]))
    return c.fail("repeating " + Twine(shape[dim]) + " elements " + Twine(count) +
                  " times is larger than 64 bits can count");
  return c.reshape(c.expand(c.reshape(x, split), expanded), merged);
}

Value Composer::tile(Value x, ArrayRef<int64_t> repeats) {
  if (!x)
    return {};
  if (static_cast<int64_t>(repeats.size()) != rankOf(x))
    return fail("tile takes one count for each of the " + Twine(rankOf(x)) + " dims, not " +
                Twine(repeats.size()));
  for (auto [dim, count] : llvm::enumerate(repeats)) {
    if (count < 0)
      return fail("tile cannot repeat dim " + Twine(dim) + " " + Twine(count) + " times");
    if (count != 1)
      x = repeat(*this, x, dim, count, /*before=*/true);
    if (!x)
      return {};
  }
  return x;
}

Value Composer::repeatElements(Value x, int64_t dim, int64_t count) {
  std::optional<int64_t> along = x ? dimOf(dim, rankOf(x)) : std::nullopt;
  if (!along)
    return {};
  if (count < 0)
    return fail("cannot repeat elements " + Twine(count) + " times");
  return count == 1 ? x : repeat(*this, x, *along, count, /*before=*/false);
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

/// Pads one dim by copies of elements of x. The counts are not negative, and not both 0.
static Value padByElements(Composer &c, Value x, int64_t dim, int64_t low, int64_t high,
                           PadMode mode) {
  int64_t size = c.shapeOf(x)[dim];
  if (size == 0)
    return c.fail("cannot pad dim " + Twine(dim) + ", which is empty, with its own elements");
  if (mode == PadMode::wrap) { // a piece of the tiled tensor, which starts `low` before a copy
    int64_t first = (size - low % size) % size, total;
    if (llvm::AddOverflow(low, high, total) || llvm::AddOverflow(total, first + size, total))
      return c.fail("padding is larger than 64 bits can count");
    SmallVector<int64_t> repeats(c.rankOf(x), 1), offsets(c.rankOf(x), 0), sizes(c.shapeOf(x));
    repeats[dim] = llvm::divideCeil(total, size);
    offsets[dim] = first;
    sizes[dim] = total - first;
    return c.shrink(c.tile(x, repeats), offsets, sizes);
  }
  Value before, after;
  if (mode == PadMode::edge) {
    before = c.repeatElements(c.slice(x, dim, 0, 1), dim, low);
    after = c.repeatElements(c.slice(x, dim, size - 1, size), dim, high);
  } else {
    if (low >= size || high >= size)
      return c.fail("cannot reflect " + Twine(std::max(low, high)) + " elements of dim " +
                    Twine(dim) + ", which has " + Twine(size) +
                    "; the edge itself is not repeated");
    before = c.flip(c.slice(x, dim, 1, low + 1), dim);
    after = c.flip(c.slice(x, dim, size - 1 - high, size - 1), dim);
  }
  return c.concat({before, x, after}, dim);
}

Value Composer::padWith(Value x, ArrayRef<int64_t> low, ArrayRef<int64_t> high, PadMode mode,
                        const Scalar &value) {
  if (!x)
    return {};
  size_t rank = rankOf(x);
  if (low.size() != rank || high.size() != rank)
    return fail("padding takes one entry for each of the " + Twine(rank) + " dims, not " +
                Twine(low.size()) + " and " + Twine(high.size()));
  // Cut where negative, then pad what is left.
  SmallVector<int64_t> offsets(rank), sizes(rank), below(rank), above(rank);
  for (size_t dim = 0; dim < rank; ++dim) {
    int64_t size = shapeOf(x)[dim];
    if (low[dim] < -size || high[dim] < -size ||
        std::min<int64_t>(low[dim], 0) + std::min<int64_t>(high[dim], 0) < -size)
      return fail("cannot cut " + Twine(low[dim]) + " and " + Twine(high[dim]) +
                  " elements off dim " + Twine(dim) + ", which has " + Twine(size));
    offsets[dim] = std::max<int64_t>(-low[dim], 0);
    sizes[dim] = size - offsets[dim] - std::max<int64_t>(-high[dim], 0);
    below[dim] = std::max<int64_t>(low[dim], 0);
    above[dim] = std::max<int64_t>(high[dim], 0);
  }
  x = shrink(x, offsets, sizes);
  if (mode == PadMode::constant)
    return pad(x, below, above, value);
  for (size_t dim = 0; x && dim < rank; ++dim)
    if (below[dim] != 0 || above[dim] != 0)
      x = padByElements(*this, x, dim, below[dim], above[dim], mode);
  return x;
}

//===----------------------------------------------------------------------===//
// Rearranging
//===----------------------------------------------------------------------===//

Value Composer::transpose(Value x, int64_t dim0, int64_t dim1) {
  std::optional<int64_t> first = x ? dimOf(dim0, rankOf(x)) : std::nullopt;
  std::optional<int64_t> second = first ? dimOf(dim1, rankOf(x)) : std::nullopt;
  if (!second)
    return {};
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x)));
  std::swap(order[*first], order[*second]);
  return permute(x, order);
}

/// Checks [N, C, H, W] and that `block` divides what it must.
static bool checkBlocks(Composer &c, Value x, int64_t block, bool toDepth) {
  if (!x)
    return false;
  int64_t area;
  if (c.rankOf(x) == 4 && block >= 1 && !llvm::MulOverflow(block, block, area)) {
    ArrayRef<int64_t> shape = c.shapeOf(x);
    if (toDepth ? shape[2] % block == 0 && shape[3] % block == 0 : shape[1] % area == 0)
      return true;
  }
  c.fail(toDepth ? "spaceToDepth takes [N, C, H, W] with a block that divides H and W"
                 : "depthToSpace takes [N, C, H, W] with a block whose square divides C");
  return false;
}

Value Composer::depthToSpace(Value x, int64_t block, DepthOrder order) {
  if (!checkBlocks(*this, x, block, /*toDepth=*/false))
    return {};
  int64_t n = shapeOf(x)[0], c = shapeOf(x)[1] / (block * block), h = shapeOf(x)[2],
          w = shapeOf(x)[3];
  Value moved = order == DepthOrder::dcr
                    ? permute(reshape(x, {n, block, block, c, h, w}), {0, 3, 4, 1, 5, 2})
                    : permute(reshape(x, {n, c, block, block, h, w}), {0, 1, 4, 2, 5, 3});
  return reshape(moved, {n, c, h * block, w * block});
}

Value Composer::spaceToDepth(Value x, int64_t block, DepthOrder order) {
  if (!checkBlocks(*this, x, block, /*toDepth=*/true))
    return {};
  int64_t n = shapeOf(x)[0], c = shapeOf(x)[1], h = shapeOf(x)[2] / block,
          w = shapeOf(x)[3] / block;
  Value blocks = reshape(x, {n, c, h, block, w, block});
  Value moved = order == DepthOrder::dcr ? permute(blocks, {0, 3, 5, 1, 2, 4})
                                         : permute(blocks, {0, 1, 3, 5, 2, 4});
  return reshape(moved, {n, c * block * block, h, w});
}

Value Composer::triangular(Value x, bool upper, int64_t diagonal) {
  if (!x)
    return {};
  if (rankOf(x) < 2)
    return fail("triangular takes matrices, not a tensor of rank " + Twine(rankOf(x)));
  int64_t rows = shapeOf(x)[rankOf(x) - 2], columns = shapeOf(x).back();
  // Diagonals outside the matrix are all alike; near it they cannot overflow.
  diagonal = std::min(std::max(diagonal, -rows), columns);
  Type index = llvm::isInt<31>(std::max(rows, columns)) ? b.getI32Type() : b.getI64Type();
  Value row = iota({rows, columns}, 0, index), column = iota({rows, columns}, 1, index);
  if (diagonal != 0)
    row = add(row, diagonal);
  return where(upper ? le(row, column) : le(column, row), x, 0);
}
