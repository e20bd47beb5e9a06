//===- BufferFormat.h - gfx11's formats of buffer elements ------*- C++ -*-===//
//
// What BUFFER_*_FORMAT_* takes from the resource and TBUFFER_* has in the instruction: how many
// components an element has, of how many bits each, and what the bits mean.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_BUFFERFORMAT_H
#define TINY_LIB_SIM_BUFFERFORMAT_H

#include <cstdint>

namespace tinysim {

enum class NumberKind : uint8_t { unorm, snorm, uscaled, sscaled, uint, sint, real };

struct BufferFormat {
  uint8_t components = 0; ///< 0: gfx1100 has no format of this number
  uint8_t bits[4] = {};   ///< from the least significant bit up
  NumberKind kind = NumberKind::uint;

  static BufferFormat ofNumber(unsigned number);

  unsigned bytes() const { return (bits[0] + bits[1] + bits[2] + bits[3]) / 8u; }
  /// The bits of a component in an element's dwords, and back.
  uint32_t extract(const uint32_t *element, unsigned component) const;
  void insert(uint32_t *element, unsigned component, uint32_t value) const;

  bool isInteger() const { return kind == NumberKind::uint || kind == NumberKind::sint; }
  /// From a component's bits to a register: f32 or a 32-bit integer, f16 or a 16-bit one if `half`.
  uint32_t decode(unsigned component, uint32_t bits, bool half) const;
  /// And back. Rounds to nearest even; what is out of range becomes the nearest there is, NaN
  /// becomes 0 in normalised formats.
  uint32_t encode(unsigned component, uint32_t value, bool half) const;
  /// What DST_SEL's 1 stands for.
  uint32_t one(bool half) const { return isInteger() ? 1 : half ? 0x3c00 : 0x3f800000; }
};

} // namespace tinysim

#endif // TINY_LIB_SIM_BUFFERFORMAT_H
