// A result that updates a value in place names it, and the two have one type.
//
// RUN: tiny-opt %s --split-input-file --verify-diagnostics | tiny-opt --split-input-file | FileCheck %s

// CHECK: tiny.launch @half(%{{.*}}) into(%{{.*}} : tensor<8xf32>) updates [0] : (tensor<4xf32>) -> tensor<8xf32>
func.func private @half(tensor<4xf32>, tensor<8xf32>) -> tensor<8xf32>
func.func @main(%a: tensor<4xf32>) -> tensor<8xf32> {
  %0 = tiny.launch @half(%a) : (tensor<4xf32>) -> tensor<8xf32>
  %1 = tiny.launch @half(%a) into(%0 : tensor<8xf32>) updates [0] : (tensor<4xf32>) -> tensor<8xf32>
  return %1 : tensor<8xf32>
}
