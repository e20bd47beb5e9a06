//===- Tune.cpp - measure the tilings around the default one --------------===//
//
// Each kernel is taken out of the program and launched alone, from a host function of
// its own. The search goes along one choice at a time: the vector loop and register
// tile of one nest, panels or none, the sizes of workgroups and of panels; what is
// faster is kept and searched around. Kernels that take more of the program's time get more of
// ours, and come last, since the others leave them what they do not need.
//
//===----------------------------------------------------------------------===//

#include "TuneTarget.h"

#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Runtime/Compare.h"
#include "Tiny/Runtime/Element.h"
#include "Tiny/Runtime/Session.h"
#include "Tiny/Schedule/Passes.h"

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
/// In the end, the best tiling and the default one are measured so often, in turns.
static constexpr unsigned kRounds = 5;

static double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

namespace {
/// A kernel in a program of its own.
class LoneKernel {
public:
  LoneKernel(const TuneOptions &options, const TuneTarget &target, LaunchOp launch,
             func::FuncOp kernel)
      : options(options), target(target), name(kernel.getName()) {
    isolate(launch, kernel);
  }

  /// Readies it: memory, the nests to tile, inputs, and what the results have to be.
  LogicalResult prepare();
  /// Seconds of a launch with `tilings`, or nothing if it does not compile or its results differ.
  std::optional<double> measure(ArrayAttr tilings, TunedKernel &report);
  /// Measures both in turns, since the machine may have been busy when one of them was measured.
  bool isFaster(ArrayAttr tilings, ArrayAttr than, TunedKernel &report);
  /// The tilings of `point`; null if there are none.
  ArrayAttr tilings(const TilingPoint &point);
  SmallVector<ArrayAttr> neighbours(ArrayAttr tilings) const {
    return target.neighbours(nest(), tilings);
  }
  /// Makes tilings() more modest, if they can be.
  bool retreat() { return target.retreat(nest()); }
  /// The worst that measure() has found wrong.
  const std::string &problem() const { return message; }

private:
  void isolate(LaunchOp launch, func::FuncOp original);
  void setTolerance();
  func::FuncOp nest() const { return nests.get().lookupSymbol<func::FuncOp>(name); }
  struct Run {
    std::unique_ptr<Artefact> artefact;
    std::shared_ptr<tinyrt::Device> device;
    std::shared_ptr<const tinyrt::Program> program;
    std::unique_ptr<tinyrt::Session> session;
    std::vector<tinyrt::Tensor> outputs;
  };
  std::unique_ptr<Artefact> compileWith(StringRef how, ArrayAttr tilings);
  /// Runs what was compiled, once. False with the reason in `message`.
  bool start(Run &run, std::shared_ptr<tinyrt::Device> device);
  /// Compiles and runs the kernel, and checks what comes out.
  bool start(Run &run, ArrayAttr tilings, TunedKernel &report);
  std::vector<tinyrt::Tensor> inputs(const tinyrt::PlanView &plan) const;
  std::optional<double> bestTime(Run &run);
  /// Handles diagnostics: of many tilings that are tried, some fail.
  auto keepMessage() {
    return [this](Diagnostic &diagnostic) {
      if (message.empty())
        message = diagnostic.str();
      return success();
    };
  }

