//===- tiny-fuzz.cpp - random programs on a target against the oracle -----===//
//
// Program k of seed s is a function of s and k alone. Each runs on the reference
// interpreter with bounds and on the target, and every element of every result
// must be one that a correct target may produce. A program that fails is made
// smaller for as long as it fails, and written out.
//
//===----------------------------------------------------------------------===//

#include "Generate.h"
#include "Targets.h"
#include "Tiny/InitAll.h"
#include "Tiny/Reference/Interpreter.h"
#include "Tiny/Runtime/Element.h"
#include "Tiny/Schedule/Passes.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace mlir;
using namespace tinyfuzz;
namespace cl = llvm::cl;

static cl::OptionCategory category("tiny-fuzz options");
static cl::opt<uint64_t> seed("seed", cl::desc("Names the sequence of programs"), cl::init(1),
                              cl::cat(category));
static cl::opt<int64_t> firstProgram("first", cl::desc("Start with this program of the sequence"),
                                     cl::init(0), cl::cat(category));
static cl::opt<int64_t> count("count", cl::desc("How many programs to run"), cl::init(100),
                              cl::cat(category));
static cl::opt<int64_t> maxOps("max-ops", cl::desc("The largest number of ops in a program"),
                               cl::init(40), cl::cat(category));
static cl::opt<std::string> target(
    "target",
    cl::desc("What to compare with the reference: cpu; rdna3, on the simulator; affine, which runs "
             "the affine loops of "
             "kernels; canonicalize, which checks the folders; constants and scales, which check "
             "what folds constants; or, to check the reference itself, "
             "naive or liberal"),
    cl::init("cpu"), cl::cat(category));
static cl::opt<bool> print("print", cl::desc("Print the programs and run nothing"),
                           cl::cat(category));
static cl::opt<std::string> dumpDir("dump-dir", cl::desc("Write failing programs to this folder"),
                                    cl::init("."), cl::cat(category));

static cl::opt<std::string> programFile(cl::Positional, cl::desc("[program.mlir]"),
                                        cl::cat(category));
static cl::opt<bool> selections("selections",
                                cl::desc("Many updates at places from data, and many reductions "
                                         "over all that comes before"));
static cl::opt<uint64_t> inputSeed("input-seed", cl::desc("Seed of the inputs of a given program"),
                                   cl::init(0), cl::cat(category));

namespace {
struct Totals {
  int64_t programs = 0, failed = 0, ops = 0, elements = 0, undecided = 0;
};
} // namespace

static func::FuncOp functionOf(ModuleOp module) { return *module.getOps<func::FuncOp>().begin(); }

/// Puts constants in the place of the arguments' uses.
static void bindArguments(func::FuncOp function, ArrayRef<tinyrt::Tensor> inputs) {
  OpBuilder b = OpBuilder::atBlockBegin(&function.getBody().front());
  for (auto [argument, input] : llvm::zip(function.getArguments(), inputs)) {
    auto type = cast<RankedTensorType>(argument.getType());
    DenseElementsAttr value;
    if (type.getElementType().isInteger(1)) // a byte in memory, a bit in IR
      value = DenseElementsAttr::get(type, ArrayRef(input.as<bool>(), input.numElements()));
    else
      value = DenseElementsAttr::getFromRawBuffer(type, ArrayRef(input.as<char>(), input.bytes()));
    argument.replaceAllUsesWith(tiny::ConstantOp::create(b, function.getLoc(), value));
  }
}

/// The same program after the passes, on the interpreter.
static FailureOr<std::vector<tinyrt::Tensor>> runTransformed(ModuleOp module,
                                                             ArrayRef<tinyrt::Tensor> inputs) {
  OwningOpRef<ModuleOp> folded = module.clone();
  PassManager passes(module.getContext());
  if (target == "constants") {
    bindArguments(functionOf(*folded), inputs);
    passes.addPass(tiny::createFoldConstantsPass());
  } else if (target == "scales") {
    passes.addPass(tiny::createFoldConstantsPass());
    passes.addPass(tiny::createFoldScalesPass());
  } else {
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
  }
  if (failed(passes.run(*folded)))
    return failure();
  FailureOr<tiny::ReferenceResult> result = tiny::interpret(functionOf(*folded), inputs);
  if (failed(result))
    return failure();
  std::vector<tinyrt::Tensor> outputs;
  for (tiny::ReferenceOutput &output : result->outputs)
    outputs.push_back(output.value);
  return outputs;
}

static FailureOr<std::vector<tinyrt::Tensor>> runTarget(ModuleOp module,
                                                        ArrayRef<tinyrt::Tensor> inputs) {
  if (llvm::is_contained({"canonicalize", "constants", "scales"}, target))
    return runTransformed(module, inputs);
  if (target == "naive" || target == "liberal")
    return runNaive(module, inputs, /*takesLiberties=*/target == "liberal");
  return runCompiled(module, inputs, target);
}

