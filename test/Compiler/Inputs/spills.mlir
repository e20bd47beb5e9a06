func.func @main(%x: tensor<256x64xf32>, %w: tensor<64x512xf32>) -> tensor<256x512xf32> attributes {tiny.workspace_bytes = 0 : i64, tiny.constants_bytes = 0 : i64} {
  %r = tiny.launch @matmul(%x, %w) {result_slots = [#tiny.slot<result[0], offset = 0, bytes = 524288>]} : (tensor<256x64xf32>, tensor<64x512xf32>) -> tensor<256x512xf32>
  return %r : tensor<256x512xf32>
}
func.func private @matmul(%x: tensor<256x64xf32>, %w: tensor<64x512xf32>, %out: tensor<256x512xf32>) -> tensor<256x512xf32> attributes {tiny.kernel,
    tiny.tiling = [#tiny.gpu_tiling<grid = [256, 512], lanes = [1, 32, 1], vector = 1 by 1, unroll = [16, 24, 1], order = [0, 1, 2], contract = none, waves = [1, 1], mode = cu>]} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<256x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<256x512xf32>) -> tensor<256x512xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<256x64xf32>, tensor<64x512xf32>) outs(%f : tensor<256x512xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<256x512xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<256x512xf32>) outs(%out : tensor<256x512xf32>) {
  ^bb0(%p: f32, %q: f32):
    linalg.yield %p : f32
  } -> tensor<256x512xf32>
  return %o : tensor<256x512xf32>
}
