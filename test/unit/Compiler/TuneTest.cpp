//===- TuneTest.cpp - tilings from the cache, and the search that fills it -===//

#include "KernelRunner.h"

#include "Tiny/Compiler/Pipelines.h"
#include "Tiny/Compiler/TilingCache.h"
#include "Tiny/Compiler/Tune.h"
#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Runtime/HsaDevice.h"
#include "Tiny/Tile/LaneTilings.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <numeric>

using namespace tinytest;
using namespace mlir;
using namespace mlir::tiny;

namespace {

constexpr const char *kProgram = R"(
  func.func @main(%x: tensor<64x64xf32>) -> tensor<64xf32> {
    %0 = tiny.mul %x, %x : tensor<64x64xf32>
    %1 = tiny.reduce add %0 dims [1] : tensor<64x64xf32> -> tensor<64xf32>
    return %1 : tensor<64xf32>
  })";

/// A folder that is gone with the test.
class Tune : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("tiny-tune", folder));
    options.cache = folder.str().str();
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  OwningOpRef<ModuleOp> parse() { return parseSourceString<ModuleOp>(program, &context()); }
  OwningOpRef<ModuleOp> schedule() {
    OwningOpRef<ModuleOp> module = parse();
    PassManager passes(&context());
    buildSchedulePipeline(passes, "main", true);
    EXPECT_TRUE(succeeded(passes.run(*module)));
    return module;
  }
  static func::FuncOp kernelOf(ModuleOp module) {
    for (auto function : module.getOps<func::FuncOp>())
      if (function->hasAttr("tiny.kernel"))
        return function;
    return {};
  }
  TilingCache cache() { return TilingCache(options.cache, *describeCPU("host")); }

  llvm::SmallString<128> folder;
  CompileOptions options;
  const char *program = kProgram;
};

TEST_F(Tune, UsesWhatIsInTheCache) {
  OwningOpRef<ModuleOp> scheduled = schedule();
  func::FuncOp kernel = kernelOf(*scheduled);
  SelectTilingCPUPassOptions select;
  select.panels = false;
  FailureOr<ArrayAttr> first = selectTilingsCPU(kernel, select);
  ASSERT_TRUE(succeeded(first));
  // One element at a time is never the cheapest.
  auto tiling = cast<TilingAttr>((*first)[0]);
  ASSERT_GT(tiling.getVectorWidth(), 1);
  Attribute scalar = TilingAttr::get(&context(), {64}, -1, 1, {1, 1}, {0, 1});
  std::string error;
  ASSERT_TRUE(cache().store(kernel, ArrayAttr::get(&context(), scalar), error)) << error;

  auto emitted = [&](const CompileOptions &how) {
    std::string text;
    llvm::raw_string_ostream os(text);
    EXPECT_TRUE(succeeded(emit(*parse(), how, EmitKind::mlir, os)));
    return text;
  };
  CompileOptions without = options;
  without.cache.clear();
  EXPECT_NE(emitted(without).find("vector<"), std::string::npos);
  EXPECT_EQ(emitted(options).find("vector<"), std::string::npos);
  auto artefact = compile(*parse(), options);
  ASSERT_TRUE(succeeded(artefact));
  EXPECT_EQ((*artefact)->tunedKernels, 1u);
}

TEST_F(Tune, NamesOfKernelsDoNotMatter) {
  OwningOpRef<ModuleOp> scheduled = schedule();
  func::FuncOp kernel = kernelOf(*scheduled);
  std::string error;
  auto tilings =
      ArrayAttr::get(&context(), TilingAttr::get(&context(), {64}, -1, 1, {1, 1}, {0, 1}));
  ASSERT_TRUE(cache().store(kernel, tilings, error)) << error;
  kernel.setName("other");
  EXPECT_EQ(cache().load(kernel), tilings);
  EXPECT_EQ(TilingCache(options.cache, *describeCPU("x86-64")).load(kernel), ArrayAttr());
  TilingCache ofBF16(options.cache, *describeCPU("host"), /*bf16Products=*/true);
  EXPECT_EQ(ofBF16.load(kernel), ArrayAttr());
}

/// An entry may be whole and yet no list of tilings.
TEST_F(Tune, WarnsOfAnEntryThatIsNone) {
  OwningOpRef<ModuleOp> scheduled = schedule();
  func::FuncOp kernel = kernelOf(*scheduled);
  std::string error;
  ASSERT_TRUE(cache().store(kernel, ArrayAttr::get(&context(), {}), error)) << error;
  std::error_code failed;
  llvm::sys::fs::directory_iterator file(options.cache, failed);
  ASSERT_FALSE(failed);
  CacheEntry entry(options.cache, llvm::sys::path::filename(file->path()));
  ASSERT_TRUE(entry.store("no attribute", error)) << error;
  std::string warnings;
  ScopedDiagnosticHandler handler(&context(), [&](Diagnostic &diagnostic) {
    warnings += diagnostic.str();
    return success();
  });
  EXPECT_EQ(cache().load(kernel), ArrayAttr());
  EXPECT_NE(warnings.find("damaged"), std::string::npos) << warnings;
}

