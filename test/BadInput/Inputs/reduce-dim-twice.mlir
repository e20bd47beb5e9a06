// error: dim 0 is listed twice
func.func @main(%x: tensor<4x6xf32>) {
  %0 = tiny.reduce add %x dims [0, 0] : tensor<4x6xf32> -> tensor<6xf32>
  return
}
