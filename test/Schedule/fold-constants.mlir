// RUN: tiny-opt %s --tiny-schedule-fold-constants --split-input-file | FileCheck %s

// What is left is what depends on an argument. The result of a chain is one constant.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: %[[W:.*]] = tiny.constant dense<{{\[\[}}-1.000000e+00, -5.000000e-01], [0.000000e+00, 5.000000e-01]]> : tensor<2x2xf32>
// CHECK-NEXT: tiny.mul %arg0, %[[W]]
// CHECK-NEXT: return
func.func @main(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = tiny.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
  %zero = tiny.constant dense<-3> : tensor<2x2xi32>
  %scale = tiny.constant dense<0.5> : tensor<2x2xf32>
  %0 = tiny.cast %w : tensor<2x2xi8> to tensor<2x2xi32>
  %1 = tiny.add %0, %zero : tensor<2x2xi32>
  %2 = tiny.cast %1 : tensor<2x2xi32> to tensor<2x2xf32>
  %3 = tiny.mul %2, %scale : tensor<2x2xf32>
  %4 = tiny.mul %x, %3 : tensor<2x2xf32>
  return %4 : tensor<2x2xf32>
}

// -----

// Along an expanded dim one element is computed and stored, and the expand stays. Equal elements
// become a splat.
// CHECK-LABEL: func.func @main
// CHECK: %[[ROOTS:.*]] = tiny.constant dense<{{\[\[}}1.000000e+00], [2.000000e+00], [3.000000e+00]]> : tensor<3x1xf32>
// CHECK: %[[EXPANDED:.*]] = tiny.expand %[[ROOTS]] : tensor<3x1xf32> to tensor<3x1000000xf32>
// CHECK: tiny.add %[[EXPANDED]], %arg0
// CHECK: %[[SPLAT:.*]] = tiny.constant dense<2.000000e+00> : tensor<3x1000000xf32>
// CHECK: tiny.mul %{{.*}}, %[[SPLAT]]
func.func @main(%x: tensor<3x1000000xf32>) -> tensor<3x1000000xf32> {
  %c = tiny.constant dense<[[1.0], [4.0], [9.0]]> : tensor<3x1xf32>
  %0 = tiny.expand %c : tensor<3x1xf32> to tensor<3x1000000xf32>
  %1 = tiny.sqrt %0 : tensor<3x1000000xf32>
  %2 = tiny.add %1, %x : tensor<3x1000000xf32>
  %c1 = tiny.constant dense<[[2.0], [2.0], [2.0]]> : tensor<3x1xf32>
  %3 = tiny.expand %c1 : tensor<3x1xf32> to tensor<3x1000000xf32>
  %ones = tiny.constant dense<1.0> : tensor<3x1000000xf32>
  %4 = tiny.mul %3, %ones : tensor<3x1000000xf32>
  %5 = tiny.mul %2, %4 : tensor<3x1000000xf32>
  return %5 : tensor<3x1000000xf32>
}

// -----

