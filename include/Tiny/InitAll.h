//===- InitAll.h - the only registration list -------------------*- C++ -*-===//
//
// Every tool registers the same things by calling these two.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_INITALL_H
#define TINY_INITALL_H

#include "Tiny/Codegen/Passes.h"
#include "Tiny/Compiler/Compiler.h"
#include "Tiny/Compiler/Pipelines.h"
#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Schedule/Passes.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"

namespace mlir::tiny {

/// Tiny's and upstream's dialects, with their external interfaces and translations.
inline void registerAllTinyDialects(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registry.insert<TinyDialect>();
  registerCompilerExtensions(registry);
}

/// Tiny's and upstream's passes and pipelines.
inline void registerAllTinyPasses() {
  registerAllPasses();
  registerTinySchedulePasses();
  registerTinyTilePasses();
  registerTinyCodegenPasses();
  registerTinyPipelines();
}

} // namespace mlir::tiny

#endif // TINY_INITALL_H
