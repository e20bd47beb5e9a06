// Two kernels: `matrix` with a loop in a loop, `plain` with none.
        .amdgcn_target "amdgcn-amd-amdhsa--gfx1100"
        .text
        .globl matrix
        .p2align 8
        .type matrix,@function
matrix:
        s_load_b64 s[0:1], s[0:1], null
        s_mov_b32 s2, 4
.Louter:
        s_mov_b32 s3, 8
        global_load_d16_u8 v9, v0, s[0:1]
.Linner:
        buffer_load_b128 v[16:19], v0, s[4:7], s8 offen
        global_load_b64 v[20:21], v0, s[0:1]
        ds_load_2addr_b64 v[24:27], v1 offset0:1 offset1:2
        ds_load_u16_d16_hi v28, v1
        ds_store_b128 v2, v[16:19]
        ds_bpermute_b32 v3, v0, v1
        s_waitcnt lgkmcnt(0)
        s_delay_alu instid0(VALU_DEP_1)
        v_wmma_f32_16x16x16_f16 v[32:39], v[40:47], v[48:55], v[32:39]
        // 4, 5, 6, 7: a bank each
        v_dual_fmac_f32 v60, v4, v5 :: v_dual_fmac_f32 v61, v6, v7
        // v4 and v8 are in one bank; v4 and v5 have just been read
        v_dual_fmac_f32 v62, v4, v5 :: v_dual_mul_f32 v63, v11, v8
        v_fmac_f32_e32 v60, v4, v5
        v_exp_f32_e32 v3, v3
        v_add_nc_u32_e32 v0, 16, v0
        s_barrier
        s_cbranch_scc0 .Lskip
        s_nop 0
.Lskip:
        s_add_i32 s3, s3, -1
        s_cmp_lg_u32 s3, 0
        s_cbranch_scc1 .Linner
        s_add_i32 s2, s2, -1
        s_cmp_lg_u32 s2, 0
        s_cbranch_scc1 .Louter
// Deeper wins over longer.
.Llong:
        .rept 40
        v_mov_b32_e32 v1, v2
        .endr
        s_cbranch_vccnz .Llong
        global_store_b32 v0, v1, s[0:1]
        s_endpgm
.Lend:
        .size matrix, .Lend - matrix

        .globl plain
        .p2align 8
        .type plain,@function
plain:
        scratch_store_b32 off, v0, s0
        s_endpgm
.Lplain_end:
        .size plain, .Lplain_end - plain

        .rodata
        .p2align 6
        .amdhsa_kernel matrix
          .amdhsa_group_segment_fixed_size 20480
          .amdhsa_next_free_vgpr 100
          .amdhsa_next_free_sgpr 20
          .amdhsa_wavefront_size32 1
          .amdhsa_workgroup_processor_mode 0
        .end_amdhsa_kernel
        .p2align 6
        .amdhsa_kernel plain
          .amdhsa_private_segment_fixed_size 64
          .amdhsa_next_free_vgpr 8
          .amdhsa_next_free_sgpr 8
          .amdhsa_wavefront_size32 1
        .end_amdhsa_kernel

        .amdgpu_metadata
---
amdhsa.version: [1, 2]
amdhsa.target: amdgcn-amd-amdhsa--gfx1100
amdhsa.kernels:
  - .name: matrix
    .symbol: matrix.kd
    .kernarg_segment_size: 8
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 20480
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .max_flat_workgroup_size: 128
    .vgpr_count: 100
    .vgpr_spill_count: 0
    .sgpr_count: 20
    .sgpr_spill_count: 0
    .workgroup_processor_mode: 0
  - .name: plain
    .symbol: plain.kd
    .kernarg_segment_size: 0
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 64
    .wavefront_size: 32
    .max_flat_workgroup_size: 256
    .vgpr_count: 8
    .vgpr_spill_count: 12
    .sgpr_count: 8
    .sgpr_spill_count: 3
    .workgroup_processor_mode: 1
...
        .end_amdgpu_metadata
