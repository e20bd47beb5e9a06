//===- Packed.cpp - VOP3P: packed halves, mixed precision, dot products -----===//
//
// op_sel picks the half of each source for the low result, op_sel_hi for the high one;
// neg_lo and neg_hi negate for the one or the other (RDNA3 ISA, VOP3P encoding).
//
//===----------------------------------------------------------------------===//

#include "Vector.h"

using namespace simtest;

namespace {
struct PackedOp {
  const char *name, *types; // types of one half: h or w
  uint64_t (*compute)(const Lane &);
  int64_t (*wide)(const Lane &) = nullptr; // before it wraps, where clamp saturates
  bool isSigned = false;
};
} // namespace

using L = const Lane &;

static uint64_t halfFma(L a) {
  double p = a.h(0) * a.h(1), c = a.h(2);
  if (!std::isfinite(p) || !std::isfinite(c) || p + c == 0)
    return halfOf(p + c);
  return halfOf(static_cast<__float128>(p) + c);
}
static uint64_t minMax(L a, bool wantMax) {
  double x = a.h(0), y = a.h(1);
  auto signalling = [](uint64_t v) { return isNanH(v) && !(v & 0x200); };
  if (signalling(a.s[0]) || signalling(a.s[1]))
    return 0x7e00;
  if (std::isnan(x) || std::isnan(y))
    return std::isnan(x) ? a.s[1] : a.s[0];
  bool less = x < y || (x == y && std::signbit(x));
  return less != wantMax ? a.s[0] : a.s[1];
}
#define WRAP(e)                                                                                    \
  [](L a) -> uint64_t { return uint64_t(e) & 0xffff; }, [](L a) -> int64_t { return e; }

static const std::vector<PackedOp> kPacked = {
    {"v_pk_add_f16", "h:hh", [](L a) -> uint64_t { return halfOf(a.h(0) + a.h(1)); }},
    {"v_pk_mul_f16", "h:hh", [](L a) -> uint64_t { return halfOf(a.h(0) * a.h(1)); }},
    {"v_pk_fma_f16", "h:hhh", halfFma},
    {"v_pk_min_f16", "h:hh", [](L a) { return minMax(a, false); }},
    {"v_pk_max_f16", "h:hh", [](L a) { return minMax(a, true); }},
    {"v_pk_add_u16", "w:ww", WRAP(int64_t(a.w(0)) + a.w(1))},
    {"v_pk_sub_u16", "w:ww", WRAP(int64_t(a.w(0)) - a.w(1))},
    {"v_pk_add_i16", "w:ww", WRAP(int64_t(a.t(0)) + a.t(1)), true},
    {"v_pk_sub_i16", "w:ww", WRAP(int64_t(a.t(0)) - a.t(1)), true},
    {"v_pk_mad_u16", "w:www", WRAP(int64_t(a.w(0)) * a.w(1) + a.w(2))},
    {"v_pk_mad_i16", "w:www", WRAP(int64_t(a.t(0)) * a.t(1) + a.t(2)), true},
    {"v_pk_mul_lo_u16", "w:ww", [](L a) -> uint64_t { return uint32_t(a.w(0)) * a.w(1) & 0xffff; }},
    {"v_pk_lshlrev_b16", "w:ww", [](L a) -> uint64_t { return a.w(1) << (a.w(0) & 15) & 0xffff; }},
    {"v_pk_lshrrev_b16", "w:ww", [](L a) -> uint64_t { return a.w(1) >> (a.w(0) & 15); }},
    {"v_pk_ashrrev_i16", "w:ww",
     [](L a) -> uint64_t { return (a.t(1) >> (a.w(0) & 15)) & 0xffff; }},
    {"v_pk_min_u16", "w:ww", [](L a) -> uint64_t { return a.w(0) < a.w(1) ? a.w(0) : a.w(1); }},
    {"v_pk_max_u16", "w:ww", [](L a) -> uint64_t { return a.w(0) > a.w(1) ? a.w(0) : a.w(1); }},
    {"v_pk_min_i16", "w:ww", [](L a) -> uint64_t { return a.t(0) < a.t(1) ? a.w(0) : a.w(1); }},
    {"v_pk_max_i16", "w:ww", [](L a) -> uint64_t { return a.t(0) > a.t(1) ? a.w(0) : a.w(1); }},
};

