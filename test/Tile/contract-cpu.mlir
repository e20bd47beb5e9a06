// RUN: tiny-opt %s --tiny-tile-contract-cpu --split-input-file --verify-diagnostics | FileCheck %s -enable-var-scope

#mk = affine_map<(m, n, k) -> (m, k)>
#km = affine_map<(m, n, k) -> (k, m)>
#kn = affine_map<(m, n, k) -> (k, n)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#sum = ["parallel", "parallel", "reduction"]

// Everything divides: one loop of products, rows read where they lie, columns packed with the depth
// outside, so that their rows are read in one go; sums stay in registers until they are stored.
// CHECK-LABEL: func.func private @whole
// CHECK-SAME:    tiny.tiling = []
// CHECK:         memref.alloca() {alignment = 64 : i64} : memref<16768xi8>
// CHECK:         scf.forall {{.*}} in (2, 2)
// CHECK:           scf.for %{{.*}} = %c0 to %c64 step %c1
// CHECK:             scf.for
// CHECK-COUNT-2:       vector.store {{.*}} : memref<4096xf32>, vector<8xf32>
// CHECK:           scf.for %{{.*}} = %c0 to %c64 step %c16
// CHECK:             scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK-COUNT-2:         vector.load
// CHECK-COUNT-6:         memref.load
// CHECK-NOT:             memref.load
// CHECK-NOT:             vector.load
// CHECK:                 scf.yield
// CHECK-NOT:           scf.if
// CHECK-COUNT-12:      vector.store
// CHECK-NOT:     linalg
// CHECK:         return
func.func private @whole(%x: memref<12x64xf32>, %y: memref<64x128xf32>, %out: memref<12x128xf32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 6, 64>, depth = 64 : i64,
                                             registers = array<i64: 6, 2>, lanes = 8 : i64,
                                             packed = array<i64: 0, 1>}]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloc() : memref<12x128xf32>
  linalg.fill ins(%zero : f32) outs(%acc : memref<12x128xf32>)
  linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = #sum}
      ins(%x, %y : memref<12x64xf32>, memref<64x128xf32>) outs(%acc : memref<12x128xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<12x128xf32>) outs(%out : memref<12x128xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#km = affine_map<(m, n, k) -> (k, m)>
#kn = affine_map<(m, n, k) -> (k, n)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#sum = ["parallel", "parallel", "reduction"]

// Nothing divides, and both factors are transposed: rows are packed by vectors of as many as a strip
// has, columns by squares that are transposed in registers. There is one loop of products; sums wait
// between blocks of the depth, and tiles at the edges are stored through memory.
// CHECK-LABEL: func.func private @transposed
// CHECK:         scf.forall
// CHECK:           scf.for %{{.*}} = %c0{{.*}} to %c97{{.*}} step %c48
// CHECK-COUNT-8:     vector.load {{.*}}, vector<8xf16>
// CHECK:             arith.extf
// CHECK-COUNT-24:    vector.shuffle
// CHECK-COUNT-8:     vector.store {{.*}}, vector<8xf32>
// CHECK:             vector.load {{.*}}, vector<4xf32>
// CHECK:             vector.store {{.*}}, vector<4xf32>
// CHECK-COUNT-4:     vector.fma
// CHECK:             scf.if {{.*}} -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK-NOT:         vector.fma
// CHECK:         return
func.func private @transposed(%x: memref<97x13xf32>, %y: memref<11x97xf16>, %out: memref<13x11xf32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 8, 16>, depth = 48 : i64,
                                             registers = array<i64: 4, 1>, lanes = 8 : i64,
                                             packed = array<i64: 1, 1>}]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloc() : memref<13x11xf32>
  linalg.fill ins(%zero : f32) outs(%acc : memref<13x11xf32>)
  linalg.generic {indexing_maps = [#km, #nk, #mn], iterator_types = #sum}
      ins(%x, %y : memref<97x13xf32>, memref<11x97xf16>) outs(%acc : memref<13x11xf32>) {
  ^bb0(%p: f32, %q: f16, %a: f32):
    %q32 = arith.extf %q : f16 to f32
    %m = arith.mulf %p, %q32 : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<13x11xf32>) outs(%out : memref<13x11xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#sum = ["parallel", "parallel", "reduction"]

// A block of the depth that is more than one run: what earlier runs summed up is in memory while one is
// multiplied, and a fence of the compiler keeps it there. In registers it would push out the sums of the loop.
// CHECK-LABEL: func.func private @runs
// CHECK-COUNT-2:     vector.store %cst, {{.*}}, vector<8xf32>
// CHECK:             scf.for %{{.*}} = %c0{{.*}} to %c256{{.*}} step %c128{{[_0-9]*}} {
// CHECK:               scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>) {
// CHECK-COUNT-2:         vector.fma
// CHECK:               llvm.fence syncscope("singlethread") seq_cst
// CHECK-COUNT-2:       arith.addf
// CHECK-COUNT-2:       vector.store
// CHECK-NOT:         vector.fma
// CHECK:         return
func.func private @runs(%x: memref<2x256xf32>, %y: memref<256x8xf32>, %out: memref<2x8xf32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 2, 8>, depth = 256 : i64,
                                             registers = array<i64: 2, 1>, lanes = 8 : i64,
                                             packed = array<i64: 0, 1>}]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloc() : memref<2x8xf32>
  linalg.fill ins(%zero : f32) outs(%acc : memref<2x8xf32>)
  linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = #sum}
      ins(%x, %y : memref<2x256xf32>, memref<256x8xf32>) outs(%acc : memref<2x8xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<2x8xf32>) outs(%out : memref<2x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#sum = ["parallel", "parallel", "reduction"]

// The last panel has the vectors that its columns need, and the last strip of rows in place begins where
// all of its rows exist: rows are one address, and constants. The last column comes from a vector that
// ends with it.
// CHECK-LABEL: func.func private @edges
// CHECK:         %[[LAST:.*]] = vector.load {{.*}}, vector<8xf32>
// CHECK:         vector.shuffle {{.*}} [7, 7, 7, 7, 7, 7, 7, 7]
// CHECK:         scf.for %[[ROW:.*]] = %c0 to %c11 step %c3
// CHECK:           %[[FIRST:.*]] = arith.minsi %[[ROW]], %c8
// CHECK:           %[[AT:.*]] = arith.muli %[[FIRST]], %c40
// CHECK:           arith.addi %[[AT]], %c40
// CHECK:           arith.addi %[[AT]], %c80
// CHECK-NOT:       arith.muli
// CHECK:           scf.for {{.*}} to %c48 step %c24
// CHECK-COUNT-9:     vector.fma
// CHECK-NOT:         vector.fma
// CHECK:           scf.for {{.*}} to %c40 step %c1 iter_args
// CHECK-COUNT-3:     vector.fma
// CHECK-NOT:         vector.fma
// CHECK:         return
func.func private @edges(%x: memref<11x40xf32>, %y: memref<40x49xf32>, %out: memref<11x49xf32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 12, 72>, depth = 40 : i64,
                                             registers = array<i64: 3, 3>, lanes = 8 : i64,
                                             packed = array<i64: 0, 1>}]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloc() : memref<11x49xf32>
  linalg.fill ins(%zero : f32) outs(%acc : memref<11x49xf32>)
  linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = #sum}
      ins(%x, %y : memref<11x40xf32>, memref<40x49xf32>) outs(%acc : memref<11x49xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<11x49xf32>) outs(%out : memref<11x49xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

#weights = affine_map<(m, n, h, w, k, t) -> (m, k, t)>
#window = affine_map<(n, k, h, w) -> (n * 168 + k * 42 + h * 7 + w)>
#none = affine_map<(n, k, h, w) -> ()>
#sums = affine_map<(m, n, h, w, k, t) -> (m, n, h, w)>
#id = affine_map<(m, n, h, w) -> (m, n, h, w)>

// Windows on narrow images: a vector of pixels is in up to three rows of the image, and takes the lanes
// that are theirs. The masks are made outside of the loops over the depth. Images are batches, so that
// none of their vectors is in two of them, and the end of an image is stored under a mask.
// CHECK-LABEL: func.func private @windows
// CHECK:         scf.forall {{.*}} in (3)
// CHECK-COUNT-3: arith.cmpi ult, {{.*}} : vector<8xi32>
// CHECK:         scf.for {{.*}} to %c4 step %c1
// CHECK:           scf.for {{.*}} to %c3 step %c1
// CHECK:             vector.maskedload {{.*}} : memref<504xf32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
// CHECK:             vector.maskedload
// CHECK:             arith.select {{.*}} : vector<8xi1>, vector<8xf32>
// CHECK:             vector.maskedload
// CHECK:             %[[ALL:.*]] = arith.select
// CHECK:             vector.store %[[ALL]]
// CHECK-COUNT-8: vector.fma
// CHECK:         vector.maskedstore {{.*}} : memref<360xf32>, vector<8xi1>, vector<8xf32>
// CHECK:         return
func.func private @windows(%x: memref<504xf32>, %y: memref<4x4x3xf32>, %out: memref<4x3x6x5xf32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 4, 32>, depth = 12 : i64,
                                             registers = array<i64: 4, 2>, lanes = 8 : i64,
                                             packed = array<i64: 0, 1>, apart = 1 : i64}]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloc() : memref<4x3x6x5xf32>
  linalg.fill ins(%zero : f32) outs(%acc : memref<4x3x6x5xf32>)
  linalg.generic {indexing_maps = [#weights, #sums],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%y : memref<4x4x3xf32>) outs(%acc : memref<4x3x6x5xf32>) {
  ^bb0(%p: f32, %a: f32):
    %n = linalg.index 1 : index
    %h = linalg.index 2 : index
    %w = linalg.index 3 : index
    %k = linalg.index 4 : index
    %t = linalg.index 5 : index
    %wt = affine.apply affine_map<(w, t) -> (w + t)>(%w, %t)
    %q = tiny.read %x[%n, %k, %h, %wt] #window where #none in [] to [] else [] : memref<504xf32> -> f32
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%acc : memref<4x3x6x5xf32>) outs(%out : memref<4x3x6x5xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#sum = ["parallel", "parallel", "reduction"]

// Scores beside another nest: the workgroup is there already. Keys are transposed in registers, and then
// strips of queries meet them; the scores stay in the local, and the nest behind keeps its tiling.
// CHECK-LABEL: func.func private @in_group
// CHECK-SAME:    tiny.tiling = [#tiny.tiling<grid = [12, 32]
// CHECK:         scf.forall {{.*}} = (0) to (48) step (12)
// CHECK-NOT:       scf.forall
// CHECK:           memref.alloca() : memref<12x32xf32>
// CHECK-COUNT-24:  vector.shuffle
// CHECK:           scf.for {{.*}} step %c6
// CHECK:             scf.for {{.*}} step %c16
// CHECK:               scf.for {{.*}} iter_args
// CHECK-COUNT-12:        vector.fma
// CHECK-NOT:             vector.fma
// CHECK:                 scf.yield
// CHECK-COUNT-12:      vector.store {{.*}} : memref<384xf32>, vector<8xf32>
// CHECK:           linalg.generic
// CHECK:             arith.maximumf
// CHECK:         return
func.func private @in_group(%q: memref<48x64xf32>, %k: memref<32x64xf32>, %out: memref<48x32xf32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 12, 32>, depth = 64 : i64,
                                             registers = array<i64: 6, 2>, lanes = 8 : i64,
                                             packed = array<i64: 0, 1>, grid = array<i64: 12, 32>},
                                            #tiny.tiling<grid = [12, 32], vector = 1 by 8,
                                                         unroll = [1, 4], order = [0, 1]>]} {
  %zero = arith.constant 0.0 : f32
  scf.forall (%row) = (0) to (48) step (12) {
    %scores = memref.alloca() : memref<12x32xf32>
    %acc = memref.alloca() : memref<12x32xf32>
    %rows = memref.subview %q[%row, 0] [12, 64] [1, 1]
        : memref<48x64xf32> to memref<12x64xf32, strided<[64, 1], offset: ?>>
    %part = memref.subview %out[%row, 0] [12, 32] [1, 1]
        : memref<48x32xf32> to memref<12x32xf32, strided<[32, 1], offset: ?>>
    linalg.fill ins(%zero : f32) outs(%acc : memref<12x32xf32>)
    linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = #sum}
        ins(%rows, %k : memref<12x64xf32, strided<[64, 1], offset: ?>>, memref<32x64xf32>)
        outs(%acc : memref<12x32xf32>) {
    ^bb0(%p: f32, %r: f32, %a: f32):
      %m = arith.mulf %p, %r : f32
      %s = arith.addf %a, %m : f32
      linalg.yield %s : f32
    }
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%acc : memref<12x32xf32>) outs(%scores : memref<12x32xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
    }
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%scores : memref<12x32xf32>)
        outs(%part : memref<12x32xf32, strided<[32, 1], offset: ?>>) {
    ^bb0(%a: f32, %o: f32):
      %m = arith.maximumf %a, %zero : f32
      linalg.yield %m : f32
    }
  }
  return
}

// -----

// A tiling that the nest does not have: rows that are transposed cannot be read where they lie.
func.func private @misfit(%x: memref<64x12xf32>, %y: memref<64x128xf32>, %out: memref<12x128xf32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 6, 64>, depth = 64 : i64,
                                             registers = array<i64: 6, 2>, lanes = 8 : i64,
                                             packed = array<i64: 0, 1>}]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloc() : memref<12x128xf32>
  linalg.fill ins(%zero : f32) outs(%acc : memref<12x128xf32>)
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>,
                                   affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<64x12xf32>, memref<64x128xf32>) outs(%acc : memref<12x128xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  }
  // expected-error @+1 {{is no contraction that {depth = 64 : i64}}
  linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<12x128xf32>) outs(%out : memref<12x128xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  return
}
