//===- MemoryApi.cpp - the memory functions of HSA ------------------------===//

#include "Internal.h"

#include <algorithm>

using namespace tinysim;
using namespace tinysim::hsa;

//===----------------------------------------------------------------------===//
// Pools and regions
//===----------------------------------------------------------------------===//

hsa_status_t hsa_amd_agent_iterate_memory_pools(hsa_agent_t agentHandle,
                                                hsa_status_t (*callback)(hsa_amd_memory_pool_t pool,
                                                                         void *data),
                                                void *data) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, agentHandle);
  if (!callback)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  for (const std::unique_ptr<Pool> &pool : agent->pools)
    if (hsa_status_t status = callback({reinterpret_cast<uint64_t>(pool.get())}, data))
      return status;
  return HSA_STATUS_SUCCESS;
}

/// The regions of a GPU are its own and those of the host that it can use, which is how programs
/// that know nothing of pools find memory for kernel arguments.
hsa_status_t hsa_agent_iterate_regions(hsa_agent_t agentHandle,
                                       hsa_status_t (*callback)(hsa_region_t region, void *data),
                                       void *data) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, agentHandle);
  if (!callback)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  std::vector<Pool *> pools;
  for (const std::unique_ptr<Pool> &pool : agent->pools)
    pools.push_back(pool.get());
  if (agent->isGpu)
    for (const std::unique_ptr<Pool> &pool : runtime->cpu().pools)
      if (pool->flags & HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_FINE_GRAINED)
        pools.push_back(pool.get());
  for (Pool *pool : pools)
    if (hsa_status_t status = callback({reinterpret_cast<uint64_t>(pool)}, data))
      return status;
  return HSA_STATUS_SUCCESS;
}

static constexpr size_t kGranule = 4096;

