// RUN: tiny-opt %s --split-input-file --verify-diagnostics
// UNSUPPORTED: roundtrip

func.func @f(%x: tensor<?x4xf32>) {
  // expected-error @below {{'tiny.exp2' op operand #0 must be}}
  %0 = tiny.exp2 %x : tensor<?x4xf32>
  return
}

// -----

func.func @f(%x: tensor<4xi32>) {
  // expected-error @below {{'tiny.sqrt' op operand #0 must be}}
  %0 = tiny.sqrt %x : tensor<4xi32>
  return
}

// -----

func.func @f(%x: tensor<4xi1>) {
  // expected-error @below {{'tiny.div' op operand #0 must be}}
  %0 = tiny.div %x, %x : tensor<4xi1>
  return
}

// -----

func.func @f(%x: tensor<4xi7>) {
  // expected-error @below {{'tiny.add' op operand #0 must be}}
  %0 = tiny.add %x, %x : tensor<4xi7>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{requires the same shape for all operands and results}}
  %0 = tiny.cast %x : tensor<4xf32> to tensor<5xi8>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{'tiny.reduce' op dim 2 does not exist in 'tensor<4x8xf32>'; dims are 0 to 1}}
  %0 = tiny.reduce add %x dims [2] : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{'tiny.reduce' op dim 1 is listed twice; list each dim once}}
  %0 = tiny.reduce add %x dims [1, 1] : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{'tiny.reduce' op result is 'tensor<4xf32>', but must be 'tensor<8xf32>'}}
  %0 = tiny.reduce add %x dims [0] : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @below {{'tiny.reshape' op input 'tensor<4x6xf32>' has 24 elements, but result 'tensor<5x5xf32>' has 25; both must have the same number}}
  %0 = tiny.reshape %x : tensor<4x6xf32> to tensor<5x5xf32>
  return
}

// -----

func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @below {{failed to verify that all of {input, result} have same element type}}
  %0 = tiny.reshape %x : tensor<4x6xf32> to tensor<24xf16>
  return
}

// -----

func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @below {{'tiny.permute' op permutation has 3 entries, but the input 'tensor<4x6xf32>' has 2 dimensions; give one entry per dimension}}
  %0 = tiny.permute %x [0, 1, 2] : tensor<4x6xf32> -> tensor<4x6xf32>
  return
}

// -----

func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @below {{'tiny.permute' op permutation entry 1 is out of range or repeated; list each of 0 to 1 once}}
  %0 = tiny.permute %x [1, 1] : tensor<4x6xf32> -> tensor<6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @below {{'tiny.expand' op input 'tensor<4x6xf32>' and result 'tensor<2x4x6xf32>' differ in rank; reshape the input to rank 3 with dimensions of size 1 first}}
  %0 = tiny.expand %x : tensor<4x6xf32> to tensor<2x4x6xf32>
  return
}

// -----

func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @below {{'tiny.expand' op dim 1 of the input has size 6, which does not repeat to 12; only a dimension of size 1 can be expanded}}
  %0 = tiny.expand %x : tensor<4x6xf32> to tensor<4x12xf32>
  return
}

// -----

func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @below {{'tiny.pad' op pads dim 1 by -1 and 0; padding must not be negative, use tiny.shrink to cut}}
  %0 = tiny.pad %x low [0, -1] high [0, 0] value 0.0 : f32 : tensor<4x6xf32> -> tensor<4x5xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{'tiny.pad' op pads dim 0 past the largest 64-bit size}}
  %0 = tiny.pad %x low [9223372036854775807] high [0] value 0.0 : f32 : tensor<4xf32> -> tensor<5xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{'tiny.pad' op pads with 0 : i32, but the elements are 'f32'; give a scalar value of that type}}
  %0 = tiny.pad %x low [1] high [0] value 0 : i32 : tensor<4xf32> -> tensor<5xf32>
  return
}

// -----

func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @below {{'tiny.shrink' op keeps 4 elements from 3 on in dim 1, which has 6; offset and size must lie inside the input}}
  %0 = tiny.shrink %x offsets [0, 3] sizes [4, 4] : tensor<4x6xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @below {{'tiny.stride' op step of dim 0 is 0; use 1 to keep every element, -1 to reverse}}
  %0 = tiny.stride %x [0, 1] : tensor<4x6xf32> -> tensor<4x6xf32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{'tiny.iota' op dim 2 does not exist in 'tensor<4x6xi32>'; dims are 0 to 1}}
  %0 = tiny.iota dim 2 : tensor<4x6xi32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{'tiny.expect_close' op tolerance is -1.000000e+00; it must be a number of at least 0}}
  tiny.expect_close %x, %x rtol -1.0 atol 0.0 : tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{'tiny.launch' op kernel @missing is not a function of this module}}
  %0 = tiny.launch @missing(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func private @k(tensor<5xf32>, tensor<4xf32>) -> tensor<4xf32>
func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{'tiny.launch' op buffer 0 is 'tensor<4xf32>', but kernel @k takes 'tensor<5xf32>'; the number of elements and the storage type must agree}}
  %0 = tiny.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func private @k(tensor<4xf32>) -> tensor<4xf32>
func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{'tiny.launch' op passes 2 buffers, but kernel @k takes 1}}
  %0 = tiny.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>, %i: index) {
  // expected-error @below {{'tiny.read' op map has 2 results, but the source 'tensor<4xf32>' has 1 dimensions}}
  %0 = tiny.read %x[%i] affine_map<(d0) -> (d0, d0)> where affine_map<(d0) -> ()> in [] to [] else [] : tensor<4xf32> -> f32
  return
}

// -----

func.func @f(%x: tensor<4xf32>, %i: index) {
  // expected-error @below {{'tiny.read' op guard has 1 constraints; lows, highs and pads must have as many entries}}
  %0 = tiny.read %x[%i] affine_map<(d0) -> (d0)> where affine_map<(d0) -> (d0)> in [] to [] else [] : tensor<4xf32> -> f32
  return
}

// -----

func.func @f(%x: tensor<4xf32>, %i: index) {
  // expected-error @below {{'tiny.read' op pad 0 : i32 is not of the element type 'f32'}}
  %0 = tiny.read %x[%i] affine_map<(d0) -> (d0)> where affine_map<(d0) -> (d0)> in [0] to [4] else [0 : i32] : tensor<4xf32> -> f32
  return
}

// -----

func.func @f() {
  // expected-error @below {{'tiny.constant' op result #0 must be}}
  %0 = tiny.constant dense<1> : vector<4xi32>
  return
}

// -----

func.func @place(%i: index) {
  // expected-error @below {{'tiny.place' op attribute 'dim' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
  tiny.place %i dim -1
  return
}
