//===- HostFold.h - values that are known at import -------------*- C++ -*-===//
//
// Shape arithmetic of a model (Shape, Gather, Concat, …) is written with the same
// builders as everything else and then evaluated here: one evaluator of the tiny
// ops in place of one folding rule per ONNX operator.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_FRONTEND_HOSTFOLD_H
#define TINY_LIB_FRONTEND_HOSTFOLD_H

#include "Tiny/IR/TinyDialect.h"
#include "llvm/ADT/DenseMap.h"

#include <vector>

namespace mlir::tiny {

/// The elements of a small tensor: `ints` for integer and boolean types, else `floats`.
struct HostTensor {
  RankedTensorType type;
  std::vector<APInt> ints;
  std::vector<APFloat> floats;

  /// As an attribute, for a constant.
  DenseElementsAttr attribute() const;
};

/// Evaluates values that depend on nothing but constants. Remembers what it found.
class HostFolder {
public:
  /// Null when `value` depends on an argument, or on a tensor too large to be shape arithmetic.
  const HostTensor *fold(Value value);

private:
  std::optional<HostTensor> evaluate(Value value);

  llvm::DenseMap<Value, std::unique_ptr<HostTensor>> known;
};

} // namespace mlir::tiny

#endif // TINY_LIB_FRONTEND_HOSTFOLD_H
