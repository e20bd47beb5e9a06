//===- Host.h - kernels on the host ------------------------------*- C++ -*-===//
//
// See Shim.h.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TEST_SIM_HOST_H
#define TINY_TEST_SIM_HOST_H

#include <cstdint>

namespace simtest {
using HostKernel = void (*)(const uint32_t *in, uint32_t *out, uint32_t count);
void runOnHost(HostKernel kernel, const uint32_t *in, uint32_t *out, uint32_t count,
               uint32_t groups, uint32_t groupSize);
} // namespace simtest

#endif // TINY_TEST_SIM_HOST_H
