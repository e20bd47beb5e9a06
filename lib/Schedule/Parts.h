//===- Parts.h - values that are computed in parts --------------*- C++ -*-===//

#ifndef TINY_SCHEDULE_PARTS_H
#define TINY_SCHEDULE_PARTS_H

#include "Nest.h"

namespace mlir::tiny {

/// Forms the nests of one function, its values from the last to the first. A value that chooses by
/// position between others (a concatenation) is computed in parts, each by a nest of its own: the
/// kernels that compute the pieces write them where they belong, and nothing is copied. A value
/// that is another one with some new elements takes over its buffer, if nobody needs that one any
/// more.
class NestBuilder {
public:
  /// With `remarks`, says of values that could not be updated in place why.
  NestBuilder(const Materialisation &materialisation, const llvm::DenseSet<Value> &escapes,
              bool parts, bool remarks)
      : materialisation(materialisation), escapes(escapes), parts(parts), remarks(remarks) {}

  /// Adds the nests of `root`; its users have been added before.
  void add(Value root);
  /// All nests in program order, with reads and stores of parts in terms of the whole. Nothing if a
  /// part is no box of its whole, as its loops see it.
  std::optional<std::vector<Nest>> take();

private:
  /// Where the elements of a value lie in the whole that it is a part of: what a nest that would
  /// move them there reads and stores.
  struct Place {
    Value whole;
    SmallVector<unsigned> loops;  // row-major over the elements of the value
    SmallVector<int64_t> extents; // of these loops
    AffineExpr store;             // the element of the whole, over the loops
  };

  std::vector<Nest> formParts(Value root);
  std::vector<Nest> formUpdate(Value root, ArrayRef<Nest> parts);
  bool mayUpdate(Value root, Value old) const;
  void keep(Nest nest);
  std::optional<Place> findPlace(Value whole, const Nest &copy) const;
  AffineExpr inWhole(AffineExpr number, const Place &place) const;
  void placeStore(Nest &nest) const;

  const Materialisation &materialisation;
  const llvm::DenseSet<Value> &escapes;
  bool parts; // whether there are any
  bool remarks;
  std::vector<Nest> nests; // consumers first
  llvm::DenseMap<Value, Place> placed;
  llvm::DenseSet<Value> takenIn; // reductions that are part of another nest
  llvm::DenseSet<Value> read;    // by `nests`
  llvm::DenseSet<Value> updated; // whose buffers other values take over
};

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_PARTS_H
