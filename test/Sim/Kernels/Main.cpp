//===- Main.cpp - OpenCL C kernels on device and host -----------------------===//
//
//   sim-kernels [--library=PATH] [--filter=TEXT]
//
// Every kernel runs as wave32 and as wave64 code, and has to give what the same source
// gives as host code: bit for bit, or within an error bound where it uses instructions
// whose results are not specified exactly.
//
//===----------------------------------------------------------------------===//

#include "../Support/HsaClient.h"
#include "Host.h"

#include <cmath>
#include <cstdio>
#include <cstring>

using namespace simtest;

#define KERNELS(X)                                                                                 \
  X(integer, saxpy_int, 128, 4, 1, 0)                                                              \
  X(integer, divide64, 64, 4, 2, 0)                                                                \
  X(integer, divide32, 128, 4, 1, 0)                                                               \
  X(integer, multiply128, 128, 2, 2, 0)                                                            \
  X(integer, greatest_divisor, 128, 4, 1, 0)                                                       \
  X(integer, collatz, 128, 2, 1, 0)                                                                \
  X(integer, crc32, 128, 2, 1, 0)                                                                  \
  X(integer, sha256, 64, 4, 8, 0)                                                                  \
  X(integer, jump_table, 128, 4, 1, 0)                                                             \
  X(integer, function_pointers, 128, 4, 1, 0)                                                      \
  X(integer, stack_quicksort, 64, 4, 1, 0)                                                         \
  X(integer, recursion, 64, 2, 1, 0)                                                               \
  X(integer, string_search, 64, 4, 1, 0)                                                           \
  X(integer, bit_tricks, 128, 4, 1, 0)                                                             \
  X(integer, sieve, 64, 2, 1, 0)                                                                   \
  X(integer, edit_distance, 64, 2, 1, 0)                                                           \
  X(integer, bytes_and_shorts, 128, 4, 1, 0)                                                       \
  X(integer, big_numbers, 64, 4, 1, 0)                                                             \
  X(floating, saxpy, 128, 4, 1, 0)                                                                 \
  X(floating, divide_and_root, 128, 8, 2, 0)                                                       \
  X(floating, divide_double, 128, 4, 2, 0)                                                         \
  X(floating, mandelbrot, 128, 16, 1, 0)                                                           \
  X(floating, mandelbrot_double, 128, 4, 1, 0)                                                     \
  X(floating, ray_tracer, 128, 16, 1, 0)                                                           \
  X(floating, matrix_inverse, 64, 2, 1, 0)                                                         \
  X(floating, compensated_sum, 128, 2, 1, 0)                                                       \
  X(floating, bodies, 64, 2, 1, 0)                                                                 \
  X(floating, conversions, 128, 8, 4, 0)                                                           \
  X(floating, rounding, 128, 8, 1, 0)                                                              \
  X(floating, minimum_maximum, 128, 4, 1, 0)                                                       \
  X(floating, fused, 128, 4, 2, 0)                                                                 \
  X(floating, half_arithmetic, 128, 8, 2, 0)                                                       \
  X(floating, packed_half, 128, 8, 1, 0)                                                           \
  X(floating, packed_short, 128, 4, 1, 0)                                                          \
  X(floating, half_matrix, 64, 2, 1, 0)                                                            \
  X(floating, transcendental, 128, 4, 4, 4e-6)                                                     \
  X(groups, reduce, 256, 3, 1, 0)                                                                  \
  X(groups, reduce_float, 256, 3, 1, 0)                                                            \
  X(groups, prefix_sum, 256, 3, 1, 0)                                                              \
  X(groups, prefix_sum_blelloch, 256, 3, 1, 0)                                                     \
  X(groups, bitonic_sort, 256, 3, 1, 0)                                                            \
  X(groups, transpose, 256, 3, 1, 0)                                                               \
  X(groups, matrix_product, 256, 4, 1, 0)                                                          \
  X(groups, histogram, 256, 2, 1, 0)                                                               \
  X(groups, global_atomics, 256, 4, 1, 0)                                                          \
  X(groups, compare_exchange, 64, 4, 1, 0)                                                         \
  X(groups, shuffle_reduce, 128, 4, 1, 0)                                                          \
  X(groups, shuffle_scan, 128, 4, 1, 0)                                                            \
  X(groups, dpp_scan, 128, 4, 1, 0)                                                                \
  X(groups, lane_moves, 128, 4, 1, 0)                                                              \
  X(groups, ballots, 128, 4, 2, 0)                                                                 \
  X(groups, game_of_life, 256, 3, 1, 0)                                                            \
  X(groups, fourier, 256, 3, 2, 0)                                                                 \
  X(groups, shortest_paths, 256, 2, 1, 0)                                                          \
  X(groups, generic_pointers, 256, 2, 1, 0)                                                        \
  X(groups, convolution, 256, 3, 1, 0)                                                             \
  X(groups, compaction, 256, 3, 1, 0)                                                              \
  X(matrix, wmma_f16, 0, 4, 8, 1e-5)                                                               \
  X(matrix, wmma_iu8, 0, 4, 8, 0)

