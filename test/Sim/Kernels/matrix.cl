// WMMA through the compiler's builtins; a group is one wave and makes one 16 x 16 tile.
#include "Shim.h"

#ifdef __OPENCL_C_VERSION__
#if defined(TINY_WAVE64)
#define WAVE 64
typedef float Floats __attribute__((ext_vector_type(4)));
typedef int Ints __attribute__((ext_vector_type(4)));
#define WMMA_F16 __builtin_amdgcn_wmma_f32_16x16x16_f16_w64
#define WMMA_IU8 __builtin_amdgcn_wmma_i32_16x16x16_iu8_w64
#else
#define WAVE 32
typedef float Floats __attribute__((ext_vector_type(8)));
typedef int Ints __attribute__((ext_vector_type(8)));
#define WMMA_F16 __builtin_amdgcn_wmma_f32_16x16x16_f16_w32
#define WMMA_IU8 __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32
#endif
typedef half Halves __attribute__((ext_vector_type(16)));
typedef int Bytes __attribute__((ext_vector_type(4)));
#endif

#define A(row, k) in[((row) * 16 + (k) + groupOf() * 37) % n]
#define B(k, column) in[((column) * 16 + (k) + 300 + groupOf() * 41) % n]

KERNEL(wmma_f16) { // by error bound: the order of the sum is the hardware's
  uint l = item(), column = l % 16, rows = groupItems() / 16;
#ifdef __OPENCL_C_VERSION__
  Halves a, b;
  Floats c = 1.0f;
  for (uint k = 0; k < 16; ++k) {
    a[k] = (half)unitFloat(A(column, k));
    b[k] = (half)unitFloat(B(k, column));
  }
  for (int k = 0; k < 3; ++k)
    c = WMMA_F16(a, b, c);
  for (uint i = 0; i < 256 / WAVE; ++i)
    out[groupOf() * 256 + (i * rows + l / 16) * 16 + column] = asUint(c[i]);
#else
  for (uint i = 0; i < 256 / groupItems(); ++i) {
    uint row = i * rows + l / 16;
    double sum = 0;
    for (uint k = 0; k < 16; ++k)
      sum += (double)(half)unitFloat(A(row, k)) * (double)(half)unitFloat(B(k, column));
    out[groupOf() * 256 + row * 16 + column] = asUint((float)(1 + 3 * sum));
  }
#endif
}

KERNEL(wmma_iu8) { // exact
  uint l = item(), column = l % 16, rows = groupItems() / 16;
#ifdef __OPENCL_C_VERSION__
  Bytes a, b;
  Ints c = 5;
  for (uint k = 0; k < 4; ++k) {
    a[k] = (int)A(column, k);
    b[k] = (int)B(k, column);
  }
  c = WMMA_IU8(true, a, false, b, c, false);
  for (uint i = 0; i < 256 / WAVE; ++i)
    out[groupOf() * 256 + (i * rows + l / 16) * 16 + column] = (uint)c[i];
#else
  for (uint i = 0; i < 256 / groupItems(); ++i) {
    uint row = i * rows + l / 16;
    int sum = 5;
    for (uint k = 0; k < 16; ++k)
      sum += (int)(signed char)(A(row, k / 4) >> k % 4 * 8) * (int)(B(k / 4, column) >> k % 4 * 8 & 255);
    out[groupOf() * 256 + row * 16 + column] = (uint)sum;
  }
#endif
}
