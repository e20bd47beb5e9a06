func.func @main(%a: tensor<4096x4096xf16>, %b: tensor<4096x4096xf16>) -> tensor<4096x4096xf16> {
  %ac = tiny.cast %a : tensor<4096x4096xf16> to tensor<4096x4096xf32>
  %bc = tiny.cast %b : tensor<4096x4096xf16> to tensor<4096x4096xf32>
  %a1 = tiny.reshape %ac : tensor<4096x4096xf32> to tensor<4096x1x4096xf32>
  %b1 = tiny.reshape %bc : tensor<4096x4096xf32> to tensor<1x4096x4096xf32>
  %a2 = tiny.expand %a1 : tensor<4096x1x4096xf32> to tensor<4096x4096x4096xf32>
  %b2 = tiny.expand %b1 : tensor<1x4096x4096xf32> to tensor<4096x4096x4096xf32>
  %m = tiny.mul %a2, %b2 : tensor<4096x4096x4096xf32>
  %s = tiny.reduce add %m dims [2] : tensor<4096x4096x4096xf32> -> tensor<4096x4096xf32>
  %r = tiny.cast %s : tensor<4096x4096xf32> to tensor<4096x4096xf16>
  return %r : tensor<4096x4096xf16>
}
