// A place is one of a dim that the destination's map says nothing of.
//
// RUN: not tiny-opt %s --tiny-schedule-verify 2>&1 | FileCheck %s

// CHECK: error: 'tiny.place' op is for dim 0, which is no dim of the destination that its map has a 0 for
func.func private @kernel(%x: tensor<8xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {tiny.kernel} {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%out : tensor<8xf32>) {
  ^bb0(%in: f32, %old: f32):
    %i = linalg.index 0 : index
    tiny.place %i dim 0
    linalg.yield %in : f32
  } -> tensor<8xf32>
  return %r : tensor<8xf32>
}
