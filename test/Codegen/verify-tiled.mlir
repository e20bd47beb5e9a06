// RUN: tiny-opt %s --tiny-codegen-verify-tiled --split-input-file --verify-diagnostics

func.func private @fine(%a: memref<4xf32>, %x: index, %y: index, %z: index) attributes {tiny.kernel} {
  %s = memref.alloca() : memref<16xf32>
  return
}
func.func @main(%x: tensor<4xf32>) {
  return
}

// -----

// expected-error @+1 {{argument 0 is 'memref<?xf32>'; a buffer is a static memref of identity layout}}
func.func private @dynamic(%a: memref<?xf32>, %x: index, %y: index, %z: index) attributes {tiny.kernel} {
  return
}

// -----

// expected-error @+1 {{the last three arguments of a tiled kernel are its place in the grid, of type index}}
func.func private @no_grid(%a: memref<4xf32>) attributes {tiny.kernel} {
  return
}

// -----

// expected-error @+1 {{a tiled kernel writes to its buffers and returns nothing}}
func.func private @returns(%x: index, %y: index, %z: index) -> index attributes {tiny.kernel} {
  return %x : index
}

// -----

func.func private @tensors(%x: index, %y: index, %z: index) attributes {tiny.kernel} {
  // expected-error @+1 {{is left in a tiled kernel}}
  %0 = tensor.empty() : tensor<4xf32>
  return
}

// -----

func.func private @heap(%x: index, %y: index, %z: index) attributes {tiny.kernel} {
  // expected-error @+1 {{is left in a tiled kernel}}
  %0 = memref.alloc() : memref<4xf32>
  return
}

// -----

// expected-error @+1 {{allocates 320000 bytes on the stack; at most 262144 are allowed}}
func.func private @stack(%x: index, %y: index, %z: index) attributes {tiny.kernel} {
  %0 = memref.alloca() : memref<40000xf64>
  return
}

// -----

func.func private @k(%a: memref<4xf32>, %b: memref<4xf32>, %x: index, %y: index, %z: index) attributes {tiny.kernel} {
  return
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{needs a grid of three sizes of at least 1}}
  %0 = tiny.launch @k(%x) {grid = array<i64: 0, 1, 1>} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
