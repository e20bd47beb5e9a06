// RUN: tiny-opt %s --split-input-file --tiny-schedule-sink-casts | FileCheck %s

// Through movement ops below the pad, and to the product behind it.
// CHECK-LABEL: func.func @main
// CHECK: %[[R:.*]] = tiny.reshape %arg0 : tensor<6xf16> to tensor<2x3xf16>
// CHECK: %[[P:.*]] = tiny.pad %[[R]] low [0, 1] high [0, 1] value 0.000000e+00 : f16
// CHECK: %[[C:.*]] = tiny.cast %[[P]] : tensor<2x5xf16> to tensor<2x5xf32>
// CHECK: %[[V:.*]] = tiny.permute %[[C]] [1, 0]
// CHECK: tiny.mul %[[V]], %arg1
func.func @main(%x: tensor<6xf16>, %w: tensor<5x2xf32>) -> tensor<5x2xf32> {
  %0 = tiny.cast %x : tensor<6xf16> to tensor<6xf32>
  %1 = tiny.reshape %0 : tensor<6xf32> to tensor<2x3xf32>
  %2 = tiny.pad %1 low [0, 1] high [0, 1] value 0.0 : f32 : tensor<2x3xf32> -> tensor<2x5xf32>
  %3 = tiny.permute %2 [1, 0] : tensor<2x5xf32> -> tensor<5x2xf32>
  %4 = tiny.mul %3, %w : tensor<5x2xf32>
  return %4 : tensor<5x2xf32>
}

// -----

// Integers, and both pads of a chain.
// CHECK-LABEL: func.func @main
// CHECK: tiny.pad %arg0 low [1] high [0] value -128 : i8
// CHECK: tiny.pad %{{.*}} low [1] high [0] value 127 : i8
// CHECK: tiny.cast %{{.*}} : tensor<8xi8> to tensor<8xi32>
func.func @main(%x: tensor<6xi8>) -> tensor<8xi32> {
  %0 = tiny.cast %x : tensor<6xi8> to tensor<6xi32>
  %1 = tiny.pad %0 low [1] high [0] value -128 : i32 : tensor<6xi32> -> tensor<7xi32>
  %2 = tiny.pad %1 low [1] high [0] value 127 : i32 : tensor<7xi32> -> tensor<8xi32>
  %3 = tiny.mul %2, %2 : tensor<8xi32>
  return %3 : tensor<8xi32>
}

// -----

// Not where the value of the pad is none of the narrow type,
// CHECK-LABEL: func.func @main
// CHECK: tiny.pad %{{.*}} value 128 : i32
// CHECK: tiny.pad %{{.*}} value 1.00097{{.*}} : f32
// CHECK: tiny.pad %{{.*}} value -0.000000e+00 : f32
func.func @main(%x: tensor<6xi8>, %y: tensor<6xbf16>) -> (tensor<7xi32>, tensor<7xf32>, tensor<7xf32>) {
  %0 = tiny.cast %x : tensor<6xi8> to tensor<6xi32>
  %1 = tiny.pad %0 low [1] high [0] value 128 : i32 : tensor<6xi32> -> tensor<7xi32>
  %2 = tiny.mul %1, %1 : tensor<7xi32>
  %3 = tiny.cast %y : tensor<6xbf16> to tensor<6xf32>
  %4 = tiny.pad %3 low [1] high [0] value 1.0009765625 : f32 : tensor<6xf32> -> tensor<7xf32>
  %5 = tiny.mul %4, %4 : tensor<7xf32>
  %6 = tiny.cast %x : tensor<6xi8> to tensor<6xf32>
  %7 = tiny.pad %6 low [1] high [0] value -0.0 : f32 : tensor<6xf32> -> tensor<7xf32>
  %8 = tiny.mul %7, %7 : tensor<7xf32>
  return %2, %5, %8 : tensor<7xi32>, tensor<7xf32>, tensor<7xf32>
}

// -----

// for another user than products, or for a cast to a narrower type.
// CHECK-LABEL: func.func @main
// CHECK: tiny.pad %{{.*}} : f32
// CHECK: tiny.pad %{{.*}} : f16
func.func @main(%x: tensor<6xf16>, %y: tensor<6xf32>) -> (tensor<7xf32>, tensor<7xf32>, tensor<7xf16>) {
  %0 = tiny.cast %x : tensor<6xf16> to tensor<6xf32>
  %1 = tiny.pad %0 low [1] high [0] value 0.0 : f32 : tensor<6xf32> -> tensor<7xf32>
  %2 = tiny.mul %1, %1 : tensor<7xf32>
  %3 = tiny.exp2 %1 : tensor<7xf32>
  %4 = tiny.cast %y : tensor<6xf32> to tensor<6xf16>
  %5 = tiny.pad %4 low [1] high [0] value 0.0 : f16 : tensor<6xf16> -> tensor<7xf16>
  %6 = tiny.mul %5, %5 : tensor<7xf16>
  return %2, %3, %6 : tensor<7xf32>, tensor<7xf32>, tensor<7xf16>
}
