//===- Wave.h - the state of one wave ---------------------------*- C++ -*-===//
//
// Registers as arrays of lanes: VGPR n is waveSize contiguous 32-bit words, so that handlers are
// loops over lanes that the host's vector unit takes whole.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_WAVE_H
#define TINY_LIB_SIM_WAVE_H

#include "Instruction.h"
#include <atomic>
#include <cstring>
#include <string>

namespace tinysim {

class Workgroup; // LDS, barriers, the other waves
class Checker;   // the shadow state of the checks
class Code;      // translated code

/// Where a wave stands when its run loop returns.
enum class WaveState : uint8_t {
  running,
  yielded, // used up its time slice, or sleeps
  atBarrier,
  ended, // s_endpgm
  faulted,
};

/// The MODE register.
struct Mode {
  // FP_ROUND and FP_DENORM as in the kernel descriptor.
  enum Round : uint8_t { nearestEven = 0, towardPositive = 1, towardNegative = 2, towardZero = 3 };
  uint32_t bits = 0;
  Round round32() const { return static_cast<Round>(bits & 3); }
  Round round16And64() const { return static_cast<Round>(bits >> 2 & 3); }
  /// Denormals: inputs are kept, results are kept (true) or flushed to zeros of their sign.
  bool keepIn32() const { return bits >> 4 & 1; } // allow_src denorms
  bool keepOut32() const { return bits >> 5 & 1; }
  bool keepIn16And64() const { return bits >> 6 & 1; }
  bool keepOut16And64() const { return bits >> 7 & 1; }
  bool dx10Clamp() const { return bits >> 8 & 1; } // clamp turns NaN to 0
  bool ieee() const { return bits >> 9 & 1; }      // signalling NaNs are quieted by min/max
};

class alignas(64) Wave {
public:
  uint32_t scalars[scalarCount] = {}; // ScalarIndex
  uint32_t *vgprs = nullptr;          // vgprCount × waveSize, aligned to 64 bytes
  unsigned waveSize = 32;
  unsigned vgprCount = 256; // allocated; the array has all 256 and 16 more that are never checked
  Mode mode;
  WaveState state = WaveState::running;
  bool perturb = false; // Options::perturb

  // Position. The run loop moves `slot` past an instruction before its handler runs.
  const std::atomic<const Instruction *> *slot = nullptr;
  Code *code = nullptr;
  const Instruction *current = nullptr;

  Workgroup *workgroup = nullptr;
  Checker *checker = nullptr; // null where no check of registers is on
  unsigned indexInWorkgroup = 0;
  uint64_t initialExec = 0;   // the lanes there are work-items for
  uint64_t issued = 0;        // instructions
  uint8_t *scratch = nullptr; // scratchStride for each lane, one lane after the other
  uint32_t scratchBytes = 0, scratchStride = 0;
  uint64_t barrierPc = 0; // of the s_barrier the wave waits at

  template <unsigned N> TINYSIM_INLINE uint32_t *vgpr(unsigned index) const {
    return vgprs + static_cast<size_t>(index) * N;
  }
  uint32_t *vgprOfAnySize(unsigned index) const {
    return vgprs + static_cast<size_t>(index) * waveSize;
  }

  TINYSIM_INLINE uint64_t scalar64(unsigned index) const {
    uint64_t value;
    std::memcpy(&value, scalars + index, sizeof(value));
    return value;
  }
  TINYSIM_INLINE void setScalar64(unsigned index, uint64_t value) {
    std::memcpy(scalars + index, &value, sizeof(value));
  }

  /// EXEC of the lanes there are.
  template <unsigned N> TINYSIM_INLINE uint64_t exec() const {
    return N == 32 ? scalars[scalarExec] : scalar64(scalarExec);
  }
  uint64_t execOfAnySize() const { return waveSize == 32 ? exec<32>() : exec<64>(); }

  bool scc() const { return scalars[scalarScc] != 0; }
  void setScc(bool value) { scalars[scalarScc] = value; }

  /// A mask operand (VCC or an SGPR, or a pair of them in wave64), one bit per lane.
  template <unsigned N> TINYSIM_INLINE uint64_t mask(const Operand &operand) const {
    if (operand.isConstant())
      return N == 32 ? static_cast<uint32_t>(operand.constant) : operand.constant;
    return N == 32 ? scalars[operand.index] : scalar64(operand.index);
  }
  template <unsigned N> TINYSIM_INLINE void setMask(const Operand &operand, uint64_t value) {
    if (N == 32)
      scalars[operand.index] = static_cast<uint32_t>(value);
    else
      setScalar64(operand.index, value);
  }

  /// A scalar or constant source.
  TINYSIM_INLINE uint32_t read32(const Operand &operand) const {
    return operand.isConstant() ? static_cast<uint32_t>(operand.constant) : scalars[operand.index];
  }
  TINYSIM_INLINE uint64_t read64(const Operand &operand) const {
    return operand.isConstant() ? operand.constant : scalar64(operand.index);
  }

  /// The address of the next instruction.
  uint64_t nextPc() const;
  /// Continues at `pc`, in whatever code object it is; a fault where it is in none.
  void jump(uint64_t pc);

  /// Ends the dispatch. `lane` is the lane it was seen in, or -1. The message is only what is
  /// wrong ("reads v7, which was never written"): kernel, place and disassembly are added. Only the
  /// first fault of a wave counts.
  void fault(Fault::Kind kind, std::string what, int lane = -1);
};

} // namespace tinysim

#endif // TINY_LIB_SIM_WAVE_H
