// error: but the elements are 'f32'
func.func @main(%x: tensor<4x6xf32>) {
  %0 = tiny.pad %x low [1, 0] high [0, 0] value 0 : i32 : tensor<4x6xf32> -> tensor<5x6xf32>
  return
}
