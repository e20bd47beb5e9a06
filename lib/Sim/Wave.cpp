//===- Wave.cpp - jumps and faults ------------------------------------------===//
//
// A fault's message is put together here, from all that is known of the place.
//
//===----------------------------------------------------------------------===//

#include "Wave.h"
#include "Code.h"
#include "Workgroup.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace tinysim {

uint64_t Wave::nextPc() const { return code->pcOf(slot); }

void Wave::jump(uint64_t pc) {
  if (pc % 4 != 0) {
    fault(Fault::Kind::illegalInstruction,
          "jumps to 0x" + utohexstr(pc) + ", which is not a multiple of 4");
    return;
  }
  if (!code->contains(pc)) {
    Code *other = workgroup->launch.codeAt(pc);
    if (!other) {
      fault(Fault::Kind::outOfBounds, "jumps to 0x" + utohexstr(pc) + ", which is no loaded code");
      return;
    }
    code = other;
  }
  slot = code->slotOf(pc);
}

void Wave::fault(Fault::Kind kind, std::string what, int lane) {
  if (state == WaveState::faulted)
    return;
  state = WaveState::faulted;
  Launch &launch = workgroup->launch;
  Fault fault;
  fault.kind = kind;
  fault.kernel = launch.dispatch->kernel->name;
  fault.pc = current ? current->pc : 0;
  raw_string_ostream os(fault.message);
  os << "kernel '" << fault.kernel << "': " << getName(kind) << ": ";
  if (current)
    os << code->mnemonic(current->pc) << " ";
  os << what;
  if (current)
    os << "\n  at " << code->describe(current->pc);
  os << "\n  workgroup (" << workgroup->id[0] << ", " << workgroup->id[1] << ", "
     << workgroup->id[2] << "), wave " << indexInWorkgroup;
  if (lane >= 0)
    os << ", lane " << lane;
  launch.report(std::move(fault));
}

} // namespace tinysim
