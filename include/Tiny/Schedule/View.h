//===- View.h - how a loop nest sees a tensor -------------------*- C++ -*-===//
//
// A view says which element of a source an iteration point reads: an affine index
// per source dimension and an ordered list of constraints, each with the value
// that holds where it fails (the first failing one wins). Every movement op is a
// change of view, so a chain of them costs nothing but the arithmetic of its
// index, and that is simplified with the known ranges at every step: the chain
// that expresses a sliding window comes out as `o * stride + k * dilation`.
//
// No IR is made here.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_SCHEDULE_VIEW_H
#define TINY_SCHEDULE_VIEW_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/Operation.h"

namespace mlir::tiny {

/// The least and the greatest value of an expression.
struct IndexRange {
  int64_t low, high;
};

/// The range of `expr` where dim i runs over [0, extents[i]); every extent is at least 1. Exact for
/// linear expressions, an enclosure otherwise.
IndexRange rangeOf(AffineExpr expr, ArrayRef<int64_t> extents);

/// An equal expression (for dim i in [0, extents[i])) with every mod and floordiv removed that the
/// ranges settle, and the rest in one canonical form, so that equal views are equal pointers.
AffineExpr simplify(AffineExpr expr, ArrayRef<int64_t> extents);

/// How many mods and floordivs `expr` contains.
unsigned countDivisions(AffineExpr expr);

/// `terms` (an atom and its coefficient; an atom is a dim, a mod or a floordiv) plus a constant.
struct LinearForm {
  SmallVector<std::pair<AffineExpr, int64_t>> terms;
  int64_t constant = 0;

  LinearForm() = default;
  explicit LinearForm(AffineExpr expr) { add(expr, 1); }
  void add(AffineExpr expr, int64_t scale);
  AffineExpr expr(MLIRContext *context) const;
};

/// low <= expr < high, or the element is `pad`.
struct Constraint {
  AffineExpr expr;
  int64_t low, high;
  TypedAttr pad;

  bool operator==(const Constraint &other) const {
    return expr == other.expr && low == other.low && high == other.high && pad == other.pad;
  }
};

class View {
public:
  /// Iteration point (d0, d1, …) reads element [d0, d1, …] of a tensor of shape `extents`.
  static View identity(MLIRContext *context, ArrayRef<int64_t> extents);

  /// Iteration points over `extents` read `shape` at `index`, unconditionally.
  View(MLIRContext *context, ArrayRef<int64_t> extents, ArrayRef<int64_t> shape,
       ArrayRef<AffineExpr> index);

  /// This view of the result of `movement` as a view of its operand.
  View through(Operation *movement) const;

  ArrayRef<int64_t> extents() const { return extents_; }
  ArrayRef<int64_t> shape() const { return shape_; }
  ArrayRef<AffineExpr> index() const { return index_; }
  ArrayRef<Constraint> constraints() const { return constraints_; }

  /// The same view without its constraints.
  View unconstrained() const;

  /// The index into the source's elements in row-major order, simplified.
  AffineExpr flatIndex() const;

  /// When no element of the source is ever read (a constraint that never holds comes first), the
  /// value that every element has; null otherwise.
  TypedAttr constantValue() const;

  bool operator==(const View &other) const {
    return extents_ == other.extents_ && shape_ == other.shape_ && index_ == other.index_ &&
           constraints_ == other.constraints_;
  }

private:
  void reshapeTo(ArrayRef<int64_t> shape);
  void constrain(AffineExpr expr, int64_t low, int64_t high, TypedAttr pad);

  MLIRContext *context_;
  SmallVector<int64_t> extents_, shape_;
  SmallVector<AffineExpr> index_;
  SmallVector<Constraint> constraints_;
};

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_VIEW_H