// The order in memory of a permuted constant is kept: its result is permuted like it.
// CHECK-LABEL: func.func @main
// CHECK: %[[C:.*]] = tiny.constant dense<{{\[\[}}2.000000e+00, 3.000000e+00, 4.000000e+00], [5.000000e+00, 6.000000e+00, 7.000000e+00]]> : tensor<2x3xf32>
// CHECK: %[[P:.*]] = tiny.permute %[[C]] [1, 0]
// CHECK: tiny.add %[[P]], %arg0
func.func @main(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %c = tiny.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %one = tiny.constant dense<1.0> : tensor<3x2xf32>
  %0 = tiny.permute %c [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  %1 = tiny.add %0, %one : tensor<3x2xf32>
  %2 = tiny.add %1, %x : tensor<3x2xf32>
  return %2 : tensor<3x2xf32>
}

// -----

// Movement is free as long as it only renames dims; it is folded where it drops elements, reverses
// them or cuts across their order, and never where it makes more of them.
// CHECK-LABEL: func.func @main
// CHECK: %[[C:.*]] = tiny.constant dense<{{\[\[}}1, 2, 3, 4], [5, 6, 7, 8]]> : tensor<2x4xi32>
// CHECK: %[[P:.*]] = tiny.permute %[[C]] [1, 0]
// CHECK: %[[CUT:.*]] = tiny.constant dense<[1, 5, 2, 6, 3, 7, 4, 8]> : tensor<8xi32>
// CHECK: %[[SLICE:.*]] = tiny.constant dense<{{\[\[}}2, 3], [6, 7]]> : tensor<2x2xi32>
// CHECK: %[[TURNED:.*]] = tiny.constant dense<{{\[\[}}5, 6, 7, 8], [1, 2, 3, 4]]> : tensor<2x4xi32>
// CHECK: %[[PADDED:.*]] = tiny.pad %[[C]] low [1, 0] high [0, 0]
// CHECK: return %[[P]], %[[CUT]], %[[SLICE]], %[[TURNED]], %[[PADDED]]
func.func @main() -> (tensor<4x2xi32>, tensor<8xi32>, tensor<2x2xi32>, tensor<2x4xi32>, tensor<3x4xi32>) {
  %c = tiny.constant dense<[[1, 2, 3, 4], [5, 6, 7, 8]]> : tensor<2x4xi32>
  %p = tiny.permute %c [1, 0] : tensor<2x4xi32> -> tensor<4x2xi32>
  %cut = tiny.reshape %p : tensor<4x2xi32> to tensor<8xi32>
  %slice = tiny.shrink %c offsets [0, 1] sizes [2, 2] : tensor<2x4xi32> -> tensor<2x2xi32>
  %turned = tiny.stride %c [-1, 1] : tensor<2x4xi32> -> tensor<2x4xi32>
  %padded = tiny.pad %c low [1, 0] high [0, 0] value 7 : i32 : tensor<2x4xi32> -> tensor<3x4xi32>
  return %p, %cut, %slice, %turned, %padded : tensor<4x2xi32>, tensor<8xi32>, tensor<2x2xi32>, tensor<2x4xi32>, tensor<3x4xi32>
}

// -----

// Narrow weights stay narrow: a cast that loses nothing is part of their load.
// CHECK-LABEL: func.func @main
// CHECK: %[[C:.*]] = tiny.constant dense<[2.000000e+00, 3.000000e+00]> : tensor<2xf16>
// CHECK: tiny.cast %[[C]] : tensor<2xf16> to tensor<2xf32>
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = tiny.constant dense<[1.0, 1.5]> : tensor<2xf16>
  %two = tiny.constant dense<2.0> : tensor<2xf16>
  %0 = tiny.mul %c, %two : tensor<2xf16>
  %1 = tiny.cast %0 : tensor<2xf16> to tensor<2xf32>
  %2 = tiny.mul %1, %x : tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----

// A mask of positions is cheaper to compute than to read, and what sees through it wants to see it.
// A table of sines is not.
// CHECK-LABEL: func.func @main
// CHECK: %[[I:.*]] = tiny.iota dim 1
// CHECK: %[[MASK:.*]] = tiny.cmp eq %[[I]],
// CHECK: tiny.where %[[MASK]], %arg0,
// CHECK: %[[SINES:.*]] = tiny.constant dense<[0.000000e+00, 0.841470957, 0.909297406]> : tensor<3xf32>
// CHECK: return %{{.*}}, %[[SINES]]
func.func @main(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<3xf32>) {
  %i = tiny.iota dim 1 : tensor<2x3xi64>
  %c = tiny.constant dense<[[1], [2]]> : tensor<2x1xi64>
  %0 = tiny.expand %c : tensor<2x1xi64> to tensor<2x3xi64>
  %1 = tiny.cmp eq %i, %0 : tensor<2x3xi64>
  %zero = tiny.constant dense<0.0> : tensor<2x3xf32>
  %2 = tiny.where %1, %x, %zero : tensor<2x3xf32>
  %j = tiny.iota dim 0 : tensor<3xf32>
  %3 = tiny.sin %j : tensor<3xf32>
  return %2, %3 : tensor<2x3xf32>, tensor<3xf32>
}

// -----

// A reduction of constants is one, and what it reads is gone. No elements are no constant.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: %[[C:.*]] = tiny.constant dense<[3.000000e+06, 6.000000e+06]> : tensor<2xf32>
// CHECK-NEXT: %[[E:.*]] = tiny.constant dense<> : tensor<0xf32>
// CHECK-NEXT: %[[N:.*]] = tiny.exp2 %[[E]]
// CHECK-NEXT: return %[[C]], %[[N]]
func.func @main() -> (tensor<2xf32>, tensor<0xf32>) {
  %c = tiny.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %0 = tiny.expand %c : tensor<2x1xf32> to tensor<2x3000000xf32>
  %1 = tiny.reduce add %0 dims [1] : tensor<2x3000000xf32> -> tensor<2xf32>
  %e = tiny.constant dense<> : tensor<0xf32>
  %2 = tiny.exp2 %e : tensor<0xf32>
  return %1, %2 : tensor<2xf32>, tensor<0xf32>
}
