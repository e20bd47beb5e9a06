//===- ContractionTiling.cpp - choose the tile of a contraction -----------===//
//
// Every tile is priced by the cycles that it takes: what a wave multiplies, what it
// loads, stores and transposes, what LDS delivers, how long a step waits for memory, and
// how many rounds of workgroups there are. The numbers are counted on the plan that the
// emission follows. What is wasted at the ends of rows, columns and depth needs no rule:
// it is work like any other.
//
//===----------------------------------------------------------------------===//

#include "ContractionTiling.h"

#include "LanePrice.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

/// Cycles from a load to its value: of memory in the caches, and of LDS with a barrier.
static constexpr double memoryLatency = 500, ldsLatency = 80;
/// Registers of a lane beside sums, fragments, loads and their addresses.
static constexpr int64_t otherRegisters = 16;
/// Words of loads under way beside WMMA, beyond which the register allocator was seen to spill.
static constexpr int64_t mostLoadWords = 64;
/// Elements of the depth in a step of multiply-adds: of 16, LLVM loads so many ahead that it
/// spills.
static constexpr int64_t multiplyAddStep = 8;
/// Registers of a contraction that shares its workgroups: what 512 lanes of a unit have.
static constexpr int64_t mostSharedRegisters = 192;
/// Bytes that the caches deliver to a unit in a cycle, where all units ask at the same time.
static constexpr double cacheBytesPerCycle = 32;

namespace {
class Chooser {
public:
  Chooser(const KernelNest &nest, const ContractionNest &what, const Target &target)
      : nest(nest), what(what), target(target) {}

  /// The cheapest first.
  std::vector<ContractionChoice> choose(std::optional<int64_t> lanes);
  std::optional<SharedContraction> chooseShared(int64_t lanes, int64_t ldsBytes,
                                                int64_t workgroups);

private:
  /// What a step along the depth keeps one wave and, for LDS, the unit of a workgroup busy with.
  struct Step {
    double products, other, ldsCycles;
  };
  Step stepOf(const ContractionPlan &plan) const;
  void tryTile(GPUTilingAttr tiling, std::optional<int64_t> lanes);
  GPUTilingAttr tiling(int64_t rows, int64_t columns, ArrayRef<int64_t> waves,
                       ArrayRef<int64_t> lanes, int64_t step, unsigned innermost) const;
  GPUTilingAttr sharedTiling(int64_t rows, int64_t columns, ArrayRef<int64_t> waves, int64_t step,
                             unsigned innermost) const;
  double cycles(const ContractionPlan &plan) const;
  double otherCycles(const ContractionPlan &plan, const ContractionSide &what,
                     const SidePlan &side) const;
  int64_t registers(const ContractionPlan &plan) const;

  const KernelNest &nest;
  const ContractionNest &what;
  const Target &target;
  std::vector<ContractionChoice> found;
};
} // namespace

/// 32-bit registers that a lane needs at once.
int64_t Chooser::registers(const ContractionPlan &plan) const {
  int64_t bytes = plan.what.factorBytes(), wave = target.units.waveSize;
  int64_t sums = plan.ownRows() * plan.ownColumns() / (plan.wmma ? wave : 1);
  // Of the rows, a fragment at a time is enough, and the next one; of multiply-adds, some are
  // loaded ahead.
  int64_t fragments = plan.wmma ? (2 + plan.ownColumns() / wmmaSize) * wmmaSize * bytes / 4
                                : (plan.elementsAhead() + 1) * (plan.ownRows() + plan.ownColumns());
  int64_t loads = 0, addresses = 0;
  for (const SidePlan *side : {&plan.rows, &plan.columns}) {
    int64_t count = side->unitsPerLane(plan.numLanes) * side->loadsPerUnit();
    loads += count * llvm::divideCeil(side->width * bytes, 4);
    // The last step has others where the depth ends within it.
    addresses += plan.depth.endsPartial() ? 2 * count : count;
  }
  if (plan.wmma && loads > mostLoadWords)
    return INT32_MAX;
  return sums + fragments + loads + addresses + otherRegisters;
}

