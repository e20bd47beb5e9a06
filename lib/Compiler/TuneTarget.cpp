//===- TuneTarget.cpp - tilings of CPUs and of RDNA3 ----------------------===//

#include "TuneTarget.h"

#include "Tiny/Compiler/CPU.h"
#include "Tiny/Compiler/GPU.h"
#include "Tiny/Compiler/KernelTiming.h"
#include "Tiny/Compiler/Pipelines.h"
#include "Tiny/IR/KernelAttributes.h"
#include "Tiny/Schedule/Passes.h"

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// CPUs
//===----------------------------------------------------------------------===//

namespace {
class CPUTuneTarget : public TuneTarget {
public:
  CPUTuneTarget(const TuneOptions &options, const CPU &cpu) : options(options), cpu(cpu) {
    pipeline.entry = options.compile.entry;
    pipeline.setTarget(cpu.facts);
    pipeline.bf16Products = options.compile.precision == Precision::bf16;
  }

  TilingCache cache(StringRef folder) const override {
    return TilingCache(folder, cpu, pipeline.bf16Products);
  }
  void buildSchedule(OpPassManager &pm, const CompileOptions &compile) const override {
    if (compile.input == Stage::program)
      buildSchedulePipeline(pm, compile.entry, compile.verifyStages, /*gpu=*/nullptr,
                            pipeline.products());
    buildArrangePipelineCPU(pm, pipeline);
  }
  void buildNests(OpPassManager &pm) const override { buildNestsPipelineCPU(pm, pipeline); }

  // What the options are multiplied by.
  SmallVector<double> defaultSizes() const override { return {1, 1, 1, 1}; }
  ArrayRef<SmallVector<double>> otherSizes() const override { return factors; }
  ArrayAttr tilings(func::FuncOp kernel, const TilingPoint &point) const override {
    SelectTilingCPUPassOptions select = selectTilingOptions(pipeline);
    for (auto [option, factor] : llvm::zip_equal(scaled, point.sizes))
      select.*option = std::max<int64_t>(static_cast<int64_t>(select.*option * factor), 1);
    FailureOr<ArrayAttr> selected = selectTilingsCPU(kernel, select, point.ranks);
    return succeeded(selected) ? *selected : ArrayAttr();
  }
  SmallVector<ArrayAttr> neighbours(func::FuncOp kernel, ArrayAttr tilings) const override {
    return neighbourTilingsCPU(kernel, selectTilingOptions(pipeline), tilings);
  }
  bool retreat(func::FuncOp) const override { return false; }

  std::shared_ptr<tinyrt::Device> createDevice(std::string &) const override {
    return tinyrt::createCpuDevice(options.threads);
  }
  std::string whyNot(const Artefact &) const override { return ""; }
  std::optional<double> estimate(const Artefact &, const tinyrt::Device &) const override {
    return std::nullopt;
  }

private:
  static constexpr int64_t SelectTilingCPUPassOptions::*scaled[] = {
      &SelectTilingCPUPassOptions::minWork, &SelectTilingCPUPassOptions::maxWorkgroups,
      &SelectTilingCPUPassOptions::l1Bytes, &SelectTilingCPUPassOptions::l2Bytes};

  const TuneOptions &options;
  CPU cpu;
  CPUPipelineOptions pipeline;
  const SmallVector<double> factors[4] = {{0.25, 4, 64}, {0.25, 4}, {0.5, 2}, {0.25, 0.5, 2}};
};
} // namespace

//===----------------------------------------------------------------------===//
// RDNA3
//===----------------------------------------------------------------------===//

namespace {
class RDNA3TuneTarget : public TuneTarget {
public:
  RDNA3TuneTarget(const TuneOptions &options, const Target &target)
      : options(options), target(target) {
    pipeline.entry = options.compile.entry;
    pipeline.setTarget(target);
  }

  TilingCache cache(StringRef folder) const override { return TilingCache(folder, target); }
  void buildSchedule(OpPassManager &pm, const CompileOptions &compile) const override {
    if (compile.input == Stage::program)
      buildSchedulePipeline(pm, compile.entry, compile.verifyStages, &target);
    buildArrangePipelineRDNA3(pm, pipeline);
  }
  void buildNests(OpPassManager &pm) const override { buildNestsPipelineRDNA3(pm, pipeline); }

