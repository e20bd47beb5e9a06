//===- Scalar.cpp - SOP1, SOP2, SOPC, SOPK ----------------------------------===//
//
// The inputs are words of lane 0, in s20... (slots of two words, as for vectors); every
// workgroup is another set of values. A result is the destination, then SCC.
//
//===----------------------------------------------------------------------===//

#include "Float.h"
#include "Vector.h"

using namespace simtest;

namespace {
struct Scalar {
  const char *name, *types;                    // destination ('-' for none), colon, sources
  uint64_t (*compute)(const Lane &, int &scc); // scc holds what it was before
  const char *immediate = "";                  // of SOPK, appended
  bool destinationIsSource = false;
};
} // namespace

using A = const Lane &;

template <typename T> static uint64_t low(T x) { return uint32_t(x); }
static int32_t firstFrom(uint64_t x, unsigned bits, bool leading, bool ones) {
  for (unsigned i = 0; i < bits; ++i)
    if ((x >> (leading ? bits - 1 - i : i) & 1) == ones)
      return i;
  return -1;
}
static int32_t firstOther(uint64_t x, unsigned bits) {
  for (unsigned i = 1; i < bits; ++i)
    if ((x >> (bits - 1 - i) & 1) != (x >> (bits - 1) & 1))
      return i;
  return -1;
}
static uint64_t reversed(uint64_t x, unsigned bits) {
  uint64_t r = 0;
  for (unsigned i = 0; i < bits; ++i)
    r |= (x >> i & 1) << (bits - 1 - i);
  return r;
}
static uint64_t quads(uint64_t x, unsigned bits, bool whole) {
  uint64_t r = 0;
  for (unsigned i = 0; i < bits; i += 4)
    if (x >> i & 15)
      r |= whole ? 15ull << i : 1ull << i / 4;
  return r;
}
static uint64_t zeroScc(int &scc, uint64_t r) {
  scc = r != 0;
  return r;
}
static uint64_t add32(uint64_t x, uint64_t y, uint64_t carry, int &scc) {
  scc = (x + y + carry) >> 32 & 1;
  return low(x + y + carry);
}
static uint64_t shiftAdd(A a, int n, int &scc) {
  uint64_t sum = (uint64_t(a.u(0)) << n) + a.u(1);
  scc = sum >> 32 != 0;
  return low(sum);
}
static uint64_t signedSum(int64_t r, int &scc) {
  scc = r != int32_t(r);
  return low(r);
}
static uint64_t bfe(A a, unsigned bits, bool isSigned, int &scc) {
  unsigned offset = a.u(1) & (bits - 1), width = a.u(1) >> 16 & 127;
  if (width > bits)
    width = bits;
  uint64_t field = 0;
  if (width) {
    unsigned __int128 mask = ((unsigned __int128)1 << width) - 1;
    if (isSigned) {
      int64_t v = bits == 32 ? int64_t(a.i(0)) : int64_t(a.s[0]);
      field = uint64_t(v >> offset) & uint64_t(mask);
      if (width < 64 && field >> (width - 1) & 1)
        field |= ~uint64_t(0) << width;
    } else {
      field = (bits == 32 ? a.u(0) : a.s[0]) >> offset & uint64_t(mask);
    }
    if (bits == 32)
      field = low(field);
  }
  return zeroScc(scc, field);
}

#define OP [](A a, [[maybe_unused]] int &scc)->uint64_t
#define BITS(name, e)                                                                              \
  {name "_b32", "u:uu", OP{uint64_t x = a.s[0], y = a.s[1];                                        \
  return zeroScc(scc, low(e));                                                                     \
  }                                                                                                \
  }                                                                                                \
  , {                                                                                              \
    name "_b64", "q:qq", OP {                                                                      \
      uint64_t x = a.s[0], y = a.s[1];                                                             \
      return zeroScc(scc, e);                                                                      \
    }                                                                                              \
  }
