//===- Compare.cpp - VOPC: comparisons into masks and into EXEC -------------===//
//
// A comparison's result is read back per lane (v_cndmask_b32) and as the whole mask, which
// must be 0 for the lanes that are off.
//
//===----------------------------------------------------------------------===//

#include "Vector.h"

using namespace simtest;

namespace {
struct Comparison {
  std::string name; // after v_cmp_ or v_cmpx_
  char type;
  bool (*compute)(char type, uint64_t x, uint64_t y);
};
} // namespace

static double number(char type, uint64_t v) {
  return type == 'f' ? asF(uint32_t(v)) : type == 'h' ? asH(uint32_t(v)) : asD(v);
}
static int64_t asSigned(char type, uint64_t v) {
  unsigned bits = typeBits(type);
  return int64_t(v << (64 - bits)) >> (64 - bits);
}

template <typename T> static bool relation(int which, T x, T y) {
  switch (which) {
  case 0:
    return false;
  case 1:
    return x < y;
  case 2:
    return x == y;
  case 3:
    return x <= y;
  case 4:
    return x > y;
  case 5:
    return x < y || x > y;
  case 6:
    return x >= y;
  default:
    return true;
  }
}

template <int which> static bool ofSigned(char type, uint64_t x, uint64_t y) {
  return relation(which, asSigned(type, x), asSigned(type, y));
}
template <int which> static bool ofUnsigned(char, uint64_t x, uint64_t y) {
  return relation(which, x, y);
}
template <int which> static bool ofFloat(char type, uint64_t x, uint64_t y) {
  double a = number(type, x), b = number(type, y);
  bool unordered = std::isnan(a) || std::isnan(b);
  if (which == 7) // o
    return !unordered;
  if (which == 8) // u
    return unordered;
  if (which >= 9 && which < 15) // nge nlg ngt nle neq nlt
    return !relation(15 - which, a, b);
  return which == 15 || relation(which, a, b);
}

static bool classOf(char type, uint64_t x, uint64_t mask) {
  unsigned bits = typeBits(type), mantissa = type == 'h' ? 10 : type == 'f' ? 23 : 52;
  bool negative = x >> (bits - 1) & 1;
  uint64_t m = x & ((1ull << mantissa) - 1);
  uint64_t e = x >> mantissa & ((1ull << (bits - 1 - mantissa)) - 1);
  uint64_t full = (1ull << (bits - 1 - mantissa)) - 1;
  unsigned bit;
  if (e == full && m)
    bit = m >> (mantissa - 1) ? 1 : 0;
  else if (e == full)
    bit = negative ? 2 : 9;
  else if (e)
    bit = negative ? 3 : 8;
  else if (m)
    bit = negative ? 4 : 7;
  else
    bit = negative ? 5 : 6;
  return mask >> bit & 1;
}

static std::vector<Comparison> comparisons() {
  std::vector<Comparison> all;
  using Compute = bool (*)(char, uint64_t, uint64_t);
  const char *floats[] = {"f", "lt",  "eq",  "le",  "gt",  "lg",  "ge",  "o",
                          "u", "nge", "nlg", "ngt", "nle", "neq", "nlt", "t"};
  const Compute floatFns[] = {ofFloat<0>,  ofFloat<1>,  ofFloat<2>,  ofFloat<3>,
                              ofFloat<4>,  ofFloat<5>,  ofFloat<6>,  ofFloat<7>,
                              ofFloat<8>,  ofFloat<9>,  ofFloat<10>, ofFloat<11>,
                              ofFloat<12>, ofFloat<13>, ofFloat<14>, ofFloat<15>};
  const std::pair<char, const char *> floatTypes[] = {{'h', "f16"}, {'f', "f32"}, {'d', "f64"}};
  for (auto [type, suffix] : floatTypes)
    for (int i = 0; i < 16; ++i)
      all.push_back({std::string(floats[i]) + "_" + suffix, type, floatFns[i]});
  const char *ints[] = {"f", "lt", "eq", "le", "gt", "ne", "ge", "t"};
  const Compute signedFns[] = {ofSigned<0>, ofSigned<1>, ofSigned<2>, ofSigned<3>,
                               ofSigned<4>, ofSigned<5>, ofSigned<6>, ofSigned<7>};
  const Compute unsignedFns[] = {ofUnsigned<0>, ofUnsigned<1>, ofUnsigned<2>, ofUnsigned<3>,
                                 ofUnsigned<4>, ofUnsigned<5>, ofUnsigned<6>, ofUnsigned<7>};
  const std::pair<char, int> intTypes[] = {{'w', 16}, {'u', 32}, {'q', 64}};
  for (auto [type, bits] : intTypes)
    for (int i = 0; i < 8; ++i)
      if (bits != 16 || (i != 0 && i != 7)) // gfx11 has no 16-bit f and t
        for (bool isSigned : {false, true})
          all.push_back({format("%s_%c%d", ints[i], isSigned ? 'i' : 'u', bits), type,
                         isSigned ? signedFns[i] : unsignedFns[i]});
  for (auto [type, suffix] : floatTypes)
    all.push_back({std::string("class_") + suffix, type, classOf});
  return all;
}

