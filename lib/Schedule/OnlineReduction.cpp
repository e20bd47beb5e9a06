//===- OnlineReduction.cpp - recognise softmax and attention --------------===//
//
// What makes sums online is a property of the weight and not of its spelling:
// weight(s, m) with weight(s, m2) = weight(s, m1) * weight(m1, m2). An exponential of
// the difference has it however it is composed of the twelve ops, with or without a
// range reduction of its own; so it is tested on numbers.
//
//===----------------------------------------------------------------------===//

#include "OnlineReduction.h"

#include "ScalarOps.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tiny;

bool OnlineReduction::contains(unsigned nest) const {
  return nest == pivot || llvm::is_contained(weights, nest) ||
         llvm::any_of(sums, [&](const Sum &sum) { return sum.nest == nest; });
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// Evaluates a scalar program of floats in f64; nothing where it has something else in it.
static std::optional<double> evaluate(const KernelGraph &graph,
                                      llvm::function_ref<double(const Node &)> read) {
  SmallVector<double> values;
  for (const Node &node : graph.nodes) {
    auto operand = [&](unsigned number) { return values[node.operands[number]]; };
    if (node.kind == Node::Read) {
      values.push_back(read(node));
    } else if (node.kind == Node::Constant) {
      auto number = dyn_cast<FloatAttr>(node.constant);
      if (!number)
        return std::nullopt;
      values.push_back(number.getValueAsDouble());
    } else if (node.kind != Node::Compute) {
      return std::nullopt;
    } else if (isa<AddOp>(node.op)) {
      values.push_back(operand(0) + operand(1));
    } else if (isa<MulOp>(node.op)) {
      values.push_back(operand(0) * operand(1));
    } else if (isa<DivOp>(node.op)) {
      values.push_back(operand(0) / operand(1));
    } else if (isa<MaxOp>(node.op)) {
      values.push_back(std::fmax(operand(0), operand(1)));
    } else if (isa<Exp2Op>(node.op)) {
      values.push_back(std::exp2(operand(0)));
    } else if (isa<WhereOp>(node.op)) {
      values.push_back(operand(0) != 0 ? operand(1) : operand(2));
    } else if (auto cmp = dyn_cast<CmpOp>(node.op)) {
      bool holds = cmp.getPredicate() == CmpPredicate::lt   ? operand(0) < operand(1)
                   : cmp.getPredicate() == CmpPredicate::eq ? operand(0) == operand(1)
                                                            : operand(0) != operand(1);
      values.push_back(holds);
    } else if (auto cast = dyn_cast<CastOp>(node.op);
               cast && isa<FloatType>(node.type) &&
               isa<FloatType>(cast.getInput().getType().getElementType())) {
      values.push_back(operand(0));
    } else {
      return std::nullopt;
    }
  }
  return values[graph.root];
}

/// Whether `weight` of a score and a pivot is an exponential of how far the score is below the
/// pivot. The samples are dense enough for every threshold that a program of this size can hide
/// (a clamp, a cut-off), but for one where the weight vanishes in f32 anyway.
static bool isExponential(const KernelGraph &weight, Value score, Value pivot) {
  bool known = true;
  auto at = [&](double scoreValue, double pivotValue) {
    auto value = evaluate(
        weight, [&](const Node &read) { return read.value == score ? scoreValue : pivotValue; });
    known &= value.has_value();
    return value.value_or(0);
  };
  // Relative to the rounding of an f16 exponential, the coarsest; and what is zero in f32.
  auto agree = [](double a, double b) {
    return std::abs(a - b) <= 0x1p-8 * std::max(std::abs(a), std::abs(b)) + 0x1p-120;
  };
  for (double older : {0.0, -17.5, 1.0 / 3, 250.25}) {
    if (!agree(at(older, older), 1) || !known)
      return false;
    for (double below = 1.0 / 1024; below < 100; below *= 1.618)
      for (double growth = 1.0 / 512; growth < 100; growth *= 1.75) {
        double newer = older + growth, score = older - below;
        double direct = at(score, newer), first = at(score, older);
        if (!agree(direct, first * at(older, newer)) || !(first <= 1.01) || !known)
          return false;
      }
  }
  return true;
}

/// Whether two scalar programs are the same one.
static bool areEqual(const KernelGraph &a, const KernelGraph &b) {
  return a.root == b.root && llvm::equal(a.nodes, b.nodes, [](const Node &x, const Node &y) {
           if (x.kind != y.kind || x.type != y.type || x.operands != y.operands ||
               x.constant != y.constant)
             return false;
           if (x.kind == Node::Compute)
             return x.op->getName() == y.op->getName() &&
                    x.op->getAttrDictionary() == y.op->getAttrDictionary();
           return x.value == y.value;
         });
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

namespace {
/// Takes the nests of one kernel apart.
class OnlineFinder {
public:
  OnlineFinder(ArrayRef<Nest> nests, llvm::function_ref<bool(Value)> isPrivate)
      : nests(nests), isPrivate(isPrivate) {}

  std::optional<OnlineReduction> find(unsigned pivot);

private:
  bool findWeights();
  std::optional<KernelGraph> expanded(const Nest &nest) const;
  bool addSum(unsigned number);
  int rebuild(const KernelGraph &graph, int node, const Nest &nest, OnlineReduction::Sum &sum);
  bool findLoops(const Nest &nest, const KernelGraph &graph, SmallVectorImpl<unsigned> &loops);

  ArrayRef<Nest> nests;
  llvm::function_ref<bool(Value)> isPrivate;
  OnlineReduction online;
  SmallVector<unsigned> sumNests;
  llvm::SmallDenseMap<Value, unsigned> weightNests; // by result

  // Of the sum that is being looked at.
  SmallVector<uint8_t> depends; // by node: on the score or the pivot 1, on anything else 2
  int weightNode = -1;
  SmallVector<std::pair<Operation *, int>> factors; // that do not depend on the reducing loop
};
} // namespace

/// The nests between the pivot and the sums: those that read the score, or what such nests
/// compute. Whatever reads these must be a sum over the loop.
bool OnlineFinder::findWeights() {
  llvm::SmallDenseSet<Value> wide = {online.score};
  for (auto [number, nest] : llvm::enumerate(nests)) {
    bool reads = false;
    nest.forEachRead([&](const Node &read) { reads |= wide.contains(read.value); });
    if (!reads || number == online.pivot)
      continue;
    if (nest.reduction) {
      if (nest.isScan() || ReduceOp(nest.reduction).getKind() != ReduceKind::add ||
          nest.numLoops() != nest.domain.numParallel + 1 || !nest.domain.dataNodes.empty())
        return false;
      sumNests.push_back(number);
      continue;
    }
    if (!isPrivate(nest.result) || nest.writesPart() || !nest.domain.dataNodes.empty())
      return false;
    online.weights.push_back(number);
    weightNests[nest.result] = number;
    wide.insert(nest.result);
  }
  return !sumNests.empty();
}

/// The body of `nest` with the weights computed in it.
std::optional<KernelGraph> OnlineFinder::expanded(const Nest &nest) const {
  KernelGraph result;
  MLIRContext *context = nest.result.getContext();
  SmallVector<int> moved;
  auto add = [&](Node node) {
    // A read that is there already is the same node.
    for (auto [number, known] : llvm::enumerate(result.nodes))
      if (node.kind == Node::Read && known.kind == Node::Read && known.value == node.value &&
          known.index == node.index && node.constraints.empty() && known.constraints.empty())
        return static_cast<int>(number);
    result.nodes.push_back(std::move(node));
    return static_cast<int>(result.nodes.size() - 1);
  };
  for (const Node &node : nest.body.nodes) {
    auto weight = node.kind == Node::Read ? weightNests.find(node.value) : weightNests.end();
    if (weight == weightNests.end()) {
      Node copy = node;
      for (int &operand : copy.operands)
        operand = moved[operand];
      moved.push_back(add(std::move(copy)));
      continue;
    }
    auto loops = rowMajorLoops(nest, node);
    std::optional<KernelGraph> inner = expanded(nests[weight->second]);
    if (!loops || !inner)
      return std::nullopt;
    SmallVector<AffineExpr> dims =
        llvm::map_to_vector(*loops, [&](unsigned loop) { return getAffineDimExpr(loop, context); });
    inner->forEachExpr([&](AffineExpr &expr) { expr = expr.replaceDims(dims); });
    SmallVector<int> places;
    for (Node &part : inner->nodes) {
      for (int &operand : part.operands)
        operand = places[operand];
      places.push_back(add(std::move(part)));
    }
    moved.push_back(places[inner->root]);
  }
  result.root = moved[nest.body.root];
  return result;
}

/// The loops of the reduction that those of `nest` are, from how it reads score and pivot. The
/// loops that are in neither are the sum's own.
bool OnlineFinder::findLoops(const Nest &nest, const KernelGraph &graph,
                             SmallVectorImpl<unsigned> &loops) {
  constexpr unsigned unknown = ~0u;
  unsigned numPivot = nests[online.pivot].domain.numParallel, reducing = unknown - 1;
  loops.assign(nest.numLoops(), unknown);
  for (const Node &node : graph.nodes) {
    bool isScore = node.kind == Node::Read && node.value == online.score;
    bool isPivot = node.kind == Node::Read && node.value == nests[online.pivot].result;
    if (!isScore && !isPivot)
      continue;
    auto read = rowMajorLoops(nest, node);
    if (!read || read->size() != (isScore ? online.scoreLoops.size() : numPivot))
      return false;
    for (auto [dim, own] : llvm::enumerate(*read)) {
      unsigned loop = isScore ? online.scoreLoops[dim] : dim;
      if (isScore && loop == numPivot)
        loop = reducing;
      if (loops[own] != unknown && loops[own] != loop)
        return false;
      loops[own] = loop;
    }
  }
  if (loops.back() != reducing || llvm::count(loops, reducing) != 1)
    return false;
  for (unsigned loop = 0; loop < numPivot; ++loop)
    if (llvm::count(loops, loop) != 1)
      return false;
  for (auto [own, loop] : llvm::enumerate(loops))
    if (loop == unknown) {
      loop = online.extents.size();
      online.extents.push_back(nest.extents()[own]);
    }
  return true;
}

/// Copies what makes a term of the weight into `sum.term`, but for the factors that do not depend
/// on the reducing loop; -1 where the term is not proportional to the weight.
int OnlineFinder::rebuild(const KernelGraph &graph, int number, const Nest &nest,
                          OnlineReduction::Sum &sum) {
  const Node &node = graph.nodes[number];
  auto add = [&](Node copy) {
    sum.term.nodes.push_back(std::move(copy));
    return static_cast<int>(sum.term.nodes.size() - 1);
  };
  if (depends[number] == 1) {
    if (weightNode >= 0 && weightNode != number)
      return -1;
    weightNode = number;
    return add(Node{Node::Accumulator, node.type, node.value, nullptr, {}, {}, {}, {}, node.loc});
  }
  if (node.kind != Node::Compute)
    return -1;
  auto weighted = [&](unsigned operand) { return depends[node.operands[operand]] & 1; };
  unsigned reducing = nest.numLoops() - 1;
  llvm::DenseMap<int, int> moved;
  if (isa<MulOp>(node.op) && weighted(0) != weighted(1)) {
    unsigned side = weighted(0) ? 0 : 1;
    int other = node.operands[1 - side];
    int inner = rebuild(graph, node.operands[side], nest, sum);
    if (inner < 0)
      return -1;
    if (!graph.dependsOn(other, reducing)) {
      factors.push_back({node.op, other});
      return inner;
    }
    Node copy = node;
    copy.operands = {inner, sum.term.append(graph, other, moved)};
    return add(std::move(copy));
  }
  if (isa<DivOp>(node.op) && weighted(0) && !weighted(1)) {
    int inner = rebuild(graph, node.operands[0], nest, sum);
    if (inner < 0)
      return -1;
    if (!graph.dependsOn(node.operands[1], reducing)) {
      factors.push_back({node.op, node.operands[1]});
      return inner;
    }
    Node copy = node;
    copy.operands = {inner, sum.term.append(graph, node.operands[1], moved)};
    return add(std::move(copy));
  }
  if (auto cast = dyn_cast<CastOp>(node.op); cast && isa<FloatType>(node.type)) {
    int inner = rebuild(graph, node.operands[0], nest, sum);
    if (inner < 0)
      return -1;
    sum.movesRounding |= node.type.getIntOrFloatBitWidth() <
                         graph.nodes[node.operands[0]].type.getIntOrFloatBitWidth();
    Node copy = node;
    copy.operands = {inner};
    return add(std::move(copy));
  }
  return -1;
}

bool OnlineFinder::addSum(unsigned number) {
  const Nest &nest = nests[number];
  std::optional<KernelGraph> graph = expanded(nest);
  OnlineReduction::Sum sum;
  sum.nest = number;
  if (!graph || !findLoops(nest, *graph, sum.loops))
    return false;
  Value pivot = nests[online.pivot].result;
  depends.assign(graph->nodes.size(), 0);
  for (auto [place, node] : llvm::enumerate(graph->nodes)) {
    if (node.kind == Node::Read)
      depends[place] = node.value == online.score || node.value == pivot ? 1 : 2;
    else if (node.kind != Node::Constant && node.kind != Node::Compute)
      depends[place] = 2;
    for (int operand : node.operands)
      depends[place] |= depends[operand];
  }
  weightNode = -1;
  factors.clear();
  sum.term.root = rebuild(*graph, graph->root, nest, sum);
  if (sum.term.root < 0)
    return false;
  // What is left to read for a term is an operand of the op.
  for (const Node &node : sum.term.nodes)
    if ((node.kind == Node::Read && !rowMajorLoops(nest, node)) || node.kind == Node::Index ||
        node.kind == Node::Guarded)
      return false;
  KernelGraph weight;
  llvm::DenseMap<int, int> moved;
  weight.root = weight.append(*graph, weightNode, moved);
  if (online.sums.empty()) {
    if (!isExponential(weight, online.score, pivot))
      return false;
    online.weight = std::move(weight);
  } else if (!areEqual(online.weight, weight)) {
    return false;
  }

  // The factors apply to the sum, from the innermost one on, and before it is rounded: without them
  // it may be too large for its type.
  Type type = ReduceOp(nest.reduction).getInput().getType().getElementType();
  KernelGraph &epilogue = sum.epilogue;
  epilogue.nodes.push_back(
      Node{Node::Accumulator, type, nest.result, nullptr, {}, {}, {}, {}, nest.result.getLoc()});
  int value = 0;
  llvm::DenseMap<int, int> movedFactors, movedEpilogue;
  for (auto [op, factor] : factors) {
    if (accumulatorType(graph->nodes[factor].type) != accumulatorType(type))
      return false;
    int other = epilogue.append(*graph, factor, movedFactors);
    epilogue.nodes.push_back(
        Node{Node::Scaled, type, nest.result, op, {}, {}, {}, {value, other}, op->getLoc()});
    value = epilogue.nodes.size() - 1;
  }
  for (auto [place, node] : llvm::enumerate(nest.epilogue.nodes))
    if (node.kind == Node::Accumulator)
      movedEpilogue[place] = value;
  epilogue.root = epilogue.append(nest.epilogue, nest.epilogue.root, movedEpilogue);
  online.sums.push_back(std::move(sum));
  return true;
}

std::optional<OnlineReduction> OnlineFinder::find(unsigned pivot) {
  const Nest &nest = nests[pivot];
  if (!nest.reduction || ReduceOp(nest.reduction).getKind() != ReduceKind::max ||
      nest.writesPart() || nest.numLoops() != nest.domain.numParallel + 1 ||
      !nest.domain.dataNodes.empty() || !isa<FloatType>(nest.resultType().getElementType()))
    return std::nullopt;
  const Node &read = nest.body.nodes[nest.body.root];
  if (read.kind != Node::Read || nest.epilogue.nodes[nest.epilogue.root].kind != Node::Accumulator)
    return std::nullopt;
  auto loops = rowMajorLoops(nest, read);
  if (!loops || loops->size() != nest.numLoops() || !isPrivate(read.value))
    return std::nullopt;
  online.pivot = pivot;
  online.score = read.value;
  online.scoreLoops = *loops;
  online.extents.assign(nest.parallelExtents().begin(), nest.parallelExtents().end());
  if (!findWeights())
    return std::nullopt;
  for (unsigned number : sumNests)
    if (!addSum(number))
      return std::nullopt;
  // The reducing loop comes last.
  unsigned numPivot = nest.domain.numParallel, reducing = online.extents.size();
  online.extents.push_back(nest.extents().back());
  for (unsigned &loop : online.scoreLoops)
    if (loop == numPivot)
      loop = reducing;
  for (OnlineReduction::Sum &sum : online.sums)
    sum.loops.back() = reducing;
  return std::move(online);
}

std::optional<OnlineReduction>
mlir::tiny::findOnlineReduction(ArrayRef<Nest> nests, llvm::function_ref<bool(Value)> isPrivate) {
  for (unsigned pivot = 0; pivot < nests.size(); ++pivot)
    if (auto online = OnlineFinder(nests, isPrivate).find(pivot))
      if (orderAround(*online, nests))
        return online;
  return std::nullopt;
}

std::optional<SmallVector<unsigned>> mlir::tiny::orderAround(const OnlineReduction &online,
                                                             ArrayRef<Nest> nests) {
  llvm::SmallDenseSet<Value> behind; // what needs a result of the reduction
  SmallVector<unsigned> before, members, after;
  for (auto [number, nest] : llvm::enumerate(nests)) {
    bool late = false;
    nest.forEachRead([&](const Node &read) { late |= behind.contains(read.value); });
    if (online.contains(number)) {
      members.push_back(number);
      behind.insert(nest.result);
    } else if (late) {
      after.push_back(number);
      behind.insert(nest.result);
    } else {
      before.push_back(number);
    }
  }
  for (unsigned member : members) {
    bool around = false;
    nests[member].forEachRead([&](const Node &read) {
      around |=
          llvm::any_of(after, [&](unsigned other) { return nests[other].result == read.value; });
    });
    if (around)
      return std::nullopt;
  }
  llvm::append_range(before, members);
  llvm::append_range(before, after);
  return before;
}
