//===- Disassembly.h - the instructions of one kernel -----------*- C++ -*-===//

#ifndef TINY_LIB_COMPILER_DISASSEMBLY_H
#define TINY_LIB_COMPILER_DISASSEMBLY_H

#include "Tiny/Compiler/CodeObject.h"

#include "llvm/ADT/ArrayRef.h"

#include <memory>
#include <optional>
#include <string>

namespace mlir::tiny {

struct MachineInstruction {
  uint64_t offset = 0; ///< from the beginning of the kernel
  std::string mnemonic;
  std::string operands;           ///< as the assembler writes them; the second half of a VOPD, too
  std::optional<uint64_t> target; ///< of a branch, as an offset
  bool ends = false;              ///< what follows is reached from elsewhere only
};

/// Disassembles code for one chip and wave size.
class Disassembler {
public:
  static llvm::Expected<std::unique_ptr<Disassembler>> create(llvm::StringRef chip,
                                                              unsigned waveSize);
  ~Disassembler();

  /// All of `code`; fails at the first bytes that are no instruction.
  llvm::Expected<std::vector<MachineInstruction>> run(llvm::ArrayRef<uint8_t> code) const;

private:
  struct Implementation;
  explicit Disassembler(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation;
};

/// Counts `code`, which is executed in this order.
void count(llvm::ArrayRef<const MachineInstruction *> code, InstructionMix &mix);

/// The innermost loops, the hottest one first.
std::vector<InnerLoop> findInnerLoops(llvm::ArrayRef<MachineInstruction> code);

} // namespace mlir::tiny

#endif // TINY_LIB_COMPILER_DISASSEMBLY_H
