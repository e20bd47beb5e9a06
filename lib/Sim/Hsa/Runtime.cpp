//===- Runtime.cpp - what exists between hsa_init and hsa_shut_down -------===//
//
// The machine that is simulated: a CPU with the memory of this one, and as many
// Radeon RX 7900 XTX as TINY_SIM_AGENTS says (1).
//
//===----------------------------------------------------------------------===//

#include "Queue.h"

#include "Tiny/Sim/HsaSim.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <unistd.h>

using namespace tinysim;
using namespace tinysim::hsa;

static std::atomic<Runtime *> instance{nullptr};
static std::mutex countMutex;
static unsigned count = 0;

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

static std::mutex messageMutex;
static void (*messageHandler)(const char *message, void *data) = nullptr;
static void *messageData = nullptr;

void tinysim::hsa::log(const std::string &line) {
  std::lock_guard<std::mutex> lock(messageMutex);
  if (messageHandler)
    messageHandler(line.c_str(), messageData);
  else
    std::fprintf(stderr, "tiny-hsa-sim: %s\n", line.c_str());
}

void tiny_sim_set_message_handler(void (*handler)(const char *message, void *data), void *data) {
  std::lock_guard<std::mutex> lock(messageMutex);
  messageHandler = handler;
  messageData = data;
}

hsa_status_t tinysim::hsa::giveText(void *where, const std::string &text, size_t size) {
  std::memset(where, 0, size);
  std::memcpy(where, text.data(), std::min(text.size(), size - 1));
  return HSA_STATUS_SUCCESS;
}

//===----------------------------------------------------------------------===//
// Agents
//===----------------------------------------------------------------------===//

static uint64_t hostBytes() {
  long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);
  return pages > 0 && size > 0 ? uint64_t(pages) * uint64_t(size) : uint64_t(1) << 30;
}

static std::string hostName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.compare(0, 10, "model name") == 0 && line.find(": ") != std::string::npos)
      return line.substr(line.find(": ") + 2);
  return "CPU";
}

static void addPool(Agent &agent, hsa_amd_segment_t segment, uint32_t flags, uint64_t bytes,
                    const char *name) {
  agent.pools.push_back(std::make_unique<Pool>(Pool{&agent, segment, flags, bytes, name}));
}

static std::unique_ptr<Agent> makeCpu() {
  auto agent = std::make_unique<Agent>();
  agent->isGpu = false;
  agent->node = 0;
  agent->name = agent->product = hostName();
  agent->vendor = "CPU";
  uint64_t bytes = hostBytes();
  addPool(*agent, HSA_AMD_SEGMENT_GLOBAL, HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_FINE_GRAINED, bytes,
          "host memory");
  addPool(*agent, HSA_AMD_SEGMENT_GLOBAL,
          HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_FINE_GRAINED |
              HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_KERNARG_INIT,
          bytes, "kernel argument memory");
  addPool(*agent, HSA_AMD_SEGMENT_GLOBAL, HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_COARSE_GRAINED, bytes,
          "coarse-grained host memory");
  return agent;
}

static std::unique_ptr<Agent> makeGpu(uint32_t node, const Options &options) {
  auto agent = std::make_unique<Agent>();
  agent->isGpu = true;
  agent->node = node;
  agent->name = "gfx1100";
  agent->product = "Radeon RX 7900 XTX (Tiny simulator)";
  agent->vendor = "AMD";
  addPool(*agent, HSA_AMD_SEGMENT_GLOBAL, HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_COARSE_GRAINED,
          uint64_t(25149440) << 10, "device memory"); // what the driver leaves of 24 GB
  addPool(*agent, HSA_AMD_SEGMENT_GROUP, 0, 64 << 10, "LDS");
  agent->memory = std::make_unique<MemoryMap>();
  agent->simulator = std::make_unique<Simulator>(*agent->memory, options);
  return agent;
}

Runtime::Runtime() {
  std::string error;
  Options options = Options::fromEnvironment(error);
  if (!error.empty())
    log(error);
  unsigned gpus = 1;
  if (const char *text = std::getenv("TINY_SIM_AGENTS")) {
    char *end = nullptr;
    unsigned long number = std::strtoul(text, &end, 10);
    if (*text && !*end && number >= 1 && number <= 16)
      gpus = static_cast<unsigned>(number);
    else
      log(std::string("TINY_SIM_AGENTS is '") + text + "', and must be a number from 1 to 16");
  }
  agents.push_back(makeCpu());
  for (unsigned i = 0; i < gpus; ++i) {
    agents.push_back(makeGpu(i + 1, options));
    shareSignals(*agents.back());
  }
  copies = std::make_unique<Watcher>();
  handlers = std::make_unique<Watcher>();
}

Runtime::~Runtime() {
  // Kernels end before what they use. Handlers may call the API, whose objects still exist.
  for (const std::shared_ptr<Queue> &queue : queues.objects())
    queue->inactivate();
  handlers.reset();
  copies.reset();
  for (const std::shared_ptr<Queue> &queue : queues.objects())
    queues.remove(reinterpret_cast<uint64_t>(queue->handle()));
  for (hsa_queue_t *queue : softQueues) {
    std::free(queue->base_address);
    std::free(queue);
  }
  for (const std::shared_ptr<Executable> &executable : executables.objects())
    executables.remove(executable->handle().handle);
  unshareSignals();
}