  const TuneOptions &options;
  const TuneTarget &target;
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
  target.buildNests(decompose);
  if (failed(decompose.run(*nests)))
    return failure();
  setTolerance();
  Run plain;
  plain.artefact = compileWith("affine", {});
  if (!plain.artefact || !start(plain, tinyrt::createCpuDevice(options.threads)))
    return module->emitError(message);
  expected = std::move(plain.outputs);
  return success();
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

ArrayAttr LoneKernel::tilings(const TilingPoint &point) {
  message.clear();
  ScopedDiagnosticHandler quiet(module->getContext(), keepMessage());
  return target.tilings(nest(), point);
}

/// Null with the reason in `message`, which is no error: many tilings are tried.
std::unique_ptr<Artefact> LoneKernel::compileWith(StringRef how, ArrayAttr tilings) {
  CompileOptions compileOptions = options.compile;
  compileOptions.target = how.str();
  compileOptions.input = Stage::scheduled;
  compileOptions.cache.clear();
  compileOptions.maxMemory = compileOptions.maxFlops = compileOptions.maxLaunches = 0;
  compileOptions.parts = 1;
  compileOptions.tileAgain = false;
  OwningOpRef<ModuleOp> copy = module->clone();
  if (tilings)
    copy->lookupSymbol<func::FuncOp>(name)->setAttr(tilingAttrName, tilings);
  message.clear();
  ScopedDiagnosticHandler quiet(module->getContext(), keepMessage());
  FailureOr<std::unique_ptr<Artefact>> artefact = compile(*copy, compileOptions);
  return succeeded(artefact) ? std::move(*artefact) : nullptr;
}

bool LoneKernel::start(Run &run, std::shared_ptr<tinyrt::Device> device) {
  run.device = std::move(device);
  if (run.device)
    run.program = tinyrt::Program::create(run.device, run.artefact->plan, run.artefact->code(),
                                          run.artefact->constants.data(), message);
  if (run.program)
    run.session =
        tinyrt::Session::create(run.program, {/*poison=*/true, /*profile=*/false}, message);
  return run.session && run.session->run(inputs(run.program->plan()), run.outputs, message);
}

/// The least of many runs.
std::optional<double> LoneKernel::bestTime(Run &run) {
  auto session =
      tinyrt::Session::create(run.program, {/*poison=*/false, /*profile=*/true}, message);
  if (!session)
    return std::nullopt;
  std::vector<tinyrt::Tensor> given = inputs(run.program->plan());
  double best = std::numeric_limits<double>::infinity();
  Clock::time_point start = Clock::now();
  for (unsigned i = 0; i < kMostRuns && (i < kLeastRuns || secondsSince(start) < kSecondsPerTiling);
       ++i) {
    session->resetTimes();
    if (!session->run(given, run.outputs, message))
      return std::nullopt;
    best = std::min(best, session->times().front().nanoseconds * 1e-9);
  }
  return best;
}

bool LoneKernel::start(Run &run, ArrayAttr tilings, TunedKernel &report) {
  run.artefact = compileWith(options.compile.target, tilings);
  if (run.artefact)
    message = target.whyNot(*run.artefact);
  if (!run.artefact || !message.empty()) {
    ++report.unfit;
    return false;
  }
  if (!start(run, target.createDevice(message))) {
    ++report.rejected;
    return false;
  }
  for (const auto &[actual, wanted] : llvm::zip_equal(run.outputs, expected))
    if (tinyrt::Comparison found = tinyrt::compare(actual, wanted, tolerance); !found.passed) {
      ++report.rejected;
      message = "its results are not those of plain loops: " + found.message;
      return false;
    }
  return true;
}

std::optional<double> LoneKernel::measure(ArrayAttr tilings, TunedKernel &report) {
  ++report.tried;
  Run run;
  if (!start(run, tilings, report))
    return std::nullopt;
  std::optional<double> estimate = target.estimate(*run.artefact, *run.device);
  report.estimated = estimate.has_value();
  return estimate ? estimate : bestTime(run);
}

bool LoneKernel::isFaster(ArrayAttr tilings, ArrayAttr than, TunedKernel &report) {
  Run one, other;
  if (!start(one, tilings, report) || !start(other, than, report))
    return false;
  double time = std::numeric_limits<double>::infinity(), otherTime = time;
  for (unsigned round = 0; round < kRounds; ++round) {
    time = std::min(time, bestTime(one).value_or(time));
    otherTime = std::min(otherTime, bestTime(other).value_or(otherTime));
  }
  report.before = otherTime;
  report.after = std::min(time, otherTime);
  return time < otherTime * kGain;
}

namespace {
/// The search for one kernel.
class Search {
public:
  /// Around the default tilings, `first`.
  Search(LoneKernel &kernel, const TuneTarget &target, TunedKernel &report, double seconds,
         ArrayAttr first)
      : kernel(kernel), target(target), report(report), seconds(seconds), first(first) {
    point.ranks.resize(first.size());
    point.sizes = target.defaultSizes();
  }

  /// The best tilings, with those that were found `earlier` if there are any.
  ArrayAttr run(ArrayAttr earlier);

private:
  bool hasTime() const { return secondsSince(start) < seconds; }
  /// Measures tilings that have not been measured yet; true if they are the best ones now.
  bool offer(ArrayAttr tilings);
  bool offer(const TilingPoint &other);
  bool searchRanks();
  bool searchSizes();
  bool searchNeighbours();

