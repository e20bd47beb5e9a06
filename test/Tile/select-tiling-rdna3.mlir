// RUN: tiny-opt %s --tiny-tile-select-tiling-rdna3 --split-input-file --verify-diagnostics | FileCheck %s

#id = affine_map<(i) -> (i)>

// 16 bytes for each lane.
// CHECK-LABEL: func.func private @scale
// CHECK-SAME:    #tiny.gpu_tiling<grid = [1048576], lanes = [256], vector = 0 by 4, unroll = [1], order = [0], contract = none
func.func private @scale(%x: tensor<1048576xf32>, %out: tensor<1048576xf32>) -> tensor<1048576xf32> attributes {tiny.kernel} {
  %o = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<1048576xf32>) outs(%out : tensor<1048576xf32>) {
  ^bb0(%p: f32, %q: f32):
    %s = arith.addf %p, %p : f32
    linalg.yield %s : f32
  } -> tensor<1048576xf32>
  return %o : tensor<1048576xf32>
}

// -----

#id2 = affine_map<(i, j) -> (i, j)>
#t2 = affine_map<(i, j) -> (j, i)>

// A transposition: lanes are neighbours along the loop that is cheaper to be contiguous in.
// CHECK-LABEL: func.func private @transpose
// CHECK-SAME:    vector = {{[01]}} by
func.func private @transpose(%x: tensor<512x512xf32>, %out: tensor<512x512xf32>) -> tensor<512x512xf32> attributes {tiny.kernel} {
  %o = linalg.generic {indexing_maps = [#t2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<512x512xf32>) outs(%out : tensor<512x512xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<512x512xf32>
  return %o : tensor<512x512xf32>
}

// -----

// The rows of a matrix: lanes share each sum, as neighbours in its row.
// CHECK-LABEL: func.func private @rows
// CHECK-SAME:    vector = 1 by 4
func.func private @rows(%x: tensor<64x8192xf32>, %out: tensor<64xf32>) -> tensor<64xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64xf32>) -> tensor<64xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<64x8192xf32>) outs(%f : tensor<64xf32>) {
  ^bb0(%p: f32, %a: f32):
    %s = arith.addf %a, %p : f32
    linalg.yield %s : f32
  } -> tensor<64xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%r : tensor<64xf32>) outs(%out : tensor<64xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<64xf32>
  return %o : tensor<64xf32>
}

// -----

// Its columns: neighbours are along the columns, whoever shares the sum.
// CHECK-LABEL: func.func private @columns
// CHECK-SAME:    vector = 0 by
func.func private @columns(%x: tensor<8192x64xf32>, %out: tensor<64xf32>) -> tensor<64xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64xf32>) -> tensor<64xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, k) -> (k, i)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8192x64xf32>) outs(%f : tensor<64xf32>) {
  ^bb0(%p: f32, %a: f32):
    %s = arith.addf %a, %p : f32
    linalg.yield %s : f32
  } -> tensor<64xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%r : tensor<64xf32>) outs(%out : tensor<64xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<64xf32>
  return %o : tensor<64xf32>
}

// -----

// A product of matrices that no unit takes: registers are filled with copies that share loads.
// CHECK-LABEL: func.func private @doubles
// CHECK-SAME:    unroll = [{{[248]}}, {{[248]}}, 1], order
func.func private @doubles(%x: tensor<512x512xf64>, %y: tensor<512x512xf64>, %out: tensor<512x512xf64>) -> tensor<512x512xf64> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f64
  %e = tensor.empty() : tensor<512x512xf64>
  %f = linalg.fill ins(%zero : f64) outs(%e : tensor<512x512xf64>) -> tensor<512x512xf64>
  %r = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %y : tensor<512x512xf64>, tensor<512x512xf64>) outs(%f : tensor<512x512xf64>) {
  ^bb0(%p: f64, %q: f64, %a: f64):
    %m = arith.mulf %p, %q : f64
    %s = arith.addf %a, %m : f64
    linalg.yield %s : f64
  } -> tensor<512x512xf64>
  %o = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<512x512xf64>) outs(%out : tensor<512x512xf64>) {
  ^bb0(%p: f64, %q: f64):
    linalg.yield %p : f64
  } -> tensor<512x512xf64>
  return %o : tensor<512x512xf64>
}

// -----

// One that lanes share the loads of, by LDS.
// CHECK-LABEL: func.func private @matmul
// CHECK-SAME:    contract = fma
func.func private @matmul(%x: tensor<512x512xf32>, %y: tensor<512x512xf32>, %out: tensor<512x512xf32>) -> tensor<512x512xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<512x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<512x512xf32>) -> tensor<512x512xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %y : tensor<512x512xf32>, tensor<512x512xf32>) outs(%f : tensor<512x512xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<512x512xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<512x512xf32>) outs(%out : tensor<512x512xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<512x512xf32>
  return %o : tensor<512x512xf32>
}

// -----

// One of f16, by WMMA.
// CHECK-LABEL: func.func private @halves
// CHECK-SAME:    contract = wmma
func.func private @halves(%x: tensor<512x512xf16>, %y: tensor<512x512xf16>, %out: tensor<512x512xf32>) -> tensor<512x512xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<512x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<512x512xf32>) -> tensor<512x512xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %y : tensor<512x512xf16>, tensor<512x512xf16>) outs(%f : tensor<512x512xf32>) {
  ^bb0(%p: f16, %q: f16, %a: f32):
    %u = arith.extf %p : f16 to f32
    %v = arith.extf %q : f16 to f32
    %m = arith.mulf %u, %v : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<512x512xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<512x512xf32>) outs(%out : tensor<512x512xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<512x512xf32>
  return %o : tensor<512x512xf32>
}

// -----

// Locals that no workgroup has room for.
// expected-error @below {{kernel whose locals need 80016 bytes per workgroup at least; there are 65536}}
func.func private @large(%x: tensor<20000xf32>, %out2: tensor<1x20000xf32>) -> tensor<1x20000xf32> attributes {tiny.kernel} {
  %e = tensor.empty() : tensor<20000xf32>
  %l = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<20000xf32>) outs(%e : tensor<20000xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<20000xf32>
  %e2 = tensor.empty() : tensor<1xf32>
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1xf32>) -> tensor<1xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(o, i) -> (i)>, affine_map<(o, i) -> (o)>], iterator_types = ["parallel", "reduction"]}
      ins(%l : tensor<20000xf32>) outs(%f : tensor<1xf32>) {
  ^bb0(%p: f32, %a: f32):
    %s = arith.addf %a, %p : f32
    linalg.yield %s : f32
  } -> tensor<1xf32>
  %e3 = tensor.empty() : tensor<1xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%r : tensor<1xf32>) outs(%e3 : tensor<1xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<1xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(o, i) -> (i)>, affine_map<(o, i) -> (o)>, affine_map<(o, i) -> (o, i)>], iterator_types = ["parallel", "parallel"]}
      ins(%l, %sum : tensor<20000xf32>, tensor<1xf32>) outs(%out2 : tensor<1x20000xf32>) {
  ^bb0(%p: f32, %q: f32, %old: f32):
    %d = arith.divf %p, %q : f32
    linalg.yield %d : f32
  } -> tensor<1x20000xf32>
  return %o : tensor<1x20000xf32>
}
