// Kernels with one mistake each; `HERE name` marks the line that the message has to name.
// Arguments: a buffer of 1024 bytes, and the address of one that was freed.

  .amdgcn_target "amdgcn-amd-amdhsa--gfx1100"

  .macro kernel name
  .text
  .globl \name
  .p2align 8
  .type \name,@function
\name:
  .endm

  .macro describe name, lds=0
  .size \name, .-\name
  .rodata
  .p2align 6
  .amdhsa_kernel \name
    .amdhsa_next_free_vgpr 16
    .amdhsa_next_free_sgpr 32
    .amdhsa_user_sgpr_kernarg_segment_ptr 1
    .amdhsa_kernarg_size 16
    .amdhsa_group_segment_fixed_size \lds
    .amdhsa_wavefront_size32 1
  .end_amdhsa_kernel
  .endm

  kernel correct
  s_load_b64 s[4:5], s[0:1], 0
  v_lshlrev_b32 v1, 2, v0
  s_waitcnt lgkmcnt(0)
  global_store_b32 v1, v0, s[4:5]
  s_endpgm
  describe correct

  kernel out_of_bounds
  s_load_b64 s[4:5], s[0:1], 0
  v_lshlrev_b32 v1, 2, v0
  s_waitcnt lgkmcnt(0)
  global_store_b32 v1, v0, s[4:5] offset:960 // HERE out_of_bounds
  s_endpgm
  describe out_of_bounds

  kernel use_after_free
  s_load_b64 s[4:5], s[0:1], 8
  v_lshlrev_b32 v1, 2, v0
  s_waitcnt lgkmcnt(0)
  global_load_b32 v2, v1, s[4:5] // HERE use_after_free
  s_endpgm
  describe use_after_free

  kernel register_never_written
  v_mov_b32 v1, 1
  v_add_nc_u32 v2, v1, v7 // HERE register_never_written
  s_endpgm
  describe register_never_written

  kernel scalar_never_written
  s_add_u32 s8, s0, s20 // HERE scalar_never_written
  s_endpgm
  describe scalar_never_written

  kernel lds_never_written
  v_lshlrev_b32 v1, 2, v0
  ds_store_b32 v1, v0
  s_waitcnt lgkmcnt(0)
  ds_load_b32 v2, v1 offset:512 // HERE lds_never_written
  s_waitcnt lgkmcnt(0)
  v_add_nc_u32 v2, 1, v2
  s_endpgm
  describe lds_never_written, 1024

  kernel missing_wait
  s_load_b64 s[4:5], s[0:1], 0
  v_lshlrev_b32 v1, 2, v0
  s_waitcnt lgkmcnt(0)
  global_load_b32 v2, v1, s[4:5]
  v_add_nc_u32 v3, v2, v2 // HERE missing_wait
  s_endpgm
  describe missing_wait

  kernel missing_scalar_wait
  s_load_b64 s[4:5], s[0:1], 0
  s_add_u32 s6, s4, 4 // HERE missing_scalar_wait
  s_endpgm
  describe missing_scalar_wait

  kernel race
  v_mov_b32 v1, 0
  ds_store_b32 v1, v0 // HERE race
  s_endpgm
  describe race, 1024

  kernel misaligned
  s_load_b64 s[4:5], s[0:1], 0
  v_lshlrev_b32 v1, 2, v0
  s_waitcnt lgkmcnt(0)
  global_atomic_add_u32 v1, v0, s[4:5] offset:2 // HERE misaligned
  s_endpgm
  describe misaligned

  kernel divergent_barrier
  v_readfirstlane_b32 s4, v0
  s_cmp_eq_u32 s4, 0
  s_cbranch_scc1 .Lfirst
  s_barrier // HERE divergent_barrier
  s_endpgm
.Lfirst:
  s_barrier // HERE divergent_barrier
  s_endpgm
  describe divergent_barrier

  kernel trap
  s_nop 0
  s_trap 2 // HERE trap
  s_endpgm
  describe trap

  kernel halt
  s_nop 0
  s_sendmsghalt sendmsg(MSG_INTERRUPT) // HERE halt
  s_endpgm
  describe halt

  kernel released
  s_nop 0
  s_sendmsg sendmsg(MSG_DEALLOC_VGPRS)
  v_mov_b32 v0, 0 // HERE released
  s_endpgm
  describe released

  kernel illegal_instruction
  s_nop 0
  .long 0xffffffff
  s_endpgm
  describe illegal_instruction

  kernel unimplemented_instruction
  s_mov_b32 m0, 0
  ds_gws_barrier v0 gds // HERE unimplemented_instruction
  s_endpgm
  describe unimplemented_instruction

  kernel jump_away
  s_mov_b64 s[4:5], 64
  s_setpc_b64 s[4:5]
  s_endpgm
  describe jump_away

  .amdgpu_metadata
---
amdhsa.version: [ 1, 2 ]
amdhsa.kernels:
  - { .name: correct, .symbol: correct.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: out_of_bounds, .symbol: out_of_bounds.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: use_after_free, .symbol: use_after_free.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: register_never_written, .symbol: register_never_written.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: scalar_never_written, .symbol: scalar_never_written.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: lds_never_written, .symbol: lds_never_written.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 1024, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: missing_wait, .symbol: missing_wait.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: missing_scalar_wait, .symbol: missing_scalar_wait.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: race, .symbol: race.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 1024, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: misaligned, .symbol: misaligned.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: divergent_barrier, .symbol: divergent_barrier.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: trap, .symbol: trap.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: halt, .symbol: halt.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: released, .symbol: released.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: illegal_instruction, .symbol: illegal_instruction.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: unimplemented_instruction, .symbol: unimplemented_instruction.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
  - { .name: jump_away, .symbol: jump_away.kd, .kernarg_segment_size: 16, .kernarg_segment_align: 8, .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: 32, .sgpr_count: 32, .vgpr_count: 16, .max_flat_workgroup_size: 1024 }
...
  .end_amdgpu_metadata
