// RUN: tiny-opt %s --tiny-tile-lower-to-affine --split-input-file | FileCheck %s

// The loops of one nest that are parallel are one op; the accumulator is carried, and the epilogue is
// behind the loop that carries it.
// CHECK-LABEL: func.func private @matmul_bias_relu
// CHECK-SAME:    (%[[X:[^:]*]]: memref<8x4xf32>, %[[Y:[^:]*]]: memref<4x16xf32>, %[[B:[^:]*]]: memref<16xf32>, %[[OUT:[^:]*]]: memref<8x16xf32>)
// CHECK:         %[[ZERO:.*]] = arith.constant 0.0
// CHECK-NOT:     memref.alloc
// CHECK:         affine.parallel (%[[M:.*]], %[[N:.*]]) = (0, 0) to (8, 16) {
// CHECK-NEXT:      %[[SUM:.*]] = affine.for %[[K:.*]] = 0 to 4 iter_args(%[[ACC:.*]] = %[[ZERO]]) -> (f32) {
// CHECK-DAG:         %[[P:.*]] = affine.load %[[X]][%[[M]], %[[K]]]
// CHECK-DAG:         %[[Q:.*]] = affine.load %[[Y]][%[[K]], %[[N]]]
// CHECK:             %[[PQ:.*]] = arith.mulf %[[P]], %[[Q]]
// CHECK:             %[[S:.*]] = arith.addf %[[ACC]], %[[PQ]]
// CHECK:             affine.yield %[[S]]
// CHECK:           %[[BIAS:.*]] = affine.load %[[B]][%[[N]]]
// CHECK:           %[[SHIFTED:.*]] = arith.addf %[[SUM]], %[[BIAS]]
// CHECK:           %[[R:.*]] = arith.maximumf %[[SHIFTED]], %[[ZERO]]
// CHECK:           affine.store %[[R]], %[[OUT]][%[[M]], %[[N]]]
// CHECK:         return
func.func private @matmul_bias_relu(%x: tensor<8x4xf32>, %y: tensor<4x16xf32>, %b: tensor<16xf32>, %out: tensor<8x16xf32>)
    -> tensor<8x16xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x16xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<8x4xf32>, tensor<4x16xf32>) outs(%i : tensor<8x16xf32>) {
  ^bb0(%p: f32, %q: f32, %acc: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %acc, %m : f32
    linalg.yield %s : f32
  } -> tensor<8x16xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%r, %b : tensor<8x16xf32>, tensor<16xf32>) outs(%out : tensor<8x16xf32>) {
  ^bb0(%p: f32, %q: f32, %old: f32):
    %s = arith.addf %p, %q : f32
    %m = arith.maximumf %s, %zero : f32
    linalg.yield %m : f32
  } -> tensor<8x16xf32>
  return %o : tensor<8x16xf32>
}

// -----

// Guards with one pad value are one test, without those that the ranges settle: 0 <= i < 8.
// CHECK-DAG:   #[[$IN:.*]] = affine_set<(d0, d1) : (d0 + d1 - 1 >= 0, -(d0 + d1) + 8 >= 0)>
// CHECK-LABEL: func.func private @padded_convolution
// CHECK-SAME:    (%[[X:[^:]*]]: memref<8xf32>, %[[W:[^:]*]]: memref<3xf32>
// CHECK:         affine.parallel (%[[I:.*]]) = (0) to (8)
// CHECK:           affine.for %[[K:.*]] = 0 to 3 iter_args
// CHECK:             %[[V:.*]] = affine.if #[[$IN]](%[[I]], %[[K]]) -> f32 {
// CHECK-NEXT:          %[[E:.*]] = affine.load %[[X]][%[[I]] + %[[K]] - 1]
// CHECK-NEXT:          affine.yield %[[E]]
// CHECK-NEXT:        } else {
// CHECK-NEXT:          affine.yield %{{.*}} : f32
// CHECK:             arith.mulf %[[V]], %{{.*}}
func.func private @padded_convolution(%x: tensor<8xf32>, %w: tensor<3xf32>, %out: tensor<8xf32>)
    -> tensor<8xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, k) -> (k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%w : tensor<3xf32>) outs(%i : tensor<8xf32>) {
  ^bb0(%q: f32, %acc: f32):
    %l = linalg.index 0 : index
    %k = linalg.index 1 : index
    %p = tiny.read %x[%l, %k] affine_map<(i, k) -> (i + k - 1)>
         where affine_map<(i, k) -> (i + k, i)> in [1, 0] to [9, 8] else [0.0 : f32, 0.0 : f32] : tensor<8xf32> -> f32
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %acc, %m : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%r : tensor<8xf32>) outs(%out : tensor<8xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<8xf32>
  return %o : tensor<8xf32>
}

