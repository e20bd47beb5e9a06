//===- WindowTest.cpp - contractions, convolution, pooling ----------------===//
//
// Against plain loops in double, and the structure that Schedule counts on: one sum, and windows
// that are views without a division.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"
#include "Tiny/Schedule/View.h"

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::test;

namespace {

class WindowTest : public CompositesTest {
protected:
  static int64_t orDefault(ArrayRef<int64_t> list, size_t i, int64_t value) {
    return list.empty() ? value : list[i];
  }

  static int64_t outputSize(int64_t size, int64_t taps, const Window &w, size_t i) {
    return (size + orDefault(w.padLow, i, 0) + orDefault(w.padHigh, i, 0) -
            (taps - 1) * orDefault(w.dilations, i, 1) - 1) /
               orDefault(w.strides, i, 1) +
           1;
  }

  /// Cross-correlation as its definition says.
  static Array convolve(const Array &x, const Array &w, const Window &window, int64_t groups) {
    size_t spatial = x.shape.size() - 2;
    int64_t features = w.shape[0], perGroup = w.shape[1];
    SmallVector<int64_t> shape = {x.shape[0], features}, taps = {perGroup};
    for (size_t i = 0; i < spatial; ++i) {
      shape.push_back(outputSize(x.shape[2 + i], w.shape[2 + i], window, i));
      taps.push_back(w.shape[2 + i]);
    }
    return tabulate(shape, [&](ArrayRef<int64_t> at) {
      double sum = 0;
      int64_t group = at[1] / (features / groups);
      forEachIndex(taps, [&](ArrayRef<int64_t> tap) {
        SmallVector<int64_t> source = {at[0], group * perGroup + tap[0]}, weight = {at[1]};
        llvm::append_range(weight, tap);
        for (size_t i = 0; i < spatial; ++i)
          source.push_back(at[2 + i] * orDefault(window.strides, i, 1) +
                           tap[1 + i] * orDefault(window.dilations, i, 1) -
                           orDefault(window.padLow, i, 0));
        sum += x.atOrZero(source) * w.at(weight);
      });
      return sum;
    });
  }

  /// Every input element adds its multiple of the weights to the output.
  static Array transposeConvolve(const Array &x, const Array &w, const Window &window,
                                 int64_t groups, ArrayRef<int64_t> outputPadding) {
    size_t spatial = x.shape.size() - 2;
    int64_t perGroup = w.shape[1], channels = x.shape[1];
    SmallVector<int64_t> shape = {x.shape[0], perGroup * groups};
    for (size_t i = 0; i < spatial; ++i)
      shape.push_back((x.shape[2 + i] - 1) * orDefault(window.strides, i, 1) +
                      (w.shape[2 + i] - 1) * orDefault(window.dilations, i, 1) + 1 -
                      orDefault(window.padLow, i, 0) - orDefault(window.padHigh, i, 0) +
                      orDefault(outputPadding, i, 0));
    Array result = tabulate(shape, [](ArrayRef<int64_t>) { return 0.0; });
    forEachIndex(x.shape, [&](ArrayRef<int64_t> from) {
      SmallVector<int64_t> taps(w.shape);
      taps.erase(taps.begin());
      forEachIndex(taps, [&](ArrayRef<int64_t> tap) {
        SmallVector<int64_t> to = {from[0], from[1] / (channels / groups) * perGroup + tap[0]};
        SmallVector<int64_t> weight = {from[1]};
        llvm::append_range(weight, tap);
        for (size_t i = 0; i < spatial; ++i) {
          to.push_back(from[2 + i] * orDefault(window.strides, i, 1) +
                       tap[1 + i] * orDefault(window.dilations, i, 1) -
                       orDefault(window.padLow, i, 0));
          if (to.back() < 0 || to.back() >= shape[2 + i])
            return;
        }
        result.at(to) += x.at(from) * w.at(weight);
      });
    });
    return result;
  }

  void checkConvolution(ArrayRef<int64_t> input, ArrayRef<int64_t> weights, const Window &window,
                        int64_t groups = 1) {
    Array x = Array::random(input, 1), w = Array::random(weights, 2);
    Body body = [&](Composer &c, ValueRange args) {
      return c.convolution(args[0], args[1], {}, window, groups);
    };
    expectClose(run({x, w}, body), convolve(x, w, window, groups), 1e-5);
    EXPECT_EQ(countOf<ReduceOp>(build({x, w}, body)), 1);
    EXPECT_EQ(countOf<MulOp>(build({x, w}, body)), 1);
  }

