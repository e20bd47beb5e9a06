//===- IntOps.cpp - integer and bit lane operations -------------------------===//
//
// After the RDNA3 instruction set reference, chapter 16 (vector instructions).
//
//===----------------------------------------------------------------------===//

#include "Vector.h"

using namespace simtest;

using L = const Lane &;

static int32_t sext24(uint32_t x) { return int32_t(x << 8) >> 8; }
static uint32_t u24(uint32_t x) { return x & 0xffffff; }
static uint64_t low32(int64_t x) { return uint32_t(x); }
template <typename T> static T med(T a, T b, T c) {
  return a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
}
template <typename T> static T least(T a, T b) { return a < b ? a : b; }
template <typename T> static T most(T a, T b) { return a > b ? a : b; }
static uint64_t w16(int64_t x) { return x & 0xffff; }

static uint64_t leadingZeros(L a) { return a.u(0) ? __builtin_clz(a.u(0)) : 0xffffffff; }
static uint64_t signBits(L a) {
  for (int i = 1; i < 32; ++i)
    if ((a.u(0) >> (31 - i) & 1) != a.u(0) >> 31)
      return i;
  return 0xffffffff;
}
static uint64_t reverse(L a) {
  uint32_t r = 0;
  for (int i = 0; i < 32; ++i)
    r |= (a.u(0) >> i & 1) << (31 - i);
  return r;
}
static uint64_t fieldU(L a) {
  uint32_t width = a.u(2) & 31;
  return a.u(0) >> (a.u(1) & 31) & ((1u << width) - 1);
}
static uint64_t fieldI(L a) {
  unsigned width = a.u(2) & 31;
  if (!width)
    return 0;
  int64_t shifted = int64_t(a.i(0)) >> (a.u(1) & 31);
  return low32(int64_t(uint64_t(shifted) << (64 - width)) >> (64 - width));
}
static uint64_t bytes(L a) { // v_perm_b32
  uint64_t in = uint64_t(a.u(0)) << 32 | a.u(1);
  uint32_t r = 0;
  for (int i = 0; i < 4; ++i) {
    uint32_t select = a.u(2) >> 8 * i & 255, byte;
    if (select >= 13)
      byte = 255;
    else if (select == 12)
      byte = 0;
    else if (select >= 8)
      byte = in >> (16 * (select - 8) + 15) & 1 ? 255 : 0;
    else
      byte = in >> 8 * select & 255;
    r |= byte << 8 * i;
  }
  return r;
}
static uint32_t differences(uint32_t x, uint32_t y, bool masked = false) {
  uint32_t sum = 0;
  for (int i = 0; i < 32; i += 8) {
    int p = x >> i & 255, q = y >> i & 255;
    if (!masked || q)
      sum += p > q ? p - q : q - p;
  }
  return sum;
}
static uint64_t quadDifferences(L a, bool masked) {
  uint64_t r = 0;
  for (int i = 0; i < 4; ++i) {
    uint64_t sum =
        differences(uint32_t(a.s[0] >> 8 * i), a.u(1), masked) + (a.s[2] >> 16 * i & 0xffff);
    if (sum > 0xffff)
      return a.any();
    r |= sum << 16 * i;
  }
  return r;
}
static uint64_t lerp(L a) {
  uint32_t r = 0;
  for (int i = 0; i < 32; i += 8)
    r |= ((a.u(0) >> i & 255) + (a.u(1) >> i & 255) + (a.u(2) >> i & 1)) / 2 << i;
  return r;
}
static uint64_t byteOf(int x) { return x < 0 ? 0 : x > 255 ? 255 : x; }

