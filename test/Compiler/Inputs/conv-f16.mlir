// A 3x3 convolution of 16 images of 128 channels by 28x28, padded by one, f16 summed in f32: its windows are
// the movement ops that every front end writes.
func.func @main(%x: tensor<16x128x28x28xf16>, %w: tensor<128x128x3x3xf16>) -> (tensor<16x128x28x28xf16>) {
  %1 = tiny.cast %x : tensor<16x128x28x28xf16> to tensor<16x128x28x28xf32>
  %2 = tiny.cast %w : tensor<128x128x3x3xf16> to tensor<128x128x3x3xf32>
  %3 = tiny.pad %1 low [0, 0, 1, 1] high [0, 0, 1, 1] value 0.0 : f32 : tensor<16x128x28x28xf32> -> tensor<16x128x30x30xf32>
  %4 = tiny.reshape %3 : tensor<16x128x30x30xf32> to tensor<16x128x30x1x30xf32>
  %5 = tiny.expand %4 : tensor<16x128x30x1x30xf32> to tensor<16x128x30x4x30xf32>
  %6 = tiny.reshape %5 : tensor<16x128x30x4x30xf32> to tensor<16x128x30x120xf32>
  %7 = tiny.shrink %6 offsets [0, 0, 0, 0] sizes [16, 128, 30, 93] : tensor<16x128x30x120xf32> -> tensor<16x128x30x93xf32>
  %8 = tiny.reshape %7 : tensor<16x128x30x93xf32> to tensor<16x128x30x3x31xf32>
  %9 = tiny.shrink %8 offsets [0, 0, 0, 0, 0] sizes [16, 128, 30, 3, 28] : tensor<16x128x30x3x31xf32> -> tensor<16x128x30x3x28xf32>
  %10 = tiny.stride %9 [1, 1, 1, 1, 1] : tensor<16x128x30x3x28xf32> -> tensor<16x128x30x3x28xf32>
  %11 = tiny.permute %10 [0, 1, 2, 4, 3] : tensor<16x128x30x3x28xf32> -> tensor<16x128x30x28x3xf32>
  %12 = tiny.reshape %11 : tensor<16x128x30x28x3xf32> to tensor<16x128x1x30x28x3xf32>
  %13 = tiny.expand %12 : tensor<16x128x1x30x28x3xf32> to tensor<16x128x4x30x28x3xf32>
  %14 = tiny.reshape %13 : tensor<16x128x4x30x28x3xf32> to tensor<16x128x120x28x3xf32>
  %15 = tiny.shrink %14 offsets [0, 0, 0, 0, 0] sizes [16, 128, 93, 28, 3] : tensor<16x128x120x28x3xf32> -> tensor<16x128x93x28x3xf32>
  %16 = tiny.reshape %15 : tensor<16x128x93x28x3xf32> to tensor<16x128x3x31x28x3xf32>
  %17 = tiny.shrink %16 offsets [0, 0, 0, 0, 0, 0] sizes [16, 128, 3, 28, 28, 3] : tensor<16x128x3x31x28x3xf32> -> tensor<16x128x3x28x28x3xf32>
  %18 = tiny.stride %17 [1, 1, 1, 1, 1, 1] : tensor<16x128x3x28x28x3xf32> -> tensor<16x128x3x28x28x3xf32>
  %19 = tiny.permute %18 [0, 1, 3, 2, 4, 5] : tensor<16x128x3x28x28x3xf32> -> tensor<16x128x28x3x28x3xf32>
  %20 = tiny.permute %19 [0, 1, 2, 4, 3, 5] : tensor<16x128x28x3x28x3xf32> -> tensor<16x128x28x28x3x3xf32>
  %21 = tiny.reshape %20 : tensor<16x128x28x28x3x3xf32> to tensor<16x1x1x128x28x28x3x3xf32>
  %22 = tiny.reshape %2 : tensor<128x128x3x3xf32> to tensor<1x1x128x128x1x1x3x3xf32>
  %23 = tiny.expand %21 : tensor<16x1x1x128x28x28x3x3xf32> to tensor<16x1x128x128x28x28x3x3xf32>
  %24 = tiny.expand %22 : tensor<1x1x128x128x1x1x3x3xf32> to tensor<16x1x128x128x28x28x3x3xf32>
  %25 = tiny.mul %23, %24 : tensor<16x1x128x128x28x28x3x3xf32>
  %26 = tiny.reduce add %25 dims [3, 6, 7] : tensor<16x1x128x128x28x28x3x3xf32> -> tensor<16x1x128x28x28xf32>
  %27 = tiny.reshape %26 : tensor<16x1x128x28x28xf32> to tensor<16x128x28x28xf32>
  %28 = tiny.cast %27 : tensor<16x128x28x28xf32> to tensor<16x128x28x28xf16>
  return %28 : tensor<16x128x28x28xf16>
}
