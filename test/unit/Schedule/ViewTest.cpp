//===- ViewTest.cpp - views against movement carried out element by element ===//

#include "Tiny/Schedule/View.h"
#include "Tiny/IR/TinyDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

#include <random>

using namespace mlir;
using namespace mlir::tiny;

namespace {

/// A tensor whose elements say where they come from: an index >= 0 into the source, or the pad
/// value -v.
struct Origins {
  SmallVector<int64_t> shape;
  std::vector<int64_t> elements;
};

int64_t count(ArrayRef<int64_t> shape) {
  int64_t product = 1;
  for (int64_t size : shape)
    product *= size;
  return product;
}

/// Calls `visit` with every index of `shape` in row-major order.
template <typename Visit> void forEachIndex(ArrayRef<int64_t> shape, Visit visit) {
  if (count(shape) == 0)
    return;
  SmallVector<int64_t> index(shape.size(), 0);
  for (;;) {
    visit(index);
    size_t dim = shape.size();
    while (dim > 0 && ++index[dim - 1] == shape[dim - 1])
      index[--dim] = 0;
    if (dim == 0)
      return;
  }
}

int64_t flat(ArrayRef<int64_t> index, ArrayRef<int64_t> shape) {
  int64_t result = 0;
  for (auto [i, size] : llvm::zip(index, shape))
    result = result * size + i;
  return result;
}

/// The definition of each movement op, written once more without affine expressions.
Origins move(Operation *op, const Origins &input) {
  Origins result;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(op->getResult(0).getType()).getShape();
  result.shape.assign(shape.begin(), shape.end());
  forEachIndex(shape, [&](ArrayRef<int64_t> at) {
    if (isa<ReshapeOp>(op)) {
      result.elements.push_back(input.elements[flat(at, shape)]);
      return;
    }
    SmallVector<int64_t> from(at);
    bool inside = true;
    if (auto permute = dyn_cast<PermuteOp>(op)) {
      for (auto [dim, source] : llvm::enumerate(permute.getPermutation()))
        from[source] = at[dim];
    }
    for (size_t dim = 0; dim < input.shape.size(); ++dim) {
      if (isa<ExpandOp>(op) && input.shape[dim] == 1)
        from[dim] = 0;
      if (auto shrink = dyn_cast<ShrinkOp>(op))
        from[dim] += shrink.getOffsets()[dim];
      if (auto stride = dyn_cast<StrideOp>(op)) {
        int64_t step = stride.getSteps()[dim];
        from[dim] = step > 0 ? from[dim] * step : input.shape[dim] - 1 + from[dim] * step;
      }
      if (auto pad = dyn_cast<PadOp>(op)) {
        from[dim] -= pad.getLow()[dim];
        inside &= from[dim] >= 0 && from[dim] < input.shape[dim];
      }
    }
    if (inside)
      result.elements.push_back(input.elements[flat(from, input.shape)]);
    else
      result.elements.push_back(-cast<IntegerAttr>(cast<PadOp>(op).getValue()).getInt());
  });
  return result;
}

std::string print(AffineExpr expr) {
  std::string text;
  llvm::raw_string_ostream(text) << expr;
  return text;
}

class Views : public testing::Test {
protected:
  Views() : builder(&context) {
    context.loadDialect<TinyDialect, func::FuncDialect>();
    module = ModuleOp::create(builder.getUnknownLoc());
    builder.setInsertionPointToStart(module->getBody());
  }

  Value source(ArrayRef<int64_t> shape) {
    auto type = RankedTensorType::get(shape, builder.getI32Type());
    auto function = func::FuncOp::create(builder, builder.getUnknownLoc(), "f",
                                         builder.getFunctionType({type}, {}));
    builder.setInsertionPointToStart(function.addEntryBlock());
    return function.getArgument(0);
  }

  template <typename Op, typename... Args> Value create(Args &&...args) {
    return Op::create(builder, builder.getUnknownLoc(), std::forward<Args>(args)...).getResult();
  }

