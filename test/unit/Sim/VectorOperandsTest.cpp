//===- VectorOperandsTest.cpp - modifiers, DPP, masks, modes, wave64 ------------===//
//
// What is the same for all vector operations, on a few of them.
//
//===----------------------------------------------------------------------===//

#include "OneWave.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <random>

using namespace tinysim::test;

static uint32_t b(float x) { return OneWave::bits(x); }
static float f(uint32_t x) { return OneWave::number(x); }

/// Lane l of v0 is 100 + l, of v1 1000 + l, of v2 7.
static OneWave numbered(unsigned waveSize) {
  OneWave wave(waveSize);
  for (unsigned lane = 0; lane < waveSize; ++lane) {
    wave.v(0, lane) = 100 + lane;
    wave.v(1, lane) = 1000 + lane;
    wave.v(2, lane) = 7;
  }
  return wave;
}

TEST(VectorOperands, Dpp) {
  struct Case {
    const char *control;
    std::function<int(int)> source; // lane in the row, or -1
  };
  const Case cases[] = {
      {"quad_perm:[1,3,0,2]", [](int l) { return (l & 12) + (const int[]){1, 3, 0, 2}[l & 3]; }},
      {"row_shl:3", [](int l) { return l + 3 < 16 ? l + 3 : -1; }},
      {"row_shr:5", [](int l) { return l >= 5 ? l - 5 : -1; }},
      {"row_ror:4", [](int l) { return (l + 12) % 16; }},
      {"row_mirror", [](int l) { return 15 - l; }},
      {"row_half_mirror", [](int l) { return l < 8 ? 7 - l : 23 - l; }},
      {"row_share:6", [](int) { return 6; }},
      {"row_xmask:5", [](int l) { return l ^ 5; }},
  };
  for (unsigned size : {32u, 64u})
    for (const Case &c : cases)
      for (unsigned variant = 0; variant < 4; ++variant) {
        const bool bound = variant & 1, fetch = variant & 2;
        OneWave wave = numbered(size);
        const uint64_t exec = 0xf7ffffff7ffffffeull & (size == 64 ? ~0ull : 0xffffffffull);
        wave.setExec(exec);
        std::string text = std::string("v_add_nc_u32_dpp v2, v0, v1 ") + c.control +
                           " row_mask:0xd bank_mask:0xe" + (bound ? " bound_ctrl:1" : "") +
                           (fetch ? " fi:1" : "");
        ASSERT_TRUE(wave.run(text)) << wave.problem;
        for (unsigned lane = 0; lane < size; ++lane) {
          int in = c.source(lane % 16);
          unsigned from = (lane & 48) + (in < 0 ? 0 : in);
          bool there = in >= 0 && (fetch || (exec >> from & 1));
          bool written = (exec >> lane & 1) && lane / 16 != 1 && lane % 16 >= 4 && (there || bound);
          uint32_t expected = written ? (there ? 100 + from : 0) + 1000 + lane : 7;
          EXPECT_EQ(wave.v(2, lane), expected) << text << " lane " << lane;
        }
      }
  for (bool fetch : {false, true}) {
    OneWave wave = numbered(32);
    wave.setExec(0xfffffffe);
    ASSERT_TRUE(wave.run(std::string("v_mov_b32_dpp v2, v0 dpp8:[7,0,5,4,3,2,1,0]") +
                         (fetch ? " fi:1" : "")))
        << wave.problem;
    const unsigned order[] = {7, 0, 5, 4, 3, 2, 1, 0};
    for (unsigned lane = 0; lane < 32; ++lane) {
      unsigned from = (lane & 24) + order[lane & 7];
      uint32_t expected = lane == 0 ? 7 : from == 0 && !fetch ? 0 : 100 + from;
      EXPECT_EQ(wave.v(2, lane), expected) << lane;
    }
  }
}

