//===- LongRowsTest.cpp - attention over rows that are not kept -----------===//
//
// Rows so long that they become an online reduction, through both exits of the Schedule
// stage, compared with plain loops.
//
//===----------------------------------------------------------------------===//

#include "KernelRunner.h"

#include "Tiny/Runtime/Session.h"

#include <cmath>
#include <random>

using namespace tinytest;
using namespace mlir::tiny;

namespace {
constexpr int64_t kRows = 16, kKeys = 8209, kDepth = 2;

constexpr const char *kAttention = R"(
func.func @main(%q: tensor<16x2xf32>, %k: tensor<8209x2xf32>, %v: tensor<8209x2xf32>) -> tensor<16x2xf32> {
  %0 = tiny.reshape %q : tensor<16x2xf32> to tensor<16x1x2xf32>
  %1 = tiny.expand %0 : tensor<16x1x2xf32> to tensor<16x8209x2xf32>
  %2 = tiny.reshape %k : tensor<8209x2xf32> to tensor<1x8209x2xf32>
  %3 = tiny.expand %2 : tensor<1x8209x2xf32> to tensor<16x8209x2xf32>
  %4 = tiny.mul %1, %3 : tensor<16x8209x2xf32>
  %s = tiny.reduce add %4 dims [2] : tensor<16x8209x2xf32> -> tensor<16x8209xf32>
  %m = tiny.reduce max %s dims [1] : tensor<16x8209xf32> -> tensor<16xf32>
  %6 = tiny.reshape %m : tensor<16xf32> to tensor<16x1xf32>
  %7 = tiny.expand %6 : tensor<16x1xf32> to tensor<16x8209xf32>
  %minus = tiny.constant dense<-1.0> : tensor<16x8209xf32>
  %8 = tiny.mul %7, %minus : tensor<16x8209xf32>
  %9 = tiny.add %s, %8 : tensor<16x8209xf32>
  %e = tiny.exp2 %9 : tensor<16x8209xf32>
  %l = tiny.reduce add %e dims [1] : tensor<16x8209xf32> -> tensor<16xf32>
  %12 = tiny.reshape %e : tensor<16x8209xf32> to tensor<16x1x8209xf32>
  %13 = tiny.expand %12 : tensor<16x1x8209xf32> to tensor<16x2x8209xf32>
  %14 = tiny.permute %v [1, 0] : tensor<8209x2xf32> -> tensor<2x8209xf32>
  %15 = tiny.reshape %14 : tensor<2x8209xf32> to tensor<1x2x8209xf32>
  %16 = tiny.expand %15 : tensor<1x2x8209xf32> to tensor<16x2x8209xf32>
  %17 = tiny.mul %13, %16 : tensor<16x2x8209xf32>
  %o = tiny.reduce add %17 dims [2] : tensor<16x2x8209xf32> -> tensor<16x2xf32>
  %18 = tiny.reshape %l : tensor<16xf32> to tensor<16x1xf32>
  %19 = tiny.expand %18 : tensor<16x1xf32> to tensor<16x2xf32>
  %r = tiny.div %o, %19 : tensor<16x2xf32>
  return %r : tensor<16x2xf32>
}
)";

class LongRows : public ::testing::TestWithParam<const char *> {};
} // namespace

TEST_P(LongRows, AreOneKernel) {
  CompileOptions options;
  options.target = GetParam();
  auto artefact = compileProgram(kAttention, options);
  ASSERT_TRUE(artefact);
  EXPECT_EQ(artefact->plan->launches().size(), 1u);
  EXPECT_EQ(artefact->plan->header().workspace_bytes, 0u);

  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(-4, 4);
  std::vector<tinyrt::Tensor> inputs;
  for (int64_t rows : {kRows, kKeys, kKeys}) {
    tinyrt::Tensor tensor({tinyrt::ElementType::f32, {rows, kDepth}});
    for (int64_t i = 0; i < rows * kDepth; ++i)
      tensor.as<float>()[i] = uniform(random);
    inputs.push_back(std::move(tensor));
  }
  std::string error;
  auto program = tinyrt::Program::create(tinyrt::createCpuDevice(), artefact->plan,
                                         artefact->code(), artefact->constants.data(), error);
  ASSERT_TRUE(program) << error;
  tinyrt::Session::Options sessionOptions;
  sessionOptions.poison = true;
  auto session = tinyrt::Session::create(program, sessionOptions, error);
  std::vector<tinyrt::Tensor> outputs;
  ASSERT_TRUE(session && session->run(inputs, outputs, error)) << error;

  const float *q = inputs[0].as<float>(), *k = inputs[1].as<float>(), *v = inputs[2].as<float>();
  for (int64_t row = 0; row < kRows; ++row) {
    std::vector<double> scores;
    double most = -INFINITY, sum = 0, wanted[kDepth] = {};
    for (int64_t key = 0; key < kKeys; ++key) {
      scores.push_back(double(q[row * kDepth]) * k[key * kDepth] +
                       double(q[row * kDepth + 1]) * k[key * kDepth + 1]);
      most = std::fmax(most, scores.back());
    }
    for (int64_t key = 0; key < kKeys; ++key) {
      double weight = std::exp2(scores[key] - most);
      sum += weight;
      for (int64_t d = 0; d < kDepth; ++d)
        wanted[d] += weight * v[key * kDepth + d];
    }
    // Scores of up to 32 are rounded to 2^-19, which is the relative error of a weight; the sums
    // of thousands of terms are carried by a few hundred large ones.
    for (int64_t d = 0; d < kDepth; ++d)
      EXPECT_NEAR(outputs[0].as<float>()[row * kDepth + d], wanted[d] / sum, 1e-4)
          << "row " << row << ", column " << d;
  }
}

INSTANTIATE_TEST_SUITE_P(ThroughBothExits, LongRows, ::testing::Values("cpu", "affine"));
