//===- CompiledTarget.cpp - compile, and run on a device ------------------===//
//
// What the compiler makes, driven by the Runtime, on whatever runs it.
//
//===----------------------------------------------------------------------===//

#include "Target.h"

#include "Tiny/Compiler/CPU.h"
#include "Tiny/Compiler/CodeObject.h"
#include "Tiny/Compiler/Compiler.h"
#include "Tiny/Compiler/GPU.h"
#include "Tiny/Compiler/Tune.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cstdio>

using namespace mlir;
using namespace tinyrun;

/// Where code is kept. Nobody asked for the default: where it cannot be made, there is none.
static std::string cacheFolder(const Options &options) {
  if (!options.cache.empty())
    return options.cache == "none" ? "" : options.cache;
  llvm::SmallString<128> folder;
  if (!llvm::sys::path::cache_directory(folder))
    return "";
  llvm::sys::path::append(folder, "tiny");
  bool isThere = !llvm::sys::fs::create_directories(folder) &&
                 !llvm::sys::fs::access(folder, llvm::sys::fs::AccessMode::Write);
  return isThere ? folder.str().str() : "";
}

mlir::tiny::CompileOptions tinyrun::compileOptions(const Model &model, const Options &options) {
  mlir::tiny::CompileOptions result;
  result.input = mlir::tiny::stageOf(model.entry);
  result.target = options.target;
  result.cpu = options.cpu;
  result.entry = options.entry;
  if (options.precision == "bf16")
    result.precision = mlir::tiny::Precision::bf16;
  // What is emitted depends on the command line only.
  if (options.emit.empty() || !options.cache.empty())
    result.cache = cacheFolder(options);
  result.maxMemory = memoryLimit(options);
  result.maxFlops = options.maxFlops;
  result.maxLaunches = options.maxLaunches;
  return result;
}

/// "tuned 3/12 conv_3 (2 launches): 1.20 ms -> 0.90 ms, 24 tilings measured", as each is done.
static void printTuned(const mlir::tiny::TunedKernel &kernel, size_t number, size_t count) {
  std::string line = "tuned " + std::to_string(number) + "/" + std::to_string(count) + " " +
                     kernel.name + " (" + std::to_string(kernel.launches) +
                     (kernel.launches == 1 ? " launch): " : " launches): ") +
                     milliseconds(kernel.before);
  line += kernel.after < kernel.before ? " -> " + milliseconds(kernel.after) : ", as it was";
  line += kernel.estimated ? ", estimated" : "";
  line += ", " + std::to_string(kernel.tried) + " tilings measured";
  if (kernel.unfit)
    line += ", " + std::to_string(kernel.unfit) + " do not fit";
  if (kernel.rejected)
    line += ", " + std::to_string(kernel.rejected) + " rejected for wrong results";
  std::fprintf(stderr, "%s\n", line.c_str());
}

static bool tuneKernels(const Model &model, const Options &options, std::string &error) {
  mlir::tiny::TuneOptions tuning;
  tuning.compile = compileOptions(model, options);
  tuning.threads = options.threads;
  tuning.seconds = *options.tuneSeconds;
  tuning.createDevice = [&](std::string &problem) { return createDevice(options, problem); };
  tuning.progress = printTuned;
  if (tuning.compile.input == mlir::tiny::Stage::tiled) {
    error = "--tune chooses tilings, and the kernels of this program are tiled";
    return false;
  }
  if (tuning.compile.cache.empty()) {
    error = "--tune needs a folder for what it finds, and there is no default one that can be "
            "written to; give --cache FOLDER";
    return false;
  }
  Progress progress("tuning");
  return succeeded(mlir::tiny::tune(*model.module, tuning));
}

