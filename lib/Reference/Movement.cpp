//===- Movement.cpp - movement ops: where an element is found -------------===//
//
// Each op turns indices of its result into indices of its input. Only pad touches
// elements: those outside its input get the pad value, and the input is not asked
// for them.
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::reference;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

/// column * factor + term, lane by lane.
static Column affine(Evaluator &evaluator, const Batch &at, Column column, int64_t factor,
                     int64_t term) {
  if (factor == 1 && term == 0)
    return column;
  if (!column.lanes)
    return {column.uniform * factor + term, nullptr};
  int64_t *lanes = evaluator.allocateColumn(at.size);
  for (int64_t k = 0; k < at.size; ++k)
    lanes[k] = column.lanes[k] * factor + term;
  return {0, lanes};
}

static Lanes computePermute(Evaluator &evaluator, PermuteOp op, const Batch &at) {
  Batch input = at;
  for (auto [dim, from] : llvm::enumerate(op.getPermutation()))
    input.columns[from] = at.columns[dim];
  return evaluator.evaluate(op.getInput(), input);
}

static Lanes computeExpand(Evaluator &evaluator, ExpandOp op, const Batch &at) {
  Batch input = at;
  for (auto [column, size] : llvm::zip(input.columns, shapeOf(op.getInput())))
    if (size == 1)
      column = Column{};
  return evaluator.evaluate(op.getInput(), input);
}

static Lanes computeShrink(Evaluator &evaluator, ShrinkOp op, const Batch &at) {
  Batch input = at;
  for (auto [column, offset] : llvm::zip(input.columns, op.getOffsets()))
    column = affine(evaluator, at, column, 1, offset);
  return evaluator.evaluate(op.getInput(), input);
}

static Lanes computeStride(Evaluator &evaluator, StrideOp op, const Batch &at) {
  Batch input = at;
  for (auto [column, step, size] : llvm::zip(input.columns, op.getSteps(), shapeOf(op.getInput())))
    column = affine(evaluator, at, column, step, step > 0 ? 0 : size - 1);
  return evaluator.evaluate(op.getInput(), input);
}

static Lanes computePad(Evaluator &evaluator, PadOp op, const Batch &at) {
  ElementType type = elementTypeOf(op.getType().getElementType());
  Word value;
  if (auto number = dyn_cast<FloatAttr>(op.getValue()))
    value.f = number.getValueAsDouble();
  else
    value.i = wrap(type, cast<IntegerAttr>(op.getValue()).getValue().getZExtValue());

  // Move the indices into the input and clamp them there, noting the lanes outside.
  Batch input = at;
  bool allOutside = false, someOutside = false;
  auto *isOutside = reinterpret_cast<bool *>(evaluator.allocateColumn(at.size / 8 + 1));
  std::fill_n(isOutside, at.size, false);
  for (auto [column, low, size] : llvm::zip(input.columns, op.getLow(), shapeOf(op.getInput()))) {
    column = affine(evaluator, at, column, 1, -low);
    if (!column.lanes) {
      allOutside |= column.uniform < 0 || column.uniform >= size;
      continue;
    }
    auto *clamped = const_cast<int64_t *>(column.lanes);
    if (low == 0) { // still the caller's column
      clamped = evaluator.allocateColumn(at.size);
      std::copy_n(column.lanes, at.size, clamped);
    }
    for (int64_t k = 0; k < at.size; ++k)
      if (clamped[k] < 0 || clamped[k] >= size) {
        isOutside[k] = someOutside = true;
        clamped[k] = 0;
      }
    column.lanes = clamped;
    allOutside |= size == 0;
  }

  Bound bound = isFloat(type) ? exactly(value.f) : Bound{};
  Lanes result =
      allOutside ? evaluator.allocate(at.size) : evaluator.evaluate(op.getInput(), input);
  for (int64_t k = 0; (allOutside || someOutside) && k < at.size; ++k) {
    if (!allOutside && !isOutside[k])
      continue;
    result.words[k] = value;
    if (result.bounds)
      result.bounds[k] = bound;
  }
  return result;
}

