//===- OneWave.cpp - assembles instructions and runs them on one wave ----------===//

#include "OneWave.h"
#include "llvm/MC/MCAsmBackend.h"
#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCCodeEmitter.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCInstrInfo.h"
#include "llvm/MC/MCObjectFileInfo.h"
#include "llvm/MC/MCObjectWriter.h"
#include "llvm/MC/MCParser/MCAsmParser.h"
#include "llvm/MC/MCParser/MCTargetAsmParser.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCStreamer.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/MCTargetOptions.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include <map>

using namespace llvm;

namespace tinysim::test {

Decoder &decoder() {
  static Decoder instance;
  return instance;
}

std::vector<uint8_t> assemble(const std::string &text, unsigned waveSize) {
  decoder(); // initialises the target
  LLVMInitializeAMDGPUAsmParser();
  Triple triple("amdgcn-amd-amdhsa");
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  MCTargetOptions options;
  std::unique_ptr<MCRegisterInfo> registers(target->createMCRegInfo(triple));
  std::unique_ptr<MCAsmInfo> asmInfo(target->createMCAsmInfo(*registers, triple, options));
  std::unique_ptr<MCInstrInfo> instructions(target->createMCInstrInfo());
  std::unique_ptr<MCSubtargetInfo> subtarget(target->createMCSubtargetInfo(
      triple, "gfx1100",
      waveSize == 64 ? "+wavefrontsize64,-wavefrontsize32,+real-true16"
                     : "+wavefrontsize32,+real-true16"));
  SourceMgr sources;
  sources.setDiagHandler([](const SMDiagnostic &, void *) {});
  sources.AddNewSourceBuffer(MemoryBuffer::getMemBufferCopy(text), SMLoc());
  MCContext context(triple, asmInfo.get(), registers.get(), subtarget.get(), &sources, &options);
  std::unique_ptr<MCObjectFileInfo> objectInfo(target->createMCObjectFileInfo(context, false));
  context.setObjectFileInfo(objectInfo.get());
  SmallString<1024> object;
  raw_svector_ostream os(object);
  std::unique_ptr<MCAsmBackend> backend(
      target->createMCAsmBackend(*subtarget, *registers, options));
  std::unique_ptr<MCObjectWriter> writer = backend->createObjectWriter(os);
  std::unique_ptr<MCCodeEmitter> emitter(target->createMCCodeEmitter(*instructions, context));
  std::unique_ptr<MCStreamer> streamer(target->createMCObjectStreamer(
      triple, context, std::move(backend), std::move(writer), std::move(emitter), *subtarget));
  std::unique_ptr<MCAsmParser> parser(createMCAsmParser(sources, context, *streamer, *asmInfo));
  std::unique_ptr<MCTargetAsmParser> targetParser(
      target->createMCAsmParser(*subtarget, *parser, *instructions, options));
  parser->setTargetParser(*targetParser);
  if (parser->Run(false))
    return {};
  auto file = object::ObjectFile::createObjectFile(MemoryBufferRef(object, "object"));
  if (!file) {
    consumeError(file.takeError());
    return {};
  }
  for (const object::SectionRef &section : (*file)->sections())
    if (section.isText()) {
      StringRef contents = cantFail(section.getContents());
      return {contents.bytes_begin(), contents.bytes_end()};
    }
  return {};
}

OneWave::OneWave(unsigned waveSize) : registers(272 * waveSize + 16) {
  uintptr_t start = (reinterpret_cast<uintptr_t>(registers.data()) + 63) & ~uintptr_t(63);
  wave.vgprs = reinterpret_cast<uint32_t *>(start);
  wave.waveSize = waveSize;
  wave.mode.bits = 0x3f0;
  setExec(waveSize == 64 ? ~uint64_t(0) : 0xffffffff);
}

bool OneWave::run(const std::string &text) {
  // Tests run the same lines on many numbers, and an assembler takes longer than the instruction.
  static std::map<std::pair<std::string, unsigned>, std::vector<uint8_t>> assembled;
  std::vector<uint8_t> &code = assembled[{text, wave.waveSize}];
  if (code.empty())
    code = assemble(text, wave.waveSize);
  if (code.empty()) {
    problem = "does not assemble: " + text;
    return false;
  }
  for (size_t at = 0; at < code.size();) {
    Instruction instruction;
    if (decoder().translate(ArrayRef<uint8_t>(code).drop_front(at), at, wave.waveSize, instruction,
                            problem) != Decoder::Status::success) {
      problem = text + " " + problem;
      return false;
    }
    instruction.execute(wave, instruction);
    if (wave.state == WaveState::faulted) {
      problem = text + " faults";
      return false;
    }
    at += instruction.size;
  }
  return true;
}

} // namespace tinysim::test
