// error: 'tiny.frobnicate' is unknown
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tiny.frobnicate %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
