//===- ContractionNest.h - a nest seen as a product of two tiles ----------===//
//
// A sum of products is a matrix product whatever its loops are called: those that move
// one factor and the result are its rows, those that move the other one are its
// columns, those that reduce are its depth. Each of the three is walked as one loop,
// so that a convolution, an outer product of batches and a matmul of transposed
// operands are the same thing from here on.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_CONTRACTIONNEST_H
#define TINY_LIB_TILE_CONTRACTIONNEST_H

#include "FactorRange.h"

namespace mlir::tiny {

/// What is multiplied: WMMA takes all but f32, accumulating in f32 or i32.
enum class Factor : uint8_t { f32, f16, bf16, i8 };

/// Rows or columns of a contraction.
struct ContractionSide {
  Value factor;                ///< Of the reduction's body: what lies in LDS.
  SmallVector<unsigned> loops; ///< Outermost first, as in the result.
  int64_t extent = 1;          ///< The product of their sizes.
  bool isUnsigned = false;     ///< A factor of i8.
  SmallVector<Value> loads;    ///< The accesses that `factor` is computed from.
  Interval range = {0, 0};     ///< For a CPU: the integers that `factor` may be.
};

struct ContractionNest {
  Factor factor;
  ContractionSide rows, columns; ///< The result is contiguous along columns, if along any.
  SmallVector<unsigned> batch;   ///< Loops that move both factors.
  SmallVector<unsigned> depth;   ///< Loops that reduce.
  int64_t batchExtent = 1, depthExtent = 1;
  /// For a CPU: whether factors are integers, which 16 bits hold then, so that one instruction sums
  /// up several products.
  bool isInteger = false;

  int64_t factorBytes() const { return factor == Factor::f32 ? 4 : factor == Factor::i8 ? 1 : 2; }

  /// `nest` as a contraction, or nothing where it is none that lanes could share through LDS.
  static std::optional<ContractionNest> get(const KernelNest &nest);
  /// The same for a CPU, which multiplies f32, f64 or integers that 16 bits hold, computes a factor
  /// from anything on its way, and takes a product without rows. The outermost `apart`
  /// loops of the columns count as batches.
  static std::optional<ContractionNest> getForCPU(const KernelNest &nest, int64_t apart = 0);

private:
  bool sortLoops(const KernelNest &nest, bool oneStepIsBatch);
};

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_CONTRACTIONNEST_H
