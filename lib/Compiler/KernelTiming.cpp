//===- KernelTiming.cpp - cycles from counted instructions ----------------===//
//
// A SIMD starts one instruction of each kind in a cycle, of different waves. So either
// one of the units is busy all the time, or there are not enough waves to keep any busy:
// then each of them takes the time of its instructions and of what it waits for. The
// time of a launch is the longest of these, on the unit that has the most workgroups.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Compiler/KernelTiming.h"

#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir::tiny;

/// Cycles of a transcendental instruction: a quarter of the rate ("RDNA3" Instruction Set
/// Architecture, section 7).
static constexpr double transcendentalCycles = 4;
/// Products and sums of one WMMA.
static constexpr double matrixFlops = 2.0 * 16 * 16 * 16;
/// Cycles until memory, LDS and the scalar cache answer, as in ContractionTiling.cpp; Chips and
/// Cheese, "Microbenchmarking AMD's RDNA 3", 2023.
static constexpr double memoryLatency = 500, ldsLatency = 40, scalarLatency = 200;
/// Bytes that the caches deliver to a unit in a cycle, where all units ask at the same time.
static constexpr double cacheBytesPerCycle = 32;

std::optional<LaunchCounts> LaunchCounts::get(const std::vector<tinyrt::KernelCounter> &counters,
                                              const tinyrt::KernelMetadata &kernel,
                                              unsigned launches) {
  LaunchCounts counts;
  counts.wgpMode = kernel.wgpMode;
  for (const tinyrt::KernelCounter &counter : counters) {
    if (counter.kernel != kernel.name)
      continue;
    double *number = llvm::StringSwitch<double *>(counter.name)
                         .Case("workgroups", &counts.workgroups)
                         .Case("waves", &counts.waves)
                         .Cases({"valu", "vopd"}, &counts.vector)
                         .Case("trans", &counts.transcendental)
                         .Case("wmma", &counts.matrix)
                         .Cases({"salu", "branch", "barrier", "message", "other"}, &counts.scalar)
                         .Case("smem", &counts.scalarLoads)
                         .Case("lds", &counts.ldsAccesses)
                         .Cases({"global", "flat", "buffer", "scratch"}, &counts.memoryAccesses)
                         .Case("wait", &counts.waits)
                         .Cases({"LDS loads", "LDS stores"}, &counts.ldsBytes)
                         .Case("LDS bank conflicts", &counts.bankConflictCycles)
                         .Case("global transactions", &counts.memoryLines)
                         .Default(nullptr);
    if (number)
      *number += counter.value / launches;
    else if (counter.name == "occupancy")
      counts.wavesPerSIMD = counter.value;
  }
  return counts.waves > 0 ? std::optional(counts) : std::nullopt;
}

double mlir::tiny::estimateSeconds(const LaunchCounts &counts, const Target &target) {
  const ComputeUnits &units = target.units;
  // The peak of a lane is a fused multiply-add in each half of a dual instruction.
  double clock =
      target.peak.gigaflops * 1e9 / (double(units.count) * units.simdsPerUnit * units.waveSize * 4);
  double matrixCycles =
      matrixFlops * clock * units.count * units.simdsPerUnit / (target.peak.matrixGigaflops * 1e9);

  // Compute units that a workgroup has for itself, and the part of all work that the busiest of
  // them has.
  double perGroup = counts.wgpMode ? 2 : 1;
  double groups = std::ceil(counts.workgroups * perGroup / units.count);
  double part = groups / counts.workgroups / perGroup;
  double simdPart = part / units.simdsPerUnit;

  double vectorCycles =
      counts.vector + counts.transcendental * transcendentalCycles + counts.matrix * matrixCycles;
  double scalarCycles = counts.scalar + counts.scalarLoads;
  double ldsCycles = std::max(counts.ldsAccesses, counts.ldsBytes / (units.ldsBanks * 4)) +
                     counts.bankConflictCycles;
  double memoryCycles = std::max(counts.memoryAccesses,
                                 counts.memoryLines * target.caches.lineBytes / cacheBytesPerCycle);
  // What a wait is for, nobody has counted: for what there is most of.
  double accesses = counts.memoryAccesses + counts.ldsAccesses + counts.scalarLoads;
  double answers = counts.memoryAccesses * memoryLatency + counts.ldsAccesses * ldsLatency +
                   counts.scalarLoads * scalarLatency;
  double stalls = accesses > 0 ? std::min(counts.waits, accesses) * answers / accesses : 0;
  double waveCycles =
      (vectorCycles + scalarCycles + counts.ldsAccesses + counts.memoryAccesses + stalls) /
      counts.waves;
  double waves = std::max(counts.waves * simdPart, 1.0);
  double atOnce = std::min(waves, std::max(counts.wavesPerSIMD, 1.0));

  double cycles = std::max({vectorCycles * simdPart, scalarCycles * simdPart, ldsCycles * part,
                            memoryCycles * part, std::ceil(waves / atOnce) * waveCycles});
  return cycles / clock;
}
