//===- Model.h - the program that tiny-run runs -----------------*- C++ -*-===//
//
// A model file of any kind becomes a module with an entry function, and the
// names and types of what goes in and comes out.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_RUN_MODEL_H
#define TINY_RUN_MODEL_H

#include "Options.h"

#include "Tiny/Runtime/Tensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace llvm {
class SourceMgr;
}

namespace tinyrun {

/// An argument or a result of the entry function.
struct Port {
  std::string name; // as the model calls it, else "arg0" or "result0"
  tinyrt::TensorType type;
  bool donated = false; // an argument that a run may write to
};

struct Model {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp entry;
  std::vector<Port> inputs, outputs;
  bool isOnnx = false;
  double seconds = 0; ///< That loading took.
};

/// Everything that a module of this tool may hold.
void registerDialects(mlir::DialectRegistry &registry);

/// Reads the model of `options`. On failure either a diagnostic was emitted or `error` is set.
/// `sources` gets the text, in which diagnostics then show a line.
bool loadModel(const Options &options, mlir::MLIRContext &context, llvm::SourceMgr &sources,
               Model &model, std::string &error);

/// Bytes that a run on the reference interpreter needs at least: arguments, results, constants, and
/// the largest sum. How much more it keeps at a time is its own affair.
uint64_t leastMemoryOfReference(const Model &model);

/// The bytes of arguments and results; UINT64_MAX if that is no number.
uint64_t bytesOf(const std::vector<Port> &ports);

} // namespace tinyrun

#endif // TINY_RUN_MODEL_H
