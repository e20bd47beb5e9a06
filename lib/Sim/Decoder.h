//===- Decoder.h - machine code to Instruction ------------------*- C++ -*-===//
//
// The only place that knows LLVM's MC layer. Decoding goes through the public MC API, about 110
// thousand instructions a second: each instruction of a kernel is decoded once.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_DECODER_H
#define TINY_LIB_SIM_DECODER_H

#include "Instruction.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <memory>
#include <string>
#include <vector>

namespace tinysim {

/// The name handlers are registered by: LLVM's opcode name without target, encoding and register
/// width suffixes. V_ADD_F16_t16_e64_dpp8_gfx11 gives V_ADD_F16.
std::string baseName(llvm::StringRef opcodeName);

/// One per thread that decodes: LLVM's disassembler is not thread-safe.
class Decoder {
public:
  Decoder();
  ~Decoder();

  enum class Status { success, illegal, unimplemented };

  /// Decodes and binds the instruction at `pc`, whose bytes and those after it are `bytes` (as many
  /// as there are, at most 20 are looked at). `problem` says what is wrong where it fails.
  Status translate(llvm::ArrayRef<uint8_t> bytes, uint64_t pc, unsigned waveSize,
                   Instruction &result, std::string &problem);

  /// One line of assembly; "<illegal>" with the words for what is no instruction.
  std::string disassemble(llvm::ArrayRef<uint8_t> bytes, uint64_t pc, unsigned waveSize);

  /// All of LLVM's opcode names that end in _gfx11, for the test that lists what is unmapped.
  std::vector<std::string> gfx11Opcodes() const;

private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation;
};

} // namespace tinysim

#endif // TINY_LIB_SIM_DECODER_H
