//===- VectorOperands.h - operands of vector operations as blocks of lanes -----===//
//
// Between the register file and a kernel: sources with their modifiers, permuted by DPP and flushed
// as MODE says, results with omod, clamp and flushing, stored under EXEC. Blocks of 32 lanes, so
// that wave64 is twice the same.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_SIM_VECTOROPERANDS_H
#define TINY_SIM_VECTOROPERANDS_H

#include "Lanes.h"
#include "VectorKernel.h"

namespace tinysim {

TINYSIM_INLINE LaneMode laneMode(const Wave &wave) {
  const Mode &m = wave.mode;
  return {{static_cast<Rounding>(m.round32()), m.keepIn32(), m.keepOut32()},
          {static_cast<Rounding>(m.round16And64()), m.keepIn16And64(), m.keepOut16And64()},
          m.ieee(),
          m.dx10Clamp()};
}

/// 32 lanes of an operand of any width.
struct alignas(64) Buffer {
  union {
    uint32_t words[LaneBlock::size];
    uint64_t longs[LaneBlock::size];
  };
};

constexpr bool is16(Type t) { return t == Type::b16 || t == Type::f16; }
constexpr bool is64(Type t) { return t == Type::b64 || t == Type::f64; }
constexpr bool isPacked(Type t) { return t == Type::pk16 || t == Type::pkF16 || t == Type::pkBF16; }
constexpr bool isFloat(Type t) {
  return t == Type::f16 || t == Type::f32 || t == Type::f64 || t == Type::pkF16;
}

//===-- Sources --------------------------------------------------------------===//

/// What DPP does to lane numbers: where each lane reads, and which lanes cannot.
struct DppLanes {
  const uint8_t *from = nullptr;
  uint64_t valid = 0;   // lanes whose source is there
  uint64_t enabled = 0; // lanes that may be written
  uint8_t own[64];      // what `from` points to where no table has it
};
/// False if the control is none that gfx11 has.
bool dppLanes(const Instruction &i, unsigned waveSize, uint64_t exec, DppLanes &result);

/// Replaces each lane by the one DPP names, or by 0.
TINYSIM_INLINE void permuteBlock(const uint32_t *all, const DppLanes &dpp, unsigned first,
                                 uint32_t *result) {
  for (unsigned n = 0; n < LaneBlock::size; ++n)
    result[n] = all[dpp.from[first + n]];
  uint32_t valid = static_cast<uint32_t>(dpp.valid >> first);
  if (valid != 0xffffffffu)
    for (unsigned n = 0; n < LaneBlock::size; ++n)
      result[n] = valid >> n & 1 ? result[n] : 0;
}

/// Denormals to zeros of their sign, in a source that shapeSource has made.
void flushSource(Type type, bool isF16, const LaneMode &mode, Buffer &words);

/// True where MODE flushes denormal sources of this type.
TINYSIM_INLINE bool flushesSource(Type type, bool isF16, const LaneMode &mode) {
  if (type == Type::f32 || (type == Type::mix && !isF16))
    return !mode.f32.keepInputDenormals;
  return (isFloat(type) || type == Type::mix) && !mode.f16f64.keepInputDenormals;
}

/// The lanes of a source as the kernel wants them: halves picked, abs and neg applied, denormals
/// flushed. Where there is nothing to do it is the register itself.
TINYSIM_INLINE const void *shapeSource(const Operand &operand, Type type, bool vop3p, bool flush,
                                       const LaneMode &mode, const uint32_t *low,
                                       const uint32_t *high, Buffer &result) {
  const unsigned modifiers = operand.modifiers;
  const uint32_t keep = modifiers & modAbs ? 0x7fffffffu : 0xffffffffu;
  const uint32_t flip = modifiers & modNeg ? 0x80000000u : 0;
  const bool isF16 = type == Type::mix && modifiers & modOpSelHi;
  bool changed = true;
  switch (type) {
  case Type::none:
  case Type::b32:
    return low;
  case Type::f32:
    changed = modifiers & (modNeg | modAbs);
    if (changed)
      for (unsigned lane = 0; lane < LaneBlock::size; ++lane)
        result.words[lane] = (low[lane] & keep) ^ flip;
    break;
  case Type::b16:
  case Type::f16: {
    const unsigned shift = operand.high ? 16 : 0;
    const uint32_t mask = type == Type::f16 ? keep >> 16 : 0xffff;
    const uint32_t sign = type == Type::f16 ? flip >> 16 : 0;
    for (unsigned lane = 0; lane < LaneBlock::size; ++lane)
      result.words[lane] = (low[lane] >> shift & mask) ^ sign;
    break;
  }
  case Type::b64:
  case Type::f64: {
    const uint32_t mask = type == Type::f64 ? keep : 0xffffffffu;
    const uint32_t sign = type == Type::f64 ? flip : 0;
    for (unsigned lane = 0; lane < LaneBlock::size; ++lane)
      result.longs[lane] = low[lane] | static_cast<uint64_t>((high[lane] & mask) ^ sign) << 32;
    break;
  }
  case Type::pk16:
  case Type::pkF16:
  case Type::pkBF16: {
    changed = vop3p && (modifiers & 15) != modOpSelHi;
    const unsigned first = modifiers & modOpSel ? 16 : 0, second = modifiers & modOpSelHi ? 16 : 0;
    // neg_lo and neg_hi
    const uint32_t signs = type == Type::pk16 ? 0
                                              : (modifiers & modNeg ? 0x8000u : 0) |
                                                    (modifiers & modAbs ? 0x80000000u : 0);
    if (changed)
      for (unsigned lane = 0; lane < LaneBlock::size; ++lane)
        result.words[lane] =
            ((low[lane] >> first & 0xffff) | (low[lane] >> second & 0xffff) << 16) ^ signs;
    break;
  }
  case Type::mix: {
    const unsigned shift = modifiers & modOpSel ? 16 : 0;
    if (isF16)
      for (unsigned lane = 0; lane < LaneBlock::size; ++lane)
        result.words[lane] = (bitsOf(widen(low[lane] >> shift & 0xffff)) & keep) ^ flip;
    else
      for (unsigned lane = 0; lane < LaneBlock::size; ++lane)
        result.words[lane] = (low[lane] & keep) ^ flip;
    break;
  }
  }
  if (flush && flushesSource(type, isF16, mode)) {
    if (!changed)
      std::memcpy(result.words, low, sizeof(result.words));
    flushSource(type, isF16, mode, result);
    return result.words;
  }
  return changed ? result.words : low;
}

/// True where a source is a whole word, used as it lies in the register but for the sign of an f32.
TINYSIM_INLINE bool isPlain(const Operand &operand, Type type, bool vop3p) {
  if (type == Type::b32 || type == Type::f32)
    return true;
  if (isPacked(type))
    return !vop3p || (operand.modifiers & 15) == modOpSelHi;
  return false;
}

//===-- Results --------------------------------------------------------------===//

/// omod, clamp and flushing of a float result.
void finishFloat(const Instruction &i, const Row &row, const LaneMode &mode, Buffer &result);

/// One bit per lane from words of which bit 0 counts.
TINYSIM_INLINE uint32_t maskOf(const uint32_t *words) {
  uint32_t mask = 0;
  for (unsigned lane = 0; lane < LaneBlock::size; ++lane)
    mask |= (words[lane] & 1) << lane;
  return mask;
}

/// Stores 32 lanes of a register under a mask.
TINYSIM_INLINE void storeBlock(uint32_t *to, const uint32_t *value, uint32_t mask) {
  if (mask == 0xffffffffu) {
    std::memcpy(to, value, sizeof(uint32_t) * LaneBlock::size);
    return;
  }
  for (unsigned lane = 0; lane < LaneBlock::size; ++lane)
    to[lane] = mask >> lane & 1 ? value[lane] : to[lane];
}

/// Stores a block of the result's type, to the half op_sel names if it is 16 bits.
TINYSIM_INLINE void storeResult(uint32_t *registers, unsigned stride, Type type, bool high,
                                const Buffer &value, uint32_t mask) {
  if (is64(type)) {
    uint32_t half[LaneBlock::size];
    for (unsigned part = 0; part < 2; ++part) {
      for (unsigned lane = 0; lane < LaneBlock::size; ++lane)
        half[lane] = static_cast<uint32_t>(value.longs[lane] >> (32 * part));
      storeBlock(registers + part * stride, half, mask);
    }
    return;
  }
  if (is16(type)) {
    uint32_t word[LaneBlock::size];
    unsigned shift = high ? 16 : 0;
    uint32_t kept = high ? 0xffffu : 0xffff0000u;
    for (unsigned lane = 0; lane < LaneBlock::size; ++lane)
      word[lane] = (registers[lane] & kept) | (value.words[lane] & 0xffff) << shift;
    storeBlock(registers, word, mask);
    return;
  }
  storeBlock(registers, value.words, mask);
}

} // namespace tinysim

#endif // TINY_SIM_VECTOROPERANDS_H
