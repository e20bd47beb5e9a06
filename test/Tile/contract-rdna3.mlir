// RUN: tiny-opt %s --tiny-tile-contract-rdna3 --split-input-file --verify-diagnostics | FileCheck %s -enable-var-scope

// C = A * transposed B. One workgroup per tile; four waves of 64 by 64: 16 products of matrices per 16
// elements of the depth. What the next step needs is loaded before the products of this one and
// stored behind them; all of it 16 bytes wide.
// CHECK-LABEL: func.func private @transposed
// CHECK-SAME:    tiny.block = 128 : i64
// CHECK-SAME:    tiny.mode = "wgp"
// CHECK-SAME:    tiny.tiling = []
// CHECK:         memref.alloca() {alignment = 16 : i64} : memref<10240xi32, #gpu.address_space<workgroup>>
// CHECK:         scf.forall {{.*}} in (4, 2)
// CHECK-COUNT-8:   amdgpu.raw_buffer_load {{.*}} -> vector<8xf16>
// CHECK:           amdgpu.lds_barrier
// CHECK:           scf.for %{{.*}} = %{{.*}} to %{{.*}} step %{{.*}} iter_args
// CHECK-COUNT-8:     amdgpu.raw_buffer_load {{.*}} sgprOffset {{.*}} -> vector<8xf16>
// CHECK-NOT:         raw_buffer_load
// CHECK-COUNT-32:    amdgpu.wmma 16x16x16 {{.*}} : vector<16xf16>, vector<16xf16>, vector<8xf32>
// CHECK-COUNT-8:     vector.store {{.*}} {alignment = 16 : i64} : {{.*}}, vector<4xi32>
// CHECK:             amdgpu.lds_barrier
// CHECK-COUNT-8:     amdgpu.raw_buffer_load {{.*}} sgprOffset {{.*}} -> vector<8xf16>
// CHECK-COUNT-32:    amdgpu.wmma
// CHECK-NOT:         arith.select
// CHECK:             amdgpu.lds_barrier
// CHECK:             scf.yield
// CHECK:           arith.truncf %{{.*}} : f32 to f16
// CHECK-NOT:     linalg
// CHECK:         return
#wmma = #tiny.gpu_tiling<grid = [128, 128], lanes = [2, 64, 1], vector = 1 by 1, unroll = [1, 1, 32],
                         order = [0, 1, 2], contract = wmma, waves = [2, 2], mode = wgp>
func.func private @transposed(%x: memref<512x1024xf16>, %y: memref<256x1024xf16>, %out: memref<512x256xf16>)
    attributes {tiny.kernel, tiny.tiling = [#wmma]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloc() : memref<512x256xf32>
  linalg.fill ins(%zero : f32) outs(%acc : memref<512x256xf32>)
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<512x1024xf16>, memref<256x1024xf16>) outs(%acc : memref<512x256xf32>) {
  ^bb0(%p: f16, %q: f16, %a: f32):
    %p32 = arith.extf %p : f16 to f32
    %q32 = arith.extf %q : f16 to f32
    %m = arith.mulf %p32, %q32 : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<512x256xf32>) outs(%out : memref<512x256xf16>) {
  ^bb0(%a: f32, %o: f16):
    %r = arith.truncf %a : f32 to f16
    linalg.yield %r : f16
  }
  return
}

// -----

// A row-major second factor: each lane loads 8 rows of the depth, every second step, and transposes
// the block in registers, a pair of halves by one instruction.
// CHECK-LABEL: func.func private @row_major
// CHECK:         scf.for
// CHECK-COUNT-12:  amdgpu.raw_buffer_load {{.*}} -> vector<8xf16>
// CHECK-COUNT-32:  amdgpu.wmma
// CHECK:           amdgpu.lds_barrier
// CHECK-COUNT-4:   amdgpu.raw_buffer_load {{.*}} -> vector<8xf16>
// CHECK-COUNT-32:  amdgpu.wmma
// CHECK-COUNT-32:  llvm.call_intrinsic "llvm.amdgcn.perm"
// CHECK:           amdgpu.lds_barrier
#wmma = #tiny.gpu_tiling<grid = [128, 128], lanes = [2, 64, 1], vector = 1 by 1, unroll = [1, 1, 32],
                         order = [0, 1, 2], contract = wmma, waves = [2, 2], mode = wgp>