/// Runs both and compares. Returns what is wrong, or nothing.
static std::string check(ModuleOp module, uint64_t seedOfInputs, Totals *totals) {
  func::FuncOp function = functionOf(module);
  if (failed(verify(module)))
    return "the program is not valid";
  std::vector<tinyrt::Tensor> inputs = generateInputs(function, seedOfInputs);
  tiny::InterpretOptions options;
  options.bounds = true;
  FailureOr<tiny::ReferenceResult> expected = tiny::interpret(function, inputs, options);
  if (failed(expected))
    return "the reference does not run it";
  FailureOr<std::vector<tinyrt::Tensor>> actual = runTarget(module, inputs);
  if (failed(actual))
    return "the target does not run it";

  // Without bounds the interpreter takes another path, and its very values can be compared.
  options.bounds = false;
  FailureOr<tiny::ReferenceResult> plain = tiny::interpret(function, inputs, options);
  if (failed(plain))
    return "the reference does not run it without bounds";
  std::string wrong;
  llvm::raw_string_ostream text(wrong);
  for (auto [index, output] : llvm::enumerate(expected->outputs)) {
    const tinyrt::Tensor &got = (*actual)[index];
    for (int64_t k = 0; k < output.value.numElements(); ++k) {
      bool isExact = target == "naive";
      bool isFine =
          tiny::admits(output, got, k) && (!isExact || tiny::admits(plain->outputs[index], got, k));
      if (isFine)
        continue;
      const tiny::Bound &bound = output.bounds[k];
      text << "result " << index << " (" << got.type().str() << ") differs at element " << k << ": "
           << tinyrt::elementText(got, k) << ", reference "
           << tinyrt::elementText(plain->outputs[index].value, k);
      if (output.value.type().element <= tinyrt::ElementType::bf16)
        text << ", which must lie in [" << bound.lo << ", " << bound.hi << "]";
      return wrong;
    }
    if (totals)
      totals->elements += output.value.numElements();
  }
  if (totals) {
    totals->undecided += expected->undecided;
    totals->ops += function.getBody().front().getOperations().size() - 1;
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Making a failing program smaller
//===----------------------------------------------------------------------===//

/// Removes unused ops and the results that are not at `kept`.
static void keepResult(func::FuncOp function, unsigned kept) {
  Operation *terminator = function.getBody().front().getTerminator();
  Value value = terminator->getOperand(kept);
  terminator->setOperands(value);
  function.setFunctionType(
      FunctionType::get(function.getContext(), function.getArgumentTypes(), value.getType()));
}
static void eraseUnused(func::FuncOp function) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
    if (op.use_empty() && !op.hasTrait<OpTrait::IsTerminator>())
      op.erase();
}

/// Op number `position` with another value of its type in its place: an earlier value if
/// `alternative` counts up to one, else a constant of zeros.
static bool replaceOp(func::FuncOp function, int64_t position, size_t alternative) {
  Block &body = function.getBody().front();
  Operation *op = &*std::next(body.begin(), position);
  if (op->getNumResults() != 1 || (isa<tiny::ConstantOp>(op)))
    return false;
  Value result = op->getResult(0), other;
  if (alternative < op->getNumOperands()) {
    other = op->getOperand(alternative);
    if (other.getType() != result.getType())
      return false;
  } else {
    OpBuilder b(op);
    auto type = cast<RankedTensorType>(result.getType());
    Type element = type.getElementType();
    Attribute zero =
        isa<FloatType>(element)
            ? Attribute(FloatAttr::get(element, 0.0))
            : Attribute(IntegerAttr::get(element, APInt::getZero(element.getIntOrFloatBitWidth())));
    other = tiny::ConstantOp::create(b, op->getLoc(), DenseElementsAttr::get(type, zero));
  }
  result.replaceAllUsesWith(other);
  return true;
}

static OwningOpRef<ModuleOp> reduced(OwningOpRef<ModuleOp> module, uint64_t seedOfInputs) {
  auto stillFails = [&](OwningOpRef<ModuleOp> candidate) {
    eraseUnused(functionOf(*candidate));
    if (check(*candidate, seedOfInputs, nullptr).empty())
      return false;
    module = std::move(candidate);
    return true;
  };
  auto clone = [&] { return OwningOpRef<ModuleOp>(module->clone()); };
  unsigned results = functionOf(*module).getNumResults();
  for (unsigned kept = 0; kept < results && results > 1; ++kept) {
    OwningOpRef<ModuleOp> candidate = clone();
    keepResult(functionOf(*candidate), kept);
    if (stillFails(std::move(candidate)))
      break;
  }
  bool isSmaller = true;
  while (isSmaller) {
    isSmaller = false;
    int64_t size = functionOf(*module).getBody().front().getOperations().size();
    for (int64_t position = size - 2; position >= 0 && !isSmaller; --position)
      for (size_t alternative = 0; alternative < 4 && !isSmaller; ++alternative) {
        OwningOpRef<ModuleOp> candidate = clone();
        isSmaller = replaceOp(functionOf(*candidate), position, alternative) &&
                    stillFails(std::move(candidate));
      }
  }
  return module;
}

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

/// Writes the program, with what is needed to see the failure again.
static void report(ModuleOp module, StringRef wrong, int64_t number, uint64_t seedOfInputs) {
  llvm::errs() << "tiny-fuzz: program " << number << " of seed " << seed << ": " << wrong << "\n";
  SmallString<128> path(dumpDir);
  llvm::sys::fs::create_directories(path);
  llvm::sys::path::append(path, ("fuzz-" + Twine(seed) + "-" + Twine(number) + ".mlir").str());
  std::error_code error;
  llvm::ToolOutputFile file(path, error, llvm::sys::fs::OF_Text);
  if (error) {
    llvm::errs() << "tiny-fuzz: cannot write " << path << ": " << error.message() << "\n";
    return;
  }
  file.os() << "// " << wrong << "\n// This program: tiny-fuzz --target " << target
            << " --input-seed " << seedOfInputs << " " << path
            << "\n// The whole of it: tiny-fuzz --target " << target << " --seed " << seed
            << " --first " << number << " --count 1 --max-ops " << maxOps << "\n"
            << module << "\n";
  file.keep();
  llvm::errs() << "tiny-fuzz: written to " << path << "\n";
}

/// One program from a file: to see whether a failure is gone.
static int checkFile(MLIRContext &context) {
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(programFile, &context);
  if (!module)
    return 1;
  std::string wrong = check(*module, inputSeed, nullptr);
  if (wrong.empty())
    wrong = "no difference";
  llvm::outs() << "tiny-fuzz: " << programFile << ": " << wrong << "\n";
  return wrong != "no difference";
}

/// Makes what was given the initial value of its option: lld, which links for a GPU, sets all
/// options of its process back to those.
template <typename... Options> static void keepGiven(Options &...options) {
  (options.setInitialValue(options.getValue()), ...);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv,
                              "Runs random programs on a target and on the reference interpreter.\n"
                              "\n  tiny-fuzz --target cpu --seed 7 --count 500\n"
                              "  tiny-fuzz --target cpu fuzz-7-123.mlir --input-seed 7000144\n");
  keepGiven(seed, firstProgram, count, maxOps, target, print, dumpDir, programFile, selections,
            inputSeed);
  if (!llvm::is_contained(
          {"cpu", "rdna3", "affine", "canonicalize", "constants", "scales", "naive", "liberal"},
          target)) {
    llvm::errs()
        << "tiny-fuzz: unknown target '" << target
        << "'; known are: cpu, rdna3, affine, canonicalize, constants, scales, naive, liberal\n";
    return 1;
  }
  DialectRegistry registry;
  tiny::registerAllTinyDialects(registry);
  // On one thread, so that a crash names its program.
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadDialect<tiny::TinyDialect, func::FuncDialect>();
  if (!programFile.empty())
    return checkFile(context);
  GenerateOptions generateOptions;
  generateOptions.maxOps = maxOps;
  generateOptions.scaledSums = target == "scales";
  generateOptions.selections = selections;
  Totals totals;
  for (int64_t number = firstProgram; number < firstProgram + count; ++number) {
    uint64_t programSeed = seed * 1000003 + number;
    OwningOpRef<ModuleOp> module = generateProgram(&context, programSeed, generateOptions);
    if (print) {
      llvm::outs() << "// program " << number << " of seed " << seed << "\n" << *module << "\n";
      continue;
    }
    ++totals.programs;
    llvm::PrettyStackTraceFormat where("program %lld of seed %llu", (long long)number,
                                       (unsigned long long)seed);
    std::string wrong = check(*module, programSeed, &totals);
    if (wrong.empty())
      continue;
    ++totals.failed;
    module = reduced(std::move(module), programSeed);
    report(*module, check(*module, programSeed, nullptr), number, programSeed);
  }
  if (print)
    return 0;
  double share = totals.elements ? 100.0 * totals.undecided / totals.elements : 0;
  llvm::outs() << "tiny-fuzz: " << totals.programs << " programs, " << totals.failed << " failed; "
               << totals.ops << " ops, " << totals.elements << " elements compared, "
               << totals.undecided << llvm::format(" undecided (%.2f %%)\n", share);
  if (share > 5)
    llvm::errs() << "tiny-fuzz: more than 5 % of the elements are undecided; the run proves "
                    "too little\n";
  return totals.failed || share > 5;
}
