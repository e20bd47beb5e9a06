// error: padding must not be negative
func.func @main(%x: tensor<4x6xf32>) {
  %0 = tiny.pad %x low [-1, 0] high [0, 0] value 0.0 : f32 : tensor<4x6xf32> -> tensor<3x6xf32>
  return
}
