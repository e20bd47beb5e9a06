//===- Passes.h - from kernels on tensors to loops on vectors ---*- C++ -*-===//
//
// The Tile stage: what `tiny-schedule` leaves (linalg on tensors) becomes one loop
// nest of scf and vector ops per kernel, a workgroup of which is one call.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TILE_PASSES_H
#define TINY_TILE_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::tiny {

#define GEN_PASS_DECL
#include "Tiny/Tile/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "Tiny/Tile/Passes.h.inc"

/// Lets upstream tile and bufferise what a kernel consists of, `tiny.read` among it, and move its
/// buffers.
void registerTileExtensions(DialectRegistry &registry);

} // namespace mlir::tiny

#endif // TINY_TILE_PASSES_H
