//===- ThreadPool.cpp - run a loop on all cores ---------------------------===//
//
// See ThreadPool.h for what it promises. Pieces are cut evenly, a few per thread, and
// each thread has neighbouring ones as its share: the same part of every kernel's grid,
// so that it often finds in its cache what it wrote there before. Who is done with its own takes
// from the others, which evens out what another process takes from one core.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Runtime/ThreadPool.h"

#include <algorithm>
#include <sched.h>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

using namespace tinyrt;

/// Pieces per thread: enough to even out, few enough that taking one costs nothing.
static constexpr uint64_t kPiecesPerThread = 4;
/// How long a worker looks for the next job before it sleeps: some 500 µs, longer than most kernels
/// that run on one thread. To be woken takes tens of them.
static constexpr unsigned kSpins = 30000;

static void relax() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// The pieces of a share that nobody has taken yet.
static uint64_t piecesLeft(uint64_t share) { return share & 0xffffffffu; }

static std::vector<int> allowedCores() {
  std::vector<int> cores;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    for (int core = 0; core < CPU_SETSIZE; ++core)
      if (CPU_ISSET(core, &set))
        cores.push_back(core);
  return cores;
}

unsigned ThreadPool::availableCores() {
  size_t cores = allowedCores().size();
  return cores ? static_cast<unsigned>(cores) : std::max(1u, std::thread::hardware_concurrency());
}

ThreadPool::ThreadPool(unsigned threads) {
  unsigned cores = availableCores();
  if (threads == 0)
    threads = cores;
  // Where threads share a core, to spin is to keep the other one from working.
  bool enough = threads <= cores;
  spins = enough ? kSpins : 0;
  shares = std::vector<Share>(threads);
  for (unsigned number = 1; number < threads; ++number)
    workers.emplace_back([this, number, enough] { work(number, enough); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(sleep);
    stop = true;
  }
  wake.notify_all();
  for (std::thread &worker : workers)
    worker.join();
}

/// Where the share of thread `number` begins, of `all` pieces.
uint64_t ThreadPool::firstPiece(unsigned number, uint64_t all) const {
  return number * all / size();
}

/// Runs what is left of the share of thread `number`.
void ThreadPool::runShare(unsigned number) {
  std::atomic<uint64_t> &share = shares[number].ticket;
  uint64_t seen = share.load(std::memory_order_acquire);
  while (piecesLeft(seen)) {
    if (!share.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel,
                                     std::memory_order_acquire))
      continue;
    // The job cannot end, and its description cannot change, before this piece is done. The first
    // `extra` pieces have one more than the others.
    uint64_t piece = firstPiece(number + 1, pieces) - piecesLeft(seen);
    uint64_t each = count / pieces, extra = count % pieces;
    uint64_t first = piece * each + std::min(piece, extra);
    body(context, first, first + each + (piece < extra));
    done.fetch_add(1, std::memory_order_release);
    seen = share.load(std::memory_order_acquire);
  }
}

/// Runs pieces until none is left: those of thread `number` first, then those of its neighbours.
void ThreadPool::runShares(unsigned number) {
  for (unsigned offset = 0; offset < size(); ++offset)
    runShare((number + offset) % size());
}

void ThreadPool::sleepUntilJob(uint32_t after) {
  std::unique_lock<std::mutex> lock(sleep);
  sleepers.fetch_add(1);
  wake.wait(lock, [&] { return stop || job.load() != after; });
  sleepers.fetch_sub(1);
}

void ThreadPool::work(unsigned number, bool bind) {
  std::vector<int> cores = allowedCores();
  if (bind && number < cores.size()) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cores[number], &set);
    sched_setaffinity(0, sizeof(set), &set); // a refusal costs speed only
  }
  // Once it has found nothing left of a job, there will be nothing.
  uint32_t finished = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    for (unsigned spun = 0; job.load(std::memory_order_relaxed) == finished && spun < spins; ++spun)
      relax();
    uint32_t current = job.load(std::memory_order_acquire);
    if (current == finished) {
      sleepUntilJob(finished);
      continue;
    }
    runShares(number);
    finished = current;
  }
}

void ThreadPool::run(uint64_t jobCount, Body jobBody, void *jobContext) {
  if (workers.empty() || jobCount <= 1) {
    if (jobCount)
      jobBody(jobContext, 0, jobCount);
    return;
  }
  std::lock_guard<std::mutex> lock(callers);
  body = jobBody;
  context = jobContext;
  count = jobCount;
  pieces = std::min<uint64_t>(jobCount, size() * kPiecesPerThread);
  done.store(0, std::memory_order_relaxed);
  uint32_t next = job.load(std::memory_order_relaxed) + 1;
  for (unsigned number = 0; number < size(); ++number)
    shares[number].ticket.store(uint64_t(next) << 32 |
                                    (firstPiece(number + 1, pieces) - firstPiece(number, pieces)),
                                std::memory_order_release);
  // Sequentially consistent with `sleepers`: either the worker that goes to sleep sees this job, or
  // it is counted here.
  job.store(next);
  if (sleepers.load()) {
    std::lock_guard<std::mutex> sleepLock(sleep);
    wake.notify_all();
  }
  runShares(0);
  for (unsigned spun = 0; done.load(std::memory_order_acquire) != pieces; ++spun) {
    if (spun < spins)
      relax();
    else
      std::this_thread::yield(); // the worker may be waiting for this very core
  }
}
