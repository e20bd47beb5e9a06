// RUN: tiny-opt %s --tiny-codegen-partition-kernels=parts=2 --split-input-file --verify-diagnostics | FileCheck %s

// The largest kernel has a module to itself; the host function is gone.
// CHECK-NOT: @main
// CHECK: module @part_0
// CHECK-NEXT: memref.global "private" constant @table
// CHECK-NEXT: func.func private @large
// CHECK-NOT: func.func
// CHECK: module @part_1
// CHECK-NOT: memref.global
// CHECK: func.func private @small
// CHECK: func.func private @also_small
func.func @main() {
  return
}
memref.global "private" constant @table : memref<2xf32> = dense<[1.0, 2.0]>
func.func private @small(%x: index, %y: index, %z: index) attributes {tiny.kernel} {
  return
}
func.func private @large(%out: memref<2xf32>, %x: index, %y: index, %z: index) attributes {tiny.kernel} {
  %t = memref.get_global @table : memref<2xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.load %t[%c0] : memref<2xf32>
  memref.store %a, %out[%c1] : memref<2xf32>
  return
}
func.func private @also_small(%x: index, %y: index, %z: index) attributes {tiny.kernel} {
  return
}

// -----

// No more modules than kernels.
// CHECK: module @part_0
// CHECK: @only
// CHECK-NOT: @part_1
func.func private @only(%x: index, %y: index, %z: index) attributes {tiny.kernel} {
  return
}

// -----

memref.global "private" @state : memref<2xf32> = dense<0.0>
func.func private @k(%x: index, %y: index, %z: index) attributes {tiny.kernel} {
  // expected-error @+1 {{a kernel may use constants of its module only, and @state is none}}
  %t = memref.get_global @state : memref<2xf32>
  return
}
