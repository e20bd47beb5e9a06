//===- MemoryView.h - one thread's look at the memory map -------*- C++ -*-===//
//
// Every access of a kernel is checked against the map of allocations. A thread keeps the few
// regions it found last, so that the map's lock is taken once per region and not once per access.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_MEMORYVIEW_H
#define TINY_LIB_SIM_MEMORYVIEW_H

#include "Tiny/Sim/Memory.h"

namespace tinysim {

class MemoryView {
public:
  explicit MemoryView(const MemoryMap &map) : map(map) {}

  /// Whether all of [address, address + bytes) is one region that allows `need`.
  bool allowed(uint64_t address, uint64_t bytes, Access need) {
    if (version == map.version())
      for (const Entry &entry : entries)
        if (entry.contains(address, bytes) && allows(entry.access, need))
          return true;
    return lookUp(address, bytes, need);
  }

  /// What is wrong with an access that is not allowed: kind, and a sentence about the place.
  struct Problem {
    bool afterFree = false;
    std::string text;
  };
  Problem explain(uint64_t address, uint64_t bytes, Access need) const;

private:
  struct Entry {
    uint64_t base = 0, bytes = 0;
    Access access = Access::none;
    bool contains(uint64_t address, uint64_t size) const {
      return address >= base && size <= bytes && address - base <= bytes - size;
    }
  };
  bool lookUp(uint64_t address, uint64_t bytes, Access need);

  const MemoryMap &map;
  uint64_t version = 0;
  static constexpr unsigned entryCount = 4;
  Entry entries[entryCount];
  unsigned next = 0;
};

} // namespace tinysim

#endif // TINY_LIB_SIM_MEMORYVIEW_H
