// error: must be statically shaped tensor of i1
func.func @main(%x: tensor<4x6xf32>) {
  %0 = "tiny.where"(%x, %x, %x) : (tensor<4x6xf32>, tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
  return
}
