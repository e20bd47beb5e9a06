//===- BufferFormats.cpp - MUBUF with formats, MTBUF, TFE -------------------===//
//
// A format is its name: BUF_FMT_2_10_10_10_SINT lists the components from the most significant bit
// down. Loads are compared with what the name says of random bits; stores put back what a load gave
// and have to give the same bits. Numbers between two that a format has are not stored: how the
// card rounds them is not public.
//
//===----------------------------------------------------------------------===//

#include "Vector.h"

#include <algorithm>
#include <cmath>

using namespace simtest;

namespace {
struct Format {
  std::string name;
  unsigned number;            // in a resource
  std::vector<unsigned> bits; // from the least significant
  std::string kind;
  unsigned total() const {
    unsigned sum = 0;
    for (unsigned n : bits)
      sum += n;
    return sum;
  }
  bool integer() const { return kind == "UINT" || kind == "SINT"; }
  bool scaled() const { return kind == "USCALED" || kind == "SSCALED"; }
  bool exact() const { return kind != "UNORM" && kind != "SNORM"; }
};
} // namespace

static std::vector<Format> allFormats() {
  const std::string norm = "UNORM SNORM ", scaled = "USCALED SSCALED ", integer = "UINT SINT ",
                    real = "FLOAT ";
  const std::pair<const char *, std::string> layouts[] = {
      {"8", norm + scaled + integer},
      {"16", norm + scaled + integer + real},
      {"8_8", norm + scaled + integer},
      {"32", integer + real},
      {"16_16", norm + scaled + integer + real},
      {"10_11_11", real},
      {"11_11_10", real},
      {"10_10_10_2", norm + integer},
      {"2_10_10_10", norm + scaled + integer},
      {"8_8_8_8", norm + scaled + integer},
      {"32_32", integer + real},
      {"16_16_16_16", norm + scaled + integer + real},
      {"32_32_32", integer + real},
      {"32_32_32_32", integer + real}};
  std::vector<Format> all;
  for (const auto &[layout, kinds] : layouts) {
    std::vector<unsigned> bits;
    for (const char *at = layout; *at;) {
      char *end;
      bits.insert(bits.begin(), unsigned(strtoul(at, &end, 10)));
      at = *end ? end + 1 : end;
    }
    for (size_t at = 0, end; (end = kinds.find(' ', at)) != std::string::npos; at = end + 1) {
      std::string kind = kinds.substr(at, end - at);
      all.push_back(
          {std::string("BUF_FMT_") + layout + "_" + kind, unsigned(all.size()) + 1, bits, kind});
    }
  }
  return all;
}

static uint32_t rawOf(const Format &f, unsigned c, const uint32_t *words) {
  unsigned at = 0;
  for (unsigned n = 0; n < c; ++n)
    at += f.bits[n];
  uint32_t value = 0;
  for (unsigned n = 0; n < f.bits[c]; ++n)
    value |= (words[(at + n) / 32] >> (at + n) % 32 & 1) << n;
  return value;
}
static int64_t integerOf(const Format &f, unsigned c, const uint32_t *words) {
  int64_t v = rawOf(f, c, words);
  bool isSigned = f.kind[0] == 'S';
  return isSigned && v >> (f.bits[c] - 1) ? v - (int64_t(1) << f.bits[c]) : v;
}
static double realOf(const Format &f, unsigned c, const uint32_t *words) {
  unsigned bits = f.bits[c];
  uint32_t raw = rawOf(f, c, words);
  if (f.kind == "UNORM")
    return double(raw) / ((1u << bits) - 1);
  if (f.kind == "SNORM")
    return std::max(-1.0, double(integerOf(f, c, words)) / ((1 << (bits - 1)) - 1));
  if (f.kind != "FLOAT")
    return double(integerOf(f, c, words));
  if (bits == 32)
    return asF(raw);
  if (bits == 16)
    return asH(raw);
  return asH(raw << (15 - bits)); // halves without a sign, cut off on the right
}
/// Component `c` of an element as a register holds it; what a format lacks is 0, 0, 0, 1.
static uint32_t registerOf(const Format &f, unsigned c, const uint32_t *words, bool half) {
  if (c >= f.bits.size() && f.integer())
    return c == 3;
  if (c < f.bits.size() && f.integer())
    return uint32_t(integerOf(f, c, words)) & (half ? 0xffff : 0xffffffff);
  if (c < f.bits.size() && f.kind == "FLOAT" && f.bits[c] == 32 && !half)
    return rawOf(f, c, words);
  double value = c < f.bits.size() ? realOf(f, c, words) : c == 3;
  return half ? halfOf(value) : bitsOf(float(value));
}

