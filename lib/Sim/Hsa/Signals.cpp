//===- Signals.cpp - HSA signals ------------------------------------------===//
//
// A signal is an amd_signal_t that kernels can reach. All operations are
// sequentially consistent, whatever the memory order in their name: nothing that a
// program may rely on is lost by that, and on x86-64 it costs nothing.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

#include "Queue.h"

using namespace tinysim;
using namespace tinysim::hsa;

//===----------------------------------------------------------------------===//
// Slabs
//===----------------------------------------------------------------------===//

namespace {
constexpr size_t kSlabSignals = 1024;

struct SignalPool {
  std::mutex mutex;
  std::vector<amd_signal_t *> slabs;
  std::vector<amd_signal_t *> unused;
  std::vector<Agent *> agents;
};
} // namespace

static SignalPool &signalPool() {
  static SignalPool *pool = new SignalPool; // programs use signals until the process ends
  return *pool;
}

static void share(Agent &agent, amd_signal_t *slab) {
  agent.memory->add(reinterpret_cast<uint64_t>(slab), kSlabSignals * sizeof(amd_signal_t),
                    "the memory of signals", Access::readWrite);
}

void tinysim::hsa::shareSignals(Agent &agent) {
  SignalPool &pool = signalPool();
  std::lock_guard<std::mutex> lock(pool.mutex);
  pool.agents.push_back(&agent);
  for (amd_signal_t *slab : pool.slabs)
    share(agent, slab);
}

void tinysim::hsa::unshareSignals() {
  SignalPool &pool = signalPool();
  std::lock_guard<std::mutex> lock(pool.mutex);
  pool.agents.clear();
}

amd_signal_t *tinysim::hsa::createSignal(hsa_signal_value_t value) {
  SignalPool &pool = signalPool();
  std::lock_guard<std::mutex> lock(pool.mutex);
  if (pool.unused.empty()) {
    void *slab = std::aligned_alloc(4096, kSlabSignals * sizeof(amd_signal_t));
    if (!slab)
      return nullptr;
    std::memset(slab, 0, kSlabSignals * sizeof(amd_signal_t));
    pool.slabs.push_back(static_cast<amd_signal_t *>(slab));
    for (size_t i = kSlabSignals; i-- > 0;)
      pool.unused.push_back(pool.slabs.back() + i);
    for (Agent *agent : pool.agents)
      share(*agent, pool.slabs.back());
  }
  amd_signal_t *signal = pool.unused.back();
  pool.unused.pop_back();
  std::memset(static_cast<void *>(signal), 0, sizeof(*signal));
  signal->value = value;
  __atomic_store_n(&signal->kind, AMD_SIGNAL_KIND_USER, __ATOMIC_SEQ_CST);
  return signal;
}

void tinysim::hsa::destroySignal(amd_signal_t *signal) {
  SignalPool &pool = signalPool();
  std::lock_guard<std::mutex> lock(pool.mutex);
  __atomic_store_n(&signal->kind, AMD_SIGNAL_KIND_INVALID, __ATOMIC_SEQ_CST);
  // At the front: the longer it stays unused, the more uses after its end are noticed.
  pool.unused.insert(pool.unused.begin(), signal);
}

