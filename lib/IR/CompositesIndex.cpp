//===- CompositesIndex.cpp - gather and scatter ---------------------------===//
//
// Where an element comes from, or goes to, is data. There is no address that depends on data: a
// gather compares every position with the index, selects and sums, and a scatter does the same with
// the updates. Schedule knows those forms and loads or stores the one element instead. Constant
// indices that are evenly spaced, or fill a box, are views.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/Composites.h"

#include "llvm/Support/FormatVariadic.h"
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

/// The numbers of a constant of integers.
static std::optional<SmallVector<int64_t>> constantIntegers(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto dense =
      constant ? dyn_cast<DenseIntElementsAttr>(constant.getValue()) : DenseIntElementsAttr();
  if (!dense || dense.getNumElements() == 0)
    return std::nullopt;
  bool isUnsigned = dense.getElementType().isUnsignedInteger();
  SmallVector<int64_t> result;
  for (const APInt &number : dense.getValues<APInt>())
    result.push_back(isUnsigned ? static_cast<int64_t>(number.getZExtValue())
                                : number.getSExtValue());
  return result;
}

/// The constant indices, if there are some, and all lie in range; counted from the start.
static std::optional<SmallVector<int64_t>> constantIndices(Value indices, int64_t size) {
  std::optional<SmallVector<int64_t>> result = constantIntegers(indices);
  if (!result)
    return std::nullopt;
  bool isUnsigned = cast<RankedTensorType>(indices.getType()).getElementType().isUnsignedInteger();
  for (int64_t &index : *result) {
    index = index < 0 && !isUnsigned ? index + size : index;
    if (index < 0 || index >= size)
      return std::nullopt;
  }
  return result;
}

/// The step between neighbours along each dim of `shape`, if the numbers are evenly spaced along
/// each; 0 for dims of size 1.
static std::optional<SmallVector<int64_t>> evenSteps(ArrayRef<int64_t> numbers,
                                                     ArrayRef<int64_t> shape) {
  SmallVector<int64_t> steps(shape.size(), 0);
  int64_t stretch = 1; // neighbours along the dim are that far apart in the list
  for (int64_t dim = shape.size() - 1; dim >= 0; --dim) {
    if (shape[dim] > 1)
      steps[dim] = numbers[stretch] - numbers[0];
    stretch *= shape[dim];
  }
  for (auto [position, number] : llvm::enumerate(numbers)) {
    int64_t rest = position, expected = numbers[0];
    for (int64_t dim = shape.size() - 1; dim >= 0; --dim) {
      expected += rest % shape[dim] * steps[dim];
      rest /= shape[dim];
    }
    if (number != expected)
      return std::nullopt;
  }
  return steps;
}

