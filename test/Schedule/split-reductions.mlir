// A reduction to few elements is shared out: runs of it are combined first, by several workgroups.
//
// RUN: tiny-opt %s --tiny-schedule-form-kernels --split-input-file | FileCheck %s
// RUN: tiny-opt %s --tiny-schedule-form-kernels=parallel-units=1 --split-input-file | FileCheck %s --check-prefix=ONE
// ONE-COUNT-4: tiny.launch
// ONE-NOT:     tiny.launch

// What is before the sum is in the first kernel, what is behind it in the second.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %[[RUNS:.*]] = tiny.launch @[[FIRST:.*]](%arg0) : (tensor<4194304xf32>) -> tensor<16xf32>
// CHECK-NEXT:    tiny.launch @[[SECOND:.*]](%[[RUNS]]) : (tensor<16xf32>) -> tensor<f32>
// CHECK-NEXT:    return
// CHECK:       func.func private @[[FIRST]](%{{.*}}: tensor<16x262144xf32>
// CHECK:         iterator_types = ["parallel", "reduction"]
// CHECK:           arith.mulf
// CHECK:       func.func private @[[SECOND]]
// CHECK:         math.sqrt
func.func @main(%x: tensor<4194304xf32>) -> tensor<f32> {
  %s = tiny.mul %x, %x : tensor<4194304xf32>
  %r = tiny.reduce add %s dims [0] : tensor<4194304xf32> -> tensor<f32>
  %q = tiny.sqrt %r : tensor<f32>
  return %q : tensor<f32>
}

// -----

// Runs of one length and a rest; f16 is summed up in f32 and rounded once.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %[[RUNS:.*]] = tiny.launch @{{.*}}(%arg0) : (tensor<8x1000003xf16>) -> tensor<8x2xf32>
// CHECK-NEXT:    tiny.launch @{{.*}}(%[[RUNS]], %arg0) : (tensor<8x2xf32>, tensor<8x1000003xf16>) -> tensor<8xf16>
// CHECK-NEXT:    return
func.func @main(%x: tensor<8x1000003xf16>) -> tensor<8xf16> {
  %r = tiny.reduce add %x dims [1] : tensor<8x1000003xf16> -> tensor<8xf16>
  return %r : tensor<8xf16>
}

// -----

// Short ones are not worth a launch, and a look-up is no reduction.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    tiny.launch
// CHECK-NEXT:    return
func.func @main(%x: tensor<4096xf32>) -> tensor<f32> {
  %r = tiny.reduce max %x dims [0] : tensor<4096xf32> -> tensor<f32>
  return %r : tensor<f32>
}

// -----

// CHECK-LABEL: func.func @main
// CHECK-NEXT:    tiny.launch @gather_scalar
// CHECK-NEXT:    return
func.func @main(%x: tensor<4194304xf32>, %y: tensor<i32>) -> tensor<f32> {
  %i = tiny.iota dim 0 : tensor<4194304xi32>
  %y0 = tiny.reshape %y : tensor<i32> to tensor<1xi32>
  %y1 = tiny.expand %y0 : tensor<1xi32> to tensor<4194304xi32>
  %c = tiny.cmp eq %i, %y1 : tensor<4194304xi32>
  %z = tiny.constant dense<0.0> : tensor<4194304xf32>
  %s = tiny.where %c, %x, %z : tensor<4194304xf32>
  %r = tiny.reduce add %s dims [0] : tensor<4194304xf32> -> tensor<f32>
  return %r : tensor<f32>
}
