// error: both must have the same number
func.func @main(%x: tensor<4x6xf32>) {
  %0 = tiny.reshape %x : tensor<4x6xf32> to tensor<5x5xf32>
  return
}
