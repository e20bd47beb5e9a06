// Floating-point kernels: single, double, half, packed half; exact on both sides.
#include "Shim.h"

KERNEL(saxpy) {
  uint i = self();
  out[i] = asUint(toFloat(in[i]) * 1.5f + toFloat(in[(i + 1) % n]));
}

KERNEL(divide_and_root) { // correctly rounded on both sides
  uint i = self();
  float a = asFloat(in[i]), b = asFloat(in[(i + 1) % n]);
  float q = a / b, r = __builtin_sqrtf(__builtin_fabsf(toFloat(in[i])));
  out[2 * i] = q == q ? asUint(q) : 0x7fc00000;
  out[2 * i + 1] = asUint(r);
}

KERNEL(divide_double) {
  uint i = self();
  double a = (double)(int)in[i] + toFloat(in[(i + 2) % n]), b = (double)(int)in[(i + 1) % n] * 0x1p-7 + 0x1p-20;
  double q = a / b + __builtin_sqrt(a * a + 1);
  union { double d; uint u[2]; } v;
  v.d = q;
  out[2 * i] = v.u[0];
  out[2 * i + 1] = v.u[1];
}

KERNEL(mandelbrot) {
  uint i = self(), k = 0;
  float cx = (float)(i % 64) * (3.0f / 64) - 2, cy = (float)(i / 64) * (2.0f / 32) - 1, x = 0, y = 0;
  for (; k < 200 && x * x + y * y < 4; ++k) {
    float t = x * x - y * y + cx;
    y = 2 * x * y + cy;
    x = t;
  }
  out[i] = k + in[0] - in[0];
}

KERNEL(mandelbrot_double) {
  uint i = self(), k = 0;
  double cx = -0.74 + (double)(i % 64) * 1e-5, cy = 0.1 + (double)(i / 64) * 1e-5, x = 0, y = 0;
  for (; k < 150 && x * x + y * y < 4; ++k) {
    double t = x * x - y * y + cx;
    y = 2 * x * y + cy;
    x = t;
  }
  out[i] = k + in[0] - in[0];
}

typedef struct { float x, y, z; } Vec;
static inline Vec vec(float x, float y, float z) { Vec v; v.x = x; v.y = y; v.z = z; return v; }
static inline float dotOf(Vec a, Vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static inline Vec scaled(Vec a, float s) { return vec(a.x * s, a.y * s, a.z * s); }
static inline Vec plus(Vec a, Vec b) { return vec(a.x + b.x, a.y + b.y, a.z + b.z); }

FUNCTION float hit_sphere(const float *sphere, Vec from, Vec to) { // distance, or -1
  Vec d = vec(from.x - sphere[0], from.y - sphere[1], from.z - sphere[2]);
  float b = dotOf(d, to), c = dotOf(d, d) - sphere[3] * sphere[3], q = b * b - c;
  if (q < 0)
    return -1;
  float t = -b - __builtin_sqrtf(q);
  return t > 0.001f ? t : -1;
}

KERNEL(ray_tracer) { // three spheres, reflections, a light
  float spheres[3][4] = {{0, 0, 4, 1}, {1.5f, 0.3f, 3, 0.5f}, {-1.2f, -0.4f, 3.5f, 0.7f}};
  uint i = self();
  Vec from = vec(0, 0, 0), to = vec(((float)(i % 64) - 32) / 40, ((float)(i / 64) - 16) / 40, 1);
  to = scaled(to, 1 / __builtin_sqrtf(dotOf(to, to)));
  float colour = 0, weight = 1;
  for (int bounce = 0; bounce < 4; ++bounce) {
    float nearest = -1;
    int which = -1;
    for (int s = 0; s < 3; ++s) {
      float t = hit_sphere(spheres[s], from, to);
      if (t > 0 && (nearest < 0 || t < nearest)) {
        nearest = t;
        which = s;
      }
    }
    if (which < 0) {
      colour += weight * (0.5f + 0.5f * to.y);
      break;
    }
    Vec at = plus(from, scaled(to, nearest));
    Vec normal = scaled(vec(at.x - spheres[which][0], at.y - spheres[which][1], at.z - spheres[which][2]), 1 / spheres[which][3]);
    float light = dotOf(normal, vec(0.57735f, 0.57735f, -0.57735f));
    colour += weight * 0.6f * (light > 0 ? light : 0);
    weight *= 0.4f;
    to = plus(to, scaled(normal, -2 * dotOf(to, normal)));
    from = at;
  }
  out[i] = asUint(colour + unitFloat(in[0]) * 0);
}

KERNEL(matrix_inverse) { // 4 x 4 by Gauss and Jordan, with pivots
  uint i = self();
  float a[4][8];
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 8; ++c)
      a[r][c] = c < 4 ? toFloat(in[(i * 16 + r * 4 + c) % n]) + (r == c ? 300.0f : 0.0f) : r == c - 4 ? 1.0f : 0.0f;
  for (int c = 0; c < 4; ++c) {
    int best = c;
    for (int r = c + 1; r < 4; ++r)
      if (__builtin_fabsf(a[r][c]) > __builtin_fabsf(a[best][c]))
        best = r;
    for (int k = 0; k < 8; ++k) {
      float t = a[c][k];
      a[c][k] = a[best][k];
      a[best][k] = t;
    }
    float scale = 1.0f / a[c][c];
    for (int k = 0; k < 8; ++k)
      a[c][k] *= scale;
    for (int r = 0; r < 4; ++r)
      if (r != c) {
        float f = a[r][c];
        for (int k = 0; k < 8; ++k)
          a[r][k] -= f * a[c][k];
      }
  }
  float sum = 0;
  for (int r = 0; r < 4; ++r)
    for (int c = 4; c < 8; ++c)
      sum += a[r][c] * (float)(r * 4 + c);
  out[i] = asUint(sum);
}

