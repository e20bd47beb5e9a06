//===- Element.h - single elements of host tensors --------------*- C++ -*-===//
//
// What reading, printing, comparing and filling tensors need to know about one
// element. The conversions to f16 and bf16 are integer arithmetic: a compiler's
// own helpers for them are missing from some systems' run-time libraries.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_RUNTIME_ELEMENT_H
#define TINY_RUNTIME_ELEMENT_H

#include "Tiny/Runtime/Tensor.h"

namespace tinyrt {

bool isFloat(ElementType type);
/// True for i8 to i64; false for i1.
bool isSigned(ElementType type);
/// True for ui8 to ui64.
bool isUnsigned(ElementType type);

float halfToFloat(uint16_t bits);
float bfloatToFloat(uint16_t bits);
/// Rounded once, to nearest even.
uint16_t doubleToHalf(double value);
uint16_t doubleToBfloat(double value);

/// Element `index` of `tensor` as the nearest double (exact for all but large i64 and ui64).
double elementAsDouble(const Tensor &tensor, int64_t index);

/// Element `index` of an integer or i1 tensor, extended to 64 bits by its own signedness.
uint64_t elementAsBits(const Tensor &tensor, int64_t index);

/// As short as it can be and still be read back as the same element: "-0.5", "nan", "255", "true".
std::string elementText(const Tensor &tensor, int64_t index);

/// Writes what `text` says ("1.5", "-3", "true", "nan", "1e-3") into element 0 and copies it to
/// all others. False with the reason when `text` is no number or the type cannot hold it.
bool fillFromText(Tensor &tensor, const std::string &text, std::string &error);

/// Fills `tensor` with numbers that depend on nothing but `seed`, `stream` and the position, so
/// that they are the same everywhere:
///   floats    uniform in [-1, 1), in steps that the type holds exactly everywhere
///             (2^-23 in f32 and f64, 2^-10 in f16, 2^-7 in bf16)
///   iN        uniform in -8 ... 7
///   uiN       uniform in 0 ... 15
///   i1        false or true
void fillRandom(Tensor &tensor, uint64_t seed, uint64_t stream);

} // namespace tinyrt

#endif // TINY_RUNTIME_ELEMENT_H
