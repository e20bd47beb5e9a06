//===- Queue.cpp - the packet processor -----------------------------------===//
//
// HSA Platform System Architecture, section 2.8 and 2.9: a packet is taken when the
// doorbell has rung for it and its header is no longer INVALID; when it is done, the
// header becomes INVALID again, the read index moves on, and then the completion
// signal is decremented, so that who waits for the signal finds the slot free.
// Hardware starts any nonsense and hangs or corrupts memory; here every field of a
// packet is looked at first.
//
//===----------------------------------------------------------------------===//

#include "Queue.h"

#include "../Instruction.h"

#include <cstdlib>

using namespace tinysim;
using namespace tinysim::hsa;

static constexpr size_t kPacketBytes = 64;
static constexpr uint32_t kLdsBytes = 64 << 10;
static constexpr uint32_t kWorkgroupItems = 1024;

/// The queue as kernels see it, and the word behind its doorbell.
struct QueueMemory {
  amd_queue_t queue;
  alignas(64) volatile uint64_t bell;
};

void tinysim::hsa::ringDoorbell(amd_signal_t *doorbell, hsa_signal_value_t value) {
  volatile uint64_t *bell = doorbell->hardware_doorbell_ptr;
  uint64_t before = __atomic_load_n(bell, __ATOMIC_SEQ_CST);
  // Producers may ring in any order.
  while (static_cast<int64_t>(before) < value &&
         !__atomic_compare_exchange_n(bell, &before, static_cast<uint64_t>(value), false,
                                      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    ;
  wake();
}

//===----------------------------------------------------------------------===//
// Life
//===----------------------------------------------------------------------===//

std::shared_ptr<Queue> Queue::create(Runtime &runtime, Agent &agent, uint32_t size,
                                     hsa_queue_type32_t type, QueueCallback callback, void *data) {
  static std::atomic<uint64_t> queueNumber{0};
  void *memory = std::aligned_alloc(alignof(QueueMemory), sizeof(QueueMemory));
  void *ring = std::aligned_alloc(4096, std::max<size_t>(size * kPacketBytes, 4096));
  amd_signal_t *doorbell = createSignal(-1);
  if (!memory || !ring || !doorbell) {
    std::free(memory);
    std::free(ring);
    if (doorbell)
      destroySignal(doorbell);
    return nullptr;
  }
  std::memset(memory, 0, sizeof(QueueMemory));
  std::memset(ring, 0, size * kPacketBytes);
  for (uint32_t i = 0; i < size; ++i) // the type is the low byte of the header
    static_cast<uint8_t *>(ring)[i * kPacketBytes] = HSA_PACKET_TYPE_INVALID;

  std::shared_ptr<Queue> queue(new Queue(runtime, agent));
  auto *block = static_cast<QueueMemory *>(memory);
  block->bell = UINT64_MAX;
  doorbell->kind = AMD_SIGNAL_KIND_DOORBELL;
  doorbell->hardware_doorbell_ptr = &block->bell;
  doorbell->queue_ptr = &block->queue;
  queue->amd = &block->queue;
  queue->bell = &block->bell;
  queue->doorbell = doorbell;
  queue->callback = callback;
  queue->data = data;

  amd_queue_t &amd = block->queue;
  amd.hsa_queue.type = type;
  amd.hsa_queue.features = HSA_QUEUE_FEATURE_KERNEL_DISPATCH;
  amd.hsa_queue.base_address = ring;
  amd.hsa_queue.doorbell_signal = handleOf(doorbell);
  amd.hsa_queue.size = size;
  amd.hsa_queue.id = queueNumber++;
  amd.read_dispatch_id_field_base_byte_offset = offsetof(amd_queue_t, read_dispatch_id);
  amd.group_segment_aperture_base_hi = static_cast<uint32_t>(sharedAperture >> 32);
  amd.private_segment_aperture_base_hi = static_cast<uint32_t>(privateAperture >> 32);
  amd.max_cu_id = 96 - 1;
  amd.max_wave_id = 32 - 1;
  amd.queue_properties = AMD_QUEUE_PROPERTIES_IS_PTR64;
  agent.memory->add(reinterpret_cast<uint64_t>(memory), sizeof(QueueMemory),
                    "queue " + std::to_string(amd.hsa_queue.id), Access::readWrite);
  agent.memory->add(reinterpret_cast<uint64_t>(ring), size * kPacketBytes,
                    "the packets of queue " + std::to_string(amd.hsa_queue.id), Access::readWrite);
  queue->thread = std::thread([raw = queue.get()] { raw->work(); });
  return queue;
}

void Queue::inactivate() {
  stopping = true;
  wake();
  if (!thread.joinable() || thread.get_id() == std::this_thread::get_id())
    return;
  thread.join();
}

Queue::~Queue() {
  inactivate();
  if (thread.joinable()) // destroyed by its own callback
    thread.detach();
  owner.memory->remove(reinterpret_cast<uint64_t>(amd));
  owner.memory->remove(reinterpret_cast<uint64_t>(amd->hsa_queue.base_address));
  std::free(amd->hsa_queue.base_address);
  std::free(amd);
  destroySignal(doorbell);
}

void Queue::setProfiling(bool enable) { profiling = enable; }

std::string Queue::faultMessage() {
  std::lock_guard<std::mutex> lock(mutex);
  return message;
}

std::map<std::string, Counters> Queue::counters() {
  std::lock_guard<std::mutex> lock(mutex);
  return sums;
}

void Queue::resetCounters() {
  std::lock_guard<std::mutex> lock(mutex);
  sums.clear();
}

//===----------------------------------------------------------------------===//
// Packets
//===----------------------------------------------------------------------===//

bool Queue::waitFor(const std::function<bool()> &done) {
  sleepUntil([&] { return stopping || done(); });
  return !stopping;
}

void Queue::work() {
  auto *ring = static_cast<char *>(amd->hsa_queue.base_address);
  uint32_t mask = amd->hsa_queue.size - 1;
  for (uint64_t number = 0;; ++number) {
    char *slot = ring + (number & mask) * kPacketBytes;
    uint16_t header = 0;
    bool ready = waitFor([&] {
      return static_cast<int64_t>(__atomic_load_n(bell, __ATOMIC_SEQ_CST)) >=
             static_cast<int64_t>(number);
    });
    ready = ready && waitFor([&] {
              header = __atomic_load_n(reinterpret_cast<uint16_t *>(slot), __ATOMIC_SEQ_CST);
              return (header & 0xff) != HSA_PACKET_TYPE_INVALID;
            });
    if (!ready)
      return;

    // The completion signal is at the same place in packets of all types.
    hsa_signal_t completion;
    std::memcpy(&completion, slot + kPacketBytes - sizeof(completion), sizeof(completion));
    amd_signal_t *signal = signalOf(completion);
    std::optional<Failure> failure;
    uint64_t start = now();
    if (completion.handle != 0 && !signal)
      failure = Failure{HSA_STATUS_ERROR_INVALID_SIGNAL, "the completion signal of packet " +
                                                             std::to_string(number) +
                                                             " is none, or was destroyed"};
    else
      failure = process(slot, header, number);
    if (failure)
      return fail(*failure);
    if (stopping)
      return;
    if (signal) {
      signal->start_ts = profiling ? start : 0;
      signal->end_ts = profiling ? now() : 0;
    }
    __atomic_store_n(reinterpret_cast<uint16_t *>(slot), uint16_t(HSA_PACKET_TYPE_INVALID),
                     __ATOMIC_SEQ_CST);
    __atomic_store_n(&amd->read_dispatch_id, number + 1, __ATOMIC_SEQ_CST);
    if (signal)
      complete(signal);
    else
      wake(); // who waits for a free slot
  }
}

auto Queue::process(const void *slot, uint16_t header, uint64_t number) -> std::optional<Failure> {
  auto packet = [&](auto &copy) -> auto & {
    static_assert(sizeof(copy) == kPacketBytes);
    std::memcpy(&copy, slot, kPacketBytes);
    return copy;
  };
  unsigned type = header & 0xff;
  switch (type) {
  case HSA_PACKET_TYPE_KERNEL_DISPATCH: {
    hsa_kernel_dispatch_packet_t copy;
    return dispatch(packet(copy), slot, number);
  }
  case HSA_PACKET_TYPE_BARRIER_AND:
  case HSA_PACKET_TYPE_BARRIER_OR: {
    hsa_barrier_and_packet_t copy; // laid out as the other one
    return barrier(packet(copy), type == HSA_PACKET_TYPE_BARRIER_OR);
  }
  case HSA_PACKET_TYPE_VENDOR_SPECIFIC: {
    hsa_amd_barrier_value_packet_t copy;
    return vendor(packet(copy));
  }
  }
  std::string what = type == HSA_PACKET_TYPE_AGENT_DISPATCH ? "an agent dispatch"
                                                            : "of type " + std::to_string(type);
  return Failure{HSA_STATUS_ERROR_INVALID_PACKET_FORMAT, "packet " + std::to_string(number) +
                                                             " is " + what +
                                                             ", which a GPU's queue does not take"};
}

/// What is wrong with a packet before any instruction of its kernel runs.
auto Queue::checkDispatch(const hsa_kernel_dispatch_packet_t &packet, const KernelInfo *kernel)
    -> std::optional<Failure> {
  if (!kernel)
    return Failure{HSA_STATUS_ERROR_INVALID_CODE_OBJECT,
                   "a packet has a kernel object that is no kernel of a frozen executable of this "
                   "agent"};
  auto bad = [&](hsa_status_t status, const std::string &why) {
    return Failure{status, "kernel " + kernel->name + " cannot be dispatched: " + why};
  };
  unsigned dims = packet.setup & 3;
  uint64_t items =
      uint64_t(packet.workgroup_size_x) * packet.workgroup_size_y * packet.workgroup_size_z;
  if (dims == 0 || packet.setup >> HSA_KERNEL_DISPATCH_PACKET_SETUP_WIDTH_DIMENSIONS)
    return bad(HSA_STATUS_ERROR_INVALID_PACKET_FORMAT,
               "its setup field must be the number of dimensions, 1 to 3, and is " +
                   std::to_string(packet.setup));
  if (items == 0 || packet.grid_size_x == 0 || packet.grid_size_y == 0 || packet.grid_size_z == 0)
    return bad(HSA_STATUS_ERROR_INVALID_ARGUMENT, "a size of its grid or its workgroup is 0");
  if (items > kWorkgroupItems)
    return bad(HSA_STATUS_ERROR_INVALID_ARGUMENT,
               "its workgroup has " + std::to_string(items) + " work-items, and " +
                   std::to_string(kWorkgroupItems) + " are the most");
  if ((dims < 2 && (packet.grid_size_y != 1 || packet.workgroup_size_y != 1)) ||
      (dims < 3 && (packet.grid_size_z != 1 || packet.workgroup_size_z != 1)))
    return bad(HSA_STATUS_ERROR_INVALID_PACKET_FORMAT,
               "a dimension that its setup field does not have is not of size 1");
  if (packet.group_segment_size > kLdsBytes)
    return bad(HSA_STATUS_ERROR_INVALID_ALLOCATION,
               "it asks for " + std::to_string(packet.group_segment_size) +
                   " bytes of LDS, and a workgroup has " + std::to_string(kLdsBytes) + " at most");

  // Sizes that the kernel needs, from its descriptor: LDS, scratch, in this order.
  uint32_t needs[2];
  std::memcpy(needs, reinterpret_cast<const void *>(kernel->descriptor), sizeof(needs));
  if (packet.group_segment_size < needs[0])
    return bad(HSA_STATUS_ERROR_INVALID_ALLOCATION, "it needs " + std::to_string(needs[0]) +
                                                        " bytes of LDS, and the packet has " +
                                                        std::to_string(packet.group_segment_size));
  if (packet.private_segment_size < needs[1])
    return bad(HSA_STATUS_ERROR_INVALID_ALLOCATION,
               "a work-item needs " + std::to_string(needs[1]) +
                   " bytes of scratch, and the packet has " +
                   std::to_string(packet.private_segment_size));

  if (kernel->kernargBytes == 0)
    return std::nullopt;
  uint64_t arguments = reinterpret_cast<uint64_t>(packet.kernarg_address);
  if (arguments % 16 != 0)
    return bad(HSA_STATUS_ERROR_INVALID_ARGUMENT, "its arguments are not aligned to 16 bytes");
  std::optional<Region> region = owner.memory->find(arguments);
  if (!region || !allows(region->access, Access::read))
    return bad(HSA_STATUS_ERROR_INVALID_ARGUMENT,
               "the agent cannot read its arguments" +
                   (region ? " in " + region->owner : std::string()));
  if (!region->contains(arguments, kernel->kernargBytes))
    return bad(HSA_STATUS_ERROR_INVALID_ARGUMENT,
               "its arguments have " + std::to_string(kernel->kernargBytes) + " bytes, and only " +
                   std::to_string(region->end() - arguments) + " are left in " + region->owner);
  return std::nullopt;
}

static hsa_status_t statusOf(Fault::Kind kind) {
  switch (kind) {
  case Fault::Kind::illegalInstruction:
  case Fault::Kind::unimplemented:
    return amdStatus(HSA_STATUS_ERROR_ILLEGAL_INSTRUCTION);
  case Fault::Kind::invalidDispatch:
    return HSA_STATUS_ERROR_INVALID_PACKET_FORMAT;
  case Fault::Kind::outOfBounds:
  case Fault::Kind::useAfterFree:
    return amdStatus(HSA_STATUS_ERROR_MEMORY_FAULT);
  case Fault::Kind::misaligned:
    return amdStatus(HSA_STATUS_ERROR_MEMORY_APERTURE_VIOLATION);
  default:
    return HSA_STATUS_ERROR_EXCEPTION;
  }
}

auto Queue::dispatch(const hsa_kernel_dispatch_packet_t &packet, const void *slot, uint64_t number)
    -> std::optional<Failure> {
  // Kept while it runs: its executable may be destroyed meanwhile, which is the program's fault,
  // and must not be ours.
  std::shared_ptr<const KernelInfo> kernel = runtime.kernel(owner, packet.kernel_object);
  if (std::optional<Failure> failure = checkDispatch(packet, kernel.get()))
    return failure;

  // What a host has filled in although nothing says what it is for is its own business.
  KernelInfo info = *kernel;
  for (KernelInfo::HiddenArgument &argument : info.hidden) {
    auto *bytes = static_cast<const char *>(packet.kernarg_address) + argument.offset;
    for (uint32_t i = 0; i < argument.bytes && !argument.filled; ++i)
      argument.filled = bytes[i] != 0;
  }
  Dispatch what;
  what.packet = &packet;
  what.packetAddress = reinterpret_cast<uint64_t>(slot);
  what.queueAddress = reinterpret_cast<uint64_t>(amd);
  what.dispatchId = number;
  what.kernel = &info;
  Counters counted;
  what.interrupt = &stopping;
  std::optional<Fault> fault = owner.simulator->run(what, &counted);
  {
    std::lock_guard<std::mutex> lock(mutex);
    sums[info.name] += counted;
  }
  if (!fault)
    return std::nullopt;
  return Failure{statusOf(fault->kind), fault->message, fault->pc};
}

auto Queue::barrier(const hsa_barrier_and_packet_t &packet, bool isOr) -> std::optional<Failure> {
  std::vector<amd_signal_t *> signals;
  for (hsa_signal_t handle : packet.dep_signal) {
    if (handle.handle == 0)
      continue;
    amd_signal_t *signal = signalOf(handle);
    if (!signal)
      return Failure{HSA_STATUS_ERROR_INVALID_SIGNAL, "a barrier packet has something for a "
                                                      "signal that is none, or was destroyed"};
    signals.push_back(signal);
  }
  waitFor([&] {
    size_t ready = 0;
    for (amd_signal_t *signal : signals)
      ready += load(signal) == 0;
    return signals.empty() || (isOr ? ready > 0 : ready == signals.size());
  });
  return std::nullopt;
}

auto Queue::vendor(const hsa_amd_barrier_value_packet_t &packet) -> std::optional<Failure> {
  if (packet.header.AmdFormat != HSA_AMD_PACKET_TYPE_BARRIER_VALUE)
    return Failure{HSA_STATUS_ERROR_INVALID_PACKET_FORMAT,
                   "a vendor packet of format " + std::to_string(packet.header.AmdFormat) +
                       " is not supported; only AMD's barrier-value packet is"};
  amd_signal_t *signal = signalOf(packet.signal);
  if (!signal)
    return Failure{HSA_STATUS_ERROR_INVALID_SIGNAL, "a barrier-value packet has something for a "
                                                    "signal that is none, or was destroyed"};
  waitFor([&] {
    return holds(static_cast<hsa_signal_condition_t>(packet.cond & 3), load(signal) & packet.mask,
                 packet.value);
  });
  return std::nullopt;
}

/// Stops the queue and says why, to whoever has asked to be told. Without anybody the program
/// would wait for ever for a signal, so it is ended, as ROCm does.
void Queue::fail(const Failure &failure) {
  if (stopping) // the end of a queue may be what has stopped the kernel
    return;
  {
    std::lock_guard<std::mutex> lock(mutex);
    message = failure.message;
  }
  stopping = true;
  log(failure.message);
  hsa_amd_system_event_callback_t eventCallback = nullptr;
  void *eventData = nullptr;
  if (bitsOf(failure.status) == HSA_STATUS_ERROR_MEMORY_FAULT) {
    std::lock_guard<std::mutex> lock(runtime.eventMutex);
    eventCallback = runtime.eventCallback;
    eventData = runtime.eventData;
  }
  if (eventCallback) {
    hsa_amd_event_t event = {};
    event.event_type = HSA_AMD_GPU_MEMORY_FAULT_EVENT;
    event.memory_fault.agent = owner.handle();
    event.memory_fault.virtual_address = failure.address;
    event.memory_fault.fault_reason_mask = HSA_AMD_MEMORY_FAULT_PAGE_NOT_PRESENT;
    eventCallback(&event, eventData);
  } else if (callback) {
    callback(failure.status, handle(), data);
  } else {
    log("the queue has no error callback, so the program ends here");
    std::abort();
  }
}
