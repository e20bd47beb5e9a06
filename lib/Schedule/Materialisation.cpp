//===- Materialisation.cpp - which values exist in memory -----------------===//
//
// One walk from the results to the arguments. Every value collects its contexts:
// the kernels that need it, each with the number of points at which it is needed.
// Elementwise users pass their contexts on (the value is needed where they are),
// a movement op opens a new one (it is needed elsewhere, perhaps more often, as
// through an expand). A value is computed again in each context unless that costs
// more than writing it once and reading it back.
//
//===----------------------------------------------------------------------===//

#include "Materialisation.h"

#include "llvm/ADT/SmallSet.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::tiny;

namespace {
struct Context {
  Value root;
  unsigned place; // two contexts of one root with the same place need the same elements
  double points;  // how many elements are computed there
  bool guarded;   // below a pad: only some of them are used

  bool operator==(const Context &other) const { return root == other.root && place == other.place; }
};
using Contexts = SmallVector<Context, 2>;
} // namespace

double mlir::tiny::operationCost(Operation *op) {
  if (isa<CastOp, ConstantOp, IotaOp>(op) || isMovement(op))
    return 0;
  if (isa<Exp2Op, Log2Op, SinOp>(op))
    return 16; // a polynomial and its range reduction
  if (isa<DivOp, SqrtOp>(op))
    return 8;
  return 1;
}

bool mlir::tiny::isWidening(CastOp op) {
  Type from = op.getInput().getType().getElementType(),
       to = op.getResult().getType().getElementType();
  unsigned fromBits = storageType(from).getIntOrFloatBitWidth();
  if (fromBits >= storageType(to).getIntOrFloatBitWidth())
    return false;
  if (from.isInteger(1))
    return true;
  if (auto toFloat = dyn_cast<FloatType>(to))
    return isa<FloatType>(from) ||
           fromBits <= APFloat::semanticsPrecision(toFloat.getFloatSemantics());
  return isa<IntegerType>(from) && (from.isUnsignedInteger() || !to.isUnsignedInteger());
}

/// An element in memory costs about as much as this many additions to write and read back.
static constexpr double kMemoryCost = 8;
/// And this many to read alone.
static constexpr double kReadCost = 2;

/// A value needed in more places than this is worth a buffer whatever it costs: it bounds the
/// size of kernels, and the time to form them.
static constexpr size_t kMaxContexts = 16;
static constexpr double kMaxCost = 512;

/// Whether `value` is the end of elementwise ops on a reduction that nobody else needs: it can be
/// in memory instead of the reduction, whose kernel computes it then on its accumulators. So it is
/// as cheap to keep as the reduction, and its users need not compute it.
static bool endsReduction(Value value) {
  int64_t elements = cast<RankedTensorType>(value.getType()).getNumElements();
  SmallVector<Value> open = {value};
  for (unsigned steps = 0; !open.empty() && steps < 32; ++steps) {
    Operation *op = open.pop_back_val().getDefiningOp();
    if (!op)
      continue;
    if (isa<ReduceOp>(op))
      return op->hasOneUse();
    if (!isElementwise(op) && !isa<ReshapeOp>(op))
      continue;
    for (Value operand : op->getOperands())
      if (cast<RankedTensorType>(operand.getType()).getNumElements() == elements &&
          operand.hasOneUse())
        open.push_back(operand);
  }
  return false;
}

/// Whether `value` is made by a program that can compute it in the place where a pad puts it.
static bool isPaddedPiece(Value value, llvm::SmallDenseSet<Value> &pieces) {
  bool padded = false;
  while (Operation *op = value.getDefiningOp()) {
    if (isa<PadOp>(op))
      padded = true;
    else if (!isa<ReshapeOp, PermuteOp>(op))
      return padded && (isElementwise(op) || isa<ReduceOp>(op)) && pieces.insert(value).second;
    value = op->getOperand(0);
  }
  return false;
}

