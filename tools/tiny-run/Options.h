//===- Options.h - the command line of tiny-run -----------------*- C++ -*-===//
//
// Repeatable options that go by name or by position, values with an optional
// name, and one error for anything unknown are what this command line is about,
// and what llvm::cl does not do: so it has a parser of its own. One table holds
// the options, so that --help cannot say anything else than what is parsed.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_RUN_OPTIONS_H
#define TINY_RUN_OPTIONS_H

#include "Tiny/Runtime/Compare.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tinyrun {

/// The value of --input: what an argument of the program becomes.
struct InputSpec {
  enum Kind { file, random, constant };
  std::string name; // empty: by position
  Kind kind = file;
  std::string text; // the path or the number
  uint64_t seed = 0;
};

/// The value of --output or --expect: a result of the program and a file.
struct FileSpec {
  std::string name;
  std::string path;
};

enum class Report { none, text, json };

struct Options {
  std::string model;
  std::string entry = "main";
  std::vector<std::pair<std::string, int64_t>> dims;
  std::vector<std::pair<std::string, std::string>> fixed;
  std::string target; // cpu, reference, or a GPU, once all is parsed
  std::string device; // cpu, sim, hsa, hsa:1 …; empty: what the target has
  std::string cpu = "host";
  std::string precision = "f32"; // of products: f32 or bf16
  std::string cache;             // a folder, or none; empty: the user's own
  unsigned threads = 0;
  uint64_t maxMemory = 0;                 // 0: what the machine has
  uint64_t maxFlops = 0, maxLaunches = 0; // 0: no limit

  std::vector<InputSpec> inputs;
  std::vector<FileSpec> outputs;
  std::vector<FileSpec> expected;
  std::vector<std::string> donated; // inputs by name or position
  std::optional<double> rtol, atol, maxTol;
  std::string verifyAgainst;

  unsigned bench = 0; // 0: no benchmark
  bool profile = false;
  std::optional<unsigned> tuneSeconds;
  Report report = Report::none;
  bool poison = false;

  std::string emit;
  std::string emitPath, headerPath, weightsPath;

  bool help = false;
  bool version = false;

  /// What --rtol, --atol and --max-tol ask for; NumPy's default if none is given.
  tinyrt::Tolerance tolerance() const;
  bool hasTolerance() const { return rtol || atol || maxTol; }
  bool isForGPU() const { return target != "cpu" && target != "reference"; }
  /// Whether --emit writes code for other programs, with a header, and not text for people or what
  /// a GPU loads.
  bool emitsLibrary() const {
    return !isForGPU() && (emit == "obj" || emit == "static" || emit == "shared");
  }
};

/// False with one line in `error` if the command line is not understood, or contradicts itself.
bool parseOptions(int argc, const char *const *argv, Options &options, std::string &error);

std::string helpText();

} // namespace tinyrun

#endif // TINY_RUN_OPTIONS_H