#define COMPARE(name, e)                                                                           \
  {"s_cmp_" name "_i32", "-:uu", OP{int32_t x = a.i(0), y = a.i(1);                                \
  scc = e;                                                                                         \
  return 0;                                                                                        \
  }                                                                                                \
  }                                                                                                \
  , {"s_cmp_" name "_u32", "-:uu", OP{uint32_t x = a.u(0), y = a.u(1);                             \
  scc = e;                                                                                         \
  return 0;                                                                                        \
  }                                                                                                \
  }                                                                                                \
  , {"s_cmpk_" name "_i32", "-:u", OP{int32_t x = a.i(0), y = -2;                                  \
  scc = e;                                                                                         \
  return 0;                                                                                        \
  }                                                                                                \
  , ", -2"                                                                                         \
  }                                                                                                \
  , {"s_cmpk_" name "_u32", "-:u", OP{uint32_t x = a.u(0), y = 0xfffe;                             \
  scc = e;                                                                                         \
  return 0;                                                                                        \
  }                                                                                                \
  , ", 0xfffe"                                                                                     \
  }

static const std::vector<Scalar> kScalars = {
    {"s_add_u32", "u:uu", OP{return add32(a.u(0), a.u(1), 0, scc);
}
}
, {"s_addc_u32", "u:uu", OP{return add32(a.u(0), a.u(1), scc, scc);
}
}
, {"s_sub_u32", "u:uu", OP{scc = a.u(1) > a.u(0);
return low(a.u(0) - a.u(1));
}
}
, {"s_subb_u32", "u:uu", OP{uint64_t y = uint64_t(a.u(1)) + scc;
scc = y > a.u(0);
return low(a.u(0) - y);
}
}
, {"s_add_i32", "u:uu", OP{return signedSum(int64_t(a.i(0)) + a.i(1), scc);
}
}
, {"s_sub_i32", "u:uu", OP{return signedSum(int64_t(a.i(0)) - a.i(1), scc);
}
}
, {"s_absdiff_i32", "u:uu", OP{uint32_t d = a.u(0) - a.u(1);
return zeroScc(scc, int32_t(d) < 0 ? low(0 - d) : d);
}
}
, {"s_min_i32", "u:uu", OP{scc = a.i(0) < a.i(1);
return low(scc ? a.i(0) : a.i(1));
}
}
, {"s_min_u32", "u:uu", OP{scc = a.u(0) < a.u(1);
return scc ? a.u(0) : a.u(1);
}
}
, {"s_max_i32", "u:uu", OP{int32_t x = a.i(0), y = a.i(1);
if (x == y)
  scc = 2;
else
  scc = x > y;
return low(x > y ? x : y);
}
}
, {"s_max_u32", "u:uu", OP{uint32_t x = a.u(0), y = a.u(1);
if (x == y)
  scc = 2;
else
  scc = x > y;
return x > y ? x : y;
}
}
, {"s_mul_i32", "u:uu", OP{return low(a.s[0] * a.s[1]);
}
}
, {"s_mul_hi_u32", "u:uu", OP{return a.s[0] * a.s[1] >> 32;
}
}
, {"s_mul_hi_i32", "u:uu", OP{return low(int64_t(a.i(0)) * a.i(1) >> 32);
}
}
, {"s_lshl_b32", "u:uu", OP{return zeroScc(scc, low(a.u(0) << (a.u(1) & 31)));
}
}
, {"s_lshr_b32", "u:uu", OP{return zeroScc(scc, a.u(0) >> (a.u(1) & 31));
}
}
, {"s_ashr_i32", "u:uu", OP{return zeroScc(scc, low(a.i(0) >> (a.u(1) & 31)));
}
}
, {"s_lshl_b64", "q:qu", OP{return zeroScc(scc, a.s[0] << (a.u(1) & 63));
}
}
, {"s_lshr_b64", "q:qu", OP{return zeroScc(scc, a.s[0] >> (a.u(1) & 63));
}
}
, {"s_ashr_i64", "q:qu", OP{return zeroScc(scc, uint64_t(int64_t(a.s[0]) >> (a.u(1) & 63)));
}
}
, {"s_lshl1_add_u32", "u:uu", OP{return shiftAdd(a, 1, scc);
}
}
, {"s_lshl2_add_u32", "u:uu", OP{return shiftAdd(a, 2, scc);
}
}
, {"s_lshl3_add_u32", "u:uu", OP{return shiftAdd(a, 3, scc);
}
}
, {"s_lshl4_add_u32", "u:uu", OP{return shiftAdd(a, 4, scc);
}
}
, {"s_bfe_u32", "u:uu", OP{return bfe(a, 32, false, scc);
}
}
, {"s_bfe_i32", "u:uu", OP{return bfe(a, 32, true, scc);
}
}
, {"s_bfe_u64", "q:qu", OP{return bfe(a, 64, false, scc);
}
}
, {"s_bfe_i64", "q:qu", OP{return bfe(a, 64, true, scc);
}
}
, {"s_bfm_b32", "u:uu", OP{return low(((1u << (a.u(0) & 31)) - 1) << (a.u(1) & 31));
}
}
, {"s_bfm_b64", "q:uu", OP{return ((1ull << (a.u(0) & 63)) - 1) << (a.u(1) & 63);
}
}
, BITS("s_and", x &y), BITS("s_or", x | y), BITS("s_xor", x ^ y), BITS("s_nand", ~(x &y)),
    BITS("s_nor", ~(x | y)), BITS("s_xnor", ~(x ^ y)), BITS("s_and_not1", x & ~y),
    BITS("s_or_not1", x | ~y), {"s_cselect_b32", "u:uu", OP{return scc ? a.s[0] : a.s[1];
}
}
, {"s_cselect_b64", "q:qq", OP{return scc ? a.s[0] : a.s[1];
}
}
, {"s_pack_ll_b32_b16", "u:uu", OP{return (a.u(0) & 0xffff) | low(a.u(1) << 16);
}
}
, {"s_pack_lh_b32_b16", "u:uu", OP{return (a.u(0) & 0xffff) | (a.u(1) & 0xffff0000);
}
}
, {"s_pack_hl_b32_b16", "u:uu", OP{return a.u(0) >> 16 | low(a.u(1) << 16);
}
}
, {"s_pack_hh_b32_b16", "u:uu", OP{return a.u(0) >> 16 | (a.u(1) & 0xffff0000);
}
}
, {"s_mov_b32", "u:u", OP{return a.s[0];
}
}
, {"s_mov_b64", "q:q", OP{return a.s[0];
}
}
, {"s_cmov_b32", "u:uu", OP{return scc ? a.s[0] : a.s[1];
}
, "", true
}
, {"s_cmov_b64", "q:qq", OP{return scc ? a.s[0] : a.s[1];
}
, "", true
}
, {"s_not_b32", "u:u", OP{return zeroScc(scc, low(~a.u(0)));
}
}
, {"s_not_b64", "q:q", OP{return zeroScc(scc, ~a.s[0]);
}
}
, {"s_wqm_b32", "u:u", OP{return zeroScc(scc, quads(a.s[0], 32, true));
}
}
, {"s_wqm_b64", "q:q", OP{return zeroScc(scc, quads(a.s[0], 64, true));
}
}
, {"s_quadmask_b32", "u:u", OP{return zeroScc(scc, quads(a.s[0], 32, false));
}
}
, {"s_quadmask_b64", "q:q", OP{return zeroScc(scc, quads(a.s[0], 64, false));
}
}
, {"s_brev_b32", "u:u", OP{return reversed(a.s[0], 32);
}
}
, {"s_brev_b64", "q:q", OP{return reversed(a.s[0], 64);
}
}
, {"s_bcnt0_i32_b32", "u:u", OP{return zeroScc(scc, 32 - __builtin_popcount(a.u(0)));
}
}
, {"s_bcnt0_i32_b64", "u:q", OP{return zeroScc(scc, 64 - __builtin_popcountll(a.s[0]));
}
}
, {"s_bcnt1_i32_b32", "u:u", OP{return zeroScc(scc, __builtin_popcount(a.u(0)));
}
}
, {"s_bcnt1_i32_b64", "u:q", OP{return zeroScc(scc, __builtin_popcountll(a.s[0]));
}
}
, {"s_ctz_i32_b32", "u:u", OP{return low(firstFrom(a.s[0], 32, false, true));
}
}
, {"s_ctz_i32_b64", "u:q", OP{return low(firstFrom(a.s[0], 64, false, true));
}
}
, {"s_clz_i32_u32", "u:u", OP{return low(firstFrom(a.s[0], 32, true, true));
}
}
, {"s_clz_i32_u64", "u:q", OP{return low(firstFrom(a.s[0], 64, true, true));
}
}
, {"s_cls_i32", "u:u", OP{return low(firstOther(a.s[0], 32));
}
}
, {"s_cls_i32_i64", "u:q", OP{return low(firstOther(a.s[0], 64));
}
}
, {"s_sext_i32_i8", "u:u", OP{return low(int8_t(a.u(0)));
}
}
, {"s_sext_i32_i16", "u:u", OP{return low(int16_t(a.u(0)));
}
}
, {"s_abs_i32", "u:u", OP{return zeroScc(scc, a.i(0) < 0 ? low(0 - a.u(0)) : a.u(0));
}
}
, {"s_bitset0_b32", "u:uu", OP{return low(a.u(1) & ~(1u << (a.u(0) & 31)));
}
, "", true
}
, {"s_bitset1_b32", "u:uu", OP{return low(a.u(1) | 1u << (a.u(0) & 31));
}
, "", true
}
, {"s_bitset0_b64", "q:uq", OP{return a.s[1] & ~(1ull << (a.u(0) & 63));
}
, "", true
}
, {"s_bitset1_b64", "q:uq", OP{return a.s[1] | 1ull << (a.u(0) & 63);
}
, "", true
}
, {"s_bitreplicate_b64_b32", "q:u", OP{uint64_t r = 0;
for (int i = 0; i < 32; ++i)
  r |= (a.s[0] >> i & 1) * 3 << 2 * i;
return r;
}
}
, COMPARE("eq", x == y), COMPARE("lg", x != y), COMPARE("gt", x > y), COMPARE("ge", x >= y),
    COMPARE("lt", x < y), COMPARE("le", x <= y), {"s_cmp_eq_u64", "-:qq", OP{scc = a.s[0] == a.s[1];
return 0;
}
}
, {"s_cmp_lg_u64", "-:qq", OP{scc = a.s[0] != a.s[1];
return 0;
}
}
, {"s_bitcmp0_b32", "-:uu", OP{scc = !(a.u(0) >> (a.u(1) & 31) & 1);
return 0;
}
}
, {"s_bitcmp1_b32", "-:uu", OP{scc = a.u(0) >> (a.u(1) & 31) & 1;
return 0;
}
}
, {"s_bitcmp0_b64", "-:qu", OP{scc = !(a.s[0] >> (a.u(1) & 63) & 1);
return 0;
}
}
, {"s_bitcmp1_b64", "-:qu", OP{scc = a.s[0] >> (a.u(1) & 63) & 1;
return 0;
}
}
, {"s_movk_i32", "u:", OP{return low(-17185);
}
, ", 0xbcdf"
}
, {"s_cmovk_i32", "u:u", OP{return scc ? low(-3) : a.s[0];
}
, ", -3", true
}
, {"s_addk_i32", "u:u", OP{return signedSum(int64_t(a.i(0)) - 17185, scc);
}
, ", 0xbcdf", true
}
, {"s_mulk_i32", "u:u", OP{return low(int64_t(a.i(0)) * -17185);
}
, ", 0xbcdf", true
}
,
}
;

