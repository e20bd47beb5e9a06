//===- VectorOperands.cpp - modifiers, DPP, denormals ---------------------------===//
//
// The parts of a vector operation that most instructions do without. DPP is section 7.7 of the
// RDNA3 ISA document, the modifiers are sections 7.2.5 to 7.2.8.
//
//===----------------------------------------------------------------------===//

#include "VectorOperands.h"

using namespace tinysim;

/// The lane of its row that lane `in` reads under a control of DPP16; -1: there is none; -2: there
/// is no such control.
static int dpp16Source(unsigned control, unsigned in) {
  const int lane = static_cast<int>(in), by = static_cast<int>(control & 15);
  auto inRow = [](int from) { return from >= 0 && from < 16 ? from : -1; };
  switch (control >> 4) {
  case 0x10: // row_shl
    return by ? inRow(lane + by) : -2;
  case 0x11: // row_shr
    return by ? inRow(lane - by) : -2;
  case 0x12: // row_ror
    return by ? (lane - by) & 15 : -2;
  case 0x14: // row_mirror, row_half_mirror
    return by == 0 ? 15 - lane : by == 1 ? lane ^ 7 : -2;
  case 0x15: // row_share
    return by;
  case 0x16: // row_xmask
    return lane ^ by;
  default: // quad_perm
    return control <= 0xff ? (lane & 12) + (control >> (2 * (lane & 3)) & 3) : -2;
  }
}

namespace {
/// All controls of DPP16, over a wave64.
struct DppTable {
  static constexpr unsigned size = 0x170;
  struct Entry {
    bool exists = true;
    uint64_t inRow = 0;
    uint8_t from[64];
  } entries[size];

  DppTable() {
    for (unsigned control = 0; control < size; ++control)
      for (unsigned lane = 0; lane < 64; ++lane) {
        int source = dpp16Source(control, lane & 15);
        entries[control].exists &= source != -2;
        entries[control].inRow |= static_cast<uint64_t>(source >= 0) << lane;
        entries[control].from[lane] =
            static_cast<uint8_t>(source < 0 ? lane : (lane & 48) + static_cast<unsigned>(source));
      }
  }
};
} // namespace

bool tinysim::dppLanes(const Instruction &i, unsigned waveSize, uint64_t exec, DppLanes &result) {
  static const DppTable table;
  uint64_t inRow = ~uint64_t(0);
  if (i.dpp == Dpp::dpp8) {
    for (unsigned lane = 0; lane < 64; ++lane)
      result.own[lane] = static_cast<uint8_t>((lane & 56) + (i.dppControl >> (3 * (lane & 7)) & 7));
    result.from = result.own;
  } else {
    if (i.dppControl >= DppTable::size || !table.entries[i.dppControl].exists)
      return false;
    result.from = table.entries[i.dppControl].from;
    inRow = table.entries[i.dppControl].inRow;
  }
  result.valid = inRow;
  if (!i.fetchInactive && exec != (waveSize == 64 ? ~uint64_t(0) : 0xffffffffu))
    for (unsigned lane = 0; lane < waveSize; ++lane)
      if (!(exec >> result.from[lane] & 1))
        result.valid &= ~(uint64_t(1) << lane);
  result.enabled = ~uint64_t(0);
  if (i.dpp == Dpp::dpp8) // a lane without a source reads 0
    return true;
  if (i.rowMask != 15 || i.bankMask != 15)
    for (unsigned lane = 0; lane < waveSize; ++lane)
      if (!(i.rowMask >> (lane / 16) & 1) || !(i.bankMask >> (lane % 16 / 4) & 1))
        result.enabled &= ~(uint64_t(1) << lane);
  // Without bound_ctrl a lane without a source is not written.
  if (!i.boundControl)
    result.enabled &= result.valid;
  return true;
}

template <class F> static uint64_t flush(uint64_t x) { return isDenormal<F>(x) ? x & F::sign : x; }

void tinysim::flushSource(Type type, bool isF16, const LaneMode &mode, Buffer &words) {
  for (unsigned lane = 0; lane < LaneBlock::size; ++lane) {
    uint32_t &word = words.words[lane];
    if (is64(type))
      words.longs[lane] = flush<F64>(words.longs[lane]);
    else if (isPacked(type))
      word = static_cast<uint32_t>(flush<F16>(word & 0xffff) | flush<F16>(word >> 16) << 16);
    else if (type == Type::f16)
      word = static_cast<uint32_t>(flush<F16>(word));
    else if (isF16) // widened by now: below the smallest normal f16 number
      word = (word & 0x7fffffff) < 0x38800000 ? word & 0x80000000 : word;
    else
      word = static_cast<uint32_t>(flush<F32>(word));
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