  LoneKernel &kernel;
  const TuneTarget &target;
  TunedKernel &report;
  double seconds;
  ArrayAttr first;
  Clock::time_point start = Clock::now();
  TilingPoint point; ///< around which is searched
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

bool Search::offer(const TilingPoint &other) {
  if (!hasTime() || !offer(kernel.tilings(other)))
    return false;
  point = other;
  return true;
}

bool Search::searchRanks() {
  bool found = false;
  for (unsigned nest = 0; nest < point.ranks.size(); ++nest)
    for (TilingRank::Form form : {TilingRank::contraction, TilingRank::plain})
      for (unsigned rank = 0; rank < kRanks; ++rank) {
        TilingPoint other = point;
        other.ranks[nest] = {form, rank};
        found |= offer(other);
      }
  return found;
}

bool Search::searchSizes() {
  bool found = false;
  for (auto [number, sizes] : llvm::enumerate(target.otherSizes()))
    for (double size : sizes) {
      TilingPoint other = point;
      other.sizes[number] = size;
      found |= offer(other);
    }
  return found;
}

/// One step after the other in the same direction.
bool Search::searchNeighbours() {
  bool found = false;
  for (bool moved = true; moved && hasTime();) {
    moved = false;
    for (ArrayAttr neighbour : kernel.neighbours(best ? best : first))
      moved |= offer(neighbour);
    found |= moved;
  }
  return found;
}

ArrayAttr Search::run(ArrayAttr earlier) {
  seen.insert(first);
  offer(earlier);
  for (bool found = true; found && hasTime();) {
    found = searchNeighbours();
    found |= searchRanks();
    found |= searchSizes();
  }
  if (!best)
    return first;
  if (report.estimated || kernel.isFaster(best, first, report))
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

/// The default tilings, and what they take, which says what the kernel's part of the time is. False
/// where not even these will do.
static bool measureDefault(Subject &subject, const TuneTarget &target) {
  TilingPoint point;
  point.sizes = target.defaultSizes();
  do {
    subject.first = subject.kernel->tilings(point);
    if (!subject.first)
      return false;
    if (std::optional<double> time = subject.kernel->measure(subject.first, subject.report)) {
      subject.report.before = subject.report.after = *time;
      return true;
    }
  } while (subject.kernel->retreat());
  return false;
}

/// A kernel without a default is left out with a warning.
static LogicalResult prepare(std::vector<Subject> &subjects, const TuneOptions &options,
                             const TuneTarget &target) {
  std::vector<Subject> ready;
  for (Subject &subject : subjects) {
    subject.kernel =
        std::make_unique<LoneKernel>(options, target, subject.launch, subject.function);
    if (failed(subject.kernel->prepare()))
      return failure();
    if (measureDefault(subject, target)) {
      ready.push_back(std::move(subject));
      continue;
    }
    subject.function.emitWarning("kernel '") << subject.report.name << "' is not tuned; of its "
                                             << "default tiling: " << subject.kernel->problem();
  }
  subjects = std::move(ready);
  return success();
}

LogicalResult mlir::tiny::tune(ModuleOp module, const TuneOptions &options) {
  Clock::time_point start = Clock::now();
  std::unique_ptr<TuneTarget> target = TuneTarget::create(module, options);
  if (!target)
    return failure();
  std::string error;
  TilingCache cache = target->cache(options.compile.cache);
  if (!cache.canStore(error))
    return module.emitError(error);
  if (!target->createDevice(error))
    return module.emitError(error);
  OwningOpRef<ModuleOp> scheduled = module.clone();
  PassManager passes(module.getContext());
  target->buildSchedule(passes, options.compile);
  if (failed(passes.run(*scheduled)))
    return failure();

  std::vector<Subject> subjects = kernelsOf(*scheduled);
  if (failed(prepare(subjects, options, *target)))
    return failure();
  llvm::sort(subjects, [](const Subject &a, const Subject &b) { return a.weight() < b.weight(); });
  double total = 0;
  for (const Subject &subject : subjects)
    total += subject.weight();
  for (auto [number, subject] : llvm::enumerate(subjects)) {
    double left = std::max(options.seconds - secondsSince(start), 0.0);
    Search search(*subject.kernel, *target, subject.report,
                  left * subject.weight() / std::max(total, 1e-9), subject.first);
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
