//===- Code.cpp - translation on first use, and where code comes from -------===//
//
// The line table is read with LLVM's DWARF reader, and only when a message needs it.
//
//===----------------------------------------------------------------------===//

#include "Code.h"
#include "Wave.h"
#include "llvm/DebugInfo/DWARF/DWARFContext.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;

namespace tinysim {

static void translateSlot(Wave &wave, const Instruction &) { wave.code->translate(wave.slot); }

static Instruction makeUntranslated() {
  Instruction instruction;
  instruction.execute = translateSlot;
  instruction.size = 0; // so that the run loop stays at the slot
  instruction.kind = static_cast<InstructionClass>(instructionClasses); // counted apart
  return instruction;
}
const Instruction Code::untranslated = makeUntranslated();

/// The handler of what could not be translated: `opcodeName` is the message, `tag` the kind.
static void failed(Wave &wave, const Instruction &instruction) {
  wave.fault(static_cast<Fault::Kind>(instruction.tag), instruction.opcodeName);
}

struct Code::FileFacts {
  std::unique_ptr<object::ObjectFile> file;
  std::unique_ptr<DWARFContext> context;
  std::vector<Symbol> functions; // of the file's symbol table: local ones too
};

Code::Code(const CodeObject &object, unsigned waveSize) : object(object), waveSize(waveSize) {
  size_t count = object.bytes / 4 + 1;
  slots = std::make_unique<Slot[]>(count);
  for (size_t n = 0; n < count; ++n)
    slots[n].store(&untranslated, std::memory_order_relaxed);
}

Code::~Code() = default;

ArrayRef<uint8_t> Code::bytesAt(uint64_t pc) const {
  constexpr uint64_t longest = 20; // VOP3 with a literal and DPP is 16
  uint64_t left = pc - object.base < object.bytes ? object.base + object.bytes - pc : 0;
  return ArrayRef<uint8_t>(reinterpret_cast<const uint8_t *>(pc), std::min(left, longest));
}

void Code::translate(const Slot *slot) {
  std::lock_guard<std::mutex> lock(mutex);
  Slot &target = slots[slot - slots.get()];
  if (target.load(std::memory_order_relaxed) != &untranslated)
    return; // another thread was here first
  uint64_t pc = pcOf(slot);
  Instruction instruction;
  std::string problem;
  Fault::Kind kind = Fault::Kind::illegalInstruction;
  ArrayRef<uint8_t> bytes = bytesAt(pc);
  Decoder::Status status = Decoder::Status::illegal;
  if (bytes.size() < 4)
    problem = "runs past the end of the code object";
  else
    status = decoder.translate(bytes, pc, waveSize, instruction, problem);
  if (status != Decoder::Status::success) {
    if (status == Decoder::Status::unimplemented)
      kind = Fault::Kind::unimplemented;
    problems.push_back(std::move(problem));
    instruction = Instruction();
    instruction.pc = pc;
    instruction.execute = failed;
    instruction.opcodeName = problems.back().c_str();
    instruction.tag = static_cast<uint32_t>(kind);
  }
  instructions.push_back(instruction);
  target.store(&instructions.back(), std::memory_order_release);
}

void Code::readFile() {
  if (facts)
    return;
  facts = std::make_unique<FileFacts>();
  if (!object.file || object.file->empty())
    return;
  StringRef contents(reinterpret_cast<const char *>(object.file->data()), object.file->size());
  Expected<std::unique_ptr<object::ObjectFile>> file =
      object::ObjectFile::createObjectFile(MemoryBufferRef(contents, "code object"));
  if (!file) {
    consumeError(file.takeError());
    return;
  }
  facts->file = std::move(*file);
  auto ignore = [](Error error) { consumeError(std::move(error)); };
  facts->context = DWARFContext::create(
      *facts->file, DWARFContext::ProcessDebugRelocations::Process, nullptr, "", ignore, ignore);
  for (const object::SymbolRef &symbol : facts->file->symbols()) {
    Expected<object::SymbolRef::Type> type = symbol.getType();
    Expected<StringRef> name = symbol.getName();
    Expected<uint64_t> address = symbol.getAddress();
    const bool damaged = !type; // then the table is, and its length may be any number
    if (type && name && address && *type == object::SymbolRef::ST_Function)
      facts->functions.push_back(
          {name->str(), *address + object.loadBias, object::ELFSymbolRef(symbol).getSize()});
    consumeError(type.takeError());
    consumeError(name.takeError());
    consumeError(address.takeError());
    if (damaged)
      break;
  }
}

std::string Code::sourceLine(uint64_t pc) {
  readFile();
  if (!facts->context)
    return "";
  // From the line tables alone: DWARFContext::getLineInfoForAddress walks the tree of functions,
  // too, and a damaged one makes it crash.
  for (const std::unique_ptr<DWARFUnit> &unit : facts->context->compile_units()) {
    const DWARFDebugLine::LineTable *table = facts->context->getLineTableForUnit(unit.get());
    DILineInfo info;
    if (table &&
        table->getFileLineInfoForAddress(
            {pc - object.loadBias, object::SectionedAddress::UndefSection}, /*Approximate=*/false,
            nullptr, DILineInfoSpecifier::FileLineInfoKind::RelativeFilePath, info) &&
        info.FileName != DILineInfo::BadString && info.Line != 0)
      return info.FileName + ":" + std::to_string(info.Line) + ":" + std::to_string(info.Column);
  }
  return "";
}

std::string Code::mnemonic(uint64_t pc) {
  std::lock_guard<std::mutex> lock(mutex);
  std::string text = decoder.disassemble(bytesAt(pc), pc, waveSize);
  return text.substr(0, text.find(' '));
}

std::string Code::describe(uint64_t pc) {
  std::lock_guard<std::mutex> lock(mutex);
  std::string text;
  raw_string_ostream os(text);
  readFile();
  const Symbol *best = nullptr;
  for (const std::vector<Symbol> *list : {&object.symbols, &std::as_const(facts->functions)})
    for (const Symbol &symbol : *list)
      if (pc >= symbol.address && pc - symbol.address < symbol.bytes &&
          !StringRef(symbol.name).ends_with(".kd") && (!best || symbol.address > best->address))
        best = &symbol;
  if (best)
    os << best->name << "+" << format_hex(pc - best->address, 2);
  else
    os << "code+" << format_hex(pc - object.base, 2);
  ArrayRef<uint8_t> bytes = bytesAt(pc);
  if (bytes.size() >= 4)
    os << ": " << decoder.disassemble(bytes, pc, waveSize);
  std::string line = sourceLine(pc);
  if (!line.empty())
    os << "\n  source: " << line;
  return text;
}

} // namespace tinysim
