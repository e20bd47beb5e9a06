//===- Evaluator.cpp - elements of a value at a batch of indices ----------===//

#include "Evaluator.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/ErrorHandling.h"

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::reference;

Lanes Evaluator::allocate(int64_t count) {
  return {arena.Allocate<Word>(count), withBounds ? arena.Allocate<Bound>(count) : nullptr};
}

Lanes Evaluator::evaluate(Value value, const Batch &at) {
  // Weights in a convolution, say: the same element for the whole batch.
  if (at.size > 1 && at.isUniform()) {
    Batch one = at;
    one.size = 1;
    Lanes element = evaluate(value, one), result = allocate(at.size);
    std::fill_n(result.words, at.size, element.words[0]);
    if (withBounds)
      std::fill_n(result.bounds, at.size, element.bounds[0]);
    return result;
  }
  // What a fused multiply-add sees is not what is stored.
  bool isContracted = contracted && value.getDefiningOp() == contracted;
  if (auto found = store.find(value); found != store.end() && !isContracted)
    return read(found->second, at);
  return compute(value, at);
}

Lanes Evaluator::compute(Value value, const Batch &at) {
  Operation *op = value.getDefiningOp();
  return isMovement(op) ? computeMovement(*this, op, at) : computeElementwise(*this, op, at);
}

Lanes Evaluator::read(const Stored &tensor, const Batch &at) {
  int64_t base = 0;
  int64_t *offsets = allocateColumn(at.size);
  std::fill_n(offsets, at.size, 0);
  for (auto [column, stride] : llvm::zip(at.columns, tensor.strides)) {
    if (tensor.isSplat)
      break;
    base += column.uniform * stride;
    if (column.lanes)
      for (int64_t k = 0; k < at.size; ++k)
        offsets[k] += column.lanes[k] * stride;
  }
  for (int64_t k = 0; k < at.size; ++k)
    offsets[k] += base;

  Lanes result = allocate(at.size);
  gather(tensor.type, tensor.data, offsets, at.size, result.words);
  if (!withBounds)
    return result;
  for (int64_t k = 0; k < at.size; ++k)
    if (tensor.bounds)
      result.bounds[k] = (*tensor.bounds)[offsets[k]];
    else
      result.bounds[k] = isFloat(tensor.type) ? exactly(result.words[k].f) : Bound{};
  return result;
}
