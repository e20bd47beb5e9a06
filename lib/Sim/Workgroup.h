//===- Workgroup.h - a dispatch and its workgroups --------------*- C++ -*-===//
//
// A workgroup is run by one host thread at a time, wave by wave: each wave runs until it waits at a
// barrier, ends, or has used up its slice. So LDS needs no locks, and a race between two waves is
// found the same way every time.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_WORKGROUP_H
#define TINY_LIB_SIM_WORKGROUP_H

#include "Checker.h"
#include "LdsShadow.h"
#include "MemoryView.h"
#include "llvm/Support/AMDHSAKernelDescriptor.h"
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace tinysim {

class Code;

/// What all workgroups of a running dispatch share.
struct Launch {
  const Options *options = nullptr;
  const Dispatch *dispatch = nullptr;
  hsa_kernel_dispatch_packet_t packet; // a copy: the queue's slot may be reused
  llvm::amdhsa::kernel_descriptor_t descriptor;
  unsigned waveSize = 32;
  unsigned vgprCount = 256;
  uint32_t groups[3] = {1, 1, 1};
  uint64_t groupCount = 1;
  uint32_t ldsBytes = 0, scratchBytes = 0;
  std::shared_ptr<Code> code;
  uint64_t entry = 0;
  Observer *observer = nullptr;
  bool counting = false;
  /// Finds the code at an address (indirect calls between code objects).
  std::function<std::shared_ptr<Code>(uint64_t)> findCode;
  /// The same; what was found lives as long as the dispatch.
  Code *codeAt(uint64_t pc);

  std::atomic<bool> stop{false}; // a fault, a time-out or an interrupt
  std::mutex mutex;              // of what follows
  std::optional<Fault> fault;
  std::vector<std::shared_ptr<Code>> jumpedTo;

  /// Hidden arguments nobody filled, by address.
  struct Unfilled {
    uint64_t address;
    uint32_t bytes;
    const char *kind;
  };
  std::vector<Unfilled> unfilled;

  bool enabled(Check check) const { return options->enabled(check); }
  /// The host's atomics need alignment in every lane's scratch.
  uint32_t scratchStride() const { return (scratchBytes + 15) / 16 * 16; }
  /// Keeps the first fault and stops all workgroups.
  void report(Fault newFault);
};

/// What a host thread brings along; a workgroup works for one at a time.
struct Worker {
  explicit Worker(const MemoryMap &map) : memory(map) {}
  MemoryView memory;
  Counters counters;
  // Of the memory access that runs, for the observer; 0 bytes: none.
  uint64_t addresses[64] = {};
  uint32_t accessBytes = 0;
};

class Workgroup {
public:
  explicit Workgroup(Launch &launch);
  ~Workgroup();

  /// Makes this workgroup number `linear` of the grid, at its start.
  void start(uint64_t linear);

  enum class Progress { finished, yielded, stopped };
  /// Runs every wave for a slice.
  Progress run(Worker &worker);

  /// Reports a time-out, at the place where a wave is.
  void timeOut(const std::string &what);

  Launch &launch;
  Worker *worker = nullptr;
  uint32_t id[3] = {};
  std::vector<uint8_t> lds;
  LdsShadow ldsShadow; // used where races or uninitialised are checked
  bool shadowsLds = false, shadowsScratch = false;

  /// Of a byte of scratch: whether it was written. In the order of the waves' scratch.
  uint8_t &scratchShadow(const uint8_t *byte) { return scratchWritten[byte - scratch.get()]; }

  Counters &counters() { return worker->counters; }

private:
  void startWave(unsigned index, uint32_t workItems);
  void setScalars(Wave &wave);
  void setWorkItemIds(Wave &wave, uint32_t firstItem);
  /// All waves that still run wait at a barrier: lets them go on, if they are at the same one.
  void releaseBarrier();

  template <bool Checked, bool Counted> void runSlice(Wave &wave);
  void observe(Wave &wave, const Instruction &instruction, uint64_t exec);

  unsigned waveCount = 0;
  uint32_t size[3] = {}; // of this workgroup: partial at the grid's far sides
  std::vector<Wave> waves;
  std::vector<Checker> checkers;
  std::unique_ptr<uint32_t[]> registers; // of all waves
  uint32_t *alignedRegisters = nullptr;
  std::unique_ptr<uint8_t[]> scratch; // of all waves
  size_t scratchTotal = 0;
  std::vector<uint8_t> scratchWritten;
};

} // namespace tinysim

#endif // TINY_LIB_SIM_WORKGROUP_H
