//===- Parts.cpp - values that are computed in parts ----------------------===//
//
// A value is cut where its program compares a position with a constant. Inside of a
// part each comparison is settled, so that a chain of selections between padded
// pieces leaves one piece, without a guard. The parts are kept if nearly all of them
// cost nothing: because they are the epilogue of a reduction, or because they only
// move another value, which is then computed in its place in the whole. No shape of
// the selection is matched, so every way to write a concatenation ends here. Parts
// that move elements to where they are need no nest at all, if the value that they
// are of gives its buffer away.
//
//===----------------------------------------------------------------------===//

#include "Parts.h"

#include "Updates.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"

#include <set>

using namespace mlir;
using namespace mlir::tiny;

/// More parts than this are not worth a kernel each.
static constexpr size_t kMaxParts = 64;

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// The positions at which the program of a value changes, per dim.
static SmallVector<std::set<int64_t>> findCuts(const KernelGraph &graph, ArrayRef<int64_t> shape) {
  SmallVector<std::set<int64_t>> cuts(shape.size());
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
      auto number =
          bound.kind == Node::Constant ? dyn_cast<IntegerAttr>(bound.constant) : IntegerAttr();
      if (!loop || !number || number.getValue().getActiveBits() > 62)
        continue;
      int64_t cut = number.getValue().getZExtValue();
      if ((side == 0) == (cmp.getPredicate() == CmpPredicate::le))
        ++cut; // d <= c and c < d change behind c
      if (cut > 0 && cut < shape[loop.getPosition()])
        cuts[loop.getPosition()].insert(cut);
    }
  }
  return cuts;
}

/// `shape` with dims split where a position that is compared divides one of them: pixels that are
/// interleaved are boxes only of a shape that has the pixels of one kind along a dim.
static SmallVector<int64_t> splitAtComparisons(const KernelGraph &graph, ArrayRef<int64_t> shape) {
  SmallVector<std::set<int64_t>> divisors(shape.size());
  for (const Node &node : graph.nodes) {
    if (node.kind != Node::Compute || !isa<CmpOp>(node.op))
      continue;
    for (int operand : node.operands) {
      const Node &position = graph.nodes[operand];
      if (position.kind != Node::Index || (position.index.getKind() != AffineExprKind::Mod &&
                                           position.index.getKind() != AffineExprKind::FloorDiv))
        continue;
      position.index.walk([&](AffineExpr part) {
        if (part.getKind() != AffineExprKind::Mod && part.getKind() != AffineExprKind::FloorDiv)
          return;
        auto division = cast<AffineBinaryOpExpr>(part);
        if (auto dim = dyn_cast<AffineDimExpr>(division.getLHS()))
          divisors[dim.getPosition()].insert(
              cast<AffineConstantExpr>(division.getRHS()).getValue());
      });
    }
  }
  SmallVector<int64_t> result;
  for (auto [size, inner] : llvm::zip(shape, divisors)) {
    int64_t rest = size;
    for (int64_t step : llvm::reverse(inner))
      if (step > 0 && step < rest && rest % step == 0) {
        result.push_back(rest / step);
        rest = step;
      }
    result.push_back(rest);
  }
  return result;
}

/// The boxes between the cuts, in row-major order; one if there are no cuts or too many.
static SmallVector<Box> boxesBetween(ArrayRef<std::set<int64_t>> cuts, ArrayRef<int64_t> shape) {
  SmallVector<Box> boxes = {Box{SmallVector<int64_t>(shape), {}, {}}};
  for (auto [positions, size] : llvm::zip(cuts, shape)) {
    if (boxes.size() * (positions.size() + 1) > kMaxParts)
      return {Box::whole(shape)};
    SmallVector<Box> next;
    for (const Box &box : boxes) {
      int64_t start = 0;
      auto add = [&](int64_t end) {
        next.push_back(box);
        next.back().offsets.push_back(start);
        next.back().sizes.push_back(end - start);
        start = end;
      };
      llvm::for_each(positions, add);
      add(size);
    }
    boxes = std::move(next);
  }
  return boxes;
}

