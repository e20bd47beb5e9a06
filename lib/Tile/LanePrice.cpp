//===- LanePrice.cpp - count what the lanes of a wave would execute -------===//

#include "LanePrice.h"

#include "llvm/ADT/SmallSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

// In cycles of a SIMD. Only their ratios matter: a wave-wide load is one address unit's work for
// four cycles, and one more for each line that it touches; memory answers after hundreds of cycles,
// LDS after tens ("RDNA3" Instruction Set Architecture, section 10; Chips and Cheese,
// "Microbenchmarking AMD's RDNA 3", 2023).
static constexpr double memoryCost = 4, lineCost = 2, localCost = 2, memoryLatency = 500,
                        localLatency = 40, guardCost = 3, tileCost = 20, exchangeCost = 4,
                        barrierCost = 60;
/// Bytes of the widest access of a lane.
static constexpr int64_t widestAccess = 16;
/// Where a loop moves an access in another way than by a stride: far enough for a line each.
static constexpr int64_t farAway = 1000003;
/// Registers that addresses and loops take.
static constexpr int64_t otherRegisters = 24;
/// Waves per SIMD that registers should leave room for, so that some compute while others wait.
static constexpr int64_t wantedWaves = 12;

LanePricer::LanePricer(const KernelNest &nest, const Target &target)
    : nest(nest), target(target), store(factsOf(nest.store, false)),
      epilogueOps(operationsOf(nest.epilogue)) {
  for (const auto &[value, access] : nest.accesses)
    accesses.push_back(factsOf(access, nest.inReduction(value)));
  if (nest.reduction)
    reductionOps = operationsOf(nest.reduction) - isMultiplyAdd(nest);
}

LanePricer::Facts LanePricer::factsOf(const Access &access, bool inReduction) const {
  Facts facts;
  for (unsigned loop = 0; loop < nest.numLoops(); ++loop)
    facts.strides.push_back(access.strideAlong(loop));
  facts.loops = access.loops;
  facts.bytes = llvm::divideCeil(access.type.getIntOrFloatBitWidth(), 8);
  facts.guarded = !access.guards.empty();
  facts.inReduction = inReduction;
  facts.local = !isa<BlockArgument>(access.source);
  return facts;
}

int64_t LanePricer::widthAlong(unsigned loop) const {
  int64_t widest = 0;
  auto see = [&](const Facts &access) {
    if (access.strides[loop] && std::abs(*access.strides[loop]) == 1)
      widest = std::max(widest, access.bytes);
  };
  llvm::for_each(accesses, see);
  if (nest.isParallel(loop))
    see(store);
  return widest ? std::max<int64_t>(widestAccess / widest, 1) : 1;
}

int64_t LanePricer::stepOf(unsigned loop, const LaneCandidate &candidate) const {
  int64_t width = static_cast<int64_t>(loop) == candidate.tile.vectorDim ? candidate.tile.width : 1;
  return candidate.tile.unroll[loop] * width;
}

int64_t LanePricer::tiles(const LaneCandidate &candidate) const {
  int64_t tiles = 1;
  for (unsigned loop = 0; loop < nest.numParallel; ++loop)
    tiles *= llvm::divideCeil(nest.sizes[loop], stepOf(loop, candidate));
  return tiles;
}

bool LanePricer::fitsRegisters(const LaneCandidate &candidate) const {
  const Candidate &tile = candidate.tile;
  int64_t elements = 1, reductionCopies = 1;
  for (unsigned loop = 0; loop < nest.numLoops(); ++loop)
    (nest.isParallel(loop) ? elements : reductionCopies) *= stepOf(loop, candidate);
  bool reducesVector = tile.vectorDim >= static_cast<int64_t>(nest.numParallel);
  int64_t bytesPerElement = std::max<int64_t>(store.bytes, 4);
  int64_t bytes =
      elements * bytesPerElement * (reducesVector ? stepOf(tile.vectorDim, candidate) : 1);
  for (const Facts &access : accesses) {
    if (nest.reduction && !access.inReduction)
      continue;
    int64_t copies = 1;
    for (unsigned loop = 0; loop < nest.numLoops(); ++loop)
      if (access.movesWith(loop))
        copies *= stepOf(loop, candidate);
    bytes += copies * std::max<int64_t>(access.bytes, 4);
  }
  int64_t registers = llvm::divideCeil(bytes, 4) + otherRegisters;
  return registers <= target.units.registersPerSIMD / wantedWaves;
}

