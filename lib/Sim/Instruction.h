//===- Instruction.h - the compact form that is executed --------*- C++ -*-===//
//
// A kernel is translated once: each instruction becomes one `Instruction` with a direct pointer to
// the function that executes it and operands that need no further decoding.
//
// How to write a handler
// ----------------------
//   struct AddU32 {                                     // any name; all of it forced inline
//     template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
//       lanes<N>(wave, i.dst[0], i.src[0], i.src[1],    // Lanes.h
//                [](uint32_t a, uint32_t b) TINYSIM_LAMBDA { return a + b; });
//     }
//   };
//   table.add<AddU32>("V_ADD_NC_U32");                  // HandlerTable.h
//
// N is the wave size, 32 or 64. `add` compiles the body once for any x86-64 and once for AVX2 with
// FMA and F16C, and takes the one the host can run: so what is called from a body must be inline.
// A handler may be chosen by the operands when the instruction is translated (`addSelector`).
//
// Names are LLVM's opcode names without what the operands say already: `_gfx11`, `_e32`, `_e64`,
// `_dpp`, `_dpp8`, `_t16`, `_fake16`, `_w32`, `_w64`, `_nosdst` are cut off. `V_ADD_F32` is one
// name for VOP2, VOP3 and their DPP forms; see `baseName` in Decoder.h.
//
// What the translator promises, so that one handler serves every encoding:
//  * Operands are of the register class LLVM gives them: where an encoding allows VGPRs only, the
//    operand is a VGPR. Everything else was an illegal instruction already.
//  * dst and src are in the order of LLVM's assembly; implicit VCC is written out: the carry-out of
//    an e32 form is dst[1], the mask of V_CNDMASK_B32_e32 is src[2], VCC of V_DIV_FMAS is src[3],
//    VOPC e32 has dst[0] = VCC and V_CMPX dst[0] = EXEC. A VOPD with V_DUAL_CNDMASK has VCC as its
//    last source.
//  * Sources tied to a destination are listed where they are read (src[2] of V_FMAC), and are left
//    out where they are only what stays (old of DPP). At the end of src with `tied` set they stand
//    for V_WRITELANE, V_PERMLANE(X)16, V_FMA_MIXLO/HI: what lanes or halves keep.
//  * The literal of V_FMAMK/V_FMAAK is a source of its own, in the order of the assembly.
//  * Constants (inline or literal) are final bit patterns for the operand's type.
//
// The checks (never-written registers, waits, released registers) are made by the run loop from the
// operands, before and after the handler: a handler only computes. It reports what it refuses with
// `wave.fault(...)` and returns.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_INSTRUCTION_H
#define TINY_LIB_SIM_INSTRUCTION_H

#include "Tiny/Sim/Simulator.h"
#include <cstdint>

/// For everything a handler is made of: the handler's instruction set is its caller's.
#define TINYSIM_INLINE [[gnu::always_inline]] inline
/// After a lambda's parameters.
#define TINYSIM_LAMBDA __attribute__((always_inline))

namespace tinysim {

class Wave;
struct Instruction;

/// Executes one instruction. The program counter stands behind it already.
using Handler = void (*)(Wave &, const Instruction &);

/// Scalar operands by their encoding. The status bits live in the same array as the registers.
enum ScalarIndex : uint16_t {
  scalarVcc = 106,
  scalarTtmp = 108,
  scalarNull = 124, // as a source it is the constant 0, as a destination scalarSink
  scalarM0 = 125,
  scalarExec = 126,
  scalarScc = 253,
  scalarSink = 256, // what is written to NULL; up to 16 registers
  scalarCount = 272,
};

/// Flat addresses of LDS and scratch, above all host addresses: the high halves are what
/// SRC_SHARED_BASE and SRC_PRIVATE_BASE read (the values of gfx9 and later).
constexpr uint64_t sharedAperture = uint64_t(1) << 48;
constexpr uint64_t privateAperture = uint64_t(2) << 48;

/// Source modifiers as LLVM encodes them.
enum Modifier : uint8_t {
  modNeg = 1, // VOP3P: neg_lo
  modAbs = 2, // VOP3P: neg_hi; integer dot products and WMMA_I32: neg_lo says signed
  modSext = 1,
  modOpSel = 4,   // VOP3P: the half that feeds the low lane; FMA_MIX: which half
  modOpSelHi = 8, // VOP3P: the half that feeds the high lane; FMA_MIX: the source is f16
};

struct Operand {
  enum class Kind : uint8_t { none, vgpr, scalar, constant };
  Kind kind = Kind::none;
  uint8_t dwords = 1;    // registers, or 1 or 2 of a constant
  uint8_t modifiers = 0; // Modifier
  /// The operand is 16 bits in the high half: VGPRn_HI16, or op_sel of a VOP3 (of the destination:
  /// bit 3 of op_sel). Never set for VOP3P, where the modifiers say which half goes where.
  bool high = false;
  bool tied = false; // see above
  bool read = true;  // of a source: the value matters (a tied operand may be only kept)
  /// Of a source: the value is only moved (moves, lane moves, stores to scratch). Never-written
  /// registers may be: compilers save and restore what nobody set.
  bool copied = false;
  uint16_t index = 0; // VGPR number, or ScalarIndex
  uint64_t constant = 0;

