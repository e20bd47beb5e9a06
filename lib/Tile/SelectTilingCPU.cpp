//===- SelectTilingCPU.cpp - choose a kernel's tiles for a CPU ------------===//
//
// In each nest every loop is tried as the vector loop, with every register tile that
// fits, and the cheapest is kept (NestPrice.h). The workgroup of a kernel of several
// nests comes first: it is sized so that what the nests hand to one another stays in
// the cache; or, where contractions among them go through panels, so that all nests
// together take the least time: the more rows a workgroup has, the less is packed again.
//
//===----------------------------------------------------------------------===//

#include "GroupTile.h"
#include "PanelPlan.h"

#include "Tiny/Tile/Passes.h"
#include "Tiny/Tile/Tilings.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_SELECTTILINGCPUPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

/// Copies of the body along one parallel loop and along another, at most: more registers than any
/// target has would be needed beyond.
static constexpr int64_t maxJam = 8, maxJamVectors = 4;
/// Of the caches of every CPU in Target.h: a line that is stored as a whole is read only once.
static constexpr int64_t lineBits = 512;

//===----------------------------------------------------------------------===//
// One nest
//===----------------------------------------------------------------------===//

/// Lanes of a vector that holds the widest number in the kernel's bodies.
static int64_t lanesFor(const KernelNest &nest, int64_t vectorBits) {
  int64_t widest = 8;
  auto see = [&](Type type) {
    if (type.isIntOrFloat())
      widest = std::max<int64_t>(widest, type.getIntOrFloatBitWidth());
  };
  for (linalg::GenericOp op : {nest.reduction, nest.epilogue}) {
    if (!op)
      continue;
    for (BlockArgument argument : op.getBody()->getArguments())
      if (!argument.use_empty())
        see(argument.getType());
    for (Operation &inner : op.getBody()->without_terminator())
      for (Type type : inner.getResultTypes())
        see(type);
  }
  see(nest.store.type);
  return std::max<int64_t>(vectorBits / widest, 1);
}

namespace {
/// The cheapest candidates so far, in the order of their prices.
class Cheapest {
public:
  Cheapest(const KernelNest &nest, int64_t numRegisters, unsigned count)
      : pricer(nest, numRegisters), count(count) {}

  void offer(const Candidate &candidate, bool fits = false) {
    if (!fits && !kept.empty() && !pricer.fitsRegisters(candidate))
      return; // the first one, of a single scalar, always does
    double price = pricer.price(candidate);
    if (kept.size() == count && price >= kept.back().first)
      return;
    auto place = llvm::upper_bound(
        kept, price, [](double other, const auto &entry) { return other < entry.first; });
    kept.insert(place, {price, candidate});
    if (kept.size() > count)
      kept.pop_back();
  }

  SmallVector<std::pair<double, Candidate>> kept;

private:
  Pricer pricer;
  unsigned count;
};
} // namespace

/// The loops along which an operand is contiguous that lies across the lanes of `vector`.
static SmallVector<unsigned> loopsAcross(const KernelNest &nest, int64_t vector) {
  SmallVector<unsigned> result;
  for (unsigned loop = 0; loop < nest.numParallel; ++loop)
    if (static_cast<int64_t>(loop) != vector && llvm::any_of(nest.accesses, [&](const auto &entry) {
          std::optional<int64_t> stride = entry.second.strideAlong(vector);
          return stride && std::abs(*stride) > maxShuffledStride &&
                 entry.second.strideAlong(loop) == 1;
        }))
      result.push_back(loop);
  return result;
}

/// Register tiles that are squares, for operands that are transposed in registers. Half of these
/// hold a square, so that shuffles have somewhere to go.
static void offerSquares(Cheapest &cheapest, const KernelNest &nest, int64_t vector, int64_t lanes,
                         int64_t numRegisters) {
  int64_t width = std::min<int64_t>(lanes, llvm::bit_floor(uint64_t(numRegisters / 2)));
  int64_t bits = nest.store.type.getIntOrFloatBitWidth();
  if (nest.reduction || vector < 0 || width < 2 || !llvm::isPowerOf2_64(width))
    return;
  for (unsigned loop : loopsAcross(nest, vector)) {
    if (nest.sizes[loop] < width || nest.sizes[vector] < width)
      continue;
    Candidate candidate;
    candidate.vectorDim = vector;
    candidate.width = width;
    candidate.unroll.assign(nest.numLoops(), 1);
    candidate.unroll[loop] = width;
    candidate.unroll[vector] =
        std::clamp<int64_t>(lineBits / (width * bits), 1, nest.sizes[vector] / width);
    cheapest.offer(candidate, /*fits=*/true);
  }
}

