//===- ScaledSums.cpp - the sums whose factor may move --------------------===//
//
// A target may move a constant factor of a sum of products with constants into
// these constants, and what is added to the sum in between is one more term of it
// (docs/Architecture.md). Scales of integers that are multiplied may move behind the sum.
// Which ops that concerns is found here; what it does to
// their bounds is said where those are computed.
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::reference;

namespace {
class Search {
public:
  Search(ArrayRef<Operation *> ops);
  llvm::DenseSet<Operation *> found;

private:
  /// The operand of a mul, a div or an add whose other operand (of a div: the divisor) is constant.
  Value variableOf(Operation *op) const;
  void traceFactor(Operation *scaling);
  bool isQuantised(Value factor) const;
  void followSummands(Value value);

  llvm::DenseSet<Value> constants;
};
} // namespace

static Value skipMovement(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    auto reduce = dyn_cast<ReduceOp>(op);
    if (!isMovement(op) && !(reduce && reduce.getDims().empty()))
      break;
    value = op->getOperand(0);
  }
  return value;
}

Search::Search(ArrayRef<Operation *> ops) {
  for (Operation *op : ops)
    if (op->getNumResults() == 1 &&
        llvm::all_of(op->getOperands(), [&](Value value) { return constants.contains(value); }))
      constants.insert(op->getResult(0));
  for (Operation *op : ops) {
    if (!isa<MulOp, DivOp>(op) || constants.contains(op->getResult(0)))
      continue;
    Type type = cast<RankedTensorType>(op->getResult(0).getType()).getElementType();
    if (type.isF32() || type.isF64())
      traceFactor(op);
  }
  for (Operation *op : ops) {
    auto reduce = dyn_cast<ReduceOp>(op);
    if (!reduce || reduce.getKind() != ReduceKind::add)
      continue;
    auto product = skipMovement(reduce.getInput()).getDefiningOp<MulOp>();
    if (product && isQuantised(product.getLhs()) && isQuantised(product.getRhs()))
      found.insert(op);
  }
}

/// Whether `factor` is made of integers that are multiplied with a constant.
bool Search::isQuantised(Value factor) const {
  auto scaling = skipMovement(factor).getDefiningOp<MulOp>();
  auto cast = scaling && constants.contains(scaling.getRhs())
                  ? scaling.getLhs().getDefiningOp<CastOp>()
                  : CastOp();
  return cast && isa<IntegerType>(cast.getInput().getType().getElementType());
}

Value Search::variableOf(Operation *op) const {
  if (!isa<MulOp, DivOp, AddOp>(op))
    return {};
  if (constants.contains(op->getOperand(1)))
    return op->getOperand(0);
  return !isa<DivOp>(op) && constants.contains(op->getOperand(0)) ? op->getOperand(1) : Value();
}

void Search::traceFactor(Operation *scaling) {
  SmallVector<Operation *> summed;
  Value at = variableOf(scaling);
  while (at) {
    Operation *op = skipMovement(at).getDefiningOp();
    if (!op)
      return;
    if (auto reduce = dyn_cast<ReduceOp>(op)) {
      Operation *product = skipMovement(reduce.getInput()).getDefiningOp();
      if (reduce.getKind() != ReduceKind::add || !isa_and_nonnull<MulOp>(product) ||
          !variableOf(product))
        return;
      found.insert(scaling);
      found.insert(reduce);
      found.insert(summed.begin(), summed.end());
      return followSummands(scaling->getResult(0));
    }
    if (isa<AddOp>(op))
      summed.push_back(op);
    at = variableOf(op); // a factor of the same sum, if not a summand
  }
}

void Search::followSummands(Value value) {
  for (Operation *user : value.getUsers()) {
    bool isSummand = isa<AddOp>(user) && variableOf(user);
    if (isSummand && !found.insert(user).second)
      continue;
    if (isSummand || isMovement(user))
      followSummands(user->getResult(0));
  }
}

llvm::DenseSet<Operation *> tiny::reference::findScaledSums(ArrayRef<Operation *> ops) {
  return Search(ops).found;
}
