//===- Lanes.cpp - operations across lanes, carries, exchanges --------------===//
//
// What is no function of one lane's sources: reads and writes of other lanes, DPP in all
// its controls, carry chains through VCC, relative register addressing.
//
//===----------------------------------------------------------------------===//

#include "Vector.h"

using namespace simtest;

static const uint64_t kOdd = 0xb7c31e6a5d92f048ull;

static std::string setMask(unsigned wave, const char *name, uint64_t value) {
  if (wave == 32)
    return format("  s_mov_b32 %s_lo, 0x%x\n", name, uint32_t(value));
  return format("  s_mov_b32 %s_lo, 0x%x\n  s_mov_b32 %s_hi, 0x%x\n", name, uint32_t(value), name,
                uint32_t(value >> 32));
}
static std::string allLanes(unsigned wave) {
  return wave == 32 ? "  s_mov_b32 exec_lo, -1\n" : "  s_mov_b64 exec, -1\n";
}
static std::string maskRegister(unsigned wave, unsigned number) {
  return wave == 32 ? format("s%u", number) : format("s[%u:%u]", number, number + 1);
}
static std::string vccName(unsigned wave) { return wave == 32 ? "vcc_lo" : "vcc"; }

static Group &wordsGroup(Suite &suite, const std::string &name, unsigned wave,
                         const char *types = "uuuu") {
  Group &group = suite.group(name, wave);
  group.workgroups = 4;
  fillSlots(group, types);
  return group;
}

static void add(Group &group, const std::string &label, const std::string &text, unsigned words,
                Expect expect, Match match = Match::bits) {
  Check check;
  check.name = group.name + " " + label;
  check.words = words;
  check.match = match;
  check.expect = std::move(expect);
  group.add(text, check);
}

static void addDppMoves(Suite &suite, unsigned wave) {
  Group &group = wordsGroup(suite, "dpp_moves", wave);
  std::vector<std::pair<std::string, std::function<int(int)>>> controls;
  for (unsigned i = 0; i < kDppControlCount; ++i)
    controls.push_back({kDppControls[i].text, kDppControls[i].source});
  for (int n = 1; n < 16; n += 3) {
    controls.push_back(
        {format("row_shl:%d", n), [n](int l) { return (l & 15) + n > 15 ? -1 : l + n; }});
    controls.push_back({format("row_shr:%d", n), [n](int l) { return (l & 15) < n ? -1 : l - n; }});
    controls.push_back(
        {format("row_ror:%d", n), [n](int l) { return (l & ~15) | ((l - n) & 15); }});
    controls.push_back({format("row_share:%d", n), [n](int l) { return (l & ~15) | n; }});
    controls.push_back({format("row_xmask:%d", n), [n](int l) { return l ^ n; }});
  }
  for (auto &[text, source] : controls)
    for (unsigned form = 0; form < 4; ++form) {
      bool partial = form > 1, bound = form & 1, fetch = form == 3;
      std::string t = "  v_mov_b32 v40, v16\n" + (partial ? setMask(wave, "exec", kOdd) : "") +
                      "  v_mov_b32_dpp v40, v10 " + text + " row_mask:0xf bank_mask:0xf" +
                      (bound ? " bound_ctrl:1" : "") + (fetch ? " fi:1" : "") + "\n" +
                      allLanes(wave);
      add(group,
          text + (partial ? " partial exec" : "") + (bound ? " bound_ctrl" : "") +
              (fetch ? " fi" : ""),
          t, 1, [=, source = source](const Wave &w, unsigned lane, uint32_t *out) {
            int from = source(lane);
            bool valid = from >= 0 && (!partial || fetch || (kOdd >> from & 1));
            bool writes = (!partial || (kOdd >> lane & 1)) && (valid || bound);
            out[0] = !writes ? w.at(6, lane) : valid ? w.at(0, from) : 0;
            return true;
          });
    }
  // DPP8 with fi:1 reads lanes that are off.
  add(group, "dpp8 fi partial exec",
      "  v_mov_b32 v40, v16\n" + setMask(wave, "exec", kOdd) +
          "  v_mov_b32_dpp v40, v10 dpp8:[7,6,5,4,3,2,1,0] fi:1\n" + allLanes(wave),
      1, [](const Wave &w, unsigned lane, uint32_t *out) {
        out[0] = kOdd >> lane & 1 ? w.at(0, lane ^ 7) : w.at(6, lane);
        return true;
      });
}

