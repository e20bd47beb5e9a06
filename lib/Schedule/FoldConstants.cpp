//===- FoldConstants.cpp - evaluate what depends on constants only --------===//
//
// Four walks over the entry function, each linear:
//   1. forward: which values are constant, the layout each would have, and whether
//      it is worth its memory;
//   2. backward: which of them must be evaluated, because the rest of the program
//      uses them or because one of these depends on them;
//   3. forward: evaluate, within the limits, and free what nobody needs any more;
//   4. backward: replace those that the rest of the program uses.
//
//===----------------------------------------------------------------------===//

#include "ConstantTensor.h"
#include "Materialisation.h"
#include "Tiny/Schedule/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Remarks.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_FOLDCONSTANTSPASS
#include "Tiny/Schedule/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

static Type elementOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

/// Computing it again costs more than reading it back from memory.
static bool isExpensive(Operation *op) {
  return isa<ReduceOp, Exp2Op, Log2Op, SinOp, SqrtOp>(op) ||
         (isa<DivOp>(op) && isa<FloatType>(elementOf(op->getResult(0))));
}

/// Whether `value` is a widening cast, moved about.
static bool isWidened(Value value) {
  Operation *op = value.getDefiningOp();
  while (op && isMovement(op))
    op = op->getOperand(0).getDefiningOp();
  auto cast = dyn_cast_or_null<CastOp>(op);
  return cast && isWidening(cast);
}

/// How many products each element of `value` is a factor of that are summed up; the most that any
/// user has. None where the other factor is narrow, too, which is what matrix units multiply.
static int64_t numProducts(Value value) {
  int64_t most = 0, elements = cast<RankedTensorType>(value.getType()).getNumElements();
  SmallVector<Value> moved = {value};
  while (!moved.empty()) {
    Value current = moved.pop_back_val();
    for (OpOperand &use : current.getUses()) {
      Operation *user = use.getOwner();
      if (isMovement(user))
        moved.push_back(user->getResult(0));
      if (!isa<MulOp>(user) || isWidened(user->getOperand(1 - use.getOperandNumber())) ||
          !llvm::all_of(user->getUsers(), llvm::IsaPred<ReduceOp>))
        continue;
      most = std::max(most, cast<RankedTensorType>(user->getResult(0).getType()).getNumElements() /
                                elements);
    }
  }
  return most;
}

namespace {
/// What is known of a constant value.
struct Constant {
  Layout layout;
  bool isView = false;    // of its operand's buffer
  bool isWorthIt = false; // to be a constant in the program
  bool isNeeded = false;  // by ops that stay in the program
  bool isEvaluated = false;
  unsigned readers = 0; // that may still read it
  int64_t largest = 0;  // elements of the largest constant behind it
  int64_t ownBytes = 0; // of memory that it holds
  ConstantTensor value;
};

class Folder {
public:
  Folder(func::FuncOp function, const FoldConstantsPassOptions &options)
      : block(function.getBody().front()), bytesLeft(options.limit), workLeft(options.work),
        wideBytesLeft(options.wideLimit), wideProducts(options.wideProducts) {}

  void run() {
    analyse();
    demand();
    evaluateAll();
    replace();
  }

private:
  void analyse();
  void demand();
  void evaluateAll();
  void replace();

  Constant *find(Value value) {
    auto it = constants.find(value);
    return it == constants.end() ? nullptr : &it->second;
  }
  SmallVector<Constant *, 3> operandsOf(Operation &op) {
    return llvm::map_to_vector<3>(op.getOperands(), [&](Value value) { return find(value); });
  }
  void pin(Value value);
  void release(Value value);
  bool isWithinLimits(Operation &op, int64_t bytes, int64_t work);

  Block &block;
  bool isWorthWidening(CastOp cast);

  int64_t bytesLeft, workLeft, wideBytesLeft, wideProducts;
  bool hasReported = false;
  llvm::DenseMap<Value, Constant> constants;
  llvm::DenseSet<Operation *> toEvaluate;
};

struct FoldConstantsPass : public tiny::impl::FoldConstantsPassBase<FoldConstantsPass> {
  using Base::Base;
  void runOnOperation() override {
    auto function = getOperation().lookupSymbol<func::FuncOp>(entry);
    // Whether there is an entry of the right form is for tiny-schedule-form-kernels to say.
    if (function && !function.isExternal() && llvm::hasSingleElement(function.getBody()))
      Folder(function, {entry, limit, work, wideLimit, wideProducts}).run();
  }
};
} // namespace

/// Whether `cast` is of weights that so many sums take that widening them once, in memory, is
/// better than wherever they are read. Takes the memory for it.
bool Folder::isWorthWidening(CastOp cast) {
  if (elementOf(cast.getInput()).getIntOrFloatBitWidth() != 16 || !elementOf(cast).isF32() ||
      numProducts(cast) < wideProducts)
    return false;
  int64_t bytes = 4 * cast.getType().getNumElements();
  if (bytes > wideBytesLeft)
    return false;
  wideBytesLeft -= bytes;
  return true;
}

