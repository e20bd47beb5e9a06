//===- MathTest.cpp - how far exp2, log2, sin and their like are off ------===//
//
// Kernels against the C library in a wider type, in units in the last place, over
// samples of all bit patterns: so denormals, infinities, NaNs and arguments of
// 1e38 and 1e308 are among them.
//
//===----------------------------------------------------------------------===//

#include "KernelRunner.h"

#include <cmath>
#include <limits>

using namespace tinytest;

namespace {

class Math : public ::testing::TestWithParam<Variant> {};

/// Every `step`-th bit pattern, and those around the places where a formula changes: zero, the
/// first normal number, one, infinity, the ends of exp2's range, and the multiples of pi/2.
std::vector<float> sampleF32(uint32_t step) {
  std::vector<float> result;
  for (uint64_t bits = 0; bits < (1ull << 32); bits += step)
    result.push_back(bitsTo<float>(uint32_t(bits)));
  for (uint32_t center :
       {0x00000000u, 0x80000000u, 0x00800000u, 0x3f800000u, 0x3f000000u, 0xbf800000u, 0x7f800000u,
        0xff800000u, 0x3f3504f3u, 0x4b000000u, 0x42fc0000u, 0xc2fc0000u, 0xc3150000u})
    for (int32_t offset = -2000; offset <= 2000; ++offset)
      result.push_back(bitsTo<float>(center + offset));
  for (int k = 1; k < 20000; ++k)
    for (float x : {float(k * 0x1.921fb54442d18p+0), -float(k * 0x1.921fb54442d18p+0)})
      for (float y : {x, std::nextafterf(x, 0), std::nextafterf(x, 2 * x)})
        result.push_back(y);
  return result;
}

/// Random bit patterns of f64 and what f32 has above: neighbours of the places where a formula
/// changes, and multiples of pi/2. Among them is the number that comes nearest to one of all f64.
std::vector<double> sampleF64(size_t random) {
  std::vector<double> result = {0x1.6ac5b262ca1ffp+849, -0x1.6ac5b262ca1ffp+849, 1e22, 1e300};
  uint64_t state = 1;
  for (size_t i = 0; i < random; ++i) { // Knuth's MMIX generator; its high bits are the random ones
    state = state * 6364136223846793005 + 1442695040888963407;
    result.push_back(bitsTo<double>(state ^ state >> 32));
    // Most exponents are of huge and tiny numbers: as many in [-2048, 2048), and around 1.
    result.push_back(std::ldexp(static_cast<double>(static_cast<int64_t>(state)), -52));
    result.push_back(1 + std::ldexp(static_cast<double>(static_cast<int64_t>(state)),
                                    -64 - static_cast<int>(i % 50)));
  }
  for (double center :
       {0.0, -0.0, 0x1p-1022, 0.5, 1.0, -1.0, 2.0, 0x1.6a09e667f3bcdp-1, 0x1p20, 1023.0, 1024.0,
        -1022.0, -1074.0, -1075.0, 0x1p-1074, double(INFINITY), 0x1.fffffffffffffp+1023})
    for (int64_t offset = -300; offset <= 300; ++offset)
      for (uint64_t sign : {uint64_t(0), uint64_t(1) << 63})
        result.push_back(bitsTo<double>((bitsTo<uint64_t>(center) + offset) ^ sign));
  for (int k = 1; k < 2000; ++k)
    for (double x : {double(k * 0x1.921fb54442d18469898cc517p+0L),
                     double(k * 1009 * 0x1.921fb54442d18469898cc517p+0L)})
      for (double y : {x, -x, std::nextafter(x, 0), std::nextafter(x, 2 * x)})
        result.push_back(y);
  return result;
}

/// The distance of `got` to `exact` in places of T at `exact`, where denormals share one place.
template <typename T, typename Wide> double ulpError(T got, Wide exact) {
  if (std::isnan(exact) || std::isnan(got))
    return std::isnan(exact) == std::isnan(got) ? 0 : INFINITY;
  T nearest = static_cast<T>(exact);
  if (std::isinf(nearest) || std::isinf(got) || exact == 0)
    return got == nearest && std::signbit(got) == std::signbit(nearest) ? 0 : INFINITY;
  int exponent = std::max(std::ilogb(exact), std::numeric_limits<T>::min_exponent - 1);
  Wide place = std::ldexp(Wide(1), exponent + 1 - std::numeric_limits<T>::digits);
  return static_cast<double>(std::fabs(got - exact) / place);
}

template <typename T, typename Wide>
void testFunction(const Variant &variant, const char *op, Wide (*exact)(Wide),
                  const std::vector<T> &inputs, double allowed) {
  const char *type = sizeof(T) == 4 ? "f32" : "f64";
  auto results = apply<T>(variant, op, type, type, inputs);
  ASSERT_EQ(results.size(), inputs.size());
  double worst = 0;
  size_t worstAt = 0;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (double error = ulpError<T, Wide>(results[i], exact(inputs[i])); error > worst)
      worst = error, worstAt = i;
  EXPECT_LE(worst, allowed) << "at " << std::hexfloat << inputs[worstAt] << ": " << results[worstAt]
                            << ", not " << exact(inputs[worstAt]);
}

/// A GPU computes these in f32, and is off by `allowedOnGPU` at most.
void testF32(const Variant &variant, const char *op, double (*exact)(double), double allowedOnGPU,
             double allowed = 0.51) {
  testFunction(variant, op, exact, sampleF32(variant.width == 8 ? 4001 : 40009),
               variant.isGPU() ? allowedOnGPU : allowed);
}
TEST_P(Math, Exp2F32) { testF32(GetParam(), "%r = math.exp2 %x : {0}", std::exp2, 2, 1.2); }

/// A constant of the type of %x.
std::string constantOf(const Variant &variant, const char *name, const char *number) {
  return llvm::formatv(variant.width == 1 ? "%{0} = arith.constant {1} : {{0}\n"
                                          : "%{0} = arith.constant dense<{1}> : {{0}\n",
                       name, number)
      .str();
}

/// The types that a select of values of the type of %x is written with.
std::string selectTypes(const Variant &variant) {
  return variant.width == 1 ? "{0}" : "vector<" + std::to_string(variant.width) + "xi1>, {0}";
}

/// As Composer::exp composes it; on a GPU it stays so.
TEST_P(Math, ExpF32) {
  auto constant = [&](const char *name, const char *number) {
    return constantOf(GetParam(), name, number);
  };
  std::string op = constant("least", "-104.0") + constant("log2e", "1.44269502") +
                   constant("most", "127.996094") + constant("rounder", "49152.0") +
                   constant("back", "-49152.0") + constant("high", "-0.69140625") +
                   constant("low", "-0.0017409306") + constant("half", "0.5") +
                   constant("one", "1.0") +
                   R"(%0 = arith.maximumf %x, %least : {0}
    %1 = arith.mulf %0, %log2e : {0}
    %2 = arith.cmpf olt, %most, %1 : {0}
    %3 = arith.select %2, %most, %1 : )" +
                   selectTypes(GetParam()) + R"(
    %4 = arith.addf %3, %rounder : {0}
    %5 = arith.addf %4, %back : {0}
    %6 = math.exp2 %5 : {0}
    %7 = arith.mulf %5, %high : {0}
    %8 = arith.addf %0, %7 : {0}
    %9 = arith.mulf %5, %low : {0}
    %10 = arith.addf %8, %9 : {0}
    %11 = arith.mulf %10, %half : {0}
    %12 = arith.addf %11, %one : {0}
    %13 = arith.mulf %10, %12 : {0}
    %14 = arith.mulf %6, %13 : {0}
    %r = arith.addf %6, %14 : {0})";
  testF32(GetParam(), op.c_str(), std::exp, 4, 1.3);
}
TEST_P(Math, Log2F32) { testF32(GetParam(), "%r = math.log2 %x : {0}", std::log2, 2); }
TEST_P(Math, SinF32) { testF32(GetParam(), "%r = math.sin %x : {0}", std::sin, 1); }
TEST_P(Math, SqrtF32) { testF32(GetParam(), "%r = math.sqrt %x : {0}", std::sqrt, 0.5); }

