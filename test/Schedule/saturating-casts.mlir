// RUN: tiny-opt %s --tiny-schedule-form-kernels=group=false --split-input-file | FileCheck %s
// What the results are is proved by execution: test/EndToEnd/op-cast.test.

// The bounds of an i8 are numbers of f32: what lies beyond them becomes them, NaN becomes 0, and then all of
// it may be converted.
// CHECK-LABEL: func.func private @cast_8
// CHECK-DAG:     %[[MOST:.*]] = arith.constant 1.270000e+02 : f32
// CHECK-DAG:     %[[LEAST:.*]] = arith.constant -1.280000e+02 : f32
// CHECK:         %[[HIGH:.*]] = arith.cmpf olt, %[[MOST]], %[[X:.*]] : f32
// CHECK-NEXT:    %[[A:.*]] = arith.select %[[HIGH]], %[[MOST]], %[[X]]
// CHECK-NEXT:    %[[LOW:.*]] = arith.cmpf olt, %[[A]], %[[LEAST]]
// CHECK-NEXT:    %[[B:.*]] = arith.select %[[LOW]], %[[LEAST]], %[[A]]
// CHECK-NEXT:    %[[NAN:.*]] = arith.cmpf uno, %[[X]], %[[X]]
// CHECK-NEXT:    %[[C:.*]] = arith.select %[[NAN]], %{{.*}}, %[[B]]
// CHECK-NEXT:    %[[Y:.*]] = arith.fptosi %[[C]] : f32 to i8
// CHECK-NEXT:    linalg.yield %[[Y]]
func.func @main(%x: tensor<8xf32>) -> tensor<8xi8> {
  %0 = tiny.cast %x : tensor<8xf32> to tensor<8xi8>
  return %0 : tensor<8xi8>
}

// -----

// 2^32 - 1 is no f32: the largest one below would be another integer.
// CHECK-LABEL: func.func private @cast_8
// CHECK:         arith.fptoui %{{.*}} : f32 to i32
// CHECK:         arith.select %{{.*}}, %c-1_i32, %{{.*}} : i32
func.func @main(%x: tensor<8xf32>) -> tensor<8xui32> {
  %0 = tiny.cast %x : tensor<8xf32> to tensor<8xui32>
  return %0 : tensor<8xui32>
}
