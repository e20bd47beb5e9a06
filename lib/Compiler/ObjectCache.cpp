//===- ObjectCache.cpp - code of earlier runs -----------------------------===//
//
// One entry of the cache per program. What nobody has used for a month goes, and so
// does the oldest if there is too much.
//
//===----------------------------------------------------------------------===//

#include "ObjectCache.h"

#include "Tiny/IR/TinyDialect.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/CachePruning.h"

#include <cstring>

using namespace mlir;
using namespace mlir::tiny;

static constexpr uint64_t kMaxBytes = uint64_t(1) << 30;

//===----------------------------------------------------------------------===//
// The key
//===----------------------------------------------------------------------===//

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
static std::string nameOf(func::FuncOp entry, StringRef compilation) {
  CacheKey os;
  os << compilation << "\n";
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
  std::string name = os.name();
  return name.empty() ? name : "llvmcache-" + name; // the prefix is what pruneCache() looks for
}

ObjectCache::ObjectCache(StringRef folder, func::FuncOp entry, StringRef compilation)
    : loc(entry.getLoc()), launches(llvm::range_size(entry.getOps<LaunchOp>())), folder(folder),
      entry(folder, nameOf(entry, compilation)) {}

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
  Reader reader(text);
  for (uint64_t launches = reader.number(); launches > 0 && reader.isWhole; --launches)
    for (int64_t &size : code.grids.emplace_back())
      size = reader.number();
  for (uint64_t objects = reader.number(); objects > 0 && reader.isWhole; --objects) {
    StringRef object = reader.bytes(reader.number());
    code.objects.emplace_back(object.begin(), object.end());
  }
  for (uint64_t kernels = reader.number(); kernels > 0 && reader.isWhole; --kernels)
    code.bf16Kernels.push_back(reader.bytes(reader.number()).str());
  return reader.isWhole && reader.left() == 0;
}

static std::string write(const CompiledLaunches &code) {
  std::string text;
  append(text, code.grids.size());
  for (const std::array<int64_t, 3> &grid : code.grids)
    for (int64_t size : grid)
      append(text, size);
  append(text, code.objects.size());
  for (const SmallVector<char, 0> &object : code.objects) {
    append(text, object.size());
    text.append(object.data(), object.size());
  }
  append(text, code.bf16Kernels.size());
  for (const std::string &kernel : code.bf16Kernels) {
    append(text, kernel.size());
    text += kernel;
  }
  return text;
}

bool ObjectCache::load(CompiledLaunches &code) const {
  std::string text;
  CacheEntry::State state = entry.load(text);
  if (state == CacheEntry::State::absent)
    return false;
  if (state == CacheEntry::State::whole && read(text, code) && code.grids.size() == launches)
    return true;
  code = CompiledLaunches();
  emitWarning(loc, "the code in the cache is damaged, and is made anew: ") << entry.where();
  return false;
}

void ObjectCache::store(const CompiledLaunches &code) const {
  if (!entry.hasName())
    return;
  std::string error;
  if (!entry.store(write(code), error)) {
    emitWarning(loc, "the code is not kept in the cache: ") << error;
    return;
  }
  llvm::CachePruningPolicy policy;
  policy.Expiration = std::chrono::hours(30 * 24);
  policy.MaxSizeBytes = kMaxBytes;
  llvm::pruneCache(folder, policy);
}
