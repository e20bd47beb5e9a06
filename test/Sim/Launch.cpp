//===- Launch.cpp - times one kernel ----------------------------------------===//
//
//   sim-launch CODE-OBJECT KERNEL WAVE-SIZE WAVES [LIBRARY]
//
// Prints the seconds of one dispatch of WAVES workgroups of one wave each, after one that
// is not counted. For benchmarks/simulator.py.
//
//===----------------------------------------------------------------------===//

#include "Support/HsaClient.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

using namespace simtest;

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: sim-launch CODE-OBJECT KERNEL WAVE-SIZE WAVES [LIBRARY]\n");
    return 2;
  }
  std::string error;
  std::unique_ptr<Client> client = Client::open(argc > 5 ? argv[5] : TINY_HSA_LIBRARY, error);
  std::map<std::string, Kernel> kernels;
  if (!client || !client->load(readFile(argv[1]), kernels, error) || !kernels.count(argv[2])) {
    fprintf(stderr, "cannot load %s: %s\n", argv[1], error.c_str());
    return 1;
  }
  Grid grid;
  grid.group[0] = static_cast<uint16_t>(atoi(argv[3]));
  double elapsed = 0;
  for (int waves : {1, atoi(argv[4])}) {
    grid.size[0] = grid.group[0] * waves;
    auto start = std::chrono::steady_clock::now();
    Outcome outcome = client->run(kernels[argv[2]], grid, {});
    elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!outcome.ok) {
      fprintf(stderr, "%s failed: %s\n", argv[2], outcome.error.c_str());
      return 1;
    }
  }
  printf("%.6f\n", elapsed);
  return 0;
}
