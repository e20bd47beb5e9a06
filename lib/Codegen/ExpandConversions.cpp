//===- ExpandConversions.cpp - float conversions as integer arithmetic ----===//
//
// Where LLVM would call a helper, round twice, flush denormals or crash, the
// conversion is written out here. Every formula rounds once, to nearest even:
// where a wide value passes through f32 or f64 on its way to something narrow,
// that first step rounds to odd (keeps a sticky last bit), which the second
// rounding cannot confuse with a tie as long as two bits lie between them
// (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"
#include "Tiny/Codegen/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_EXPANDCONVERSIONSPASS
#include "Tiny/Codegen/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

/// bf16 is the upper half of an f32.
static Value extendBF16(Elementwise &e, Value x) {
  return e.bitcast(e.shl(e.zext(e.bits(x), 32), 16), e.f32());
}

/// Moves exponent and mantissa to their places in an f32 and rebiases by a multiplication with
/// 2^112: it is exact, and makes denormals of f16 normal.
static Value extendF16(Elementwise &e, Value x) {
  Value half = e.zext(e.bits(x), 32);
  Value magnitude = e.andi(half, 0x7fff);
  Value placed = e.shl(magnitude, 13);
  Value finite = e.bits(e.mulf(e.bitcast(placed, e.f32()), e.real32(0x1p112f)));
  Value special = e.ori(placed, 0x7f800000); // infinity, or NaN with its payload
  Value isSpecial = e.compare(arith::CmpIPredicate::uge, magnitude, 0x7c00);
  Value sign = e.shl(e.andi(half, 0x8000), 16);
  return e.bitcast(e.ori(e.select(isSpecial, special, finite), sign), e.f32());
}

/// Adds just under half of the last kept place, and one more where that place is odd: a carry out
/// of the mantissa is the right exponent, up to infinity.
static Value truncateToBF16(Elementwise &e, Value x, Type to) {
  Value bits = e.bits(x);
  Value odd = e.andi(e.shrU(bits, 16), 1);
  Value rounded = e.shrU(e.add(e.add(bits, 0x7fff), odd), 16);
  Value quiet = e.ori(e.shrU(bits, 16), 0x40);
  Value isNaN = e.compare(arith::CmpFPredicate::UNO, x, x);
  return e.bitcast(e.trunc(e.select(isNaN, quiet, rounded), 16), to);
}

/// As for bf16 where the result is normal. Denormals of f16 count units of 2^-24, which is the last
/// place of 0.5f: adding 0.5f rounds to them and leaves the count in the low bits.
static Value truncateToF16(Elementwise &e, Value x, Type to) {
  Value bits = e.bits(x);
  Value magnitude = e.andi(bits, 0x7fffffff);
  Value odd = e.andi(e.shrU(magnitude, 13), 1);
  Value normal = e.shrU(e.sub(e.add(e.add(magnitude, 0xfff), odd), 0x38000000), 13);
  Value withUnit = e.addf(e.bitcast(magnitude, e.f32()), e.real32(0.5f));
  Value denormal = e.sub(e.bits(withUnit), 0x3f000000);
  Value quiet = e.ori(e.andi(e.shrU(magnitude, 13), 0x3ff), 0x7e00);

  Value result = e.select(e.compare(arith::CmpIPredicate::ult, magnitude, 0x38800000), denormal,
                          normal); // below 2^-14
  result = e.select(e.compare(arith::CmpIPredicate::uge, magnitude, 0x477ff000),
                    e.constant(32, 0x7c00), result); // from 65520 on
  result = e.select(e.compare(arith::CmpIPredicate::ugt, magnitude, 0x7f800000), quiet, result);
  Value sign = e.andi(e.shrU(bits, 16), 0x8000);
  return e.bitcast(e.trunc(e.ori(result, sign), 16), to);
}

/// f64 to f32, rounded to odd: toward zero, then the last bit set unless the result is exact.
static Value truncateToOddF32(Elementwise &e, Value x) {
  Value nearest = e.truncf(x, e.f32());
  Value back = e.extf(nearest, e.f64());
  Value tooFar = e.compare(arith::CmpFPredicate::OGT, e.absf(back), e.absf(x));
  Value inexact = e.compare(arith::CmpFPredicate::ONE, back, x);
  Value bits = e.bits(nearest);
  Value towardZero = e.sub(bits, e.zext(tooFar, 32));
  return e.bitcast(e.ori(towardZero, e.zext(inexact, 32)), e.f32());
}

/// An i64 to f64 with at most a sticky error: past 53 bits the low 11 collapse into the lowest bit
/// that is kept. Exact below 2^53.
static Value keepSticky(Elementwise &e, Value x, bool isSigned) {
  Value carry = e.add(e.andi(x, 0x7ff), 0x7ff); // has bit 11 set unless the low bits are all 0
  Value sticky = e.andi(e.ori(carry, x), ~uint64_t(0x7ff));
  Value isSmall = isSigned ? e.compare(arith::CmpIPredicate::ule, e.add(x, uint64_t(1) << 53),
                                       uint64_t(1) << 54)
                           : e.compare(arith::CmpIPredicate::ule, x, uint64_t(1) << 53);
  return e.select(isSmall, x, sticky);
}

