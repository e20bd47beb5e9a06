//===- VectorWideTest.cpp - VOPD, WMMA, dot products ----------------------------===//

#include "OneWave.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace tinysim::test;

/// Every pair of VOPD against its halves as instructions of their own.
TEST(VectorWide, DualIsBothHalves) {
  struct Half {
    const char *dual, *single, *operands; // $d, $a, $b: registers
  };
  const Half halves[] = {
      {"v_dual_add_f32", "v_add_f32", "$d, $a, $b"},
      {"v_dual_sub_f32", "v_sub_f32", "$d, $a, $b"},
      {"v_dual_subrev_f32", "v_subrev_f32", "$d, $a, $b"},
      {"v_dual_mul_f32", "v_mul_f32", "$d, $a, $b"},
      {"v_dual_mul_dx9_zero_f32", "v_mul_dx9_zero_f32", "$d, $a, $b"},
      {"v_dual_fmac_f32", "v_fmac_f32", "$d, $a, $b"},
      {"v_dual_fmaak_f32", "v_fmaak_f32", "$d, $a, $b, 0x40490fdb"},
      {"v_dual_fmamk_f32", "v_fmamk_f32", "$d, $a, 0x40490fdb, $b"},
      {"v_dual_min_f32", "v_min_f32", "$d, $a, $b"},
      {"v_dual_max_f32", "v_max_f32", "$d, $a, $b"},
      {"v_dual_mov_b32", "v_mov_b32", "$d, $a"},
      {"v_dual_cndmask_b32", "v_cndmask_b32", "$d, $a, $b"},
      {"v_dual_dot2acc_f32_f16", "v_dot2acc_f32_f16", "$d, $a, $b"},
      {"v_dual_add_nc_u32", "v_add_nc_u32", "$d, $a, $b"},
      {"v_dual_lshlrev_b32", "v_lshlrev_b32", "$d, $a, $b"},
      {"v_dual_and_b32", "v_and_b32", "$d, $a, $b"},
  };
  auto text = [](const char *operands, const char *d, const char *a, const char *b) {
    std::string r;
    for (const char *c = operands; *c; ++c)
      if (*c == '$')
        r += *++c == 'd' ? d : *c == 'a' ? a : b;
      else
        r += *c;
    return r;
  };
  std::mt19937 random(4);
  for (unsigned x = 0; x < 13; ++x)
    for (unsigned y = 0; y < 16; ++y)
      for (uint32_t mode : {0x3f0u, 0x3c0u}) {
        OneWave dual, single;
        for (OneWave *wave : {&dual, &single}) {
          random.seed(x * 16 + y);
          wave->wave.mode.bits = mode;
          wave->setExec(0xfff7ffff);
          wave->s(106) = 0x12345678;
          for (unsigned v = 0; v < 8; ++v)
            for (unsigned lane = 0; lane < 32; ++lane)
              wave->v(v, lane) = lane < 4 ? random() & 0x807fffff : random();
        }
        // Y's sources are X's destination and the reverse: both read before either writes. The
        // saved copies serve the instructions that run one after the other.
        std::string dualText =
            std::string(halves[x].dual) + " " + text(halves[x].operands, "v4", "v1", "v2") +
            " :: " + halves[y].dual + " " + text(halves[y].operands, "v5", "v4", "v3");
        std::string xText =
            std::string(halves[x].single) + " " + text(halves[x].operands, "v4", "v1", "v2");
        std::string yText =
            std::string(halves[y].single) + " " + text(halves[y].operands, "v5", "v6", "v3");
        for (std::string *t : {&xText, &yText})
          if (t->find("cndmask") != std::string::npos)
            *t += ", vcc_lo";
        ASSERT_TRUE(dual.run(dualText)) << dual.problem;
        ASSERT_TRUE(single.run("v_mov_b32 v6, v4\n" + xText + "\n" + yText)) << single.problem;
        for (unsigned lane = 0; lane < 32; ++lane) {
          if (lane == 19)
            continue; // v6 is not written there
          ASSERT_EQ(dual.v(4, lane), single.v(4, lane)) << dualText;
          ASSERT_EQ(dual.v(5, lane), single.v(5, lane))
              << dualText << " lane " << lane << std::hex << " " << single.v(6, lane) << " "
              << single.v(3, lane) << " mode " << mode;
        }
      }
}

