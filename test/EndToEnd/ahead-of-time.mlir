// UNSUPPORTED: sim
// About tiny-run and the CPU.
// Files for programs in C: what their header says, and what is refused.

// RUN: rm -rf %t && mkdir %t
// RUN: tiny-run %s --emit obj -o %t/x.o --header %t/two-heads.h
// RUN: FileCheck %s --input-file %t/two-heads.h
// RUN: gcc -x c -std=c99 -pedantic -Wall -Wextra -Werror -fsyntax-only %t/two-heads.h
// CHECK: The C interface of 'two_heads', compiled by Tiny for {{.+}} ({{x86_64|aarch64}})
// CHECK: #ifndef TWO_HEADS_H
// CHECK: #define TWO_HEADS_NUM_INPUTS 3
// CHECK: #define TWO_HEADS_NUM_OUTPUTS 3
// CHECK: #define TWO_HEADS_ALIGNMENT 64
// CHECK: #define TWO_HEADS_WORKSPACE_BYTES {{[0-9]+}}
// CHECK-NOT: WEIGHTS
// A name can be anything, also the end of a comment.
// CHECK: /* Input 0, "a\052/\042\077": tensor<2x3xf16>, as its bits. */
// CHECK: #define TWO_HEADS_INPUT_0_NAME "a\052/\042\077"
// CHECK: #define TWO_HEADS_INPUT_0_TYPE uint16_t
// CHECK: #define TWO_HEADS_INPUT_0_ELEMENT "f16"
// CHECK: #define TWO_HEADS_INPUT_0_RANK 2
// CHECK: #define TWO_HEADS_INPUT_0_SHAPE {2, 3}
// CHECK: #define TWO_HEADS_INPUT_0_COUNT 6
// CHECK: #define TWO_HEADS_INPUT_0_BYTES 12
// CHECK: /* Input 1: tensor<i32>. */
// CHECK: #define TWO_HEADS_INPUT_1_NAME ""
// CHECK: #define TWO_HEADS_INPUT_1_RANK 0
// CHECK-NOT: TWO_HEADS_INPUT_1_SHAPE
// CHECK: #define TWO_HEADS_INPUT_1_COUNT 1
// CHECK: /* Input 2, "cache": tensor<4x2xf32>; its contents are lost in a run. */
// CHECK: /* Output 0, "is positive": tensor<2xi1>, each 0 or 1. */
// CHECK: #define TWO_HEADS_OUTPUT_0_TYPE uint8_t
// CHECK: /* Output 1: tensor<i32>. */
// CHECK: /* Output 2: tensor<4x2xf32>; it comes to lie in an input, and its address is not looked at. */
// CHECK: #define TWO_HEADS_OUTPUT_2_IN_INPUT 2
// CHECK: int two_heads_run(const void *const *inputs, void *const *outputs, void *workspace,

// Weights in a file are a parameter, and their size is known.
// RUN: tiny-run %s --entry weights --emit obj -o %t/w.o --header %t/w.h --weights %t/w.bin
// RUN: FileCheck %s --input-file %t/w.h --check-prefix=WEIGHTS
// RUN: wc -c < %t/w.bin | FileCheck %s --check-prefix=SIZE
// WEIGHTS: #define W_WEIGHTS_BYTES 64
// WEIGHTS: int w_run(const void *const *inputs, void *const *outputs, const void *weights, void *workspace,
// SIZE: {{^ *}}64{{$}}

// For another architecture. Every kind of file is one of its own.
// RUN: tiny-run %s --cpu aarch64 --emit obj -o %t/arm.o --header %t/arm.h
// RUN: llvm-readelf -h %t/arm.o | FileCheck %s --check-prefix=ARM
// RUN: tiny-run %s --cpu neoverse-n1 --emit shared -o %t/arm.so --header %t/arm.h
// RUN: llvm-readelf -h %t/arm.so | FileCheck %s --check-prefix=ARM
// RUN: tiny-run %s --cpu aarch64 --emit static -o %t/arm.a --header %t/arm.h
// RUN: llvm-readelf -h %t/arm.a | FileCheck %s --check-prefix=ARM
// ARM: Machine: AArch64
// RUN: tiny-run %s --cpu x86-64-v4 --emit shared -o %t/x86.so --header %t/x86.h
// RUN: llvm-readelf -h %t/x86.so | FileCheck %s --check-prefix=X86
// X86: Machine: {{.*}}X86-64