static void add(Group &group, const std::string &name, const std::string &text, unsigned words,
                Match match, double ulps, Expect expect) {
  Check check;
  check.name = name + (group.wave == 64 ? " w64" : "");
  check.words = words;
  check.match = match;
  check.ulps = ulps;
  check.expect = std::move(expect);
  group.add(text, check);
}
static const char *kWait = "  s_waitcnt vmcnt(0)\n  s_waitcnt_vscnt null, 0x0\n";
static std::string clear(unsigned count) {
  std::string text;
  for (unsigned n = 0; n < count; ++n)
    text += format("  v_mov_b32 v%u, 0x55aa1234\n", 40 + n);
  return text;
}
/// s[88:91] is raw, s[92:95] has records of 64 bytes; their last words are `word3` and a rule.
static std::string resources(uint32_t word3) {
  return format("  s_mov_b32 s91, 0x%x\n  s_mov_b32 s95, 0x%x\n", 0x30000000 | word3, word3);
}
constexpr uint32_t kIdentity = 4 | 5 << 3 | 6 << 6 | 7 << 9;

/// v2 = lane * 64, v3 = lane, v[4:5] = {lane, 16}.
static Group &formatGroup(Suite &suite, const std::string &name, unsigned wave) {
  Group &group = suite.group(name, wave);
  group.workgroups = 4;
  fillSlots(group, "uuuu");
  Random random(name + " bits");
  for (uint32_t &word : group.in)
    if (random.below(2))
      word = random.next();
  group.body = "  v_lshlrev_b32 v2, 6, v0\n  v_mov_b32 v3, v0\n  v_mov_b32 v4, v0\n"
               "  v_mov_b32 v5, 16\n  s_mov_b32 s88, s6\n  s_and_b32 s89, s7, 0xffff\n"
               "  s_movk_i32 s90, 0x1000\n  s_mov_b32 s92, s6\n  s_or_b32 s93, s89, 0x400000\n"
               "  s_movk_i32 s94, 64\n  s_movk_i32 s84, 16\n" +
               resources(20 << 12 | kIdentity);
  return group;
}
/// The element v[10:13] at offset 16 of the lane's 64 bytes, v[14:17] at 32.
static const char *kInit = "  buffer_store_b128 v[10:13], v2, s[88:91], 0 offen offset:16\n"
                           "  buffer_store_b128 v[14:17], v2, s[88:91], 0 offen offset:32\n"
                           "  s_waitcnt_vscnt null, 0x0\n";

