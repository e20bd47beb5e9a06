//===- Host.cpp - work items as fibers --------------------------------------===//
//
// A work group's items run as fibers on one thread; a barrier lets every other item come
// as far. Work groups follow each other, so a kernel's `local` arrays can be static.
//
//===----------------------------------------------------------------------===//

#include "Host.h"
#include "Shim.h"

#include <cstring>
#include <ucontext.h>
#include <vector>

namespace {
constexpr size_t kStackBytes = 128 * 1024;
struct Fiber {
  ucontext_t context;
  std::vector<char> stack;
  bool done = false;
};
} // namespace

static std::vector<Fiber> fibers;
static ucontext_t scheduler;
static uint current, group, items;
static uint exchanged[1024];
static simtest::HostKernel kernelOf;
static const uint *inOf;
static uint *outOf;
static uint countOf;

static void enter() {
  kernelOf(inOf, outOf, countOf);
  fibers[current].done = true;
}

void simtest::runOnHost(HostKernel kernel, const uint32_t *in, uint32_t *out, uint32_t count,
                        uint32_t groups, uint32_t groupSize) {
  kernelOf = kernel, inOf = in, outOf = out, countOf = count, items = groupSize;
  fibers.resize(groupSize);
  for (group = 0; group < groups; ++group) {
    for (uint i = 0; i < groupSize; ++i) {
      Fiber &f = fibers[i];
      f.stack.resize(kStackBytes);
      f.done = false;
      getcontext(&f.context);
      f.context.uc_stack.ss_sp = f.stack.data();
      f.context.uc_stack.ss_size = kStackBytes;
      f.context.uc_link = &scheduler;
      makecontext(&f.context, enter, 0);
    }
    for (bool any = true; any;) {
      any = false;
      for (current = 0; current < groupSize; ++current)
        if (!fibers[current].done) {
          swapcontext(&scheduler, &fibers[current].context);
          any = true;
        }
    }
  }
}

extern "C" {
uint item(void) { return current; }
uint groupOf(void) { return group; }
uint groupItems(void) { return items; }
void sync(void) { swapcontext(&fibers[current].context, &scheduler); }
uint shuffle(uint x, uint lane) {
  exchanged[current] = x;
  sync();
  uint r = exchanged[(current & ~31u) | (lane & 31)];
  sync();
  return r;
}
uint ballot32(bool c) {
  exchanged[current] = c;
  sync();
  uint r = 0;
  for (uint l = 0; l < 32; ++l)
    r |= exchanged[(current & ~31u) | l] << l;
  sync();
  return r;
}
uint shiftRow(uint x, uint n) {
  uint row = current & 15, r = shuffle(x, row >= n ? (current & 31) - n : current & 31);
  return row >= n ? r : 0;
}
}
