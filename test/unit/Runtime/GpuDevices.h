//===- GpuDevices.h - the simulator and the card in tests -------*- C++ -*-===//

#ifndef TINY_TEST_UNIT_RUNTIME_GPUDEVICES_H
#define TINY_TEST_UNIT_RUNTIME_GPUDEVICES_H

#include "Tiny/Runtime/HsaDevice.h"
#include "Tiny/Runtime/TensorFile.h"

#include <gtest/gtest.h>

/// The code object of kernels.cl.
inline const std::string &gpuKernels() {
  static const std::string image = [] {
    std::string bytes, error;
    EXPECT_TRUE(tinyrt::readFile(TINY_RUNTIME_KERNELS, bytes, error)) << error;
    return bytes;
  }();
  return image;
}

/// Why there is none is in `reason`. There is always a simulator.
inline std::shared_ptr<tinyrt::HsaDevice> openGpu(bool simulate, std::string &reason,
                                                  unsigned timeout = 0) {
  tinyrt::HsaOptions options;
  options.simulate = simulate;
  options.timeoutSeconds = timeout;
  std::shared_ptr<tinyrt::HsaDevice> device = tinyrt::createHsaDevice(options, reason);
  EXPECT_TRUE(device || !simulate) << reason;
  return device;
}

#endif // TINY_TEST_UNIT_RUNTIME_GPUDEVICES_H
