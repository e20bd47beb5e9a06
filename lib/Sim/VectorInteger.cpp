//===- VectorInteger.cpp - integer arithmetic and bits -------------------------===//
//
// One line per operation; `clamp` saturates where the operation knows it. 16-bit operations see and
// return their number in the low half of a word.
//
//===----------------------------------------------------------------------===//

#include "VectorKernel.h"

using namespace tinysim;
using u32 = uint32_t;
using i32 = int32_t;
using u64 = uint64_t;
using i64 = int64_t;

LANE i32 s32(u32 x) { return static_cast<i32>(x); }
LANE i32 s16(u32 x) { return static_cast<int16_t>(x); }
LANE i32 s24(u32 x) { return static_cast<i32>(x << 8) >> 8; }
LANE i64 s64(u64 x) { return static_cast<i64>(x); }
LANE u32 low(i64 x) { return static_cast<u32>(static_cast<u64>(x)); }
LANE u32 half(i32 x) { return static_cast<u32>(x) & 0xffff; }
LANE i64 clampTo(i64 x, i64 lowest, i64 highest) {
  x = x < lowest ? lowest : x;
  return x > highest ? highest : x;
}
LANE u32 signed32(Lane &l, i64 x) { return low(l.saturate ? clampTo(x, INT32_MIN, INT32_MAX) : x); }
LANE u32 unsigned32(Lane &l, i64 x) { return low(l.saturate ? clampTo(x, 0, UINT32_MAX) : x); }
LANE u32 signed16(Lane &l, i64 x) {
  return low(l.saturate ? clampTo(x, INT16_MIN, INT16_MAX) : x) & 0xffff;
}
LANE u32 unsigned16(Lane &l, i64 x) {
  return low(l.saturate ? clampTo(x, 0, UINT16_MAX) : x) & 0xffff;
}

// Sums. The carry is that of the sum, saturated or not.
LANE u32 addNc(Lane &l, u32 a, u32 b) {
  u32 r = a + b;
  return l.saturate && r < a ? 0xffffffffu : r;
}
LANE u32 subNc(Lane &l, u32 a, u32 b) { return l.saturate && a < b ? 0 : a - b; }
LANE u32 subRevNc(Lane &l, u32 a, u32 b) { return subNc(l, b, a); }
LANE u32 addCarry(Lane &l, u32 a, u32 b) {
  u32 r = a + b, carry = l.maskIn, sum = r + carry;
  l.carryOut = (r < a) | (sum < r);
  return l.saturate && l.carryOut ? 0xffffffffu : sum;
}
LANE u32 subCarry(Lane &l, u32 a, u32 b) {
  u32 borrow = l.maskIn;
  l.carryOut = (a < b) | (a == b && borrow);
  return l.saturate && l.carryOut ? 0 : a - b - borrow;
}
LANE u32 subRevCarry(Lane &l, u32 a, u32 b) { return subCarry(l, b, a); }
LANE u32 addI32(Lane &l, u32 a, u32 b) { return signed32(l, i64(s32(a)) + s32(b)); }
LANE u32 subI32(Lane &l, u32 a, u32 b) { return signed32(l, i64(s32(a)) - s32(b)); }
LANE u32 add3(u32 a, u32 b, u32 c) { return a + b + c; }
LANE u32 xorAdd(u32 a, u32 b, u32 c) { return (a ^ b) + c; }
LANE u32 lshlAdd(u32 a, u32 b, u32 c) { return (a << (b & 31)) + c; }
LANE u32 addLshl(u32 a, u32 b, u32 c) { return (a + b) << (c & 31); }

LANE u32 addU16(Lane &l, u32 a, u32 b) { return unsigned16(l, i64(a) + b); }
LANE u32 subU16(Lane &l, u32 a, u32 b) { return unsigned16(l, i64(a) - b); }
LANE u32 addI16(Lane &l, u32 a, u32 b) { return signed16(l, i64(s16(a)) + s16(b)); }
LANE u32 subI16(Lane &l, u32 a, u32 b) { return signed16(l, i64(s16(a)) - s16(b)); }

