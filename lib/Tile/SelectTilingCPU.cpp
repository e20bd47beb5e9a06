//===- SelectTilingCPU.cpp - choose a kernel's tiles for a CPU ------------===//
//
// Every loop is tried as the vector loop, with every register tile that fits, and the
// nest that VectorizeLoops would emit is priced: its instructions are counted from the
// access maps. No kind of operation is recognised by name, so a product of transposed
// matrices or a depthwise convolution needs no rule of its own.
//
//===----------------------------------------------------------------------===//

#include "KernelNest.h"

#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_SELECTTILINGCPUPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Prices
//===----------------------------------------------------------------------===//

// In cycles of a core that starts two loads and two vector operations per cycle. Only their ratios
// matter, and these are alike on every such core since Haswell and Zen 2 (Agner Fog, "Instruction
// tables", 2022: VFMADD, VMOVUPS, VBROADCASTSS, VSHUFPS, VINSERTPS).
static constexpr double loadCost = 0.5, arithCost = 0.5, storeCost = 1, shuffleCost = 0.75,
                        laneCost = 1, indexedLaneCost = 2, functionCost = 10, divideCost = 4,
                        chainLatency = 4, tileOverhead = 8, maskCost = 1;
/// Strides up to this are loads and shuffles in BodyEmitter.
static constexpr int64_t maxShuffledStride = 4;
/// Copies of the body along one parallel loop and along another, at most: more registers than any
/// target has would be needed beyond.
static constexpr int64_t maxJam = 8, maxJamVectors = 4;
/// Steps of the inner reduction loops that are unrolled, at most: a 3 x 3 window.
static constexpr int64_t maxUnrolledReduction = 9;

namespace {
/// A tiling in the making: which loop runs along the lanes, and the register tile.
struct Candidate {
  int64_t vectorDim = -1, width = 1;
  SmallVector<int64_t> unroll;
};

/// What the price of an access depends on, looked up thousands of times.
struct AccessFacts {
  uint64_t loops = 0; ///< Those that move it, as bits.
  SmallVector<std::optional<int64_t>> strides;
  bool guarded, inReduction;

  bool movesWith(int64_t loop) const { return loop >= 0 && (loops >> loop & 1); }
};

struct Pricer {
  const KernelNest &nest;
  SmallVector<AccessFacts> accesses;
  AccessFacts store;
  int64_t numRegisters;
  double reductionArith = 0, epilogueArith = 0; ///< Of one vector operation each.

  Pricer(const KernelNest &nest, int64_t numRegisters);
  AccessFacts factsOf(const Access &access, bool inReduction) const;
  double accessCost(const AccessFacts &access, const Candidate &candidate) const;
  double price(const Candidate &candidate) const;
  double tilePrice(const Candidate &candidate, ArrayRef<int64_t> units) const;
  bool fitsRegisters(const Candidate &candidate) const;
};
} // namespace

static double arithOf(linalg::GenericOp op) {
  double cost = 0;
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (isa<math::SinOp, math::Exp2Op, math::Log2Op>(inner))
      cost += functionCost;
    else if (isa<arith::DivFOp, arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp,
                 math::SqrtOp>(inner))
      cost += divideCost;
    else if (!isa<ReadOp, linalg::IndexOp, arith::ConstantOp>(inner))
      cost += arithCost;
  }
  return cost;
}

Pricer::Pricer(const KernelNest &nest, int64_t numRegisters)
    : nest(nest), store(factsOf(nest.store, false)), numRegisters(numRegisters),
      epilogueArith(arithOf(nest.epilogue)) {
  for (const auto &[value, access] : nest.accesses)
    accesses.push_back(factsOf(access, nest.inReduction(value)));
  if (!nest.reduction)
    return;
  reductionArith = arithOf(nest.reduction);
  if (isMultiplyAdd(nest))
    reductionArith -= arithCost;
}

AccessFacts Pricer::factsOf(const Access &access, bool inReduction) const {
  AccessFacts facts;
  facts.guarded = !access.guards.empty();
  facts.inReduction = inReduction;
  LinearForm form(access.flat);
  for (unsigned loop = 0; loop < nest.numLoops(); ++loop) {
    facts.strides.push_back(form.strideAlong(loop));
    facts.loops |= uint64_t(access.dependsOn(loop)) << loop;
  }
  return facts;
}

