//===- Memory.cpp - the map of allocations ----------------------------------===//
//
// A lookup under a shared lock: kernels go through MemoryView, which asks once per region.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Sim/Memory.h"
#include <algorithm>
#include <mutex>

namespace tinysim {

/// How many freed regions are remembered. Enough to explain a use after free, and bounded.
static constexpr size_t rememberedRegions = 256;

static std::optional<Region> findIn(const std::map<uint64_t, Region> &regions, uint64_t address) {
  auto next = regions.upper_bound(address);
  if (next == regions.begin())
    return std::nullopt;
  return std::prev(next)->second;
}

void MemoryMap::add(uint64_t base, uint64_t bytes, std::string owner, Access access) {
  std::unique_lock<std::shared_mutex> lock(mutex);
  auto overlaps = [&](const Region &old) { return old.base < base + bytes && base < old.end(); };
  removed.erase(std::remove_if(removed.begin(), removed.end(), overlaps), removed.end());
  regions[base] = Region{base, bytes, std::move(owner), access};
  changes.fetch_add(1, std::memory_order_release);
}

bool MemoryMap::remove(uint64_t base) {
  std::unique_lock<std::shared_mutex> lock(mutex);
  auto found = regions.find(base);
  if (found == regions.end())
    return false;
  removed.push_front(std::move(found->second));
  if (removed.size() > rememberedRegions)
    removed.pop_back();
  regions.erase(found);
  changes.fetch_add(1, std::memory_order_release);
  return true;
}

std::optional<Region> MemoryMap::find(uint64_t address) const {
  std::shared_lock<std::shared_mutex> lock(mutex);
  std::optional<Region> region = findIn(regions, address);
  if (region && !region->contains(address, 1))
    return std::nullopt;
  return region;
}

std::optional<Region> MemoryMap::findBelow(uint64_t address) const {
  std::shared_lock<std::shared_mutex> lock(mutex);
  return findIn(regions, address);
}

std::optional<Region> MemoryMap::findRemoved(uint64_t address) const {
  std::shared_lock<std::shared_mutex> lock(mutex);
  for (const Region &region : removed)
    if (region.contains(address, 1))
      return region;
  return std::nullopt;
}

} // namespace tinysim