  RankedTensorType type(ArrayRef<int64_t> shape) {
    return RankedTensorType::get(shape, builder.getI32Type());
  }

  /// The view of `source` that the chain ending in `value` is.
  View compose(Value value) {
    View view = View::identity(&context, cast<RankedTensorType>(value.getType()).getShape());
    for (; Operation *op = value.getDefiningOp(); value = op->getOperand(0))
      view = view.through(op);
    return view;
  }

  /// Every element that the view reads is the one that moving element by element finds.
  void check(Value value) {
    SmallVector<Operation *> chain;
    for (Value at = value; Operation *op = at.getDefiningOp(); at = op->getOperand(0))
      chain.push_back(op);
    Value root = chain.empty() ? value : chain.back()->getOperand(0);
    Origins origins;
    origins.shape.assign(cast<RankedTensorType>(root.getType()).getShape());
    for (int64_t i = 0; i < count(origins.shape); ++i)
      origins.elements.push_back(i);
    for (Operation *op : llvm::reverse(chain))
      origins = move(op, origins);

    View view = compose(value);
    AffineExpr index = view.flatIndex();
    size_t element = 0;
    forEachIndex(origins.shape, [&](ArrayRef<int64_t> at) {
      auto evaluate = [&](AffineExpr expr) {
        return AffineMap::get(at.size(), 0, expr).compose(at)[0];
      };
      int64_t found = 0;
      bool padded = false;
      for (const Constraint &constraint : view.constraints()) {
        int64_t number = evaluate(constraint.expr);
        if (number >= constraint.low && number < constraint.high)
          continue;
        found = -cast<IntegerAttr>(constraint.pad).getInt();
        padded = true;
        break;
      }
      if (!padded)
        found = evaluate(index);
      ASSERT_EQ(found, origins.elements[element]) << "element " << element;
      ++element;
    });
    ASSERT_EQ(element, origins.elements.size());
  }

