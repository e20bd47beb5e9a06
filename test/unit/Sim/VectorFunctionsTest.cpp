//===- VectorFunctionsTest.cpp - transcendental functions and division ----------===//
//
// What the ISA document promises only within an error is held to that error, with and without
// perturbation; the division that compilers make of it must be correctly rounded in both.
//
//===----------------------------------------------------------------------===//

#include "OneWave.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace tinysim::test;

namespace {
using U = uint32_t;
using UL = uint64_t;

float f(U x) { return OneWave::number(x); }
double d(UL x) { return OneWave::number(x); }
U b(float x) { return OneWave::bits(x); }
UL b(double x) { return OneWave::bits(x); }
bool isNaN32(U x) { return (x & 0x7fffffff) > 0x7f800000; }
} // namespace

// The remainder is exact, and pi has 64 bits.
static double sineOfTurns(double x) {
  double r = std::remainder(x, 1.0);
  r = std::fabs(r) > 0.25 ? std::copysign(0.5, r) - r : r; // exact, and 0 where the sine is
  return static_cast<double>(std::sin(2 * std::acos(-1.0L) * r));
}
static double cosineOfTurns(double x) {
  long double r = 0.25L - std::fabs(std::remainder(x, 1.0));
  return static_cast<double>(std::sin(2 * std::acos(-1.0L) * r));
}

TEST(VectorFunctions, TranscendentalWithinOneUlp) {
  struct {
    const char *name;
    double (*exact)(double);
  } const functions[] = {
      {"v_exp_f32", [](double x) { return std::exp2(x); }},
      {"v_log_f32", [](double x) { return std::log2(x); }},
      {"v_rcp_f32", [](double x) { return 1 / x; }},
      {"v_rsq_f32", [](double x) { return 1 / std::sqrt(x); }},
      {"v_sqrt_f32", [](double x) { return std::sqrt(x); }},
      {"v_sin_f32", [](double x) { return sineOfTurns(x); }},
      {"v_cos_f32", [](double x) { return cosineOfTurns(x); }},
  };
  std::mt19937 random(11);
  for (bool perturb : {false, true})
    for (const auto &function : functions) {
      OneWave wave;
      wave.wave.perturb = perturb;
      unsigned changed = 0;
      for (unsigned round = 0; round < 200; ++round) {
        for (unsigned lane = 0; lane < 32; ++lane)
          wave.v(0, lane) = (random() & 0x807fffff) | (90 + random() % 70) << 23;
        ASSERT_TRUE(wave.run(std::string(function.name) + " v1, v0")) << wave.problem;
        for (unsigned lane = 0; lane < 32; ++lane) {
          double exact = function.exact(f(wave.v(0, lane)));
          float rounded = static_cast<float>(exact), actual = f(wave.v(1, lane));
          if (std::isnan(exact)) {
            EXPECT_EQ(wave.v(1, lane), 0xffc00000u);
            continue;
          }
          if (std::fabs(rounded) < 0x1p-126f) { // flushed
            EXPECT_LE(std::fabs(actual), 0x1p-126f);
            continue;
          }
          if (std::isinf(rounded)) {
            EXPECT_EQ(actual, rounded);
            continue;
          }
          double ulp = std::ldexp(1, std::ilogb(rounded) - 23);
          EXPECT_LE(std::fabs(actual - exact), (perturb ? 1.01 : 0.51) * ulp)
              << function.name << " " << f(wave.v(0, lane));
          changed += actual != rounded;
        }
      }
      if (perturb)
        EXPECT_GT(changed, 1000u) << function.name << " is not perturbed";
      else
        EXPECT_LT(changed, 20u) << function.name;
    }
}

