//===- Loader.cpp - code objects into memory ------------------------------===//
//
// The program headers say what goes where. The dynamic table, symbols and
// relocations are then read from the loaded image, at the addresses they have there:
// every address goes through one bounds check, and a file without section headers
// loads too. LLVM's ELF reader is not used, because a damaged dynamic table or hash
// table leads it out of the file.
//
// The layout is that of the AMDGPU back-end's guide, "Code Object": one block of
// memory for all segments, because code reaches its data relative to the program
// counter.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Sim/Loader.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/BinaryFormat/ELF.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <sys/mman.h>

using namespace tinysim;
namespace ELF = llvm::ELF;

/// More than any kernel has; a damaged size ends here and not in the memory of the machine.
static constexpr uint64_t kMostBytes = uint64_t(1) << 30;
static constexpr uint64_t kPage = 4096;
static constexpr unsigned kDescriptorBytes = 64;

LoadedObject::~LoadedObject() {
  if (image)
    munmap(image, imageBytes);
}

/// Fills a LoadedObject in. The steps return nothing or why they failed, with a sentence in
/// `message`.
class LoadedObject::Builder {
public:
  Builder(LoadedObject &object, std::string_view bytes, const Resolve &resolve,
          std::string &message)
      : object(object), bytes(bytes), resolve(resolve), message(message) {}

  std::optional<LoadError> build();

private:
  using Step = std::optional<LoadError>;

  Step fail(LoadError error, std::string text) {
    message = std::move(text);
    return error;
  }
  Step damaged(const std::string &what) {
    return fail(LoadError::invalid, "the code object is damaged: " + what);
  }

  Step checkHeader();
  Step readSegments();
  Step mapSegments();
  Step readDynamic();
  Step countSymbols(uint64_t hash, uint64_t gnuHash, uint64_t &count);
  Step relocate();
  Step relocateOne(const ELF::Elf64_Rela &relocation);
  Step addSymbols();
  Step addKernels();

  /// The `size` bytes that the file has at `address`, null if it has none there.
  char *at(uint64_t address, uint64_t size) const {
    uint64_t offset = address - object.firstAddress;
    if (address < object.firstAddress || offset > object.imageBytes ||
        size > object.imageBytes - offset)
      return nullptr;
    return object.image + offset;
  }
  template <typename T> bool read(uint64_t address, T &value) const {
    const char *where = at(address, sizeof(T));
    if (where)
      std::memcpy(&value, where, sizeof(T));
    return where != nullptr;
  }
  std::optional<std::string> symbolName(const ELF::Elf64_Sym &symbol) const;
  const LoadedSegment *segmentAt(uint64_t address, uint64_t size) const;

  LoadedObject &object;
  std::string_view bytes;
  const Resolve &resolve;
  std::string &message;

  ELF::Elf64_Ehdr header;
  std::vector<ELF::Elf64_Phdr> programHeaders;
  uint64_t strings = 0, stringBytes = 0;         // DT_STRTAB, DT_STRSZ
  uint64_t relocations = 0, relocationBytes = 0; // DT_RELA, DT_RELASZ
  std::vector<ELF::Elf64_Sym> table;
};

std::optional<LoadError> LoadedObject::Builder::build() {
  if (bytes.substr(0, 4) != ELF::ElfMagic)
    return fail(LoadError::invalid, "this is no ELF file");
  for (auto step :
       {&Builder::checkHeader, &Builder::readSegments, &Builder::mapSegments, &Builder::readDynamic,
        &Builder::relocate, &Builder::addSymbols, &Builder::addKernels})
    if (Step error = (this->*step)())
      return error;
  return std::nullopt;
}