static std::string bitList(const char *what, unsigned bits, unsigned n) {
  std::string t = std::string(" ") + what + ":[";
  for (unsigned i = 0; i < n; ++i)
    t += (i ? "," : "") + std::string(bits >> i & 1 ? "1" : "0");
  return t + "]";
}

static void addPackedOp(Suite &suite, const PackedOp &op, unsigned wave) {
  Group &group = suite.group(op.name, wave);
  group.workgroups = 16 / (wave / 32);
  std::string types = op.types + 2;
  bool isHalf = op.types[0] == 'h';
  unsigned n = types.size();
  fillSlots(group, std::string(n, isHalf ? 'p' : 'k'));
  Random random(group.name + "forms");
  for (unsigned form = 0; form < 12; ++form) {
    unsigned all = (1u << n) - 1, sel = 0, selHi = all, negLo = 0, negHi = 0;
    bool clamp = false, scalar = false, constant = false;
    switch (form) {
    case 0:
      break;
    case 1:
      sel = all, selHi = 0;
      break;
    case 2:
      clamp = true;
      if (!isHalf && !op.wide)
        continue;
      break;
    case 3:
      scalar = true;
      break;
    case 4:
      constant = true;
      break;
    default:
      sel = random.below(all + 1), selHi = random.below(all + 1);
      if (isHalf)
        negLo = random.below(all + 1), negHi = random.below(all + 1);
      clamp = form > 9 && (isHalf || op.wide);
    }
    std::string text = "  v_mov_b32 v40, v16\n";
    if (scalar)
      text += "  s_mov_b32 s16, 0x3c02b801\n";
    text += std::string("  ") + op.name + " v40";
    for (unsigned i = 0; i < n; ++i)
      text += i == 0 && scalar     ? ", s16"
              : i == 0 && constant ? (isHalf ? ", 2.0" : ", 5")
                                   : format(", v%u", 10 + 2 * i);
    std::string tail = (sel ? bitList("op_sel", sel, n) : "") +
                       (selHi != all ? bitList("op_sel_hi", selHi, n) : "") +
                       (negLo ? bitList("neg_lo", negLo, n) : "") +
                       (negHi ? bitList("neg_hi", negHi, n) : "") + (clamp ? " clamp" : "");
    Check check;
    check.name = group.name + " " + op.name + tail +
                 (scalar     ? " scalar"
                  : constant ? " constant"
                             : "");
    check.match = isHalf ? Match::loHiF16 : Match::bits;
    check.expect = [=, &op](const Wave &w, unsigned lane, uint32_t *out) {
      out[0] = 0;
      for (unsigned high = 0; high < 2; ++high) {
        Lane in = {};
        for (unsigned i = 0; i < n; ++i) {
          // An inline constant has it in its low half; what the high half holds is then 0.
          uint32_t word = i == 0 && scalar     ? 0x3c02b801
                          : i == 0 && constant ? (isHalf ? 0x4000 : 5)
                                               : w.at(2 * i, lane);
          unsigned useHigh = (high ? selHi : sel) >> i & 1;
          in.s[i] = useHigh ? word >> 16 : word & 0xffff;
          if ((high ? negHi : negLo) >> i & 1)
            in.s[i] ^= 0x8000;
          if (i == 0 && constant && useHigh)
            return false;
        }
        uint64_t r = op.compute(in);
        if (clamp && isHalf)
          r = asH(r) > 0 ? (asH(r) > 1 ? 0x3c00 : r) : 0;
        if (clamp && op.wide) {
          int64_t v = op.wide(in), least = op.isSigned ? -32768 : 0,
                  most = op.isSigned ? 32767 : 65535;
          r = uint64_t(v < least ? least : v > most ? most : v) & 0xffff;
        }
        out[0] |= uint32_t(r) << 16 * high;
      }
      return true;
    };
    group.add(text + tail + "\n", check);
  }
}

