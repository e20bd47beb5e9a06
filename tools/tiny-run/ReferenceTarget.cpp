//===- ReferenceTarget.cpp - run on the interpreter -----------------------===//
//
// The interpreter as a target of its own, and as the judge of another one.
//
//===----------------------------------------------------------------------===//

#include "Target.h"

#include "Tiny/Reference/Interpreter.h"
#include "Tiny/Runtime/Element.h"

using namespace mlir;
using namespace tinyrun;

namespace {
class ReferenceTarget : public Target {
public:
  bool prepare(Model &model, const Options &options, std::string &error) override {
    uint64_t needed = leastMemoryOfReference(model);
    uint64_t limit = memoryLimit(options);
    if (needed > limit) {
      error = "the program needs at least " + grouped(needed) +
              " bytes of memory on the reference, and the limit is " + grouped(limit) +
              (options.maxMemory ? " (--max-memory)" : " (the memory of this machine)");
      return false;
    }
    entry = model.entry;
    threads = options.threads;
    return true;
  }

  bool run(const std::vector<tinyrt::Tensor> &inputs, std::vector<tinyrt::Tensor> &outputs,
           std::string &error) override {
    mlir::tiny::InterpretOptions options;
    options.threads = threads;
    options.progress = true;
    FailureOr<mlir::tiny::ReferenceResult> result = mlir::tiny::interpret(entry, inputs, options);
    if (failed(result))
      return false;
    outputs.clear();
    for (mlir::tiny::ReferenceOutput &output : result->outputs)
      outputs.push_back(output.value);
    failedExpectations = result->failedExpectations;
    return true;
  }

  /// The interpreter has emitted a diagnostic for each.
  bool check(std::vector<std::string> &, std::string &) override { return failedExpectations == 0; }

  bool profile(const std::vector<tinyrt::Tensor> &, unsigned, std::string &,
               std::string &error) override {
    error = "the reference has no kernels to profile";
    return false;
  }
  std::string report(Report) const override { return ""; }

private:
  func::FuncOp entry;
  unsigned threads = 0;
  int64_t failedExpectations = 0;
};
} // namespace

/// Compares with the interpreter's bounds: whether a correct target may have computed `actual`.
static bool compareWithBounds(const mlir::tiny::ReferenceOutput &expected,
                              const tinyrt::Tensor &actual, std::string &text) {
  int64_t count = actual.numElements(), bad = 0, first = -1, undecided = 0;
  for (int64_t i = 0; i < count; ++i) {
    undecided += !expected.bounds.empty() && expected.bounds[i].undecided;
    if (mlir::tiny::admits(expected, actual, i))
      continue;
    if (bad++ == 0)
      first = i;
  }
  text = bad ? std::to_string(bad) + " of " + std::to_string(count) +
                   " elements lie outside of the reference's error bounds, first at element " +
                   std::to_string(first) + ": got " + elementText(actual, first) + ", expected " +
                   elementText(expected.value, first)
             : std::to_string(count) + " elements lie within the reference's error bounds";
  if (undecided)
    text += " (" + std::to_string(undecided) + " of them may be anything)";
  return bad == 0;
}

bool tinyrun::verifyAgainstReference(const Model &model, const Options &options,
                                     const std::vector<tinyrt::Tensor> &inputs,
                                     const std::vector<tinyrt::Tensor> &outputs, std::string &text,
                                     bool &agrees) {
  mlir::tiny::InterpretOptions interpretOptions;
  interpretOptions.bounds = !options.hasTolerance();
  interpretOptions.threads = options.threads;
  interpretOptions.progress = true;
  FailureOr<mlir::tiny::ReferenceResult> result =
      mlir::tiny::interpret(model.entry, inputs, interpretOptions);
  if (failed(result))
    return false;
  agrees = true;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const mlir::tiny::ReferenceOutput &expected = result->outputs[i];
    std::string found;
    bool same;
    if (options.hasTolerance()) {
      tinyrt::Comparison comparison =
          tinyrt::compare(outputs[i], expected.value, options.tolerance());
      same = comparison.passed;
      found = comparison.message;
    } else {
      same = compareWithBounds(expected, outputs[i], found);
    }
    agrees &= same;
    text += model.outputs[i].name + ": " + (same ? "agrees" : "DISAGREES") +
            " with the reference: " + found + "\n";
  }
  return true;
}

std::unique_ptr<Target> tinyrun::createReferenceTarget() {
  return std::make_unique<ReferenceTarget>();
}
