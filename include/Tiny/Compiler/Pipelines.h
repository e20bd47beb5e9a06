//===- Pipelines.h - every pipeline of the compiler -------------*- C++ -*-===//

#ifndef TINY_COMPILER_PIPELINES_H
#define TINY_COMPILER_PIPELINES_H

#include "Tiny/Target.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir::tiny {

/// What a CPU multiplies faster than f32.
struct NarrowProducts {
  bool integers = false; ///< Of 8 and 16 bits.
  bool bf16 = false;     ///< If whoever compiles allows it.
};

/// What the passes for a CPU want to know. tiny-opt takes the defaults; compile() asks the target.
struct CPUPipelineOptions : PassPipelineOptions<CPUPipelineOptions> {
  Option<std::string> entry{*this, "entry", llvm::cl::desc("The host function"),
                            llvm::cl::init("main")};
  Option<unsigned> vectorBits{*this, "vector-bits", llvm::cl::desc("Bits of a vector register"),
                              llvm::cl::init(256)};
  Option<unsigned> numVectorRegisters{*this, "num-vector-registers",
                                      llvm::cl::desc("Vector registers of the target"),
                                      llvm::cl::init(16)};
  Option<int64_t> l1Bytes{*this, "l1-bytes", llvm::cl::desc("Bytes of the first-level data cache"),
                          llvm::cl::init(32 << 10)};
  Option<int64_t> l2Bytes{*this, "l2-bytes", llvm::cl::desc("Bytes of the second-level cache"),
                          llvm::cl::init(1 << 20)};
  Option<int64_t> l3Bytes{
      *this, "l3-bytes",
      llvm::cl::desc("Bytes of the third-level cache, 0 if there is none or it is not known"),
      llvm::cl::init(0)};
  Option<int64_t> maxStackBytes{
      *this, "max-stack-bytes",
      llvm::cl::desc("Bytes that one workgroup may have on the stack of its thread"),
      llvm::cl::init(256 << 10)};
  Option<bool> nativeFMA{*this, "native-fma",
                         llvm::cl::desc("The target has a fused multiply-add instruction"),
                         llvm::cl::init(true)};
  Option<bool> nativeF16{*this, "native-f16",
                         llvm::cl::desc("The target converts between f16 and f32 itself"),
                         llvm::cl::init(true)};
  Option<bool> nativeScaling{
      *this, "native-scaling",
      llvm::cl::desc("The target multiplies vectors of f32 by powers of two itself (AVX-512)"),
      llvm::cl::init(false)};
  Option<unsigned> maskedBits{
      *this, "masked-bits",
      llvm::cl::desc(
          "Bits of the narrowest elements that the target loads under a mask, 0 for none"),
      llvm::cl::init(32)};
  Option<unsigned> pairInstructions{
      *this, "pair-instructions",
      llvm::cl::desc("Instructions that multiply vectors of pairs of i16 and add them to sums, 0 "
                     "for none"),
      llvm::cl::init(2)};
  Option<bool> byteProducts{
      *this, "byte-products",
      llvm::cl::desc("One instruction multiplies vectors of four u8 and four i8 and adds them to "
                     "sums (AVX512_VNNI, AVX-VNNI)"),
      llvm::cl::init(false)};
  Option<bool> halvesVectors{
      *this, "halves-vectors",
      llvm::cl::desc("The widest vectors go through the target's units in two halves (Zen 4)"),
      llvm::cl::init(false)};
  Option<bool> bf16Products{
      *this, "bf16-products",
      llvm::cl::desc("Let contractions of f32 round their factors to bf16 and multiply these"),
      llvm::cl::init(false)};
  Option<bool> matrixUnit{*this, "matrix-unit",
                          llvm::cl::desc("A unit multiplies tiles of bytes, and of bf16 (AMX)"),
                          llvm::cl::init(false)};
  Option<unsigned> parts{*this, "parts",
                         llvm::cl::desc("Modules to spread the kernels over, at most"),
                         llvm::cl::init(1)};
  Option<bool> verify{*this, "verify", llvm::cl::desc("Check the contract behind each stage"),
                      llvm::cl::init(true)};

