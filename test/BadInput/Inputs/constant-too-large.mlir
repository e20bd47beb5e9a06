// error: integer constant out of range
func.func @main() {
  %0 = tiny.constant dense<300> : tensor<2xi8>
  return
}
