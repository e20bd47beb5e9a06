//===- FormKernels.cpp - from a program of tiny ops to kernels ------------===//
//
// For every value that exists in memory (Materialisation.h): trace its scalar
// program (KernelGraph.h), find its loops (IterationDomain.h), write the kernel
// down as linalg, and launch it from the host function.
//
// An access whose flat index is row-major over a subset of the loops becomes an
// operand of the linalg op, under the shape that makes its map a projected
// permutation: a buffer is dense, so the shape is ours to choose. Every other
// access is a tiny.read in the body: linalg would accept some of those maps too,
// but tiles maps with mod or floordiv to a wrong slice, and cannot express guards.
//
//===----------------------------------------------------------------------===//

#include "IterationDomain.h"
#include "ScalarOps.h"
#include "Tiny/Schedule/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_FORMKERNELSPASS
#include "Tiny/Schedule/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

namespace {
/// A kernel before it is written down.
struct Kernel {
  Value result;             // the root that it computes
  ReduceOp reduction;       // that it takes in, if any
  ReduceOp foldedReduction; // the same, where its result is known
  IterationDomain domain;
  KernelGraph body;     // of the reduction, or of the result where there is none
  KernelGraph epilogue; // of the result, where there is a reduction
};
} // namespace

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

//===----------------------------------------------------------------------===//
// Forming
//===----------------------------------------------------------------------===//

/// The reduction that the kernel of `root` can take in: all its elements are needed exactly where
/// the kernel's result of the same row-major position is computed, and nowhere else. The largest
/// one where there are several.
static ReduceOp findReduction(Value root, const KernelGraph &graph, AffineExpr position,
                              const Materialisation &materialisation) {
  ReduceOp best;
  llvm::SmallDenseSet<Value> refused;
  for (const Node &node : graph.nodes) {
    if (node.kind != Node::Read)
      continue;
    auto reduce = node.value.getDefiningOp<ReduceOp>();
    if (!reduce)
      continue;
    if (node.index != position || !node.constraints.empty() ||
        tensorOf(node.value).getNumElements() != tensorOf(root).getNumElements() ||
        materialisation.soleRoot(node.value) != root)
      refused.insert(node.value);
  }
  for (const Node &node : graph.nodes) {
    auto reduce = node.kind == Node::Read ? node.value.getDefiningOp<ReduceOp>() : ReduceOp();
    if (reduce && !refused.contains(node.value) &&
        (!best ||
         tensorOf(reduce.getInput()).getNumElements() > tensorOf(best.getInput()).getNumElements()))
      best = reduce;
  }
  return best;
}

/// The view of the operand of `reduce` over the kernel's loops (those of `result`, then the
/// reduced dims), where the parallel part addresses the reduction by its row-major position.
static View viewOfReduced(ReduceOp reduce, Value result, SmallVectorImpl<int64_t> &extents) {
  MLIRContext *context = reduce.getContext();
  ArrayRef<int64_t> inputShape = reduce.getInput().getType().getShape();
  extents.assign(tensorOf(result).getShape().begin(), tensorOf(result).getShape().end());
  unsigned numParallel = extents.size();
  for (int64_t dim : reduce.getDims())
    extents.push_back(inputShape[dim]);

  // The row-major position among the results, spread over the kept dims of the input.
  LinearForm position;
  int64_t step = 1;
  for (unsigned dim = numParallel; dim-- > 0;) {
    position.add(getAffineDimExpr(dim, context), step);
    step *= extents[dim];
  }
  SmallVector<AffineExpr> index(inputShape.size());
  for (auto [nth, dim] : llvm::enumerate(reduce.getDims()))
    index[dim] = getAffineDimExpr(numParallel + nth, context);
  AffineExpr rest = position.expr(context);
  for (size_t dim = inputShape.size(); dim-- > 0;) {
    if (index[dim])
      continue;
    index[dim] = rest % inputShape[dim];
    rest = rest.floorDiv(inputShape[dim]);
  }
  return View(context, extents, inputShape, index);
}