static std::string scalarRegister(char type, unsigned number) {
  return typeBits(type) == 64 ? format("s[%u:%u]", number, number + 1) : format("s%u", number);
}

static void addOne(Suite &suite, const Scalar &op, unsigned wave) {
  std::string types = op.types + 2;
  char to = op.types[0];
  Group &group = suite.group(op.name, wave);
  group.scalar = true;
  group.workgroups = 48;
  group.inputs = 8;
  group.in.assign(48 * 8 * 64, 0);
  Random random(group.name);
  for (unsigned g = 0; g < 48; ++g)
    for (unsigned slot = 0; slot < 4; ++slot) {
      uint64_t v =
          sample(slot < types.size() ? types[slot] : 'u', slot ? (g * 5 + slot) % 40 : g, random);
      if (slot == 1 && std::string(op.name).find("bfe") != std::string::npos)
        v = random.below(70) | random.below(70) << 16;
      if (slot == 1 && g % 6 == 5) // equal operands are where comparisons differ
        v = group.in[(g * 8) * 64] | uint64_t(group.in[(g * 8 + 1) * 64]) << 32;
      for (unsigned lane = 0; lane < 64; ++lane) {
        group.in[(g * 8 + 2 * slot) * 64 + lane] = uint32_t(v);
        group.in[(g * 8 + 2 * slot + 1) * 64 + lane] = uint32_t(v >> 32);
      }
    }
  unsigned sources = types.size();
  // 0: registers; 1: SCC set before; 2: inline constant; 3: literal; 4: VCC as operands
  for (unsigned form = 0; form < 5; ++form) {
    bool constant = (form == 2 || form == 3) && sources >= 2 && !op.destinationIsSource;
    if ((form == 2 || form == 3) && !constant)
      continue;
    if (form == 4 && (to == '-' || op.destinationIsSource))
      continue;
    uint64_t value =
        form == 2 ? uint64_t(int64_t(-9)) : 0x1c0013; // also a bit field's offset and width
    if (form == 3 && typeBits(types.back()) == 64)
      continue;
    std::string text,
        destination = form == 4 ? (typeBits(to) == 64 ? "vcc" : "vcc_lo") : scalarRegister(to, 40);
    if (op.destinationIsSource)
      text += (typeBits(to) == 64 ? "  s_mov_b64 " : "  s_mov_b32 ") + destination + ", " +
              scalarRegister(types.back(), 20 + 2 * (sources - 1)) + "\n";
    else if (to == '-')
      text += "  s_mov_b32 s40, 7\n";
    text += format("  s_cmp_eq_u32 s0, %s\n", form == 1 ? "s0" : "s1");
    text = "  s_mov_b32 s0, 1\n  s_mov_b32 s1, 2\n" + text + "  " + op.name;
    std::string arguments = to == '-' ? "" : " " + destination;
    unsigned shown = op.destinationIsSource ? sources - 1 : sources;
    for (unsigned i = 0; i < shown; ++i) {
      arguments += arguments.empty() ? " " : ", ";
      arguments += constant && i + 1 == shown ? (form == 2 ? "-9" : "0x1c0013")
                                              : scalarRegister(types[i], 20 + 2 * i);
    }
    text += arguments + op.immediate + "\n  s_cselect_b32 s44, 1, 0\n";
    if (to == '-')
      text += "  v_mov_b32 v40, s40\n  v_mov_b32 v41, s44\n";
    else if (typeBits(to) == 64)
      text += format("  v_mov_b32 v40, %s\n  v_mov_b32 v41, s44\n  v_mov_b32 v42, %s\n",
                     form == 4 ? "vcc_lo" : "s40", form == 4 ? "vcc_hi" : "s41");
    else
      text += "  v_mov_b32 v40, " + destination + "\n  v_mov_b32 v41, s44\n";
    Check check;
    static const char *labels[] = {"registers", "scc", "inline constant", "literal", "vcc"};
    check.name = group.name + " " + labels[form];
    check.words = typeBits(to) == 64 ? 3 : 2;
    check.expect = [=, &op](const Wave &w, unsigned, uint32_t *out) {
      Lane in = {};
      for (unsigned i = 0; i < sources; ++i) {
        in.s[i] = w.at(2 * i, 0);
        if (typeBits(types[i]) == 64)
          in.s[i] |= uint64_t(w.at(2 * i + 1, 0)) << 32;
        if (constant && i + 1 == shown)
          in.s[i] = typeBits(types[i]) == 64 ? value : uint32_t(value);
      }
      int scc = form == 1;
      uint64_t r = op.compute(in, scc);
      out[0] = to == '-' ? 7 : uint32_t(r);
      out[1] = scc;
      out[2] = uint32_t(r >> 32);
      return scc != 2; // equal operands of max: the public texts disagree
    };
    group.add(text, check);
  }
}