TEST(VectorOperands, DppOfOtherEncodings) {
  OneWave wave;
  for (unsigned lane = 0; lane < 32; ++lane) {
    wave.v(0, lane) = b(float(lane));
    wave.v(1, lane) = b(0.5f);
    wave.v(2, lane) = b(100.0f);
  }
  ASSERT_TRUE(wave.run("v_fmac_f32_dpp v2, -v0, v1 row_ror:1\n"
                       "v_fma_f32_e64_dpp v3, v0, |v1|, -v2 row_share:2\n"
                       "v_cmp_lt_f32_e64_dpp s4, v0, v1 row_share:0\n"
                       "v_cmp_gt_f32_dpp vcc_lo, v0, v1 row_mirror\n"
                       "v_cndmask_b32_dpp v4, v0, v1, vcc_lo row_share:3"))
      << wave.problem;
  EXPECT_EQ(wave.s(4), 0xffffu); // lane 0 is below 0.5, lane 16 of the other row is not
  EXPECT_EQ(wave.s(106), ~(1u << 15));
  for (unsigned lane = 0; lane < 32; ++lane) {
    float rotated = float((lane & 16) + (lane + 15) % 16), accumulated = 100 - rotated * 0.5f;
    EXPECT_EQ(f(wave.v(2, lane)), accumulated);
    EXPECT_EQ(f(wave.v(3, lane)), float((lane & 16) + 2) * 0.5f - accumulated);
    EXPECT_EQ(f(wave.v(4, lane)), lane == 15 ? 3.0f : 0.5f);
  }
}

TEST(VectorOperands, ExecMasksStoresAndMasks) {
  for (unsigned size : {32u, 64u}) {
    OneWave wave = numbered(size);
    const uint64_t exec = 0x8000000100000103ull & (size == 64 ? ~0ull : 0xffffffffull);
    wave.setExec(exec);
    std::string vcc = size == 64 ? "vcc" : "vcc_lo", pair = size == 64 ? "s[4:5]" : "s4";
    wave.s(4) = wave.s(5) = wave.s(106) = wave.s(107) = 0xffffffff;
    ASSERT_TRUE(wave.run("v_add_nc_u32 v2, v0, v1\nv_cmp_lt_u32 " + vcc + ", v0, v1\n" +
                         "v_add_co_u32 v3, " + pair + ", v0, -1"))
        << wave.problem;
    for (unsigned lane = 0; lane < size; ++lane)
      EXPECT_EQ(wave.v(2, lane), exec >> lane & 1 ? 1100 + 2 * lane : 7);
    EXPECT_EQ(wave.s(106), uint32_t(exec));
    EXPECT_EQ(wave.s(107), size == 64 ? uint32_t(exec >> 32) : 0xffffffff);
    EXPECT_EQ(wave.s(4), uint32_t(exec));
    EXPECT_EQ(wave.s(5), size == 64 ? uint32_t(exec >> 32) : 0xffffffff);
    ASSERT_TRUE(wave.run("v_cmpx_eq_u32 0x64, v0")) << wave.problem;
    EXPECT_EQ(wave.exec(), 1u);
  }
}

