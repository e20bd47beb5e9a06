//===- BoundTest.cpp - the values that a correct target may produce -------===//

#include "Run.h"

#include <cmath>
#include <limits>

using namespace tinytest;
using mlir::tiny::Bound;
using mlir::tiny::ReferenceOutput;

static ReferenceOutput bounded(const std::string &text, const std::vector<Tensor> &inputs) {
  mlir::tiny::InterpretOptions options;
  options.bounds = true;
  auto result = Program(text).run(inputs, options);
  EXPECT_EQ(result.outputs.size(), 1u);
  EXPECT_EQ(result.outputs[0].bounds.size(),
            static_cast<size_t>(result.outputs[0].value.numElements()));
  return result.outputs[0];
}

/// One f32 argument %a of four elements, one result %r of `resultType`.
static ReferenceOutput onFour(const std::string &body, std::vector<float> numbers,
                              const std::string &resultType = "tensor<4xf32>") {
  return bounded("func.func @main(%a: tensor<4xf32>) -> " + resultType + " {\n" + body +
                     "\n return %r : " + resultType + "\n}",
                 {vectorOf(ElementType::f32, numbers)});
}

static bool allows(const ReferenceOutput &output, int64_t index, float number) {
  Tensor actual(output.value.type());
  for (int64_t k = 0; k < actual.numElements(); ++k)
    actual.as<float>()[k] = number;
  return mlir::tiny::admits(output, actual, index);
}

static float up(float x, int steps = 1) {
  for (; steps > 0; --steps)
    x = std::nextafter(x, INFINITY);
  return x;
}
static float down(float x, int steps = 1) {
  for (; steps > 0; --steps)
    x = std::nextafter(x, -INFINITY);
  return x;
}

TEST(Bound, ExactOpsAllowOneValue) {
  ReferenceOutput r = onFour("%r = tiny.div %a, %a : tensor<4xf32>", {3, 0, 5, INFINITY});
  EXPECT_TRUE(allows(r, 0, 1));
  EXPECT_FALSE(allows(r, 0, up(1)));
  EXPECT_TRUE(allows(r, 1, NAN));
  EXPECT_FALSE(allows(r, 1, 0));
  ReferenceOutput zeros = onFour("%r = tiny.mul %a, %a : tensor<4xf32>", {0, 1, 2, 3});
  EXPECT_TRUE(allows(zeros, 0, 0.0f));
  EXPECT_FALSE(allows(zeros, 0, -0.0f));
}

TEST(Bound, FunctionsAllowTwoUlps) {
  for (std::string op : {"exp2", "log2", "sin"}) {
    ReferenceOutput r =
        onFour("%r = tiny." + op + " %a : tensor<4xf32>", {0.7f, 3.3f, 1e-3f, 2.9f});
    for (int64_t k = 0; k < 4; ++k) {
      float value = r.value.as<float>()[k];
      EXPECT_TRUE(allows(r, k, up(value)) && allows(r, k, down(value))) << op << k;
      EXPECT_FALSE(allows(r, k, up(value, 4)) || allows(r, k, down(value, 4))) << op << k;
    }
  }
  ReferenceOutput r = onFour("%r = tiny.exp2 %a : tensor<4xf32>", {-INFINITY, INFINITY, NAN, -300});
  EXPECT_TRUE(allows(r, 0, 0) && !allows(r, 0, 1e-45f) && !allows(r, 0, -0.0f));
  EXPECT_TRUE(allows(r, 1, INFINITY) && !allows(r, 1, std::numeric_limits<float>::max()));
  EXPECT_TRUE(allows(r, 2, NAN) && !allows(r, 2, 0));
  EXPECT_TRUE(allows(r, 3, 0) && allows(r, 3, 1e-45f) && !allows(r, 3, 1e-44f));
}

