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
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::tiny;

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// The map under which a read is an operand of the linalg op, if it can be.
static std::optional<AffineMap> operandMap(const Nest &nest, const Node &read, unsigned numDims) {
  auto loops = rowMajorLoops(nest, read);
  if (!loops)
    return std::nullopt;
  MLIRContext *context = read.value.getContext();
  SmallVector<AffineExpr> results =
      llvm::map_to_vector(*loops, [&](unsigned loop) { return getAffineDimExpr(loop, context); });
  return AffineMap::get(numDims, 0, results, context);
}

unsigned KernelWriter::argumentFor(const Node &read, ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, storageType(tensorOf(read.value).getElementType()));
  for (unsigned i = 0; i < inputValues.size(); ++i)
    if (inputValues[i] == read.value && inputTypes[i] == type)
      return i;
  inputValues.push_back(read.value);
  inputTypes.push_back(type);
  return inputValues.size() - 1;
}

void KernelWriter::collectArguments(const Nest &nest, const KernelGraph &graph) {
  for (const Node &node : graph.nodes) {
    // What this kernel computes is none.
    if (node.kind != Node::Read || llvm::any_of(kernel.nests, [&](const Nest &other) {
          return other.result == node.value && &other != &nest;
        }))
      continue;
    SmallVector<int64_t> shape = {node.elements};
    if (auto loops = rowMajorLoops(nest, node))
      shape = llvm::map_to_vector(*loops, [&](unsigned loop) { return nest.extents()[loop]; });
    arguments[&node] = argumentFor(node, shape);
  }
}

/// The tensor that a read reads.
Value KernelWriter::sourceOf(const Node &read) {
  if (Value known = written.lookup(read.value))
    return known;
  return function.getArgument(arguments.lookup(&read));
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

/// `expr` of the indices as an index value. The first `numLoops` of them are loops; what depends on
/// the others, which data decides, is arithmetic of the body and no index map.
static Value applyExpr(OpBuilder &b, Location loc, AffineExpr expr, ValueRange indices,
                       unsigned numLoops) {
  for (unsigned dim = numLoops; dim < indices.size(); ++dim)
    if (expr.isFunctionOfDim(dim))
      return affine::expandAffineExpr(b, loc, expr, indices, {});
  return affine::AffineApplyOp::create(b, loc, AffineMap::get(numLoops, 0, expr),
                                       indices.take_front(numLoops));
}

/// A number that data decided, as an index. One that no index can be is never in bounds.
static Value indexFromData(OpBuilder &b, Location loc, Value number, Type type) {
  if (type.isUnsignedInteger())
    return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), number);
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), number);
}

Value KernelWriter::emitNode(OpBuilder &body, const Node &node, ArrayRef<Value> values,
                             ValueRange indices, unsigned numLoops) {
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
                                             applyExpr(body, loc, node.index, indices, numLoops));
    return lowerCast(body, loc, index, body.getI64Type(), node.type);
  }
  case Node::AddedToZero: {
    Value zero = toAccumulator(
        body, loc, lowerConstant(body, loc, reduceIdentity(ReduceKind::add, node.type)), node.type);
    Value sum = combine(body, loc, ReduceKind::add, node.type, zero,
                        toAccumulator(body, loc, values[node.operands[0]], node.type));
    return fromAccumulator(body, loc, sum, node.type);
  }
  case Node::Guarded: {
    // From the last constraint to the first, which decides.
    Value value = values[node.operands[0]];
    for (const Constraint &constraint : llvm::reverse(node.constraints)) {
      Value number = applyExpr(body, loc, constraint.expr, indices, numLoops);
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
    // Places that data decides are passed to who needs them, and has a guard for them.
    unsigned dims = numLoops;
    auto needs = [&](AffineExpr expr) {
      for (unsigned dim = numLoops; dim < indices.size(); ++dim)
        if (expr.isFunctionOfDim(dim))
          return true;
      return false;
    };
    if (needs(node.index) || llvm::any_of(guard, needs))
      dims = indices.size();
    Value read = ReadOp::create(body, loc, stored, sourceOf(node), indices.take_front(dims),
                                AffineMap::get(dims, 0, node.index),
                                AffineMap::get(dims, 0, guard, body.getContext()), lows, highs,
                                body.getArrayAttr(pads));
    return fromStorage(body, loc, read, node.type);
  }
  case Node::Accumulator:
  case Node::Scaled:
    break;
  }
  llvm_unreachable("accumulators are block arguments");
}

