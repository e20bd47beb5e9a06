//===- Workgroup.cpp - state at dispatch, and the run loop ------------------===//
//
// The order of the registers at dispatch is that of LLVM's AMDGPUUsage, "Initial Kernel Execution
// State": user SGPRs in the order of the descriptor's bits, padding up to USER_SGPR_COUNT, the
// workgroup ids; work-item ids packed into v0.
//
//===----------------------------------------------------------------------===//

#include "Workgroup.h"
#include "Code.h"
#include <cstdlib>

using namespace llvm;
using namespace llvm::amdhsa;

namespace tinysim {

/// Instructions of one wave before the next one has its turn: waves that spin on what another one
/// is to write must not keep it from running.
static constexpr unsigned sliceInstructions = 1u << 15;

/// Room behind v255: 16 more registers, so that no operand reaches past the array.
static constexpr unsigned vgprsStored = 256 + 16;

void Launch::report(Fault newFault) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!fault)
    fault = std::move(newFault);
  stop.store(true);
}

Code *Launch::codeAt(uint64_t pc) {
  std::shared_ptr<Code> found = findCode(pc);
  std::lock_guard<std::mutex> lock(mutex);
  jumpedTo.push_back(found);
  return found.get();
}

Workgroup::Workgroup(Launch &launch) : launch(launch) {
  const uint16_t *full = &launch.packet.workgroup_size_x;
  uint32_t items = uint32_t(full[0]) * full[1] * full[2];
  unsigned most = (items + launch.waveSize - 1) / launch.waveSize;
  waves.resize(most);
  checkers.resize(launch.options->checks ? most : 0);
  size_t perWave = size_t(vgprsStored) * launch.waveSize;
  registers = std::make_unique<uint32_t[]>(perWave * most + 16);
  auto address = reinterpret_cast<uintptr_t>(registers.get());
  alignedRegisters = registers.get() + (64 - address % 64) % 64 / 4;
  lds.resize(launch.ldsBytes);
  shadowsLds = launch.enabled(Check::races) || launch.enabled(Check::uninitialised);
  shadowsScratch = launch.enabled(Check::uninitialised);
  scratchTotal = size_t(launch.scratchStride()) * launch.waveSize * most;
  scratch = std::make_unique<uint8_t[]>(scratchTotal + 1);
  if (shadowsScratch)
    scratchWritten.resize(scratchTotal);
}

Workgroup::~Workgroup() = default;

void Workgroup::start(uint64_t linear) {
  id[0] = static_cast<uint32_t>(linear % launch.groups[0]);
  id[1] = static_cast<uint32_t>(linear / launch.groups[0] % launch.groups[1]);
  id[2] = static_cast<uint32_t>(linear / launch.groups[0] / launch.groups[1]);
  const uint16_t *full = &launch.packet.workgroup_size_x;
  const uint32_t *grid = &launch.packet.grid_size_x;
  for (unsigned d = 0; d < 3; ++d)
    size[d] = std::min<uint32_t>(full[d], grid[d] - id[d] * full[d]);
  uint32_t items = size[0] * size[1] * size[2];
  waveCount = (items + launch.waveSize - 1) / launch.waveSize;

  if (shadowsLds)
    ldsShadow.reset(launch.ldsBytes);
  if (shadowsScratch)
    std::fill(scratchWritten.begin(), scratchWritten.end(), 0);
  for (unsigned n = 0; n < waveCount; ++n)
    startWave(n, items);
}

void Workgroup::startWave(unsigned index, uint32_t workItems) {
  Wave &wave = waves[index];
  const unsigned waveSize = launch.waveSize;
  wave = Wave();
  wave.vgprs = alignedRegisters + size_t(index) * vgprsStored * waveSize;
  std::memset(wave.vgprs, 0, size_t(vgprsStored) * waveSize * sizeof(uint32_t));
  wave.waveSize = waveSize;
  wave.vgprCount = launch.vgprCount;
  wave.perturb = launch.options->perturb;
  wave.workgroup = this;
  wave.indexInWorkgroup = index;
  wave.code = launch.code.get();
  wave.slot = launch.code->slotOf(launch.entry);
  wave.scratchBytes = launch.scratchBytes;
  wave.scratchStride = launch.scratchStride();
  wave.scratch = scratch.get() + size_t(index) * waveSize * wave.scratchStride;

  uint32_t first = index * waveSize;
  uint32_t lanes = std::min<uint32_t>(waveSize, workItems - first);
  wave.initialExec = lanes == 64 ? ~uint64_t(0) : (uint64_t(1) << lanes) - 1;
  wave.setScalar64(scalarExec, wave.initialExec);

  // MODE: rounding and denormals as the descriptor has them, DX10_CLAMP, IEEE, FP16_OVFL.
  uint32_t rsrc1 = launch.descriptor.compute_pgm_rsrc1;
  wave.mode.bits = (rsrc1 >> 12 & 0xff) | (rsrc1 >> 21 & 1) << 8 | (rsrc1 >> 23 & 1) << 9 |
                   (rsrc1 >> 26 & 1) << 23;
  if (!checkers.empty()) {
    wave.checker = &checkers[index];
    wave.checker->reset(*launch.options, waveSize);
  }
  setScalars(wave);
  setWorkItemIds(wave, first);
}

