//===- Reduce.cpp - the reduce op -----------------------------------------===//
//
// Floats accumulate in double, whatever their type, and round once at the end.
// Each result combines its elements in row-major order, so the results depend
// neither on the batches nor on the threads.
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::reference;

/// The digits of `position` in row-major `shape`, for the dims listed only.
static void splitIndex(int64_t position, ArrayRef<int64_t> shape, ArrayRef<int64_t> dims,
                       MutableArrayRef<int64_t> index) {
  for (int64_t dim : llvm::reverse(dims)) {
    index[dim] = position % shape[dim];
    position /= shape[dim];
  }
}

/// The product that `value` is, seen through movement ops.
static Operation *findContractedMul(Value value) {
  Operation *op = value.getDefiningOp();
  while (op && isMovement(op))
    op = op->getOperand(0).getDefiningOp();
  return isa_and_nonnull<MulOp>(op) ? op : nullptr;
}

static Word identity(ReduceKind kind, ElementType type) {
  if (kind != ReduceKind::max)
    return isFloat(type) ? fromFloat(kind == ReduceKind::mul) : fromInt(kind == ReduceKind::mul);
  if (isFloat(type))
    return fromFloat(-std::numeric_limits<double>::infinity());
  return fromInt(isUnsigned(type) ? 0 : wrap(type, uint64_t(1) << (bitWidth(type) - 1)));
}

/// total[o] = total[o] combined with element[o]; integers wrap at the end.
static void accumulate(ReduceKind kind, ElementType type, const Word *element, int64_t count,
                       Word *total) {
  auto each = [&](auto combine) {
    for (int64_t o = 0; o < count; ++o)
      total[o] = combine(total[o], element[o]);
  };
  switch (kind) {
  case ReduceKind::add:
    return isFloat(type) ? each([](Word a, Word b) { return fromFloat(a.f + b.f); })
                         : each([](Word a, Word b) { return fromInt(a.u + b.u); });
  case ReduceKind::mul:
    return isFloat(type) ? each([](Word a, Word b) { return fromFloat(a.f * b.f); })
                         : each([](Word a, Word b) { return fromInt(a.u * b.u); });
  case ReduceKind::max:
    if (isFloat(type))
      return each([](Word a, Word b) { return fromFloat(maximum(a.f, b.f)); });
    return type == ElementType::ui64 ? each([](Word a, Word b) { return a.u < b.u ? b : a; })
                                     : each([](Word a, Word b) { return a.i < b.i ? b : a; });
  }
}

namespace {
/// Whether an integer result is decided: one element may settle it alone.
struct IntegerDecision {
  bool sawUndecided = false, isSettled = false;
  void add(ReduceKind kind, ElementType type, Word word, const Bound &bound) {
    sawUndecided |= bound.undecided;
    if (!bound.undecided)
      isSettled |= (kind == ReduceKind::mul && word.i == 0) ||
                   (kind == ReduceKind::max && type == ElementType::i1 && word.i == 1);
  }
  Bound result() const { return sawUndecided && !isSettled ? undecided() : Bound{}; }
};
} // namespace

void tiny::reference::computeReduce(Evaluator &evaluator, ReduceOp op, int64_t begin, int64_t end,
                                    int64_t lanesPerBatch, Word *words, Bound *bounds) {
  auto inputType = cast<RankedTensorType>(op.getInput().getType());
  ArrayRef<int64_t> shape = inputType.getShape();
  ElementType type = elementTypeOf(inputType.getElementType());
  ReduceKind kind = op.getKind();
  SmallVector<int64_t> kept, dropped(op.getDims());
  llvm::sort(dropped);
  for (int64_t dim = 0, rank = shape.size(); dim < rank; ++dim)
    if (!llvm::is_contained(dropped, dim))
      kept.push_back(dim);
  int64_t outputs = end - begin, elements = 1;
  for (int64_t dim : dropped)
    elements *= shape[dim];

  std::fill_n(words, outputs, identity(kind, type));
  std::vector<ReduceBound> floatBounds(bounds && isFloat(type) ? outputs : 0,
                                       {kind, type, evaluator.isScaledSum(op)});
  std::vector<IntegerDecision> decisions(bounds && !isFloat(type) ? outputs : 0);
  if (bounds && isFloat(type) && kind == ReduceKind::add)
    evaluator.setContracted(findContractedMul(op.getInput()));

  // A batch is all outputs times some elements of each: element-major, so that the accumulation is
  // a loop over outputs. The columns of the outputs are the same for each batch.
  int64_t step = std::max<int64_t>(1, lanesPerBatch / outputs);
  std::vector<std::vector<int64_t>> outputColumns(shape.size());
  SmallVector<int64_t> index(shape.size());
  for (int64_t k = 0; k < outputs * step; ++k) {
    splitIndex(begin + k % outputs, shape, kept, index);
    for (int64_t dim : kept)
      outputColumns[dim].push_back(index[dim]);
  }
  for (int64_t first = 0; first < elements; first += step) {
    evaluator.reset();
    int64_t taken = std::min(step, elements - first);
    Batch batch;
    batch.size = taken * outputs;
    batch.columns.resize(shape.size());
    for (int64_t dim : kept) {
      const std::vector<int64_t> &column = outputColumns[dim];
      bool isUniform = llvm::all_equal(ArrayRef(column));
      batch.columns[dim] = isUniform ? Column{column[0], nullptr} : Column{0, column.data()};
    }
    std::vector<int64_t *> lanes(shape.size());
    for (int64_t dim : dropped)
      lanes[dim] = evaluator.allocateColumn(batch.size);
    for (int64_t e = 0; e < taken; ++e) {
      splitIndex(first + e, shape, dropped, index);
      for (int64_t dim : dropped)
        std::fill_n(lanes[dim] + e * outputs, outputs, index[dim]);
    }
    for (int64_t dim : dropped) {
      bool isUniform = llvm::all_equal(ArrayRef(lanes[dim], batch.size));
      batch.columns[dim] = isUniform ? Column{lanes[dim][0], nullptr} : Column{0, lanes[dim]};
    }

    Lanes values = evaluator.evaluate(op.getInput(), batch);
    for (int64_t e = 0; e < taken; ++e)
      accumulate(kind, type, values.words + e * outputs, outputs, words);
    for (int64_t k = 0; bounds && k < batch.size; ++k) {
      if (isFloat(type))
        floatBounds[k % outputs].add(values.bounds[k]);
      else
        decisions[k % outputs].add(kind, type, values.words[k], values.bounds[k]);
    }
  }
  bringInto(type, words, outputs);
  for (int64_t o = 0; bounds && o < outputs; ++o)
    bounds[o] = isFloat(type) ? floatBounds[o].result() : decisions[o].result();
  evaluator.setContracted(nullptr);
}
