//===- Modes.cpp - rounding, denormals, IEEE, DX10_CLAMP, omod --------------===//
//
// Every mode comes from the kernel descriptor, and once more from s_setreg, s_round_mode
// and s_denorm_mode while the kernel runs. Expected values: the host's own rounding modes.
//
//===----------------------------------------------------------------------===//

#include "Vector.h"

#include <cfenv>

using namespace simtest;

namespace {
/// The host rounds as MODE.FP_ROUND says while one of these lives.
struct HostRounding {
  explicit HostRounding(unsigned mode) {
    static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    fesetround(modes[mode]);
  }
  ~HostRounding() { fesetround(FE_TONEAREST); }
};

struct ModeOp {
  const char *text, *types; // with the destination v40
  uint64_t (*compute)(const Lane &, unsigned round);
  bool isMove = false;
};
} // namespace

using L = const Lane &;

__attribute__((noinline)) static float rounded(float (*f)(float, float, float), L a,
                                               unsigned round) {
  HostRounding host(round);
  volatile float x = a.f(0), y = a.f(1), z = a.f(2);
  volatile float r = f(x, y, z);
  return r;
}
__attribute__((noinline)) static double roundedD(double (*f)(double, double, double), L a,
                                                 unsigned round) {
  HostRounding host(round);
  volatile double x = a.d(0), y = a.d(1), z = a.d(2);
  volatile double r = f(x, y, z);
  return r;
}
static uint64_t half(double exact, unsigned round) { return halfOf(exact, Rounding(round)); }

static const std::vector<ModeOp> kOps = {
    {"v_add_f32 v40, v10, v12", "f:ff",
     [](L a, unsigned m) -> uint64_t {
       return bitsOf(rounded([](float x, float y, float) { return x + y; }, a, m));
     }},
    {"v_mul_f32 v40, v10, v12", "f:ff",
     [](L a, unsigned m) -> uint64_t {
       return bitsOf(rounded([](float x, float y, float) { return x * y; }, a, m));
     }},
    {"v_fma_f32 v40, v10, v12, v14", "f:fff",
     [](L a, unsigned m) -> uint64_t {
       return bitsOf(rounded([](float x, float y, float z) { return fmaf(x, y, z); }, a, m));
     }},
    {"v_add_f64 v[40:41], v[10:11], v[12:13]", "d:dd",
     [](L a, unsigned m) -> uint64_t {
       return bitsOf(roundedD([](double x, double y, double) { return x + y; }, a, m));
     }},
    {"v_mul_f64 v[40:41], v[10:11], v[12:13]", "d:dd",
     [](L a, unsigned m) -> uint64_t {
       return bitsOf(roundedD([](double x, double y, double) { return x * y; }, a, m));
     }},
    {"v_fma_f64 v[40:41], v[10:11], v[12:13], v[14:15]", "d:ddd",
     [](L a, unsigned m) -> uint64_t {
       return bitsOf(roundedD([](double x, double y, double z) { return fma(x, y, z); }, a, m));
     }},
    {"v_add_f16 v40.l, v10.l, v12.l", "h:hh",
     [](L a, unsigned m) -> uint64_t {
       double r = a.h(0) + a.h(1);
       return r == 0 && (a.h(0) != 0 || std::signbit(a.h(0)) != std::signbit(a.h(1))) ? a.any()
                                                                                      : half(r, m);
     }},
    {"v_mul_f16 v40.l, v10.l, v12.l", "h:hh",
     [](L a, unsigned m) -> uint64_t { return half(a.h(0) * a.h(1), m); }},
};

/// Flushes a denormal to 0 of its sign.
static uint64_t flushed(char type, uint64_t v) {
  unsigned mantissa = type == 'f' ? 23 : type == 'h' ? 10 : 52, bits = typeBits(type);
  uint64_t exponent = ((1ull << (bits - 1)) - 1) & ~((1ull << mantissa) - 1);
  return v & exponent ? v : v & 1ull << (bits - 1);
}