/// v_fma_mix*: each source a float, or a half of a register.
static void addMixed(Suite &suite, const char *name, unsigned wave) {
  Group &group = suite.group(name, wave);
  group.workgroups = 16 / (wave / 32);
  fillSlots(group, "fff");
  Random random(group.name);
  for (unsigned &word : group.in) // halves of numbers of some size too
    if (random.below(3) == 0)
      word = sample('p', ~0u, random);
  bool toHalf = std::string(name) != "v_fma_mix_f32", high = std::string(name) == "v_fma_mixhi_f16";
  for (unsigned form = 0; form < 14; ++form) {
    unsigned sel = form ? random.below(8) : 0, selHi = form == 1 ? 7 : form ? random.below(8) : 0;
    unsigned neg = form > 3 ? random.below(8) : 0, abs = form > 3 ? random.below(8) : 0;
    bool clamp = form % 5 == 4, dpp = form > 10, dpp8 = form == 13;
    std::string text =
        std::string("  v_mov_b32 v40, v16\n  ") + name + (dpp ? "_e64_dpp" : "") + " v40";
    for (unsigned i = 0; i < 3; ++i)
      text += ", " + std::string(neg >> i & 1 ? "-" : "") +
              (abs >> i & 1 ? format("|v%u|", 10 + 2 * i) : format("v%u", 10 + 2 * i));
    std::string tail = (sel ? bitList("op_sel", sel, 3) : "") +
                       (selHi ? bitList("op_sel_hi", selHi, 3) : "") + (clamp ? " clamp" : "") +
                       (dpp8  ? " dpp8:[3,2,1,0,7,6,5,4]"
                        : dpp ? " row_xmask:3 row_mask:0xf bank_mask:0xf"
                              : "");
    Check check;
    check.name = group.name + format(" neg %u abs %u", neg, abs) + tail;
    check.match = toHalf ? (high ? Match::loHiF16 : Match::f16) : Match::f32;
    check.expect = [=](const Wave &w, unsigned lane, uint32_t *out) {
      float v[3];
      for (unsigned i = 0; i < 3; ++i) {
        uint32_t word = w.at(2 * i, i == 0 && dpp ? lane ^ 3 : lane);
        v[i] = selHi >> i & 1 ? float(asH(sel >> i & 1 ? word >> 16 : word)) : asF(word);
        uint32_t bits = bitsOf(v[i]);
        bits = abs >> i & 1 ? bits & 0x7fffffff : bits;
        v[i] = asF(neg >> i & 1 ? bits ^ 0x80000000 : bits);
      }
      float r = fmaf(v[0], v[1], v[2]);
      if (clamp)
        r = r > 0 ? r > 1 ? 1 : r : 0;
      if (!toHalf) {
        out[0] = bitsOf(r);
        return true;
      }
      uint32_t h = halfOf(double(r));
      double product = double(v[0]) * v[1], sum = product + v[2];
      if (std::isfinite(sum) && !clamp && halfOf(sum) != h)
        return false; // rounded once or twice
      uint32_t old = w.at(6, lane);
      if (high && isNanH(old & 0xffff) && !(old & 0x200))
        return false;
      out[0] = high ? (old & 0xffff) | h << 16 : (old & 0xffff0000) | h;
      return true;
    };
    group.add(text + tail + "\n", check);
  }
}

