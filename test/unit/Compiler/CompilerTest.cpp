//===- CompilerTest.cpp - programs from a module to results ---------------===//

#include "KernelRunner.h"

#include "Tiny/Runtime/Session.h"

#include "llvm/Object/ObjectFile.h"

using namespace tinytest;
using namespace mlir;
using namespace mlir::tiny;

namespace {

/// What `run` reports as errors, joined.
template <typename Run> std::string errorsOf(Run run) {
  std::string text;
  ScopedDiagnosticHandler handler(&context(), [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      text += diagnostic.str() + "\n";
    return success();
  });
  run();
  return text;
}

std::string compileErrors(const std::string &source, const CompileOptions &options) {
  return errorsOf([&] { EXPECT_EQ(compileProgram(source, options), nullptr); });
}

CompileOptions tiledOptions() {
  CompileOptions options;
  options.input = Stage::tiled;
  return options;
}

/// y = (x + 1) + 1, by two launches of one kernel over a grid of 4, with a constant and a check.
constexpr const char *kTwoSteps = R"(
  func.func @main(%x: tensor<16xf32> {tiny.name = "x"}) -> (tensor<16xf32> {tiny.name = "y"})
      attributes {tiny.workspace_bytes = 64 : i64, tiny.constants_bytes = 128 : i64} {
    %one = tiny.constant {slot = #tiny.slot<constants[0], offset = 0, bytes = 64>}
        dense<1.0> : tensor<16xf32>
    %three = tiny.constant {slot = #tiny.slot<constants[0], offset = 64, bytes = 64>}
        dense<3.0> : tensor<16xf32>
    %0 = tiny.launch @add(%x, %one) {grid = array<i64: 2, 1, 2>,
        result_slots = [#tiny.slot<workspace[0], offset = 0, bytes = 64>]}
        : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
    %1 = tiny.launch @add(%0, %one) {grid = array<i64: 2, 1, 2>,
        result_slots = [#tiny.slot<result[0], offset = 0, bytes = 64>]}
        : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
    tiny.expect_eq %1, %three : tensor<16xf32>
    return %1 : tensor<16xf32>
  }
  func.func private @add(%a: memref<16xf32>, %b: memref<16xf32>, %out: memref<16xf32>, %x: index,
                         %y: index, %z: index) attributes {tiny.kernel} {
    %i = affine.apply affine_map<(x, z) -> (x * 8 + z * 4)>(%x, %z)
    %u = vector.load %a[%i] : memref<16xf32>, vector<4xf32>
    %v = vector.load %b[%i] : memref<16xf32>, vector<4xf32>
    %w = arith.addf %u, %v : vector<4xf32>
    vector.store %w, %out[%i] : memref<16xf32>, vector<4xf32>
    return
  })";

TEST(Compiler, RunsPlan) {
  auto artefact = compileProgram(kTwoSteps, tiledOptions());
  ASSERT_NE(artefact, nullptr);
  EXPECT_EQ(artefact->plan->kernels().size(), 1u);
  EXPECT_EQ(artefact->plan->launches().size(), 2u);
  EXPECT_EQ(artefact->plan->text(artefact->plan->inputs()[0].name), "x");
  EXPECT_EQ(artefact->plan->text(artefact->plan->outputs()[0].name), "y");
  EXPECT_EQ(artefact->code().find("subtract"), nullptr);

  std::string error;
  auto program = tinyrt::Program::create(tinyrt::createCpuDevice(2), artefact->plan,
                                         artefact->code(), artefact->constants.data(), error);
  ASSERT_NE(program, nullptr) << error;
  auto session = tinyrt::Session::create(program, {}, error);
  ASSERT_NE(session, nullptr) << error;
  for (float start : {1.0f, 2.0f}) {
    tinyrt::Tensor x({tinyrt::ElementType::f32, {16}});
    std::fill_n(x.as<float>(), 16, start);
    std::vector<tinyrt::Tensor> outputs;
    ASSERT_TRUE(session->run({x}, outputs, error)) << error;
    for (int i = 0; i < 16; ++i)
      EXPECT_EQ(outputs[0].as<float>()[i], start + 2);
    std::vector<std::string> failures;
    ASSERT_TRUE(session->check(failures, error)) << error;
    EXPECT_EQ(failures.size(), start == 1.0f ? 0u : 1u);
  }
}

TEST(Compiler, PacksEveryKindOfConstant) {
  const char *source = R"(
    func.func @main() attributes {tiny.constants_bytes = 320 : i64} {
      %0 = tiny.constant {slot = #tiny.slot<constants[0], offset = 0, bytes = 3>}
          dense<[true, false, true]> : tensor<3xi1>
      %1 = tiny.constant {slot = #tiny.slot<constants[0], offset = 64, bytes = 3>}
          dense<true> : tensor<3xi1>
      %2 = tiny.constant {slot = #tiny.slot<constants[0], offset = 128, bytes = 4>}
          dense<258> : tensor<2xui16>
      %3 = tiny.constant {slot = #tiny.slot<constants[0], offset = 192, bytes = 8>}
          dense_resource<two> : tensor<2xf32>
      %4 = tiny.constant {slot = #tiny.slot<constants[0], offset = 256, bytes = 4>}
          dense<[1.0, -2.0]> : tensor<2xbf16>
      return
    }
    {-# dialect_resources: { builtin: { two: "0x040000000000803f00000040" } } #-})";
  auto artefact = compileProgram(source, tiledOptions());
  ASSERT_NE(artefact, nullptr);
  ASSERT_EQ(artefact->constants.bytes(), 320u);
  const uint8_t *bytes = artefact->constants.as<uint8_t>();
  auto at = [&](size_t offset, std::vector<uint8_t> expected) {
    EXPECT_EQ(std::vector<uint8_t>(bytes + offset, bytes + offset + expected.size()), expected);
  };
  at(0, {1, 0, 1, 0});
  at(64, {1, 1, 1, 0});
  at(128, {2, 1, 2, 1, 0});
  at(192, {0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0});
  at(256, {0x80, 0x3f, 0x00, 0xc0, 0});
}

TEST(Compiler, RefusesTooMuchMemory) {
  CompileOptions options = tiledOptions();
  options.maxMemory = 64 + 64 + 64 + 128 - 1;
  EXPECT_NE(compileErrors(kTwoSteps, options).find("needs 320 bytes"), std::string::npos);
  options.maxMemory = 320;
  EXPECT_NE(compileProgram(kTwoSteps, options), nullptr);
}

TEST(Compiler, SaysWhatIsWrong) {
  CompileOptions options = tiledOptions();
  options.cpu = "pentium9";
  EXPECT_NE(compileErrors(kTwoSteps, options).find("unknown CPU 'pentium9'"), std::string::npos);
  options = tiledOptions();
  options.target = "abacus";
  EXPECT_NE(compileErrors(kTwoSteps, options).find("unknown target 'abacus'"), std::string::npos);
  options = tiledOptions();
  options.entry = "start";
  EXPECT_NE(compileErrors(kTwoSteps, options).find("there is no function 'start'"),
            std::string::npos);
}

/// Every expansion, for CPUs that this machine may not be: LLVM has crashed on some of these
/// conversions, and an object with a call of an unknown helper is refused.
TEST(Compiler, EmitsForOtherCPUs) {
  struct Case {
    const char *op, *in, *out;
  };
  const Case cases[] = {
      {"%r = arith.extf %x : {0} to {1}", "f16", "f32"},
      {"%r = arith.extf %x : {0} to {1}", "f16", "f64"},
      {"%r = arith.extf %x : {0} to {1}", "bf16", "f64"},
      {"%r = arith.truncf %x : {0} to {1}", "f32", "f16"},
      {"%r = arith.truncf %x : {0} to {1}", "f64", "f16"},
      {"%r = arith.truncf %x : {0} to {1}", "f64", "bf16"},
      {"%r = arith.truncf %x : {0} to {1}", "f32", "bf16"},
      {"%r = arith.uitofp %x : {0} to {1}", "i64", "f64"},
      {"%r = arith.uitofp %x : {0} to {1}", "i64", "f32"},
      {"%r = arith.uitofp %x : {0} to {1}", "i64", "f16"},
      {"%r = arith.sitofp %x : {0} to {1}", "i64", "bf16"},
      {"%r = arith.uitofp %x : {0} to {1}", "i32", "f32"},
      {"%r = arith.fptoui %x : {0} to {1}", "f64", "i64"},
      {"%r = arith.fptoui %x : {0} to {1}", "f32", "i64"},
      {"%r = arith.fptosi %x : {0} to {1}", "f32", "i8"},
      {"%r = math.exp2 %x : {0}", "f32", "f32"},
      {"%r = math.log2 %x : {0}", "f32", "f32"},
      {"%r = math.sin %x : {0}", "f32", "f32"},
      {"%r = math.sin %x : {0}", "f64", "f64"},
      {"%r = math.sqrt %x : {0}", "f64", "f64"},
      {"%r = math.fma %x, %x, %x : {0}", "f32", "f32"},
      {"%r = arith.maximumf %x, %x : {0}", "f64", "f64"},
      {"%r = arith.bitcast %x : {0} to {1}", "f16", "bf16"},
  };
  for (const char *cpu : {"x86-64", "x86-64-v2", "x86-64-v4", "sapphirerapids", "znver4", "aarch64",
                          "neoverse-n1", "neoverse-v2", "gfx1100", "gfx1102"})
    for (unsigned width : {1u, 16u})
      for (const Case &test : cases) {
        auto module = parseSourceString<ModuleOp>(
            elementwiseProgram(test.op, test.in, test.out, 64, {cpu, width}), &context());
        ASSERT_TRUE(module);
        CompileOptions options = tiledOptions();
        (findGPU(cpu) ? options.target : options.cpu) = cpu;
        std::string object;
        llvm::raw_string_ostream os(object);
        EXPECT_TRUE(succeeded(emit(*module, options, EmitKind::object, os)))
            << cpu << ": " << test.op << " " << test.in << " by " << width;
      }
}

TEST(Compiler, EmitsEveryKind) {
  auto emitted = [](EmitKind kind) {
    auto module = parseSourceString<ModuleOp>(kTwoSteps, &context());
    std::string text;
    llvm::raw_string_ostream os(text);
    EXPECT_TRUE(succeeded(emit(*module, tiledOptions(), kind, os)));
    return text;
  };
  EXPECT_NE(emitted(EmitKind::mlir).find("tiny.launch @add"), std::string::npos);
  EXPECT_NE(emitted(EmitKind::llvm).find("define void @add("), std::string::npos);
  EXPECT_NE(emitted(EmitKind::assembly).find("add:"), std::string::npos);
  std::string object = emitted(EmitKind::object);
  auto file = llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(object, "object"));
  ASSERT_TRUE(bool(file));
  bool hasKernel = false;
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols())
    hasKernel |= llvm::cantFail(symbol.getName()) == "add";
  EXPECT_TRUE(hasKernel);
}

/// All stages: a matrix product, as movement, mul and reduce, and what follows it.
TEST(Compiler, CompilesProgram) {
  const char *source = R"(
    func.func @main(%a: tensor<5x7xf32>, %b: tensor<7x9xf32>) -> tensor<5x9xf32> {
      %0 = tiny.reshape %a : tensor<5x7xf32> to tensor<5x7x1xf32>
      %1 = tiny.expand %0 : tensor<5x7x1xf32> to tensor<5x7x9xf32>
      %2 = tiny.reshape %b : tensor<7x9xf32> to tensor<1x7x9xf32>
      %3 = tiny.expand %2 : tensor<1x7x9xf32> to tensor<5x7x9xf32>
      %4 = tiny.mul %1, %3 : tensor<5x7x9xf32>
      %5 = tiny.reduce add %4 dims [1] : tensor<5x7x9xf32> -> tensor<5x9xf32>
      %6 = tiny.add %5, %5 : tensor<5x9xf32>
      return %6 : tensor<5x9xf32>
    })";
  auto artefact = compileProgram(source, {});
  ASSERT_NE(artefact, nullptr);
  EXPECT_EQ(artefact->plan->launches().size(), 1u);
  std::vector<std::string> phases;
  for (const Phase &phase : artefact->phases)
    phases.push_back(phase.name);
  EXPECT_EQ(phases, (std::vector<std::string>{"schedule", "count", "tile", "plan", "lower", "llvm",
                                              "link"}));

  std::string error;
  auto program = tinyrt::Program::create(tinyrt::createCpuDevice(1), artefact->plan,
                                         artefact->code(), artefact->constants.data(), error);
  ASSERT_NE(program, nullptr) << error;
  auto session = tinyrt::Session::create(program, {}, error);
  ASSERT_NE(session, nullptr) << error;
  tinyrt::Tensor a({tinyrt::ElementType::f32, {5, 7}}), b({tinyrt::ElementType::f32, {7, 9}});
  for (int i = 0; i < 35; ++i)
    a.as<float>()[i] = float(i % 11 - 5); // small integers: every sum is exact
  for (int i = 0; i < 63; ++i)
    b.as<float>()[i] = float(i % 13 - 6);
  std::vector<tinyrt::Tensor> outputs;
  ASSERT_TRUE(session->run({a, b}, outputs, error)) << error;
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 9; ++j) {
      float sum = 0;
      for (int k = 0; k < 7; ++k)
        sum += a.as<float>()[i * 7 + k] * b.as<float>()[k * 9 + j];
      EXPECT_EQ(outputs[0].as<float>()[i * 9 + j], 2 * sum) << i << ", " << j;
    }
}

} // namespace
