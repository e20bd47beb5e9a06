//===- VectorSingle.cpp - f32 arithmetic ---------------------------------------===//
//
// The lane functions of single precision and their rows. Each arithmetic operation has two forms:
// LaneFast.h for rounding to nearest, and an exact one for the other modes and for NaNs.
//
//===----------------------------------------------------------------------===//

#include "VectorKernel.h"

using namespace tinysim;
using u32 = uint32_t;

// The exact forms.
static u32 exactAdd32(const LaneMode &m, u32 a, u32 b) { return exactAdd<F32>(a, b, m.f32.round); }
static u32 exactSub32(const LaneMode &m, u32 a, u32 b) { return exactSub<F32>(a, b, m.f32.round); }
static u32 exactSubRev32(const LaneMode &m, u32 a, u32 b) { return exactSub32(m, b, a); }
static u32 exactMul32(const LaneMode &m, u32 a, u32 b) { return exactMul<F32>(a, b, m.f32.round); }
static u32 exactFma32(const LaneMode &m, u32 a, u32 b, u32 c) {
  return exactFma<F32>(a, b, c, m.f32.round);
}
static u32 exactMulZero32(const LaneMode &m, u32 a, u32 b) {
  return isZero<F32>(a) || isZero<F32>(b) ? 0 : exactMul32(m, a, b);
}
static u32 exactFmaZero32(const LaneMode &m, u32 a, u32 b, u32 c) {
  return isZero<F32>(a) || isZero<F32>(b) ? c : exactFma32(m, a, b, c);
}
static u32 exactMin32(const LaneMode &m, u32 a, u32 b) {
  return exactMinMax<F32>(a, b, false, m.ieee);
}
static u32 exactMax32(const LaneMode &m, u32 a, u32 b) {
  return exactMinMax<F32>(a, b, true, m.ieee);
}
LANE u32 subRev32(u32 &special, u32 a, u32 b) { return sub32(special, b, a); }

// Three operands, each composed as the ISA document does.
LANE u32 min3(u32 &s, u32 a, u32 b, u32 c) { return min32(s, min32(s, a, b), c); }
LANE u32 max3(u32 &s, u32 a, u32 b, u32 c) { return max32(s, max32(s, a, b), c); }
LANE u32 minMax(u32 &s, u32 a, u32 b, u32 c) { return max32(s, min32(s, a, b), c); }
LANE u32 maxMin(u32 &s, u32 a, u32 b, u32 c) { return min32(s, max32(s, a, b), c); }
LANE u32 median(u32 &s, u32 a, u32 b, u32 c) {
  return max32(s, min32(s, a, b), min32(s, max32(s, a, b), c));
}
static u32 exactMin3(const LaneMode &m, u32 a, u32 b, u32 c) {
  return exactMin32(m, exactMin32(m, a, b), c);
}
static u32 exactMax3(const LaneMode &m, u32 a, u32 b, u32 c) {
  return exactMax32(m, exactMax32(m, a, b), c);
}
static u32 exactMinMax3(const LaneMode &m, u32 a, u32 b, u32 c) {
  return exactMax32(m, exactMin32(m, a, b), c);
}
static u32 exactMaxMin3(const LaneMode &m, u32 a, u32 b, u32 c) {
  return exactMin32(m, exactMax32(m, a, b), c);
}
static u32 exactMedian(const LaneMode &m, u32 a, u32 b, u32 c) {
  if (isNaN<F32>(a) || isNaN<F32>(b) || isNaN<F32>(c))
    return exactMin3(m, a, b, c);
  u32 special = 0;
  return median(special, a, b, c);
}

// Rounding to integers does not depend on the mode.
LANE u32 quiet32(float x) { return bitsOf(x) | (x != x ? 0x400000u : 0u); }
LANE u32 trunc32(u32 a) { return quiet32(__builtin_truncf(asFloat(a))); }
LANE u32 ceil32(u32 a) { return quiet32(__builtin_ceilf(asFloat(a))); }
LANE u32 floor32(u32 a) { return quiet32(__builtin_floorf(asFloat(a))); }
LANE u32 rndne32(u32 a) { return quiet32(__builtin_rintf(asFloat(a))); }
LANE u32 fract32(u32 &special, u32 a) {
  float r = asFloat(a) - __builtin_floorf(asFloat(a));
  special |= nanFlag(r);
  return bitsOf(r > asFloat(0x3f7fffff) ? asFloat(0x3f7fffff) : r);
}
static u32 exactFract32(const LaneMode &m, u32 a) {
  u32 r = exactSub<F32>(a, floor32(a), m.f32.round);
  return !isNaN<F32>(r) && r > 0x3f7fffff && !isNegative<F32>(r) ? 0x3f7fffff : r;
}