TEST(Bound, SumsAllowEveryOrder) {
  const char *sum = "%r = tiny.reduce add %a dims [0] : tensor<4xf32> -> tensor<f32>";
  // ((1e8 + 1) + 3) - 1e8 and 1e8 - 1e8 + (1 + 3): 8 and 4 by turns, or anything of their kind.
  ReferenceOutput r = onFour(sum, {1e8f, 1, 3, -1e8f}, "tensor<f32>");
  EXPECT_TRUE(allows(r, 0, 4) && allows(r, 0, 0) && allows(r, 0, 8));
  EXPECT_FALSE(allows(r, 0, 100));
  // Small integers add up exactly in every order, whatever their signs.
  ReferenceOutput exact = onFour(sum, {7, -1, 100, 0.5f}, "tensor<f32>");
  EXPECT_TRUE(allows(exact, 0, 106.5f));
  EXPECT_FALSE(allows(exact, 0, up(106.5f)));
  // One order overflows, another does not.
  ReferenceOutput overflow = onFour(sum, {3e38f, 3e38f, -3e38f, 0}, "tensor<f32>");
  EXPECT_TRUE(allows(overflow, 0, 3e38f) && allows(overflow, 0, INFINITY));
  EXPECT_FALSE(allows(overflow, 0, -3e38f));
  ReferenceOutput both = onFour(sum, {3e38f, 3e38f, -3e38f, -3e38f}, "tensor<f32>");
  EXPECT_TRUE(both.bounds[0].undecided);
  ReferenceOutput infinite = onFour(sum, {INFINITY, 1, 2, 3}, "tensor<f32>");
  EXPECT_TRUE(allows(infinite, 0, INFINITY) && !allows(infinite, 0, 1e38f));
  ReferenceOutput notANumber = onFour(sum, {INFINITY, 1, 2, -INFINITY}, "tensor<f32>");
  EXPECT_TRUE(allows(notANumber, 0, NAN) && !allows(notANumber, 0, 0));
  ReferenceOutput zeros = onFour(sum, {-0.0f, -0.0f, -0.0f, -0.0f}, "tensor<f32>");
  EXPECT_TRUE(allows(zeros, 0, -0.0f) && allows(zeros, 0, 0.0f) && !allows(zeros, 0, 1e-45f));
}

TEST(Bound, OnlyAProductInASumMayContract) {
  // 1 + 2^-12 squared is 1 + 2^-11 + 2^-24: the last bit is lost in f32, not in a multiply-add.
  float x = 1 + 0x1p-12f, y = -(1 + 0x1p-11f);
  // Cancellation leaves 2^-24 where it was contracted, and 0 elsewhere.
  ReferenceOutput cancelled = bounded(
      "func.func @main(%a: tensor<2xf32>, %b: tensor<2xf32>) -> tensor<f32> {\n"
      " %p = tiny.mul %a, %b : tensor<2xf32>\n"
      " %r = tiny.reduce add %p dims [0] : tensor<2xf32> -> tensor<f32>\n return %r : "
      "tensor<f32>\n}",
      {vectorOf<float>(ElementType::f32, {x, y}), vectorOf<float>(ElementType::f32, {x, 1})});
  EXPECT_TRUE(allows(cancelled, 0, 0) && allows(cancelled, 0, 0x1p-24f));
  EXPECT_FALSE(allows(cancelled, 0, 0x1p-20f));
  // The same two ops without a reduce must round twice.
  ReferenceOutput added = bounded(
      "func.func @main(%a: tensor<f32>, %c: tensor<f32>) -> tensor<f32> {\n"
      " %p = tiny.mul %a, %a : tensor<f32>\n %r = tiny.add %p, %c : tensor<f32>\n"
      " return %r : tensor<f32>\n}",
      {tensorOf<float>(ElementType::f32, {}, {x}), tensorOf<float>(ElementType::f32, {}, {y})});
  EXPECT_TRUE(allows(added, 0, 0) && !allows(added, 0, 0x1p-24f));
}

TEST(Bound, ProductsAllowEveryOrder) {
  const char *product = "%r = tiny.reduce mul %a dims [0] : tensor<4xf32> -> tensor<f32>";
  ReferenceOutput r = onFour(product, {1.1f, 1.3f, 1.7f, 1.9f}, "tensor<f32>");
  float value = r.value.as<float>()[0];
  EXPECT_TRUE(allows(r, 0, up(value)) && allows(r, 0, down(value)));
  EXPECT_FALSE(allows(r, 0, value * 1.001f));
  ReferenceOutput overflow = onFour(product, {1e30f, 1e30f, 1e-30f, 1}, "tensor<f32>");
  EXPECT_TRUE(allows(overflow, 0, INFINITY) && allows(overflow, 0, 1e30f));
  ReferenceOutput powers = onFour(product, {2, -4, 0.5f, 3}, "tensor<f32>");
  EXPECT_TRUE(allows(powers, 0, -12) && !allows(powers, 0, up(-12)));
}

