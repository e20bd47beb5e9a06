//===- MemoryPlanner.cpp - offsets for buffers that live at times ---------===//
//
// The best placement is hard to find, and a good one is easy: several greedy orders
// are tried and the best result is kept, until one reaches the liveness bound. First
// comes an allocator that walks through time, which is cheap whatever the program
// is like. Then buffers are placed in orders of importance (the largest first, those
// alive at the fullest time first, …), each at the lowest offset that is free for
// all of its life; this looks at the buffers that are alive together only. Last, the
// buffers that reach the peak are moved to the front of the best order, a few times.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Schedule/MemoryPlanner.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"

#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

using namespace mlir::tiny;
using llvm::ArrayRef;
using llvm::MutableArrayRef;
using llvm::SmallVector;

/// Above so many pairs of buffers that are alive together only the walk through time is tried: for
/// 50,000 buffers this stands for 80 others beside each.
constexpr size_t kMaxPairs = 4 << 20;
/// How many looks at a neighbour all repairs together may take, and how many repairs at most.
constexpr size_t kRepairBudget = 16 << 20;
constexpr int kMaxRepairs = 200;

namespace {
/// A search for offsets: everything that the placements share.
class Placement {
public:
  Placement(ArrayRef<BufferInterval> buffers, int64_t alignment);
  void run();

  SmallVector<int64_t> best; ///< Offsets.
  int64_t bestPeak = INT64_MAX;
  int64_t bound = 0;

private:
  using Order = SmallVector<unsigned>;

  void computeLoads();
  bool findNeighbours();
  SmallVector<int64_t> walkThroughTime() const;
  SmallVector<int64_t> placeInOrder(ArrayRef<unsigned> order) const;
  /// Whether `offsets` are better than the best so far, which they then become.
  bool keepIfBetter(SmallVector<int64_t> offsets);
  int64_t peakOf(ArrayRef<int64_t> offsets) const;
  void repair(Order order);

  ArrayRef<BufferInterval> buffers;
  SmallVector<int64_t> sizes;   ///< Aligned.
  Order byStart;                ///< Buffers in the order of their first use.
  SmallVector<int64_t> loads;   ///< Per buffer: the most bytes alive at a time while it lives.
  SmallVector<unsigned> starts; ///< Of each buffer's neighbours.
  SmallVector<unsigned> neighbours;
};
} // namespace

Placement::Placement(ArrayRef<BufferInterval> buffers, int64_t alignment) : buffers(buffers) {
  for (const BufferInterval &buffer : buffers)
    sizes.push_back(llvm::alignTo(buffer.bytes, alignment));
  byStart.resize(buffers.size());
  std::iota(byStart.begin(), byStart.end(), 0);
  llvm::sort(byStart, [&](unsigned a, unsigned b) {
    return std::tuple(buffers[a].first, -sizes[a], a) < std::tuple(buffers[b].first, -sizes[b], b);
  });
  computeLoads();
}

/// The bytes alive at every time at which a buffer begins, and with a table of maxima over 2^k of
/// these times, the most of them in each buffer's life.
void Placement::computeLoads() {
  SmallVector<int64_t> times, alive;
  std::multimap<int64_t, int64_t> ends; // last use to size
  int64_t bytes = 0;
  for (unsigned buffer : byStart) {
    int64_t now = buffers[buffer].first;
    while (!ends.empty() && ends.begin()->first < now) {
      bytes -= ends.begin()->second;
      ends.erase(ends.begin());
    }
    bytes += sizes[buffer];
    ends.insert({buffers[buffer].last, sizes[buffer]});
    if (times.empty() || times.back() != now) {
      times.push_back(now);
      alive.push_back(0);
    }
    alive.back() = bytes; // the last one of this time counts
  }
  bound = alive.empty() ? 0 : *std::max_element(alive.begin(), alive.end());
  SmallVector<SmallVector<int64_t>> maxima{alive};
  for (size_t step = 1; 2 * step <= alive.size(); step *= 2) {
    const SmallVector<int64_t> &half = maxima.back();
    SmallVector<int64_t> next;
    for (size_t i = 0; i + 2 * step <= alive.size(); ++i)
      next.push_back(std::max(half[i], half[i + step]));
    maxima.push_back(std::move(next));
  }
  for (const BufferInterval &buffer : buffers) {
    size_t begin = llvm::lower_bound(times, buffer.first) - times.begin();
    size_t end = llvm::upper_bound(times, buffer.last) - times.begin();
    unsigned level = llvm::Log2_64(end - begin);
    loads.push_back(std::max(maxima[level][begin], maxima[level][end - (size_t(1) << level)]));
  }
}

/// Lists the buffers that are alive together with each one; false if there are too many.
bool Placement::findNeighbours() {
  SmallVector<std::pair<unsigned, unsigned>> pairs;
  SmallVector<unsigned> alive;
  for (unsigned buffer : byStart) {
    llvm::erase_if(alive,
                   [&](unsigned other) { return buffers[other].last < buffers[buffer].first; });
    for (unsigned other : alive)
      pairs.push_back({buffer, other});
    if (pairs.size() > kMaxPairs)
      return false;
    alive.push_back(buffer);
  }
  starts.assign(buffers.size() + 1, 0);
  for (auto [a, b] : pairs)
    ++starts[a + 1], ++starts[b + 1];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  neighbours.resize(2 * pairs.size());
  SmallVector<unsigned> next(starts.begin(), std::prev(starts.end()));
  for (auto [a, b] : pairs)
    neighbours[next[a]++] = b, neighbours[next[b]++] = a;
  return true;
}

int64_t Placement::peakOf(ArrayRef<int64_t> offsets) const {
  int64_t peak = 0;
  for (auto [offset, size] : llvm::zip(offsets, sizes))
    peak = std::max(peak, offset + size);
  return peak;
}