/// How a nest sees what it writes: by its loops, and along dims for which `placeAlong` has an index
/// by nothing else.
static AffineMap storeMap(const Nest &nest, unsigned numDims) {
  MLIRContext *context = nest.result.getContext();
  if (!nest.storesAtData() && !nest.isScan()) {
    AffineMap identity = AffineMap::getMultiDimIdentityMap(nest.domain.numParallel, context);
    return AffineMap::get(numDims, 0, identity.getResults(), context);
  }
  Slice slice = *sliceOf(nest);
  SmallVector<AffineExpr> results;
  for (int dim : slice.dims) {
    if (dim < 0) // of size 1: not in the type either
      continue;
    bool isLoop = dim < static_cast<int>(nest.numLoops());
    bool isReverse = slice.isReverse && dim == static_cast<int>(nest.domain.numParallel);
    results.push_back(isLoop && !isReverse ? getAffineDimExpr(dim, context)
                                           : getAffineConstantExpr(0, context));
  }
  return AffineMap::get(numDims, 0, results, context);
}

/// Says where the nest stores, along dims that its map says nothing of. `indices` has the loops,
/// then what data decides.
static void emitPlaces(OpBuilder &body, Location loc, const Nest &nest, ValueRange indices) {
  if (!nest.storesAtData() && !nest.isScan())
    return;
  Slice slice = *sliceOf(nest);
  for (auto [number, dim] : llvm::enumerate(slice.dims)) {
    if (dim >= static_cast<int>(nest.numLoops())) {
      PlaceOp::create(body, loc, indices[dim], number);
    } else if (slice.isReverse && dim == static_cast<int>(nest.domain.numParallel)) {
      AffineExpr fromEnd = nest.extents()[dim] - 1 - body.getAffineDimExpr(dim);
      PlaceOp::create(body, loc, applyExpr(body, loc, fromEnd, indices, nest.numLoops()), number);
    }
  }
}

