//===- TextTable.h - columns of numbers for people --------------*- C++ -*-===//

#ifndef TINY_SCHEDULE_TEXTTABLE_H
#define TINY_SCHEDULE_TEXTTABLE_H

#include "llvm/Support/raw_ostream.h"

#include <string>
#include <vector>

namespace mlir::tiny {

/// Columns as wide as they need to be; the first one is text, the others are numbers, but for the
/// last one if it is text too.
class TextTable {
public:
  void row(std::vector<std::string> cells) { rows.push_back(std::move(cells)); }
  void print(llvm::raw_ostream &os, bool endsInText = false) const;

private:
  std::vector<std::vector<std::string>> rows;
};

/// "1,234,567"
std::string grouped(uint64_t number);

/// One number, as printf would write it.
std::string decimal(const char *layout, double value);

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_TEXTTABLE_H
