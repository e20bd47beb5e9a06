//===- Program.cpp - what steers a wave -------------------------------------===//
//
// Branches, waits, barriers, messages, traps, hardware registers. What only hints at timing
// (S_NOP, S_DELAY_ALU, S_CLAUSE, priorities, prefetches) does nothing: loads are done at once and
// caches do not exist.
//
//===----------------------------------------------------------------------===//

#include "Checker.h"
#include "HandlerTable.h"
#include "ScalarMath.h"
#include "Workgroup.h"
#include <chrono>

namespace tinysim {

static void nothing(Wave &, const Instruction &) {}

static void branch(Wave &wave, const Instruction &i) {
  wave.jump(i.pc + 4 + static_cast<uint64_t>(int64_t(static_cast<int16_t>(i.immediate)) * 4));
}
template <typename Condition> static void branchIf(Wave &wave, const Instruction &i, Condition f) {
  if (f(wave))
    branch(wave, i);
}
static uint64_t vccOf(const Wave &wave) {
  return wave.waveSize == 32 ? wave.scalars[scalarVcc] : wave.scalar64(scalarVcc);
}

/// A loop that runs wave64 code for the low half of EXEC, then for the high one. The register keeps
/// the half that does not run.
static void subvectorLoopBegin(Wave &wave, const Instruction &i) {
  uint32_t &low = wave.scalars[scalarExec], &high = wave.scalars[scalarExec + 1];
  uint32_t &kept = wave.scalars[i.dst[0].index];
  if (low == 0 && high == 0) {
    branch(wave, i);
  } else if (low == 0) {
    kept = 0;
  } else {
    kept = high;
    high = 0;
  }
}
static void subvectorLoopEnd(Wave &wave, const Instruction &i) {
  uint32_t &low = wave.scalars[scalarExec], &high = wave.scalars[scalarExec + 1];
  uint32_t &kept = wave.scalars[i.dst[0].index];
  if (high != 0) { // the high half is done
    low = kept;
  } else if (kept != 0) { // the low one is, and there is a high one
    high = kept;
    kept = low;
    low = 0;
    branch(wave, i);
  }
}

static void registerBranches(HandlerTable &table) {
  table.addHandler("S_BRANCH", branch);
  table.addHandler("S_CBRANCH_SCC0", [](Wave &wave, const Instruction &i) {
    branchIf(wave, i, [](Wave &w) { return !w.scc(); });
  });
  table.addHandler("S_CBRANCH_SCC1", [](Wave &wave, const Instruction &i) {
    branchIf(wave, i, [](Wave &w) { return w.scc(); });
  });
  table.addHandler("S_CBRANCH_VCCZ", [](Wave &wave, const Instruction &i) {
    branchIf(wave, i, [](Wave &w) { return vccOf(w) == 0; });
  });
  table.addHandler("S_CBRANCH_VCCNZ", [](Wave &wave, const Instruction &i) {
    branchIf(wave, i, [](Wave &w) { return vccOf(w) != 0; });
  });
  table.addHandler("S_CBRANCH_EXECZ", [](Wave &wave, const Instruction &i) {
    branchIf(wave, i, [](Wave &w) { return w.execOfAnySize() == 0; });
  });
  table.addHandler("S_CBRANCH_EXECNZ", [](Wave &wave, const Instruction &i) {
    branchIf(wave, i, [](Wave &w) { return w.execOfAnySize() != 0; });
  });
  // No debugger is attached: the conditions are false.
  for (const char *name : {"S_CBRANCH_CDBGSYS", "S_CBRANCH_CDBGUSER", "S_CBRANCH_CDBGSYS_OR_USER",
                           "S_CBRANCH_CDBGSYS_AND_USER"})
    table.addHandler(name, nothing);

  table.addHandler("S_SUBVECTOR_LOOP_BEGIN", subvectorLoopBegin);
  table.addHandler("S_SUBVECTOR_LOOP_END", subvectorLoopEnd);
  table.addHandler("S_GETPC_B64", [](Wave &wave, const Instruction &i) {
    wave.setScalar64(i.dst[0].index, wave.nextPc());
  });
  table.addHandler("S_SETPC_B64",
                   [](Wave &wave, const Instruction &i) { wave.jump(wave.read64(i.src[0])); });
  table.addHandler("S_SWAPPC_B64", [](Wave &wave, const Instruction &i) {
    uint64_t target = wave.read64(i.src[0]);
    wave.setScalar64(i.dst[0].index, wave.nextPc());
    wave.jump(target);
  });
  table.addHandler("S_CALL_B64", [](Wave &wave, const Instruction &i) {
    wave.setScalar64(i.dst[0].index, wave.nextPc());
    branch(wave, i);
  });
}

/// s_waitcnt of gfx11: vmcnt in bits 15:10, lgkmcnt in 9:4, expcnt in 2:0.
static void waitcnt(Wave &wave, const Instruction &i) {
  if (!wave.checker)
    return;
  wave.checker->wait(counterVm, i.immediate >> 10 & 63);
  wave.checker->wait(counterLgkm, i.immediate >> 4 & 63);
  wave.checker->wait(counterExp, i.immediate & 7);
}
template <Counter C> static void waitcntOf(Wave &wave, const Instruction &i) {
  if (wave.checker)
    wave.checker->wait(C, (wave.read32(i.src[0]) + i.immediate) & 63);
}

static void barrier(Wave &wave, const Instruction &i) {
  if (wave.workgroup->launch.enabled(Check::barriers) && wave.execOfAnySize() != wave.initialExec) {
    uint64_t missing = wave.initialExec & ~wave.execOfAnySize();
    wave.fault(Fault::Kind::divergentBarrier,
               "is executed while some lanes of the wave are switched off: their work-items do "
               "not come to this barrier",
               missing ? __builtin_ctzll(missing) : -1);
    return;
  }
  wave.barrierPc = i.pc;
  wave.state = WaveState::atBarrier;
}

static void endProgram(Wave &wave, const Instruction &) { wave.state = WaveState::ended; }

static void sendMessage(Wave &wave, const Instruction &i) {
  constexpr uint32_t interrupt = 1, deallocateVgprs = 3;
  switch (i.immediate & 0xff) {
  case interrupt: // the host polls its signals: nobody needs waking
    return;
  case deallocateVgprs:
    if (wave.checker)
      wave.checker->release();
    return;
  default:
    wave.fault(Fault::Kind::unimplemented, "sends message " + std::to_string(i.immediate & 0xff) +
                                               ", which is not implemented");
  }
}

static void sendMessageReturn(Wave &wave, const Instruction &i) {
  constexpr uint32_t getDoorbell = 128, getDdid = 129, getTma = 130, getRealtime = 131,
                     getTba = 133;
  uint64_t value = 0;
  switch (i.immediate & 0xff) {
  case getRealtime: // a clock of 100 MHz
    value = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                      std::chrono::steady_clock::now().time_since_epoch())
                                      .count() /
                                  10);
    break;
  case getDoorbell:
  case getDdid:
  case getTma:
  case getTba:
    break; // no trap handler, one queue: all zero
  default:
    wave.fault(Fault::Kind::unimplemented, "sends message " + std::to_string(i.immediate & 0xff) +
                                               ", which is not implemented");
    return;
  }
  if (i.dst[0].dwords == 2)
    wave.setScalar64(i.dst[0].index, value);
  else
    wave.scalars[i.dst[0].index] = static_cast<uint32_t>(value);
}

