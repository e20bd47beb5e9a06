//===- Decoder.cpp - LLVM's MC layer behind one function -------------------===//
//
// Disassembles one instruction and sorts its MC operands: LLVM names neither operands nor opcodes
// in public, but their order, their register classes and their types say all there is to know.
//
//   definitions, then sources (each after an immediate with its modifiers, where it may have any),
//   then immediates: offsets and cache bits of memory instructions, clamp, omod and the DPP control
//   of vector ones.
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "HandlerTable.h"
#include "OpcodeNames.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCDisassembler/MCDisassembler.h"
#include "llvm/MC/MCExpr.h"
#include "llvm/MC/MCInst.h"
#include "llvm/MC/MCInstPrinter.h"
#include "llvm/MC/MCInstrInfo.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/MCTargetOptions.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include <mutex>

using namespace llvm;

namespace tinysim {

/// MCOI operand types of the backend (AMDGPU::OperandType): source modifiers.
constexpr unsigned operandInputMods = 45;

/// Which operand types of FMAMK and FMAAK hold a literal that is a source.
constexpr unsigned operandKimmFirst = 37, operandKimmLast = 40;

namespace {
/// What there is per wave size: the default subtarget decodes wave64 code wrongly, and silently.
struct PerWaveSize {
  std::unique_ptr<MCSubtargetInfo> subtarget;
  std::unique_ptr<MCContext> context;
  std::unique_ptr<MCDisassembler> disassembler;
  std::unique_ptr<MCInstPrinter> printer;
  unsigned hwMode = 0;
};

/// A register as operand; kind none for those kernels cannot name.
struct RegisterFacts {
  Operand::Kind kind = Operand::Kind::none;
  uint16_t index = 0;
  uint8_t dwords = 1;
  bool high = false;
};

struct OpcodeFacts {
  std::string base;
  Format format;
  InstructionClass kind;
};
} // namespace

struct Decoder::Implementation {
  std::unique_ptr<MCRegisterInfo> registers;
  std::unique_ptr<MCAsmInfo> asmInfo;
  std::unique_ptr<MCInstrInfo> instructions;
  PerWaveSize modes[2]; // wave32, wave64
  std::vector<RegisterFacts> registerFacts;
  /// The disassembler gives registers whose encoding differs between chips as M0_gfx11plus;
  /// register classes hold them as M0.
  std::vector<MCPhysReg> nameInClasses;
  std::vector<std::unique_ptr<OpcodeFacts>> opcodeFacts; // made when first seen

