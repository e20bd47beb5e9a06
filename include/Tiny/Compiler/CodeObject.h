//===- CodeObject.h - what a GPU's code object says of itself ---*- C++ -*-===//
//
// Registers, memory and occupancy of each kernel, and the instructions of its
// loops, read from the bytes that will run: what a compiler meant to do is no fact.
// Any code object of a chip that Target.h knows will do, whoever has compiled it.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_COMPILER_CODEOBJECT_H
#define TINY_COMPILER_CODEOBJECT_H

#include "Tiny/Occupancy.h"
#include "Tiny/Runtime/KernelMetadata.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <array>
#include <map>
#include <vector>

namespace mlir::tiny {

/// What an instruction keeps busy.
enum class InstructionKind : uint8_t {
  wmma,
  vopd,           ///< two operations of one cycle
  fma,            ///< one fused multiply-add, packed ones and dot products included
  transcendental, ///< v_exp, v_rcp, …: a quarter of the rate
  valu,           ///< any other vector operation
  salu,
  scalarLoad,
  globalLoad, ///< through buffer, global or flat addressing
  globalStore,
  globalAtomic,
  ldsLoad,
  ldsStore,
  ldsOther, ///< atomics, and permutations through LDS
  scratch,
  branch,
  barrier,
  control, ///< priorities, messages, caches
  wait,    ///< s_waitcnt and the like; this one and those below do no work
  clause,
  delay,
  nop,
};
inline constexpr size_t kNumInstructionKinds = static_cast<size_t>(InstructionKind::nop) + 1;
const char *name(InstructionKind kind);

/// How often what occurs in a piece of code.
struct InstructionMix {
  std::array<uint64_t, kNumInstructionKinds> counts = {};
  /// Memory accesses by the bits that a lane moves; 0 where the name does not say.
  std::map<std::pair<InstructionKind, uint32_t>, uint64_t> widths;
  /// Fused multiply-adds in the halves of VOPD instructions.
  uint64_t dualFmas = 0;
  /// VOPD instructions with two of their four multiplicands in different registers of one bank.
  uint64_t bankConflicts = 0;
  /// Multiplicands of VOPD instructions that the vector instruction before has read as well.
  uint64_t reusedOperands = 0;

  uint64_t operator[](InstructionKind kind) const { return counts[static_cast<size_t>(kind)]; }
  uint64_t all() const;
  /// Without waits, clauses, delays and nops.
  uint64_t working() const;
  /// Memory accesses of this kind that move so many bits.
  uint64_t accesses(InstructionKind kind, uint32_t bits) const;
};

/// A loop in which there is no other.
struct InnerLoop {
  uint64_t offset = 0; ///< of its header from the beginning of the kernel
  uint32_t depth = 1;  ///< 1: in no other loop
  InstructionMix mix;
};

struct KernelStatistics {
  tinyrt::KernelMetadata metadata;
  uint64_t codeBytes = 0;
  Occupancy cuMode, wgpMode;
  InstructionMix mix;
  /// The deepest one first, of equally deep ones the longest.
  std::vector<InnerLoop> loops;

  /// In the mode that the kernel is compiled for.
  const Occupancy &occupancy() const { return metadata.wgpMode ? wgpMode : cuMode; }
};

struct CodeObjectStatistics {
  const Target *target = nullptr;
  std::vector<KernelStatistics> kernels; ///< in the order of the file
};

/// Reads an ELF file for AMDHSA; the error says what is wrong with it.
llvm::Expected<CodeObjectStatistics> readCodeObject(llvm::StringRef file);

/// For people: a table of the kernels, and one of the hottest loop of each.
void printStatistics(llvm::raw_ostream &os, const CodeObjectStatistics &statistics);

/// For programs: all inner loops.
llvm::json::Object statisticsToJson(const CodeObjectStatistics &statistics);

/// The kind of an instruction by the name that the assembler has for it.
InstructionKind kindOf(llvm::StringRef mnemonic);
/// The bits that a lane moves, 0 if the name does not say.
uint32_t accessBits(llvm::StringRef mnemonic);

} // namespace mlir::tiny

#endif // TINY_COMPILER_CODEOBJECT_H
