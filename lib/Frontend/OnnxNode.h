//===- OnnxNode.h - one ONNX node as its handler sees it --------*- C++ -*-===//
//
// Operands, checked attributes, results and errors of a node, and the rows that
// say which handler imports which operator. Errors are sticky: an accessor that
// fails reports once and returns its default, so a handler reads all that it
// needs and then asks `failed()`. Composer methods give a null Value, which
// `result` takes for a failure.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_FRONTEND_ONNXNODE_H
#define TINY_LIB_FRONTEND_ONNXNODE_H

#include "HostFold.h"
#include "OnnxModel.h"

#include "Tiny/IR/Composites.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/ScopedPrinter.h"

namespace mlir::tiny {

/// What a report returns: a failure for the handler that ends with it, nothing for the one that
/// asks `failed()` later.
struct Reported {
  operator LogicalResult() const { return failure(); }
};

class OnnxNode {
public:
  /// Imports a graph that is an attribute of the node.
  using ImportBranch = llvm::function_ref<FailureOr<SmallVector<Value>>(const onnx::GraphProto &)>;

  OnnxNode(OnnxModel &model, const onnx::NodeProto &proto, int64_t opset, HostFolder &folder,
           OpBuilder &builder, SmallVector<Value> operands, ImportBranch importBranch);

  /// Builders that create ops under the node's location.
  Composer c;
  OpBuilder &b;
  const int64_t opset;
  StringRef op() const { return proto.op_type(); }

  //===--- Operands. One that the model leaves out is null. ---------------===//
  size_t size() const { return operands.size(); }
  bool has(size_t i) const { return i < operands.size() && operands[i]; }
  Value operator[](size_t i) const { return i < operands.size() ? operands[i] : Value(); }
  ArrayRef<Value> all() const { return operands; }
  RankedTensorType type(size_t i) const { return cast<RankedTensorType>(operands[i].getType()); }
  ArrayRef<int64_t> shape(size_t i) const { return type(i).getShape(); }
  int64_t rank(size_t i) const { return type(i).getRank(); }
  Type elementType(size_t i) const { return type(i).getElementType(); }
  bool isFloat(size_t i) const { return isa<FloatType>(elementType(i)); }

  /// The elements of an operand that must be known at import: shapes, axes, pads, …
  const HostTensor *known(size_t i) const { return has(i) ? folder.fold(operands[i]) : nullptr; }
  SmallVector<int64_t> ints(size_t i, StringRef what);
  SmallVector<double> floats(size_t i, StringRef what);

  /// Report unless an operand is of the kind; `what` is the operand's name in the standard.
  void expectFloat(size_t i, StringRef what);
  void expectNumber(size_t i, StringRef what); // not i1
  void expectRank(size_t i, StringRef what, int64_t low, int64_t high = -1);
  /// Report unless all operands that are given have one element type.
  void expectSameType();

  //===--- Attributes. Each is checked for its type. ----------------------===//
  bool hasAttr(StringRef name) const;
  int64_t intAttr(StringRef name, int64_t otherwise);
  bool boolAttr(StringRef name, bool otherwise);
  double floatAttr(StringRef name, double otherwise);
  std::string stringAttr(StringRef name, StringRef otherwise);
  SmallVector<int64_t> intsAttr(StringRef name, ArrayRef<int64_t> otherwise = {});
  SmallVector<double> floatsAttr(StringRef name);
  SmallVector<std::string> stringsAttr(StringRef name);
  const onnx::TensorProto *tensorAttr(StringRef name);
  /// The results of a graph that is an attribute, imported where the node stands.
  SmallVector<Value> branchAttr(StringRef name);
  /// For attributes that say nothing about the values (and for lists of strings).
  void ignoreAttr(StringRef name) { used.insert(name); }
  ElementsAttr tensor(const onnx::TensorProto &tensor);
  /// The element type of a data type number, as in the `to` of Cast.
  Type elementTypeAttr(StringRef name, int64_t dataType);

