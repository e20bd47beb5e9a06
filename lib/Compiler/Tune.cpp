//===- Tune.cpp - measure the tilings around the default one --------------===//
//
// Each kernel is taken out of the program and launched alone, from a host function of
// its own. The search goes along one choice at a time: the vector loop and register
// tile of one nest, panels or none, the sizes of workgroups and of panels; what is
// faster is kept and searched around. Kernels that take more of the program's time get more of
// ours, and come last, since the others leave them what they do not need.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Compiler/Tune.h"

#include "Tiny/Compiler/CPU.h"
#include "Tiny/Compiler/Pipelines.h"
#include "Tiny/Compiler/TilingCache.h"
#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Runtime/Compare.h"
#include "Tiny/Runtime/Element.h"
#include "Tiny/Runtime/Session.h"
#include "Tiny/Schedule/Passes.h"
#include "Tiny/Tile/Tilings.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <chrono>
#include <cmath>

using namespace mlir;
using namespace mlir::tiny;

using Clock = std::chrono::steady_clock;

/// What is faster by less than this may be noise.
static constexpr double kGain = 0.97;
/// Register tiles per nest that are passed over for the next one by price, at most.
static constexpr unsigned kRanks = 8;
/// A tiling is measured over this many runs at least, and at most, until so much time has passed.
static constexpr unsigned kLeastRuns = 5, kMostRuns = 1000;
static constexpr double kSecondsPerTiling = 0.02;

static double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

namespace {
/// A kernel in a program of its own.
class LoneKernel {
public:
  LoneKernel(const TuneOptions &options, const CPUPipelineOptions &pipeline, LaunchOp launch,
             func::FuncOp kernel)
      : options(options), pipeline(pipeline), name(kernel.getName()) {
    isolate(launch, kernel);
  }

  /// Readies it: memory, the nests to tile, inputs, and what the results have to be.
  LogicalResult prepare();
  /// Seconds of a launch with `tilings`, or nothing if it does not compile or its results differ.
  std::optional<double> measure(ArrayAttr tilings, TunedKernel &report);
  /// The tilings for `ranks` and `select`; null if there are none.
  ArrayAttr tilings(const SelectTilingCPUPassOptions &select, ArrayRef<TilingRank> ranks) const;
  SmallVector<ArrayAttr> neighbours(ArrayAttr tilings) const {
    return neighbourTilingsCPU(nests.get().lookupSymbol<func::FuncOp>(name), defaults(), tilings);
  }
  SelectTilingCPUPassOptions defaults() const { return selectTilingOptions(pipeline); }
  /// The worst that measure() has found wrong.
  const std::string &difference() const { return message; }

private:
  void isolate(LaunchOp launch, func::FuncOp original);
  void setTolerance();
  struct Run {
    std::unique_ptr<Artefact> artefact;
    std::shared_ptr<const tinyrt::Program> program;
    std::unique_ptr<tinyrt::Session> session;
    std::vector<tinyrt::Tensor> outputs;
  };
  std::optional<Run> runOnce(StringRef target, ArrayAttr tilings);
  std::vector<tinyrt::Tensor> inputs(const tinyrt::PlanView &plan) const;

  const TuneOptions &options;
  const CPUPipelineOptions &pipeline;
  StringRef name;
  OwningOpRef<ModuleOp> module; ///< as it is scheduled
  OwningOpRef<ModuleOp> nests;  ///< what tilings are chosen for
  tinyrt::Tolerance tolerance;
  std::vector<tinyrt::Tensor> expected;
  std::string message;
};
} // namespace

/// A module with a copy of the kernel, and a host function that launches it as `launch` does. What
/// it updates in place is given away. Constants stay what they are: how they lie in memory is part
/// of some tilings.
void LoneKernel::isolate(LaunchOp launch, func::FuncOp original) {
  MLIRContext *context = launch.getContext();
  Location loc = launch.getLoc();
  module = ModuleOp::create(loc);
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  auto host = func::FuncOp::create(builder, loc, options.compile.entry,
                                   FunctionType::get(context, {}, launch.getResultTypes()));
  builder.clone(*original);
  builder.setInsertionPointToStart(host.addEntryBlock());
  SmallVector<Value> operands;
  SmallVector<Type> types;
  SmallVector<unsigned> donated;
  for (auto [number, operand] : llvm::enumerate(launch.getOperands())) {
    if (auto constant = operand.getDefiningOp<ConstantOp>()) {
      auto copy = cast<ConstantOp>(builder.clone(*constant));
      copy.removeSlotAttr();
      operands.push_back(copy);
      continue;
    }
    types.push_back(operand.getType());
    operands.push_back(host.getBody().addArgument(operand.getType(), loc));
    if (number >= launch.getInputs().size())
      donated.push_back(types.size() - 1);
  }
  host.setFunctionType(FunctionType::get(context, types, launch.getResultTypes()));
  for (unsigned argument : donated)
    host.setArgAttr(argument, kDonatedAttrName, UnitAttr::get(context));
  auto copy = cast<LaunchOp>(builder.cloneWithoutRegions(*launch));
  copy->setOperands(operands);
  copy.removeResultSlotsAttr();
  copy.removeGridAttr();
  func::ReturnOp::create(builder, loc, copy.getResults());
}