// -----

// Operands are transposed by their maps, reads by their expressions, which may run backwards and
// divide. The first guard that fails decides: another pad value is another test, inside of it. A
// guard that one number passes is an equation.
// CHECK-DAG:   #[[$FIRST:.*]] = affine_set<(d0) : (d0 - 2 >= 0)>
// CHECK-DAG:   #[[$EVEN:.*]] = affine_set<(d0) : (d0 mod 2 == 0)>
// CHECK-LABEL: func.func private @transposed
// CHECK-SAME:    (%[[X:[^:]*]]: memref<6x4xf32>, %[[Y:[^:]*]]: memref<24xf32>
// CHECK:         affine.parallel (%[[I:.*]], %[[J:.*]]) = (0, 0) to (4, 6)
// CHECK-DAG:       affine.load %[[X]][%[[J]], %[[I]]]
// CHECK-DAG:       affine.load %[[Y]][%[[I]] * -6 - %[[J]] + 23]
// CHECK:           affine.if #[[$FIRST]](%[[J]]) -> f32 {
// CHECK-NEXT:        affine.if #[[$EVEN]](%[[J]]) -> f32 {
// CHECK-NEXT:          affine.load %[[Y]][%[[I]] + (%[[J]] floordiv 2) * 4]
// CHECK:             } else {
// CHECK-NEXT:          affine.yield %[[SEVEN:.*]] : f32
// CHECK:           } else {
// CHECK-NEXT:        affine.yield %[[FIVE:.*]] : f32
func.func private @transposed(%x: tensor<6x4xf32>, %y: tensor<24xf32>, %out: tensor<4x6xf32>)
    -> tensor<4x6xf32> attributes {tiny.kernel} {
  %o = linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<6x4xf32>) outs(%out : tensor<4x6xf32>) {
  ^bb0(%p: f32, %old: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %q = tiny.read %y[%i, %j] affine_map<(i, j) -> (i * -6 - j + 23)> where affine_map<(i, j) -> ()> in [] to [] else [] : tensor<24xf32> -> f32
    %r = tiny.read %y[%i, %j] affine_map<(i, j) -> (i + (j floordiv 2) * 4)>
         where affine_map<(i, j) -> (j, j mod 2)> in [2, 0] to [6, 1] else [5.0 : f32, 7.0 : f32] : tensor<24xf32> -> f32
    %s = arith.addf %p, %q : f32
    %t = arith.addf %s, %r : f32
    linalg.yield %t : f32
  } -> tensor<4x6xf32>
  return %o : tensor<4x6xf32>
}

// -----

