//===- Passes.h - passes of the Codegen stage -------------------*- C++ -*-===//

#ifndef TINY_CODEGEN_PASSES_H
#define TINY_CODEGEN_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::tiny {

#define GEN_PASS_DECL
#include "Tiny/Codegen/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "Tiny/Codegen/Passes.h.inc"

} // namespace mlir::tiny

#endif // TINY_CODEGEN_PASSES_H
