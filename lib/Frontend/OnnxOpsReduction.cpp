//===- OnnxOpsReduction.cpp - reductions, arg and cumulative forms --------===//
//
// The axes were an attribute until operator set 13 (ReduceSum) or 18 (the
// others) and are an operand since.
//
//===----------------------------------------------------------------------===//

#include "OnnxNode.h"

using namespace mlir;
using namespace mlir::tiny;

using Reduction = Value (Composer::*)(Value, ArrayRef<int64_t>, bool);

/// `axesSince`: the first operator set whose axes are an operand. `identity`: whether reducing over
/// no axis changes nothing.
template <Reduction build, int axesSince, bool identity>
static LogicalResult importReduce(OnnxNode &n) {
  bool isOperand = n.opset >= axesSince;
  if (!isOperand && n.size() > 1)
    return n.fail("has 2 operands, expected 1: its axes are an attribute");
  bool keep = n.boolAttr("keepdims", true);
  SmallVector<int64_t> axes = n.intsOperandOrAttr(1, "axes", isOperand);
  bool noop = isOperand && n.boolAttr("noop_with_empty_axes", false);
  axes = n.axes(axes, n.rank(0));
  if (n.failed())
    return failure();
  if (axes.empty() && noop) {
    if (identity)
      return n.result(n[0]);
    return n.attrFail("noop_with_empty_axes", "is not supported without axes for this operator");
  }
  if (axes.empty())
    axes = llvm::to_vector(llvm::seq<int64_t>(0, n.rank(0)));
  return n.result((n.c.*build)(n[0], axes, keep));
}

template <Value (Composer::*build)(Value, int64_t, bool, bool)>
static LogicalResult importArg(OnnxNode &n) {
  n.expectRank(0, "data", 1, kAny);
  n.expectNumber(0, "data");
  int64_t axis = n.axis(n.intAttr("axis", 0), n.rank(0));
  bool keep = n.boolAttr("keepdims", true);
  bool last = n.opset >= 12 && n.boolAttr("select_last_index", false);
  return n.failed() ? failure() : n.result((n.c.*build)(n[0], axis, keep, last));
}

static LogicalResult importCumSum(OnnxNode &n) {
  n.expectNumber(0, "x");
  bool exclusive = n.boolAttr("exclusive", false), reverse = n.boolAttr("reverse", false);
  SmallVector<int64_t> axis = n.ints(1, "axis");
  if (n.failed())
    return failure();
  if (axis.size() != 1)
    return n.fail("its 'axis' has " + Twine(axis.size()) + " elements, expected one");
  int64_t dim = n.axis(axis[0], n.rank(0));
  return n.failed() ? failure() : n.result(n.c.cumulativeSum(n[0], dim, exclusive, reverse));
}

ArrayRef<OnnxRow> mlir::tiny::onnxReductionRows() {
  using C = Composer;
  static const OnnxRow rows[] = {
      {"ArgMax", 1, kLatest, 1, 1, importArg<&C::argMax>},
      {"ArgMin", 1, kLatest, 1, 1, importArg<&C::argMin>},
      {"CumSum", 11, kLatest, 2, 2, importCumSum},
      {"ReduceL1", 1, kLatest, 1, 2, importReduce<&C::reduceL1, 18, false>},
      {"ReduceL2", 1, kLatest, 1, 2, importReduce<&C::reduceL2, 18, false>},
      {"ReduceLogSum", 1, kLatest, 1, 2, importReduce<&C::reduceLogSum, 18, false>},
      {"ReduceLogSumExp", 1, kLatest, 1, 2, importReduce<&C::reduceLogSumExp, 18, false>},
      {"ReduceMax", 1, kLatest, 1, 2, importReduce<&C::reduceMax, 18, true>},
      {"ReduceMean", 1, kLatest, 1, 2, importReduce<&C::reduceMean, 18, true>},
      {"ReduceMin", 1, kLatest, 1, 2, importReduce<&C::reduceMin, 18, true>},
      {"ReduceProd", 1, kLatest, 1, 2, importReduce<&C::reduceProd, 18, true>},
      {"ReduceSum", 1, kLatest, 1, 2, importReduce<&C::reduceSum, 13, true>},
      {"ReduceSumSquare", 1, kLatest, 1, 2, importReduce<&C::reduceSumSquare, 18, false>},
  };
  return rows;
}
