//===- MemoryPlannerTest.cpp - buffers that share no byte -----------------===//

#include "Tiny/Schedule/MemoryPlanner.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <vector>

using namespace mlir::tiny;

namespace {
constexpr int64_t kAlignment = 64;

/// The bound, by asking for every time what is alive then.
int64_t boundByDefinition(const std::vector<BufferInterval> &buffers) {
  int64_t most = 0;
  for (const BufferInterval &at : buffers) {
    int64_t bytes = 0;
    for (const BufferInterval &buffer : buffers)
      if (buffer.first <= at.first && at.first <= buffer.last)
        bytes += llvm::alignTo(buffer.bytes, kAlignment);
    most = std::max(most, bytes);
  }
  return most;
}

void expectSound(const std::vector<BufferInterval> &buffers, int64_t peak) {
  int64_t end = 0;
  for (size_t i = 0; i < buffers.size(); ++i) {
    const BufferInterval &a = buffers[i];
    ASSERT_GE(a.offset, 0);
    ASSERT_EQ(a.offset % kAlignment, 0);
    end = std::max<int64_t>(end, a.offset + llvm::alignTo(a.bytes, kAlignment));
    for (size_t j = 0; j < i; ++j) {
      const BufferInterval &b = buffers[j];
      if (a.last < b.first || b.last < a.first)
        continue;
      ASSERT_TRUE(a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset)
          << "buffers " << i << " and " << j << " are alive together and share bytes";
    }
  }
  EXPECT_EQ(peak, end);
}

std::vector<BufferInterval> randomBuffers(unsigned seed, int64_t count, int64_t longest) {
  std::mt19937 random(seed);
  auto below = [&](int64_t n) { return static_cast<int64_t>(random() % n); };
  std::vector<BufferInterval> buffers;
  for (int64_t i = 0; i < count; ++i) {
    int64_t first = below(count);
    buffers.push_back({1 + below(1 << (4 + below(14))), first, first + below(1 + below(longest))});
  }
  return buffers;
}
} // namespace

TEST(MemoryPlanner, RandomIntervalsNeverOverlapWhileBothAlive) {
  double worst = 1, sum = 0;
  constexpr unsigned seeds = 300;
  for (unsigned seed = 0; seed < seeds; ++seed) {
    auto buffers = randomBuffers(seed, 1 + seed % 120, 1 + seed % 17);
    int64_t bound = livenessLowerBound(buffers, kAlignment);
    EXPECT_EQ(bound, boundByDefinition(buffers)) << "seed " << seed;
    int64_t peak = placeBuffers(buffers, kAlignment);
    EXPECT_GE(peak, bound) << "seed " << seed;
    expectSound(buffers, peak);
    double ratio = static_cast<double>(peak) / static_cast<double>(bound);
    worst = std::max(worst, ratio);
    sum += ratio;
  }
  EXPECT_LE(sum / seeds, 1.02);
  EXPECT_LE(worst, 1.15);
}

TEST(MemoryPlanner, NothingToPlace) {
  std::vector<BufferInterval> none;
  EXPECT_EQ(livenessLowerBound(none, kAlignment), 0);
  EXPECT_EQ(placeBuffers(none, kAlignment), 0);
  std::vector<BufferInterval> empty{{0, 0, 3}, {0, 1, 2}};
  EXPECT_EQ(placeBuffers(empty, kAlignment), 0);
}

// A chain in which every buffer is as large as the next one needs two of them.
TEST(MemoryPlanner, ReachesTheBoundOfAChain) {
  std::vector<BufferInterval> buffers;
  for (int64_t i = 0; i < 100; ++i)
    buffers.push_back({1000, i, i + 1});
  EXPECT_EQ(placeBuffers(buffers, kAlignment), 2 * 1024);
}

TEST(MemoryPlanner, ManyBuffersTakeWellUnderASecond) {
  for (int64_t longest : {4, 40, 60'000}) { // the last: most are alive together
    auto buffers = randomBuffers(1, 50'000, longest);
    auto start = std::chrono::steady_clock::now();
    int64_t bound = livenessLowerBound(buffers, kAlignment);
    int64_t peak = placeBuffers(buffers, kAlignment);
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    RecordProperty("seconds", std::to_string(seconds.count()));
    EXPECT_GE(peak, bound);
    EXPECT_LE(static_cast<double>(peak), 1.25 * static_cast<double>(bound));
    // Generous, for sanitizers and busy machines; a quadratic search takes minutes there.
    EXPECT_LT(seconds.count(), 10) << longest;
  }
}
