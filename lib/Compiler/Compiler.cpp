//===- Compiler.cpp - run the stages --------------------------------------===//
//
// Schedule, count, Tile, plan, Codegen, LLVM, link: each is a phase with its time.
// What a program costs is counted as soon as it is scheduled, and the launch plan is
// made as soon as the grid is known, so a program that needs too much is refused
// before anything of its size is allocated.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Compiler/Compiler.h"

#include "EmitCode.h"
#include "EmitLibrary.h"
#include "HostPlan.h"
#include "ObjectCache.h"
#include "Tiny/Compiler/CPU.h"
#include "Tiny/Compiler/GPU.h"
#include "Tiny/Compiler/Pipelines.h"
#include "Tiny/Compiler/TilingCache.h"
#include "Tiny/IR/KernelAttributes.h"
#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Runtime/KernelMetadata.h"
#include "Tiny/Schedule/Report.h"
#include "Tiny/Tile/Passes.h"
#include "Tiny/Tile/Tilings.h"

#include "mlir/IR/Threading.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/ROCDL/ROCDLToLLVMIRTranslation.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"

#include <chrono>

using namespace mlir;
using namespace mlir::tiny;

Artefact::Artefact() = default;
Artefact::~Artefact() = default;

tinyrt::Code Artefact::code() const {
  return {[this](const char *name) -> void * {
            for (size_t i = 0; i < kernels.size(); ++i)
              if (plan->text(plan->kernels()[i].name) == name)
                return reinterpret_cast<void *>(kernels[i]);
            return nullptr;
          },
          image};
}

void mlir::tiny::registerCompilerExtensions(DialectRegistry &registry) {
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerROCDLDialectTranslation(registry);
  registerTileExtensions(registry);
}

namespace {

/// One run of the compiler. Every step fails with a diagnostic.
class Compilation {
public:
  Compilation(ModuleOp module, const CompileOptions &options, std::vector<Phase> &phases)
      : module(module), options(options), phases(phases) {}

  /// Looks up target and entry.
  LogicalResult prepare();
  /// For code of processes that have not asked the system for the registers of a matrix unit, as
  /// describeCPU does for this one.
  void leaveMatrixUnit() { cpuOptions.matrixUnit = false; }
  /// Kernels and launches, what they cost, and the tilings that were found by tuning.
  LogicalResult schedule();
  /// For code that is emitted: whoever names a cache there means the tilings in it.
  void warnIfUntuned();
  /// Loops, and the grids of the launches. What came tiled stays as it is.
  LogicalResult tile();
  /// The launch plan and the constants.
  LogicalResult makePlan();
  /// The plan and the objects of a CPU: all of the stages above and below, or what the cache has.
  LogicalResult makeObjects();
  /// The llvm dialect, in one nested module per part.
  LogicalResult lower();
  /// The code of each part.
  LogicalResult generate(CodeKind kind,
                         llvm::function_ref<llvm::Error(llvm::Module &)> extend = nullptr);
  /// That of the CPU into this process.
  LogicalResult link(Artefact &artefact);
  /// The plan and the code object of a GPU: all of the stages above. Kernels that LLVM spills
  /// registers of are tiled again, for fewer of them.
  LogicalResult makeImage(std::string &image);

  tinyrt::Plan plan;
  tinyrt::Tensor constants;
  std::optional<ProgramCost> cost;
  /// What is compiled for: the row of a GPU, or else `cpu`.
  const Target *gpu = nullptr;
  unsigned tunedKernels = 0;
  std::vector<std::string> bf16Kernels;
  CPU cpu;
  SmallVector<SmallVector<char, 0>> code;

private:
  /// Runs `step` and notes its time.
  template <typename Step> LogicalResult timed(const char *name, Step step) {
    auto start = std::chrono::steady_clock::now();
    LogicalResult result = step();
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    phases.push_back({name, seconds.count()});
    return result;
  }
  /// Runs what `build` adds to a pass manager.
  LogicalResult runPipeline(llvm::function_ref<void(OpPassManager &)> build);
  LogicalResult prepareCPU();
  LogicalResult count();
  void useTunedTilings();
  void addTilePasses(OpPassManager &pm);
  void addCodegenPasses(OpPassManager &pm);
  std::string describe();
  LogicalResult link(std::string &image);
  LogicalResult checkImage(const std::string &image, std::vector<tinyrt::KernelMetadata> &spilled);
  LogicalResult error(llvm::Error failure) {
    return module.emitError(llvm::toString(std::move(failure)));
  }

