//===- Nest.cpp - which loops and which reduction a nest has --------------===//
//
// An elementwise nest that reads a reduction in row-major order, where nobody else
// does, takes it in: the reduction's result is then an accumulator and never a
// buffer. A reduction that selects by comparing a position with data combines one
// element with many zeros: it is a guarded load at a place that data decides. One
// over all that comes before a position is a pass over the positions (Scan.cpp).
//
//===----------------------------------------------------------------------===//

#include "Nest.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::tiny;

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

static int64_t product(ArrayRef<int64_t> numbers) {
  int64_t result = 1;
  for (int64_t number : numbers)
    result *= number;
  return result;
}

Box Box::whole(ArrayRef<int64_t> shape) {
  return {SmallVector<int64_t>(shape), SmallVector<int64_t>(shape.size(), 0),
          SmallVector<int64_t>(shape)};
}

AffineExpr mlir::tiny::rowMajorIndex(ArrayRef<AffineExpr> index, ArrayRef<int64_t> shape,
                                     MLIRContext *context) {
  AffineExpr number = getAffineConstantExpr(0, context);
  int64_t step = 1;
  for (size_t dim = shape.size(); dim-- > 0;) {
    number = number + index[dim] * step;
    step *= shape[dim];
  }
  return number;
}

SmallVector<AffineExpr> mlir::tiny::delinearised(AffineExpr number, ArrayRef<int64_t> shape) {
  SmallVector<AffineExpr> index(shape.size());
  for (size_t dim = shape.size(); dim-- > 0;) {
    index[dim] = number % shape[dim];
    number = number.floorDiv(shape[dim]);
  }
  return index;
}

SmallVector<Value, 2> Nest::written() const {
  SmallVector<Value, 2> values = {result};
  llvm::append_range(values, wholes);
  return values;
}

int64_t Nest::numPoints() const { return product(parallelExtents()); }

int64_t Nest::numReductionPoints() const {
  return product(extents().take_front(numLoops()).drop_front(domain.numParallel));
}

void Nest::forEachRead(llvm::function_ref<void(const Node &)> visit) const {
  for (const KernelGraph *graph : {&body, &epilogue})
    for (const Node &node : graph->nodes)
      if (node.kind == Node::Read)
        visit(node);
}

bool Nest::movesOnly() const {
  if (!domain.dataNodes.empty())
    return body.nodes[body.root].kind == Node::Read ||
           body.nodes[body.root].kind == Node::AddedToZero;
  return !reduction && llvm::all_of(body.nodes, [](const Node &node) {
    return node.kind != Node::Compute || isa<WhereOp, CmpOp>(node.op);
  });
}

const Node *Nest::soleCopiedRead() const {
  if (reduction || body.root < 0 || body.nodes[body.root].kind != Node::Read)
    return nullptr;
  return &body.nodes[body.root];
}

int64_t Nest::numOperations() const {
  auto perPoint = [](const KernelGraph &graph) {
    double cost = 1;
    for (const Node &node : graph.nodes)
      if (node.kind == Node::Compute)
        cost += operationCost(node.op);
    return cost;
  };
  if (!reduction)
    return numPoints() * perPoint(body);
  return numPoints() * (numReductionPoints() * perPoint(body) + perPoint(epilogue));
}

std::optional<SmallVector<unsigned>> mlir::tiny::rowMajorLoops(const Nest &nest, const Node &read) {
  LinearForm form(read.index);
  if (form.constant != 0 || !read.constraints.empty())
    return std::nullopt;
  llvm::sort(form.terms, [](auto &a, auto &b) { return a.second < b.second; });
  int64_t step = 1;
  SmallVector<unsigned> loops;
  for (auto &[atom, scale] : form.terms) {
    auto dim = dyn_cast<AffineDimExpr>(atom);
    if (!dim || dim.getPosition() >= nest.numLoops() || scale != step)
      return std::nullopt;
    step *= nest.extents()[dim.getPosition()];
    loops.insert(loops.begin(), dim.getPosition());
  }
  if (step != read.elements)
    return std::nullopt;
  return loops;
}

