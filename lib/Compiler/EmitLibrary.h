//===- EmitLibrary.h - the parts of an ahead-of-time library ----*- C++ -*-===//

#ifndef TINY_LIB_COMPILER_EMITLIBRARY_H
#define TINY_LIB_COMPILER_EMITLIBRARY_H

#include "Tiny/Compiler/CPU.h"
#include "Tiny/Compiler/Library.h"

#include "llvm/ADT/SmallVector.h"

namespace llvm {
class Module;
}

namespace mlir::tiny {

/// What a workgroup has on the stack at most, and a little for the calls around it.
inline constexpr uint64_t kStackBytes = (256 << 10) + (16 << 10);

/// Why `plan` cannot be run by code that has nothing but the plan, or empty. Which expectations it
/// has is no reason: the caller sees the results.
std::string whyNotLibrary(const tinyrt::PlanView &plan, const LibraryOptions &options);

/// Adds the function `<name>_run` to `module`, which holds all kernels of `plan`. It is the only
/// symbol that others see.
llvm::Error addDriver(llvm::Module &module, const tinyrt::PlanView &plan,
                      const tinyrt::Tensor &constants, const LibraryOptions &options);

/// The header that declares it.
std::string libraryHeader(const tinyrt::PlanView &plan, const CPU &cpu,
                          const LibraryOptions &options);

/// `object` as what `options` asks for.
llvm::Expected<std::string> packLibrary(llvm::ArrayRef<char> object, const LibraryOptions &options);

} // namespace mlir::tiny

#endif // TINY_LIB_COMPILER_EMITLIBRARY_H