/// Where the value that `copy`, a nest of `whole`, moves can be computed instead of being moved.
std::optional<NestBuilder::Place> NestBuilder::findPlace(Value whole, const Nest &copy) const {
  const Node *read = copy.soleCopiedRead();
  if (!read)
    return std::nullopt;
  Value value = read->value;
  Operation *op = value.getDefiningOp();
  if (!op || isa<ConstantOp>(op) || value == whole || !materialisation.isRoot(value) ||
      escapes.contains(value) || placed.contains(value) || updated.contains(value))
    return std::nullopt;
  auto loops = rowMajorLoops(copy, *read);
  if (!loops || loops->size() != copy.domain.numParallel)
    return std::nullopt;
  Place place{whole, *loops, {}, copy.store};
  for (unsigned loop : *loops)
    place.extents.push_back(copy.extents()[loop]);
  // The loops that compute the value must see their elements of the whole as a box, too.
  Nest own = formNest(value, Box::whole(tensorOf(value).getShape()), materialisation);
  own.store = simplify(inWhole(own.store, place), own.extents());
  own.wholes.push_back(whole);
  own.normalise();
  own.orderByStore();
  if (!sliceOf(own))
    return std::nullopt;
  return place;
}

/// Makes `nest` write into the wholes that its value is a part of.
void NestBuilder::placeStore(Nest &nest) const {
  for (auto place = placed.find(nest.result); place != placed.end();
       place = placed.find(place->second.whole)) {
    nest.store = simplify(inWhole(nest.store, place->second), nest.extents());
    nest.wholes.push_back(place->second.whole);
  }
  if (nest.wholes.empty())
    return;
  nest.normalise();
  nest.orderByStore();
}

/// Whether `root` may take over the buffer of `old`, which then holds other elements: nobody who
/// comes later reads it, and it is a buffer of its own that the program may write to.
bool NestBuilder::mayUpdate(Value root, Value old) const {
  StringRef obstacle;
  auto argument = dyn_cast<BlockArgument>(old);
  auto function =
      argument ? dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()) : func::FuncOp();
  if (function && !function.getArgAttr(argument.getArgNumber(), kDonatedAttrName))
    obstacle = "the caller keeps this argument: mark it as tiny.donated if it does not need it";
  else if (old.getDefiningOp<ConstantOp>())
    obstacle = "it is a constant";
  else if (escapes.contains(old))
    obstacle = "it is a result too";
  else if (read.contains(old))
    obstacle = "it is needed later";
  else if (updated.contains(old) || placed.contains(old) || placed.contains(root))
    obstacle = "one of the two is a part of another value";
  if (!obstacle.empty() && remarks)
    remark::missed(root.getLoc(), remark::RemarkOpts::name("Update").category("tiny-schedule"))
        << remark::reason("this value is computed as a whole, though it is another one with some "
                          "new elements, which cannot be updated in place: {0}",
                          obstacle);
  return obstacle.empty();
}

/// The parts of `root` that are left to compute where the others are in the buffer of another value
/// already; none if there is no such buffer.
std::vector<Nest> NestBuilder::formUpdate(Value root, ArrayRef<Nest> parts) {
  Value old;
  std::vector<Nest> fresh;
  for (const Nest &part : parts) {
    Value kept = keptBy(part);
    if (kept && old && kept != old)
      return {};
    if (kept)
      old = kept;
    else
      fresh.push_back(part);
  }
  unsigned kernels = 0; // that there would be no need for otherwise
  for (Nest &part : fresh) {
    kernels += !part.reduction && !part.foldedReduction;
    if (!old || !readsOnlyOwnPlace(part, old))
      return {};
    part.updates = old;
    part.orderByStore();
    if (!sliceOf(part))
      return {};
  }
  if (!old || fresh.empty() || kernels > 1 || !mayUpdate(root, old))
    return {};
  updated.insert(old);
  return fresh;
}

/// The nests of the parts of `root`, or none where it is better computed as a whole.
/// Whether `parts` have elements of one reduction and otherwise numbers that are known: a mask. A
/// selection behind the reduction is cheaper then than another kernel.
static bool maskOneReduction(ArrayRef<Nest> parts) {
  llvm::SmallDenseSet<Value> read;
  for (const Nest &part : parts) {
    if (part.reduction)
      return false; // of a part only: less than all is computed
    part.forEachRead([&](const Node &node) { read.insert(node.value); });
  }
  return read.size() == 1 && isa_and_nonnull<ReduceOp>((*read.begin()).getDefiningOp());
}

