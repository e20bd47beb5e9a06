//===- KernelAccess.h - which elements of its arguments a kernel touches --===//
//
// One list of accesses for a scheduled kernel, whatever number of nests it has:
// each is the number of the element in the argument's row-major order, as an
// expression of the loops, and the conditions under which it is touched. What
// stays inside the kernel (locals, accumulators, its own results read again)
// is in no list.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SCHEDULE_KERNELACCESS_H
#define TINY_LIB_SCHEDULE_KERNELACCESS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/SmallBitVector.h"

namespace mlir::tiny {

/// low <= expr < high, or nothing is touched.
struct AccessGuard {
  AffineExpr expr;
  int64_t low, high;

  bool operator==(const AccessGuard &other) const {
    return expr == other.expr && low == other.low && high == other.high;
  }
};

struct KernelAccess {
  linalg::LinalgOp op; ///< Whose loops it is over.
  unsigned argument;
  bool isWrite;
  /// Of all loops of `op`; at least 1.
  SmallVector<int64_t> extents;
  /// The number of the element; null where it is computed from data.
  AffineExpr element;
  /// The loops that `element` depends on, through data too.
  llvm::SmallBitVector loops;
  /// Only those that sometimes hold and sometimes do not.
  SmallVector<AccessGuard> guards;
};

/// All accesses of `kernel` to its arguments; reports what it cannot follow.
FailureOr<SmallVector<KernelAccess>> collectAccesses(func::FuncOp kernel);

/// Whether the result in argument `destination` may lie in the buffer of argument `input`, of the
/// same number of bytes: every read of `input` is of the very element that the same iteration of
/// the same op writes, and the kernel writes each element once. Then no iteration, in whatever
/// order they run, sees what another one wrote.
bool mayWriteInPlace(ArrayRef<KernelAccess> accesses, unsigned input, unsigned destination);

/// The argument of the kernel that `value`, an init of a linalg op, lies in; null for a local.
BlockArgument destinationOf(Value value);

} // namespace mlir::tiny

#endif // TINY_LIB_SCHEDULE_KERNELACCESS_H
