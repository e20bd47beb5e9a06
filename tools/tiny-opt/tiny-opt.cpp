//===- tiny-opt.cpp - run passes and pipelines on MLIR files --------------===//
//
// Upstream's driver, with one check before it parses.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/Nesting.h"
#include "Tiny/InitAll.h"

#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

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
  if (auto fault = mlir::tiny::checkNesting(file->getBuffer(), input)) {
    llvm::errs() << "tiny-opt: error: " << *fault << '\n';
    return EXIT_FAILURE;
  }
  auto result = mlir::openOutputFile(output, &error);
  if (!result) {
    llvm::errs() << error << '\n';
    return EXIT_FAILURE;
  }
  if (failed(mlir::MlirOptMain(result->os(), std::move(file), registry, config)))
    return EXIT_FAILURE;
  result->keep(); // only what is whole
  return EXIT_SUCCESS;
}