// Products.
LANE u32 mulLo(u32 a, u32 b) { return a * b; }
LANE u32 mulHiU(u32 a, u32 b) { return static_cast<u32>(u64(a) * b >> 32); }
LANE u32 mulHiI(u32 a, u32 b) { return low(i64(s32(a)) * s32(b) >> 32); }
LANE u32 mulI24(u32 a, u32 b) { return low(i64(s24(a)) * s24(b)); }
LANE u32 mulHiI24(u32 a, u32 b) { return low(i64(s24(a)) * s24(b) >> 32); }
LANE u32 mulU24(u32 a, u32 b) { return (a & 0xffffff) * (b & 0xffffff); }
LANE u32 mulHiU24(u32 a, u32 b) {
  return static_cast<u32>(u64(a & 0xffffff) * (b & 0xffffff) >> 32);
}
LANE u32 madI24(Lane &l, u32 a, u32 b, u32 c) { return signed32(l, i64(s24(a)) * s24(b) + s32(c)); }
LANE u32 madU24(Lane &l, u32 a, u32 b, u32 c) {
  return unsigned32(l, i64(u64(a & 0xffffff) * (b & 0xffffff) + c));
}
static u64 madU64(Lane &l, u32 a, u32 b, u64 c) {
  u64 product = u64(a) * b, sum = product + c;
  l.carryOut = sum < c;
  return l.saturate && l.carryOut ? ~u64(0) : sum;
}
static u64 madI64(Lane &l, u32 a, u32 b, u64 c) {
  __int128 sum = static_cast<__int128>(i64(s32(a)) * s32(b)) + s64(c);
  l.carryOut = static_cast<unsigned __int128>(sum) >> 64 & 1; // bit 64 of the 65-bit sum
  if (l.saturate)
    sum = sum < INT64_MIN ? INT64_MIN : sum > INT64_MAX ? INT64_MAX : sum;
  return static_cast<u64>(sum);
}
LANE u32 mulLo16(u32 a, u32 b) { return (a * b) & 0xffff; }
LANE u32 madU16(Lane &l, u32 a, u32 b, u32 c) { return unsigned16(l, i64(u64(a) * b + c)); }
LANE u32 madI16(Lane &l, u32 a, u32 b, u32 c) { return signed16(l, i64(s16(a)) * s16(b) + s16(c)); }
LANE u32 madU32U16(Lane &l, u32 a, u32 b, u32 c) { return unsigned32(l, i64(u64(a) * b + c)); }
LANE u32 madI32I16(Lane &l, u32 a, u32 b, u32 c) {
  return signed32(l, i64(s16(a)) * s16(b) + s32(c));
}

// Minimum and maximum, of 16 bits as of 32: halves are extended first.
LANE u32 minU(u32 a, u32 b) { return a < b ? a : b; }
LANE u32 maxU(u32 a, u32 b) { return a < b ? b : a; }
LANE u32 minI(u32 a, u32 b) { return s32(a) < s32(b) ? a : b; }
LANE u32 maxI(u32 a, u32 b) { return s32(a) < s32(b) ? b : a; }
LANE u32 min3U(u32 a, u32 b, u32 c) { return minU(minU(a, b), c); }
LANE u32 max3U(u32 a, u32 b, u32 c) { return maxU(maxU(a, b), c); }
LANE u32 med3U(u32 a, u32 b, u32 c) { return maxU(minU(a, b), minU(maxU(a, b), c)); }
LANE u32 minMaxU(u32 a, u32 b, u32 c) { return maxU(minU(a, b), c); }
LANE u32 maxMinU(u32 a, u32 b, u32 c) { return minU(maxU(a, b), c); }
LANE u32 min3I(u32 a, u32 b, u32 c) { return minI(minI(a, b), c); }
LANE u32 max3I(u32 a, u32 b, u32 c) { return maxI(maxI(a, b), c); }
LANE u32 med3I(u32 a, u32 b, u32 c) { return maxI(minI(a, b), minI(maxI(a, b), c)); }
LANE u32 minMaxI(u32 a, u32 b, u32 c) { return maxI(minI(a, b), c); }
LANE u32 maxMinI(u32 a, u32 b, u32 c) { return minI(maxI(a, b), c); }
LANE u32 ext(u32 x) { return static_cast<u32>(s16(x)); }
LANE u32 minI16(u32 a, u32 b) { return minI(ext(a), ext(b)); }
LANE u32 maxI16(u32 a, u32 b) { return maxI(ext(a), ext(b)); }
LANE u32 min3I16(u32 a, u32 b, u32 c) { return min3I(ext(a), ext(b), ext(c)); }
LANE u32 max3I16(u32 a, u32 b, u32 c) { return max3I(ext(a), ext(b), ext(c)); }
LANE u32 med3I16(u32 a, u32 b, u32 c) { return med3I(ext(a), ext(b), ext(c)); }

