//===- Target.h - hardware facts, one row per chip --------------*- C++ -*-===//
//
// The only place with numbers about hardware: a pass asks the row it is given.
// No MLIR or LLVM include, so that every stage and the runtime can read it. The
// rows of CPUs are for cross-compiling and tests; for the machine at hand,
// describeCPU (Tiny/Compiler/CPU.h) fills one from CPUID.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TARGET_H
#define TINY_TARGET_H

#include <cstdint>
#include <string_view>

namespace mlir::tiny {

enum class TargetKind : uint8_t { cpu, gpu };

struct CacheSizes {
  uint32_t lineBytes = 64;
  uint32_t l1Bytes = 32 << 10; ///< data, per core
  uint32_t l2Bytes = 1 << 20;  ///< per core
  uint32_t l3Bytes = 0;        ///< shared; 0 if there is none or it is not known
};

/// What a GPU has per compute unit (CU). Zero on a CPU.
struct ComputeUnits {
  uint32_t count = 0;
  uint32_t simdsPerUnit = 0;
  uint32_t waveSize = 0;
  uint32_t registersPerSIMD = 0; ///< of wave size times 32 bits
  uint32_t registerGranule = 0;  ///< what a wave's registers are rounded up to
  uint32_t ldsBytes = 0;         ///< per workgroup
  uint32_t ldsBanks = 0;
  uint32_t wavesPerSIMD = 0; ///< at most
  uint32_t ldsGranule = 0;   ///< what a workgroup's LDS is rounded up to
};

/// What a chip reaches at most, for rooflines. Zero where it is not known.
struct PeakRates {
  uint32_t gigaflops = 0; ///< f32, outside of a matrix unit; a fused multiply-add counts as two
  uint32_t memoryGBPerSecond = 0;
  uint32_t matrixGigaflops = 0; ///< f16 and i8 in the matrix unit
};

struct Target {
  std::string_view name; ///< as `--target` or `--cpu` spells it
  TargetKind kind = TargetKind::cpu;
  std::string_view arch; ///< first component of the LLVM triple
  uint32_t vectorBits = 128;
  uint32_t numVectorRegisters = 16;
  bool hasFMA = false;
  bool hasF16Conversion = false; ///< f16 to f32 and back, in one instruction
  uint32_t maskedBits = 0;       ///< the narrowest elements that loads under a mask have; 0: none
  bool hasMatrixUnit = false;    ///< AMX for bytes and bf16, or WMMA
  /// Instructions that multiply vectors of pairs of 16-bit integers and add them to sums; 0: none.
  uint32_t pairInstructions = 0;
  CacheSizes caches = {};
  ComputeUnits units = {};
  PeakRates peak = {};
  /// Whether one instruction multiplies floats by 2^n, and one takes the integer from them:
  /// AVX-512.
  bool hasFloatScaling = false;
  /// Whether one instruction multiplies vectors of four u8 and four i8 and adds them to sums.
  bool hasByteProducts = false;
  /// Whether the widest vectors go through the units in two halves: Zen 4 (AMD, "Software
  /// Optimization Guide for the AMD Zen4 Microarchitecture", 2.11).
  bool halvesVectors = false;
};

inline constexpr Target kTargets[] = {
    // x86-64 psABI micro-architecture levels: SSE2, AVX2, AVX-512. An instruction set has no peak,
    // so
    // each row has that of a chip that made it common; docs/Targets.md has the sums and sources.
    {"x86-64",
     TargetKind::cpu,
     "x86_64",
     128,
     16,
     false,
     false,
     0,
     false,
     2,
     {},
     {},
     PeakRates{48, 10}}, // Core 2 Duo E8400
    {"x86-64-v3",
     TargetKind::cpu,
     "x86_64",
     256,
     16,
     true,
     true,
     32,
     false,
     2,
     {},
     {},
     PeakRates{435, 25}}, // Core i7-4770
    {"x86-64-v4",
     TargetKind::cpu,
     "x86_64",
     512,
     32,
     true,
     true,
     8,
     false,
     2,
     {},
     {},
     PeakRates{2112, 85}, // Core i9-7900X
     true},
    {"aarch64",
     TargetKind::cpu,
     "aarch64",
     128,
     32,
     true,
     true,
     0,
     false,
     0,
     {},
     {},
     PeakRates{153, 17}}, // Raspberry Pi 5
    // RDNA3: "RDNA3" Instruction Set Architecture, sections 2, 3 and 10; WMMA 16x16x16 in f16, bf16
    // and i8. Registers and their granule: gfx1102 has a third less (what the others have beyond it
    // is LLVM's Feature1_5xVGPRs). Units, caches and memory: AMD's product pages.
    // Radeon RX 7900 XTX.
    {"gfx1100", TargetKind::gpu, "amdgcn", 1024, 256, true, true, 8, true, 0,
     CacheSizes{128, 32 << 10, 6 << 20, 96 << 20},
     ComputeUnits{96, 2, 32, 1536, 24, 64 << 10, 64, 16, 1 << 10}, PeakRates{61440, 960, 122880}},
    // Radeon RX 7800 XT.
    {"gfx1101", TargetKind::gpu, "amdgcn", 1024, 256, true, true, 8, true, 0,
     CacheSizes{128, 32 << 10, 4 << 20, 64 << 20},
     ComputeUnits{60, 2, 32, 1536, 24, 64 << 10, 64, 16, 1 << 10}, PeakRates{37324, 624, 74650}},
    // Radeon RX 7600.
    {"gfx1102", TargetKind::gpu, "amdgcn", 1024, 256, true, true, 8, true, 0,
     CacheSizes{128, 32 << 10, 2 << 20, 32 << 20},
     ComputeUnits{32, 2, 32, 1024, 16, 64 << 10, 64, 16, 1 << 10}, PeakRates{21749, 288, 43500}},
};

/// The row of that name, or null.
constexpr const Target *findTarget(std::string_view name) {
  for (const Target &target : kTargets)
    if (target.name == name)
      return &target;
  return nullptr;
}

} // namespace mlir::tiny

#endif // TINY_TARGET_H
