//===- Bounds.h - interval arithmetic on elements ---------------*- C++ -*-===//
//
// What a correct target may produce, op by op. add, mul, div, sqrt, max and the
// casts are monotonic in each operand, rounding included, so the ends of the
// operands' intervals give the exact ends of the result's. Only exp2, log2, sin
// and reduce widen an interval.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_REFERENCE_BOUNDS_H
#define TINY_LIB_REFERENCE_BOUNDS_H

#include "Scalar.h"
#include "Tiny/Reference/Interpreter.h"

namespace mlir::tiny::reference {

inline Bound exactly(double value) { return {value, value, false}; }
inline Bound undecided() { return {0, 0, true}; }
bool isNaN(const Bound &bound);   // certainly NaN
bool isPoint(const Bound &bound); // certainly one value, to the bit

/// With `isScaled`, also the sum when a factor behind it has moved into both operands.
Bound addBound(ElementType type, const Bound &a, const Bound &b, bool isScaled);
/// With `contracted`, also what a fused multiply-add would see: the product before rounding.
Bound mulBound(ElementType type, const Bound &a, const Bound &b, bool contracted);
Bound divBound(ElementType type, const Bound &a, const Bound &b);
Bound maxBound(const Bound &a, const Bound &b);
Bound exp2Bound(ElementType type, const Bound &a);
Bound log2Bound(ElementType type, const Bound &a);
Bound sinBound(ElementType type, const Bound &a);
Bound sqrtBound(ElementType type, const Bound &a);
/// Of a float cast to another type; `value` is the interpreter's result.
Bound castBound(ElementType from, ElementType to, const Bound &a);
/// Of an i1: only `undecided` matters.
Bound cmpBound(CmpPredicate predicate, const Bound &a, const Bound &b);
/// Either one or the other.
Bound eitherBound(const Bound &a, const Bound &b);

/// All orders of combination of the elements given to `add`; with `isScaled`, also with a constant
/// factor behind the sum moved into its terms.
class ReduceBound {
public:
  ReduceBound(ReduceKind kind, ElementType type, bool isScaled);
  void add(const Bound &element);
  Bound result() const;

private:
  Bound sum() const;
  Bound product() const;

  ReduceKind kind;
  ElementType type;
  Format format; // of the accumulator
  bool isScaled;
  int64_t count = 0;
  bool sawNaN = false, sawUndecided = false;
  // max
  double lo, hi;
  // add; infinities are only noted, not summed
  long double lowSum = 0, highSum = 0, positive = 0, negative = 0;
  int64_t nonZeros = 0;
  bool maybePlus = false, maybeMinus = false, surelyPlus = false, surelyMinus = false;
  bool allPoints = true, maybeAllMinusZero = true;
  int lowestBit; // of all elements, as a power of two
  // mul: the product of all magnitudes, and the extremes that a partial product may reach, as log2
  long double lowMagnitude = 1, highMagnitude = 1;
  double mostlyUp = 0, mostlyDown = 0;
  int64_t inexact = 0; // elements that are not a power of two
  bool maybeZero = false, surelyZero = false, maybeInfinite = false, surelyInfinite = false;
  bool signIsKnown = true, isNegative = false;
};

} // namespace mlir::tiny::reference

#endif // TINY_LIB_REFERENCE_BOUNDS_H
