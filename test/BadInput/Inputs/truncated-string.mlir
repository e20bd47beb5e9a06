// error: in string literal
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tiny.exp2 %x {name = "abc