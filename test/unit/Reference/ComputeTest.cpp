//===- ComputeTest.cpp - compute ops against independent expectations -----===//

#include "Run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace tinytest;

static bool sameBits(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, sizeof a) == 0;
}
static bool sameBits(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, sizeof a) == 0;
}

//===----------------------------------------------------------------------===//
// Integers: every pair of bytes
//===----------------------------------------------------------------------===//

template <typename T> static std::pair<std::vector<T>, std::vector<T>> allPairs() {
  std::vector<T> a, b;
  for (int x = 0; x < 256; ++x)
    for (int y = 0; y < 256; ++y) {
      a.push_back(static_cast<T>(x));
      b.push_back(static_cast<T>(y));
    }
  return {a, b};
}

template <typename T> static void checkBytes(ElementType type) {
  auto [a, b] = allPairs<T>();
  Tensor left = vectorOf(type, a), right = vectorOf(type, b);
  auto sum = numbersOf<T>(binary("add", left, right));
  auto product = numbersOf<T>(binary("mul", left, right));
  auto quotient = numbersOf<T>(binary("div", left, right));
  auto larger = numbersOf<T>(binary("max", left, right));
  auto lt = compare("lt", left, right), le = compare("le", left, right);
  auto eq = compare("eq", left, right), ne = compare("ne", left, right);
  for (size_t k = 0; k < a.size(); ++k) {
    int x = a[k], y = b[k]; // int holds every result before it wraps
    ASSERT_EQ(sum[k], static_cast<T>(x + y));
    ASSERT_EQ(product[k], static_cast<T>(x * y));
    ASSERT_EQ(quotient[k], y ? static_cast<T>(x / y) : 0) << x << " / " << y;
    ASSERT_EQ(larger[k], std::max(a[k], b[k]));
    ASSERT_EQ(lt[k], x < y);
    ASSERT_EQ(le[k], x <= y);
    ASSERT_EQ(eq[k], x == y);
    ASSERT_EQ(ne[k], x != y);
  }
}
TEST(Compute, EveryPairOfBytes) {
  checkBytes<int8_t>(ElementType::i8);
  checkBytes<uint8_t>(ElementType::ui8);
}

template <typename T> static void checkExtremes(ElementType type) {
  using Limits = std::numeric_limits<T>;
  T low = Limits::min(), high = Limits::max(), minusOne = static_cast<T>(-1);
  Tensor a = vectorOf<T>(type, {low, high, low, high, 7, 0});
  Tensor b = vectorOf<T>(type, {minusOne, high, low, 1, 0, 0});
  bool isSigned = Limits::is_signed;
  EXPECT_EQ(numbersOf<T>(binary("div", a, b)),
            (std::vector<T>{low, 1, static_cast<T>(isSigned ? 1 : 0), high, 0, 0}))
      << tinyrt::name(type);
  EXPECT_EQ(numbersOf<T>(binary("add", a, b)),
            (std::vector<T>{isSigned ? high : minusOne, static_cast<T>(-2), 0, low, 7, 0}));
  EXPECT_EQ(numbersOf<T>(binary("mul", a, b)), (std::vector<T>{low, 1, 0, high, 0, 0}));
  EXPECT_EQ(numbersOf<T>(binary("max", a, b)),
            (std::vector<T>{isSigned ? minusOne : high, high, low, high, 7, 0}));
  EXPECT_EQ(compare("lt", a, b), (std::vector<uint8_t>{1, 0, 0, 0, 0, 0}));
}
TEST(Compute, ExtremesOfWideIntegers) {
  checkExtremes<int16_t>(ElementType::i16);
  checkExtremes<int32_t>(ElementType::i32);
  checkExtremes<int64_t>(ElementType::i64);
  checkExtremes<uint16_t>(ElementType::ui16);
  checkExtremes<uint32_t>(ElementType::ui32);
  checkExtremes<uint64_t>(ElementType::ui64);
}

