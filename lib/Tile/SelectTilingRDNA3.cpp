//===- SelectTilingRDNA3.cpp - choose a kernel's tiles for RDNA3 ----------===//
//
// A nest alone is priced by itself (LanePrice.h), as a contraction too where it is one.
// Nests that locals connect share their workgroups, so these come first: tiles of the
// shared loops and numbers of lanes are tried together, the cheapest of which leaves
// each nest the lanes that suit it, the chip enough workgroups, and LDS room for more
// than one of them.
//
//===----------------------------------------------------------------------===//

#include "ContractionTiling.h"
#include "LanePrice.h"

#include "Tiny/IR/KernelAttributes.h"
#include "Tiny/Tile/LaneTilings.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_SELECTTILINGRDNA3PASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

/// Lanes of a workgroup, at most.
// 1024 lanes are possible, but in CU mode they leave a lane 96 registers (16 waves on each of two
// SIMDs of 1536), which is less than LanePricer plans with: tiles would spill.
static constexpr int64_t maxLanes = 512;
/// Cycles of a barrier, with the waves that come late.
static constexpr double barrierCycles = 60;
/// Waves that a SIMD has at the same time, where registers and LDS allow it ("RDNA3" Instruction
/// Set Architecture, section 2).
static constexpr int64_t wavesPerSIMD = 16;

//===----------------------------------------------------------------------===//
// Several nests
//===----------------------------------------------------------------------===//

namespace {
/// A group of nests, as workgroups of a given tile have it.
class SharedTile {
public:
  SharedTile(const KernelNests &kernel, const NestGroup &group);

  SmallVector<int64_t> sizes; ///< Per shared loop.

  /// The tiles to try: the innermost loops are divided last, since they are near in memory.
  SmallVector<SmallVector<int64_t>> candidates() const;
  int64_t workgroups() const;
  int64_t localBytes() const;
  /// Nest number `member` of the group, in one workgroup.
  KernelNest tiled(unsigned member) const;

private:
  struct Local {
    int64_t bytes;
    uint64_t shared = 0; ///< The shared loops that move it, as bits.
  };
  const KernelNests &kernel;
  const NestGroup &group;
  SmallVector<int64_t> whole;
  llvm::MapVector<Value, Local> locals;
};
} // namespace

SharedTile::SharedTile(const KernelNests &kernel, const NestGroup &group)
    : kernel(kernel), group(group) {
  for (const SmallVector<unsigned> &loops : group.shared)
    whole.push_back(std::max<int64_t>(kernel.nests[group.nests.front()].sizes[loops.front()], 1));
  sizes = whole;
  for (auto [member, number] : llvm::enumerate(group.nests)) {
    const Access &store = kernel.nests[number].store;
    if (isa<BlockArgument>(store.source))
      continue;
    int64_t bits = store.elements * store.type.getIntOrFloatBitWidth();
    Local &local = locals[store.source];
    local.bytes = llvm::divideCeil(bits, 8);
    for (auto [position, loops] : llvm::enumerate(group.shared))
      local.shared |= uint64_t(store.dependsOn(loops[member])) << position;
  }
}

SmallVector<SmallVector<int64_t>> SharedTile::candidates() const {
  SmallVector<SmallVector<int64_t>> result;
  SmallVector<int64_t> tile(whole.size(), 1);
  result.push_back(tile);
  for (size_t loop = whole.size(); loop-- > 0;) {
    for (int64_t size = 2; size <= whole[loop]; ++size) {
      // Powers of two and the whole, of what divides: the others are near one of them.
      if (whole[loop] % size != 0 || (!llvm::isPowerOf2_64(size) && size != whole[loop]))
        continue;
      tile[loop] = size;
      result.push_back(tile);
    }
    tile[loop] = whole[loop];
  }
  return result;
}

int64_t SharedTile::workgroups() const {
  int64_t count = 1;
  for (auto [size, total] : llvm::zip(sizes, whole))
    count *= total / size;
  return count;
}

int64_t SharedTile::localBytes() const {
  int64_t bytes = 0;
  for (const auto &entry : locals) {
    int64_t own = entry.second.bytes;
    for (unsigned loop = 0; loop < sizes.size(); ++loop)
      if (entry.second.shared >> loop & 1)
        own = llvm::divideCeil(own, whole[loop] / sizes[loop]);
    bytes += llvm::alignTo(own, 16);
  }
  return bytes;
}

KernelNest SharedTile::tiled(unsigned member) const {
  KernelNest result = kernel.nests[group.nests[member]];
  for (auto [position, loops] : llvm::enumerate(group.shared))
    result.sizes[loops[member]] = std::min<int64_t>(result.sizes[loops[member]], sizes[position]);
  return result;
}

