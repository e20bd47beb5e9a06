//===- OnnxNode.cpp - operands, attributes and errors of a node -----------===//
//
// Everything that a handler would otherwise check by hand, so that each of them
// says in the same words what is wrong and what would be right.
//
//===----------------------------------------------------------------------===//

#include "OnnxNode.h"

#include "llvm/ADT/SmallSet.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::tiny;
using Attribute_ = onnx::AttributeProto;

StringRef mlir::tiny::nameOf(const onnx::NodeProto &node) {
  if (!node.name().empty())
    return node.name();
  for (const std::string &output : node.output())
    if (!output.empty())
      return output;
  return "";
}

std::string mlir::tiny::describe(const onnx::NodeProto &node, int64_t opset) {
  std::string domain = node.domain().empty() ? "" : node.domain() + ".";
  return ("node '" + nameOf(node) + "' (" + domain + node.op_type() + ", opset " + Twine(opset) +
          ")")
      .str();
}

std::string mlir::tiny::str(ArrayRef<int64_t> values) {
  std::string result;
  llvm::raw_string_ostream os(result);
  os << '[';
  llvm::interleaveComma(values, os);
  os << ']';
  return result;
}

OnnxNode::OnnxNode(OnnxModel &model, const onnx::NodeProto &proto, int64_t opset,
                   HostFolder &folder, OpBuilder &builder, SmallVector<Value> operands,
                   ImportBranch importBranch)
    : c{builder, model.named(nameOf(proto))}, b(builder), opset(opset), model(model), proto(proto),
      folder(folder), operands(std::move(operands)), importBranch(importBranch) {}

Reported OnnxNode::fail(const Twine &message) {
  hasFailed = true;
  emitError(c.loc) << message;
  return {};
}

Reported OnnxNode::attrFail(StringRef name, const Twine &message) {
  return fail("attribute '" + name + "' " + message);
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

SmallVector<int64_t> OnnxNode::ints(size_t i, StringRef what) {
  const HostTensor *tensor = known(i);
  if (!tensor) {
    fail("its '" + what + "' must be known at import, but depends on the model's inputs");
    return {};
  }
  if (isa<FloatType>(tensor->type.getElementType()) || tensor->type.getElementType().isInteger(1)) {
    std::string type = llvm::to_string(tensor->type);
    fail("its '" + what + "' is a " + type + ", expected integers");
    return {};
  }
  bool isUnsigned = tensor->type.getElementType().isUnsignedInteger();
  return llvm::map_to_vector(tensor->ints, [&](const APInt &value) {
    return isUnsigned ? static_cast<int64_t>(value.getZExtValue()) : value.getSExtValue();
  });
}

SmallVector<double> OnnxNode::floats(size_t i, StringRef what) {
  const HostTensor *tensor = known(i);
  if (!tensor || !isa<FloatType>(tensor->type.getElementType())) {
    fail("its '" + what + "' must be known at import and of a float type");
    return {};
  }
  return llvm::map_to_vector(tensor->floats, [](APFloat value) {
    bool ignored;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &ignored);
    return value.convertToDouble();
  });
}

void OnnxNode::expectFloat(size_t i, StringRef what) {
  if (has(i) && !isFloat(i))
    fail("its '" + what + "' is a " + llvm::to_string(type(i)) + ", expected a float type");
}

void OnnxNode::expectNumber(size_t i, StringRef what) {
  if (has(i) && elementType(i).isInteger(1))
    fail("its '" + what + "' is a " + llvm::to_string(type(i)) + ", expected numbers");
}

void OnnxNode::expectRank(size_t i, StringRef what, int64_t low, int64_t high) {
  if (!has(i))
    return;
  if (rank(i) >= low && rank(i) <= std::max(low, high))
    return;
  std::string range = std::to_string(low);
  if (high > low)
    range += high == kAny ? " or more" : " to " + std::to_string(high);
  fail("its '" + what + "' is a " + llvm::to_string(type(i)) + ", expected rank " + range);
}

