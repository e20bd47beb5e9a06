//===- VectorCoverageTest.cpp - which vector opcodes there are handlers for ----===//
//
// Every vector opcode that LLVM has for gfx11 is either executed or listed here with the reason why
// it is not. A new LLVM that adds or renames opcodes fails this test.
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Sim/HandlerTable.h"
#include "../../../lib/Sim/VectorKernel.h"
#include "OneWave.h"

#include <gtest/gtest.h>
#include <map>
#include <random>

using namespace tinysim;
using namespace tinysim::test;

namespace {
struct Reason {
  const char *prefix, *why;
};
const Reason reasons[] = {
    {"V_INTERP_", "graphics only: interpolates attributes of pixels"},
    {"V_CVT_PK_BF8_F32", "gfx1170 and later, in LLVM's table of gfx11"},
    {"V_CVT_PK_FP8_F32", "gfx1170 and later, in LLVM's table of gfx11"},
    {"V_CVT_SR_BF8_F32", "gfx1170 and later, in LLVM's table of gfx11"},
    {"V_CVT_SR_FP8_F32", "gfx1170 and later, in LLVM's table of gfx11"},
    {"V_CVT_F32_FP8", "gfx1170 and later, in LLVM's table of gfx11"},
    {"V_MAXIMUM_F64", "gfx1170 and later, in LLVM's table of gfx11"},
    {"V_MINIMUM_F64", "gfx1170 and later, in LLVM's table of gfx11"},
};
} // namespace

TEST(VectorCoverage, EveryOpcodeIsExecutedOrExcused) {
  const HandlerTable &table = HandlerTable::get();
  std::map<std::string, unsigned> used;
  unsigned executed = 0;
  for (const std::string &opcode : decoder().gfx11Opcodes()) {
    if (opcode.rfind("V_", 0) != 0)
      continue;
    std::string name = baseName(opcode);
    const Reason *excuse = nullptr;
    for (const Reason &reason : reasons)
      if (name.rfind(reason.prefix, 0) == 0)
        excuse = &reason;
    if (table.contains(name)) {
      EXPECT_EQ(excuse, nullptr) << name << " is executed and excused";
      ++executed;
    } else if (excuse) {
      ++used[excuse->prefix];
    } else {
      ADD_FAILURE() << opcode << " (" << name << ") has no handler and no excuse";
    }
  }
  EXPECT_GT(executed, 3000u);
  for (const Reason &reason : reasons)
    EXPECT_GT(used[reason.prefix], 0u) << reason.prefix << " excuses nothing: " << reason.why;
}

/// A kernel must not depend on what the host has: both versions of each, on the same numbers.
TEST(VectorCoverage, KernelsAgreeOnAnyHost) {
  if (!hostHasVectors())
    GTEST_SKIP() << "this host has no AVX2";
  std::mt19937_64 random(1);
  const uint64_t specials[] = {
      0,      0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0x3f800000, 1, 0x807fffff,
      0x7c00, 0x7e00,     0x8001,     0x3c00,     0xffffffff, 0x7fffffff, 0x00800000};
  const LaneMode mode;
  for (llvm::ArrayRef<Row> rows :
       {singleRows(), doubleRows(), halfRows(), integerRows(), conversionRows(), comparisonRows()})
    for (const Row &row : rows)
      for (unsigned round = 0; round < 20; ++round) {
        alignas(64) uint64_t sources[3][LaneBlock::size], results[2][LaneBlock::size] = {};
        uint32_t carries[2][LaneBlock::size] = {};
        LaneBlock block;
        for (unsigned k = 0; k < 3; ++k) {
          uint32_t *words = reinterpret_cast<uint32_t *>(sources[k]);
          bool half = row.src[k] == Type::f16 || row.src[k] == Type::b16;
          for (unsigned n = 0; n < 2 * LaneBlock::size; ++n) {
            words[n] = static_cast<uint32_t>(random() % 3 ? random() : specials[random() % 16]);
            words[n] &= half ? 0xffff : 0xffffffff;
          }
          block.src[k] = sources[k];
        }
        block.mode = &mode;
        block.maskIn = static_cast<uint32_t>(random());
        for (unsigned version = 0; version < 2; ++version) {
          block.dst = results[version];
          block.carryOut = carries[version];
          (version ? row.kernels.vectors : row.kernels.baseline)(block);
        }
        bool wide = row.dst == Type::b64 || row.dst == Type::f64;
        EXPECT_EQ(std::memcmp(results[0], results[1], wide ? 256 : 128), 0) << row.name;
        EXPECT_EQ(std::memcmp(carries[0], carries[1], 128), 0) << row.name;
      }
}
