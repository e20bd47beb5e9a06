//===- GroupTile.h - the workgroup of several nests -------------*- C++ -*-===//
//
// Nests that locals connect are executed by one workgroup, on a tile of the loops that
// all of them share. How large that is decides what stays in which cache, and how often
// the operands are read again.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_GROUPTILE_H
#define TINY_LIB_TILE_GROUPTILE_H

#include "NestPrice.h"

namespace mlir::tiny {

/// A buffer that the nests of a group access.
struct Data {
  double bytes;
  uint64_t shared = 0; ///< The shared loops that move it, as bits.
  bool local;
  unsigned uses = 0; ///< Nests that read or write it.
};

/// The workgroup of a group of nests: a tile of the shared loops.
class GroupTile {
public:
  GroupTile(ArrayRef<const KernelNest *> nests, const NestGroup &group,
            ArrayRef<Candidate> candidates);

  SmallVector<int64_t> sizes;

  /// Divides the shared loops, the outermost first, until there are `wanted` workgroups and the
  /// data of one lies in the caches, for the first of which no more than `most` are worth it.
  /// Failure if the locals of one need more than `maxLocals` bytes.
  LogicalResult divide(int64_t wanted, double most, int64_t l1Bytes, int64_t l2Bytes,
                       int64_t maxLocals);
  double localBytes() const;
  double count() const;
  /// The tiles of which one fills a loop after the other, for each loop that may be the first one.
  SmallVector<SmallVector<int64_t>> others() const;
  /// Cycles for what nests hand to one another beyond the first level of the cache.
  double cacheCycles(int64_t l1Bytes, int64_t l2Bytes) const;
  /// Whether `tiled` has the strides of the workgroup's part of each local.
  bool knowsStrides(const KernelNest &nest, unsigned member) const;
  /// `nest`, which is number `member` of the group, as one workgroup has it.
  KernelNest tiled(const KernelNest &nest, unsigned member) const;

private:
  double tileBytes(const Data &data) const;
  template <typename Which>
  uint64_t leaves(Which which, int64_t cacheBytes, ArrayRef<int64_t> units) const;
  template <typename Reason> void divideWhile(Reason reason, ArrayRef<int64_t> units);

  const NestGroup &group;
  SmallVector<int64_t> whole;
  SmallVector<int64_t> vectors;       ///< Per shared loop: elements of a vector along it.
  SmallVector<int64_t> registerTiles; ///< Per shared loop: those that share loads in registers.
  SmallVector<Data> data;
};

/// Lets every elementwise nest that is the last one to read a local of the size of its own result
/// write over it. Whether any has changed.
bool reuseLocals(const KernelNests &kernel);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_GROUPTILE_H