// The results of these flush denormals whatever MODE says.
LANE u32 flushed32(u32 x) { return x & (x & 0x7f800000 ? 0xffffffffu : 0x80000000u); }
/// A NaN is quieted at the end: compilers drop the way to double and back, which would do it.
template <double (*f)(double)> LANE u32 rounded32(u32 a) {
  return quiet32(static_cast<float>(f(asFloat(a))));
}
LANE u32 exp32(u32 a) { return flushed32(rounded32<exp2OfDouble>(flushed32(a))); }
LANE u32 log32(u32 a) { return flushed32(rounded32<log2OfDouble>(flushed32(a))); }
LANE u32 rcp32(u32 a) { return flushed32(rounded32<rcpOfDouble>(flushed32(a))); }
LANE u32 rsq32(u32 a) { return flushed32(rounded32<rsqOfDouble>(flushed32(a))); }
LANE u32 sqrt32(u32 a) { return flushed32(rounded32<sqrtOfDouble>(flushed32(a))); }
LANE u32 sin32(u32 a) { return rounded32<sinOfTurns>(a); }
LANE u32 cos32(u32 a) { return rounded32<cosOfTurns>(a); }

static u32 ldexp32(const LaneMode &m, u32 a, u32 by) {
  int exponent = static_cast<int32_t>(by);
  return scaled<F32>(a, exponent > 1000 ? 1000 : exponent < -1000 ? -1000 : exponent, m.f32.round);
}
static u32 frexpExponent32(u32 a) {
  if (isZero<F32>(a) || exponentOf<F32>(a) == F32::maxExponent)
    return 0;
  Unpacked u = unpack<F32>(a);
  return static_cast<u32>(u.exponent + 64 - __builtin_clzll(u.significand));
}
static u32 frexpMantissa32(u32 a) {
  if (isZero<F32>(a) || exponentOf<F32>(a) == F32::maxExponent)
    return quieted<F32>(a);
  return scaled<F32>(a, -static_cast<int32_t>(frexpExponent32(a)), Rounding::nearest);
}

static u32 mullit32(const LaneMode &m, u32 a, u32 b, u32 c) {
  const u32 lowest = F32::sign | F32::largest;
  if (b == lowest || b == (F32::sign | F32::infinity) || isNaN<F32>(b) || isNaN<F32>(c) ||
      isZero<F32>(c) || isNegative<F32>(c))
    return lowest;
  return exactMulZero32(m, a, b);
}

// Cube maps. `major` is 2, 1 or 0 for z, y, x, whose magnitude is the largest, in that order.
LANE int major(float x, float y, float z) {
  x = __builtin_fabsf(x), y = __builtin_fabsf(y), z = __builtin_fabsf(z);
  return z >= x && z >= y ? 2 : y >= x ? 1 : 0;
}
static u32 cubeId(u32 a, u32 b, u32 c) {
  float x = asFloat(a), y = asFloat(b), z = asFloat(c);
  int axis = major(x, y, z);
  return bitsOf(static_cast<float>(2 * axis + ((axis == 2 ? z : axis == 1 ? y : x) < 0)));
}
static u32 cubeS(u32 a, u32 b, u32 c) {
  float x = asFloat(a), z = asFloat(c);
  switch (major(x, asFloat(b), z)) {
  case 2:
    return z < 0 ? a ^ 0x80000000 : a;
  case 1:
    return a;
  default:
    return x < 0 ? c : c ^ 0x80000000;
  }
}
static u32 cubeT(u32 a, u32 b, u32 c) {
  float y = asFloat(b);
  if (major(asFloat(a), y, asFloat(c)) != 1)
    return b ^ 0x80000000;
  return y < 0 ? c ^ 0x80000000 : c;
}
static u32 cubeMajor(const LaneMode &m, u32 a, u32 b, u32 c) {
  int axis = major(asFloat(a), asFloat(b), asFloat(c));
  return exactMul<F32>(axis == 2 ? c : axis == 1 ? b : a, 0x40000000, m.f32.round);
}

/// Within the documented error of 1 ULP of the exact value: the float on its other side, or the
/// nearest one still, by a hash of the result. (A step the other way would be up to 1.5 ULP off,
/// and the integer division that compilers emit would then be wrong.) The documented examples are
/// all powers of two, zeros, infinities and NaNs, and stay. So do the neighbours of powers of two:
/// with a reciprocal of the largest mantissa that is off in either direction, the division that
/// compilers emit would not round correctly, which it does.
static u32 nudged32(u32 r, double exact) {
  u32 fraction = r & 0x7fffff;
  if (fraction <= 1 || fraction == 0x7fffff || (r & 0x7f800000) == 0x7f800000)
    return r;
  double value = static_cast<double>(asFloat(r));
  if (value == exact || !(r * 0x9e3779b9u >> 16 & 1))
    return r;
  return (exact > value) == !(r >> 31) ? r + 1 : r - 1;
}
namespace {
/// A kernel whose last bit the hardware does not promise.
template <auto f, double (*exact)(double)> struct Approximate {
  TINYSIM_INLINE static void run(const LaneBlock &b) {
    kernels::Loop<f>::run(b);
    if (b.perturb)
      for (unsigned lane = 0; lane < LaneBlock::size; ++lane)
        static_cast<u32 *>(b.dst)[lane] =
            nudged32(static_cast<u32 *>(b.dst)[lane],
                     exact(asFloat(flushed32(static_cast<const u32 *>(b.src[0])[lane]))));
  }
};
} // namespace
template <auto f, double (*exact)(double)> static constexpr Kernels approximate() {
  return kernels::both<Approximate<f, exact>>();
}