namespace {
double half(uint32_t x) {
  double s = x & 0x8000 ? -1 : 1;
  int e = x >> 10 & 31;
  return s * (e ? std::ldexp(1024 + (x & 1023), e - 25) : std::ldexp(x & 1023, -24));
}
double brain(uint32_t x) { return OneWave::number(x << 16); }
} // namespace

TEST(VectorWide, MatrixLayoutAndSums) {
  for (unsigned size : {32u, 64u})
    for (bool bf16 : {false, true})
      for (bool wide : {true, false}) {
        OneWave wave(size);
        std::mt19937 random(6);
        const unsigned registers = 256 / size;
        double a[16][16], b[16][16], c[16][16];
        auto element = [&] { // between 1/4 and 4, with a sign
          uint32_t r = random();
          return bf16 ? (r & 0x807f) | (125 + r % 4) << 7 : (r & 0x83ff) | (13 + r % 4) << 10;
        };
        for (unsigned n = 0; n < 16; ++n)
          for (unsigned k = 0; k < 16; ++k)
            for (unsigned base : {0u, 8u}) {
              uint32_t e = element();
              for (unsigned lane = n; lane < size; lane += 16)
                wave.v(base + k / 2, lane) |= e << (16 * (k % 2));
              (base ? b[k][n] : a[n][k]) = bf16 ? brain(e) : half(e);
            }
        for (unsigned r = 0; r < registers; ++r)
          for (unsigned lane = 0; lane < size; ++lane) {
            uint32_t e = element(), high = random() << 16;
            double value = bf16 ? brain(e) : half(e);
            wave.v(16 + r, lane) = wide ? OneWave::bits(float(value)) : e | high;
            c[r * (size / 16) + lane / 16][lane % 16] = value;
          }
        std::vector<uint32_t> before(&wave.v(16), &wave.v(16) + size * registers);
        std::string last = std::to_string(15 + registers);
        std::string d = "v[16:" + last + "]";
        std::string name = std::string("v_wmma_") +
                           (wide   ? "f32"
                            : bf16 ? "bf16"
                                   : "f16") +
                           "_16x16x16_" + (bf16 ? "bf16" : "f16");
        ASSERT_TRUE(wave.run(name + " " + d + ", v[0:7], v[8:15], " + d)) << wave.problem;
        for (unsigned r = 0; r < registers; ++r)
          for (unsigned lane = 0; lane < size; ++lane) {
            unsigned row = r * (size / 16) + lane / 16, column = lane % 16;
            double exact = c[row][column], magnitude = std::fabs(exact);
            for (unsigned k = 0; k < 16; ++k) {
              exact += a[row][k] * b[k][column];
              magnitude += std::fabs(a[row][k] * b[k][column]);
            }
            uint32_t word = wave.v(16 + r, lane);
            double actual = wide   ? OneWave::number(word)
                            : bf16 ? brain(word & 0xffff)
                                   : half(word & 0xffff);
            double bound = magnitude * 16 * 0x1p-24 +
                           (wide ? 0 : std::fabs(exact) * (bf16 ? 0x1p-8 : 0x1p-11));
            ASSERT_LE(std::fabs(actual - exact), bound) << name << " " << row << "," << column;
            if (!wide)
              ASSERT_EQ(word >> 16, before[r * size + lane] >> 16) << "the other half stays";
          }
      }
}

