// error: but got 'tensor<4xi7>'
func.func @main(%x: tensor<4xi7>) {
  %0 = tiny.add %x, %x : tensor<4xi7>
  return
}
