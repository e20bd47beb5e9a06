//===- Lds.cpp - DS: loads, stores, atomics, permutes -----------------------===//
//
// Every lane has 16 bytes of LDS of its own, at v2 (32 a lane in wave32 would leave room,
// but the layout is the same for both). Slots: v10 memory before, v12 data, v14 second.
//
//===----------------------------------------------------------------------===//

#include "Atomics.h"
#include "Vector.h"

using namespace simtest;

static void add(Group &group, const std::string &label, const std::string &text, unsigned words,
                Expect expect) {
  Check check;
  check.name = group.name + " " + label;
  check.words = words;
  check.expect = std::move(expect);
  group.add(text, check);
}
static uint64_t wide(const Wave &w, unsigned slot, unsigned lane, unsigned bits) {
  uint64_t v = w.at(2 * slot, lane);
  return bits == 64 ? v | uint64_t(w.at(2 * slot + 1, lane)) << 32 : v;
}
static std::string pair(unsigned n, unsigned bits) {
  return bits == 64 ? format("v[%u:%u]", n, n + 1) : format("v%u", n);
}

static Group &ldsGroup(Suite &suite, const std::string &name, unsigned wave,
                       const std::string &types) {
  Group &group = suite.group(name, wave);
  group.workgroups = 6;
  group.ldsBytes = 4096;
  fillSlots(group, types);
  group.body = "  v_lshlrev_b32 v2, 4, v0\n";
  return group;
}

static const char *kWait = "  s_waitcnt lgkmcnt(0)\n";
/// The lane's 16 bytes: v[10:11], then v[16:17].
static const char *kInit =
    "  ds_store_b64 v2, v[10:11]\n  ds_store_b64 v2, v[16:17] offset:8\n  s_waitcnt lgkmcnt(0)\n";

static void addAtomics(Suite &suite, unsigned wave) {
  for (const Atomic &op : kAtomics) {
    if (!op.ds)
      continue;
    std::string name = op.ds;
    Group &group = ldsGroup(suite, "ds_" + name, wave, std::string(3, op.type));
    for (size_t i = 0; i < group.in.size(); i += 8 * 64) // comparisons that hold
      for (unsigned lane = 0; lane < wave; lane += 3)
        for (unsigned word = 0; word < 2; ++word)
          group.in[i + (4 + word) * 64 + lane] = group.in[i + word * 64 + lane];
    for (unsigned form = 0; form < 3; ++form) {
      bool returns = form == 1, onlyReturns = name.find("rtn") != std::string::npos,
           partial = form == 2;
      if (onlyReturns && form == 0)
        continue;
      if (onlyReturns)
        returns = true;
      std::string mnemonic = name;
      if (returns && !onlyReturns)
        mnemonic.insert(name.find('_'), "_rtn");
      std::string t = kInit;
      t += "  v_mov_b32 v40, 0\n  v_mov_b32 v41, 0\n";
      if (partial)
        t += wave == 32 ? "  s_mov_b32 exec_lo, 0x5a5a33cc\n" : "  s_mov_b64 exec, 0x5a5a33cc\n";
      t += "  ds_" + mnemonic + " " + (returns ? pair(40, op.bits) + ", " : "") + "v2, " +
           pair(12, op.bits) + (op.twoOperands ? ", " + pair(14, op.bits) : "") + "\n";
      t += wave == 32 ? "  s_mov_b32 exec_lo, -1\n" : "  s_mov_b64 exec, -1\n";
      t += kWait + std::string("  ds_load_b64 v[42:43], v2\n") + kWait;
      add(group, "ds_" + mnemonic + (partial ? " partial exec" : ""), t, 4,
          [=, &op](const Wave &w, unsigned lane, uint32_t *out) {
            bool on = !partial || (0x5a5a33ccull >> lane & 1), skip = false;
            uint64_t before = wide(w, 0, lane, 64), old = wide(w, 0, lane, op.bits);
            uint64_t fresh =
                on ? op.compute(old, wide(w, 1, lane, op.bits), wide(w, 2, lane, op.bits), skip)
                   : old;
            if (op.bits == 32)
              fresh = (before & 0xffffffff00000000ull) | uint32_t(fresh);
            out[0] = returns && on ? uint32_t(old) : 0;
            out[1] = returns && on && op.bits == 64 ? uint32_t(old >> 32) : 0;
            out[2] = uint32_t(fresh);
            out[3] = uint32_t(fresh >> 32);
            return !skip;
          });
    }
  }
  // All lanes at one address: the sum, and each lane the sum before it in some order.
  Group &group = ldsGroup(suite, "ds_same_address", wave, "uuu");
  add(group, "ds_add_u32",
      "  v_mov_b32 v3, 0\n  v_mov_b32 v4, 0\n  ds_store_b32 v3, v4 offset:64\n  s_waitcnt "
      "lgkmcnt(0)\n"
      "  ds_add_u32 v3, v12 offset:64\n  s_waitcnt lgkmcnt(0)\n  ds_load_b32 v40, v3 offset:64\n  "
      "s_waitcnt lgkmcnt(0)\n",
      1, [](const Wave &w, unsigned, uint32_t *out) {
        out[0] = 0;
        for (unsigned l = 0; l < w.size; ++l)
          out[0] += w.at(2, l);
        return true;
      });
  for (bool append : {true, false})
    add(group, append ? "ds_append" : "ds_consume",
        std::string("  v_mov_b32 v3, 0\n  v_mov_b32 v4, 0x1000\n  ds_store_b32 v3, v4 offset:72\n  "
                    "s_waitcnt lgkmcnt(0)\n  s_mov_b32 m0, 64\n") +
            (wave == 32 ? "  s_mov_b32 exec_lo, 0x0ff0f00f\n" : "  s_mov_b64 exec, 0x0ff0f00f\n") +
            (append ? "  ds_append v40 offset:8\n" : "  ds_consume v40 offset:8\n") +
            (wave == 32 ? "  s_mov_b32 exec_lo, -1\n" : "  s_mov_b64 exec, -1\n") +
            "  s_waitcnt lgkmcnt(0)\n  v_readfirstlane_b32 s30, v40\n  v_mov_b32 v40, s30\n"
            "  ds_load_b32 v41, v3 offset:72\n  s_waitcnt lgkmcnt(0)\n",
        2, [=](const Wave &, unsigned, uint32_t *out) {
          out[0] = 0x1000;
          out[1] = append ? 0x1000 + 16 : 0x1000 - 16;
          return true;
        });
}

