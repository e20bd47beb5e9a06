//===- TextTable.cpp - columns of numbers for people ----------------------===//
//
// What all reports are printed with.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Schedule/TextTable.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Format.h"

using namespace mlir::tiny;

void TextTable::print(llvm::raw_ostream &os, bool endsInText) const {
  std::vector<size_t> widths;
  for (const std::vector<std::string> &cells : rows)
    for (auto [i, cell] : llvm::enumerate(cells)) {
      widths.resize(std::max(widths.size(), i + 1));
      widths[i] = std::max(widths[i], cell.size());
    }
  for (const std::vector<std::string> &cells : rows) {
    std::string line;
    for (auto [i, cell] : llvm::enumerate(cells)) {
      std::string space(widths[i] - cell.size(), ' ');
      bool isText = i == 0 || (endsInText && i + 1 == cells.size());
      line += (i == 0 ? "" : "  ") + (isText ? cell + space : space + cell);
    }
    os << llvm::StringRef(line).rtrim() << "\n";
  }
}

std::string mlir::tiny::grouped(uint64_t number) {
  std::string text = std::to_string(number);
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3)
    text.insert(at, ",");
  return text;
}

std::string mlir::tiny::decimal(const char *layout, double value) {
  std::string result;
  llvm::raw_string_ostream(result) << llvm::format(layout, value);
  return result;
}
