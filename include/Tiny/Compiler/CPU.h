//===- CPU.h - a CPU as Tiny and as LLVM see it -----------------*- C++ -*-===//

#ifndef TINY_COMPILER_CPU_H
#define TINY_COMPILER_CPU_H

#include "Tiny/Target.h"

#include "llvm/Support/Error.h"
#include "llvm/TargetParser/Triple.h"

#include <memory>
#include <string>

namespace llvm {
class TargetMachine;
}

namespace mlir::tiny {

/// A CPU to compile for.
struct CPU {
  llvm::Triple triple;
  std::string name;     ///< as LLVM knows it: it chooses the scheduling model
  std::string features; ///< as in "+avx2,-avx512f"; empty for what the name implies
  Target facts;         ///< its `name` is static
};

/// The CPU `name`: "host", or any that LLVM knows: of this machine's architecture ("x86-64-v3",
/// "sapphirerapids", "znver4"), or else of the other one that Tiny has ("aarch64", which is any of
/// them, "neoverse-n1", "apple-m1"). An unknown name is an error that says what to use instead.
llvm::Expected<CPU> describeCPU(llvm::StringRef name);

/// Why code for `cpu` cannot run on this machine: the features it lacks, or empty if it can.
std::string missingOnHost(const CPU &cpu);

/// Why code for `cpu` cannot multiply in bf16, and what to do; empty if it can.
std::string whyNoBF16Products(const CPU &cpu);

/// Position independent, so that the object can be linked anywhere; no contraction of mul and add.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const CPU &cpu);

} // namespace mlir::tiny

#endif // TINY_COMPILER_CPU_H
