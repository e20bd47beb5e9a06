//===- OnnxOpsIndex.cpp - operators whose indices are operands ------------===//
//
// Indices that are known at import become views where they can. Those that are
// data select: what is out of range gives zeros, or writes nothing.
//
//===----------------------------------------------------------------------===//

#include "OnnxNode.h"

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

/// Indices that are known must be in range; those that are data select zeros where they are not,
/// since there is nothing to stop at.
static void checkIndices(OnnxNode &n, int64_t size) {
  if (isa<FloatType>(n.elementType(1)) || n.elementType(1).isInteger(1)) {
    n.fail("its 'indices' is a " + llvm::to_string(n.type(1)) + ", expected integers");
    return;
  }
  if (!n.known(1))
    return;
  for (int64_t index : n.ints(1, "indices"))
    if (index < -size || index >= size) {
      n.fail("index " + Twine(index) + " is out of range for a dimension of size " + Twine(size));
      return;
    }
}

/// The indices, as a constant if they are known: their composite then need not look for them.
static Value indicesOf(OnnxNode &n) {
  const HostTensor *known = n.known(1);
  return known ? n.c.constant(cast<ElementsAttr>(known->attribute())) : n[1];
}

static LogicalResult importGather(OnnxNode &n) {
  n.expectRank(0, "data", 1, kAny);
  int64_t axis = n.axis(n.intAttr("axis", 0), n.rank(0));
  if (!n.failed())
    checkIndices(n, n.shape(0)[axis]);
  return n.failed() ? failure() : n.result(n.c.gather(n[0], indicesOf(n), axis));
}

static LogicalResult importGatherElements(OnnxNode &n) {
  n.expectRank(0, "data", 1, kAny);
  int64_t axis = n.axis(n.intAttr("axis", 0), n.rank(0));
  if (!n.failed())
    checkIndices(n, n.shape(0)[axis]);
  return n.failed() ? failure() : n.result(n.c.gatherElements(n[0], n[1], axis));
}

static LogicalResult importOneHot(OnnxNode &n) {
  int64_t axis = n.axis(n.intAttr("axis", -1), n.rank(0) + 1);
  SmallVector<int64_t> depth;
  if (n.known(1) && n.isFloat(1)) // any numeric type will do
    depth = llvm::map_to_vector(n.floats(1, "depth"),
                                [](double value) { return static_cast<int64_t>(value); });
  else
    depth = n.ints(1, "depth");
  n.expectRank(2, "values", 1);
  if (n.failed())
    return failure();
  if (depth.size() != 1 || depth[0] < 1)
    return n.fail("its 'depth' is " + str(depth) + ", expected one positive number");
  if (n.shape(2)[0] != 2)
    return n.fail("its 'values' has " + Twine(n.shape(2)[0]) + " elements, expected 2");
  Value off = n.c.reshape(n.c.slice(n[2], 0, 0, 1), {});
  Value on = n.c.reshape(n.c.slice(n[2], 0, 1, 2), {});
  Value indices = n.c.cast(n[0], n.b.getI64Type());
  return n.result(n.c.oneHot(indices, depth[0], axis, on, off));
}

/// Index tuples: checks those that are known against the dims that they choose in, from `first` on.
static void checkTuples(OnnxNode &n, int64_t first) {
  n.expectRank(0, "data", 1, kAny);
  n.expectRank(1, "indices", 1, kAny);
  if (n.failed())
    return;
  if (isa<FloatType>(n.elementType(1)) || n.elementType(1).isInteger(1)) {
    n.fail("its 'indices' is a " + llvm::to_string(n.type(1)) + ", expected integers");
    return;
  }
  int64_t length = n.shape(1).back();
  if (length > n.rank(0) - first) {
    n.fail("its 'indices' are tuples of " + Twine(length) + ", expected at most " +
           Twine(n.rank(0) - first) + " for a " + llvm::to_string(n.type(0)));
    return;
  }
  if (!n.known(1))
    return;
  for (auto [i, index] : llvm::enumerate(n.ints(1, "indices"))) {
    int64_t size = n.shape(0)[first + i % length];
    if (index < -size || index >= size) {
      n.fail("index " + Twine(index) + " is out of range for a dimension of size " + Twine(size));
      return;
    }
  }
}

