//===- Internal.h - the objects behind the handles --------------*- C++ -*-===//
//
// What the parts of the HSA library share. A handle is the address of one of these
// objects, and every function first asks whether there is such an object: a wrong
// handle is an error status. Kernels can read signals and queues, so those have
// AMD's own layouts (amd_hsa_signal.h, amd_hsa_queue.h).
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_HSA_INTERNAL_H
#define TINY_LIB_SIM_HSA_INTERNAL_H

#include "Waiting.h"

#include "Tiny/Sim/Loader.h"
#include "Tiny/Sim/Simulator.h"

#include <hsa/amd_hsa_queue.h>
#include <hsa/amd_hsa_signal.h>
#include <hsa/hsa.h>
#include <hsa/hsa_ext_amd.h>
#include <hsa/hsa_ven_amd_loader.h>

#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace tinysim::hsa {

/// The bits of an argument of an enumeration type. AMD's attributes are outside of the enumeration
/// that the functions are declared with, and such a value must not be read as one.
template <typename T> uint32_t bitsOf(const T &value) {
  static_assert(sizeof(T) == sizeof(uint32_t));
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

/// Writes the value of an attribute where the caller wants it.
template <typename T> hsa_status_t give(void *where, const T &value) {
  std::memcpy(where, &value, sizeof(T));
  return HSA_STATUS_SUCCESS;
}
/// A string with its zero byte, in an array of `size` characters that is filled up with zeros.
hsa_status_t giveText(void *where, const std::string &text, size_t size);

/// One line on stderr, after "tiny-hsa-sim: ".
void log(const std::string &line);

/// AMD's status codes are not in hsa_status_t.
constexpr hsa_status_t amdStatus(uint32_t code) { return static_cast<hsa_status_t>(code); }

//===----------------------------------------------------------------------===//
// Agents and their memory
//===----------------------------------------------------------------------===//

struct Agent;

/// A memory pool, and the region that stands for the same memory.
struct Pool {
  Agent *agent;
  hsa_amd_segment_t segment;
  uint32_t flags; ///< hsa_amd_memory_pool_global_flag_t, whose bits are those of regions
  uint64_t bytes;
  const char *name; ///< for messages: "device memory"
  uint64_t used = 0;

  bool canAllocate() const { return segment == HSA_AMD_SEGMENT_GLOBAL; }
};

struct Agent {
  bool isGpu;
  uint32_t node;
  std::string name, product, vendor;
  std::vector<std::unique_ptr<Pool>> pools;
  /// What kernels of this agent may touch, and what runs them. Null for the CPU.
  std::unique_ptr<MemoryMap> memory;
  std::unique_ptr<Simulator> simulator;

  hsa_agent_t handle() { return {reinterpret_cast<uint64_t>(this)}; }
};

/// A piece of memory that was allocated, or locked for the use of agents.
struct Allocation {
  void *base = nullptr;
  size_t bytes = 0;
  Pool *pool = nullptr;     ///< null if it is memory of the program that was locked
  std::set<Agent *> agents; ///< the GPUs that may use it
  void *userData = nullptr;
  std::vector<std::pair<hsa_amd_deallocation_callback_t, void *>> onFree;
  std::string name; ///< for messages
  unsigned locks = 1;
};

/// All allocations of a runtime. Thread-safe.
class Allocations {
public:
  ~Allocations();
  /// `everywhere`: all agents may use it without being asked, as memory of a region.
  hsa_status_t allocate(Pool &pool, size_t bytes, bool everywhere, void **memory);
  hsa_status_t release(void *memory);
  hsa_status_t lock(void *memory, size_t bytes, const std::vector<Agent *> &agents);
  hsa_status_t unlock(void *memory);
  /// GPUs that are in `agents` may use the allocation that `pointer` lies in, others no longer.
  hsa_status_t allow(const void *pointer, const std::vector<Agent *> &agents);

  /// Calls `use` with the allocation that `pointer` lies in, under the lock. False if there is
  /// none.
  bool find(const void *pointer, const std::function<void(Allocation &)> &use);

  /// Why not all of `bytes` at `memory` can be copied: it lies in one allocation and does not end
  /// there. Empty if nothing is known against it.
  std::string checkRange(const void *memory, size_t bytes);

private:
  std::mutex mutex;
  std::map<uintptr_t, Allocation> all; ///< by their base
  uint64_t count = 0;
  Allocation *at(const void *pointer);
};

//===----------------------------------------------------------------------===//
// Signals
//===----------------------------------------------------------------------===//

/// Signals live in slabs that are never given back, so that looking at one that was destroyed
/// finds that out.
amd_signal_t *createSignal(hsa_signal_value_t value);
void destroySignal(amd_signal_t *signal);
/// The signal behind a handle, null if there is none.
amd_signal_t *signalOf(hsa_signal_t handle);
/// Lets kernels of `agent` use all signals, also those to come.
void shareSignals(Agent &agent);
/// Ends that for all agents.
void unshareSignals();

inline hsa_signal_t handleOf(amd_signal_t *signal) { return {reinterpret_cast<uint64_t>(signal)}; }
inline hsa_signal_value_t load(const amd_signal_t *signal) {
  return __atomic_load_n(&signal->value, __ATOMIC_SEQ_CST);
}
/// Subtracts 1 and wakes who waits for it: what ends an operation.
void complete(amd_signal_t *signal);
bool holds(hsa_signal_condition_t condition, hsa_signal_value_t value, hsa_signal_value_t compare);

using SignalGroup = std::vector<hsa_signal_t>;

//===----------------------------------------------------------------------===//
// Executables
//===----------------------------------------------------------------------===//

/// A file or a piece of memory that code objects are read from.
struct Reader {
  std::string bytes;
  bool isFile = false;
  int file = -1;
  const void *memory = nullptr; ///< the program's own, for the loader's queries
};

class Runtime;
struct Executable;

struct ExecutableSymbol {
  Executable *executable;
  Agent *agent;
  LoadedSymbol symbol;
  int kernel = -1; ///< index into the kernels of `object`
  const LoadedObject *object;
};

struct LoadedCodeObject {
  Executable *executable;
  Agent *agent;
  LoadedObject object;
  std::shared_ptr<const Reader> source;
  std::vector<std::shared_ptr<const KernelInfo>> kernels;
};

struct Executable {
  explicit Executable(Runtime &runtime) : runtime(runtime) {}
  ~Executable();
  hsa_executable_t handle() { return {reinterpret_cast<uint64_t>(this)}; }

  Runtime &runtime;
  std::mutex mutex; ///< of what follows
  hsa_profile_t profile;
  hsa_default_float_rounding_mode_t rounding;
  bool frozen = false;
  std::vector<std::unique_ptr<LoadedCodeObject>> objects;
  std::vector<std::unique_ptr<ExecutableSymbol>> symbols;
  /// Addresses that the program has defined for its code objects, by agent (null: for all).
  std::map<std::pair<Agent *, std::string>, uint64_t> definitions;
};

hsa_status_t createFileReader(hsa_file_t file, uint64_t offset, std::optional<uint64_t> bytes,
                              hsa_code_object_reader_t *handle);

//===----------------------------------------------------------------------===//
// Queues
//===----------------------------------------------------------------------===//

class Queue;
using QueueCallback = void (*)(hsa_status_t status, hsa_queue_t *source, void *data);

//===----------------------------------------------------------------------===//
// Runtime
//===----------------------------------------------------------------------===//

/// Objects of one kind, and which addresses are one of them.
template <typename T> class Registry {
public:
  T *add(std::shared_ptr<T> object) {
    T *address = object.get();
    add(reinterpret_cast<uint64_t>(address), std::move(object));
    return address;
  }
  void add(uint64_t handle, std::shared_ptr<T> object) {
    std::lock_guard<std::mutex> lock(mutex);
    all[handle] = std::move(object);
  }
  std::shared_ptr<T> find(uint64_t handle) {
    std::lock_guard<std::mutex> lock(mutex);
    auto found = all.find(handle);
    return found == all.end() ? nullptr : found->second;
  }
  std::shared_ptr<T> remove(uint64_t handle) {
    std::lock_guard<std::mutex> lock(mutex);
    auto found = all.find(handle);
    if (found == all.end())
      return nullptr;
    std::shared_ptr<T> object = std::move(found->second);
    all.erase(found);
    return object;
  }
  std::vector<std::shared_ptr<T>> objects() {
    std::lock_guard<std::mutex> lock(mutex);
    std::vector<std::shared_ptr<T>> result;
    for (auto &entry : all)
      result.push_back(entry.second);
    return result;
  }

private:
  std::mutex mutex;
  std::map<uint64_t, std::shared_ptr<T>> all;
};

/// What exists between hsa_init and the last hsa_shut_down.
class Runtime {
public:
  Runtime();
  ~Runtime();

  /// Null outside of that time.
  static Runtime *get();

  Agent *agent(hsa_agent_t handle);
  Agent &cpu() { return *agents.front(); }
  Pool *pool(uint64_t handle);
  /// The handles of `count` agents; false if one of them is none.
  bool agentsOf(const hsa_agent_t *handles, uint32_t count, std::vector<Agent *> &result);

  std::vector<std::unique_ptr<Agent>> agents; ///< the CPU, then the GPUs
  Allocations allocations;
  Registry<Reader> readers;
  Registry<Executable> executables;
  Registry<Queue> queues;
  Registry<SignalGroup> signalGroups;
  std::mutex softQueueMutex;
  std::set<hsa_queue_t *> softQueues;
  /// Those of all executables, which own them.
  std::mutex executableMutex;
  std::set<ExecutableSymbol *> symbols;
  std::set<LoadedCodeObject *> loadedObjects;
  /// Those of frozen executables, by their agent and the address of their descriptor.
  std::map<std::pair<const Agent *, uint64_t>, std::shared_ptr<const KernelInfo>> kernels;
  /// One of them, null if there is none.
  std::shared_ptr<const KernelInfo> kernel(const Agent &agent, uint64_t descriptor);

  std::mutex eventMutex;
  hsa_amd_system_event_callback_t eventCallback = nullptr;
  void *eventData = nullptr;
  std::atomic<bool> copyProfiling{false};

  /// Last, so that they are the first to end.
  std::unique_ptr<Watcher> copies, handlers;
};

/// What the functions of the API begin with.
#define TINY_HSA_RUNTIME(runtime)                                                                  \
  ::tinysim::hsa::Runtime *runtime = ::tinysim::hsa::Runtime::get();                               \
  if (!runtime)                                                                                    \
  return HSA_STATUS_ERROR_NOT_INITIALIZED

#define TINY_HSA_AGENT(agent, handle)                                                              \
  ::tinysim::hsa::Agent *agent = runtime->agent(handle);                                           \
  if (!agent)                                                                                      \
  return HSA_STATUS_ERROR_INVALID_AGENT

/// The table of hsa_ven_amd_loader, of `bytes` bytes at most.
hsa_status_t giveLoaderTable(void *table, size_t bytes);

} // namespace tinysim::hsa

#endif // TINY_LIB_SIM_HSA_INTERNAL_H
