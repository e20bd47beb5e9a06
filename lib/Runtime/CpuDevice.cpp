//===- CpuDevice.cpp - the processor as a device --------------------------===//
//
// Kernels are functions in this process, and a launch has ended when it returns.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Runtime/Device.h"
#include "Tiny/Runtime/ThreadPool.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace tinyrt;

Device::~Device() = default;

namespace {
using Function = void (*)(void *const *buffers, uint32_t x, uint32_t y, uint32_t z);

struct Grid {
  Function function;
  void *const *buffers;
  uint32_t sizeX, sizeY;
};

class CpuDevice : public Device {
public:
  explicit CpuDevice(unsigned threads) : pool(threads) {}

  const char *name() const override { return "cpu"; }
  bool sharesHostMemory() const override { return true; }

  void *allocate(size_t bytes) override { return allocateBuffer(bytes); }
  void release(void *memory) override { std::free(memory); }

  bool copyToDevice(void *to, const void *from, size_t bytes, std::string &) override {
    if (bytes)
      std::memcpy(to, from, bytes);
    return true;
  }
  bool copyToHost(void *to, const void *from, size_t bytes, std::string &) override {
    if (bytes)
      std::memcpy(to, from, bytes);
    return true;
  }

  bool load(const Code &code, const PlanView &plan, std::vector<Kernel> &kernels,
            std::string &error) override {
    for (const tiny_plan_kernel &kernel : plan.kernels()) {
      std::string name(plan.text(kernel.name));
      Kernel function = code.find ? code.find(name.c_str()) : nullptr;
      if (!function) {
        error = "the compiled code has no kernel '" + name + "'";
        return false;
      }
      kernels.push_back(function);
    }
    return true;
  }

  bool launch(Kernel kernel, const tiny_plan_kernel &, const uint32_t grid[3], void *const *buffers,
              size_t, std::string &) override {
    Grid job = {reinterpret_cast<Function>(kernel), buffers, grid[0], grid[1]};
    pool.run(uint64_t(grid[0]) * grid[1] * grid[2], runRange, &job);
    return true;
  }
  bool wait(std::string &) override { return true; }

private:
  /// Workgroups first ... last - 1 in the order x, y, z.
  static void runRange(void *context, uint64_t first, uint64_t last) {
    const Grid &grid = *static_cast<const Grid *>(context);
    uint32_t x = static_cast<uint32_t>(first % grid.sizeX);
    uint32_t y = static_cast<uint32_t>(first / grid.sizeX % grid.sizeY);
    uint32_t z = static_cast<uint32_t>(first / grid.sizeX / grid.sizeY);
    for (; first != last; ++first) {
      grid.function(grid.buffers, x, y, z);
      if (++x < grid.sizeX)
        continue;
      x = 0;
      if (++y < grid.sizeY)
        continue;
      y = 0;
      ++z;
    }
  }

  ThreadPool pool;
};
} // namespace

std::shared_ptr<Device> tinyrt::createCpuDevice(unsigned threads) {
  return std::make_shared<CpuDevice>(threads);
}
