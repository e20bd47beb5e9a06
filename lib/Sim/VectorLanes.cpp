//===- VectorLanes.cpp - what moves data between lanes and registers -----------===//
//
// Operations that are no function of one lane: between lanes and scalars, across rows, registers
// indexed by M0, swaps, and the one operation on 128 bits.
//
//===----------------------------------------------------------------------===//

#include "VectorOperands.h"

using namespace tinysim;

namespace {

struct Nothing { // V_NOP, V_PIPEFLUSH
  template <unsigned N> TINYSIM_INLINE static void run(Wave &, const Instruction &) {}
};

/// The word of one lane, of a VGPR or of a scalar that stands for all.
template <unsigned N>
TINYSIM_INLINE uint32_t laneOf(const Wave &wave, const Operand &operand, unsigned lane) {
  return operand.isVgpr() ? wave.vgpr<N>(operand.index)[lane] : wave.read32(operand);
}

struct ReadLane { // whatever EXEC says
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    unsigned lane = wave.read32(i.src[1]) & (N - 1);
    wave.scalars[i.dst[0].index] = laneOf<N>(wave, i.src[0], lane);
  }
};
struct ReadFirstLane { // lane 0 if none is on
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    uint64_t exec = wave.exec<N>();
    unsigned lane = exec ? static_cast<unsigned>(__builtin_ctzll(exec)) : 0;
    wave.scalars[i.dst[0].index] = laneOf<N>(wave, i.src[0], lane);
  }
};
struct WriteLane {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    unsigned lane = wave.read32(i.src[1]) & (N - 1);
    wave.vgpr<N>(i.dst[0].index)[lane] = wave.read32(i.src[0]);
  }
};

/// Each lane reads one of the 16 lanes of its own row, or of the row beside it, named by four bits
/// of src1 (lanes 0 to 7) and src2. op_sel has no halves to choose here: its first bit is
/// fetch-inactive, its second bound_ctrl.
template <bool otherRow> struct PermuteRow {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const bool fetchInactive = i.src[0].modifiers & modOpSel;
    const bool boundControl = i.src[1].modifiers & modOpSel;
    const uint64_t select = wave.read32(i.src[1]) | uint64_t(wave.read32(i.src[2])) << 32;
    const uint64_t exec = wave.exec<N>();
    uint32_t from[N];
    std::memcpy(from, wave.vgpr<N>(i.src[0].index), sizeof(from));
    uint32_t *to = wave.vgpr<N>(i.dst[0].index);
    forEachLane<N>(exec, [&](unsigned lane) TINYSIM_LAMBDA {
      unsigned row = (lane & ~15u) ^ (otherRow ? 16 : 0);
      unsigned source = row + (select >> (4 * (lane & 15)) & 15);
      if (fetchInactive || (exec >> source & 1))
        to[lane] = from[source];
      else if (boundControl)
        to[lane] = 0;
    });
  }
};

struct Permute64 { // swaps the halves of a wave64; in a wave32 it writes nothing
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    if (N == 32)
      return;
    uint32_t value[N];
    const uint32_t *from = wave.vgpr<N>(i.src[0].index);
    for (unsigned lane = 0; lane < N; ++lane)
      value[lane] = from[lane ^ (32 % N)];
    store<N>(wave, i.dst[0], value);
  }
};

template <bool onlyHalf> struct Swap {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    uint32_t a[N], b[N];
    const Operand &x = i.dst[0], &y = i.dst[1];
    std::memcpy(a, wave.vgpr<N>(x.index), sizeof(a));
    std::memcpy(b, wave.vgpr<N>(y.index), sizeof(b));
    if (!onlyHalf) {
      store<N>(wave, x, b);
      store<N>(wave, y, a);
      return;
    }
    uint16_t first[N], second[N];
    for (unsigned lane = 0; lane < N; ++lane) {
      first[lane] = static_cast<uint16_t>(a[lane] >> (x.high ? 16 : 0));
      second[lane] = static_cast<uint16_t>(b[lane] >> (y.high ? 16 : 0));
    }
    store16<N>(wave, x, second, wave.exec<N>());
    store16<N>(wave, y, first, wave.exec<N>());
  }
};