/// x / y where y is x with its bits mixed, so that quotients of all magnitudes come up: the bits of
/// the right one.
template <typename T, typename Bits>
void testDivision(const Variant &variant, const std::vector<T> &inputs, Bits factor) {
  const char *type = sizeof(T) == 4 ? "f32" : "f64", *bits = sizeof(T) == 4 ? "i32" : "i64";
  auto vectorOf = [&](const char *element) {
    return variant.width == 1 ? std::string(element)
                              : llvm::formatv("vector<{0}x{1}>", variant.width, element).str();
  };
  std::string value = std::to_string(static_cast<std::make_signed_t<Bits>>(factor));
  std::string op = llvm::formatv(R"(%b = arith.bitcast %x : {0} to {1}
        %f = arith.constant {2} : {1}
        %m = arith.muli %b, %f : {1}
        %y = arith.bitcast %m : {1} to {0}
        %r = arith.divf %x, %y : {0})",
                                 vectorOf(type), vectorOf(bits),
                                 variant.width == 1 ? value : "dense<" + value + ">");
  auto results = apply<T>(variant, op.c_str(), type, type, inputs);
  ASSERT_EQ(results.size(), inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    T y = bitsTo<T>(Bits(bitsTo<Bits>(inputs[i]) * factor)), want = inputs[i] / y;
    ASSERT_TRUE(std::isnan(want) ? std::isnan(results[i])
                                 : bitsTo<Bits>(want) == bitsTo<Bits>(results[i]))
        << std::hexfloat << inputs[i] << " / " << y << ": " << results[i] << ", not " << want;
  }
}
TEST_P(Math, DivF32) {
  for (uint32_t factor : {1u, 3u, 0x10001u, 0x9e3779b1u})
    testDivision(GetParam(), sampleF32(40009), factor);
}
TEST_P(Math, DivF64) {
  for (uint64_t factor : {uint64_t(1), uint64_t(0x9e3779b97f4a7c15)})
    testDivision(GetParam(), sampleF64(20000), factor);
}

