// RUN: tiny-opt %s --tiny-tile-distribute-loops --split-input-file --verify-diagnostics | FileCheck %s

// Vectors of neighbours for neighbouring lanes. The rest of each row is a tile of its own; where the
// tiles end, lanes do nothing.
// CHECK-LABEL: func.func private @scale
// CHECK-SAME:    tiny.block = 64
// CHECK:         %[[LANE:.*]] = gpu.thread_id x
// CHECK:         scf.forall (%[[W:.*]]) in (3) {
// CHECK:           %[[FIRST:.*]] = arith.muli %[[W]], %c64
// CHECK:           %[[TILE:.*]] = arith.addi %[[LANE]], %[[FIRST]]
// CHECK:           %[[IN:.*]] = arith.cmpi ult, %[[TILE]], %c190
// CHECK:           scf.if %[[IN]] {
// CHECK:             arith.remui %[[TILE]], %c10
// CHECK:             scf.if
// CHECK:               vector.load {{.*}} {alignment = 4 : i64} {{.*}} vector<4xf32>
// CHECK:               vector.store {{.*}} vector<4xf32>
// CHECK:             } else {
// CHECK-NOT:           vector
// CHECK:               memref.store
// CHECK-NOT:     {{load|store|linalg}}
// CHECK:         return
func.func private @scale(%x: memref<19x37xf32>, %out: memref<19x37xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.gpu_tiling<grid = [19, 37], lanes = [1, 64], vector = 1 by 4, unroll = [1, 1], order = [0, 1], contract = none, waves = [1, 1], mode = cu>]} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<19x37xf32>) outs(%out : memref<19x37xf32>) {
  ^bb0(%p: f32, %q: f32):
    %s = arith.addf %p, %p : f32
    linalg.yield %s : f32
  }
  return
}

// -----

// 64 lanes share each sum: strided vectors with two accumulators, what is left of them for the first
// lanes, then DPP, the other half of the wave, and LDS.
// CHECK-LABEL: func.func private @sum
// CHECK-NOT:     linalg
// CHECK:         %[[MEMORY:.*]] = memref.alloca() {alignment = 16 : i64} : memref<2xf32, #gpu.address_space<workgroup>>
// CHECK:         scf.forall
// CHECK:           %[[R:.*]]:2 = scf.for {{.*}} step %c512 {{.*}} -> (vector<4xf32>, vector<4xf32>)
// CHECK:           scf.if {{.*}} -> (vector<4xf32>)
// CHECK:           scf.if {{.*}} -> (f32)
// CHECK:           rocdl.update.dpp {{.*}} with 353, 15, 15, true : i32
// CHECK:           rocdl.update.dpp {{.*}} with 354,
// CHECK:           rocdl.update.dpp {{.*}} with 356,
// CHECK:           rocdl.update.dpp {{.*}} with 360,
// CHECK:           rocdl.permlanex16
// CHECK:           scf.if
// CHECK:             memref.store %{{.*}}, %[[MEMORY]]
// CHECK:           gpu.barrier
// CHECK-COUNT-2:   memref.load %[[MEMORY]]
// CHECK:           scf.if
// CHECK:             memref.store
func.func private @sum(%x: memref<3x1067xf32>, %out: memref<3xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.gpu_tiling<grid = [3], lanes = [1, 64], vector = 1 by 4, unroll = [1, 2], order = [0, 1], contract = none, waves = [1, 1], mode = cu>]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloca() : memref<3xf32, #gpu.address_space<workgroup>>
  linalg.fill ins(%zero : f32) outs(%acc : memref<3xf32, #gpu.address_space<workgroup>>)
  linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<3x1067xf32>) outs(%acc : memref<3xf32, #gpu.address_space<workgroup>>) {
  ^bb0(%p: f32, %a: f32):
    %s = arith.addf %a, %p : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%acc : memref<3xf32, #gpu.address_space<workgroup>>) outs(%out : memref<3xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  }
  return
}

// -----

// A guard that fails is a selected place and a selected value, never a mask or a branch.
// CHECK-LABEL: func.func private @pad
// CHECK:         scf.if
// CHECK:           vector.load
// CHECK:         } else {
// CHECK-NOT:       {{maskedload|gather|scf.if}}
// CHECK:           %[[P:.*]] = arith.select %{{.*}}, %{{.*}}, %c0 : index
// CHECK:           memref.load %{{.*}}[%[[P]]]
// CHECK:           arith.select {{.*}} vector<4xf32>
// CHECK:           vector.store
func.func private @pad(%x: memref<32xf32>, %out: memref<36xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.gpu_tiling<grid = [36], lanes = [32], vector = 0 by 4, unroll = [1], order = [0], contract = none, waves = [1, 1], mode = cu>]} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%out : memref<36xf32>) {
  ^bb0(%q: f32):
    %i = linalg.index 0 : index
    %v = tiny.read %x[%i] affine_map<(i) -> (i - 2)> where affine_map<(i) -> (i)> in [2] to [34] else [1.0 : f32] : memref<32xf32> -> f32
    linalg.yield %v : f32
  }
  return
}