/// A register beyond those of the wave, reached through M0, is a fault: hardware would wrap into
/// another wave's or do nothing.
TINYSIM_INLINE bool checkRelative(Wave &wave, uint64_t index) {
  if (index < wave.vgprCount)
    return true;
  wave.fault(Fault::Kind::outOfBounds, "reaches v" + std::to_string(index) +
                                           " through M0; the wave has " +
                                           std::to_string(wave.vgprCount) + " vector registers");
  return false;
}
/// Moves between registers counted from M0: the source, the destination, or both; or M0 holds one
/// offset for each (bits 9:0 and 25:16).
template <bool relativeSource, bool relativeTarget, bool twoOffsets = false> struct MoveRelative {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const uint32_t m0 = wave.scalars[scalarM0];
    // To LLVM the register that a relative target counts from is a source, but not with DPP.
    const Operand &target = i.dsts ? i.dst[0] : i.src[0];
    const Operand &source = i.src[i.srcs - 1];
    uint64_t to = target.index, from = source.index;
    if (relativeSource)
      from += twoOffsets ? m0 & 0x3ff : m0;
    if (relativeTarget)
      to += twoOffsets ? m0 >> 16 & 0x3ff : m0;
    if (!checkRelative(wave, to) || (relativeSource && !checkRelative(wave, from)))
      return;
    uint32_t buffer[N], value[N];
    const uint32_t *words =
        relativeSource ? wave.vgpr<N>(static_cast<unsigned>(from)) : fetch<N>(wave, source, buffer);
    uint64_t exec = wave.exec<N>();
    if (i.dpp == Dpp::none) {
      std::memcpy(value, words, sizeof(value));
    } else {
      DppLanes dpp;
      if (!dppLanes(i, N, exec, dpp))
        return wave.fault(Fault::Kind::illegalInstruction, "has a DPP control gfx1100 lacks");
      exec &= dpp.enabled;
      for (unsigned first = 0; first < N; first += LaneBlock::size)
        permuteBlock(words, dpp, first, value + first);
    }
    storeLanes<N>(wave, static_cast<unsigned>(to), value, exec);
  }
};
struct SwapRelative {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const uint32_t m0 = wave.scalars[scalarM0];
    uint64_t x = i.dst[0].index + uint64_t(m0 >> 16 & 0x3ff), y = i.dst[1].index + (m0 & 0x3ff);
    if (!checkRelative(wave, x) || !checkRelative(wave, y))
      return;
    uint32_t a[N], b[N];
    std::memcpy(a, wave.vgpr<N>(static_cast<unsigned>(x)), sizeof(a));
    std::memcpy(b, wave.vgpr<N>(static_cast<unsigned>(y)), sizeof(b));
    storeLanes<N>(wave, static_cast<unsigned>(x), b, wave.exec<N>());
    storeLanes<N>(wave, static_cast<unsigned>(y), a, wave.exec<N>());
  }
};

/// Four masked sums of absolute differences, of bytes 0..3, 1..4, 2..5, 3..6 of src0.
struct MaskedQuadSad {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    uint64_t window[N];
    uint32_t reference[N], buffer[N], result[4][N];
    fetch64<N>(wave, i.src[0], window);
    const uint32_t *words = fetch<N>(wave, i.src[1], buffer);
    std::memcpy(reference, words, sizeof(reference));
    for (unsigned n = 0; n < 4; ++n) {
      uint32_t sumBuffer[N];
      const uint32_t *sums = fetch<N>(wave, i.src[2], sumBuffer, i.src[2].isVgpr() ? n : 0);
      for (unsigned lane = 0; lane < N; ++lane) {
        uint32_t sum = sums[lane];
        for (unsigned byte = 0; byte < 4; ++byte) {
          uint32_t a = window[lane] >> (8 * (n + byte)) & 255,
                   b = reference[lane] >> (8 * byte) & 255;
          sum += b == 0 ? 0 : a > b ? a - b : b - a;
        }
        result[n][lane] = sum;
      }
    }
    for (unsigned n = 0; n < 4; ++n) {
      uint64_t exec = wave.exec<N>();
      storeLanes<N>(wave, i.dst[0].index + n, result[n], exec);
    }
  }
};
} // namespace

void tinysim::registerVectorLanes(HandlerTable &table) {
  table.add<Nothing>("V_NOP");
  table.add<Nothing>("V_PIPEFLUSH");
  table.add<ReadLane>("V_READLANE_B32");
  table.add<ReadFirstLane>("V_READFIRSTLANE_B32");
  table.add<WriteLane>("V_WRITELANE_B32");
  table.add<PermuteRow<false>>("V_PERMLANE16_B32");
  table.add<PermuteRow<true>>("V_PERMLANEX16_B32");
  table.add<Permute64>("V_PERMLANE64_B32");
  table.add<Swap<false>>("V_SWAP_B32");
  table.add<Swap<true>>("V_SWAP_B16");
  table.add<SwapRelative>("V_SWAPREL_B32");
  table.add<MoveRelative<true, false>>("V_MOVRELS_B32");
  table.add<MoveRelative<false, true>>("V_MOVRELD_B32");
  table.add<MoveRelative<true, true>>("V_MOVRELSD_B32");
  table.add<MoveRelative<true, true, true>>("V_MOVRELSD_2_B32");
  table.add<MaskedQuadSad>("V_MQSAD_U32_U8");
}
