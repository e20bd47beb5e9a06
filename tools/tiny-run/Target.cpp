//===- Target.cpp - what all targets share --------------------------------===//

#include "Target.h"

#include "Tiny/Runtime/HsaDevice.h"

#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <cstdlib>
#include <unistd.h>

using namespace tinyrun;

Progress::Progress(std::string what) {
  watcher = std::thread([this, what = std::move(what)] {
    std::unique_lock<std::mutex> lock(mutex);
    // Twice as long each time: a line now and then, however long it takes.
    auto start = std::chrono::steady_clock::now();
    for (int seconds = 2;; seconds *= 2) {
      if (ended.wait_until(lock, start + std::chrono::seconds(seconds), [this] { return end; }))
        return;
      llvm::errs() << "tiny-run: " << what << ", " << seconds << " s so far\n";
    }
  });
}

Progress::~Progress() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    end = true;
  }
  ended.notify_one();
  watcher.join();
}

uint64_t tinyrun::memoryLimit(const Options &options) {
  if (options.maxMemory)
    return options.maxMemory;
  long pages = ::sysconf(_SC_PHYS_PAGES), size = ::sysconf(_SC_PAGE_SIZE);
  return pages > 0 && size > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(size)
                               : UINT64_MAX;
}

Target::~Target() = default;

std::shared_ptr<tinyrt::Device> tinyrun::createDevice(const Options &options, std::string &error) {
  if (options.target == "cpu")
    return tinyrt::createCpuDevice(options.threads);
  // The simulator is a library of its own, and takes its options from there.
  if (options.threads && options.device == "sim")
    ::setenv("TINY_SIM_THREADS", std::to_string(options.threads).c_str(), /*overwrite=*/1);
  tinyrt::HsaOptions hsa;
  tinyrt::parseHsaDevice(options.device.empty() ? "hsa" : options.device, hsa);
  std::shared_ptr<tinyrt::Device> device = tinyrt::createHsaDevice(hsa, error);
  // Who named the card knows of other devices, and the simulator is a gfx1100.
  bool isSimulated = options.target == "rdna3" || options.target == "gfx1100";
  if (!device && options.device.empty() && isSimulated)
    error += "; --device sim runs the program on a simulator of gfx1100";
  return device;
}

std::unique_ptr<Target> tinyrun::createTarget(const Options &options, std::string &error) {
  if (options.target == "reference")
    return createReferenceTarget();
  // The device is there before the compiler is: whoever has no card is told so first. But code and
  // costs can be seen without one.
  bool isForSight =
      !options.emit.empty() || (options.report != Report::none && options.inputs.empty());
  std::shared_ptr<tinyrt::Device> device;
  if (!isForSight && !(device = createDevice(options, error)))
    return nullptr;
  return createCompiledTarget(std::move(device));
}
