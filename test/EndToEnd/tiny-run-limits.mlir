// UNSUPPORTED: sim
// About tiny-run and the CPU.
// What costs more than it may is refused before anything is compiled or allocated, with the figure;
// what fits runs.

// One kernel: 4 * 5 * 6 products and as many sums, 20 additions.
// RUN: not tiny-run %s --input 1 --input 1 --input 1 --max-flops 259 2>&1 | FileCheck %s --check-prefix=FLOPS
// FLOPS:     error: this program needs 260 floating point operations, more than the limit of 259
// FLOPS-NOT: error
// RUN: tiny-run %s --input 1 --input 1 --input 1 --max-flops 260 --max-launches 1 --max-memory 1K | FileCheck %s --check-prefix=FITS
// FITS: result0: tensor<4x5xf32>

// Two products of 8 * 8 * 8 steps.
// RUN: not tiny-run %s --entry two --input 1 --max-launches 1 2>&1 | FileCheck %s --check-prefix=LAUNCHES
// LAUNCHES: error: this program makes {{[2-9]}} launches, more than the limit of 1
// RUN: tiny-run %s --entry two --input 1 --max-launches 9 --max-flops 2048 | FileCheck %s --check-prefix=TWO
// TWO: result0: tensor<8x8xf32>

// RUN: not tiny-run %s --input 1 --input 1 --input 1 --max-memory 315 2>&1 | FileCheck %s --check-prefix=MEMORY
// MEMORY: this program needs 316 bytes (arguments and results 316, constants 0, state 0, workspace 0), more than the limit of 315

// A limit is held to without a run too.
// RUN: not tiny-run %s --emit obj -o %t.o --header %t.h --max-flops 200 2>&1 | FileCheck %s --check-prefix=EMIT
// EMIT: this program needs 260 floating point operations, more than the limit of 200

// The report has the same figures.
// RUN: tiny-run %s --report | FileCheck %s --check-prefix=REPORT
// REPORT: program main: 1 kernels, 1 launches
// REPORT: all {{ *}}1 {{ *}}260 {{ *}}236 {{ *}}80
// REPORT: all {{ *}}316
// REPORT: copies: none
// REPORT: launch {{ *}}grid
// REPORT: compile {{ *}}ms
// RUN: tiny-run %s --report=json | python3 -c "import json, sys; r = json.load(sys.stdin); print(r['cost']['total']['flops'], r['cost']['memory']['all'], r['memory']['all'])" | FileCheck %s --check-prefix=JSON
// JSON: 260 316 316

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
  return %8 : tensor<4x5xf32>
}

// The columns of a product with one another, in another order than they are computed: each needs
// all of its rows.
func.func @two(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = tiny.reshape %x : tensor<8x8xf32> to tensor<8x8x1xf32>
  %1 = tiny.expand %0 : tensor<8x8x1xf32> to tensor<8x8x8xf32>
  %2 = tiny.reshape %x : tensor<8x8xf32> to tensor<1x8x8xf32>
  %3 = tiny.expand %2 : tensor<1x8x8xf32> to tensor<8x8x8xf32>
  %4 = tiny.mul %1, %3 : tensor<8x8x8xf32>
  %5 = tiny.reduce add %4 dims [1] : tensor<8x8x8xf32> -> tensor<8x8xf32>
  %s = tiny.stride %5 [-1, 1] : tensor<8x8xf32> -> tensor<8x8xf32>
  %6 = tiny.reshape %s : tensor<8x8xf32> to tensor<8x8x1xf32>
  %7 = tiny.expand %6 : tensor<8x8x1xf32> to tensor<8x8x8xf32>
  %8 = tiny.reshape %5 : tensor<8x8xf32> to tensor<8x1x8xf32>
  %9 = tiny.expand %8 : tensor<8x1x8xf32> to tensor<8x8x8xf32>
  %10 = tiny.mul %7, %9 : tensor<8x8x8xf32>
  %11 = tiny.reduce add %10 dims [0] : tensor<8x8x8xf32> -> tensor<8x8xf32>
  return %11 : tensor<8x8xf32>
}
