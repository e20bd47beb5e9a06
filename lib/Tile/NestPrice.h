//===- NestPrice.h - what a nest costs under a tiling -----------*- C++ -*-===//
//
// The nest that VectorizeLoops would emit is priced: its instructions are counted from
// the access maps. No kind of operation is recognised by name, so a product of
// transposed matrices or a depthwise convolution needs no rule of its own.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_NESTPRICE_H
#define TINY_LIB_TILE_NESTPRICE_H

#include "KernelNest.h"

namespace mlir::tiny {

/// A tiling in the making: which loop runs along the lanes, and the register tile.
struct Candidate {
  int64_t vectorDim = -1, width = 1;
  SmallVector<int64_t> unroll;
};

/// What the price of an access depends on, looked up thousands of times.
struct AccessFacts {
  uint64_t loops = 0; ///< Those that move it, as bits.
  SmallVector<std::optional<int64_t>> strides;
  uint64_t guardLoops = 0; ///< Those that move its guards.
  bool guarded, inReduction;

  bool movesWith(int64_t loop) const { return loop >= 0 && (loops >> loop & 1); }
};

/// Steps of the inner reduction loops that are unrolled, at most: a 3 x 3 window.
inline constexpr int64_t maxUnrolledReduction = 9;
/// Strides up to this are loads and shuffles in BodyEmitter.
inline constexpr int64_t maxShuffledStride = 4;

class Pricer {
public:
  Pricer(const KernelNest &nest, int64_t numRegisters);
  /// The whole nest: every combination of main part and rest of the parallel loops.
  double price(const Candidate &candidate) const;
  /// Whether the accumulators and what one step needs beside them fit.
  bool fitsRegisters(const Candidate &candidate) const;

private:
  AccessFacts factsOf(const Access &access, bool inReduction) const;
  bool isTransposed(const AccessFacts &access, const Candidate &candidate) const;
  double guardedPart(const AccessFacts &access, const Candidate &candidate) const;
  double accessCost(const AccessFacts &access, const Candidate &candidate) const;
  double tilePrice(const Candidate &candidate, ArrayRef<int64_t> units) const;

  const KernelNest &nest;
  SmallVector<AccessFacts> accesses;
  AccessFacts store;
  int64_t numRegisters, unrolledSteps = 1;
  double reductionArith = 0, epilogueArith = 0; ///< Of one vector operation each.
};

/// Simple operations that one execution of a body takes.
double operationsOf(linalg::GenericOp op);
/// The same of the nest's innermost bodies.
double operationsOf(const KernelNest &nest);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_NESTPRICE_H