std::optional<Slice> mlir::tiny::sliceOf(const Nest &nest) {
  Slice slice;
  LinearForm form(nest.store);
  // The dims that say where an element goes: parallel loops, in their order, and the others.
  SmallVector<unsigned> dims = llvm::to_vector(llvm::seq<unsigned>(0, nest.domain.numParallel));
  SmallVector<unsigned> others;
  if (nest.isScan())
    others.push_back(nest.domain.numParallel);
  for (unsigned dim = nest.numLoops(); nest.updates && dim < nest.extents().size(); ++dim)
    others.push_back(dim);
  int64_t run = tensorOf(nest.buffer()).getNumElements(), offset = form.constant;
  SmallVector<int64_t> steps(nest.extents().size(), 0);
  for (auto &[atom, step] : form.terms) {
    auto dim = dyn_cast<AffineDimExpr>(atom);
    if (!dim || (dim.getPosition() >= nest.domain.numParallel &&
                 !llvm::is_contained(others, dim.getPosition())))
      return std::nullopt;
    steps[dim.getPosition()] = step;
    if (step < 0 && nest.isScan() && dim.getPosition() == nest.domain.numParallel) {
      slice.isReverse = true;
      steps[dim.getPosition()] = -step;
      offset += step * (nest.extents()[dim.getPosition()] - 1);
    }
  }
  for (unsigned dim : others)
    dims.insert(llvm::find_if(dims, [&](unsigned other) { return steps[other] < steps[dim]; }),
                dim);
  auto addDim = [&](int64_t step, int64_t size, int dim) {
    if (step < 1 || run % step != 0 || offset / step + size > run / step)
      return false;
    slice.dims.push_back(dim);
    slice.shape.push_back(run / step);
    slice.offsets.push_back(offset / step);
    slice.sizes.push_back(size);
    offset %= step;
    run = step;
    return true;
  };
  bool isBox = llvm::all_of(
      dims, [&](unsigned dim) { return addDim(steps[dim], nest.extents()[dim], dim); });
  if (isBox && (run == 1 || addDim(1, 1, -1))) // a part of one element per run
    return slice;
  // Its shape need not divide that of the whole where the loops go from element to element.
  int64_t count = 1;
  for (unsigned dim : llvm::reverse(dims)) {
    if (steps[dim] != count)
      return std::nullopt;
    count *= nest.extents()[dim];
  }
  int64_t total = tensorOf(nest.buffer()).getNumElements();
  if (!others.empty() || form.constant < 0 || form.constant + count > total)
    return std::nullopt;
  return Slice{{total}, {form.constant}, {count}, {-1}, false, true};
}

/// Every expression over the dims of `nest`.
static auto exprsOf(Nest &nest) {
  return [&nest](llvm::function_ref<void(AffineExpr &)> visit) {
    nest.body.forEachExpr(visit);
    nest.epilogue.forEachExpr(visit);
    visit(nest.store);
  };
}

void Nest::split(unsigned loop, int64_t inner) {
  domain.split(exprsOf(*this), loop, inner, result.getContext());
}

void Nest::replaceByData(unsigned loop, int node) {
  domain.replaceByData(exprsOf(*this), loop, node, result.getContext());
}

void Nest::replaceDims(ArrayRef<AffineExpr> exprs) {
  exprsOf (*this)([&](AffineExpr &expr) { expr = simplify(expr.replaceDims(exprs), extents()); });
}

void Nest::normalise() { domain.normalise(exprsOf(*this), result.getContext()); }

void Nest::orderByStore() {
  SmallVector<int64_t> steps(domain.numParallel, 0);
  for (auto &[atom, step] : LinearForm(store).terms)
    if (auto dim = dyn_cast<AffineDimExpr>(atom))
      steps[dim.getPosition()] = step;
  SmallVector<unsigned> order = llvm::to_vector(llvm::seq<unsigned>(0, domain.numParallel));
  llvm::stable_sort(order, [&](unsigned a, unsigned b) { return steps[a] > steps[b]; });
  if (!llvm::is_sorted(order))
    domain.permute(exprsOf(*this), order, result.getContext());
}

