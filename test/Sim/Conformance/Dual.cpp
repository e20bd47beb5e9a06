//===- Dual.cpp - VOPD: every pair of operations ----------------------------===//
//
// X reads v10, v12 and writes v40; Y reads v11, v13 and writes v41: other banks for each
// source, one even and one odd destination, as the encoding demands.
//
//===----------------------------------------------------------------------===//

#include "Vector.h"

using namespace simtest;

namespace {
struct Half {
  const char *name, *sources; // 2: two registers; 1: one; a: literal added; m: literal multiplied
  char type;                  // what it is fed with
  uint32_t (*compute)(float x, float y, float old, float literal, bool vcc);
  bool onlyY = false, accumulates = false;
};
} // namespace

static constexpr uint32_t kLiteral = 0x40b00000; // 5.5
static constexpr uint32_t kVcc = 0x5a3cf096;

static uint32_t B(float f) { return bitsOf(f); }
static float least(float x, float y) {
  return x < y || (x == y && std::signbit(x)) || std::isnan(y) ? x : y;
}
static float most(float x, float y) {
  return x > y || (x == y && std::signbit(y)) || std::isnan(y) ? x : y;
}
static float dot(float x, float y, float z) {
  uint32_t a = B(x), b = B(y);
  return float(asH(a) * asH(b) + asH(a >> 16) * asH(b >> 16) + z);
}

static float dotBf16(float x, float y, float z) {
  uint32_t a = B(x), b = B(y);
  return float(double(asB(a & 0xffff)) * asB(b & 0xffff) + double(asB(a >> 16)) * asB(b >> 16) + z);
}

static const std::vector<Half> kHalves = {
    {"fmac_f32", "2", 'f', [](float x, float y, float z, float, bool) { return B(fmaf(x, y, z)); },
     false, true},
    {"fmaak_f32", "a", 'f',
     [](float x, float y, float, float k, bool) { return B(fmaf(x, y, k)); }},
    {"fmamk_f32", "m", 'f',
     [](float x, float y, float, float k, bool) { return B(fmaf(x, k, y)); }},
    {"mul_f32", "2", 'f', [](float x, float y, float, float, bool) { return B(x * y); }},
    {"add_f32", "2", 'f', [](float x, float y, float, float, bool) { return B(x + y); }},
    {"sub_f32", "2", 'f', [](float x, float y, float, float, bool) { return B(x - y); }},
    {"subrev_f32", "2", 'f', [](float x, float y, float, float, bool) { return B(y - x); }},
    {"mul_dx9_zero_f32", "2", 'f',
     [](float x, float y, float, float, bool) { return x == 0 || y == 0 ? 0 : B(x * y); }},
    {"mov_b32", "1", 'f', [](float x, float, float, float, bool) { return B(x); }},
    {"cndmask_b32", "2", 'f',
     [](float x, float y, float, float, bool c) { return c ? B(y) : B(x); }},
    {"max_f32", "2", 'f', [](float x, float y, float, float, bool) { return B(most(x, y)); }},
    {"min_f32", "2", 'f', [](float x, float y, float, float, bool) { return B(least(x, y)); }},
    {"dot2acc_f32_f16", "2", 'e',
     [](float x, float y, float z, float, bool) { return B(dot(x, y, z)); }, false, true},
    {"dot2acc_f32_bf16", "2", 'b',
     [](float x, float y, float z, float, bool) { return B(dotBf16(x, y, z)); }, false, true},
    {"add_nc_u32", "2", 'u', [](float x, float y, float, float, bool) { return B(x) + B(y); },
     true},
    {"lshlrev_b32", "2", 'u',
     [](float x, float y, float, float, bool) { return B(y) << (B(x) & 31); }, true},
    {"and_b32", "2", 'u', [](float x, float y, float, float, bool) { return B(x) & B(y); }, true},
};

