//===- Kernel.h - the nests that are launched together ----------*- C++ -*-===//

#ifndef TINY_SCHEDULE_KERNEL_H
#define TINY_SCHEDULE_KERNEL_H

#include "OnlineReduction.h"

namespace mlir::tiny {

/// Nests that one launch executes, in this order. Those that pass values to one another share
/// loops: a workgroup is a tile of these, and computes all nests for it. Values that nobody else
/// needs stay inside of the workgroup.
struct Kernel {
  std::vector<Nest> nests;
  llvm::SmallDenseSet<Value> locals;     // results of nests that no buffer is needed for
  std::optional<OnlineReduction> online; // nests that are one op together

  /// Reorders the nests so that those of `online` follow one another.
  void gatherOnline();
  bool isLocal(const Nest &nest) const { return locals.contains(nest.result); }
  /// The nests whose results leave the kernel, in the order of its results.
  SmallVector<const Nest *> results() const;
  /// What the kernel does and the shape that it makes: `conv3x3_add_relu_1x64x56x56`.
  std::string name() const;
};

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_KERNEL_H