//===----------------------------------------------------------------------===//
// Forming
//===----------------------------------------------------------------------===//

/// The reduction that the nest of `root` can take in: all its elements are needed exactly where
/// the nest's result of the same row-major position is computed, and nowhere else. The largest
/// one where there are several.
static ReduceOp findReduction(Value root, int64_t numElements, const KernelGraph &graph,
                              AffineExpr position, const Materialisation &materialisation) {
  ReduceOp best;
  llvm::SmallDenseSet<Value> refused;
  for (const Node &node : graph.nodes) {
    if (node.kind != Node::Read)
      continue;
    auto reduce = node.value.getDefiningOp<ReduceOp>();
    if (!reduce)
      continue;
    // Behind a guard it is masked; what else is read may be another part of a concatenation.
    bool guarded = !node.constraints.empty() && llvm::any_of(graph.nodes, [&](const Node &other) {
      return other.kind == Node::Read && other.value != node.value;
    });
    if (node.index != position || guarded || tensorOf(node.value).getNumElements() != numElements ||
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

/// Makes the reads of `reduced` in `epilogue` its accumulator, behind their guards.
static void takeIn(Value reduced, KernelGraph &epilogue) {
  SmallVector<Node> nodes;
  SmallVector<int> moved;
  for (Node &node : epilogue.nodes) {
    for (int &operand : node.operands)
      operand = moved[operand];
    if (node.kind == Node::Read && node.value == reduced) {
      Node accumulator{Node::Accumulator, node.type, reduced, nullptr, {}, {}, {}, {}, node.loc};
      if (!node.constraints.empty()) {
        node.kind = Node::Guarded;
        node.operands = {static_cast<int>(nodes.size())};
        nodes.push_back(std::move(accumulator));
        accumulator = std::move(node);
        accumulator.index = {};
      }
      node = std::move(accumulator);
    }
    moved.push_back(nodes.size());
    nodes.push_back(std::move(node));
  }
  epilogue.root = moved[epilogue.root];
  epilogue.nodes = std::move(nodes);
}

/// The row-major position over the first dims, which `extents` has.
static AffineExpr rowMajor(ArrayRef<int64_t> extents, MLIRContext *context) {
  SmallVector<AffineExpr> dims;
  for (unsigned dim = 0; dim < extents.size(); ++dim)
    dims.push_back(getAffineDimExpr(dim, context));
  return rowMajorIndex(dims, extents, context);
}

/// The view of the operand of `reduce` over the nest's loops (those of the result, `extents`, then
/// the reduced dims, which are appended), where the parallel part addresses the reduction by its
/// row-major position.
static View viewOfReduced(ReduceOp reduce, SmallVectorImpl<int64_t> &extents) {
  MLIRContext *context = reduce.getContext();
  ArrayRef<int64_t> inputShape = reduce.getInput().getType().getShape();
  AffineExpr position = rowMajor(extents, context);
  SmallVector<int64_t> kept;
  for (auto [dim, size] : llvm::enumerate(inputShape))
    if (!llvm::is_contained(reduce.getDims(), static_cast<int64_t>(dim)))
      kept.push_back(size);

  // The row-major position among the results, spread over the kept dims of the input.
  SmallVector<AffineExpr> index(inputShape.size());
  for (int64_t dim : reduce.getDims()) {
    index[dim] = getAffineDimExpr(extents.size(), context);
    extents.push_back(inputShape[dim]);
  }
  SmallVector<AffineExpr> keptIndex = delinearised(position, kept);
  auto *next = keptIndex.begin();
  for (AffineExpr &expr : index)
    if (!expr)
      expr = *next++;
  return View(context, extents, inputShape, index);
}

/// Replaces the accumulators of the epilogue by the node of the body that is the reduction's value.
static void dissolveReduction(Nest &nest) {
  KernelGraph whole;
  llvm::DenseMap<int, int> moved, movedEpilogue;
  for (int &node : nest.domain.dataNodes)
    node = whole.append(nest.body, node, moved);
  int value = whole.append(nest.body, nest.body.root, moved);
  for (auto [number, node] : llvm::enumerate(nest.epilogue.nodes))
    if (node.kind == Node::Accumulator)
      movedEpilogue[number] = value;
  whole.root = whole.append(nest.epilogue, nest.epilogue.root, movedEpilogue);
  nest.body = std::move(whole);
  nest.epilogue = {};
  nest.foldedReduction = std::exchange(nest.reduction, {});
}

/// The constant zero (not -0) of a node.
static bool isZero(const Node &node) {
  if (node.kind != Node::Constant)
    return false;
  if (auto number = dyn_cast<FloatAttr>(node.constant))
    return number.getValue().isPosZero();
  return cast<IntegerAttr>(node.constant).getValue().isZero();
}

/// A selection by comparing a reduction loop with data, `where(iota == y, x, 0)`: the loop, the
/// node of y, and that of x.
struct OneHot {
  unsigned dim;
  int place, selected;
};

std::optional<unsigned> mlir::tiny::comparedLoop(const Nest &nest, int node) {
  const Node &position = nest.body.nodes[node];
  auto type = dyn_cast<IntegerType>(position.type);
  auto dim = position.kind == Node::Index ? dyn_cast<AffineDimExpr>(position.index)
                                          : AffineDimExpr(nullptr);
  if (!dim || !type || dim.getPosition() >= nest.numLoops())
    return std::nullopt;
  // Every place is another number in the type of the comparison.
  int64_t extent = nest.extents()[dim.getPosition()];
  unsigned bits = type.getWidth() - !type.isUnsigned();
  if (bits < 62 && extent > (int64_t(1) << bits))
    return std::nullopt;
  if (type.isUnsigned() && type.getWidth() == 64)
    return std::nullopt; // does not fit an index
  return dim.getPosition();
}

static std::optional<OneHot> findOneHot(const Nest &nest) {
  const KernelGraph &body = nest.body;
  const Node &root = body.nodes[body.root];
  ReduceOp reduction = nest.reduction;
  if (reduction.getKind() != ReduceKind::add || root.kind != Node::Compute ||
      !isa<WhereOp>(root.op) || !isZero(body.nodes[root.operands[2]]))
    return std::nullopt;
  const Node &condition = body.nodes[root.operands[0]];
  auto cmp = dyn_cast_or_null<CmpOp>(condition.op);
  if (condition.kind != Node::Compute || !cmp || cmp.getPredicate() != CmpPredicate::eq)
    return std::nullopt;
  for (unsigned side : {0u, 1u}) {
    std::optional<unsigned> loop = comparedLoop(nest, condition.operands[side]);
    int place = condition.operands[1 - side];
    if (loop && *loop >= nest.domain.numParallel && !body.dependsOn(place, *loop))
      return OneHot{*loop, place, root.operands[1]};
  }
  return std::nullopt;
}

static TypedAttr zeroOf(Type type) { return reduceIdentity(ReduceKind::add, type); }

/// The reduction over the loop of `oneHot` as one element, which is not read where the place is
/// none of the loop's.
static void replaceByLoad(Nest &nest, const OneHot &oneHot) {
  MLIRContext *context = nest.result.getContext();
  KernelGraph body;
  llvm::DenseMap<int, int> moved;
  for (int &node : nest.domain.dataNodes)
    node = body.append(nest.body, node, moved);
  int place = body.append(nest.body, oneHot.place, moved);
  size_t firstGuarded = body.nodes.size();
  body.root = body.append(nest.body, oneHot.selected, moved);
  AffineExpr dim = getAffineDimExpr(oneHot.dim, context);
  int64_t extent = nest.domain.extents[oneHot.dim];
  for (Node &node : llvm::drop_begin(body.nodes, firstGuarded))
    if (node.kind == Node::Read)
      node.constraints.insert(node.constraints.begin(),
                              Constraint{dim, 0, extent, zeroOf(node.type)});
  if (body.nodes[body.root].kind != Node::Read || static_cast<size_t>(body.root) < firstGuarded) {
    Node guard = body.nodes[body.root];
    guard = Node{Node::Guarded, guard.type, guard.value, nullptr, {}, {}, {}, {}, guard.loc};
    guard.constraints.push_back(Constraint{dim, 0, extent, zeroOf(guard.type)});
    guard.operands.push_back(body.root);
    body.nodes.push_back(guard);
    body.root = body.nodes.size() - 1;
  }
  const Node &loaded = body.nodes[body.root];
  if (isa<FloatType>(loaded.type)) {
    Node sum{Node::AddedToZero, loaded.type, loaded.value, nullptr, {}, {}, {},
             {body.root},       loaded.loc};
    body.nodes.push_back(sum);
    body.root = body.nodes.size() - 1;
  }
  nest.body = std::move(body);
  nest.replaceByData(oneHot.dim, place);
}

View mlir::tiny::viewOf(Value root, const Box &box) {
  MLIRContext *context = root.getContext();
  SmallVector<AffineExpr> index;
  for (auto [dim, offset] : llvm::enumerate(box.offsets))
    index.push_back(getAffineDimExpr(dim, context) + offset);
  ArrayRef<int64_t> shape = tensorOf(root).getShape();
  if (ArrayRef(box.shape) != shape)
    index = delinearised(rowMajorIndex(index, box.shape, context), shape);
  return View(context, box.sizes, shape, index);
}

Nest mlir::tiny::formNest(Value root, const Box &box, const Materialisation &materialisation,
                          const KernelGraph *traced) {
  Nest nest;
  nest.result = root;
  nest.box = box;
  MLIRContext *context = root.getContext();
  ArrayRef<int64_t> shape = box.sizes;
  nest.isPart = box.shape != box.sizes;
  View view = viewOf(root, box);
  AffineExpr position = rowMajor(shape, context);
  nest.store = view.flatIndex();
  nest.domain.extents.assign(shape.begin(), shape.end());
  nest.domain.numParallel = shape.size();
  nest.reduction = root.getDefiningOp<ReduceOp>();
  if (!nest.reduction) {
    nest.body = traced ? *traced : traceKernel(root, view, materialisation, /*throughRoot=*/true);
    nest.reduction =
        findReduction(root, product(shape), nest.body, simplify(position, shape), materialisation);
  }
  if (!nest.reduction) {
    nest.normalise();
    return nest;
  }

  nest.epilogue = std::move(nest.body);
  Value reduced = nest.reduction.getResult();
  if (root == reduced) {
    Node accumulator{
        Node::Accumulator, tensorOf(root).getElementType(), root, nullptr, {}, {}, {}, {},
        root.getLoc()};
    nest.epilogue.nodes.push_back(accumulator);
    nest.epilogue.root = 0;
  }
  takeIn(reduced, nest.epilogue);
  View reducedView = viewOfReduced(nest.reduction, nest.domain.extents);
  nest.body =
      traceKernel(nest.reduction.getInput(), reducedView, materialisation, /*throughRoot=*/false);
  Node &reducedNode = nest.body.nodes[nest.body.root];
  if (reducedNode.kind == Node::Constant) {
    // Many times the same number: known now, and arith would fold the combination away.
    int64_t count = tensorOf(nest.reduction.getInput()).getNumElements() /
                    tensorOf(nest.reduction).getNumElements();
    reducedNode.constant = reduceSplat(nest.reduction.getKind(), reducedNode.constant, count);
    nest.domain.extents.truncate(nest.domain.numParallel);
    dissolveReduction(nest);
    nest.normalise();
    return nest;
  }
  while (nest.numLoops() > nest.domain.numParallel) {
    std::optional<OneHot> oneHot = findOneHot(nest);
    if (!oneHot)
      break;
    replaceByLoad(nest, *oneHot);
  }
  if (nest.numLoops() == nest.domain.numParallel)
    dissolveReduction(nest);
  nest.normalise();
  std::optional<Nest> scan = asScan(nest);
  return scan ? *scan : nest;
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

/// The sizes of the window that slides over the source of `read`, as 3x3: those of the reduction
/// loops whose steps lie between the steps of a parallel loop. Empty where there is none.
static std::string windowOf(const Nest &nest, const Node &read) {
  SmallVector<int64_t> scales(nest.extents().size(), 0);
  for (auto &[atom, scale] : LinearForm(read.index).terms)
    if (auto dim = dyn_cast<AffineDimExpr>(atom))
      scales[dim.getPosition()] = std::abs(scale);
  std::string window;
  for (unsigned loop = nest.domain.numParallel; loop < nest.numLoops(); ++loop) {
    int64_t step = scales[loop], run = step * nest.extents()[loop];
    bool slides = false;
    for (unsigned other = 0; step && other < nest.domain.numParallel; ++other)
      if (int64_t stride = scales[other])
        slides |= (stride % step == 0 && stride < run) ||
                  (step % stride == 0 && step < stride * nest.extents()[other]);
    if (slides)
      window += (window.empty() ? "" : "x") + std::to_string(nest.extents()[loop]);
  }
  return window;
}

/// A reduction is named after what its reads look like: a sum of products of two is a contraction,
/// and one that slides over its input a convolution or a pooling.
static std::string nameReduction(const Nest &nest) {
  if (nest.isScan())
    return "cumulative_" + stringifyReduceKind(ReduceOp(nest.reduction).getKind()).str();
  unsigned reads = 0;
  bool slides = false;
  std::string window;
  for (const Node &node : nest.body.nodes) {
    if (node.kind != Node::Read)
      continue;
    ++reads;
    std::string found = windowOf(nest, node);
    if (window.empty())
      window = found;
    slides |= !node.constraints.empty() || !found.empty();
  }
  ReduceOp reduction = nest.reduction;
  const Node &root = nest.body.nodes[nest.body.root];
  bool product = reads >= 2 && reduction.getKind() == ReduceKind::add &&
                 root.kind == Node::Compute && isa<MulOp>(root.op) &&
                 root.operands[0] != root.operands[1];
  if (product)
    return slides ? "conv" + window : "matmul";
  if (slides)
    return "pool" + window + "_" + stringifyReduceKind(reduction.getKind()).str();
  return "reduce_" + stringifyReduceKind(reduction.getKind()).str();
}

std::string mlir::tiny::shapeName(ArrayRef<int64_t> shape) {
  std::string name;
  for (int64_t size : shape)
    name += (name.empty() ? "" : "x") + std::to_string(size);
  return name.empty() ? "scalar" : name;
}

/// The name of one step of a scalar program.
static StringRef nameOf(const KernelGraph &graph, const Node &node) {
  if (isa<MaxOp>(node.op) &&
      llvm::any_of(node.operands, [&](int operand) { return isZero(graph.nodes[operand]); }))
    return "relu";
  return node.op->getName().stripDialect();
}

std::string Nest::name() const {
  std::string text;
  auto append = [&](StringRef part) {
    if (!text.empty())
      text += "_";
    text += part;
  };
  if (reduction)
    append(nameReduction(*this));
  else if (updates)
    append("update");
  else if (!domain.dataNodes.empty())
    append("gather");
  const KernelGraph &graph = reduction ? epilogue : body;
  llvm::StringSet<> seen;
  for (const Node &node : graph.nodes) {
    if (node.kind != Node::Compute || seen.size() == 4)
      continue;
    StringRef part = nameOf(graph, node);
    if (part != "cast" && seen.insert(part).second)
      append(part);
  }
  if (!text.empty())
    return text;
  bool casts = llvm::any_of(graph.nodes, [](const Node &n) { return n.kind == Node::Compute; });
  bool reads = llvm::any_of(graph.nodes, [](const Node &n) { return n.kind == Node::Read; });
  return casts ? "cast" : reads ? "copy" : "fill";
}
