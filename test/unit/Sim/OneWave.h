//===- OneWave.h - assembles instructions and runs them on one wave ------------===//
//
// For tests of single instructions: text goes through LLVM's assembler and the simulator's decoder,
// so that a test names an instruction as a programmer does and covers its operands on the way.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TEST_UNIT_SIM_ONEWAVE_H
#define TINY_TEST_UNIT_SIM_ONEWAVE_H

#include "../../../lib/Sim/Decoder.h"
#include "../../../lib/Sim/Wave.h"
#include <cstring>
#include <string>
#include <vector>

namespace tinysim::test {

/// The bytes of assembly for gfx1100; empty if it does not assemble.
std::vector<uint8_t> assemble(const std::string &text, unsigned waveSize);

/// The state of a wave, all registers 0, EXEC full, MODE with denormals, IEEE and DX10_CLAMP.
class OneWave {
public:
  explicit OneWave(unsigned waveSize = 32);

  /// Runs all instructions of `text` (one a line). False, with `problem`, if one does not assemble,
  /// decode or run.
  bool run(const std::string &text);

  uint32_t &v(unsigned index, unsigned lane = 0) { return wave.vgprOfAnySize(index)[lane]; }
  uint32_t &s(unsigned index) { return wave.scalars[index]; }
  uint64_t exec() const { return wave.execOfAnySize(); }
  void setExec(uint64_t exec) { wave.setScalar64(scalarExec, exec); }
  void fill(unsigned index, uint32_t value) {
    for (unsigned lane = 0; lane < wave.waveSize; ++lane)
      v(index, lane) = value;
  }
  void fill64(unsigned index, uint64_t value) {
    fill(index, static_cast<uint32_t>(value));
    fill(index + 1, static_cast<uint32_t>(value >> 32));
  }
  uint64_t v64(unsigned index, unsigned lane = 0) {
    return v(index, lane) | static_cast<uint64_t>(v(index + 1, lane)) << 32;
  }
  void fill(unsigned index, float value) { fill(index, bits(value)); }

  static uint32_t bits(float x) {
    uint32_t r;
    std::memcpy(&r, &x, sizeof(r));
    return r;
  }
  static float number(uint32_t x) {
    float r;
    std::memcpy(&r, &x, sizeof(r));
    return r;
  }
  static uint64_t bits(double x) {
    uint64_t r;
    std::memcpy(&r, &x, sizeof(r));
    return r;
  }
  static double number(uint64_t x) {
    double r;
    std::memcpy(&r, &x, sizeof(r));
    return r;
  }

  Wave wave;
  std::string problem;

private:
  std::vector<uint32_t> registers;
};

/// The decoder of the tests; they run on one thread.
Decoder &decoder();

} // namespace tinysim::test

#endif // TINY_TEST_UNIT_SIM_ONEWAVE_H
