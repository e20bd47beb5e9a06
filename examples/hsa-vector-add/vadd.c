/* Adds two vectors on a Radeon RX 7900 XTX, or on Tiny's simulator of one: this is an
 * ordinary program for ROCm's HSA library, and knows nothing of Tiny.
 *
 *   CL="-x cl -cl-std=CL2.0 -nogpulib -O2 -target amdgcn-amd-amdhsa -mcpu=gfx1100"
 *   clang-22 $CL vadd.cl -o vadd.hsaco
 *   clang-22 vadd.c -o vadd -lhsa-runtime64
 *   ./vadd vadd.hsaco                                        # on the card
 *   LD_LIBRARY_PATH=build/release/lib/hsa-sim ./vadd vadd.hsaco   # on the simulator
 */
#include <fcntl.h>
#include <hsa/hsa.h>
#include <hsa/hsa_ext_amd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 10000
#define BLOCK 256

static void check(hsa_status_t status, const char *what) {
  const char *text = "unknown status";
  if (status == HSA_STATUS_SUCCESS)
    return;
  hsa_status_string(status, &text);
  fprintf(stderr, "vadd: %s: %s\n", what, text);
  exit(1);
}

/* --- What there is: agents and their memory ------------------------------- */

typedef struct {
  hsa_agent_t cpu, gpu;
} machine;

static hsa_status_t find_agents(hsa_agent_t agent, void *data) {
  machine *found = data;
  hsa_device_type_t type;
  char name[64];
  check(hsa_agent_get_info(agent, HSA_AGENT_INFO_DEVICE, &type), "the type of an agent");
  check(hsa_agent_get_info(agent, HSA_AGENT_INFO_NAME, name), "the name of an agent");
  if (type == HSA_DEVICE_TYPE_CPU)
    found->cpu = agent;
  else if (type == HSA_DEVICE_TYPE_GPU && strcmp(name, "gfx1100") == 0)
    found->gpu = agent;
  return HSA_STATUS_SUCCESS;
}

typedef struct {
  uint32_t flag;
  hsa_amd_memory_pool_t pool;
} pool_search;

static hsa_status_t find_pool(hsa_amd_memory_pool_t pool, void *data) {
  pool_search *search = data;
  hsa_amd_segment_t segment;
  uint32_t flags = 0;
  check(hsa_amd_memory_pool_get_info(pool, HSA_AMD_MEMORY_POOL_INFO_SEGMENT, &segment), "a pool");
  if (segment != HSA_AMD_SEGMENT_GLOBAL)
    return HSA_STATUS_SUCCESS;
  check(hsa_amd_memory_pool_get_info(pool, HSA_AMD_MEMORY_POOL_INFO_GLOBAL_FLAGS, &flags),
        "a pool");
  if (!(flags & search->flag))
    return HSA_STATUS_SUCCESS;
  search->pool = pool;
  return HSA_STATUS_INFO_BREAK;
}

/* Memory of the agent that the GPU may use. */
static void *allocate(machine m, hsa_agent_t owner, uint32_t flag, size_t bytes) {
  pool_search search = {flag, {0}};
  void *memory = NULL;
  hsa_amd_agent_iterate_memory_pools(owner, find_pool, &search);
  check(hsa_amd_memory_pool_allocate(search.pool, bytes, 0, &memory), "an allocation");
  check(hsa_amd_agents_allow_access(1, &m.gpu, NULL, memory), "access to memory");
  return memory;
}

/* --- The kernel ----------------------------------------------------------- */

typedef struct {
  uint64_t object;
  uint32_t argument_bytes, group_bytes, private_bytes;
} kernel;

static kernel load_kernel(machine m, const char *path, const char *name) {
  kernel result;
  hsa_code_object_reader_t reader;
  hsa_executable_t executable;
  hsa_executable_symbol_t symbol;
  int file = open(path, O_RDONLY);
  check(hsa_code_object_reader_create_from_file(file, &reader), path);
  check(hsa_executable_create_alt(HSA_PROFILE_FULL, HSA_DEFAULT_FLOAT_ROUNDING_MODE_DEFAULT, NULL,
                                  &executable),
        "an executable");
  check(hsa_executable_load_agent_code_object(executable, m.gpu, reader, NULL, NULL), path);
  check(hsa_executable_freeze(executable, NULL), "freezing");
  check(hsa_executable_get_symbol_by_name(executable, name, &m.gpu, &symbol), name);
  check(hsa_executable_symbol_get_info(symbol, HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_OBJECT,
                                       &result.object),
        name);
  check(hsa_executable_symbol_get_info(
            symbol, HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_KERNARG_SEGMENT_SIZE, &result.argument_bytes),
        name);
  check(hsa_executable_symbol_get_info(symbol, HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_GROUP_SEGMENT_SIZE,
                                       &result.group_bytes),
        name);
  check(hsa_executable_symbol_get_info(
            symbol, HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_PRIVATE_SEGMENT_SIZE, &result.private_bytes),
        name);
  return result;
}