TEST(VectorOperands, CarriesChain) {
  std::mt19937_64 random(2);
  OneWave wave;
  uint64_t x[32], y[32];
  for (unsigned lane = 0; lane < 32; ++lane) {
    x[lane] = random() | (lane % 3 ? 0 : 0xffffffff);
    y[lane] = lane % 5 ? random() : 1;
    for (unsigned part = 0; part < 2; ++part) {
      wave.v(part, lane) = uint32_t(x[lane] >> (32 * part));
      wave.v(2 + part, lane) = uint32_t(y[lane] >> (32 * part));
    }
  }
  ASSERT_TRUE(
      wave.run("v_add_co_u32 v4, vcc_lo, v0, v2\nv_add_co_ci_u32 v5, vcc_lo, v1, v3, vcc_lo\n"
               "v_sub_co_u32 v6, s4, v0, v2\nv_sub_co_ci_u32 v7, s5, v1, v3, s4\n"
               "v_subrev_co_u32 v8, s6, v0, v2\nv_subrev_co_ci_u32 v9, s7, v1, v3, s6\n"
               "v_mad_u64_u32 v[10:11], s8, v0, v3, v[2:3]\n"
               "v_mad_i64_i32 v[12:13], s9, v0, v3, v[0:1]"))
      << wave.problem;
  for (unsigned lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(wave.v64(4, lane), x[lane] + y[lane]);
    EXPECT_EQ(wave.s(106) >> lane & 1, uint32_t(x[lane] + y[lane] < x[lane]));
    EXPECT_EQ(wave.v64(6, lane), x[lane] - y[lane]);
    EXPECT_EQ(wave.s(5) >> lane & 1, uint32_t(x[lane] < y[lane]));
    EXPECT_EQ(wave.v64(8, lane), y[lane] - x[lane]);
    EXPECT_EQ(wave.s(7) >> lane & 1, uint32_t(y[lane] < x[lane]));
    uint64_t product = uint64_t(uint32_t(x[lane])) * (y[lane] >> 32);
    EXPECT_EQ(wave.v64(10, lane), product + y[lane]);
    EXPECT_EQ(wave.s(8) >> lane & 1, uint32_t(product + y[lane] < product));
    int64_t wide = int64_t(int32_t(x[lane])) * int32_t(y[lane] >> 32);
    EXPECT_EQ(wave.v64(12, lane), uint64_t(wide) + x[lane]);
  }
}

TEST(VectorOperands, HalvesAndOpSel) {
  OneWave wave;
  wave.fill(0, 0x40003c00u); // 2, 1
  wave.fill(1, 0x44004200u); // 4, 3
  wave.fill(2, 0xbc00c500u); // -1, -5
  for (unsigned v = 3; v < 12; ++v)
    wave.fill(v, 0xaaaabbbbu);
  ASSERT_TRUE(wave.run(
      "v_add_f16_e64 v3.h, v0.h, v1.l\n"
      "v_fma_f16 v4.l, v0.h, -v1.h, |v2.l|\n"
      "v_pk_fma_f16 v5, v0, v1, v2 op_sel:[1,0,0] op_sel_hi:[0,1,1] neg_lo:[0,1,0] neg_hi:[1,0,0]\n"
      "v_pk_add_f16 v6, v0, 1.0\n"
      "v_pk_add_u16 v7, v0, v1 op_sel:[0,1] op_sel_hi:[1,0]\n"
      "v_fma_mix_f32 v8, v0, v1, -v2 op_sel:[1,0,0] op_sel_hi:[1,1,1]\n"
      "v_fma_mixhi_f16 v9, v0, v1, 1.0 op_sel_hi:[1,1,0]\n"
      "v_pack_b32_f16 v10, v0.h, v1.h\nv_mov_b16 v11.h, v0.l"))
      << wave.problem;
  EXPECT_EQ(wave.v(3), 0x4500bbbbu);     // 2 + 3
  EXPECT_EQ(wave.v(4), 0xaaaac200u);     // 2 * -4 + 5 = -3
  EXPECT_EQ(wave.v(5), 0xc500c980u);     // low: 2 * -3 - 5; high: -1 * 4 - 1
  EXPECT_EQ(wave.v(6), 0x40004000u);     // the constant's high half is 0
  EXPECT_EQ(wave.v(7), 0x82008000u);     // low: 3c00 + 4400; high: 4000 + 4200
  EXPECT_EQ(f(wave.v(8)), 2 * 3 + 5.0f); // -(-5)
  EXPECT_EQ(wave.v(9), 0x4400bbbbu);     // 1 * 3 + 1
  EXPECT_EQ(wave.v(10), 0x44004000u);
  EXPECT_EQ(wave.v(11), 0x3c00bbbbu);
}

