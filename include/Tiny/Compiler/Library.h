//===- Library.h - code for programs that do not know Tiny ------*- C++ -*-===//
//
// A compiled program as one function of C, ahead of time: an object, an archive or
// a shared library, and the header that goes with it. What is in them needs neither
// MLIR, LLVM nor Tiny's runtime (docs/Embedding.md).
//
//===----------------------------------------------------------------------===//

#ifndef TINY_COMPILER_LIBRARY_H
#define TINY_COMPILER_LIBRARY_H

#include "Tiny/Compiler/Compiler.h"

namespace mlir::tiny {

enum class LibraryKind { object, archive, shared };

struct LibraryOptions {
  LibraryKind kind = LibraryKind::object;
  /// What the symbols begin with, and the macros in capitals; an identifier of C.
  std::string name = "model";
  /// The constants are not in the code: the caller passes their address.
  bool separateWeights = false;
};

struct Library {
  /// The object, the archive or the shared library.
  std::string code;
  std::string header;
  /// The constants segment; to be written to a file if they are separate.
  tinyrt::Tensor weights;
};

/// Compiles `module` for options.cpu, which need not be this machine. Errors go to the diagnostics
/// of its context.
FailureOr<Library> emitLibrary(ModuleOp module, const CompileOptions &options,
                               const LibraryOptions &library);

} // namespace mlir::tiny

#endif // TINY_COMPILER_LIBRARY_H