static void addLoads(Group &group, const Format &f) {
  const Match match = f.integer() ? Match::bits : Match::f32;
  const double ulps = f.exact() ? 0 : 1;
  add(group, "tbuffer_load_format_xyzw " + f.name,
      kInit + clear(4) + "  tbuffer_load_format_xyzw v[40:43], v2, s[88:91], 0 format:[" + f.name +
          "] offen offset:16\n" + kWait,
      4, match, ulps, [f](const Wave &w, unsigned lane, uint32_t *out) {
        uint32_t words[] = {w.at(0, lane), w.at(1, lane), w.at(2, lane), w.at(3, lane)};
        for (unsigned c = 0; c < 4; ++c)
          out[c] = registerOf(f, c, words, false);
        return true;
      });
  // As the resource says, with the components in order and otherwise: A, 1, R, 0.
  for (bool moved : {false, true})
    add(group, "buffer_load_format_xyzw " + f.name + (moved ? " A1R0" : ""),
        kInit + clear(4) + resources(f.number << 12 | (moved ? 7 | 1 << 3 | 4 << 6 : kIdentity)) +
            "  buffer_load_format_xyzw v[40:43], v2, s[88:91], 0 offen offset:16\n" + kWait,
        4, match, ulps, [=](const Wave &w, unsigned lane, uint32_t *out) {
          uint32_t words[] = {w.at(0, lane), w.at(1, lane), w.at(2, lane), w.at(3, lane)};
          for (unsigned c = 0; c < 4; ++c)
            out[c] = registerOf(f, c, words, false);
          if (!moved)
            return true;
          uint32_t red = out[0], alpha = out[3];
          out[0] = alpha, out[2] = red, out[3] = 0;
          out[1] = f.integer() ? 1 : bitsOf(1.0f);
          return true;
        });
  if (f.integer() && f.bits[0] == 32)
    return; // what D16 makes of them is not public
  for (unsigned pair : {0u, 1u})
    add(group, format("tbuffer_load_d16_format_xyzw %s %s", f.name.c_str(), pair ? "zw" : "xy"),
        kInit + clear(4) + "  tbuffer_load_d16_format_xyzw v[42:43], v2, s[88:91], 0 format:[" +
            f.name + "] offen offset:16\n" + kWait + format("  v_mov_b32 v40, v%u\n", 42 + pair),
        1, f.integer() ? Match::bits : Match::loHiF16, f.kind == "FLOAT" && f.bits[0] < 32 ? 0 : 1,
        [=](const Wave &w, unsigned lane, uint32_t *out) {
          uint32_t words[] = {w.at(0, lane), w.at(1, lane), w.at(2, lane), w.at(3, lane)};
          out[0] = registerOf(f, 2 * pair, words, true) | registerOf(f, 2 * pair + 1, words, true)
                                                              << 16;
          // Whether a signalling NaN is made quiet on the way is not public.
          return !isNanH(out[0]) && !isNanH(out[0] >> 16);
        });
}

/// What is loaded and stored again is as before, beside bytes that stay.
static void addStores(Group &group, const Format &f) {
  for (const char *d16 : {"", "d16_"}) {
    unsigned widest = *std::max_element(f.bits.begin(), f.bits.end());
    if (f.scaled() || (*d16 && (widest == 32 || (widest == 16 && !f.exact()))))
      continue;
    for (const char *family : {"buffer", "tbuffer"}) {
      std::string tail = *family == 't' ? " format:[" + f.name + "]" : "";
      std::string op = std::string(*d16 ? " v[40:41]" : " v[40:43]") + ", v2, s[88:91], 0" + tail;
      add(group, std::string(family) + "_store_" + d16 + "format_xyzw " + f.name,
          kInit + clear(4) + resources(f.number << 12 | kIdentity) + "  " + family + "_load_" +
              d16 + "format_xyzw" + op + " offen offset:16\n" + kWait + "  " + family + "_store_" +
              d16 + "format_xyzw" + op + " offen offset:32\n" + kWait +
              "  buffer_load_b128 v[40:43], v2, s[88:91], 0 offen offset:32\n" + kWait,
          4, Match::bits, 0, [f](const Wave &w, unsigned lane, uint32_t *out) {
            uint32_t words[] = {w.at(0, lane), w.at(1, lane), w.at(2, lane), w.at(3, lane)};
            for (unsigned n = 0; n < 4; ++n)
              out[n] = w.at(4 + n, lane);
            unsigned at = 0;
            for (unsigned c = 0; c < f.bits.size(); ++c) {
              uint32_t raw = rawOf(f, c, words);
              if (f.kind == "FLOAT" && std::isnan(realOf(f, c, words)))
                return false;
              if (f.kind == "SNORM" && raw == 1u << (f.bits[c] - 1))
                ++raw; // -1 has two codes
              for (unsigned n = 0; n < f.bits[c]; ++n, ++at)
                out[at / 32] = (out[at / 32] & ~(1u << at % 32)) | (raw >> n & 1) << at % 32;
            }
            return true;
          });
    }
  }
}

