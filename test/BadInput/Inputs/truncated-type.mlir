// error: expected non-function type
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tiny.exp2 %x : tensor<4x