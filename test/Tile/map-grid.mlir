// RUN: tiny-opt %s --tiny-tile-map-grid --split-input-file | FileCheck %s

// The last loop is x; a kernel without a loop is one workgroup. Every launch gets the grid.
// CHECK-DAG:   #[[$X:.*]] = affine_map<(d0) -> (d0 * 4)>
// CHECK-DAG:   #[[$Y:.*]] = affine_map<(d0) -> (d0 * 2)>
// CHECK-LABEL: func.func @main
// CHECK:         tiny.launch @two(%arg0) {grid = array<i64: 3, 4, 1>}
// CHECK:         tiny.launch @two(%{{.*}}) {grid = array<i64: 3, 4, 1>}
// CHECK:         tiny.launch @none(%{{.*}}) {grid = array<i64: 1, 1, 1>}
// CHECK-LABEL: func.func private @two
// CHECK-SAME:    %[[X:[^:]*]]: index, %[[Y:[^:]*]]: index, %{{[^:]*}}: index)
// CHECK-NOT:     scf.forall
// CHECK-DAG:     %[[J:.*]] = affine.apply #[[$X]](%[[X]])
// CHECK-DAG:     %[[I:.*]] = affine.apply #[[$Y]](%[[Y]])
// CHECK:         memref.store %{{.*}}, %{{.*}}[%[[I]], %[[J]]]
// CHECK-NEXT:    return
func.func @main(%x: tensor<8x12xf32>) -> tensor<8x12xf32> {
  %0 = tiny.launch @two(%x) : (tensor<8x12xf32>) -> tensor<8x12xf32>
  %1 = tiny.launch @two(%0) : (tensor<8x12xf32>) -> tensor<8x12xf32>
  %2 = tiny.launch @none(%1) : (tensor<8x12xf32>) -> tensor<8x12xf32>
  return %2 : tensor<8x12xf32>
}
func.func private @two(%x: memref<8x12xf32>, %out: memref<8x12xf32>) attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  scf.forall (%i, %j) = (0, 0) to (8, 12) step (2, 4) {
    memref.store %zero, %out[%i, %j] : memref<8x12xf32>
  }
  return
}
func.func private @none(%x: memref<8x12xf32>, %out: memref<8x12xf32>) attributes {tiny.kernel} {
  return
}

// -----

// Loops beyond three share z.
// CHECK-DAG:   #[[$OUTER:.*]] = affine_map<(d0) -> (d0 floordiv 3)>
// CHECK-DAG:   #[[$INNER:.*]] = affine_map<(d0) -> (d0 mod 3)>
// CHECK-LABEL: func.func @main
// CHECK:         grid = array<i64: 5, 4, 6>
// CHECK-LABEL: func.func private @four
// CHECK-SAME:    index, %{{[^:]*}}: index, %[[Z:[^:]*]]: index)
// CHECK-DAG:     affine.apply #[[$OUTER]](%[[Z]])
// CHECK-DAG:     affine.apply #[[$INNER]](%[[Z]])
func.func @main(%x: tensor<2x3x4x5xf32>) -> tensor<2x3x4x5xf32> {
  %0 = tiny.launch @four(%x) : (tensor<2x3x4x5xf32>) -> tensor<2x3x4x5xf32>
  return %0 : tensor<2x3x4x5xf32>
}
func.func private @four(%x: memref<2x3x4x5xf32>, %out: memref<2x3x4x5xf32>) attributes {tiny.kernel} {
  scf.forall (%i, %j, %k, %l) in (2, 3, 4, 5) {
    %v = memref.load %x[%i, %j, %k, %l] : memref<2x3x4x5xf32>
    memref.store %v, %out[%i, %j, %k, %l] : memref<2x3x4x5xf32>
  }
  return
}

// -----

// Loops side by side: x counts through one after the other, and what is in none of them is one more
// workgroup. Their locals are on the stack before any branch.
// CHECK-DAG:   #[[$SECOND:.*]] = affine_map<(d0) -> (d0 - 3)>
// CHECK-DAG:   #[[$LAST:.*]] = affine_map<(d0) -> (d0 - 11)>
// CHECK-DAG:   #[[$ROW:.*]] = affine_map<(d0) -> (d0 floordiv 4)>
// CHECK-DAG:   #[[$COLUMN:.*]] = affine_map<(d0) -> ((d0 mod 4) * 2)>
// CHECK-LABEL: func.func @main
// CHECK:         grid = array<i64: 12, 1, 1>
// CHECK-LABEL: func.func private @beside
// CHECK-SAME:    %[[OUT:.*]]: memref<8xf32>, %[[X:[^:]*]]: index, %{{[^:]*}}: index, %{{[^:]*}}: index)
// CHECK-NEXT:    memref.alloca()
// CHECK:         %[[C3:.*]] = arith.constant 3 : index
// CHECK:         arith.cmpi ult, %{{.*}}, %[[C3]]
// CHECK-NEXT:    scf.if
// CHECK:         %[[Y:.*]] = affine.apply #[[$SECOND]](%[[X]])
// CHECK:         arith.cmpi ult, %[[Y]]
// CHECK-NEXT:    scf.if
// CHECK-DAG:       affine.apply #[[$ROW]](%[[Y]])
// CHECK-DAG:       affine.apply #[[$COLUMN]](%[[Y]])
// CHECK:         affine.apply #[[$LAST]](%[[X]])
// CHECK:         scf.if
// CHECK-NEXT:      memref.load
// CHECK-NEXT:      memref.store
// CHECK-NEXT:    }
// CHECK-NEXT:    return
func.func @main(%x: tensor<8x12xf32>) -> tensor<8xf32> {
  %0 = tiny.launch @beside(%x) : (tensor<8x12xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
func.func private @beside(%x: memref<8x12xf32>, %out: memref<8xf32>) attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  scf.forall (%i) = (0) to (6) step (2) {
    %local = memref.alloca() : memref<4xf32>
    memref.store %zero, %local[%c0] : memref<4xf32>
  }
  %v = memref.load %x[%c0, %c0] : memref<8x12xf32>
  scf.forall (%i, %j) = (0, 0) to (2, 8) step (1, 2) {
    memref.store %zero, %out[%j] : memref<8xf32>
  }
  memref.store %v, %out[%c0] : memref<8xf32>
  return
}
