// error: past the largest 64-bit size
func.func @main(%x: tensor<4x6xf32>) {
  %0 = tiny.pad %x low [9223372036854775807, 0] high [9223372036854775807, 0] value 0.0 : f32 : tensor<4x6xf32> -> tensor<2x6xf32>
  return
}
