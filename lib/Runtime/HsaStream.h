//===- HsaStream.h - the launches of one thread -----------------*- C++ -*-===//

#ifndef TINY_LIB_RUNTIME_HSASTREAM_H
#define TINY_LIB_RUNTIME_HSASTREAM_H

#include "HsaLibrary.h"

namespace tinyrt {

/// What a thread has launched since it last waited, and before that: a launch that comes again in
/// the same place of the sequence has its arguments in memory already.
class HsaStream {
public:
  struct Launch {
    Launch(Device::Kernel kernel, const HsaLaunch &launch);
    bool operator==(const Launch &other) const;

    Device::Kernel kernel;
    uint32_t shape[7]; ///< items, block, LDS
    std::string arguments;
    void *memory = nullptr; ///< where the kernel finds its arguments, the hidden ones too
    size_t bytes = 0;
    uint64_t number = 0; ///< of all launches of the device
  };

  HsaStream(HsaLibrary &library, hsa_agent_t agent, hsa_amd_memory_pool_t pool);
  ~HsaStream();
  HsaStream(const HsaStream &) = delete;
  HsaStream &operator=(const HsaStream &) = delete;

  /// Memory for the `bytes` of arguments of the next launch; null if there is none. `isNew` says
  /// that they are not in it yet.
  void *next(Launch launch, size_t bytes, uint64_t number, bool &isNew);
  /// All launches have ended.
  void restart() { position = 0; }
  /// Null if there is none.
  const Launch *oldestUnfinished() const;

  /// Counts the launches that have not ended.
  hsa_signal_t signal() const { return unfinished; }

private:
  HsaLibrary &library;
  hsa_agent_t agent;
  hsa_amd_memory_pool_t pool;
  hsa_signal_t unfinished = {0};
  std::vector<Launch> sequence;
  size_t position = 0;

  void *allocate(size_t bytes);
  std::vector<void *> slabs; ///< that arguments are taken from
  size_t slabUsed = 0;
};

} // namespace tinyrt

#endif // TINY_LIB_RUNTIME_HSASTREAM_H