//===----------------------------------------------------------------------===//
// The whole kernel
//===----------------------------------------------------------------------===//

namespace {
/// What is chosen for a group of nests.
struct GroupChoice {
  double cycles = std::numeric_limits<double>::infinity();
  int64_t lanes = 0;
  SmallVector<int64_t> tile;
};

/// What is chosen for one nest of a group, and what a workgroup takes for it.
struct MemberChoice {
  GPUTilingAttr tiling;
  double latency = 0;                         ///< Until the workgroup has done it.
  double issue = 0;                           ///< Cycles of a SIMD, of all waves.
  int64_t exchangeBytes = 0, stagedBytes = 0; ///< Of LDS: for itself, and for a while.
};

/// Chooses the tilings of one kernel.
class LaneSelector {
public:
  LaneSelector(func::FuncOp function, const Target &whole, ArrayRef<TilingRank> ranks,
               int64_t lanes)
      : function(function), ranks(ranks), wantedLanes(lanes), smaller(whole) {
    if (auto halvings = function->getAttrOfType<IntegerAttr>(kRegisterHalvingsAttrName)) {
      smaller.numVectorRegisters >>= halvings.getInt();
      smaller.units.registersPerSIMD >>= halvings.getInt();
    }
  }

  FailureOr<ArrayAttr> select() {
    FailureOr<KernelNests> kernel = KernelNests::get(function);
    if (failed(kernel))
      return failure();
    SmallVector<NestGroup> groups = kernel->groups();
    int64_t lanes = wantedLanes;
    if (!lanes && failed(chooseLanesOfAll(*kernel, groups, lanes)))
      return failure();
    SmallVector<Attribute> tilings(kernel->nests.size());
    for (const NestGroup &group : groups)
      if (failed(group.nests.size() == 1 ? selectAlone(*kernel, group.nests.front(), lanes, tilings)
                                         : selectGroup(*kernel, group, lanes, tilings)))
        return failure();
    return ArrayAttr::get(function.getContext(), tilings);
  }

private:
  TilingRank rankOf(unsigned nest) const {
    return nest < ranks.size() ? ranks[nest] : TilingRank();
  }

  /// The contraction that nest `number` is to be, if any, in workgroups of `lanes` or of as many as
  /// it wants; failure if there is none of its rank.
  FailureOr<std::optional<ContractionChoice>>
  contraction(const KernelNests &kernel, unsigned number, std::optional<int64_t> lanes) const {
    const KernelNest &nest = kernel.nests[number];
    TilingRank rank = rankOf(number);
    if (rank.form == TilingRank::plain)
      return std::optional<ContractionChoice>();
    if (rank.form == TilingRank::contraction) {
      std::vector<ContractionChoice> choices = contractionChoices(
          nest, *target, wantedLanes ? std::optional(wantedLanes) : std::nullopt);
      if (choices.size() <= rank.rank)
        return failure();
      return std::optional(choices[rank.rank]);
    }
    std::optional<ContractionChoice> choice = contractionOf(nest, *target);
    if (choice && lanes && choice->lanes != *lanes) // lanes that have nothing to do, at worst
      if (auto all = chooseContraction(nest, *target, lanes))
        choice = all;
    // There cannot be more lanes than were asked for.
    if (choice && lanes && choice->lanes > *lanes)
      choice.reset();
    return choice;
  }

  /// All workgroups of a launch have the same number of lanes: the most that a group wants, since
  /// the others lose less by more lanes than that one by fewer.
  LogicalResult chooseLanesOfAll(const KernelNests &kernel, ArrayRef<NestGroup> groups,
                                 int64_t &lanes) {
    for (const NestGroup &group : groups) {
      if (group.nests.size() == 1) {
        unsigned number = group.nests.front();
        auto choice = contraction(kernel, number, std::nullopt);
        if (failed(choice))
          return failure();
        lanes = std::max(lanes, *choice ? (*choice)->lanes : lanesAlone(kernel.nests[number]));
        continue;
      }
      GroupChoice best;
      for (int64_t block = target->units.waveSize; block <= maxLanes; block *= 2)
        consider(best, kernel, group, block);
      if (!best.lanes)
        return tooManyLocals(kernel, group);
      lanes = std::max(lanes, best.lanes);
    }
    return success();
  }

  LogicalResult selectAlone(const KernelNests &kernel, unsigned number, int64_t lanes,
                            MutableArrayRef<Attribute> tilings) {
    auto choice = contraction(kernel, number, lanes);
    if (failed(choice))
      return failure();
    if (*choice) {
      tilings[number] = (*choice)->tiling;
      return success();
    }
    return selectLanes(kernel.nests[number], number, lanes, /*workgroups=*/0, tilings);
  }

