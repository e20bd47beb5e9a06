// What is looked up may be made of the position itself, a number that data decides.
//
// RUN: tiny-run %s --input y=random:3 --input x=random:4 --poison --verify-against reference | FileCheck %s
// RUN: tiny-run %s --input y=299 --input x=random:4 --poison --verify-against reference | FileCheck %s
// RUN: tiny-run %s --input y=300 --input x=random:4 --poison --verify-against reference | FileCheck %s
// CHECK: agrees with the reference

func.func @main(%y: tensor<5xi32> {tiny.name = "y"}, %x: tensor<300xf32> {tiny.name = "x"}) -> tensor<5xf32> {
  %y2 = tiny.reshape %y : tensor<5xi32> to tensor<5x1xi32>
  %y3 = tiny.expand %y2 : tensor<5x1xi32> to tensor<5x300xi32>
  %i = tiny.iota dim 1 : tensor<5x300xi32>
  %f = tiny.iota dim 1 : tensor<5x300xf32>
  %x1 = tiny.reshape %x : tensor<300xf32> to tensor<1x300xf32>
  %x2 = tiny.expand %x1 : tensor<1x300xf32> to tensor<5x300xf32>
  %v = tiny.mul %f, %x2 : tensor<5x300xf32>
  %c = tiny.cmp eq %y3, %i : tensor<5x300xi32>
  %z = tiny.constant dense<0.0> : tensor<5x300xf32>
  %s = tiny.where %c, %v, %z : tensor<5x300xf32>
  %r = tiny.reduce add %s dims [1] : tensor<5x300xf32> -> tensor<5xf32>
  return %r : tensor<5xf32>
}
