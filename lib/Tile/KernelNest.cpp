//===- KernelNest.cpp - read a kernel's loops and accesses ----------------===//

#include "KernelNest.h"

#include "Tiny/IR/TinyDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/AffineExprVisitor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Affine arithmetic
//===----------------------------------------------------------------------===//

Interval IndexSpace::rangeOf(AffineExpr expr) const {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return {constant.getValue(), constant.getValue()};
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Interval lhs = rangeOf(binary.getLHS()), rhs = rangeOf(binary.getRHS());
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return {lhs.min + rhs.min, lhs.max + rhs.max};
  case AffineExprKind::Mul: {
    auto corners = {lhs.min * rhs.min, lhs.min * rhs.max, lhs.max * rhs.min, lhs.max * rhs.max};
    return {std::min(corners), std::max(corners)};
  }
  case AffineExprKind::FloorDiv:
    return {llvm::divideFloorSigned(lhs.min, rhs.min), llvm::divideFloorSigned(lhs.max, rhs.min)};
  case AffineExprKind::CeilDiv:
    return {llvm::divideCeilSigned(lhs.min, rhs.min), llvm::divideCeilSigned(lhs.max, rhs.min)};
  case AffineExprKind::Mod:
    if (llvm::divideFloorSigned(lhs.min, rhs.min) == llvm::divideFloorSigned(lhs.max, rhs.min))
      return {llvm::mod(lhs.min, rhs.min), llvm::mod(lhs.max, rhs.min)};
    return {0, rhs.min - 1};
  default:
    llvm_unreachable("leaves were handled above");
  }
}

AffineExpr IndexSpace::simplify(AffineExpr expr) const {
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr)) {
    AffineExpr lhs = simplify(binary.getLHS()), rhs = simplify(binary.getRHS());
    AffineExpr rebuilt = getAffineBinaryOpExpr(expr.getKind(), lhs, rhs);
    auto divisor = dyn_cast<AffineConstantExpr>(rhs);
    if (divisor &&
        (expr.getKind() == AffineExprKind::Mod || expr.getKind() == AffineExprKind::FloorDiv)) {
      Interval range = rangeOf(lhs);
      int64_t quotient = llvm::divideFloorSigned(range.min, divisor.getValue());
      if (quotient == llvm::divideFloorSigned(range.max, divisor.getValue()))
        rebuilt = expr.getKind() == AffineExprKind::Mod
                      ? lhs - quotient * divisor.getValue()
                      : getAffineConstantExpr(quotient, expr.getContext());
    }
    expr = rebuilt;
  }
  return simplifyAffineExpr(expr, dims.size(), symbols.size());
}

/// Adds `scale` times `expr` to `form`, distributing over sums.
static void accumulate(LinearForm &form, AffineExpr expr, int64_t scale) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    form.constant += scale * constant.getValue();
    return;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (binary && expr.getKind() == AffineExprKind::Add) {
    accumulate(form, binary.getLHS(), scale);
    accumulate(form, binary.getRHS(), scale);
    return;
  }
  if (binary && expr.getKind() == AffineExprKind::Mul) {
    auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS());
    auto factorLeft = dyn_cast<AffineConstantExpr>(binary.getLHS());
    if (factor || factorLeft) {
      accumulate(form, factor ? binary.getLHS() : binary.getRHS(),
                 scale * (factor ? factor : factorLeft).getValue());
      return;
    }
  }
  for (auto &[term, coefficient] : form.terms) {
    if (term == expr) {
      coefficient += scale;
      return;
    }
  }
  form.terms.emplace_back(expr, scale);
}

LinearForm::LinearForm(AffineExpr expr) {
  accumulate(*this, expr, 1);
  llvm::erase_if(terms, [](auto &term) { return term.second == 0; });
}

std::optional<int64_t> LinearForm::strideAlong(unsigned dim) const {
  int64_t stride = 0;
  for (auto [term, coefficient] : terms) {
    if (auto dimExpr = dyn_cast<AffineDimExpr>(term)) {
      if (dimExpr.getPosition() == dim)
        stride = coefficient;
    } else if (term.isFunctionOfDim(dim)) {
      return std::nullopt;
    }
  }
  return stride;
}

bool LinearForm::dependsOn(unsigned dim) const {
  return llvm::any_of(terms, [&](auto &term) { return term.first.isFunctionOfDim(dim); });
}

