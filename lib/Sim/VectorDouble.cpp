//===- VectorDouble.cpp - f64 arithmetic, and division in all widths -----------===//
//
// Double precision, and the three steps V_DIV_SCALE, V_DIV_FMAS, V_DIV_FIXUP that a correctly
// rounded division is made of. Where the pseudocode of the ISA document and what was seen on
// hardware differ, hardware wins; each such place says so.
//
//===----------------------------------------------------------------------===//

#include "VectorKernel.h"

using namespace tinysim;
using u32 = uint32_t;
using u64 = uint64_t;

static Rounding round64(const LaneMode &m) { return m.f16f64.round; }

static u64 exactAdd64(const LaneMode &m, u64 a, u64 b) { return exactAdd<F64>(a, b, round64(m)); }
static u64 exactMul64(const LaneMode &m, u64 a, u64 b) { return exactMul<F64>(a, b, round64(m)); }
static u64 exactFma64(const LaneMode &m, u64 a, u64 b, u64 c) {
  return exactFma<F64>(a, b, c, round64(m));
}
static u64 exactMin64(const LaneMode &m, u64 a, u64 b) {
  return exactMinMax<F64>(a, b, false, m.ieee);
}
static u64 exactMax64(const LaneMode &m, u64 a, u64 b) {
  return exactMinMax<F64>(a, b, true, m.ieee);
}

LANE u64 quiet64(double x) { return bitsOf(x) | (x != x ? F64::quiet : 0); }
LANE u64 trunc64(u64 a) { return quiet64(__builtin_trunc(asDouble(a))); }
LANE u64 ceil64(u64 a) { return quiet64(__builtin_ceil(asDouble(a))); }
LANE u64 floor64(u64 a) { return quiet64(__builtin_floor(asDouble(a))); }
LANE u64 rndne64(u64 a) { return quiet64(__builtin_rint(asDouble(a))); }
static u64 fract64(const LaneMode &m, u64 a) {
  const u64 below1 = 0x3fefffffffffffff;
  u64 r = exactAdd<F64>(a, floor64(a) ^ F64::sign, round64(m));
  if (isNaN<F64>(a) || isInfinite<F64>(a))
    return isNaN<F64>(a) ? quieted<F64>(a) : F64::invalid;
  return r > below1 && !isNegative<F64>(r) ? below1 : r;
}
static u64 ldexp64(const LaneMode &m, u64 a, u32 by) {
  int exponent = static_cast<int32_t>(by);
  return scaled<F64>(a, exponent > 5000 ? 5000 : exponent < -5000 ? -5000 : exponent, round64(m));
}
static u32 frexpExponent64(u64 a) {
  if (isZero<F64>(a) || exponentOf<F64>(a) == F64::maxExponent)
    return 0;
  Unpacked u = unpack<F64>(a);
  return static_cast<u32>(u.exponent + 64 - __builtin_clzll(u.significand));
}
static u64 frexpMantissa64(u64 a) {
  if (isZero<F64>(a) || exponentOf<F64>(a) == F64::maxExponent)
    return quieted<F64>(a);
  return scaled<F64>(a, -static_cast<int32_t>(frexpExponent64(a)), Rounding::nearest);
}

// The document grants these 2^29 ULP. Ours are as good as the host's, unless perturbed.
LANE u64 rcp64(u64 a) { return quiet64(rcpOfDouble(asDouble(a))); }
LANE u64 rsq64(u64 a) { return quiet64(rsqOfDouble(asDouble(a))); }
LANE u64 sqrt64(u64 a) { return quiet64(sqrtOfDouble(asDouble(a))); }

namespace {
/// Perturbs by up to 2^28 ULP, half of what is granted; powers of two and their neighbours stay,
/// for the reasons given in VectorSingle.cpp.
template <auto f> struct Approximate64 {
  TINYSIM_INLINE static void run(const LaneBlock &b) {
    kernels::Loop<f>::run(b);
    if (!b.perturb)
      return;
    u64 *results = static_cast<u64 *>(b.dst);
    for (unsigned lane = 0; lane < LaneBlock::size; ++lane) {
      u64 r = results[lane];
      u64 off = (r * 0x9e3779b97f4a7c15u >> 35) & 0x0fffffff, low = r & F64::fraction;
      if (low <= 1 || (r & F64::infinity) == F64::infinity || !(r & F64::infinity))
        continue;
      results[lane] = low > F64::fraction / 2 ? r - off : r + off;
    }
  }
};
} // namespace
template <auto f> static constexpr Kernels approximate64() {
  return kernels::both<Approximate64<f>>();
}

//===-- Division -------------------------------------------------------------===//

