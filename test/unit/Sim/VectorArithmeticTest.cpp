//===- VectorArithmeticTest.cpp - results against the C library and wider types -===//
//
// Each operation in its usual form, on special values and random ones, against what C computes
// in the same or a wider type. The rounding modes are those of the host's <cfenv>.
//
//===----------------------------------------------------------------------===//

#include "OneWave.h"

#include <cfenv>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <random>

using namespace tinysim::test;

namespace {
using U = uint32_t;
using UL = uint64_t;
using U3 = std::function<U(U, U, U)>;

float f(U x) { return OneWave::number(x); }
double d(UL x) { return OneWave::number(x); }
U b(float x) { return OneWave::bits(x); }
UL b(double x) { return OneWave::bits(x); }
int32_t i(U x) { return static_cast<int32_t>(x); }
bool isNaN32(U x) { return (x & 0x7fffffff) > 0x7f800000; }
bool isNaN16(U x) { return (x & 0x7fff) > 0x7c00; }

/// f16 to double and back by the definition of the format.
double half(U x) {
  double sign = x & 0x8000 ? -1 : 1;
  int exponent = x >> 10 & 31;
  double fraction = x & 1023;
  if (exponent == 31)
    return fraction != 0 ? NAN : sign * INFINITY;
  return sign * (exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24));
}
/// In the host's rounding mode.
U toHalf(double x) {
  U sign = std::signbit(x) ? 0x8000 : 0;
  if (std::isnan(x))
    return 0x7e00;
  if (std::isinf(x))
    return sign | 0x7c00;
  if (x == 0)
    return sign;
  int exponent = std::max(std::ilogb(x), -14);
  double ulps = std::nearbyint(std::ldexp(x, 10 - exponent)); // exact but for the rounding
  double value = std::fabs(std::ldexp(ulps, exponent - 10));
  if (value >= 65536) {
    bool up = std::fegetround() == FE_UPWARD, down = std::fegetround() == FE_DOWNWARD;
    bool largest = std::fegetround() == FE_TOWARDZERO || (up && sign) || (down && !sign);
    return sign | (largest ? 0x7bff : 0x7c00);
  }
  if (value < std::ldexp(1, -14))
    return sign | static_cast<U>(std::ldexp(value, 24));
  exponent = std::ilogb(value);
  return sign | static_cast<U>((exponent + 14) * 1024 + std::ldexp(value, 10 - exponent));
}

const U special32[] = {0,          0x80000000, 1,          0x80000001, 0x007fffff, 0x00800000,
                       0x3f800000, 0xbf800000, 0x3f7fffff, 0x40000000, 0x4b000000, 0x4b800001,
                       0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345,
                       0x7f812345, 0x3effffff, 0x3f000000, 0xbf000000, 0x40200000, 0xc0200000,
                       0x4effffff, 0x4f000000, 0xcf000000, 0x4f7fffff, 0x4f800000, 0xffffffff,
                       0x7fffffff, 0x0000ffff, 0xffff0000, 0x3c003c00, 0x7c00fc00, 0x00018001};
const U special16[] = {0,      0x8000, 1,      0x8001, 0x03ff, 0x0400, 0x3c00, 0xbc00,
                       0x3bff, 0x4000, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00, 0xfe01,
                       0x7c01, 0x3800, 0xb800, 0x4100, 0x6400, 0x77ff, 0xffff, 0x7fff};
template <size_t n> U pick(std::mt19937_64 &random, const U (&specials)[n]) {
  U value = static_cast<U>(random());
  switch (random() % 4) {
  case 0:
    return specials[random() % n];
  case 1: // near 1, so that sums cancel and products stay finite
    return (value & 0x80ffffff) | 0x3f000000;
  default:
    return value;
  }
}

