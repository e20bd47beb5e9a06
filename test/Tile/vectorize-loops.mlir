// RUN: tiny-opt %s --tiny-tile-vectorize-loops --split-input-file --verify-diagnostics | FileCheck %s
// RUN: tiny-opt %s --tiny-tile-vectorize-loops="has-fma=false" --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=NOFMA
// RUN: tiny-opt %s --tiny-tile-vectorize-loops="masked-bits=64" --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=NOMASK
// RUN: tiny-opt %s --tiny-tile-vectorize-loops="cache-bytes=512" --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=STREAM

// A 2 x 2 register tile: four accumulators that never touch memory, two loads of the moving operand,
// two broadcasts of the other one, the epilogue on the accumulators.
// CHECK-LABEL: func.func private @matmul
// CHECK-NOT:     memref.alloc
// CHECK-NOT:     linalg
// CHECK:         scf.for
// CHECK:           %[[R:.*]]:4 = scf.for {{.*}} iter_args
// CHECK:             memref.load
// CHECK:             vector.load
// CHECK:             vector.fma
// CHECK-NOT:         memref.load
// CHECK:             vector.load
// CHECK:             vector.fma
// CHECK-NOT:         vector.load
// CHECK:             memref.load
// CHECK-COUNT-2:     vector.fma
// CHECK-NOT:         {{load|fma}}
// CHECK:             scf.yield
// CHECK:           arith.maximumf %[[R]]#0
// CHECK-COUNT-4:   vector.store
// CHECK-NOT:     vector.store
// CHECK:         return
// NOFMA-LABEL: func.func private @matmul
// NOFMA-COUNT-4: arith.mulf
// NOFMA-NOT:     fma
func.func private @matmul(%x: memref<8x4xf32>, %y: memref<4x16xf32>, %out: memref<8x16xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [8, 16], vector = 1 by 8, unroll = [2, 2, 1], order = [0, 1, 2]>]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloc() : memref<8x16xf32>
  linalg.fill ins(%zero : f32) outs(%acc : memref<8x16xf32>)
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<8x4xf32>, memref<4x16xf32>) outs(%acc : memref<8x16xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<8x16xf32>) outs(%out : memref<8x16xf32>) {
  ^bb0(%p: f32, %q: f32):
    %m = arith.maximumf %p, %zero : f32
    linalg.yield %m : f32
  }
  return
}

// -----

// What does not divide is one shorter vector.
// CHECK-LABEL: func.func private @rest
// CHECK:         scf.for
// CHECK:           vector.load {{.*}} vector<8xf32>
// CHECK:           vector.store {{.*}} vector<8xf32>
// CHECK:         vector.load {{.*}} vector<3xf32>
// CHECK:         vector.store {{.*}} vector<3xf32>
func.func private @rest(%x: memref<19xf32>, %out: memref<19xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [19], vector = 0 by 8, unroll = [1], order = [0]>]} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : memref<19xf32>) outs(%out : memref<19xf32>) {
  ^bb0(%p: f32, %q: f32):
    %s = arith.addf %p, %p : f32
    linalg.yield %s : f32
  }
  return
}

// -----

// Lanes along the reduction: vector accumulators, one horizontal reduction; the short vector has an
// accumulator of its own.
// CHECK-LABEL: func.func private @sum
// CHECK:         %[[R:.*]]:2 = scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>)
// CHECK:         vector.load {{.*}} vector<3xf32>
// CHECK:         vector.reduction <add>, %{{.*}} fastmath<reassoc> : vector<4xf32> into f32
// CHECK:         vector.reduction <add>, %{{.*}} fastmath<reassoc> : vector<3xf32> into f32
// CHECK:         memref.store
func.func private @sum(%x: memref<67xf32>, %out: memref<f32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [], vector = 0 by 4, unroll = [2], order = [0]>]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloc() : memref<f32>
  linalg.fill ins(%zero : f32) outs(%acc : memref<f32>)
  linalg.generic {indexing_maps = [affine_map<(k) -> (k)>, affine_map<(k) -> ()>], iterator_types = ["reduction"]}
      ins(%x : memref<67xf32>) outs(%acc : memref<f32>) {
  ^bb0(%p: f32, %a: f32):
    %s = arith.addf %a, %p : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
      ins(%acc : memref<f32>) outs(%out : memref<f32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  }
  return
}

// -----

// Two versions of a tile with guards: without them, and with a mask.
// CHECK-LABEL: func.func private @pad
// CHECK:         scf.if
// CHECK-NOT:       maskedload
// CHECK:           vector.load
// CHECK:         } else {
// CHECK:           vector.maskedload
// CHECK-NOT:     gather
// CHECK:         return

