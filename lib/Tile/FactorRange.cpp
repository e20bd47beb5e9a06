//===- FactorRange.cpp - interval arithmetic on integer bodies ------------===//
//
// An interval that an op may leave, because its result wraps, becomes all numbers of the
// type: so what is returned always holds.
//
//===----------------------------------------------------------------------===//

#include "FactorRange.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tiny;

static Interval allOf(unsigned bits) {
  return {-(int64_t(1) << (bits - 1)), (int64_t(1) << (bits - 1)) - 1};
}

bool mlir::tiny::fitsBits(Interval range, unsigned bits) {
  return range.min >= allOf(bits).min && range.max <= allOf(bits).max;
}

static Interval hull(Interval a, Interval b) {
  return {std::min(a.min, b.min), std::max(a.max, b.max)};
}

Interval mlir::tiny::rangeOfInteger(const KernelNest &nest, Value value) {
  auto type = dyn_cast<IntegerType>(value.getType());
  if (!type || type.getWidth() > 32)
    return {INT64_MIN, INT64_MAX};
  unsigned bits = type.getWidth();
  Interval all = allOf(bits);
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return {constant.getSExtValue(), constant.getSExtValue()};
  Operation *op = value.getDefiningOp();
  if (!op || nest.accesses.contains(value) || !isa<linalg::GenericOp>(op->getParentOp()))
    return all; // what lies in memory, and a pad, may be anything
  auto of = [&](unsigned operand) { return rangeOfInteger(nest, op->getOperand(operand)); };
  Interval range =
      llvm::TypeSwitch<Operation *, Interval>(op)
          .Case<arith::ExtSIOp, arith::TruncIOp>([&](auto) { return of(0); })
          .Case([&](arith::ExtUIOp) -> Interval {
            Interval source = of(0);
            if (source.min >= 0)
              return source;
            return {0, (int64_t(1) << op->getOperand(0).getType().getIntOrFloatBitWidth()) - 1};
          })
          .Case([&](arith::AddIOp) -> Interval {
            Interval a = of(0), b = of(1);
            return {a.min + b.min, a.max + b.max};
          })
          .Case([&](arith::SubIOp) -> Interval {
            Interval a = of(0), b = of(1);
            return {a.min - b.max, a.max - b.min};
          })
          .Case([&](arith::MulIOp) -> Interval {
            Interval a = of(0), b = of(1);
            auto [min, max] =
                std::minmax({a.min * b.min, a.min * b.max, a.max * b.min, a.max * b.max});
            return {min, max};
          })
          .Case([&](arith::MinSIOp) -> Interval {
            Interval a = of(0), b = of(1);
            return {std::min(a.min, b.min), std::min(a.max, b.max)};
          })
          .Case([&](arith::MaxSIOp) -> Interval {
            Interval a = of(0), b = of(1);
            return {std::max(a.min, b.min), std::max(a.max, b.max)};
          })
          .Case([&](arith::SelectOp) { return hull(of(1), of(2)); })
          .Default(all);
  return fitsBits(range, bits) ? range : all;
}
