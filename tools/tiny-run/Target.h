//===- Target.h - what runs the program -------------------------*- C++ -*-===//

#ifndef TINY_RUN_TARGET_H
#define TINY_RUN_TARGET_H

#include "Model.h"
#include "Print.h"

#include "Tiny/Runtime/Device.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace mlir::tiny {
struct CompileOptions;
}

namespace tinyrun {

/// Says on stderr what is going on while it takes more than two seconds.
class Progress {
public:
  explicit Progress(std::string what);
  ~Progress();

private:
  std::mutex mutex;
  std::condition_variable ended;
  bool end = false;
  std::thread watcher;
};

/// Functions that can fail have either emitted a diagnostic then, or set `error`.
class Target {
public:
  virtual ~Target();

  /// Gets the program ready to run: compiles it and gets its memory. Takes the model's module,
  /// which may be lowered.
  virtual bool prepare(Model &model, const Options &options, std::string &error) = 0;
  /// Seconds of prepare() that the compiler took.
  virtual double compileSeconds() const { return 0; }

  virtual bool run(const std::vector<tinyrt::Tensor> &inputs, std::vector<tinyrt::Tensor> &outputs,
                   std::string &error) = 0;

  /// Evaluates the tests of the program on the last run: one message for each that failed.
  virtual bool check(std::vector<std::string> &failures, std::string &error) = 0;

  /// Runs `runs` times and gives back the table of kernels.
  virtual bool profile(const std::vector<tinyrt::Tensor> &inputs, unsigned runs, std::string &table,
                       std::string &error) = 0;

  /// What is known before a run. Empty where nothing is compiled.
  virtual std::string report(Report format) const = 0;
};

/// By the name that --target has. Null with the reason if there is no such thing here.
std::unique_ptr<Target> createTarget(const Options &options, std::string &error);

std::unique_ptr<Target> createReferenceTarget();
/// What options.device names. Null with the reason if there is none.
std::shared_ptr<tinyrt::Device> createDevice(const Options &options, std::string &error);

/// What the compiler makes for options.target, on `device`; if that is null, on createDevice() once
/// something is run.
std::unique_ptr<Target> createCompiledTarget(std::shared_ptr<tinyrt::Device> device);

/// Runs the model on the interpreter and compares what another target has computed with it. One
/// line per result in `text`; false if one differs.
bool verifyAgainstReference(const Model &model, const Options &options,
                            const std::vector<tinyrt::Tensor> &inputs,
                            const std::vector<tinyrt::Tensor> &outputs, std::string &text,
                            bool &agrees);

/// What the command line says about compiling.
mlir::tiny::CompileOptions compileOptions(const Model &model, const Options &options);

/// Compiles as far as `options.emit` says, and gives back what is to be written.
bool emitCode(Model &model, const Options &options, std::string &bytes, std::string &error);

/// Compiles ahead of time, and writes the code, its header and the weights: all of them or none.
bool writeLibrary(Model &model, const Options &options, std::string &error);

/// options.maxMemory, or what the machine has.
uint64_t memoryLimit(const Options &options);

} // namespace tinyrun

#endif // TINY_RUN_TARGET_H
