// RUN: tiny-opt %s --tiny-codegen-expand-conversions | FileCheck %s --check-prefixes=CHECK,OWN
// RUN: tiny-opt %s --tiny-codegen-expand-conversions=native-f16 | FileCheck %s --check-prefixes=CHECK,NATIVE
// The values are proved by execution: test/unit/Compiler/ConversionsTest.cpp.

// CHECK-LABEL: func.func @extend_bf16
// CHECK-SAME: (%[[X:.*]]: vector<8xbf16>)
func.func @extend_bf16(%x: vector<8xbf16>) -> vector<8xf32> {
  // CHECK-DAG: %[[C16:.*]] = arith.constant dense<16> : vector<8xi32>
  // CHECK: %[[BITS:.*]] = arith.bitcast %[[X]] : vector<8xbf16> to vector<8xi16>
  // CHECK: %[[WIDE:.*]] = arith.extui %[[BITS]] : vector<8xi16> to vector<8xi32>
  // CHECK: %[[UP:.*]] = arith.shli %[[WIDE]], %[[C16]]
  // CHECK: %[[R:.*]] = arith.bitcast %[[UP]] : vector<8xi32> to vector<8xf32>
  // CHECK: return %[[R]]
  %r = arith.extf %x : vector<8xbf16> to vector<8xf32>
  return %r : vector<8xf32>
}

// CHECK-LABEL: func.func @extend_f16
func.func @extend_f16(%x: f16) -> f64 {
  // OWN-NOT: arith.extf {{.*}} : f16
  // NATIVE: %[[S:.*]] = arith.extf %{{.*}} : f16 to f32
  // NATIVE: arith.extf %[[S]] : f32 to f64
  // OWN: arith.extf {{.*}} : f32 to f64
  %r = arith.extf %x : f16 to f64
  return %r : f64
}

// One rounding to f16: the f32 between is rounded to odd.
// CHECK-LABEL: func.func @f64_to_f16
func.func @f64_to_f16(%x: f64) -> f16 {
  // CHECK: arith.truncf {{.*}} : f64 to f32
  // CHECK: arith.cmpf one
  // NATIVE: arith.truncf {{.*}} : f32 to f16
  // OWN-NOT: arith.truncf
  // OWN: arith.bitcast {{.*}} : i16 to f16
  %r = arith.truncf %x : f64 to f16
  return %r : f16
}

// CHECK-LABEL: func.func @f32_to_bf16
func.func @f32_to_bf16(%x: f32) -> bf16 {
  // CHECK-NOT: arith.truncf
  // CHECK: arith.trunci {{.*}} : i32 to i16
  // CHECK: arith.bitcast {{.*}} : i16 to bf16
  %r = arith.truncf %x : f32 to bf16
  return %r : bf16
}

// CHECK-LABEL: func.func @unsigned_to_f64
func.func @unsigned_to_f64(%x: vector<8xi64>) -> vector<8xf64> {
  // CHECK-NOT: arith.uitofp
  // CHECK: arith.addf
  %r = arith.uitofp %x : vector<8xi64> to vector<8xf64>
  return %r : vector<8xf64>
}

// CHECK-LABEL: func.func @left_alone
func.func @left_alone(%x: f64, %y: i64, %z: i32) -> (f32, f64, f32) {
  // CHECK: arith.truncf %{{.*}} : f64 to f32
  %0 = arith.truncf %x : f64 to f32
  // CHECK: arith.sitofp %{{.*}} : i64 to f64
  %1 = arith.sitofp %y : i64 to f64
  // CHECK: arith.uitofp %{{.*}} : i32 to f32
  %2 = arith.uitofp %z : i32 to f32
  return %0, %1, %2 : f32, f64, f32
}