constexpr const char *kProduct = R"(
  func.func @main(%x: tensor<64x96xf32>, %w: tensor<96x64xf32>) -> tensor<64x64xf32> {
    %0 = tiny.reshape %x : tensor<64x96xf32> to tensor<64x96x1xf32>
    %1 = tiny.expand %0 : tensor<64x96x1xf32> to tensor<64x96x64xf32>
    %2 = tiny.reshape %w : tensor<96x64xf32> to tensor<1x96x64xf32>
    %3 = tiny.expand %2 : tensor<1x96x64xf32> to tensor<64x96x64xf32>
    %4 = tiny.mul %1, %3 : tensor<64x96x64xf32>
    %5 = tiny.reduce add %4 dims [1] : tensor<64x96x64xf32> -> tensor<64x64xf32>
    return %5 : tensor<64x64xf32>
  })";

TEST_F(Tune, RanksGiveOtherTilings) {
  program = kProduct;
  OwningOpRef<ModuleOp> scheduled = schedule();
  func::FuncOp kernel = kernelOf(*scheduled);
  SelectTilingCPUPassOptions select;
  llvm::DenseSet<Attribute> seen;
  for (auto form : {TilingRank::plain, TilingRank::contraction})
    for (unsigned rank = 0; rank < 3; ++rank) {
      TilingRank ranks[] = {{form, rank}};
      FailureOr<ArrayAttr> tilings = selectTilingsCPU(kernel, select, ranks);
      ASSERT_TRUE(succeeded(tilings)) << form << " " << rank;
      EXPECT_EQ(isa<DictionaryAttr>((*tilings)[0]), form == TilingRank::contraction);
      EXPECT_TRUE(seen.insert(*tilings).second) << form << " " << rank;
    }
  TilingRank none[] = {{TilingRank::contraction, 1000000}};
  EXPECT_TRUE(llvm::failed(selectTilingsCPU(kernel, select, none)));
}

TEST_F(Tune, NeighboursOfPanelsAreOthers) {
  program = kProduct;
  OwningOpRef<ModuleOp> scheduled = schedule();
  func::FuncOp kernel = kernelOf(*scheduled);
  SelectTilingCPUPassOptions select;
  TilingRank panels[] = {{TilingRank::contraction, 0}}, plain[] = {{TilingRank::plain, 0}};
  FailureOr<ArrayAttr> tilings = selectTilingsCPU(kernel, select, panels);
  ASSERT_TRUE(succeeded(tilings));
  llvm::DenseSet<Attribute> seen({*tilings});
  SmallVector<ArrayAttr> neighbours = neighbourTilingsCPU(kernel, select, *tilings);
  EXPECT_GE(neighbours.size(), 2u);
  for (ArrayAttr neighbour : neighbours)
    EXPECT_TRUE(seen.insert(neighbour).second);
  EXPECT_TRUE(
      neighbourTilingsCPU(kernel, select, *selectTilingsCPU(kernel, select, plain)).empty());
}

TEST_F(Tune, KeepsAWinnerOfEachKernel) {
  TuneOptions tuning;
  tuning.compile = options;
  tuning.threads = 1;
  tuning.seconds = 0.5;
  unsigned reports = 0;
  tuning.progress = [&](const TunedKernel &kernel, size_t number, size_t count) {
    ++reports;
    EXPECT_EQ(number, 1u);
    EXPECT_EQ(count, 1u);
    EXPECT_EQ(kernel.launches, 1u);
    EXPECT_GT(kernel.tried, 1u);
    EXPECT_EQ(kernel.rejected, 0u);
    EXPECT_LE(kernel.after, kernel.before);
    EXPECT_GT(kernel.after, 0);
  };
  ASSERT_TRUE(succeeded(tune(*parse(), tuning)));
  EXPECT_EQ(reports, 1u);
  OwningOpRef<ModuleOp> scheduled = schedule();
  EXPECT_NE(cache().load(kernelOf(*scheduled)), ArrayAttr());
}

/// y * 2^40, then y 29 times, -y * 2^40, and y: in this order, which tilings with vectors along y
/// keep, the sum is y. With vectors along the terms it is more.
constexpr const char *kOrderMatters = R"(
  func.func @main(%y: tensor<64xf32>) -> tensor<64xf32> {
    %s = tiny.constant dense<[0x53800000, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,
      1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,
      0xD3800000, 1.0]> : tensor<32xf32>
    %0 = tiny.reshape %s : tensor<32xf32> to tensor<32x1xf32>
    %1 = tiny.expand %0 : tensor<32x1xf32> to tensor<32x64xf32>
    %2 = tiny.reshape %y : tensor<64xf32> to tensor<1x64xf32>
    %3 = tiny.expand %2 : tensor<1x64xf32> to tensor<32x64xf32>
    %4 = tiny.mul %1, %3 : tensor<32x64xf32>
    %5 = tiny.reduce add %4 dims [0] : tensor<32x64xf32> -> tensor<64xf32>
    return %5 : tensor<64xf32>
  })";

