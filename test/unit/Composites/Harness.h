//===- Harness.h - build a composite, check its ops, run it -----*- C++ -*-===//
//
// Every composite is checked twice: what it is made of (only tiny ops, the right type), and what it
// computes, by the reference interpreter against plain loops and the C library in double.
//
//===----------------------------------------------------------------------===//

#ifndef TEST_UNIT_COMPOSITES_HARNESS_H
#define TEST_UNIT_COMPOSITES_HARNESS_H

#include "Tiny/IR/Composites.h"
#include "Tiny/Reference/Interpreter.h"
#include "Tiny/Runtime/Element.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <functional>

namespace mlir::tiny::test {

using tinyrt::ElementType;

/// A tensor as numbers.
struct Array {
  SmallVector<int64_t> shape;
  std::vector<double> values;
  ElementType element = ElementType::f32;

  static Array of(std::vector<double> values, ElementType element = ElementType::f32) {
    return {{static_cast<int64_t>(values.size())}, std::move(values), element};
  }

  /// Distinct numbers between -1 and 1, the same for the same shape and seed.
  static Array random(ArrayRef<int64_t> shape, unsigned seed = 1,
                      ElementType element = ElementType::f32) {
    Array result{SmallVector<int64_t>(shape), {}, element};
    uint64_t state = 0x9E3779B97F4A7C15ull * (seed + 1);
    for (int64_t i = 0; i < result.count(); ++i) {
      state = state * 6364136223846793005ull + 1442695040888963407ull;
      result.values.push_back(static_cast<double>(static_cast<int64_t>(state >> 44) - (1 << 19)) /
                              (1 << 19));
    }
    return result;
  }

  int64_t count() const {
    int64_t product = 1;
    for (int64_t size : shape)
      product *= size;
    return product;
  }

  double &at(ArrayRef<int64_t> index) { return values[flat(index)]; }
  double at(ArrayRef<int64_t> index) const { return values[flat(index)]; }
  /// 0 outside.
  double atOrZero(ArrayRef<int64_t> index) const {
    for (auto [i, size] : llvm::zip(index, shape))
      if (i < 0 || i >= size)
        return 0;
    return at(index);
  }

  int64_t flat(ArrayRef<int64_t> index) const {
    int64_t result = 0;
    for (auto [i, size] : llvm::zip(index, shape))
      result = result * size + i;
    return result;
  }
};

/// Calls `visit` with every index of `shape` in row-major order.
template <typename Visit> void forEachIndex(ArrayRef<int64_t> shape, Visit visit) {
  if (llvm::is_contained(shape, 0))
    return;
  SmallVector<int64_t> index(shape.size(), 0);
  for (;;) {
    visit(ArrayRef<int64_t>(index));
    size_t dim = shape.size();
    while (dim > 0 && ++index[dim - 1] == shape[dim - 1])
      index[--dim] = 0;
    if (dim == 0)
      return;
  }
}

/// The expected tensor, from a function of the index.
template <typename Fn> Array tabulate(ArrayRef<int64_t> shape, Fn value) {
  Array result{SmallVector<int64_t>(shape), {}};
  forEachIndex(shape, [&](ArrayRef<int64_t> index) { result.values.push_back(value(index)); });
  return result;
}

class CompositesTest : public ::testing::Test {
protected:
  CompositesTest() : builder(&context) {
    context.loadDialect<TinyDialect, func::FuncDialect>();
    handler.emplace(&context, [this](Diagnostic &diagnostic) {
      message += diagnostic.str() + "\n";
      return success();
    });
  }

  Type typeOf(ElementType element) {
    switch (element) {
    case ElementType::f64:
      return builder.getF64Type();
    case ElementType::f32:
      return builder.getF32Type();
    case ElementType::f16:
      return builder.getF16Type();
    case ElementType::bf16:
      return builder.getBF16Type();
    case ElementType::i1:
      return builder.getI1Type();
    case ElementType::i8:
      return builder.getIntegerType(8);
    case ElementType::i16:
      return builder.getIntegerType(16);
    case ElementType::i32:
      return builder.getIntegerType(32);
    case ElementType::i64:
      return builder.getIntegerType(64);
    case ElementType::ui8:
      return builder.getIntegerType(8, false);
    case ElementType::ui16:
      return builder.getIntegerType(16, false);
    case ElementType::ui32:
      return builder.getIntegerType(32, false);
    case ElementType::ui64:
      return builder.getIntegerType(64, false);
    }
  }

  ElementType elementOf(Type type) {
    for (int i = 0; i <= static_cast<int>(ElementType::ui64); ++i)
      if (typeOf(static_cast<ElementType>(i)) == type)
        return static_cast<ElementType>(i);
    ADD_FAILURE() << "not an element type";
    return ElementType::f32;
  }

