//===- InstructionMix.cpp - sort and count instructions -------------------===//
//
// Names are those of LLVM's assembler for gfx11. "RDNA3" Instruction Set
// Architecture: section 7.6 for VOPD, section 16 for all others.
//
//===----------------------------------------------------------------------===//

#include "Disassembly.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir::tiny;
using namespace llvm;

const char *mlir::tiny::name(InstructionKind kind) {
  static const char *const names[] = {
      "wmma",        "vopd",        "fma",          "transcendental", "valu",     "salu",
      "scalar_load", "global_load", "global_store", "global_atomic",  "lds_load", "lds_store",
      "lds_other",   "scratch",     "branch",       "barrier",        "control",  "wait",
      "clause",      "delay",       "nop"};
  static_assert(std::size(names) == kNumInstructionKinds);
  return names[static_cast<size_t>(kind)];
}

static bool startsWithAny(StringRef name, ArrayRef<StringRef> prefixes) {
  return any_of(prefixes, [&](StringRef prefix) { return name.starts_with(prefix); });
}

static InstructionKind kindOfVector(StringRef name) {
  if (name == "v_nop")
    return InstructionKind::nop;
  if (name.starts_with("v_dual_"))
    return InstructionKind::vopd;
  if (name.starts_with("v_wmma"))
    return InstructionKind::wmma;
  if (startsWithAny(name, {"v_fma", "v_pk_fma", "v_mad_", "v_dot"}))
    return InstructionKind::fma;
  if (startsWithAny(name, {"v_exp_", "v_log_", "v_rcp_", "v_rsq_", "v_sqrt_", "v_sin_", "v_cos_"}))
    return InstructionKind::transcendental;
  return InstructionKind::valu;
}

static InstructionKind kindOfScalar(StringRef name) {
  if (startsWithAny(name, {"s_load_", "s_buffer_load_"}))
    return InstructionKind::scalarLoad;
  if (startsWithAny(name, {"s_branch", "s_cbranch", "s_setpc", "s_swappc", "s_call", "s_endpgm"}))
    return InstructionKind::branch;
  if (name == "s_barrier")
    return InstructionKind::barrier;
  if (name.starts_with("s_wait"))
    return InstructionKind::wait;
  if (name == "s_clause")
    return InstructionKind::clause;
  if (name == "s_delay_alu")
    return InstructionKind::delay;
  if (startsWithAny(name, {"s_nop", "s_code_end"}))
    return InstructionKind::nop;
  if (startsWithAny(name,
                    {"s_set_inst_prefetch", "s_setprio", "s_sendmsg", "s_sleep", "s_trap",
                     "s_icache", "s_dcache", "s_gl1_inv", "s_sethalt", "s_setkill", "s_wakeup",
                     "s_ttrace", "s_incperflevel", "s_decperflevel", "s_version"}))
    return InstructionKind::control;
  return InstructionKind::salu;
}

InstructionKind mlir::tiny::kindOf(StringRef name) {
  if (name.starts_with("v_"))
    return kindOfVector(name);
  if (name.starts_with("s_"))
    return kindOfScalar(name);
  if (name.starts_with("ds_"))
    return startsWithAny(name, {"ds_load_", "ds_read_"})     ? InstructionKind::ldsLoad
           : startsWithAny(name, {"ds_store_", "ds_write_"}) ? InstructionKind::ldsStore
           : name == "ds_nop"                                ? InstructionKind::nop
                                                             : InstructionKind::ldsOther;
  if (name.starts_with("scratch_"))
    return InstructionKind::scratch;
  if (startsWithAny(name, {"global_", "buffer_", "tbuffer_", "flat_"})) {
    StringRef op = name.split('_').second;
    return op.starts_with("load")     ? InstructionKind::globalLoad
           : op.starts_with("store")  ? InstructionKind::globalStore
           : op.starts_with("atomic") ? InstructionKind::globalAtomic
                                      : InstructionKind::control; // of caches
  }
  return InstructionKind::control;
}

