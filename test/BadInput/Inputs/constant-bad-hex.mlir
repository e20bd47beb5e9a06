// error: expected string containing hex digits
func.func @main() {
  %0 = tiny.constant dense<"0xZZ"> : tensor<2xi8>
  return
}