// -----

// Nests that a local connects: one workgroup, its lanes step by step, and a barrier where one nest
// reads what another has written.
// CHECK-LABEL: func.func private @chain
// CHECK-NOT:     scf.forall
// CHECK:         %[[LOCAL:.*]] = memref.alloca
// CHECK:         scf.for %{{.*}} = %c0 to %c96 step %c32
// CHECK:           arith.cmpi ult, %{{.*}}, %c70
// CHECK:           memref.store %{{.*}}[
// CHECK:         gpu.barrier
// CHECK:         scf.for
// CHECK-NOT:     gpu.barrier
// CHECK:         return
#id = affine_map<(i) -> (i)>
#tiling = #tiny.gpu_tiling<grid = [70], lanes = [32], vector = 0 by 1, unroll = [1], order = [0], contract = none, waves = [1, 1], mode = cu>
func.func private @chain(%x: memref<70xf32>, %out: memref<70xf32>) attributes {tiny.kernel, tiny.tiling = [#tiling, #tiling]} {
  %local = memref.alloca() {alignment = 16 : i64} : memref<70xf32, #gpu.address_space<workgroup>>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<70xf32>) outs(%local : memref<70xf32, #gpu.address_space<workgroup>>) {
  ^bb0(%p: f32, %q: f32):
    %s = arith.addf %p, %p : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%out : memref<70xf32>) {
  ^bb0(%q: f32):
    %i = linalg.index 0 : index
    %v = tiny.read %local[%i] affine_map<(i) -> (-i + 69)> where affine_map<(i) -> ()> in [] to [] else [] : memref<70xf32, #gpu.address_space<workgroup>> -> f32
    linalg.yield %v : f32
  }
  return
}

// -----

func.func private @uneven(%x: memref<3x64xf32>, %out: memref<3xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.gpu_tiling<grid = [3], lanes = [1, 32], vector = 1 by 1, unroll = [2, 1], order = [0, 1], contract = none, waves = [1, 1], mode = cu>]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloca() : memref<3xf32, #gpu.address_space<workgroup>>
  linalg.fill ins(%zero : f32) outs(%acc : memref<3xf32, #gpu.address_space<workgroup>>)
  linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<3x64xf32>) outs(%acc : memref<3xf32, #gpu.address_space<workgroup>>) {
  ^bb0(%p: f32, %a: f32):
    %s = arith.addf %a, %p : f32
    linalg.yield %s : f32
  }
  // expected-error @below {{has lanes along a reduction and a loop of size 3, which the tile}}
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%acc : memref<3xf32, #gpu.address_space<workgroup>>) outs(%out : memref<3xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  }
  return
}

// -----

