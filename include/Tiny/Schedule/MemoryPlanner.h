//===- MemoryPlanner.h - offsets for buffers that live at times -*- C++ -*-===//
//
// Buffers are intervals of time with a size; two that are alive together must not
// share bytes. No IR here, so that the placement is tested on intervals alone.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_SCHEDULE_MEMORYPLANNER_H
#define TINY_SCHEDULE_MEMORYPLANNER_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>

namespace mlir::tiny {

/// `bytes` that are in use from time `first` to time `last`, both included.
struct BufferInterval {
  int64_t bytes, first, last;
  int64_t offset = 0; ///< What placeBuffers() fills in.
};

/// The most bytes, each buffer rounded up to `alignment`, that are alive at one time: no placement
/// needs less.
int64_t livenessLowerBound(llvm::ArrayRef<BufferInterval> buffers, int64_t alignment);

/// Gives every buffer an offset that is a multiple of `alignment`, and returns the bytes that all
/// of them take. Near-linear in the number of buffers and of pairs alive together.
int64_t placeBuffers(llvm::MutableArrayRef<BufferInterval> buffers, int64_t alignment);

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_MEMORYPLANNER_H
