//===- ShapeTest.cpp - movement, joining, indexing ------------------------===//

#include "Harness.h"

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::test;

namespace {

class ShapeTest : public CompositesTest {
protected:
  static int64_t wrap(int64_t i, int64_t size) { return ((i % size) + size) % size; }
};

TEST_F(ShapeTest, TrivialMovementsBuildNothing) {
  Array x = Array::random({2, 1, 3});
  func::FuncOp function = build({x}, [](Composer &c, ValueRange args) {
    Value y = c.reshape(args[0], {2, 1, 3});
    y = c.permute(y, {0, 1, 2});
    y = c.expand(y, {2, 1, 3});
    y = c.pad(y, {0, 0, 0}, {0, 0, 0});
    y = c.shrink(y, {0, 0, 0}, {2, 1, 3});
    y = c.stride(y, {1, -1, 1});
    y = c.broadcastTo(y, {2, 1, 3});
    y = c.cast(y, c.b.getF32Type());
    y = c.reduceSum(y, {});
    y = c.tile(y, {1, 1, 1});
    return c.concat({y}, 0);
  });
  EXPECT_EQ(llvm::range_size(function.getBody().front()), 1); // the return
}

TEST_F(ShapeTest, MovementsOfSplatsAreSplats) {
  func::FuncOp function = build({}, [](Composer &c, ValueRange) {
    Value y = c.splat(2, RankedTensorType::get({2, 3}, c.b.getF32Type()));
    y = c.permute(c.reshape(y, {3, 2, 1}), {2, 0, 1});
    y = c.pad(c.broadcastTo(y, {4, 3, 2}), {0, 1, 0}, {0, 0, 0}, 2.0);
    return c.stride(c.shrink(y, {0, 0, 0}, {4, 4, 1}), {-1, 2, 1});
  });
  Value result = function.getBody().front().getTerminator()->getOperand(0);
  EXPECT_TRUE(result.getDefiningOp<ConstantOp>());
  EXPECT_EQ(cast<RankedTensorType>(result.getType()).getShape(), ArrayRef<int64_t>({4, 2, 1}));
}

TEST_F(ShapeTest, ScalarsInEveryType) {
  for (int i = 0; i <= static_cast<int>(ElementType::ui64); ++i) {
    auto element = static_cast<ElementType>(i);
    if (element == ElementType::i1)
      continue;
    for (SmallVector<int64_t> shape : {SmallVector<int64_t>{}, SmallVector<int64_t>{0, 2},
                                       SmallVector<int64_t>{1, 2, 1, 1, 2, 1}}) {
      Array x = tabulate(shape, [](ArrayRef<int64_t>) { return 3; });
      x.element = element;
      Array y = run({x}, [](Composer &c, ValueRange args) { return c.add(c.mul(args[0], 7), 2); });
      EXPECT_EQ(y.element, element);
      expectSame(y, tabulate(shape, [](ArrayRef<int64_t>) { return 23; }));
    }
  }
  Type i8 = builder.getIntegerType(8), ui8 = builder.getIntegerType(8, false);
  auto number = [](Scalar value, Type type) {
    return cast<IntegerAttr>(value.attribute(type)).getValue().getSExtValue();
  };
  EXPECT_EQ(number(300.7, i8), 127);
  EXPECT_EQ(number(-1.5, i8), -1);
  EXPECT_EQ(number(-1.5, ui8), 0);
  EXPECT_EQ(number(std::nan(""), i8), 0);
  EXPECT_EQ(number(300, i8), 44);
  EXPECT_EQ(number(0.25, builder.getI1Type()), -1);
  EXPECT_EQ(number(256, builder.getI1Type()), -1);
  EXPECT_EQ(number(uint64_t(1) << 63, builder.getI64Type()), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(
      cast<FloatAttr>(Scalar(~uint64_t(0)).attribute(builder.getF64Type())).getValueAsDouble(),
      18446744073709551616.0);
  EXPECT_EQ(
      cast<FloatAttr>(Scalar(1 + 1.0 / 1024).attribute(builder.getBF16Type())).getValueAsDouble(),
      1.0);
}

TEST_F(ShapeTest, Broadcasting) {
  Array x = Array::random({2, 1, 3}, 1), y = Array::random({4, 1}, 2);
  expectSame(run({x, y}, [](Composer &c, ValueRange args) { return c.max(args[0], args[1]); }),
             tabulate({2, 4, 3}, [&](ArrayRef<int64_t> at) {
               return std::max(x.at({at[0], 0, at[2]}), y.at({at[1], 0}));
             }));
  Array empty = Array::random({0, 1});
  expectSame(run({empty, Array::of({1, 2})},
                 [](Composer &c, ValueRange args) { return c.add(args[0], args[1]); }),
             Array{{0, 2}, {}});
  EXPECT_NE(errorOf({x, Array::random({2})},
                    [](Composer &c, ValueRange args) { return c.add(args[0], args[1]); })
                .find("do not broadcast: size 3 meets 2"),
            std::string::npos);
  EXPECT_NE(errorOf({x, Array::of({1}, ElementType::i32)},
                    [](Composer &c, ValueRange args) { return c.add(args[0], args[1]); })
                .find("must have the same element type"),
            std::string::npos);
}

TEST_F(ShapeTest, ConcatKeepsEveryBit) {
  double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  Array a = Array::of({-0.0, 1}), b = Array::of({}), c = Array::of({nan, -0.0, inf}),
        d = Array::of({-0.0});
  expectSame(
      run({a, b, c, d}, [](Composer &composer,
                           ValueRange args) { return composer.concat(llvm::to_vector(args), 0); }),
      {-0.0, 1, nan, -0.0, inf, -0.0});
  Array x = Array::random({2, 1, 3}, 1), y = Array::random({2, 4, 3}, 2);
  expectSame(
      run({x, y}, [](Composer &c, ValueRange args) { return c.concat({args[0], args[1]}, -2); }),
      tabulate({2, 5, 3}, [&](ArrayRef<int64_t> at) {
        return at[1] == 0 ? x.at(at) : y.at({at[0], at[1] - 1, at[2]});
      }));
}

TEST_F(ShapeTest, SplitAndSlice) {
  Array x = Array::random({3, 10});
  for (int64_t piece : {0, 1, 2})
    expectSame(run({x}, [&](Composer &c,
                            ValueRange args) { return c.split(args[0], 1, {3, 0, 7})[piece]; }),
               tabulate({3, piece == 0   ? 3
                            : piece == 1 ? 0
                                         : 7},
                        [&](ArrayRef<int64_t> at) {
                          return x.at({at[0], at[1] + (piece == 2 ? 3 : 0)});
                        }));
  EXPECT_NE(
      errorOf({x}, [](Composer &c, ValueRange args) { return c.split(args[0], 1, {3, 8})[0]; })
          .find("must add up to the 10 elements"),
      std::string::npos);

  constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
  constexpr int64_t kStart = std::numeric_limits<int64_t>::min();
  struct Case {
    int64_t start, end, step;
    std::vector<int64_t> positions; // what Python gives for range(10)[start:end:step]
  };
  for (const Case &test :
       {Case{2, 5, 1, {2, 3, 4}}, Case{-3, kEnd, 1, {7, 8, 9}}, Case{0, kEnd, 4, {0, 4, 8}},
        Case{1, 8, 3, {1, 4, 7}}, Case{kEnd, kStart, -1, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}},
        Case{8, 1, -3, {8, 5, 2}}, Case{-2, kStart, -4, {8, 4, 0}}, Case{5, 5, 1, {}},
        Case{7, 3, 1, {}}, Case{3, 7, -1, {}}, Case{-100, 100, 9, {0, 9}}, Case{4, 9, 100, {4}},
        Case{4, 0, -100, {4}}}) {
    int64_t count = test.positions.size();
    expectSame(run({x},
                   [&](Composer &c, ValueRange args) {
                     return c.slice(args[0], 1, test.start, test.end, test.step);
                   }),
               tabulate({3, count}, [&](ArrayRef<int64_t> at) {
                 return x.at({at[0], test.positions[at[1]]});
               }));
  }
}

TEST_F(ShapeTest, PadModes) {
  Array x = Array::random({3, 4});
  SmallVector<int64_t> low = {2, 3}, high = {1, 2};
  auto check = [&](PadMode mode, std::function<int64_t(int64_t, int64_t)> source) {
    expectSame(
        run({x}, [&](Composer &c, ValueRange args) { return c.padWith(args[0], low, high, mode); }),
        tabulate({6, 9}, [&](ArrayRef<int64_t> at) {
          return x.at({source(at[0] - 2, 3), source(at[1] - 3, 4)});
        }));
  };
  check(PadMode::edge,
        [](int64_t i, int64_t n) { return std::min(std::max<int64_t>(i, 0), n - 1); });
  check(PadMode::reflect, [](int64_t i, int64_t n) {
    return i < 0 ? -i : i >= n ? 2 * n - 2 - i : i;
  });
  check(PadMode::wrap, wrap);
  low = {7, 0}, high = {5, 9};
  expectSame(
      run({x}, [&](Composer &c,
                   ValueRange args) { return c.padWith(args[0], low, high, PadMode::wrap); }),
      tabulate({15, 13},
               [&](ArrayRef<int64_t> at) { return x.at({wrap(at[0] - 7, 3), wrap(at[1], 4)}); }));
  expectSame(run({x},
                 [](Composer &c, ValueRange args) {
                   return c.padWith(args[0], {1, -1}, {-2, 2}, PadMode::constant, -0.0);
                 }),
             tabulate({2, 5}, [&](ArrayRef<int64_t> at) {
               return at[0] == 0 || at[1] >= 3 ? -0.0 : x.at({at[0] - 1, at[1] + 1});
             }));
  EXPECT_NE(errorOf({x},
                    [](Composer &c, ValueRange args) {
                      return c.padWith(args[0], {3, 0}, {0, 0}, PadMode::reflect);
                    })
                .find("cannot reflect 3 elements of dim 0, which has 3"),
            std::string::npos);
}

TEST_F(ShapeTest, Rearranging) {
  Array x = Array::random({2, 3, 4});
  expectSame(
      run({x}, [](Composer &c, ValueRange args) { return c.flip(args[0], {0, -1}); }),
      tabulate(x.shape, [&](ArrayRef<int64_t> at) { return x.at({1 - at[0], at[1], 3 - at[2]}); }));
  expectSame(run({x}, [](Composer &c, ValueRange args) { return c.tile(args[0], {1, 3, 2}); }),
             tabulate({2, 9, 8},
                      [&](ArrayRef<int64_t> at) { return x.at({at[0], at[1] % 3, at[2] % 4}); }));
  expectSame(
      run({x}, [](Composer &c, ValueRange args) { return c.repeatElements(args[0], 1, 2); }),
      tabulate({2, 6, 4}, [&](ArrayRef<int64_t> at) { return x.at({at[0], at[1] / 2, at[2]}); }));
  expectSame(run({x}, [](Composer &c, ValueRange args) { return c.tile(args[0], {1, 0, 1}); }),
             Array{{2, 0, 4}, {}});
  expectSame(
      run({x}, [](Composer &c, ValueRange args) { return c.transpose(args[0], 0, -1); }),
      tabulate({4, 3, 2}, [&](ArrayRef<int64_t> at) { return x.at({at[2], at[1], at[0]}); }));

  Array image = Array::random({2, 8, 3, 2});
  for (DepthOrder order : {DepthOrder::dcr, DepthOrder::crd}) {
    Array space = tabulate({2, 2, 6, 4}, [&](ArrayRef<int64_t> at) {
      int64_t block = at[2] % 2 * 2 + at[3] % 2;
      int64_t channel = order == DepthOrder::dcr ? block * 2 + at[1] : at[1] * 4 + block;
      return image.at({at[0], channel, at[2] / 2, at[3] / 2});
    });
    expectSame(run({image},
                   [&](Composer &c, ValueRange args) { return c.depthToSpace(args[0], 2, order); }),
               space);
    expectSame(run({space},
                   [&](Composer &c, ValueRange args) { return c.spaceToDepth(args[0], 2, order); }),
               image);
  }

  for (bool upper : {false, true})
    for (int64_t diagonal : {-7, -1, 0, 2, 9})
      expectSame(run({x}, [&](Composer &c,
                              ValueRange args) { return c.triangular(args[0], upper, diagonal); }),
                 tabulate(x.shape, [&](ArrayRef<int64_t> at) {
                   bool kept = upper ? at[2] >= at[1] + diagonal : at[2] <= at[1] + diagonal;
                   return kept ? x.at(at) : 0.0;
                 }));
}

TEST_F(ShapeTest, Gather) {
  Array x = Array::random({3, 5, 2});
  x.values[7] = std::nan(""); // must not spread
  for (ElementType type : {ElementType::i64, ElementType::i32, ElementType::i8}) {
    Array indices{{2, 3}, {4, -1, 0, -5, 5, -6}, type};
    Body body = [](Composer &c, ValueRange args) { return c.gather(args[0], args[1], 1); };
    expectSame(run({x, indices}, body), tabulate({3, 2, 3, 2}, [&](ArrayRef<int64_t> at) {
                 int64_t index = indices.at({at[1], at[2]});
                 index = index < 0 ? index + 5 : index;
                 return x.atOrZero({at[0], index, at[3]});
               }));
    EXPECT_EQ(countOf<ReduceOp>(build({x, indices}, body)), 1);
  }
  Array scalar{{}, {2}, ElementType::ui8};
  expectSame(
      run({x, scalar}, [](Composer &c, ValueRange args) { return c.gather(args[0], args[1], 0); }),
      tabulate({5, 2}, [&](ArrayRef<int64_t> at) { return x.at({2, at[0], at[1]}); }));
  // An index that would fall into the dim if it were cut to 32 bits, and a dim that does not fit
  // i8.
  Array wide = Array::of({4294967297.0, -4294967295.0, 1}, ElementType::i64);
  Array row = Array::of({1, 2, 3});
  expectSame(
      run({row, wide}, [](Composer &c, ValueRange args) { return c.gather(args[0], args[1], 0); }),
      {0, 0, 2});
  Array lots = Array::random({300}), narrow = Array::of({44, -1, 127}, ElementType::i8);
  expectSame(run({lots, narrow},
                 [](Composer &c, ValueRange args) { return c.gather(args[0], args[1], 0); }),
             {lots.values[44], lots.values[299], lots.values[127]});
}

TEST_F(ShapeTest, GatherOfConstantsIsASlice) {
  Array x = Array::random({3, 5});
  for (std::vector<int64_t> indices :
       {std::vector<int64_t>{1, 2, 3}, {4, 2, 0}, {-1}, {3, 3, 3}, {0, 4}}) {
    Body body = [&](Composer &c, ValueRange args) {
      return c.gather(args[0], c.vector(indices, c.b.getI64Type()), 1);
    };
    int64_t count = indices.size();
    expectSame(run({x}, body), tabulate({3, count}, [&](ArrayRef<int64_t> at) {
                 return x.at({at[0], wrap(indices[at[1]], 5)});
               }));
    EXPECT_EQ(countOf<ReduceOp>(build({x}, body)), 0);
  }
  Body body = [&](Composer &c, ValueRange args) {
    return c.gather(args[0], c.vector({0, 1, 5}, c.b.getI64Type()), 1); // 5 is out of range
  };
  expectSame(run({x}, body),
             tabulate({3, 3}, [&](ArrayRef<int64_t> at) { return at[1] == 2 ? 0 : x.at(at); }));
}

TEST_F(ShapeTest, GatherElementsAndOneHot) {
  Array x = Array::random({3, 4}), indices{{2, 3}, {3, -1, 0, 2, 9, -4}, ElementType::i64};
  expectSame(
      run({x, indices},
          [](Composer &c, ValueRange args) { return c.gatherElements(args[0], args[1], 1); }),
      tabulate({2, 3}, [&](ArrayRef<int64_t> at) {
        int64_t index = indices.at(at);
        return x.atOrZero({at[0], index < 0 ? index + 4 : index});
      }));
  Array rows{{2, 4}, {2, 0, 1, -3, -1, 2, 2, 5}, ElementType::i32};
  expectSame(run({x, rows}, [](Composer &c,
                               ValueRange args) { return c.gatherElements(args[0], args[1], 0); }),
             tabulate({2, 4}, [&](ArrayRef<int64_t> at) {
               int64_t index = rows.at(at);
               return x.atOrZero({index < 0 ? index + 3 : index, at[1]});
             }));

  Array hot = Array::of({1, -1, 3, 0}, ElementType::i32), on{{}, {5}}, off{{}, {-2}};
  for (int64_t dim : {0, -1})
    expectSame(run({hot, on, off},
                   [&](Composer &c, ValueRange args) {
                     return c.oneHot(args[0], 3, dim, args[1], args[2]);
                   }),
               tabulate(dim == 0 ? ArrayRef<int64_t>({3, 4}) : ArrayRef<int64_t>({4, 3}),
                        [&](ArrayRef<int64_t> at) {
                          int64_t index = hot.values[at[dim == 0 ? 1 : 0]];
                          return wrap(index, index < 0 ? 3 : 100) == at[dim == 0 ? 0 : 1] ? 5 : -2;
                        }));
}

TEST_F(ShapeTest, ResizeNearest) {
  Array x = Array::random({2, 5});
  auto nearest = [&](int64_t size, double scale, ResizeCoordinates coordinates,
                     NearestRounding rounding) {
    return [=](Composer &c, ValueRange args) {
      return c.resizeNearest(args[0], 1, size, scale, coordinates, rounding);
    };
  };
  Body doubled = nearest(10, 2, ResizeCoordinates::asymmetric, NearestRounding::floor);
  expectSame(run({x}, doubled),
             tabulate({2, 10}, [&](ArrayRef<int64_t> at) { return x.at({at[0], at[1] / 2}); }));
  EXPECT_EQ(countOf<ReduceOp>(build({x}, doubled)), 0); // movement
  expectSame(run({x}, nearest(15, 3, ResizeCoordinates::halfPixel, NearestRounding::preferFloor)),
             tabulate({2, 15}, [&](ArrayRef<int64_t> at) { return x.at({at[0], at[1] / 3}); }));
  expectSame(run({x}, nearest(3, 0.6, ResizeCoordinates::asymmetric, NearestRounding::floor)),
             tabulate({2, 3}, [&](ArrayRef<int64_t> at) {
               return x.at({at[0], static_cast<int64_t>(at[1] / 0.6)});
             }));
  expectSame(
      run({x}, nearest(9, 1.8, ResizeCoordinates::alignCorners, NearestRounding::preferCeil)),
      tabulate({2, 9}, [&](ArrayRef<int64_t> at) {
        return x.at({at[0], static_cast<int64_t>(std::floor(at[1] * 4 / 8.0 + 0.5))});
      }));
}

TEST_F(ShapeTest, ResizeLinear) {
  Array x = Array::random({2, 5, 2});
  struct Case {
    int64_t size;
    double scale;
    ResizeCoordinates coordinates;
  };
  for (Case test :
       {Case{10, 2, ResizeCoordinates::halfPixel}, Case{15, 3, ResizeCoordinates::halfPixel},
        Case{10, 2, ResizeCoordinates::asymmetric}, Case{8, 1.6, ResizeCoordinates::halfPixel},
        Case{9, 1.8, ResizeCoordinates::alignCorners},
        Case{3, 0.6, ResizeCoordinates::pytorchHalfPixel},
        Case{1, 0.2, ResizeCoordinates::pytorchHalfPixel},
        Case{5, 1, ResizeCoordinates::halfPixel}})
    expectClose(run({x},
                    [&](Composer &c, ValueRange args) {
                      return c.resizeLinear(args[0], 1, test.size, test.scale, test.coordinates);
                    }),
                tabulate({2, test.size, 2},
                         [&](ArrayRef<int64_t> at) {
                           double position = at[1];
                           if (test.coordinates == ResizeCoordinates::asymmetric)
                             position /= test.scale;
                           else if (test.coordinates == ResizeCoordinates::alignCorners)
                             position *= 4.0 / (test.size - 1);
                           else if (test.size == 1)
                             position = 0;
                           else
                             position = (position + 0.5) / test.scale - 0.5;
                           position = std::min(std::max(position, 0.0), 4.0);
                           auto below = static_cast<int64_t>(position);
                           double fraction = position - below;
                           return (1 - fraction) * x.at({at[0], below, at[2]}) +
                                  fraction * x.at({at[0], std::min<int64_t>(below + 1, 4), at[2]});
                         }),
                1e-6);
}

} // namespace