// Bits.
LANE u32 notB32(u32 a) { return ~a; }
LANE u32 andB32(u32 a, u32 b) { return a & b; }
LANE u32 orB32(u32 a, u32 b) { return a | b; }
LANE u32 xorB32(u32 a, u32 b) { return a ^ b; }
LANE u32 xnorB32(u32 a, u32 b) { return ~(a ^ b); }
LANE u32 or3(u32 a, u32 b, u32 c) { return a | b | c; }
LANE u32 xor3(u32 a, u32 b, u32 c) { return a ^ b ^ c; }
LANE u32 andOr(u32 a, u32 b, u32 c) { return (a & b) | c; }
LANE u32 lshlOr(u32 a, u32 b, u32 c) { return (a << (b & 31)) | c; }
LANE u32 lshlRev(u32 a, u32 b) { return b << (a & 31); }
LANE u32 lshrRev(u32 a, u32 b) { return b >> (a & 31); }
LANE u32 ashrRev(u32 a, u32 b) { return static_cast<u32>(s32(b) >> (a & 31)); }
LANE u32 lshlRev16(u32 a, u32 b) { return (b << (a & 15)) & 0xffff; }
LANE u32 lshrRev16(u32 a, u32 b) { return (b & 0xffff) >> (a & 15); }
LANE u32 ashrRev16(u32 a, u32 b) { return half(s16(b) >> (a & 15)); }
LANE u64 lshlRev64(u32 a, u64 b) { return b << (a & 63); }
LANE u64 lshrRev64(u32 a, u64 b) { return b >> (a & 63); }
LANE u64 ashrRev64(u32 a, u64 b) { return static_cast<u64>(s64(b) >> (a & 63)); }
LANE u32 bfe(u32 a, u32 b, u32 c) { return (a >> (b & 31)) & ((1u << (c & 31)) - 1); }
LANE u32 bfeI(u32 a, u32 b, u32 c) {
  u32 width = c & 31, field = static_cast<u32>(s32(a) >> (b & 31)) & ((1u << width) - 1);
  u32 sign = width ? 1u << (width - 1) : 0;
  return (field ^ sign) - sign;
}
LANE u32 bfi(u32 a, u32 b, u32 c) { return (a & b) | (~a & c); }
LANE u32 bfm(u32 a, u32 b) { return ((1u << (a & 31)) - 1) << (b & 31); }
LANE u32 alignBit(u32 a, u32 b, u32 c) { return static_cast<u32>((u64(a) << 32 | b) >> (c & 31)); }
LANE u32 alignByte(u32 a, u32 b, u32 c) { return alignBit(a, b, 8 * (c & 3)); }
static u32 reversed(u32 a) {
  u32 r = 0;
  for (unsigned bit = 0; bit < 32; ++bit)
    r |= (a >> bit & 1) << (31 - bit);
  return r;
}
static u32 clz(u32 a) { return a ? static_cast<u32>(__builtin_clz(a)) : ~0u; }
static u32 ctz(u32 a) { return a ? static_cast<u32>(__builtin_ctz(a)) : ~0u; }
static u32 cls(u32 a) {
  u32 changes = s32(a) < 0 ? ~a : a;
  return changes ? static_cast<u32>(__builtin_clz(changes)) : ~0u;
}
LANE u32 bitCount(u32 a, u32 b) { return static_cast<u32>(__builtin_popcount(a)) + b; }
LANE u32 mbcntLo(Lane &l, u32 a, u32 b) {
  return bitCount(l.index >= 32 ? a : a & ((1u << l.index) - 1), b);
}
LANE u32 mbcntHi(Lane &l, u32 a, u32 b) {
  return bitCount(l.index < 32 ? 0 : a & ((1u << (l.index - 32)) - 1), b);
}
static u32 permute(u32 a, u32 b, u32 selector) {
  u64 data = u64(a) << 32 | b;
  u32 r = 0;
  for (unsigned n = 0; n < 32; n += 8) {
    u32 s = selector >> n & 255, byte = 255;
    if (s < 8)
      byte = data >> (8 * s) & 255;
    else if (s < 12) // the sign of byte 1, 3, 5 or 7
      byte = data >> (16 * (s - 8) + 15) & 1 ? 255 : 0;
    else if (s == 12)
      byte = 0;
    r |= byte << n;
  }
  return r;
}

