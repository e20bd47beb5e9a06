// RUN: tiny-opt %s --tiny-tile-select-tiling-cpu="vector-bits=256 pair-instructions=2" | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: tiny-opt %s --tiny-tile-select-tiling-cpu="vector-bits=512 num-vector-registers=32 pair-instructions=1" | FileCheck %s --check-prefixes=CHECK,VNNI
// RUN: tiny-opt %s --tiny-tile-select-tiling-cpu="vector-bits=512 num-vector-registers=32 pair-instructions=1 byte-products" | FileCheck %s --check-prefix=BYTES
// RUN: tiny-opt %s --tiny-tile-select-tiling-cpu="vector-bits=128 num-vector-registers=32 pair-instructions=0" | FileCheck %s --check-prefix=NONE

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// 8 bits each, one of them with a zero point and clamped: panels of pairs, whose blocks count pairs. A
// product that is added by an instruction of its own takes a register. Without such instructions, the
// nest stays as it is.
// CHECK-LABEL: func.func private @narrow
// AVX2-SAME:     tiny.tiling = [{depth = {{[0-9]+}} : i64, dot = 2 : i64, lanes = 8 : i64, packed = array<i64: 1, 1>, registers = array<i64:
// VNNI-SAME:     tiny.tiling = [{depth = {{[0-9]+}} : i64, dot = 2 : i64, lanes = 16 : i64, packed = array<i64: 1, 1>, registers = array<i64:
// What differs by less than 2^8 is four bytes, wherever it begins.
// BYTES-LABEL: func.func private @narrow
// BYTES-SAME:    tiny.tiling = [{depth = {{[0-9]+}} : i64, dot = 4 : i64, lanes = 16 : i64, packed = array<i64: 1, 1>, registers = array<i64:
// NONE-LABEL:  func.func private @narrow
// NONE-SAME:     tiny.tiling = [#tiny.tiling<
func.func private @narrow(%x: tensor<256x256xi8>, %y: tensor<256x256xi8>, %out: tensor<256x256xi32>) -> tensor<256x256xi32>
    attributes {tiny.kernel} {
  %zero = arith.constant 0 : i32
  %point = arith.constant 140 : i32
  %least = arith.constant -200 : i32
  %init = tensor.empty() : tensor<256x256xi32>
  %fill = linalg.fill ins(%zero : i32) outs(%init : tensor<256x256xi32>) -> tensor<256x256xi32>
  %sum = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<256x256xi8>, tensor<256x256xi8>) outs(%fill : tensor<256x256xi32>) {
  ^bb0(%p: i8, %q: i8, %a: i32):
    %p32 = arith.extui %p : i8 to i32
    %shifted = arith.subi %point, %p32 : i32
    %clamped = arith.maxsi %shifted, %least : i32
    %q32 = arith.extsi %q : i8 to i32
    %m = arith.muli %clamped, %q32 : i32
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

// What lies in memory as i32 may be anything, and so may a product that wraps.
// CHECK-LABEL: func.func private @wide
// CHECK-SAME:    tiny.tiling = [#tiny.tiling<
func.func private @wide(%x: tensor<256x256xi16>, %y: tensor<256x256xi16>, %out: tensor<256x256xi32>) -> tensor<256x256xi32>
    attributes {tiny.kernel} {
  %zero = arith.constant 0 : i32
  %large = arith.constant 131072 : i32
  %one = arith.constant 1 : i32
  %init = tensor.empty() : tensor<256x256xi32>
  %fill = linalg.fill ins(%zero : i32) outs(%init : tensor<256x256xi32>) -> tensor<256x256xi32>
  %sum = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<256x256xi16>, tensor<256x256xi16>) outs(%fill : tensor<256x256xi32>) {
  ^bb0(%p: i16, %q: i16, %a: i32):
    %p32 = arith.extsi %p : i16 to i32
    %product = arith.muli %p32, %large : i32
    %most = arith.minsi %product, %one : i32
    %q32 = arith.extsi %q : i16 to i32
    %m = arith.muli %most, %q32 : i32
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

// Two products in a row, of which the second one needs all features of the first one: pixels are what
// workgroups share out, and both go through panels, though the local between the two is divided along
// the dim in which it is contiguous.
// VNNI-LABEL: func.func private @chained
// VNNI-SAME:    tiny.tiling = [{{{.*}}dot = 2 : i64, grid = array<i64: 96, [[PIXELS:32|64|128]]>{{.*}}}, {{{.*}}dot = 2 : i64, grid = array<i64: 192, [[PIXELS]]>
func.func private @chained(%w: tensor<96x192xi8>, %x: tensor<192x512xi8>, %v: tensor<192x96xi8>, %out: tensor<192x512xi32>)
    -> tensor<192x512xi32> attributes {tiny.kernel} {
  %zero = arith.constant 0 : i32
  %low = arith.constant -128 : i32
  %high = arith.constant 127 : i32
  %init = tensor.empty() : tensor<96x512xi32>
  %fill = linalg.fill ins(%zero : i32) outs(%init : tensor<96x512xi32>) -> tensor<96x512xi32>
  %sum = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%w, %x : tensor<96x192xi8>, tensor<192x512xi8>) outs(%fill : tensor<96x512xi32>) {
  ^bb0(%p: i8, %q: i8, %a: i32):
    %p32 = arith.extsi %p : i8 to i32
    %q32 = arith.extui %q : i8 to i32
    %m = arith.muli %p32, %q32 : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  } -> tensor<96x512xi32>
  %local = tensor.empty() : tensor<96x512xi8>
  %narrow = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sum : tensor<96x512xi32>) outs(%local : tensor<96x512xi8>) {
  ^bb0(%a: i32, %o: i8):
    %most = arith.minsi %a, %high : i32
    %clamped = arith.maxsi %most, %low : i32
    %byte = arith.trunci %clamped : i32 to i8
    linalg.yield %byte : i8
  } -> tensor<96x512xi8>
  %init2 = tensor.empty() : tensor<192x512xi32>
  %fill2 = linalg.fill ins(%zero : i32) outs(%init2 : tensor<192x512xi32>) -> tensor<192x512xi32>
  %sum2 = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%v, %narrow : tensor<192x96xi8>, tensor<96x512xi8>) outs(%fill2 : tensor<192x512xi32>) {
  ^bb0(%p: i8, %q: i8, %a: i32):
    %p32 = arith.extsi %p : i8 to i32
    %q32 = arith.extsi %q : i8 to i32
    %m = arith.muli %p32, %q32 : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  } -> tensor<192x512xi32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sum2 : tensor<192x512xi32>) outs(%out : tensor<192x512xi32>) {
  ^bb0(%a: i32, %o: i32):
    linalg.yield %a : i32
  } -> tensor<192x512xi32>
  return %r : tensor<192x512xi32>
}