bool Access::dependsOn(unsigned dim) const {
  return flat.isFunctionOfDim(dim) ||
         llvm::any_of(guards, [&](const Guard &g) { return g.expr.isFunctionOfDim(dim); });
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

/// The values that a workgroup number takes; a value that nothing is known of is an error for the
/// caller, so that no bound rests on a guess.
static std::optional<Interval> rangeOfOuter(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument)
    return std::nullopt;
  auto forall = dyn_cast<scf::ForallOp>(argument.getOwner()->getParentOp());
  if (!forall || argument.getArgNumber() >= forall.getRank())
    return std::nullopt;
  unsigned loop = argument.getArgNumber();
  std::optional<int64_t> low = getConstantIntValue(forall.getMixedLowerBound()[loop]);
  std::optional<int64_t> high = getConstantIntValue(forall.getMixedUpperBound()[loop]);
  std::optional<int64_t> step = getConstantIntValue(forall.getMixedStep()[loop]);
  if (!low || !high || !step || *high <= *low)
    return std::nullopt;
  return Interval{*low, *low + (*high - 1 - *low) / *step * *step};
}

/// `index` as an expression of the loops and of values from outside of the nest.
FailureOr<AffineExpr> KernelNest::indexExpr(Value index) {
  MLIRContext *context = epilogue.getContext();
  IntegerAttr constant;
  if (matchPattern(index, m_Constant(&constant)))
    return getAffineConstantExpr(constant.getInt(), context);
  if (auto loop = index.getDefiningOp<linalg::IndexOp>())
    return getAffineDimExpr(loop.getDim(), context);
  if (auto apply = index.getDefiningOp<affine::AffineApplyOp>()) {
    SmallVector<AffineExpr> operands;
    for (Value operand : apply.getOperands()) {
      FailureOr<AffineExpr> expr = indexExpr(operand);
      if (failed(expr))
        return failure();
      operands.push_back(*expr);
    }
    AffineMap map = apply.getAffineMap();
    ArrayRef<AffineExpr> all(operands);
    return map.getResult(0).replaceDimsAndSymbols(all.take_front(map.getNumDims()),
                                                  all.drop_front(map.getNumDims()));
  }
  for (auto [number, known] : llvm::enumerate(symbolValues))
    if (known == index)
      return getAffineSymbolExpr(number, context);
  std::optional<Interval> range = rangeOfOuter(index);
  if (!range)
    return epilogue.emitOpError() << "uses an index that is neither a loop nor a workgroup: "
                                  << index;
  symbolValues.push_back(index);
  space.symbols.push_back(*range);
  return getAffineSymbolExpr(symbolValues.size() - 1, context);
}

/// The access of `source` at `indices`, followed through slices to the kernel's argument.
FailureOr<Access> KernelNest::access(Value source, SmallVector<AffineExpr> indices) {
  while (Operation *op = source.getDefiningOp()) {
    auto slice = dyn_cast<OffsetSizeAndStrideOpInterface>(op);
    if (!slice || !isa<memref::SubViewOp, tensor::ExtractSliceOp>(op))
      return op->emitOpError() << "is read by a kernel, but is not a slice of one of its arguments";
    llvm::SmallBitVector dropped = isa<memref::SubViewOp>(op)
                                       ? cast<memref::SubViewOp>(op).getDroppedDims()
                                       : cast<tensor::ExtractSliceOp>(op).getDroppedDims();
    SmallVector<AffineExpr> outer;
    unsigned inner = 0;
    for (auto [dim, offset] : llvm::enumerate(slice.getMixedOffsets())) {
      std::optional<int64_t> stride = getConstantIntValue(slice.getMixedStrides()[dim]);
      if (!stride)
        return op->emitOpError() << "has a stride that is not constant";
      AffineExpr expr = getAffineConstantExpr(0, op->getContext());
      if (!dropped.test(dim))
        expr = indices[inner++] * *stride;
      if (std::optional<int64_t> constant = getConstantIntValue(offset)) {
        outer.push_back(expr + *constant);
        continue;
      }
      FailureOr<AffineExpr> offsetExpr = indexExpr(cast<Value>(offset));
      if (failed(offsetExpr))
        return failure();
      outer.push_back(expr + *offsetExpr);
    }
    indices = std::move(outer);
    source = op->getOperand(0);
  }
  auto type = cast<ShapedType>(source.getType());
  AffineExpr flat = getAffineConstantExpr(0, source.getContext());
  int64_t stride = 1;
  for (auto [size, index] : llvm::reverse(llvm::zip(type.getShape(), indices))) {
    flat = flat + index * stride;
    stride *= size;
  }
  return Access{source, type.getNumElements(), space.simplify(flat), {}, type.getElementType()};
}

