// RUN: tiny-opt %s --tiny-tile-shrink-locals --split-input-file | FileCheck %s --enable-var-scope

// A softmax whose weights are rounded: they are kept as f16, and the exponentials lie where the scores did.
// The maxima are read again and stay.
// CHECK-LABEL: func.func private @softmax
// CHECK:         %[[S0:.*]] = tensor.empty() : tensor<4x8xf32>
// CHECK:         %[[S:.*]] = linalg.generic {{.*}} outs(%[[S0]] : tensor<4x8xf32>)
// CHECK:         %[[M:.*]] = linalg.generic {{.*}} iterator_types = ["parallel"]}
// CHECK:         %[[W:.*]] = linalg.generic {{.*}} ins(%[[S]], %[[M]] : tensor<4x8xf32>, tensor<4xf32>) outs(%[[S]] : tensor<4x8xf32>)
// CHECK:         %[[P0:.*]] = tensor.empty() : tensor<4x8xf16>
// CHECK:         %[[P:.*]] = linalg.generic {{.*}} ins(%[[W]], %[[M]] : tensor<4x8xf32>, tensor<4xf32>) outs(%[[P0]] : tensor<4x8xf16>)
// CHECK:         ^bb0(%{{.*}}: f32, %{{.*}}: f32, %{{.*}}: f16):
// CHECK:           %[[N:.*]] = arith.truncf
// CHECK-NEXT:      linalg.yield %[[N]] : f16
// CHECK:         linalg.generic {{.*}} ins(%[[P]] : tensor<4x8xf16>)
// CHECK-NEXT:    ^bb0(%[[X:.*]]: f16, %{{.*}}: f32):
// CHECK-NEXT:      arith.extf %[[X]] : f16 to f32
func.func private @softmax(%x: tensor<4x8xf32>, %out: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {tiny.kernel} {
  %least = arith.constant 0xFF800000 : f32
  %e0 = tensor.empty() : tensor<4x8xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%e0 : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %b = arith.addf %a, %a : f32
    linalg.yield %b : f32
  } -> tensor<4x8xf32>
  %e1 = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%least : f32) outs(%e1 : tensor<4xf32>) -> tensor<4xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%s : tensor<4x8xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %b = arith.maximumf %o, %a : f32
    linalg.yield %b : f32
  } -> tensor<4xf32>
  %e2 = tensor.empty() : tensor<4xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%r : tensor<4xf32>) outs(%e2 : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<4xf32>
  %e3 = tensor.empty() : tensor<4x8xf32>
  %w = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%s, %m : tensor<4x8xf32>, tensor<4xf32>) outs(%e3 : tensor<4x8xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %b = arith.subf %a, %c : f32
    %d = math.exp2 %b : f32
    linalg.yield %d : f32
  } -> tensor<4x8xf32>
  %e4 = tensor.empty() : tensor<4x8xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%w, %m : tensor<4x8xf32>, tensor<4xf32>) outs(%e4 : tensor<4x8xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %b = arith.divf %a, %c : f32
    %n = arith.truncf %b : f32 to f16
    %d = arith.extf %n : f16 to f32
    linalg.yield %d : f32
  } -> tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<4x8xf32>) outs(%out : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %b = arith.mulf %a, %a : f32
    linalg.yield %b : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// A copy of a local that nobody else reads any more is that local.
// CHECK-LABEL: func.func private @copy
// CHECK:         %[[A:.*]] = linalg.generic
// CHECK:         linalg.generic {{.*}} ins(%[[A]] : tensor<4xf32>)
// CHECK-NOT:     linalg.generic
func.func private @copy(%x: tensor<4xf32>, %out: tensor<4xf32>) -> tensor<4xf32> attributes {tiny.kernel} {
  %e0 = tensor.empty() : tensor<4xf32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%e0 : tensor<4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = math.exp2 %p : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  %e1 = tensor.empty() : tensor<4xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%a : tensor<4xf32>) outs(%e1 : tensor<4xf32>) {
  ^bb0(%p: f32, %o: f32):
    linalg.yield %p : f32
  } -> tensor<4xf32>
  %c = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%b : tensor<4xf32>) outs(%out : tensor<4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.mulf %p, %p : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %c : tensor<4xf32>
}

// -----

// Nothing is written over that is read behind it, elsewhere than where it is written, or an argument.
// CHECK-LABEL: func.func private @needed
// CHECK-SAME:    (%[[X:.*]]: tensor<4x4xf32>,
// CHECK:         %[[A0:.*]] = tensor.empty()
// CHECK:         %[[A:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<4x4xf32>) outs(%[[A0]] : tensor<4x4xf32>)
// CHECK:         %[[B0:.*]] = tensor.empty()
// CHECK:         %[[B:.*]] = linalg.generic {{.*}} ins(%[[A]] : tensor<4x4xf32>) outs(%[[B0]] : tensor<4x4xf32>)
// CHECK:         %[[C0:.*]] = tensor.empty()
// CHECK:         %[[C:.*]] = linalg.generic {{.*}} ins(%[[A]], %[[A]] : tensor<4x4xf32>, tensor<4x4xf32>) outs(%[[C0]] : tensor<4x4xf32>)
// CHECK:         linalg.generic {{.*}} ins(%[[B]], %[[C]] : tensor<4x4xf32>, tensor<4x4xf32>) outs(%{{.*}} : tensor<4x4xf32>)
func.func private @needed(%x: tensor<4x4xf32>, %out: tensor<4x4xf32>) -> tensor<4x4xf32> attributes {tiny.kernel} {
  %e0 = tensor.empty() : tensor<4x4xf32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x4xf32>) outs(%e0 : tensor<4x4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.addf %p, %p : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  %e1 = tensor.empty() : tensor<4x4xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<4x4xf32>) outs(%e1 : tensor<4x4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.mulf %p, %p : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  %e2 = tensor.empty() : tensor<4x4xf32>
  %c = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e2 : tensor<4x4xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.mulf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  %d = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%b, %c : tensor<4x4xf32>, tensor<4x4xf32>) outs(%out : tensor<4x4xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  return %d : tensor<4x4xf32>
}