/// The vector loop and register tile with the price that `rank` others are below; nothing if there
/// are not as many.
static std::optional<Candidate> choose(const KernelNest &nest, int64_t lanes, int64_t numRegisters,
                                       unsigned rank) {
  Cheapest cheapest(nest, numRegisters, rank + 1);
  Candidate scalar;
  scalar.unroll.assign(nest.numLoops(), 1);
  cheapest.offer(scalar);
  for (int64_t vector = -1; vector < nest.numLoops(); ++vector) {
    if (vector >= nest.numParallel && nest.isScan())
      continue; // one step needs the one before
    if (vector >= 0 && (nest.sizes[vector] < 2 || lanes < 2))
      continue;
    Candidate candidate;
    candidate.vectorDim = vector;
    candidate.width = vector < 0 ? 1 : lanes;
    candidate.unroll.assign(nest.numLoops(), 1);
    offerSquares(cheapest, nest, vector, lanes, numRegisters);
    int64_t vectors = vector < 0 ? 1 : llvm::divideCeil(nest.sizes[vector], lanes);
    for (int64_t jamVectors = 1; jamVectors <= std::min(vectors, maxJamVectors); ++jamVectors) {
      if (vector >= 0)
        candidate.unroll[vector] = jamVectors;
      if (vector >= 0) // else it is the scalar again
        cheapest.offer(candidate);
      if (!nest.reduction)
        continue; // nothing is reused in registers
      for (int64_t outer = 0; outer < nest.numParallel; ++outer) {
        if (outer == vector)
          continue;
        for (int64_t jam = 2; jam <= std::min(nest.sizes[outer], maxJam); ++jam) {
          candidate.unroll[outer] = jam;
          cheapest.offer(candidate);
          for (int64_t inner = outer + 1; inner < nest.numParallel; ++inner) {
            if (inner == vector)
              continue;
            for (int64_t jam2 = 2; jam2 <= std::min(nest.sizes[inner], maxJamVectors); ++jam2) {
              candidate.unroll[inner] = jam2;
              cheapest.offer(candidate);
            }
            candidate.unroll[inner] = 1;
          }
        }
        candidate.unroll[outer] = 1;
      }
    }
  }
  if (cheapest.kept.size() <= rank)
    return std::nullopt;
  Candidate best = cheapest.kept[rank].second;
  // The innermost reduction loops, while they are short.
  int64_t unrolled = 1;
  for (int64_t loop = int64_t(nest.numLoops()) - 1; loop >= nest.numParallel; --loop) {
    if (loop == best.vectorDim)
      continue;
    if (nest.sizes[loop] == 0 || unrolled * nest.sizes[loop] > maxUnrolledReduction)
      break;
    best.unroll[loop] = nest.sizes[loop];
    unrolled *= nest.sizes[loop];
  }
  return best;
}

