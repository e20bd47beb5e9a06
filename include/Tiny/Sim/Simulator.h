//===- Simulator.h - runs gfx1100 kernels on the CPU ------------*- C++ -*-===//
//
// The simulator knows nothing of HSA's API: a loader gives it code that lies in memory and the
// packets of its queues. Everything that goes wrong in a kernel comes back as one Fault, with the
// kernel, the offset, the disassembly, the source line where the code object has a line table, the
// wave and the lane in its message. Nothing aborts, nothing hangs, nothing is skipped silently.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_SIM_SIMULATOR_H
#define TINY_SIM_SIMULATOR_H

#include "Tiny/Sim/Memory.h"
#include <atomic>
#include <cstdint>
#include <hsa/hsa.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tinysim {

/// What the loader knows of one kernel (a symbol that ends in .kd).
struct KernelInfo {
  std::string name;        // without .kd
  uint64_t descriptor = 0; // address of the loaded 64-byte kernel descriptor
  uint32_t kernargBytes = 0;
  /// A hidden argument of the metadata. One that is not `filled` and still 0 when the kernel reads
  /// it is a fault: nobody gave it a meaning.
  struct HiddenArgument {
    std::string kind; // "hidden_block_count_x", …
    uint32_t offset = 0, bytes = 0;
    bool filled = true;
  };
  std::vector<HiddenArgument> hidden;
};

struct Symbol {
  std::string name;
  uint64_t address = 0;
  uint64_t bytes = 0;
};

/// A loaded code object: [base, base + bytes) is what kernels may execute.
struct CodeObject {
  uint64_t base = 0, bytes = 0;
  std::vector<KernelInfo> kernels;
  std::vector<Symbol> symbols; // functions, for messages
  /// The ELF file, whose line table messages use, and what was added to its addresses in loading.
  std::shared_ptr<const std::vector<uint8_t>> file;
  uint64_t loadBias = 0;
};

/// The checks that can be switched off (TINY_SIM_CHECKS). What protects the process that hosts the
/// simulator (bounds, illegal instructions, time-outs) has no switch.
enum class Check : uint32_t {
  uninitialised = 1, // registers, LDS and scratch never written
  waits = 2,         // results used before the s_waitcnt that guards them
  races = 4,         // LDS accesses of two waves without a barrier between them
  alignment = 8,
  barriers = 16, // waves that end or wait while others are at a different barrier
  released = 32, // registers used after MSG_DEALLOC_VGPRS
  hidden = 64,   // hidden arguments nobody filled
};

struct Options {
  static constexpr uint32_t allChecks = 127;
  uint32_t checks = allChecks;
  unsigned threads = 0;          // host threads per dispatch; 0: one per processor
  bool perturb = false;          // ±1 ulp on the transcendental instructions
  uint64_t timeoutSeconds = 600; // of one dispatch, by the wall clock
  uint64_t instructionLimit = 0; // of one wave; 0: none
  bool enabled(Check check) const { return checks & static_cast<uint32_t>(check); }

  /// Reads TINY_SIM_CHECKS (`all`, `none`, or a comma-separated list of uninitialised, waits,
  /// races, alignment, barriers, released, hidden; a `-` before a name takes it out),
  /// TINY_SIM_THREADS, TINY_SIM_PERTURB, TINY_SIM_TIMEOUT (seconds). What cannot be read is
  /// described in `error` (one sentence) and left at its default.
  static Options fromEnvironment(std::string &error);
};

/// One AQL kernel dispatch.
struct Dispatch {
  const hsa_kernel_dispatch_packet_t *packet = nullptr;
  uint64_t packetAddress = 0; // what DISPATCH_PTR reads: the slot in the queue
  uint64_t queueAddress = 0;  // what QUEUE_PTR reads
  uint64_t dispatchId = 0;
  const KernelInfo *kernel = nullptr;
  /// Once it is true, the dispatch ends with a time-out fault (for shutting a queue down). May be
  /// null.
  const std::atomic<bool> *interrupt = nullptr;
};