struct Case {
  const char *assembly; // of v3 from v0, v1, v2
  U3 expected;
  bool isFloat = false; // NaNs equal NaNs
};
void check32(const Case &c, unsigned rounds = 40, U modeBits = 0x3f0) {
  std::mt19937_64 random(7);
  OneWave wave;
  wave.wave.mode.bits = modeBits;
  for (unsigned round = 0; round < rounds; ++round) {
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned k = 0; k < 3; ++k)
        wave.v(k, lane) = pick(random, special32);
    ASSERT_TRUE(wave.run(c.assembly)) << wave.problem;
    for (unsigned lane = 0; lane < 32; ++lane) {
      U x = wave.v(0, lane), y = wave.v(1, lane), z = wave.v(2, lane);
      U expected = c.expected(x, y, z), actual = wave.v(3, lane);
      if (c.isFloat && isNaN32(expected) && isNaN32(actual))
        continue;
      ASSERT_EQ(actual, expected) << c.assembly << std::hex << " of " << x << " " << y << " " << z;
    }
  }
}
void check16(const Case &c, U modeBits = 0x3f0) {
  std::mt19937_64 random(7);
  OneWave wave;
  wave.wave.mode.bits = modeBits;
  for (unsigned round = 0; round < 40; ++round) {
    for (unsigned lane = 0; lane < 32; ++lane) {
      for (unsigned k = 0; k < 3; ++k)
        wave.v(k, lane) = (pick(random, special16) & 0xffff) | 0xabcd0000;
      wave.v(3, lane) = 0x12345678;
    }
    ASSERT_TRUE(wave.run(c.assembly)) << wave.problem;
    for (unsigned lane = 0; lane < 32; ++lane) {
      U x = wave.v(0, lane) & 0xffff, y = wave.v(1, lane) & 0xffff, z = wave.v(2, lane) & 0xffff;
      U expected = c.expected(x, y, z), actual = wave.v(3, lane);
      ASSERT_EQ(actual >> 16, 0x1234u) << c.assembly << " does not keep the other half";
      if (c.isFloat && isNaN16(expected) && isNaN16(actual & 0xffff))
        continue;
      ASSERT_EQ(actual & 0xffff, expected)
          << c.assembly << std::hex << " of " << x << " " << y << " " << z;
    }
  }
}
float least(float x, float y) {
  if (std::isnan(x) || std::isnan(y))
    return std::isnan(x) ? y : x;
  return x < y || (x == y && std::signbit(x)) ? x : y;
}
float most(float x, float y) { return -least(-x, -y); }
} // namespace