amd_signal_t *tinysim::hsa::signalOf(hsa_signal_t handle) {
  if (handle.handle == 0 || handle.handle % AMD_SIGNAL_ALIGN_BYTES != 0)
    return nullptr;
  auto *signal = reinterpret_cast<amd_signal_t *>(handle.handle);
  amd_signal_kind64_t kind = __atomic_load_n(&signal->kind, __ATOMIC_SEQ_CST);
  return kind == AMD_SIGNAL_KIND_USER || kind == AMD_SIGNAL_KIND_DOORBELL ? signal : nullptr;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// The signal of an operation that has no status: what is wrong with it can only be logged.
static amd_signal_t *usable(hsa_signal_t handle, const char *function) {
  amd_signal_t *signal = signalOf(handle);
  if (!signal)
    log(std::string(function) + ": this is no signal, or one that was destroyed; nothing is done");
  return signal;
}

static void store(hsa_signal_t handle, hsa_signal_value_t value, const char *function) {
  amd_signal_t *signal = usable(handle, function);
  if (!signal)
    return;
  if (signal->kind == AMD_SIGNAL_KIND_DOORBELL)
    return ringDoorbell(signal, value);
  __atomic_store_n(&signal->value, value, __ATOMIC_SEQ_CST);
  wake();
}

static hsa_signal_value_t get(hsa_signal_t handle, const char *function) {
  amd_signal_t *signal = usable(handle, function);
  return signal ? load(signal) : 0;
}

template <typename Operation>
static hsa_signal_value_t change(hsa_signal_t handle, const char *function, Operation operation) {
  amd_signal_t *signal = usable(handle, function);
  if (!signal)
    return 0;
  if (signal->kind == AMD_SIGNAL_KIND_DOORBELL) {
    log(std::string(function) + ": a doorbell can only be stored to; nothing is done");
    return 0;
  }
  hsa_signal_value_t before = operation(&signal->value);
  wake();
  return before;
}

void tinysim::hsa::complete(amd_signal_t *signal) {
  __atomic_fetch_sub(&signal->value, 1, __ATOMIC_SEQ_CST);
  wake();
}

bool tinysim::hsa::holds(hsa_signal_condition_t condition, hsa_signal_value_t value,
                         hsa_signal_value_t compare) {
  switch (bitsOf(condition)) {
  case HSA_SIGNAL_CONDITION_EQ:
    return value == compare;
  case HSA_SIGNAL_CONDITION_NE:
    return value != compare;
  case HSA_SIGNAL_CONDITION_LT:
    return value < compare;
  case HSA_SIGNAL_CONDITION_GTE:
    return value >= compare;
  }
  return false;
}

static hsa_signal_value_t waitFor(hsa_signal_t handle, hsa_signal_condition_t condition,
                                  hsa_signal_value_t compare, uint64_t timeout,
                                  const char *function) {
  amd_signal_t *signal = usable(handle, function);
  if (!signal)
    return 0;
  hsa_signal_value_t value = 0;
  sleepUntil([&] { return holds(condition, value = load(signal), compare); }, timeout);
  return value;
}

//===----------------------------------------------------------------------===//
// The API
//===----------------------------------------------------------------------===//

#define TINY_LOAD(order)                                                                           \
  hsa_signal_value_t hsa_signal_load_##order(hsa_signal_t signal) { return get(signal, __func__); }
#define TINY_STORE(name)                                                                           \
  void hsa_signal_##name(hsa_signal_t signal, hsa_signal_value_t value) {                          \
    store(signal, value, __func__);                                                                \
  }
#define TINY_WAIT(order)                                                                           \
  hsa_signal_value_t hsa_signal_wait_##order(                                                      \
      hsa_signal_t signal, hsa_signal_condition_t condition, hsa_signal_value_t compare,           \
      uint64_t timeout, hsa_wait_state_t) {                                                        \
    return waitFor(signal, condition, compare, timeout, __func__);                                 \
  }
#define TINY_EXCHANGE(order)                                                                       \
  hsa_signal_value_t hsa_signal_exchange_##order(hsa_signal_t signal, hsa_signal_value_t value) {  \
    return change(signal, __func__, [&](volatile int64_t *where) {                                 \
      return __atomic_exchange_n(where, value, __ATOMIC_SEQ_CST);                                  \
    });                                                                                            \
  }
#define TINY_CAS(order)                                                                            \
  hsa_signal_value_t hsa_signal_cas_##order(hsa_signal_t signal, hsa_signal_value_t expected,      \
                                            hsa_signal_value_t value) {                            \
    return change(signal, __func__, [&](volatile int64_t *where) {                                 \
      hsa_signal_value_t before = expected;                                                        \
      __atomic_compare_exchange_n(where, &before, value, false, __ATOMIC_SEQ_CST,                  \
                                  __ATOMIC_SEQ_CST);                                               \
      return before;                                                                               \
    });                                                                                            \
  }
