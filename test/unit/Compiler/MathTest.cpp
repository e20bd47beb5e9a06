//===- MathTest.cpp - how far exp2, log2, sin and their like are off ------===//
//
// Kernels against the C library in double precision, in units in the last place
// of f32, over samples of all bit patterns: so denormals, infinities, NaNs and
// arguments of 1e38 are among them.
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

/// The distance of `got` to `exact` in places of f32 at `exact`, where denormals share one place.
double ulpError(float got, double exact) {
  if (std::isnan(exact) || std::isnan(got))
    return std::isnan(exact) == std::isnan(got) ? 0 : INFINITY;
  float nearest = static_cast<float>(exact);
  if (std::isinf(nearest) || std::isinf(got) || exact == 0)
    return bitsTo<uint32_t>(got) == bitsTo<uint32_t>(nearest) ? 0 : INFINITY;
  int exponent = std::max(std::ilogb(exact), std::numeric_limits<float>::min_exponent - 1);
  return std::fabs(got - exact) / std::ldexp(1.0, exponent - 23);
}

void testFunction(const Variant &variant, const char *op, double (*exact)(double)) {
  std::vector<float> inputs = sampleF32(variant.width == 8 ? 4001 : 40009);
  auto results = apply<float>(variant, op, "f32", "f32", inputs);
  ASSERT_EQ(results.size(), inputs.size());
  double worst = 0;
  size_t worstAt = 0;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (double error = ulpError(results[i], exact(inputs[i])); error > worst)
      worst = error, worstAt = i;
  EXPECT_LE(worst, 0.51) << "at " << std::hexfloat << inputs[worstAt] << ": " << results[worstAt]
                         << ", not " << exact(inputs[worstAt]);
}

TEST_P(Math, Exp2F32) { testFunction(GetParam(), "%r = math.exp2 %x : {0}", std::exp2); }
TEST_P(Math, Log2F32) { testFunction(GetParam(), "%r = math.log2 %x : {0}", std::log2); }
TEST_P(Math, SinF32) { testFunction(GetParam(), "%r = math.sin %x : {0}", std::sin); }
TEST_P(Math, SqrtF32) { testFunction(GetParam(), "%r = math.sqrt %x : {0}", std::sqrt); }

/// f64 functions are the library's: they need only arrive there.
TEST_P(Math, F64) {
  std::vector<double> inputs = {0.0,     -0.0,  1.0,  -1.0,     0.3,       1e-310, 700.5,
                                -1074.0, 1e300, 1e22, INFINITY, -INFINITY, NAN};
  for (auto [op, exact] : {std::pair<const char *, double (*)(double)>{"exp2", std::exp2},
                           {"log2", std::log2},
                           {"sin", std::sin},
                           {"sqrt", std::sqrt}}) {
    std::string text = std::string("%r = math.") + op + " %x : {0}";
    auto results = apply<double>(GetParam(), text.c_str(), "f64", "f64", inputs);
    ASSERT_EQ(results.size(), inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      double want = exact(inputs[i]);
      EXPECT_TRUE(bitsTo<uint64_t>(want) == bitsTo<uint64_t>(results[i]) ||
                  (std::isnan(want) && std::isnan(results[i])))
          << op << " of " << inputs[i] << " is " << results[i] << ", not " << want;
    }
  }
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
