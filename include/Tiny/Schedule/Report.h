//===- Report.h - count and print what a program costs ----------*- C++ -*-===//

#ifndef TINY_SCHEDULE_REPORT_H
#define TINY_SCHEDULE_REPORT_H

#include "Tiny/Schedule/ProgramCost.h"
#include "Tiny/Target.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/JSON.h"

namespace mlir::tiny {

/// Counts what the scheduled function `entry` of `module` costs. Linear in the program; reports
/// what it cannot follow.
FailureOr<ProgramCost> analyseCost(ModuleOp module, StringRef entry);

/// The report for people; `target` gives the roofline.
void printCost(llvm::raw_ostream &os, const ProgramCost &cost, const Target &target);

/// The same for programs.
llvm::json::Object costToJson(const ProgramCost &cost, const Target &target);

/// tiny-schedule-report on a stream of the caller's.
std::unique_ptr<Pass> createReportPass(StringRef entry, StringRef format, StringRef target,
                                       llvm::raw_ostream &os);

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_REPORT_H
