//===- Vector.cpp - all forms of a lane operation ---------------------------===//
//
// Slots 0-2 are the sources (v10, v12, v14; two words each) and slot 3 (v16) is what the
// destination holds before: 16-bit results keep its other half, accumulating operations
// read it, lanes that do not write leave it.
//
//===----------------------------------------------------------------------===//

#include "Vector.h"

using namespace simtest;

const DppControl simtest::kDppControls[] = {
    {"quad_perm:[1,3,0,2]", [](int l) { return (l & ~3) | "\1\3\0\2"[l & 3]; }},
    {"quad_perm:[3,3,1,0]", [](int l) { return (l & ~3) | "\3\3\1\0"[l & 3]; }},
    {"row_shl:1", [](int l) { return (l & 15) + 1 > 15 ? -1 : l + 1; }},
    {"row_shl:7", [](int l) { return (l & 15) + 7 > 15 ? -1 : l + 7; }},
    {"row_shr:1", [](int l) { return (l & 15) < 1 ? -1 : l - 1; }},
    {"row_shr:13", [](int l) { return (l & 15) < 13 ? -1 : l - 13; }},
    {"row_ror:1", [](int l) { return (l & ~15) | ((l + 15) & 15); }},
    {"row_ror:6", [](int l) { return (l & ~15) | ((l + 10) & 15); }},
    {"row_mirror", [](int l) { return l ^ 15; }},
    {"row_half_mirror", [](int l) { return l ^ 7; }},
    {"row_share:0", [](int l) { return l & ~15; }},
    {"row_share:11", [](int l) { return (l & ~15) | 11; }},
    {"row_xmask:1", [](int l) { return l ^ 1; }},
    {"row_xmask:10", [](int l) { return l ^ 10; }},
};
const unsigned simtest::kDppControlCount = sizeof kDppControls / sizeof *kDppControls;

unsigned simtest::typeBits(char type) {
  switch (type) {
  case 'd':
  case 'q':
    return 64;
  case 'h':
  case 'w':
    return 16;
  default:
    return 32;
  }
}

Match simtest::matchOf(char type) {
  switch (type) {
  case 'f':
  case 'g':
    return Match::f32;
  case 'd':
    return Match::f64;
  case 'h':
    return Match::f16;
  case 'p':
    return Match::loHiF16;
  default:
    return Match::bits;
  }
}

std::string simtest::registerText(char type, unsigned number, bool high) {
  if (typeBits(type) == 64)
    return format("v[%u:%u]", number, number + 1);
  if (typeBits(type) == 16)
    return format("v%u.%c", number, high ? 'h' : 'l');
  return format("v%u", number);
}

uint64_t simtest::slotValue(const Wave &wave, unsigned lane, unsigned slot, char type, bool high) {
  uint32_t low = wave.at(2 * slot, lane);
  if (typeBits(type) == 64)
    return uint64_t(wave.at(2 * slot + 1, lane)) << 32 | low;
  if (typeBits(type) == 16)
    return high ? low >> 16 : low & 0xffff;
  return low;
}

void simtest::fillSlots(Group &group, const std::string &types) {
  group.inputs = 8;
  group.in.assign(size_t(group.workgroups) * 8 * 64, 0);
  Random random(group.name);
  for (unsigned slot = 0; slot < 4; ++slot) {
    char type = slot < types.size() ? types[slot] : 'u';
    unsigned index = 0;
    for (unsigned g = 0; g < group.workgroups; ++g)
      for (unsigned lane = 0; lane < group.wave; ++lane, ++index) {
        // The first source walks its special values, the others meet it shifted.
        unsigned at = slot == 0 ? index : slot == 1 ? (index * 7 + index / 32) % 64 : ~0u;
        uint64_t value = sample(type, at, random);
        if (typeBits(type) == 16)
          value |= sample(type, ~0u, random) << 16; // the other half, for .h forms
        uint32_t *words = &group.in[size_t(g) * 8 * 64];
        words[(2 * slot) * 64 + lane] = uint32_t(value);
        words[(2 * slot + 1) * 64 + lane] = uint32_t(value >> 32);
      }
  }
}

