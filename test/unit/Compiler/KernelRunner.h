//===- KernelRunner.h - compile and run one elementwise kernel --*- C++ -*-===//

#ifndef TINY_TEST_UNIT_COMPILER_KERNELRUNNER_H
#define TINY_TEST_UNIT_COMPILER_KERNELRUNNER_H

#include "Tiny/Compiler/CPU.h"
#include "Tiny/Compiler/GPU.h"
#include "Tiny/InitAll.h"
#include "Tiny/Runtime/HsaDevice.h"
#include "Tiny/Runtime/Session.h"

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

/// How one test runs: on which CPU or (simulated) GPU, and with how many elements at once (1 for
/// scalar code).
struct Variant {
  std::string cpu;
  unsigned width;
  bool isGPU() const { return mlir::tiny::findGPU(cpu); }
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
    for (unsigned width : {1u, 3u, 8u, 16u})
      if (auto described = mlir::tiny::describeCPU(cpu);
          described && mlir::tiny::missingOnHost(*described).empty())
        result.push_back({cpu, width});
  for (unsigned width : {1u, 4u}) // a GPU has no vectors but in loads and stores
    result.push_back({"gfx1100", width});
  return result;
}

/// A program of one kernel that applies `op` to each element. In `op`, %x is the operand and %r the
/// result, and {0} and {1} are their types. bf16 lies in memory as its bits.
inline std::string elementwiseProgram(const char *op, const char *inType, const char *outType,
                                      int64_t count, const Variant &variant) {
  unsigned width = variant.width;
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
      %0 = tiny.launch @k(%in) {{grid = array<i64: {4}, 1, 1>,
        result_slots = [#tiny.slot<result[0], offset = 0, bytes = {3}>]}
        : (tensor<{0}x{1}>) -> tensor<{0}x{2}>
      return %0 : tensor<{0}x{2}>
    })",
      count, inType, outType,
      count * mlir::tiny::storageBytes(
                  mlir::RankedTensorType::get({1}, mlir::parseType(outType, &context()))),
      variant.isGPU() ? 16 : 1);
  // On a GPU, 64 lanes of 16 workgroups take turns.
  const char *attributes = variant.isGPU() ? ", tiny.block = 64 : i64" : "";
  const char *place = variant.isGPU() ? R"(%lane = gpu.thread_id x
      %first = affine.apply affine_map<(x, lane)[w] -> ((x * 64 + lane) * w)>(%gx, %lane)[%width]
      %step = affine.apply affine_map<()[w] -> (w * 1024)>()[%width])"
                                      : R"(%first = arith.constant 0 : index
      %step = affine.apply affine_map<()[w] -> (w)>()[%width])";
  return program + llvm::formatv(
                       R"(
    func.func private @k(%in: memref<{0}x{1}>, %out: memref<{0}x{2}>, %gx: index, %gy: index,
                         %gz: index) attributes {{tiny.kernel{12}} {{
      %n = arith.constant {0} : index
      %width = arith.constant {3} : index
      {13}
      scf.for %i = %first to %n step %step {{
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
                       toStored, toStored.empty() ? "%r" : "%t", suffix(storedOut), attributes,
                       place)
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

/// Runs `artefact`, a program of one kernel from `in` to `out`, on the simulated card.
inline bool runOnSimulator(const mlir::tiny::Artefact &artefact, const tinyrt::Tensor &in,
                           tinyrt::Tensor &out) {
  std::string error;
  tinyrt::HsaOptions options;
  options.simulate = true;
  std::shared_ptr<tinyrt::Device> device = tinyrt::createHsaDevice(options, error);
  std::vector<tinyrt::Device::Kernel> kernels;
  tinyrt::DeviceMemory from, to;
  bool ok = device && device->load(artefact.code(), artefact.plan.view(), kernels, error) &&
            from.allocate(device, in.bytes(), "inputs", error) &&
            to.allocate(device, out.bytes(), "results", error) &&
            device->copyToDevice(from.data(), in.data(), in.bytes(), error);
  if (ok) {
    const tiny_plan_launch &launch = artefact.plan->launches()[0];
    void *buffers[] = {from.data(), to.data()};
    ok = device->launch(kernels[0], artefact.plan->kernels()[0], launch.grid, buffers, 2, error) &&
         device->wait(error) && device->copyToHost(out.data(), to.data(), out.bytes(), error);
  }
  EXPECT_TRUE(ok) << error;
  return ok;
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
  if (variant.isGPU())
    options.target = variant.cpu;
  else
    options.cpu = variant.cpu;
  options.input = mlir::tiny::Stage::tiled;
  auto artefact = compileProgram(elementwiseProgram(op, inType, outType, padded, variant), options);
  if (!artefact) {
    ADD_FAILURE() << "cannot compile " << op;
    return {};
  }
  // Kernels may rely on the alignment of every buffer.
  tinyrt::Tensor in({tinyrt::ElementType::i8, {int64_t(padded * sizeof(In))}});
  tinyrt::Tensor out({tinyrt::ElementType::i8, {int64_t(padded * sizeof(Out))}});
  std::memcpy(in.data(), inputs.data(), in.bytes());
  void *buffers[] = {in.data(), out.data()};
  if (!variant.isGPU())
    artefact->kernels[0](buffers, 0, 0, 0);
  else if (!runOnSimulator(*artefact, in, out))
    return {};
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
