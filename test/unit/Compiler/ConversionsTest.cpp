//===- ConversionsTest.cpp - every rounding of every conversion -----------===//
//
// Kernels against LLVM's APFloat, which shares nothing with the code that they
// are made of. All of f16 and bf16, and for wider types the values around every
// tie: that is where a second rounding shows.
//
//===----------------------------------------------------------------------===//

#include "KernelRunner.h"

#include "llvm/ADT/APFloat.h"

#include <cmath>
#include <random>

using namespace tinytest;
using llvm::APFloat;
using llvm::APInt;

namespace {

class Conversions : public ::testing::TestWithParam<Variant> {};

/// `x`, of the given semantics, as a float of `to`: its bits.
uint64_t convertFloat(APFloat x, const llvm::fltSemantics &to) {
  bool losesInfo;
  x.convert(to, APFloat::rmNearestTiesToEven, &losesInfo);
  return x.bitcastToAPInt().getZExtValue();
}

uint64_t convertInteger(uint64_t x, bool isSigned, const llvm::fltSemantics &to) {
  APFloat result(to);
  result.convertFromAPInt(APInt(64, x), isSigned, APFloat::rmNearestTiesToEven);
  return result.bitcastToAPInt().getZExtValue();
}

/// Compares bits; any NaN will do for a NaN.
template <typename Bits, typename In, typename Expected>
void expectBits(const std::vector<In> &inputs, const std::vector<Bits> &results,
                const llvm::fltSemantics &type, Expected expected) {
  ASSERT_EQ(inputs.size(), results.size());
  unsigned shown = 0;
  for (size_t i = 0; i < inputs.size() && shown < 5; ++i) {
    uint64_t want = expected(inputs[i]);
    APFloat wanted(type, APInt(sizeof(Bits) * 8, want));
    APFloat got(type, APInt(sizeof(Bits) * 8, results[i]));
    if (want == results[i] || (wanted.isNaN() && got.isNaN()))
      continue;
    ++shown;
    ADD_FAILURE() << "element " << i << ": " << std::hex << uint64_t(results[i]) << ", not "
                  << want;
  }
}

std::vector<uint16_t> all16() {
  std::vector<uint16_t> result(1 << 16);
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = i;
  return result;
}

/// For each value of a 16-bit float: itself, the tie above it, and that tie a little lower and
/// higher, by one place of f32 or (where f32 would round it away) of f64.
template <typename Float> std::vector<Float> aroundTies(const llvm::fltSemantics &narrow) {
  std::vector<Float> result = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 65519.0f, 65520.0f};
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    APFloat low(narrow, APInt(16, bits)), high(narrow, APInt(16, (bits + 1) & 0xffff));
    double x = low.convertToDouble(), y = high.convertToDouble();
    if (std::isnan(x))
      continue;
    if (!std::isfinite(y)) // the tie between the greatest number and infinity
      y = std::copysign(
          2 * std::fabs(x) - std::fabs(APFloat(narrow, APInt(16, bits - 1)).convertToDouble()), x);
    double tie = x / 2 + y / 2;
    for (double value :
         {x, tie, double(std::nextafterf(tie, INFINITY)), double(std::nextafterf(tie, -INFINITY)),
          std::nextafter(tie, INFINITY), std::nextafter(tie, -double(INFINITY))})
      result.push_back(static_cast<Float>(value));
  }
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    if constexpr (sizeof(Float) == 4)
      result.push_back(bitsTo<float>(uint32_t(random())));
    else
      result.push_back(bitsTo<double>(random()));
  }
  return result;
}

std::vector<uint64_t> interestingIntegers() {
  std::vector<uint64_t> result = {0, 1, ~0ull, 65519, 65520};
  for (unsigned bit = 0; bit < 64; ++bit)
    for (unsigned second = 0; second <= bit; ++second)
      for (int64_t near = -2; near <= 2; ++near) {
        uint64_t x = (1ull << bit) + (1ull << second) + near;
        result.push_back(x);
        result.push_back(-x);
      }
  std::mt19937_64 random(2);
  for (int i = 0; i < 20000; ++i)
    result.push_back(random() >> (i % 64));
  return result;
}

constexpr const char *kExtF = "%r = arith.extf %x : {0} to {1}";
constexpr const char *kTruncF = "%r = arith.truncf %x : {0} to {1}";

TEST_P(Conversions, F16ToF32) {
  auto inputs = all16();
  expectBits(inputs, apply<uint32_t>(GetParam(), kExtF, "f16", "f32", inputs),
             APFloat::IEEEsingle(), [](uint16_t x) {
               return convertFloat(APFloat(APFloat::IEEEhalf(), APInt(16, x)),
                                   APFloat::IEEEsingle());
             });
}

TEST_P(Conversions, F16ToF64) {
  auto inputs = all16();
  expectBits(inputs, apply<uint64_t>(GetParam(), kExtF, "f16", "f64", inputs),
             APFloat::IEEEdouble(), [](uint16_t x) {
               return convertFloat(APFloat(APFloat::IEEEhalf(), APInt(16, x)),
                                   APFloat::IEEEdouble());
             });
}

