//===- OnlineReduction.h - nests that one online reduction does -*- C++ -*-===//
//
// A maximum over a loop, sums over the same loop of terms with a weight that is an
// exponential of the distance from that maximum: softmax and attention. Such nests
// can be one pass over the loop (tiny.online_reduce), and then nothing as long as the
// loop has to be kept.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_SCHEDULE_ONLINEREDUCTION_H
#define TINY_SCHEDULE_ONLINEREDUCTION_H

#include "Nest.h"

namespace mlir::tiny {

struct OnlineReduction {
  struct Sum {
    unsigned nest;
    KernelGraph term;            // over the loops of the nest; its Accumulator is the weight
    KernelGraph epilogue;        // with the factors that do not depend on the reducing loop
    SmallVector<unsigned> loops; // by loop of the nest: that of the reduction
    bool movesRounding = false;  // whether terms are rounded to less than the weights have
  };

  unsigned pivot = 0;            // the nest of the maximum
  SmallVector<unsigned> weights; // elementwise nests that only the sums need
  std::vector<Sum> sums;
  Value score;
  SmallVector<unsigned> scoreLoops; // by dim of the score, as it is read: that of the reduction
  KernelGraph weight;               // of the reads of the score and of the pivot
  /// The loops of the reduction: those of the pivot, those that only sums have, and last the
  /// reducing one.
  SmallVector<int64_t> extents;

  bool contains(unsigned nest) const;
};

/// The nests among `nests`, which are in program order and have their loops aligned, that can be
/// one online reduction. `isPrivate` says whether only these nests read a value.
std::optional<OnlineReduction> findOnlineReduction(ArrayRef<Nest> nests,
                                                   llvm::function_ref<bool(Value)> isPrivate);

/// An order of `nests` in which those of `online` follow one another; nothing if another nest
/// stands between them.
std::optional<SmallVector<unsigned>> orderAround(const OnlineReduction &online,
                                                 ArrayRef<Nest> nests);

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_ONLINEREDUCTION_H