namespace {
/// The thresholds of V_DIV_SCALE per width.
template <class F> struct Division;
template <> struct Division<F32> {
  static constexpr int scale = 64, far = 96, tiny = 23, underflow = -150;
  static Rounding round(const LaneMode &m) { return m.f32.round; }
};
template <> struct Division<F64> {
  static constexpr int scale = 128, far = 768, tiny = 53, underflow = -1075;
  static Rounding round(const LaneMode &m) { return m.f16f64.round; }
};
} // namespace

/// The exponent of a number, denormals included, as if the field had no lower end.
template <class F> static int trueExponent(Bits x) {
  Unpacked u = unpack<F>(x);
  return u.significand ? u.exponent + 63 - __builtin_clzll(u.significand) : -100000;
}

/// Scales `value`, which is the denominator or the numerator, such that the Newton iteration
/// between neither overflows nor loses bits to denormals. The mask says that the quotient is off by
/// 2^scale. A zero on either side gives NaN and sets the mask, as seen on hardware. The quotient
/// counts as denormal by its exponents alone (also seen: 2^-126 / 1 sets the mask).
template <class F> static Bits divScale(Lane &lane, Bits value, Bits denominator, Bits numerator) {
  using D = Division<F>;
  auto by = [&](int n) { return scaled<F>(value, n, Rounding::nearest); };
  const bool isDenominator = value == denominator, isNumerator = value == numerator;
  lane.carryOut = 0;
  if (isZero<F>(numerator) || isZero<F>(denominator)) {
    lane.carryOut = 1;
    return F::invalid;
  }
  if (exponentOf<F>(numerator) == F::maxExponent || exponentOf<F>(denominator) == F::maxExponent)
    return quieted<F>(value); // V_DIV_FIXUP knows what to do
  const int n = trueExponent<F>(numerator), d = trueExponent<F>(denominator);
  const int lowest = 1 - F::bias;
  const bool tinyReciprocal = d >= F::bias - 1, tinyQuotient = n - d <= lowest;
  if (n - d >= D::far) { // near overflow: only the denominator
    lane.carryOut = 1;
    return isDenominator ? by(D::scale) : value;
  }
  if (isDenormal<F>(denominator))
    return by(D::scale);
  if (tinyReciprocal && tinyQuotient) {
    lane.carryOut = 1;
    return isDenominator ? by(-D::scale) : value;
  }
  if (tinyReciprocal)
    return by(-D::scale);
  if (tinyQuotient) { // only the numerator
    lane.carryOut = 1;
    return isNumerator ? by(D::scale) : value;
  }
  if (exponentOf<F>(numerator) <= D::tiny)
    return by(D::scale);
  return value;
}

/// Fused multiply-add whose result is scaled back where the mask says so: up for quotients that
/// were made small, down for those that were made large, told apart by the addend, with one
/// rounding. (The document's 2^32 is not what hardware does.)
template <class F> static Bits divFmas(Lane &lane, Bits a, Bits b, Bits c) {
  using D = Division<F>;
  int scale = !lane.maskIn ? 0 : exponentOf<F>(c) > F::bias ? D::scale : -D::scale;
  return exactFma<F>(a, b, c, D::round(lane.mode), scale);
}

/// The corner cases that all widths share; false where the quotient stands.
template <class F> static bool divSpecial(Bits denominator, Bits numerator, Bits &result) {
  Bits sign = (denominator ^ numerator) & F::sign;
  bool zeroD = isZero<F>(denominator), zeroN = isZero<F>(numerator);
  bool infiniteD = isInfinite<F>(denominator), infiniteN = isInfinite<F>(numerator);
  if (isNaN<F>(numerator) || isNaN<F>(denominator))
    result = firstNaN<F>(numerator, denominator);
  else if ((zeroD && zeroN) || (infiniteD && infiniteN))
    result = F::invalid;
  else if (zeroD || infiniteN)
    result = sign | F::infinity;
  else if (infiniteD || zeroN)
    result = sign;
  else
    return false;
  return true;
}
template <class F>
static Bits divFixup(const LaneMode &m, Bits quotient, Bits denominator, Bits numerator) {
  using D = Division<F>;
  Bits result;
  if (divSpecial<F>(denominator, numerator, result))
    return result;
  bool negative = isNegative<F>(denominator) != isNegative<F>(numerator);
  if (trueExponent<F>(numerator) - trueExponent<F>(denominator) < D::underflow)
    return underflowed<F>(negative, D::round(m));
  if (isNaN<F>(quotient)) // seen on hardware; the document does not say
    return overflowed<F>(negative, D::round(m));
  return (quotient & F::magnitude) | (negative ? F::sign : 0);
}