/// The kernel that computes `root`, taking in the reduction that it finds.
static Kernel formKernel(Value root, const Materialisation &materialisation) {
  Kernel kernel;
  kernel.result = root;
  MLIRContext *context = root.getContext();
  ArrayRef<int64_t> shape = tensorOf(root).getShape();
  View identity = View::identity(context, shape);
  kernel.reduction = root.getDefiningOp<ReduceOp>();
  if (!kernel.reduction) {
    kernel.body = traceKernel(root, identity, materialisation, /*throughRoot=*/true);
    kernel.reduction = findReduction(root, kernel.body, identity.flatIndex(), materialisation);
    kernel.domain.extents.assign(shape.begin(), shape.end());
    kernel.domain.numParallel = shape.size();
  }
  if (!kernel.reduction) {
    kernel.domain.normalise({&kernel.body}, context);
    return kernel;
  }

  kernel.epilogue = std::move(kernel.body);
  Value reduced = kernel.reduction.getResult();
  if (root == reduced) {
    kernel.epilogue.nodes.push_back(Node{Node::Accumulator,
                                         tensorOf(root).getElementType(),
                                         root,
                                         nullptr,
                                         {},
                                         {},
                                         {},
                                         {},
                                         root.getLoc()});
    kernel.epilogue.root = 0;
  }
  for (Node &node : kernel.epilogue.nodes) {
    if (node.kind != Node::Read || node.value != reduced)
      continue;
    node.kind = Node::Accumulator;
    node.index = {};
  }
  View view = viewOfReduced(kernel.reduction, root, kernel.domain.extents);
  kernel.domain.numParallel = shape.size();
  kernel.body =
      traceKernel(kernel.reduction.getInput(), view, materialisation, /*throughRoot=*/false);
  const Node &reducedNode = kernel.body.nodes[kernel.body.root];
  if (reducedNode.kind == Node::Constant) {
    // Many times the same number: known now, and arith would fold the combination away.
    int64_t count = tensorOf(kernel.reduction.getInput()).getNumElements() /
                    tensorOf(kernel.reduction).getNumElements();
    TypedAttr total = reduceSplat(kernel.reduction.getKind(), reducedNode.constant, count);
    for (Node &node : kernel.epilogue.nodes) {
      if (node.kind != Node::Accumulator)
        continue;
      node.kind = Node::Constant;
      node.constant = total;
    }
    kernel.body = std::move(kernel.epilogue);
    kernel.epilogue = {};
    kernel.foldedReduction = std::exchange(kernel.reduction, {});
    kernel.domain.extents.truncate(kernel.domain.numParallel);
    kernel.domain.normalise({&kernel.body}, context);
    return kernel;
  }
  kernel.domain.normalise({&kernel.body, &kernel.epilogue}, context);
  return kernel;
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

/// A reduction is named after what its reads look like: a product of two is a contraction, and one
/// that slides over its input (an index with a parallel and a reduction dim in one sum) a window.
static std::string nameReduction(const Kernel &kernel) {
  unsigned reads = 0;
  bool window = false;
  for (const Node &node : kernel.body.nodes) {
    if (node.kind != Node::Read)
      continue;
    ++reads;
    SmallVector<int64_t> scales(kernel.domain.extents.size(), 0);
    for (auto &[atom, scale] : LinearForm(node.index).terms)
      if (auto dim = dyn_cast<AffineDimExpr>(atom))
        scales[dim.getPosition()] = scale;
    ArrayRef<int64_t> parallel = ArrayRef(scales).take_front(kernel.domain.numParallel);
    for (int64_t scale : ArrayRef(scales).drop_front(kernel.domain.numParallel))
      window |= scale != 0 && llvm::is_contained(parallel, scale);
    window |= !node.constraints.empty();
  }
  ReduceOp reduction = kernel.reduction;
  bool product = reads >= 2 && reduction.getKind() == ReduceKind::add &&
                 kernel.body.nodes[kernel.body.root].op &&
                 isa<MulOp>(kernel.body.nodes[kernel.body.root].op);
  if (product)
    return window ? "conv" : "matmul";
  std::string name = window ? "pool_" : "reduce_";
  return name + stringifyReduceKind(reduction.getKind()).str();
}

/// What the kernel does and the shape that it makes: `conv_add_max_1x64x56x56`.
static std::string nameKernel(const Kernel &kernel) {
  std::string name;
  auto append = [&](StringRef part) {
    if (!name.empty())
      name += "_";
    name += part;
  };
  if (kernel.reduction)
    append(nameReduction(kernel));
  const KernelGraph &graph = kernel.reduction ? kernel.epilogue : kernel.body;
  llvm::StringSet<> seen;
  for (const Node &node : graph.nodes)
    if (node.kind == Node::Compute && seen.size() < 4 &&
        seen.insert(node.op->getName().stripDialect()).second)
      append(node.op->getName().stripDialect());
  if (name.empty())
    append(llvm::any_of(graph.nodes, [](const Node &n) { return n.kind == Node::Read; }) ? "copy"
                                                                                         : "fill");
  std::string shape;
  for (int64_t size : tensorOf(kernel.result).getShape())
    shape += (shape.empty() ? "" : "x") + std::to_string(size);
  append(shape.empty() ? "scalar" : shape);
  return name;
}

//===----------------------------------------------------------------------===//
// Writing down
//===----------------------------------------------------------------------===//

namespace {
/// The shape and the map under which an access is an operand of a linalg op.
struct OperandForm {
  SmallVector<int64_t> shape;
  AffineMap map;
};

/// Writes one kernel. Collects the buffers that it reads, in the order of its arguments.
class KernelWriter {
public:
  KernelWriter(OpBuilder &b, const Kernel &kernel) : b(b), kernel(kernel) {}

  func::FuncOp write(StringRef name);
  ArrayRef<Value> inputs() const { return inputValues; }

private:
  /// Every (buffer, shape) that the kernel sees becomes one argument.
  unsigned argumentFor(Value buffer, ArrayRef<int64_t> shape);
  void collectArguments(const KernelGraph &graph, unsigned numDims);
  Value writeGeneric(const KernelGraph &graph, unsigned numDims, Value accumulator, Value out);
  Value emitNode(OpBuilder &body, const Node &node, ArrayRef<Value> values, ValueRange indices);

  std::optional<OperandForm> operandForm(const Node &node, unsigned numDims) const;
  ArrayRef<int64_t> parallelExtents() const {
    return ArrayRef(kernel.domain.extents).take_front(kernel.domain.numParallel);
  }

  OpBuilder &b;
  const Kernel &kernel;
  func::FuncOp function;
  SmallVector<Value> inputValues;
  SmallVector<RankedTensorType> inputTypes;
  llvm::DenseMap<const Node *, unsigned> arguments;
};
} // namespace

/// Row-major over some of the loops, from element 0 to the last one.
std::optional<OperandForm> KernelWriter::operandForm(const Node &node, unsigned numDims) const {
  LinearForm form(node.index);
  if (form.constant != 0 || !node.constraints.empty())
    return std::nullopt;
  for (auto &term : form.terms)
    if (!isa<AffineDimExpr>(term.first))
      return std::nullopt;
  llvm::sort(form.terms, [](auto &a, auto &b) { return a.second > b.second; });
  int64_t step = 1;
  SmallVector<AffineExpr> results;
  SmallVector<int64_t> shape;
  for (auto &[atom, scale] : llvm::reverse(form.terms)) {
    if (scale != step)
      return std::nullopt;
    int64_t extent = kernel.domain.extents[cast<AffineDimExpr>(atom).getPosition()];
    step *= extent;
    results.insert(results.begin(), atom);
    shape.insert(shape.begin(), extent);
  }
  if (step != tensorOf(node.value).getNumElements())
    return std::nullopt;
  return OperandForm{shape, AffineMap::get(numDims, 0, results, b.getContext())};
}

unsigned KernelWriter::argumentFor(Value buffer, ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, storageType(tensorOf(buffer).getElementType()));
  for (unsigned i = 0; i < inputValues.size(); ++i)
    if (inputValues[i] == buffer && inputTypes[i] == type)
      return i;
  inputValues.push_back(buffer);
  inputTypes.push_back(type);
  return inputValues.size() - 1;
}

