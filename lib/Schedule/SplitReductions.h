//===- SplitReductions.h - long reductions to few elements ------*- C++ -*-===//

#ifndef TINY_SCHEDULE_SPLITREDUCTIONS_H
#define TINY_SCHEDULE_SPLITREDUCTIONS_H

#include "Grouping.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tiny {

/// Makes two of each `reduce` that would keep less of the machine busy than it could: one that
/// combines runs of elements, and one that combines the results of these. True if there was one;
/// `materialisation` knows nothing of the new ops.
bool splitReductions(func::FuncOp function, const Materialisation &materialisation,
                     const GroupingCosts &costs);

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_SPLITREDUCTIONS_H
