//===- MovementTest.cpp - movement ops, sources, expectations, errors -----===//
//
// Each movement op against the loop that its documentation describes, in enough
// elements that batches, uniform columns and several threads come into play.
//
//===----------------------------------------------------------------------===//

#include "Run.h"

#include <cmath>
#include <functional>
#include <numeric>

using namespace tinytest;

static int64_t countOf(const Shape &shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1), std::multiplies<int64_t>());
}

static Shape indexOf(int64_t position, const Shape &shape) {
  Shape index(shape.size());
  for (size_t dim = shape.size(); dim-- > 0; position /= shape[dim])
    index[dim] = position % shape[dim];
  return index;
}
static int64_t positionOf(const Shape &index, const Shape &shape) {
  int64_t position = 0;
  for (size_t dim = 0; dim < shape.size(); ++dim)
    position = position * shape[dim] + index[dim];
  return position;
}

static Tensor counting(const Shape &shape) {
  std::vector<int32_t> numbers(countOf(shape));
  std::iota(numbers.begin(), numbers.end(), 1);
  return tensorOf(ElementType::i32, shape, numbers);
}

static std::string typeText(const Shape &shape) {
  return tinyrt::TensorType{ElementType::i32, shape}.str();
}

/// Runs `%r = tiny.<text> : from <arrow> to` and compares with `source`, which maps an index of the
/// result to one of the input (or to nothing, where -7 must stand).
static void check(const std::string &op, const Shape &from, const Shape &to, const char *arrow,
                  std::function<std::pair<bool, Shape>(const Shape &)> source) {
  std::string program = "func.func @main(%a: " + typeText(from) + ") -> " + typeText(to) +
                        " {\n %r = tiny." + op + " : " + typeText(from) + " " + arrow + " " +
                        typeText(to) + "\n return %r : " + typeText(to) + "\n}";
  Tensor input = counting(from);
  std::vector<int32_t> actual = numbersOf<int32_t>(run(program, {input}));
  ASSERT_EQ(static_cast<int64_t>(actual.size()), countOf(to));
  for (int64_t k = 0; k < countOf(to); ++k) {
    auto [isInside, index] = source(indexOf(k, to));
    ASSERT_EQ(actual[k], isInside ? input.as<int32_t>()[positionOf(index, from)] : -7)
        << op << " at " << k;
  }
}

TEST(Movement, Permute) {
  check("permute %a [2, 0, 1]", {5, 7, 40}, {40, 5, 7}, "->",
        [](const Shape &at) { return std::pair(true, Shape{at[1], at[2], at[0]}); });
}

TEST(Movement, Expand) {
  check("expand %a", {3, 1, 1, 2}, {3, 50, 1, 2}, "to",
        [](const Shape &at) { return std::pair(true, Shape{at[0], 0, 0, at[3]}); });
  check("expand %a", {1, 4}, {0, 4}, "to", [](const Shape &at) { return std::pair(true, at); });
}

TEST(Movement, Shrink) {
  check("shrink %a offsets [1, 0, 3] sizes [2, 7, 30]", {5, 7, 40}, {2, 7, 30}, "->",
        [](const Shape &at) { return std::pair(true, Shape{at[0] + 1, at[1], at[2] + 3}); });
  check("shrink %a offsets [5] sizes [0]", {5}, {0}, "->",
        [](const Shape &at) { return std::pair(true, at); });
}

TEST(Movement, Stride) {
  check("stride %a [2, -1, -3]", {5, 7, 41}, {3, 7, 14}, "->", [](const Shape &at) {
    return std::pair(true, Shape{at[0] * 2, 6 - at[1], 40 - 3 * at[2]});
  });
  check("stride %a [9]", {5}, {1}, "->", [](const Shape &at) { return std::pair(true, Shape{0}); });
}

TEST(Movement, Pad) {
  check("pad %a low [1, 0] high [0, 3] value -7 : i32", {11, 60}, {12, 63}, "->",
        [](const Shape &at) {
          bool isInside = at[0] >= 1 && at[1] < 60;
          return std::pair(isInside, Shape{at[0] - 1, at[1]});
        });
  // Nothing may be read from an empty input.
  check("pad %a low [2, 1] high [1, 0] value -7 : i32", {0, 3}, {3, 4}, "->",
        [](const Shape &at) { return std::pair(false, at); });
}

TEST(Movement, Reshape) {
  auto samePosition = [](const Shape &from, const Shape &to) {
    return [=](const Shape &at) { return std::pair(true, indexOf(positionOf(at, to), from)); };
  };
  std::pair<Shape, Shape> cases[] = {
      {{4, 6}, {24}},
      {{24}, {2, 3, 4}},
      {{4, 6}, {6, 4}},
      {{1, 24, 1}, {24}},
      {{2, 3, 5, 7}, {6, 35}},
      {{2, 3, 5, 7}, {2, 5, 3, 7}},
      {{}, {1, 1}},
      {{1}, {}},
      {{13, 1, 40}, {40, 13}},
      {{3, 1, 8}, {1, 3, 8, 1}},
      {{0, 3}, {5, 0}},
      {{30, 30}, {10, 9, 10}},
      {{7, 10, 9}, {7, 90}},
  };
  for (const auto &[from, to] : cases)
    check("reshape %a", from, to, "to", samePosition(from, to));
}

