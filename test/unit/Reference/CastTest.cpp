//===- CastTest.cpp - the cast op against independent expectations --------===//
//
// f16 and bf16 are exhausted: their values are listed from the definition of the
// formats, and rounding is checked at and beside every midpoint between two of
// them.
//
//===----------------------------------------------------------------------===//

#include "Run.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace tinytest;

static const double inf = std::numeric_limits<double>::infinity();
static const double nan64 = std::numeric_limits<double>::quiet_NaN();

/// The number that a 16-bit pattern stands for, by IEEE 754 with the given exponent width.
static double decode(uint16_t bits, int exponentBits) {
  int fractionBits = 15 - exponentBits, bias = (1 << (exponentBits - 1)) - 1;
  int exponent = bits >> fractionBits & ((1 << exponentBits) - 1);
  int fraction = bits & ((1 << fractionBits) - 1);
  double sign = bits >> 15 ? -1 : 1, scaled = fraction * std::pow(2.0, -fractionBits);
  if (exponent == (1 << exponentBits) - 1)
    return fraction ? nan64 : sign * inf;
  return exponent ? sign * (1 + scaled) * std::pow(2.0, exponent - bias)
                  : sign * scaled * std::pow(2.0, 1 - bias);
}

static int exponentBitsOf(ElementType type) { return type == ElementType::f16 ? 5 : 8; }

static std::vector<uint16_t> allPatterns() {
  std::vector<uint16_t> patterns(65536);
  for (int k = 0; k < 65536; ++k)
    patterns[k] = static_cast<uint16_t>(k);
  return patterns;
}

class SixteenBits : public testing::TestWithParam<ElementType> {};

TEST_P(SixteenBits, EveryValueWidensExactlyAndComesBack) {
  std::vector<uint16_t> patterns = allPatterns();
  Tensor input = vectorOf(GetParam(), patterns);
  for (ElementType wide : {ElementType::f32, ElementType::f64}) {
    Tensor widened = castTo(wide, input);
    std::vector<uint16_t> back = numbersOf<uint16_t>(castTo(GetParam(), widened));
    for (int k = 0; k < 65536; ++k) {
      double expected = decode(patterns[k], exponentBitsOf(GetParam()));
      double actual = wide == ElementType::f32 ? widened.as<float>()[k] : widened.as<double>()[k];
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(actual)) << k;
        ASSERT_TRUE(std::isnan(decode(back[k], exponentBitsOf(GetParam())))) << k;
        continue;
      }
      ASSERT_EQ(actual, expected) << k;
      ASSERT_EQ(std::signbit(actual), std::signbit(expected)) << k;
      ASSERT_EQ(back[k], patterns[k]);
    }
  }
}

/// Between every two neighbours: the midpoint goes to the even one, and what lies the smallest step
/// of f64 beside it goes to the nearer one, which it would not after a rounding to f32.
TEST_P(SixteenBits, RoundsToNearestEvenOnce) {
  int exponentBits = exponentBitsOf(GetParam());
  auto infinity = static_cast<uint16_t>(((1 << exponentBits) - 1) << (15 - exponentBits));
  std::vector<double> inputs;
  std::vector<uint16_t> expected;
  for (int sign = 0; sign < 2; ++sign)
    for (uint16_t low = 0; low < infinity; ++low) {
      uint16_t high = low + 1;
      double a = decode(low, exponentBits);
      // Infinity stands where the next number would be.
      double b =
          high == infinity ? 2 * a - decode(low - 1, exponentBits) : decode(high, exponentBits);
      double middle = a / 2 + b / 2;
      auto add = [&](double value, uint16_t pattern) {
        inputs.push_back(sign ? -value : value);
        expected.push_back(static_cast<uint16_t>(pattern | sign << 15));
      };
      add(middle, low % 2 ? high : low);
      add(std::nextafter(middle, 0.0), low);
      add(std::nextafter(middle, inf), high);
    }
  std::vector<uint16_t> actual =
      numbersOf<uint16_t>(castTo(GetParam(), vectorOf(ElementType::f64, inputs)));
  for (size_t k = 0; k < inputs.size(); ++k)
    ASSERT_EQ(actual[k], expected[k]) << inputs[k];
}

