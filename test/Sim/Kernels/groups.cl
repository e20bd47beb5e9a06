// Kernels of cooperating work items: LDS, barriers, shuffles, atomics.
#include "Shim.h"

KERNEL(reduce) { // a tree in LDS
  local uint partial[256];
  uint l = item();
  partial[l] = in[self() % n];
  sync();
  for (uint step = groupItems() / 2; step > 0; step /= 2) {
    if (l < step)
      partial[l] += partial[l + step];
    sync();
  }
  out[self()] = partial[0];
}

KERNEL(reduce_float) {
  local float partial[256];
  uint l = item();
  partial[l] = toFloat(in[self() % n]);
  sync();
  for (uint step = groupItems() / 2; step > 0; step /= 2) {
    if (l < step)
      partial[l] += partial[l + step];
    sync();
  }
  if (l == 0)
    out[groupOf()] = asUint(partial[0]);
}

KERNEL(prefix_sum) { // Hillis and Steele
  local uint sums[2][256];
  uint l = item(), from = 0;
  sums[0][l] = in[self() % n];
  sync();
  for (uint step = 1; step < groupItems(); step *= 2) {
    sums[1 - from][l] = sums[from][l] + (l >= step ? sums[from][l - step] : 0);
    from = 1 - from;
    sync();
  }
  out[self()] = sums[from][l];
}

KERNEL(prefix_sum_blelloch) { // up and down a tree, exclusive
  local uint t[256];
  uint l = item(), size = groupItems();
  t[l] = in[self() % n];
  sync();
  for (uint d = 1; d < size; d *= 2) {
    uint k = (l + 1) * 2 * d - 1;
    if (k < size)
      t[k] += t[k - d];
    sync();
  }
  if (l == 0)
    t[size - 1] = 0;
  sync();
  for (uint d = size / 2; d > 0; d /= 2) {
    uint k = (l + 1) * 2 * d - 1;
    if (k < size) {
      uint low = t[k - d];
      t[k - d] = t[k];
      t[k] += low;
    }
    sync();
  }
  out[self()] = t[l];
}

KERNEL(bitonic_sort) {
  local uint keys[256];
  uint l = item();
  keys[l] = in[self() % n];
  sync();
  for (uint size = 2; size <= groupItems(); size *= 2)
    for (uint step = size / 2; step > 0; step /= 2) {
      uint other = l ^ step;
      if (other > l) {
        uint a = keys[l], b = keys[other];
        if ((a > b) == ((l & size) == 0)) {
          keys[l] = b;
          keys[other] = a;
        }
      }
      sync();
    }
  out[self()] = keys[l];
}

KERNEL(transpose) {
  local uint tile[16][17];
  uint x = item() % 16, y = item() / 16;
  tile[y][x] = in[(self()) % n];
  sync();
  out[self()] = tile[x][y];
}

KERNEL(matrix_product) { // 16 x 16 tiles in LDS, 32 x 32 matrices
  local float a[16][16], b[16][16];
  uint x = item() % 16, y = item() / 16, gx = groupOf() % 2 * 16 + x, gy = groupOf() / 2 % 2 * 16 + y;
  float sum = 0;
  for (uint k = 0; k < 32; k += 16) {
    a[y][x] = toFloat(in[gy * 32 + k + x]);
    b[y][x] = toFloat(in[1024 + (k + y) * 32 + gx]);
    sync();
    for (uint j = 0; j < 16; ++j)
      sum += a[y][j] * b[j][x];
    sync();
  }
  out[self()] = asUint(sum);
}

KERNEL(histogram) { // atomics on LDS
  local uint bins[64];
  uint l = item();
  if (l < 64)
    bins[l] = 0;
  sync();
  for (uint k = 0; k < 8; ++k)
    __atomic_fetch_add(&bins[in[(self() * 8 + k) % n] & 63], 1u, __ATOMIC_RELAXED);
  sync();
  out[self()] = bins[l & 63];
}

KERNEL(global_atomics) { // every kind, on one address a kind
  uint i = self(), x = in[i % n];
  __atomic_fetch_add(&out[0], x, __ATOMIC_RELAXED);
  __atomic_fetch_sub(&out[1], x >> 3, __ATOMIC_RELAXED);
  __atomic_fetch_and(&out[2], x | 0xff0000ffu, __ATOMIC_RELAXED);
  __atomic_fetch_or(&out[3], x & 0x10101010u, __ATOMIC_RELAXED);
  __atomic_fetch_xor(&out[4], x, __ATOMIC_RELAXED);
  __atomic_fetch_max(&out[5], x, __ATOMIC_RELAXED);
  __atomic_fetch_min((global int *)&out[6], (int)x, __ATOMIC_RELAXED);
  __atomic_fetch_max((global int *)&out[7], (int)x, __ATOMIC_RELAXED);
  __atomic_fetch_add((global ulong *)&out[8], (ulong)x * x, __ATOMIC_RELAXED);
  __atomic_fetch_xor((global ulong *)&out[10], (ulong)x << (i & 31), __ATOMIC_RELAXED);
}