static void addReads(Suite &suite, unsigned wave) {
  Group &group = wordsGroup(suite, "lane_reads", wave);
  for (unsigned lane : {0u, 5u, 31u, wave - 1, 40u}) {
    add(group, format("v_readlane_b32 %u", lane),
        format("  v_readlane_b32 s30, v10, %u\n  v_mov_b32 v40, s30\n", lane), 1,
        [=](const Wave &w, unsigned, uint32_t *out) {
          out[0] = w.at(0, lane % wave); // the upper bits of the index do not count
          return true;
        });
    add(group, format("v_readlane_b32 s of lane %u, exec 0", lane),
        format("  s_mov_b32 s31, %u\n", lane % wave) + setMask(wave, "exec", 0) +
            "  v_readlane_b32 s30, v10, s31\n" + allLanes(wave) + "  v_mov_b32 v40, s30\n",
        1, [=](const Wave &w, unsigned, uint32_t *out) {
          out[0] = w.at(0, lane % wave);
          return true;
        });
    add(group, format("v_writelane_b32 %u", lane),
        format("  v_mov_b32 v40, v16\n  s_mov_b32 s30, 0xabcd1234\n") + setMask(wave, "exec", 0) +
            format("  v_writelane_b32 v40, s30, %u\n", lane) + allLanes(wave),
        1, [=](const Wave &w, unsigned l, uint32_t *out) {
          out[0] = l == lane % wave ? 0xabcd1234 : w.at(6, l);
          return true;
        });
  }
  for (uint64_t mask : {~uint64_t(0), kOdd, uint64_t(1) << (wave - 1), uint64_t(0)})
    add(group, format("v_readfirstlane_b32 exec %llx", static_cast<unsigned long long>(mask)),
        setMask(wave, "exec", mask) + "  v_readfirstlane_b32 s30, v10\n" + allLanes(wave) +
            "  v_mov_b32 v40, s30\n",
        1, [=](const Wave &w, unsigned, uint32_t *out) {
          uint64_t m = wave == 32 ? uint32_t(mask) : mask;
          out[0] = w.at(0, m ? __builtin_ctzll(m) : 0);
          return true;
        });
  struct Permute {
    const char *name;
    bool across;
  };
  for (Permute p : {Permute{"v_permlane16_b32", false}, Permute{"v_permlanex16_b32", true}})
    for (unsigned form = 0; form < 4; ++form) {
      static const uint64_t selects[] = {0xfedcba9876543210ull, 0x0123456789abcdefull,
                                         0x13579bdf02468aceull, 0x7777000033335555ull};
      uint64_t select = selects[form];
      bool fetch = form == 1 || form == 3, bound = form >= 2, partial = form > 0;
      // op_sel: fetch inactive, bound control
      std::string t =
          "  v_mov_b32 v40, v16\n" +
          format("  s_mov_b32 s30, 0x%x\n  s_mov_b32 s31, 0x%x\n", uint32_t(select),
                 uint32_t(select >> 32)) +
          (partial ? setMask(wave, "exec", kOdd) : "") + "  " + p.name + " v40, v10, s30, s31" +
          (fetch || bound ? format(" op_sel:[%d,%d]", fetch, bound) : "") + "\n" + allLanes(wave);
      add(group, format("%s %u", p.name, form), t, 1,
          [=](const Wave &w, unsigned lane, uint32_t *out) {
            unsigned from = (lane & ~15) | (select >> 4 * (lane & 15) & 15);
            if (p.across)
              from ^= 16;
            bool valid = !partial || fetch || (kOdd >> from & 1);
            bool writes = (!partial || (kOdd >> lane & 1)) && (valid || bound);
            out[0] = !writes ? w.at(6, lane) : valid ? w.at(0, from) : 0;
            return true;
          });
    }
  add(group, "v_permlane64_b32", "  v_mov_b32 v40, v16\n  v_permlane64_b32 v40, v10\n", 1,
      [=](const Wave &w, unsigned lane, uint32_t *out) {
        out[0] = wave == 64 ? w.at(0, lane ^ 32) : w.at(6, lane); // a wave32 keeps what it has
        return true;
      });
  for (unsigned form = 0; form < 2; ++form)
    add(group, form ? "v_mbcnt exec" : "v_mbcnt mask",
        form ? "  v_mbcnt_lo_u32_b32 v40, -1, 0\n  v_mbcnt_hi_u32_b32 v40, -1, v40\n"
             : "  s_mov_b32 s30, 0x9e3779b1\n  v_mbcnt_lo_u32_b32 v40, s30, v10\n  "
               "v_mbcnt_hi_u32_b32 v40, s30, v40\n",
        1, [=](const Wave &w, unsigned lane, uint32_t *out) {
          uint32_t mask = form ? ~0u : 0x9e3779b1;
          uint32_t lowPart = lane >= 32 ? mask : mask & ((1u << lane) - 1);
          uint32_t highPart = lane < 32 ? 0 : mask & ((1u << (lane - 32)) - 1);
          out[0] = __builtin_popcount(lowPart) + __builtin_popcount(highPart) +
                   (form ? 0 : w.at(0, lane));
          return true;
        });
  for (bool high : {false, true})
    for (bool eight : {false, true})
      add(group, format("v_mbcnt_%s dpp%s", high ? "hi" : "lo", eight ? "8" : ""),
          format("  v_mbcnt_%s_u32_b32_e64_dpp v40, v10, v12 %s\n", high ? "hi" : "lo",
                 eight ? "dpp8:[1,0,3,2,5,4,7,6]" : "row_xmask:1 row_mask:0xf bank_mask:0xf"),
          1, [=](const Wave &w, unsigned lane, uint32_t *out) {
            uint32_t mask = high         ? (lane < 32 ? 0 : (1u << (lane - 32)) - 1)
                            : lane >= 32 ? ~0u
                                         : (1u << lane) - 1;
            out[0] = __builtin_popcount(w.at(0, lane ^ 1) & mask) + w.at(2, lane);
            return true;
          });
}

