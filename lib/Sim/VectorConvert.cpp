//===- VectorConvert.cpp - conversions between number formats ------------------===//
//
// To integers: truncation, saturation, NaN to 0, in all modes. To floats: the rounding mode of the
// result's width.
//
//===----------------------------------------------------------------------===//

#include "VectorKernel.h"

using namespace tinysim;
using u32 = uint32_t;
using u64 = uint64_t;
using i32 = int32_t;

// f32 and f64 to integers. The in-range value is chosen before the cast, which is undefined
// otherwise.
LANE u32 f32ToI32(u32 a) {
  float x = asFloat(a);
  bool over = x >= 0x1p31f, inside = x > -0x1p31f && !over;
  i32 value = static_cast<i32>(inside ? x : 0.0f);
  value = x <= -0x1p31f ? INT32_MIN : value;
  return static_cast<u32>(over ? INT32_MAX : value);
}
LANE u32 f32ToU32(u32 a) {
  float x = asFloat(a);
  bool over = x >= 0x1p32f, inside = x > 0 && !over;
  u32 value = static_cast<u32>(inside ? x : 0.0f);
  return over ? UINT32_MAX : value;
}
LANE u32 f64ToI32(u64 a) {
  double x = asDouble(a);
  bool over = x >= 0x1p31, inside = x > -0x1p31 - 1 && !over;
  i32 value = static_cast<i32>(inside ? x : 0.0);
  value = x <= -0x1p31 - 1 ? INT32_MIN : value;
  return static_cast<u32>(over ? INT32_MAX : value);
}
LANE u32 f64ToU32(u64 a) {
  double x = asDouble(a);
  bool over = x >= 0x1p32, inside = x > 0 && !over;
  u32 value = static_cast<u32>(inside ? x : 0.0);
  return over ? UINT32_MAX : value;
}
LANE u32 floorToI32(u32 a) { return f32ToI32(bitsOf(__builtin_floorf(asFloat(a)))); }
/// floor(x + 1/2), the sum exact enough in f64.
LANE u32 nearestToI32(u32 a) {
  return f64ToI32(bitsOf(__builtin_floor(static_cast<double>(asFloat(a)) + 0.5)));
}
static u32 f16ToI16(u32 a) {
  return static_cast<u32>(toInteger<F16>(a, INT16_MIN, INT16_MAX)) & 0xffff;
}
static u32 f16ToU16(u32 a) { return static_cast<u32>(toInteger<F16>(a, 0, UINT16_MAX)); }

// Integers to floats.
LANE u32 i32ToF32(u32 &, u32 a) { return bitsOf(static_cast<float>(static_cast<i32>(a))); }
LANE u32 u32ToF32(u32 &, u32 a) { return bitsOf(static_cast<float>(a)); }
static u32 exactI32ToF32(const LaneMode &m, u32 a) {
  return static_cast<u32>(fromInteger<F32>(static_cast<i32>(a), m.f32.round));
}
static u32 exactU32ToF32(const LaneMode &m, u32 a) {
  return static_cast<u32>(fromInteger<F32>(a, m.f32.round));
}
LANE u64 i32ToF64(u32 a) { return bitsOf(static_cast<double>(static_cast<i32>(a))); }
LANE u64 u32ToF64(u32 a) { return bitsOf(static_cast<double>(a)); }
template <unsigned byte> LANE u32 byteToF32(u32 a) {
  return bitsOf(static_cast<float>(static_cast<i32>(a >> (8 * byte) & 255)));
}
static u32 i16ToF16(const LaneMode &m, u32 a) {
  return static_cast<u32>(fromInteger<F16>(static_cast<int16_t>(a), m.f16f64.round));
}
static u32 u16ToF16(const LaneMode &m, u32 a) {
  return static_cast<u32>(fromInteger<F16>(a, m.f16f64.round));
}
/// A signed nibble in sixteenths.
LANE u32 offsetToF32(u32 a) {
  return bitsOf(static_cast<float>(static_cast<i32>(a << 28) >> 28) * 0.0625f);
}