  ModuleOp module;
  const CompileOptions &options;
  std::vector<Phase> &phases;
  CPUPipelineOptions cpuOptions;
  RDNA3PipelineOptions gpuOptions;
  func::FuncOp entry;
};

} // namespace

LogicalResult Compilation::prepareCPU() {
  if (options.target != "cpu" && options.target != "affine")
    return module.emitError("unknown target '")
           << options.target << "'; the compiler knows 'cpu', 'affine', 'rdna3' and its chips "
           << "'gfx1100', 'gfx1101' and 'gfx1102'";
  auto described = describeCPU(options.cpu);
  if (!described)
    return error(described.takeError());
  cpu = *described;
  cpuOptions.entry = options.entry;
  cpuOptions.parts = std::max(options.parts, 1u);
  cpuOptions.verify = options.verifyStages;
  cpuOptions.setTarget(cpu.facts);
  cpuOptions.bf16Products = options.precision == Precision::bf16;
  if (!cpuOptions.bf16Products)
    return success();
  if (options.target == "affine")
    return module.emitError("products in bf16 are for the target 'cpu'");
  if (std::string reason = whyNoBF16Products(cpu); !reason.empty())
    return module.emitError(reason);
  return success();
}

LogicalResult Compilation::prepare() {
  gpu = findGPU(options.target);
  if (!gpu && failed(prepareCPU()))
    return failure();
  if (gpu && options.precision == Precision::bf16)
    return module.emitError("products in bf16 are for CPUs; '")
           << options.target << "' multiplies in bf16 what the program has in bf16";
  if (gpu) {
    gpuOptions.entry = options.entry;
    gpuOptions.parts = std::max(options.parts, 1u);
    gpuOptions.verify = options.verifyStages;
    gpuOptions.setTarget(*gpu);
  }
  entry = module.lookupSymbol<func::FuncOp>(options.entry);
  if (!entry || entry.isExternal()) {
    InFlightDiagnostic diagnostic = module.emitError("there is no function '")
                                    << options.entry << "' to compile";
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal())
        diagnostic.attachNote(function.getLoc()) << "there is '" << function.getName() << "'";
    return diagnostic;
  }

  DialectRegistry registry; // a context that has them already keeps them
  registerCompilerExtensions(registry);
  module.getContext()->appendDialectRegistry(registry);
  return success();
}

LogicalResult Compilation::runPipeline(llvm::function_ref<void(OpPassManager &)> build) {
  PassManager passes(module.getContext());
  // Once per stage: behind each pass it would take a third of the time. tiny-opt does that.
  passes.enableVerifier(false);
  build(passes);
  if (failed(passes.run(module)))
    return failure();
  return success(!options.verifyStages || succeeded(verify(module)));
}

LogicalResult Compilation::count() {
  FailureOr<ProgramCost> counted = analyseCost(module, options.entry);
  if (failed(counted))
    return failure();
  cost = std::move(*counted);
  return checkWork(entry, *cost, options.maxFlops, options.maxLaunches);
}

/// Whether a nest is tiled for a matrix unit.
static bool needMatrixUnit(ArrayAttr tilings) {
  return llvm::any_of(tilings, [](Attribute tiling) {
    auto panels = dyn_cast<DictionaryAttr>(tiling);
    return panels && panels.contains(matrixTilesAttrName);
  });
}

/// What tuning has found takes the place of the choice by cost.
void Compilation::useTunedTilings() {
  TilingCache cache = gpu ? TilingCache(options.cache, *gpu)
                          : TilingCache(options.cache, cpu, cpuOptions.bf16Products);
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function->hasAttr("tiny.kernel") || function->hasAttr(tilingAttrName))
      continue;
    ArrayAttr tilings = cache.load(function);
    if (tilings && (gpu || cpuOptions.matrixUnit || !needMatrixUnit(tilings))) {
      function->setAttr(tilingAttrName, tilings);
      ++tunedKernels;
    }
  }
}

void Compilation::warnIfUntuned() {
  if (!options.cache.empty() && tunedKernels == 0)
    entry.emitWarning("no kernel has tilings in the cache '") << options.cache << "'";
}

void Compilation::addTilePasses(OpPassManager &pm) {
  if (gpu)
    return buildTilePipelineRDNA3(pm, gpuOptions);
  if (options.target == "cpu")
    return buildTilePipelineCPU(pm, cpuOptions);
  buildTilePipelineAffine(pm, cpuOptions);
  buildSequentialPipeline(pm, cpuOptions);
}

void Compilation::addCodegenPasses(OpPassManager &pm) {
  gpu ? buildCodegenPipelineRDNA3(pm, gpuOptions) : buildCodegenPipelineCPU(pm, cpuOptions);
}