KERNEL(compare_exchange) { // a sum by compare and swap loops
  uint i = self();
  uint old = __atomic_load_n(&out[i & 3], __ATOMIC_RELAXED), fresh;
  do
    fresh = old * 1 + (in[i % n] >> 2);
  while (!__atomic_compare_exchange_n(&out[i & 3], &old, fresh, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

KERNEL(shuffle_reduce) { // butterflies of 32 lanes
  uint x = in[self() % n];
  for (uint step = 16; step > 0; step /= 2)
    x += shuffle(x, laneId() ^ step);
  out[self()] = x;
}

KERNEL(shuffle_scan) {
  uint x = in[self() % n] & 0xffff;
  for (uint step = 1; step < 32; step *= 2) {
    uint y = shuffle(x, (laneId() - step) & 31);
    if (laneId() >= step)
      x += y;
  }
  out[self()] = x;
}

KERNEL(dpp_scan) { // the same within rows of 16 by DPP, then across rows
  uint x = in[self() % n] & 0xffff;
  x += shiftRow(x, 1);
  x += shiftRow(x, 2);
  x += shiftRow(x, 4);
  x += shiftRow(x, 8);
  uint last = shuffle(x, 15);
  if (laneId() >= 16)
    x += last;
  out[self()] = x;
}

KERNEL(lane_moves) {
  uint x = in[self() % n], r = mirrorRow(x) * 3;
  r += xorRow(x, 5) * 5;
  r += reverse8(x) * 7;
  r ^= otherRow(x);
  r += swizzleSwap(x) >> 1;
  out[self()] = r;
}

KERNEL(ballots) {
  uint x = in[self() % n], mask = ballot32(x & 1), below = mask & ((1u << laneId()) - 1);
  out[2 * self()] = (uint)__builtin_popcount(below);
  out[2 * self() + 1] = mask;
}

KERNEL(game_of_life) { // 16 x 16, five generations in LDS
  local uchar field[2][256];
  uint l = item(), x = l % 16, y = l / 16, from = 0;
  field[0][l] = in[self() % n] & 1;
  sync();
  for (int generation = 0; generation < 5; ++generation) {
    uint count = 0;
    for (int dy = -1; dy <= 1; ++dy)
      for (int dx = -1; dx <= 1; ++dx)
        if (dx || dy)
          count += field[from][((y + dy) & 15) * 16 + ((x + dx) & 15)];
    field[1 - from][l] = count == 3 || (count == 2 && field[from][l]);
    from = 1 - from;
    sync();
  }
  out[self()] = field[from][l];
}

KERNEL(fourier) { // 256 points, radix 2; twiddles from the input
  local float re[256], im[256];
  uint l = item();
  global const float *turns = (global const float *)(in + n - 512); // cos, then sin of k / 256 turns
  uint r = __builtin_bitreverse32(l) >> 24;
  re[l] = toFloat(in[(self()) % (n - 512)]);
  im[l] = 0;
  sync();
  float a = re[r], b = im[r];
  sync();
  re[l] = a, im[l] = b;
  sync();
  for (uint half_ = 1; half_ < 256; half_ *= 2) {
    if (l < 128) {
      uint k = l & (half_ - 1), p = (l - k) * 2 + k, q = p + half_, t = k * (128 / half_);
      float c = turns[t], s = -turns[256 + t];
      float x = re[q] * c - im[q] * s, y = re[q] * s + im[q] * c;
      re[q] = re[p] - x, im[q] = im[p] - y;
      re[p] += x, im[p] += y;
    }
    sync();
  }
  out[2 * self()] = asUint(re[l]);
  out[2 * self() + 1] = asUint(im[l]);
}

KERNEL(shortest_paths) { // Floyd and Warshall on 16 nodes
  local uint d[256];
  uint l = item(), x = l % 16, y = l / 16;
  d[l] = x == y ? 0 : (in[self() % n] & 1023) + 1;
  sync();
  for (uint k = 0; k < 16; ++k) {
    uint way = d[y * 16 + k] + d[k * 16 + x];
    sync();
    if (way < d[l])
      d[l] = way;
    sync();
  }
  out[self()] = d[l];
}

FUNCTION uint sum_of(const uint *p, uint count) { // a generic pointer: flat loads
  uint s = 0;
  for (uint k = 0; k < count; ++k)
    s = s * 3 + p[k];
  return s;
}

KERNEL(generic_pointers) { // one function, on LDS, private and global memory
  local uint shared[256];
  uint mine[8], l = item();
  shared[l] = in[self() % n] ^ l;
  for (uint k = 0; k < 8; ++k)
    mine[k] = in[(self() + k) % n] >> k;
  sync();
  out[self()] = sum_of(&shared[l & ~7u], 8) + sum_of(mine, 8) * 5 + sum_of((const uint *)&in[(l * 4) % (n - 8)], 8) * 7;
}

KERNEL(convolution) { // 3 x 3 over a tile with a border
  local float tile[18][18];
  uint x = item() % 16, y = item() / 16;
  for (uint k = item(); k < 18 * 18; k += groupItems())
    tile[k / 18][k % 18] = toFloat(in[(groupOf() * 331 + k) % n]);
  sync();
  float sum = 0;
  for (uint dy = 0; dy < 3; ++dy)
    for (uint dx = 0; dx < 3; ++dx)
      sum += tile[y + dy][x + dx] * (float)(dx * 3 + dy + 1) * 0.125f;
  out[self()] = asUint(sum);
}

KERNEL(compaction) { // keeps the odd words, in order
  local uint counts[256];
  uint l = item(), x = in[self() % n];
  counts[l] = x & 1;
  sync();
  uint at = 0, total = 0;
  for (uint k = 0; k < groupItems(); ++k) {
    at += k < l ? counts[k] : 0;
    total += counts[k];
  }
  if (x & 1)
    out[groupOf() * groupItems() + at] = x;
  else
    out[groupOf() * groupItems() + total + l - at] = 0;
}
