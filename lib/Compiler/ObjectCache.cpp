//===- ObjectCache.cpp - code of earlier runs -----------------------------===//
//
// One file per program, named after the key. It is written under another name and
// renamed, so whoever reads it at the same time sees all of it or nothing, and it ends
// with a checksum, because disks fill up and machines stop. What nobody has used for a
// month goes, and so does the oldest if there is too much.
//
//===----------------------------------------------------------------------===//

#include "ObjectCache.h"

#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Runtime/TensorFile.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CachePruning.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_sha1_ostream.h"
#include "llvm/Support/xxhash.h"

#include <cstring>
#include <dlfcn.h>

using namespace mlir;
using namespace mlir::tiny;

static constexpr uint64_t kMagic = 0x31304a424f594e54; // "TNYOBJ01"
static constexpr uint64_t kMaxBytes = uint64_t(1) << 30;

//===----------------------------------------------------------------------===//
// The key
//===----------------------------------------------------------------------===//

/// The file that the code at `address` is in, by its size and date.
static std::string libraryOf(const void *address) {
  Dl_info info;
  llvm::sys::fs::file_status status;
  if (!dladdr(address, &info) || llvm::sys::fs::status(info.dli_fname, status))
    return "";
  return llvm::formatv("{0} {1} {2}\n", info.dli_fname, status.getSize(),
                       status.getLastModificationTime().time_since_epoch().count());
}

/// This program and its LLVM, so that a compiler which was changed never gets code of the one
/// before; empty if it cannot be told.
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

/// Where a value lies. Whether two buffers of a launch overlap decides about its code.
static void printPlace(llvm::raw_ostream &os, func::FuncOp entry, Value value) {
  SlotAttr slot = slotOf(value);
  os << value.getType() << " ";
  if (slot)
    os << slot;
  if (slot && slot.getSegment() == Segment::argument &&
      entry.getArgAttr(slot.getIndex(), kDonatedAttrName))
    os << " donated";
  os << "\n";
}

/// Whether the text of `kernel` is all there is about it.
static bool isInText(Operation *kernel) {
  WalkResult walk = kernel->walk([](Operation *op) {
    bool hasResource = llvm::any_of(op->getAttrs(), [](NamedAttribute attribute) {
      return isa<DenseResourceElementsAttr>(attribute.getValue());
    });
    return hasResource ? WalkResult::interrupt() : WalkResult::advance();
  });
  return !walk.wasInterrupted();
}

/// Empty if there is no key.
static std::string keyOf(func::FuncOp entry, StringRef compilation) {
  if (compilerIdentity().empty())
    return "";
  llvm::raw_sha1_ostream os;
  os << compilerIdentity() << compilation << "\n";
  for (auto launch : entry.getOps<LaunchOp>()) {
    os << launch.getKernel() << "\n";
    for (ValueRange values : {ValueRange(launch.getInputs()), ValueRange(launch.getOutputs()),
                              ValueRange(launch.getResults())}) {
      for (Value value : values)
        printPlace(os, entry, value);
      os << ";\n";
    }
  }
  for (Operation &op : *entry->getParentOfType<ModuleOp>().getBody()) {
    if (!op.hasAttr("tiny.kernel")) // the host function, or one that is not compiled
      continue;
    if (!isInText(&op))
      return "";
    op.print(os, OpPrintingFlags().useLocalScope());
    os << "\n";
  }
  std::string text;
  for (uint8_t byte : os.sha1())
    text += llvm::formatv("{0:x-2}", byte);
  return text;
}

ObjectCache::ObjectCache(StringRef folder, func::FuncOp entry, StringRef compilation)
    : loc(entry.getLoc()), launches(llvm::range_size(entry.getOps<LaunchOp>())), folder(folder) {
  std::string key = keyOf(entry, compilation);
  if (key.empty())
    return;
  llvm::SmallString<128> file(folder);
  llvm::sys::path::append(file, "llvmcache-" + key); // the prefix is what pruneCache() looks for
  path = file.str().str();
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

namespace {
/// Numbers and bytes one behind the other, read with care for where they end.
class Reader {
public:
  explicit Reader(StringRef data) : data(data) {}
  uint64_t number() {
    StringRef eight = bytes(8);
    uint64_t value = 0;
    if (!eight.empty())
      std::memcpy(&value, eight.data(), 8);
    return value;
  }
  StringRef bytes(uint64_t count) {
    if (count > data.size()) {
      isWhole = false;
      count = 0;
    }
    StringRef result = data.take_front(count);
    data = data.drop_front(count);
    return result;
  }
  size_t left() const { return data.size(); }
  bool isWhole = true;

private:
  StringRef data;
};
} // namespace

static void append(std::string &text, uint64_t number) {
  text.append(reinterpret_cast<const char *>(&number), 8);
}

/// False if `text` is not what write() has made.
static bool read(StringRef text, CompiledLaunches &code) {
  if (text.size() < 16 ||
      llvm::xxh3_64bits(text.drop_back(8)) != Reader(text.take_back(8)).number())
    return false;
  Reader reader(text.drop_back(8));
  if (reader.number() != kMagic)
    return false;
  for (uint64_t launches = reader.number(); launches > 0 && reader.isWhole; --launches)
    for (int64_t &size : code.grids.emplace_back())
      size = reader.number();
  for (uint64_t objects = reader.number(); objects > 0 && reader.isWhole; --objects) {
    StringRef object = reader.bytes(reader.number());
    code.objects.emplace_back(object.begin(), object.end());
  }
  return reader.isWhole && reader.left() == 0;
}

static std::string write(const CompiledLaunches &code) {
  std::string text;
  append(text, kMagic);
  append(text, code.grids.size());
  for (const std::array<int64_t, 3> &grid : code.grids)
    for (int64_t size : grid)
      append(text, size);
  append(text, code.objects.size());
  for (const SmallVector<char, 0> &object : code.objects) {
    append(text, object.size());
    text.append(object.data(), object.size());
  }
  append(text, llvm::xxh3_64bits(text));
  return text;
}

bool ObjectCache::load(CompiledLaunches &code) const {
  if (path.empty())
    return false;
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return false;
  if (read((*file)->getBuffer(), code) && code.grids.size() == launches)
    return true;
  code = CompiledLaunches();
  emitWarning(loc, "the code in the cache is damaged, and is made anew: ") << path;
  return false;
}

void ObjectCache::store(const CompiledLaunches &code) const {
  if (path.empty())
    return;
  std::string error;
  if (std::error_code failed = llvm::sys::fs::create_directories(folder))
    error = "cannot make '" + folder + "': " + failed.message();
  if (!error.empty() || !tinyrt::writeFile(path, write(code), error)) {
    emitWarning(loc, "the code is not kept in the cache: ") << error;
    return;
  }
  llvm::CachePruningPolicy policy;
  policy.Expiration = std::chrono::hours(30 * 24);
  policy.MaxSizeBytes = kMaxBytes;
  llvm::pruneCache(folder, policy);
}