void Workgroup::setScalars(Wave &wave) {
  unsigned next = 0;
  auto put = [&](uint32_t value) {
    wave.scalars[next] = value;
    if (wave.checker)
      wave.checker->setScalarWritten(next);
    ++next;
  };
  auto put64 = [&](uint64_t value) {
    put(static_cast<uint32_t>(value));
    put(static_cast<uint32_t>(value >> 32));
  };
  const hsa_kernel_dispatch_packet_t &packet = launch.packet;
  uint32_t properties = launch.descriptor.kernel_code_properties;
  if (properties & KERNEL_CODE_PROPERTY_ENABLE_SGPR_PRIVATE_SEGMENT_BUFFER)
    next += 4; // gfx11 has architected flat scratch: nothing is there
  if (properties & KERNEL_CODE_PROPERTY_ENABLE_SGPR_DISPATCH_PTR)
    put64(launch.dispatch->packetAddress);
  if (properties & KERNEL_CODE_PROPERTY_ENABLE_SGPR_QUEUE_PTR)
    put64(launch.dispatch->queueAddress);
  if (properties & KERNEL_CODE_PROPERTY_ENABLE_SGPR_KERNARG_SEGMENT_PTR)
    put64(reinterpret_cast<uint64_t>(packet.kernarg_address));
  if (properties & KERNEL_CODE_PROPERTY_ENABLE_SGPR_DISPATCH_ID)
    put64(launch.dispatch->dispatchId);
  if (properties & KERNEL_CODE_PROPERTY_ENABLE_SGPR_FLAT_SCRATCH_INIT)
    next += 2;
  if (properties & KERNEL_CODE_PROPERTY_ENABLE_SGPR_PRIVATE_SEGMENT_SIZE)
    put(launch.scratchBytes);

  uint32_t rsrc2 = launch.descriptor.compute_pgm_rsrc2;
  next = AMDHSA_BITS_GET(rsrc2, COMPUTE_PGM_RSRC2_GFX6_GFX120_USER_SGPR_COUNT);
  if (rsrc2 & COMPUTE_PGM_RSRC2_ENABLE_SGPR_WORKGROUP_ID_X)
    put(id[0]);
  if (rsrc2 & COMPUTE_PGM_RSRC2_ENABLE_SGPR_WORKGROUP_ID_Y)
    put(id[1]);
  if (rsrc2 & COMPUTE_PGM_RSRC2_ENABLE_SGPR_WORKGROUP_ID_Z)
    put(id[2]);
  if (rsrc2 & COMPUTE_PGM_RSRC2_ENABLE_SGPR_WORKGROUP_INFO)
    put(waveCount); // the number of waves is all of it that compute uses
}

void Workgroup::setWorkItemIds(Wave &wave, uint32_t firstItem) {
  uint32_t rsrc2 = launch.descriptor.compute_pgm_rsrc2;
  unsigned dimensions = AMDHSA_BITS_GET(rsrc2, COMPUTE_PGM_RSRC2_ENABLE_VGPR_WORKITEM_ID);
  uint32_t *v0 = wave.vgprs;
  for (unsigned lane = 0; lane < wave.waveSize; ++lane) {
    uint32_t item = firstItem + lane;
    v0[lane] = item % size[0];
    if (dimensions >= 1)
      v0[lane] |= (item / size[0] % size[1]) << 10;
    if (dimensions >= 2)
      v0[lane] |= (item / size[0] / size[1]) << 20;
  }
  // Lanes without a work-item have an id too: hardware writes all of v0.
  if (wave.checker)
    wave.checker->setVgprWritten(0, ~uint64_t(0));
}

