//===- Disassembly.cpp - machine code as text, through LLVM's MC ----------===//
//
// What an instruction is, its name in assembly says: that is a public language, and
// the opcodes of a backend are not.
//
//===----------------------------------------------------------------------===//

#include "Disassembly.h"

#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCDisassembler/MCDisassembler.h"
#include "llvm/MC/MCInst.h"
#include "llvm/MC/MCInstPrinter.h"
#include "llvm/MC/MCInstrInfo.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/MCTargetOptions.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/TargetSelect.h"

#include <mutex>

using namespace mlir::tiny;
using namespace llvm;

struct Disassembler::Implementation {
  MCTargetOptions options;
  std::unique_ptr<MCRegisterInfo> registers;
  std::unique_ptr<MCAsmInfo> asmInfo;
  std::unique_ptr<MCInstrInfo> instructions;
  std::unique_ptr<MCSubtargetInfo> subtarget;
  std::unique_ptr<MCContext> context;
  std::unique_ptr<MCDisassembler> disassembler;
  std::unique_ptr<MCInstPrinter> printer;
};

Disassembler::Disassembler(std::unique_ptr<Implementation> implementation)
    : implementation(std::move(implementation)) {}
Disassembler::~Disassembler() = default;

Expected<std::unique_ptr<Disassembler>> Disassembler::create(StringRef chip, unsigned waveSize) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUDisassembler();
  });
  Triple triple("amdgcn-amd-amdhsa");
  std::string error;
  const llvm::Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError(error);
  auto i = std::make_unique<Implementation>();
  i->registers.reset(target->createMCRegInfo(triple));
  i->asmInfo.reset(target->createMCAsmInfo(*i->registers, triple, i->options));
  i->instructions.reset(target->createMCInstrInfo());
  i->subtarget.reset(target->createMCSubtargetInfo(
      triple, chip,
      waveSize == 64 ? "+wavefrontsize64,-wavefrontsize32" : "+wavefrontsize32,-wavefrontsize64"));
  i->context =
      std::make_unique<MCContext>(triple, i->asmInfo.get(), i->registers.get(), i->subtarget.get());
  i->disassembler.reset(target->createMCDisassembler(*i->subtarget, *i->context));
  i->printer.reset(target->createMCInstPrinter(triple, i->asmInfo->getAssemblerDialect(),
                                               *i->asmInfo, *i->instructions, *i->registers));
  return std::unique_ptr<Disassembler>(new Disassembler(std::move(i)));
}

Expected<std::vector<MachineInstruction>> Disassembler::run(ArrayRef<uint8_t> code) const {
  std::vector<MachineInstruction> result;
  for (uint64_t at = 0; at < code.size();) {
    MCInst inst;
    uint64_t size = 0;
    if (implementation->disassembler->getInstruction(inst, size, code.drop_front(at), at,
                                                     nulls()) != MCDisassembler::Success ||
        size == 0)
      return createStringError(formatv("no instruction at offset {0:x}", at).str());
    std::string text;
    raw_string_ostream os(text);
    implementation->printer->printInst(&inst, at, "", *implementation->subtarget, os);
    auto [mnemonic, operands] = StringRef(text).trim().split(' ');

    MachineInstruction next;
    next.offset = at;
    next.mnemonic = mnemonic.str();
    next.operands = operands.trim().str();
    // The target is in dwords from the next instruction.
    bool branches = mnemonic == "s_branch" || mnemonic.starts_with("s_cbranch");
    if (branches && inst.getNumOperands() > 0 && inst.getOperand(0).isImm())
      next.target = at + size + SignExtend64<16>(inst.getOperand(0).getImm()) * 4;
    next.ends = mnemonic == "s_branch" || mnemonic == "s_endpgm" || mnemonic == "s_setpc_b64";
    result.push_back(std::move(next));
    at += size;
  }
  return result;
}