TEST(VectorArithmetic, Single) {
  const bool fl = true;
  const Case cases[] = {
      {"v_add_f32 v3, v0, v1", [](U x, U y, U) { return b(f(x) + f(y)); }, fl},
      {"v_sub_f32 v3, v0, v1", [](U x, U y, U) { return b(f(x) - f(y)); }, fl},
      {"v_subrev_f32 v3, v0, v1", [](U x, U y, U) { return b(f(y) - f(x)); }, fl},
      {"v_mul_f32 v3, v0, v1", [](U x, U y, U) { return b(f(x) * f(y)); }, fl},
      {"v_fma_f32 v3, v0, v1, v2", [](U x, U y, U z) { return b(std::fma(f(x), f(y), f(z))); }, fl},
      {"v_fma_f32 v3, -v0, |v1|, -|v2|",
       [](U x, U y, U z) { return b(std::fma(-f(x), std::fabs(f(y)), -std::fabs(f(z)))); }, fl},
      {"v_fmaak_f32 v3, v0, v1, 0x40490fdb",
       [](U x, U y, U) { return b(std::fma(f(x), f(y), f(0x40490fdb))); }, fl},
      {"v_fmamk_f32 v3, v0, 0x40490fdb, v2",
       [](U x, U, U z) { return b(std::fma(f(x), f(0x40490fdb), f(z))); }, fl},
      {"v_mul_dx9_zero_f32 v3, v0, v1",
       [](U x, U y, U) { return f(x) == 0 || f(y) == 0 ? 0 : b(f(x) * f(y)); }, fl},
      {"v_trunc_f32 v3, v0", [](U x, U, U) { return b(std::trunc(f(x))); }, fl},
      {"v_ceil_f32 v3, v0", [](U x, U, U) { return b(std::ceil(f(x))); }, fl},
      {"v_floor_f32 v3, v0", [](U x, U, U) { return b(std::floor(f(x))); }, fl},
      {"v_rndne_f32 v3, v0", [](U x, U, U) { return b(std::nearbyint(f(x))); }, fl},
      {"v_fract_f32 v3, v0",
       [](U x, U, U) {
         float r = f(x) - std::floor(f(x));
         return b(r >= 1 ? f(0x3f7fffff) : r);
       },
       fl},
      {"v_ldexp_f32 v3, v0, v1",
       [](U x, U y, U) { return b(std::ldexp(f(x), std::max(-500, std::min(500, i(y))))); }, fl},
      {"v_frexp_mant_f32 v3, v0",
       [](U x, U, U) {
         int e = 0;
         return std::isfinite(f(x)) ? b(std::frexp(f(x), &e)) : x;
       },
       fl},
      {"v_frexp_exp_i32_f32 v3, v0",
       [](U x, U, U) {
         int e = 0;
         if (std::isfinite(f(x)))
           std::frexp(f(x), &e);
         return static_cast<U>(e);
       }},
      {"v_cvt_i32_f32 v3, v0",
       [](U x, U, U) {
         double t = std::trunc(static_cast<double>(f(x)));
         return std::isnan(t) ? 0u
                              : static_cast<U>(static_cast<int32_t>(
                                    std::min(2147483647.0, std::max(-2147483648.0, t))));
       }},
      {"v_cvt_u32_f32 v3, v0",
       [](U x, U, U) {
         double t = std::trunc(static_cast<double>(f(x)));
         return std::isnan(t) ? 0u : static_cast<U>(std::min(4294967295.0, std::max(0.0, t)));
       }},
      {"v_cvt_floor_i32_f32 v3, v0",
       [](U x, U, U) {
         double t = std::floor(static_cast<double>(f(x)));
         return std::isnan(t) ? 0u
                              : static_cast<U>(static_cast<int32_t>(
                                    std::min(2147483647.0, std::max(-2147483648.0, t))));
       }},
      {"v_cvt_f32_i32 v3, v0", [](U x, U, U) { return b(static_cast<float>(i(x))); }},
      {"v_cvt_f32_u32 v3, v0", [](U x, U, U) { return b(static_cast<float>(x)); }},
      {"v_cvt_f32_ubyte2 v3, v0", [](U x, U, U) { return b(float(x >> 16 & 255)); }},
      {"v_cvt_off_f32_i4 v3, v0",
       [](U x, U, U) { return b((int(x & 15) - (x & 8 ? 16 : 0)) / 16.0f); }},
      {"v_cvt_pk_u8_f32 v3, v0, 2, v2",
       [](U x, U, U z) {
         float t = std::isnan(f(x)) ? 0 : std::min(255.0f, std::max(0.0f, std::trunc(f(x))));
         return (z & 0xff00ffff) | static_cast<U>(t) << 16;
       }},
      {"v_cvt_pk_norm_i16_f32 v3, v0, v1",
       [](U x, U y, U) {
         auto one = [](float t) {
           t = std::isnan(t) ? 0 : std::min(1.0f, std::max(-1.0f, t));
           return static_cast<U>(static_cast<int>(std::nearbyint(t * 32767.0))) & 0xffff;
         };
         return one(f(x)) | one(f(y)) << 16;
       }},
      {"v_cubeid_f32 v3, v0, v1, v2",
       [](U x, U y, U z) {
         float ax = std::fabs(f(x)), ay = std::fabs(f(y)), az = std::fabs(f(z));
         return b(az >= ax && az >= ay ? (f(z) < 0 ? 5.0f : 4.0f)
                  : ay >= ax           ? (f(y) < 0 ? 3.0f : 2.0f)
                                       : (f(x) < 0 ? 1.0f : 0.0f));
       }},
  };
  for (const Case &c : cases)
    check32(c);
}

