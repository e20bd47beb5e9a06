//===- SplitAddresses.h - addresses as a buffer access has them -*- C++ -*-===//

#ifndef TINY_LIB_COMPILER_SPLITADDRESSES_H
#define TINY_LIB_COMPILER_SPLITADDRESSES_H

#include "llvm/IR/PassManager.h"

namespace mlir::tiny {

/// Turns the accesses of an AMD GPU's kernel that are in loops, and whose addresses differ between
/// lanes, into buffer accesses: what all lanes share of the offset is in a scalar register then,
/// and what a lane adds has 32 bits.
struct SplitAddressesPass : llvm::PassInfoMixin<SplitAddressesPass> {
  llvm::PreservedAnalyses run(llvm::Function &function, llvm::FunctionAnalysisManager &analyses);
};

} // namespace mlir::tiny

#endif // TINY_LIB_COMPILER_SPLITADDRESSES_H
