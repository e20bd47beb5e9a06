//===- Element.cpp - single elements of host tensors ----------------------===//
//
// One switch over the element types serves reading, and one serves writing.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Runtime/Element.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

using namespace tinyrt;

bool tinyrt::isFloat(ElementType type) { return type <= ElementType::bf16; }
bool tinyrt::isSigned(ElementType type) {
  return type >= ElementType::i8 && type <= ElementType::i64;
}
bool tinyrt::isUnsigned(ElementType type) { return type >= ElementType::ui8; }

//===----------------------------------------------------------------------===//
// f16 and bf16
//===----------------------------------------------------------------------===//

float tinyrt::halfToFloat(uint16_t bits) {
  int exponent = (bits >> 10) & 31;
  int fraction = bits & 1023;
  float magnitude;
  if (exponent == 31)
    magnitude =
        fraction ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  else if (exponent == 0)
    magnitude = std::ldexp(static_cast<float>(fraction), -24);
  else
    magnitude = std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

float tinyrt::bfloatToFloat(uint16_t bits) {
  uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}

/// The bits of the nearest 16-bit float with `fractionBits` explicit fraction bits.
static uint16_t roundTo16(double value, int fractionBits) {
  int exponentBits = 15 - fractionBits;
  int bias = (1 << (exponentBits - 1)) - 1;
  uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  uint16_t infinity = ((1u << exponentBits) - 1) << fractionBits;
  if (std::isnan(value))
    return sign | infinity | 1u << (fractionBits - 1);
  double magnitude = std::fabs(value);
  if (magnitude == 0)
    return sign;
  int exponent = std::isinf(value) ? bias + 1 : std::ilogb(magnitude);
  if (exponent > bias)
    return sign | infinity;
  // In units of the last place (a subnormal has that of the smallest normal exponent), where the
  // scaling is exact and rounding to an integer is the one rounding. A carry runs into the
  // exponent, up to infinity, as it should.
  int least = std::max(exponent, 1 - bias);
  double scaled = std::nearbyint(std::ldexp(magnitude, fractionBits - least));
  uint32_t units = static_cast<uint32_t>(scaled);
  if (units >> fractionBits) // normal: its leading one is the lowest bit of the exponent
    units += static_cast<uint32_t>(least + bias - 1) << fractionBits;
  return static_cast<uint16_t>(sign | units);
}

uint16_t tinyrt::doubleToHalf(double value) { return roundTo16(value, 10); }
uint16_t tinyrt::doubleToBfloat(double value) { return roundTo16(value, 7); }

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

uint64_t tinyrt::elementAsBits(const Tensor &tensor, int64_t i) {
  switch (tensor.type().element) {
  case ElementType::i1:
  case ElementType::ui8:
    return tensor.as<uint8_t>()[i];
  case ElementType::i8:
    return static_cast<int64_t>(tensor.as<int8_t>()[i]);
  case ElementType::i16:
    return static_cast<int64_t>(tensor.as<int16_t>()[i]);
  case ElementType::i32:
    return static_cast<int64_t>(tensor.as<int32_t>()[i]);
  case ElementType::f16:
  case ElementType::bf16:
  case ElementType::ui16:
    return tensor.as<uint16_t>()[i];
  case ElementType::f32:
  case ElementType::ui32:
    return tensor.as<uint32_t>()[i];
  case ElementType::f64:
  case ElementType::i64:
  case ElementType::ui64:
    return tensor.as<uint64_t>()[i];
  }
  return 0;
}

double tinyrt::elementAsDouble(const Tensor &tensor, int64_t i) {
  switch (tensor.type().element) {
  case ElementType::f64:
    return tensor.as<double>()[i];
  case ElementType::f32:
    return tensor.as<float>()[i];
  case ElementType::f16:
    return halfToFloat(tensor.as<uint16_t>()[i]);
  case ElementType::bf16:
    return bfloatToFloat(tensor.as<uint16_t>()[i]);
  default:
    break;
  }
  uint64_t bits = elementAsBits(tensor, i);
  return isSigned(tensor.type().element) ? static_cast<double>(static_cast<int64_t>(bits))
                                         : static_cast<double>(bits);
}

std::string tinyrt::elementText(const Tensor &tensor, int64_t i) {
  ElementType type = tensor.type().element;
  if (type == ElementType::i1)
    return elementAsBits(tensor, i) ? "true" : "false";
  if (isSigned(type))
    return std::to_string(static_cast<int64_t>(elementAsBits(tensor, i)));
  if (isUnsigned(type))
    return std::to_string(elementAsBits(tensor, i));
  double value = elementAsDouble(tensor, i);
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  // The fewest digits that give the element back.
  char text[40];
  for (int digits = 1; digits <= 17; ++digits) {
    std::snprintf(text, sizeof(text), "%.*g", digits, value);
    double back = std::strtod(text, nullptr);
    bool same = back == value;
    if (type == ElementType::f32)
      same = static_cast<float>(back) == static_cast<float>(value);
    else if (type == ElementType::f16)
      same = doubleToHalf(back) == doubleToHalf(value);
    else if (type == ElementType::bf16)
      same = doubleToBfloat(back) == doubleToBfloat(value);
    // "40" and not "4e+01", which is a digit shorter.
    bool plain = !std::strchr(text, 'e') || std::fabs(value) < 1e-5 || std::fabs(value) >= 1e16;
    if (same && plain)
      break;
  }
  return text;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static void setDouble(Tensor &tensor, int64_t i, double value) {
  switch (tensor.type().element) {
  case ElementType::f64:
    tensor.as<double>()[i] = value;
    return;
  case ElementType::f32:
    tensor.as<float>()[i] = static_cast<float>(value);
    return;
  case ElementType::f16:
    tensor.as<uint16_t>()[i] = doubleToHalf(value);
    return;
  case ElementType::bf16:
    tensor.as<uint16_t>()[i] = doubleToBfloat(value);
    return;
  default:
    return;
  }
}

/// The low bytes of `bits`, as many as an element has.
static void setBits(Tensor &tensor, int64_t i, uint64_t bits) {
  switch (byteSize(tensor.type().element)) {
  case 1:
    tensor.as<uint8_t>()[i] = static_cast<uint8_t>(bits);
    return;
  case 2:
    tensor.as<uint16_t>()[i] = static_cast<uint16_t>(bits);
    return;
  case 4:
    tensor.as<uint32_t>()[i] = static_cast<uint32_t>(bits);
    return;
  default:
    tensor.as<uint64_t>()[i] = bits;
  }
}

/// Parses an integer that `type` can hold; its 64-bit pattern in `bits`.
static bool parseInteger(ElementType type, const std::string &text, uint64_t &bits,
                         std::string &error) {
  bool negative = text[0] == '-';
  char *end = nullptr;
  errno = 0;
  bits = negative ? static_cast<uint64_t>(std::strtoll(text.c_str(), &end, 0))
                  : std::strtoull(text.c_str(), &end, 0);
  if (*end || end == text.c_str()) {
    error = "'" + text + "' is not an integer, which an element of type " + name(type) + " needs";
    return false;
  }
  unsigned width = type == ElementType::i1 ? 1 : 8 * byteSize(type);
  bool fits = errno != ERANGE;
  if (isSigned(type)) {
    uint64_t most = (uint64_t(1) << (width - 1)) - 1;
    fits &= negative ? ~bits <= most : bits <= most;
  } else {
    fits &= (!negative || bits == 0) && (width == 64 || bits >> width == 0);
  }
  if (!fits)
    error = "'" + text + "' does not fit into an element of type " + name(type);
  return fits;
}

bool tinyrt::fillFromText(Tensor &tensor, const std::string &text, std::string &error) {
  ElementType type = tensor.type().element;
  int64_t count = tensor.numElements();
  if (text.empty() || std::isspace(static_cast<unsigned char>(text[0]))) {
    error = "'" + text + "' is not a number";
    return false;
  }
  if (isFloat(type)) {
    char *end = nullptr;
    double value = std::strtod(text.c_str(), &end);
    if (*end) {
      error = "'" + text + "' is not a number";
      return false;
    }
    if (count == 0)
      return true;
    setDouble(tensor, 0, value);
    if (std::isinf(elementAsDouble(tensor, 0)) && text.find_first_of("0123456789") != text.npos) {
      error = "'" + text + "' does not fit into an element of type " + name(type);
      return false;
    }
    for (int64_t i = 1; i < count; ++i)
      setDouble(tensor, i, value);
    return true;
  }
  uint64_t bits = 0;
  if (type == ElementType::i1 && (text == "true" || text == "false"))
    bits = text == "true";
  else if (!parseInteger(type, text, bits, error))
    return false;
  for (int64_t i = 0; i < count; ++i)
    setBits(tensor, i, bits);
  return true;
}

/// A hash of a counter: two rounds of multiplication and shift mix every bit into every other, so
/// that neighbouring positions have nothing in common.
static uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u; // 2^64 / golden ratio, so that 0 is no fixed point
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

void tinyrt::fillRandom(Tensor &tensor, uint64_t seed, uint64_t stream) {
  ElementType type = tensor.type().element;
  uint64_t start = mix(mix(seed) + stream);
  int bits = type == ElementType::f16 ? 11 : type == ElementType::bf16 ? 8 : 24;
  for (int64_t i = 0, count = tensor.numElements(); i < count; ++i) {
    uint64_t random = mix(start + static_cast<uint64_t>(i));
    if (isFloat(type))
      setDouble(tensor, i, std::ldexp(static_cast<double>(random >> (64 - bits)), 1 - bits) - 1);
    else if (type == ElementType::i1)
      setBits(tensor, i, random >> 63);
    else
      setBits(tensor, i, (random >> 60) - (isSigned(type) ? 8 : 0));
  }
}
