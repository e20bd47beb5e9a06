//===- ImportOnnx.cpp - walk an ONNX graph --------------------------------===//
//
// Fixes the dims, finds every operator that is not supported before anything is
// built, then imports node after node. What depends on constants only is folded
// as it appears, so shapes are numbers by the time somebody needs them.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Frontend/ImportOnnx.h"

#include "OnnxNode.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::tiny;

/// Results with at most this many elements are replaced by a constant when they are known.
static constexpr int64_t kMaxFoldedElements = 1024;

/// Ranges of at least so many elements stay iotas.
static constexpr int64_t kMinRange = 16;

//===----------------------------------------------------------------------===//
// The importer
//===----------------------------------------------------------------------===//

namespace {
class Importer {
public:
  Importer(OnnxModel &model, const ImportOnnxOptions &options)
      : model(model), graph(model.graph()), options(options), builder(model.context()),
        scopes({&model.graph()}) {}

  OwningOpRef<ModuleOp> run();

private:
  LogicalResult checkDimOptions();
  LogicalResult checkFixOptions();
  FailureOr<RankedTensorType> inputType(const onnx::ValueInfoProto &input);
  LogicalResult checkNodes(const onnx::GraphProto &scope);
  LogicalResult importInitializers(const onnx::GraphProto &scope);
  Value fixedInput(StringRef name, RankedTensorType type, StringRef text);
  LogicalResult importInputs();
  LogicalResult importNode(const onnx::NodeProto &node);
  LogicalResult importOutputs();
  FailureOr<SmallVector<Value>> importBranch(const onnx::GraphProto &branch);
  LogicalResult define(StringRef name, Value value);
  /// The value of a name; an initialiser becomes a constant when it is first used. Null after an
  /// error.
  Value lookup(StringRef name, const onnx::NodeProto *user);
  Value foldIfKnown(Value value, Location loc);
  Type halfTypeOf(ArrayRef<Value> operands, Half half);
  Value widen(Value value);
  Value round(Value value, Location loc);

  OnnxModel &model;
  const onnx::GraphProto &graph;
  const ImportOnnxOptions &options;
  OpBuilder builder;
  /// The model's graph and the branches that are being imported inside it.
  SmallVector<const onnx::GraphProto *> scopes;
  /// What was defined in this order, so that a branch can forget its own names.
  std::vector<std::string> defined;
  HostFolder folder;
  func::FuncOp function;
  llvm::StringMap<Value> values;
  llvm::StringMap<ElementsAttr> initializers;
  /// Values in f32 that the model has in f16 or bf16, with that type.
  llvm::DenseMap<Value, Type> carried;
  /// The f32 values of f16 and bf16 ones.
  llvm::DenseMap<Value, Value> widened;
};
} // namespace

/// The names under which the open dims of an input can be fixed: what the model calls it, and its
/// place.
static SmallVector<std::string> dimNames(const onnx::ValueInfoProto &input, int axis) {
  SmallVector<std::string> names;
  const auto &dim = input.type().tensor_type().shape().dim(axis);
  if (!dim.dim_param().empty())
    names.push_back(dim.dim_param());
  names.push_back(input.name() + "[" + std::to_string(axis) + "]");
  return names;
}

LogicalResult Importer::checkDimOptions() {
  llvm::StringSet<> accepted;
  SmallVector<std::string> listed; // in the order of the model, each under its best name
  for (const onnx::ValueInfoProto &input : graph.input()) {
    const auto &shape = input.type().tensor_type().shape();
    for (int axis = 0; axis < shape.dim_size(); ++axis) {
      if (shape.dim(axis).has_dim_value() || initializers.contains(input.name()))
        continue;
      SmallVector<std::string> names = dimNames(input, axis);
      if (!accepted.contains(names.front()))
        listed.push_back(names.front());
      for (const std::string &name : names)
        accepted.insert(name);
    }
  }
  SmallVector<StringRef> asked(options.dims.keys());
  llvm::sort(asked);
  for (StringRef name : asked) {
    if (!accepted.contains(name)) {
      InFlightDiagnostic diag = model.error() << "the model has no open dim '" << name << "'";
      if (listed.empty())
        return diag << ": all its dims are fixed";
      return diag << "; its open dims are " << llvm::join(listed, ", ");
    }
    if (int64_t size = options.dims.lookup(name); size < 0)
      return model.error() << "dim '" << name << "' is given the size " << size
                           << ", expected 0 or more";
  }
  return success();
}

