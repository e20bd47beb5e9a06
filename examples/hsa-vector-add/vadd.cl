// c = a + b, one work-item per element. Builtins and no library: OpenCL's own functions, such as
// get_global_id, come with ROCm, and this is to compile without it.
__kernel void vadd(__global const float *a, __global const float *b, __global float *c, uint n) {
  uint i = __builtin_amdgcn_workgroup_id_x() * __builtin_amdgcn_workgroup_size_x() +
           __builtin_amdgcn_workitem_id_x();
  if (i < n)
    c[i] = a[i] + b[i];
}