func.func private @row_major(%x: memref<512x1024xf16>, %y: memref<1024x256xf16>, %out: memref<512x256xf32>)
    attributes {tiny.kernel, tiny.tiling = [#wmma]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloc() : memref<512x256xf32>
  linalg.fill ins(%zero : f32) outs(%acc : memref<512x256xf32>)
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<512x1024xf16>, memref<1024x256xf16>) outs(%acc : memref<512x256xf32>) {
  ^bb0(%p: f16, %q: f16, %a: f32):
    %p32 = arith.extf %p : f16 to f32
    %q32 = arith.extf %q : f16 to f32
    %m = arith.mulf %p32, %q32 : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<512x256xf32>) outs(%out : memref<512x256xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

// f32, of sizes that nothing divides: lanes beyond the end load from beyond the buffer, only the last
// step asks where the depth ends, and stores of whole tiles are vectors in a branch of their own.
// CHECK-LABEL: func.func private @primes
// CHECK-SAME:    tiny.block = 64 : i64
// CHECK:         scf.forall {{.*}} in (4, 2)
// CHECK:           arith.select %{{.*}}, %{{.*}}, %c536870912_i32
// CHECK:           scf.for
// CHECK-NOT:         arith.cmpi
// CHECK:             amdgpu.raw_buffer_load
// CHECK-COUNT-64:    math.fma
// CHECK:             scf.yield
// CHECK:           scf.if
// CHECK:             memref.store
// CHECK:           } else {
// CHECK:             scf.if
// CHECK:               memref.store
#fma = #tiny.gpu_tiling<grid = [32, 64], lanes = [8, 8, 1], vector = 1 by 4, unroll = [1, 1, 8],
                        order = [0, 1, 2], contract = fma, waves = [2, 1], mode = cu>
func.func private @primes(%x: memref<101x67xf32>, %y: memref<67x103xf32>, %out: memref<101x103xf32>)
    attributes {tiny.kernel, tiny.tiling = [#fma]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloc() : memref<101x103xf32>
  linalg.fill ins(%zero : f32) outs(%acc : memref<101x103xf32>)
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<101x67xf32>, memref<67x103xf32>) outs(%acc : memref<101x103xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<101x103xf32>) outs(%out : memref<101x103xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

// Three waves share no tile of two.
#wmma = #tiny.gpu_tiling<grid = [32, 32], lanes = [1, 96, 1], vector = 1 by 1, unroll = [1, 1, 32],
                         order = [0, 1, 2], contract = wmma, waves = [1, 3], mode = wgp>
func.func private @misfit(%x: memref<32x64xi8>, %y: memref<64x32xi8>, %out: memref<32x32xi32>)
    attributes {tiny.kernel, tiny.tiling = [#wmma]} {
  %zero = arith.constant 0 : i32
  %acc = memref.alloc() : memref<32x32xi32>
  linalg.fill ins(%zero : i32) outs(%acc : memref<32x32xi32>)
  // expected-error@+1 {{is no contraction that #tiny.gpu_tiling<grid = [32, 32], lanes = [1, 96, 1]}}
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<32x64xi8>, memref<64x32xi8>) outs(%acc : memref<32x32xi32>) {
  ^bb0(%p: i8, %q: i8, %a: i32):
    %p32 = arith.extsi %p : i8 to i32
    %q32 = arith.extsi %q : i8 to i32
    %m = arith.muli %p32, %q32 : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  }
  linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<32x32xi32>) outs(%out : memref<32x32xi32>) {
  ^bb0(%a: i32, %o: i32):
    linalg.yield %a : i32
  }
  return
}