static LogicalResult importGatherND(OnnxNode &n) {
  int64_t batchDims = n.opset >= 12 ? n.intAttr("batch_dims", 0) : 0;
  if (batchDims < 0 || batchDims >= std::min(n.rank(0), n.rank(1)))
    return n.attrFail("batch_dims",
                      "is " + Twine(batchDims) + ", expected less than the ranks of its operands");
  checkTuples(n, batchDims);
  return n.failed() ? failure() : n.result(n.c.gatherNd(n[0], indicesOf(n), batchDims));
}

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

static ScatterKind scatterKind(OnnxNode &n) {
  std::string name = n.opset >= 16 ? n.stringAttr("reduction", "none") : "none";
  std::optional<ScatterKind> kind = llvm::StringSwitch<std::optional<ScatterKind>>(name)
                                        .Case("none", ScatterKind::replace)
                                        .Case("add", ScatterKind::add)
                                        .Case("mul", ScatterKind::mul)
                                        .Default(std::nullopt);
  if (n.opset >= 18 && name == "max")
    kind = ScatterKind::max;
  if (n.opset >= 18 && name == "min")
    kind = ScatterKind::min;
  if (!kind)
    n.attrFail("reduction", "is '" + name + "', expected none, add" +
                                (n.opset >= 18 ? ", mul, max or min" : " or mul"));
  return kind.value_or(ScatterKind::replace);
}

/// The updates, of the data's type.
static void checkUpdates(OnnxNode &n) {
  if (n.elementType(2) != n.elementType(0))
    n.fail("its 'updates' is a " + llvm::to_string(n.type(2)) + ", but its 'data' a " +
           llvm::to_string(n.type(0)));
}

static LogicalResult importScatterND(OnnxNode &n) {
  ScatterKind kind = scatterKind(n);
  checkTuples(n, 0);
  checkUpdates(n);
  return n.failed() ? failure() : n.result(n.c.scatterNd(n[0], indicesOf(n), n[2], kind));
}

static LogicalResult importScatterElements(OnnxNode &n) {
  ScatterKind kind = scatterKind(n);
  n.expectRank(0, "data", 1, kAny);
  n.expectRank(1, "indices", n.rank(0));
  int64_t axis = n.axis(n.intAttr("axis", 0), n.rank(0));
  if (!n.failed())
    checkIndices(n, n.shape(0)[axis]);
  checkUpdates(n);
  if (n.failed())
    return failure();
  for (auto [dim, size] : llvm::enumerate(n.shape(1)))
    if (static_cast<int64_t>(dim) != axis && size > n.shape(0)[dim])
      return n.fail("its 'indices' is a " + llvm::to_string(n.type(1)) +
                    ", larger than its 'data'");
  return n.result(n.c.scatterElements(n[0], indicesOf(n), n[2], axis, kind));
}

//===----------------------------------------------------------------------===//
// Where something is
//===----------------------------------------------------------------------===//

/// How many there are decides the shape of the result, so they must be known.
static LogicalResult importNonZero(OnnxNode &n) {
  const HostTensor *known = n.known(0);
  if (!known)
    return n.fail("how many elements of its 'X' are not zero decides the shape of its result, so "
                  "it must be known at import, but it depends on the model's inputs");
  SmallVector<SmallVector<int64_t>> positions(n.rank(0));
  int64_t count = known->type.getNumElements(), found = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (n.isFloat(0) ? known->floats[i].isZero() : known->ints[i].isZero())
      continue;
    int64_t rest = i;
    for (int64_t dim = n.rank(0) - 1; dim >= 0; --dim) {
      positions[dim].push_back(rest % n.shape(0)[dim]);
      rest /= n.shape(0)[dim];
    }
    ++found;
  }
  SmallVector<int64_t> values;
  for (ArrayRef<int64_t> along : positions)
    llvm::append_range(values, along);
  return n.result(n.constant(values, {n.rank(0), found}));
}

ArrayRef<OnnxRow> mlir::tiny::onnxIndexRows() {
  static const OnnxRow rows[] = {
      {"Gather", 1, kLatest, 2, 2, importGather},
      {"GatherElements", 11, kLatest, 2, 2, importGatherElements},
      {"GatherND", 11, kLatest, 2, 2, importGatherND},
      {"NonZero", 9, kLatest, 1, 1, importNonZero},
      {"OneHot", 9, kLatest, 3, 3, importOneHot},
      {"ScatterElements", 11, kLatest, 3, 3, importScatterElements},
      {"ScatterND", 11, kLatest, 3, 3, importScatterND},
  };
  return rows;
}
