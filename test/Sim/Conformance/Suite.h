//===- Suite.h - what a conformance case is ----------------------*- C++ -*-===//
//
// A group is one kernel: it loads its input words, runs some instructions, and stores a
// word or more per lane after each. Every such result is a case, with the value that the
// instruction set demands computed here, in C++, from the same inputs. Cases share a
// kernel because assembling and launching cost more than running.
//
// Registers in a group's text: v0 work item, v1 its byte offset, v10... the input words,
// v40... the result; s[2:3] inputs, s[4:5] outputs, s[6:7] a scratch buffer of the
// workgroup (kAuxBytes), s20... the input words of lane 0 in scalar groups. The body may
// use every other register.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TEST_SIM_SUITE_H
#define TINY_TEST_SIM_SUITE_H

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace simtest {

constexpr unsigned kAuxBytes = 8192;

/// How a result is compared. Floats: any quiet NaN stands for every other one, since
/// which payload survives is not in the public documents.
enum class Match { bits, f16, f32, f64, bf16, loHiF16 };

/// The inputs of one wave.
struct Wave {
  const uint32_t *words; ///< [word][lane], 64 lanes a word
  unsigned workgroup, size;
  uint32_t at(unsigned word, unsigned lane) const { return words[word * 64 + lane]; }
};

/// Writes the expected words of one lane; false where anything is right.
using Expect = std::function<bool(const Wave &, unsigned lane, uint32_t *out)>;

struct Check {
  std::string name;
  unsigned words = 1;
  Match match = Match::bits;
  double ulps = 0; ///< for floats: how far from `expect` the result may be
  Expect expect;
};

struct Group {
  std::string name;
  unsigned wave = 32;
  unsigned waves = 1; ///< per workgroup; `expect` sees the first only
  bool scalar = false;
  unsigned inputs = 0, workgroups = 1;
  std::string body, directives;
  unsigned ldsBytes = 0, privateBytes = 0;
  unsigned denorm32 = 3, denorm16 = 3, round32 = 0, round16 = 0;
  bool ieee = true, dx10Clamp = true;
  std::vector<uint32_t> in;  ///< [workgroup][word][64]
  std::vector<uint32_t> aux; ///< first words of the scratch buffer of every workgroup
  std::vector<Check> checks;

  /// Appends instructions that leave `check.words` words in v40..., and the case.
  void add(const std::string &text, Check check);
  unsigned outputWords() const;
};

/// The suite; every table appends to it.
struct Suite {
  std::vector<Group> groups;
  Group &group(const std::string &name, unsigned wave);
};

void addScalar(Suite &);
void addScalarMemory(Suite &);
void addVector(Suite &);
void addCompare(Suite &);
void addPacked(Suite &);
void addDual(Suite &);
void addLanes(Suite &);
void addModes(Suite &);
void addMatrix(Suite &);
void addLds(Suite &);
void addMemory(Suite &);
void addBuffer(Suite &);
void addBufferFormats(Suite &);
void addControl(Suite &);
void addFacts(Suite &, const std::string &folder);

/// printf into a string.
std::string format(const char *text, ...) __attribute__((format(printf, 1, 2)));

/// Deterministic random words.
struct Random {
  uint64_t state;
  explicit Random(const std::string &seed);
  uint32_t next();
  uint64_t next64() { return uint64_t(next()) << 32 | next(); }
  unsigned below(unsigned n) { return next() % n; }
};

/// A value of a type ('f' f32, 'h' f16, 'd' f64, 'u' 32, 'w' 16, 'q' 64 bits, 'p' two f16,
/// 'k' two 16-bit integers, 'e', 'b', 'g' small exact halves, bfloat16 and f32): special ones
/// first, `index` by `index`, random ones after.
uint64_t sample(char type, unsigned index, Random &random);

} // namespace simtest

#endif // TINY_TEST_SIM_SUITE_H