TEST(VectorWide, IntegerMatrix) {
  for (unsigned size : {32u, 64u})
    for (unsigned bits : {8u, 4u})
      for (unsigned signs = 0; signs < 4; ++signs)
        for (bool clamp : {false, true}) {
          OneWave wave(size);
          std::mt19937 random(8);
          const unsigned registers = 256 / size, perWord = 32 / bits, words = 16 / perWord;
          int a[16][16], b[16][16];
          for (unsigned n = 0; n < 16; ++n)
            for (unsigned k = 0; k < 16; ++k)
              for (unsigned source = 0; source < 2; ++source) {
                uint32_t e = random() & ((1u << bits) - 1);
                for (unsigned lane = n; lane < size; lane += 16)
                  wave.v(8 * source + k / perWord, lane) |= e << (bits * (k % perWord));
                int value = signs >> source & 1 && e >> (bits - 1) ? int(e) - (1 << bits) : int(e);
                (source ? b[k][n] : a[n][k]) = value;
              }
          std::vector<int32_t> c(size * registers);
          for (unsigned n = 0; n < size * registers; ++n) {
            c[n] = n % 7 == 0   ? 0x7fffffff - n
                   : n % 7 == 1 ? int32_t(0x80000000u + n)
                                : int32_t(random());
            wave.v(16 + n / size, n % size) = uint32_t(c[n]);
          }
          auto range = [](unsigned from, unsigned count) {
            return "v[" + std::to_string(from) + ":" + std::to_string(from + count - 1) + "]";
          };
          std::string text = "v_wmma_i32_16x16x16_iu" + std::to_string(bits) + " " +
                             range(16, registers) + ", " + range(0, words) + ", " +
                             range(8, words) + ", " + range(16, registers) + " neg_lo:[" +
                             std::to_string(signs & 1) + "," + std::to_string(signs >> 1) + ",0]" +
                             (clamp ? " clamp" : "");
          ASSERT_TRUE(wave.run(text)) << wave.problem;
          for (unsigned n = 0; n < size * registers; ++n) {
            unsigned lane = n % size, row = n / size * (size / 16) + lane / 16;
            int64_t sum = c[n];
            for (unsigned k = 0; k < 16; ++k)
              sum += a[row][k] * b[k][lane % 16];
            if (clamp)
              sum = std::max<int64_t>(INT32_MIN, std::min<int64_t>(INT32_MAX, sum));
            ASSERT_EQ(wave.v(16 + n / size, lane), uint32_t(sum)) << text << " " << n;
          }
        }
}

TEST(VectorWide, DotProducts) {
  std::mt19937 random(12);
  OneWave wave;
  for (unsigned round = 0; round < 20; ++round) {
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned v = 0; v < 3; ++v)
        wave.v(v, lane) = random();
    ASSERT_TRUE(
        wave.run("v_dot4_u32_u8 v3, v0, v1, v2\nv_dot4_i32_iu8 v4, v0, v1, v2 neg_lo:[1,0,0]\n"
                 "v_dot8_i32_iu4 v5, v0, v1, v2 neg_lo:[1,1,0] clamp\n"
                 "v_dot8_u32_u4 v6, v0, v1, v2 clamp"))
        << wave.problem;
    for (unsigned lane = 0; lane < 32; ++lane) {
      uint32_t a = wave.v(0, lane), b = wave.v(1, lane), c = wave.v(2, lane);
      uint64_t u8 = c, u4 = c;
      int64_t s8 = int32_t(c), s4 = int32_t(c);
      for (unsigned n = 0; n < 4; ++n) {
        u8 += uint64_t(a >> 8 * n & 255) * (b >> 8 * n & 255);
        s8 += int64_t(int8_t(a >> 8 * n)) * (b >> 8 * n & 255);
      }
      for (unsigned n = 0; n < 8; ++n) {
        int x = a >> 4 * n & 15, y = b >> 4 * n & 15;
        u4 += x * y;
        s4 += (x > 7 ? x - 16 : x) * (y > 7 ? y - 16 : y);
      }
      EXPECT_EQ(wave.v(3, lane), uint32_t(u8));
      EXPECT_EQ(wave.v(4, lane), uint32_t(s8));
      EXPECT_EQ(wave.v(5, lane),
                uint32_t(std::max<int64_t>(INT32_MIN, std::min<int64_t>(INT32_MAX, s4))));
      EXPECT_EQ(wave.v(6, lane), uint32_t(std::min<uint64_t>(UINT32_MAX, u4)));
    }
  }
  wave.fill(0, 0x40003c00u); // 2, 1 as f16
  wave.fill(1, 0xc2004400u); // -3, 4
  wave.fill(2, 10.0f);
  wave.fill(3, 0x40003f80u); // 2, 1 as bf16
  wave.fill(4, 0xc0404080u); // -3, 4
  ASSERT_TRUE(wave.run(
      "v_dot2_f32_f16 v5, v0, v1, v2\nv_dot2_f32_f16 v6, v0, v1, v2 neg_lo:[1,0,0] neg_hi:[0,0,0]\n"
      "v_dot2_f32_bf16 v7, v3, v4, v2\nv_dot2acc_f32_f16 v2, v0, v1"))
      << wave.problem;
  EXPECT_EQ(OneWave::number(wave.v(5)), 8.0f);
  EXPECT_EQ(OneWave::number(wave.v(6)), 0.0f);
  EXPECT_EQ(OneWave::number(wave.v(7)), 8.0f);
  EXPECT_EQ(OneWave::number(wave.v(2)), 8.0f);
}
