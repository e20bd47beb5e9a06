//===- CodeObject.cpp - read the statistics of a code object --------------===//
//
// Registers and memory are in the metadata, code is where the symbol of the kernel
// says. The file may be anything: each step may fail, and none trusts the one before.
//
//===----------------------------------------------------------------------===//

#include "Disassembly.h"

#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir::tiny;
using namespace llvm;
using object::ELF64LEObjectFile;

/// The bytes of the function `name`, from the section that it lies in.
static Expected<ArrayRef<uint8_t>> findCode(const ELF64LEObjectFile &file, StringRef name) {
  auto search = [&](auto symbols) -> Expected<ArrayRef<uint8_t>> {
    for (const object::ELFSymbolRef symbol : symbols) {
      Expected<StringRef> itsName = symbol.getName();
      if (!itsName)
        return itsName.takeError();
      Expected<object::SymbolRef::Type> type = symbol.getType();
      if (!type)
        return type.takeError();
      if (*itsName != name || *type != object::SymbolRef::ST_Function)
        continue;
      Expected<object::section_iterator> section = symbol.getSection();
      if (!section)
        return section.takeError();
      Expected<uint64_t> address = symbol.getAddress();
      if (!address)
        return address.takeError();
      if (*section == file.section_end())
        return createStringError("kernel '" + name + "' has no code");
      Expected<StringRef> contents = (*section)->getContents();
      if (!contents)
        return contents.takeError();
      uint64_t start = *address - (*section)->getAddress(), bytes = symbol.getSize();
      if (start > contents->size() || bytes > contents->size() - start)
        return createStringError("kernel '" + name + "' lies outside of its section");
      return arrayRefFromStringRef(contents->substr(start, bytes));
    }
    return ArrayRef<uint8_t>();
  };
  // A linker may have taken the first table away; the second one the loader needs.
  Expected<ArrayRef<uint8_t>> code = search(file.symbols());
  if (code && code->empty())
    code = search(file.getDynamicSymbolIterators());
  if (code && code->empty())
    return createStringError("the code of kernel '" + name + "' is not in the symbol table");
  return code;
}

static Error readKernel(const ELF64LEObjectFile &file, const mlir::tiny::Target &target,
                        KernelStatistics &kernel) {
  const tinyrt::KernelMetadata &metadata = kernel.metadata;
  Expected<ArrayRef<uint8_t>> code = findCode(file, metadata.name);
  if (!code)
    return code.takeError();
  kernel.codeBytes = code->size();
  WorkgroupNeeds needs{metadata.waveSize, metadata.maxWorkgroupSize, metadata.vectorRegisters,
                       metadata.groupBytes};
  kernel.cuMode = mlir::tiny::occupancy(target, needs, /*wgpMode=*/false);
  kernel.wgpMode = mlir::tiny::occupancy(target, needs, /*wgpMode=*/true);

  auto disassembler =
      Disassembler::create(StringRef(target.name.data(), target.name.size()), metadata.waveSize);
  if (!disassembler)
    return disassembler.takeError();
  Expected<std::vector<MachineInstruction>> instructions = (*disassembler)->run(*code);
  if (!instructions)
    return createStringError("kernel '" + metadata.name +
                             "': " + toString(instructions.takeError()));
  SmallVector<const MachineInstruction *> all;
  for (const MachineInstruction &instruction : *instructions)
    all.push_back(&instruction);
  mlir::tiny::count(all, kernel.mix);
  kernel.loops = findInnerLoops(*instructions);
  return Error::success();
}

Expected<CodeObjectStatistics> mlir::tiny::readCodeObject(StringRef bytes) {
  std::vector<tinyrt::KernelMetadata> metadata;
  std::string error;
  if (!tinyrt::readKernelMetadata(bytes, metadata, error))
    return createStringError(error);
  auto file = ELF64LEObjectFile::create(MemoryBufferRef(bytes, "code object"));
  if (!file)
    return file.takeError();
  CodeObjectStatistics result;
  StringRef chip = file->tryGetCPUName().value_or("");
  result.target = findTarget(chip);
  if (!result.target)
    return createStringError("the code object is for " + (chip.empty() ? "no known chip" : chip) +
                             ", of which Target.h has no row");
  for (tinyrt::KernelMetadata &kernel : metadata) {
    result.kernels.emplace_back();
    result.kernels.back().metadata = std::move(kernel);
    if (Error failed = readKernel(*file, *result.target, result.kernels.back()))
      return std::move(failed);
  }
  return result;
}
