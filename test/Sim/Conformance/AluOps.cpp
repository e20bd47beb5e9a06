//===- AluOps.cpp - floating-point lane operations --------------------------===//
//
// After the RDNA3 instruction set reference, chapter 16 (vector instructions), for the
// modes a HSA kernel starts with: IEEE and DX10_CLAMP on, denormals kept, round to nearest.
// What the document leaves open (rounding of the odd conversions at a tie, say) is any().
//
//===----------------------------------------------------------------------===//

#include "Vector.h"

using namespace simtest;

using L = const Lane &;

static uint64_t F(float f) { return bitsOf(f); }
static uint64_t D(double d) { return bitsOf(d); }
static uint64_t H(double d) { return halfOf(d); }
static uint64_t HQ(__float128 q) { return halfOf(q); }

static bool signalling(char type, uint64_t v) {
  if (type == 'f')
    return isSignallingF(uint32_t(v));
  if (type == 'h')
    return isNanH(v & 0xffff) && !(v & 0x200);
  return (v & ~(1ull << 63)) > 0x7ff0000000000000 && !(v & 1ull << 51);
}

static double number(char type, uint64_t v) {
  return type == 'f' ? asF(uint32_t(v)) : type == 'h' ? asH(uint32_t(v)) : asD(v);
}

/// IEEE-754-2008 minNum/maxNum with -0 below +0; a signalling NaN gives a quiet one.
static uint64_t pick(char type, bool wantMax, uint64_t x, uint64_t y) {
  uint64_t nan = type == 'f' ? 0x7fc00000 : type == 'h' ? 0x7e00 : 0x7ff8000000000000;
  if (signalling(type, x) || signalling(type, y))
    return nan;
  double a = number(type, x), b = number(type, y);
  if (std::isnan(a))
    return y;
  if (std::isnan(b))
    return x;
  bool less = a < b || (a == b && std::signbit(a) && !std::signbit(b));
  return less != wantMax ? x : y;
}

template <char T> static bool anySignalling(L a, int n) {
  for (int i = 0; i < n; ++i)
    if (signalling(T, a.s[i]))
      return true;
  return false;
}

template <char T, bool First, bool Second> static uint64_t pick3(L a) {
  if (anySignalling<T>(a, 3))
    return a.any(); // quieted at which step?
  return pick(T, Second, pick(T, First, a.s[0], a.s[1]), a.s[2]);
}

template <char T> static uint64_t med3(L a) {
  for (int i = 0; i < 3; ++i)
    if (std::isnan(number(T, a.s[i])))
      return anySignalling<T>(a, 3) ? a.any() : pick3<T, false, false>(a);
  uint64_t most = pick(T, true, pick(T, true, a.s[0], a.s[1]), a.s[2]);
  if (number(T, most) == 0)
    return a.any(); // which zero
  if (most == a.s[0])
    return pick(T, true, a.s[1], a.s[2]);
  if (most == a.s[1])
    return pick(T, true, a.s[0], a.s[2]);
  return pick(T, true, a.s[0], a.s[1]);
}

static uint64_t saturate(double x, double low, double high) { // truncating
  if (std::isnan(x))
    return 0;
  x = trunc(x);
  return uint64_t(int64_t(x < low ? low : x > high ? high : x));
}

static uint64_t normalized(L a, double x, double scale, bool isSigned) {
  if (std::isnan(x))
    return 0;
  x = x > 1 ? 1 : x < (isSigned ? -1 : 0) ? (isSigned ? -1 : 0) : x;
  double y = x * scale, tie = std::fabs(y - floor(y) - 0.5);
  if (tie < 0.01)
    return a.any(); // how it rounds there is not documented
  return uint64_t(int64_t(rint(y))) & 0xffff;
}

template <char T> static uint64_t fract(L a) {
  double x = number(T, a.s[0]);
  if (!std::isfinite(x))
    return a.any();
  double y = T == 'f' ? float(a.f(0) - floorf(a.f(0))) : x - floor(x);
  if (T == 'h') {
    uint64_t h = H(y);
    return h == 0x3c00 ? a.any() : h;
  }
  if (y == 1)
    return a.any(); // 1, or the number below it
  return T == 'f' ? F(float(y)) : D(y);
}

