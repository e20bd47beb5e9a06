//===- Dialects.cpp - what a module of tiny-run may hold ------------------===//
//
// A file of its own, because this header is the slowest to compile.
//
//===----------------------------------------------------------------------===//

#include "Model.h"

#include "Tiny/InitAll.h"

void tinyrun::registerDialects(mlir::DialectRegistry &registry) {
  mlir::tiny::registerAllTinyDialects(registry);
}
