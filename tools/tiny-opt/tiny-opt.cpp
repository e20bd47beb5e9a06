//===- tiny-opt.cpp - run passes and pipelines on MLIR files --------------===//
//
// Upstream's driver, with one check before it parses, and with an option that prints
// a report instead of the program. That one reads code objects of a GPU, too.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Compiler/CodeObject.h"
#include "Tiny/IR/Nesting.h"
#include "Tiny/InitAll.h"

#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
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

static llvm::cl::alias reportTargetAlias("target", llvm::cl::aliasopt(reportTarget),
                                         llvm::cl::desc("The same as --tiny-report-target"));

static int failWith(const llvm::Twine &message) {
  llvm::errs() << "tiny-opt: error: " << message << '\n';
  return EXIT_FAILURE;
}

/// --tiny-report of an ELF file.
static int reportCodeObject(llvm::StringRef bytes, llvm::ToolOutputFile &result) {
  auto statistics = mlir::tiny::readCodeObject(bytes);
  if (!statistics)
    return failWith(llvm::toString(statistics.takeError()));
  if (report == "json")
    result.os() << llvm::formatv("{0:2}\n",
                                 llvm::json::Value(mlir::tiny::statisticsToJson(*statistics)));
  else if (report.empty() || report == "text")
    mlir::tiny::printStatistics(result.os(), *statistics);
  else
    return failWith("unknown format '" + report + "'; give text or json");
  result.keep();
  return EXIT_SUCCESS;
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
  if (reports && file->getBuffer().starts_with("\x7f"
                                               "ELF"))
    return reportCodeObject(file->getBuffer(), *result);
  if (auto fault = mlir::tiny::checkNesting(file->getBuffer(), input))
    return failWith(*fault);
  if (reports)
    config.setPassPipelineSetupFn([passes = config, &result](mlir::PassManager &pm) mutable {
      if (failed(passes.setupPassPipeline(pm)))
        return mlir::failure();
      mlir::tiny::buildReportPipeline(pm, "main", report.empty() ? "text" : report.getValue(),
                                      reportTarget, result->os());
      return mlir::success();
    });
  if (failed(mlir::MlirOptMain(reports ? llvm::nulls() : result->os(), std::move(file), registry,
                               config)))
    return EXIT_FAILURE;
  result->keep(); // only what is whole
  return EXIT_SUCCESS;
}