static void trap(Wave &wave, const Instruction &i) {
  constexpr uint32_t debugTrap = 3; // without a debugger it goes on
  uint32_t id = i.immediate & 0xff;
  if (id != debugTrap)
    wave.fault(Fault::Kind::trap, id == 2 ? "2: the kernel called abort or trap"
                                          : std::to_string(id) + " has no handler");
}

// --- hardware registers ---------------------------------------------------------------------

enum HardwareRegister : uint32_t {
  hwMode = 1,
  hwStatus = 2,
  hwTrapStatus = 3,
  hwGprAlloc = 5,
  hwLdsAlloc = 6,
  hwIbStatus = 7,
  hwShMemBases = 15,
  hwTbaLo = 16,
  hwTmaHi = 19,
  hwFlatScratchLo = 20,
  hwFlatScratchHi = 21,
  hwId1 = 23,
  hwId2 = 24,
  hwShaderCycles = 29,
};

struct HardwareField {
  uint32_t id, offset, mask; // the mask is not shifted
  explicit HardwareField(uint32_t encoding)
      : id(encoding & 63), offset(encoding >> 6 & 31),
        mask(static_cast<uint32_t>((uint64_t(2) << (encoding >> 11 & 31)) - 1)) {}
};

static bool readHardwareRegister(Wave &wave, uint32_t id, uint32_t &value) {
  const Launch &launch = wave.workgroup->launch;
  switch (id) {
  case hwMode:
    value = wave.mode.bits;
    return true;
  case hwStatus: // SCC, EXECZ, VCCZ, IN_TG
    value = wave.scc() | (wave.execOfAnySize() == 0) << 9 | (vccOf(wave) == 0) << 10 | 1u << 11;
    return true;
  case hwTrapStatus:
  case hwIbStatus:
    value = 0;
    return true;
  case hwGprAlloc:
    value = (wave.vgprCount / 4 - 1) << 12;
    return true;
  case hwLdsAlloc:
    value = (launch.ldsBytes + 511) / 512 << 12;
    return true;
  case hwShMemBases: // the top 16 bits of the private and the shared aperture
    value = static_cast<uint32_t>(privateAperture >> 48 | sharedAperture >> 48 << 16);
    return true;
  case hwFlatScratchLo:
    value = static_cast<uint32_t>(reinterpret_cast<uint64_t>(wave.scratch));
    return true;
  case hwFlatScratchHi:
    value = static_cast<uint32_t>(reinterpret_cast<uint64_t>(wave.scratch) >> 32);
    return true;
  case hwId1:
    value = wave.indexInWorkgroup & 31;
    return true;
  case hwId2:
    value = 0;
    return true;
  case hwShaderCycles: // there are no cycles; instructions at least advance
    value = static_cast<uint32_t>(wave.issued) & 0xfffff;
    return true;
  default:
    wave.fault(Fault::Kind::unimplemented,
               "reads hardware register " + std::to_string(id) + ", which is not implemented");
    return false;
  }
}