TEST(Compute, Bools) {
  Tensor a = vectorOf<uint8_t>(ElementType::i1, {0, 0, 1, 1});
  Tensor b = vectorOf<uint8_t>(ElementType::i1, {0, 1, 0, 1});
  EXPECT_EQ(numbersOf<uint8_t>(binary("add", a, b)), (std::vector<uint8_t>{0, 1, 1, 0}));
  EXPECT_EQ(numbersOf<uint8_t>(binary("mul", a, b)), (std::vector<uint8_t>{0, 0, 0, 1}));
  EXPECT_EQ(numbersOf<uint8_t>(binary("max", a, b)), (std::vector<uint8_t>{0, 1, 1, 1}));
  EXPECT_EQ(compare("lt", a, b), (std::vector<uint8_t>{0, 1, 0, 0}));
  EXPECT_EQ(compare("le", a, b), (std::vector<uint8_t>{1, 1, 0, 1}));
  EXPECT_EQ(compare("eq", a, b), (std::vector<uint8_t>{1, 0, 0, 1}));
  EXPECT_EQ(compare("ne", a, b), (std::vector<uint8_t>{0, 1, 1, 0}));
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

/// All pairs of special numbers, and many random bit patterns.
template <typename T, typename Bits> static std::pair<std::vector<T>, std::vector<T>> floatPairs() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> special = {0,
                            -T(0),
                            1,
                            -1,
                            T(1.5),
                            Limits::infinity(),
                            -Limits::infinity(),
                            Limits::quiet_NaN(),
                            Limits::max(),
                            -Limits::max(),
                            Limits::min(),
                            Limits::denorm_min(),
                            -Limits::denorm_min(),
                            T(3) * Limits::min()};
  std::vector<T> a, b;
  for (T x : special)
    for (T y : special) {
      a.push_back(x);
      b.push_back(y);
    }
  std::mt19937_64 random(1);
  for (int k = 0; k < 20000; ++k) {
    Bits x = static_cast<Bits>(random());
    // Half of the second operands have nearly the exponent of the first.
    Bits y = k % 2 ? static_cast<Bits>(random()) : static_cast<Bits>(x ^ (random() >> 40));
    T pair[2];
    std::memcpy(&pair[0], &x, sizeof x);
    std::memcpy(&pair[1], &y, sizeof y);
    a.push_back(pair[0]);
    b.push_back(pair[1]);
  }
  return {a, b};
}

template <typename T> static T maximumOf(T x, T y) {
  if (std::isnan(x) || std::isnan(y))
    return std::numeric_limits<T>::quiet_NaN();
  if (x == 0 && y == 0)
    return std::signbit(x) ? y : x;
  return x < y ? y : x;
}

template <typename T, typename Bits> static void checkAgainstHardware(ElementType type) {
  auto [a, b] = floatPairs<T, Bits>();
  Tensor left = vectorOf(type, a), right = vectorOf(type, b);
  auto sum = numbersOf<T>(binary("add", left, right));
  auto product = numbersOf<T>(binary("mul", left, right));
  auto quotient = numbersOf<T>(binary("div", left, right));
  auto larger = numbersOf<T>(binary("max", left, right));
  auto root = numbersOf<T>(unary("sqrt", left));
  auto lt = compare("lt", left, right), le = compare("le", left, right);
  auto eq = compare("eq", left, right), ne = compare("ne", left, right);
  for (size_t k = 0; k < a.size(); ++k) {
    volatile T x = a[k], y = b[k]; // at run time, by the processor
    ASSERT_TRUE(sameBits(sum[k], T(x + y))) << x << " + " << y;
    ASSERT_TRUE(sameBits(product[k], T(x * y))) << x << " * " << y;
    ASSERT_TRUE(sameBits(quotient[k], T(x / y))) << x << " / " << y;
    ASSERT_TRUE(sameBits(larger[k], maximumOf<T>(x, y))) << x << " max " << y;
    ASSERT_TRUE(sameBits(root[k], T(std::sqrt(T(x))))) << "sqrt " << x;
    ASSERT_EQ(lt[k], x < y);
    ASSERT_EQ(le[k], x <= y);
    ASSERT_EQ(eq[k], x == y);
    ASSERT_EQ(ne[k], x != y);
  }
}
TEST(Compute, FloatsAsTheProcessorComputesThem) {
  checkAgainstHardware<float, uint32_t>(ElementType::f32);
  checkAgainstHardware<double, uint64_t>(ElementType::f64);
}

