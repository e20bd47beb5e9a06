//===- MathTest.cpp - arithmetic and functions against the C library ------===//

#include "Harness.h"

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::test;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

class MathTest : public CompositesTest {
protected:
  using Unary = Value (Composer::*)(Value);

  Array apply(Unary function, const Array &x) {
    return run({x}, [&](Composer &c, ValueRange args) { return (c.*function)(args[0]); });
  }

  Array apply(const Array &x, const Array &y,
              std::function<Value(Composer &, Value, Value)> function) {
    return run({x, y}, [&](Composer &c, ValueRange args) { return function(c, args[0], args[1]); });
  }

  /// The largest error in units of the last place of the correctly rounded result. Where that is an
  /// infinity, a NaN or a zero, the result must be the same (zeros of either sign).
  static double worstUlp(const Array &x, const Array &actual, std::function<double(double)> exact) {
    double worst = 0;
    bool isF32 = x.element == ElementType::f32;
    for (auto [input, value] : llvm::zip(x.values, actual.values)) {
      double precise = exact(isF32 ? static_cast<double>(static_cast<float>(input)) : input);
      double expected = isF32 ? static_cast<double>(static_cast<float>(precise)) : precise;
      if (!std::isfinite(expected) || !std::isfinite(value)) {
        EXPECT_TRUE(expected == value || (std::isnan(expected) && std::isnan(value)))
            << "f(" << input << ") is " << value << ", not " << expected;
        continue;
      }
      double magnitude = std::fabs(expected);
      double ulp = isF32 ? static_cast<double>(std::nextafterf(static_cast<float>(magnitude),
                                                               std::numeric_limits<float>::max())) -
                               magnitude
                         : std::nextafter(magnitude, kInf) - magnitude;
      double error = std::fabs(value - precise) / ulp;
      if (error > worst)
        worst = error;
    }
    return worst;
  }

  static Array range(double low, double high, int count, ElementType element) {
    Array x{{count}, {}, element};
    for (int i = 0; i < count; ++i)
      x.values.push_back(low + (high - low) * i / (count - 1));
    return x;
  }
  static Array range(double low, double high) { return range(low, high, 4001, ElementType::f32); }
};

const std::vector<double> kSpecials = {
    0.0,        -0.0, kInf, -kInf, kNan,  0.5, -0.5,       1.5,        -1.5,      2.5,     -2.5,
    0.49999997, 1,    -1,   1e10,  -1e10, 3.7, 8388607.5f, -8388607.5, 4194304.5, 16777219};

TEST_F(MathTest, Rounding) {
  Array x = Array::of(kSpecials);
  auto expected = [&](double (*function)(double)) {
    std::vector<double> values;
    for (double value : kSpecials)
      values.push_back(function(static_cast<double>(static_cast<float>(value))));
    return values;
  };
  expectSame(apply(&Composer::roundEven, x), expected(std::nearbyint));
  expectSame(apply(&Composer::floor, x), expected(std::floor));
  expectSame(apply(&Composer::ceil, x), expected(std::ceil));
  expectSame(apply(&Composer::trunc, x), expected(std::trunc));
}

TEST_F(MathTest, RoundingInEveryFloatType) {
  for (ElementType element : {ElementType::f64, ElementType::f16, ElementType::bf16}) {
    Array x = Array::of({-0.0, 0.75, -0.75, 2.5, -2.5, 3.5, 100, kInf, kNan, -0.25}, element);
    expectSame(apply(&Composer::roundEven, x), {-0.0, 1, -1, 2, -2, 4, 100, kInf, kNan, -0.0});
    expectSame(apply(&Composer::floor, x), {-0.0, 0, -1, 2, -3, 3, 100, kInf, kNan, -1});
    expectSame(apply(&Composer::ceil, x), {-0.0, 1, -0.0, 3, -2, 4, 100, kInf, kNan, -0.0});
    expectSame(apply(&Composer::trunc, x), {-0.0, 0, -0.0, 2, -2, 3, 100, kInf, kNan, -0.0});
  }
  double large = 4503599627370497.0; // 2^52 + 1
  Array x = Array::of({large, -large, large / 2, 9e15}, ElementType::f64);
  expectSame(apply(&Composer::roundEven, x), {large, -large, std::nearbyint(large / 2), 9e15});
  expectSame(apply(&Composer::ceil, x), {large, -large, std::ceil(large / 2), 9e15});
}