TEST(VectorArithmetic, SingleMinMax) {
  for (U ieee : {0u, 0x200u}) { // with signalling NaNs apart, which IEEE mode returns quieted
    auto two = [&](float (*g)(float, float)) -> U3 {
      return [=](U x, U y, U) {
        for (U n : {x, y})
          if (ieee && isNaN32(n) && !(n & 0x400000))
            return n | 0x400000;
        return b(g(f(x), f(y)));
      };
    };
    U3 lo = two(least), hi = two(most);
    check32({"v_min_f32 v3, v0, v1", lo, true}, 40, 0x1f0 | ieee);
    check32({"v_max_f32 v3, v0, v1", hi, true}, 40, 0x1f0 | ieee);
    check32(
        {"v_min3_f32 v3, v0, v1, v2", [=](U x, U y, U z) { return lo(lo(x, y, 0), z, 0); }, true},
        40, 0x1f0 | ieee);
    check32(
        {"v_maxmin_f32 v3, v0, v1, v2", [=](U x, U y, U z) { return lo(hi(x, y, 0), z, 0); }, true},
        40, 0x1f0 | ieee);
    check32(
        {"v_minmax_f32 v3, v0, v1, v2", [=](U x, U y, U z) { return hi(lo(x, y, 0), z, 0); }, true},
        40, 0x1f0 | ieee);
    check32({"v_med3_f32 v3, v0, v1, v2",
             [=](U x, U y, U z) {
               if (isNaN32(x) || isNaN32(y) || isNaN32(z))
                 return lo(lo(x, y, 0), z, 0);
               return hi(lo(x, y, 0), lo(hi(x, y, 0), z, 0), 0);
             },
             true},
            40, 0x1f0 | ieee);
  }
}

TEST(VectorArithmetic, RoundingModes) {
  const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  for (U mode = 0; mode < 4; ++mode) {
    auto in = [&](auto compute) -> U3 { // volatile: the compiler does not know of the mode
      return [=](U x, U y, U z) {
        volatile float p = f(x), q = f(y), r = f(z);
        std::fesetround(modes[mode]);
        volatile float result = compute(p, q, r);
        std::fesetround(FE_TONEAREST);
        return b(result);
      };
    };
    auto in16 = [&](auto compute) -> U3 {
      return [=](U x, U y, U z) {
        volatile double p = half(x), q = half(y), r = half(z);
        std::fesetround(modes[mode]);
        U result = toHalf(compute(p, q, r));
        std::fesetround(FE_TONEAREST);
        return result;
      };
    };
    const U bits = 0x3f0 | mode, bits16 = 0x3f0 | mode << 2;
    check32({"v_add_f32 v3, v0, v1", in([](auto &x, auto &y, auto &) { return x + y; }), true}, 80,
            bits);
    check32({"v_sub_f32 v3, v0, v1", in([](auto &x, auto &y, auto &) { return x - y; }), true}, 80,
            bits);
    check32({"v_mul_f32 v3, v0, v1", in([](auto &x, auto &y, auto &) { return x * y; }), true}, 80,
            bits);
    check32({"v_fma_f32 v3, v0, v1, v2",
             in([](auto &x, auto &y, auto &z) { return std::fma(float(x), float(y), float(z)); }),
             true},
            80, bits);
    check32({"v_cvt_f32_i32 v3, v0",
             [=](U x, U, U) {
               volatile int32_t n = i(x);
               std::fesetround(modes[mode]);
               volatile float r = static_cast<float>(n);
               std::fesetround(FE_TONEAREST);
               return b(r);
             }},
            40, bits);
    // Products and sums of f16 are exact in double; of three, near enough for these values.
    check16({"v_add_f16 v3, v0, v1", in16([](auto &x, auto &y, auto &) { return x + y; }), true},
            bits16);
    check16({"v_mul_f16 v3, v0, v1", in16([](auto &x, auto &y, auto &) { return x * y; }), true},
            bits16);
    check16({"v_fma_f16 v3, v0, v1, v2", in16([](auto &x, auto &y, auto &z) {
               return static_cast<double>(static_cast<long double>(x) * y + z);
             }),
             true},
            bits16);
  }
}

