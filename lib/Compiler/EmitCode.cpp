//===- EmitCode.cpp - from the llvm dialect to bytes ----------------------===//
//
// One module, one LLVM context, one thread. In-process code and object files
// come from here alike: the JIT links objects, it does not compile.
//
//===----------------------------------------------------------------------===//

#include "EmitCode.h"

#include "OptimizeCPU.h"
#include "SplitAddresses.h"

#include "Tiny/Compiler/GPU.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Vectorize/LoadStoreVectorizer.h"

#include <cstring>

using namespace mlir;
using namespace mlir::tiny;

llvm::ArrayRef<LibraryFunction> mlir::tiny::libraryFunctions() {
  static const LibraryFunction functions[] = {
      {"memcpy", reinterpret_cast<void *>(&std::memcpy)},
      {"memmove", reinterpret_cast<void *>(&std::memmove)},
      {"memset", reinterpret_cast<void *>(&std::memset)},
  };
  return functions;
}

/// The back end reads the CPU off each function.
static void setCPU(llvm::Module &module, const CPU &cpu) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", cpu.name);
    function.addFnAttr("target-features", cpu.features);
    // LLVM halves the vectors of some AVX-512 machines on its own judgement.
    function.addFnAttr("prefer-vector-width", std::to_string(cpu.facts.vectorBits));
    function.addFnAttr(llvm::Attribute::NoUnwind);
    // What a workgroup copies for itself are short runs, many times: calls would cost more, and
    // code ahead of time would need a library for them.
    if (llvm::any_of(llvm::instructions(function), llvm::IsaPred<llvm::AllocaInst>))
      function.addFnAttr("no-builtins");
  }
}

/// Version 5 of the code object is what ROCm has loaded since 5.3; LLVM's default is newer.
static void setGPU(llvm::Module &module, const Target &gpu) {
  module.addModuleFlag(llvm::Module::Error, "amdhsa_code_object_version", 500);
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", gpu.name);
    // Whether wide accesses may begin between words is up to the mode that the driver sets.
    std::string features = function.getFnAttribute("target-features").getValueAsString().str();
    function.addFnAttr("target-features",
                       features + (features.empty() ? "" : ",") + "-unaligned-access-mode");
    function.addFnAttr(llvm::Attribute::NoUnwind);
  }
}

namespace {
/// Takes vectors of bytes and halves of words that need not begin where a word does apart again.
/// LLVM joins them, and then loads two bytes at once from an odd address, as the mode of the
/// function does not allow.
struct SplitMisalignedPass : llvm::PassInfoMixin<SplitMisalignedPass> {
  llvm::PreservedAnalyses run(llvm::Function &function, llvm::FunctionAnalysisManager &) {
    const llvm::DataLayout &layout = function.getDataLayout();
    constexpr uint64_t wordBytes = 4;
    bool changed = false;
    for (llvm::BasicBlock &block : function)
      for (llvm::Instruction &instruction : llvm::make_early_inc_range(block)) {
        auto *load = llvm::dyn_cast<llvm::LoadInst>(&instruction);
        auto *store = llvm::dyn_cast<llvm::StoreInst>(&instruction);
        if (!(load && load->isSimple()) && !(store && store->isSimple()))
          continue;
        auto *type = llvm::dyn_cast<llvm::FixedVectorType>(llvm::getLoadStoreType(&instruction));
        if (!type)
          continue;
        uint64_t size = layout.getTypeStoreSize(type->getElementType());
        llvm::Align alignment = llvm::getLoadStoreAlignment(&instruction);
        uint64_t whole = llvm::PowerOf2Ceil(layout.getTypeStoreSize(type).getFixedValue());
        if (size >= wordBytes || layout.getTypeSizeInBits(type->getElementType()) != 8 * size ||
            alignment.value() >= std::min(whole, wordBytes))
          continue;
        llvm::IRBuilder<> builder(&instruction);
        llvm::Value *pointer = llvm::getLoadStorePointerOperand(&instruction);
        llvm::Value *joined = load ? llvm::PoisonValue::get(type) : store->getValueOperand();
        for (unsigned i = 0; i < type->getNumElements(); ++i) {
          llvm::Value *place =
              builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), pointer, i * size);
          llvm::Align own = llvm::commonAlignment(alignment, i * size);
          if (load)
            joined = builder.CreateInsertElement(
                joined, builder.CreateAlignedLoad(type->getElementType(), place, own), i);
          else
            builder.CreateAlignedStore(builder.CreateExtractElement(joined, i), place, own);
        }
        if (load)
          load->replaceAllUsesWith(joined);
        instruction.eraseFromParent();
        changed = true;
      }
    return changed ? llvm::PreservedAnalyses::none() : llvm::PreservedAnalyses::all();
  }
};
} // namespace

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  if (!machine.getTargetTriple().isAMDGCN()) {
    llvm::FunctionPassManager passes = passesForCPU();
    for (llvm::Function &function : module)
      if (!function.isDeclaration())
        passes.run(function, functions);
    return;
  }
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
  // Neighbours are one access before they are a kind of access that LLVM does not join.
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::LoadStoreVectorizerPass());
  passes.addPass(SplitMisalignedPass());
  passes.addPass(SplitAddressesPass());
  passes.addPass(llvm::EarlyCSEPass());
  passes.addPass(llvm::createFunctionToLoopPassAdaptor(llvm::LICMPass(llvm::LICMOptions()),
                                                       /*UseMemorySSA=*/true));
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      passes.run(function, functions);
}