TEST_F(MathTest, SignsAndOrder) {
  Array x = Array::of({0.0, -0.0, kInf, -kInf, kNan, 2, -2});
  expectSame(apply(&Composer::neg, x), {-0.0, 0.0, -kInf, kInf, kNan, -2, 2});
  expectSame(apply(&Composer::abs, x), {0.0, 0.0, kInf, kInf, kNan, 2, 2});
  expectSame(apply(&Composer::sign, x), {0.0, 0.0, 1, -1, kNan, 1, -1});
  expectSame(apply(&Composer::recip, x), {kInf, -kInf, 0, -0.0, kNan, 0.5, -0.5});

  Array a = Array::of({0.0, -0.0, 0.0, kNan, 1, kNan, -kInf, 3});
  Array b = Array::of({-0.0, 0.0, 0.0, 1, kNan, kNan, 5, 2});
  auto min = [](Composer &c, Value x, Value y) { return c.min(x, y); };
  expectSame(apply(a, b, min), {-0.0, -0.0, 0.0, kNan, kNan, kNan, -kInf, 2});
  auto sub = [](Composer &c, Value x, Value y) { return c.sub(x, y); };
  expectSame(apply(a, b, sub), {0.0, -0.0, 0.0, kNan, kNan, kNan, -kInf, 1});

  Array number = run({Array::of({7, -1, kNan, 6, kInf})},
                     [](Composer &c, ValueRange args) { return c.clip(args[0], 0.0, 6); });
  expectSame(number, {6, 0, kNan, 6, 6});
}

TEST_F(MathTest, IntegerArithmetic) {
  Array x = Array::of({-128, -7, 0, 7, 127}, ElementType::i8);
  expectSame(apply(&Composer::abs, x), {-128, 7, 0, 7, 127});
  expectSame(apply(&Composer::neg, x), {-128, 7, 0, -7, -127});
  expectSame(apply(&Composer::sign, x), {-1, -1, 0, 1, 1});
  Array y = Array::of({-1, 2, 0, -2, 5}, ElementType::i8);
  auto min = [](Composer &c, Value x, Value y) { return c.min(x, y); };
  auto fmod = [](Composer &c, Value x, Value y) { return c.fmod(x, y); };
  auto floorMod = [](Composer &c, Value x, Value y) { return c.floorMod(x, y); };
  expectSame(apply(x, y, min), {-128, -7, 0, -2, 5});
  expectSame(apply(x, y, fmod), {0, -1, 0, 1, 2});
  expectSame(apply(x, y, floorMod), {0, 1, 0, -1, 2});
  Array u = Array::of({250, 3, 0}, ElementType::ui8), v = Array::of({7, 200, 5}, ElementType::ui8);
  expectSame(apply(u, v, min), {7, 3, 0});
  expectSame(apply(u, v, floorMod), {5, 3, 0});
  expectSame(apply(&Composer::sign, u), {1, 1, 0});
}

TEST_F(MathTest, FloatRemainders) {
  std::vector<double> xs, ys, fmods, mods;
  const float numbers[] = {0.0f, -0.0f,    5.3f,  -5.3f,  1e30f,   -3.4e38f, 1e-40f,
                           7,    2.5f,     -2.5f, 3e-45f, 6.25e7f, INFINITY, NAN,
                           0.1f, 16777215, 3,     -3,     -1e20f};
  for (float x : numbers)
    for (float y : numbers) {
      xs.push_back(x), ys.push_back(y);
      float rest = std::fmod(x, y);
      fmods.push_back(rest);
      mods.push_back(rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest);
    }
  auto fmod = [](Composer &c, Value x, Value y) { return c.fmod(x, y); };
  auto floorMod = [](Composer &c, Value x, Value y) { return c.floorMod(x, y); };
  expectSame(apply(Array::of(xs), Array::of(ys), fmod), fmods);
  expectSame(apply(Array::of(xs), Array::of(ys), floorMod), mods);

  Array h = Array::of({65504, 5, -7}, ElementType::f16);
  Array k = Array::of({5.960464477539063e-8 * 3, 0.3, 2}, ElementType::f16);
  double third = tinyrt::halfToFloat(tinyrt::doubleToHalf(0.3));
  expectSame(apply(h, k, fmod),
             {std::fmod(65504, 5.960464477539063e-8 * 3), std::fmod(5, third), -1});
}