/// ui64 to f64 without the conversion instruction. Both halves become the mantissa of a power of
/// two; only the last addition rounds.
static Value unsignedToF64(Elementwise &e, Value x) {
  Value high = e.bitcast(e.ori(e.shrU(x, 32), 0x4530000000000000), e.f64()); // 2^84 + high * 2^32
  Value low = e.bitcast(e.ori(e.andi(x, 0xffffffff), 0x4330000000000000), e.f64()); // 2^52 + low
  return e.addf(e.subf(high, e.real64(0x1p84 + 0x1p52)), low);
}

namespace {

struct ExpandExtF : OpRewritePattern<arith::ExtFOp> {
  ExpandExtF(MLIRContext *context, bool nativeF16)
      : OpRewritePattern(context), nativeF16(nativeF16) {}

  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    Type from = getElementTypeOrSelf(op.getIn()), to = getElementTypeOrSelf(op.getOut());
    Elementwise e(rewriter, op.getLoc(), op.getType());
    Value single;
    if (from.isBF16())
      single = extendBF16(e, op.getIn());
    else if (from.isF16() && !nativeF16)
      single = extendF16(e, op.getIn());
    else if (from.isF16() && !to.isF32())
      single = e.extf(op.getIn(), e.f32()); // hardware converts to f32 only
    else
      return rewriter.notifyMatchFailure(op, "LLVM does this one well");
    rewriter.replaceOp(op, to.isF32() ? single : e.extf(single, op.getType()));
    return success();
  }

  bool nativeF16;
};

struct ExpandTruncF : OpRewritePattern<arith::TruncFOp> {
  ExpandTruncF(MLIRContext *context, bool nativeF16)
      : OpRewritePattern(context), nativeF16(nativeF16) {}

  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    Type from = getElementTypeOrSelf(op.getIn()), to = getElementTypeOrSelf(op.getOut());
    if (!to.isF16() && !to.isBF16())
      return rewriter.notifyMatchFailure(op, "LLVM does this one well");
    if (from.isF32() && to.isF16() && nativeF16)
      return rewriter.notifyMatchFailure(op, "one instruction");
    Elementwise e(rewriter, op.getLoc(), op.getType());
    Value single = from.isF64() ? truncateToOddF32(e, op.getIn()) : op.getIn();
    if (to.isBF16())
      rewriter.replaceOp(op, truncateToBF16(e, single, op.getType()));
    else if (nativeF16)
      rewriter.replaceOp(op, e.truncf(single, op.getType()));
    else
      rewriter.replaceOp(op, truncateToF16(e, single, op.getType()));
    return success();
  }

  bool nativeF16;
};

/// Integers to f16 and bf16 go through f32 (f64 where they have more than 24 bits); ui64 is
/// expanded for all floats.
template <typename Op, bool isSigned> struct ExpandIntToFloat : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    Type to = getElementTypeOrSelf(op.getOut());
    unsigned width = getElementTypeOrSelf(op.getIn()).getIntOrFloatBitWidth();
    bool isNarrow = to.isF16() || to.isBF16();
    if (!isNarrow && (isSigned || width <= 32))
      return rewriter.notifyMatchFailure(op, "LLVM does this one well");
    Elementwise e(rewriter, op.getLoc(), op.getType());
    Value x = op.getIn();
    if (width <= 16) {
      rewriter.replaceOp(op, e.truncf(convert(e, x, e.f32()), op.getType()));
      return success();
    }
    if (width > 32 && !to.isF64())
      x = keepSticky(e, x, isSigned);
    Value wide = width > 32 && !isSigned ? unsignedToF64(e, x) : convert(e, x, e.f64());
    rewriter.replaceOp(op, to.isF64() ? wide : e.truncf(wide, op.getType()));
    return success();
  }

  static Value convert(Elementwise &e, Value x, Type to) {
    return isSigned ? e.sitofp(x, to) : e.uitofp(x, to);
  }
};

/// f16 and bf16 to integers go through f32, which holds them exactly.
template <typename Op> struct ExpandFloatToInt : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    Type from = getElementTypeOrSelf(op.getIn());
    if (!from.isF16() && !from.isBF16())
      return rewriter.notifyMatchFailure(op, "LLVM does this one well");
    Elementwise e(rewriter, op.getLoc(), op.getType());
    rewriter.replaceOpWithNewOp<Op>(op, op.getType(), e.extf(op.getIn(), e.f32()));
    return success();
  }
};

struct ExpandConversionsPass : tiny::impl::ExpandConversionsPassBase<ExpandConversionsPass> {
  using ExpandConversionsPassBase::ExpandConversionsPassBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandExtF, ExpandTruncF>(&getContext(), nativeF16);
    patterns.add<ExpandIntToFloat<arith::SIToFPOp, true>, ExpandIntToFloat<arith::UIToFPOp, false>,
                 ExpandFloatToInt<arith::FPToSIOp>, ExpandFloatToInt<arith::FPToUIOp>>(
        &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
