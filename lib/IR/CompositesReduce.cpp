//===- CompositesReduce.cpp - reductions, argmax, cumulative sums ---------===//
//
// Reductions that the dialect lacks, reduced to sums, products and maxima. A minimum is a maximum
// of reversed elements; an index is the maximum over a coding of positions.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/Composites.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

Value Composer::reduceSum(Value x, ArrayRef<int64_t> dims, bool keepDims) {
  return reduce(ReduceKind::add, x, dims, keepDims);
}

Value Composer::reduceProd(Value x, ArrayRef<int64_t> dims, bool keepDims) {
  return reduce(ReduceKind::mul, x, dims, keepDims);
}

Value Composer::reduceMax(Value x, ArrayRef<int64_t> dims, bool keepDims) {
  return reduce(ReduceKind::max, x, dims, keepDims);
}

/// Turns the order of elements around without overflow: -x, or the complement -x - 1 of integers.
static Value reverseOrder(Composer &c, Value x) {
  if (!x || isa<FloatType>(c.elementOf(x)))
    return c.neg(x);
  return c.elementOf(x).isInteger(1) ? c.logicalNot(x) : c.sub(c.neg(x), 1);
}

Value Composer::reduceMin(Value x, ArrayRef<int64_t> dims, bool keepDims) {
  if (!x || dims.empty())
    return x;
  return reverseOrder(*this, reduceMax(reverseOrder(*this, x), dims, keepDims));
}

Value Composer::reduceMean(Value x, ArrayRef<int64_t> dims, bool keepDims) {
  if (!x || dims.empty())
    return x;
  std::optional<SmallVector<int64_t>> along = dimsOf(dims, rankOf(x));
  if (!along)
    return {};
  if (elementOf(x).isInteger(1))
    return fail("reduceMean takes numbers, not i1");
  int64_t count = 1;
  for (int64_t dim : *along)
    count *= shapeOf(x)[dim];
  Value sum = reduceSum(cast(x, accumulatorOf(elementOf(x))), *along, keepDims);
  return cast(div(sum, count), elementOf(x));
}

Value Composer::reduceL1(Value x, ArrayRef<int64_t> dims, bool keepDims) {
  return inF32(x, [&](Value x) { return reduceSum(abs(x), dims, keepDims); });
}

Value Composer::reduceSumSquare(Value x, ArrayRef<int64_t> dims, bool keepDims) {
  return inF32(x, [&](Value x) { return reduceSum(square(x), dims, keepDims); });
}

Value Composer::reduceL2(Value x, ArrayRef<int64_t> dims, bool keepDims) {
  if (!floats(x, "reduceL2"))
    return {};
  return inF32(x, [&](Value x) { return sqrt(reduceSumSquare(x, dims, keepDims)); });
}

Value Composer::reduceLogSum(Value x, ArrayRef<int64_t> dims, bool keepDims) {
  if (!floats(x, "reduceLogSum"))
    return {};
  return inF32(x, [&](Value x) { return log(reduceSum(x, dims, keepDims)); });
}

Value Composer::reduceLogSumExp(Value x, ArrayRef<int64_t> dims, bool keepDims) {
  if (!floats(x, "reduceLogSumExp"))
    return {};
  return inF32(x, [&](Value x) -> Value {
    std::optional<SmallVector<int64_t>> along = dimsOf(dims, rankOf(x));
    if (!along)
      return {};
    // An infinite maximum shifts by nothing: inf - inf would be NaN.
    Value greatest = reduceMax(x, *along, /*keepDims=*/true);
    Value shift = where(isInf(greatest), 0, greatest);
    Value result = add(log(reduceSum(exp(sub(x, shift)), *along, /*keepDims=*/true)), shift);
    if (keepDims)
      return result;
    SmallVector<int64_t> shape;
    for (auto [dim, size] : llvm::enumerate(shapeOf(x)))
      if (!llvm::is_contained(*along, static_cast<int64_t>(dim)))
        shape.push_back(size);
    return reshape(result, shape);
  });
}

