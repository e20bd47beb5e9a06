//===- Lanes.h - vector operands as arrays of lanes -------------*- C++ -*-===//
//
// How a handler reads and writes vector operands. Results are computed for all lanes into a local
// array and then stored under EXEC: a lane function has no side effect, and loops without
// conditions are what compilers vectorise.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_LANES_H
#define TINY_LIB_SIM_LANES_H

#include "Wave.h"

namespace tinysim {

template <unsigned N> constexpr uint64_t allLanes = N == 64 ? ~uint64_t(0) : 0xffffffffu;

/// One dword of a source per lane. Points into the register file, or to `buffer`, filled with the
/// scalar or constant. Dword `which` of a wide operand. Modifiers are not applied.
template <unsigned N>
TINYSIM_INLINE const uint32_t *fetch(const Wave &wave, const Operand &operand,
                                     uint32_t (&buffer)[N], unsigned which = 0) {
  if (operand.isVgpr())
    return wave.vgpr<N>(operand.index + which);
  uint32_t value = operand.isConstant() ? static_cast<uint32_t>(operand.constant >> (32 * which))
                                        : wave.scalars[operand.index + which];
  for (unsigned lane = 0; lane < N; ++lane)
    buffer[lane] = value;
  return buffer;
}

/// Two dwords of a source per lane, put together.
template <unsigned N>
TINYSIM_INLINE void fetch64(const Wave &wave, const Operand &operand, uint64_t (&result)[N]) {
  if (!operand.isVgpr()) {
    uint64_t value = wave.read64(operand);
    for (unsigned lane = 0; lane < N; ++lane)
      result[lane] = value;
    return;
  }
  const uint32_t *low = wave.vgpr<N>(operand.index);
  const uint32_t *high = low + N;
  for (unsigned lane = 0; lane < N; ++lane)
    result[lane] = low[lane] | static_cast<uint64_t>(high[lane]) << 32;
}

/// A 16-bit source per lane, from the half the operand names.
template <unsigned N>
TINYSIM_INLINE void fetch16(const Wave &wave, const Operand &operand, uint16_t (&result)[N]) {
  uint32_t buffer[N];
  const uint32_t *words = fetch<N>(wave, operand, buffer);
  unsigned shift = operand.high ? 16 : 0;
  for (unsigned lane = 0; lane < N; ++lane)
    result[lane] = static_cast<uint16_t>(words[lane] >> shift);
}

/// Stores to the lanes of `exec` (default: EXEC) of VGPR `index`.
template <unsigned N>
TINYSIM_INLINE void storeLanes(Wave &wave, unsigned index, const uint32_t (&value)[N],
                               uint64_t exec) {
  uint32_t *to = wave.vgpr<N>(index);
  if (exec == allLanes<N>) {
    std::memcpy(to, value, sizeof(value));
    return;
  }
  for (unsigned lane = 0; lane < N; ++lane)
    to[lane] = exec >> lane & 1 ? value[lane] : to[lane];
}
template <unsigned N>
TINYSIM_INLINE void store(Wave &wave, const Operand &operand, const uint32_t (&value)[N]) {
  storeLanes<N>(wave, operand.index, value, wave.exec<N>());
}

template <unsigned N>
TINYSIM_INLINE void store64(Wave &wave, const Operand &operand, const uint64_t (&value)[N],
                            uint64_t exec) {
  uint32_t half[N];
  for (unsigned lane = 0; lane < N; ++lane)
    half[lane] = static_cast<uint32_t>(value[lane]);
  storeLanes<N>(wave, operand.index, half, exec);
  for (unsigned lane = 0; lane < N; ++lane)
    half[lane] = static_cast<uint32_t>(value[lane] >> 32);
  storeLanes<N>(wave, operand.index + 1, half, exec);
}

/// Stores 16 bits to the half the operand names; the other half stays.
template <unsigned N>
TINYSIM_INLINE void store16(Wave &wave, const Operand &operand, const uint16_t (&value)[N],
                            uint64_t exec) {
  const uint32_t *old = wave.vgpr<N>(operand.index);
  uint32_t word[N];
  if (operand.high)
    for (unsigned lane = 0; lane < N; ++lane)
      word[lane] = (old[lane] & 0xffffu) | static_cast<uint32_t>(value[lane]) << 16;
  else
    for (unsigned lane = 0; lane < N; ++lane)
      word[lane] = (old[lane] & 0xffff0000u) | value[lane];
  storeLanes<N>(wave, operand.index, word, exec);
}

/// Calls `body(lane)` for each active lane, in ascending order: for what cannot be vectorised.
template <unsigned N, typename Body> TINYSIM_INLINE void forEachLane(uint64_t exec, Body body) {
  for (; exec; exec &= exec - 1)
    body(static_cast<unsigned>(__builtin_ctzll(exec)));
}

/// d[lane] = f(a[lane], …) on 32-bit words, under EXEC, without modifiers.
template <unsigned N, typename F>
TINYSIM_INLINE void lanes(Wave &wave, const Operand &d, const Operand &a, F f) {
  alignas(64) uint32_t bufferA[N], result[N];
  const uint32_t *x = fetch<N>(wave, a, bufferA);
  for (unsigned lane = 0; lane < N; ++lane)
    result[lane] = f(x[lane]);
  store<N>(wave, d, result);
}
template <unsigned N, typename F>
TINYSIM_INLINE void lanes(Wave &wave, const Operand &d, const Operand &a, const Operand &b, F f) {
  alignas(64) uint32_t bufferA[N], bufferB[N], result[N];
  const uint32_t *x = fetch<N>(wave, a, bufferA);
  const uint32_t *y = fetch<N>(wave, b, bufferB);
  for (unsigned lane = 0; lane < N; ++lane)
    result[lane] = f(x[lane], y[lane]);
  store<N>(wave, d, result);
}
template <unsigned N, typename F>
TINYSIM_INLINE void lanes(Wave &wave, const Operand &d, const Operand &a, const Operand &b,
                          const Operand &c, F f) {
  alignas(64) uint32_t bufferA[N], bufferB[N], bufferC[N], result[N];
  const uint32_t *x = fetch<N>(wave, a, bufferA);
  const uint32_t *y = fetch<N>(wave, b, bufferB);
  const uint32_t *z = fetch<N>(wave, c, bufferC);
  for (unsigned lane = 0; lane < N; ++lane)
    result[lane] = f(x[lane], y[lane], z[lane]);
  store<N>(wave, d, result);
}

} // namespace tinysim

#endif // TINY_LIB_SIM_LANES_H
