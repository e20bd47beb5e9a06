//===- VectorHalf.cpp - f16 arithmetic, packed and mixed, and dot products -----===//
//
// Half precision: single values in one half of a register, pairs (VOP3P), the fused multiply-adds
// that mix f16 and f32, and dot products of f16 and bf16. Products of a dot product are added one
// after the other to the third operand, each step one fused multiply-add in the result's format;
// the hardware's order is not public, so this is our choice.
//
//===----------------------------------------------------------------------===//

#include "VectorKernel.h"

using namespace tinysim;
using u32 = uint32_t;

static Rounding round16(const LaneMode &m) { return m.f16f64.round; }
static u32 exactAdd16(const LaneMode &m, u32 a, u32 b) {
  return static_cast<u32>(exactAdd<F16>(a, b, round16(m)));
}
static u32 exactSub16(const LaneMode &m, u32 a, u32 b) {
  return static_cast<u32>(exactSub<F16>(a, b, round16(m)));
}
static u32 exactSubRev16(const LaneMode &m, u32 a, u32 b) { return exactSub16(m, b, a); }
static u32 exactMul16(const LaneMode &m, u32 a, u32 b) {
  return static_cast<u32>(exactMul<F16>(a, b, round16(m)));
}
static u32 exactFma16(const LaneMode &m, u32 a, u32 b, u32 c) {
  return static_cast<u32>(exactFma<F16>(a, b, c, round16(m)));
}
static u32 exactMin16(const LaneMode &m, u32 a, u32 b) {
  return static_cast<u32>(exactMinMax<F16>(a, b, false, m.ieee));
}
static u32 exactMax16(const LaneMode &m, u32 a, u32 b) {
  return static_cast<u32>(exactMinMax<F16>(a, b, true, m.ieee));
}
LANE u32 subRev16(u32 &special, u32 a, u32 b) { return sub16(special, b, a); }

LANE u32 min3(u32 &s, u32 a, u32 b, u32 c) { return min16(s, min16(s, a, b), c); }
LANE u32 max3(u32 &s, u32 a, u32 b, u32 c) { return max16(s, max16(s, a, b), c); }
LANE u32 minMax(u32 &s, u32 a, u32 b, u32 c) { return max16(s, min16(s, a, b), c); }
LANE u32 maxMin(u32 &s, u32 a, u32 b, u32 c) { return min16(s, max16(s, a, b), c); }
LANE u32 median(u32 &s, u32 a, u32 b, u32 c) {
  return max16(s, min16(s, a, b), min16(s, max16(s, a, b), c));
}
static u32 exactMin3(const LaneMode &m, u32 a, u32 b, u32 c) {
  return exactMin16(m, exactMin16(m, a, b), c);
}
static u32 exactMax3(const LaneMode &m, u32 a, u32 b, u32 c) {
  return exactMax16(m, exactMax16(m, a, b), c);
}
static u32 exactMinMax3(const LaneMode &m, u32 a, u32 b, u32 c) {
  return exactMax16(m, exactMin16(m, a, b), c);
}
static u32 exactMaxMin3(const LaneMode &m, u32 a, u32 b, u32 c) {
  return exactMin16(m, exactMax16(m, a, b), c);
}
static u32 exactMedian(const LaneMode &m, u32 a, u32 b, u32 c) {
  if (isNaN<F16>(a) || isNaN<F16>(b) || isNaN<F16>(c))
    return exactMin3(m, a, b, c);
  u32 special = 0;
  return median(special, a, b, c);
}

LANE u32 trunc16(u32 a) { return narrow(__builtin_truncf(widen(a))); }
LANE u32 ceil16(u32 a) { return narrow(__builtin_ceilf(widen(a))); }
LANE u32 floor16(u32 a) { return narrow(__builtin_floorf(widen(a))); }
LANE u32 rndne16(u32 a) { return narrow(__builtin_rintf(widen(a))); }
static u32 fract16(const LaneMode &m, u32 a) {
  u32 r = exactSub16(m, a, floor16(a));
  return !isNaN<F16>(r) && !isNegative<F16>(r) && r > 0x3bff ? 0x3bff : r;
}

// The document grants 0.51 ULP, so there is nothing to perturb. The host may negate the NaN of an
// invalid operation or not: ours is written out where the argument decides.
template <double (*f)(double)> LANE u32 rounded16(u32 a) { return narrowDouble(f(widen(a))); }
LANE u32 exp16(u32 a) { return rounded16<exp2OfDouble>(a); }
LANE u32 log16(u32 a) { return rounded16<log2OfDouble>(a); }
LANE u32 rcp16(u32 a) { return rounded16<rcpOfDouble>(a); }
LANE u32 rsq16(u32 a) { return rounded16<rsqOfDouble>(a); }
LANE u32 sqrt16(u32 a) { return rounded16<sqrtOfDouble>(a); }
LANE u32 sin16(u32 a) { return rounded16<sinOfTurns>(a); }
LANE u32 cos16(u32 a) { return rounded16<cosOfTurns>(a); }