  PerWaveSize &mode(unsigned waveSize) { return modes[waveSize == 64]; }
  const OpcodeFacts &facts(unsigned opcode);
  Status fail(std::string &problem, const Twine &what) {
    problem = what.str();
    return Status::illegal;
  }
  bool addRegister(Operand &operand, MCRegister reg, int registerClass);
  Status sortOperands(const MCInst &inst, unsigned waveSize, Instruction &result,
                      SmallVectorImpl<int64_t> &immediates, std::string &problem);
};

const OpcodeFacts &Decoder::Implementation::facts(unsigned opcode) {
  std::unique_ptr<OpcodeFacts> &slot = opcodeFacts[opcode];
  if (!slot) {
    StringRef name = instructions->getName(opcode);
    slot = std::make_unique<OpcodeFacts>();
    slot->base = baseName(name);
    slot->format = formatOf(name, instructions->get(opcode).TSFlags);
    slot->kind = classOf(slot->base, slot->format);
  }
  return *slot;
}

Decoder::Decoder() : implementation(std::make_unique<Implementation>()) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUDisassembler();
  });
  Implementation &i = *implementation;
  Triple triple("amdgcn-amd-amdhsa");
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target) // an LLVM without the AMDGPU backend: nothing decodes, and translate says so
    return;
  i.registers.reset(target->createMCRegInfo(triple));
  MCTargetOptions options;
  i.asmInfo.reset(target->createMCAsmInfo(*i.registers, triple, options));
  i.instructions.reset(target->createMCInstrInfo());
  for (unsigned w = 0; w < 2; ++w) {
    PerWaveSize &mode = i.modes[w];
    mode.subtarget.reset(target->createMCSubtargetInfo(
        triple, "gfx1100", w ? "+wavefrontsize64,-wavefrontsize32" : "+wavefrontsize32"));
    mode.context = std::make_unique<MCContext>(triple, i.asmInfo.get(), i.registers.get(),
                                               mode.subtarget.get());
    mode.disassembler.reset(target->createMCDisassembler(*mode.subtarget, *mode.context));
    mode.printer.reset(target->createMCInstPrinter(triple, i.asmInfo->getAssemblerDialect(),
                                                   *i.asmInfo, *i.instructions, *i.registers));
    mode.hwMode = mode.subtarget->getHwMode(MCSubtargetInfo::HwMode_RegInfo);
  }
  i.opcodeFacts.resize(i.instructions->getNumOpcodes());

  // The encoding of a register is its number, | 0x400 for a VGPR, | 0x1000 for its high half; its
  // width is that of the classes that hold it.
  i.registerFacts.resize(i.registers->getNumRegs());
  for (unsigned c = 0; c < i.registers->getNumRegClasses(); ++c) {
    const MCRegisterClass &registerClass = i.registers->getRegClass(c);
    for (MCPhysReg reg : registerClass) {
      RegisterFacts &facts = i.registerFacts[reg];
      unsigned encoding = i.registers->getEncodingValue(reg);
      facts.index = encoding & 0xff;
      facts.high = encoding & 0x1000;
      facts.kind = encoding & 0x400 ? Operand::Kind::vgpr : Operand::Kind::scalar;
      unsigned bits = registerClass.getSizeInBits();
      if (bits >= 32)
        facts.dwords = bits / 32;
      if (StringRef(i.registers->getName(reg)).starts_with("AGPR"))
        facts.kind = Operand::Kind::none;
    }
  }
  StringMap<MCPhysReg> byName;
  for (MCPhysReg reg = 1; reg < i.registers->getNumRegs(); ++reg)
    byName[i.registers->getName(reg)] = reg;
  i.nameInClasses.resize(i.registers->getNumRegs());
  for (MCPhysReg reg = 1; reg < i.registers->getNumRegs(); ++reg) {
    StringRef name = i.registers->getName(reg);
    size_t suffix = name.find("_gfx");
    auto generic = byName.find(name.take_front(suffix));
    i.nameInClasses[reg] = generic == byName.end() ? reg : generic->second;
    // The tuples of those are in no class under their own name.
    if (i.registerFacts[reg].kind == Operand::Kind::none && i.nameInClasses[reg] != reg) {
      i.registerFacts[reg] = i.registerFacts[i.nameInClasses[reg]];
      i.registerFacts[reg].index = i.registers->getEncodingValue(reg) & 0xff;
    }
  }
}

Decoder::~Decoder() = default;

bool Decoder::Implementation::addRegister(Operand &operand, MCRegister reg, int registerClass) {
  if (!reg)
    return false;
  const MCRegisterClass *allowed =
      registerClass >= 0 ? &registers->getRegClass(registerClass) : nullptr;
  const RegisterFacts &facts = registerFacts[reg];
  // NULL is one of 32 bits also where wave64 needs 64.
  bool isNull = facts.kind == Operand::Kind::scalar && facts.index == scalarNull;
  if (!isNull && allowed && !allowed->contains(reg) && !allowed->contains(nameInClasses[reg.id()]))
    return false;
  operand.kind = facts.kind;
  operand.index = facts.index;
  operand.dwords = facts.dwords;
  operand.high = facts.high;
  if (facts.kind != Operand::Kind::scalar)
    return facts.kind == Operand::Kind::vgpr;
  // The apertures of flat addressing are constants here, and so is NULL as a source.
  auto constant = [&](uint64_t value) {
    operand.kind = Operand::Kind::constant;
    operand.constant = value;
    return true;
  };
  switch (facts.index) {
  case 235:
    return constant(sharedAperture);
  case 236:
    return constant(sharedAperture | 0xffffffffu);
  case 237:
    return constant(privateAperture);
  case 238:
    return constant(privateAperture | 0xffffffffu);
  case scalarScc:
    return true;
  default:
    return facts.index <= scalarExec + 1; // not VCCZ, EXECZ, POPS, LDS_DIRECT
  }
}

