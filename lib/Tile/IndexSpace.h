//===- IndexSpace.h - affine arithmetic with ranges -------------*- C++ -*-===//
//
// Accesses and guards are affine expressions over loops whose ranges are known: so a
// mod is often a number, a guard often holds everywhere, and a stride is a question
// about terms.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_INDEXSPACE_H
#define TINY_LIB_TILE_INDEXSPACE_H

#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace mlir::tiny {

/// A closed interval.
struct Interval {
  int64_t min, max;
};

/// Affine arithmetic over the loops of a nest (dims) and other values (symbols), with the range of
/// each.
struct IndexSpace {
  SmallVector<Interval> dims, symbols;

  /// The values that `expr` takes, at most; exact where every dim occurs once.
  Interval rangeOf(AffineExpr expr) const;
  /// `expr` without the mods and divisions that the ranges settle.
  AffineExpr simplify(AffineExpr expr) const;
};

/// A sum: `constant` + Σ coefficient · term, where a term is a dim, a symbol, a mod or a division.
struct LinearIndex {
  SmallVector<std::pair<AffineExpr, int64_t>> terms;
  int64_t constant = 0;

  explicit LinearIndex(AffineExpr expr);
  /// What one step along `dim` adds, or nothing where it depends on the position.
  std::optional<int64_t> strideAlong(unsigned dim) const;
};

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_INDEXSPACE_H
