//===- Simulator.cpp - dispatches over host threads -------------------------===//
//
// Validates the packet and the descriptor as a packet processor would, then lets host threads take
// workgroups off the grid in order. A workgroup that only yields (it waits for another one, say)
// steps back for the next: so kernels whose workgroups wait for each other make progress as far as
// they would on a card, whatever the number of threads.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Sim/Simulator.h"
#include "Code.h"
#include "Workgroup.h"
#include "llvm/ADT/Twine.h"
#include <chrono>
#include <shared_mutex>
#include <thread>

using namespace llvm;
using namespace llvm::amdhsa;

namespace tinysim {

/// What gfx1100 has: LDS of a workgroup, work-items of a workgroup, scratch of a work-item (the
/// size of a wave's is a field of 15 bits, in units of 1 KB), registers of a SIMD.
static constexpr uint32_t mostLdsBytes = 65536, mostWorkItems = 1024, mostScratchBytes = 1u << 20;
static constexpr uint32_t simdVgprs = 1536, vgprGranule = 24, mostWavesPerSimd = 16;
static constexpr uint32_t wgpLdsBytes = 131072, simdsPerWgp = 4;

/// Workgroups one thread keeps unfinished before it waits for the older ones.
static constexpr size_t mostResident = 32;

class Simulator::Implementation {
public:
  Implementation(MemoryMap &memory, const Options &options) : memory(memory), options(options) {}

  struct Loaded {
    CodeObject object;
    std::shared_ptr<Code> code[2]; // wave32, wave64; translated when first needed
  };

  std::shared_ptr<Code> findCode(uint64_t pc, unsigned waveSize);
  std::optional<Fault> prepare(Launch &launch, const Dispatch &dispatch);
  void work(Launch &launch, std::atomic<uint64_t> &next, uint64_t groups, Worker &worker,
            std::chrono::steady_clock::time_point deadline);
  void fillOccupancy(const Launch &launch, Counters &counters) const;

