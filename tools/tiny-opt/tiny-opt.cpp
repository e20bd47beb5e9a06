//===- tiny-opt.cpp - run passes and pipelines on MLIR files --------------===//
//
// Upstream's driver, with one check before it parses, and with an option that prints
// a report instead of the program. That one reads code objects of a GPU, too.
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "Tiny/Compiler/GPU.h"
#include "Tiny/IR/Nesting.h"
#include "Tiny/InitAll.h"

#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

static llvm::cl::opt<std::string>
    report("tiny-report", llvm::cl::ValueOptional, llvm::cl::value_desc("text|json"),
           llvm::cl::desc("Print what the program costs instead of the program, which is scheduled "
                          "for that if it is not yet; or what is in a code object for a GPU"));
static llvm::cl::opt<std::string>
    reportTarget("tiny-report-target", llvm::cl::value_desc("name"), llvm::cl::init("x86-64-v3"),
                 llvm::cl::desc("The row of Target.h whose peaks give the times of the report"));

static llvm::cl::opt<std::string>
    codeTarget("target", llvm::cl::value_desc("name"),
               llvm::cl::desc("Names the row of the report, too; a GPU (rdna3, gfx1100, …) is "
                              "compiled for, and its code is part of the report"));

static int failWith(const llvm::Twine &message) {
  llvm::errs() << "tiny-opt: error: " << message << '\n';
  return EXIT_FAILURE;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  mlir::DialectRegistry registry;
  mlir::tiny::registerAllTinyDialects(registry);
  mlir::tiny::registerAllTinyPasses();
  auto [input, output] =
      mlir::registerAndParseCLIOptions(argc, argv, "Tiny optimizer driver\n", registry);
  auto config = mlir::MlirOptMainConfig::createFromCLOptions();
  if (config.shouldShowDialects() || config.shouldListPasses())
    return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, input, output, registry));

  std::string error;
  auto file = mlir::openInputFile(input, &error);
  if (!file) {
    llvm::errs() << error << '\n';
    return EXIT_FAILURE;
  }
  auto result = mlir::openOutputFile(output, &error);
  if (!result) {
    llvm::errs() << error << '\n';
    return EXIT_FAILURE;
  }
  bool reports = report.getNumOccurrences() > 0;
  tinyopt::ReportOptions options{report.empty() ? "text" : report.getValue(),
                                 codeTarget.empty() ? reportTarget : codeTarget};
  if (reports && file->getBuffer().starts_with(llvm::StringRef("\177ELF"))) {
    if (!tinyopt::reportCodeObject(file->getBuffer(), options, result->os(), error))
      return failWith(error);
    result->keep();
    return EXIT_SUCCESS;
  }
  if (llvm::StringRef(input).ends_with(".onnx"))
    return failWith(
        "tiny-opt takes MLIR: tiny-translate --import-onnx makes that of a model, and tiny-run "
        "--report reports on one");
  if (reports && options.format != "text" && options.format != "json")
    return failWith("unknown format '" + options.format + "'; give text or json");
  if (auto fault = mlir::tiny::checkNesting(file->getBuffer(), input))
    return failWith(*fault);
  // The code of a GPU is part of the report on it; the program is then what is compiled.
  const mlir::tiny::Target *gpu = reports ? mlir::tiny::findGPU(codeTarget) : nullptr;
  if (gpu)
    options.target = gpu->name;
  if (reports && !mlir::tiny::findTarget(options.target)) {
    std::string known;
    for (const mlir::tiny::Target &row : mlir::tiny::kTargets)
      known += " " + std::string(row.name);
    return failWith("unknown target '" + options.target + "'; the report knows" + known);
  }
  if (!reports && !codeTarget.empty())
    return failWith("--target is for --tiny-report; pipelines take their target as an option");
  std::string cost, program;
  llvm::raw_string_ostream costStream(cost), programStream(program);
  if (reports)
    config.setPassPipelineSetupFn([&, passes = config](mlir::PassManager &pm) mutable {
      if (failed(passes.setupPassPipeline(pm)))
        return mlir::failure();
      mlir::tiny::buildReportPipeline(pm, "main", options.format, options.target, costStream);
      return mlir::success();
    });
  config.emitBytecode(config.shouldEmitBytecode() || gpu);
  llvm::raw_ostream &to = gpu       ? static_cast<llvm::raw_ostream &>(programStream)
                          : reports ? llvm::nulls()
                                    : result->os();
  if (failed(mlir::MlirOptMain(to, std::move(file), registry, config)))
    return EXIT_FAILURE;
  if (!gpu)
    result->os() << cost;
  else if (!tinyopt::reportWithCode(program, cost, registry, options, result->os(), error))
    return error.empty() ? EXIT_FAILURE : failWith(error);
  result->keep(); // only what is whole
  return EXIT_SUCCESS;
}