/// The attributes that pools and regions have in common, by the numbers of both.
static hsa_status_t poolInfo(const Pool &pool, uint32_t attribute, void *value) {
  switch (attribute) {
  case HSA_AMD_MEMORY_POOL_INFO_SEGMENT: // the same numbers for both
    return give<uint32_t>(value, pool.segment);
  case HSA_AMD_MEMORY_POOL_INFO_GLOBAL_FLAGS:
    return give<uint32_t>(value, pool.flags);
  case HSA_AMD_MEMORY_POOL_INFO_SIZE:
    return give<size_t>(value, pool.bytes);
  case HSA_AMD_MEMORY_POOL_INFO_RUNTIME_ALLOC_ALLOWED:
    return give<bool>(value, pool.canAllocate());
  case HSA_AMD_MEMORY_POOL_INFO_RUNTIME_ALLOC_GRANULE:
  case HSA_AMD_MEMORY_POOL_INFO_RUNTIME_ALLOC_ALIGNMENT:
    return give<size_t>(value, pool.canAllocate() ? kGranule : 0);
  }
  return HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

hsa_status_t hsa_amd_memory_pool_get_info(hsa_amd_memory_pool_t handle,
                                          hsa_amd_memory_pool_info_t attribute, void *value) {
  TINY_HSA_RUNTIME(runtime);
  Pool *pool = runtime->pool(handle.handle);
  if (!pool)
    return amdStatus(HSA_STATUS_ERROR_INVALID_MEMORY_POOL);
  if (!value)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  constexpr uint32_t kRecommendedGranule = 18; // in the headers of ROCm 5.6 and later
  switch (bitsOf(attribute)) {
  case HSA_AMD_MEMORY_POOL_INFO_ACCESSIBLE_BY_ALL:
    return give<bool>(value, !pool->agent->isGpu);
  case HSA_AMD_MEMORY_POOL_INFO_ALLOC_MAX_SIZE:
    return give<size_t>(value, pool->canAllocate() ? pool->bytes : 0);
  case kRecommendedGranule:
    return give<size_t>(value, pool->canAllocate() ? kGranule : 0);
  }
  return poolInfo(*pool, bitsOf(attribute), value);
}

hsa_status_t hsa_region_get_info(hsa_region_t handle, hsa_region_info_t attribute, void *value) {
  TINY_HSA_RUNTIME(runtime);
  Pool *pool = runtime->pool(handle.handle);
  if (!pool)
    return HSA_STATUS_ERROR_INVALID_REGION;
  if (!value)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  switch (bitsOf(attribute)) {
  case HSA_REGION_INFO_ALLOC_MAX_SIZE:
    return give<size_t>(value, pool->canAllocate() ? pool->bytes : 0);
  case HSA_REGION_INFO_ALLOC_MAX_PRIVATE_WORKGROUP_SIZE:
    return give<uint32_t>(value, 0);
  case HSA_AMD_REGION_INFO_HOST_ACCESSIBLE:
    return give<bool>(value, !pool->agent->isGpu);
  case HSA_AMD_REGION_INFO_BASE:
    return give<void *>(value, nullptr);
  }
  return poolInfo(*pool, bitsOf(attribute), value);
}

hsa_status_t hsa_amd_agent_memory_pool_get_info(hsa_agent_t agentHandle,
                                                hsa_amd_memory_pool_t handle,
                                                hsa_amd_agent_memory_pool_info_t attribute,
                                                void *value) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, agentHandle);
  Pool *pool = runtime->pool(handle.handle);
  if (!pool)
    return amdStatus(HSA_STATUS_ERROR_INVALID_MEMORY_POOL);
  if (!value)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  bool isOwn = pool->agent == agent;
  switch (bitsOf(attribute)) {
  case HSA_AMD_AGENT_MEMORY_POOL_INFO_ACCESS: {
    hsa_amd_memory_pool_access_t access = HSA_AMD_MEMORY_POOL_ACCESS_DISALLOWED_BY_DEFAULT;
    if (isOwn)
      access = HSA_AMD_MEMORY_POOL_ACCESS_ALLOWED_BY_DEFAULT;
    else if (!pool->canAllocate())
      access = HSA_AMD_MEMORY_POOL_ACCESS_NEVER_ALLOWED;
    return give<uint32_t>(value, access);
  }
  case HSA_AMD_AGENT_MEMORY_POOL_INFO_NUM_LINK_HOPS:
    return give<uint32_t>(value, isOwn ? 0 : 1);
  case HSA_AMD_AGENT_MEMORY_POOL_INFO_LINK_INFO: {
    if (isOwn)
      return HSA_STATUS_SUCCESS;
    hsa_amd_memory_pool_link_info_t link = {};
    link.atomic_support_32bit = link.atomic_support_64bit = link.coherent_support = true;
    link.link_type = HSA_AMD_LINK_INFO_TYPE_PCIE;
    link.numa_distance = 20;
    return give(value, link);
  }
  }
  return HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

//===----------------------------------------------------------------------===//
// Allocation
//===----------------------------------------------------------------------===//

static hsa_status_t allocate(Runtime &runtime, Pool &pool, size_t bytes, bool everywhere,
                             void **memory) {
  if (!memory || bytes == 0)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  if (!pool.canAllocate())
    return HSA_STATUS_ERROR_INVALID_ALLOCATION;
  return runtime.allocations.allocate(pool, bytes, everywhere, memory);
}

hsa_status_t hsa_amd_memory_pool_allocate(hsa_amd_memory_pool_t handle, size_t bytes, uint32_t,
                                          void **memory) {
  TINY_HSA_RUNTIME(runtime);
  Pool *pool = runtime->pool(handle.handle);
  return pool ? allocate(*runtime, *pool, bytes, /*everywhere=*/false, memory)
              : amdStatus(HSA_STATUS_ERROR_INVALID_MEMORY_POOL);
}

hsa_status_t hsa_amd_memory_pool_free(void *memory) {
  TINY_HSA_RUNTIME(runtime);
  return runtime->allocations.release(memory);
}

hsa_status_t hsa_memory_allocate(hsa_region_t handle, size_t bytes, void **memory) {
  TINY_HSA_RUNTIME(runtime);
  Pool *pool = runtime->pool(handle.handle);
  return pool ? allocate(*runtime, *pool, bytes, /*everywhere=*/true, memory)
              : HSA_STATUS_ERROR_INVALID_REGION;
}

