//===- ReduceTest.cpp - reductions, sums, normalisations ------------------===//

#include "Harness.h"

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::test;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

class ReduceTest : public CompositesTest {
protected:
  /// Rows of `x` (its last dim) turned into new rows.
  static Array mapRows(const Array &x, std::function<std::vector<double>(ArrayRef<double>)> map) {
    Array result{x.shape, {}};
    int64_t size = x.shape.back();
    for (int64_t row = 0; row < x.count() / size; ++row)
      llvm::append_range(result.values, map(ArrayRef<double>(x.values).slice(row * size, size)));
    return result;
  }
};

TEST_F(ReduceTest, Reductions) {
  Array x = Array::random({3, 4, 5});
  using Method = Value (Composer::*)(Value, ArrayRef<int64_t>, bool);
  auto check = [&](Method method, double start, std::function<double(double, double)> combine,
                   std::function<double(double)> finish) {
    for (bool keep : {false, true}) {
      SmallVector<int64_t> shape = keep ? SmallVector<int64_t>{1, 4, 1} : SmallVector<int64_t>{4};
      expectClose(run({x}, [&](Composer &c,
                               ValueRange args) { return (c.*method)(args[0], {-1, 0}, keep); }),
                  tabulate(shape,
                           [&](ArrayRef<int64_t> at) {
                             double result = start;
                             for (int64_t i = 0; i < 3; ++i)
                               for (int64_t k = 0; k < 5; ++k)
                                 result = combine(result, x.at({i, at[keep ? 1 : 0], k}));
                             return finish(result);
                           }),
                  2e-6);
    }
  };
  auto same = [](double x) { return x; };
  auto sum = [](double a, double b) { return a + b; };
  auto squares = [](double a, double b) { return a + b * b; };
  check(&Composer::reduceSum, 0, sum, same);
  check(&Composer::reduceMean, 0, sum, [](double x) { return x / 15; });
  check(&Composer::reduceProd, 1, [](double a, double b) { return a * b; }, same);
  check(&Composer::reduceMax, -kInf, [](double a, double b) { return std::max(a, b); }, same);
  check(&Composer::reduceMin, kInf, [](double a, double b) { return std::min(a, b); }, same);
  check(&Composer::reduceL1, 0, [](double a, double b) { return a + std::fabs(b); }, same);
  check(&Composer::reduceL2, 0, squares, [](double x) { return std::sqrt(x); });
  check(&Composer::reduceSumSquare, 0, squares, same);
  check(
      &Composer::reduceLogSumExp, 0, [](double a, double b) { return a + std::exp(b); },
      [](double x) { return std::log(x); });
  for (double &value : x.values)
    value = std::fabs(value);
  check(&Composer::reduceLogSum, 0, sum, [](double x) { return std::log(x); });
}

TEST_F(ReduceTest, EdgesOfReductions) {
  auto over0 = [&](const Array &x, Value (Composer::*method)(Value, ArrayRef<int64_t>, bool)) {
    return run({x}, [&](Composer &c, ValueRange args) { return (c.*method)(args[0], {0}, false); });
  };
  expectSame(over0(Array::of({}), &Composer::reduceMin), {kInf});
  expectSame(over0(Array::of({}), &Composer::reduceMax), {-kInf});
  expectSame(over0(Array::of({}), &Composer::reduceMean), {kNan});
  expectSame(over0(Array::of({-128, 5, 127}, ElementType::i8), &Composer::reduceMin), {-128});
  expectSame(over0(Array::of({}, ElementType::i8), &Composer::reduceMin), {127});
  expectSame(over0(Array::of({200, 7, 255}, ElementType::ui8), &Composer::reduceMin), {7});
  expectSame(over0(Array::of({1, 0, 1}, ElementType::i1), &Composer::reduceMin), {0});
  expectSame(over0(Array::of({1, 1}, ElementType::i1), &Composer::reduceMin), {1});
  expectSame(over0(Array::of({100, 100, 101}, ElementType::i8), &Composer::reduceMean), {100});
  expectSame(over0(Array::of({60000, 60000}, ElementType::f16), &Composer::reduceMean), {60000});
  expectSame(over0(Array::of({300, 400}, ElementType::f16), &Composer::reduceL2), {500});
  expectSame(over0(Array::of({1, kNan, 3}), &Composer::reduceMin), {kNan});
  expectSame(over0(Array::of({-kInf, -kInf}), &Composer::reduceLogSumExp), {-kInf});
  expectSame(over0(Array::of({kInf, 1}), &Composer::reduceLogSumExp), {kInf});
  expectSame(over0(Array::of({1000, -1000}), &Composer::reduceLogSumExp), {1000});
}

