//===- Device.h - what runs kernels -----------------------------*- C++ -*-===//
//
// The one interface between a launch plan and what executes it: memory, code,
// launches in order, and a wait. Whatever drives it (Session.h) does the same on
// every device, so that a new one has only these functions to get right, and the
// same test to pass.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_RUNTIME_DEVICE_H
#define TINY_RUNTIME_DEVICE_H

#include "Tiny/Runtime/Plan.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tinyrt {

/// The code of a plan's kernels, in the form that its device loads.
struct Code {
  /// For a CPU: the address of a kernel by its name, null if there is none.
  std::function<void *(const char *name)> find;
  /// For a GPU: the bytes of the code object.
  std::string_view image;
};

/// All functions may be called from several threads. Those that can fail return false (or null)
/// and say why in `error`.
class Device {
public:
  /// A loaded kernel; what it is only the device knows.
  using Kernel = void *;

  virtual ~Device();
  virtual const char *name() const = 0;

  /// True if kernels can use the memory of host tensors as it is, so that nothing is copied.
  virtual bool sharesHostMemory() const = 0;

  /// Memory for kernels, aligned to kBufferAlignment. Null when there is not enough.
  virtual void *allocate(size_t bytes) = 0;
  virtual void release(void *memory) = 0;
  virtual bool copyToDevice(void *to, const void *from, size_t bytes, std::string &error) = 0;
  virtual bool copyToHost(void *to, const void *from, size_t bytes, std::string &error) = 0;

  /// Finds all kernels of `plan` in `code`, in the plan's order.
  virtual bool load(const Code &code, const PlanView &plan, std::vector<Kernel> &kernels,
                    std::string &error) = 0;

  /// Starts `kernel` over `grid` on `buffers`, to run after all launches of this thread before it.
  /// The array of buffers need not outlive the call.
  virtual bool launch(Kernel kernel, const tiny_plan_kernel &info, const uint32_t grid[3],
                      void *const *buffers, size_t numBuffers, std::string &error) = 0;

  /// Waits for all launches of this thread.
  virtual bool wait(std::string &error) = 0;

  /// What the last launch of this thread took by the device's own clock, after wait(); 0 if it has
  /// none.
  virtual uint64_t lastLaunchNanoseconds() { return 0; }
};

/// The processor itself. A workgroup is one call of the kernel; a grid is shared out to `threads`
/// threads (0: one per core).
std::shared_ptr<Device> createCpuDevice(unsigned threads = 0);

} // namespace tinyrt

#endif // TINY_RUNTIME_DEVICE_H
