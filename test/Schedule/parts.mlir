// A value that selects by position is computed in parts, each in its place in the whole, however the
// selection is written.
//
// RUN: tiny-opt %s --tiny-schedule-form-kernels --split-input-file | FileCheck %s

// The sums are written into their half by the kernel that computes them; the root, which is read
// elsewhere too, lies in the other half and nowhere else.
// CHECK-LABEL: func.func @main
// CHECK:         %[[A:.*]] = tiny.launch @[[ROOT:sqrt.*]](%arg0) : (tensor<2x3x4xf32>) -> tensor<2x5x4xf32>
// CHECK-DAG:     %[[C:.*]] = tiny.launch @[[SUM:reduce_add.*]](%arg1) into(%[[A]] : tensor<2x5x4xf32>) updates [0]
// CHECK-DAG:     %[[P:.*]] = tiny.launch @[[POOL:.*]](%[[A]]) : (tensor<2x5x4xf32>) -> tensor<2x4xf32>
// CHECK:         return %[[C]], %[[P]]
// CHECK:       func.func private @[[ROOT]](%{{.*}}: tensor<2x12xf32>, %[[OUT:.*]]: tensor<2x20xf32>)
// CHECK:         tensor.extract_slice %[[OUT]][0, 0] [2, 12] [1, 1]
// CHECK:         tensor.insert_slice %{{.*}} into %[[OUT]][0, 0] [2, 12] [1, 1]
// CHECK:       func.func private @[[SUM]]
// CHECK:         tensor.extract_slice %{{.*}}[0, 3, 0] [2, 2, 4] [1, 1, 1]
func.func @main(%a: tensor<2x3x4xf32>, %b: tensor<2x2x3x4xf32>) -> (tensor<2x5x4xf32>, tensor<2x4xf32>) {
  %ra = tiny.sqrt %a : tensor<2x3x4xf32>
  %rb = tiny.reduce add %b dims [2] : tensor<2x2x3x4xf32> -> tensor<2x2x4xf32>
  %pa = tiny.pad %ra low [0, 0, 0] high [0, 2, 0] value 0.0 : f32 : tensor<2x3x4xf32> -> tensor<2x5x4xf32>
  %pb = tiny.pad %rb low [0, 3, 0] high [0, 0, 0] value 0.0 : f32 : tensor<2x2x4xf32> -> tensor<2x5x4xf32>
  %i = tiny.iota dim 1 : tensor<2x5x4xi32>
  %k = tiny.constant dense<3> : tensor<2x5x4xi32>
  %c = tiny.cmp lt %i, %k : tensor<2x5x4xi32>
  %r = tiny.where %c, %pa, %pb : tensor<2x5x4xf32>
  %s = tiny.shrink %ra offsets [0, 1, 0] sizes [2, 2, 4] : tensor<2x3x4xf32> -> tensor<2x2x4xf32>
  %p = tiny.reduce max %s dims [1] : tensor<2x2x4xf32> -> tensor<2x4xf32>
  return %r, %p : tensor<2x5x4xf32>, tensor<2x4xf32>
}

// -----

// The other way round, with <= and an index that is expanded: the same parts.
// CHECK-LABEL: func.func @main
// CHECK:         %[[A:.*]] = tiny.launch @{{.*}} -> tensor<7xf32>
// CHECK:         %[[B:.*]] = tiny.launch @{{.*}} into(%[[A]] : tensor<7xf32>) updates [0]
// CHECK:         return %[[B]]
// CHECK-NOT:     arith.select
func.func @main(%a: tensor<3x2xf32>, %b: tensor<4x2xf32>) -> tensor<7xf32> {
  %ra = tiny.reduce add %a dims [1] : tensor<3x2xf32> -> tensor<3xf32>
  %rb = tiny.reduce max %b dims [1] : tensor<4x2xf32> -> tensor<4xf32>
  %pa = tiny.pad %ra low [0] high [4] value 1.0 : f32 : tensor<3xf32> -> tensor<7xf32>
  %pb = tiny.pad %rb low [3] high [0] value 2.0 : f32 : tensor<4xf32> -> tensor<7xf32>
  %i = tiny.iota dim 0 : tensor<7xi64>
  %k = tiny.constant dense<3> : tensor<7xi64>
  %c = tiny.cmp le %k, %i : tensor<7xi64>
  %r = tiny.where %c, %pb, %pa : tensor<7xf32>
  return %r : tensor<7xf32>
}

