//===- QueueApi.cpp - the queue functions of HSA --------------------------===//

#include "Queue.h"

#include <algorithm>
#include <cstdlib>

using namespace tinysim;
using namespace tinysim::hsa;

static constexpr uint32_t kLeastPackets = 64, kMostPackets = 128 << 10;

hsa_status_t hsa_queue_create(hsa_agent_t agentHandle, uint32_t size, hsa_queue_type32_t type,
                              QueueCallback callback, void *data, uint32_t, uint32_t,
                              hsa_queue_t **queue) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, agentHandle);
  if (!queue || size == 0 || (size & (size - 1)) != 0 || size > kMostPackets ||
      type > HSA_QUEUE_TYPE_COOPERATIVE)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  if (!agent->isGpu)
    return HSA_STATUS_ERROR_INVALID_QUEUE_CREATION;
  std::shared_ptr<Queue> created =
      Queue::create(*runtime, *agent, std::max(size, kLeastPackets), type, callback, data);
  if (!created)
    return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
  *queue = created->handle();
  runtime->queues.add(reinterpret_cast<uint64_t>(*queue), std::move(created));
  return HSA_STATUS_SUCCESS;
}

/// A queue without a packet processor: the program that has made it takes the packets itself.
hsa_status_t hsa_soft_queue_create(hsa_region_t region, uint32_t size, hsa_queue_type32_t type,
                                   uint32_t features, hsa_signal_t doorbell, hsa_queue_t **queue) {
  TINY_HSA_RUNTIME(runtime);
  if (!queue || size == 0 || (size & (size - 1)) != 0 || type > HSA_QUEUE_TYPE_SINGLE ||
      features == 0 || !runtime->pool(region.handle) || !signalOf(doorbell))
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  void *memory = std::aligned_alloc(alignof(amd_queue_t), sizeof(amd_queue_t));
  void *ring = std::aligned_alloc(4096, std::max<size_t>(size_t(size) * 64, 4096));
  if (!memory || !ring) {
    std::free(memory);
    std::free(ring);
    return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
  }
  std::memset(memory, 0, sizeof(amd_queue_t));
  std::memset(ring, 0, size_t(size) * 64);
  for (size_t i = 0; i < size; ++i)
    static_cast<uint8_t *>(ring)[i * 64] = HSA_PACKET_TYPE_INVALID;
  auto *amd = static_cast<amd_queue_t *>(memory);
  amd->hsa_queue.type = type;
  amd->hsa_queue.features = features;
  amd->hsa_queue.base_address = ring;
  amd->hsa_queue.doorbell_signal = doorbell;
  amd->hsa_queue.size = size;
  *queue = &amd->hsa_queue;
  std::lock_guard<std::mutex> lock(runtime->softQueueMutex);
  runtime->softQueues.insert(*queue);
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_queue_destroy(hsa_queue_t *queue) {
  TINY_HSA_RUNTIME(runtime);
  if (!queue)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  if (runtime->queues.remove(reinterpret_cast<uint64_t>(queue)))
    return HSA_STATUS_SUCCESS;
  std::lock_guard<std::mutex> lock(runtime->softQueueMutex);
  if (!runtime->softQueues.erase(queue))
    return HSA_STATUS_ERROR_INVALID_QUEUE;
  std::free(queue->base_address);
  std::free(queue);
  return HSA_STATUS_SUCCESS;
}

#define TINY_HSA_QUEUE(object, handle)                                                             \
  std::shared_ptr<Queue> object = runtime->queues.find(reinterpret_cast<uint64_t>(handle));        \
  if (!object)                                                                                     \
  return HSA_STATUS_ERROR_INVALID_QUEUE

hsa_status_t hsa_queue_inactivate(hsa_queue_t *queue) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_QUEUE(object, queue);
  object->inactivate();
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_queue_set_priority(hsa_queue_t *queue, hsa_amd_queue_priority_t priority) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_QUEUE(object, queue);
  // A hint, and all queues are equal here.
  return bitsOf(priority) <= HSA_AMD_QUEUE_PRIORITY_HIGH ? HSA_STATUS_SUCCESS
                                                         : HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

hsa_status_t hsa_amd_profiling_set_profiler_enabled(hsa_queue_t *queue, int enable) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_QUEUE(object, queue);
  object->setProfiling(enable != 0);
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_profiling_get_dispatch_time(hsa_agent_t agentHandle, hsa_signal_t handle,
                                                 hsa_amd_profiling_dispatch_time_t *time) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, agentHandle);
  amd_signal_t *signal = signalOf(handle);
  if (!signal)
    return HSA_STATUS_ERROR_INVALID_SIGNAL;
  if (!time || !agent->isGpu)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  if (!signal->start_ts) // its queue is not profiled, or nothing has ended
    return HSA_STATUS_ERROR;
  *time = {signal->start_ts, signal->end_ts};
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_profiling_convert_tick_to_system_domain(hsa_agent_t agentHandle,
                                                             uint64_t ticks, uint64_t *system) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, agentHandle);
  if (!system || !agent->isGpu)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  *system = ticks; // one clock
  return HSA_STATUS_SUCCESS;
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

