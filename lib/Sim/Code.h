//===- Code.h - translated code ---------------------------------*- C++ -*-===//
//
// One slot per dword of a loaded code object, each a pointer to its translated instruction. Slots
// start out at an instruction that translates: so only what a kernel reaches is ever decoded, and
// data among the code does no harm.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_CODE_H
#define TINY_LIB_SIM_CODE_H

#include "Decoder.h"
#include <atomic>
#include <deque>
#include <mutex>

namespace tinysim {

using Slot = std::atomic<const Instruction *>;

/// The code of one object, translated for one wave size. Thread-safe.
class Code {
public:
  Code(const CodeObject &object, unsigned waveSize);
  ~Code();

  uint64_t base() const { return object.base; }
  bool contains(uint64_t pc) const { return pc - object.base < object.bytes; }
  /// The slot of an address inside, which must be a multiple of 4.
  const Slot *slotOf(uint64_t pc) const { return slots.get() + (pc - object.base) / 4; }
  uint64_t pcOf(const Slot *slot) const {
    return object.base + static_cast<uint64_t>(slot - slots.get()) * 4;
  }

  /// What a slot that was not reached yet points to.
  static const Instruction untranslated;

  /// Fills the slot. What cannot be translated becomes an instruction that faults.
  void translate(const Slot *slot);

  /// "v_add_f32", or "<illegal>".
  std::string mnemonic(uint64_t pc);

  /// For messages: "name+0x40: v_add_f32 …" and the source line, if there is one.
  std::string describe(uint64_t pc);

private:
  llvm::ArrayRef<uint8_t> bytesAt(uint64_t pc) const;
  void readFile();
  std::string sourceLine(uint64_t pc);

  const CodeObject object;
  const unsigned waveSize;
  std::unique_ptr<Slot[]> slots; // and one more behind the end
  std::mutex mutex;              // of all below
  Decoder decoder;
  std::deque<Instruction> instructions;
  std::deque<std::string> problems;
  struct FileFacts;
  std::unique_ptr<FileFacts> facts; // made when first asked for
};

} // namespace tinysim

#endif // TINY_LIB_SIM_CODE_H