Runtime *Runtime::get() { return instance.load(std::memory_order_acquire); }

Agent *Runtime::agent(hsa_agent_t handle) {
  for (const std::unique_ptr<Agent> &agent : agents)
    if (agent->handle().handle == handle.handle)
      return agent.get();
  return nullptr;
}

Pool *Runtime::pool(uint64_t handle) {
  for (const std::unique_ptr<Agent> &agent : agents)
    for (const std::unique_ptr<Pool> &pool : agent->pools)
      if (reinterpret_cast<uint64_t>(pool.get()) == handle)
        return pool.get();
  return nullptr;
}

bool Runtime::agentsOf(const hsa_agent_t *handles, uint32_t number, std::vector<Agent *> &result) {
  for (uint32_t i = 0; i < number; ++i) {
    Agent *found = agent(handles[i]);
    if (!found)
      return false;
    result.push_back(found);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// The API
//===----------------------------------------------------------------------===//

hsa_status_t hsa_init() {
  std::lock_guard<std::mutex> lock(countMutex);
  if (count == INT32_MAX)
    return HSA_STATUS_ERROR_REFCOUNT_OVERFLOW;
  if (count++ == 0)
    instance.store(new Runtime, std::memory_order_release);
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_shut_down() {
  std::lock_guard<std::mutex> lock(countMutex);
  if (count == 0)
    return HSA_STATUS_ERROR_NOT_INITIALIZED;
  if (--count > 0)
    return HSA_STATUS_SUCCESS;
  delete instance.load(std::memory_order_acquire);
  instance.store(nullptr, std::memory_order_release);
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_iterate_agents(hsa_status_t (*callback)(hsa_agent_t agent, void *data),
                                void *data) {
  TINY_HSA_RUNTIME(runtime);
  if (!callback)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  for (const std::unique_ptr<Agent> &agent : runtime->agents)
    if (hsa_status_t status = callback(agent->handle(), data))
      return status;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_register_system_event_handler(hsa_amd_system_event_callback_t callback,
                                                   void *data) {
  TINY_HSA_RUNTIME(runtime);
  std::lock_guard<std::mutex> lock(runtime->eventMutex);
  if (callback && runtime->eventCallback)
    return HSA_STATUS_ERROR; // there can be one
  runtime->eventCallback = callback;
  runtime->eventData = data;
  return HSA_STATUS_SUCCESS;
}

//===----------------------------------------------------------------------===//
// Counters
//===----------------------------------------------------------------------===//

/// Calls `add` with every number of `counters` that means something for this kernel.
template <typename Add> static void forEach(const Counters &counters, Add add) {
  add("workgroups", double(counters.workgroups), "");
  add("waves", double(counters.waves), "");
  add("occupancy", counters.wavesPerSimd, "of 16 waves per SIMD");
  add("VGPRs", counters.vgprs, "");
  add("SGPRs", counters.sgprs, "");
  add("LDS", counters.ldsBytes, "bytes per workgroup");
  add("scratch", counters.scratchBytesPerLane, "bytes per work-item");
  double total = double(counters.total());
  add("instructions", total, "");
  for (unsigned i = 0; i < instructionClasses; ++i)
    add(getName(static_cast<InstructionClass>(i)), double(counters.instructions[i]),
        "instructions");
  auto share = [&](InstructionClass kind) {
    return total > 0 ? 100 * double(counters.count(kind)) / total : 0;
  };
  add("VOPD share", share(InstructionClass::vopd), "%");
  add("WMMA share", share(InstructionClass::wmma), "%");
  add("active lanes",
      counters.valuLaneSlots ? 100 * double(counters.valuLanes) / double(counters.valuLaneSlots)
                             : 0,
      "%");
  add("global loads", double(counters.globalLoadBytes), "bytes");
  add("global stores", double(counters.globalStoreBytes), "bytes");
  add("global transactions", double(counters.globalTransactions), "lines of 128 bytes");
  add("scalar loads", double(counters.scalarLoadBytes), "bytes");
  add("LDS loads", double(counters.ldsLoadBytes), "bytes");
  add("LDS stores", double(counters.ldsStoreBytes), "bytes");
  add("LDS bank conflicts", double(counters.ldsBankConflicts), "cycles");
  add("scratch loads", double(counters.scratchLoadBytes), "bytes");
  add("scratch stores", double(counters.scratchStoreBytes), "bytes");
  add("atomics", double(counters.atomics), "lanes");
}

void tiny_sim_iterate_counters(tiny_sim_counter_callback callback, void *data) {
  Runtime *runtime = Runtime::get();
  if (!runtime || !callback)
    return;
  std::map<std::string, Counters> sums;
  for (const std::shared_ptr<Queue> &queue : runtime->queues.objects())
    for (const auto &[kernel, counters] : queue->counters())
      sums[kernel] += counters;
  for (const auto &[kernel, counters] : sums)
    forEach(counters, [&, &kernel = kernel](const char *name, double value, const char *unit) {
      callback(kernel.c_str(), name, value, unit, data);
    });
}

void tiny_sim_reset_counters(void) {
  if (Runtime *runtime = Runtime::get())
    for (const std::shared_ptr<Queue> &queue : runtime->queues.objects())
      queue->resetCounters();
}