static uint64_t cubeid(L a) {
  float x = a.f(0), y = a.f(1), z = a.f(2);
  if (std::isnan(x) || std::isnan(y) || std::isnan(z))
    return a.any();
  if (fabsf(z) >= fabsf(x) && fabsf(z) >= fabsf(y))
    return F(z < 0 ? 5 : 4);
  if (fabsf(y) >= fabsf(x))
    return F(y < 0 ? 3 : 2);
  return F(x < 0 ? 1 : 0);
}
static uint64_t cubema(L a) {
  uint64_t id = cubeid(a);
  float axis = id == F(4) || id == F(5) ? a.f(2) : id == F(2) || id == F(3) ? a.f(1) : a.f(0);
  return F(2 * axis);
}
static uint64_t cubesc(L a) {
  uint64_t id = cubeid(a);
  float r = id == F(5)                               ? -a.f(0)
            : id == F(4) || id == F(2) || id == F(3) ? a.f(0)
            : id == F(1)                             ? a.f(2)
                                                     : -a.f(2);
  return r == 0 ? a.any() : F(r);
}
static uint64_t cubetc(L a) {
  uint64_t id = cubeid(a);
  float r = id == F(3) ? -a.f(2) : id == F(2) ? a.f(2) : -a.f(1);
  return r == 0 ? a.any() : F(r);
}

/// Neither argument nor result is denormal: v_rcp_f32 and its like flush those.
static uint64_t plain(L a, double exact) {
  bool tiny = std::fabs(exact) < 0x1.1p-126 || std::fabs(exact) > 0x1.fp127;
  if (std::isfinite(exact) && exact != 0 && tiny)
    return a.any();
  if (a.f(0) != 0 && std::fabs(a.f(0)) < 0x1p-126f)
    return a.any();
  return F(float(exact));
}
static uint64_t plainH(L a, double exact) {
  if (std::isfinite(exact) && exact != 0 && std::fabs(exact) < 0x1.1p-14)
    return a.any();
  return H(exact);
}
static uint64_t angle(L a, double turns, double (*f)(double)) {
  if (!std::isfinite(turns))
    return F(NAN);
  if (std::fabs(turns) > 256)
    return a.any(); // out of the documented range
  turns -= rint(turns);
  double r = f(turns * 6.283185307179586476925);
  return std::fabs(r) < 0.01 ? a.any() : F(float(r));
}
static uint64_t angleH(L a, double (*f)(double)) {
  if (!std::isfinite(a.h(0)))
    return 0x7e00;
  if (std::fabs(a.h(0)) > 256)
    return a.any();
  double r = f((a.h(0) - rint(a.h(0))) * 6.283185307179586476925);
  return std::fabs(r) < 0.01 ? a.any() : H(r);
}
static uint64_t frexpExponent(double x) {
  int e = 0;
  if (std::isfinite(x) && x != 0)
    frexp(x, &e);
  return uint64_t(int64_t(e));
}
static double frexpMantissa(double x) {
  int e;
  return std::isfinite(x) ? frexp(x, &e) : x;
}
static float legacy(float x, float y) { return x == 0 || y == 0 ? 0.0f : x * y; }
static uint64_t dx9Fma(L a) {
  if (a.f(0) != 0 && a.f(1) != 0)
    return F(fmaf(a.f(0), a.f(1), a.f(2)));
  return a.f(2) == 0 ? a.any() : a.s[2];
}

static uint64_t divFixupF32(L a) {
  float den = a.f(1), num = a.f(2);
  bool negative = std::signbit(den) != std::signbit(num);
  if (std::isnan(num) || std::isnan(den))
    return F(NAN);
  if ((num == 0 && den == 0) || (std::isinf(num) && std::isinf(den)))
    return 0xffc00000;
  if (den == 0 || std::isinf(num))
    return F(negative ? -INFINITY : INFINITY);
  if (std::isinf(den) || num == 0)
    return F(negative ? -0.0f : 0.0f);
  if (std::abs(ilogb(num) - ilogb(den)) > 120 || std::isnan(a.f(0)))
    return a.any(); // near overflow and underflow
  return (a.u(0) & 0x7fffffff) | (negative ? 0x80000000 : 0);
}
static uint64_t divFixupF64(L a) {
  double den = a.d(1), num = a.d(2);
  uint64_t sign = (a.s[1] ^ a.s[2]) & 1ull << 63;
  if (std::isnan(num) || std::isnan(den))
    return D(NAN);
  if ((num == 0 && den == 0) || (std::isinf(num) && std::isinf(den)))
    return 0xfff8000000000000;
  if (den == 0 || std::isinf(num))
    return D(INFINITY) | sign;
  if (std::isinf(den) || num == 0)
    return sign;
  if (std::abs(ilogb(num) - ilogb(den)) > 900 || std::isnan(a.d(0)))
    return a.any();
  return (a.s[0] & ~(1ull << 63)) | sign;
}
static uint64_t divFixupF16(L a) {
  double den = a.h(1), num = a.h(2);
  uint64_t sign = (a.s[1] ^ a.s[2]) & 0x8000;
  if (std::isnan(num) || std::isnan(den))
    return 0x7e00;
  if ((num == 0 && den == 0) || (std::isinf(num) && std::isinf(den)))
    return 0xfe00;
  if (den == 0 || std::isinf(num))
    return 0x7c00 | sign;
  if (std::isinf(den) || num == 0)
    return sign;
  return std::isnan(a.h(0)) ? a.any() : (a.s[0] & 0x7fff) | sign;
}

