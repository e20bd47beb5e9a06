//===- Waiting.h - sleep until memory has changed ---------------*- C++ -*-===//
//
// Signals, doorbells and packet headers are words in memory that anybody may
// write: the host through the API, the host through a pointer, a kernel. Who waits
// for one sleeps; a write through the API wakes it at once, and any other write is
// seen at the next look, which is never more than a few milliseconds away.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_HSA_WAITING_H
#define TINY_LIB_SIM_HSA_WAITING_H

#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace tinysim::hsa {

/// Nanoseconds, the ticks of all clocks of this library.
uint64_t now();

/// Wakes all who wait. Call it after the write.
void wake();

constexpr uint64_t kForever = UINT64_MAX;

/// Sleeps until `done` is true, or `timeout` nanoseconds are over. What `done` said last.
bool sleepUntil(const std::function<bool()> &done, uint64_t timeout = kForever);

/// A thread that does things when their time has come, whatever the order they were given in: a
/// copy waits for its signals, and others must not wait for that copy.
class Watcher {
public:
  Watcher();
  /// Ends the thread; what is not ready by then is dropped.
  ~Watcher();

  /// Calls `run` once `ready` is true, and again as long as it returns true. `ready` must not
  /// block; `run` may do anything, also add.
  void add(std::function<bool()> ready, std::function<bool()> run);

private:
  struct Item {
    std::function<bool()> ready, run;
  };
  void work();
  bool runReady();

  std::mutex mutex;
  std::list<Item> items; ///< added at the end; only the thread takes out
  bool stopping = false;
  bool changed = false;
  std::thread thread;
};

} // namespace tinysim::hsa

#endif // TINY_LIB_SIM_HSA_WAITING_H
