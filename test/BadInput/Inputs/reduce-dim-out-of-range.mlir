// error: dim 2 does not exist
func.func @main(%x: tensor<4x6xf32>) {
  %0 = tiny.reduce add %x dims [2] : tensor<4x6xf32> -> tensor<4x6xf32>
  return
}
