//===- ScalarOps.h - the tiny compute ops on one element --------*- C++ -*-===//
//
// The meaning of every compute op in arith and math, the same for every target.
// f16 and bf16 are computed in f32 and rounded after every op; a bf16 value is its
// bits. Unsigned integers are signless, i1 is i1 and lies in memory as i8.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_SCHEDULE_SCALAROPS_H
#define TINY_SCHEDULE_SCALAROPS_H

#include "Tiny/IR/TinyDialect.h"
#include "mlir/IR/Builders.h"

namespace mlir::tiny {

/// The type of an SSA value that holds an element of `elementType`.
Type scalarType(Type elementType);

/// The type in which a reduction over `elementType` accumulates: f32 for f16 and bf16, i8 for i1.
Type accumulatorType(Type elementType);

/// One element of the elementwise op `op`.
Value lowerScalar(OpBuilder &b, Location loc, Operation *op, ValueRange operands);

/// `value` of `from` as `to`, with the meaning of tiny.cast.
Value lowerCast(OpBuilder &b, Location loc, Value value, Type from, Type to);

/// A FloatAttr or IntegerAttr of a tiny element type.
Value lowerConstant(OpBuilder &b, Location loc, TypedAttr value);

/// Between an element in memory and its SSA value (they differ for i1 only).
Value fromStorage(OpBuilder &b, Location loc, Value stored, Type elementType);
Value toStorage(OpBuilder &b, Location loc, Value value, Type elementType);

/// Between an element and what a reduction over it accumulates.
Value toAccumulator(OpBuilder &b, Location loc, Value value, Type elementType);
Value fromAccumulator(OpBuilder &b, Location loc, Value accumulator, Type elementType);
Value combine(OpBuilder &b, Location loc, ReduceKind kind, Type elementType, Value accumulator,
              Value value);

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_SCALAROPS_H