llvm::ArrayRef<Row> tinysim::singleRows() {
  const Type f = Type::f32, i = Type::b32;
  const uint8_t inputOnly = Row::noOutputFlush;
  static const Row rows[] = {
      {"V_ADD_F32", each32<add32, exactAdd32>(), f, {f, f}},
      {"V_SUB_F32", each32<sub32, exactSub32>(), f, {f, f}},
      {"V_SUBREV_F32", each32<subRev32, exactSubRev32>(), f, {f, f}},
      {"V_MUL_F32", each32<mul32, exactMul32>(), f, {f, f}},
      {"V_MUL_DX9_ZERO_F32", each32<mulZero32, exactMulZero32>(), f, {f, f}},
      {"V_FMA_F32", each32<fma32, exactFma32>(), f, {f, f, f}},
      {"V_FMAC_F32", each32<fma32, exactFma32>(), f, {f, f, f}},
      {"V_FMAMK_F32", each32<fma32, exactFma32>(), f, {f, f, f}},
      {"V_FMAAK_F32", each32<fma32, exactFma32>(), f, {f, f, f}},
      {"V_FMA_DX9_ZERO_F32", each32<fmaZero32, exactFmaZero32>(), f, {f, f, f}},
      {"V_FMAC_DX9_ZERO_F32", each32<fmaZero32, exactFmaZero32>(), f, {f, f, f}},
      {"V_MIN_F32", each32<min32, exactMin32>(), f, {f, f}, inputOnly},
      {"V_MAX_F32", each32<max32, exactMax32>(), f, {f, f}, inputOnly},
      {"V_MIN3_F32", each32<min3, exactMin3>(), f, {f, f, f}, inputOnly},
      {"V_MAX3_F32", each32<max3, exactMax3>(), f, {f, f, f}, inputOnly},
      {"V_MED3_F32", each32<median, exactMedian>(), f, {f, f, f}, inputOnly},
      {"V_MINMAX_F32", each32<minMax, exactMinMax3>(), f, {f, f, f}, inputOnly},
      {"V_MAXMIN_F32", each32<maxMin, exactMaxMin3>(), f, {f, f, f}, inputOnly},
      {"V_TRUNC_F32", each<trunc32>(), f, {f}},
      {"V_CEIL_F32", each<ceil32>(), f, {f}},
      {"V_FLOOR_F32", each<floor32>(), f, {f}},
      {"V_RNDNE_F32", each<rndne32>(), f, {f}},
      {"V_FRACT_F32", each32<fract32, exactFract32>(), f, {f}},
      {"V_EXP_F32", approximate<exp32, exp2OfDouble>(), f, {f}},
      {"V_LOG_F32", approximate<log32, log2OfDouble>(), f, {f}},
      {"V_RCP_F32", approximate<rcp32, rcpOfDouble>(), f, {f}},
      {"V_RCP_IFLAG_F32", approximate<rcp32, rcpOfDouble>(), f, {f}},
      {"V_RSQ_F32", approximate<rsq32, rsqOfDouble>(), f, {f}},
      {"V_SQRT_F32", approximate<sqrt32, sqrtOfDouble>(), f, {f}},
      {"V_SIN_F32", approximate<sin32, sinOfTurns>(), f, {f}},
      {"V_COS_F32", approximate<cos32, cosOfTurns>(), f, {f}},
      {"V_LDEXP_F32", each<ldexp32>(), f, {f, i}},
      {"V_FREXP_EXP_I32_F32", each<frexpExponent32>(), i, {f}},
      {"V_FREXP_MANT_F32", each<frexpMantissa32>(), f, {f}},
      {"V_MULLIT_F32", each<mullit32>(), f, {f, f, f}},
      {"V_CUBEID_F32", each<cubeId>(), f, {f, f, f}},
      {"V_CUBESC_F32", each<cubeS>(), f, {f, f, f}},
      {"V_CUBETC_F32", each<cubeT>(), f, {f, f, f}},
      {"V_CUBEMA_F32", each<cubeMajor>(), f, {f, f, f}},
  };
  return rows;
}
