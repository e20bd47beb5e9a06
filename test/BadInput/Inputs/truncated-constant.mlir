// error: expected element literal
func.func @main() -> tensor<4xf32> {
  %0 = tiny.constant dense<[1.0, 2.0,