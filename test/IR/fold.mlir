// RUN: tiny-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @movement_of_movement
func.func @movement_of_movement(%x: tensor<2x3x4xf32>, %y: tensor<1x1x5xf32>, %z: tensor<12xf32>) -> (tensor<24xf32>, tensor<2x3x4xf32>, tensor<2x3x5xf32>, tensor<16xf32>, tensor<6xf32>, tensor<2xf32>, tensor<3xf32>) {
  // CHECK-DAG: %[[A:.*]] = tiny.reshape %arg0 : tensor<2x3x4xf32> to tensor<24xf32>
  %0 = tiny.reshape %x : tensor<2x3x4xf32> to tensor<6x4xf32>
  %1 = tiny.reshape %0 : tensor<6x4xf32> to tensor<24xf32>
  // Back and forth is the operand.
  %2 = tiny.permute %x [1, 2, 0] : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
  %3 = tiny.permute %2 [2, 0, 1] : tensor<3x4x2xf32> -> tensor<2x3x4xf32>
  // CHECK-DAG: %[[C:.*]] = tiny.expand %arg1 : tensor<1x1x5xf32> to tensor<2x3x5xf32>
  %4 = tiny.expand %y : tensor<1x1x5xf32> to tensor<1x3x5xf32>
  %5 = tiny.expand %4 : tensor<1x3x5xf32> to tensor<2x3x5xf32>
  // CHECK-DAG: %[[D:.*]] = tiny.pad %arg2 low [1] high [3] value
  %6 = tiny.pad %z low [1] high [0] value 0.0 : f32 : tensor<12xf32> -> tensor<13xf32>
  %7 = tiny.pad %6 low [0] high [3] value 0.0 : f32 : tensor<13xf32> -> tensor<16xf32>
  // CHECK-DAG: %[[E:.*]] = tiny.shrink %arg2 offsets [3] sizes [6]
  %8 = tiny.shrink %z offsets [2] sizes [8] : tensor<12xf32> -> tensor<8xf32>
  %9 = tiny.shrink %8 offsets [1] sizes [6] : tensor<8xf32> -> tensor<6xf32>
  // CHECK-DAG: %[[F:.*]] = tiny.stride %arg2 [-6]
  %10 = tiny.stride %z [-2] : tensor<12xf32> -> tensor<6xf32>
  %11 = tiny.stride %10 [3] : tensor<6xf32> -> tensor<2xf32>
  // A reversal of a stride starts elsewhere: two ops.
  // CHECK-DAG: %[[G:.*]] = tiny.stride %arg2 [5]
  // CHECK-DAG: %[[H:.*]] = tiny.stride %[[G]] [-1]
  %12 = tiny.stride %z [5] : tensor<12xf32> -> tensor<3xf32>
  %13 = tiny.stride %12 [-1] : tensor<3xf32> -> tensor<3xf32>
  // CHECK: return %[[A]], %arg0, %[[C]], %[[D]], %[[E]], %[[F]], %[[H]]
  return %1, %3, %5, %7, %9, %11, %13 : tensor<24xf32>, tensor<2x3x4xf32>, tensor<2x3x5xf32>, tensor<16xf32>, tensor<6xf32>, tensor<2xf32>, tensor<3xf32>
}

