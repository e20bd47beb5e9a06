//===- tiny-lsp-server.cpp - language server for editors ------------------===//

#include "Tiny/InitAll.h"

#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::tiny::registerAllTinyDialects(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
