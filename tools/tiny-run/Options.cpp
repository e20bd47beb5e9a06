//===- Options.cpp - the command line of tiny-run -------------------------===//

#include "Options.h"

#include "Tiny/Runtime/HsaDevice.h"
#include "Tiny/Runtime/TensorFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"

using namespace tinyrun;
using llvm::StringRef;

tinyrt::Tolerance Options::tolerance() const {
  if (!hasTolerance())
    return {};
  if (!rtol && !atol)
    return tinyrt::Tolerance::ofLargest(*maxTol);
  tinyrt::Tolerance numpy;
  return {rtol.value_or(numpy.rtol), atol.value_or(numpy.atol), maxTol.value_or(-1)};
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Splits "name=value"; the name is empty if there is none. Names may contain '=', and so may
/// paths, which begin behind the first "@".
static std::pair<StringRef, StringRef> splitName(StringRef text) {
  if (text.starts_with("@"))
    return {"", text};
  size_t at = text.find("=@");
  if (at == StringRef::npos)
    at = text.rfind('=');
  if (at == StringRef::npos)
    return {"", text};
  return {text.take_front(at), text.drop_front(at + 1)};
}

static bool parseInput(Options &options, StringRef text, std::string &error) {
  auto [name, value] = splitName(text);
  InputSpec input;
  input.name = name.str();
  double number;
  if (value.consume_front("@")) {
    input.kind = InputSpec::file;
  } else if (value.consume_front("random:")) {
    input.kind = InputSpec::random;
    if (value.getAsInteger(10, input.seed)) {
      error = "'" + text.str() + "': a seed is a whole number, as in random:1";
      return false;
    }
  } else {
    input.kind = InputSpec::constant;
    if (value != "true" && value != "false" && value.getAsDouble(number)) {
      error = "'" + text.str() +
              "' is no input: give [NAME=] and @FILE.npy, @FILE.pb, random:SEED or a number";
      return false;
    }
  }
  input.text = value.str();
  if (input.kind == InputSpec::file && value.empty()) {
    error = "'" + text.str() + "': a file name must follow the @";
    return false;
  }
  options.inputs.push_back(std::move(input));
  return true;
}

static bool parseFile(std::vector<FileSpec> &files, StringRef text, std::string &error) {
  auto [name, value] = splitName(text);
  StringRef path = value;
  if (!path.consume_front("@") || !tinyrt::isTensorPath(path)) {
    error = "'" + text.str() + "': give [NAME=]@FILE.npy or [NAME=]@FILE.pb";
    return false;
  }
  files.push_back({name.str(), path.str()});
  return true;
}

static bool parseDim(Options &options, StringRef text, std::string &error) {
  auto [name, value] = text.rsplit('=');
  int64_t size;
  if (name.empty() || value.getAsInteger(10, size) || size < 0) {
    error = "'" + text.str() + "': give NAME=SIZE with a size of 0 or more, as in batch=1";
    return false;
  }
  for (auto &[other, otherSize] : options.dims)
    if (other == name) {
      error = "the dim '" + name.str() + "' is given twice";
      return false;
    }
  options.dims.push_back({name.str(), size});
  return true;
}

static bool parseFix(Options &options, StringRef text, std::string &error) {
  auto [name, value] = text.rsplit('=');
  if (name.empty() || value.empty()) {
    error = "'" + text.str() + "': give NAME=NUMBER, as in rate=16000";
    return false;
  }
  for (auto &[other, otherValue] : options.fixed)
    if (other == name) {
      error = "the input '" + name.str() + "' is fixed twice";
      return false;
    }
  options.fixed.push_back({name.str(), value.str()});
  return true;
}

static bool parseNumber(StringRef text, unsigned least, unsigned most, unsigned &number,
                        std::string &error) {
  if (!text.getAsInteger(10, number) && number >= least && number <= most)
    return true;
  error = "'" + text.str() + "' is not a whole number from " + std::to_string(least) + " to " +
          std::to_string(most);
  return false;
}

static bool parseTolerance(StringRef text, std::optional<double> &number, std::string &error) {
  double value;
  if (!text.getAsDouble(value) && value >= 0) { // refuses NaN
    number = value;
    return true;
  }
  error = "'" + text.str() + "' is not a number of 0 or more";
  return false;
}

static bool parseSize(StringRef text, uint64_t &bytes, std::string &error) {
  StringRef digits = text.take_while([](char c) { return llvm::isDigit(c); });
  StringRef suffix = text.drop_front(digits.size());
  size_t unit = suffix.empty() ? 0 : StringRef(" KMGT").find(suffix);
  if (!digits.getAsInteger(10, bytes) && bytes > 0 && suffix.size() <= 1 &&
      unit != StringRef::npos && bytes <= (UINT64_MAX >> (10 * unit))) {
    bytes <<= 10 * unit;
    return true;
  }
  error = "'" + text.str() + "' is not a size: give bytes, or a number with K, M, G or T behind it";
  return false;
}

/// A number of things, with thousands behind it: unlike bytes, flops are not counted in 1024s.
static bool parseCount(StringRef text, uint64_t &count, std::string &error) {
  StringRef digits = text.take_while([](char c) { return llvm::isDigit(c); });
  StringRef suffix = text.drop_front(digits.size());
  size_t unit = suffix.empty() ? 0 : StringRef(" KMGT").find(suffix);
  bool isNumber =
      !digits.getAsInteger(10, count) && count > 0 && suffix.size() <= 1 && unit != StringRef::npos;
  for (; isNumber && unit > 0; --unit) {
    isNumber = count <= UINT64_MAX / 1000;
    count *= 1000;
  }
  if (!isNumber)
    error =
        "'" + text.str() +
        "' is not a count: give a number from 1 on, or one with K, M, G or T (thousands) behind it";
  return isNumber;
}

static bool parseChoice(StringRef text, std::initializer_list<StringRef> choices,
                        std::string &value, std::string &error) {
  value = text.str();
  if (llvm::is_contained(choices, text))
    return true;
  error = "'" + value + "' is unknown: give " + llvm::join(choices, " or ");
  return false;
}

static bool parseDevice(Options &options, StringRef text, std::string &error) {
  tinyrt::HsaOptions hsa;
  options.device = text.str();
  if (text == "cpu" || tinyrt::parseHsaDevice(options.device, hsa))
    return true;
  error = "'" + options.device + "' is unknown: give cpu, sim or hsa, or hsa:1 for the second card";
  return false;
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

namespace {
struct OptionInfo {
  /// A heading of the help if `parse` is null.
  StringRef name;
  /// What the value is called; empty if there is none, in brackets if it may be left out (and then
  /// can only be given behind an '=').
  StringRef value;
  StringRef help;
  bool repeatable;
  bool (*parse)(Options &options, StringRef value, std::string &error);
};
} // namespace

#define PARSE(EXPRESSION)                                                                          \
  [](Options &o, StringRef v, std::string &e) -> bool {                                            \
    (void)v, (void)e;                                                                              \
    return EXPRESSION;                                                                             \
  }

static const OptionInfo kOptions[] = {
    {"Model", "", "", false, nullptr},
    {"--entry", "NAME", "the function to run (default: main)", false,
     PARSE((o.entry = v.str(), true))},
    {"--dim", "NAME=SIZE",
     "the size of a dim that an ONNX model leaves open, as batch=8 or x[0]=8\n(default: 1)", true,
     PARSE(parseDim(o, v, e))},
    {"--fix", "NAME=NUMBER",
     "an input of an ONNX model that always is this number, and so no input of the\nprogram, as "
     "rate=16000",
     true, PARSE(parseFix(o, v, e))},
    {"Data", "", "", false, nullptr},
    {"--input", "[NAME=]VALUE",
     "@FILE.npy, @FILE.pb, random:SEED or a number for all elements;\none random:SEED alone fills "
     "every input",
     true, PARSE(parseInput(o, v, e))},
    {"--output", "[NAME=]@FILE", "write a result to a .npy or .pb file instead of printing it",
     true, PARSE(parseFile(o.outputs, v, e))},
    {"--expect", "[NAME=]@FILE", "fail unless a result is what this .npy or .pb file holds", true,
     PARSE(parseFile(o.expected, v, e))},
    {"--donate", "NAME",
     "an input that the program may write over, so that a result can lie in it: a\ncache that gets "
     "one more row is not copied then",
     true, PARSE((o.donated.push_back(v.str()), true))},
    {"Tolerance", "", "", false, nullptr},
    {"--rtol", "R", "|actual - expected| <= atol + rtol * |expected| (default: 1e-5)", false,
     PARSE(parseTolerance(v, o.rtol, e))},
    {"--atol", "A", "as above (default: 1e-8)", false, PARSE(parseTolerance(v, o.atol, e))},
    {"--max-tol", "R",
     "|actual - expected| <= R * the largest |expected| of the tensor; alone, it\ntakes the place "
     "of the other two",
     false, PARSE(parseTolerance(v, o.maxTol, e))},
    {"--verify-against", "reference",
     "run the reference interpreter too, and fail unless the results agree:\nwithin its own error "
     "bounds, or within the tolerance if one is given",
     false, PARSE(parseChoice(v, {"reference"}, o.verifyAgainst, e))},
    {"Target", "", "", false, nullptr},
    {"--target", "cpu|rdna3|reference",
     "what the program is compiled for (default: cpu), or the interpreter; rdna3 is\ngfx1100, and "
     "gfx1101 and gfx1102 are its smaller chips",
     false,
     PARSE(parseChoice(v, {"cpu", "rdna3", "gfx1100", "gfx1101", "gfx1102", "reference"}, o.target,
                       e))},
    {"--device", "NAME",
     "what runs it: cpu, or for rdna3 sim (a simulator of the card) or hsa (the card,\nthrough "
     "ROCm; hsa:1 is the second one)",
     false, PARSE(parseDevice(o, v, e))},
    {"--cpu", "NAME", "the processor to compile for, as LLVM names it (default: host)", false,
     PARSE((o.cpu = v.str(), true))},
    {"--precision", "f32|bf16",
     "what contractions of f32 multiply on a processor (default: f32); bf16 rounds the\nfactors, "
     "where that is faster, and needs AVX512_BF16 (docs/Targets.md)",
     false, PARSE(parseChoice(v, {"f32", "bf16"}, o.precision, e))},
    {"--threads", "N", "threads to use (default: one per core)", false,
     PARSE(parseNumber(v, 1, 1024, o.threads, e))},
    {"--cache", "FOLDER|none",
     "where compiled code and tilings are kept for later runs (default: tiny in\n$XDG_CACHE_HOME "
     "or "
     "~/.cache); with --emit, where tilings come from (default:\nnone)",
     false, PARSE((o.cache = v.str(), true))},
    {"--max-memory", "SIZE",
     "refuse a program that needs more, as 512M or 2G (default: the memory of\nthe machine)", false,
     PARSE(parseSize(v, o.maxMemory, e))},
    {"--max-flops", "COUNT",
     "refuse a program that needs more floating point operations for a run, as\n250M or 2G", false,
     PARSE(parseCount(v, o.maxFlops, e))},
    {"--max-launches", "COUNT", "refuse a program that launches more kernels", false,
     PARSE(parseCount(v, o.maxLaunches, e))},
    {"--tune", "[SECONDS]",
     "measure other tilings of each kernel first, for so long (default: 60), and\nkeep the best "
     "ones "
     "in the cache, where later runs find them",
     false,
     [](Options &o, StringRef v, std::string &e) {
       o.tuneSeconds = 60;
       return v.empty() || parseNumber(v, 1, 1000000, *o.tuneSeconds, e);
     }},
    {"Information", "", "", false, nullptr},
    {"--bench", "N", "run N more times, and print the least and the median time", false,
     PARSE(parseNumber(v, 1, 1000000000, o.bench, e))},
    {"--profile", "", "print what time each kernel takes, and each step of compiling", false,
     PARSE(o.profile = true)},
    {"--report", "[text|json]",
     "print what each kernel costs, and the memory; without any --input, run\nnothing", false,
     [](Options &o, StringRef v, std::string &e) {
       std::string format;
       if (!parseChoice(v.empty() ? "text" : v, {"text", "json"}, format, e))
         return false;
       o.report = format == "json" ? Report::json : Report::text;
       return true;
     }},
    {"--poison", "", "fill the memory with a pattern first, to see what no kernel writes", false,
     PARSE(o.poison = true)},
    {"Ahead of time (docs/Embedding.md); nothing is run", "", "", false, nullptr},
    {"--emit", "mlir|llvm|asm|obj|static|shared|hsaco",
     "write the tiled kernels, LLVM IR or assembly for people; or an object, an\narchive or a "
     "shared library for programs in C; or the code object that a GPU\nloads",
     false,
     PARSE(parseChoice(v, {"mlir", "llvm", "asm", "obj", "static", "shared", "hsaco"}, o.emit, e))},
    {"-o", "FILE", "where --emit writes to (default, where it is text: the terminal)", false,
     PARSE((o.emitPath = v.str(), true))},
    {"--header", "FILE.h",
     "where the C interface of the code is written to; model.h declares model_run", false,
     PARSE((o.headerPath = v.str(), true))},
    {"--weights", "FILE",
     "write the weights to a file, for the caller to map (default: inside of the\ncode)", false,
     PARSE((o.weightsPath = v.str(), true))},
    {"Help", "", "", false, nullptr},
    {"--version", "", "print the version", false, PARSE(o.version = true)},
    {"--help", "", "print this", false, PARSE(o.help = true)},
};
#undef PARSE

static const OptionInfo *findOption(StringRef name) {
  if (name == "-h")
    name = "--help";
  for (const OptionInfo &option : kOptions)
    if (option.parse && option.name == name)
      return &option;
  return nullptr;
}

/// "; did you mean '--bench'?" if something is close to `name`.
static std::string suggestion(StringRef name) {
  const OptionInfo *best = nullptr;
  unsigned bestDistance = 4;
  for (const OptionInfo &option : kOptions) {
    unsigned distance = name.edit_distance(option.name, true, bestDistance);
    if (option.parse && option.name.size() > 2 && distance < bestDistance) {
      best = &option;
      bestDistance = distance;
    }
  }
  return best ? "; did you mean '" + best->name.str() + "'?" : "; see --help";
}

/// What belongs to an --emit of code for other programs is there, and only then.
static bool checkLibrary(const Options &options, std::string &error) {
  bool isForCPU = options.emit == "static" || options.emit == "shared";
  if (options.isForGPU() ? isForCPU : options.emit == "hsaco") {
    error = "--emit " + options.emit + " needs --target " + (isForCPU ? "cpu" : "rdna3");
    return false;
  }
  if (options.isForGPU() && (options.emit == "obj" || options.emit == "hsaco") &&
      options.emitPath.empty()) {
    error = "--emit " + options.emit + " needs -o FILE for the code";
    return false;
  }
  if (!options.emitsLibrary()) {
    if (options.headerPath.empty() && options.weightsPath.empty())
      return true;
    error = std::string(options.headerPath.empty() ? "--weights" : "--header") +
            " goes with --emit obj, static or shared";
    return false;
  }
  if (options.emitPath.empty() || options.headerPath.empty()) {
    error = "--emit " + options.emit + " needs " +
            (options.emitPath.empty() ? "-o FILE for the code" : "") +
            (options.emitPath.empty() && options.headerPath.empty() ? " and " : "") +
            (options.headerPath.empty() ? "--header FILE.h for its C interface" : "");
    return false;
  }
  if (options.emitPath == options.headerPath || options.emitPath == options.weightsPath ||
      options.headerPath == options.weightsPath) {
    error = "-o, --header and --weights are to be different files";
    return false;
  }
  return true;
}

/// Each option alone may be right and together they are not.
static bool checkTogether(const Options &options, std::string &error) {
  auto fail = [&](const char *reason) {
    error = reason;
    return false;
  };
  bool isReference = options.target == "reference";
  if (isReference && !options.device.empty())
    return fail("--device runs what is compiled, and the reference interprets");
  if (!options.device.empty() && (options.device == "cpu") != (options.target == "cpu"))
    return fail("--target cpu runs on --device cpu, and --target rdna3 on sim or hsa");
  if (options.threads && options.target != "reference" && options.target != "cpu" &&
      options.device != "sim")
    return fail("--threads is for a processor and for --device sim; the card has its own");
  if (options.model.empty())
    return fail("no model is given; see --help");
  if (!options.emitPath.empty() && options.emit.empty())
    return fail("-o says where --emit writes to, and there is no --emit; for results use --output");
  if (!checkLibrary(options, error))
    return false;
  if (options.target != "cpu" && options.cpu != "host")
    return fail("--cpu says what --target cpu compiles for");
  if (isReference && !options.emit.empty())
    return fail("--emit needs a target that compiles, and the reference interprets");
  if (options.precision == "bf16" && isReference)
    return fail("--precision bf16 is for what is compiled, and the reference interprets");
  if (options.precision == "bf16" && options.target != "cpu")
    return fail("--precision bf16 is for --target cpu; a GPU multiplies in bf16 what the program "
                "has in bf16");
  if (options.precision == "bf16" && !options.verifyAgainst.empty() && !options.hasTolerance())
    return fail("--verify-against reference with --precision bf16 needs a tolerance, as --max-tol "
                "0.01: the reference's own error bounds are those of products in f32");
  bool runs = !options.inputs.empty() || !options.outputs.empty() || !options.expected.empty() ||
              !options.verifyAgainst.empty() || options.bench || options.profile;
  if (!options.emit.empty() && (runs || options.report != Report::none))
    return fail("--emit runs nothing: it takes no data, and nothing can be measured or compared");
  if (isReference && options.poison)
    return fail("--poison needs a target with kernels, and the reference has none");
  if (!options.cache.empty() && isReference)
    return fail("--cache keeps code and tilings of kernels, and the reference has none");
  if (options.tuneSeconds && isReference)
    return fail("--tune measures kernels, and the reference has none");
  if (options.tuneSeconds && !options.emit.empty())
    return fail("--tune is for what runs; run it with --tune and --cache FOLDER first, and --emit "
                "with that --cache");
  if (options.tuneSeconds && options.cache == "none")
    return fail("--tune leaves what it finds in the cache, and there is to be none");
  if (isReference && (options.maxFlops || options.maxLaunches))
    return fail("--max-flops and --max-launches need a target with kernels, and the reference has "
                "none");
  if (isReference && options.profile)
    return fail("--profile needs a target with kernels, and the reference has none");
  if (isReference && options.report != Report::none)
    return fail("--report needs a target with kernels, and the reference has none");
  if (isReference && !options.verifyAgainst.empty())
    return fail("--verify-against reference needs another target to compare with");
  return true;
}

bool tinyrun::parseOptions(int argc, const char *const *argv, Options &options,
                           std::string &error) {
  std::vector<const OptionInfo *> seen;
  bool onlyModels = false;
  for (int i = 1; i < argc; ++i) {
    StringRef argument = argv[i];
    if (argument == "--" && !onlyModels) {
      onlyModels = true;
      continue;
    }
    if (onlyModels || !argument.starts_with("-") || argument == "-") {
      if (!options.model.empty()) {
        error = "two models are given, '" + options.model + "' and '" + argument.str() + "'";
        return false;
      }
      options.model = argument.str();
      continue;
    }
    auto [name, value] = argument.split('=');
    bool hasValue = name.size() < argument.size();
    const OptionInfo *option = findOption(name);
    if (!option) {
      error = "unknown option '" + name.str() + "'" + suggestion(name);
      return false;
    }
    if (hasValue && option->value.empty()) {
      error = name.str() + " takes no value";
      return false;
    }
    if (!hasValue && !option->value.empty() && !option->value.ends_with("]")) {
      if (i + 1 == argc) {
        error = name.str() + " needs a value: " + option->value.str();
        return false;
      }
      value = argv[++i];
    }
    if (!option->repeatable && llvm::is_contained(seen, option)) {
      error = name.str() + " is given twice";
      return false;
    }
    seen.push_back(option);
    if (!option->parse(options, value, error)) {
      error = name.str() + ": " + error;
      return false;
    }
  }
  // One of them is enough.
  if (options.target.empty())
    options.target = options.device.empty() || options.device == "cpu" ? "cpu" : "rdna3";
  return options.help || options.version || checkTogether(options, error);
}

//===----------------------------------------------------------------------===//
// Help
//===----------------------------------------------------------------------===//

std::string tinyrun::helpText() {
  std::string text = R"(Compile a tensor program and run it.

usage: tiny-run MODEL [options]

MODEL is an .mlir, .mlirbc or .onnx file, or - for MLIR from the standard input.
)";
  for (const OptionInfo &option : kOptions) {
    if (!option.parse) {
      text += "\n" + option.name.str() + ":\n";
      continue;
    }
    std::string left = "  " + option.name.str();
    if (option.value.ends_with("]"))
      left += "[=" + option.value.drop_front().str();
    else if (!option.value.empty())
      left += " " + option.value.str();
    left.resize(std::max<size_t>(left.size() + 2, 30), ' ');
    llvm::SmallVector<StringRef> lines;
    option.help.split(lines, '\n');
    for (StringRef line : lines) {
      text += left + line.str() + "\n";
      left.assign(30, ' ');
    }
  }
  text += R"(
--input, --output and --expect without a name go by position, and a name may also
be a position, counted from 0. random:SEED gives the same numbers on every machine:
floats in [-1, 1), signed integers from -8 to 7, unsigned ones from 0 to 15.
The exit status is 0 if everything went well and 1 otherwise.

Examples:
  tiny-run model.onnx --input random:1
      run on random inputs and print the results
  tiny-run model.onnx --dim batch=8 --input @images.npy --output @scores.npy
      eight images from a file, the results into another
  tiny-run model.onnx --input @test/input_0.pb --expect @test/output_0.pb --max-tol 1e-4
      compare with a test vector
  tiny-run model.mlir --input x=@x.npy --input scale=0.5 --target reference
      inputs by name, on the reference interpreter
  tiny-run model.onnx --input random:1 --bench 100 --profile
      how fast it is, and where the time goes
  tiny-run model.onnx --tune --input random:1 --bench 100
      how fast it can be: search better tilings first
  tiny-run model.onnx --emit asm -o model.s
      what it is compiled to
  tiny-run model.onnx --emit obj -o model.o --header model.h
      code to link with a C program that calls model_run()
  tiny-run model.onnx --emit shared -o libmodel.so --header model.h --weights model.bin --cpu aarch64
      a library for other machines, with the weights in a file
)";
  return text;
}
