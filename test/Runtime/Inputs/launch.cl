#define ITEM __builtin_amdgcn_workitem_id_x()
#define BLOCK __builtin_amdgcn_workgroup_size_x()
#define FIRST (__builtin_amdgcn_workgroup_id_x() * BLOCK)

__kernel void vadd(__global const float *a, __global const float *b, __global float *c, uint n) {
  uint i = FIRST + ITEM;
  if (i < n)
    c[i] = a[i] + b[i];
}

__kernel void reverse(__global int *data, __local int *copy) {
  copy[ITEM] = data[FIRST + ITEM];
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
  data[FIRST + ITEM] = copy[BLOCK - 1 - ITEM];
}