// Floats to floats.
LANE u32 f32ToF16(u32 &special, u32 a) {
  special |= nanFlag(asFloat(a));
  return narrow(asFloat(a));
}
static u32 exactF32ToF16(const LaneMode &m, u32 a) {
  return static_cast<u32>(convert<F16, F32>(a, m.f16f64.round));
}
LANE u32 f16ToF32(u32 a) {
  float x = widen(a);
  return bitsOf(x) | (x != x ? 0x400000u : 0u);
}
LANE u32 f64ToF32(u32 &special, u64 a) {
  special |= nanFlag(asDouble(a));
  return bitsOf(static_cast<float>(asDouble(a)));
}
static u32 exactF64ToF32(const LaneMode &m, u64 a) {
  return static_cast<u32>(convert<F32, F64>(a, m.f32.round));
}
static u64 f32ToF64(u32 a) { return convert<F64, F32>(a, Rounding::nearest); }
static u32 packRtz(u32 a, u32 b) {
  return static_cast<u32>(convert<F16, F32>(a, Rounding::zero) |
                          convert<F16, F32>(b, Rounding::zero) << 16);
}

// Normalised: -1..1 to -32767..32767, 0..1 to 0..65535, to nearest even; NaN to 0.
static u32 normSigned(float x) {
  x = x < -1 ? -1 : x > 1 ? 1 : x;
  double scaled = x != x ? 0.0 : x * 32767.0;
  return static_cast<u32>(static_cast<i32>(__builtin_rint(scaled))) & 0xffff;
}
static u32 normUnsigned(float x) {
  x = x > 1 ? 1 : x;
  double scaled = x > 0 ? x * 65535.0 : 0.0;
  return static_cast<u32>(static_cast<i32>(__builtin_rint(scaled)));
}
static u32 f16ToSnorm(u32 a) { return normSigned(widen(a)); }
static u32 f16ToUnorm(u32 a) { return normUnsigned(widen(a)); }
static u32 packSnorm16(u32 a, u32 b) { return f16ToSnorm(a) | f16ToSnorm(b) << 16; }
static u32 packUnorm16(u32 a, u32 b) { return f16ToUnorm(a) | f16ToUnorm(b) << 16; }
static u32 packSnorm32(u32 a, u32 b) {
  return normSigned(asFloat(a)) | normSigned(asFloat(b)) << 16;
}
static u32 packUnorm32(u32 a, u32 b) {
  return normUnsigned(asFloat(a)) | normUnsigned(asFloat(b)) << 16;
}

// Packed integers.
static u32 packI16F32(u32 a, u32 b) {
  return (static_cast<u32>(toInteger<F32>(a, INT16_MIN, INT16_MAX)) & 0xffff) |
         static_cast<u32>(toInteger<F32>(b, INT16_MIN, INT16_MAX)) << 16;
}
static u32 packU16F32(u32 a, u32 b) {
  return static_cast<u32>(toInteger<F32>(a, 0, UINT16_MAX)) |
         static_cast<u32>(toInteger<F32>(b, 0, UINT16_MAX)) << 16;
}
LANE u32 toI16(u32 a) {
  i32 x = static_cast<i32>(a);
  return static_cast<u32>(x < INT16_MIN ? INT16_MIN : x > INT16_MAX ? INT16_MAX : x) & 0xffff;
}
LANE u32 toU16(u32 a) { return a > 0xffff ? 0xffff : a; }
LANE u32 packI16I32(u32 a, u32 b) { return toI16(a) | toI16(b) << 16; }
LANE u32 packU16U32(u32 a, u32 b) { return toU16(a) | toU16(b) << 16; }
/// A byte, chosen by b, of c.
static u32 packU8F32(u32 a, u32 b, u32 c) {
  unsigned shift = 8 * (b & 3);
  return (c & ~(255u << shift)) | static_cast<u32>(toInteger<F32>(a, 0, 255)) << shift;
}
static u32 saturatePairU8(u32 a) {
  auto byte = [](u32 x) {
    i32 s = static_cast<int16_t>(x);
    return static_cast<u32>(s < 0 ? 0 : s > 255 ? 255 : s);
  };
  return byte(a & 0xffff) | byte(a >> 16) << 8;
}

