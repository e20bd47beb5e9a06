// RUN: tiny-opt %s --tiny-codegen-expand-math --split-input-file | FileCheck %s --check-prefixes=CHECK,SPLIT
// RUN: tiny-opt %s --tiny-codegen-expand-math=native-fma --split-input-file | FileCheck %s --check-prefixes=CHECK,FMA
// RUN: tiny-opt %s --tiny-codegen-expand-math="native-fma native-f32" --split-input-file | FileCheck %s --check-prefix=NATIVE
// RUN: tiny-opt %s --tiny-codegen-expand-math="native-fma native-scaling" --split-input-file | FileCheck %s --check-prefix=SCALE
// The values are proved by execution: test/unit/Compiler/MathTest.cpp.

// CHECK-LABEL: func.func @exp2
// SCALE-LABEL: func.func @exp2
func.func @exp2(%x: vector<8xf32>) -> vector<8xf32> {
  // SCALE: llvm.call_intrinsic "llvm.x86.avx512.mask.reduce.ps.256"(%arg0
  // SCALE-COUNT-6: math.fma
  // SCALE-NOT: math.fma
  // SCALE: %[[N:.*]] = math.roundeven %arg0
  // SCALE: %[[Y:.*]] = llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.256"(%{{.*}}, %[[N]]
  // SCALE-NEXT: return %[[Y]]
  // CHECK-NOT: {{math.exp2|f64}}
  // FMA-COUNT-6: math.fma %{{.*}} : vector<8xf32>
  // FMA-NOT: math.fma
  // SPLIT-NOT: math.fma
  // CHECK-COUNT-2: arith.bitcast %{{.*}} : vector<8xi32> to vector<8xf32>
  // CHECK-NOT: {{math.exp2|f64}}
  // CHECK: return
  %r = math.exp2 %x : vector<8xf32>
  return %r : vector<8xf32>
}

// What Composer::exp makes of exp is one function: a product for the integer part, two for the rest
// of the argument, six for the polynomial. The minimum and its product are gone with the rest.
// CHECK-LABEL: func.func @exp(
// NATIVE-LABEL: func.func @exp(
// SCALE-LABEL: func.func @exp(
func.func @exp(%x: vector<8xf32>) -> vector<8xf32> {
  // CHECK-NOT: math.exp2
  // FMA: arith.cmpf ogt, %{{.*}}
  // FMA: arith.cmpf olt
  // FMA-COUNT-9: math.fma
  // FMA-NOT: math.fma
  // FMA: %[[P:.*]] = arith.mulf
  // FMA: %[[Q:.*]] = arith.mulf %[[P]]
  // FMA: return %[[Q]]
  // SPLIT-NOT: math.fma
  // NATIVE: math.exp2
  // SCALE: %[[N:.*]] = math.roundeven
  // SCALE-COUNT-8: math.fma
  // SCALE-NOT: math.fma
  // SCALE: %[[Y:.*]] = llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.256"(%{{.*}}, %[[N]]
  // SCALE-NEXT: return %[[Y]]
  %least = arith.constant dense<-1.040000e+02> : vector<8xf32>
  %log2e = arith.constant dense<1.44269502> : vector<8xf32>
  %most = arith.constant dense<127.996094> : vector<8xf32>
  %rounder = arith.constant dense<4.915200e+04> : vector<8xf32>
  %back = arith.constant dense<-4.915200e+04> : vector<8xf32>
  %high = arith.constant dense<-0.69140625> : vector<8xf32>
  %low = arith.constant dense<-0.0017409306> : vector<8xf32>
  %half = arith.constant dense<0.5> : vector<8xf32>
  %one = arith.constant dense<1.0> : vector<8xf32>
  %0 = arith.maximumf %x, %least : vector<8xf32>
  %1 = arith.mulf %0, %log2e : vector<8xf32>
  %2 = arith.cmpf olt, %most, %1 : vector<8xf32>
  %3 = arith.select %2, %most, %1 : vector<8xi1>, vector<8xf32>
  %4 = arith.addf %3, %rounder : vector<8xf32>
  %5 = arith.addf %4, %back : vector<8xf32>
  %6 = math.exp2 %5 : vector<8xf32>
  %7 = arith.mulf %5, %high : vector<8xf32>
  %8 = arith.addf %0, %7 : vector<8xf32>
  %9 = arith.mulf %5, %low : vector<8xf32>
  %10 = arith.addf %8, %9 : vector<8xf32>
  %11 = arith.mulf %10, %half : vector<8xf32>
  %12 = arith.addf %11, %one : vector<8xf32>
  %13 = arith.mulf %10, %12 : vector<8xf32>
  %14 = arith.mulf %6, %13 : vector<8xf32>
  %15 = arith.addf %6, %14 : vector<8xf32>
  return %15 : vector<8xf32>
}

