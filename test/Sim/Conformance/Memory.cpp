//===- Memory.cpp - SMEM, GLOBAL, FLAT and SCRATCH --------------------------===//
//
// Every lane has 64 bytes of the workgroup's scratch buffer (s[6:7]) for itself, or of its
// private segment. Slots: v10 what memory holds, v12 and v14 data.
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
static std::string pair(unsigned n, unsigned bits) {
  return bits == 64 ? format("v[%u:%u]", n, n + 1) : format("v%u", n);
}
static uint64_t wide(const Wave &w, unsigned slot, unsigned lane, unsigned bits) {
  uint64_t v = w.at(2 * slot, lane);
  return bits == 64 ? v | uint64_t(w.at(2 * slot + 1, lane)) << 32 : v;
}

namespace {
/// A way to spell an address: the 64 bytes of the lane are at `operands` + offset.
struct Way {
  std::string prefix, label;
  std::string load, store; // operands after the destination; address before and after the data
  std::string tail;
  int offset;
};
} // namespace

/// v2 lane * 64, v[4:5] the lane's address, s[6:7] the base, s[50:51] base - 2048.
static const char *kAddresses = "  v_lshlrev_b32 v2, 6, v0\n  v_mov_b32 v3, s7\n  v_add_co_u32 v4, "
                                "%s, s6, v2\n  v_add_co_ci_u32_e64 v5, %s, 0, v3, %s\n"
                                "  s_add_u32 s50, s6, 0x800\n  s_addc_u32 s51, s7, 0\n"
                                "  v_add_nc_u32 v6, 16, v2\n  s_movk_i32 s52, 32\n";

static std::vector<Way> globalWays() {
  return {{"global_", "saddr", "v2, s[6:7]", "s[6:7]", "", 0},
          {"global_", "saddr offset -2048", "v2, s[50:51]", "s[50:51]", "", -2048},
          {"global_", "vaddr", "v[4:5], off", "off", "", 0},
          {"flat_", "vaddr", "v[4:5]", "", "", 0}};
}

static std::string loadText(const Way &way, const std::string &op, const std::string &to,
                            int offset) {
  int total = way.offset + offset;
  return "  " + way.prefix + op + " " + to + ", " + way.load +
         (total ? format(" offset:%d", total) : "") + way.tail +
         "\n  s_waitcnt vmcnt(0) lgkmcnt(0)\n";
}
static std::string storeText(const Way &way, const std::string &op, const std::string &data,
                             int offset) {
  int total = way.offset + offset;
  size_t comma = way.load.find(',');
  std::string address = way.load.substr(0, comma),
              rest = comma == std::string::npos ? "" : way.load.substr(comma);
  return "  " + way.prefix + op + " " + address + ", " + data + rest +
         (total ? format(" offset:%d", total) : "") + way.tail +
         "\n  s_waitcnt vmcnt(0) lgkmcnt(0)\n  s_waitcnt_vscnt null, 0x0\n";
}

