// RUN: tiny-opt %s --tiny-to-affine | FileCheck %s
// RUN: tiny-opt %s --tiny-to-affine --tiny-tile-sequential | FileCheck %s --check-prefix=SEQUENTIAL
// RUN: tiny-opt %s --tiny-to-affine --tiny-tile-sequential --tiny-codegen-cpu | FileCheck %s --check-prefix=CODE

// From ops to loops: launches stay launches, without a grid.
// CHECK-LABEL: func.func @main
// CHECK:         %[[E:.*]] = tiny.launch @[[SOFTMAX:[a-z_0-9]*]](%{{.*}}) {result_slots
// CHECK:         tiny.launch @[[PADDED:[a-z_0-9]*]](%{{.*}}) {result_slots
// CHECK:       func.func private @[[SOFTMAX]](%[[X:[^:]*]]: memref<4x8xf32>, %[[OUT:[^:]*]]: memref<4x8xf32>)
// CHECK-NOT:     linalg
// CHECK-NOT:     tensor
// CHECK:         affine.parallel (%[[I:.*]]) = (0) to (4)
// CHECK:           affine.for %[[J:.*]] = 0 to 8 iter_args
// CHECK-NEXT:        affine.load %[[X]][%[[I]], %[[J]]]
// CHECK:           memref.alloca() : memref<8xf32>
// CHECK:           affine.store %{{.*}}, %[[OUT]][%[[I]], %{{.*}}]
// CHECK:       func.func private @[[PADDED]](
// CHECK:         affine.if

// One thread runs all of a workgroup, and its locals are on the stack once.
// SEQUENTIAL-LABEL: func.func @main
// SEQUENTIAL:         grid = array<i64: 1, 1, 1>
// SEQUENTIAL:       func.func private @{{.*}}: index, %{{.*}}: index, %{{.*}}: index)
// SEQUENTIAL-NOT:     scf.for
// SEQUENTIAL:         memref.alloca() : memref<8xf32>
// SEQUENTIAL:         scf.for
// SEQUENTIAL-NOT:     {{affine\.|scf\.parallel|memref\.alloca}}

// CODE-COUNT-2: llvm.func @{{.*}}(%{{.*}}: !llvm.ptr, %{{.*}}: i32, %{{.*}}: i32, %{{.*}}: i32)
func.func @main(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %m = tiny.reduce max %x dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %m1 = tiny.reshape %m : tensor<4xf32> to tensor<4x1xf32>
  %m2 = tiny.expand %m1 : tensor<4x1xf32> to tensor<4x8xf32>
  %minus = tiny.constant dense<-1.0> : tensor<4x8xf32>
  %n = tiny.mul %m2, %minus : tensor<4x8xf32>
  %d = tiny.add %x, %n : tensor<4x8xf32>
  %e = tiny.exp2 %d : tensor<4x8xf32>
  %l = tiny.reduce add %e dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %l1 = tiny.reshape %l : tensor<4xf32> to tensor<4x1xf32>
  %l2 = tiny.expand %l1 : tensor<4x1xf32> to tensor<4x8xf32>
  %s = tiny.div %e, %l2 : tensor<4x8xf32>
  %p = tiny.pad %s low [0, 1] high [0, 0] value 0.0 : f32 : tensor<4x8xf32> -> tensor<4x9xf32>
  %q = tiny.shrink %p offsets [0, 0] sizes [4, 8] : tensor<4x9xf32> -> tensor<4x8xf32>
  %r = tiny.permute %q [1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
  %t = tiny.reshape %r : tensor<8x4xf32> to tensor<4x8xf32>
  return %s, %t : tensor<4x8xf32>, tensor<4x8xf32>
}
