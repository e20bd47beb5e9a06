//===- BufferFormat.cpp - the table of formats and their conversions --------===//
//
// The numbers are those of gfx11's unified format: layouts in order, and for each layout the kinds
// of numbers that it exists for. Names list components from the most significant bit down.
//
//===----------------------------------------------------------------------===//

#include "BufferFormat.h"
#include "LaneMath.h"
#include <algorithm>
#include <cmath>
#include <cstring>

namespace tinysim {

/// The floats of 11 and 10 bits are halves without a sign and with fewer bits of fraction.
using F11 = FloatFormat<5, 6>;
using F10 = FloatFormat<5, 5>;

BufferFormat BufferFormat::ofNumber(unsigned number) {
  static const NumberKind allKinds[] = {NumberKind::unorm,   NumberKind::snorm, NumberKind::uscaled,
                                        NumberKind::sscaled, NumberKind::uint,  NumberKind::sint,
                                        NumberKind::real};
  enum : uint8_t { normalised = 3, scaled = 12, integer = 48, real = 64 };
  static const struct {
    uint8_t components, bits[4], kinds;
  } layouts[] = {
      {1, {8}, normalised | scaled | integer},                     // 8
      {1, {16}, normalised | scaled | integer | real},             // 16
      {2, {8, 8}, normalised | scaled | integer},                  // 8_8
      {1, {32}, integer | real},                                   // 32
      {2, {16, 16}, normalised | scaled | integer | real},         // 16_16
      {3, {11, 11, 10}, real},                                     // 10_11_11
      {3, {10, 11, 11}, real},                                     // 11_11_10
      {4, {2, 10, 10, 10}, normalised | integer},                  // 10_10_10_2
      {4, {10, 10, 10, 2}, normalised | scaled | integer},         // 2_10_10_10
      {4, {8, 8, 8, 8}, normalised | scaled | integer},            // 8_8_8_8
      {2, {32, 32}, integer | real},                               // 32_32
      {4, {16, 16, 16, 16}, normalised | scaled | integer | real}, // 16_16_16_16
      {3, {32, 32, 32}, integer | real},                           // 32_32_32
      {4, {32, 32, 32, 32}, integer | real},                       // 32_32_32_32
  };
  unsigned next = 1; // 0 is BUF_FMT_INVALID
  for (const auto &layout : layouts)
    for (NumberKind kind : allKinds)
      if (layout.kinds >> static_cast<unsigned>(kind) & 1 && next++ == number) {
        BufferFormat format;
        format.components = layout.components;
        std::memcpy(format.bits, layout.bits, sizeof(format.bits));
        format.kind = kind;
        return format;
      }
  return BufferFormat();
}

static uint32_t maskOf(unsigned bits) { return bits == 32 ? ~0u : (1u << bits) - 1; }

uint32_t BufferFormat::extract(const uint32_t *element, unsigned component) const {
  unsigned at = 0;
  for (unsigned n = 0; n < component; ++n)
    at += bits[n];
  return element[at / 32] >> at % 32 & maskOf(bits[component]);
}

void BufferFormat::insert(uint32_t *element, unsigned component, uint32_t value) const {
  unsigned at = 0;
  for (unsigned n = 0; n < component; ++n)
    at += bits[n];
  element[at / 32] |= (value & maskOf(bits[component])) << at % 32;
}

static int32_t signExtend(uint32_t value, unsigned bits) {
  return static_cast<int32_t>(value << (32 - bits)) >> (32 - bits);
}

template <class To, class From> static uint32_t nearest(Bits x) {
  return static_cast<uint32_t>(convert<To, From>(x, Rounding::nearest));
}

static uint32_t fromDouble(double value, bool half) {
  Bits bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return half ? nearest<F16, F64>(bits) : nearest<F32, F64>(bits);
}

uint32_t BufferFormat::decode(unsigned component, uint32_t value, bool half) const {
  const unsigned width = bits[component];
  const int32_t number = signExtend(value, width);
  switch (kind) {
  case NumberKind::unorm:
    return fromDouble(double(value) / maskOf(width), half);
  case NumberKind::snorm: // both smallest numbers are -1
    return fromDouble(std::max(-1.0, double(number) / (maskOf(width) >> 1)), half);
  case NumberKind::uscaled:
    return fromDouble(value, half);
  case NumberKind::sscaled:
    return fromDouble(number, half);
  case NumberKind::uint:
    return half ? value & 0xffff : value;
  case NumberKind::sint:
    return static_cast<uint32_t>(number) & (half ? 0xffffu : ~0u);
  case NumberKind::real:
    break;
  }
  switch (width) {
  case 32:
    return half ? nearest<F16, F32>(value) : value;
  case 16:
    return half ? value : nearest<F32, F16>(value);
  case 11:
    return half ? nearest<F16, F11>(value) : nearest<F32, F11>(value);
  default:
    return half ? nearest<F16, F10>(value) : nearest<F32, F10>(value);
  }
}

/// Nearest integer within bounds.
static uint32_t quantise(double value, double low, double high) {
  if (std::isnan(value))
    return 0;
  return static_cast<uint32_t>(
      static_cast<int64_t>(std::nearbyint(std::min(std::max(value, low), high))));
}

/// Floats without a sign have no numbers below 0.
template <class To> static uint32_t convertUnsigned(uint32_t single) {
  if (isNegative<F32>(single) && !isNaN<F32>(single))
    return 0;
  return nearest<To, F32>(single & ~F32::sign);
}

uint32_t BufferFormat::encode(unsigned component, uint32_t value, bool half) const {
  const unsigned width = bits[component];
  if (kind == NumberKind::uint)
    return std::min(half ? value & 0xffff : value, maskOf(width));
  const auto largest = static_cast<int32_t>(maskOf(width) >> 1);
  if (kind == NumberKind::sint)
    return static_cast<uint32_t>(
        std::clamp(half ? signExtend(value, 16) : signExtend(value, 32), -largest - 1, largest));
  if (kind == NumberKind::real && half && width == 16)
    return value & 0xffff;
  const uint32_t bits32 = half ? nearest<F32, F16>(value & 0xffff) : value;
  if (kind == NumberKind::real)
    switch (width) {
    case 32:
      return bits32;
    case 16:
      return nearest<F16, F32>(bits32);
    case 11:
      return convertUnsigned<F11>(bits32);
    default:
      return convertUnsigned<F10>(bits32);
    }
  float single;
  std::memcpy(&single, &bits32, sizeof(single));
  const double number = single;
  const double all = maskOf(width);
  switch (kind) {
  case NumberKind::unorm:
    return quantise(number * all, 0, all);
  case NumberKind::snorm:
    return quantise(number * largest, -largest, largest);
  case NumberKind::uscaled:
    return quantise(number, 0, all);
  default: // sscaled
    return quantise(number, -largest - 1.0, largest);
  }
}

} // namespace tinysim
