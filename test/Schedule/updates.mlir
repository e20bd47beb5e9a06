// A value that is another one with some new elements takes over its buffer, and only the new elements
// are computed, where the other one dies: where it is an argument, if the caller gives that away.
//
// RUN: tiny-opt %s --tiny-schedule-form-kernels --tiny-schedule-plan-memory --tiny-schedule-verify --split-input-file | FileCheck %s

// CHECK:       #[[$MAP:.*]] = affine_map<(d0, d1) -> (d0, 0, d1)>
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    tiny.launch @update_2x16x8(%arg2, %arg1) into(%arg0 : tensor<2x16x8xf32>) updates [0]
// CHECK-SAME:      #tiny.slot<argument[0], offset = 0, bytes = 1024>
// CHECK:       func.func private @update_2x16x8(%{{.*}}: tensor<i32>, %[[NEW:.*]]: tensor<2x8xf32>, %[[OUT:.*]]: tensor<2x16x8xf32>)
// CHECK-SAME:    tiny.reason = "it is written into the value that it updates"
// CHECK:         #[[$MAP]]], iterator_types = ["parallel", "parallel"]
// CHECK-SAME:      outs(%[[OUT]] : tensor<2x16x8xf32>)
// CHECK:         %[[AT:.*]] = arith.index_cast %{{.*}} : i32 to index
// CHECK-NEXT:    tiny.place %[[AT]] dim 1
func.func @main(%old: tensor<2x16x8xf32> {tiny.donated}, %new: tensor<2x1x8xf32>, %at: tensor<i32>) -> tensor<2x16x8xf32> {
  %i = tiny.iota dim 1 : tensor<2x16x8xi32>
  %a0 = tiny.reshape %at : tensor<i32> to tensor<1x1x1xi32>
  %a1 = tiny.expand %a0 : tensor<1x1x1xi32> to tensor<2x16x8xi32>
  %c = tiny.cmp eq %i, %a1 : tensor<2x16x8xi32>
  %n = tiny.expand %new : tensor<2x1x8xf32> to tensor<2x16x8xf32>
  %r = tiny.where %c, %n, %old : tensor<2x16x8xf32>
  return %r : tensor<2x16x8xf32>
}

// -----

// The caller keeps it.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    tiny.launch @cmp_where_5(%arg2, %arg1, %arg0) {result_slots = [#tiny.slot<result[0]
func.func @main(%old: tensor<5xf32>, %new: tensor<f32>, %at: tensor<i32>) -> tensor<5xf32> {
  %i = tiny.iota dim 0 : tensor<5xi32>
  %a0 = tiny.reshape %at : tensor<i32> to tensor<1xi32>
  %a1 = tiny.expand %a0 : tensor<1xi32> to tensor<5xi32>
  %c = tiny.cmp eq %i, %a1 : tensor<5xi32>
  %n0 = tiny.reshape %new : tensor<f32> to tensor<1xf32>
  %n1 = tiny.expand %n0 : tensor<1xf32> to tensor<5xf32>
  %r = tiny.where %c, %n1, %old : tensor<5xf32>
  return %r : tensor<5xf32>
}

// -----

// Somebody reads it later.
// CHECK-LABEL: func.func @main
// CHECK-NOT:     into
func.func @main(%old: tensor<5xf32> {tiny.donated}, %new: tensor<f32>, %at: tensor<i32>) -> (tensor<5xf32>, tensor<f32>) {
  %i = tiny.iota dim 0 : tensor<5xi32>
  %a0 = tiny.reshape %at : tensor<i32> to tensor<1xi32>
  %a1 = tiny.expand %a0 : tensor<1xi32> to tensor<5xi32>
  %c = tiny.cmp eq %i, %a1 : tensor<5xi32>
  %n0 = tiny.reshape %new : tensor<f32> to tensor<1xf32>
  %n1 = tiny.expand %n0 : tensor<1xf32> to tensor<5xf32>
  %r = tiny.where %c, %n1, %old : tensor<5xf32>
  %s = tiny.mul %r, %old : tensor<5xf32>
  %t = tiny.reduce add %s dims [0] : tensor<5xf32> -> tensor<f32>
  return %r, %t : tensor<5xf32>, tensor<f32>
}

