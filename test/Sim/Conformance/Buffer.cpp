//===- Buffer.cpp - MUBUF ---------------------------------------------------===//
//
// A raw buffer (stride 0) over the workgroup's scratch buffer, and a structured one with a
// stride of 64 bytes a lane; accesses past the end read 0 and write nothing.
//
//===----------------------------------------------------------------------===//

#include "Atomics.h"
#include "Vector.h"

using namespace simtest;

static void add(Group &group, const std::string &label, const std::string &text, unsigned words,
                Expect expect) {
  if (group.body.find("one lane") != std::string::npos) // the address is the same for all
    expect = [expect](const Wave &wave, unsigned lane, uint32_t *out) {
      return expect(wave, lane, out) && lane == 0;
    };
  Check check;
  check.name = group.name + " " + label;
  check.words = words;
  check.expect = std::move(expect);
  group.add(text, check);
}
static std::string pair(unsigned n, unsigned bits) {
  return bits == 64 ? format("v[%u:%u]", n, n + 1) : format("v%u", n);
}
static uint64_t wide(const Wave &w, unsigned slot, unsigned lane, unsigned bits) {
  uint64_t v = w.at(2 * slot, lane);
  return bits == 64 ? v | uint64_t(w.at(2 * slot + 1, lane)) << 32 : v;
}

namespace {
struct Way {
  const char *label, *address, *tail; // `%u` is the offset
  int offset;
};
} // namespace

// v2 = lane * 64, v3 = lane, v[4:5] = {lane, 0}; raw in s[92:95], structured in s[96:99].
static const Way kWays[] = {{"offen", "v2, s[88:91], 0", " offen", 0},
                            {"offen soffset", "v6, s[88:91], s84", " offen", 0},
                            {"idxen", "v3, s[92:95], 0", " idxen", 0},
                            {"bothen", "v[4:5], s[92:95], 0", " idxen offen", 16},
                            {"offset", "off, s[88:91], s84", "", 32}};

static Group &bufferGroup(Suite &suite, const std::string &name, unsigned wave,
                          const std::string &types) {
  Group &group = suite.group(name, wave);
  group.workgroups = 4;
  fillSlots(group, types);
  group.body =
      "  v_lshlrev_b32 v2, 6, v0\n  v_mov_b32 v3, v0\n  v_mov_b32 v4, v0\n  v_mov_b32 v5, 0\n"
      "  s_mov_b32 s88, s6\n  s_and_b32 s89, s7, 0xffff\n  s_movk_i32 s90, 0x1000\n  s_mov_b32 "
      "s91, 0x31014000\n"
      "  s_mov_b32 s92, s6\n  s_or_b32 s93, s89, 0x400000\n  s_movk_i32 s94, 64\n  s_mov_b32 s95, "
      "0x01014000\n"
      "  v_mov_b32 v6, v2\n  s_movk_i32 s84, 32\n";
  return group;
}

static std::string access(const Way &way, const std::string &op, const std::string &data,
                          int offset) {
  int total = way.offset + offset;
  return "  buffer_" + op + " " + data + ", " + way.address + way.tail +
         (total ? format(" offset:%d", total) : "") +
         "\n  s_waitcnt vmcnt(0)\n  s_waitcnt_vscnt null, 0x0\n";
}

