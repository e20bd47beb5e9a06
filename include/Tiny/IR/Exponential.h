//===- Exponential.h - the constants of exp ---------------------*- C++ -*-===//
//
// exp is composed of exp2 and arithmetic (Composer::exp), and put together again where a
// target has something better. Both sides have the constants from here.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_IR_EXPONENTIAL_H
#define TINY_IR_EXPONENTIAL_H

namespace mlir::tiny {

struct ExpConstants {
  double least, most; ///< Clamps: of the argument, and of its product with log2 e.
  double log2e;
  double rounder;   ///< Rounds to the grid when it is added.
  double high, low; ///< ln 2; a product of `high` with a number on the grid is exact.
};

/// For f64 or for f32.
ExpConstants expConstants(bool isF64);

} // namespace mlir::tiny

#endif // TINY_IR_EXPONENTIAL_H
