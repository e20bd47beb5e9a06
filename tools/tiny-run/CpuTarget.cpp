//===- CpuTarget.cpp - compile and run on this processor ------------------===//
//
// What the compiler makes, driven by the Runtime.
//
//===----------------------------------------------------------------------===//

#include "Target.h"

#include "Tiny/Compiler/CPU.h"
#include "Tiny/Compiler/Compiler.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace tinyrun;

mlir::tiny::CompileOptions tinyrun::compileOptions(const Options &options) {
  mlir::tiny::CompileOptions result;
  result.target = options.target;
  result.cpu = options.cpu;
  result.entry = options.entry;
  result.maxMemory = memoryLimit(options);
  result.maxFlops = options.maxFlops;
  result.maxLaunches = options.maxLaunches;
  return result;
}

/// The row of Target.h that stands for `cpu`: that of its name, else one with vectors as long.
static const mlir::tiny::Target &peaksOf(const std::string &cpu) {
  if (const mlir::tiny::Target *row = mlir::tiny::findTarget(cpu))
    return *row;
  auto described = mlir::tiny::describeCPU(cpu);
  const mlir::tiny::Target *best = mlir::tiny::findTarget("x86-64");
  if (!described) { // compiling for it has failed before
    llvm::consumeError(described.takeError());
    return *best;
  }
  for (const mlir::tiny::Target &row : mlir::tiny::kTargets)
    if (row.kind == mlir::tiny::TargetKind::cpu && row.arch == described->facts.arch &&
        row.vectorBits <= described->facts.vectorBits)
      best = &row;
  return *best;
}

namespace {
class CpuTarget : public Target {
public:
  bool prepare(Model &model, const Options &options, std::string &error) override {
    this->options = &options;
    {
      Progress progress("compiling");
      FailureOr<std::unique_ptr<mlir::tiny::Artefact>> compiled =
          mlir::tiny::compile(*model.module, compileOptions(options));
      if (failed(compiled))
        return false;
      artefact = std::move(*compiled);
    }
    std::shared_ptr<tinyrt::Device> device = tinyrt::createCpuDevice(options.threads);
    program = tinyrt::Program::create(device, artefact->plan, artefact->code(),
                                      artefact->constants.data(), error);
    if (!program)
      return false;
    session = tinyrt::Session::create(program, {options.poison, false}, error);
    return session != nullptr;
  }

  double compileSeconds() const override {
    double seconds = 0;
    for (const mlir::tiny::Phase &phase : artefact->phases)
      seconds += phase.seconds;
    return seconds;
  }

  bool run(const std::vector<tinyrt::Tensor> &inputs, std::vector<tinyrt::Tensor> &outputs,
           std::string &error) override {
    return session->run(inputs, outputs, error);
  }

  bool check(std::vector<std::string> &failures, std::string &error) override {
    return session->check(failures, error) && failures.empty();
  }

  bool profile(const std::vector<tinyrt::Tensor> &inputs, unsigned runs, std::string &table,
               std::string &error) override {
    auto profiling = tinyrt::Session::create(program, {false, true}, error);
    std::vector<tinyrt::Tensor> outputs;
    // The first run pays for what is not in the caches yet.
    if (!profiling || !profiling->run(inputs, outputs, error))
      return false;
    profiling->resetTimes();
    for (unsigned i = 0; i < runs; ++i)
      if (!profiling->run(inputs, outputs, error))
        return false;
    table = profileTable(program->plan(), profiling->times());
    return true;
  }

  std::string report(Report format) const override {
    std::vector<CompilerPhase> phases;
    for (const mlir::tiny::Phase &phase : artefact->phases)
      phases.push_back({phase.name, phase.seconds});
    const mlir::tiny::Target &row = peaksOf(options->cpu);
    return format == Report::json ? reportJson(program->plan(), *artefact->cost, row, phases)
                                  : reportText(program->plan(), *artefact->cost, row, phases);
  }

private:
  const Options *options = nullptr;
  std::unique_ptr<mlir::tiny::Artefact> artefact; // outlives the program
  std::shared_ptr<const tinyrt::Program> program;
  std::unique_ptr<tinyrt::Session> session;
};
} // namespace

std::unique_ptr<Target> tinyrun::createCpuTarget() { return std::make_unique<CpuTarget>(); }

bool tinyrun::emitCode(Model &model, const Options &options, std::string &bytes,
                       std::string &error) {
  using mlir::tiny::EmitKind;
  EmitKind kind = llvm::StringSwitch<EmitKind>(options.emit)
                      .Case("mlir", EmitKind::mlir)
                      .Case("llvm", EmitKind::llvm)
                      .Default(EmitKind::assembly);
  Progress progress("compiling");
  llvm::raw_string_ostream os(bytes);
  return succeeded(mlir::tiny::emit(*model.module, compileOptions(options), kind, os));
}
