// error: but got 'tensor<4xsi32>'
func.func @main(%x: tensor<4xsi32>) {
  %0 = tiny.add %x, %x : tensor<4xsi32>
  return
}
