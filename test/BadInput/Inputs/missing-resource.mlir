// error: weights
// tools: tiny-run
// args: --target reference
func.func @main() -> tensor<4xf32> {
  %0 = tiny.constant dense_resource<weights> : tensor<4xf32>
  return %0 : tensor<4xf32>
}