static void getRegister(Wave &wave, const Instruction &i) {
  HardwareField field(i.immediate);
  uint32_t value;
  if (readHardwareRegister(wave, field.id, value))
    wave.scalars[i.dst[0].index] = value >> field.offset & field.mask;
}

static void setField(Wave &wave, const HardwareField &field, uint32_t value) {
  if (field.id != hwMode) {
    wave.fault(Fault::Kind::unimplemented,
               "writes hardware register " + std::to_string(field.id) + ": only MODE can be");
    return;
  }
  uint32_t mask = field.mask << field.offset;
  wave.mode.bits = (wave.mode.bits & ~mask) | (value << field.offset & mask);
}

void registerProgram(HandlerTable &table) {
  registerBranches(table);
  for (const char *name :
       {"S_NOP", "S_SETPRIO", "S_CLAUSE", "S_DELAY_ALU", "S_WAIT_IDLE", "S_WAIT_EVENT",
        "S_INCPERFLEVEL", "S_DECPERFLEVEL", "S_INST_PREFETCH", "S_WAITCNT_DEPCTR", "S_ICACHE_INV",
        "S_TTRACEDATA", "S_TTRACEDATA_IMM", "S_SETKILL", "S_WAKEUP", "S_VERSION"})
    table.addHandler(name, nothing);
  table.addHandler("S_WAITCNT", waitcnt);
  table.addHandler("S_WAITCNT_VMCNT", waitcntOf<counterVm>);
  table.addHandler("S_WAITCNT_LGKMCNT", waitcntOf<counterLgkm>);
  table.addHandler("S_WAITCNT_VSCNT", waitcntOf<counterVs>);
  table.addHandler("S_WAITCNT_EXPCNT", waitcntOf<counterExp>);
  table.addHandler("S_BARRIER", barrier);
  table.addHandler("S_ENDPGM", endProgram);
  table.addHandler("S_ENDPGM_SAVED", endProgram);
  table.addHandler("S_SENDMSG", sendMessage);
  table.addHandler("S_SENDMSGHALT", [](Wave &wave, const Instruction &i) {
    sendMessage(wave, i);
    if (wave.state == WaveState::running)
      wave.fault(Fault::Kind::trap, "halts the wave for good");
  });
  table.addHandler("S_SENDMSG_RTN_B32", sendMessageReturn);
  table.addHandler("S_SENDMSG_RTN_B64", sendMessageReturn);
  table.addHandler("S_TRAP", trap);
  // A wave that sleeps waits for another one: that one's turn.
  table.addHandler("S_SLEEP",
                   [](Wave &wave, const Instruction &) { wave.state = WaveState::yielded; });
  table.addHandler("S_SETHALT", [](Wave &wave, const Instruction &i) {
    if (i.immediate & 1)
      wave.fault(Fault::Kind::trap, "halts the wave for good");
  });
  table.addHandler("S_CODE_END", [](Wave &wave, const Instruction &) {
    wave.fault(Fault::Kind::illegalInstruction, "is padding behind the end of the code");
  });
  table.addHandler("S_GETREG_B32", getRegister);
  table.addHandler("S_SETREG_B32", [](Wave &wave, const Instruction &i) {
    setField(wave, HardwareField(i.immediate), wave.read32(i.src[0]));
  });
  table.addHandler("S_SETREG_IMM32_B32", [](Wave &wave, const Instruction &i) {
    setField(wave, HardwareField(static_cast<uint32_t>(i.offset)), i.immediate);
  });
  table.addHandler("S_ROUND_MODE", [](Wave &wave, const Instruction &i) {
    wave.mode.bits = (wave.mode.bits & ~15u) | (i.immediate & 15);
  });
  table.addHandler("S_DENORM_MODE", [](Wave &wave, const Instruction &i) {
    wave.mode.bits = (wave.mode.bits & ~0xf0u) | (i.immediate & 15) << 4;
  });
}

} // namespace tinysim
