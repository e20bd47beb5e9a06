// RUN: tiny-opt %s --tiny-codegen-lower-to-llvm --canonicalize | FileCheck %s

// Buffers are bare pointers; nothing of a descriptor is left.
// CHECK-LABEL: llvm.func @load(
// CHECK-SAME: %[[A:.*]]: !llvm.ptr, %[[I:.*]]: i64) -> f32
// CHECK-NEXT: %[[P:.*]] = llvm.getelementptr {{.*}}%[[A]][%[[I]]] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK-NEXT: %[[V:.*]] = llvm.load %[[P]] : !llvm.ptr -> f32
// CHECK-NEXT: llvm.return %[[V]] : f32
func.func private @load(%a: memref<256xf32>, %i: index) -> f32 {
  %v = memref.load %a[%i] : memref<256xf32>
  return %v : f32
}

// All dialects in one conversion, blocks included.
// CHECK-LABEL: llvm.func @sum(
// CHECK-SAME: %[[A:.*]]: !llvm.ptr
// CHECK: llvm.br ^[[LOOP:.*]](
// CHECK: ^[[LOOP]](%[[N:.*]]: i64, %[[S:.*]]: vector<8xf32>):
// CHECK: llvm.cond_br
// CHECK: llvm.load {{.*}} : !llvm.ptr -> vector<8xf32>
// CHECK: llvm.intr.fma
// CHECK: llvm.store {{.*}} : vector<8xf32>, !llvm.ptr
// CHECK-NOT: unrealized_conversion_cast
func.func private @sum(%a: memref<64xf32>, %b: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant dense<0.0> : vector<8xf32>
  cf.br ^loop(%c0, %zero : index, vector<8xf32>)
^loop(%i: index, %s: vector<8xf32>):
  %more = arith.cmpi slt, %i, %c64 : index
  cf.cond_br %more, ^body, ^end
^body:
  %v = vector.load %a[%i] : memref<64xf32>, vector<8xf32>
  %t = math.fma %v, %v, %s : vector<8xf32>
  %n = arith.addi %i, %c8 : index
  cf.br ^loop(%n, %t : index, vector<8xf32>)
^end:
  vector.store %s, %b[%c0] : memref<8xf32>, vector<8xf32>
  return
}
