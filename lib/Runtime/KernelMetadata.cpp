//===- KernelMetadata.cpp - read the notes of a code object ---------------===//
//
// ELF program headers lead to the notes, one note is MessagePack, and of that we
// read what KernelMetadata.h names and step over the rest. The readers below stop
// at the end of their bytes and at the first thing they do not know; depth is
// limited because the file decides it.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Runtime/KernelMetadata.h"

#include <cstring>
#include <elf.h>
#include <functional>

using namespace tinyrt;

//===----------------------------------------------------------------------===//
// MessagePack
//===----------------------------------------------------------------------===//

namespace {
/// Reads one value after the other. Once something is wrong, `ok` is false and every further read
/// gives nothing.
class PackReader {
public:
  explicit PackReader(std::string_view bytes) : rest(bytes) {}
  bool ok = true;

  /// The next value if it is a map: calls `entry` with each key, which reads its value (or leaves
  /// it: it is stepped over). Keys that are no strings are empty ones.
  void map(const std::function<void(std::string_view key)> &entry) {
    uint32_t count = 0;
    if (!open(0x80, 0xde, count))
      return skip();
    Nesting nesting(*this);
    while (ok && count-- > 0) {
      std::string_view key = string();
      size_t before = rest.size();
      entry(key);
      if (rest.size() == before)
        skip();
    }
  }

  /// The next value if it is an array: `element` reads one each time.
  void array(const std::function<void()> &element) {
    uint32_t count = 0;
    if (!open(0x90, 0xdc, count))
      return skip();
    Nesting nesting(*this);
    while (ok && count-- > 0) {
      size_t before = rest.size();
      element();
      if (rest.size() == before)
        skip();
    }
  }

  /// The next value, or nothing (it is then stepped over) if it is of another kind.
  std::string_view string() {
    uint8_t tag = peek();
    if (tag >= 0xa0 && tag <= 0xbf) {
      take(1);
      return take(tag & 0x1f);
    }
    if (tag >= 0xd9 && tag <= 0xdb) {
      take(1);
      return take(number(1u << (tag - 0xd9)));
    }
    skip();
    return {};
  }
  uint32_t integer() {
    uint8_t tag = peek();
    if (tag <= 0x7f) {
      take(1);
      return tag;
    }
    if (tag >= 0xcc && tag <= 0xcf) {
      take(1);
      uint64_t value = number(1u << (tag - 0xcc));
      return value > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(value);
    }
    skip();
    return 0;
  }
  bool boolean() {
    uint8_t tag = peek();
    skip();
    return tag == 0xc3;
  }

  void skip() {
    uint8_t tag = peek();
    uint32_t count = 0;
    if (open(0x80, 0xde, count) || open(0x90, 0xdc, count)) {
      Nesting nesting(*this);
      // The entries of a map are twice as many values, which may be more than 32 bits count.
      uint64_t values = tag <= 0x8f || tag >= 0xde ? 2 * uint64_t(count) : count;
      while (ok && values-- > 0)
        skip();
    } else if (tag >= 0xa0 && tag <= 0xbf) {
      take(1 + (tag & 0x1f));
    } else if ((tag >= 0xc4 && tag <= 0xc6) || (tag >= 0xd9 && tag <= 0xdb)) {
      take(1);
      take(number(1u << (tag - (tag <= 0xc6 ? 0xc4 : 0xd9))));
    } else if (tag >= 0xc7 && tag <= 0xc9) { // an extension: size, type, bytes
      take(1);
      uint64_t bytes = number(1u << (tag - 0xc7));
      take(1);
      take(bytes);
    } else if (tag >= 0xca && tag <= 0xd8) { // of a fixed size, by their order
      static const uint8_t kBytes[] = {4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17};
      take(1 + kBytes[tag - 0xca]);
    } else {
      take(1);
    }
  }

private:
  /// Counts open maps and arrays: the stack is finite.
  struct Nesting {
    explicit Nesting(PackReader &reader) : reader(reader) { reader.ok &= ++reader.depth <= 32; }
    ~Nesting() { --reader.depth; }
    PackReader &reader;
  };

  uint8_t peek() {
    ok &= !rest.empty();
    return ok ? static_cast<uint8_t>(rest[0]) : 0;
  }
  std::string_view take(uint64_t bytes) {
    ok &= bytes <= rest.size();
    if (!ok)
      return {};
    std::string_view taken = rest.substr(0, bytes);
    rest.remove_prefix(bytes);
    return taken;
  }
  /// Of 1 to 8 bytes, the highest first.
  uint64_t number(unsigned bytes) {
    uint64_t value = 0;
    for (char byte : take(bytes))
      value = value << 8 | static_cast<uint8_t>(byte);
    return value;
  }
  /// Takes the head of a collection with up to 15 elements in `small`, or a count behind `large`.
  bool open(uint8_t small, uint8_t large, uint32_t &count) {
    uint8_t tag = peek();
    if (!ok || ((tag & 0xf0) != small && tag != large && tag != large + 1))
      return false;
    take(1);
    count = (tag & 0xf0) == small ? tag & 0xf : static_cast<uint32_t>(number(tag == large ? 2 : 4));
    return true;
  }