// With another constant it is something else.
// CHECK-LABEL: func.func @almost_exp
func.func @almost_exp(%x: vector<8xf32>) -> vector<8xf32> {
  // FMA-COUNT-6: math.fma
  // FMA-NOT: math.fma
  // CHECK: return
  %least = arith.constant dense<-1.040000e+02> : vector<8xf32>
  %log2e = arith.constant dense<1.44269502> : vector<8xf32>
  %most = arith.constant dense<127.996094> : vector<8xf32>
  %rounder = arith.constant dense<4.915200e+04> : vector<8xf32>
  %back = arith.constant dense<-4.915200e+04> : vector<8xf32>
  %high = arith.constant dense<-0.69140625> : vector<8xf32>
  %low = arith.constant dense<-0.0017409306> : vector<8xf32>
  %half = arith.constant dense<0.25> : vector<8xf32>
  %one = arith.constant dense<1.0> : vector<8xf32>
  %0 = arith.maximumf %x, %least : vector<8xf32>
  %1 = arith.mulf %0, %log2e : vector<8xf32>
  %2 = arith.cmpf olt, %most, %1 : vector<8xf32>
  %3 = arith.select %2, %most, %1 : vector<8xi1>, vector<8xf32>
  %4 = arith.addf %3, %rounder : vector<8xf32>
  %5 = arith.addf %4, %back : vector<8xf32>
  %6 = math.exp2 %5 : vector<8xf32>
  %7 = arith.mulf %5, %high : vector<8xf32>
  %8 = arith.addf %0, %7 : vector<8xf32>
  %9 = arith.mulf %5, %low : vector<8xf32>
  %10 = arith.addf %8, %9 : vector<8xf32>
  %11 = arith.mulf %10, %half : vector<8xf32>
  %12 = arith.addf %11, %one : vector<8xf32>
  %13 = arith.mulf %10, %12 : vector<8xf32>
  %14 = arith.mulf %6, %13 : vector<8xf32>
  %15 = arith.addf %6, %14 : vector<8xf32>
  return %15 : vector<8xf32>
}

