//===- Scalar.cpp - SOP1, SOP2, SOPC, SOPK ----------------------------------===//
//
// Tables of pure functions: a scalar instruction is its operands' fetch, one function on values and
// SCC, and a write. What touches more of the wave than that (EXEC, the program counter, relative
// registers) has a handler of its own below the tables.
//
//===----------------------------------------------------------------------===//

#include "HandlerTable.h"
#include "ScalarMath.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;

namespace tinysim {

template <typename R, typename A, typename B> struct Binary {
  const char *name;
  R (*compute)(A a, B b, bool &scc);
};
template <typename R, typename A> struct Unary {
  const char *name;
  R (*compute)(A a, bool &scc);
};
struct Compare {
  const char *name;
  bool (*compute)(uint64_t a, uint64_t b);
};

/// Shorthand for results whose SCC says whether they are zero.
template <typename T> static T nonZero(T value, bool &scc) {
  scc = value != 0;
  return value;
}

static const Binary<uint32_t, uint32_t, uint32_t> binary32[] = {
    {"S_ADD_U32", [](uint32_t a, uint32_t b, bool &scc) { return addCarry(a, b, false, scc); }},
    {"S_SUB_U32",
     [](uint32_t a, uint32_t b, bool &scc) { return subtractBorrow(a, b, false, scc); }},
    {"S_ADDC_U32", [](uint32_t a, uint32_t b, bool &scc) { return addCarry(a, b, scc, scc); }},
    {"S_SUBB_U32",
     [](uint32_t a, uint32_t b, bool &scc) { return subtractBorrow(a, b, scc, scc); }},
    {"S_ADD_I32", addOverflow},
    {"S_SUB_I32",
     [](uint32_t a, uint32_t b, bool &scc) {
       uint32_t r = a - b;
       scc = ((a ^ b) & (a ^ r)) >> 31;
       return r;
     }},
    {"S_ABSDIFF_I32",
     [](uint32_t a, uint32_t b, bool &scc) {
       uint32_t difference = a - b; // wraps; it is its sign that counts
       return nonZero(static_cast<int32_t>(difference) < 0 ? 0 - difference : difference, scc);
     }},
    {"S_LSHL_B32", [](uint32_t a, uint32_t b, bool &scc) { return nonZero(a << (b & 31), scc); }},
    {"S_LSHR_B32", [](uint32_t a, uint32_t b, bool &scc) { return nonZero(a >> (b & 31), scc); }},
    {"S_ASHR_I32",
     [](uint32_t a, uint32_t b, bool &scc) {
       return nonZero(static_cast<uint32_t>(static_cast<int32_t>(a) >> (b & 31)), scc);
     }},
    {"S_LSHL1_ADD_U32", shiftAdd<1>},
    {"S_LSHL2_ADD_U32", shiftAdd<2>},
    {"S_LSHL3_ADD_U32", shiftAdd<3>},
    {"S_LSHL4_ADD_U32", shiftAdd<4>},
    // SCC: the first operand was taken.
    {"S_MIN_I32",
     [](uint32_t a, uint32_t b, bool &scc) {
       scc = static_cast<int32_t>(a) < static_cast<int32_t>(b);
       return scc ? a : b;
     }},
    {"S_MIN_U32",
     [](uint32_t a, uint32_t b, bool &scc) {
       scc = a < b;
       return scc ? a : b;
     }},
    {"S_MAX_I32",
     [](uint32_t a, uint32_t b, bool &scc) {
       scc = static_cast<int32_t>(a) >= static_cast<int32_t>(b);
       return scc ? a : b;
     }},
    {"S_MAX_U32",
     [](uint32_t a, uint32_t b, bool &scc) {
       scc = a >= b;
       return scc ? a : b;
     }},
    {"S_AND_B32", [](uint32_t a, uint32_t b, bool &scc) { return nonZero(a & b, scc); }},
    {"S_OR_B32", [](uint32_t a, uint32_t b, bool &scc) { return nonZero(a | b, scc); }},
    {"S_XOR_B32", [](uint32_t a, uint32_t b, bool &scc) { return nonZero(a ^ b, scc); }},
    {"S_NAND_B32", [](uint32_t a, uint32_t b, bool &scc) { return nonZero(~(a & b), scc); }},
    {"S_NOR_B32", [](uint32_t a, uint32_t b, bool &scc) { return nonZero(~(a | b), scc); }},
    {"S_XNOR_B32", [](uint32_t a, uint32_t b, bool &scc) { return nonZero(~(a ^ b), scc); }},
    {"S_ANDN2_B32", [](uint32_t a, uint32_t b, bool &scc) { return nonZero(a & ~b, scc); }},
    {"S_ORN2_B32", [](uint32_t a, uint32_t b, bool &scc) { return nonZero(a | ~b, scc); }},
    {"S_BFE_U32",
     [](uint32_t a, uint32_t b, bool &scc) {
       return nonZero(static_cast<uint32_t>(extractBits(a, b & 31, b >> 16 & 127)), scc);
     }},
    {"S_BFE_I32",
     [](uint32_t a, uint32_t b, bool &scc) {
       return nonZero(static_cast<uint32_t>(extractSigned(a, b & 31, b >> 16 & 127, 32)), scc);
     }},
    {"S_BFM_B32",
     [](uint32_t a, uint32_t b, bool &) { return ((1u << (a & 31)) - 1) << (b & 31); }},
    {"S_MUL_I32", [](uint32_t a, uint32_t b, bool &) { return a * b; }},
    {"S_MUL_HI_U32",
     [](uint32_t a, uint32_t b, bool &) { return static_cast<uint32_t>(uint64_t(a) * b >> 32); }},
    {"S_MUL_HI_I32",
     [](uint32_t a, uint32_t b, bool &) {
       int64_t product = int64_t(static_cast<int32_t>(a)) * static_cast<int32_t>(b);
       return static_cast<uint32_t>(static_cast<uint64_t>(product) >> 32);
     }},
    {"S_CSELECT_B32", [](uint32_t a, uint32_t b, bool &scc) { return scc ? a : b; }},
    {"S_PACK_LL_B32_B16", [](uint32_t a, uint32_t b, bool &) { return (a & 0xffff) | b << 16; }},
    {"S_PACK_LH_B32_B16",
     [](uint32_t a, uint32_t b, bool &) { return (a & 0xffff) | (b & 0xffff0000u); }},
    {"S_PACK_HH_B32_B16",
     [](uint32_t a, uint32_t b, bool &) { return a >> 16 | (b & 0xffff0000u); }},
    {"S_PACK_HL_B32_B16", [](uint32_t a, uint32_t b, bool &) { return a >> 16 | b << 16; }},
};

static const Binary<uint64_t, uint64_t, uint64_t> binary64[] = {
    {"S_AND_B64", [](uint64_t a, uint64_t b, bool &scc) { return nonZero(a & b, scc); }},
    {"S_OR_B64", [](uint64_t a, uint64_t b, bool &scc) { return nonZero(a | b, scc); }},
    {"S_XOR_B64", [](uint64_t a, uint64_t b, bool &scc) { return nonZero(a ^ b, scc); }},
    {"S_NAND_B64", [](uint64_t a, uint64_t b, bool &scc) { return nonZero(~(a & b), scc); }},
    {"S_NOR_B64", [](uint64_t a, uint64_t b, bool &scc) { return nonZero(~(a | b), scc); }},
    {"S_XNOR_B64", [](uint64_t a, uint64_t b, bool &scc) { return nonZero(~(a ^ b), scc); }},
    {"S_ANDN2_B64", [](uint64_t a, uint64_t b, bool &scc) { return nonZero(a & ~b, scc); }},
    {"S_ORN2_B64", [](uint64_t a, uint64_t b, bool &scc) { return nonZero(a | ~b, scc); }},
    {"S_CSELECT_B64", [](uint64_t a, uint64_t b, bool &scc) { return scc ? a : b; }},
};

/// 64 bits by a 32-bit count or field.
static const Binary<uint64_t, uint64_t, uint32_t> shift64[] = {
    {"S_LSHL_B64", [](uint64_t a, uint32_t b, bool &scc) { return nonZero(a << (b & 63), scc); }},
    {"S_LSHR_B64", [](uint64_t a, uint32_t b, bool &scc) { return nonZero(a >> (b & 63), scc); }},
    {"S_ASHR_I64",
     [](uint64_t a, uint32_t b, bool &scc) {
       return nonZero(static_cast<uint64_t>(static_cast<int64_t>(a) >> (b & 63)), scc);
     }},
    {"S_BFE_U64", [](uint64_t a, uint32_t b,
                     bool &scc) { return nonZero(extractBits(a, b & 63, b >> 16 & 127), scc); }},
    {"S_BFE_I64",
     [](uint64_t a, uint32_t b, bool &scc) {
       return nonZero(static_cast<uint64_t>(extractSigned(a, b & 63, b >> 16 & 127, 64)), scc);
     }},
};

static const Unary<uint32_t, uint32_t> unary32[] = {
    {"S_MOV_B32", [](uint32_t a, bool &) { return a; }},
    {"S_NOT_B32", [](uint32_t a, bool &scc) { return nonZero(~a, scc); }},
    {"S_WQM_B32",
     [](uint32_t a, bool &scc) { return nonZero(static_cast<uint32_t>(wholeQuads(a)), scc); }},
    {"S_QUADMASK_B32",
     [](uint32_t a, bool &scc) { return nonZero(static_cast<uint32_t>(quadMask(a)), scc); }},
    {"S_BREV_B32", [](uint32_t a, bool &) { return reverseBits32(a); }},
    {"S_BCNT0_I32_B32",
     [](uint32_t a, bool &scc) { return nonZero(uint32_t(__builtin_popcount(~a)), scc); }},
    {"S_BCNT1_I32_B32",
     [](uint32_t a, bool &scc) { return nonZero(uint32_t(__builtin_popcount(a)), scc); }},
    {"S_FF1_I32_B32", [](uint32_t a, bool &) { return a ? uint32_t(__builtin_ctz(a)) : ~0u; }},
    {"S_FLBIT_I32_B32", [](uint32_t a, bool &) { return a ? uint32_t(__builtin_clz(a)) : ~0u; }},
    {"S_FLBIT_I32",
     [](uint32_t a, bool &) {
       uint32_t differs = a ^ static_cast<uint32_t>(static_cast<int32_t>(a) >> 31);
       return differs ? uint32_t(__builtin_clz(differs)) : ~0u;
     }},
    {"S_SEXT_I32_I8",
     [](uint32_t a, bool &) { return static_cast<uint32_t>(int32_t(static_cast<int8_t>(a))); }},
    {"S_SEXT_I32_I16",
     [](uint32_t a, bool &) { return static_cast<uint32_t>(int32_t(static_cast<int16_t>(a))); }},
    {"S_ABS_I32",
     [](uint32_t a, bool &scc) { return nonZero(static_cast<int32_t>(a) < 0 ? 0 - a : a, scc); }},
};

static const Unary<uint64_t, uint64_t> unary64[] = {
    {"S_MOV_B64", [](uint64_t a, bool &) { return a; }},
    {"S_NOT_B64", [](uint64_t a, bool &scc) { return nonZero(~a, scc); }},
    {"S_WQM_B64", [](uint64_t a, bool &scc) { return nonZero(wholeQuads(a), scc); }},
    {"S_QUADMASK_B64", [](uint64_t a, bool &scc) { return nonZero(quadMask(a), scc); }},
    {"S_BREV_B64",
     [](uint64_t a, bool &) {
       return uint64_t(reverseBits32(static_cast<uint32_t>(a))) << 32 |
              reverseBits32(static_cast<uint32_t>(a >> 32));
     }},
};

/// 64 bits to 32.
static const Unary<uint32_t, uint64_t> count64[] = {
    {"S_BCNT0_I32_B64",
     [](uint64_t a, bool &scc) { return nonZero(uint32_t(__builtin_popcountll(~a)), scc); }},
    {"S_BCNT1_I32_B64",
     [](uint64_t a, bool &scc) { return nonZero(uint32_t(__builtin_popcountll(a)), scc); }},
    {"S_FF1_I32_B64", [](uint64_t a, bool &) { return a ? uint32_t(__builtin_ctzll(a)) : ~0u; }},
    {"S_FLBIT_I32_B64", [](uint64_t a, bool &) { return a ? uint32_t(__builtin_clzll(a)) : ~0u; }},
    {"S_FLBIT_I32_I64",
     [](uint64_t a, bool &) {
       uint64_t differs = a ^ static_cast<uint64_t>(static_cast<int64_t>(a) >> 63);
       return differs ? uint32_t(__builtin_clzll(differs)) : ~0u;
     }},
};

static int32_t s(uint64_t value) { return static_cast<int32_t>(value); }
static uint32_t u(uint64_t value) { return static_cast<uint32_t>(value); }

/// S_CMP_<name> and S_CMPK_<name>.
static const Compare compares[] = {
    {"EQ_I32", [](uint64_t a, uint64_t b) { return u(a) == u(b); }},
    {"LG_I32", [](uint64_t a, uint64_t b) { return u(a) != u(b); }},
    {"GT_I32", [](uint64_t a, uint64_t b) { return s(a) > s(b); }},
    {"GE_I32", [](uint64_t a, uint64_t b) { return s(a) >= s(b); }},
    {"LT_I32", [](uint64_t a, uint64_t b) { return s(a) < s(b); }},
    {"LE_I32", [](uint64_t a, uint64_t b) { return s(a) <= s(b); }},
    {"EQ_U32", [](uint64_t a, uint64_t b) { return u(a) == u(b); }},
    {"LG_U32", [](uint64_t a, uint64_t b) { return u(a) != u(b); }},
    {"GT_U32", [](uint64_t a, uint64_t b) { return u(a) > u(b); }},
    {"GE_U32", [](uint64_t a, uint64_t b) { return u(a) >= u(b); }},
    {"LT_U32", [](uint64_t a, uint64_t b) { return u(a) < u(b); }},
    {"LE_U32", [](uint64_t a, uint64_t b) { return u(a) <= u(b); }},
};
static const Compare compares64[] = {
    {"S_CMP_EQ_U64", [](uint64_t a, uint64_t b) { return a == b; }},
    {"S_CMP_LG_U64", [](uint64_t a, uint64_t b) { return a != b; }},
    {"S_BITCMP0_B64", [](uint64_t a, uint64_t b) { return (a >> (b & 63) & 1) == 0; }},
    {"S_BITCMP1_B64", [](uint64_t a, uint64_t b) { return (a >> (b & 63) & 1) != 0; }},
};

/// EXEC = f(source, EXEC), of the _SAVEEXEC and _WREXEC instructions.
static const Binary<uint64_t, uint64_t, uint64_t> execOps[] = {
    {"S_AND_SAVEEXEC", [](uint64_t a, uint64_t e, bool &) { return a & e; }},
    {"S_OR_SAVEEXEC", [](uint64_t a, uint64_t e, bool &) { return a | e; }},
    {"S_XOR_SAVEEXEC", [](uint64_t a, uint64_t e, bool &) { return a ^ e; }},
    {"S_NAND_SAVEEXEC", [](uint64_t a, uint64_t e, bool &) { return ~(a & e); }},
    {"S_NOR_SAVEEXEC", [](uint64_t a, uint64_t e, bool &) { return ~(a | e); }},
    {"S_XNOR_SAVEEXEC", [](uint64_t a, uint64_t e, bool &) { return ~(a ^ e); }},
    {"S_ANDN1_SAVEEXEC", [](uint64_t a, uint64_t e, bool &) { return ~a & e; }},
    {"S_ANDN2_SAVEEXEC", [](uint64_t a, uint64_t e, bool &) { return a & ~e; }},
    {"S_ORN1_SAVEEXEC", [](uint64_t a, uint64_t e, bool &) { return ~a | e; }},
    {"S_ORN2_SAVEEXEC", [](uint64_t a, uint64_t e, bool &) { return a | ~e; }},
    {"S_ANDN1_WREXEC", [](uint64_t a, uint64_t e, bool &) { return ~a & e; }},
    {"S_ANDN2_WREXEC", [](uint64_t a, uint64_t e, bool &) { return a & ~e; }},
};

static void runBinary32(Wave &wave, const Instruction &i) {
  bool scc = wave.scc();
  wave.scalars[i.dst[0].index] =
      binary32[i.tag].compute(wave.read32(i.src[0]), wave.read32(i.src[1]), scc);
  wave.setScc(scc);
}
static void runBinary64(Wave &wave, const Instruction &i) {
  bool scc = wave.scc();
  wave.setScalar64(i.dst[0].index,
                   binary64[i.tag].compute(wave.read64(i.src[0]), wave.read64(i.src[1]), scc));
  wave.setScc(scc);
}
static void runShift64(Wave &wave, const Instruction &i) {
  bool scc = wave.scc();
  wave.setScalar64(i.dst[0].index,
                   shift64[i.tag].compute(wave.read64(i.src[0]), wave.read32(i.src[1]), scc));
  wave.setScc(scc);
}
static void runUnary32(Wave &wave, const Instruction &i) {
  bool scc = wave.scc();
  wave.scalars[i.dst[0].index] = unary32[i.tag].compute(wave.read32(i.src[0]), scc);
  wave.setScc(scc);
}
static void runUnary64(Wave &wave, const Instruction &i) {
  bool scc = wave.scc();
  wave.setScalar64(i.dst[0].index, unary64[i.tag].compute(wave.read64(i.src[0]), scc));
  wave.setScc(scc);
}
static void runCount64(Wave &wave, const Instruction &i) {
  bool scc = wave.scc();
  wave.scalars[i.dst[0].index] = count64[i.tag].compute(wave.read64(i.src[0]), scc);
  wave.setScc(scc);
}
static void runCompare(Wave &wave, const Instruction &i) {
  wave.setScc(compares[i.tag].compute(wave.read32(i.src[0]), wave.read32(i.src[1])));
}
static void runCompareSigned(Wave &wave, const Instruction &i) { // S_CMPK_…_I32
  wave.setScc(compares[i.tag].compute(wave.read32(i.src[0]), signedImmediate(i)));
}
static void runCompareUnsigned(Wave &wave, const Instruction &i) { // S_CMPK_…_U32
  wave.setScc(compares[i.tag].compute(wave.read32(i.src[0]), i.immediate & 0xffff));
}
static void runCompare64(Wave &wave, const Instruction &i) {
  uint64_t b = i.src[1].dwords == 2 ? wave.read64(i.src[1]) : wave.read32(i.src[1]);
  wave.setScc(compares64[i.tag].compute(wave.read64(i.src[0]), b));
}

template <typename T> static T readAs(const Wave &wave, const Operand &operand) {
  return static_cast<T>(sizeof(T) == 4 ? wave.read32(operand) : wave.read64(operand));
}
template <typename T> static void writeAs(Wave &wave, unsigned index, T value) {
  if (sizeof(T) == 4)
    wave.scalars[index] = static_cast<uint32_t>(value);
  else
    wave.setScalar64(index, value);
}
template <typename T> static T execAs(const Wave &wave) {
  return static_cast<T>(sizeof(T) == 4 ? wave.scalars[scalarExec] : wave.scalar64(scalarExec));
}

template <typename T, bool NewExec> static void runExec(Wave &wave, const Instruction &i) {
  bool ignored;
  T old = execAs<T>(wave);
  T now = static_cast<T>(execOps[i.tag].compute(readAs<T>(wave, i.src[0]), old, ignored));
  writeAs<T>(wave, i.dst[0].index, NewExec ? now : old);
  writeAs<T>(wave, scalarExec, now);
  wave.setScc(now != 0);
}

template <typename T> static void runConditionalMove(Wave &wave, const Instruction &i) {
  if (wave.scc())
    writeAs<T>(wave, i.dst[0].index, readAs<T>(wave, i.src[0]));
}
template <typename T, bool Value> static void runBitSet(Wave &wave, const Instruction &i) {
  T bit = T(1) << (wave.read32(i.src[0]) & (sizeof(T) * 8 - 1));
  T old = readAs<T>(wave, i.dst[0]);
  writeAs<T>(wave, i.dst[0].index, Value ? old | bit : old & ~bit);
}

/// Adds M0 to an SGPR number; a fault where that leaves the SGPRs.
static bool relative(Wave &wave, unsigned index, uint32_t m0, unsigned dwords, unsigned &result) {
  uint64_t sum = uint64_t(index) + m0;
  if (index >= scalarVcc || sum + dwords > scalarVcc) {
    wave.fault(Fault::Kind::outOfBounds,
               "names s" + std::to_string(sum) + " by M0: there are 106 SGPRs");
    return false;
  }
  result = static_cast<unsigned>(sum);
  return true;
}
template <typename T> static void runMoveFromRelative(Wave &wave, const Instruction &i) {
  unsigned from;
  if (!relative(wave, i.src[0].index, wave.scalars[scalarM0], sizeof(T) / 4, from))
    return;
  Operand source = i.src[0];
  source.index = static_cast<uint16_t>(from);
  writeAs<T>(wave, i.dst[0].index, readAs<T>(wave, source));
}
template <typename T> static void runMoveToRelative(Wave &wave, const Instruction &i) {
  unsigned to; // the destination is the first operand: LLVM describes no definition
  if (!relative(wave, i.src[0].index, wave.scalars[scalarM0], sizeof(T) / 4, to))
    return;
  writeAs<T>(wave, to, readAs<T>(wave, i.src[1]));
}
static void runMoveRelativeBoth(Wave &wave, const Instruction &i) {
  unsigned from, to;
  uint32_t m0 = wave.scalars[scalarM0];
  if (relative(wave, i.src[0].index, m0 & 0x3ff, 1, from) &&
      relative(wave, i.dst[0].index, m0 >> 16 & 0x3ff, 1, to))
    wave.scalars[to] = wave.scalars[from];
}

/// Registers each entry of a table with its number as the tag.
template <typename Entry, size_t N>
static void addAll(HandlerTable &table, const Entry (&entries)[N], Handler handler) {
  for (uint32_t n = 0; n < N; ++n)
    table.addHandler(entries[n].name, handler, n);
}

void registerScalar(HandlerTable &table) {
  addAll(table, binary32, runBinary32);
  addAll(table, binary64, runBinary64);
  addAll(table, shift64, runShift64);
  addAll(table, unary32, runUnary32);
  addAll(table, unary64, runUnary64);
  addAll(table, count64, runCount64);
  addAll(table, compares64, runCompare64);
  for (uint32_t n = 0; n < std::size(compares); ++n) {
    StringRef name = compares[n].name;
    table.addHandler((Twine("S_CMP_") + name).str(), runCompare, n);
    table.addHandler((Twine("S_CMPK_") + name).str(),
                     name.ends_with("I32") ? runCompareSigned : runCompareUnsigned, n);
  }
  for (uint32_t n = 0; n < std::size(execOps); ++n) {
    StringRef name = execOps[n].name;
    bool now = name.ends_with("_WREXEC");
    table.addHandler((Twine(name) + "_B32").str(),
                     now ? runExec<uint32_t, true> : runExec<uint32_t, false>, n);
    table.addHandler((Twine(name) + "_B64").str(),
                     now ? runExec<uint64_t, true> : runExec<uint64_t, false>, n);
  }
  table.addHandler("S_CMOV_B32", runConditionalMove<uint32_t>);
  table.addHandler("S_CMOV_B64", runConditionalMove<uint64_t>);
  table.addHandler("S_BITSET0_B32", runBitSet<uint32_t, false>);
  table.addHandler("S_BITSET1_B32", runBitSet<uint32_t, true>);
  table.addHandler("S_BITSET0_B64", runBitSet<uint64_t, false>);
  table.addHandler("S_BITSET1_B64", runBitSet<uint64_t, true>);
  table.addHandler("S_MOVRELS_B32", runMoveFromRelative<uint32_t>);
  table.addHandler("S_MOVRELS_B64", runMoveFromRelative<uint64_t>);
  table.addHandler("S_MOVRELD_B32", runMoveToRelative<uint32_t>);
  table.addHandler("S_MOVRELD_B64", runMoveToRelative<uint64_t>);
  table.addHandler("S_MOVRELSD_2_B32", runMoveRelativeBoth);

  table.addHandler("S_BFM_B64", [](Wave &wave, const Instruction &i) {
    uint64_t ones = (uint64_t(1) << (wave.read32(i.src[0]) & 63)) - 1;
    wave.setScalar64(i.dst[0].index, ones << (wave.read32(i.src[1]) & 63));
  });
  table.addHandler("S_BITREPLICATE_B64_B32", [](Wave &wave, const Instruction &i) {
    uint64_t result = 0;
    for (unsigned bit = 0; bit < 32; ++bit)
      result |= uint64_t((wave.read32(i.src[0]) >> bit & 1) * 3) << (2 * bit);
    wave.setScalar64(i.dst[0].index, result);
  });
  table.addHandler("S_BITCMP0_B32", [](Wave &wave, const Instruction &i) {
    wave.setScc(!(wave.read32(i.src[0]) >> (wave.read32(i.src[1]) & 31) & 1));
  });
  table.addHandler("S_BITCMP1_B32", [](Wave &wave, const Instruction &i) {
    wave.setScc(wave.read32(i.src[0]) >> (wave.read32(i.src[1]) & 31) & 1);
  });
  table.addHandler("S_MOVK_I32", [](Wave &wave, const Instruction &i) {
    wave.scalars[i.dst[0].index] = signedImmediate(i);
  });
  table.addHandler("S_CMOVK_I32", [](Wave &wave, const Instruction &i) {
    if (wave.scc())
      wave.scalars[i.dst[0].index] = signedImmediate(i);
  });
  table.addHandler("S_ADDK_I32", [](Wave &wave, const Instruction &i) {
    bool scc;
    wave.scalars[i.dst[0].index] = addOverflow(wave.read32(i.src[0]), signedImmediate(i), scc);
    wave.setScc(scc);
  });
  table.addHandler("S_MULK_I32", [](Wave &wave, const Instruction &i) {
    wave.scalars[i.dst[0].index] = wave.read32(i.src[0]) * signedImmediate(i);
  });
}

} // namespace tinysim
