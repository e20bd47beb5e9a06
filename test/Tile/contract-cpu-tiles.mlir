// RUN: tiny-opt %s --tiny-tile-contract-cpu --split-input-file | FileCheck %s -enable-var-scope

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#sum = ["parallel", "parallel", "reduction"]

// Rows and columns lie in memory as tiles are loaded: rows of bytes 128 apart, panels of 32 columns of
// dots. Both have a sign, which vectors could not multiply without an offset. Sums go through memory
// to the epilogue, a row at a time.
// CHECK-LABEL: func.func private @in_place
// CHECK-DAG:     %[[ROW_STRIDE:.*]] = arith.constant 128 : index
// CHECK-DAG:     %[[WIDTH:.*]] = arith.constant 32 : index
// CHECK-DAG:     %[[STEP:.*]] = arith.constant 16 : index
// CHECK-COUNT-4: amx.tile_zero : !amx.tile<16x16xi32>
// CHECK-NOT:     amx.tile_zero
// CHECK:         %[[SUMS:.*]]:4 = scf.for {{.*}} step %[[STEP]] iter_args
// CHECK:           %[[COLUMN0:.*]] = amx.tile_load {{.*}}, %[[ROW_STRIDE]] : memref<4096xi8> into !amx.tile<16x64xi8>
// CHECK:           %[[COLUMN1:.*]] = amx.tile_load {{.*}}, %[[ROW_STRIDE]] : memref<4096xi8> into !amx.tile<16x64xi8>
// CHECK:           %[[ROW0:.*]] = amx.tile_load {{.*}}, %[[ROW_STRIDE]] : memref<4096xi8> into !amx.tile<16x64xi8>
// CHECK:           amx.tile_muli %[[ROW0]], %[[COLUMN0]],
// CHECK:           amx.tile_muli %[[ROW0]], %[[COLUMN1]],
// CHECK:           %[[ROW1:.*]] = amx.tile_load
// CHECK:           amx.tile_muli %[[ROW1]], %[[COLUMN0]],
// CHECK:           amx.tile_muli %[[ROW1]], %[[COLUMN1]],
// CHECK:         amx.tile_store {{.*}}, %[[SUMS]]#0, %[[WIDTH]] : memref<1024xi32>
// CHECK:         amx.tile_store {{.*}}, %[[SUMS]]#3, %[[WIDTH]] : memref<1024xi32>
// CHECK:         scf.for
// CHECK-COUNT-2:   vector.load {{.*}} memref<1024xi32>, vector<16xi32>
// CHECK:         return
func.func private @in_place(%x: memref<32x128xi8>, %y: memref<1x32x32x4xi8>, %out: memref<32x32xi32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 32, 32>, depth = 32 : i64,
                                             registers = array<i64: 32, 2>, lanes = 16 : i64,
                                             packed = array<i64: 0, 0>, dot = 4, tiles}]} {
  %zero = arith.constant 0 : i32
  %acc = memref.alloc() : memref<32x32xi32>
  linalg.fill ins(%zero : i32) outs(%acc : memref<32x32xi32>)
  linalg.generic {indexing_maps = [#mk, #mn], iterator_types = #sum}
      ins(%x : memref<32x128xi8>) outs(%acc : memref<32x32xi32>) {
  ^bb0(%p: i8, %a: i32):
    %n = linalg.index 1 : index
    %k = linalg.index 2 : index
    %q = tiny.read %y[%n, %k] affine_map<(n, k) -> (n floordiv 32, k floordiv 4, n mod 32, k mod 4)>
         where affine_map<(n, k) -> ()> in [] to [] else [] : memref<1x32x32x4xi8> -> i8
    %p32 = arith.extsi %p : i8 to i32
    %q32 = arith.extsi %q : i8 to i32
    %m = arith.muli %p32, %q32 : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<32x32xi32>) outs(%out : memref<32x32xi32>) {
  ^bb0(%a: i32, %o: i32):
    linalg.yield %a : i32
  }
  return
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#sum = ["parallel", "parallel", "reduction"]

// 45 steps are 23 pairs, in blocks of 16: in both factors, zeros are behind the last ones. Sums wait as
// tiles, which the next block loads.
// CHECK-LABEL: func.func private @blocks
// CHECK-DAG:     %[[ZEROS:.*]] = arith.constant dense<0> : vector<16xi32>
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK:         vector.store %[[ZEROS]], {{.*}} memref<256xi32>
// CHECK:         memref.store %[[ZERO]], {{.*}} memref<256xi32>
// CHECK:         %[[FIRST:.*]] = scf.if {{.*}} -> (!amx.tile<16x16xf32>)
// CHECK:           amx.tile_zero
// CHECK:           amx.tile_load {{.*}} memref<256xf32>
// CHECK:         %[[SUM:.*]] = scf.for {{.*}} iter_args({{.*}} = %[[FIRST]])
// CHECK-COUNT-2:   amx.tile_load {{.*}} : memref<256xi32> into !amx.tile<16x32xbf16>
// CHECK:           amx.tile_mulf
// CHECK:         amx.tile_store {{.*}}, %[[SUM]], {{.*}} memref<256xf32>
// CHECK:         return
func.func private @blocks(%x: memref<16x45xf32>, %y: memref<45x16xf32>, %out: memref<16x16xf32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 16, 16>, depth = 16 : i64,
                                             registers = array<i64: 16, 1>, lanes = 16 : i64,
                                             packed = array<i64: 1, 1>, dot = 2, tiles}]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloc() : memref<16x16xf32>
  linalg.fill ins(%zero : f32) outs(%acc : memref<16x16xf32>)
  linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = #sum}
      ins(%x, %y : memref<16x45xf32>, memref<45x16xf32>) outs(%acc : memref<16x16xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<16x16xf32>) outs(%out : memref<16x16xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  return
}