TEST(Bound, MaximumIsExactInEveryOrder) {
  ReferenceOutput r = onFour("%r = tiny.reduce max %a dims [0] : tensor<4xf32> -> tensor<f32>",
                             {-0.0f, -1, 0.0f, -2}, "tensor<f32>");
  EXPECT_TRUE(allows(r, 0, 0.0f) && !allows(r, 0, -0.0f));
}

TEST(Bound, StepsNearABorderAreUndecided) {
  // sin(x) and sin(x) again are the same number, but nothing says that a target computes it alike.
  std::string same = "%s = tiny.sin %a : tensor<4xf32>\n%e = tiny.exp2 %s : tensor<4xf32>\n";
  ReferenceOutput r =
      onFour(same + "%r = tiny.cmp lt %s, %e : tensor<4xf32>", {0.1f, 1, 2, 3}, "tensor<4xi1>");
  for (const Bound &bound : r.bounds)
    EXPECT_FALSE(bound.undecided); // 2^y is above y everywhere
  // log2(8) may be a little less than 3.
  ReferenceOutput cast = onFour("%l = tiny.log2 %a : tensor<4xf32>\n%r = tiny.cast %l : "
                                "tensor<4xf32> to tensor<4xi32>",
                                {8, 9, 7, 100}, "tensor<4xi32>");
  EXPECT_TRUE(cast.bounds[0].undecided);
  EXPECT_FALSE(cast.bounds[1].undecided || cast.bounds[2].undecided || cast.bounds[3].undecided);
  // sqrt(log2(1)): of something that may be less than 0.
  ReferenceOutput root = onFour(
      "%l = tiny.log2 %a : tensor<4xf32>\n%r = tiny.sqrt %l : tensor<4xf32>", {1, 2, 0.5f, 4});
  EXPECT_TRUE(root.bounds[0].undecided && !root.bounds[1].undecided);
  EXPECT_TRUE(allows(root, 2, NAN) && !allows(root, 2, 0));
}

TEST(Bound, AChoiceBetweenCloseValuesIsDecidedEnough) {
  std::string close = "%l = tiny.log2 %a : tensor<4xf32>\n"
                      "%t = tiny.constant dense<3.0> : tensor<4xf32>\n"
                      "%c = tiny.cmp lt %l, %t : tensor<4xf32>\n";
  ReferenceOutput r = onFour(close + "%r = tiny.where %c, %l, %t : tensor<4xf32>", {8, 2, 16, 4});
  EXPECT_FALSE(r.bounds[0].undecided);
  EXPECT_TRUE(allows(r, 0, 3) && allows(r, 0, down(3)) && !allows(r, 0, 3.1f));
  ReferenceOutput integers = onFour(
      close + "%i = tiny.cast %c : tensor<4xi1> to tensor<4xi32>\n"
              "%z = tiny.constant dense<0> : tensor<4xi32>\n%r = tiny.mul %i, %z : tensor<4xi32>",
      {8, 2, 16, 4}, "tensor<4xi32>");
  EXPECT_FALSE(integers.bounds[0].undecided); // 0 times anything
}

TEST(Bound, UndecidedElementsAreCounted) {
  Program program("func.func @main(%a: tensor<4xf32>) -> tensor<4xi32> {\n"
                  " %l = tiny.log2 %a : tensor<4xf32>\n"
                  " %r = tiny.cast %l : tensor<4xf32> to tensor<4xi32>\n"
                  " return %r : tensor<4xi32>\n}");
  mlir::tiny::InterpretOptions options;
  options.bounds = true;
  auto result = program.run({vectorOf<float>(ElementType::f32, {8, 4, 5, 6})}, options);
  EXPECT_EQ(result.undecided, 2);
}
