//===- KernelGraph.cpp - the scalar program of a kernel -------------------===//

#include "KernelGraph.h"

#include "Tiny/IR/TinyDialect.h"
#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using namespace mlir::tiny;

void KernelGraph::forEachExpr(llvm::function_ref<void(AffineExpr &)> visit) {
  for (Node &node : nodes) {
    if (node.index)
      visit(node.index);
    for (Constraint &constraint : node.constraints)
      visit(constraint.expr);
  }
}

int KernelGraph::append(const KernelGraph &other, int node, llvm::DenseMap<int, int> &moved) {
  auto known = moved.find(node);
  if (known != moved.end())
    return known->second;
  Node copy = other.nodes[node];
  for (int &operand : copy.operands)
    operand = append(other, operand, moved);
  nodes.push_back(std::move(copy));
  return moved[node] = nodes.size() - 1;
}

bool KernelGraph::dependsOn(int node, unsigned dim) const {
  SmallVector<int> open = {node};
  llvm::SmallDenseSet<int> seen;
  while (!open.empty()) {
    int current = open.pop_back_val();
    if (!seen.insert(current).second)
      continue;
    const Node &at = nodes[current];
    if ((at.index && at.index.isFunctionOfDim(dim)) ||
        llvm::any_of(at.constraints,
                     [&](const Constraint &c) { return c.expr.isFunctionOfDim(dim); }))
      return true;
    open.append(at.operands.begin(), at.operands.end());
  }
  return false;
}

namespace {
class Tracer {
public:
  Tracer(const Materialisation &materialisation, KernelGraph &graph)
      : materialisation(materialisation), graph(graph) {}

  /// The node for the element of `value` that `view` reads. The same element is computed once,
  /// however many paths lead to it.
  int trace(Value value, const View &view, bool throughRoot) {
    auto &known = traced[value];
    for (auto &[knownView, node] : known)
      if (knownView == view)
        return node;
    int node = traceNew(value, view, throughRoot);
    traced[value].push_back({view, node});
    return node;
  }

private:
  int add(Node node) {
    graph.nodes.push_back(std::move(node));
    return graph.nodes.size() - 1;
  }

  Node make(Node::Kind kind, Value value) {
    Type type = cast<RankedTensorType>(value.getType()).getElementType();
    Node node{kind, type, value, nullptr, {}, {}, {}, {}, value.getLoc()};
    return node;
  }

  int constant(Value value, TypedAttr number) {
    Node node = make(Node::Constant, value);
    node.constant = number;
    return add(node);
  }

  /// What has no memory behind it is chosen by the constraints after it is computed.
  int guard(int inner, Value value, const View &view) {
    if (view.constraints().empty())
      return inner;
    Node node = make(Node::Guarded, value);
    node.constraints.assign(view.constraints().begin(), view.constraints().end());
    node.operands = {inner};
    return add(node);
  }

  /// What has no elements is never read: the first of its constraints that holds nowhere decides,
  /// behind those that stand before it.
  int traceEmpty(Value value, const View &view) {
    Node node = make(Node::Guarded, value);
    for (const Constraint &constraint : view.constraints()) {
      if (constraint.low >= constraint.high) {
        node.operands = {constant(value, constraint.pad)};
        break;
      }
      node.constraints.push_back(constraint);
    }
    return add(node);
  }

  /// The value of `op` on constants, or of the operand that it equals there; -1 if it has none.
  int fold(Operation *op, ArrayRef<int> operands) {
    SmallVector<Attribute> attributes;
    for (auto [value, operand] : llvm::zip(op->getOperands(), operands)) {
      if (graph.nodes[operand].kind != Node::Constant)
        return -1;
      attributes.push_back(DenseElementsAttr::get(cast<RankedTensorType>(value.getType()),
                                                  Attribute(graph.nodes[operand].constant)));
    }
    SmallVector<OpFoldResult> results;
    if (failed(op->fold(attributes, results)) || results.size() != 1)
      return -1;
    if (auto folded = dyn_cast<Value>(results[0])) {
      for (auto [value, operand] : llvm::zip(op->getOperands(), operands))
        if (value == folded)
          return operand;
      return -1;
    }
    auto elements = cast<DenseElementsAttr>(cast<Attribute>(results[0]));
    return constant(op->getResult(0), elements.getSplatValue<TypedAttr>());
  }

  /// `index` where its numbers arrive unchanged in the type of the node.
  AffineExpr exactIndex(const Node &node, ArrayRef<int64_t> extents) {
    MLIRContext *context = node.value.getContext();
    if (node.kind == Node::Constant) {
      auto number = dyn_cast<IntegerAttr>(node.constant);
      return number && isNarrowInteger(node.type)
                 ? getAffineConstantExpr(valueOf(number, node.type), context)
                 : AffineExpr();
    }
    if (node.kind != Node::Index || !isNarrowInteger(node.type))
      return {};
    IndexRange range = rangeOf(node.index, extents);
    unsigned bits = node.type.getIntOrFloatBitWidth() - !node.type.isUnsignedInteger();
    return range.low >= 0 && range.high < (int64_t(1) << std::min(bits, 62u)) ? node.index
                                                                              : AffineExpr();
  }