// Elements that the target has no masks for are chosen one by one, without a branch.
// NOMASK-LABEL: func.func private @pad
// NOMASK-NOT:     maskedload
// NOMASK:         vector.from_elements
// NOMASK:         return
func.func private @pad(%x: memref<32xf32>, %out: memref<36xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [36], vector = 0 by 4, unroll = [1], order = [0]>]} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%out : memref<36xf32>) {
  ^bb0(%q: f32):
    %i = linalg.index 0 : index
    %v = tiny.read %x[%i] affine_map<(i) -> (i - 2)> where affine_map<(i) -> (i)> in [2] to [34] else [1.0 : f32] : memref<32xf32> -> f32
    linalg.yield %v : f32
  }
  return
}

// -----

// With a small stride, loads under the mask of the lanes that they hold, and shuffles.
// CHECK-LABEL: func.func private @pad_stride
// CHECK:           %[[MASK:.*]] = arith.cmpi slt, %{{.*}} : vector<4xi32>
// CHECK:           %[[FIRST:.*]] = vector.shuffle %[[MASK]], %{{.*}} [0, 4, 1, 4] : vector<4xi1>, vector<4xi1>
// CHECK:           vector.maskedload %{{.*}}, %[[FIRST]], %{{.*}}
// CHECK:           %[[LAST:.*]] = vector.shuffle %[[MASK]], %{{.*}} [4, 2, 4, 3] : vector<4xi1>, vector<4xi1>
// CHECK:           vector.maskedload %{{.*}}, %[[LAST]], %{{.*}}
// CHECK:           %[[ALL:.*]] = vector.shuffle %{{.*}}, %{{.*}} [0, 2, 5, 7] : vector<4xf32>, vector<4xf32>
// CHECK:           arith.select %[[MASK]], %[[ALL]], %{{.*}} : vector<4xi1>, vector<4xf32>
// CHECK-NOT:     gather
// CHECK:         return
func.func private @pad_stride(%x: memref<37xf32>, %out: memref<20xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [20], vector = 0 by 4, unroll = [1], order = [0]>]} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%out : memref<20xf32>) {
  ^bb0(%q: f32):
    %i = linalg.index 0 : index
    %v = tiny.read %x[%i] affine_map<(i) -> (i * 2)> where affine_map<(i) -> (i * 2)> in [0] to [37] else [1.0 : f32] : memref<37xf32> -> f32
    linalg.yield %v : f32
  }
  return
}

// -----

// A small stride is loads and a shuffle, a reversal one load and a shuffle, a mod a load per lane.
// CHECK-LABEL: func.func private @strides
// CHECK-DAG:     vector.shuffle %{{.*}}, %{{.*}} [0, 2, 5, 7] : vector<4xf32>, vector<4xf32>
// CHECK-DAG:     vector.shuffle %{{.*}}, %{{.*}} [3, 2, 1, 0] : vector<4xf32>, vector<4xf32>
// CHECK-DAG:     arith.remui %{{.*}} : vector<4xi32>
// CHECK-NOT:     gather
// CHECK:         return
func.func private @strides(%x: memref<16xf32>, %out: memref<8xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [8], vector = 0 by 4, unroll = [1], order = [0]>]} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%out : memref<8xf32>) {
  ^bb0(%q: f32):
    %i = linalg.index 0 : index
    %a = tiny.read %x[%i] affine_map<(i) -> (i * 2)> where affine_map<(i) -> ()> in [] to [] else [] : memref<16xf32> -> f32
    %b = tiny.read %x[%i] affine_map<(i) -> (7 - i)> where affine_map<(i) -> ()> in [] to [] else [] : memref<16xf32> -> f32
    %c = tiny.read %x[%i] affine_map<(i) -> (i mod 3)> where affine_map<(i) -> ()> in [] to [] else [] : memref<16xf32> -> f32
    %s = arith.addf %a, %b : f32
    %t = arith.addf %s, %c : f32
    linalg.yield %t : f32
  }
  return
}

// -----