static Operand vccOperand(unsigned index, unsigned waveSize) {
  Operand operand;
  operand.kind = Operand::Kind::scalar;
  operand.index = index;
  operand.dwords = waveSize / 32;
  return operand;
}

/// Sources tied to a destination that are read, not only kept.
static bool readsTied(StringRef base) {
  return base.contains("FMAC") || base.contains("SWAP") || base.contains("DOT2C") ||
         base.contains("DOT2ACC") || base.starts_with("S_") || base.contains("ATOMIC") ||
         base.contains("DS_BVH");
}

Decoder::Status Decoder::Implementation::sortOperands(const MCInst &inst, unsigned waveSize,
                                                      Instruction &result,
                                                      SmallVectorImpl<int64_t> &immediates,
                                                      std::string &problem) {
  const MCInstrDesc &desc = instructions->get(inst.getOpcode());
  StringRef base = result.name;
  bool vector = base.starts_with("V_");
  bool dpp = result.dpp != Dpp::none;
  uint8_t modifiers = 0, dstModifiers = 0;
  bool sawModifiers = false;
  for (unsigned n = 0; n < inst.getNumOperands(); ++n) {
    if (n >= desc.getNumOperands())
      return fail(problem, "has more operands than LLVM describes");
    const MCOperand &op = inst.getOperand(n);
    const MCOperandInfo &info = desc.operands()[n];
    int registerClass = instructions->getOpRegClassID(info, mode(waveSize).hwMode);
    if (n < desc.getNumDefs()) {
      if (result.dsts == Instruction::maxDst || !op.isReg())
        return fail(problem, "has an invalid destination");
      Operand &dst = result.dst[result.dsts++];
      if (!addRegister(dst, op.getReg(), registerClass) || dst.isConstant())
        return fail(problem, "has an invalid destination register");
      if (dst.isScalar() && dst.index == scalarNull)
        dst.index = scalarSink;
      continue;
    }
    if (op.isImm() && info.OperandType == operandInputMods) {
      modifiers = static_cast<uint8_t>(op.getImm());
      if (!sawModifiers)
        dstModifiers = modifiers;
      sawModifiers = true;
      continue;
    }
    bool literal = info.OperandType >= operandKimmFirst && info.OperandType <= operandKimmLast;
    if (registerClass < 0 && op.isImm() && !literal) {
      immediates.push_back(op.getImm());
      continue;
    }
    bool tied = desc.getOperandConstraint(n, MCOI::TIED_TO) >= 0;
    bool old = dpp && result.srcs == 0 && !sawModifiers && tied && n == desc.getNumDefs();
    if (old || (op.isReg() && !op.getReg() && dpp))
      continue;
    if (result.srcs == Instruction::maxSrc)
      return fail(problem, "has too many operands");
    Operand &src = result.src[result.srcs++];
    src.modifiers = modifiers;
    src.tied = tied;
    src.read = !tied || readsTied(base);
    if (int def = desc.getOperandConstraint(n, MCOI::TIED_TO);
        op.isReg() && def >= 0 && def < result.dsts && result.dst[def].isVgpr()) {
      // LLVM 22's disassembler ties the accumulator of a VOPD's second half to the first half's
      // destination, that of a V_FMAC_F16 to a high half to the low one, and that of its DPP form
      // to the whole register: the constraint knows.
      src.kind = Operand::Kind::vgpr;
      src.index = result.dst[def].index;
      src.dwords = result.dst[def].dwords;
      src.high = result.dst[def].high;
    } else if (op.isReg()) {
      if (!addRegister(src, op.getReg(), registerClass))
        return fail(problem, "has an invalid source register");
      if (src.isScalar() && src.index == scalarNull) {
        src.kind = Operand::Kind::constant;
        src.constant = 0;
      }
    } else if (int64_t value;
               op.isImm() || (op.isExpr() && op.getExpr()->evaluateAsAbsolute(value))) {
      if (op.isImm())
        value = op.getImm();
      // It puts a 0 for the register that the DPP forms of V_FMA_MIXLO and V_FMA_MIXHI keep a
      // half of.
      if (info.OperandType == MCOI::OPERAND_REGISTER && dpp && result.format == Format::vop3p) {
        src = result.dst[0];
        src.tied = true;
        src.read = false;
        continue;
      }
      if (info.OperandType == MCOI::OPERAND_REGISTER)
        return fail(problem, "has a constant where only a register can be");
      src.kind = Operand::Kind::constant;
      src.constant = static_cast<uint64_t>(value);
      if (registerClass >= 0)
        src.dwords = registers->getRegClass(registerClass).getSizeInBits() > 32 ? 2 : 1;
      if (src.dwords == 1)
        src.constant &= 0xffffffffu;
    } else {
      return fail(problem, "has an operand of an unknown kind");
    }
    if (vector && result.format != Format::vop3p && modifiers & modOpSel)
      src.high = true;
    modifiers = 0;
  }
  if (!vector)
    return Status::success;

  if (result.format == Format::vop3 && dstModifiers & modOpSelHi && result.dsts)
    result.dst[0].high = true;
  for (Operand &src : result.src)
    if (src.tied && result.format == Format::vop3)
      src.high = result.dst[0].high; // V_FMAC_F16: the same half
  auto hasImplicit = [&](ArrayRef<MCPhysReg> list, unsigned index) {
    return any_of(list, [&](MCPhysReg reg) {
      return registerFacts[reg].kind == Operand::Kind::scalar && registerFacts[reg].index == index;
    });
  };
  for (unsigned index : {unsigned(scalarVcc), unsigned(scalarExec)})
    if (hasImplicit(desc.implicit_defs(), index) && result.dsts < Instruction::maxDst)
      result.dst[result.dsts++] = vccOperand(index, waveSize);
  if (hasImplicit(desc.implicit_uses(), scalarVcc) && result.srcs < Instruction::maxSrc)
    result.src[result.srcs++] = vccOperand(scalarVcc, waveSize);
  return Status::success;
}

