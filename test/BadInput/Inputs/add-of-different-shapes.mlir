// error: use of value '%y' expects different type
func.func @main(%x: tensor<4xf32>, %y: tensor<5xf32>) {
  %0 = tiny.add %x, %y : tensor<4xf32>
  return
}
