//===- HsaDevice.cpp - a GPU behind an HSA library ------------------------===//
//
// One queue, all packets with the barrier bit: launches run in the order they were
// made. Each thread has a stream, which remembers its launches since its last wait.
// A program that runs again makes the same launches, finds them there with their
// arguments already in the device's reach, and so writes nothing but packets.
//
// Nothing here waits without an end: a fault of the queue, a memory fault and a
// kernel that takes too long each end the device with a message, and every later
// call gives that message back.
//
//===----------------------------------------------------------------------===//

#include "HsaLibrary.h"
#include "HsaStream.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <thread>

using namespace tinyrt;

namespace {
constexpr uint32_t kQueuePackets = 4096;
constexpr uint32_t kWorkgroupItems = 1024;
constexpr uint64_t kSliceNanoseconds = 100'000'000; // how often a wait looks for faults

struct LoadedKernel {
  KernelMetadata metadata;
  uint64_t object = 0; ///< the address of its descriptor
  uint32_t groupBytes = 0;
  uint32_t privateBytes = 0;
  size_t explicitBytes = 0; ///< of arguments that are not hidden
  size_t numExplicit = 0;
};

class HsaDeviceImpl final : public HsaDevice, private HsaFaultListener {
public:
  static std::shared_ptr<HsaDevice> create(const HsaOptions &options, std::string &error);
  ~HsaDeviceImpl() override;

  const char *name() const override { return options.simulate ? "sim" : "hsa"; }
  bool sharesHostMemory() const override { return false; }
  std::string description() const override {
    return library->agentName(agent) + ", " +
           library->agentName(agent, HSA_AMD_AGENT_INFO_PRODUCT_NAME);
  }

  void *allocate(size_t bytes) override {
    // LLVM loads three dwords as four where they begin at a multiple of 16 bytes: the fourth may be
    // behind the last element, in the same 16 bytes.
    constexpr size_t widest = 16;
    void *memory = nullptr;
    size_t padded = (std::max<size_t>(bytes, 1) + widest - 1) / widest * widest;
    return padded < bytes || library->amd_memory_pool_allocate(devicePool, padded, 0, &memory)
               ? nullptr
               : memory;
  }
  void release(void *memory) override { library->amd_memory_pool_free(memory); }
  bool copyToDevice(void *to, const void *from, size_t bytes, std::string &error) override {
    return copy(to, from, bytes, error);
  }
  bool copyToHost(void *to, const void *from, size_t bytes, std::string &error) override {
    return copy(to, from, bytes, error);
  }

  bool load(const Code &code, const PlanView &plan, std::vector<Kernel> &kernels,
            std::string &error) override;
  bool launch(Kernel kernel, const tiny_plan_kernel &info, const uint32_t grid[3],
              void *const *buffers, size_t numBuffers, std::string &error) override;
  bool wait(std::string &error) override;
  uint64_t lastLaunchNanoseconds() override;

  bool loadImage(std::string_view image, std::string &error) override;
  Kernel find(std::string_view name) const override {
    auto found = kernels.find(std::string(name));
    return found == kernels.end() ? nullptr : found->second.get();
  }
  std::vector<std::string> kernelNames() const override {
    std::vector<std::string> names;
    for (const auto &entry : kernels)
      names.push_back(entry.first);
    return names;
  }
  const KernelMetadata &metadata(Kernel kernel) const override {
    return static_cast<LoadedKernel *>(kernel)->metadata;
  }
  bool start(Kernel kernel, const HsaLaunch &launch, std::string &error) override;
  std::vector<KernelCounter> counters() const override;

private:
  bool open(std::string &error);
  bool findPools(std::string &error);
  bool check(hsa_status_t status, const char *what, std::string &error);
  bool copy(void *to, const void *from, size_t bytes, std::string &error);
  bool addKernels(std::string_view image, hsa_executable_t executable, std::string &error);
  bool checkLaunch(const LoadedKernel &kernel, const HsaLaunch &launch, std::string &error) const;

  HsaStream &streamOfThread();
  void fillArguments(const LoadedKernel &kernel, const HsaLaunch &launch, char *memory) const;
  bool submit(const LoadedKernel &kernel, const HsaLaunch &launch, void *arguments,
              HsaStream &stream, std::string &error);

