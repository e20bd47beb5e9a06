//===- OnnxOpsMovement.cpp - operators that only move elements ------------===//
//
// What is left to do here is ONNX's own: negative axes, zeros and -1 in shapes,
// operands that were attributes once. The movements themselves are builders.
//
//===----------------------------------------------------------------------===//

#include "OnnxNode.h"

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Nothing at all
//===----------------------------------------------------------------------===//

static LogicalResult importIdentity(OnnxNode &n) { return n.result(n[0]); }

/// In a trained model Dropout does nothing; the mask then says that all was kept.
static LogicalResult importDropout(OnnxNode &n) {
  if (n.opset < 12)
    n.floatAttr("ratio", 0.5);
  else
    n.ignoreAttr("seed");
  if (n.opset < 7 && !n.boolAttr("is_test", false))
    return n.attrFail("is_test", "is 0: training is not supported");
  if (n.has(2)) {
    const HostTensor *training = n.known(2);
    if (!training || training->ints.size() != 1 || !training->ints[0].isZero())
      return n.fail("its 'training_mode' is not known to be false: training is not supported");
  }
  // The mask had the type of the data before operator set 10.
  Type maskType = n.opset < 10 ? n.elementType(0) : n.b.getI1Type();
  Value mask = n.wants(1) ? n.splat(1, n.shape(0), maskType) : Value();
  return n.results({n[0], mask});
}

//===----------------------------------------------------------------------===//
// Shape changes
//===----------------------------------------------------------------------===//

static LogicalResult importReshape(OnnxNode &n) {
  bool allowZero = n.opset >= 14 && n.boolAttr("allowzero", false);
  SmallVector<int64_t> shape = n.intsOperandOrAttr(1, "shape", n.opset >= 5);
  if (n.failed())
    return failure();
  std::string asked = str(shape);
  int64_t count = n.type(0).getNumElements(), open = -1;
  for (auto [i, size] : llvm::enumerate(shape)) {
    if (size == 0 && !allowZero) { // "as in the input"
      if (static_cast<int64_t>(i) >= n.rank(0))
        return n.fail("its shape " + asked + " copies dimension " + Twine(i) + " of a rank " +
                      Twine(n.rank(0)) + " tensor");
      size = n.shape(0)[i];
    }
    if (size < -1 || (size == -1 && open >= 0))
      return n.fail("its shape " + asked + " may have one -1 and no other negative number");
    if (size == -1)
      open = i;
  }
  std::string cannot = "cannot reshape " + llvm::to_string(n.type(0)) + " to " + asked;
  if (open >= 0) {
    int64_t others = 1;
    for (int64_t size : shape)
      if (size != -1 && llvm::MulOverflow(others, size, others))
        return n.fail(cannot);
    if (others == 0 || count % others)
      return n.fail(cannot);
    shape[open] = count / others;
  }
  RankedTensorType type = n.tensorType(shape, n.elementType(0));
  if (n.failed())
    return failure();
  if (type.getNumElements() != count)
    return n.fail(cannot);
  return n.result(n.c.reshape(n[0], shape));
}

static LogicalResult importFlatten(OnnxNode &n) {
  int64_t axis = n.intAttr("axis", 1), rank = n.rank(0);
  // One past the last dim is legal here; negative axes are since operator set 11.
  if (axis < (n.opset >= 11 ? -rank : 0) || axis > rank)
    return n.attrFail("axis", "is " + Twine(axis) + ", out of range for rank " + Twine(rank));
  if (axis < 0)
    axis += rank;
  int64_t outer = 1, inner = 1;
  for (auto [i, size] : llvm::enumerate(n.shape(0)))
    (static_cast<int64_t>(i) < axis ? outer : inner) *= size;
  return n.result(n.c.reshape(n[0], {outer, inner}));
}