TEST_P(SixteenBits, OverflowsToInfinity) {
  int exponentBits = exponentBitsOf(GetParam());
  std::vector<double> inputs = {1e300, -1e300, inf, -inf, 1e39, -1e39};
  std::vector<uint16_t> actual =
      numbersOf<uint16_t>(castTo(GetParam(), vectorOf(ElementType::f64, inputs)));
  for (size_t k = 0; k < inputs.size(); ++k)
    EXPECT_EQ(decode(actual[k], exponentBits), std::copysign(inf, inputs[k]));
}

INSTANTIATE_TEST_SUITE_P(Formats, SixteenBits, testing::Values(ElementType::f16, ElementType::bf16),
                         [](const auto &info) { return tinyrt::name(info.param); });

TEST(Cast, WideIntegersToNarrowFloatsRoundOnce) {
  // One above a midpoint, where a first rounding to f64 or f32 would land on it and go to even.
  int64_t bf16Tie = (int64_t(1) << 62) + (int64_t(1) << 54),
          f32Tie = (int64_t(1) << 62) + (int64_t(1) << 38);
  Tensor input =
      vectorOf<int64_t>(ElementType::i64, {bf16Tie, bf16Tie + 1, bf16Tie - 1, -bf16Tie - 1, f32Tie,
                                           f32Tie + 1, -f32Tie - 1, 2049, 2051, 65519, 65520});
  std::vector<uint16_t> bfloats = numbersOf<uint16_t>(castTo(ElementType::bf16, input));
  double one = std::pow(2.0, 62), next = one + std::pow(2.0, 55);
  EXPECT_EQ(decode(bfloats[0], 8), one);
  EXPECT_EQ(decode(bfloats[1], 8), next);
  EXPECT_EQ(decode(bfloats[2], 8), one);
  EXPECT_EQ(decode(bfloats[3], 8), -next);
  std::vector<float> floats = numbersOf<float>(castTo(ElementType::f32, input));
  EXPECT_EQ(floats[4], 0x1p62f);
  EXPECT_EQ(floats[5], 0x1.000002p62f);
  EXPECT_EQ(floats[6], -0x1.000002p62f);
  std::vector<uint16_t> halves = numbersOf<uint16_t>(castTo(ElementType::f16, input));
  EXPECT_EQ(decode(halves[0], 5), inf);
  EXPECT_EQ(decode(halves[7], 5), 2048);
  EXPECT_EQ(decode(halves[8], 5), 2052);
  EXPECT_EQ(decode(halves[9], 5), 65504);
  EXPECT_EQ(decode(halves[10], 5), inf);
}

TEST(Cast, UnsignedSixtyFourBits) {
  Tensor input = vectorOf<uint64_t>(
      ElementType::ui64, {0, ~uint64_t(0), uint64_t(1) << 63, (uint64_t(1) << 63) + 1025});
  EXPECT_EQ(numbersOf<double>(castTo(ElementType::f64, input)),
            (std::vector<double>{0, 0x1p64, 0x1p63, 0x1.0000000000001p63}));
  EXPECT_EQ(numbersOf<float>(castTo(ElementType::f32, input)),
            (std::vector<float>{0, 0x1p64f, 0x1p63f, 0x1p63f}));
  Tensor floats = vectorOf<double>(
      ElementType::f64, {-1, -0.5, nan64, 0x1p64, inf, -inf, 0x1p63, 0x1.fffffffffffffp63, 1.9});
  EXPECT_EQ(numbersOf<uint64_t>(castTo(ElementType::ui64, floats)),
            (std::vector<uint64_t>{0, 0, 0, ~uint64_t(0), ~uint64_t(0), 0, uint64_t(1) << 63,
                                   0xfffffffffffff800, 1}));
}

template <typename T> static void checkSaturation(ElementType type) {
  using Limits = std::numeric_limits<T>;
  auto low = static_cast<double>(Limits::min()), high = static_cast<double>(Limits::max());
  std::vector<double> inputs = {nan64, inf,   -inf,   1e30, -1e30, low,
                                high,  1.999, -0.999, -0.0, 2.5,   1e-310};
  std::vector<T> expected = {0,
                             Limits::max(),
                             Limits::min(),
                             Limits::max(),
                             Limits::min(),
                             Limits::min(),
                             Limits::max(),
                             1,
                             0,
                             0,
                             2,
                             0};
  if (sizeof(T) < 8) { // one past the ends, and just inside
    for (double value : {low - 1, low - 0.999, high + 1, high + 0.999})
      inputs.push_back(value);
    for (T value : {Limits::min(), Limits::min(), Limits::max(), Limits::max()})
      expected.push_back(value);
  }
  EXPECT_EQ(numbersOf<T>(castTo(type, vectorOf(ElementType::f64, inputs))), expected)
      << tinyrt::name(type);
}

