// Kernels as the Tile stage leaves them for RDNA3: elementwise with vectors of four, and a sum of each
// row by a workgroup of two waves through local memory.
func.func @main(%x: tensor<64x1024xf32> {tiny.name = "x"}, %y: tensor<64x1024xf32> {tiny.name = "y"})
    -> (tensor<64xf32> {tiny.name = "sums"})
    attributes {tiny.workspace_bytes = 262144 : i64, tiny.constants_bytes = 0 : i64} {
  %0 = tiny.launch @multiply(%x, %y) {grid = array<i64: 128, 1, 1>,
      result_slots = [#tiny.slot<workspace[0], offset = 0, bytes = 262144>]}
      : (tensor<64x1024xf32>, tensor<64x1024xf32>) -> tensor<64x1024xf32>
  %1 = tiny.launch @sum(%0) {grid = array<i64: 32, 2, 1>,
      result_slots = [#tiny.slot<result[0], offset = 0, bytes = 256>]}
      : (tensor<64x1024xf32>) -> tensor<64xf32>
  return %1 : tensor<64xf32>
}
func.func private @multiply(%a: memref<64x1024xf32>, %b: memref<64x1024xf32>,
    %out: memref<64x1024xf32>, %x: index, %y: index, %z: index)
    attributes {tiny.kernel, tiny.block = 128 : i64} {
  %lane = gpu.thread_id x
  %row = affine.apply affine_map<(x) -> (x floordiv 2)>(%x)
  %column = affine.apply affine_map<(x, lane) -> ((x mod 2) * 512 + lane * 4)>(%x, %lane)
  %u = vector.load %a[%row, %column] : memref<64x1024xf32>, vector<4xf32>
  %v = vector.load %b[%row, %column] : memref<64x1024xf32>, vector<4xf32>
  %w = arith.mulf %u, %v : vector<4xf32>
  vector.store %w, %out[%row, %column] : memref<64x1024xf32>, vector<4xf32>
  return
}
func.func private @sum(%in: memref<64x1024xf32>, %out: memref<64xf32>, %x: index, %y: index,
    %z: index) attributes {tiny.kernel, tiny.block = 64 : i64, tiny.mode = "cu"} {
  %local = memref.alloca() {alignment = 16 : i64} : memref<64xf32, #gpu.address_space<workgroup>>
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c1024 = arith.constant 1024 : index
  %zero = arith.constant 0.0 : f32
  %lane = gpu.thread_id x
  %row = affine.apply affine_map<(x, y) -> (x * 2 + y)>(%x, %y)
  %partial = scf.for %i = %c0 to %c1024 step %c64 iter_args(%s = %zero) -> f32 {
    %column = affine.apply affine_map<(i, lane) -> (i + lane)>(%i, %lane)
    %v = memref.load %in[%row, %column] : memref<64x1024xf32>
    %t = arith.addf %s, %v : f32
    scf.yield %t : f32
  }
  memref.store %partial, %local[%lane] : memref<64xf32, #gpu.address_space<workgroup>>
  gpu.barrier
  %first = arith.cmpi eq, %lane, %c0 : index
  scf.if %first {
    %c1 = arith.constant 1 : index
    %total = scf.for %i = %c0 to %c64 step %c1 iter_args(%s = %zero) -> f32 {
      %v = memref.load %local[%i] : memref<64xf32, #gpu.address_space<workgroup>>
      %t = arith.addf %s, %v : f32
      scf.yield %t : f32
    }
    memref.store %total, %out[%row] : memref<64xf32>
  }
  return
}
