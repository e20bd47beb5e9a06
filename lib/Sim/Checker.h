//===- Checker.h - what hardware does not tell ------------------*- C++ -*-===//
//
// Shadow state of one wave's registers, consulted by the run loop before and after each
// instruction, from the instruction's operands alone: handlers know nothing of it.
//
// Never written: one bit per VGPR lane, one per scalar register. A plain copy (moves, lane moves,
// scratch loads and stores) moves the bits along, anything else that reads an unwritten register is
// reported: compilers save and restore registers that nobody set.
//
// Waits: loads are executed at once, but their registers stay pending until an s_waitcnt retires
// them. VMEM results return in order, LDS results too; with a scalar load or a message among them,
// lgkmcnt says nothing until it is 0.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_CHECKER_H
#define TINY_LIB_SIM_CHECKER_H

#include "Wave.h"
#include <deque>
#include <vector>

namespace tinysim {

class Checker {
public:
  void reset(const Options &options, unsigned waveSize);

  /// True where the instruction may run; else the wave has faulted.
  bool before(Wave &wave, const Instruction &instruction);
  /// `exec` is EXEC as it was before the instruction.
  void after(Wave &wave, const Instruction &instruction, uint64_t exec);

  // State at dispatch.
  void setScalarWritten(unsigned index, unsigned count = 1);
  void setVgprWritten(unsigned index, uint64_t lanes) { vgprs[index].written |= lanes; }

  /// s_waitcnt: lets `left` events of a counter be outstanding.
  void wait(Counter counter, unsigned left);
  /// MSG_DEALLOC_VGPRS.
  void release() { released = true; }

  // Scratch: whether the data of a store was ever written, and what a load found.
  uint64_t writtenLanes(unsigned vgpr) const { return vgprs[vgpr].written; }
  /// Of the scratch load that runs: the lanes whose data was never written, per dword.
  void setLoadedUnwritten(unsigned dword, uint64_t lanes);
  /// Of the scalar load that runs: the dword is part of a hidden argument that nobody filled. Wide
  /// loads take in arguments the kernel does not want; what is reported is the use.
  void setLoadedHidden(unsigned dword, const char *kind);

private:
  struct Vgpr {
    uint64_t written = 0;
    uint8_t pendingVm = 0, pendingLgkm = 0; // how many outstanding loads write it
  };
  struct Scalar {
    bool written = false;
    uint8_t pending = 0;          // lgkm
    const char *hidden = nullptr; // the unfilled hidden argument it holds
  };
  /// An outstanding operation, and the registers it will write.
  struct Event {
    bool outOfOrder = false; // scalar memory and messages
    bool vgprs = false;
    uint16_t first = 0, count = 0;
  };

  bool checkVgpr(Wave &wave, const Operand &operand, uint64_t exec);
  bool checkScalar(Wave &wave, const Operand &operand);
  bool checkDestination(Wave &wave, const Instruction &instruction, const Operand &operand);
  void markWritten(Wave &wave, const Instruction &instruction, uint64_t exec);
  void markRelative(const Wave &wave, const Instruction &instruction, uint64_t exec);
  void issue(Counter counter, const Event &event);
  void retire(Counter counter, const Event &event);

  Vgpr vgprs[256 + 16];
  Scalar scalars[scalarCount];
  std::deque<Event> vm, lgkm;
  bool checkWritten = true, checkWaits = true, checkReleased = true;
  bool released = false;
  bool loadedUnwrittenValid = false;
  uint64_t loadedUnwritten[4] = {};
  std::vector<std::pair<unsigned, const char *>> loadedHidden;
};

} // namespace tinysim

#endif // TINY_LIB_SIM_CHECKER_H
