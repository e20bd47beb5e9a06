//===- SharedLoops.cpp - which loops nests have in common -----------------===//
//
// A value that one nest writes and another one reads connects a loop of each. Loops
// are split until that is so one by one; then loops in common are classes of connected
// ones, and legality of a merge is a question about classes.
//
//===----------------------------------------------------------------------===//

#include "SharedLoops.h"

#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"

#include <set>

using namespace mlir;
using namespace mlir::tiny;

SmallVector<Link> mlir::tiny::linksOf(ArrayRef<Nest> nests) {
  llvm::SmallDenseMap<Value, unsigned> writers;
  SmallVector<Link> links;
  for (auto [number, nest] : llvm::enumerate(nests)) {
    nest.forEachRead([&, number = number](const Node &read) {
      if (auto writer = writers.find(read.value); writer != writers.end())
        links.push_back({writer->second, static_cast<unsigned>(number), &read});
    });
    writers[nest.result] = number;
  }
  return links;
}

/// The steps at which loops begin, among the elements of a value in row-major order.
static void addSteps(ArrayRef<int64_t> extents, std::set<int64_t> &steps) {
  int64_t step = 1;
  for (int64_t extent : llvm::reverse(extents)) {
    steps.insert(step);
    step *= extent;
  }
}

static SmallVector<int64_t> extentsOf(const Nest &nest, ArrayRef<unsigned> loops) {
  return llvm::map_to_vector(loops, [&](unsigned loop) { return nest.extents()[loop]; });
}

/// Splits a loop of `nest` among `loops` (outermost first) at the first of `steps` that lies inside
/// of one. False if there is none.
static bool splitAt(Nest &nest, ArrayRef<unsigned> loops, const std::set<int64_t> &steps) {
  int64_t step = 1;
  for (unsigned loop : llvm::reverse(loops)) {
    int64_t end = step * nest.extents()[loop];
    auto inside = steps.upper_bound(step);
    if (inside != steps.end() && *inside < end) {
      nest.split(loop, *inside / step);
      return true;
    }
    step = end;
  }
  return false;
}

static SmallVector<unsigned> parallelLoops(const Nest &nest) {
  return llvm::to_vector(llvm::seq<unsigned>(0, nest.domain.numParallel));
}

bool mlir::tiny::alignLoops(MutableArrayRef<Nest> nests) {
  for (bool changed = true; changed;) {
    changed = false;
    llvm::SmallMapVector<unsigned, std::set<int64_t>, 4> stepsOf; // by writer
    SmallVector<Link> links = linksOf(nests);
    for (const Link &link : links) {
      auto loops = rowMajorLoops(nests[link.reader], *link.read);
      if (!loops)
        return false;
      std::set<int64_t> &steps = stepsOf[link.writer];
      addSteps(nests[link.writer].parallelExtents(), steps);
      addSteps(extentsOf(nests[link.reader], *loops), steps);
    }
    for (auto &[writer, steps] : stepsOf) {
      int64_t previous = 1;
      for (int64_t step : steps) {
        if (step % previous != 0)
          return false;
        previous = step;
      }
      changed |= splitAt(nests[writer], parallelLoops(nests[writer]), steps);
    }
    // A split moves the loops of that nest, so its other reads are looked at in the next round.
    llvm::SmallDenseSet<unsigned> split;
    for (const Link &link : links) {
      if (split.contains(link.reader) || changed)
        continue;
      auto loops = rowMajorLoops(nests[link.reader], *link.read);
      if (splitAt(nests[link.reader], *loops, stepsOf[link.writer])) {
        split.insert(link.reader);
        changed = true;
      }
    }
  }
  return true;
}

SharedLoops mlir::tiny::findSharedLoops(ArrayRef<Nest> nests) {
  using Loop = std::pair<unsigned, unsigned>; // nest, loop
  llvm::EquivalenceClasses<Loop> classes;
  for (auto [number, nest] : llvm::enumerate(nests))
    for (unsigned loop = 0; loop < nest.numLoops(); ++loop)
      classes.insert({static_cast<unsigned>(number), loop});
  for (const Link &link : linksOf(nests)) {
    auto loops = rowMajorLoops(nests[link.reader], *link.read);
    for (auto [written, read] : llvm::enumerate(*loops))
      classes.unionSets({link.writer, static_cast<unsigned>(written)}, {link.reader, read});
  }
  SharedLoops shared;
  shared.loops.assign(nests.size(), 0);
  for (const auto *leader : classes) {
    if (!leader->isLeader())
      continue;
    SmallVector<Loop> members(classes.member_begin(*leader), classes.member_end());
    llvm::SmallDenseSet<unsigned> seen;
    bool isShared = members.size() == nests.size();
    for (Loop loop : members)
      isShared &=
          seen.insert(loop.first).second && loop.second < nests[loop.first].domain.numParallel;
    if (!isShared)
      continue;
    shared.points *= nests[members.front().first].extents()[members.front().second];
    for (Loop loop : members)
      shared.loops[loop.first] |= uint64_t(1) << loop.second;
  }
  return shared;
}
