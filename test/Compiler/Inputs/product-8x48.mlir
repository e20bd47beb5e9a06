func.func @main(%x: tensor<8x512xf32>, %y: tensor<512x48xf32>) -> tensor<8x48xf32> {
  %0 = tiny.reshape %x : tensor<8x512xf32> to tensor<8x512x1xf32>
  %1 = tiny.expand %0 : tensor<8x512x1xf32> to tensor<8x512x48xf32>
  %2 = tiny.reshape %y : tensor<512x48xf32> to tensor<1x512x48xf32>
  %3 = tiny.expand %2 : tensor<1x512x48xf32> to tensor<8x512x48xf32>
  %4 = tiny.mul %1, %3 : tensor<8x512x48xf32>
  %5 = tiny.reduce add %4 dims [1] : tensor<8x512x48xf32> -> tensor<8x48xf32>
  return %5 : tensor<8x48xf32>
}
