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

#include "IndexSpace.h"

#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Tile/Tilings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::tiny {

/// Where a tiling in panels has its grid.
constexpr StringLiteral gridName = "grid";

/// The discardable attribute by which the stage knows a kernel.
constexpr StringLiteral kernelAttrName = "tiny.kernel";

/// A condition for an access: `low <= expr < high`, else the value is `pad`.
struct Guard {
  AffineExpr expr;
  int64_t low = 0, high = 0;
  TypedAttr pad;
  uint64_t loops = 0; ///< That move it, as bits.
  Value computed;     ///< An index of the body, which is tested in place of `expr`.
};

struct Access {
  Value source;               ///< A kernel argument, or a local.
  int64_t elements = 0;       ///< Of the source.
  AffineExpr flat;            ///< Which element.
  SmallVector<Guard> guards;  ///< In order of precedence; those that always hold are left out.
  Type type;                  ///< Of the element.
  uint64_t loops = 0;         ///< That move it, as bits.
  uint64_t computedLoops = 0; ///< Those that do so through an index that the body computes.
  bool computed = false;      ///< Whether there is such an index: its guard is always tested.

  bool dependsOn(unsigned loop) const { return loops >> loop & 1; }
  /// What one step along `loop` adds to `flat`, or nothing where it depends on the position.
  std::optional<int64_t> strideAlong(unsigned loop) const;
};

/// A value from outside of a nest's loops, or an index that its body computes from data. Nothing is
/// known of the latter but the bounds of a guard of its read: it stands for the index where that
/// guard holds, and for some number within the bounds where it does not, so that no arithmetic on
/// it can overflow.
struct IndexSymbol {
  Value value;
  bool computed = false;
  uint64_t loops = 0; ///< That move it, as bits.
};

/// One nest of loops: a reduction with its epilogue, one elementwise op, or a scan: a reduction
/// that stores something for every value of its accumulator, in the order of its one loop that
/// reduces.
class KernelNest {
public:
  /// `reduction` is null in an elementwise nest. Reports what does not fit the form.
  static FailureOr<KernelNest> get(linalg::FillOp fill, linalg::GenericOp reduction,
                                   linalg::GenericOp epilogue);

  SmallVector<int64_t> sizes; ///< Parallel loops first.
  unsigned numParallel = 0;
  linalg::FillOp fill;          ///< Null like `reduction`.
  linalg::GenericOp reduction;  ///< Null in an elementwise nest.
  linalg::GenericOp epilogue;   ///< The same op in a scan.
  Value identity;               ///< The scalar that the accumulator starts from.
  Operation *combine = nullptr; ///< The op in the reduction's body that takes the accumulator.
  Value reduced;                ///< The other operand of `combine`.
  IndexSpace space;
  SmallVector<IndexSymbol> symbols; ///< As in `space`.
  /// By block argument of the two ops, or by result of a tiny.read; only those that are used.
  llvm::MapVector<Value, Access> accesses;
  /// By result of a linalg.index or of an affine.apply of them: the tiled form of one.
  llvm::DenseMap<Value, AffineExpr> indices;
  /// The loops that move a value of the bodies, as bits; none where there is no entry.
  llvm::DenseMap<Value, uint64_t> loops;
  Access store; ///< Where a guard of it fails, nothing is stored.

  bool isScan() const { return reduction && reduction == epilogue; }
  unsigned numLoops() const { return sizes.size(); }
  bool isParallel(unsigned loop) const { return loop < numParallel; }
  Location loc() const { return epilogue->getLoc(); }
  bool inReduction(Value value) const; ///< Whether `value` is of the reduction's body.
  Value stored() const;                ///< The scalar of the epilogue's body that is stored.
  BlockArgument accumulated() const;   ///< The reduction's result in the epilogue's body, or null.
  BlockArgument accumulator() const;   ///< In the reduction's body.
  uint64_t loopsOf(AffineExpr expr) const;

private:
  LogicalResult addOperands(linalg::GenericOp op);
  LogicalResult addBody(linalg::GenericOp op);
  LogicalResult addRead(ReadOp read);
  LogicalResult addStore();
  LogicalResult findReduction();
  FailureOr<AffineExpr> indexExpr(Value index);
  FailureOr<AffineExpr> computedIndex(ReadOp read, unsigned position);
  FailureOr<Access> access(Value source, SmallVector<AffineExpr> indices);
};

/// Where a kernel's op writes: its last operand.
inline OpOperand *destinationOf(linalg::GenericOp op) {
  return op.getDpsInitOperand(op.getNumDpsInits() - 1);
}

/// Whether `combine` adds floats and `reduced` is a product that it may contract with.
bool isMultiplyAdd(const KernelNest &nest);

/// Nests that locals connect. One workgroup executes them in order, each for the same tile of the
/// loops that all of them share, and with its other loops whole.
struct NestGroup {
  SmallVector<unsigned> nests; ///< Numbers in the kernel.
  /// One entry per shared loop: its number in each of the nests. In the order of the first nest.
  SmallVector<SmallVector<unsigned>> shared;
};

/// The tiling of one nest: what those of every kind of target have in common.
struct NestTiling {
  explicit NestTiling(TilingAttr cpu);
  explicit NestTiling(GPUTilingAttr gpu);
  explicit NestTiling(DictionaryAttr panels);

  Attribute attribute;
  GPUTilingAttr gpu;     ///< Null on a CPU.
  DictionaryAttr panels; ///< A PanelTiling, with no more than a `grid` below; else null.
  ArrayRef<int64_t> grid, unroll, order;
  int64_t vectorDim = -1, vectorWidth = 1;
};

/// All nests of a kernel, or of one workgroup of it, in order.
struct KernelNests {
  std::vector<KernelNest> nests;

  /// Takes `function` apart; reports what does not fit the form.
  static FailureOr<KernelNests> get(func::FuncOp function);

  /// What the locals connect, in the order of their first nests. On tensors only.
  SmallVector<NestGroup> groups() const;
  /// Which nests no other one hands anything on to or takes anything from, in no workgroup yet. On
  /// memrefs only.
  SmallVector<bool> alone() const;
  /// The tilings on `function`, one per nest; reports where they are not.
  FailureOr<SmallVector<NestTiling>> tilings(func::FuncOp function) const;
};

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_KERNELNEST_H
