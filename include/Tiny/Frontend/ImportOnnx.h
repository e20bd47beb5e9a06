//===- ImportOnnx.h - an ONNX model becomes a tiny program ------*- C++ -*-===//
//
// The program is one function of tiny ops on static shapes. The names that the
// model gives to its inputs and outputs stay on it as `tiny.name` attributes.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_FRONTEND_IMPORTONNX_H
#define TINY_FRONTEND_IMPORTONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBufferRef.h"

namespace mlir::tiny {

struct ImportOnnxOptions {
  /// Sizes of the dims that the model leaves open, by the name the model gives them (`batch`) or by
  /// their place (`input[0]`). A dim that is not named here becomes 1.
  llvm::StringMap<int64_t> dims;
  /// Inputs that always are this number (all elements of the tensor), and so no arguments of the
  /// program: a sample rate that chooses a branch, say.
  llvm::StringMap<std::string> fixed;
  /// Name of the function.
  std::string entry = "main";
  /// Round f16 and bf16 values after every node, as the types of the model say. Otherwise they stay
  /// in f32 from node to node and are rounded where they can be seen: at outputs, by Cast and when
  /// they are quantised. That is what ONNX Runtime does on CPUs, and twenty layers need it to agree
  /// with it to three digits.
  bool roundHalf = false;
};

/// Imports a serialised ModelProto. The buffer's identifier is taken for the model's path: it
/// appears in messages, and external weights are looked for beside it. Errors are reported through
/// the context's diagnostics; the result is null then.
OwningOpRef<ModuleOp> importOnnx(llvm::MemoryBufferRef model, const ImportOnnxOptions &options,
                                 MLIRContext *context);

/// The same for a file.
OwningOpRef<ModuleOp> importOnnxFile(llvm::StringRef path, const ImportOnnxOptions &options,
                                     MLIRContext *context);

} // namespace mlir::tiny

#endif // TINY_FRONTEND_IMPORTONNX_H
