//===- TilingCache.cpp - tilings on disk, by kernel and target ------------===//

#include "Tiny/Compiler/TilingCache.h"

#include "Tiny/Tile/Tilings.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace mlir::tiny;

TilingCache::TilingCache(StringRef folder, const CPU &cpu, bool bf16Products)
    : folder(folder), target(cpu.triple.str() + " " + cpu.name + " " + cpu.features +
                             (bf16Products ? " products of bf16" : "")) {}

TilingCache::TilingCache(StringRef folder, const Target &gpu) : folder(folder), target(gpu.name) {}

CacheEntry TilingCache::entryOf(func::FuncOp kernel) const {
  OwningOpRef<func::FuncOp> copy = kernel.clone();
  copy->setName("kernel");
  (*copy)->removeAttr(tilingAttrName);
  CacheKey os;
  os << "tilings\n" << target << "\n";
  copy->getOperation()->print(os, OpPrintingFlags().useLocalScope());
  std::string name = os.name();
  return CacheEntry(folder, name.empty() ? name : "tilings-" + name);
}

ArrayAttr TilingCache::load(func::FuncOp kernel) const {
  CacheEntry entry = entryOf(kernel);
  std::string text;
  CacheEntry::State state = entry.load(text);
  if (state == CacheEntry::State::absent)
    return {};
  ArrayAttr tilings;
  if (state == CacheEntry::State::whole) {
    ScopedDiagnosticHandler quiet(kernel.getContext(), [](Diagnostic &) { return success(); });
    tilings = dyn_cast_or_null<ArrayAttr>(parseAttribute(text, kernel.getContext()));
  }
  if (!tilings)
    emitWarning(kernel.getLoc(), "tilings in the cache are damaged, and are not used: ")
        << entry.where();
  return tilings;
}

bool TilingCache::store(func::FuncOp kernel, ArrayAttr tilings, std::string &error) const {
  std::string text;
  llvm::raw_string_ostream(text) << tilings;
  return entryOf(kernel).store(text, error);
}

bool TilingCache::canStore(std::string &error) const {
  if (CacheKey().name().empty()) {
    error = "this program cannot read its own file, after which tilings are named";
    return false;
  }
  std::error_code failed = llvm::sys::fs::create_directories(folder);
  if (!failed)
    failed = llvm::sys::fs::access(folder, llvm::sys::fs::AccessMode::Write);
  if (!failed)
    return true;
  error = "cannot write to the cache '" + folder + "': " + failed.message();
  return false;
}