llvm::ArrayRef<Row> tinysim::conversionRows() {
  const Type f = Type::f32, h = Type::f16, d = Type::f64, i = Type::b32, s = Type::b16;
  const uint8_t keeps = Row::keepsBits;
  static const Row rows[] = {
      {"V_CVT_I32_F32", each<f32ToI32>(), i, {f}},
      {"V_CVT_U32_F32", each<f32ToU32>(), i, {f}},
      {"V_CVT_I32_F64", each<f64ToI32>(), i, {d}},
      {"V_CVT_U32_F64", each<f64ToU32>(), i, {d}},
      {"V_CVT_FLOOR_I32_F32", each<floorToI32>(), i, {f}},
      {"V_CVT_NEAREST_I32_F32", each<nearestToI32>(), i, {f}},
      {"V_CVT_I16_F16", each<f16ToI16>(), s, {h}},
      {"V_CVT_U16_F16", each<f16ToU16>(), s, {h}},
      {"V_CVT_F32_I32", each32<i32ToF32, exactI32ToF32>(), f, {i}},
      {"V_CVT_F32_U32", each32<u32ToF32, exactU32ToF32>(), f, {i}},
      {"V_CVT_F64_I32", each<i32ToF64>(), d, {i}},
      {"V_CVT_F64_U32", each<u32ToF64>(), d, {i}},
      {"V_CVT_F32_UBYTE0", each<byteToF32<0>>(), f, {i}},
      {"V_CVT_F32_UBYTE1", each<byteToF32<1>>(), f, {i}},
      {"V_CVT_F32_UBYTE2", each<byteToF32<2>>(), f, {i}},
      {"V_CVT_F32_UBYTE3", each<byteToF32<3>>(), f, {i}},
      {"V_CVT_OFF_F32_I4", each<offsetToF32>(), f, {i}},
      {"V_CVT_F16_I16", each<i16ToF16>(), h, {s}},
      {"V_CVT_F16_U16", each<u16ToF16>(), h, {s}},
      {"V_CVT_F16_F32", each16Or64<f32ToF16, exactF32ToF16>(), h, {f}},
      {"V_CVT_F32_F16", each<f16ToF32>(), f, {h}},
      {"V_CVT_F32_F64", each32<f64ToF32, exactF64ToF32>(), f, {d}},
      {"V_CVT_F64_F32", each<f32ToF64>(), d, {f}},
      {"V_CVT_PK_RTZ_F16_F32", each<packRtz>(), Type::pkF16, {f, f}},
      {"V_CVT_NORM_I16_F16", each<f16ToSnorm>(), s, {h}},
      {"V_CVT_NORM_U16_F16", each<f16ToUnorm>(), s, {h}},
      {"V_CVT_PK_NORM_I16_F16", each<packSnorm16>(), i, {h, h}},
      {"V_CVT_PK_NORM_U16_F16", each<packUnorm16>(), i, {h, h}},
      {"V_CVT_PK_NORM_I16_F32", each<packSnorm32>(), i, {f, f}},
      {"V_CVT_PK_NORM_U16_F32", each<packUnorm32>(), i, {f, f}},
      {"V_CVT_PK_I16_F32", each<packI16F32>(), i, {f, f}},
      {"V_CVT_PK_U16_F32", each<packU16F32>(), i, {f, f}},
      {"V_CVT_PK_I16_I32", each<packI16I32>(), i, {i, i}, keeps},
      {"V_CVT_PK_U16_U32", each<packU16U32>(), i, {i, i}, keeps},
      {"V_CVT_PK_U8_F32", each<packU8F32>(), i, {f, i, i}},
      {"V_SAT_PK_U8_I16", each<saturatePairU8>(), s, {i}, keeps},
  };
  return rows;
}