static void addOne(Suite &suite, const Comparison &c, unsigned wave) {
  static unsigned turn;
  ++turn;
  Group &group = suite.group("v_cmp_" + c.name, wave);
  group.workgroups = 16 / (wave / 32);
  bool isClass = c.name.compare(0, 5, "class") == 0,
       isFloat = c.type == 'f' || c.type == 'h' || c.type == 'd';
  char second = isClass ? (c.type == 'h' ? 'w' : 'u') : c.type;
  fillSlots(group, std::string() + c.type + second);
  // Equal values are rare among random ones, and are where relations differ.
  for (size_t i = 0; i < group.in.size(); i += 8 * 64)
    for (unsigned lane = 0; lane < wave; lane += 5)
      for (unsigned word = 0; word < 2 && !isClass; ++word)
        group.in[i + (2 + word) * 64 + lane] = group.in[i + word * 64 + lane];

  struct Form {
    std::string label;
    bool high = false, neg = false, abs = false, exec = false, toExec = false, bound = false;
    int (*dpp)(int) = nullptr;
  };
  const uint64_t odd = 0xc3a5f01e96d2b487ull;
  auto add = [&](const std::string &encoding, const std::string &tail, Form form) {
    bool e32 = encoding == "_e32" || encoding == "_dpp";
    std::string vcc = wave == 32 ? "vcc_lo" : "vcc", sdst = e32          ? vcc
                                                            : wave == 32 ? "s30"
                                                                         : "s[30:31]";
    std::string exec = wave == 32 ? "exec_lo" : "exec", b = wave == 32 ? "_b32" : "_b64";
    std::string text;
    if (form.exec)
      text += wave == 32 ? format("  s_mov_b32 exec_lo, 0x%x\n", uint32_t(odd))
                         : format("  s_mov_b32 exec_lo, 0x%x\n  s_mov_b32 exec_hi, 0x%x\n",
                                  uint32_t(odd), uint32_t(odd >> 32));
    std::string a = registerText(c.type, 10, form.high), bb = registerText(second, 12);
    if (form.abs)
      a = "|" + a + "|";
    if (form.neg)
      a = "-" + a;
    text += form.toExec ? "  v_cmpx_" : "  v_cmp_";
    text +=
        c.name + encoding + " " + (form.toExec ? "" : sdst + ", ") + a + ", " + bb + tail + "\n";
    std::string mask = form.toExec ? exec : sdst;
    text += "  s_mov" + b + " s[34:35], " + mask + "\n";
    if (wave == 32)
      text.replace(text.rfind("s[34:35]"), 8, "s34");
    text += "  s_mov" + b + " " + exec + ", -1\n";
    text += "  v_mov_b32 v41, s34\n";
    if (wave == 64)
      text += "  v_mov_b32 v42, s35\n";
    text +=
        std::string("  v_cndmask_b32_e64 v40, 0, 1, ") + (wave == 32 ? "s34" : "s[34:35]") + "\n";
    Check check;
    check.name =
        group.name + (form.toExec ? " v_cmpx_" : " v_cmp_") + c.name + encoding + " " + form.label;
    check.words = wave == 32 ? 2 : 3;
    check.expect = [=](const Wave &w, unsigned lane, uint32_t *out) {
      uint64_t bits = 0, active = form.exec ? odd : ~0ull;
      for (unsigned l = 0; l < w.size; ++l) {
        if (!(active >> l & 1))
          continue;
        int from = form.dpp ? form.dpp(l) : int(l);
        bool valid = from >= 0 && (active >> from & 1);
        if (!valid && !form.bound)
          continue; // does not take part
        uint64_t x = valid ? slotValue(w, from, 0, c.type, form.high) : 0;
        uint64_t y = slotValue(w, l, 1, second);
        uint64_t sign = 1ull << (typeBits(c.type) - 1);
        x = form.abs ? x & ~sign : x;
        x = form.neg ? x ^ sign : x;
        bits |= uint64_t(c.compute(c.type, x, y)) << l;
      }
      out[0] = bits >> lane & 1;
      out[1] = uint32_t(bits);
      out[2] = uint32_t(bits >> 32);
      return true;
    };
    group.add(text, check);
  };
  for (bool toExec : {false, true})
    for (const char *encoding : {"_e32", "_e64"}) {
      bool e32 = std::string(encoding) == "_e32";
      Form f;
      f.toExec = toExec;
      f.label = "registers";
      add(encoding, "", f);
      f.exec = true;
      f.label = "partial exec";
      add(encoding, "", f);
      f.exec = false;
      if (typeBits(c.type) == 16) {
        f.high = true;
        f.label = "high half";
        add(encoding, "", f);
        f.high = false;
      }
      if (isFloat && !e32 && !toExec) {
        f.neg = true;
        f.label = "neg";
        add(encoding, "", f);
        f.neg = false;
        if (!isClass) {
          f.abs = true;
          f.label = "abs";
          add(encoding, "", f);
          f.abs = false;
        }
      }
      if (typeBits(c.type) == 64)
        continue;
      const DppControl &control = kDppControls[turn % kDppControlCount];
      f.label = control.text;
      f.dpp = control.source;
      f.bound = true;
      add(e32 ? "_dpp" : "_e64_dpp",
          std::string(" ") + control.text + " row_mask:0xf bank_mask:0xf bound_ctrl:1", f);
      f.label = "dpp8";
      f.dpp = [](int l) { return l ^ 5; };
      add(e32 ? "_dpp" : "_e64_dpp", " dpp8:[5,4,7,6,1,0,3,2]", f);
    }
}

void simtest::addCompare(Suite &suite) {
  for (unsigned wave : {32u, 64u})
    for (const Comparison &c : comparisons())
      addOne(suite, c, wave);
}