namespace {

enum class From { vgpr, sgpr, literal, constant };

struct Source {
  From from = From::vgpr;
  uint64_t value = 0; // unless from a VGPR
  std::string text;   // the same
  bool neg = false, abs = false, high = false;
};

struct Form {
  std::string label, suffix, tail;
  Source sources[3];
  bool highResult = false, clamp = false;
  int (*dpp)(int) = nullptr;
  bool boundZero = false;
  uint64_t exec = ~0ull;
  uint64_t writes = ~0ull; // lanes that row and bank masks leave
};

struct Builder {
  Group &group;
  const Op &op;
  std::string types; // of the sources
  char to;
  bool accumulate;

  void add(const Form &form);
};

} // namespace

static uint64_t clamped(char type, uint64_t value) {
  switch (type) {
  case 'f': {
    float f = asF(uint32_t(value));
    return f > 0 ? bitsOf(f > 1 ? 1.0f : f) : 0; // NaN and -0 give 0
  }
  case 'd': {
    double d = asD(value);
    return d > 0 ? bitsOf(d > 1 ? 1.0 : d) : 0;
  }
  case 'h': {
    double h = asH(uint32_t(value));
    return h > 0 ? (h > 1 ? 0x3c00 : value) : 0;
  }
  default:
    return value;
  }
}

void Builder::add(const Form &form) {
  std::string text;
  bool wide = typeBits(to) == 64;
  text += "  v_mov_b32 v40, v16\n";
  if (wide)
    text += "  v_mov_b32 v41, v17\n";
  bool partial = form.exec != ~0ull;
  if (partial)
    text += group.wave == 32 ? format("  s_mov_b32 exec_lo, 0x%x\n", uint32_t(form.exec))
                             : format("  s_mov_b32 exec_lo, 0x%x\n  s_mov_b32 exec_hi, 0x%x\n",
                                      uint32_t(form.exec), uint32_t(form.exec >> 32));
  text += "  " + std::string(op.name) + form.suffix + " " + registerText(to, 40, form.highResult);
  unsigned sources = accumulate ? types.size() - 1 : types.size();
  for (unsigned i = 0; i < sources; ++i) {
    const Source &s = form.sources[i];
    std::string t = s.from == From::vgpr ? registerText(types[i], 10 + 2 * i, s.high) : s.text;
    if (s.abs)
      t = "|" + t + "|";
    text += ", " + std::string(s.neg ? "-" : "") + t;
  }
  text += form.tail + (form.clamp ? " clamp" : "") + "\n";
  if (op.ulps) // a result of the transcendental unit is not guarded like the others
    text += "  s_waitcnt_depctr 0xfff\n";
  if (partial)
    text += group.wave == 32 ? "  s_mov_b32 exec_lo, -1\n" : "  s_mov_b64 exec, -1\n";

  Check check;
  check.name = group.name + " " + op.name + form.suffix + " " + form.label;
  check.words = wide ? 2 : 1;
  check.match = typeBits(to) == 16 ? (form.highResult ? Match::bits : matchOf(to)) : matchOf(to);
  check.ulps = op.ulps;
  const Op &o = op;
  std::string srcTypes = types;
  char dst = to;
  bool acc = accumulate;
  check.expect = [form, &o, srcTypes, dst, acc, sources](const Wave &wave, unsigned lane,
                                                         uint32_t *out) {
    uint64_t old = wave.at(6, lane) | uint64_t(wave.at(7, lane)) << 32;
    Lane in = {};
    bool writes = form.exec >> lane & form.writes >> lane & 1;
    for (unsigned i = 0; i < sources; ++i) {
      const Source &s = form.sources[i];
      unsigned bits = typeBits(srcTypes[i]);
      uint64_t value = s.value;
      if (s.from == From::vgpr) {
        int from = i == 0 && form.dpp ? form.dpp(lane) : int(lane);
        // RDNA3 ISA, DPP: without BOUND_CTRL, lanes with an invalid source do not write.
        bool valid = from >= 0 && (form.exec >> from & 1);
        value = valid ? slotValue(wave, from, i, srcTypes[i], s.high) : 0;
        if (!valid && !form.boundZero)
          writes = false;
      }
      if (s.abs)
        value &= ~(1ull << (bits - 1));
      if (s.neg)
        value ^= 1ull << (bits - 1);
      in.s[i] = bits == 64 ? value : value & ((1ull << bits) - 1);
    }
    if (acc)
      in.s[sources] = typeBits(dst) == 16 && form.highResult ? old >> 16 & 0xffff : old;
    uint64_t result = old;
    if (writes) {
      result = o.compute(in);
      if (form.clamp)
        result = clamped(dst, result);
      if (typeBits(dst) == 16)
        result = form.highResult ? (old & 0xffff) | result << 16
                                 : (old & 0xffff0000) | (result & 0xffff);
    }
    out[0] = uint32_t(result);
    out[1] = uint32_t(result >> 32);
    // NaN payloads are compared by type in whole words only.
    if (typeBits(dst) == 16 && dst == 'h' && form.highResult && writes && isNanH(result >> 16))
      return false;
    return !in.skip;
  };
  group.add(text, check);
}