/// The loops from the outermost to the innermost. Loops that move the same accesses stay together
/// in their order; of two such groups, that one is inside which makes less data pass by while the
/// other group's data stays in the cache.
static SmallVector<int64_t> orderOf(const KernelNest &nest, const Candidate &candidate) {
  struct Group {
    uint64_t accesses = 0;
    SmallVector<int64_t> loops;
    double trips = 1;
  };
  SmallVector<Group> groups;
  for (unsigned loop = 0; loop < nest.numParallel; ++loop) {
    uint64_t moved = 0;
    for (auto [number, entry] : llvm::enumerate(nest.accesses))
      if (entry.second.dependsOn(loop))
        moved |= uint64_t(1) << (number % 64);
    auto group = llvm::find_if(groups, [&](Group &g) { return g.accesses == moved; });
    if (group == groups.end()) {
      groups.push_back({moved, {}, 1});
      group = std::prev(groups.end());
    }
    group->loops.push_back(loop);
    int64_t width = loop == candidate.vectorDim ? candidate.width : 1;
    group->trips *= llvm::divideCeil(nest.sizes[loop], candidate.unroll[loop] * width);
  }
  // Bytes that `inner` brings past the other group's data, once per step of `outer`.
  auto traffic = [&](const Group &outer, const Group &inner) {
    double bytes = 0;
    for (auto [number, entry] : llvm::enumerate(nest.accesses)) {
      uint64_t bit = uint64_t(1) << (number % 64);
      if ((inner.accesses & bit) && !(outer.accesses & bit))
        bytes += double(entry.second.elements) * entry.second.type.getIntOrFloatBitWidth() / 8;
    }
    return outer.trips * bytes;
  };
  SmallVector<int64_t> order;
  while (!groups.empty()) {
    Group *outermost = &groups.front();
    for (Group &group : groups)
      if (traffic(group, *outermost) < traffic(*outermost, group))
        outermost = &group;
    llvm::append_range(order, outermost->loops);
    groups.erase(outermost);
  }
  for (unsigned loop = nest.numParallel; loop < nest.numLoops(); ++loop)
    order.push_back(loop);
  // What a square has of a line of its operand is not all of it: the next square has the rest.
  if (!nest.reduction && candidate.width > 1)
    for (unsigned loop : loopsAcross(nest, candidate.vectorDim))
      if (candidate.unroll[loop] == candidate.width) {
        llvm::erase(order, static_cast<int64_t>(loop));
        order.push_back(loop);
        break;
      }
  // Lanes are reduced in the innermost loop only: their accumulators are carried by it.
  if (candidate.vectorDim >= static_cast<int64_t>(nest.numParallel)) {
    llvm::erase(order, candidate.vectorDim);
    order.push_back(candidate.vectorDim);
  }
  return order;
}

/// Scalar operations of all `nests`.
static double workOf(ArrayRef<const KernelNest *> nests) {
  double work = 0;
  for (const KernelNest *nest : nests) {
    double operations = operationsOf(*nest);
    for (int64_t size : nest->sizes)
      operations *= size;
    work += operations;
  }
  return work;
}

/// The workgroup along each parallel loop: outer loops are divided first, and no register tile is.
static SmallVector<int64_t> gridOf(const KernelNest &nest, const Candidate &candidate,
                                   ArrayRef<int64_t> order, int64_t wanted) {
  SmallVector<int64_t> grid(ArrayRef<int64_t>(nest.sizes).take_front(nest.numParallel));
  // Register tiles stay whole as long as some loop offers enough parts; vectors always do.
  for (bool whole : {true, false}) {
    for (int64_t loop : order.take_front(nest.numParallel)) {
      int64_t size = grid[loop], unit = candidate.unroll[loop];
      if (loop == candidate.vectorDim)
        unit *= candidate.width;
      int64_t parts = 1;
      for (int64_t count = 2; count <= size / unit && parts < wanted; ++count)
        if (size % count == 0 &&
            ((size / count) % unit == 0 || (!whole && loop != candidate.vectorDim)))
          parts = count;
      grid[loop] = size / parts;
      wanted = llvm::divideCeil(wanted, parts);
    }
  }
  return grid;
}

/// How often a workgroup executes `nest`, which may be in a loop over blocks.
static double timesOf(const KernelNest &nest) {
  auto loop = dyn_cast<scf::ForOp>(linalg::GenericOp(nest.epilogue)->getParentOp());
  if (!loop)
    return 1;
  std::optional<int64_t> low = getConstantIntValue(loop.getLowerBound()),
                         high = getConstantIntValue(loop.getUpperBound()),
                         step = getConstantIntValue(loop.getStep());
  return low && high && step ? llvm::divideCeilSigned(*high - *low, *step) : 1;
}

//===----------------------------------------------------------------------===//
// The whole kernel
//===----------------------------------------------------------------------===//

static PanelTarget panelTarget(const SelectTilingCPUPassOptions &options) {
  return {options.vectorBits,   options.numVectorRegisters, options.l1Bytes,
          options.l2Bytes,      options.maxLocalBytes,      options.pairInstructions,
          options.byteProducts, options.bf16Products,       options.halvesVectors,
          options.matrixUnit};
}

