/* The HSA calls, one after the other, with right and with wrong arguments. Prints every
 * expectation that does not hold. Argument: a code object with the kernel vadd. */
#include <fcntl.h>
#include <hsa/hsa.h>
#include <hsa/hsa_ext_amd.h>
#include <hsa/hsa_ven_amd_loader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failures = 0;
#define EXPECT(condition)                                                                          \
  ((condition) ? 1 : (printf("line %d: %s\n", __LINE__, #condition), ++failures, 0))
#define OK(call) EXPECT((call) == HSA_STATUS_SUCCESS)
#define FAILS(call, status) EXPECT((unsigned)(call) == (unsigned)(status))
#define NO_SUCH 64 /* aligned, and the address of nothing */

static hsa_agent_t cpu, gpu;
static hsa_amd_memory_pool_t device_pool, argument_pool, lds_pool;

static hsa_status_t find_agent(hsa_agent_t agent, void *data) {
  hsa_device_type_t type;
  OK(hsa_agent_get_info(agent, HSA_AGENT_INFO_DEVICE, &type));
  *(type == HSA_DEVICE_TYPE_CPU ? &cpu : &gpu) = agent;
  return HSA_STATUS_SUCCESS;
}
static hsa_status_t find_pool(hsa_amd_memory_pool_t pool, void *data) {
  uint32_t segment, flags;
  OK(hsa_amd_memory_pool_get_info(pool, HSA_AMD_MEMORY_POOL_INFO_SEGMENT, &segment));
  OK(hsa_amd_memory_pool_get_info(pool, HSA_AMD_MEMORY_POOL_INFO_GLOBAL_FLAGS, &flags));
  if (segment == HSA_AMD_SEGMENT_GROUP)
    lds_pool = pool;
  else if (flags & HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_KERNARG_INIT)
    argument_pool = pool;
  else if (flags & HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_COARSE_GRAINED)
    *(hsa_amd_memory_pool_t *)data = pool;
  return HSA_STATUS_SUCCESS;
}

static hsa_signal_t signal_of(hsa_signal_value_t value) {
  hsa_signal_t signal = {0};
  OK(hsa_signal_create(value, 0, NULL, &signal));
  return signal;
}
static hsa_signal_value_t wait_for_zero(hsa_signal_t signal) {
  return hsa_signal_wait_scacquire(signal, HSA_SIGNAL_CONDITION_EQ, 0, 5000000000,
                                   HSA_WAIT_STATE_BLOCKED);
}

/* --- Signals -------------------------------------------------------------- */

static bool count_down(hsa_signal_value_t value, void *data) {
  hsa_signal_t *signals = data;
  hsa_signal_store_relaxed(signals[0], value - 1);
  if (value > 1)
    return true;
  hsa_signal_subtract_relaxed(signals[1], 1);
  return false;
}

static void test_signals(void) {
  hsa_signal_t s = signal_of(5), other = signal_of(1);
  EXPECT(hsa_signal_load_relaxed(s) == 5);
  EXPECT(hsa_signal_exchange_acq_rel(s, 6) == 5);
  EXPECT(hsa_signal_cas_scacq_screl(s, 5, 7) == 6 && hsa_signal_load_scacquire(s) == 6);
  EXPECT(hsa_signal_cas_relaxed(s, 6, 12) == 6);
  hsa_signal_add_release(s, 3);      /* 15 */
  hsa_signal_subtract_acquire(s, 1); /* 14 */
  hsa_signal_and_relaxed(s, 12);     /* 12 */
  hsa_signal_or_screlease(s, 1);     /* 13 */
  hsa_signal_xor_acq_rel(s, 6);      /* 11 */
  EXPECT(hsa_signal_load_acquire(s) == 11);
  hsa_signal_silent_store_relaxed(s, -2);
  EXPECT(hsa_signal_wait_relaxed(s, HSA_SIGNAL_CONDITION_LT, 0, 0, HSA_WAIT_STATE_ACTIVE) == -2);

  uint64_t before, after, frequency;
  OK(hsa_system_get_info(HSA_SYSTEM_INFO_TIMESTAMP_FREQUENCY, &frequency));
  OK(hsa_system_get_info(HSA_SYSTEM_INFO_TIMESTAMP, &before));
  hsa_signal_wait_scacquire(s, HSA_SIGNAL_CONDITION_EQ, 0, frequency / 50, HSA_WAIT_STATE_BLOCKED);
  OK(hsa_system_get_info(HSA_SYSTEM_INFO_TIMESTAMP, &after));
  EXPECT(after - before >= frequency / 50 && "a wait lasts as long as it was told");

  hsa_signal_t both[2] = {s, other};
  hsa_signal_condition_t conditions[2] = {HSA_SIGNAL_CONDITION_EQ, HSA_SIGNAL_CONDITION_GTE};
  hsa_signal_value_t values[2] = {9, 1}, satisfied = 0;
  EXPECT(hsa_amd_signal_wait_any(2, both, conditions, values, UINT64_MAX, HSA_WAIT_STATE_BLOCKED,
                                 &satisfied) == 1 &&
         satisfied == 1);

  hsa_signal_t pair[2] = {signal_of(0), other};
  OK(hsa_amd_signal_async_handler(pair[0], HSA_SIGNAL_CONDITION_GTE, 1, count_down, pair));
  hsa_signal_store_screlease(pair[0], 4);
  EXPECT(wait_for_zero(other) == 0 && hsa_signal_load_relaxed(pair[0]) == 0);

  volatile hsa_signal_value_t *value;
  OK(hsa_amd_signal_value_pointer(s, &value));
  *value = 3; /* nobody is told, and it must be seen */
  EXPECT(hsa_signal_wait_scacquire(s, HSA_SIGNAL_CONDITION_EQ, 3, UINT64_MAX,
                                   HSA_WAIT_STATE_BLOCKED) == 3);
  OK(hsa_signal_destroy(s));
  FAILS(hsa_signal_destroy(s), HSA_STATUS_ERROR_INVALID_SIGNAL);
  FAILS(hsa_signal_destroy((hsa_signal_t){0}), HSA_STATUS_ERROR_INVALID_ARGUMENT);
}

/* --- Memory --------------------------------------------------------------- */

static void *allocate(hsa_amd_memory_pool_t pool, size_t bytes) {
  void *memory = NULL;
  OK(hsa_amd_memory_pool_allocate(pool, bytes, 0, &memory));
  OK(hsa_amd_agents_allow_access(1, &gpu, NULL, memory));
  return memory;
}

static void test_memory(void) {
  uint32_t words[4], *memory = allocate(device_pool, 16);
  void *none, *locked;
  FAILS(hsa_amd_memory_pool_allocate(device_pool, 0, 0, &none), HSA_STATUS_ERROR_INVALID_ARGUMENT);
  FAILS(hsa_amd_memory_pool_allocate(lds_pool, 16, 0, &none), HSA_STATUS_ERROR_INVALID_ALLOCATION);
  FAILS(hsa_amd_memory_pool_allocate(device_pool, (size_t)1 << 50, 0, &none),
        HSA_STATUS_ERROR_OUT_OF_RESOURCES);
  OK(hsa_amd_memory_fill(memory, 0x01020304, 4));
  OK(hsa_memory_copy(words, memory, 16));
  EXPECT(words[0] == 0x01020304 && words[3] == 0x01020304);
  FAILS(hsa_memory_copy(memory, words, 17), HSA_STATUS_ERROR_INVALID_ARGUMENT);

  hsa_amd_pointer_info_t info = {.size = sizeof(info)};
  OK(hsa_amd_pointer_info(memory + 1, &info, NULL, NULL, NULL));
  EXPECT(info.type == HSA_EXT_POINTER_TYPE_HSA && info.agentBaseAddress == memory &&
         info.sizeInBytes == 16 && info.agentOwner.handle == gpu.handle);
  OK(hsa_amd_pointer_info(words, &info, NULL, NULL, NULL));
  EXPECT(info.type == HSA_EXT_POINTER_TYPE_UNKNOWN);
  OK(hsa_amd_memory_lock(words, sizeof(words), &gpu, 1, &locked));
  OK(hsa_amd_pointer_info(words, &info, NULL, NULL, NULL));
  EXPECT(info.type == HSA_EXT_POINTER_TYPE_LOCKED);
  OK(hsa_amd_memory_unlock(words));
  FAILS(hsa_amd_memory_unlock(words), HSA_STATUS_ERROR_INVALID_ARGUMENT);

  /* The second copy was asked for first, and waits for the first one. */
  hsa_signal_t start = signal_of(1), first = signal_of(1), second = signal_of(1);
  uint32_t source[4] = {1, 2, 3, 4}, result[4] = {0};
  OK(hsa_amd_profiling_async_copy_enable(true));
  OK(hsa_amd_memory_async_copy(result, cpu, memory, gpu, 16, 1, &first, second));
  OK(hsa_amd_memory_async_copy(memory, gpu, source, cpu, 16, 1, &start, first));
  EXPECT(result[0] == 0);
  hsa_signal_store_screlease(start, 0);
  EXPECT(wait_for_zero(second) == 0 && result[0] == 1 && result[3] == 4);
  hsa_amd_profiling_async_copy_time_t time = {0, 0};
  OK(hsa_amd_profiling_get_async_copy_time(second, &time));
  EXPECT(time.start != 0 && time.start <= time.end);

  OK(hsa_amd_memory_pool_free(memory));
  FAILS(hsa_amd_memory_pool_free(memory), HSA_STATUS_ERROR_INVALID_ALLOCATION);
}

/* --- Queues --------------------------------------------------------------- */

static volatile hsa_status_t queue_status;
static void on_error(hsa_status_t status, hsa_queue_t *queue, void *data) {
  queue_status = status;
  hsa_signal_store_screlease(*(hsa_signal_t *)data, 0);
}

/* Writes a packet of 64 bytes; the header, its first four, last. */
static void put(hsa_queue_t *queue, uint64_t index, const void *packet) {
  char *slot = (char *)queue->base_address + index % queue->size * 64;
  memcpy(slot + 4, (const char *)packet + 4, 60);
  __atomic_store_n((uint32_t *)slot, *(const uint32_t *)packet, __ATOMIC_RELEASE);
}
static uint64_t submit(hsa_queue_t *queue, const void *packet) {
  uint64_t index = hsa_queue_add_write_index_scacq_screl(queue, 1);
  put(queue, index, packet);
  hsa_signal_store_screlease(queue->doorbell_signal, (hsa_signal_value_t)index);
  return index;
}

static void test_queue(void) {
  hsa_queue_t *queue;
  hsa_signal_t error = signal_of(1);
  FAILS(hsa_queue_create(cpu, 64, HSA_QUEUE_TYPE_MULTI, NULL, NULL, 0, 0, &queue),
        HSA_STATUS_ERROR_INVALID_QUEUE_CREATION);
  FAILS(hsa_queue_create(gpu, 65, HSA_QUEUE_TYPE_MULTI, NULL, NULL, 0, 0, &queue),
        HSA_STATUS_ERROR_INVALID_ARGUMENT);
  OK(hsa_queue_create(gpu, 64, HSA_QUEUE_TYPE_MULTI, on_error, &error, 0, 0, &queue));
  EXPECT(queue->size == 64 && hsa_queue_load_write_index_relaxed(queue) == 0);

  /* Barriers: all signals, one of them, and a value under a mask. */
  hsa_signal_t a = signal_of(1), b = signal_of(1), done = signal_of(3);
  hsa_barrier_and_packet_t and = {
      .header = HSA_PACKET_TYPE_BARRIER_AND, .dep_signal = {{0}, a, b}, .completion_signal = done};
  hsa_barrier_or_packet_t or = {
      .header = HSA_PACKET_TYPE_BARRIER_OR, .dep_signal = {a, b}, .completion_signal = done};
  submit(queue, &or);
  usleep(20000);
  EXPECT(hsa_signal_load_relaxed(done) == 3);
  submit(queue, &and);
  hsa_signal_store_screlease(b, 0);
  hsa_signal_wait_scacquire(done, HSA_SIGNAL_CONDITION_EQ, 2, 5000000000, HSA_WAIT_STATE_BLOCKED);
  usleep(20000);
  EXPECT(hsa_signal_load_relaxed(done) == 2 && "one of two is enough for OR, not for AND");
  hsa_signal_store_screlease(a, 0);
  hsa_amd_barrier_value_packet_t value = {
      .header = {HSA_PACKET_TYPE_VENDOR_SPECIFIC, HSA_AMD_PACKET_TYPE_BARRIER_VALUE, 0},
      .signal = a,
      .mask = 0xf0,
      .value = 0x20,
      .cond = HSA_SIGNAL_CONDITION_GTE,
      .completion_signal = done};
  submit(queue, &value);
  usleep(20000);
  EXPECT(hsa_signal_load_relaxed(done) == 1);
  hsa_signal_store_screlease(a, 0x12f);
  EXPECT(wait_for_zero(done) == 0);
  EXPECT(hsa_queue_load_read_index_scacquire(queue) == 3);

  /* The doorbell rings for two packets, and the first is not there yet. */
  hsa_signal_store_relaxed(done, 2);
  and.dep_signal[1].handle = and.dep_signal[2].handle = 0;
  uint64_t index = hsa_queue_add_write_index_relaxed(queue, 2);
  put(queue, index + 1, &and);
  hsa_signal_store_screlease(queue->doorbell_signal, (hsa_signal_value_t)index + 1);
  usleep(20000);
  EXPECT(hsa_signal_load_relaxed(done) == 2);
  put(queue, index, &and);
  EXPECT(wait_for_zero(done) == 0);

  /* More packets than places, and each place is free when its packet is done. */
  hsa_signal_store_relaxed(done, 200);
  for (int i = 0; i < 200; ++i) {
    while (hsa_queue_load_write_index_relaxed(queue) - hsa_queue_load_read_index_relaxed(queue) >=
           queue->size)
      usleep(10);
    submit(queue, &and);
  }
  EXPECT(wait_for_zero(done) == 0);

  value.header.AmdFormat = 99;
  submit(queue, &value);
  EXPECT(wait_for_zero(error) == 0);
  FAILS(queue_status, HSA_STATUS_ERROR_INVALID_PACKET_FORMAT);
  OK(hsa_queue_destroy(queue));
  FAILS(hsa_queue_destroy(queue), HSA_STATUS_ERROR_INVALID_QUEUE);
}

/* The status of a queue that was given `packet`. */
static hsa_status_t status_of(const hsa_kernel_dispatch_packet_t *packet) {
  hsa_queue_t *queue;
  hsa_signal_t error = signal_of(1);
  queue_status = HSA_STATUS_SUCCESS;
  OK(hsa_queue_create(gpu, 64, HSA_QUEUE_TYPE_SINGLE, on_error, &error, 0, 0, &queue));
  submit(queue, packet);
  EXPECT(wait_for_zero(error) == 0);
  OK(hsa_queue_destroy(queue));
  return queue_status;
}

/* --- Code ----------------------------------------------------------------- */

static hsa_status_t count_symbols(hsa_executable_t executable, hsa_agent_t agent,
                                  hsa_executable_symbol_t symbol, void *data) {
  ++*(int *)data;
  return HSA_STATUS_SUCCESS;
}

static void test_code(const char *path) {
  hsa_code_object_reader_t reader, garbage;
  hsa_executable_t executable;
  hsa_executable_symbol_t symbol;
  char text[64] = "this is no code object";
  OK(hsa_code_object_reader_create_from_memory(text, sizeof(text), &garbage));
  OK(hsa_code_object_reader_create_from_file(open(path, O_RDONLY), &reader));
  FAILS(hsa_code_object_reader_create_from_file(-1, &reader), HSA_STATUS_ERROR_INVALID_FILE);
  OK(hsa_executable_create_alt(HSA_PROFILE_BASE, HSA_DEFAULT_FLOAT_ROUNDING_MODE_NEAR, NULL,
                               &executable));
  FAILS(hsa_executable_load_agent_code_object(executable, gpu, garbage, NULL, NULL),
        HSA_STATUS_ERROR_INVALID_CODE_OBJECT);
  hsa_loaded_code_object_t loaded;
  OK(hsa_executable_load_agent_code_object(executable, gpu, reader, NULL, &loaded));
  OK(hsa_executable_freeze(executable, NULL));
  FAILS(hsa_executable_freeze(executable, NULL), HSA_STATUS_ERROR_FROZEN_EXECUTABLE);
  FAILS(hsa_executable_load_agent_code_object(executable, gpu, reader, NULL, NULL),
        HSA_STATUS_ERROR_FROZEN_EXECUTABLE);
  OK(hsa_code_object_reader_destroy(reader));
  FAILS(hsa_executable_get_symbol_by_name(executable, "vsub.kd", &gpu, &symbol),
        HSA_STATUS_ERROR_INVALID_SYMBOL_NAME);
  OK(hsa_executable_get_symbol_by_name(executable, "vadd.kd", &gpu, &symbol));
  uint32_t kind = 99, length = 0, bytes = 0;
  uint64_t object = 0;
  OK(hsa_executable_symbol_get_info(symbol, HSA_EXECUTABLE_SYMBOL_INFO_TYPE, &kind));
  OK(hsa_executable_symbol_get_info(symbol, HSA_EXECUTABLE_SYMBOL_INFO_NAME_LENGTH, &length));
  OK(hsa_executable_symbol_get_info(symbol, HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_OBJECT, &object));
  OK(hsa_executable_symbol_get_info(symbol, HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_KERNARG_SEGMENT_SIZE,
                                    &bytes));
  EXPECT(kind == HSA_SYMBOL_KIND_KERNEL && length == 7 && bytes >= 28);
  FAILS(hsa_executable_symbol_get_info((hsa_executable_symbol_t){NO_SUCH},
                                       HSA_EXECUTABLE_SYMBOL_INFO_TYPE, &kind),
        HSA_STATUS_ERROR_INVALID_EXECUTABLE_SYMBOL);
  int count = 0;
  OK(hsa_executable_iterate_agent_symbols(executable, gpu, count_symbols, &count));
  EXPECT(count == 1);

  hsa_ven_amd_loader_1_03_pfn_t loader;
  bool supported = false;
  OK(hsa_system_extension_supported(HSA_EXTENSION_AMD_LOADER, 1, 0, &supported));
  EXPECT(supported);
  OK(hsa_system_get_major_extension_table(HSA_EXTENSION_AMD_LOADER, 1, sizeof(loader), &loader));
  hsa_executable_t owner = {0};
  OK(loader.hsa_ven_amd_loader_query_executable((void *)object, &owner));
  EXPECT(owner.handle == executable.handle);
  uint64_t base = 0;
  OK(loader.hsa_ven_amd_loader_loaded_code_object_get_info(
      loaded, HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_LOAD_BASE, &base));
  EXPECT(base != 0 && base <= object);

  /* Packets that cannot be dispatched. */
  char *arguments = allocate(argument_pool, bytes);
  memset(arguments, 0, bytes);
  hsa_kernel_dispatch_packet_t good = {.header = HSA_PACKET_TYPE_KERNEL_DISPATCH,
                                       .setup = 1,
                                       .workgroup_size_x = 64,
                                       .workgroup_size_y = 1,
                                       .workgroup_size_z = 1,
                                       .grid_size_x = 64,
                                       .grid_size_y = 1,
                                       .grid_size_z = 1,
                                       .kernel_object = object,
                                       .kernarg_address = arguments},
                               bad = good;
  bad.workgroup_size_x = 2048;
  FAILS(status_of(&bad), HSA_STATUS_ERROR_INVALID_ARGUMENT);
  bad = good, bad.setup = 0;
  FAILS(status_of(&bad), HSA_STATUS_ERROR_INVALID_PACKET_FORMAT);
  bad = good, bad.kernel_object = NO_SUCH;
  FAILS(status_of(&bad), HSA_STATUS_ERROR_INVALID_CODE_OBJECT);
  bad = good, bad.group_segment_size = 65537;
  FAILS(status_of(&bad), HSA_STATUS_ERROR_INVALID_ALLOCATION);
  static _Alignas(16) char of_the_host[512];
  bad = good, bad.kernarg_address = of_the_host;
  FAILS(status_of(&bad), HSA_STATUS_ERROR_INVALID_ARGUMENT);
  bad = good, bad.completion_signal.handle = NO_SUCH - 1;
  FAILS(status_of(&bad), HSA_STATUS_ERROR_INVALID_SIGNAL);

  OK(hsa_executable_destroy(executable));
  FAILS(hsa_executable_destroy(executable), HSA_STATUS_ERROR_INVALID_EXECUTABLE);
  FAILS(status_of(&good), HSA_STATUS_ERROR_INVALID_CODE_OBJECT);
}

int main(int argc, char **argv) {
  const char *text = NULL;
  FAILS(hsa_shut_down(), HSA_STATUS_ERROR_NOT_INITIALIZED);
  FAILS(hsa_iterate_agents(find_agent, NULL), HSA_STATUS_ERROR_NOT_INITIALIZED);
  OK(hsa_init());
  OK(hsa_init());
  OK(hsa_shut_down());
  OK(hsa_status_string((hsa_status_t)HSA_STATUS_ERROR_MEMORY_FAULT, &text));
  EXPECT(text && strstr(text, "HSA_STATUS_ERROR_MEMORY_FAULT"));
  OK(hsa_iterate_agents(find_agent, NULL));
  hsa_amd_memory_pool_t host_pool;
  OK(hsa_amd_agent_iterate_memory_pools(cpu, find_pool, &host_pool));
  OK(hsa_amd_agent_iterate_memory_pools(gpu, find_pool, &device_pool));
  FAILS(hsa_amd_agent_iterate_memory_pools((hsa_agent_t){NO_SUCH}, find_pool, &device_pool),
        HSA_STATUS_ERROR_INVALID_AGENT);

  test_signals();
  test_memory();
  test_queue();
  test_code(argv[1]);
  FAILS(hsa_amd_ipc_signal_create(signal_of(0), NULL), HSA_STATUS_ERROR);
  FAILS(hsa_amd_ipc_signal_create(signal_of(0), NULL), HSA_STATUS_ERROR);
  OK(hsa_shut_down());
  FAILS(hsa_shut_down(), HSA_STATUS_ERROR_NOT_INITIALIZED);
  printf("%d failures\n", failures);
  return failures != 0;
}
