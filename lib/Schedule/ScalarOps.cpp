//===- ScalarOps.cpp - the tiny compute ops on one element ----------------===//
//
// Nothing here may produce poison or trap for any input: conversions are clamped
// by selects before their result is used, divisors are replaced where a division
// would fault.
//
//===----------------------------------------------------------------------===//

#include "ScalarOps.h"

#include <cmath>

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tiny;

static bool isUnsigned(Type type) { return type.isUnsignedInteger() || type.isInteger(1); }
static bool isNarrowFloat(Type type) { return type.isF16() || type.isBF16(); }

Type mlir::tiny::scalarType(Type elementType) {
  return elementType.isInteger(1) ? elementType : storageType(elementType);
}

Type mlir::tiny::accumulatorType(Type elementType) {
  if (isNarrowFloat(elementType))
    return Float32Type::get(elementType.getContext());
  return storageType(elementType);
}

static Value integer(OpBuilder &b, Location loc, Type type, const APInt &value) {
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
}

static Value integer(OpBuilder &b, Location loc, Type type, int64_t value) {
  return integer(b, loc, type, APInt(type.getIntOrFloatBitWidth(), value, /*isSigned=*/true));
}

static Value floating(OpBuilder &b, Location loc, Type type, double value) {
  return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
}

Value mlir::tiny::lowerConstant(OpBuilder &b, Location loc, TypedAttr value) {
  if (auto number = dyn_cast<IntegerAttr>(value))
    return integer(b, loc, scalarType(value.getType()), number.getValue());
  if (value.getType().isBF16())
    return integer(b, loc, scalarType(value.getType()),
                   cast<FloatAttr>(value).getValue().bitcastToAPInt());
  return arith::ConstantOp::create(b, loc, value);
}

Value mlir::tiny::fromStorage(OpBuilder &b, Location loc, Value stored, Type elementType) {
  if (!elementType.isInteger(1))
    return stored;
  Value zero = integer(b, loc, stored.getType(), 0);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, stored, zero);
}

Value mlir::tiny::toStorage(OpBuilder &b, Location loc, Value value, Type elementType) {
  if (!elementType.isInteger(1))
    return value;
  return arith::ExtUIOp::create(b, loc, storageType(elementType), value);
}

/// A value of an element type in the type in which it is computed: f16 and bf16 in f32 (exact).
static Value widen(OpBuilder &b, Location loc, Value value, Type elementType) {
  if (!isNarrowFloat(elementType))
    return value;
  if (elementType.isBF16())
    value = arith::BitcastOp::create(b, loc, elementType, value);
  return arith::ExtFOp::create(b, loc, b.getF32Type(), value);
}

/// A float that was computed as the value of an element type: rounded, where it is wider.
static Value narrow(OpBuilder &b, Location loc, Value value, Type elementType) {
  if (value.getType() == elementType)
    return value;
  Value rounded = arith::TruncFOp::create(b, loc, elementType, value);
  if (!elementType.isBF16())
    return rounded;
  return arith::BitcastOp::create(b, loc, scalarType(elementType), rounded);
}

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

/// floatToInteger where the bounds of the integer are numbers of the float: larger and smaller ones
/// become these before the conversion, in half as many instructions.
static Value clampedToInteger(OpBuilder &b, Location loc, Value value, Type type, bool isUnsigned,
                              const APInt &least, const APInt &most) {
  using Predicate = arith::CmpFPredicate;
  Value low = floating(b, loc, value.getType(), least.roundToDouble(!isUnsigned)),
        high = floating(b, loc, value.getType(), most.roundToDouble(!isUnsigned)),
        zero = floating(b, loc, value.getType(), 0.0);
  // NaN stays through both.
  Value tooHigh = arith::CmpFOp::create(b, loc, Predicate::OLT, high, value);
  Value clamped = arith::SelectOp::create(b, loc, tooHigh, high, value);
  Value tooLow = arith::CmpFOp::create(b, loc, Predicate::OLT, clamped, low);
  clamped = arith::SelectOp::create(b, loc, tooLow, low, clamped);
  Value isNaN = arith::CmpFOp::create(b, loc, Predicate::UNO, value, value);
  clamped = arith::SelectOp::create(b, loc, isNaN, zero, clamped);
  if (isUnsigned)
    return arith::FPToUIOp::create(b, loc, type, clamped);
  return arith::FPToSIOp::create(b, loc, type, clamped);
}