TEST_F(MathTest, Exponentials) {
  EXPECT_LT(worstUlp(range(-110, 90), apply(&Composer::exp, range(-110, 90)),
                     [](double x) { return std::exp(x); }),
            2.5);
  EXPECT_LT(worstUlp(range(88.7, 88.73), apply(&Composer::exp, range(88.7, 88.73)),
                     [](double x) { return std::exp(x); }),
            2.5);
  Array wide = range(-745, 710, 2001, ElementType::f64);
  EXPECT_LT(worstUlp(wide, apply(&Composer::exp, wide), [](double x) { return std::exp(x); }), 4);
  for (ElementType element : {ElementType::f32, ElementType::f64, ElementType::bf16}) {
    Array special = Array::of({0.0, -0.0, kInf, -kInf, kNan, 1000, -1000}, element);
    expectSame(apply(&Composer::exp, special),
               {1, 1, kInf, 0, kNan, element == ElementType::f64 ? kInf : kInf, 0});
  }
  for (Array x : {range(-2, 2), range(-1e-3, 1e-3), range(-100, 80)})
    EXPECT_LT(worstUlp(x, apply(&Composer::expm1, x), [](double x) { return std::expm1(x); }), 6);
  expectSame(apply(&Composer::expm1, Array::of({0.0, -0.0, -kInf, kInf, kNan})),
             {0.0, -0.0, -1, kInf, kNan});
}

TEST_F(MathTest, Logarithms) {
  for (Array x : {range(0.5, 2), range(1e-38, 1e-30), range(1, 1e30)})
    EXPECT_LT(worstUlp(x, apply(&Composer::log, x), [](double x) { return std::log(x); }), 4);
  expectSame(apply(&Composer::log, Array::of({0.0, -0.0, -1, kInf, kNan, 1})),
             {-kInf, -kInf, kNan, kInf, kNan, 0});
  for (Array x : {range(-0.9, 3), range(-1e-4, 1e-4), range(1, 1e20)})
    EXPECT_LT(worstUlp(x, apply(&Composer::log1p, x), [](double x) { return std::log1p(x); }), 6);
  expectSame(apply(&Composer::log1p, Array::of({0.0, -0.0, -1, -2, kInf, kNan})),
             {0.0, -0.0, -kInf, kNan, kInf, kNan});
}

TEST_F(MathTest, SigmoidTanhErf) {
  for (Array x : {range(-20, 20), range(-1e-3, 1e-3), range(0.6, 0.7), range(0.9, 1.1)}) {
    EXPECT_LT(worstUlp(x, apply(&Composer::tanh, x), [](double x) { return std::tanh(x); }), 4);
    EXPECT_LT(worstUlp(x, apply(&Composer::erf, x), [](double x) { return std::erf(x); }), 3);
  }
  Array wide = range(-30, 30, 4001, ElementType::f64),
        narrow = range(-1.5, 1.5, 4001, ElementType::f64);
  for (const Array &x : {wide, narrow}) {
    EXPECT_LT(worstUlp(x, apply(&Composer::tanh, x), [](double x) { return std::tanh(x); }), 5);
    EXPECT_LT(worstUlp(x, apply(&Composer::erf, x), [](double x) { return std::erf(x); }), 5);
  }
  Array special = Array::of({0.0, -0.0, kInf, -kInf, kNan, 50, -50, 1e38});
  expectSame(apply(&Composer::tanh, special), {0.0, -0.0, 1, -1, kNan, 1, -1, 1});
  expectSame(apply(&Composer::erf, special), {0.0, -0.0, 1, -1, kNan, 1, -1, 1});
  expectSame(apply(&Composer::sigmoid, special),
             {0.5, 0.5, 1, 0, kNan, 1,
              tinyrt::elementAsDouble(toTensor(apply(&Composer::sigmoid, Array::of({-50}))), 0),
              1});
  EXPECT_LT(worstUlp(range(-80, 80), apply(&Composer::sigmoid, range(-80, 80)),
                     [](double x) { return 1 / (1 + std::exp(-x)); }),
            5);
}

