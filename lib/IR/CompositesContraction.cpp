//===- CompositesContraction.cpp - matrix products ------------------------===//
//
// A matrix product is a multiply and a sum between expands: rows × columns × the common dim, in
// this order, as one `reduce add` over the last dim. The expands are views, nothing of that size
// exists.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/Composites.h"

using namespace mlir;
using namespace mlir::tiny;

Type Composer::accumulatorOf(Type elementType) const {
  if (elementType.isF16() || elementType.isBF16())
    return b.getF32Type();
  // Signed for both kinds: modulo 2^32 the sum is the same.
  if (isa<IntegerType>(elementType) && elementType.getIntOrFloatBitWidth() < 32)
    return b.getI32Type();
  return elementType;
}

Type Composer::commonAccumulator(Type x, Type y, Type result) const {
  Type common = accumulatorOf(x);
  for (Type type : {accumulatorOf(y), accumulatorOf(result)})
    if (isa<FloatType>(type) == isa<FloatType>(common) &&
        type.getIntOrFloatBitWidth() > common.getIntOrFloatBitWidth())
      common = type;
  return common;
}

/// Product in the accumulator type, which both operands have already.
static Value contract(Composer &c, Value x, Value y) {
  bool isRow = c.rankOf(x) == 1, isColumn = c.rankOf(y) == 1;
  if (isRow)
    x = c.reshape(x, {1, c.shapeOf(x)[0]});
  if (isColumn)
    y = c.reshape(y, {c.shapeOf(y)[0], 1});
  ArrayRef<int64_t> left = c.shapeOf(x), right = c.shapeOf(y);
  int64_t rows = left[left.size() - 2], common = left.back(), columns = right.back();
  if (right[right.size() - 2] != common)
    return c.fail("matmul of a matrix with " + Twine(common) + " columns and one with " +
                  Twine(right[right.size() - 2]) + " rows; these must be equal");
  std::optional<SmallVector<int64_t>> batch =
      c.broadcastShapes(left.drop_back(2), right.drop_back(2));
  if (!batch)
    return {};

  SmallVector<int64_t> leftShape(left.drop_back(2)), rightShape(right.drop_back(2));
  leftShape.append({rows, 1, common});
  rightShape.append({1, columns, common});
  SmallVector<int64_t> shape(*batch);
  shape.append({rows, columns, common});
  Value expandedX = c.broadcastTo(c.reshape(x, leftShape), shape);
  Value expandedY = c.broadcastTo(c.reshape(c.transpose(y), rightShape), shape);
  Value product = c.reduceSum(c.mul(expandedX, expandedY), -1);

  if (!isRow && !isColumn)
    return product;
  if (!isRow)
    batch->push_back(rows);
  if (!isColumn)
    batch->push_back(columns);
  return c.reshape(product, *batch);
}

Value Composer::matmul(Value x, Value y, Type resultType) {
  if (!x || !y)
    return {};
  if (rankOf(x) == 0 || rankOf(y) == 0)
    return fail("matmul takes matrices and vectors, not tensors of rank 0");
  Type left = elementOf(x), right = elementOf(y);
  bool bothIntegers = isa<IntegerType>(left) && isa<IntegerType>(right);
  if (left.isInteger(1) || right.isInteger(1) || (left != right && !bothIntegers))
    return fail("matmul takes two tensors of numbers of one element type (or both integers)");
  resultType = resultType ? resultType : left;
  Type accumulator = commonAccumulator(left, right, resultType);
  return cast(contract(*this, cast(x, accumulator), cast(y, accumulator)), resultType);
}

Value Composer::gemm(Value a, Value b, Value c, double alpha, double beta, bool transposeA,
                     bool transposeB) {
  if (!a || !b)
    return {};
  if (rankOf(a) != 2 || rankOf(b) != 2)
    return fail("gemm takes two matrices, not tensors of rank " + Twine(rankOf(a)) + " and " +
                Twine(rankOf(b)));
  Type type = elementOf(a), accumulator = accumulatorOf(type);
  if (type != elementOf(b) || (c && type != elementOf(c)))
    return fail("gemm takes matrices of one element type");
  if (!isFloat(a) && (alpha != std::nearbyint(alpha) || beta != std::nearbyint(beta)))
    return fail("gemm of integers takes whole numbers as alpha and beta");
  Value product = matmul(cast(transposeA ? transpose(a) : a, accumulator),
                         cast(transposeB ? transpose(b) : b, accumulator));
  if (alpha != 1.0)
    product = mul(product, alpha);
  if (c && beta != 0.0) {
    Value summand = cast(c, accumulator);
    if (beta != 1.0)
      summand = mul(summand, beta);
    product = product ? add(product, broadcastTo(summand, shapeOf(product))) : Value();
  }
  return cast(product, type);
}
