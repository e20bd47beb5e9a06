//===- Run.h - run a small program in a test --------------------*- C++ -*-===//

#ifndef TINY_TEST_UNIT_REFERENCE_RUN_H
#define TINY_TEST_UNIT_REFERENCE_RUN_H

#include "Tiny/Reference/Interpreter.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cstring>
#include <string>
#include <vector>

namespace tinytest {

using tinyrt::ElementType;
using tinyrt::Tensor;
using Shape = std::vector<int64_t>;

/// A tensor from numbers in their storage type.
template <typename T>
Tensor tensorOf(ElementType type, Shape shape, const std::vector<T> &numbers) {
  Tensor tensor({type, std::move(shape)});
  EXPECT_EQ(tensor.bytes(), numbers.size() * sizeof(T));
  if (!numbers.empty())
    std::memcpy(tensor.data(), numbers.data(), tensor.bytes());
  return tensor;
}
template <typename T> Tensor vectorOf(ElementType type, const std::vector<T> &numbers) {
  return tensorOf(type, {static_cast<int64_t>(numbers.size())}, numbers);
}
template <typename T> std::vector<T> numbersOf(const Tensor &tensor) {
  EXPECT_EQ(tinyrt::byteSize(tensor.type().element), sizeof(T));
  return std::vector<T>(tensor.as<T>(), tensor.as<T>() + tensor.numElements());
}

/// Parses a module and runs its only function. `errors` collects what is reported.
class Program {
public:
  explicit Program(const std::string &text)
      : handler(&context, [this](mlir::Diagnostic &diagnostic) {
          errors.push_back(diagnostic.str());
          return mlir::success();
        }) {
    context.loadDialect<mlir::tiny::TinyDialect, mlir::func::FuncDialect>();
    context.allowUnregisteredDialects();
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text << "\n" << (errors.empty() ? "" : errors.front());
  }
  mlir::FailureOr<mlir::tiny::ReferenceResult> tryRun(const std::vector<Tensor> &inputs,
                                                      mlir::tiny::InterpretOptions options = {}) {
    return mlir::tiny::interpret(*module->getOps<mlir::func::FuncOp>().begin(), inputs, options);
  }
  mlir::tiny::ReferenceResult run(const std::vector<Tensor> &inputs,
                                  mlir::tiny::InterpretOptions options = {}) {
    auto result = tryRun(inputs, options);
    EXPECT_TRUE(mlir::succeeded(result)) << (errors.empty() ? "" : errors.front());
    return mlir::succeeded(result) ? *result : mlir::tiny::ReferenceResult{};
  }

  std::vector<std::string> errors;

private:
  mlir::MLIRContext context;
  mlir::ScopedDiagnosticHandler handler;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

inline Tensor run(const std::string &text, const std::vector<Tensor> &inputs) {
  auto result = Program(text).run(inputs);
  EXPECT_EQ(result.outputs.size(), 1u);
  return result.outputs.empty() ? Tensor({ElementType::i1, {0}}) : result.outputs[0].value;
}

/// "tensor<4xf32>".
inline std::string text(const Tensor &tensor) { return tensor.type().str(); }

/// %r = <op> <operands> <suffix> -> result on whole tensors.
inline Tensor unary(const std::string &op, const Tensor &a) {
  std::string type = text(a);
  return run("func.func @main(%a: " + type + ") -> " + type + " {\n %r = tiny." + op +
                 " %a : " + type + "\n return %r : " + type + "\n}",
             {a});
}
inline Tensor binary(const std::string &op, const Tensor &a, const Tensor &b) {
  std::string type = text(a);
  return run("func.func @main(%a: " + type + ", %b: " + type + ") -> " + type + " {\n %r = tiny." +
                 op + " %a, %b : " + type + "\n return %r : " + type + "\n}",
             {a, b});
}
inline std::vector<uint8_t> compare(const std::string &predicate, const Tensor &a,
                                    const Tensor &b) {
  std::string type = text(a), result = tinyrt::TensorType{ElementType::i1, a.type().shape}.str();
  return numbersOf<uint8_t>(run("func.func @main(%a: " + type + ", %b: " + type + ") -> " + result +
                                    " {\n %r = tiny.cmp " + predicate + " %a, %b : " + type +
                                    "\n return %r : " + result + "\n}",
                                {a, b}));
}
inline Tensor castTo(ElementType to, const Tensor &a) {
  std::string from = text(a), type = tinyrt::TensorType{to, a.type().shape}.str();
  return run("func.func @main(%a: " + from + ") -> " + type + " {\n %r = tiny.cast %a : " + from +
                 " to " + type + "\n return %r : " + type + "\n}",
             {a});
}

} // namespace tinytest

#endif // TINY_TEST_UNIT_REFERENCE_RUN_H
