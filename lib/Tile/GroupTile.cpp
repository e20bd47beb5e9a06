//===- GroupTile.cpp - divide the loops that nests share ------------------===//
//
// The shared loops are divided until there are workgroups for all threads and what the
// nests hand to one another stays in the cache. Where that is not the best, the tiles to
// compare with are listed here, too.
//
//===----------------------------------------------------------------------===//

#include "GroupTile.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

/// The least divisor of `size` from `least` on.
static int64_t divisorFrom(int64_t size, int64_t least) {
  for (int64_t divisor = least; divisor < size; ++divisor)
    if (size % divisor == 0)
      return divisor;
  return std::max<int64_t>(size, 1);
}

/// Whether copies of the body along `loop` share an access.
static bool reusesAlong(const KernelNest &nest, unsigned loop) {
  return llvm::any_of(nest.accesses,
                      [&](const auto &entry) { return !entry.second.dependsOn(loop); });
}

GroupTile::GroupTile(ArrayRef<const KernelNest *> nests, const NestGroup &group,
                     ArrayRef<Candidate> candidates)
    : group(group) {
  for (const SmallVector<unsigned> &loops : group.shared) {
    int64_t size = nests.front()->sizes[loops.front()], vector = 1, registers = 1;
    for (auto [loop, candidate, nest] : llvm::zip(loops, candidates, nests)) {
      int64_t width = loop == candidate.vectorDim ? candidate.width : 1;
      vector = std::max(vector, width);
      if (reusesAlong(*nest, loop))
        registers = std::max(registers, width * candidate.unroll[loop]);
    }
    registers = std::max(registers, vector);
    whole.push_back(size);
    vectors.push_back(divisorFrom(size, vector));
    registerTiles.push_back(divisorFrom(size, registers));
  }
  sizes = whole;
  for (int64_t &size : sizes)
    size = std::max<int64_t>(size, 1); // a loop without steps

  llvm::MapVector<Value, Data> bySource;
  for (unsigned member = 0; member < nests.size(); ++member) {
    const KernelNest *nest = nests[member];
    llvm::SmallDenseSet<Value> seen;
    auto see = [&](const Access &access) {
      double bytes = double(access.elements) * access.type.getIntOrFloatBitWidth() / 8;
      Data &found = bySource.insert({access.source, {bytes, 0, false, 0}}).first->second;
      found.local = !isa<BlockArgument>(access.source);
      for (auto [position, loops] : llvm::enumerate(group.shared))
        found.shared |= uint64_t(access.dependsOn(loops[member])) << position;
      found.uses += seen.insert(access.source).second;
    };
    for (const auto &entry : nest->accesses)
      see(entry.second);
    see(nest->store);
  }
  for (auto &entry : bySource)
    data.push_back(entry.second);
}

double GroupTile::tileBytes(const Data &which) const {
  double bytes = which.bytes;
  for (unsigned loop = 0; loop < sizes.size(); ++loop)
    if (which.shared >> loop & 1)
      bytes *= double(sizes[loop]) / std::max<int64_t>(whole[loop], 1);
  return bytes;
}

double GroupTile::localBytes() const {
  double bytes = 0;
  for (const Data &which : data)
    if (which.local)
      bytes += tileBytes(which);
  return bytes;
}

/// Divides the outermost loop that can be divided, by as little as possible, while `reason` gives
/// the loops (as bits) whose division helps.
template <typename Reason> void GroupTile::divideWhile(Reason reason, ArrayRef<int64_t> units) {
  while (uint64_t loops = reason()) {
    bool divided = false;
    for (unsigned loop = 0; loop < sizes.size() && !divided; ++loop) {
      if (!(loops >> loop & 1))
        continue;
      for (int64_t size = sizes[loop] - units[loop]; size > 0 && !divided; --size) {
        divided = whole[loop] % size == 0 && size % units[loop] == 0;
        if (divided)
          sizes[loop] = size;
      }
    }
    if (!divided)
      return;
  }
}

double GroupTile::count() const {
  double count = 1;
  for (auto [size, total] : llvm::zip(sizes, whole))
    count *= std::max<int64_t>(total, 1) / size;
  return count;
}

/// The loops to divide, by no less than `units`, so that the data which `which` selects stays in
/// half of a cache. What no such division makes less takes its part of the cache first.
template <typename Which>
uint64_t GroupTile::leaves(Which which, int64_t cacheBytes, ArrayRef<int64_t> units) const {
  uint64_t divisible = 0, loops = 0;
  for (unsigned loop = 0; loop < sizes.size(); ++loop)
    divisible |= uint64_t(sizes[loop] > units[loop]) << loop;
  double fixed = 0, moved = 0;
  for (const Data &each : data) {
    if (!which(each))
      continue;
    (each.shared & divisible ? moved : fixed) += tileBytes(each);
    loops |= each.shared & divisible;
  }
  return moved > std::max(cacheBytes / 2.0 - fixed, cacheBytes / 4.0) ? loops : 0;
}

LogicalResult GroupTile::divide(int64_t wanted, double most, int64_t l1Bytes, int64_t l2Bytes,
                                int64_t maxLocals) {
  auto isAny = [](const Data &) { return true; };
  auto isHeld = [](const Data &each) { return each.local || each.uses > 1; };
  auto tooFew = [&] { return count() < wanted ? ~uint64_t(0) : 0; };

  divideWhile(tooFew, registerTiles);
  divideWhile([&] { return leaves(isAny, l2Bytes, registerTiles); }, registerTiles);
  // What one nest leaves for the next one should not even leave the first level, if that costs
  // neither register tiles, which save loads from any level, nor work per workgroup.
  divideWhile([&] { return count() < most ? leaves(isHeld, l1Bytes, registerTiles) : 0; },
              registerTiles);
  divideWhile(tooFew, vectors);
  divideWhile([&] { return leaves(isAny, l2Bytes, vectors); }, vectors);
  uint64_t movers = 0;
  for (const Data &each : data)
    if (each.local)
      movers |= each.shared;
  divideWhile([&] { return localBytes() > maxLocals ? movers : 0; },
              SmallVector<int64_t>(sizes.size(), 1));
  return success(localBytes() <= maxLocals);
}

