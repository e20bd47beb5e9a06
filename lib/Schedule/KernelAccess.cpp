//===- KernelAccess.cpp - which elements of its arguments a kernel touches ===//

#include "KernelAccess.h"

#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Schedule/View.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::tiny;

namespace {
/// The collection for one linalg op.
class Collector {
public:
  Collector(linalg::LinalgOp op, SmallVectorImpl<KernelAccess> &accesses)
      : op(op), extents(op.getStaticLoopRanges()), accesses(accesses) {}
  LogicalResult run();

private:
  /// An index as an expression of the loops, or null, and the loops that it depends on.
  struct Index {
    AffineExpr expr;
    llvm::SmallBitVector loops;
  };
  Index indexOf(Value value);
  llvm::SmallBitVector loopsOf(Value value);
  llvm::SmallBitVector loopsOf(AffineExpr expr) const;
  LogicalResult addOperand(OpOperand &operand);
  LogicalResult addRead(ReadOp read);
  LogicalResult addWrite(OpOperand &init);
  LogicalResult add(Value source, SmallVector<AffineExpr> indices, bool isWrite);
  /// Drops guards that always hold; false if one never does.
  bool simplifyGuards(SmallVectorImpl<AccessGuard> &guards) const;

  linalg::LinalgOp op;
  SmallVector<int64_t> extents;
  SmallVectorImpl<KernelAccess> &accesses;
};
} // namespace

/// The number of the element at `indices` of a row-major tensor.
static AffineExpr flatten(RankedTensorType type, ArrayRef<AffineExpr> indices,
                          MLIRContext *context) {
  AffineExpr flat = getAffineConstantExpr(0, context);
  int64_t stride = 1;
  for (auto [size, index] : llvm::reverse(llvm::zip(type.getShape(), indices))) {
    flat = flat + index * stride;
    stride *= size;
  }
  return flat;
}

/// Follows slices of a function argument: `indices` become those of the argument. Null, with
/// `indices` in no particular state, if `value` is something else.
static BlockArgument throughSlices(Value value, SmallVectorImpl<AffineExpr> &indices) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) { // a run of elements under a shape
      indices.assign({flatten(expand.getResultType(), indices, value.getContext())});
      value = expand.getSrc();
      continue;
    }
    auto slice = dyn_cast<tensor::ExtractSliceOp>(op);
    if (!slice)
      break;
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    SmallVector<AffineExpr> outer;
    unsigned inner = 0;
    for (unsigned dim = 0; dim < dropped.size(); ++dim) {
      int64_t offset = slice.getStaticOffsets()[dim], stride = slice.getStaticStrides()[dim];
      if (ShapedType::isDynamic(offset) || ShapedType::isDynamic(stride))
        return {};
      AffineExpr expr = getAffineConstantExpr(offset, value.getContext());
      if (!dropped.test(dim))
        expr = expr + indices[inner++] * stride;
      outer.push_back(expr);
    }
    indices.assign(outer);
    value = slice.getSource();
  }
  return dyn_cast<BlockArgument>(value);
}

BlockArgument mlir::tiny::destinationOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<tensor::ExtractSliceOp, tensor::ExpandShapeOp>(op))
      value = op->getOperand(0);
    else if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
      value = linalgOp.getDpsInits()[cast<OpResult>(value).getResultNumber()];
    else
      return {};
  }
  return dyn_cast<BlockArgument>(value);
}

llvm::SmallBitVector Collector::loopsOf(AffineExpr expr) const {
  llvm::SmallBitVector loops(extents.size());
  for (unsigned loop = 0; loop < extents.size(); ++loop)
    if (expr.isFunctionOfDim(loop))
      loops.set(loop);
  return loops;
}

/// The loops that a scalar of the body depends on.
llvm::SmallBitVector Collector::loopsOf(Value value) {
  llvm::SmallBitVector loops(extents.size());
  SmallVector<Value> worklist{value};
  llvm::SmallDenseSet<Value> seen;
  while (!worklist.empty()) {
    Value next = worklist.pop_back_val();
    if (!seen.insert(next).second)
      continue;
    if (auto argument = dyn_cast<BlockArgument>(next)) {
      if (argument.getOwner() != op.getBlock())
        continue;
      AffineMap map = op.getMatchingIndexingMap(&op->getOpOperand(argument.getArgNumber()));
      for (AffineExpr result : map.getResults())
        loops |= loopsOf(result);
    } else if (auto index = next.getDefiningOp<linalg::IndexOp>()) {
      loops.set(index.getDim());
    } else {
      llvm::append_range(worklist, next.getDefiningOp()->getOperands());
    }
  }
  return loops;
}

