// RUN: tiny-opt %s --tiny-tile-select-tiling-cpu="panels=false" --split-input-file --verify-diagnostics | FileCheck %s
// RUN: tiny-opt %s --tiny-tile-select-tiling-cpu="panels=false vector-bits=512 num-vector-registers=32" --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=WIDE

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// Lanes along the columns, twelve accumulators, the panel of columns stays in the cache (outside).
// CHECK-LABEL: func.func private @columns
// CHECK-SAME:    vector = 1 by 8, unroll = [3, 4, 1], order = [1, 0, 2]
// WIDE-LABEL:  func.func private @columns
// WIDE-SAME:     vector = 1 by 16
func.func private @columns(%x: tensor<96x64xf32>, %y: tensor<64x128xf32>, %out: tensor<96x128xf32>) -> tensor<96x128xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<96x128xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<96x128xf32>) -> tensor<96x128xf32>
  %r = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<96x64xf32>, tensor<64x128xf32>) outs(%i : tensor<96x128xf32>) {
  ^bb0(%p: f32, %q: f32, %acc: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %acc, %m : f32
    linalg.yield %s : f32
  } -> tensor<96x128xf32>
  %o = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<96x128xf32>) outs(%out : tensor<96x128xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<96x128xf32>
  return %o : tensor<96x128xf32>
}

// Both operands are contiguous along the reduction: lanes there, and the row of a product of a matrix
// and a vector is one accumulator each.
// CHECK-LABEL: func.func private @rows
// CHECK-SAME:    vector = 2 by 8
// CHECK-LABEL: func.func private @vector
// CHECK-SAME:    vector = 2 by 8
func.func private @rows(%x: tensor<96x64xf32>, %y: tensor<128x64xf32>, %out: tensor<96x128xf32>) -> tensor<96x128xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<96x128xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<96x128xf32>) -> tensor<96x128xf32>
  %r = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<96x64xf32>, tensor<128x64xf32>) outs(%i : tensor<96x128xf32>) {
  ^bb0(%p: f32, %q: f32, %acc: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %acc, %m : f32
    linalg.yield %s : f32
  } -> tensor<96x128xf32>
  %o = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<96x128xf32>) outs(%out : tensor<96x128xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<96x128xf32>
  return %o : tensor<96x128xf32>
}
func.func private @vector(%x: tensor<1x64xf32>, %y: tensor<128x64xf32>, %out: tensor<1x128xf32>) -> tensor<1x128xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x128xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<1x128xf32>) -> tensor<1x128xf32>
  %r = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<1x64xf32>, tensor<128x64xf32>) outs(%i : tensor<1x128xf32>) {
  ^bb0(%p: f32, %q: f32, %acc: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %acc, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x128xf32>
  %o = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<1x128xf32>) outs(%out : tensor<1x128xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<1x128xf32>
  return %o : tensor<1x128xf32>
}

// -----

// A choice that was made stays; a function that is no kernel is none of ours.
// CHECK-LABEL: func.func private @chosen
// CHECK-SAME:    #tiny.tiling<grid = [2], vector = -1 by 1, unroll = [1], order = [0]>
func.func private @chosen(%x: tensor<4xf32>, %out: tensor<4xf32>) -> tensor<4xf32>
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [2], vector = -1 by 1, unroll = [1], order = [0]>]} {
  %o = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%out : tensor<4xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<4xf32>
  return %o : tensor<4xf32>
}

