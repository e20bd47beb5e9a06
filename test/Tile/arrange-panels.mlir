// RUN: tiny-opt %s --tiny-tile-arrange-panels --split-input-file | FileCheck %s
// RUN: tiny-opt %s --tiny-tile-arrange-panels="vector-bits=512 num-vector-registers=32 pair-instructions=1 byte-products" --split-input-file | FileCheck %s --check-prefix=BYTES

#mnk_mk = affine_map<(m, n, k) -> (m, k)>
#mnk_kn = affine_map<(m, n, k) -> (k, n)>
#mnk_mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// A constant right factor lies in panels of a register tile's width from now on. Two launches, two constants.
// CHECK-DAG:   #[[$MAP:.*]] = affine_map<(d0, d1, d2) -> (d1 floordiv 16, d2, d1 mod 16)>
// CHECK-LABEL: func.func @main
// CHECK-COUNT-2: tiny.constant {tiny.layout = {order = array<i64: 1, 0, 2>, shape = array<i64: 256, 32, 16>
// CHECK-LABEL: func.func private @matmul
// CHECK-SAME:    (%[[X:.*]]: tensor<192x256xf32>, %[[B:.*]]: tensor<32x256x16xf32>,
// CHECK:         linalg.generic
// CHECK-SAME:      ins(%[[X]] : tensor<192x256xf32>)
// CHECK:           tiny.read %[[B]][%{{.*}}, %{{.*}}, %{{.*}}] #[[$MAP]]
func.func @main(%x: tensor<192x256xf32>) -> (tensor<192x512xf32>, tensor<192x512xf32>) {
  %w = tiny.constant dense<1.0> : tensor<256x512xf32>
  %v = tiny.constant dense<2.0> : tensor<1x256x512xf32>
  %r = tiny.launch @matmul(%x, %w) : (tensor<192x256xf32>, tensor<256x512xf32>) -> tensor<192x512xf32>
  %s = tiny.launch @matmul(%x, %v) : (tensor<192x256xf32>, tensor<1x256x512xf32>) -> tensor<192x512xf32>
  return %r, %s : tensor<192x512xf32>, tensor<192x512xf32>
}
func.func private @matmul(%x: tensor<192x256xf32>, %w: tensor<256x512xf32>, %out: tensor<192x512xf32>) -> tensor<192x512xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<192x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<192x512xf32>) -> tensor<192x512xf32>
  %r = linalg.generic {indexing_maps = [#mnk_mk, #mnk_kn, #mnk_mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<192x256xf32>, tensor<256x512xf32>) outs(%f : tensor<192x512xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<192x512xf32>
  %o = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<192x512xf32>) outs(%out : tensor<192x512xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<192x512xf32>
  return %o : tensor<192x512xf32>
}

// -----

#mnk_mk = affine_map<(m, n, k) -> (m, k)>
#mnk_nk = affine_map<(m, n, k) -> (n, k)>
#mnk_mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// Columns that are no whole vectors stay where they are.
// CHECK-LABEL: func.func @odd
// CHECK:         tiny.constant dense
// CHECK-LABEL: func.func private @matmul
// CHECK-SAME:    tensor<509x256xf32>,
func.func @odd(%x: tensor<192x256xf32>) -> tensor<192x509xf32> {
  %w = tiny.constant dense<1.0> : tensor<509x256xf32>
  %r = tiny.launch @matmul(%x, %w) : (tensor<192x256xf32>, tensor<509x256xf32>) -> tensor<192x509xf32>
  return %r : tensor<192x509xf32>
}
func.func private @matmul(%x: tensor<192x256xf32>, %w: tensor<509x256xf32>, %out: tensor<192x509xf32>) -> tensor<192x509xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<192x509xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<192x509xf32>) -> tensor<192x509xf32>
  %r = linalg.generic {indexing_maps = [#mnk_mk, #mnk_nk, #mnk_mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<192x256xf32>, tensor<509x256xf32>) outs(%f : tensor<192x509xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<192x509xf32>
  %o = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<192x509xf32>) outs(%out : tensor<192x509xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<192x509xf32>
  return %o : tensor<192x509xf32>
}

// -----

#mnk_mk = affine_map<(m, n, k) -> (m, k)>
#mnk_kn = affine_map<(m, n, k) -> (k, n)>
#mnk_mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// Bytes lie in panels of four steps of the depth each, where one instruction multiplies these.
// CHECK-LABEL: func.func @bytes
// CHECK:         tiny.constant dense
// BYTES-DAG:   #[[$MAP:.*]] = affine_map<(d0, d1, d2) -> (d1 floordiv [[$WIDTH:[0-9]+]], d2 floordiv 4, d1 mod [[$WIDTH]], d2 mod 4)>
// BYTES-LABEL: func.func @bytes
// BYTES:         tiny.constant {tiny.layout = {order = array<i64: 2, 0, 3, 1>, shape = array<i64: 64, 4, [[$PANELS:[0-9]+]], [[$WIDTH]]>}}
// BYTES-LABEL: func.func private @matmul
// BYTES-SAME:    tensor<[[$PANELS]]x64x[[$WIDTH]]x4xi8>,
// BYTES:         tiny.read %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] #[[$MAP]]
func.func @bytes(%x: tensor<192x256xui8>) -> tensor<192x512xi32> {
  %w = tiny.constant dense<1> : tensor<256x512xi8>
  %r = tiny.launch @matmul(%x, %w) : (tensor<192x256xui8>, tensor<256x512xi8>) -> tensor<192x512xi32>
  return %r : tensor<192x512xi32>
}
func.func private @matmul(%x: tensor<192x256xi8>, %w: tensor<256x512xi8>, %out: tensor<192x512xi32>) -> tensor<192x512xi32> attributes {tiny.kernel} {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<192x512xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<192x512xi32>) -> tensor<192x512xi32>
  %r = linalg.generic {indexing_maps = [#mnk_mk, #mnk_kn, #mnk_mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<192x256xi8>, tensor<256x512xi8>) outs(%f : tensor<192x512xi32>) {
  ^bb0(%p: i8, %q: i8, %a: i32):
    %p32 = arith.extui %p : i8 to i32
    %q32 = arith.extsi %q : i8 to i32
    %m = arith.muli %p32, %q32 : i32
    %s = arith.addi %a, %m : i32
    linalg.yield %s : i32
  } -> tensor<192x512xi32>
  %o = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<192x512xi32>) outs(%out : tensor<192x512xi32>) {
  ^bb0(%p: i32, %q: i32):
    linalg.yield %p : i32
  } -> tensor<192x512xi32>
  return %o : tensor<192x512xi32>
}
