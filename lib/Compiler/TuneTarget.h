//===- TuneTarget.h - what tuning has to know of a target -------*- C++ -*-===//
//
// The search is the same for all of them. Which tilings there are, what runs them, and
// what says how long they take is not.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_COMPILER_TUNETARGET_H
#define TINY_LIB_COMPILER_TUNETARGET_H

#include "Tiny/Compiler/TilingCache.h"
#include "Tiny/Compiler/Tune.h"
#include "Tiny/Tile/LaneTilings.h"

#include "mlir/Pass/PassManager.h"

namespace mlir::tiny {

/// The tilings of a kernel, as choices: the rank of each nest, and sizes that only the target knows
/// the meaning of.
struct TilingPoint {
  SmallVector<TilingRank> ranks;
  SmallVector<double> sizes;
};

class TuneTarget {
public:
  /// Null after a diagnostic if this machine cannot tune for what `options` names.
  static std::unique_ptr<TuneTarget> create(ModuleOp module, const TuneOptions &options);
  virtual ~TuneTarget() = default;

  virtual TilingCache cache(StringRef folder) const = 0;
  /// The program as kernels, in the form that the cache knows them in.
  virtual void buildSchedule(OpPassManager &pm, const CompileOptions &options) const = 0;
  /// What is left of the Tile stage in front of the choice of tilings.
  virtual void buildNests(OpPassManager &pm) const = 0;

  /// The sizes of the default tilings, and those to try for each of them.
  virtual SmallVector<double> defaultSizes() const = 0;
  virtual ArrayRef<SmallVector<double>> otherSizes() const = 0;
  /// Null if there are none.
  virtual ArrayAttr tilings(func::FuncOp kernel, const TilingPoint &point) const = 0;
  virtual SmallVector<ArrayAttr> neighbours(func::FuncOp kernel, ArrayAttr tilings) const = 0;
  /// Makes the choices for `kernel` more modest, since its code does not fit. False if there is
  /// nothing to give up.
  virtual bool retreat(func::FuncOp kernel) const = 0;

  /// A new one: a kernel that does something wrong ends its device.
  virtual std::shared_ptr<tinyrt::Device> createDevice(std::string &error) const = 0;
  /// Why the only kernel of `artefact` should not be used, empty if all is well.
  virtual std::string whyNot(const Artefact &artefact) const = 0;
  /// Seconds of the one launch that `device` has executed, by a model; nothing if its clock says
  /// it.
  virtual std::optional<double> estimate(const Artefact &artefact,
                                         const tinyrt::Device &device) const = 0;
};

} // namespace mlir::tiny

#endif // TINY_LIB_COMPILER_TUNETARGET_H
