//===- Coverage.cpp - opcodes that no conformance case covers ---------------===//
//
//   sim-coverage FOLDER
//
// FOLDER holds the code objects of `sim-conformance --emit-only --keep=FOLDER`. Every
// opcode of gfx11 that the simulator has a handler for must be in one of them, or be
// excused below; an excuse for an opcode that is covered is an error as well.
//
//===----------------------------------------------------------------------===//

#include "../../lib/Sim/Decoder.h"
#include "../../lib/Sim/HandlerTable.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <llvm/BinaryFormat/ELF.h>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace tinysim;

namespace {
struct Excuse {
  const char *part, *why; // what the opcode's name contains
};
} // namespace

static const Excuse kExcuses[] = {
#include "CoverageExcuses.inc"
};

/// The executable section of a linked code object.
static std::vector<uint8_t> textOf(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<char> file{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  llvm::ELF::Elf64_Ehdr header;
  if (file.size() < sizeof header)
    return {};
  memcpy(&header, file.data(), sizeof header);
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    llvm::ELF::Elf64_Phdr segment;
    memcpy(&segment, file.data() + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type == llvm::ELF::PT_LOAD && segment.p_flags & llvm::ELF::PF_X)
      return {file.begin() + segment.p_offset, file.begin() + segment.p_offset + segment.p_filesz};
  }
  return {};
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: sim-coverage FOLDER\n");
    return 2;
  }
  Decoder decoder;
  std::set<std::string> seen;
  unsigned files = 0;
  for (const auto &entry : std::filesystem::directory_iterator(argv[1])) {
    if (entry.path().extension() != ".hsaco")
      continue;
    ++files;
    unsigned wave = entry.path().filename().string().rfind("w64", 0) == 0 ? 64 : 32;
    std::vector<uint8_t> text = textOf(entry.path());
    for (size_t at = 0; at + 4 <= text.size();) {
      Instruction instruction;
      std::string problem;
      Decoder::Status status = decoder.translate(llvm::ArrayRef<uint8_t>(text).drop_front(at), at,
                                                 wave, instruction, problem);
      if (status == Decoder::Status::success)
        seen.insert(instruction.opcodeName);
      at += status == Decoder::Status::success ? instruction.size : 4; // padding between kernels
    }
  }
  unsigned claimed = 0, uncovered = 0;
  std::map<const Excuse *, unsigned> used;
  for (const std::string &opcode : decoder.gfx11Opcodes()) {
    if (!HandlerTable::get().contains(baseName(opcode)))
      continue;
    ++claimed;
    if (seen.count(opcode))
      continue;
    auto excuse = std::find_if(std::begin(kExcuses), std::end(kExcuses), [&](const Excuse &e) {
      return opcode.find(e.part) != std::string::npos;
    });
    if (excuse != std::end(kExcuses)) {
      ++used[&*excuse];
      continue;
    }
    printf("not covered: %s\n", opcode.c_str());
    ++uncovered;
  }
  for (const Excuse &excuse : kExcuses)
    if (!used[&excuse]) {
      printf("\"%s\" excuses nothing: %s\n", excuse.part, excuse.why);
      ++uncovered;
    }
  unsigned excused = 0;
  for (auto &[excuse, count] : used)
    excused += count;
  printf("%u files, %u opcodes with a handler: %u covered, %u excused, %u problems\n", files,
         claimed, claimed - uncovered - excused, excused, uncovered);
  return uncovered || !files ? 1 : 0;
}
