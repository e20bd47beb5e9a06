// Mistakes in OpenCL C: the message names the line of this file.
kernel void past_the_end(global uint *buffer) {
  uint i = __builtin_amdgcn_workitem_id_x();
  buffer[i * 64 + 3] = i; // HERE past_the_end
}

kernel void never_filled(global uint *buffer) {
  local uint shared[64];
  uint i = __builtin_amdgcn_workitem_id_x();
  shared[i] = i;
  __builtin_amdgcn_s_barrier();
  buffer[i] = shared[i + 32] + 1; // HERE never_filled
}