/// x with `dim` replaced by the dims of `shape`: element (i0, i1, …) there is x[start + sum of
/// i_k * steps[k]]. A view. All those positions lie in x.
static Value spreadDim(Composer &c, Value x, int64_t dim, int64_t start, ArrayRef<int64_t> shape,
                       ArrayRef<int64_t> steps) {
  SmallVector<int64_t> counts, strides, flipped; // of the dims that move, downward ones turned up
  int64_t extent = 1;
  for (auto [count, step] : llvm::zip_equal(shape, steps)) {
    if (step == 0)
      continue;
    start += step < 0 ? step * (count - 1) : 0;
    extent += std::abs(step) * (count - 1);
    counts.push_back(count), strides.push_back(std::abs(step));
  }
  SmallVector<int64_t> sizes(c.shapeOf(x)), offsets(sizes.size(), 0), moved(shape);
  offsets[dim] = start, sizes[dim] = extent;
  x = c.shrink(x, offsets, sizes);
  // Windows of all that the later dims span, one dim after the other; the last two at once.
  int64_t at = dim;
  for (size_t k = 0; k + 1 < counts.size(); ++k, ++at) {
    bool isLast = k + 2 == counts.size();
    extent -= strides[k] * (counts[k] - 1);
    x = c.slidingWindow(x, at, isLast ? counts[k + 1] : extent, strides[k],
                        isLast ? strides[k + 1] : 1);
    if (!x)
      return {};
  }
  if (counts.size() == 1) {
    SmallVector<int64_t> by(c.rankOf(x), 1);
    by[dim] = strides[0];
    x = c.stride(x, by);
  }
  for (auto [axis, step] : llvm::enumerate(steps)) {
    if (step == 0)
      moved[axis] = 1;
    if (step < 0)
      flipped.push_back(dim + axis);
  }
  // Add the dims that stay where they are, and repeat them.
  ArrayRef<int64_t> outer = ArrayRef(sizes).take_front(dim),
                    inner = ArrayRef(sizes).drop_front(dim + 1);
  auto between = [&](ArrayRef<int64_t> middle) {
    SmallVector<int64_t> result(outer);
    llvm::append_range(result, middle);
    llvm::append_range(result, inner);
    return result;
  };
  return c.expand(c.flip(c.reshape(x, between(moved)), flipped), between(shape));
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
      if (std::optional<SmallVector<int64_t>> steps = evenSteps(*known, chosen))
        return spreadDim(*this, x, *along, known->front(), chosen, *steps);

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

/// Index tuples [n…, k] into dims of the given sizes, as one number [n…] into those dims as one
/// dim. Their product, which is no index, stands for every tuple that is out of range.
static Value flattenTuples(Composer &c, Value tuples, ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> shape(c.shapeOf(tuples).drop_back());
  int64_t count = sizes.size(), product = 1;
  for (int64_t size : sizes)
    product *= size;
  if (std::optional<SmallVector<int64_t>> known = constantIntegers(tuples); known && count > 0) {
    SmallVector<int64_t> flat;
    for (size_t at = 0; at < known->size(); at += count) {
      int64_t position = 0;
      bool isInside = true;
      for (auto [index, size] : llvm::zip_equal(ArrayRef(*known).slice(at, count), sizes)) {
        int64_t wrapped = index < 0 ? index + size : index;
        isInside &= wrapped >= 0 && wrapped < size;
        position = position * size + wrapped;
      }
      flat.push_back(isInside ? position : product);
    }
    return c.reshape(c.vector(flat, c.b.getI64Type()), shape);
  }
  Value flat, isInside;
  for (auto [k, size] : llvm::enumerate(sizes)) {
    Value index = c.reshape(c.slice(tuples, -1, k, k + 1), shape);
    index = c.cast(index, c.b.getI64Type());
    index = c.where(c.lt(index, 0), c.add(index, size), index);
    Value inside = c.logicalAnd(c.ge(index, 0), c.lt(index, size));
    flat = flat ? c.add(c.mul(flat, size), index) : index;
    isInside = isInside ? c.logicalAnd(isInside, inside) : inside;
  }
  if (!flat) // tuples of nothing: everything
    return c.splat(0, RankedTensorType::get(shape, c.b.getI64Type()));
  return c.where(isInside, flat, product);
}

/// Checks index tuples [batch…, n…, k] for x, and gives k.
static std::optional<int64_t> tupleSize(Composer &c, Value x, Value indices, int64_t batchDims) {
  if (!x || !indices)
    return std::nullopt;
  ArrayRef<int64_t> shape = c.shapeOf(indices);
  int64_t rank = c.rankOf(x);
  if (!isa<IntegerType>(c.elementOf(indices)) || c.elementOf(indices).isInteger(1)) {
    c.fail("indices must be integers");
    return std::nullopt;
  }
  if (shape.empty() || batchDims < 0 || batchDims >= static_cast<int64_t>(shape.size()) ||
      batchDims > rank || shape.take_front(batchDims) != c.shapeOf(x).take_front(batchDims) ||
      shape.back() > rank - batchDims) {
    c.fail("index tuples of type " + llvm::formatv("{0}", indices.getType()).str() +
           " do not fit " + llvm::formatv("{0}", x.getType()).str() + " with " + Twine(batchDims) +
           " batch dims: the last dim is the length of a tuple");
    return std::nullopt;
  }
  return shape.back();
}

Value Composer::gatherNd(Value x, Value indices, int64_t batchDims) {
  std::optional<int64_t> length = tupleSize(*this, x, indices, batchDims);
  if (!length)
    return {};
  ArrayRef<int64_t> shape = shapeOf(x), batch = shape.take_front(batchDims);
  ArrayRef<int64_t> sizes = shape.slice(batchDims, *length);
  int64_t batches = 1, product = 1;
  for (int64_t size : batch)
    batches *= size;
  for (int64_t size : sizes)
    product *= size;
  Value flat = flattenTuples(*this, indices, sizes);
  SmallVector<int64_t> result(shapeOf(indices).drop_back());
  if (batches > 1) { // each batch in its own part; out of range stays so
    SmallVector<int64_t> split = {batches, batches ? typeOf(flat).getNumElements() / batches : 0};
    flat = reshape(flat, split);
    Value part = mul(iota(split, 0, elementOf(flat)), product);
    flat = where(lt(flat, product), add(flat, part), batches * product);
  }
  SmallVector<int64_t> merged = {batches * product};
  llvm::append_range(merged, shape.drop_front(batchDims + *length));
  llvm::append_range(result, shape.drop_front(batchDims + *length));
  return reshape(gather(reshape(x, merged), flat, 0), result);
}

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

/// An element and its update.
static Value combine(Composer &c, Value x, Value update, ScatterKind kind) {
  switch (kind) {
  case ScatterKind::replace:
    return update;
  case ScatterKind::add:
    return c.add(x, update);
  case ScatterKind::mul:
    return c.mul(x, update);
  case ScatterKind::max:
    return c.max(x, update);
  case ScatterKind::min:
    return c.min(x, update);
  }
}

namespace {
struct Scattered {
  Value result, isHit;
};
} // namespace

/// x with the updates that hit each of its elements. All have the dim `along` that counts the
/// updates; `hits` and x (where it has size 1) broadcast to the updates' shape otherwise. The
/// result has lost the dim, `isHit` has not got it either.
static Scattered scatter(Composer &c, Value x, Value hits, Value updates, int64_t along,
                         ScatterKind kind) {
  auto drop = [&](Value value) {
    SmallVector<int64_t> shape(c.shapeOf(value));
    shape.erase(shape.begin() + along);
    return c.reshape(value, shape);
  };
  if (!x || !hits || !updates)
    return {};
  Value isHit = hits, update = updates;
  if (c.shapeOf(hits)[along] != 1) {
    isHit = c.reduce(ReduceKind::max, hits, along, /*keepDims=*/true);
    switch (kind) {
    case ScatterKind::replace:
    case ScatterKind::add:
      update = c.reduceSum(c.where(hits, updates, 0), along, true);
      break;
    case ScatterKind::mul:
      update = c.reduceProd(c.where(hits, updates, 1), along, true);
      break;
    case ScatterKind::max:
      update = c.reduceMax(c.where(hits, updates, x), along, true);
      break;
    case ScatterKind::min:
      update = c.reduceMin(c.where(hits, updates, x), along, true);
      break;
    }
  }
  Value result = c.where(isHit, combine(c, x, update, kind), x);
  if (!result || !isHit)
    return {};
  return {drop(result), drop(isHit)};
}

/// Where a list of index tuples, in this order, is all of a box: its corner and sizes.
static bool isBox(ArrayRef<int64_t> tuples, ArrayRef<int64_t> sizes, SmallVectorImpl<int64_t> &low,
                  SmallVectorImpl<int64_t> &box) {
  size_t length = sizes.size(), count = length ? tuples.size() / length : 0;
  if (count == 0)
    return false;
  auto at = [&](size_t n, size_t k) {
    int64_t index = tuples[n * length + k];
    return index < 0 ? index + sizes[k] : index;
  };
  int64_t volume = 1;
  for (size_t k = 0; k < length; ++k) {
    low.push_back(at(0, k));
    box.push_back(at(count - 1, k) - low[k] + 1);
    if (low[k] < 0 || box[k] < 1 || low[k] + box[k] > sizes[k] ||
        llvm::MulOverflow(volume, box[k], volume))
      return false;
  }
  if (volume != static_cast<int64_t>(count))
    return false;
  for (size_t n = 0; n < count; ++n) {
    int64_t rest = n;
    for (size_t k = length; k-- > 0; rest /= box[k])
      if (at(n, k) != low[k] + rest % box[k])
        return false;
  }
  return true;
}

/// The updates [box…, rest…] in x from `low` on.
static Value scatterBox(Composer &c, Value x, Value updates, ArrayRef<int64_t> low,
                        ScatterKind kind) {
  ArrayRef<int64_t> shape = c.shapeOf(x);
  SmallVector<int64_t> before(shape.size(), 0), after(before);
  bool isNarrow = llvm::all_of(shape, [](int64_t size) { return llvm::isInt<32>(size); });
  Type index = isNarrow ? c.b.getI32Type() : c.b.getI64Type();
  Value isInside;
  auto require = [&](Value condition) {
    isInside = isInside ? c.logicalAnd(isInside, condition) : condition;
  };
  for (auto [dim, start] : llvm::enumerate(low)) {
    int64_t end = start + c.shapeOf(updates)[dim];
    before[dim] = start, after[dim] = shape[dim] - end;
    if (start == 0 && end == shape[dim])
      continue;
    Value position = c.iota(shape, dim, index);
    if (start != 0)
      require(c.le(start, position));
    if (end != shape[dim])
      require(c.lt(position, end));
  }
  Value update = combine(c, x, c.pad(updates, before, after), kind);
  return isInside ? c.where(isInside, update, x) : update;
}

Value Composer::scatterNd(Value x, Value indices, Value updates, ScatterKind kind) {
  std::optional<int64_t> length = tupleSize(*this, x, indices, 0);
  if (!length || !updates)
    return {};
  ArrayRef<int64_t> sizes = shapeOf(x).take_front(*length), rest = shapeOf(x).drop_front(*length);
  SmallVector<int64_t> wanted(shapeOf(indices).drop_back());
  llvm::append_range(wanted, rest);
  if (shapeOf(updates) != ArrayRef(wanted) || elementOf(updates) != elementOf(x))
    return fail("the updates have type " + llvm::formatv("{0}", updates.getType()).str() +
                ", expected " + llvm::formatv("{0}", typeOf(x).clone(wanted)).str());
  if (typeOf(updates).getNumElements() == 0)
    return x;
  if (std::optional<SmallVector<int64_t>> known = constantIntegers(indices)) {
    SmallVector<int64_t> low, box;
    if (isBox(*known, sizes, low, box)) {
      llvm::append_range(box, rest);
      low.append(rest.size(), 0);
      return scatterBox(*this, x, reshape(updates, box), low, kind);
    }
  }
  int64_t product = 1, count = 1;
  for (int64_t size : sizes)
    product *= size;
  for (int64_t size : shapeOf(indices).drop_back())
    count *= size;
  // The iteration space: [position, update, rest…].
  SmallVector<int64_t> source = {product, 1}, space = {1, count}, hit(rest.size() + 2, 1);
  llvm::append_range(source, rest);
  llvm::append_range(space, rest);
  hit[0] = product, hit[1] = count;
  Value flat = reshape(flattenTuples(*this, indices, sizes), {1, count});
  Value hits = flat ? eq(iota({product, count}, 0, elementOf(flat)), flat) : Value();
  Scattered done =
      scatter(*this, reshape(x, source), reshape(hits, hit), reshape(updates, space), 1, kind);
  return reshape(done.result, shapeOf(x));
}

Value Composer::scatterElements(Value x, Value indices, Value updates, int64_t dim,
                                ScatterKind kind) {
  std::optional<int64_t> along = x && indices && updates ? dimOf(dim, rankOf(x)) : std::nullopt;
  if (!along)
    return {};
  if (shapeOf(indices) != shapeOf(updates) || rankOf(indices) != rankOf(x) ||
      elementOf(updates) != elementOf(x))
    return fail("scatterElements takes indices and updates of one shape, of the tensor's rank " +
                Twine(rankOf(x)) + " and element type");
  if (typeOf(updates).getNumElements() == 0)
    return x;
  // The part of x that the updates reach; its dim `dim` is whole.
  SmallVector<int64_t> none(rankOf(x), 0), kept(shapeOf(indices)), above;
  int64_t size = kept[*along] = shapeOf(x)[*along];
  for (auto [whole, part] : llvm::zip_equal(shapeOf(x), kept))
    above.push_back(whole - part);
  Value reached = shrink(x, none, kept), wrapped = wrapIndices(*this, indices, size);
  if (!reached || !wrapped)
    return {};
  // The iteration space: `dim` is followed by the one that counts its updates.
  SmallVector<int64_t> space(shapeOf(indices)), source(kept), update(space);
  space.insert(space.begin() + *along, size);
  source.insert(source.begin() + *along + 1, 1);
  update.insert(update.begin() + *along, 1);
  Value hits = eq(iota(space, *along, elementOf(wrapped)), expand(reshape(wrapped, update), space));
  Scattered done =
      scatter(*this, reshape(reached, source), hits, reshape(updates, update), *along + 1, kind);
  if (ArrayRef(kept) == shapeOf(x))
    return done.result;
  return where(pad(done.isHit, none, above), pad(done.result, none, above), x);
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