  NarrowProducts products() const { return {pairInstructions > 0, bf16Products}; }
  void setTarget(const Target &target);
};

/// The chips of RDNA3, as rows of Target.h are named.
enum class RDNA3Chip { gfx1100, gfx1101, gfx1102 };

/// As CPUPipelineOptions, for RDNA3. What the passes want to know of the chip is in its row.
struct RDNA3PipelineOptions : PassPipelineOptions<RDNA3PipelineOptions> {
  Option<std::string> entry{*this, "entry", llvm::cl::desc("The host function"),
                            llvm::cl::init("main")};
  Option<RDNA3Chip> chip{
      *this, "chip", llvm::cl::desc("The chip to compile for"), llvm::cl::init(RDNA3Chip::gfx1100),
      llvm::cl::values(clEnumValN(RDNA3Chip::gfx1100, "gfx1100", "Radeon RX 7900"),
                       clEnumValN(RDNA3Chip::gfx1101, "gfx1101", "Radeon RX 7800 and 7700"),
                       clEnumValN(RDNA3Chip::gfx1102, "gfx1102", "Radeon RX 7600"))};
  Option<unsigned> parts{*this, "parts",
                         llvm::cl::desc("Modules to spread the kernels over, at most"),
                         llvm::cl::init(1)};
  Option<bool> verify{*this, "verify", llvm::cl::desc("Check the contract behind each stage"),
                      llvm::cl::init(true)};

  void setTarget(const Target &target);
  /// The row of the chip.
  const Target &target() const;
};

/// Stage by stage: a program of tiny ops; kernels on tensors; tiled kernels on memrefs; the llvm
/// dialect. A program is scheduled for `gpu`, or for CPUs with `products` if that is null.
void buildSchedulePipeline(OpPassManager &pm, const std::string &entry, bool verify,
                           const Target *gpu = nullptr, NarrowProducts products = {});
void buildTilePipelineCPU(OpPassManager &pm, const CPUPipelineOptions &options);
/// The parts of the Tile stage in front of the choice of tilings, and what that is made with.
/// Constants are arranged before anything asks for the tiling of a kernel.
void buildArrangePipelineCPU(OpPassManager &pm, const CPUPipelineOptions &options);
void buildNestsPipelineCPU(OpPassManager &pm, const CPUPipelineOptions &options);
SelectTilingCPUPassOptions selectTilingOptions(const CPUPipelineOptions &options);
/// The same for a GPU.
void buildArrangePipelineRDNA3(OpPassManager &pm, const RDNA3PipelineOptions &options);
void buildNestsPipelineRDNA3(OpPassManager &pm, const RDNA3PipelineOptions &options);
void buildCodegenPipelineCPU(OpPassManager &pm, const CPUPipelineOptions &options);
void buildTilePipelineRDNA3(OpPassManager &pm, const RDNA3PipelineOptions &options);
void buildCodegenPipelineRDNA3(OpPassManager &pm, const RDNA3PipelineOptions &options);

/// The other way through the Tile stage: affine loops on memrefs, for whoever wants the loops. The
/// second pipeline makes of them what Codegen takes, with one workgroup per launch.
void buildTilePipelineAffine(OpPassManager &pm, const CPUPipelineOptions &options);
void buildSequentialPipeline(OpPassManager &pm, const CPUPipelineOptions &options);

/// Schedules the program if that is not done, and prints what it costs (Tiny/Schedule/Report.h).
void buildReportPipeline(OpPassManager &pm, StringRef entry, StringRef format, StringRef target,
                         raw_ostream &os);

/// All of them for tiny-opt: tiny-schedule, tiny-tile-cpu, tiny-codegen-cpu, and tiny-cpu for the
/// three in a row, and so with rdna3; tiny-to-affine, which schedules and writes affine loops, and
/// tiny-tile-sequential behind it.
void registerTinyPipelines();

} // namespace mlir::tiny

#endif // TINY_COMPILER_PIPELINES_H