/// The finite numbers of a 16-bit format in order, and the nearest of them by search.
class SmallFloats {
public:
  explicit SmallFloats(int exponentBits) : fractionBits(15 - exponentBits) {
    int bias = (1 << (exponentBits - 1)) - 1;
    infinity = static_cast<uint16_t>(((1 << exponentBits) - 1) << fractionBits);
    for (uint16_t bits = 0; bits < infinity; ++bits) {
      int exponent = bits >> fractionBits;
      int fraction = bits & ((1 << fractionBits) - 1);
      numbers.push_back(
          exponent ? std::ldexp((1 << fractionBits) + fraction, exponent - bias - fractionBits)
                   : std::ldexp(fraction, 1 - bias - fractionBits));
    }
  }
  double value(uint16_t bits) const {
    uint16_t magnitude = bits & 0x7fff;
    double number = magnitude > infinity    ? NAN
                    : magnitude == infinity ? INFINITY
                                            : numbers[magnitude];
    return bits >> 15 ? -number : number;
  }
  uint16_t nearest(double number) const {
    uint16_t sign = std::signbit(number) ? 0x8000 : 0;
    double magnitude = std::fabs(number);
    if (std::isnan(number))
      return infinity + 1;
    double step = numbers.back() - numbers[numbers.size() - 2];
    if (magnitude >= numbers.back() + step / 2)
      return sign | infinity;
    auto above = std::lower_bound(numbers.begin(), numbers.end(), magnitude);
    if (above == numbers.end())
      --above;
    auto high = static_cast<uint16_t>(above - numbers.begin());
    if (high == 0 || *above <= magnitude)
      return sign | high;
    double up = *above - magnitude, down = magnitude - numbers[high - 1];
    bool takesHigh = up < down || (up == down && high % 2 == 0);
    return sign | (takesHigh ? high : high - 1);
  }
  bool isNaN(uint16_t bits) const { return (bits & 0x7fff) > infinity; }

private:
  int fractionBits;
  uint16_t infinity;
  std::vector<double> numbers;
};

/// Sums, products and quotients in double (exact, exact, and never so close to a midpoint that
/// rounding to double could reach it), then the nearest number by search.
static void checkSmallFloats(ElementType type, int exponentBits) {
  SmallFloats format(exponentBits);
  std::vector<uint16_t> a, b;
  std::mt19937 random(2);
  for (int k = 0; k < 60000; ++k) {
    a.push_back(static_cast<uint16_t>(random()));
    b.push_back(k % 2 ? static_cast<uint16_t>(random())
                      : static_cast<uint16_t>(a.back() ^ (random() & 0x83ff)));
  }
  Tensor left = vectorOf(type, a), right = vectorOf(type, b);
  auto sum = numbersOf<uint16_t>(binary("add", left, right));
  auto product = numbersOf<uint16_t>(binary("mul", left, right));
  auto quotient = numbersOf<uint16_t>(binary("div", left, right));
  auto root = numbersOf<uint16_t>(unary("sqrt", left));
  auto check = [&](uint16_t actual, double exact, const char *op, double x, double y) {
    uint16_t expected = format.nearest(exact);
    if (format.isNaN(expected))
      ASSERT_TRUE(format.isNaN(actual)) << x << op << y;
    else
      ASSERT_EQ(actual, expected) << x << op << y;
  };
  for (size_t k = 0; k < a.size(); ++k) {
    double x = format.value(a[k]), y = format.value(b[k]);
    if (type == ElementType::f16) // sums of bf16 may need more bits than a double has
      check(sum[k], x + y, " + ", x, y);
    check(product[k], x * y, " * ", x, y);
    check(quotient[k], x / y, " / ", x, y);
    check(root[k], std::sqrt(x), " sqrt ", x, y);
  }
}
TEST(Compute, HalfAndBfloatRoundTheExactResult) {
  checkSmallFloats(ElementType::f16, 5);
  checkSmallFloats(ElementType::bf16, 8);
}

