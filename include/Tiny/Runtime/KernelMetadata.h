//===- KernelMetadata.h - what a code object says of its kernels -*- C++ -*-===//
//
// A code object for AMDHSA has a note with the arguments of each kernel: where a
// host has to put which pointer, and which hidden arguments it has to fill in
// (sizes of the grid, mostly). The HSA library hands out the size of the kernel
// arguments only, so whoever writes them reads the note: our HSA device, and the
// simulator, which says by name what a kernel has read. No LLVM include, and no
// byte of the file is trusted.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_RUNTIME_KERNELMETADATA_H
#define TINY_RUNTIME_KERNELMETADATA_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyrt {

struct KernelArgument {
  std::string name; ///< as in the source, if the compiler kept it
  std::string kind; ///< "global_buffer", "by_value", "hidden_block_count_x", …
  std::string type; ///< "float*", if the language has types
  uint32_t offset = 0;
  uint32_t bytes = 0;

  /// Not an argument of the source: the host fills it in by itself.
  bool isHidden() const { return kind.compare(0, 7, "hidden_") == 0; }
};

struct KernelMetadata {
  std::string name;   ///< as in the source
  std::string symbol; ///< of its descriptor: the name with ".kd" behind it
  uint32_t kernargBytes = 0;
  uint32_t kernargAlignment = 16;
  uint32_t groupBytes = 0;   ///< of LDS, without what a launch adds
  uint32_t privateBytes = 0; ///< of scratch, of one work-item
  uint32_t waveSize = 0;
  uint32_t maxWorkgroupSize = 0;
  bool wgpMode = false; ///< the waves of a workgroup are on both compute units of a pair
  bool dynamicStack = false;
  uint32_t vectorRegisters = 0, scalarRegisters = 0; ///< of a wave
  uint32_t vectorSpills = 0, scalarSpills = 0;       ///< registers that did not fit
  std::vector<KernelArgument> arguments;             ///< in the order of their offsets in the file
};

/// Reads the notes of an ELF file. False with the reason if it is no code object, or its note
/// cannot be read; every argument of a kernel lies within its kernargBytes.
bool readKernelMetadata(std::string_view codeObject, std::vector<KernelMetadata> &kernels,
                        std::string &error);

} // namespace tinyrt

#endif // TINY_RUNTIME_KERNELMETADATA_H
