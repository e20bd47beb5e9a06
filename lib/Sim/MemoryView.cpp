//===- MemoryView.cpp - look-ups and their messages -------------------------===//
//
// What is said of a bad address names the allocation it belongs, belonged or nearly belongs to.
//
//===----------------------------------------------------------------------===//

#include "MemoryView.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace tinysim {

bool MemoryView::lookUp(uint64_t address, uint64_t bytes, Access need) {
  uint64_t now = map.version();
  if (version != now) {
    for (Entry &entry : entries)
      entry = Entry();
    version = now;
  }
  std::optional<Region> region = map.find(address);
  if (!region || !region->contains(address, bytes) || !allows(region->access, need))
    return false;
  entries[next] = Entry{region->base, region->bytes, region->access};
  next = (next + 1) % entryCount;
  return true;
}

static void describe(raw_ostream &os, const Region &region) {
  os << region.bytes << " bytes at " << format_hex(region.base, 2) << " (" << region.owner << ")";
}

MemoryView::Problem MemoryView::explain(uint64_t address, uint64_t bytes, Access need) const {
  Problem problem;
  raw_string_ostream os(problem.text);
  os << (allows(need, Access::write) ? "accesses " : "reads ") << bytes << " bytes at "
     << format_hex(address, 2) << ", ";
  if (std::optional<Region> region = map.find(address)) {
    if (!region->contains(address, bytes))
      os << "which run over the end of ";
    else
      os << "which may not be " << (allows(need, Access::write) ? "written" : "read") << ": ";
    describe(os, *region);
    return problem;
  }
  if (std::optional<Region> region = map.findRemoved(address)) {
    problem.afterFree = true;
    os << address - region->base << " bytes into freed memory: ";
    describe(os, *region);
    return problem;
  }
  // A wild address is not explained by an allocation gigabytes below it.
  constexpr uint64_t near = uint64_t(1) << 30;
  std::optional<Region> below = map.findBelow(address);
  if (below && address - below->end() < near) {
    os << address - below->end() << " bytes past the end of ";
    describe(os, *below);
  } else {
    os << "which is in no allocation";
  }
  return problem;
}

} // namespace tinysim