static uint64_t fmaH(L a, uint64_t x, uint64_t y, uint64_t z) {
  double p = asH(x) * asH(y), c = asH(z);
  if (!std::isfinite(p) || !std::isfinite(c))
    return H(p + c);
  return HQ(static_cast<__float128>(p) + c == 0 ? static_cast<__float128>(p + c)
                                                : static_cast<__float128>(p) + c);
}

static uint64_t mullit(L a) {
  float x = a.f(0), y = a.f(1), z = a.f(2);
  if (y == -3.40282347e38f || std::isinf(y) || std::isnan(y) || z <= 0 || std::isnan(z) ||
      std::isnan(x))
    return a.any();
  return F(legacy(x, y));
}

const std::vector<Op> simtest::kAluOps = {
    // single precision
    {"v_add_f32", 2, "f:ff", [](L a) { return F(a.f(0) + a.f(1)); }},
    {"v_sub_f32", 2, "f:ff", [](L a) { return F(a.f(0) - a.f(1)); }},
    {"v_subrev_f32", 2, "f:ff", [](L a) { return F(a.f(1) - a.f(0)); }},
    {"v_mul_f32", 2, "f:ff", [](L a) { return F(a.f(0) * a.f(1)); }},
    {"v_mul_dx9_zero_f32", 2, "f:ff", [](L a) { return F(legacy(a.f(0), a.f(1))); }},
    {"v_fmac_f32", 2, "f:fff", [](L a) { return F(fmaf(a.f(0), a.f(1), a.f(2))); }, kAccumulate},
    {"v_fmac_dx9_zero_f32", 2, "f:fff", dx9Fma, kAccumulate | kNoDpp},
    {"v_min_f32", 2, "f:ff", [](L a) { return pick('f', false, a.s[0], a.s[1]); }},
    {"v_max_f32", 2, "f:ff", [](L a) { return pick('f', true, a.s[0], a.s[1]); }},
    {"v_fma_f32", 3, "f:fff", [](L a) { return F(fmaf(a.f(0), a.f(1), a.f(2))); }},
    {"v_fma_dx9_zero_f32", 3, "f:fff", dx9Fma, kNoDpp},
    {"v_min3_f32", 3, "f:fff", pick3<'f', false, false>},
    {"v_max3_f32", 3, "f:fff", pick3<'f', true, true>},
    {"v_minmax_f32", 3, "f:fff", pick3<'f', false, true>},
    {"v_maxmin_f32", 3, "f:fff", pick3<'f', true, false>},
    {"v_med3_f32", 3, "f:fff", med3<'f'>, kNoClamp},
    {"v_mullit_f32", 3, "f:fff", mullit, kNoClamp},
    {"v_cubeid_f32", 3, "f:fff", cubeid, kNoClamp},
    {"v_cubema_f32", 3, "f:fff", cubema, kNoClamp},
    {"v_cubesc_f32", 3, "f:fff", cubesc, kNoClamp},
    {"v_cubetc_f32", 3, "f:fff", cubetc, kNoClamp},
    {"v_div_fixup_f32", 3, "f:fff", divFixupF32, kNoClamp | kNoDpp},
    {"v_floor_f32", 1, "f:f", [](L a) { return F(floorf(a.f(0))); }},
    {"v_ceil_f32", 1, "f:f", [](L a) { return F(ceilf(a.f(0))); }},
    {"v_trunc_f32", 1, "f:f", [](L a) { return F(truncf(a.f(0))); }},
    {"v_rndne_f32", 1, "f:f", [](L a) { return F(rintf(a.f(0))); }},
    {"v_fract_f32", 1, "f:f", fract<'f'>},
    {"v_frexp_exp_i32_f32", 1, "u:f", [](L a) { return frexpExponent(a.f(0)) & 0xffffffff; }},
    {"v_frexp_mant_f32", 1, "f:f", [](L a) { return F(float(frexpMantissa(a.f(0)))); }},
    {"v_ldexp_f32", 3, "f:fu", [](L a) { return F(scalbnf(a.f(0), a.i(1))); }},
    {"v_rcp_f32", 1, "f:f", [](L a) { return plain(a, 1 / double(a.f(0))); }, 0, 1},
    {"v_rcp_iflag_f32", 1, "f:f", [](L a) { return plain(a, 1 / double(a.f(0))); }, 0, 1},
    {"v_rsq_f32", 1, "f:f", [](L a) { return plain(a, 1 / sqrt(double(a.f(0)))); }, 0, 1},
    {"v_sqrt_f32", 1, "f:f", [](L a) { return plain(a, sqrt(double(a.f(0)))); }, 0, 1},
    {"v_exp_f32", 1, "f:f", [](L a) { return plain(a, exp2(double(a.f(0)))); }, 0, 1},
    {"v_log_f32", 1, "f:f",
     [](L a) { return std::fabs(a.f(0) - 1) < 0.01 ? a.any() : plain(a, log2(double(a.f(0)))); }, 0, 1},
    {"v_sin_f32", 1, "f:f", [](L a) { return angle(a, a.f(0), sin); }, 0, 512},
    {"v_cos_f32", 1, "f:f", [](L a) { return angle(a, a.f(0), cos); }, 0, 512},
    // conversions
    {"v_cvt_f32_i32", 1, "f:u", [](L a) { return F(float(a.i(0))); }},
    {"v_cvt_f32_u32", 1, "f:u", [](L a) { return F(float(a.u(0))); }},
    {"v_cvt_i32_f32", 1, "u:f", [](L a) { return saturate(a.f(0), -2147483648.0, 2147483647.0) & 0xffffffff; }},
    {"v_cvt_u32_f32", 1, "u:f", [](L a) { return saturate(a.f(0), 0, 4294967295.0); }},
    {"v_cvt_floor_i32_f32", 1, "u:f",
     [](L a) { return saturate(floor(a.f(0)), -2147483648.0, 2147483647.0) & 0xffffffff; }},
    {"v_cvt_nearest_i32_f32", 1, "u:f",
     [](L a) {
       double x = a.f(0);
       if (floor(x + 0.5) != floor(double(a.f(0) + 0.5f)))
         return a.any();
       return saturate(floor(x + 0.5), -2147483648.0, 2147483647.0) & 0xffffffff;
     }},
    {"v_cvt_f32_ubyte0", 1, "f:u", [](L a) { return F(a.u(0) & 255); }},
    {"v_cvt_f32_ubyte1", 1, "f:u", [](L a) { return F(a.u(0) >> 8 & 255); }},
    {"v_cvt_f32_ubyte2", 1, "f:u", [](L a) { return F(a.u(0) >> 16 & 255); }},
    {"v_cvt_f32_ubyte3", 1, "f:u", [](L a) { return F(a.u(0) >> 24); }},
    {"v_cvt_off_f32_i4", 1, "f:u", [](L a) { return F(float(int32_t(a.u(0) << 28) >> 28) / 16); }, kNoClamp},
    {"v_cvt_f32_f16", 1, "f:h", [](L a) { return F(float(a.h(0))); }},
    {"v_cvt_f16_f32", 1, "h:f", [](L a) { return H(a.f(0)); }},
    {"v_cvt_f32_f64", 1, "f:d", [](L a) { return F(float(a.d(0))); }, kNoDpp},
    {"v_cvt_f64_f32", 1, "d:f", [](L a) { return D(a.f(0)); }, kNoDpp},
    {"v_cvt_f64_i32", 1, "d:u", [](L a) { return D(a.i(0)); }, kNoDpp},
    {"v_cvt_f64_u32", 1, "d:u", [](L a) { return D(a.u(0)); }, kNoDpp},
    {"v_cvt_i32_f64", 1, "u:d", [](L a) { return saturate(a.d(0), -2147483648.0, 2147483647.0) & 0xffffffff; }, kNoDpp},
    {"v_cvt_u32_f64", 1, "u:d", [](L a) { return saturate(a.d(0), 0, 4294967295.0); }, kNoDpp},
    {"v_cvt_f16_i16", 1, "h:w", [](L a) { return H(a.t(0)); }},
    {"v_cvt_f16_u16", 1, "h:w", [](L a) { return H(a.w(0)); }},
    {"v_cvt_i16_f16", 1, "w:h", [](L a) { return saturate(a.h(0), -32768, 32767) & 0xffff; }},
    {"v_cvt_u16_f16", 1, "w:h", [](L a) { return saturate(a.h(0), 0, 65535); }},
    {"v_cvt_norm_i16_f16", 1, "w:h", [](L a) { return normalized(a, a.h(0), 32767, true); }},
    {"v_cvt_norm_u16_f16", 1, "w:h", [](L a) { return normalized(a, a.h(0), 65535, false); }},
    {"v_cvt_pk_norm_i16_f16", 3, "u:hh",
     [](L a) { return normalized(a, a.h(0), 32767, true) | normalized(a, a.h(1), 32767, true) << 16; }},
    {"v_cvt_pk_norm_u16_f16", 3, "u:hh",
     [](L a) { return normalized(a, a.h(0), 65535, false) | normalized(a, a.h(1), 65535, false) << 16; }},
    {"v_cvt_pk_norm_i16_f32", 3, "u:ff",
     [](L a) { return normalized(a, a.f(0), 32767, true) | normalized(a, a.f(1), 32767, true) << 16; }},
    {"v_cvt_pk_norm_u16_f32", 3, "u:ff",
     [](L a) { return normalized(a, a.f(0), 65535, false) | normalized(a, a.f(1), 65535, false) << 16; }},
    {"v_cvt_pk_rtz_f16_f32", 2, "p:ff",
     [](L a) -> uint64_t {
       if (std::isnan(a.f(0)) || std::isnan(a.f(1)))
         return a.any();
       return halfOf(double(a.f(0)), zero) | halfOf(double(a.f(1)), zero) << 16;
     }},
    {"v_cvt_pk_i16_f32", 3, "u:ff",
     [](L a) { return (saturate(a.f(0), -32768, 32767) & 0xffff) | (saturate(a.f(1), -32768, 32767) & 0xffff) << 16; }},
    {"v_cvt_pk_u16_f32", 3, "u:ff",
     [](L a) { return saturate(a.f(0), 0, 65535) | saturate(a.f(1), 0, 65535) << 16; }},
    {"v_cvt_pk_u8_f32", 3, "u:fuu",
     [](L a) -> uint64_t {
       float x = a.f(0);
       if (std::isnan(x) || (x > 0 && x < 255 && x != truncf(x)))
         return a.any(); // the rounding is not documented
       uint32_t byte = x <= 0 ? 0 : x >= 255 ? 255 : uint32_t(x), at = (a.u(1) & 3) * 8;
       return (a.u(2) & ~(255u << at)) | byte << at;
     },
     kNoSources},
    // half precision
    {"v_add_f16", 2, "h:hh", [](L a) { return H(a.h(0) + a.h(1)); }},
    {"v_sub_f16", 2, "h:hh", [](L a) { return H(a.h(0) - a.h(1)); }},
    {"v_subrev_f16", 2, "h:hh", [](L a) { return H(a.h(1) - a.h(0)); }},
    {"v_mul_f16", 2, "h:hh", [](L a) { return H(a.h(0) * a.h(1)); }},
    {"v_fmac_f16", 2, "h:hhh", [](L a) { return fmaH(a, a.s[0], a.s[1], a.s[2]); }, kAccumulate},
    {"v_fma_f16", 3, "h:hhh", [](L a) { return fmaH(a, a.s[0], a.s[1], a.s[2]); }},
    {"v_min_f16", 2, "h:hh", [](L a) { return pick('h', false, a.s[0], a.s[1]); }},
    {"v_max_f16", 2, "h:hh", [](L a) { return pick('h', true, a.s[0], a.s[1]); }},
    {"v_min3_f16", 3, "h:hhh", pick3<'h', false, false>},
    {"v_max3_f16", 3, "h:hhh", pick3<'h', true, true>},
    {"v_minmax_f16", 3, "h:hhh", pick3<'h', false, true>},
    {"v_maxmin_f16", 3, "h:hhh", pick3<'h', true, false>},
    {"v_med3_f16", 3, "h:hhh", med3<'h'>, kNoClamp},
    {"v_div_fixup_f16", 3, "h:hhh", divFixupF16, kNoClamp},
    {"v_floor_f16", 1, "h:h", [](L a) { return H(floor(a.h(0))); }},
    {"v_ceil_f16", 1, "h:h", [](L a) { return H(ceil(a.h(0))); }},
    {"v_trunc_f16", 1, "h:h", [](L a) { return H(trunc(a.h(0))); }},
    {"v_rndne_f16", 1, "h:h", [](L a) { return H(rint(a.h(0))); }},
    {"v_fract_f16", 1, "h:h", fract<'h'>},
    {"v_frexp_exp_i16_f16", 1, "w:h", [](L a) { return frexpExponent(a.h(0)) & 0xffff; }},
    {"v_frexp_mant_f16", 1, "h:h", [](L a) { return H(frexpMantissa(a.h(0))); }},
    {"v_ldexp_f16", 2, "h:hw", [](L a) { return H(scalbn(a.h(0), a.t(1) < -200 ? -200 : a.t(1) > 200 ? 200 : a.t(1))); }, kNoSources},
    {"v_rcp_f16", 1, "h:h", [](L a) { return plainH(a, 1 / a.h(0)); }, 0, 1},
    {"v_rsq_f16", 1, "h:h", [](L a) { return plainH(a, 1 / sqrt(a.h(0))); }, 0, 1},
    {"v_sqrt_f16", 1, "h:h", [](L a) { return plainH(a, sqrt(a.h(0))); }, 0, 1},
    {"v_exp_f16", 1, "h:h", [](L a) { return plainH(a, exp2(a.h(0))); }, 0, 1},
    {"v_log_f16", 1, "h:h", [](L a) { return plainH(a, log2(a.h(0))); }, 0, 1},
    {"v_sin_f16", 1, "h:h", [](L a) { return angleH(a, sin); }, 0, 2},
    {"v_cos_f16", 1, "h:h", [](L a) { return angleH(a, cos); }, 0, 2},
    // double precision
    {"v_add_f64", 3, "d:dd", [](L a) { return D(a.d(0) + a.d(1)); }},
    {"v_mul_f64", 3, "d:dd", [](L a) { return D(a.d(0) * a.d(1)); }},
    {"v_fma_f64", 3, "d:ddd", [](L a) { return D(fma(a.d(0), a.d(1), a.d(2))); }},
    {"v_min_f64", 3, "d:dd", [](L a) { return pick('d', false, a.s[0], a.s[1]); }},
    {"v_max_f64", 3, "d:dd", [](L a) { return pick('d', true, a.s[0], a.s[1]); }},
    {"v_div_fixup_f64", 3, "d:ddd", divFixupF64, kNoClamp},
    {"v_ldexp_f64", 3, "d:du", [](L a) { return D(scalbn(a.d(0), a.i(1))); }},
    {"v_floor_f64", 1, "d:d", [](L a) { return D(floor(a.d(0))); }},
    {"v_ceil_f64", 1, "d:d", [](L a) { return D(ceil(a.d(0))); }},
    {"v_trunc_f64", 1, "d:d", [](L a) { return D(trunc(a.d(0))); }},
    {"v_rndne_f64", 1, "d:d", [](L a) { return D(rint(a.d(0))); }},
    {"v_fract_f64", 1, "d:d", fract<'d'>},
    {"v_frexp_exp_i32_f64", 1, "u:d", [](L a) { return frexpExponent(a.d(0)) & 0xffffffff; }},
    {"v_frexp_mant_f64", 1, "d:d", [](L a) { return D(frexpMantissa(a.d(0))); }},
    {"v_rcp_f64", 1, "d:d",
     [](L a) { return std::fabs(a.d(0)) > 1e300 || std::fabs(a.d(0)) < 1e-300 ? a.any() : D(1 / a.d(0)); }, 0, 0x1p29},
    {"v_rsq_f64", 1, "d:d",
     [](L a) { return a.d(0) > 1e300 || std::fabs(a.d(0)) < 1e-300 ? a.any() : D(1 / sqrt(a.d(0))); }, 0, 0x1p29},
    {"v_sqrt_f64", 1, "d:d",
     [](L a) { return a.d(0) > 1e300 || std::fabs(a.d(0)) < 1e-300 ? a.any() : D(sqrt(a.d(0))); }, 0, 0x1p29},
};
