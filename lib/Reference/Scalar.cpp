//===- Scalar.cpp - one element of any type -------------------------------===//
//
// Conversions between element types, each rounding once. f16 and bf16 are rounded
// and packed here by integer arithmetic and exact double arithmetic, so that no
// compiler run-time function or hardware mode can differ.
//
//===----------------------------------------------------------------------===//

#include "Scalar.h"

#include "llvm/Support/ErrorHandling.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir;
using namespace mlir::tiny::reference;

//===----------------------------------------------------------------------===//
// Facts about types
//===----------------------------------------------------------------------===//

bool tiny::reference::isFloat(ElementType type) { return type <= ElementType::bf16; }
bool tiny::reference::isUnsigned(ElementType type) {
  return type >= ElementType::ui8 || type == ElementType::i1;
}
unsigned tiny::reference::bitWidth(ElementType type) {
  return type == ElementType::i1 ? 1 : 8 * tinyrt::byteSize(type);
}

Format tiny::reference::formatOf(ElementType type) {
  switch (type) {
  case ElementType::f64:
    return {53, -1022, 1023};
  case ElementType::f32:
    return {24, -126, 127};
  case ElementType::f16:
    return {11, -14, 15};
  case ElementType::bf16:
    return {8, -126, 127};
  default:
    llvm_unreachable("not a float type");
  }
}

double Format::unit() const { return std::ldexp(1.0, -precision); }
double Format::largest() const {
  return std::ldexp(2.0 - std::ldexp(1.0, 1 - precision), maxExponent);
}
double Format::smallest() const { return std::ldexp(1.0, minExponent - precision + 1); }

ElementType tiny::reference::computeTypeOf(ElementType type) {
  return type == ElementType::f64 ? ElementType::f64 : ElementType::f32;
}

ElementType tiny::reference::elementTypeOf(Type type) {
  if (type.isF64())
    return ElementType::f64;
  if (type.isF32())
    return ElementType::f32;
  if (type.isF16())
    return ElementType::f16;
  if (type.isBF16())
    return ElementType::bf16;
  bool isUnsigned = type.isUnsignedInteger();
  switch (type.getIntOrFloatBitWidth()) {
  case 1:
    return ElementType::i1;
  case 8:
    return isUnsigned ? ElementType::ui8 : ElementType::i8;
  case 16:
    return isUnsigned ? ElementType::ui16 : ElementType::i16;
  case 32:
    return isUnsigned ? ElementType::ui32 : ElementType::i32;
  case 64:
    return isUnsigned ? ElementType::ui64 : ElementType::i64;
  }
  llvm_unreachable("the dialect has no such element type");
}

tinyrt::TensorType tiny::reference::tensorTypeOf(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return {elementTypeOf(tensor.getElementType()),
          {tensor.getShape().begin(), tensor.getShape().end()}};
}

//===----------------------------------------------------------------------===//
// Rounding and wrapping
//===----------------------------------------------------------------------===//

/// To a format of fewer bits than a double has.
static double roundToFormat(double value, const Format &format) {
  if (std::isnan(value) || std::isinf(value))
    return value;
  double magnitude = std::fabs(value);
  if (magnitude < std::ldexp(1.0, format.minExponent)) {
    // Below the normal numbers the spacing is constant. Between 2^52 and 2^53 spacings the
    // spacing of doubles is the same, so this addition does the rounding.
    double shift = std::ldexp(format.smallest(), 52);
    return std::copysign((magnitude + shift) - shift, value);
  }
  // Round the significand as an integer. A carry into the exponent is what it should be.
  uint64_t bits;
  std::memcpy(&bits, &magnitude, sizeof bits);
  int dropped = 53 - format.precision;
  uint64_t isOdd = bits >> dropped & 1;
  bits += (uint64_t(1) << (dropped - 1)) - 1 + isOdd;
  bits &= ~((uint64_t(1) << dropped) - 1);
  std::memcpy(&magnitude, &bits, sizeof bits);
  if (magnitude > format.largest())
    magnitude = std::numeric_limits<double>::infinity();
  return std::copysign(magnitude, value);
}

double tiny::reference::roundTo(ElementType type, double value) {
  if (type == ElementType::f64)
    return value;
  if (type == ElementType::f32)
    return static_cast<float>(value);
  return roundToFormat(value, formatOf(type));
}