void KernelWriter::collectArguments(const KernelGraph &graph, unsigned numDims) {
  for (const Node &node : graph.nodes) {
    if (node.kind != Node::Read)
      continue;
    if (auto form = operandForm(node, numDims))
      arguments[&node] = argumentFor(node.value, form->shape);
    else
      arguments[&node] = argumentFor(node.value, {tensorOf(node.value).getNumElements()});
  }
}

/// A pad value as it would lie in memory.
static Attribute storedPad(TypedAttr pad) {
  Type stored = storageType(pad.getType());
  if (stored == pad.getType())
    return pad;
  auto number = dyn_cast<IntegerAttr>(pad);
  APInt bits = number ? number.getValue() : cast<FloatAttr>(pad).getValue().bitcastToAPInt();
  return IntegerAttr::get(stored, bits.zextOrTrunc(stored.getIntOrFloatBitWidth()));
}

/// expr of the loop indices as an index value.
static Value applyExpr(OpBuilder &b, Location loc, AffineExpr expr, ValueRange indices) {
  return affine::AffineApplyOp::create(b, loc, AffineMap::get(indices.size(), 0, expr), indices);
}

Value KernelWriter::emitNode(OpBuilder &body, const Node &node, ArrayRef<Value> values,
                             ValueRange indices) {
  Location loc = node.loc;
  switch (node.kind) {
  case Node::Constant:
    return lowerConstant(body, loc, node.constant);
  case Node::Compute: {
    SmallVector<Value> operands;
    for (int operand : node.operands)
      operands.push_back(values[operand]);
    return lowerScalar(body, loc, node.op, operands);
  }
  case Node::Index: {
    Value index = arith::IndexCastOp::create(body, loc, body.getI64Type(),
                                             applyExpr(body, loc, node.index, indices));
    return lowerCast(body, loc, index, body.getI64Type(), node.type);
  }
  case Node::Guarded: {
    // From the last constraint to the first, which decides.
    Value value = values[node.operands[0]];
    for (const Constraint &constraint : llvm::reverse(node.constraints)) {
      Value number = applyExpr(body, loc, constraint.expr, indices);
      Value low = arith::ConstantIndexOp::create(body, loc, constraint.low);
      Value high = arith::ConstantIndexOp::create(body, loc, constraint.high);
      Value holds = arith::AndIOp::create(
          body, loc, arith::CmpIOp::create(body, loc, arith::CmpIPredicate::sge, number, low),
          arith::CmpIOp::create(body, loc, arith::CmpIPredicate::slt, number, high));
      value = arith::SelectOp::create(body, loc, holds, value,
                                      lowerConstant(body, loc, constraint.pad));
    }
    return value;
  }
  case Node::Read: { // not an operand: see writeGeneric
    Type stored = storageType(node.type);
    SmallVector<AffineExpr> guard;
    SmallVector<int64_t> lows, highs;
    SmallVector<Attribute> pads;
    for (const Constraint &constraint : node.constraints) {
      guard.push_back(constraint.expr);
      lows.push_back(constraint.low);
      highs.push_back(constraint.high);
      pads.push_back(storedPad(constraint.pad));
    }
    unsigned dims = indices.size();
    Value read = ReadOp::create(body, loc, stored, function.getArgument(arguments.lookup(&node)),
                                indices, AffineMap::get(dims, 0, node.index),
                                AffineMap::get(dims, 0, guard, body.getContext()), lows, highs,
                                body.getArrayAttr(pads));
    return fromStorage(body, loc, read, node.type);
  }
  case Node::Accumulator:
    break;
  }
  llvm_unreachable("accumulators are block arguments");
}

