//===- Loader.h - code objects into memory ----------------------*- C++ -*-===//
//
// What an HSA executable does with a code object, without HSA: checks that it is
// one for gfx1100, puts its segments where kernels can reach them, relocates, and
// finds its symbols and kernels. No byte of the file is trusted.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_SIM_LOADER_H
#define TINY_SIM_LOADER_H

#include "Tiny/Runtime/KernelMetadata.h"
#include "Tiny/Sim/Simulator.h"

#include <functional>
#include <optional>
#include <string_view>

namespace tinysim {

struct LoadedSegment {
  uint64_t address = 0;
  uint64_t bytes = 0;
  uint64_t fileOffset = 0; ///< of its first byte
  Access access = Access::read;
};

/// A symbol that others may refer to: a kernel (by its descriptor), or a variable.
struct LoadedSymbol {
  std::string name; ///< a kernel's with ".kd"
  uint64_t address = 0;
  uint64_t bytes = 0;
  bool isKernel = false;
  bool isConstant = false; ///< in a segment that kernels do not write to
};

enum class LoadError {
  invalid,      ///< no code object, or a damaged one
  incompatible, ///< a code object for something else than gfx1100
  undefined,    ///< it needs a symbol that nobody has defined
  memory,       ///< there is no memory for it
};

/// A code object in memory; the memory goes with it. Empty until load() has succeeded.
class LoadedObject {
public:
  /// Where a symbol is that the file has no definition for.
  using Resolve = std::function<std::optional<uint64_t>(const std::string &name)>;

  LoadedObject() = default;
  ~LoadedObject();
  LoadedObject(const LoadedObject &) = delete;
  LoadedObject &operator=(const LoadedObject &) = delete;

  /// Nothing if `bytes` were loaded, else the reason with a sentence in `message`.
  std::optional<LoadError> load(std::string_view bytes, const Resolve &resolve,
                                std::string &message);

  uint64_t base() const { return reinterpret_cast<uint64_t>(image); }
  uint64_t bytes() const { return imageBytes; }
  /// What was added to the addresses of the file.
  int64_t delta() const { return static_cast<int64_t>(base() - firstAddress); }

  /// What addCode of a simulator takes.
  CodeObject code;
  std::vector<LoadedSegment> segments;
  std::vector<LoadedSymbol> symbols;
  /// In the order of code.kernels.
  std::vector<tinyrt::KernelMetadata> metadata;

private:
  class Builder;
  char *image = nullptr;
  uint64_t imageBytes = 0;
  uint64_t firstAddress = 0; ///< that the file has for `image`
};

} // namespace tinysim

#endif // TINY_SIM_LOADER_H
