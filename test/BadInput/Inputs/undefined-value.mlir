// error: use of undeclared SSA value name
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tiny.exp2 %y : tensor<4xf32>
  return %0 : tensor<4xf32>
}
