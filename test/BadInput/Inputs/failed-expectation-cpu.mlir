// error: expect_eq
// tools: tiny-run
func.func @main() {
  %0 = tiny.iota dim 0 : tensor<4xi32>
  %1 = tiny.constant dense<[0, 1, 2, 4]> : tensor<4xi32>
  tiny.expect_eq %0, %1 : tensor<4xi32>
  return
}