/// What one instance of `access` costs.
double Pricer::accessCost(const AccessFacts &access, const Candidate &candidate) const {
  if (!access.movesWith(candidate.vectorDim))
    return loadCost;
  double lanes = candidate.width;
  std::optional<int64_t> stride = access.strides[candidate.vectorDim];
  double cost = lanes * indexedLaneCost;
  if (stride && std::abs(*stride) <= 1)
    cost = loadCost;
  else if (stride && std::abs(*stride) <= maxShuffledStride)
    cost = std::abs(*stride) * (loadCost + shuffleCost);
  else if (stride)
    cost = lanes * laneCost;
  return access.guarded ? cost + maskCost : cost;
}

/// Whether the accumulators and what one step needs beside them fit: all instances of every operand
/// but the one with the most, of which one at a time is enough.
bool Pricer::fitsRegisters(const Candidate &candidate) const {
  int64_t accumulators = 1, operands = 0, most = 0;
  for (unsigned loop = 0; loop < nest.numLoops(); ++loop)
    if (nest.isParallel(loop) || loop == candidate.vectorDim)
      accumulators *= candidate.unroll[loop];
  for (const AccessFacts &access : accesses) {
    if (nest.reduction && !access.inReduction)
      continue;
    int64_t instances = 1;
    for (unsigned loop = 0; loop < nest.numLoops(); ++loop)
      if (access.movesWith(loop) && (nest.isParallel(loop) || loop == candidate.vectorDim))
        instances *= candidate.unroll[loop];
    operands += instances;
    most = std::max(most, instances);
  }
  return accumulators + operands - most + 1 <= numRegisters;
}

/// One register tile of `units` copies per loop, with all its reduction steps.
double Pricer::tilePrice(const Candidate &candidate, ArrayRef<int64_t> units) const {
  bool reducesLanes = candidate.vectorDim >= 0 && !nest.isParallel(candidate.vectorDim);
  double elements = 1, steps = 1;
  for (unsigned loop = 0; loop < nest.numLoops(); ++loop) {
    if (nest.isParallel(loop))
      elements *= units[loop];
    else if (loop == candidate.vectorDim)
      steps *= llvm::divideCeil(nest.sizes[loop], candidate.width);
    else
      steps *= nest.sizes[loop];
  }
  double chains = elements * (reducesLanes ? candidate.unroll[candidate.vectorDim] : 1);
  double perStep = elements * reductionArith, perTile = tileOverhead + elements * epilogueArith;
  for (const AccessFacts &access : accesses) {
    double instances = 1;
    for (unsigned loop = 0; loop < nest.numParallel; ++loop)
      if (access.movesWith(loop))
        instances *= units[loop];
    (access.inReduction ? perStep : perTile) += instances * accessCost(access, candidate);
  }
  if (nest.reduction)
    perStep = std::max(perStep, chainLatency * elements / chains);
  if (reducesLanes)
    perTile += elements * (shuffleCost + arithCost) * llvm::Log2_64_Ceil(candidate.width);
  bool scatters =
      candidate.vectorDim >= 0 && !reducesLanes && store.strides[candidate.vectorDim] != 1;
  perTile += elements * (scatters ? candidate.width * laneCost : storeCost);
  return steps * perStep + perTile;
}

/// The whole nest: every combination of main part and rest of the parallel loops.
double Pricer::price(const Candidate &candidate) const {
  double total = 0;
  SmallVector<int64_t> units(nest.numLoops(), 1);
  auto visit = [&](auto &&self, unsigned loop, double times) -> void {
    if (loop == nest.numParallel) {
      total += times * tilePrice(candidate, units);
      return;
    }
    int64_t width = loop == candidate.vectorDim ? candidate.width : 1;
    int64_t step = candidate.unroll[loop] * width;
    if (int64_t trips = nest.sizes[loop] / step) {
      units[loop] = candidate.unroll[loop];
      self(self, loop + 1, times * trips);
    }
    if (int64_t rest = nest.sizes[loop] % step) {
      units[loop] = llvm::divideCeil(rest, width);
      self(self, loop + 1, times);
    }
  };
  visit(visit, 0, 1);
  return total;
}