LogicalResult Compilation::schedule() {
  if (options.input == Stage::tiled && (options.maxFlops || options.maxLaunches))
    return entry.emitError("its kernels are tiled, so that what they cost cannot be counted and "
                           "held to a limit");
  if (options.input == Stage::program && failed(timed("schedule", [&] {
        return runPipeline([&](OpPassManager &pm) {
          NarrowProducts products;
          if (options.target == "cpu")
            products = cpuOptions.products();
          buildSchedulePipeline(pm, options.entry, options.verifyStages, gpu, products);
        });
      })))
    return failure();
  if (options.input != Stage::tiled && failed(timed("count", [&] { return count(); })))
    return failure();
  bool canBeTuned = gpu || options.target == "cpu";
  if (!canBeTuned || options.input == Stage::tiled || options.cache.empty())
    return success();
  // A tiling was measured with constants as they lie then, and code that is kept reads them so.
  if (failed(runPipeline([&](OpPassManager &pm) {
        gpu ? buildArrangePipelineRDNA3(pm, gpuOptions) : buildArrangePipelineCPU(pm, cpuOptions);
      })))
    return failure();
  useTunedTilings();
  return success();
}

LogicalResult Compilation::tile() {
  if (options.input == Stage::tiled)
    return success();
  return timed("tile", [&] { return runPipeline([&](OpPassManager &pm) { addTilePasses(pm); }); });
}

LogicalResult Compilation::makePlan() {
  return timed("plan", [&]() -> LogicalResult {
    FailureOr<tinyrt::Plan> built = buildPlan(entry, cost ? &*cost : nullptr);
    if (failed(built) || failed(checkMemory(entry, *built, options.maxMemory)))
      return failure();
    plan = std::move(*built);
    FailureOr<tinyrt::Tensor> packed = packConstants(entry, plan);
    if (failed(packed))
      return failure();
    constants = *packed;
    return success();
  });
}

/// All that decides about code besides the program itself.
std::string Compilation::describe() {
  std::string text;
  llvm::raw_string_ostream os(text);
  OpPassManager passes(ModuleOp::getOperationName());
  addTilePasses(passes);
  addCodegenPasses(passes);
  passes.printAsTextualPipeline(os);
  os << "\n" << cpu.triple.str() << " " << cpu.name << " " << cpu.features << "\n";
  return text;
}

LogicalResult Compilation::makeObjects() {
  // What came tiled is for tests.
  std::optional<ObjectCache> cache;
  CompiledLaunches kept;
  bool isKept = false;
  if (!options.cache.empty() && options.input != Stage::tiled)
    (void)timed("cache", [&] {
      cache.emplace(options.cache, entry, describe());
      isKept = cache->load(kept);
      return success();
    });
  if (isKept) {
    for (auto [launch, grid] : llvm::zip_equal(entry.getOps<LaunchOp>(), kept.grids))
      launch.setGrid(ArrayRef<int64_t>(grid));
    bf16Kernels = std::move(kept.bf16Kernels);
    code = std::move(kept.objects);
    return makePlan();
  }
  if (failed(tile()) || failed(makePlan()))
    return failure();
  for (auto kernel : module.getOps<func::FuncOp>())
    if (kernel->hasAttr(kBF16ProductsAttrName))
      bf16Kernels.push_back(kernel.getName().str());
  kept.bf16Kernels = bf16Kernels;
  if (cache)
    for (auto launch : entry.getOps<LaunchOp>())
      llvm::copy(*launch.getGrid(), kept.grids.emplace_back().begin());
  if (failed(lower()) || failed(generate(CodeKind::object)))
    return failure();
  if (cache) {
    kept.objects = code;
    cache->store(kept);
  }
  return success();
}

LogicalResult Compilation::lower() {
  return timed("lower",
               [&] { return runPipeline([&](OpPassManager &pm) { addCodegenPasses(pm); }); });
}

LogicalResult Compilation::generate(CodeKind kind,
                                    llvm::function_ref<llvm::Error(llvm::Module &)> extend) {
  return timed("llvm", [&] {
    SmallVector<ModuleOp> parts(module.getOps<ModuleOp>());
    code.resize(parts.size());
    return failableParallelForEach(module.getContext(), llvm::seq<size_t>(0, parts.size()),
                                   [&](size_t i) {
                                     return gpu ? emitCode(parts[i], *gpu, kind, code[i])
                                                : emitCode(parts[i], cpu, kind, code[i], extend);
                                   });
  });
}