hsa_status_t hsa_memory_free(void *memory) {
  TINY_HSA_RUNTIME(runtime);
  return runtime->allocations.release(memory);
}

// Registering is a hint on a machine like this: it does not make memory of the program visible to
// a GPU, for which there is hsa_amd_memory_lock.
hsa_status_t hsa_memory_register(void *memory, size_t bytes) {
  TINY_HSA_RUNTIME(runtime);
  return memory && bytes ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_INVALID_ARGUMENT;
}
hsa_status_t hsa_memory_deregister(void *, size_t) {
  TINY_HSA_RUNTIME(runtime);
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_memory_assign_agent(void *memory, hsa_agent_t agentHandle,
                                     hsa_access_permission_t access) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, agentHandle);
  bool isValid = memory && bitsOf(access) >= HSA_ACCESS_PERMISSION_RO &&
                 bitsOf(access) <= HSA_ACCESS_PERMISSION_RW;
  return isValid ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

hsa_status_t hsa_amd_agents_allow_access(uint32_t count, const hsa_agent_t *handles,
                                         const uint32_t *flags, const void *memory) {
  TINY_HSA_RUNTIME(runtime);
  if (!memory || count == 0 || !handles || flags)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  std::vector<Agent *> agents;
  if (!runtime->agentsOf(handles, count, agents))
    return HSA_STATUS_ERROR_INVALID_AGENT;
  return runtime->allocations.allow(memory, agents);
}

static hsa_status_t lock(Runtime &runtime, void *memory, size_t bytes, hsa_agent_t *handles,
                         int count, void **agentMemory) {
  if (!memory || bytes == 0 || !agentMemory || count < 0 || (count != 0) != (handles != nullptr))
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  *agentMemory = nullptr;
  std::vector<Agent *> agents;
  if (!runtime.agentsOf(handles, static_cast<uint32_t>(count), agents))
    return HSA_STATUS_ERROR_INVALID_AGENT;
  if (count == 0)
    for (const std::unique_ptr<Agent> &agent : runtime.agents)
      agents.push_back(agent.get());
  agents.erase(
      std::remove_if(agents.begin(), agents.end(), [](Agent *agent) { return !agent->isGpu; }),
      agents.end());
  hsa_status_t status = runtime.allocations.lock(memory, bytes, agents);
  if (status == HSA_STATUS_SUCCESS)
    *agentMemory = memory; // one address space
  return status;
}

hsa_status_t hsa_amd_memory_lock(void *memory, size_t bytes, hsa_agent_t *agents, int count,
                                 void **agentMemory) {
  TINY_HSA_RUNTIME(runtime);
  return lock(*runtime, memory, bytes, agents, count, agentMemory);
}

hsa_status_t hsa_amd_memory_lock_to_pool(void *memory, size_t bytes, hsa_agent_t *agents, int count,
                                         hsa_amd_memory_pool_t handle, uint32_t flags,
                                         void **agentMemory) {
  TINY_HSA_RUNTIME(runtime);
  Pool *pool = runtime->pool(handle.handle);
  if (!pool || pool->agent->isGpu)
    return amdStatus(HSA_STATUS_ERROR_INVALID_MEMORY_POOL);
  if (flags)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  return lock(*runtime, memory, bytes, agents, count, agentMemory);
}

hsa_status_t hsa_amd_memory_unlock(void *memory) {
  TINY_HSA_RUNTIME(runtime);
  return runtime->allocations.unlock(memory);
}

//===----------------------------------------------------------------------===//
// What a pointer is
//===----------------------------------------------------------------------===//

