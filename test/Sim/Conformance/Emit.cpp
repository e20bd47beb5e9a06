//===- Emit.cpp - groups as assembly text -----------------------------------===//
//
// The same prologue for every group: inputs come into registers by plain loads, so that a
// case depends on as few other instructions as possible.
//
//===----------------------------------------------------------------------===//

#include "Emit.h"

using namespace simtest;

static std::string prologue(const Group &group) {
  std::string t = "  s_load_b128 s[8:11], s[0:1], 0\n"
                  "  s_load_b64 s[6:7], s[0:1], 16\n"
                  "  v_lshlrev_b32 v1, 2, v0\n"
                  "  s_waitcnt lgkmcnt(0)\n";
  t += format("  s_mul_i32 s12, s2, %u\n  s_mul_i32 s13, s2, %u\n  s_mul_i32 s14, s2, %u\n",
              group.inputs * 256, group.outputWords() * 256, kAuxBytes);
  t += "  s_add_u32 s2, s8, s12\n  s_addc_u32 s3, s9, 0\n"
       "  s_add_u32 s4, s10, s13\n  s_addc_u32 s5, s11, 0\n"
       "  s_add_u32 s6, s6, s14\n  s_addc_u32 s7, s7, 0\n";
  for (unsigned i = 0; i < group.inputs; ++i) {
    if (group.scalar)
      t += format("  s_load_b32 s%u, s[2:3], %u\n", 20 + i, i * 256);
    else { // the offset field reaches 4095
      if (i % 15 == 0 && i)
        t += format("  s_add_u32 s12, s2, %u\n  s_addc_u32 s13, s3, 0\n", i * 256);
      t += format("  global_load_b32 v%u, v1, s[%s] offset:%u\n", 10 + i, i < 15 ? "2:3" : "12:13",
                  i % 15 * 256);
    }
  }
  return t + "  s_waitcnt vmcnt(0) lgkmcnt(0)\n";
}

std::string simtest::emit(const std::vector<const Group *> &groups) {
  std::string text =
      "  .amdgcn_target \"amdgcn-amd-amdhsa--gfx1100\"\n  .amdhsa_code_object_version 5\n";
  std::string metadata = "  .amdgpu_metadata\n---\namdhsa.version: [ 1, 2 ]\namdhsa.kernels:\n";
  for (const Group *g : groups) {
    const char *n = g->name.c_str();
    text += format("  .text\n  .globl %s\n  .p2align 8\n  .type %s,@function\n%s:\n", n, n, n);
    text += prologue(*g) + g->body;
    text += format("  s_endpgm\n  .size %s, .-%s\n  .rodata\n  .p2align 6\n  .amdhsa_kernel %s\n",
                   n, n, n);
    auto directive = [&](const char *what, unsigned value) {
      text += format("    .amdhsa_%s %u\n", what, value);
    };
    directive("next_free_vgpr", 128);
    directive("next_free_sgpr", 100);
    directive("user_sgpr_kernarg_segment_ptr", 1);
    directive("kernarg_size", 24);
    directive("wavefront_size32", g->wave == 32);
    directive("system_sgpr_workgroup_id_x", 1);
    directive("group_segment_fixed_size", g->ldsBytes);
    directive("private_segment_fixed_size", g->privateBytes);
    directive("enable_private_segment", g->privateBytes != 0);
    directive("float_denorm_mode_32", g->denorm32);
    directive("float_denorm_mode_16_64", g->denorm16);
    directive("float_round_mode_32", g->round32);
    directive("float_round_mode_16_64", g->round16);
    directive("ieee_mode", g->ieee);
    directive("dx10_clamp", g->dx10Clamp);
    text += g->directives + "  .end_amdhsa_kernel\n";
    metadata += format("  - .name: %s\n    .symbol: %s.kd\n    .kernarg_segment_size: 24\n"
                       "    .kernarg_segment_align: 8\n    .group_segment_fixed_size: %u\n"
                       "    .private_segment_fixed_size: %u\n    .wavefront_size: %u\n"
                       "    .sgpr_count: 100\n    .vgpr_count: 128\n"
                       "    .max_flat_workgroup_size: 1024\n    .args:\n",
                       n, n, g->ldsBytes, g->privateBytes, g->wave);
    for (int i = 0; i < 3; ++i)
      metadata +=
          format("      - .offset: %d\n        .size: 8\n        .value_kind: global_buffer\n"
                 "        .address_space: global\n",
                 8 * i);
  }
  return text + metadata + "...\n  .end_amdgpu_metadata\n";
}
