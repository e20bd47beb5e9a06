// UNSUPPORTED: sim
// About tiny-run and the CPU.
// How tiny-run finds its inputs and says what came out: by position, by name, by place, from
// files it has written itself, and filled.

// RUN: tiny-run %s --target reference --input 1.5 --input 2 | FileCheck %s --check-prefix=PRINT
// PRINT: sum: tensor<2x3xf32>
// PRINT-NEXT: {{^}}  {{\[\[}}3.5, 3.5, 3.5],
// PRINT-NEXT: {{^}}   [3.5, 3.5, 3.5]]
// PRINT-NEXT: min 3.5, max 3.5, mean 3.5
// PRINT-NOT: argmax
// PRINT: result1: tensor<2xi1>
// PRINT-NEXT: [false, false]
// PRINT-NEXT: 0 of 2 true

// What each kernel takes, and each step from the file to code.
// RUN: tiny-run %s --cache none --input random:1 --bench 2 --profile | FileCheck %s --check-prefix=PROFILE
// PROFILE: {{^}}kernel {{.*}}calls {{.*}}ms
// PROFILE: {{^}}all
// PROFILE: {{^}}compile{{ *}}ms{{ *}}%
// PROFILE-NEXT: {{^}}import{{ *}}{{[0-9.]+}}{{ *}}{{[0-9.]+}}
// PROFILE-NEXT: {{^}}schedule
// PROFILE: {{^}}tile
// PROFILE: {{^}}lower
// PROFILE-NEXT: {{^}}llvm
// PROFILE-NEXT: {{^}}link
// PROFILE-NEXT: {{^}}all

// The second input by name, so that the one without a name is the first.
// RUN: tiny-run %s --target reference --input arg1=-4 --input 1 | FileCheck %s --check-prefix=NAME
// NAME: min -3, max -3, mean -3
// NAME: [true, true]

// By place, counted from 0.
// RUN: tiny-run %s --target=reference --input=1=nan --input=0=inf | FileCheck %s --check-prefix=NAN
// NAN: {{\[\[}}nan, nan, nan],
// NAN: 6 NaN

// One random seed fills every input, each with numbers of its own, the same everywhere.
// RUN: tiny-run %s --target reference --input random:1 | FileCheck %s --check-prefix=RANDOM
// RANDOM: 1.051746, -0.20481992, -0.66826725

// What was written is read back, from both formats; a file that was asked for is not printed.
// RUN: rm -rf %t && mkdir %t
// RUN: tiny-run %s --target reference --input random:7 --output sum=@%t/sum.npy --output 1=@%t/neg.pb \
// RUN:   | FileCheck %s --check-prefix=WRITE
// WRITE-NOT: min
// WRITE: sum: tensor<2x3xf32> written to {{.*}}sum.npy
// WRITE: result1: tensor<2xi1> written to {{.*}}neg.pb
// RUN: tiny-run %s --target reference --input random:7 --expect @%t/sum.npy --expect @%t/neg.pb \
// RUN:   --output sum=@%t/again.pb | FileCheck %s --check-prefix=EXPECT
// EXPECT: sum: as expected: 6 elements, largest difference 0
// EXPECT: result1: as expected: 2 elements
// RUN: tiny-run %s --target reference --input x=@%t/sum.npy --input @%t/again.pb \
// RUN:   --bench 3 | FileCheck %s --check-prefix=BENCH
// BENCH: bench: min {{[0-9.]+}} ms, median {{[0-9.]+}} ms over 3 runs

// Tolerances: NumPy's, and one of the largest magnitude.
// RUN: tiny-run %s --target reference --input 1000 --input 0 --output sum=@%t/thousand.npy
// RUN: tiny-run %s --target reference --input 1000 --input 1 --expect @%t/thousand.npy --max-tol 2e-3
// RUN: tiny-run %s --target reference --input 1000 --input 1 --expect @%t/thousand.npy --rtol 0 --atol 1
// RUN: not tiny-run %s --target reference --input 1000 --input 1 --expect @%t/thousand.npy --max-tol 5e-4 2>&1 \
// RUN:   | FileCheck %s --check-prefix=DIFFERS
// DIFFERS: error: sum: NOT as expected: 6 of 6 elements differ; worst at [0, 0]: got 1001, expected 1000; largest difference 1 (0.001 of the largest expected magnitude)

// Another entry, from the standard input, as bytecode.
// RUN: tiny-opt %s --emit-bytecode -o %t/model.mlirbc
// RUN: tiny-run %t/model.mlirbc --entry other --target reference | FileCheck %s --check-prefix=OTHER
// RUN: tiny-run - --entry other --target reference < %s | FileCheck %s --check-prefix=OTHER
// OTHER: result0: tensor<3x40xi32>
// OTHER-NEXT: 0, 1, 2, 3, 4, 5, 6, 7, ...
// OTHER-NEXT: min 0, max 39, mean 19.5

// RUN: tiny-run --help | FileCheck %s --check-prefix=HELP
// HELP: usage: tiny-run MODEL
// HELP: --input [NAME=]VALUE
// HELP: Examples:
// RUN: tiny-run --version | FileCheck %s --check-prefix=VERSION
// VERSION: tiny-run {{[0-9]+\.[0-9]+}}

func.func @main(%x: tensor<2x3xf32> {tiny.name = "x"}, %y: tensor<2x3xf32>)
    -> (tensor<2x3xf32> {tiny.name = "sum"}, tensor<2xi1>) {
  %0 = tiny.add %x, %y : tensor<2x3xf32>
  %1 = tiny.reduce add %0 dims [1] : tensor<2x3xf32> -> tensor<2xf32>
  %2 = tiny.constant dense<0.0> : tensor<2xf32>
  %3 = tiny.cmp lt %1, %2 : tensor<2xf32>
  return %0, %3 : tensor<2x3xf32>, tensor<2xi1>
}

func.func @other() -> tensor<3x40xi32> {
  %0 = tiny.iota dim 1 : tensor<3x40xi32>
  return %0 : tensor<3x40xi32>
}
