//===- NestPrice.cpp - count what a nest would execute --------------------===//

#include "NestPrice.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

// In cycles of a core that starts two loads and two vector operations per cycle. Only their ratios
// matter, and these are alike on every such core since Haswell and Zen 2 (Agner Fog, "Instruction
// tables", 2022: VFMADD, VMOVUPS, VBROADCASTSS, VSHUFPS, VINSERTPS).
static constexpr double loadCost = 0.5, arithCost = 0.5, storeCost = 1, shuffleCost = 0.75,
                        laneCost = 1, indexedLaneCost = 2, functionCost = 10, divideCost = 4,
                        chainLatency = 4, tileOverhead = 8, maskCost = 1;
/// Instructions of a tile beyond which they come at about half the rate. A core keeps 4096 decoded
/// ones since Zen 2 and Golden Cove; a tile is there with guards and without, and again for the
/// rest of a loop.
static constexpr double decodedInstructions = 1024, decodeFactor = 2;

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
  for (unsigned loop = nest.numLoops(); loop-- > nest.numParallel;) {
    if (unrolledSteps * nest.sizes[loop] > maxUnrolledReduction)
      break;
    unrolledSteps *= std::max<int64_t>(nest.sizes[loop], 1);
  }
  if (isMultiplyAdd(nest))
    reductionArith -= arithCost;
}

AccessFacts Pricer::factsOf(const Access &access, bool inReduction) const {
  AccessFacts facts;
  facts.guarded = !access.guards.empty();
  facts.inReduction = inReduction;
  facts.loops = access.loops;
  for (const Guard &guard : access.guards)
    facts.guardLoops |= guard.computed ? ~uint64_t(0) : guard.loops;
  for (unsigned loop = 0; loop < nest.numLoops(); ++loop)
    facts.strides.push_back(access.strideAlong(loop));
  return facts;
}

/// Whether squares of `access` are loaded along another loop and transposed (BodyEmitter).
bool Pricer::isTransposed(const AccessFacts &access, const Candidate &candidate) const {
  if (access.inReduction || !llvm::isPowerOf2_64(candidate.width))
    return false;
  for (unsigned loop = 0; loop < nest.numParallel; ++loop)
    if (static_cast<int64_t>(loop) != candidate.vectorDim && access.strides[loop] == 1 &&
        candidate.unroll[loop] % candidate.width == 0)
      return true;
  return false;
}

/// The part of the tiles in which a guard of `access` may fail: those at both ends of the loops
/// that move it.
double Pricer::guardedPart(const AccessFacts &access, const Candidate &candidate) const {
  double holds = access.guarded;
  for (unsigned loop = 0; loop < nest.numParallel; ++loop) {
    if (!(access.guardLoops >> loop & 1))
      continue;
    int64_t width = loop == candidate.vectorDim ? candidate.width : 1;
    double tiles = llvm::divideCeil(nest.sizes[loop], candidate.unroll[loop] * width);
    holds *= std::max(1 - 2 / tiles, 0.0);
  }
  return access.guarded - holds;
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
    cost = isTransposed(access, candidate)
               ? loadCost + shuffleCost * llvm::Log2_64_Ceil(candidate.width)
               : lanes * laneCost;
  if (!access.guarded)
    return cost;
  // Each vector of a span has a mask of its own, which takes shuffles; else it is a comparison that
  // neighbours share.
  bool isSpan = stride && std::abs(*stride) > 1 && std::abs(*stride) <= maxShuffledStride;
  return cost +
         maskCost * (isSpan ? guardedPart(access, candidate) * std::abs(double(*stride)) : 1);
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
  if (perStep / arithCost * unrolledSteps > decodedInstructions)
    perStep *= decodeFactor;
  if (nest.reduction)
    perStep = std::max(perStep, chainLatency * elements / chains);
  if (reducesLanes)
    perTile += elements * (shuffleCost + arithCost) * llvm::Log2_64_Ceil(candidate.width);
  bool scatters =
      candidate.vectorDim >= 0 && !reducesLanes && store.strides[candidate.vectorDim] != 1;
  (nest.isScan() ? perStep : perTile) +=
      elements * (scatters ? candidate.width * laneCost : storeCost);
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

double mlir::tiny::operationsOf(linalg::GenericOp op) { return arithOf(op) / arithCost; }

double mlir::tiny::operationsOf(const KernelNest &nest) {
  double operations = 1;
  for (linalg::GenericOp op : {nest.reduction, nest.epilogue})
    if (op)
      operations += operationsOf(op);
  return operations;
}