LogicalResult Importer::checkFixOptions() {
  SmallVector<StringRef> names, asked(options.fixed.keys());
  for (const onnx::ValueInfoProto &input : graph.input())
    if (!initializers.contains(input.name()))
      names.push_back(input.name());
  llvm::sort(asked);
  for (StringRef name : asked)
    if (!llvm::is_contained(names, name))
      return model.error() << "the model has no input '" << name << "' to fix; its inputs are "
                           << llvm::join(names, ", ");
  return success();
}

FailureOr<RankedTensorType> Importer::inputType(const onnx::ValueInfoProto &input) {
  std::string what = "input '" + input.name() + "'";
  if (!input.has_type() || !input.type().has_tensor_type())
    return model.error() << what
                         << (input.has_type() ? " is not a tensor" : " has no type in the model");
  const auto &tensor = input.type().tensor_type();
  Type elementType = onnxElementType(tensor.elem_type(), model.context());
  if (!elementType)
    return model.error() << what << " has element type " << onnxTypeName(tensor.elem_type())
                         << ", which Tiny does not have";
  if (!tensor.has_shape())
    return model.error() << what << " has no shape in the model, not even a rank";
  SmallVector<int64_t> shape;
  for (auto [axis, dim] : llvm::enumerate(tensor.shape().dim())) {
    int64_t size = dim.has_dim_value() ? dim.dim_value() : 1;
    if (!dim.has_dim_value())
      for (const std::string &name : dimNames(input, axis))
        if (auto it = options.dims.find(name); it != options.dims.end())
          size = it->second;
    shape.push_back(size);
  }
  std::string whyNot;
  FailureOr<RankedTensorType> type = tensorType(shape, elementType, whyNot);
  if (failed(type))
    return model.error() << what << ": " << whyNot;
  return type;
}

/// One message for all that is not supported, so that nobody has to find out one by one.
LogicalResult Importer::checkNodes(const onnx::GraphProto &scope) {
  llvm::MapVector<StringRef, SmallVector<const onnx::NodeProto *>> missing;
  std::vector<std::string> keys;
  keys.reserve(scope.node_size()); // the map refers to them
  size_t count = 0;
  for (const onnx::NodeProto &node : scope.node()) {
    int64_t opset = model.opset(node.domain());
    if (findOnnxEntry(node, opset))
      continue;
    std::string key = node.op_type();
    if (!isDefaultDomain(node.domain()))
      key = node.domain() + "." + key;
    key += opset ? " (opset " + std::to_string(opset) + ")" : " (of a domain that is not imported)";
    if (knowsOnnxOp(node))
      key += ", which is supported in other operator sets only";
    keys.push_back(std::move(key));
    missing[keys.back()].push_back(&node);
    ++count;
  }
  if (!count)
    return success();
  std::string message;
  llvm::raw_string_ostream os(message);
  os << count << (count == 1 ? " node uses an operator" : " nodes use operators")
     << " that Tiny does not import:";
  for (auto &[key, nodes] : missing) {
    os << "\n  " << key << ": ";
    llvm::interleaveComma(nodes, os,
                          [&](const onnx::NodeProto *node) { os << "'" << nameOf(*node) << "'"; });
  }
  return model.error() << message;
}

