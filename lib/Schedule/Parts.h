//===- Parts.h - values that are computed in parts --------------*- C++ -*-===//

#ifndef TINY_SCHEDULE_PARTS_H
#define TINY_SCHEDULE_PARTS_H

#include "Nest.h"

namespace mlir::tiny {

/// Forms the nests of one function, its values from the last to the first. A value that chooses by
/// position between others (a concatenation) is computed in parts, each by a nest of its own: the
/// kernels that compute the pieces write them where they belong, and nothing is copied.
class NestBuilder {
public:
  NestBuilder(const Materialisation &materialisation, const llvm::DenseSet<Value> &escapes)
      : materialisation(materialisation), escapes(escapes) {}

  /// Adds the nests of `root`; its users have been added before.
  void add(Value root);
  /// All nests in program order, with reads and stores of parts in terms of the whole.
  std::vector<Nest> take();

private:
  struct Place {
    Value whole;
    Box box;
  };

  std::vector<Nest> formParts(Value root);
  bool canPlace(Value value, Value whole, const Nest &copy) const;
  AffineExpr inWhole(AffineExpr number, const Place &place) const;

  const Materialisation &materialisation;
  const llvm::DenseSet<Value> &escapes;
  std::vector<Nest> nests; // consumers first
  llvm::DenseMap<Value, Place> placed;
  llvm::DenseSet<Value> takenIn; // reductions that are part of another nest
};

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_PARTS_H