static u32 divScale32(Lane &l, u32 v, u32 d, u32 n) {
  return static_cast<u32>(divScale<F32>(l, v, d, n));
}
static u64 divScale64(Lane &l, u64 v, u64 d, u64 n) { return divScale<F64>(l, v, d, n); }
static u32 divFmas32(Lane &l, u32 a, u32 b, u32 c) {
  return static_cast<u32>(divFmas<F32>(l, a, b, c));
}
static u64 divFmas64(Lane &l, u64 a, u64 b, u64 c) { return divFmas<F64>(l, a, b, c); }
static u32 divFixup32(const LaneMode &m, u32 q, u32 d, u32 n) {
  return static_cast<u32>(divFixup<F32>(m, q, d, n));
}
static u64 divFixup64(const LaneMode &m, u64 q, u64 d, u64 n) { return divFixup<F64>(m, q, d, n); }
static u32 divFixup16(u32 q, u32 d, u32 n) {
  Bits result;
  if (divSpecial<F16>(d, n, result))
    return static_cast<u32>(result);
  return static_cast<u32>((q & F16::magnitude) | ((d ^ n) & F16::sign));
}

/// 53 bits of 2/pi from a place that the exponent and the segment name, rounded toward zero.
static u64 trigPreop(u64 a, u32 segment) {
  static const u64 twoOverPi[19] = {
      0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
      0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484,
      0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
      0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d, 0x7527bac7ebe5f17b,
      0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b0000,
  };
  const int exponent = exponentOf<F64>(a);
  unsigned shift = (segment & 31) * 53 + (exponent > 1077 ? exponent - 1077 : 0);
  auto word = [&](unsigned n) { return n < 19 ? twoOverPi[n] : 0; };
  unsigned first = shift / 64, offset = shift % 64;
  u64 top = word(first) << offset;
  if (offset)
    top |= word(first + 1) >> (64 - offset);
  u64 segmentBits = top >> 11;
  if (segmentBits == 0)
    return 0;
  int scale = -53 - static_cast<int>(shift) + (exponent >= 1968 ? 128 : 0);
  return roundTo<F64>(false, scale, segmentBits, Rounding::zero);
}

llvm::ArrayRef<Row> tinysim::doubleRows() {
  const Type d = Type::f64, f = Type::f32, h = Type::f16, i = Type::b32;
  const uint8_t inputOnly = Row::noOutputFlush;
  static const Row rows[] = {
      {"V_ADD_F64", each16Or64<add64, exactAdd64>(), d, {d, d}},
      {"V_MUL_F64", each16Or64<mul64, exactMul64>(), d, {d, d}},
      {"V_FMA_F64", each16Or64<fma64, exactFma64>(), d, {d, d, d}},
      {"V_MIN_F64", each16Or64<min64, exactMin64>(), d, {d, d}, inputOnly},
      {"V_MAX_F64", each16Or64<max64, exactMax64>(), d, {d, d}, inputOnly},
      {"V_TRUNC_F64", each<trunc64>(), d, {d}},
      {"V_CEIL_F64", each<ceil64>(), d, {d}},
      {"V_FLOOR_F64", each<floor64>(), d, {d}},
      {"V_RNDNE_F64", each<rndne64>(), d, {d}},
      {"V_FRACT_F64", each<fract64>(), d, {d}},
      {"V_LDEXP_F64", each<ldexp64>(), d, {d, i}},
      {"V_FREXP_EXP_I32_F64", each<frexpExponent64>(), i, {d}},
      {"V_FREXP_MANT_F64", each<frexpMantissa64>(), d, {d}},
      {"V_RCP_F64", approximate64<rcp64>(), d, {d}},
      {"V_RSQ_F64", approximate64<rsq64>(), d, {d}},
      {"V_SQRT_F64", approximate64<sqrt64>(), d, {d}},
      {"V_TRIG_PREOP_F64", each<trigPreop>(), d, {d, i}},
      {"V_DIV_SCALE_F32", each<divScale32>(), f, {f, f, f}, Row::maskOut},
      {"V_DIV_SCALE_F64", each<divScale64>(), d, {d, d, d}, Row::maskOut},
      {"V_DIV_FMAS_F32", each<divFmas32>(), f, {f, f, f}, Row::maskIn},
      {"V_DIV_FMAS_F64", each<divFmas64>(), d, {d, d, d}, Row::maskIn},
      {"V_DIV_FIXUP_F32", each<divFixup32>(), f, {f, f, f}},
      {"V_DIV_FIXUP_F64", each<divFixup64>(), d, {d, d, d}},
      {"V_DIV_FIXUP_F16", each<divFixup16>(), h, {h, h, h}},
  };
  return rows;
}