LogicalResult Importer::importInitializers(const onnx::GraphProto &scope) {
  for (const onnx::TensorProto &tensor : scope.initializer()) {
    if (tensor.name().empty())
      return model.error() << "an initialiser has no name";
    FailureOr<ElementsAttr> elements = model.tensor(tensor, "initialiser '" + tensor.name() + "'");
    if (failed(elements))
      return failure();
    if (values.contains(tensor.name()) ||
        !initializers.try_emplace(tensor.name(), *elements).second)
      return model.error() << "two initialisers are named '" << tensor.name() << "'";
    defined.push_back(tensor.name());
  }
  return success();
}

LogicalResult Importer::define(StringRef name, Value value) {
  if (!values.try_emplace(name, value).second || initializers.contains(name))
    return model.error() << "the name '" << name
                         << "' is defined twice: each input, initialiser and node output needs "
                         << "its own";
  defined.push_back(name.str());
  return success();
}

/// The constant that `text` says for an input. Null after an error.
Value Importer::fixedInput(StringRef name, RankedTensorType type, StringRef text) {
  Composer c(builder, model.named(name));
  Type element = type.getElementType();
  double real;
  if (isa<FloatType>(element) && !text.getAsDouble(real))
    return c.splat(real, type);
  llvm::APInt number;
  bool isNegative = text.consume_front("-");
  if (!isa<FloatType>(element) && !text.getAsInteger(10, number)) {
    unsigned width = element.getIntOrFloatBitWidth();
    bool isUnsigned = element.isUnsignedInteger() || width == 1;
    llvm::APSInt value(number.zext(std::max(number.getBitWidth(), width) + 1), false);
    value = isNegative ? -value : value;
    llvm::APSInt low = llvm::APSInt::getMinValue(width, isUnsigned);
    llvm::APSInt high = llvm::APSInt::getMaxValue(width, isUnsigned);
    if (llvm::APSInt::compareValues(value, low) >= 0 &&
        llvm::APSInt::compareValues(value, high) <= 0)
      return c.splat(value, type);
  }
  model.error() << "input '" << name << "' cannot be fixed to '" << (isNegative ? "-" : "") << text
                << "', which is no number that " << element << " holds";
  return {};
}

LogicalResult Importer::importInputs() {
  SmallVector<Type> types;
  SmallVector<const onnx::ValueInfoProto *> inputs;
  SmallVector<std::pair<const onnx::ValueInfoProto *, RankedTensorType>> fixed;
  for (const onnx::ValueInfoProto &input : graph.input()) {
    if (input.name().empty())
      return model.error() << "an input has no name";
    // Old models list their weights as inputs too; newer ones mean a default by it.
    if (initializers.contains(input.name()))
      continue;
    FailureOr<RankedTensorType> type = inputType(input);
    if (failed(type))
      return failure();
    if (options.fixed.contains(input.name())) {
      fixed.push_back({&input, *type});
      continue;
    }
    types.push_back(*type);
    inputs.push_back(&input);
  }
  StringRef graphName = graph.name().empty() ? StringRef(options.entry) : StringRef(graph.name());
  function = func::FuncOp::create(model.named(graphName), options.entry,
                                  builder.getFunctionType(types, {}));
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  for (auto [index, input] : llvm::enumerate(inputs)) {
    function.setArgAttr(index, "tiny.name", builder.getStringAttr(input->name()));
    body->getArgument(index).setLoc(model.named(input->name()));
    if (failed(define(input->name(), body->getArgument(index))))
      return failure();
  }
  for (auto [input, type] : fixed) {
    Value value = fixedInput(input->name(), type, options.fixed.at(input->name()));
    if (!value || failed(define(input->name(), value)))
      return failure();
  }
  return success();
}

