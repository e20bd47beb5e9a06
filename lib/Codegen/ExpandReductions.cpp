//===- ExpandReductions.cpp - float sums and products of a vector as trees ===//
//
// LLVM keeps the order of a float reduction and makes a chain of scalar
// additions of it, as long as the vector. A reduce may be reassociated, so this
// adds the upper half to the lower half until one element is left: with LLVM's
// `reassoc` flag the order would be its choice, here it is the program's.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Codegen/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_EXPANDREDUCTIONSPASS
#include "Tiny/Codegen/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

static Value combine(OpBuilder &b, Location loc, bool isSum, Value x, Value y) {
  return isSum ? arith::AddFOp::create(b, loc, x, y).getResult()
               : arith::MulFOp::create(b, loc, x, y).getResult();
}

/// `count` elements of `vector` from `first` on.
static Value slice(OpBuilder &b, Location loc, Value vector, int64_t first, int64_t count) {
  return vector::ShuffleOp::create(b, loc, vector, vector,
                                   llvm::to_vector(llvm::seq(first, first + count)));
}

static void expand(IRRewriter &rewriter, vector::ReductionOp op, bool isSum) {
  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  Value vector = op.getVector();
  Value rest = op.getAcc(); // what is combined last: the accumulator and elements left over
  int64_t size = op.getSourceVectorType().getNumElements();
  while (size > 1) {
    if (size % 2) {
      Value last = vector::ExtractOp::create(rewriter, loc, vector, size - 1);
      rest = rest ? combine(rewriter, loc, isSum, rest, last) : last;
    }
    size /= 2;
    vector = combine(rewriter, loc, isSum, slice(rewriter, loc, vector, 0, size),
                     slice(rewriter, loc, vector, size, size));
  }
  Value result = vector::ExtractOp::create(rewriter, loc, vector, 0);
  rewriter.replaceOp(op, rest ? combine(rewriter, loc, isSum, rest, result) : result);
}

namespace {
struct ExpandReductionsPass : tiny::impl::ExpandReductionsPassBase<ExpandReductionsPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation()->walk([&](vector::ReductionOp op) {
      bool isSum = op.getKind() == vector::CombiningKind::ADD;
      if (isa<FloatType>(op.getType()) && (isSum || op.getKind() == vector::CombiningKind::MUL) &&
          !op.isMasked())
        expand(rewriter, op, isSum);
    });
  }
};
} // namespace
