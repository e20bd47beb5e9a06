//===- Nesting.h - a limit on what is parsed --------------------*- C++ -*-===//

#ifndef TINY_IR_NESTING_H
#define TINY_IR_NESTING_H

#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>

namespace mlir::tiny {

/// MLIR's parser recurses into brackets, and a file with some ten thousand open ones overflows the
/// stack. The place and the fault, for an error message, if `text` (of the file `name`) nests
/// deeper than any program does; nothing for bytecode, which is read without recursion.
std::optional<std::string> checkNesting(llvm::StringRef text, llvm::StringRef name);

} // namespace mlir::tiny

#endif // TINY_IR_NESTING_H
