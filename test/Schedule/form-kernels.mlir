// RUN: tiny-opt %s --tiny-schedule-form-kernels=group=false --split-input-file --verify-diagnostics | FileCheck %s

// A matmul in movement form, its bias and its relu are one kernel that a contraction recogniser
// accepts: no operand but projected permutations, the epilogue on the accumulator.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %[[R:.*]] = tiny.launch @matmul_add_relu_4x5(%arg0, %arg1, %arg2)
// CHECK-NEXT:    return %[[R]]
// CHECK:       func.func private @matmul_add_relu_4x5
// CHECK-SAME:    tensor<4x6xf32>, %{{.*}}: tensor<6x5xf32>, %{{.*}}: tensor<5xf32>
// CHECK:         %[[EMPTY:.*]] = tensor.empty() : tensor<4x5xf32>
// CHECK:         %[[INIT:.*]] = linalg.fill {{.*}} outs(%[[EMPTY]]
// CHECK:         %[[ACC:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]
// CHECK-SAME:      outs(%[[INIT]]
// CHECK:         linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]
// CHECK-SAME:      ins(%[[ACC]]
// CHECK-NOT:     tiny.read
func.func @main(%a: tensor<4x6xf32>, %b: tensor<6x5xf32>, %bias: tensor<5xf32>) -> tensor<4x5xf32> {
  %0 = tiny.reshape %a : tensor<4x6xf32> to tensor<4x6x1xf32>
  %1 = tiny.reshape %b : tensor<6x5xf32> to tensor<1x6x5xf32>
  %2 = tiny.expand %0 : tensor<4x6x1xf32> to tensor<4x6x5xf32>
  %3 = tiny.expand %1 : tensor<1x6x5xf32> to tensor<4x6x5xf32>
  %4 = tiny.mul %2, %3 : tensor<4x6x5xf32>
  %5 = tiny.reduce add %4 dims [1] : tensor<4x6x5xf32> -> tensor<4x5xf32>
  %6 = tiny.reshape %bias : tensor<5xf32> to tensor<1x5xf32>
  %7 = tiny.expand %6 : tensor<1x5xf32> to tensor<4x5xf32>
  %8 = tiny.add %5, %7 : tensor<4x5xf32>
  %z = tiny.constant dense<0.0> : tensor<4x5xf32>
  %9 = tiny.max %8, %z : tensor<4x5xf32>
  return %9 : tensor<4x5xf32>
}

// -----

// Loops that every index treats as one are one loop; a pixel shuffle splits its own.
// CHECK-LABEL: func.func @main
// CHECK:       func.func private @exp2_
// CHECK-SAME:    %{{.*}}: tensor<24xf32>, %{{.*}}: tensor<24xf32>
func.func @main(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = tiny.exp2 %x : tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}

// -----

// CHECK-LABEL: func.func @main
// CHECK:       func.func private @copy_6x6
// CHECK-NOT:     mod
// CHECK-NOT:     floordiv
// CHECK:         return
func.func @main(%x: tensor<4x3x3xf32>) -> tensor<6x6xf32> {
  %0 = tiny.reshape %x : tensor<4x3x3xf32> to tensor<2x2x3x3xf32>
  %1 = tiny.permute %0 [2, 0, 3, 1] : tensor<2x2x3x3xf32> -> tensor<3x2x3x2xf32>
  %2 = tiny.reshape %1 : tensor<3x2x3x2xf32> to tensor<6x6xf32>
  return %2 : tensor<6x6xf32>
}

// -----

// A pad is a guard of the read.
// CHECK:       #[[$MAP:.*]] = affine_map<(d0) -> (d0 - 2)>
// CHECK-LABEL: func.func @main
// CHECK:       func.func private @copy_9
// CHECK:         tiny.read %{{.*}}[%{{.*}}] #[[$MAP]] where #[[$MAP]] in [0] to [4] else [7 : i8]
func.func @main(%x: tensor<4xui8>) -> tensor<9xui8> {
  %0 = tiny.pad %x low [2] high [3] value 7 : ui8 : tensor<4xui8> -> tensor<9xui8>
  return %0 : tensor<9xui8>
}

