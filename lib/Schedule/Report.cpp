//===- Report.cpp - print what a program costs ----------------------------===//
//
// A table for people, an object for programs; both say the same. Nothing is
// counted here.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Schedule/Report.h"

#include "Tiny/Schedule/Passes.h"
#include "Tiny/Schedule/TextTable.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_REPORTPASS
#include "Tiny/Schedule/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static std::string text(ByteCount count) {
  return (count.exact ? "" : "<= ") + grouped(count.bytes);
}

static double secondsOn(const LaunchCount &count, const Target &target) {
  return count.seconds(target.peak.gigaflops, target.peak.memoryGBPerSecond);
}

static void printKernels(raw_ostream &os, const ProgramCost &cost, const Target &target) {
  TextTable table;
  table.row({"kernel", "runs", "flops", "bytes read", "written", "flop/byte", "local", "us"});
  auto row = [&](const std::string &name, uint64_t runs, const LaunchCount &count, double seconds) {
    table.row({name, grouped(runs), grouped(count.ops.flops()), text(count.read),
               text(count.written), decimal("%.3g", count.intensity()), grouped(count.localBytes),
               decimal("%.3f", seconds * 1e6)});
  };
  for (const KernelCost &kernel : cost.kernels)
    row(kernel.name, kernel.launches, kernel.each, secondsOn(kernel.each, target));
  row("all", cost.launches.size(), cost.total(),
      cost.seconds(target.peak.gigaflops, target.peak.memoryGBPerSecond));
  table.print(os);
}

/// The ops of each kernel, all of its runs together; only kinds that occur.
static void printOps(raw_ostream &os, const ProgramCost &cost) {
  OpCounts total = cost.total().ops;
  TextTable table;
  auto row = [&](const std::string &title, auto cell) {
    std::vector<std::string> cells{title};
    for (size_t kind = 0; kind < kNumOpKinds; ++kind)
      if (total.counts[kind])
        cells.push_back(cell(static_cast<OpKind>(kind)));
    table.row(std::move(cells));
  };
  row("ops of one run", [](OpKind kind) { return std::string(name(kind)); });
  for (const KernelCost &kernel : cost.kernels)
    row(kernel.name, [&](OpKind kind) { return grouped(kernel.each.ops[kind]); });
  row("all runs", [&](OpKind kind) { return grouped(total[kind]); });
  table.print(os);
}

static void printMemory(raw_ostream &os, const ProgramCost &cost) {
  TextTable table;
  table.row({"memory", "bytes"});
  table.row({"arguments", grouped(cost.arguments)});
  table.row({"results", grouped(cost.results)});
  table.row({"constants", grouped(cost.constants)});
  table.row({"workspace", grouped(cost.workspace)});
  table.row({"  at least", grouped(cost.workspaceLowerBound)});
  table.row({"all", grouped(cost.memory())});
  table.print(os);
}

static void printCopies(raw_ostream &os, const ProgramCost &cost) {
  TextTable table;
  table.row({"copies", "runs", "bytes", "why"});
  bool any = false;
  for (const KernelCost &kernel : cost.kernels)
    for (const CopyCost &copy : kernel.copies) {
      any = true;
      table.row({kernel.name, grouped(kernel.launches), text(copy.bytes),
                 copy.reason.empty() ? "not said" : copy.reason});
    }
  if (any)
    table.print(os, /*endsInText=*/true);
  else
    os << "copies: none\n";
}

