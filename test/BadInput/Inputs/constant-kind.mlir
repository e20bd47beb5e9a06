// error: undefined symbol alias
func.func @main() {
  %0 = tiny.constant dense<["a", "b"]> : tensor<2x!tf_type>
  return
}
