//===- IndexTest.cpp - gather and scatter ---------------------------------===//
//
// Against plain loops, with indices that are data and with the same ones as constants, which take
// other paths: views and boxes.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::test;

namespace {

class IndexTest : public CompositesTest {
protected:
  /// The body with the last input as data, then as a constant, compared with `expected`.
  void expectBoth(std::vector<Array> inputs, const Body &body, const Array &expected) {
    expectSame(run(inputs, body), expected);
    Array indices = inputs.back();
    inputs.pop_back();
    expectSame(run(inputs,
                   [&](Composer &c, ValueRange args) {
                     SmallVector<int64_t> numbers(indices.values.begin(), indices.values.end());
                     SmallVector<Value> operands(args);
                     operands.push_back(
                         c.reshape(c.vector(numbers, c.b.getI64Type()), indices.shape));
                     if (auto reshape = operands.back().getDefiningOp<ReshapeOp>())
                       operands.back() = c.constant(cast<ElementsAttr>(
                           cast<DenseElementsAttr>(
                               reshape.getOperand().getDefiningOp<ConstantOp>().getValue())
                               .reshape(reshape.getResult().getType())));
                     return body(c, operands);
                   }),
               expected);
  }
};

// start + i * a + j * b + k * d for all signs, overlapping and not.
TEST_F(IndexTest, EvenlySpacedConstantsAreViews) {
  Array x = Array::random({2, 48, 3});
  for (int64_t a : {0, 1, 2, 6, -1, -4})
    for (int64_t b : {0, 1, 3, -2})
      for (int64_t d : {0, 1, -5}) {
        SmallVector<int64_t> shape = {3, 1, 4, 2}, numbers;
        forEachIndex(shape, [&](ArrayRef<int64_t> at) {
          numbers.push_back(20 + at[0] * a + at[2] * b + at[3] * d);
        });
        Body body = [&](Composer &c, ValueRange args) {
          auto type = RankedTensorType::get(shape, c.b.getI64Type());
          return c.gather(args[0],
                          c.constant(cast<ElementsAttr>(
                              DenseElementsAttr::get(type, ArrayRef<int64_t>(numbers)))),
                          1);
        };
        SCOPED_TRACE((Twine(a) + " " + Twine(b) + " " + Twine(d)).str());
        expectSame(run({x}, body), tabulate({2, 3, 1, 4, 2, 3}, [&](ArrayRef<int64_t> at) {
                     return x.at({at[0], 20 + at[1] * a + at[3] * b + at[4] * d, at[5]});
                   }));
        func::FuncOp function = build({x}, body);
        EXPECT_EQ(countOf<WhereOp>(function), 0);
        EXPECT_EQ(countOf<ReduceOp>(function), 0);
      }
}

TEST_F(IndexTest, GatherNd) {
  Array x = Array::random({3, 4, 2});
  Array pairs{{2, 3, 2}, {0, 0, 2, -1, 1, 3, -3, 2, 2, -4, 0, 1}, ElementType::i64};
  expectBoth(
      {x, pairs}, [](Composer &c, ValueRange args) { return c.gatherNd(args[0], args[1]); },
      tabulate({2, 3, 2}, [&](ArrayRef<int64_t> at) {
        int64_t i = pairs.at({at[0], at[1], 0}), j = pairs.at({at[0], at[1], 1});
        return x.at({i < 0 ? i + 3 : i, j < 0 ? j + 4 : j, at[2]});
      }));
  Array each{{3, 2, 1}, {0, -1, 3, 1, -4, 2}, ElementType::i64};
  expectBoth(
      {x, each}, [](Composer &c, ValueRange args) { return c.gatherNd(args[0], args[1], 1); },
      tabulate({3, 2, 2}, [&](ArrayRef<int64_t> at) {
        int64_t j = each.at({at[0], at[1], 0});
        return x.at({at[0], j < 0 ? j + 4 : j, at[2]});
      }));
  // Out of range in one place is out of range, also where the sum would be in range.
  Array outside{{3, 2}, {0, 4, -4, 0, 3, -4}, ElementType::i64};
  expectBoth(
      {x, outside}, [](Composer &c, ValueRange args) { return c.gatherNd(args[0], args[1]); },
      tabulate({3, 2}, [&](ArrayRef<int64_t>) { return 0; }));
}

TEST_F(IndexTest, ScatterNd) {
  Array x = Array::random({3, 4, 2});
  struct Case {
    Array indices;
    bool isBox;
  };
  const Case cases[] = {
      {{{2, 3, 2}, {1, 1, 1, 2, 1, 3, 2, 1, 2, 2, 2, 3}, ElementType::i64}, true},
      {{{2, 2}, {-1, 0, -1, 1}, ElementType::i64}, true},
      {{{1, 1}, {1}, ElementType::i64}, true},
      {{{3, 1}, {0, 1, 2}, ElementType::i64}, true}, // all of x
      {{{2, 1}, {2, 0}, ElementType::i64}, false},
      {{{4, 2}, {0, 0, 1, 1, 2, -1, 0, -2}, ElementType::i64}, false},
      {{{2, 3}, {0, 3, 1, 2, 0, 0}, ElementType::i64}, false},
      {{{3, 1}, {1, 3, -4}, ElementType::i64}, false}}; // two of them write nothing
  for (auto [number, entry] : llvm::enumerate(cases)) {
    SCOPED_TRACE(number);
    const Array &indices = entry.indices;
    int64_t length = indices.shape.back();
    SmallVector<int64_t> shape(ArrayRef(indices.shape).drop_back());
    llvm::append_range(shape, ArrayRef(x.shape).drop_front(length));
    Array updates = Array::random(shape, 7);
    for (ScatterKind kind : {ScatterKind::replace, ScatterKind::add, ScatterKind::mul,
                             ScatterKind::max, ScatterKind::min}) {
      Array expected = x;
      size_t rest = 1, next = 0;
      for (int64_t size : ArrayRef(x.shape).drop_front(length))
        rest *= size;
      for (size_t tuple = 0; tuple < indices.values.size(); tuple += length) {
        int64_t flat = 0;
        bool isInside = true;
        for (int64_t k = 0; k < length; ++k) {
          int64_t index = indices.values[tuple + k], size = x.shape[k];
          index += index < 0 ? size : 0;
          isInside &= index >= 0 && index < size;
          flat = flat * size + index;
        }
        for (size_t i = 0; i < rest; ++i) {
          double update = updates.values[next++];
          if (!isInside)
            continue;
          double &old = expected.values[flat * rest + i];
          float sum = static_cast<float>(old) + static_cast<float>(update);
          float product = static_cast<float>(old) * static_cast<float>(update);
          old = kind == ScatterKind::replace ? update
                : kind == ScatterKind::add   ? sum
                : kind == ScatterKind::mul   ? product
                : kind == ScatterKind::max   ? std::max(old, update)
                                             : std::min(old, update);
        }
      }
      Body body = [&](Composer &c, ValueRange args) {
        return c.scatterNd(args[0], args[2], args[1], kind);
      };
      expectBoth({x, updates, indices}, body, expected);
    }
    Body constant = [&](Composer &c, ValueRange args) {
      auto type = RankedTensorType::get(indices.shape, c.b.getI64Type());
      SmallVector<int64_t> numbers(indices.values.begin(), indices.values.end());
      return c.scatterNd(
          args[0],
          c.constant(cast<ElementsAttr>(DenseElementsAttr::get(type, ArrayRef<int64_t>(numbers)))),
          args[1]);
    };
    EXPECT_EQ(countOf<ReduceOp>(build({x, updates}, constant)) == 0, entry.isBox);
  }
}

// Several updates of one element all count.
TEST_F(IndexTest, ScatterNdOfRepeatedIndices) {
  Array x = Array::of({1, 2, 3}), indices{{4, 1}, {1, 0, 1, 1}, ElementType::i64};
  Array updates = Array::of({2, 5, -3, 8});
  const std::pair<ScatterKind, std::vector<double>> cases[] = {{ScatterKind::add, {6, 9, 3}},
                                                               {ScatterKind::mul, {5, -96, 3}},
                                                               {ScatterKind::max, {5, 8, 3}},
                                                               {ScatterKind::min, {1, -3, 3}}};
  for (const auto &entry : cases)
    expectBoth(
        {x, updates, indices},
        [&](Composer &c, ValueRange args) {
          return c.scatterNd(args[0], args[2], args[1], entry.first);
        },
        Array::of(entry.second));
}

TEST_F(IndexTest, ScatterElements) {
  Array x = Array::random({3, 4}), updates = Array::random({2, 3}, 5);
  x.values[0] = std::nan(""); // stays where it is
  Array columns{{2, 3}, {3, -4, 1, 2, 0, -1}, ElementType::i64};
  Array expected = x;
  forEachIndex(columns.shape, [&](ArrayRef<int64_t> at) {
    int64_t index = columns.at(at);
    expected.at({at[0], index < 0 ? index + 4 : index}) = updates.at(at);
  });
  expectBoth(
      {x, updates, columns},
      [](Composer &c, ValueRange args) { return c.scatterElements(args[0], args[2], args[1], 1); },
      expected);
  Array rows{{2, 3}, {2, 0, 5, -3, -1, 1}, ElementType::i64}; // 5 is out of range
  expected = x;
  forEachIndex(rows.shape, [&](ArrayRef<int64_t> at) {
    int64_t index = rows.at(at);
    index = index < 0 ? index + 3 : index;
    if (index < 3)
      expected.at({index, at[1]}) = updates.at(at);
  });
  expectBoth(
      {x, updates, rows},
      [](Composer &c, ValueRange args) { return c.scatterElements(args[0], args[2], args[1], -2); },
      expected);
}

} // namespace