/// Cycles of one wave per step for bringing one factor to LDS.
double Chooser::otherCycles(const ContractionPlan &plan, const ContractionSide &what,
                            const SidePlan &side) const {
  double units = double(side.unitsPerLane(plan.numLanes)) / side.period;
  double perLoad = 1;
  for (Value load : what.loads)
    perLoad += 3.0 * nest.accesses.find(load)->second.guards.size();
  if (plan.depth.ragged)
    perLoad += 8.0 * plan.depth.loops.size();
  else if (plan.depth.isPartial() && !plan.depth.isLinear())
    perLoad += 3;
  double elements = side.unitDepth * side.unitSide;
  double words = elements * plan.what.factorBytes() / 4;
  bool moved = plan.wmma && side.width * plan.what.factorBytes() < accessBytes;
  bool transposed = plan.wmma && !side.alongDepth;
  double stores = plan.wmma || !side.alongDepth ? words / accessWords : words / 2;
  return units * (side.loadsPerUnit() * perLoad + stores + (moved || transposed ? words : 0));
}

Chooser::Step Chooser::stepOf(const ContractionPlan &plan) const {
  const ComputeUnits &units = target.units;
  int64_t waves = plan.numLanes / units.waveSize, bytes = plan.what.factorBytes();
  // Flops of one SIMD in a cycle; the clock cancels out.
  double clock = double(target.peak.gigaflops) /
                 (double(units.count) * units.simdsPerUnit * units.waveSize * 4);
  double peak = plan.wmma ? target.peak.matrixGigaflops : target.peak.gigaflops;
  double perCycle = peak / clock / (double(units.count) * units.simdsPerUnit);
  double products = 2.0 * plan.ownRows() * plan.ownColumns() * plan.depth.step / perCycle *
                    (plan.wmma ? 1 : units.waveSize);
  double other =
      otherCycles(plan, what.rows, plan.rows) + otherCycles(plan, what.columns, plan.columns);
  // All fragments on their way to registers, at half of what the banks have; of a fragment for
  // WMMA, two lanes get the same.
  double own = double(plan.ownRows() + plan.ownColumns()) * plan.depth.step * bytes;
  double fromLDS = plan.wmma ? own * 2 : own * units.waveSize;
  double ldsCycles = waves * fromLDS / (units.ldsBanks * 4 / 2);
  double reads = own / accessBytes * (plan.wmma ? 1.0 / wmmaSize : 1);
  return {products, other + reads, ldsCycles};
}

double Chooser::cycles(const ContractionPlan &plan) const {
  const ComputeUnits &units = target.units;
  int64_t waves = plan.numLanes / units.waveSize, bytes = plan.what.factorBytes();
  auto [products, other, ldsCycles] = stepOf(plan);

  // What a unit keeps busy with: as many workgroups as there are, and as fit.
  double workgroups = double(what.batchExtent) *
                      llvm::divideCeil(what.rows.extent, plan.rows.tile) *
                      llvm::divideCeil(what.columns.extent, plan.columns.tile);
  int64_t perWave = llvm::alignTo(registers(plan), units.registerGranule);
  int64_t wavesThatFit = units.registersPerSIMD / perWave * units.simdsPerUnit;
  int64_t fit = std::max<int64_t>(
      std::min<int64_t>(wavesThatFit / waves, units.ldsBytes / (plan.ldsWords() * 4)), 1);
  double perUnit = std::ceil(workgroups / units.count);
  double together = std::min<double>(perUnit, fit);
  double wavesPerSIMD = std::max(together * waves / units.simdsPerUnit, 1.0);
  double cacheCycles =
      double(plan.rows.tile + plan.columns.tile) * plan.depth.step * bytes / cacheBytesPerCycle;
  double step = std::max({wavesPerSIMD * (products + other), together * ldsCycles,
                          together * cacheCycles, std::max(memoryLatency, products) + ldsLatency});
  double rounds = std::ceil(perUnit / together);
  double ends = 2 * memoryLatency +
                4.0 * plan.ownRows() * plan.ownColumns() / (plan.wmma ? units.waveSize : 1);
  return rounds * (plan.depth.numSteps * step + ends);
}

