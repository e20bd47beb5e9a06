// RUN: tiny-opt %s | tiny-opt | FileCheck %s
// RUN: tiny-opt %s --emit-bytecode | tiny-opt | FileCheck %s

// Every op once, the examples of the ops' documentation among them (doc-examples.test checks that).

// CHECK-LABEL: func.func @elementwise
func.func @elementwise(%x: tensor<4x8xf32>, %y: tensor<4xf32>, %a: tensor<4x8xf32>,
                       %b: tensor<4x8xf32>, %c: tensor<4x8xi1>, %i: tensor<4x8xi32>) {
  // CHECK-NEXT: tiny.exp2 %arg0 : tensor<4x8xf32>
  %0 = tiny.exp2 %x : tensor<4x8xf32>
  // CHECK-NEXT: tiny.log2 %arg0 : tensor<4x8xf32>
  %1 = tiny.log2 %x : tensor<4x8xf32>
  // CHECK-NEXT: tiny.sin %arg0 : tensor<4x8xf32>
  %2 = tiny.sin %x : tensor<4x8xf32>
  // CHECK-NEXT: tiny.sqrt %arg0 : tensor<4x8xf32>
  %3 = tiny.sqrt %x : tensor<4x8xf32>
  // CHECK-NEXT: tiny.cast %arg1 : tensor<4xf32> to tensor<4xui8>
  %4 = tiny.cast %y : tensor<4xf32> to tensor<4xui8>
  // CHECK-NEXT: tiny.add %arg2, %arg3 : tensor<4x8xf32>
  %5 = tiny.add %a, %b : tensor<4x8xf32>
  // CHECK-NEXT: tiny.mul %arg2, %arg3 : tensor<4x8xf32>
  %6 = tiny.mul %a, %b : tensor<4x8xf32>
  // CHECK-NEXT: tiny.div %arg2, %arg3 : tensor<4x8xf32>
  %7 = tiny.div %a, %b : tensor<4x8xf32>
  // CHECK-NEXT: tiny.max %arg2, %arg3 : tensor<4x8xf32>
  %8 = tiny.max %a, %b : tensor<4x8xf32>
  // CHECK-NEXT: tiny.cmp lt %arg2, %arg3 : tensor<4x8xf32>
  %9 = tiny.cmp lt %a, %b : tensor<4x8xf32>
  // CHECK-NEXT: tiny.cmp le
  %10 = tiny.cmp le %a, %b : tensor<4x8xf32>
  // CHECK-NEXT: tiny.cmp eq
  %11 = tiny.cmp eq %a, %b : tensor<4x8xf32>
  // CHECK-NEXT: tiny.cmp ne
  %12 = tiny.cmp ne %a, %b : tensor<4x8xf32>
  // CHECK-NEXT: tiny.where %arg4, %arg2, %arg3 : tensor<4x8xf32>
  %13 = tiny.where %c, %a, %b : tensor<4x8xf32>
  // CHECK-NEXT: tiny.mul %arg5, %arg5 : tensor<4x8xi32>
  %14 = tiny.mul %i, %i : tensor<4x8xi32>
  // CHECK-NEXT: tiny.div %arg5, %arg5 : tensor<4x8xi32>
  %15 = tiny.div %i, %i : tensor<4x8xi32>
  return
}

// CHECK-LABEL: func.func @reduce
func.func @reduce(%x: tensor<4x8x3xf32>) {
  // CHECK-NEXT: tiny.reduce add %arg0 dims [0, 2] : tensor<4x8x3xf32> -> tensor<8xf32>
  %0 = tiny.reduce add %x dims [0, 2] : tensor<4x8x3xf32> -> tensor<8xf32>
  // CHECK-NEXT: tiny.reduce mul %arg0 dims [0, 1, 2] : tensor<4x8x3xf32> -> tensor<f32>
  %1 = tiny.reduce mul %x dims [0, 1, 2] : tensor<4x8x3xf32> -> tensor<f32>
  // CHECK-NEXT: tiny.reduce max %arg0 dims [] : tensor<4x8x3xf32> -> tensor<4x8x3xf32>
  %2 = tiny.reduce max %x dims [] : tensor<4x8x3xf32> -> tensor<4x8x3xf32>
  return
}

