//===- Report.cpp - what --tiny-report prints -----------------------------===//
//
// The cost of a program is a pass's to count. What is in the code of a GPU comes
// behind that: the whole compiler has to run for it, which no pass can start.
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "Tiny/Compiler/Compiler.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace tinyopt;

bool tinyopt::reportCodeObject(StringRef file, const ReportOptions &options, raw_ostream &os,
                               std::string &error) {
  auto statistics = tiny::readCodeObject(file);
  if (!statistics)
    error = llvm::toString(statistics.takeError());
  else if (options.format == "json")
    os << llvm::formatv("{0:2}\n", llvm::json::Value(tiny::statisticsToJson(*statistics)));
  else if (options.format == "text")
    tiny::printStatistics(os, *statistics);
  else
    error = "unknown format '" + options.format + "'; give text or json";
  return error.empty();
}

bool tinyopt::reportWithCode(StringRef program, StringRef cost, const DialectRegistry &registry,
                             const ReportOptions &options, raw_ostream &os, std::string &error) {
  MLIRContext context(registry);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(program, &context);
  if (!module)
    return false;
  tiny::CompileOptions compileOptions;
  compileOptions.target = options.target;
  compileOptions.input = tiny::Stage::scheduled;
  std::string image;
  llvm::raw_string_ostream imageStream(image);
  if (failed(tiny::emit(*module, compileOptions, tiny::EmitKind::codeObject, imageStream)))
    return false;
  if (image.empty()) { // nothing is left to compute
    os << cost;
    return true;
  }
  if (options.format != "json") {
    os << cost << "\n";
    return reportCodeObject(image, options, os, error);
  }
  auto statistics = tiny::readCodeObject(image);
  llvm::Expected<llvm::json::Value> report = llvm::json::parse(cost);
  if (!statistics || !report) {
    error = llvm::toString(llvm::joinErrors(statistics.takeError(), report.takeError()));
    return false;
  }
  (*report->getAsObject())["code"] = tiny::statisticsToJson(*statistics);
  os << llvm::formatv("{0:2}\n", *report);
  return true;
}