  LogicalResult selectGroup(const KernelNests &kernel, const NestGroup &group, int64_t lanes,
                            MutableArrayRef<Attribute> tilings) {
    GroupChoice best;
    consider(best, kernel, group, lanes);
    if (!best.lanes)
      return tooManyLocals(kernel, group);
    SharedTile tile(kernel, group);
    tile.sizes = best.tile;
    for (auto [member, number] : llvm::enumerate(group.nests)) {
      TilingRank rank = rankOf(number);
      if (rank.form == TilingRank::contraction)
        return failure();
      if (rank.form == TilingRank::cheapest && rank.rank == 0)
        tilings[number] = chooseMember(tile, member, lanes).tiling;
      else if (failed(selectLanes(tile.tiled(member), number, lanes, tile.workgroups(), tilings)))
        return failure();
    }
    return success();
  }

  LogicalResult selectLanes(const KernelNest &nest, unsigned number, int64_t lanes,
                            int64_t workgroups, MutableArrayRef<Attribute> tilings) {
    unsigned rank = rankOf(number).rank;
    if (rank == 0) {
      tilings[number] = tilingOf(nest, chooseLanes(nest, *target, lanes, workgroups), lanes);
      return success();
    }
    std::vector<LaneCandidate> ranked = rankLanes(nest, *target, lanes, workgroups);
    if (ranked.size() <= rank)
      return failure();
    tilings[number] = tilingOf(nest, ranked[rank], lanes);
    return success();
  }

  /// Lanes of a workgroup for a nest alone: fewer than usual where there are not enough of them for
  /// all units of the chip.
  int64_t lanesAlone(const KernelNest &nest) const {
    LaneCandidate candidate = chooseLanes(nest, *target, maxLanes, /*workgroups=*/0);
    LaneCandidate usual = chooseLanes(nest, *target, usualLanes, /*workgroups=*/0);
    LanePricer pricer(nest, *target);
    int64_t block = usualLanes;
    if (timeOf(pricer, candidate, *target, maxLanes, 0) <
        timeOf(pricer, usual, *target, usualLanes, 0) * 0.8)
      block = maxLanes;
    else
      candidate = usual;
    int64_t all = pricer.tiles(candidate) * candidate.sharing;
    int64_t units = target->units.count * target->units.simdsPerUnit;
    while (block > target->units.waveSize && block > candidate.sharing && all / block < units)
      block /= 2;
    return block;
  }

  /// The best tiling of nest number `member` in workgroups of `block` lanes and the given tile.
  MemberChoice chooseMember(const SharedTile &tile, unsigned member, int64_t block) const {
    KernelNest nest = tile.tiled(member);
    const int64_t workgroups = tile.workgroups(), waves = block / target->units.waveSize;
    LanePricer pricer(nest, *target);
    LaneCandidate candidate = chooseLanes(nest, *target, block, workgroups);
    LanePrice price = pricer.price(candidate, block);
    double lanes = double(pricer.tiles(candidate)) * candidate.sharing;
    double steps = std::ceil(lanes / block);
    MemberChoice choice;
    choice.tiling = tilingOf(nest, candidate, block);
    choice.latency = steps * price.latency;
    choice.issue =
        steps * price.issue * std::min<double>(waves, std::ceil(lanes / target->units.waveSize));
    choice.exchangeBytes = pricer.exchangeBytes(candidate, block);
    // What the locals leave, but for what other nests exchange.
    int64_t free = target->units.ldsBytes - tile.localBytes() - maxExchangeBytes;
    auto shared = chooseSharedContraction(nest, *target, block, free, workgroups);
    double simds = target->units.count * target->units.simdsPerUnit;
    auto timeOf = [&](double latency, double issue) {
      return latency + std::ceil(workgroups * issue / simds);
    };
    if (shared &&
        timeOf(shared->latency, waves * shared->issue) < timeOf(choice.latency, choice.issue)) {
      choice.tiling = shared->tiling;
      choice.latency = shared->latency;
      choice.issue = waves * shared->issue;
      choice.exchangeBytes = 0;
      choice.stagedBytes = shared->ldsBytes;
    }
    return choice;
  }