namespace {
/// Chooses the tilings of one kernel.
class TilingSelector {
public:
  TilingSelector(func::FuncOp function, const SelectTilingCPUPassOptions &options,
                 ArrayRef<TilingRank> ranks)
      : function(function), options(options), ranks(ranks) {}

  FailureOr<ArrayAttr> select();

private:
  LogicalResult select(const KernelNests &kernel, const NestGroup &group);
  std::vector<std::optional<PanelPlan>> choosePanels(ArrayRef<const KernelNest *> nests,
                                                     ArrayRef<Candidate> candidates, double most,
                                                     bool fits, GroupTile &tile) const;
  std::optional<Candidate> best(const KernelNest &nest, unsigned rank) const {
    return choose(nest, lanesFor(nest, options.vectorBits), options.numVectorRegisters, rank);
  }
  /// More workgroups would have too little work each; as many as the second number keep all threads
  /// busy.
  std::pair<double, int64_t> workgroupsFor(ArrayRef<const KernelNest *> nests) const;
  LogicalResult selectAlone(const KernelNest &nest, TilingRank rank, Attribute &tiling);
  TilingRank rankOf(unsigned nest) const {
    return nest < ranks.size() ? ranks[nest] : TilingRank();
  }
  TilingAttr tilingOf(const Candidate &candidate, ArrayRef<int64_t> grid, ArrayRef<int64_t> order);

  func::FuncOp function;
  const SelectTilingCPUPassOptions &options;
  ArrayRef<TilingRank> ranks; ///< By nest.
  SmallVector<Attribute> tilings;
};
} // namespace

FailureOr<ArrayAttr> TilingSelector::select() {
  FailureOr<KernelNests> kernel = KernelNests::get(function);
  if (failed(kernel))
    return failure();
  // What a workgroup keeps decides how large it may be.
  if (reuseLocals(*kernel))
    kernel = KernelNests::get(function);
  if (failed(kernel))
    return failure();
  tilings.resize(kernel->nests.size());
  for (const NestGroup &group : kernel->groups())
    if (failed(select(*kernel, group)))
      return failure();
  return ArrayAttr::get(function.getContext(), tilings);
}

LogicalResult TilingSelector::select(const KernelNests &kernel, const NestGroup &group) {
  if (group.nests.size() == 1) {
    unsigned number = group.nests.front();
    return selectAlone(kernel.nests[number], rankOf(number), tilings[number]);
  }
  SmallVector<const KernelNest *> nests;
  SmallVector<Candidate> candidates;
  for (unsigned number : group.nests) {
    nests.push_back(&kernel.nests[number]);
    candidates.push_back(*best(*nests.back(), 0));
  }
  auto [most, wanted] = workgroupsFor(nests);
  GroupTile tile(nests, group, candidates);
  bool fits =
      succeeded(tile.divide(wanted, most, options.l1Bytes, options.l2Bytes, options.maxLocalBytes));
  std::vector<std::optional<PanelPlan>> plans = choosePanels(nests, candidates, most, fits, tile);
  if (!fits && plans.empty())
    return emitError(nests.front()->loc())
           << "kernel whose locals need " << static_cast<int64_t>(tile.localBytes())
           << " bytes per workgroup at least; there are " << options.maxLocalBytes;
  for (auto [member, number] : llvm::enumerate(group.nests)) {
    KernelNest nest = tile.tiled(*nests[member], member);
    TilingRank rank = rankOf(number);
    ArrayRef<int64_t> grid = ArrayRef(nest.sizes).take_front(nest.numParallel);
    if (rank.form == TilingRank::cheapest && rank.rank == 0 && !plans.empty() && plans[member]) {
      PanelTiling tiling = plans[member]->tiling();
      tiling.grid = llvm::to_vector(grid);
      tilings[number] = tiling.attribute(function.getContext());
      continue;
    }
    std::optional<Candidate> candidate = best(nest, rank.rank);
    if (!candidate || rank.form == TilingRank::contraction)
      return failure();
    tilings[number] = tilingOf(*candidate, grid, orderOf(nest, *candidate));
  }
  return success();
}

