//===- Interpreter.h - what a tiny program means ----------------*- C++ -*-===//
//
// The oracle of all targets: runs a function of tiny ops as docs of the ops say,
// and nothing else. It shares no code with any lowering, so a disagreement is a
// bug of one of the two. On request every element also carries the set of values
// that a correct target may produce.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_REFERENCE_INTERPRETER_H
#define TINY_REFERENCE_INTERPRETER_H

#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Runtime/Tensor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <vector>

namespace mlir::tiny {

/// The values that a correct target may produce for one element.
///  * A float is NaN exactly when `lo` is NaN; otherwise lo <= x <= hi, where -0 lies below +0.
///  * Any other element is exactly the interpreter's value; lo and hi are not used.
///  * An undecided element may be anything: a value close to a step (the border of a cmp, of a cast
///    to an integer, of an overflow) lies on one side here and may lie on the other elsewhere.
struct Bound {
  double lo = 0, hi = 0;
  bool undecided = false;
};

struct InterpretOptions {
  /// Compute a Bound for every element. Costs time (about four times as much) and 24 bytes per
  /// element held.
  bool bounds = false;
  /// Threads to use, 0 for one per core. The results do not depend on it.
  unsigned threads = 0;
  /// Say on stderr how far a run is that takes more than two seconds.
  bool progress = false;
};

struct ReferenceOutput {
  tinyrt::Tensor value;
  std::vector<Bound> bounds; // one per element, or empty when not asked for
};

struct ReferenceResult {
  std::vector<ReferenceOutput> outputs;
  int64_t undecided = 0;          // output elements that are undecided
  int64_t failedExpectations = 0; // expect_eq and expect_close that do not hold; each is an error
                                  // diagnostic at the op
};

/// Runs `entry` on `inputs`, one tensor per argument. Fails with a diagnostic when the inputs do
/// not fit the arguments or the body holds an op that is not of the tiny language.
FailureOr<ReferenceResult> interpret(func::FuncOp entry, ArrayRef<tinyrt::Tensor> inputs,
                                     const InterpretOptions &options = {});

/// Whether a correct target may produce the element at `index` of `actual`. With bounds this is
/// their test; without them the element must be equal to the bit (all NaNs are equal).
bool admits(const ReferenceOutput &expected, const tinyrt::Tensor &actual, int64_t index);

} // namespace mlir::tiny

#endif // TINY_REFERENCE_INTERPRETER_H