/* What vadd takes, and behind it what the compiler adds. Where a hidden argument lies is in the
 * notes of the code object (llvm-readelf -n vadd.hsaco); this is code object version 5 and 6. */
typedef struct {
  const float *a, *b;
  float *c;
  uint32_t n, padding;
  uint32_t block_count[3];
  uint16_t group_size[3];
  uint16_t remainder[3];
} arguments;

/* --- The launch ----------------------------------------------------------- */

static void queue_error(hsa_status_t status, hsa_queue_t *queue, void *data) {
  (void)queue, (void)data;
  check(status, "the queue");
}

static void run(hsa_queue_t *queue, kernel k, void *kernarg) {
  hsa_signal_t done;
  check(hsa_signal_create(1, 0, NULL, &done), "a signal");
  uint64_t index = hsa_queue_add_write_index_relaxed(queue, 1);
  hsa_kernel_dispatch_packet_t *packet =
      (hsa_kernel_dispatch_packet_t *)queue->base_address + index % queue->size;
  memset((char *)packet + 4, 0, sizeof(*packet) - 4);
  packet->workgroup_size_x = BLOCK;
  packet->workgroup_size_y = packet->workgroup_size_z = 1;
  packet->grid_size_x = N; /* the last workgroup is a partial one */
  packet->grid_size_y = packet->grid_size_z = 1;
  packet->group_segment_size = k.group_bytes;
  packet->private_segment_size = k.private_bytes;
  packet->kernel_object = k.object;
  packet->kernarg_address = kernarg;
  packet->completion_signal = done;
  uint16_t header = HSA_PACKET_TYPE_KERNEL_DISPATCH << HSA_PACKET_HEADER_TYPE |
                    HSA_FENCE_SCOPE_SYSTEM << HSA_PACKET_HEADER_SCACQUIRE_FENCE_SCOPE |
                    HSA_FENCE_SCOPE_SYSTEM << HSA_PACKET_HEADER_SCRELEASE_FENCE_SCOPE;
  uint16_t setup = 1 << HSA_KERNEL_DISPATCH_PACKET_SETUP_DIMENSIONS;
  __atomic_store_n((uint32_t *)packet, header | (uint32_t)setup << 16, __ATOMIC_RELEASE);
  hsa_signal_store_screlease(queue->doorbell_signal, (hsa_signal_value_t)index);
  hsa_signal_wait_scacquire(done, HSA_SIGNAL_CONDITION_LT, 1, UINT64_MAX, HSA_WAIT_STATE_BLOCKED);
  hsa_signal_destroy(done);
}

int main(int argc, char **argv) {
  machine m = {{0}, {0}};
  hsa_queue_t *queue;
  static float a[N], b[N], c[N];
  char name[64];
  check(hsa_init(), "hsa_init");
  check(hsa_iterate_agents(find_agents, &m), "the agents");
  if (argc != 2 || m.gpu.handle == 0) {
    fprintf(stderr, argc != 2 ? "usage: vadd vadd.hsaco\n" : "vadd: there is no gfx1100\n");
    return 1;
  }
  check(hsa_agent_get_info(m.gpu, (hsa_agent_info_t)HSA_AMD_AGENT_INFO_PRODUCT_NAME, name), "name");
  check(hsa_queue_create(m.gpu, 1024, HSA_QUEUE_TYPE_SINGLE, queue_error, NULL, UINT32_MAX,
                         UINT32_MAX, &queue),
        "a queue");
  kernel k = load_kernel(m, argv[1], "vadd.kd");

  uint32_t device = HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_COARSE_GRAINED;
  float *on_device[3];
  for (int i = 0; i < 3; ++i)
    on_device[i] = allocate(m, m.gpu, device, N * sizeof(float));
  for (int i = 0; i < N; ++i)
    a[i] = (float)i, b[i] = 0.5f;
  check(hsa_memory_copy(on_device[0], a, sizeof(a)), "a copy");
  check(hsa_memory_copy(on_device[1], b, sizeof(b)), "a copy");

  char *kernarg = allocate(m, m.cpu, HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_KERNARG_INIT, 4096);
  arguments args = {on_device[0],      on_device[1],  on_device[2],     N, 0,
                    {N / BLOCK, 1, 1}, {BLOCK, 1, 1}, {N % BLOCK, 0, 0}};
  memset(kernarg, 0, k.argument_bytes);
  memcpy(kernarg, &args, sizeof(args));
  run(queue, k, kernarg);

  check(hsa_memory_copy(c, on_device[2], sizeof(c)), "a copy");
  for (int i = 0; i < N; ++i)
    if (c[i] != a[i] + b[i]) {
      fprintf(stderr, "vadd: element %d is %g instead of %g\n", i, c[i], a[i] + b[i]);
      return 1;
    }
  printf("%d sums are right, on %s\n", N, name);
  for (int i = 0; i < 3; ++i)
    hsa_amd_memory_pool_free(on_device[i]);
  hsa_amd_memory_pool_free(kernarg);
  hsa_queue_destroy(queue);
  return hsa_shut_down() == HSA_STATUS_SUCCESS ? 0 : 1;
}