const std::vector<Op> simtest::kIntOps = {
    {"v_mov_b32", 1, "u:u", [](L a) { return a.s[0]; }},
    {"v_mov_b16", 1, "w:w", [](L a) { return a.s[0]; }},
    {"v_not_b32", 1, "u:u", [](L a) { return low32(~a.u(0)); }},
    {"v_not_b16", 1, "w:w", [](L a) { return w16(~a.u(0)); }},
    {"v_bfrev_b32", 1, "u:u", reverse},
    {"v_clz_i32_u32", 1, "u:u", leadingZeros},
    {"v_ctz_i32_b32", 1, "u:u", [](L a) { return low32(a.u(0) ? __builtin_ctz(a.u(0)) : -1); }},
    {"v_cls_i32", 1, "u:u", signBits},
    {"v_cvt_i32_i16", 1, "u:w", [](L a) { return low32(a.t(0)); }},
    {"v_cvt_u32_u16", 1, "u:w", [](L a) { return a.s[0]; }},
    {"v_sat_pk_u8_i16", 1, "w:u",
     [](L a) { return byteOf(int16_t(a.u(0))) | byteOf(int16_t(a.u(0) >> 16)) << 8; }},
    {"v_add_nc_u32", 2, "u:uu", [](L a) { return low32(a.u(0) + a.u(1)); }},
    {"v_sub_nc_u32", 2, "u:uu", [](L a) { return low32(a.u(0) - a.u(1)); }},
    {"v_subrev_nc_u32", 2, "u:uu", [](L a) { return low32(a.u(1) - a.u(0)); }},
    {"v_add_nc_i32", 3, "u:uu", [](L a) { return low32(a.u(0) + a.u(1)); }},
    {"v_sub_nc_i32", 3, "u:uu", [](L a) { return low32(a.u(0) - a.u(1)); }},
    {"v_and_b32", 2, "u:uu", [](L a) { return a.s[0] & a.s[1]; }},
    {"v_or_b32", 2, "u:uu", [](L a) { return a.s[0] | a.s[1]; }},
    {"v_xor_b32", 2, "u:uu", [](L a) { return a.s[0] ^ a.s[1]; }},
    {"v_xnor_b32", 2, "u:uu", [](L a) { return low32(~(a.u(0) ^ a.u(1))); }},
    {"v_lshlrev_b32", 2, "u:uu", [](L a) { return low32(a.u(1) << (a.u(0) & 31)); }},
    {"v_lshrrev_b32", 2, "u:uu", [](L a) { return low32(a.u(1) >> (a.u(0) & 31)); }},
    {"v_ashrrev_i32", 2, "u:uu", [](L a) { return low32(a.i(1) >> (a.u(0) & 31)); }},
    {"v_min_i32", 2, "u:uu", [](L a) { return low32(least(a.i(0), a.i(1))); }},
    {"v_max_i32", 2, "u:uu", [](L a) { return low32(most(a.i(0), a.i(1))); }},
    {"v_min_u32", 2, "u:uu", [](L a) { return low32(least(a.u(0), a.u(1))); }},
    {"v_max_u32", 2, "u:uu", [](L a) { return low32(most(a.u(0), a.u(1))); }},
    {"v_mul_i32_i24", 2, "u:uu",
     [](L a) { return low32(int64_t(sext24(a.u(0))) * sext24(a.u(1))); }},
    {"v_mul_u32_u24", 2, "u:uu", [](L a) { return low32(int64_t(u24(a.u(0))) * u24(a.u(1))); }},
    {"v_mul_hi_i32_i24", 2, "u:uu",
     [](L a) { return low32(int64_t(sext24(a.u(0))) * sext24(a.u(1)) >> 32); }},
    {"v_mul_hi_u32_u24", 2, "u:uu",
     [](L a) { return low32(int64_t(u24(a.u(0))) * u24(a.u(1)) >> 32); }},
    {"v_mul_lo_u32", 3, "u:uu", [](L a) { return low32(a.u(0) * uint64_t(a.u(1))); }, kNoDpp},
    {"v_mul_hi_u32", 3, "u:uu", [](L a) { return low32(uint64_t(a.u(0)) * a.u(1) >> 32); }, kNoDpp},
    {"v_mul_hi_i32", 3, "u:uu", [](L a) { return low32(int64_t(a.i(0)) * a.i(1) >> 32); }, kNoDpp},
    {"v_bcnt_u32_b32", 3, "u:uu", [](L a) { return low32(__builtin_popcount(a.u(0)) + a.u(1)); }},
    {"v_bfm_b32", 3, "u:uu",
     [](L a) { return low32(((1u << (a.u(0) & 31)) - 1) << (a.u(1) & 31)); }},
    {"v_cvt_pk_i16_i32", 3, "u:uu",
     [](L a) { return w16(med(a.i(0), -32768, 32767)) | w16(med(a.i(1), -32768, 32767)) << 16; }},
    {"v_cvt_pk_u16_u32", 3, "u:uu",
     [](L a) -> uint64_t { return least(a.u(0), 65535u) | least(a.u(1), 65535u) << 16; }},
    {"v_pack_b32_f16", 3, "p:hh",
     [](L a) { return isNanH(a.u(0)) || isNanH(a.u(1)) ? a.any() : a.s[0] | a.s[1] << 16; }},
    // three sources
    {"v_add3_u32", 3, "u:uuu", [](L a) { return low32(a.u(0) + a.u(1) + a.u(2)); }},
    {"v_lshl_add_u32", 3, "u:uuu", [](L a) { return low32((a.u(0) << (a.u(1) & 31)) + a.u(2)); }},
    {"v_add_lshl_u32", 3, "u:uuu", [](L a) { return low32((a.u(0) + a.u(1)) << (a.u(2) & 31)); }},
    {"v_lshl_or_b32", 3, "u:uuu", [](L a) { return low32(a.u(0) << (a.u(1) & 31) | a.u(2)); }},
    {"v_and_or_b32", 3, "u:uuu", [](L a) { return (a.s[0] & a.s[1]) | a.s[2]; }},
    {"v_or3_b32", 3, "u:uuu", [](L a) { return a.s[0] | a.s[1] | a.s[2]; }},
    {"v_xor3_b32", 3, "u:uuu", [](L a) { return a.s[0] ^ a.s[1] ^ a.s[2]; }},
    {"v_xad_u32", 3, "u:uuu", [](L a) { return low32((a.u(0) ^ a.u(1)) + a.u(2)); }},
    {"v_bfe_u32", 3, "u:uuu", fieldU},
    {"v_bfe_i32", 3, "u:uuu", fieldI},
    {"v_bfi_b32", 3, "u:uuu",
     [](L a) { return (a.s[0] & a.s[1]) | (~a.s[0] & a.s[2] & 0xffffffff); }},
    {"v_alignbit_b32", 3, "u:uuw",
     [](L a) { return low32((uint64_t(a.u(0)) << 32 | a.u(1)) >> (a.w(2) & 31)); }},
    {"v_alignbyte_b32", 3, "u:uuw",
     [](L a) { return low32((uint64_t(a.u(0)) << 32 | a.u(1)) >> 8 * (a.w(2) & 3)); }},
    {"v_perm_b32", 3, "u:uuu", bytes},
    {"v_lerp_u8", 3, "u:uuu", lerp},
    {"v_sad_u8", 3, "u:uuu", [](L a) { return low32(differences(a.u(0), a.u(1)) + a.u(2)); }},
    {"v_sad_hi_u8", 3, "u:uuu",
     [](L a) { return low32((differences(a.u(0), a.u(1)) << 16) + a.u(2)); }},
    {"v_msad_u8", 3, "u:uuu",
     [](L a) { return low32(differences(a.u(0), a.u(1), true) + a.u(2)); }},
    {"v_sad_u16", 3, "u:uuu",
     [](L a) {
       int x = (a.u(0) & 0xffff) - (a.u(1) & 0xffff), y = (a.u(0) >> 16) - (a.u(1) >> 16);
       return low32(uint32_t(x < 0 ? -x : x) + uint32_t(y < 0 ? -y : y) + a.u(2));
     }},
    {"v_sad_u32", 3, "u:uuu",
     [](L a) { return low32((a.u(0) > a.u(1) ? a.u(0) - a.u(1) : a.u(1) - a.u(0)) + a.u(2)); }},
    {"v_mad_u32_u24", 3, "u:uuu",
     [](L a) { return low32(uint64_t(u24(a.u(0))) * u24(a.u(1)) + a.u(2)); }},
    {"v_mad_i32_i24", 3, "u:uuu",
     [](L a) { return low32(int64_t(sext24(a.u(0))) * sext24(a.u(1)) + a.i(2)); }},
    {"v_min3_i32", 3, "u:uuu", [](L a) { return low32(least(least(a.i(0), a.i(1)), a.i(2))); }},
    {"v_max3_i32", 3, "u:uuu", [](L a) { return low32(most(most(a.i(0), a.i(1)), a.i(2))); }},
    {"v_med3_i32", 3, "u:uuu", [](L a) { return low32(med(a.i(0), a.i(1), a.i(2))); }},
    {"v_min3_u32", 3, "u:uuu", [](L a) { return low32(least(least(a.u(0), a.u(1)), a.u(2))); }},
    {"v_max3_u32", 3, "u:uuu", [](L a) { return low32(most(most(a.u(0), a.u(1)), a.u(2))); }},
    {"v_med3_u32", 3, "u:uuu", [](L a) { return low32(med(a.u(0), a.u(1), a.u(2))); }},
    {"v_minmax_i32", 3, "u:uuu", [](L a) { return low32(most(least(a.i(0), a.i(1)), a.i(2))); }},
    {"v_maxmin_i32", 3, "u:uuu", [](L a) { return low32(least(most(a.i(0), a.i(1)), a.i(2))); }},
    {"v_minmax_u32", 3, "u:uuu", [](L a) { return low32(most(least(a.u(0), a.u(1)), a.u(2))); }},
    {"v_maxmin_u32", 3, "u:uuu", [](L a) { return low32(least(most(a.u(0), a.u(1)), a.u(2))); }},
    // 16 bits
    {"v_add_nc_u16", 3, "w:ww", [](L a) { return w16(a.w(0) + a.w(1)); }},
    {"v_sub_nc_u16", 3, "w:ww", [](L a) { return w16(a.w(0) - a.w(1)); }},
    {"v_add_nc_i16", 3, "w:ww", [](L a) { return w16(a.w(0) + a.w(1)); }},
    {"v_sub_nc_i16", 3, "w:ww", [](L a) { return w16(a.w(0) - a.w(1)); }},
    {"v_mul_lo_u16", 3, "w:ww", [](L a) { return w16(uint32_t(a.w(0)) * a.w(1)); }},
    {"v_lshlrev_b16", 3, "w:ww", [](L a) { return w16(a.w(1) << (a.w(0) & 15)); }},
    {"v_lshrrev_b16", 3, "w:ww", [](L a) { return w16(a.w(1) >> (a.w(0) & 15)); }},
    {"v_ashrrev_i16", 3, "w:ww", [](L a) { return w16(a.t(1) >> (a.w(0) & 15)); }},
    {"v_and_b16", 3, "w:ww", [](L a) { return w16(a.w(0) & a.w(1)); }},
    {"v_or_b16", 3, "w:ww", [](L a) { return w16(a.w(0) | a.w(1)); }},
    {"v_xor_b16", 3, "w:ww", [](L a) { return w16(a.w(0) ^ a.w(1)); }},
    {"v_min_u16", 3, "w:ww", [](L a) { return w16(least(a.w(0), a.w(1))); }},
    {"v_max_u16", 3, "w:ww", [](L a) { return w16(most(a.w(0), a.w(1))); }},
    {"v_min_i16", 3, "w:ww", [](L a) { return w16(least(a.t(0), a.t(1))); }},
    {"v_max_i16", 3, "w:ww", [](L a) { return w16(most(a.t(0), a.t(1))); }},
    {"v_min3_u16", 3, "w:www", [](L a) { return w16(least(least(a.w(0), a.w(1)), a.w(2))); }},
    {"v_max3_u16", 3, "w:www", [](L a) { return w16(most(most(a.w(0), a.w(1)), a.w(2))); }},
    {"v_med3_u16", 3, "w:www", [](L a) { return w16(med(a.w(0), a.w(1), a.w(2))); }},
    {"v_min3_i16", 3, "w:www", [](L a) { return w16(least(least(a.t(0), a.t(1)), a.t(2))); }},
    {"v_max3_i16", 3, "w:www", [](L a) { return w16(most(most(a.t(0), a.t(1)), a.t(2))); }},
    {"v_med3_i16", 3, "w:www", [](L a) { return w16(med(a.t(0), a.t(1), a.t(2))); }},
    {"v_mad_u16", 3, "w:www", [](L a) { return w16(uint32_t(a.w(0)) * a.w(1) + a.w(2)); }},
    {"v_mad_i16", 3, "w:www", [](L a) { return w16(uint32_t(a.w(0)) * a.w(1) + a.w(2)); }},
    {"v_mad_u32_u16", 3, "u:wwu", [](L a) { return low32(uint32_t(a.w(0)) * a.w(1) + a.u(2)); }},
    {"v_mad_i32_i16", 3, "u:wwu", [](L a) { return low32(int64_t(a.t(0)) * a.t(1) + a.i(2)); }},
    // 64 bits
    {"v_lshlrev_b64", 3, "q:uq", [](L a) { return a.s[1] << (a.u(0) & 63); }, kNoDpp},
    {"v_lshrrev_b64", 3, "q:uq", [](L a) { return a.s[1] >> (a.u(0) & 63); }, kNoDpp},
    {"v_ashrrev_i64", 3, "q:uq", [](L a) { return uint64_t(int64_t(a.s[1]) >> (a.u(0) & 63)); },
     kNoDpp},
    {"v_qsad_pk_u16_u8", 3, "q:quq", [](L a) { return quadDifferences(a, false); },
     kNoDpp | kNoConstants},
    {"v_mqsad_pk_u16_u8", 3, "q:quq", [](L a) { return quadDifferences(a, true); },
     kNoDpp | kNoConstants},
};
