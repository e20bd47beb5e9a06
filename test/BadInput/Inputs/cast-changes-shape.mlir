// error: requires the same shape
func.func @main(%x: tensor<4x6xf32>) {
  %0 = tiny.cast %x : tensor<4x6xf32> to tensor<6x4xi32>
  return
}
