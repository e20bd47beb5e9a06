//===- Link.h - lld in this process -----------------------------*- C++ -*-===//

#ifndef TINY_LIB_COMPILER_LINK_H
#define TINY_LIB_COMPILER_LINK_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace mlir::tiny {

/// What ld.lld makes of `objects` with `options`. The target is that of the objects.
llvm::Expected<std::string> linkELF(llvm::ArrayRef<llvm::ArrayRef<char>> objects,
                                    llvm::ArrayRef<std::string> options);

} // namespace mlir::tiny

#endif // TINY_LIB_COMPILER_LINK_H