/// The tolerance for results, relative to the largest one. Inputs are random, so that the errors of
/// a sum of n terms go either way, as a walk of n steps does, and 16 times that is never reached.
/// An element that is left out, or comes twice, makes more than that of a sum of random numbers.
void LoneKernel::setTolerance() {
  double terms = 1;
  nests->walk([&](linalg::GenericOp op) {
    double own = 1;
    SmallVector<int64_t> sizes = op.getStaticLoopRanges();
    for (auto [size, kind] : llvm::zip(sizes, op.getIteratorTypesArray()))
      if (kind == utils::IteratorType::reduction)
        own *= std::max<int64_t>(size, 1);
    terms = std::max(terms, own);
  });
  // Sums of f16 and bf16 are f32; results are rounded to their type once more.
  double result = 0;
  auto host = module->lookupSymbol<func::FuncOp>(options.compile.entry);
  for (Type type : host.getResultTypes())
    if (auto element = dyn_cast<FloatType>(getElementTypeOrSelf(type)))
      result = std::max(result, std::ldexp(1.0, -int(element.getFPMantissaWidth())));
  tolerance = tinyrt::Tolerance::ofLargest(16 * std::sqrt(terms) * 0x1p-24 + 4 * result);
}

LogicalResult LoneKernel::prepare() {
  PassManager plan(module->getContext());
  PlanMemoryPassOptions memory;
  memory.entry = options.compile.entry;
  plan.addPass(createPlanMemoryPass(memory));
  if (failed(plan.run(*module)))
    return failure();
  nests = module->clone();
  PassManager decompose(module->getContext());
  buildNestsPipelineCPU(decompose, pipeline);
  if (failed(decompose.run(*nests)))
    return failure();
  setTolerance();
  std::optional<Run> plain = runOnce("affine", {});
  if (!plain)
    return failure();
  expected = std::move(plain->outputs);
  return success();
}

ArrayAttr LoneKernel::tilings(const SelectTilingCPUPassOptions &select,
                              ArrayRef<TilingRank> ranks) const {
  FailureOr<ArrayAttr> selected =
      selectTilingsCPU(nests.get().lookupSymbol<func::FuncOp>(name), select, ranks);
  return succeeded(selected) ? *selected : ArrayAttr();
}

std::vector<tinyrt::Tensor> LoneKernel::inputs(const tinyrt::PlanView &plan) const {
  std::vector<tinyrt::Tensor> result;
  for (auto [number, input] : llvm::enumerate(plan.inputs())) {
    tinyrt::Tensor tensor(plan.type(input));
    tinyrt::fillRandom(tensor, /*seed=*/1, number);
    result.push_back(tensor);
  }
  return result;
}

std::optional<LoneKernel::Run> LoneKernel::runOnce(StringRef target, ArrayAttr tilings) {
  CompileOptions compileOptions = options.compile;
  compileOptions.target = target.str();
  compileOptions.input = Stage::scheduled;
  compileOptions.cache.clear();
  compileOptions.maxMemory = compileOptions.maxFlops = compileOptions.maxLaunches = 0;
  compileOptions.parts = 1;
  OwningOpRef<ModuleOp> copy = module->clone();
  if (tilings)
    copy->lookupSymbol<func::FuncOp>(name)->setAttr(tilingAttrName, tilings);
  FailureOr<std::unique_ptr<Artefact>> artefact = compile(*copy, compileOptions);
  if (failed(artefact))
    return std::nullopt;
  Run run;
  run.artefact = std::move(*artefact);
  std::string error;
  run.program =
      tinyrt::Program::create(tinyrt::createCpuDevice(options.threads), run.artefact->plan,
                              run.artefact->code(), run.artefact->constants.data(), error);
  if (run.program)
    run.session = tinyrt::Session::create(run.program, {/*poison=*/true, /*profile=*/false}, error);
  if (!run.session || !run.session->run(inputs(run.program->plan()), run.outputs, error)) {
    module->emitError(error);
    return std::nullopt;
  }
  return run;
}

