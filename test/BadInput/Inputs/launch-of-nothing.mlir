// error: kernel @nothing is not a function
func.func @main(%x: tensor<4x6xf32>) {
  %0 = tiny.launch @nothing(%x) : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return
}
