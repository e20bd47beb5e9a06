//===- HsaLibrary.h - an HSA library, found at run time ---------*- C++ -*-===//
//
// Programs that never use a GPU must not need ROCm, so nothing is linked: this finds
// the library, the functions in it, and the agents that run our code.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_RUNTIME_HSALIBRARY_H
#define TINY_LIB_RUNTIME_HSALIBRARY_H

#include "Tiny/Runtime/HsaDevice.h"
#include "Tiny/Sim/HsaSim.h"

#include <hsa/hsa.h>
#include <hsa/hsa_ext_amd.h>

#include <memory>
#include <mutex>

namespace tinyrt {

// The functions we call, without "hsa_".
#define TINY_HSA_FUNCTIONS(F)                                                                      \
  F(init)                                                                                          \
  F(shut_down)                                                                                     \
  F(status_string)                                                                                 \
  F(system_get_info)                                                                               \
  F(iterate_agents)                                                                                \
  F(agent_get_info)                                                                                \
  F(memory_copy)                                                                                   \
  F(queue_create)                                                                                  \
  F(queue_destroy)                                                                                 \
  F(queue_load_read_index_scacquire)                                                               \
  F(queue_load_write_index_relaxed)                                                                \
  F(queue_store_write_index_screlease)                                                             \
  F(signal_create)                                                                                 \
  F(signal_destroy)                                                                                \
  F(signal_load_scacquire)                                                                         \
  F(signal_add_relaxed)                                                                            \
  F(signal_store_screlease)                                                                        \
  F(signal_wait_scacquire)                                                                         \
  F(code_object_reader_create_from_memory)                                                         \
  F(code_object_reader_destroy)                                                                    \
  F(executable_create_alt)                                                                         \
  F(executable_destroy)                                                                            \
  F(executable_load_agent_code_object)                                                             \
  F(executable_freeze)                                                                             \
  F(executable_get_symbol_by_name)                                                                 \
  F(executable_symbol_get_info)                                                                    \
  F(amd_agent_iterate_memory_pools)                                                                \
  F(amd_memory_pool_get_info)                                                                      \
  F(amd_memory_pool_allocate)                                                                      \
  F(amd_memory_pool_free)                                                                          \
  F(amd_agents_allow_access)                                                                       \
  F(amd_profiling_set_profiler_enabled)                                                            \
  F(amd_profiling_get_dispatch_time)                                                               \
  F(amd_register_system_event_handler)

class HsaLibrary;

/// Who is told of memory faults, which the library reports to the process and not to a queue.
class HsaFaultListener {
public:
  virtual ~HsaFaultListener() = default;
  /// Called from a thread of the library.
  virtual void memoryFault(hsa_agent_t agent, uint64_t address, uint32_t reasons) = 0;
};

class HsaLibrary {
public:
  /// Null with a sentence if there is no library, no card, or none that the library knows.
  static std::shared_ptr<HsaLibrary> open(bool simulate, std::string &error);
  ~HsaLibrary();

#define TINY_HSA_MEMBER(name) decltype(&::hsa_##name) name = nullptr;
  TINY_HSA_FUNCTIONS(TINY_HSA_MEMBER)
#undef TINY_HSA_MEMBER
  // Null with a library that is not ours.
  decltype(&::tiny_sim_iterate_counters) iterateCounters = nullptr;
  decltype(&::tiny_sim_set_message_handler) setMessageHandler = nullptr;

  /// "HSA_STATUS_ERROR_…: what it means".
  std::string text(hsa_status_t status) const;
  /// What the simulator had to say since the last call; empty with ROCm.
  std::string takeMessages();

  void addListener(HsaFaultListener *listener);
  void removeListener(HsaFaultListener *listener);

  hsa_agent_t cpu = {0};
  std::vector<hsa_agent_t> gpus; ///< those that run code for gfx1100

  std::string agentName(hsa_agent_t agent, uint32_t attribute = HSA_AGENT_INFO_NAME) const;

private:
  HsaLibrary() = default;
  bool find(bool simulate, std::string &error);
  bool findAgents(std::string &error);
  std::string version() const;

  void *library = nullptr;
  bool initialized = false;
};

} // namespace tinyrt

#endif // TINY_LIB_RUNTIME_HSALIBRARY_H