/// Every opcode in every way to name an address: loads, and stores 32 bytes further on.
static void addOpcodes(Suite &suite, unsigned wave) {
  struct Way {
    const char *label, *address, *tail;
    int offset; // what is left to the element at 16
  };
  static const Way ways[] = {{"offen", "v2, s[88:91], s84", " offen", 0},
                             {"idxen", "v3, s[92:95], 0", " idxen", 16},
                             {"bothen", "v[4:5], s[92:95], 0", " idxen offen", 0},
                             {"off", "off, s[88:91], s84", "", 0}};
  struct Data {
    const char *name, *format;
    unsigned number, registers, bytes;
  };
  static const Data datas[] = {{"format_x", "16_UINT", 11, 1, 2},
                               {"format_xy", "16_16_UINT", 27, 2, 4},
                               {"format_xyz", "32_32_32_UINT", 58, 3, 12},
                               {"format_xyzw", "16_16_16_16_UINT", 55, 4, 8},
                               {"d16_format_x", "16_UINT", 11, 1, 2},
                               {"d16_hi_format_x", "16_UINT", 11, 1, 2},
                               {"d16_format_xy", "16_16_UINT", 27, 1, 4},
                               {"d16_format_xyz", "16_16_UINT", 27, 2, 4},
                               {"d16_format_xyzw", "16_16_16_16_UINT", 55, 2, 8}};
  for (const Way &way : ways) {
    bool oneLane = way.address[0] == 'o';
    Group &group = formatGroup(suite, std::string("buffer_format_") + way.label, wave);
    if (oneLane)
      group.body += wave == 32 ? "  s_mov_b32 exec_lo, 1\n" : "  s_mov_b64 exec, 1\n";
    auto access = [&](const std::string &op, unsigned registers, const std::string &tail,
                      int offset, bool tfe = false) {
      std::string vgprs = registers == 1 ? std::string("v40") : format("v[40:%u]", 39 + registers);
      return "  " + op + " " + vgprs + ", " + way.address + tail + way.tail +
             format(" offset:%d%s\n", way.offset + offset, tfe ? " tfe" : "") + kWait;
    };
    for (const char *family : {"buffer", "tbuffer"})
      for (const Data &data : datas) {
        std::string name = data.name;
        bool typed = *family == 't', hi = name == "d16_hi_format_x", d16 = name[0] == 'd';
        if (typed && hi)
          continue;
        std::string tail = typed ? std::string(" format:[BUF_FMT_") + data.format + "]" : "";
        std::string load = kInit + clear(4) + resources(data.number << 12 | kIdentity);
        load += access(std::string(family) + "_load_" + name, data.registers, tail, 0);
        std::string label = std::string(family) + "_%s_" + name + " " + way.label;
        std::string keep = hi || name == "d16_format_xyz" || name == "d16_format_x"
                               ? format("  v_and_b32 v%u, 0x%x, v%u\n", 39 + data.registers,
                                        hi ? 0xffff0000u : 0xffffu, 39 + data.registers)
                               : "";
        add(group, format(label.c_str(), "load"), load + keep, data.registers, Match::bits, 0,
            [=, &data](const Wave &w, unsigned lane, uint32_t *out) {
              uint32_t a = w.at(0, lane), b = w.at(1, lane), c = w.at(2, lane);
              uint32_t plain[] = {a & 0xffff, a >> 16, b & 0xffff, b >> 16};
              if (data.bytes == 12)
                plain[0] = a, plain[1] = b, plain[2] = c;
              uint32_t packed[] = {a, b};
              if (data.bytes == 2)
                packed[0] = hi ? a << 16 : a & 0xffff;
              if (name == "d16_format_xyz")
                packed[1] = 0;
              std::copy_n(d16 ? packed : plain, data.registers, out);
              return !oneLane || lane == 0;
            });
        add(group, format(label.c_str(), "store"),
            load + access(std::string(family) + "_store_" + name, data.registers, tail, 16) +
                "  buffer_load_b128 v[40:43], v2, s[88:91], 0 offen offset:32\n" + kWait,
            4, Match::bits, 0, [=, &data](const Wave &w, unsigned lane, uint32_t *out) {
              uint32_t words[] = {w.at(0, lane), w.at(1, lane), w.at(2, lane), w.at(3, lane)};
              for (unsigned n = 0; n < 4; ++n)
                out[n] = w.at(4 + n, lane);
              memcpy(out, words, data.bytes);
              return !oneLane || lane == 0;
            });
        if (!typed) // the status behind the data is 0: nothing was missing
          add(group, format(label.c_str(), "load") + " tfe",
              kInit + clear(5) + resources(data.number << 12 | kIdentity) +
                  access("buffer_load_" + name, data.registers + 1, "", 0, true) +
                  format("  v_mov_b32 v40, v%u\n", 40 + data.registers),
              1, Match::bits, 0, [=](const Wave &, unsigned lane, uint32_t *out) {
                out[0] = 0;
                return !oneLane || lane == 0;
              });
      }
    static const std::pair<const char *, unsigned> plain[] = {
        {"u8", 1},     {"i8", 1},      {"u16", 1},       {"i16", 1},       {"d16_u8", 1},
        {"d16_i8", 1}, {"d16_b16", 1}, {"d16_hi_u8", 1}, {"d16_hi_i8", 1}, {"d16_hi_b16", 1},
        {"b32", 1},    {"b64", 2},     {"b96", 3},       {"b128", 4}};
    for (const auto &[name, registers] : plain) {
      std::string op = std::string("buffer_load_") + name;
      unsigned status = 40 + registers;
      add(group, op + " tfe " + way.label,
          kInit + clear(5) + access(op, registers, "", 0) + "  v_mov_b32 v46, v40\n" + clear(5) +
              access(op, registers + 1, "", 0, true) +
              format("  v_xor_b32 v41, v46, v40\n  v_mov_b32 v40, v%u\n",
                     status == 41 ? 47 : status)
                  .insert(0, status == 41 ? "  v_mov_b32 v47, v41\n" : ""),
          2, Match::bits, 0, [=](const Wave &, unsigned lane, uint32_t *out) {
            out[0] = out[1] = 0;
            return !oneLane || lane == 0;
          });
    }
  }
}