/// A plan for each nest that goes through panels, and makes `tile` the workgroup in which that is
/// the cheapest; nothing if none does. `fits` says whether the tile at hand is one to compare with.
std::vector<std::optional<PanelPlan>>
TilingSelector::choosePanels(ArrayRef<const KernelNest *> nests, ArrayRef<Candidate> candidates,
                             double most, bool fits, GroupTile &tile) const {
  auto isContraction = [](const KernelNest *nest) {
    return ContractionNest::getForCPU(*nest).has_value();
  };
  if (!options.panels || llvm::none_of(nests, isContraction))
    return {};
  double bestPrice = std::numeric_limits<double>::infinity();
  std::vector<std::optional<PanelPlan>> bestPlans;
  SmallVector<int64_t> bestSizes = tile.sizes;
  auto offer = [&](const GroupTile &part) {
    int64_t left = options.maxLocalBytes - static_cast<int64_t>(part.localBytes());
    if (left < 0)
      return;
    PanelTarget target = panelTarget(options);
    target.maxLocalBytes = left;
    std::vector<std::optional<PanelPlan>> plans(nests.size());
    double cycles = part.cacheCycles(options.l1Bytes, options.l2Bytes);
    for (auto [member, whole] : llvm::enumerate(nests)) {
      KernelNest nest = part.tiled(*whole, member);
      double own = Pricer(nest, options.numVectorRegisters).price(candidates[member]);
      if (part.knowsStrides(*whole, member)) {
        std::vector<PanelPlan> found = PanelPlan::candidates(nest, target, /*within=*/true);
        if (!found.empty())
          plans[member] = std::move(found.front());
      }
      if (plans[member]) {
        double inPanels = plans[member]->cycles(nest) + plans[member]->scatteredCycles(nest);
        own += plans[member]->farCycles(candidates[member], target);
        if (inPanels < own)
          own = inPanels;
        else
          plans[member].reset();
      }
      cycles += own * timesOf(nest);
    }
    double price = priceOnThreads(part.count(), cycles);
    if (price >= bestPrice)
      return;
    bestPrice = price;
    bestSizes = part.sizes;
    bestPlans = std::move(plans);
  };
  if (fits)
    offer(tile);
  GroupTile other = tile;
  for (SmallVector<int64_t> &sizes : tile.others()) {
    other.sizes = sizes;
    if (other.count() <= most)
      offer(other);
  }
  if (llvm::none_of(bestPlans, [](const auto &plan) { return plan.has_value(); }))
    return {};
  tile.sizes = bestSizes;
  return bestPlans;
}

std::pair<double, int64_t> TilingSelector::workgroupsFor(ArrayRef<const KernelNest *> nests) const {
  double most = std::max(workOf(nests) / options.minWork, 1.0);
  return {most, static_cast<int64_t>(std::min<double>(most, options.maxWorkgroups))};
}

/// Whether `plan` costs less than `candidate`, the nest as it stands.
static bool paysInPanels(const KernelNest &nest, const PanelPlan &plan, const Candidate &candidate,
                         const SelectTilingCPUPassOptions &options) {
  double price = Pricer(nest, options.numVectorRegisters).price(candidate);
  return plan.cycles(nest) < plan.cyclesAlone(candidate, price, panelTarget(options));
}

std::optional<PanelForm> mlir::tiny::arrangedForm(const KernelNest &nest,
                                                  const SelectTilingCPUPassOptions &options) {
  std::vector<PanelPlan> plans = PanelPlan::candidates(nest, panelTarget(options),
                                                       /*within=*/false, /*mayArrange=*/true);
  if (plans.empty() || plans.front().columns != PanelWalk::inPanels)
    return std::nullopt;
  std::optional<Candidate> candidate =
      choose(nest, lanesFor(nest, options.vectorBits), options.numVectorRegisters, 0);
  if (!paysInPanels(nest, plans.front(), *candidate, options))
    return std::nullopt;
  return PanelForm{plans.front().panelWidth(), plans.front().dot, plans.front().dotLoop};
}