LogicalResult Compilation::link(Artefact &artefact) {
  return timed("link", [&]() -> LogicalResult {
    auto jit = llvm::orc::LLJITBuilder().create();
    if (!jit)
      return error(jit.takeError());
    artefact.jit = std::move(*jit);
    // Kernels see these functions and one another, nothing else of the process.
    llvm::orc::SymbolMap library;
    for (const LibraryFunction &function : libraryFunctions())
      library[artefact.jit->mangleAndIntern(function.name)] = {
          llvm::orc::ExecutorAddr::fromPtr(function.address),
          llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
    if (llvm::Error failed =
            artefact.jit->getMainJITDylib().define(llvm::orc::absoluteSymbols(library)))
      return error(std::move(failed));
    for (SmallVector<char, 0> &object : code)
      if (llvm::Error failed = artefact.jit->addObjectFile(
              std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(object), "kernels")))
        return error(std::move(failed));
    for (const tiny_plan_kernel &kernel : plan->kernels()) {
      std::string_view name = plan->text(kernel.name);
      auto address = artefact.jit->lookup(llvm::StringRef(name.data(), name.size()));
      if (!address)
        return error(address.takeError());
      artefact.kernels.push_back(address->toPtr<KernelFunction>());
    }
    return success();
  });
}

/// What LLVM has made of the kernels; the plan is told of their LDS. `spilled` are those with
/// memory of one lane, which is in the card's memory, and slow: whoever tiled them asked for more
/// registers than there are.
LogicalResult Compilation::checkImage(const std::string &image,
                                      std::vector<tinyrt::KernelMetadata> &spilled) {
  std::vector<tinyrt::KernelMetadata> kernels;
  std::string reason;
  if (!tinyrt::readKernelMetadata(image, kernels, reason))
    return module.emitError("the linked code cannot be read: ") << reason;
  for (const tinyrt::KernelMetadata &kernel : kernels) {
    if (kernel.groupBytes > gpu->units.ldsBytes)
      return module.emitError("kernel '")
             << kernel.name << "' needs " << kernel.groupBytes << " bytes of local memory; "
             << gpu->name << " has " << gpu->units.ldsBytes;
    if (kernel.dynamicStack)
      module.emitWarning("kernel '") << kernel.name << "' has a stack of no known size";
    if (kernel.privateBytes || kernel.vectorSpills || kernel.scalarSpills)
      spilled.push_back(kernel);
    for (size_t i = 0; i < plan->kernels().size(); ++i)
      if (plan->text(plan->kernels()[i].name) == kernel.name)
        plan.setLocalBytes(i, kernel.groupBytes);
  }
  return success();
}

LogicalResult Compilation::link(std::string &image) {
  return timed("link", [&]() -> LogicalResult {
    if (plan->kernels().empty())
      return success();
    auto linked = linkCodeObject(code);
    if (!linked)
      return error(linked.takeError());
    image = std::move(*linked);
    return success();
  });
}

LogicalResult Compilation::makeImage(std::string &image) {
  constexpr unsigned mostHalvings = 2;
  for (unsigned halvings = 0;; ++halvings) {
    // Constants are attributes, which a clone shares.
    OwningOpRef<ModuleOp> before;
    if (halvings < mostHalvings && options.tileAgain && options.input != Stage::tiled)
      before = module.clone();
    std::vector<tinyrt::KernelMetadata> spilled;
    code.clear();
    if (failed(tile()) || failed(makePlan()) || failed(lower()) ||
        failed(generate(CodeKind::object)) || failed(link(image)) ||
        (!image.empty() && failed(checkImage(image, spilled))))
      return failure();
    if (spilled.empty() || !before) {
      for (const tinyrt::KernelMetadata &kernel : spilled)
        module.emitWarning("kernel '")
            << kernel.name << "' does not fit the registers: each lane has " << kernel.privateBytes
            << " bytes of scratch memory, with " << kernel.vectorSpills << " vector and "
            << kernel.scalarSpills << " scalar registers spilled";
      return success();
    }
    module.getBodyRegion().takeBody(before->getBodyRegion());
    module->setAttrs(before.get()->getAttrDictionary());
    entry = module.lookupSymbol<func::FuncOp>(options.entry);
    for (const tinyrt::KernelMetadata &kernel : spilled) {
      auto function = module.lookupSymbol<func::FuncOp>(kernel.name);
      module.emitWarning("kernel '")
          << kernel.name << "' does not fit the registers and is tiled again, for half as many";
      function->setAttr(kRegisterHalvingsAttrName,
                        Builder(function).getI64IntegerAttr(halvings + 1));
      function->removeAttr("tiny.tiling"); // one that was asked for is no better
    }
  }
}

