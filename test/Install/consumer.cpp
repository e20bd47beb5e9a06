//===- consumer.cpp - the smallest user of an installed Tiny --------------===//
//
// Parses a tiny op and walks over it: needs the installed headers, the generated
// ones, the static library and MLIR's shared one.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/TinyDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"

int main() {
  mlir::MLIRContext context;
  context.loadDialect<mlir::tiny::TinyDialect, mlir::func::FuncDialect>();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      R"(func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
           %0 = tiny.sqrt %x : tensor<2xf32>
           return %0 : tensor<2xf32>
         })",
      &context);
  if (!module)
    return 1;
  int found = 0;
  module->walk([&](mlir::tiny::SqrtOp) { ++found; });
  return found == 1 ? 0 : 1;
}