std::optional<double> LoneKernel::measure(ArrayAttr tilings, TunedKernel &report) {
  ++report.tried;
  std::optional<Run> run = runOnce("cpu", tilings);
  if (!run)
    return std::nullopt;
  for (const auto &[actual, wanted] : llvm::zip_equal(run->outputs, expected))
    if (tinyrt::Comparison found = tinyrt::compare(actual, wanted, tolerance); !found.passed) {
      ++report.rejected;
      message = found.message;
      return std::nullopt;
    }
  std::string error;
  auto session = tinyrt::Session::create(run->program, {/*poison=*/false, /*profile=*/true}, error);
  std::vector<tinyrt::Tensor> given = inputs(run->program->plan());
  double best = std::numeric_limits<double>::infinity();
  Clock::time_point start = Clock::now();
  for (unsigned i = 0; i < kMostRuns && (i < kLeastRuns || secondsSince(start) < kSecondsPerTiling);
       ++i) {
    session->resetTimes();
    if (!session->run(given, run->outputs, error))
      return std::nullopt;
    best = std::min(best, session->times().front().nanoseconds * 1e-9);
  }
  return best;
}

namespace {
/// The search for one kernel.
class Search {
public:
  /// Around the default tilings, `first`.
  Search(LoneKernel &kernel, TunedKernel &report, double seconds, ArrayAttr first)
      : kernel(kernel), report(report), seconds(seconds), first(first), select(kernel.defaults()) {}

  /// The best tilings, with those that were found `earlier` if there are any.
  ArrayAttr run(ArrayAttr earlier);

private:
  bool hasTime() const { return secondsSince(start) < seconds; }
  /// Measures tilings that have not been measured yet; true if they are the best ones now.
  bool offer(ArrayAttr tilings);
  bool offer(const SelectTilingCPUPassOptions &select, ArrayRef<TilingRank> ranks);
  bool searchRegisterTiles();
  bool searchWorkgroups();
  bool searchPanels();

  LoneKernel &kernel;
  TunedKernel &report;
  double seconds;
  ArrayAttr first;
  Clock::time_point start = Clock::now();
  SelectTilingCPUPassOptions select; ///< around which is searched, as around `ranks`
  SmallVector<TilingRank> ranks;
  llvm::DenseSet<Attribute> seen;
  ArrayAttr best;
};
} // namespace

bool Search::offer(ArrayAttr tilings) {
  if (!tilings || !hasTime() || !seen.insert(tilings).second)
    return false;
  std::optional<double> time = kernel.measure(tilings, report);
  if (!time || *time >= report.after * kGain)
    return false;
  report.after = *time;
  best = tilings;
  return true;
}

bool Search::offer(const SelectTilingCPUPassOptions &otherSelect, ArrayRef<TilingRank> otherRanks) {
  if (!hasTime() || !offer(kernel.tilings(otherSelect, otherRanks)))
    return false;
  select = otherSelect;
  ranks.assign(otherRanks.begin(), otherRanks.end());
  return true;
}

bool Search::searchRegisterTiles() {
  bool found = false;
  for (unsigned nest = 0; nest < ranks.size(); ++nest)
    for (TilingRank::Form form : {TilingRank::contraction, TilingRank::plain})
      for (unsigned rank = 0; rank < kRanks; ++rank) {
        SmallVector<TilingRank> other(ranks);
        other[nest] = {form, rank};
        found |= offer(select, other);
      }
  return found;
}

/// The tile and the depth of panels, one step after the other in the same direction.
bool Search::searchPanels() {
  bool found = false;
  for (bool moved = true; moved && hasTime();) {
    moved = false;
    for (ArrayAttr neighbour : kernel.neighbours(best ? best : first))
      moved |= offer(neighbour);
    found |= moved;
  }
  return found;
}

bool Search::searchWorkgroups() {
  bool found = false;
  auto change = [&](auto field, std::initializer_list<double> factors) {
    for (double factor : factors) {
      SelectTilingCPUPassOptions other = select;
      other.*field = std::max<int64_t>(static_cast<int64_t>(other.*field * factor), 1);
      found |= offer(other, ranks);
    }
  };
  change(&SelectTilingCPUPassOptions::minWork, {0.25, 4, 64});
  change(&SelectTilingCPUPassOptions::maxWorkgroups, {0.25, 4});
  change(&SelectTilingCPUPassOptions::l1Bytes, {0.5, 2});
  change(&SelectTilingCPUPassOptions::l2Bytes, {0.25, 0.5, 2});
  return found;
}

