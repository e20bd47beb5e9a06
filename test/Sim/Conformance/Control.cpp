//===- Control.cpp - branches, calls, registers by index, waits -------------===//
//
// Every branch in both directions, taken and not; the result is which way it went.
//
//===----------------------------------------------------------------------===//

#include "Suite.h"
#include "Vector.h"

using namespace simtest;

static void addConstant(Group &group, const std::string &label, const std::string &text,
                        std::vector<uint32_t> values) {
  Check check;
  check.name = group.name + " " + label;
  check.words = values.size();
  check.expect = [=](const Wave &, unsigned, uint32_t *out) {
    std::copy(values.begin(), values.end(), out);
    return true;
  };
  group.add(text, check);
}

void simtest::addControl(Suite &suite) {
  for (unsigned wave : {32u, 64u}) {
    Group &group = suite.group("branches", wave);
    std::string all = wave == 32 ? "  s_mov_b32 exec_lo, -1\n" : "  s_mov_b64 exec, -1\n",
                b = wave == 32 ? "b32" : "b64";
    std::string exec = wave == 32 ? "exec_lo" : "exec", vcc = wave == 32 ? "vcc_lo" : "vcc";
    unsigned label = 0;
    auto branch = [&](const std::string &op, const std::string &before, bool taken) {
      std::string l = format(".Lw%u_%u", wave, label++);
      std::string reset = op.find("exec") != std::string::npos ? all : "";
      std::string clean =
          wave == 32 ? "  s_mov_b32 vcc_hi, 0\n" : ""; // a wave32 has no vcc_hi to test
      addConstant(group, op + (taken ? " taken" : " not taken"),
                  clean + "  s_mov_b32 s30, 1\n" + before + "  " + op + " " + l +
                      "\n  s_mov_b32 s30, 2\n" + l + ":\n" + reset + "  v_mov_b32 v40, s30\n",
                  {taken ? 1u : 2u});
    };
    branch("s_branch", "", true);
    for (bool set : {false, true}) {
      std::string scc = set ? "  s_cmp_eq_u32 s30, s30\n" : "  s_cmp_lg_u32 s30, s30\n";
      branch("s_cbranch_scc0", scc, !set);
      branch("s_cbranch_scc1", scc, set);
      for (const char *value : {"0", "1", "0x80000000"}) {
        bool zero = std::string(value) == "0";
        std::string v = std::string(value) == "0x80000000"
                            ? (wave == 32 ? "  s_mov_b32 vcc_lo, 0x80000000\n"
                                          : "  s_mov_b32 vcc_lo, 0\n  s_brev_b32 vcc_hi, 1\n")
                            : "  s_mov_" + b + " " + vcc + ", " + value + "\n";
        branch(set ? "s_cbranch_vccnz" : "s_cbranch_vccz", v, zero != set);
        std::string e = "  s_mov_" + b + " " + exec + ", " + (zero ? "0" : "4") + "\n";
        branch(set ? "s_cbranch_execnz" : "s_cbranch_execz", e, zero != set);
      }
    }
    // VALU comparisons set what the branch reads.
    branch("s_cbranch_vccnz", "  v_cmp_eq_u32 " + vcc + ", v0, v0\n", true);
    branch("s_cbranch_vccz", "  v_cmp_ne_u32 " + vcc + ", v0, v0\n", true);
    branch("s_cbranch_execz", "  v_cmpx_gt_u32 0, v0\n", true);
    std::string w = std::to_string(wave);
    addConstant(group, "loop",
                "  s_mov_b32 s30, 10\n  s_mov_b32 s31, 0\n.Lloop" + w +
                    ":\n  s_add_u32 s31, s31, s30\n  s_sub_u32 s30, s30, 1\n  s_cmp_lg_u32 s30, "
                    "0\n  s_cbranch_scc1 .Lloop" +
                    w + "\n  v_mov_b32 v40, s31\n",
                {55});
    addConstant(
        group, "divergent loop",
        "  v_mov_b32 v40, 0\n  v_mov_b32 v41, 0\n.Ldiv" + w +
            ":\n  v_add_nc_u32 v40, 1, v40\n  v_cmpx_lt_u32 v40, v0\n  s_cbranch_execnz .Ldiv" + w +
            "\n" + all + "  v_max_u32 v41, 1, v0\n  v_sub_nc_u32 v40, v40, v41\n",
        {0});
    addConstant(group, "s_call_b64, s_setpc_b64",
                "  s_mov_b32 s30, 3\n  s_call_b64 s[32:33], .Lfun" + w +
                    "\n  s_add_u32 s30, s30, 100\n  s_branch .Lafter" + w + "\n.Lfun" + w +
                    ":\n  s_mul_i32 s30, s30, 7\n  s_setpc_b64 s[32:33]\n.Lafter" + w +
                    ":\n  v_mov_b32 v40, s30\n",
                {121});
    addConstant(group, "s_getpc_b64, s_swappc_b64",
                "  s_mov_b32 s30, 3\n  s_getpc_b64 s[34:35]\n.Lpc" + w +
                    ":\n  s_add_u32 s34, s34, .Lfun2" + w + "-.Lpc" + w +
                    "\n  s_addc_u32 s35, s35, 0\n  s_swappc_b64 s[32:33], s[34:35]\n"
                    "  s_add_u32 s30, s30, 100\n  s_branch .Lafter2" +
                    w + "\n.Lfun2" + w +
                    ":\n  s_mul_i32 s30, s30, 5\n  s_setpc_b64 s[32:33]\n.Lafter2" + w +
                    ":\n  v_mov_b32 v40, s30\n",
                {115});

    Group &moves = suite.group("s_moves_by_index", wave);
    std::string init =
        "  s_movk_i32 s60, 10\n  s_movk_i32 s61, 11\n  s_movk_i32 s62, 12\n  s_movk_i32 s63, 13\n  "
        "s_movk_i32 s64, 14\n  s_movk_i32 s65, 15\n  s_movk_i32 s70, 20\n  s_movk_i32 s71, 21\n  "
        "s_movk_i32 s72, 22\n  s_movk_i32 s73, 23\n";
    std::string show =
        "  v_mov_b32 v40, s70\n  v_mov_b32 v41, s71\n  v_mov_b32 v42, s72\n  v_mov_b32 v43, s73\n";
    addConstant(moves, "s_movrels_b32",
                init + "  s_mov_b32 m0, 3\n  s_movrels_b32 s71, s60\n" + show, {20, 13, 22, 23});
    addConstant(moves, "s_movrels_b64",
                init + "  s_mov_b32 m0, 2\n  s_movrels_b64 s[70:71], s[60:61]\n" + show,
                {12, 13, 22, 23});
    addConstant(moves, "s_movreld_b32",
                init + "  s_mov_b32 m0, 3\n  s_movreld_b32 s70, s61\n" + show, {20, 21, 22, 11});
    addConstant(moves, "s_movreld_b64",
                init + "  s_mov_b32 m0, 2\n  s_movreld_b64 s[70:71], s[64:65]\n" + show,
                {20, 21, 14, 15});
    addConstant(moves, "s_movrelsd_2_b32",
                init + "  s_mov_b32 m0, 0x20004\n  s_movrelsd_2_b32 s70, s60\n" + show,
                {20, 21, 14, 23});
    addConstant(moves, "null destination",
                init + "  s_mov_b32 null, s60\n  s_add_u32 s70, s61, null\n" + show,
                {11, 21, 22, 23});

    Group &rest = suite.group("program_control", wave);
    const char *idle[] = {
        "s_nop 3",
        "s_sleep 1",
        "s_clause 0x1\n  s_nop 0\n  s_nop 0",
        "s_delay_alu instid0(VALU_DEP_1)",
        "s_waitcnt 0",
        "s_waitcnt vmcnt(0) expcnt(0) lgkmcnt(0)",
        "s_waitcnt_depctr 0xffe3",
        "s_waitcnt_vmcnt null, 0x0",
        "s_waitcnt_expcnt null, 0x0",
        "s_waitcnt_lgkmcnt null, 0x0",
        "s_waitcnt_vscnt null, 0x0",
        "s_wait_idle",
        "s_setprio 2",
        "s_inst_prefetch 0x3",
        "s_set_inst_prefetch_distance 0x3",
        "s_wakeup",
        "s_version UC_VERSION_GFX11",
        "s_incperflevel 1",
        "s_decperflevel 1",
        "s_ttracedata_imm 5",
        "s_mov_b32 m0, 1\n  s_ttracedata",
        "s_atc_probe 7, s[4:5], 0x40",
        "s_atc_probe 7, s[4:5], s2",
        "s_atc_probe 7, s[4:5], s2 offset:0x10",
        "s_atc_probe_buffer 7, s[8:11], 0x40",
        "s_atc_probe_buffer 7, s[8:11], s2",
        "s_atc_probe_buffer 7, s[8:11], s2 offset:0x10",
        "s_icache_inv",
        "s_wait_event 0x0",
        "s_setkill 0",
        "s_sethalt 0",
        "s_cbranch_cdbgsys .Ldbg%u\n.Ldbg%u:",
        "s_cbranch_cdbguser .Ldbgu%u\n.Ldbgu%u:",
        "s_cbranch_cdbgsys_or_user .Ldbgo%u\n.Ldbgo%u:",
        "s_cbranch_cdbgsys_and_user .Ldbga%u\n.Ldbga%u:",
        "s_sendmsg_rtn_b32 s60, sendmsg(MSG_RTN_GET_DOORBELL)\n  s_waitcnt lgkmcnt(0)",
        "s_sendmsg_rtn_b64 s[60:61], sendmsg(MSG_RTN_GET_REALTIME)\n  s_waitcnt lgkmcnt(0)"};
    for (const char *text : idle) {
      std::string t = text;
      for (size_t at; (at = t.find("%u")) != std::string::npos;)
        t.replace(at, 2, w);
      addConstant(rest, t, "  s_mov_b32 s30, 5\n  " + t + "\n  v_mov_b32 v40, s30\n", {5});
    }
    if (wave == 64) // the body runs for either half of EXEC
      addConstant(rest, "s_subvector_loop",
                  "  v_mov_b32 v40, 0\n  s_subvector_loop_begin s60, .Lsubend\n.Lsub:\n  "
                  "v_add_nc_u32 v40, 1, v40\n"
                  "  s_subvector_loop_end s60, .Lsub\n.Lsubend:\n  s_mov_b64 exec, -1\n",
                  {1});
    addConstant(rest, "shader registers",
                "  s_getreg_b32 s60, hwreg(HW_REG_SHADER_CYCLES, 0, 20)\n  s_mov_b32 s30, 9\n  "
                "v_mov_b32 v40, s30\n",
                {9});
    addConstant(rest, "trap handler registers are not touched",
                "  s_mov_b32 s30, m0\n  s_mov_b32 m0, 77\n  v_mov_b32 v40, m0\n  s_mov_b32 m0, 0\n",
                {77});
    // Constants and special sources.
    const std::pair<const char *, uint32_t> sources[] = {
        {"64", 64},           {"-16", 0xfffffff0},        {"0.5", 0x3f000000},
        {"-4.0", 0xc0800000}, {"0.15915494", 0x3e22f983}, {"0xdeadbeef", 0xdeadbeef},
        {"null", 0}};
    for (auto &[text, value] : sources) {
      addConstant(rest, std::string("s_mov_b32 ") + text,
                  std::string("  s_mov_b32 s60, ") + text + "\n  v_mov_b32 v40, s60\n", {value});
      addConstant(rest, std::string("v_mov_b32 ") + text,
                  std::string("  v_mov_b32 v40, ") + text + "\n", {value});
    }
    addConstant(rest, "src_scc",
                "  s_cmp_eq_u32 s2, s2\n  v_mov_b32 v40, src_scc\n  s_cmp_lg_u32 s2, s2\n  "
                "v_mov_b32 v41, src_scc\n",
                {1, 0});
    addConstant(rest, "s_barrier of one wave", "  s_barrier\n  v_mov_b32 v40, 1\n", {1});
    addConstant(rest, "64-bit constants",
                "  s_mov_b64 s[60:61], 1.0\n  s_mov_b64 s[62:63], -5\n  v_mov_b32 v40, s60\n  "
                "v_mov_b32 v41, s61\n  v_mov_b32 v42, s62\n  v_mov_b32 v43, s63\n",
                {0, 0x3ff00000, 0xfffffffb, 0xffffffff});
    addConstant(rest, "s_mov_b64 of a literal",
                "  s_mov_b64 s[60:61], 0x12345678\n  v_mov_b32 v40, s60\n  v_mov_b32 v41, s61\n",
                {0x12345678, 0});
  }
}
