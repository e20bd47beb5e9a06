//===- TilingCache.h - tilings that were found by measuring -----*- C++ -*-===//
//
// Tilings of kernels as the Schedule stage leaves them, in the folder where compiled
// code is kept. They are small, and took long to find: none is thrown away.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_COMPILER_TILINGCACHE_H
#define TINY_COMPILER_TILINGCACHE_H

#include "Tiny/Compiler/CPU.h"
#include "Tiny/Compiler/DiskCache.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tiny {

class TilingCache {
public:
  /// Choices for products in bf16 are others.
  TilingCache(llvm::StringRef folder, const CPU &cpu, bool bf16Products = false);
  TilingCache(llvm::StringRef folder, const Target &gpu);

  /// The tilings of `kernel`, or null. A damaged entry is none, with a warning. Names and places do
  /// not matter for a kernel.
  ArrayAttr load(func::FuncOp kernel) const;
  /// False with the reason if they cannot be written.
  bool store(func::FuncOp kernel, ArrayAttr tilings, std::string &error) const;
  /// False with the reason if nothing can be written: known before an hour of tuning is lost.
  bool canStore(std::string &error) const;

private:
  CacheEntry entryOf(func::FuncOp kernel) const;

  std::string folder, target;
};

} // namespace mlir::tiny

#endif // TINY_COMPILER_TILINGCACHE_H