int64_t tiny::reference::wrap(ElementType type, uint64_t bits) {
  switch (type) {
  case ElementType::i1:
    return bits & 1;
  case ElementType::i8:
    return static_cast<int8_t>(bits);
  case ElementType::i16:
    return static_cast<int16_t>(bits);
  case ElementType::i32:
    return static_cast<int32_t>(bits);
  case ElementType::ui8:
    return static_cast<uint8_t>(bits);
  case ElementType::ui16:
    return static_cast<uint16_t>(bits);
  case ElementType::ui32:
    return static_cast<uint32_t>(bits);
  default:
    return static_cast<int64_t>(bits);
  }
}

void tiny::reference::bringInto(ElementType type, Word *words, int64_t count) {
  if (type == ElementType::f64 || type == ElementType::i64 || type == ElementType::ui64)
    return;
  if (type == ElementType::f32) { // apart, so that it is vectorised
    for (int64_t k = 0; k < count; ++k)
      words[k].f = static_cast<float>(words[k].f);
  } else if (isFloat(type)) {
    Format format = formatOf(type);
    for (int64_t k = 0; k < count; ++k)
      words[k].f = roundToFormat(words[k].f, format);
  } else {
    for (int64_t k = 0; k < count; ++k)
      words[k].i = wrap(type, words[k].u);
  }
}

//===----------------------------------------------------------------------===//
// The cast op
//===----------------------------------------------------------------------===//

/// The integer as a float of `to`, rounded once.
static double integerToFloat(ElementType from, ElementType to, Word value) {
  bool isNegative = from != ElementType::ui64 && value.i < 0;
  uint64_t magnitude = isNegative ? 0 - value.u : value.u;
  double rounded;
  if (to == ElementType::f64) {
    rounded = static_cast<double>(magnitude);
  } else {
    // Round to odd on the way: 53 bits whose last one says "there was more" round to at most 24
    // bits as the exact number does.
    if (magnitude >> 53)
      magnitude = (magnitude >> 11 | ((magnitude & 0x7ff) != 0)) << 11;
    rounded = roundTo(to, static_cast<double>(magnitude));
  }
  return isNegative ? -rounded : rounded;
}

/// Truncates toward zero and saturates; NaN gives 0.
static int64_t floatToInteger(ElementType to, double value) {
  if (std::isnan(value))
    return 0;
  unsigned width = bitWidth(to);
  if (isUnsigned(to)) {
    if (value <= 0)
      return 0;
    if (value >= std::ldexp(1.0, width))
      return wrap(to, ~uint64_t(0));
    return static_cast<int64_t>(static_cast<uint64_t>(value));
  }
  double end = std::ldexp(1.0, width - 1);
  if (value >= end)
    return static_cast<int64_t>((uint64_t(1) << (width - 1)) - 1);
  if (value < -end)
    return wrap(to, uint64_t(1) << (width - 1));
  return static_cast<int64_t>(value);
}