static void addDots(Suite &suite, unsigned wave) {
  Group &group = suite.group("dot_integer", wave);
  group.workgroups = 8;
  fillSlots(group, "uuu");
  for (bool four : {false, true})
    for (unsigned form = 0; form < 9; ++form) {
      bool mixed = form < 8;
      unsigned neg = mixed ? form & 3 : 0;
      bool clamp = form & 4 || form == 8;
      std::string text = std::string("  v_dot") + (four ? "8_" : "4_") +
                         (mixed ? "i32_i" : "u32_") + (four ? "u4" : "u8");
      std::string tail =
          " v40, v10, v12, v14" + (neg ? bitList("neg_lo", neg, 3) : "") + (clamp ? " clamp" : "");
      Check check;
      check.name = group.name + text.substr(1) + tail;
      check.expect = [=](const Wave &w, unsigned lane, uint32_t *out) {
        unsigned bits = four ? 4 : 8;
        auto field = [&](unsigned source, unsigned i) -> int64_t {
          uint32_t v = w.at(2 * source, lane) >> i * bits << (32 - bits);
          return neg >> source & 1 ? int64_t(int32_t(v) >> (32 - bits)) : int64_t(v >> (32 - bits));
        };
        int64_t sum = mixed ? int64_t(int32_t(w.at(4, lane))) : w.at(4, lane);
        for (unsigned i = 0; i < 32 / bits; ++i)
          sum += field(0, i) * field(1, i);
        int64_t least = mixed ? INT32_MIN : 0, most = mixed ? INT32_MAX : UINT32_MAX;
        if (clamp)
          sum = sum < least ? least : sum > most ? most : sum;
        out[0] = uint32_t(sum);
        return true;
      };
      group.add(text + tail + "\n", check);
    }

  for (unsigned which = 0; which < 5; ++which) {
    static const char *names[] = {"v_dot2_f32_f16", "v_dot2_f32_bf16", "v_dot2_f16_f16",
                                  "v_dot2_bf16_bf16", "v_dot2acc_f32_f16"};
    Group &g = suite.group(names[which], wave);
    g.workgroups = 4;
    bool bf = which == 1 || which == 3;
    fillSlots(g, which == 2 ? "mmmm" : which == 3 ? "nnnn" : bf ? "bbgg" : "eegg");
    for (unsigned form = 0; form < 5; ++form) {
      if (which == 4 && form > 2)
        continue;
      if (form > 2 && which > 1)
        continue; // the modifiers of VOP3P only
      std::string text = std::string("  v_mov_b32 v40, v16\n  ") + names[which], tail;
      if (form == 1)
        text += which == 4 ? "_dpp" : "_e64_dpp", tail = " row_xmask:7 row_mask:0xf bank_mask:0xf";
      if (form == 2)
        text += which == 4 ? "_dpp" : "_e64_dpp", tail = " dpp8:[1,0,3,2,5,4,7,6]";
      if (form == 3)
        tail = " neg_lo:[1,0,0] neg_hi:[0,1,0]";
      if (form == 4)
        tail = " neg_lo:[0,0,1]";
      text += which == 2 || which == 3 ? " v40.l, v10, v12, v14.h"
              : which == 4             ? " v40, v10, v12"
                                       : " v40, v10, v12, v14";
      Check check;
      check.name = g.name + " " + names[which] + tail;
      check.match = which == 2 ? Match::f16 : which == 3 ? Match::bits : Match::f32;
      check.expect = [=](const Wave &w, unsigned lane, uint32_t *out) {
        uint32_t x = w.at(0, form == 1 ? lane ^ 7 : form == 2 ? lane ^ 1 : lane), y = w.at(2, lane);
        auto value = [&](uint32_t v) { return bf ? double(asB(v & 0xffff)) : asH(v); };
        double sign = form == 3 ? -1 : 1;
        double sum = sign * value(x) * value(y) + sign * value(x >> 16) * value(y >> 16);
        if (which == 4)
          sum += asF(w.at(6, lane));
        else if (which < 2)
          sum += (form == 4 ? -1 : 1) * double(asF(w.at(4, lane)));
        else
          sum += value(w.at(4, lane) >> 16);
        uint32_t old = w.at(6, lane);
        if (which == 2) { // exact in half precision, or it depends on the order
          if (std::fabs(sum) >= 32)
            return false;
          out[0] = (old & 0xffff0000) | halfOf(sum);
          return asH(out[0]) == sum;
        }
        if (which == 3) {
          out[0] = (old & 0xffff0000) | bitsOf(float(sum)) >> 16;
          return !(bitsOf(float(sum)) & 0xffff);
        }
        out[0] = bitsOf(float(sum));
        return sum != 0;
      };
      g.add(text + tail + "\n", check);
    }
  }
}

/// v_pk_fmac_f16, the one packed operation in VOP2.
static void addPackedFmac(Suite &suite, unsigned wave) {
  Group &group = suite.group("v_pk_fmac_f16", wave);
  group.workgroups = 8;
  fillSlots(group, "pppp");
  Check check;
  check.name = group.name;
  check.match = Match::loHiF16;
  check.expect = [](const Wave &w, unsigned lane, uint32_t *out) {
    out[0] = 0;
    for (unsigned shift : {0u, 16u}) {
      Lane in = {};
      in.s[0] = w.at(0, lane) >> shift & 0xffff;
      in.s[1] = w.at(2, lane) >> shift & 0xffff;
      in.s[2] = w.at(6, lane) >> shift & 0xffff;
      out[0] |= uint32_t(halfFma(in)) << shift;
    }
    return true;
  };
  group.add("  v_mov_b32 v40, v16\n  v_pk_fmac_f16 v40, v10, v12\n", check);
}

void simtest::addPacked(Suite &suite) {
  for (unsigned wave : {32u, 64u}) {
    for (const PackedOp &op : kPacked)
      addPackedOp(suite, op, wave);
    for (const char *name : {"v_fma_mix_f32", "v_fma_mixlo_f16", "v_fma_mixhi_f16"})
      addMixed(suite, name, wave);
    addDots(suite, wave);
    addPackedFmac(suite, wave);
  }
}