TEST(VectorArithmetic, Half) {
  const bool fl = true;
  const Case cases[] = {
      {"v_sub_f16 v3, v0, v1", [](U x, U y, U) { return toHalf(half(x) - half(y)); }, fl},
      {"v_fma_f16 v3, -v0, |v1|, v2",
       [](U x, U y, U z) { return toHalf(-half(x) * std::fabs(half(y)) + half(z)); }, fl},
      {"v_trunc_f16 v3, v0", [](U x, U, U) { return toHalf(std::trunc(half(x))); }, fl},
      {"v_ceil_f16 v3, v0", [](U x, U, U) { return toHalf(std::ceil(half(x))); }, fl},
      {"v_floor_f16 v3, v0", [](U x, U, U) { return toHalf(std::floor(half(x))); }, fl},
      {"v_rndne_f16 v3, v0", [](U x, U, U) { return toHalf(std::nearbyint(half(x))); }, fl},
      {"v_rcp_f16 v3, v0", [](U x, U, U) { return toHalf(1 / half(x)); }, fl},
      {"v_sqrt_f16 v3, v0", [](U x, U, U) { return toHalf(std::sqrt(half(x))); }, fl},
      {"v_rsq_f16 v3, v0", [](U x, U, U) { return toHalf(1 / std::sqrt(half(x))); }, fl},
      {"v_exp_f16 v3, v0", [](U x, U, U) { return toHalf(std::exp2(half(x))); }, fl},
      {"v_log_f16 v3, v0", [](U x, U, U) { return toHalf(std::log2(half(x))); }, fl},
      {"v_ldexp_f16 v3, v0, v1",
       [](U x, U y, U) { return toHalf(std::ldexp(half(x), static_cast<int16_t>(y))); }, fl},
      {"v_frexp_exp_i16_f16 v3, v0",
       [](U x, U, U) {
         int e = 0;
         if (std::isfinite(half(x)))
           std::frexp(half(x), &e);
         return static_cast<U>(e) & 0xffff;
       }},
      {"v_cvt_i16_f16 v3, v0",
       [](U x, U, U) {
         double t = std::isnan(half(x)) ? 0 : std::trunc(half(x));
         return static_cast<U>(static_cast<int>(std::min(32767.0, std::max(-32768.0, t)))) & 0xffff;
       }},
      {"v_cvt_u16_f16 v3, v0",
       [](U x, U, U) {
         double t = std::isnan(half(x)) ? 0 : std::trunc(half(x));
         return static_cast<U>(std::min(65535.0, std::max(0.0, t)));
       }},
      {"v_cvt_f16_i16 v3, v0", [](U x, U, U) { return toHalf(static_cast<int16_t>(x)); }},
      {"v_cvt_f16_u16 v3, v0", [](U x, U, U) { return toHalf(x); }},
      {"v_add_nc_u16 v3, v0, v1", [](U x, U y, U) { return (x + y) & 0xffff; }},
      {"v_add_nc_u16 v3, v0, v1 clamp", [](U x, U y, U) { return std::min(x + y, 0xffffu); }},
      {"v_sub_nc_i16 v3, v0, v1 clamp",
       [](U x, U y, U) {
         int r = static_cast<int16_t>(x) - static_cast<int16_t>(y);
         return static_cast<U>(std::max(-32768, std::min(32767, r))) & 0xffff;
       }},
      {"v_mad_i16 v3, v0, v1, v2", [](U x, U y, U z) { return (x * y + z) & 0xffff; }},
      {"v_ashrrev_i16 v3, v0, v1",
       [](U x, U y, U) { return static_cast<U>(static_cast<int16_t>(y) >> (x & 15)) & 0xffff; }},
      {"v_med3_i16 v3, v0, v1, v2",
       [](U x, U y, U z) {
         int16_t n[] = {int16_t(x), int16_t(y), int16_t(z)};
         std::sort(n, n + 3);
         return static_cast<U>(n[1]) & 0xffff;
       }},
  };
  for (const Case &c : cases)
    check16(c);
}

TEST(VectorArithmetic, AllHalves) {
  OneWave wave;
  for (U base = 0; base < 0x10000; base += 32) {
    for (unsigned lane = 0; lane < 32; ++lane)
      wave.v(0, lane) = base + lane;
    ASSERT_TRUE(wave.run("v_cvt_f32_f16 v1, v0\nv_cvt_f16_f32 v2, v1")) << wave.problem;
    for (unsigned lane = 0; lane < 32; ++lane) {
      U x = base + lane;
      if (isNaN16(x)) {
        EXPECT_EQ(wave.v(1, lane), (x & 0x8000) << 16 | 0x7fc00000 | (x & 0x3ff) << 13);
        EXPECT_EQ(wave.v(2, lane), x | 0x200);
        continue;
      }
      ASSERT_EQ(wave.v(1, lane), b(static_cast<float>(half(x))));
      ASSERT_EQ(wave.v(2, lane), x);
    }
  }
}

