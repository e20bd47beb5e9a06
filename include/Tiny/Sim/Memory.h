//===- Memory.h - what a simulated kernel may touch -------------*- C++ -*-===//
//
// Device addresses are host addresses: one unified space, as on an APU. What keeps a kernel from
// touching the rest of the process is this map of allocations, consulted for every access. A
// removed region is remembered for a while, so that a use after free is told from a wild address.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_SIM_MEMORY_H
#define TINY_SIM_MEMORY_H

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <shared_mutex>
#include <string>

namespace tinysim {

/// What kernels may do with a region; a set of flags.
enum class Access : uint8_t { none = 0, read = 1, write = 2, execute = 4, readWrite = 3, all = 7 };

inline bool allows(Access have, Access need) {
  return (static_cast<uint8_t>(have) & static_cast<uint8_t>(need)) == static_cast<uint8_t>(need);
}

struct Region {
  uint64_t base = 0;
  uint64_t bytes = 0;
  std::string owner; // for messages: "hsa_amd_memory_pool_allocate #3", "kernarg segment", …
  Access access = Access::none;
  uint64_t end() const { return base + bytes; }
  bool contains(uint64_t address, uint64_t size) const {
    return address >= base && size <= bytes && address - base <= bytes - size;
  }
};

/// Thread-safe. Regions do not overlap; adding one over freed memory forgets what was freed.
class MemoryMap {
public:
  void add(uint64_t base, uint64_t bytes, std::string owner, Access access);

  /// Removes the region that starts at `base`; false where there is none.
  bool remove(uint64_t base);

  /// The region that holds `address`.
  std::optional<Region> find(uint64_t address) const;

  /// The nearest region below `address` (for "N bytes past the end of …"), if any.
  std::optional<Region> findBelow(uint64_t address) const;

  /// The most recently removed region that held `address`, if it is still remembered.
  std::optional<Region> findRemoved(uint64_t address) const;

  /// Changes whenever a region is added or removed: what was found before must be looked up again.
  uint64_t version() const { return changes.load(std::memory_order_acquire); }

private:
  mutable std::shared_mutex mutex;
  std::map<uint64_t, Region> regions; // by base
  std::deque<Region> removed;         // newest first
  std::atomic<uint64_t> changes{1};
};

} // namespace tinysim

#endif // TINY_SIM_MEMORY_H