  //===--- Derived values -------------------------------------------------===//
  /// A list that is an operand in newer operator sets and an attribute in older ones.
  SmallVector<int64_t> intsOperandOrAttr(size_t i, StringRef name, bool isOperand);
  /// An axis in [0, rank), counted from the end when negative.
  int64_t axis(int64_t axis, int64_t rank);
  SmallVector<int64_t> axes(ArrayRef<int64_t> axes, int64_t rank);
  /// The one element of an operand, known or not, as a rank-0 tensor.
  Value scalar(size_t i, StringRef what);
  /// A tensor type, after a check that its size can be counted.
  RankedTensorType tensorType(ArrayRef<int64_t> shape, Type elementType);
  Value splat(const Scalar &value, ArrayRef<int64_t> shape, Type elementType);
  Value constant(ArrayRef<int64_t> values, ArrayRef<int64_t> shape);

  //===--- Results --------------------------------------------------------===//
  size_t numResults() const { return proto.output_size(); }
  bool wants(size_t i) const { return i < numResults() && !proto.output(i).empty(); }
  LogicalResult result(Value value) { return results(value); }
  LogicalResult results(ArrayRef<Value> values);
  ArrayRef<Value> results() const { return outcome; }

  //===--- Errors ---------------------------------------------------------===//
  bool failed() const { return hasFailed; }
  /// Reports an error; the importer puts the node's name, operator and operator set before it, and
  /// keeps the first one of a node.
  Reported fail(const Twine &message);
  Reported attrFail(StringRef name, const Twine &message);
  /// Reports an attribute that the handler never asked for.
  LogicalResult checkAttributesUsed();

private:
  const onnx::AttributeProto *attr(StringRef name, onnx::AttributeProto::AttributeType type);

  OnnxModel &model;
  const onnx::NodeProto &proto;
  HostFolder &folder;
  SmallVector<Value> operands, outcome;
  ImportBranch importBranch;
  llvm::StringSet<> used;
  bool hasFailed = false;
};

/// "node 'conv1' (Conv, opset 13)"; an unnamed node goes by its first output.
std::string describe(const onnx::NodeProto &node, int64_t opset);

/// A name for the node: its own or its first output's.
StringRef nameOf(const onnx::NodeProto &node);

/// "[1, 3, 224]".
std::string str(ArrayRef<int64_t> values);

using OnnxHandler = LogicalResult (*)(OnnxNode &);
constexpr int kLatest = std::numeric_limits<int>::max();
constexpr int kAny = std::numeric_limits<int>::max();

/// An operator of the default domain between two versions of the operator set.
struct OnnxRow {
  const char *op;
  int since, until;
  int minOperands, maxOperands;
  OnnxHandler handler;
  int maxResults = 1;
};

/// What a family does to f16 and bf16 operands (ImportOnnxOptions::roundHalf).
enum class Half {
  widen,  // computes: operands and results in f32
  follow, // only moves elements: f32 where an operand already is
  exact,  // is about the types themselves
};

ArrayRef<OnnxRow> onnxContractionRows();
ArrayRef<OnnxRow> onnxControlRows();
ArrayRef<OnnxRow> onnxElementwiseRows();
ArrayRef<OnnxRow> onnxIndexRows();
ArrayRef<OnnxRow> onnxMovementRows();
ArrayRef<OnnxRow> onnxNormalizationRows();
ArrayRef<OnnxRow> onnxQuantizationRows();
ArrayRef<OnnxRow> onnxRecurrentRows();
ArrayRef<OnnxRow> onnxReductionRows();
ArrayRef<OnnxRow> onnxResizeRows();
ArrayRef<OnnxRow> onnxShapeRows();

/// A row, and what its family does to f16 and bf16.
struct OnnxEntry {
  const OnnxRow *row;
  Half half;
};

bool isDefaultDomain(StringRef domain);
/// Whether the operator is imported in some operator set.
bool knowsOnnxOp(const onnx::NodeProto &node);
/// The row for a node, or null.
const OnnxEntry *findOnnxEntry(const onnx::NodeProto &node, int64_t opset);

} // namespace mlir::tiny

#endif // TINY_LIB_FRONTEND_ONNXNODE_H
