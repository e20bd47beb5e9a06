//===- Waiting.cpp - sleep until memory has changed -----------------------===//

#include "Waiting.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>

using namespace tinysim::hsa;

uint64_t tinysim::hsa::now() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

namespace {
/// One for all words: there are few waiters, and a wake-up too many costs one look. Never
/// destroyed, because threads of the program may wait until the process ends.
struct Board {
  std::mutex mutex;
  std::condition_variable changed;
  std::atomic<unsigned> sleepers{0};
};
} // namespace

static Board &board() {
  static Board *board = new Board;
  return *board;
}

void tinysim::hsa::wake() {
  Board &all = board();
  // The write before this call and a sleeper's count are in one order: either it sees the write
  // or we see it.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (all.sleepers.load(std::memory_order_seq_cst) == 0)
    return;
  std::lock_guard<std::mutex> lock(all.mutex);
  all.changed.notify_all();
}

bool tinysim::hsa::sleepUntil(const std::function<bool()> &done, uint64_t timeout) {
  // Most waits are for something that is nearly over.
  for (unsigned i = 0; i < 64; ++i)
    if (done())
      return true;
  uint64_t start = now();
  Board &all = board();
  std::unique_lock<std::mutex> lock(all.mutex);
  ++all.sleepers;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  // Writes that nobody announces are looked for ever more rarely.
  uint64_t pause = 50'000;
  bool result = false;
  while (!(result = done())) {
    uint64_t passed = now() - start;
    if (passed >= timeout)
      break;
    uint64_t sleep = std::min(pause, timeout - passed);
    all.changed.wait_for(lock, std::chrono::nanoseconds(sleep));
    pause = std::min<uint64_t>(pause * 2, 5'000'000);
  }
  --all.sleepers;
  return result;
}

//===----------------------------------------------------------------------===//
// Watcher
//===----------------------------------------------------------------------===//

Watcher::Watcher() {
  thread = std::thread([this] { work(); });
}

Watcher::~Watcher() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    stopping = true;
  }
  wake();
  thread.join();
}

void Watcher::add(std::function<bool()> ready, std::function<bool()> run) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    items.push_back({std::move(ready), std::move(run)});
    changed = true;
  }
  wake();
}

/// Runs what is ready now. False if nothing was.
bool Watcher::runReady() {
  bool any = false;
  std::unique_lock<std::mutex> lock(mutex);
  changed = false;
  for (auto item = items.begin(); item != items.end() && !stopping;) {
    if (!item->ready()) {
      ++item;
      continue;
    }
    any = true;
    lock.unlock(); // an element of a list stays where it is while others are added
    bool again = item->run();
    lock.lock();
    auto next = std::next(item);
    if (!again)
      items.erase(item);
    item = next;
  }
  return any;
}

void Watcher::work() {
  for (;;) {
    while (runReady())
      ;
    auto something = [this] {
      std::lock_guard<std::mutex> lock(mutex);
      if (stopping || changed)
        return true;
      return std::any_of(items.begin(), items.end(), [](Item &item) { return item.ready(); });
    };
    sleepUntil(something);
    std::lock_guard<std::mutex> lock(mutex);
    if (stopping)
      return;
  }
}
