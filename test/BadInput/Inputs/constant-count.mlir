// error: inferred shape of elements literal ([2]) does not match type ([3])
func.func @main() {
  %0 = tiny.constant dense<[1.0, 2.0]> : tensor<3xf32>
  return
}