static void addCarries(Suite &suite, unsigned wave) {
  Group &group = wordsGroup(suite, "carries", wave);
  std::string vcc = vccName(wave);
  struct Carry {
    const char *name;
    bool in;
    int64_t (*compute)(int64_t x, int64_t y, int64_t carry);
  };
  static const Carry carries[] = {
      {"v_add_co_u32", false, [](int64_t x, int64_t y, int64_t) { return x + y; }},
      {"v_sub_co_u32", false, [](int64_t x, int64_t y, int64_t) { return x - y; }},
      {"v_subrev_co_u32", false, [](int64_t x, int64_t y, int64_t) { return y - x; }},
      {"v_add_co_ci_u32", true, [](int64_t x, int64_t y, int64_t c) { return x + y + c; }},
      {"v_sub_co_ci_u32", true, [](int64_t x, int64_t y, int64_t c) { return x - y - c; }},
      {"v_subrev_co_ci_u32", true, [](int64_t x, int64_t y, int64_t c) { return y - x - c; }},
  };
  for (const Carry &c : carries)
    for (const char *encoding : {"_e32", "_e64", "_dpp", "_e64_dpp", "dpp8", "_e64 dpp8", "exec"}) {
      std::string e = encoding;
      bool partial = e == "exec", e64 = e.find("64") != std::string::npos || partial,
           dpp8 = e.find("dpp8") != std::string::npos;
      bool dpp = e == "_dpp" || e == "_e64_dpp";
      if (!e64 && !c.in)
        continue; // VOP3 only
      std::string sdst = e64 ? maskRegister(wave, 34) : vcc,
                  sin = e64 ? maskRegister(wave, 36) : vcc;
      std::string t = setMask(wave, "vcc", kOdd) + "  v_mov_b32 v40, v16\n";
      if (e64)
        t += wave == 32 ? "  s_mov_b32 s36, vcc_lo\n" : "  s_mov_b64 s[36:37], vcc\n";
      if (partial)
        t += setMask(wave, "exec", ~kOdd << 3);
      t += std::string("  ") + c.name +
           (partial ? "_e64"
            : dpp8  ? (e64 ? "_e64_dpp" : "_dpp")
                    : e) +
           " v40, " + sdst + ", v10, v12" + (c.in ? ", " + sin : "") +
           (dpp    ? " row_xmask:6 row_mask:0xf bank_mask:0xf"
            : dpp8 ? " dpp8:[1,0,3,2,5,4,7,6]"
                   : "") +
           "\n" + (partial ? allLanes(wave) : "");
      std::string low = e64 ? "s34" : "vcc_lo", high = e64 ? "s35" : "vcc_hi";
      t += "  v_mov_b32 v41, " + low + "\n" + (wave == 64 ? "  v_mov_b32 v42, " + high + "\n" : "");
      add(group, std::string(c.name) + " " + e, t, wave == 32 ? 2 : 3,
          [=, &c](const Wave &w, unsigned lane, uint32_t *out) {
            uint64_t bits = 0, active = partial ? ~kOdd << 3 : ~0ull;
            for (unsigned l = 0; l < w.size; ++l) {
              int64_t r = c.compute(w.at(0, dpp    ? l ^ 6
                                            : dpp8 ? l ^ 1
                                                   : l),
                                    w.at(2, l), kOdd >> l & 1);
              if (active >> l & 1)
                bits |= uint64_t(r < 0 || r >> 32) << l;
              if (l == lane)
                out[0] = active >> l & 1 ? uint32_t(r) : w.at(6, l);
            }
            out[1] = uint32_t(bits);
            out[2] = uint32_t(bits >> 32);
            return true;
          });
    }
  for (const char *encoding : {"_e32", "_e64", "_dpp", "_e64_dpp", "dpp8", "_e64 dpp8"}) {
    std::string e = encoding;
    bool e64 = e.find("64") != std::string::npos, dpp8 = e.find("dpp8") != std::string::npos,
         dpp = e == "_dpp" || e == "_e64_dpp";
    std::string t = setMask(wave, "vcc", kOdd) + "  v_mov_b32 v40, v16\n  v_cndmask_b32" +
                    (dpp8 ? (e64 ? "_e64_dpp" : "_dpp") : e) + " v40, v10, v12, " + vcc +
                    (dpp    ? " row_xmask:6 row_mask:0xf bank_mask:0xf"
                     : dpp8 ? " dpp8:[1,0,3,2,5,4,7,6]"
                            : "") +
                    "\n";
    add(group, "v_cndmask_b32 " + e, t, 1, [=](const Wave &w, unsigned lane, uint32_t *out) {
      out[0] = kOdd >> lane & 1 ? w.at(2, lane) : w.at(0, dpp ? lane ^ 6 : dpp8 ? lane ^ 1 : lane);
      return true;
    });
    if (!e64)
      continue;
    t = setMask(wave, "vcc", kOdd) + "  v_mov_b32 v40, v16\n  v_cndmask_b16" +
        (dpp8 ? "_e64_dpp" : e) + " v40.h, v10.l, v12.h, " + vcc +
        (dpp    ? " row_xmask:6 row_mask:0xf bank_mask:0xf"
         : dpp8 ? " dpp8:[1,0,3,2,5,4,7,6]"
                : "") +
        "\n";
    add(group, "v_cndmask_b16 " + e, t, 1, [=](const Wave &w, unsigned lane, uint32_t *out) {
      uint32_t r = kOdd >> lane & 1 ? w.at(2, lane) >> 16
                                    : w.at(0, dpp    ? lane ^ 6
                                              : dpp8 ? lane ^ 1
                                                     : lane) &
                                          0xffff;
      out[0] = r << 16 | (w.at(6, lane) & 0xffff);
      return true;
    });
  }
  add(group, "v_cndmask_b32 neg abs",
      setMask(wave, "vcc", kOdd) + "  v_cndmask_b32_e64 v40, -v10, |v12|, " + vcc + "\n", 1,
      [](const Wave &w, unsigned lane, uint32_t *out) {
        out[0] = kOdd >> lane & 1 ? w.at(2, lane) & 0x7fffffff : w.at(0, lane) ^ 0x80000000;
        return true;
      });
  for (bool isSigned : {false, true})
    for (bool partial : {false, true})
      add(group,
          std::string(isSigned ? "v_mad_i64_i32" : "v_mad_u64_u32") +
              (partial ? " partial exec" : ""),
          "  v_mov_b32 v40, v16\n  v_mov_b32 v41, v17\n" +
              (partial ? setMask(wave, "exec", kOdd) : "") +
              (isSigned ? "  v_mad_i64_i32" : "  v_mad_u64_u32") + " v[40:41], " +
              maskRegister(wave, 34) + ", v10, v12, v[14:15]\n" + allLanes(wave) +
              "  v_mov_b32 v42, s34\n",
          3, [=](const Wave &w, unsigned lane, uint32_t *out) {
            uint32_t carry = 0;
            for (unsigned l = 0; l < 32; ++l) {
              uint64_t c = w.at(4, l) | uint64_t(w.at(5, l)) << 32;
              __int128 r = isSigned ? __int128(int64_t(int32_t(w.at(0, l))) * int32_t(w.at(2, l))) +
                                          int64_t(c)
                                    : __int128(uint64_t(w.at(0, l)) * w.at(2, l)) + c;
              bool over = r >> 64 & 1; // bit 64 of the 65-bit sum
              if (!partial || (kOdd >> l & 1))
                carry |= uint32_t(over) << l;
            }
            uint64_t c = w.at(4, lane) | uint64_t(w.at(5, lane)) << 32;
            uint64_t r =
                isSigned ? uint64_t(int64_t(int32_t(w.at(0, lane))) * int32_t(w.at(2, lane))) + c
                         : uint64_t(w.at(0, lane)) * w.at(2, lane) + c;
            if (partial && !(kOdd >> lane & 1))
              r = w.at(6, lane) | uint64_t(w.at(7, lane)) << 32;
            out[0] = uint32_t(r);
            out[1] = uint32_t(r >> 32);
            out[2] = carry;
            return true;
          });
  // fmaak, fmamk and swaps
  Group &f = wordsGroup(suite, "vop2_literals", wave, "ffff");
  add(
      f, "v_fmaak_f32", "  v_fmaak_f32 v40, v10, v12, 0x40490fdb\n", 1,
      [](const Wave &w, unsigned l, uint32_t *out) {
        out[0] = bitsOf(fmaf(asF(w.at(0, l)), asF(w.at(2, l)), asF(0x40490fdb)));
        return true;
      },
      Match::f32);
  add(
      f, "v_fmamk_f32", "  v_fmamk_f32 v40, v10, 0x40490fdb, v12\n", 1,
      [](const Wave &w, unsigned l, uint32_t *out) {
        out[0] = bitsOf(fmaf(asF(w.at(0, l)), asF(0x40490fdb), asF(w.at(2, l))));
        return true;
      },
      Match::f32);
  for (bool multiply : {false, true})
    for (bool high : {false, true}) {
      std::string r = high ? "h" : "l";
      std::string t = "  v_mov_b32 v40, v16\n  " +
                      (multiply ? "v_fmamk_f16 v40." + r + ", v10.l, 0x4248, v12.h\n"
                                : "v_fmaak_f16 v40." + r + ", v10.l, v12.h, 0x4248\n");
      add(
          f, std::string(multiply ? "v_fmamk_f16 " : "v_fmaak_f16 ") + r, t, 1,
          [=](const Wave &w, unsigned l, uint32_t *out) {
            double x = asH(w.at(0, l)), y = asH(w.at(2, l) >> 16), k = asH(0x4248);
            double p = multiply ? x * k : x * y, c = multiply ? y : k;
            uint32_t h = !std::isfinite(p) || !std::isfinite(c) || p + c == 0
                             ? halfOf(p + c)
                             : halfOf(static_cast<__float128>(p) + c);
            out[0] = high ? (w.at(6, l) & 0xffff) | h << 16 : (w.at(6, l) & 0xffff0000) | h;
            uint32_t other = high ? w.at(6, l) & 0xffff : w.at(6, l) >> 16;
            return !(isNanH(other) && !(other & 0x200)); // cannot be told from a signalling result
          },
          Match::loHiF16);
    }
  Group &s = wordsGroup(suite, "swaps", wave);
  add(s, "v_swap_b32",
      "  v_mov_b32 v40, v10\n  v_mov_b32 v41, v12\n" + setMask(wave, "exec", kOdd) +
          "  v_swap_b32 v40, v41\n" + allLanes(wave),
      2, [](const Wave &w, unsigned l, uint32_t *out) {
        bool on = kOdd >> l & 1;
        out[0] = w.at(on ? 2 : 0, l);
        out[1] = w.at(on ? 0 : 2, l);
        return true;
      });
  add(s, "v_swap_b16", "  v_mov_b32 v40, v10\n  v_mov_b32 v41, v12\n  v_swap_b16 v40.h, v41.l\n", 2,
      [](const Wave &w, unsigned l, uint32_t *out) {
        out[0] = (w.at(0, l) & 0xffff) | w.at(2, l) << 16;
        out[1] = (w.at(2, l) & 0xffff0000) | w.at(0, l) >> 16;
        return true;
      });
  std::string moves = "  v_mov_b32 v50, v10\n  v_mov_b32 v51, v12\n  v_mov_b32 v52, v14\n  "
                      "v_mov_b32 v40, v16\n  v_mov_b32 v41, v17\n  v_mov_b32 v42, v17\n";
  add(s, "v_movrels_b32", moves + "  s_mov_b32 m0, 2\n  v_movrels_b32 v40, v50\n", 1,
      [](const Wave &w, unsigned l, uint32_t *out) {
        out[0] = w.at(4, l);
        return true;
      });
  add(s, "v_movrels_b32_e64", moves + "  s_mov_b32 m0, 1\n  v_movrels_b32_e64 v40, v50\n", 1,
      [](const Wave &w, unsigned l, uint32_t *out) {
        out[0] = w.at(2, l);
        return true;
      });
  for (const char *e : {"", "_e64"})
    add(s, std::string("v_movreld_b32") + e,
        moves + "  s_mov_b32 m0, 2\n  v_movreld_b32" + e + " v40, v50\n", 3,
        [](const Wave &w, unsigned l, uint32_t *out) {
          out[0] = w.at(6, l);
          out[1] = w.at(7, l);
          out[2] = w.at(0, l);
          return true;
        });
  for (const char *e : {"", "_e64"})
    add(s, std::string("v_movrelsd_b32") + e,
        moves + "  s_mov_b32 m0, 1\n  v_movrelsd_b32" + e + " v40, v50\n", 2,
        [](const Wave &w, unsigned l, uint32_t *out) {
          out[0] = w.at(6, l);
          out[1] = w.at(2, l);
          return true;
        });
  for (const char *e : {"", "_e64"})
    add(s, std::string("v_movrelsd_2_b32") + e,
        moves + "  s_mov_b32 m0, 0x10002\n  v_movrelsd_2_b32" + e + " v40, v50\n", 2,
        [](const Wave &w, unsigned l, uint32_t *out) {
          out[0] = w.at(6, l); // the source's index is in M0[7:0], the destination's in M0[23:16]
          out[1] = w.at(4, l);
          return true;
        });
  for (const char *e : {"_dpp", "_e64_dpp"})
    for (bool eight : {false, true}) {
      std::string tail =
          eight ? " dpp8:[1,0,3,2,5,4,7,6]\n" : " row_xmask:1 row_mask:0xf bank_mask:0xf\n";
      std::string label = std::string(e) + (eight ? " dpp8" : "");
      add(s, "v_movrels_b32" + label,
          moves + "  s_mov_b32 m0, 2\n  v_movrels_b32" + e + " v40, v50" + tail, 1,
          [](const Wave &w, unsigned l, uint32_t *out) {
            out[0] = w.at(4, l ^ 1);
            return true;
          });
      add(s, "v_movreld_b32" + label,
          moves + "  s_mov_b32 m0, 2\n  v_movreld_b32" + e + " v40, v50" + tail, 3,
          [](const Wave &w, unsigned l, uint32_t *out) {
            out[0] = w.at(6, l), out[1] = w.at(7, l), out[2] = w.at(0, l ^ 1);
            return true;
          });
      add(s, "v_movrelsd_b32" + label,
          moves + "  s_mov_b32 m0, 1\n  v_movrelsd_b32" + e + " v40, v50" + tail, 2,
          [](const Wave &w, unsigned l, uint32_t *out) {
            out[0] = w.at(6, l), out[1] = w.at(2, l ^ 1);
            return true;
          });
      add(s, "v_movrelsd_2_b32" + label,
          moves + "  s_mov_b32 m0, 0x10002\n  v_movrelsd_2_b32" + e + " v40, v50" + tail, 2,
          [](const Wave &w, unsigned l, uint32_t *out) {
            out[0] = w.at(6, l), out[1] = w.at(4, l ^ 1);
            return true;
          });
    }
  add(s, "v_swaprel_b32",
      moves + "  s_mov_b32 m0, 0x10002\n  v_swaprel_b32 v40, v50\n  v_mov_b32 v42, v52\n", 3,
      [](const Wave &w, unsigned l, uint32_t *out) {
        out[0] = w.at(6, l), out[1] = w.at(4, l), out[2] = w.at(7, l);
        return true;
      });
  add(s, "v_nop", "  v_mov_b32 v40, v10\n  v_nop\n  v_nop_e64\n  v_pipeflush\n  v_pipeflush_e64\n",
      1, [](const Wave &w, unsigned l, uint32_t *out) {
        out[0] = w.at(0, l);
        return true;
      });
  add(s, "v_mqsad_u32_u8",
      "  v_mov_b32 v50, v14\n  v_mov_b32 v51, v15\n  v_mov_b32 v52, v16\n  v_mov_b32 v53, v17\n  "
      "v_mqsad_u32_u8 v[40:43], v[10:11], v12, v[50:53]\n",
      4, [](const Wave &w, unsigned l, uint32_t *out) {
        uint64_t x = w.at(0, l) | uint64_t(w.at(1, l)) << 32;
        for (unsigned i = 0; i < 4; ++i) {
          out[i] = w.at(4 + i, l);
          for (unsigned b = 0; b < 4; ++b) {
            int p = x >> 8 * (i + b) & 255, q = w.at(2, l) >> 8 * b & 255;
            out[i] += q ? abs(p - q) : 0;
          }
        }
        return true;
      });
}

