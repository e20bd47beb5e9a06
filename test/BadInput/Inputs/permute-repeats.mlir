// error: permutation entry 0 is out of range or repeated
func.func @main(%x: tensor<4x6xf32>) {
  %0 = tiny.permute %x [0, 0] : tensor<4x6xf32> -> tensor<4x4xf32>
  return
}
