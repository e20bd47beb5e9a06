// error: [lt, le, eq, ne]
func.func @main(%x: tensor<4x6xf32>) {
  %0 = tiny.cmp gt %x, %x : tensor<4x6xf32>
  return
}