/// One linalg.generic over the first `numDims` loops. With `accumulator` it is an epilogue; where
/// it has reduction dims it combines into `out`.
Value KernelWriter::writeGeneric(const KernelGraph &graph, unsigned numDims, Value accumulator,
                                 Value out) {
  unsigned numParallel = kernel.domain.numParallel;
  AffineMap identity = AffineMap::getMultiDimIdentityMap(numParallel, b.getContext());
  AffineMap outMap = AffineMap::get(numDims, 0, identity.getResults(), b.getContext());
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  llvm::DenseMap<const Node *, unsigned> operandOf;
  for (const Node &node : graph.nodes) {
    if (node.kind == Node::Accumulator) {
      operandOf[&node] = operands.size();
      operands.push_back(accumulator);
      maps.push_back(outMap);
    }
    if (node.kind != Node::Read)
      continue;
    if (auto form = operandForm(node, numDims)) {
      operandOf[&node] = operands.size();
      operands.push_back(function.getArgument(arguments.lookup(&node)));
      maps.push_back(form->map);
    }
  }
  // linalg takes loop bounds from operand shapes: loops that only a tiny.read depends on need an
  // operand without data to give theirs.
  SmallVector<int64_t> windowShape;
  SmallVector<AffineExpr> windowDims;
  for (unsigned dim = numParallel; dim < numDims; ++dim)
    if (llvm::none_of(maps, [&](AffineMap map) { return map.isFunctionOfDim(dim); })) {
      windowShape.push_back(kernel.domain.extents[dim]);
      windowDims.push_back(b.getAffineDimExpr(dim));
    }
  if (!windowDims.empty()) {
    operands.push_back(
        tensor::EmptyOp::create(b, kernel.result.getLoc(), windowShape, b.getI8Type()));
    maps.push_back(AffineMap::get(numDims, 0, windowDims, b.getContext()));
  }
  maps.push_back(outMap);
  SmallVector<utils::IteratorType> iterators(numParallel, utils::IteratorType::parallel);
  iterators.resize(numDims, utils::IteratorType::reduction);
  // Without reduction dims left a reduction still starts from its identity.
  bool reduces = kernel.reduction && !accumulator;

  auto generic = linalg::GenericOp::create(
      b, kernel.result.getLoc(), out.getType(), operands, out, maps, iterators,
      [&](OpBuilder &body, Location loc, ValueRange blockArguments) {
        SmallVector<Value> indices;
        bool needsIndices = llvm::any_of(graph.nodes, [&](const Node &node) {
          return !operandOf.contains(&node) && (node.index || !node.constraints.empty());
        });
        for (unsigned dim = 0; needsIndices && dim < numDims; ++dim)
          indices.push_back(linalg::IndexOp::create(body, loc, dim));
        SmallVector<Value> values;
        for (const Node &node : graph.nodes) {
          if (!operandOf.contains(&node)) {
            values.push_back(emitNode(body, node, values, indices));
            continue;
          }
          Value argument = blockArguments[operandOf.lookup(&node)];
          values.push_back(node.kind == Node::Accumulator
                               ? fromAccumulator(body, node.loc, argument, node.type)
                               : fromStorage(body, node.loc, argument, node.type));
        }
        Value value = values[graph.root];
        Type type = graph.nodes[graph.root].type;
        if (reduces) {
          ReduceOp reduction = kernel.reduction;
          value = combine(body, reduction.getLoc(), reduction.getKind(), type,
                          blockArguments.back(), toAccumulator(body, loc, value, type));
        } else {
          value = toStorage(body, loc, value, type);
        }
        linalg::YieldOp::create(body, loc, value);
      });
  return generic.getResult(0);
}