Value Composer::argMax(Value x, int64_t dim, bool keepDim, bool last) {
  std::optional<int64_t> along = x ? dimOf(dim, rankOf(x)) : std::nullopt;
  if (!along)
    return {};
  int64_t size = shapeOf(x)[*along];
  if (size == 0)
    return fail("argMax and argMin need an element to choose; dim " + Twine(dim) + " has size 0");
  // Where there is a NaN the maximum is NaN and equals nothing, so that only NaNs are left.
  Value chosen = eq(x, reduceMax(x, *along, /*keepDims=*/true));
  if (isFloat(x))
    chosen = logicalOr(chosen, isNan(x));
  // The greatest position code among the chosen: the position itself, or counted from the end.
  Type type = llvm::isInt<32>(size) ? b.getI32Type() : b.getI64Type();
  Value position = iota(shapeOf(x), *along, type);
  Value code = last ? position : sub(size, position);
  Value best = reduceMax(where(chosen, code, 0), *along, keepDim);
  return cast(last ? best : sub(size, best), b.getI64Type());
}

Value Composer::argMin(Value x, int64_t dim, bool keepDim, bool last) {
  return argMax(reverseOrder(*this, x), dim, keepDim, last);
}

/// Sums along `dim` by a triangle of ones, applied as a selection so that an infinity or a NaN does
/// not spread to sums that it is not part of; Schedule makes one pass of it. Past `kBlock`
/// elements, sums within blocks and, recursively, of the blocks before (or behind): the triangle
/// grows with the square of its size for who does not know it, and blocks can be computed at the
/// same time.
static Value sumsAlong(Composer &c, Value x, int64_t dim, bool exclusive, bool reverse) {
  constexpr int64_t kBlock = 32;
  SmallVector<int64_t> shape(c.shapeOf(x));
  int64_t size = shape[dim];
  if (size <= 2 * kBlock) {
    SmallVector<int64_t> square(shape), triangle(shape.size() + 1, 1), row(shape);
    square.insert(square.begin() + dim, size); // […, result, term, …]
    triangle[dim] = triangle[dim + 1] = size;
    row.insert(row.begin() + dim, 1);
    Type index = c.b.getI32Type();
    Value first = c.iota(triangle, dim, index), last = c.iota(triangle, dim + 1, index);
    if (!reverse)
      std::swap(first, last); // the term comes first
    Value isPart = exclusive ? c.lt(first, last) : c.le(first, last);
    return c.reduceSum(c.where(isPart, c.expand(c.reshape(x, row), square), 0), dim + 1);
  }
  int64_t blocks = llvm::divideCeil(size, kBlock);
  SmallVector<int64_t> none(shape.size(), 0), missing(none), split(shape), whole(shape);
  whole[dim] = blocks * kBlock;
  missing[dim] = whole[dim] - size;
  split[dim] = blocks;
  split.insert(split.begin() + dim + 1, kBlock);
  Value blocked = c.reshape(c.pad(x, none, missing), split);
  Value within = sumsAlong(c, blocked, dim + 1, exclusive, reverse);
  Value others = sumsAlong(c, c.reduceSum(blocked, dim + 1), dim, /*exclusive=*/true, reverse);
  split[dim + 1] = 1;
  Value sums = c.reshape(c.add(within, c.reshape(others, split)), whole);
  return c.shrink(sums, none, shape);
}

Value Composer::cumulativeSum(Value x, int64_t dim, bool exclusive, bool reverse) {
  std::optional<int64_t> along = x ? dimOf(dim, rankOf(x)) : std::nullopt;
  if (!along)
    return {};
  if (elementOf(x).isInteger(1))
    return fail("cumulativeSum takes numbers, not i1");
  return inF32(x, [&](Value x) { return sumsAlong(*this, x, *along, exclusive, reverse); });
}