// -----

// Two parts that need a kernel each are one kernel that selects.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    tiny.launch @{{.*}}(%arg0, %arg1)
// CHECK-NEXT:    return
func.func @main(%a: tensor<3xf32>, %b: tensor<4xf32>) -> tensor<7xf32> {
  %pa = tiny.pad %a low [0] high [4] value 1.0 : f32 : tensor<3xf32> -> tensor<7xf32>
  %pb = tiny.pad %b low [3] high [0] value 2.0 : f32 : tensor<4xf32> -> tensor<7xf32>
  %i = tiny.iota dim 0 : tensor<7xi64>
  %k = tiny.constant dense<3> : tensor<7xi64>
  %c = tiny.cmp lt %i, %k : tensor<7xi64>
  %r = tiny.where %c, %pa, %pb : tensor<7xf32>
  return %r : tensor<7xf32>
}

// -----

// Sums with loops of 6 x 3 lie one behind the other among 26: no box of any shape of the whole, but a run of
// its elements.
// CHECK-LABEL: func.func @main
// CHECK:         %[[A:.*]] = tiny.launch @[[FIRST:reduce_add.*]](%arg0) : (tensor<3x6x2xf32>) -> tensor<26xf32>
// CHECK:         tiny.launch @{{.*}}(%arg1) into(%[[A]] : tensor<26xf32>) updates [0]
// CHECK:       func.func private @[[FIRST]](%{{.*}}: tensor<3x6x2xf32>, %[[OUT:.*]]: tensor<26xf32>)
// CHECK:         %[[PIECE:.*]] = tensor.extract_slice %[[OUT]][0] [18] [1]
// CHECK:         %[[LOOPS:.*]] = tensor.expand_shape %[[PIECE]] {{\[\[}}0, 1]] output_shape [6, 3]
// CHECK:         %[[SUM:.*]] = linalg.generic {{.*}} outs(%[[LOOPS]] : tensor<6x3xf32>)
// CHECK:         %[[DONE:.*]] = tensor.collapse_shape %[[SUM]]
// CHECK:         tensor.insert_slice %[[DONE]] into %[[OUT]][0] [18] [1]
func.func @main(%a: tensor<3x6x2xf32>, %b: tensor<2x4x5xf32>) -> tensor<26xf32> {
  %ra = tiny.reduce add %a dims [2] : tensor<3x6x2xf32> -> tensor<3x6xf32>
  %ta = tiny.permute %ra [1, 0] : tensor<3x6xf32> -> tensor<6x3xf32>
  %fa = tiny.reshape %ta : tensor<6x3xf32> to tensor<18xf32>
  %rb = tiny.reduce max %b dims [2] : tensor<2x4x5xf32> -> tensor<2x4xf32>
  %tb = tiny.permute %rb [1, 0] : tensor<2x4xf32> -> tensor<4x2xf32>
  %fb = tiny.reshape %tb : tensor<4x2xf32> to tensor<8xf32>
  %pa = tiny.pad %fa low [0] high [8] value 0.0 : f32 : tensor<18xf32> -> tensor<26xf32>
  %pb = tiny.pad %fb low [18] high [0] value 0.0 : f32 : tensor<8xf32> -> tensor<26xf32>
  %i = tiny.iota dim 0 : tensor<26xi64>
  %k = tiny.constant dense<18> : tensor<26xi64>
  %c = tiny.cmp lt %i, %k : tensor<26xi64>
  %r = tiny.where %c, %pa, %pb : tensor<26xf32>
  return %r : tensor<26xf32>
}