TEST_F(ReduceTest, ArgMaxAndMin) {
  Array x{{5, 4}, {1,    3,    3,     2,     0,     -0.0,  0, -0.0, kNan, 9,
                   kNan, kInf, -kInf, -kInf, -kInf, -kInf, 5, -5,   5,    -5}};
  auto check = [&](bool greatest, bool last, std::vector<double> expected) {
    for (bool keep : {false, true}) {
      Array actual = run({x}, [&](Composer &c, ValueRange args) {
        return greatest ? c.argMax(args[0], 1, keep, last) : c.argMin(args[0], -1, keep, last);
      });
      EXPECT_EQ(actual.element, ElementType::i64);
      expectSame(actual,
                 Array{keep ? SmallVector<int64_t>{5, 1} : SmallVector<int64_t>{5}, expected});
    }
  };
  check(true, false, {1, 0, 0, 0, 0});
  check(true, true, {2, 3, 2, 3, 2});
  check(false, false, {0, 0, 0, 0, 1});
  check(false, true, {0, 3, 2, 3, 3});
  Array bytes = Array::of({-128, 127, -128, 127}, ElementType::i8);
  expectSame(run({bytes}, [](Composer &c, ValueRange args) { return c.argMax(args[0], 0); }), {1});
  expectSame(
      run({bytes}, [](Composer &c, ValueRange args) { return c.argMin(args[0], 0, false, true); }),
      {2});
  Array unsignedBytes = Array::of({200, 255, 3, 0}, ElementType::ui8);
  expectSame(
      run({unsignedBytes}, [](Composer &c, ValueRange args) { return c.argMin(args[0], 0); }), {3});
  EXPECT_NE(errorOf({Array{{2, 0}, {}}},
                    [](Composer &c, ValueRange args) { return c.argMax(args[0], 1); })
                .find("dim 1 has size 0"),
            std::string::npos);
}

TEST_F(ReduceTest, CumulativeSum) {
  for (int64_t size : {0, 1, 5, 32, 33, 100, 700})
    for (bool exclusive : {false, true})
      for (bool reverse : {false, true}) {
        Array x = tabulate({2, size, 3}, [](ArrayRef<int64_t> at) {
          return (at[0] * 31 + at[1] * 17 + at[2] * 7) % 23 - 11; // sums are exact
        });
        Array expected = tabulate(x.shape, [&](ArrayRef<int64_t> at) {
          double sum = 0;
          for (int64_t i = 0; i < size; ++i)
            if ((reverse ? i > at[1] : i < at[1]) || (!exclusive && i == at[1]))
              sum += x.at({at[0], i, at[2]});
          return sum;
        });
        for (ElementType element : {ElementType::f32, ElementType::i32, ElementType::f16}) {
          x.element = element;
          expectSame(run({x},
                         [&](Composer &c, ValueRange args) {
                           return c.cumulativeSum(args[0], 1, exclusive, reverse);
                         }),
                     expected);
        }
      }
  // What comes later does not count, whatever it is.
  expectSame(run({Array::of({1, 2, kInf, kNan, 3})},
                 [](Composer &c, ValueRange args) { return c.cumulativeSum(args[0], 0); }),
             {1, 3, kInf, kNan, kNan});
}

TEST_F(ReduceTest, Softmax) {
  Array x = Array::random({3, 4});
  for (double &value : x.values)
    value *= 300; // exp of these overflows
  auto softmax = [](ArrayRef<double> row) {
    double greatest = *std::max_element(row.begin(), row.end()), sum = 0;
    std::vector<double> result;
    for (double value : row)
      sum += std::exp(value - greatest);
    for (double value : row)
      result.push_back(std::exp(value - greatest) / sum);
    return result;
  };
  auto logSoftmax = [&](ArrayRef<double> row) {
    double greatest = *std::max_element(row.begin(), row.end()), sum = 0;
    std::vector<double> result;
    for (double value : row)
      sum += std::exp(value - greatest);
    for (double value : row)
      result.push_back(value - greatest - std::log(sum));
    return result;
  };
  expectClose(run({x}, [](Composer &c, ValueRange args) { return c.softmax(args[0], -1); }),
              mapRows(x, softmax), 1e-5);
  expectClose(run({x}, [](Composer &c, ValueRange args) { return c.logSoftmax(args[0], 1); }),
              mapRows(x, logSoftmax), 1e-5);

  // Small results have the error that the sum has, and the large ones that of a rounding or two.
  Array wide = Array::random({5, 61}, 7);
  for (double &value : wide.values)
    value *= 40;
  Array got = run({wide}, [](Composer &c, ValueRange args) { return c.softmax(args[0], -1); });
  Array exact = mapRows(wide, softmax);
  ASSERT_EQ(got.values.size(), exact.values.size());
  for (auto [value, expected] : llvm::zip_equal(got.values, exact.values))
    EXPECT_LE(std::fabs(value - expected), 0x1p-24 + 0x1p-21 * expected);
}

