//===- KernelRunner.h - compile and run one elementwise kernel --*- C++ -*-===//

#ifndef TINY_TEST_UNIT_COMPILER_KERNELRUNNER_H
#define TINY_TEST_UNIT_COMPILER_KERNELRUNNER_H

#include "Tiny/Compiler/CPU.h"
#include "Tiny/InitAll.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

#include <cstring>

namespace tinytest {

/// A context with everything in it, made once.
inline mlir::MLIRContext &context() {
  static mlir::MLIRContext *context = [] {
    mlir::DialectRegistry registry;
    mlir::tiny::registerAllTinyDialects(registry);
    auto *result = new mlir::MLIRContext(registry);
    result->loadAllAvailableDialects();
    return result;
  }();
  return *context;
}

/// How one test runs: on which CPU, and with how many elements at once (1 for scalar code).
struct Variant {
  std::string cpu;
  unsigned width;
};
inline void PrintTo(const Variant &variant, std::ostream *os) {
  *os << variant.cpu << " by " << variant.width;
}

/// Code for all of these runs on any machine that this project is built on: x86-64 has neither AVX
/// nor F16C, so the kernels use their own expansions throughout. A width of 8 is a whole register
/// or several; 3 is no register at all.
inline std::vector<Variant> variants() {
  std::vector<Variant> result;
  for (const char *cpu : {"x86-64", "x86-64-v3", "host"})
    for (unsigned width : {1u, 3u, 8u})
      if (auto described = mlir::tiny::describeCPU(cpu);
          described && mlir::tiny::missingOnHost(*described).empty())
        result.push_back({cpu, width});
  return result;
}

/// A program of one kernel that applies `op` to each element. In `op`, %x is the operand and %r the
/// result, and {0} and {1} are their types. bf16 lies in memory as its bits.
inline std::string elementwiseProgram(const char *op, const char *inType, const char *outType,
                                      int64_t count, unsigned width) {
  auto stored = [](const char *element) {
    return std::string(element) == "bf16" ? "i16" : element;
  };
  auto typeOf = [&](const char *element) {
    return width == 1 ? std::string(element)
                      : llvm::formatv("vector<{0}x{1}>", width, element).str();
  };
  std::string in = typeOf(inType), out = typeOf(outType);
  std::string storedIn = typeOf(stored(inType)), storedOut = typeOf(stored(outType));
  std::string body = llvm::formatv(op, in, out);
  std::string fromStored =
      in == storedIn ? "" : llvm::formatv("%x = arith.bitcast %s : {0} to {1}", storedIn, in).str();
  std::string toStored =
      out == storedOut ? ""
                       : llvm::formatv("%t = arith.bitcast %r : {0} to {1}", out, storedOut).str();
  const char *access = width == 1 ? "memref" : "vector";
  auto suffix = [&](const std::string &type) { return width == 1 ? "" : ", " + type; };
  std::string program = llvm::formatv(
      R"(
    func.func @main(%in: tensor<{0}x{1}>) -> tensor<{0}x{2}> {{
      %0 = tiny.launch @k(%in) {{grid = array<i64: 1, 1, 1>,
        result_slots = [#tiny.slot<result[0], offset = 0, bytes = {3}>]}
        : (tensor<{0}x{1}>) -> tensor<{0}x{2}>
      return %0 : tensor<{0}x{2}>
    })",
      count, inType, outType,
      count * mlir::tiny::storageBytes(
                  mlir::RankedTensorType::get({1}, mlir::parseType(outType, &context()))));
  return program + llvm::formatv(
                       R"(
    func.func private @k(%in: memref<{0}x{1}>, %out: memref<{0}x{2}>, %gx: index, %gy: index,
                         %gz: index) attributes {{tiny.kernel} {{
      %c0 = arith.constant 0 : index
      %n = arith.constant {0} : index
      %step = arith.constant {3} : index
      scf.for %i = %c0 to %n step %step {{
        {4} = {5}.load %in[%i] : memref<{0}x{1}>{6}
        {7}
        {8}
        {9}
        {5}.store {10}, %out[%i] : memref<{0}x{2}>{11}
      }
      return
    })",
                       count, stored(inType), stored(outType), width,
                       fromStored.empty() ? "%x" : "%s", access, suffix(storedIn), fromStored, body,
                       toStored, toStored.empty() ? "%r" : "%t", suffix(storedOut))
                       .str();
}

inline std::unique_ptr<mlir::tiny::Artefact>
compileProgram(const std::string &source, const mlir::tiny::CompileOptions &options) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(source, &context());
  if (!module)
    return nullptr;
  auto artefact = mlir::tiny::compile(*module, options);
  return mlir::failed(artefact) ? nullptr : std::move(*artefact);
}

/// The results of `op` (see elementwiseProgram) on all of `inputs`.
template <typename Out, typename In>
std::vector<Out> apply(const Variant &variant, const char *op, const char *inType,
                       const char *outType, std::vector<In> inputs) {
  size_t count = inputs.size();
  while (inputs.size() % variant.width)
    inputs.push_back(In());
  int64_t padded = inputs.size();
  mlir::tiny::CompileOptions options;
  options.cpu = variant.cpu;
  options.input = mlir::tiny::Stage::tiled;
  auto artefact =
      compileProgram(elementwiseProgram(op, inType, outType, padded, variant.width), options);
  if (!artefact) {
    ADD_FAILURE() << "cannot compile " << op;
    return {};
  }
  // Kernels may rely on the alignment of every buffer.
  tinyrt::Tensor in({tinyrt::ElementType::i8, {int64_t(padded * sizeof(In))}});
  tinyrt::Tensor out({tinyrt::ElementType::i8, {int64_t(padded * sizeof(Out))}});
  std::memcpy(in.data(), inputs.data(), in.bytes());
  void *buffers[] = {in.data(), out.data()};
  artefact->kernels[0](buffers, 0, 0, 0);
  return {out.as<Out>(), out.as<Out>() + count};
}

template <typename To, typename From> To bitsTo(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(To));
  return to;
}

} // namespace tinytest

#endif // TINY_TEST_UNIT_COMPILER_KERNELRUNNER_H