// -----

// What a reduction needs many times is computed once, unless it is only a conversion.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %[[E:.*]] = tiny.launch @exp2_4x8(%arg0)
// CHECK-NEXT:    %[[R:.*]] = tiny.launch @matmul_4x6(%[[E]], %arg1)
// CHECK-NEXT:    return %[[R]]
// CHECK:       func.func private @matmul_4x6
// CHECK:         arith.extf
func.func @main(%a: tensor<4x8xf32>, %b: tensor<6x8xf16>) -> tensor<4x6xf32> {
  %e = tiny.exp2 %a : tensor<4x8xf32>
  %0 = tiny.reshape %e : tensor<4x8xf32> to tensor<4x1x8xf32>
  %1 = tiny.expand %0 : tensor<4x1x8xf32> to tensor<4x6x8xf32>
  %c = tiny.cast %b : tensor<6x8xf16> to tensor<6x8xf32>
  %2 = tiny.reshape %c : tensor<6x8xf32> to tensor<1x6x8xf32>
  %3 = tiny.expand %2 : tensor<1x6x8xf32> to tensor<4x6x8xf32>
  %4 = tiny.mul %1, %3 : tensor<4x6x8xf32>
  %5 = tiny.reduce add %4 dims [2] : tensor<4x6x8xf32> -> tensor<4x6xf32>
  return %5 : tensor<4x6xf32>
}

// -----

// Results that are arguments, constants, or returned twice are copied: each has its own buffer.
// CHECK-LABEL: func.func @main
// CHECK-DAG:     %[[C:.*]] = tiny.constant dense<[1, 2]>
// CHECK-DAG:     tiny.launch @copy_3(%arg0)
// CHECK-DAG:     tiny.launch @copy_2(%[[C]])
// CHECK-DAG:     %[[E:.*]] = tiny.launch @exp2_3
// CHECK-DAG:     tiny.launch @copy_3{{.*}}(%[[E]])
func.func @main(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<2xi32>, tensor<3xf32>, tensor<3xf32>) {
  %c = tiny.constant dense<[1, 2]> : tensor<2xi32>
  %e = tiny.exp2 %x : tensor<3xf32>
  return %x, %c, %e, %e : tensor<3xf32>, tensor<2xi32>, tensor<3xf32>, tensor<3xf32>
}

// -----

// Nothing is launched for a tensor without elements; a reduction over none is its identity.
// CHECK-LABEL: func.func @main
// CHECK-DAG:     %[[R:.*]] = tiny.launch @fill_3()
// CHECK-DAG:     %[[C:.*]] = tiny.constant dense<> : tensor<0x3xf32>
// CHECK:         return %[[C]], %[[R]]
func.func @main(%x: tensor<0x3xf32>) -> (tensor<0x3xf32>, tensor<3xf32>) {
  %e = tiny.exp2 %x : tensor<0x3xf32>
  %r = tiny.reduce max %x dims [0] : tensor<0x3xf32> -> tensor<3xf32>
  return %e, %r : tensor<0x3xf32>, tensor<3xf32>
}

// -----

func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
  // expected-error @below {{is not part of a tiny program; only tiny ops and func.return are}}
  %0 = math.exp2 %x : tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

// expected-error @below {{there is no function @main to schedule}}
module {
}

// -----

// A reduction that is returned is not an accumulator of another kernel only.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %[[R:.*]] = tiny.launch @reduce_add_4(%arg0)
// CHECK-NEXT:    %[[E:.*]] = tiny.launch @exp2_4(%[[R]])
// CHECK-NEXT:    return %[[R]], %[[E]]
func.func @main(%x: tensor<4x8xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %r = tiny.reduce add %x dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %e = tiny.exp2 %r : tensor<4xf32>
  return %r, %e : tensor<4xf32>, tensor<4xf32>
}