#define X(file, name, items, groups, words, error)                                                 \
  extern "C" void name(const uint32_t *, uint32_t *, uint32_t);
KERNELS(X)
#undef X

namespace {
struct Entry {
  const char *file, *name;
  HostKernel host;
  unsigned items, groups, words; // items 0: one wave
  double error;                  // relative, 0 for equal bits
};
} // namespace

static const Entry kEntries[] = {
#define X(file, name, items, groups, words, error)                                                 \
  {#file, #name, name, items, groups, words, error},
    KERNELS(X)
#undef X
};

static uint32_t randomWord(uint64_t &state) {
  state = state * 6364136223846793005ull + 1442695040888963407ull;
  return uint32_t((state ^ state >> 31) * 0xbf58476d1ce4e5b9ull >> 32);
}

static float asFloat(uint32_t bits) {
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

/// True if the device gave what the host did; says where not otherwise.
static bool runOne(Client &client, const Kernel &kernel, const Entry &entry, unsigned wave) {
  constexpr uint32_t kCount = 4096;
  unsigned items = entry.items ? entry.items : wave;
  size_t words = size_t(items) * entry.groups * entry.words;
  std::vector<uint32_t> in(kCount), want(words, 0);
  uint64_t state = 42;
  for (uint32_t &x : in)
    x = randomWord(state);
  for (unsigned k = 0; k < 256; ++k) { // the twiddle factors of `fourier`
    float c = float(cos(k * 6.283185307179586 / 256)), s = float(sin(k * 6.283185307179586 / 256));
    memcpy(&in[kCount - 512 + k], &c, 4);
    memcpy(&in[kCount - 256 + k], &s, 4);
  }
  runOnHost(entry.host, in.data(), want.data(), kCount, entry.groups, items);

  void *deviceIn = client.allocateDevice(kCount * 4), *deviceOut = client.allocateDevice(words * 4);
  std::vector<uint32_t> got(words, 0);
  bool ok =
      client.copy(deviceIn, in.data(), kCount * 4) && client.copy(deviceOut, got.data(), words * 4);
  struct {
    void *in, *out;
    uint32_t n;
  } arguments = {deviceIn, deviceOut, kCount};
  std::vector<char> bytes(20);
  memcpy(bytes.data(), &arguments, 20);
  Grid grid;
  grid.group[0] = items;
  grid.size[0] = items * entry.groups;
  Outcome outcome;
  Kernel launched = kernel;
  if (std::string(entry.name) ==
      "recursion") // whose depth the compiler does not know: it counts one call
    launched.privateBytes += 2048;
  if (ok)
    outcome = client.run(launched, grid, bytes);
  ok = ok && outcome.ok && client.copy(got.data(), deviceOut, words * 4);
  client.free(deviceIn);
  client.free(deviceOut);
  if (!ok) {
    printf("FAIL %s (wave%u): %s\n", entry.name, wave, outcome.error.c_str());
    return false;
  }
  for (size_t i = 0; i < words; ++i) {
    if (want[i] == got[i])
      continue;
    double w = asFloat(want[i]), g = asFloat(got[i]);
    if (entry.error && std::fabs(w - g) <= entry.error * std::fabs(w))
      continue;
    printf("FAIL %s (wave%u): word %zu: want %08x (%g), got %08x (%g)\n", entry.name, wave, i,
           want[i], w, got[i], g);
    return false;
  }
  return true;
}

int main(int argc, char **argv) {
  std::string library = TINY_HSA_LIBRARY, filter;
  for (int i = 1; i < argc; ++i) {
    std::string a = argv[i];
    if (a.rfind("--library=", 0) == 0)
      library = a.substr(10);
    else if (a.rfind("--filter=", 0) == 0)
      filter = a.substr(9);
    else {
      fprintf(stderr, "unknown option %s\n", argv[i]);
      return 2;
    }
  }
  std::string error;
  std::unique_ptr<Client> client = Client::open(library, error);
  if (!client) {
    fprintf(stderr, "cannot use %s: %s\n", library.c_str(), error.c_str());
    return 77;
  }
  unsigned run = 0, failed = 0;
  for (unsigned wave : {32u, 64u}) {
    std::map<std::string, Kernel> kernels;
    for (const char *file : {"integer", "floating", "groups", "matrix"}) {
      std::string path =
          std::string(TINY_SIM_KERNELS) + "/" + file + "-w" + std::to_string(wave) + ".hsaco";
      std::vector<char> elf = readFile(path);
      if (elf.empty() || !client->load(elf, kernels, error)) {
        printf("FAIL to load %s: %s\n", path.c_str(), error.c_str());
        return 1;
      }
    }
    for (const Entry &entry : kEntries) {
      if (std::string(entry.name).find(filter) == std::string::npos)
        continue;
      auto kernel = kernels.find(entry.name);
      ++run;
      if (kernel == kernels.end()) {
        printf("FAIL %s (wave%u): not in the code object\n", entry.name, wave);
        ++failed;
        continue;
      }
      failed += !runOne(*client, kernel->second, entry, wave);
      fflush(stdout);
    }
  }
  printf("%u kernels: %u failed\n", run, failed);
  return failed ? 1 : 0;
}