// Softmax: four nests share the loop over rows. What a row has one of is a value, and the local that
// has more belongs to the row.
// CHECK-LABEL: func.func private @softmax
// CHECK-SAME:    (%[[X:[^:]*]]: memref<32x10xf32>, %[[OUT:[^:]*]]: memref<32x10xf32>)
// CHECK:         affine.parallel (%[[I:.*]]) = (0) to (32) {
// CHECK-NEXT:      %[[MAX:.*]] = affine.for %[[J:.*]] = 0 to 10 iter_args
// CHECK-NEXT:        affine.load %[[X]][%[[I]], %[[J]]]
// CHECK:           %[[E:.*]] = memref.alloca() : memref<10xf32>
// CHECK-NEXT:      affine.parallel (%[[J1:.*]]) = (0) to (10) {
// CHECK-DAG:         arith.subf %{{.*}}, %[[MAX]]
// CHECK:             affine.store %{{.*}}, %[[E]][%[[J1]]]
// CHECK:           %[[SUM:.*]] = affine.for %[[J2:.*]] = 0 to 10 iter_args
// CHECK-NEXT:        affine.load %[[E]][%[[J2]]]
// CHECK:           affine.parallel (%[[J3:.*]]) = (0) to (10) {
// CHECK-NEXT:        %[[N:.*]] = affine.load %[[E]][%[[J3]]]
// CHECK-NEXT:        %[[Q:.*]] = arith.divf %[[N]], %[[SUM]]
// CHECK-NEXT:        affine.store %[[Q]], %[[OUT]][%[[I]], %[[J3]]]
func.func private @softmax(%x: tensor<32x10xf32>, %out: tensor<32x10xf32>) -> tensor<32x10xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %me = tensor.empty() : tensor<32xf32>
  %mi = linalg.fill ins(%least : f32) outs(%me : tensor<32xf32>) -> tensor<32xf32>
  %mr = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<32x10xf32>) outs(%mi : tensor<32xf32>) {
  ^bb0(%p: f32, %acc: f32):
    %s = arith.maximumf %acc, %p : f32
    linalg.yield %s : f32
  } -> tensor<32xf32>
  %ml = tensor.empty() : tensor<32xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%mr : tensor<32xf32>) outs(%ml : tensor<32xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<32xf32>
  %el = tensor.empty() : tensor<32x10xf32>
  %e = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x, %m : tensor<32x10xf32>, tensor<32xf32>) outs(%el : tensor<32x10xf32>) {
  ^bb0(%p: f32, %q: f32, %old: f32):
    %d = arith.subf %p, %q : f32
    %v = math.exp2 %d : f32
    linalg.yield %v : f32
  } -> tensor<32x10xf32>
  %li = linalg.fill ins(%zero : f32) outs(%me : tensor<32xf32>) -> tensor<32xf32>
  %lr = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%e : tensor<32x10xf32>) outs(%li : tensor<32xf32>) {
  ^bb0(%p: f32, %acc: f32):
    %s = arith.addf %acc, %p : f32
    linalg.yield %s : f32
  } -> tensor<32xf32>
  %l = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%lr : tensor<32xf32>) outs(%ml : tensor<32xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<32xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%e, %l : tensor<32x10xf32>, tensor<32xf32>) outs(%out : tensor<32x10xf32>) {
  ^bb0(%p: f32, %q: f32, %old: f32):
    %v = arith.divf %p, %q : f32
    linalg.yield %v : f32
  } -> tensor<32x10xf32>
  return %o : tensor<32x10xf32>
}

// -----