static LogicalResult importSqueeze(OnnxNode &n) {
  bool isOperand = n.opset >= 13;
  bool all = isOperand ? !n.has(1) : !n.hasAttr("axes");
  SmallVector<int64_t> axes = n.axes(n.intsOperandOrAttr(1, "axes", isOperand), n.rank(0));
  if (n.failed())
    return failure();
  SmallVector<int64_t> shape;
  for (auto [i, size] : llvm::enumerate(n.shape(0))) {
    bool drop = all ? size == 1 : llvm::is_contained(axes, static_cast<int64_t>(i));
    if (drop && size != 1)
      return n.fail("cannot drop dimension " + Twine(i) + " of size " + Twine(size));
    if (!drop)
      shape.push_back(size);
  }
  return n.result(n.c.reshape(n[0], shape));
}

static LogicalResult importUnsqueeze(OnnxNode &n) {
  SmallVector<int64_t> axes = n.intsOperandOrAttr(1, "axes", n.opset >= 13);
  int64_t rank = n.rank(0) + axes.size();
  axes = n.axes(axes, rank);
  if (n.failed())
    return failure();
  SmallVector<int64_t> shape;
  const int64_t *next = n.shape(0).begin();
  for (int64_t i = 0; i < rank; ++i)
    shape.push_back(llvm::is_contained(axes, i) ? 1 : *next++);
  return n.result(n.c.reshape(n[0], shape));
}

static LogicalResult importTranspose(OnnxNode &n) {
  SmallVector<int64_t> perm = n.intsAttr("perm");
  auto all = llvm::to_vector(llvm::seq<int64_t>(0, n.rank(0)));
  if (!n.hasAttr("perm"))
    perm.assign(all.rbegin(), all.rend());
  SmallVector<int64_t> sorted(perm);
  llvm::sort(sorted);
  if (sorted != all)
    return n.attrFail("perm", "is " + str(perm) + ", expected a permutation of the " +
                                  Twine(n.rank(0)) + " dimensions");
  return n.result(n.c.permute(n[0], perm));
}

static LogicalResult importExpand(OnnxNode &n) {
  SmallVector<int64_t> asked = n.ints(1, "shape");
  if (n.failed())
    return failure();
  // Broadcasts both ways: a 1 in `shape` keeps the size that is there.
  SmallVector<int64_t> shape(std::max<int64_t>(asked.size(), n.rank(0)), 1);
  llvm::copy(n.shape(0), shape.end() - n.rank(0));
  for (auto [size, want] : llvm::zip(llvm::reverse(shape), llvm::reverse(asked))) {
    if (size != 1 && want != 1 && size != want)
      return n.fail("cannot expand " + llvm::to_string(n.type(0)) + " to " + str(asked));
    size = size == 1 ? want : size;
  }
  n.tensorType(shape, n.elementType(0));
  return n.failed() ? failure() : n.result(n.c.broadcastTo(n[0], shape));
}

static LogicalResult importTile(OnnxNode &n) {
  SmallVector<int64_t> repeats = n.ints(1, "repeats"), shape(n.shape(0));
  if (n.failed())
    return failure();
  if (repeats.size() != shape.size())
    return n.fail("its 'repeats' has " + Twine(repeats.size()) + " numbers, expected " +
                  Twine(shape.size()));
  for (auto [size, repeat] : llvm::zip_equal(shape, repeats))
    if (repeat < 0 || llvm::MulOverflow(size, repeat, size))
      return n.fail("its 'repeats' is " + str(repeats) + ", expected small positive numbers");
  n.tensorType(shape, n.elementType(0));
  return n.failed() ? failure() : n.result(n.c.tile(n[0], repeats));
}

static LogicalResult importDepthToSpace(OnnxNode &n) {
  int64_t block = n.intAttr("blocksize", 0);
  std::string mode = n.opset >= 11 ? n.stringAttr("mode", "DCR") : "DCR";
  if (mode != "DCR" && mode != "CRD")
    return n.attrFail("mode", "is '" + mode + "', expected DCR or CRD");
  n.expectRank(0, "input", 4);
  if (n.failed())
    return failure();
  return n.result(n.c.depthToSpace(n[0], block, mode == "DCR" ? DepthOrder::dcr : DepthOrder::crd));
}