// Pads of different values stay two.
// CHECK-LABEL: func.func @pads
func.func @pads(%x: tensor<2xf32>) -> tensor<4xf32> {
  // CHECK-COUNT-2: tiny.pad
  %0 = tiny.pad %x low [1] high [0] value 0.0 : f32 : tensor<2xf32> -> tensor<3xf32>
  %1 = tiny.pad %0 low [1] high [0] value 1.0 : f32 : tensor<3xf32> -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// CHECK-LABEL: func.func @neutral
func.func @neutral(%x: tensor<2xf32>, %i: tensor<2xi32>, %u: tensor<2xui8>, %c: tensor<2xi1>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xi32>, tensor<2xi32>, tensor<2xui8>, tensor<2xi1>, tensor<2xf32>) {
  %one = tiny.constant dense<1.0> : tensor<2xf32>
  %minusZero = tiny.constant dense<-0.0> : tensor<2xf32>
  %least = tiny.constant dense<0xFF800000> : tensor<2xf32>
  %izero = tiny.constant dense<0> : tensor<2xi32>
  %uzero = tiny.constant dense<0> : tensor<2xui8>
  %true = tiny.constant dense<true> : tensor<2xi1>
  %0 = tiny.mul %x, %one : tensor<2xf32>
  %1 = tiny.add %x, %minusZero : tensor<2xf32>
  %2 = tiny.max %x, %least : tensor<2xf32>
  %3 = tiny.div %x, %one : tensor<2xf32>
  %4 = tiny.add %i, %izero : tensor<2xi32>
  %5 = tiny.mul %i, %izero : tensor<2xi32>
  %6 = tiny.max %u, %uzero : tensor<2xui8>
  %7 = tiny.mul %c, %true : tensor<2xi1>
  %8 = tiny.where %true, %x, %one : tensor<2xf32>
  // CHECK: %[[Z:.*]] = tiny.constant dense<0> : tensor<2xi32>
  // CHECK: return %arg0, %arg0, %arg0, %arg0, %arg1, %[[Z]], %arg2, %arg3, %arg0
  return %0, %1, %2, %3, %4, %5, %6, %7, %8 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xi32>, tensor<2xi32>, tensor<2xui8>, tensor<2xi1>, tensor<2xf32>
}

// x + 0 is not x for x = -0, and 0 * x is not 0 for NaN.
// CHECK-LABEL: func.func @not_neutral
func.func @not_neutral(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %zero = tiny.constant dense<0.0> : tensor<2xf32>
  // CHECK: tiny.add
  %0 = tiny.add %x, %zero : tensor<2xf32>
  // CHECK: tiny.mul
  %1 = tiny.mul %x, %zero : tensor<2xf32>
  return %0, %1 : tensor<2xf32>, tensor<2xf32>
}

// CHECK-LABEL: func.func @casts
func.func @casts(%h: tensor<2xf16>, %f: tensor<2xf32>, %i: tensor<2xi8>) -> (tensor<2xf16>, tensor<2xf32>, tensor<2xi8>) {
  // A wider type and back: exact.
  %0 = tiny.cast %h : tensor<2xf16> to tensor<2xf32>
  %1 = tiny.cast %0 : tensor<2xf32> to tensor<2xf16>
  // A narrower one rounds: both stay.
  // CHECK: %[[N:.*]] = tiny.cast %arg1
  // CHECK: %[[W:.*]] = tiny.cast %[[N]]
  %2 = tiny.cast %f : tensor<2xf32> to tensor<2xbf16>
  %3 = tiny.cast %2 : tensor<2xbf16> to tensor<2xf32>
  %4 = tiny.cast %i : tensor<2xi8> to tensor<2xf16>
  %5 = tiny.cast %4 : tensor<2xf16> to tensor<2xi8>
  // CHECK: return %arg0, %[[W]], %arg2
  return %1, %3, %5 : tensor<2xf16>, tensor<2xf32>, tensor<2xi8>
}

// Saturation, NaN, wrapping, division by zero and of the least value by -1.
// CHECK-LABEL: func.func @constants
func.func @constants() -> (tensor<5xi8>, tensor<3xui8>, tensor<4xi8>, tensor<2xi8>, tensor<2xf32>, tensor<3xi1>, tensor<f16>) {
  %f = tiny.constant dense<[300.0, -300.0, 0x7FC00000, -1.9, 0x7F800000]> : tensor<5xf32>
  // CHECK-DAG: %[[A:.*]] = tiny.constant dense<[127, -128, 0, -1, 127]> : tensor<5xi8>
  %0 = tiny.cast %f : tensor<5xf32> to tensor<5xi8>
  %w = tiny.constant dense<[-1, 256, 511]> : tensor<3xi32>
  // CHECK-DAG: %[[B:.*]] = tiny.constant dense<[255, 0, 255]> : tensor<3xui8>
  %1 = tiny.cast %w : tensor<3xi32> to tensor<3xui8>
  %n = tiny.constant dense<[-128, 7, -7, 5]> : tensor<4xi8>
  %d = tiny.constant dense<[-1, 2, 2, 0]> : tensor<4xi8>
  // CHECK-DAG: %[[C:.*]] = tiny.constant dense<[-128, 3, -3, 0]> : tensor<4xi8>
  %2 = tiny.div %n, %d : tensor<4xi8>
  %p = tiny.constant dense<[127, -128]> : tensor<2xi8>
  // CHECK-DAG: %[[D:.*]] = tiny.constant dense<[-2, 0]> : tensor<2xi8>
  %3 = tiny.add %p, %p : tensor<2xi8>
  %x = tiny.constant dense<[-0.0, 0x7FC00000]> : tensor<2xf32>
  %y = tiny.constant dense<[0.0, 1.0]> : tensor<2xf32>
  // CHECK-DAG: %[[E:.*]] = tiny.constant dense<[0.000000e+00, 0x7FC00000]> : tensor<2xf32>
  %4 = tiny.max %x, %y : tensor<2xf32>
  %q = tiny.constant dense<[0x7FC00000, 1.0, 2.0]> : tensor<3xf32>
  // CHECK-DAG: %[[F:.*]] = tiny.constant dense<[true, false, false]> : tensor<3xi1>
  %5 = tiny.cmp ne %q, %q : tensor<3xf32>
  // 1 + 2^-11 + 2^-40 in f64: above the tie, so it rounds up, and would not after a detour through f32.
  %r = tiny.constant dense<1.000488281250909> : tensor<f64>
  // CHECK-DAG: %[[G:.*]] = tiny.constant dense<1.000980e+00> : tensor<f16>
  %6 = tiny.cast %r : tensor<f64> to tensor<f16>
  // CHECK: return %[[A]], %[[B]], %[[C]], %[[D]], %[[E]], %[[F]], %[[G]]
  return %0, %1, %2, %3, %4, %5, %6 : tensor<5xi8>, tensor<3xui8>, tensor<4xi8>, tensor<2xi8>, tensor<2xf32>, tensor<3xi1>, tensor<f16>
}

// CHECK-LABEL: func.func @splats
func.func @splats() -> (tensor<6x4xf32>, tensor<10xf32>) {
  %s = tiny.constant dense<2.0> : tensor<1x4xf32>
  // CHECK-DAG: %[[A:.*]] = tiny.constant dense<2.000000e+00> : tensor<6x4xf32>
  %0 = tiny.expand %s : tensor<1x4xf32> to tensor<6x4xf32>
  // CHECK-DAG: %[[B:.*]] = tiny.constant dense<4.000000e+00> : tensor<10xf32>
  %t = tiny.constant dense<2.0> : tensor<5xf32>
  %1 = tiny.mul %t, %t : tensor<5xf32>
  %2 = tiny.pad %1 low [2] high [3] value 4.0 : f32 : tensor<5xf32> -> tensor<10xf32>
  // CHECK: return %[[A]], %[[B]]
  return %0, %2 : tensor<6x4xf32>, tensor<10xf32>
}