Stage mlir::tiny::stageOf(func::FuncOp entry) {
  auto launches = entry.getOps<LaunchOp>();
  if (launches.empty())
    return Stage::program;
  return llvm::all_of(launches, [](LaunchOp launch) { return launch.getGrid().has_value(); })
             ? Stage::tiled
             : Stage::scheduled;
}

FailureOr<std::unique_ptr<Artefact>> mlir::tiny::compile(ModuleOp module,
                                                         const CompileOptions &options) {
  auto artefact = std::make_unique<Artefact>();
  Compilation compilation(module, options, artefact->phases);
  if (failed(compilation.prepare()))
    return failure();
  std::string missing = compilation.gpu ? "" : missingOnHost(compilation.cpu);
  if (!missing.empty())
    return module.emitError("this machine cannot run code for '")
           << options.cpu << "': it lacks " << missing;
  if (failed(compilation.schedule()))
    return failure();
  if (compilation.gpu ? failed(compilation.makeImage(artefact->image))
                      : failed(compilation.makeObjects()) || failed(compilation.link(*artefact)))
    return failure();
  artefact->plan = std::move(compilation.plan);
  artefact->constants = compilation.constants;
  artefact->cost = std::move(compilation.cost);
  artefact->tunedKernels = compilation.tunedKernels;
  artefact->precision = options.precision;
  artefact->bf16Kernels = std::move(compilation.bf16Kernels);
  return artefact;
}

LogicalResult mlir::tiny::emit(ModuleOp module, const CompileOptions &options, EmitKind kind,
                               llvm::raw_ostream &os) {
  CompileOptions whole = options;
  whole.parts = 1; // one file
  std::vector<Phase> phases;
  Compilation compilation(module, whole, phases);
  if (failed(compilation.prepare()))
    return failure();
  if (kind == EmitKind::codeObject && !compilation.gpu)
    return module.emitError("a code object is what a GPU loads; for '")
           << options.target << "' there is an object file";
  if (failed(compilation.schedule()))
    return failure();
  compilation.warnIfUntuned();
  if (kind == EmitKind::codeObject) {
    std::string image;
    if (failed(compilation.makeImage(image)))
      return failure();
    os << image;
    return success();
  }
  if (failed(compilation.tile()) || failed(compilation.makePlan()))
    return failure();
  if (kind == EmitKind::mlir) {
    module.print(os);
    os << "\n";
    return success();
  }
  CodeKind codeKind = kind == EmitKind::llvm       ? CodeKind::llvm
                      : kind == EmitKind::assembly ? CodeKind::assembly
                                                   : CodeKind::object;
  if (failed(compilation.lower()) || failed(compilation.generate(codeKind)))
    return failure();
  for (const SmallVector<char, 0> &part : compilation.code)
    os.write(part.data(), part.size());
  return success();
}

FailureOr<Library> mlir::tiny::emitLibrary(ModuleOp module, const CompileOptions &options,
                                           const LibraryOptions &library) {
  CompileOptions whole = options;
  whole.parts = 1; // the kernels are internal to one object
  std::vector<Phase> phases;
  Compilation compilation(module, whole, phases);
  if (failed(compilation.prepare()))
    return failure();
  if (compilation.gpu)
    return module.emitError("a library is for a CPU; what '")
           << options.target << "' loads is a code object";
  compilation.leaveMatrixUnit();
  if (failed(compilation.schedule()))
    return failure();
  compilation.warnIfUntuned();
  if (failed(compilation.tile()) || failed(compilation.makePlan()))
    return failure();
  const tinyrt::PlanView &plan = compilation.plan.view();
  std::string reason = whyNotLibrary(plan, library);
  if (!reason.empty())
    return module.emitError("this program cannot be compiled ahead of time: ") << reason;
  if (!plan.checks().empty())
    module.emitWarning("the code that is emitted does not evaluate the expectations of the "
                       "program, which are ")
        << plan.checks().size();
  auto extend = [&](llvm::Module &code) {
    return addDriver(code, plan, compilation.constants, library);
  };
  if (failed(compilation.lower()) || failed(compilation.generate(CodeKind::object, extend)))
    return failure();
  Library result;
  auto packed = packLibrary(compilation.code.front(), library);
  if (!packed)
    return module.emitError(llvm::toString(packed.takeError()));
  result.code = std::move(*packed);
  result.header = libraryHeader(plan, compilation.cpu, library);
  result.weights = compilation.constants;
  return result;
}