/// denorm: 0 flushes both sides, 1 keeps sources only... as MODE.FP_DENORM: bit 0 sources kept, bit
/// 1 results kept.
static void addOps(Group &group, unsigned round32, unsigned round16, unsigned denorm32,
                   unsigned denorm16, const std::string &before) {
  for (const ModeOp &op : kOps) {
    std::string types = op.types + 2;
    char to = op.types[0];
    // Inputs are words of any type; each op reads them as its own.
    Check check;
    check.name = group.name + " " + op.text;
    check.words = to == 'd' ? 2 : 1;
    check.match = matchOf(to);
    unsigned round = to == 'f' ? round32 : round16, denorm = to == 'f' ? denorm32 : denorm16;
    check.expect = [=, &op](const Wave &w, unsigned lane, uint32_t *out) {
      Lane in = {};
      for (unsigned i = 0; i < types.size(); ++i) {
        in.s[i] = slotValue(w, lane, i, types[i]);
        if (!(denorm & 1))
          in.s[i] = flushed(types[i], in.s[i]);
      }
      uint64_t r = op.compute(in, round);
      if (!(denorm & 2)) {
        // A result that rounds up to the smallest normal number: before or after the flush?
        uint64_t smallest = to == 'f'   ? 0x00800000
                            : to == 'h' ? 0x0400
                                        : 0x0010000000000000ull,
                 sign = 1ull << (typeBits(to) - 1);
        if ((r & ~sign) == smallest)
          return false;
        r = flushed(to, r);
      }
      if (to == 'h')
        r |= w.at(6, lane) & 0xffff0000;
      out[0] = uint32_t(r);
      out[1] = uint32_t(r >> 32);
      return !in.skip;
    };
    group.add(before + "  v_mov_b32 v40, v16\n  " + op.text + "\n", check);
  }
}

static void fillMixed(Group &group, const std::string &seed) {
  // A third each of doubles, floats and halves, so that all three meet special values.
  group.workgroups = 12;
  group.inputs = 8;
  group.in.assign(12 * 8 * 64, 0);
  Random random(seed);
  for (unsigned g = 0; g < 12; ++g)
    for (unsigned lane = 0; lane < group.wave; ++lane)
      for (unsigned slot = 0; slot < 4; ++slot) {
        unsigned at = slot ? ~0u : g / 3 * group.wave + lane;
        uint64_t v = sample("dfh"[g % 3], at, random);
        if (g % 3 == 1)
          v |= uint64_t(sample('f', ~0u, random)) << 32;
        if (g % 3 == 2)
          v = v | v << 16 | uint64_t(sample('u', ~0u, random)) << 32;
        group.in[(g * 8 + 2 * slot) * 64 + lane] = uint32_t(v);
        group.in[(g * 8 + 2 * slot + 1) * 64 + lane] = uint32_t(v >> 32);
      }
}

