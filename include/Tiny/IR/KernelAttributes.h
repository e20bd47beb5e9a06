//===- KernelAttributes.h - what a kernel says of itself --------*- C++ -*-===//
//
// Discardable attributes of a kernel, beside `tiny.kernel`. The Tile stage writes
// them, most for a GPU; Codegen tells LLVM, and the launch plan tells the runtime.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_IR_KERNELATTRIBUTES_H
#define TINY_IR_KERNELATTRIBUTES_H

#include "llvm/ADT/StringRef.h"

namespace mlir::tiny {

/// The lanes of a workgroup, which has one dimension: an integer, there on every kernel for a GPU
/// and on none for a CPU.
constexpr llvm::StringLiteral kBlockAttrName = "tiny.block";

/// "cu" if a workgroup has one compute unit and its half of the local memory for itself, "wgp" if
/// it runs on both of a pair, which is so if the attribute is missing.
constexpr llvm::StringLiteral kModeAttrName = "tiny.mode";

/// The waves per SIMD that the registers of a wave shall leave room for: an integer, or missing,
/// and then LLVM chooses.
constexpr llvm::StringLiteral kWavesAttrName = "tiny.waves_per_simd";

/// How often the registers of a lane are halved for the tiling of this kernel: an integer, there
/// where LLVM has spilled registers of an earlier one.
constexpr llvm::StringLiteral kRegisterHalvingsAttrName = "tiny.register_halvings";

/// On a kernel for a CPU, a unit: some of its products of f32 are of factors rounded to bf16.
constexpr llvm::StringLiteral kBF16ProductsAttrName = "tiny.bf16_products";

} // namespace mlir::tiny

#endif // TINY_IR_KERNELATTRIBUTES_H
