//===- OnnxOpsNormalization.cpp - softmax and the norms -------------------===//
//
// Inference only: batch normalisation uses the statistics that it is given.
//
//===----------------------------------------------------------------------===//

#include "OnnxNode.h"

using namespace mlir;
using namespace mlir::tiny;

/// Until operator set 13 the dims from `axis` on were one: the tensor was taken for a matrix.
static LogicalResult importOverAxis(OnnxNode &n, llvm::function_ref<Value(Value, int64_t)> build) {
  n.expectFloat(0, "input");
  bool asMatrix = n.opset < 13;
  int64_t axis = n.intAttr("axis", asMatrix ? 1 : -1), rank = n.rank(0);
  // For the matrix, `axis` may be one past the last dim.
  if (!(asMatrix && axis == rank))
    axis = n.axis(axis, rank);
  if (n.failed())
    return failure();
  if (!asMatrix)
    return n.result(build(n[0], axis));
  int64_t outer = 1, inner = 1;
  for (auto [i, size] : llvm::enumerate(n.shape(0)))
    (static_cast<int64_t>(i) < axis ? outer : inner) *= size;
  Value matrix = n.c.reshape(n[0], {outer, inner});
  return n.result(n.c.reshape(build(matrix, 1), n.shape(0)));
}

static LogicalResult importSoftmax(OnnxNode &n) {
  return importOverAxis(n, [&](Value x, int64_t dim) { return n.c.softmax(x, dim); });
}

static LogicalResult importLogSoftmax(OnnxNode &n) {
  return importOverAxis(n, [&](Value x, int64_t dim) { return n.c.logSoftmax(x, dim); });
}

/// 1 at the first maximum, 0 elsewhere.
static LogicalResult importHardmax(OnnxNode &n) {
  return importOverAxis(n, [&](Value x, int64_t dim) {
    Value position = n.c.iota(n.c.shapeOf(x), dim, n.b.getI64Type());
    Value chosen = n.c.eq(position, n.c.argMax(x, dim, /*keepDim=*/true));
    return n.c.cast(chosen, n.c.elementOf(x));
  });
}

static LogicalResult importBatchNormalization(OnnxNode &n) {
  double epsilon = n.floatAttr("epsilon", 1e-5f);
  n.floatAttr("momentum", 0.9f); // for training
  if (n.opset < 6)
    n.ignoreAttr("consumed_inputs");
  if (n.opset < 7 && !n.boolAttr("is_test", false))
    return n.attrFail("is_test", "is 0: training is not supported");
  if (n.opset < 9 && !n.boolAttr("spatial", true))
    return n.attrFail("spatial", "is 0: statistics per element are not supported");
  if (n.opset >= 14 && n.boolAttr("training_mode", false))
    return n.attrFail("training_mode", "is 1: training is not supported");
  n.expectFloat(0, "X");
  n.expectRank(0, "X", 2, kAny);
  n.expectSameType();
  if (n.failed())
    return failure();
  return n.result(n.c.batchNorm(n[0], n[1], n[2], n[3], n[4], epsilon));
}

static LogicalResult importInstanceNormalization(OnnxNode &n) {
  double epsilon = n.floatAttr("epsilon", 1e-5f);
  if (n.opset < 6)
    n.ignoreAttr("consumed_inputs");
  n.expectFloat(0, "input");
  n.expectRank(0, "input", 3, kAny);
  n.expectSameType();
  return n.failed() ? failure() : n.result(n.c.instanceNorm(n[0], n[1], n[2], epsilon));
}

/// `stash_type` is the type of the statistics. The builders take f32 for f16 and bf16, and never a
/// narrower type than the operand's.
static void checkStashType(OnnxNode &n) {
  if (int64_t type = n.intAttr("stash_type", onnx::TensorProto::FLOAT);
      type != onnx::TensorProto::FLOAT)
    n.attrFail("stash_type", "is " + onnxTypeName(type) + ", expected FLOAT");
}

