//===- ExpandMath.h - what the expansions of f32 and f64 share --*- C++ -*-===//
//
// ExpandMath.cpp is the pass, and the functions of f32 that use f64. Those of f64 are in
// ExpandMathDouble.cpp: nothing wider helps them, so they are other formulas. In
// ExpandMathSingle.cpp is what makes do with f32: exp2 and exp, which softmax and its like
// spend their time in, and sin for where f64 is slow. MatchExponential.cpp finds exp and
// MatchRounding.cpp the rounding to integers, which no program has an op for.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_CODEGEN_EXPANDMATH_H
#define TINY_LIB_CODEGEN_EXPANDMATH_H

#include "Elementwise.h"

#include "mlir/IR/BuiltinOps.h"

#include <optional>

namespace mlir::tiny {

/// Adding it to an f64 of magnitude below 2^51 rounds that to an integer, which then stands in the
/// low bits of the sum.
inline constexpr double kRound = 0x1.8p52;
inline constexpr double kLn2 = 0x1.62e42fefa39efp-1;
inline constexpr uint64_t kOneBits = 0x3ff0000000000000;

/// 2^k for an integer k in [-1022, 1023] that was added to kRound.
Value powerOfTwo(Elementwise &e, Value sum);

/// Whether any element of an i1 scalar or vector is true.
Value anyOf(OpBuilder &b, Location loc, Value condition);

/// Element `base + offset` of `table`, a memref of rank 1, for each element of the i64 `base`.
Value lookUp(OpBuilder &b, Elementwise &e, Location loc, Value table, Value base, int64_t offset);

/// `parts` as a private constant of `module`, made once, with its name.
Value constantTable(OpBuilder &b, Location loc, ModuleOp module, StringRef name,
                    DenseElementsAttr parts);

/// Functions of an f64 scalar or vector of rank 1, within 3 ULP.
Value expandExp2Double(Elementwise &e, Value x);
Value expandLog2Double(Elementwise &e, Value x);
Value expandSinDouble(OpBuilder &b, Elementwise &e, Location loc, Value x, ModuleOp module);

/// What a target has one instruction for.
struct NativeMath {
  /// And the rounding to integers: x86 has that since SSE4.1, which comes before FMA.
  bool fma = false;
  bool f32 = false;     ///< exp2 and log2 of f32, and f64 is slow
  bool scaling = false; ///< products of f32 with powers of two, in vectors: AVX-512
};

/// 2^x and e^x of an f32 scalar or vector of rank 1 without f64. Within 1.3 ULP; with fma, 1.
Value expandExp2Single(Elementwise &e, Value x, NativeMath native);
Value expandExpSingle(Elementwise &e, Value x, NativeMath native);

/// e^x of f32, as Composer::exp composes it around an exp2.
struct Exponential {
  Value x;
  Operation *result;
};
std::optional<Exponential> matchExponential(math::Exp2Op power);

/// x, if `outer` is the last op of what Composer::roundEven composes for an x of f32 or f64; else
/// null.
Value matchRoundEven(arith::SelectOp outer);

/// sin of an f32 scalar or vector of rank 1 without f64, for a target with fma. Within 1 ULP.
Value expandSinSingle(OpBuilder &b, Elementwise &e, Location loc, Value x);

} // namespace mlir::tiny

#endif // TINY_LIB_CODEGEN_EXPANDMATH_H
