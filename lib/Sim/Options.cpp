//===- Options.cpp - the environment, names and sums ------------------------===//
//
// The one place that reads TINY_SIM_* variables.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Sim/Simulator.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdlib>

using namespace llvm;

namespace tinysim {

static const struct {
  const char *name;
  Check check;
} checkNames[] = {
    {"uninitialised", Check::uninitialised},
    {"waits", Check::waits},
    {"races", Check::races},
    {"alignment", Check::alignment},
    {"barriers", Check::barriers},
    {"released", Check::released},
    {"hidden", Check::hidden},
};

static bool parseChecks(StringRef text, uint32_t &checks, std::string &error) {
  SmallVector<StringRef, 8> names;
  text.split(names, ',', -1, /*KeepEmpty=*/false);
  // A list of what to leave out starts with everything, one of what to do with nothing.
  uint32_t result = !names.empty() && names[0].starts_with("-") ? Options::allChecks : 0;
  for (StringRef name : names) {
    name = name.trim();
    bool without = name.consume_front("-");
    uint32_t bits = 0;
    if (name == "all" || name == "1")
      bits = Options::allChecks;
    else if (name == "none" || name == "0") {
      bits = Options::allChecks;
      without = !without;
    }
    for (const auto &entry : checkNames)
      if (name == entry.name)
        bits = static_cast<uint32_t>(entry.check);
    if (!bits) {
      error = "TINY_SIM_CHECKS names no check '" + name.str() +
              "'; there are all, none, uninitialised, waits, races, alignment, barriers, "
              "released and hidden";
      return false;
    }
    result = without ? result & ~bits : result | bits;
  }
  checks = result;
  return true;
}

template <typename T> static void parseNumber(const char *variable, T &value, std::string &error) {
  const char *text = std::getenv(variable);
  if (!text || !*text)
    return;
  T parsed;
  if (StringRef(text).getAsInteger(10, parsed))
    error = std::string(variable) + " is '" + text + "', which is no number";
  else
    value = parsed;
}

Options Options::fromEnvironment(std::string &error) {
  Options options;
  if (const char *text = std::getenv("TINY_SIM_CHECKS"))
    parseChecks(text, options.checks, error);
  parseNumber("TINY_SIM_THREADS", options.threads, error);
  parseNumber("TINY_SIM_TIMEOUT", options.timeoutSeconds, error);
  unsigned perturb = 0;
  parseNumber("TINY_SIM_PERTURB", perturb, error);
  options.perturb = perturb != 0;
  return options;
}

const char *getName(Fault::Kind kind) {
  switch (kind) {
  case Fault::Kind::illegalInstruction:
    return "illegal instruction";
  case Fault::Kind::unimplemented:
    return "unimplemented instruction";
  case Fault::Kind::invalidDispatch:
    return "invalid dispatch";
  case Fault::Kind::outOfBounds:
    return "out of bounds";
  case Fault::Kind::useAfterFree:
    return "use after free";
  case Fault::Kind::uninitialised:
    return "uninitialised";
  case Fault::Kind::hazard:
    return "missing wait";
  case Fault::Kind::race:
    return "race";
  case Fault::Kind::misaligned:
    return "misaligned";
  case Fault::Kind::divergentBarrier:
    return "divergent barrier";
  case Fault::Kind::trap:
    return "trap";
  case Fault::Kind::released:
    return "released registers";
  case Fault::Kind::hiddenArgument:
    return "hidden argument";
  case Fault::Kind::timeout:
    return "time-out";
  }
  return "fault";
}

const char *getName(InstructionClass kind) {
  static const char *const names[instructionClasses] = {
      "salu",   "branch", "smem",    "valu",   "trans",   "vopd", "wmma",    "lds",
      "global", "flat",   "scratch", "buffer", "barrier", "wait", "message", "other"};
  return names[static_cast<unsigned>(kind)];
}

uint64_t Counters::total() const {
  uint64_t sum = 0;
  for (uint64_t n : instructions)
    sum += n;
  return sum;
}

Counters &Counters::operator+=(const Counters &other) {
  static constexpr uint64_t Counters::*sums[] = {
      &Counters::workgroups,         &Counters::waves,
      &Counters::valuLanes,          &Counters::valuLaneSlots,
      &Counters::globalLoadBytes,    &Counters::globalStoreBytes,
      &Counters::globalTransactions, &Counters::scalarLoadBytes,
      &Counters::ldsLoadBytes,       &Counters::ldsStoreBytes,
      &Counters::ldsBankConflicts,   &Counters::scratchLoadBytes,
      &Counters::scratchStoreBytes,  &Counters::atomics};
  for (auto sum : sums)
    this->*sum += other.*sum;
  for (unsigned n = 0; n < instructionClasses; ++n)
    instructions[n] += other.instructions[n];
  vgprs = other.vgprs;
  sgprs = other.sgprs;
  ldsBytes = other.ldsBytes;
  scratchBytesPerLane = other.scratchBytesPerLane;
  wavesPerSimd = other.wavesPerSimd;
  return *this;
}

Observer::~Observer() = default;

} // namespace tinysim
