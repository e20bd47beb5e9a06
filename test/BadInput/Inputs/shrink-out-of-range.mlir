// error: offset and size must lie inside the input
func.func @main(%x: tensor<4x6xf32>) {
  %0 = tiny.shrink %x offsets [2, 0] sizes [3, 6] : tensor<4x6xf32> -> tensor<3x6xf32>
  return
}
