func.func @main(%a: tensor<16x64xf32>, %b: tensor<64x2048xf32>) -> tensor<16x2048xf32> {
  %0 = tiny.reshape %a : tensor<16x64xf32> to tensor<16x64x1xf32>
  %1 = tiny.expand %0 : tensor<16x64x1xf32> to tensor<16x64x2048xf32>
  %2 = tiny.reshape %b : tensor<64x2048xf32> to tensor<1x64x2048xf32>
  %3 = tiny.expand %2 : tensor<1x64x2048xf32> to tensor<16x64x2048xf32>
  %4 = tiny.mul %1, %3 : tensor<16x64x2048xf32>
  %5 = tiny.reduce add %4 dims [1] : tensor<16x64x2048xf32> -> tensor<16x2048xf32>
  return %5 : tensor<16x2048xf32>
}