#define TINY_FETCH(name, order, operation)                                                         \
  void hsa_signal_##name##_##order(hsa_signal_t signal, hsa_signal_value_t value) {                \
    change(signal, __func__, [&](volatile int64_t *where) {                                        \
      return __atomic_fetch_##operation(where, value, __ATOMIC_SEQ_CST);                           \
    });                                                                                            \
  }

TINY_LOAD(relaxed)
TINY_LOAD(acquire)
TINY_LOAD(scacquire)
TINY_STORE(store_relaxed)
TINY_STORE(store_release)
TINY_STORE(store_screlease)
// Silent stores need not wake a waiter; a wake-up too many is allowed.
TINY_STORE(silent_store_relaxed)
TINY_STORE(silent_store_screlease)
TINY_WAIT(relaxed)
TINY_WAIT(acquire)
TINY_WAIT(scacquire)

#define TINY_ALL_ORDERS(order)                                                                     \
  TINY_EXCHANGE(order)                                                                             \
  TINY_CAS(order)                                                                                  \
  TINY_FETCH(add, order, add)                                                                      \
  TINY_FETCH(subtract, order, sub)                                                                 \
  TINY_FETCH(and, order, and)                                                                      \
  TINY_FETCH(or, order, or)                                                                        \
  TINY_FETCH(xor, order, xor)
TINY_ALL_ORDERS(relaxed)
TINY_ALL_ORDERS(acquire)
TINY_ALL_ORDERS(scacquire)
TINY_ALL_ORDERS(release)
TINY_ALL_ORDERS(screlease)
TINY_ALL_ORDERS(acq_rel)
TINY_ALL_ORDERS(scacq_screl)

hsa_status_t hsa_signal_create(hsa_signal_value_t value, uint32_t count,
                               const hsa_agent_t *consumers, hsa_signal_t *signal) {
  return hsa_amd_signal_create(value, count, consumers, 0, signal);
}