  // Faults
  void memoryFault(hsa_agent_t where, uint64_t address, uint32_t reasons) override;
  void endQueue();
  static void queueFault(hsa_status_t status, hsa_queue_t *queue, void *data);
  void setFault(const std::string &reason);
  bool hasFault(std::string &error);

  HsaOptions options;
  std::shared_ptr<HsaLibrary> library;
  hsa_agent_t agent = {0};
  hsa_amd_memory_pool_t devicePool = {0}, argumentPool = {0};
  hsa_queue_t *queue = nullptr; ///< none after a fault
  std::vector<hsa_executable_t> executables;
  std::map<std::string, std::unique_ptr<LoadedKernel>> kernels;

  std::mutex mutex; ///< of the queue and the streams
  std::map<std::thread::id, std::unique_ptr<HsaStream>> streams;
  uint64_t launches = 0;

  std::mutex faultMutex;
  std::string fault; ///< what the library said; empty while all is well
  std::string faultMessage;
};
} // namespace

//===----------------------------------------------------------------------===//
// Life
//===----------------------------------------------------------------------===//

std::shared_ptr<HsaDevice> tinyrt::createHsaDevice(const HsaOptions &options, std::string &error) {
  return HsaDeviceImpl::create(options, error);
}

std::shared_ptr<HsaDevice> HsaDeviceImpl::create(const HsaOptions &options, std::string &error) {
  auto device = std::make_shared<HsaDeviceImpl>();
  device->options = options;
  if (const char *text = std::getenv("TINY_HSA_TIMEOUT")) {
    char *end = nullptr;
    device->options.timeoutSeconds = static_cast<unsigned>(std::strtoul(text, &end, 10));
    if (!*text || *end) {
      error = std::string("TINY_HSA_TIMEOUT is '") + text + "', and must be a number of seconds";
      return nullptr;
    }
  } else if (!options.simulate && !options.timeoutSeconds) {
    device->options.timeoutSeconds = 60;
  }
  return device->open(error) ? device : nullptr;
}

bool HsaDeviceImpl::open(std::string &error) {
  library = HsaLibrary::open(options.simulate, error);
  if (!library)
    return false;
  if (options.agent >= library->gpus.size()) {
    error = "there is no card " + std::to_string(options.agent) +
            ": they are counted from 0, and " + name() + " has " +
            std::to_string(library->gpus.size());
    return false;
  }
  agent = library->gpus[options.agent];
  library->addListener(this);
  return findPools(error) &&
         check(library->queue_create(agent, kQueuePackets, HSA_QUEUE_TYPE_MULTI, queueFault, this,
                                     UINT32_MAX, UINT32_MAX, &queue),
               "a queue", error) &&
         check(library->amd_profiling_set_profiler_enabled(queue, 1), "profiling", error);
}

HsaDeviceImpl::~HsaDeviceImpl() {
  if (!library)
    return;
  library->removeListener(this);
  endQueue();
  streams.clear();
  for (hsa_executable_t executable : executables)
    library->executable_destroy(executable);
}

/// False with a sentence if `status` is an error: "no memory for a queue: HSA_STATUS_…".
bool HsaDeviceImpl::check(hsa_status_t status, const char *what, std::string &error) {
  if (status == HSA_STATUS_SUCCESS)
    return true;
  std::string details = library->takeMessages();
  error = std::string(name()) + " refuses " + what + ": " +
          (details.empty() ? library->text(status) : details);
  return false;
}

