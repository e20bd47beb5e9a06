// error: redefinition of SSA value '%0'
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tiny.exp2 %x : tensor<4xf32>
  %0 = tiny.sin %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
