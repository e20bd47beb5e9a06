// Integer kernels: hashes, arithmetic of many widths, control flow, stacks.
#include "Shim.h"

KERNEL(saxpy_int) {
  uint i = self();
  if (i < n)
    out[i] = in[i] * 2654435761u + in[(i + 1) % n];
}

KERNEL(divide64) { // 64-bit division and remainder, signed and not
  uint i = self();
  ulong a = ((ulong)in[i] << 32 | in[(i + 7) % n]) >> (i % 40), b = ((ulong)in[(i + 3) % n] << (i % 31)) | 1;
  long c = (long)a >> 1, d = (long)(b >> 1) - (long)(1ul << (i % 50)) * 2 + 1;
  if (d == 0)
    d = 3;
  ulong r = a / b * 31 + a % b + (ulong)(c / d) * 17 + (ulong)(c % d);
  out[2 * i] = (uint)r;
  out[2 * i + 1] = (uint)(r >> 32);
}

KERNEL(divide32) {
  uint i = self(), a = in[i], b = in[(i + 1) % n] >> (i % 32) | 1;
  int c = (int)a, d = (int)b;
  if (d == -1 || d == 0)
    d = 5;
  out[i] = a / b + a % b * 3 + (uint)(c / d) * 5 + (uint)(c % d) * 7;
}

KERNEL(multiply128) { // 64 x 64 -> 128 by words, then folded
  uint i = self();
  ulong a = (ulong)in[i] << 32 | in[(i + 1) % n], b = (ulong)in[(i + 2) % n] << 32 | in[(i + 3) % n];
  ulong al = (uint)a, ah = a >> 32, bl = (uint)b, bh = b >> 32;
  ulong mid = al * bh + (al * bl >> 32), mid2 = ah * bl + (uint)mid;
  ulong high = ah * bh + (mid >> 32) + (mid2 >> 32), low = a * b;
  ulong r = high ^ low;
  out[2 * i] = (uint)r;
  out[2 * i + 1] = (uint)(r >> 32);
}

KERNEL(greatest_divisor) { // a loop that ends at another time in every lane
  uint i = self(), a = in[i] | 1, b = in[(i + 1) % n] | 1, steps = 0;
  while (b) {
    uint t = a % b;
    a = b;
    b = t;
    ++steps;
  }
  out[i] = a << 8 | steps;
}

KERNEL(collatz) {
  uint i = self(), steps = 0;
  ulong x = (in[i] & 0xffff) + 1;
  while (x != 1 && steps < 1000) {
    x = x & 1 ? 3 * x + 1 : x >> 1;
    ++steps;
  }
  out[i] = steps;
}

KERNEL(crc32) { // bitwise, of eight words
  uint i = self(), crc = ~0u;
  for (uint k = 0; k < 8; ++k) {
    crc ^= in[(i * 8 + k) % n];
    for (int b = 0; b < 32; ++b)
      crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
  }
  out[i] = ~crc;
}

constant uint kRounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint rotate_right(uint x, uint k) { return x >> k | x << (32 - k); }

KERNEL(sha256) { // one block of 16 words
  uint i = self(), w[64], h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for (uint t = 0; t < 16; ++t)
    w[t] = in[(i * 16 + t) % n];
  for (uint t = 16; t < 64; ++t) {
    uint a = w[t - 15], b = w[t - 2];
    w[t] = w[t - 16] + (rotate_right(a, 7) ^ rotate_right(a, 18) ^ a >> 3) + w[t - 7] +
           (rotate_right(b, 17) ^ rotate_right(b, 19) ^ b >> 10);
  }
  uint s[8];
  for (int k = 0; k < 8; ++k)
    s[k] = h[k];
  for (uint t = 0; t < 64; ++t) {
    uint e = s[4], a = s[0];
    uint t1 = s[7] + (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) + ((e & s[5]) ^ (~e & s[6])) +
              kRounds[t] + w[t];
    uint t2 = (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
    for (int k = 7; k > 0; --k)
      s[k] = s[k - 1];
    s[4] += t1;
    s[0] = t1 + t2;
  }
  for (int k = 0; k < 8; ++k)
    out[i * 8 + k] = h[k] + s[k];
}

KERNEL(jump_table) { // a small byte-code machine
  uint i = self(), acc = in[i], x = i;
  for (uint pc = 0; pc < 24; ++pc) {
    uint op = in[(i + pc) % n] >> (pc % 5 * 4) & 15;
    switch (op) {
    case 0: acc += x; break;
    case 1: acc -= 3; break;
    case 2: acc *= 5; break;
    case 3: acc ^= x << 3; break;
    case 4: x += acc; break;
    case 5: acc = acc >> 1 | acc << 31; break;
    case 6: acc |= 0x100; break;
    case 7: acc &= ~x; break;
    case 8: x = x * x + 1; break;
    case 9: acc = ~acc; break;
    case 10: acc += acc << 5; break;
    case 11: x ^= acc >> 7; break;
    case 12: acc = acc > x ? acc - x : x - acc; break;
    case 13: pc += acc & 1; break;
    case 14: acc = (uint)__builtin_popcount(acc) * 77u + x; break;
    default: acc = (acc << 8 & 0xff00ff00u) | (acc >> 8 & 0x00ff00ffu);
    }
  }
  out[i] = acc ^ x;
}

FUNCTION uint twice(uint x) { return x * 2 + 1; }
FUNCTION uint squared(uint x) { return x * x ^ 0x55; }
FUNCTION uint folded(uint x) { return x >> 16 ^ x << 3; }
FUNCTION uint negated(uint x) { return 0u - x; }

KERNEL(function_pointers) { // indirect calls, other targets in other lanes
  uint (*table[4])(uint) = {twice, squared, folded, negated};
  uint i = self(), x = in[i];
  for (uint k = 0; k < 6; ++k)
    x = table[(x >> k * 2) & 3](x);
  out[i] = x;
}

FUNCTION uint quicksort_sum(uint *a, int count) { // its own stack, in scratch
  int stack[32], top = 0;
  stack[top++] = 0;
  stack[top++] = count - 1;
  while (top > 0) {
    int high = stack[--top], low = stack[--top];
    if (low >= high)
      continue;
    uint pivot = a[high];
    int store = low;
    for (int k = low; k < high; ++k)
      if (a[k] < pivot) {
        uint t = a[k];
        a[k] = a[store];
        a[store++] = t;
      }
    a[high] = a[store];
    a[store] = pivot;
    stack[top++] = low;
    stack[top++] = store - 1;
    stack[top++] = store + 1;
    stack[top++] = high;
  }
  uint sum = 0;
  for (int k = 0; k < count; ++k)
    sum = sum * 31 + a[k];
  return sum;
}

KERNEL(stack_quicksort) {
  uint i = self(), a[12];
  for (uint k = 0; k < 12; ++k)
    a[k] = in[(i * 12 + k) % n];
  out[i] = quicksort_sum(a, 12);
}

FUNCTION uint ackermann(uint m, uint k) { // recursion, with an explicit limit
  if (m == 0)
    return k + 1;
  if (k == 0)
    return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, k - 1));
}