std::vector<Nest> NestBuilder::formParts(Value root) {
  Box whole = Box::whole(tensorOf(root).getShape());
  if (!parts || isa_and_nonnull<ReduceOp>(root.getDefiningOp()))
    return {formNest(root, whole, materialisation)};
  auto trace = [&](const Box &box) {
    return traceKernel(root, viewOf(root, box), materialisation, /*throughRoot=*/true);
  };
  KernelGraph graph = trace(whole);
  auto asWhole = [&]() -> std::vector<Nest> {
    return {formNest(root, whole, materialisation, &graph)};
  };
  SmallVector<int64_t> shape = splitAtComparisons(graph, whole.shape);
  SmallVector<std::set<int64_t>> cuts =
      ArrayRef(shape) == ArrayRef(whole.shape)
          ? findCuts(graph, shape)
          : findCuts(trace(Box{shape, SmallVector<int64_t>(shape.size(), 0), shape}), shape);
  SmallVector<Box> boxes = boxesBetween(cuts, shape);
  if (boxes.size() == 1)
    return asWhole();
  std::vector<Nest> formed;
  for (const Box &box : boxes)
    formed.push_back(formNest(root, box, materialisation));
  if (maskOneReduction(formed)) {
    std::vector<Nest> masked = asWhole();
    if (masked[0].reduction)
      return masked;
  }
  if (std::vector<Nest> update = formUpdate(root, formed); !update.empty())
    return update;
  llvm::SmallDenseSet<Value> moved;
  unsigned kernels = 0; // that there would be no need for otherwise
  for (const Nest &part : formed) {
    bool free = part.reduction || part.foldedReduction ||
                (findPlace(root, part) && moved.insert(part.soleCopiedRead()->value).second);
    kernels += !free;
    Nest written = part;
    placeStore(written);
    if (kernels > 1 || !sliceOf(written))
      return asWhole();
  }
  return formed;
}

void NestBuilder::keep(Nest nest) {
  nest.forEachRead([&](const Node &node) { read.insert(node.value); });
  nests.push_back(std::move(nest));
}

void NestBuilder::add(Value root) {
  if (takenIn.contains(root))
    return;
  std::vector<Nest> formed = formParts(root);
  if (parts && formed.size() == 1 && !formed[0].updates)
    if (std::optional<Nest> update = asGuardedStore(formed[0]);
        update && readsOnlyOwnPlace(*update, update->updates) && mayUpdate(root, update->updates)) {
      updated.insert(update->updates);
      formed[0] = std::move(*update);
    }
  for (Nest &nest : formed) {
    for (ReduceOp reduction : {nest.reduction, nest.foldedReduction})
      if (reduction)
        takenIn.insert(reduction.getResult());
    auto place = nest.isPart && !nest.updates ? findPlace(root, nest) : std::nullopt;
    if (place) {
      placed.insert({nest.soleCopiedRead()->value, *place});
      continue; // its own nest computes it, in place
    }
    keep(std::move(nest));
  }
}

/// The element of the whole that element `number` of a value placed there is.
AffineExpr NestBuilder::inWhole(AffineExpr number, const Place &place) const {
  SmallVector<AffineExpr> index = delinearised(number, place.extents), point(index.size());
  for (auto [loop, expr] : llvm::zip(place.loops, index))
    point[loop] = expr;
  return place.store.replaceDims(point);
}

std::optional<std::vector<Nest>> NestBuilder::take() {
  for (Nest &nest : nests) {
    bool changed = false;
    for (KernelGraph *graph : {&nest.body, &nest.epilogue})
      for (Node &node : graph->nodes) {
        auto place = node.kind == Node::Read ? placed.find(node.value) : placed.end();
        for (; place != placed.end(); place = placed.find(place->second.whole)) {
          node.index = simplify(inWhole(node.index, place->second), nest.extents());
          node.elements = tensorOf(place->second.whole).getNumElements();
          changed = true;
        }
      }
    if (changed)
      nest.normalise();
    placeStore(nest);
    if ((nest.writesPart() || nest.isScan()) && !sliceOf(nest))
      return std::nullopt;
  }
  std::reverse(nests.begin(), nests.end());
  return std::move(nests);
}
