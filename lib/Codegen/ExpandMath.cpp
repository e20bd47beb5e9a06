//===- ExpandMath.cpp - exp2, exp, log2 and sin ---------------------------===//
//
// LLVM would call libm once per element. Here they become straight vector code.
// log2 and sin of f32 are in this file, and computed in f64: argument reduction and a polynomial
// whose error is below 2^-32, so that the final rounding to f32 makes nearly all of the error, and
// denormals and overflow need no case of their own. Polynomials are plain Taylor series over the
// reduced range: a minimax fit would save one or two terms, at the price of tables of constants
// that nobody can check by reading.
//
// What is computed in f32 is in ExpandMathSingle.cpp, the functions of f64 in ExpandMathDouble.cpp.
//
//===----------------------------------------------------------------------===//

#include "ExpandMath.h"
#include "Tiny/Codegen/Passes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

#include "llvm/ADT/SetVector.h"

#include <array>
#include <cmath>

namespace mlir::tiny {
#define GEN_PASS_DEF_EXPANDMATHPASS
#include "Tiny/Codegen/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;
using FPredicate = arith::CmpFPredicate;

//===----------------------------------------------------------------------===//
// What f32 and f64 share
//===----------------------------------------------------------------------===//

Value mlir::tiny::powerOfTwo(Elementwise &e, Value sum) {
  return e.bitcast(e.add(e.shl(e.bits(sum), 52), kOneBits), e.f64());
}

Value mlir::tiny::anyOf(OpBuilder &b, Location loc, Value condition) {
  if (!isa<VectorType>(condition.getType()))
    return condition;
  return vector::ReductionOp::create(b, loc, vector::CombiningKind::OR, condition);
}

Value mlir::tiny::lookUp(OpBuilder &b, Elementwise &e, Location loc, Value table, Value base,
                         int64_t offset) {
  auto vector = dyn_cast<VectorType>(base.getType());
  Value start = arith::ConstantIndexOp::create(b, loc, offset);
  if (!vector) {
    Value index = arith::IndexCastOp::create(b, loc, b.getIndexType(), base);
    index = arith::AddIOp::create(b, loc, index, start);
    return memref::LoadOp::create(b, loc, table, index);
  }
  auto type = cast<VectorType>(e.type(cast<MemRefType>(table.getType()).getElementType()));
  Value none = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  return vector::GatherOp::create(b, loc, type, table, start, base, e.constant(1, 1), none);
}

Value mlir::tiny::constantTable(OpBuilder &b, Location loc, ModuleOp module, StringRef name,
                                DenseElementsAttr parts) {
  ShapedType tensor = parts.getType();
  auto type = MemRefType::get(tensor.getShape(), tensor.getElementType());
  if (!module.lookupSymbol<memref::GlobalOp>(name)) {
    OpBuilder start = OpBuilder::atBlockBegin(module.getBody());
    memref::GlobalOp::create(start, module.getLoc(), name, start.getStringAttr("private"), type,
                             parts, /*constant=*/true, /*alignment=*/nullptr);
  }
  return memref::GetGlobalOp::create(b, loc, type, name);
}

//===----------------------------------------------------------------------===//
// log2
//===----------------------------------------------------------------------===//

/// x = 2^k * m with m in [sqrt(1/2), sqrt(2)), log2(m) = 2/ln(2) * atanh((m - 1) / (m + 1)).
/// There is no cancellation: k is 0 wherever log2(x) is small.
static Value expandLog2(Elementwise &e, Value x, Type to) {
  constexpr uint64_t sqrtHalfBits = 0x3fe6a09e667f3bcd;
  Value wide = e.extf(x, e.f64()); // denormals of f32 are normal here
  Value bits = e.bits(wide);
  Value k = e.shrS(e.sub(bits, sqrtHalfBits), 52);
  Value m = e.bitcast(e.sub(bits, e.shl(k, 52)), e.f64());
  Value one = e.real64(1);
  Value s = e.divf(e.subf(m, one), e.addf(m, one)); // |s| < 0.172
  Value z = e.mulf(s, s);
  std::array<double, 8> coefficients; // atanh(s) / s: the next term is below 2^-44
  for (unsigned i = 0; i < coefficients.size(); ++i)
    coefficients[i] = 2 / kLn2 / (2 * i + 1);
  // k to f64 without the i64 conversion, which only AVX-512 has for vectors.
  Value kReal = e.subf(e.bitcast(e.add(k, e.bits(e.real64(kRound))), e.f64()), e.real64(kRound));
  Value result = e.truncf(e.mulAdd(s, e.polynomial64(z, coefficients), kReal), to);

  Value zero = e.real32(0), infinity = e.real32(INFINITY);
  result = e.select(e.compare(FPredicate::OLT, x, infinity), result, x); // infinity and NaN
  result = e.select(e.compare(FPredicate::OLT, x, zero), e.real32(NAN), result);
  return e.select(e.compare(FPredicate::OEQ, x, zero), e.real32(-INFINITY), result);
}

//===----------------------------------------------------------------------===//
// sin
//===----------------------------------------------------------------------===//

/// pi/2 as a number of 30 bits, so that its product with an integer below 2^23 is exact, and the
/// rest.
static constexpr double kHalfPiHigh = 0x1.921fb54p+0;
static constexpr double kHalfPiLow = 0x1.10b4611a62633p-30;
static constexpr double kHalfPi = 0x1.921fb54442d18p+0;
static constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;

/// Below this the quotient by pi/2 fits the product above.
static constexpr float kLargeArgument = 0x1p23f;

/// From there on x = m * 2^E with a 24-bit m and E in [0, kExponents).
static constexpr int64_t kExponents = 105;
static constexpr StringLiteral kTableName = "tiny_two_over_pi";

/// A number of three parts in the reduction of an argument.
struct Reduced {
  Value quotient; ///< an f64 whose low bits hold the quotient by pi/2
  Value rest;     ///< in about [-pi/4, pi/4]
};

/// `count` bits of 2/pi from the one of weight 2^-first on, as an integer; bits before the point
/// are 0.
static uint64_t bitsOfTwoOverPi(int64_t first, int64_t count) {
  static constexpr uint32_t words[] = {0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
                                       0xdb629599, 0x3c439041, 0xfe5163ab};
  uint64_t result = 0;
  for (int64_t bit = first; bit < first + count; ++bit)
    result = result << 1 | (bit < 1 ? 0 : words[(bit - 1) / 32] >> (31 - (bit - 1) % 32) & 1);
  return result;
}

/// 2^E * 2/pi modulo 4 as a sum of three f64 of 29, 29 and 53 bits, for each E. So m times the
/// first part is exact (Payne and Hanek's reduction, cut to what f32 needs).
static Value getTable(OpBuilder &b, Location loc, ModuleOp module) {
  SmallVector<double> parts;
  for (int64_t exponent = 0; exponent < kExponents; ++exponent) {
    // The bit of weight 2^1 in the product has weight 2^-(E - 1) in 2/pi.
    int64_t first = exponent - 1;
    parts.push_back(std::ldexp(bitsOfTwoOverPi(first, 29), -27));
    parts.push_back(std::ldexp(bitsOfTwoOverPi(first + 29, 29), -56));
    parts.push_back(std::ldexp(bitsOfTwoOverPi(first + 58, 53), -109));
  }
  auto type = RankedTensorType::get({static_cast<int64_t>(parts.size())}, b.getF64Type());
  return constantTable(b, loc, module, kTableName,
                       DenseElementsAttr::get(type, ArrayRef<double>(parts)));
}

static Reduced reduceSmall(Elementwise &e, Value magnitude) {
  Value quotient = e.addf(e.mulf(magnitude, e.real64(kTwoOverPi)), e.real64(kRound));
  Value k = e.subf(quotient, e.real64(kRound));
  Value rest = e.subf(magnitude, e.mulf(k, e.real64(kHalfPiHigh)));
  return {quotient, e.subf(rest, e.mulf(k, e.real64(kHalfPiLow)))};
}

/// `bits` are those of |x| as f32, at least 2^23.
static Reduced reduceLarge(OpBuilder &b, Elementwise &e, Location loc, Value bits, Value table) {
  Value mantissa = e.ori(e.andi(bits, 0x7fffff), 0x800000);
  Value m = e.sitofp(mantissa, e.f64());
  Value exponent = e.sub(e.shrU(bits, 23), 150);
  // Infinity, NaN, and lanes that do not come here for themselves: any row will do.
  Value last = e.constant(32, kExponents - 1);
  Value inTable = e.compare(arith::CmpIPredicate::ult, exponent, kExponents);
  Value row = e.zext(e.mul(e.select(inTable, exponent, last), 3), 64);

  Value product = e.mulf(m, lookUp(b, e, loc, table, row, 0)); // exact
  Value second = e.mulf(m, lookUp(b, e, loc, table, row, 1));  // up to 1/8
  Value quotient = e.addf(e.addf(product, second), e.real64(kRound));
  Value fraction = e.addf(e.subf(product, e.subf(quotient, e.real64(kRound))), second);
  fraction = e.addf(fraction, e.mulf(m, lookUp(b, e, loc, table, row, 2)));
  return {quotient, e.mulf(fraction, e.real64(kHalfPi))};
}

/// The sine of quotient * pi/2 + rest.
static Value sineOf(Elementwise &e, Reduced x) {
  std::array<double, 6> sine = {1}, cosine = {1}; // terms in rest^2; the next are below 2^-32
  for (unsigned k = 1; k < sine.size(); ++k) {
    sine[k] = -sine[k - 1] / (2 * k * (2 * k + 1));
    cosine[k] = -cosine[k - 1] / (2 * k * (2 * k - 1));
  }
  Value square = e.mulf(x.rest, x.rest);
  Value sin = e.mulf(x.rest, e.polynomial64(square, sine));
  Value cos = e.polynomial64(square, cosine);
  Value quotient = e.bits(x.quotient);
  Value isOdd = e.compare(arith::CmpIPredicate::ne, e.andi(quotient, 1), 0);
  Value sign = e.shl(e.andi(quotient, 2), 62);
  return e.bitcast(e.xori(e.bits(e.select(isOdd, cos, sin)), sign), e.f64());
}

/// sin(-x) = -sin(x), so -0 comes out right. Large arguments are rare: their reduction runs only
/// when there is one in the vector.
static Value expandSin(OpBuilder &b, Elementwise &e, Location loc, Value x, Type to,
                       ModuleOp module) {
  Value magnitude = e.absf(x);
  Value isLarge = e.compare(FPredicate::OGE, magnitude, e.real32(kLargeArgument));
  Reduced small = reduceSmall(e, e.extf(magnitude, e.f64()));
  auto choice = scf::IfOp::create(
      b, loc, anyOf(b, loc, isLarge),
      [&](OpBuilder &b, Location loc) {
        Value table = getTable(b, loc, module);
        Elementwise inner(b, loc, x.getType());
        Reduced large = reduceLarge(b, inner, loc, inner.bits(magnitude), table);
        scf::YieldOp::create(b, loc,
                             ValueRange{inner.select(isLarge, large.quotient, small.quotient),
                                        inner.select(isLarge, large.rest, small.rest)});
      },
      [&](OpBuilder &b, Location loc) {
        scf::YieldOp::create(b, loc, ValueRange{small.quotient, small.rest});
      });
  Value sine = e.truncf(sineOf(e, {choice.getResult(0), choice.getResult(1)}), to);
  Value sign = e.andi(e.bits(x), 0x80000000);
  sine = e.bitcast(e.xori(e.bits(sine), sign), to);
  Value isFinite = e.compare(FPredicate::OLT, magnitude, e.real32(INFINITY));
  return e.select(isFinite, sine, e.real32(NAN));
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// The expansion of `op`, or null if it is not one for this pass. `x` and `to` are the operand and
/// result type as a scalar or a vector of rank 1.
static Value expand(OpBuilder &b, Operation *op, Value x, Type to, NativeMath native,
                    ModuleOp module) {
  Elementwise e(b, op->getLoc(), to, native.fma);
  bool isDouble = getElementTypeOrSelf(to).isF64();
  if (isa<math::Exp2Op>(op))
    return isDouble ? expandExp2Double(e, x) : expandExp2Single(e, x, native);
  if (isa<math::Log2Op>(op))
    return isDouble ? expandLog2Double(e, x) : expandLog2(e, x, to);
  if (isDouble)
    return expandSinDouble(b, e, op->getLoc(), x, module);
  if (native.f32)
    return expandSinSingle(b, e, op->getLoc(), x);
  return expandSin(b, e, op->getLoc(), x, to, module);
}

/// Of a vector of any rank: the one operand that `expand` wants has rank 1.
static void replaceFlat(IRRewriter &rewriter, Operation *op, Value x,
                        llvm::function_ref<Value(Value, Type)> expand) {
  Type type = op->getResult(0).getType();
  auto vector = dyn_cast<VectorType>(type);
  rewriter.setInsertionPoint(op);
  if (!vector || vector.getRank() == 1) {
    rewriter.replaceOp(op, expand(x, type));
    return;
  }
  auto flat = VectorType::get({vector.getNumElements()}, vector.getElementType());
  Value cast = vector::ShapeCastOp::create(rewriter, op->getLoc(), flat, x);
  rewriter.replaceOpWithNewOp<vector::ShapeCastOp>(op, vector, expand(cast, flat));
}

/// Returns `power` if something else needs it, and else null: it is gone then.
static Operation *replaceExponential(IRRewriter &rewriter, math::Exp2Op power, Exponential found,
                                     NativeMath native) {
  replaceFlat(rewriter, found.result, found.x, [&](Value x, Type type) {
    Elementwise e(rewriter, power.getLoc(), type, native.fma);
    return expandExpSingle(e, x, native);
  });
  for (Operation *user : llvm::make_early_inc_range(power->getUsers()))
    if (user->use_empty() && isa<arith::MulFOp>(user))
      rewriter.eraseOp(user);
  if (!power->use_empty())
    return power;
  rewriter.eraseOp(power);
  return nullptr;
}

/// Erases `op` and what nobody needs then.
static void eraseDead(IRRewriter &rewriter, Operation *op) {
  SmallVector<Operation *> work = {op};
  while (!work.empty()) {
    Operation *next = work.pop_back_val();
    SetVector<Operation *> before;
    for (Value operand : next->getOperands())
      if (Operation *definition = operand.getDefiningOp())
        before.insert(definition);
    rewriter.eraseOp(next);
    for (Operation *definition : before)
      if (isOpTriviallyDead(definition))
        work.push_back(definition);
  }
}

static void replaceRounding(IRRewriter &rewriter, arith::SelectOp select) {
  rewriter.setInsertionPoint(select);
  Value rounded = math::RoundEvenOp::create(rewriter, select.getLoc(), matchRoundEven(select));
  rewriter.replaceAllUsesWith(select.getResult(), rounded);
  eraseDead(rewriter, select);
}

static void expandOp(IRRewriter &rewriter, Operation *op, NativeMath native, ModuleOp module) {
  replaceFlat(rewriter, op, op->getOperand(0),
              [&](Value x, Type type) { return expand(rewriter, op, x, type, native, module); });
}

/// Without the instruction, an fma would be a call that emulates its single rounding. With it,
/// `vector.fma` is no op to keep: upstream makes `llvm.fmuladd` of it, which the back end splits in
/// a compilation that contracts nothing by itself.
static void expandFMA(IRRewriter &rewriter, Operation *op, bool nativeFMA) {
  rewriter.setInsertionPoint(op);
  if (nativeFMA) {
    rewriter.replaceOpWithNewOp<math::FmaOp>(op, op->getOperand(0), op->getOperand(1),
                                             op->getOperand(2));
    return;
  }
  Value product =
      arith::MulFOp::create(rewriter, op->getLoc(), op->getOperand(0), op->getOperand(1));
  rewriter.replaceOpWithNewOp<arith::AddFOp>(op, product, op->getOperand(2));
}

namespace {
struct ExpandMathPass : tiny::impl::ExpandMathPassBase<ExpandMathPass> {
  using ExpandMathPassBase::ExpandMathPassBase;

  void runOnOperation() override {
    NativeMath native = {nativeFMA, nativeF32, nativeScaling};
    SmallVector<Operation *> functions, fmas;
    SmallVector<arith::SelectOp> roundings;
    getOperation().walk([&](Operation *op) {
      auto isOf = [&](auto... types) {
        return isa<decltype(types)...>(getElementTypeOrSelf(op->getResult(0)));
      };
      if (isa<math::SinOp>(op) && isOf(Float32Type(), Float64Type()))
        functions.push_back(op);
      else if (isa<math::Exp2Op, math::Log2Op>(op) &&
               (isOf(Float64Type()) || (isOf(Float32Type()) && !nativeF32)))
        functions.push_back(op);
      else if (auto select = dyn_cast<arith::SelectOp>(op);
               select && nativeFMA && matchRoundEven(select))
        roundings.push_back(select);
      else if (isa<vector::FMAOp>(op) || (isa<math::FmaOp>(op) && !nativeFMA))
        fmas.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (arith::SelectOp select : roundings)
      replaceRounding(rewriter, select);
    for (Operation *&op : functions)
      if (auto power = dyn_cast<math::Exp2Op>(op))
        if (std::optional<Exponential> exponential = matchExponential(power))
          op = replaceExponential(rewriter, power, *exponential, native);
    llvm::erase(functions, nullptr);
    for (Operation *op : functions)
      expandOp(rewriter, op, native, getOperation());
    for (Operation *op : fmas)
      expandFMA(rewriter, op, nativeFMA);
  }
};
} // namespace
