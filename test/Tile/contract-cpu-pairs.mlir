// RUN: tiny-opt %s --tiny-tile-contract-cpu --split-input-file --verify-diagnostics | FileCheck %s -enable-var-scope

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#sum = ["parallel", "parallel", "reduction"]

// AVX2. u8 minus a zero point and i8 have 16 bits at most: two steps of the depth are one element of a panel.
// Columns come by vectors of each step, rows by vectors along the depth, which have both steps already.
// The depth is odd: the last pair has a 0 in its upper half.
// CHECK-LABEL: func.func private @avx2
// CHECK:         memref.view {{.*}} to memref<304xi32>
// CHECK:         scf.for {{.*}} to %c19 step %c1
// CHECK:           %[[LOW:.*]] = vector.load {{.*}} vector<8xi8>
// CHECK:           %[[LOW16:.*]] = arith.extsi %[[LOW]]
// CHECK:           %[[LOW32:.*]] = arith.extui %[[LOW16]]
// CHECK:           %[[EXISTS:.*]] = arith.cmpi slt, {{.*}}, %c37
// CHECK:           arith.minsi {{.*}}, %c36
// CHECK:           vector.load {{.*}} vector<8xi8>
// CHECK:           %[[HIGH:.*]] = arith.select %[[EXISTS]]
// CHECK:           %[[SHIFTED:.*]] = arith.shli %[[HIGH]]
// CHECK:           arith.ori %[[LOW32]], %[[SHIFTED]]
// CHECK:         scf.for {{.*}} to %c16 step %c8
// CHECK:           vector.load {{.*}} vector<16xi8>
// CHECK:           arith.subi {{.*}} : vector<16xi32>
// CHECK:           arith.trunci {{.*}} : vector<16xi32> to vector<16xi16>
// CHECK:           vector.bitcast {{.*}} : vector<16xi16> to vector<8xi32>
// CHECK:         scf.for {{.*}} iter_args
// CHECK:           vector.broadcast {{.*}} : i32 to vector<8xi32>
// CHECK:           llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"({{.*}}) : (vector<16xi16>, vector<16xi16>) -> vector<8xi32>
// CHECK:           arith.addi {{.*}} : vector<8xi32>
// CHECK-COUNT-3:   llvm.call_intrinsic
// CHECK-NOT:       llvm.call_intrinsic
// CHECK:         return
func.func private @avx2(%x: memref<4x37xi8>, %y: memref<37x16xi8>, %out: memref<4x16xi32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 4, 16>, depth = 19 : i64,
                                             registers = array<i64: 2, 2>, lanes = 8 : i64,
                                             packed = array<i64: 1, 1>, dot = 2}]} {
  %zero = arith.constant 0 : i32
  %point = arith.constant 113 : i32
  %acc = memref.alloc() : memref<4x16xi32>
  linalg.fill ins(%zero : i32) outs(%acc : memref<4x16xi32>)
  linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = #sum}
      ins(%x, %y : memref<4x37xi8>, memref<37x16xi8>) outs(%acc : memref<4x16xi32>) {
  ^bb0(%p: i8, %q: i8, %a: i32):
    %p32 = arith.extui %p : i8 to i32
    %shifted = arith.subi %p32, %point : i32
    %q32 = arith.extsi %q : i8 to i32
    %m = arith.muli %shifted, %q32 : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<4x16xi32>) outs(%out : memref<4x16xi32>) {
  ^bb0(%a: i32, %o: i32):
    linalg.yield %a : i32
  }
  return
}

// -----

#fcij = affine_map<(f, y, x, c, i, j) -> (f, c, i, j)>
#fyx = affine_map<(f, y, x, c, i, j) -> (f, y, x)>
#id = affine_map<(f, y, x) -> (f, y, x)>

// AVX-512. Of the loops of a window, that of the channels is walked in pairs, since three taps have no
// second half. The order of the depth does not matter, and sums wait between blocks as they are.
// CHECK-LABEL: func.func private @avx512
// CHECK:         scf.for %[[PAIR:.*]] = %c0 to %c4 step %c1
// CHECK:           scf.for {{.*}} to %c3 step
// CHECK:             scf.for {{.*}} to %c3 step
// CHECK:               vector.load {{.*}} vector<16xi8>
// CHECK:               vector.load {{.*}} vector<16xi8>
// CHECK-NOT:           arith.select
// CHECK:               arith.ori {{.*}} : vector<16xi32>
// CHECK:         llvm.call_intrinsic "llvm.x86.avx512.pmaddw.d.512"({{.*}}) : (vector<32xi16>, vector<32xi16>) -> vector<16xi32>
// CHECK:         return
func.func private @avx512(%w: memref<4x8x3x3xi8>, %x: memref<8x18x18xi8>, %out: memref<4x16x16xi32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 4, 256>, depth = 36 : i64,
                                             registers = array<i64: 4, 2>, lanes = 16 : i64,
                                             packed = array<i64: 1, 1>, dot = 2}]} {
  %zero = arith.constant 0 : i32
  %acc = memref.alloc() : memref<4x16x16xi32>
  linalg.fill ins(%zero : i32) outs(%acc : memref<4x16x16xi32>)
  linalg.generic {indexing_maps = [#fcij, #fyx],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%w : memref<4x8x3x3xi8>) outs(%acc : memref<4x16x16xi32>) {
  ^bb0(%p: i8, %a: i32):
    %y = linalg.index 1 : index
    %xx = linalg.index 2 : index
    %c = linalg.index 3 : index
    %i = linalg.index 4 : index
    %j = linalg.index 5 : index
    %q = tiny.read %x[%c, %y, %i, %xx, %j]
        affine_map<(c, y, i, x, j) -> (c, y + i, x + j)>
        where affine_map<(c, y, i, x, j) -> (y + i)> in [0] to [18] else [0 : i8]
        : memref<8x18x18xi8> -> i8
    %p32 = arith.extsi %p : i8 to i32
    %q32 = arith.extsi %q : i8 to i32
    %m = arith.muli %p32, %q32 : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%acc : memref<4x16x16xi32>) outs(%out : memref<4x16x16xi32>) {
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

// Sixteen bits without a sign are one too many: no pairs, and so no panels.
// CHECK-LABEL: func.func private @too_wide
// CHECK-SAME:    tiny.tiling = [#tiny.tiling<
// CHECK-NOT:     llvm.call_intrinsic
// CHECK:         return
func.func private @too_wide(%x: memref<4x32xi16>, %y: memref<32x16xi8>, %out: memref<4x16xi32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 4, 16>, depth = 16 : i64,
                                             registers = array<i64: 2, 2>, lanes = 8 : i64,
                                             packed = array<i64: 1, 1>, dot = 2}]} {
  %zero = arith.constant 0 : i32
  %acc = memref.alloc() : memref<4x16xi32>
  linalg.fill ins(%zero : i32) outs(%acc : memref<4x16xi32>)
  linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<4x32xi16>, memref<32x16xi8>) outs(%acc : memref<4x16xi32>) {
  ^bb0(%p: i16, %q: i8, %a: i32):
    %p32 = arith.extui %p : i16 to i32
    %q32 = arith.extsi %q : i8 to i32
    %m = arith.muli %p32, %q32 : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<4x16xi32>) outs(%out : memref<4x16xi32>) {
  ^bb0(%a: i32, %o: i32):
    linalg.yield %a : i32
  }
  return
}