void mlir::tiny::printCost(raw_ostream &os, const ProgramCost &cost, const Target &target) {
  // A kernel has two rows if only some launches give it one buffer twice.
  llvm::StringSet<> names;
  for (const KernelCost &kernel : cost.kernels)
    names.insert(kernel.name);
  os << "program " << cost.entry << ": " << names.size() << " kernels, " << cost.launches.size()
     << " launches\n"
     << "times on " << target.name << ": " << grouped(target.peak.gigaflops) << " GFLOP/s, "
     << grouped(target.peak.memoryGBPerSecond) << " GB/s\n\n";
  printKernels(os, cost, target);
  os << "\n";
  if (cost.total().ops.all()) {
    printOps(os, cost);
    os << "\n";
  }
  printMemory(os, cost);
  os << "\n";
  printCopies(os, cost);
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

static llvm::json::Object countToJson(const LaunchCount &count) {
  llvm::json::Object ops;
  for (size_t kind = 0; kind < kNumOpKinds; ++kind)
    ops[StringRef(name(static_cast<OpKind>(kind)))] = count.ops.counts[kind];
  return llvm::json::Object{
      {"flops", count.ops.flops()},           {"ops", std::move(ops)},
      {"bytes_read", count.read.bytes},       {"bytes_read_exact", count.read.exact},
      {"bytes_written", count.written.bytes}, {"bytes_written_exact", count.written.exact},
      {"flops_per_byte", count.intensity()},  {"local_bytes", count.localBytes}};
}

llvm::json::Object mlir::tiny::costToJson(const ProgramCost &cost, const Target &target) {
  llvm::json::Array kernels, launches;
  for (const KernelCost &kernel : cost.kernels) {
    llvm::json::Array copies;
    for (const CopyCost &copy : kernel.copies)
      copies.push_back(llvm::json::Object{{"bytes", copy.bytes.bytes},
                                          {"bytes_exact", copy.bytes.exact},
                                          {"reason", llvm::json::fixUTF8(copy.reason)}});
    llvm::json::Object object = countToJson(kernel.each);
    object["name"] = llvm::json::fixUTF8(kernel.name);
    object["launches"] = kernel.launches;
    object["seconds"] = secondsOn(kernel.each, target);
    object["copies"] = std::move(copies);
    kernels.push_back(std::move(object));
  }
  for (uint32_t kernel : cost.launches)
    launches.push_back(kernel);
  llvm::json::Object total = countToJson(cost.total());
  total["launches"] = cost.launches.size();
  total["seconds"] = cost.seconds(target.peak.gigaflops, target.peak.memoryGBPerSecond);
  return llvm::json::Object{
      {"entry", llvm::json::fixUTF8(cost.entry)},
      {"target", llvm::json::Object{{"name", StringRef(target.name)},
                                    {"gigaflops", target.peak.gigaflops},
                                    {"gigabytes_per_second", target.peak.memoryGBPerSecond}}},
      {"kernels", std::move(kernels)},
      {"launches", std::move(launches)},
      {"total", std::move(total)},
      {"memory", llvm::json::Object{{"arguments", cost.arguments},
                                    {"results", cost.results},
                                    {"constants", cost.constants},
                                    {"workspace", cost.workspace},
                                    {"workspace_lower_bound", cost.workspaceLowerBound},
                                    {"all", cost.memory()}}}};
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct ReportPass : public tiny::impl::ReportPassBase<ReportPass> {
  using Base::Base;
  ReportPass(const ReportPassOptions &options, raw_ostream &os) : Base(options), os(&os) {}
  void runOnOperation() override;

  raw_ostream *os = &llvm::outs();
};
} // namespace

void ReportPass::runOnOperation() {
  const Target *row = findTarget(StringRef(target));
  if (!row) {
    InFlightDiagnostic error = getOperation().emitError()
                               << "unknown target '" << target << "'; the report knows";
    for (const Target &known : kTargets)
      error << " " << StringRef(known.name);
    return signalPassFailure();
  }
  if (format != "text" && format != "json") {
    getOperation().emitError() << "unknown format '" << format << "'; give text or json";
    return signalPassFailure();
  }
  FailureOr<ProgramCost> cost = analyseCost(getOperation(), entry);
  if (failed(cost))
    return signalPassFailure();
  if (format == "json")
    *os << llvm::formatv("{0:2}\n", llvm::json::Value(costToJson(*cost, *row)));
  else
    printCost(*os, *cost, *row);
  os->flush();
  markAllAnalysesPreserved();
}

std::unique_ptr<Pass> mlir::tiny::createReportPass(StringRef entry, StringRef format,
                                                   StringRef target, raw_ostream &os) {
  ReportPassOptions options;
  options.entry = entry.str();
  options.format = format.str();
  options.target = target.str();
  return std::make_unique<ReportPass>(options, os);
}
