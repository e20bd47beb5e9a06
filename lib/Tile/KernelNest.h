//===- KernelNest.h - what a kernel's loops are and what they access ------===//
//
// One description of a kernel, or of one workgroup of it, for the choice of a tiling
// (on tensors) and for the emission of loops (on memrefs). Every access is one affine
// expression: the number of the element in its row-major source, whatever chain of
// slices, operand maps and reads it came through. So cost, contiguity and bounds are
// questions about expressions, and never about ops.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_KERNELNEST_H
#define TINY_LIB_TILE_KERNELNEST_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/AffineExpr.h"

namespace mlir::tiny {

/// The discardable attributes by which the stage knows a kernel and its tiling.
constexpr StringLiteral kernelAttrName = "tiny.kernel";
constexpr StringLiteral tilingAttrName = "tiny.tiling";

/// A closed interval.
struct Interval {
  int64_t min, max;
};

/// Affine arithmetic over the loops of a nest (dims) and values from outside of it (symbols), with
/// the range of each.
struct IndexSpace {
  SmallVector<Interval> dims, symbols;

  /// The values that `expr` takes, at most; exact where every dim occurs once.
  Interval rangeOf(AffineExpr expr) const;
  /// `expr` without the mods and divisions that the ranges settle.
  AffineExpr simplify(AffineExpr expr) const;
};

/// A sum: `constant` + Σ coefficient · term, where a term is a dim, a symbol, a mod or a division.
struct LinearForm {
  SmallVector<std::pair<AffineExpr, int64_t>> terms;
  int64_t constant = 0;

  explicit LinearForm(AffineExpr expr);
  /// What one step along `dim` adds, or nothing where it depends on the position.
  std::optional<int64_t> strideAlong(unsigned dim) const;
  bool dependsOn(unsigned dim) const;
};

/// A condition for an access: `low <= expr < high`, else the value is `pad`.
struct Guard {
  AffineExpr expr;
  int64_t low, high;
  TypedAttr pad;
};

struct Access {
  Value source;              ///< A kernel argument.
  int64_t elements;          ///< Of the source.
  AffineExpr flat;           ///< Which element.
  SmallVector<Guard> guards; ///< In order of precedence; those that always hold are left out.
  Type type;                 ///< Of the element.

  bool dependsOn(unsigned dim) const;
};

/// A kernel in the form that the Schedule stage leaves, or one workgroup of it.
class KernelNest {
public:
  /// Finds the one or two linalg.generic ops of `function`; reports what does not fit the form.
  static FailureOr<KernelNest> get(func::FuncOp function);

  SmallVector<int64_t> sizes; ///< Parallel loops first.
  unsigned numParallel = 0;
  linalg::GenericOp reduction; ///< Null in an elementwise kernel.
  linalg::GenericOp epilogue;
  Value identity;               ///< The scalar that the accumulator starts from.
  Operation *combine = nullptr; ///< The op in the reduction's body that takes the accumulator.
  Value reduced;                ///< The other operand of `combine`.
  IndexSpace space;
  SmallVector<Value> symbolValues;
  /// By block argument of the two ops, or by result of a tiny.read; only those that are used.
  llvm::MapVector<Value, Access> accesses;
  /// By result of a linalg.index or of an affine.apply of them: the tiled form of one.
  llvm::DenseMap<Value, AffineExpr> indices;
  Access store;

  unsigned numLoops() const { return sizes.size(); }
  bool isParallel(unsigned loop) const { return loop < numParallel; }
  Location loc() const { return epilogue->getLoc(); }
  bool inReduction(Value value) const; ///< Whether `value` is of the reduction's body.
  Value stored() const;                ///< The scalar of the epilogue's body that is stored.
  BlockArgument accumulated() const;   ///< The reduction's result in the epilogue's body, or null.

private:
  LogicalResult addOperands(linalg::GenericOp op);
  LogicalResult addIndices(linalg::GenericOp op);
  LogicalResult addReads(linalg::GenericOp op);
  LogicalResult findReduction();
  FailureOr<AffineExpr> indexExpr(Value index);
  FailureOr<Access> access(Value source, SmallVector<AffineExpr> indices);
};

/// Whether `combine` adds floats and `reduced` is a product that it may contract with.
bool isMultiplyAdd(const KernelNest &nest);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_KERNELNEST_H
