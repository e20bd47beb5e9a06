//===- Compare.h - is this tensor the expected one? -------------*- C++ -*-===//
//
// The comparisons of --expect, --verify-against and the expect ops of a
// program, in one place, so that they mean the same everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_RUNTIME_COMPARE_H
#define TINY_RUNTIME_COMPARE_H

#include "Tiny/Runtime/Tensor.h"

namespace tinyrt {

/// How far an element may be from the expected one. NaN equals NaN, and an infinity equals itself
/// only, whatever the tolerance.
struct Tolerance {
  /// As NumPy's allclose: |actual - expected| <= atol + rtol * |expected|. Not used when negative.
  double rtol = 1e-5;
  double atol = 1e-8;
  /// |actual - expected| <= maxTol * (the largest finite |expected| of the tensor). Not used when
  /// negative. With both, both must hold.
  double maxTol = -1;

  static Tolerance none() { return {0, 0, -1}; }
  static Tolerance allclose(double rtol, double atol) { return {rtol, atol, -1}; }
  static Tolerance ofLargest(double maxTol) { return {-1, -1, maxTol}; }
};

struct Comparison {
  bool passed = false;
  int64_t count = 0;
  /// Elements beyond the tolerance, and the first and the worst of them (-1 if none).
  int64_t failures = 0;
  int64_t first = -1;
  int64_t worst = -1;
  /// The largest finite |actual - expected|, and what it is of the largest finite |expected|.
  double maxDifference = 0;
  double maxRelative = 0;
  /// One line: what was found, and where it is worst.
  std::string message;
};

/// Compares two tensors; types that differ fail.
Comparison compare(const Tensor &actual, const Tensor &expected, const Tolerance &tolerance);

/// Equal to the bit, but all NaNs are equal.
Comparison compareBits(const Tensor &actual, const Tensor &expected);

} // namespace tinyrt

#endif // TINY_RUNTIME_COMPARE_H
