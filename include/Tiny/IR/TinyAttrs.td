//===- TinyAttrs.td - enums and attributes -----------------*- tablegen -*-===//

#ifndef TINY_ATTRS_TD
#define TINY_ATTRS_TD

include "Tiny/IR/TinyDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Tiny_CmpPredicateAttr : I32EnumAttr<"CmpPredicate", "the relation that `cmp` tests", [
    I32EnumAttrCase<"lt", 0>, I32EnumAttrCase<"le", 1>,
    I32EnumAttrCase<"eq", 2>, I32EnumAttrCase<"ne", 3>]> {
  let cppNamespace = "::mlir::tiny";
}

def Tiny_ReduceKindAttr : I32EnumAttr<"ReduceKind", "how `reduce` combines two elements", [
    I32EnumAttrCase<"add", 0>, I32EnumAttrCase<"mul", 1>, I32EnumAttrCase<"max", 2>]> {
  let cppNamespace = "::mlir::tiny";
}

def Tiny_Segment : I32EnumAttr<"Segment", "a piece of memory that a launch plan knows", [
    I32EnumAttrCase<"argument", 0>, I32EnumAttrCase<"result", 1>, I32EnumAttrCase<"constants", 2>,
    I32EnumAttrCase<"state", 3>, I32EnumAttrCase<"workspace", 4>]> {
  let cppNamespace = "::mlir::tiny";
  let genSpecializedAttr = 0;
}
def Tiny_SlotAttr : AttrDef<Tiny_Dialect, "Slot"> {
  let mnemonic = "slot";
  let summary = "where a buffer lies: a segment, which one of it, and a byte range";
  let description = [{
    `index` counts arguments and results; it is 0 in the other segments, of which there is one each.

    ```mlir
    #tiny.slot<workspace[0], offset = 4096, bytes = 256>
    ```
  }];
  let parameters = (ins EnumParameter<Tiny_Segment>:$segment, "int64_t":$index,
                        "int64_t":$offset, "int64_t":$bytes);
  let assemblyFormat = "`<` $segment `[` $index `]` `,` `offset` `=` $offset `,` `bytes` `=` $bytes `>`";
}
def Tiny_SlotArrayAttr : TypedArrayAttrBase<Tiny_SlotAttr, "a list of slots">;

def Tiny_TilingAttr : AttrDef<Tiny_Dialect, "Tiling"> {
  let mnemonic = "tiling";
  let summary = "how one nest of loops is cut into workgroups, registers and vectors";
  let description = [{
    Chosen by `tiny-tile-select-tiling-cpu`, kept on the kernel in the list `tiny.tiling`, one for each
    of its nests in their order, and only read by the passes that apply it: a table or a search may
    write it instead. Loops are numbered as in the nest's root operation: the parallel ones, then the
    reductions.

    | field | meaning |
    |---|---|
    | `grid` | elements of one workgroup along each parallel loop; each divides the loop's size, and is all of it but for the loops that connected nests share |
    | `vector` | the loop that runs along vector lanes, and the number of lanes; -1 by 1 for none |
    | `unroll` | copies of the body per loop that are jammed into one register tile; in vectors for the vector loop |
    | `order` | the loops from the outermost to the innermost, all parallel ones first |

    ```mlir
    #tiny.tiling<grid = [8, 56, 56], vector = 2 by 8, unroll = [6, 1, 2, 1, 3, 3], order = [0, 1, 2, 3, 4, 5]>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$grid, "int64_t":$vectorDim,
                        "int64_t":$vectorWidth, ArrayRefParameter<"int64_t">:$unroll,
                        ArrayRefParameter<"int64_t">:$order);
  let assemblyFormat = [{
    `<` `grid` `=` custom<Integers>($grid) `,` `vector` `=` $vectorDim `by` $vectorWidth `,`
        `unroll` `=` custom<Integers>($unroll) `,` `order` `=` custom<Integers>($order) `>`
  }];
}

def Tiny_Contraction : I32EnumAttr<"Contraction", "what multiplies in a sum of products", [
    I32EnumAttrCase<"none", 0>, I32EnumAttrCase<"fma", 1>, I32EnumAttrCase<"wmma", 2>]> {
  let cppNamespace = "::mlir::tiny";
  let genSpecializedAttr = 0;
}

def Tiny_WorkgroupMode : I32EnumAttr<"WorkgroupMode", "whose LDS a workgroup has: of one unit or of two", [
    I32EnumAttrCase<"cu", 0>, I32EnumAttrCase<"wgp", 1>]> {
  let cppNamespace = "::mlir::tiny";
  let genSpecializedAttr = 0;
}

def Tiny_GPUTilingAttr : AttrDef<Tiny_Dialect, "GPUTiling"> {
  let mnemonic = "gpu_tiling";
  let summary = "how one nest of loops is cut into workgroups, lanes, registers and vectors";
  let description = [{
    Chosen by `tiny-tile-select-tiling-rdna3`, kept on the kernel in the list `tiny.tiling` like
    [`#tiny.tiling`](#tilingattr), whose fields it has and whose numbering of loops it follows. `vector`,
    `unroll` and `order` are those of one lane.

    | field | meaning |
    |---|---|
    | `grid` | elements of one workgroup along each parallel loop; divides the size of a loop that connected nests share |
    | `lanes` | along a reduction loop, a power of two: the lanes that share one sum; along parallel loops, only the product counts: the tiles of the nest are numbered in a row, the vector loop fastest, and dealt out to as many lanes |
    | `contract` | `none`, or the unit that multiplies: the loops that move one factor are then the rows of a tile, those that move the other one its columns, each walked as one loop: the product of their `grid` is the tile, that of `unroll` of the reduction loops the step, of which LDS has two; in a nest that shares its workgroup with others, `unroll` of the parallel loops is the tile of a wave, or of a lane for `fma` |
    | `waves` | with `contract`: the waves of the workgroup along the rows and the columns of its tile |
    | `mode` | whether a workgroup runs on one compute unit, or on two that share their LDS |

    ```mlir
    #tiny.gpu_tiling<grid = [1, 1024], lanes = [1, 256], vector = 1 by 4, unroll = [1, 1],
                     order = [0, 1], contract = none, waves = [1, 1], mode = cu>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$grid, ArrayRefParameter<"int64_t">:$lanes,
                        "int64_t":$vectorDim, "int64_t":$vectorWidth,
                        ArrayRefParameter<"int64_t">:$unroll, ArrayRefParameter<"int64_t">:$order,
                        EnumParameter<Tiny_Contraction>:$contract,
                        ArrayRefParameter<"int64_t">:$waves, EnumParameter<Tiny_WorkgroupMode>:$mode);
  let assemblyFormat = [{
    `<` `grid` `=` custom<Integers>($grid) `,` `lanes` `=` custom<Integers>($lanes) `,`
        `vector` `=` $vectorDim `by` $vectorWidth `,` `unroll` `=` custom<Integers>($unroll) `,`
        `order` `=` custom<Integers>($order) `,` `contract` `=` $contract `,`
        `waves` `=` custom<Integers>($waves) `,` `mode` `=` $mode `>`
  }];
}

#endif // TINY_ATTRS_TD
