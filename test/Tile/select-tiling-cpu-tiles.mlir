// RUN: tiny-opt %s --tiny-tile-select-tiling-cpu="vector-bits=512 num-vector-registers=32 pair-instructions=1 byte-products bf16-products matrix-unit" | FileCheck %s --check-prefixes=CHECK,BF16
// RUN: tiny-opt %s --tiny-tile-select-tiling-cpu="vector-bits=512 num-vector-registers=32 pair-instructions=1 byte-products matrix-unit" | FileCheck %s --check-prefixes=CHECK,F32
// RUN: tiny-opt %s --tiny-tile-select-tiling-cpu="vector-bits=512 num-vector-registers=32 pair-instructions=1 byte-products bf16-products" | FileCheck %s --implicit-check-not="tiles{{[}]}}"

#mk = affine_map<(m, n, k) -> (m, k)>
#km = affine_map<(m, n, k) -> (k, m)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// Two signs are no offset for a matrix unit: four tiles of sums, and rows where they lie.
// CHECK-LABEL: func.func private @bytes
// BF16-SAME:     dot = 4 : i64, lanes = 16 : i64, packed = array<i64: 0, 1>, registers = array<i64: 32, 2>, {{.*}}tiles}]
// F32-SAME:      dot = 4 : i64, lanes = 16 : i64, packed = array<i64: 0, 1>, registers = array<i64: 32, 2>, {{.*}}tiles}]
func.func private @bytes(%x: tensor<250x192xi8>, %y: tensor<192x256xi8>, %out: tensor<250x256xi32>) -> tensor<250x256xi32>
    attributes {tiny.kernel} {
  %zero = arith.constant 0 : i32
  %init = tensor.empty() : tensor<250x256xi32>
  %fill = linalg.fill ins(%zero : i32) outs(%init : tensor<250x256xi32>) -> tensor<250x256xi32>
  %sum = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<250x192xi8>, tensor<192x256xi8>) outs(%fill : tensor<250x256xi32>) {
  ^bb0(%p: i8, %q: i8, %a: i32):
    %p32 = arith.extsi %p : i8 to i32
    %q32 = arith.extsi %q : i8 to i32
    %m = arith.muli %p32, %q32 : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  } -> tensor<250x256xi32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sum : tensor<250x256xi32>) outs(%out : tensor<250x256xi32>) {
  ^bb0(%a: i32, %o: i32):
    linalg.yield %a : i32
  } -> tensor<250x256xi32>
  return %r : tensor<250x256xi32>
}

// A zero point makes an offset, which tiles do not make up for.
// CHECK-LABEL: func.func private @offset
// CHECK-NOT:     tiles}
// CHECK-SAME:    dot = 4
func.func private @offset(%x: tensor<256x192xi8>, %y: tensor<192x256xi8>, %out: tensor<256x256xi32>) -> tensor<256x256xi32>
    attributes {tiny.kernel} {
  %zero = arith.constant 0 : i32
  %point = arith.constant 113 : i32
  %init = tensor.empty() : tensor<256x256xi32>
  %fill = linalg.fill ins(%zero : i32) outs(%init : tensor<256x256xi32>) -> tensor<256x256xi32>
  %sum = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<256x192xi8>, tensor<192x256xi8>) outs(%fill : tensor<256x256xi32>) {
  ^bb0(%p: i8, %q: i8, %a: i32):
    %p32 = arith.extui %p : i8 to i32
    %shifted = arith.subi %p32, %point : i32
    %q32 = arith.extsi %q : i8 to i32
    %m = arith.muli %shifted, %q32 : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  } -> tensor<256x256xi32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sum : tensor<256x256xi32>) outs(%out : tensor<256x256xi32>) {
  ^bb0(%a: i32, %o: i32):
    linalg.yield %a : i32
  } -> tensor<256x256xi32>
  return %r : tensor<256x256xi32>
}

// Factors of f32 are tiles of bf16 only where they may be rounded. 45 pairs are 48 of whole tiles, with
// zeros behind the end of both factors, which are packed for that.
// CHECK-LABEL: func.func private @rounded
// BF16-SAME:     depth = 48 : i64, dot = 2 : i64, lanes = 16 : i64, packed = array<i64: 1, 1>, registers = array<i64: 32, 2>, {{.*}}tiles}]
// F32-NOT:       dot
// F32-SAME:      packed
func.func private @rounded(%x: tensor<256x90xf32>, %y: tensor<90x256xf32>, %out: tensor<256x256xf32>) -> tensor<256x256xf32>
    attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %init = tensor.empty() : tensor<256x256xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%init : tensor<256x256xf32>) -> tensor<256x256xf32>
  %sum = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<256x90xf32>, tensor<90x256xf32>) outs(%fill : tensor<256x256xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<256x256xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sum : tensor<256x256xf32>) outs(%out : tensor<256x256xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<256x256xf32>
  return %r : tensor<256x256xf32>
}

// Rows that are contiguous along the rows would have to be transposed for a tile: they are not.
// CHECK-LABEL: func.func private @across
// CHECK-NOT:     tiles}
// CHECK-SAME:    packed
func.func private @across(%x: tensor<192x256xi8>, %y: tensor<192x256xi8>, %out: tensor<256x256xi32>) -> tensor<256x256xi32>
    attributes {tiny.kernel} {
  %zero = arith.constant 0 : i32
  %init = tensor.empty() : tensor<256x256xi32>
  %fill = linalg.fill ins(%zero : i32) outs(%init : tensor<256x256xi32>) -> tensor<256x256xi32>
  %sum = linalg.generic {indexing_maps = [#km, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<192x256xi8>, tensor<192x256xi8>) outs(%fill : tensor<256x256xi32>) {
  ^bb0(%p: i8, %q: i8, %a: i32):
    %p32 = arith.extui %p : i8 to i32
    %q32 = arith.extsi %q : i8 to i32
    %m = arith.muli %p32, %q32 : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  } -> tensor<256x256xi32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sum : tensor<256x256xi32>) outs(%out : tensor<256x256xi32>) {
  ^bb0(%a: i32, %o: i32):
    linalg.yield %a : i32
  } -> tensor<256x256xi32>
  return %r : tensor<256x256xi32>
}