/// Divisions and square roots as compilers write them: every step, and an exact result.
static void addDivision(Suite &suite, unsigned wave) {
  std::string vcc = vccName(wave), sm = maskRegister(wave, 34);
  Group &f = wordsGroup(suite, "division", wave, "ffff");
  f.workgroups = 16;
  fillSlots(f, "ffff");
  add(
      f, "f32",
      "  v_div_scale_f32 v50, " + sm +
          ", v12, v12, v10\n  v_rcp_f32 v51, v50\n  s_waitcnt_depctr 0xfff\n"
          "  v_fma_f32 v52, -v50, v51, 1.0\n  v_fma_f32 v51, v52, v51, v51\n"
          "  v_div_scale_f32 v53, " +
          vcc +
          ", v10, v12, v10\n  v_mul_f32 v54, v53, v51\n"
          "  v_fma_f32 v55, -v50, v54, v53\n  v_fma_f32 v54, v55, v51, v54\n  v_fma_f32 v50, -v50, "
          "v54, v53\n"
          "  v_div_fmas_f32 v50, v50, v51, v54\n  v_div_fixup_f32 v40, v50, v12, v10\n",
      1,
      [](const Wave &w, unsigned l, uint32_t *out) {
        out[0] = bitsOf(asF(w.at(0, l)) / asF(w.at(2, l)));
        return true;
      },
      Match::f32);
  Group &d = wordsGroup(suite, "division64", wave, "dddd");
  d.workgroups = 16;
  fillSlots(d, "dddd");
  add(
      d, "f64",
      "  v_div_scale_f64 v[50:51], " + sm +
          ", v[12:13], v[12:13], v[10:11]\n  v_rcp_f64 v[52:53], v[50:51]\n  s_waitcnt_depctr "
          "0xfff\n"
          "  v_fma_f64 v[54:55], -v[50:51], v[52:53], 1.0\n  v_fma_f64 v[52:53], v[52:53], "
          "v[54:55], v[52:53]\n"
          "  v_fma_f64 v[54:55], -v[50:51], v[52:53], 1.0\n  v_fma_f64 v[52:53], v[52:53], "
          "v[54:55], v[52:53]\n"
          "  v_div_scale_f64 v[56:57], " +
          vcc +
          ", v[10:11], v[12:13], v[10:11]\n"
          "  v_mul_f64 v[54:55], v[56:57], v[52:53]\n  v_fma_f64 v[50:51], -v[50:51], v[54:55], "
          "v[56:57]\n"
          "  v_div_fmas_f64 v[50:51], v[50:51], v[52:53], v[54:55]\n  v_div_fixup_f64 v[40:41], "
          "v[50:51], v[12:13], v[10:11]\n",
      2,
      [](const Wave &w, unsigned l, uint32_t *out) {
        double r = asD(w.at(0, l) | uint64_t(w.at(1, l)) << 32) /
                   asD(w.at(2, l) | uint64_t(w.at(3, l)) << 32);
        out[0] = uint32_t(bitsOf(r));
        out[1] = uint32_t(bitsOf(r) >> 32);
        return true;
      },
      Match::f64);
}