static void addOutputModifiers(Suite &suite, unsigned wave) {
  // Output modifiers count only with IEEE off and without denormal results.
  static const struct {
    const char *text;
    double factor;
  } modifiers[] = {{"mul:2", 2}, {"mul:4", 4}, {"div:2", 0.5}};
  for (bool ieee : {false, true}) {
    Group &group = suite.group(format("omod_ieee%d", ieee), wave);
    group.ieee = ieee;
    group.denorm32 = group.denorm16 = 0;
    group.workgroups = 8;
    fillSlots(group, "ffff");
    for (auto &m : modifiers)
      for (bool clamp : {false, true}) {
        Check check;
        check.name = group.name + " v_add_f32 " + m.text + (clamp ? " clamp" : "");
        check.match = Match::f32;
        check.expect = [=](const Wave &w, unsigned lane, uint32_t *out) {
          float x = asF(uint32_t(flushed('f', w.at(0, lane)))),
                y = asF(uint32_t(flushed('f', w.at(2, lane))));
          float r = asF(uint32_t(flushed('f', bitsOf(x + y))));
          float scaled = ieee ? r : float(r * m.factor);
          if (scaled == 0 || std::fabs(scaled) < 0x1p-125f || std::fabs(r) < 0x1p-125f)
            return false; // the sign of 0, and flushing before or after
          if (std::isinf(r) != std::isinf(float(r * m.factor)))
            return false;
          if (clamp)
            scaled = scaled > 0 ? scaled > 1 ? 1 : scaled : 0;
          out[0] = bitsOf(scaled);
          return true;
        };
        group.add(std::string("  v_add_f32_e64 v40, v10, v12 ") + (clamp ? "clamp " : "") + m.text +
                      "\n",
                  check);
      }
  }
  // With DX10_CLAMP off a clamp leaves NaN as it is.
  for (bool dx10 : {false, true}) {
    Group &group = suite.group(format("dx10_clamp%d", dx10), wave);
    group.dx10Clamp = dx10;
    group.workgroups = 8;
    fillSlots(group, "ffff");
    Check check;
    check.name = group.name;
    check.match = Match::f32;
    check.expect = [=](const Wave &w, unsigned lane, uint32_t *out) {
      float r = asF(w.at(0, lane)) + asF(w.at(2, lane));
      out[0] = std::isnan(r) ? (dx10 ? 0 : 0x7fc00000) : r > 0 ? bitsOf(r > 1 ? 1.0f : r) : 0;
      return true;
    };
    group.add("  v_add_f32_e64 v40, v10, v12 clamp\n", check);
  }
  // With IEEE off, minimum and maximum do not look at what kind of NaN it is.
  Group &group = suite.group("ieee_off_min_max", wave);
  group.ieee = false;
  group.workgroups = 8;
  fillSlots(group, "ffff");
  for (bool wantMax : {false, true}) {
    Check check;
    check.name = group.name + (wantMax ? " max" : " min");
    check.match = Match::f32;
    check.expect = [=](const Wave &w, unsigned lane, uint32_t *out) {
      float x = asF(w.at(0, lane)), y = asF(w.at(2, lane));
      if (std::isnan(x) || std::isnan(y)) {
        out[0] = std::isnan(x) ? w.at(2, lane) : w.at(0, lane);
        return !(std::isnan(x) && std::isnan(y));
      }
      bool less = x < y || (x == y && std::signbit(x));
      out[0] = bitsOf(less != wantMax ? x : y);
      return true;
    };
    group.add(std::string("  v_") + (wantMax ? "max" : "min") + "_f32 v40, v10, v12\n", check);
  }
}

void simtest::addModes(Suite &suite) {
  for (unsigned wave : {32u, 64u}) {
    for (unsigned round = 0; round < 4; ++round) {
      Group &group = suite.group(format("round%u", round), wave);
      group.round32 = round;
      group.round16 = (round + 1) % 4;
      fillMixed(group, group.name);
      addOps(group, round, (round + 1) % 4, 3, 3, "");
    }
    for (unsigned denorm = 0; denorm < 4; ++denorm) {
      Group &group = suite.group(format("denorm%u", denorm), wave);
      group.denorm32 = denorm;
      group.denorm16 = 3 - denorm;
      fillMixed(group, group.name);
      addOps(group, 0, 0, denorm, 3 - denorm, "");
    }
    for (unsigned way = 0; way < 4; ++way) {
      Group &group = suite.group(format("mode_change%u", way), wave);
      fillMixed(group, group.name);
      static const char *texts[] = {
          "  s_round_mode 0x9\n",                                                   // 32: 1, 16: 2
          "  s_denorm_mode 0x4\n",                                                  // 32: 0, 16: 1
          "  s_setreg_imm32_b32 hwreg(HW_REG_MODE, 0, 4), 7\n",                     // 32: 3, 16: 1
          "  s_movk_i32 s30, 0x2\n  s_setreg_b32 hwreg(HW_REG_MODE, 4, 4), s30\n"}; // 32: 2, 16: 0
      static const unsigned modes[][4] = {{1, 2, 3, 3}, {0, 0, 0, 1}, {3, 1, 3, 3}, {0, 0, 2, 0}};
      const unsigned *m = modes[way];
      addOps(group, m[0], m[1], m[2], m[3], texts[way]);
      Check check;
      check.name = group.name + " s_getreg_b32";
      uint32_t value = m[0] | m[1] << 2 | m[2] << 4 | m[3] << 6;
      check.expect = [=](const Wave &, unsigned, uint32_t *out) {
        out[0] = value;
        return true;
      };
      group.add("  s_getreg_b32 s31, hwreg(HW_REG_MODE, 0, 8)\n  v_mov_b32 v40, s31\n", check);
    }
    addOutputModifiers(suite, wave);
  }
}
