//===- TensorProgram.cpp - evaluate linalg on tensors, in f64 -------------===//

#include "TensorProgram.h"

#include "Tiny/IR/TinyDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::testing;

namespace {
/// Visits all indices below `extents`.
template <typename Visit> void forEachIndex(ArrayRef<int64_t> extents, Visit visit) {
  SmallVector<int64_t> index(extents.size(), 0);
  if (llvm::is_contained(extents, 0))
    return;
  while (true) {
    visit(ArrayRef<int64_t>(index));
    size_t dim = extents.size();
    while (dim > 0 && ++index[dim - 1] == extents[dim - 1])
      index[--dim] = 0;
    if (dim == 0)
      return;
  }
}

int64_t offsetOf(const Tensor &tensor, ArrayRef<int64_t> index) {
  int64_t offset = 0;
  for (auto [size, place] : llvm::zip(tensor.shape, index)) {
    if (place < 0 || place >= size)
      llvm::report_fatal_error("an access is out of bounds");
    offset = offset * size + place;
  }
  return offset;
}

class Evaluator {
public:
  void run(Block &block);
  llvm::DenseMap<Value, Tensor> tensors;
  llvm::DenseMap<Value, double> scalars;

private:
  void run(Operation &op);
  void runGeneric(linalg::GenericOp op);
  void runOnline(OnlineReduceOp op);
  void runForall(scf::ForallOp op);
  void runFor(scf::ForOp op);
  int64_t numberOf(OpFoldResult value);
  double valueOf(Value value) const {
    auto found = scalars.find(value);
    if (found == scalars.end())
      llvm::report_fatal_error("a scalar has no value");
    return found->second;
  }
  SmallVector<int64_t> numbersOf(ArrayRef<OpFoldResult> values) {
    return llvm::map_to_vector(values, [&](OpFoldResult value) { return numberOf(value); });
  }
  SmallVector<double> yielded(Block &block, ArrayRef<double> arguments);
  /// The place in `whole` of each element of a slice, whose shape may lack unit dims.
  SmallVector<int64_t> placesOf(const Tensor &whole, OffsetSizeAndStrideOpInterface slice);
};
} // namespace

int64_t Evaluator::numberOf(OpFoldResult value) {
  if (auto known = getConstantIntValue(value))
    return *known;
  return static_cast<int64_t>(valueOf(cast<Value>(value)));
}

SmallVector<int64_t> Evaluator::placesOf(const Tensor &whole,
                                         OffsetSizeAndStrideOpInterface slice) {
  SmallVector<int64_t> offsets = numbersOf(slice.getMixedOffsets()),
                       strides = numbersOf(slice.getMixedStrides()), places;
  forEachIndex(numbersOf(slice.getMixedSizes()), [&](ArrayRef<int64_t> index) {
    SmallVector<int64_t> place;
    for (auto [at, offset, stride] : llvm::zip(index, offsets, strides))
      place.push_back(offset + at * stride);
    places.push_back(offsetOf(whole, place));
  });
  return places;
}

SmallVector<double> Evaluator::yielded(Block &block, ArrayRef<double> arguments) {
  for (auto [argument, value] : llvm::zip(block.getArguments(), arguments))
    scalars[argument] = value;
  for (Operation &op : block.without_terminator())
    run(op);
  return llvm::map_to_vector(block.getTerminator()->getOperands(),
                             [&](Value value) { return valueOf(value); });
}

void Evaluator::runGeneric(linalg::GenericOp op) {
  SmallVector<int64_t> extents(op.getNumLoops(), 0);
  for (OpOperand &operand : op->getOpOperands())
    for (auto [dim, expr] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults()))
      if (auto loop = dyn_cast<AffineDimExpr>(expr))
        extents[loop.getPosition()] = tensors[operand.get()].shape[dim];
  Tensor result = tensors[op.getDpsInits()[0]];
  forEachIndex(extents, [&](ArrayRef<int64_t> index) {
    SmallVector<double> arguments;
    int64_t place = 0;
    for (OpOperand &operand : op->getOpOperands()) {
      const Tensor &tensor = op.isDpsInit(&operand) ? result : tensors.find(operand.get())->second;
      place = offsetOf(tensor, op.getMatchingIndexingMap(&operand).compose(index));
      arguments.push_back(tensor.elements[place]);
    }
    result.elements[place] = yielded(*op.getBody(), arguments)[0];
  });
  tensors[op.getResult(0)] = std::move(result);
}