void simtest::addBuffer(Suite &suite) {
  struct Load {
    const char *name;
    unsigned words;
    uint64_t (*compute)(uint64_t memory, uint32_t old);
  };
  static const Load loads[] = {
      {"load_u8", 1, [](uint64_t m, uint32_t) -> uint64_t { return m & 255; }},
      {"load_i8", 1, [](uint64_t m, uint32_t) -> uint64_t { return uint32_t(int8_t(m)); }},
      {"load_u16", 1, [](uint64_t m, uint32_t) -> uint64_t { return m & 65535; }},
      {"load_i16", 1, [](uint64_t m, uint32_t) -> uint64_t { return uint32_t(int16_t(m)); }},
      {"load_d16_u8", 1,
       [](uint64_t m, uint32_t o) -> uint64_t { return (o & 0xffff0000) | (m & 255); }},
      {"load_d16_i8", 1,
       [](uint64_t m, uint32_t o) -> uint64_t { return (o & 0xffff0000) | uint16_t(int8_t(m)); }},
      {"load_d16_b16", 1,
       [](uint64_t m, uint32_t o) -> uint64_t { return (o & 0xffff0000) | (m & 65535); }},
      {"load_d16_hi_u8", 1,
       [](uint64_t m, uint32_t o) -> uint64_t { return (o & 0xffff) | (m & 255) << 16; }},
      {"load_d16_hi_i8", 1,
       [](uint64_t m, uint32_t o) -> uint64_t {
         return (o & 0xffff) | uint32_t(uint16_t(int8_t(m))) << 16;
       }},
      {"load_d16_hi_b16", 1,
       [](uint64_t m, uint32_t o) -> uint64_t { return (o & 0xffff) | (m & 65535) << 16; }},
      {"load_b32", 1, [](uint64_t m, uint32_t) { return m; }},
      {"load_b64", 2, [](uint64_t m, uint32_t) { return m; }},
  };
  struct Store {
    const char *name, *data;
    unsigned bytes, shift;
  };
  static const Store stores[] = {
      {"store_b8", "v12", 1, 0},         {"store_b16", "v12", 2, 0},
      {"store_d16_hi_b8", "v12", 1, 16}, {"store_d16_hi_b16", "v12", 2, 16},
      {"store_b32", "v12", 4, 0},        {"store_b64", "v[12:13]", 8, 0},
      {"store_b96", "v[12:14]", 12, 0},  {"store_b128", "v[12:15]", 16, 0}};
  for (unsigned wave : {32u, 64u}) {
    unsigned number = 0;
    for (const Way &way : kWays) {
      const std::string oneLane = way.address[0] != 'o' ? ""
                                  : wave == 32          ? "  s_mov_b32 exec_lo, 1 // one lane\n"
                                                        : "  s_mov_b64 exec, 1 // one lane\n";
      Group &group = bufferGroup(suite, format("buffer%u", number++), wave, "qqqq");
      group.body += oneLane;
      std::string init =
          access(way, "store_b64", "v[10:11]", 0) + access(way, "store_b64", "v[16:17]", 8);
      for (const Load &load : loads)
        for (unsigned offset : {0u, 8u})
          add(group, format("buffer_%s %s offset %u", load.name, way.label, offset),
              init + "  v_mov_b32 v40, v14\n" +
                  access(way, load.name, pair(40, load.words * 32), offset),
              load.words, [=, &load](const Wave &w, unsigned lane, uint32_t *out) {
                uint64_t r = load.compute(wide(w, offset ? 3 : 0, lane, 64), w.at(4, lane));
                out[0] = uint32_t(r);
                out[1] = uint32_t(r >> 32);
                return true;
              });
      for (unsigned words : {3u, 4u})
        add(group, format("buffer_load_b%u %s", words * 32, way.label),
            init + access(way, format("load_b%u", words * 32), format("v[40:%u]", 39 + words), 0),
            words, [](const Wave &w, unsigned lane, uint32_t *out) {
              out[0] = w.at(0, lane), out[1] = w.at(1, lane), out[2] = w.at(6, lane),
              out[3] = w.at(7, lane);
              return true;
            });
      for (const Store &s : stores)
        add(group, format("buffer_%s %s", s.name, way.label),
            init + access(way, s.name, s.data, 0) + access(way, "load_b128", "v[40:43]", 0), 4,
            [=, &s](const Wave &w, unsigned lane, uint32_t *out) {
              uint32_t before[] = {w.at(0, lane), w.at(1, lane), w.at(6, lane), w.at(7, lane)};
              uint32_t data[] = {w.at(2, lane) >> s.shift, w.at(3, lane), w.at(4, lane),
                                 w.at(5, lane)};
              memcpy(reinterpret_cast<char *>(before), data, s.bytes);
              memcpy(out, before, 16);
              return true;
            });
      for (const Atomic &op : kAtomics) {
        if (!op.memory)
          continue;
        std::string name = op.memory;
        Group &a = bufferGroup(suite, format("buffer%u_atomic_", number - 1) + name, wave,
                               std::string(3, op.type));
        a.body += oneLane;
        for (size_t i = 0; i < a.in.size(); i += 8 * 64)
          for (unsigned lane = 0; lane < wave; lane += 3)
            for (unsigned word = 0; word < 2; ++word)
              a.in[i + (4 + word) * 64 + lane] = a.in[i + word * 64 + lane];
        for (bool returns : {false, true}) {
          if (name == "csub_u32" && !returns)
            continue;
          // The data register takes what memory held.
          std::string t = access(way, "store_b64", "v[10:11]", 0);
          std::string data = pair(40, op.bits);
          t += "  v_mov_b32 v40, v12\n  v_mov_b32 v41, v13\n";
          if (op.twoOperands) {
            t += op.bits == 64 ? "  v_mov_b32 v42, v14\n  v_mov_b32 v43, v15\n"
                               : "  v_mov_b32 v41, v14\n";
            data = op.bits == 64 ? "v[40:43]" : "v[40:41]";
          }
          std::string s = access(way, "atomic_" + name, data, 0);
          if (returns)
            s.insert(s.find('\n'), " glc");
          t += s + access(way, "load_b64", "v[44:45]", 0) +
               (op.bits == 32 || !returns ? "  v_mov_b32 v41, 0\n" : "") +
               (returns ? "" : "  v_mov_b32 v40, 0\n") +
               "  v_mov_b32 v42, v44\n  v_mov_b32 v43, v45\n";
          add(a, "buffer_atomic_" + name + " " + way.label + (returns ? " glc" : ""), t, 4,
              [=, &op](const Wave &w, unsigned lane, uint32_t *out) {
                bool skip = false;
                uint64_t before = wide(w, 0, lane, 64), old = wide(w, 0, lane, op.bits);
                uint64_t fresh =
                    op.compute(old, wide(w, 1, lane, op.bits), wide(w, 2, lane, op.bits), skip);
                if (op.bits == 32)
                  fresh = (before & 0xffffffff00000000ull) | uint32_t(fresh);
                out[0] = returns ? uint32_t(old) : 0;
                out[1] = returns && op.bits == 64 ? uint32_t(old >> 32) : 0;
                out[2] = uint32_t(fresh);
                out[3] = uint32_t(fresh >> 32);
                return !skip;
              });
        }
      }
    }
    Group &group = bufferGroup(suite, "buffer_bounds", wave, "qqqq");
    add(group, "offset only",
        "  v_readfirstlane_b32 s30, v10\n  v_mov_b32 v40, s30\n  buffer_store_b32 v40, off, "
        "s[88:91], 0 offset:4092\n  s_waitcnt_vscnt null, 0x0\n  v_mov_b32 v40, 0\n"
        "  buffer_load_b32 v40, off, s[88:91], s84 offset:4060\n  s_waitcnt vmcnt(0)\n",
        1, [](const Wave &w, unsigned, uint32_t *out) {
          out[0] = w.at(0, 0);
          return true;
        });
    add(group, "past the end",
        "  s_movk_i32 s90, 256\n  global_store_b32 v2, v10, s[6:7]\n  s_waitcnt_vscnt null, 0x0\n  "
        "v_mov_b32 v40, v16\n  buffer_load_b32 v40, v2, s[88:91], 0 offen\n"
        "  buffer_store_b32 v12, v2, s[88:91], 0 offen\n  s_waitcnt vmcnt(0)\n  s_waitcnt_vscnt "
        "null, 0x0\n  global_load_b32 v41, v2, s[6:7]\n  s_waitcnt vmcnt(0)\n  s_movk_i32 s90, "
        "0x1000\n",
        2, [](const Wave &w, unsigned lane, uint32_t *out) {
          out[0] = lane < 4 ? w.at(0, lane) : 0;
          out[1] = lane < 4 ? w.at(2, lane) : w.at(0, lane);
          return true;
        });
  }
}
