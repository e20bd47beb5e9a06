//===- TinyFolders.cpp - folders of the tiny ops --------------------------===//

#include "Tiny/IR/TinyDialect.h"

using namespace mlir;
using namespace mlir::tiny;

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

#define NO_FOLD(Op)                                                                                \
  OpFoldResult Op::fold(FoldAdaptor) { return {}; }
NO_FOLD(Exp2Op)
NO_FOLD(Log2Op)
NO_FOLD(SinOp)
NO_FOLD(SqrtOp)
NO_FOLD(CastOp)
NO_FOLD(AddOp)
NO_FOLD(MulOp)
NO_FOLD(DivOp)
NO_FOLD(MaxOp)
NO_FOLD(CmpOp)
NO_FOLD(WhereOp)
NO_FOLD(ReduceOp)
NO_FOLD(ReshapeOp)
NO_FOLD(PermuteOp)
NO_FOLD(ExpandOp)
NO_FOLD(PadOp)
NO_FOLD(ShrinkOp)
NO_FOLD(StrideOp)