Word tiny::reference::convert(ElementType from, ElementType to, Word value) {
  if (to == ElementType::i1)
    return fromInt(isFloat(from) ? value.f != 0 : value.i != 0);
  if (isFloat(from))
    return isFloat(to) ? fromFloat(roundTo(to, value.f)) : fromInt(floatToInteger(to, value.f));
  return isFloat(to) ? fromFloat(integerToFloat(from, to, value)) : fromInt(wrap(to, value.u));
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

template <typename T> static T read(const void *buffer, int64_t index) {
  T element; // weights may lie at any address
  std::memcpy(&element, static_cast<const char *>(buffer) + index * sizeof(T), sizeof(T));
  return element;
}
template <typename T> static void write(void *buffer, int64_t index, T element) {
  std::memcpy(static_cast<char *>(buffer) + index * sizeof(T), &element, sizeof(T));
}

static double decodeHalf(uint16_t bits) {
  int exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  double magnitude;
  if (exponent == 0x1f)
    magnitude = fraction ? std::numeric_limits<double>::quiet_NaN()
                         : std::numeric_limits<double>::infinity();
  else if (exponent == 0)
    magnitude = std::ldexp(fraction, -24);
  else
    magnitude = std::ldexp(0x400 + fraction, exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

/// `value` is a number that f16 has.
static uint16_t encodeHalf(double value) {
  uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  double magnitude = std::fabs(value);
  if (std::isnan(value))
    return 0x7e00;
  if (std::isinf(value))
    return sign | 0x7c00;
  if (magnitude < std::ldexp(1.0, -14))
    return sign | static_cast<uint16_t>(std::ldexp(magnitude, 24));
  int exponent;
  double fraction = std::frexp(magnitude, &exponent); // in [0.5, 1)
  auto significand = static_cast<uint16_t>(std::ldexp(fraction, 11));
  return sign | static_cast<uint16_t>((exponent + 14) << 10) | (significand & 0x3ff);
}

static double decodeBfloat(uint16_t bits) {
  uint32_t wide = uint32_t(bits) << 16; // bf16 is the upper half of f32
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

/// `value` is a number that bf16 has.
static uint16_t encodeBfloat(double value) {
  if (std::isnan(value))
    return 0x7fc0;
  float narrow = static_cast<float>(value);
  uint32_t bits;
  std::memcpy(&bits, &narrow, sizeof bits);
  return static_cast<uint16_t>(bits >> 16);
}

/// Calls `function` with a callable that reads the element at an index as a Word.
template <typename Function> static void withReader(ElementType type, const void *b, Function f) {
  switch (type) {
  case ElementType::f64:
    return f([b](int64_t i) { return fromFloat(read<double>(b, i)); });
  case ElementType::f32:
    return f([b](int64_t i) { return fromFloat(read<float>(b, i)); });
  case ElementType::f16:
    return f([b](int64_t i) { return fromFloat(decodeHalf(read<uint16_t>(b, i))); });
  case ElementType::bf16:
    return f([b](int64_t i) { return fromFloat(decodeBfloat(read<uint16_t>(b, i))); });
  case ElementType::i1:
    return f([b](int64_t i) { return fromInt(read<uint8_t>(b, i) != 0); });
  case ElementType::i8:
    return f([b](int64_t i) { return fromInt(read<int8_t>(b, i)); });
  case ElementType::i16:
    return f([b](int64_t i) { return fromInt(read<int16_t>(b, i)); });
  case ElementType::i32:
    return f([b](int64_t i) { return fromInt(read<int32_t>(b, i)); });
  case ElementType::i64:
  case ElementType::ui64:
    return f([b](int64_t i) { return fromInt(read<int64_t>(b, i)); });
  case ElementType::ui8:
    return f([b](int64_t i) { return fromInt(read<uint8_t>(b, i)); });
  case ElementType::ui16:
    return f([b](int64_t i) { return fromInt(read<uint16_t>(b, i)); });
  case ElementType::ui32:
    return f([b](int64_t i) { return fromInt(read<uint32_t>(b, i)); });
  }
}

Word tiny::reference::load(ElementType type, const void *buffer, int64_t index) {
  Word word{};
  withReader(type, buffer, [&](auto reader) { word = reader(index); });
  return word;
}

void tiny::reference::gather(ElementType type, const void *buffer, const int64_t *offsets,
                             int64_t count, Word *words) {
  withReader(type, buffer, [&](auto reader) {
    for (int64_t k = 0; k < count; ++k)
      words[k] = reader(offsets[k]);
  });
}

void tiny::reference::store(ElementType type, void *buffer, int64_t index, Word value) {
  switch (type) {
  case ElementType::f64:
    return write<double>(buffer, index, value.f);
  case ElementType::f32:
    return write<float>(buffer, index, static_cast<float>(value.f));
  case ElementType::f16:
    return write<uint16_t>(buffer, index, encodeHalf(value.f));
  case ElementType::bf16:
    return write<uint16_t>(buffer, index, encodeBfloat(value.f));
  default:
    break;
  }
  switch (tinyrt::byteSize(type)) {
  case 1:
    return write<uint8_t>(buffer, index, static_cast<uint8_t>(value.u));
  case 2:
    return write<uint16_t>(buffer, index, static_cast<uint16_t>(value.u));
  case 4:
    return write<uint32_t>(buffer, index, static_cast<uint32_t>(value.u));
  default:
    return write<uint64_t>(buffer, index, value.u);
  }
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

bool tiny::reference::totalLess(double a, double b) {
  return a < b || (a == b && std::signbit(a) && !std::signbit(b));
}

double tiny::reference::maximum(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::numeric_limits<double>::quiet_NaN();
  return totalLess(a, b) ? b : a;
}

bool tiny::reference::sameElement(ElementType type, Word a, Word b) {
  if (isFloat(type) && std::isnan(a.f))
    return std::isnan(b.f);
  return a.u == b.u;
}