GPUTilingAttr Chooser::tiling(int64_t rows, int64_t columns, ArrayRef<int64_t> waves,
                              ArrayRef<int64_t> lanes, int64_t step, unsigned innermost) const {
  SmallVector<int64_t> grid(nest.numParallel, 1), allLanes(nest.numLoops(), 1),
      unroll(nest.numLoops(), 1), order;
  grid[what.rows.loops.back()] = rows;
  grid[what.columns.loops.back()] = columns;
  allLanes[what.rows.loops.back()] = lanes[0];
  allLanes[what.columns.loops.back()] = lanes[1];
  unroll[innermost] = step;
  for (ArrayRef<unsigned> loops : {ArrayRef(what.batch), ArrayRef(what.rows.loops),
                                   ArrayRef(what.columns.loops), ArrayRef(what.depth)})
    for (unsigned loop : loops)
      if (loop != innermost)
        order.push_back(loop);
  order.push_back(innermost);
  bool wmma = what.factor != Factor::f32;
  return GPUTilingAttr::get(nest.loc().getContext(), grid, allLanes, what.columns.loops.back(),
                            wmma ? 1 : accessWords, unroll, order,
                            wmma ? Contraction::wmma : Contraction::fma, waves,
                            wmma ? WorkgroupMode::wgp : WorkgroupMode::cu);
}

void Chooser::tryTile(GPUTilingAttr tiling, std::optional<int64_t> lanes) {
  std::optional<ContractionPlan> plan = ContractionPlan::get(nest, tiling, target.units.waveSize);
  if (!plan || plan->ldsWords() * 4 > target.units.ldsBytes ||
      (lanes && plan->numLanes != *lanes) || registers(*plan) > target.numVectorRegisters)
    return;
  found.push_back({tiling, cycles(*plan), plan->numLanes});
}

std::vector<ContractionChoice> Chooser::choose(std::optional<int64_t> lanes) {
  const int64_t wave = target.units.waveSize;
  for (unsigned innermost : what.depth) {
    if (what.factor == Factor::f32) {
      for (int64_t laneRows : {4, 8, 16})
        for (int64_t laneColumns : {8, 16})
          for (int64_t rows : {4, 8, 16})
            for (int64_t columns : {4, 8, 16}) {
              int64_t waves[2] = {laneRows * laneColumns / wave, 1};
              tryTile(tiling(laneRows * rows, laneColumns * columns, waves, {laneRows, laneColumns},
                             multiplyAddStep, innermost),
                      lanes);
            }
      continue;
    }
    for (int64_t waveRows : {1, 2, 4})
      for (int64_t waveColumns : {1, 2, 4})
        for (int64_t rows : {16, 32, 64})
          for (int64_t columns : {16, 32, 64})
            for (int64_t step : {16, 32, 64}) {
              int64_t waves[2] = {waveRows, waveColumns};
              if (waveRows * waveColumns <= 8)
                tryTile(tiling(waveRows * rows, waveColumns * columns, waves,
                               {waveRows, waveColumns * wave}, step, innermost),
                        lanes);
            }
  }
  SmallVector<std::pair<double, size_t>> order;
  for (auto [number, choice] : llvm::enumerate(found))
    order.emplace_back(choice.cycles, number);
  llvm::sort(order);
  std::vector<ContractionChoice> sorted;
  for (const auto &entry : order)
    sorted.push_back(found[entry.second]);
  return sorted;
}

std::vector<ContractionChoice> mlir::tiny::contractionChoices(const KernelNest &nest,
                                                              const Target &target,
                                                              std::optional<int64_t> lanes) {
  std::optional<ContractionNest> what = ContractionNest::get(nest);
  if (!what || (what->factor != Factor::f32 && !target.hasMatrixUnit))
    return {};
  return Chooser(nest, *what, target).choose(lanes);
}

