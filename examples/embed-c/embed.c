/* Recognises a handwritten digit with a network that is linked into this program.
 *
 *   tiny-run demo/digits.onnx --emit obj -o digits.o --header digits.h
 *   gcc -O2 -I. examples/embed-c/embed.c digits.o -o embed -pthread
 *   ./embed demo/digits/7.npy
 *
 * The same with --emit static -o libdigits.a, or shared -o libdigits.so. With
 * --weights digits.bin the weights stay in that file, and -w digits.bin maps it.
 * Nothing of Tiny is needed to build or run it: digits.h and digits.o are all.
 */
#define _POSIX_C_SOURCE 200809L
#include "digits.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIXELS DIGITS_INPUT_0_COUNT
#define DIGITS DIGITS_OUTPUT_0_COUNT
#define MAX_THREADS 64

static void fail(const char *what, const char *path) {
  fprintf(stderr, "embed: %s '%s'\n", what, path);
  exit(1);
}

/* --- Threads --------------------------------------------------------------- */

/* Any pool will do that has a loop in it. This one makes its threads anew for each
 * loop, which takes longer than these kernels: a program keeps its threads. */
typedef struct {
  void (*body)(void *context, uint64_t first, uint64_t last);
  void *context;
  uint64_t first, last;
} range;

static void *run_range(void *argument) {
  range *r = argument;
  r->body(r->context, r->first, r->last);
  return NULL;
}

static void parallel_for(void *pool, uint64_t count,
                         void (*body)(void *context, uint64_t first, uint64_t last),
                         void *context) {
  uint64_t threads = *(const int *)pool, i;
  pthread_t handles[MAX_THREADS];
  range ranges[MAX_THREADS];
  int started[MAX_THREADS];
  if (threads > count)
    threads = count;
  for (i = 0; i < threads; ++i) {
    range r = {body, context, count * i / threads, count * (i + 1) / threads};
    ranges[i] = r;
    started[i] = i > 0 && pthread_create(&handles[i], NULL, run_range, &ranges[i]) == 0;
  }
  for (i = 0; i < threads; ++i) /* the first is ours, and what found no thread */
    if (!started[i])
      run_range(&ranges[i]);
  for (i = 0; i < threads; ++i)
    if (started[i])
      pthread_join(handles[i], NULL);
}

/* --- Files ----------------------------------------------------------------- */

/* The image is the end of a .npy file, whose beginning is text about its type. */
static void read_image(const char *path, float *image) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, -(long)DIGITS_INPUT_0_BYTES, SEEK_END) != 0 ||
      fread(image, DIGITS_INPUT_0_BYTES, 1, file) != 1)
    fail("cannot read an image from", path);
  fclose(file);
}

/* As a .npy file, for whoever wants to compare it. */
static void write_probabilities(const char *path, const float *probabilities) {
  char header[128];
  FILE *file = fopen(path, "wb");
  memset(header, ' ', sizeof header);
  memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10);
  header[10 + sprintf(header + 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, %d), }",
                      DIGITS)] = ' ';
  header[127] = '\n';
  if (!file || fwrite(header, sizeof header, 1, file) != 1 ||
      fwrite(probabilities, DIGITS_OUTPUT_0_BYTES, 1, file) != 1 || fclose(file) != 0)
    fail("cannot write", path);
}

#ifdef DIGITS_WEIGHTS_BYTES
static const void *map_weights(const char *path) {
  struct stat status;
  int file = open(path, O_RDONLY);
  void *weights;
  if (file < 0 || fstat(file, &status) != 0 || status.st_size != DIGITS_WEIGHTS_BYTES)
    fail("these are not the weights:", path);
  weights = mmap(NULL, DIGITS_WEIGHTS_BYTES, PROT_READ, MAP_PRIVATE, file, 0);
  if (weights == MAP_FAILED)
    fail("cannot map", path);
  close(file);
  return weights;
}
#endif

/* --- The program ----------------------------------------------------------- */

int main(int argc, char **argv) {
  const char *output = NULL, *weights = "digits.bin";
  int threads = 1, option, status, i, best = 0;
  while ((option = getopt(argc, argv, "t:w:o:")) != -1) {
    if (option == 't')
      threads = atoi(optarg);
    else if (option == 'w')
      weights = optarg;
    else if (option == 'o')
      output = optarg;
    else
      return 1;
  }
  if (optind + 1 != argc || threads < 1 || threads > MAX_THREADS)
    fail("usage: embed [-t THREADS] [-w WEIGHTS] [-o OUTPUT.npy] IMAGE.npy, not", argv[argc - 1]);

  /* One block of memory for all that a call needs; pieces begin at multiples of the alignment. */
  size_t image_bytes = (DIGITS_INPUT_0_BYTES + DIGITS_ALIGNMENT - 1) / DIGITS_ALIGNMENT;
  size_t result_bytes = (DIGITS_OUTPUT_0_BYTES + DIGITS_ALIGNMENT - 1) / DIGITS_ALIGNMENT;
  void *memory;
  image_bytes *= DIGITS_ALIGNMENT;
  result_bytes *= DIGITS_ALIGNMENT;
  if (posix_memalign(&memory, DIGITS_ALIGNMENT,
                     image_bytes + result_bytes + DIGITS_WORKSPACE_BYTES) != 0)
    fail("no memory for", argv[optind]);
  float *image = memory;
  float *probabilities = (float *)((char *)memory + image_bytes);
  void *workspace = (char *)memory + image_bytes + result_bytes;
  read_image(argv[optind], image);

  const void *inputs[DIGITS_NUM_INPUTS] = {image};
  void *outputs[DIGITS_NUM_OUTPUTS] = {probabilities};
  tiny_threads pool = {parallel_for, &threads};
#ifdef DIGITS_WEIGHTS_BYTES
  status = digits_run(inputs, outputs, map_weights(weights), workspace, &pool);
#else
  (void)weights;
  status = digits_run(inputs, outputs, workspace, threads > 1 ? &pool : NULL);
#endif
  if (status != DIGITS_OK)
    fail(status == DIGITS_NULL_POINTER ? "a null pointer for" : "a misaligned address for",
         argv[optind]);

  for (i = 1; i < DIGITS; ++i)
    if (probabilities[i] > probabilities[best])
      best = i;
  printf("%s: a %d, with a probability of %.4f\n", argv[optind], best, probabilities[best]);
  if (output)
    write_probabilities(output, probabilities);
  free(memory);
  return 0;
}
