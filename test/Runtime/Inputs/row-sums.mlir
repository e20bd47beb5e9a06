func.func @main(%x: tensor<64x1024xf32> {tiny.name = "x"}, %y: tensor<64x1024xf32> {tiny.name = "y"})
    -> (tensor<64xf32> {tiny.name = "sums"}) {
  %0 = tiny.mul %x, %y : tensor<64x1024xf32>
  %1 = tiny.reduce add %0 dims [1] : tensor<64x1024xf32> -> tensor<64xf32>
  return %1 : tensor<64xf32>
}