bool Placement::keepIfBetter(SmallVector<int64_t> offsets) {
  int64_t peak = peakOf(offsets);
  if (peak >= bestPeak)
    return false;
  bestPeak = peak;
  best = std::move(offsets);
  return true;
}

/// What an allocator would do at run time: each buffer goes into the smallest hole that it fits.
SmallVector<int64_t> Placement::walkThroughTime() const {
  std::map<int64_t, int64_t> holes; // offset to size
  std::set<std::pair<int64_t, int64_t>> bySize;
  std::multimap<int64_t, unsigned> ends;
  SmallVector<int64_t> offsets(buffers.size(), 0);
  int64_t top = 0;
  auto erase = [&](std::map<int64_t, int64_t>::iterator hole) {
    bySize.erase({hole->second, hole->first});
    holes.erase(hole);
  };
  auto release = [&](int64_t offset, int64_t size) {
    auto after = holes.lower_bound(offset);
    if (after != holes.end() && after->first == offset + size) {
      size += after->second;
      erase(after);
    }
    auto before = holes.lower_bound(offset);
    if (before != holes.begin() && (--before)->first + before->second == offset) {
      offset = before->first;
      size += before->second;
      erase(before);
    }
    holes[offset] = size;
    bySize.insert({size, offset});
  };
  for (unsigned buffer : byStart) {
    while (!ends.empty() && ends.begin()->first < buffers[buffer].first) {
      release(offsets[ends.begin()->second], sizes[ends.begin()->second]);
      ends.erase(ends.begin());
    }
    int64_t size = sizes[buffer];
    if (size == 0)
      continue;
    ends.insert({buffers[buffer].last, buffer});
    auto fit = bySize.lower_bound({size, 0});
    if (fit != bySize.end()) {
      auto [holeSize, offset] = *fit;
      erase(holes.find(offset));
      offsets[buffer] = offset;
      if (holeSize > size)
        release(offset + size, holeSize - size);
      continue;
    }
    // The arena grows; a hole at its end is used up first.
    offsets[buffer] = top;
    if (!holes.empty() && std::prev(holes.end())->first + std::prev(holes.end())->second == top) {
      offsets[buffer] = std::prev(holes.end())->first;
      erase(std::prev(holes.end()));
    }
    top = offsets[buffer] + size;
  }
  return offsets;
}

/// Each buffer at the lowest offset that none of its neighbours so far takes.
SmallVector<int64_t> Placement::placeInOrder(ArrayRef<unsigned> order) const {
  SmallVector<int64_t> offsets(buffers.size(), -1);
  SmallVector<std::pair<int64_t, int64_t>> taken;
  for (unsigned buffer : order) {
    taken.clear();
    for (unsigned i = starts[buffer]; i < starts[buffer + 1]; ++i)
      if (unsigned other = neighbours[i]; offsets[other] >= 0)
        taken.push_back({offsets[other], offsets[other] + sizes[other]});
    llvm::sort(taken);
    int64_t offset = 0;
    for (auto [begin, end] : taken) {
      if (offset + sizes[buffer] <= begin)
        break; // fits into the gap before it
      offset = std::max(offset, end);
    }
    offsets[buffer] = offset;
  }
  return offsets;
}

/// Whoever reaches the peak should have been asked earlier.
void Placement::repair(Order order) {
  SmallVector<int64_t> offsets = placeInOrder(order);
  size_t looks = neighbours.size() + buffers.size();
  for (int round = 0; round < kMaxRepairs && round * looks < kRepairBudget; ++round) {
    int64_t peak = peakOf(offsets);
    Order front, others;
    for (unsigned buffer : order)
      (offsets[buffer] + sizes[buffer] == peak ? front : others).push_back(buffer);
    order = std::move(front);
    order.append(others);
    offsets = placeInOrder(order);
    keepIfBetter(offsets);
    if (bestPeak == bound)
      return;
  }
}

void Placement::run() {
  keepIfBetter(walkThroughTime());
  if (bestPeak == bound || !findNeighbours())
    return;
  auto life = [&](unsigned i) { return buffers[i].last - buffers[i].first + 1; };
  // By what a buffer's importance is judged, the largest first.
  using Key = std::tuple<double, double>;
  auto area = [&](unsigned i) {
    return static_cast<double>(sizes[i]) * static_cast<double>(life(i));
  };
  const std::function<Key(unsigned)> keys[] = {
      [&](unsigned i) { return Key(sizes[i], life(i)); },
      [&](unsigned i) { return Key(loads[i], sizes[i]); },
      [&](unsigned i) { return Key(loads[i], area(i)); },
      [&](unsigned i) { return Key(area(i), sizes[i]); },
      [&](unsigned i) { return Key(life(i), sizes[i]); },
  };
  Order bestOrder = byStart;
  for (const auto &key : keys) {
    Order order = byStart;
    llvm::sort(order, [&](unsigned a, unsigned b) {
      return std::tuple(key(b), buffers[a].first, a) < std::tuple(key(a), buffers[b].first, b);
    });
    if (keepIfBetter(placeInOrder(order)))
      bestOrder = order;
    if (bestPeak == bound)
      return;
  }
  repair(bestOrder);
}

int64_t mlir::tiny::livenessLowerBound(ArrayRef<BufferInterval> buffers, int64_t alignment) {
  return Placement(buffers, alignment).bound;
}

int64_t mlir::tiny::placeBuffers(MutableArrayRef<BufferInterval> buffers, int64_t alignment) {
  if (buffers.empty())
    return 0;
  Placement placement(buffers, alignment);
  placement.run();
  for (auto [buffer, offset] : llvm::zip(buffers, placement.best))
    buffer.offset = offset;
  return placement.bestPeak;
}
