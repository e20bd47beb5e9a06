/* Preloaded into rocminfo, which opens the device of the driver before it calls HSA.
 * The simulator needs no device, and must not pretend to be one by itself. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/types.h>

typedef int (*open_function)(const char *path, int flags, ...);

static int open_mapped(const char *name, const char *path, int flags, mode_t mode) {
  open_function next = (open_function)dlsym(RTLD_NEXT, name);
  return next(strcmp(path, "/dev/kfd") == 0 ? "/dev/null" : path, flags, mode);
}

/* The mode is only there with O_CREAT; passing on what happens to be in its place does no harm. */
int open(const char *path, int flags, mode_t mode) {
  return open_mapped("open", path, flags, mode);
}
int open64(const char *path, int flags, mode_t mode) {
  return open_mapped("open64", path, flags, mode);
}
