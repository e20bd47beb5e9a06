//===- ErrorTest.cpp - what cannot be built is reported, once -------------===//
//
// A front end composes freely and looks at the last result: so a null goes through every method
// without a word, and every wrong operand is one error, never a crash or an invalid op.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::test;

namespace {

/// Every method that takes tensors, called with one or several.
using Call = std::function<Value(Composer &, Value, Value)>;
const std::vector<std::pair<const char *, Call>> kCalls = {
#define CALL(expression)                                                                           \
  {#expression, [](Composer &c, Value x, Value y) -> Value { return c.expression; }}
    CALL(scalarLike(x, 1)),
    CALL(exp2(x)),
    CALL(log2(x)),
    CALL(sin(x)),
    CALL(sqrt(x)),
    CALL(cast(x, y ? c.elementOf(y) : c.b.getI8Type())),
    CALL(add(x, y)),
    CALL(mul(x, 2)),
    CALL(div(1, x)),
    CALL(max(x, y)),
    CALL(cmp(CmpPredicate::lt, x, y)),
    CALL(where(x, x, y)),
    CALL(where(c.lt(x, y), x, 0)),
    CALL(reduce(ReduceKind::mul, x, {1, 0}, true)),
    CALL(reshape(x, {6})),
    CALL(permute(x, {1, 0})),
    CALL(expand(x, {2, 3})),
    CALL(pad(x, {1, 2}, {3, 4})),
    CALL(shrink(x, {0, 1}, {1, 2})),
    CALL(stride(x, {-1, 2})),
    CALL(broadcastTo(x, {4, 2, 3})),
    CALL(broadcast(x, y).first),
    CALL(sub(x, y)),
    CALL(neg(x)),
    CALL(min(x, y)),
    CALL(min(x, 3)),
    CALL(recip(x)),
    CALL(abs(x)),
    CALL(sign(x)),
    CALL(square(x)),
    CALL(clip(x, 0, Operand(y))),
    CALL(isNan(x)),
    CALL(isInf(x)),
    CALL(logicalNot(x)),
    CALL(logicalAnd(x, y)),
    CALL(logicalOr(x, y)),
    CALL(logicalXor(x, y)),
    CALL(roundEven(x)),
    CALL(floor(x)),
    CALL(ceil(x)),
    CALL(trunc(x)),
    CALL(fmod(x, y)),
    CALL(floorMod(x, 3)),
    CALL(exp(x)),
    CALL(expm1(x)),
    CALL(log(x)),
    CALL(log1p(x)),
    CALL(pow(x, y)),
    CALL(pow(x, 2)),
    CALL(pow(x, 1.5)),
    CALL(cos(x)),
    CALL(tan(x)),
    CALL(tanh(x)),
    CALL(sigmoid(x)),
    CALL(erf(x)),
    CALL(relu(x)),
    CALL(leakyRelu(x, y)),
    CALL(gelu(x)),
    CALL(gelu(x, GeluForm::tanh)),
    CALL(silu(x)),
    CALL(softplus(x)),
    CALL(softsign(x)),
    CALL(mish(x)),
    CALL(elu(x)),
    CALL(celu(x)),
    CALL(selu(x)),
    CALL(hardSigmoid(x)),
    CALL(hardSwish(x)),
    CALL(reduceSum(x, {0})),
    CALL(reduceProd(x, {-1})),
    CALL(reduceMax(x, {0}, true)),
    CALL(reduceMin(x, {1})),
    CALL(reduceMean(x, {0, 1})),
    CALL(reduceL1(x, {0})),
    CALL(reduceL2(x, {0})),
    CALL(reduceSumSquare(x, {0})),
    CALL(reduceLogSum(x, {0})),
    CALL(reduceLogSumExp(x, {0})),
    CALL(argMax(x, 1)),
    CALL(argMin(x, 0, true, true)),
    CALL(cumulativeSum(x, 0, true, true)),
    CALL(matmul(x, y)),
    CALL(matmul(x, y, c.b.getF64Type())),
    CALL(gemm(x, y, x)),
    CALL(slidingWindow(x, 1, 2, 1, 1)),
    CALL(convolution(x, y)),
    CALL(convolution(x, y, x, {}, 2)),
    CALL(transposedConvolution(x, y)),
    CALL(maxPool(x, {2}, {{2}, {}, {}, {}}, true)),
    CALL(averagePool(x, {2, 2})),
    CALL(averagePool(x, {})),
    CALL(lpPool(x, {1})),
    CALL(globalMaxPool(x)),
    CALL(globalAveragePool(x)),
    CALL(globalLpPool(x)),
    CALL(softmax(x, 1)),
    CALL(logSoftmax(x, 0)),
    CALL(layerNorm(x, -1, y, y)),
    CALL(rmsNorm(x, 0, y)),
    CALL(batchNorm(x, y, y, y, y)),
    CALL(instanceNorm(x, y, y)),
    CALL(groupNorm(x, 2, y, y)),
    CALL(localResponseNorm(x, 3)),
    CALL(lpNormalize(x, 0)),
    CALL(concat({x, y}, 0)),
    CALL(split(x, 0, {1, 1})[1]),
    CALL(slice(x, 0, 0, 5, 2)),
    CALL(padWith(x, {1, 0}, {0, -1})),
    CALL(padWith(x, {1, 1}, {1, 1}, PadMode::reflect)),
    CALL(padWith(x, {1, 1}, {1, 1}, PadMode::edge)),
    CALL(padWith(x, {9, 1}, {1, 9}, PadMode::wrap)),
    CALL(flip(x, {0})),
    CALL(tile(x, {2, 1})),
    CALL(repeatElements(x, 1, 3)),
    CALL(transpose(x)),
    CALL(depthToSpace(x, 2)),
    CALL(spaceToDepth(x, 2)),
    CALL(triangular(x, false)),
    CALL(gather(x, y, 0)),
    CALL(gatherElements(x, y, 1)),
    CALL(oneHot(x, 3, 0, y, y)),
    CALL(gatherNd(x, y)),
    CALL(gatherNd(x, y, 1)),
    CALL(scatterNd(x, y, x)),
    CALL(scatterNd(x, x, y, ScatterKind::min)),
    CALL(scatterElements(x, y, x, 0)),
    CALL(scatterElements(x, x, x, -1, ScatterKind::mul)),
    CALL(rnn(x, y, y, {}, {}).all),
    CALL(gru(x, x, y, y, x).state),
    CALL(lstm(x, y, y, {}, x, y, x).cell),
    CALL(resizeNearest(x, 0, 4, 2)),
    CALL(resizeLinear(x, 1, 6, 2)),
    CALL(resizeLinear(x, 1, 4, 1.3)),
    CALL(resample(x, 0, 1, {0.5, 0.5})),
#undef CALL
};

class ErrorTest : public CompositesTest {};

TEST_F(ErrorTest, NullsPassInSilence) {
  for (const auto &entry : kCalls) {
    SCOPED_TRACE(entry.first);
    const Call &call = entry.second;
    EXPECT_EQ(errorOf({}, [&](Composer &c, ValueRange) { return call(c, {}, {}); }), "");
  }
}

// Whatever the types and shapes: a result that verifies and an empty message, or null and one
// error.
TEST_F(ErrorTest, AnyOperandsGiveAResultOrOneError) {
  const SmallVector<int64_t> shapes[] = {{},        {0},          {3},         {2, 3},
                                         {3, 2},    {2, 2},       {0, 3},      {1, 2, 4},
                                         {2, 1, 3}, {1, 4, 2, 2}, {2, 4, 0, 3}};
  std::vector<Array> arrays;
  for (ElementType element : {ElementType::f32, ElementType::f16, ElementType::i1, ElementType::i8,
                              ElementType::ui32, ElementType::i64})
    for (ArrayRef<int64_t> shape : shapes)
      arrays.push_back({SmallVector<int64_t>(shape), {}, element});
  int built = 0, reported = 0;
  for (const auto &entry : kCalls)
    for (size_t i = 0; i < arrays.size(); ++i)
      for (size_t j : {i, (i + 1) % arrays.size(), (i * 7 + 3) % arrays.size()}) {
        message.clear();
        func::FuncOp function = build({arrays[i], arrays[j]}, [&](Composer &c, ValueRange args) {
          return entry.second(c, args[0], args[1]);
        });
        int64_t lines = llvm::count(message, '\n');
        EXPECT_EQ(lines, function ? 0 : 1)
            << entry.first << " of operands " << i << " and " << j << ": " << message;
        ++(function ? built : reported);
      }
  EXPECT_GT(built, 1000);
  EXPECT_GT(reported, 1000);
}

TEST_F(ErrorTest, MessagesNameTheValue) {
  auto expectError = [&](ArrayRef<Array> inputs, const Body &body, StringRef part) {
    std::string error = errorOf(inputs, body);
    EXPECT_NE(error.find(part.str()), std::string::npos) << error;
  };
  Array x = Array::random({2, 3}), i = Array::of({1}, ElementType::i32);
  expectError(
      {x}, [](Composer &c, ValueRange args) { return c.softmax(args[0], 2); },
      "dim 2 does not exist in a tensor of rank 2; dims are -2 to 1");
  expectError(
      {i}, [](Composer &c, ValueRange args) { return c.tanh(args[0]); },
      "tanh takes float elements, not i32; cast first");
  expectError(
      {x}, [](Composer &c, ValueRange args) { return c.reshape(args[0], {4}); },
      "cannot reshape tensor<2x3xf32> to tensor<4xf32>: 6 elements are not 4");
  expectError(
      {x}, [](Composer &c, ValueRange args) { return c.reduceSum(args[0], {0, -2}); },
      "dim -2 is listed twice in [0, -2]");
  expectError(
      {x},
      [](Composer &c, ValueRange args) {
        return c.tile(args[0], {int64_t(1) << 40, int64_t(1) << 40});
      },
      "has more bytes than fit 64 bits");
  expectError(
      {x},
      [](Composer &c, ValueRange args) {
        return c.slidingWindow(args[0], 1, int64_t(1) << 62, 1, int64_t(1) << 62);
      },
      "does not fit a dim of size 3");
  expectError(
      {x},
      [](Composer &c, ValueRange args) {
        return c.pad(args[0], {0, std::numeric_limits<int64_t>::max()}, {0, 1});
      },
      "cannot pad dim 1 of tensor<2x3xf32>");
  expectError(
      {x},
      [](Composer &c, ValueRange args) {
        return c.resizeLinear(args[0], 0, int64_t(1) << 50, 3.7);
      },
      "cannot resize dim 0 from 2 to 1125899906842624 elements");
}

} // namespace
