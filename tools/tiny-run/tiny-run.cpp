//===- tiny-run.cpp - run a tensor program from its file ------------------===//
//
// Reads a model, gets it ready on a target, runs it, and says what came out.
// Everything that can be wrong is looked at before the expensive step that needs
// it, is reported once, and ends in exit status 1.
//
//===----------------------------------------------------------------------===//

#include "Target.h"
#include "Tensors.h"

#include "Tiny/Runtime/TensorFile.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/SourceMgr.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>

using namespace mlir;
using namespace tinyrun;

namespace {
/// Shows the first error with its place and its notes, and counts the others: what follows from one
/// mistake is no help.
class OneError : public SourceMgrDiagnosticHandler {
public:
  OneError(llvm::SourceMgr &sources, MLIRContext *context)
      : SourceMgrDiagnosticHandler(sources, context, llvm::errs()) {
    setHandler([this](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error && errors++ > 0)
        return;
      if (diagnostic.getSeverity() != DiagnosticSeverity::Remark)
        emitDiagnostic(diagnostic);
    });
  }
  int errors = 0;
};

/// The steps of a run. Each returns false after it has reported why.
class TinyRun {
public:
  explicit TinyRun(const Options &options)
      : options(options), context(makeRegistry()), diagnostics(sources, &context) {
    context.printOpOnDiagnostic(false); // the line of the source says it better
  }

  bool run();

private:
  static DialectRegistry makeRegistry() {
    DialectRegistry registry;
    registerDialects(registry);
    return registry;
  }

  bool emit();
  bool matchData();
  bool runOnce();
  bool bench();
  bool compareExpected();
  bool verify();
  bool writeOutputs();
  bool checkMemoryOfData();

  /// Reports `error`, unless a diagnostic already said what is wrong.
  bool fail();
  void print(const std::string &text);

  const Options &options;
  llvm::SourceMgr sources;
  MLIRContext context;
  OneError diagnostics;
  std::string error;

  Model model;
  /// The program as it was, for --verify-against.
  OwningOpRef<ModuleOp> original;
  std::unique_ptr<Target> target;

  Matched<InputSpec> inputSpecs;
  Matched<FileSpec> outputSpecs, expectedSpecs;
  std::vector<tinyrt::Tensor> inputs, outputs, expected;
};
} // namespace

bool TinyRun::fail() {
  if (diagnostics.errors == 0)
    llvm::errs() << "tiny-run: error: "
                 << (error.empty() ? "it failed without a reason, which is a bug" : error) << "\n";
  else if (diagnostics.errors > 1)
    llvm::errs() << "tiny-run: note: errors not shown, which may follow from this one: "
                 << diagnostics.errors - 1 << "\n";
  return false;
}

/// With --report=json, the standard output is for a program, and what people read goes elsewhere.
void TinyRun::print(const std::string &text) {
  FILE *stream = options.report == Report::json ? stderr : stdout;
  std::fwrite(text.data(), 1, text.size(), stream); // failure shows when the stream is flushed
}

bool TinyRun::emit() {
  if (options.emitsLibrary())
    return writeLibrary(model, options, error) || fail();
  std::string bytes;
  if (!options.emitPath.empty() && !checkWritable(options.emitPath, error))
    return fail();
  if (!emitCode(model, options, bytes, error))
    return fail();
  if (options.emitPath.empty())
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  else if (!tinyrt::writeFile(options.emitPath, bytes, error))
    return fail();
  return true;
}

/// Everything about the data that can be wrong without running.
bool TinyRun::matchData() {
  if (!matchInputs(options, model, inputSpecs, error) ||
      !matchFiles(options.outputs, model.outputs, "--output", outputSpecs, error) ||
      !matchFiles(options.expected, model.outputs, "--expect", expectedSpecs, error) ||
      !readInputs(inputSpecs, model, inputs, error) ||
      !readExpected(expectedSpecs, model, expected, error))
    return fail();
  for (const FileSpec &output : options.outputs)
    if (!checkWritable(output.path, error))
      return fail();
  return true;
}

bool TinyRun::runOnce() {
  std::vector<std::string> failures;
  if (!makeInputs(inputSpecs, model, inputs, error))
    return fail();
  // What is given away is gone after the run, and may be needed once more.
  std::vector<tinyrt::Tensor> given = inputs;
  for (size_t i = 0; i < given.size(); ++i)
    if (model.inputs[i].donated && !options.verifyAgainst.empty()) {
      given[i] = tinyrt::Tensor(inputs[i].type());
      std::memcpy(given[i].data(), inputs[i].data(), inputs[i].bytes());
    }
  if (!target->run(given, outputs, error))
    return fail();
  if (target->check(failures, error))
    return true;
  for (const std::string &failure : failures)
    llvm::errs() << failure << "\n";
  return failures.empty() && fail();
}