/// Cuts the immediates of vector ALU instructions up: [clamp [omod […]]] [DPP control].
static bool takeVectorImmediates(Instruction &result, SmallVectorImpl<int64_t> &immediates) {
  if (result.dpp == Dpp::dpp8) {
    if (immediates.size() < 2)
      return false;
    // fi is the number of the encoding: 233 without, 234 with.
    result.fetchInactive = immediates.pop_back_val() == 234;
    result.dppControl = static_cast<uint32_t>(immediates.pop_back_val());
  } else if (result.dpp == Dpp::dpp16) {
    if (immediates.size() < 5)
      return false;
    result.fetchInactive = immediates.pop_back_val() != 0;
    result.boundControl = immediates.pop_back_val() != 0;
    result.bankMask = static_cast<uint8_t>(immediates.pop_back_val());
    result.rowMask = static_cast<uint8_t>(immediates.pop_back_val());
    result.dppControl = static_cast<uint32_t>(immediates.pop_back_val());
  }
  // The dot products to 16 bits have op_sel there, which the modifiers said already.
  if (StringRef(result.name).starts_with("V_DOT2_F16") ||
      StringRef(result.name).starts_with("V_DOT2_BF16"))
    return true;
  // So have 16-bit DPP forms, behind the others.
  if (result.dpp != Dpp::none && StringRef(result.opcodeName).contains("_t16_e64_") &&
      !immediates.empty())
    immediates.pop_back();
  if (!immediates.empty())
    result.clamp = immediates[0] != 0;
  if (immediates.size() > 1 && result.format != Format::vop3p)
    result.omod = static_cast<uint8_t>(immediates[1]);
  return true;
}

