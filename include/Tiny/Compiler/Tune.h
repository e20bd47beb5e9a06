//===- Tune.h - choose tilings by measuring them ----------------*- C++ -*-===//
//
// The default tiling of a kernel is the cheapest one of a cost model. Tuning measures
// what lies around it, one kernel at a time, and keeps what was faster in the cache,
// where every later compilation finds it.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_COMPILER_TUNE_H
#define TINY_COMPILER_TUNE_H

#include "Tiny/Compiler/Compiler.h"
#include "Tiny/Runtime/Device.h"

#include <functional>

namespace mlir::tiny {

/// What is known of one kernel while and after it is tuned.
struct TunedKernel {
  std::string name;
  unsigned launches = 0; ///< of one run of the program
  unsigned tried = 0;    ///< tilings that were measured
  unsigned rejected = 0; ///< of them, those with a result beyond the tolerance
  unsigned unfit = 0;    ///< of them, those that cannot be compiled, or need more registers
  /// Seconds of one launch with the tiling that a compilation would have used before, and will use
  /// from now on.
  double before = 0, after = 0;
  bool estimated = false; ///< by a model: the simulator has no clock
};

struct TuneOptions {
  /// Its cache is where the winners go.
  CompileOptions compile;
  unsigned threads = 0; ///< of a CPU, as createCpuDevice has them
  /// For a GPU, makes the device that measures: each tiling has a new one.
  std::function<std::shared_ptr<tinyrt::Device>(std::string &error)> createDevice;
  /// Seconds to spend on the search, shared out to the kernels by the time that they take.
  double seconds = 60;
  /// Told after each kernel, of which there are `count`.
  std::function<void(const TunedKernel &kernel, size_t number, size_t count)> progress;
};

/// Searches a better tiling for each kernel of the program. A tiling wins only if its results agree
/// with those of the same kernel as plain affine loops, which share nothing with tiled ones. The
/// module is not changed. Errors go to the diagnostics of its context.
LogicalResult tune(ModuleOp module, const TuneOptions &options);

} // namespace mlir::tiny

#endif // TINY_COMPILER_TUNE_H
