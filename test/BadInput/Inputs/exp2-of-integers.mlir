// error: but got 'tensor<4xi32>'
func.func @main(%x: tensor<4xi32>) {
  %0 = tiny.exp2 %x : tensor<4xi32>
  return
}