//===----------------------------------------------------------------------===//
// Choice
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

/// The cheapest vector loop and register tile.
static Candidate choose(const KernelNest &nest, int64_t lanes, int64_t numRegisters) {
  Pricer pricer(nest, numRegisters);
  Candidate best;
  best.unroll.assign(nest.numLoops(), 1);
  double bestPrice = pricer.price(best);
  auto offer = [&](const Candidate &candidate) {
    double price = pricer.fitsRegisters(candidate) ? pricer.price(candidate)
                                                   : std::numeric_limits<double>::infinity();
    if (price < bestPrice) {
      best = candidate;
      bestPrice = price;
    }
  };
  for (int64_t vector = -1; vector < nest.numLoops(); ++vector) {
    if (vector >= 0 && (nest.sizes[vector] < 2 || lanes < 2))
      continue;
    Candidate candidate;
    candidate.vectorDim = vector;
    candidate.width = vector < 0 ? 1 : lanes;
    candidate.unroll.assign(nest.numLoops(), 1);
    int64_t vectors = vector < 0 ? 1 : llvm::divideCeil(nest.sizes[vector], lanes);
    for (int64_t jamVectors = 1; jamVectors <= std::min(vectors, maxJamVectors); ++jamVectors) {
      if (vector >= 0)
        candidate.unroll[vector] = jamVectors;
      offer(candidate);
      if (!nest.reduction)
        continue; // nothing is reused in registers
      for (int64_t outer = 0; outer < nest.numParallel; ++outer) {
        if (outer == vector)
          continue;
        for (int64_t jam = 2; jam <= std::min(nest.sizes[outer], maxJam); ++jam) {
          candidate.unroll[outer] = jam;
          offer(candidate);
          for (int64_t inner = outer + 1; inner < nest.numParallel; ++inner) {
            if (inner == vector)
              continue;
            for (int64_t jam2 = 2; jam2 <= std::min(nest.sizes[inner], maxJamVectors); ++jam2) {
              candidate.unroll[inner] = jam2;
              offer(candidate);
            }
            candidate.unroll[inner] = 1;
          }
        }
        candidate.unroll[outer] = 1;
      }
    }
  }
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
  // Lanes are reduced in the innermost loop only: their accumulators are carried by it.
  if (candidate.vectorDim >= static_cast<int64_t>(nest.numParallel)) {
    llvm::erase(order, candidate.vectorDim);
    order.push_back(candidate.vectorDim);
  }
  return order;
}

/// The workgroup along each parallel loop: outer loops are divided first, and no register tile is.
static SmallVector<int64_t> gridOf(const KernelNest &nest, const Candidate &candidate,
                                   ArrayRef<int64_t> order, int64_t minWork,
                                   int64_t maxWorkgroups) {
  double work = 1;
  for (int64_t size : nest.sizes)
    work *= size;
  double perElement = 1;
  for (linalg::GenericOp op : {nest.reduction, nest.epilogue})
    if (op)
      perElement += arithOf(op) / arithCost;
  int64_t wanted =
      static_cast<int64_t>(std::clamp<double>(work * perElement / minWork, 1, maxWorkgroups));
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
  for (int64_t &size : grid)
    size = std::max<int64_t>(size, 1); // a loop without steps
  return grid;
}

namespace {
struct SelectTilingCPUPass : tiny::impl::SelectTilingCPUPassBase<SelectTilingCPUPass> {
  using SelectTilingCPUPassBase::SelectTilingCPUPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(kernelAttrName) || function->hasAttr(tilingAttrName))
      return;
    FailureOr<KernelNest> nest = KernelNest::get(function);
    if (failed(nest))
      return signalPassFailure();
    Candidate candidate = choose(*nest, lanesFor(*nest, vectorBits), numVectorRegisters);
    SmallVector<int64_t> order = orderOf(*nest, candidate);
    SmallVector<int64_t> grid = gridOf(*nest, candidate, order, minWork, maxWorkgroups);
    function->setAttr(tilingAttrName, TilingAttr::get(&getContext(), grid, candidate.vectorDim,
                                                      candidate.width, candidate.unroll, order));
  }
};
} // namespace
