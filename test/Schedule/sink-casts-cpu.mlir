// RUN: tiny-opt %s --tiny-schedule="bf16-products" | FileCheck %s --check-prefix=BF16
// RUN: tiny-opt %s --tiny-schedule | FileCheck %s --check-prefix=F32

// Who multiplies bf16 reads the image as it lies, pad and all, in one kernel. Who multiplies f32 widens it once,
// in a kernel of its own, since each number of it is read three times.
// BF16-LABEL: func.func @main
// BF16:         tiny.launch
// BF16-NOT:     tiny.launch
// BF16:         return
// BF16:         func.func private
// BF16-SAME:    tensor<32768xi16>
// F32-LABEL:  func.func @main
// F32-COUNT-2:  tiny.launch
// F32:          return
func.func @main(%x: tensor<64x512xbf16>, %w: tensor<32x64x3xf32>) -> tensor<32x512xf32> {
  %wide = tiny.cast %x : tensor<64x512xbf16> to tensor<64x512xf32>
  %padded = tiny.pad %wide low [0, 1] high [0, 1] value 0.0 : f32 : tensor<64x512xf32> -> tensor<64x514xf32>
  %rows = tiny.reshape %padded : tensor<64x514xf32> to tensor<64x1x514xf32>
  %copies = tiny.expand %rows : tensor<64x1x514xf32> to tensor<64x3x514xf32>
  %flat = tiny.reshape %copies : tensor<64x3x514xf32> to tensor<64x1542xf32>
  %longer = tiny.pad %flat low [0, 0] high [0, 3] value 0.0 : f32 : tensor<64x1542xf32> -> tensor<64x1545xf32>
  %skewed = tiny.reshape %longer : tensor<64x1545xf32> to tensor<64x3x515xf32>
  %window = tiny.shrink %skewed offsets [0, 0, 0] sizes [64, 3, 512] : tensor<64x3x515xf32> -> tensor<64x3x512xf32>
  %x1 = tiny.reshape %window : tensor<64x3x512xf32> to tensor<1x64x3x512xf32>
  %x2 = tiny.expand %x1 : tensor<1x64x3x512xf32> to tensor<32x64x3x512xf32>
  %w1 = tiny.reshape %w : tensor<32x64x3xf32> to tensor<32x64x3x1xf32>
  %w2 = tiny.expand %w1 : tensor<32x64x3x1xf32> to tensor<32x64x3x512xf32>
  %product = tiny.mul %x2, %w2 : tensor<32x64x3x512xf32>
  %y = tiny.reduce add %product dims [1, 2] : tensor<32x64x3x512xf32> -> tensor<32x512xf32>
  return %y : tensor<32x512xf32>
}