TEST_F(Tune, RefusesATilingWithOtherResults) {
  program = kOrderMatters;
  OwningOpRef<ModuleOp> scheduled = schedule();
  func::FuncOp kernel = kernelOf(*scheduled);
  auto alongTerms = TilingAttr::get(&context(), {64}, 1, 8, {1, 1}, {0, 1});
  std::string error;
  ASSERT_TRUE(cache().store(kernel, ArrayAttr::get(&context(), alongTerms), error)) << error;
  TuneOptions tuning;
  tuning.compile = options;
  tuning.threads = 1;
  tuning.seconds = 0.5;
  unsigned rejected = 0;
  tuning.progress = [&](const TunedKernel &kernel, size_t, size_t) { rejected = kernel.rejected; };
  ASSERT_TRUE(succeeded(tune(*parse(), tuning)));
  EXPECT_GE(rejected, 1u);
  ArrayAttr winner = cache().load(kernel);
  ASSERT_TRUE(winner);
  if (auto tiling = dyn_cast<TilingAttr>(winner[0]))
    EXPECT_NE(tiling.getVectorDim(), 1) << "along the terms";
}

//===----------------------------------------------------------------------===//
// RDNA3, on the simulator
//===----------------------------------------------------------------------===//

TEST_F(Tune, RanksGiveOtherLanes) {
  program = kProduct;
  OwningOpRef<ModuleOp> scheduled = schedule();
  func::FuncOp kernel = kernelOf(*scheduled);
  const Target &card = *findTarget("gfx1100");
  llvm::DenseSet<Attribute> seen;
  for (auto form : {TilingRank::plain, TilingRank::contraction})
    for (unsigned rank = 0; rank < 3; ++rank) {
      TilingRank ranks[] = {{form, rank}};
      FailureOr<ArrayAttr> tilings = selectTilingsRDNA3(kernel, card, ranks);
      ASSERT_TRUE(succeeded(tilings)) << form << " " << rank;
      bool contracts = cast<GPUTilingAttr>((*tilings)[0]).getContract() != Contraction::none;
      EXPECT_EQ(contracts, form == TilingRank::contraction);
      EXPECT_TRUE(seen.insert(*tilings).second) << form << " " << rank;
    }
  TilingRank plain[] = {{TilingRank::plain, 0}}, none[] = {{TilingRank::contraction, 1000000}};
  FailureOr<ArrayAttr> few = selectTilingsRDNA3(kernel, card, plain, /*lanes=*/64);
  ASSERT_TRUE(succeeded(few));
  ArrayRef<int64_t> lanes = cast<GPUTilingAttr>((*few)[0]).getLanes();
  EXPECT_EQ(std::accumulate(lanes.begin(), lanes.end(), int64_t(1), std::multiplies<>()), 64);
  EXPECT_TRUE(llvm::failed(selectTilingsRDNA3(kernel, card, none)));
}

TEST_F(Tune, RefusesATilingThatSpills) {
  program = kProduct;
  OwningOpRef<ModuleOp> scheduled = schedule();
  func::FuncOp kernel = kernelOf(*scheduled);
  TilingCache gpuCache(options.cache, *findTarget("gfx1100"));
  // 512 sums in a lane, which has 256 registers at most.
  auto large = GPUTilingAttr::get(&context(), {64, 64}, {1, 32, 1}, 1, 4, {16, 8, 1}, {0, 1, 2},
                                  Contraction::none, {1, 1}, WorkgroupMode::cu);
  std::string error;
  auto spilling = ArrayAttr::get(&context(), {large});
  ASSERT_TRUE(gpuCache.store(kernel, spilling, error)) << error;
  TuneOptions tuning;
  tuning.compile = options;
  tuning.compile.target = "rdna3";
  tuning.seconds = 2;
  tuning.createDevice = [](std::string &problem) -> std::shared_ptr<tinyrt::Device> {
    tinyrt::HsaOptions hsa;
    hsa.simulate = true;
    return tinyrt::createHsaDevice(hsa, problem);
  };
  TunedKernel seen;
  tuning.progress = [&](const TunedKernel &kernel, size_t, size_t) { seen = kernel; };
  ASSERT_TRUE(succeeded(tune(*parse(), tuning)));
  EXPECT_GE(seen.unfit, 1u);
  EXPECT_EQ(seen.rejected, 0u);
  EXPECT_TRUE(seen.estimated);
  EXPECT_GT(seen.after, 0);
  ArrayAttr winner = gpuCache.load(kernel);
  ASSERT_TRUE(winner);
  EXPECT_NE(winner, spilling);
}

} // namespace