/// Of the processors that a file may be for, those whose code gfx1100 runs.
auto LoadedObject::Builder::checkHeader() -> Step {
  if (bytes.size() < sizeof(header))
    return damaged("its header is not complete");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.e_ident[ELF::EI_CLASS] != ELF::ELFCLASS64 ||
      header.e_ident[ELF::EI_DATA] != ELF::ELFDATA2LSB || header.e_machine != ELF::EM_AMDGPU ||
      header.e_ident[ELF::EI_OSABI] != ELF::ELFOSABI_AMDGPU_HSA)
    return fail(LoadError::incompatible, "the ELF file is not one for amdgcn-amd-amdhsa");
  unsigned abi = header.e_ident[ELF::EI_ABIVERSION];
  if (abi < ELF::ELFABIVERSION_AMDGPU_HSA_V4 || abi > ELF::ELFABIVERSION_AMDGPU_HSA_V6)
    return fail(LoadError::incompatible,
                "code objects of version 4, 5 and 6 can be loaded, and this one has ABI version " +
                    std::to_string(abi));
  unsigned machine = header.e_flags & ELF::EF_AMDGPU_MACH;
  if (machine != ELF::EF_AMDGPU_MACH_AMDGCN_GFX1100 &&
      machine != ELF::EF_AMDGPU_MACH_AMDGCN_GFX11_GENERIC)
    return fail(LoadError::incompatible,
                "the code object is for another processor than gfx1100 (machine 0x" +
                    llvm::utohexstr(machine, true) + ")");
  if (header.e_type != ELF::ET_DYN)
    return fail(LoadError::invalid,
                "the code object is not linked: an ELF file of type 'shared object' is needed");
  if (!tinyrt::readKernelMetadata(bytes, object.metadata, message))
    return LoadError::invalid;
  return std::nullopt;
}

auto LoadedObject::Builder::readSegments() -> Step {
  uint64_t size = uint64_t(header.e_phnum) * sizeof(ELF::Elf64_Phdr);
  if (header.e_phentsize != sizeof(ELF::Elf64_Phdr) || header.e_phoff > bytes.size() ||
      size > bytes.size() - header.e_phoff)
    return damaged("its program headers are not in the file");
  programHeaders.resize(header.e_phnum);
  if (size)
    std::memcpy(programHeaders.data(), bytes.data() + header.e_phoff, size);
  return std::nullopt;
}

