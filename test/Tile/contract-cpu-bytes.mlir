// RUN: tiny-opt %s --tiny-tile-contract-cpu --split-input-file | FileCheck %s -enable-var-scope

#mk = affine_map<(m, n, k) -> (m, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#sum = ["parallel", "parallel", "reduction"]

// Four steps of the depth are one element. Rows lie in memory as they are multiplied, bytes that are
// contiguous along the depth, and columns do so in panels: nothing is packed.
// CHECK-LABEL: func.func private @in_place
// CHECK-NOT:     vector.store
// CHECK:         scf.for {{.*}} iter_args
// CHECK:           %[[COLUMN:.*]] = vector.load {{.*}} memref<1280xi8>, vector<64xi8>
// CHECK:           %[[ROW:.*]] = vector.load {{.*}} memref<160xi8>, vector<4xi8>
// CHECK:           %[[DOT:.*]] = vector.bitcast %[[ROW]] : vector<4xi8> to vector<1xi32>
// CHECK:           %[[NUMBER:.*]] = vector.extract %[[DOT]][0]
// CHECK:           %[[ALL:.*]] = vector.broadcast %[[NUMBER]] : i32 to vector<16xi32>
// CHECK:           %[[BYTES:.*]] = vector.bitcast %[[ALL]] : vector<16xi32> to vector<64xi8>
// CHECK:           llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%{{.*}}, %[[BYTES]], %[[COLUMN]]) : (vector<16xi32>, vector<64xi8>, vector<64xi8>) -> vector<16xi32>
// CHECK:         return
func.func private @in_place(%x: memref<4x40xi8>, %y: memref<1x10x32x4xi8>, %out: memref<4x32xi32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 4, 32>, depth = 10 : i64,
                                             registers = array<i64: 2, 2>, lanes = 16 : i64,
                                             packed = array<i64: 0, 0>, dot = 4}]} {
  %zero = arith.constant 0 : i32
  %acc = memref.alloc() : memref<4x32xi32>
  linalg.fill ins(%zero : i32) outs(%acc : memref<4x32xi32>)
  linalg.generic {indexing_maps = [#mk, #mn], iterator_types = #sum}
      ins(%x : memref<4x40xi8>) outs(%acc : memref<4x32xi32>) {
  ^bb0(%p: i8, %a: i32):
    %n = linalg.index 1 : index
    %k = linalg.index 2 : index
    %q = tiny.read %y[%n, %k] affine_map<(n, k) -> (n floordiv 32, k floordiv 4, n mod 32, k mod 4)>
         where affine_map<(n, k) -> ()> in [] to [] else [] : memref<1x10x32x4xi8> -> i8
    %p32 = arith.extui %p : i8 to i32
    %q32 = arith.extsi %q : i8 to i32
    %m = arith.muli %p32, %q32 : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<4x32xi32>) outs(%out : memref<4x32xi32>) {
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

// Both factors are u8 minus a zero point: rows from -113 on are bytes without a sign, columns from
// -77 are bytes with one behind 51 (the offset that makes up for it is -77 + 128). Rows are added up
// once for each strip, columns in the loop of the products, and the product of the offsets, -113 * 51
// * 37, is what sums start from. Behind the last of 37 steps there are zeros.
// CHECK-LABEL: func.func private @offsets
// CHECK-DAG:     %[[ROW_OFFSET:.*]] = arith.constant dense<-113> : vector<8xi32>
// CHECK-DAG:     %[[COLUMN_OFFSET:.*]] = arith.constant dense<51> : vector<8xi32>
// CHECK-DAG:     %[[FIRST:.*]] = arith.constant dense<-213231> : vector<8xi32>
// CHECK-DAG:     %[[PACKED_ONES:.*]] = arith.constant dense<16843009> : vector<8xi32>
// CHECK:         scf.for {{.*}} to %c10 step %c1
// CHECK:           arith.subi
// CHECK:           arith.trunci {{.*}} : vector<8xi32> to vector<8xi8>
// CHECK:         %[[ONES:.*]] = vector.bitcast %[[PACKED_ONES]] : vector<8xi32> to vector<32xi8>
// CHECK:         %[[ROWS:.*]]:2 = scf.for
// CHECK-COUNT-2:   "llvm.x86.avx512.vpdpbusd.256"(%{{.*}}, %{{.*}}, %[[ONES]])
// CHECK-DAG:     %[[ROW0:.*]] = arith.muli %[[ROWS]]#0, %[[COLUMN_OFFSET]]
// CHECK-DAG:     %[[ROW1:.*]] = arith.muli %[[ROWS]]#1, %[[COLUMN_OFFSET]]
// CHECK:         %[[SUMS:.*]]:3 = scf.for {{.*}} iter_args({{.*}} = %[[FIRST]], {{.*}} = %[[FIRST]], {{.*}} = %{{.*}})
// CHECK-COUNT-2:   "llvm.x86.avx512.vpdpbusd.256"
// CHECK:           "llvm.x86.avx512.vpdpbusd.256"(%{{.*}}, %[[ONES]], %{{.*}})
// CHECK:         %[[COLUMN:.*]] = arith.muli %[[SUMS]]#2, %[[ROW_OFFSET]]
// CHECK-DAG:     %[[SUM0:.*]] = arith.addi %[[SUMS]]#0, %[[COLUMN]]
// CHECK-DAG:     arith.addi %[[SUM0]], %[[ROW0]]
// CHECK-DAG:     %[[SUM1:.*]] = arith.addi %[[SUMS]]#1, %[[COLUMN]]
// CHECK-DAG:     arith.addi %[[SUM1]], %[[ROW1]]
// CHECK:         return
func.func private @offsets(%x: memref<2x37xi8>, %y: memref<37x8xi8>, %out: memref<2x8xi32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 2, 8>, depth = 10 : i64,
                                             registers = array<i64: 2, 1>, lanes = 8 : i64,
                                             packed = array<i64: 1, 1>, dot = 4}]} {
  %zero = arith.constant 0 : i32
  %point = arith.constant 113 : i32
  %other = arith.constant 77 : i32
  %acc = memref.alloc() : memref<2x8xi32>
  linalg.fill ins(%zero : i32) outs(%acc : memref<2x8xi32>)
  linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = #sum}
      ins(%x, %y : memref<2x37xi8>, memref<37x8xi8>) outs(%acc : memref<2x8xi32>) {
  ^bb0(%p: i8, %q: i8, %a: i32):
    %p32 = arith.extui %p : i8 to i32
    %shifted = arith.subi %p32, %point : i32
    %q32 = arith.extui %q : i8 to i32
    %moved = arith.subi %q32, %other : i32
    %m = arith.muli %shifted, %moved : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<2x8xi32>) outs(%out : memref<2x8xi32>) {
  ^bb0(%a: i32, %o: i32):
    linalg.yield %a : i32
  }
  return
}
