//===- Checker.cpp - never-written registers and missing waits --------------===//
//
// See Checker.h for what is tracked and why copies are exempt.
//
//===----------------------------------------------------------------------===//

#include "Checker.h"
#include "llvm/ADT/StringRef.h"
#include <algorithm>

using namespace llvm;

namespace tinysim {

/// Hardware counts to 63; the next instruction that counts stalls until one is done.
static constexpr size_t mostOutstanding = 63;

void Checker::reset(const Options &options, unsigned waveSize) {
  std::fill(std::begin(vgprs), std::end(vgprs), Vgpr());
  std::fill(std::begin(scalars), std::end(scalars), Scalar());
  vm.clear();
  lgkm.clear();
  checkWritten = options.enabled(Check::uninitialised);
  checkWaits = options.enabled(Check::waits);
  checkReleased = options.enabled(Check::released);
  released = false;
  loadedUnwrittenValid = false;
  loadedHidden.clear();
  // EXEC is set at dispatch; SCC is 0 or 1 whatever happened before; NULL swallows.
  setScalarWritten(scalarExec, 2);
  setScalarWritten(scalarScc, 2);
  setScalarWritten(scalarSink, scalarCount - scalarSink);
}

void Checker::setScalarWritten(unsigned index, unsigned count) {
  for (unsigned n = index; n < index + count; ++n)
    scalars[n].written = true;
}

static std::string vgprName(unsigned index) { return "v" + std::to_string(index); }

static std::string scalarName(unsigned index) {
  if (index == scalarVcc || index == scalarVcc + 1)
    return index == scalarVcc ? "vcc_lo" : "vcc_hi";
  if (index == scalarM0)
    return "m0";
  if (index == scalarExec || index == scalarExec + 1)
    return index == scalarExec ? "exec_lo" : "exec_hi";
  if (index >= scalarTtmp && index < scalarNull)
    return "ttmp" + std::to_string(index - scalarTtmp);
  return "s" + std::to_string(index);
}

static const char *counterHint(bool vm, bool lgkm) {
  return vm ? (lgkm ? "vmcnt and lgkmcnt" : "vmcnt") : "lgkmcnt";
}

static bool beyondAllocation(Wave &wave, unsigned vgpr) {
  wave.fault(Fault::Kind::illegalInstruction, "names " + vgprName(vgpr) +
                                                  ", but the kernel's descriptor allocates " +
                                                  std::to_string(wave.vgprCount) + " VGPRs");
  return false;
}

bool Checker::checkVgpr(Wave &wave, const Operand &operand, uint64_t exec) {
  if (checkReleased && released) {
    wave.fault(Fault::Kind::released,
               "uses " + vgprName(operand.index) + " after MSG_DEALLOC_VGPRS");
    return false;
  }
  for (unsigned n = operand.index; n < unsigned(operand.index) + operand.dwords; ++n) {
    const Vgpr &vgpr = vgprs[n];
    if (n >= wave.vgprCount)
      return beyondAllocation(wave, n);
    if (checkWaits && (vgpr.pendingVm || vgpr.pendingLgkm)) {
      wave.fault(Fault::Kind::hazard, "reads " + vgprName(n) + " before an s_waitcnt on the " +
                                          counterHint(vgpr.pendingVm, vgpr.pendingLgkm) +
                                          " of the load that writes it");
      return false;
    }
    uint64_t unwritten = exec & ~vgpr.written;
    if (checkWritten && unwritten && !operand.copied) {
      wave.fault(Fault::Kind::uninitialised, "reads " + vgprName(n) + ", which was never written",
                 __builtin_ctzll(unwritten));
      return false;
    }
  }
  return true;
}

bool Checker::checkScalar(Wave &wave, const Operand &operand) {
  for (unsigned n = operand.index; n < unsigned(operand.index) + operand.dwords; ++n) {
    const Scalar &scalar = scalars[n];
    if (checkWaits && scalar.pending) {
      wave.fault(Fault::Kind::hazard,
                 "reads " + scalarName(n) + " before an s_waitcnt on the lgkmcnt that guards it");
      return false;
    }
    if (scalar.hidden && !operand.copied) {
      wave.fault(Fault::Kind::hiddenArgument, "reads " + scalarName(n) +
                                                  ", which holds the kernel's " + scalar.hidden +
                                                  ": nobody gave it a value");
      return false;
    }
    if (checkWritten && !scalar.written && !operand.copied) {
      wave.fault(Fault::Kind::uninitialised,
                 "reads " + scalarName(n) + ", which was never written");
      return false;
    }
  }
  return true;
}

bool Checker::checkDestination(Wave &wave, const Instruction &instruction, const Operand &operand) {
  if (operand.isVgpr() && checkReleased && released) {
    wave.fault(Fault::Kind::released,
               "writes " + vgprName(operand.index) + " after MSG_DEALLOC_VGPRS");
    return false;
  }
  if (operand.isVgpr() && unsigned(operand.index) + operand.dwords > wave.vgprCount)
    return beyondAllocation(wave, operand.index + operand.dwords - 1);
  if (!checkWaits)
    return true;
  for (unsigned n = operand.index; n < unsigned(operand.index) + operand.dwords; ++n) {
    std::string name;
    if (operand.isVgpr()) {
      // A load may follow a load of its own kind: results come in order.
      const Vgpr &vgpr = vgprs[n];
      bool vmBehind = vgpr.pendingVm && !(instruction.counters & counterVm);
      bool lgkmBehind = vgpr.pendingLgkm && !(instruction.counters & counterLgkm);
      if (vmBehind || lgkmBehind)
        name = vgprName(n);
    } else if (scalars[n].pending) {
      name = scalarName(n);
    }
    if (!name.empty()) {
      wave.fault(Fault::Kind::hazard,
                 "writes " + name + " while an earlier load has yet to write it (no s_waitcnt)");
      return false;
    }
  }
  return true;
}

bool Checker::before(Wave &wave, const Instruction &instruction) {
  bool vector =
      instruction.kind >= InstructionClass::valu && instruction.kind <= InstructionClass::buffer;
  uint64_t exec = wave.execOfAnySize();
  uint64_t lanes = exec;
  if (instruction.fetchInactive)
    lanes = 0; // DPP reads lanes that EXEC does not name: nothing is said of them
  if (instruction.readsFirstLane)
    lanes = exec ? exec & -exec : 1;
  for (unsigned n = 0; n < instruction.srcs; ++n) {
    const Operand &operand = instruction.src[n];
    if (operand.isConstant() || !operand.read)
      continue;
    if (instruction.carriesHighHalf && n == 2) {
      Operand low = operand;
      low.dwords = 1;
      if (operand.isVgpr() ? !checkVgpr(wave, low, lanes) : exec && !checkScalar(wave, low))
        return false;
      continue;
    }
    if (operand.isVgpr() ? !checkVgpr(wave, operand, lanes)
                         : (!vector || exec) && !checkScalar(wave, operand))
      return false;
  }
  for (unsigned n = 0; n < instruction.dsts; ++n)
    if (!checkDestination(wave, instruction, instruction.dst[n]))
      return false;
  return true;
}

void Checker::setLoadedUnwritten(unsigned dword, uint64_t lanes) {
  if (!loadedUnwrittenValid)
    std::fill(std::begin(loadedUnwritten), std::end(loadedUnwritten), 0);
  loadedUnwrittenValid = true;
  if (dword < 4)
    loadedUnwritten[dword] |= lanes;
}

void Checker::setLoadedHidden(unsigned dword, const char *kind) {
  loadedHidden.push_back({dword, kind});
}

void Checker::markWritten(Wave &wave, const Instruction &instruction, uint64_t exec) {
  const Operand &source = instruction.src[0];
  // Read before anything is marked: destinations may overlap sources.
  uint64_t highWritten = ~uint64_t(0);
  if (instruction.carriesHighHalf && instruction.src[2].isVgpr())
    highWritten = vgprs[instruction.src[2].index + 1].written;
  else if (instruction.carriesHighHalf && instruction.src[2].isScalar() &&
           !scalars[instruction.src[2].index + 1].written)
    highWritten = 0;
  for (unsigned d = 0; d < instruction.dsts; ++d) {
    const Operand &operand = instruction.dst[d];
    for (unsigned n = 0; n < operand.dwords; ++n) {
      unsigned index = operand.index + n;
      if (!operand.isVgpr()) {
        Scalar &scalar = scalars[index];
        scalar.written = true;
        scalar.hidden = nullptr;
        if (!instruction.isCopy || operand.index >= scalarSink)
          continue;
        if (source.isScalar()) {
          scalar.written = scalars[source.index + n].written;
          scalar.hidden = scalars[source.index + n].hidden;
        }
        if (source.isVgpr()) // V_READLANE
          scalar.written = vgprs[source.index].written >>
                               (wave.read32(instruction.src[1]) & (wave.waveSize - 1)) &
                           1;
        continue;
      }
      Vgpr &vgpr = vgprs[index];
      if (!instruction.isCopy) {
        vgpr.written |= exec;
        if (d == 0 && n == 1)
          vgpr.written &= ~exec | highWritten;
        if (loadedUnwrittenValid && n < 4)
          vgpr.written &= ~loadedUnwritten[n];
      } else if (instruction.srcs >= 2) { // V_WRITELANE
        uint64_t lane = uint64_t(1) << (wave.read32(instruction.src[1]) & (wave.waveSize - 1));
        bool written = !source.isScalar() || scalars[source.index].written;
        vgpr.written = written ? vgpr.written | lane : vgpr.written & ~lane;
      } else if (source.isVgpr()) {
        vgpr.written = (vgpr.written & ~exec) | (vgprs[source.index].written & exec);
      } else if (source.isScalar() && !scalars[source.index].written) {
        vgpr.written &= ~exec;
      } else {
        vgpr.written |= exec;
      }
    }
  }
  loadedUnwrittenValid = false;
  for (auto [dword, kind] : loadedHidden)
    if (instruction.dsts && instruction.dst[0].index < scalarSink)
      scalars[instruction.dst[0].index + dword].hidden = kind;
  loadedHidden.clear();
}

/// V_MOVRELD and its like write the register that M0 says.
void Checker::markRelative(const Wave &wave, const Instruction &instruction, uint64_t exec) {
  const Operand &named = instruction.dsts ? instruction.dst[0] : instruction.src[0];
  uint32_t m0 = wave.scalars[scalarM0];
  for (uint32_t distance : {m0, m0 & 0x3ff, m0 >> 16 & 0x3ff}) {
    uint64_t index = uint64_t(named.index) + distance;
    if (named.isVgpr() && index < 256)
      vgprs[index].written |= exec;
    else if (named.isScalar() && index + 1 < scalarVcc)
      setScalarWritten(static_cast<unsigned>(index), named.dwords);
  }
}

void Checker::after(Wave &wave, const Instruction &instruction, uint64_t exec) {
  if (instruction.movesRelative)
    markRelative(wave, instruction, exec);
  else
    markWritten(wave, instruction, exec);
  if (!instruction.counters || !checkWaits)
    return;
  for (Counter counter : {counterVm, counterLgkm}) {
    if (!(instruction.counters & counter))
      continue;
    Event event;
    event.outOfOrder =
        instruction.kind == InstructionClass::smem || instruction.kind == InstructionClass::message;
    if (instruction.dsts && instruction.dst[0].index < scalarSink &&
        (!instruction.dst[0].isVgpr() || exec)) {
      event.vgprs = instruction.dst[0].isVgpr();
      event.first = instruction.dst[0].index;
      event.count = instruction.dst[0].dwords;
    }
    issue(counter, event);
  }
}

void Checker::issue(Counter counter, const Event &event) {
  std::deque<Event> &queue = counter == counterVm ? vm : lgkm;
  if (queue.size() >= mostOutstanding) {
    retire(counter, queue.front());
    queue.pop_front();
  }
  queue.push_back(event);
  for (unsigned n = event.first; n < unsigned(event.first) + event.count; ++n) {
    if (!event.vgprs)
      ++scalars[n].pending;
    else if (counter == counterVm)
      ++vgprs[n].pendingVm;
    else
      ++vgprs[n].pendingLgkm;
  }
}

void Checker::retire(Counter counter, const Event &event) {
  for (unsigned n = event.first; n < unsigned(event.first) + event.count; ++n) {
    if (!event.vgprs)
      --scalars[n].pending;
    else if (counter == counterVm)
      --vgprs[n].pendingVm;
    else
      --vgprs[n].pendingLgkm;
  }
}

void Checker::wait(Counter counter, unsigned left) {
  if (counter != counterVm && counter != counterLgkm)
    return; // stores and exports write no register
  std::deque<Event> &queue = counter == counterVm ? vm : lgkm;
  bool ordered =
      std::none_of(queue.begin(), queue.end(), [](const Event &event) { return event.outOfOrder; });
  if (!ordered && left != 0)
    return;
  while (queue.size() > left) {
    retire(counter, queue.front());
    queue.pop_front();
  }
}

} // namespace tinysim
