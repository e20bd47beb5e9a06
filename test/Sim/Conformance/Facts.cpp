//===- Facts.cpp - results that others saw on RDNA3 cards -------------------===//
//
// hardware-facts.txt holds instructions, inputs and outputs that public projects ran on
// hardware, with the project and file each comes from. The simulator has to agree with all
// of them: they settle what documents leave open.
//
//===----------------------------------------------------------------------===//

#include "Float.h"
#include "Suite.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace simtest;

namespace {
struct Expected {
  char kind; // v, s, or c for vcc, scc, exec
  unsigned number = 0, lane = 0;
  uint32_t value = 0;
  bool nan = false;  // any NaN
  unsigned near = 0; // distance of the bit patterns that is allowed
};
} // namespace

/// Registers start as 0, as they do in the public tests; v0... and s0... belong to the
/// fact, so what the suite needs moves out of their way.
static std::string before(unsigned lanes) {
  std::string t =
      "  s_mov_b64 s[80:81], s[4:5]\n  s_mov_b64 s[82:83], s[6:7]\n  v_mov_b32 v121, v1\n";
  for (int i = 0; i < 16; ++i)
    t += format("  v_mov_b32 v%d, 0\n  s_mov_b32 s%d, 0\n", i, i);
  t += "  s_mov_b32 vcc_lo, 0\n  s_mov_b32 m0, -1\n";
  return t + format("  s_mov_b32 exec_lo, 0x%x\n", lanes == 32 ? ~0u : (1u << lanes) - 1);
}

static void addFact(Suite &suite, const std::string &source, const std::string &name,
                    const std::string &text, unsigned lanes, const std::vector<Expected> &expected,
                    unsigned number) {
  Group &group = suite.group(format("fact%u", number), 32);
  group.ldsBytes = 32768;
  group.privateBytes = 1024;
  group.denorm32 = 0; // the assembler's default, with which the facts were recorded
  group.body = before(lanes) + text;
  // Save everything, then show it.
  group.body += "  s_cselect_b32 s86, 1, 0\n  s_mov_b32 s85, exec_lo\n  s_mov_b32 exec_lo, -1\n  "
                "s_mov_b32 s84, vcc_lo\n"
                "  s_mov_b64 s[4:5], s[80:81]\n  v_mov_b32 v122, v1\n  v_mov_b32 v1, v121\n";
  std::string saved;
  for (int i = 4; i < 6; ++i) // s4 and s5 hold the output pointer again
    saved += format("  s_mov_b32 s%d, s%d\n", 90 + i, i);
  group.body.insert(group.body.rfind("  s_mov_b64 s[4:5], s[80:81]"), saved);
  for (const Expected &e : expected) {
    Check check;
    check.name = source + " " + name + format(" %c%u", e.kind, e.number);
    check.expect = [e](const Wave &, unsigned lane, uint32_t *out) {
      out[0] = e.value;
      return lane == e.lane;
    };
    if (e.nan)
      check.match = Match::f32;
    if (e.near) {
      check.match = Match::f32;
      check.ulps = e.near;
    }
    std::string from =
        e.kind == 'v'   ? (e.number == 1 ? std::string("v122") : format("v%u", e.number))
        : e.kind == 's' ? (e.number == 4 || e.number == 5 ? format("s%u", 90 + e.number)
                                                          : format("s%u", e.number))
                        : format("s%u", 84 + e.number);
    group.add("  v_mov_b32 v40, " + from + "\n", check);
  }
}

static Expected parseExpected(const std::string &token, const std::string &where) {
  Expected e = {};
  size_t equal = token.find('=');
  if (equal == std::string::npos) {
    fprintf(stderr, "%s: no = in %s\n", where.c_str(), token.c_str());
    exit(2);
  }
  std::string left = token.substr(0, equal), right = token.substr(equal + 1);
  e.kind = left[0];
  if (left == "vcc" || left == "exec" || left == "scc") {
    e.kind = 'c';
    e.number = left == "vcc" ? 0 : left == "exec" ? 1 : 2;
  } else {
    e.number = atoi(left.c_str() + 1);
    size_t bracket = left.find('[');
    e.lane = bracket == std::string::npos ? 0 : atoi(left.c_str() + bracket + 1);
  }
  size_t tilde = right.find('~');
  if (tilde != std::string::npos)
    e.near = atoi(right.c_str() + tilde + 1);
  if (right == "nan") {
    e.nan = true;
    e.value = 0x7fc00000;
  } else if (right.find('.') != std::string::npos || right.find("inf") != std::string::npos) {
    e.value = bitsOf(float(atof(right.c_str())));
  } else {
    e.value = uint32_t(strtoll(right.c_str(), nullptr, 0));
  }
  return e;
}

/// The file: `source REPOSITORY:PATH` lines, and facts of the form
///   name [lanes=N] : register=value ... ; instruction ; ... -> register=value ...
/// A value is an integer, a float with a point, inf, or (expected only) nan; `~N` allows N ulps.
void simtest::addFacts(Suite &suite, const std::string &folder) {
  std::string path = folder + "/Conformance/hardware-facts.txt", line, source;
  std::ifstream file(path);
  if (!file) {
    fprintf(stderr, "cannot read %s\n", path.c_str());
    exit(2);
  }
  unsigned number = 0, lineNumber = 0;
  while (std::getline(file, line)) {
    ++lineNumber;
    if (line.empty() || line[0] == '#')
      continue;
    if (line.rfind("source ", 0) == 0) {
      source = line.substr(7);
      continue;
    }
    size_t colon = line.find(" : "), arrow = line.find(" -> ");
    if (colon == std::string::npos || arrow == std::string::npos) {
      fprintf(stderr, "%s:%u: no ' : ' or ' -> '\n", path.c_str(), lineNumber);
      exit(2);
    }
    std::string name = line.substr(0, colon), text, part;
    unsigned lanes = 1;
    if (size_t at = name.find(" lanes="); at != std::string::npos) {
      lanes = atoi(name.c_str() + at + 7);
      name.resize(at);
    }
    std::istringstream parts(line.substr(colon + 3, arrow - colon - 3));
    for (bool first = true; std::getline(parts, part, ';'); first = false) {
      if (!first) {
        text += "  " + part + "\n";
        continue;
      }
      std::istringstream registers(part);
      for (std::string token; registers >> token;) {
        Expected e = parseExpected(token, path);
        std::string to = e.kind == 'c' ? "vcc_lo" : format("%c%u", e.kind, e.number);
        text += format("  %s_mov_b32 %s, 0x%x\n", e.kind == 'v' ? "v" : "s", to.c_str(), e.value);
      }
    }
    std::vector<Expected> expected;
    std::istringstream results(line.substr(arrow + 4));
    for (std::string token; results >> token;)
      expected.push_back(parseExpected(token, path));
    addFact(suite, source, name, text, lanes, expected, number++);
  }
}