void testF64(const Variant &variant, const char *op, long double (*exact)(long double),
             double allowed) {
  if (std::numeric_limits<long double>::digits < 64)
    GTEST_SKIP() << "there is no wider type to compare with";
  testFunction(variant, op, exact, sampleF64(variant.width == 8 ? 200000 : 20000), allowed);
}
TEST_P(Math, Exp2F64) { testF64(GetParam(), "%r = math.exp2 %x : {0}", std::exp2, 1.5); }
TEST_P(Math, Log2F64) { testF64(GetParam(), "%r = math.log2 %x : {0}", std::log2, 1); }
TEST_P(Math, SinF64) { testF64(GetParam(), "%r = math.sin %x : {0}", std::sin, 3); }

/// As Composer::roundEven composes it, with the number from which on all are integers: the result
/// is the one that IEEE 754 defines, for every argument.
template <typename T>
void testRounding(const Variant &variant, const char *threshold, std::vector<T> inputs) {
  for (int k = -2000; k <= 2000; ++k) // ties
    inputs.push_back(static_cast<T>(k) + T(0.5));
  std::string minus = std::string("-") + threshold, types = selectTypes(variant);
  std::string op = constantOf(variant, "zero", "0.0") + constantOf(variant, "minus", "-1.0") +
                   constantOf(variant, "up", threshold) +
                   constantOf(variant, "down", minus.c_str()) + R"(
    %0 = arith.cmpf olt, %x, %zero : {0}
    %1 = arith.mulf %x, %minus : {0}
    %2 = arith.maximumf %x, %1 : {0}
    %3 = arith.cmpf olt, %2, %up : {0}
    %4 = arith.addf %2, %up : {0}
    %5 = arith.addf %4, %down : {0}
    %6 = arith.select %3, %5, %2 : )" +
                   types + R"(
    %7 = arith.mulf %6, %minus : {0}
    %8 = arith.cmpf olt, %zero, %x : {0}
    %9 = arith.select %8, %6, %x : )" +
                   types + R"(
    %r = arith.select %0, %7, %9 : )" +
                   types;
  const char *type = sizeof(T) == 4 ? "f32" : "f64";
  auto results = apply<T>(variant, op.c_str(), type, type, inputs);
  ASSERT_EQ(results.size(), inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    T want = std::nearbyint(inputs[i]); // to nearest even, unless somebody has changed the mode
    ASSERT_TRUE(std::isnan(want)
                    ? std::isnan(results[i])
                    : want == results[i] && std::signbit(want) == std::signbit(results[i]))
        << std::hexfloat << inputs[i] << " gave " << results[i] << ", not " << want;
  }
}
TEST_P(Math, RoundEvenF32) { testRounding(GetParam(), "8388608.0", sampleF32(40009)); }
TEST_P(Math, RoundEvenF64) { testRounding(GetParam(), "4503599627370496.0", sampleF64(20000)); }

