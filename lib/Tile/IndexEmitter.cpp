//===- IndexEmitter.cpp - affine expressions as index arithmetic ----------===//
//
// Sums are emitted with what changes most slowly first and the constant last. So the
// copies of a register tile share all but their constants, which end in the
// displacement of the machine's address, and inner loops keep one addition.
//
//===----------------------------------------------------------------------===//

#include "BodyEmitter.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

static constexpr auto noWrap = arith::IntegerOverflowFlags::nsw;

/// Terms in the order in which they should be added: outermost first.
static SmallVector<std::pair<AffineExpr, int64_t>>
inLoopOrder(const LinearIndex &form, const KernelNest &nest, ArrayRef<int64_t> order) {
  auto depth = [&](AffineExpr term) -> size_t {
    uint64_t loops = nest.loopsOf(term);
    size_t deepest = 0;
    for (auto [position, loop] : llvm::enumerate(order))
      if (loops >> loop & 1)
        deepest = position + 1;
    return deepest;
  };
  SmallVector<std::pair<AffineExpr, int64_t>> terms = form.terms;
  llvm::sort(terms, [&](auto &a, auto &b) { return depth(a.first) < depth(b.first); });
  return terms;
}

Value IndexEmitter::constant(Type type, int64_t value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attribute = IntegerAttr::get(element, value);
  if (auto vectorType = dyn_cast<VectorType>(type))
    attribute = DenseElementsAttr::get(vectorType, Attribute(attribute));
  return arith::ConstantOp::create(builder, loc, attribute);
}

/// Floor division or its remainder (never negative) by a positive constant.
Value IndexEmitter::divide(AffineExprKind kind, Value lhs, int64_t divisor, Interval range) {
  Value by = constant(lhs.getType(), divisor);
  if (kind == AffineExprKind::CeilDiv) {
    lhs = arith::AddIOp::create(builder, loc, lhs, constant(lhs.getType(), divisor - 1));
    range = {range.min + divisor - 1, range.max + divisor - 1};
    kind = AffineExprKind::FloorDiv;
  }
  bool isMod = kind == AffineExprKind::Mod;
  if (range.min >= 0) {
    if (isMod)
      return arith::RemUIOp::create(builder, loc, lhs, by);
    return arith::DivUIOp::create(builder, loc, lhs, by);
  }
  // arith's own floor division is for targets that expand it; the remainder is exact either way.
  Value remainder = arith::RemSIOp::create(builder, loc, lhs, by);
  Value negative = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, remainder,
                                         constant(lhs.getType(), 0));
  Value moved = arith::AddIOp::create(builder, loc, remainder, by);
  remainder = arith::SelectOp::create(builder, loc, negative, moved, remainder);
  if (isMod)
    return remainder;
  Value multiple = arith::SubIOp::create(builder, loc, lhs, remainder);
  return arith::DivSIOp::create(builder, loc, multiple, by);
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

/// A symbol, or a mod or division; dims are taken apart by the caller.
Value IndexEmitter::scalarTerm(AffineExpr term, const Instance &at) {
  if (auto symbol = dyn_cast<AffineSymbolExpr>(term)) {
    const IndexSymbol &known = context.nest.symbols[symbol.getPosition()];
    return known.computed ? computed(symbol.getPosition(), at) : known.value;
  }
  auto binary = cast<AffineBinaryOpExpr>(term);
  return divide(term.getKind(), scalar(binary.getLHS(), at),
                cast<AffineConstantExpr>(binary.getRHS()).getValue(),
                context.nest.space.rangeOf(binary.getLHS()));
}

