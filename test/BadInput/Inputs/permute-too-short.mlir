// error: give one entry per dimension
func.func @main(%x: tensor<4x6xf32>) {
  %0 = tiny.permute %x [0] : tensor<4x6xf32> -> tensor<4xf32>
  return
}
