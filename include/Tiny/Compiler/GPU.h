//===- GPU.h - a GPU as Tiny and as LLVM see it -----------------*- C++ -*-===//

#ifndef TINY_COMPILER_GPU_H
#define TINY_COMPILER_GPU_H

#include "Tiny/Target.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace llvm {
class TargetMachine;
}

namespace mlir::tiny {

/// The row of the GPU that `--target` calls `name`: "rdna3", which is gfx1100, or a chip. Null if
/// there is none.
const Target *findGPU(llvm::StringRef name);

/// No contraction of mul and add.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const Target &gpu);

/// Links relocatable objects to the code object that a GPU's runtime loads.
llvm::Expected<std::string> linkCodeObject(llvm::ArrayRef<llvm::SmallVector<char, 0>> objects);

} // namespace mlir::tiny

#endif // TINY_COMPILER_GPU_H