  static bool isNarrowInteger(Type type) {
    return isa<IntegerType>(type) && !type.isInteger(1) &&
           !(type.isUnsignedInteger() && type.getIntOrFloatBitWidth() == 64);
  }

  static int64_t valueOf(IntegerAttr number, Type type) {
    return type.isUnsignedInteger() ? number.getValue().getZExtValue()
                                    : number.getValue().getSExtValue();
  }

  /// A comparison of positions that the ranges of the loops settle; -1 if they do not.
  int foldPosition(CmpOp cmp, ArrayRef<int> operands, ArrayRef<int64_t> extents) {
    AffineExpr lhs = exactIndex(graph.nodes[operands[0]], extents);
    AffineExpr rhs = exactIndex(graph.nodes[operands[1]], extents);
    if (!lhs || !rhs)
      return -1;
    IndexRange range = rangeOf(simplify(lhs - rhs, extents), extents);
    std::optional<bool> holds;
    switch (cmp.getPredicate()) {
    case CmpPredicate::lt:
      if (range.high < 0 || range.low >= 0)
        holds = range.high < 0;
      break;
    case CmpPredicate::le:
      if (range.high <= 0 || range.low > 0)
        holds = range.high <= 0;
      break;
    case CmpPredicate::eq:
    case CmpPredicate::ne:
      if (range.low > 0 || range.high < 0 || (range.low == 0 && range.high == 0))
        holds = (range.low == 0 && range.high == 0) == (cmp.getPredicate() == CmpPredicate::eq);
      break;
    }
    if (!holds)
      return -1;
    return constant(cmp.getResult(), BoolAttr::get(cmp.getContext(), *holds));
  }

  int traceNew(Value value, const View &view, bool throughRoot) {
    if (TypedAttr pad = view.constantValue())
      return constant(value, pad);
    if (cast<RankedTensorType>(value.getType()).getNumElements() == 0)
      return traceEmpty(value, view);
    Operation *op = value.getDefiningOp();
    bool inMemory = !op || (materialisation.isRoot(value) && !throughRoot);
    if (!inMemory && isMovement(op))
      return trace(op->getOperand(0), view.through(op), false);
    if (!inMemory && isElementwise(op)) {
      View inside = view.unconstrained();
      Node node = make(Node::Compute, value);
      node.op = op;
      if (auto where = dyn_cast<WhereOp>(op)) { // one of them only, where the position settles it
        int condition = trace(where.getCondition(), inside, false);
        if (graph.nodes[condition].kind == Node::Constant)
          return guard(trace(cast<BoolAttr>(graph.nodes[condition].constant).getValue()
                                 ? where.getOnTrue()
                                 : where.getOnFalse(),
                             inside, false),
                       value, view);
      }
      for (Value operand : op->getOperands())
        node.operands.push_back(trace(operand, inside, false));
      int folded = fold(op, node.operands);
      if (auto cmp = dyn_cast<CmpOp>(op); cmp && folded < 0)
        folded = foldPosition(cmp, node.operands, view.extents());
      return guard(folded >= 0 ? folded : add(node), value, view);
    }
    if (auto iota = dyn_cast_or_null<IotaOp>(op)) {
      Node node = make(Node::Index, value);
      node.index = view.index()[iota.getDim()];
      return guard(add(node), value, view);
    }
    if (auto constantOp = dyn_cast_or_null<ConstantOp>(op)) {
      auto splat = dyn_cast<SplatElementsAttr>(constantOp.getValue());
      if (splat)
        return guard(constant(value, splat.getSplatValue<TypedAttr>()), value, view);
    }
    Node node = make(Node::Read, value);
    node.index = view.flatIndex();
    node.constraints.assign(view.constraints().begin(), view.constraints().end());
    node.elements = cast<RankedTensorType>(value.getType()).getNumElements();
    return add(node);
  }

  const Materialisation &materialisation;
  KernelGraph &graph;
  llvm::DenseMap<Value, SmallVector<std::pair<View, int>, 1>> traced;
};
} // namespace

KernelGraph mlir::tiny::traceKernel(Value value, const View &view,
                                    const Materialisation &materialisation, bool throughRoot) {
  KernelGraph traced, graph;
  int root = Tracer(materialisation, traced).trace(value, view, throughRoot);
  // Without what a settled condition made unnecessary.
  llvm::DenseMap<int, int> moved;
  graph.root = graph.append(traced, root, moved);
  return graph;
}