  // The lanes of a workgroup; 0 for as many as are cheapest.
  SmallVector<double> defaultSizes() const override { return {0}; }
  ArrayRef<SmallVector<double>> otherSizes() const override { return lanes; }
  ArrayAttr tilings(func::FuncOp kernel, const TilingPoint &point) const override {
    FailureOr<ArrayAttr> selected =
        selectTilingsRDNA3(kernel, target, point.ranks, static_cast<int64_t>(point.sizes.front()));
    return succeeded(selected) ? *selected : ArrayAttr();
  }
  SmallVector<ArrayAttr> neighbours(func::FuncOp, ArrayAttr) const override { return {}; }
  bool retreat(func::FuncOp kernel) const override {
    constexpr int64_t most = 2;
    auto before = kernel->getAttrOfType<IntegerAttr>(kRegisterHalvingsAttrName);
    int64_t halvings = before ? before.getInt() : 0;
    if (halvings == most)
      return false;
    kernel->setAttr(kRegisterHalvingsAttrName, Builder(kernel).getI64IntegerAttr(halvings + 1));
    return true;
  }

  std::shared_ptr<tinyrt::Device> createDevice(std::string &error) const override {
    return options.createDevice(error);
  }
  std::string whyNot(const Artefact &artefact) const override;
  std::optional<double> estimate(const Artefact &artefact,
                                 const tinyrt::Device &device) const override;

private:
  const TuneOptions &options;
  const Target &target;
  RDNA3PipelineOptions pipeline;
  const SmallVector<double> lanes[1] = {{32, 64, 128, 256, 512}};
};
} // namespace

/// The metadata of the only kernel, or nothing where there is none.
static std::optional<tinyrt::KernelMetadata> metadataOf(const Artefact &artefact,
                                                        std::string &reason) {
  std::vector<tinyrt::KernelMetadata> kernels;
  if (!tinyrt::readKernelMetadata(artefact.image, kernels, reason))
    return std::nullopt;
  if (kernels.size() == 1)
    return kernels.front();
  reason = "there are " + std::to_string(kernels.size()) + " kernels in its code object";
  return std::nullopt;
}

std::string RDNA3TuneTarget::whyNot(const Artefact &artefact) const {
  std::string reason;
  std::optional<tinyrt::KernelMetadata> kernel = metadataOf(artefact, reason);
  if (!kernel)
    return reason;
  if (kernel->privateBytes || kernel->vectorSpills || kernel->scalarSpills)
    return "it does not fit the registers";
  return "";
}

std::optional<double> RDNA3TuneTarget::estimate(const Artefact &artefact,
                                                const tinyrt::Device &device) const {
  std::string reason;
  std::optional<tinyrt::KernelMetadata> kernel = metadataOf(artefact, reason);
  if (!kernel)
    return std::nullopt;
  auto counts =
      LaunchCounts::get(static_cast<const tinyrt::HsaDevice &>(device).counters(), *kernel,
                        /*launches=*/1);
  return counts ? std::optional(estimateSeconds(*counts, target)) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Both
//===----------------------------------------------------------------------===//

std::unique_ptr<TuneTarget> TuneTarget::create(ModuleOp module, const TuneOptions &options) {
  if (const Target *gpu = findGPU(options.compile.target))
    return std::make_unique<RDNA3TuneTarget>(options, *gpu);
  auto cpu = describeCPU(options.compile.cpu);
  if (!cpu) {
    module.emitError(llvm::toString(cpu.takeError()));
    return nullptr;
  }
  if (std::string missing = missingOnHost(*cpu); !missing.empty()) {
    module.emitError("this machine cannot measure code for '")
        << options.compile.cpu << "': it lacks " << missing;
    return nullptr;
  }
  if (options.compile.precision == Precision::bf16)
    if (std::string reason = whyNoBF16Products(*cpu); !reason.empty()) {
      module.emitError(reason);
      return nullptr;
    }
  return std::make_unique<CPUTuneTarget>(options, *cpu);
}