ArrayAttr Search::run(ArrayAttr earlier) {
  seen.insert(first);
  ranks.resize(first.size());
  offer(earlier);
  for (bool found = true; found && hasTime();) {
    found = searchPanels();
    found |= searchRegisterTiles();
    found |= searchWorkgroups();
  }
  if (!best)
    return first;
  // Once more side by side: the machine may have been busy when the first one was measured.
  std::optional<double> again = kernel.measure(first, report);
  std::optional<double> winner = kernel.measure(best, report);
  report.before = std::min(report.before, again.value_or(0));
  report.after = std::min(report.after, winner.value_or(report.before));
  if (report.after < report.before * kGain)
    return best;
  report.after = report.before;
  return first;
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

namespace {
struct Subject {
  LaunchOp launch; ///< the first one
  func::FuncOp function;
  TunedKernel report;
  std::unique_ptr<LoneKernel> kernel;
  ArrayAttr first;

  double weight() const { return report.before * report.launches; }
};
} // namespace

/// The kernels of a scheduled program, each once.
static std::vector<Subject> kernelsOf(ModuleOp scheduled) {
  llvm::MapVector<StringRef, Subject> byName;
  scheduled->walk([&](LaunchOp launch) {
    Subject &subject = byName[launch.getKernel()];
    if (subject.report.launches++ > 0)
      return;
    subject.launch = launch;
    subject.function = scheduled.lookupSymbol<func::FuncOp>(launch.getKernel());
    subject.report.name = launch.getKernel().str();
  });
  std::vector<Subject> result;
  for (auto &entry : byName)
    result.push_back(std::move(entry.second));
  return result;
}

/// Measures what each kernel takes by default, which says what its part of the time is. One whose
/// results differ even so is left out with a warning.
static LogicalResult prepare(std::vector<Subject> &subjects, const TuneOptions &options,
                             const CPUPipelineOptions &pipeline) {
  std::vector<Subject> ready;
  for (Subject &subject : subjects) {
    subject.kernel =
        std::make_unique<LoneKernel>(options, pipeline, subject.launch, subject.function);
    if (failed(subject.kernel->prepare()))
      return failure();
    subject.first = subject.kernel->tilings(subject.kernel->defaults(), {});
    if (!subject.first)
      return failure();
    std::optional<double> time = subject.kernel->measure(subject.first, subject.report);
    if (!time) {
      subject.function.emitWarning("kernel '")
          << subject.report.name << "' is not tuned: with the default tiling its results are not "
          << "those of plain loops: " << subject.kernel->difference();
      continue;
    }
    subject.report.before = subject.report.after = *time;
    ready.push_back(std::move(subject));
  }
  subjects = std::move(ready);
  return success();
}

LogicalResult mlir::tiny::tune(ModuleOp module, const TuneOptions &options) {
  Clock::time_point start = Clock::now();
  auto cpu = describeCPU(options.compile.cpu);
  if (!cpu)
    return module.emitError(llvm::toString(cpu.takeError()));
  if (std::string missing = missingOnHost(*cpu); !missing.empty())
    return module.emitError("this machine cannot measure code for '")
           << options.compile.cpu << "': it lacks " << missing;
  std::string error;
  TilingCache cache(options.compile.cache, *cpu);
  if (!cache.canStore(error))
    return module.emitError(error);
  CPUPipelineOptions pipeline;
  pipeline.entry = options.compile.entry;
  pipeline.setTarget(cpu->facts);
  OwningOpRef<ModuleOp> scheduled = module.clone();
  PassManager passes(module.getContext());
  if (options.compile.input == Stage::program)
    buildSchedulePipeline(passes, options.compile.entry, options.compile.verifyStages);
  if (failed(passes.run(*scheduled)))
    return failure();

  std::vector<Subject> subjects = kernelsOf(*scheduled);
  if (failed(prepare(subjects, options, pipeline)))
    return failure();
  llvm::sort(subjects, [](const Subject &a, const Subject &b) { return a.weight() < b.weight(); });
  double total = 0;
  for (const Subject &subject : subjects)
    total += subject.weight();
  for (auto [number, subject] : llvm::enumerate(subjects)) {
    double left = std::max(options.seconds - secondsSince(start), 0.0);
    Search search(*subject.kernel, subject.report, left * subject.weight() / std::max(total, 1e-9),
                  subject.first);
    total -= subject.weight();
    ArrayAttr best = search.run(cache.load(subject.function));
    if (!cache.store(subject.function, best, error))
      return module.emitError(error);
    if (options.progress)
      options.progress(subject.report, number + 1, subjects.size());
    subject.kernel.reset(); // its tensors may be large
  }
  return success();
}
