//===- Kernel.cpp - which loops and which reduction a kernel has ----------===//
//
// An elementwise kernel that reads a reduction in row-major order, where nobody
// else does, takes it in: the reduction's result is then an accumulator and never
// a buffer.
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::tiny;

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

//===----------------------------------------------------------------------===//
// Forming
//===----------------------------------------------------------------------===//

/// The reduction that the kernel of `root` can take in: all its elements are needed exactly where
/// the kernel's result of the same row-major position is computed, and nowhere else. The largest
/// one where there are several.
static ReduceOp findReduction(Value root, const KernelGraph &graph, AffineExpr position,
                              const Materialisation &materialisation) {
  ReduceOp best;
  llvm::SmallDenseSet<Value> refused;
  for (const Node &node : graph.nodes) {
    if (node.kind != Node::Read)
      continue;
    auto reduce = node.value.getDefiningOp<ReduceOp>();
    if (!reduce)
      continue;
    if (node.index != position || !node.constraints.empty() ||
        tensorOf(node.value).getNumElements() != tensorOf(root).getNumElements() ||
        materialisation.soleRoot(node.value) != root)
      refused.insert(node.value);
  }
  for (const Node &node : graph.nodes) {
    auto reduce = node.kind == Node::Read ? node.value.getDefiningOp<ReduceOp>() : ReduceOp();
    if (reduce && !refused.contains(node.value) &&
        (!best ||
         tensorOf(reduce.getInput()).getNumElements() > tensorOf(best.getInput()).getNumElements()))
      best = reduce;
  }
  return best;
}

/// The view of the operand of `reduce` over the kernel's loops (those of `result`, then the
/// reduced dims), where the parallel part addresses the reduction by its row-major position.
static View viewOfReduced(ReduceOp reduce, Value result, SmallVectorImpl<int64_t> &extents) {
  MLIRContext *context = reduce.getContext();
  ArrayRef<int64_t> inputShape = reduce.getInput().getType().getShape();
  extents.assign(tensorOf(result).getShape().begin(), tensorOf(result).getShape().end());
  unsigned numParallel = extents.size();
  for (int64_t dim : reduce.getDims())
    extents.push_back(inputShape[dim]);

  // The row-major position among the results, spread over the kept dims of the input.
  LinearForm position;
  int64_t step = 1;
  for (unsigned dim = numParallel; dim-- > 0;) {
    position.add(getAffineDimExpr(dim, context), step);
    step *= extents[dim];
  }
  SmallVector<AffineExpr> index(inputShape.size());
  for (auto [nth, dim] : llvm::enumerate(reduce.getDims()))
    index[dim] = getAffineDimExpr(numParallel + nth, context);
  AffineExpr rest = position.expr(context);
  for (size_t dim = inputShape.size(); dim-- > 0;) {
    if (index[dim])
      continue;
    index[dim] = rest % inputShape[dim];
    rest = rest.floorDiv(inputShape[dim]);
  }
  return View(context, extents, inputShape, index);
}