static int32_t signExtend13(int64_t value) {
  return static_cast<int32_t>((value & 0x1fff) ^ 0x1000) - 0x1000;
}

/// Offsets, cache bits, counters and the loads/stores flags of everything but the vector ALU.
static void takeOtherImmediates(Instruction &result, ArrayRef<int64_t> immediates) {
  StringRef base = result.name;
  auto at = [&](size_t n) { return n < immediates.size() ? immediates[n] : 0; };
  switch (result.format) {
  case Format::smem:
    result.offset = static_cast<int32_t>(at(0));
    result.memoryBits = static_cast<uint8_t>(at(1) & 7);
    result.isLoad = result.dsts != 0;
    result.counters = counterLgkm;
    break;
  case Format::flat:
  case Format::global:
  case Format::scratch:
    result.offset = signExtend13(at(0));
    result.memoryBits = static_cast<uint8_t>(at(1) & 7);
    break;
  case Format::mubuf:
    result.offset = static_cast<int32_t>(at(0));
    result.memoryBits = static_cast<uint8_t>(at(1) & 7);
    break;
  case Format::mtbuf:
    result.offset = static_cast<int32_t>(at(0));
    result.offset1 = static_cast<int32_t>(at(1));
    result.memoryBits = static_cast<uint8_t>(at(2) & 7);
    break;
  case Format::ds: {
    result.offset = static_cast<int32_t>(at(0));
    bool twoOffsets = immediates.size() >= 3;
    if (twoOffsets)
      result.offset1 = static_cast<int32_t>(at(1));
    if (at(twoOffsets ? 2 : 1))
      result.memoryBits = bitGds;
    result.counters = counterLgkm;
    result.isLoad = result.dsts != 0;
    break;
  }
  case Format::sopk:
  case Format::sopp:
  case Format::sop1:
    if (immediates.size() == 2) { // S_SETREG_IMM32_B32: value, then hwreg
      result.offset = static_cast<int32_t>(at(1));
      result.immediate = static_cast<uint32_t>(at(0));
    } else {
      result.immediate = static_cast<uint32_t>(at(0));
    }
    break;
  default:
    break;
  }
  if (base.starts_with("S_SENDMSG"))
    result.counters = counterLgkm;
  switch (result.format) {
  case Format::flat:
  case Format::global:
  case Format::scratch:
  case Format::mubuf:
  case Format::mtbuf:
    result.isAtomic = base.contains("_ATOMIC_");
    result.isLoad = result.dsts != 0;
    result.isStore = result.isAtomic || base.contains("_STORE_");
    result.counters = result.isLoad ? counterVm : result.isStore ? counterVs : 0;
    if (result.format == Format::flat && result.counters)
      result.counters |= counterLgkm;
    break;
  default:
    break;
  }
  result.isCopy = base == "S_MOV_B32" || base == "S_MOV_B64";
}