KERNEL(recursion) {
  uint i = self();
  out[i] = ackermann(in[i] & 1, (in[i] >> 1) & 3);
}

KERNEL(string_search) { // how often a pattern of 4 bytes occurs in the item's 64 bytes
  uint i = self(), count = 0;
  uint pattern = 0x61626162;
  uchar text[64];
  for (uint k = 0; k < 64; ++k)
    text[k] = 'a' + (in[(i * 2 + k / 32) % n] >> k % 32 & 1);
  for (uint at = 0; at + 4 <= 64; ++at) {
    uint k = 0;
    while (k < 4 && text[at + k] == (uchar)(pattern >> 8 * k))
      ++k;
    count += k == 4;
  }
  out[i] = count;
}

KERNEL(bit_tricks) {
  uint i = self(), x = in[i], r = 0;
  r += (uint)__builtin_popcount(x) + (x ? (uint)__builtin_clz(x) * 3u + (uint)__builtin_ctz(x) * 5u : 1u);
  r ^= __builtin_bitreverse32(x) + __builtin_bswap32(x);
  r += (uint)((int)(x << 7) >> 20) + (x >> 5 & 0x7ff);
  out[i] = r;
}

KERNEL(sieve) { // primes below 512 in a bit set
  uint bits[16], i = self(), count = 0;
  for (int k = 0; k < 16; ++k)
    bits[k] = ~0u;
  for (uint p = 2; p * p < 512; ++p)
    if (bits[p / 32] >> p % 32 & 1)
      for (uint q = p * p; q < 512; q += p)
        bits[q / 32] &= ~(1u << q % 32);
  uint limit = in[i] & 511;
  for (uint p = 2; p < limit; ++p)
    count += bits[p / 32] >> p % 32 & 1;
  out[i] = count;
}

KERNEL(edit_distance) {
  uint i = self(), row[17];
  uint a = in[i], b = in[(i + 1) % n];
  for (uint k = 0; k < 17; ++k)
    row[k] = k;
  for (uint y = 1; y < 17; ++y) {
    uint diagonal = row[0];
    row[0] = y;
    for (uint x = 1; x < 17; ++x) {
      uint cost = diagonal + ((a >> (2 * x - 2) & 3) != (b >> (2 * y - 2) & 3));
      diagonal = row[x];
      uint best = row[x] + 1 < row[x - 1] + 1 ? row[x] + 1 : row[x - 1] + 1;
      row[x] = cost < best ? cost : best;
    }
  }
  out[i] = row[16];
}

KERNEL(bytes_and_shorts) { // narrow loads and stores
  global const uchar *bytes = (global const uchar *)in;
  global const short *shorts = (global const short *)in;
  uint i = self();
  global ushort *to = (global ushort *)out;
  to[2 * i] = (ushort)(bytes[3 * i % (4 * n)] * 3 + (char)bytes[(5 * i + 1) % (4 * n)]);
  to[2 * i + 1] = (ushort)(shorts[(i * 7) % (2 * n)] >> 3);
}

KERNEL(big_numbers) { // 256-bit additions with carries, and a product with one word
  uint i = self();
  uint a[8], carry = 0;
  for (int k = 0; k < 8; ++k)
    a[k] = in[(i + k) % n];
  for (int k = 0; k < 8; ++k) {
    ulong s = (ulong)a[k] + in[(i * 3 + k) % n] + carry;
    a[k] = (uint)s;
    carry = (uint)(s >> 32);
  }
  ulong c = 0;
  for (int k = 0; k < 8; ++k) {
    c += (ulong)a[k] * (in[i] | 1);
    a[k] = (uint)c;
    c >>= 32;
  }
  uint r = carry + (uint)c;
  for (int k = 0; k < 8; ++k)
    r = r * 33 ^ a[k];
  out[i] = r;
}
