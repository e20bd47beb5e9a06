// A matrix product with bias and relu, in the twelve compute and six movement ops:
//   tiny-run examples/matmul.mlir --input random:1
//   tiny-opt examples/matmul.mlir --tiny-schedule
func.func @main(%a: tensor<4x6xf32>, %b: tensor<6x5xf32>, %bias: tensor<5xf32>) -> tensor<4x5xf32> {
  // Both operands as 4x6x5 views; nothing is copied.
  %0 = tiny.reshape %a : tensor<4x6xf32> to tensor<4x6x1xf32>
  %1 = tiny.expand %0 : tensor<4x6x1xf32> to tensor<4x6x5xf32>
  %2 = tiny.reshape %b : tensor<6x5xf32> to tensor<1x6x5xf32>
  %3 = tiny.expand %2 : tensor<1x6x5xf32> to tensor<4x6x5xf32>
  %4 = tiny.mul %1, %3 : tensor<4x6x5xf32>
  %5 = tiny.reduce add %4 dims [1] : tensor<4x6x5xf32> -> tensor<4x5xf32>
  // max(x + bias, 0)
  %6 = tiny.reshape %bias : tensor<5xf32> to tensor<1x5xf32>
  %7 = tiny.expand %6 : tensor<1x5xf32> to tensor<4x5xf32>
  %8 = tiny.add %5, %7 : tensor<4x5xf32>
  %zero = tiny.constant dense<0.0> : tensor<4x5xf32>
  %9 = tiny.max %8, %zero : tensor<4x5xf32>
  return %9 : tensor<4x5xf32>
}