/// Each dword on its own: its bit 31 says whether the rest of it is written. The address loses its
/// low three bits.
static void addConditional(Suite &suite, unsigned wave) {
  Group &group = ldsGroup(suite, "ds_condxchg32_rtn_b64", wave, "qqqq");
  for (unsigned offset : {0u, 8u, 13u})
    add(group, format("offset %u", offset),
        std::string(kInit) +
            format("  ds_condxchg32_rtn_b64 v[40:41], v2, v[12:13] offset:%u\n", offset) + kWait +
            format("  ds_load_b64 v[42:43], v2 offset:%u\n", offset & ~7u) + kWait,
        4, [=](const Wave &w, unsigned lane, uint32_t *out) {
          for (unsigned n = 0; n < 2; ++n) {
            uint32_t old = w.at((offset ? 6 : 0) + n, lane), data = w.at(2 + n, lane);
            out[n] = old;
            out[2 + n] = data & 0x80000000 ? data & 0x7fffffff : old;
          }
          return true;
        });
}

static void addTransfers(Suite &suite, unsigned wave) {
  Group &group = ldsGroup(suite, "ds_loads", wave, "qqqq");
  struct Load {
    const char *name;
    unsigned words;
    uint64_t (*compute)(uint64_t memory, uint32_t old);
  };
  static const Load loads[] = {
      {"u8", 1, [](uint64_t m, uint32_t) -> uint64_t { return m & 255; }},
      {"i8", 1, [](uint64_t m, uint32_t) -> uint64_t { return uint32_t(int8_t(m)); }},
      {"u16", 1, [](uint64_t m, uint32_t) -> uint64_t { return m & 65535; }},
      {"i16", 1, [](uint64_t m, uint32_t) -> uint64_t { return uint32_t(int16_t(m)); }},
      {"u8_d16", 1,
       [](uint64_t m, uint32_t o) -> uint64_t { return (o & 0xffff0000) | (m & 255); }},
      {"i8_d16", 1,
       [](uint64_t m, uint32_t o) -> uint64_t { return (o & 0xffff0000) | uint16_t(int8_t(m)); }},
      {"u16_d16", 1,
       [](uint64_t m, uint32_t o) -> uint64_t { return (o & 0xffff0000) | (m & 65535); }},
      {"u8_d16_hi", 1,
       [](uint64_t m, uint32_t o) -> uint64_t { return (o & 0xffff) | (m & 255) << 16; }},
      {"i8_d16_hi", 1,
       [](uint64_t m, uint32_t o) -> uint64_t {
         return (o & 0xffff) | uint32_t(uint16_t(int8_t(m))) << 16;
       }},
      {"u16_d16_hi", 1,
       [](uint64_t m, uint32_t o) -> uint64_t { return (o & 0xffff) | (m & 65535) << 16; }},
      {"b32", 1, [](uint64_t m, uint32_t) { return m; }},
      {"b64", 2, [](uint64_t m, uint32_t) { return m; }},
  };
  for (const Load &load : loads)
    for (unsigned offset : {0u, 2u, 8u}) {
      if (offset == 2 && load.words > 0 && (load.name[0] == 'b'))
        continue; // would not be aligned
      add(group, format("ds_load_%s offset %u", load.name, offset),
          std::string(kInit) + "  v_mov_b32 v40, v14\n" +
              format("  ds_load_%s %s, v2 offset:%u\n", load.name,
                     pair(40, load.words * 32).c_str(), offset) +
              kWait,
          load.words, [=, &load](const Wave &w, unsigned lane, uint32_t *out) {
            uint64_t m = offset == 8 ? wide(w, 3, lane, 64) : wide(w, 0, lane, 64) >> 8 * offset;
            uint64_t r = load.compute(m, w.at(4, lane));
            out[0] = uint32_t(r);
            out[1] = uint32_t(r >> 32);
            return true;
          });
    }
  for (unsigned words : {3u, 4u})
    add(group, format("ds_load_b%u", words * 32),
        std::string(kInit) + format("  ds_load_b%u v[40:%u], v2\n", words * 32, 39 + words) + kWait,
        words, [](const Wave &w, unsigned lane, uint32_t *out) {
          out[0] = w.at(0, lane), out[1] = w.at(1, lane), out[2] = w.at(6, lane),
          out[3] = w.at(7, lane);
          return true;
        });
  struct Store {
    const char *name, *data;
    unsigned bytes, shift;
  };
  static const Store stores[] = {{"b8", "v12", 1, 0},         {"b16", "v12", 2, 0},
                                 {"b8_d16_hi", "v12", 1, 16}, {"b16_d16_hi", "v12", 2, 16},
                                 {"b32", "v12", 4, 0},        {"b64", "v[12:13]", 8, 0},
                                 {"b96", "v[12:14]", 12, 0},  {"b128", "v[12:15]", 16, 0}};
  for (const Store &s : stores)
    for (unsigned offset : {0u, 1u, 4u}) {
      if (offset % (s.bytes < 16 ? (s.bytes == 12 ? 16 : s.bytes) : 16) || (offset + s.bytes > 16))
        continue;
      add(group, format("ds_store_%s offset %u", s.name, offset),
          std::string(kInit) + format("  ds_store_%s v2, %s offset:%u\n", s.name, s.data, offset) +
              kWait + "  ds_load_b128 v[40:43], v2\n" + kWait,
          4, [=, &s](const Wave &w, unsigned lane, uint32_t *out) {
            uint32_t before[] = {w.at(0, lane), w.at(1, lane), w.at(6, lane), w.at(7, lane)};
            uint32_t data[] = {w.at(2, lane) >> s.shift, w.at(3, lane), w.at(4, lane),
                               w.at(5, lane)};
            memcpy(reinterpret_cast<char *>(before) + offset, data, s.bytes);
            memcpy(out, before, 16);
            return true;
          });
    }
  // Two addresses at once: offsets count elements, or 64 elements.
  for (unsigned bits : {32u, 64u})
    for (bool far : {false, true}) {
      unsigned first = 0, second = 1;
      std::string suffix = format("_2addr%s_b%u", far ? "_stride64" : "", bits),
                  where = far ? "v3" : "v2";
      // Far: lane * 8 bytes, so that the two areas do not overlap.
      std::string base = far ? format("  v_lshlrev_b32 v3, %u, v0\n", bits == 32 ? 2 : 3) : "";
      std::string offsets = format(" offset0:%u offset1:%u", first, second);
      std::string read = "  ds_load" + suffix + format(" v[40:%u], ", 39 + bits / 16) + where +
                         offsets + "\n" + kWait;
      add(group, "ds_store" + suffix + ", ds_load" + suffix,
          base + "  ds_store" + suffix + " " + where + ", " + pair(10, bits) + ", " +
              pair(12, bits) + offsets + "\n" + kWait + read,
          bits / 16, [=](const Wave &w, unsigned lane, uint32_t *out) {
            unsigned n = bits / 32;
            for (unsigned i = 0; i < n; ++i)
              out[i] = w.at(i, lane), out[n + i] = w.at(2 + i, lane);
            return true;
          });
      add(group, "ds_storexchg" + suffix,
          base + "  ds_store" + suffix + " " + where + ", " + pair(10, bits) + ", " +
              pair(12, bits) + offsets + "\n" + kWait + "  ds_storexchg_2addr" +
              (far ? "_stride64" : "") + format("_rtn_b%u v[40:%u], ", bits, 39 + bits / 16) +
              where + ", " + pair(14, bits) + ", " + pair(16, bits) + offsets + "\n" + kWait +
              "  ds_load" + suffix + format(" v[%u:%u], ", 40 + bits / 16, 39 + bits / 8) + where +
              offsets + "\n" + kWait,
          bits / 8, [=](const Wave &w, unsigned lane, uint32_t *out) {
            unsigned n = bits / 32;
            for (unsigned i = 0; i < n; ++i) {
              out[i] = w.at(i, lane), out[n + i] = w.at(2 + i, lane);
              out[2 * n + i] = w.at(4 + i, lane), out[3 * n + i] = w.at(6 + i, lane);
            }
            return true;
          });
    }
  add(group, "ds_store_addtid_b32, ds_load_addtid_b32",
      std::string("  s_mov_b32 m0, 256\n  ds_store_addtid_b32 v12 offset:16\n") + kWait +
          "  ds_load_addtid_b32 v40 offset:16\n" +
          "  v_lshlrev_b32 v3, 2, v0\n  ds_load_b32 v41, v3 offset:272\n" + kWait,
      2, [](const Wave &w, unsigned lane, uint32_t *out) {
        out[0] = out[1] = w.at(2, lane);
        return true;
      });
  add(group, "ds_nop", "  ds_nop\n  v_mov_b32 v40, 3\n", 1,
      [](const Wave &, unsigned, uint32_t *out) {
        out[0] = 3;
        return true;
      });
}

