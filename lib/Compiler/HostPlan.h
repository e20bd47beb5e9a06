//===- HostPlan.h - from the host function to a launch plan -----*- C++ -*-===//

#ifndef TINY_LIB_COMPILER_HOSTPLAN_H
#define TINY_LIB_COMPILER_HOSTPLAN_H

#include "Tiny/Runtime/Plan.h"
#include "Tiny/Schedule/ProgramCost.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tiny {

/// The launch plan of `entry`, whose values have slots and whose launches have grids. `cost` may be
/// null: then the launches' is unknown.
FailureOr<tinyrt::Plan> buildPlan(func::FuncOp entry, const ProgramCost *cost);

/// Refuses more launches or flops than the limits (if not 0) with a diagnostic at `entry`.
LogicalResult checkWork(func::FuncOp entry, const ProgramCost &cost, uint64_t maxFlops,
                        uint64_t maxLaunches);

/// The bytes that a run of `plan` takes, segment by segment; refuses more than `limit` (if not 0)
/// with a diagnostic at `entry`.
LogicalResult checkMemory(func::FuncOp entry, const tinyrt::Plan &plan, uint64_t limit);

/// The constants segment: every constant of `entry` at its slot, zero between them.
FailureOr<tinyrt::Tensor> packConstants(func::FuncOp entry, const tinyrt::Plan &plan);

} // namespace mlir::tiny

#endif // TINY_LIB_COMPILER_HOSTPLAN_H
