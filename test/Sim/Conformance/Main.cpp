//===- Main.cpp - runs the conformance suite --------------------------------===//
//
//   sim-conformance [--library=PATH] [--filter=TEXT] [--keep=FOLDER] [--emit-only] [--list]
//                   [--verbose]
//
// Without --library the simulator's. Exit status 1 if a case fails, 77 (skipped) if the
// library or its card is missing.
//
//===----------------------------------------------------------------------===//

#include "../Support/HsaClient.h"
#include "Emit.h"
#include "Float.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <unistd.h>

using namespace simtest;

/// The distance of two floats in units of the expected value's last place.
static bool near(double want, double got, double ulps, int mantissa, int minExponent) {
  if (std::isnan(want) || std::isnan(got))
    return std::isnan(want) && std::isnan(got);
  if (std::isinf(want) || std::isinf(got) || want == 0)
    return want == got;
  int e = ilogb(want) < minExponent ? minExponent : ilogb(want);
  return std::fabs(want - got) <= ulps * ldexp(1.0, e - mantissa);
}

static bool sameF16(uint32_t want, uint32_t got, double ulps) {
  if (isNanH(want))
    return isNanH(got) && (got & 0x200);
  return want == got || (ulps && near(asH(want), asH(got), ulps, 10, -14));
}

static bool same(const Check &check, const uint32_t *want, const uint32_t *got) {
  if (std::equal(want, want + check.words, got)) // also a signalling NaN that was left alone
    return true;
  switch (check.match) {
  case Match::bits:
    break;
  case Match::f16:
    return (want[0] >> 16) == (got[0] >> 16) &&
           sameF16(want[0] & 0xffff, got[0] & 0xffff, check.ulps);
  case Match::loHiF16:
    return sameF16(want[0] & 0xffff, got[0] & 0xffff, check.ulps) &&
           sameF16(want[0] >> 16, got[0] >> 16, check.ulps);
  case Match::bf16:
    return std::isnan(asB(want[0])) ? std::isnan(asB(got[0])) : want[0] == got[0];
  case Match::f32: // every word is one
    for (unsigned i = 0; i < check.words; ++i) {
      if (std::isnan(asF(want[i]))
              ? !(std::isnan(asF(got[i])) && !isSignallingF(got[i]))
              : want[i] != got[i] &&
                    !(check.ulps && near(asF(want[i]), asF(got[i]), check.ulps, 23, -126)))
        return false;
    }
    return true;
  case Match::f64: {
    double w = asD(uint64_t(want[1]) << 32 | want[0]), g = asD(uint64_t(got[1]) << 32 | got[0]);
    if (std::isnan(w))
      return std::isnan(g) && (got[1] & 0x80000);
    if (check.ulps)
      return near(w, g, check.ulps, 52, -1022);
    break;
  }
  }
  for (unsigned i = 0; i < check.words; ++i)
    if (want[i] != got[i])
      return false;
  return true;
}

namespace {
struct Totals {
  unsigned groups = 0, cases = 0, failedCases = 0, failedGroups = 0;
  uint64_t values = 0;
};
} // namespace

static void runGroup(Client &client, const Kernel &kernel, const Group &group, bool verbose,
                     Totals &totals) {
  totals.groups++;
  totals.cases += group.checks.size();
  size_t inWords = size_t(group.workgroups) * group.inputs * 64;
  size_t outWords = size_t(group.workgroups) * group.outputWords() * 64;
  auto *in = static_cast<uint32_t *>(client.allocate(inWords * 4 + 4096));
  auto *out = static_cast<uint32_t *>(client.allocate(outWords * 4 + 4096));
  auto *aux = static_cast<char *>(client.allocate(size_t(group.workgroups) * kAuxBytes));
  std::copy(group.in.begin(), group.in.end(), in);
  std::fill(out, out + outWords, 0xdeadbeef);
  for (unsigned g = 0; g < group.workgroups; ++g) {
    memset(aux + size_t(g) * kAuxBytes, 0, kAuxBytes);
    if (!group.aux.empty())
      memcpy(aux + size_t(g) * kAuxBytes, group.aux.data(), group.aux.size() * 4);
  }
  std::vector<char> arguments(24);
  void *pointers[] = {in, out, aux};
  memcpy(arguments.data(), pointers, 24);
  Grid grid;
  grid.group[0] = group.wave * group.waves;
  grid.size[0] = grid.group[0] * group.workgroups;
  Outcome outcome = client.run(kernel, grid, arguments);
  if (!outcome.ok) {
    printf("FAIL %s: %s (%zu cases)\n", group.name.c_str(), outcome.error.c_str(),
           group.checks.size());
    fflush(stdout);
    totals.failedGroups++;
    totals.failedCases += group.checks.size();
  } else {
    unsigned word = 0, words = group.outputWords(), shown = 0;
    for (const Check &check : group.checks) {
      unsigned bad = 0;
      for (unsigned g = 0; g < group.workgroups; ++g) {
        Wave wave = {group.in.data() + size_t(g) * group.inputs * 64, g, group.wave};
        for (unsigned lane = 0; lane < group.wave; ++lane) {
          uint32_t want[16] = {}, got[16] = {};
          if (!check.expect(wave, lane, want))
            continue;
          totals.values++;
          for (unsigned i = 0; i < check.words; ++i)
            got[i] = out[(size_t(g) * words + word + i) * 64 + lane];
          if (same(check, want, got) || bad++ >= (verbose ? 8 : 1))
            continue;
          if (shown++ > 24 && !verbose)
            continue;
          printf("FAIL %s\n     workgroup %u lane %u: want", check.name.c_str(), g, lane);
          for (unsigned i = 0; i < check.words; ++i)
            printf(" %08x", want[i]);
          printf(", got");
          for (unsigned i = 0; i < check.words; ++i)
            printf(" %08x", got[i]);
          printf("; inputs");
          for (unsigned i = 0; i < group.inputs && i < 8; ++i)
            printf(" %08x", wave.at(i, lane));
          printf("\n");
        }
      }
      totals.failedCases += bad != 0;
      word += check.words;
    }
  }
  client.free(in);
  client.free(out);
  client.free(aux);
}

