//===- MemoryOp.h - what a memory instruction does per lane -----*- C++ -*-===//
//
// Parsed from the opcode name when an instruction is translated, and kept in Instruction::tag.
// FLAT, GLOBAL, SCRATCH, MUBUF and DS differ in how they make addresses and in how the checks look
// at them; what happens at an address is the same for all.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_MEMORYOP_H
#define TINY_LIB_SIM_MEMORYOP_H

#include "Lanes.h"
#include "llvm/ADT/StringRef.h"

namespace tinysim {

enum class AtomicOp : uint8_t {
  none,
  swap,
  compareSwap,
  add,
  subtract,
  reverseSubtract,
  clampedSubtract,
  signedMin,
  unsignedMin,
  signedMax,
  unsignedMax,
  bitAnd,
  bitOr,
  bitXor,
  increment,
  decrement,
  wrap,
  maskOr,
  floatAdd,
  floatMin,
  floatMax,
  floatCompareSwap,
};

struct MemoryOp {
  uint8_t bytes = 4; // per lane: 1, 2, 4, 8, 12, 16
  AtomicOp atomic = AtomicOp::none;
  bool signExtend = false;
  bool half = false; // d16: a 16-bit half of the register; of a store: the high one
  bool high = false;

  uint32_t pack() const {
    return bytes | static_cast<uint32_t>(atomic) << 8 | signExtend << 16 | half << 17 | high << 18;
  }
  static MemoryOp unpack(uint32_t tag) {
    MemoryOp op;
    op.bytes = tag & 0xff;
    op.atomic = static_cast<AtomicOp>(tag >> 8 & 0xff);
    op.signExtend = tag >> 16 & 1;
    op.half = tag >> 17 & 1;
    op.high = tag >> 18 & 1;
    return op;
  }
  unsigned dwords() const { return (bytes + 3) / 4; }
};

/// Parses LOAD_DWORDX2, STORE_SHORT_D16_HI, ATOMIC_ADD_X2 (without _RTN and addressing suffixes).
bool parseMemoryOp(llvm::StringRef name, MemoryOp &op);

/// Whose memory an access is to, for the checks.
enum class Space : uint8_t { global, lds, scratch };

/// Checks the accesses of the lanes in `exec` and turns `addresses` (global: host addresses, LDS
/// and scratch: offsets) into host pointers. False: the wave has faulted, nothing may be touched.
/// `data` is the VGPR whose content is stored, of scratch stores.
bool resolve(Wave &wave, const Instruction &instruction, Space space, const MemoryOp &op,
             uint64_t *addresses, uint64_t exec, unsigned data);

/// What the instruction does at resolved addresses: a load into `dst`, a store or atomic of `data`
/// (with `compare` for compare-and-swap, and the second operand of wrap and maskOr).
void performLoad(Wave &wave, const MemoryOp &op, const uint64_t *pointers, uint64_t exec,
                 unsigned dst);
void performStore(Wave &wave, const MemoryOp &op, const uint64_t *pointers, uint64_t exec,
                  unsigned data);
void performAtomic(Wave &wave, const MemoryOp &op, const uint64_t *pointers, uint64_t exec,
                   unsigned data, unsigned compare, const Operand *result);

/// `value` as IEEE says that hardware's atomics treat the operands.
uint64_t applyAtomic(AtomicOp op, bool wide, uint64_t old, uint64_t data, uint64_t second);

} // namespace tinysim

#endif // TINY_LIB_SIM_MEMORYOP_H
