// Attention of 16 heads, 1024 rows and 1024 keys of depth 64: f16, scores and softmax in f32.
func.func @main(%q: tensor<16x1024x64xf16>, %k: tensor<16x1024x64xf16>, %v: tensor<16x1024x64xf16>) -> (tensor<16x1024x64xf16>) {
  %1 = tiny.cast %q : tensor<16x1024x64xf16> to tensor<16x1024x64xf32>
  %2 = tiny.cast %k : tensor<16x1024x64xf16> to tensor<16x1024x64xf32>
  %3 = tiny.cast %v : tensor<16x1024x64xf16> to tensor<16x1024x64xf32>
  %4 = tiny.permute %2 [0, 2, 1] : tensor<16x1024x64xf32> -> tensor<16x64x1024xf32>
  %5 = tiny.permute %4 [0, 2, 1] : tensor<16x64x1024xf32> -> tensor<16x1024x64xf32>
  %6 = tiny.reshape %1 : tensor<16x1024x64xf32> to tensor<16x1024x1x64xf32>
  %7 = tiny.expand %6 : tensor<16x1024x1x64xf32> to tensor<16x1024x1024x64xf32>
  %8 = tiny.reshape %5 : tensor<16x1024x64xf32> to tensor<16x1x1024x64xf32>
  %9 = tiny.expand %8 : tensor<16x1x1024x64xf32> to tensor<16x1024x1024x64xf32>
  %10 = tiny.mul %7, %9 : tensor<16x1024x1024x64xf32>
  %11 = tiny.reduce add %10 dims [3] : tensor<16x1024x1024x64xf32> -> tensor<16x1024x1024xf32>
  %12 = tiny.constant dense<1.250000e-01> : tensor<16x1024x1024xf32>
  %13 = tiny.mul %11, %12 : tensor<16x1024x1024xf32>
  %14 = tiny.reduce max %13 dims [2] : tensor<16x1024x1024xf32> -> tensor<16x1024xf32>
  %15 = tiny.reshape %14 : tensor<16x1024xf32> to tensor<16x1024x1xf32>
  %16 = tiny.expand %15 : tensor<16x1024x1xf32> to tensor<16x1024x1024xf32>
  %17 = tiny.constant dense<-1.000000e+00> : tensor<16x1024x1024xf32>
  %18 = tiny.mul %16, %17 : tensor<16x1024x1024xf32>
  %19 = tiny.add %13, %18 : tensor<16x1024x1024xf32>
  %20 = tiny.constant dense<1.442695e+00> : tensor<16x1024x1024xf32>
  %21 = tiny.mul %19, %20 : tensor<16x1024x1024xf32>
  %22 = tiny.exp2 %21 : tensor<16x1024x1024xf32>
  %23 = tiny.reduce add %22 dims [2] : tensor<16x1024x1024xf32> -> tensor<16x1024xf32>
  %24 = tiny.reshape %23 : tensor<16x1024xf32> to tensor<16x1024x1xf32>
  %25 = tiny.expand %24 : tensor<16x1024x1xf32> to tensor<16x1024x1024xf32>
  %26 = tiny.div %22, %25 : tensor<16x1024x1024xf32>
  %27 = tiny.cast %26 : tensor<16x1024x1024xf32> to tensor<16x1024x1024xf16>
  %28 = tiny.cast %27 : tensor<16x1024x1024xf16> to tensor<16x1024x1024xf32>
  %29 = tiny.permute %3 [0, 2, 1] : tensor<16x1024x64xf32> -> tensor<16x64x1024xf32>
  %30 = tiny.reshape %28 : tensor<16x1024x1024xf32> to tensor<16x1024x1x1024xf32>
  %31 = tiny.expand %30 : tensor<16x1024x1x1024xf32> to tensor<16x1024x64x1024xf32>
  %32 = tiny.reshape %29 : tensor<16x64x1024xf32> to tensor<16x1x64x1024xf32>
  %33 = tiny.expand %32 : tensor<16x1x64x1024xf32> to tensor<16x1024x64x1024xf32>
  %34 = tiny.mul %31, %33 : tensor<16x1024x64x1024xf32>
  %35 = tiny.reduce add %34 dims [3] : tensor<16x1024x64x1024xf32> -> tensor<16x1024x64xf32>
  %36 = tiny.cast %35 : tensor<16x1024x64xf32> to tensor<16x1024x64xf16>
  return %36 : tensor<16x1024x64xf16>
}
