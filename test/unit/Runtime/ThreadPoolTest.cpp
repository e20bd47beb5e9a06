//===- ThreadPoolTest.cpp - everything runs, once -------------------------===//

#include "Tiny/Runtime/ThreadPool.h"

#include <gtest/gtest.h>
#include <memory>

using namespace tinyrt;

namespace {
/// Counts how often each index was run.
struct Counts {
  explicit Counts(uint64_t size) : size(size), counts(new std::atomic<int>[size]()) {}

  void runOn(ThreadPool &pool) {
    pool.run(
        size,
        [](void *self, uint64_t first, uint64_t last) {
          for (uint64_t i = first; i < last; ++i)
            static_cast<Counts *>(self)->counts[i].fetch_add(1, std::memory_order_relaxed);
        },
        this);
  }
  bool all(int expected) const {
    for (uint64_t i = 0; i < size; ++i)
      if (counts[i] != expected)
        return false;
    return true;
  }

  uint64_t size;
  std::unique_ptr<std::atomic<int>[]> counts;
};
} // namespace

TEST(ThreadPool, RunsEverythingOnce) {
  for (unsigned threads : {1u, 2u, 3u, 8u}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    for (uint64_t count : {0, 1, 2, 3, 7, 16, 17, 1000}) {
      Counts counts(count);
      for (int round = 1; round <= 50; ++round) {
        counts.runOn(pool);
        ASSERT_TRUE(counts.all(round)) << threads << " threads, " << count << " pieces";
      }
    }
  }
  EXPECT_EQ(ThreadPool().size(), ThreadPool::availableCores());
}

TEST(ThreadPool, ManySmallJobs) {
  ThreadPool pool(4);
  Counts few(5), many(64);
  for (int round = 1; round <= 20000; ++round) {
    few.runOn(pool);
    many.runOn(pool);
    ASSERT_TRUE(few.all(round));
  }
  EXPECT_TRUE(many.all(20000));
}

TEST(ThreadPool, WakesSleepers) {
  ThreadPool pool(3);
  Counts counts(100);
  for (int round = 1; round <= 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    counts.runOn(pool);
    ASSERT_TRUE(counts.all(round));
  }
}

TEST(ThreadPool, CallersTakeTurns) {
  ThreadPool pool(2);
  std::vector<std::thread> callers;
  std::atomic<int> right{0};
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      Counts counts(33);
      for (int round = 1; round <= 500; ++round)
        counts.runOn(pool);
      right += counts.all(500);
    });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_EQ(right, 4);
}