TEST(Movement, SlidingWindowFeedsASum) {
  // The chain that a front end writes for windows of 3 over 10, summed.
  Tensor x = counting({10});
  auto sums = numbersOf<int32_t>(run(R"(
    func.func @main(%x: tensor<10xi32>) -> tensor<8xi32> {
      %0 = tiny.reshape %x : tensor<10xi32> to tensor<1x10xi32>
      %1 = tiny.expand %0 : tensor<1x10xi32> to tensor<4x10xi32>
      %2 = tiny.reshape %1 : tensor<4x10xi32> to tensor<40xi32>
      %3 = tiny.shrink %2 offsets [0] sizes [33] : tensor<40xi32> -> tensor<33xi32>
      %4 = tiny.reshape %3 : tensor<33xi32> to tensor<3x11xi32>
      %5 = tiny.shrink %4 offsets [0, 0] sizes [3, 8] : tensor<3x11xi32> -> tensor<3x8xi32>
      %6 = tiny.reduce add %5 dims [0] : tensor<3x8xi32> -> tensor<8xi32>
      return %6 : tensor<8xi32>
    })",
                                     {x}));
  for (int k = 0; k < 8; ++k)
    EXPECT_EQ(sums[k], 3 * (k + 2));
}

TEST(Storage, ValuesUsedTwiceAreComputedOnce) {
  // Each step doubles: evaluated without storing, this would take 2^60 steps.
  std::string program = "func.func @main(%v0: tensor<3xui64>) -> tensor<3xui64> {\n";
  for (int k = 0; k < 60; ++k) {
    std::string from = "%v" + std::to_string(k), to = "%v" + std::to_string(k + 1);
    program += to + " = tiny.add " + from + ", " + from + " : tensor<3xui64>\n";
  }
  program += "return %v60 : tensor<3xui64>\n}";
  Tensor x = vectorOf<uint64_t>(ElementType::ui64, {1, 3, 16});
  EXPECT_EQ(numbersOf<uint64_t>(run(program, {x})),
            (std::vector<uint64_t>{uint64_t(1) << 60, uint64_t(3) << 60, 0}));
}

//===----------------------------------------------------------------------===//
// Sources
//===----------------------------------------------------------------------===//

TEST(Source, IotaCountsInItsType) {
  auto iota = [](const std::string &type, const std::string &dim) {
    return run("func.func @main() -> " + type + " {\n %r = tiny.iota dim " + dim + " : " + type +
                   "\n return %r : " + type + "\n}",
               {});
  };
  EXPECT_EQ(numbersOf<uint8_t>(iota("tensor<2x3xui8>", "1")),
            (std::vector<uint8_t>{0, 1, 2, 0, 1, 2}));
  EXPECT_EQ(numbersOf<int8_t>(iota("tensor<130xi8>", "0"))[129], -127);
  EXPECT_EQ(numbersOf<uint16_t>(iota("tensor<2052xf16>", "0"))[2049], 0x6800); // 2048
  EXPECT_EQ(numbersOf<double>(iota("tensor<2x2xf64>", "0")), (std::vector<double>{0, 0, 1, 1}));
}

TEST(Source, ConstantsOfEveryKind) {
  auto constant = [](const std::string &value, const std::string &type,
                     const std::string &tail = "") {
    return run("func.func @main() -> " + type + " {\n %r = tiny.constant " + value + " : " + type +
                   "\n return %r : " + type + "\n}" + tail,
               {});
  };
  EXPECT_EQ(numbersOf<uint8_t>(constant("dense<[true, false, true]>", "tensor<3xi1>")),
            (std::vector<uint8_t>{1, 0, 1}));
  EXPECT_EQ(numbersOf<uint8_t>(constant("dense<true>", "tensor<9xi1>")),
            std::vector<uint8_t>(9, 1));
  EXPECT_EQ(numbersOf<uint8_t>(constant("dense<250>", "tensor<2x2xui8>")),
            std::vector<uint8_t>(4, 250));
  EXPECT_EQ(numbersOf<uint16_t>(constant("dense<[1.5, -0.0]>", "tensor<2xbf16>")),
            (std::vector<uint16_t>{0x3fc0, 0x8000}));
  EXPECT_EQ(constant("dense<>", "tensor<0x4xf32>").numElements(), 0);
  EXPECT_EQ(numbersOf<float>(constant("dense_resource<w>", "tensor<2xf32>",
                                      "\n{-# dialect_resources: { builtin: { w: "
                                      "\"0x040000000000803F000000C0\" } } #-}")),
            (std::vector<float>{1, -2}));
}

