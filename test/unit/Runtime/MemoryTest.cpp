//===- MemoryTest.cpp - buffers of the host -------------------------------===//

#include "Tiny/Runtime/Memory.h"

#include <cstdint>
#include <cstdlib>
#include <gtest/gtest.h>
#include <memory>

using namespace tinyrt;

namespace {
struct Free {
  void operator()(char *memory) const { std::free(memory); }
};
} // namespace

static std::unique_ptr<char, Free> allocate(size_t bytes) {
  return std::unique_ptr<char, Free>(static_cast<char *>(allocateBuffer(bytes)));
}

static uintptr_t modulo(const std::unique_ptr<char, Free> &memory, size_t alignment) {
  return reinterpret_cast<uintptr_t>(memory.get()) % alignment;
}

TEST(Memory, AlignsEvenWhatIsEmpty) {
  for (size_t bytes : {size_t(0), size_t(1), size_t(65), size_t(1) << 20}) {
    auto memory = allocate(bytes);
    ASSERT_TRUE(memory) << bytes;
    EXPECT_EQ(modulo(memory, kBufferAlignment), 0u) << bytes;
  }
}

TEST(Memory, LargeBuffersBeginWithALargePage) {
  size_t bytes = (size_t(5) << 20) + 3;
  auto memory = allocate(bytes);
  ASSERT_TRUE(memory);
  EXPECT_EQ(modulo(memory, size_t(2) << 20), 0u);
  memory.get()[0] = memory.get()[bytes - 1] = 1; // both ends are there
}

TEST(Memory, SaysWhenThereIsNotEnough) {
  EXPECT_FALSE(allocate(SIZE_MAX));
  EXPECT_FALSE(allocate(SIZE_MAX / 2));
}