bool HsaDeviceImpl::findPools(std::string &error) {
  struct Search {
    HsaLibrary &library;
    uint32_t flags; ///< one of these
    hsa_amd_memory_pool_t found = {0};
  };
  auto look = [](hsa_amd_memory_pool_t pool, void *data) {
    auto *search = static_cast<Search *>(data);
    uint32_t segment = 0, flags = 0;
    bool canAllocate = false;
    const auto &info = search->library.amd_memory_pool_get_info;
    if (info(pool, HSA_AMD_MEMORY_POOL_INFO_SEGMENT, &segment) ||
        segment != HSA_AMD_SEGMENT_GLOBAL ||
        info(pool, HSA_AMD_MEMORY_POOL_INFO_GLOBAL_FLAGS, &flags) ||
        info(pool, HSA_AMD_MEMORY_POOL_INFO_RUNTIME_ALLOC_ALLOWED, &canAllocate) || !canAllocate ||
        !(flags & search->flags))
      return HSA_STATUS_SUCCESS;
    search->found = pool;
    return HSA_STATUS_INFO_BREAK;
  };
  Search device = {*library, HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_COARSE_GRAINED};
  Search arguments = {*library, HSA_AMD_MEMORY_POOL_GLOBAL_FLAG_KERNARG_INIT};
  library->amd_agent_iterate_memory_pools(agent, look, &device);
  library->amd_agent_iterate_memory_pools(library->cpu, look, &arguments);
  devicePool = device.found;
  argumentPool = arguments.found;
  if (devicePool.handle && argumentPool.handle)
    return true;
  error = std::string(name()) + " has no memory pool for " +
          (devicePool.handle ? "kernel arguments" : "device memory");
  return false;
}

bool HsaDeviceImpl::copy(void *to, const void *from, size_t bytes, std::string &error) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (hasFault(error))
      return false;
  }
  return bytes == 0 || check(library->memory_copy(to, from, bytes), "a copy", error);
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

bool HsaDeviceImpl::loadImage(std::string_view image, std::string &error) {
  hsa_code_object_reader_t reader = {0};
  hsa_executable_t executable = {0};
  library->takeMessages(); // of calls whose status nobody asked about
  if (!check(library->code_object_reader_create_from_memory(image.data(), image.size(), &reader),
             "the code object", error))
    return false;
  bool ok = check(library->executable_create_alt(
                      HSA_PROFILE_FULL, HSA_DEFAULT_FLOAT_ROUNDING_MODE_DEFAULT, "", &executable),
                  "an executable", error);
  if (ok) {
    executables.push_back(executable);
    ok = check(library->executable_load_agent_code_object(executable, agent, reader, "", nullptr),
               "the code object", error) &&
         check(library->executable_freeze(executable, ""), "the code object", error) &&
         addKernels(image, executable, error);
  }
  library->code_object_reader_destroy(reader);
  return ok;
}

bool HsaDeviceImpl::addKernels(std::string_view image, hsa_executable_t executable,
                               std::string &error) {
  std::vector<KernelMetadata> all;
  if (!readKernelMetadata(image, all, error))
    return false;
  for (KernelMetadata &metadata : all) {
    auto kernel = std::make_unique<LoadedKernel>();
    hsa_executable_symbol_t symbol;
    std::string what = "the kernel " + metadata.name;
    auto get = [&](uint32_t attribute, void *value) {
      return check(library->executable_symbol_get_info(
                       symbol, static_cast<hsa_executable_symbol_info_t>(attribute), value),
                   what.c_str(), error);
    };
    if (!check(library->executable_get_symbol_by_name(executable, metadata.symbol.c_str(), &agent,
                                                      &symbol),
               what.c_str(), error) ||
        !get(HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_OBJECT, &kernel->object) ||
        !get(HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_GROUP_SEGMENT_SIZE, &kernel->groupBytes) ||
        !get(HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_PRIVATE_SEGMENT_SIZE, &kernel->privateBytes))
      return false;
    for (const KernelArgument &argument : metadata.arguments)
      if (!argument.isHidden()) {
        ++kernel->numExplicit;
        kernel->explicitBytes =
            std::max<size_t>(kernel->explicitBytes, argument.offset + argument.bytes);
      }
    kernel->metadata = std::move(metadata);
    kernels[kernel->metadata.name] = std::move(kernel);
  }
  return true;
}

/// A compiled kernel has the addresses of its buffers for arguments, in the order of the plan.
static bool takesBuffers(const LoadedKernel &kernel, size_t numBuffers, std::string &error) {
  bool arePointers =
      kernel.numExplicit == numBuffers && kernel.explicitBytes == numBuffers * sizeof(void *);
  if (!arePointers)
    error = "kernel '" + kernel.metadata.name + "' has " + std::to_string(kernel.numExplicit) +
            " arguments of " + std::to_string(kernel.explicitBytes) +
            " bytes together, and is launched with " + std::to_string(numBuffers) + " buffers";
  return arePointers;
}