static std::string halfText(const Half &half, bool y) {
  std::string t = std::string("v_dual_") + half.name + (y ? " v41, v11" : " v40, v10");
  switch (*half.sources) {
  case '2':
    return t + (y ? ", v13" : ", v12");
  case 'a':
    return t + (y ? ", v13" : ", v12") + format(", 0x%x", kLiteral);
  case 'm':
    return t + format(", 0x%x", kLiteral) + (y ? ", v13" : ", v12");
  }
  return t;
}

void simtest::addDual(Suite &suite) {
  for (const Half &x : kHalves) {
    if (x.onlyY)
      continue;
    Group &group = suite.group(std::string("v_dual_") + x.name, 32); // VOPD is of wave32
    group.workgroups = 4;
    group.inputs = 10;
    group.in.assign(4 * 10 * 64, 0);
    Random random(group.name);
    auto fill = [&](unsigned word, char type) {
      for (unsigned g = 0; g < 4; ++g)
        for (unsigned lane = 0; lane < 32; ++lane) {
          uint32_t v = sample(type, word == 0 ? g * 32 + lane : ~0u, random);
          if (type == 'f' && isSignallingF(v)) // moves keep what arithmetic quiets
            v |= 0x400000;
          group.in[(g * 10 + word) * 64 + lane] = v;
        }
    };
    // Words: 0 x's first, 1 y's first (float), 2 x's second, 3 y's second, 4 and 5 small halves for
    // y, 6 and 7 old.
    fill(0, x.type), fill(2, x.type);
    fill(1, 'f'), fill(3, 'f');
    fill(4, 'e'), fill(5, 'e'), fill(6, 'g'), fill(7, 'g');
    fill(8, 'b'), fill(9, 'b'); // and bfloat16
    for (const Half &y : kHalves) {
      std::string text =
          format("  v_mov_b32 v40, v16\n  v_mov_b32 v41, v17\n  s_mov_b32 vcc_lo, 0x%x\n", kVcc);
      bool small = y.type == 'e' || y.type == 'b';
      std::string yText = halfText(y, true);
      if (small) // in other banks than v10 and v12
        yText =
            std::string("v_dual_") + y.name + (y.type == 'b' ? " v41, v19, v18" : " v41, v15, v14");
      text += "  " + halfText(x, false) + " :: " + yText + "\n";
      Check check;
      check.name = group.name + " :: " + y.name;
      check.words = 2;
      check.match = x.type == 'f' && y.type != 'u' && *x.name != 'c' && *x.sources != '1'
                        ? Match::f32
                        : Match::bits;
      if (check.match == Match::bits && y.type == 'f' && *y.sources != '1')
        check.match = Match::f32;
      check.expect = [=](const Wave &w, unsigned lane, uint32_t *out) {
        bool vcc = kVcc >> lane & 1;
        auto f = [&](unsigned word) { return asF(w.at(word, lane)); };
        out[0] = x.compute(f(0), f(2), f(6), asF(kLiteral), vcc);
        out[1] = small ? y.compute(f(y.type == 'b' ? 9 : 5), f(y.type == 'b' ? 8 : 4), f(7), 0, vcc)
                       : y.compute(f(1), f(3), f(7), asF(kLiteral), vcc);
        // A sum of 0 may have either sign in a dot product.
        return ((x.type != 'e' && x.type != 'b') || out[0] << 1) && (!small || out[1] << 1);
      };
      group.add(text, check);
    }
  }
  // Both halves read before either writes.
  Group &group = suite.group("v_dual_exchange", 32);
  group.workgroups = 1;
  fillSlots(group, "uuuu");
  Check check;
  check.name = group.name;
  check.words = 2;
  check.expect = [](const Wave &w, unsigned lane, uint32_t *out) {
    out[0] = w.at(2, lane);
    out[1] = w.at(0, lane);
    return true;
  };
  group.add("  v_mov_b32 v40, v10\n  v_mov_b32 v41, v12\n  v_dual_mov_b32 v40, v41 :: "
            "v_dual_mov_b32 v41, v40\n",
            check);
}