/// Truncates an f32 or f64 toward zero and saturates; NaN gives 0. Both bounds are powers of two
/// (or 0), so that they are exact in f32 and f64.
static Value floatToInteger(OpBuilder &b, Location loc, Value value, Type to) {
  Type from = value.getType(), type = storageType(to);
  unsigned width = type.getIntOrFloatBitWidth();
  bool isUnsignedTarget = to.isUnsignedInteger();
  APInt least = isUnsignedTarget ? APInt::getZero(width) : APInt::getSignedMinValue(width);
  APInt most = isUnsignedTarget ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
  if (width < cast<FloatType>(from).getFPMantissaWidth())
    return clampedToInteger(b, loc, value, type, isUnsignedTarget, least, most);
  double low = isUnsignedTarget ? 0.0 : -std::ldexp(1.0, width - 1);
  double high = std::ldexp(1.0, isUnsignedTarget ? width : width - 1);

  Value lowBound = floating(b, loc, from, low), highBound = floating(b, loc, from, high);
  // The conversion is defined only strictly inside the bounds: replace what lies outside first.
  Value inside = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, value, lowBound);
  Value below = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, value, highBound);
  Value safe = arith::SelectOp::create(b, loc, arith::AndIOp::create(b, loc, inside, below), value,
                                       floating(b, loc, from, 0.0));
  Value converted = isUnsignedTarget ? Value(arith::FPToUIOp::create(b, loc, type, safe))
                                     : Value(arith::FPToSIOp::create(b, loc, type, safe));
  Value tooLow = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLE, value, lowBound);
  Value tooHigh = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGE, value, highBound);
  converted = arith::SelectOp::create(b, loc, tooLow, integer(b, loc, type, least), converted);
  return arith::SelectOp::create(b, loc, tooHigh, integer(b, loc, type, most), converted);
}

/// A 64-bit integer as an f64 that rounds to f16 or bf16 as the integer would: the bits that f64
/// cannot hold are or'ed into the lowest one that it can (rounding to odd), so that the second
/// rounding sees on which side of a tie the integer lies.
static Value stickyToDouble(OpBuilder &b, Location loc, Value value, bool isUnsignedSource) {
  Type type = value.getType();
  constexpr int64_t lostBits = 11; // 64 - 53, the significand of f64
  Value mask = integer(b, loc, type, (int64_t(1) << lostBits) - 1);
  Value lost = arith::AndIOp::create(b, loc, value, mask);
  // Small integers are exact anyway, and keep their low bits.
  Value magnitude = value;
  if (!isUnsignedSource) {
    Value negative =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, value, integer(b, loc, type, 0));
    magnitude = arith::SelectOp::create(
        b, loc, negative, arith::SubIOp::create(b, loc, integer(b, loc, type, 0), value), value);
  }
  Value large = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, magnitude,
                                      integer(b, loc, type, int64_t(1) << 53));
  Value anyLost =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, lost, integer(b, loc, type, 0));
  Value kept =
      arith::AndIOp::create(b, loc, value, integer(b, loc, type, -(int64_t(1) << lostBits)));
  Value sticky = arith::OrIOp::create(
      b, loc, kept,
      arith::SelectOp::create(b, loc, anyLost, integer(b, loc, type, int64_t(1) << lostBits),
                              integer(b, loc, type, 0)));
  Value exact = arith::SelectOp::create(b, loc, large, sticky, value);
  return isUnsignedSource ? Value(arith::UIToFPOp::create(b, loc, b.getF64Type(), exact))
                          : Value(arith::SIToFPOp::create(b, loc, b.getF64Type(), exact));
}

static Value integerToFloat(OpBuilder &b, Location loc, Value value, Type from, Type to) {
  bool isUnsignedSource = isUnsigned(from);
  unsigned width = from.getIntOrFloatBitWidth();
  auto convert = [&](Type type) -> Value {
    if (isUnsignedSource)
      return arith::UIToFPOp::create(b, loc, type, value);
    return arith::SIToFPOp::create(b, loc, type, value);
  };
  if (!isNarrowFloat(to))
    return convert(to);
  if (width <= 16) // exact in f32
    return narrow(b, loc, convert(b.getF32Type()), to);
  if (width <= 32) // exact in f64
    return narrow(b, loc, convert(b.getF64Type()), to);
  return narrow(b, loc, stickyToDouble(b, loc, value, isUnsignedSource), to);
}