static u32 ldexp16(const LaneMode &m, u32 a, u32 by) {
  return static_cast<u32>(scaled<F16>(a, static_cast<int16_t>(by), round16(m)));
}
static u32 frexpExponent16(u32 a) {
  if (isZero<F16>(a) || exponentOf<F16>(a) == F16::maxExponent)
    return 0;
  Unpacked u = unpack<F16>(a);
  return static_cast<u32>(u.exponent + 64 - __builtin_clzll(u.significand)) & 0xffff;
}
static u32 frexpMantissa16(u32 a) {
  if (isZero<F16>(a) || exponentOf<F16>(a) == F16::maxExponent)
    return static_cast<u32>(quieted<F16>(a));
  return static_cast<u32>(
      scaled<F16>(a, -static_cast<int16_t>(frexpExponent16(a)), Rounding::nearest));
}

// Packed: both halves.
template <u32 (*f)(u32 &, u32, u32)> LANE u32 packed(u32 &s, u32 a, u32 b) {
  return f(s, a & 0xffff, b & 0xffff) | f(s, a >> 16, b >> 16) << 16;
}
template <u32 (*f)(const LaneMode &, u32, u32)>
static u32 exactPacked(const LaneMode &m, u32 a, u32 b) {
  return f(m, a & 0xffff, b & 0xffff) | f(m, a >> 16, b >> 16) << 16;
}
LANE u32 packedFma(u32 &s, u32 a, u32 b, u32 c) {
  return fma16(s, a & 0xffff, b & 0xffff, c & 0xffff) | fma16(s, a >> 16, b >> 16, c >> 16) << 16;
}
static u32 exactPackedFma(const LaneMode &m, u32 a, u32 b, u32 c) {
  return exactFma16(m, a & 0xffff, b & 0xffff, c & 0xffff) |
         exactFma16(m, a >> 16, b >> 16, c >> 16) << 16;
}

// Mixed: the sources are f32 by now. An f16 result is that of f32 converted: rounded twice, as the
// ISA document has it and as compilers use it for a conversion of an f32 result.
static u32 exactMixTo32(const LaneMode &m, u32 a, u32 b, u32 c) {
  return static_cast<u32>(exactFma<F32>(a, b, c, m.f32.round));
}
static u32 exactMixTo16(const LaneMode &m, u32 a, u32 b, u32 c) {
  return static_cast<u32>(convert<F16, F32>(exactMixTo32(m, a, b, c), round16(m)));
}
/// Where f32 rounds in another way than f16, the exact form does it.
LANE u32 mixTo16(const LaneMode &m, u32 a, u32 b, u32 c) {
  u32 special = m.f32.round != Rounding::nearest || m.f16f64.round != Rounding::nearest;
  u32 r = narrow(asFloat(fma32(special, a, b, c)));
  return special ? exactMixTo16(m, a, b, c) : r;
}

// Dot products.
LANE u32 lowHalf(u32 x) { return x & 0xffff; }
LANE u32 highHalf(u32 x) { return x >> 16; }
static u32 dot2To32(const LaneMode &m, u32 a, u32 b, u32 c) {
  u32 first = exactMixTo32(m, bitsOf(widen(lowHalf(a))), bitsOf(widen(lowHalf(b))), c);
  return exactMixTo32(m, bitsOf(widen(highHalf(a))), bitsOf(widen(highHalf(b))), first);
}
LANE u32 fastDot2To32(u32 &s, u32 a, u32 b, u32 c) {
  u32 first = fma32(s, bitsOf(widen(lowHalf(a))), bitsOf(widen(lowHalf(b))), c);
  return fma32(s, bitsOf(widen(highHalf(a))), bitsOf(widen(highHalf(b))), first);
}
static u32 dot2Bf16To32(const LaneMode &m, u32 a, u32 b, u32 c) {
  return exactMixTo32(m, a & 0xffff0000, b & 0xffff0000, exactMixTo32(m, a << 16, b << 16, c));
}
LANE u32 fastDot2Bf16To32(u32 &s, u32 a, u32 b, u32 c) {
  return fma32(s, a & 0xffff0000, b & 0xffff0000, fma32(s, a << 16, b << 16, c));
}
static u32 dot2To16(const LaneMode &m, u32 a, u32 b, u32 c) {
  return exactFma16(m, highHalf(a), highHalf(b), exactFma16(m, lowHalf(a), lowHalf(b), c));
}
static u32 dot2ToBf16(const LaneMode &m, u32 a, u32 b, u32 c) {
  Bits first = exactFma<BF16>(lowHalf(a), lowHalf(b), c, Rounding::nearest);
  return static_cast<u32>(exactFma<BF16>(highHalf(a), highHalf(b), first, Rounding::nearest));
}

