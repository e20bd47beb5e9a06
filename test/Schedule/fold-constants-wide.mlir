// RUN: tiny-opt %s --split-input-file --tiny-schedule-fold-constants='wide-limit=16 wide-products=16' | FileCheck %s -enable-var-scope
// RUN: tiny-opt %s --split-input-file --tiny-schedule-fold-constants='wide-limit=16 wide-products=17' | FileCheck %s -enable-var-scope --check-prefix=NARROW
// RUN: tiny-opt %s --split-input-file --tiny-schedule-fold-constants='wide-limit=15 wide-products=16' | FileCheck %s -enable-var-scope --check-prefix=NARROW
// RUN: tiny-opt %s --split-input-file --tiny-schedule-fold-constants | FileCheck %s -enable-var-scope --check-prefix=NARROW

// 16 sums take each weight, through any movement: it is widened once, in memory.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    tiny.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
// CHECK-NOT:     tiny.cast
// CHECK:         return
// NARROW-LABEL: func.func @main
// NARROW:         tiny.cast {{.*}} : tensor<2x2xf16> to tensor<2x2xf32>
func.func @main(%x: tensor<16x2xf32>) -> tensor<16x2xf32> {
  %w = tiny.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf16>
  %wide = tiny.cast %w : tensor<2x2xf16> to tensor<2x2xf32>
  %w1 = tiny.reshape %wide : tensor<2x2xf32> to tensor<1x2x2xf32>
  %w2 = tiny.expand %w1 : tensor<1x2x2xf32> to tensor<16x2x2xf32>
  %x1 = tiny.reshape %x : tensor<16x2xf32> to tensor<16x1x2xf32>
  %x2 = tiny.expand %x1 : tensor<16x1x2xf32> to tensor<16x2x2xf32>
  %m = tiny.mul %x2, %w2 : tensor<16x2x2xf32>
  %s = tiny.reduce add %m dims [2] : tensor<16x2x2xf32> -> tensor<16x2xf32>
  return %s : tensor<16x2xf32>
}

// -----

// Both factors are narrow: they are what matrix units multiply.
// CHECK-LABEL: func.func @main
// CHECK:         tiny.cast {{.*}} : tensor<2x2xf16> to tensor<2x2xf32>
func.func @main(%x: tensor<16x2xf16>) -> tensor<16x2xf32> {
  %w = tiny.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf16>
  %wide = tiny.cast %w : tensor<2x2xf16> to tensor<2x2xf32>
  %w1 = tiny.reshape %wide : tensor<2x2xf32> to tensor<1x2x2xf32>
  %w2 = tiny.expand %w1 : tensor<1x2x2xf32> to tensor<16x2x2xf32>
  %x1 = tiny.reshape %x : tensor<16x2xf16> to tensor<16x1x2xf16>
  %x2 = tiny.cast %x1 : tensor<16x1x2xf16> to tensor<16x1x2xf32>
  %x3 = tiny.expand %x2 : tensor<16x1x2xf32> to tensor<16x2x2xf32>
  %m = tiny.mul %x3, %w2 : tensor<16x2x2xf32>
  %s = tiny.reduce add %m dims [2] : tensor<16x2x2xf32> -> tensor<16x2xf32>
  return %s : tensor<16x2xf32>
}

// -----

// No factor of a sum: the cast is part of the load.
// CHECK-LABEL: func.func @main
// CHECK:         tiny.cast {{.*}} : tensor<2x2xf16> to tensor<2x2xf32>
func.func @main(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = tiny.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf16>
  %wide = tiny.cast %w : tensor<2x2xf16> to tensor<2x2xf32>
  %s = tiny.add %x, %wide : tensor<2x2xf32>
  return %s : tensor<2x2xf32>
}