void OnnxNode::expectSameType() {
  Type first;
  for (Value operand : operands) {
    if (!operand)
      continue;
    Type element = cast<RankedTensorType>(operand.getType()).getElementType();
    if (!first)
      first = element;
    if (element != first) {
      fail("its operands have element types " + llvm::to_string(first) + " and " +
           llvm::to_string(element) + ", expected the same");
      return;
    }
  }
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

bool OnnxNode::hasAttr(StringRef name) const {
  return llvm::any_of(proto.attribute(),
                      [&](const Attribute_ &attribute) { return attribute.name() == name; });
}

const Attribute_ *OnnxNode::attr(StringRef name, Attribute_::AttributeType type) {
  used.insert(name);
  for (const Attribute_ &attribute : proto.attribute()) {
    if (attribute.name() != name)
      continue;
    if (!attribute.ref_attr_name().empty()) {
      attrFail(name, "refers to an attribute of a function, which this is not");
      return nullptr;
    }
    if (attribute.type() != type) {
      attrFail(name, "has type " + Attribute_::AttributeType_Name(attribute.type()) +
                         ", expected " + Attribute_::AttributeType_Name(type));
      return nullptr;
    }
    return &attribute;
  }
  return nullptr;
}

int64_t OnnxNode::intAttr(StringRef name, int64_t otherwise) {
  const Attribute_ *attribute = attr(name, Attribute_::INT);
  return attribute ? attribute->i() : otherwise;
}

bool OnnxNode::boolAttr(StringRef name, bool otherwise) {
  int64_t value = intAttr(name, otherwise);
  if (value != 0 && value != 1)
    attrFail(name, "is " + Twine(value) + ", expected 0 or 1");
  return value;
}

double OnnxNode::floatAttr(StringRef name, double otherwise) {
  const Attribute_ *attribute = attr(name, Attribute_::FLOAT);
  return attribute ? attribute->f() : otherwise;
}

std::string OnnxNode::stringAttr(StringRef name, StringRef otherwise) {
  const Attribute_ *attribute = attr(name, Attribute_::STRING);
  return attribute ? attribute->s() : otherwise.str();
}

SmallVector<int64_t> OnnxNode::intsAttr(StringRef name, ArrayRef<int64_t> otherwise) {
  const Attribute_ *attribute = attr(name, Attribute_::INTS);
  if (!attribute)
    return SmallVector<int64_t>(otherwise);
  return SmallVector<int64_t>(attribute->ints().begin(), attribute->ints().end());
}

SmallVector<double> OnnxNode::floatsAttr(StringRef name) {
  const Attribute_ *attribute = attr(name, Attribute_::FLOATS);
  if (!attribute)
    return {};
  return SmallVector<double>(attribute->floats().begin(), attribute->floats().end());
}

SmallVector<std::string> OnnxNode::stringsAttr(StringRef name) {
  const Attribute_ *attribute = attr(name, Attribute_::STRINGS);
  if (!attribute)
    return {};
  return SmallVector<std::string>(attribute->strings().begin(), attribute->strings().end());
}

SmallVector<Value> OnnxNode::branchAttr(StringRef name) {
  const Attribute_ *attribute = attr(name, Attribute_::GRAPH);
  if (!attribute) {
    if (!hasFailed)
      attrFail(name, "is missing");
    return {};
  }
  FailureOr<SmallVector<Value>> values = importBranch(attribute->g());
  hasFailed |= mlir::failed(values);
  return mlir::failed(values) ? SmallVector<Value>() : *values;
}

const onnx::TensorProto *OnnxNode::tensorAttr(StringRef name) {
  const Attribute_ *attribute = attr(name, Attribute_::TENSOR);
  return attribute ? &attribute->t() : nullptr;
}

ElementsAttr OnnxNode::tensor(const onnx::TensorProto &tensor) {
  FailureOr<ElementsAttr> elements = model.tensor(tensor, "the tensor in its attribute");
  hasFailed |= mlir::failed(elements);
  return mlir::failed(elements) ? ElementsAttr() : *elements;
}

Type OnnxNode::elementTypeAttr(StringRef name, int64_t dataType) {
  Type type = onnxElementType(dataType, b.getContext());
  if (!type)
    attrFail(name, "is " + onnxTypeName(dataType) + ", which Tiny does not have");
  return type;
}

LogicalResult OnnxNode::checkAttributesUsed() {
  llvm::StringSet<> seen;
  for (const Attribute_ &attribute : proto.attribute()) {
    if (!seen.insert(attribute.name()).second)
      return attrFail(attribute.name(), "is there twice");
    if (!used.contains(attribute.name()))
      return attrFail(attribute.name(), "is not one that this operator has");
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Derived values
//===----------------------------------------------------------------------===//

SmallVector<int64_t> OnnxNode::intsOperandOrAttr(size_t i, StringRef name, bool isOperand) {
  if (!isOperand)
    return intsAttr(name);
  return has(i) ? ints(i, name) : SmallVector<int64_t>();
}

int64_t OnnxNode::axis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    fail("axis " + Twine(axis) + " is out of range for rank " + Twine(rank));
    return 0;
  }
  return axis < 0 ? axis + rank : axis;
}

SmallVector<int64_t> OnnxNode::axes(ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t> result;
  for (int64_t one : axes) {
    result.push_back(axis(one, rank));
    if (!failed() && llvm::is_contained(ArrayRef(result).drop_back(), result.back()))
      fail("its axes " + str(axes) + " name a dimension twice");
  }
  return result;
}

Value OnnxNode::scalar(size_t i, StringRef what) {
  if (type(i).getNumElements() != 1) {
    fail("its '" + what + "' is a " + llvm::to_string(type(i)) + ", expected one element");
    return {};
  }
  return c.reshape(operands[i], {});
}

RankedTensorType OnnxNode::tensorType(ArrayRef<int64_t> shape, Type elementType) {
  std::string whyNot;
  FailureOr<RankedTensorType> type = mlir::tiny::tensorType(shape, elementType, whyNot);
  if (succeeded(type))
    return *type;
  fail("its result would be " + str(shape) + ": " + whyNot);
  return RankedTensorType::get({}, elementType);
}

Value OnnxNode::splat(const Scalar &value, ArrayRef<int64_t> shape, Type elementType) {
  return c.splat(value, RankedTensorType::get(shape, elementType));
}

Value OnnxNode::constant(ArrayRef<int64_t> values, ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, b.getI64Type());
  return c.constant(cast<ElementsAttr>(DenseElementsAttr::get(type, values)));
}

LogicalResult OnnxNode::results(ArrayRef<Value> values) {
  outcome.assign(values.begin(), values.end());
  return success(!failed());
}
