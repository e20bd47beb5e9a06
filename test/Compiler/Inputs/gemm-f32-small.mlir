func.func @main(%a: tensor<24x48xf32>, %b: tensor<48x32xf32>) -> tensor<24x32xf32> {
  %bt = tiny.permute %b [1, 0] : tensor<48x32xf32> -> tensor<32x48xf32>
  %a1 = tiny.reshape %a : tensor<24x48xf32> to tensor<24x1x48xf32>
  %b1 = tiny.reshape %bt : tensor<32x48xf32> to tensor<1x32x48xf32>
  %a2 = tiny.expand %a1 : tensor<24x1x48xf32> to tensor<24x32x48xf32>
  %b2 = tiny.expand %b1 : tensor<1x32x48xf32> to tensor<24x32x48xf32>
  %m = tiny.mul %a2, %b2 : tensor<24x32x48xf32>
  %s = tiny.reduce add %m dims [2] : tensor<24x32x48xf32> -> tensor<24x32xf32>
  return %s : tensor<24x32xf32>
}
