//===- MatchArithmetic.h - find arithmetic around a value -------*- C++ -*-===//
//
// For functions that programs have no op for, and that front ends compose: MatchExponential.cpp
// and MatchRounding.cpp. All of these take a null value, and find nothing around it.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_CODEGEN_MATCHARITHMETIC_H
#define TINY_LIB_CODEGEN_MATCHARITHMETIC_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

namespace mlir::tiny {

/// Whether `value` is the constant `number`, in every element.
inline bool isConstant(Value value, double number) {
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return false;
  if (auto elements = dyn_cast<SplatElementsAttr>(attribute))
    attribute = elements.getSplatValue<Attribute>();
  auto real = dyn_cast<FloatAttr>(attribute);
  return real && real.getValueAsDouble() == static_cast<float>(number);
}

/// The other operand of `value`, if that is an Op of it and the constant `number`; else null.
template <typename Op> Value besideConstant(Value value, double number) {
  auto op = value ? value.getDefiningOp<Op>() : Op();
  if (!op)
    return {};
  if (isConstant(op.getRhs(), number))
    return op.getLhs();
  return isConstant(op.getLhs(), number) ? op.getRhs() : Value();
}

/// The other operand of `value`, if that is an Op of it and `known`; else null.
template <typename Op> Value beside(Value value, Value known) {
  auto op = value ? value.getDefiningOp<Op>() : Op();
  if (!op)
    return {};
  if (op.getRhs() == known)
    return op.getLhs();
  return op.getLhs() == known ? op.getRhs() : Value();
}

} // namespace mlir::tiny

#endif // TINY_LIB_CODEGEN_MATCHARITHMETIC_H
