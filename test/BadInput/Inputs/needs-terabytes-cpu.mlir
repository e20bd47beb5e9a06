// error: 4398046511104
// tools: tiny-run
func.func @main() -> tensor<1048576x1048576xf32> {
  %0 = tiny.iota dim 0 : tensor<1048576x1048576xf32>
  return %0 : tensor<1048576x1048576xf32>
}