static Value integerToInteger(OpBuilder &b, Location loc, Value value, Type from, Type to) {
  Type type = scalarType(to);
  unsigned fromWidth = value.getType().getIntOrFloatBitWidth();
  unsigned toWidth = type.getIntOrFloatBitWidth();
  if (fromWidth == toWidth)
    return value;
  if (fromWidth > toWidth)
    return arith::TruncIOp::create(b, loc, type, value);
  if (isUnsigned(from))
    return arith::ExtUIOp::create(b, loc, type, value);
  return arith::ExtSIOp::create(b, loc, type, value);
}

static Value notZero(OpBuilder &b, Location loc, Value value) {
  Type type = value.getType();
  if (isa<FloatType>(type))
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, value,
                                 floating(b, loc, type, 0.0));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, value, integer(b, loc, type, 0));
}

Value mlir::tiny::lowerCast(OpBuilder &b, Location loc, Value value, Type from, Type to) {
  if (from == to)
    return value;
  value = widen(b, loc, value, from);
  if (to.isInteger(1))
    return notZero(b, loc, value);
  if (!isa<FloatType>(from))
    return isa<FloatType>(to) ? integerToFloat(b, loc, value, from, to)
                              : integerToInteger(b, loc, value, from, to);
  if (!isa<FloatType>(to))
    return floatToInteger(b, loc, value, to);
  if (value.getType().getIntOrFloatBitWidth() < to.getIntOrFloatBitWidth())
    return arith::ExtFOp::create(b, loc, to, value);
  return narrow(b, loc, value, to);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// Truncates toward zero; x / 0 = 0 and least / -1 = least.
static Value divideIntegers(OpBuilder &b, Location loc, Value lhs, Value rhs, Type type) {
  Value zero = integer(b, loc, lhs.getType(), 0), one = integer(b, loc, lhs.getType(), 1);
  Value byZero = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rhs, zero);
  if (type.isUnsignedInteger()) {
    Value divisor = arith::SelectOp::create(b, loc, byZero, one, rhs);
    Value quotient = arith::DivUIOp::create(b, loc, lhs, divisor);
    return arith::SelectOp::create(b, loc, byZero, zero, quotient);
  }
  // x / -1 = 0 - x, which wraps where the division would trap.
  Value minusOne = integer(b, loc, lhs.getType(), -1);
  Value byMinusOne = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rhs, minusOne);
  Value special = arith::OrIOp::create(b, loc, byZero, byMinusOne);
  Value divisor = arith::SelectOp::create(b, loc, special, one, rhs);
  Value quotient = arith::DivSIOp::create(b, loc, lhs, divisor);
  Value negated = arith::SubIOp::create(b, loc, zero, lhs);
  quotient = arith::SelectOp::create(b, loc, byMinusOne, negated, quotient);
  return arith::SelectOp::create(b, loc, byZero, zero, quotient);
}

static Value compare(OpBuilder &b, Location loc, CmpPredicate predicate, Value lhs, Value rhs,
                     Type type) {
  if (isa<FloatType>(type)) {
    static constexpr arith::CmpFPredicate predicates[] = {
        arith::CmpFPredicate::OLT, arith::CmpFPredicate::OLE, arith::CmpFPredicate::OEQ,
        arith::CmpFPredicate::UNE};
    return arith::CmpFOp::create(b, loc, predicates[static_cast<int>(predicate)],
                                 widen(b, loc, lhs, type), widen(b, loc, rhs, type));
  }
  static constexpr arith::CmpIPredicate signedPredicates[] = {
      arith::CmpIPredicate::slt, arith::CmpIPredicate::sle, arith::CmpIPredicate::eq,
      arith::CmpIPredicate::ne};
  static constexpr arith::CmpIPredicate unsignedPredicates[] = {
      arith::CmpIPredicate::ult, arith::CmpIPredicate::ule, arith::CmpIPredicate::eq,
      arith::CmpIPredicate::ne};
  auto &predicates = isUnsigned(type) ? unsignedPredicates : signedPredicates;
  return arith::CmpIOp::create(b, loc, predicates[static_cast<int>(predicate)], lhs, rhs);
}

enum class Arithmetic { add, mul, div, max };