static void addPermutes(Suite &suite, unsigned wave) {
  Group &group = ldsGroup(suite, "ds_permutes", wave, "uuuu");
  // v3: 4 * (a permutation within each half of 32, for bpermute also many to one)
  auto source = [](unsigned lane) { return (lane & 32) | ((lane * 7 + 3) & 31); };
  std::string index =
      "  v_mul_u32_u24 v3, 7, v0\n  v_add_nc_u32 v3, 3, v3\n  v_and_b32 v3, 31, v3\n  v_and_b32 "
      "v4, 32, v0\n  v_or_b32 v3, v3, v4\n  v_lshlrev_b32 v3, 2, v3\n";
  add(group, "ds_bpermute_b32", index + "  ds_bpermute_b32 v40, v3, v10\n" + kWait, 1,
      [=](const Wave &w, unsigned lane, uint32_t *out) {
        out[0] = w.at(0, source(lane));
        return true;
      });
  add(group, "ds_bpermute_b32 broadcast",
      "  v_and_b32 v3, 0x30, v0\n  v_lshlrev_b32 v3, 2, v3\n  ds_bpermute_b32 v40, v3, v10 "
      "offset:12\n" +
          std::string(kWait),
      1, [=](const Wave &w, unsigned lane, uint32_t *out) {
        out[0] = w.at(0, (lane & 0x30) + 3);
        return true;
      });
  add(group, "ds_bpermute_b32 inactive source",
      index +
          (wave == 32 ? "  v_mov_b32 v40, v16\n  s_mov_b32 exec_lo, 0x7fff00ff\n"
                      : "  v_mov_b32 v40, v16\n  s_mov_b64 exec, 0x7fff00ff\n") +
          "  ds_bpermute_b32 v40, v3, v10\n" +
          (wave == 32 ? "  s_mov_b32 exec_lo, -1\n" : "  s_mov_b64 exec, -1\n") + kWait,
      1, [=](const Wave &w, unsigned lane, uint32_t *out) {
        uint64_t exec = 0x7fff00ff;
        out[0] = !(exec >> lane & 1)        ? w.at(6, lane)
                 : exec >> source(lane) & 1 ? w.at(0, source(lane))
                                            : 0;
        return true;
      });
  add(group, "ds_permute_b32", index + "  ds_permute_b32 v40, v3, v10\n" + kWait, 1,
      [=](const Wave &w, unsigned lane, uint32_t *out) {
        for (unsigned l = 0; l < w.size; ++l)
          if (source(l) == lane)
            out[0] = w.at(0, l);
        return true;
      });
  add(group, "ds_permute_b32 to lane 0",
      "  v_mov_b32 v3, 0\n  ds_permute_b32 v40, v3, v10\n" + std::string(kWait), 1,
      [=](const Wave &w, unsigned lane, uint32_t *out) {
        out[0] = 0; // lanes that nobody writes get 0; of several writers the highest lane wins
        if ((lane & 31) == 0)
          out[0] = w.at(0, (lane & 32) + 31);
        return wave == 32;
      });
  struct Swizzle {
    const char *text;
    unsigned (*source)(unsigned lane);
  };
  static const Swizzle swizzles[] = {
      {"swizzle(QUAD_PERM, 3, 1, 0, 2)",
       [](unsigned l) { return (l & ~3u) | unsigned("\3\1\0\2"[l & 3]); }},
      {"swizzle(BROADCAST, 8, 3)", [](unsigned l) { return (l & ~7u) | 3; }},
      {"swizzle(BROADCAST, 32, 17)", [](unsigned l) { return (l & ~31u) | 17; }},
      {"swizzle(SWAP, 4)", [](unsigned l) { return l ^ 4; }},
      {"swizzle(SWAP, 16)", [](unsigned l) { return l ^ 16; }},
      {"swizzle(REVERSE, 8)", [](unsigned l) { return l ^ 7; }},
      {"swizzle(REVERSE, 32)", [](unsigned l) { return l ^ 31; }},
      {"swizzle(BITMASK_PERM, \"01pip\")",
       [](unsigned l) { return ((l & ~31u) | ((l & 31 & 5u) | 8u)) | ((l & 2) ^ 2); }},
      {"0xc000 | (5 << 5)", [](unsigned l) { return (l & ~31u) | ((l + 5) & 31); }}, // rotate
      {"0xc000 | (1 << 10) | (3 << 5)", [](unsigned l) { return (l & ~31u) | ((l - 3) & 31); }},
  };
  for (const Swizzle &s : swizzles) {
    add(group, std::string("ds_swizzle_b32 ") + s.text,
        std::string("  ds_swizzle_b32 v40, v10 offset:") + s.text + "\n" + kWait, 1,
        [=, &s](const Wave &w, unsigned lane, uint32_t *out) {
          out[0] = w.at(0, s.source(lane));
          return true;
        });
  }
}

