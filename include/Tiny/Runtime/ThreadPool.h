//===- ThreadPool.h - run a loop on all cores -------------------*- C++ -*-===//
//
// Kernels last microseconds, so handing out work must cost less. The calling
// thread does its share, workers spin a little before they sleep, and the call
// returns when the last piece is done: it never waits for a worker that did not
// come in time, which is what makes pools collapse on a busy machine.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_RUNTIME_THREADPOOL_H
#define TINY_RUNTIME_THREADPOOL_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace tinyrt {

class ThreadPool {
public:
  /// The number of cores that this process may use.
  static unsigned availableCores();

  /// A pool of `threads` threads, the caller of `run` being one of them; 0 means one per core.
  /// Workers are bound to a core each as long as there are enough.
  explicit ThreadPool(unsigned threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  unsigned size() const { return static_cast<unsigned>(workers.size()) + 1; }

  /// Calls `body(context, first, last)` on disjoint ranges that together are 0 ... count - 1, and
  /// returns when all calls have. Calls from several threads take turns; `body` must not call
  /// back into the same pool.
  using Body = void (*)(void *context, uint64_t first, uint64_t last);
  void run(uint64_t count, Body body, void *context);

private:
  /// What one thread should do of the job: the number of pieces left in the low half, and in the
  /// high half the number of the job. With it, who read the share of an earlier job cannot take a
  /// piece of this one by mistake.
  struct alignas(64) Share {
    std::atomic<uint64_t> ticket{0};
  };

  void work(unsigned number, bool bind);
  uint64_t firstPiece(unsigned number, uint64_t all) const;
  void runShare(unsigned number);
  void runShares(unsigned number);
  void sleepUntilJob(uint32_t after);

  std::vector<Share> shares; ///< One per thread.
  std::vector<std::thread> workers;
  unsigned spins;
  std::mutex callers;

  // The job. They change only while no piece of it is left to take or to finish.
  Body body = nullptr;
  void *context = nullptr;
  uint64_t count = 0;
  uint64_t pieces = 0;

  alignas(64) std::atomic<uint32_t> job{0}; ///< Its number; the last one to change.
  alignas(64) std::atomic<uint64_t> done{0};

  alignas(64) std::atomic<unsigned> sleepers{0};
  std::atomic<bool> stop{false};
  std::mutex sleep;
  std::condition_variable wake;
};

} // namespace tinyrt

#endif // TINY_RUNTIME_THREADPOOL_H
