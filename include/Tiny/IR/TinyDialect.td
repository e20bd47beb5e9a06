//===- TinyDialect.td - the tiny dialect and its types -----*- tablegen -*-===//
//
// The dialect, and the type constraints that every op shares, named once.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_DIALECT_TD
#define TINY_DIALECT_TD

include "mlir/IR/CommonTypeConstraints.td"
include "mlir/IR/DialectBase.td"

def Tiny_Dialect : Dialect {
  let name = "tiny";
  let cppNamespace = "::mlir::tiny";
  let summary = "Static tensor programs over twelve compute ops and six movement ops";
  let description = [{
    A tiny program is a straight line of operations on statically shaped tensors. There is no
    control flow that depends on data and no address that depends on data, so its cost, its memory
    and its bounds are exact facts at compile time.

    Twelve compute ops (`exp2 log2 sin sqrt cast add mul div max cmp where reduce`) calculate, six
    movement ops (`reshape permute expand pad shrink stride`) only say where an element is found,
    and `constant` and `iota` start a program. Every other operation of a tensor library is a
    composition of these (`Tiny/IR/Composites.h`).

    Signed integers are the signless `iN`, unsigned ones are `uiN`. All NaNs are equal. No op traps
    and none has undefined behaviour. Elementwise results are the same to the bit on every target,
    but for `exp2`, `log2` and `sin` (within 2 ULP in f32 and 4 in f64; f16 and bf16 are computed in
    f32 and rounded once). Only a `mul` that feeds a `reduce add` may be contracted with it, and only
    a `reduce` may be reassociated: its terms may come in any order, and where they are products with
    constants, a constant factor of the sum may be part of these (in f32 and f64; constants that are
    added to the sum are terms of it then).

    `launch`, `read` and the `slot` attribute are not part of that language: they are what the
    Schedule stage turns a program into (docs/Architecture.md).
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

defvar Tiny_FloatTypes = [F64, F32, F16, BF16];
defvar Tiny_IntTypes = [I8, I16, I32, I64, UI8, UI16, UI32, UI64];

// Named in a few words: the summary is what an error message says that an operand must be.
class Tiny_TensorOf<list<Type> types, string what>
    : ConfinedType<StaticShapeTensorOf<types>, [], "statically shaped tensor of " # what>;

def Tiny_Tensor : Tiny_TensorOf<!listconcat(Tiny_FloatTypes, [I1], Tiny_IntTypes),
    "f64, f32, f16, bf16, i1, or signless or unsigned integers of 8, 16, 32 or 64 bits">;
def Tiny_FloatTensor : Tiny_TensorOf<Tiny_FloatTypes, "f64, f32, f16 or bf16">;
def Tiny_NumberTensor : Tiny_TensorOf<!listconcat(Tiny_FloatTypes, Tiny_IntTypes),
    "f64, f32, f16, bf16, or signless or unsigned integers of 8, 16, 32 or 64 bits">;
def Tiny_BoolTensor : Tiny_TensorOf<[I1], "i1">;

#endif // TINY_DIALECT_TD