// expected-error @below {{is a kernel whose locals need 80000 bytes per workgroup; there are 65536}}
func.func private @large(%x: memref<20000xf32>, %out: memref<20000xf32>) attributes {tiny.kernel, tiny.tiling = [
    #tiny.gpu_tiling<grid = [20000], lanes = [32], vector = 0 by 1, unroll = [1], order = [0], contract = none, waves = [1, 1], mode = cu>,
    #tiny.gpu_tiling<grid = [20000], lanes = [32], vector = 0 by 1, unroll = [1], order = [0], contract = none, waves = [1, 1], mode = cu>]} {
  %local = memref.alloca() {alignment = 16 : i64} : memref<20000xf32, #gpu.address_space<workgroup>>
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : memref<20000xf32>) outs(%local : memref<20000xf32, #gpu.address_space<workgroup>>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  }
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%local : memref<20000xf32, #gpu.address_space<workgroup>>) outs(%out : memref<20000xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  }
  return
}

// -----

// A product of a local in the workgroup that computes it: what WMMA reads is brought to words of LDS that no
// local has, the local's part behind a barrier and rounded to f16 on its way; two tiles of columns, one after
// the other.
// CHECK-LABEL: func.func private @weights_times_values
// CHECK-SAME:    tiny.block = 32
// CHECK-NOT:     linalg
// CHECK:         %[[STAGED:.*]] = memref.alloca() {alignment = 16 : i64} : memref<640xi32, #gpu.address_space<workgroup>>
// CHECK:         scf.forall (%[[HEAD:.*]]) in (3)
// CHECK:           %[[LOCAL:.*]] = memref.alloca() {{.*}} memref<16x32xf32, #gpu.address_space<workgroup>>
// CHECK:           vector.store {{.*}} vector<4xf32>
// CHECK:           gpu.barrier
// CHECK:           scf.for %{{.*}} = %c0 to %c2 step %c1
// CHECK:             amdgpu.lds_barrier
// CHECK:             vector.load {{.*}} memref<512xf32, #gpu.address_space<workgroup>>, vector<4xf32>
// CHECK:             arith.truncf {{.*}} vector<4xf32> to vector<4xf16>
// CHECK:             amdgpu.raw_buffer_load {{.*}} vector<2xf16>
// CHECK:             vector.store {{.*}}, %[[STAGED]]
// CHECK:             amdgpu.lds_barrier
// CHECK:             vector.load %[[STAGED]]
// CHECK-COUNT-2:     amdgpu.wmma 16x16x16 {{.*}} : vector<16xf16>, vector<16xf16>, vector<8xf32>
// CHECK-NOT:         amdgpu.wmma
// CHECK-COUNT-8:     memref.store
func.func private @weights_times_values(%x: memref<3x16x32xf32>, %v: memref<3x32x32xf16>, %out: memref<3x16x32xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.gpu_tiling<grid = [16, 32], lanes = [1, 32], vector = 1 by 4, unroll = [1, 1], order = [0, 1], contract = none, waves = [1, 1], mode = cu>,
                                            #tiny.gpu_tiling<grid = [16, 32], lanes = [1, 32, 1], vector = 1 by 1, unroll = [16, 16, 32], order = [0, 1, 2], contract = wmma, waves = [1, 1], mode = cu>]} {
  %zero = arith.constant 0.0 : f32
  scf.forall (%head) in (3) {
    %w = memref.alloca() {alignment = 16 : i64} : memref<16x32xf32, #gpu.address_space<workgroup>>
    %xs = memref.subview %x[%head, 0, 0] [1, 16, 32] [1, 1, 1] : memref<3x16x32xf32> to memref<16x32xf32, strided<[32, 1], offset: ?>>
    %vs = memref.subview %v[%head, 0, 0] [1, 32, 32] [1, 1, 1] : memref<3x32x32xf16> to memref<32x32xf16, strided<[32, 1], offset: ?>>
    %outs = memref.subview %out[%head, 0, 0] [1, 16, 32] [1, 1, 1] : memref<3x16x32xf32> to memref<16x32xf32, strided<[32, 1], offset: ?>>
    linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%xs : memref<16x32xf32, strided<[32, 1], offset: ?>>) outs(%w : memref<16x32xf32, #gpu.address_space<workgroup>>) {
    ^bb0(%p: f32, %q: f32):
      %s = math.exp2 %p : f32
      linalg.yield %s : f32
    }
    %acc = memref.alloca() : memref<16x32xf32, #gpu.address_space<workgroup>>
    linalg.fill ins(%zero : f32) outs(%acc : memref<16x32xf32, #gpu.address_space<workgroup>>)
    linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%w, %vs : memref<16x32xf32, #gpu.address_space<workgroup>>, memref<32x32xf16, strided<[32, 1], offset: ?>>) outs(%acc : memref<16x32xf32, #gpu.address_space<workgroup>>) {
    ^bb0(%p: f32, %q: f16, %o: f32):
      %narrow = arith.truncf %p : f32 to f16
      %a = arith.extf %narrow : f16 to f32
      %b = arith.extf %q : f16 to f32
      %m = arith.mulf %a, %b : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
    }
    linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%acc : memref<16x32xf32, #gpu.address_space<workgroup>>) outs(%outs : memref<16x32xf32, strided<[32, 1], offset: ?>>) {
    ^bb0(%p: f32, %q: f32):
      linalg.yield %p : f32
    }
  }
  return
}

// -----

// What a unit multiplies alone has workgroups of its own, and is none of this pass's.
func.func private @alone(%x: memref<16x16xf16>, %y: memref<16x16xf16>, %out: memref<16x16xf32>)
    attributes {tiny.kernel, tiny.tiling = [#tiny.gpu_tiling<grid = [16, 16], lanes = [1, 32, 1], vector = 1 by 1, unroll = [16, 16, 16], order = [0, 1, 2], contract = wmma, waves = [1, 1], mode = cu>]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloca() : memref<16x16xf32, #gpu.address_space<workgroup>>
  linalg.fill ins(%zero : f32) outs(%acc : memref<16x16xf32, #gpu.address_space<workgroup>>)
  linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<16x16xf16>, memref<16x16xf16>) outs(%acc : memref<16x16xf32, #gpu.address_space<workgroup>>) {
  ^bb0(%p: f16, %q: f16, %o: f32):
    %a = arith.extf %p : f16 to f32
    %b = arith.extf %q : f16 to f32
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  }
  // expected-error @below {{is no contraction of a workgroup of 32 lanes, with other nests in it, that}}
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<16x16xf32, #gpu.address_space<workgroup>>) outs(%out : memref<16x16xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  }
  return
}