std::optional<SharedContraction> Chooser::chooseShared(int64_t lanes, int64_t ldsBytes,
                                                       int64_t workgroups) {
  const ComputeUnits &units = target.units;
  const int64_t wave = units.waveSize, waves = lanes / wave;
  std::optional<SharedContraction> best;
  double least = 0;
  auto offer = [&](GPUTilingAttr tiling) {
    auto plan = ContractionPlan::get(nest, tiling, wave, /*inWorkgroup=*/true);
    if (!plan || plan->numLanes != lanes || plan->ldsWords() * 4 > ldsBytes ||
        registers(*plan) > std::min<int64_t>(target.numVectorRegisters, mostSharedRegisters))
      return;
    Step step = stepOf(*plan);
    double tiles = 1, steps = plan->depth.numSteps;
    for (int64_t count : plan->numTiles())
      tiles *= count;
    // The waves of a unit share LDS and what the caches deliver; each of its SIMDs has its part.
    double cacheCycles = double(std::min(plan->rows.tile, what.rows.extent) +
                                std::min(plan->columns.tile, what.columns.extent)) *
                         plan->depth.step * what.factorBytes() / cacheBytesPerCycle;
    double busy = std::max(step.products + step.other,
                           std::max(step.ldsCycles, cacheCycles) / waves * units.simdsPerUnit);
    double ends = 8.0 * plan->ownRows() * plan->ownColumns() / wave;
    double issue = tiles * (steps * busy + ends);
    double latency =
        tiles * (memoryLatency + ldsLatency +
                 steps * (std::max(steps > 1 ? memoryLatency : 0, step.products) + ldsLatency));
    double simds = double(units.count) * units.simdsPerUnit;
    double time = latency + std::ceil(workgroups * waves / simds) * issue;
    if (!best || time < least) {
      best = {tiling, issue, latency, plan->ldsWords() * 4};
      least = time;
    }
  };
  for (unsigned innermost : what.depth)
    for (int64_t waveRows = 1; waveRows <= waves; waveRows *= 2) {
      int64_t split[2] = {waveRows, waves / waveRows};
      for (int64_t rows : {16, 32, 64})
        for (int64_t columns : {16, 32, 64})
          for (int64_t step : {16, 32, 64}) {
            // No more than one tile in excess of what there is.
            if ((rows > wmmaSize && rows * waveRows >= 2 * what.rows.extent) ||
                (columns > wmmaSize && columns * split[1] >= 2 * what.columns.extent) ||
                (step > wmmaSize && step >= 2 * what.depthExtent))
              continue;
            offer(sharedTiling(rows, columns, split, step, innermost));
          }
    }
  return best;
}

/// The tiling of a nest that has its workgroups already: see ContractionPlan::get.
GPUTilingAttr Chooser::sharedTiling(int64_t rows, int64_t columns, ArrayRef<int64_t> waves,
                                    int64_t step, unsigned innermost) const {
  int64_t lanes[2] = {waves[0], waves[1] * int64_t(target.units.waveSize)};
  GPUTilingAttr base = tiling(rows, columns, waves, lanes, step, innermost);
  SmallVector<int64_t> grid, unroll(base.getUnroll());
  for (int64_t size : ArrayRef<int64_t>(nest.sizes).take_front(nest.numParallel))
    grid.push_back(std::max<int64_t>(size, 1));
  unroll[what.rows.loops.back()] = rows;
  unroll[what.columns.loops.back()] = columns;
  return GPUTilingAttr::get(base.getContext(), grid, base.getLanes(), base.getVectorDim(),
                            base.getVectorWidth(), unroll, base.getOrder(), base.getContract(),
                            waves, WorkgroupMode::cu);
}

std::optional<SharedContraction>
mlir::tiny::chooseSharedContraction(const KernelNest &nest, const Target &target, int64_t lanes,
                                    int64_t ldsBytes, int64_t workgroups) {
  std::optional<ContractionNest> what = ContractionNest::get(nest);
  if (!what || what->factor == Factor::f32 || !target.hasMatrixUnit)
    return std::nullopt;
  return Chooser(nest, *what, target).chooseShared(lanes, ldsBytes, workgroups);
}

std::optional<ContractionChoice> mlir::tiny::chooseContraction(const KernelNest &nest,
                                                               const Target &target,
                                                               std::optional<int64_t> lanes) {
  std::vector<ContractionChoice> choices = contractionChoices(nest, target, lanes);
  return choices.empty() ? std::nullopt : std::optional(choices.front());
}

std::optional<ContractionChoice> mlir::tiny::contractionOf(const KernelNest &nest,
                                                           const Target &target) {
  std::optional<ContractionChoice> choice = chooseContraction(nest, target);
  if (!choice)
    return std::nullopt;
  LaneCandidate other = chooseLanes(nest, target, usualLanes, /*workgroups=*/0);
  double cycles = timeOf(LanePricer(nest, target), other, target, usualLanes, /*workgroups=*/0);
  return choice->cycles < cycles ? choice : std::nullopt;
}