Decoder::Status Decoder::translate(ArrayRef<uint8_t> bytes, uint64_t pc, unsigned waveSize,
                                   Instruction &result, std::string &problem) {
  Implementation &i = *implementation;
  result = Instruction();
  result.pc = pc;
  if (!i.instructions)
    return i.fail(problem, "cannot be decoded: this LLVM has no AMDGPU backend");
  MCInst inst;
  uint64_t size = 0;
  // SoftFail means that hardware may do anything with the encoding: illegal here.
  if (i.mode(waveSize).disassembler->getInstruction(inst, size, bytes, pc, nulls()) !=
      MCDisassembler::Success)
    return i.fail(problem, "is no instruction of gfx1100");
  if (size == 0 || size > bytes.size())
    return i.fail(problem, "runs past the end of the code");

  const OpcodeFacts &facts = i.facts(inst.getOpcode());
  StringRef opcodeName = i.instructions->getName(inst.getOpcode());
  result.size = static_cast<uint8_t>(size);
  result.opcodeName = opcodeName.data(); // null-terminated, and lives as long as LLVM
  result.name = facts.base.c_str();
  result.format = facts.format;
  result.kind = facts.kind;
  if (opcodeName.contains("_dpp8_"))
    result.dpp = Dpp::dpp8;
  else if (opcodeName.contains("_dpp_"))
    result.dpp = Dpp::dpp16;

  SmallVector<int64_t, 8> immediates;
  if (Status status = i.sortOperands(inst, waveSize, result, immediates, problem);
      status != Status::success)
    return status;
  StringRef base = result.name;
  if (base.starts_with("V_")) {
    if (!takeVectorImmediates(result, immediates))
      return i.fail(problem, "lacks its DPP control");
    result.isCopy = (base == "V_MOV_B32" && result.dpp == Dpp::none) || base == "V_WRITELANE_B32" ||
                    base == "V_READLANE_B32";
    result.readsFirstLane = base == "V_READFIRSTLANE_B32";
    result.carriesHighHalf = base == "V_MAD_U64_U32" || base == "V_MAD_I64_I32";
  } else {
    takeOtherImmediates(result, immediates);
  }
  if (base.starts_with("S_SUBVECTOR_LOOP_") && result.srcs == 1) {
    result.dst[result.dsts++] = result.src[0]; // LLVM describes it as a source only
    result.src[0].read = base.ends_with("_END");
  }
  // The register that a relative move names is not the one it reads or writes.
  result.movesRelative = base.contains("MOVREL") || base == "V_SWAPREL_B32";
  if (result.movesRelative)
    for (Operand &operand : result.src)
      operand.read = operand.read && !(operand.isVgpr() || base.starts_with("S_MOVREL"));
  if (result.isCopy || (result.format == Format::scratch && result.isStore))
    result.src[0].copied = true;
  // Lane masks that are put together in a loop start as chance has it: the compiler clears the
  // active lanes' bits before it sets them, or sets them all.
  if ((base.starts_with("S_ANDN2_B") || base.starts_with("S_OR_B")) && result.srcs == 2 &&
      result.src[1].isScalar() && result.src[1].index == scalarExec)
    result.src[0].copied = true;
  if (!HandlerTable::get().bind(result, waveSize)) {
    problem = "is not implemented";
    return Status::unimplemented;
  }
  return Status::success;
}

std::string Decoder::disassemble(ArrayRef<uint8_t> bytes, uint64_t pc, unsigned waveSize) {
  Implementation &i = *implementation;
  std::string text;
  raw_string_ostream os(text);
  MCInst inst;
  uint64_t size = 0;
  if (i.instructions && i.mode(waveSize).disassembler->getInstruction(
                            inst, size, bytes, pc, nulls()) != MCDisassembler::Fail) {
    i.mode(waveSize).printer->printInst(&inst, pc, "", *i.mode(waveSize).subtarget, os);
    return StringRef(text).trim().str();
  }
  os << "<illegal>";
  for (size_t n = 0; n + 4 <= bytes.size() && n < 8; n += 4)
    os << format(" 0x%08x", bytes[n] | bytes[n + 1] << 8 | bytes[n + 2] << 16 |
                                static_cast<uint32_t>(bytes[n + 3]) << 24);
  return text;
}

std::vector<std::string> Decoder::gfx11Opcodes() const {
  std::vector<std::string> names;
  if (!implementation->instructions)
    return names;
  for (unsigned n = 0; n < implementation->instructions->getNumOpcodes(); ++n) {
    StringRef name = implementation->instructions->getName(n);
    if (name.ends_with("_gfx11"))
      names.push_back(name.str());
  }
  return names;
}

} // namespace tinysim