Value Importer::lookup(StringRef name, const onnx::NodeProto *user) {
  if (Value value = values.lookup(name))
    return value;
  if (auto it = initializers.find(name); it != initializers.end()) {
    Value value = ConstantOp::create(builder, model.named(name), it->second);
    values[name] = value;
    initializers.erase(it); // define() sees the value from now on
    return value;
  }
  InFlightDiagnostic diag = model.error();
  if (user)
    diag << describe(*user, model.opset(user->domain())) << " uses '" << name << "'";
  else
    diag << "output '" << name << "' cannot be produced";
  for (const onnx::GraphProto *scope : scopes)
    for (const onnx::NodeProto &node : scope->node()) {
      if (!llvm::is_contained(node.output(), name))
        continue;
      diag << ", which node '" << nameOf(node)
           << "' only computes later: the nodes are not in order, or form a cycle";
      return {};
    }
  diag << ": no input, initialiser or node has that name";
  return {};
}

/// Known integers that count evenly along one dim, as an iota: a mask that compares positions is
/// then seen to do so, whatever its size. Null if they do not.
static Value asRange(Composer c, const HostTensor &known) {
  int64_t count = known.ints.size(), dim = -1;
  Type type = known.type.getElementType();
  if (count < kMinRange || type.isInteger(1))
    return {};
  for (auto [i, size] : llvm::enumerate(known.type.getShape()))
    if (size == count)
      dim = i;
  APInt step = known.ints[1] - known.ints[0];
  for (int64_t i = 2; i < count; ++i)
    if (known.ints[i] - known.ints[i - 1] != step)
      return {};
  if (dim < 0 || step.isZero())
    return {};
  auto number = [&](const APInt &value) {
    return Scalar(llvm::APSInt(value, type.isUnsignedInteger()));
  };
  Value range = c.iota(known.type.getShape(), dim, type);
  if (!step.isOne())
    range = c.mul(range, number(step));
  return known.ints[0].isZero() ? range : c.add(range, number(known.ints[0]));
}

Value Importer::foldIfKnown(Value value, Location loc) {
  auto type = cast<RankedTensorType>(value.getType());
  if (value.getDefiningOp<ConstantOp>() || type.getNumElements() > kMaxFoldedElements)
    return value;
  const HostTensor *known = folder.fold(value);
  if (!known)
    return value;
  if (Value range = asRange(Composer(builder, loc), *known))
    return range;
  return ConstantOp::create(builder, loc, cast<ElementsAttr>(known->attribute()));
}

//===----------------------------------------------------------------------===//
// f16 and bf16
//===----------------------------------------------------------------------===//

/// The 16-bit type that all float operands of a node have in the model, if the node is to work in
/// f32 in its place; else null.
Type Importer::halfTypeOf(ArrayRef<Value> operands, Half half) {
  Type type;
  bool anyCarried = false;
  for (Value operand : operands) {
    if (!operand)
      continue;
    Type element = carried.lookup(operand);
    anyCarried |= static_cast<bool>(element);
    if (!element)
      element = cast<RankedTensorType>(operand.getType()).getElementType();
    if (!isa<FloatType>(element))
      continue;
    if (element.getIntOrFloatBitWidth() != 16 || (type && element != type))
      return {};
    type = element;
  }
  bool wide = half == Half::widen || (half == Half::follow && anyCarried);
  return wide && !options.roundHalf ? type : Type();
}

Value Importer::widen(Value value) {
  auto type = value ? cast<RankedTensorType>(value.getType()) : RankedTensorType();
  if (!type || !isa<FloatType>(type.getElementType()) || carried.contains(value))
    return value;
  Value &wide = widened[value];
  if (!wide)
    wide = foldIfKnown(Composer(builder, value.getLoc()).cast(value, builder.getF32Type()),
                       value.getLoc());
  return wide;
}