// A square of what lies across the lanes is loaded in rows and transposed: two steps within four
// lanes. The rest of a loop has single elements.
// CHECK-LABEL: func.func private @squares
// CHECK:         scf.for
// CHECK:           %[[R0:.*]] = vector.load %{{.*}} : memref<40xf32>, vector<4xf32>
// CHECK-COUNT-2:   vector.load %{{.*}} : memref<40xf32>, vector<4xf32>
// CHECK:           %{{.*}} = vector.load %{{.*}} : memref<40xf32>, vector<4xf32>
// CHECK:           %[[A:.*]] = vector.shuffle %[[R0]], %{{.*}} [0, 4, 1, 5]
// CHECK:           vector.shuffle %[[R0]], %{{.*}} [2, 6, 3, 7]
// CHECK-COUNT-2:   vector.shuffle
// CHECK:           %[[C0:.*]] = vector.shuffle %[[A]], %{{.*}} [0, 4, 1, 5]
// CHECK-COUNT-3:   vector.shuffle
// CHECK-NOT:       {{load|shuffle}}
// CHECK:           vector.store %[[C0]]
// CHECK-COUNT-3:   vector.store
// CHECK-COUNT-4:   memref.load
// CHECK:         return
func.func private @squares(%x: memref<8x5xf32>, %out: memref<5x8xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [5, 8], vector = 1 by 4, unroll = [4, 1], order = [1, 0]>]} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<8x5xf32>) outs(%out : memref<5x8xf32>) {
  ^bb0(%a: f32, %old: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func private @untiled(%x: memref<4xf32>, %out: memref<4xf32>) attributes {tiny.kernel} { // expected-error {{has no tiny.tiling, a list; run tiny-tile-select-tiling-cpu (or -rdna3) first}}
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : memref<4xf32>) outs(%out : memref<4xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  }
  return
}

// -----

func.func private @unfit(%x: memref<4xf32>, %out: memref<4xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [4], vector = 2 by 8, unroll = [1], order = [0]>]} {
  // expected-error @below {{has 1 loops, which}}
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : memref<4xf32>) outs(%out : memref<4xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  }
  return
}

// -----

// One nest after the other, each by its own tiling; the local stays, the accumulator does not.
// CHECK-LABEL: func.func private @two
// CHECK:         memref.alloca() {{.*}} : memref<4xf32>
// CHECK-NOT:     memref.alloca
// CHECK-NOT:     linalg
// CHECK:         scf.for
// CHECK:           vector.reduction <add>
// CHECK:           memref.store
// CHECK:         vector.load %{{.*}} : memref<4xf32>, vector<4xf32>
// CHECK:         vector.store %{{.*}} : memref<4xf32>, vector<4xf32>
// CHECK-NEXT:    return
func.func private @two(%x: memref<4x8xf32>, %out: memref<4xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [4], vector = 1 by 8, unroll = [1, 1], order = [0, 1]>,
                                            #tiny.tiling<grid = [4], vector = 0 by 4, unroll = [1], order = [0]>]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloca() {alignment = 64 : i64} : memref<4xf32>
  %local = memref.alloca() {alignment = 64 : i64} : memref<4xf32>
  linalg.fill ins(%zero : f32) outs(%acc : memref<4xf32>)
  linalg.generic {indexing_maps = [affine_map<(r, c) -> (r, c)>, affine_map<(r, c) -> (r)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<4x8xf32>) outs(%acc : memref<4xf32>) {
  ^bb0(%p: f32, %a: f32):
    %s = arith.addf %a, %p : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<(r) -> (r)>, affine_map<(r) -> (r)>], iterator_types = ["parallel"]}
      ins(%acc : memref<4xf32>) outs(%local : memref<4xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  }
  linalg.generic {indexing_maps = [affine_map<(r) -> (r)>, affine_map<(r) -> (r)>], iterator_types = ["parallel"]}
      ins(%local : memref<4xf32>) outs(%out : memref<4xf32>) {
  ^bb0(%p: f32, %q: f32):
    %s = arith.mulf %p, %p : f32
    linalg.yield %s : f32
  }
  return
}

// -----

