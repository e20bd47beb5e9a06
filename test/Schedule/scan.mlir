// A reduction over all positions up to each one is a pass over the positions, which keeps every value
// of its accumulator.
//
// RUN: tiny-opt %s --tiny-schedule-form-kernels --split-input-file | FileCheck %s
// RUN: tiny-opt %s --tiny-report=json --split-input-file | FileCheck %s --check-prefix=COST

// The two loops of the triangle are one, and what is behind the sum is in it: n additions per row for
// the sums and n behind them.
// CHECK-DAG:   #[[$TERM:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG:   #[[$ROW:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    tiny.launch @cumulative_add_add_3x41(%arg0)
// CHECK-NEXT:    return
// CHECK:         %[[ZERO:.*]] = linalg.fill
// CHECK:         linalg.generic {indexing_maps = [#[[$TERM]], #[[$ROW]], #[[$TERM]]], iterator_types = ["parallel", "reduction"]}
// CHECK-SAME:      outs(%[[ZERO]], %arg1 : tensor<3xf32>, tensor<3x41xf32>)
// CHECK-NEXT:    ^bb0(%[[X:.*]]: f32, %[[SUM:.*]]: f32, %{{.*}}: f32):
// CHECK:           %[[NEXT:.*]] = arith.addf %[[SUM]], %[[X]] : f32
// CHECK:           %[[MORE:.*]] = arith.addf %[[NEXT]], %{{.*}} : f32
// CHECK:           linalg.yield %[[NEXT]], %[[MORE]] : f32, f32
// COST: "name": "cumulative_add_add_3x41"
// COST: "flops": 246
func.func @main(%x: tensor<3x41xf32>) -> tensor<3x41xf32> {
  %x0 = tiny.reshape %x : tensor<3x41xf32> to tensor<3x1x41xf32>
  %x1 = tiny.expand %x0 : tensor<3x1x41xf32> to tensor<3x41x41xf32>
  %r = tiny.iota dim 1 : tensor<3x41x41xi32>
  %t = tiny.iota dim 2 : tensor<3x41x41xi32>
  %c = tiny.cmp le %t, %r : tensor<3x41x41xi32>
  %z = tiny.constant dense<0.0> : tensor<3x41x41xf32>
  %w = tiny.where %c, %x1, %z : tensor<3x41x41xf32>
  %s = tiny.reduce add %w dims [2] : tensor<3x41x41xf32> -> tensor<3x41xf32>
  %one = tiny.constant dense<1.0> : tensor<3x41xf32>
  %y = tiny.add %s, %one : tensor<3x41xf32>
  return %y : tensor<3x41xf32>
}

// -----

// From the end, without the element itself, along an outer dim.
// CHECK-DAG:   #[[$PLACE:.*]] = affine_map<(d0, d1) -> (0, d0)>
// CHECK-DAG:   #[[$BACK:.*]] = affine_map<(d0, d1) -> (-d1 + 40)>
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    tiny.launch @cumulative_max_41x3(%arg0)
// CHECK:         #[[$PLACE]]], iterator_types = ["parallel", "reduction"]
// CHECK:         ^bb0({{.*}}%[[SEEN:.*]]: i32, %{{.*}}: i32):
// CHECK:           %[[NEXT:.*]] = arith.maxsi %[[SEEN]]
// CHECK:           %[[AT:.*]] = affine.apply #[[$BACK]]
// CHECK:           tiny.place %[[AT]] dim 0
// CHECK:           linalg.yield %[[NEXT]], %[[SEEN]] : i32, i32
// COST: "name": "cumulative_max_41x3"
func.func @main(%x: tensor<41x3xi32>) -> tensor<41x3xi32> {
  %x0 = tiny.reshape %x : tensor<41x3xi32> to tensor<1x41x3xi32>
  %x1 = tiny.expand %x0 : tensor<1x41x3xi32> to tensor<41x41x3xi32>
  %r = tiny.iota dim 0 : tensor<41x41x3xi32>
  %t = tiny.iota dim 1 : tensor<41x41x3xi32>
  %c = tiny.cmp lt %r, %t : tensor<41x41x3xi32>
  %z = tiny.constant dense<-2147483648> : tensor<41x41x3xi32>
  %w = tiny.where %c, %x1, %z : tensor<41x41x3xi32>
  %s = tiny.reduce max %w dims [1] : tensor<41x41x3xi32> -> tensor<41x3xi32>
  return %s : tensor<41x3xi32>
}

// -----

// A window that begins where the padding ends: average pooling of everything so far.
// CHECK-LABEL: func.func @main
// CHECK:         tiny.launch @cumulative_add_20
// COST: "name": "cumulative_add_20"
// COST: "flops": 20
func.func @main(%x: tensor<20xf32>) -> tensor<20xf32> {
  %p = tiny.pad %x low [19] high [0] value 0.0 : f32 : tensor<20xf32> -> tensor<39xf32>
  %q = tiny.reshape %p : tensor<39xf32> to tensor<1x39xf32>
  %e = tiny.expand %q : tensor<1x39xf32> to tensor<21x39xf32>
  %f = tiny.reshape %e : tensor<21x39xf32> to tensor<819xf32>
  %g = tiny.shrink %f offsets [0] sizes [800] : tensor<819xf32> -> tensor<800xf32>
  %h = tiny.reshape %g : tensor<800xf32> to tensor<20x40xf32>
  %i = tiny.shrink %h offsets [0, 0] sizes [20, 20] : tensor<20x40xf32> -> tensor<20x20xf32>
  %s = tiny.reduce add %i dims [1] : tensor<20x20xf32> -> tensor<20xf32>
  return %s : tensor<20xf32>
}

// -----

// A band is no triangle, and a selection that leaves the identity of another reduction is none.
// CHECK-LABEL: func.func @main
// CHECK-NOT:     cumulative
func.func @main(%x: tensor<41xf32>) -> tensor<41xf32> {
  %x0 = tiny.reshape %x : tensor<41xf32> to tensor<1x41xf32>
  %x1 = tiny.expand %x0 : tensor<1x41xf32> to tensor<41x41xf32>
  %r = tiny.iota dim 0 : tensor<41x41xi32>
  %t = tiny.iota dim 1 : tensor<41x41xi32>
  %c = tiny.cmp le %t, %r : tensor<41x41xi32>
  %z = tiny.constant dense<0.0> : tensor<41x41xf32>
  %w = tiny.where %c, %x1, %z : tensor<41x41xf32>
  %s = tiny.reduce max %w dims [1] : tensor<41x41xf32> -> tensor<41xf32>
  return %s : tensor<41xf32>
}
