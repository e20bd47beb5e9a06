//===- tiny-opt.cpp - run passes and pipelines on MLIR files --------------===//

#include "Tiny/InitAll.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::tiny::registerAllTinyDialects(registry);
  mlir::tiny::registerAllTinyPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Tiny optimizer driver\n", registry));
}
