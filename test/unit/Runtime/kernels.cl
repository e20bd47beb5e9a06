// The kernels of SessionTest.cpp and HsaDeviceTest.cpp for a GPU. The first two are what a compiler
// makes of a plan: addresses of buffers, a workgroup for each point of the grid.

#define ITEM __builtin_amdgcn_workitem_id_x()
#define GROUP_X __builtin_amdgcn_workgroup_id_x()
#define GROUP_Y __builtin_amdgcn_workgroup_id_y()
#define GROUP_Z __builtin_amdgcn_workgroup_id_z()

__kernel void scale(__global const float *in, __global const float *factor, __global float *out) {
  uint i = GROUP_X + 4 * (GROUP_Y + 3 * GROUP_Z);
  if (ITEM == 0)
    out[i] = in[i] * factor[0];
}

__kernel void sum(__global const float *in, __global float *out) {
  float total = 0;
  for (int i = 0; i < 24; ++i)
    total += in[i];
  out[0] = total;
}

// What the hidden arguments say, for one work-item of each workgroup.
__kernel void sizes(__global uint *out, uint first) {
  __constant uchar *hidden = __builtin_amdgcn_implicitarg_ptr();
  __constant uint *counts = (__constant uint *)hidden;
  __constant ushort *groups = (__constant ushort *)(hidden + 12);
  __constant ushort *dims = (__constant ushort *)(hidden + 64);
  if (ITEM == 0 && GROUP_X == 0) {
    for (int i = 0; i < 3; ++i)
      out[first + i] = counts[i];
    for (int i = 0; i < 6; ++i) // sizes of the block, then the remainders
      out[first + 3 + i] = groups[i];
    out[first + 9] = dims[0];
  }
}

// Each work-item there is counts itself.
__kernel void count(__global uint *out) {
  __scoped_atomic_fetch_add(out, 1, __ATOMIC_RELAXED, __MEMORY_SCOPE_DEVICE);
}

// Depends on everything before it having ended.
__kernel void twice_and(__global uint *value, uint more) { value[0] = value[0] * 2 + more; }

__kernel void reverse(__global uint *data, __local uint *copy) {
  copy[ITEM] = data[ITEM];
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
  data[ITEM] = copy[63 - ITEM];
}

__kernel void out_of_bounds(__global uint *data, uint index) { data[index] = 1; }

__kernel void endless(__global volatile uint *data) {
  while (data[0] == 0)
    ;
}
