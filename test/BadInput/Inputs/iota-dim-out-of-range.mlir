// error: dim 1 does not exist
func.func @main() {
  %0 = tiny.iota dim 1 : tensor<4xi32>
  return
}
