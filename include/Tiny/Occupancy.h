//===- Occupancy.h - how many waves a compute unit holds --------*- C++ -*-===//
//
// Registers and LDS of a kernel against those of the chip. What a tiling asks for
// and what the compiler has made of it are counted by the same function. No MLIR
// or LLVM include.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_OCCUPANCY_H
#define TINY_OCCUPANCY_H

#include "Tiny/Target.h"

#include <algorithm>

namespace mlir::tiny {

/// What one workgroup takes.
struct WorkgroupNeeds {
  uint32_t waveSize = 32;
  uint32_t lanes = 32;    ///< of the workgroup
  uint32_t registers = 0; ///< VGPRs of a wave
  uint32_t ldsBytes = 0;
};

/// Waves on each SIMD, as a whole number: what is left over at the end of a compute unit counts for
/// nothing.
struct Occupancy {
  uint32_t waves = 0; ///< what all limits leave; 0 if the workgroup does not fit at all
  uint32_t byRegisters = 0;
  uint32_t byLds = 0; ///< the most there can be, if there is no LDS in it
};

/// In CU mode the waves of a workgroup share one compute unit and its LDS; in WGP mode they are on
/// both of a pair, and the LDS of the pair is one. "RDNA3" Instruction Set Architecture, section 2.
constexpr Occupancy occupancy(const Target &target, const WorkgroupNeeds &needs, bool wgpMode) {
  const ComputeUnits &units = target.units;
  auto roundUp = [](uint32_t value, uint32_t granule) {
    return granule ? (value + granule - 1) / granule * granule : value;
  };
  Occupancy result;
  if (!units.waveSize || !needs.waveSize)
    return result;
  // A register of a wave64 is two of the SIMD's.
  uint32_t factor = std::max(needs.waveSize / units.waveSize, 1u);
  uint32_t allocated = roundUp(std::max(needs.registers, 1u) * factor, units.registerGranule);
  result.byRegisters = std::min(units.wavesPerSIMD, units.registersPerSIMD / allocated);

  uint32_t perGroup = (std::max(needs.lanes, 1u) + needs.waveSize - 1) / needs.waveSize;
  uint32_t pairs = wgpMode ? 2 : 1, simds = units.simdsPerUnit * pairs;
  uint32_t groups = result.byRegisters * simds / perGroup;
  result.byLds = units.wavesPerSIMD;
  if (needs.ldsBytes > 0) {
    uint32_t bytes = roundUp(needs.ldsBytes, units.ldsGranule);
    uint32_t groupsByLds = needs.ldsBytes > units.ldsBytes ? 0 : units.ldsBytes * pairs / bytes;
    result.byLds = std::min(units.wavesPerSIMD, groupsByLds * perGroup / simds);
    // Less than a wave per SIMD is one on some of them.
    if (groupsByLds > 0)
      result.byLds = std::max(result.byLds, 1u);
    groups = std::min(groups, groupsByLds);
  }
  result.waves = std::min(units.wavesPerSIMD, groups * perGroup / simds);
  if (groups > 0)
    result.waves = std::max(result.waves, 1u);
  return result;
}

} // namespace mlir::tiny

#endif // TINY_OCCUPANCY_H
