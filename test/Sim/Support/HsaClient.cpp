//===- HsaClient.cpp - the few HSA calls that the tests need ---------------===//
//
// One queue, one signal, one dispatch at a time: a test wants to know which kernel
// went wrong, not to be fast. The wait is bounded by minutes, against a library that
// hangs, and is no part of what is tested.
//
//===----------------------------------------------------------------------===//

#include "HsaClient.h"

#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <sys/wait.h>

using namespace simtest;

#define HSA_CALLS(X)                                                                               \
  X(hsa_init)                                                                                      \
  X(hsa_shut_down)                                                                                 \
  X(hsa_status_string)                                                                             \
  X(hsa_iterate_agents)                                                                            \
  X(hsa_agent_get_info)                                                                            \
  X(hsa_amd_agent_iterate_memory_pools)                                                            \
  X(hsa_amd_memory_pool_get_info)                                                                  \
  X(hsa_amd_memory_pool_allocate)                                                                  \
  X(hsa_amd_memory_pool_free)                                                                      \
  X(hsa_amd_agents_allow_access)                                                                   \
  X(hsa_memory_copy)                                                                               \
  X(hsa_queue_create)                                                                              \
  X(hsa_queue_destroy)                                                                             \
  X(hsa_queue_add_write_index_screlease)                                                           \
  X(hsa_queue_load_read_index_scacquire)                                                           \
  X(hsa_signal_create)                                                                             \
  X(hsa_signal_destroy)                                                                            \
  X(hsa_signal_store_relaxed)                                                                      \
  X(hsa_signal_store_screlease)                                                                    \
  X(hsa_signal_wait_scacquire)                                                                     \
  X(hsa_code_object_reader_create_from_memory)                                                     \
  X(hsa_code_object_reader_destroy)                                                                \
  X(hsa_executable_create_alt)                                                                     \
  X(hsa_executable_destroy)                                                                        \
  X(hsa_executable_load_agent_code_object)                                                         \
  X(hsa_executable_freeze)                                                                         \
  X(hsa_executable_iterate_agent_symbols)                                                          \
  X(hsa_executable_symbol_get_info)

struct Client::Api {
#define X(name) decltype(&::name) name = nullptr;
  HSA_CALLS(X)
#undef X
};

static constexpr size_t kKernargBytes = 4096;

std::unique_ptr<Client> Client::open(const std::string &library, std::string &error) {
  void *handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    error = dlerror();
    return nullptr;
  }
  std::unique_ptr<Client> client(new Client);
  client->api = std::make_unique<Api>();
  Api &api = *client->api;
