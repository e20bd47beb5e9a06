// A sum that selects one row is a load, but what it loads is added to zeros in the program: never -0.
// Places that are no rows give 0 and touch no memory.
//
// RUN: tiny-run %s --input table=-0.0 --input which=2 --poison --verify-against reference | FileCheck %s --check-prefix=ZERO
// ZERO:     min 0, max 0, mean 0
// ZERO:     agrees with the reference
// RUN: tiny-run %s --input table=random:3 --input which=-1 --poison --verify-against reference | FileCheck %s --check-prefix=ZERO
// RUN: tiny-run %s --input table=random:3 --input which=2147483647 --poison --verify-against reference | FileCheck %s --check-prefix=ZERO
// RUN: tiny-run %s --input table=random:3 --input which=6 --poison --verify-against reference | FileCheck %s
// CHECK: agrees with the reference

func.func @main(%table: tensor<7x5xf32> {tiny.name = "table"}, %which: tensor<3xi32> {tiny.name = "which"}) -> tensor<3x5xf32> {
  %t0 = tiny.reshape %table : tensor<7x5xf32> to tensor<1x7x5xf32>
  %t1 = tiny.expand %t0 : tensor<1x7x5xf32> to tensor<3x7x5xf32>
  %w0 = tiny.reshape %which : tensor<3xi32> to tensor<3x1x1xi32>
  %w1 = tiny.expand %w0 : tensor<3x1x1xi32> to tensor<3x7x5xi32>
  %i = tiny.iota dim 1 : tensor<3x7x5xi32>
  %c = tiny.cmp eq %i, %w1 : tensor<3x7x5xi32>
  %z = tiny.constant dense<0.0> : tensor<3x7x5xf32>
  %s = tiny.where %c, %t1, %z : tensor<3x7x5xf32>
  %r = tiny.reduce add %s dims [1] : tensor<3x7x5xf32> -> tensor<3x5xf32>
  return %r : tensor<3x5xf32>
}