/// One linalg.generic over the first `numDims` loops. With `accumulator` it is an epilogue; where
/// it has reduction dims it combines into `out`. A scan does both, and has `out` and a destination.
Value KernelWriter::writeGeneric(const Nest &nest, const KernelGraph &graph, unsigned numDims,
                                 Value accumulator, ValueRange outs, int scanned) {
  Location nestLoc = nest.result.getLoc();
  unsigned numParallel = nest.domain.numParallel;
  bool isScan = scanned >= 0;
  AffineMap outMap = storeMap(nest, numDims);
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  llvm::DenseMap<const Node *, unsigned> operandOf;
  for (const Node &node : graph.nodes) {
    if (node.kind == Node::Accumulator && !isScan) {
      operandOf[&node] = operands.size();
      operands.push_back(accumulator);
      maps.push_back(outMap);
    }
    if (node.kind != Node::Read)
      continue;
    if (auto map = operandMap(nest, node, numDims)) {
      operandOf[&node] = operands.size();
      operands.push_back(sourceOf(node));
      maps.push_back(*map);
    }
  }
  // linalg takes loop bounds from operand shapes: loops that only a tiny.read depends on need an
  // operand without data to give theirs.
  SmallVector<int64_t> windowShape;
  SmallVector<AffineExpr> windowDims;
  for (unsigned dim = numParallel; dim < numDims; ++dim)
    if (llvm::none_of(maps, [&](AffineMap map) { return map.isFunctionOfDim(dim); })) {
      windowShape.push_back(nest.extents()[dim]);
      windowDims.push_back(b.getAffineDimExpr(dim));
    }
  if (!windowDims.empty()) {
    operands.push_back(tensor::EmptyOp::create(b, nestLoc, windowShape, b.getI8Type()));
    maps.push_back(AffineMap::get(numDims, 0, windowDims, b.getContext()));
  }
  if (isScan) // the accumulators
    maps.push_back(AffineMap::get(
        numDims, 0, AffineMap::getMultiDimIdentityMap(numParallel, b.getContext()).getResults(),
        b.getContext()));
  maps.push_back(outMap);
  SmallVector<utils::IteratorType> iterators(numParallel, utils::IteratorType::parallel);
  iterators.resize(numDims, utils::IteratorType::reduction);
  // Without reduction dims left a reduction still starts from its identity.
  bool reduces = nest.reduction && !accumulator && !isScan;

  auto generic = linalg::GenericOp::create(
      b, nestLoc, outs.getTypes(), operands, outs, maps, iterators,
      [&](OpBuilder &body, Location loc, ValueRange blockArguments) {
        SmallVector<Value> indices;
        bool needsIndices =
            nest.storesAtData() || (isScan && sliceOf(nest)->isReverse) ||
            llvm::any_of(graph.nodes, [&](const Node &node) {
              return !operandOf.contains(&node) && (node.index || !node.constraints.empty());
            });
        for (unsigned dim = 0; needsIndices && dim < numDims; ++dim)
          indices.push_back(linalg::IndexOp::create(body, loc, dim));
        // Places that data decides are index values too, known once their nodes are.
        ArrayRef<int> dataNodes =
            &graph == &nest.body ? ArrayRef(nest.domain.dataNodes) : ArrayRef<int>();
        unsigned numData = 0;
        SmallVector<Value> values;
        llvm::SmallDenseMap<int, Value, 4> unrounded; // what factors of a sum apply to
        auto isRounded = [&](int number) {
          return number == graph.root || llvm::any_of(graph.nodes, [&](const Node &user) {
                   return user.kind != Node::Scaled && llvm::is_contained(user.operands, number);
                 });
        };
        auto addUnrounded = [&](int number, const Node &node, Value value) {
          unrounded[number] = value;
          values.push_back(isRounded(number) ? fromAccumulator(body, node.loc, value, node.type)
                                             : Value());
        };
        Value next; // of the accumulator of a scan
        for (auto [number, node] : llvm::enumerate(graph.nodes)) {
          if (node.kind == Node::Accumulator && isScan) {
            Value seen =
                nest.scans == Nest::Scan::exclusive ? blockArguments.drop_back().back() : next;
            values.push_back(fromAccumulator(body, node.loc, seen, node.type));
          } else if (node.kind == Node::Scaled) {
            int factor = node.operands[1];
            Value by = toAccumulator(body, node.loc, values[factor], graph.nodes[factor].type);
            Value sum = unrounded.lookup(node.operands[0]);
            addUnrounded(number, node,
                         isa<MulOp>(node.op)
                             ? arith::MulFOp::create(body, node.loc, sum, by).getResult()
                             : arith::DivFOp::create(body, node.loc, sum, by).getResult());
          } else if (!operandOf.contains(&node)) {
            values.push_back(emitNode(body, node, values, indices, numDims));
          } else if (Value argument = blockArguments[operandOf.lookup(&node)];
                     node.kind == Node::Accumulator) {
            addUnrounded(number, node, argument);
          } else {
            values.push_back(fromStorage(body, node.loc, argument, node.type));
          }
          if (static_cast<int>(number) == scanned) {
            ReduceOp reduction = nest.reduction;
            next = combine(body, reduction.getLoc(), reduction.getKind(), node.type,
                           blockArguments.drop_back().back(),
                           toAccumulator(body, loc, values.back(), node.type));
          }
          for (; numData < dataNodes.size() && dataNodes[numData] <= static_cast<int>(number);
               ++numData) {
            const Node &place = graph.nodes[dataNodes[numData]];
            indices.push_back(
                indexFromData(body, place.loc, values[dataNodes[numData]], place.type));
          }
        }
        if (isScan || !nest.reduction)
          emitPlaces(body, loc, nest, indices);
        Value value = values[graph.root];
        Type type = graph.nodes[graph.root].type;
        if (reduces) {
          ReduceOp reduction = nest.reduction;
          value = combine(body, reduction.getLoc(), reduction.getKind(), type,
                          blockArguments.back(), toAccumulator(body, loc, value, type));
        } else {
          value = toStorage(body, loc, value, type);
        }
        if (isScan)
          linalg::YieldOp::create(body, loc, ValueRange{next, value});
        else
          linalg::YieldOp::create(body, loc, value);
      });
  return generic.getResults().back();
}