/// Two waves, or four: what one writes before a barrier the others read after it.
static void addBarrier(Suite &suite, unsigned wave) {
  Group &group = suite.group("ds_barrier", wave);
  group.waves = 4;
  group.workgroups = 2;
  group.ldsBytes = 4096;
  group.inputs = 0;
  // Each work item writes its number squared to its place, and reads the mirrored one's.
  unsigned items = wave * 4;
  add(group, "s_barrier",
      format("  v_mul_u32_u24 v3, v0, v0\n  v_lshlrev_b32 v2, 2, v0\n  ds_store_b32 v2, v3\n  "
             "s_waitcnt lgkmcnt(0)\n  s_barrier\n"
             "  v_sub_nc_u32 v4, %u, v0\n  v_lshlrev_b32 v4, 2, v4\n  ds_load_b32 v40, v4\n  "
             "s_waitcnt lgkmcnt(0)\n"
             "  v_cmpx_gt_u32 %u, v0\n",
             items - 1, wave),
      1, [=](const Wave &, unsigned lane, uint32_t *out) {
        out[0] = (items - 1 - lane) * (items - 1 - lane);
        return true;
      });
}

void simtest::addLds(Suite &suite) {
  for (unsigned wave : {32u, 64u}) {
    addAtomics(suite, wave);
    addConditional(suite, wave);
    addTransfers(suite, wave);
    addPermutes(suite, wave);
    addBarrier(suite, wave);
  }
}