/// Makes `access` that to one of `parts` of a local along `loop`: what lies around the divided dim
/// is so much closer together. False, with nothing changed, where the index has no such form.
static bool divideLocal(Access &access, unsigned loop, int64_t parts) {
  std::optional<int64_t> divided = access.strideAlong(loop);
  if (!access.dependsOn(loop) || parts == 1 || divided == 0)
    return true;
  MLIRContext *context = access.flat.getContext();
  AffineExpr dim = getAffineDimExpr(loop, context);
  LinearIndex index(access.flat);
  AffineExpr flat = getAffineConstantExpr(index.constant, context);
  for (auto [term, coefficient] : index.terms) {
    if (!divided || *divided < 0 || (term != dim && term.isFunctionOfDim(loop)))
      return false;
    if (term != dim && std::abs(coefficient) > *divided) {
      if (coefficient % parts != 0)
        return false;
      coefficient /= parts;
    }
    flat = flat + term * coefficient;
  }
  access.flat = flat;
  return true;
}

KernelNest GroupTile::tiled(const KernelNest &nest, unsigned member) const {
  KernelNest result = nest;
  for (auto [position, loops] : llvm::enumerate(group.shared)) {
    unsigned loop = loops[member];
    int64_t parts = std::max<int64_t>(whole[position], 1) / sizes[position];
    result.sizes[loop] = whole[position] ? sizes[position] : 0;
    auto divide = [&](Access &access) {
      if (access.dependsOn(loop))
        access.elements = llvm::divideCeil(access.elements, parts);
      if (!isa<BlockArgument>(access.source))
        divideLocal(access, loop, parts);
    };
    for (auto &entry : result.accesses)
      divide(entry.second);
    divide(result.store);
  }
  return result;
}

SmallVector<SmallVector<int64_t>> GroupTile::others() const {
  SmallVector<SmallVector<int64_t>> tiles;
  for (unsigned first = 0; first < whole.size(); ++first) {
    SmallVector<int64_t> tile(whole.size(), 1);
    SmallVector<unsigned> order = {first};
    for (unsigned loop = whole.size(); loop-- > 0;)
      if (loop != first)
        order.push_back(loop);
    double last = 0, points = 1;
    for (unsigned loop : order) {
      for (int64_t size = 1; size <= whole[loop]; ++size) {
        if (whole[loop] % size != 0 || points * size < 1.5 * last)
          continue;
        tile[loop] = size;
        last = points * size;
        tiles.push_back(tile);
      }
      tile[loop] = std::max<int64_t>(whole[loop], 1);
      points *= tile[loop];
    }
  }
  return tiles;
}

double GroupTile::cacheCycles(int64_t l1Bytes, int64_t l2Bytes) const {
  double held = localBytes(), cycles = 0;
  double perCycle = held > l2Bytes / 2.0 ? 6 : 16;
  if (held <= l1Bytes / 2.0)
    return 0;
  for (const Data &which : data)
    if (which.local)
      cycles += which.uses * tileBytes(which) / perCycle;
  return cycles;
}

bool GroupTile::knowsStrides(const KernelNest &nest, unsigned member) const {
  auto knows = [&](Access access) {
    for (auto [position, loops] : llvm::enumerate(group.shared)) {
      int64_t parts = std::max<int64_t>(whole[position], 1) / sizes[position];
      if (!isa<BlockArgument>(access.source) && !divideLocal(access, loops[member], parts))
        return false;
    }
    return true;
  };
  return knows(nest.store) &&
         llvm::all_of(nest.accesses, [&](const auto &entry) { return knows(entry.second); });
}

//===----------------------------------------------------------------------===//
// Locals
//===----------------------------------------------------------------------===//

/// Whether `value`, which a nest computes, is a local of its block.
static bool isLocal(Value value) {
  while (auto nest = value.getDefiningOp<linalg::GenericOp>())
    value = destinationOf(nest)->get();
  return value.getDefiningOp<tensor::EmptyOp>() != nullptr;
}

bool mlir::tiny::reuseLocals(const KernelNests &kernel) {
  bool changed = false;
  for (const KernelNest &nest : kernel.nests) {
    linalg::GenericOp op = nest.epilogue;
    OpOperand *destination = destinationOf(op);
    // What only moves elements would be nothing at all, and a nest less than there are tilings.
    if (nest.reduction || llvm::hasSingleElement(*op.getBody()) || !op.hasPureTensorSemantics() ||
        !destination->get().getDefiningOp<tensor::EmptyOp>() ||
        !op.getMatchingIndexingMap(destination).isIdentity())
      continue;
    for (OpOperand *input : op.getDpsInputOperands()) {
      Value local = input->get();
      auto isBefore = [&](Operation *user) {
        return user == op || (user->getBlock() == op->getBlock() && user->isBeforeInBlock(op));
      };
      bool readsOnce = llvm::count(op->getOperands(), local) == 1;
      if (local.getType() != destination->get().getType() || !readsOnce ||
          !op.getMatchingIndexingMap(input).isIdentity() ||
          !local.getDefiningOp<linalg::GenericOp>() ||
          local.getDefiningOp()->getBlock() != op->getBlock() || !isLocal(local) ||
          !llvm::all_of(local.getUsers(), isBefore))
        continue;
      destination->set(local);
      changed = true;
      break;
    }
  }
  return changed;
}