static void addLimits(Suite &suite, unsigned wave) {
  Group &group = formatGroup(suite, "buffer_format_limits", wave);
  struct Clamp {
    const char *format;
    uint32_t value, expect;
  };
  static const Clamp clamps[] = {
      {"8_UNORM", 0xbfc00000, 0},       {"8_UNORM", 0x40000000, 0xff},
      {"8_UNORM", 0x7fc00000, 0},       {"8_UNORM", 0x7f800000, 0xff},
      {"8_SNORM", 0xc0000000, 0x81},    {"8_SNORM", 0x40000000, 0x7f},
      {"16_UNORM", 0x3f800000, 0xffff}, {"16_SNORM", 0xff800000, 0x8001},
      {"16_FLOAT", 0x3f800000, 0x3c00}, {"32_FLOAT", 0x7f800001, 0x7f800001}};
  for (const Clamp &c : clamps)
    add(group, format("tbuffer_store_format_x BUF_FMT_%s 0x%08x", c.format, c.value),
        format(
            "  v_mov_b32 v40, 0\n  buffer_store_b32 v40, v2, s[88:91], 0 offen\n  s_waitcnt_vscnt "
            "null, 0x0\n  v_mov_b32 v40, 0x%x\n  tbuffer_store_format_x v40, v2, s[88:91], 0 "
            "format:[BUF_FMT_%s] offen\n",
            c.value, c.format) +
            kWait + "  buffer_load_b32 v40, v2, s[88:91], 0 offen\n" + kWait,
        1, Match::bits, 0, [&c](const Wave &, unsigned, uint32_t *out) {
          out[0] = c.expect;
          return true;
        });
  // The buffer ends inside of lane 3's element, which is out of range as a whole.
  for (const char *family : {"buffer", "tbuffer"}) {
    std::string tail = *family == 't' ? " format:[BUF_FMT_16_16_16_16_UINT]" : "";
    std::string op = "v2, s[88:91], 0" + tail + " offen offset:16\n";
    std::string setup = kInit + clear(4) + resources(55 << 12 | (kIdentity & ~0x38u) | 1 << 3) +
                        "  s_movk_i32 s90, 212\n";
    auto expect = [=](bool stored) {
      return [=](const Wave &w, unsigned lane, uint32_t *out) {
        if (stored) {
          out[0] = lane < 3 ? w.at(4, lane) & 0xffff : w.at(0, lane);
          return true;
        }
        bool in = lane < 3;
        out[0] = in ? w.at(0, lane) & 0xffff : 0;
        out[1] = *family == 'b' ? 1 : in ? w.at(0, lane) >> 16 : 0;
        out[2] = in ? w.at(1, lane) & 0xffff : 0;
        out[3] = in ? w.at(1, lane) >> 16 : 0;
        return true;
      };
    };
    add(group, std::string(family) + "_load_format_xyzw past the end",
        setup + "  " + family + "_load_format_xyzw v[40:43], " + op + kWait +
            "  s_movk_i32 s90, 0x1000\n",
        4, Match::bits, 0, expect(false));
    add(group, std::string(family) + "_store_format_xyzw past the end",
        setup + resources(55 << 12 | kIdentity) +
            "  v_and_b32 v40, 0xffff, v14\n  v_mov_b32 v41, 0\n  v_mov_b32 v42, 7\n  v_mov_b32 "
            "v43, 9\n  " +
            family + "_store_format_xyzw v[40:43], " + op + kWait +
            "  s_movk_i32 s90, 0x1000\n  buffer_load_b32 v40, v2, s[88:91], 0 offen offset:16\n" +
            kWait,
        1, Match::bits, 0, expect(true));
  }
  // Swizzled: records of 64 bytes, 8 of them together, in pieces of 4 and of 16 bytes.
  for (unsigned element : {4u, 16u})
    add(group, format("tbuffer_load_format_xyzw swizzled by %u", element),
        format("  v_lshrrev_b32 v20, 3, v0\n  v_lshlrev_b32 v20, 9, v20\n  v_and_b32 v21, 7, v0\n"
               "  v_lshl_add_u32 v20, v21, %u, v20\n  s_or_b32 s93, s93, 0x%x\n",
               element == 4 ? 2 : 4, element == 4 ? 0x40000000u : 0xc0000000u) +
            "  tbuffer_store_format_xyzw v[10:13], v3, s[92:95], 0 "
            "format:[BUF_FMT_32_32_32_32_UINT] idxen offset:16\n" +
            kWait + "  s_and_b32 s93, s93, 0x3fffffff\n" +
            format("  buffer_load_b32 v40, v20, s[88:91], 0 offen offset:%u\n"
                   "  buffer_load_b32 v41, v20, s[88:91], 0 offen offset:%u\n",
                   16 * 8, 16 * 8 + (element == 4 ? 32 : 4)) +
            kWait,
        2, Match::bits, 0, [](const Wave &w, unsigned lane, uint32_t *out) {
          out[0] = w.at(0, lane), out[1] = w.at(1, lane);
          return true;
        });
}

void simtest::addBufferFormats(Suite &suite) {
  for (unsigned wave : {32u, 64u}) {
    for (const Format &f : allFormats()) {
      Group &group = formatGroup(suite, "buffer_format_" + f.name, wave);
      addLoads(group, f);
      addStores(group, f);
    }
    addOpcodes(suite, wave);
    addLimits(suite, wave);
  }
}
