//===- OpcodeNames.cpp - names, formats and classes of opcodes --------------===//
//
// The names hold for one version of LLVM; a test lists those that no handler is registered for.
//
//===----------------------------------------------------------------------===//

#include "OpcodeNames.h"
#include "Decoder.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace tinysim {

/// Bits of MCInstrDesc::TSFlags: SIInstrFlags of LLVM 22's AMDGPU backend, which has no public
/// header. The conformance tests would notice a change.
enum : uint64_t {
  flagSop1 = 1u << 2,
  flagSop2 = 1u << 3,
  flagSopc = 1u << 4,
  flagSopk = 1u << 5,
  flagSopp = 1u << 6,
  flagVop1 = 1u << 7,
  flagVop2 = 1u << 8,
  flagVopc = 1u << 9,
  flagVop3 = 1u << 10,
  flagVop3p = 1u << 12,
  flagMubuf = 1u << 17,
  flagMtbuf = 1u << 18,
  flagSmem = 1u << 19,
  flagFlat = 1u << 24,
  flagDs = 1u << 25,
};

std::string baseName(StringRef name) {
  static const StringRef suffixes[] = {"_gfx11", "_vi",     "_gfx9",   "_e32",    "_e64",
                                       "_dpp",   "_dpp8",   "_t16",    "_fake16", "_w32",
                                       "_w64",   "_nosdst", "_twoaddr"};
  // Some names are followed by an older one: V_CVT_F32_F16V_CVT_F32_F16_t16_e32,
  // V_ADD_NC_I16V_ADD_I16_t16_e64. The first ends in a digit.
  for (size_t at = name.find("V_", 1); at != StringRef::npos; at = name.find("V_", at + 1))
    if (isDigit(name[at - 1])) {
      name = name.take_front(at);
      break;
    }
  for (bool again = true; again;) {
    again = false;
    for (StringRef suffix : suffixes)
      again |= name.consume_back(suffix);
  }
  return name.str();
}

Format formatOf(StringRef name, uint64_t flags) {
  if (name.starts_with("V_DUAL_"))
    return Format::vopd;
  if (flags & flagSmem)
    return Format::smem;
  if (flags & flagDs)
    return Format::ds;
  if (flags & flagFlat)
    return name.starts_with("GLOBAL_")    ? Format::global
           : name.starts_with("SCRATCH_") ? Format::scratch
                                          : Format::flat;
  if (flags & flagMubuf)
    return Format::mubuf;
  if (flags & flagMtbuf)
    return Format::mtbuf;
  if (flags & flagVop3p)
    return Format::vop3p;
  if (flags & flagVopc || name.starts_with("V_CMP"))
    return Format::vopc;
  if (flags & flagVop3)
    return Format::vop3;
  if (flags & flagVop1)
    return Format::vop1;
  if (flags & flagVop2)
    return Format::vop2;
  if (flags & flagSop1)
    return Format::sop1;
  if (flags & flagSop2)
    return Format::sop2;
  if (flags & flagSopc)
    return Format::sopc;
  if (flags & flagSopk)
    return Format::sopk;
  if (flags & flagSopp)
    return Format::sopp;
  // VOP1 and VOP2 in their DPP forms have the DPP bit only.
  return name.starts_with("V_") ? Format::vop2 : Format::other;
}

InstructionClass classOf(StringRef base, Format format) {
  using C = InstructionClass;
  switch (format) {
  case Format::smem:
    return C::smem;
  case Format::ds:
    return C::lds;
  case Format::flat:
    return C::flat;
  case Format::global:
    return C::global;
  case Format::scratch:
    return C::scratch;
  case Format::mubuf:
  case Format::mtbuf:
    return C::buffer;
  case Format::vopd:
    return C::vopd;
  default:
    break;
  }
  if (base.contains("WMMA"))
    return C::wmma;
  if (base.starts_with("V_")) {
    static const StringRef trans[] = {"V_EXP_",  "V_LOG_", "V_RCP_", "V_RSQ_",
                                      "V_SQRT_", "V_SIN_", "V_COS_"};
    for (StringRef prefix : trans)
      if (base.starts_with(prefix))
        return C::trans;
    return C::valu;
  }
  if (base == "S_BARRIER")
    return C::barrier;
  if (base.starts_with("S_BRANCH") || base.starts_with("S_CBRANCH") || base == "S_SETPC_B64" ||
      base == "S_SWAPPC_B64" || base == "S_CALL_B64" || base == "S_ENDPGM")
    return C::branch;
  if (base.starts_with("S_WAIT") || base == "S_DELAY_ALU" || base == "S_NOP" || base == "S_SLEEP" ||
      base == "S_CLAUSE")
    return C::wait;
  if (base.starts_with("S_SENDMSG") || base == "S_TRAP")
    return C::message;
  return base.starts_with("S_") ? C::salu : C::other;
}

} // namespace tinysim