  MLIRContext context;
  OpBuilder builder;
  OwningOpRef<ModuleOp> module;
};

TEST_F(Views, WindowChainHasNoDivision) {
  // A 3-wide window with stride 2 and dilation 2 over 11 elements, as expand, reshape, shrink,
  // reshape, shrink.
  Value x = source({11});
  Value repeated = create<ExpandOp>(type({4, 11}), create<ReshapeOp>(type({1, 11}), x));
  // 4 * 11 = 44 elements; rows of 11 + 2 start two further on each: window k begins at 2k.
  Value flatRows = create<ReshapeOp>(type({44}), repeated);
  Value cut = create<ShrinkOp>(flatRows, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{39});
  Value rows = create<ReshapeOp>(type({3, 13}), cut);
  Value window = create<ShrinkOp>(rows, ArrayRef<int64_t>{0, 0}, ArrayRef<int64_t>{3, 7});
  Value strided = create<StrideOp>(window, ArrayRef<int64_t>{1, 3});
  check(strided);
  EXPECT_EQ(print(compose(strided).flatIndex()), "d0 * 2 + d1 * 3");
}

TEST_F(Views, NestedPadsKeepTheirOrder) {
  Value x = source({3});
  Value inner =
      create<PadOp>(x, ArrayRef<int64_t>{2}, ArrayRef<int64_t>{1}, builder.getI32IntegerAttr(7));
  Value outer = create<PadOp>(inner, ArrayRef<int64_t>{1}, ArrayRef<int64_t>{1},
                              builder.getI32IntegerAttr(9));
  check(outer);
  EXPECT_EQ(compose(outer).constraints().size(), 2u);
}

TEST_F(Views, ShrinkRemovesThePadItUndoes) {
  Value x = source({4, 5});
  Value padded = create<PadOp>(x, ArrayRef<int64_t>{1, 2}, ArrayRef<int64_t>{1, 0},
                               builder.getI32IntegerAttr(1));
  Value back = create<ShrinkOp>(padded, ArrayRef<int64_t>{1, 2}, ArrayRef<int64_t>{4, 5});
  check(back);
  EXPECT_TRUE(compose(back).constraints().empty());
}

TEST_F(Views, ReshapeBackAndForthIsTheIdentity) {
  Value x = source({6, 4});
  Value there = create<ReshapeOp>(type({3, 8}), x);
  Value back = create<ReshapeOp>(type({6, 4}), there);
  EXPECT_EQ(print(compose(back).flatIndex()), "d0 * 4 + d1");
}

/// A random shape with the same number of elements.
SmallVector<int64_t> refactor(int64_t elements, std::mt19937 &random) {
  SmallVector<int64_t> shape;
  while (elements > 1 && shape.size() < 5) {
    SmallVector<int64_t> divisors;
    for (int64_t d = 1; d <= elements; ++d)
      if (elements % d == 0)
        divisors.push_back(d);
    shape.push_back(divisors[random() % divisors.size()]);
    elements /= shape.back();
  }
  if (elements != 1 || random() % 4 == 0)
    shape.push_back(elements);
  return shape;
}

TEST_F(Views, RandomChains) {
  std::mt19937 random(20240607);
  auto below = [&](int64_t limit) { return static_cast<int64_t>(random() % limit); };
  unsigned withConstraints = 0, withDivisions = 0;
  for (int program = 0; program < 10000; ++program) {
    SmallVector<int64_t> shape;
    for (int64_t rank = below(7); rank > 0; --rank)
      shape.push_back(below(20) == 0 ? 0 : 1 + below(4));
    Value value = source(shape);
    for (int64_t length = below(13); length > 0; --length) {
      shape = llvm::to_vector(cast<RankedTensorType>(value.getType()).getShape());
      int64_t elements = count(shape);
      SmallVector<int64_t> a(shape.size()), b(shape.size());
      switch (below(6)) {
      case 0:
        if (elements > 0)
          value = create<ReshapeOp>(type(refactor(elements, random)), value);
        break;
      case 1:
        std::iota(a.begin(), a.end(), 0);
        std::shuffle(a.begin(), a.end(), random);
        value = create<PermuteOp>(value, a);
        break;
      case 2:
        for (int64_t &size : shape)
          if (size == 1 && elements < 500 && below(2))
            size = below(10) == 0 ? 0 : 1 + below(4);
        value = create<ExpandOp>(type(shape), value);
        break;
      case 3:
        if (elements > 300)
          break;
        for (size_t dim = 0; dim < shape.size(); ++dim) {
          a[dim] = below(3) == 0 ? below(3) : 0;
          b[dim] = below(3) == 0 ? below(3) : 0;
        }
        value = create<PadOp>(value, a, b, builder.getI32IntegerAttr(1 + below(100)));
        break;
      case 4:
        for (size_t dim = 0; dim < shape.size(); ++dim) {
          a[dim] = shape[dim] ? below(shape[dim]) : 0;
          b[dim] = shape[dim] - a[dim] - (shape[dim] > a[dim] ? below(shape[dim] - a[dim]) : 0);
        }
        value = create<ShrinkOp>(value, a, b);
        break;
      case 5:
        for (int64_t &step : a)
          step = (1 + below(3)) * (below(2) ? 1 : -1);
        value = create<StrideOp>(value, a);
        break;
      }
      if (count(cast<RankedTensorType>(value.getType()).getShape()) > 4000)
        break;
    }
    check(value);
    if (HasFatalFailure()) {
      module->dump();
      FAIL() << "program " << program;
    }
    View view = compose(value);
    withConstraints += !view.constraints().empty();
    withDivisions += countDivisions(view.flatIndex()) > 0;
    module->getBody()->clear();
    builder.setInsertionPointToStart(module->getBody());
  }
  // The generator must reach what it is for.
  EXPECT_GT(withConstraints, 1000u);
  EXPECT_GT(withDivisions, 300u);
}

} // namespace