llvm::ArrayRef<Row> tinysim::halfRows() {
  const Type h = Type::f16, i = Type::b16, p = Type::pkF16, f = Type::f32, x = Type::mix;
  const Type b = Type::pkBF16;
  const uint8_t inputOnly = Row::noOutputFlush;
  static const Row rows[] = {
      {"V_ADD_F16", each16Or64<add16, exactAdd16>(), h, {h, h}},
      {"V_SUB_F16", each16Or64<sub16, exactSub16>(), h, {h, h}},
      {"V_SUBREV_F16", each16Or64<subRev16, exactSubRev16>(), h, {h, h}},
      {"V_MUL_F16", each16Or64<mul16, exactMul16>(), h, {h, h}},
      {"V_FMA_F16", each16Or64<fma16, exactFma16>(), h, {h, h, h}},
      {"V_FMAC_F16", each16Or64<fma16, exactFma16>(), h, {h, h, h}},
      {"V_FMAMK_F16", each16Or64<fma16, exactFma16>(), h, {h, h, h}},
      {"V_FMAAK_F16", each16Or64<fma16, exactFma16>(), h, {h, h, h}},
      {"V_MIN_F16", each16Or64<min16, exactMin16>(), h, {h, h}, inputOnly},
      {"V_MAX_F16", each16Or64<max16, exactMax16>(), h, {h, h}, inputOnly},
      {"V_MIN3_F16", each16Or64<min3, exactMin3>(), h, {h, h, h}, inputOnly},
      {"V_MAX3_F16", each16Or64<max3, exactMax3>(), h, {h, h, h}, inputOnly},
      {"V_MED3_F16", each16Or64<median, exactMedian>(), h, {h, h, h}, inputOnly},
      {"V_MINMAX_F16", each16Or64<minMax, exactMinMax3>(), h, {h, h, h}, inputOnly},
      {"V_MAXMIN_F16", each16Or64<maxMin, exactMaxMin3>(), h, {h, h, h}, inputOnly},
      {"V_TRUNC_F16", each<trunc16>(), h, {h}},
      {"V_CEIL_F16", each<ceil16>(), h, {h}},
      {"V_FLOOR_F16", each<floor16>(), h, {h}},
      {"V_RNDNE_F16", each<rndne16>(), h, {h}},
      {"V_FRACT_F16", each<fract16>(), h, {h}},
      {"V_EXP_F16", each<exp16>(), h, {h}},
      {"V_LOG_F16", each<log16>(), h, {h}},
      {"V_RCP_F16", each<rcp16>(), h, {h}},
      {"V_RSQ_F16", each<rsq16>(), h, {h}},
      {"V_SQRT_F16", each<sqrt16>(), h, {h}},
      {"V_SIN_F16", each<sin16>(), h, {h}},
      {"V_COS_F16", each<cos16>(), h, {h}},
      {"V_LDEXP_F16", each<ldexp16>(), h, {h, i}},
      {"V_FREXP_EXP_I16_F16", each<frexpExponent16>(), i, {h}},
      {"V_FREXP_MANT_F16", each<frexpMantissa16>(), h, {h}},

      {"V_PK_ADD_F16", each16Or64<packed<add16>, exactPacked<exactAdd16>>(), p, {p, p}},
      {"V_PK_MUL_F16", each16Or64<packed<mul16>, exactPacked<exactMul16>>(), p, {p, p}},
      {"V_PK_MIN_F16", each16Or64<packed<min16>, exactPacked<exactMin16>>(), p, {p, p}, inputOnly},
      {"V_PK_MAX_F16", each16Or64<packed<max16>, exactPacked<exactMax16>>(), p, {p, p}, inputOnly},
      {"V_PK_FMA_F16", each16Or64<packedFma, exactPackedFma>(), p, {p, p, p}},
      {"V_PK_FMAC_F16", each16Or64<packedFma, exactPackedFma>(), p, {p, p, p}},

      {"V_FMA_MIX_F32", each32<fma32, exactMixTo32>(), f, {x, x, x}},
      {"V_FMA_MIXLO_F16", each<mixTo16>(), h, {x, x, x}},
      {"V_FMA_MIXHI_F16", each<mixTo16>(), h, {x, x, x}, Row::highHalf},

      {"V_DOT2_F32_F16", each32<fastDot2To32, dot2To32>(), f, {p, p, f}},
      {"V_DOT2ACC_F32_F16", each32<fastDot2To32, dot2To32>(), f, {p, p, f}},
      {"V_DOT2_F32_BF16", each32<fastDot2Bf16To32, dot2Bf16To32>(), f, {b, b, f}},
      {"V_DOT2C_F32_BF16", each32<fastDot2Bf16To32, dot2Bf16To32>(), f, {b, b, f}},
      {"V_DOT2_F16_F16", each<dot2To16>(), h, {p, p, h}},
      {"V_DOT2_BF16_BF16", each<dot2ToBf16>(), i, {b, b, i}},
  };
  return rows;
}