void Evaluator::runOnline(OnlineReduceOp op) {
  // Not from the types: a tile may have sizes that are not known before it runs.
  SmallVector<int64_t> extents(op.getNumLoops(), 0);
  for (auto [number, operand] : llvm::enumerate(op.getOperands()))
    for (auto [dim, expr] : llvm::enumerate(op.getMap(number).getResults()))
      extents[cast<AffineDimExpr>(expr).getPosition()] = tensors[operand].shape[dim];
  auto at = [&](unsigned operand, const Tensor &tensor, ArrayRef<int64_t> index) {
    return offsetOf(tensor, op.getMap(operand).compose(index));
  };
  unsigned numInputs = op.getInputs().size();
  std::vector<Tensor> results;
  for (Value init : op.getInits())
    results.push_back(tensors[init]);
  Tensor older = results[0];
  const Tensor &score = tensors[op.getInputs()[0]];
  forEachIndex(extents, [&](ArrayRef<int64_t> index) {
    double &pivot = results[0].elements[at(numInputs, results[0], index)];
    pivot = std::fmax(pivot, score.elements[at(0, score, index)]);
  });
  auto finite = [](double pivot) {
    return std::fmax(pivot, -static_cast<double>(std::numeric_limits<float>::max()));
  };
  for (unsigned number = 1; number < results.size(); ++number) {
    Tensor &sum = results[number];
    // The loops of this sum: others have no part in it.
    SmallVector<int64_t> own(extents);
    for (unsigned loop = 0; loop < op.getFirstReduction(); ++loop)
      if (!op.getInitMap(number).isFunctionOfDim(loop))
        own[loop] = 1;
    std::vector<bool> seen(sum.elements.size(), false);
    forEachIndex(own, [&](ArrayRef<int64_t> index) {
      double pivot = results[0].elements[at(numInputs, results[0], index)];
      int64_t place = at(numInputs + number, sum, index);
      if (!seen[place]) {
        double before = older.elements[at(numInputs, older, index)];
        sum.elements[place] *= yielded(op.getRescale().front(), {finite(before), finite(pivot)})[0];
        seen[place] = true;
      }
      double weight =
          yielded(op.getWeight().front(), {score.elements[at(0, score, index)], finite(pivot)})[0];
      SmallVector<double> elements = {weight};
      for (unsigned input = 1; input < numInputs; ++input) {
        const Tensor &tensor = tensors[op.getInputs()[input]];
        elements.push_back(tensor.elements[at(input, tensor, index)]);
      }
      sum.elements[place] += yielded(op.getCombine().front(), elements)[number - 1];
    });
  }
  for (auto [result, tensor] : llvm::zip(op.getResults(), results))
    tensors[result] = std::move(tensor);
}

void Evaluator::runFor(scf::ForOp op) {
  for (auto [argument, init] : llvm::zip(op.getRegionIterArgs(), op.getInitArgs()))
    tensors[argument] = tensors[init];
  int64_t high = numberOf(op.getUpperBound()), step = numberOf(op.getStep());
  for (int64_t at = numberOf(op.getLowerBound()); at < high; at += step) {
    scalars[op.getInductionVar()] = at;
    run(*op.getBody());
    std::vector<Tensor> carried;
    for (Value value : op.getYieldedValues())
      carried.push_back(tensors[value]);
    for (auto [argument, tensor] : llvm::zip(op.getRegionIterArgs(), carried))
      tensors[argument] = std::move(tensor);
  }
  for (auto [result, argument] : llvm::zip(op.getResults(), op.getRegionIterArgs()))
    tensors[result] = tensors[argument];
}

void Evaluator::runForall(scf::ForallOp op) {
  for (auto [argument, init] : llvm::zip(op.getRegionIterArgs(), op.getOutputs()))
    tensors[argument] = tensors[init];
  std::vector<Tensor> results;
  for (Value init : op.getOutputs())
    results.push_back(tensors[init]);
  SmallVector<int64_t> lows = numbersOf(op.getMixedLowerBound()),
                       highs = numbersOf(op.getMixedUpperBound()),
                       steps = numbersOf(op.getMixedStep()), trips;
  for (auto [low, high, step] : llvm::zip(lows, highs, steps))
    trips.push_back(llvm::divideCeil(high - low, step));
  forEachIndex(trips, [&](ArrayRef<int64_t> index) {
    for (auto [variable, at, low, step] : llvm::zip(op.getInductionVars(), index, lows, steps))
      scalars[variable] = low + at * step;
    for (Operation &inner : op.getBody()->without_terminator())
      run(inner);
    for (Operation &inner : op.getTerminator().getYieldingOps()) {
      auto insert = cast<tensor::ParallelInsertSliceOp>(inner);
      unsigned number = cast<BlockArgument>(insert.getDest()).getArgNumber() - op.getRank();
      SmallVector<int64_t> places = placesOf(results[number], insert);
      for (auto [place, element] : llvm::zip(places, tensors[insert.getSource()].elements))
        results[number].elements[place] = element;
    }
  });
  for (auto [result, tensor] : llvm::zip(op.getResults(), results))
    tensors[result] = std::move(tensor);
}

