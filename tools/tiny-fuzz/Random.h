//===- Random.h - numbers that are the same everywhere ----------*- C++ -*-===//

#ifndef TINY_FUZZ_RANDOM_H
#define TINY_FUZZ_RANDOM_H

#include <cstdint>

namespace tinyfuzz {

/// SplitMix64 (Steele, Lea, Flood 2014). The standard library's distributions differ between
/// implementations, so a seed would not name a program.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  /// In [0, count); 0 for a count of 0.
  int64_t below(int64_t count) { return count ? next() % static_cast<uint64_t>(count) : 0; }
  /// In [low, high].
  int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }
  bool chance(int percent) { return below(100) < percent; }
  /// In [0, 1).
  double fraction() { return static_cast<double>(next() >> 11) / 9007199254740992.0; }

private:
  uint64_t state;
};

} // namespace tinyfuzz

#endif // TINY_FUZZ_RANDOM_H
