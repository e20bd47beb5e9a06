// The expect ops of a program decide its exit status, on every target.

// RUN: tiny-run %s --target reference
// RUN: tiny-run %s
// RUN: not tiny-run %s --entry fails --target reference 2>&1 | FileCheck %s
// RUN: not tiny-run %s --entry fails 2>&1 | FileCheck %s
// CHECK: tiny-run-expectations.mlir:[[#@LINE + 14]]:3: error: {{.*}}tiny.expect_eq

func.func @main() {
  %i = tiny.iota dim 0 : tensor<4xf32>
  %0 = tiny.constant dense<[0.0, 1.0, 2.0, 3.0]> : tensor<4xf32>
  tiny.expect_eq %i, %0 : tensor<4xf32>
  %1 = tiny.constant dense<[0.0, 1.1, 2.0, 3.0]> : tensor<4xf32>
  tiny.expect_close %i, %1 rtol 0.1 atol 0.0 : tensor<4xf32>
  return
}

func.func @fails() {
  %i = tiny.iota dim 0 : tensor<4xf32>
  %0 = tiny.constant dense<[0.0, 1.0, 2.0, 4.0]> : tensor<4xf32>
  tiny.expect_eq %i, %0 : tensor<4xf32>
  return
}