static LogicalResult importLayerNormalization(OnnxNode &n) {
  double epsilon = n.floatAttr("epsilon", 1e-5f);
  int64_t axis = n.axis(n.intAttr("axis", -1), n.rank(0));
  checkStashType(n);
  n.expectFloat(0, "X");
  n.expectSameType();
  return n.failed() ? failure() : n.result(n.c.layerNorm(n[0], axis, n[1], n[2], epsilon));
}

static LogicalResult importRMSNormalization(OnnxNode &n) {
  double epsilon = n.floatAttr("epsilon", 1e-5f);
  int64_t axis = n.axis(n.intAttr("axis", -1), n.rank(0));
  checkStashType(n);
  n.expectFloat(0, "X");
  n.expectSameType();
  return n.failed() ? failure() : n.result(n.c.rmsNorm(n[0], axis, n[1], epsilon));
}

static LogicalResult importGroupNormalization(OnnxNode &n) {
  double epsilon = n.floatAttr("epsilon", 1e-5f);
  int64_t groups = n.intAttr("num_groups", 0);
  if (n.opset >= 21)
    checkStashType(n);
  n.expectFloat(0, "X");
  n.expectRank(0, "X", 3, kAny);
  n.expectSameType();
  if (n.failed())
    return failure();
  if (groups < 1 || n.shape(0)[1] % groups)
    return n.attrFail("num_groups", "is " + Twine(groups) + ", which does not divide the " +
                                        Twine(n.shape(0)[1]) + " channels");
  Value scale = n[1], bias = n[2];
  if (n.opset < 21) { // one per group, not per channel
    scale = n.c.repeatElements(scale, 0, n.shape(0)[1] / groups);
    bias = n.c.repeatElements(bias, 0, n.shape(0)[1] / groups);
  }
  return n.result(n.c.groupNorm(n[0], groups, scale, bias, epsilon));
}

static LogicalResult importLRN(OnnxNode &n) {
  double alpha = n.floatAttr("alpha", 1e-4f), beta = n.floatAttr("beta", 0.75);
  double bias = n.floatAttr("bias", 1);
  int64_t size = n.intAttr("size", 0);
  n.expectFloat(0, "X");
  n.expectRank(0, "X", 2, kAny);
  if (n.failed())
    return failure();
  return n.result(n.c.localResponseNorm(n[0], size, alpha, beta, bias));
}

static LogicalResult importLpNormalization(OnnxNode &n) {
  int64_t p = n.intAttr("p", 2);
  int64_t axis = n.axis(n.intAttr("axis", -1), n.rank(0));
  n.expectFloat(0, "input");
  if (p != 1 && p != 2)
    return n.attrFail("p", "is " + Twine(p) + ", expected 1 or 2");
  return n.failed() ? failure() : n.result(n.c.lpNormalize(n[0], axis, p));
}

ArrayRef<OnnxRow> mlir::tiny::onnxNormalizationRows() {
  static const OnnxRow rows[] = {
      {"BatchNormalization", 1, kLatest, 5, 5, importBatchNormalization},
      {"GroupNormalization", 18, kLatest, 3, 3, importGroupNormalization},
      {"Hardmax", 1, kLatest, 1, 1, importHardmax},
      {"InstanceNormalization", 1, kLatest, 3, 3, importInstanceNormalization},
      {"LRN", 1, kLatest, 1, 1, importLRN},
      {"LayerNormalization", 17, kLatest, 2, 3, importLayerNormalization},
      {"LogSoftmax", 1, kLatest, 1, 1, importLogSoftmax},
      {"LpNormalization", 1, kLatest, 1, 1, importLpNormalization},
      {"RMSNormalization", 23, kLatest, 2, 2, importRMSNormalization},
      {"Softmax", 1, kLatest, 1, 1, importSoftmax},
  };
  return rows;
}
