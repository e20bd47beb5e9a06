//===- OnlineReduceTest.cpp - every way to divide an online reduction -----===//
//
// Attention's sums, tiled by upstream's drivers through the op's interfaces and by the
// decomposition into blocks, compute what the op's definition says.
//
//===----------------------------------------------------------------------===//

#include "TensorProgram.h"

#include "Tiny/IR/OnlineReduce.h"
#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::testing;

namespace {
constexpr int64_t kRows = 6, kKeys = 24, kDepth = 4;

// Inits that are not neutral: what is there already is rescaled, too.
constexpr const char *kProgram = R"(
#score = affine_map<(i, d, k) -> (k, i)>
#value = affine_map<(i, d, k) -> (k, d)>
#row = affine_map<(i, d, k) -> (i)>
#out = affine_map<(i, d, k) -> (d, i)>
func.func @main(%s: tensor<24x6xf32>, %v: tensor<24x4xf32>, %m: tensor<6xf32>, %l: tensor<6xf32>,
                %o: tensor<4x6xf32>) -> (tensor<6xf32>, tensor<6xf32>, tensor<4x6xf32>) {
  %r:3 = tiny.online_reduce over 1 maps [#score, #value, #row, #row, #out]
    ins(%s, %v : tensor<24x6xf32>, tensor<24x4xf32>)
    outs(%m, %l, %o : tensor<6xf32>, tensor<6xf32>, tensor<4x6xf32>)
    weight {
    ^bb0(%score: f32, %pivot: f32):
      %d = arith.subf %score, %pivot : f32
      %w = math.exp2 %d : f32
      tiny.yield %w : f32
    } combine {
    ^bb0(%w: f32, %e: f32):
      %t = arith.mulf %w, %e : f32
      tiny.yield %w, %t : f32, f32
    } rescale {
    ^bb0(%older: f32, %newer: f32):
      %d = arith.subf %older, %newer : f32
      %f = math.exp2 %d : f32
      tiny.yield %f : f32
    }
  return %r#0, %r#1, %r#2 : tensor<6xf32>, tensor<6xf32>, tensor<4x6xf32>
}
)";

class OnlineReduce : public ::testing::Test {
protected:
  OnlineReduce() {
    DialectRegistry registry;
    registry
        .insert<TinyDialect, affine::AffineDialect, arith::ArithDialect, func::FuncDialect,
                linalg::LinalgDialect, math::MathDialect, scf::SCFDialect, tensor::TensorDialect>();
    registerTileExtensions(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    module = parseSourceString<ModuleOp>(kProgram, &context);
    function = *module->getOps<func::FuncOp>().begin();
    op = *function.getOps<OnlineReduceOp>().begin();

    std::mt19937 random(3);
    std::uniform_real_distribution<double> uniform(-9, 9);
    for (Type type : function.getArgumentTypes()) {
      auto shape = cast<RankedTensorType>(type).getShape();
      Tensor tensor{SmallVector<int64_t>(shape), {}};
      for (int64_t i = 0; i < cast<RankedTensorType>(type).getNumElements(); ++i)
        tensor.elements.push_back(uniform(random));
      arguments.push_back(std::move(tensor));
    }
    // A row without anything yet, whose first scores are masked; and one that is all masked.
    const double infinity = std::numeric_limits<double>::infinity();
    arguments[2].elements[1] = arguments[2].elements[2] = -infinity;
    for (int64_t key = 0; key < kKeys; ++key) {
      if (key < 12)
        arguments[0].elements[key * kRows + 1] = -infinity;
      arguments[0].elements[key * kRows + 2] = -infinity;
    }
    expected = evaluate(function, arguments);
  }

  /// Compares what the function computes now.
  void check() {
    ASSERT_TRUE(succeeded(verify(*module)));
    std::vector<Tensor> results = evaluate(function, arguments);
    ASSERT_EQ(results.size(), expected.size());
    for (size_t number = 0; number < results.size(); ++number)
      for (size_t i = 0; i < expected[number].elements.size(); ++i) {
        double wanted = expected[number].elements[i], got = results[number].elements[i];
        if (std::isinf(wanted))
          EXPECT_EQ(got, wanted) << "element " << i << " of result " << number;
        else
          EXPECT_NEAR(got, wanted, 1e-9 * std::fmax(1, std::abs(wanted)))
              << "element " << i << " of result " << number;
      }
  }

  void tile(ArrayRef<int64_t> sizes, ReductionTilingStrategy strategy, bool forall = false) {
    IRRewriter rewriter(&context);
    rewriter.setInsertionPoint(op);
    scf::SCFTilingOptions options;
    options.setTileSizes(getAsIndexOpFoldResult(&context, sizes));
    options.setReductionTilingStrategy(strategy);
    if (sizes[2] != 0)
      options.setReductionDims({2});
    if (forall)
      options.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
    auto tiled = scf::tileUsingSCF(rewriter, cast<TilingInterface>(op.getOperation()), options);
    ASSERT_TRUE(succeeded(tiled));
    rewriter.replaceOp(op, tiled->replacements);
    check();
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
  OnlineReduceOp op;
  std::vector<Tensor> arguments, expected;
};
} // namespace

/// What the other tests compare with, from the definition of softmax.
TEST_F(OnlineReduce, IsASumRelativeToTheMaximum) {
  const Tensor &scores = arguments[0], &values = arguments[1];
  for (int64_t row : {0, 1, 3}) {
    double most = arguments[2].elements[row];
    for (int64_t key = 0; key < kKeys; ++key)
      most = std::fmax(most, scores.elements[key * kRows + row]);
    double shrunk = std::exp2(arguments[2].elements[row] - most);
    double sum = arguments[3].elements[row] * shrunk;
    for (int64_t key = 0; key < kKeys; ++key)
      sum += std::exp2(scores.elements[key * kRows + row] - most);
    EXPECT_EQ(expected[0].elements[row], most);
    EXPECT_NEAR(expected[1].elements[row], sum, 1e-9 * std::abs(sum));
    double out = arguments[4].elements[row] * shrunk; // of column 0
    for (int64_t key = 0; key < kKeys; ++key)
      out += std::exp2(scores.elements[key * kRows + row] - most) * values.elements[key * kDepth];
    EXPECT_NEAR(expected[2].elements[row], out, 1e-9 * std::fmax(1, std::abs(out)));
  }
}

// All sizes divide: a tile of another one would have a shape that is not known.
TEST_F(OnlineReduce, TilesInOrder) { tile({2, 0, 8}, ReductionTilingStrategy::FullReduction); }

TEST_F(OnlineReduce, TilesParallelLoopsSideBySide) {
  tile({3, 0, 0}, ReductionTilingStrategy::FullReduction, /*forall=*/true);
}

TEST_F(OnlineReduce, KeepsPartialResultsPerIndexOfATile) {
  tile({0, 0, 8}, ReductionTilingStrategy::PartialReductionOuterReduction);
}

TEST_F(OnlineReduce, KeepsPartialResultsPerTile) {
  tile({0, 0, 6}, ReductionTilingStrategy::PartialReductionOuterParallel, /*forall=*/true);
}

// The columns of the product are a loop of the last result only: the others would be added to
// again.
TEST_F(OnlineReduce, IsNotTiledAlongALoopOfOneResult) {
  IRRewriter rewriter(&context);
  rewriter.setInsertionPoint(op);
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    message = diagnostic.str();
    return success();
  });
  SmallVector<OpFoldResult> offsets = getAsIndexOpFoldResult(&context, {0, 0, 0}),
                            sizes = getAsIndexOpFoldResult(&context, {kRows, 2, kKeys});
  EXPECT_TRUE(failed(op.getTiledImplementation(rewriter, offsets, sizes)));
  EXPECT_EQ(message,
            "'tiny.online_reduce' op cannot be tiled along loop 1, which result 0 does not have");
}

class Blocks : public OnlineReduce, public ::testing::WithParamInterface<int64_t> {};

TEST_P(Blocks, AreNestsInALoop) {
  ASSERT_TRUE(succeeded(decomposeOnlineReductions(function, GetParam())));
  EXPECT_TRUE(function.getOps<OnlineReduceOp>().empty());
  check();
}

// 20 bytes per key: one block that is the whole, blocks of 16 and 8 keys, one block again.
INSTANTIATE_TEST_SUITE_P(OfBytes, Blocks, ::testing::Values(0, 1, 320, 1 << 20));
