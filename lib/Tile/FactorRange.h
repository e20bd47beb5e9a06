//===- FactorRange.h - which numbers an integer may be ----------*- C++ -*-===//
//
// A quantised factor is 8 bits wide in memory and 32 bits where it is multiplied, with a
// zero point subtracted in between: 9 bits of it matter. What they are is asked of the
// ops, however the program spells them.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_FACTORRANGE_H
#define TINY_LIB_TILE_FACTORRANGE_H

#include "KernelNest.h"

namespace mlir::tiny {

/// The numbers that `value`, a signed integer of up to 32 bits in a body of `nest`, may be.
Interval rangeOfInteger(const KernelNest &nest, Value value);

/// Whether `range` is within that of a signed integer of `bits`.
bool fitsBits(Interval range, unsigned bits);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_FACTORRANGE_H
