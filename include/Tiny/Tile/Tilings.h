//===- Tilings.h - the tilings that a search may choose from ----*- C++ -*-===//
//
// The passes that choose a tiling take the cheapest one by their cost model. A search
// that measures wants the next ones, too, and other sizes of workgroups: it asks for
// the same choice with other ranks and other options.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TILE_TILINGS_H
#define TINY_TILE_TILINGS_H

#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tiny {

/// The attribute of a kernel with the list of its tilings, one for each nest.
constexpr StringLiteral tilingAttrName = "tiny.tiling";

/// What tiny-tile-select-tiling-cpu would set on `kernel`, a kernel on tensors without online
/// reductions. `ranks` has for each nest how many cheaper vector loops and register tiles are
/// passed over (0 where there is no entry). Failure without a diagnostic if there are not as many.
FailureOr<ArrayAttr> selectTilingsCPU(func::FuncOp kernel,
                                      const SelectTilingCPUPassOptions &options,
                                      ArrayRef<unsigned> ranks = {});

} // namespace mlir::tiny

#endif // TINY_TILE_TILINGS_H
