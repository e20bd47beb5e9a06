// RUN: tiny-opt %s --tiny-schedule-fold-scales --split-input-file | FileCheck %s

// The factor of each sum goes into its weights, and what is added is scaled and joined.
// CHECK-LABEL: func.func @main
// CHECK: %[[W:.*]] = tiny.constant dense<{{\[\[}}1.000000e+01, 2.000000e+01], [3.000000e+02, 4.000000e+02]]> : tensor<2x2xf32>
// CHECK: %[[P:.*]] = tiny.mul %arg0, %[[W]]
// CHECK: %[[S:.*]] = tiny.reduce add %[[P]] dims [1]
// CHECK: %[[B:.*]] = tiny.constant dense<[1.500000e+01, 2.500000e+02]> : tensor<2xf32>
// CHECK: %[[R:.*]] = tiny.add %[[S]], %[[B]]
// CHECK: return %[[R]]
func.func @main(%x: tensor<2x2xf32>) -> tensor<2xf32> {
  %w = tiny.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %b = tiny.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %s = tiny.constant dense<[10.0, 100.0]> : tensor<2xf32>
  %t = tiny.constant dense<[5.0, 50.0]> : tensor<2xf32>
  %0 = tiny.mul %x, %w : tensor<2x2xf32>
  %1 = tiny.reduce add %0 dims [1] : tensor<2x2xf32> -> tensor<2xf32>
  %2 = tiny.add %1, %b : tensor<2xf32>
  %3 = tiny.mul %s, %2 : tensor<2xf32>
  %4 = tiny.add %3, %t : tensor<2xf32>
  return %4 : tensor<2xf32>
}

// -----

// A divisor divides the weights. Both are followed through movement: the weights keep their order
// in memory.
// CHECK-LABEL: func.func @main
// CHECK: %[[C:.*]] = tiny.constant dense<{{\[\[\[}}1.000000e+00, 5.000000e-01], [3.000000e+00, 1.000000e+00], [5.000000e+00, 1.500000e+00]]]> : tensor<1x3x2xf32>
// CHECK-NOT: tiny.div
// CHECK: return
func.func @main(%x: tensor<4x3xf32>) -> tensor<2x2x2xf32> {
  %w = tiny.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %w1 = tiny.permute %w [1, 0] : tensor<3x2xf32> -> tensor<2x3xf32>
  %w2 = tiny.reshape %w1 : tensor<2x3xf32> to tensor<1x2x3xf32>
  %w3 = tiny.expand %w2 : tensor<1x2x3xf32> to tensor<4x2x3xf32>
  %x1 = tiny.reshape %x : tensor<4x3xf32> to tensor<4x1x3xf32>
  %x2 = tiny.expand %x1 : tensor<4x1x3xf32> to tensor<4x2x3xf32>
  %0 = tiny.mul %w3, %x2 : tensor<4x2x3xf32>
  %1 = tiny.reduce add %0 dims [2] : tensor<4x2x3xf32> -> tensor<4x2xf32>
  %2 = tiny.permute %1 [1, 0] : tensor<4x2xf32> -> tensor<2x4xf32>
  %3 = tiny.reshape %2 : tensor<2x4xf32> to tensor<2x2x2xf32>
  %s = tiny.constant dense<[[[1.0]], [[4.0]]]> : tensor<2x1x1xf32>
  %s1 = tiny.expand %s : tensor<2x1x1xf32> to tensor<2x2x2xf32>
  %4 = tiny.div %3, %s1 : tensor<2x2x2xf32>
  return %4 : tensor<2x2x2xf32>
}

// -----

