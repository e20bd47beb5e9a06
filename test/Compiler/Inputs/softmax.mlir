// Softmax over rows of 1024.
func.func @main(%x: tensor<4096x1024xf32>) -> (tensor<4096x1024xf32>) {
  %1 = tiny.reduce max %x dims [1] : tensor<4096x1024xf32> -> tensor<4096xf32>
  %2 = tiny.reshape %1 : tensor<4096xf32> to tensor<4096x1xf32>
  %3 = tiny.expand %2 : tensor<4096x1xf32> to tensor<4096x1024xf32>
  %4 = tiny.constant dense<-1.000000e+00> : tensor<4096x1024xf32>
  %5 = tiny.mul %3, %4 : tensor<4096x1024xf32>
  %6 = tiny.add %x, %5 : tensor<4096x1024xf32>
  %7 = tiny.constant dense<1.442695e+00> : tensor<4096x1024xf32>
  %8 = tiny.mul %6, %7 : tensor<4096x1024xf32>
  %9 = tiny.exp2 %8 : tensor<4096x1024xf32>
  %10 = tiny.reduce add %9 dims [1] : tensor<4096x1024xf32> -> tensor<4096xf32>
  %11 = tiny.reshape %10 : tensor<4096xf32> to tensor<4096x1xf32>
  %12 = tiny.expand %11 : tensor<4096x1xf32> to tensor<4096x1024xf32>
  %13 = tiny.div %9, %12 : tensor<4096x1024xf32>
  return %13 : tensor<4096x1024xf32>
}