/// v_trig_preop_f64: 53 bits of 2/pi, from a position that two sources choose.
static void addTrig(Suite &suite, unsigned wave) {
  Group &g = wordsGroup(suite, "v_trig_preop_f64", wave, "dudd");
  for (unsigned segment : {0u, 1u, 2u})
    add(
        g, format("segment %u", segment),
        format("  v_trig_preop_f64 v[40:41], v[10:11], %u\n", segment), 2,
        [=](const Wave &w, unsigned l, uint32_t *out) {
          // The first 212 bits of 2/pi are enough for arguments below 2^53 and segments 0 to 2.
          static const uint32_t bits[] = {0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
                                          0xdb629599, 0x3c439041, 0xfe5163ab};
          int e = w.at(1, l) >> 20 & 0x7ff;
          if (e > 1077)
            return false;
          int shift = int(segment) * 53;
          uint64_t field = 0;
          for (int i = 0; i < 53; ++i) {
            int bit = shift + i;
            field = field << 1 | (bits[bit / 32] >> (31 - bit % 32) & 1);
          }
          double r = ldexp(double(field), -53 - shift);
          out[0] = uint32_t(bitsOf(r));
          out[1] = uint32_t(bitsOf(r) >> 32);
          return true;
        },
        Match::f64);
}

void simtest::addLanes(Suite &suite) {
  for (unsigned wave : {32u, 64u}) {
    addDppMoves(suite, wave);
    addReads(suite, wave);
    addCarries(suite, wave);
    addDivision(suite, wave);
    addTrig(suite, wave);
  }
}
