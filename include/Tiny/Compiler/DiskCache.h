//===- DiskCache.h - what one run of the compiler leaves to the next ------===//
//
// A folder of files, each named after the hash of all that it depends on, the compiler
// included. So nothing in it is ever out of date, deleting any of it is always right,
// and several processes may use it at once.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_COMPILER_DISKCACHE_H
#define TINY_COMPILER_DISKCACHE_H

#include "llvm/Support/raw_sha1_ostream.h"

#include <string>

namespace mlir::tiny {

/// Takes the text of all that an entry depends on. This version of the compiler is there already.
class CacheKey : public llvm::raw_sha1_ostream {
public:
  CacheKey();
  /// Names the entry; empty if nobody can tell which version of the compiler this is.
  std::string name();
};

/// One file of the cache.
class CacheEntry {
public:
  /// The entry `name` in `folder`; without a name there never is one.
  CacheEntry(llvm::StringRef folder, llvm::StringRef name);

  enum class State { absent, damaged, whole };
  State load(std::string &bytes) const;
  /// Makes the folder if need be. False with the reason if it cannot be written.
  bool store(std::string bytes, std::string &error) const;

  bool hasName() const { return !path.empty(); }
  const std::string &where() const { return path; }

private:
  std::string folder, path;
};

} // namespace mlir::tiny

#endif // TINY_COMPILER_DISKCACHE_H
