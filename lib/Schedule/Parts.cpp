//===- Parts.cpp - values that are computed in parts ----------------------===//
//
// A value is cut where its program compares a position with a constant. Inside of a
// part each comparison is settled, so that a chain of selections between padded
// pieces leaves one piece, without a guard. The parts are kept if nearly all of them
// cost nothing: because they are the epilogue of a reduction, or because they only
// move another value, which is then computed in its place in the whole. No shape of
// the selection is matched, so every way to write a concatenation ends here.
//
//===----------------------------------------------------------------------===//

#include "Parts.h"

#include <set>

using namespace mlir;
using namespace mlir::tiny;

/// More parts than this are not worth a kernel each.
static constexpr size_t kMaxParts = 64;

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// The loop and the positions at which the program of a value changes, if it is one loop.
static std::optional<std::pair<unsigned, std::set<int64_t>>> findCuts(const KernelGraph &graph,
                                                                      ArrayRef<int64_t> shape) {
  std::optional<unsigned> dim;
  std::set<int64_t> cuts;
  for (const Node &node : graph.nodes) {
    auto cmp = node.kind == Node::Compute ? dyn_cast<CmpOp>(node.op) : CmpOp();
    if (!cmp || (cmp.getPredicate() != CmpPredicate::lt && cmp.getPredicate() != CmpPredicate::le))
      continue;
    // d < constant, or constant < d.
    for (unsigned side : {0u, 1u}) {
      const Node &position = graph.nodes[node.operands[side]];
      const Node &bound = graph.nodes[node.operands[1 - side]];
      auto loop = position.kind == Node::Index ? dyn_cast<AffineDimExpr>(position.index)
                                               : AffineDimExpr(nullptr);
      auto number = bound.kind == Node::Constant ? dyn_cast<IntegerAttr>(bound.constant)
                                                 : IntegerAttr();
      if (!loop || !number || number.getValue().getActiveBits() > 62)
        continue;
      int64_t cut = number.getValue().getZExtValue();
      if ((side == 0) == (cmp.getPredicate() == CmpPredicate::le))
        ++cut; // d <= c and c < d change behind c
      if (cut <= 0 || cut >= shape[loop.getPosition()])
        continue;
      if (dim && *dim != loop.getPosition())
        return std::nullopt;
      dim = loop.getPosition();
      cuts.insert(cut);
    }
  }
  if (!dim || cuts.size() >= kMaxParts)
    return std::nullopt;
  return std::pair(*dim, cuts);
}

/// Whether the nest of `value` can write it into `whole` instead of a buffer of its own.
/// `copy` is the nest that would move it there.
bool NestBuilder::canPlace(Value value, Value whole, const Nest &copy) const {
  Operation *op = value.getDefiningOp();
  const Node *read = copy.soleCopiedRead();
  if (!read || read->value != value || !op || isa<ConstantOp>(op) || value == whole ||
      !materialisation.isRoot(value) || escapes.contains(value) || placed.contains(value))
    return false;
  auto loops = rowMajorLoops(copy, *read);
  return loops && llvm::equal(*loops, llvm::seq<unsigned>(0, copy.domain.numParallel));
}

/// The nests of the parts of `root`, or none where it is better computed as a whole.
std::vector<Nest> NestBuilder::formParts(Value root) {
  if (isa_and_nonnull<ReduceOp>(root.getDefiningOp()) || placed.contains(root))
    return {};
  ArrayRef<int64_t> shape = tensorOf(root).getShape();
  KernelGraph graph = traceKernel(root, View::identity(root.getContext(), shape), materialisation,
                                  /*throughRoot=*/true);
  auto found = findCuts(graph, shape);
  if (!found)
    return {};
  auto [dim, cuts] = *found;
  cuts.insert(shape[dim]);
  std::vector<Nest> parts;
  llvm::SmallDenseSet<Value> moved;
  unsigned kernels = 0; // that there would be no need for otherwise
  int64_t start = 0;
  for (int64_t cut : cuts) {
    Nest part = formNest(root, Box{dim, start, cut - start}, materialisation);
    start = cut;
    const Node *read = part.soleCopiedRead();
    bool free = part.reduction || part.foldedReduction ||
                (read && canPlace(read->value, root, part) && moved.insert(read->value).second);
    kernels += !free;
    parts.push_back(std::move(part));
  }
  if (kernels > 1)
    return {};
  return parts;
}

void NestBuilder::add(Value root) {
  if (takenIn.contains(root))
    return;
  std::vector<Nest> formed = formParts(root);
  if (formed.empty())
    formed.push_back(formNest(root, Box{}, materialisation));
  for (Nest &nest : formed) {
    for (ReduceOp reduction : {nest.reduction, nest.foldedReduction})
      if (reduction)
        takenIn.insert(reduction.getResult());
    const Node *read = nest.soleCopiedRead();
    if (nest.box.dim && read && canPlace(read->value, root, nest)) {
      placed[read->value] = {root, nest.box};
      continue; // its own nest computes it, in place
    }
    nests.push_back(std::move(nest));
  }
}

/// The element of the whole that element `index` of `value` is.
AffineExpr NestBuilder::inWhole(AffineExpr index, Value value, const Place &place) const {
  ArrayRef<int64_t> whole = tensorOf(place.whole).getShape();
  int64_t inner = 1;
  for (int64_t size : whole.drop_front(*place.box.dim + 1))
    inner *= size;
  int64_t run = place.box.size * inner; // elements that lie together in both
  return index.floorDiv(run) * (whole[*place.box.dim] * inner) + index % run +
         place.box.offset * inner;
}

std::vector<Nest> NestBuilder::take() {
  for (Nest &nest : nests) {
    bool changed = false;
    for (KernelGraph *graph : {&nest.body, &nest.epilogue})
      for (Node &node : graph->nodes) {
        auto place = node.kind == Node::Read ? placed.find(node.value) : placed.end();
        if (place == placed.end())
          continue;
        node.index = simplify(inWhole(node.index, node.value, place->second), nest.extents());
        node.elements = tensorOf(place->second.whole).getNumElements();
        changed = true;
      }
    if (auto place = placed.find(nest.result); place != placed.end()) {
      nest.store = simplify(inWhole(nest.store, nest.result, place->second), nest.extents());
      nest.buffer = place->second.whole;
      changed = true;
    }
    if (changed)
      nest.normalise();
  }
  std::reverse(nests.begin(), nests.end());
  return std::move(nests);
}
