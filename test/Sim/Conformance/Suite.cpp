//===- Suite.cpp - groups, random values ------------------------------------===//
//
// What all tables share: the text around a result, and the values they are tried on.
//
//===----------------------------------------------------------------------===//

#include "Suite.h"
#include "Float.h"

#include <cstdarg>
#include <cstdio>

using namespace simtest;

std::string simtest::format(const char *text, ...) {
  char buffer[1024];
  va_list arguments;
  va_start(arguments, text);
  int length = vsnprintf(buffer, sizeof buffer, text, arguments);
  va_end(arguments);
  return std::string(buffer, length < int(sizeof buffer) ? length : sizeof buffer - 1);
}

Random::Random(const std::string &seed) : state(1469598103934665603ull) {
  for (unsigned char c : seed)
    state = (state ^ c) * 1099511628211ull;
  for (int i = 0; i < 8; ++i)
    next();
}

uint32_t Random::next() {
  state = state * 6364136223846793005ull + 1442695040888963407ull;
  uint64_t mixed = (state ^ state >> 29) * 0xbf58476d1ce4e5b9ull;
  return uint32_t(mixed >> 32);
}

Group &Suite::group(const std::string &name, unsigned wave) {
  groups.emplace_back();
  groups.back().name = name + "_w" + std::to_string(wave);
  groups.back().wave = wave;
  return groups.back();
}

unsigned Group::outputWords() const {
  unsigned words = 0;
  for (const Check &check : checks)
    words += check.words;
  return words;
}

void Group::add(const std::string &text, Check check) {
  body += text;
  unsigned at = outputWords();
  for (unsigned i = 0; i < check.words; ++i, ++at) {
    if (at && at % 15 == 0) // the offset field reaches 4095
      body += "  s_add_u32 s4, s4, 3840\n  s_addc_u32 s5, s5, 0\n";
    body += format("  global_store_b32 v1, v%u, s[4:5] offset:%u\n", 40 + i, at % 15 * 256);
  }
  checks.push_back(std::move(check));
}

static const uint32_t kF32[] = {
    0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345,
    0x7f800001, 0xff812345, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000, 0x80800000,
    0x7f7fffff, 0xff7fffff, 0x3f000000, 0xbf000000, 0x3fc00000, 0x40200000, 0xc0200000, 0x40490fdb,
    0x4b000000, 0x4b000001, 0x4f000000, 0xcf000000, 0x4effffff, 0x4f800000, 0x3effffff, 0x40e00000,
    0x477fe000, 0x477ff000, 0x33800000, 0x33000000, 0x38800000, 0x387fc000, 0xc1200000, 0x42f60000,
    0x3f7fffff, 0x3f800001, 0x5f000000, 0xdf000000, 0x1e3ce508, 0x7149f2ca, 0x3e22f983, 0x43800000};
static const uint16_t kF16[] = {0x0000, 0x8000, 0x3c00, 0xbc00, 0x7c00, 0xfc00, 0x7e00, 0xfe55,
                                0x7c01, 0xfd55, 0x0001, 0x8001, 0x03ff, 0x83ff, 0x0400, 0x8400,
                                0x7bff, 0xfbff, 0x3800, 0xb800, 0x3e00, 0x4100, 0xc100, 0x4248,
                                0x6400, 0x6401, 0x77ff, 0x7800, 0x3bff, 0x3c01, 0x4700, 0x5948};
static const uint64_t kF64[] = {
    0x0000000000000000, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000,
    0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000012345,
    0x7ff0000000000001, 0xfff4000000000000, 0x0000000000000001, 0x8000000000000001,
    0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff, 0xffefffffffffffff,
    0x3fe0000000000000, 0xbfe0000000000000, 0x3ff8000000000000, 0x4004000000000000,
    0x41dfffffffc00000, 0x41e0000000000000, 0xc1e0000000000000, 0x41efffffffe00000,
    0x41f0000000000000, 0x4330000000000000, 0x4330000000000001, 0x47efffffe0000000,
    0x47effffff0000000, 0x36a0000000000000, 0x3690000000000000, 0x400921fb54442d18};
static const uint32_t kU32[] = {
    0,          1,          2,          3,          7,          31,         32,         33,
    64,         0x7f,       0x80,       0xff,       0x100,      0x7fff,     0x8000,     0xffff,
    0x10000,    0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, 0x55555555, 0xaaaaaaaa,
    0x00ffffff, 0x01000000, 0x007fffff, 0x00800000, 0x12345678, 0x9e3779b1, 0x00010001, 0xfffefffd};
static const uint16_t kU16[] = {0,      1,      2,      3,      7,      15,     16,     17,
                                0x7f,   0x80,   0xff,   0x100,  0x7fff, 0x8000, 0x8001, 0xfffe,
                                0xffff, 0x5555, 0xaaaa, 0x1234, 0x7ffe, 0x00fb, 0x3c00, 0xfff0};

template <typename T, size_t n>
static bool pick(const T (&table)[n], unsigned index, Random &random, uint64_t &value) {
  unsigned at = index < n ? index : random.below(n + n / 2); // a third is random
  if (at >= n)
    return false;
  value = table[at];
  return true;
}

uint64_t simtest::sample(char type, unsigned index, Random &random) {
  uint64_t value = 0;
  switch (type) {
  case 'f':
    if (pick(kF32, index, random, value))
      return value;
    if (random.below(3)) // of a size at which sums and products stay finite
      return bitsOf(float(ldexp(1 + random.next() * 0x1p-32, int(random.below(40)) - 20))) |
             (random.next() & 0x80000000);
    return random.next();
  case 'h':
    return pick(kF16, index, random, value) ? value : random.next() & 0xffff;
  case 'd':
    if (pick(kF64, index, random, value))
      return value;
    if (random.below(3))
      return bitsOf(ldexp(1 + random.next() * 0x1p-32 + random.next() * 0x1p-52,
                          int(random.below(80)) - 40)) |
             uint64_t(random.next() & 1) << 63;
    return random.next64();
  case 'w':
    return pick(kU16, index, random, value) ? value : random.next() & 0xffff;
  case 'q': {
    if (random.below(4) == 0)
      return random.next64();
    uint64_t high = sample('u', index / 2, random);
    return high << 32 | sample('u', index, random);
  }
  case 'p': {
    uint64_t low = sample('h', index, random);
    return low | sample('h', ~0u, random) << 16;
  }
  case 'k': {
    uint64_t low = sample('w', index, random);
    return low | sample('w', ~0u, random) << 16;
  }
  case 'e': // two halves that are small multiples of 1/8: their sums are exact in any order
    return halfOf((int(random.below(129)) - 64) * 0.125) |
           uint64_t(halfOf((int(random.below(129)) - 64) * 0.125)) << 16;
  case 'b': // the same in bfloat16
    return bitsOf((int(random.below(129)) - 64) * 0.125f) >> 16 |
           (bitsOf((int(random.below(129)) - 64) * 0.125f) & 0xffff0000);
  case 'm': // two small integers as halves, for sums in half precision
    return halfOf(double(int(random.below(9)) - 4)) |
           uint64_t(halfOf(double(int(random.below(9)) - 4))) << 16;
  case 'n': // the same as bfloat16
    return bitsOf(float(int(random.below(9)) - 4)) >> 16 |
           (bitsOf(float(int(random.below(9)) - 4)) & 0xffff0000);
  case 'g': // a float of that kind
    return bitsOf((int(random.below(1025)) - 512) * 0.125f);
  default:
    return pick(kU32, index, random, value) ? value : random.next();
  }
}