TEST(VectorOperands, ClampOmodAndModes) {
  OneWave wave;
  wave.fill(0, 1.5f);
  wave.fill(1, -0.25f);
  wave.fill(2, 0x7fc00000u);
  wave.fill(3, 0x80000001u); // denormal
  wave.fill(4, 0x00800000u);
  ASSERT_TRUE(wave.run("v_add_f32_e64 v8, v0, v1 clamp\nv_add_f32_e64 v9, v1, v1 clamp\n"
                       "v_add_f32_e64 v10, v2, v1 clamp\nv_add_f32_e64 v11, v0, v1 mul:2\n"
                       "v_mul_f32 v12, 0.5, v4\nv_max_f32 v13, v3, v3\nv_mov_b32 v14, v3\n"
                       "v_add_nc_u32_e64 v15, v3, v3 clamp"))
      << wave.problem;
  EXPECT_EQ(f(wave.v(8)), 1.0f);
  EXPECT_EQ(wave.v(9), 0u);
  EXPECT_EQ(wave.v(10), 0u);       // DX10_CLAMP
  EXPECT_EQ(f(wave.v(11)), 1.25f); // omod is ignored in IEEE mode
  EXPECT_EQ(wave.v(12), 0x00400000u);
  EXPECT_EQ(wave.v(13), 0x80000001u);
  EXPECT_EQ(wave.v(15), 0xffffffffu);

  wave.wave.mode.bits = 0xc0; // f32 denormals flushed, not IEEE, no DX10_CLAMP
  ASSERT_TRUE(wave.run("v_add_f32_e64 v10, v2, v1 clamp\nv_add_f32_e64 v11, v0, v1 mul:2\n"
                       "v_mul_f32 v12, 0.5, v4\nv_max_f32 v13, v3, v3\nv_mov_b32 v14, v3\n"
                       "v_add_f32_e64 v9, v1, v1 div:2\nv_mul_f32_e64 v8, v1, 0 mul:4\n"
                       "v_cmp_eq_f32 vcc_lo, 0, v3"))
      << wave.problem;
  EXPECT_EQ(wave.v(10), 0x7fc00000u);
  EXPECT_EQ(f(wave.v(11)), 2.5f);
  EXPECT_EQ(f(wave.v(9)), -0.25f);
  EXPECT_EQ(wave.v(8), 0u); // omod has no -0
  EXPECT_EQ(wave.v(12), 0u);
  EXPECT_EQ(wave.v(13), 0x80000000u);
  EXPECT_EQ(wave.v(14), 0x80000001u); // moves keep bits
  EXPECT_EQ(wave.s(106), 0xffffffffu);

  wave.wave.mode.bits = 0x330; // f16 and f64 denormals flushed, f32 kept
  wave.fill(0, 0x00018001u);
  wave.fill(1, 0x3c003c00u);
  wave.fill64(2, 0x0000000000000001u);
  ASSERT_TRUE(wave.run("v_pk_mul_f16 v8, v0, v1\nv_cvt_f32_f16 v9, v0.h\n"
                       "v_add_f64 v[10:11], v[2:3], v[2:3]\nv_add_f32 v12, v0, v0"))
      << wave.problem;
  EXPECT_EQ(wave.v(8), 0x00008000u);
  EXPECT_EQ(wave.v(9), 0u);
  EXPECT_EQ(wave.v64(10), 0u);
  EXPECT_EQ(wave.v(12), 0x00030002u);
}

TEST(VectorOperands, NaNPayloadsComeFromTheFirstOperand) {
  OneWave wave;
  wave.fill(0, 0x7f812345u);
  wave.fill(1, 0xffc54321u);
  wave.fill(2, 0x7f800000u);
  ASSERT_TRUE(wave.run("v_add_f32 v3, v0, v1\nv_add_f32 v4, v1, v0\nv_mul_f32 v5, 0, v2\n"
                       "v_fma_f32 v6, v2, v2, v1\nv_sub_f32 v7, v2, v1\nv_cvt_f64_f32 v[8:9], v0\n"
                       "v_cvt_f16_f32 v10, v0"))
      << wave.problem;
  EXPECT_EQ(wave.v(3), 0x7fc12345u);
  EXPECT_EQ(wave.v(4), 0xffc54321u);
  EXPECT_EQ(wave.v(5), 0xffc00000u);
  EXPECT_EQ(wave.v(6), 0xffc54321u);
  EXPECT_EQ(wave.v(7), 0xffc54321u);
  EXPECT_EQ(wave.v64(8), 0x7ff82468a0000000u);
  EXPECT_EQ(wave.v(10), 0x7e00u | 0x12345u >> 13);
}