TEST(Source, ResourceOfTheWrongSizeIsAnError) {
  Program program("func.func @main() -> tensor<3xf32> {\n %r = tiny.constant dense_resource<w> : "
                  "tensor<3xf32>\n return %r : tensor<3xf32>\n}\n"
                  "{-# dialect_resources: { builtin: { w: \"0x040000000000803F000000C0\" } } #-}");
  EXPECT_TRUE(failed(program.tryRun({})));
  ASSERT_FALSE(program.errors.empty());
  EXPECT_NE(program.errors[0].find("'w' of 8 bytes; its type needs 12"), std::string::npos)
      << program.errors[0];
}

TEST(Source, OutputsDoNotShareTheInputsMemory) {
  Tensor x = counting({4});
  Tensor y = run("func.func @main(%a: tensor<4xi32>) -> tensor<4xi32> {\n return %a : "
                 "tensor<4xi32>\n}",
                 {x});
  EXPECT_NE(x.data(), y.data());
  EXPECT_EQ(numbersOf<int32_t>(x), numbersOf<int32_t>(y));
}

//===----------------------------------------------------------------------===//
// Expectations and errors
//===----------------------------------------------------------------------===//

static std::vector<std::string> expectation(const std::string &op, const Tensor &actual,
                                            const Tensor &expected) {
  std::string type = text(actual);
  Program program("func.func @main(%a: " + type + ", %b: " + type + ") {\n tiny." + op + " : " +
                  type + "\n return\n}");
  auto result = program.run({actual, expected});
  EXPECT_EQ(result.failedExpectations, static_cast<int64_t>(program.errors.size()));
  return program.errors;
}

TEST(Expect, Eq) {
  auto f32 = [](std::vector<float> numbers) { return vectorOf(ElementType::f32, numbers); };
  const std::string eq = "expect_eq %a, %b";
  EXPECT_TRUE(expectation(eq, f32({1, NAN, -0.0f}), f32({1, -NAN, -0.0f})).empty());
  auto errors = expectation(eq, f32({1, 0.0f, 3}), f32({1, -0.0f, 4}));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(errors[0].find("2 of 3 elements differ, the first at [1]: actual 0, expected -0"),
            std::string::npos)
      << errors[0];
  auto u64 = [](std::vector<uint64_t> n) { return tensorOf(ElementType::ui64, {1, 2}, n); };
  errors = expectation(eq, u64({1, ~uint64_t(0)}), u64({1, 2}));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(errors[0].find("at [0, 1]: actual 18446744073709551615, expected 2"), std::string::npos)
      << errors[0];
}

TEST(Expect, Close) {
  auto f32 = [](std::vector<float> numbers) { return vectorOf(ElementType::f32, numbers); };
  const std::string close = "expect_close %a, %b rtol 0.125 atol 0.25";
  EXPECT_TRUE(
      expectation(close, f32({1.375f, NAN, INFINITY, 0.25f, -0.0f}), f32({1, NAN, INFINITY, 0, 0}))
          .empty());
  for (auto [actual, expected] :
       {std::pair(1.4f, 1.0f), std::pair(INFINITY, -INFINITY), std::pair(NAN, 1.0f),
        std::pair(1.0f, NAN), std::pair(3e38f, INFINITY), std::pair(0.26f, 0.0f)})
    EXPECT_EQ(expectation(close, f32({actual}), f32({expected})).size(), 1u)
        << actual << " " << expected;
}

TEST(Errors, InputsThatDoNotFit) {
  Program program("func.func @main(%a: tensor<4xi32>) -> tensor<4xi32> {\n return %a : "
                  "tensor<4xi32>\n}");
  EXPECT_TRUE(failed(program.tryRun({})));
  EXPECT_TRUE(failed(program.tryRun({counting({5})})));
  ASSERT_EQ(program.errors.size(), 2u);
  EXPECT_NE(program.errors[0].find("takes 1 inputs, but 0 are given"), std::string::npos);
  EXPECT_NE(program.errors[1].find("input 0 is tensor<5xi32>, but function @main takes"),
            std::string::npos);
}

TEST(Errors, ForeignOpsAreAllNamed) {
  Program program("func.func @main(%a: tensor<4xi32>) -> tensor<4xi32> {\n"
                  " %0 = \"foo.bar\"(%a) : (tensor<4xi32>) -> tensor<4xi32>\n"
                  " %1 = \"foo.baz\"(%0) : (tensor<4xi32>) -> tensor<4xi32>\n"
                  " return %1 : tensor<4xi32>\n}");
  EXPECT_TRUE(failed(program.tryRun({counting({4})})));
  ASSERT_EQ(program.errors.size(), 2u);
  EXPECT_NE(program.errors[0].find("foo.bar"), std::string::npos);
  EXPECT_NE(program.errors[1].find("foo.baz"), std::string::npos);
}
