//===- VectorOperands.cpp - modifiers, DPP, denormals ---------------------------===//
//
// The parts of a vector operation that most instructions do without. DPP is section 7.7 of the
// RDNA3 ISA document, the modifiers are sections 7.2.5 to 7.2.8.
//
//===----------------------------------------------------------------------===//

#include "VectorOperands.h"

using namespace tinysim;

bool tinysim::dppLanes(const Instruction &i, unsigned waveSize, uint64_t exec, DppLanes &result) {
  uint64_t there = 0;
  result.enabled = 0;
  uint32_t control = i.dppControl;
  for (unsigned lane = 0; lane < waveSize; ++lane) {
    unsigned row = lane & ~15u, in = lane & 15;
    int from; // in the row; outside of 0..15 there is no source
    if (i.dpp == Dpp::dpp8) {
      from = static_cast<int>((in & 8) + (control >> (3 * (in & 7)) & 7));
    } else if (control <= 0xff) { // quad_perm
      from = static_cast<int>((in & 12) + (control >> (2 * (in & 3)) & 3));
    } else if (control >= 0x101 && control <= 0x10f) { // row_shl
      from = static_cast<int>(in + (control & 15));
    } else if (control >= 0x111 && control <= 0x11f) { // row_shr
      from = static_cast<int>(in) - static_cast<int>(control & 15);
    } else if (control >= 0x121 && control <= 0x12f) { // row_ror
      from = static_cast<int>((in - (control & 15)) & 15);
    } else if (control == 0x140) { // row_mirror
      from = static_cast<int>(15 - in);
    } else if (control == 0x141) { // row_half_mirror
      from = static_cast<int>(in ^ 7);
    } else if ((control & ~15u) == 0x150) { // row_share
      from = static_cast<int>(control & 15);
    } else if ((control & ~15u) == 0x160) { // row_xmask
      from = static_cast<int>(in ^ (control & 15));
    } else {
      return false;
    }
    bool inRow = from >= 0 && from < 16;
    unsigned source = row + (inRow ? static_cast<unsigned>(from) : in);
    result.from[lane] = static_cast<uint8_t>(source);
    if (inRow && (i.fetchInactive || (exec >> source & 1)))
      there |= uint64_t(1) << lane;
    bool masked =
        i.dpp == Dpp::dpp16 && !((i.rowMask >> (lane / 16) & 1) && (i.bankMask >> (in / 4) & 1));
    if (!masked)
      result.enabled |= uint64_t(1) << lane;
  }
  result.valid = there;
  // Without bound_ctrl a lane without a source is not written; DPP8 always reads 0 there.
  if (i.dpp == Dpp::dpp16 && !i.boundControl)
    result.enabled &= there;
  return true;
}

void tinysim::permuteBlock(const uint32_t *all, const DppLanes &dpp, unsigned firstLane,
                           uint32_t *result) {
  for (unsigned n = 0; n < LaneBlock::size; ++n) {
    unsigned lane = firstLane + n;
    result[n] = dpp.valid >> lane & 1 ? all[dpp.from[lane]] : 0;
  }
}

/// Denormals to zeros of their sign.
template <class F> static uint64_t flush(uint64_t x) { return isDenormal<F>(x) ? x & F::sign : x; }

/// abs, then neg, on the sign bit of one number.
static uint64_t withSign(uint64_t x, uint64_t sign, unsigned modifiers) {
  if (modifiers & modAbs)
    x &= ~sign;
  return modifiers & modNeg ? x ^ sign : x;
}

