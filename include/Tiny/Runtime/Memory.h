//===- Memory.h - buffers of the host ---------------------------*- C++ -*-===//

#ifndef TINY_RUNTIME_MEMORY_H
#define TINY_RUNTIME_MEMORY_H

#include <cstddef>

namespace tinyrt {

/// Every buffer that a kernel may see starts at a multiple of this many bytes: a cache line, and
/// the widest vector.
constexpr size_t kBufferAlignment = 64;

/// Uninitialised bytes at a multiple of kBufferAlignment; null when there is not enough. Freed by
/// std::free. Large buffers lie on pages of 2 MB where the system has them: the rows of a matrix
/// are as far apart as small pages are, and each would cost a walk through the page tables.
void *allocateBuffer(size_t bytes);

} // namespace tinyrt

#endif // TINY_RUNTIME_MEMORY_H
