//===- OpcodeNames.h - what LLVM's opcode names say -------------*- C++ -*-===//
//
// Formats and classes of instructions, from the names and flags of LLVM's instruction tables.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_OPCODENAMES_H
#define TINY_LIB_SIM_OPCODENAMES_H

#include "Instruction.h"
#include "llvm/ADT/StringRef.h"

namespace tinysim {

/// `name` in full, with MCInstrDesc::TSFlags.
Format formatOf(llvm::StringRef name, uint64_t flags);

/// Of a base name (baseName in Decoder.h).
InstructionClass classOf(llvm::StringRef base, Format format);

} // namespace tinysim

#endif // TINY_LIB_SIM_OPCODENAMES_H