  MemoryMap &memory;
  Options options;
  Observer *observer = nullptr;
  std::shared_mutex mutex; // of `loaded`
  std::map<uint64_t, Loaded> loaded;
};

Simulator::Simulator(MemoryMap &memory, const Options &options)
    : implementation(std::make_unique<Implementation>(memory, options)) {}
Simulator::~Simulator() = default;

const Options &Simulator::getOptions() const { return implementation->options; }
void Simulator::setObserver(Observer *observer) { implementation->observer = observer; }

void Simulator::addCode(const CodeObject &code) {
  std::unique_lock<std::shared_mutex> lock(implementation->mutex);
  implementation->loaded[code.base] = Implementation::Loaded{code, {}};
}

void Simulator::removeCode(uint64_t base) {
  std::unique_lock<std::shared_mutex> lock(implementation->mutex);
  implementation->loaded.erase(base);
}

std::shared_ptr<Code> Simulator::Implementation::findCode(uint64_t pc, unsigned waveSize) {
  std::unique_lock<std::shared_mutex> lock(mutex);
  auto next = loaded.upper_bound(pc);
  if (next == loaded.begin())
    return nullptr;
  Loaded &entry = std::prev(next)->second;
  if (pc - entry.object.base >= entry.object.bytes)
    return nullptr;
  std::shared_ptr<Code> &code = entry.code[waveSize == 64];
  if (!code)
    code = std::make_shared<Code>(entry.object, waveSize);
  return code;
}

static Fault invalid(const Dispatch &dispatch, const Twine &what) {
  Fault fault;
  fault.kind = Fault::Kind::invalidDispatch;
  fault.kernel = dispatch.kernel ? dispatch.kernel->name : "";
  fault.message =
      ("kernel '" + Twine(fault.kernel) + "': " + getName(fault.kind) + ": the packet has " + what)
          .str();
  return fault;
}

std::optional<Fault> Simulator::Implementation::prepare(Launch &launch, const Dispatch &dispatch) {
  const hsa_kernel_dispatch_packet_t &packet = launch.packet = *dispatch.packet;
  launch.options = &options;
  launch.dispatch = &dispatch;
  launch.observer = observer;
  if (!dispatch.kernel)
    return invalid(dispatch, "a kernel object that is no loaded kernel descriptor");
  const uint16_t *size = &packet.workgroup_size_x;
  const uint32_t *grid = &packet.grid_size_x;
  for (unsigned d = 0; d < 3; ++d) {
    if (size[d] == 0 || grid[d] == 0)
      return invalid(dispatch, "a workgroup or grid size of 0 in dimension " + Twine(d));
    launch.groups[d] = static_cast<uint32_t>((uint64_t(grid[d]) + size[d] - 1) / size[d]);
  }
  constexpr uint64_t mostGroups = uint64_t(1) << 40; // years of simulation
  launch.groupCount = uint64_t(launch.groups[0]) * launch.groups[1];
  if (__builtin_mul_overflow(launch.groupCount, uint64_t(launch.groups[2]), &launch.groupCount) ||
      launch.groupCount > mostGroups)
    return invalid(dispatch, "an absurd number of workgroups");
  uint64_t items = uint64_t(size[0]) * size[1] * size[2];
  if (items > mostWorkItems)
    return invalid(dispatch, "workgroups of " + Twine(items) + " work-items; the most is " +
                                 Twine(mostWorkItems));

  MemoryView view(memory);
  if (!view.allowed(dispatch.kernel->descriptor, sizeof(kernel_descriptor_t), Access::read))
    return invalid(dispatch, "a kernel descriptor that is not in memory");
  std::memcpy(&launch.descriptor, reinterpret_cast<const void *>(dispatch.kernel->descriptor),
              sizeof(kernel_descriptor_t));
  const kernel_descriptor_t &descriptor = launch.descriptor;
  uint32_t properties = descriptor.kernel_code_properties;
  bool wave32 = properties & KERNEL_CODE_PROPERTY_ENABLE_WAVEFRONT_SIZE32;
  launch.waveSize = wave32 ? 32 : 64;
  uint32_t granulated = AMDHSA_BITS_GET(descriptor.compute_pgm_rsrc1,
                                        COMPUTE_PGM_RSRC1_GRANULATED_WORKITEM_VGPR_COUNT);
  launch.vgprCount = std::min(256u, (granulated + 1) * (wave32 ? 8 : 4));
  launch.ldsBytes = packet.group_segment_size;
  launch.scratchBytes = packet.private_segment_size;
  if (launch.ldsBytes > mostLdsBytes)
    return invalid(dispatch,
                   Twine(launch.ldsBytes) + " bytes of LDS; the most is " + Twine(mostLdsBytes));
  if (launch.ldsBytes < descriptor.group_segment_fixed_size)
    return invalid(dispatch, Twine(launch.ldsBytes) + " bytes of LDS; the kernel's own are " +
                                 Twine(descriptor.group_segment_fixed_size));
  if (launch.scratchBytes > mostScratchBytes)
    return invalid(dispatch, Twine(launch.scratchBytes) +
                                 " bytes of scratch per work-item; the most is " +
                                 Twine(mostScratchBytes));
  if (launch.scratchBytes < descriptor.private_segment_fixed_size)
    return invalid(dispatch, Twine(launch.scratchBytes) +
                                 " bytes of scratch per work-item; the kernel's own are " +
                                 Twine(descriptor.private_segment_fixed_size));
  if (descriptor.kernarg_size && !view.allowed(reinterpret_cast<uint64_t>(packet.kernarg_address),
                                               descriptor.kernarg_size, Access::read))
    return invalid(dispatch, "a kernarg address without " + Twine(descriptor.kernarg_size) +
                                 " readable bytes");

  launch.entry =
      dispatch.kernel->descriptor + static_cast<uint64_t>(descriptor.kernel_code_entry_byte_offset);
  launch.code = launch.entry % 4 ? nullptr : findCode(launch.entry, launch.waveSize);
  if (!launch.code)
    return invalid(dispatch, "a kernel whose entry is not in loaded code");
  launch.findCode = [this, waveSize = launch.waveSize](uint64_t pc) {
    return findCode(pc, waveSize);
  };
  if (options.enabled(Check::hidden))
    for (const KernelInfo::HiddenArgument &argument : dispatch.kernel->hidden)
      if (!argument.filled)
        launch.unfilled.push_back(
            {reinterpret_cast<uint64_t>(packet.kernarg_address) + argument.offset, argument.bytes,
             argument.kind.c_str()});
  return std::nullopt;
}

void Simulator::Implementation::work(Launch &launch, std::atomic<uint64_t> &next, uint64_t groups,
                                     Worker &worker,
                                     std::chrono::steady_clock::time_point deadline) {
  std::deque<std::unique_ptr<Workgroup>> resident;
  std::vector<std::unique_ptr<Workgroup>> idle;
  const std::atomic<bool> *interrupt = launch.dispatch->interrupt;
  auto outOfTime = [&](Workgroup &group) {
    if (std::chrono::steady_clock::now() >= deadline)
      group.timeOut("still runs after " + std::to_string(options.timeoutSeconds) + " s");
    else if (interrupt && interrupt->load())
      group.timeOut("was interrupted");
    return launch.stop.load();
  };
  bool exhausted = false;
  uint64_t finished = 0;
  unsigned turnsUntilNew = 0;
  while (!launch.stop.load(std::memory_order_relaxed)) {
    // A new workgroup where there is none, or where all that are here had a turn and only yielded.
    if (!exhausted && turnsUntilNew == 0 && resident.size() < mostResident) {
      uint64_t linear = next.fetch_add(1);
      exhausted = linear >= groups;
      if (!exhausted) {
        if (idle.empty())
          idle.push_back(std::make_unique<Workgroup>(launch));
        resident.push_front(std::move(idle.back()));
        idle.pop_back();
        resident.front()->start(linear);
      }
    }
    if (resident.empty())
      break;
    std::unique_ptr<Workgroup> group = std::move(resident.front());
    resident.pop_front();
    switch (group->run(worker)) {
    case Workgroup::Progress::finished:
      if ((++finished & 255) == 0 && outOfTime(*group))
        return;
      idle.push_back(std::move(group));
      turnsUntilNew = static_cast<unsigned>(resident.size());
      break;
    case Workgroup::Progress::yielded:
      if (outOfTime(*group))
        return;
      resident.push_back(std::move(group));
      turnsUntilNew =
          turnsUntilNew ? turnsUntilNew - 1 : static_cast<unsigned>(resident.size()) * 8;
      break;
    case Workgroup::Progress::stopped:
      return;
    }
  }
}

void Simulator::Implementation::fillOccupancy(const Launch &launch, Counters &counters) const {
  const hsa_kernel_dispatch_packet_t &packet = launch.packet;
  uint32_t items =
      uint32_t(packet.workgroup_size_x) * packet.workgroup_size_y * packet.workgroup_size_z;
  uint32_t wavesPerGroup = (items + launch.waveSize - 1) / launch.waveSize;
  counters.vgprs = launch.vgprCount;
  counters.sgprs = 106; // fixed since gfx10
  counters.ldsBytes = launch.ldsBytes;
  counters.scratchBytesPerLane = launch.scratchBytes;
  // A wave64 register is two of the SIMD's.
  uint32_t perRegister = launch.waveSize / 32;
  uint32_t granule = vgprGranule / perRegister;
  uint32_t allocated = (launch.vgprCount + granule - 1) / granule * granule * perRegister;
  counters.wavesPerSimd = std::min(mostWavesPerSimd, simdVgprs / allocated);
  if (launch.ldsBytes) {
    uint32_t groups = wgpLdsBytes / launch.ldsBytes;
    uint32_t waves = std::max(1u, groups * wavesPerGroup / simdsPerWgp);
    counters.wavesPerSimd = std::min(counters.wavesPerSimd, waves);
  }
}

std::optional<Fault> Simulator::run(const Dispatch &dispatch, Counters *counters) {
  Implementation &i = *implementation;
  Launch launch;
  launch.counting = counters != nullptr;
  if (counters)
    *counters = Counters();
  if (std::optional<Fault> fault = i.prepare(launch, dispatch))
    return fault;

  uint64_t groups = launch.groupCount;
  unsigned threads =
      i.options.threads ? i.options.threads : std::max(1u, std::thread::hardware_concurrency());
  threads = static_cast<unsigned>(std::min<uint64_t>(threads, groups));
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(i.options.timeoutSeconds);
  std::atomic<uint64_t> next{0};
  std::vector<std::unique_ptr<Worker>> workers;
  for (unsigned n = 0; n < threads; ++n)
    workers.push_back(std::make_unique<Worker>(i.memory));
  std::vector<std::thread> others;
  for (unsigned n = 1; n < threads; ++n)
    others.emplace_back([&, n] { i.work(launch, next, groups, *workers[n], deadline); });
  i.work(launch, next, groups, *workers[0], deadline);
  for (std::thread &thread : others)
    thread.join();

  if (counters) {
    for (const std::unique_ptr<Worker> &worker : workers)
      *counters += worker->counters;
    i.fillOccupancy(launch, *counters);
  }
  return std::move(launch.fault);
}

} // namespace tinysim