struct Fault {
  enum class Kind {
    illegalInstruction, // bytes that are no instruction, or operands it may not have
    unimplemented,      // an instruction the simulator does not know
    invalidDispatch,    // a packet or a descriptor that no hardware would start
    outOfBounds,
    useAfterFree,
    uninitialised,
    hazard, // a result used before its s_waitcnt
    race,
    misaligned,
    divergentBarrier,
    trap,
    released, // register access after MSG_DEALLOC_VGPRS
    hiddenArgument,
    timeout,
  };
  Kind kind = Kind::illegalInstruction;
  std::string message; // complete, of one or more lines
  std::string kernel;
  uint64_t pc = 0; // address of the instruction, 0 where there is none
};

/// "outOfBounds" and so on, as in Fault::Kind.
const char *getName(Fault::Kind kind);

/// The classes of instructions that counters tell apart.
enum class InstructionClass : uint8_t {
  salu,
  branch,
  smem,
  valu,
  trans,
  vopd,
  wmma,
  lds,
  global,
  flat,
  scratch,
  buffer,
  barrier,
  wait,
  message,
  other,
};
constexpr unsigned instructionClasses = 16;
const char *getName(InstructionClass kind);

/// Of one dispatch, or summed over several with +=.
struct Counters {
  uint64_t workgroups = 0, waves = 0;
  uint64_t instructions[instructionClasses] = {};
  uint64_t valuLanes = 0;     // active lanes, summed over vector ALU instructions
  uint64_t valuLaneSlots = 0; // the lanes there would have been with a full EXEC
  uint64_t globalLoadBytes = 0, globalStoreBytes = 0; // FLAT, GLOBAL, MUBUF: what lanes asked for
  uint64_t globalTransactions = 0;                    // 128-byte lines touched, per instruction
  uint64_t scalarLoadBytes = 0;
  uint64_t ldsLoadBytes = 0, ldsStoreBytes = 0;
  uint64_t ldsBankConflicts = 0; // extra cycles: most lanes on one of the banks, less one
  uint64_t scratchLoadBytes = 0, scratchStoreBytes = 0;
  uint64_t atomics = 0; // lanes
  // The static occupancy of the kernel (of the last dispatch where several are summed).
  uint32_t vgprs = 0, sgprs = 0, ldsBytes = 0, scratchBytesPerLane = 0;
  uint32_t wavesPerSimd = 0; // what registers and LDS allow, of 16

  uint64_t total() const;
  uint64_t count(InstructionClass c) const { return instructions[static_cast<unsigned>(c)]; }
  Counters &operator+=(const Counters &other);
};

/// What a timing model is shown: every instruction a wave issues, in order per wave. Called from
/// the thread that runs the wave's workgroup; several at once unless Options::threads is 1.
struct IssueRecord {
  uint64_t dispatchId;
  uint32_t workgroup[3];
  uint32_t wave; // in the workgroup
  uint64_t pc;
  InstructionClass kind;
  const char *name; // LLVM's opcode name
  uint64_t exec;
  const struct Instruction *instruction; // operands: lib/Sim/Instruction.h
  const uint64_t *addresses;             // per lane, of the active ones; null if not memory
  uint32_t lanes;                        // 32 or 64
  uint32_t bytes;                        // per lane, of a memory access
};
class Observer {
public:
  virtual ~Observer();
  virtual void issued(const IssueRecord &record) = 0;
};

class Simulator {
public:
  Simulator(MemoryMap &memory, const Options &options);
  ~Simulator();

  /// The code must stay in memory, unchanged, until removeCode.
  void addCode(const CodeObject &code);
  void removeCode(uint64_t base);

  /// Runs all workgroups and returns; the first fault stops the dispatch. `counters` (may be null)
  /// is overwritten. Several threads may run dispatches at once.
  std::optional<Fault> run(const Dispatch &dispatch, Counters *counters);

  /// For a timing model; null for none. Not while a dispatch runs.
  void setObserver(Observer *observer);

  const Options &getOptions() const;

private:
  class Implementation;
  std::unique_ptr<Implementation> implementation;
};

} // namespace tinysim

#endif // TINY_SIM_SIMULATOR_H