// -----

// Who reads the old value and comes before is launched before, whoever needs what it makes.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    tiny.launch @reduce_max_scalar(%arg0)
// CHECK-NEXT:    %[[NEW:.*]] = tiny.launch @update_5{{.*}} into(%arg0 : tensor<5xf32>) updates [0]
// CHECK-NEXT:    return %{{.*}}, %[[NEW]]
func.func @main(%old: tensor<5xf32> {tiny.donated}, %new: tensor<f32>, %at: tensor<i32>) -> (tensor<f32>, tensor<5xf32>) {
  %before = tiny.reduce max %old dims [0] : tensor<5xf32> -> tensor<f32>
  %i = tiny.iota dim 0 : tensor<5xi32>
  %a0 = tiny.reshape %at : tensor<i32> to tensor<1xi32>
  %a1 = tiny.expand %a0 : tensor<1xi32> to tensor<5xi32>
  %c = tiny.cmp eq %i, %a1 : tensor<5xi32>
  %n0 = tiny.reshape %new : tensor<f32> to tensor<1xf32>
  %n1 = tiny.expand %n0 : tensor<1xf32> to tensor<5xf32>
  %r = tiny.where %c, %n1, %old : tensor<5xf32>
  return %before, %r : tensor<f32>, tensor<5xf32>
}

// -----

// The new element is made of old ones elsewhere, which others have written over by then.
// CHECK-LABEL: func.func @main
// CHECK-NOT:     into
func.func @main(%old: tensor<5x3xf32> {tiny.donated}, %at: tensor<i32>) -> tensor<5x3xf32> {
  %i = tiny.iota dim 0 : tensor<5x3xi32>
  %a0 = tiny.reshape %at : tensor<i32> to tensor<1x1xi32>
  %a1 = tiny.expand %a0 : tensor<1x1xi32> to tensor<5x3xi32>
  %c = tiny.cmp eq %i, %a1 : tensor<5x3xi32>
  %f = tiny.stride %old [1, -1] : tensor<5x3xf32> -> tensor<5x3xf32>
  %r = tiny.where %c, %f, %old : tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// -----

// At fixed places: a slice, with what is left of the old value around it.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    tiny.launch @exp2_update_4x3(%arg1) into(%arg0 : tensor<4x16xf32>) updates [0]
// CHECK-NEXT:    return
// CHECK:         tensor.extract_slice %{{.*}}[0, 5] [4, 3] [1, 1]
func.func @main(%old: tensor<4x16xf32> {tiny.donated}, %new: tensor<4x3xf32>) -> tensor<4x16xf32> {
  %i = tiny.iota dim 1 : tensor<4x16xi32>
  %five = tiny.constant dense<5> : tensor<4x16xi32>
  %eight = tiny.constant dense<8> : tensor<4x16xi32>
  %e = tiny.exp2 %new : tensor<4x3xf32>
  %m = tiny.pad %e low [0, 5] high [0, 8] value 0.0 : f32 : tensor<4x3xf32> -> tensor<4x16xf32>
  %c = tiny.cmp le %five, %i : tensor<4x16xi32>
  %d = tiny.cmp lt %i, %eight : tensor<4x16xi32>
  %in = tiny.mul %c, %d : tensor<4x16xi1>
  %r = tiny.where %in, %m, %old : tensor<4x16xf32>
  return %r : tensor<4x16xf32>
}

// -----

// What an elementwise op makes of a donated argument lies in it, too.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    tiny.launch @mul_add_8(%arg0, %arg1) {result_slots = [#tiny.slot<argument[0], offset = 0, bytes = 32>]}
func.func @main(%w: tensor<8xf32> {tiny.donated}, %g: tensor<8xf32>) -> tensor<8xf32> {
  %rate = tiny.constant dense<-0.5> : tensor<8xf32>
  %s = tiny.mul %g, %rate : tensor<8xf32>
  %r = tiny.add %w, %s : tensor<8xf32>
  return %r : tensor<8xf32>
}