// These are called for every packet and have no status: a wrong queue is the program's error.

static volatile uint64_t *writeIndex(const hsa_queue_t *queue) {
  return &reinterpret_cast<amd_queue_t *>(const_cast<hsa_queue_t *>(queue))->write_dispatch_id;
}
static volatile uint64_t *readIndex(const hsa_queue_t *queue) {
  return &reinterpret_cast<amd_queue_t *>(const_cast<hsa_queue_t *>(queue))->read_dispatch_id;
}

#define TINY_LOAD_INDEX(order)                                                                     \
  uint64_t hsa_queue_load_read_index_##order(const hsa_queue_t *queue) {                           \
    return __atomic_load_n(readIndex(queue), __ATOMIC_SEQ_CST);                                    \
  }                                                                                                \
  uint64_t hsa_queue_load_write_index_##order(const hsa_queue_t *queue) {                          \
    return __atomic_load_n(writeIndex(queue), __ATOMIC_SEQ_CST);                                   \
  }
#define TINY_STORE_INDEX(order)                                                                    \
  void hsa_queue_store_write_index_##order(const hsa_queue_t *queue, uint64_t value) {             \
    __atomic_store_n(writeIndex(queue), value, __ATOMIC_SEQ_CST);                                  \
  }                                                                                                \
  void hsa_queue_store_read_index_##order(const hsa_queue_t *queue, uint64_t value) {              \
    __atomic_store_n(readIndex(queue), value, __ATOMIC_SEQ_CST);                                   \
  }
#define TINY_CHANGE_INDEX(order)                                                                   \
  uint64_t hsa_queue_add_write_index_##order(const hsa_queue_t *queue, uint64_t value) {           \
    return __atomic_fetch_add(writeIndex(queue), value, __ATOMIC_SEQ_CST);                         \
  }                                                                                                \
  uint64_t hsa_queue_cas_write_index_##order(const hsa_queue_t *queue, uint64_t expected,          \
                                             uint64_t value) {                                     \
    __atomic_compare_exchange_n(writeIndex(queue), &expected, value, false, __ATOMIC_SEQ_CST,      \
                                __ATOMIC_SEQ_CST);                                                 \
    return expected;                                                                               \
  }

TINY_LOAD_INDEX(relaxed)
TINY_LOAD_INDEX(acquire)
TINY_LOAD_INDEX(scacquire)
TINY_STORE_INDEX(relaxed)
TINY_STORE_INDEX(release)
TINY_STORE_INDEX(screlease)
TINY_CHANGE_INDEX(relaxed)
TINY_CHANGE_INDEX(acquire)
TINY_CHANGE_INDEX(scacquire)
TINY_CHANGE_INDEX(release)
TINY_CHANGE_INDEX(screlease)
TINY_CHANGE_INDEX(acq_rel)
TINY_CHANGE_INDEX(scacq_screl)