Kernel mlir::tiny::formKernel(Value root, const Materialisation &materialisation) {
  Kernel kernel;
  kernel.result = root;
  MLIRContext *context = root.getContext();
  ArrayRef<int64_t> shape = tensorOf(root).getShape();
  View identity = View::identity(context, shape);
  kernel.reduction = root.getDefiningOp<ReduceOp>();
  if (!kernel.reduction) {
    kernel.body = traceKernel(root, identity, materialisation, /*throughRoot=*/true);
    kernel.reduction = findReduction(root, kernel.body, identity.flatIndex(), materialisation);
    kernel.domain.extents.assign(shape.begin(), shape.end());
    kernel.domain.numParallel = shape.size();
  }
  if (!kernel.reduction) {
    kernel.domain.normalise({&kernel.body}, context);
    return kernel;
  }

  kernel.epilogue = std::move(kernel.body);
  Value reduced = kernel.reduction.getResult();
  if (root == reduced) {
    kernel.epilogue.nodes.push_back(Node{Node::Accumulator,
                                         tensorOf(root).getElementType(),
                                         root,
                                         nullptr,
                                         {},
                                         {},
                                         {},
                                         {},
                                         root.getLoc()});
    kernel.epilogue.root = 0;
  }
  for (Node &node : kernel.epilogue.nodes) {
    if (node.kind != Node::Read || node.value != reduced)
      continue;
    node.kind = Node::Accumulator;
    node.index = {};
  }
  View view = viewOfReduced(kernel.reduction, root, kernel.domain.extents);
  kernel.domain.numParallel = shape.size();
  kernel.body =
      traceKernel(kernel.reduction.getInput(), view, materialisation, /*throughRoot=*/false);
  const Node &reducedNode = kernel.body.nodes[kernel.body.root];
  if (reducedNode.kind == Node::Constant) {
    // Many times the same number: known now, and arith would fold the combination away.
    int64_t count = tensorOf(kernel.reduction.getInput()).getNumElements() /
                    tensorOf(kernel.reduction).getNumElements();
    TypedAttr total = reduceSplat(kernel.reduction.getKind(), reducedNode.constant, count);
    for (Node &node : kernel.epilogue.nodes) {
      if (node.kind != Node::Accumulator)
        continue;
      node.kind = Node::Constant;
      node.constant = total;
    }
    kernel.body = std::move(kernel.epilogue);
    kernel.epilogue = {};
    kernel.foldedReduction = std::exchange(kernel.reduction, {});
    kernel.domain.extents.truncate(kernel.domain.numParallel);
    kernel.domain.normalise({&kernel.body}, context);
    return kernel;
  }
  kernel.domain.normalise({&kernel.body, &kernel.epilogue}, context);
  return kernel;
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

/// A reduction is named after what its reads look like: a product of two is a contraction, and one
/// that slides over its input (an index with a parallel and a reduction dim in one sum) a window.
static std::string nameReduction(const Kernel &kernel) {
  unsigned reads = 0;
  bool window = false;
  for (const Node &node : kernel.body.nodes) {
    if (node.kind != Node::Read)
      continue;
    ++reads;
    SmallVector<int64_t> scales(kernel.domain.extents.size(), 0);
    for (auto &[atom, scale] : LinearForm(node.index).terms)
      if (auto dim = dyn_cast<AffineDimExpr>(atom))
        scales[dim.getPosition()] = scale;
    ArrayRef<int64_t> parallel = ArrayRef(scales).take_front(kernel.domain.numParallel);
    for (int64_t scale : ArrayRef(scales).drop_front(kernel.domain.numParallel))
      window |= scale != 0 && llvm::is_contained(parallel, scale);
    window |= !node.constraints.empty();
  }
  ReduceOp reduction = kernel.reduction;
  bool product = reads >= 2 && reduction.getKind() == ReduceKind::add &&
                 kernel.body.nodes[kernel.body.root].op &&
                 isa<MulOp>(kernel.body.nodes[kernel.body.root].op);
  if (product)
    return window ? "conv" : "matmul";
  std::string name = window ? "pool_" : "reduce_";
  return name + stringifyReduceKind(reduction.getKind()).str();
}

std::string Kernel::name() const {
  std::string text;
  auto append = [&](StringRef part) {
    if (!text.empty())
      text += "_";
    text += part;
  };
  if (reduction)
    append(nameReduction(*this));
  const KernelGraph &graph = reduction ? epilogue : body;
  llvm::StringSet<> seen;
  for (const Node &node : graph.nodes)
    if (node.kind == Node::Compute && seen.size() < 4 &&
        seen.insert(node.op->getName().stripDialect()).second)
      append(node.op->getName().stripDialect());
  if (text.empty())
    append(llvm::any_of(graph.nodes, [](const Node &n) { return n.kind == Node::Read; }) ? "copy"
                                                                                         : "fill");
  std::string shape;
  for (int64_t size : resultType().getShape())
    shape += (shape.empty() ? "" : "x") + std::to_string(size);
  append(shape.empty() ? "scalar" : shape);
  return text;
}