TEST(VectorFunctions, DocumentedSpecialValues) {
  struct {
    const char *name;
    U in, out;
  } const rows[] = {
      {"v_exp_f32", 0xff800000, 0},
      {"v_exp_f32", 0x80000000, 0x3f800000},
      {"v_log_f32", 0xff800000, 0xffc00000},
      {"v_log_f32", 0xbf800000, 0xffc00000},
      {"v_log_f32", 0x80000000, 0xff800000},
      {"v_log_f32", 0x3f800000, 0},
      {"v_rcp_f32", 0xff800000, 0x80000000},
      {"v_rcp_f32", 0xc0000000, 0xbf000000},
      {"v_rcp_f32", 0x80000000, 0xff800000},
      {"v_rcp_f32", 0x7f800000, 0},
      {"v_rsq_f32", 0xff800000, 0xffc00000},
      {"v_rsq_f32", 0x80000000, 0xff800000},
      {"v_rsq_f32", 0x40800000, 0x3f000000},
      {"v_rsq_f32", 0x7f800000, 0},
      {"v_sqrt_f32", 0xff800000, 0xffc00000},
      {"v_sqrt_f32", 0x80000000, 0x80000000},
      {"v_sin_f32", 0xff800000, 0xffc00000},
      {"v_sin_f32", 0xff7fffff, 0},
      {"v_sin_f32", 0x80000000, 0x80000000},
      {"v_sin_f32", 0x3e800000, 0x3f800000},
      {"v_cos_f32", 0x7f800000, 0xffc00000},
      {"v_cos_f32", 0xff7fffff, 0x3f800000},
      {"v_cos_f32", 0x3e800000, 0},
      {"v_cos_f32", 0x80000000, 0x3f800000},
      {"v_sin_f16", 0x3400, 0x3c00},
      {"v_cos_f16", 0x7bff, 0x3c00},
      {"v_log_f16", 0xbc00, 0xfe00},
      {"v_rcp_f16", 0xc000, 0xb800},
      {"v_exp_f32", 0x7f812345, 0x7fc12345},
      {"v_log_f32", 0xff812345, 0xffc12345},
      {"v_rcp_f32", 0x7f812345, 0x7fc12345},
      {"v_sqrt_f32", 0xff812345, 0xffc12345},
      {"v_rsq_f32", 0x7f812345, 0x7fc12345},
      {"v_sin_f32", 0x7f812345, 0x7fc12345},
      {"v_cos_f32", 0xff812345, 0xffc12345},
      {"v_floor_f32", 0x7f812345, 0x7fc12345},
      {"v_clz_i32_u32", 0, 0xffffffff},
      {"v_clz_i32_u32", 0x100000ff, 3},
      {"v_ctz_i32_b32", 0xff000008, 3},
      {"v_cls_i32", 0, 0xffffffff},
      {"v_cls_i32", 0x40000000, 1},
      {"v_cls_i32", 0x0fffffff, 4},
      {"v_cls_i32", 0xffff0000, 16},
      {"v_cls_i32", 0xfffffffe, 31},
      {"v_bfrev_b32", 0x00000001, 0x80000000},
  };
  for (bool perturb : {false, true})
    for (const auto &row : rows) {
      OneWave wave;
      wave.wave.perturb = perturb;
      wave.fill(0, row.in);
      ASSERT_TRUE(wave.run(std::string(row.name) + " v1, v0")) << wave.problem;
      EXPECT_EQ(wave.v(1, 5), row.out) << row.name << std::hex << " " << row.in;
    }
}