auto LoadedObject::Builder::mapSegments() -> Step {
  uint64_t first = UINT64_MAX, last = 0;
  for (const ELF::Elf64_Phdr &header : programHeaders) {
    if (header.p_type != ELF::PT_LOAD || header.p_memsz == 0)
      continue;
    if (header.p_offset > bytes.size() || header.p_filesz > bytes.size() - header.p_offset ||
        header.p_filesz > header.p_memsz)
      return damaged("a segment has more bytes than the file");
    if (header.p_memsz > kMostBytes || header.p_vaddr > UINT64_MAX - kMostBytes)
      return damaged("a segment is larger than 1 GB");
    first = std::min<uint64_t>(first, header.p_vaddr);
    last = std::max<uint64_t>(last, header.p_vaddr + header.p_memsz);
  }
  if (first > last)
    return damaged("there is nothing to load");
  first &= ~(kPage - 1); // the alignment of all segments is at most a page
  if (last - first > kMostBytes)
    return damaged("its segments are spread over more than 1 GB");

  object.firstAddress = first;
  object.imageBytes = (last - first + kPage - 1) & ~(kPage - 1);
  void *memory =
      mmap(nullptr, object.imageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return fail(LoadError::memory, "there is no memory for the code object");
  object.image = static_cast<char *>(memory);

  for (const ELF::Elf64_Phdr &header : programHeaders) {
    if (header.p_type != ELF::PT_LOAD || header.p_memsz == 0)
      continue;
    char *where = at(header.p_vaddr, header.p_memsz);
    if (header.p_filesz)
      std::memcpy(where, bytes.data() + header.p_offset, header.p_filesz);
    // The loader writes relocations to it, kernels what the flags say.
    Access access = Access::read;
    if (header.p_flags & ELF::PF_W)
      access = Access::readWrite;
    if (header.p_flags & ELF::PF_X) // constants are also read there
      access =
          static_cast<Access>(static_cast<uint8_t>(access) | static_cast<uint8_t>(Access::execute));
    object.segments.push_back(
        {reinterpret_cast<uint64_t>(where), header.p_memsz, header.p_offset, access});
  }
  llvm::sort(object.segments,
             [](const LoadedSegment &a, const LoadedSegment &b) { return a.address < b.address; });
  const LoadedSegment *code = nullptr;
  for (size_t i = 0; i < object.segments.size(); ++i) {
    const LoadedSegment &segment = object.segments[i];
    if (i && object.segments[i - 1].address + object.segments[i - 1].bytes > segment.address)
      return damaged("its segments overlap");
    if (!allows(segment.access, Access::execute))
      continue;
    if (code)
      return damaged("it has more than one segment of code");
    code = &segment;
  }
  if (code) {
    object.code.base = code->address;
    object.code.bytes = code->bytes;
  }
  object.code.loadBias = object.base() - first;
  object.code.file = std::make_shared<std::vector<uint8_t>>(bytes.begin(), bytes.end());
  return std::nullopt;
}

const LoadedSegment *LoadedObject::Builder::segmentAt(uint64_t address, uint64_t size) const {
  for (const LoadedSegment &segment : object.segments)
    if (address >= segment.address && address - segment.address <= segment.bytes &&
        size <= segment.bytes - (address - segment.address))
      return &segment;
  return nullptr;
}

auto LoadedObject::Builder::readDynamic() -> Step {
  uint64_t symbols = 0, hash = 0, gnuHash = 0;
  for (const ELF::Elf64_Phdr &segment : programHeaders) {
    if (segment.p_type != ELF::PT_DYNAMIC)
      continue;
    ELF::Elf64_Dyn entry;
    for (uint64_t at = 0; at < segment.p_memsz; at += sizeof(entry)) {
      if (!read(segment.p_vaddr + at, entry))
        return damaged("its dynamic table lies outside of its segments");
      if (entry.d_tag == ELF::DT_NULL)
        break;
      switch (entry.d_tag) {
      case ELF::DT_STRTAB:
        strings = entry.d_un.d_ptr;
        break;
      case ELF::DT_STRSZ:
        stringBytes = entry.d_un.d_val;
        break;
      case ELF::DT_SYMTAB:
        symbols = entry.d_un.d_ptr;
        break;
      case ELF::DT_HASH:
        hash = entry.d_un.d_ptr;
        break;
      case ELF::DT_GNU_HASH:
        gnuHash = entry.d_un.d_ptr;
        break;
      case ELF::DT_RELA:
        relocations = entry.d_un.d_ptr;
        break;
      case ELF::DT_RELASZ:
        relocationBytes = entry.d_un.d_val;
        break;
      case ELF::DT_REL:
      case ELF::DT_JMPREL:
      case ELF::DT_RELR:
        return fail(LoadError::invalid, "the code object has relocations of a kind that the "
                                        "AMDGPU ABI does not have");
      }
    }
  }
  if (stringBytes && !at(strings, stringBytes))
    return damaged("its string table lies outside of its segments");
  uint64_t count = 0;
  if (Step error = countSymbols(hash, gnuHash, count))
    return error;
  if (count == 0)
    return std::nullopt;
  if (count > object.imageBytes / sizeof(ELF::Elf64_Sym) ||
      !at(symbols, count * sizeof(ELF::Elf64_Sym)))
    return damaged("its symbols lie outside of its segments");
  table.resize(count);
  std::memcpy(table.data(), at(symbols, count * sizeof(ELF::Elf64_Sym)),
              count * sizeof(ELF::Elf64_Sym));
  return std::nullopt;
}

/// The dynamic table says where the symbols are, only a hash table says how many.
auto LoadedObject::Builder::countSymbols(uint64_t hash, uint64_t gnuHash, uint64_t &count) -> Step {
  struct {
    uint32_t buckets, chains;
  } table;
  if (hash) {
    if (!read(hash, table))
      return damaged("its hash table lies outside of its segments");
    count = table.chains; // one for each symbol
    return std::nullopt;
  }
  if (!gnuHash)
    return std::nullopt;
  struct {
    uint32_t buckets, firstSymbol, filterWords, shift;
  } gnu;
  if (!read(gnuHash, gnu))
    return damaged("its hash table lies outside of its segments");
  uint64_t buckets = gnuHash + sizeof(gnu) + uint64_t(gnu.filterWords) * 8;
  uint64_t chains = buckets + uint64_t(gnu.buckets) * 4;
  // The last symbol is at the end of the chain that begins last: the end has its lowest bit set.
  uint32_t last = 0, entry = 0;
  for (uint32_t i = 0; i < gnu.buckets; ++i) {
    if (!read(buckets + uint64_t(i) * 4, entry))
      return damaged("its hash table lies outside of its segments");
    last = std::max(last, entry);
  }
  count = gnu.firstSymbol;
  if (last < gnu.firstSymbol)
    return std::nullopt; // all chains are empty
  do {
    if (!read(chains + (uint64_t(last) - gnu.firstSymbol) * 4, entry))
      return damaged("its hash table lies outside of its segments");
    count = ++last;
  } while (!(entry & 1));
  return std::nullopt;
}

std::optional<std::string> LoadedObject::Builder::symbolName(const ELF::Elf64_Sym &symbol) const {
  if (symbol.st_name >= stringBytes)
    return std::nullopt;
  const char *name = at(strings + symbol.st_name, stringBytes - symbol.st_name);
  size_t length = strnlen(name, stringBytes - symbol.st_name);
  return std::string(name, length);
}

auto LoadedObject::Builder::relocate() -> Step {
  if (relocationBytes == 0)
    return std::nullopt;
  if (!at(relocations, relocationBytes))
    return damaged("its relocations lie outside of its segments");
  // Copied first: nothing keeps a relocation from pointing at the others.
  std::vector<ELF::Elf64_Rela> all(relocationBytes / sizeof(ELF::Elf64_Rela));
  if (!all.empty())
    std::memcpy(all.data(), at(relocations, relocationBytes), all.size() * sizeof(ELF::Elf64_Rela));
  for (const ELF::Elf64_Rela &relocation : all)
    if (Step error = relocateOne(relocation))
      return error;
  return std::nullopt;
}

auto LoadedObject::Builder::relocateOne(const ELF::Elf64_Rela &relocation) -> Step {
  unsigned type = relocation.getType();
  bool isWide = type == ELF::R_AMDGPU_ABS64 || type == ELF::R_AMDGPU_REL64 ||
                type == ELF::R_AMDGPU_RELATIVE64;
  char *where = at(relocation.r_offset, isWide ? 8 : 4);
  if (!where)
    return damaged("a relocation lies outside of its segments");

  uint64_t target = 0;
  if (uint32_t index = relocation.getSymbol()) {
    if (index >= table.size())
      return damaged("a relocation has no symbol");
    const ELF::Elf64_Sym &symbol = table[index];
    if (symbol.st_shndx != ELF::SHN_UNDEF) {
      target = symbol.st_value + object.code.loadBias;
    } else {
      std::optional<std::string> name = symbolName(symbol);
      if (!name)
        return damaged("a symbol has no name");
      std::optional<uint64_t> address = resolve ? resolve(*name) : std::nullopt;
      if (!address && symbol.getBinding() != ELF::STB_WEAK)
        return fail(LoadError::undefined,
                    "the code object needs the symbol '" + *name + "', which nobody defines");
      target = address.value_or(0);
    }
  }
  // Addresses wrap around, as they do on the machine.
  uint64_t addend = static_cast<uint64_t>(relocation.r_addend);
  uint64_t place = reinterpret_cast<uint64_t>(where);
  uint64_t value = target + addend;
  switch (type) {
  case ELF::R_AMDGPU_NONE:
    return std::nullopt;
  case ELF::R_AMDGPU_ABS64:
  case ELF::R_AMDGPU_ABS32:
  case ELF::R_AMDGPU_ABS32_LO:
    break;
  case ELF::R_AMDGPU_ABS32_HI:
    value >>= 32;
    break;
  case ELF::R_AMDGPU_REL64:
  case ELF::R_AMDGPU_REL32:
  case ELF::R_AMDGPU_REL32_LO:
    value -= place;
    break;
  case ELF::R_AMDGPU_REL32_HI:
    value = (value - place) >> 32;
    break;
  case ELF::R_AMDGPU_RELATIVE64:
    value = object.code.loadBias + addend;
    break;
  default:
    return fail(LoadError::invalid,
                "the code object has a relocation of the unknown type " + std::to_string(type));
  }
  std::memcpy(where, &value, isWide ? 8 : 4); // the low half comes first
  return std::nullopt;
}

auto LoadedObject::Builder::addSymbols() -> Step {
  for (const ELF::Elf64_Sym &symbol : table) {
    unsigned type = symbol.getType();
    if (symbol.st_shndx == ELF::SHN_UNDEF || symbol.st_shndx == ELF::SHN_ABS ||
        symbol.getBinding() == ELF::STB_LOCAL ||
        (type != ELF::STT_OBJECT && type != ELF::STT_FUNC && type != ELF::STT_NOTYPE))
      continue;
    std::optional<std::string> name = symbolName(symbol);
    if (!name || name->empty())
      return damaged("a symbol has no name");
    const char *where = at(symbol.st_value, symbol.st_size);
    const LoadedSegment *segment =
        where ? segmentAt(reinterpret_cast<uint64_t>(where), symbol.st_size) : nullptr;
    if (!segment)
      return damaged("the symbol '" + *name + "' lies outside of its segments");
    uint64_t address = reinterpret_cast<uint64_t>(where);
    if (type == ELF::STT_FUNC) {
      object.code.symbols.push_back({*name, address, symbol.st_size});
      continue;
    }
    bool isKernel = llvm::StringRef(*name).ends_with(".kd");
    if (isKernel && (symbol.st_size != kDescriptorBytes || address % kDescriptorBytes != 0))
      return damaged("'" + *name + "' is not the descriptor of a kernel");
    object.symbols.push_back(
        {*name, address, symbol.st_size, isKernel, !allows(segment->access, Access::write)});
  }
  return std::nullopt;
}

/// A host can know these when it launches a kernel; the others stand for things (a heap, a place
/// for printf) that only exist where somebody has made them.
static bool isFilledByHosts(const std::string &kind) {
  static const char *const kPrefixes[] = {"hidden_block_count_", "hidden_group_size_",
                                          "hidden_remainder_",   "hidden_global_offset_",
                                          "hidden_grid_dims",    "hidden_dynamic_lds_size"};
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](const char *prefix) { return llvm::StringRef(kind).starts_with(prefix); });
}