// An index from data is no affine one: it is tested as it is, and only then computed with. The guards
// that it has nothing to do with are affine all the same.
// CHECK-DAG:   #[[$IN:.*]] = affine_set<(d0) : (-d0 + 6 >= 0)>
// CHECK-LABEL: func.func private @gather
// CHECK-SAME:    (%[[IDS:[^:]*]]: memref<3xi64>, %[[X:[^:]*]]: memref<35xf32>
// CHECK:         affine.parallel (%[[I:.*]], %[[J:.*]]) = (0, 0) to (3, 8) {
// CHECK:           %[[ID:.*]] = affine.load %[[IDS]][%[[I]]]
// CHECK:           %[[ROW:.*]] = arith.index_cast %[[ID]] : i64 to index
// CHECK-DAG:       %[[LOW:.*]] = arith.cmpi sge, %[[ROW]], %c0
// CHECK-DAG:       %[[HIGH:.*]] = arith.cmpi slt, %[[ROW]], %c5
// CHECK:           %[[HOLDS:.*]] = arith.andi %[[LOW]], %[[HIGH]]
// CHECK:           scf.if %[[HOLDS]] -> (f32) {
// CHECK:             affine.if #[[$IN]](%[[J]]) -> f32 {
// CHECK:               %[[BASE:.*]] = arith.muli %[[ROW]], %c7
// CHECK:               %[[PLACE:.*]] = arith.addi %[[J]], %[[BASE]]
// CHECK:               memref.load %[[X]][%[[PLACE]]]
// CHECK:             } else {
// CHECK:           } else {
// CHECK-NEXT:        scf.yield %{{.*}} : f32
func.func private @gather(%ids: tensor<3xi64>, %x: tensor<35xf32>, %out: tensor<3x8xf32>) -> tensor<3x8xf32> attributes {tiny.kernel} {
  %o = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%ids : tensor<3xi64>) outs(%out : tensor<3x8xf32>) {
  ^bb0(%id: i64, %old: f32):
    %row = arith.index_cast %id : i64 to index
    %j = linalg.index 1 : index
    %v = tiny.read %x[%row, %j] affine_map<(r, j) -> (r * 7 + j)>
         where affine_map<(r, j) -> (r, j)> in [0, 0] to [5, 7] else [0.0 : f32, 0.0 : f32] : tensor<35xf32> -> f32
    linalg.yield %v : f32
  } -> tensor<3x8xf32>
  return %o : tensor<3x8xf32>
}

// -----

// A part of a destination, here of fewer dims, is written in its place, and read there by a later nest. Nests side by
// side have loops of their own.
// CHECK-LABEL: func.func private @parts
// CHECK-SAME:    (%[[X:[^:]*]]: memref<4x3xf32>, %[[OUT:[^:]*]]: memref<4x2x9xf32>, %[[NEXT:[^:]*]]: memref<4x3xf32>, %[[OTHER:[^:]*]]: memref<4x3xf32>)
// CHECK:         affine.parallel (%[[I:.*]], %[[J:.*]]) = (0, 0) to (4, 3) {
// CHECK-NEXT:      %[[V:.*]] = affine.load %[[X]][%[[I]], %[[J]]]
// CHECK-NEXT:      affine.store %[[V]], %[[OUT]][%[[I]], 1, %[[J]] * 2 + 4]
// CHECK-NEXT:      %[[W:.*]] = affine.load %[[OUT]][%[[I]], 1, %[[J]] * 2 + 4]
// CHECK-NEXT:      affine.store %[[W]], %[[NEXT]][%[[I]], %[[J]]]
// CHECK-NEXT:    }
// CHECK-NEXT:    affine.parallel (%[[I:.*]], %[[J:.*]]) = (0, 0) to (4, 3) {
// CHECK-NEXT:      %[[V:.*]] = affine.load %[[X]]
// CHECK-NEXT:      affine.store %[[V]], %[[OTHER]][%[[I]], %[[J]]]
func.func private @parts(%x: tensor<4x3xf32>, %out: tensor<4x2x9xf32>, %next: tensor<4x3xf32>, %other: tensor<4x3xf32>)
    -> (tensor<4x2x9xf32>, tensor<4x3xf32>, tensor<4x3xf32>) attributes {tiny.kernel} {
  %part = tensor.extract_slice %out[0, 1, 4] [4, 1, 3] [1, 1, 2] : tensor<4x2x9xf32> to tensor<4x3xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x3xf32>) outs(%part : tensor<4x3xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<4x3xf32>
  %1 = tensor.insert_slice %0 into %out[0, 1, 4] [4, 1, 3] [1, 1, 2] : tensor<4x3xf32> into tensor<4x2x9xf32>
  %2 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<4x3xf32>) outs(%next : tensor<4x3xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<4x3xf32>
  %3 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x3xf32>) outs(%other : tensor<4x3xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<4x3xf32>
  return %1, %2, %3 : tensor<4x2x9xf32>, tensor<4x3xf32>, tensor<4x3xf32>
}
