// RUN: tiny-opt %s --tiny-schedule-share-kernels --split-input-file | FileCheck %s

#id = affine_map<(d0) -> (d0)>

// Equal but for names and locations: one is left, and it has the first one's name.
// CHECK-LABEL: func.func @main
// CHECK: tiny.launch @exp_8(%arg0)
// CHECK: tiny.launch @exp_8(%0)
// CHECK: tiny.launch @exp_8(%1)
// CHECK: func.func private @exp_8(
// CHECK-NOT: func.func
func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = tiny.launch @exp_8(%x) : (tensor<8xf32>) -> tensor<8xf32>
  %1 = tiny.launch @exp_8_0(%0) : (tensor<8xf32>) -> tensor<8xf32>
  %2 = tiny.launch @other_name(%1) : (tensor<8xf32>) -> tensor<8xf32>
  return %2 : tensor<8xf32>
}
func.func private @exp_8(%x: tensor<8xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {tiny.kernel} {
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%out : tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %1 = math.exp2 %a : f32
    linalg.yield %1 : f32
  } -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
func.func private @exp_8_0(%x: tensor<8xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {tiny.kernel} {
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%out : tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %1 = math.exp2 %a : f32 loc("layer 2")
    linalg.yield %1 : f32
  } -> tensor<8xf32> loc("layer 2")
  return %0 : tensor<8xf32>
}
func.func private @other_name(%x: tensor<8xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {tiny.kernel} {
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%out : tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %1 = math.exp2 %a : f32
    linalg.yield %1 : f32
  } -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

#id = affine_map<(d0) -> (d0)>

// Which operand, which attribute, which type: each makes a kernel of its own. So does a function
// that is no kernel.
// CHECK-LABEL: func.func @main
// CHECK: tiny.launch @a(
// CHECK: tiny.launch @swapped(
// CHECK: tiny.launch @constant(
// CHECK: tiny.launch @attribute(
// CHECK: func.func private @a(
// CHECK: func.func private @swapped(
// CHECK: func.func private @constant(
// CHECK: func.func private @attribute(
// CHECK: func.func private @helper(
// CHECK: func.func private @same_helper(
func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = tiny.launch @a(%x) : (tensor<8xf32>) -> tensor<8xf32>
  %1 = tiny.launch @swapped(%0) : (tensor<8xf32>) -> tensor<8xf32>
  %2 = tiny.launch @constant(%1) : (tensor<8xf32>) -> tensor<8xf32>
  %3 = tiny.launch @attribute(%2) : (tensor<8xf32>) -> tensor<8xf32>
  return %3 : tensor<8xf32>
}
func.func private @a(%x: tensor<8xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {tiny.kernel} {
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%out : tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %one = arith.constant 1.0 : f32
    %1 = arith.divf %a, %one : f32
    linalg.yield %1 : f32
  } -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
func.func private @swapped(%x: tensor<8xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {tiny.kernel} {
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%out : tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %one = arith.constant 1.0 : f32
    %1 = arith.divf %one, %a : f32
    linalg.yield %1 : f32
  } -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
func.func private @constant(%x: tensor<8xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {tiny.kernel} {
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%out : tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %one = arith.constant 2.0 : f32
    %1 = arith.divf %a, %one : f32
    linalg.yield %1 : f32
  } -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
func.func private @attribute(%x: tensor<8xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {tiny.kernel, tiny.other} {
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%out : tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %one = arith.constant 1.0 : f32
    %1 = arith.divf %a, %one : f32
    linalg.yield %1 : f32
  } -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
func.func private @helper() {
  return
}
func.func private @same_helper() {
  return
}