// A kernel without loops has nothing to choose.
// CHECK-LABEL: func.func private @scalar
// CHECK-SAME:    #tiny.tiling<grid = [], vector = -1 by 1, unroll = [], order = []>
func.func private @scalar(%x: tensor<f32>, %out: tensor<f32>) -> tensor<f32> attributes {tiny.kernel} {
  %o = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
      ins(%x : tensor<f32>) outs(%out : tensor<f32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<f32>
  return %o : tensor<f32>
}
// CHECK-LABEL: func.func private @host
// CHECK-NOT:     tiny.tiling
func.func private @host(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

// expected-error @below {{is a kernel without a linalg.generic op}}
func.func private @empty(%x: tensor<4xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {tiny.kernel} {
  return %out : tensor<4xf32>
}

// -----

func.func private @mean(%x: tensor<4x8xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  // expected-error @below {{must yield one combining arith op of its accumulator and a value}}
  %r = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%i : tensor<4xf32>) {
  ^bb0(%p: f32, %acc: f32):
    %s = arith.subf %acc, %p : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(m) -> (m)>, affine_map<(m) -> (m)>], iterator_types = ["parallel"]}
      ins(%r : tensor<4xf32>) outs(%out : tensor<4xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<4xf32>
  return %o : tensor<4xf32>
}

// -----

// Softmax over the last axis: rows are shared, in all nests alike, and columns are whole. A row of the
// input and of the local are 8 kB, two of which stay in half of the first cache with what is per row;
// in half a row's time a workgroup would cost more than it saves.
// CHECK-LABEL: func.func private @softmax
// CHECK-SAME:    tiny.tiling = [#tiny.tiling<grid = [2], vector = 1 by 8,
// CHECK-SAME:                   #tiny.tiling<grid = [2, 1024], vector = 1 by 8,
// CHECK-SAME:                   #tiny.tiling<grid = [2, 1024], vector = 1 by 8,
#rc = affine_map<(r, c) -> (r, c)>
#r = affine_map<(r, c) -> (r)>
#id = affine_map<(r) -> (r)>
func.func private @softmax(%x: tensor<4096x1024xf32>, %out: tensor<4096x1024xf32>) -> tensor<4096x1024xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<4096xf32>
  %ee = tensor.empty() : tensor<4096x1024xf32>
  %f = linalg.fill ins(%zero : f32) outs(%es : tensor<4096xf32>) -> tensor<4096xf32>
  %s = linalg.generic {indexing_maps = [#rc, #r], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4096x1024xf32>) outs(%f : tensor<4096xf32>) {
  ^bb0(%p: f32, %acc: f32):
    %t = arith.addf %acc, %p : f32
    linalg.yield %t : f32
  } -> tensor<4096xf32>
  %m = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%s : tensor<4096xf32>) outs(%es : tensor<4096xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<4096xf32>
  %e = linalg.generic {indexing_maps = [#rc, #r, #rc], iterator_types = ["parallel", "parallel"]}
      ins(%x, %m : tensor<4096x1024xf32>, tensor<4096xf32>) outs(%ee : tensor<4096x1024xf32>) {
  ^bb0(%p: f32, %q: f32, %old: f32):
    %t = arith.subf %p, %q : f32
    linalg.yield %t : f32
  } -> tensor<4096x1024xf32>
  %o = linalg.generic {indexing_maps = [#rc, #r, #rc], iterator_types = ["parallel", "parallel"]}
      ins(%e, %m : tensor<4096x1024xf32>, tensor<4096xf32>) outs(%out : tensor<4096x1024xf32>) {
  ^bb0(%p: f32, %q: f32, %old: f32):
    %t = arith.divf %p, %q : f32
    linalg.yield %t : f32
  } -> tensor<4096x1024xf32>
  return %o : tensor<4096x1024xf32>
}

// -----

// No loop is shared, so the local is whole, and too large.
func.func private @large(%x: tensor<100000xf32>, %out: tensor<f32>) -> tensor<f32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<100000xf32>
  // expected-error @below {{kernel whose locals need 400000 bytes per workgroup at least; there are 262144}}
  %s = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<100000xf32>) outs(%e : tensor<100000xf32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<100000xf32>
  %a = tensor.empty() : tensor<f32>
  %f = linalg.fill ins(%zero : f32) outs(%a : tensor<f32>) -> tensor<f32>
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>], iterator_types = ["reduction"]}
      ins(%s : tensor<100000xf32>) outs(%f : tensor<f32>) {
  ^bb0(%p: f32, %acc: f32):
    %t = arith.addf %acc, %p : f32
    linalg.yield %t : f32
  } -> tensor<f32>
  %o = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
      ins(%r : tensor<f32>) outs(%out : tensor<f32>) {
  ^bb0(%p: f32, %old: f32):
    linalg.yield %p : f32
  } -> tensor<f32>
  return %o : tensor<f32>
}

// -----

func.func private @no_epilogue(%x: tensor<4x8xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%out : tensor<4xf32>) -> tensor<4xf32>
  // expected-error @below {{has no epilogue behind it}}
  %r = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%i : tensor<4xf32>) {
  ^bb0(%p: f32, %acc: f32):
    %s = arith.addf %acc, %p : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func private @unguarded(%ids: tensor<4xi32>, %x: tensor<9xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {tiny.kernel} {
  %o = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%ids : tensor<4xi32>) outs(%out : tensor<4xf32>) {
  ^bb0(%id: i32, %old: f32):
    %i = arith.index_cast %id : i32 to index
    // expected-error @below {{has index 0, which is computed from data: a guard on it alone must come first}}
    %v = tiny.read %x[%i] affine_map<(i) -> (i)> where affine_map<(i) -> (i * 2)> in [0] to [18] else [0.0 : f32] : tensor<9xf32> -> f32
    linalg.yield %v : f32
  } -> tensor<4xf32>
  return %o : tensor<4xf32>
}

// -----

// What lies across the lanes is transposed in registers: squares, two side by side where these fill a
// line, the rows of the result innermost, and divided first.
// CHECK-LABEL: func.func private @transpose
// CHECK-SAME:    grid = [32, 1024], vector = 1 by 8, unroll = [8, 2], order = [1, 0]
// WIDE-LABEL:  func.func private @transpose
// WIDE-SAME:     grid = [32, 1024], vector = 1 by 16, unroll = [16, 1], order = [1, 0]
func.func private @transpose(%x: tensor<1024x1024xf32>, %out: tensor<1024x1024xf32>) -> tensor<1024x1024xf32> attributes {tiny.kernel} {
  %o = linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<1024x1024xf32>) outs(%out : tensor<1024x1024xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<1024x1024xf32>
  return %o : tensor<1024x1024xf32>
}
// Too short for a square.
// CHECK-LABEL: func.func private @narrow
// CHECK-NOT:     unroll = [8
// CHECK:         return
func.func private @narrow(%x: tensor<1024x5xf32>, %out: tensor<5x1024xf32>) -> tensor<5x1024xf32> attributes {tiny.kernel} {
  %o = linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<1024x5xf32>) outs(%out : tensor<5x1024xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<5x1024xf32>
  return %o : tensor<5x1024xf32>
}

// -----

#in = affine_map<(c, h, w, i, j) -> (c, h, w)>
#id = affine_map<(c, h, w) -> (c, h, w)>

// Windows of a strided pooling with padding: one vector, so that most tiles of a row need no masks, and
// no more of them than what a core keeps decoded.
// WIDE-LABEL:  func.func private @pool
// WIDE-SAME:     vector = 2 by 16, unroll = [8, 1, 1, 3, 3]
func.func private @pool(%x: tensor<64x112x112xf32>, %out: tensor<64x56x56xf32>) -> tensor<64x56x56xf32> attributes {tiny.kernel} {
  %least = arith.constant 0xFF800000 : f32
  %w = tensor.empty() : tensor<3x3xf32>
  %a = tensor.empty() : tensor<64x56x56xf32>
  %i = linalg.fill ins(%least : f32) outs(%a : tensor<64x56x56xf32>) -> tensor<64x56x56xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(c, h, w, i, j) -> (i, j)>, #in],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%w : tensor<3x3xf32>) outs(%i : tensor<64x56x56xf32>) {
  ^bb0(%unused: f32, %acc: f32):
    %c = linalg.index 0 : index
    %h = linalg.index 1 : index
    %v = linalg.index 2 : index
    %ki = linalg.index 3 : index
    %kj = linalg.index 4 : index
    %y = affine.apply affine_map<(h, i) -> (h * 2 + i)>(%h, %ki)
    %z = affine.apply affine_map<(w, j) -> (w * 2 + j)>(%v, %kj)
    %e = tiny.read %x[%c, %y, %z] affine_map<(c, h, w) -> (c, h - 1, w - 1)> where affine_map<(c, h, w) -> (h, w)> in [1, 1] to [113, 113] else [0xFF800000 : f32, 0xFF800000 : f32] : tensor<64x112x112xf32> -> f32
    %m = arith.maximumf %acc, %e : f32
    linalg.yield %m : f32
  } -> tensor<64x56x56xf32>
  %o = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%r : tensor<64x56x56xf32>) outs(%out : tensor<64x56x56xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<64x56x56xf32>
  return %o : tensor<64x56x56xf32>
}