#define X(name)                                                                                    \
  if (!(api.name = reinterpret_cast<decltype(api.name)>(dlsym(handle, #name)))) {                  \
    error = library + " has no " #name;                                                            \
    return nullptr;                                                                                \
  }
  HSA_CALLS(X)
#undef X
  if (api.hsa_init() != HSA_STATUS_SUCCESS) {
    error = "hsa_init failed";
    return nullptr;
  }
  static Client *current; // the C callbacks below have one void* only
  current = client.get();
  api.hsa_iterate_agents(
      [](hsa_agent_t agent, void *) {
        hsa_device_type_t type;
        current->api->hsa_agent_get_info(agent, HSA_AGENT_INFO_DEVICE, &type);
        hsa_agent_t &slot = type == HSA_DEVICE_TYPE_GPU ? current->gpu : current->cpu;
        if (!slot.handle)
          slot = agent;
        return HSA_STATUS_SUCCESS;
      },
      nullptr);
  if (!client->gpu.handle || !client->cpu.handle) {
    error = "no GPU agent";
    return nullptr;
  }
  auto pools = [](hsa_amd_memory_pool_t pool, void *data) {
    hsa_amd_segment_t segment;
    uint32_t flags = 0;
    current->api->hsa_amd_memory_pool_get_info(pool, HSA_AMD_MEMORY_POOL_INFO_SEGMENT, &segment);
    if (segment != HSA_AMD_SEGMENT_GLOBAL)
      return HSA_STATUS_SUCCESS;
    current->api->hsa_amd_memory_pool_get_info(pool, HSA_AMD_MEMORY_POOL_INFO_GLOBAL_FLAGS, &flags);
    if (data) { // the device's
      if (!current->devicePool.handle)
        current->devicePool = pool;
      return HSA_STATUS_SUCCESS;
    }
    if ((flags & HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_KERNARG_INIT) && !current->kernargPool.handle)
      current->kernargPool = pool;
    if ((flags & HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_FINE_GRAINED) && !current->sharedPool.handle)
      current->sharedPool = pool;
    return HSA_STATUS_SUCCESS;
  };
  api.hsa_amd_agent_iterate_memory_pools(client->cpu, pools, nullptr);
  api.hsa_amd_agent_iterate_memory_pools(client->gpu, pools, current);
  if (!client->sharedPool.handle || !client->kernargPool.handle || !client->devicePool.handle) {
    error = "a memory pool is missing";
    return nullptr;
  }
  void *memory = nullptr;
  if (api.hsa_amd_memory_pool_allocate(client->kernargPool, kKernargBytes, 0, &memory) !=
          HSA_STATUS_SUCCESS ||
      api.hsa_amd_agents_allow_access(1, &client->gpu, nullptr, memory) != HSA_STATUS_SUCCESS ||
      api.hsa_signal_create(1, 0, nullptr, &client->done) != HSA_STATUS_SUCCESS ||
      !client->makeQueue()) {
    error = "no kernarg memory, signal or queue";
    return nullptr;
  }
  client->kernargs = static_cast<char *>(memory);
  return client;
}

Client::~Client() {
  if (!queue)
    return;
  for (hsa_executable_t executable : executables)
    api->hsa_executable_destroy(executable);
  api->hsa_queue_destroy(queue);
  api->hsa_signal_destroy(done);
  api->hsa_amd_memory_pool_free(kernargs);
  api->hsa_shut_down();
}

bool Client::makeQueue() {
  queueError = 0;
  return api->hsa_queue_create(
             gpu, 64, HSA_QUEUE_TYPE_SINGLE,
             [](hsa_status_t status, hsa_queue_t *, void *data) {
               static_cast<Client *>(data)->queueError = static_cast<int>(status);
             },
             this, UINT32_MAX, UINT32_MAX, &queue) == HSA_STATUS_SUCCESS;
}

void *Client::allocate(size_t bytes) {
  void *memory = nullptr;
  if (api->hsa_amd_memory_pool_allocate(sharedPool, bytes, 0, &memory) != HSA_STATUS_SUCCESS ||
      api->hsa_amd_agents_allow_access(1, &gpu, nullptr, memory) != HSA_STATUS_SUCCESS)
    return nullptr;
  return memory;
}

void Client::free(void *memory) { api->hsa_amd_memory_pool_free(memory); }

void *Client::allocateDevice(size_t bytes) {
  void *memory = nullptr;
  if (api->hsa_amd_memory_pool_allocate(devicePool, bytes, 0, &memory) != HSA_STATUS_SUCCESS)
    return nullptr;
  return memory;
}

bool Client::copy(void *to, const void *from, size_t bytes) {
  return api->hsa_memory_copy(to, from, bytes) == HSA_STATUS_SUCCESS;
}

bool Client::load(const std::vector<char> &elf, std::map<std::string, Kernel> &kernels,
                  std::string &error) {
  images.push_back(std::make_unique<std::vector<char>>(elf)); // the reader does not own it
  hsa_code_object_reader_t reader;
  hsa_executable_t executable;
  auto failed = [&](const char *what, hsa_status_t status) {
    const char *text = nullptr;
    api->hsa_status_string(status, &text);
    error = std::string(what) + ": " + (text ? text : "unknown status");
    return false;
  };
  if (hsa_status_t s = api->hsa_code_object_reader_create_from_memory(images.back()->data(),
                                                                      elf.size(), &reader))
    return failed("hsa_code_object_reader_create_from_memory", s);
  if (hsa_status_t s = api->hsa_executable_create_alt(
          HSA_PROFILE_BASE, HSA_DEFAULT_FLOAT_ROUNDING_MODE_DEFAULT, nullptr, &executable))
    return failed("hsa_executable_create_alt", s);
  if (hsa_status_t s =
          api->hsa_executable_load_agent_code_object(executable, gpu, reader, nullptr, nullptr)) {
    api->hsa_executable_destroy(executable);
    api->hsa_code_object_reader_destroy(reader);
    return failed("hsa_executable_load_agent_code_object", s);
  }
  if (hsa_status_t s = api->hsa_executable_freeze(executable, nullptr))
    return failed("hsa_executable_freeze", s);
  api->hsa_code_object_reader_destroy(reader);
  executables.push_back(executable);
  struct Walk {
    Api *api;
    std::map<std::string, Kernel> *kernels;
  } walk = {api.get(), &kernels};
  hsa_status_t s = api->hsa_executable_iterate_agent_symbols(
      executable, gpu,
      [](hsa_executable_t, hsa_agent_t, hsa_executable_symbol_t symbol, void *data) {
        auto *walk = static_cast<Walk *>(data);
        auto info = [&](hsa_executable_symbol_info_t what, void *value) {
          walk->api->hsa_executable_symbol_get_info(symbol, what, value);
        };
        hsa_symbol_kind_t kind;
        info(HSA_EXECUTABLE_SYMBOL_INFO_TYPE, &kind);
        if (kind != HSA_SYMBOL_KIND_KERNEL)
          return HSA_STATUS_SUCCESS;
        uint32_t length = 0;
        info(HSA_EXECUTABLE_SYMBOL_INFO_NAME_LENGTH, &length);
        std::string name(length, 0);
        info(HSA_EXECUTABLE_SYMBOL_INFO_NAME, name.data());
        if (name.size() > 3 && name.compare(name.size() - 3, 3, ".kd") == 0)
          name.resize(name.size() - 3);
        Kernel kernel;
        info(HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_OBJECT, &kernel.object);
        info(HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_KERNARG_SEGMENT_SIZE, &kernel.kernargBytes);
        info(HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_GROUP_SEGMENT_SIZE, &kernel.groupBytes);
        info(HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_PRIVATE_SEGMENT_SIZE, &kernel.privateBytes);
        bool dynamic = false; // a stack whose size the compiler does not know: recursion
        info(static_cast<hsa_executable_symbol_info_t>(
                 HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_DYNAMIC_CALLSTACK),
             &dynamic);
        if (dynamic)
          kernel.privateBytes += 2048;
        (*walk->kernels)[name] = kernel;
        return HSA_STATUS_SUCCESS;
      },
      &walk);
  return s == HSA_STATUS_SUCCESS || failed("hsa_executable_iterate_agent_symbols", s);
}

/// The hidden arguments that kernels of code object version 5 find behind their own: work
/// group counts and sizes, remainders, the number of dimensions (AMDGPU ABI, LLVM's
/// AMDGPUUsage, "Code Object V5 Metadata").
static void fillHidden(char *at, const Grid &grid) {
  for (unsigned i = 0; i < 3; ++i) {
    uint32_t count = grid.size[i] / grid.group[i];
    uint16_t rest = uint16_t(grid.size[i] % grid.group[i]);
    memcpy(at + 4 * i, &count, 4);
    memcpy(at + 12 + 2 * i, &grid.group[i], 2);
    memcpy(at + 18 + 2 * i, &rest, 2);
  }
  uint16_t dimensions = 3;
  memcpy(at + 64, &dimensions, 2);
  memcpy(at + 120, &grid.dynamicGroupBytes, 4);
}

Outcome Client::run(const Kernel &kernel, const Grid &grid, const std::vector<char> &arguments) {
  Outcome outcome;
  if (arguments.size() > kKernargBytes || kernel.kernargBytes > kKernargBytes) {
    outcome.error = "too many arguments";
    return outcome;
  }
  memset(kernargs, 0, kKernargBytes);
  memcpy(kernargs, arguments.data(), arguments.size());
  fillHidden(kernargs + ((arguments.size() + 7) & ~size_t(7)), grid);
  api->hsa_signal_store_relaxed(done, 1);

  uint64_t index = api->hsa_queue_add_write_index_screlease(queue, 1);
  auto *packet = static_cast<hsa_kernel_dispatch_packet_t *>(queue->base_address) +
                 (index & (queue->size - 1));
  memset(reinterpret_cast<char *>(packet) + 4, 0, sizeof *packet - 4);
  packet->workgroup_size_x = grid.group[0];
  packet->workgroup_size_y = grid.group[1];
  packet->workgroup_size_z = grid.group[2];
  packet->grid_size_x = grid.size[0];
  packet->grid_size_y = grid.size[1];
  packet->grid_size_z = grid.size[2];
  packet->private_segment_size = kernel.privateBytes;
  packet->group_segment_size = kernel.groupBytes + grid.dynamicGroupBytes;
  packet->kernel_object = kernel.object;
  packet->kernarg_address = kernargs;
  packet->completion_signal = done;
  uint32_t header = HSA_PACKET_TYPE_KERNEL_DISPATCH << HSA_PACKET_HEADER_TYPE |
                    HSA_FENCE_SCOPE_SYSTEM << HSA_PACKET_HEADER_SCACQUIRE_FENCE_SCOPE |
                    HSA_FENCE_SCOPE_SYSTEM << HSA_PACKET_HEADER_SCRELEASE_FENCE_SCOPE;
  uint32_t setup = 3 << HSA_KERNEL_DISPATCH_PACKET_SETUP_DIMENSIONS;
  __atomic_store_n(reinterpret_cast<uint32_t *>(packet), header | setup << 16, __ATOMIC_RELEASE);
  api->hsa_signal_store_screlease(queue->doorbell_signal, static_cast<hsa_signal_value_t>(index));

  // 20 ms a turn, so that an error of the queue is seen at once; ten minutes altogether.
  for (unsigned turn = 0; turn < 30000; ++turn) {
    if (api->hsa_signal_wait_scacquire(done, HSA_SIGNAL_CONDITION_LT, 1, 20000000,
                                       HSA_WAIT_STATE_BLOCKED) < 1) {
      if (!queueError)
        outcome.ok = true;
      break;
    }
    if (queueError)
      break;
    if (turn + 1 == 30000)
      outcome.error = "timed out";
  }
  if (int status = queueError) {
    const char *text = nullptr;
    api->hsa_status_string(static_cast<hsa_status_t>(status), &text);
    outcome.error = text ? text : "queue error " + std::to_string(status);
  }
  if (!outcome.ok) {
    api->hsa_queue_destroy(queue);
    if (!makeQueue())
      outcome.error += "; and no new queue";
  }
  return outcome;
}

bool simtest::runCommand(const std::string &command, std::string &output) {
  FILE *pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) {
    output = "cannot start " + command;
    return false;
  }
  char buffer[4096];
  output.clear();
  while (size_t got = fread(buffer, 1, sizeof buffer, pipe))
    output.append(buffer, got);
  return pclose(pipe) == 0;
}

std::vector<char> simtest::readFile(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool simtest::assemble(const std::string &text, unsigned waveSize, const std::string &stem,
                       std::vector<char> &elf, std::string &error) {
  std::string source = stem + ".s", object = stem + ".o", linked = stem + ".hsaco";
  std::ofstream(source) << text;
  // Wave64 assembly needs the other feature named too: MC takes both for granted otherwise.
  std::string features = waveSize == 64 ? "+wavefrontsize64,-wavefrontsize32" : "+wavefrontsize32";
  if (!runCommand(std::string(TINY_LLVM_MC) + " -triple=amdgcn-amd-amdhsa -mcpu=gfx1100 -mattr=" +
                      features + " -filetype=obj " + source + " -o " + object,
                  error) ||
      !runCommand(std::string(TINY_LLD) + " -shared " + object + " -o " + linked, error))
    return false;
  elf = readFile(linked);
  return true;
}
