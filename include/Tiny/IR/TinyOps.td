//===- TinyOps.td - the ops of the tiny dialect ------------*- tablegen -*-===//
//
// Twelve compute ops, six movement ops, two sources, two test ops, and the
// ops that the Schedule stage puts in their place.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_OPS_TD
#define TINY_OPS_TD

include "Tiny/IR/TinyAttrs.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/TilingInterface.td"

class Tiny_Op<string mnemonic, list<Trait> traits = []> : Op<Tiny_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Compute
//===----------------------------------------------------------------------===//

class Tiny_ElementwiseOp<string mnemonic, list<Trait> traits = []>
    : Tiny_Op<mnemonic, !listconcat([Pure], traits)>;

class Tiny_UnaryOp<string mnemonic, string what> :
    Tiny_ElementwiseOp<mnemonic, [SameOperandsAndResultType]> {
  let summary = what;
  let arguments = (ins Tiny_FloatTensor:$input);
  let results = (outs Tiny_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

class Tiny_BinaryOp<string mnemonic, string what, list<Trait> traits = []> :
    Tiny_ElementwiseOp<mnemonic, !listconcat([SameOperandsAndResultType], traits)> {
  let summary = what;
  let arguments = (ins Tiny_Tensor:$lhs, Tiny_Tensor:$rhs);
  let results = (outs Tiny_Tensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs)";
}

def Tiny_Exp2Op : Tiny_UnaryOp<"exp2", "two to the power of each element"> {
  let description = [{
    Within 2 ULP in f32 and 4 in f64; exp2(-inf) = 0, exp2(inf) = inf, exp2(NaN) = NaN.

    ```mlir
    %r = tiny.exp2 %x : tensor<4x8xf32>
    ```
  }];
  let hasFolder = 1;
}

def Tiny_Log2Op : Tiny_UnaryOp<"log2", "base-two logarithm of each element"> {
  let description = [{
    log2(0) = log2(-0) = -inf, a negative element gives NaN, log2(inf) = inf.

    ```mlir
    %r = tiny.log2 %x : tensor<4x8xf32>
    ```
  }];
  let hasFolder = 1;
}

def Tiny_SinOp : Tiny_UnaryOp<"sin", "sine of each element, in radians"> {
  let description = [{
    Reduces the full range of the type: a large argument is as accurate as a small one. An infinity
    gives NaN.

    ```mlir
    %r = tiny.sin %x : tensor<4x8xf32>
    ```
  }];
  let hasFolder = 1;
}

def Tiny_SqrtOp : Tiny_UnaryOp<"sqrt", "correctly rounded square root of each element"> {
  let description = [{
    sqrt(-0) = -0; any other negative element gives NaN.

    ```mlir
    %r = tiny.sqrt %x : tensor<4x8xf32>
    ```
  }];
  let hasFolder = 1;
}

def Tiny_CastOp : Tiny_ElementwiseOp<"cast", [SameOperandsAndResultShape]> {
  let summary = "convert each element to another type, rounding at most once";
  let description = [{
    | from | to | result |
    |---|---|---|
    | float | float | rounded once, to nearest even |
    | float | integer | truncated toward zero and saturated; NaN gives 0 |
    | integer | float | rounded once, to nearest even |
    | integer | integer | wraps: the low bits, after sign or zero extension by the source type |
    | any | `i1` | `!= 0`; NaN gives true |
    | `i1` | any | 0 or 1 |

    ```mlir
    %r = tiny.cast %x : tensor<4xf32> to tensor<4xui8>
    ```
  }];
  let arguments = (ins Tiny_Tensor:$input);
  let results = (outs Tiny_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasFolder = 1;
}

def Tiny_AddOp : Tiny_BinaryOp<"add", "sum; integers wrap, i1 is exclusive or", [Commutative]> {
  let description = [{
    ```mlir
    %r = tiny.add %a, %b : tensor<4x8xf32>
    ```
  }];
  let hasFolder = 1;
}

def Tiny_MulOp : Tiny_BinaryOp<"mul", "product; integers wrap, i1 is and", [Commutative]> {
  let description = [{
    ```mlir
    %r = tiny.mul %a, %b : tensor<4x8xi32>
    ```
  }];
  let hasFolder = 1;
}

def Tiny_DivOp : Tiny_ElementwiseOp<"div", [SameOperandsAndResultType]> {
  let summary = "quotient; integers truncate toward zero and never trap";
  let description = [{
    Integers: x / 0 = 0, and the smallest signed value divided by -1 wraps to itself. Floats: IEEE.

    ```mlir
    %r = tiny.div %a, %b : tensor<4x8xi32>
    ```
  }];
  let arguments = (ins Tiny_NumberTensor:$lhs, Tiny_NumberTensor:$rhs);
  let results = (outs Tiny_NumberTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs)";
  let hasFolder = 1;
}

def Tiny_MaxOp : Tiny_BinaryOp<"max", "the larger; NaN wins, -0 is less than +0, i1 is or", [Commutative]> {
  let description = [{
    ```mlir
    %r = tiny.max %a, %b : tensor<4x8xf32>
    ```
  }];
  let hasFolder = 1;
}

def Tiny_CmpOp : Tiny_ElementwiseOp<"cmp", [SameTypeOperands, InferTypeOpAdaptor]> {
  let summary = "compare each element: lt, le, eq or ne";
  let description = [{
    A comparison with NaN is false, but for `ne`, which is true. On i1, false is less than true, and
    `ne` is exclusive or.

    ```mlir
    %r = tiny.cmp lt %a, %b : tensor<4x8xf32>
    ```
  }];
  let arguments = (ins Tiny_CmpPredicateAttr:$predicate, Tiny_Tensor:$lhs, Tiny_Tensor:$rhs);
  let results = (outs Tiny_BoolTensor:$result);
  let assemblyFormat = "$predicate $lhs `,` $rhs attr-dict `:` type($lhs)";
  let hasFolder = 1;
}

def Tiny_WhereOp : Tiny_ElementwiseOp<"where", [
    AllTypesMatch<["onTrue", "onFalse", "result"]>,
    TypesMatchWith<"condition is an i1 tensor of the result's shape", "result", "condition",
                   "::mlir::cast<::mlir::RankedTensorType>($_self)"
                   ".clone(::mlir::IntegerType::get($_self.getContext(), 1))">]> {
  let summary = "choose between two tensors, element by element";
  let description = [{
    ```mlir
    %r = tiny.where %c, %a, %b : tensor<4x8xf32>
    ```
  }];
  let arguments = (ins Tiny_BoolTensor:$condition, Tiny_Tensor:$onTrue, Tiny_Tensor:$onFalse);
  let results = (outs Tiny_Tensor:$result);
  let assemblyFormat = "$condition `,` $onTrue `,` $onFalse attr-dict `:` type($result)";
  let hasFolder = 1;
}

def Tiny_ReduceOp : Tiny_Op<"reduce", [Pure, InferTypeOpAdaptorWithIsCompatible]> {
  let summary = "combine all elements along some dimensions, which are dropped";
  let description = [{
    The order of combination is free. f16 and bf16 accumulate in f32 and round once. An empty range
    gives the identity: 0 for `add`, 1 for `mul`, and the least value of the type for `max`
    (-inf for floats, false for i1).

    ```mlir
    %r = tiny.reduce add %x dims [0, 2] : tensor<4x8x3xf32> -> tensor<8xf32>
    ```
  }];
  let arguments = (ins Tiny_ReduceKindAttr:$kind, Tiny_Tensor:$input, DenseI64ArrayAttr:$dims);
  let results = (outs Tiny_Tensor:$result);
  let assemblyFormat = "$kind $input `dims` $dims attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

class Tiny_MovementOp<string mnemonic, list<Trait> traits = []>
    : Tiny_Op<mnemonic, !listconcat([Pure, AllElementTypesMatch<["input", "result"]>], traits)>;

def Tiny_ReshapeOp : Tiny_MovementOp<"reshape"> {
  let summary = "the same elements in row-major order under another shape";
  let description = [{
    ```mlir
    %r = tiny.reshape %x : tensor<4x6xf32> to tensor<2x12xf32>
    ```
  }];
  let arguments = (ins Tiny_Tensor:$input);
  let results = (outs Tiny_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tiny_PermuteOp : Tiny_MovementOp<"permute", [InferTypeOpAdaptorWithIsCompatible]> {
  let summary = "reorder the dimensions: result dim i is input dim perm[i]";
  let description = [{
    ```mlir
    %r = tiny.permute %x [2, 0, 1] : tensor<4x6x8xf32> -> tensor<8x4x6xf32>
    ```
  }];
  let arguments = (ins Tiny_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs Tiny_Tensor:$result);
  let assemblyFormat = "$input $permutation attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tiny_ExpandOp : Tiny_MovementOp<"expand"> {
  let summary = "repeat along dimensions of size 1";
  let description = [{
    ```mlir
    %r = tiny.expand %x : tensor<4x1xf32> to tensor<4x8xf32>
    ```
  }];
  let arguments = (ins Tiny_Tensor:$input);
  let results = (outs Tiny_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tiny_PadOp : Tiny_MovementOp<"pad", [InferTypeOpAdaptorWithIsCompatible]> {
  let summary = "add elements of a constant value before and after, per dimension";
  let description = [{
    ```mlir
    %r = tiny.pad %x low [0, 1] high [2, 1] value 0.0 : f32 : tensor<4x6xf32> -> tensor<6x8xf32>
    ```
  }];
  let arguments = (ins Tiny_Tensor:$input, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
                       TypedAttrInterface:$value);
  let results = (outs Tiny_Tensor:$result);
  let assemblyFormat = "$input `low` $low `high` $high `value` $value attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tiny_ShrinkOp : Tiny_MovementOp<"shrink", [InferTypeOpAdaptorWithIsCompatible]> {
  let summary = "keep `sizes` elements from `offsets` on, per dimension";
  let description = [{
    ```mlir
    %r = tiny.shrink %x offsets [1, 0] sizes [2, 6] : tensor<4x6xf32> -> tensor<2x6xf32>
    ```
  }];
  let arguments = (ins Tiny_Tensor:$input, DenseI64ArrayAttr:$offsets, DenseI64ArrayAttr:$sizes);
  let results = (outs Tiny_Tensor:$result);
  let assemblyFormat = "$input `offsets` $offsets `sizes` $sizes attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tiny_StrideOp : Tiny_MovementOp<"stride", [InferTypeOpAdaptorWithIsCompatible]> {
  let summary = "keep every n-th element, per dimension; a negative step starts from the end";
  let description = [{
    A dimension of size n becomes ceil(n / |step|). Step s > 0 keeps elements 0, s, 2s, …; step
    s < 0 keeps n-1, n-1-|s|, n-1-2|s|, …

    ```mlir
    %r = tiny.stride %x [2, -1] : tensor<5x6xf32> -> tensor<3x6xf32>
    ```
  }];
  let arguments = (ins Tiny_Tensor:$input, DenseI64ArrayAttr:$steps);
  let results = (outs Tiny_Tensor:$result);
  let assemblyFormat = "$input $steps attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Sources
//===----------------------------------------------------------------------===//

def Tiny_ConstantOp : Tiny_Op<"constant", [Pure, ConstantLike, InferTypeOpAdaptor]> {
  let summary = "a tensor known at compile time";
  let description = [{
    An op of its own because `arith.constant` refuses unsigned types. Weights are
    `dense_resource` blobs. `slot` is set by `tiny-schedule-plan-memory`.

    ```mlir
    %r = tiny.constant dense<[1, 2, 250]> : tensor<3xui8>
    ```
  }];
  let arguments = (ins ElementsAttr:$value, OptionalAttr<Tiny_SlotAttr>:$slot);
  let builders = [OpBuilder<(ins "::mlir::ElementsAttr":$value)>];
  let results = (outs Tiny_Tensor:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}

def Tiny_IotaOp : Tiny_Op<"iota", [Pure]> {
  let summary = "each element is its index along one dimension";
  let description = [{
    The index is converted to the element type as `cast` from i64 would.

    ```mlir
    %r = tiny.iota dim 1 : tensor<4x8xi32>
    ```
  }];
  let arguments = (ins I64Attr:$dim);
  let results = (outs Tiny_NumberTensor:$result);
  let assemblyFormat = "`dim` $dim attr-dict `:` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Tests in a program
//===----------------------------------------------------------------------===//

def Tiny_ExpectEqOp : Tiny_Op<"expect_eq", [SameTypeOperands]> {
  let summary = "fail the run unless both tensors are equal";
  let description = [{
    Equal to the bit, except that all NaNs are equal; -0 and +0 differ.

    ```mlir
    tiny.expect_eq %actual, %expected : tensor<4xi32>
    ```
  }];
  let arguments = (ins Tiny_Tensor:$actual, Tiny_Tensor:$expected);
  let assemblyFormat = "$actual `,` $expected attr-dict `:` type($actual)";
}

def Tiny_ExpectCloseOp : Tiny_Op<"expect_close", [SameTypeOperands]> {
  let summary = "fail the run unless |actual - expected| <= atol + rtol * |expected|";
  let description = [{
    As NumPy's `allclose` with equal NaNs; infinities must match in sign.

    ```mlir
    tiny.expect_close %actual, %expected rtol 1.0e-5 atol 1.0e-6 : tensor<4xf32>
    ```
  }];
  let arguments = (ins Tiny_FloatTensor:$actual, Tiny_FloatTensor:$expected,
                       F64Attr:$rtol, F64Attr:$atol);
  let assemblyFormat = "$actual `,` $expected `rtol` $rtol `atol` $atol attr-dict `:` type($actual)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// What the Schedule stage makes
//===----------------------------------------------------------------------===//

def Tiny_LaunchOp : Tiny_Op<"launch", [AttrSizedOperandSegments,
                                        DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "run a kernel over a grid of workgroups";
  let description = [{
    The host function is a straight list of these. The kernel is a function in destination-passing
    style: its arguments are the inputs, then one destination per result. Buffers are dense and
    row-major, so a kernel may take an operand under another shape of the same number of elements,
    and it takes unsigned and i1 elements as signless integers of their storage width.

    A result can be an update in place: `into` names the values whose buffers the kernel writes a
    part of, and `updates` the results that take them, in the same order. The part that is not
    written keeps its elements; the kernel does not take the old value as an argument, since it is
    the destination. So the parts of a concatenation are results that update one another, each as
    `%s = tiny.launch @relu(%c) into(%r : tensor<8xf32>) updates [0] : (tensor<4xf32>) -> tensor<8xf32>`.
    An argument of the program can be updated where the caller gives its buffer away (`tiny.donated`).

    `result_slots` says where each result lies and is set by `tiny-schedule-plan-memory`; `grid`
    (workgroups along x, y, z) is set by the Tile stage.

    ```mlir
    %r = tiny.launch @add_4x8(%a, %b) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Tiny_Tensor>:$inputs,
                       Variadic<Tiny_Tensor>:$inits,
                       OptionalAttr<DenseI64ArrayAttr>:$updates,
                       OptionalAttr<DenseI64ArrayAttr>:$grid,
                       OptionalAttr<Tiny_SlotArrayAttr>:$result_slots);
  let builders = [OpBuilder<(ins "::mlir::TypeRange":$outputs, "::llvm::StringRef":$kernel,
                                 "::mlir::ValueRange":$inputs)>];
  let results = (outs Variadic<Tiny_Tensor>:$outputs);
  let assemblyFormat = [{
    $kernel `(` $inputs `)` (`into` `(` $inits^ `:` type($inits) `)` `updates` $updates)?
    attr-dict `:` functional-type($inputs, $outputs)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The value that result `number` updates in place, or null.
    ::mlir::Value getInitOf(unsigned number);
  }];
}

def Tiny_ReadOp : Tiny_Op<"read", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "one element of a source, read through a view";
  let description = [{
    Appears in the body of a `linalg.generic` only, for the views that are not legal `linalg`
    operands (guarded, reversed, or with a div or mod). `map` takes `indices` to an index of the
    source. `guard` takes them to one number per constraint; constraint i holds when
    `lows[i] <= number < highs[i]`. The first one that does not hold decides: the value is `pads[i]`.
    The source is not accessed unless all hold.

    ```mlir
    %v = tiny.read %src[%i, %j] affine_map<(d0, d1) -> (d0 * 4 + d1 - 1)>
           where affine_map<(d0, d1) -> (d1)> in [1] to [5] else [0.0 : f32] : tensor<32xf32> -> f32
    ```
  }];
  let arguments = (ins AnyTypeOf<[AnyStaticShapeTensor, AnyStaticShapeMemRef]>:$source,
                       Variadic<Index>:$indices,
                       AffineMapAttr:$map, AffineMapAttr:$guard, DenseI64ArrayAttr:$lows,
                       DenseI64ArrayAttr:$highs, ArrayAttr:$pads);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $source `[` $indices `]` $map `where` $guard `in` $lows `to` $highs `else` $pads attr-dict
    `:` type($source) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tiny_PlaceOp : Tiny_Op<"place", [MemoryEffects<[MemWrite]>]> {
  let summary = "where along a dim of the destination an element is stored";
  let description = [{
    Appears in the body of a `linalg.generic` only, whose destination (the last, if it has an
    accumulator too) has the constant 0 as the index of dim `dim` in its map: the element that an
    iteration yields is stored at `index` along that dim. Nothing is stored where `index` is no index
    of the dim. No two iterations store at one place.

    ```mlir
    tiny.place %i dim 1
    ```
  }];
  let arguments = (ins Index:$index, ConfinedAttr<I64Attr, [IntNonNegative]>:$dim);
  let assemblyFormat = "$index `dim` $dim attr-dict";
}

def Tiny_OnlineReduceOp : Tiny_Op<"online_reduce", [
    DeclareOpInterfaceMethods<DestinationStyleOpInterface>,
    DeclareOpInterfaceMethods<TilingInterface,
      ["getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation",
       "getResultTilePosition"]>,
    DeclareOpInterfaceMethods<PartialReductionOpInterface,
      ["generateInitialTensorForPartialReduction", "tileToPartialReduction", "mergeReductions",
       "getPartialResultTilePosition"]>,
    AttrSizedOperandSegments, Pure, SingleBlock,
    RangedTypesMatchWith<"results are the inits after the reduction", "inits", "results",
                         "::llvm::make_range($_self.begin(), $_self.end())">]> {
  let summary = "sums that are relative to a maximum which is still being found";
  let description = [{
    The state of softmax and attention, which no `linalg.generic` carries: a running maximum (the
    *pivot*) and sums of terms that are weighted relative to it, over the loops `over`, in one pass
    (Milakov and Gimelshein, Online normalizer calculation for softmax, 2018). The loops are those of
    `maps`, which has one projected permutation per input and init, as `linalg.generic` has; the last
    ones, `over` of them, reduce. The first input is the score and the first init the pivot. A sum
    runs over the loops of its own map and the reducing ones.

    Each result is what its init and all points combine to, where m is the pivot's result:

    * the pivot: the maximum of its init and all scores;
    * sum i: `rescale(init of the pivot, m) * init + sum of combine(weight(score, m), inputs…)[i]`.

    `weight` takes a score and the pivot. `combine` takes the weight and one element of each input
    but the score, and yields a term for each sum. `rescale` takes an older and a newer pivot, and
    must agree with `weight`: `weight(s, newer) = weight(s, older) * rescale(older, newer)`, in real
    numbers. All inits have one element type. Where the pivot is minus infinity, the regions see the
    lowest finite number of the score's type in its place, so that a run of scores that are all
    minus infinity weighs nothing instead of NaN.

    Any order and grouping of the points is allowed, so floats may differ by what moving a factor out
    of a sum changes: one rounding for each time that the pivot grows.

    ```mlir
    %r:2 = tiny.online_reduce over 1
      maps [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>, affine_map<(i, k) -> (i)>]
      ins(%s : tensor<4x9xf32>) outs(%m, %l : tensor<4xf32>, tensor<4xf32>)
      weight {
      ^bb0(%score: f32, %pivot: f32):
        %d = arith.subf %score, %pivot : f32
        %w = math.exp2 %d : f32
        tiny.yield %w : f32
      } combine {
      ^bb0(%w: f32):
        tiny.yield %w : f32
      } rescale {
      ^bb0(%older: f32, %newer: f32):
        %d = arith.subf %older, %newer : f32
        %f = math.exp2 %d : f32
        tiny.yield %f : f32
      }
    ```
  }];
  let arguments = (ins Variadic<AnyStaticShapeTensor>:$inputs, Variadic<AnyStaticShapeTensor>:$inits,
                       AffineMapArrayAttr:$maps,
                       ConfinedAttr<I64Attr, [IntNonNegative]>:$numReductions);
  let results = (outs Variadic<AnyStaticShapeTensor>:$results);
  let regions = (region SizedRegion<1>:$weight, SizedRegion<1>:$combine, SizedRegion<1>:$rescale);
  let assemblyFormat = [{
    `over` $numReductions `maps` $maps `ins` `(` $inputs `:` type($inputs) `)`
    `outs` `(` $inits `:` type($inits) `)` `weight` $weight `combine` $combine `rescale` $rescale
    attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::AffineMap getMap(unsigned operand) {
      return ::llvm::cast<::mlir::AffineMapAttr>(getMaps()[operand]).getValue();
    }
    ::mlir::AffineMap getInitMap(unsigned number) { return getMap(getInputs().size() + number); }
    unsigned getNumLoops() { return getMap(0).getNumDims(); }
    /// The number of the first loop that reduces.
    unsigned getFirstReduction() { return getNumLoops() - getNumReductions(); }
    /// The extent of each loop.
    ::llvm::SmallVector<int64_t> getLoopExtents();
    /// The op with the same regions on other operands.
    ::mlir::tiny::OnlineReduceOp cloneWith(::mlir::OpBuilder &builder, ::mlir::ValueRange inputs,
                                           ::mlir::ValueRange inits,
                                           ::llvm::ArrayRef<::mlir::AffineMap> maps,
                                           int64_t numReductions);
    /// Emits what a region of the op computes from scalars.
    static ::llvm::SmallVector<::mlir::Value> inlineRegion(::mlir::OpBuilder &builder,
                                                           ::mlir::Region &region,
                                                           ::mlir::ValueRange arguments);
    /// The arguments of `combine` that the term of sum `number` (1 is the first) depends on.
    ::llvm::SmallVector<::mlir::BlockArgument> getTermArguments(unsigned number);
    /// Emits that term; `arguments` are in place of these.
    ::mlir::Value inlineTerm(::mlir::OpBuilder &builder, unsigned number,
                             ::mlir::ValueRange arguments);
    /// Emits the pivot that the regions see where the running one is `pivot`.
    ::mlir::Value finitePivot(::mlir::OpBuilder &builder, ::mlir::Value pivot);
  }];
}

def Tiny_YieldOp : Tiny_Op<"yield", [Pure, Terminator, ParentOneOf<["OnlineReduceOp"]>]> {
  let summary = "the values of a region";
  let description = [{
    Ends the regions of `tiny.online_reduce`.

    ```mlir
    tiny.yield %w : f32
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif // TINY_OPS_TD