bool HsaDeviceImpl::load(const Code &code, const PlanView &plan, std::vector<Kernel> &result,
                         std::string &error) {
  if (code.image.empty() && !plan.kernels().empty()) {
    error = std::string("there is no code object for ") + name();
    return false;
  }
  if (!code.image.empty() && !loadImage(code.image, error))
    return false;
  for (const tiny_plan_kernel &kernel : plan.kernels()) {
    Kernel found = find(plan.text(kernel.name));
    if (!found) {
      error = "the compiled code has no kernel '" + std::string(plan.text(kernel.name)) + "'";
      return false;
    }
    result.push_back(found);
  }
  for (const tiny_plan_launch &launch : plan.launches())
    if (!takesBuffers(*static_cast<LoadedKernel *>(result[launch.kernel]), launch.num_buffers,
                      error))
      return false;
  return true;
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

HsaStream &HsaDeviceImpl::streamOfThread() {
  std::unique_ptr<HsaStream> &stream = streams[std::this_thread::get_id()];
  if (!stream)
    stream = std::make_unique<HsaStream>(*library, agent, argumentPool);
  return *stream;
}

bool HsaDeviceImpl::launch(Kernel handle, const tiny_plan_kernel &info, const uint32_t grid[3],
                           void *const *buffers, size_t numBuffers, std::string &error) {
  const auto &kernel = *static_cast<LoadedKernel *>(handle);
  HsaLaunch launch;
  for (int i = 0; i < 3; ++i) {
    uint64_t items = uint64_t(grid[i]) * info.block[i];
    if (items > UINT32_MAX) {
      error = "kernel '" + kernel.metadata.name + "' would have more than 2^32 work-items";
      return false;
    }
    launch.items[i] = static_cast<uint32_t>(items);
    launch.block[i] = info.block[i];
  }
  launch.localBytes =
      info.local_bytes > kernel.groupBytes ? info.local_bytes - kernel.groupBytes : 0;
  launch.arguments = {reinterpret_cast<const char *>(buffers), numBuffers * sizeof(void *)};
  return takesBuffers(kernel, numBuffers, error) && start(handle, launch, error);
}

bool HsaDeviceImpl::checkLaunch(const LoadedKernel &kernel, const HsaLaunch &launch,
                                std::string &error) const {
  auto fail = [&](const std::string &reason) {
    error = "kernel '" + kernel.metadata.name + "' cannot be launched: " + reason;
    return false;
  };
  uint64_t items = 1;
  for (int i = 0; i < 3; ++i) {
    if (launch.items[i] == 0 || launch.block[i] == 0)
      return fail("a size of its grid or its block is 0");
    if (launch.block[i] > kWorkgroupItems)
      return fail("its block has more than " + std::to_string(kWorkgroupItems) + " work-items");
    items *= launch.block[i];
  }
  uint32_t most =
      kernel.metadata.maxWorkgroupSize ? kernel.metadata.maxWorkgroupSize : kWorkgroupItems;
  if (items > most)
    return fail("its block has " + std::to_string(items) + " work-items, and it was compiled for " +
                std::to_string(most) + " at most");
  if (launch.arguments.size() != kernel.explicitBytes)
    return fail("its arguments have " + std::to_string(kernel.explicitBytes) + " bytes, got " +
                std::to_string(launch.arguments.size()));
  return true;
}

bool HsaDeviceImpl::start(Kernel handle, const HsaLaunch &launch, std::string &error) {
  const auto &kernel = *static_cast<LoadedKernel *>(handle);
  if (!checkLaunch(kernel, launch, error))
    return false;
  std::lock_guard<std::mutex> lock(mutex);
  if (hasFault(error))
    return false;
  HsaStream &stream = streamOfThread();
  bool isNew = false;
  void *arguments = stream.next({handle, launch}, kernel.metadata.kernargBytes, launches, isNew);
  if (!arguments) {
    error = std::string(name()) + " has no memory for the arguments of kernel '" +
            kernel.metadata.name + "'";
    return false;
  }
  if (isNew)
    fillArguments(kernel, launch, static_cast<char *>(arguments));
  return submit(kernel, launch, arguments, stream, error);
}

static unsigned numDims(const HsaLaunch &launch) {
  if (launch.items[2] > 1 || launch.block[2] > 1)
    return 3;
  return launch.items[1] > 1 || launch.block[1] > 1 ? 2 : 1;
}

/// Hidden arguments that a host knows are filled in by name; the others (a heap, a buffer for
/// printf) belong to languages that we do not run, and stay 0.
void HsaDeviceImpl::fillArguments(const LoadedKernel &kernel, const HsaLaunch &launch,
                                  char *memory) const {
  std::memset(memory, 0, kernel.metadata.kernargBytes);
  std::memcpy(memory, launch.arguments.data(), launch.arguments.size());
  for (const KernelArgument &argument : kernel.metadata.arguments) {
    uint64_t value = 0;
    unsigned dim = static_cast<unsigned>(argument.kind.back() - 'x');
    auto is = [&](const char *prefix) {
      return dim < 3 && argument.kind.compare(0, argument.kind.size() - 1, prefix) == 0;
    };
    if (!argument.isHidden())
      continue;
    if (is("hidden_block_count_"))
      value = launch.items[dim] / launch.block[dim];
    else if (is("hidden_group_size_"))
      value = launch.block[dim];
    else if (is("hidden_remainder_"))
      value = launch.items[dim] % launch.block[dim];
    else if (argument.kind == "hidden_grid_dims")
      value = numDims(launch);
    else if (argument.kind == "hidden_dynamic_lds_size")
      value = launch.localBytes;
    else
      continue;
    std::memcpy(memory + argument.offset, &value, std::min<size_t>(argument.bytes, sizeof(value)));
  }
}

/// Writes the packet and rings the doorbell.
bool HsaDeviceImpl::submit(const LoadedKernel &kernel, const HsaLaunch &launch, void *arguments,
                           HsaStream &stream, std::string &error) {
  uint64_t index = library->queue_load_write_index_relaxed(queue);
  while (index - library->queue_load_read_index_scacquire(queue) >= queue->size) {
    if (hasFault(error))
      return false;
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  ++launches;
  library->signal_add_relaxed(stream.signal(), 1);

  hsa_kernel_dispatch_packet_t packet = {};
  packet.setup =
      static_cast<uint16_t>(numDims(launch) << HSA_KERNEL_DISPATCH_PACKET_SETUP_DIMENSIONS);
  packet.workgroup_size_x = static_cast<uint16_t>(launch.block[0]);
  packet.workgroup_size_y = static_cast<uint16_t>(launch.block[1]);
  packet.workgroup_size_z = static_cast<uint16_t>(launch.block[2]);
  packet.grid_size_x = launch.items[0];
  packet.grid_size_y = launch.items[1];
  packet.grid_size_z = launch.items[2];
  packet.private_segment_size = kernel.privateBytes;
  packet.group_segment_size = kernel.groupBytes + launch.localBytes;
  packet.kernel_object = kernel.object;
  packet.kernarg_address = arguments;
  packet.completion_signal = stream.signal();
  // The memory of the host and of copies is seen, and what is written is seen by them.
  uint16_t header = HSA_PACKET_TYPE_KERNEL_DISPATCH << HSA_PACKET_HEADER_TYPE |
                    1 << HSA_PACKET_HEADER_BARRIER |
                    HSA_FENCE_SCOPE_SYSTEM << HSA_PACKET_HEADER_SCACQUIRE_FENCE_SCOPE |
                    HSA_FENCE_SCOPE_SYSTEM << HSA_PACKET_HEADER_SCRELEASE_FENCE_SCOPE;
  char *slot =
      static_cast<char *>(queue->base_address) + (index & (queue->size - 1)) * sizeof(packet);
  // The header makes it a packet, so it comes last, together with the setup field behind it.
  std::memcpy(slot + sizeof(uint32_t), reinterpret_cast<const char *>(&packet) + sizeof(uint32_t),
              sizeof(packet) - sizeof(uint32_t));
  __atomic_store_n(reinterpret_cast<uint32_t *>(slot), uint32_t(packet.setup) << 16 | header,
                   __ATOMIC_RELEASE);
  library->queue_store_write_index_screlease(queue, index + 1);
  library->signal_store_screlease(queue->doorbell_signal, static_cast<int64_t>(index));
  return true;
}

bool HsaDeviceImpl::wait(std::string &error) {
  HsaStream *stream;
  {
    std::lock_guard<std::mutex> lock(mutex);
    stream = &streamOfThread();
  }
  using Clock = std::chrono::steady_clock;
  Clock::time_point progress = Clock::now();
  hsa_signal_value_t left = library->signal_load_scacquire(stream->signal());
  while (left > 0) {
    hsa_signal_value_t now = library->signal_wait_scacquire(
        stream->signal(), HSA_SIGNAL_CONDITION_LT, left, kSliceNanoseconds, HSA_WAIT_STATE_BLOCKED);
    if (now != left)
      progress = Clock::now();
    else if (options.timeoutSeconds &&
             Clock::now() - progress > std::chrono::seconds(options.timeoutSeconds))
      setFault("it has not ended after " + std::to_string(options.timeoutSeconds) +
               " s (TINY_HSA_TIMEOUT sets this limit)");
    left = now;
    std::lock_guard<std::mutex> lock(mutex);
    if (left > 0 && hasFault(error)) {
      endQueue();
      return false;
    }
  }
  std::lock_guard<std::mutex> lock(mutex);
  stream->restart();
  return true;
}

uint64_t HsaDeviceImpl::lastLaunchNanoseconds() {
  std::lock_guard<std::mutex> lock(mutex);
  hsa_amd_profiling_dispatch_time_t time = {};
  uint64_t frequency = 0;
  if (library->amd_profiling_get_dispatch_time(agent, streamOfThread().signal(), &time) ||
      library->system_get_info(HSA_SYSTEM_INFO_TIMESTAMP_FREQUENCY, &frequency) || !frequency)
    return 0;
  return static_cast<uint64_t>(double(time.end - time.start) * 1e9 / double(frequency));
}

std::vector<KernelCounter> HsaDeviceImpl::counters() const {
  std::vector<KernelCounter> result;
  if (library->iterateCounters)
    library->iterateCounters(
        [](const char *kernel, const char *counter, double value, const char *unit, void *data) {
          static_cast<std::vector<KernelCounter> *>(data)->push_back(
              {kernel, counter, unit, value});
        },
        &result);
  return result;
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

void HsaDeviceImpl::queueFault(hsa_status_t status, hsa_queue_t *, void *data) {
  auto *device = static_cast<HsaDeviceImpl *>(data);
  device->setFault(device->library->text(status));
}

void HsaDeviceImpl::memoryFault(hsa_agent_t where, uint64_t address, uint32_t reasons) {
  if (where.handle != agent.handle)
    return;
  char text[64];
  std::snprintf(text, sizeof(text), "memory fault at address 0x%llx",
                static_cast<unsigned long long>(address));
  setFault(text + std::string(reasons & HSA_AMD_MEMORY_FAULT_READ_ONLY
                                  ? ": the memory is read-only"
                                  : ": there is no memory that it may use"));
}

/// Ends what still runs: a kernel that does not end by itself would go on writing memory that the
/// caller of a failed wait() is free to release.
void HsaDeviceImpl::endQueue() {
  if (queue)
    library->queue_destroy(queue);
  queue = nullptr;
}

/// The first reason counts. Called from threads of the library, which must not be held up.
void HsaDeviceImpl::setFault(const std::string &reason) {
  std::lock_guard<std::mutex> lock(faultMutex);
  if (fault.empty())
    fault = reason;
}

/// True with a message that names the kernel once something has gone wrong. Under the lock of the
/// streams.
bool HsaDeviceImpl::hasFault(std::string &error) {
  std::lock_guard<std::mutex> lock(faultMutex);
  if (fault.empty())
    return false;
  if (faultMessage.empty()) {
    // The oldest launch that has not ended: the queue runs them one after the other.
    std::string details = library->takeMessages();
    const HsaStream::Launch *oldest = nullptr;
    for (const auto &entry : streams)
      if (const HsaStream::Launch *launch = entry.second->oldestUnfinished())
        if (!oldest || launch->number < oldest->number)
          oldest = launch;
    std::string kernel = oldest ? metadata(oldest->kernel).name : std::string("?");
    // The simulator begins with the kernel, too.
    std::string prefix = "kernel '" + kernel + "': ";
    if (details.compare(0, prefix.size(), prefix) == 0)
      details.erase(0, prefix.size());
    faultMessage = std::string(name()) + ": kernel '" + kernel +
                   "' has failed: " + (details.empty() ? fault : details);
  }
  error = faultMessage;
  return true;
}