/// Quotient and remainder of each lane by `size`. Neighbouring lanes lie close together, so there
/// are often one or two quotients in a batch: then no lane needs a division, which costs more than
/// all the rest that is done for it.
static std::pair<Column, Column> divide(Evaluator &evaluator, const Batch &at,
                                        const int64_t *positions, int64_t size) {
  int64_t lowest = positions[0], highest = positions[0];
  for (int64_t k = 1; k < at.size; ++k) {
    lowest = std::min(lowest, positions[k]);
    highest = std::max(highest, positions[k]);
  }
  int64_t first = lowest / size, last = highest / size;
  int64_t *remainders = evaluator.allocateColumn(at.size);
  if (first == last) {
    for (int64_t k = 0; k < at.size; ++k)
      remainders[k] = positions[k] - first * size;
    return {Column{first, nullptr}, Column{0, remainders}};
  }
  int64_t *quotients = evaluator.allocateColumn(at.size);
  if (first + 1 == last) {
    for (int64_t k = 0; k < at.size; ++k)
      quotients[k] = first + (positions[k] >= last * size);
  } else {
    for (int64_t k = 0; k < at.size; ++k)
      quotients[k] = positions[k] / size;
  }
  for (int64_t k = 0; k < at.size; ++k)
    remainders[k] = positions[k] - quotients[k] * size;
  return {Column{0, quotients}, Column{0, remainders}};
}

/// columns = the digits of the row-major position `position` in `shape`.
static void splitPosition(Evaluator &evaluator, const Batch &at, Column position,
                          ArrayRef<int64_t> shape, MutableArrayRef<Column> columns) {
  for (size_t dim = shape.size(); dim-- > 0;) {
    int64_t size = shape[dim];
    bool isLast = llvm::all_of(shape.take_front(dim), [](int64_t s) { return s == 1; });
    if (isLast || size == 1) { // what is left is already below `size`
      columns[dim] = size == 1 ? Column{} : position;
      continue;
    }
    if (!position.lanes) {
      columns[dim] = {position.uniform % size, nullptr};
      position.uniform /= size;
      continue;
    }
    std::tie(position, columns[dim]) = divide(evaluator, at, position.lanes, size);
  }
}

/// The inverse: the row-major position of the element at `columns`.
static Column joinPosition(Evaluator &evaluator, const Batch &at, ArrayRef<int64_t> shape,
                           ArrayRef<Column> columns) {
  Column position;
  int64_t stride = 1;
  for (size_t dim = shape.size(); dim-- > 0; stride *= shape[dim]) {
    if (shape[dim] == 1)
      continue;
    Column term =
        affine(evaluator, at, columns[dim], stride, position.lanes ? 0 : position.uniform);
    if (position.lanes && term.lanes) {
      int64_t *sum = evaluator.allocateColumn(at.size);
      for (int64_t k = 0; k < at.size; ++k)
        sum[k] = position.lanes[k] + term.lanes[k];
      position.lanes = sum;
    } else if (position.lanes) {
      position = affine(evaluator, at, position, 1, term.uniform);
    } else {
      position = term;
    }
  }
  return position;
}

/// Works on the smallest groups of neighbouring dims that have as many elements on both sides: a
/// group of one dim each keeps its column.
static Lanes computeReshape(Evaluator &evaluator, ReshapeOp op, const Batch &at) {
  ArrayRef<int64_t> from = shapeOf(op.getInput()), to = op.getType().getShape();
  Batch input;
  input.size = at.size;
  input.columns.resize(from.size());
  size_t fromBegin = 0, toBegin = 0;
  while (fromBegin < from.size() || toBegin < to.size()) {
    size_t fromEnd = fromBegin, toEnd = toBegin;
    int64_t fromCount = 1, toCount = 1;
    do {
      bool takeFrom = toEnd == to.size() || (fromEnd < from.size() && fromCount <= toCount);
      if (takeFrom)
        fromCount *= from[fromEnd++];
      else
        toCount *= to[toEnd++];
    } while (fromCount != toCount);
    Column position = joinPosition(evaluator, at, to.slice(toBegin, toEnd - toBegin),
                                   ArrayRef(at.columns).slice(toBegin, toEnd - toBegin));
    splitPosition(evaluator, at, position, from.slice(fromBegin, fromEnd - fromBegin),
                  MutableArrayRef(input.columns).slice(fromBegin, fromEnd - fromBegin));
    fromBegin = fromEnd;
    toBegin = toEnd;
  }
  return evaluator.evaluate(op.getInput(), input);
}

Lanes tiny::reference::computeMovement(Evaluator &evaluator, Operation *op, const Batch &at) {
  return llvm::TypeSwitch<Operation *, Lanes>(op)
      .Case([&](PermuteOp op) { return computePermute(evaluator, op, at); })
      .Case([&](ExpandOp op) { return computeExpand(evaluator, op, at); })
      .Case([&](ShrinkOp op) { return computeShrink(evaluator, op, at); })
      .Case([&](StrideOp op) { return computeStride(evaluator, op, at); })
      .Case([&](PadOp op) { return computePad(evaluator, op, at); })
      .Case([&](ReshapeOp op) { return computeReshape(evaluator, op, at); });
}