/// Writes `graph` into `region`, its reads and its accumulator by `read` of the block's arguments.
void KernelWriter::writeRegion(
    Region &region, const KernelGraph &graph, TypeRange arguments,
    llvm::function_ref<Value(OpBuilder &, const Node &, ValueRange)> read,
    llvm::function_ref<Value(OpBuilder &, Value)> yield) {
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Location> locations(arguments.size(), region.getLoc());
  Block *block = b.createBlock(&region, region.end(), arguments, locations);
  SmallVector<Value> values;
  for (const Node &node : graph.nodes)
    values.push_back(node.kind == Node::Read || node.kind == Node::Accumulator
                         ? read(b, node, block->getArguments())
                         : emitNode(b, node, values, {}, 0));
  YieldOp::create(b, region.getLoc(), yield(b, values[graph.root]));
}

/// The online reduction of the kernel; what follows it in the nests are their epilogues.
void KernelWriter::writeOnline() {
  const OnlineReduction &online = *kernel.online;
  const Nest &pivot = kernel.nests[online.pivot];
  Location loc = pivot.result.getLoc();
  unsigned numLoops = online.extents.size(), numPivot = pivot.domain.numParallel;
  Type scoreType = tensorOf(online.score).getElementType();
  Type pivotType = tensorOf(pivot.result).getElementType();
  Type accumulator = accumulatorType(pivotType);
  auto mapOf = [&](ArrayRef<unsigned> loops) {
    return AffineMap::get(
        numLoops, 0,
        llvm::map_to_vector(loops, [&](unsigned loop) { return b.getAffineDimExpr(loop); }),
        b.getContext());
  };
  auto initOf = [&](const Nest &nest, ReduceKind kind) -> Value {
    Type element = ReduceOp(nest.reduction).getInput().getType().getElementType();
    Value empty = tensor::EmptyOp::create(b, loc, nest.parallelExtents(), accumulator);
    AffineMap map = AffineMap::getMultiDimIdentityMap(nest.domain.numParallel, b.getContext());
    SmallVector<utils::IteratorType> iterators(nest.domain.numParallel,
                                               utils::IteratorType::parallel);
    return linalg::GenericOp::create(
               b, loc, empty.getType(), ValueRange(), empty, ArrayRef<AffineMap>(map), iterators,
               [&](OpBuilder &body, Location nested, ValueRange) {
                 Value identity = toAccumulator(
                     body, nested, lowerConstant(body, nested, reduceIdentity(kind, element)),
                     element);
                 linalg::YieldOp::create(body, nested, identity);
               })
        .getResult(0);
  };

  // One input per buffer and map; a term reads them by number.
  SmallVector<Value> inputs = {sourceOf(pivot.body.nodes[pivot.body.root])};
  SmallVector<Value> inits = {initOf(pivot, ReduceKind::max)};
  SmallVector<AffineMap> maps = {mapOf(online.scoreLoops)}, initMaps;
  initMaps.push_back(mapOf(llvm::to_vector(llvm::seq<unsigned>(0, numPivot))));
  llvm::DenseMap<const Node *, unsigned> inputOf;
  for (const OnlineReduction::Sum &sum : online.sums) {
    const Nest &nest = kernel.nests[sum.nest];
    inits.push_back(initOf(nest, ReduceKind::add));
    initMaps.push_back(mapOf(ArrayRef(sum.loops).drop_back()));
    for (const Node &node : sum.term.nodes) {
      if (node.kind != Node::Read)
        continue;
      auto loops = llvm::map_to_vector(*rowMajorLoops(nest, node),
                                       [&](unsigned loop) { return sum.loops[loop]; });
      Value source = sourceOf(node);
      AffineMap map = mapOf(loops);
      unsigned number = 1;
      while (number < inputs.size() && (inputs[number] != source || maps[number] != map))
        ++number;
      if (number == inputs.size()) {
        inputs.push_back(source);
        maps.push_back(map);
      }
      inputOf[&node] = number;
    }
  }
  llvm::append_range(maps, initMaps);
  auto op = OnlineReduceOp::create(b, loc, ValueRange(inits).getTypes(), inputs, inits,
                                   b.getAffineMapArrayAttr(maps), 1);

  // weight(score, pivot), and rescale, the same with an older pivot for a score.
  auto storedScore = storageType(scoreType);
  Type weightType = online.weight.nodes[online.weight.root].type;
  writeRegion(
      op.getWeight(), online.weight, {storedScore, accumulator},
      [&](OpBuilder &body, const Node &node, ValueRange arguments) {
        return node.value == online.score
                   ? fromStorage(body, node.loc, arguments[0], scoreType)
                   : fromAccumulator(body, node.loc, arguments[1], pivotType);
      },
      [&](OpBuilder &body, Value value) { return toStorage(body, loc, value, weightType); });
  writeRegion(
      op.getRescale(), online.weight, {accumulator, accumulator},
      [&](OpBuilder &body, const Node &node, ValueRange arguments) {
        return fromAccumulator(body, node.loc, arguments[node.value == online.score ? 0 : 1],
                               pivotType);
      },
      [&](OpBuilder &body, Value value) { return toAccumulator(body, loc, value, weightType); });

  // The terms of all sums.
  SmallVector<Type> elements = {storageType(weightType)};
  for (Value input : ArrayRef(inputs).drop_front())
    elements.push_back(getElementTypeOrSelf(input));
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Location> locations(elements.size(), loc);
  Block *block = b.createBlock(&op.getCombine(), op.getCombine().end(), elements, locations);
  SmallVector<Value> terms;
  for (const OnlineReduction::Sum &sum : online.sums) {
    SmallVector<Value> values;
    for (const Node &node : sum.term.nodes) {
      if (node.kind == Node::Accumulator)
        values.push_back(fromStorage(b, node.loc, block->getArgument(0), weightType));
      else if (node.kind == Node::Read)
        values.push_back(
            fromStorage(b, node.loc, block->getArgument(inputOf.lookup(&node)), node.type));
      else
        values.push_back(emitNode(b, node, values, {}, 0));
    }
    terms.push_back(
        toAccumulator(b, loc, values[sum.term.root], sum.term.nodes[sum.term.root].type));
  }
  YieldOp::create(b, loc, terms);
  accumulated[pivot.result] = op.getResult(0);
  for (auto [number, sum] : llvm::enumerate(online.sums))
    accumulated[kernel.nests[sum.nest].result] = op.getResult(number + 1);
}