uint32_t mlir::tiny::accessBits(StringRef mnemonic) {
  uint32_t bits = 0, times = 1;
  SmallVector<StringRef> words;
  mnemonic.split(words, '_');
  for (StringRef word : words) {
    uint32_t number = 0;
    if (word.starts_with("2addr"))
      times = 2;
    // b128, u8, i16; d16 is only where the bits go.
    else if (word.size() > 1 && StringRef("buif").contains(word[0]) &&
             !word.drop_front().getAsInteger(10, number))
      bits = number;
  }
  return bits * times;
}

//===----------------------------------------------------------------------===//
// Counting
//===----------------------------------------------------------------------===//

uint64_t InstructionMix::all() const {
  uint64_t sum = 0;
  for (uint64_t count : counts)
    sum += count;
  return sum;
}

uint64_t InstructionMix::working() const {
  uint64_t sum = 0;
  for (size_t kind = 0; kind < static_cast<size_t>(InstructionKind::wait); ++kind)
    sum += counts[kind];
  return sum;
}

uint64_t InstructionMix::accesses(InstructionKind kind, uint32_t bits) const {
  auto found = widths.find({kind, bits});
  return found == widths.end() ? 0 : found->second;
}

namespace {
/// One of the operations of an instruction, with what it reads besides its accumulator.
struct Operation {
  StringRef mnemonic;
  SmallVector<unsigned, 3> registers; ///< VGPRs
};
} // namespace

/// Splits "v1, v2, v3 :: v_dual_fmac_f32 v4, v5, v6".
static SmallVector<Operation, 2> operationsOf(const MachineInstruction &instruction) {
  SmallVector<Operation, 2> result;
  SmallVector<StringRef, 2> halves;
  StringRef(instruction.operands).split(halves, "::");
  for (auto [number, half] : enumerate(halves)) {
    Operation operation;
    StringRef operands = half.trim();
    operation.mnemonic = instruction.mnemonic;
    if (number > 0)
      std::tie(operation.mnemonic, operands) = operands.split(' ');
    SmallVector<StringRef, 4> list;
    operands.split(list, ',');
    for (StringRef operand : ArrayRef(list).drop_front()) { // the destination is the first one
      operand = operand.trim();
      unsigned index = 0;
      if (operand.consume_front("v") && !operand.getAsInteger(10, index))
        operation.registers.push_back(index);
    }
    result.push_back(std::move(operation));
  }
  return result;
}

/// The VGPRs are in four banks, by the last two bits of their numbers. What an operation reads
/// twice it reads once.
static bool conflictsInBanks(ArrayRef<Operation> operations) {
  SmallVector<unsigned, 4> seen;
  for (const Operation &operation : operations)
    for (unsigned index : operation.registers)
      if (!is_contained(seen, index)) {
        if (any_of(seen, [&](unsigned other) { return other % 4 == index % 4; }))
          return true;
        seen.push_back(index);
      }
  return false;
}

void mlir::tiny::count(ArrayRef<const MachineInstruction *> code, InstructionMix &mix) {
  SmallVector<unsigned, 4> readBefore;
  for (const MachineInstruction *instruction : code) {
    InstructionKind kind = kindOf(instruction->mnemonic);
    ++mix.counts[static_cast<size_t>(kind)];
    switch (kind) {
    case InstructionKind::scalarLoad:
    case InstructionKind::globalLoad:
    case InstructionKind::globalStore:
    case InstructionKind::globalAtomic:
    case InstructionKind::ldsLoad:
    case InstructionKind::ldsStore:
    case InstructionKind::scratch:
      ++mix.widths[{kind, accessBits(instruction->mnemonic)}];
      break;
    case InstructionKind::vopd:
    case InstructionKind::fma:
    case InstructionKind::valu: {
      SmallVector<Operation, 2> operations = operationsOf(*instruction);
      SmallVector<unsigned, 4> read;
      for (const Operation &operation : operations) {
        read.append(operation.registers);
        if (kind == InstructionKind::vopd && operation.mnemonic.starts_with("v_dual_fma"))
          ++mix.dualFmas;
      }
      if (kind == InstructionKind::vopd) {
        mix.bankConflicts += conflictsInBanks(operations);
        mix.reusedOperands +=
            count_if(read, [&](unsigned index) { return is_contained(readBefore, index); });
      }
      readBefore = read;
      break;
    }
    default:
      break;
    }
  }
}
