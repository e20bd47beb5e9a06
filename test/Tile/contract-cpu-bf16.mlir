// RUN: tiny-opt %s --tiny-tile-contract-cpu --split-input-file | FileCheck %s -enable-var-scope

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#sum = ["parallel", "parallel", "reduction"]

// Sums of f32 with `pairs`: packing rounds both factors to bf16, and puts two steps of the depth into one i32.
// Columns come by vectors of each step, rows by vectors along the depth, which have both steps already. The
// depth is odd: the last pair has a 0 in its upper half.
// CHECK-LABEL: func.func private @f32
// CHECK-SAME:    tiny.bf16_products
// CHECK:         memref.view {{.*}} to memref<608xi32>
// CHECK:         memref.view {{.*}} to memref<38xi32>
// CHECK:         scf.for {{.*}} to %c19 step %c1
// CHECK:           %[[A:.*]] = vector.load {{.*}} vector<16xf32>
// CHECK:           %[[A16:.*]] = arith.truncf %[[A]] : vector<16xf32> to vector<16xbf16>
// CHECK:           %[[ABITS:.*]] = arith.bitcast %[[A16]] : vector<16xbf16> to vector<16xi16>
// CHECK:           %[[LOW:.*]] = arith.extui %[[ABITS]] : vector<16xi16> to vector<16xi32>
// CHECK:           %[[EXISTS:.*]] = arith.cmpi slt, {{.*}}, %c37
// CHECK:           vector.load {{.*}} vector<16xf32>
// CHECK:           arith.truncf
// CHECK:           %[[HIGH:.*]] = arith.select %[[EXISTS]]
// CHECK:           %[[SHIFTED:.*]] = arith.shli %[[HIGH]]
// CHECK:           arith.ori %[[LOW]], %[[SHIFTED]]
// CHECK:           vector.load {{.*}} vector<32xf32>
// CHECK:           arith.truncf {{.*}} : vector<32xf32> to vector<32xbf16>
// CHECK:           vector.bitcast {{.*}} : vector<32xi16> to vector<16xi32>
// CHECK:         scf.for {{.*}} iter_args
// CHECK:           vector.broadcast {{.*}} : i32 to vector<16xi32>
// CHECK:           llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"({{.*}}) : (vector<16xf32>, vector<32xbf16>, vector<32xbf16>) -> vector<16xf32>
// CHECK-NOT:       vector.fma
// CHECK:         return
func.func private @f32(%x: memref<4x37xf32>, %y: memref<37x32xf32>, %out: memref<4x32xf32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 4, 32>, depth = 19 : i64,
                                             registers = array<i64: 2, 2>, lanes = 16 : i64,
                                             packed = array<i64: 1, 1>, dot = 2}]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloc() : memref<4x32xf32>
  linalg.fill ins(%zero : f32) outs(%acc : memref<4x32xf32>)
  linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = #sum}
      ins(%x, %y : memref<4x37xf32>, memref<37x32xf32>) outs(%acc : memref<4x32xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<4x32xf32>) outs(%out : memref<4x32xf32>) {
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

// bf16 that is widened goes into panels as it is. Vectors of 256 bits have an instruction, too.
// CHECK-LABEL: func.func private @bf16
// CHECK:         %[[LOW:.*]] = vector.load {{.*}} vector<8xbf16>
// CHECK-NOT:     arith.truncf
// CHECK:         llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.256"({{.*}}) : (vector<8xf32>, vector<16xbf16>, vector<16xbf16>) -> vector<8xf32>
// CHECK:         return
func.func private @bf16(%x: memref<4x32xbf16>, %y: memref<32x16xbf16>, %out: memref<4x16xf32>)
    attributes {tiny.kernel, tiny.tiling = [{tile = array<i64: 4, 16>, depth = 16 : i64,
                                             registers = array<i64: 2, 2>, lanes = 8 : i64,
                                             packed = array<i64: 1, 1>, dot = 2}]} {
  %zero = arith.constant 0.0 : f32
  %acc = memref.alloc() : memref<4x16xf32>
  linalg.fill ins(%zero : f32) outs(%acc : memref<4x16xf32>)
  linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<4x32xbf16>, memref<32x16xbf16>) outs(%acc : memref<4x16xf32>) {
  ^bb0(%p: bf16, %q: bf16, %a: f32):
    %p32 = arith.extf %p : bf16 to f32
    %q32 = arith.extf %q : bf16 to f32
    %m = arith.mulf %p32, %q32 : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%acc : memref<4x16xf32>) outs(%out : memref<4x16xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  return
}
