// error: but got 'tensor<4xi1>'
func.func @main(%x: tensor<4xi1>) {
  %0 = tiny.div %x, %x : tensor<4xi1>
  return
}