TEST_F(ReduceTest, LayerAndRmsNorm) {
  Array x = Array::random({2, 3, 8}), scale = Array::random({8}, 2), bias = Array::random({8}, 3);
  auto normal = [&](ArrayRef<double> row, bool centre) {
    double mean = 0, variance = 0;
    for (double value : row)
      mean += centre ? value / row.size() : 0;
    for (double value : row)
      variance += (value - mean) * (value - mean) / row.size();
    std::vector<double> result;
    for (auto [i, value] : llvm::enumerate(row))
      result.push_back((value - mean) / std::sqrt(variance + 1e-3) * scale.values[i] +
                       (centre ? bias.values[i] : 0));
    return result;
  };
  expectClose(run({x, scale, bias},
                  [](Composer &c, ValueRange args) {
                    return c.layerNorm(args[0], -1, args[1], args[2], 1e-3);
                  }),
              mapRows(x, [&](ArrayRef<double> row) { return normal(row, true); }), 1e-5);
  expectClose(run({x, scale}, [](Composer &c,
                                 ValueRange args) { return c.rmsNorm(args[0], 2, args[1], 1e-3); }),
              mapRows(x, [&](ArrayRef<double> row) { return normal(row, false); }), 1e-5);
}

TEST_F(ReduceTest, NormsOverChannels) {
  Array x = Array::random({2, 6, 3, 2}, 1);
  Array scale = Array::random({6}, 2), bias = Array::random({6}, 3), mean = Array::random({6}, 4),
        variance = Array::random({6}, 5);
  for (double &value : variance.values)
    value = std::fabs(value) + 0.1;
  expectClose(run({x, scale, bias, mean, variance},
                  [](Composer &c, ValueRange args) {
                    return c.batchNorm(args[0], args[1], args[2], args[3], args[4], 1e-3);
                  }),
              tabulate(x.shape,
                       [&](ArrayRef<int64_t> at) {
                         int64_t c = at[1];
                         return (x.at(at) - mean.values[c]) / std::sqrt(variance.values[c] + 1e-3) *
                                    scale.values[c] +
                                bias.values[c];
                       }),
              1e-5);

  auto grouped = [&](int64_t perGroup) {
    return tabulate(x.shape, [&](ArrayRef<int64_t> at) {
      int64_t first = at[1] / perGroup * perGroup;
      double mean = 0, variance = 0;
      SmallVector<int64_t> group = {perGroup, 3, 2};
      auto value = [&](ArrayRef<int64_t> i) { return x.at({at[0], first + i[0], i[1], i[2]}); };
      forEachIndex(group, [&](ArrayRef<int64_t> i) { mean += value(i) / (perGroup * 6); });
      forEachIndex(group, [&](ArrayRef<int64_t> i) {
        variance += (value(i) - mean) * (value(i) - mean) / (perGroup * 6);
      });
      return (x.at(at) - mean) / std::sqrt(variance + 1e-3) * scale.values[at[1]] +
             bias.values[at[1]];
    });
  };
  expectClose(run({x, scale, bias},
                  [](Composer &c, ValueRange args) {
                    return c.instanceNorm(args[0], args[1], args[2], 1e-3);
                  }),
              grouped(1), 1e-5);
  expectClose(run({x, scale, bias},
                  [](Composer &c, ValueRange args) {
                    return c.groupNorm(args[0], 2, args[1], args[2], 1e-3);
                  }),
              grouped(3), 1e-5);

  for (int64_t size : {1, 3, 4})
    expectClose(
        run({x}, [&](Composer &c,
                     ValueRange args) { return c.localResponseNorm(args[0], size, 0.5, 0.75, 2); }),
        tabulate(x.shape,
                 [&](ArrayRef<int64_t> at) {
                   double sum = 0;
                   int64_t first = at[1] - (size - 1) / 2;
                   for (int64_t c = first; c < first + size; ++c)
                     sum += std::pow(x.atOrZero({at[0], c, at[2], at[3]}), 2);
                   return x.at(at) / std::pow(2 + 0.5 / size * sum, 0.75);
                 }),
        1e-6);

  Array rows{{2, 2}, {3, -4, 0, 0}};
  expectClose(run({rows}, [](Composer &c, ValueRange args) { return c.lpNormalize(args[0], 1); }),
              Array{{2, 2}, {0.6, -0.8, 0, 0}}, 1e-6);
  expectClose(
      run({rows}, [](Composer &c, ValueRange args) { return c.lpNormalize(args[0], 1, 1); }),
      Array{{2, 2}, {3 / 7.0, -4 / 7.0, 0, 0}}, 1e-6);
}

} // namespace
