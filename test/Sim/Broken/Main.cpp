//===- Main.cpp - kernels with a mistake, and what is said of them ----------===//
//
//   sim-broken [--library=PATH] [--case=NAME]
//
// Every case runs in a process of its own, whose standard error has to name the kernel,
// the offset of the instruction, the kind of mistake, and the source line that is marked
// `HERE name` in broken.s or broken.cl. The queue has to report an error, too. A correct
// kernel that runs beside them must not be reported. On a card most of these mistakes go
// unnoticed, so this is a test of the simulator only.
//
//===----------------------------------------------------------------------===//

#include "../Support/HsaClient.h"

#include <cstdio>
#include <cstring>
#include <fstream>

using namespace simtest;

namespace {
struct Case {
  const char *name, *says;
  unsigned items = 32;
  const char *file = "broken.s";
};
} // namespace

static const Case kCases[] = {
    {"out_of_bounds", "out of bounds"},
    {"use_after_free", "use after free"},
    {"register_never_written", "never written"},
    {"scalar_never_written", "never written"},
    {"lds_never_written", "never written"},
    {"missing_wait", "s_waitcnt"},
    {"missing_scalar_wait", "s_waitcnt"},
    {"race", "since the last barrier", 64},
    {"misaligned", "not a multiple of 4"},
    {"divergent_barrier", "barrier", 64},
    {"trap", "trap"},
    {"halt", "halts the wave"},
    {"released", "MSG_DEALLOC_VGPRS"},
    {"illegal_instruction", "illegal instruction"},
    {"unimplemented_instruction", "not implemented"},
    {"jump_away", "0x40"},
    {"past_the_end", "out of bounds", 32, "broken.cl"},
    {"never_filled", "never written", 32, "broken.cl"},
};

static int runCase(const std::string &library, const Case &test) {
  std::string error;
  std::unique_ptr<Client> client = Client::open(library, error);
  if (!client) {
    fprintf(stderr, "cannot use %s: %s\n", library.c_str(), error.c_str());
    return 77;
  }
  std::map<std::string, Kernel> kernels;
  std::string object = std::string(TINY_SIM_KERNELS) + "/" + test.file + ".hsaco";
  if (!client->load(readFile(object), kernels, error) || !kernels.count(test.name)) {
    printf("cannot load %s: %s\n", object.c_str(), error.c_str());
    return 2;
  }
  void *buffer = client->allocate(1024), *gone = client->allocate(4096);
  memset(buffer, 0, 1024);
  client->free(gone);
  std::vector<char> arguments(16);
  memcpy(arguments.data(), &buffer, 8);
  memcpy(arguments.data() + 8, &gone, 8);
  Grid grid;
  grid.group[0] = test.items;
  grid.size[0] = test.items;
  Outcome outcome = client->run(kernels[test.name], grid, arguments);
  if (outcome.ok) {
    printf("the dispatch succeeded\n");
    return 1;
  }
  printf("queue error: %s\n", outcome.error.c_str());
  // After the error the process goes on: another kernel still runs.
  if (!client->load(readFile(std::string(TINY_SIM_KERNELS) + "/broken.s.hsaco"), kernels, error)) {
    printf("cannot load: %s\n", error.c_str());
    return 2;
  }
  grid.group[0] = grid.size[0] = 32;
  outcome = client->run(kernels["correct"], grid, arguments);
  if (!outcome.ok || static_cast<uint32_t *>(buffer)[31] != 31) {
    printf("a correct kernel failed after that: %s\n", outcome.error.c_str());
    return 1;
  }
  return 0;
}

/// The lines of a file marked `HERE name`.
static std::vector<std::string> marked(const Case &test) {
  std::ifstream in(std::string(TINY_SIM_TEST_FOLDER) + "/Broken/" + test.file);
  std::vector<std::string> places;
  std::string line, mark = std::string("HERE ") + test.name;
  for (unsigned number = 1; std::getline(in, line); ++number)
    if (line.size() >= mark.size() &&
        line.compare(line.size() - mark.size(), mark.size(), mark) == 0)
      places.push_back(std::string(test.file) + ":" + std::to_string(number));
  return places;
}

int main(int argc, char **argv) {
  std::string library = TINY_HSA_LIBRARY, only;
  for (int i = 1; i < argc; ++i) {
    std::string a = argv[i];
    if (a.rfind("--library=", 0) == 0)
      library = a.substr(10);
    else if (a.rfind("--case=", 0) == 0)
      only = a.substr(7);
    else {
      fprintf(stderr, "unknown option %s\n", argv[i]);
      return 2;
    }
  }
  for (const Case &test : kCases)
    if (only == test.name)
      return runCase(library, test);
  unsigned failed = 0;
  for (const Case &test : kCases) {
    std::string output;
    bool ran =
        runCommand(std::string(argv[0]) + " --library=" + library + " --case=" + test.name, output);
    std::vector<std::string> wanted = {std::string("'") + test.name + "'",
                                       std::string(test.name) + "+0x", test.says, "queue error"},
                             missing;
    for (const std::string &text : wanted)
      if (output.find(text) == std::string::npos)
        missing.push_back(text);
    std::vector<std::string> places = marked(test);
    bool placed = places.empty();
    for (const std::string &place : places)
      placed |= output.find(place) != std::string::npos;
    if (!placed)
      missing.push_back(places[0]);
    if (ran && missing.empty())
      continue;
    ++failed;
    printf("FAIL %s:", test.name);
    for (const std::string &text : missing)
      printf(" no \"%s\"", text.c_str());
    printf(" in:\n%s\n", output.c_str());
  }
  printf("%zu broken kernels: %u not reported as they should be\n", sizeof kCases / sizeof *kCases,
         failed);
  return failed ? 1 : 0;
}
