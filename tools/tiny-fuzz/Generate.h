//===- Generate.h - random tiny programs and inputs -------------*- C++ -*-===//

#ifndef TINY_FUZZ_GENERATE_H
#define TINY_FUZZ_GENERATE_H

#include "Tiny/Runtime/Tensor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <vector>

namespace tinyfuzz {

struct GenerateOptions {
  int64_t maxOps = 40;
  int64_t maxElements = 8192; // of any value in the program
  bool scaledSums = false;    // many sums of products with constants, with a factor behind them
  bool selections = false;    // many updates at places from data, and many cumulative reductions
};

/// A valid program with one function, @main. Every value in it reaches a result.
mlir::OwningOpRef<mlir::ModuleOp> generateProgram(mlir::MLIRContext *context, uint64_t seed,
                                                  const GenerateOptions &options);

/// Values for the arguments: tame ones mostly, special ones now and then.
std::vector<tinyrt::Tensor> generateInputs(mlir::func::FuncOp function, uint64_t seed);

} // namespace tinyfuzz

#endif // TINY_FUZZ_GENERATE_H
