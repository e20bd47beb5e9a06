//===- LdsShadow.h - who touched which byte of LDS --------------*- C++ -*-===//
//
// Per byte: the last writer and the last reader, each with the barrier interval (epoch) it happened
// in. Two waves that touch a byte in the same interval, one of them writing, race; two atomics do
// not.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_LDSSHADOW_H
#define TINY_LIB_SIM_LDSSHADOW_H

#include <cstdint>
#include <vector>

namespace tinysim {

class LdsShadow {
public:
  enum class Use { load, store, atomic };
  struct Verdict {
    bool unwritten = false; // a load (or an atomic) of a byte nobody wrote
    bool race = false;
    unsigned otherWave = 0;
    bool otherWrote = false;
  };

  void reset(uint32_t bytes);
  void barrier() { ++epoch; }

  /// Notes an access; the verdict is about the first byte with a problem.
  Verdict access(uint32_t address, uint32_t bytes, unsigned wave, Use use);

private:
  // epoch << 10 | atomic << 9 | wave + 1; 0: never.
  static constexpr uint32_t waveMask = 0x1ff, atomicBit = 0x200, epochShift = 10;
  static constexpr uint32_t severalWaves = waveMask;
  struct Byte {
    uint32_t write = 0, read = 0;
  };
  std::vector<Byte> shadow;
  uint32_t epoch = 1;
};

} // namespace tinysim

#endif // TINY_LIB_SIM_LDSSHADOW_H