  static tinyrt::Tensor toTensor(const Array &array) {
    tinyrt::Tensor tensor({array.element, {array.shape.begin(), array.shape.end()}});
    for (auto [i, value] : llvm::enumerate(array.values))
      switch (array.element) {
      case ElementType::f64:
        tensor.as<double>()[i] = value;
        break;
      case ElementType::f32:
        tensor.as<float>()[i] = static_cast<float>(value);
        break;
      case ElementType::f16:
        tensor.as<uint16_t>()[i] = tinyrt::doubleToHalf(value);
        break;
      case ElementType::bf16:
        tensor.as<uint16_t>()[i] = tinyrt::doubleToBfloat(value);
        break;
      case ElementType::i1:
      case ElementType::ui8:
        tensor.as<uint8_t>()[i] = static_cast<uint8_t>(value);
        break;
      case ElementType::i8:
        tensor.as<int8_t>()[i] = static_cast<int8_t>(value);
        break;
      case ElementType::i16:
        tensor.as<int16_t>()[i] = static_cast<int16_t>(value);
        break;
      case ElementType::ui16:
        tensor.as<uint16_t>()[i] = static_cast<uint16_t>(value);
        break;
      case ElementType::i32:
        tensor.as<int32_t>()[i] = static_cast<int32_t>(value);
        break;
      case ElementType::ui32:
        tensor.as<uint32_t>()[i] = static_cast<uint32_t>(value);
        break;
      case ElementType::i64:
        tensor.as<int64_t>()[i] = static_cast<int64_t>(value);
        break;
      case ElementType::ui64:
        tensor.as<uint64_t>()[i] = static_cast<uint64_t>(value);
        break;
      }
    return tensor;
  }

  using Body = std::function<Value(Composer &, ValueRange)>;

  /// A function of the inputs' types that returns what `body` builds. Null if that is null.
  func::FuncOp build(ArrayRef<Array> inputs, const Body &body) {
    Location loc = builder.getUnknownLoc();
    module = ModuleOp::create(loc);
    builder.setInsertionPointToStart(module->getBody());
    SmallVector<Type> types;
    for (const Array &input : inputs)
      types.push_back(RankedTensorType::get(input.shape, typeOf(input.element)));
    auto function = func::FuncOp::create(builder, loc, "main", builder.getFunctionType(types, {}));
    builder.setInsertionPointToStart(function.addEntryBlock());
    Composer composer(builder, loc);
    Value result = body(composer, function.getArguments());
    if (!result)
      return {};
    func::ReturnOp::create(builder, loc, result);
    function.setType(builder.getFunctionType(types, result.getType()));
    EXPECT_TRUE(succeeded(verify(*module))) << message;
    function.walk([](Operation *op) {
      if (!isa<func::FuncOp, func::ReturnOp, ConstantOp, IotaOp, ReduceOp>(op) && !isMovement(op) &&
          !isElementwise(op))
        ADD_FAILURE() << "not one of the 18 ops, constant or iota: "
                      << op->getName().getStringRef().str();
    });
    return function;
  }

  /// Builds and interprets. An empty array after a failure.
  Array run(ArrayRef<Array> inputs, const Body &body) {
    func::FuncOp function = build(inputs, body);
    if (!function) {
      ADD_FAILURE() << "nothing was built: " << message;
      return {};
    }
    std::vector<tinyrt::Tensor> tensors;
    for (const Array &input : inputs)
      tensors.push_back(toTensor(input));
    FailureOr<ReferenceResult> result = interpret(function, tensors);
    if (failed(result)) {
      ADD_FAILURE() << message;
      return {};
    }
    const tinyrt::Tensor &output = result->outputs[0].value;
    Array array{llvm::to_vector(output.type().shape), {}, output.type().element};
    for (int64_t i = 0; i < output.numElements(); ++i)
      array.values.push_back(tinyrt::elementAsDouble(output, i));
    return array;
  }

  /// The message of a body that must fail.
  std::string errorOf(ArrayRef<Array> inputs, const Body &body) {
    message.clear();
    EXPECT_FALSE(build(inputs, body)) << "built in spite of the error";
    return message;
  }

  template <typename Op> int countOf(func::FuncOp function) {
    int count = 0;
    function.walk([&](Op) { ++count; });
    return count;
  }

  MLIRContext context;
  OpBuilder builder;
  OwningOpRef<ModuleOp> module;
  std::string message;
  std::optional<ScopedDiagnosticHandler> handler;
};

/// Equal as tiny.expect_eq sees it: to the bit, but all NaNs are equal.
inline void expectSame(const Array &actual, const Array &expected) {
  ASSERT_EQ(actual.shape, expected.shape);
  ASSERT_EQ(actual.values.size(), expected.values.size());
  for (size_t i = 0; i < actual.values.size(); ++i) {
    double x = actual.values[i], y = expected.values[i];
    bool same = (std::isnan(x) && std::isnan(y)) || (x == y && std::signbit(x) == std::signbit(y));
    EXPECT_TRUE(same) << "element " << i << " is " << x << ", not " << y;
  }
}

inline void expectSame(const Array &actual, std::vector<double> expected) {
  expectSame(actual, Array{actual.shape, std::move(expected)});
}

/// Within `tolerance`, relative to the larger of 1 and the expected number.
inline void expectClose(const Array &actual, const Array &expected, double tolerance = 1e-5) {
  ASSERT_EQ(actual.shape, expected.shape);
  ASSERT_EQ(actual.values.size(), expected.values.size());
  for (size_t i = 0; i < actual.values.size(); ++i) {
    double x = actual.values[i], y = expected.values[i];
    bool close = (std::isnan(x) && std::isnan(y)) || x == y ||
                 std::fabs(x - y) <= tolerance * std::max(1.0, std::fabs(y));
    EXPECT_TRUE(close) << "element " << i << " is " << x << ", not " << y;
  }
}

} // namespace mlir::tiny::test

#endif // TEST_UNIT_COMPOSITES_HARNESS_H