struct LoadOp {
  const char *name;
  unsigned words;
  uint64_t (*compute)(uint64_t memory, uint32_t old);
};
static const LoadOp kLoads[] = {
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
struct StoreOp {
  const char *name, *data;
  unsigned bytes, shift;
};
static const StoreOp kStores[] = {
    {"store_b8", "v12", 1, 0},         {"store_b16", "v12", 2, 0},
    {"store_d16_hi_b8", "v12", 1, 16}, {"store_d16_hi_b16", "v12", 2, 16},
    {"store_b32", "v12", 4, 0},        {"store_b64", "v[12:13]", 8, 0},
    {"store_b96", "v[12:14]", 12, 0},  {"store_b128", "v[12:15]", 16, 0}};

/// All loads and stores through one way; `init` puts v[10:13] into the lane's first 16 bytes.
static void addTransfers(Group &group, const Way &way) {
  Way plain = way;
  std::string init =
      storeText(plain, "store_b64", "v[10:11]", 0) + storeText(plain, "store_b64", "v[16:17]", 8);
  std::string label = way.prefix + "%s " + way.label;
  for (const LoadOp &load : kLoads)
    for (unsigned offset : {0u, 2u, 8u}) {
      if (offset == 2 && load.name[5] == 'b')
        continue;
      add(group, format((label + " offset %u").c_str(), load.name, offset),
          init + "  v_mov_b32 v40, v14\n" +
              loadText(way, load.name, pair(40, load.words * 32), offset),
          load.words, [=, &load](const Wave &w, unsigned lane, uint32_t *out) {
            uint64_t m = offset == 8 ? wide(w, 3, lane, 64) : wide(w, 0, lane, 64) >> 8 * offset;
            uint64_t r = load.compute(m, w.at(4, lane));
            out[0] = uint32_t(r);
            out[1] = uint32_t(r >> 32);
            return true;
          });
    }
  for (unsigned words : {3u, 4u})
    add(group, format(label.c_str(), words == 3 ? "load_b96" : "load_b128"),
        init + loadText(way, format("load_b%u", words * 32), format("v[40:%u]", 39 + words), 0),
        words, [](const Wave &w, unsigned lane, uint32_t *out) {
          out[0] = w.at(0, lane), out[1] = w.at(1, lane), out[2] = w.at(6, lane),
          out[3] = w.at(7, lane);
          return true;
        });
  for (const StoreOp &s : kStores)
    for (unsigned offset : {0u, 1u, 4u}) {
      if (offset % (s.bytes < 4 ? s.bytes : 4) || offset + s.bytes > 16)
        continue;
      add(group, format((label + " offset %u").c_str(), s.name, offset),
          init + storeText(way, s.name, s.data, offset) + loadText(way, "load_b128", "v[40:43]", 0),
          4, [=, &s](const Wave &w, unsigned lane, uint32_t *out) {
            uint32_t before[] = {w.at(0, lane), w.at(1, lane), w.at(6, lane), w.at(7, lane)};
            uint32_t data[] = {w.at(2, lane) >> s.shift, w.at(3, lane), w.at(4, lane),
                               w.at(5, lane)};
            memcpy(reinterpret_cast<char *>(before) + offset, data, s.bytes);
            memcpy(out, before, 16);
            return true;
          });
    }
}

static Group &memoryGroup(Suite &suite, const std::string &name, unsigned wave,
                          const std::string &types) {
  Group &group = suite.group(name, wave);
  group.workgroups = 4;
  fillSlots(group, types);
  const char *carry = wave == 32 ? "vcc_lo" : "vcc";
  std::string addresses = kAddresses;
  group.body = format(addresses.c_str(), carry, carry, carry);
  return group;
}

static void addAtomics(Suite &suite, unsigned wave) {
  for (const Atomic &op : kAtomics) {
    if (!op.memory)
      continue;
    Group &group =
        memoryGroup(suite, std::string("atomic_") + op.memory, wave, std::string(3, op.type));
    for (size_t i = 0; i < group.in.size(); i += 8 * 64)
      for (unsigned lane = 0; lane < wave; lane += 3)
        for (unsigned word = 0; word < 2; ++word)
          group.in[i + (4 + word) * 64 + lane] = group.in[i + word * 64 + lane];
    for (const Way &way : globalWays()) {
      if (way.prefix == "flat_" && std::string(op.memory) == "csub_u32")
        continue;
      for (bool returns : {false, true}) {
        if (!returns && std::string(op.memory) == "csub_u32")
          continue; // asks for glc
        std::string init = storeText(way, "store_b64", "v[10:11]", 0);
        // Compare and swap takes the new value first, then the one to compare with.
        std::string data = pair(12, op.bits);
        if (op.twoOperands) {
          data = op.bits == 64 ? "v[60:63]" : "v[60:61]";
          init += op.bits == 64 ? "  v_mov_b32 v60, v12\n  v_mov_b32 v61, v13\n  v_mov_b32 v62, "
                                  "v14\n  v_mov_b32 v63, v15\n"
                                : "  v_mov_b32 v60, v12\n  v_mov_b32 v61, v14\n";
        }
        std::string t = init + "  v_mov_b32 v40, 0\n  v_mov_b32 v41, 0\n";
        std::string store = storeText(way, std::string("atomic_") + op.memory, data, 0);
        if (returns) {
          size_t at = store.find(op.memory) + strlen(op.memory);
          store.insert(at, " " + pair(40, op.bits) + ",");
          store.insert(store.find('\n'), " glc");
        }
        t += store + loadText(way, "load_b64", "v[42:43]", 0);
        add(group, way.prefix + "atomic_" + op.memory + " " + way.label + (returns ? " glc" : ""),
            t, 4, [=, &op](const Wave &w, unsigned lane, uint32_t *out) {
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
  Group &group = memoryGroup(suite, "atomic_same_address", wave, "uuu");
  add(group, "global_atomic_add_u32",
      "  v_mov_b32 v3, 0\n  global_atomic_add_u32 v3, v12, s[6:7] offset:4000\n  s_waitcnt_vscnt "
      "null, 0x0\n  global_load_b32 v40, v3, s[6:7] offset:4000\n  s_waitcnt vmcnt(0)\n",
      1, [](const Wave &w, unsigned, uint32_t *out) {
        out[0] = 0;
        for (unsigned l = 0; l < w.size; ++l)
          out[0] += w.at(2, l);
        return true;
      });
}

static void addScratch(Suite &suite, unsigned wave) {
  // v2 lane-independent offset 16, s52 32; the private segment is the lane's own anyway.
  const Way ways[] = {{"scratch_", "vaddr", "v70, off", "", "", 0},
                      {"scratch_", "vaddr offset", "v70, off", "", "", 48},
                      {"scratch_", "saddr", "off, s52", "", "", 0},
                      {"scratch_", "vaddr saddr", "v70, s52", "", "", -16},
                      {"scratch_", "offset", "off, off", "", "", 64}};
  unsigned number = 0;
  for (const Way &way : ways) {
    Group &group = memoryGroup(suite, format("scratch%u", number++), wave, "qqqq");
    group.privateBytes = 256;
    group.body += "  v_mov_b32 v70, 16\n";
    addTransfers(group, way);
  }
  // Flat addresses reach the private segment and LDS through their apertures.
  Group &group = memoryGroup(suite, "flat_apertures", wave, "qqqq");
  group.privateBytes = 256;
  group.ldsBytes = 4096;
  add(group, "private",
      "  scratch_store_b32 off, v10, off offset:20\n  s_waitcnt_vscnt null, 0x0\n  s_mov_b64 "
      "s[54:55], src_private_base\n  v_mov_b32 v6, 20\n  v_mov_b32 v7, s55\n"
      "  flat_load_b32 v40, v[6:7]\n  s_waitcnt vmcnt(0) lgkmcnt(0)\n  flat_store_b32 v[6:7], v12 "
      "offset:8\n  s_waitcnt lgkmcnt(0)\n  s_waitcnt_vscnt null, 0x0\n"
      "  scratch_load_b32 v41, off, off offset:28\n  s_waitcnt vmcnt(0)\n",
      2, [](const Wave &w, unsigned lane, uint32_t *out) {
        out[0] = w.at(0, lane);
        out[1] = w.at(2, lane);
        return true;
      });
  add(group, "shared",
      "  v_lshlrev_b32 v6, 4, v0\n  ds_store_b32 v6, v10\n  s_waitcnt lgkmcnt(0)\n  s_mov_b64 "
      "s[54:55], src_shared_base\n  v_mov_b32 v7, s55\n"
      "  flat_load_b32 v40, v[6:7]\n  s_waitcnt vmcnt(0) lgkmcnt(0)\n  flat_store_b32 v[6:7], v12 "
      "offset:8\n  s_waitcnt lgkmcnt(0)\n  s_waitcnt_vscnt null, 0x0\n"
      "  ds_load_b32 v41, v6 offset:8\n  s_waitcnt lgkmcnt(0)\n",
      2, [](const Wave &w, unsigned lane, uint32_t *out) {
        out[0] = w.at(0, lane);
        out[1] = w.at(2, lane);
        return true;
      });
  add(group, "shared atomic",
      "  v_lshlrev_b32 v6, 4, v0\n  ds_store_b32 v6, v10\n  s_waitcnt lgkmcnt(0)\n  s_mov_b64 "
      "s[54:55], src_shared_base\n  v_mov_b32 v7, s55\n"
      "  flat_atomic_add_u32 v40, v[6:7], v12 glc\n  s_waitcnt vmcnt(0) lgkmcnt(0)\n  ds_load_b32 "
      "v41, v6\n  s_waitcnt lgkmcnt(0)\n",
      2, [](const Wave &w, unsigned lane, uint32_t *out) {
        out[0] = w.at(0, lane);
        out[1] = w.at(0, lane) + w.at(2, lane);
        return true;
      });
}

void simtest::addMemory(Suite &suite) {
  for (unsigned wave : {32u, 64u}) {
    unsigned number = 0;
    for (const Way &way : globalWays())
      addTransfers(memoryGroup(suite, format("memory%u", number++), wave, "qqqq"), way);
    addAtomics(suite, wave);
    addScratch(suite, wave);
    Group &group = memoryGroup(suite, "global_addtid", wave, "qqqq");
    add(group, "global_store_addtid_b32, global_load_addtid_b32",
        "  global_store_addtid_b32 v12, s[6:7] offset:16\n  s_waitcnt_vscnt null, 0x0\n  "
        "global_load_addtid_b32 v40, s[6:7] offset:16\n  v_lshlrev_b32 v3, 2, v0\n"
        "  global_load_b32 v41, v3, s[6:7] offset:16\n  s_waitcnt vmcnt(0)\n",
        2, [](const Wave &w, unsigned lane, uint32_t *out) {
          out[0] = out[1] = w.at(2, lane);
          return true;
        });
    add(group, "global loads of partial exec",
        std::string("  v_mov_b32 v40, v16\n  global_store_b32 v2, v10, s[6:7]\n  s_waitcnt_vscnt "
                    "null, 0x0\n") +
            (wave == 32 ? "  s_mov_b32 exec_lo, 0x12345678\n" : "  s_mov_b64 exec, 0x12345678\n") +
            "  global_load_b32 v40, v2, s[6:7]\n  global_store_b32 v2, v12, s[6:7]\n" +
            (wave == 32 ? "  s_mov_b32 exec_lo, -1\n" : "  s_mov_b64 exec, -1\n") +
            "  s_waitcnt vmcnt(0)\n  s_waitcnt_vscnt null, 0x0\n  global_load_b32 v41, v2, "
            "s[6:7]\n  s_waitcnt vmcnt(0)\n",
        2, [](const Wave &w, unsigned lane, uint32_t *out) {
          bool on = 0x12345678ull >> lane & 1;
          out[0] = on ? w.at(0, lane) : w.at(6, lane);
          out[1] = on ? w.at(2, lane) : w.at(0, lane);
          return true;
        });
    add(group, "caches", "  buffer_gl0_inv\n  buffer_gl1_inv\n  v_mov_b32 v40, 7\n", 1,
        [](const Wave &, unsigned, uint32_t *out) {
          out[0] = 7;
          return true;
        });
  }
}

void simtest::addScalarMemory(Suite &suite) {
  for (unsigned wave : {32u, 64u})
    for (bool buffer : {false, true}) {
      Group &group = suite.group(buffer ? "s_buffer_load" : "s_load", wave);
      group.scalar = true; // s20... hold words 0 to 7
      group.workgroups = 2;
      fillSlots(group, "uuuu");
      // One block of 64 words, each with its own number, from the group's scratch buffer.
      for (unsigned i = 0; i < 64; ++i)
        group.aux.push_back(0x01010101u * i + 0x80);
      if (buffer) // V#: base, stride 0, 256 bytes
        group.body = "  s_mov_b32 s92, s6\n  s_and_b32 s93, s7, 0xffff\n  s_movk_i32 s94, 256\n  "
                     "s_mov_b32 s95, 0x31014000\n";
      for (unsigned dwords : {1u, 2u, 4u, 8u, 16u})
        for (unsigned form = 0; form < 3; ++form) {
          const char *names[] = {"b32", "b64", "b128", "b256", "b512"};
          const char *name = names[dwords == 1   ? 0
                                   : dwords == 2 ? 1
                                   : dwords == 4 ? 2
                                   : dwords == 8 ? 3
                                                 : 4];
          std::string base = buffer ? "s[92:95]" : "s[6:7]",
                      to = dwords == 1 ? "s60" : format("s[60:%u]", 59 + dwords);
          unsigned at = form == 0 ? 4 : form == 1 ? 8 : 20; // in bytes
          std::string address = form == 0 ? ", 0x4" : form == 1 ? ", s90" : ", s90 offset:0xc";
          std::string t = "  s_movk_i32 s90, 8\n  s_" + std::string(buffer ? "buffer_" : "") +
                          "load_" + name + " " + to + ", " + base + address +
                          "\n  s_waitcnt lgkmcnt(0)\n";
          for (unsigned i = 0; i < dwords; ++i)
            t += format("  v_mov_b32 v%u, s%u\n", 40 + i, 60 + i);
          add(group, name + address, t, dwords > 15 ? 15 : dwords,
              [=](const Wave &, unsigned, uint32_t *out) {
                for (unsigned i = 0; i < dwords && i < 15; ++i)
                  out[i] = 0x01010101u * (at / 4 + i) + 0x80;
                return true;
              });
        }
      if (buffer)
        add(group, "out of bounds",
            "  s_buffer_load_b32 s60, s[92:95], 0x100\n  s_buffer_load_b64 s[62:63], s[92:95], "
            "0xf8\n  s_waitcnt lgkmcnt(0)\n  v_mov_b32 v40, s60\n  v_mov_b32 v41, s63\n",
            2, [](const Wave &, unsigned, uint32_t *out) {
              out[0] = 0;
              out[1] = 0x01010101u * 63 + 0x80;
              return true;
            });
      if (!buffer) {
        add(group, "caches",
            "  s_dcache_inv\n  s_gl1_inv\n  s_icache_inv\n  s_waitcnt lgkmcnt(0)\n  v_mov_b32 v40, "
            "7\n",
            1, [](const Wave &, unsigned, uint32_t *out) {
              out[0] = 7;
              return true;
            });
        // The two low bits of the address do not count.
        add(group, "negative offset",
            "  s_add_u32 s90, s6, 64\n  s_addc_u32 s91, s7, 0\n  s_load_b32 s60, s[90:91], -0x20\n "
            " s_waitcnt lgkmcnt(0)\n  v_mov_b32 v40, s60\n",
            1, [](const Wave &, unsigned, uint32_t *out) {
              out[0] = 0x01010101u * 8 + 0x80;
              return true;
            });
      }
    }
}