TEST_P(Conversions, BF16ToF32) {
  auto inputs = all16();
  expectBits(inputs, apply<uint32_t>(GetParam(), kExtF, "bf16", "f32", inputs),
             APFloat::IEEEsingle(), [](uint16_t x) { return uint32_t(x) << 16; });
}

TEST_P(Conversions, F32ToF16) {
  auto inputs = aroundTies<float>(APFloat::IEEEhalf());
  expectBits(inputs, apply<uint16_t>(GetParam(), kTruncF, "f32", "f16", inputs),
             APFloat::IEEEhalf(),
             [](float x) { return convertFloat(APFloat(x), APFloat::IEEEhalf()); });
}

TEST_P(Conversions, F32ToBF16) {
  auto inputs = aroundTies<float>(APFloat::BFloat());
  expectBits(inputs, apply<uint16_t>(GetParam(), kTruncF, "f32", "bf16", inputs), APFloat::BFloat(),
             [](float x) { return convertFloat(APFloat(x), APFloat::BFloat()); });
}

TEST_P(Conversions, F64ToF16) {
  auto inputs = aroundTies<double>(APFloat::IEEEhalf());
  expectBits(inputs, apply<uint16_t>(GetParam(), kTruncF, "f64", "f16", inputs),
             APFloat::IEEEhalf(),
             [](double x) { return convertFloat(APFloat(x), APFloat::IEEEhalf()); });
}

TEST_P(Conversions, F64ToBF16) {
  auto inputs = aroundTies<double>(APFloat::BFloat());
  expectBits(inputs, apply<uint16_t>(GetParam(), kTruncF, "f64", "bf16", inputs), APFloat::BFloat(),
             [](double x) { return convertFloat(APFloat(x), APFloat::BFloat()); });
}

template <typename Bits>
void testIntegers(const Variant &variant, const char *type, const llvm::fltSemantics &semantics) {
  auto inputs = interestingIntegers();
  expectBits(inputs, apply<Bits>(variant, "%r = arith.sitofp %x : {0} to {1}", "i64", type, inputs),
             semantics, [&](uint64_t x) { return convertInteger(x, true, semantics); });
  expectBits(inputs, apply<Bits>(variant, "%r = arith.uitofp %x : {0} to {1}", "i64", type, inputs),
             semantics, [&](uint64_t x) { return convertInteger(x, false, semantics); });
  std::vector<uint32_t> narrow(inputs.begin(), inputs.end());
  expectBits(narrow, apply<Bits>(variant, "%r = arith.sitofp %x : {0} to {1}", "i32", type, narrow),
             semantics,
             [&](uint32_t x) { return convertInteger(int64_t(int32_t(x)), true, semantics); });
  expectBits(narrow, apply<Bits>(variant, "%r = arith.uitofp %x : {0} to {1}", "i32", type, narrow),
             semantics, [&](uint32_t x) { return convertInteger(x, false, semantics); });
}

TEST_P(Conversions, IntegersToF64) {
  testIntegers<uint64_t>(GetParam(), "f64", APFloat::IEEEdouble());
}
TEST_P(Conversions, IntegersToF32) {
  testIntegers<uint32_t>(GetParam(), "f32", APFloat::IEEEsingle());
}
TEST_P(Conversions, IntegersToF16) {
  testIntegers<uint16_t>(GetParam(), "f16", APFloat::IEEEhalf());
}
TEST_P(Conversions, IntegersToBF16) {
  testIntegers<uint16_t>(GetParam(), "bf16", APFloat::BFloat());
}

TEST_P(Conversions, BytesToF16) {
  std::vector<uint8_t> inputs(256);
  for (size_t i = 0; i < 256; ++i)
    inputs[i] = i;
  expectBits(
      inputs, apply<uint16_t>(GetParam(), "%r = arith.sitofp %x : {0} to {1}", "i8", "f16", inputs),
      APFloat::IEEEhalf(),
      [](uint8_t x) { return convertInteger(int64_t(int8_t(x)), true, APFloat::IEEEhalf()); });
}

TEST_P(Conversions, FloatsToIntegers) {
  std::vector<double> inputs;
  for (uint64_t x : interestingIntegers())
    if (double(x) < 0x1p64)
      inputs.push_back(double(x) + (x % 3) * 0.25);
  auto results =
      apply<uint64_t>(GetParam(), "%r = arith.fptoui %x : {0} to {1}", "f64", "i64", inputs);
  ASSERT_EQ(results.size(), inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i)
    ASSERT_EQ(results[i], uint64_t(inputs[i])) << inputs[i];
  for (double &x : inputs)
    x = std::fmod(x, 0x1p63) * (x > 1e9 ? -1 : 1);
  results = apply<uint64_t>(GetParam(), "%r = arith.fptosi %x : {0} to {1}", "f64", "i64", inputs);
  ASSERT_EQ(results.size(), inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i)
    ASSERT_EQ(int64_t(results[i]), int64_t(inputs[i])) << inputs[i];
}

INSTANTIATE_TEST_SUITE_P(EveryCPU, Conversions, ::testing::ValuesIn(variants()),
                         [](const auto &info) {
                           std::string name = info.param.cpu;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name + "_by_" + std::to_string(info.param.width);
                         });

} // namespace