// CHECK-LABEL: func.func @movement
func.func @movement(%x: tensor<4x6xf32>, %y: tensor<4x6x8xf32>, %z: tensor<4x1xf32>,
                    %v: tensor<5x6xf32>) {
  // CHECK-NEXT: tiny.reshape %arg0 : tensor<4x6xf32> to tensor<2x12xf32>
  %0 = tiny.reshape %x : tensor<4x6xf32> to tensor<2x12xf32>
  // CHECK-NEXT: tiny.permute %arg1 [2, 0, 1] : tensor<4x6x8xf32> -> tensor<8x4x6xf32>
  %1 = tiny.permute %y [2, 0, 1] : tensor<4x6x8xf32> -> tensor<8x4x6xf32>
  // CHECK-NEXT: tiny.expand %arg2 : tensor<4x1xf32> to tensor<4x8xf32>
  %2 = tiny.expand %z : tensor<4x1xf32> to tensor<4x8xf32>
  // CHECK-NEXT: tiny.pad %arg0 low [0, 1] high [2, 1] value 0.000000e+00 : f32 : tensor<4x6xf32> -> tensor<6x8xf32>
  %3 = tiny.pad %x low [0, 1] high [2, 1] value 0.0 : f32 : tensor<4x6xf32> -> tensor<6x8xf32>
  // CHECK-NEXT: tiny.shrink %arg0 offsets [1, 0] sizes [2, 6] : tensor<4x6xf32> -> tensor<2x6xf32>
  %4 = tiny.shrink %x offsets [1, 0] sizes [2, 6] : tensor<4x6xf32> -> tensor<2x6xf32>
  // CHECK-NEXT: tiny.stride %arg3 [2, -1] : tensor<5x6xf32> -> tensor<3x6xf32>
  %5 = tiny.stride %v [2, -1] : tensor<5x6xf32> -> tensor<3x6xf32>
  return
}

// CHECK-LABEL: func.func @sources
func.func @sources() {
  // CHECK-NEXT: tiny.constant dense<[1, 2, 250]> : tensor<3xui8>
  %0 = tiny.constant dense<[1, 2, 250]> : tensor<3xui8>
  // CHECK-NEXT: tiny.iota dim 1 : tensor<4x8xi32>
  %1 = tiny.iota dim 1 : tensor<4x8xi32>
  // CHECK-NEXT: tiny.constant dense<> : tensor<0x3xf64>
  %2 = tiny.constant dense<> : tensor<0x3xf64>
  // CHECK-NEXT: tiny.constant {slot = #tiny.slot<workspace[0], offset = 4096, bytes = 256>} dense<1.0{{.*}}> : tensor<64xf32>
  %3 = tiny.constant {slot = #tiny.slot<workspace[0], offset = 4096, bytes = 256>} dense<1.0> : tensor<64xf32>
  // CHECK-NEXT: tiny.constant dense_resource<weights> : tensor<2xf32>
  %4 = tiny.constant dense_resource<weights> : tensor<2xf32>
  return
}

// CHECK-LABEL: func.func @expectations
func.func @expectations(%a: tensor<4xi32>, %b: tensor<4xi32>, %x: tensor<4xf32>,
                        %y: tensor<4xf32>) {
  // CHECK-NEXT: tiny.expect_eq %arg0, %arg1 : tensor<4xi32>
  tiny.expect_eq %a, %b : tensor<4xi32>
  // CHECK-NEXT: tiny.expect_close %arg2, %arg3 rtol 1.000000e-05 atol 9.99{{.*}} : tensor<4xf32>
  tiny.expect_close %x, %y rtol 1.0e-5 atol 1.0e-6 : tensor<4xf32>
  return
}

// CHECK-LABEL: func.func @launch
func.func @launch(%a: tensor<4x8xf32>, %b: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK-NEXT: tiny.launch @add_4x8(%arg0, %arg1) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %r = tiny.launch @add_4x8(%a, %b) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %r : tensor<4x8xf32>
}
func.func private @add_4x8(tensor<32xf32>, tensor<32xf32>, tensor<32xf32>) -> tensor<32xf32>

// CHECK-LABEL: func.func @read
func.func @read(%src: tensor<32xf32>, %i: index, %j: index) -> f32 {
  // CHECK-NEXT: tiny.read %arg0[%arg1, %arg2] #{{.*}} where #{{.*}} in [1] to [5] else [0.0{{.*}} : f32] : tensor<32xf32> -> f32
  %v = tiny.read %src[%i, %j] affine_map<(d0, d1) -> (d0 * 4 + d1 - 1)>
           where affine_map<(d0, d1) -> (d1)> in [1] to [5] else [0.0 : f32] : tensor<32xf32> -> f32
  return %v : f32
}

{-#
  dialect_resources: {
    builtin: {
      weights: "0x040000000000803F00000040"
    }
  }
#-}

// CHECK-LABEL: func.func @place
func.func @place(%i: index) {
  // CHECK-NEXT: tiny.place %arg0 dim 1
  tiny.place %i dim 1
  return
}