TEST(VectorArithmetic, NarrowingRoundsOnceInAllModes) {
  const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  std::mt19937 random(3);
  OneWave wave;
  for (U mode = 0; mode < 4; ++mode)
    for (unsigned round = 0; round < 100; ++round) {
      wave.wave.mode.bits = 0x3f0 | mode << 2;
      for (unsigned lane = 0; lane < 32; ++lane) // exponents around those of f16, many ties
        wave.v(0, lane) = ((random() & 0x80000000) | (100 + random() % 46) << 23) |
                          (random() % 2 ? random() & 0x7fffff : (random() & 0x7ff) << 12);
      ASSERT_TRUE(wave.run("v_cvt_f16_f32 v1, v0")) << wave.problem;
      for (unsigned lane = 0; lane < 32; ++lane) {
        std::fesetround(modes[mode]);
        U expected = toHalf(f(wave.v(0, lane)));
        std::fesetround(FE_TONEAREST);
        ASSERT_EQ(wave.v(1, lane), expected) << std::hex << wave.v(0, lane) << " mode " << mode;
      }
    }
}

TEST(VectorArithmetic, Double) {
  std::mt19937_64 random(5);
  const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  const UL specials[] = {0,
                         1ull << 63,
                         1,
                         0x000fffffffffffff,
                         0x0010000000000000,
                         0x3ff0000000000000,
                         0x7fefffffffffffff,
                         0x7ff0000000000000,
                         0xfff0000000000000,
                         0x7ff8000000000000,
                         0x7ff0000000000001};
  for (U mode = 0; mode < 4; ++mode) {
    OneWave wave;
    wave.wave.mode.bits = 0x3f0 | mode << 2;
    for (unsigned round = 0; round < 100; ++round) {
      for (unsigned lane = 0; lane < 32; ++lane)
        for (unsigned k = 0; k < 6; k += 2) {
          UL x = random();
          x = random() % 5 == 0 ? specials[random() % 11]
              : random() % 2    ? (x & 0x800fffffffffffff) | (UL(1000 + random() % 60) << 52)
                                : x;
          wave.v(k, lane) = static_cast<U>(x);
          wave.v(k + 1, lane) = static_cast<U>(x >> 32);
        }
      ASSERT_TRUE(wave.run("v_add_f64 v[6:7], v[0:1], -v[2:3]\nv_mul_f64 v[8:9], v[0:1], v[2:3]\n"
                           "v_fma_f64 v[10:11], v[0:1], v[2:3], v[4:5]\n"
                           "v_rndne_f64 v[12:13], v[0:1]\nv_ldexp_f64 v[14:15], v[0:1], v2\n"
                           "v_cvt_i32_f64 v16, v[0:1]\nv_cvt_f64_u32 v[18:19], v0"))
          << wave.problem;
      for (unsigned lane = 0; lane < 32; ++lane) {
        volatile double x = d(wave.v64(0, lane)), y = d(wave.v64(2, lane)),
                        z = d(wave.v64(4, lane));
        auto expect = [&](unsigned v, auto compute) {
          std::fesetround(modes[mode]);
          volatile double e = compute();
          std::fesetround(FE_TONEAREST);
          double actual = d(wave.v64(v, lane));
          EXPECT_TRUE(std::isnan(e) ? std::isnan(actual) : wave.v64(v, lane) == b(double(e)))
              << v << " mode " << mode << " " << x << " " << y << " " << z << ": " << actual
              << ", expected " << e;
        };
        expect(6, [&] { return x - y; });
        expect(8, [&] { return x * y; });
        expect(10, [&] { return std::fma(double(x), double(y), double(z)); });
        int by = std::max(-4000, std::min(4000, i(wave.v(2, lane))));
        expect(14, [&] { return std::ldexp(double(x), by); });
        EXPECT_EQ(wave.v64(18, lane), b(static_cast<double>(wave.v(0, lane))));
        double t =
            std::isnan(x) ? 0 : std::min(2147483647.0, std::max(-2147483648.0, std::trunc(x)));
        EXPECT_EQ(i(wave.v(16, lane)), static_cast<int32_t>(t));
      }
    }
  }
}
