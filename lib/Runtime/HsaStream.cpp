//===- HsaStream.cpp - the launches of one thread -------------------------===//

#include "HsaStream.h"

#include <algorithm>
#include <cstring>

using namespace tinyrt;

// Arguments of a kernel are a few hundred bytes, and an allocation is a page at least.
static constexpr size_t kSlabBytes = 64 << 10;
static constexpr size_t kAlignment = 64;

HsaStream::Launch::Launch(Device::Kernel kernel, const HsaLaunch &launch)
    : kernel(kernel), arguments(launch.arguments) {
  std::copy_n(launch.items, 3, shape);
  std::copy_n(launch.block, 3, shape + 3);
  shape[6] = launch.localBytes;
}

bool HsaStream::Launch::operator==(const Launch &other) const {
  return kernel == other.kernel && std::equal(shape, shape + 7, other.shape) &&
         arguments == other.arguments;
}

HsaStream::HsaStream(HsaLibrary &library, hsa_agent_t agent, hsa_amd_memory_pool_t pool)
    : library(library), agent(agent), pool(pool) {
  library.signal_create(0, 0, nullptr, &unfinished);
}

HsaStream::~HsaStream() {
  for (void *slab : slabs)
    library.amd_memory_pool_free(slab);
  library.signal_destroy(unfinished);
}

void *HsaStream::allocate(size_t bytes) {
  bytes = (std::max<size_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  if (bytes > kSlabBytes)
    return nullptr; // no kernel has as many
  if (slabs.empty() || slabUsed + bytes > kSlabBytes) {
    void *slab = nullptr;
    if (library.amd_memory_pool_allocate(pool, kSlabBytes, 0, &slab))
      return nullptr;
    slabs.push_back(slab);
    if (library.amd_agents_allow_access(1, &agent, nullptr, slab))
      return nullptr;
    slabUsed = 0;
  }
  void *memory = static_cast<char *>(slabs.back()) + slabUsed;
  slabUsed += bytes;
  return memory;
}

void *HsaStream::next(Launch launch, size_t bytes, uint64_t number, bool &isNew) {
  launch.number = number;
  launch.bytes = bytes;
  isNew = position == sequence.size() || !(sequence[position] == launch);
  if (position < sequence.size()) {
    // What was launched here before the last wait has ended, so its memory is free.
    launch.memory = sequence[position].bytes >= bytes ? sequence[position].memory : nullptr;
    launch.bytes = std::max(bytes, sequence[position].bytes);
  }
  if (!launch.memory)
    launch.memory = allocate(bytes);
  if (!launch.memory)
    return nullptr;
  if (position == sequence.size())
    sequence.push_back(std::move(launch));
  else
    sequence[position] = std::move(launch);
  return sequence[position++].memory;
}

const HsaStream::Launch *HsaStream::oldestUnfinished() const {
  auto left = static_cast<size_t>(std::max<int64_t>(library.signal_load_scacquire(unfinished), 0));
  return left == 0 || left > position ? nullptr : &sequence[position - left];
}