func::FuncOp KernelWriter::write(StringRef name) {
  Location loc = kernel.result.getLoc();
  unsigned numParallel = kernel.domain.numParallel, numDims = kernel.domain.extents.size();
  collectArguments(kernel.body, numDims);
  collectArguments(kernel.epilogue, numParallel);

  auto outType = RankedTensorType::get(parallelExtents(),
                                       storageType(tensorOf(kernel.result).getElementType()));
  SmallVector<Type> types(inputTypes.begin(), inputTypes.end());
  types.push_back(outType);
  function = func::FuncOp::create(b, loc, name, b.getFunctionType(types, outType));
  function.setPrivate();
  function->setAttr("tiny.kernel", b.getUnitAttr());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(function.addEntryBlock());
  Value out = function.getArguments().back(), result;
  if (!kernel.reduction) {
    result = writeGeneric(kernel.body, numDims, {}, out);
  } else {
    ReduceOp reduction = kernel.reduction;
    Type element = reduction.getInput().getType().getElementType();
    Value empty = tensor::EmptyOp::create(b, loc, parallelExtents(), accumulatorType(element));
    Value identity = toAccumulator(
        b, loc, lowerConstant(b, loc, reduceIdentity(reduction.getKind(), element)), element);
    Value init =
        linalg::FillOp::create(b, loc, ValueRange{identity}, ValueRange{empty}).getResult(0);
    Value accumulated = writeGeneric(kernel.body, numDims, {}, init);
    result = writeGeneric(kernel.epilogue, numParallel, accumulated, out);
  }
  func::ReturnOp::create(b, loc, result);
  return function;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct FormKernelsPass : public tiny::impl::FormKernelsPassBase<FormKernelsPass> {
  using Base::Base;
  void runOnOperation() override;
};
} // namespace

/// Every returned value gets a buffer of its own: one that is an argument, a constant or returned
/// before is copied by a reshape that changes nothing.
static void separateResults(func::FuncOp function) {
  auto terminator = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  OpBuilder b(terminator);
  llvm::SmallDenseSet<Value> seen;
  for (OpOperand &operand : terminator->getOpOperands()) {
    Value value = operand.get();
    bool computed = value.getDefiningOp() && !isa<ConstantOp>(value.getDefiningOp());
    if (!computed || !seen.insert(value).second)
      operand.set(ReshapeOp::create(b, value.getLoc(), value.getType(), value));
  }
}

