//===- Link.h - lld in this process -----------------------------*- C++ -*-===//

#ifndef TINY_LIB_COMPILER_LINK_H
#define TINY_LIB_COMPILER_LINK_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace mlir::tiny {

/// What ld.lld makes of `object` with `options`. The target is the object's.
llvm::Expected<std::string> linkELF(llvm::ArrayRef<char> object,
                                    llvm::ArrayRef<std::string> options);

} // namespace mlir::tiny

#endif // TINY_LIB_COMPILER_LINK_H