int64_t LanePricer::exchangeBytes(const LaneCandidate &candidate, int64_t block) const {
  const Candidate &tile = candidate.tile;
  bool sharingFirst = tile.vectorDim >= static_cast<int64_t>(nest.numParallel);
  int64_t waveSize = target.units.waveSize;
  int64_t stride = sharingFirst ? 1 : std::max<int64_t>(block / candidate.sharing, 1);
  if (candidate.sharing <= 1 || candidate.sharing * stride <= waveSize)
    return 0;
  int64_t elements = 1;
  for (unsigned loop = 0; loop < nest.numParallel; ++loop)
    elements *= stepOf(loop, candidate);
  return block / waveSize * std::min(stride, waveSize) * elements *
         std::max<int64_t>(store.bytes, 4);
}

/// What one access of all lanes of the first wave costs: by the lines or, in LDS, the banks.
double LanePricer::accessCost(const Facts &access, const LaneCandidate &candidate,
                              int64_t block) const {
  const Candidate &tile = candidate.tile;
  int64_t dealt = std::max<int64_t>(block / candidate.sharing, 1);
  bool sharingFirst = tile.vectorDim >= static_cast<int64_t>(nest.numParallel);
  SmallVector<int64_t> fastestFirst;
  if (tile.vectorDim >= 0 && !sharingFirst)
    fastestFirst.push_back(tile.vectorDim);
  for (int64_t loop = int64_t(nest.numParallel) - 1; loop >= 0; --loop)
    if (loop != tile.vectorDim)
      fastestFirst.push_back(loop);
  auto strideAlong = [&](unsigned loop) {
    return access.movesWith(loop) ? access.strides[loop].value_or(farAway) : 0;
  };
  int64_t lineBytes = access.local ? 4 : target.caches.lineBytes, allTiles = tiles(candidate);
  int64_t accesses = 1, span = access.bytes;
  if (access.movesWith(tile.vectorDim)) {
    int64_t stride = std::abs(strideAlong(tile.vectorDim));
    if (stride == 1)
      span = std::min(tile.width * access.bytes, widestAccess);
    accesses = stride == 1 ? llvm::divideCeil(tile.width * access.bytes, widestAccess) : tile.width;
  }
  llvm::SmallSet<int64_t, 32> lines;
  SmallVector<int64_t> perBank(std::max<uint32_t>(target.units.ldsBanks, 1));
  for (int64_t lane = 0; lane < target.units.waveSize; ++lane) {
    int64_t number = sharingFirst ? lane / candidate.sharing : lane % dealt;
    int64_t sharer = sharingFirst ? lane % candidate.sharing : lane / dealt;
    if (number >= allTiles)
      break;
    int64_t place = 0;
    for (int64_t loop : fastestFirst) {
      int64_t step = stepOf(loop, candidate), count = llvm::divideCeil(nest.sizes[loop], step);
      place += number % count * step * strideAlong(loop);
      number /= count;
    }
    if (candidate.sharedLoop >= 0)
      place += sharer * strideAlong(candidate.sharedLoop) *
               (candidate.sharedLoop == tile.vectorDim ? tile.width : 1);
    int64_t first = llvm::divideFloorSigned(place * access.bytes, lineBytes);
    int64_t last = llvm::divideFloorSigned(place * access.bytes + span - 1, lineBytes);
    for (int64_t line = first; line <= last; ++line)
      if (lines.insert(line).second)
        ++perBank[llvm::mod(line, perBank.size())];
  }
  double cost =
      access.local ? localCost * *llvm::max_element(perBank) : memoryCost + lineCost * lines.size();
  return accesses * (cost + (access.guarded ? guardCost * tile.width : 0));
}

