func.func @main(%x: tensor<4096x4096xf16>) -> tensor<4096x4096xf16> attributes {tiny.workspace_bytes = 0 : i64, tiny.constants_bytes = 33554432 : i64} {
  %w = tiny.constant {slot = #tiny.slot<constants[0], offset = 0, bytes = 33554432>} dense<1.0> : tensor<4096x4096xf16>
  %r = tiny.launch @matmul(%x, %w) {result_slots = [#tiny.slot<result[0], offset = 0, bytes = 33554432>]} : (tensor<4096x4096xf16>, tensor<4096x4096xf16>) -> tensor<4096x4096xf16>
  return %r : tensor<4096x4096xf16>
}
func.func private @matmul(%x: tensor<4096x4096xf16>, %w: tensor<4096x4096xf16>, %out: tensor<4096x4096xf16>) -> tensor<4096x4096xf16> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4096x4096xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4096x4096xf16>, tensor<4096x4096xf16>) outs(%f : tensor<4096x4096xf32>) {
  ^bb0(%p: f16, %q: f16, %a: f32):
    %p32 = arith.extf %p : f16 to f32
    %q32 = arith.extf %q : f16 to f32
    %m = arith.mulf %p32, %q32 : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<4096x4096xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<4096x4096xf32>) outs(%out : tensor<4096x4096xf16>) {
  ^bb0(%p: f32, %q: f16):
    %n = arith.truncf %p : f32 to f16
    linalg.yield %n : f16
  } -> tensor<4096x4096xf16>
  return %o : tensor<4096x4096xf16>
}
