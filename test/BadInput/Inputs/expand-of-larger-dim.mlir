// error: only a dimension of size 1 can be expanded
func.func @main(%x: tensor<4x6xf32>) {
  %0 = tiny.expand %x : tensor<4x6xf32> to tensor<4x12xf32>
  return
}