/// The one or two linalg ops of a nest.
Value KernelWriter::writeNest(const Nest &nest, Value out) {
  unsigned numParallel = nest.domain.numParallel, numLoops = nest.numLoops();
  if (Value sum = accumulated.lookup(nest.result)) {
    const KernelGraph *epilogue = &nest.epilogue; // of the pivot
    for (const OnlineReduction::Sum &online : kernel.online->sums)
      if (&kernel.nests[online.nest] == &nest)
        epilogue = &online.epilogue;
    return writeGeneric(nest, *epilogue, numParallel, sum, out);
  }
  if (!nest.reduction)
    return writeGeneric(nest, nest.body, numLoops, {}, out);
  Location loc = nest.result.getLoc();
  ReduceOp reduction = nest.reduction;
  Type element = reduction.getInput().getType().getElementType();
  Value empty = tensor::EmptyOp::create(b, loc, nest.parallelExtents(), accumulatorType(element));
  Value identity = toAccumulator(
      b, loc, lowerConstant(b, loc, reduceIdentity(reduction.getKind(), element)), element);
  Value init = linalg::FillOp::create(b, loc, ValueRange{identity}, ValueRange{empty}).getResult(0);
  if (nest.isScan()) {
    KernelGraph whole;
    llvm::DenseMap<int, int> moved, movedEpilogue;
    int term = whole.append(nest.body, nest.body.root, moved);
    whole.root = whole.append(nest.epilogue, nest.epilogue.root, movedEpilogue);
    for (const KernelGraph *graph : {&nest.body, &nest.epilogue})
      for (auto [from, to] : graph == &nest.body ? moved : movedEpilogue)
        if (graph->nodes[from].kind == Node::Read)
          arguments[&whole.nodes[to]] = arguments.lookup(&graph->nodes[from]);
    return writeGeneric(nest, whole, numLoops, {}, {init, out}, term);
  }
  Value accumulated = writeGeneric(nest, nest.body, numLoops, {}, init);
  return writeGeneric(nest, nest.epilogue, numParallel, accumulated, out);
}

