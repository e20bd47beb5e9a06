//===- RandomElements.h - elements that programs and inputs are made of ---===//

#ifndef TINY_FUZZ_RANDOMELEMENTS_H
#define TINY_FUZZ_RANDOMELEMENTS_H

#include "Random.h"
#include "mlir/IR/BuiltinAttributes.h"

namespace tinyfuzz {

/// What the elements of one tensor are like. One NaN would make a NaN of most of a program, so the
/// special ones are kept to few tensors.
enum class Flavour { tame, smallIntegers, wide, special };

Flavour randomFlavour(Random &random);

/// A FloatAttr or IntegerAttr of `type`.
mlir::TypedAttr randomScalar(Random &random, mlir::Type type, Flavour flavour);

/// The same distribution as bits in memory.
llvm::APInt randomBits(Random &random, mlir::Type type, Flavour flavour);

/// A constant of one flavour, often the same number everywhere.
mlir::DenseElementsAttr randomElements(Random &random, mlir::RankedTensorType type);

} // namespace tinyfuzz

#endif // TINY_FUZZ_RANDOMELEMENTS_H