KERNEL(compensated_sum) {
  uint i = self();
  float sum = 0, lost = 0;
  for (uint k = 0; k < 64; ++k) {
    float y = toFloat(in[(i + k) % n]) - lost, t = sum + y;
    lost = (t - sum) - y;
    sum = t;
  }
  out[i] = asUint(sum);
}

KERNEL(bodies) { // eight bodies, ten steps
  uint i = self();
  float x[8], v[8];
  for (int k = 0; k < 8; ++k) {
    x[k] = unitFloat(in[(i * 8 + k) % n]) * 10;
    v[k] = 0;
  }
  for (int step = 0; step < 10; ++step) {
    for (int a = 0; a < 8; ++a) {
      float force = 0;
      for (int b = 0; b < 8; ++b) {
        float d = x[b] - x[a];
        force += d / (d * d * __builtin_fabsf(d) + 0.5f);
      }
      v[a] += force * 0.01f;
    }
    for (int a = 0; a < 8; ++a)
      x[a] += v[a] * 0.01f;
  }
  out[i] = asUint(x[0] + x[3] + v[5]);
}

KERNEL(conversions) {
  uint i = self(), x = in[i];
  float f = asFloat((x & 0x807fffff) | (0x30000000 + (x >> 4 & 0x1f800000)));
  int toInt = __builtin_fabsf(f) < 0x1p31f ? (int)f : 7;
  uint toUint = f >= 0 && f < 0x1p32f ? (uint)f : 9;
  long toLong = __builtin_fabsf(f) < 0x1p62f ? (long)f : 11;
  float back = (float)(int)x + (float)x + (float)(long)((ulong)x << 13) + (float)((ulong)x << 31);
  double d = (double)f * 3 + (double)(int)x + (double)((ulong)x << 20 | x);
  out[4 * i] = (uint)toInt ^ toUint * 3;
  out[4 * i + 1] = (uint)toLong ^ (uint)(toLong >> 32) * 5;
  out[4 * i + 2] = asUint(back);
  out[4 * i + 3] = asUint((float)d);
}

KERNEL(rounding) {
  uint i = self();
  float f = toFloat(in[i]) * 0.125f;
  out[i] = asUint(__builtin_floorf(f) + __builtin_ceilf(f) * 3 + __builtin_truncf(f) * 5 + __builtin_rintf(f) * 7);
}