/// The scalar programs that the kernel has, and the nests whose loops they are over.
void KernelWriter::forEachGraph(
    llvm::function_ref<void(const Nest &, const KernelGraph &)> visit) const {
  for (auto [number, nest] : llvm::enumerate(kernel.nests)) {
    bool inOnline = kernel.online && kernel.online->contains(number);
    if (!inOnline || number == kernel.online->pivot) {
      visit(nest, nest.body);
      visit(nest, nest.epilogue);
    }
  }
  if (!kernel.online)
    return;
  for (const OnlineReduction::Sum &sum : kernel.online->sums) {
    visit(kernel.nests[sum.nest], sum.term);
    visit(kernel.nests[sum.nest], sum.epilogue);
  }
}

/// Whether a nest of the online reduction has a result of its own.
bool KernelWriter::isWritten(unsigned number) const {
  if (llvm::is_contained(kernel.online->weights, number))
    return false;
  const Nest &nest = kernel.nests[number];
  bool isRead = !kernel.isLocal(nest);
  forEachGraph([&](const Nest &, const KernelGraph &graph) {
    for (const Node &node : graph.nodes)
      isRead |= node.kind == Node::Read && node.value == nest.result;
  });
  return isRead;
}

func::FuncOp KernelWriter::write(StringRef name) {
  forEachGraph([&](const Nest &nest, const KernelGraph &graph) { collectArguments(nest, graph); });
  SmallVector<const Nest *> results = kernel.results();
  SmallVector<Type> types(inputTypes.begin(), inputTypes.end()), resultTypes;
  for (const Nest *nest : results) {
    SmallVector<int64_t> shape(nest->parallelExtents());
    if (nest->writesPart() || nest->isScan())
      shape = sliceOf(*nest)->shape;
    Type element = storageType(nest->resultType().getElementType());
    resultTypes.push_back(RankedTensorType::get(shape, element));
  }
  llvm::append_range(types, resultTypes);
  Location loc = kernel.nests.back().result.getLoc();
  function = func::FuncOp::create(b, loc, name, b.getFunctionType(types, resultTypes));
  function.setPrivate();
  function->setAttr("tiny.kernel", b.getUnitAttr());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(function.addEntryBlock());
  SmallVector<Value> returned;
  for (auto [number, nest] : llvm::enumerate(kernel.nests)) {
    if (kernel.online && kernel.online->contains(number)) {
      if (accumulated.empty())
        writeOnline();
      if (!isWritten(number))
        continue;
    }
    Location nestLoc = nest.result.getLoc();
    auto type = RankedTensorType::get(nest.parallelExtents(),
                                      storageType(nest.resultType().getElementType()));
    if (kernel.isLocal(nest)) {
      Value empty = tensor::EmptyOp::create(b, nestLoc, type.getShape(), type.getElementType());
      written[nest.result] = writeNest(nest, empty);
      continue;
    }
    Value destination = function.getArgument(inputTypes.size() + returned.size());
    if (!nest.writesPart() && !nest.isScan()) {
      returned.push_back(writeNest(nest, destination));
      written[nest.result] = returned.back();
      continue;
    }
    Slice slice = *sliceOf(nest);
    if (slice.sizes == slice.shape) { // by one that data decides: there is no smaller part
      returned.push_back(writeNest(nest, destination));
      continue;
    }
    auto fold = [&](ArrayRef<int64_t> numbers) {
      return getAsIndexOpFoldResult(b.getContext(), numbers);
    };
    if (nest.storesAtData() || nest.isScan())
      type = RankedTensorType::get(ArrayRef(slice.sizes).drop_back(slice.dims.back() < 0 ? 1 : 0),
                                   type.getElementType());
    SmallVector<OpFoldResult> offsets = fold(slice.offsets), sizes = fold(slice.sizes);
    SmallVector<OpFoldResult> strides(offsets.size(), b.getIndexAttr(1));
    auto partType = slice.isRun ? RankedTensorType::get(slice.sizes, type.getElementType()) : type;
    Value part =
        tensor::ExtractSliceOp::create(b, nestLoc, partType, destination, offsets, sizes, strides);
    ReassociationIndices allLoops = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
    if (slice.isRun)
      part = tensor::ExpandShapeOp::create(b, nestLoc, type, part, {allLoops});
    Value computed = writeNest(nest, part);
    if (slice.isRun)
      computed = tensor::CollapseShapeOp::create(b, nestLoc, partType, computed, {allLoops});
    returned.push_back(
        tensor::InsertSliceOp::create(b, nestLoc, computed, destination, offsets, sizes, strides));
  }
  func::ReturnOp::create(b, loc, returned);
  return function;
}