hsa_status_t hsa_amd_signal_create(hsa_signal_value_t value, uint32_t count,
                                   const hsa_agent_t *consumers, uint64_t, hsa_signal_t *signal) {
  TINY_HSA_RUNTIME(runtime);
  std::vector<Agent *> agents;
  // Consumers are a hint about who waits.
  if (!signal || (count && !consumers) || !runtime->agentsOf(consumers, count, agents))
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  for (size_t i = 0; i < agents.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (agents[i] == agents[j])
        return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  amd_signal_t *created = createSignal(value);
  if (!created)
    return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
  *signal = handleOf(created);
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_signal_destroy(hsa_signal_t handle) {
  TINY_HSA_RUNTIME(runtime);
  if (handle.handle == 0)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  amd_signal_t *signal = signalOf(handle);
  if (!signal || signal->kind == AMD_SIGNAL_KIND_DOORBELL)
    return HSA_STATUS_ERROR_INVALID_SIGNAL;
  destroySignal(signal);
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_signal_value_pointer(hsa_signal_t handle,
                                          volatile hsa_signal_value_t **pointer) {
  TINY_HSA_RUNTIME(runtime);
  amd_signal_t *signal = signalOf(handle);
  if (!signal || signal->kind == AMD_SIGNAL_KIND_DOORBELL)
    return HSA_STATUS_ERROR_INVALID_SIGNAL;
  if (!pointer)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  *pointer = &signal->value;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_signal_async_handler(hsa_signal_t handle, hsa_signal_condition_t condition,
                                          hsa_signal_value_t value, hsa_amd_signal_handler handler,
                                          void *argument) {
  TINY_HSA_RUNTIME(runtime);
  amd_signal_t *signal = signalOf(handle);
  if (!signal || signal->kind == AMD_SIGNAL_KIND_DOORBELL)
    return HSA_STATUS_ERROR_INVALID_SIGNAL;
  if (!handler || bitsOf(condition) > HSA_SIGNAL_CONDITION_GTE)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  runtime->handlers->add([=] { return holds(condition, load(signal), value); },
                         [=] { return handler(load(signal), argument); });
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_async_function(void (*callback)(void *argument), void *argument) {
  TINY_HSA_RUNTIME(runtime);
  if (!callback)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  runtime->handlers->add([] { return true; },
                         [=] {
                           callback(argument);
                           return false;
                         });
  return HSA_STATUS_SUCCESS;
}

uint32_t hsa_amd_signal_wait_any(uint32_t count, hsa_signal_t *signals,
                                 hsa_signal_condition_t *conditions, hsa_signal_value_t *values,
                                 uint64_t timeout, hsa_wait_state_t,
                                 hsa_signal_value_t *satisfying) {
  uint32_t found = UINT32_MAX;
  for (uint32_t i = 0; i < count; ++i)
    if (!signalOf(signals[i])) {
      log("hsa_amd_signal_wait_any: signal " + std::to_string(i) + " is none");
      return found;
    }
  sleepUntil(
      [&] {
        for (uint32_t i = 0; i < count; ++i) {
          hsa_signal_value_t value = load(signalOf(signals[i]));
          if (!holds(conditions[i], value, values[i]))
            continue;
          found = i;
          if (satisfying)
            *satisfying = value;
          return true;
        }
        return false;
      },
      timeout);
  return found;
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

hsa_status_t hsa_signal_group_create(uint32_t count, const hsa_signal_t *signals,
                                     uint32_t numConsumers, const hsa_agent_t *consumers,
                                     hsa_signal_group_t *group) {
  TINY_HSA_RUNTIME(runtime);
  std::vector<Agent *> agents;
  if (!group || !count || !signals || (numConsumers && !consumers) ||
      !runtime->agentsOf(consumers, numConsumers, agents))
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  for (uint32_t i = 0; i < count; ++i)
    if (!signalOf(signals[i]))
      return HSA_STATUS_ERROR_INVALID_SIGNAL;
  SignalGroup *created =
      runtime->signalGroups.add(std::make_shared<SignalGroup>(signals, signals + count));
  group->handle = reinterpret_cast<uint64_t>(created);
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_signal_group_destroy(hsa_signal_group_t group) {
  TINY_HSA_RUNTIME(runtime);
  return runtime->signalGroups.remove(group.handle) ? HSA_STATUS_SUCCESS
                                                    : HSA_STATUS_ERROR_INVALID_SIGNAL_GROUP;
}

hsa_status_t hsa_signal_group_wait_any_scacquire(hsa_signal_group_t handle,
                                                 const hsa_signal_condition_t *conditions,
                                                 const hsa_signal_value_t *values,
                                                 hsa_wait_state_t state, hsa_signal_t *signal,
                                                 hsa_signal_value_t *value) {
  TINY_HSA_RUNTIME(runtime);
  std::shared_ptr<SignalGroup> group = runtime->signalGroups.find(handle.handle);
  if (!group)
    return HSA_STATUS_ERROR_INVALID_SIGNAL_GROUP;
  if (!conditions || !values || !signal || !value)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  uint32_t found =
      hsa_amd_signal_wait_any(static_cast<uint32_t>(group->size()), group->data(),
                              const_cast<hsa_signal_condition_t *>(conditions),
                              const_cast<hsa_signal_value_t *>(values), kForever, state, value);
  if (found == UINT32_MAX)
    return HSA_STATUS_ERROR_INVALID_SIGNAL;
  *signal = (*group)[found];
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_signal_group_wait_any_relaxed(hsa_signal_group_t handle,
                                               const hsa_signal_condition_t *conditions,
                                               const hsa_signal_value_t *values,
                                               hsa_wait_state_t state, hsa_signal_t *signal,
                                               hsa_signal_value_t *value) {
  return hsa_signal_group_wait_any_scacquire(handle, conditions, values, state, signal, value);
}
