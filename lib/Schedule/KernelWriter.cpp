//===- KernelWriter.cpp - a kernel as a function of linalg ops ------------===//
//
// An access whose flat index is row-major over a subset of the loops becomes an
// operand of the linalg op, under the shape that makes its map a projected
// permutation: a buffer is dense, so the shape is ours to choose. Every other
// access is a tiny.read in the body: linalg would accept some of those maps too,
// but tiles maps with mod or floordiv to a wrong slice, and cannot express guards.
//
//===----------------------------------------------------------------------===//

#include "KernelWriter.h"

#include "ScalarOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::tiny;

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

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

  auto outType = RankedTensorType::get(kernel.parallelExtents(),
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
    Value empty =
        tensor::EmptyOp::create(b, loc, kernel.parallelExtents(), accumulatorType(element));
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
