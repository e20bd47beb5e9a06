//===- GPU.cpp - LLVM's side of an AMD GPU --------------------------------===//
#include "Tiny/Compiler/GPU.h"

#include "Link.h"

#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir::tiny;
using llvm::StringRef;

static void initializeLLVM() {
  static const bool done = [] {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTarget();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUAsmParser();
    LLVMInitializeAMDGPUAsmPrinter();
    return true;
  }();
  (void)done;
}

const Target *mlir::tiny::findGPU(StringRef name) {
  const Target *row = findTarget(name == "rdna3" ? "gfx1100" : name);
  return row && row->kind == TargetKind::gpu ? row : nullptr;
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
mlir::tiny::createTargetMachine(const Target &gpu) {
  initializeLLVM();
  llvm::Triple triple("amdgcn-amd-amdhsa");
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return llvm::createStringError(error);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  std::unique_ptr<llvm::TargetMachine> machine(
      target->createTargetMachine(triple, gpu.name, /*Features=*/"", options, llvm::Reloc::PIC_,
                                  std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    return llvm::createStringError("LLVM cannot make code for " + StringRef(gpu.name));
  return machine;
}

llvm::Expected<std::string>
mlir::tiny::linkCodeObject(llvm::ArrayRef<llvm::SmallVector<char, 0>> objects) {
  return linkELF(llvm::to_vector_of<llvm::ArrayRef<char>>(objects),
                 {"-shared", "--no-undefined", "--threads=1"});
}
