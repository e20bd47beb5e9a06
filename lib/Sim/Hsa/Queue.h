//===- Queue.h - an AQL queue and its packet processor ----------*- C++ -*-===//

#ifndef TINY_LIB_SIM_HSA_QUEUE_H
#define TINY_LIB_SIM_HSA_QUEUE_H

#include "Internal.h"

namespace tinysim::hsa {

/// What a host stores to a doorbell: the number of the last packet that is ready.
void ringDoorbell(amd_signal_t *doorbell, hsa_signal_value_t value);

/// A queue of a GPU, with one thread that is its packet processor. Packets run one after the
/// other, which is one of the orders that the barrier bit allows, whether it is set or not.
class Queue {
public:
  /// Null if there is no memory for `size` packets.
  static std::shared_ptr<Queue> create(Runtime &runtime, Agent &agent, uint32_t size,
                                       hsa_queue_type32_t type, QueueCallback callback, void *data);
  /// Ends the thread, and with it a kernel that runs.
  ~Queue();

  hsa_queue_t *handle() { return &amd->hsa_queue; }
  Agent &agent() { return owner; }

  /// No packet is taken any more, and a kernel that runs is ended. Waits for that, unless called by
  /// the queue's own thread.
  void inactivate();
  void setProfiling(bool enable);

  /// Why the queue has stopped; empty while it has not.
  std::string faultMessage();

  /// By name, of all dispatches so far.
  std::map<std::string, Counters> counters();
  void resetCounters();

private:
  struct Failure {
    hsa_status_t status;
    std::string message;
    uint64_t address = 0; ///< of a memory fault
  };
  Queue(Runtime &runtime, Agent &agent) : runtime(runtime), owner(agent) {}

  void work();
  /// True once `done` is; false if the queue is to stop.
  bool waitFor(const std::function<bool()> &done);

  std::optional<Failure> process(const void *slot, uint16_t header, uint64_t number);
  std::optional<Failure> dispatch(const hsa_kernel_dispatch_packet_t &packet, const void *slot,
                                  uint64_t number);
  std::optional<Failure> checkDispatch(const hsa_kernel_dispatch_packet_t &packet,
                                       const KernelInfo *kernel);
  std::optional<Failure> barrier(const hsa_barrier_and_packet_t &packet, bool isOr);
  std::optional<Failure> vendor(const hsa_amd_barrier_value_packet_t &packet);
  void fail(const Failure &failure);

  Runtime &runtime;
  Agent &owner;
  amd_queue_t *amd = nullptr;
  amd_signal_t *doorbell = nullptr;
  /// What the doorbell rings at: the highest packet number that is ready, -1 at first.
  volatile uint64_t *bell = nullptr;
  QueueCallback callback = nullptr;
  void *data = nullptr;
  std::atomic<bool> stopping{false};
  std::atomic<bool> profiling{false};
  std::thread thread;

  std::mutex mutex; ///< of what follows
  std::string message;
  std::map<std::string, Counters> sums;
};

} // namespace tinysim::hsa

#endif // TINY_LIB_SIM_HSA_QUEUE_H