TEST_F(MathTest, Pow) {
  std::vector<double> xs, ys, expected;
  const float numbers[] = {0.0f,  -0.0f,    1,        -1,       2,          -2,  0.5f,   -0.5f,
                           3,     -3,       2.5f,     INFINITY, -INFINITY,  NAN, 1e-40f, -1e30f,
                           1e30f, 16777216, 16777215, -7,       1.0000001f, 1e5f};
  for (float x : numbers)
    for (float y : numbers) {
      xs.push_back(x), ys.push_back(y);
      expected.push_back(static_cast<float>(std::pow(static_cast<double>(x), y)));
    }
  auto pow = [](Composer &c, Value x, Value y) { return c.pow(x, y); };
  Array result = apply(Array::of(xs), Array::of(ys), pow);
  for (size_t i = 0; i < xs.size(); ++i) {
    float actual = static_cast<float>(result.values[i]), exact = static_cast<float>(expected[i]);
    bool same = (std::isnan(actual) && std::isnan(exact)) ||
                (actual == exact && std::signbit(actual) == std::signbit(exact)) ||
                (std::isfinite(exact) && exact != 0 && std::nextafter(actual, exact) == exact);
    EXPECT_TRUE(same) << "pow(" << xs[i] << ", " << ys[i] << ") is " << actual << ", not " << exact;
  }

  // Constant exponents take shorter ways to the same values.
  for (double exponent : {0.0, 1.0, 2.0, 3.0, -1.0, 0.5, -2.0, 0.75, 5.0, -0.5}) {
    std::vector<double> base(std::begin(numbers), std::end(numbers));
    Array powers = run({Array::of(base)},
                       [&](Composer &c, ValueRange args) { return c.pow(args[0], exponent); });
    for (size_t i = 0; i < base.size(); ++i) {
      float actual = static_cast<float>(powers.values[i]);
      float exact = static_cast<float>(std::pow(base[i], exponent));
      bool same = (std::isnan(actual) && std::isnan(exact)) ||
                  (actual == exact && std::signbit(actual) == std::signbit(exact)) ||
                  (std::isfinite(exact) && exact != 0 && std::nextafter(actual, exact) == exact);
      EXPECT_TRUE(same) << "pow(" << base[i] << ", constant " << exponent << ") is " << actual
                        << ", not " << exact;
    }
  }

  Array i = Array::of({2, -2, 3, -1, 0, 5, 1, -1, 7, 0, 2}, ElementType::i32);
  Array j = Array::of({10, 3, 0, 1000000001, 0, -1, -5, -4, 20, -1, 31}, ElementType::i32);
  expectSame(apply(i, j, pow),
             {1024, -8, 1, -1, 1, 0, 1, 1,
              static_cast<double>(static_cast<int32_t>(79792266297612001 & 0xffffffff)), 0,
              -2147483648.0});
  Array u = Array::of({3, 2, 200}, ElementType::ui8), v = Array::of({4, 200, 1}, ElementType::ui8);
  expectSame(apply(u, v, pow), {81, 0, 200});
}

TEST_F(MathTest, Trigonometry) {
  for (double extent : {10.0, 1e4, 1e8}) {
    Array x = range(-extent, extent);
    Array cosine = apply(&Composer::cos, x);
    for (size_t i = 0; i < x.values.size(); ++i)
      EXPECT_NEAR(cosine.values[i], std::cos(static_cast<float>(x.values[i])), 1e-6);
  }
  Array x = range(-1.2, 1.2);
  expectClose(
      apply(&Composer::tan, x),
      tabulate(x.shape,
               [&](ArrayRef<int64_t> at) { return std::tan(static_cast<float>(x.at(at))); }),
      2e-6);
}