TEST(VectorFunctions, DivisionIsCorrectlyRounded) {
  // The sequences compilers emit for x / y with denormals.
  const char *single = "v_div_scale_f32 v2, null, v1, v1, v0\n"
                       "v_div_scale_f32 v3, vcc_lo, v0, v1, v0\n"
                       "v_rcp_f32 v4, v2\nv_fma_f32 v5, -v2, v4, 1.0\nv_fmac_f32 v4, v5, v4\n"
                       "v_mul_f32 v6, v3, v4\nv_fma_f32 v5, -v2, v6, v3\nv_fmac_f32 v6, v5, v4\n"
                       "v_fma_f32 v5, -v2, v6, v3\nv_div_fmas_f32 v5, v5, v4, v6\n"
                       "v_div_fixup_f32 v7, v5, v1, v0";
  const char *wide =
      "v_div_scale_f64 v[4:5], null, v[2:3], v[2:3], v[0:1]\nv_rcp_f64 v[6:7], v[4:5]\n"
      "v_fma_f64 v[8:9], -v[4:5], v[6:7], 1.0\nv_fma_f64 v[6:7], v[6:7], v[8:9], v[6:7]\n"
      "v_fma_f64 v[8:9], -v[4:5], v[6:7], 1.0\nv_fma_f64 v[6:7], v[6:7], v[8:9], v[6:7]\n"
      "v_div_scale_f64 v[8:9], vcc_lo, v[0:1], v[2:3], v[0:1]\n"
      "v_mul_f64 v[10:11], v[8:9], v[6:7]\nv_fma_f64 v[4:5], -v[4:5], v[10:11], v[8:9]\n"
      "v_div_fmas_f64 v[4:5], v[4:5], v[6:7], v[10:11]\n"
      "v_div_fixup_f64 v[4:5], v[4:5], v[2:3], v[0:1]";
  const U special[] = {0,          0x80000000, 1,          0x3f800000,
                       0x7f800000, 0xff800000, 0x7fc00000, 0x007fffff};
  std::mt19937_64 random(9);
  for (bool perturb : {false, true}) {
    OneWave wave;
    wave.wave.perturb = perturb;
    for (unsigned round = 0; round < 400; ++round) {
      for (unsigned lane = 0; lane < 32; ++lane)
        for (unsigned k = 0; k < 2; ++k) {
          U x = random() % 4 ? U(random()) : special[random() % 8];
          if (random() % 4 == 0)
            x &= 0x80ffffff; // denormals and the smallest normal numbers
          if (random() % 8 == 0)
            x |= 0x7e000000; // the largest
          if (random() % 8 == 0)
            x |= 0x007fffff; // whose reciprocal lies all but halfway between two numbers
          wave.v(k, lane) = x;
        }
      std::vector<U> x(&wave.v(0), &wave.v(0) + 32), y(&wave.v(1), &wave.v(1) + 32);
      ASSERT_TRUE(wave.run(single)) << wave.problem;
      for (unsigned lane = 0; lane < 32; ++lane) {
        float expected = f(x[lane]) / f(y[lane]);
        ASSERT_TRUE(std::isnan(expected) ? isNaN32(wave.v(7, lane))
                                         : wave.v(7, lane) == b(expected))
            << f(x[lane]) << " / " << f(y[lane]) << " = " << f(wave.v(7, lane)) << ", expected "
            << expected;
      }
    }
    for (unsigned round = 0; round < 400; ++round) {
      std::vector<double> x(32), y(32);
      for (unsigned lane = 0; lane < 32; ++lane)
        for (unsigned k = 0; k < 2; ++k) {
          UL n = random();
          if (random() % 4 == 0)
            n &= 0x801fffffffffffff;
          if (random() % 8 == 0)
            n |= 0x7fe0000000000000;
          if (random() % 8 == 0)
            n |= 0x000fffffffffffff; // whose reciprocal lies all but halfway between two numbers
          (k ? y : x)[lane] = d(n);
          wave.v(2 * k, lane) = static_cast<U>(n);
          wave.v(2 * k + 1, lane) = static_cast<U>(n >> 32);
        }
      ASSERT_TRUE(wave.run(wide)) << wave.problem;
      for (unsigned lane = 0; lane < 32; ++lane) {
        double expected = x[lane] / y[lane], actual = d(wave.v64(4, lane));
        ASSERT_TRUE(std::isnan(expected) ? std::isnan(actual) : b(actual) == b(expected))
            << x[lane] << " / " << y[lane] << " = " << actual << ", expected " << expected;
      }
    }
  }
}
