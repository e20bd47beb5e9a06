// RUN: tiny-opt %s --tiny-codegen-expand-reductions | FileCheck %s

// CHECK-LABEL: func.func @sum
// CHECK-SAME: (%[[V:.*]]: vector<4xf32>, %[[ACC:.*]]: f32)
func.func @sum(%v: vector<4xf32>, %acc: f32) -> f32 {
  // CHECK: %[[LO:.*]] = vector.shuffle %[[V]], %[[V]] [0, 1]
  // CHECK: %[[HI:.*]] = vector.shuffle %[[V]], %[[V]] [2, 3]
  // CHECK: %[[TWO:.*]] = arith.addf %[[LO]], %[[HI]] : vector<2xf32>
  // CHECK: %[[A:.*]] = vector.shuffle %[[TWO]], %[[TWO]] [0]
  // CHECK: %[[B:.*]] = vector.shuffle %[[TWO]], %[[TWO]] [1]
  // CHECK: %[[ONE:.*]] = arith.addf %[[A]], %[[B]] : vector<1xf32>
  // CHECK: %[[S:.*]] = vector.extract %[[ONE]][0]
  // CHECK: %[[R:.*]] = arith.addf %[[ACC]], %[[S]] : f32
  // CHECK: return %[[R]]
  %r = vector.reduction <add>, %v, %acc : vector<4xf32> into f32
  return %r : f32
}

// An odd element waits for the end.
// CHECK-LABEL: func.func @odd_product
// CHECK-SAME: (%[[V:.*]]: vector<3xf64>)
func.func @odd_product(%v: vector<3xf64>) -> f64 {
  // CHECK: %[[LAST:.*]] = vector.extract %[[V]][2]
  // CHECK: %[[P:.*]] = arith.mulf {{.*}} : vector<1xf64>
  // CHECK: %[[S:.*]] = vector.extract %[[P]][0]
  // CHECK: arith.mulf %[[LAST]], %[[S]] : f64
  %r = vector.reduction <mul>, %v : vector<3xf64> into f64
  return %r : f64
}

// Integers and maxima have no order to keep: LLVM does them well.
// CHECK-LABEL: func.func @others
func.func @others(%v: vector<4xi32>, %w: vector<4xf32>) -> (i32, f32) {
  // CHECK: vector.reduction <add>
  %0 = vector.reduction <add>, %v : vector<4xi32> into i32
  // CHECK: vector.reduction <maximumf>
  %1 = vector.reduction <maximumf>, %w : vector<4xf32> into f32
  return %0, %1 : i32, f32
}