// Moves.
LANE u32 copy(u32 a) { return a; }
LANE u32 choose(Lane &l, u32 a, u32 b) { return l.maskIn ? b : a; }
LANE u32 signExtend16(u32 a) { return ext(a); }
LANE u32 pack16(u32 a, u32 b) { return a | b << 16; }

// Sums of absolute differences of bytes.
LANE u32 absDiff(u32 a, u32 b) { return a > b ? a - b : b - a; }
static u32 sadBytes(u32 a, u32 b, u32 sum, bool masked) {
  for (unsigned n = 0; n < 32; n += 8)
    if (!masked || (b >> n & 255))
      sum += absDiff(a >> n & 255, b >> n & 255);
  return sum;
}
static u32 sad(u32 a, u32 b, u32 c) { return sadBytes(a, b, c, false); }
static u32 sadHi(u32 a, u32 b, u32 c) { return (sadBytes(a, b, 0, false) << 16) + c; }
static u32 msad(u32 a, u32 b, u32 c) { return sadBytes(a, b, c, true); }
LANE u32 sad16(u32 a, u32 b, u32 c) {
  return c + absDiff(a & 0xffff, b & 0xffff) + absDiff(a >> 16, b >> 16);
}
LANE u32 sad32(u32 a, u32 b, u32 c) { return absDiff(a, b) + c; }
static u64 quadSad(u64 a, u32 b, u64 c, bool masked) {
  u64 r = 0;
  for (unsigned n = 0; n < 4; ++n)
    r |= u64(sadBytes(static_cast<u32>(a >> (8 * n)), b, c >> (16 * n) & 0xffff, masked) & 0xffff)
         << (16 * n);
  return r;
}
static u64 qsad(u64 a, u32 b, u64 c) { return quadSad(a, b, c, false); }
static u64 mqsad(u64 a, u32 b, u64 c) { return quadSad(a, b, c, true); }
static u32 lerp(u32 a, u32 b, u32 c) {
  u32 r = 0;
  for (unsigned n = 0; n < 32; n += 8)
    r |= ((a >> n & 255) + (b >> n & 255) + (c >> n & 1)) >> 1 << n;
  return r;
}

// Packed halves: the operation of one half on both.
template <u32 (*f)(Lane &, u32, u32)> LANE u32 packed2(Lane &l, u32 a, u32 b) {
  return f(l, a & 0xffff, b & 0xffff) | f(l, a >> 16, b >> 16) << 16;
}
template <u32 (*f)(Lane &, u32, u32, u32)> LANE u32 packed3(Lane &l, u32 a, u32 b, u32 c) {
  return f(l, a & 0xffff, b & 0xffff, c & 0xffff) | f(l, a >> 16, b >> 16, c >> 16) << 16;
}
template <u32 (*f)(u32, u32)> LANE u32 packed(u32 a, u32 b) {
  return (f(a & 0xffff, b & 0xffff) & 0xffff) | f(a >> 16, b >> 16) << 16;
}

// Dot products of bytes and nibbles. The products alone fit in 32 bits; only adding to the third
// operand may overflow.
template <unsigned width> LANE i32 element(u32 x, unsigned at, u32 sign) {
  return static_cast<i32>(((x >> at & ((1u << width) - 1)) ^ sign) - sign);
}
template <unsigned width> LANE u32 dotSigned(Lane &l, u32 a, u32 b, u32 c) {
  const u32 top = 1u << (width - 1);
  const u32 signA = l.isSigned & 1 ? top : 0, signB = l.isSigned & 2 ? top : 0;
  i32 sum = 0;
  for (unsigned at = 0; at < 32; at += width)
    sum += element<width>(a, at, signA) * element<width>(b, at, signB);
  return signed32(l, i64(s32(c)) + sum);
}
template <unsigned width> LANE u32 dotUnsigned(Lane &l, u32 a, u32 b, u32 c) {
  i32 sum = 0;
  for (unsigned at = 0; at < 32; at += width)
    sum += element<width>(a, at, 0) * element<width>(b, at, 0);
  return unsigned32(l, i64(c) + sum);
}