static Value calculate(OpBuilder &b, Location loc, Arithmetic what, Value lhs, Value rhs,
                       Type type) {
  if (isa<FloatType>(type)) {
    Value x = widen(b, loc, lhs, type), y = widen(b, loc, rhs, type), result;
    switch (what) {
    case Arithmetic::add:
      result = arith::AddFOp::create(b, loc, x, y);
      break;
    case Arithmetic::mul:
      result = arith::MulFOp::create(b, loc, x, y);
      break;
    case Arithmetic::div:
      result = arith::DivFOp::create(b, loc, x, y);
      break;
    case Arithmetic::max:
      result = arith::MaximumFOp::create(b, loc, x, y);
      break;
    }
    return narrow(b, loc, result, type);
  }
  bool isBool = type.isInteger(1);
  switch (what) {
  case Arithmetic::add:
    return isBool ? Value(arith::XOrIOp::create(b, loc, lhs, rhs))
                  : Value(arith::AddIOp::create(b, loc, lhs, rhs));
  case Arithmetic::mul:
    return isBool ? Value(arith::AndIOp::create(b, loc, lhs, rhs))
                  : Value(arith::MulIOp::create(b, loc, lhs, rhs));
  case Arithmetic::div:
    return divideIntegers(b, loc, lhs, rhs, type);
  case Arithmetic::max:
    if (isBool)
      return arith::OrIOp::create(b, loc, lhs, rhs);
    return isUnsigned(type) ? Value(arith::MaxUIOp::create(b, loc, lhs, rhs))
                            : Value(arith::MaxSIOp::create(b, loc, lhs, rhs));
  }
  llvm_unreachable("every kind of arithmetic returns");
}

Value mlir::tiny::lowerScalar(OpBuilder &b, Location loc, Operation *op, ValueRange operands) {
  auto elementType = [](Value value) {
    return cast<RankedTensorType>(value.getType()).getElementType();
  };
  Type from = elementType(op->getOperand(0)), to = elementType(op->getResult(0));
  auto unary = [&](auto create) {
    return narrow(b, loc, create(widen(b, loc, operands[0], from)), to);
  };
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](Exp2Op) {
        return unary([&](Value x) -> Value { return math::Exp2Op::create(b, loc, x); });
      })
      .Case([&](Log2Op) {
        return unary([&](Value x) -> Value { return math::Log2Op::create(b, loc, x); });
      })
      .Case([&](SinOp) {
        return unary([&](Value x) -> Value { return math::SinOp::create(b, loc, x); });
      })
      .Case([&](SqrtOp) {
        return unary([&](Value x) -> Value { return math::SqrtOp::create(b, loc, x); });
      })
      .Case([&](CastOp) { return lowerCast(b, loc, operands[0], from, to); })
      .Case([&](AddOp) { return calculate(b, loc, Arithmetic::add, operands[0], operands[1], to); })
      .Case([&](MulOp) { return calculate(b, loc, Arithmetic::mul, operands[0], operands[1], to); })
      .Case([&](DivOp) { return calculate(b, loc, Arithmetic::div, operands[0], operands[1], to); })
      .Case([&](MaxOp) { return calculate(b, loc, Arithmetic::max, operands[0], operands[1], to); })
      .Case([&](CmpOp cmp) {
        return compare(b, loc, cmp.getPredicate(), operands[0], operands[1], from);
      })
      .Case([&](WhereOp) -> Value {
        return arith::SelectOp::create(b, loc, operands[0], operands[1], operands[2]);
      });
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

Value mlir::tiny::toAccumulator(OpBuilder &b, Location loc, Value value, Type elementType) {
  return elementType.isInteger(1) ? toStorage(b, loc, value, elementType)
                                  : widen(b, loc, value, elementType);
}

Value mlir::tiny::fromAccumulator(OpBuilder &b, Location loc, Value accumulator, Type elementType) {
  if (elementType.isInteger(1))
    return fromStorage(b, loc, accumulator, elementType);
  return isNarrowFloat(elementType) ? narrow(b, loc, accumulator, elementType) : accumulator;
}

Value mlir::tiny::combine(OpBuilder &b, Location loc, ReduceKind kind, Type elementType,
                          Value accumulator, Value value) {
  static constexpr Arithmetic kinds[] = {Arithmetic::add, Arithmetic::mul, Arithmetic::max};
  // An accumulator of i1 is 0 or 1 in i8: the bitwise ops mean the same there.
  Type type = isNarrowFloat(elementType) ? accumulator.getType() : elementType;
  return calculate(b, loc, kinds[static_cast<int>(kind)], accumulator, value, type);
}
