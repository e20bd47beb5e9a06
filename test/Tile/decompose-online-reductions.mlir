// RUN: tiny-opt --tiny-tile-decompose-online-reductions=block-bytes=128 %s --split-input-file | FileCheck %s --enable-var-scope
// RUN: tiny-opt --tiny-tile-decompose-online-reductions=block-bytes=0 %s --split-input-file | FileCheck %s --check-prefix=ONE --enable-var-scope

// 8 bytes of scores and values per key: blocks of 16 keys, and one of 8. The scores of a block are computed
// for it; sums stay in place.

// CHECK-LABEL: func.func private @attention
// CHECK-SAME: %[[Q:.*]]: tensor<4x40xf32>, %[[V:.*]]: tensor<40xf32>
// CHECK: %[[M0:.*]] = linalg.fill
// CHECK: %[[L0:.*]] = linalg.fill
// CHECK: %[[R:.*]]:2 = scf.for %[[K:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[M:.*]] = %[[M0]], %[[L:.*]] = %[[L0]])
// CHECK: %[[QS:.*]] = tensor.extract_slice %[[Q]][0, %[[K]]] [4, 16] [1, 1]
// CHECK: %[[S:.*]] = linalg.generic {{.*}} ins(%[[QS]] : tensor<4x16xf32>)
// CHECK: arith.maximumf
// CHECK: %[[NEWER:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[M]] : tensor<4xf32>, tensor<4xf32>)
// CHECK: %[[W:.*]] = linalg.generic {{.*}} ins(%[[S]], %[[NEWER]] : tensor<4x16xf32>, tensor<4xf32>)
// The lowest finite number.
// CHECK: arith.constant -3.40282347E+38 : f32
// CHECK: math.exp2
// CHECK: %[[F:.*]] = linalg.generic {{.*}} ins(%[[M]], %[[NEWER]] : tensor<4xf32>, tensor<4xf32>)
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[W]], %{{.*}} : tensor<4x16xf32>, tensor<16xf32>)
// CHECK: %[[NEXT:.*]] = linalg.generic {{.*}} ins(%[[SUM]], %[[L]], %[[F]] : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) outs(%[[L]] : tensor<4xf32>)
// CHECK: %[[PIVOT:.*]] = linalg.generic {{.*}} ins(%[[NEWER]] : tensor<4xf32>) outs(%[[M]] : tensor<4xf32>)
// CHECK: scf.yield %[[PIVOT]], %[[NEXT]]
// CHECK: tensor.extract_slice %[[Q]][0, 32] [4, 8] [1, 1]
// CHECK: linalg.generic {{.*}} outs(%[[R]]#1 : tensor<4xf32>)
// CHECK-NOT: tiny.online_reduce

// ONE-LABEL: func.func private @attention
// ONE-NOT: scf.for
// ONE: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%{{.*}}, %{{.*}} : tensor<4x40xf32>, tensor<40xf32>)
func.func private @attention(%q: tensor<4x40xf32>, %v: tensor<40xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %infinity = arith.constant 0xFF800000 : f32
  %e0 = tensor.empty() : tensor<4x40xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i, k)>],
                       iterator_types = ["parallel", "parallel"]}
       ins(%q : tensor<4x40xf32>) outs(%e0 : tensor<4x40xf32>) {
  ^bb0(%x: f32, %o: f32):
    %y = arith.addf %x, %x : f32
    linalg.yield %y : f32
  } -> tensor<4x40xf32>
  %e1 = tensor.empty() : tensor<4xf32>
  %m0 = linalg.fill ins(%infinity : f32) outs(%e1 : tensor<4xf32>) -> tensor<4xf32>
  %l0 = linalg.fill ins(%zero : f32) outs(%out : tensor<4xf32>) -> tensor<4xf32>
  %r:2 = tiny.online_reduce over 1
    maps [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (k)>, affine_map<(i, k) -> (i)>, affine_map<(i, k) -> (i)>]
    ins(%s, %v : tensor<4x40xf32>, tensor<40xf32>) outs(%m0, %l0 : tensor<4xf32>, tensor<4xf32>)
    weight {
    ^bb0(%score: f32, %pivot: f32):
      %d = arith.subf %score, %pivot : f32
      %w = math.exp2 %d : f32
      tiny.yield %w : f32
    } combine {
    ^bb0(%w: f32, %x: f32):
      %t = arith.mulf %w, %x : f32
      tiny.yield %t : f32
    } rescale {
    ^bb0(%older: f32, %newer: f32):
      %d = arith.subf %older, %newer : f32
      %f = math.exp2 %d : f32
      tiny.yield %f : f32
    }
  return %r#1 : tensor<4xf32>
}