/// The row of Target.h that stands for what is compiled for: a GPU, or the row of the CPU's name,
/// else one with vectors as long.
static const mlir::tiny::Target &peaksOf(const Options &options) {
  if (const mlir::tiny::Target *row = mlir::tiny::findGPU(options.target))
    return *row;
  if (const mlir::tiny::Target *row = mlir::tiny::findTarget(options.cpu))
    return *row;
  auto described = mlir::tiny::describeCPU(options.cpu);
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
class CompiledTarget : public Target {
public:
  explicit CompiledTarget(std::shared_ptr<tinyrt::Device> device) : device(std::move(device)) {}

  bool prepare(Model &model, const Options &options, std::string &error) override {
    this->options = &options;
    importSeconds = model.seconds;
    if (options.tuneSeconds && !tuneKernels(model, options, error))
      return false;
    {
      Progress progress("compiling");
      FailureOr<std::unique_ptr<mlir::tiny::Artefact>> compiled =
          mlir::tiny::compile(*model.module, compileOptions(model, options));
      if (failed(compiled))
        return false;
      artefact = std::move(*compiled);
    }
    if (options.report != Report::none && !artefact->cost) {
      error = "--report needs a program whose kernels are not tiled yet: what they cost is counted "
              "before that";
      return false;
    }
    if (options.report != Report::none && !artefact->image.empty()) {
      auto read = mlir::tiny::readCodeObject(artefact->image);
      if (!read) {
        error = llvm::toString(read.takeError());
        return false;
      }
      statistics = std::move(*read);
    }
    return !device || start(error);
  }

  double compileSeconds() const override {
    double seconds = 0;
    for (const mlir::tiny::Phase &phase : artefact->phases)
      seconds += phase.seconds;
    return seconds;
  }

  bool run(const std::vector<tinyrt::Tensor> &inputs, std::vector<tinyrt::Tensor> &outputs,
           std::string &error) override {
    return start(error) && session->run(inputs, outputs, error);
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
    table = profileTable(artefact->plan.view(), profiling->times());
    table += "\n" + phaseTable(phases());
    return true;
  }

  std::string report(Report format) const override {
    const mlir::tiny::Target &row = peaksOf(*options);
    const mlir::tiny::CodeObjectStatistics *code = statistics ? &*statistics : nullptr;
    return (format == Report::json ? reportJson : reportText)(*artefact, row, phases(), code);
  }

private:
  /// From the file to code, in order.
  std::vector<CompilerPhase> phases() const {
    std::vector<CompilerPhase> result = {{"import", importSeconds}};
    for (const mlir::tiny::Phase &phase : artefact->phases)
      result.push_back({phase.name, phase.seconds});
    return result;
  }
  /// Gets the program onto the device, once.
  bool start(std::string &error) {
    if (session)
      return true;
    if (!device && !(device = createDevice(*options, error)))
      return false;
    program = tinyrt::Program::create(device, artefact->plan, artefact->code(),
                                      artefact->constants.data(), error);
    if (program)
      session = tinyrt::Session::create(program, {options->poison, false}, error);
    return session != nullptr;
  }

  std::shared_ptr<tinyrt::Device> device;
  const Options *options = nullptr;
  double importSeconds = 0;
  std::unique_ptr<mlir::tiny::Artefact> artefact;             // outlives the program
  std::optional<mlir::tiny::CodeObjectStatistics> statistics; // of a GPU's code, for the report
  std::shared_ptr<const tinyrt::Program> program;
  std::unique_ptr<tinyrt::Session> session;
};
} // namespace

std::unique_ptr<Target> tinyrun::createCompiledTarget(std::shared_ptr<tinyrt::Device> device) {
  return std::make_unique<CompiledTarget>(std::move(device));
}

bool tinyrun::emitCode(Model &model, const Options &options, std::string &bytes,
                       std::string &error) {
  using mlir::tiny::EmitKind;
  EmitKind kind = llvm::StringSwitch<EmitKind>(options.emit)
                      .Case("mlir", EmitKind::mlir)
                      .Case("llvm", EmitKind::llvm)
                      .Case("obj", EmitKind::object)
                      .Case("hsaco", EmitKind::codeObject)
                      .Default(EmitKind::assembly);
  Progress progress("compiling");
  llvm::raw_string_ostream os(bytes);
  return succeeded(mlir::tiny::emit(*model.module, compileOptions(model, options), kind, os));
}