/// The reductions that combine nothing: over dims of size 1 (a reshape), and over no elements (the
/// identity everywhere). What is left has at least one loop that reduces.
static void replaceTrivialReductions(func::FuncOp function) {
  for (ReduceOp reduce : llvm::make_early_inc_range(function.getOps<ReduceOp>())) {
    RankedTensorType input = reduce.getInput().getType(), type = reduce.getType();
    OpBuilder b(reduce);
    Value replacement;
    if (input.getNumElements() == type.getNumElements())
      replacement = ReshapeOp::create(b, reduce.getLoc(), type, reduce.getInput());
    else if (input.getNumElements() == 0)
      replacement = ConstantOp::create(
          b, reduce.getLoc(),
          DenseElementsAttr::get(
              type, Attribute(reduceIdentity(reduce.getKind(), type.getElementType()))));
    if (!replacement)
      continue;
    reduce.replaceAllUsesWith(replacement);
    reduce.erase();
  }
}

/// Nothing outside the language reaches the Schedule stage.
static LogicalResult checkProgram(func::FuncOp function) {
  if (!llvm::hasSingleElement(function.getBody()))
    return function.emitOpError() << "has control flow; a tiny program is one block";
  for (Type type : function.getFunctionType().getInputs())
    if (!isa<RankedTensorType>(type))
      return function.emitOpError() << "takes " << type << "; only static tensors can be passed";
  for (Operation &op : function.getBody().front()) {
    bool known = isa<TinyDialect>(op.getDialect()) && !isa<LaunchOp, ReadOp>(op);
    if (!known && !isa<func::ReturnOp>(op))
      return op.emitOpError() << "is not part of a tiny program; only tiny ops and func.return are";
  }
  return success();
}

/// An empty tensor has no elements to compute.
static Value emptyConstant(OpBuilder &b, Value value) {
  auto empty = DenseElementsAttr::get(tensorOf(value), ArrayRef<Attribute>());
  return ConstantOp::create(b, value.getLoc(), empty);
}

void FormKernelsPass::runOnOperation() {
  ModuleOp module = getOperation();
  auto function = module.lookupSymbol<func::FuncOp>(entry);
  if (!function || function.isExternal()) {
    module.emitError() << "there is no function @" << entry << " to schedule";
    return signalPassFailure();
  }
  if (failed(checkProgram(function)))
    return signalPassFailure();
  replaceTrivialReductions(function);
  separateResults(function);

  Materialisation materialisation(function);
  std::vector<Kernel> kernels; // consumers first
  llvm::DenseSet<Value> takenIn;
  Block &block = function.getBody().front();
  for (Operation &op : llvm::reverse(block)) {
    if (op.getNumResults() != 1 || !materialisation.isRoot(op.getResult(0)) ||
        takenIn.contains(op.getResult(0)) || tensorOf(op.getResult(0)).getNumElements() == 0)
      continue;
    kernels.push_back(formKernel(op.getResult(0), materialisation));
    for (ReduceOp reduction : {kernels.back().reduction, kernels.back().foldedReduction})
      if (reduction)
        takenIn.insert(reduction.getResult());
  }

  SymbolTable symbols(module);
  OpBuilder b(module.getBodyRegion());
  llvm::DenseMap<Value, Value> computed;
  SmallVector<Operation *> old;
  for (Operation &op : block.without_terminator())
    if (!isa<ConstantOp, ExpectEqOp, ExpectCloseOp>(op))
      old.push_back(&op);
  for (Kernel &kernel : llvm::reverse(kernels)) {
    KernelWriter writer(b, kernel);
    b.setInsertionPointToEnd(module.getBody());
    func::FuncOp written = writer.write(nameKernel(kernel));
    symbols.insert(written);
    SmallVector<Value> operands;
    for (Value input : writer.inputs())
      operands.push_back(computed.count(input) ? computed.lookup(input) : input);
    b.setInsertionPointAfterValue(kernel.result);
    auto launch =
        LaunchOp::create(b, kernel.result.getLoc(), kernel.result.getType(), written.getSymName(),
                         operands, DenseI64ArrayAttr(), ArrayAttr());
    computed[kernel.result] = launch.getResult(0);
  }
  // Expectations and the return read the new values; what computed the old ones goes.
  for (Operation &op : block) {
    if (!isa<func::ReturnOp, ExpectEqOp, ExpectCloseOp>(op))
      continue;
    for (OpOperand &operand : op.getOpOperands()) {
      Value value = operand.get();
      if (computed.count(value)) {
        operand.set(computed.lookup(value));
      } else if (tensorOf(value).getNumElements() == 0 && value.getDefiningOp()) {
        b.setInsertionPoint(&op);
        operand.set(emptyConstant(b, value));
      }
    }
  }
  for (Operation *op : llvm::reverse(old))
    op->erase();
  for (Operation &op : llvm::make_early_inc_range(block))
    if (isa<ConstantOp>(op) && op.use_empty())
      op.erase();
}