TEST(VectorOperands, BetweenLanes) {
  for (unsigned size : {32u, 64u}) {
    OneWave wave = numbered(size);
    wave.s(0) = 0x76543210;
    wave.s(1) = 0xfedcba98;
    wave.s(2) = 0x89abcdef; // rotated and mirrored rows
    wave.s(3) = 0x01234567;
    wave.s(125) = 3; // M0
    wave.fill(20, 5u);
    wave.fill(5, 0x55u);
    ASSERT_TRUE(wave.run("v_readlane_b32 s10, v0, 37\nv_writelane_b32 v2, s2, 35\n"
                         "v_permlane16_b32 v3, v0, s2, s3\nv_permlanex16_b32 v4, v0, s0, s1\n"
                         "v_permlane64_b32 v5, v0\nv_swap_b32 v0, v1\n"
                         "v_movrels_b32 v6, v17\nv_movreld_b32 v4, v1\n"
                         "v_mbcnt_lo_u32_b32 v8, -1, 0\nv_mbcnt_hi_u32_b32 v8, -1, v8"))
        << wave.problem;
    EXPECT_EQ(wave.s(10), 100 + (37 & (size - 1)));
    for (unsigned lane = 0; lane < size; ++lane) {
      EXPECT_EQ(wave.v(2, lane), lane == (35 & (size - 1)) ? 0x89abcdef : 7);
      EXPECT_EQ(wave.v(3, lane), 100 + (lane ^ 15));
      EXPECT_EQ(wave.v(4, lane), 100 + (lane ^ 16));
      EXPECT_EQ(wave.v(5, lane), size == 64 ? 100 + (lane ^ 32) : 0x55u); // a NOP in a wave32
      EXPECT_EQ(wave.v(0, lane), 1000 + lane);
      EXPECT_EQ(wave.v(1, lane), 100 + lane);
      EXPECT_EQ(wave.v(6, lane), 5u);
      EXPECT_EQ(wave.v(7, lane), 100 + lane); // v4 + M0
      EXPECT_EQ(wave.v(8, lane), lane);
    }
    wave.setExec(0x50);
    ASSERT_TRUE(wave.run("v_readfirstlane_b32 s11, v1\nv_permlane16_b32 v3, v1, s0, s1"))
        << wave.problem;
    EXPECT_EQ(wave.s(11), 104u);
    wave.setExec(0);
    ASSERT_TRUE(wave.run("v_readfirstlane_b32 s11, v1")) << wave.problem;
    EXPECT_EQ(wave.s(11), 100u);
  }
  // Lanes that are off are fetched only with op_sel:[1,...]; [..,1] reads 0 there.
  OneWave wave = numbered(32);
  wave.s(0) = wave.s(1) = 0; // all read lane 0 of their row
  wave.setExec(0xfffffffe);
  ASSERT_TRUE(wave.run("v_permlane16_b32 v2, v0, s0, s1\n")) << wave.problem;
  EXPECT_EQ(wave.v(2, 5), 7u);
  EXPECT_EQ(wave.v(2, 20), 116u);
  ASSERT_TRUE(wave.run("v_permlane16_b32 v2, v0, s0, s1 op_sel:[0,1]")) << wave.problem;
  EXPECT_EQ(wave.v(2, 5), 0u);
  ASSERT_TRUE(wave.run("v_permlane16_b32 v2, v0, s0, s1 op_sel:[1,0]")) << wave.problem;
  EXPECT_EQ(wave.v(2, 5), 100u);
}