TEST(Compute, FunctionsAtSpecialNumbers) {
  const float inf = INFINITY;
  Tensor x =
      vectorOf<float>(ElementType::f32, {0, -0.0f, inf, -inf, NAN, 1, -1, 128, -149, -150, 127});
  auto powers = numbersOf<float>(unary("exp2", x));
  std::vector<float> expected = {1, 1, inf, 0, NAN, 2, 0.5f, inf, 0x1p-149f, 0, 0x1p127f};
  for (size_t k = 0; k < expected.size(); ++k)
    EXPECT_TRUE(sameBits(powers[k], expected[k])) << k;
  Tensor y = vectorOf<float>(ElementType::f32, {0, -0.0f, inf, -inf, NAN, 1, -1, 8, 0x1p-149f});
  auto logs = numbersOf<float>(unary("log2", y));
  expected = {-inf, -inf, inf, NAN, NAN, 0, NAN, 3, -149};
  for (size_t k = 0; k < expected.size(); ++k)
    EXPECT_TRUE(sameBits(logs[k], expected[k])) << k;
  Tensor z = vectorOf<float>(ElementType::f32, {0, -0.0f, inf, -inf, NAN});
  auto sines = numbersOf<float>(unary("sin", z));
  expected = {0, -0.0f, NAN, NAN, NAN};
  for (size_t k = 0; k < expected.size(); ++k)
    EXPECT_TRUE(sameBits(sines[k], expected[k])) << k;
  auto roots = numbersOf<float>(unary("sqrt", y));
  expected = {0, -0.0f, inf, NAN, NAN, 1, NAN, 0x1.6a09e6p1f, 0x1.6a09e6p-75f};
  for (size_t k = 0; k < expected.size(); ++k)
    EXPECT_TRUE(sameBits(roots[k], expected[k])) << k;
}

TEST(Compute, SineReducesTheFullRange) {
  // Digits from published tables of sin(10^22) and sin(2^120), the classic tests of reduction.
  Tensor doubles = vectorOf<double>(ElementType::f64, {1e22, 0x1p120, 3.141592653589793});
  auto sines = numbersOf<double>(unary("sin", doubles));
  EXPECT_DOUBLE_EQ(sines[0], -0.8522008497671888);
  EXPECT_DOUBLE_EQ(sines[1], 0.37782010936075202);
  EXPECT_DOUBLE_EQ(sines[2], 1.2246467991473532e-16);
  auto floats = numbersOf<float>(unary("sin", vectorOf<float>(ElementType::f32, {0x1p120f})));
  EXPECT_FLOAT_EQ(floats[0], 0.37782010936075202f);
}

TEST(Compute, FunctionsAreNearlyCorrectlyRounded) {
  std::mt19937 random(3);
  std::vector<double> inputs;
  for (int k = 0; k < 2000; ++k)
    inputs.push_back(std::ldexp(random() / 4294967296.0, static_cast<int>(random() % 20) - 10));
  Tensor x = vectorOf(ElementType::f64, inputs);
  auto exp2s = numbersOf<double>(unary("exp2", x)), log2s = numbersOf<double>(unary("log2", x)),
       sines = numbersOf<double>(unary("sin", x));
  auto check = [](double actual, long double exact) {
    long double ulp = std::ldexp(1.0L, std::ilogb(exact) - 52);
    EXPECT_LE(std::fabs(actual - exact), 0.51L * ulp) << exact;
  };
  for (size_t k = 0; k < inputs.size(); ++k) {
    check(exp2s[k], exp2l(inputs[k]));
    check(log2s[k], log2l(inputs[k]));
    check(sines[k], sinl(inputs[k]));
  }
}

