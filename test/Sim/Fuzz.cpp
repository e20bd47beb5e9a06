//===- Fuzz.cpp - arbitrary bytes as code objects and as instructions -------===//
//
// The first byte of an input says what the rest is:
//   0, 1   a code object: through the HSA loader's calls, and what loads is run as well
//   2, 3   instruction words of a kernel, as wave32 and as wave64
// A kernel may fail in any way it likes, with a Fault. It may not crash the process, touch
// memory that is not its own, or run for ever: instructions are limited, threads are one.
//
// The library is compiled a second time for this program, with AddressSanitizer and
// libFuzzer's coverage, so that `make check` has both in every build.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Sim/Loader.h"
#include "Tiny/Sim/Simulator.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <hsa/hsa.h>
#include <vector>

using namespace tinysim;

static Options limits() {
  Options options;
  options.threads = 1;
  options.instructionLimit = 1000;
  options.timeoutSeconds = 20;
  return options;
}

/// Runs one kernel on a small grid, with a buffer as its only argument.
static void runKernel(Simulator &simulator, MemoryMap &memory, const KernelInfo &kernel) {
  alignas(64) static char kernarg[256], buffer[4096];
  memset(kernarg, 0, sizeof kernarg);
  void *pointer = buffer;
  for (size_t at = 0; at < 64; at += 8)
    memcpy(kernarg + at, &pointer, 8);
  memory.add(reinterpret_cast<uint64_t>(kernarg), sizeof kernarg, "kernarg", Access::read);
  memory.add(reinterpret_cast<uint64_t>(buffer), sizeof buffer, "buffer", Access::readWrite);
  hsa_kernel_dispatch_packet_t packet = {};
  packet.setup = 1;
  packet.workgroup_size_x = 70;
  packet.workgroup_size_y = packet.workgroup_size_z = 1;
  packet.grid_size_x = 70;
  packet.grid_size_y = packet.grid_size_z = 1;
  packet.private_segment_size = 64;
  packet.group_segment_size = 1024;
  packet.kernel_object = kernel.descriptor;
  packet.kernarg_address = kernarg;
  Dispatch dispatch;
  dispatch.packet = &packet;
  dispatch.packetAddress = reinterpret_cast<uint64_t>(&packet);
  dispatch.kernel = &kernel;
  Counters counters;
  if (std::optional<Fault> fault = simulator.run(dispatch, &counters))
    if (fault->message.empty())
      abort(); // a fault has to say what it is
  memory.remove(reinterpret_cast<uint64_t>(kernarg));
  memory.remove(reinterpret_cast<uint64_t>(buffer));
}

static void asCodeObject(const uint8_t *data, size_t size) {
  static hsa_agent_t gpu = [] {
    hsa_init();
    hsa_agent_t found = {0};
    hsa_iterate_agents(
        [](hsa_agent_t agent, void *to) {
          hsa_device_type_t type;
          hsa_agent_get_info(agent, HSA_AGENT_INFO_DEVICE, &type);
          if (type == HSA_DEVICE_TYPE_GPU)
            *static_cast<hsa_agent_t *>(to) = agent;
          return HSA_STATUS_SUCCESS;
        },
        &found);
    return found;
  }();
  hsa_code_object_reader_t reader;
  if (hsa_code_object_reader_create_from_memory(data, size, &reader) == HSA_STATUS_SUCCESS) {
    hsa_executable_t executable;
    hsa_executable_create_alt(HSA_PROFILE_BASE, HSA_DEFAULT_FLOAT_ROUNDING_MODE_DEFAULT, nullptr,
                              &executable);
    if (hsa_executable_load_agent_code_object(executable, gpu, reader, nullptr, nullptr) ==
            HSA_STATUS_SUCCESS &&
        hsa_executable_freeze(executable, nullptr) == HSA_STATUS_SUCCESS)
      hsa_executable_iterate_agent_symbols(
          executable, gpu,
          [](hsa_executable_t, hsa_agent_t, hsa_executable_symbol_t symbol, void *) {
            uint32_t length = 0;
            hsa_executable_symbol_get_info(symbol, HSA_EXECUTABLE_SYMBOL_INFO_NAME_LENGTH, &length);
            std::vector<char> name(length + 1);
            hsa_executable_symbol_get_info(symbol, HSA_EXECUTABLE_SYMBOL_INFO_NAME, name.data());
            return HSA_STATUS_SUCCESS;
          },
          nullptr);
    hsa_executable_destroy(executable);
    hsa_code_object_reader_destroy(reader);
  }
  LoadedObject object;
  std::string message;
  if (object.load(
          {reinterpret_cast<const char *>(data), size},
          [](const std::string &) { return std::nullopt; }, message))
    return;
  MemoryMap memory;
  for (const LoadedSegment &segment : object.segments)
    memory.add(segment.address, segment.bytes, "code object", segment.access);
  Simulator simulator(memory, limits());
  simulator.addCode(object.code);
  unsigned count = 0;
  for (const KernelInfo &kernel : object.code.kernels)
    if (count++ < 4)
      runKernel(simulator, memory, kernel);
  simulator.removeCode(object.code.base);
}

/// A kernel descriptor (64 bytes) and code behind it, as a loader leaves them in memory.
static void asInstructions(const uint8_t *data, size_t size, bool wave64) {
  constexpr size_t kCodeAt = 256;
  size &= ~size_t(3);
  size_t bytes = (kCodeAt + size + 4 + 4095) & ~size_t(4095);
  char *image = static_cast<char *>(aligned_alloc(4096, bytes));
  memset(image, 0, bytes);
  int64_t entry = kCodeAt;
  uint32_t groupBytes = 1024, privateBytes = 64, kernargBytes = 64;
  uint32_t rsrc1 = 0x00af0000 | (wave64 ? 15 : 7); // 64 VGPRs, the default float modes
  uint32_t rsrc2 =
      1 | 2 << 1 | 1 << 7 | 2 << 11; // scratch, 2 user SGPRs, work-group id, all work-item ids
  uint16_t properties = 1 << 3 | (wave64 ? 0 : 1 << 10);
  memcpy(image, &groupBytes, 4);
  memcpy(image + 4, &privateBytes, 4);
  memcpy(image + 8, &kernargBytes, 4);
  memcpy(image + 16, &entry, 8);
  memcpy(image + 48, &rsrc1, 4);
  memcpy(image + 52, &rsrc2, 4);
  memcpy(image + 56, &properties, 2);
  memcpy(image + kCodeAt, data, size);
  uint32_t end = 0xbfb00000; // s_endpgm
  memcpy(image + kCodeAt + size, &end, 4);
  CodeObject code;
  code.base = reinterpret_cast<uint64_t>(image);
  code.bytes = bytes;
  KernelInfo kernel;
  kernel.name = "fuzzed";
  kernel.descriptor = code.base;
  kernel.kernargBytes = 64;
  code.kernels.push_back(kernel);
  {
    MemoryMap memory;
    memory.add(code.base, bytes, "code", Access(5));
    Simulator simulator(memory, limits());
    simulator.addCode(code);
    runKernel(simulator, memory, kernel);
    simulator.removeCode(code.base);
  }
  free(image);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size)
    return 0;
  unsigned kind = data[0] & 3;
  if (kind < 2)
    asCodeObject(data + 1, size - 1);
  else
    asInstructions(data + 1, size - 1, kind == 3);
  return 0;
}