// A factor that changes along a dim along which the weights do not would need more of them.
// CHECK-LABEL: func.func @main
// CHECK-COUNT-2: tiny.mul
func.func @main(%x: tensor<4x3xf32>) -> tensor<4xf32> {
  %w = tiny.constant dense<[[1.0, 2.0, 3.0]]> : tensor<1x3xf32>
  %w1 = tiny.expand %w : tensor<1x3xf32> to tensor<4x3xf32>
  %0 = tiny.mul %x, %w1 : tensor<4x3xf32>
  %1 = tiny.reduce add %0 dims [1] : tensor<4x3xf32> -> tensor<4xf32>
  %s = tiny.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %2 = tiny.mul %1, %s : tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----

// The sum is used as it is, too.
// CHECK-LABEL: func.func @main
// CHECK-COUNT-2: tiny.mul
func.func @main(%x: tensor<2x2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %w = tiny.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %s = tiny.constant dense<2.0> : tensor<2xf32>
  %0 = tiny.mul %x, %w : tensor<2x2xf32>
  %1 = tiny.reduce add %0 dims [1] : tensor<2x2xf32> -> tensor<2xf32>
  %2 = tiny.mul %1, %s : tensor<2xf32>
  return %1, %2 : tensor<2xf32>, tensor<2xf32>
}

// -----

// A mean has no weights, and gets none; a maximum is no sum; an f16 is rounded before it is scaled,
// behind a cast as well.
// CHECK-LABEL: func.func @main
// CHECK-COUNT-3: tiny.mul
// CHECK: tiny.cast
// CHECK-COUNT-3: tiny.mul
func.func @main(%x: tensor<2x2xf32>, %h: tensor<2x2xf16>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf16>) {
  %w = tiny.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %s = tiny.constant dense<[2.0, 0.5]> : tensor<2xf32>
  %0 = tiny.reduce add %x dims [1] : tensor<2x2xf32> -> tensor<2xf32>
  %1 = tiny.mul %0, %s : tensor<2xf32>
  %2 = tiny.mul %x, %w : tensor<2x2xf32>
  %3 = tiny.reduce max %2 dims [1] : tensor<2x2xf32> -> tensor<2xf32>
  %4 = tiny.mul %3, %s : tensor<2xf32>
  %5 = tiny.reduce add %2 dims [1] : tensor<2x2xf32> -> tensor<2xf32>
  %6 = tiny.cast %5 : tensor<2xf32> to tensor<2xf16>
  %7 = tiny.cast %6 : tensor<2xf16> to tensor<2xf32>
  %8 = tiny.mul %7, %s : tensor<2xf32>
  %w16 = tiny.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf16>
  %s16 = tiny.constant dense<[2.0, 0.5]> : tensor<2xf16>
  %9 = tiny.mul %h, %w16 : tensor<2x2xf16>
  %10 = tiny.reduce add %9 dims [1] : tensor<2x2xf16> -> tensor<2xf16>
  %11 = tiny.mul %10, %s16 : tensor<2xf16>
  return %1, %4, %8, %11 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf16>
}

// -----

// Weights that would overflow, a divisor of zero, a product that would vanish: nothing is changed.
// CHECK-LABEL: func.func @main
// CHECK: tiny.mul
// CHECK: tiny.mul
// CHECK: tiny.mul
// CHECK: tiny.div
// CHECK: tiny.mul
// CHECK: tiny.mul
func.func @main(%x: tensor<2x2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %w = tiny.constant dense<[[1.0e30, 2.0], [3.0, 1.0e-35]]> : tensor<2x2xf32>
  %0 = tiny.mul %x, %w : tensor<2x2xf32>
  %1 = tiny.reduce add %0 dims [1] : tensor<2x2xf32> -> tensor<2xf32>
  %larger = tiny.constant dense<[1.0e10, 1.0]> : tensor<2xf32>
  %2 = tiny.mul %1, %larger : tensor<2xf32>
  %v = tiny.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %3 = tiny.mul %x, %v : tensor<2x2xf32>
  %4 = tiny.reduce add %3 dims [1] : tensor<2x2xf32> -> tensor<2xf32>
  %zero = tiny.constant dense<[1.0, 0.0]> : tensor<2xf32>
  %5 = tiny.div %4, %zero : tensor<2xf32>
  %u = tiny.constant dense<[[1.0, 2.0], [3.0, 1.0e-35]]> : tensor<2x2xf32>
  %6 = tiny.mul %x, %u : tensor<2x2xf32>
  %7 = tiny.reduce add %6 dims [1] : tensor<2x2xf32> -> tensor<2xf32>
  %small = tiny.constant dense<[1.0, 1.0e-20]> : tensor<2xf32>
  %8 = tiny.mul %7, %small : tensor<2xf32>
  return %2, %5, %8 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}