LanePrice LanePricer::price(const LaneCandidate &candidate, int64_t block) const {
  const Candidate &tile = candidate.tile;
  bool reducesVector = tile.vectorDim >= static_cast<int64_t>(nest.numParallel);
  double copies = 1, trips = 1, perTrip = 1; // of the tile; of all reduction loops; bodies in each
  for (unsigned loop = 0; loop < nest.numLoops(); ++loop) {
    int64_t width = static_cast<int64_t>(loop) == tile.vectorDim ? tile.width : 1;
    if (nest.isParallel(loop)) {
      copies *= tile.unroll[loop];
      continue;
    }
    int64_t sharing = static_cast<int64_t>(loop) == candidate.sharedLoop ? candidate.sharing : 1;
    int64_t whole = llvm::divideCeil(nest.sizes[loop], width * sharing);
    int64_t unroll = std::min(tile.unroll[loop], std::max<int64_t>(whole, 1));
    trips *= llvm::divideCeil(whole, unroll);
    perTrip *= unroll;
  }
  double width = tile.width;
  LanePrice price;
  double tripIssue = copies * perTrip * reductionOps * width + 4;
  double tileIssue = tileCost + copies * epilogueOps * (reducesVector ? 1 : width);
  double tripLatency = copies * perTrip * reductionOps, tileLatency = tileCost;
  for (const Facts &access : accesses) {
    double instances = 1;
    for (unsigned loop = 0; loop < nest.numLoops(); ++loop)
      if (access.movesWith(loop) && (nest.isParallel(loop) || access.inReduction))
        instances *= tile.unroll[loop];
    double cost = instances * accessCost(access, candidate, block);
    double &latency = access.inReduction ? tripLatency : tileLatency;
    (access.inReduction ? tripIssue : tileIssue) += cost;
    latency = std::max(latency, access.local ? localLatency : memoryLatency);
  }
  (nest.isScan() ? tripIssue : tileIssue) += copies * accessCost(store, candidate, block);
  if (nest.reduction) {
    price.issue += trips * tripIssue;
    price.latency += trips * tripLatency;
  }
  if (candidate.sharing > 1) {
    int64_t wave = target.units.waveSize;
    int64_t stride = reducesVector ? 1 : std::max<int64_t>(block / candidate.sharing, 1);
    double values = copies * (reducesVector ? 1 : width);
    double inWave = stride < wave ? llvm::Log2_64(std::min(wave / stride, candidate.sharing)) : 0;
    double exchanged = inWave * exchangeCost * values;
    if (candidate.sharing * stride > wave)
      exchanged += 2 * barrierCost +
                   values * localCost * (candidate.sharing * stride / std::max(wave, stride));
    tileIssue += exchanged;
    tileLatency += exchanged;
  }
  price.issue += tileIssue;
  price.latency += tileLatency;
  return price;
}

double mlir::tiny::timeOf(const LanePricer &pricer, const LaneCandidate &candidate,
                          const Target &target, int64_t block, int64_t workgroups) {
  LanePrice price = pricer.price(candidate, block);
  double simds = target.units.count * target.units.simdsPerUnit, wave = target.units.waveSize;
  double lanes = double(pricer.tiles(candidate)) * candidate.sharing;
  if (workgroups == 0)
    return price.latency + std::ceil(lanes / wave / simds) * price.issue;
  double rounds = std::ceil(lanes / block), waves = std::min<double>(block, lanes) / wave;
  return rounds * price.latency +
         std::ceil(workgroups * std::ceil(waves) / simds) * rounds * price.issue;
}

//===----------------------------------------------------------------------===//
// The choice
//===----------------------------------------------------------------------===//