  std::string_view rest;
  unsigned depth = 0;
};
} // namespace

static KernelArgument readArgument(PackReader &reader) {
  KernelArgument argument;
  reader.map([&](std::string_view key) {
    if (key == ".name")
      argument.name = reader.string();
    else if (key == ".value_kind")
      argument.kind = reader.string();
    else if (key == ".type_name")
      argument.type = reader.string();
    else if (key == ".offset")
      argument.offset = reader.integer();
    else if (key == ".size")
      argument.bytes = reader.integer();
  });
  return argument;
}

static KernelMetadata readKernel(PackReader &reader) {
  KernelMetadata kernel;
  reader.map([&](std::string_view key) {
    if (key == ".name")
      kernel.name = reader.string();
    else if (key == ".symbol")
      kernel.symbol = reader.string();
    else if (key == ".kernarg_segment_size")
      kernel.kernargBytes = reader.integer();
    else if (key == ".kernarg_segment_align")
      kernel.kernargAlignment = reader.integer();
    else if (key == ".group_segment_fixed_size")
      kernel.groupBytes = reader.integer();
    else if (key == ".private_segment_fixed_size")
      kernel.privateBytes = reader.integer();
    else if (key == ".wavefront_size")
      kernel.waveSize = reader.integer();
    else if (key == ".max_flat_workgroup_size")
      kernel.maxWorkgroupSize = reader.integer();
    else if (key == ".vgpr_count")
      kernel.vectorRegisters = reader.integer();
    else if (key == ".sgpr_count")
      kernel.scalarRegisters = reader.integer();
    else if (key == ".vgpr_spill_count")
      kernel.vectorSpills = reader.integer();
    else if (key == ".sgpr_spill_count")
      kernel.scalarSpills = reader.integer();
    else if (key == ".workgroup_processor_mode")
      kernel.wgpMode = reader.integer() != 0;
    else if (key == ".uses_dynamic_stack")
      kernel.dynamicStack = reader.boolean();
    else if (key == ".args")
      reader.array([&] { kernel.arguments.push_back(readArgument(reader)); });
  });
  return kernel;
}

/// The bytes of a metadata note.
static bool readNote(std::string_view note, std::vector<KernelMetadata> &kernels,
                     std::string &error) {
  PackReader reader(note);
  reader.map([&](std::string_view key) {
    if (key == "amdhsa.kernels")
      reader.array([&] { kernels.push_back(readKernel(reader)); });
  });
  if (!reader.ok) {
    error = "the metadata of the code object is damaged";
    return false;
  }
  for (const KernelMetadata &kernel : kernels)
    for (const KernelArgument &argument : kernel.arguments)
      if (argument.offset > kernel.kernargBytes ||
          argument.bytes > kernel.kernargBytes - argument.offset) {
        error = "argument '" + argument.kind + "' of kernel '" + kernel.name +
                "' lies outside of the kernel's arguments";
        return false;
      }
  return true;
}

//===----------------------------------------------------------------------===//
// ELF
//===----------------------------------------------------------------------===//

/// A record of the file, which need not be aligned.
template <typename T> static bool record(std::string_view file, uint64_t offset, T &value) {
  if (offset > file.size() || file.size() - offset < sizeof(T))
    return false;
  std::memcpy(&value, file.data() + offset, sizeof(T));
  return true;
}

bool tinyrt::readKernelMetadata(std::string_view file, std::vector<KernelMetadata> &kernels,
                                std::string &error) {
  constexpr uint16_t kMachineAmdgpu = 224; // EM_AMDGPU; not in every system's elf.h
  constexpr uint32_t kNoteMetadata = 32;   // NT_AMDGPU_METADATA
  kernels.clear();
  Elf64_Ehdr header;
  if (!record(file, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    error = "this is no ELF file of 64 bits";
    return false;
  }
  if (header.e_machine != kMachineAmdgpu) {
    error =
        "this ELF file is not for an AMD GPU (machine " + std::to_string(header.e_machine) + ")";
    return false;
  }
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (header.e_phoff > file.size() ||
        !record(file, header.e_phoff + uint64_t(i) * sizeof(segment), segment)) {
      error = "the program headers of the code object are damaged";
      return false;
    }
    if (segment.p_type != PT_NOTE)
      continue;
    if (segment.p_offset > file.size() || segment.p_filesz > file.size() - segment.p_offset) {
      error = "the notes of the code object are damaged";
      return false;
    }
    std::string_view notes = file.substr(segment.p_offset, segment.p_filesz);
    auto padded = [](uint64_t bytes) { return (bytes + 3) & ~uint64_t(3); };
    Elf64_Nhdr note;
    for (uint64_t at = 0; record(notes, at, note);) {
      uint64_t name = at + sizeof(note), bytes = name + padded(note.n_namesz);
      if (bytes > notes.size() || note.n_descsz > notes.size() - bytes) {
        error = "the notes of the code object are damaged";
        return false;
      }
      if (note.n_type == kNoteMetadata && notes.substr(name, 6) == "AMDGPU" &&
          !readNote(notes.substr(bytes, note.n_descsz), kernels, error))
        return false;
      at = bytes + padded(note.n_descsz);
    }
  }
  return true;
}
