//===- DiskCache.cpp - files under the hash of what they depend on --------===//
//
// A file is written under another name and renamed, so whoever reads it at the same
// time sees all of it or nothing, and it ends with a checksum, because disks fill up
// and machines stop.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Compiler/DiskCache.h"

#include "Tiny/Runtime/TensorFile.h"

#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"

#include <cstring>
#include <dlfcn.h>

using namespace mlir::tiny;
using llvm::StringRef;

/// The file that the code at `address` is in, by its size and date.
static std::string libraryOf(const void *address) {
  Dl_info info;
  llvm::sys::fs::file_status status;
  if (!dladdr(address, &info) || llvm::sys::fs::status(info.dli_fname, status))
    return "";
  return llvm::formatv("{0} {1} {2}\n", info.dli_fname, status.getSize(),
                       status.getLastModificationTime().time_since_epoch().count());
}

/// This program and its LLVM, so that a compiler which was changed never gets what the one before
/// has left; empty if it cannot be told.
static const std::string &compilerIdentity() {
  static const std::string identity = []() -> std::string {
    auto self = llvm::MemoryBuffer::getFile("/proc/self/exe");
    if (!self)
      return "";
    llvm::XXH128_hash_t hash =
        llvm::xxh3_128bits(llvm::arrayRefFromStringRef((*self)->getBuffer()));
    return llvm::formatv("{0} {1:x-} {2:x-}\n", LLVM_VERSION_STRING, hash.high64, hash.low64)
               .str() +
           libraryOf(reinterpret_cast<const void *>(&llvm::sys::path::get_separator)) +
           libraryOf(reinterpret_cast<const void *>(&mlir::registerPass));
  }();
  return identity;
}

CacheKey::CacheKey() { *this << compilerIdentity(); }

std::string CacheKey::name() {
  if (compilerIdentity().empty())
    return "";
  return llvm::toHex(sha1(), /*LowerCase=*/true);
}

CacheEntry::CacheEntry(StringRef folder, StringRef name) : folder(folder) {
  if (name.empty())
    return;
  llvm::SmallString<128> file(folder);
  llvm::sys::path::append(file, name);
  path = file.str().str();
}

static constexpr size_t kSumBytes = sizeof(uint64_t);

static std::string sumOf(StringRef bytes) {
  uint64_t sum = llvm::xxh3_64bits(bytes);
  return std::string(reinterpret_cast<const char *>(&sum), kSumBytes);
}

CacheEntry::State CacheEntry::load(std::string &bytes) const {
  if (path.empty())
    return State::absent;
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return State::absent;
  StringRef text = (*file)->getBuffer();
  StringRef sum = text.take_back(kSumBytes);
  text = text.drop_back(sum.size());
  if (sum != sumOf(text))
    return State::damaged;
  bytes = text.str();
  return State::whole;
}

bool CacheEntry::store(std::string bytes, std::string &error) const {
  if (path.empty())
    return true;
  if (std::error_code failed = llvm::sys::fs::create_directories(folder)) {
    error = "cannot make '" + folder + "': " + failed.message();
    return false;
  }
  bytes += sumOf(bytes);
  return tinyrt::writeFile(path, bytes, error);
}
