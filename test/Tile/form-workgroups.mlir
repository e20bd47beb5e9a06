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

// -----

// Two nests on a tile of the loop that they share: the local is as large as the tile, and computed once
// for both of its readers. The columns, over which the first nest reduces, are whole.
// CHECK-LABEL: func.func private @centre
// CHECK-NOT:     linalg
// CHECK:         %[[O:.*]]:2 = scf.forall (%[[I:.*]]) = (0) to (8) step (2) shared_outs(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}})
// CHECK:           linalg.fill {{.*}} -> tensor<2xf32>
// CHECK:           tensor.extract_slice %arg0[%[[I]], 0] [2, 16]
// CHECK:           %[[R:.*]] = linalg.generic {{.*}}"reduction"]
// CHECK:           %[[LOCAL:.*]] = tensor.empty() : tensor<2xf32>
// CHECK:           %[[M:.*]] = linalg.generic {{.*}} ins(%[[R]] : tensor<2xf32>) outs(%[[LOCAL]] : tensor<2xf32>)
// CHECK:           %[[P:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[M]] : tensor<2x16xf32>, tensor<2xf32>)
// CHECK:           %[[Q:.*]] = linalg.generic {{.*}} ins(%[[P]], %[[M]] : tensor<2x16xf32>, tensor<2xf32>)
// CHECK-NOT:       linalg.generic
// CHECK:           tensor.parallel_insert_slice %[[P]] into %[[A]][%[[I]], 0] [2, 16] [1, 1]
// CHECK:           tensor.parallel_insert_slice %[[Q]] into %[[B]][%[[I]], 0] [2, 16] [1, 1]
// CHECK-NOT:     linalg.generic
// CHECK:         return %[[O]]#0, %[[O]]#1
#rc = affine_map<(r, c) -> (r, c)>
#r = affine_map<(r, c) -> (r)>
#id = affine_map<(r) -> (r)>
#row = #tiny.tiling<grid = [2], vector = 1 by 8, unroll = [1, 1], order = [0, 1]>
#all = #tiny.tiling<grid = [2, 16], vector = 1 by 8, unroll = [1, 1], order = [0, 1]>
func.func private @centre(%x: tensor<8x16xf32>, %a: tensor<8x16xf32>, %b: tensor<8x16xf32>) -> (tensor<8x16xf32>, tensor<8x16xf32>)
    attributes {tiny.kernel, tiny.tiling = [#row, #all, #all]} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %s = linalg.generic {indexing_maps = [#rc, #r], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x16xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%p: f32, %acc: f32):
    %t = arith.addf %acc, %p : f32
    linalg.yield %t : f32
  } -> tensor<8xf32>
  %m = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%s : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<8xf32>
  %u = linalg.generic {indexing_maps = [#rc, #r, #rc], iterator_types = ["parallel", "parallel"]}
      ins(%x, %m : tensor<8x16xf32>, tensor<8xf32>) outs(%a : tensor<8x16xf32>) {
  ^bb0(%p: f32, %q: f32, %old: f32):
    %t = arith.subf %p, %q : f32
    linalg.yield %t : f32
  } -> tensor<8x16xf32>
  %v = linalg.generic {indexing_maps = [#rc, #r, #rc], iterator_types = ["parallel", "parallel"]}
      ins(%u, %m : tensor<8x16xf32>, tensor<8xf32>) outs(%b : tensor<8x16xf32>) {
  ^bb0(%p: f32, %q: f32, %old: f32):
    %t = arith.mulf %p, %q : f32
    linalg.yield %t : f32
  } -> tensor<8x16xf32>
  return %u, %v : tensor<8x16xf32>, tensor<8x16xf32>
}

// -----

// The place of a workgroup in a part of the destination. What nothing connects has a loop of its own.
// CHECK:       #[[$PART:.*]] = affine_map<(d0) -> (d0 * 2 + 3)>
// CHECK-LABEL: func.func private @parts
// CHECK:         %[[A:.*]] = scf.forall (%[[I:.*]]) = (0) to (4) step (2) shared_outs(%[[T:.*]] = %arg2)
// CHECK:           %[[AT:.*]] = affine.apply #[[$PART]](%[[I]])
// CHECK:           %[[D:.*]] = tensor.extract_slice %[[T]][%[[AT]]] [2] [2]
// CHECK:           linalg.generic {{.*}} outs(%[[D]]
// CHECK:           tensor.parallel_insert_slice %{{.*}} into %[[T]][%[[AT]]] [2] [2]
// CHECK:         %[[B:.*]] = scf.forall (%{{.*}}) in (6) shared_outs(%{{.*}} = %arg3)
// CHECK:         return %[[A]], %[[B]]
#id = affine_map<(i) -> (i)>
func.func private @parts(%x: tensor<4xf32>, %y: tensor<6xf32>, %a: tensor<16xf32>, %b: tensor<6xf32>) -> (tensor<16xf32>, tensor<6xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [2], vector = -1 by 1, unroll = [1], order = [0]>,
                                            #tiny.tiling<grid = [1], vector = -1 by 1, unroll = [1], order = [0]>]} {
  %d = tensor.extract_slice %a[3] [4] [2] : tensor<16xf32> to tensor<4xf32>
  %u = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%d : tensor<4xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<4xf32>
  %w = tensor.insert_slice %u into %a[3] [4] [2] : tensor<4xf32> into tensor<16xf32>
  %v = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%y : tensor<6xf32>) outs(%b : tensor<6xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<6xf32>
  return %w, %v : tensor<16xf32>, tensor<6xf32>
}

// -----

// The second nest needs all of the first one's result: no loop is shared.
#id = affine_map<(i) -> (i)>
func.func private @unshared(%x: tensor<4xf32>, %out: tensor<4x4xf32>) -> tensor<4x4xf32>
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [2], vector = -1 by 1, unroll = [1], order = [0]>,
                                            #tiny.tiling<grid = [2, 4], vector = -1 by 1, unroll = [1, 1], order = [0, 1]>]} {
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @below {{has loop 0 divided by #tiny.tiling<grid = [2],}}
  %u = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<4xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%u, %u : tensor<4xf32>, tensor<4xf32>) outs(%out : tensor<4x4xf32>) {
  ^bb0(%p: f32, %q: f32, %old: f32):
    %t = arith.mulf %p, %q : f32
    linalg.yield %t : f32
  } -> tensor<4x4xf32>
  return %v : tensor<4x4xf32>
}

// -----

#id = affine_map<(i) -> (i)>
func.func private @apart(%x: tensor<4xf32>, %out: tensor<4xf32>) -> tensor<4xf32>
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [2], vector = -1 by 1, unroll = [1], order = [0]>,
                                            #tiny.tiling<grid = [4], vector = -1 by 1, unroll = [1], order = [0]>]} {
  %e = tensor.empty() : tensor<4xf32>
  %u = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<4xf32>
  // expected-error @below {{divides otherwise than in another nest}}
  %v = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%u : tensor<4xf32>) outs(%out : tensor<4xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<4xf32>
  return %v : tensor<4xf32>
}

// -----

// expected-error @below {{has 1 nests, which tiny.tiling = []}}
func.func private @few(%x: tensor<4xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {tiny.kernel, tiny.tiling = []} {
  %v = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%out : tensor<4xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<4xf32>
  return %v : tensor<4xf32>
}
