//===- TinyDialect.h - the tiny dialect and its ops -------------*- C++ -*-===//
//
// Include this to work with tiny IR.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_IR_TINYDIALECT_H
#define TINY_IR_TINYDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"

#include "Tiny/IR/TinyDialect.h.inc"
#include "Tiny/IR/TinyEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "Tiny/IR/TinyAttrs.h.inc"

#define GET_OP_CLASSES
#include "Tiny/IR/TinyOps.h.inc"

namespace mlir::tiny {

/// True for the six movement ops.
bool isMovement(Operation *op);

/// True for the compute ops that work element by element (all but reduce).
bool isElementwise(Operation *op);

/// The type under which an element lies in memory: i1 is a whole byte, bf16 its bits (LLVM would
/// convert it to f32 and back to move it), unsigned integers are signless (signedness is in the
/// ops), the rest is itself.
Type storageType(Type elementType);

/// Bytes of a dense row-major buffer of `type`.
int64_t storageBytes(RankedTensorType type);

/// The element that `value op` combines to itself with: 0 for add, 1 for mul, the
/// least value for max. A FloatAttr or IntegerAttr of `elementType`.
TypedAttr reduceIdentity(ReduceKind kind, Type elementType);

/// What `count` elements (at least one) of the same value combine to.
TypedAttr reduceSplat(ReduceKind kind, TypedAttr value, int64_t count);

/// The unit attribute of an entry argument whose buffer the caller gives away: the program may
/// write to it, and a result may lie in it.
constexpr llvm::StringLiteral kDonatedAttrName = "tiny.donated";

/// Where the value of a host function lies: an entry argument, a constant with a slot, or the
/// result of a launch with slots. Null before tiny-schedule-plan-memory has run.
SlotAttr slotOf(Value value);

} // namespace mlir::tiny

#endif // TINY_IR_TINYDIALECT_H
