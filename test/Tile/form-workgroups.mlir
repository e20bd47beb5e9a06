// RUN: tiny-opt %s --tiny-tile-form-workgroups --split-input-file --verify-diagnostics | FileCheck %s

// The reduction and its initialisation move into the loop with the epilogue; the accumulator has the
// size of a workgroup.
// CHECK-LABEL: func.func private @matmul
// CHECK:         %[[ZERO:.*]] = arith.constant 0.0
// CHECK-NOT:     linalg
// CHECK:         %[[O:.*]] = scf.forall (%{{.*}}, %{{.*}}) = (0, 0) to (8, 16) step (2, 8) shared_outs
// CHECK:           %[[E:.*]] = tensor.empty() : tensor<2x8xf32>
// CHECK:           %[[I:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%[[E]] : tensor<2x8xf32>)
// CHECK:           %[[R:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]
// CHECK-SAME:        outs(%[[I]] : tensor<2x8xf32>)
// CHECK:           linalg.generic
// CHECK-SAME:        ins(%[[R]] : tensor<2x8xf32>)
// CHECK:           tensor.parallel_insert_slice
// CHECK:         return %[[O]]
func.func private @matmul(%x: tensor<8x4xf32>, %y: tensor<4x16xf32>, %out: tensor<8x16xf32>) -> tensor<8x16xf32>
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [2, 8], vector = 1 by 8, unroll = [2, 1, 1], order = [0, 1, 2]>]} {
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
  %o = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<8x16xf32>) outs(%out : tensor<8x16xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<8x16xf32>
  return %o : tensor<8x16xf32>
}

// -----

// A read's indices become those of the whole kernel; one workgroup needs no loop.
// CHECK:       #[[$MAP:.*]] = affine_map<(d0)[s0] -> (d0 + s0)>
// CHECK-LABEL: func.func private @pad
// CHECK:         scf.forall (%[[I:.*]]) = (0) to (12) step (4)
// CHECK:           %[[L:.*]] = linalg.index 0
// CHECK:           %[[G:.*]] = affine.apply #[[$MAP]](%[[I]])[%[[L]]]
// CHECK:           tiny.read %{{.*}}[%[[G]]]
// CHECK-LABEL: func.func private @whole
// CHECK-NOT:     scf.forall
func.func private @pad(%x: tensor<8xf32>, %out: tensor<12xf32>) -> tensor<12xf32>
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [4], vector = 0 by 4, unroll = [1], order = [0]>]} {
  %o = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%out : tensor<12xf32>) {
  ^bb0(%q: f32):
    %i = linalg.index 0 : index
    %v = tiny.read %x[%i] affine_map<(i) -> (i - 2)> where affine_map<(i) -> (i)> in [2] to [10] else [0.0 : f32] : tensor<8xf32> -> f32
    linalg.yield %v : f32
  } -> tensor<12xf32>
  return %o : tensor<12xf32>
}

func.func private @whole(%x: tensor<4xf32>, %out: tensor<4xf32>) -> tensor<4xf32>
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [4], vector = 0 by 4, unroll = [1], order = [0]>]} {
  %o = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%out : tensor<4xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<4xf32>
  return %o : tensor<4xf32>
}

// -----

func.func private @uneven(%x: tensor<4xf32>, %out: tensor<4xf32>) -> tensor<4xf32>
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [3], vector = 0 by 4, unroll = [1], order = [0]>]} {
  // expected-error @below {{has a loop of size 4, which 3 in}}
  %o = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%out : tensor<4xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<4xf32>
  return %o : tensor<4xf32>
}
