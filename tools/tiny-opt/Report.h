//===- Report.h - what --tiny-report prints ---------------------*- C++ -*-===//

#ifndef TINY_OPT_REPORT_H
#define TINY_OPT_REPORT_H

#include "Tiny/Compiler/CodeObject.h"

#include "mlir/IR/DialectRegistry.h"

namespace tinyopt {

struct ReportOptions {
  std::string format; ///< text or json
  std::string target; ///< a row of Target.h
};

/// Of a code object: the whole report.
bool reportCodeObject(llvm::StringRef file, const ReportOptions &options, llvm::raw_ostream &os,
                      std::string &error);

/// Compiles the scheduled `program`, text or bytecode, for the GPU of `options` and adds what is in
/// its code object to `cost`, the report that was made of it. An empty error if diagnostics say
/// why.
bool reportWithCode(llvm::StringRef program, llvm::StringRef cost,
                    const mlir::DialectRegistry &registry, const ReportOptions &options,
                    llvm::raw_ostream &os, std::string &error);

} // namespace tinyopt

#endif // TINY_OPT_REPORT_H
