// error: tensor<4xcomplex<f32>>
func.func @main(%x: tensor<4xcomplex<f32>>) {
  %0 = tiny.add %x, %x : tensor<4xcomplex<f32>>
  return
}
