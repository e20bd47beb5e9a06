//===- Footprint.h - how many elements a set of accesses touches ----------===//
//
// The distinct elements of one buffer, counted exactly. An access is a sum of parts
// that no loop and no guard connects, and each part is a set of numbers: a
// progression for a loop on its own, a clipped one for a padded window, and for
// what has divisions the numbers that an enumeration finds. The sum of the sets is the set
// of elements. What would take too long to enumerate is bounded from above, and
// says so.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SCHEDULE_FOOTPRINT_H
#define TINY_LIB_SCHEDULE_FOOTPRINT_H

#include "KernelAccess.h"

namespace mlir::tiny {

/// base + step * k, for k in the runs: ascending, neither touching nor overlapping.
struct ElementSet {
  struct Run {
    int64_t first, last;
  };
  int64_t base = 0, step = 1;
  SmallVector<Run, 1> runs;

  int64_t size() const;
};

/// `exact`, or there are at most so many.
struct ElementCount {
  int64_t elements = 0;
  bool exact = true;
};

/// What may still be enumerated, in points, in all footprints of a program together.
struct EnumerationBudget {
  int64_t points = int64_t(1) << 26;
};

class Footprint {
public:
  /// Of a buffer of so many elements.
  Footprint(int64_t elements, EnumerationBudget &budget) : elements(elements), budget(budget) {}

  void add(const KernelAccess &access);
  ElementCount count() const;

private:
  int64_t elements;
  EnumerationBudget &budget;
  SmallVector<KernelAccess> seen;
  SmallVector<ElementSet> sets;
  /// Elements of accesses without a set.
  ElementCount others;
  bool isWhole = false;
};

} // namespace mlir::tiny

#endif // TINY_LIB_SCHEDULE_FOOTPRINT_H