/// LLVM makes calls of compiler-rt where the target lacks an instruction. We are to have none:
/// their rounding is not ours to test, and Debian's libgcc lacks some.
static LogicalResult verifyCalls(ModuleOp part, llvm::ArrayRef<char> code,
                                 llvm::ArrayRef<LibraryFunction> library) {
  auto object = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef({code.data(), code.size()}, "kernels"));
  if (!object)
    return part.emitError("LLVM made an object that it cannot read: ")
           << llvm::toString(object.takeError());
  for (const llvm::object::SymbolRef &symbol : (*object)->symbols()) {
    auto flags = symbol.getFlags();
    auto name = symbol.getName();
    if (!flags || !name)
      return part.emitError("LLVM made an object with an unreadable symbol");
    bool isLibrary =
        llvm::any_of(library, [&](const LibraryFunction &known) { return known.name == *name; });
    bool isUndefined = *flags & llvm::object::SymbolRef::SF_Undefined;
    if (!isUndefined && isLibrary)
      return part.emitError("a kernel is called '")
             << *name << "', as a function that kernels call";
    if (isUndefined && !isLibrary && !name->empty() && *name != "_GLOBAL_OFFSET_TABLE_")
      return part.emitError("the code calls '")
             << *name << "', which kernels may not; an expansion is missing in Codegen";
  }
  return success();
}

/// LLVM IR of `part` that knows its machine.
static std::unique_ptr<llvm::Module> translate(ModuleOp part, llvm::LLVMContext &context,
                                               const llvm::TargetMachine &machine) {
  std::unique_ptr<llvm::Module> module = translateModuleToLLVMIR(part, context, "tiny");
  if (!module) {
    part.emitError("cannot be translated to LLVM IR");
    return nullptr;
  }
  module->setTargetTriple(machine.getTargetTriple());
  module->setDataLayout(machine.createDataLayout());
  return module;
}

/// Optimises `module` and appends its code.
static LogicalResult emitModule(ModuleOp part, llvm::Module &module, llvm::TargetMachine &machine,
                                CodeKind kind, llvm::ArrayRef<LibraryFunction> library,
                                llvm::SmallVectorImpl<char> &code) {
  optimize(module, machine);
  size_t start = code.size();
  llvm::raw_svector_ostream os(code);
  if (kind == CodeKind::llvm) {
    module.print(os, nullptr);
    return success();
  }
  llvm::legacy::PassManager passes;
  auto fileType = kind == CodeKind::object ? llvm::CodeGenFileType::ObjectFile
                                           : llvm::CodeGenFileType::AssemblyFile;
  if (machine.addPassesToEmitFile(passes, os, nullptr, fileType))
    return part.emitError("LLVM cannot emit this kind of file for ") << machine.getTargetCPU();
  passes.run(module);
  if (kind != CodeKind::object)
    return success();
  return verifyCalls(part, llvm::ArrayRef<char>(code).drop_front(start), library);
}

LogicalResult mlir::tiny::emitCode(ModuleOp part, const CPU &cpu, CodeKind kind,
                                   llvm::SmallVectorImpl<char> &code,
                                   llvm::function_ref<llvm::Error(llvm::Module &)> extend) {
  auto machine = createTargetMachine(cpu);
  if (!machine)
    return part.emitError(llvm::toString(machine.takeError()));
  CodegenGate gate;
  llvm::LLVMContext context;
  if (cpu.triple.isX86())
    context.setOptPassGate(gate);
  std::unique_ptr<llvm::Module> module = translate(part, context, **machine);
  if (!module)
    return failure();
  if (extend)
    if (llvm::Error failed = extend(*module))
      return part.emitError(llvm::toString(std::move(failed)));
  setCPU(*module, cpu);
  return emitModule(part, *module, **machine, kind, libraryFunctions(), code);
}

LogicalResult mlir::tiny::emitCode(ModuleOp part, const Target &gpu, CodeKind kind,
                                   llvm::SmallVectorImpl<char> &code) {
  auto machine = createTargetMachine(gpu);
  if (!machine)
    return part.emitError(llvm::toString(machine.takeError()));
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = translate(part, context, **machine);
  if (!module)
    return failure();
  setGPU(*module, gpu);
  return emitModule(part, *module, **machine, kind, /*library=*/{}, code);
}