/// Records what the operands of `op` access, but for an accumulator's.
LogicalResult KernelNest::addOperands(linalg::GenericOp op) {
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (argument.use_empty() || argument == accumulated() ||
        (op == reduction && op.isDpsInit(&operand)))
      continue;
    FailureOr<Access> found =
        access(operand.get(), llvm::to_vector(op.getMatchingIndexingMap(&operand).getResults()));
    if (failed(found))
      return failure();
    accesses.insert({argument, *found});
  }
  return success();
}

LogicalResult KernelNest::addIndices(linalg::GenericOp op) {
  for (Operation &inner : *op.getBody()) {
    if (!isa<linalg::IndexOp, affine::AffineApplyOp>(inner))
      continue;
    FailureOr<AffineExpr> expr = indexExpr(inner.getResult(0));
    if (failed(expr))
      return failure();
    indices[inner.getResult(0)] = space.simplify(*expr);
  }
  return success();
}

LogicalResult KernelNest::addReads(linalg::GenericOp op) {
  for (ReadOp read : op.getBody()->getOps<ReadOp>()) {
    SmallVector<AffineExpr> indices;
    for (Value index : read.getIndices()) {
      FailureOr<AffineExpr> expr = indexExpr(index);
      if (failed(expr))
        return failure();
      indices.push_back(*expr);
    }
    auto compose = [&](AffineMap map) {
      return llvm::map_to_vector(map.getResults(),
                                 [&](AffineExpr e) { return e.replaceDims(indices); });
    };
    FailureOr<Access> found = access(read.getSource(), compose(read.getMap()));
    if (failed(found))
      return failure();
    for (auto [number, expr] : llvm::enumerate(compose(read.getGuard()))) {
      Guard guard{space.simplify(expr), read.getLows()[number], read.getHighs()[number],
                  cast<TypedAttr>(read.getPads()[number])};
      Interval range = space.rangeOf(guard.expr);
      if (range.min < guard.low || range.max >= guard.high)
        found->guards.push_back(guard);
    }
    accesses.insert({read.getResult(), *found});
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The nest
//===----------------------------------------------------------------------===//

bool KernelNest::inReduction(Value value) const {
  return reduction && value.getParentBlock() == &reduction->getRegion(0).front();
}

Value KernelNest::stored() const {
  return cast<linalg::YieldOp>(linalg::GenericOp(epilogue).getBody()->getTerminator())
      .getOperand(0);
}

BlockArgument KernelNest::accumulated() const {
  if (!reduction)
    return {};
  linalg::GenericOp op = epilogue, producer = reduction;
  Value result = op.hasPureTensorSemantics() ? producer.getResult(0) : producer.getDpsInits()[0];
  for (OpOperand *input : op.getDpsInputOperands())
    if (input->get() == result)
      return op.getMatchingBlockArgument(input);
  return {};
}

/// Puts back a combination that a folder took out, because its value is the same at every point:
/// a neutral one leaves the accumulator as it is, an absorbing one makes a constant of it.
static void restoreCombination(linalg::GenericOp reduction) {
  auto yield = cast<linalg::YieldOp>(reduction.getBody()->getTerminator());
  Value accumulator = reduction.getRegionOutputArgs()[0], yielded = yield.getOperand(0);
  Location loc = yield.getLoc();
  OpBuilder b(yield);
  Type type = accumulator.getType();
  if (yielded == accumulator) {
    Value combination;
    if (auto floatType = dyn_cast<FloatType>(type)) {
      APFloat least = APFloat::getInf(floatType.getFloatSemantics(), /*Negative=*/true);
      Value neutral = arith::ConstantOp::create(b, loc, b.getFloatAttr(type, least));
      combination = arith::MaximumFOp::create(b, loc, accumulator, neutral);
    } else {
      Value neutral = arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, 0));
      combination = arith::OrIOp::create(b, loc, accumulator, neutral);
    }
    yield.setOperand(0, combination);
    return;
  }
  APInt constant;
  if (!matchPattern(yielded, m_ConstantInt(&constant)))
    return;
  Value combination;
  if (constant.isZero())
    combination = arith::MulIOp::create(b, loc, accumulator, yielded);
  else if (constant.isMaxSignedValue())
    combination = arith::MaxSIOp::create(b, loc, accumulator, yielded);
  else
    combination = arith::OrIOp::create(b, loc, accumulator, yielded);
  yield.setOperand(0, combination);
}

