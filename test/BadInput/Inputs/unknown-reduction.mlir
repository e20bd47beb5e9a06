// error: [add, mul, max]
func.func @main(%x: tensor<4x6xf32>) {
  %0 = tiny.reduce min %x dims [0] : tensor<4x6xf32> -> tensor<6xf32>
  return
}