bool TinyRun::bench() {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds;
  for (unsigned i = 0; i < options.bench; ++i) {
    Clock::time_point start = Clock::now();
    if (!target->run(inputs, outputs, error))
      return fail();
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  llvm::sort(seconds);
  size_t middle = seconds.size() / 2;
  double median =
      seconds.size() % 2 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2;
  print("bench: min " + milliseconds(seconds[0]) + ", median " + milliseconds(median) + " over " +
        std::to_string(seconds.size()) + (seconds.size() == 1 ? " run\n" : " runs\n"));
  if (target->compileSeconds() > 0)
    print("compile: " + milliseconds(target->compileSeconds()) + "\n");
  return true;
}

bool TinyRun::compareExpected() {
  bool ok = true;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!expectedSpecs[i])
      continue;
    tinyrt::Comparison result = tinyrt::compare(outputs[i], expected[i], options.tolerance());
    std::string line = model.outputs[i].name +
                       (result.passed ? ": as expected: " : ": NOT as expected: ") +
                       result.message + "\n";
    if (result.passed)
      print(line);
    else
      llvm::errs() << "tiny-run: error: " << line;
    ok &= result.passed;
  }
  return ok;
}

bool TinyRun::verify() {
  Model reference;
  reference.entry = original->lookupSymbol<func::FuncOp>(options.entry);
  reference.inputs = model.inputs;
  reference.outputs = model.outputs;
  std::string text;
  bool agrees = false;
  if (!verifyAgainstReference(reference, options, inputs, outputs, text, agrees))
    return fail();
  if (agrees)
    print(text);
  else
    llvm::errs() << "tiny-run: error: " << text;
  return agrees;
}

bool TinyRun::writeOutputs() {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Port &port = model.outputs[i];
    if (!outputSpecs[i]) {
      if (options.outputs.empty())
        print(summary(port.name, outputs[i]));
      continue;
    }
    if (!tinyrt::writeTensor(outputSpecs[i]->path, outputs[i], port.name, error))
      return fail();
    print(port.name + ": " + port.type.str() + " written to " + outputSpecs[i]->path + "\n");
  }
  return true;
}

bool TinyRun::run() {
  target = createTarget(options, error);
  if (!target || !loadModel(options, context, sources, model, error))
    return fail();
  if (!options.emit.empty())
    return emit();
  bool onlyReport =
      options.report != Report::none && options.inputs.empty() && !model.inputs.empty();
  if (!onlyReport && !matchData())
    return false;

  if (!options.verifyAgainst.empty())
    original = cast<ModuleOp>(model.module->getOperation()->clone());
  if (!target->prepare(model, options, error))
    return fail();
  if (options.report != Report::none) {
    std::string report = target->report(options.report);
    std::fwrite(report.data(), 1, report.size(), stdout);
    if (onlyReport)
      return true;
    print("\n");
  }

  if (!runOnce())
    return false;
  bool ok = writeOutputs();
  ok = ok && compareExpected();
  ok = ok && (options.verifyAgainst.empty() || verify());
  if (!ok)
    return false;
  if (options.bench && !bench())
    return false;
  if (options.profile) {
    std::string table;
    if (!target->profile(inputs, std::max(options.bench, 1u), table, error))
      return fail();
    print(table);
  }
  return true;
}

/// What was printed has also arrived.
static bool flushOutput() {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout))
    return true;
  llvm::errs() << "tiny-run: error: cannot write to the standard output\n";
  return false;
}

int main(int argc, char **argv) {
  // A reader that goes away is an error of writing, not a signal.
  std::signal(SIGPIPE, SIG_IGN);
  Options options;
  std::string error;
  if (!parseOptions(argc, argv, options, error)) {
    llvm::errs() << "tiny-run: error: " << error << "\n";
    return 1;
  }
  bool ok = true;
  if (options.help)
    std::fputs(helpText().c_str(), stdout);
  else if (options.version)
    std::puts("tiny-run " TINY_VERSION);
  else
    ok = TinyRun(options).run();
  return flushOutput() && ok ? 0 : 1;
}
