//===- tiny-opt.cpp - run passes and pipelines on MLIR files --------------===//

#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Schedule/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<mlir::tiny::TinyDialect>();
  mlir::registerAllPasses();
  mlir::tiny::registerTinySchedulePasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Tiny optimizer driver\n", registry));
}
