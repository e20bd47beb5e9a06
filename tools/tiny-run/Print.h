//===- Print.h - what tiny-run tells its user -------------------*- C++ -*-===//

#ifndef TINY_RUN_PRINT_H
#define TINY_RUN_PRINT_H

#include "Model.h"

#include "Tiny/Compiler/CodeObject.h"
#include "Tiny/Compiler/Compiler.h"
#include "Tiny/Runtime/Session.h"
#include "Tiny/Schedule/Report.h"

namespace tinyrun {

/// A tensor for people: all of a small one, the beginning of a large one, and what range it has.
std::string summary(const std::string &name, const tinyrt::Tensor &tensor);

/// "1,234,567"
std::string grouped(uint64_t number);

/// "0.123 ms"; more digits for what is short.
std::string milliseconds(double seconds);

/// The kernels of a plan in a table, those that took most of the time first.
std::string profileTable(const tinyrt::PlanView &plan,
                         const std::vector<tinyrt::Session::LaunchTime> &times);

/// The wall time of one step on the way from a file to code.
struct CompilerPhase {
  std::string name;
  double seconds;
};
std::string phaseTable(const std::vector<CompilerPhase> &phases);

/// What is known of a compiled program before it runs, and the compiler's phases; `peaks` are those
/// that times are computed from, `code` is null where it is no GPU's.
std::string reportText(const mlir::tiny::Artefact &artefact, const mlir::tiny::Target &peaks,
                       const std::vector<CompilerPhase> &phases,
                       const mlir::tiny::CodeObjectStatistics *code);
std::string reportJson(const mlir::tiny::Artefact &artefact, const mlir::tiny::Target &peaks,
                       const std::vector<CompilerPhase> &phases,
                       const mlir::tiny::CodeObjectStatistics *code);

} // namespace tinyrun

#endif // TINY_RUN_PRINT_H