/// One rounding is the result's own: a wider type and a second one would not give the same.
TEST_P(Math, SqrtF64) {
  std::vector<double> inputs = sampleF64(20000);
  auto results = apply<double>(GetParam(), "%r = math.sqrt %x : {0}", "f64", "f64", inputs);
  ASSERT_EQ(results.size(), inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i)
    EXPECT_EQ((ulpError<double, double>(results[i], std::sqrt(inputs[i]))), 0.0) << inputs[i];
}

/// The IEEE maximum: NaN wins, and +0 over -0.
TEST_P(Math, Maximum) {
  std::vector<float> values = {0.0f, -0.0f, 1.0f, -1.0f, INFINITY, -INFINITY, NAN, 1e-45f};
  for (float constant : values) {
    std::string bits = llvm::formatv("{0:X-8}", bitsTo<uint32_t>(constant));
    std::string value = GetParam().width == 1 ? "0x" + bits : "dense<0x" + bits + ">";
    std::string op = "%c = arith.constant " + value + " : {0}\n%r = arith.maximumf %x, %c : {0}";
    auto results = apply<float>(GetParam(), op.c_str(), "f32", "f32", values);
    ASSERT_EQ(results.size(), values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      float x = values[i], want = x > constant ? x : constant;
      if (x == 0 && constant == 0)
        want = std::signbit(x) && std::signbit(constant) ? -0.0f : 0.0f;
      bool isNaN = std::isnan(x) || std::isnan(constant);
      EXPECT_TRUE(isNaN ? std::isnan(results[i])
                        : bitsTo<uint32_t>(want) == bitsTo<uint32_t>(results[i]))
          << x << " or " << constant << " gave " << results[i];
    }
  }
}

/// An elementwise mul and add round twice, with an fma instruction or without.
TEST_P(Math, NoContraction) {
  // x * x is 1 + 2^-22 + 2^-46. Rounded on its own it loses the last term.
  std::vector<float> inputs(64, 0x1.000002p0f);
  const char *constant = GetParam().width == 1 ? "%c = arith.constant 0xBF800002 : {0}\n"
                                               : "%c = arith.constant dense<0xBF800002> : {0}\n";
  std::string op = std::string(constant) + "%s = arith.mulf %x, %x : {0}\n"
                                           "%r = arith.addf %s, %c : {0}";
  auto results = apply<float>(GetParam(), op.c_str(), "f32", "f32", inputs);
  ASSERT_EQ(results.size(), inputs.size());
  for (float result : results)
    EXPECT_EQ(result, 0.0f);
}

INSTANTIATE_TEST_SUITE_P(EveryCPU, Math, ::testing::ValuesIn(variants()), [](const auto &info) {
  std::string name = info.param.cpu;
  std::replace(name.begin(), name.end(), '-', '_');
  return name + "_by_" + std::to_string(info.param.width);
});

} // namespace