KERNEL(minimum_maximum) {
  uint i = self();
  float a = toFloat(in[i]), b = toFloat(in[(i + 1) % n]), c = toFloat(in[(i + 2) % n]);
  float low = a < b ? a : b, high = a > b ? a : b;
  float middle = c < low ? low : c > high ? high : c;
  out[i] = asUint(middle * 2 + __builtin_fmaxf(a, c) - __builtin_fminf(b, c));
}

KERNEL(fused) {
  uint i = self();
  float a = toFloat(in[i]), b = toFloat(in[(i + 1) % n]);
  double d = __builtin_fma((double)a, (double)b, -(double)(a * b)); // the error of the product
  float e = __builtin_fmaf(a, b, -(a * b));
  out[2 * i] = asUint(e);
  out[2 * i + 1] = asUint((float)d);
}

KERNEL(half_arithmetic) {
  uint i = self();
  half a = (half)(toFloat(in[i]) * 0.25f), b = (half)(unitFloat(in[(i + 1) % n]) + 0.5f);
  half s = a + b, p = a * b, d = a - b;
  half q = s * p - d;
  union { half h; ushort u; } v;
  v.h = q;
  float wide = (float)a * (float)b + (float)q;
  out[2 * i] = v.u | (uint)(a < b) << 16;
  out[2 * i + 1] = asUint(wide == wide ? wide : 0.0f);
}

KERNEL(packed_half) {
  uint i = self();
  half2 a, b, c;
  a.x = (half)unitFloat(in[i]), a.y = (half)(unitFloat(in[i]) * 3 - 1);
  b.x = (half)(unitFloat(in[(i + 1) % n]) - 0.5f), b.y = (half)2.5f;
  c = a * b;
  for (int k = 0; k < 5; ++k) {
    c = c + a;
    c = c * b - a;
  }
  union { half2 h; uint u; } v;
  v.h = c;
  out[i] = v.u;
}

KERNEL(packed_short) {
  uint i = self();
  union { uint u; short2 s; ushort2 w; } a, b, c;
  a.u = in[i], b.u = in[(i + 1) % n];
  c.s = a.s + b.s * (short2)(3);
  c.w = (c.w >> (ushort2)(3)) + (a.w << (ushort2)(2));
  c.s = c.s - a.s;
  out[i] = c.u;
}

KERNEL(half_matrix) { // 4 x 4 products in half precision
  uint i = self();
  half a[4][4], b[4][4], sum = 0;
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 4; ++c) {
      a[r][c] = (half)unitFloat(in[(i + r * 4 + c) % n]);
      b[r][c] = (half)(unitFloat(in[(i * 5 + r * 4 + c) % n]) - 0.5f);
    }
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 4; ++c) {
      half t = 0;
      for (int k = 0; k < 4; ++k)
        t = t + a[r][k] * b[k][c];
      sum = sum + t * (half)(r + 1);
    }
  union { half h; ushort u; } v;
  v.h = sum;
  out[i] = v.u;
}

// Transcendental instructions themselves: compared by error bound (relative, in Main.cpp).
#ifdef __OPENCL_C_VERSION__
#define EXP2(x) __builtin_amdgcn_exp2f(x)
#define LOG2(x) __builtin_amdgcn_logf(x)
#define RCP(x) __builtin_amdgcn_rcpf(x)
#define RSQ(x) __builtin_amdgcn_rsqf(x)
#define SIN(x) __builtin_amdgcn_sinf(x)
#define COS(x) __builtin_amdgcn_cosf(x)
#else
float exp2f(float), log2f(float);
double sin(double), cos(double);
#define EXP2(x) exp2f(x)
#define LOG2(x) log2f(x)
#define RCP(x) (1 / (x))
#define RSQ(x) (1 / __builtin_sqrtf(x))
#define SIN(x) ((float)sin((double)(x) * 6.283185307179586))
#define COS(x) ((float)cos((double)(x) * 6.283185307179586))
#endif

KERNEL(transcendental) {
  uint i = self();
  float x = unitFloat(in[i]) * 7 + 0.25f;
  out[4 * i] = asUint(EXP2(x));
  out[4 * i + 1] = asUint(LOG2(x + 2) + RCP(x));
  out[4 * i + 2] = asUint(RSQ(x) + 2);
  out[4 * i + 3] = asUint(SIN(x) + COS(x * 0.5f) + 4);
}