Collector::Index Collector::indexOf(Value value) {
  MLIRContext *context = value.getContext();
  auto known = [&](AffineExpr expr) { return Index{expr, loopsOf(expr)}; };
  Index unknown{AffineExpr(), loopsOf(value)};
  IntegerAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return known(getAffineConstantExpr(constant.getInt(), context));
  Operation *producer = value.getDefiningOp();
  if (auto index = dyn_cast_or_null<linalg::IndexOp>(producer))
    return known(getAffineDimExpr(index.getDim(), context));
  if (!isa_and_nonnull<affine::AffineApplyOp, arith::IndexCastOp, arith::AddIOp, arith::SubIOp,
                       arith::MulIOp>(producer))
    return unknown;
  SmallVector<AffineExpr> operands;
  for (Value operand : producer->getOperands()) {
    operands.push_back(indexOf(operand).expr);
    if (!operands.back())
      return unknown;
  }
  if (auto apply = dyn_cast<affine::AffineApplyOp>(producer)) {
    AffineMap map = apply.getAffineMap();
    ArrayRef<AffineExpr> all(operands);
    return known(map.getResult(0).replaceDimsAndSymbols(all.take_front(map.getNumDims()),
                                                        all.drop_front(map.getNumDims())));
  }
  // A narrower integer could wrap.
  if (!value.getType().isIndex() && !value.getType().isInteger(64))
    return unknown;
  if (isa<arith::IndexCastOp>(producer))
    return producer->getOperand(0).getType().isIndex() || value.getType().isIndex()
               ? known(operands[0])
               : unknown;
  if (isa<arith::AddIOp>(producer))
    return known(operands[0] + operands[1]);
  if (isa<arith::SubIOp>(producer))
    return known(operands[0] - operands[1]);
  if (operands[0].isSymbolicOrConstant() || operands[1].isSymbolicOrConstant())
    return known(operands[0] * operands[1]);
  return unknown;
}

bool Collector::simplifyGuards(SmallVectorImpl<AccessGuard> &guards) const {
  SmallVector<AccessGuard> kept;
  for (AccessGuard guard : guards) {
    guard.expr = simplify(guard.expr, extents);
    IndexRange range = rangeOf(guard.expr, extents);
    if (range.high < guard.low || range.low >= guard.high)
      return false;
    if ((range.low < guard.low || range.high >= guard.high) && !llvm::is_contained(kept, guard))
      kept.push_back(guard);
  }
  guards.assign(kept);
  return true;
}

LogicalResult Collector::add(Value source, SmallVector<AffineExpr> indices, bool isWrite) {
  BlockArgument argument = throughSlices(source, indices);
  if (!argument)
    return success(); // a local
  auto type = cast<RankedTensorType>(argument.getType());
  AffineExpr element = simplify(flatten(type, indices, op.getContext()), extents);
  accesses.push_back(
      {op, argument.getArgNumber(), isWrite, extents, element, loopsOf(element), {}});
  return success();
}

LogicalResult Collector::addOperand(OpOperand &operand) {
  if (!isa<RankedTensorType>(operand.get().getType()) ||
      op.getMatchingBlockArgument(&operand).use_empty())
    return success();
  return add(operand.get(), llvm::to_vector(op.getMatchingIndexingMap(&operand).getResults()),
             /*isWrite=*/false);
}

/// The result of `op` in `init`, if that is no local.
LogicalResult Collector::addWrite(OpOperand &init) {
  Value value = init.get();
  while (auto producer = value.getDefiningOp<linalg::LinalgOp>())
    value = producer.getDpsInits()[cast<OpResult>(value).getResultNumber()];
  AffineMap map = op.getMatchingIndexingMap(&init);
  SmallVector<AffineExpr> indices(map.getResults());
  llvm::SmallBitVector loops(extents.size());
  bool isKnown = true;
  if (&init == op.getDpsInitsMutable().end() - 1)
    for (PlaceOp place : op.getBlock()->getOps<PlaceOp>()) {
      Index index = indexOf(place.getIndex());
      if (index.expr)
        indices[place.getDim()] = index.expr;
      isKnown &= bool(index.expr);
    }
  for (AffineExpr index : indices)
    loops |= loopsOf(index);
  size_t first = accesses.size();
  if (failed(add(value, indices, /*isWrite=*/true)))
    return failure();
  if (!isKnown && accesses.size() > first) {
    // Each iteration is taken to store: at an element of its own, but data says which.
    accesses.back().element = {};
    accesses.back().loops = loops;
  }
  return success();
}

