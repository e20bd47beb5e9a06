// error: but must be 'tensor<6xf32>'
func.func @main(%x: tensor<4x6xf32>) {
  %0 = tiny.reduce add %x dims [0] : tensor<4x6xf32> -> tensor<4xf32>
  return
}
