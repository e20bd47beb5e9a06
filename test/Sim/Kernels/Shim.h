//===- Shim.h - one kernel source for the device and for the host -*- C -*-===//
//
// Device: OpenCL C without its library, so what a kernel needs comes from compiler
// builtins. Host: C; work items are fibers that swap at every barrier (Host.cpp).
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TEST_SIM_SHIM_H
#define TINY_TEST_SIM_SHIM_H

#ifdef __OPENCL_C_VERSION__
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#pragma OPENCL EXTENSION __cl_clang_function_pointers : enable
#define KERNEL(name) kernel void name(global const uint *in, global uint *out, uint n)
#define item() __builtin_amdgcn_workitem_id_x()
#define groupOf() __builtin_amdgcn_workgroup_id_x()
#define groupItems() ((uint)__builtin_amdgcn_workgroup_size_x())
#define sync()                                                                                     \
  do {                                                                                             \
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");                                         \
    __builtin_amdgcn_s_barrier();                                                                  \
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");                                         \
  } while (0)
#define laneId() (item() & 31) // within 32 lanes, whatever the wave size
static inline uint shuffle(uint x, uint lane) {
  return __builtin_amdgcn_ds_bpermute(((item() & 32) | lane) * 4, x);
}
static inline uint ballot32(bool c) {
#if __AMDGCN_WAVEFRONT_SIZE == 64 || defined(TINY_WAVE64)
  return (uint)(__builtin_amdgcn_ballot_w64(c) >> (item() & 32));
#else
  return __builtin_amdgcn_ballot_w32(c);
#endif
}
#define shiftRow(x, n) __builtin_amdgcn_update_dpp(0, x, 0x110 + (n), 15, 15, 1) // row_shr
#define mirrorRow(x) __builtin_amdgcn_update_dpp(0, x, 0x140, 15, 15, 1)         // row_mirror
#define xorRow(x, n) __builtin_amdgcn_update_dpp(0, x, 0x160 + (n), 15, 15, 1)   // row_xmask
#define reverse8(x) __builtin_amdgcn_mov_dpp8(x, 0x053977) // 7..0, 3 bits each
#define otherRow(x) __builtin_amdgcn_permlanex16(x, x, 0x76543210, 0xfedcba98, 0, 0)
#define swizzleSwap(x) ((uint)__builtin_amdgcn_ds_swizzle(x, 0x041f)) // xor 1
#define FUNCTION static __attribute__((noinline))
#else
#include <stdbool.h>
#include <stdint.h>
#define KERNEL(name) void name(const uint *in, uint *out, uint n)
typedef unsigned uint;
typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned long ulong;
typedef _Float16 half;
typedef _Float16 half2 __attribute__((ext_vector_type(2)));
typedef short short2 __attribute__((ext_vector_type(2)));
typedef ushort ushort2 __attribute__((ext_vector_type(2)));
typedef float float4 __attribute__((ext_vector_type(4)));
typedef uint uint2 __attribute__((ext_vector_type(2)));
typedef uint uint4 __attribute__((ext_vector_type(4)));
#define global
#define local static
#define constant static const
#ifdef __cplusplus
extern "C" {
#endif
uint item(void);
uint groupOf(void);
uint groupItems(void);
void sync(void);
uint shuffle(uint x, uint lane);
uint ballot32(bool c);
uint shiftRow(uint x, uint n);
#ifdef __cplusplus
}
#endif
#define laneId() (item() & 31)
#define mirrorRow(x) shuffle(x, laneId() ^ 15)
#define xorRow(x, n) shuffle(x, laneId() ^ (n))
#define reverse8(x) shuffle(x, laneId() ^ 7)
#define otherRow(x) shuffle(x, laneId() ^ 16)
#define swizzleSwap(x) shuffle(x, laneId() ^ 1)
#define FUNCTION static __attribute__((noinline))
#endif

#define self() (groupOf() * groupItems() + item())

static inline float asFloat(uint x) {
  union {
    uint u;
    float f;
  } v;
  v.u = x;
  return v.f;
}
static inline uint asUint(float x) {
  union {
    uint u;
    float f;
  } v;
  v.f = x;
  return v.u;
}
/// A float of moderate size from a random word.
static inline float toFloat(uint x) { return (float)(int)x * 0x1p-24f; }
static inline float unitFloat(uint x) { return (float)(x >> 8) * 0x1p-24f; }

#endif // TINY_TEST_SIM_SHIM_H
