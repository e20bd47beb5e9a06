//===- Scalar.h - one element of any type -----------------------*- C++ -*-===//
//
// The interpreter holds every element in eight bytes: each float type is exact in
// a double, each integer in 64 bits, extended by its own signedness (i1 is 0 or 1).
// An op computes on those and then brings the result back into its type with
// `roundTo` or `wrap`.
//
// Computing f32, f16 and bf16 in double and rounding afterwards is the same as
// rounding the exact result once, for add, mul, div and sqrt: 53 bits are at least
// twice the bits of each plus two (Figueroa 1995), and where their results are
// subnormal the sums and products are exact in double.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_REFERENCE_SCALAR_H
#define TINY_LIB_REFERENCE_SCALAR_H

#include "Tiny/Runtime/Tensor.h"
#include "mlir/IR/BuiltinTypes.h"

namespace mlir::tiny::reference {

using tinyrt::ElementType;

union Word {
  double f;
  int64_t i;
  uint64_t u;
};
inline Word fromFloat(double f) {
  Word w;
  w.f = f;
  return w;
}
inline Word fromInt(int64_t i) {
  Word w;
  w.i = i;
  return w;
}

/// A binary floating point format, as IEEE 754 counts.
struct Format {
  int precision;           // bits of the significand, the hidden one included
  int minExponent;         // of the smallest normal number
  int maxExponent;         // of the largest number
  double unit() const;     // relative error of one rounding: 2^-precision
  double largest() const;  // the largest finite number
  double smallest() const; // the smallest subnormal number
};

bool isFloat(ElementType type);
bool isUnsigned(ElementType type);
unsigned bitWidth(ElementType type); // 1 for i1
Format formatOf(ElementType floatType);
/// The type in which reductions and functions of `floatType` are computed: f32 for f16 and bf16.
ElementType computeTypeOf(ElementType floatType);
ElementType elementTypeOf(Type type);
tinyrt::TensorType tensorTypeOf(Type type);

/// Rounds to nearest, ties to even, subnormals kept, overflow to infinity.
double roundTo(ElementType floatType, double value);
/// Keeps the low bits of the type, extended to 64.
int64_t wrap(ElementType integerType, uint64_t bits);
/// The `cast` op.
Word convert(ElementType from, ElementType to, Word value);

/// roundTo or wrap on `count` words in place.
void bringInto(ElementType type, Word *words, int64_t count);

/// Reads or writes one element of a buffer in storage format.
Word load(ElementType type, const void *buffer, int64_t index);
void store(ElementType type, void *buffer, int64_t index, Word value);
/// words[k] = the element at offsets[k].
void gather(ElementType type, const void *buffer, const int64_t *offsets, int64_t count,
            Word *words);

/// -0 < +0, otherwise the usual order. No NaNs.
bool totalLess(double a, double b);
/// IEEE 754-2019 maximum.
double maximum(double a, double b);
/// Equal to the bit; all NaNs are equal.
bool sameElement(ElementType type, Word a, Word b);

} // namespace mlir::tiny::reference

#endif // TINY_LIB_REFERENCE_SCALAR_H