  /// Tries all tiles of `group` with `block` lanes.
  void consider(GroupChoice &best, const KernelNests &kernel, const NestGroup &group,
                int64_t block) const {
    SharedTile tile(kernel, group);
    for (const SmallVector<int64_t> &sizes : tile.candidates()) {
      tile.sizes = sizes;
      int64_t bytes = tile.localBytes();
      if (bytes > target->units.ldsBytes)
        continue;
      double waves = double(block) / target->units.waveSize;
      double latency = 0, issue = 0;
      int64_t staged = 0;
      for (unsigned member = 0; member < group.nests.size(); ++member) {
        MemberChoice choice = chooseMember(tile, member, block);
        bytes += choice.exchangeBytes;
        staged = std::max(staged, choice.stagedBytes);
        double times = timesOf(kernel.nests[group.nests[member]]);
        latency += times * (choice.latency + barrierCycles);
        issue += times * choice.issue;
      }
      bytes += staged;
      if (bytes > target->units.ldsBytes)
        continue;
      // How many of them are on the chip at the same time.
      double fits = std::min<double>(target->units.ldsBytes / std::max<int64_t>(bytes, 1),
                                     target->units.simdsPerUnit * wavesPerSIMD / waves);
      double rounds = std::ceil(tile.workgroups() / std::max(fits * target->units.count, 1.0));
      double simds = target->units.count * target->units.simdsPerUnit;
      double cycles = rounds * latency + std::ceil(tile.workgroups() * issue / simds);
      if (cycles < best.cycles)
        best = {cycles, block, sizes};
    }
  }

  /// How often a workgroup executes `nest`: once per step of a loop over blocks.
  static double timesOf(const KernelNest &nest) {
    auto loop = dyn_cast<scf::ForOp>(linalg::GenericOp(nest.epilogue)->getParentOp());
    if (!loop)
      return 1;
    std::optional<APInt> trips = loop.getStaticTripCount();
    return trips ? trips->getZExtValue() : 1;
  }

  GPUTilingAttr tilingOf(const KernelNest &nest, const LaneCandidate &choice, int64_t block) const {
    SmallVector<int64_t> grid(ArrayRef<int64_t>(nest.sizes).take_front(nest.numParallel));
    for (int64_t &size : grid)
      size = std::max<int64_t>(size, 1); // a loop without steps
    SmallVector<int64_t> lanes(nest.numLoops(), 1), order;
    const Candidate &tile = choice.tile;
    bool reducesVector = tile.vectorDim >= static_cast<int64_t>(nest.numParallel);
    for (int64_t loop = 0; loop < nest.numLoops(); ++loop)
      if (!reducesVector || loop != tile.vectorDim)
        order.push_back(loop);
    if (reducesVector)
      order.push_back(tile.vectorDim);
    if (choice.sharedLoop >= 0)
      lanes[choice.sharedLoop] = choice.sharing;
    if (nest.numParallel > 0)
      lanes[reducesVector || tile.vectorDim < 0 ? nest.numParallel - 1 : tile.vectorDim] =
          block / choice.sharing;
    return GPUTilingAttr::get(nest.loc().getContext(), grid, lanes, tile.vectorDim, tile.width,
                              tile.unroll, order, Contraction::none, {1, 1}, WorkgroupMode::cu);
  }

  LogicalResult tooManyLocals(const KernelNests &kernel, const NestGroup &group) {
    SharedTile tile(kernel, group);
    tile.sizes = tile.candidates().front();
    return function.emitError() << "kernel whose locals need " << tile.localBytes()
                                << " bytes per workgroup at least; there are "
                                << target->units.ldsBytes;
  }

  func::FuncOp function;
  ArrayRef<TilingRank> ranks; ///< By nest.
  int64_t wantedLanes;
  Target smaller; ///< What is planned with: a kernel may have to do with fewer registers.
  const Target *target = &smaller;
};
} // namespace

FailureOr<ArrayAttr> mlir::tiny::selectTilingsRDNA3(func::FuncOp kernel, const Target &target,
                                                    ArrayRef<TilingRank> ranks, int64_t lanes) {
  return LaneSelector(kernel, target, ranks, lanes).select();
}

namespace {
struct SelectTilingRDNA3Pass : tiny::impl::SelectTilingRDNA3PassBase<SelectTilingRDNA3Pass> {
  using SelectTilingRDNA3PassBase::SelectTilingRDNA3PassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(kernelAttrName) || function->hasAttr(tilingAttrName))
      return;
    const Target *target = findTarget(chip);
    if (!target || target->kind != TargetKind::gpu) {
      function.emitError() << "there is no GPU named '" << chip << "'";
      return signalPassFailure();
    }
    FailureOr<ArrayAttr> tilings = selectTilingsRDNA3(function, *target);
    if (failed(tilings))
      return signalPassFailure();
    function->setAttr(tilingAttrName, *tilings);
  }
};
} // namespace
