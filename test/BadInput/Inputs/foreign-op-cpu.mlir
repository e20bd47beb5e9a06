// error: math.exp2
// tools: tiny-run
// args: --input 1
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = math.exp2 %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