llvm::ArrayRef<Row> tinysim::integerRows() {
  const Type i = Type::b32, h = Type::b16, d = Type::b64, p = Type::pk16, f = Type::f32;
  const Type hf = Type::f16;
  const uint8_t keeps = Row::keepsBits, in = Row::maskIn | Row::keepsBits;
  const uint8_t out = Row::maskOut | Row::keepsBits, both = in | out;
  const uint8_t moves = Row::keepsBits | Row::noModifiers;
  static const Row rows[] = {
      // Moves. Floating-point modifiers apply, denormals stay.
      {"V_MOV_B32", each<copy>(), i, {i}, moves},
      {"V_MOV_B16", each<copy>(), h, {hf}, moves},
      {"V_CNDMASK_B32", each<choose>(), f, {f, f}, uint8_t(in | moves)},
      {"V_CNDMASK_B16", each<choose>(), hf, {hf, hf}, uint8_t(in | moves)},
      {"V_CVT_I32_I16", each<signExtend16>(), i, {h}, keeps},
      {"V_CVT_U32_U16", each<copy>(), i, {h}, keeps},
      {"V_PACK_B32_F16", each<pack16>(), i, {hf, hf}, moves},
      // 32-bit sums.
      {"V_ADD_NC_U32", each<addNc>(), i, {i, i}, keeps},
      {"V_SUB_NC_U32", each<subNc>(), i, {i, i}, keeps},
      {"V_SUBREV_NC_U32", each<subRevNc>(), i, {i, i}, keeps},
      {"V_ADD_CO_U32", each<addCarry>(), i, {i, i}, out},
      {"V_SUB_CO_U32", each<subCarry>(), i, {i, i}, out},
      {"V_SUBREV_CO_U32", each<subRevCarry>(), i, {i, i}, out},
      {"V_ADD_CO_CI_U32", each<addCarry>(), i, {i, i}, both},
      {"V_SUB_CO_CI_U32", each<subCarry>(), i, {i, i}, both},
      {"V_SUBREV_CO_CI_U32", each<subRevCarry>(), i, {i, i}, both},
      {"V_ADD_NC_I32", each<addI32>(), i, {i, i}, keeps},
      {"V_SUB_NC_I32", each<subI32>(), i, {i, i}, keeps},
      {"V_ADD3_U32", each<add3>(), i, {i, i, i}, keeps},
      {"V_XAD_U32", each<xorAdd>(), i, {i, i, i}, keeps},
      {"V_LSHL_ADD_U32", each<lshlAdd>(), i, {i, i, i}, keeps},
      {"V_ADD_LSHL_U32", each<addLshl>(), i, {i, i, i}, keeps},
      // 32-bit products.
      {"V_MUL_LO_U32", each<mulLo>(), i, {i, i}, keeps},
      {"V_MUL_HI_U32", each<mulHiU>(), i, {i, i}, keeps},
      {"V_MUL_HI_I32", each<mulHiI>(), i, {i, i}, keeps},
      {"V_MUL_I32_I24", each<mulI24>(), i, {i, i}, keeps},
      {"V_MUL_HI_I32_I24", each<mulHiI24>(), i, {i, i}, keeps},
      {"V_MUL_U32_U24", each<mulU24>(), i, {i, i}, keeps},
      {"V_MUL_HI_U32_U24", each<mulHiU24>(), i, {i, i}, keeps},
      {"V_MAD_I32_I24", each<madI24>(), i, {i, i, i}, keeps},
      {"V_MAD_U32_U24", each<madU24>(), i, {i, i, i}, keeps},
      {"V_MAD_U64_U32", each<madU64>(), d, {i, i, d}, out},
      {"V_MAD_I64_I32", each<madI64>(), d, {i, i, d}, out},
      // 16-bit.
      {"V_ADD_NC_U16", each<addU16>(), h, {h, h}, keeps},
      {"V_SUB_NC_U16", each<subU16>(), h, {h, h}, keeps},
      {"V_ADD_NC_I16", each<addI16>(), h, {h, h}, keeps},
      {"V_SUB_NC_I16", each<subI16>(), h, {h, h}, keeps},
      {"V_MUL_LO_U16", each<mulLo16>(), h, {h, h}, keeps},
      {"V_MAD_U16", each<madU16>(), h, {h, h, h}, keeps},
      {"V_MAD_I16", each<madI16>(), h, {h, h, h}, keeps},
      {"V_MAD_U32_U16", each<madU32U16>(), i, {h, h, i}, keeps},
      {"V_MAD_I32_I16", each<madI32I16>(), i, {h, h, i}, keeps},
      {"V_LSHLREV_B16", each<lshlRev16>(), h, {h, h}, keeps},
      {"V_LSHRREV_B16", each<lshrRev16>(), h, {h, h}, keeps},
      {"V_ASHRREV_I16", each<ashrRev16>(), h, {h, h}, keeps},
      {"V_AND_B16", each<andB32>(), h, {h, h}, keeps},
      {"V_OR_B16", each<orB32>(), h, {h, h}, keeps},
      {"V_XOR_B16", each<xorB32>(), h, {h, h}, keeps},
      {"V_NOT_B16", each<notB32>(), h, {h}, keeps},
      {"V_MIN_U16", each<minU>(), h, {h, h}, keeps},
      {"V_MAX_U16", each<maxU>(), h, {h, h}, keeps},
      {"V_MIN_I16", each<minI16>(), h, {h, h}, keeps},
      {"V_MAX_I16", each<maxI16>(), h, {h, h}, keeps},
      {"V_MIN3_U16", each<min3U>(), h, {h, h, h}, keeps},
      {"V_MAX3_U16", each<max3U>(), h, {h, h, h}, keeps},
      {"V_MED3_U16", each<med3U>(), h, {h, h, h}, keeps},
      {"V_MIN3_I16", each<min3I16>(), h, {h, h, h}, keeps},
      {"V_MAX3_I16", each<max3I16>(), h, {h, h, h}, keeps},
      {"V_MED3_I16", each<med3I16>(), h, {h, h, h}, keeps},
      // 32-bit order.
      {"V_MIN_U32", each<minU>(), i, {i, i}, keeps},
      {"V_MAX_U32", each<maxU>(), i, {i, i}, keeps},
      {"V_MIN_I32", each<minI>(), i, {i, i}, keeps},
      {"V_MAX_I32", each<maxI>(), i, {i, i}, keeps},
      {"V_MIN3_U32", each<min3U>(), i, {i, i, i}, keeps},
      {"V_MAX3_U32", each<max3U>(), i, {i, i, i}, keeps},
      {"V_MED3_U32", each<med3U>(), i, {i, i, i}, keeps},
      {"V_MINMAX_U32", each<minMaxU>(), i, {i, i, i}, keeps},
      {"V_MAXMIN_U32", each<maxMinU>(), i, {i, i, i}, keeps},
      {"V_MIN3_I32", each<min3I>(), i, {i, i, i}, keeps},
      {"V_MAX3_I32", each<max3I>(), i, {i, i, i}, keeps},
      {"V_MED3_I32", each<med3I>(), i, {i, i, i}, keeps},
      {"V_MINMAX_I32", each<minMaxI>(), i, {i, i, i}, keeps},
      {"V_MAXMIN_I32", each<maxMinI>(), i, {i, i, i}, keeps},
      // Bits.
      {"V_NOT_B32", each<notB32>(), i, {i}, keeps},
      {"V_AND_B32", each<andB32>(), i, {i, i}, keeps},
      {"V_OR_B32", each<orB32>(), i, {i, i}, keeps},
      {"V_XOR_B32", each<xorB32>(), i, {i, i}, keeps},
      {"V_XNOR_B32", each<xnorB32>(), i, {i, i}, keeps},
      {"V_OR3_B32", each<or3>(), i, {i, i, i}, keeps},
      {"V_XOR3_B32", each<xor3>(), i, {i, i, i}, keeps},
      {"V_AND_OR_B32", each<andOr>(), i, {i, i, i}, keeps},
      {"V_LSHL_OR_B32", each<lshlOr>(), i, {i, i, i}, keeps},
      {"V_LSHLREV_B32", each<lshlRev>(), i, {i, i}, keeps},
      {"V_LSHRREV_B32", each<lshrRev>(), i, {i, i}, keeps},
      {"V_ASHRREV_I32", each<ashrRev>(), i, {i, i}, keeps},
      {"V_LSHLREV_B64", each<lshlRev64>(), d, {i, d}, keeps},
      {"V_LSHRREV_B64", each<lshrRev64>(), d, {i, d}, keeps},
      {"V_ASHRREV_I64", each<ashrRev64>(), d, {i, d}, keeps},
      {"V_BFE_U32", each<bfe>(), i, {i, i, i}, keeps},
      {"V_BFE_I32", each<bfeI>(), i, {i, i, i}, keeps},
      {"V_BFI_B32", each<bfi>(), i, {i, i, i}, keeps},
      {"V_BFM_B32", each<bfm>(), i, {i, i}, keeps},
      {"V_ALIGNBIT_B32", each<alignBit>(), i, {i, i, h}, keeps},
      {"V_ALIGNBYTE_B32", each<alignByte>(), i, {i, i, h}, keeps},
      {"V_BFREV_B32", each<reversed>(), i, {i}, keeps},
      {"V_CLZ_I32_U32", each<clz>(), i, {i}, keeps},
      {"V_CTZ_I32_B32", each<ctz>(), i, {i}, keeps},
      {"V_CLS_I32", each<cls>(), i, {i}, keeps},
      {"V_BCNT_U32_B32", each<bitCount>(), i, {i, i}, keeps},
      {"V_MBCNT_LO_U32_B32", each<mbcntLo>(), i, {i, i}, keeps},
      {"V_MBCNT_HI_U32_B32", each<mbcntHi>(), i, {i, i}, keeps},
      {"V_PERM_B32", each<permute>(), i, {i, i, i}, keeps},
      // Bytes.
      {"V_SAD_U8", each<sad>(), i, {i, i, i}, keeps},
      {"V_SAD_HI_U8", each<sadHi>(), i, {i, i, i}, keeps},
      {"V_SAD_U16", each<sad16>(), i, {i, i, i}, keeps},
      {"V_SAD_U32", each<sad32>(), i, {i, i, i}, keeps},
      {"V_MSAD_U8", each<msad>(), i, {i, i, i}, keeps},
      {"V_QSAD_PK_U16_U8", each<qsad>(), d, {d, i, d}, keeps},
      {"V_MQSAD_PK_U16_U8", each<mqsad>(), d, {d, i, d}, keeps},
      {"V_LERP_U8", each<lerp>(), i, {i, i, i}, keeps},
      // Packed halves.
      {"V_PK_ADD_U16", each<packed2<addU16>>(), p, {p, p}, keeps},
      {"V_PK_SUB_U16", each<packed2<subU16>>(), p, {p, p}, keeps},
      {"V_PK_ADD_I16", each<packed2<addI16>>(), p, {p, p}, keeps},
      {"V_PK_SUB_I16", each<packed2<subI16>>(), p, {p, p}, keeps},
      {"V_PK_MAD_U16", each<packed3<madU16>>(), p, {p, p, p}, keeps},
      {"V_PK_MAD_I16", each<packed3<madI16>>(), p, {p, p, p}, keeps},
      {"V_PK_MUL_LO_U16", each<packed<mulLo16>>(), p, {p, p}, keeps},
      {"V_PK_MIN_U16", each<packed<minU>>(), p, {p, p}, keeps},
      {"V_PK_MAX_U16", each<packed<maxU>>(), p, {p, p}, keeps},
      {"V_PK_MIN_I16", each<packed<minI16>>(), p, {p, p}, keeps},
      {"V_PK_MAX_I16", each<packed<maxI16>>(), p, {p, p}, keeps},
      {"V_PK_LSHLREV_B16", each<packed<lshlRev16>>(), p, {p, p}, keeps},
      {"V_PK_LSHRREV_B16", each<packed<lshrRev16>>(), p, {p, p}, keeps},
      {"V_PK_ASHRREV_I16", each<packed<ashrRev16>>(), p, {p, p}, keeps},
      // Dot products.
      {"V_DOT4_I32_IU8", each<dotSigned<8>>(), i, {i, i, i}, uint8_t(keeps | Row::dotSigns)},
      {"V_DOT8_I32_IU4", each<dotSigned<4>>(), i, {i, i, i}, uint8_t(keeps | Row::dotSigns)},
      {"V_DOT4_U32_U8", each<dotUnsigned<8>>(), i, {i, i, i}, keeps},
      {"V_DOT8_U32_U4", each<dotUnsigned<4>>(), i, {i, i, i}, keeps},
  };
  return rows;
}