TEST_F(MathTest, Activations) {
  Array x = range(-12, 12, 501, ElementType::f32);
  auto check = [&](const char *name, std::function<Value(Composer &, Value)> function,
                   std::function<double(double)> exact) {
    SCOPED_TRACE(name);
    Array actual = run({x}, [&](Composer &c, ValueRange args) { return function(c, args[0]); });
    expectClose(actual,
                tabulate(x.shape,
                         [&](ArrayRef<int64_t> at) { return exact(static_cast<float>(x.at(at))); }),
                1e-6);
    // The same in f16, rounded once from f32.
    Array half{x.shape, {}, ElementType::f16};
    for (double value : x.values)
      half.values.push_back(tinyrt::halfToFloat(tinyrt::doubleToHalf(value)));
    Array rounded = run({half}, [&](Composer &c, ValueRange args) { return function(c, args[0]); });
    EXPECT_EQ(rounded.element, ElementType::f16);
    expectClose(rounded,
                tabulate(x.shape, [&](ArrayRef<int64_t> at) { return exact(half.at(at)); }), 1e-3);
  };
  auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  check(
      "relu", [](Composer &c, Value x) { return c.relu(x); },
      [](double x) { return std::max(x, 0.0); });
  check(
      "leakyRelu", [](Composer &c, Value x) { return c.leakyRelu(x, 0.125); },
      [](double x) { return x < 0 ? 0.125 * x : x; });
  check(
      "gelu", [](Composer &c, Value x) { return c.gelu(x); },
      [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); });
  check(
      "gelu tanh", [](Composer &c, Value x) { return c.gelu(x, GeluForm::tanh); },
      [](double x) {
        return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
      });
  check(
      "silu", [](Composer &c, Value x) { return c.silu(x); },
      [&](double x) { return x * sigmoid(x); });
  check(
      "softplus", [](Composer &c, Value x) { return c.softplus(x); },
      [](double x) { return std::log1p(std::exp(x)); });
  check(
      "softsign", [](Composer &c, Value x) { return c.softsign(x); },
      [](double x) { return x / (1 + std::fabs(x)); });
  check(
      "mish", [](Composer &c, Value x) { return c.mish(x); },
      [](double x) { return x * std::tanh(std::log1p(std::exp(x))); });
  check(
      "elu", [](Composer &c, Value x) { return c.elu(x, 0.7); },
      [](double x) { return x < 0 ? 0.7 * std::expm1(x) : x; });
  check(
      "celu", [](Composer &c, Value x) { return c.celu(x, 2); },
      [](double x) { return x < 0 ? 2 * std::expm1(x / 2) : x; });
  check(
      "selu", [](Composer &c, Value x) { return c.selu(x); },
      [](double x) {
        return 1.05070102214813232421875 * (x < 0 ? 1.67326319217681884765625 * std::expm1(x) : x);
      });
  check(
      "hardSigmoid", [](Composer &c, Value x) { return c.hardSigmoid(x); },
      [](double x) { return std::max(0.0, std::min(1.0, 0.2 * x + 0.5)); });
  check(
      "hardSwish", [](Composer &c, Value x) { return c.hardSwish(x); },
      [](double x) { return x * std::max(0.0, std::min(1.0, x / 6 + 0.5)); });

  expectSame(run({Array::of({kInf, -kInf, kNan, 100, -200})},
                 [](Composer &c, ValueRange args) { return c.softplus(args[0]); }),
             {kInf, 0, kNan, 100, 0});
  expectSame(run({Array::of({-2, -1, 3, -4}), Array::of({0.5})},
                 [](Composer &c, ValueRange args) { return c.leakyRelu(args[0], args[1]); }),
             {-1, -0.5, 3, -2});
}

TEST_F(MathTest, ComparisonAndLogic) {
  Array x = Array::of({1, 2, kNan, kInf, -kInf}), y = Array::of({1, 1, 1, kInf, kInf});
  auto check = [&](std::function<Value(Composer &, Value, Value)> function,
                   std::vector<double> expected) {
    Array actual = apply(x, y, function);
    EXPECT_EQ(actual.element, ElementType::i1);
    expectSame(actual, expected);
  };
  check([](Composer &c, Value x, Value y) { return c.lt(x, y); }, {0, 0, 0, 0, 1});
  check([](Composer &c, Value x, Value y) { return c.le(x, y); }, {1, 0, 0, 1, 1});
  check([](Composer &c, Value x, Value y) { return c.gt(x, y); }, {0, 1, 0, 0, 0});
  check([](Composer &c, Value x, Value y) { return c.ge(x, y); }, {1, 1, 0, 1, 0});
  check([](Composer &c, Value x, Value y) { return c.eq(x, y); }, {1, 0, 0, 1, 0});
  check([](Composer &c, Value x, Value y) { return c.ne(x, y); }, {0, 1, 1, 0, 1});
  check([](Composer &c, Value x, Value) { return c.isNan(x); }, {0, 0, 1, 0, 0});
  check([](Composer &c, Value x, Value) { return c.isInf(x); }, {0, 0, 0, 1, 1});
  check([](Composer &c, Value x, Value) { return c.isInf(x, true, false); }, {0, 0, 0, 1, 0});
  check([](Composer &c, Value x, Value) { return c.isInf(x, false, true); }, {0, 0, 0, 0, 1});

  x = Array::of({0, 0, 1, 1}, ElementType::i1), y = Array::of({0, 1, 0, 1}, ElementType::i1);
  check([](Composer &c, Value x, Value y) { return c.logicalAnd(x, y); }, {0, 0, 0, 1});
  check([](Composer &c, Value x, Value y) { return c.logicalOr(x, y); }, {0, 1, 1, 1});
  check([](Composer &c, Value x, Value y) { return c.logicalXor(x, y); }, {0, 1, 1, 0});
  check([](Composer &c, Value x, Value) { return c.logicalNot(x); }, {1, 1, 0, 0});
  check([](Composer &c, Value x, Value y) { return c.min(x, y); }, {0, 0, 0, 1});
}

} // namespace
