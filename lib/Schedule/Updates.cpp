//===- Updates.cpp - values that take over the buffer of another ----------===//
//
// A value that is mostly another one (a cache with one more row in it) need not be
// computed where that one dies: its buffer is, with the new elements stored over old
// ones. Where they go is settled by the program, and then the rest is parts that move
// every element to where it is (Parts.cpp), or decided by data: then a loop over
// positions that are compared with a number becomes one store at that number.
//
//===----------------------------------------------------------------------===//

#include "Updates.h"

using namespace mlir;
using namespace mlir::tiny;

/// Whether `read` reads the element of a value as large as the result of `nest` that lies where
/// `nest` writes.
static bool readsOwnPlace(const Nest &nest, const Node &read) {
  auto type = cast<RankedTensorType>(read.value.getType());
  return read.kind == Node::Read && read.constraints.empty() && read.index == nest.store &&
         read.elements == type.getNumElements() &&
         type.getNumElements() == nest.resultType().getNumElements() &&
         type.getElementType() == nest.resultType().getElementType();
}

Value mlir::tiny::keptBy(const Nest &nest) {
  const Node *read = nest.soleCopiedRead();
  return read && readsOwnPlace(nest, *read) ? read->value : Value();
}

bool mlir::tiny::readsOnlyOwnPlace(const Nest &nest, Value old) {
  // A guard on a place that data decides is one that the store has too.
  auto isOfStore = [&](const Constraint &constraint) {
    auto dim = dyn_cast<AffineDimExpr>(constraint.expr);
    return dim && dim.getPosition() >= nest.numLoops() && constraint.low == 0 &&
           constraint.high == nest.extents()[dim.getPosition()];
  };
  auto check = [&](const KernelGraph &graph, bool reduces) {
    return llvm::all_of(graph.nodes, [&](const Node &node) {
      if (node.kind != Node::Read || node.value != old)
        return true;
      Node read = node;
      llvm::erase_if(read.constraints, isOfStore);
      return !reduces && readsOwnPlace(nest, read); // a reduction stores when it has read all
    });
  };
  return check(nest.body, /*reduces=*/bool(nest.reduction)) && check(nest.epilogue, false);
}

namespace {
/// A choice between new and old elements that is taken apart.
struct Choice {
  int fresh; // node of the new element
  Value old;
  SmallVector<std::pair<unsigned, int>> places; // loop, and the node of the number compared with it
};
} // namespace

/// Adds the comparisons that `node` is the conjunction of to `choice`. With `isNegated` it is the
/// negation of one.
static bool addConditions(const Nest &nest, int node, bool isNegated, Choice &choice) {
  const KernelGraph &body = nest.body;
  const Node &condition = body.nodes[node];
  if (condition.kind != Node::Compute)
    return false;
  if (isa<MulOp>(condition.op) && !isNegated)
    return addConditions(nest, condition.operands[0], false, choice) &&
           addConditions(nest, condition.operands[1], false, choice);
  auto cmp = dyn_cast<CmpOp>(condition.op);
  if (!cmp || cmp.getPredicate() != (isNegated ? CmpPredicate::ne : CmpPredicate::eq))
    return false;
  for (unsigned side : {0u, 1u}) {
    std::optional<unsigned> loop = comparedLoop(nest, condition.operands[side]);
    int place = condition.operands[1 - side];
    if (!loop || *loop >= nest.domain.numParallel || body.dependsOn(place, *loop) ||
        llvm::any_of(choice.places, [&](auto &known) { return known.first == *loop; }))
      continue;
    choice.places.push_back({*loop, place});
    return true;
  }
  return false;
}

static std::optional<Choice> findChoice(const Nest &nest) {
  if (nest.reduction || nest.isPart || !nest.wholes.empty() || !nest.domain.dataNodes.empty())
    return std::nullopt;
  const KernelGraph &body = nest.body;
  Choice choice{body.root, {}, {}};
  while (true) { // a choice of a choice is one under both conditions
    const Node &where = body.nodes[choice.fresh];
    if (where.kind != Node::Compute || !isa<WhereOp>(where.op))
      break;
    bool isOldFirst = readsOwnPlace(nest, body.nodes[where.operands[1]]);
    const Node &old = body.nodes[where.operands[isOldFirst ? 1 : 2]];
    Choice next = choice;
    if (!readsOwnPlace(nest, old) || (choice.old && choice.old != old.value) ||
        !addConditions(nest, where.operands[0], isOldFirst, next))
      break;
    next.old = old.value;
    next.fresh = where.operands[isOldFirst ? 2 : 1];
    choice = next;
  }
  if (!choice.old)
    return std::nullopt;
  // Each number must be known without a loop that becomes another number.
  for (auto &[loop, place] : choice.places)
    for (auto &[other, otherPlace] : choice.places)
      if (body.dependsOn(otherPlace, loop))
        return std::nullopt;
  return choice;
}

/// Whether node `node` needs loop `loop` for something else than to read: a number that data
/// decides is an index in a read only.
static bool countsWith(const KernelGraph &graph, int node, unsigned loop) {
  const Node &at = graph.nodes[node];
  if (at.kind != Node::Read && ((at.index && at.index.isFunctionOfDim(loop)) ||
                                llvm::any_of(at.constraints, [&](const Constraint &constraint) {
                                  return constraint.expr.isFunctionOfDim(loop);
                                })))
    return true;
  return llvm::any_of(at.operands, [&](int operand) { return countsWith(graph, operand, loop); });
}

std::optional<Nest> mlir::tiny::asGuardedStore(const Nest &nest) {
  std::optional<Choice> choice = findChoice(nest);
  if (!choice || llvm::any_of(choice->places, [&](auto &place) {
        return countsWith(nest.body, choice->fresh, place.first);
      }))
    return std::nullopt;
  MLIRContext *context = nest.result.getContext();
  Nest update = nest;
  update.updates = choice->old;
  KernelGraph body;
  llvm::DenseMap<int, int> moved;
  SmallVector<int> numbers;
  for (auto &[loop, place] : choice->places)
    numbers.push_back(body.append(nest.body, place, moved));
  size_t firstFresh = body.nodes.size();
  body.root = body.append(nest.body, choice->fresh, moved);
  for (Node &node : llvm::drop_begin(body.nodes, firstFresh)) {
    bool isPlaced = node.kind == Node::Read && llvm::any_of(choice->places, [&](auto &place) {
                      return node.index.isFunctionOfDim(place.first) ||
                             llvm::any_of(node.constraints, [&](const Constraint &constraint) {
                               return constraint.expr.isFunctionOfDim(place.first);
                             });
                    });
    for (auto &[loop, place] : choice->places)
      if (isPlaced)
        node.constraints.insert(node.constraints.begin(),
                                Constraint{getAffineDimExpr(loop, context), 0, nest.extents()[loop],
                                           reduceIdentity(ReduceKind::add, node.type)});
  }
  update.body = std::move(body);
  // From the last loop to the first, so that the numbers of those to come stay.
  SmallVector<unsigned> order = llvm::to_vector(llvm::seq<unsigned>(0, numbers.size()));
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return choice->places[a].first > choice->places[b].first;
  });
  for (unsigned number : order)
    update.replaceByData(choice->places[number].first, numbers[number]);
  update.normalise();
  update.orderByStore();
  if (!sliceOf(update))
    return std::nullopt;
  return update;
}
