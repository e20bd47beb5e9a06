// RUN: tiny-opt --tiny-schedule-form-kernels=local-bytes=64 %s --split-input-file | FileCheck %s --enable-var-scope

// With room for a few elements only, softmax's sums and the product with the values are one pass. The
// division by the sum of the weights, which the program has at every weight, is behind it.

// CHECK-LABEL: func.func @main
// CHECK: tiny.launch
// CHECK-NOT: tiny.launch
// CHECK-LABEL: func.func private @attention_24x4
// CHECK: %[[S:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<24x40xf32>)
// CHECK: %[[P:.*]] = linalg.generic
// CHECK: arith.mulf
// CHECK: %[[R:.*]]:3 = tiny.online_reduce over 1
// CHECK-SAME: ins(%[[P]], %arg2 : tensor<24x40xf32>, tensor<40x4xf32>)
// CHECK-SAME: outs(%{{.*}}, %{{.*}}, %{{.*}} : tensor<24xf32>, tensor<24xf32>, tensor<24x4xf32>)
// CHECK: ^bb0(%[[SCORE:.*]]: f32, %[[PIVOT:.*]]: f32):
// CHECK: math.exp2
// CHECK: combine
// CHECK: ^bb0(%[[W:.*]]: f32, %[[V:.*]]: f32):
// CHECK: %[[T:.*]] = arith.mulf %[[W]], %[[V]]
// CHECK: tiny.yield %[[W]], %[[T]]
// CHECK: linalg.generic {{.*}} ins(%[[R]]#1 : tensor<24xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[R]]#2, %{{.*}} : tensor<24x4xf32>, tensor<24xf32>) outs(%arg3 : tensor<24x4xf32>)
// CHECK: arith.divf
func.func @main(%q: tensor<24x8xf32>, %k: tensor<40x8xf32>, %v: tensor<40x4xf32>) -> tensor<24x4xf32> {
  %0 = tiny.reshape %q : tensor<24x8xf32> to tensor<24x1x8xf32>
  %1 = tiny.expand %0 : tensor<24x1x8xf32> to tensor<24x40x8xf32>
  %2 = tiny.reshape %k : tensor<40x8xf32> to tensor<1x40x8xf32>
  %3 = tiny.expand %2 : tensor<1x40x8xf32> to tensor<24x40x8xf32>
  %4 = tiny.mul %1, %3 : tensor<24x40x8xf32>
  %5 = tiny.reduce add %4 dims [2] : tensor<24x40x8xf32> -> tensor<24x40xf32>
  %c = tiny.constant dense<0.5> : tensor<24x40xf32>
  %s = tiny.mul %5, %c : tensor<24x40xf32>
  %m = tiny.reduce max %s dims [1] : tensor<24x40xf32> -> tensor<24xf32>
  %6 = tiny.reshape %m : tensor<24xf32> to tensor<24x1xf32>
  %7 = tiny.expand %6 : tensor<24x1xf32> to tensor<24x40xf32>
  %minus = tiny.constant dense<-1.0> : tensor<24x40xf32>
  %8 = tiny.mul %7, %minus : tensor<24x40xf32>
  %9 = tiny.add %s, %8 : tensor<24x40xf32>
  %e = tiny.exp2 %9 : tensor<24x40xf32>
  %l = tiny.reduce add %e dims [1] : tensor<24x40xf32> -> tensor<24xf32>
  %10 = tiny.reshape %l : tensor<24xf32> to tensor<24x1xf32>
  %11 = tiny.expand %10 : tensor<24x1xf32> to tensor<24x40xf32>
  %p = tiny.div %e, %11 : tensor<24x40xf32>
  %12 = tiny.reshape %p : tensor<24x40xf32> to tensor<24x1x40xf32>
  %13 = tiny.expand %12 : tensor<24x1x40xf32> to tensor<24x4x40xf32>
  %14 = tiny.permute %v [1, 0] : tensor<40x4xf32> -> tensor<4x40xf32>
  %15 = tiny.reshape %14 : tensor<4x40xf32> to tensor<1x4x40xf32>
  %16 = tiny.expand %15 : tensor<1x4x40xf32> to tensor<24x4x40xf32>
  %17 = tiny.mul %13, %16 : tensor<24x4x40xf32>
  %o = tiny.reduce add %17 dims [2] : tensor<24x4x40xf32> -> tensor<24x4xf32>
  return %o : tensor<24x4xf32>
}

// -----

// Weights that are no exponential of the distance cannot be rescaled.

// CHECK-LABEL: func.func @main
// CHECK-NOT: tiny.online_reduce
// CHECK: return
func.func @main(%s: tensor<24x40xf32>) -> tensor<24xf32> {
  %0 = tiny.mul %s, %s : tensor<24x40xf32>
  %m = tiny.reduce max %0 dims [1] : tensor<24x40xf32> -> tensor<24xf32>
  %6 = tiny.reshape %m : tensor<24xf32> to tensor<24x1xf32>
  %7 = tiny.expand %6 : tensor<24x1xf32> to tensor<24x40xf32>
  %e = tiny.mul %0, %7 : tensor<24x40xf32>
  %l = tiny.reduce add %e dims [1] : tensor<24x40xf32> -> tensor<24xf32>
  return %l : tensor<24xf32>
}
