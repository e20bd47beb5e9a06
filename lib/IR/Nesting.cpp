//===- Nesting.cpp - a limit on what is parsed ----------------------------===//

#include "Tiny/IR/Nesting.h"

#include "llvm/ADT/Twine.h"

using namespace llvm;

/// A printed program has a depth of about ten; the parser's frames of this many fit a stack of 8 MB
/// twenty times.
static constexpr unsigned kMaxDepth = 500;

std::optional<std::string> mlir::tiny::checkNesting(StringRef text, StringRef name) {
  if (text.starts_with("ML\xefR"))
    return std::nullopt;
  unsigned depth = 0, line = 1;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
    case '\n':
      ++line;
      break;
    case '"': // a string: to its end, which no line break precedes
      for (++i; i < text.size() && text[i] != '"' && text[i] != '\n'; ++i)
        i += text[i] == '\\';
      if (i < text.size() && text[i] == '\n')
        --i;
      break;
    case '/': // a comment
      if (i + 1 < text.size() && text[i + 1] == '/')
        i = std::min(text.find('\n', i), text.size()) - 1;
      break;
    case '-': // an arrow closes nothing
      i += i + 1 < text.size() && text[i + 1] == '>';
      break;
    case '(':
    case '[':
    case '{':
    case '<':
      if (++depth > kMaxDepth)
        return ("'" + name + "', line " + Twine(line) + ": brackets are nested deeper than " +
                Twine(kMaxDepth) + ", more than any program needs")
            .str();
      break;
    case ')':
    case ']':
    case '}':
    case '>':
      depth -= depth > 0;
      break;
    }
  }
  return std::nullopt;
}
