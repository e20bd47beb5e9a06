//===- Atomics.h - what an atomic does to memory -----------------*- C++ -*-===//
//
// One table for LDS, global, flat and buffer atomics; they differ in names only.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TEST_SIM_ATOMICS_H
#define TINY_TEST_SIM_ATOMICS_H

#include "Float.h"

namespace simtest {

struct Atomic {
  const char *ds, *memory; ///< names after ds_ and global_atomic_; null where there is none
  unsigned bits;
  bool twoOperands; ///< data and a second value (compare and store)
  uint64_t (*compute)(uint64_t memory, uint64_t data, uint64_t second, bool &skip);
  char type = 'u'; ///< what it is fed with: u, q, f, d
};

template <typename T> uint64_t chooseFloat(uint64_t m, uint64_t d, bool wantMax, bool &skip) {
  T x, y;
  memcpy(&x, &m, sizeof x);
  memcpy(&y, &d, sizeof y);
  if (std::isnan(x) || std::isnan(y) || x == 0 || y == 0 || std::fpclassify(x) == FP_SUBNORMAL ||
      std::fpclassify(y) == FP_SUBNORMAL)
    skip = true; // NaN, signs of 0 and denormals depend on the memory's own mode
  return (x < y) != wantMax ? m : d;
}

#define ATOMIC_BITS(n, T, S, A, Q)                                                                 \
  {"add_" A,                                                                                       \
   "add_" A,                                                                                       \
   n,                                                                                              \
   false,                                                                                          \
   [](uint64_t m, uint64_t d, uint64_t, bool &) -> uint64_t { return T(m + d); },                  \
   Q},                                                                                             \
      {"sub_" A,                                                                                   \
       "sub_" A,                                                                                   \
       n,                                                                                          \
       false,                                                                                      \
       [](uint64_t m, uint64_t d, uint64_t, bool &) -> uint64_t { return T(m - d); },              \
       Q},                                                                                         \
      {"rsub_" A,                                                                                  \
       nullptr,                                                                                    \
       n,                                                                                          \
       false,                                                                                      \
       [](uint64_t m, uint64_t d, uint64_t, bool &) -> uint64_t { return T(d - m); },              \
       Q},                                                                                         \
      {"inc_" A,                                                                                   \
       "inc_" A,                                                                                   \
       n,                                                                                          \
       false,                                                                                      \
       [](uint64_t m, uint64_t d, uint64_t, bool &) -> uint64_t { return m >= d ? 0 : m + 1; },    \
       Q},                                                                                         \
      {"dec_" A,                                                                                   \
       "dec_" A,                                                                                   \
       n,                                                                                          \
       false,                                                                                      \
       [](uint64_t m, uint64_t d, uint64_t, bool &) -> uint64_t {                                  \
         return m == 0 || m > d ? d : m - 1;                                                       \
       },                                                                                          \
       Q},                                                                                         \
      {"min_" S,                                                                                   \
       "min_" S,                                                                                   \
       n,                                                                                          \
       false,                                                                                      \
       [](uint64_t m, uint64_t d, uint64_t, bool &) -> uint64_t {                                  \
         return std::make_signed_t<T>(m) < std::make_signed_t<T>(d) ? m : d;                       \
       },                                                                                          \
       Q},                                                                                         \
      {"max_" S,                                                                                   \
       "max_" S,                                                                                   \
       n,                                                                                          \
       false,                                                                                      \
       [](uint64_t m, uint64_t d, uint64_t, bool &) -> uint64_t {                                  \
         return std::make_signed_t<T>(m) > std::make_signed_t<T>(d) ? m : d;                       \
       },                                                                                          \
       Q},                                                                                         \
      {"min_" A,                                                                                   \
       "min_" A,                                                                                   \
       n,                                                                                          \
       false,                                                                                      \
       [](uint64_t m, uint64_t d, uint64_t, bool &) -> uint64_t { return m < d ? m : d; },         \
       Q},                                                                                         \
      {"max_" A,                                                                                   \
       "max_" A,                                                                                   \
       n,                                                                                          \
       false,                                                                                      \
       [](uint64_t m, uint64_t d, uint64_t, bool &) -> uint64_t { return m > d ? m : d; },         \
       Q},                                                                                         \
      {"and_b" #n,                                                                                 \
       "and_b" #n,                                                                                 \
       n,                                                                                          \
       false,                                                                                      \
       [](uint64_t m, uint64_t d, uint64_t, bool &) -> uint64_t { return m & d; },                 \
       Q},                                                                                         \
      {"or_b" #n,                                                                                  \
       "or_b" #n,                                                                                  \
       n,                                                                                          \
       false,                                                                                      \
       [](uint64_t m, uint64_t d, uint64_t, bool &) -> uint64_t { return m | d; },                 \
       Q},                                                                                         \
      {"xor_b" #n,                                                                                 \
       "xor_b" #n,                                                                                 \
       n,                                                                                          \
       false,                                                                                      \
       [](uint64_t m, uint64_t d, uint64_t, bool &) -> uint64_t { return m ^ d; },                 \
       Q},                                                                                         \
      {"mskor_b" #n,                                                                               \
       nullptr,                                                                                    \
       n,                                                                                          \
       true,                                                                                       \
       [](uint64_t m, uint64_t d, uint64_t s, bool &) -> uint64_t { return (m & ~d) | s; },        \
       Q},                                                                                         \
      {"storexchg_rtn_b" #n,                                                                       \
       "swap_b" #n,                                                                                \
       n,                                                                                          \
       false,                                                                                      \
       [](uint64_t, uint64_t d, uint64_t, bool &) -> uint64_t { return d; },                       \
       Q},                                                                                         \
  {                                                                                                \
    "cmpstore_b" #n, "cmpswap_b" #n, n, true,                                                      \
        [](uint64_t m, uint64_t d, uint64_t s, bool &) -> uint64_t { return m == s ? d : m; }, Q   \
  }

static const Atomic kAtomics[] = {
    ATOMIC_BITS(32, uint32_t, "i32", "u32", 'u'),
    ATOMIC_BITS(64, uint64_t, "i64", "u64", 'q'),
    {nullptr, "csub_u32", 32, false,
     [](uint64_t m, uint64_t d, uint64_t, bool &) -> uint64_t { return m >= d ? m - d : 0; }, 'u'},
    {"wrap_rtn_b32", nullptr, 32, true,
     [](uint64_t m, uint64_t d, uint64_t s, bool &) -> uint64_t {
       return uint32_t(m >= d ? m - d : m + s);
     },
     'u'},
    {"add_f32", "add_f32", 32, false,
     [](uint64_t m, uint64_t d, uint64_t, bool &skip) -> uint64_t {
       float x = asF(uint32_t(m)), y = asF(uint32_t(d)), r = x + y;
       skip = !std::isfinite(r) || std::fabs(r) < 0x1p-126f || std::fabs(x) < 0x1p-126f ||
              std::fabs(y) < 0x1p-126f;
       return bitsOf(r);
     },
     'f'},
    {"min_f32", "min_f32", 32, false,
     [](uint64_t m, uint64_t d, uint64_t, bool &skip) {
       return chooseFloat<float>(m, d, false, skip);
     },
     'f'},
    {"max_f32", "max_f32", 32, false,
     [](uint64_t m, uint64_t d, uint64_t, bool &skip) {
       return chooseFloat<float>(m, d, true, skip);
     },
     'f'},
    {"min_f64", nullptr, 64, false,
     [](uint64_t m, uint64_t d, uint64_t, bool &skip) {
       return chooseFloat<double>(m, d, false, skip);
     },
     'd'},
    {"max_f64", nullptr, 64, false,
     [](uint64_t m, uint64_t d, uint64_t, bool &skip) {
       return chooseFloat<double>(m, d, true, skip);
     },
     'd'},
    {"cmpstore_f32", "cmpswap_f32", 32, true,
     [](uint64_t m, uint64_t d, uint64_t s, bool &skip) -> uint64_t {
       skip = (m | s) << 33 == 0 || !std::isnormal(asF(uint32_t(m))) ||
              !std::isnormal(asF(uint32_t(s)));
       return asF(uint32_t(m)) == asF(uint32_t(s)) ? d : m;
     },
     'f'},
    {"cmpstore_f64", nullptr, 64, true,
     [](uint64_t m, uint64_t d, uint64_t s, bool &skip) -> uint64_t {
       skip = !std::isnormal(asD(m)) || !std::isnormal(asD(s));
       return asD(m) == asD(s) ? d : m;
     },
     'd'},
};
#undef ATOMIC_BITS

} // namespace simtest

#endif // TINY_TEST_SIM_ATOMICS_H