/// Whether `op` is a concatenation: it chooses by comparing a position with a constant, between
/// pieces of which all but one can be computed in place.
static bool isConcatenation(Operation *op) {
  auto isSource = [](Value value) {
    while (Operation *source = value.getDefiningOp()) {
      if (isa<IotaOp, ConstantOp>(source))
        return true;
      if (!isMovement(source))
        return false;
      value = source->getOperand(0);
    }
    return false;
  };
  if (!isa<WhereOp>(op))
    return false;
  llvm::SmallDenseSet<Value> pieces;
  SmallVector<Value> open = {op->getResult(0)};
  unsigned others = 0, selections = 0;
  while (!open.empty() && selections < 64) {
    Value value = open.pop_back_val();
    auto where = value.getDefiningOp<WhereOp>();
    auto cmp = where ? where.getCondition().getDefiningOp<CmpOp>() : CmpOp();
    if (cmp && isSource(cmp.getLhs()) && isSource(cmp.getRhs())) {
      ++selections;
      open.append({where.getOnTrue(), where.getOnFalse()});
    } else {
      others += !isPaddedPiece(value, pieces);
    }
  }
  return selections > 0 && others <= 1;
}

/// Whether `reduce` adds up what a comparison for equality selects: a look-up, which needs one
/// element for each that it makes.
static bool looksUp(ReduceOp reduce) {
  auto where = reduce.getInput().getDefiningOp<WhereOp>();
  auto cmp = where ? where.getCondition().getDefiningOp<CmpOp>() : CmpOp();
  return cmp && cmp.getPredicate() == CmpPredicate::eq && reduce.getKind() == ReduceKind::add &&
         (cmp.getLhs().getDefiningOp<IotaOp>() || cmp.getRhs().getDefiningOp<IotaOp>());
}

/// Whether `reduce` combines what a comparison of two positions selects of a value that is
/// repeated: a pass over it (Scan.cpp), which needs each term once.
static bool isTriangular(ReduceOp reduce) {
  // Behind the movement ops of `value`; `repeats` says whether one of them is an expand.
  auto source = [](Value value, bool &repeats) {
    while (value.getDefiningOp() && isMovement(value.getDefiningOp())) {
      repeats |= isa<ExpandOp>(value.getDefiningOp());
      value = value.getDefiningOp()->getOperand(0);
    }
    return value.getDefiningOp();
  };
  bool ignored = false;
  auto where = reduce.getInput().getDefiningOp<WhereOp>();
  auto cmp = where ? dyn_cast_or_null<CmpOp>(source(where.getCondition(), ignored)) : CmpOp();
  if (!cmp || !isa_and_nonnull<IotaOp>(source(cmp.getLhs(), ignored)) ||
      !isa_and_nonnull<IotaOp>(source(cmp.getRhs(), ignored)))
    return false;
  for (auto [value, other] : {std::pair(where.getOnTrue(), where.getOnFalse()),
                              std::pair(where.getOnFalse(), where.getOnTrue())}) {
    bool repeats = false;
    source(value, repeats);
    auto constant = dyn_cast_or_null<ConstantOp>(source(other, ignored));
    auto splat = constant ? dyn_cast<SplatElementsAttr>(constant.getValue()) : nullptr;
    if (repeats && splat &&
        splat.getSplatValue<Attribute>() ==
            reduceIdentity(reduce.getKind(), reduce.getType().getElementType()))
      return true;
  }
  return false;
}

