// RUN: tiny-opt %s --tiny-tile-arrange-constants --split-input-file | FileCheck %s

#mnk_mk = affine_map<(m, n, k) -> (m, k)>
#mnk_kn = affine_map<(m, n, k) -> (k, n)>
#mnk_mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// A constant right factor by rows: its depth is contiguous from now on. Two launches, two constants.
// CHECK-DAG:   #[[$NK:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: func.func @main
// CHECK-COUNT-2: tiny.constant {tiny.layout = {order = array<i64: 1, 0>, shape = array<i64: 256, 512>}}
// CHECK-LABEL: func.func private @matmul
// CHECK-SAME:    (%{{.*}}: tensor<1024x256xf16>, %[[W:.*]]: tensor<512x256xf16>,
// CHECK:         linalg.generic {indexing_maps = [#{{.*}}, #[[$NK]], #{{.*}}]
// CHECK-SAME:      ins(%{{.*}}, %[[W]] : tensor<1024x256xf16>, tensor<512x256xf16>)
func.func @main(%x: tensor<1024x256xf16>) -> (tensor<1024x512xf32>, tensor<1024x512xf32>) {
  %w = tiny.constant dense<1.0> : tensor<256x512xf16>
  %v = tiny.constant dense<2.0> : tensor<1x256x512xf16>
  %r = tiny.launch @matmul(%x, %w) : (tensor<1024x256xf16>, tensor<256x512xf16>) -> tensor<1024x512xf32>
  %s = tiny.launch @matmul(%x, %v) : (tensor<1024x256xf16>, tensor<1x256x512xf16>) -> tensor<1024x512xf32>
  return %r, %s : tensor<1024x512xf32>, tensor<1024x512xf32>
}
func.func private @matmul(%x: tensor<1024x256xf16>, %w: tensor<256x512xf16>, %out: tensor<1024x512xf32>) -> tensor<1024x512xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1024x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1024x512xf32>) -> tensor<1024x512xf32>
  %r = linalg.generic {indexing_maps = [#mnk_mk, #mnk_kn, #mnk_mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<1024x256xf16>, tensor<256x512xf16>) outs(%f : tensor<1024x512xf32>) {
  ^bb0(%p: f16, %q: f16, %a: f32):
    %p32 = arith.extf %p : f16 to f32
    %q32 = arith.extf %q : f16 to f32
    %m = arith.mulf %p32, %q32 : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<1024x512xf32>
  %o = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<1024x512xf32>) outs(%out : tensor<1024x512xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<1024x512xf32>
  return %o : tensor<1024x512xf32>
}

// -----

#mnk_mk = affine_map<(m, n, k) -> (m, k)>
#mnk_kn = affine_map<(m, n, k) -> (k, n)>
#mnk_mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// One of the launches has no constant there, so the other one keeps its order.
// CHECK-LABEL: func.func @some
// CHECK:         tiny.constant dense
// CHECK-LABEL: func.func private @matmul
// CHECK-SAME:    (%{{.*}}: tensor<1024x256xf16>, %{{.*}}: tensor<256x512xf16>,
func.func @some(%x: tensor<1024x256xf16>, %y: tensor<256x512xf16>) -> (tensor<1024x512xf32>, tensor<1024x512xf32>) {
  %w = tiny.constant dense<1.0> : tensor<256x512xf16>
  %r = tiny.launch @matmul(%x, %w) : (tensor<1024x256xf16>, tensor<256x512xf16>) -> tensor<1024x512xf32>
  %s = tiny.launch @matmul(%x, %y) : (tensor<1024x256xf16>, tensor<256x512xf16>) -> tensor<1024x512xf32>
  return %r, %s : tensor<1024x512xf32>, tensor<1024x512xf32>
}
func.func private @matmul(%x: tensor<1024x256xf16>, %w: tensor<256x512xf16>, %out: tensor<1024x512xf32>) -> tensor<1024x512xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1024x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1024x512xf32>) -> tensor<1024x512xf32>
  %r = linalg.generic {indexing_maps = [#mnk_mk, #mnk_kn, #mnk_mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<1024x256xf16>, tensor<256x512xf16>) outs(%f : tensor<1024x512xf32>) {
  ^bb0(%p: f16, %q: f16, %a: f32):
    %p32 = arith.extf %p : f16 to f32
    %q32 = arith.extf %q : f16 to f32
    %m = arith.mulf %p32, %q32 : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<1024x512xf32>
  %o = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<1024x512xf32>) outs(%out : tensor<1024x512xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<1024x512xf32>
  return %o : tensor<1024x512xf32>
}

// -----

#mnk_mk = affine_map<(m, n, k) -> (m, k)>
#mnk_kn = affine_map<(m, n, k) -> (k, n)>
#mnk_mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// The program returns what the kernel would like to have in another order.
// CHECK-LABEL: func.func @result
// CHECK:         tiny.constant dense
// CHECK-LABEL: func.func private @matmul
// CHECK-SAME:    (%{{.*}}: tensor<1024x256xf16>, %{{.*}}: tensor<256x512xf16>,
func.func @result(%x: tensor<1024x256xf16>) -> (tensor<1024x512xf32>, tensor<256x512xf16>) {
  %w = tiny.constant dense<1.0> : tensor<256x512xf16>
  %r = tiny.launch @matmul(%x, %w) : (tensor<1024x256xf16>, tensor<256x512xf16>) -> tensor<1024x512xf32>
  return %r, %w : tensor<1024x512xf32>, tensor<256x512xf16>
}
func.func private @matmul(%x: tensor<1024x256xf16>, %w: tensor<256x512xf16>, %out: tensor<1024x512xf32>) -> tensor<1024x512xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1024x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1024x512xf32>) -> tensor<1024x512xf32>
  %r = linalg.generic {indexing_maps = [#mnk_mk, #mnk_kn, #mnk_mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<1024x256xf16>, tensor<256x512xf16>) outs(%f : tensor<1024x512xf32>) {
  ^bb0(%p: f16, %q: f16, %a: f32):
    %p32 = arith.extf %p : f16 to f32
    %q32 = arith.extf %q : f16 to f32
    %m = arith.mulf %p32, %q32 : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<1024x512xf32>
  %o = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<1024x512xf32>) outs(%out : tensor<1024x512xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<1024x512xf32>
  return %o : tensor<1024x512xf32>
}