hsa_status_t hsa_amd_pointer_info(const void *pointer, hsa_amd_pointer_info_t *info,
                                  void *(*alloc)(size_t), uint32_t *count,
                                  hsa_agent_t **accessible) {
  TINY_HSA_RUNTIME(runtime);
  if (!pointer || !info || info->size == 0 || (alloc != nullptr) != (accessible != nullptr) ||
      (alloc && !count))
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  hsa_amd_pointer_info_t result = {};
  result.size = std::min<uint32_t>(info->size, sizeof(result));
  std::vector<hsa_agent_t> agents;
  runtime->allocations.find(pointer, [&](Allocation &allocation) {
    result.type = allocation.pool ? HSA_EXT_POINTER_TYPE_HSA : HSA_EXT_POINTER_TYPE_LOCKED;
    result.agentBaseAddress = result.hostBaseAddress = allocation.base;
    result.sizeInBytes = allocation.bytes;
    result.userData = allocation.userData;
    result.agentOwner =
        allocation.pool ? allocation.pool->agent->handle() : runtime->cpu().handle();
    result.global_flags =
        allocation.pool ? allocation.pool->flags : HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_FINE_GRAINED;
    if (!allocation.pool || !allocation.pool->agent->isGpu)
      agents.push_back(runtime->cpu().handle());
    for (Agent *agent : allocation.agents)
      agents.push_back(agent->handle());
  });
  std::memcpy(info, &result, result.size);
  if (!alloc)
    return HSA_STATUS_SUCCESS;
  *count = static_cast<uint32_t>(agents.size());
  *accessible = nullptr;
  if (agents.empty())
    return HSA_STATUS_SUCCESS;
  *accessible = static_cast<hsa_agent_t *>(alloc(agents.size() * sizeof(hsa_agent_t)));
  if (!*accessible)
    return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
  std::copy(agents.begin(), agents.end(), *accessible);
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_pointer_info_set_userdata(const void *pointer, void *data) {
  TINY_HSA_RUNTIME(runtime);
  bool found = runtime->allocations.find(
      pointer, [&](Allocation &allocation) { allocation.userData = data; });
  return found ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

hsa_status_t hsa_amd_register_deallocation_callback(void *pointer,
                                                    hsa_amd_deallocation_callback_t callback,
                                                    void *data) {
  TINY_HSA_RUNTIME(runtime);
  if (!callback)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  bool found = runtime->allocations.find(
      pointer, [&](Allocation &allocation) { allocation.onFree.push_back({callback, data}); });
  return found ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_INVALID_ALLOCATION;
}

hsa_status_t hsa_amd_deregister_deallocation_callback(void *pointer,
                                                      hsa_amd_deallocation_callback_t callback) {
  TINY_HSA_RUNTIME(runtime);
  bool removed = false;
  runtime->allocations.find(pointer, [&](Allocation &allocation) {
    auto &list = allocation.onFree;
    auto found = std::find_if(list.begin(), list.end(),
                              [&](auto &entry) { return entry.first == callback; });
    removed = found != list.end();
    if (removed)
      list.erase(found);
  });
  return removed ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// True if both ranges can be copied as far as we know; otherwise why not is logged.
static bool checkCopy(Runtime &runtime, const char *function, const void *to, const void *from,
                      size_t bytes) {
  for (const void *memory : {to, from}) {
    std::string reason = memory ? runtime.allocations.checkRange(memory, bytes) : std::string();
    if (reason.empty())
      continue;
    log(std::string(function) + ": " + (memory == to ? "writes " : "reads ") + reason);
    return false;
  }
  return true;
}

hsa_status_t hsa_memory_copy(void *to, const void *from, size_t bytes) {
  TINY_HSA_RUNTIME(runtime);
  if (!to || !from)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  if (!checkCopy(*runtime, __func__, to, from, bytes))
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  std::memmove(to, from, bytes);
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_memory_fill(void *memory, uint32_t value, size_t count) {
  TINY_HSA_RUNTIME(runtime);
  if (!memory || reinterpret_cast<uintptr_t>(memory) % sizeof(value) != 0 ||
      count > SIZE_MAX / sizeof(value) ||
      !checkCopy(*runtime, __func__, memory, nullptr, count * sizeof(value)))
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  std::fill_n(static_cast<uint32_t *>(memory), count, value);
  return HSA_STATUS_SUCCESS;
}

/// Does `copy` once all of `signals` are 0, then decrements `completion` (if there is one). A
/// negative dependency is an operation that has failed, and so this one fails too.
static hsa_status_t copyLater(Runtime &runtime, uint32_t count, const hsa_signal_t *handles,
                              hsa_signal_t completion, std::function<void()> copy) {
  if ((count != 0) != (handles != nullptr))
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  std::vector<amd_signal_t *> signals;
  for (uint32_t i = 0; i < count; ++i) {
    signals.push_back(signalOf(handles[i]));
    if (!signals.back())
      return HSA_STATUS_ERROR_INVALID_SIGNAL;
  }
  amd_signal_t *done = signalOf(completion);
  if (!done && completion.handle)
    return HSA_STATUS_ERROR_INVALID_SIGNAL;
  auto ready = [signals] {
    return std::all_of(signals.begin(), signals.end(),
                       [](amd_signal_t *signal) { return load(signal) <= 0; });
  };
  bool profile = runtime.copyProfiling;
  auto run = [signals, done, profile, copy = std::move(copy)] {
    bool failed = std::any_of(signals.begin(), signals.end(),
                              [](amd_signal_t *signal) { return load(signal) < 0; });
    uint64_t start = now();
    if (!failed)
      copy();
    if (!done)
      return false;
    done->start_ts = profile ? start : 0;
    done->end_ts = profile ? now() : 0;
    if (failed) {
      __atomic_store_n(&done->value, int64_t(-1), __ATOMIC_SEQ_CST);
      wake();
    } else {
      complete(done);
    }
    return false;
  };
  runtime.copies->add(ready, run);
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_memory_async_copy(void *to, hsa_agent_t toAgent, const void *from,
                                       hsa_agent_t fromAgent, size_t bytes, uint32_t count,
                                       const hsa_signal_t *signals, hsa_signal_t completion) {
  TINY_HSA_RUNTIME(runtime);
  if (!runtime->agent(toAgent) || !runtime->agent(fromAgent))
    return HSA_STATUS_ERROR_INVALID_AGENT;
  if (!to || !from || !completion.handle || !checkCopy(*runtime, __func__, to, from, bytes))
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  return copyLater(*runtime, count, signals, completion, [=] { std::memmove(to, from, bytes); });
}

hsa_status_t hsa_amd_memory_async_copy_rect(const hsa_pitched_ptr_t *to, const hsa_dim3_t *toOffset,
                                            const hsa_pitched_ptr_t *from,
                                            const hsa_dim3_t *fromOffset, const hsa_dim3_t *range,
                                            hsa_agent_t agentHandle, hsa_amd_copy_direction_t,
                                            uint32_t count, const hsa_signal_t *signals,
                                            hsa_signal_t completion) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, agentHandle);
  if (!to || !from || !toOffset || !fromOffset || !range || !to->base || !from->base ||
      !completion.handle || !agent->isGpu)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  auto row = [](const hsa_pitched_ptr_t &memory, const hsa_dim3_t &offset, uint32_t y, uint32_t z) {
    return static_cast<char *>(memory.base) + (size_t(offset.z) + z) * memory.slice +
           (size_t(offset.y) + y) * memory.pitch + offset.x;
  };
  return copyLater(*runtime, count, signals, completion,
                   [to = *to, toOffset = *toOffset, from = *from, fromOffset = *fromOffset,
                    range = *range, row] {
                     for (uint32_t z = 0; z < range.z; ++z)
                       for (uint32_t y = 0; y < range.y; ++y)
                         std::memmove(row(to, toOffset, y, z), row(from, fromOffset, y, z),
                                      range.x);
                   });
}

hsa_status_t hsa_amd_profiling_async_copy_enable(bool enable) {
  TINY_HSA_RUNTIME(runtime);
  runtime->copyProfiling = enable;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_profiling_get_async_copy_time(hsa_signal_t handle,
                                                   hsa_amd_profiling_async_copy_time_t *time) {
  TINY_HSA_RUNTIME(runtime);
  amd_signal_t *signal = signalOf(handle);
  if (!signal)
    return HSA_STATUS_ERROR_INVALID_SIGNAL;
  if (!time)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  if (!signal->start_ts)
    return HSA_STATUS_ERROR;
  *time = {signal->start_ts, signal->end_ts};
  return HSA_STATUS_SUCCESS;
}
