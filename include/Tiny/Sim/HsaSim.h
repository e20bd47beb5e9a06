/*===- HsaSim.h - what the simulator says beyond HSA ---------------*- C -*-===//
 *
 * libtiny-hsa-sim.so is an HSA library; these functions it has in addition. A
 * program that wants to run on ROCm too finds them with dlsym(RTLD_DEFAULT, …) and
 * does without where they are missing.
 *
 *===----------------------------------------------------------------------===*/

#ifndef TINY_SIM_HSASIM_H
#define TINY_SIM_HSASIM_H

#ifdef __cplusplus
extern "C" {
#endif

/* Messages (why a kernel was stopped, what is wrong with a call) go to `handler` and no
 * longer to stderr. It may be called from any thread and must not call HSA. NULL: stderr
 * again. */
void tiny_sim_set_message_handler(void (*handler)(const char *message, void *data), void *data);

/* One number of what a kernel has done: ("vadd", "LDS bank conflicts", 96, "cycles"). */
typedef void (*tiny_sim_counter_callback)(const char *kernel, const char *counter, double value,
                                          const char *unit, void *data);

/* Calls `callback` with all numbers of all kernels that have ended, summed over their
 * dispatches, on the queues that exist. Kernels come in the order of their names. */
void tiny_sim_iterate_counters(tiny_sim_counter_callback callback, void *data);
void tiny_sim_reset_counters(void);

#ifdef __cplusplus
}
#endif

#endif /* TINY_SIM_HSASIM_H */