/// Takes the reduction's body apart into `combine(accumulator, reduced)`.
LogicalResult KernelNest::findReduction() {
  restoreCombination(reduction);
  BlockArgument accumulator = reduction.getRegionOutputArgs()[0];
  combine =
      cast<linalg::YieldOp>(reduction.getBody()->getTerminator()).getOperand(0).getDefiningOp();
  if (!combine ||
      !isa<arith::AddFOp, arith::MulFOp, arith::MaximumFOp, arith::AddIOp, arith::MulIOp,
           arith::MaxSIOp, arith::MaxUIOp, arith::XOrIOp, arith::AndIOp, arith::OrIOp>(combine) ||
      !llvm::is_contained(combine->getOperands(), Value(accumulator)) || !accumulator.hasOneUse())
    return reduction.emitOpError()
           << "must yield one combining arith op of its accumulator and a value";
  reduced = combine->getOperand(combine->getOperand(0) == accumulator ? 1 : 0);

  Value init = reduction.getDpsInits()[0];
  linalg::FillOp fill = init.getDefiningOp<linalg::FillOp>();
  for (Operation *user : init.getUsers())
    if (auto candidate = dyn_cast<linalg::FillOp>(user))
      if (!fill && reduction.hasPureBufferSemantics())
        fill = candidate;
  if (!fill)
    return reduction.emitOpError() << "must start from a linalg.fill with the identity";
  identity = fill.getInputs()[0];
  return success();
}

FailureOr<KernelNest> KernelNest::get(func::FuncOp function) {
  SmallVector<linalg::GenericOp> generics;
  function.walk([&](linalg::GenericOp op) { generics.push_back(op); });
  if (generics.empty() || generics.size() > 2)
    return function.emitOpError() << "has " << generics.size()
                                  << " linalg.generic ops; a kernel has one, or a reduction "
                                     "followed by its epilogue";
  KernelNest nest;
  nest.epilogue = generics.back();
  if (generics.size() == 2)
    nest.reduction = generics.front();
  linalg::GenericOp root = nest.reduction ? nest.reduction : nest.epilogue;
  for (linalg::GenericOp op : generics)
    if (op.getNumDpsInits() != 1)
      return op.emitOpError() << "has " << op.getNumDpsInits() << " results; a kernel's op has one";

  nest.sizes = root.getStaticLoopRanges();
  nest.numParallel = nest.epilogue.getNumLoops();
  if (nest.epilogue.getNumParallelLoops() != nest.numParallel)
    return nest.epilogue.emitOpError() << "must have parallel loops only";
  for (auto [loop, type] : llvm::enumerate(root.getIteratorTypesArray()))
    if ((type == utils::IteratorType::parallel) != (loop < nest.numParallel))
      return root.emitOpError() << "must have its " << nest.numParallel
                                << " parallel loops first, then its reduction loops";
  for (int64_t size : nest.sizes)
    nest.space.dims.push_back({0, std::max<int64_t>(size, 1) - 1});

  if (nest.reduction) {
    if (failed(nest.findReduction()))
      return failure();
    BlockArgument accumulated = nest.accumulated();
    if (!accumulated ||
        !nest.epilogue.getMatchingIndexingMap(nest.epilogue.getMatchingOpOperand(accumulated))
             .isIdentity())
      return nest.epilogue.emitOpError() << "must read the reduction's result by an identity map";
  }
  for (linalg::GenericOp op : generics)
    if (failed(nest.addOperands(op)) || failed(nest.addIndices(op)) || failed(nest.addReads(op)))
      return failure();
  OpOperand *out = nest.epilogue.getDpsInitOperand(0);
  AffineMap outMap = nest.epilogue.getMatchingIndexingMap(out);
  if (!outMap.isIdentity())
    return nest.epilogue.emitOpError() << "must write its destination by an identity map";
  FailureOr<Access> store = nest.access(out->get(), llvm::to_vector(outMap.getResults()));
  if (failed(store))
    return failure();
  nest.store = *store;
  return nest;
}

bool mlir::tiny::isMultiplyAdd(const KernelNest &nest) {
  if (!nest.combine || !isa<arith::AddFOp>(nest.combine))
    return false;
  auto product = nest.reduced.getDefiningOp<arith::MulFOp>();
  return product && product->hasOneUse();
}
