// RUN: tiny-opt %s --tiny-codegen-expand-math --split-input-file | FileCheck %s --check-prefixes=CHECK,SPLIT
// RUN: tiny-opt %s --tiny-codegen-expand-math=native-fma --split-input-file | FileCheck %s --check-prefixes=CHECK,FMA
// RUN: tiny-opt %s --tiny-codegen-expand-math="native-fma native-f32" --split-input-file | FileCheck %s --check-prefix=NATIVE
// The values are proved by execution: test/unit/Compiler/MathTest.cpp.

// CHECK-LABEL: func.func @exp2
func.func @exp2(%x: vector<8xf32>) -> vector<8xf32> {
  // CHECK-NOT: {{math.exp2|f64}}
  // FMA-COUNT-7: math.fma %{{.*}} : vector<8xf32>
  // SPLIT-NOT: math.fma
  // CHECK-COUNT-2: arith.bitcast %{{.*}} : vector<8xi32> to vector<8xf32>
  // CHECK-NOT: {{math.exp2|f64}}
  // CHECK: return
  %r = math.exp2 %x : vector<8xf32>
  return %r : vector<8xf32>
}

// CHECK-LABEL: func.func @log2
func.func @log2(%x: f32) -> f32 {
  // CHECK-NOT: math.log2
  // CHECK: arith.divf %{{.*}} : f64
  %r = math.log2 %x : f32
  return %r : f32
}

// Without a wider type: the power of two comes in two halves.
// CHECK-LABEL: func.func @exp2_f64
func.func @exp2_f64(%x: vector<8xf64>) -> vector<8xf64> {
  // CHECK-NOT: math.exp2
  // FMA: math.fma %{{.*}} : vector<8xf64>
  // CHECK-COUNT-2: arith.bitcast %{{.*}} : vector<8xi64> to vector<8xf64>
  %r = math.exp2 %x : vector<8xf64>
  return %r : vector<8xf64>
}

// CHECK-LABEL: func.func @log2_f64
func.func @log2_f64(%x: f64) -> f64 {
  // CHECK-NOT: math.log2
  // CHECK: arith.divf %{{.*}} : f64
  %r = math.log2 %x : f64
  return %r : f64
}

// The program has no such op.
// CHECK-LABEL: func.func @f16
func.func @f16(%x: f16) -> f16 {
  // CHECK: math.exp2 %{{.*}} : f16
  %r = math.exp2 %x : f16
  return %r : f16
}

// CHECK-LABEL: func.func @fused
func.func @fused(%x: vector<4xf32>, %y: f32) -> (vector<4xf32>, f32) {
  // FMA-NOT: vector.fma
  // FMA: math.fma {{.*}} : vector<4xf32>
  // FMA: math.fma {{.*}} : f32
  // SPLIT: arith.mulf {{.*}} : vector<4xf32>
  // SPLIT: arith.addf {{.*}} : vector<4xf32>
  // SPLIT: arith.mulf {{.*}} : f32
  // SPLIT: arith.addf {{.*}} : f32
  %0 = vector.fma %x, %x, %x : vector<4xf32>
  %1 = math.fma %y, %y, %y : f32
  return %0, %1 : vector<4xf32>, f32
}

// -----

// The table is one constant of the module, read only when an argument is large.
// CHECK: memref.global "private" constant @tiny_two_over_pi : memref<315xf64>
// CHECK-NOT: memref.global
// CHECK-LABEL: func.func @sin
func.func @sin(%x: vector<8xf32>, %y: f32) -> (vector<8xf32>, f32) {
  // CHECK: %[[ANY:.*]] = vector.reduction <or>
  // CHECK: scf.if %[[ANY]]
  // CHECK: vector.gather
  %0 = math.sin %x : vector<8xf32>
  // CHECK: scf.if
  // CHECK: memref.load
  %1 = math.sin %y : f32
  return %0, %1 : vector<8xf32>, f32
}

// CHECK-LABEL: func.func @flattened
func.func @flattened(%x: vector<2x4xf32>) -> vector<2x4xf32> {
  // CHECK: vector.shape_cast %{{.*}} : vector<2x4xf32> to vector<8xf32>
  // CHECK: vector.shape_cast %{{.*}} : vector<8xf32> to vector<2x4xf32>
  %0 = math.sin %x : vector<2x4xf32>
  return %0 : vector<2x4xf32>
}

// -----

// In f64 the table is of integers.
// CHECK: memref.global "private" constant @tiny_two_over_pi_bits : memref<20xi64>
// CHECK-LABEL: func.func @sin_f64
func.func @sin_f64(%x: vector<4xf64>) -> vector<4xf64> {
  // CHECK: %[[ANY:.*]] = vector.reduction <or>
  // CHECK: scf.if %[[ANY]]
  // CHECK: vector.gather
  // CHECK: arith.mului_extended %{{.*}} : vector<4xi64>
  // CHECK-NOT: math.sin
  %0 = math.sin %x : vector<4xf64>
  return %0 : vector<4xf64>
}

// -----

// NATIVE-LABEL: func.func @native
// NATIVE: math.exp2 %{{.*}} : f32
// NATIVE: math.log2 %{{.*}} : f32
// NATIVE-NOT: math.sin
// NATIVE-NOT: f64
// NATIVE: math.fma %{{.*}} : f32
// NATIVE: scf.if
// NATIVE: math.ctlz %{{.*}} : i64
func.func @native(%x: f32) -> f32 {
  %0 = math.exp2 %x : f32
  %1 = math.log2 %0 : f32
  %2 = math.sin %1 : f32
  return %2 : f32
}
