//===- CPU.cpp - find out what a CPU can do -------------------------------===//
//
// Facts come from features, never from a model name: LLVM takes some machines
// with AVX-512 or AMX for an older model, and virtual machines hide features
// that the model has. A CPU that is only named gets the features that LLVM's
// table gives it.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Compiler/CPU.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

#include <sys/syscall.h>
#include <unistd.h>

using namespace mlir::tiny;
using llvm::StringRef;

/// What Tiny has a code generator for.
static void initializeLLVM() {
  static const bool done = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    LLVMInitializeAArch64AsmParser();
    return true;
  }();
  (void)done;
}

/// Whether this process may use the tile registers of AMX: Linux gives them to none that has not
/// asked, because a thread that uses them has 8 KiB more to be saved. All threads have the answer.
static bool mayUseTiles() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr long requestPermission = 0x1023, tileData = 18; // <asm/prctl.h>, XFEATURE_XTILEDATA
  static const bool may = syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
  return may;
#else
  return false;
#endif
}

/// What this process may use of what CPUID says.
static llvm::StringMap<bool> usableFeatures() {
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  if (features.lookup("amx-tile") && !mayUseTiles())
    for (auto &feature : features)
      if (feature.first().starts_with("amx-"))
        feature.second = false;
  return features;
}

/// The same as a feature string that also switches off what is not there.
static std::string hostFeatures() {
  llvm::SmallVector<std::string> features;
  for (const auto &feature : usableFeatures())
    features.push_back((feature.second ? "+" : "-") + feature.first().str());
  llvm::sort(features); // a StringMap has no order
  return llvm::join(features, ",");
}

static llvm::Expected<std::unique_ptr<llvm::MCSubtargetInfo>>
subtarget(const llvm::Triple &triple, StringRef name, StringRef features) {
  initializeLLVM();
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return llvm::createStringError(error);
  return std::unique_ptr<llvm::MCSubtargetInfo>(
      target->createMCSubtargetInfo(triple, name, features));
}

/// The third level as one core sees it, or 0: sysconf adds up all of those of a package.
static uint32_t hostL3Bytes() {
  auto file = llvm::MemoryBuffer::getFileAsStream("/sys/devices/system/cpu/cpu0/cache/index3/size");
  uint32_t kilobytes = 0;
  if (!file)
    return 0;
  StringRef text = (*file)->getBuffer().trim();
  if (!text.consume_back("K") || text.getAsInteger(10, kilobytes))
    return 0;
  return kilobytes << 10;
}

/// Sizes of this machine's caches as far as the system tells them.
static CacheSizes hostCaches() {
  CacheSizes caches;
  auto read = [](int name, uint32_t &size) {
    long value = sysconf(name);
    if (value > 0)
      size = value;
  };
  read(_SC_LEVEL1_DCACHE_LINESIZE, caches.lineBytes);
  read(_SC_LEVEL1_DCACHE_SIZE, caches.l1Bytes);
  read(_SC_LEVEL2_CACHE_SIZE, caches.l2Bytes);
  caches.l3Bytes = hostL3Bytes();
  if (caches.l3Bytes == 0)
    read(_SC_LEVEL3_CACHE_SIZE, caches.l3Bytes);
  return caches;
}

/// The row of the best level that `info` reaches, with the facts that differ within a level.
static Target factsOf(const llvm::Triple &triple, const llvm::MCSubtargetInfo &info) {
  auto has = [&](StringRef features) { return info.checkFeatures(features); };
  if (!triple.isX86())
    return *findTarget("aarch64");
  bool has512 = has("+avx512f,+avx512bw,+avx512dq,+avx512vl");
  Target facts = *findTarget(has512 ? "x86-64-v4" : has("+avx2") ? "x86-64-v3" : "x86-64");
  facts.hasFMA = has("+fma");
  facts.hasF16Conversion = has("+f16c");
  facts.maskedBits = has512 ? 8 : has("+avx") ? 32 : 0;
  facts.hasMatrixUnit = has512 && has("+amx-tile,+amx-bf16,+amx-int8");
  if ((has512 && has("+avx512vnni")) || has("+avxvnni"))
    facts.pairInstructions = 1, facts.hasByteProducts = true;
  return facts;
}