/// A constant of the type, encodable inline, and the value it stands for.
static void inlineConstant(char type, unsigned which, Source &s) {
  s.from = From::constant;
  static const struct {
    const char *text;
    uint64_t f, h, d;
  } floats[] = {{"0.5", 0x3f000000, 0x3800, 0x3fe0000000000000},
                {"-4.0", 0xc0800000, 0xc400, 0xc010000000000000},
                {"1.0", 0x3f800000, 0x3c00, 0x3ff0000000000000},
                {"-2.0", 0xc0000000, 0xc000, 0xc000000000000000}};
  static const int ints[] = {-16, 64, 3, -1};
  if (type == 'f' || type == 'h' || type == 'd') {
    s.text = floats[which % 4].text;
    s.value = type == 'f'   ? floats[which % 4].f
              : type == 'h' ? floats[which % 4].h
                            : floats[which % 4].d;
  } else {
    s.text = std::to_string(ints[which % 4]);
    s.value = uint64_t(int64_t(ints[which % 4]));
  }
}

void simtest::addForms(Suite &suite, const Op &op, unsigned wave) {
  static unsigned turn;
  ++turn; // which of the DPP controls and constants this row shows
  Group &group = suite.group(op.name, wave);
  std::string types = op.types + 2;
  Builder builder{group, op, types, op.types[0], (op.flags & kAccumulate) != 0};
  group.workgroups = types.size() > 1 ? 24 / (wave / 32) : 4 / (wave / 32);
  fillSlots(group, types);
  bool sixteen = false, wide = typeBits(op.types[0]) == 64;
  std::vector<unsigned> floats;
  unsigned sources = types.size() - builder.accumulate;
  for (unsigned i = 0; i < sources; ++i) {
    sixteen |= typeBits(types[i]) == 16;
    wide |= typeBits(types[i]) == 64;
    if (types[i] == 'f' || types[i] == 'h' || types[i] == 'd')
      floats.push_back(i);
  }
  bool floatResult = op.types[0] == 'f' || op.types[0] == 'h' || op.types[0] == 'd';
  uint64_t odd = 0x5bd1e995c96d2f37ull;
  std::vector<std::string> encodings;
  if (op.kind < 3)
    encodings.push_back("_e32");
  if (op.kind == 3)
    encodings.push_back("");
  else if (!(op.flags & kNoE64))
    encodings.push_back("_e64");
  for (const std::string &suffix : encodings) {
    bool e32 = suffix == "_e32";
    auto form = [&](const char *label) {
      Form f;
      f.label = label;
      f.suffix = suffix;
      return f;
    };
    builder.add(form("registers"));
    Form f = form("partial exec");
    f.exec = odd;
    builder.add(f);
    if (!(op.flags & kNoConstants)) {
      f = form("inline constant");
      inlineConstant(types[0], turn, f.sources[0]);
      builder.add(f);
      if (typeBits(types[0]) != 64) {
        f = form("scalar source");
        Random random(group.name + "scalar");
        f.sources[0].from = From::sgpr;
        f.sources[0].text = "s16";
        f.sources[0].value = sample(types[0], turn % 24, random);
        group.body += format("  s_mov_b32 s16, 0x%x\n", uint32_t(f.sources[0].value));
        builder.add(f);
      }
      f = form("literal");
      if (types[0] == 'd') { // the high half of the double
        f.sources[0].value = 0x400a666600000000ull + (uint64_t(turn) << 32);
        f.sources[0].text = format("0x%x", uint32_t(f.sources[0].value >> 32));
      } else {
        f.sources[0].value = typeBits(types[0]) == 16 ? 0x4321 + turn : 0x41234567 + 97 * turn;
        f.sources[0].text = format("0x%x", uint32_t(f.sources[0].value));
      }
      f.sources[0].from = From::literal;
      if (types[0] != 'q')
        builder.add(f);
    }
    if (!e32 && sources > 1 && !(op.flags & kNoConstants)) {
      f = form("constant second source");
      inlineConstant(types[1], turn + 1, f.sources[1]);
      builder.add(f);
    }
    if (sixteen || typeBits(op.types[0]) == 16) {
      f = form("high halves");
      for (unsigned i = 0; i < sources; ++i)
        f.sources[i].high = typeBits(types[i]) == 16 && i != 1;
      builder.add(f);
      f = form("high result");
      f.highResult = typeBits(op.types[0]) == 16;
      for (unsigned i = 0; i < sources; ++i)
        f.sources[i].high = typeBits(types[i]) == 16 && i == 1;
      builder.add(f);
    }
    if (!e32 && !floats.empty() && !(op.flags & kNoSources)) {
      for (unsigned i : floats) {
        f = form("");
        f.label = format("neg %u", i);
        f.sources[i].neg = true;
        builder.add(f);
        f.label = format("abs %u", i);
        f.sources[i].neg = false;
        f.sources[i].abs = true;
        builder.add(f);
      }
      f = form("neg abs of all");
      for (unsigned i : floats)
        f.sources[i].neg = f.sources[i].abs = true;
      builder.add(f);
    }
    bool canClamp = !e32 && floatResult && !op.ulps && !(op.flags & kNoClamp);
    if (canClamp) {
      f = form("clamp");
      f.clamp = true;
      builder.add(f);
    }
    if ((op.flags & kNoDpp) || wide)
      continue;
    for (unsigned k = 0; k < 4; ++k) {
      const DppControl &control = kDppControls[(turn * 5 + k * 3) % kDppControlCount];
      f = form(control.text);
      f.suffix = e32 ? "_dpp" : "_e64_dpp";
      f.tail = std::string(" ") + control.text + " row_mask:0xf bank_mask:0xf";
      f.dpp = control.source;
      f.boundZero = k & 1;
      if (f.boundZero)
        f.tail += " bound_ctrl:1";
      if (k == 2) { // masked lanes do not write
        f.tail = std::string(" ") + control.text + " row_mask:0x5 bank_mask:0xa";
        f.writes = 0;
        for (unsigned l = 0; l < 64; ++l)
          f.writes |= uint64_t((0x5 >> (l / 16) & 1) && (0xa >> (l / 4 % 4) & 1)) << l;
      }
      if (k == 3 && !e32 && !floats.empty() && !(op.flags & kNoSources)) {
        f.label += " neg";
        f.sources[floats[0]].neg = true;
      }
      builder.add(f);
    }
    f = form("dpp8");
    f.suffix = e32 ? "_dpp" : "_e64_dpp";
    f.tail = " dpp8:[3,1,7,0,5,5,2,6]";
    f.dpp = [](int l) { return (l & ~7) | "\3\1\7\0\5\5\2\6"[l & 7]; };
    builder.add(f);
  }
}

void simtest::addVector(Suite &suite) {
  for (unsigned wave : {32u, 64u}) {
    for (const Op &op : kAluOps)
      addForms(suite, op, wave);
    for (const Op &op : kIntOps)
      addForms(suite, op, wave);
  }
}