// An index from data is compared as it is and held to its bounds before any arithmetic. Where all lanes
// share it they are one vector, from the first elements if it is out of bounds; else they are gathered.
// CHECK-LABEL: func.func private @rows
// CHECK:         %[[ID:.*]] = arith.index_cast %{{.*}} : i64 to index
// CHECK-DAG:     %[[LOW:.*]] = arith.cmpi sge, %[[ID]], %c0
// CHECK-DAG:     %[[HIGH:.*]] = arith.cmpi slt, %[[ID]], %c5
// CHECK-DAG:     %[[IN:.*]] = arith.andi %[[LOW]], %[[HIGH]]
// CHECK-DAG:     %[[MAX:.*]] = arith.maxsi %[[ID]], %c0
// CHECK-DAG:     %[[HELD:.*]] = arith.minsi %[[MAX]], %c4
// CHECK:         %[[FLAT:.*]] = arith.muli %[[HELD]], %c8
// CHECK:         %[[PLACE:.*]] = arith.select %[[IN]], %{{.*}}, %c0
// CHECK:         %[[V:.*]] = vector.load %{{.*}}[%[[PLACE]]] : memref<40xf32>, vector<8xf32>
// CHECK:         arith.select %[[IN]], %[[V]], %{{.*}} : vector<8xf32>
// CHECK-LABEL: func.func private @lanes
// CHECK:         %[[IDS:.*]] = arith.index_cast %{{.*}} : vector<4xi64> to vector<4xindex>
// CHECK-DAG:     arith.cmpi sge, %[[IDS]], %{{.*}} : vector<4xindex>
// CHECK-DAG:     arith.cmpi slt, %[[IDS]], %{{.*}} : vector<4xindex>
// CHECK:         vector.gather
func.func private @rows(%ids: memref<3xi64>, %x: memref<40xf32>, %out: memref<3x8xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [3, 8], vector = 1 by 8, unroll = [1, 1], order = [0, 1]>]} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%ids : memref<3xi64>) outs(%out : memref<3x8xf32>) {
  ^bb0(%id: i64, %old: f32):
    %row = arith.index_cast %id : i64 to index
    %j = linalg.index 1 : index
    %v = tiny.read %x[%row, %j] affine_map<(r, j) -> (r * 8 + j)> where affine_map<(r, j) -> (r)> in [0] to [5] else [0.0 : f32] : memref<40xf32> -> f32
    linalg.yield %v : f32
  }
  return
}
func.func private @lanes(%ids: memref<4xi64>, %x: memref<40xf32>, %out: memref<4xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [4], vector = 0 by 4, unroll = [1], order = [0]>]} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%ids : memref<4xi64>) outs(%out : memref<4xf32>) {
  ^bb0(%id: i64, %old: f32):
    %row = arith.index_cast %id : i64 to index
    %v = tiny.read %x[%row] affine_map<(r) -> (r)> where affine_map<(r) -> (r)> in [0] to [40] else [0.0 : f32] : memref<40xf32> -> f32
    linalg.yield %v : f32
  }
  return
}

// -----

// Results that are larger than the last cache are stored past it: those of whole vectors at aligned
// places, line by line.
// STREAM-LABEL: func.func private @large
// STREAM: vector.store {{.*}} {alignment = 32 : i64, nontemporal = true} : memref<256xf32>, vector<8xf32>
// CHECK-LABEL: func.func private @large
// CHECK-NOT: nontemporal
func.func private @large(%x: memref<256xf32>, %out: memref<256xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [256], vector = 0 by 8, unroll = [1], order = [0]>]} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : memref<256xf32>) outs(%out : memref<256xf32>) {
  ^bb0(%a: f32, %old: f32):
    %v = arith.addf %a, %a : f32
    linalg.yield %v : f32
  }
  return
}
// STREAM-LABEL: func.func private @small
// STREAM-NOT: nontemporal
func.func private @small(%x: memref<128xf32>, %out: memref<128xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [128], vector = 0 by 8, unroll = [1], order = [0]>]} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : memref<128xf32>) outs(%out : memref<128xf32>) {
  ^bb0(%a: f32, %old: f32):
    %v = arith.addf %a, %a : f32
    linalg.yield %v : f32
  }
  return
}
// Rows of 33: of the rest nothing is known.
// STREAM-LABEL: func.func private @unaligned
// STREAM-NOT: nontemporal
func.func private @unaligned(%x: memref<16x33xf32>, %out: memref<16x33xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [16, 33], vector = 1 by 8, unroll = [1, 1], order = [0, 1]>]} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<16x33xf32>) outs(%out : memref<16x33xf32>) {
  ^bb0(%a: f32, %old: f32):
    %v = arith.addf %a, %a : f32
    linalg.yield %v : f32
  }
  return
}
// The vector loop is not the innermost one: a line would wait for its other half.
// STREAM-LABEL: func.func private @halves
// STREAM-NOT: nontemporal
func.func private @halves(%x: memref<16x32xf32>, %out: memref<16x32xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.tiling<grid = [16, 32], vector = 1 by 8, unroll = [1, 1], order = [1, 0]>]} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<16x32xf32>) outs(%out : memref<16x32xf32>) {
  ^bb0(%a: f32, %old: f32):
    %v = arith.addf %a, %a : f32
    linalg.yield %v : f32
  }
  return
}