/// Whether LLVM has a CPU `name` for `triple`. A subtarget of an unknown one would print warnings,
/// so an empty name is asked.
static llvm::Expected<bool> isKnown(const llvm::Triple &triple, StringRef name) {
  auto generic = subtarget(triple, "", "");
  if (!generic)
    return generic.takeError();
  return (*generic)->isCPUStringValid(name);
}

llvm::Expected<CPU> mlir::tiny::describeCPU(StringRef name) {
  CPU cpu;
  cpu.triple = llvm::Triple(llvm::sys::getProcessTriple());
  bool isHost = name == "host";
  cpu.name = isHost ? llvm::sys::getHostCPUName().str() : name.str();
  cpu.features = isHost ? hostFeatures() : "";
  if (!cpu.triple.isX86() && !cpu.triple.isAArch64())
    return llvm::createStringError("Tiny has no code generator for " + cpu.triple.getArchName() +
                                   "; it knows x86-64 and AArch64");
  llvm::Triple other(cpu.triple.isX86() ? "aarch64-unknown-linux-gnu" : "x86_64-unknown-linux-gnu");
  auto known = isKnown(cpu.triple, cpu.name);
  if (known && !*known) { // nobody has a name of the other architecture
    cpu.triple = other;
    if (name == "aarch64")
      cpu.name = "generic";
    known = isKnown(other, cpu.name);
  } else if (cpu.triple.isAArch64() && name == "aarch64") {
    cpu.name = "generic";
  }
  if (!known)
    return known.takeError();
  if (!*known)
    return llvm::createStringError("unknown CPU '" + name +
                                   "'; use 'host', or a name that LLVM has, such as 'x86-64-v3' "
                                   "or 'aarch64' and 'neoverse-n1'");
  auto info = subtarget(cpu.triple, cpu.name, cpu.features);
  if (!info)
    return info.takeError();
  cpu.facts = factsOf(cpu.triple, **info);
  cpu.facts.halvesVectors = cpu.name == "znver4" && cpu.facts.vectorBits == 512;
  if (isHost)
    cpu.facts.caches = hostCaches();
  return cpu;
}

std::string mlir::tiny::missingOnHost(const CPU &cpu) {
  auto host = describeCPU("host");
  if (!host)
    return llvm::toString(host.takeError());
  if (cpu.triple.getArch() != host->triple.getArch())
    return "the instruction set, " + cpu.triple.getArchName().str();
  auto wanted = subtarget(cpu.triple, cpu.name, cpu.features);
  if (!wanted)
    return llvm::toString(wanted.takeError());
  // LLVM's feature bits also hold tuning hints, so only those that CPUID reports count.
  llvm::SmallVector<std::string> missing;
  for (const auto &feature : usableFeatures())
    if (!feature.second && (*wanted)->checkFeatures("+" + feature.first().str()))
      missing.push_back(feature.first().str());
  llvm::sort(missing);
  return llvm::join(missing, ", ");
}

std::string mlir::tiny::whyNoBF16Products(const CPU &cpu) {
  auto info = subtarget(cpu.triple, cpu.name, cpu.features);
  if (!info)
    return llvm::toString(info.takeError());
  if (cpu.triple.isX86() && (*info)->checkFeatures("+avx512bf16,+avx512vl"))
    return "";
  return "products in bf16 need AVX512_BF16, which '" + cpu.name +
         "' lacks; leave --precision at f32, or compile for a CPU that has it, such as --cpu "
         "znver4 or cooperlake";
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
mlir::tiny::createTargetMachine(const CPU &cpu) {
  initializeLLVM();
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(cpu.triple, error);
  if (!target)
    return llvm::createStringError(error);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  std::unique_ptr<llvm::TargetMachine> machine(
      target->createTargetMachine(cpu.triple, cpu.name, cpu.features, options, llvm::Reloc::PIC_,
                                  std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    return llvm::createStringError("LLVM cannot make code for " + cpu.name);
  return machine;
}