static LogicalResult importSpaceToDepth(OnnxNode &n) {
  int64_t block = n.intAttr("blocksize", 0);
  n.expectRank(0, "input", 4);
  return n.failed() ? failure() : n.result(n.c.spaceToDepth(n[0], block));
}

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

static LogicalResult importSlice(OnnxNode &n) {
  bool isOperand = n.opset >= 10;
  SmallVector<int64_t> starts = n.intsOperandOrAttr(1, "starts", isOperand);
  SmallVector<int64_t> ends = n.intsOperandOrAttr(2, "ends", isOperand);
  SmallVector<int64_t> axes = n.intsOperandOrAttr(3, "axes", isOperand);
  if (isOperand ? !n.has(3) : !n.hasAttr("axes"))
    axes = llvm::to_vector(llvm::seq<int64_t>(0, starts.size()));
  SmallVector<int64_t> steps(starts.size(), 1);
  if (n.has(4))
    steps = n.ints(4, "steps");
  axes = n.axes(axes, n.rank(0));
  if (n.failed())
    return failure();
  if (starts.size() != ends.size() || starts.size() != axes.size() || starts.size() != steps.size())
    return n.fail("its starts, ends, axes and steps have " + Twine(starts.size()) + ", " +
                  Twine(ends.size()) + ", " + Twine(axes.size()) + " and " + Twine(steps.size()) +
                  " numbers, expected the same");
  Value value = n[0];
  for (auto [start, end, axis, step] : llvm::zip_equal(starts, ends, axes, steps))
    value = n.c.slice(value, axis, start, end, step);
  return n.result(value);
}

static LogicalResult importConcat(OnnxNode &n) {
  if (n.opset >= 4 && !n.hasAttr("axis"))
    return n.attrFail("axis", "is missing");
  int64_t axis = n.axis(n.intAttr("axis", 1), n.rank(0));
  n.expectSameType();
  return n.failed() ? failure() : n.result(n.c.concat(n.all(), axis));
}

static LogicalResult importSplit(OnnxNode &n) {
  bool isOperand = n.opset >= 13 || (n.opset == 1 && n.has(1));
  int64_t axis = n.axis(n.intAttr("axis", 0), n.rank(0));
  SmallVector<int64_t> sizes = n.intsOperandOrAttr(1, "split", isOperand);
  int64_t pieces = n.numResults();
  if (n.opset >= 18 && n.hasAttr("num_outputs")) {
    int64_t count = n.intAttr("num_outputs", pieces);
    if (count != pieces)
      return n.attrFail("num_outputs",
                        "is " + Twine(count) + ", but the node has " + Twine(pieces) + " outputs");
    if (n.has(1))
      return n.fail("has both 'split' and 'num_outputs', expected one");
  }
  if (n.failed())
    return failure();
  int64_t size = n.shape(0)[axis];
  if (sizes.empty()) {
    // Since operator set 18 the last piece may be smaller.
    int64_t each = llvm::divideCeil(size, pieces);
    if (each * pieces != size && (n.opset < 18 || each * (pieces - 1) > size))
      return n.fail("cannot split dimension " + Twine(axis) + " of size " + Twine(size) + " into " +
                    Twine(pieces) + " equal pieces");
    sizes.assign(pieces, each);
    sizes.back() = size - each * (pieces - 1);
  }
  if (static_cast<int64_t>(sizes.size()) != pieces)
    return n.fail("its 'split' " + str(sizes) + " is not one number for each of the " +
                  Twine(pieces) + " outputs");
  return n.results(n.c.split(n[0], axis, sizes));
}

static LogicalResult importTrilu(OnnxNode &n) {
  bool upper = n.boolAttr("upper", true);
  n.expectRank(0, "input", 2, kAny);
  SmallVector<int64_t> k = n.has(1) ? n.ints(1, "k") : SmallVector<int64_t>{0};
  if (n.failed())
    return failure();
  if (k.size() != 1)
    return n.fail("its 'k' has " + Twine(k.size()) + " elements, expected one");
  return n.result(n.c.triangular(n[0], upper, k[0]));
}

