// Long reductions to few elements, of every kind, in runs that divide them and in others.
//
// RUN: tiny-run %s --entry add --input random:1 --poison --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry mul --input random:1 --poison --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry max --input random:1 --poison --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry narrow --input random:1 --poison --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry both --input random:1 --poison --verify-against reference | FileCheck %s
// CHECK: agrees with the reference

func.func @add(%x: tensor<3x100003xf32>) -> tensor<3xf32> {
  %e = tiny.exp2 %x : tensor<3x100003xf32>
  %r = tiny.reduce add %e dims [1] : tensor<3x100003xf32> -> tensor<3xf32>
  %q = tiny.sqrt %r : tensor<3xf32>
  return %q : tensor<3xf32>
}

func.func @mul(%x: tensor<400x500xi32>) -> tensor<i32> {
  %one = tiny.constant dense<1> : tensor<400x500xi32>
  %two = tiny.constant dense<2> : tensor<400x500xi32>
  %d = tiny.mul %x, %two : tensor<400x500xi32>
  %odd = tiny.add %d, %one : tensor<400x500xi32>
  %r = tiny.reduce mul %odd dims [0, 1] : tensor<400x500xi32> -> tensor<i32>
  return %r : tensor<i32>
}

func.func @max(%x: tensor<300x2x701xbf16>) -> tensor<2xbf16> {
  %r = tiny.reduce max %x dims [0, 2] : tensor<300x2x701xbf16> -> tensor<2xbf16>
  return %r : tensor<2xbf16>
}

func.func @narrow(%x: tensor<600011xf16>) -> tensor<f16> {
  %r = tiny.reduce add %x dims [0] : tensor<600011xf16> -> tensor<f16>
  return %r : tensor<f16>
}

// The result is needed by every element that it was made of.
func.func @both(%x: tensor<2x262144xf32>) -> tensor<2x262144xf32> {
  %m = tiny.reduce max %x dims [1] : tensor<2x262144xf32> -> tensor<2xf32>
  %m0 = tiny.reshape %m : tensor<2xf32> to tensor<2x1xf32>
  %m1 = tiny.expand %m0 : tensor<2x1xf32> to tensor<2x262144xf32>
  %r = tiny.div %x, %m1 : tensor<2x262144xf32>
  return %r : tensor<2x262144xf32>
}
