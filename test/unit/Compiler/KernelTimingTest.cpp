//===- KernelTimingTest.cpp - counted instructions as seconds --------------===//

#include "Tiny/Compiler/KernelTiming.h"

#include "gtest/gtest.h"

using namespace mlir::tiny;

namespace {

const Target &card() { return *findTarget("gfx1100"); }

/// Enough waves for all units, which never wait.
LaunchCounts busy() {
  LaunchCounts counts;
  counts.workgroups = card().units.count * 8;
  counts.waves = counts.workgroups * 8;
  counts.wavesPerSIMD = 16;
  return counts;
}

TEST(KernelTiming, MatrixInstructionsAloneReachThePeak) {
  LaunchCounts counts = busy();
  counts.matrix = counts.waves * 1000;
  double flops = counts.matrix * 2 * 16 * 16 * 16;
  EXPECT_NEAR(flops / estimateSeconds(counts, card()), card().peak.matrixGigaflops * 1e9, 1e9);
}

TEST(KernelTiming, TheBusiestUnitDecides) {
  LaunchCounts counts = busy();
  counts.vector = counts.waves * 1000;
  double vectors = estimateSeconds(counts, card());
  counts.scalar = counts.waves * 500; // of other waves at the same time
  EXPECT_DOUBLE_EQ(estimateSeconds(counts, card()), vectors);
  counts.ldsAccesses = counts.waves * 100;
  counts.bankConflictCycles = counts.waves * 2000;
  EXPECT_GT(estimateSeconds(counts, card()), vectors);
}

TEST(KernelTiming, FewWavesWait) {
  LaunchCounts counts = busy();
  counts.vector = counts.waves * 100;
  counts.memoryAccesses = counts.waits = counts.waves * 10;
  double many = estimateSeconds(counts, card());
  counts.wavesPerSIMD = 1;
  EXPECT_GT(estimateSeconds(counts, card()), many * 4);
}

TEST(KernelTiming, WorkgroupsLeaveUnitsIdle) {
  LaunchCounts counts = busy();
  counts.vector = counts.waves * 1000;
  double even = estimateSeconds(counts, card());
  counts.workgroups = card().units.count + 1; // the same work: two rounds, the second nearly empty
  EXPECT_NEAR(estimateSeconds(counts, card()) / even, 2.0, 0.05);
}

TEST(KernelTiming, ReadsTheCountersOfItsKernel) {
  tinyrt::KernelMetadata kernel;
  kernel.name = "one";
  std::vector<tinyrt::KernelCounter> counters = {{"one", "waves", "", 8},
                                                 {"one", "valu", "instructions", 100},
                                                 {"one", "vopd", "instructions", 50},
                                                 {"other", "valu", "instructions", 7},
                                                 {"one", "occupancy", "of 16 waves per SIMD", 5}};
  std::optional<LaunchCounts> counts = LaunchCounts::get(counters, kernel, /*launches=*/2);
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->waves, 4);
  EXPECT_EQ(counts->vector, 75);
  EXPECT_EQ(counts->wavesPerSIMD, 5);
  kernel.name = "none";
  EXPECT_FALSE(LaunchCounts::get(counters, kernel, 1));
}

} // namespace
