//===- VectorDual.cpp - VOPD ------------------------------------------------------===//
//
// Two operations in one instruction. Both read before either writes; otherwise each is the row of
// the same name. There are no modifiers, and only wave32 has VOPD.
//
//===----------------------------------------------------------------------===//

#include "VectorOperands.h"

using namespace tinysim;

namespace {
/// The names of VOPD against those of the rows. The first 14 may be X, all may be Y.
struct Half {
  const char *name, *row;
  bool hasSuffix = true; // _e32, which baseName keeps where it is inside of a name
};
constexpr Half halves[] = {
    {"ADD_F32", "V_ADD_F32"},
    {"SUB_F32", "V_SUB_F32"},
    {"SUBREV_F32", "V_SUBREV_F32"},
    {"MUL_F32", "V_MUL_F32"},
    {"MUL_LEGACY_F32", "V_MUL_DX9_ZERO_F32"},
    {"FMAC_F32", "V_FMAC_F32"},
    {"FMAAK_F32", "V_FMAAK_F32", false},
    {"FMAMK_F32", "V_FMAMK_F32", false},
    {"MIN_F32", "V_MIN_F32"},
    {"MAX_F32", "V_MAX_F32"},
    {"MOV_B32", "V_MOV_B32"},
    {"CNDMASK_B32", "V_CNDMASK_B32"},
    {"DOT2C_F32_F16", "V_DOT2ACC_F32_F16"},
    {"DOT2C_F32_BF16", "V_DOT2C_F32_BF16"},
    {"ADD_U32", "V_ADD_NC_U32"},
    {"LSHLREV_B32", "V_LSHLREV_B32"},
    {"AND_B32", "V_AND_B32"},
};
constexpr unsigned xCount = 14, halfCount = sizeof(halves) / sizeof(halves[0]);

struct BoundHalf {
  const Row *row;
  Kernel kernel;
  unsigned sources;
};
const BoundHalf *boundHalves() {
  static const std::vector<BoundHalf> bound = [] {
    std::vector<BoundHalf> result;
    for (const Half &half : halves) {
      const Row *row = findRow(half.row);
      unsigned sources = 0;
      while (sources < 3 && row->src[sources] != Type::none)
        ++sources;
      result.push_back(
          {row, hostHasVectors() ? row->kernels.vectors : row->kernels.baseline, sources});
    }
    return result;
  }();
  return bound.data();
}

struct Dual {
  /// One half: its result, from the sources at `at`, which is moved past them.
  TINYSIM_INLINE static void compute(Wave &wave, const Instruction &i, const BoundHalf &half,
                                     unsigned &at, const LaneMode &mode, bool flushes,
                                     Buffer &result) {
    Buffer operands[3], shaped[3];
    LaneBlock lanes;
    for (unsigned k = 0; k < half.sources; ++k) {
      const Operand &operand = i.src[at++];
      if (operand.isVgpr()) {
        lanes.src[k] = wave.vgpr<32>(operand.index);
      } else {
        uint32_t value = wave.read32(operand);
        for (uint32_t &word : operands[k].words)
          word = value;
        lanes.src[k] = operands[k].words;
      }
      if (flushes && !(half.row->flags & Row::keepsBits)) {
        const uint32_t *words = static_cast<const uint32_t *>(lanes.src[k]);
        lanes.src[k] =
            shapeSource(operand, half.row->src[k], false, true, mode, words, words, shaped[k]);
      }
    }
    lanes.dst = result.words;
    lanes.mode = &mode;
    if (half.row->flags & Row::maskIn) // VCC, the last source of the whole
      lanes.maskIn = static_cast<uint32_t>(wave.mask<32>(i.src[i.srcs - 1]));
    half.kernel(lanes);
    if (flushes && isFloat(half.row->dst))
      finishFloat(i, *half.row, mode, result);
  }

  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    if (N != 32)
      return wave.fault(Fault::Kind::illegalInstruction, "exists in wave32 only");
    const BoundHalf *bound = boundHalves();
    const LaneMode mode = laneMode(wave);
    const bool flushes = (wave.mode.bits & 0xf0) != 0xf0;
    Buffer x, y;
    unsigned at = 0;
    compute(wave, i, bound[i.tag / halfCount], at, mode, flushes, x);
    compute(wave, i, bound[i.tag % halfCount], at, mode, flushes, y);
    const uint32_t exec = static_cast<uint32_t>(wave.exec<32>());
    storeBlock(wave.vgpr<32>(i.dst[0].index), x.words, exec);
    storeBlock(wave.vgpr<32>(i.dst[1].index), y.words, exec);
  }
};
} // namespace

void tinysim::registerVectorDual(HandlerTable &table) {
  for (unsigned x = 0; x < xCount; ++x)
    for (unsigned y = 0; y < halfCount; ++y) {
      std::string name = std::string("V_DUAL_") + halves[x].name +
                         (halves[x].hasSuffix ? "_e32_X_" : "_X_") + halves[y].name;
      table.addSelector(
          name, [](Instruction &, unsigned waveSize) { return handlerOf<Dual>(waveSize); },
          x * halfCount + y);
    }
}
