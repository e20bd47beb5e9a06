//===- Passes.h - passes of the Schedule stage ------------------*- C++ -*-===//

#ifndef TINY_SCHEDULE_PASSES_H
#define TINY_SCHEDULE_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::tiny {

#define GEN_PASS_DECL
#include "Tiny/Schedule/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "Tiny/Schedule/Passes.h.inc"

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_PASSES_H