auto LoadedObject::Builder::addKernels() -> Step {
  std::map<std::string, tinyrt::KernelMetadata> bySymbol;
  for (tinyrt::KernelMetadata &kernel : object.metadata)
    bySymbol[kernel.symbol] = std::move(kernel);
  object.metadata.clear();
  for (const LoadedSymbol &symbol : object.symbols) {
    if (!symbol.isKernel)
      continue;
    auto found = bySymbol.find(symbol.name);
    if (found == bySymbol.end())
      return damaged("its metadata does not have the kernel '" + symbol.name + "'");
    KernelInfo kernel;
    kernel.name = symbol.name.substr(0, symbol.name.size() - 3);
    kernel.descriptor = symbol.address;
    kernel.kernargBytes = found->second.kernargBytes;
    for (const tinyrt::KernelArgument &argument : found->second.arguments)
      if (argument.isHidden())
        kernel.hidden.push_back(
            {argument.kind, argument.offset, argument.bytes, isFilledByHosts(argument.kind)});
    object.code.kernels.push_back(std::move(kernel));
    object.metadata.push_back(found->second);
  }
  return std::nullopt;
}

std::optional<LoadError> LoadedObject::load(std::string_view bytes, const Resolve &resolve,
                                            std::string &message) {
  return Builder(*this, bytes, resolve, message).build();
}