/// s_and_saveexec and its like: the old EXEC, the new one, SCC.
static void addExec(Suite &suite, unsigned wave) {
  struct Save {
    const char *name;
    uint64_t (*compute)(uint64_t source, uint64_t exec);
    bool write; // the destination is the new EXEC, not the old
  };
  static const Save saves[] = {
      {"s_and_saveexec", [](uint64_t s, uint64_t e) { return s & e; }, false},
      {"s_or_saveexec", [](uint64_t s, uint64_t e) { return s | e; }, false},
      {"s_xor_saveexec", [](uint64_t s, uint64_t e) { return s ^ e; }, false},
      {"s_nand_saveexec", [](uint64_t s, uint64_t e) { return ~(s & e); }, false},
      {"s_nor_saveexec", [](uint64_t s, uint64_t e) { return ~(s | e); }, false},
      {"s_xnor_saveexec", [](uint64_t s, uint64_t e) { return ~(s ^ e); }, false},
      {"s_and_not0_saveexec", [](uint64_t s, uint64_t e) { return ~s & e; }, false},
      {"s_or_not0_saveexec", [](uint64_t s, uint64_t e) { return ~s | e; }, false},
      {"s_and_not1_saveexec", [](uint64_t s, uint64_t e) { return s & ~e; }, false},
      {"s_or_not1_saveexec", [](uint64_t s, uint64_t e) { return s | ~e; }, false},
      {"s_and_not0_wrexec", [](uint64_t s, uint64_t e) { return ~s & e; }, true},
      {"s_and_not1_wrexec", [](uint64_t s, uint64_t e) { return s & ~e; }, true},
  };
  for (const Save &save : saves)
    for (unsigned bits : {32u, 64u}) {
      if (bits != wave)
        continue; // a wave32 has no use for the other form
      Group &group = suite.group(format("%s_b%u", save.name, bits), wave);
      group.scalar = true;
      group.workgroups = 24;
      group.inputs = 4;
      group.in.assign(24 * 4 * 64, 0);
      Random random(group.name);
      for (unsigned g = 0; g < 24; ++g)
        for (unsigned w = 0; w < 4; ++w)
          group.in[(g * 4 + w) * 64] = g == 0            ? 0
                                       : g == 1          ? ~0u
                                       : g == 2 && w < 2 ? 0
                                                         : random.next();
      std::string exec = bits == 32 ? "exec_lo" : "exec", b = bits == 32 ? "b32" : "b64";
      auto reg = [&](unsigned n) {
        return bits == 32 ? format("s%u", n) : format("s[%u:%u]", n, n + 1);
      };
      std::string text = "  s_mov_" + b + " " + exec + ", " + reg(20) + "\n  " + save.name + "_" +
                         b + " " + reg(30) + ", " + reg(22) +
                         "\n  s_cselect_b32 s36, 1, 0\n  s_mov_" + b + " " + reg(32) + ", " + exec +
                         "\n  s_mov_" + b + " " + exec + ", -1\n";
      text += "  v_mov_b32 v40, s30\n  v_mov_b32 v41, s32\n  v_mov_b32 v42, s36\n";
      if (bits == 64)
        text += "  v_mov_b32 v43, s31\n  v_mov_b32 v44, s33\n";
      Check check;
      check.name = group.name;
      check.words = bits == 32 ? 3 : 5;
      check.expect = [=, &save](const Wave &w, unsigned, uint32_t *out) {
        uint64_t mask = bits == 32 ? 0xffffffff : ~0ull;
        uint64_t old = (w.at(0, 0) | uint64_t(w.at(1, 0)) << 32) & mask,
                 source = (w.at(2, 0) | uint64_t(w.at(3, 0)) << 32) & mask;
        uint64_t fresh = save.compute(source, old) & mask, d = save.write ? fresh : old;
        uint32_t r[] = {uint32_t(d), uint32_t(fresh), fresh != 0, uint32_t(d >> 32),
                        uint32_t(fresh >> 32)};
        std::copy(r, r + 5, out);
        return true;
      };
      group.add(text, check);
    }
}

void simtest::addScalar(Suite &suite) {
  for (unsigned wave : {32u, 64u}) {
    for (const Scalar &op : kScalars)
      addOne(suite, op, wave);
    addExec(suite, wave);
  }
}
