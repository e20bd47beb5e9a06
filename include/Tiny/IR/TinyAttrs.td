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

#endif // TINY_ATTRS_TD