int main(int argc, char **argv) {
  std::string library = TINY_HSA_LIBRARY, filter, keep;
  bool emitOnly = false, list = false, verbose = false;
  for (int i = 1; i < argc; ++i) {
    std::string a = argv[i];
    if (a.rfind("--library=", 0) == 0)
      library = a.substr(10);
    else if (a.rfind("--filter=", 0) == 0)
      filter = a.substr(9);
    else if (a.rfind("--keep=", 0) == 0)
      keep = a.substr(7);
    else if (a == "--emit-only")
      emitOnly = true;
    else if (a == "--list")
      list = true;
    else if (a == "--verbose")
      verbose = true;
    else {
      fprintf(stderr, "unknown option %s\n", argv[i]);
      return 2;
    }
  }
  Suite suite;
  addScalar(suite);
  addScalarMemory(suite);
  addVector(suite);
  addCompare(suite);
  addPacked(suite);
  addDual(suite);
  addLanes(suite);
  addModes(suite);
  addMatrix(suite);
  addLds(suite);
  addMemory(suite);
  addBuffer(suite);
  addBufferFormats(suite);
  addControl(suite);
  addFacts(suite, TINY_SIM_TEST_FOLDER);

  std::vector<std::vector<const Group *>> files;
  for (unsigned wave : {32u, 64u}) {
    std::vector<const Group *> file;
    for (const Group &group : suite.groups) {
      if (group.wave != wave || group.name.find(filter) == std::string::npos)
        continue;
      file.push_back(&group);
      if (file.size() == 100)
        files.push_back(std::move(file)), file.clear();
    }
    if (!file.empty())
      files.push_back(std::move(file));
  }
  if (list) {
    size_t cases = 0;
    for (auto &file : files)
      for (const Group *group : file)
        for (const Check &check : group->checks)
          puts(check.name.c_str()), cases++;
    fprintf(stderr, "%zu cases\n", cases);
    return 0;
  }
  std::string error;
  std::unique_ptr<Client> client;
  if (!emitOnly && !(client = Client::open(library, error))) {
    fprintf(stderr, "cannot use %s: %s\n", library.c_str(), error.c_str());
    return 77;
  }
  std::string folder = keep;
  if (folder.empty()) {
    char pattern[] = "/tmp/sim-conformance-XXXXXX";
    if (!mkdtemp(pattern))
      return 2;
    folder = pattern;
  }
  std::filesystem::create_directories(folder);
  Totals totals;
  bool broken = false;
  for (size_t i = 0; i < files.size(); ++i) {
    unsigned wave = files[i][0]->wave;
    std::vector<char> elf;
    if (!assemble(emit(files[i]), wave, folder + format("/w%u-%zu", wave, i), elf, error)) {
      printf("FAIL to assemble:\n%s\n", error.c_str());
      broken = true;
      continue;
    }
    if (emitOnly)
      continue;
    std::map<std::string, Kernel> kernels;
    if (!client->load(elf, kernels, error)) {
      printf("FAIL to load: %s\n", error.c_str());
      broken = true;
      continue;
    }
    for (const Group *group : files[i]) {
      auto kernel = kernels.find(group->name);
      if (kernel == kernels.end()) {
        printf("FAIL %s: not in the code object\n", group->name.c_str());
        broken = true;
        continue;
      }
      runGroup(*client, kernel->second, *group, verbose, totals);
    }
  }
  if (keep.empty())
    std::filesystem::remove_all(folder);
  if (!emitOnly)
    printf("%u kernels, %u cases, %llu values: %u cases failed\n", totals.groups, totals.cases,
           static_cast<unsigned long long>(totals.values), totals.failedCases);
  return broken || totals.failedCases ? 1 : 0;
}