/// The value in the type that the model gives it.
Value Importer::round(Value value, Location loc) {
  Type type = value ? carried.lookup(value) : Type();
  return type ? Composer(builder, loc).cast(value, type) : value;
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

/// Runs the handler after the checks that every operator needs, and after it those that every
/// result needs.
static LogicalResult runHandler(OnnxNode &n, const OnnxRow &row) {
  int count = n.size(), max = row.maxOperands;
  if (count < row.minOperands || count > max) {
    std::string range = std::to_string(row.minOperands);
    if (max == kAny)
      range += " or more";
    else if (max != row.minOperands)
      range += " to " + std::to_string(max);
    return n.fail("has " + Twine(count) + (count == 1 ? " operand" : " operands") + ", expected " +
                  range);
  }
  for (int i = 0; i < count; ++i)
    if (!n.has(i) && (i < row.minOperands || max == kAny))
      return n.fail("operand " + Twine(i) + " is left out, but is not optional");
  if (n.numResults() == 0)
    return n.fail("has no output");
  for (int i = row.maxResults; i < static_cast<int>(n.numResults()); ++i)
    if (n.wants(i))
      return n.fail("output " + Twine(i) + " is not supported");
  if (failed(row.handler(n)) || failed(n.checkAttributesUsed()))
    return failure();
  for (size_t i = 0; i < n.numResults(); ++i) {
    if (!n.wants(i))
      continue;
    if (i >= n.results().size() || !n.results()[i])
      return n.fail("output " + Twine(i) + " is not supported"); // or a builder has said more
    auto type = cast<RankedTensorType>(n.results()[i].getType());
    n.tensorType(type.getShape(), type.getElementType());
  }
  return success(!n.failed());
}

LogicalResult Importer::importNode(const onnx::NodeProto &node) {
  int64_t opset = model.opset(node.domain());
  SmallVector<Value> operands;
  for (const std::string &name : node.input()) {
    operands.push_back(name.empty() ? Value() : lookup(name, &node));
    if (!name.empty() && !operands.back())
      return failure();
  }
  while (!operands.empty() && !operands.back()) // left out at the end is the same as not there
    operands.pop_back();

  const OnnxEntry *entry = findOnnxEntry(node, opset);
  Type half = halfTypeOf(operands, entry->half);
  for (Value &operand : operands)
    operand = half ? widen(operand) : round(operand, model.named(nameOf(node)));

  auto branch = [&](const onnx::GraphProto &graph) { return importBranch(graph); };
  OnnxNode view(model, node, opset, folder, builder, operands, branch);
  std::string problem;
  {
    // Whatever goes wrong, in a builder too, is said of this node, and only the first time.
    ScopedDiagnosticHandler capture(model.context(), [&](Diagnostic &diag) {
      if (diag.getSeverity() != DiagnosticSeverity::Error)
        return failure();
      if (problem.empty())
        problem = diag.str();
      return success();
    });
    if (failed(runHandler(view, *entry->row)) && problem.empty())
      problem = "cannot be imported";
  }
  if (!problem.empty())
    return model.error() << describe(node, opset) << ": " << problem;
  for (auto [name, result] : llvm::zip(node.output(), view.results())) {
    if (name.empty())
      continue;
    Value value = foldIfKnown(result, view.c.loc);
    if (half && cast<RankedTensorType>(value.getType()).getElementType().isF32())
      carried[value] = half;
    if (failed(define(name, value)))
      return failure();
  }
  return success();
}

/// The results of a branch of an If. Its nodes go behind what is there: the program is a straight
/// line, and what nobody uses is dropped at its end.
FailureOr<SmallVector<Value>> Importer::importBranch(const onnx::GraphProto &branch) {
  if (branch.input_size() || branch.sparse_initializer_size())
    return model.error() << "the branch '" << branch.name() << "' has "
                         << (branch.input_size() ? "inputs" : "sparse initialisers")
                         << ", which are not supported";
  if (failed(checkNodes(branch)))
    return failure();
  size_t outer = defined.size();
  scopes.push_back(&branch);
  SmallVector<Value> results;
  LogicalResult status = importInitializers(branch);
  for (const onnx::NodeProto &node : branch.node())
    if (succeeded(status))
      status = importNode(node);
  for (const onnx::ValueInfoProto &output : branch.output()) {
    if (failed(status))
      break;
    results.push_back(round(lookup(output.name(), nullptr), model.named(output.name())));
    status = success(results.back());
  }
  // The other branch may use the same names.
  for (; defined.size() > outer; defined.pop_back()) {
    values.erase(defined.back());
    initializers.erase(defined.back());
  }
  scopes.pop_back();
  if (failed(status))
    return failure();
  return results;
}

/// A model that says one thing about an output and computes another is wrong somewhere.
static LogicalResult checkOutput(OnnxModel &model, const onnx::ValueInfoProto &output,
                                 RankedTensorType type) {
  if (!output.has_type() || !output.type().has_tensor_type())
    return success();
  const auto &tensor = output.type().tensor_type();
  Type declared = onnxElementType(tensor.elem_type(), model.context());
  if (tensor.elem_type() && declared != type.getElementType())
    return model.error() << "output '" << output.name() << "' is declared as "
                         << onnxTypeName(tensor.elem_type()) << ", but is computed as " << type;
  if (!tensor.has_shape())
    return success();
  bool agrees = tensor.shape().dim_size() == type.getRank();
  for (int axis = 0; agrees && axis < tensor.shape().dim_size(); ++axis) {
    const auto &dim = tensor.shape().dim(axis);
    agrees = !dim.has_dim_value() || dim.dim_value() == type.getDimSize(axis);
  }
  if (!agrees)
    model.warning() << "output '" << output.name() << "' is computed as " << type
                    << ", which is not the shape that the model declares";
  return success();
}

LogicalResult Importer::importOutputs() {
  if (graph.output().empty())
    return model.error() << "the model has no output";
  SmallVector<Value> results;
  llvm::StringSet<> seen;
  for (const onnx::ValueInfoProto &output : graph.output()) {
    if (!seen.insert(output.name()).second)
      return model.error() << "two outputs are named '" << output.name() << "'";
    Value value = lookup(output.name(), nullptr);
    value = round(value, model.named(output.name()));
    if (!value || failed(checkOutput(model, output, cast<RankedTensorType>(value.getType()))))
      return failure();
    results.push_back(value);
  }
  func::ReturnOp::create(builder, function.getLoc(), results);
  function.setType(builder.getFunctionType(function.getArgumentTypes(), TypeRange(results)));
  for (auto [index, output] : llvm::enumerate(graph.output()))
    function.setResultAttr(index, "tiny.name", builder.getStringAttr(output.name()));
  return success();
}

OwningOpRef<ModuleOp> Importer::run() {
  OwningOpRef<ModuleOp> module = ModuleOp::create(model.location());
  // The function is made once its type is known and is erased with the module from then on.
  bool ok = succeeded(importInitializers(graph)) && succeeded(checkDimOptions()) &&
            succeeded(checkFixOptions()) && succeeded(importInputs());
  if (function)
    module->push_back(function);
  if (!ok || failed(checkNodes(graph)))
    return {};
  for (const onnx::NodeProto &node : graph.node())
    if (failed(importNode(node)))
      return {};
  if (failed(importOutputs()))
    return {};
  // What shape arithmetic left behind, last uses first.
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
  // Never hand out a program that does not verify: the message then names the node.
  if (failed(verify(*module)))
    return {};
  return module;
}

OwningOpRef<ModuleOp> mlir::tiny::importOnnx(llvm::MemoryBufferRef buffer,
                                             const ImportOnnxOptions &options,
                                             MLIRContext *context) {
  context->loadDialect<TinyDialect, func::FuncDialect>();
  std::unique_ptr<OnnxModel> model = OnnxModel::parse(buffer, context);
  return model ? Importer(*model, options).run() : OwningOpRef<ModuleOp>();
}

OwningOpRef<ModuleOp> mlir::tiny::importOnnxFile(llvm::StringRef path,
                                                 const ImportOnnxOptions &options,
                                                 MLIRContext *context) {
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(path, /*IsText=*/false,
                                                 /*RequiresNullTerminator=*/false);
  if (!file) {
    emitError(FileLineColLoc::get(context, path, 0, 0))
        << "cannot read the file: " << file.getError().message();
    return {};
  }
  return importOnnx((*file)->getMemBufferRef(), options, context);
}
