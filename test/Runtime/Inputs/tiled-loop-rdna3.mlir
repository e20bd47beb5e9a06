// A product of matrices as the Tile stage could leave it: two rows and four columns per lane.
func.func @main(%a: tensor<16x64xf32>, %b: tensor<64x2048xf32>) -> tensor<16x2048xf32> {
  %0 = tiny.launch @multiply(%a, %b) {grid = array<i64: 32, 2, 1>,
      result_slots = [#tiny.slot<result[0], offset = 0, bytes = 131072>]}
      : (tensor<16x64xf32>, tensor<64x2048xf32>) -> tensor<16x2048xf32>
  return %0 : tensor<16x2048xf32>
}
func.func private @multiply(%a: memref<16x64xf32>, %b: memref<64x2048xf32>,
    %out: memref<16x2048xf32>, %x: index, %y: index, %z: index)
    attributes {tiny.kernel, tiny.block = 64 : i64} {
  %lane = gpu.thread_id x
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant dense<0.0> : vector<4xf32>
  %r0 = affine.apply affine_map<(y, lane) -> (y * 8 + (lane floordiv 16) * 2)>(%y, %lane)
  %r1 = affine.apply affine_map<(y) -> (y + 1)>(%r0)
  %c = affine.apply affine_map<(x, lane) -> (x * 64 + (lane mod 16) * 4)>(%x, %lane)
  %s:2 = scf.for %k = %c0 to %c64 step %c1 iter_args(%s0 = %zero, %s1 = %zero)
      -> (vector<4xf32>, vector<4xf32>) {
    %a0 = memref.load %a[%r0, %k] : memref<16x64xf32>
    %a1 = memref.load %a[%r1, %k] : memref<16x64xf32>
    %bv = vector.load %b[%k, %c] : memref<64x2048xf32>, vector<4xf32>
    %v0 = vector.broadcast %a0 : f32 to vector<4xf32>
    %v1 = vector.broadcast %a1 : f32 to vector<4xf32>
    %t0 = vector.fma %v0, %bv, %s0 : vector<4xf32>
    %t1 = vector.fma %v1, %bv, %s1 : vector<4xf32>
    scf.yield %t0, %t1 : vector<4xf32>, vector<4xf32>
  }
  vector.store %s#0, %out[%r0, %c] : memref<16x2048xf32>, vector<4xf32>
  vector.store %s#1, %out[%r1, %c] : memref<16x2048xf32>, vector<4xf32>
  return
}