LogicalResult Collector::addRead(ReadOp read) {
  auto argument = dyn_cast<BlockArgument>(read.getSource());
  if (!argument)
    return read.emitOpError() << "reads something else than an argument of the kernel";
  SmallVector<AffineExpr> operands;
  SmallVector<llvm::SmallBitVector> operandLoops;
  for (Value index : read.getIndices()) {
    Index found = indexOf(index);
    operands.push_back(found.expr);
    operandLoops.push_back(found.loops);
  }
  // An operand that is not known may still not occur in an expression.
  auto isKnown = [&](AffineExpr expr) {
    for (unsigned i = 0; i < operands.size(); ++i)
      if (!operands[i] && expr.isFunctionOfDim(i))
        return false;
    return true;
  };
  auto substitute = [&](AffineExpr expr) {
    SmallVector<AffineExpr> replacements(operands);
    for (AffineExpr &replacement : replacements)
      if (!replacement)
        replacement = getAffineConstantExpr(0, op.getContext());
    return expr.replaceDims(replacements);
  };
  KernelAccess access{op,
                      argument.getArgNumber(),
                      /*isWrite=*/false,
                      extents,
                      AffineExpr(),
                      llvm::SmallBitVector(extents.size()),
                      {}};
  for (auto [expr, low, high] :
       llvm::zip(read.getGuard().getResults(), read.getLows(), read.getHighs()))
    if (isKnown(expr)) // what depends on data is taken to hold
      access.guards.push_back({substitute(expr), low, high});
  if (!simplifyGuards(access.guards))
    return success();
  AffineExpr element = flatten(cast<RankedTensorType>(argument.getType()),
                               read.getMap().getResults(), op.getContext());
  if (isKnown(element)) {
    access.element = simplify(substitute(element), extents);
    access.loops = loopsOf(access.element);
  } else {
    for (unsigned i = 0; i < operands.size(); ++i)
      if (element.isFunctionOfDim(i))
        access.loops |= operandLoops[i];
  }
  accesses.push_back(std::move(access));
  return success();
}

LogicalResult Collector::run() {
  if (llvm::any_of(extents, [](int64_t extent) { return ShapedType::isDynamic(extent); }))
    return op->emitOpError() << "has a loop whose length is not known";
  if (llvm::is_contained(extents, 0))
    return success(); // nothing runs
  for (OpOperand &operand : op->getOpOperands())
    if (failed(addOperand(operand)))
      return failure();
  WalkResult reads = op.getBlock()->walk([&](ReadOp read) {
    return failed(addRead(read)) ? WalkResult::interrupt() : WalkResult(success());
  });
  if (reads.wasInterrupted())
    return failure();
  for (OpOperand &init : op.getDpsInitsMutable())
    if (isa<RankedTensorType>(init.get().getType()) && failed(addWrite(init)))
      return failure();
  return success();
}

FailureOr<SmallVector<KernelAccess>> mlir::tiny::collectAccesses(func::FuncOp kernel) {
  SmallVector<KernelAccess> accesses;
  for (auto op : kernel.getOps<linalg::LinalgOp>())
    if (failed(Collector(op, accesses).run()))
      return failure();
  return accesses;
}

/// Whether `access` touches each element of `type` once: a row-major walk over some loops.
static bool isPermutationOf(const KernelAccess &access, RankedTensorType type) {
  if (!access.element || !access.guards.empty())
    return false;
  LinearForm form(access.element);
  if (form.constant != 0 ||
      !llvm::all_of(form.terms, [](auto &term) { return isa<AffineDimExpr>(term.first); }))
    return false;
  llvm::sort(form.terms, [](auto &a, auto &b) { return a.second < b.second; });
  int64_t step = 1;
  for (auto [dim, scale] : form.terms) {
    if (scale != step)
      return false;
    step *= access.extents[cast<AffineDimExpr>(dim).getPosition()];
  }
  // Loops that are not in the index would write an element again.
  int64_t iterations = 1;
  for (int64_t extent : access.extents)
    iterations *= extent;
  return step == type.getNumElements() && iterations == step;
}

bool mlir::tiny::mayWriteInPlace(ArrayRef<KernelAccess> accesses, unsigned input,
                                 unsigned destination) {
  const KernelAccess *write = nullptr;
  for (const KernelAccess &access : accesses) {
    if (access.argument == destination && (write || !access.isWrite))
      return false;
    if (access.argument == destination)
      write = &access;
  }
  if (!write)
    return false;
  auto kernel = (*write).op->getParentOfType<func::FuncOp>();
  auto written = cast<RankedTensorType>(kernel.getArgumentTypes()[destination]);
  auto read = cast<RankedTensorType>(kernel.getArgumentTypes()[input]);
  if (read.getNumElements() != written.getNumElements() ||
      read.getElementTypeBitWidth() != written.getElementTypeBitWidth() ||
      !isPermutationOf(*write, written))
    return false;
  return llvm::all_of(accesses, [&](const KernelAccess &access) {
    return access.argument != input ||
           (!access.isWrite && access.op == write->op && access.element == write->element);
  });
}