template <bool Checked, bool Counted> void Workgroup::runSlice(Wave &wave) {
  uint64_t classes[instructionClasses + 1] = {};
  uint64_t lanes = 0, laneSlots = 0, issued = 0;
  for (unsigned n = 0; n < sliceInstructions; ++n) {
    const Instruction &instruction = *wave.slot->load(std::memory_order_acquire);
    wave.slot += instruction.size >> 2;
    wave.current = &instruction;
    ++classes[static_cast<unsigned>(instruction.kind)];
    [[maybe_unused]] uint64_t exec = 0;
    if (Checked || Counted)
      exec = wave.execOfAnySize();
    if (Counted && instruction.kind >= InstructionClass::valu &&
        instruction.kind <= InstructionClass::wmma) {
      lanes += __builtin_popcountll(exec);
      laneSlots += wave.waveSize;
    }
    if (Checked && !wave.checker->before(wave, instruction))
      break;
    instruction.execute(wave, instruction);
    if (Checked && wave.state != WaveState::faulted)
      wave.checker->after(wave, instruction, exec);
    if (Counted && launch.observer)
      observe(wave, instruction, exec);
    if (wave.state != WaveState::running)
      break;
  }
  for (unsigned n = 0; n < instructionClasses; ++n) {
    counters().instructions[n] += classes[n];
    issued += classes[n];
  }
  counters().valuLanes += lanes;
  counters().valuLaneSlots += laneSlots;
  wave.issued += issued;
  if (wave.state == WaveState::running)
    wave.state = WaveState::yielded;
  uint64_t limit = launch.options->instructionLimit;
  if (limit && wave.issued > limit && wave.state == WaveState::yielded)
    wave.fault(Fault::Kind::timeout,
               "has issued " + std::to_string(wave.issued) + " instructions, more than the limit");
}

void Workgroup::observe(Wave &wave, const Instruction &instruction, uint64_t exec) {
  if (instruction.size == 0)
    return;
  IssueRecord record;
  record.dispatchId = launch.dispatch->dispatchId;
  std::copy(std::begin(id), std::end(id), record.workgroup);
  record.wave = wave.indexInWorkgroup;
  record.pc = instruction.pc;
  record.kind = instruction.kind;
  record.name = instruction.opcodeName;
  record.exec = exec;
  record.instruction = &instruction;
  record.addresses = worker->accessBytes ? worker->addresses : nullptr;
  record.lanes = wave.waveSize;
  record.bytes = worker->accessBytes;
  worker->accessBytes = 0;
  launch.observer->issued(record);
}

void Workgroup::releaseBarrier() {
  const Wave *first = nullptr;
  for (unsigned n = 0; n < waveCount; ++n) {
    Wave &wave = waves[n];
    if (wave.state == WaveState::ended)
      continue;
    if (!first)
      first = &wave;
    if (launch.enabled(Check::barriers) && wave.barrierPc != first->barrierPc) {
      wave.fault(Fault::Kind::divergentBarrier,
                 "waits here, but wave " + std::to_string(first->indexInWorkgroup) + " waits at " +
                     first->code->describe(first->barrierPc));
      return;
    }
  }
  for (unsigned n = 0; n < waveCount; ++n) {
    Wave &wave = waves[n];
    if (wave.state == WaveState::ended && launch.enabled(Check::barriers)) {
      waves[first->indexInWorkgroup].fault(Fault::Kind::divergentBarrier,
                                           "waits here, but wave " + std::to_string(n) +
                                               " has ended without coming to a barrier");
      return;
    }
    if (wave.state == WaveState::atBarrier)
      wave.state = WaveState::running;
  }
  ldsShadow.barrier();
}

Workgroup::Progress Workgroup::run(Worker &newWorker) {
  worker = &newWorker;
  const bool checked = !checkers.empty();
  const bool counted = launch.counting || launch.observer;
  while (!launch.stop.load(std::memory_order_relaxed)) {
    unsigned ended = 0, yielded = 0;
    for (unsigned n = 0; n < waveCount; ++n) {
      Wave &wave = waves[n];
      if (wave.state == WaveState::running || wave.state == WaveState::yielded) {
        wave.state = WaveState::running;
        if (checked)
          counted ? runSlice<true, true>(wave) : runSlice<true, false>(wave);
        else
          counted ? runSlice<false, true>(wave) : runSlice<false, false>(wave);
      }
      if (wave.state == WaveState::faulted)
        return Progress::stopped;
      ended += wave.state == WaveState::ended;
      yielded += wave.state == WaveState::yielded;
    }
    if (ended == waveCount) {
      ++counters().workgroups;
      counters().waves += waveCount;
      return Progress::finished;
    }
    if (yielded)
      return Progress::yielded;
    releaseBarrier();
  }
  return Progress::stopped;
}

void Workgroup::timeOut(const std::string &what) {
  for (unsigned n = 0; n < waveCount; ++n)
    if (waves[n].state != WaveState::ended)
      return waves[n].fault(Fault::Kind::timeout, what);
  waves[0].fault(Fault::Kind::timeout, what); // the grid is too large, not the workgroup
}

} // namespace tinysim