LogicalResult TilingSelector::selectAlone(const KernelNest &nest, TilingRank rank,
                                          Attribute &tiling) {
  bool mayHavePanels =
      rank.form == TilingRank::contraction || (rank.form == TilingRank::cheapest && options.panels);
  std::vector<PanelPlan> plans;
  PanelTarget target = panelTarget(options);
  if (mayHavePanels)
    plans = PanelPlan::candidates(nest, target);
  std::optional<Candidate> candidate = best(nest, rank.form == TilingRank::plain ? rank.rank : 0);
  bool hasPanels = rank.form == TilingRank::contraction;
  if (rank.form == TilingRank::cheapest && !plans.empty())
    hasPanels = paysInPanels(nest, plans.front(), *candidate, options);
  if (hasPanels) {
    if (plans.size() <= rank.rank)
      return failure();
    tiling = plans[rank.rank].tiling().attribute(function.getContext());
    return success();
  }
  if (!candidate)
    return failure();
  SmallVector<int64_t> order = orderOf(nest, *candidate);
  // Of a square's loops, the inner one is divided first: then what it walks past is near.
  SmallVector<int64_t> divided(order);
  if (!nest.reduction && nest.numParallel && candidate->vectorDim >= 0 &&
      candidate->unroll[order.back()] == candidate->width && order.back() != candidate->vectorDim)
    std::rotate(divided.begin(), divided.end() - 1, divided.end());
  SmallVector<int64_t> grid = gridOf(nest, *candidate, divided, workgroupsFor(&nest).second);
  tiling = tilingOf(*candidate, grid, order);
  return success();
}

TilingAttr TilingSelector::tilingOf(const Candidate &candidate, ArrayRef<int64_t> grid,
                                    ArrayRef<int64_t> order) {
  SmallVector<int64_t> workgroup(grid);
  for (int64_t &size : workgroup)
    size = std::max<int64_t>(size, 1); // a loop without steps
  return TilingAttr::get(function.getContext(), workgroup, candidate.vectorDim, candidate.width,
                         candidate.unroll, order);
}

FailureOr<ArrayAttr> mlir::tiny::selectTilingsCPU(func::FuncOp kernel,
                                                  const SelectTilingCPUPassOptions &options,
                                                  ArrayRef<TilingRank> ranks) {
  return TilingSelector(kernel, options, ranks).select();
}

SmallVector<ArrayAttr> mlir::tiny::neighbourTilingsCPU(func::FuncOp kernel,
                                                       const SelectTilingCPUPassOptions &options,
                                                       ArrayAttr tilings) {
  FailureOr<KernelNests> nests = KernelNests::get(kernel);
  if (failed(nests) || nests->nests.size() != tilings.size())
    return {};
  SmallVector<ArrayAttr> result;
  for (auto [number, nest] : llvm::enumerate(nests->nests)) {
    auto attribute = dyn_cast<DictionaryAttr>(tilings[number]);
    std::optional<PanelTiling> tiling;
    std::optional<PanelPlan> plan;
    if (attribute)
      tiling = PanelTiling::get(attribute);
    if (tiling && tiling->grid.empty()) // else it is the workgroup's part of the nest that it fits
      plan = PanelPlan::get(nest, *tiling);
    if (!plan)
      continue;
    for (const PanelTiling &neighbour : plan->neighbours(nest, panelTarget(options))) {
      SmallVector<Attribute> changed(tilings.getValue());
      changed[number] = neighbour.attribute(kernel.getContext());
      result.push_back(ArrayAttr::get(kernel.getContext(), changed));
    }
  }
  return result;
}

namespace {
struct SelectTilingCPUPass : tiny::impl::SelectTilingCPUPassBase<SelectTilingCPUPass> {
  using SelectTilingCPUPassBase::SelectTilingCPUPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(kernelAttrName) || function->hasAttr(tilingAttrName))
      return;
    SelectTilingCPUPassOptions options{
        vectorBits,    numVectorRegisters, minWork,   maxWorkgroups,    l1Bytes,
        l2Bytes,       maxLocalBytes,      panels,    pairInstructions, byteProducts,
        halvesVectors, bf16Products,       matrixUnit};
    FailureOr<ArrayAttr> tilings = selectTilingsCPU(function, options);
    if (failed(tilings))
      return signalPassFailure();
    function->setAttr(tilingAttrName, *tilings);
  }
};
} // namespace