TEST(Compute, WhereChoosesForEveryType) {
  Tensor condition = vectorOf<uint8_t>(ElementType::i1, {1, 0, 1});
  auto choose = [&](const Tensor &a, const Tensor &b) {
    std::string type = text(a);
    return run("func.func @main(%c: tensor<3xi1>, %a: " + type + ", %b: " + type + ") -> " + type +
                   " {\n %r = tiny.where %c, %a, %b : " + type + "\n return %r : " + type + "\n}",
               {condition, a, b});
  };
  // NaN and infinity in the branch that is not taken leave no trace.
  auto floats = numbersOf<float>(choose(vectorOf<float>(ElementType::f32, {1, NAN, -0.0f}),
                                        vectorOf<float>(ElementType::f32, {INFINITY, 5, NAN})));
  EXPECT_EQ(floats, (std::vector<float>{1, 5, 0}));
  EXPECT_TRUE(std::signbit(floats[2]));
  EXPECT_EQ(numbersOf<uint64_t>(choose(vectorOf<uint64_t>(ElementType::ui64, {~uint64_t(0), 2, 3}),
                                       vectorOf<uint64_t>(ElementType::ui64, {4, 5, 6}))),
            (std::vector<uint64_t>{~uint64_t(0), 5, 3}));
  EXPECT_EQ(numbersOf<uint8_t>(choose(vectorOf<uint8_t>(ElementType::i1, {1, 1, 0}),
                                      vectorOf<uint8_t>(ElementType::i1, {0, 0, 1}))),
            (std::vector<uint8_t>{1, 0, 0}));
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

static Tensor reduce(const std::string &kind, const Tensor &input, const std::string &dims,
                     Shape shape) {
  std::string from = text(input), to = tinyrt::TensorType{input.type().element, shape}.str();
  return run("func.func @main(%a: " + from + ") -> " + to + " {\n %r = tiny.reduce " + kind +
                 " %a dims [" + dims + "] : " + from + " -> " + to + "\n return %r : " + to + "\n}",
             {input});
}

TEST(Reduce, EachKindAlongEachDim) {
  Tensor x = tensorOf<int32_t>(ElementType::i32, {2, 3}, {1, 2, 3, 4, 5, -6});
  EXPECT_EQ(numbersOf<int32_t>(reduce("add", x, "0", {3})), (std::vector<int32_t>{5, 7, -3}));
  EXPECT_EQ(numbersOf<int32_t>(reduce("mul", x, "1", {2})), (std::vector<int32_t>{6, -120}));
  EXPECT_EQ(numbersOf<int32_t>(reduce("max", x, "1, 0", {})), (std::vector<int32_t>{5}));
  EXPECT_EQ(numbersOf<int32_t>(reduce("add", x, "", {2, 3})), numbersOf<int32_t>(x));
}

TEST(Reduce, EmptyRangesGiveTheIdentity) {
  auto check = [](const Tensor &empty, const std::string &kind, auto identity) {
    using T = decltype(identity);
    EXPECT_EQ(numbersOf<T>(reduce(kind, empty, "1", {2})), (std::vector<T>{identity, identity}))
        << text(empty) << " " << kind;
  };
  Tensor f32({ElementType::f32, {2, 0}}), f16({ElementType::f16, {2, 0}}),
      i8({ElementType::i8, {2, 0}}), ui8({ElementType::ui8, {2, 0}}), i1({ElementType::i1, {2, 0}}),
      i64({ElementType::i64, {2, 0}});
  check(f32, "add", 0.0f);
  check(f32, "mul", 1.0f);
  check(f32, "max", -INFINITY);
  check(f16, "mul", uint16_t(0x3c00));
  check(f16, "max", uint16_t(0xfc00));
  check(i8, "mul", int8_t(1));
  check(i8, "max", int8_t(-128));
  check(ui8, "max", uint8_t(0));
  check(i64, "max", std::numeric_limits<int64_t>::min());
  check(i64, "add", int64_t(0));
  check(i1, "add", uint8_t(0));
  check(i1, "mul", uint8_t(1));
  check(i1, "max", uint8_t(0));
}

TEST(Reduce, IntegersWrapAndBoolsAreXorAndOr) {
  Tensor bytes = vectorOf<uint8_t>(ElementType::ui8, {200, 100, 3});
  EXPECT_EQ(numbersOf<uint8_t>(reduce("add", bytes, "0", {}))[0], 303 - 256);
  EXPECT_EQ(numbersOf<uint8_t>(reduce("mul", bytes, "0", {}))[0], 60000 % 256);
  Tensor bools = tensorOf<uint8_t>(ElementType::i1, {3, 3}, {1, 1, 1, 1, 1, 0, 0, 0, 0});
  EXPECT_EQ(numbersOf<uint8_t>(reduce("add", bools, "1", {3})), (std::vector<uint8_t>{1, 0, 0}));
  EXPECT_EQ(numbersOf<uint8_t>(reduce("mul", bools, "1", {3})), (std::vector<uint8_t>{1, 0, 0}));
  EXPECT_EQ(numbersOf<uint8_t>(reduce("max", bools, "1", {3})), (std::vector<uint8_t>{1, 1, 0}));
}

TEST(Reduce, NarrowFloatsAccumulateInMoreBits) {
  // In f16 the sum would stop at 2048, and 60000 + 60000 - 60000 would overflow.
  EXPECT_EQ(
      numbersOf<uint16_t>(reduce(
          "add", vectorOf(ElementType::f16, std::vector<uint16_t>(3000, 0x3c00)), "0", {}))[0],
      0x69dc);           // 3000
  uint16_t big = 0x7b53; // 60000
  EXPECT_EQ(numbersOf<uint16_t>(reduce(
                "add", vectorOf<uint16_t>(ElementType::f16, {big, big, uint16_t(big | 0x8000)}),
                "0", {}))[0],
            big);
  EXPECT_EQ(numbersOf<float>(
                reduce("add", vectorOf<float>(ElementType::f32, {1e8f, 1, -1e8f}), "0", {}))[0],
            1);
}

TEST(Reduce, MaxOrdersZerosAndKeepsNaN) {
  auto zero = numbersOf<float>(
      reduce("max", vectorOf<float>(ElementType::f32, {-0.0f, 0.0f, -0.0f}), "0", {}));
  EXPECT_TRUE(sameBits(zero[0], 0.0f));
  auto minusZero =
      numbersOf<float>(reduce("max", vectorOf<float>(ElementType::f32, {-0.0f, -1}), "0", {}));
  EXPECT_TRUE(sameBits(minusZero[0], -0.0f));
  auto notANumber = numbersOf<float>(
      reduce("max", vectorOf<float>(ElementType::f32, {1, NAN, INFINITY}), "0", {}));
  EXPECT_TRUE(std::isnan(notANumber[0]));
}

TEST(Reduce, DoesNotDependOnThreads) {
  std::vector<float> numbers(700 * 301);
  std::mt19937 random(4);
  for (float &number : numbers)
    number = std::ldexp(static_cast<float>(random()), static_cast<int>(random() % 60) - 60);
  Tensor x = tensorOf(ElementType::f32, {700, 301}, numbers);
  auto sums = [&](unsigned threads) {
    Program program("func.func @main(%a: tensor<700x301xf32>) -> tensor<700xf32> {\n"
                    " %s = tiny.sin %a : tensor<700x301xf32>\n"
                    " %r = tiny.reduce add %s dims [1] : tensor<700x301xf32> -> tensor<700xf32>\n"
                    " return %r : tensor<700xf32>\n}");
    mlir::tiny::InterpretOptions options;
    options.threads = threads;
    return numbersOf<float>(program.run({x}, options).outputs[0].value);
  };
  std::vector<float> one = sums(1);
  EXPECT_EQ(one, sums(5));
  double expected = 0;
  for (int k = 0; k < 301; ++k)
    expected += static_cast<float>(std::sin(static_cast<double>(numbers[k])));
  EXPECT_EQ(one[0], static_cast<float>(expected));
}
