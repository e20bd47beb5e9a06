// RUN: tiny-opt %s --split-input-file | tiny-opt --split-input-file | FileCheck %s

// Softmax's state for a row: the pivot, and the sum of the weights.
// CHECK-LABEL: func.func @sums
// CHECK: tiny.online_reduce over 1 maps [#{{.*}}, #{{.*}}, #{{.*}}] ins(%{{.*}} : tensor<4x9xf32>)
// CHECK-SAME: outs(%{{.*}}, %{{.*}} : tensor<4xf32>, tensor<4xf32>)
// CHECK: ^bb0(%[[S:.*]]: f32, %[[M:.*]]: f32):
// CHECK: tiny.yield %{{.*}} : f32
// CHECK: combine
// CHECK: rescale
func.func @sums(%s: tensor<4x9xf32>, %m: tensor<4xf32>, %l: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %r:2 = tiny.online_reduce over 1
    maps [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>, affine_map<(i, k) -> (i)>]
    ins(%s : tensor<4x9xf32>) outs(%m, %l : tensor<4xf32>, tensor<4xf32>)
    weight {
    ^bb0(%score: f32, %pivot: f32):
      %d = arith.subf %score, %pivot : f32
      %w = math.exp2 %d : f32
      tiny.yield %w : f32
    } combine {
    ^bb0(%w: f32):
      tiny.yield %w : f32
    } rescale {
    ^bb0(%older: f32, %newer: f32):
      %d = arith.subf %older, %newer : f32
      %f = math.exp2 %d : f32
      tiny.yield %f : f32
    }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}
