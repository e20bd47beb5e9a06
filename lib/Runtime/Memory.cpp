//===- Memory.cpp - buffers of the host -----------------------------------===//
//
// Linux gives a process large pages only where it asks for them, on most systems. A product with a
// matrix of 64 MB takes a quarter less time on them; smaller buffers than two of them are
// found among the small pages that a core remembers, and would only waste memory.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Runtime/Memory.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#ifdef __linux__
#include <sys/mman.h>
#endif

using namespace tinyrt;

static constexpr size_t kLargePage = size_t(2) << 20;

// More than an address space. Asked for it, an allocator that looks for errors stops the program.
static constexpr size_t kLargestBuffer = SIZE_MAX >> 16;

void *tinyrt::allocateBuffer(size_t bytes) {
  if (bytes > kLargestBuffer)
    return nullptr;
  bool isLarge = bytes >= 2 * kLargePage;
  size_t alignment = isLarge ? kLargePage : kBufferAlignment;
  // At least one line, so that an empty buffer is still a valid pointer.
  size_t lines = (std::max<size_t>(bytes, 1) - 1) / kBufferAlignment + 1;
  void *memory = nullptr;
  if (posix_memalign(&memory, alignment, lines * kBufferAlignment) != 0)
    return nullptr;
#ifdef MADV_HUGEPAGE
  // What is left at the end shares its page with others. Where this fails, pages are small.
  if (isLarge)
    (void)madvise(memory, bytes / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
  return memory;
}