/// The best candidate, and with `tried` all that have been tried with their times.
static LaneCandidate search(const KernelNest &nest, const Target &target, int64_t block,
                            int64_t workgroups,
                            std::vector<std::pair<double, LaneCandidate>> *tried) {
  LanePricer pricer(nest, target);
  struct Choice {
    LaneCandidate candidate;
    double time = std::numeric_limits<double>::infinity();
  };
  auto divides = [&](const LaneCandidate &candidate) {
    for (unsigned loop = 0; loop < nest.numParallel; ++loop) {
      int64_t width =
          static_cast<int64_t>(loop) == candidate.tile.vectorDim ? candidate.tile.width : 1;
      if (nest.sizes[loop] % (candidate.tile.unroll[loop] * width) != 0)
        return false;
    }
    return true;
  };
  auto offer = [&](Choice &best, const LaneCandidate &candidate) {
    // Lanes that share pass the exchange together (DistributeLoops).
    if (candidate.sharing > 1 && !divides(candidate))
      return;
    if (pricer.exchangeBytes(candidate, block) > maxExchangeBytes)
      return;
    if (best.time != std::numeric_limits<double>::infinity() && !pricer.fitsRegisters(candidate))
      return;
    double time = timeOf(pricer, candidate, target, block, workgroups);
    if (tried)
      tried->emplace_back(time, candidate);
    if (time < best.time)
      best = {candidate, time};
  };

  Choice best;
  best.candidate.tile.unroll.assign(nest.numLoops(), 1); // for a scan that is all there is
  int64_t parallel = nest.numParallel, loops = nest.numLoops();
  for (int64_t vector = loops ? 0 : -1; vector < loops; ++vector) {
    if (vector >= parallel && nest.isScan())
      break; // one step needs the one before
    if (vector >= 0 && nest.sizes[vector] < 2 && loops > 1 && vector + 1 < loops)
      continue;
    Choice own;
    LaneCandidate candidate;
    candidate.tile.vectorDim = vector;
    candidate.tile.unroll.assign(loops, 1);
    int64_t widest = vector < 0 ? 1 : pricer.widthAlong(vector);
    while (vector >= 0 && widest > 1 && widest > nest.sizes[vector])
      widest /= 2;
    for (int64_t width = widest; width >= 1; width /= 2) {
      candidate.tile.width = width;
      candidate.sharedLoop = -1;
      candidate.sharing = 1;
      offer(own, candidate);
      if (nest.isScan())
        continue;
      for (int64_t shared = parallel; shared < loops; ++shared) {
        if (vector >= parallel && vector != shared)
          continue;
        int64_t own1 = vector == shared ? width : 1;
        candidate.sharedLoop = shared;
        for (candidate.sharing = 2;
             candidate.sharing <= block && (candidate.sharing / 2) * own1 < nest.sizes[shared];
             candidate.sharing *= 2)
          for (int64_t unroll : {1, 4}) {
            candidate.tile.unroll[shared] = unroll;
            offer(own, candidate);
          }
        candidate.tile.unroll[shared] = 1;
      }
    }
    if (!nest.reduction || nest.isScan()) {
      if (own.time < best.time)
        best = own;
      continue;
    }
    // Copies that share loads in registers, and loads of several steps at once.
    candidate = own.candidate;
    int64_t inner = candidate.sharedLoop >= 0 ? candidate.sharedLoop : loops - 1;
    for (int64_t steps : {1, 2, 4, 8}) {
      if (steps > nest.sizes[inner])
        break;
      candidate.tile.unroll[inner] = steps;
      offer(own, candidate);
      for (int64_t first = 0; first < parallel; ++first) {
        if (first == vector && candidate.tile.width > 1)
          continue;
        for (int64_t copies : {2, 4, 8}) {
          if (copies > nest.sizes[first])
            break;
          candidate.tile.unroll[first] = copies;
          offer(own, candidate);
          for (int64_t second = first + 1; second < parallel; ++second) {
            if (second == vector && candidate.tile.width > 1)
              continue;
            for (int64_t copies2 : {2, 4}) {
              if (copies2 > nest.sizes[second])
                break;
              candidate.tile.unroll[second] = copies2;
              offer(own, candidate);
            }
            candidate.tile.unroll[second] = 1;
          }
        }
        candidate.tile.unroll[first] = 1;
      }
    }
    if (own.time < best.time)
      best = own;
  }
  return best.candidate;
}

LaneCandidate mlir::tiny::chooseLanes(const KernelNest &nest, const Target &target, int64_t block,
                                      int64_t workgroups) {
  return search(nest, target, block, workgroups, nullptr);
}

std::vector<LaneCandidate> mlir::tiny::rankLanes(const KernelNest &nest, const Target &target,
                                                 int64_t block, int64_t workgroups) {
  std::vector<std::pair<double, LaneCandidate>> tried;
  search(nest, target, block, workgroups, &tried);
  SmallVector<std::pair<double, size_t>> order;
  for (auto [number, entry] : llvm::enumerate(tried))
    order.emplace_back(entry.first, number);
  llvm::sort(order);
  std::vector<LaneCandidate> ranked;
  for (const auto &entry : order)
    if (!llvm::is_contained(ranked, tried[entry.second].second))
      ranked.push_back(tried[entry.second].second);
  return ranked;
}