//===----------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------===//

static LogicalResult importPad(OnnxNode &n) {
  bool isOperand = n.opset >= 11;
  std::string modeName = n.stringAttr("mode", "constant");
  std::optional<PadMode> mode = llvm::StringSwitch<std::optional<PadMode>>(modeName)
                                    .Case("constant", PadMode::constant)
                                    .Case("reflect", PadMode::reflect)
                                    .Case("edge", PadMode::edge)
                                    .Default(std::nullopt);
  if (n.opset >= 19 && modeName == "wrap")
    mode = PadMode::wrap;
  if (!mode)
    return n.attrFail("mode", "is '" + modeName + "', expected constant, reflect" +
                                  (n.opset >= 19 ? ", edge or wrap" : " or edge"));
  SmallVector<int64_t> pads = n.intsOperandOrAttr(1, n.opset == 1 ? "paddings" : "pads", isOperand);
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, n.rank(0)));
  if (n.has(3))
    axes = n.axes(n.ints(3, "axes"), n.rank(0));
  Scalar fill = isOperand ? 0.0 : n.floatAttr("value", 0);
  if (n.has(2)) {
    const HostTensor *value = n.known(2);
    if (!value || value->type.getNumElements() != 1 || n.elementType(2) != n.elementType(0))
      return n.fail("its 'constant_value' must be one " + llvm::to_string(n.elementType(0)) +
                    " that is known at import");
    if (n.isFloat(0))
      fill = value->floats[0];
    else
      fill = llvm::APSInt(value->ints[0],
                          n.elementType(0).isUnsignedInteger() || n.elementType(0).isInteger(1));
  }
  if (n.failed())
    return failure();
  if (pads.size() != 2 * axes.size())
    return n.fail("its pads are " + str(pads) + ", expected " + Twine(2 * axes.size()) +
                  " numbers");
  SmallVector<int64_t> low(n.rank(0), 0), high(n.rank(0), 0);
  for (auto [i, axis] : llvm::enumerate(axes)) {
    low[axis] = pads[i];
    high[axis] = pads[i + axes.size()];
  }
  return n.result(n.c.padWith(n[0], low, high, *mode, fill));
}

ArrayRef<OnnxRow> mlir::tiny::onnxMovementRows() {
  static const OnnxRow rows[] = {
      {"Concat", 1, kLatest, 1, kAny, importConcat},
      {"DepthToSpace", 1, kLatest, 1, 1, importDepthToSpace},
      {"Dropout", 1, kLatest, 1, 3, importDropout, /*maxResults=*/2},
      {"Expand", 8, kLatest, 2, 2, importExpand},
      {"Flatten", 1, kLatest, 1, 1, importFlatten},
      {"Identity", 1, kLatest, 1, 1, importIdentity},
      {"Pad", 1, 10, 1, 1, importPad},
      {"Pad", 11, 17, 2, 3, importPad},
      {"Pad", 18, kLatest, 2, 4, importPad},
      {"Reshape", 1, 4, 1, 1, importReshape},
      {"Reshape", 5, kLatest, 2, 2, importReshape},
      {"Slice", 1, 9, 1, 1, importSlice},
      {"Slice", 10, kLatest, 3, 5, importSlice},
      {"SpaceToDepth", 1, kLatest, 1, 1, importSpaceToDepth},
      {"Split", 1, kLatest, 1, 2, importSplit, /*maxResults=*/kAny},
      {"Squeeze", 1, 12, 1, 1, importSqueeze},
      {"Squeeze", 13, kLatest, 1, 2, importSqueeze},
      {"Tile", 6, kLatest, 2, 2, importTile},
      {"Transpose", 1, kLatest, 1, 1, importTranspose},
      {"Trilu", 14, kLatest, 1, 2, importTrilu},
      {"Unsqueeze", 1, 12, 1, 1, importUnsqueeze},
      {"Unsqueeze", 13, kLatest, 2, 2, importUnsqueeze},
  };
  return rows;
}