// What is refused leaves nothing behind.
// RUN: mkdir %t/empty
// RUN: not tiny-run %s --emit obj 2>&1 | FileCheck %s --check-prefix=BOTH
// BOTH: error: --emit obj needs -o FILE for the code and --header FILE.h for its C interface
// RUN: not tiny-run %s --emit shared -o %t/empty/x.so 2>&1 | FileCheck %s --check-prefix=HEADER
// HEADER: error: --emit shared needs --header FILE.h for its C interface
// RUN: not tiny-run %s --emit static --header %t/empty/x.h 2>&1 | FileCheck %s --check-prefix=CODE
// CODE: error: --emit static needs -o FILE for the code
// RUN: not tiny-run %s --emit asm -o %t/empty/x.s --header %t/empty/x.h 2>&1 | FileCheck %s --check-prefix=TEXT
// TEXT: error: --header goes with --emit obj, static or shared
// RUN: not tiny-run %s --input random:1 --weights %t/empty/x.bin 2>&1 | FileCheck %s --check-prefix=RUNS
// RUNS: error: --weights goes with --emit obj, static or shared
// RUN: not tiny-run %s --emit obj -o %t/empty/x --header %t/empty/x 2>&1 | FileCheck %s --check-prefix=SAME
// SAME: error: -o, --header and --weights are to be different files
// RUN: not tiny-run %s --emit obj -o %t/empty/none/x.o --header %t/empty/x.h 2>&1 | FileCheck %s --check-prefix=FOLDER
// FOLDER: error: cannot write '{{.*}}none/x.o': No such file or directory
// RUN: not tiny-run %s --emit obj -o /dev/full --header %t/empty/x.h --weights %t/empty/x.bin 2>&1 \
// RUN:   | FileCheck %s --check-prefix=FULL
// FULL: error: cannot write '/dev/full': No space left on device
// RUN: not tiny-run %s --cpu pentium9 --emit obj -o %t/empty/x.o --header %t/empty/x.h 2>&1 | FileCheck %s --check-prefix=CPU
// CPU: error: unknown CPU 'pentium9'; use 'host', or a name that LLVM has, such as
// RUN: ls %t/empty | count 0

// Nobody would see that an expectation fails.
// RUN: tiny-run %s --entry expects --emit obj -o %t/e.o --header %t/e.h 2>&1 | FileCheck %s --check-prefix=EXPECTS
// EXPECTS: warning: the code that is emitted does not evaluate the expectations of the program, which are 1

func.func @main(%a: tensor<2x3xf16> {tiny.name = "a*/\"?"}, %b: tensor<i32>,
                %c: tensor<4x2xf32> {tiny.name = "cache", tiny.donated})
    -> (tensor<2xi1> {tiny.name = "is positive"}, tensor<i32>, tensor<4x2xf32>) {
  %0 = tiny.reduce add %a dims [1] : tensor<2x3xf16> -> tensor<2xf16>
  %1 = tiny.constant dense<0.0> : tensor<2xf16>
  %2 = tiny.cmp lt %1, %0 : tensor<2xf16>
  %3 = tiny.add %b, %b : tensor<i32>
  %4 = tiny.add %c, %c : tensor<4x2xf32>
  return %2, %3, %4 : tensor<2xi1>, tensor<i32>, tensor<4x2xf32>
}

func.func @weights(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = tiny.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]> : tensor<4x4xf32>
  %1 = tiny.mul %x, %0 : tensor<4x4xf32>
  return %1 : tensor<4x4xf32>
}

func.func @expects() -> tensor<3xi32> {
  %0 = tiny.iota dim 0 : tensor<3xi32>
  %1 = tiny.constant dense<[0, 1, 2]> : tensor<3xi32>
  tiny.expect_eq %0, %1 : tensor<3xi32>
  return %0 : tensor<3xi32>
}
