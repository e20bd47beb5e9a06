//===- OnnxOpsControl.cpp - branches --------------------------------------===//
//
// A tiny program is a straight line. A branch whose condition is known at import
// is taken or left out; if the condition is data, both are computed and `where`
// chooses, which no operation minds: none of them traps.
//
//===----------------------------------------------------------------------===//

#include "OnnxNode.h"

using namespace mlir;
using namespace mlir::tiny;

static LogicalResult importIf(OnnxNode &n) {
  if (!n.elementType(0).isInteger(1))
    return n.fail("its 'cond' is a " + llvm::to_string(n.type(0)) + ", expected one boolean");
  Value condition = n.scalar(0, "cond");
  if (n.failed())
    return failure();
  auto branch = [&](bool taken) {
    SmallVector<Value> values = n.branchAttr(taken ? "then_branch" : "else_branch");
    if (!n.failed() && values.size() != n.numResults())
      n.fail("has " + Twine(n.numResults()) + " outputs, but its branch has " +
             Twine(values.size()));
    return values;
  };
  if (const HostTensor *known = n.known(0)) {
    bool taken = !known->ints[0].isZero();
    n.ignoreAttr(taken ? "else_branch" : "then_branch");
    return n.results(branch(taken));
  }
  SmallVector<Value> onTrue, onFalse;
  std::string problem;
  {
    ScopedDiagnosticHandler capture(n.b.getContext(), [&](Diagnostic &diag) {
      if (diag.getSeverity() != DiagnosticSeverity::Error)
        return failure();
      if (problem.empty())
        problem = diag.str();
      return success();
    });
    onTrue = branch(true);
    if (!n.failed())
      onFalse = branch(false);
  }
  if (n.failed())
    return n.fail("its condition depends on the model's inputs, so both branches are computed, and "
                  "one cannot be imported; fix the input that decides (--fix) if the other one "
                  "will do: " +
                  problem);
  SmallVector<Value> results;
  for (auto [left, right] : llvm::zip_equal(onTrue, onFalse)) {
    if (left.getType() != right.getType())
      return n.fail("its condition depends on the model's inputs, and its branches give " +
                    llvm::to_string(left.getType()) + " and " + llvm::to_string(right.getType()) +
                    ": fix the input that decides (--fix), so that one branch is left");
    results.push_back(n.c.where(condition, left, right));
  }
  return n.results(results);
}

ArrayRef<OnnxRow> mlir::tiny::onnxControlRows() {
  static const OnnxRow rows[] = {
      {"If", 1, kLatest, 1, 1, importIf, /*maxResults=*/kAny},
  };
  return rows;
}