TEST(Cast, FloatToIntegerTruncatesAndSaturates) {
  checkSaturation<int8_t>(ElementType::i8);
  checkSaturation<int16_t>(ElementType::i16);
  checkSaturation<int32_t>(ElementType::i32);
  checkSaturation<int64_t>(ElementType::i64);
  checkSaturation<uint8_t>(ElementType::ui8);
  checkSaturation<uint16_t>(ElementType::ui16);
  checkSaturation<uint32_t>(ElementType::ui32);
  checkSaturation<uint64_t>(ElementType::ui64);
}

TEST(Cast, IntegersExtendByTheSourceAndWrap) {
  Tensor bytes = vectorOf<int8_t>(ElementType::i8, {-1, 127, -128});
  EXPECT_EQ(numbersOf<int64_t>(castTo(ElementType::i64, bytes)),
            (std::vector<int64_t>{-1, 127, -128}));
  EXPECT_EQ(numbersOf<uint16_t>(castTo(ElementType::ui16, bytes)),
            (std::vector<uint16_t>{0xffff, 127, 0xff80}));
  Tensor unsignedBytes = vectorOf<uint8_t>(ElementType::ui8, {255, 128, 7});
  EXPECT_EQ(numbersOf<int32_t>(castTo(ElementType::i32, unsignedBytes)),
            (std::vector<int32_t>{255, 128, 7}));
  EXPECT_EQ(numbersOf<int8_t>(castTo(ElementType::i8, unsignedBytes)),
            (std::vector<int8_t>{-1, -128, 7}));
  Tensor wide = vectorOf<int64_t>(ElementType::i64, {0x123456789abcdef0, -2});
  EXPECT_EQ(numbersOf<uint32_t>(castTo(ElementType::ui32, wide)),
            (std::vector<uint32_t>{0x9abcdef0, 0xfffffffe}));
  EXPECT_EQ(numbersOf<int16_t>(castTo(ElementType::i16, wide)),
            (std::vector<int16_t>{static_cast<int16_t>(0xdef0), -2}));
}

TEST(Cast, ToAndFromBool) {
  Tensor floats = vectorOf<float>(ElementType::f32, {0, -0.0f, NAN, 1e-45f, -3, INFINITY});
  EXPECT_EQ(numbersOf<uint8_t>(castTo(ElementType::i1, floats)),
            (std::vector<uint8_t>{0, 0, 1, 1, 1, 1}));
  Tensor integers = vectorOf<int32_t>(ElementType::i32, {0, 2, -1, 256});
  EXPECT_EQ(numbersOf<uint8_t>(castTo(ElementType::i1, integers)),
            (std::vector<uint8_t>{0, 1, 1, 1}));
  Tensor bools = vectorOf<uint8_t>(ElementType::i1, {0, 1});
  EXPECT_EQ(numbersOf<int8_t>(castTo(ElementType::i8, bools)), (std::vector<int8_t>{0, 1}));
  EXPECT_EQ(numbersOf<uint64_t>(castTo(ElementType::ui64, bools)), (std::vector<uint64_t>{0, 1}));
  EXPECT_EQ(numbersOf<float>(castTo(ElementType::f32, bools)), (std::vector<float>{0, 1}));
}

TEST(Cast, DoubleToFloatKeepsSubnormalsAndOverflows) {
  Tensor input = vectorOf<double>(ElementType::f64,
                                  {0x1p-149, 0x1p-150, 0x1.8p-150, 1e39, 3.4028235677973366e38,
                                   3.4028235677973362e38, -0.0, 0x1.000001p0, 0x1.0000010000001p0});
  EXPECT_EQ(numbersOf<float>(castTo(ElementType::f32, input)),
            (std::vector<float>{0x1p-149f, 0, 0x1p-149f, INFINITY, INFINITY,
                                std::numeric_limits<float>::max(), -0.0f, 1, 0x1.000002p0f}));
}
