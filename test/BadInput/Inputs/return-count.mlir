// error: has 1 operands, but enclosing function (@main) returns 0
func.func @main(%x: tensor<4xf32>) {
  return %x : tensor<4xf32>
}