Materialisation::Materialisation(func::FuncOp function) {
  Block &block = function.getBody().front();
  llvm::DenseMap<Value, double> costs;
  llvm::DenseSet<Value> expensive; // these are kept, and what uses them starts from nothing
  llvm::DenseSet<Value> positions; // no data is needed to compute these
  for (Operation &op : block) {
    if (op.getNumResults() != 1)
      continue;
    Value value = op.getResult(0);
    double cost = operationCost(&op);
    if (!isa<ReduceOp>(op)) // read back from memory, or an accumulator
      for (Value operand : op.getOperands())
        cost += costs.lookup(operand);
    if (isElementwise(&op) && cost >= kMaxCost) {
      expensive.insert(value);
      cost = 0;
    }
    // A number per row that every element needs is in memory, whoever else needs it.
    if (auto expand = dyn_cast<ExpandOp>(op)) {
      double copies = double(expand.getType().getNumElements()) /
                      std::max<int64_t>(expand.getInput().getType().getNumElements(), 1);
      if ((copies - 1) * cost > kMemoryCost)
        cost = 0;
    }
    costs[value] = isa<ReduceOp>(op) ? 0 : cost;
    if (isa<IotaOp>(op) || ((isElementwise(&op) || isMovement(&op)) &&
                            llvm::all_of(op.getOperands(), [&](Value operand) {
                              auto constant = operand.getDefiningOp<ConstantOp>();
                              return positions.contains(operand) ||
                                     (constant && isa<SplatElementsAttr>(constant.getValue()));
                            })))
      positions.insert(value);
  }

  llvm::DenseMap<Value, Contexts> needed;
  unsigned places = 0;
  auto need = [&](Value value, const Context &context) {
    Contexts &contexts = needed[value];
    for (Context &known : contexts) {
      if (!(known == context))
        continue;
      known.guarded |= context.guarded;
      return;
    }
    contexts.push_back(context);
  };

  for (Operation &op : llvm::reverse(block)) {
    if (isa<func::ReturnOp, ExpectEqOp, ExpectCloseOp>(op)) {
      for (Value operand : op.getOperands())
        if (operand.getDefiningOp() && !isa<ConstantOp>(operand.getDefiningOp()))
          roots.insert(operand), escapes.insert(operand);
      continue;
    }
    if (op.getNumResults() != 1 || isa<ConstantOp, IotaOp>(op))
      continue;
    Value value = op.getResult(0);
    auto type = cast<RankedTensorType>(value.getType());
    Contexts contexts = needed.lookup(value);
    if (contexts.empty() && !roots.contains(value))
      continue; // dead

    // What is returned or expected is needed outside of kernels too.
    if (!contexts.empty() && !roots.contains(value) &&
        llvm::all_of(contexts,
                     [&](const Context &context) { return context.root == contexts.front().root; }))
      soleRoots[value] = contexts.front().root;

    double points = 0;
    bool guarded = false;
    for (const Context &context : contexts) {
      points += context.points;
      guarded |= context.guarded;
    }
    bool elsewhere =
        llvm::any_of(contexts, [&](const Context &c) { return c.place != contexts.front().place; });
    double again = points / std::max<double>(type.getNumElements(), 1) - 1;
    double cost = costs.lookup(value);
    if (positions.contains(value) && cost <= kReadCost && contexts.size() == 1)
      cost = 0; // the mask of one kernel: to read it would take as long
    if (isa<ReduceOp>(op) || (isElementwise(&op) && contexts.size() > kMaxContexts) ||
        expensive.contains(value) ||
        (isElementwise(&op) && (guarded || again * cost > kMemoryCost ||
                                ((again > 0 || elsewhere) && cost > 0 &&
                                 (isConcatenation(&op) || endsReduction(value))))))
      roots.insert(value);

    if (roots.contains(value)) {
      needs[value] = {contexts.size(), again + 1, cost, guarded, isConcatenation(&op)};
      contexts = {Context{value, places++, static_cast<double>(type.getNumElements()), false}};
    }
    if (auto reduce = dyn_cast<ReduceOp>(op)) {
      int64_t points = looksUp(reduce) || isTriangular(reduce)
                           ? type.getNumElements()
                           : reduce.getInput().getType().getNumElements();
      contexts = {Context{value, places++, static_cast<double>(points), false}};
    }
    for (Context context : contexts) {
      if (isMovement(&op)) {
        context.place = places++;
        context.guarded |= isa<PadOp>(op);
      }
      for (Value operand : op.getOperands())
        need(operand, context);
    }
  }
}

std::string Materialisation::reason(Value value) const {
  if (escapes.contains(value))
    return "it is a result of the program, and a result has a buffer of its own";
  if (value.getDefiningOp<ReduceOp>())
    return "it is the result of a reduction";
  Need need = needs.lookup(value);
  if (need.kernels > kMaxContexts)
    return llvm::formatv("it is needed in {0} places", need.kernels);
  if (need.concatenation)
    return "it is a concatenation, and its parts are not boxes of it in the order in which the "
           "kernels that compute them see their loops";
  if (need.guarded && need.points <= 1)
    return "it is padded: only some of its elements are needed where it is read";
  return llvm::formatv("it is needed {0:F1} times per element, and costs {1:F0} operations each "
                       "time: more than to write and read it",
                       need.points, need.cost);
}
