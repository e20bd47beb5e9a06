// RUN: tiny-opt %s --tiny-tile-select-tiling-cpu="vector-bits=512 num-vector-registers=32 bf16-products" | FileCheck %s --check-prefix=BF16
// RUN: tiny-opt %s --tiny-tile-select-tiling-cpu="vector-bits=512 num-vector-registers=32" | FileCheck %s --check-prefix=F32

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// Only whoever asks for it multiplies in bf16.
// F32-NOT:    dot =
// BF16-LABEL: func.func private @large
// BF16-SAME:    tiny.tiling = [{depth = {{[0-9]+}} : i64, dot = 2 : i64, lanes = 16 : i64, packed = array<i64: 1, 1>, registers = array<i64:
func.func private @large(%x: tensor<512x512xf32>, %y: tensor<512x512xf32>, %out: tensor<512x512xf32>) -> tensor<512x512xf32>
    attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %init = tensor.empty() : tensor<512x512xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%init : tensor<512x512xf32>) -> tensor<512x512xf32>
  %sum = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<512x512xf32>, tensor<512x512xf32>) outs(%fill : tensor<512x512xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<512x512xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sum : tensor<512x512xf32>) outs(%out : tensor<512x512xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<512x512xf32>
  return %r : tensor<512x512xf32>
}

// One row: its other factor is read once, in place, and packing it would cost more than it saves.
// BF16-LABEL: func.func private @row
// BF16-NOT:     dot =
func.func private @row(%x: tensor<1x512xf32>, %y: tensor<512x512xf32>, %out: tensor<1x512xf32>) -> tensor<1x512xf32>
    attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %init = tensor.empty() : tensor<1x512xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%init : tensor<1x512xf32>) -> tensor<1x512xf32>
  %sum = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<1x512xf32>, tensor<512x512xf32>) outs(%fill : tensor<1x512xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x512xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sum : tensor<1x512xf32>) outs(%out : tensor<1x512xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<1x512xf32>
  return %r : tensor<1x512xf32>
}

// f64 has no such instruction.
// BF16-LABEL: func.func private @double
// BF16-NOT:     pairs
func.func private @double(%x: tensor<512x512xf64>, %y: tensor<512x512xf64>, %out: tensor<512x512xf64>) -> tensor<512x512xf64>
    attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f64
  %init = tensor.empty() : tensor<512x512xf64>
  %fill = linalg.fill ins(%zero : f64) outs(%init : tensor<512x512xf64>) -> tensor<512x512xf64>
  %sum = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<512x512xf64>, tensor<512x512xf64>) outs(%fill : tensor<512x512xf64>) {
  ^bb0(%p: f64, %q: f64, %a: f64):
    %m = arith.mulf %p, %q : f64
    %s = arith.addf %a, %m : f64
    linalg.yield %s : f64
  } -> tensor<512x512xf64>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sum : tensor<512x512xf64>) outs(%out : tensor<512x512xf64>) {
  ^bb0(%a: f64, %o: f64):
    linalg.yield %a : f64
  } -> tensor<512x512xf64>
  return %r : tensor<512x512xf64>
}
