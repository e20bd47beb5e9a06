//===- ObjectCache.h - code of earlier runs ---------------------*- C++ -*-===//
//
// What was compiled once need not be again: not in the next run, and not in another
// program that is scheduled to the same kernels and launches (other weights, say).
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_COMPILER_OBJECTCACHE_H
#define TINY_LIB_COMPILER_OBJECTCACHE_H

#include "Tiny/Compiler/DiskCache.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SmallVector.h"

#include <array>
#include <string>

namespace mlir::tiny {

/// What the stages behind Schedule make of a program.
struct CompiledLaunches {
  std::vector<std::array<int64_t, 3>> grids; ///< of each launch
  SmallVector<SmallVector<char, 0>> objects; ///< one for each part
  std::vector<std::string> bf16Kernels;      ///< those with products in bf16
};

class ObjectCache {
public:
  /// The code of the scheduled program `entry` in `folder`, which is made if need be. `compilation`
  /// is all that decides about the code besides the program: passes with their options, the CPU.
  /// What kernels do, which buffers overlap and which compiler this is belongs to the key too;
  /// names of files and the contents of weights do not.
  ObjectCache(StringRef folder, func::FuncOp entry, StringRef compilation);

  /// False if there is nothing. A damaged entry is nothing, with a warning.
  bool load(CompiledLaunches &code) const;
  /// A cache that cannot be written to is a warning.
  void store(const CompiledLaunches &code) const;

private:
  Location loc; ///< of the program, which is gone when its code is there
  size_t launches;
  std::string folder;
  CacheEntry entry; ///< without a name if this program has no key
};

} // namespace mlir::tiny

#endif // TINY_LIB_COMPILER_OBJECTCACHE_H
