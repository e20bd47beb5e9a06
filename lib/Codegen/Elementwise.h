//===- Elementwise.h - write scalar and vector arithmetic once --*- C++ -*-===//
//
// The expansions of this stage are formulas over the bits of a number. This
// builder emits them for a scalar and for a vector of any shape alike: every
// constant becomes a splat of the shape it was made for.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_CODEGEN_ELEMENTWISE_H
#define TINY_LIB_CODEGEN_ELEMENTWISE_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"

#include <utility>

namespace mlir::tiny {

class Elementwise {
public:
  /// Constants take the shape of `like`, a scalar or vector type. With `nativeFMA`, mulAdd is one
  /// instruction with one rounding.
  Elementwise(OpBuilder &b, Location loc, Type like, bool nativeFMA = false)
      : b(b), loc(loc), like(like), nativeFMA(nativeFMA) {}

  /// `element`, or a vector of it where the formula is over vectors.
  Type type(Type element) const {
    auto vector = dyn_cast<VectorType>(like);
    return vector ? Type(vector.clone(element)) : element;
  }
  Type integer(unsigned width) const { return type(b.getIntegerType(width)); }
  Type f32() const { return type(b.getF32Type()); }
  Type f64() const { return type(b.getF64Type()); }

  Value constant(unsigned width, uint64_t value) {
    return splat(b.getIntegerAttr(b.getIntegerType(width), APInt(width, value, false, true)));
  }
  /// A constant that is no vector.
  Value scalar(unsigned width, int64_t value) {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(b.getIntegerType(width), value));
  }
  /// A constant of the integer type of `other`.
  Value constantLike(Value other, uint64_t value) {
    return constant(getElementTypeOrSelf(other).getIntOrFloatBitWidth(), value);
  }
  Value real32(float value) { return splat(b.getF32FloatAttr(value)); }
  Value real64(double value) { return splat(b.getF64FloatAttr(value)); }

  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value add(Value x, uint64_t y) { return add(x, constantLike(x, y)); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value sub(Value x, uint64_t y) { return sub(x, constantLike(x, y)); }
  Value mul(Value x, Value y) { return arith::MulIOp::create(b, loc, x, y); }
  Value mul(Value x, uint64_t y) { return mul(x, constantLike(x, y)); }
  /// The low and the high half of an unsigned product.
  std::pair<Value, Value> mulExtended(Value x, Value y) {
    auto product = arith::MulUIExtendedOp::create(b, loc, x, y);
    return {product.getLow(), product.getHigh()};
  }
  Value andi(Value x, uint64_t y) { return arith::AndIOp::create(b, loc, x, constantLike(x, y)); }
  Value andi(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
  Value ori(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value ori(Value x, uint64_t y) { return ori(x, constantLike(x, y)); }
  Value xori(Value x, Value y) { return arith::XOrIOp::create(b, loc, x, y); }
  Value shl(Value x, Value y) { return arith::ShLIOp::create(b, loc, x, y); }
  Value shl(Value x, unsigned y) { return shl(x, constantLike(x, y)); }
  Value shrU(Value x, Value y) { return arith::ShRUIOp::create(b, loc, x, y); }
  Value shrU(Value x, unsigned y) { return shrU(x, constantLike(x, y)); }
  Value shrS(Value x, unsigned y) { return arith::ShRSIOp::create(b, loc, x, constantLike(x, y)); }
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) {
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  }
  Value compare(arith::CmpIPredicate predicate, Value x, uint64_t y) {
    return compare(predicate, x, constantLike(x, y));
  }

  Value addf(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value subf(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value mulf(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value divf(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
  /// To the nearest integer, ties to the even one.
  Value roundEven(Value x) { return math::RoundEvenOp::create(b, loc, x); }
  Value absf(Value x) { return math::AbsFOp::create(b, loc, x); }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(b, loc, predicate, x, y);
  }
  /// x * y + z, with one rounding or two: for formulas whose error bound holds either way.
  Value mulAdd(Value x, Value y, Value z) {
    if (nativeFMA)
      return math::FmaOp::create(b, loc, x, y, z);
    return addf(mulf(x, y), z);
  }
  /// coefficients[0] + x * (coefficients[1] + x * …).
  Value polynomial64(Value x, ArrayRef<double> coefficients) {
    Value result = real64(coefficients.back());
    for (double coefficient : llvm::reverse(coefficients.drop_back()))
      result = mulAdd(result, x, real64(coefficient));
    return result;
  }

  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  Value bitcast(Value x, Type to) { return arith::BitcastOp::create(b, loc, to, x); }
  /// The bits of a float as an integer of its width.
  Value bits(Value x) {
    return bitcast(x, integer(getElementTypeOrSelf(x).getIntOrFloatBitWidth()));
  }
  Value zext(Value x, unsigned width) { return arith::ExtUIOp::create(b, loc, integer(width), x); }
  Value trunc(Value x, unsigned width) {
    return arith::TruncIOp::create(b, loc, integer(width), x);
  }
  /// A call of an intrinsic of LLVM, by its full name.
  Value call(StringRef intrinsic, Type type, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(b, loc, type, b.getStringAttr(intrinsic), operands)
        .getResults();
  }
  Value extf(Value x, Type to) { return arith::ExtFOp::create(b, loc, to, x); }
  Value truncf(Value x, Type to) { return arith::TruncFOp::create(b, loc, to, x); }
  Value sitofp(Value x, Type to) { return arith::SIToFPOp::create(b, loc, to, x); }
  Value uitofp(Value x, Type to) { return arith::UIToFPOp::create(b, loc, to, x); }

private:
  Value splat(TypedAttr element) {
    if (auto vector = dyn_cast<VectorType>(like)) {
      auto shaped = vector.clone(element.getType());
      return arith::ConstantOp::create(b, loc, SplatElementsAttr::get(shaped, Attribute(element)));
    }
    return arith::ConstantOp::create(b, loc, element);
  }

  OpBuilder &b;
  Location loc;
  Type like;
  bool nativeFMA;
};

} // namespace mlir::tiny

#endif // TINY_LIB_CODEGEN_ELEMENTWISE_H
