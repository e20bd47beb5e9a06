//===- HsaClient.h - the few HSA calls that the tests need -------*- C++ -*-===//
//
// Loads an HSA library at run time (the simulator's, or ROCm's where there is a card),
// so that the same test binary runs on both. Everything the simulator's tests do goes
// through the public C API: what passes here may be expected of a card as well.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TEST_SIM_HSACLIENT_H
#define TINY_TEST_SIM_HSACLIENT_H

#include <hsa/hsa.h>
#include <hsa/hsa_ext_amd.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace simtest {

/// One kernel of a loaded code object.
struct Kernel {
  uint64_t object = 0;
  uint32_t kernargBytes = 0, groupBytes = 0, privateBytes = 0;
};

/// The grid of a dispatch; the sizes count work items, as in an AQL packet.
struct Grid {
  uint32_t size[3] = {1, 1, 1};
  uint16_t group[3] = {1, 1, 1};
  uint32_t dynamicGroupBytes = 0;
};

/// How a dispatch ended.
struct Outcome {
  bool ok = false;
  std::string error; ///< of the queue's error callback, or that it timed out
};

class Client {
public:
  /// Opens `library` and takes its first GPU agent; null with `error` set if there is none.
  static std::unique_ptr<Client> open(const std::string &library, std::string &error);
  ~Client();

  /// Memory that host and device both see.
  void *allocate(size_t bytes);
  void free(void *memory);
  /// Memory of the device; written and read with copy().
  void *allocateDevice(size_t bytes);
  bool copy(void *to, const void *from, size_t bytes);

  /// Loads a code object and returns its kernels by name (without .kd).
  bool load(const std::vector<char> &elf, std::map<std::string, Kernel> &kernels,
            std::string &error);

  /// Runs one kernel and waits. After an error the queue is replaced by a new one.
  /// `arguments` are the explicit ones; hidden arguments follow as zeros.
  Outcome run(const Kernel &kernel, const Grid &grid, const std::vector<char> &arguments);

  hsa_agent_t agent() const { return gpu; }

private:
  struct Api;
  Client() = default;
  bool makeQueue();

  std::unique_ptr<Api> api;
  hsa_agent_t gpu = {0}, cpu = {0};
  hsa_amd_memory_pool_t sharedPool = {0}, kernargPool = {0}, devicePool = {0};
  hsa_queue_t *queue = nullptr;
  hsa_signal_t done = {0};
  char *kernargs = nullptr;
  std::vector<hsa_executable_t> executables;
  std::vector<std::unique_ptr<std::vector<char>>> images;
  std::atomic<int> queueError{0};
};

/// Runs a command; false, with its output in `output`, unless it exits with status 0.
bool runCommand(const std::string &command, std::string &output);
std::vector<char> readFile(const std::string &path);

/// Assembles and links AMDGPU assembly text for gfx1100.
bool assemble(const std::string &text, unsigned waveSize, const std::string &stem,
              std::vector<char> &elf, std::string &error);

} // namespace simtest

#endif // TINY_TEST_SIM_HSACLIENT_H
