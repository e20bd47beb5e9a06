//===- Kernel.h - a kernel before it is written down ------------*- C++ -*-===//

#ifndef TINY_SCHEDULE_KERNEL_H
#define TINY_SCHEDULE_KERNEL_H

#include "IterationDomain.h"
#include "Tiny/IR/TinyDialect.h"

#include <string>

namespace mlir::tiny {

struct Kernel {
  Value result;             // the root that it computes
  ReduceOp reduction;       // that it takes in, if any
  ReduceOp foldedReduction; // the same, where its result is known
  IterationDomain domain;
  KernelGraph body;     // of the reduction, or of the result where there is none
  KernelGraph epilogue; // of the result, where there is a reduction

  RankedTensorType resultType() const { return cast<RankedTensorType>(result.getType()); }
  /// The loops that do not reduce.
  ArrayRef<int64_t> parallelExtents() const {
    return ArrayRef(domain.extents).take_front(domain.numParallel);
  }

  /// What the kernel does and the shape that it makes: `conv_add_max_1x64x56x56`.
  std::string name() const;
};

/// The kernel that computes `root`, taking in the reduction that it finds.
Kernel formKernel(Value root, const Materialisation &materialisation);

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_KERNEL_H
