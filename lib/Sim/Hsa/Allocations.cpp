//===- Allocations.cpp - which memory there is, and who may use it --------===//
//
// A kernel reaches what its agent was allowed to use, and nothing else: memory of a
// pool only after hsa_amd_agents_allow_access, as on a card, where that mistake is a
// memory fault without a name. Regions, the older interface, allow all agents.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

#include <algorithm>
#include <cstdlib>

using namespace tinysim;
using namespace tinysim::hsa;

static constexpr size_t kGranule = 4096;

/// Tells the memory maps of all GPUs what `allocation` is for them.
static void show(Allocation &allocation, const std::string &name) {
  for (const std::unique_ptr<Agent> &agent : Runtime::get()->agents) {
    if (!agent->isGpu)
      continue;
    bool mayUse = allocation.agents.count(agent.get());
    agent->memory->add(reinterpret_cast<uint64_t>(allocation.base), allocation.bytes,
                       mayUse ? name
                              : name + ", which hsa_amd_agents_allow_access was not called for",
                       mayUse ? Access::readWrite : Access::none);
  }
}

static void hide(Allocation &allocation) {
  for (const std::unique_ptr<Agent> &agent : Runtime::get()->agents)
    if (agent->isGpu)
      agent->memory->remove(reinterpret_cast<uint64_t>(allocation.base));
}

Allocations::~Allocations() {
  for (auto &entry : all)
    if (entry.second.pool)
      std::free(entry.second.base);
}

Allocation *Allocations::at(const void *pointer) {
  auto address = reinterpret_cast<uintptr_t>(pointer);
  auto after = all.upper_bound(address);
  if (after == all.begin())
    return nullptr;
  Allocation &allocation = std::prev(after)->second;
  uintptr_t offset = address - reinterpret_cast<uintptr_t>(allocation.base);
  return offset < allocation.bytes ? &allocation : nullptr;
}

hsa_status_t Allocations::allocate(Pool &pool, size_t bytes, bool everywhere, void **memory) {
  Runtime *runtime = Runtime::get();
  std::lock_guard<std::mutex> lock(mutex);
  if (bytes > pool.bytes || pool.used > pool.bytes - bytes)
    return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
  size_t padded = (bytes + kGranule - 1) / kGranule * kGranule;
  void *base = std::aligned_alloc(kGranule, padded);
  if (!base)
    return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
  pool.used += bytes;
  Allocation allocation;
  allocation.base = base;
  allocation.bytes = bytes;
  allocation.pool = &pool;
  for (const std::unique_ptr<Agent> &agent : runtime->agents)
    if (agent->isGpu && (everywhere || pool.agent == agent.get()))
      allocation.agents.insert(agent.get());
  allocation.name = std::string("allocation ") + std::to_string(++count) + " of " + pool.name;
  show(allocation, allocation.name);
  all[reinterpret_cast<uintptr_t>(base)] = std::move(allocation);
  *memory = base;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t Allocations::release(void *memory) {
  if (!memory)
    return HSA_STATUS_SUCCESS;
  Allocation allocation;
  {
    std::lock_guard<std::mutex> lock(mutex);
    auto found = all.find(reinterpret_cast<uintptr_t>(memory));
    if (found == all.end() || !found->second.pool)
      return HSA_STATUS_ERROR_INVALID_ALLOCATION;
    allocation = std::move(found->second);
    all.erase(found);
    hide(allocation);
    allocation.pool->used -= allocation.bytes;
  }
  for (auto &[callback, data] : allocation.onFree)
    callback(memory, data);
  std::free(memory);
  return HSA_STATUS_SUCCESS;
}

hsa_status_t Allocations::lock(void *memory, size_t bytes, const std::vector<Agent *> &agents) {
  std::lock_guard<std::mutex> lock(mutex);
  auto first = reinterpret_cast<uintptr_t>(memory);
  auto after = all.lower_bound(first);
  // Regions do not overlap in a memory map. The same range once more is counted.
  if (after != all.end() && after->first == first && !after->second.pool &&
      after->second.bytes == bytes) {
    ++after->second.locks;
    after->second.agents.insert(agents.begin(), agents.end());
    hide(after->second);
    show(after->second, after->second.name);
    return HSA_STATUS_SUCCESS;
  }
  if (at(memory) || (after != all.end() && after->first - first < bytes)) {
    log("hsa_amd_memory_lock: a part of this memory is locked already, or comes from a pool");
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  }
  Allocation allocation;
  allocation.base = memory;
  allocation.bytes = bytes;
  allocation.agents.insert(agents.begin(), agents.end());
  allocation.name = "locked memory " + std::to_string(++count);
  show(allocation, allocation.name);
  all[first] = std::move(allocation);
  return HSA_STATUS_SUCCESS;
}

hsa_status_t Allocations::unlock(void *memory) {
  std::lock_guard<std::mutex> lock(mutex);
  auto found = all.find(reinterpret_cast<uintptr_t>(memory));
  if (found == all.end() || found->second.pool)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  if (--found->second.locks)
    return HSA_STATUS_SUCCESS;
  hide(found->second);
  all.erase(found);
  return HSA_STATUS_SUCCESS;
}

hsa_status_t Allocations::allow(const void *pointer, const std::vector<Agent *> &agents) {
  std::lock_guard<std::mutex> lock(mutex);
  Allocation *allocation = at(pointer);
  if (!allocation)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  std::set<Agent *> allowed;
  for (Agent *agent : agents)
    if (agent->isGpu)
      allowed.insert(agent);
  // Its own GPU always may use the memory of a pool.
  if (allocation->pool && allocation->pool->agent->isGpu)
    allowed.insert(allocation->pool->agent);
  if (allowed == allocation->agents)
    return HSA_STATUS_SUCCESS;
  hide(*allocation);
  allocation->agents = std::move(allowed);
  show(*allocation, allocation->name);
  return HSA_STATUS_SUCCESS;
}

bool Allocations::find(const void *pointer, const std::function<void(Allocation &)> &use) {
  std::lock_guard<std::mutex> lock(mutex);
  Allocation *allocation = at(pointer);
  if (allocation)
    use(*allocation);
  return allocation != nullptr;
}

std::string Allocations::checkRange(const void *memory, size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  Allocation *allocation = at(memory);
  if (!allocation)
    return {}; // memory of the program, which we know nothing of
  size_t left = allocation->bytes - (reinterpret_cast<uintptr_t>(memory) -
                                     reinterpret_cast<uintptr_t>(allocation->base));
  if (bytes <= left)
    return {};
  return std::to_string(bytes) + " bytes, and only " + std::to_string(left) + " are left in " +
         allocation->name;
}