  bool isVgpr() const { return kind == Kind::vgpr; }
  bool isScalar() const { return kind == Kind::scalar; }
  bool isConstant() const { return kind == Kind::constant; }
};

enum class Format : uint8_t {
  sop1,
  sop2,
  sopc,
  sopk,
  sopp,
  smem,
  vop1,
  vop2,
  vop3,
  vop3p,
  vopc,
  vopd,
  vinterp,
  ds,
  flat,
  global,
  scratch,
  mubuf,
  mtbuf,
  other,
};

/// How src[0] of a vector instruction is permuted between lanes.
enum class Dpp : uint8_t { none, dpp16, dpp8 };

/// The counters of s_waitcnt.
enum Counter : uint8_t { counterVm = 1, counterLgkm = 2, counterVs = 4, counterExp = 8 };

/// Cache and other bits of memory instructions.
enum MemoryBit : uint8_t { bitGlc = 1, bitSlc = 2, bitDlc = 4, bitTfe = 8, bitGds = 16 };

struct Instruction {
  static constexpr unsigned maxDst = 2;
  static constexpr unsigned maxSrc = 8;

  Handler execute = nullptr;
  uint64_t pc = 0;
  uint8_t size = 4; // bytes
  Format format = Format::other;
  InstructionClass kind = InstructionClass::other;
  uint8_t dsts = 0, srcs = 0;

  // Vector ALU modifiers.
  bool clamp = false;
  uint8_t omod = 0; // 1: *2, 2: *4, 3: /2
  Dpp dpp = Dpp::none;
  uint8_t rowMask = 15, bankMask = 15;
  bool boundControl = false;  // bound_ctrl:1: lanes without a source read 0
  bool fetchInactive = false; // fi
  uint32_t dppControl = 0;    // dpp_ctrl of DPP16, or the eight 3-bit lane numbers of DPP8

  // Memory instructions.
  uint8_t memoryBits = 0; // MemoryBit
  uint8_t counters = 0;   // Counter: what the instruction increments
  bool isLoad = false;    // returns data to dst
  bool isStore = false;   // stores, or an atomic
  bool isAtomic = false;
  bool isCopy = false; // dst becomes what src[0] is, never-written state and all
  /// The high half of the 64-bit dst[0] is as written as that of src[2]: compilers use
  /// V_MAD_U64_U32 for 32-bit multiply-adds and leave the high half of the addend to chance.
  bool carriesHighHalf = false;
  bool movesRelative = false;  // V_MOVREL*, S_MOVREL*: M0 is added to a register number
  bool readsFirstLane = false; // V_READFIRSTLANE: of its source, only the first active lane
  int32_t offset = 0;     // signed byte offset; DS: offset0 (16 bits, or 8 of the 2-address forms)
  int32_t offset1 = 0;    // DS: offset1; MTBUF: format
  uint32_t immediate = 0; // SIMM16 of SOPK and SOPP, the immediate of S_SETREG_IMM32

  Operand dst[maxDst];
  Operand src[maxSrc];

  /// What a family of handlers keeps of the name once it is resolved (an atomic operation, …).
  uint32_t tag = 0;
  const char *opcodeName = ""; // LLVM's, in full
  const char *name = "";       // the base name handlers are registered by
};

} // namespace tinysim

#endif // TINY_LIB_SIM_INSTRUCTION_H
