//===- Session.h - run a program --------------------------------*- C++ -*-===//
//
//   Program   a plan with its code and constants, on a device: made once, never
//             changed by a run
//   Session   what one run at a time needs besides: a workspace. Sessions of one
//             program may run at the same time.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_RUNTIME_SESSION_H
#define TINY_RUNTIME_SESSION_H

#include "Tiny/Runtime/Device.h"
#include "Tiny/Runtime/Plan.h"
#include "Tiny/Runtime/Tensor.h"

namespace tinyrt {

/// The bytes that a run of `plan` needs: arguments, results, constants, state and workspace.
uint64_t memoryNeeded(const PlanView &plan);

/// Memory of a device that is given back with it.
class DeviceMemory {
public:
  DeviceMemory() = default;
  /// False if there is not enough. Zero bytes always succeed, with a null pointer.
  bool allocate(const std::shared_ptr<Device> &device, uint64_t bytes, const char *what,
                std::string &error);
  void *data() const { return memory.get(); }

private:
  std::shared_ptr<void> memory;
};

class Program {
public:
  /// `constants` has the plan's constants_bytes, aligned to kBufferAlignment. A device that shares
  /// the host's memory uses them where they are; whoever made them keeps them, and the code, as
  /// long as the program. Null with the reason in `error` when a kernel or memory is missing.
  static std::shared_ptr<const Program> create(std::shared_ptr<Device> device, Plan plan,
                                               const Code &code, const void *constants,
                                               std::string &error);

  const PlanView &plan() const { return ownPlan.view(); }
  Device &device() const { return *ownDevice; }

private:
  friend class Session;
  std::shared_ptr<Device> ownDevice;
  Plan ownPlan;
  std::vector<Device::Kernel> kernels;
  const void *constants = nullptr;
  DeviceMemory constantsCopy, state;
};

class Session {
public:
  struct Options {
    /// Fill results and workspace with a pattern before each run, so that a test sees what no
    /// kernel has written: NaN for floats, ...cdcd for integers.
    bool poison = false;
    /// Wait for and measure each launch.
    bool profile = false;
  };
  struct LaunchTime {
    uint64_t calls = 0;
    uint64_t nanoseconds = 0;
  };

  static std::unique_ptr<Session> create(std::shared_ptr<const Program> program, Options options,
                                         std::string &error);

  /// Runs all launches. `inputs` must have the types of the plan. Tensors of the right type that
  /// `outputs` already has are written to; otherwise new ones are made. The contents of an input
  /// that the plan calls donated are lost, and it may share its memory with no other input; an
  /// output that lies in it becomes that memory.
  bool run(const std::vector<Tensor> &inputs, std::vector<Tensor> &outputs, std::string &error);

  /// Evaluates the plan's checks on what the last run has left. One message for each that fails.
  bool check(std::vector<std::string> &failures, std::string &error);

  /// One for each launch of the plan, if `profile` is set.
  const std::vector<LaunchTime> &times() const { return launchTimes; }
  void resetTimes() { launchTimes.assign(launchTimes.size(), {}); }

private:
  bool bind(const std::vector<Tensor> &inputs, std::vector<Tensor> &outputs, std::string &error);
  bool launchAll(std::string &error);
  void *address(const tiny_plan_buffer &buffer) const;

  std::shared_ptr<const Program> program;
  Options options;
  DeviceMemory workspace;
  /// What the last run was given and gave: checks look at it.
  std::vector<Tensor> lastInputs, lastOutputs;
  /// Where kernels see arguments and results; copies where the device has its own memory.
  std::vector<void *> arguments, results;
  std::vector<DeviceMemory> argumentCopies, resultCopies;
  std::vector<LaunchTime> launchTimes;
};

} // namespace tinyrt

#endif // TINY_RUNTIME_SESSION_H