void Evaluator::run(Operation &op) {
  auto scalar = [&](unsigned number) { return valueOf(op.getOperand(number)); };
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (auto number = dyn_cast<FloatAttr>(constant.getValue()))
      scalars[constant] = number.getValueAsDouble();
    else
      scalars[constant] = cast<IntegerAttr>(constant.getValue()).getInt();
  } else if (isa<arith::AddFOp>(op)) {
    scalars[op.getResult(0)] = scalar(0) + scalar(1);
  } else if (isa<arith::SubFOp>(op)) {
    scalars[op.getResult(0)] = scalar(0) - scalar(1);
  } else if (isa<arith::MulFOp>(op)) {
    scalars[op.getResult(0)] = scalar(0) * scalar(1);
  } else if (isa<arith::MaximumFOp>(op)) {
    scalars[op.getResult(0)] = std::fmax(scalar(0), scalar(1));
  } else if (isa<math::Exp2Op>(op)) {
    scalars[op.getResult(0)] = std::exp2(scalar(0));
  } else if (isa<affine::AffineApplyOp, affine::AffineMinOp>(op)) {
    AffineMap map = isa<affine::AffineApplyOp>(op) ? cast<affine::AffineApplyOp>(op).getAffineMap()
                                                   : cast<affine::AffineMinOp>(op).getAffineMap();
    SmallVector<int64_t> operands;
    for (Value operand : op.getOperands())
      operands.push_back(static_cast<int64_t>(valueOf(operand)));
    SmallVector<AffineExpr> dims, symbols;
    for (auto [number, operand] : llvm::enumerate(operands))
      (number < map.getNumDims() ? dims : symbols)
          .push_back(getAffineConstantExpr(operand, op.getContext()));
    double least = std::numeric_limits<double>::infinity();
    for (AffineExpr expr : map.getResults())
      least = std::fmin(
          least, cast<AffineConstantExpr>(expr.replaceDimsAndSymbols(dims, symbols)).getValue());
    scalars[op.getResult(0)] = least;
  } else if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
    Tensor tensor{numbersOf(empty.getMixedSizes()), {}};
    int64_t count = 1;
    for (int64_t size : tensor.shape)
      count *= size;
    // Nothing may read it.
    tensor.elements.assign(count, std::numeric_limits<double>::quiet_NaN());
    tensors[empty] = std::move(tensor);
  } else if (auto fill = dyn_cast<linalg::FillOp>(op)) {
    Tensor tensor = tensors[fill.getOutputs()[0]];
    std::fill(tensor.elements.begin(), tensor.elements.end(), valueOf(fill.getInputs()[0]));
    tensors[fill.getResult(0)] = std::move(tensor);
  } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    const Tensor &whole = tensors[slice.getSource()];
    Tensor part;
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    for (auto [dim, size] : llvm::enumerate(numbersOf(slice.getMixedSizes())))
      if (!dropped.test(dim))
        part.shape.push_back(size);
    for (int64_t place : placesOf(whole, slice))
      part.elements.push_back(whole.elements[place]);
    tensors[slice.getResult()] = std::move(part);
  } else if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
    Tensor whole = tensors[insert.getDest()];
    SmallVector<int64_t> places = placesOf(whole, insert);
    for (auto [place, element] : llvm::zip(places, tensors[insert.getSource()].elements))
      whole.elements[place] = element;
    tensors[insert.getResult()] = std::move(whole);
  } else if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    runGeneric(generic);
  } else if (auto online = dyn_cast<OnlineReduceOp>(op)) {
    runOnline(online);
  } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
    runFor(loop);
  } else if (auto loop = dyn_cast<scf::ForallOp>(op)) {
    runForall(loop);
  } else {
    llvm::errs() << op << "\n";
    llvm::report_fatal_error("the evaluator of the tests does not know this op");
  }
}

void Evaluator::run(Block &block) {
  for (Operation &op : block.without_terminator())
    run(op);
}

std::vector<Tensor> testing::evaluate(func::FuncOp function, ArrayRef<Tensor> arguments) {
  Evaluator evaluator;
  for (auto [argument, tensor] : llvm::zip(function.getArguments(), arguments))
    evaluator.tensors[argument] = tensor;
  evaluator.run(function.getBody().front());
  std::vector<Tensor> results;
  for (Value value : function.getBody().front().getTerminator()->getOperands())
    results.push_back(evaluator.tensors[value]);
  return results;
}
