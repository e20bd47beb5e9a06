//===- Materialisation.h - which values exist in memory ---------*- C++ -*-===//

#ifndef TINY_SCHEDULE_MATERIALISATION_H
#define TINY_SCHEDULE_MATERIALISATION_H

#include "Tiny/IR/TinyDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::tiny {

/// The decision for one function: every value is a root (it gets a buffer and a kernel that
/// computes it) or is computed inside the kernels of the roots that use it.
class Materialisation {
public:
  explicit Materialisation(func::FuncOp function);

  bool isRoot(Value value) const { return roots.contains(value); }

  /// Why `value`, a root, is in memory.
  std::string reason(Value value) const;

  /// The one root whose kernel computes `value`, or null where several do.
  Value soleRoot(Value value) const { return soleRoots.lookup(value); }

private:
  /// Numbers about a root: in how many kernels and at how many points per element it is needed.
  struct Need {
    size_t kernels;
    double points, cost;
    bool guarded, concatenation;
  };

  llvm::DenseSet<Value> roots;
  llvm::DenseSet<Value> escapes; // what the host function needs
  llvm::DenseMap<Value, Need> needs;
  llvm::DenseMap<Value, Value> soleRoots;
};

/// What one element of `op` costs to compute, in units of an addition. Conversions are free: they
/// are part of a load, and a matrix multiplication of f16 is written with them.
double operationCost(Operation *op);

/// One value of the new type holds every value of the old one, and takes more memory.
bool isWidening(CastOp op);

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_MATERIALISATION_H