// Whoever else reads the power still has it.
// CHECK-LABEL: func.func @exp_and_power
func.func @exp_and_power(%x: vector<8xf32>) -> (vector<8xf32>, vector<8xf32>) {
  // FMA-COUNT-15: math.fma
  // FMA-NOT: math.fma
  // CHECK: return
  %least = arith.constant dense<-1.040000e+02> : vector<8xf32>
  %log2e = arith.constant dense<1.44269502> : vector<8xf32>
  %most = arith.constant dense<127.996094> : vector<8xf32>
  %rounder = arith.constant dense<4.915200e+04> : vector<8xf32>
  %back = arith.constant dense<-4.915200e+04> : vector<8xf32>
  %high = arith.constant dense<-0.69140625> : vector<8xf32>
  %low = arith.constant dense<-0.0017409306> : vector<8xf32>
  %half = arith.constant dense<0.5> : vector<8xf32>
  %one = arith.constant dense<1.0> : vector<8xf32>
  %0 = arith.maximumf %x, %least : vector<8xf32>
  %1 = arith.mulf %0, %log2e : vector<8xf32>
  %2 = arith.cmpf olt, %most, %1 : vector<8xf32>
  %3 = arith.select %2, %most, %1 : vector<8xi1>, vector<8xf32>
  %4 = arith.addf %3, %rounder : vector<8xf32>
  %5 = arith.addf %4, %back : vector<8xf32>
  %6 = math.exp2 %5 : vector<8xf32>
  %7 = arith.mulf %5, %high : vector<8xf32>
  %8 = arith.addf %0, %7 : vector<8xf32>
  %9 = arith.mulf %5, %low : vector<8xf32>
  %10 = arith.addf %8, %9 : vector<8xf32>
  %11 = arith.mulf %10, %half : vector<8xf32>
  %12 = arith.addf %11, %one : vector<8xf32>
  %13 = arith.mulf %10, %12 : vector<8xf32>
  %14 = arith.mulf %6, %13 : vector<8xf32>
  %15 = arith.addf %6, %14 : vector<8xf32>
  return %6, %15 : vector<8xf32>, vector<8xf32>
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

// -----

// Sixteen lanes have a rounding mode too; a scalar has no such instructions.
// SCALE-LABEL: func.func @exp2_of_lanes
func.func @exp2_of_lanes(%x: vector<2x8xf32>, %y: f32) -> (vector<2x8xf32>, f32) {
  // SCALE: "llvm.x86.avx512.mask.reduce.ps.512"({{.*}}) : (vector<16xf32>, i32, vector<16xf32>, i16, i32) -> vector<16xf32>
  // SCALE: "llvm.x86.avx512.mask.scalef.ps.512"({{.*}}) : (vector<16xf32>, vector<16xf32>, vector<16xf32>, i16, i32) -> vector<16xf32>
  // SCALE-COUNT-2: arith.bitcast %{{.*}} : i32 to f32
  %0 = math.exp2 %x : vector<2x8xf32>
  %1 = math.exp2 %y : f32
  return %0, %1 : vector<2x8xf32>, f32
}

// -----

// What Composer::roundEven makes of a rounding is one instruction, where there is one.
// FMA-LABEL: func.func @round(
// SPLIT-LABEL: func.func @round(
// NATIVE-LABEL: func.func @round(
func.func @round(%x: vector<8xf32>) -> vector<8xf32> {
  // FMA-NEXT: %[[R:.*]] = math.roundeven %{{.*}} : vector<8xf32>
  // FMA-NEXT: return %[[R]]
  // NATIVE-NEXT: math.roundeven
  // NATIVE-NEXT: return
  // SPLIT-NOT: roundeven
  %zero = arith.constant dense<0.0> : vector<8xf32>
  %minus = arith.constant dense<-1.0> : vector<8xf32>
  %up = arith.constant dense<8388608.0> : vector<8xf32>
  %down = arith.constant dense<-8388608.0> : vector<8xf32>
  %0 = arith.cmpf olt, %x, %zero : vector<8xf32>
  %1 = arith.mulf %x, %minus : vector<8xf32>
  %2 = arith.maximumf %x, %1 : vector<8xf32>
  %3 = arith.cmpf olt, %2, %up : vector<8xf32>
  %4 = arith.addf %2, %up : vector<8xf32>
  %5 = arith.addf %4, %down : vector<8xf32>
  %6 = arith.select %3, %5, %2 : vector<8xi1>, vector<8xf32>
  %7 = arith.mulf %6, %minus : vector<8xf32>
  %8 = arith.cmpf olt, %zero, %x : vector<8xf32>
  %9 = arith.select %8, %6, %x : vector<8xi1>, vector<8xf32>
  %10 = arith.select %0, %7, %9 : vector<8xi1>, vector<8xf32>
  return %10 : vector<8xf32>
}

// -----

// Another number than 2^23 rounds to something else, and so does what is no magnitude.
// FMA-LABEL: func.func @almost_round(
func.func @almost_round(%x: f32, %y: f32) -> (f32, f32) {
  // FMA-NOT: roundeven
  // FMA: return
  %zero = arith.constant 0.0 : f32
  %minus = arith.constant -1.0 : f32
  %up = arith.constant 4194304.0 : f32
  %down = arith.constant -4194304.0 : f32
  %right = arith.constant 8388608.0 : f32
  %back = arith.constant -8388608.0 : f32
  %0 = arith.cmpf olt, %x, %zero : f32
  %1 = arith.mulf %x, %minus : f32
  %2 = arith.maximumf %x, %1 : f32
  %3 = arith.cmpf olt, %2, %up : f32
  %4 = arith.addf %2, %up : f32
  %5 = arith.addf %4, %down : f32
  %6 = arith.select %3, %5, %2 : f32
  %7 = arith.mulf %6, %minus : f32
  %8 = arith.cmpf olt, %zero, %x : f32
  %9 = arith.select %8, %6, %x : f32
  %10 = arith.select %0, %7, %9 : f32
  // Of y, not of its magnitude.
  %13 = arith.cmpf olt, %y, %right : f32
  %14 = arith.addf %y, %right : f32
  %15 = arith.addf %14, %back : f32
  %16 = arith.select %13, %15, %y : f32
  %17 = arith.mulf %16, %minus : f32
  %18 = arith.cmpf olt, %zero, %y : f32
  %19 = arith.select %18, %16, %y : f32
  %20 = arith.cmpf olt, %y, %zero : f32
  %21 = arith.select %20, %17, %19 : f32
  return %10, %21 : f32, f32
}
