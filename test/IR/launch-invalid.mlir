// RUN: tiny-opt %s --split-input-file --verify-diagnostics

func.func private @half(tensor<4xf32>, tensor<8xf32>) -> tensor<8xf32>
func.func @main(%a: tensor<4xf32>) -> tensor<8xf32> {
  // expected-error @+1 {{result 0 is 'tensor<8xf32>', but updates 'tensor<4xf32>'}}
  %1 = tiny.launch @half(%a) into(%a : tensor<4xf32>) updates [0] : (tensor<4xf32>) -> tensor<8xf32>
  return %1 : tensor<8xf32>
}

// -----

func.func private @half(tensor<4xf32>, tensor<8xf32>) -> tensor<8xf32>
func.func @main(%a: tensor<4xf32>, %b: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @+1 {{updates 1 must be numbers of results in ascending order; there are 1}}
  %1 = tiny.launch @half(%a) into(%b : tensor<8xf32>) updates [1] : (tensor<4xf32>) -> tensor<8xf32>
  return %1 : tensor<8xf32>
}

// -----

func.func private @half(tensor<4xf32>, tensor<8xf32>) -> tensor<8xf32>
func.func @main(%a: tensor<4xf32>, %b: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @+1 {{has 1 values to update, but names 0 results that do}}
  %1 = "tiny.launch"(%a, %b) <{kernel = @half, operandSegmentSizes = array<i32: 1, 1>}> : (tensor<4xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %1 : tensor<8xf32>
}