void tinysim::shapeSource(const Operand &operand, Type type, bool vop3p, bool flushes,
                          const LaneMode &mode, const uint32_t *low, const uint32_t *high,
                          Buffer &result) {
  const unsigned modifiers = operand.modifiers;
  const bool flush32 = flushes && !mode.f32.keepInputDenormals;
  const bool flush16 = flushes && !mode.f16f64.keepInputDenormals;
  for (unsigned lane = 0; lane < LaneBlock::size; ++lane) {
    uint32_t x = low[lane];
    switch (type) {
    case Type::f32:
      x = static_cast<uint32_t>(withSign(x, F32::sign, modifiers));
      result.words[lane] = flush32 ? static_cast<uint32_t>(flush<F32>(x)) : x;
      break;
    case Type::b16:
    case Type::f16:
      x = (operand.high ? x >> 16 : x) & 0xffff;
      if (type == Type::f16) {
        x = static_cast<uint32_t>(withSign(x, F16::sign, modifiers));
        x = flush16 ? static_cast<uint32_t>(flush<F16>(x)) : x;
      }
      result.words[lane] = x;
      break;
    case Type::b64:
    case Type::f64: {
      uint64_t wide = x | static_cast<uint64_t>(high[lane]) << 32;
      if (type == Type::f64) {
        wide = withSign(wide, F64::sign, modifiers);
        wide = flush16 ? flush<F64>(wide) : wide;
      }
      result.longs[lane] = wide;
      break;
    }
    case Type::pk16:
    case Type::pkF16:
    case Type::pkBF16: {
      uint32_t first = x & 0xffff, second = x >> 16;
      if (vop3p) {
        first = modifiers & modOpSel ? x >> 16 : x & 0xffff;
        second = modifiers & modOpSelHi ? x >> 16 : x & 0xffff;
        if (type != Type::pk16) {
          first ^= modifiers & modNeg ? 0x8000 : 0;
          second ^= modifiers & modAbs ? 0x8000 : 0; // neg_hi
        }
      }
      if (type == Type::pkF16 && flush16) {
        first = static_cast<uint32_t>(flush<F16>(first));
        second = static_cast<uint32_t>(flush<F16>(second));
      }
      result.words[lane] = first | second << 16;
      break;
    }
    case Type::mix:
      if (modifiers & modOpSelHi) {
        uint64_t half = modifiers & modOpSel ? x >> 16 : x & 0xffff;
        half = flush16 ? flush<F16>(half) : half;
        // Exact, but for the quieting of a NaN, which the operation does anyway.
        x = static_cast<uint32_t>(convert<F32, F16>(half, Rounding::nearest));
      } else if (flush32) {
        x = static_cast<uint32_t>(flush<F32>(x));
      }
      result.words[lane] = static_cast<uint32_t>(withSign(x, F32::sign, modifiers));
      break;
    case Type::b32:
    case Type::none:
      result.words[lane] = x;
      break;
    }
  }
}

/// omod, then clamp to [0, 1], then flushing, of one number.
template <class F>
static uint64_t finish(uint64_t x, unsigned omod, bool clamp, const FloatMode &mode, bool dx10Clamp,
                       bool flushes) {
  if (omod) {
    x = scaled<F>(x, omod == 1 ? 1 : omod == 2 ? 2 : -1, mode.round);
    if (isZero<F>(x)) // omod is not IEEE: it has no -0
      x = 0;
  }
  if (clamp) {
    if (isNaN<F>(x))
      x = dx10Clamp ? 0 : x;
    else if (isNegative<F>(x))
      x = 0;
    else if (x > F::one)
      x = F::one;
  }
  return flushes && !mode.keepOutputDenormals ? flush<F>(x) : x;
}

void tinysim::finishFloat(const Instruction &i, const Row &row, const LaneMode &mode,
                          Buffer &result) {
  const FloatMode &width = row.dst == Type::f32 ? mode.f32 : mode.f16f64;
  // omod is ignored in IEEE mode and where output denormals are kept. The second immediate of
  // packed operations is op_sel.
  unsigned omod = mode.ieee || width.keepOutputDenormals || isPacked(row.dst) ? 0 : i.omod & 3;
  bool flushes = !(row.flags & (Row::keepsBits | Row::noOutputFlush));
  if (row.flags & Row::noModifiers)
    omod = 0;
  bool clamp = i.clamp && !(row.flags & Row::noModifiers);
  if (!omod && !clamp && !(flushes && !width.keepOutputDenormals))
    return;
  for (unsigned lane = 0; lane < LaneBlock::size; ++lane) {
    auto one = [&](uint64_t x, auto format) {
      return finish<decltype(format)>(x, omod, clamp, width, mode.dx10Clamp, flushes);
    };
    switch (row.dst) {
    case Type::f32:
      result.words[lane] = static_cast<uint32_t>(one(result.words[lane], F32()));
      break;
    case Type::f16:
      result.words[lane] = static_cast<uint32_t>(one(result.words[lane], F16()));
      break;
    case Type::f64:
      result.longs[lane] = one(result.longs[lane], F64());
      break;
    case Type::pkF16:
      result.words[lane] = static_cast<uint32_t>(one(result.words[lane] & 0xffff, F16()) |
                                                 one(result.words[lane] >> 16, F16()) << 16);
      break;
    default:
      break;
    }
  }
}
