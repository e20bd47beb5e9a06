// RUN: tiny-opt %s --tiny-tile-select-tiling-cpu --split-input-file | FileCheck %s
// RUN: tiny-opt %s --tiny-tile-select-tiling-cpu="vector-bits=512 num-vector-registers=32" --split-input-file | FileCheck %s --check-prefix=WIDE
// RUN: tiny-opt %s --tiny-tile-select-tiling-cpu="vector-bits=512 num-vector-registers=32 halves-vectors" --split-input-file | FileCheck %s --check-prefix=HALVES

#k = affine_map<(n, k) -> (k)>
#kn = affine_map<(n, k) -> (k, n)>
#n = affine_map<(n, k) -> (n)>
#id = affine_map<(n) -> (n)>

// A product of a vector and a matrix reads the matrix where it lies: eight rows at a time, four vectors of each.
// CHECK-LABEL: func.func private @vector_matrix
// CHECK-SAME:    depth = 8 : i64, lanes = 8 : i64, packed = array<i64: 0, 0>, registers = array<i64: 1, 4>
// WIDE-LABEL:  func.func private @vector_matrix
// WIDE-SAME:     depth = 8 : i64, lanes = 16 : i64, packed = array<i64: 0, 0>, registers = array<i64: 1, 4>
func.func private @vector_matrix(%x: tensor<4096xf32>, %y: tensor<4096x4096xf32>, %out: tensor<4096xf32>) -> tensor<4096xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4096xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4096xf32>) -> tensor<4096xf32>
  %r = linalg.generic {indexing_maps = [#k, #kn, #n], iterator_types = ["parallel", "reduction"]}
      ins(%x, %y : tensor<4096xf32>, tensor<4096x4096xf32>) outs(%i : tensor<4096xf32>) {
  ^bb0(%p: f32, %q: f32, %acc: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %acc, %m : f32
    linalg.yield %s : f32
  } -> tensor<4096xf32>
  %o = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%r : tensor<4096xf32>) outs(%out : tensor<4096xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<4096xf32>
  return %o : tensor<4096xf32>
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// Few rows: packing columns for them pays where multiplying what comes in short runs from beyond the
// caches would wait. Where products take twice as long, that hides behind them.
// WIDE-LABEL:   func.func private @few_rows
// WIDE-SAME:      packed = array<i64: 0, 1>
// HALVES-LABEL: func.func private @few_rows
// HALVES-SAME:    tiny.tiling = [#tiny.tiling<
func.func private @few_rows(%x: tensor<19x1105xf32>, %y: tensor<1105x694xf32>, %out: tensor<19x694xf32>) -> tensor<19x694xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<19x694xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<19x694xf32>) -> tensor<19x694xf32>
  %r = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<19x1105xf32>, tensor<1105x694xf32>) outs(%i : tensor<19x694xf32>) {
  ^bb0(%p: f32, %q: f32, %acc: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %acc, %m : f32
    linalg.yield %s : f32
  } -> tensor<19x694xf32>
  %o = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<19x694xf32>) outs(%out : tensor<19x694xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<19x694xf32>
  return %o : tensor<19x694xf32>
}
