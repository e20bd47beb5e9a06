//===- Elementwise.cpp - compute ops, element by element ------------------===//
//
// One function per op: the values first, then, if asked for, the bounds. Integer
// and i1 results are undecided where an operand is, unless the other operand alone
// settles them.
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::reference;

static ElementType typeOf(Value value) {
  return elementTypeOf(cast<RankedTensorType>(value.getType()).getElementType());
}

/// result.words[k] = function(a.words[k]), brought into `type`.
template <typename Function>
static Lanes mapWords(Evaluator &evaluator, ElementType type, Lanes a, int64_t count,
                      Function function) {
  Lanes result = evaluator.allocate(count);
  for (int64_t k = 0; k < count; ++k)
    result.words[k] = function(a.words[k]);
  bringInto(type, result.words, count);
  return result;
}

template <typename Function>
static Lanes zipWords(Evaluator &evaluator, ElementType type, Lanes a, Lanes b, int64_t count,
                      Function function) {
  Lanes result = evaluator.allocate(count);
  for (int64_t k = 0; k < count; ++k)
    result.words[k] = function(a.words[k], b.words[k]);
  bringInto(type, result.words, count);
  return result;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// A function that has a permitted error, computed to more bits than the type has.
template <typename Function, typename BoundFunction>
static Lanes computeFunction(Evaluator &evaluator, Operation *op, const Batch &at,
                             Function function, BoundFunction bound) {
  ElementType type = typeOf(op->getResult(0));
  Lanes a = evaluator.evaluate(op->getOperand(0), at);
  Lanes result = mapWords(evaluator, type, a, at.size, [&](Word x) {
    if (type == ElementType::f64)
      return fromFloat(static_cast<double>(function(static_cast<long double>(x.f))));
    return fromFloat(function(x.f));
  });
  for (int64_t k = 0; result.bounds && k < at.size; ++k)
    result.bounds[k] = bound(type, a.bounds[k]);
  return result;
}

static Lanes computeExp2(Evaluator &evaluator, Exp2Op op, const Batch &at) {
  return computeFunction(evaluator, op, at, [](auto x) { return std::exp2(x); }, exp2Bound);
}
static Lanes computeLog2(Evaluator &evaluator, Log2Op op, const Batch &at) {
  return computeFunction(evaluator, op, at, [](auto x) { return std::log2(x); }, log2Bound);
}
static Lanes computeSin(Evaluator &evaluator, SinOp op, const Batch &at) {
  return computeFunction(evaluator, op, at, [](auto x) { return std::sin(x); }, sinBound);
}
/// In double for f64 too: rounding a long double root again could be wrong by half an ULP.
static Lanes computeSqrt(Evaluator &evaluator, SqrtOp op, const Batch &at) {
  ElementType type = typeOf(op);
  Lanes a = evaluator.evaluate(op.getInput(), at);
  Lanes result =
      mapWords(evaluator, type, a, at.size, [](Word x) { return fromFloat(std::sqrt(x.f)); });
  for (int64_t k = 0; result.bounds && k < at.size; ++k)
    result.bounds[k] = sqrtBound(type, a.bounds[k]);
  return result;
}

static Lanes computeCast(Evaluator &evaluator, CastOp op, const Batch &at) {
  ElementType from = typeOf(op.getInput()), to = typeOf(op);
  Lanes a = evaluator.evaluate(op.getInput(), at), result = evaluator.allocate(at.size);
  for (int64_t k = 0; k < at.size; ++k)
    result.words[k] = convert(from, to, a.words[k]);
  for (int64_t k = 0; result.bounds && k < at.size; ++k)
    if (isFloat(from) || a.bounds[k].undecided)
      result.bounds[k] = castBound(from, to, a.bounds[k]);
    else
      result.bounds[k] = isFloat(to) ? exactly(result.words[k].f) : Bound{};
  return result;
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// The bound of an integer result that `decider`, where it is decided in one operand, settles.
static Bound integerBound(Lanes a, Lanes b, int64_t k, std::optional<int64_t> decider = {}) {
  bool decidesA = !a.bounds[k].undecided && decider == a.words[k].i;
  bool decidesB = !b.bounds[k].undecided && decider == b.words[k].i;
  if (decidesA || decidesB)
    return {};
  return a.bounds[k].undecided || b.bounds[k].undecided ? undecided() : Bound{};
}

static Lanes computeAdd(Evaluator &evaluator, AddOp op, const Batch &at) {
  ElementType type = typeOf(op);
  Lanes a = evaluator.evaluate(op.getLhs(), at), b = evaluator.evaluate(op.getRhs(), at);
  Lanes result = isFloat(type) ? zipWords(evaluator, type, a, b, at.size,
                                          [](Word x, Word y) { return fromFloat(x.f + y.f); })
                               : zipWords(evaluator, type, a, b, at.size,
                                          [](Word x, Word y) { return fromInt(x.u + y.u); });
  bool isScaled = evaluator.isScaledSum(op);
  for (int64_t k = 0; result.bounds && k < at.size; ++k)
    result.bounds[k] =
        isFloat(type) ? addBound(type, a.bounds[k], b.bounds[k], isScaled) : integerBound(a, b, k);
  return result;
}

/// The sign of a zero is lost with the factor: the terms of the sum have it, and +0 wins there.
static Bound withoutSignOfZero(Bound bound) {
  if (bound.lo == 0)
    bound.lo = -0.0;
  if (bound.hi == 0)
    bound.hi = 0.0;
  return bound;
}

static Lanes computeMul(Evaluator &evaluator, MulOp op, const Batch &at) {
  ElementType type = typeOf(op);
  bool contracted = evaluator.getContracted() == op;
  Lanes a = evaluator.evaluate(op.getLhs(), at), b = evaluator.evaluate(op.getRhs(), at);
  Lanes result = isFloat(type) ? zipWords(evaluator, type, a, b, at.size,
                                          [](Word x, Word y) { return fromFloat(x.f * y.f); })
                               : zipWords(evaluator, type, a, b, at.size,
                                          [](Word x, Word y) { return fromInt(x.u * y.u); });
  for (int64_t k = 0; result.bounds && k < at.size; ++k)
    result.bounds[k] = isFloat(type) ? mulBound(type, a.bounds[k], b.bounds[k], contracted)
                                     : integerBound(a, b, k, 0);
  if (result.bounds && evaluator.isScaledSum(op))
    std::transform(result.bounds, result.bounds + at.size, result.bounds, withoutSignOfZero);
  return result;
}

static Word divideSigned(Word a, Word b) {
  if (b.i == 0)
    return fromInt(0);
  return b.i == -1 ? fromInt(0 - a.u) : fromInt(a.i / b.i);
}
static Word divideUnsigned(Word a, Word b) { return fromInt(b.u == 0 ? 0 : a.u / b.u); }

static Lanes computeDiv(Evaluator &evaluator, DivOp op, const Batch &at) {
  ElementType type = typeOf(op.getResult());
  Lanes a = evaluator.evaluate(op.getLhs(), at), b = evaluator.evaluate(op.getRhs(), at);
  Lanes result;
  if (isFloat(type))
    result = zipWords(evaluator, type, a, b, at.size,
                      [](Word x, Word y) { return fromFloat(x.f / y.f); });
  else
    result =
        zipWords(evaluator, type, a, b, at.size, isUnsigned(type) ? divideUnsigned : divideSigned);
  for (int64_t k = 0; result.bounds && k < at.size; ++k)
    result.bounds[k] =
        isFloat(type) ? divBound(type, a.bounds[k], b.bounds[k]) : integerBound(a, b, k, 0);
  if (result.bounds && evaluator.isScaledSum(op))
    std::transform(result.bounds, result.bounds + at.size, result.bounds, withoutSignOfZero);
  return result;
}

/// Also the order of max: only ui64 differs from the order of the extended words.
static bool isLess(ElementType type, Word a, Word b) {
  if (isFloat(type))
    return a.f < b.f;
  return type == ElementType::ui64 ? a.u < b.u : a.i < b.i;
}

static Lanes computeMax(Evaluator &evaluator, MaxOp op, const Batch &at) {
  ElementType type = typeOf(op);
  Lanes a = evaluator.evaluate(op.getLhs(), at), b = evaluator.evaluate(op.getRhs(), at);
  Lanes result = zipWords(evaluator, type, a, b, at.size, [&](Word x, Word y) {
    if (isFloat(type))
      return fromFloat(maximum(x.f, y.f));
    return isLess(type, x, y) ? y : x;
  });
  std::optional<int64_t> decider;
  if (type == ElementType::i1)
    decider = 1;
  for (int64_t k = 0; result.bounds && k < at.size; ++k)
    result.bounds[k] =
        isFloat(type) ? maxBound(a.bounds[k], b.bounds[k]) : integerBound(a, b, k, decider);
  return result;
}

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

static bool compares(CmpPredicate predicate, ElementType type, Word a, Word b) {
  bool isEqual = isFloat(type) ? a.f == b.f : a.u == b.u;
  switch (predicate) {
  case CmpPredicate::lt:
    return isLess(type, a, b);
  case CmpPredicate::le:
    return isLess(type, a, b) || isEqual;
  case CmpPredicate::eq:
    return isEqual;
  case CmpPredicate::ne:
    return !isEqual;
  }
  return false;
}

static Lanes computeCmp(Evaluator &evaluator, CmpOp op, const Batch &at) {
  ElementType type = typeOf(op.getLhs());
  CmpPredicate predicate = op.getPredicate();
  Lanes a = evaluator.evaluate(op.getLhs(), at), b = evaluator.evaluate(op.getRhs(), at);
  Lanes result = zipWords(evaluator, ElementType::i1, a, b, at.size,
                          [&](Word x, Word y) { return fromInt(compares(predicate, type, x, y)); });
  for (int64_t k = 0; result.bounds && k < at.size; ++k)
    result.bounds[k] =
        isFloat(type) ? cmpBound(predicate, a.bounds[k], b.bounds[k]) : integerBound(a, b, k);
  return result;
}

static Lanes computeWhere(Evaluator &evaluator, WhereOp op, const Batch &at) {
  ElementType type = typeOf(op.getResult());
  Lanes condition = evaluator.evaluate(op.getCondition(), at);
  Lanes a = evaluator.evaluate(op.getOnTrue(), at), b = evaluator.evaluate(op.getOnFalse(), at);
  Lanes result = evaluator.allocate(at.size);
  for (int64_t k = 0; k < at.size; ++k)
    result.words[k] = condition.words[k].i ? a.words[k] : b.words[k];
  for (int64_t k = 0; result.bounds && k < at.size; ++k) {
    if (!condition.bounds[k].undecided)
      result.bounds[k] = condition.words[k].i ? a.bounds[k] : b.bounds[k];
    else if (isFloat(type))
      result.bounds[k] = eitherBound(a.bounds[k], b.bounds[k]);
    else
      result.bounds[k] = a.words[k].u == b.words[k].u ? integerBound(a, b, k) : undecided();
  }
  return result;
}

static Lanes computeIota(Evaluator &evaluator, IotaOp op, const Batch &at) {
  ElementType type = typeOf(op);
  Lanes result = evaluator.allocate(at.size);
  for (int64_t k = 0; k < at.size; ++k)
    result.words[k] = convert(ElementType::i64, type, fromInt(at.columns[op.getDim()][k]));
  for (int64_t k = 0; result.bounds && k < at.size; ++k)
    result.bounds[k] = isFloat(type) ? exactly(result.words[k].f) : Bound{};
  return result;
}

Lanes tiny::reference::computeElementwise(Evaluator &evaluator, Operation *op, const Batch &at) {
  return llvm::TypeSwitch<Operation *, Lanes>(op)
      .Case([&](Exp2Op op) { return computeExp2(evaluator, op, at); })
      .Case([&](Log2Op op) { return computeLog2(evaluator, op, at); })
      .Case([&](SinOp op) { return computeSin(evaluator, op, at); })
      .Case([&](SqrtOp op) { return computeSqrt(evaluator, op, at); })
      .Case([&](CastOp op) { return computeCast(evaluator, op, at); })
      .Case([&](AddOp op) { return computeAdd(evaluator, op, at); })
      .Case([&](MulOp op) { return computeMul(evaluator, op, at); })
      .Case([&](DivOp op) { return computeDiv(evaluator, op, at); })
      .Case([&](MaxOp op) { return computeMax(evaluator, op, at); })
      .Case([&](CmpOp op) { return computeCmp(evaluator, op, at); })
      .Case([&](WhereOp op) { return computeWhere(evaluator, op, at); })
      .Case([&](IotaOp op) { return computeIota(evaluator, op, at); });
}