Value IndexEmitter::scalar(AffineExpr expr, const Instance &at, int64_t offset) {
  LinearIndex form(expr);
  Type type = builder.getIndexType();
  int64_t sum = form.constant + offset;
  Value result;
  for (auto [term, coefficient] : inLoopOrder(form, context.nest, context.order)) {
    Value value;
    if (auto dim = dyn_cast<AffineDimExpr>(term)) {
      sum += coefficient * at.deltas[dim.getPosition()];
      value = bases[dim.getPosition()];
      if (!value)
        continue;
    } else {
      value = scalarTerm(term, at);
    }
    if (coefficient != 1)
      value = arith::MulIOp::create(builder, loc, value, constant(type, coefficient), noWrap);
    result = result ? arith::AddIOp::create(builder, loc, result, value, noWrap) : value;
  }
  if (!result)
    return constant(type, sum);
  if (sum == 0)
    return result;
  return arith::AddIOp::create(builder, loc, result, constant(type, sum), noWrap);
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

/// Whether `expr` and every argument of a division in it stay well within 32 bits. Sums may wrap on
/// the way: they come back.
bool IndexEmitter::fits32(AffineExpr expr) {
  bool fits = true;
  auto check = [&](AffineExpr e) {
    Interval range = context.nest.space.rangeOf(e);
    fits &= llvm::isInt<31>(range.min) && llvm::isInt<31>(range.max);
  };
  check(expr);
  expr.walk([&](AffineExpr e) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(e);
    if (binary && e.getKind() != AffineExprKind::Add && e.getKind() != AffineExprKind::Mul) {
      check(binary.getLHS());
      check(binary.getRHS());
    }
  });
  return fits;
}

Type IndexEmitter::laneType(AffineExpr expr) {
  return fits32(expr) ? Type(builder.getI32Type()) : Type(builder.getIndexType());
}

Value IndexEmitter::lanes(AffineExpr expr, const Instance &at) {
  return laneSum(expr, at, VectorType::get({at.lanes}, laneType(expr)));
}

Value IndexEmitter::laneTerm(AffineExpr term, const Instance &at, Type type) {
  if (auto symbol = dyn_cast<AffineSymbolExpr>(term)) {
    Value value = computed(symbol.getPosition(), at);
    if (value.getType() != type)
      value = arith::IndexCastOp::create(builder, loc, type, value);
    return value;
  }
  auto binary = cast<AffineBinaryOpExpr>(term);
  return divide(term.getKind(), laneSum(binary.getLHS(), at, type),
                cast<AffineConstantExpr>(binary.getRHS()).getValue(),
                context.nest.space.rangeOf(binary.getLHS()));
}

/// The part that all lanes share is one scalar; the lanes differ by a constant vector and by the
/// terms that are not linear.
Value IndexEmitter::laneSum(AffineExpr expr, const Instance &at, Type type) {
  LinearIndex form(expr);
  AffineExpr shared = builder.getAffineConstantExpr(form.constant);
  int64_t stride = 0;
  Value result;
  for (auto [term, coefficient] : form.terms) {
    bool moves = context.vectorDim >= 0 && (context.nest.loopsOf(term) >> context.vectorDim & 1);
    if (!moves || isa<AffineDimExpr>(term))
      shared = shared + term * coefficient;
    if (!moves)
      continue;
    if (isa<AffineDimExpr>(term)) {
      stride += coefficient;
      continue;
    }
    Value value = laneTerm(term, at, type);
    if (coefficient != 1)
      value = arith::MulIOp::create(builder, loc, value, constant(type, coefficient));
    result = result ? arith::AddIOp::create(builder, loc, result, value) : value;
  }
  auto vectorType = cast<VectorType>(type);
  Value base = scalar(shared, at);
  if (!vectorType.getElementType().isIndex())
    base = arith::IndexCastOp::create(builder, loc, vectorType.getElementType(), base);
  base = vector::BroadcastOp::create(builder, loc, type, base);
  if (stride != 0) {
    SmallVector<Attribute> steps;
    for (int64_t lane = 0; lane < at.lanes; ++lane)
      steps.push_back(IntegerAttr::get(vectorType.getElementType(), lane * stride));
    Value step = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(vectorType, steps));
    base = arith::AddIOp::create(builder, loc, base, step);
  }
  return result ? arith::AddIOp::create(builder, loc, base, result) : base;
}