void Folder::analyse() {
  constants.reserve(block.getOperations().size());
  for (Operation &op : block) {
    bool isSource = isa<ConstantOp, IotaOp>(op);
    if (!isSource && !isElementwise(&op) && !isMovement(&op) && !isa<ReduceOp>(op))
      continue;
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    SmallVector<Constant *, 3> operands = operandsOf(op);
    if (type.getNumElements() == 0 || llvm::is_contained(operands, nullptr))
      continue;
    Constant constant;
    if (auto source = dyn_cast<ConstantOp>(op)) {
      constant.value = readConstant(source);
      if (!constant.value)
        continue;
      constant.layout = constant.value.layout;
      constant.largest = constant.layout.numStored();
      constant.isEvaluated = true;
      constants.try_emplace(op.getResult(0), std::move(constant));
      continue;
    }
    auto layouts = llvm::map_to_vector(
        operands, [](Constant *operand) -> const Layout * { return &operand->layout; });
    ResultLayout planned = resultLayout(&op, layouts);
    constant.layout = planned.layout;
    constant.isView = planned.isView;
    for (Constant *operand : operands)
      constant.largest = std::max(constant.largest, operand->largest);
    auto cast = dyn_cast<CastOp>(op);
    bool isFree = isSource || (planned.isView && constant.layout.isPacked()) ||
                  (cast && isWidening(cast) && !isWorthWidening(cast));
    int64_t stored = constant.layout.numStored();
    constant.isWorthIt = isExpensive(&op) || (!isFree && stored <= constant.largest);
    if (constant.isWorthIt)
      constant.largest = std::max(constant.largest, stored);
    constants.try_emplace(op.getResult(0), std::move(constant));
  }
}

void Folder::demand() {
  for (Operation &op : llvm::reverse(block)) {
    Constant *constant = op.getNumResults() == 1 ? find(op.getResult(0)) : nullptr;
    bool stays = !constant || (constant->isNeeded && !constant->isWorthIt);
    if (constant && constant->isNeeded && constant->isWorthIt)
      toEvaluate.insert(&op);
    if (constant && isa<ConstantOp>(op))
      continue;
    for (Value value : op.getOperands()) {
      Constant *operand = find(value);
      if (!operand)
        continue;
      operand->isNeeded |= stays;
      if (toEvaluate.contains(&op)) {
        ++operand->readers;
        if (!isa<ConstantOp>(value.getDefiningOp()))
          toEvaluate.insert(value.getDefiningOp());
      }
    }
  }
}

/// An op that stays in the program reads `value`: it is kept, or what it is made of.
void Folder::pin(Value value) {
  Constant &constant = *find(value);
  if (std::exchange(constant.isNeeded, true) || constant.isWorthIt)
    return;
  for (Value operand : value.getDefiningOp()->getOperands())
    pin(operand);
}

/// One reader of `value` will not read it any more. A value that is not worth a constant of its own
/// may yet turn out to stay in the program; until then it holds its operands.
void Folder::release(Value value) {
  Constant &constant = *find(value);
  if (--constant.readers > 0 || constant.isNeeded)
    return;
  constant.value.data.reset();
  bytesLeft += constant.ownBytes;
  if (!constant.isWorthIt)
    for (Value operand : value.getDefiningOp()->getOperands())
      release(operand);
}

bool Folder::isWithinLimits(Operation &op, int64_t bytes, int64_t work) {
  if (bytes <= bytesLeft && work <= workLeft)
    return true;
  if (!hasReported) // what comes later is small, or stops for the same reason
    remark::missed(op.getLoc(), remark::RemarkOpts::name("FoldConstants").category("tiny-schedule"))
        << remark::reason("{0} depends on constants only but is computed in every run: it takes "
                          "{1} bytes and {2} elements to compute, and {3} and {4} are left",
                          op.getName().getStringRef(), bytes, work, bytesLeft, workLeft)
        << remark::suggest("raise the pass option '{0}'", bytes > bytesLeft ? "limit" : "work");
  hasReported = true;
  return false;
}

void Folder::evaluateAll() {
  for (Operation &op : block) {
    if (!toEvaluate.contains(&op))
      continue;
    Constant &constant = *find(op.getResult(0));
    SmallVector<Constant *, 3> operands = operandsOf(op);
    auto layouts = llvm::map_to_vector(
        operands, [](Constant *operand) -> const Layout * { return &operand->layout; });
    Type elementType = elementOf(op.getResult(0));
    int64_t bytes = constant.isView ? 0 : bytesOf(constant.layout, elementType);
    int64_t work = constant.isView ? 0 : evaluationWork(&op, constant.layout, layouts);
    bool isKnown = llvm::all_of(operands, [](Constant *operand) { return operand->isEvaluated; });
    if (!isKnown || !isWithinLimits(op, bytes, work)) {
      pin(op.getResult(0));
      for (Value operand : op.getOperands())
        pin(operand);
      continue;
    }
    bytesLeft -= bytes;
    workLeft -= work;
    constant.ownBytes = bytes;
    constant.value = evaluate(
        &op, llvm::map_to_vector<3>(operands, [](Constant *operand) { return operand->value; }));
    constant.isEvaluated = true;
    if (constant.isWorthIt)
      for (Value operand : op.getOperands())
        release(operand);
  }
}

void Folder::replace() {
  int64_t position = block.getOperations().size();
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    --position;
    Constant *constant = op.getNumResults() == 1 ? find(op.getResult(0)) : nullptr;
    if (!constant)
      continue;
    Value result = op.getResult(0);
    if (constant->isNeeded && constant->isEvaluated && constant->isWorthIt) {
      OpBuilder b(&op);
      // Numbered by place, so that few blobs meet one of the same name.
      Value folded = materialize(b, op.getLoc(), constant->value, "folded_" + Twine(position));
      result.replaceAllUsesWith(folded);
    }
    if (result.use_empty())
      op.erase();
  }
}