  void checkTransposed(ArrayRef<int64_t> input, ArrayRef<int64_t> weights, const Window &window,
                       int64_t groups = 1, ArrayRef<int64_t> outputPadding = {}) {
    Array x = Array::random(input, 1), w = Array::random(weights, 2);
    expectClose(run({x, w},
                    [&](Composer &c, ValueRange args) {
                      return c.transposedConvolution(args[0], args[1], {}, window, groups,
                                                     outputPadding);
                    }),
                transposeConvolve(x, w, window, groups, outputPadding), 1e-5);
  }
};

TEST_F(WindowTest, Convolution1D) {
  checkConvolution({2, 3, 11}, {4, 3, 3}, {});
  checkConvolution({1, 2, 12}, {2, 2, 3}, {{2}, {1}, {1}, {1}});
  checkConvolution({1, 2, 13}, {2, 2, 3}, {{2}, {2}, {3}, {0}});
  checkConvolution({1, 1, 9}, {1, 1, 2}, {{5}, {1}, {0}, {0}}); // disjoint, the last incomplete
  checkConvolution({1, 1, 9}, {1, 1, 2}, {{4}, {3}, {0}, {0}}); // disjoint and dilated
  checkConvolution({1, 1, 5}, {1, 1, 5}, {});                   // one position
  checkConvolution({1, 1, 5}, {1, 1, 3}, {{7}, {2}, {0}, {0}});
  checkConvolution({1, 4, 7}, {6, 2, 1}, {{3}, {9}, {1}, {1}}, 2);
  checkConvolution({1, 1, 4}, {1, 1, 3}, {{1}, {4}, {5}, {5}}); // padding alone is wide enough
}

TEST_F(WindowTest, Convolution2D) {
  checkConvolution({2, 3, 7, 9}, {5, 3, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, {1, 1}});
  checkConvolution({1, 3, 8, 9}, {2, 3, 3, 2}, {{2, 3}, {1, 2}, {0, 1}, {2, 0}});
  checkConvolution({1, 4, 6, 6}, {4, 1, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, {1, 1}}, 4); // depthwise
  checkConvolution({2, 6, 5, 6}, {4, 3, 3, 3}, {{2, 2}, {1, 1}, {1, 1}, {1, 1}}, 2);
  checkConvolution({1, 8, 4, 4}, {3, 8, 1, 1}, {});
  checkConvolution({1, 3, 8, 8}, {4, 3, 4, 4}, {{4, 4}, {}, {}, {}}); // patches
  checkConvolution({0, 3, 8, 8}, {4, 3, 3, 3}, {});                   // empty batch
  checkConvolution({1, 0, 4, 4}, {2, 0, 3, 3}, {});                   // a sum of nothing
}

TEST_F(WindowTest, Convolution3DAndNone) {
  checkConvolution({1, 2, 5, 6, 7}, {3, 2, 3, 2, 3}, {{2, 1, 2}, {1, 2, 1}, {1, 0, 1}, {1, 1, 0}});
  checkConvolution({3, 4}, {5, 4}, {}); // no spatial dim: a matrix product
}

TEST_F(WindowTest, ConvolutionTypesAndBias) {
  Array x = Array::random({1, 2, 5}, 1, ElementType::f16),
        w = Array::random({3, 2, 3}, 2, ElementType::f16);
  for (Array *array : {&x, &w})
    for (double &value : array->values)
      value = tinyrt::halfToFloat(tinyrt::doubleToHalf(value));
  Array bias = Array::of({1, -2, 3}, ElementType::f16);
  Array exact = convolve(x, w, {}, 1);
  forEachIndex(exact.shape, [&](ArrayRef<int64_t> at) { exact.at(at) += bias.values[at[1]]; });
  Array actual = run({x, w, bias}, [](Composer &c, ValueRange args) {
    return c.convolution(args[0], args[1], args[2]);
  });
  EXPECT_EQ(actual.element, ElementType::f16);
  expectClose(actual, exact, 5e-4);

  // Products of bytes, summed in 32 bits.
  Array u = Array::of({200, 250, 255, 3}, ElementType::ui8),
        s = Array::of({-128, 127}, ElementType::i8);
  u.shape = {1, 1, 4}, s.shape = {1, 1, 2};
  actual = run({u, s}, [](Composer &c, ValueRange args) {
    return c.convolution(args[0], args[1], {}, {}, 1, c.b.getI32Type());
  });
  EXPECT_EQ(actual.element, ElementType::i32);
  expectSame(actual, convolve(u, s, {}, 1));
}

TEST_F(WindowTest, TransposedConvolution) {
  checkTransposed({2, 3, 5}, {3, 4, 3}, {});
  checkTransposed({1, 3, 5}, {3, 2, 4}, {{3}, {1}, {1}, {2}});
  checkTransposed({1, 2, 4}, {2, 2, 3}, {{2}, {2}, {1}, {0}}, 1, {1});
  checkTransposed({1, 4, 3, 4}, {4, 2, 3, 2}, {{2, 3}, {1, 2}, {1, 0}, {1, 1}}, 2, {1, 2});
  checkTransposed({1, 2, 4, 4}, {2, 3, 2, 2}, {{2, 2}, {}, {}, {}});
  checkTransposed({1, 1, 5}, {1, 1, 2}, {{1}, {1}, {3}, {2}}); // cuts into the input
  checkTransposed({1, 2, 2, 3, 2}, {2, 1, 2, 2, 3}, {{2, 1, 2}, {1, 1, 1}, {0, 1, 1}, {1, 0, 0}});
}

TEST_F(WindowTest, WindowsAreViewsWithoutDivision) {
  struct Case {
    int64_t size, taps, stride, dilation;
  };
  for (Case w : {Case{11, 3, 1, 1}, Case{11, 3, 2, 1}, Case{11, 3, 2, 2}, Case{224, 7, 2, 1},
                 Case{10, 3, 1, 4}, Case{9, 2, 5, 1}, Case{9, 2, 4, 3}, Case{12, 3, 3, 1},
                 Case{8, 1, 3, 1}, Case{5, 5, 1, 1}, Case{7, 3, 9, 3}, Case{1000, 16, 8, 5}}) {
    Array x = Array::random({2, w.size, 3});
    func::FuncOp function = build({x}, [&](Composer &c, ValueRange args) {
      return c.slidingWindow(args[0], 1, w.taps, w.stride, w.dilation);
    });
    ASSERT_TRUE(function) << message;
    Value value = function.getBody().front().getTerminator()->getOperand(0);
    auto shape = cast<RankedTensorType>(value.getType()).getShape();
    EXPECT_EQ(shape[1], (w.size - (w.taps - 1) * w.dilation - 1) / w.stride + 1);
    EXPECT_EQ(shape[2], w.taps);
    View view = View::identity(&context, shape);
    for (; Operation *op = value.getDefiningOp(); value = op->getOperand(0)) {
      ASSERT_TRUE(isMovement(op));
      view = view.through(op);
    }
    EXPECT_TRUE(view.constraints().empty());
    AffineExpr position = getAffineDimExpr(1, &context), tap = getAffineDimExpr(2, &context);
    AffineExpr expected = simplify(position * w.stride + tap * w.dilation, shape);
    EXPECT_TRUE(view.index()[1] == expected)
        << "size " << w.size << ", taps " << w.taps << ", stride " << w.stride;
    for (AffineExpr index : view.index())
      EXPECT_EQ(countDivisions(index), 0u);
  }
}

TEST_F(WindowTest, Pooling) {
  Array x = Array::random({2, 2, 7, 8});
  struct Case {
    SmallVector<int64_t> taps;
    Window window;
    bool ceil;
  };
  for (const Case &test : {Case{{2, 2}, {{2, 2}, {}, {}, {}}, false}, Case{{3, 2}, {}, false},
                           Case{{3, 3}, {{2, 2}, {1, 1}, {1, 1}, {1, 1}}, false},
                           Case{{3, 3}, {{2, 2}, {1, 1}, {0, 1}, {0, 1}}, true},
                           Case{{2, 3}, {{3, 3}, {1, 1}, {1, 0}, {0, 0}}, true},
                           Case{{2, 2}, {{3, 1}, {2, 3}, {1, 1}, {0, 1}}, false}}) {
    Window padded = test.window;
    padded.padLow.resize(2, 0), padded.padHigh.resize(2, 0);
    SmallVector<int64_t> shape = {2, 2}, real(padded.padHigh);
    for (size_t i = 0; i < 2; ++i) {
      if (test.ceil)
        padded.padHigh[i] += Composer::ceilModeExtra(
            x.shape[2 + i], test.taps[i], orDefault(padded.strides, i, 1),
            orDefault(padded.dilations, i, 1), padded.padLow[i], padded.padHigh[i]);
      shape.push_back(outputSize(x.shape[2 + i], test.taps[i], padded, i));
    }
    double power = 0; // set by the case of lpPool
    enum Kind { greatest, average, averageWithPadding, norm };
    auto expected = [&](Kind kind) {
      return tabulate(shape, [&](ArrayRef<int64_t> at) {
        double best = -std::numeric_limits<double>::infinity(), sum = 0, count = 0;
        forEachIndex(test.taps, [&](ArrayRef<int64_t> tap) {
          SmallVector<int64_t> source = {at[0], at[1]};
          bool inside = true, counted = true;
          for (size_t i = 0; i < 2; ++i) {
            int64_t p = at[2 + i] * orDefault(padded.strides, i, 1) +
                        tap[i] * orDefault(padded.dilations, i, 1) - padded.padLow[i];
            source.push_back(p);
            inside &= p >= 0 && p < x.shape[2 + i];
            counted &= p < x.shape[2 + i] + real[i];
          }
          count += kind == averageWithPadding ? counted : inside;
          if (!inside)
            return;
          best = std::max(best, x.at(source));
          sum += kind == norm ? std::pow(std::fabs(x.at(source)), power) : x.at(source);
        });
        return kind == greatest ? best : kind == norm ? std::pow(sum, 1 / power) : sum / count;
      });
    };
    expectClose(run({x},
                    [&](Composer &c, ValueRange args) {
                      return c.maxPool(args[0], test.taps, test.window, test.ceil);
                    }),
                expected(greatest), 1e-7);
    for (bool withPadding : {false, true})
      expectClose(run({x},
                      [&](Composer &c, ValueRange args) {
                        return c.averagePool(args[0], test.taps, test.window, test.ceil,
                                             withPadding);
                      }),
                  expected(withPadding ? averageWithPadding : average), 1e-6);
    for (double p : {1.0, 2.0, 3.0}) {
      power = p;
      expectClose(run({x},
                      [&](Composer &c, ValueRange args) {
                        return c.lpPool(args[0], test.taps, test.window, test.ceil, p);
                      }),
                  expected(norm), 2e-6);
    }
  }
  Array bytes = Array::of({-128, -100, -127, 5}, ElementType::i8);
  bytes.shape = {1, 1, 4};
  expectSame(
      run({bytes}, [](Composer &c,
                      ValueRange args) { return c.maxPool(args[0], {2}, {{2}, {1}, {1}, {1}}); }),
      {-128, -100, 5});
  expectSame(
      run({bytes}, [](Composer &c,
                      ValueRange args) { return c.averagePool(args[0], {2}, {{2}, {}, {}, {}}); }),
      {-114, -61});
  EXPECT_EQ(Composer::ceilModeExtra(7, 3, 2, 1, 0, 0), 0);
  EXPECT_EQ(Composer::ceilModeExtra(8, 3, 2, 1, 0, 0), 1);
  EXPECT_EQ(Composer::ceilModeExtra(3, 1, 2, 1, 0, 1), 0); // the next would start in the padding
}

TEST_F(WindowTest, GlobalPooling) {
  Array x = Array::random({2, 3, 4, 5});
  auto over = [&](std::function<double(double, double)> combine, double start) {
    return tabulate({2, 3, 1, 1}, [&](ArrayRef<int64_t> at) {
      double result = start;
      for (int64_t i = 0; i < 20; ++i)
        result = combine(result, x.at({at[0], at[1], i / 5, i % 5}));
      return result;
    });
  };
  expectSame(run({x}, [](Composer &c, ValueRange args) { return c.globalMaxPool(args[0]); }),
             over([](double a, double b) { return std::max(a, b); }, -10));
  expectClose(run({x}, [](Composer &c, ValueRange args) { return c.globalAveragePool(args[0]); }),
              over([](double a, double b) { return a + b / 20; }, 0), 1e-6);
  expectClose(run({x}, [](Composer &c, ValueRange args) { return c.globalLpPool(args[0], 1); }),
              over([](double a, double b) { return a + std::fabs(b); }, 0), 1e-6);
}

TEST_F(WindowTest, Matmul) {
  struct Case {
    SmallVector<int64_t> x, y, result;
  };
  for (const Case &test :
       {Case{{3, 4}, {4, 5}, {3, 5}}, Case{{4}, {4}, {}}, Case{{4}, {4, 5}, {5}},
        Case{{3, 4}, {4}, {3}}, Case{{2, 3, 4}, {4, 5}, {2, 3, 5}},
        Case{{3, 4}, {2, 4, 5}, {2, 3, 5}}, Case{{2, 1, 3, 4}, {6, 4, 5}, {2, 6, 3, 5}},
        Case{{2, 6, 4}, {4}, {2, 6}}, Case{{4}, {3, 4, 2}, {3, 2}}, Case{{2, 0}, {0, 3}, {2, 3}},
        Case{{0, 4}, {4, 3}, {0, 3}}, Case{{1, 1, 2, 1, 2, 3}, {2, 3, 2}, {1, 1, 2, 2, 2, 2}}}) {
    Array x = Array::random(test.x, 1), y = Array::random(test.y, 2);
    bool row = test.x.size() == 1, column = test.y.size() == 1;
    Body body = [](Composer &c, ValueRange args) { return c.matmul(args[0], args[1]); };
    Array expected = tabulate(test.result, [&](ArrayRef<int64_t> at) {
      SmallVector<int64_t> batch(at.drop_back((row ? 0 : 1) + (column ? 0 : 1)));
      auto index = [&](const Array &array, ArrayRef<int64_t> last) {
        SmallVector<int64_t> result;
        int64_t leading = static_cast<int64_t>(array.shape.size() - last.size());
        for (int64_t i = 0; i < leading; ++i)
          result.push_back(array.shape[i] == 1 ? 0 : batch[batch.size() - leading + i]);
        llvm::append_range(result, last);
        return result;
      };
      double sum = 0;
      int64_t m = row ? 0 : at[batch.size()], n = column ? 0 : at.back();
      for (int64_t k = 0; k < test.x.back(); ++k)
        sum += x.at(row ? SmallVector<int64_t>{k} : index(x, {m, k})) *
               y.at(column ? SmallVector<int64_t>{k} : index(y, {k, n}));
      return sum;
    });
    expectClose(run({x, y}, body), expected, 1e-6);
    EXPECT_EQ(countOf<ReduceOp>(build({x, y}, body)), 1);
  }

  Array half = Array::of({2048, 1, 1}, ElementType::f16),
        ones = Array::of({1, 1, 1}, ElementType::f16);
  Body body = [](Composer &c, ValueRange args) { return c.matmul(args[0], args[1]); };
  Array sum = run({half, ones}, body);
  EXPECT_EQ(sum.element, ElementType::f16);
  expectSame(sum, {2050}); // 2048 if it were rounded on the way
  Array bytes = Array::of({100, 100}, ElementType::i8),
        more = Array::of({100, 27}, ElementType::ui8);
  sum = run({bytes, more}, [](Composer &c, ValueRange args) {
    return c.matmul(args[0], args[1], c.b.getI32Type());
  });
  expectSame(sum, {12700});
}

TEST_F(WindowTest, Gemm) {
  Array a = Array::random({4, 3}, 1), b = Array::random({5, 4}, 2), c = Array::random({5}, 3);
  Array expected = tabulate({3, 5}, [&](ArrayRef<int64_t> at) {
    double sum = 0;
    for (int64_t k = 0; k < 4; ++k)
      sum += a.at({k, at[0]}) * b.at({at[1], k});
    return 0.5 * sum - 2 * c.values[at[1]];
  });
  expectClose(run({a, b, c},
                  [](Composer &composer, ValueRange args) {
                    return composer.gemm(args[0], args[1], args[2], 0.5, -2, true, true);
                  }),
              expected, 1e-6);
}

TEST_F(WindowTest, Errors) {
  Array x = Array::random({1, 3, 5}), w = Array::random({2, 3, 7}), v = Array::random({2, 2, 3});
  auto conv = [](Composer &c, ValueRange args) { return c.convolution(args[0], args[1]); };
  EXPECT_NE(errorOf({x, w}, conv).find("7 taps with dilation 1 does not fit a dim of size 5"),
            std::string::npos);
  EXPECT_NE(errorOf({x, v}, conv).find("3 channels in 1 groups does not fit weights"),
            std::string::npos);
  EXPECT_NE(errorOf({x}, [](Composer &c,
                            ValueRange args) { return c.maxPool(args[0], {2}, {{0}, {}, {}, {}}); })
                .find("strides must be at least 1, not 0"),
            std::string::npos);
  EXPECT_NE(errorOf({x, v}, [](Composer &c, ValueRange args) { return c.matmul(args[0], args[1]); })
                .find("5 columns and one with 2 rows"),
            std::string::npos);
}

} // namespace
